"""Readings of the printed table against the printed numbers: which match, how well, and how many would by chance.

The rule of a match is stated in :mod:`simulations.studies.concentration_table`.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy import stats

from simulations.studies._concentration import PRINTED, PRINTED_RUNS, PRINTED_UNIT

#: A reading gives a printed number within this many standard errors.
THRESHOLD = 4.0
#: It gives a whole column when the chi-square of all rows together has a p-value above this, too.
JOINT = 1e-3
#: Readings whose tolerance is a larger factor than this, in some row, are blunt.
BLUNT = 2.0
#: Columns that are made up to see how many readings match by chance, and the seed that makes them up.
_MADE_UP, _MADE_UP_SEED = 400, 25


class Reading(NamedTuple):
    """One way to read the table; ``dimension`` is "" for errors of matrices, ``what`` a quantity or eigenvalues."""

    probabilities: str
    m: int
    convention: str
    dimension: str
    what: str

    @property
    def words(self) -> str:
        """One line for tables."""
        drawn = "new probabilities" if self.probabilities == "each run" else "probabilities once"
        return f"{self.what}; {self.choices}; {drawn}"

    @property
    def choices(self) -> str:
        """What it makes of m, the convention and d."""
        d = f", d = {self.dimension}" if self.dimension.isdecimal() else f", d by {self.dimension}"
        return f"m = {self.m}; {self.convention}{d if self.dimension else ''}"


@dataclass(frozen=True, eq=False)
class Readings:
    """What readings give for the rows of a column, relative to the mean over runs.

    Attributes
    ----------
    names
        The readings.
    rows
        The n of the rows.
    centre
        Log of what a printed average is centred at (readings, rows).
    se
        Its standard error.
    spread
        Standard deviation of the log of one printed average under the reading, or relative to the centre if linear.
    linear
        Whether the numbers themselves are compared, not their logarithms.
    """

    names: tuple[Reading, ...]
    rows: tuple[int, ...]
    centre: Float[np.ndarray, "readings rows"]
    se: Float[np.ndarray, "readings rows"]
    spread: Float[np.ndarray, "readings rows"]
    linear: bool = False

    @property
    def tolerance(self) -> Float[np.ndarray, "readings rows"]:
        """Standard deviation of the log ratio of a printed average and ours, or of their relative difference."""
        return np.hypot(self.se, self.spread)

    def of(self, probabilities: str) -> Readings:
        """Return the readings with probabilities drawn once, or anew in each run."""
        return self.keep(np.array([name.probabilities == probabilities for name in self.names], dtype=bool))

    def keep(self, chosen: Bool[np.ndarray, " readings"]) -> Readings:
        """Return the readings that are chosen."""
        names = tuple(name for name, kept in zip(self.names, chosen, strict=True) if kept)
        return Readings(names, self.rows, self.centre[chosen], self.se[chosen], self.spread[chosen], self.linear)

    def named(self, names: Collection[Reading]) -> Readings:
        """Return the readings with one of these names."""
        return self.keep(np.array([name in names for name in self.names], dtype=bool))

    @property
    def sharp(self) -> Readings:
        """The readings that could fail row by row: in no row is their tolerance a factor above ``BLUNT``."""
        return self.keep((THRESHOLD * self.tolerance <= np.log(BLUNT)).all(axis=1))

    def distinct(self) -> Readings:
        """Leave out readings that these numbers cannot tell from an earlier one.

        They have the same m and draw probabilities alike, and their rows differ by less than a tenth of their
        tolerance: d by rank is often d = m, and the eigenvalues of B^ are nearly those of B.
        """
        kept: list[int] = []
        chosen = np.zeros(len(self.names), dtype=bool)
        for index, name in enumerate(self.names):
            alike = [k for k in kept if self.names[k][:2] == name[:2]]
            apart = np.abs(self.centre[alike] - self.centre[index]) / np.maximum(self.tolerance[index], 1e-9)
            chosen[index] = not (apart < 0.1).all(axis=1).any()
            if chosen[index]:
                kept.append(index)
        return self.keep(chosen)

    def of_rows(self, chosen: list[int]) -> Readings:
        """Return the readings on some of the rows, by index."""
        rows = tuple(self.rows[index] for index in chosen)
        centre, se, spread = (array[:, chosen] for array in self._arrays)
        return Readings(self.names, rows, centre, se, spread, self.linear)

    def joined(self, other: Readings) -> Readings:
        """Return these and other readings of the same rows."""
        centre, se, spread = (np.concatenate(pair) for pair in zip(self._arrays, other._arrays, strict=True))
        return Readings((*self.names, *other.names), self.rows, centre, se, spread, self.linear)

    @property
    def _arrays(self) -> tuple[np.ndarray, ...]:
        return self.centre, self.se, self.spread


def collect(store: Any, output: str, rows: tuple[int, ...], linear: bool = False) -> Readings | None:
    """Return the readings of an output of an open store; None when no cells with new probabilities have the rows.

    Runs with new probabilities say all that the rule needs of both ways to draw them.
    """
    dims = list(store.outputs[output]["dims"])
    labels = [store.axis(axis) for axis in dims]
    names: list[Reading] = []
    columns: list[np.ndarray] = []
    cells = by_factors(store)
    for once, m in itertools.product((False, True), sorted({m for _, m, _ in cells})):
        each = [cells.get((n, m, "each run")) for n in rows]
        if None in each:
            continue
        averages = [_averages(store.values(output, cell), once, linear) for cell in each]
        columns.append(np.stack(averages, axis=-1).reshape(3, -1, len(rows)))
        for entry in itertools.product(*labels):
            named = dict(zip(dims, entry, strict=True))
            what = named.get("quantity") or named.get("matrix") or named.get("eigenvalues")
            drawn = "once" if once else "each run"
            names.append(Reading(drawn, m, named["convention"], named.get("dimension", ""), str(what)))
    if not names:
        return None
    centre, se, spread = np.concatenate(columns, axis=1)
    usable = np.isfinite(centre).all(axis=1) & np.isfinite(np.hypot(se, spread)).all(axis=1)
    return Readings(tuple(names), rows, centre, se, spread, linear).keep(usable)


def recovered(store: Any, output: str, rows: tuple[int, ...]) -> tuple[int, int]:
    """Return how many of our own averages with probabilities drawn once their own reading gives, and of how many.

    A check of the rule: every cell with such probabilities is one draw of what a printed average would be.
    """
    cells = by_factors(store)
    found = collect(store, output, rows)
    given = total = 0
    for m in sorted({m for _, m, _ in cells}):
        same = [cells.get((n, m, "once")) for n in rows]
        if found is None or None in same:
            continue
        own = np.stack([store.values(output, cell).mean(axis=0).ravel() for cell in same], axis=-1)
        labels = list(itertools.product(*(store.axis(axis) for axis in store.outputs[output]["dims"])))
        order = {entry: index for index, entry in enumerate(labels)}
        once = found.keep(np.array([name[:2] == ("once", m) for name in found.names], dtype=bool))
        values = own[[order[_entry(name)] for name in once.names]]
        given += int((np.abs(np.log(values) - once.centre) <= THRESHOLD * once.tolerance).sum())
        total += values.size
    return given, total


def _entry(name: Reading) -> tuple[str, ...]:
    return (name.convention, name.dimension, name.what) if name.dimension else (name.convention, name.what)


def by_factors(store: Any) -> dict[tuple[int, int, str], int]:
    """Return cells with at least two finished replicates by (n, m, probabilities)."""
    found = {}
    for index, cell in enumerate(store.cells):
        factors = cell["factors"]
        if len(store.finished(index)) >= 2:
            found[factors["n"], factors["m"], factors["probabilities"]] = index
    return found


def _averages(drawn: np.ndarray, once: bool, linear: bool) -> np.ndarray:
    """Return centre, standard error and spread of a printed average (3, ...) from runs with new probabilities (b, ...).

    With probabilities drawn once, a printed average is one draw of E(run | probabilities), and its variance is the one
    between such draws plus a run's own over 100. Here it is the whole variance over runs, which is larger: a run's own
    differs from draw to draw, so that runs of a single draw cannot tell how much to take off. Its log is centred
    between the average log of a run and half that variance above; the average log is taken, which is at most half a
    ``spread`` squared too low: 0.09 standard errors or less for a reading that is not blunt.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = drawn.mean(axis=0)
        centre, deviation = np.log(mean), drawn.std(axis=0, ddof=1) / mean
        if once and not linear:
            logs = np.log(drawn)
            centre, deviation = logs.mean(axis=0), logs.std(axis=0, ddof=1)
    return np.stack([centre, deviation / np.sqrt(len(drawn)), deviation / (1.0 if once else np.sqrt(PRINTED_RUNS))])


