"""Replicates, their keys, and estimates that carry their own standard errors.

The draws of a replicate depend on (seed, name, cell, replicate) and on nothing else: not on the batch, the device, the
worker, the order or the number of replicates. Estimates are computed on the host, in NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float
from scipy import stats

from dkps_theory._keys import are_keys, replicate_keys, study_key
from dkps_theory._types import AnyArray, Key
from dkps_theory._validate import InputError, finite, require, whole_number

__all__ = [
    "Estimate",
    "Slope",
    "clopper_pearson",
    "log_log_slope",
    "mean_estimate",
    "replicate",
    "replicate_keys",
    "rmse_estimate",
    "study_key",
]

#: A lack-of-fit test on fewer replicates than this per degree of freedom is flagged.
REPLICATES_PER_DEGREE = 10


# Replicates


@eqx.filter_jit
def _one_batch(function: Callable[[Key], Any], keys: Key) -> Any:
    """Evaluate one full batch; arrays inside an equinox ``function`` are traced, so its look-alikes share this code."""
    return jax.vmap(function)(keys)


def replicate(function: Callable[[Key], Any], keys: Key, batch_size: int) -> Any:
    """Evaluate ``function`` at every key, in batches of one size, and stack the results on the host.

    Parameters
    ----------
    function
        From one key to a pytree of arrays; pure, and traceable by JAX. An equinox module or a ``jax.tree_util.Partial``
        is compiled once for all its values of the same shapes; any other callable once per object.
    keys : (b,)
        Typed keys, as from :func:`replicate_keys`.
    batch_size
        How many keys are evaluated at once. The last batch is filled up with copies of the last key, and their results
        are dropped, so one shape is compiled and the bits of a replicate do not depend on b. Another batch size draws
        the same numbers and may round differently: the batch size belongs to the study.

    Returns
    -------
    The pytree of ``function``, each leaf a NumPy array with a leading axis b. Only one batch is on the device at a
    time.

    Raises
    ------
    InputError
        When there are no keys, they are not typed keys, or the batch size is not a whole number of at least 1.

    Examples
    --------
    >>> keys = replicate_keys(0, "example", cell=0, start=0, count=5)
    >>> replicate(lambda key: jax.random.normal(key, (3,)), keys, batch_size=2).shape
    (5, 3)
    """
    batch_size = whole_number("batch_size", batch_size, 1)
    require(are_keys(keys) and keys.ndim == 1 and keys.size > 0, "keys: must be a non-empty vector of typed keys")
    b = keys.size
    leaves: list[np.ndarray] = []
    structure = None
    for start in range(0, b, batch_size):
        stop = min(start + batch_size, b)
        batch = keys[np.minimum(np.arange(start, start + batch_size), b - 1)]
        parts, structure = jax.tree.flatten(_one_batch(function, batch))
        if not leaves:
            leaves = [np.empty((b, *part.shape[1:]), dtype=part.dtype) for part in parts]
        for leaf, part in zip(leaves, parts, strict=True):
            leaf[start:stop] = np.asarray(part)[: stop - start]
    return jax.tree.unflatten(structure, leaves)


# Estimates


@dataclass(frozen=True, eq=False)
class Estimate:
    """A Monte Carlo number: value and standard error (one shape), and n, the number of replicates behind it."""

    value: np.ndarray | float
    se: np.ndarray | float
    n: int


def replicates_first(name: str, values: object, fewest: int = 2) -> np.ndarray:
    """Return finite values with a leading axis of at least ``fewest`` replicates."""
    array = finite(name, values)
    require(array.ndim >= 1, f"{name}: got a single number; it must have a leading axis b of replicates")
    require(len(array) >= fewest, f"{name}: got {len(array)} replicates; a standard error needs at least {fewest}")
    return array


def mean_estimate(samples: Float[AnyArray, "b ..."]) -> Estimate:
    """Return the mean over replicates with its standard error sd/sqrt(b).

    Raises
    ------
    InputError
        With fewer than two replicates, or when one is not finite: a failed replicate is a row to count, not to drop.

    Examples
    --------
    >>> mean_estimate(np.array([[1.0, 2.0], [3.0, 2.0]])).se
    array([1., 0.])
    """
    array = replicates_first("samples", samples)
    n = len(array)
    return Estimate(array.mean(axis=0), array.std(axis=0, ddof=1) / math.sqrt(n), n)


def rmse_estimate(errors: Float[AnyArray, "b ..."]) -> Estimate:
    """Return the root mean square of the errors, entry by entry, with its standard error by the delta method.

    With s the mean of the squares, sd(sqrt(s)) is near sd(s) / (2 sqrt(s)). Errors that are all zero give 0 with
    standard error 0. For the root mean square of a norm, pass the norms.

    Raises
    ------
    InputError
        With fewer than two replicates, or when one is not finite.

    Examples
    --------
    >>> rmse_estimate(np.array([[3.0, 0.0], [-3.0, 0.0]])).value
    array([3., 0.])
    """
    array = replicates_first("errors", errors)
    n = len(array)
    # Squares of errors at 1e-200 would underflow, so they are taken relative to the largest.
    largest = np.abs(array).max(axis=0)
    scale = np.where(largest > 0, largest, 1.0)
    squares = (array / scale) ** 2
    root = np.sqrt(squares.mean(axis=0))
    se = squares.std(axis=0, ddof=1) / math.sqrt(n) / (2.0 * np.where(root > 0, root, 1.0))
    return Estimate(scale * root, scale * se, n)


def clopper_pearson(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the exact (Clopper-Pearson, 1934) interval for a probability, ``successes`` out of ``trials``.

    Its coverage is at least ``confidence`` whatever the probability; each end misses with at most half the rest, at 0
    and at ``trials`` too.

    Raises
    ------
    InputError
        When the counts are not whole, out of range, or the confidence is not inside (0, 1).

    Examples
    --------
    >>> low, high = clopper_pearson(0, 100)
    >>> low, round(high, 4)
    (0.0, 0.0362)
    """
    trials = whole_number("trials", trials, 1)
    successes = whole_number("successes", successes, 0, float(trials))
    require(0.0 < confidence < 1.0, f"confidence: got {confidence!r}; it must be inside (0, 1)")
    tail = (1.0 - confidence) / 2.0
    low = float(stats.beta.ppf(tail, successes, trials - successes + 1)) if successes else 0.0
    high = float(stats.beta.isf(tail, successes + 1, trials - successes)) if successes < trials else 1.0
    return low, high


