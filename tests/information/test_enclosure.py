"""Exact information: forms in logarithms that compare without error, against double precision and known numbers."""

from __future__ import annotations

import math
from fractions import Fraction

import flint
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dkps_theory._validate import InputError
from dkps_theory.information.enclosure import Enclosure
from dkps_theory.information.joint_law import JointLaw
from dkps_theory.information.log_forms import LogForm, coprime_base
from dkps_theory.testing import strategies

quick = settings(max_examples=40, deadline=None)
HALF = Fraction(1, 2)


def log(x) -> LogForm:
    return LogForm([(x, 1)])


@quick
@given(strategies.joint_laws(exact=True), strategies.joint_laws(exact=True))
def test_double_precision_lies_at_the_certified_value(law: JointLaw, other: JointLaw):
    known = law.enclosure
    pairs = [
        (known.entropy(("x", "z")), law.entropy(("x", "z"))),
        (known.entropy("x", ("y", "z")), law.entropy("x", ("y", "z"))),
        (known.mutual_information("x", "y"), law.mutual_information("x", "y")),
        (known.mutual_information(("x", "y"), "z", "y"), law.mutual_information(("x", "y"), "z", "y")),
        (known.interaction_information("x", "y", "z"), law.interaction_information("x", "y", "z")),
    ]
    if math.isfinite(law.kl_divergence(other)):
        pairs.append((known.kl_divergence(other), law.kl_divergence(other)))
    for form, value in pairs:
        assert form.low <= form.high
        assert form.high - form.low < Fraction(1, 10**35)
        assert float(form.low) - 1e-13 <= value <= float(form.high) + 1e-13
        assert float(form) == pytest.approx(value, abs=1e-13)
    assert float(known.total_variation(other)) == pytest.approx(law.total_variation(other), abs=1e-14)
    assert isinstance(known.total_variation(other), Fraction)


def test_a_float_has_all_its_digits_where_the_terms_cancel():
    assert float(LogForm([(10**300 + 1, 1), (10**300, -1)])) == 1e-300
    assert float(3 * log(2) - log(8)) == float(log(2) - log(2)) == 0


@quick
@given(strategies.joint_laws(exact=True))
def test_identities_are_exact(law: JointLaw):
    H, I = law.enclosure.entropy, law.enclosure.mutual_information  # noqa: E741
    assert H(("x", "y", "z")) == H("x") + H("y", "x") + H("z", ("x", "y"))
    assert I("x", ("y", "z")) == I("x", "y") + I("x", "z", "y")
    assert I("x", "y") - H("x") - H("y") + H(("x", "y")) == 0
    assert I("x", "x") == H("x")
    assert I("x", "y", "z") >= 0
    together = law.enclosure.interaction_information
    assert together("x", "y", "z") == together("z", "x", "y") == I("x", "y") - I("x", "y", "z")
    assert together("x", "y", (), "z") == 0
    # An identity with one factor wrong is told from 0, unless the quantity itself is 0.
    assert (H(("x", "y")) == H("x") + 2 * H("y", "x")) == (H("y", "x") == 0)


def test_known_values():
    law = JointLaw.independent(x=[HALF, Fraction(1, 4), Fraction(1, 4)], y=[Fraction(1, 3)] * 3)
    known = law.enclosure
    assert known.entropy("x") == Fraction(3, 2) * log(2)
    assert known.entropy(("x", "y")) == Fraction(3, 2) * log(2) + log(3)
    assert known.mutual_information("x", "y").interval() == (0, 0)
    bits = JointLaw.independent(x=[HALF] * 2, y=[HALF] * 2).derive("z", ("x", "y"), lambda x, y: x ^ y)
    assert bits.enclosure.interaction_information("x", "y", "z") == -log(2)
    assert law.margin("x").enclosure.total_variation(law.margin("y").relabel(y="x")) == Fraction(1, 6)
    assert law.margin("x").enclosure.kl_divergence(law.margin("y").relabel(y="x")) == log(3) - Fraction(3, 2) * log(2)


# Forms


def test_zero_is_seen_through_other_terms():
    assert 2 * log(6) == log(4) + log(9)
    assert log(Fraction(3, 2)) == log(3) - log(2)
    assert (log(8) / 3 - log(2)).is_zero
    assert log(2**61 - 1) + log(2**89 - 1) == log((2**61 - 1) * (2**89 - 1))
    assert LogForm() == 0
    assert not log(2).is_zero
    assert not (log(6) - log(2)).is_zero
    assert not (LogForm(constant=1) - 1 + log(3)).is_zero
    assert LogForm(constant=1) == 1


