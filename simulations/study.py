"""A study is data: cells, axes, one pure replicate function, and what it means in words (ADEMP).

Morris, White and Crowther (2019), Using simulation studies to evaluate statistical methods: aims, data-generating
mechanisms, estimands, methods, performance measures. A study module is light: functions that need JAX are named by
:class:`Deferred` and imported when the study runs, so that listing studies costs next to nothing.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from dkps_theory._validate import InputError, finite, require, whole_number
from simulations.grid import Cell, Grid, plain_levels
from simulations.measures import Measure, Rate
from simulations.sources import identity_of_source

#: Fewer replicates have no standard error.
FEWEST_REPLICATES = 2


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
        Its axes after ``replicate``. The length of an axis comes from the data, and cells with shorter axes are filled
        up with NaN; an axis that the study lists in ``axes`` has the values, or labels, given there.
    unit
        Unit of the values, for axis labels.
    first
        Keep only this many replicates, for large arrays; None keeps all.
    method, failure
        What is written into the row of a failed replicate: which method failed (default the label along an axis
        called ``method``, else the title) and why, when a value is not finite.
    """

    name: str
    title: str
    dims: tuple[str, ...] = ("r",)
    unit: str = ""
    first: int | None = None
    method: str = ""
    failure: str = "not finite"


