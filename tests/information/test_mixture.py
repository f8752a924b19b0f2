"""Mixtures as laws: densities against SciPy, draws against moments and the distribution function, bad input."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from dkps_theory._validate import InputError
from dkps_theory.information.mixture import Mixture, blend
from tests.information.mixtures import PAIRS, padded, random_mixture


@pytest.mark.parametrize("d", [1, 2, 8])
def test_log_density_is_that_of_scipy(d: int):
    rng = np.random.default_rng(d)
    mixture = random_mixture(rng, d, spread=2.0)
    x = rng.normal(size=(4, 5, d))
    parts = zip(mixture.weights, mixture.means, mixture.covariances, strict=True)
    density = sum(float(w) * stats.multivariate_normal(m, S).pdf(x) for w, m, S in parts)
    np.testing.assert_allclose(mixture.log_density(x), np.log(density), rtol=1e-9)
    assert mixture.log_density(x[0, 0]).shape == ()


def test_far_out_the_log_density_is_finite():
    mixture = Mixture([0.5, 0.5], [[0.0], [1.0]], np.ones((2, 1, 1)))
    assert float(mixture.log_density(np.array([1e5]))) == pytest.approx(-0.5 * (1e5 - 1) ** 2, rel=1e-9)


def test_absent_components_change_nothing_whatever_they_hold():
    rng = np.random.default_rng(0)
    whole = random_mixture(rng, 2, 1.0, components=2)  # padded with NaN
    alone = Mixture(whole.weights[:2], whole.means[:2], whole.covariances[:2])
    x = rng.normal(size=(6, 2))
    np.testing.assert_array_equal(whole.log_density(x), alone.log_density(x))
    np.testing.assert_allclose(whole.covariance, alone.covariance, rtol=1e-14)
    np.testing.assert_array_equal(whole.sample(jax.random.key(0), 50), alone.sample(jax.random.key(0), 50))
    known = Mixture([1.0, 0.0], [[0.0], [5.0]], [[[1.0]], [[0.0]]])
    assert known.covariance.tolist() == [[1.0]]


def test_a_weight_that_is_nan_stays_visible():
    broken = jax.jit(Mixture)(jnp.asarray([jnp.nan, 0.5]), jnp.zeros((2, 1)), jnp.ones((2, 1, 1)))
    assert np.isnan(broken.log_density(np.zeros(1)))


def test_draws_follow_the_law(stat):
    shares = stat.split(2)
    mixture = PAIRS["overlapping"][0]
    x = np.asarray(mixture.sample(shares[0].key(), 20_000))[:, 0]
    parts = list(zip(mixture.weights, mixture.means[:, 0], mixture.covariances[:, 0, 0], strict=True))

    def cdf(t):
        return sum(float(w) * stats.norm(float(m), float(v) ** 0.5).cdf(t) for w, m, v in parts)

    assert stats.kstest(x, cdf).pvalue > shares[0].rate
    rng = np.random.default_rng(1)
    wide = random_mixture(rng, 3, 1.0)
    draws = np.asarray(wide.sample(shares[1].key(), 20_000))
    whitened = np.linalg.solve(np.linalg.cholesky(wide.covariance), (draws - np.asarray(wide.mean)).T)
    products = np.einsum("an,bn->abn", whitened, whitened).reshape(9, -1)
    centred = np.concatenate([whitened, products - np.eye(3).reshape(9, 1)])
    z = centred.mean(axis=1) / (centred.std(axis=1) / np.sqrt(centred.shape[1]))
    assert np.abs(z).max() < stats.norm.isf(shares[1].rate / 24)


def test_builders_and_blend():
    flat = Mixture.spherical([0.5, 0.5], [[0.0, 0.0], [1.0, 1.0]], [1.0, 4.0])
    stretched = Mixture.diagonal([0.5, 0.5], [[0.0, 0.0], [1.0, 1.0]], [[1.0, 1.0], [4.0, 4.0]])
    np.testing.assert_array_equal(flat.covariances, stretched.covariances)
    x = np.random.default_rng(0).normal(size=(5, 2))
    middle = blend(flat, Mixture([1.0], [[3.0, 0.0]], [np.eye(2)]))
    single = stats.multivariate_normal([3.0, 0.0]).pdf(x)
    np.testing.assert_allclose(jnp.exp(middle.log_density(x)), (jnp.exp(flat.log_density(x)) + single) / 2)


def test_sums_off_by_the_last_printed_digit_are_divided_out():
    assert float(Mixture([0.3333333333] * 3, np.zeros((3, 1)), np.ones((3, 1, 1))).weights.sum()) == pytest.approx(
        1.0, abs=1e-15
    )


GOOD = ([0.5, 0.5], [[0.0, 0.0], [1.0, 1.0]], [np.eye(2), np.eye(2)])


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (0, [0.5, 0.4], "weights: sum to 0.9"),
        (0, [1.5, -0.5], "weights: got -0.5 at component 1"),
        (0, [0.5, np.nan], "weights: 1 value not finite"),
        (0, [0.2, 0.3, 0.5], "weights: got shape"),
        (0, [], "axis k is empty"),
        (1, [0.0, 1.0], "means: got 1 axes"),
        (1, [[0.0], [1.0]], "covariances: got shape"),
        (1, [[0.0, np.inf], [0.0, 0.0]], "means: 1 value not finite"),
        (2, [np.eye(2), np.ones((2, 2))], "covariances: not positive definite at component 1, least eigenvalue"),
        (2, [np.eye(2), [[1.0, 0.5], [0.0, 1.0]]], "covariances: not symmetric at component 1"),
        (2, np.ones((2, 2)), "covariances: got 2 axes"),
        (2, [[[1.0]], [[1.0]]], "covariances: got shape"),
    ],
)
@pytest.mark.usefixtures("unannotated")
def test_bad_input_is_one_line(place: int, value, message: str):
    with pytest.raises(InputError, match=message) as caught:
        Mixture(*(value if index == place else part for index, part in enumerate(GOOD)))
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("unannotated")
def test_bad_calls_are_one_line():
    mixture = padded(*GOOD)
    for call in (
        lambda: mixture.log_density(np.zeros((4, 3))),
        lambda: mixture.log_density("abc"),
        lambda: mixture.log_density([np.nan, 0.0]),
        lambda: mixture.sample(jax.random.key(0), 0),
        lambda: mixture.sample(0, 5),
        lambda: Mixture.spherical([1.0], [[0.0]], [0.0]),
    ):
        with pytest.raises(InputError):
            call()
