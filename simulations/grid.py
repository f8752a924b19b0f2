"""Factor grids: crossed, nested and filtered levels, and the cell of a study that each combination becomes.

Light like study modules: no NumPy, no JAX.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dkps_theory._validate import InputError, nearest_name, require, shown

#: A level of a factor.
Level = float | int | str


@dataclass(frozen=True)
class Nested:
    """A factor whose levels depend on the level of an earlier one.

    Parameters
    ----------
    outer
        Name of the factor that it depends on.
    levels
        Its levels by level of ``outer``; each level of ``outer`` must have some.
    """

    outer: str
    levels: Mapping[Level, tuple[Level, ...]]


@dataclass(frozen=True)
class Cell:
    """One data-generating mechanism of a study.

    Parameters
    ----------
    name, title
        Identifier, and words for tables; the title defaults to the name.
    factors
        What distinguishes the cell: its levels.
    settings
        Anything more that ``prepare`` needs; plain data, :class:`simulations.study.Deferred` or dataclasses of these.
        It is part of the design. DKPS studies put a :class:`simulations.studies.mechanism.Mechanism` here.
    absent
        Outputs that do not apply here: they may be NaN without being counted as failures.
    rates
        Predicted slope of log RMSE on log r, by output; outputs that do not apply to the cell are left out.
    remark
        Why these rates, in a sentence.
    stream
        Names the random numbers of the cell; default its name. Cells of one stream draw the same (common random
        numbers).
    """

    name: str
    title: str = ""
    factors: Mapping[str, Level] = field(default_factory=dict)
    settings: Any = None
    absent: tuple[str, ...] = ()
    rates: Mapping[str, float] = field(default_factory=dict)
    remark: str = ""
    stream: str = ""

    def __post_init__(self) -> None:
        require(bool(self.name) and isinstance(self.name, str), f"cell: got {shown(self.name)} for its name")
        levels = {name: plain_levels((level,))[0] for name, level in self.factors.items()}
        for name, level in levels.items():
            checked_levels(name, level)
        object.__setattr__(self, "factors", levels)
        object.__setattr__(self, "title", self.title or self.name)
        object.__setattr__(self, "stream", self.stream or self.name)


@dataclass(frozen=True)
class Grid:
    """All combinations of levels, less those that a filter leaves out.

    Parameters
    ----------
    factors
        Levels by name, slowest first; a :class:`Nested` factor comes after the one that it depends on.
    keep
        Filter: from a combination to whether it belongs to the study; None keeps all.
    paired
        Factors whose levels share random numbers: cells that differ in these alone draw the same.
    describe
        From a cell with name, levels and stream to the full cell (title, settings, rates); None leaves it as it is.

    Raises
    ------
    InputError
        When a factor has no levels, a level twice, or levels that are neither numbers nor words; when a nested factor
        comes before its outer one; when no combination is left.

    Examples
    --------
    >>> grid = Grid({"n": (5, 10), "r": (1, 8)}, keep=lambda levels: levels["r"] <= levels["n"])
    >>> [cell.name for cell in grid.cells()]
    ['n=5,r=1', 'n=10,r=1', 'n=10,r=8']
    """

    factors: Mapping[str, tuple[Level, ...] | Nested]
    keep: Callable[[Mapping[str, Level]], bool] | None = None
    paired: tuple[str, ...] = ()
    describe: Callable[[Cell], Cell] | None = None

    def __post_init__(self) -> None:
        require(bool(self.factors), "grid: has no factors")
        seen: list[str] = []
        for name, levels in self.factors.items():
            require(name.isidentifier(), f"factor {name!r}: the name must be letters, digits and underscores")
            if isinstance(levels, Nested):
                require(levels.outer in seen, f"factor {name!r}: is nested in {levels.outer!r}, which must come before")
                outer = self.factors[levels.outer]
                if isinstance(outer, Nested):
                    raise InputError(f"factor {name!r}: is nested in a factor that is nested itself")
                missing = [level for level in outer if level not in levels.levels]
                require(not missing, f"factor {name!r}: has no levels at {levels.outer} = {missing}")
                for inner in levels.levels.values():
                    checked_levels(name, inner)
            else:
                checked_levels(name, levels)
            seen.append(name)
        for name in self.paired:
            require(name in self.factors, f"paired: {name!r} is no factor")

    def cells(self) -> tuple[Cell, ...]:
        """Return the cells, in the order of the levels, the last factor fastest."""
        found: list[Cell] = []
        for levels in self._combinations():
            if self.keep is not None and not self.keep(levels):
                continue
            words = {name: f"{name}={shown_level(level)}" for name, level in levels.items()}
            stream = ",".join(word for name, word in words.items() if name not in self.paired)
            bare = Cell(name=",".join(words.values()), factors=levels, stream=stream or "common")
            found.append(bare if self.describe is None else self.describe(bare))
        require(bool(found), "grid: no combination of levels is left by the filter")
        return tuple(found)

    def _combinations(self) -> list[dict[str, Level]]:
        combinations: list[dict[str, Level]] = [{}]
        for name, levels in self.factors.items():
            combinations = [
                {**before, name: level}
                for before in combinations
                for level in (levels.levels[before[levels.outer]] if isinstance(levels, Nested) else levels)
            ]
        return combinations

    def with_levels(self, name: str, levels: object) -> Grid:
        """Return the grid with other levels of one factor.

        Numbers may be any numbers of the kind the factor has (whole ones stay whole); words must be among those that
        the study knows. A nested factor keeps, for each outer level, those of its levels that are asked for.

        Raises
        ------
        InputError
            For an unknown factor, naming the nearest, and for levels that do not fit.
        """
        if name not in self.factors:
            raise nearest_name("factor", name, self.factors)
        old = self.factors[name]
        if isinstance(old, Nested):
            known = tuple(dict.fromkeys(itertools.chain.from_iterable(old.levels.values())))
            wanted = matching_levels(name, levels, known, others=False)
            new: tuple[Level, ...] | Nested = replace(
                old, levels={outer: tuple(v for v in inner if v in wanted) for outer, inner in old.levels.items()}
            )
            left = {outer: inner for outer, inner in new.levels.items() if inner}
            outer_levels = self.factors[old.outer]
            kept = tuple(level for level in outer_levels if level in left)  # pyright: ignore[reportGeneralTypeIssues]
            return replace(self, factors={**self.factors, old.outer: kept, name: replace(new, levels=left)})
        return replace(self, factors={**self.factors, name: matching_levels(name, levels, old)})


def shown_level(level: Level) -> str:
    """Write a level, numbers in the shortest way."""
    return (
        f"{level:g}" if isinstance(level, float) and abs(level) < 1e15 and float(f"{level:g}") == level else str(level)
    )


def plain_levels(levels: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return levels with Python's own numbers for NumPy's."""
    return tuple(level.item() if hasattr(level, "item") else level for level in levels)


