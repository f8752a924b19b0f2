"""Run a study: every cell, every replicate, in full batches, into one dataset with its manifest.

The draws of a replicate depend on (seed, study name, cell index, replicate index) and on nothing else. A replicate that
fails shows as NaN; it is kept and counted, never drawn again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import jax
import numpy as np
import xarray as xr

from dkps_theory._numerics import numerics
from dkps_theory._validate import require, whole_number
from dkps_theory.monte_carlo import replicate, replicate_keys
from simulations.fingerprint import platform_fingerprint, versions
from simulations.progress import Advance, silent
from simulations.study import Cell, Deferred, Output, Study

#: Version of the layout of a store.
SCHEMA = 1


def run_study(
    study: Study, *, replicates: int | None = None, seed: int = 0, advance: Advance = silent, pin: bool = True
) -> xr.Dataset:
    """Run every replicate of every cell.

    Parameters
    ----------
    study
        What to run.
    replicates
        Replicates per cell; default the study's own number.
    seed
        A whole number from 0 to 2^32 - 1.
    advance
        Called after every batch, see :mod:`simulations.progress`.
    pin
        Keep BLAS on one thread and JAX's compiled code on disk (:func:`dkps_theory._numerics.numerics`), which
        reproducible bits need. Tests that must leave the process as it was switch it off.

    Returns
    -------
    xarray.Dataset
        Dims (cell, replicate, r, ...); outputs and, without the axis ``replicate``, truths; attributes: the manifest.

    Raises
    ------
    InputError
        When replicates or seed are not whole numbers in range, or a function returns other names than the study lists.
    """
    begun = time.monotonic()
    count = study.replicates if replicates is None else whole_number("replicates", replicates, 1)
    seed = whole_number("seed", seed, 0, 2**32 - 1)
    if pin:
        numerics()
    outputs: list[dict[str, np.ndarray]] = []
    truths: list[dict[str, np.ndarray]] = []
    for index, cell in enumerate(study.cells):
        advance(0, cell.name)
        prepared = study.prepare(cell, study.r_grid)
        truths.append(_named(study.truth(prepared), study.truths, f"truth of study {study.name!r}"))
        outputs.append(_run_cell(study, index, prepared, seed, count, advance))
    data = {output.name: _stack(output, outputs, ("replicate",)) for output in study.outputs}
    data |= {truth.name: _stack(truth, truths, ()) for truth in study.truths}
    coordinates = {"r": study.r_grid, **study.coordinates}
    dataset = xr.Dataset(data, coords={axis: (axis, np.asarray(at, float)) for axis, at in coordinates.items()})
    for output in (*study.outputs, *study.truths):
        dataset[output.name].attrs = {"title": output.title, "unit": output.unit}
    failures = {o.name: [_failed(study.cells[c], o, outputs[c]) for c in range(len(outputs))] for o in study.outputs}
    dataset.attrs = manifest(study, replicates=count, seed=seed) | {
        "failures": failures,
        "seconds": round(time.monotonic() - begun, 3),
    }
    return dataset


def manifest(study: Study, *, replicates: int, seed: int) -> dict[str, Any]:
    """Return everything a reader of a store needs: what was run, on what, and what the study says about itself."""
    return {
        "dkps_theory_store": SCHEMA,
        "study": study.name,
        "seed": seed,
        "replicates": replicates,
        "batch_size": study.batch_size,
        "design_hash": study.design_hash(),
        "versions": versions(),
        "platform": platform_fingerprint(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "title": study.title,
        "aims": study.aims,
        "data": study.data,
        "estimands": study.estimands,
        "methods": study.methods,
        "performance": study.performance,
        "cells": [_described(cell) for cell in study.cells],
        "outputs": [output.name for output in (*study.outputs, *study.truths)],
    }


def _described(cell: Cell) -> dict[str, Any]:
    return {
        "name": cell.name,
        "title": cell.title,
        "factors": {
            key: value.item() if isinstance(value, np.generic) else value for key, value in cell.factors.items()
        },
        "dimension": cell.dimension,
        "convention": cell.convention.label,
        "exponent": cell.convention.exponent,
        "pair": list(cell.pair),
        "rates": {name: float(rate) for name, rate in cell.rates.items()},
        "remark": cell.remark,
    }


def _run_cell(
    study: Study, index: int, prepared: Any, seed: int, count: int, advance: Advance
) -> dict[str, np.ndarray]:
    """Return the stacked outputs of one cell; the pytree of ``prepared`` is traced, so equal shapes share code."""
    function = study.replicate.load() if isinstance(study.replicate, Deferred) else study.replicate
    where = f"replicate of study {study.name!r}"
    call = jax.tree_util.Partial(_swapped, jax.tree_util.Partial(function), prepared)
    parts: list[dict[str, np.ndarray]] = []
    # One batch after the other: XLA's CPU client can wait for itself for ever when two threads run programs at once.
    for start in range(0, count, study.batch_size):
        size = min(study.batch_size, count - start)
        batch = replicate(call, replicate_keys(seed, study.name, index, start, size), study.batch_size)
        named = _named(batch, study.outputs, where)
        parts.append({o.name: named[o.name][: _kept(o, start, size)] for o in study.outputs})
        advance(size, study.cells[index].name)
    return {output.name: np.concatenate([part[output.name] for part in parts]) for output in study.outputs}


def _swapped(function: Any, prepared: Any, key: jax.Array) -> Any:
    return function(key, prepared)


def _kept(output: Output, start: int, size: int) -> int:
    return size if output.first is None else min(size, max(0, output.first - start))


def _named(values: Mapping[str, Any], expected: tuple[Output, ...], where: str) -> dict[str, np.ndarray]:
    missing = sorted({output.name for output in expected} ^ set(values))
    require(not missing, f"{where}: returns other names than the study lists: {', '.join(missing)}")
    return {name: np.asarray(value, dtype=np.float64) for name, value in values.items()}


def _stack(output: Output, cells: list[dict[str, np.ndarray]], leading: tuple[str, ...]) -> tuple[Any, np.ndarray]:
    """Stack the cells' arrays, short axes filled up with NaN."""
    arrays = [cell[output.name] for cell in cells]
    names = ("cell", *leading, *output.dims)
    if output.first is not None and leading:
        names = ("cell", f"first_{output.first}", *output.dims)
    for array in arrays:
        require(array.ndim == len(names) - 1, f"{output.name}: has {array.ndim} axes, the study lists {names[1:]}")
    shape = tuple(max(sizes) for sizes in zip(*(array.shape for array in arrays), strict=True))
    stacked = np.full((len(arrays), *shape), np.nan)
    for index, array in enumerate(arrays):
        stacked[(index, *(slice(size) for size in array.shape))] = array
    return names, stacked


def _failed(cell: Cell, output: Output, outputs: dict[str, np.ndarray]) -> int:
    """Count replicates with a NaN or an infinity in an output that the cell makes a prediction about."""
    if output.name not in cell.rates:
        return 0
    values = outputs[output.name]
    return int((~np.isfinite(values)).reshape(len(values), -1).any(axis=1).sum())
