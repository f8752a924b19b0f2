"""Run a study: every cell, every replicate, batch by batch, into a store that a later run can go on with.

Batches are computed in rounds, one of every cell at a time, so that whatever ends a run early leaves all cells about
equally far. Who computes them is an executor: this process (:class:`LocalDevices`) or a cluster
(:mod:`simulations.scheduler`). The store is written by this process alone.
"""

from __future__ import annotations

import json
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import jax
import numpy as np

from dkps_theory._numerics import numerics
from dkps_theory._validate import InputError, require, whole_number
from simulations.batches import Computed, Started, Task, check_axes, finish, output_shapes, start
from simulations.catalogue import Recipe
from simulations.fingerprint import platform_fingerprint
from simulations.manifest import manifest, same_run
from simulations.progress import Advance, silent
from simulations.stopping import Until, next_look
from simulations.store import Store, open_store
from simulations.store_setup import create_store, resume_store
from simulations.study import FEWEST_REPLICATES, Study


@runtime_checkable
class Executor(Protocol):
    """Computes batches."""

    def run(self, tasks: Iterable[Task]) -> Iterator[Computed]:
        """Yield the batches of ``tasks`` in whatever order they get done; tasks are taken as there is room."""
        ...


class Prepared:
    """What the cells of a study are prepared to, each made once, when it is first asked for."""

    def __init__(self, study: Study, seed: int) -> None:
        self.study, self.seed = study, seed
        self._made: dict[int, Any] = {}
        self._shapes: dict[int, dict[str, tuple[int, ...]]] = {}

    def __getitem__(self, cell: int) -> Any:
        if cell not in self._made:
            with self._own_code(cell, "prepare"):
                self._made[cell] = self.study.prepare(self.study.cells[cell], self.study.axes)
        return self._made[cell]

    @contextmanager
    def _own_code(self, cell: int, what: str) -> Iterator[None]:
        """Say in one line what a study's own function raises."""
        try:
            yield
        except InputError:
            raise
        except Exception as error:  # whatever it is
            where = f"study {self.study.name!r}, cell {self.study.cells[cell].name!r}"
            raise InputError(f"{where}: {what} does not run: {type(error).__name__}: {error}") from error

    def shapes(self, cell: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the outputs of a cell."""
        if cell not in self._shapes:
            self._shapes[cell] = output_shapes(self.study, cell, self[cell], self.seed)
        return self._shapes[cell]

    def truths(self, cell: int) -> dict[str, np.ndarray]:
        """Return the truths of a cell, checked against the study's list."""
        where = f"study {self.study.name!r}, cell {self.study.cells[cell].name!r}"
        ready = self[cell]
        with self._own_code(cell, "truth"):
            found = self.study.truth(ready)
        wrong = sorted({truth.name for truth in self.study.truths} ^ set(found))
        require(not wrong, f"{where}: truth returns other names than the study lists: {', '.join(wrong)}")
        values = {name: np.asarray(value, dtype=np.float64) for name, value in found.items()}
        for truth in self.study.truths:
            check_axes(self.study, truth, values[truth.name].shape, where)
        return values


class LocalDevices:
    """Computes batches in this process, whole batches on each local device in turn.

    One batch is under way on each device while the one before it is written. All of it happens in one thread: XLA's
    CPU client can wait for itself for ever when two threads run programs at once.

    Parameters
    ----------
    prepared
        The study's prepared cells.
    devices
        Default all of JAX's local devices.
    """

    def __init__(self, prepared: Prepared, devices: Sequence[Any] | None = None) -> None:
        self.study = prepared.study
        self._prepared = prepared
        self._devices = list(jax.local_devices() if devices is None else devices)
        self._placed: dict[tuple[int, int], Any] = {}
        self._platform = platform_fingerprint()

    def run(self, tasks: Iterable[Task]) -> Iterator[Computed]:
        """Yield the batches in the order of ``tasks``."""
        under_way: deque[Started] = deque()
        for turn, task in enumerate(tasks):
            done = self._finish(under_way.popleft()) if len(under_way) == len(self._devices) else None
            at = turn % len(self._devices)
            under_way.append(start(self.study, self._on(task.cell, at), task, self._prepared.seed, self._devices[at]))
            if done is not None:
                yield done
        while under_way:
            yield self._finish(under_way.popleft())

    def _on(self, cell: int, at: int) -> Any:
        """Return a prepared cell with its arrays on a device."""
        if (cell, at) not in self._placed:
            device = self._devices[at]
            self._placed[cell, at] = jax.tree.map(
                lambda leaf: jax.device_put(leaf, device) if isinstance(leaf, jax.Array) else leaf, self._prepared[cell]
            )
        return self._placed[cell, at]

    def _finish(self, started: Started) -> Computed:
        return finish(self.study, started, self._prepared.shapes(started.task.cell), self._platform)


def run_study(
    study: Study, *, replicates: int | None = None, seed: int = 0, advance: Advance = silent, pin: bool = True
) -> Store:
    """Run every replicate of every cell, in this process, into a store in memory.

    Parameters
    ----------
    study
        What to run.
    replicates
        Replicates per cell, at least 2; default the study's own number.
    seed
        A whole number from 0 to 2^32 - 1.
    advance
        Called after every batch, see :mod:`simulations.progress`.
    pin
        Keep BLAS on one thread and JAX's compiled code on disk (:func:`dkps_theory._numerics.numerics`), which
        reproducible bits need. Tests that must leave the process as it was switch it off.

    Raises
    ------
    InputError
        When replicates or seed are not whole numbers in range, or a function returns other names than the study lists.
    """
    if pin:
        numerics()
    count = study.replicates if replicates is None else replicates
    prepared = Prepared(study, whole_number("seed", seed, 0, 2**32 - 1))
    store = begin(prepared, None, planned=[count] * len(study.cells))
    carry_out(store, LocalDevices(prepared), advance=advance)
    return store


def begin(
    prepared: Prepared,
    path: Path | None,
    *,
    planned: Sequence[int] | None,
    source: Recipe | None = None,
    overwrite: bool = False,
    resume: bool = False,
) -> Store:
    """Make a store for a run, or open the one that is there to go on with it.

    Parameters
    ----------
    prepared, planned
        The study, and the replicates wanted of each cell; None: as planned in the store that is there, or the study's
        own number.
    path
        A folder that :func:`simulations.store_setup.check_target` let pass; None for a store in memory.
    source
        How the study was made, for replaying replicates from the store alone.
    overwrite, resume
        What to do with a store that is there.
    """
    study = prepared.study
    wanted = [study.replicates] * len(study.cells) if planned is None else list(planned)
    for count in wanted:
        whole_number("replicates", count, FEWEST_REPLICATES, 2**32 - 1)
    recipe = {"source": study.name, "text": None, "settings": {}} if source is None else vars(source)
    recipe = {name: recipe[name] for name in ("source", "text", "settings")}
    if resume and path is not None and path.exists():
        store = resume_store(path, manifest(study, seed=prepared.seed, planned=wanted, source=recipe))
        if planned is not None:
            store.plan(planned)
        return store
    cells = range(len(study.cells))
    shapes = [prepared.shapes(cell) for cell in cells]
    truths = [prepared.truths(cell) for cell in cells]
    by_name = {output.name: [shapes[cell][output.name] for cell in cells] for output in study.outputs}
    by_name |= {truth.name: [truths[cell][truth.name].shape for cell in cells] for truth in study.truths}
    about = manifest(study, seed=prepared.seed, planned=wanted, source=recipe, shapes=by_name)
    return create_store(
        path, about, {t.name: [truths[c][t.name] for c in cells] for t in study.truths}, overwrite=overwrite
    )


def missing(store: Store) -> list[Task]:
    """Return the batches that a store still lacks, in rounds: one of every cell at a time."""
    size, planned = store.manifest["batch_size"], store.manifest["planned"]
    tasks: list[Task] = []
    for index in range(math.ceil(max(planned) / size)):
        for cell, count in enumerate(planned):
            wanted = min(size, count - index * size)
            if wanted > 0 and not store.is_marked(task := Task(cell, index, wanted)):
                tasks.append(task)
    return tasks


def unwatched(_batch: Computed) -> None:
    """Take no note of a batch."""


def carry_out(
    store: Store,
    executor: Executor,
    *,
    advance: Advance = silent,
    watch: Callable[[Computed], None] = unwatched,
    until: Until | None = None,
    deadline: float = math.inf,
) -> bool:
    """Compute what a store lacks, and write it.

    Parameters
    ----------
    store, executor
        Where to, and who computes.
    advance, watch
        Called after every batch, with the number of replicates and with the batch itself.
    until
        Go on, cell by cell, until the target measure is known well enough; see :mod:`simulations.stopping`.
    deadline
        No batch is begun after this value of ``time.monotonic()``; those under way are finished.

    Returns
    -------
    Whether everything asked for was done; False when the deadline came first.

    Raises
    ------
    InputError
        When the store cannot be written any more; what is marked stays.
    """
    while True:
        tasks = missing(store)
        for batch in _written(store, executor.run(_in_time(tasks, deadline))):
            watch(batch)
            advance(batch.task.size, store.cells[batch.task.cell]["name"])
        if any(not store.is_marked(task) for task in tasks):
            return False
        more = None if until is None else next_look(store, until)
        if more is None:
            return True
        if time.monotonic() >= deadline:
            return False
        store.plan(more)


def _written(store: Store, batches: Iterable[Computed]) -> Iterator[Computed]:
    """Yield batches once they are in the store; one is written while the next one is computed.

    The thread that writes runs no program of XLA's.
    """
    with ThreadPoolExecutor(1) as writer:
        under_way: tuple[Computed, Future[None]] | None = None
        for batch in batches:
            done, under_way = under_way, (batch, writer.submit(store.write, batch))
            if done is not None:
                yield _checked(store, *done)
        if under_way is not None:
            yield _checked(store, *under_way)


def _checked(store: Store, batch: Computed, writing: Future[None]) -> Computed:
    try:
        writing.result()
    except OSError as error:
        raise InputError(
            f"{store.path}: could not be written ({error.strerror or error}); what is finished is safe: make room, "
            "and run again with --resume"
        ) from error
    return batch


def _in_time(tasks: Iterable[Task], deadline: float) -> Iterator[Task]:
    for task in tasks:
        if time.monotonic() >= deadline:
            return
        yield task


def replay(path: str | Path, cell: str, replicate: int) -> dict[str, np.ndarray]:
    """Return the outputs of one replicate of a store, computed again: all of its batch is, so the bits are the same.

    Parameters
    ----------
    path
        A store; it keeps how its study was made.
    cell
        Name of the cell.
    replicate
        Index of the replicate, finished or not.

    Raises
    ------
    InputError
        When there is no such store or cell, or the study cannot be made, or is another one by now.
    """
    numerics()
    store = open_store(path)
    names = [one["name"] for one in store.cells]
    require(cell in names, f"{path}: has no cell {cell!r}; known: {', '.join(names)}")
    replicate = whole_number("replicate", replicate, 0, 2**32 - 1)
    recipe = Recipe(**store.manifest["source"])
    now = manifest(recipe.study, seed=store.manifest["seed"], planned=[], source=store.manifest["source"])
    same_run(str(path), store.manifest, json.loads(json.dumps(now)))
    prepared = Prepared(recipe.study, store.manifest["seed"])
    index, row = divmod(replicate, recipe.study.batch_size)
    task = Task(names.index(cell), index, recipe.study.batch_size)
    batch = next(iter(LocalDevices(prepared, jax.local_devices()[:1]).run([task])))
    for failed in batch.failures:
        if failed.row == row:
            print(f"{failed.method}: {failed.reason}")
    return {name: values[row] for name, values in batch.values.items() if row < len(values)}
