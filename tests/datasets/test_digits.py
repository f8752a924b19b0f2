"""The digit generators: what is documented about their means, shares and shape holds."""

from __future__ import annotations

import numpy as np
import pytest

from dkps_theory._validate import InputError
from dkps_theory.datasets import digits_population


@pytest.fixture(scope="module")
def digits():
    return digits_population(9, p=6, components=2)


def test_shape_and_names(digits):
    assert digits.population.shape == (9, 10, 6)
    assert digits.shares.shape == (9, 3)
    np.testing.assert_allclose(digits.shares.sum(axis=1), 1, atol=1e-15)
    np.testing.assert_array_equal(digits.shares[:3], np.eye(3))
    assert digits.shares.min() >= 0
    assert len(digits.models) == 9
    assert digits.models[0] == "100% right, 0% next, 0% after"
    assert digits.queries == tuple(f"digit {digit}" for digit in range(10))
    assert digits.converged.shape == (9, 10)
    assert digits.converged.all()


def test_true_perspectives_are_the_triangle_of_shares(digits):
    rows = np.asarray(digits.population.mean).reshape(9, -1)
    rows = rows - rows.mean(axis=0)
    u, s, _ = np.linalg.svd(rows, full_matrices=False)
    assert (s[:2] ** 2).sum() > 0.97 * (s**2).sum()
    shares = digits.shares - digits.shares.mean(axis=0)
    left = shares - u[:, :2] @ (u[:, :2].T @ shares)
    assert (left**2).sum() < 0.01 * (shares**2).sum()


def test_fits_keep_the_means_of_the_training_sets(digits):
    # The honest model asked for j and the one that is one class late asked for j - 1 both learnt from digits j.
    mean, gamma = np.asarray(digits.population.mean), np.asarray(digits.population.gamma)
    gap = np.linalg.norm(mean[0] - np.roll(mean[1], 1, axis=0), axis=1)
    assert (gap < 0.1 * np.sqrt(gamma[0]) + 0.1).all()


def test_deterministic_and_independent_of_n(digits):
    again = digits_population(5, p=6, components=2)
    np.testing.assert_array_equal(again.population.component_means, digits.population.component_means[:5])
    other = digits_population(3, seed=1, p=6, components=2)
    np.testing.assert_array_equal(other.shares, digits.shares[:3])
    assert np.all(np.asarray(other.population.mean) != np.asarray(digits.population.mean[:3]))


def test_bad_input():
    for arguments, message in (
        ({"n": 2}, "n .models.: got 2"),
        ({"p": 65}, "from 1 to 64"),
        ({"components": 0}, "components: got 0"),
        ({"seed": -1}, "seed: got -1"),
    ):
        with pytest.raises(InputError, match=message):
            digits_population(**arguments)
