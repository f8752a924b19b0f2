"""The reported standard errors and intervals, checked against the spread over many independent runs."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from scipy import stats

from simulations.estimates import rmse_ratio_estimate
from simulations.grid import Cell
from simulations.measures import Measure, Rate
from simulations.performance import measured, performance
from simulations.rates import fitted_rates
from tests.simulations.planted import planted

RUNS, REPLICATES, SIZES = 5000, 400, (4.0, 16.0, 64.0)


@pytest.fixture
def many_runs():
    """Many independent runs of one small study, side by side: the entries of one store, along the axis ``run``.

    Errors follow a Gamma law of shape 4, less its mean, over sqrt(n): they are skewed, with kurtosis 4.5, so formulas
    for normal errors are wrong for them. The second method has the first one's error and some of its own.
    """

    def make(key, runs=RUNS, sizes=SIZES):
        arrays = []
        for size, part in zip(sizes, jax.random.split(key, len(sizes)), strict=True):
            first, second = jax.random.split(part)
            error = -jax.numpy.log(jax.random.uniform(first, (4, REPLICATES, runs), minval=1e-12).prod(0)) / 4 - 1
            own = 0.4 * jax.random.normal(second, (REPLICATES, runs))
            scaled, half = np.asarray(error / np.sqrt(size)), 0.9 / np.sqrt(size)
            arrays.append(
                {
                    "estimate": 3 + scaled,
                    "other": 3 + scaled + np.asarray(own / np.sqrt(size)),
                    "low": 3 + scaled - half,
                    "high": 3 + scaled + half,
                    "hit": (scaled > half).astype(float),
                }
            )
        return planted(
            arrays,
            dims=dict.fromkeys(("estimate", "other", "low", "high", "hit"), ("run",)),
            truths=[{"theta": np.asarray(3.0)}] * len(sizes),
            truth_dims={"theta": ()},
            cells=tuple(Cell(f"n={n:g}", factors={"n": n}) for n in sizes),
            batch_size=REPLICATES,
            measures=(
                Measure("bias", "estimate", truth="theta"),
                Measure("empirical_se", "estimate"),
                Measure("rmse", "estimate", truth="theta"),
                Measure("coverage", "low", truth="theta", upper="high"),
                Measure("rejection", "hit"),
                Measure("quantile", "estimate", level=0.75),
                Measure("rmse_ratio", "estimate", truth="theta", against="other"),
            ),
            rates=(Rate("estimate", "n", lambda levels: -0.5, truth="theta"),),
        )

    return make


#: How far the mean squared standard error may be from the variance to first order in 1 / b, in shares of it.
#: A delta-method variance is off by c / b, with c a combination of moments up to the eighth; at b = 400, 5% is c = 20.
BIAS = 0.05

#: A standard error that is wrong by this much must be seen.
WRONG = 1.15


def judged(values, errors, rate, bias=BIAS):
    """Return whether standard errors match the spread of the values over runs, with false alarms at ``rate``.

    Over runs, the variance of nearly normal values has the law of chi-square with RUNS - 1 degrees of freedom; its
    tails are widened by the excess kurtosis of the values, which means of b replicates keep below 0.3, and by ``bias``.
    """
    degrees = (len(values) - 1) / (1 + 0.3 / 2)
    low, high = stats.chi2.ppf(rate / 2, degrees) / degrees, stats.chi2.isf(rate / 2, degrees) / degrees
    ratio = np.var(values, ddof=1) / np.mean(np.square(errors))
    return (1 - bias) * low <= ratio <= (1 + bias) * high


def test_reported_standard_errors_match_the_spread_over_independent_runs(many_runs, stat):
    """5,000 runs; false alarms at the test's rate in all; a standard error wrong by 15% is seen with power over 0.99.

    A variance over 5,000 runs is known to 2.1%, so at six sigma the band is about -17% to +19% with the allowance of
    5%; 15% in a standard error is -24% or +32% in its square, more than three sigma outside.
    """
    store = many_runs(stat.key())
    found: dict[str, list[tuple[float, float]]] = {}
    for measure in store.manifest["measures"]:
        found[measure["kind"]] = [(row.value, row.se) for row in measured(store, measure, 1)]
    fits = list(fitted_rates(store))
    found["slope"] = [(fit.slope, fit.slope_se) for fit in fits]
    # Without pairing: the denominator of each ratio from the run after it.
    estimate, other = (store.values(name, 1) - 3.0 for name in ("estimate", "other"))
    apart = rmse_ratio_estimate(estimate, np.roll(other, 1, axis=1))
    paired = rmse_ratio_estimate(estimate, other)
    np.testing.assert_allclose([row[1] for row in found["rmse_ratio"]], paired.se)
    found["unpaired ratio"] = list(zip(apart.value.tolist(), paired.independent_se.tolist(), strict=True))
    assert sorted(found) == sorted(
        ["bias", "empirical_se", "rmse", "coverage", "rejection", "quantile", "rmse_ratio", "slope", "unpaired ratio"]
    )
    rate = stat.rate / (len(found) + 1)
    # A straight line is refused as often as it says, but for a first-order error; a test that does not know that the
    # variances are estimated, or takes one of them for all, would be off by more.
    alarms = sum(fit.lack_of_fit_p < 0.05 for fit in fits)
    assert stats.binom.ppf(rate / 2, RUNS, 0.045) <= alarms <= stats.binom.isf(rate / 2, RUNS, 0.06)
    for kind, pairs in found.items():
        values, errors = np.array(pairs).T
        assert len(values) == RUNS
        # A quantile's standard error is itself noisy: its square is too large by 1 / (2 z sqrt(b p (1 - p))), 3% here.
        bias = 0.08 if kind == "quantile" else BIAS
        assert judged(values, errors, rate, bias), (kind, np.var(values, ddof=1) / np.mean(np.square(errors)))
        if kind == "quantile":
            continue  # its power against 15% is 0.95 at the suite's rate, so a miss would not be an error
        for wrong in (WRONG, 1 / WRONG):
            assert not judged(values, wrong * errors, rate, bias), f"{kind}: a standard error off by 15% is not seen"


def test_intervals_cover_as_often_as_they_say(many_runs, stat):
    """Nominal 95%: the exact ones never cover less; the asymptotic ones, at b = 400, at least 93.5%."""
    truth = {"bias": 0.0, "empirical_se": 1 / 8, "rmse": 1 / 8}  # shape 4: variance 1/4, over n = 16
    truth["rmse_ratio"] = 0.25**0.5 / (0.25 + 0.16) ** 0.5
    truth["quantile"] = 3 + (stats.gamma(4).ppf(0.75) / 4 - 1) / 4
    truth["coverage"] = float(np.diff(stats.gamma(4).cdf([0.4, 7.6]))[0])
    truth["rejection"] = float(stats.gamma(4).sf(7.6))
    covered = dict.fromkeys(truth, 0)
    runs = 2000
    for row in performance(many_runs(stat.key(), runs, (16.0,))):
        covered[row.kind] += row.low <= truth[row.kind] <= row.high
    for kind, count in covered.items():
        least = 0.95 if kind in {"quantile", "coverage", "rejection"} else 0.935
        rate = stat.rate / 2 / len(covered)
        assert count >= stats.binom.ppf(rate, runs, least), (kind, count / runs)
        assert count <= stats.binom.isf(rate, runs, 0.98), (kind, count / runs)
