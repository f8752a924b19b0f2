"""EM's parts: what a step may cost, and the law of its start."""

from __future__ import annotations

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.cluster import KMeans

from dkps_theory.information import _em_start, _em_steps

KEY = jax.random.key(0, impl="threefry2x32")


# The ascent


@functools.partial(jax.jit, static_argnames="covariance_type")
def one_step(x, theta, floor, covariance_type):
    """(l(theta), l(theta'), T(R, theta), T(R, theta'), theta'): floor times half the mean trace of a precision."""
    ones, active = jnp.ones(x.shape[1]), jnp.ones(theta.weights.shape, dtype=bool)
    before, shares = _em_steps.e_step(x, ones, theta)
    after = _em_steps.m_step(x, shares, theta.means, active, floor, covariance_type)
    counts = shares.sum(axis=1)
    penalties = [
        floor / (2 * x.shape[1]) * (counts * (one.factors.whitening**2).sum(axis=(1, 2))).sum()
        for one in (theta, after)
    ]
    return before, _em_steps.e_step(x, ones, after)[0], *penalties, after


POINTS = st.lists(st.tuples(*2 * [st.integers(-8, 8)]), min_size=7, max_size=7)


@pytest.mark.parametrize("covariance_type", ["full", "diagonal", "spherical"])
@settings(max_examples=30, deadline=None)
@given(points=POINTS, exponent=st.integers(-20, 3), spread=st.sampled_from([0.05, 1.0, 20.0]))
def test_a_step_lowers_the_log_likelihood_by_no_more_than_the_floor_allows(covariance_type, points, exponent, spread):
    x, floor = jnp.asarray(points, dtype=float).T, jnp.asarray(2.0**exponent)
    theta = _em_steps.parameters(
        jnp.array([0.2, 0.3, 0.5]), x.T[:3] + jnp.array([[0.0], [0.5], [1.0]]), spread * jnp.stack([jnp.eye(2)] * 3)
    )
    for _ in range(4):
        before, after, penalty, new_penalty, theta = one_step(x, theta, floor, covariance_type)
        assert after >= before - (penalty - new_penalty) - 1e-9 * (1 + abs(before))
        assert new_penalty <= x.shape[0] / 2 * (1 + 1e-9)


def test_the_allowance_is_needed_and_nothing_beyond_it():
    # Three equal components at the maximum of the likelihood of one: the floor can only take it down.
    data = np.random.default_rng(4).normal(size=(7, 2)) * np.array([[1.0, 3.0]])
    x, k = jnp.asarray((data - data.mean(axis=0)).T), 3
    theta = _em_steps.parameters(jnp.full(k, 1 / k), jnp.zeros((k, 2)), jnp.stack([jnp.cov(x, bias=True)] * k))
    before, after, penalty, new_penalty, _ = one_step(x, theta, jnp.asarray(0.5), "full")
    assert 0 < before - after <= penalty - new_penalty
    before, after, *_ = one_step(x, theta, jnp.asarray(0.0), "full")
    assert float(after) == pytest.approx(float(before), abs=1e-12)


# The start


def test_k_means_plus_plus_has_its_law(stat):
    # Two centres among five weighted points: the first by weight, the second the better of two candidates.
    points, weights = np.array([0.0, 1.0, 2.5, 4.0, 9.0]), np.array([1.0, 2.0, 1.0, 3.0, 0.5])
    chance = np.zeros((5, 5))
    for first in range(5):
        near = (points - points[first]) ** 2
        share = weights * near / (weights * near).sum()
        left = [(weights * np.minimum(near, (points - point) ** 2)).sum() for point in points]
        for one, other in itertools.product(range(5), repeat=2):
            taken = one if left[one] <= left[other] else other
            chance[first, taken] += weights[first] / weights.sum() * share[one] * share[other]
    assert chance.sum() == pytest.approx(1)
    size = 4000
    draw = functools.partial(_em_start.plus_plus, jnp.asarray(points)[None], jnp.asarray(weights), jnp.ones(2, bool))
    centres = np.asarray(jax.jit(jax.vmap(draw))(stat.keys(size)))[:, :, 0]
    which = np.searchsorted(points, centres)
    counts = np.zeros((5, 5))
    np.add.at(counts, (which[:, 0], which[:, 1]), 1)
    assert counts[chance == 0].sum() == 0
    # A binomial interval for each pair, the rate shared: a change of a chance by 0.05 is found almost surely.
    lowest = stats.binom.ppf(stat.rate / 50, size, chance)
    highest = stats.binom.isf(stat.rate / 50, size, chance)
    assert ((lowest <= counts) & (counts <= highest)).all()


def test_distant_clusters_are_all_found():
    # A miss needs 16 centres' candidates all in clusters that have one: odds below 1e-5 for each.
    places = 1000.0 * np.array([[i, j] for i in range(4) for j in range(4)])
    data = (places[:, None] + np.random.default_rng(0).normal(size=(16, 8, 2))).reshape(-1, 2)
    centres = jax.jit(_em_start.plus_plus)(jnp.asarray(data.T), jnp.ones(128), jnp.ones(16, bool), KEY)
    assert len({tuple(place) for place in np.round(np.asarray(centres) / 1000).tolist()}) == 16


def test_lloyd_is_scikit_learns_k_means():
    lloyd, memberships = jax.jit(_em_start.lloyd), jax.jit(_em_start.memberships)
    for seed in range(6):
        draws = np.random.default_rng(seed)
        data = draws.uniform(0, 6, (5, 2))[draws.integers(5, size=120)] + draws.normal(size=(120, 2))
        data = data - data.mean(axis=0)
        x, centres = jnp.asarray(data.T), jnp.asarray(data[:5])
        ones, active = jnp.ones(120), jnp.ones(5, dtype=bool)
        found = lloyd(x, ones, active, centres, jnp.asarray(300))
        model = KMeans(5, init=data[:5], n_init=1).fit(data)
        np.testing.assert_allclose(found, model.cluster_centers_, atol=1e-9)
        assert (memberships(x, active, found).argmax(axis=0) == model.labels_).all()