def levels_of(cell: Cell, _axes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cell's levels: what ``replicate`` gets when a study has no ``prepare`` of its own."""
    return dict(cell.factors)


def nothing(_prepared: Any) -> dict[str, Any]:
    """Return no truth."""
    return {}


@dataclass(frozen=True)
class Study:
    """A simulation study.

    Parameters
    ----------
    name, title
        Identifier (letters, digits, dashes, dots, underscores) and heading.
    aims, data, estimands, methods, performance
        The ADEMP headings, as text; ``$latex$`` is set as mathematics in reports.
    replicates, batch_size
        ``replicates`` per cell is a default, at least 2. ``batch_size`` belongs to the study because rounding may
        depend on it.
    outputs, truths
        What ``replicate`` and ``truth`` return. A truth called ``exact_<output>`` is the exact RMSE of that output, and
        ``share_<output>`` the predicted non-asymptotic share of its mean square; reports use both.
    replicate
        ``replicate(key, prepared)`` -> dict of arrays named by ``outputs``; pure. When ``compiled``, it is traced by
        JAX once per shape and vmapped; else it is called replicate by replicate with NumPy or anything else inside, and
        an exception is a failed replicate. In compiled ones on a CPU, several LAPACK calls (eigh, svd) that do not
        depend on each other have been seen to wait for each other for ever (JAX 0.10.2, two cores): stack them into one
        call, or let one depend on the other.
    cells, grid
        The factorial design: either cells as they are, or a grid that makes them.
    axes
        Values or labels along axes inside a replicate, such as ``{"r": (10, 100), "method": ("mean", "median")}``.
    prepare
        ``prepare(cell, axes)`` -> a pytree. Arrays in it are traced, so cells of equal shapes share compiled code;
        everything else is static. Default: the cell's levels as a dict.
    truth
        ``truth(prepared)`` -> dict of arrays named by ``truths``.
    measures, rates
        Performance measures and rates over factors that the report shows; see :mod:`simulations.measures`.
    target
        The measure whose Monte Carlo standard error ``--until-mcse`` is about.
    compiled
        Whether ``replicate`` is for JAX to trace.
    sections
        ``Deferred`` functions from an open store to a :class:`dkps_theory.pages.Section` (or None), for what only this
        study's report shows.

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
    replicates: int
    batch_size: int
    outputs: tuple[Output, ...]
    replicate: Callable[..., Any]
    cells: tuple[Cell, ...] = ()
    grid: Grid | None = None
    axes: Mapping[str, tuple[float | str, ...]] = field(default_factory=dict)
    truths: tuple[Output, ...] = ()
    prepare: Callable[..., Any] = levels_of
    truth: Callable[..., Any] = nothing
    measures: tuple[Measure, ...] = ()
    rates: tuple[Rate, ...] = ()
    target: Measure | None = None
    compiled: bool = True
    sections: tuple[Deferred, ...] = ()

    def __post_init__(self) -> None:
        where = f"study {self.name!r}"
        plain = isinstance(self.name, str) and bool(re.fullmatch(r"[\w.-]+", self.name))
        require(plain, f"{where}: the name must be letters, digits, dashes, dots and underscores")
        if self.grid is not None:
            require(not self.cells, f"{where}: has both cells and a grid")
            object.__setattr__(self, "cells", self.grid.cells())
        require(bool(self.cells), f"{where}: has no cells")
        names = [cell.name for cell in self.cells]
        require(len(set(names)) == len(names), f"{where}: two cells have the same name")
        outputs = [output.name for output in (*self.outputs, *self.truths)]
        require(len(set(outputs)) == len(outputs), f"{where}: two outputs or truths have the same name")
        for name in (*outputs, *self.axes):
            require(name.isidentifier(), f"{where}: {name!r} must be letters, digits and underscores")
        object.__setattr__(self, "axes", {axis: plain_levels(values) for axis, values in self.axes.items()})
        for section in self.sections:
            require(not section.arguments, f"{where}: a section takes no arguments but the store")
        taken = {"cell", "replicate", "markers", *self.axes} & set(outputs)
        require(not taken, f"{where}: {sorted(taken)} cannot name an output, it is the name of an axis")
        for axis, values in self.axes.items():
            _check_axis(f"{where}, axis {axis!r}", axis, values)
        whole_number(f"{where}, replicates", self.replicates, FEWEST_REPLICATES)
        whole_number(f"{where}, batch_size", self.batch_size, 1)
        for cell in self.cells:
            unknown = sorted((set(cell.rates) | set(cell.absent)) - set(outputs))
            require(not unknown, f"{where}, cell {cell.name!r}: {unknown} is no output")
        drawn, known = {o.name for o in self.outputs}, {t.name for t in self.truths}
        for measure in (*self.measures, *((self.target,) if self.target else ())):
            needs, truths = measure.names()
            missing = sorted({*(set(needs) - drawn), *(set(truths) - known)})
            require(not missing, f"{where}, measure {measure.name!r}: {missing} is no output or truth")
            self._check_dims(f"{where}, measure {measure.name!r}", measure.output, [*needs[1:], *truths])
        for rate in self.rates:
            missing = sorted({rate.output} - drawn | ({rate.truth} if rate.truth else set()) - known)
            require(not missing, f"{where}, rate along {rate.along!r}: {missing} is no output or truth")
            self._check_dims(f"{where}, rate along {rate.along!r}", rate.output, [rate.truth] if rate.truth else [])
            for cell in self.cells:
                level = cell.factors.get(rate.along)
                numeric = isinstance(level, int | float)
                require(numeric, f"{where}, cell {cell.name!r}: has no number for the factor {rate.along!r} of a rate")

    def _check_dims(self, where: str, output: str, others: list[str]) -> None:
        """Check that the axes of ``others`` are among those of an output."""
        dims = {one.name: one.dims for one in (*self.outputs, *self.truths)}
        for other in others:
            fits = set(dims[other]) <= set(dims[output])
            require(
                fits, f"{where}: the axes {dims[other]} of {other!r} must be among those of {output!r}, {dims[output]}"
            )

    def design(self) -> dict[str, Any]:
        """Return everything that decides the numbers, as plain data: two studies with one design draw the same."""
        return {
            "name": self.name,
            "cells": {
                cell.name: {
                    "factors": dict(cell.factors),
                    "settings": _plain(cell.settings),
                    "absent": list(cell.absent),
                    "stream": cell.stream,
                }
                for cell in self.cells
            },
            "axes": {axis: list(values) for axis, values in self.axes.items()},
            "batch_size": self.batch_size,
            "outputs": {o.name: [list(o.dims), o.first] for o in self.outputs},
            "truths": {t.name: [list(t.dims)] for t in self.truths},
            "compiled": self.compiled,
            "functions": {name: _plain(getattr(self, name)) for name in ("prepare", "replicate", "truth")},
        }

    def design_hash(self) -> str:
        """Return the SHA-256 of :meth:`design`, in hexadecimal."""
        return hash_of(self.design())


def hash_of(design: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a design, in hexadecimal."""
    return hashlib.sha256(json.dumps(design, sort_keys=True).encode()).hexdigest()


def _check_axis(where: str, axis: str, values: tuple[float | str, ...]) -> None:
    require(isinstance(values, tuple) and bool(values), f"{where}: must be a non-empty tuple of numbers or labels")
    require(len(set(values)) == len(values), f"{where}: a value stands twice")
    if all(isinstance(value, str) for value in values):
        return
    finite(where, values)
    if axis == "r":
        for r in values:
            whole_number(where, r, 1)
        require(list(values) == sorted(values), f"{where}: must be strictly increasing")


def _plain(value: Any) -> Any:
    """Return settings as plain data for the design: functions by name, arguments and the text of their file."""
    if isinstance(value, Deferred):
        arguments = {name: _plain(given) for name, given in value.arguments.items()}
        return {"function": value.target, "arguments": arguments, **identity_of_source(value.target)}
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    if isinstance(value, functools.partial):
        return {"function": _plain(value.func), "arguments": _plain([list(value.args), value.keywords])}
    listed = getattr(value, "tolist", None)
    if callable(listed):  # an array or a number of NumPy's or JAX's
        return _plain(listed())
    if callable(value):
        state = getattr(value, "__dict__", {}) if not inspect.isroutine(value) else {}
        name = getattr(value, "__qualname__", type(value).__qualname__)
        return {"function": name, "state": _plain(state), **identity_of_source(value)}
    if isinstance(value, bool | int | float | str | None):
        return value
    raise InputError(f"settings: got a {type(value).__name__}; they must be plain data, arrays or functions")
