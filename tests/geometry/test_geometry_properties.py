"""What holds for all means and all populations: invariances, homogeneity, metric axioms, and exact unbiasedness."""

from __future__ import annotations

import itertools
from fractions import Fraction

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dkps_theory.conventions import A24, A25, DEFAULT, Convention
from dkps_theory.geometry import (
    classical_mds,
    classical_mds_of_means,
    debiased_squared_dissimilarities,
    dissimilarities,
    gram,
)
from dkps_theory.testing.strategies import finite_laws, mean_arrays, orthogonal_matrices, populations
from tests import reference

CONVENTIONS = (DEFAULT, A24, A25)
#: m p above and below n; few, because each compiles programs of its own.
SHAPES = ((3, 2, 2), (6, 2, 1))
properties = settings(max_examples=25, deadline=None, derandomize=True)


def squares(configuration):
    points = np.asarray(configuration)
    return ((points[:, None, :] - points[None, :, :]) ** 2).sum(axis=-1)


def close(found, expected):
    """Equal up to rounding, relative to the largest entry."""
    bound = 1e-12 * max(np.abs(np.asarray(expected)).max(), 1e-300)
    np.testing.assert_allclose(found, expected, rtol=0, atol=bound)


def same_perspectives(found, expected):
    """Equal spectra and, as far as the eigengap lets perspectives be unique, equal distances between them."""
    close(found.eigenvalues, expected.eigenvalues)
    scale = float(np.abs(np.asarray(expected.eigenvalues)).max())
    if float(expected.eigengap) > 1e-3 * scale:
        np.testing.assert_allclose(
            squares(found.configuration), squares(expected.configuration), rtol=0, atol=1e-8 * max(scale, 1e-300)
        )


@properties
@given(mean_arrays(SHAPES), st.randoms(use_true_random=False), st.sampled_from((DEFAULT, A25)))
def test_permutation_of_models(means, random, convention):
    order = list(range(len(means)))
    random.shuffle(order)
    D = np.asarray(dissimilarities(means, convention))
    np.testing.assert_array_equal(dissimilarities(means[order], convention), D[np.ix_(order, order)])
    d = min(2, len(means) - 1)
    shuffled, base = (classical_mds_of_means(x, d, convention) for x in (means[order], means))
    close(shuffled.eigenvalues, base.eigenvalues)
    if float(base.eigengap) > 1e-3 * float(base.eigenvalues[0]):
        expected = squares(base.configuration)[np.ix_(order, order)]
        np.testing.assert_allclose(squares(shuffled.configuration), expected, atol=1e-8 * float(base.eigenvalues[0]))


@properties
@given(mean_arrays(SHAPES), st.randoms(use_true_random=False), st.sampled_from((DEFAULT, A25)))
def test_permutation_of_queries(means, random, convention):
    order = list(range(means.shape[1]))
    random.shuffle(order)
    close(dissimilarities(means[:, order], convention), dissimilarities(means, convention))
    d = min(2, len(means) - 1)
    same_perspectives(
        classical_mds_of_means(means[:, order], d, convention), classical_mds_of_means(means, d, convention)
    )


@properties
@given(mean_arrays(shapes=((3, 2, 2), (5, 1, 2))), st.data(), st.sampled_from(CONVENTIONS))
def test_rigid_motions_of_the_embedding_even_another_one_for_each_query(means, data, convention):
    m = means.shape[1]
    turns = np.stack([data.draw(orthogonal_matrices(2)) for _ in range(m)])
    shifts = np.asarray(data.draw(st.lists(st.integers(-50, 50), min_size=2 * m, max_size=2 * m)), dtype=float)
    moved = np.einsum("nja,jab->njb", means, turns) + shifts.reshape(1, m, 2)
    # Squares compared: the square root (or fourth root) of a rounding error would be large.
    power = 2 / convention.exponent
    before, after = (np.asarray(dissimilarities(x, convention)) ** power for x in (means, moved))
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-12 * (1 + np.abs(means).max()) * 50)
    if convention.is_linear:
        mine, theirs = (np.asarray(classical_mds_of_means(x, 2, convention).eigenvalues) for x in (moved, means))
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-10 * (1 + theirs[0]))