def test_order_is_seen_far_below_the_default_precision():
    large = 10**60
    assert log(large + 1) > log(large)
    assert (log(large) - log(large + 1)).sign() == -1
    close = log(2).interval(600)
    assert close.low < log(2) < close.high
    assert close.high - close.low < Fraction(1, 2**590)
    assert list(map(float, sorted([log(3), log(2), log(Fraction(5, 2))]))) == [math.log(x) for x in (2, 2.5, 3)]
    assert log(2) <= Fraction(7, 10)
    assert log(2) >= Fraction(69, 100)
    assert log(2) <= 1 * log(2)
    assert log(2) >= 1 * log(2)
    assert not log(2) < 1 * log(2)
    assert not log(2) > 1 * log(2)


def test_a_sign_beyond_reach_is_an_error_and_no_guess():
    with pytest.raises(ArithmeticError, match="is not decided by 131072 bits"):
        (log(2**140000 + 1) - log(2**140000)).sign()


@quick
@given(
    st.lists(st.tuples(st.fractions(Fraction(1, 50), 50), st.fractions(-9, 9, max_denominator=9)), max_size=5),
    st.fractions(-2, 2, max_denominator=5),
)
def test_intervals_hold_the_number_at_every_precision(terms, constant):
    form = LogForm(terms, constant)
    value = math.fsum([float(constant), *(float(c) * math.log(x) for x, c in terms)])
    bounds = [form.interval(bits) for bits in (20, 53, 128, 500)]
    for low, high in bounds:
        assert low <= bounds[-1].low <= bounds[-1].high <= high
        assert float(low) - 1e-12 <= value <= float(high) + 1e-12
    assert form.sign() == (0 if form.is_zero else math.copysign(1, float(bounds[-1].low)))
    assert form - form == 0
    assert (3 * form) / 3 == form
    assert -(2 - form) == form - 2
    assert repr(form) == repr(LogForm(form.terms.items(), form.constant))


@quick
@given(st.lists(st.integers(1, 10**6), max_size=6))
def test_a_base_is_coprime_and_factors_everything(values: list[int]):
    base = coprime_base(values)
    assert all(b > 1 for b in base)
    assert all(math.gcd(a, b) == 1 for place, a in enumerate(base) for b in base[:place])
    for value in values:
        rest = value
        for b in base:
            while rest % b == 0:
                rest //= b
        assert rest == 1


def test_the_precision_of_others_is_left_alone():
    before = flint.ctx.prec
    log(3).interval(999)
    assert flint.ctx.prec == before
    with flint.ctx.workprec(10):
        assert log(3).high - log(3).low < Fraction(1, 2**120)
        assert flint.ctx.prec == 10


FLOATS = JointLaw.independent(x=[0.5, 0.5])
EXACT = JointLaw.independent(x=[HALF, HALF])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: FLOATS.enclosure, "has float probabilities; make it from Fractions"),
        (lambda: Enclosure(FLOATS), "has float probabilities"),
        (lambda: EXACT.enclosure.total_variation(FLOATS), "other: JointLaw.* has float probabilities"),
        (lambda: EXACT.enclosure.kl_divergence(JointLaw.independent(x=[0, 1])), "kl_divergence: infinite"),
        (lambda: EXACT.enclosure.entropy("y"), "unknown variable 'y'"),
        (lambda: log(0), "got log 0; it must be the logarithm of a positive rational"),
        (lambda: log(0.5), "got log 0.5"),
        (lambda: LogForm([(2, 0.5)]), "got the coefficient 0.5; it must be rational"),
        (lambda: LogForm(constant=0.5), "constant: got 0.5; it must be rational"),
        (lambda: log(2) < 0.7, "comparison: got 0.7; exact values compare with each other and with rationals"),
        (lambda: log(2).interval(1), "bits: got 1; it must be a whole number of at least 2"),
    ],
)
def test_what_is_wrong_is_said(call, says: str, unannotated):
    with pytest.raises(InputError, match=says):
        call()


@pytest.mark.parametrize(
    "call", [lambda: log(2) + 0.5, lambda: log(2) * log(3), lambda: log(2) / 0.5, lambda: 1.5 - log(2)]
)
def test_floats_and_products_of_forms_are_no_forms(call):
    with pytest.raises(TypeError):
        call()
