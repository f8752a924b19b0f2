"""The performance measures of a study, entry by entry, each with its Monte Carlo standard error.

Replicates that failed are counted in every row, zero included. A value is computed from the replicates that did not
fail, and says so; for proportions the row also says what it would be if failures were all misses, or all hits.

One part of one output of one cell is in memory at a time, so a store may be larger than memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import stats

from dkps_theory.monte_carlo import clopper_pearson, mean_estimate, rmse_estimate
from simulations.estimates import quantile_estimate, rmse_ratio_estimate, sd_estimate
from simulations.slabs import SLAB, entries_of, labels_of, slabs
from simulations.store import Store
from simulations.summaries import mean_square_factors

#: Confidence of the interval of each row.
CONFIDENCE = 0.95

#: Measures that are proportions of replicates.
PROPORTIONS = ("coverage", "rejection")


@dataclass(frozen=True)
class Row:
    """One performance measure of one entry of an output in one cell.

    Attributes
    ----------
    measure, kind, output, cell
        Name and kind of the measure, and names of the output and of the cell.
    labels
        Where the entry stands: the value or label along each axis of the output, or the index.
    value, se
        The measure and its Monte Carlo standard error; None where they do not exist.
    low, high
        A 95% interval: Clopper-Pearson's for proportions, between order statistics for quantiles, Student's for means,
        Satterthwaite's for mean squares, normal on the log scale for ratios.
    n
        Replicates behind the value.
    failures
        Finished replicates that failed in this entry.
    note
        How to read it.
    if_misses, if_hits
        Of a proportion: its value if every failure counts as a miss, or as a hit.
    """

    measure: str
    kind: str
    output: str
    cell: str
    labels: Mapping[str, float | int | str]
    value: float | None
    se: float | None
    low: float | None
    high: float | None
    n: int
    failures: int
    note: str = ""
    if_misses: float | None = None
    if_hits: float | None = None


@dataclass(frozen=True, eq=False)
class _Found:
    """A measure of several entries without failures: one number for each."""

    value: np.ndarray
    se: np.ndarray
    low: np.ndarray
    high: np.ndarray
    notes: Sequence[str] = field(default=())


def performance(store: Store, *, slab: int = SLAB) -> Iterator[Row]:
    """Return every measure of the study, in the order of measures, cells and entries.

    Parameters
    ----------
    store
        What is summarised; unfinished cells give rows of fewer replicates, and cells without any, rows without values.
    slab
        Bytes of one output to have in memory at once; one entry is always read whole.
    """
    for measure in store.manifest["measures"]:
        for cell in range(len(store.cells)):
            yield from measured(store, measure, cell, slab=slab)


def measured(store: Store, measure: Mapping[str, Any], cell: int, *, slab: int = SLAB) -> Iterator[Row]:
    """Return one measure of one cell, entry by entry; nothing where an output does not apply to the cell.

    Parameters
    ----------
    store
        What is summarised.
    measure
        The fields of a :class:`simulations.measures.Measure` and its name, as in the manifest.
    cell
        Index of the cell.
    slab
        As in :func:`performance`.
    """
    output = measure["output"]
    for block, columns in slabs(store, measure, cell, slab):
        summaries = [
            _summary(measure, tuple(part[:, at] for part in columns)) if bad else None
            for at, bad in enumerate(np.atleast_1d(_failed(columns).any(axis=0)))
        ]
        clean = [at for at, one in enumerate(summaries) if one is None]
        if clean:
            whole = len(clean) == len(summaries)
            together = _found(measure, columns if whole else tuple(part[:, clean] for part in columns))
            count = len(columns[0])
            for position, at in enumerate(clean):
                summaries[at] = _fields(measure, together, position, count, 0)
        for entry, summary in zip(entries_of(block), summaries, strict=True):
            labels = labels_of(store, store.outputs[output]["dims"], entry)
            name = store.cells[cell]["name"]
            yield Row(measure["name"], measure["kind"], output, name, labels, **(summary or {}))


def target_mcse(store: Store, cell: int) -> float:
    """Return the largest Monte Carlo standard error of the target measure over the entries of a cell.

    It is relative to the value when the target says so, and infinite while an entry has fewer than two replicates that
    did not fail. A proportion p of b replicates counts as (p b + 2) / (b + 4) here (Agresti and Coull, 1998): the plain
    standard error is 0 as long as all replicates agree, which would stop a run after a few of them. Where another
    measure has a standard error of 0 its replicates agree too, and nothing is known: infinite. An entry that failed in
    all but one of several replicates, and a cell that the target does not apply to, have nothing to wait for: 0.
    """
    target = store.manifest["target"]
    worst = 0.0
    for row in measured(store, target, cell):
        se = row.se
        if row.kind in PROPORTIONS and row.value is not None and row.n >= 2:
            adjusted = (row.value * row.n + 2.0) / (row.n + 4.0)
            se = math.sqrt(adjusted * (1.0 - adjusted) / (row.n + 4.0))
        if row.n < 2 <= row.failures:
            continue
        if not se or row.value is None or row.n < 2:
            return math.inf
        if target["relative"]:
            se = se / abs(row.value) if row.value else math.inf
        worst = max(worst, se)
    return worst


# Computing


def _failed(columns: tuple[np.ndarray, ...]) -> np.ndarray:
    return np.logical_or.reduce([~np.isfinite(part) for part in columns])


def _summary(measure: Mapping[str, Any], columns: tuple[np.ndarray, ...]) -> dict[str, Any]:
    """Summarise one entry, (b,) each, of which some replicates failed."""
    failed = _failed(columns)
    good = tuple(part[~failed][:, None] for part in columns)
    return _fields(measure, _found(measure, good), 0, len(good[0]), int(failed.sum()))


#: Measures whose standard error comes from the spread of squares, and the replicates below which their intervals, which
#: are asymptotic, cover clearly less than they say (0.93 at 50, 0.87 at 10 for normal errors).
_OF_SQUARES, _MANY = ("empirical_se", "rmse", "rmse_ratio"), 50


def _fields(measure: Mapping[str, Any], found: _Found, at: int, n: int, failures: int) -> dict[str, Any]:
    """Return the numbers of a row."""
    value, se, low, high = (or_none(part[at]) for part in (found.value, found.se, found.low, found.high))
    notes = [f"given success: {failures} of {n + failures} failed"] if failures else []
    fields: dict[str, Any] = {"value": value, "se": se, "low": low, "high": high, "n": n, "failures": failures}
    if n < 2:
        notes.append("fewer than 2 replicates")
    elif measure["kind"] in _OF_SQUARES and se == 0 and value:
        # Two replicates are always equally far from their mean; nothing is known about the spread of squares.
        fields |= {"se": None, "low": None, "high": None}
        notes.append("all squares are equal: no standard error")
    elif measure["kind"] in _OF_SQUARES and n < _MANY:
        notes.append(f"{n} replicates are few for an interval from squares")
    if n >= 2 and found.notes and found.notes[at]:
        notes.append(found.notes[at])
    if measure["kind"] in PROPORTIONS and n + failures:
        hits = 0.0 if value is None else value * n
        fields["if_misses"], fields["if_hits"] = hits / (n + failures), (hits + failures) / (n + failures)
        if failures:
            bounds = f"{fields['if_misses']:.4g} to {fields['if_hits']:.4g}"
            notes.append(f"{bounds} counting failures as misses or as hits")
    return fields | {"note": "; ".join(notes)}


def or_none(value: float) -> float | None:
    """Return a number, or None for what is not finite."""
    return float(value) if np.isfinite(value) else None


def _found(measure: Mapping[str, Any], columns: tuple[np.ndarray, ...]) -> _Found:
    """Compute a measure of entries without failures, (b, entries) each."""
    if len(columns[0]) < (1 if measure["kind"] in PROPORTIONS else 2):
        nothing = np.full(columns[0].shape[1], np.nan)
        return _Found(nothing, nothing, nothing, nothing)
    return _COMPUTE[measure["kind"]](measure, *columns)


def _mean(_measure: Mapping[str, Any], samples: np.ndarray) -> _Found:
    one = mean_estimate(samples)
    value, se = np.asarray(one.value), np.asarray(one.se)
    half = float(stats.t.isf((1 - CONFIDENCE) / 2, one.n - 1)) * se
    return _Found(value, se, value - half, value + half)


def _root(value: np.ndarray, se: np.ndarray) -> _Found:
    """Give a root mean square the interval of its square."""
    relative = np.where(se > 0, 2 * se / np.where(value > 0, value, 1.0), np.nan)
    low, high = mean_square_factors(relative, (1 - CONFIDENCE) / 2)
    still = se == 0
    return _Found(value, se, value * np.sqrt(np.where(still, 1.0, low)), value * np.sqrt(np.where(still, 1.0, high)))


def _empirical_se(_measure: Mapping[str, Any], samples: np.ndarray) -> _Found:
    one = sd_estimate(samples)
    return _root(np.asarray(one.value), np.asarray(one.se))


def _rmse(_measure: Mapping[str, Any], errors: np.ndarray) -> _Found:
    one = rmse_estimate(errors)
    return _root(np.asarray(one.value), np.asarray(one.se))


def _proportion(_measure: Mapping[str, Any], *columns: np.ndarray) -> _Found:
    """Count hits: of indicators, or of intervals less the truth that hold 0."""
    hit = (columns[0] <= 0) & (columns[1] >= 0) if len(columns) == 2 else columns[0] != 0
    b, hits = len(hit), hit.sum(axis=0)
    value = hits / b
    low, high = clopper_pearson_ends(hits, b)
    return _Found(value, np.sqrt(value * (1 - value) / b) if b > 1 else np.full(len(hits), np.nan), low, high)


def clopper_pearson_ends(hits: np.ndarray, trials: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the exact intervals of many counts at once."""
    counts, places = np.unique(hits.astype(int), return_inverse=True)
    ends = np.array([clopper_pearson(int(count), trials, CONFIDENCE) for count in counts])[places]
    return ends[:, 0], ends[:, 1]