# Matches


def printed(rows: tuple[int, ...], column: int) -> Float[np.ndarray, " rows"]:
    """Return a printed column: 0 the averages, 1 the upper bounds."""
    return np.array([PRINTED[n][column] for n in rows])


def distances(readings: Readings, values: Float[np.ndarray, " rows"]) -> Float[np.ndarray, "readings rows"]:
    """Return the differences of printed values and readings in standard errors, less what rounding explains."""
    if readings.linear:
        difference = values[None, :] / np.exp(readings.centre) - 1
        rounding = 0.5 * PRINTED_UNIT / np.exp(readings.centre)
    else:
        difference = np.log(values)[None, :] - readings.centre
        rounding = (0.5 * PRINTED_UNIT / values)[None, :]
    apart = np.sign(difference) * np.maximum(np.abs(difference) - rounding, 0.0)
    return apart / np.maximum(readings.tolerance, 1e-12)


def matches(readings: Readings, values: Float[np.ndarray, " rows"]) -> Bool[np.ndarray, "readings rows"]:
    """Return which readings give which printed values."""
    return np.abs(distances(readings, values)) <= THRESHOLD


def joint(readings: Readings, values: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " readings"]:
    """Return, by reading, the p-value of all rows together: the chi-square of their differences in standard errors."""
    return np.asarray(stats.chi2.sf((distances(readings, values) ** 2).sum(axis=1), len(values)))


