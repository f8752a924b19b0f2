"""Alignment and its errors: optimal, invariant, and defined where the cross product is singular."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dkps_theory._validate import InputError
from dkps_theory.geometry import align, alignment_errors, orthogonal_alignment, rigid_alignment
from dkps_theory.testing.strategies import orthogonal_matrices
from tests import reference

RNG = np.random.default_rng(8)
TRUTH = RNG.normal(size=(7, 2))
NOISY = TRUTH + 0.1 * RNG.normal(size=(7, 2))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(orthogonal_matrices(2), st.tuples(st.integers(-3, 3), st.integers(-3, 3)))
def test_motions_are_undone_and_errors_do_not_see_them(W, shift):
    still = alignment_errors(NOISY, TRUTH)
    turned = alignment_errors(NOISY @ W, TRUTH)
    moved = alignment_errors(NOISY @ W + np.array([shift], dtype=float), TRUTH, "rigid")
    still_rigid = alignment_errors(NOISY, TRUTH, "rigid")
    for name in ("frobenius", "spectral", "two_to_infinity", "pairwise"):
        np.testing.assert_allclose(getattr(turned, name), getattr(still, name), rtol=1e-11)
        np.testing.assert_allclose(getattr(moved, name), getattr(still_rigid, name), rtol=1e-11)
    np.testing.assert_allclose(align(TRUTH @ W, TRUTH), TRUTH, atol=1e-13)
    # No other orthogonal matrix does better.
    assert float(still.frobenius) <= np.linalg.norm(NOISY @ W - TRUTH) + 1e-13


def test_errors_equal_their_definitions():
    difference = reference.aligned(NOISY, TRUTH) - TRUTH
    found = alignment_errors(NOISY, TRUTH)
    np.testing.assert_allclose(found.frobenius, np.linalg.norm(difference), rtol=1e-12)
    np.testing.assert_allclose(found.spectral, np.linalg.norm(difference, ord=2), rtol=1e-12)
    np.testing.assert_allclose(found.two_to_infinity, np.linalg.norm(difference, axis=1).max(), rtol=1e-12)
    np.testing.assert_allclose(found.pairwise, reference.pairwise_error(NOISY, TRUTH), rtol=1e-12)
    assert found.two_to_infinity <= found.spectral <= found.frobenius


def test_rigid_alignment_is_the_orthogonal_one_between_centred_configurations():
    W, a = rigid_alignment(NOISY + 5.0, TRUTH)
    centred = NOISY - NOISY.mean(axis=0, keepdims=True)
    expected = reference.orthogonal_alignment(centred, TRUTH - TRUTH.mean(axis=0, keepdims=True))
    np.testing.assert_allclose(W, expected, atol=1e-12)
    np.testing.assert_allclose(align(NOISY + 5.0, TRUTH, "rigid"), (NOISY + 5.0) @ W + a[None, :], atol=1e-12)


@pytest.mark.parametrize("motion", ["orthogonal", "rigid"])
@pytest.mark.parametrize(
    ("source", "target"),
    [
        (np.zeros((4, 3)), np.zeros((4, 3))),
        (np.zeros((4, 3)), RNG.normal(size=(4, 3))),
        (RNG.normal(size=(4, 3)), np.zeros((4, 3))),
        (np.outer([1.0, 2, 3, 4], [1.0, 0, 0]), np.outer([1.0, 2, 3, 4], [0.0, 0.6, 0.8])),
        (np.ones((4, 3)), np.ones((4, 3))),
        (RNG.normal(size=(2, 3)), RNG.normal(size=(2, 3))),
    ],
    ids=["both zero", "source zero", "target zero", "rank one", "one point", "fewer points than dimensions"],
)
def test_singular_cross_products_still_give_an_orthogonal_matrix(source, target, motion):
    W = np.asarray(orthogonal_alignment(source, target))
    np.testing.assert_allclose(W @ W.T, np.eye(3), atol=1e-14)
    errors = alignment_errors(source, target, motion)
    assert all(np.isfinite(value) for value in jax.tree.leaves(errors))


def test_vmap_is_the_loop_even_where_one_configuration_is_zero():
    batch = jnp.stack([jnp.asarray(NOISY), jnp.zeros((7, 2))])
    together = jax.vmap(lambda x: alignment_errors(x, TRUTH))(batch)
    for b in range(2):
        one = alignment_errors(batch[b], TRUTH)
        np.testing.assert_allclose(together.frobenius[b], one.frobenius, rtol=1e-13)
        np.testing.assert_allclose(together.spectral[b], one.spectral, rtol=1e-13)


def test_rank_one_configurations_are_matched_exactly():
    source, target = np.outer([1.0, 2, 4], [1.0, 0, 0]), np.outer([1.0, 2, 4], [0.0, 0.6, -0.8])
    np.testing.assert_allclose(align(source, target), target, atol=1e-14)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: align(TRUTH, TRUTH, "affine"), "motion: got 'affine'; it must be one of orthogonal, rigid"),
        (lambda: align(TRUTH, TRUTH[:3]), r"target: got shape \(3, 2\); it must be that of source, \(7, 2\)"),
        (lambda: orthogonal_alignment(TRUTH[0], TRUTH[0]), r"source: got 1 axes \(2,\); it must have 2, \(n, d\)"),
        (lambda: rigid_alignment(TRUTH, TRUTH * np.nan), r"target: 14 values not finite, the first at \[0, 0\]"),
        (lambda: alignment_errors(jnp.zeros((2, 0)), jnp.zeros((2, 0))), "source: axis d is empty"),
    ],
)
@pytest.mark.usefixtures("unannotated")
def test_bad_input_is_one_clear_line(call, message):
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
