"""Double centring, against the matrix product and at bad input."""

from __future__ import annotations

import numpy as np
import pytest

from dkps_theory._validate import InputError
from dkps_theory.geometry import gram
from tests import reference


def test_equals_the_matrix_product_and_is_centred():
    points = np.random.default_rng(2).normal(size=(6, 3))
    D = np.linalg.norm(points[:, None, :] - points[None, :, :], axis=-1)
    B = np.asarray(gram(D))
    centred = points - points.mean(axis=0, keepdims=True)
    np.testing.assert_allclose(B, reference.gram(D), atol=1e-14)
    np.testing.assert_allclose(B, centred @ centred.T, atol=1e-14)
    np.testing.assert_allclose(B.sum(axis=0), 0, atol=1e-13)
    assert (B == B.T).all()


def test_rounding_in_a_users_matrix_is_forgiven():
    D = np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 1.5], [2.0, 1.5, 0.0]])
    rough = D + 1e-12 * np.arange(9).reshape(3, 3)
    np.testing.assert_allclose(gram(rough), gram(D), atol=1e-10)
    assert (np.asarray(gram(rough)) == np.asarray(gram(rough)).T).all()


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.zeros((2, 3)), r"got shape \(2, 3\); it must be square"),
        (np.zeros(4), r"got shape \(4,\); it must be square"),
        (np.zeros((0, 0)), r"got shape \(0, 0\); it must be square"),
        ([[0.0, 1.0], [2.0, 0.0]], r"entries \[0, 1\] = 1 and \[1, 0\] = 2 differ"),
        ([[0.0, -1.0], [-1.0, 0.0]], r"entry \[0, 1\] is -1; dissimilarities are at least 0"),
        ([[0.5, 1.0], [1.0, 0.0]], r"diagonal entry \[0, 0\] is 0.5; it must be 0"),
        ([[0.0, np.nan], [np.nan, 0.0]], r"2 values not finite, the first at \[0, 1\]"),
        ([[0.0, np.inf], [np.inf, 0.0]], r"2 values not finite"),
    ],
)
@pytest.mark.usefixtures("unannotated")
def test_what_is_no_dissimilarity_matrix_is_refused_in_one_line(matrix, message):
    with pytest.raises(InputError, match=message) as caught:
        gram(np.asarray(matrix))
    assert "\n" not in str(caught.value)