# Rates


@dataclass(frozen=True)
class Slope:
    """The slope of log RMSE on log x.

    Attributes
    ----------
    value, se
        The least-squares slope and its standard error.
    lack_of_fit_p
        The p-value of "the log RMSE is a straight line in log x"; None with two points, or with too few replicates to
        estimate the covariance of the residuals.
    n
        Replicates.
    warning
        Why the numbers should be read with care (few replicates, a curved grid), or None.
    """

    value: float
    se: float
    lack_of_fit_p: float | None
    n: int
    warning: str | None = None


def log_log_slope(
    x: Float[AnyArray, " len"],
    samples_of_squared_errors: Float[AnyArray, "b len"],
) -> Slope:
    """Fit log RMSE = a + slope log x by least squares, with a standard error and a test of the straight line.

    Replicates may be paths (one replicate seen at every x), so the points of the grid are dependent and only the
    replicates are taken as independent. With h_tl = (s_tl / mean_l - 1) / 2 the influence of replicate t on the log
    RMSE at x_l, the standard error of the slope is that of the mean of its weighted influences. Lack of fit is
    Hotelling's T^2 of the len - 2 residual contrasts with their estimated covariance, T^2 (b - q) / (q (b - 1)) ~
    F(q, b - q): the F law, not chi-square, because the covariance comes from b replicates. Both are asymptotic in b.

    Parameters
    ----------
    x : (len,)
        Positive and distinct, at least two.
    samples_of_squared_errors : (b, len)
        Non-negative, and not all zero at any x.

    Raises
    ------
    InputError
        On bad shapes, a non-positive or repeated x, a negative or non-finite square, or a column of zeros (a rate of
        exact zeros does not exist).

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=(200, 4))
    >>> r = np.array([10.0, 100.0, 1000.0, 10000.0])
    >>> slope = log_log_slope(r, noise**2 / r)
    >>> abs(slope.value + 0.5) < 5 * slope.se
    True
    """
    grid = finite("x", x)
    squares = replicates_first("samples_of_squared_errors", samples_of_squared_errors, fewest=3)
    b, length = squares.shape
    require(len(grid) == length, f"x: got {len(grid)} points for {length} columns of squared errors")
    require(length >= 2 and len(np.unique(grid)) == length, "x: needs at least two points, all distinct")
    require(bool(grid.min() > 0), f"x: got {grid.min():g}; every point must be positive")
    require(bool(squares.min() >= 0), "samples_of_squared_errors: a square is negative")
    means = squares.mean(axis=0)
    if not means.min() > 0:
        at = grid[int(means.argmin())]
        raise InputError(f"samples_of_squared_errors: every error at x = {at:g} is zero; drop that point")

    log_x = np.log(grid)
    centred = log_x - log_x.mean()
    weights = centred / (centred @ centred)
    log_rmse = 0.5 * np.log(means)
    influence = 0.5 * (squares / means - 1.0)
    value = float(weights @ log_rmse)
    se = float((influence @ weights).std(ddof=1) / math.sqrt(b))
    p, warning = _lack_of_fit(centred, log_rmse, influence)
    return Slope(value, se, p, b, warning)


def _lack_of_fit(centred: np.ndarray, log_rmse: np.ndarray, influence: np.ndarray) -> tuple[float | None, str | None]:
    """Return the p-value of the straight line and a warning."""
    b, length = influence.shape
    q = length - 2
    if q == 0:
        return None, None
    if b <= q + 1:
        return None, f"{b} replicates cannot estimate the covariance of {q} residual contrasts: lack of fit not tested"
    line = np.stack([np.ones(length), centred], axis=1)
    basis = np.linalg.qr(line, mode="complete")[0][:, 2:]
    contrasts = log_rmse @ basis
    variances, directions = np.linalg.eigh(np.cov(influence @ basis, rowvar=False).reshape(q, q) / b)
    contrasts = contrasts @ directions
    # Errors that are the same in every replicate, or the same up to a factor along the grid, leave directions without
    # noise; there the line fits exactly or not at all.
    noisy = variances > max(variances.max() * length, 1.0) * np.finfo(float).eps ** 2 * length
    rounding = 1e-12 * max(1.0, np.abs(log_rmse).max())
    if np.any(np.abs(contrasts[~noisy]) > rounding):
        return 0.0, "the log RMSE is not a straight line in log x, without any Monte Carlo noise"
    q = int(noisy.sum())
    if q == 0:
        return 1.0, None
    t_squared = float(np.sum(contrasts[noisy] ** 2 / variances[noisy]))
    p = float(stats.f.sf(t_squared * (b - q) / (q * (b - 1)), q, b - q))
    notes = []
    if b < REPLICATES_PER_DEGREE * q:
        notes.append(f"{b} replicates are few for {q} residual contrasts: the lack-of-fit p-value is rough")
    if p < 1e-3:
        notes.append(f"the line does not fit (p = {p:.1e}): the grid may be pre-asymptotic")
    return p, "; ".join(notes) or None
