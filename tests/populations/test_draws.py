"""Counts: the rejection's hat and density checked point by point, then the draws against NumPy's."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy
from scipy import special, stats

from dkps_theory.monte_carlo import replicate
from dkps_theory.populations import _draws
from dkps_theory.testing import assert_same_law, assert_unbiased

CELLS = [(21, 0.5), (40, 0.26), (60, 0.5), (1000, 0.0101), (1000, 0.3), (10**6, 0.3), (10**9, 1.1e-8), (10**6, 0.5)]


def _arrays(*values):
    return tuple(jnp.asarray([float(value)]) for value in values)


@pytest.mark.parametrize(("trials", "p"), CELLS)
def test_hat_covers_the_law_and_the_squeeze_lies_below_it(trials, p):
    # A proposal u is accepted with probability f(k)/f(m) G'(u)/alpha: the law is exactly binomial when that never
    # exceeds 1, and when the squeeze never exceeds it where it is used.
    hat = _draws._hat(*_arrays(trials, p))
    a, b, c, squeeze, alpha = (float(value[0]) for value in hat)
    u = np.linspace(-0.5, 0.5, 200_003)[1:-1]
    inner = 0.5 - np.abs(u)
    k = np.floor((2 * a / inner + b) * u + c)
    mode = np.floor((trials + 1) * p)
    inside = (k >= 0) & (k <= trials)
    ratio = np.exp(stats.binom.logpmf(k, trials, p) - stats.binom.logpmf(mode, trials, p))
    chance = np.where(inside, ratio, 0.0) * (a / inner**2 + b) / alpha
    assert chance.max() <= 1
    assert chance[inner >= 0.07].min() >= squeeze


def test_density_ratio_keeps_its_digits_at_huge_trials():
    # Exact logarithms of factorials at 10^12 trials, by Stirling's series in 60 digits.
    def log_factorial(x):
        x = sympy.Float(int(x) + 1, 60)
        series = sum(sympy.Rational(*c) / x**q for c, q in (((1, 12), 1), ((-1, 360), 3), ((1, 1260), 5)))
        return (x - sympy.Rational(1, 2)) * sympy.log(x) - x + sympy.log(2 * sympy.pi).evalf(60) / 2 + series

    for trials, p in ((10**12, 0.3), (10**12, 0.5), (10**12, 1e-6)):
        at = _draws._at_mode(*_arrays(trials, p))
        mode = int(at.mode[0])
        exact_p = sympy.Rational(p)
        for z in (-4, -1, 2, 5):
            k = mode + int(z * (trials * p * (1 - p)) ** 0.5)
            truth = log_factorial(mode) + log_factorial(trials - mode) - log_factorial(k) - log_factorial(trials - k)
            truth = truth + (k - mode) * (sympy.log(exact_p).evalf(60) - sympy.log(1 - exact_p).evalf(60))
            got = float(_draws._log_ratio(*_arrays(k, trials), at)[0])
            assert abs(got - float(truth)) < 2e-9, (trials, p, z)


def test_density_ratio_of_small_counts():
    for trials, p in ((21, 0.5), (1000, 0.0101)):
        at = _draws._at_mode(*_arrays(trials, p))
        k = jnp.arange(0.0, 22.0)
        cells = type(at)(*(jnp.broadcast_to(value, k.shape) for value in at))
        got = _draws._log_ratio(k, jnp.full(k.shape, float(trials)), cells)
        truth = stats.binom.logpmf(np.asarray(k), trials, p) - stats.binom.logpmf(float(at.mode[0]), trials, p)
        np.testing.assert_allclose(got, truth, atol=3e-5)
        np.testing.assert_allclose(got[3:19], truth[3:19], atol=2e-9)


def test_binet_function():
    x = np.array([1.0, 2.0, 4.0, 10.0, 1e3])
    truth = special.gammaln(x) - (x - 0.5) * np.log(x) + x - 0.5 * np.log(2 * np.pi)
    got = np.asarray(_draws._binet(jnp.asarray(x)))
    np.testing.assert_array_less(np.abs(got - truth), [2e-5, 1e-7, 1e-10, 1e-13, 1e-11])
    np.testing.assert_allclose(got[-1], 1 / 12e3 - 1 / 360e9, rtol=1e-12)


def test_binomial_has_numpys_law(stat):
    trials = np.array([1, 7, 30, 30, 45, 1000, 1000, 10**6, 10**12, 10**12])
    p = np.array([0.3, 0.5, 0.3, 0.4, 0.5, 0.02, 0.7, 0.3, 2e-11, 0.3])

    def scaled(count):
        return (count - trials * p) / np.sqrt(trials * p * (1 - p))

    cells = [jnp.asarray(value, dtype=float) for value in (trials, p, 1 - p)]

    def one(key):
        return _draws.binomial(key, *cells)

    def ours(key, size):
        return scaled(replicate(one, jax.random.split(key, size), 2000))

    def theirs(key, size):
        generator = np.random.default_rng(np.asarray(jax.random.key_data(key)))
        return scaled(generator.binomial(trials, p, (size, 10)))

    assert_same_law(ours, theirs, key=stat.key(), false_fail_rate=stat.rate, detectable=0.05)


def test_multinomial_counts(stat):
    weights = np.array([[0.2, 0.0, 0.5, 0.3], [1e-9, 1 - 1e-9, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]])

    def one(key):
        return _draws.multinomial(key, jnp.asarray(1e12), jnp.asarray(weights))

    def sampler(key, size):
        counts = replicate(one, jax.random.split(key, size), 1000)
        assert (counts.sum(axis=-1) == 1e12).all()
        assert (counts[:, weights == 0] == 0).all()
        assert (counts[:, 2, 2] == 1e12).all()
        assert (counts == np.floor(counts)).all()
        first, rare = counts[:, 0] / 1e12 - weights[0], counts[:, 1, 0] / 1e12 - 1e-9
        products = first[:, :, None] * first[:, None] * 1e12
        return np.concatenate([products.reshape(size, 16), (rare**2 * 1e21)[:, None]], axis=1)

    w = weights[0]
    truth = np.append((np.diag(w) - np.outer(w, w)).ravel(), 1 - 1e-9)
    assert_unbiased(sampler, truth, key=stat.key(), false_fail_rate=stat.rate)


def test_letters_never_draw_weight_zero():
    weights = jnp.asarray([[[0.0, 0.3, 0.0, 0.7, 0.0]]])
    drawn = _draws.letters(jax.random.key(0, impl="threefry2x32"), weights, 2000)
    assert set(np.unique(np.asarray(drawn))) == {1, 3}
