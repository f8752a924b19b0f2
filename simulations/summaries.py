"""What the replicates of a study say: RMSE with standard errors, slopes, lack of fit, and a band around exact curves.

Everything is computed from a store alone. A cell with failed replicates has no RMSE: failures are counted and shown,
never dropped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy import stats

from dkps_theory.monte_carlo import log_log_slope, rmse_estimate

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
    failures
        Replicates with a NaN or an infinity.
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


def curves(dataset: xr.Dataset) -> list[Curve]:
    """Return every error that a cell makes a prediction about, in the order of cells and outputs."""
    return [
        _curve(dataset, index, output, float(cell["rates"][output]))
        for index, cell in enumerate(dataset.attrs["cells"])
        for output in dataset.attrs["outputs"]
        if output in cell["rates"]
    ]


def _curve(dataset: xr.Dataset, index: int, output: str, predicted: float) -> Curve:
    r = dataset["r"].to_numpy()
    errors = dataset[output].isel(cell=index).to_numpy()
    exact, share = (_of(dataset, f"{kind}_{output}", index) for kind in ("exact", "share"))
    failed = int((~np.isfinite(errors)).any(axis=1).sum())
    name = dataset.attrs["cells"][index]["name"]
    if failed or len(errors) < FEWEST:
        rmse = np.full(len(r), np.nan) if failed else np.sqrt(np.mean(errors**2, axis=0))
        reason = f"{failed} replicates failed" if failed else f"{len(errors)} replicates are too few for a slope"
        nothing = np.full(len(r), np.nan)
        return Curve(name, output, r, rmse, nothing, exact, share, predicted, None, None, None, reason, failed)
    estimate = rmse_estimate(errors)
    rmse, se = np.asarray(estimate.value), np.asarray(estimate.se)
    fitted = np.ones(len(r), bool) if share is None else share < ASYMPTOTIC_SHARE
    fitted &= rmse > 0
    if fitted.sum() < 2:
        reason = "fewer than two values of r are asymptotic"
        return Curve(name, output, r, rmse, se, exact, share, predicted, None, None, None, reason, 0)
    slope = log_log_slope(r[fitted], errors[:, fitted] ** 2)
    return Curve(
        cell=name,
        output=output,
        r=r,
        rmse=rmse,
        se=se,
        exact=exact,
        share=share,
        predicted=predicted,
        slope=slope.value,
        slope_se=slope.se,
        lack_of_fit_p=slope.lack_of_fit_p,
        warning=slope.warning,
        failures=0,
    )


def _of(dataset: xr.Dataset, name: str, index: int) -> np.ndarray | None:
    values = dataset[name].isel(cell=index).to_numpy() if name in dataset else np.array([np.nan])
    return None if np.isnan(values).all() else values


def band(dataset: xr.Dataset, confidence: float = BAND_CONFIDENCE) -> Band | None:
    """Return the simultaneous band over all exact curves; None without any, or with fewer than 100 replicates.

    Bonferroni over the points, which needs no assumption on how the points of a path depend on each other; at each
    point the interval of :func:`mean_square_factors`.
    """
    known = [c for c in curves(dataset) if c.exact is not None]
    if not known or dataset.sizes["replicate"] < FEWEST_FOR_BAND:
        return None
    points = len(known) * dataset.sizes["r"]
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


#: Columns of :func:`rows`.
COLUMNS: tuple[str, ...] = (
    "cell",
    "output",
    "r",
    "rmse",
    "se",
    "exact_rmse",
    "share",
    "fitted",
    "predicted_slope",
    "slope",
    "slope_se",
    "lack_of_fit_p",
    "failures",
    "replicates",
)


def rows(dataset: xr.Dataset) -> list[dict[str, object]]:
    """Return one row per cell, output and r for a CSV file; what does not exist is None."""
    found: list[dict[str, object]] = []
    b = dataset.sizes["replicate"]
    for curve in curves(dataset):
        for at, r in enumerate(curve.r):
            values = (
                curve.cell,
                curve.output,
                float(r),
                _or_none(curve.rmse[at]),
                _or_none(curve.se[at]),
                None if curve.exact is None else _or_none(curve.exact[at]),
                None if curve.share is None else _or_none(curve.share[at]),
                bool(curve.asymptotic[at]),
                curve.predicted,
                curve.slope,
                curve.slope_se,
                curve.lack_of_fit_p,
                curve.failures,
                b,
            )
            found.append(dict(zip(COLUMNS, values, strict=True)))
    return found


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