@properties
@given(mean_arrays(SHAPES), st.floats(1e-3, 1e3), st.booleans(), st.sampled_from(CONVENTIONS))
def test_homogeneity_of_degree_e(means, a, negate, convention):
    a_signed = -a if negate else a
    factor = a**convention.exponent
    close(dissimilarities(a_signed * means, convention), factor * np.asarray(dissimilarities(means, convention)))
    d = min(2, len(means) - 1)
    base = classical_mds_of_means(means, d, convention)
    scaled = classical_mds_of_means(a_signed * means, d, convention)
    close(scaled.eigenvalues, factor**2 * np.asarray(base.eigenvalues))
    if float(base.eigengap) > 1e-3 * float(base.eigenvalues[0]):
        bound = 1e-8 * factor**2 * float(base.eigenvalues[0])
        np.testing.assert_allclose(
            squares(scaled.configuration), factor**2 * squares(base.configuration), rtol=0, atol=bound
        )


@properties
@given(mean_arrays(SHAPES), st.sampled_from(CONVENTIONS))
def test_dissimilarities_are_a_metric_for_exponents_up_to_one(means, convention):
    D = np.asarray(dissimilarities(means, convention))
    assert (D == D.T).all()
    assert (np.diag(D) == 0).all()
    for i, k in itertools.permutations(range(len(means)), 2):
        assert (D[i, k] == 0) == (means[i] == means[k]).all()
        assert (D[i, k] <= (D[i] + D[:, k]) * (1 + 1e-13)).all()


@properties
@given(mean_arrays(SHAPES), st.sampled_from([0.25, 0.5, 1.0]))
def test_gram_is_positive_semi_definite_for_exponents_up_to_one(means, exponent):
    B = np.asarray(gram(dissimilarities(means, Convention("sqrt-m", exponent))))
    values = np.linalg.eigvalsh(B)
    assert values[0] >= -1e-13 * max(np.abs(values).max(), 1e-300) * len(B)


@pytest.mark.parametrize("exponent", [1.1, 1.5])
def test_gram_need_not_be_positive_semi_definite_for_exponents_above_one(exponent):
    # Schoenberg's exponents in (0, 2) are those of D^2 = c^2 ||.||^(2e), so e ends at 1. Three points on a line:
    # B's quadratic form at (1, -2, 1) is 4 - 4^e, negative from there on.
    line = np.array([0.0, 1.0, 2.0]).reshape(3, 1, 1)
    B = np.asarray(gram(dissimilarities(line, Convention("none", exponent))))
    direction = np.array([1.0, -2.0, 1.0])
    assert direction @ B @ direction == pytest.approx(4 - 4**exponent)
    assert np.linalg.eigvalsh(B)[0] < -0.05


@properties
@given(mean_arrays(SHAPES), st.sampled_from((DEFAULT, A25)))
def test_perspectives_reproduce_the_dissimilarities_once_d_reaches_the_rank(means, convention):
    n = len(means)
    D = np.asarray(dissimilarities(means, convention))
    enough = max(1, int(classical_mds_of_means(means, n - 1, convention).rank))
    for scaled in (classical_mds(D, n - 1), classical_mds_of_means(means, enough, convention)):
        # The rank counts from 1e-10 of the largest eigenvalue on: what lies below may be missing.
        np.testing.assert_allclose(squares(scaled.configuration), D**2, rtol=0, atol=1e-9 * max((D**2).max(), 1e-300))


@settings(max_examples=15, deadline=None, derandomize=True)
@given(populations(), st.sampled_from((DEFAULT, A25)))
def test_populations_have_euclidean_truths(population, convention):
    Delta = dissimilarities(population.mean, convention)
    found = classical_mds(Delta, 2)
    assert float(found.negative) < 1e-12
    assert bool((np.asarray(population.gamma) >= 0).all())


