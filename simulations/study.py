"""A study is data: cells, a grid of r, one pure replicate function, and what it means in words (ADEMP).

Morris, White and Crowther (2019), Using simulation studies to evaluate statistical methods: aims, data-generating
mechanisms, estimands, methods, performance measures. A study module is light: functions that need JAX are named by
:class:`Deferred` and imported when the study runs, so that listing studies costs next to nothing.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from dkps_theory._validate import InputError, nearest_name, require, whole_number
from dkps_theory.conventions import DEFAULT, Convention

#: The entry-point group that studies come from; each entry names a :class:`Study`.
GROUP = "dkps_theory.studies"


@dataclass(frozen=True)
class Deferred:
    """A function named by ``"module:function"``, imported when it is called, with some arguments already given.

    Examples
    --------
    >>> Deferred("math:pow", {})(2, 3)
    8.0
    """

    target: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, *args: Any) -> Any:
        """Import the function and call it with ``args`` and the given arguments."""
        return self.load()(*args, **self.arguments)

    def load(self) -> Callable[..., Any]:
        """Return the function itself."""
        module, _, name = self.target.partition(":")
        return getattr(importlib.import_module(module), name)


@dataclass(frozen=True)
class Output:
    """One array that a replicate (or a cell's truth) returns.

    Parameters
    ----------
    name, title
        Variable name in the store, and words for tables and legends.
    dims
        Its axes after ``replicate``; the length of every axis but ``r`` comes from the data, and cells with shorter
        axes are filled up with NaN.
    unit
        Unit of the values, for axis labels.
    first
        Keep only this many replicates, for large arrays; None keeps all.
    """

    name: str
    title: str
    dims: tuple[str, ...] = ("r",)
    unit: str = ""
    first: int | None = None


@dataclass(frozen=True)
class Cell:
    """One data-generating mechanism of a study.

    Parameters
    ----------
    name, title
        Identifier, and words for tables.
    factors
        What distinguishes the cell, for its row in the table of cells.
    population
        Builder without arguments of a :class:`dkps_theory.populations.base.Population`.
    dimension
        Perspective dimension d.
    convention
        Normalisation and exponent of the dissimilarities.
    scaling
        Which multidimensional scaling the perspectives come from, ``"classical"`` or ``"raw-stress"``.
    pair
        The two models whose dissimilarity stands for a typical one.
    rates
        Predicted slope of log RMSE on log r, by output; outputs that do not apply to the cell are left out.
    remark
        Why these rates, in a sentence.
    """

    name: str
    title: str
    factors: Mapping[str, float | int | str]
    population: Callable[[], Any]
    dimension: int
    convention: Convention = DEFAULT
    scaling: str = "classical"
    pair: tuple[int, int] = (0, 1)
    rates: Mapping[str, float] = field(default_factory=dict)
    remark: str = ""


@dataclass(frozen=True)
class Study:
    """A simulation study.

    Parameters
    ----------
    name, title
        Identifier (letters, digits, dashes) and heading.
    aims, data, estimands, methods, performance
        The ADEMP headings, as text; ``$latex$`` is set as mathematics in reports.
    cells, r_grid, replicates, batch_size
        The design. ``batch_size`` belongs to the study because rounding may depend on it; ``replicates`` is a default.
    outputs, truths
        What ``replicate`` and ``truth`` return. A truth called ``exact_<output>`` is the exact RMSE of that output, and
        ``share_<output>`` the predicted non-asymptotic share of its mean square; reports use both.
    prepare
        ``prepare(cell, r_grid)`` -> a pytree of arrays, typically an equinox module.
    replicate
        ``replicate(key, prepared)`` -> dict of arrays named by ``outputs``; pure, traced once per shape.
    truth
        ``truth(prepared)`` -> dict of arrays named by ``truths``.
    coordinates
        Values along axes other than cell, replicate and r, where they have some.

    Raises
    ------
    InputError
        When the parts do not fit together.
    """

    name: str
    title: str
    aims: str
    data: str
    estimands: str
    methods: str
    performance: str
    cells: tuple[Cell, ...]
    r_grid: tuple[float, ...]
    replicates: int
    batch_size: int
    outputs: tuple[Output, ...]
    truths: tuple[Output, ...]
    prepare: Callable[..., Any]
    replicate: Callable[..., Any]
    truth: Callable[..., Any]
    coordinates: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        where = f"study {self.name!r}"
        require(bool(self.cells), f"{where}: has no cells")
        names = [cell.name for cell in self.cells]
        require(len(set(names)) == len(names), f"{where}: two cells have the same name")
        outputs = [output.name for output in (*self.outputs, *self.truths)]
        require(len(set(outputs)) == len(outputs), f"{where}: two outputs or truths have the same name")
        for r in self.r_grid:
            whole_number(f"{where}, r_grid", r, 1)
        rising = all(a < b for a, b in zip(self.r_grid, self.r_grid[1:], strict=False))
        require(bool(self.r_grid) and rising, f"{where}: r_grid must be a non-empty, strictly increasing list")
        whole_number(f"{where}, replicates", self.replicates, 1)
        whole_number(f"{where}, batch_size", self.batch_size, 1)
        for cell in self.cells:
            unknown = sorted(set(cell.rates) - set(outputs))
            require(not unknown, f"{where}, cell {cell.name!r}: a rate for {unknown}, which is no output")

    def design(self) -> dict[str, Any]:
        """Return everything that decides the numbers, as plain data: two studies with one design draw the same."""
        return {
            "name": self.name,
            "cells": [
                {
                    "name": cell.name,
                    "factors": dict(cell.factors),
                    "population": _identity(cell.population),
                    "dimension": cell.dimension,
                    "convention": [cell.convention.normalisation, cell.convention.exponent],
                    "scaling": cell.scaling,
                    "pair": list(cell.pair),
                }
                for cell in self.cells
            ],
            "r_grid": [float(r) for r in self.r_grid],
            "batch_size": self.batch_size,
            "outputs": [[o.name, list(o.dims), o.first] for o in (*self.outputs, *self.truths)],
            "functions": [_identity(f) for f in (self.prepare, self.replicate, self.truth)],
        }

    def design_hash(self) -> str:
        """Return the SHA-256 of :meth:`design`, in hexadecimal."""
        return hashlib.sha256(json.dumps(self.design(), sort_keys=True, default=str).encode()).hexdigest()


def _identity(function: Callable[..., Any]) -> dict[str, Any]:
    """Name a function, its given arguments and the text of the file that it comes from."""
    if isinstance(function, Deferred):
        module = function.target.partition(":")[0]
        spec = importlib.util.find_spec(module)
        source = spec.origin if spec else None
        return {"function": function.target, "arguments": dict(function.arguments), "source": _digest(source)}
    source = inspect.getsourcefile(inspect.unwrap(function)) if inspect.isroutine(function) else None
    name = getattr(function, "__qualname__", type(function).__qualname__)
    return {"function": name, "arguments": {}, "source": _digest(source)}


def _digest(source: str | None) -> str | None:
    path = Path(source) if source else None
    return hashlib.sha256(path.read_bytes()).hexdigest() if path and path.is_file() else None


def study_names() -> list[str]:
    """Return the names of the registered studies, without importing any."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def find_study(name: str) -> Study:
    """Return a registered study.

    Raises
    ------
    InputError
        When there is none of that name, naming the nearest; or when it does not load.
    """
    entries = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in entries:
        raise nearest_name("study", name, entries)
    try:
        study = entries[name].load()
    except Exception as error:  # other people's code: whatever it raises is said in one line
        raise InputError(f"study {name!r} ({entries[name].value}): does not load: {error!r}") from error
    require(isinstance(study, Study), f"study {name!r} ({entries[name].value}): is no simulations.study.Study")
    return study


def study_from_file(path: str | Path) -> Study:
    """Return the ``STUDY`` that a Python file defines; the file is run.

    Raises
    ------
    InputError
        When there is no such file, it does not run, or it defines no STUDY.
    """
    path = Path(path)
    require(path.is_file(), f"{path}: no such file")
    # Under a name of its own, so that functions of the file can be found again and nothing installed is hidden.
    name = f"_dkps_theory_study_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    require(spec is not None and spec.loader is not None, f"{path}: must be a Python file, ending in .py")
    module = importlib.util.module_from_spec(spec)  # pyright: ignore[reportArgumentType]
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)  # pyright: ignore[reportOptionalMemberAccess]
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except Exception as error:  # the user's own code: whatever it raises is said in one line
        raise InputError(f"{path}: does not run: {type(error).__name__}: {error}") from error
    study = getattr(module, "STUDY", None)
    require(isinstance(study, Study), f"{path}: must define STUDY, a simulations.study.Study")
    return study  # pyright: ignore[reportReturnType]


def resolve_study(name_or_file: str) -> Study:
    """Return a study by name, or from a file when the argument ends in .py."""
    return study_from_file(name_or_file) if name_or_file.endswith(".py") else find_study(name_or_file)
