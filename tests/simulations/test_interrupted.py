"""Runs in processes of their own: killed and resumed, on one device or two, all with the bytes of one quiet run."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from simulations.store import open_store
from tests.simulations.processes import REPLICATES, STUDY, chunks, command, markers, run, wait_for_markers


def kill_again_and_again(path, times, seed):
    """Kill a run ``times`` times, at a random moment after its first new batch or, every fourth, after its start."""
    chance, kills, kept = random.Random(seed), 0, {}
    while kills < times:
        process = command(path, "--replicates", str(REPLICATES), "--resume")
        if kills % 4 == 3:
            time.sleep(chance.uniform(0.0, 3.0))
        else:
            wait_for_markers(process, path, len(kept) + 1)
            time.sleep(chance.uniform(0.0, 0.15))
        if process.poll() is not None:
            return kills, kept
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        kills += 1
        now = markers(path)
        assert kept.items() <= now.items(), "a marked batch was computed again"
        kept = now
    return kills, kept


@pytest.mark.parametrize("times", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_at_random_moments_and_resumed_it_has_the_same_bytes(tmp_path, quiet, times):
    path = tmp_path / "killed.zarr"
    kills, kept = kill_again_and_again(path, times, seed=times)
    assert kills == times, "it was done before it was killed often enough"
    assert 0 < len(kept) < len(markers(quiet))
    run(path, "--replicates", str(REPLICATES), "--resume")
    assert kept.items() <= markers(path).items(), "a marked batch was computed again"
    assert chunks(path) == chunks(quiet)
    assert open_store(path).failures() == open_store(quiet).failures()
    assert [child.name for child in tmp_path.iterdir()] == ["killed.zarr"]


TWO_DEVICES = """
import sys
from pathlib import Path
from dkps_theory._numerics import numerics
from simulations import runner
from simulations.catalogue import recipe
numerics()
chosen = recipe(sys.argv[1])
prepared = runner.Prepared(chosen.study, 0)
used, start = [], runner.start
def spy(study, ready, task, seed, device):
    began = start(study, ready, task, seed, device)
    used.append({str(one) for one in began.values["turned"].devices()})
    return began
runner.start = spy
with runner.begin(prepared, Path(sys.argv[2]), planned=[int(sys.argv[3])] * 3) as store:
    runner.carry_out(store, runner.LocalDevices(prepared))
print(len(used), used[:3], used[0] != used[1])
"""


def test_two_devices_take_whole_batches_in_turn_and_change_no_bit(tmp_path, quiet):
    path = tmp_path / "two.zarr"
    flags = "--xla_backend_optimization_level=1 --xla_force_host_platform_device_count=2"
    line = [sys.executable, "-c", TWO_DEVICES, str(STUDY), str(path), str(REPLICATES)]
    environment = os.environ | {"XLA_FLAGS": flags}
    done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "180 [{'cpu:0'}, {'cpu:1'}, {'cpu:0'}] True"
    assert chunks(path) == chunks(quiet)


def test_threads_that_the_environment_asks_for_change_no_bit(tmp_path, quiet):
    """Eigenvectors of 150 x 150 matrices round differently on two BLAS threads, the default on two cores."""
    path = tmp_path / "threads.zarr"
    run(path, "--replicates", str(REPLICATES), OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    assert chunks(path) == chunks(quiet)


def test_an_interrupt_leaves_a_store_that_is_resumed(tmp_path, quiet):
    path = tmp_path / "stopped.zarr"
    process = command(path, "--replicates", str(REPLICATES))
    wait_for_markers(process, path, 3)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "go on with --resume" in complaint
    assert "Traceback" not in complaint
    assert not open_store(path).is_complete
    run(path, "--resume", "--replicates", str(REPLICATES))
    assert chunks(path) == chunks(quiet)


def test_max_time_stops_in_good_order(tmp_path, quiet):
    path = tmp_path / "short.zarr"
    said, _ = run(path, "--replicates", "100000", "--max-time", "3s")
    assert "stopped after --max-time 3s, as asked; go on with --resume" in said
    store = open_store(path)
    counts = [len(store.finished(cell)) for cell in range(3)]
    assert not store.is_complete
    assert max(counts) - min(counts) <= 5, "all cells are about equally far"
    # What is there is what a longer or shorter run has.
    both = min(counts[1], REPLICATES)
    assert (store.values("turned", 1)[:both] == open_store(quiet).values("turned", 1)[:both]).all()
