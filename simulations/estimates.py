"""Estimates that summaries of studies need: standard deviations, quantiles, paired ratios, slopes across cells.

Like :mod:`dkps_theory.monte_carlo`, each comes with its standard error, and all is NumPy on the host.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import stats

from dkps_theory._types import AnyArray
from dkps_theory._validate import InputError, finite, require
from dkps_theory.monte_carlo import Estimate, Slope, replicates_first, rmse_estimate

#: Below this p-value a straight line is said not to fit.
NO_LINE = 1e-3

#: Replicates in a cell below which a lack-of-fit test is flagged.
FEW = 200


def sd_estimate(samples: Float[AnyArray, "b ..."]) -> Estimate:
    """Return the standard deviation over replicates, entry by entry: the empirical standard error of an estimator.

    Its own standard error comes from the fourth central moment, so the samples need not be normal: with s^2 the
    variance, sd(s) is near sd(s^2) / (2 s), and sd(s^2) near the standard deviation of squared deviations over sqrt(b).
    Samples that are all equal give 0 with standard error 0.

    Raises
    ------
    InputError
        With fewer than two replicates, or when one is not finite.

    Examples
    --------
    >>> sd_estimate(np.array([[3.0, 1.0], [-3.0, 1.0], [3.0, 1.0], [-3.0, 1.0]])).se
    array([0., 0.])
    """
    array = replicates_first("samples", samples)
    n = len(array)
    root = rmse_estimate(array - array.mean(axis=0))
    correction = math.sqrt(n / (n - 1))
    return Estimate(correction * root.value, correction * root.se, n)


@dataclass(frozen=True, eq=False)
class PairedRatio:
    """A ratio of root mean squares in the same replicates.

    Attributes
    ----------
    value, se
        The ratio and its standard error, which knows that the replicates are paired.
    independent_se
        What the standard error would be if numerator and denominator had replicates of their own, as many each.
    n
        Replicates.
    """

    value: np.ndarray | float
    se: np.ndarray | float
    independent_se: np.ndarray | float
    n: int


def rmse_ratio_estimate(errors: Float[AnyArray, "b ..."], against: Float[AnyArray, "b ..."]) -> PairedRatio:
    """Return the RMSE of ``errors`` over that of ``against``, entry by entry, both from the same replicates.

    The delta method on the logarithm: with s_t the squares of one and u_t of the other, replicate t moves the log ratio
    by (s_t / mean(s) - u_t / mean(u)) / 2. Where the denominator is zero the ratio is NaN.

    Raises
    ------
    InputError
        With fewer than two replicates, other shapes, or when one is not finite.

    Examples
    --------
    >>> one = rmse_ratio_estimate(np.array([2.0, -4.0, 6.0]), np.array([1.0, 2.0, 3.0]))
    >>> float(one.value), float(one.se), float(one.independent_se) > 0.5
    (2.0, 0.0, True)
    """
    above, below = replicates_first("errors", errors), replicates_first("against", against)
    require(above.shape == below.shape, f"against: got shape {below.shape}; errors have {above.shape}")
    n, tops, bottoms = len(above), rmse_estimate(above), rmse_estimate(below)
    influences = []
    for array, root in ((above, tops.value), (below, bottoms.value)):
        influences.append(0.5 * np.square(array / np.where(np.asarray(root) > 0, root, np.nan)))
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.asarray(tops.value) / np.where(np.asarray(bottoms.value) > 0, bottoms.value, np.nan)
    still = np.asarray(tops.value) == 0  # a numerator that is exactly zero has no noise
    first = np.where(still, 0.0, influences[0])
    joint = (first - influences[1]).std(axis=0, ddof=1)
    apart = np.sqrt(first.var(axis=0, ddof=1) + influences[1].var(axis=0, ddof=1))
    return PairedRatio(value, value * joint / math.sqrt(n), value * apart / math.sqrt(n), n)


@dataclass(frozen=True, eq=False)
class Quantile:
    """A sample quantile, entry by entry.

    Attributes
    ----------
    value, se
        The quantile and its standard error; NaN with too few replicates beyond it.
    low, high
        Ends of a distribution-free interval, infinite with too few replicates beyond them.
    n
        Replicates.
    """

    value: np.ndarray | float
    se: np.ndarray | float
    low: np.ndarray | float
    high: np.ndarray | float
    n: int


def quantile_estimate(samples: Float[AnyArray, "b ..."], level: float, confidence: float = 0.95) -> Quantile:
    """Return a sample quantile with an interval between order statistics.

    The number of samples below the quantile is binomial whatever their law, so the interval covers with at least
    ``confidence``; each end misses with at most half the rest. The standard error is Woodruff's (1952): the distance
    between the sample quantiles at level -+ z sqrt(level (1 - level) / b), over 2 z, z the normal quantile of
    ``confidence``; it is asymptotic in b.

    Raises
    ------
    InputError
        With fewer than two replicates, one that is not finite, or a level or confidence outside (0, 1).

    Examples
    --------
    >>> one = quantile_estimate(np.arange(1.0, 102.0), 0.5)
    >>> float(one.value), float(one.low), float(one.high)
    (51.0, 41.0, 61.0)
    """
    array = np.sort(replicates_first("samples", samples), axis=0)
    require(0.0 < level < 1.0, f"level: got {level!r}; it must be inside (0, 1)")
    require(0.0 < confidence < 1.0, f"confidence: got {confidence!r}; it must be inside (0, 1)")
    n, tail = len(array), (1.0 - confidence) / 2.0
    # X_(l) is above the quantile when fewer than l samples are below it, X_(u) below it when at least u are.
    lower = int(stats.binom.ppf(tail, n, level))
    upper = int(stats.binom.isf(tail, n, level)) + 1
    endless = np.full(array.shape[1:], np.inf)
    low = array[lower - 1] if lower >= 1 else -endless
    high = array[upper - 1] if upper <= n else endless
    z = float(stats.norm.isf(tail))
    margin = z * math.sqrt(level * (1.0 - level) / n)
    if not 0.0 < level - margin < level + margin < 1.0:
        return Quantile(np.quantile(array, level, axis=0), np.full(array.shape[1:], np.nan), low, high, n)
    below, value, above = np.quantile(array, [level - margin, level, level + margin], axis=0)
    return Quantile(value, (above - below) / (2.0 * z), low, high, n)


def slope_across_cells(
    x: Float[AnyArray, " len"],
    rmse: Float[AnyArray, " len"],
    se: Float[AnyArray, " len"],
    replicates: Sequence[int],
) -> Slope:
    """Fit log RMSE = a + slope log x by least squares, where every point comes from replicates of its own.

    The variance of each log RMSE is known from its own replicates, v_l = (se_l / rmse_l)^2, so the standard error of
    the slope is that of a weighted sum of independent terms. Lack of fit is the sum of squares Q about the line fitted
    with weights 1 / v_l, on q = len - 2 degrees of freedom; since the v_l are estimated, Q / c is compared with
    F(q, f), as Welch (1951) does for means and Johansen (1980) in general: with h_l the leverages and A the sum of
    (1 - h_l)^2 / (b_l - 1), c = q + 2 A (q - 1) / (q + 2) and f = q (q + 2) / (3 A). With replicates that are shared by
    the points, use :func:`dkps_theory.monte_carlo.log_log_slope`.

    Parameters
    ----------
    x : (len,)
        Positive and distinct, at least two.
    rmse, se : (len,)
        Positive root mean squares and their standard errors.
    replicates
        Behind each point, at least two.

    Raises
    ------
    InputError
        On bad shapes, a non-positive or repeated x, or an RMSE that is not positive.

    Examples
    --------
    >>> x = np.array([10.0, 100.0, 1000.0])
    >>> slope = slope_across_cells(x, 3 / np.sqrt(x), 0.01 / np.sqrt(x), [100, 100, 100])
    >>> round(slope.value, 6), round(slope.se, 6), round(slope.lack_of_fit_p, 6)
    (-0.5, 0.001024, 1.0)
    """
    grid, roots, errors = finite("x", x), finite("rmse", rmse), finite("se", se)
    length = len(grid)
    require(len(roots) == len(errors) == len(replicates) == length, "x: needs one RMSE, error and count for each point")
    require(length >= 2 and len(np.unique(grid)) == length, "x: needs at least two points, all distinct")
    require(bool(grid.min() > 0), f"x: got {grid.min():g}; every point must be positive")
    if not roots.min() > 0:
        raise InputError(f"rmse: every error at x = {grid[int(roots.argmin())]:g} is zero; drop that point")
    require(min(replicates) >= 2, "replicates: every point needs at least 2")
    log_x, log_rmse, variances = np.log(grid), np.log(roots), np.square(errors / roots)
    centred = log_x - log_x.mean()
    weights = centred / (centred @ centred)
    value = float(weights @ log_rmse)
    slope_se = float(np.sqrt(np.square(weights) @ variances))
    p, warning = _lack_of_fit(log_x, log_rmse, variances, np.asarray(replicates, dtype=float) - 1.0)
    return Slope(value, slope_se, p, int(min(replicates)), warning)


def _lack_of_fit(
    log_x: np.ndarray, log_rmse: np.ndarray, variances: np.ndarray, degrees: np.ndarray
) -> tuple[float | None, str | None]:
    """Return the p-value of the straight line and a warning."""
    q = len(log_x) - 2
    if q == 0:
        return None, None
    if not variances.min() > 0:
        return None, "a point has no Monte Carlo noise: lack of fit not tested"
    root = 1.0 / np.sqrt(variances)
    basis = np.linalg.qr(np.stack([root, root * (log_x - log_x.mean())], axis=1))[0]
    scaled = root * log_rmse
    residuals = scaled - basis @ (basis.T @ scaled)
    quadratic = float(residuals @ residuals)
    spread = float(np.sum((1.0 - np.square(basis).sum(axis=1)) ** 2 / degrees))
    correction = q + 2.0 * spread * (q - 1) / (q + 2)
    p = float(stats.f.sf(quadratic / correction, q, q * (q + 2) / (3.0 * spread)))
    notes = []
    if degrees.min() + 1 < FEW:
        notes.append(f"{int(degrees.min()) + 1} replicates are few: the lack-of-fit p-value is rough")
    if p < NO_LINE:
        notes.append(f"the line does not fit (p = {p:.1e}): the grid may be pre-asymptotic")
    return p, "; ".join(notes) or None
