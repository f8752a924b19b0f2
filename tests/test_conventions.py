"""Conventions: the two numbers (c, e), and nothing else under that name."""

from __future__ import annotations

from fractions import Fraction

import jaxtyping
import numpy as np
import pytest

from dkps_theory._validate import InputError, shown
from dkps_theory.conventions import A24, A25, DEFAULT, Convention, checked_convention


@pytest.fixture(autouse=True)
def unannotated(monkeypatch):
    """Calls as users make them, without the annotation checks that run under pytest."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.mark.parametrize(
    "exponent", ["1", None, True, 0, -1.0, float("nan"), float("inf"), 10**400, 1j, [1.0]], ids=shown
)
def test_an_exponent_is_a_positive_real_number(exponent):
    with pytest.raises(InputError, match=r"exponent: got .*; it must be a positive number") as caught:
        Convention("m", exponent)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("normalisation", ["n", None, 1, ["m"], {}])
def test_a_normalisation_is_one_of_three(normalisation):
    with pytest.raises(InputError, match=r"normalisation: got .*; it must be one of sqrt-m, m, none"):
        Convention(normalisation)


def test_numbers_of_any_kind_make_equal_conventions():
    assert Convention("sqrt-m", Fraction(1, 2)) == Convention("sqrt-m", np.float32(0.5)) == A25
    assert Convention("m", 1) == A24
    assert Convention("m", 1).label == A24.label


@pytest.mark.parametrize("value", ["m", None, ("m", 1.0), 0.5])
def test_a_name_or_a_pair_is_no_convention(value):
    with pytest.raises(InputError, match=r"convention: got .*; it must be a Convention, for example Convention\('m'"):
        checked_convention(value)


def test_a_convention_is_returned_as_it_is():
    assert checked_convention(DEFAULT) is DEFAULT
