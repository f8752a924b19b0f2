"""One batch of replicates of one cell: what is drawn, how it is computed, and which of its rows failed.

A batch is the unit of work, of checkpoints and of rounding. It is always computed in full, with the keys that its
replicates have in any run, so that neither the number of replicates nor the place where it runs changes a bit. The
draws of a replicate depend on (seed, study name, stream of the cell, index of the replicate) and on nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np

from dkps_theory._keys import replicate_keys
from dkps_theory._types import Key
from dkps_theory._validate import InputError, require
from simulations.study import Cell, Deferred, Output, Study

#: Replicates of a study that is not compiled are tried, in turn, until one shows the shapes of the outputs.
_TRIES = 20


class Task(NamedTuple):
    """A batch of a cell, by number, of which the first ``size`` replicates are wanted."""

    cell: int
    batch: int
    size: int


class FailedRow(NamedTuple):
    """A replicate that failed: its row in the batch, the method and the reason."""

    row: int
    method: str
    reason: str


@dataclass(frozen=True, eq=False)
class Computed:
    """A finished batch.

    Attributes
    ----------
    task
        Which.
    values
        (size, ...) by output.
    failures
        Rows that failed.
    seconds
        From start to numbers, compilation included.
    platform
        What it was computed on.
    """

    task: Task
    values: dict[str, np.ndarray]
    failures: tuple[FailedRow, ...]
    seconds: float
    platform: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Started:
    """A batch whose numbers may still be on their way."""

    task: Task
    begun: float
    values: Any
    failures: tuple[FailedRow, ...] = ()


@eqx.filter_jit
def _vmapped(call: Any, keys: Key) -> Any:
    """Evaluate a full batch; arrays inside ``call`` are traced, so cells of equal shapes share this code."""
    return jax.vmap(call)(keys)


def _swapped(function: Any, prepared: Any, key: Key) -> Any:
    return function(key, prepared)


def _function(study: Study) -> Any:
    return study.replicate.load() if isinstance(study.replicate, Deferred) else study.replicate


def _call(study: Study, prepared: Any) -> Any:
    return jax.tree_util.Partial(_swapped, jax.tree_util.Partial(_function(study)), prepared)


def batch_keys(study: Study, seed: int, cell: Cell, index: int) -> Key:
    """Return the keys of a whole batch."""
    return replicate_keys(seed, f"{study.name}/{cell.stream}", 0, index * study.batch_size, study.batch_size)


def output_shapes(study: Study, cell: int, prepared: Any, seed: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of every output of a cell, after the axis of replicates, without running a compiled study.

    Raises
    ------
    InputError
        When the replicate function returns other names or axes than the study lists, or does not run.
    """
    where = f"study {study.name!r}, cell {study.cells[cell].name!r}"
    keys = batch_keys(study, seed, study.cells[cell], 0)
    if study.compiled:
        try:
            found = eqx.filter_eval_shape(_vmapped, _call(study, prepared), keys)
        except InputError:
            raise
        except Exception as error:  # a study's own code: whatever it raises is said in one line
            raise InputError(f"{where}: replicate cannot be traced: {_one_line(error)}") from error
        shapes = {name: tuple(value.shape[1:]) for name, value in _named(found, study.outputs, where).items()}
    else:
        shapes = _tried_shapes(study, prepared, keys, where)
    for output in study.outputs:
        shape = shapes[output.name]
        check_axes(study, output, shape, where)
    return shapes


def check_axes(study: Study, output: Output, shape: tuple[int, ...], where: str) -> None:
    """Refuse an array whose axes are not those that the study lists."""
    got, wanted = len(shape), len(output.dims)
    require(
        got == wanted, f"{where}: {output.name!r} has {got} axes after the replicate, the study lists {output.dims}"
    )
    for axis, length in zip(output.dims, shape, strict=True):
        known = study.axes.get(axis)
        fits = known is None or len(known) == length
        require(fits, f"{where}: axis {axis!r} of {output.name!r} has length {length}, the study lists {known}")


def _tried_shapes(study: Study, prepared: Any, keys: Key, where: str) -> dict[str, tuple[int, ...]]:
    reason = ""
    for row in range(min(_TRIES, len(keys))):
        try:
            found = _function(study)(keys[row], prepared)
        except Exception as error:  # noqa: BLE001  (a failed replicate is a row; its reason is kept)
            reason = _one_line(error)
            continue
        return {name: np.shape(value) for name, value in _named(found, study.outputs, where).items()}
    raise InputError(f"{where}: none of the first {min(_TRIES, len(keys))} replicates ran; the last said: {reason}")


