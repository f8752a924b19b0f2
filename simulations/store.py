"""Stores of study results: Zarr through xarray, written beside its place and renamed into it in one step.

Nothing is computed before the place is known to be writable, and what was computed is never lost: when the last step
fails, the results are kept elsewhere and the message says where.
"""

from __future__ import annotations

import shutil
import tempfile
import uuid
from pathlib import Path

import xarray as xr

from dkps_theory._validate import InputError, require
from simulations.runner import SCHEMA


def check_target(path: str | Path, *, overwrite: bool = False) -> Path:
    """Return the path of a store to be written, or refuse before anything is computed.

    Raises
    ------
    InputError
        When something is there already and ``overwrite`` is not asked for, when it is no store of results, or when the
        folder cannot be written.
    """
    path = Path(path)
    require(path.name not in {"", ".."}, f"{path}: is no name of a store; give a folder to make, such as results.zarr")
    path = path.resolve()  # a link is followed, so that what it points to is replaced and not the link
    if path.exists():
        require(overwrite, f"{path}: exists already; choose another --out, or --overwrite to replace it")
        require(_is_store(path), f"{path}: is no store of study results, so it is not overwritten")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}."):
            pass
    except OSError as error:
        raise InputError(f"{path}: the folder cannot be written ({error.strerror})") from error
    return path


def save(dataset: xr.Dataset, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a dataset; readers see the whole store or none, and an old one stays until the new one is complete.

    Raises
    ------
    InputError
        As :func:`check_target`; and when writing fails, after the results were saved in a temporary folder instead.
    """
    try:
        path = check_target(path, overwrite=overwrite)
    except InputError as error:
        raise InputError(f"{error}; the results are in {_rescue(dataset, path)}") from None
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    old = part.with_suffix(".old")
    try:
        _write(dataset, part)
        if path.exists():
            path.rename(old)
        part.rename(path)
    except OSError as error:
        if old.exists() and not path.exists():
            old.rename(path)
        shutil.rmtree(part, ignore_errors=True)
        rescue = _rescue(dataset, path)
        raise InputError(f"{path}: could not be written ({error.strerror}); the results are in {rescue}") from error
    shutil.rmtree(old, ignore_errors=True)
    return path


def load(path: str | Path) -> xr.Dataset:
    """Return the dataset of a store, with its manifest as attributes and the cells' names as a coordinate.

    Raises
    ------
    InputError
        When there is no such folder, it is no store of results, or it has another layout.
    """
    path = Path(path)
    require(path.exists(), f"{path}: no such folder")
    require(_is_store(path), f"{path}: is no store of study results (written by `dkps-theory simulate`)")
    try:
        with xr.open_dataset(path, engine="zarr", consolidated=False) as opened:
            dataset = opened.load()
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"{path}: is damaged and cannot be read ({error})") from error
    version = dataset.attrs["dkps_theory_store"]
    require(version == SCHEMA, f"{path}: has layout {version}; this version reads layout {SCHEMA}")
    return dataset.assign_coords(cell=[cell["name"] for cell in dataset.attrs["cells"]])


def _write(dataset: xr.Dataset, path: Path) -> None:
    dataset.drop_vars("cell", errors="ignore").to_zarr(path, mode="w-", consolidated=False, zarr_format=3)


def _rescue(dataset: xr.Dataset, path: str | Path) -> Path:
    """Write the dataset into a new temporary folder, for when its own place is refused after the work is done."""
    rescue = Path(tempfile.mkdtemp(prefix="dkps-theory-")) / (Path(path).name or "results.zarr")
    _write(dataset, rescue)
    return rescue


def _is_store(path: Path) -> bool:
    """Look for the mark in the group's own attributes, without opening any array."""
    try:
        return '"dkps_theory_store"' in (path / "zarr.json").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
