"""Making a store, going on with one, and the lock that keeps two runs apart."""

from __future__ import annotations

import glob
import json
import shutil
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import zarr
from zarr.codecs import ZstdCodec
from zarr.storage import MemoryStore

from dkps_theory._validate import InputError, require
from simulations.manifest import same_run
from simulations.store import MARKERS, Store, is_store, open_store


def check_target(path: str | Path, *, overwrite: bool = False, resume: bool = False) -> Path:
    """Return the path of a store to be written, or refuse before anything is computed.

    Raises
    ------
    InputError
        When something is there already and neither ``overwrite`` nor ``resume`` is asked for, when it is no store of
        results, or when the folder cannot be written.
    """
    path = Path(path)
    require(path.name not in {"", ".."}, f"{path}: is no name of a store; give a folder to make, such as results.zarr")
    require(not (overwrite and resume), "--overwrite and --resume: choose one")
    path = path.resolve()  # a link is followed, so that what it points to is replaced and not the link
    if path.parent.is_dir():
        _sweep(path)
    if path.exists():
        require(
            overwrite or resume,
            f"{path}: exists already; --resume goes on with it, --overwrite replaces it, or choose another --out",
        )
        require(is_store(path), f"{path}: is no store of study results, so it is left as it is")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        probe = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
        probe.mkdir()
        probe.rmdir()
    except OSError as error:
        raise InputError(f"{path}: the folder cannot be written ({error.strerror})") from error
    return path


def create_store(
    path: Path | None, manifest: Mapping[str, Any], truths: Mapping[str, list[np.ndarray]], *, overwrite: bool = False
) -> Store:
    """Make an empty store with its truths, and hold its lock; ``path`` None makes one in memory.

    The folder appears in one step, complete; with ``overwrite`` it takes the place of another store then.

    Raises
    ------
    InputError
        When the place is taken, another run writes there, or it cannot be written.
    """
    if path is None:
        group = zarr.open_group(MemoryStore(), mode="w", zarr_format=3)
        _fill(group, manifest, truths)
        return Store(group, None)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    old = part.with_suffix(".old")
    try:
        part.mkdir(parents=True)
        lock = _locked(part)  # from before it has its name; renaming a folder keeps the locks inside
        _fill(zarr.open_group(part, mode="a", zarr_format=3), manifest, truths)
        if overwrite and path.exists():
            with _locked(path):
                path.rename(old)
        require(not path.exists(), f"{path}: exists already; another run made it")
        part.rename(path)
    except OSError as error:
        if old.exists() and not path.exists():
            old.rename(path)
        raise InputError(f"{path}: could not be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)
    store = Store(zarr.open_group(path, mode="r+", zarr_format=3), path)
    store.lock = lock
    return store


def resume_store(path: Path, manifest: Mapping[str, Any]) -> Store:
    """Open a store to add to it, hold its lock, and sweep what an interrupted run left behind.

    Raises
    ------
    InputError
        When another run has it open, or another study, seed, design or code version made it.
    """
    open_store(path)  # refuses what is no store before anything is written there
    lock = _locked(path)
    try:
        store = Store(zarr.open_group(path, mode="r+", zarr_format=3), path)
        same_run(str(path), store.manifest, json.loads(json.dumps(manifest)))
        for left in (*path.rglob("*.partial"), *(path / MARKERS).glob("*.tmp")):
            left.unlink(missing_ok=True)
    except BaseException:
        lock.release()
        raise
    store.lock = lock
    return store


def _sweep(path: Path) -> None:
    """Put things right that runs which died left beside the place of a store: half-made stores and replaced ones."""
    beside = f".{glob.escape(path.name)}.*"
    for old in path.parent.glob(f"{beside}.old"):
        if path.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.rename(path)  # it died between taking the old store away and putting the new one there
    for left in path.parent.glob(f"{beside}.part"):
        try:
            lock = _locked(left)
        except InputError:
            continue  # another run is making it
        shutil.rmtree(left, ignore_errors=True)
        lock.release()


def _locked(path: Path) -> filelock.BaseFileLock:
    (path / MARKERS).mkdir(exist_ok=True)
    lock = filelock.FileLock(path / MARKERS / "lock")
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        raise InputError(f"{path}: another run is writing to it; wait for it, or choose another --out") from None
    return lock


def _fill(group: zarr.Group, manifest: Mapping[str, Any], truths: Mapping[str, list[np.ndarray]]) -> None:
    """Make the arrays of an empty store."""
    cells, batch = len(manifest["cells"]), manifest["batch_size"]
    group.create_group(MARKERS)
    for axis, values in manifest["axes"].items():
        if not isinstance(values[0], str):
            group.create_array(axis, data=np.asarray(values, dtype=np.float64), dimension_names=[axis])
    for output in manifest["outputs"]:
        own, first = _longest(manifest["shapes"][output["name"]]), output["first"]
        rows, axis = (max(manifest["planned"]), "replicate") if first is None else (first, f"first_{first}")
        _make(group, output, (cells, rows, *own), (1, batch, *own), ("cell", axis, *output["dims"]))
    for truth in manifest["truths"]:
        own = _longest(manifest["shapes"][truth["name"]])
        stacked = np.full((cells, *own), np.nan)
        for index, values in enumerate(truths[truth["name"]]):
            stacked[(index, *(slice(length) for length in values.shape))] = values
        _make(group, truth, stacked.shape, stacked.shape, ("cell", *truth["dims"]))[...] = stacked
    group.attrs.update(manifest)


def _make(
    group: zarr.Group, about: Mapping[str, Any], shape: tuple[int, ...], chunks: tuple[int, ...], names: Iterable[str]
) -> Any:
    return group.create_array(
        about["name"],
        shape=shape,
        chunks=tuple(max(1, length) for length in chunks),
        dtype=np.float64,
        fill_value=np.nan,
        # A checksum tells damage from numbers.
        compressors=ZstdCodec(level=1, checksum=True),
        dimension_names=list(names),
        attributes={"title": about["title"], "unit": about["unit"]},
    )


def _longest(shapes: Iterable[Sequence[int]]) -> tuple[int, ...]:
    return tuple(max(lengths) for lengths in zip(*shapes, strict=True))
