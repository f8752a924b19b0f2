"""Clusters on loopback: two workers, one of them killed; a scheduler that dies; a scheduler that is not there."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest

from simulations.catalogue import recipe
from simulations.scheduler import Order, compute
from simulations.store import open_store
from tests.simulations.processes import REPLICATES, STUDY, chunks, command, markers, run, wait_for_markers


def workers_of(process):
    """Return the worker processes of a run, as the system sees them."""
    children = psutil.Process(process.pid).children(recursive=True)
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def test_two_workers_one_of_them_killed_have_the_bytes_of_one_process(tmp_path, quiet):
    path = tmp_path / "killed.zarr"
    process = command(path, "--replicates", str(REPLICATES), "--workers", "2")
    wait_for_markers(process, path, 20)
    first = workers_of(process)
    os.kill(first[0].pid, signal.SIGKILL)
    kept = markers(path)
    _, complaint = process.communicate(timeout=120)
    assert process.returncode == 0, complaint
    assert len(first) == 2
    assert 0 < len(kept) < len(markers(quiet))
    assert kept.items() <= markers(path).items(), "a marked batch was computed again"
    assert chunks(path) == chunks(quiet)
    assert open_store(path).failures() == open_store(quiet).failures()
    assert open_store(path).platforms == open_store(quiet).platforms


def test_an_interrupt_of_a_run_with_workers_is_one_line(tmp_path):
    """Ctrl-C reaches every process of the terminal's group."""
    path = tmp_path / "stopped.zarr"
    process = command(path, "--replicates", str(100 * REPLICATES), "--workers", "2", start_new_session=True)
    wait_for_markers(process, path, 10)
    os.killpg(process.pid, signal.SIGINT)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130, complaint
    assert "go on with --resume" in complaint
    assert "Traceback" not in complaint


@pytest.fixture
def cluster():
    """A scheduler and a worker in processes of their own; ended afterwards, whatever happened."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    quietly = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port),
         "--no-dashboard"], **quietly,
    )  # fmt: skip
    worker = subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_worker", address, "--no-nanny", "--no-dashboard", "--nthreads",
         "2", "--death-timeout", "60"], **quietly,
    )  # fmt: skip
    yield address, scheduler
    for one in (worker, scheduler):
        one.kill()
        one.wait(timeout=30)


def test_a_cluster_that_exists_and_whose_scheduler_dies_leaves_a_store_to_resume(tmp_path, quiet, cluster):
    path, (address, scheduler) = tmp_path / "orphan.zarr", cluster
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=1).close()
            break
        except OSError:
            time.sleep(0.1)
    time.sleep(3)  # for the worker to come
    process = command(path, "--replicates", str(REPLICATES), "--scheduler", address)
    wait_for_markers(process, path, 20)
    scheduler.kill()
    _, complaint = process.communicate(timeout=120)
    assert process.returncode == 2, complaint
    assert "went away; run again with --resume" in complaint.splitlines()[-1]
    assert "Traceback" not in complaint
    assert not open_store(path).is_complete
    run(path, "--replicates", str(REPLICATES), "--resume")
    assert chunks(path) == chunks(quiet)


UNREACHABLE = """
import socket, sys, time
from simulations.catalogue import recipe
from simulations.scheduler import existing_cluster
deaf = socket.socket()
deaf.bind(("127.0.0.1", 0))
deaf.listen()
silent = f"tcp://127.0.0.1:{deaf.getsockname()[1]}"
for address in ("tcp://127.0.0.1:9", silent, "127.0.0.1:9", "tcp://127.0.0.1:x", "http://127.0.0.1:9"):
    begun = time.monotonic()
    try:
        with existing_cluster(address, recipe(sys.argv[1]), 0):
            pass
    except ValueError as error:
        print(type(error).__name__, time.monotonic() - begun < 8, error)
"""


def test_a_scheduler_that_is_not_there_or_does_not_answer_is_said_within_ten_seconds():
    """In a process of its own, because Dask replaces the finder of entry points of the process that imports it."""
    line = [sys.executable, "-c", UNREACHABLE, str(STUDY)]
    said = subprocess.run(line, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()
    assert [one.split(" --")[0] for one in said] == ["InputError True"] * 5
    assert "no scheduler answers there (" in said[0]
    assert "no scheduler answers there (it is silent)" in said[1]
    assert all("must be like tcp://HOST:PORT" in one for one in said[2:])


def test_a_worker_with_other_code_says_so(monkeypatch):
    monkeypatch.setattr("simulations.scheduler.numerics", lambda: None)
    made = recipe(str(STUDY))
    order = Order((made.source, made.text, "{}"), "0" * 64, "0" * 64, 0, (0, 0, 5))
    assert compute(order) == "a worker has another version of dkps-theory"
    from simulations.sources import code_digest

    order = Order((made.source, made.text, "{}"), "0" * 64, code_digest(), 0, (0, 0, 5))
    assert compute(order) == "study 'eigenvectors' is another one on a worker"


def test_what_a_worker_imports_to_read_its_orders_does_not_start_jax():
    code = (
        "import simulations.scheduler, simulations.run_command\n"
        "from dkps_theory._numerics import has_started\n"
        "assert not has_started()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
