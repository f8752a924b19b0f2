"""Outputs of a store in blocks of entries that fit in memory, with truths and other outputs set beside by axis name."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from simulations.store import Store

#: Bytes of one output that are asked of a store at once, as far as single entries allow.
SLAB = 64 * 2**20

_MOST_ENTRIES = 2**16


def applies(store: Store, measure: Mapping[str, Any], cell: int) -> bool:
    """Whether every output that a measure needs exists in a cell."""
    return not {measure[role] for role in ("output", "upper", "against")} & set(store.cells[cell]["absent"])


def at_once(b: int, slab: int) -> int:
    """Return how many entries of ``b`` replicates fit in ``slab`` bytes, and are not too many to list by themselves."""
    return min(slab // (8 * max(1, b)), _MOST_ENTRIES)


def blocks(shape: Sequence[int], entries: int) -> Iterator[tuple[slice, ...]]:
    """Cut an array into blocks of at most so many entries, in order.

    Examples
    --------
    >>> list(blocks((3, 2), 4))
    [(slice(0, 2, None), slice(0, 2, None)), (slice(2, 3, None), slice(0, 2, None))]
    """
    if not shape:
        yield ()
        return
    inner = math.prod(shape[1:])
    if inner > max(entries, 1):
        for at in range(shape[0]):
            for rest in blocks(shape[1:], entries):
                yield (slice(at, at + 1), *rest)
        return
    step = max(1, entries // max(inner, 1))
    for start in range(0, shape[0], step):
        yield (slice(start, min(start + step, shape[0])), *(slice(0, length) for length in shape[1:]))


def slabs(
    store: Store, measure: Mapping[str, Any], cell: int, slab: int
) -> Iterator[tuple[tuple[slice, ...], tuple[np.ndarray, ...]]]:
    """Return what a measure needs of a cell: block by block, its outputs as (b, entries), less the truth if it has one.

    Outputs and truths with fewer axes are repeated along the others. The upper ends of intervals, or the errors of the
    other method, come second. There is nothing where an output does not apply to the cell.
    """
    if not applies(store, measure, cell):
        return
    for block in blocks(store.shape(measure["output"], cell), at_once(len(store.finished(cell)), slab)):
        yield block, _taken(store, measure, cell, block)


def _taken(store: Store, measure: Mapping[str, Any], cell: int, block: tuple[slice, ...]) -> tuple[np.ndarray, ...]:
    """Return one block of :func:`slabs`."""
    dims = tuple(store.outputs[measure["output"]]["dims"])
    lengths = tuple(one.stop - one.start for one in block)
    parts = []
    for name in (measure["output"], measure["upper"], measure["against"]):
        if name is not None:
            own = tuple(store.outputs[name]["dims"])
            found = store.values(name, cell, [block[at] for at in _places(own, dims)])
            parts.append(_along(found, own, dims, leading=1))
    b = min(len(part) for part in parts)
    wide = [np.broadcast_to(part[:b], (b, *lengths)) for part in parts]
    if measure["truth"] is not None and _is_error(measure):
        own = tuple(store.truths[measure["truth"]]["dims"])
        truth = store.truth(measure["truth"], cell)[tuple(block[at] for at in _places(own, dims))]
        centre = _along(np.asarray(truth), own, dims, leading=0)
        wide = [part - centre[None] for part in wide]
    return tuple(part.reshape(b, math.prod(lengths)) for part in wide)


def _is_error(measure: Mapping[str, Any]) -> bool:
    return measure["kind"] in {"bias", "rmse", "rmse_ratio"} or measure["upper"] is not None


def _places(own: tuple[str, ...], dims: tuple[str, ...]) -> list[int]:
    """Return where each of the axes ``own`` stands among ``dims``; equal lists match one to one."""
    return list(range(len(dims))) if own == dims else [dims.index(axis) for axis in own]


def _along(array: np.ndarray, own: tuple[str, ...], dims: tuple[str, ...], *, leading: int) -> np.ndarray:
    """Bring the axes ``own`` into the order of ``dims``, with length 1 for those that are missing."""
    places = _places(own, dims)
    order = sorted(range(len(places)), key=places.__getitem__)
    moved = array.transpose(*range(leading), *(leading + at for at in order))
    kept = iter(moved.shape[leading:])
    lengths = [next(kept) if at in places else 1 for at in range(len(dims))]
    return moved.reshape((*moved.shape[:leading], *lengths))


def entries_of(block: tuple[slice, ...]) -> Iterator[tuple[int, ...]]:
    """Return the entries of a block, in order."""
    for at in np.ndindex(*(one.stop - one.start for one in block)):
        yield tuple(int(one.start + step) for one, step in zip(block, at, strict=True))


def labels_of(store: Store, dims: Sequence[str], entry: tuple[int, ...]) -> dict[str, float | int | str]:
    """Return where an entry stands: the value or label along each axis, or the index."""
    axes = {axis: store.axis(axis) for axis in dims}
    return {axis: at if (known := axes[axis]) is None else known[at] for axis, at in zip(dims, entry, strict=True)}


def one_entry(store: Store, measure: Mapping[str, Any], cell: int, labels: Mapping[str, Any]) -> np.ndarray:
    """Return what a measure needs of one entry, named by its labels: (outputs, b), less the truth if it has one."""
    dims, shape = store.outputs[measure["output"]]["dims"], store.shape(measure["output"], cell)
    places = []
    for axis, length in zip(dims, shape, strict=True):
        known = store.axis(axis)
        places.append(list(range(length) if known is None else known).index(labels[axis]))
    block = tuple(slice(at, at + 1) for at in places)
    return np.stack([part[:, 0] for part in _taken(store, measure, cell, block)])