def row_by_row(readings: Readings, values: Float[np.ndarray, " rows"]) -> Bool[np.ndarray, " readings"]:
    """Return which readings give every printed value."""
    return np.asarray(matches(readings, values).all(axis=1))


def whole(readings: Readings, values: Float[np.ndarray, " rows"]) -> Bool[np.ndarray, " readings"]:
    """Return which readings give the whole column: every printed value, and all together."""
    return row_by_row(readings, values) & (joint(readings, values) > JOINT)


def nearest(readings: Readings, values: Float[np.ndarray, " rows"], count: int) -> np.ndarray:
    """Return the indices of the nearest readings: by the rows that they give, then by their worst ratio."""
    worst = np.abs(np.log(values)[None, :] - readings.centre).max(axis=1)
    return np.lexsort([worst, -matches(readings, values).sum(axis=1)])[:count]


def common_choices(
    bounds: Bool[np.ndarray, " b"], averages: Bool[np.ndarray, " a"], of: tuple[Readings, Readings]
) -> list[Reading]:
    """Return the choices of probabilities, m, convention and d that give both columns, one reading of each.

    Parameters
    ----------
    bounds, averages
        Which readings give their column.
    of
        These readings: of the bounds and of the averages. Errors of matrices have no d and go with any.
    """
    given = {name[:4] for name, ok in zip(of[1].names, averages, strict=True) if ok}
    found: dict[tuple[Any, ...], Reading] = {}
    for name, ok in zip(of[0].names, bounds, strict=True):
        if ok and (name[:4] in given or (*name[:3], "") in given):
            found.setdefault(name[:4], name)
    return list(found.values())


