"""Dissimilarities and their unbiased squares, against loops, against fractions, and at the edges."""

from __future__ import annotations

from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dkps_theory._validate import InputError
from dkps_theory.conventions import A24, A25, DEFAULT, Convention
from dkps_theory.geometry import debiased_squared_dissimilarities, dissimilarities
from dkps_theory.geometry.dissimilarity import squared_distances
from tests import reference

RNG = np.random.default_rng(11)
MEANS = RNG.normal(size=(5, 3, 2))


@pytest.mark.parametrize("convention", [DEFAULT, A24, A25, Convention("none", 1.5)], ids=lambda c: c.label)
def test_equals_the_loop(convention):
    expected = reference.dissimilarities(MEANS.tolist(), convention.normalisation, convention.exponent)
    np.testing.assert_allclose(dissimilarities(MEANS, convention), expected, rtol=1e-14)


@pytest.mark.parametrize(("n", "k"), [(1, 1), (3, 70_000), (200, 500)], ids=str)
def test_blocks_of_columns_change_nothing(n, k):
    rows = RNG.normal(size=(n, k))
    # Fixed order of a direct sum per pair; the blocks sum in another.
    direct = np.stack([((rows - row) ** 2).sum(axis=1) for row in rows])
    found = np.asarray(jax.jit(squared_distances)(jnp.asarray(rows)))
    np.testing.assert_allclose(found, direct, rtol=1e-12)
    assert (found == found.T).all()
    assert (np.diag(found) == 0).all()


def test_memory_stays_near_that_of_the_means():
    # n = 200 models, m p = 38,400: the differences of all pairs at once would take 12 GB.
    shape = jax.ShapeDtypeStruct((200, 50, 768), jnp.float64)
    compiled = jax.jit(dissimilarities).lower(shape).compile()
    assert compiled.memory_analysis().temp_size_in_bytes < 3 * 200 * 50 * 768 * 8


def test_memory_of_a_thousand_replicates_stays_near_that_of_the_means():
    shape = jax.ShapeDtypeStruct((1000, 20, 50, 16), jnp.float64)
    compiled = jax.jit(jax.vmap(dissimilarities)).lower(shape).compile()
    assert compiled.memory_analysis().temp_size_in_bytes < 2 * 1000 * 20 * 50 * 16 * 8


def test_coincident_models_keep_their_digits_at_a_trillion_replicates():
    mean = 3.7 + RNG.normal(size=(1, 4, 3))
    errors = 1e-6 * RNG.normal(size=(3, 4, 3))  # what r = 10^12 leaves of a unit variance
    means = mean + errors
    exact = [[[Fraction(x) for x in query] for query in model] for model in means.tolist()]
    squares = reference.squared_distance(exact[0], exact[1])
    D = np.asarray(dissimilarities(means, Convention("none")))
    assert abs(D[0, 1] / float(squares) ** 0.5 - 1) < 1e-14
    # ten digits of the distance between the errors themselves: the mean took six of sixteen
    assert abs(D[0, 1] / np.linalg.norm(errors[0] - errors[1]) - 1) < 1e-9


def test_equal_models_are_at_exactly_zero_and_gradients_stay_finite():
    means = jnp.asarray(np.stack([MEANS[0], MEANS[0], MEANS[1]]))
    for convention in (DEFAULT, A25):
        assert float(dissimilarities(means, convention)[0, 1]) == 0.0
        gradient = jax.grad(lambda x, convention=convention: dissimilarities(x, convention).sum())(means)
        assert bool(jnp.isfinite(gradient).all())


def test_vmap_is_the_loop_over_replicates():
    batch = jnp.asarray(RNG.normal(size=(4, 5, 3, 2)))
    together = jax.vmap(dissimilarities)(batch)
    for one, means in zip(together, batch, strict=True):
        np.testing.assert_allclose(one, dissimilarities(means), rtol=1e-15)


@pytest.mark.parametrize("convention", [DEFAULT, A24, Convention("none")], ids=lambda c: c.label)
def test_debiased_squares_equal_the_loop(convention):
    gamma = RNG.uniform(size=(5, 3))
    counts = RNG.integers(2, 9, size=(5, 3))
    found = np.asarray(debiased_squared_dissimilarities(MEANS, gamma, counts, convention))
    c = reference.scale(convention.normalisation, 3)
    for i in range(5):
        for k in range(5):
            expected = 0 if i == k else reference.debiased_squared_distance(MEANS, gamma, counts, i, k)
            np.testing.assert_allclose(found[i, k], c**2 * expected, rtol=1e-13)


def test_debiased_squares_may_be_negative_and_take_one_count_for_all():
    found = debiased_squared_dissimilarities(np.zeros((2, 2, 1)), np.ones((2, 2)), 4.0)
    np.testing.assert_allclose(found, [[0.0, -0.5], [-0.5, 0.0]])
    traced = jax.jit(debiased_squared_dissimilarities)(np.zeros((2, 2, 1)), np.ones((2, 2)), jnp.asarray(4.0))
    np.testing.assert_array_equal(found, traced)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dissimilarities(np.zeros((2, 3))), r"means: got 2 axes \(2, 3\); it must have 3, \(n, m, p\)"),
        (lambda: dissimilarities(np.zeros((2, 0, 3))), r"means: axis m is empty"),
        (lambda: dissimilarities(np.full((2, 1, 1), np.nan)), r"means: 2 values not finite, the first at \[0, 0, 0\]"),
        (lambda: dissimilarities(jnp.full((2, 1, 1), jnp.inf)), r"not finite"),
        (lambda: debiased_squared_dissimilarities(MEANS, np.ones((5, 3)), 2.0, A25), r"e = 0.5; .* for e = 1 only"),
        (lambda: dissimilarities(MEANS, "m"), r"convention: got 'm'; it must be a Convention"),
        (lambda: debiased_squared_dissimilarities(MEANS, np.ones((5, 3)), 2.0, "m"), r"convention: got 'm'"),
        (lambda: debiased_squared_dissimilarities(MEANS, np.ones((3, 5)), 2.0), r"gamma: got shape \(3, 5\)"),
        (lambda: debiased_squared_dissimilarities(MEANS, -np.ones((5, 3)), 2.0), r"gamma: got -1.0"),
        (lambda: debiased_squared_dissimilarities(MEANS, np.ones((5, 3)), 0.0), r"counts: the smallest is 0"),
        (lambda: debiased_squared_dissimilarities(MEANS, np.ones((5, 3)), 2.5), r"counts: .* whole numbers"),
        (lambda: debiased_squared_dissimilarities(MEANS, np.ones((5, 3)), np.nan), r"counts: 1 value not finite"),
    ],
)
@pytest.mark.usefixtures("unannotated")
def test_bad_input_is_one_clear_line(call, message):
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
