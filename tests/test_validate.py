"""Input checks hold for every input, absurd ones included: one line, never another error."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from dkps_theory._validate import InputError, finite, nearest_name, shown, whole_number


def kind(value):
    """Name a case by its type: some values are too long to be a name."""
    return type(value).__name__


@pytest.mark.parametrize("value", [10**400, -(10**400), 10**5000, Fraction(10**400)], ids=["400", "-400", "5000", "f"])
def test_numbers_beyond_double_precision_are_one_line(value):
    with pytest.raises(InputError, match=r"n: got more than 308 digits; .* of at least 1"):
        whole_number("n", value, 1)
    with pytest.raises(InputError, match="gamma: holds a whole number too large for double precision"):
        finite("gamma", [1.0, value])


@pytest.mark.parametrize(
    "value", [1.5, "3", None, True, float("nan"), float("inf"), 0, 11, np.ones((2, 2)), [10**5000]]
)
def test_what_is_no_whole_number_in_the_range_is_one_line(value):
    with pytest.raises(InputError, match=r"n: got .*; it must be a whole number from 1 to 10") as caught:
        whole_number("n", value, 1, 10)
    assert "\n" not in str(caught.value)


def test_whole_numbers_of_any_kind_pass():
    assert [whole_number("n", value, 1, 10) for value in (1, 10.0, np.int64(3), np.float32(4.0), Fraction(8, 2))] == [
        1, 10, 3, 4, 4,
    ]  # fmt: skip


def test_what_is_shown_is_short_and_on_one_line():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert shown("m") == "'m'"
    assert shown(np.eye(2)) == "array([[1., 0.], [0., 1.]])"
    assert shown("x" * 1000) == "'" + "x" * 99 + "..."
    assert shown(deep) == "a list too long to print"


def test_the_nearest_name():
    assert "did you mean 'full'" in str(nearest_name("covariance_type", "ful", ["full", "spherical"]))
    assert "known: full, spherical" in str(nearest_name("covariance_type", "zzz", ["full", "spherical"]))
    assert "got None; it must be text, one of full" in str(nearest_name("covariance_type", None, ["full"]))