def chance(readings: Readings) -> float:
    """Return how many readings give a whole column that comes from none of them, on average over such columns.

    A made-up column has the level of one reading in its first row and the trend of another, both taken at random; these
    two readings do not count.
    """
    rng = np.random.default_rng(_MADE_UP_SEED)
    total = len(readings.names)
    if total < 3:
        return 0.0
    found = []
    for _ in range(_MADE_UP):
        level, trend = rng.choice(total, size=2, replace=False)
        column = readings.centre[level, 0] + readings.centre[trend] - readings.centre[trend, 0]
        given = whole(readings, np.exp(column))
        found.append(given.sum() - given[[level, trend]].sum())
    return float(np.mean(found))


class Shape(NamedTuple):
    """How far a reading is from the printed column up to one factor: the factor, and the p-value of "only a factor"."""

    factor: float
    p: float


def shape(readings: Readings, values: Float[np.ndarray, " rows"]) -> list[Shape]:
    """Return, by reading, printed over ours as one factor, and whether all rows agree with it (chi-square)."""
    difference = np.log(values)[None, :] - readings.centre
    tolerance = np.hypot(readings.tolerance, (PRINTED_UNIT / np.sqrt(12) / values)[None, :])
    weights = 1 / tolerance**2
    factor = (weights * difference).sum(axis=1) / weights.sum(axis=1)
    square = (weights * (difference - factor[:, None]) ** 2).sum(axis=1)
    return [
        Shape(float(np.exp(f)), float(p)) for f, p in zip(factor, stats.chi2.sf(square, len(values) - 1), strict=True)
    ]


@dataclass(frozen=True)
class PowerLaw:
    """Printed values as a power of n, and what it says about one more row.

    Attributes
    ----------
    slope, slope_se
        Of the log value on log n, by least squares.
    scatter
        Standard deviation of the rows around the line, on the log scale.
    predicted, low, high
        At the n that was left out, with the 95% interval for one more row.
    p
        Of the value printed there, by Student's t.
    degrees
        Degrees of freedom of the scatter.
    """

    slope: float
    slope_se: float
    scatter: float
    predicted: float
    low: float
    high: float
    p: float
    degrees: int

    def smoothness(self, spread: float) -> float:
        """Return the probability of no more scatter, were the rows independent with this standard deviation.

        Examples
        --------
        >>> round(power_law((10, 12, 15, 18, 20), 0).smoothness(0.19), 4)
        0.0026
        """
        return float(stats.chi2.cdf(self.degrees * (self.scatter / spread) ** 2, self.degrees))


def power_law(rows: tuple[int, ...], column: int) -> PowerLaw:
    """Fit a power law to all rows but the last and predict the last.

    Examples
    --------
    >>> law = power_law((10, 12, 15, 18, 20), 0)
    >>> round(law.slope, 2), round(law.predicted / 0.000021, 1)
    (-1.83, 5.7)
    """
    x, y = np.log(np.array(rows)), np.log(printed(rows, column))
    design = np.stack([np.ones(len(x)), x], axis=1)
    kept, last = design[:-1], design[-1]
    (intercept, slope), *_ = np.linalg.lstsq(kept, y[:-1], rcond=None)
    degrees = len(kept) - 2
    scatter = float(np.sqrt(((y[:-1] - kept @ [intercept, slope]) ** 2).sum() / degrees))
    inverse = np.linalg.inv(kept.T @ kept)
    predicted = float(last @ [intercept, slope])
    se = scatter * float(np.sqrt(1 + last @ inverse @ last))
    reach = float(stats.t.ppf(0.975, degrees)) * se
    low, high = np.exp([predicted - reach, predicted + reach])
    p = 2 * float(stats.t.sf(abs(y[-1] - predicted) / se, degrees))
    slope_se = scatter * float(np.sqrt(inverse[1, 1]))
    return PowerLaw(float(slope), slope_se, scatter, float(np.exp(predicted)), float(low), float(high), p, degrees)
