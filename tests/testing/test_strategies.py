"""The strategies draw what they promise, and shrink towards what a person would write down."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import find, given, settings

from dkps_theory.populations import Categorical, GaussianMixture
from dkps_theory.testing import strategies

quick = settings(max_examples=20, deadline=None, derandomize=True)


@quick
@given(strategies.orthogonal_matrices(3))
def test_orthogonal_matrices_are_orthogonal(matrix):
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-14)


def test_reflections_and_rotations_both_come_up():
    for sign in (-1.0, 1.0):
        found = find(strategies.orthogonal_matrices(2), lambda matrix, sign=sign: np.linalg.det(matrix) * sign > 0)
        np.testing.assert_array_equal(found, np.diag([sign, 1.0]))


@quick
@given(strategies.configurations(centred=True), strategies.mean_arrays())
def test_shapes_and_centring(psi, means):
    assert psi.shape in strategies.CONFIGURATION_SHAPES
    assert means.shape in strategies.MEAN_SHAPES
    np.testing.assert_allclose(psi.mean(axis=0), 0, atol=1e-15)
    assert (means * 16 == np.round(means * 16)).all()


@quick
@given(strategies.finite_laws(p=2))
def test_finite_laws_are_exact(law):
    assert sum(law.probabilities) == 1
    samples = list(law.samples(2))
    assert sum(probability for probability, _ in samples) == 1
    # The mean and the variance of a mean of two, by running through all samples.
    means = [[(x[a] + y[a]) / 2 for a in range(2)] for _, (x, y) in samples]
    weights = [probability for probability, _ in samples]
    for a in range(2):
        assert sum(w * mean[a] for w, mean in zip(weights, means, strict=True)) == law.mean[a]
    spread = sum(
        w * sum((mean[a] - law.mean[a]) ** 2 for a in range(2)) for w, mean in zip(weights, means, strict=True)
    )
    assert spread == law.gamma / 2
    assert isinstance(spread, Fraction)


@settings(quick, max_examples=8)
@given(strategies.populations())
def test_populations_are_small_and_of_one_shape(population):
    assert isinstance(population, (Categorical, GaussianMixture))
    assert population.shape == (3, 2, 2)
    assert bool((np.asarray(population.gamma) >= 0).all())


@quick
@given(strategies.joint_laws(exact=True), strategies.channels(3, 4), strategies.channels(2, 3, exact=True))
def test_laws_and_channels_are_laws(law, channel, exact_channel):
    assert law.exact
    assert sum(law.probabilities) == 1
    assert max(map(len, law.letters)) <= 4
    assert channel.shape == (3, 4)
    np.testing.assert_allclose(channel.sum(axis=1), 1, atol=1e-15)
    assert (channel >= 0).all()
    assert exact_channel.shape == (2, 3)
    assert all(sum(row) == 1 and all(isinstance(x, Fraction) for x in row) for row in exact_channel)


def test_deterministic_and_noisy_channels_and_independent_and_dependent_laws_come_up():
    once = settings(database=None, derandomize=True)
    for deterministic in (True, False):
        drawn = find(strategies.channels(2, 3), lambda x, d=deterministic: d == (x.max(1) == 1).all(), settings=once)
        assert (drawn.max(axis=1) == 1).all() == deterministic
    for dependent in (True, False):
        law = find(
            strategies.joint_laws(("x", "y"), exact=True),
            lambda law, d=dependent: len(law.probabilities) > 3 and law.is_markov("x", (), "y") != d,
            settings=once,
        )
        assert (law.enclosure.mutual_information("x", "y") > 0) == dependent
