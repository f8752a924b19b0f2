"""Tails of quadratic forms: against laws that attain them, exact Gaussian tails and simulated largest eigenvalues."""

from __future__ import annotations

import math

import jax
import numpy as np
import pytest
from scipy import stats

from dkps_theory import InputError
from dkps_theory.bounds import cantelli_quantile, chernoff_quantile, hkz_quantile
from dkps_theory.bounds.tails import cap_cost, largest_eigenvalue_quantile


@pytest.mark.parametrize("alpha", [0.01, 0.3])
def test_cantelli_is_attained_by_a_two_point_law(alpha):
    high, low = math.sqrt((1 - alpha) / alpha), -math.sqrt(alpha / (1 - alpha))
    mean, variance = alpha * high + (1 - alpha) * low, alpha * high**2 + (1 - alpha) * low**2
    assert cantelli_quantile(mean, variance, alpha) == pytest.approx(high)


@pytest.mark.parametrize("k", [1, 2, 7, 60])
@pytest.mark.parametrize("t", [0.5, 3.0, 9.0])
def test_chernoff_lies_between_the_exact_quantile_and_the_closed_form(k, t):
    exact = stats.chi2.isf(math.exp(-t), k)
    found = chernoff_quantile(np.ones(k), t)
    assert exact < found <= hkz_quantile(k, k, 1.0, t)
    best = stats_minimum(k, t)
    assert found == pytest.approx(best, rel=2e-3)


def stats_minimum(k: int, t: float) -> float:
    """Chernoff's bound of a chi-square law: the solution above k of x - k - k log(x / k) = 2 t."""
    low, high = float(k), 100 * (k + t)
    for _ in range(100):
        x = (low + high) / 2
        low, high = (x, high) if x - k - k * math.log(x / k) < 2 * t else (low, x)
    return high


def test_no_noise_and_eigenvalues_below_zero_by_rounding():
    assert chernoff_quantile(np.zeros(3), 2.0) == 0.0
    assert chernoff_quantile(np.array([1.0, -1e-17]), 2.0) == pytest.approx(chernoff_quantile(np.ones(1), 2.0))


@pytest.mark.parametrize("k", [2, 3, 10])
def test_cost_of_a_cap_is_the_logarithm_of_its_share(k):
    cost, share = cap_cost(k)
    exact = -np.log(stats.beta.cdf(1 - share, (k - 1) / 2, 0.5))
    assert np.all(cost >= exact - 1e-12)
    assert np.all(cost[share > 0.5] <= exact[share > 0.5] + 0.5)


def test_largest_eigenvalue_of_white_noise(stat):
    n, width, t, draws = 12, 60, math.log(20), 400
    generator = np.random.default_rng(np.asarray(jax.random.key_data(stat.key())))
    grams = [(g := generator.normal(size=(n, width))) @ g.T - width * np.eye(n) for _ in range(draws)]
    trace = max(abs(np.trace(gram)) for gram in grams)
    # log E exp(s x'Mx) <= s^2 width / (1 - 2 s) for every unit x.
    bound = largest_eigenvalue_quantile(n, 0.0, width, 2.0, trace, t)
    largest = np.array([np.linalg.eigvalsh(gram)[-1] for gram in grams])
    assert stats.binom.cdf(int((largest <= bound).sum()), draws, 0.95) > stat.rate
    assert bound < 1.7 * np.quantile(largest, 0.95)  # a net of caps is nearly as good as exact


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: cantelli_quantile(0.0, -1.0, 0.1), "variance"),
        (lambda: cantelli_quantile(0.0, 1.0, 0.0), "alpha"),
        (lambda: hkz_quantile(1.0, 1.0, 1.0, -1.0), "t"),
        (lambda: hkz_quantile(math.nan, 1.0, 1.0, 1.0), "trace"),
        (lambda: chernoff_quantile(np.ones(2), -1.0), "t"),
    ],
)
def test_wrong_input_is_named(call, named):
    with pytest.raises(InputError, match=f"^{named}"):
        call()
