"""Batches on a Dask cluster: worker processes of this machine, or a cluster that runs already (extra ``cluster``).

A task names a batch; a worker makes the study from its recipe, prepares the cell once, computes the batch and sends the
numbers back; this process writes them. A worker that dies has its batches run again elsewhere. A scheduler that dies
leaves a store to be resumed.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dkps_theory._numerics import numerics
from dkps_theory._validate import InputError, require
from simulations.catalogue import Recipe

if TYPE_CHECKING:
    from simulations.batches import Computed, Task

#: Seconds until a scheduler counts as unreachable.
PATIENCE = 2.5

#: Batches given to each worker before it has finished any: one to compute and one to go on with.
_AHEAD = 2

_ONE_AT_A_TIME = threading.Lock()

#: Workers that a batch may take down before it is given up.
_DEATHS = 3


@dataclass(frozen=True)
class Order:
    """What a worker is told: a study by its recipe, what it must be there, the seed and the batch.

    Plain data: a worker must be able to read it before JAX starts there, which happens with the package's own flags.
    """

    recipe: tuple[str, str | None, str]
    design_hash: str
    code: str
    seed: int
    task: tuple[int, int, int]


@lru_cache(maxsize=4)
def _devices(recipe: tuple[str, str | None, str], seed: int) -> Any:
    """Return what computes batches of a study in a worker, with its prepared cells; kept from batch to batch."""
    import json  # noqa: PLC0415

    import jax  # noqa: PLC0415  (after numerics)

    from simulations.runner import LocalDevices, Prepared  # noqa: PLC0415

    source, text, settings = recipe
    study = Recipe(source, text, json.loads(settings)).study
    return LocalDevices(Prepared(study, seed), jax.local_devices()[:1])


def compute(order: Order) -> Computed | str:
    """Compute a batch in a worker; a line of text says why it cannot.

    One at a time in a process, however many threads the worker has: XLA's CPU client can wait for itself for ever when
    two threads run programs at once.
    """
    with _ONE_AT_A_TIME:
        return _compute(order)


def _compute(order: Order) -> Computed | str:
    numerics()
    from simulations.batches import Task  # noqa: PLC0415  (starts JAX)
    from simulations.sources import code_digest  # noqa: PLC0415

    if code_digest() != order.code:
        return "a worker has another version of dkps-theory"
    try:
        executor = _devices(order.recipe, order.seed)
        if executor.study.design_hash() != order.design_hash:
            return f"study {executor.study.name!r} is another one on a worker"
        return next(iter(executor.run([Task(*order.task)])))
    except InputError as error:
        return str(error)


class Cluster:
    """Computes batches on the workers of a Dask cluster.

    Parameters
    ----------
    client
        A connected ``distributed.Client``.
    recipe, seed
        The study; it must be found under the same name, with the same code, on every worker.
    """

    def __init__(self, client: Any, recipe: Recipe, seed: int) -> None:
        import json  # noqa: PLC0415

        from simulations.sources import code_digest  # noqa: PLC0415

        self._client = client
        self._recipe = (recipe.source, recipe.text, json.dumps(recipe.settings, sort_keys=True))
        self._design_hash, self._code, self._seed = recipe.study.design_hash(), code_digest(), seed

    def run(self, tasks: Iterable[Task]) -> Iterator[Computed]:
        """Yield batches as they get done.

        Raises
        ------
        InputError
            When a worker cannot compute a batch, when a batch takes down one worker after another, or when the
            scheduler goes away; what was written before stays.
        """
        from distributed import CancelledError, KilledWorker, as_completed  # noqa: PLC0415

        waiting = iter(tasks)
        done = as_completed(loop=self._client.loop)
        under_way = 0
        try:
            while True:
                while under_way < self._room() and (task := next(waiting, None)) is not None:
                    order = Order(
                        self._recipe, self._design_hash, self._code, self._seed, (task.cell, task.batch, task.size)
                    )
                    done.add(self._client.submit(compute, order, pure=False))
                    under_way += 1
                if not under_way:
                    return
                future = next(done)
                under_way -= 1
                computed = future.result()
                future.release()
                if isinstance(computed, str):
                    raise InputError(f"cluster: {computed}")
                yield computed
        except KilledWorker as error:
            raise InputError(
                f"cluster: a batch took down {_DEATHS} workers, one after another ({error.task})"
            ) from error
        except (CancelledError, OSError, TimeoutError, StopIteration, asyncio.CancelledError) as error:
            where = self._client.scheduler.address if self._client.scheduler else "the scheduler"
            raise InputError(f"cluster: {where} went away; run again with --resume") from error

    def _room(self) -> int:
        """Return how many batches may be under way: a few for each worker, at least one."""
        return max(1, _AHEAD * len(self._client.scheduler_info(n_workers=-1)["workers"]))


@contextmanager
def local_cluster(workers: int, recipe: Recipe, seed: int) -> Iterator[Cluster]:
    """Start worker processes on this machine, spawned and never forked, one thread each, reached by loopback only."""
    dask, distributed = _distributed()
    numerics()  # sets the environment that the workers inherit
    settings = {
        "distributed.worker.multiprocessing-method": "spawn",
        "distributed.scheduler.allowed-failures": _DEATHS,
        "distributed.worker.memory.target": False,
        "distributed.worker.memory.spill": False,
        "distributed.worker.memory.pause": False,
        "distributed.worker.memory.terminate": False,
    }
    with _quiet(), dask.config.set(settings):
        with _interrupts_ignored():
            cluster = distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address=None,
                memory_limit=0,
                silence_logs=50,
            )
        with cluster, distributed.Client(cluster, set_as_default=False) as client:
            yield Cluster(client, recipe, seed)


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Start processes that do not hear Ctrl-C, which is for this process; it stops them itself."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def existing_cluster(address: str, recipe: Recipe, seed: int) -> Iterator[Cluster]:
    """Connect to a scheduler.

    Raises
    ------
    InputError
        When the address is none, nothing answers there in time, or it has no workers.
    """
    scheme, _, place = address.partition("://")
    host, _, port = place.rpartition(":")
    fits = scheme in {"tcp", "tls"} and bool(host) and port.isdecimal()
    require(fits, f"--scheduler {address}: must be like tcp://HOST:PORT")
    _, distributed = _distributed()
    _knock(address, host.strip("[]"), int(port))
    with _quiet(), distributed.Client(address, timeout=PATIENCE, set_as_default=False) as client:
        try:
            client.wait_for_workers(1, timeout=2 * PATIENCE)
        except TimeoutError as error:
            raise InputError(f"--scheduler {address}: has no workers; start some, and run again") from error
        yield Cluster(client, recipe, seed)


def _knock(address: str, host: str, port: int) -> None:
    """Refuse an address where no scheduler answers; a Dask client would wait there for ever.

    A closed door is noticed at once, a door that opens on silence or on something else within seconds.
    """
    from distributed.comm.core import connect  # noqa: PLC0415

    async def greet() -> None:
        comm = await asyncio.wait_for(connect(address, timeout=PATIENCE), PATIENCE)
        await comm.close()

    try:
        socket.create_connection((host, port), timeout=PATIENCE).close()
        asyncio.run(greet())
    except Exception as error:  # whatever a stranger answers
        reason = str(error) or "it is silent"
        raise InputError(f"--scheduler {address}: no scheduler answers there ({reason})") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask from writing what it logs about lost connections; what matters is raised, in one line."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _distributed() -> tuple[Any, Any]:
    try:
        import dask  # noqa: PLC0415
        import distributed  # noqa: PLC0415
    except ImportError as error:
        raise InputError(
            "--workers and --scheduler need the extra cluster: pip install 'dkps-theory[cluster]'"
        ) from error
    return dask, distributed
