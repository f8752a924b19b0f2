"""Classical MDS: against loops and scikit-learn, its three routes against one another, and the edges."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.manifold import ClassicalMDS as TheirClassicalMDS

from dkps_theory._validate import InputError
from dkps_theory.conventions import A24, A25, DEFAULT, Convention
from dkps_theory.geometry import align, classical_mds, classical_mds_of_means, dissimilarities
from tests import reference

RNG = np.random.default_rng(5)


def distances(points):
    return np.linalg.norm(points[:, None, :] - points[None, :, :], axis=-1)


@pytest.mark.parametrize("convention", [DEFAULT, A24, A25], ids=lambda c: c.label)
def test_agrees_with_the_loop_and_with_scikit_learn(convention):
    D = np.asarray(dissimilarities(RNG.normal(size=(12, 4, 3)), convention))
    mine = classical_mds(D, 3)
    theirs = TheirClassicalMDS(n_components=3, metric="precomputed").fit(D)
    twin = reference.classical_mds(D, 3)
    np.testing.assert_allclose(align(mine.configuration, theirs.embedding_), theirs.embedding_, atol=1e-8)
    np.testing.assert_allclose(mine.eigenvalues[:3], theirs.eigenvalues_, rtol=1e-12)
    np.testing.assert_allclose(align(mine.configuration, twin), twin, atol=1e-12)


@pytest.mark.parametrize(("n", "m", "p"), [(6, 2, 4), (6, 3, 2), (9, 2, 2)], ids=str)
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_the_three_routes_agree(n, m, p, offset):
    means = RNG.normal(size=(n, m, p)) + offset
    d = min(2, m * p)
    direct = classical_mds(dissimilarities(means), d)
    short = classical_mds_of_means(means, d)
    scale = float(direct.eigenvalues[0])
    np.testing.assert_allclose(short.eigenvalues, direct.eigenvalues, atol=1e-13 * scale)
    np.testing.assert_allclose(align(short.configuration, direct.configuration), direct.configuration, atol=1e-12)
    np.testing.assert_allclose(short.configuration, direct.configuration, atol=1e-9)  # the signs agree too
    assert float(short.rank) == float(direct.rank) == min(n - 1, m * p)
    np.testing.assert_allclose(short.eigengap, direct.eigengap, atol=1e-13 * scale)
    assert float(short.negative) < 1e-13
    assert float(direct.negative) < 1e-13


def test_other_exponents_go_through_the_dissimilarities():
    means = RNG.normal(size=(6, 2, 1))
    direct = classical_mds(dissimilarities(means, A25), 3)
    np.testing.assert_allclose(classical_mds_of_means(means, 3, A25).configuration, direct.configuration, atol=1e-13)
    assert int(direct.rank) == 5  # e = 1/2 lifts two-dimensional means to the full n - 1 dimensions


def test_spectrum_of_a_known_configuration():
    # Four points on a cross: eigenvalues 2 a^2 and 2 b^2.
    cross = np.array([[3.0, 0.0], [-3.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    found = classical_mds(distances(cross), 1)
    np.testing.assert_allclose(found.eigenvalues, [18.0, 2.0, 0.0, 0.0], atol=1e-13)
    assert float(found.eigengap) == pytest.approx(16.0)
    assert int(found.rank) == 2
    assert float(classical_mds(distances(cross), 3).eigengap) == pytest.approx(0.0, abs=1e-13)


def test_negative_eigenvalues_are_reported_and_never_taken_the_root_of():
    # No triangle inequality, so no points in any space: d(1, 3) = 5 > 1 + 1.
    D = np.array([[0.0, 1.0, 5.0], [1.0, 0.0, 1.0], [5.0, 1.0, 0.0]])
    found = classical_mds(D, 2)
    expected = np.linalg.eigvalsh(reference.gram(D))[::-1]
    np.testing.assert_allclose(found.eigenvalues, expected, atol=1e-13)
    assert float(found.negative) == pytest.approx(-expected[-1] / np.abs(expected).sum())
    assert float(found.negative) > 0.1
    assert int(found.rank) == 1
    assert bool(jnp.isfinite(found.configuration).all())


def test_two_models():
    found = classical_mds(np.array([[0.0, 3.0], [3.0, 0.0]]), 1)
    np.testing.assert_allclose(found.configuration, [[1.5], [-1.5]])
    np.testing.assert_allclose(found.eigenvalues, [4.5, 0.0], atol=1e-15)
    of_means = classical_mds_of_means(np.array([[[0.0]], [[3.0]]]), 1)  # 1 x 1 Gram
    np.testing.assert_allclose(of_means.configuration, [[1.5], [-1.5]])


@pytest.mark.parametrize("shape", [(5, 3, 4), (5, 1, 2)], ids=str)
@pytest.mark.parametrize("convention", [DEFAULT, A25], ids=lambda c: c.label)
def test_identical_models_give_exact_zeros(shape, convention):
    means = np.broadcast_to(0.1 + RNG.normal(size=(1, *shape[1:])), shape)
    for found in (
        classical_mds_of_means(means, 3, convention),
        classical_mds(dissimilarities(means, convention), 3),
    ):
        for name in ("configuration", "eigenvalues", "rank", "eigengap", "negative"):
            assert (np.asarray(getattr(found, name)) == 0).all(), name


def test_zero_rows_and_coincident_models():
    means = RNG.normal(size=(6, 2, 4))
    means[[0, 3]] = 0.0
    found = classical_mds_of_means(means, 4)
    np.testing.assert_allclose(found.configuration[0], found.configuration[3], atol=1e-14)
    assert int(found.rank) == 4


@pytest.mark.parametrize(("m", "p"), [(1, 2), (4, 3)], ids=str)
def test_dimensions_above_the_rank_are_zero_up_to_rounding(m, p):
    plane = RNG.normal(size=(7, 2))
    means = (plane @ np.linalg.qr(RNG.normal(size=(m * p, 2)))[0].T).reshape(7, m, p)
    plain = Convention("none")
    for found in (classical_mds_of_means(means, 5, plain), classical_mds(dissimilarities(means, plain), 5)):
        assert int(found.rank) == 2
        # The root of an eigenvalue that rounding leaves at 1e-16 of the first.
        assert float(jnp.abs(found.configuration[:, 2:]).max()) < 1e-6
        np.testing.assert_allclose(distances(np.asarray(found.configuration)), distances(plane), atol=1e-6)


def test_signs_do_not_depend_on_rounding():
    square = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.5], [0.0, -0.5]])
    base = np.asarray(classical_mds(distances(square), 2).configuration)
    for nudge in (1e-12, -1e-12):
        moved = square * (1 + nudge * np.arange(8).reshape(4, 2))
        np.testing.assert_allclose(classical_mds(distances(moved), 2).configuration, base, atol=1e-9)


def test_jit_and_vmap_are_the_loop():
    batch = jnp.asarray(RNG.normal(size=(3, 6, 2, 4)))
    together = jax.jit(jax.vmap(lambda means: classical_mds_of_means(means, 2)))(batch)
    of_dissimilarities = jax.vmap(lambda D: classical_mds(D, 2))(jax.vmap(dissimilarities)(batch))
    for b in range(3):
        one = classical_mds_of_means(batch[b], 2)
        np.testing.assert_allclose(together.configuration[b], one.configuration, atol=1e-12)
        np.testing.assert_allclose(of_dissimilarities.configuration[b], one.configuration, atol=1e-12)
        np.testing.assert_allclose(together.eigengap[b], one.eigengap, rtol=1e-10)


@pytest.mark.parametrize(
    ("d", "message"),
    [
        (0, r"d \(perspective dimension\): got 0; it must be a whole number of at least 1"),
        (-2, r"got -2; it must be a whole number of at least 1"),
        (1.5, r"got 1.5; it must be a whole number"),
        (True, r"got True; it must be a whole number"),
        (4, r"got 4 for n = 4 models; it must be below n"),
        (9, r"got 9 for n = 4 models; it must be below n"),
    ],
)
@pytest.mark.usefixtures("unannotated")
def test_dimensions_out_of_range_are_refused_in_one_line(d, message):
    for call in (classical_mds, classical_mds_of_means):
        argument = np.zeros((4, 4)) if call is classical_mds else np.zeros((4, 1, 1))
        with pytest.raises(InputError, match=message):
            call(argument, d)


@pytest.mark.usefixtures("unannotated")
def test_other_bad_input_is_refused_in_one_line():
    with pytest.raises(InputError, match=r"got 2 axes \(4, 4\); it must have 3, \(n, m, p\)"):
        classical_mds_of_means(np.zeros((4, 4)), 1)
    with pytest.raises(InputError, match="convention: got 'm'; it must be a Convention"):
        classical_mds_of_means(np.zeros((4, 1, 1)), 1, "m")
    with pytest.raises(InputError, match="must be square"):
        classical_mds(np.zeros((4, 1, 1)), 1)
    with pytest.raises(InputError, match="not finite"):
        classical_mds_of_means(np.full((4, 1, 1), np.inf), 1)
