"""What replicates say along r: RMSE with standard errors, slopes, lack of fit, and a band around exact curves.

Everything is computed from a store alone, one output of one cell in memory at a time. A cell with failed replicates has
no RMSE along r: failures are counted and shown, never dropped. :mod:`simulations.performance` has every other measure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from dkps_theory.monte_carlo import log_log_slope, rmse_estimate
from simulations.store import Store

#: Points whose predicted non-asymptotic share of the mean square is below this enter the fit of a slope.
ASYMPTOTIC_SHARE = 0.01

#: Confidence of the simultaneous band around all exact curves of a study.
BAND_CONFIDENCE = 0.999

#: Replicates below which no slope is fitted.
FEWEST = 3

#: Replicates below which no band is drawn: its degrees of freedom are estimated, and too badly for its far tails.
FEWEST_FOR_BAND = 100


@dataclass(frozen=True, eq=False)
class Curve:
    """One error of one cell along r.

    Attributes
    ----------
    cell, output
        Names.
    r, rmse, se
        The grid, root mean square errors and their Monte Carlo standard errors; NaN where a replicate failed.
    exact
        The exact RMSE, or None.
    share
        Predicted non-asymptotic share of the mean square, or None.
    predicted
        Predicted slope.
    slope, slope_se, lack_of_fit_p
        Fitted on the asymptotic points; None where there are fewer than two, or failures.
    warning
        Why the fit should be read with care, or None.
    replicates, failures
        Finished replicates, and those of them with a NaN or an infinity.
    """

    cell: str
    output: str
    r: np.ndarray
    rmse: np.ndarray
    se: np.ndarray
    exact: np.ndarray | None
    share: np.ndarray | None
    predicted: float
    slope: float | None
    slope_se: float | None
    lack_of_fit_p: float | None
    warning: str | None
    replicates: int
    failures: int

    @property
    def asymptotic(self) -> np.ndarray:
        """Which points the predicted rate is meant to describe."""
        return np.ones(len(self.r), bool) if self.share is None else self.share < ASYMPTOTIC_SHARE


@dataclass(frozen=True, eq=False)
class Band:
    """A simultaneous confidence band for simulated over exact RMSE, over every cell, output and r with an exact curve.

    Attributes
    ----------
    cell, output
        Names, one per curve.
    r
        The grid.
    ratio, low, high
        (curves, len(r)) simulated over exact RMSE, and the ends of the band around it.
    confidence, points
        Of all intervals together, and how many there are.
    """

    cell: list[str]
    output: list[str]
    r: np.ndarray
    ratio: np.ndarray
    low: np.ndarray
    high: np.ndarray
    confidence: float
    points: int

    @property
    def outside(self) -> int:
        """How many intervals leave out 1; NaN counts as outside."""
        return int((~((self.low <= 1) & (self.high >= 1))).sum())


def curves(store: Store) -> list[Curve]:
    """Return every error that a cell makes a prediction about, in the order of cells and outputs."""
    return [
        _curve(store, index, output, float(cell["rates"][output]))
        for index, cell in enumerate(store.cells)
        for output in store.outputs
        if output in cell["rates"]
    ]


def _curve(store: Store, index: int, output: str, predicted: float) -> Curve:
    r = np.asarray(store.axis("r"), dtype=np.float64)
    errors = store.values(output, index)
    b = len(errors)
    failed = int((~np.isfinite(errors)).any(axis=1).sum())
    rmse = se = np.full(len(r), np.nan)
    exact, share = (_of(store, f"{kind}_{output}", index) for kind in ("exact", "share"))
    slope, warning = None, None
    if failed:
        warning = f"{failed} replicates failed"
    elif b < FEWEST:
        rmse = np.sqrt(np.mean(errors**2, axis=0)) if b else rmse
        warning = f"{b} replicates are too few for a slope"
    else:
        estimate = rmse_estimate(errors)
        rmse, se = np.asarray(estimate.value), np.asarray(estimate.se)
        fitted = np.ones(len(r), bool) if share is None else share < ASYMPTOTIC_SHARE
        fitted &= rmse > 0
        if fitted.sum() < 2:
            warning = "fewer than two values of r are asymptotic"
        else:
            slope = log_log_slope(r[fitted], errors[:, fitted] ** 2)
            warning = slope.warning
    return Curve(
        cell=store.cells[index]["name"],
        output=output,
        r=r,
        rmse=rmse,
        se=se,
        exact=exact,
        share=share,
        predicted=predicted,
        slope=None if slope is None else slope.value,
        slope_se=None if slope is None else slope.se,
        lack_of_fit_p=None if slope is None else slope.lack_of_fit_p,
        warning=warning,
        replicates=b,
        failures=failed,
    )


def _of(store: Store, name: str, index: int) -> np.ndarray | None:
    values = store.truth(name, index) if name in store.truths else np.array([np.nan])
    return None if np.isnan(values).all() else values


def band(found: Sequence[Curve], confidence: float = BAND_CONFIDENCE) -> Band | None:
    """Return the simultaneous band over all exact curves with at least 100 replicates; None without any.

    Bonferroni over the points, which needs no assumption on how the points of a path depend on each other; at each
    point the interval of :func:`mean_square_factors`.
    """
    known = [c for c in found if c.exact is not None and c.replicates >= FEWEST_FOR_BAND]
    if not known:
        return None
    points = sum(len(c.r) for c in known)
    tail = (1 - confidence) / (2 * points)
    ratio, low, high = [], [], []
    for curve in known:
        # The delta method: the relative error of a mean square is twice that of its root.
        below, above = mean_square_factors(2 * curve.se / curve.rmse, tail)
        ratio.append(curve.rmse / curve.exact)
        low.append(ratio[-1] * np.sqrt(below))
        high.append(ratio[-1] * np.sqrt(above))
    return Band(
        cell=[c.cell for c in known],
        output=[c.output for c in known],
        r=known[0].r,
        ratio=np.array(ratio),
        low=np.array(low),
        high=np.array(high),
        confidence=confidence,
        points=points,
    )


def mean_square_factors(relative_se: np.ndarray, tail: float) -> tuple[np.ndarray, np.ndarray]:
    """Return (low, high): the true mean square lies between low and high times the estimated one.

    Each end misses with probability ``tail``. A mean of squares is skewed like a chi-square variable, not normal, so
    this is Satterthwaite's interval: nu = 2 / relative_se^2 degrees of freedom, and the quantiles of chi-square with as
    many. It is exact when the errors are Gaussian and nu is known; else it is asymptotic in the replicates.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        degrees = 2 / np.square(relative_se)
        return degrees / stats.chi2.isf(tail, degrees), degrees / stats.chi2.ppf(tail, degrees)
