"""All orders on a line: exact over the fractions, ties complete, and the floats agree."""

from __future__ import annotations

from fractions import Fraction

import jax
import numpy as np
import pytest

from dkps_theory._validate import InputError
from dkps_theory.geometry import line_minimisers
from tests import reference

RNG = np.random.default_rng(31)


def integers(n, low=0, high=6):
    upper = np.triu(RNG.integers(low, high, size=(n, n)), 1)
    return (upper + upper.T).tolist()


def stress_on_a_line(x, D):
    """sigma, exactly."""
    n = len(D)
    return sum((abs(x[i] - x[k]) - D[i][k]) ** 2 for i in range(n) for k in range(n))


@pytest.mark.parametrize("low", [0, 1], ids=["zeros too", "positive"])
@pytest.mark.parametrize("n", [2, 3, 5, 6])
def test_fractions_and_floats_agree_and_attain_their_stress(n, low):
    D = integers(n, low)
    stress, exact = line_minimisers(D)
    found_stress, found = line_minimisers(np.array(D, dtype=float))
    assert isinstance(stress, Fraction)
    assert float(stress) == pytest.approx(found_stress, abs=1e-12)
    assert len(exact) == len(found)
    for x in exact:
        assert stress_on_a_line(x, D) == stress
        assert sum(x) == 0
        assert any(np.abs(np.array(x, dtype=float) - y).max() < 1e-12 for y in found)
    for y in found:
        assert reference.raw_stress([[value] for value in y], D) == pytest.approx(found_stress, abs=1e-12)


def test_no_configuration_of_a_fine_grid_is_better():
    D = integers(3, 1)
    stress, _ = line_minimisers(D)
    grid = [Fraction(k, 6) for k in range(-40, 41)]
    assert min(stress_on_a_line([0, a, b], D) for a in grid for b in grid) >= stress


@pytest.mark.parametrize(
    ("D", "stress", "ties"),
    [
        ([[0, 1, 1], [1, 0, 1], [1, 1, 0]], Fraction(2, 3), 3),
        ([[0, 1, 2], [1, 0, 2], [2, 2, 0]], Fraction(2, 3), 2),
        ([[0, 2, 3], [2, 0, 4], [3, 4, 0]], Fraction(2, 3), 1),
        ([[0, 1], [1, 0]], 0, 1),
        ([[0, 0, 0], [0, 0, 0], [0, 0, 0]], 0, 1),
        ([[0, 0, 1], [0, 0, 1], [1, 1, 0]], 0, 1),
    ],
    ids=["equilateral", "isosceles", "scalene", "two", "all zero", "two coincide"],
)
def test_ties_of_known_triangles(D, stress, ties):
    found, minimisers = line_minimisers(D)
    assert found == stress
    assert len(minimisers) == ties
    assert len(line_minimisers(np.array(D, dtype=float))[1]) == ties


def test_a_square_has_eight_minimisers_and_eight_equal_distances_all_orders():
    corners = np.array([[0.0, 0], [0, 1], [1, 1], [1, 0]])
    D = np.linalg.norm(corners[:, None] - corners[None, :], axis=-1)
    assert len(line_minimisers(D)[1]) == 8
    assert len(line_minimisers(1.0 - np.eye(8))[1]) == 20160


@pytest.mark.parametrize(
    ("D", "message"),
    [
        (np.zeros((9, 9)), "got n = 9; all orders can be enumerated for n from 2 to 8 only"),
        (np.zeros((1, 1)), "got n = 1"),
        ([[0, 1], [2, 0]], r"entries \[0, 1\] and \[1, 0\] differ"),
        ([[0, 0.5], [0.5, 0]], r"entry \[0, 1\] is 0.5; nested lists hold whole numbers and fractions"),
        ([[0, -1], [-1, 0]], r"entry \[0, 1\] is -1; dissimilarities are at least 0"),
        ([[1, 1], [1, 0]], r"diagonal entry \[0, 0\] is 1; it must be 0"),
        ([[0, 1]], "not 1 x 1"),
        (np.array([[0, np.inf], [np.inf, 0]]), "2 values not finite"),
    ],
)
@pytest.mark.usefixtures("unannotated")
def test_bad_input_is_one_clear_line(D, message):
    with pytest.raises(InputError, match=message) as caught:
        line_minimisers(D)
    assert "\n" not in str(caught.value)


def test_traced_input_is_refused():
    with pytest.raises(InputError, match="traced by jit"):
        jax.jit(lambda D: line_minimisers(D)[0])(np.zeros((3, 3)))
