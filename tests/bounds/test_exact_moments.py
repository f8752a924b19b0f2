"""The exact finite-r moments of D^2 against enumeration of every sample of small laws in the plane."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

from dkps_theory._validate import InputError
from dkps_theory.bounds import (
    debiased_variance,
    factor_constant,
    root_mean_square_noise,
    squared_dissimilarity_mean,
    squared_dissimilarity_variance,
)
from dkps_theory.conventions import A24, A25, DEFAULT

POINTS = np.array([[[0.0, 1.0], [2.0, -1.0], [-3.0, 0.0]], [[1.0, 1.0], [-2.0, 3.0], [0.0, -1.0]]])
WEIGHTS = np.array([[0.5, 0.25, 0.25], [0.125, 0.5, 0.375]])


def moments():
    mean = np.einsum("nk,nkp->np", WEIGHTS, POINTS)
    centred = POINTS - mean[:, None]
    squares = (centred**2).sum(-1)
    covariance = np.einsum("nk,nkp,nkq->npq", WEIGHTS, centred, centred)
    cubic = np.einsum("nk,nkp,nk->np", WEIGHTS, centred, squares)
    quartic = (WEIGHTS * squares**2).sum(-1)
    return mean[:, None], covariance[:, None], cubic[:, None], quartic[:, None]


def enumerate_samples(r):
    """E and Var of D^2 and of the debiased square over every pair of samples of size r (one query)."""
    values, weights = [], []
    for one in itertools.product(range(3), repeat=r):
        for two in itertools.product(range(3), repeat=r):
            first, second = POINTS[0][list(one)], POINTS[1][list(two)]
            square = ((first.mean(0) - second.mean(0)) ** 2).sum()
            traces = first.var(0, ddof=1).sum() + second.var(0, ddof=1).sum()
            values.append((square, square - traces / r))
            weights.append(WEIGHTS[0][list(one)].prod() * WEIGHTS[1][list(two)].prod())
    values, weights = np.array(values), np.array(weights)
    mean = weights @ values
    return mean, weights @ (values - mean) ** 2


@pytest.mark.parametrize("r", [2, 3])
def test_moments_equal_enumeration(r):
    mean, covariance, cubic, quartic = moments()
    gamma = np.trace(covariance, axis1=-2, axis2=-1)
    expected, variance = enumerate_samples(r)
    assert squared_dissimilarity_mean(mean, gamma, r)[0, 1] == pytest.approx(expected[0], rel=1e-12)
    assert squared_dissimilarity_variance(mean, covariance, cubic, quartic, r)[0, 1] == pytest.approx(
        variance[0], rel=1e-12
    )
    assert ((mean[0] - mean[1]) ** 2).sum() == pytest.approx(expected[1], rel=1e-12)
    assert debiased_variance(mean, covariance, r)[0, 1] == pytest.approx(variance[1], rel=1e-12)


@pytest.mark.parametrize("convention", [DEFAULT, A24])
def test_queries_add_up_and_the_scale_is_squared(convention):
    mean, covariance, cubic, quartic = (np.repeat(x, 3, axis=1) for x in moments())
    one = [x[:, :1] for x in (mean, covariance, cubic, quartic)]
    scale = convention.scale(3) ** 2
    assert squared_dissimilarity_variance(mean, covariance, cubic, quartic, 5, convention)[0, 1] == pytest.approx(
        3 * scale**2 * squared_dissimilarity_variance(*one, 5)[0, 1]
    )
    assert debiased_variance(mean, covariance, 5, convention)[0, 1] == pytest.approx(
        3 * scale**2 * debiased_variance(*one[:2], 5)[0, 1]
    )


def test_diagonal_is_zero_and_bad_input_is_named():
    mean, covariance, _, _ = moments()
    assert np.all(np.diag(debiased_variance(mean, covariance, 2)) == 0)
    with pytest.raises(InputError, match="at least 2"):
        debiased_variance(mean, covariance, 1)
    with pytest.raises(InputError, match="exponent 1 only"):
        squared_dissimilarity_mean(mean, np.ones((2, 1)), 3, A25)


def replaced(index, value):
    arrays = list(moments())
    arrays[index] = value
    return arrays


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: squared_dissimilarity_variance(*moments(), 0), "replicates.: got 0; it must be a whole number"),
        (lambda: squared_dissimilarity_variance(*moments(), 2.5), "replicates.: got 2.5"),
        (lambda: squared_dissimilarity_variance(*moments(), "3"), "replicates.: got '3'"),
        (lambda: squared_dissimilarity_variance(*moments(), jnp.asarray(0)), "replicates.: got 0"),
        (lambda: squared_dissimilarity_variance(*moments(), 3, "m"), "convention: got 'm'; it must be a Convention"),
        (lambda: squared_dissimilarity_variance(*replaced(0, np.full((2, 1, 2), np.nan)), 3), "mean: 4 values not fin"),
        (lambda: squared_dissimilarity_variance(*replaced(1, np.ones((2, 1, 2))), 3), "covariance: got 3 axes"),
        (lambda: squared_dissimilarity_variance(*replaced(2, np.ones((2, 2, 2))), 3), r"cubic: got shape \(2, 2, 2\)"),
        (lambda: squared_dissimilarity_variance(*replaced(3, np.ones((1, 1))), 3), r"quartic: .* \(n, m\) = \(2, 1\)"),
        (lambda: squared_dissimilarity_mean(moments()[0], np.ones((1, 2)), 3), r"gamma: got shape \(1, 2\)"),
        (lambda: squared_dissimilarity_mean(moments()[0][0], np.ones((2, 1)), 3), "mean: got 2 axes"),
        (lambda: debiased_variance(*moments()[:2], True), "replicates.: got True"),
        (lambda: debiased_variance(moments()[0], np.full((2, 1, 2, 2), np.inf), 3), "covariance: 8 values not finite"),
        (lambda: root_mean_square_noise(np.ones((2, 1)), -1), "replicates.: got -1"),
        (lambda: root_mean_square_noise(np.ones(2), 1), "gamma: got 1 axes"),
        (lambda: root_mean_square_noise(np.full((2, 1), np.nan), 1), "gamma: 2 values not finite"),
        (lambda: root_mean_square_noise(np.ones((2, 1)), 1, "m"), "convention: got 'm'"),
        (lambda: root_mean_square_noise(np.ones((2, 1)), 1, A25), "exponent 1"),
        (lambda: factor_constant(d=0, estimated_rank=2), "d .perspective dimension.: got 0"),
        (lambda: factor_constant(d=1, estimated_rank=1.5), "estimated_rank: got 1.5"),
    ],
)
def test_bad_input_is_one_clear_line(call, message, monkeypatch):
    # Calls as users make them, without the annotation checks that run under pytest.
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_replicates_and_moments_may_be_traced():
    mean, covariance, _, _ = moments()
    traced = jax.jit(debiased_variance)(mean, covariance, 5.0)
    np.testing.assert_allclose(traced, debiased_variance(mean, covariance, 5), rtol=1e-13)
    noise = jax.jit(root_mean_square_noise)(np.ones((2, 1)), 4.0)
    assert float(noise) == pytest.approx(float(root_mean_square_noise(np.ones((2, 1)), 4)))
