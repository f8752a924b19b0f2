"""Stores in memory with numbers that a test chose."""

from __future__ import annotations

import numpy as np

from simulations.batches import Started, Task, finish
from simulations.manifest import manifest
from simulations.store import Store
from simulations.store_setup import create_store
from simulations.study import Cell, Output, Study


def unused(key, prepared):
    raise AssertionError("the numbers are planted")


def planted(
    arrays, *, dims, truths=None, truth_dims=None, cells=None, planned=None, path=None, batch_size=10, cap=None, **study
) -> Store:
    """Return a store whose replicates are ``arrays``: for each cell a dict of (b, ...) by output; truths likewise."""
    truths, truth_dims = truths or [{} for _ in arrays], truth_dims or {}
    words = dict.fromkeys(("title", "aims", "data", "estimands", "methods", "performance"), "words")
    made = Study(
        **{"name": "planted", **words, "replicates": 100, "batch_size": batch_size, **study},
        cells=cells or tuple(Cell(f"c{at}") for at in range(len(arrays))),
        outputs=tuple(Output(name, name, axes, "u", first=(cap or {}).get(name)) for name, axes in dims.items()),
        truths=tuple(Output(name, name, axes) for name, axes in truth_dims.items()),
        replicate=unused,
    )
    arrays = [{name: np.asarray(a, dtype=float) for name, a in one.items()} for one in arrays]
    truths = [{name: np.asarray(a, dtype=float) for name, a in one.items()} for one in truths]
    shapes = {name: [one[name].shape[1:] for one in arrays] for name in dims}
    shapes |= {name: [one[name].shape for one in truths] for name in truth_dims}
    counts = [len(next(iter(one.values()))) for one in arrays]
    about = manifest(made, seed=0, planned=planned or counts, shapes=shapes, source={})
    store = create_store(path, about, {name: [one[name] for one in truths] for name in truth_dims})
    for cell, one in enumerate(arrays):
        for index in range(-(-counts[cell] // batch_size)):
            rows = slice(index * batch_size, min((index + 1) * batch_size, counts[cell]))
            task = Task(cell, index, rows.stop - rows.start)
            started = Started(task, 0.0, {name: a[rows] for name, a in one.items()})
            store.write(finish(made, started, {name: of[cell] for name, of in shapes.items()}, {}))
    return store