def start(study: Study, prepared: Any, task: Task, seed: int, device: Any = None) -> Started:
    """Begin a batch; a compiled one runs on while this process does something else.

    Parameters
    ----------
    study, prepared, task, seed
        What to compute; ``prepared`` belongs to the task's cell and is on ``device`` already.
    device
        One of ``jax.devices()``; None leaves the choice to JAX.
    """
    begun = time.perf_counter()
    keys = batch_keys(study, seed, study.cells[task.cell], task.batch)
    if device is not None:
        keys = jax.device_put(keys, device)
    if study.compiled:
        with _running(study, task):
            return Started(task, begun, _vmapped(_call(study, prepared), keys))
    function, rows, failures = _function(study), [], []
    for row in range(task.size):
        try:
            found = function(keys[row], prepared)
        except Exception as error:  # noqa: BLE001  (a failed replicate is a row, with its reason)
            rows.append({})
            failures.append(FailedRow(row, "replicate", _one_line(error)))
            continue
        rows.append(_named(found, study.outputs, f"replicate of study {study.name!r}"))
    return Started(task, begun, rows, tuple(failures))


def finish(
    study: Study, started: Started, shapes: Mapping[str, tuple[int, ...]], platform: Mapping[str, str]
) -> Computed:
    """Wait for a batch and return its numbers, and its failures: rows with a value that is not finite.

    Parameters
    ----------
    study, started
        As from :func:`start`.
    shapes
        Of the cell's outputs, as from :func:`output_shapes`.
    platform
        What this process computes on.
    """
    task, cell = started.task, study.cells[started.task.cell]
    first = task.batch * study.batch_size
    values: dict[str, np.ndarray] = {}
    failures = list(started.failures)
    raised = {failure.row for failure in failures}
    if study.compiled:
        found = _named(started.values, study.outputs, f"replicate of study {study.name!r}")
        with _running(study, task):
            found = {name: _real(value)[: task.size] for name, value in found.items()}
    else:
        found, unusable = _stacked(study.outputs, started.values, shapes)
        failures += unusable
        raised |= {failure.row for failure in unusable}
    for output in study.outputs:
        kept = task.size if output.first is None else min(task.size, max(0, output.first - first))
        values[output.name] = found[output.name][:kept]
        if output.name not in cell.absent:
            failures += [one for one in _not_finite(study, output, values[output.name]) if one.row not in raised]
    seconds = time.perf_counter() - started.begun
    return Computed(task, values, tuple(dict.fromkeys(failures)), seconds, platform)


@contextmanager
def _running(study: Study, task: Task) -> Iterator[None]:
    """Say in one line what compiled code raises when it runs, at once or when its numbers are asked for."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # whatever a study's own code raises
        where = f"study {study.name!r}, cell {study.cells[task.cell].name!r}, batch {task.batch}"
        raise InputError(f"{where}: replicate does not run: {_one_line(error)}") from error


def _stacked(
    outputs: tuple[Output, ...], rows: list[dict[str, Any]], shapes: Mapping[str, tuple[int, ...]]
) -> tuple[dict[str, np.ndarray], list[FailedRow]]:
    """Stack the results of replicates; one with words or another shape in it has failed."""
    stacked = {output.name: np.full((len(rows), *shapes[output.name]), np.nan) for output in outputs}
    failures = []
    for row, found in enumerate(rows):
        try:
            values = {name: _real(value) for name, value in found.items()}
            for name, value in values.items():
                require(value.shape == shapes[name], f"{name} has shape {value.shape}, others have {shapes[name]}")
        except (TypeError, ValueError) as error:
            failures.append(FailedRow(row, "replicate", _one_line(error)))
            continue
        for name, value in values.items():
            stacked[name][row] = value
    return stacked, failures


def _real(value: Any) -> np.ndarray:
    """Return an array of real numbers; the imaginary part of others is not dropped in silence."""
    array = np.asarray(value)
    if np.iscomplexobj(array):
        raise TypeError("a complex number; return its real and imaginary parts as two outputs")
    return array.astype(np.float64)


def _not_finite(study: Study, output: Output, values: np.ndarray) -> list[FailedRow]:
    """Return a row for each replicate, and each method of it, with a NaN or an infinity."""
    bad = ~np.isfinite(values)
    if not bad.any():
        return []
    if "method" in output.dims and "method" in study.axes:
        at = output.dims.index("method") + 1
        by_method = np.moveaxis(bad, at, 1).reshape(len(bad), bad.shape[at], -1).any(axis=2)
        labels = study.axes["method"]
        return [FailedRow(int(row), str(labels[k]), output.failure) for row, k in np.argwhere(by_method)]
    rows = np.flatnonzero(bad.reshape(len(bad), -1).any(axis=1))
    return [FailedRow(int(row), output.method or output.title, output.failure) for row in rows]


def _named(values: Any, expected: tuple[Output, ...], where: str) -> dict[str, Any]:
    require(isinstance(values, Mapping), f"{where}: must return a dict of arrays, got a {type(values).__name__}")
    missing = sorted({output.name for output in expected} ^ set(values))
    require(not missing, f"{where}: returns other names than the study lists: {', '.join(missing)}")
    return dict(values)


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__