def _quantile(measure: Mapping[str, Any], samples: np.ndarray) -> _Found:
    one = quantile_estimate(samples, measure["level"], CONFIDENCE)
    se = np.asarray(one.se)
    notes = [
        "" if known else "too few replicates beyond the quantile for a standard error" for known in np.isfinite(se)
    ]
    return _Found(np.asarray(one.value), se, np.asarray(one.low), np.asarray(one.high), notes)


def _rmse_ratio(_measure: Mapping[str, Any], errors: np.ndarray, against: np.ndarray) -> _Found:
    one = rmse_ratio_estimate(errors, against)
    value, se, apart = np.asarray(one.value), np.asarray(one.se), np.asarray(one.independent_se)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.exp(float(stats.norm.isf((1 - CONFIDENCE) / 2)) * np.where(value > 0, se / value, 0.0))
    notes = [_pairing(mine, other) for mine, other in zip(se, apart, strict=True)]
    return _Found(value, se, value / factor, value * factor, notes)


def _pairing(se: float, apart: float) -> str:
    if not np.isfinite(se):
        return "the denominator is zero"
    if not (se > 0 and apart > 0):
        return ""
    return f"the standard error is {se / apart:.2g} times that of independent runs, by pairing"


_COMPUTE: dict[str, Callable[..., _Found]] = {
    "mean": _mean,
    "bias": _mean,
    "empirical_se": _empirical_se,
    "rmse": _rmse,
    "coverage": _proportion,
    "rejection": _proportion,
    "quantile": _quantile,
    "rmse_ratio": _rmse_ratio,
}