def checked_levels(name: str, levels: object) -> tuple[Level, ...]:
    """Return levels as a tuple, or refuse what is no non-empty list of distinct numbers or words."""
    given: tuple[Any, ...] = plain_levels(tuple(levels) if isinstance(levels, tuple | list) else (levels,))
    require(bool(given), f"factor {name!r}: has no levels")
    for level in given:
        number = isinstance(level, int | float) and not isinstance(level, bool) and math.isfinite(level)
        require(number or isinstance(level, str), f"factor {name!r}: got {shown(level)}; levels are numbers or words")
    require(len(set(given)) == len(given), f"factor {name!r}: a level stands twice in {shown(list(given))}")
    return given


def matching_levels(name: str, levels: object, known: tuple[Level, ...], *, others: bool = True) -> tuple[Level, ...]:
    """Return levels of the kind of ``known``; ``others`` allows numbers that are not among them."""
    given = checked_levels(name, levels)
    if any(isinstance(level, str) for level in known) or not others:
        for level in given:
            if level not in known:
                allowed = ", ".join(map(str, known))
                raise InputError(f"factor {name!r}: got {shown(level)}; it must be among {allowed}")
        return given
    whole = all(isinstance(level, int) for level in known)
    for level in given:
        kind = "whole number" if whole else "number"
        fits = not isinstance(level, str) and (not whole or float(level).is_integer())
        require(fits, f"factor {name!r}: got {shown(level)}; it must be a {kind}")
    return tuple(int(level) if whole else float(level) for level in given)
