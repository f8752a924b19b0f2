"""Stores of study results: Zarr, read through xarray, written batch by batch, each batch whole or not at all.

Layout: one array (cell, replicate, ...) for each output, in chunks of one batch of one cell; one array (cell, ...) for
each truth; the manifest as attributes; and the group ``markers``, with a small JSON file for each finished batch. A
batch counts once its marker is there. The marker is renamed into place after every array of the batch is written, so a
process that dies leaves at worst numbers without a marker: readers do not look at them, and a later run replaces them.
One run writes at a time; it holds a lock that the system drops when the process ends, however it ends.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import filelock
import numpy as np
import xarray as xr
import zarr
from zarr.core.sync import sync

from dkps_theory._validate import InputError, require
from simulations.batches import Computed, Task
from simulations.manifest import SCHEMA

#: The group of the markers.
MARKERS = "markers"


class Failure(NamedTuple):
    """A replicate that failed."""

    cell: str
    replicate: int
    method: str
    reason: str


@dataclass(frozen=True)
class Marker:
    """What is kept of a finished batch beside its numbers."""

    size: int
    seconds: float
    failures: tuple[tuple[int, str, str], ...]
    platform: Mapping[str, str]


class Store:
    """Results of a study, finished or not.

    Opened for reading by :func:`open_store`, for writing by :mod:`simulations.store_setup`.

    Attributes
    ----------
    path
        Its folder; None in memory.
    manifest
        What was run, on what, and what the study says about itself.
    """

    def __init__(self, group: zarr.Group, path: Path | None) -> None:
        self.path = path
        self.manifest: dict[str, Any] = dict(group.attrs)
        version = self.manifest.get("dkps_theory_store")
        require(version == SCHEMA, f"{path}: has layout {version}; this version reads layout {SCHEMA}")
        lacking = sorted({"planned", "cells", "outputs", "truths", "shapes", "axes", "batch_size"} - set(self.manifest))
        require(not lacking, f"{path}: is damaged, its manifest lacks {', '.join(lacking)}")
        self._group = group
        self._arrays: dict[str, Any] = {}
        self._by_cell: dict[int, dict[int, Marker]] = {}
        self._whole: set[tuple[str, int]] = set()
        self.lock: filelock.BaseFileLock | None = None
        if path is not None:
            self._read_markers(path / MARKERS)

    # Reading

    @property
    def cells(self) -> list[dict[str, Any]]:
        """The cells, in order, as the manifest describes them."""
        return self.manifest["cells"]

    @property
    def outputs(self) -> dict[str, dict[str, Any]]:
        """The outputs by name."""
        return {output["name"]: output for output in self.manifest["outputs"]}

    @property
    def truths(self) -> dict[str, dict[str, Any]]:
        """The truths by name."""
        return {truth["name"]: truth for truth in self.manifest["truths"]}

    @property
    def dataset(self) -> xr.Dataset:
        """Everything as an :class:`xarray.Dataset` that reads from disk when it is asked; unfinished rows are NaN."""
        dataset = xr.open_zarr(self._group.store, chunks=None, consolidated=False)  # pyright: ignore[reportArgumentType]
        labels: dict[str, Any] = {axis: v for axis, v in self.manifest["axes"].items() if isinstance(v[0], str)}
        labels = {axis: values for axis, values in labels.items() if axis in dataset.dims}
        return dataset.assign_coords({"cell": [cell["name"] for cell in self.cells], **labels})

    def axis(self, name: str) -> tuple[Any, ...] | None:
        """Return the values or labels along an axis inside a replicate; None when the study lists none."""
        values = self.manifest["axes"].get(name)
        return None if values is None else tuple(values)

    def finished(self, cell: int) -> np.ndarray:
        """Return the replicates of a cell whose batch is marked, ascending."""
        rows = [np.arange(size) + start for start, size in self._runs(cell)]
        return np.concatenate(rows) if rows else np.arange(0)

    def shape(self, output: str, cell: int) -> tuple[int, ...]:
        """Return the shape of an output or truth in a cell, without the axis of replicates."""
        return tuple(self.manifest["shapes"][output][cell])

    def values(self, output: str, cell: int, entries: Sequence[int | slice] = ()) -> np.ndarray:
        """Return the finished replicates of an output in a cell, in order.

        Parameters
        ----------
        output, cell
            Name and index.
        entries
            What to take along the axes after ``replicate``; less than the whole reads less.

        Returns
        -------
        (b, ...) with b at most the ``first`` of the output, where it has one.
        """
        shape = self.shape(output, cell)
        taken = tuple(entries) + tuple(slice(None) for _ in range(len(shape) - len(entries)))
        # The cell's own part of the array: shorter axes are filled up with NaN in the store.
        taken = tuple(
            range(length)[one] if isinstance(one, int) else slice(*one.indices(length))
            for one, length in zip(taken, shape, strict=True)
        )
        self._check_chunks(output, cell)
        most = self.outputs[output]["first"]
        parts = []
        for start, size in self._runs(cell):
            stop = start + size if most is None else min(start + size, most)
            if stop > start:
                parts.append(self._read(output, cell, (cell, slice(start, stop), *taken)))
        if not parts:
            sizes = [
                len(range(*one.indices(length)))
                for one, length in zip(taken, shape, strict=True)
                if isinstance(one, slice)
            ]
            return np.empty((0, *sizes))
        return np.concatenate(parts)

    def truth(self, name: str, cell: int) -> np.ndarray:
        """Return a truth of a cell."""
        return self._read(name, cell, (cell, *(slice(length) for length in self.shape(name, cell))))

    def failures(self) -> list[Failure]:
        """Return every failed replicate with its reason, by cell and replicate."""
        size = self.manifest["batch_size"]
        return [
            Failure(self.cells[cell]["name"], index * size + row, method, reason)
            for cell, markers in sorted(self._by_cell.items())
            for index, marker in sorted(markers.items())
            for row, method, reason in sorted(marker.failures)
        ]

    @property
    def is_complete(self) -> bool:
        """Whether every planned replicate is there."""
        return all(len(self.finished(cell)) >= count for cell, count in enumerate(self.manifest["planned"]))

    @property
    def seconds(self) -> float:
        """Time spent on batches, of all processes together."""
        return sum(marker.seconds for markers in self._by_cell.values() for marker in markers.values())

    @property
    def platforms(self) -> list[dict[str, str]]:
        """What the batches were made on, each once; one platform has one set of bits."""
        every = (marker.platform for markers in self._by_cell.values() for marker in markers.values())
        found = {json.dumps(platform, sort_keys=True): dict(platform) for platform in every}
        return list(found.values()) or [self.manifest["platform"]]

    # Writing

    def is_marked(self, task: Task) -> bool:
        """Whether a batch is there, with at least the wanted replicates."""
        marker = self._by_cell.get(task.cell, {}).get(task.batch)
        return marker is not None and marker.size >= task.size

    def plan(self, planned: Sequence[int]) -> None:
        """Make room for so many replicates of each cell; plans never shrink."""
        planned = [max(pair) for pair in zip(planned, self.manifest["planned"], strict=True)]
        for output in self.outputs.values():
            array = self._array(output["name"])
            if output["first"] is None and array.shape[1] < max(planned):
                array.resize((array.shape[0], max(planned), *array.shape[2:]))
        if planned != self.manifest["planned"]:
            self.manifest["planned"] = planned
            self._group.attrs["planned"] = planned

    def write(self, batch: Computed) -> None:
        """Write a batch, and then its marker.

        Raises
        ------
        OSError
            When the disk is full, for example; the batch does not count then, and all others do.
        """
        task = batch.task
        start = task.batch * self.manifest["batch_size"]
        parts = []
        for name, values in batch.values.items():
            if len(values):
                own = tuple(slice(length) for length in values.shape[1:])
                parts.append((self._array(name), (task.cell, slice(start, start + len(values)), *own), values))
        sync(_write_together(parts))  # on Zarr's own event loop, as its own calls do
        failures = tuple((failed.row, failed.method, failed.reason) for failed in batch.failures)
        marker = Marker(task.size, round(batch.seconds, 6), failures, dict(batch.platform))
        if self.path is not None:
            document = {"size": marker.size, "seconds": marker.seconds, "failures": marker.failures}
            if marker.platform != self.manifest["platform"]:
                document["platform"] = marker.platform
            _put(self.path / MARKERS / f"{task.cell}.{task.batch}.json", json.dumps(document))
        self._by_cell.setdefault(task.cell, {})[task.batch] = marker

    def close(self) -> None:
        """Let another run write to it."""
        if self.lock is not None:
            self.lock.release()
            self.lock = None

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _runs(self, cell: int) -> list[tuple[int, int]]:
        """Return (first replicate, how many) of the finished stretches of a cell."""
        batch_size = self.manifest["batch_size"]
        runs: list[tuple[int, int]] = []
        markers = self._by_cell.get(cell, {})
        for index in sorted(markers):
            start, size = index * batch_size, markers[index].size
            if runs and sum(runs[-1]) == start:
                runs[-1] = (runs[-1][0], runs[-1][1] + size)
            else:
                runs.append((start, size))
        return runs

    def _read(self, name: str, cell: int, taken: tuple[Any, ...]) -> np.ndarray:
        try:
            return np.asarray(self._array(name)[taken])
        except (RuntimeError, ValueError, OSError) as error:  # what Zarr's codecs raise on a wrong checksum
            of = f"{name!r} of cell {self.cells[cell]['name']!r}"
            raise InputError(f"{self.path}: {of} is damaged ({error}); run the study again with --overwrite") from error

    def _check_chunks(self, output: str, cell: int) -> None:
        """Refuse a store in which a marked batch has lost its chunk: it would read as NaN, that is, as failures."""
        about, size = self.outputs[output], self.manifest["batch_size"]
        if self.path is None or (output, cell) in self._whole or 0 in self.shape(output, cell):
            return
        zeros = ["0"] * len(about["dims"])
        for index in self._by_cell.get(cell, {}):
            if about["first"] is None or index * size < about["first"]:
                chunk = self.path.joinpath(output, "c", str(cell), str(index), *zeros)
                if not chunk.is_file():
                    marker = self.path / MARKERS / f"{cell}.{index}.json"
                    raise InputError(f"{chunk}: is lost; remove {marker}, and --resume runs its batch again")
        self._whole.add((output, cell))

    def check(self, name: str) -> None:
        """Raise what Zarr raises when an array is not there or its description cannot be read."""
        self._array(name)

    def _array(self, name: str) -> Any:
        if name not in self._arrays:
            # A batch of NaN is a chunk like any other, so that a chunk that is missing is one that was lost.
            with zarr.config.set({"array.write_empty_chunks": True}):
                self._arrays[name] = self._group[name]
        return self._arrays[name]

    def _read_markers(self, folder: Path) -> None:
        for path in folder.glob("*.json"):
            cell, _, index = path.name.removesuffix(".json").partition(".")
            if not (cell.isdecimal() and index.isdecimal()):
                continue  # the group's own zarr.json
            try:
                found = json.loads(path.read_text(encoding="utf-8"))
                failures = tuple((int(row), str(method), str(reason)) for row, method, reason in found["failures"])
                platform = found.get("platform", self.manifest["platform"])
                marker = Marker(int(found["size"]), float(found["seconds"]), failures, platform)
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise InputError(f"{path}: is damaged ({error}); remove it, and its batch is run again") from error
            known = int(cell) < len(self.manifest["cells"])
            require(known, f"{path}: belongs to no cell of this store; remove it")
            self._by_cell.setdefault(int(cell), {})[int(index)] = marker


def open_store(path: str | Path) -> Store:
    """Open a store for reading; one that is being written may be read too.

    Raises
    ------
    InputError
        When there is no such folder, it is no store of results, or it has another layout.
    """
    path = Path(path)
    require(path.exists(), f"{path}: no such folder")
    require(is_store(path), f"{path}: is no store of study results (written by `dkps-theory simulate`)")
    try:
        store = Store(zarr.open_group(path, mode="r", zarr_format=3), path)
        for name in (*store.outputs, *store.truths):
            store.check(name)
    except InputError:
        raise
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"{path}: is damaged and cannot be read ({error})") from error
    return store


async def _write_together(parts: list[tuple[Any, tuple[Any, ...], np.ndarray]]) -> None:
    """Write parts of several arrays at the same time, which takes half as long as one after the other."""
    await asyncio.gather(*(array.async_array.setitem(place, values) for array, place, values in parts))


def _put(path: Path, text: str) -> None:
    """Write a small file and rename it into place."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def is_store(path: Path) -> bool:
    """Look for the mark in the group's own attributes, without opening any array."""
    try:
        return '"dkps_theory_store"' in (path / "zarr.json").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