# Unbiasedness, exactly: expectations are sums over all samples of finite laws, in fractions.


def expectation_of_debiased_square(laws, counts):
    """E of the debiased ||X_1 - X_2||^2 with estimated gamma, by running through every sample of both models."""
    cells = [[list(law.samples(r)) for law, r in zip(*model, strict=True)] for model in zip(laws, counts, strict=True)]
    total = Fraction(0)
    for drawn in itertools.product(*itertools.chain(*cells)):
        probability = Fraction(1)
        for weight, _ in drawn:
            probability *= weight
        m = len(laws[0])
        x = [[sample for _, sample in drawn[i * m : (i + 1) * m]] for i in range(2)]
        gamma = [[reference.gamma_estimate(cell) for cell in model] for model in x]
        means = reference.mean_embeddings(x)
        total += probability * reference.debiased_squared_distance(means, gamma, counts, 0, 1)
    return total


@pytest.mark.parametrize("counts", [[[2, 2], [2, 2]], [[2, 3], [2, 2]]], ids=["equal", "unequal"])
@settings(max_examples=6, deadline=None, derandomize=True)
@given(st.lists(finite_laws(max_points=2), min_size=4, max_size=4))
def test_debiased_squares_are_unbiased_exactly(counts, laws):
    pairs = [laws[:2], laws[2:]]
    truth = reference.squared_distance(*[[law.mean for law in model] for model in pairs])
    assert expectation_of_debiased_square(pairs, counts) == truth


@settings(max_examples=6, deadline=None, derandomize=True)
@given(finite_laws(p=2), finite_laws(p=2))
def test_debiased_squares_are_unbiased_exactly_in_two_dimensions(first, second):
    truth = reference.squared_distance([first.mean], [second.mean])
    assert expectation_of_debiased_square([[first], [second]], [[2], [2]]) == truth


def test_plain_squares_are_biased_by_exactly_the_noise():
    law = finite_laws(max_points=3).filter(lambda drawn: drawn.gamma > 0)

    @settings(max_examples=8, deadline=None, derandomize=True)
    @given(law, law, st.integers(1, 3))
    def check(first, second, r):
        expected = Fraction(0)
        for (v, x), (w, y) in itertools.product(first.samples(r), second.samples(r)):
            means = reference.mean_embeddings([[x], [y]])
            expected += v * w * reference.squared_distance(*means)
        truth = reference.squared_distance([first.mean], [second.mean])
        assert expected - truth == (first.gamma + second.gamma) / r

    check()


@settings(max_examples=6, deadline=None, derandomize=True)
@given(finite_laws(max_points=3), finite_laws(max_points=3))
def test_the_fast_estimator_is_the_exact_one_on_every_sample(first, second):
    samples = list(itertools.product(first.samples(2), second.samples(2)))
    x = [[[a], [b]] for (_, a), (_, b) in samples]
    exact = []
    for model_pair in x:
        gamma = [[reference.gamma_estimate(cell) for cell in model] for model in model_pair]
        means = reference.mean_embeddings(model_pair)
        exact.append(float(reference.debiased_squared_distance(means, gamma, [[2], [2]], 0, 1)))
    values = np.zeros((81, 2, 1, 2, 1))  # one shape, so one program
    values[: len(x)] = np.asarray(x, dtype=float)
    means, gamma = values.mean(axis=3), values.var(axis=3, ddof=1).sum(axis=-1)
    fast = jax.vmap(lambda mu, g: debiased_squared_dissimilarities(mu, g, 2.0))(means, gamma)
    np.testing.assert_allclose(fast[: len(x), 0, 1], exact, atol=1e-12)
    weighted = sum(
        float(v * w) * value for ((v, _), (w, _)), value in zip(samples, fast[:, 0, 1].tolist(), strict=False)
    )
    truth = float(reference.squared_distance([first.mean], [second.mean]))
    assert weighted == pytest.approx(truth, abs=1e-11)
