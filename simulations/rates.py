"""Rates across cells: the slope of log RMSE on the logarithm of a factor, with its standard error and lack of fit.

Cells with streams of their own have independent replicates, and the noise of each point is known from its own cell.
Cells that share a stream share random numbers: there the replicates that all of them have are taken as paths.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dkps_theory.monte_carlo import Slope, log_log_slope
from simulations.estimates import slope_across_cells
from simulations.performance import Row, measured
from simulations.slabs import SLAB, one_entry
from simulations.store import Store
from simulations.summaries import FEWEST

#: Labels of an entry by axis, in order.
_Place = tuple[tuple[str, Any], ...]


#: A slope that is further off the predicted one than this and three standard errors is said to be off: it is fitted on
#: a finite range, where the slope of the limit need not be reached.
OFF = 0.05


@dataclass(frozen=True, eq=False)
class RateFit:
    """A fitted rate of one entry of an output, across cells that agree in all factors but one.

    Attributes
    ----------
    output, along
        Names of the error and of the factor.
    levels, labels
        The levels of the other factors, and where the entry stands.
    x, rmse, se
        Levels of the factor in rising order, root mean square errors and their standard errors; NaN where unknown.
    predicted
        The predicted slope.
    slope, slope_se, lack_of_fit_p
        Fitted over all levels; None where that is not possible.
    replicates, failures
        The fewest replicates of a cell, and the failed ones of all cells.
    warning
        How to read it, or why there is no slope; empty when there is nothing to say.
    """

    output: str
    along: str
    levels: Mapping[str, float | int | str]
    labels: Mapping[str, float | int | str]
    x: np.ndarray
    rmse: np.ndarray
    se: np.ndarray
    predicted: float
    slope: float | None
    slope_se: float | None
    lack_of_fit_p: float | None
    replicates: int
    failures: int
    warning: str


def fitted_rates(store: Store, *, slab: int = SLAB) -> Iterator[RateFit]:
    """Return every rate of the study, group by group, in the order of the manifest.

    Parameters
    ----------
    store
        What is summarised.
    slab
        As in :func:`simulations.performance.performance`.
    """
    for rate in store.manifest["rates"]:
        rows: dict[int, dict[_Place, Row]] = {}
        for group in rate["groups"]:
            for cell in group["cells"]:
                if cell not in rows:
                    found = measured(store, _as_measure(rate), cell, slab=slab)
                    rows[cell] = {tuple(row.labels.items()): row for row in found}
            yield _fit(store, rate, group, rows)


def _as_measure(rate: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": f"rmse of {rate['output']}",
        "kind": "rmse",
        "output": rate["output"],
        "truth": rate["truth"],
        "upper": None,
        "against": None,
    }


def _fit(
    store: Store, rate: Mapping[str, Any], group: Mapping[str, Any], rows: Mapping[int, Mapping[_Place, Row]]
) -> RateFit:
    order = np.argsort(group["x"], kind="stable")
    cells = [group["cells"][at] for at in order]
    place = tuple(group["labels"].items())
    points = [rows[cell].get(place) for cell in cells]
    x = np.asarray([group["x"][at] for at in order], dtype=np.float64)
    rmse = np.array([np.nan if point is None or point.value is None else point.value for point in points])
    se = np.array([np.nan if point is None or point.se is None else point.se for point in points])
    counts = [0 if point is None else point.n for point in points]
    failures = sum(0 if point is None else point.failures for point in points)
    notes = [f"given success: {failures} replicates failed"] if failures else []
    slope = None
    if not np.isfinite(rmse).all():
        without = ", ".join(f"{value:g}" for value in x[~np.isfinite(rmse)])
        notes.append(f"no slope: too few replicates at {rate['along']} = {without}")
    elif min(counts) < FEWEST:
        notes.append(f"no slope: fewer than {FEWEST} replicates in a cell")
    elif not (x.min() > 0 and rmse.min() > 0):
        notes.append("no slope: a level or an error is zero")
    else:
        slope, counts = _slope(store, rate, group, cells, x, rmse, se, counts)
        if slope is None:
            notes.append(f"no slope: fewer than {FEWEST} replicates that all cells share")
        elif slope.warning:
            notes.append(slope.warning)
    off = 0.0 if slope is None else slope.value - float(group["predicted"])
    if slope is not None and abs(off) > OFF + 3 * slope.se:
        notes.append(f"off the predicted slope by {off:+.2f}".replace("-", "\u2212"))
    return RateFit(
        output=rate["output"],
        along=rate["along"],
        levels=group["levels"],
        labels=group["labels"],
        x=x,
        rmse=rmse,
        se=se,
        predicted=float(group["predicted"]),
        slope=None if slope is None else slope.value,
        slope_se=None if slope is None else slope.se,
        lack_of_fit_p=None if slope is None else slope.lack_of_fit_p,
        replicates=min(counts),
        failures=failures,
        warning="; ".join(notes),
    )


def _slope(
    store: Store,
    rate: Mapping[str, Any],
    group: Mapping[str, Any],
    cells: list[int],
    x: np.ndarray,
    rmse: np.ndarray,
    se: np.ndarray,
    counts: list[int],
) -> tuple[Slope | None, list[int]]:
    """Fit the slope, and return how many replicates of each cell are behind it."""
    if len({store.cells[cell]["stream"] for cell in cells}) == len(cells):
        return slope_across_cells(x, rmse, se, counts), counts
    shared, errors = None, []
    for cell in cells:
        replicates = store.finished(cell)
        values = one_entry(store, _as_measure(rate), cell, group["labels"])[0]
        good = np.isfinite(values)
        errors.append(dict(zip(replicates[: len(values)][good].tolist(), values[good].tolist(), strict=True)))
        shared = set(errors[-1]) if shared is None else shared & set(errors[-1])
    common = sorted(shared or ())
    if len(common) < FEWEST:
        return None, [len(common)]
    squares = np.array([[of[replicate] ** 2 for of in errors] for replicate in common])
    return log_log_slope(x, squares), [len(common)]
