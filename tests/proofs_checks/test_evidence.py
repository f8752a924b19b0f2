"""The tools that make evidence: they support what is true, contradict what is false, and say with which power."""

from __future__ import annotations

import math
from fractions import Fraction

import jax
import numpy as np
import pytest
import sympy

from proofs_checks.claim import Outcome, Setting
from proofs_checks.evidence import monte_carlo, symbolic
from proofs_checks.evidence.certified import exact_equalities
from proofs_checks.evidence.search import largest_difference, largest_ratio
from proofs_checks.evidence.symbolic import nothing_left

SETTING = Setting(0, "quick", "test")


def normals(shift):
    return lambda key, size: np.asarray(jax.random.normal(key, (size, 2))) + shift


@pytest.mark.parametrize(("shift", "outcome"), [(0.0, Outcome.SUPPORTS), (1.0, Outcome.CONTRADICTS)])
def test_equal_means(shift, outcome):
    found = monte_carlo.equal_means(
        normals(shift), np.zeros(2), np.ones(2), SETTING, says="mean 0", named="mean 1", quick=200, full=200
    )
    assert found.outcome is outcome
    assert found.alpha == pytest.approx(1e-9)
    assert found.power > 0.99


def test_equal_means_reports_low_power_and_counts_nan_against_the_claim():
    weak = monte_carlo.equal_means(
        normals(0.0), np.zeros(2), np.full(2, 0.01), SETTING, says="mean 0", named="mean 0.01", quick=100, full=100
    )
    assert weak.power < 0.01
    broken = monte_carlo.equal_means(
        normals(math.nan), np.zeros(2), np.ones(2), SETTING, says="mean 0", named="mean 1", quick=10, full=10
    )
    assert broken.outcome is Outcome.CONTRADICTS


@pytest.mark.parametrize(("mean", "outcome"), [(0.5, Outcome.SUPPORTS), (2.0, Outcome.CONTRADICTS)])
def test_mean_at_most(mean, outcome):
    found = monte_carlo.mean_at_most(
        lambda key, size: np.asarray(jax.random.exponential(key, (size,))) * mean,
        1.0,
        SETTING,
        says="mean at most 1",
        named="mean 2",
        violated=2.0,
        quick=1000,
        full=1000,
    )
    assert found.outcome is outcome
    assert found.slack == pytest.approx(1 / found.observed)


@pytest.mark.parametrize(
    ("successes", "outcome"), [(230, Outcome.SUPPORTS), (190, Outcome.SUPPORTS), (150, Outcome.CONTRADICTS)]
)
def test_success_rate_refutes_only_far_below_the_claim(successes, outcome):
    found = monte_carlo.success_rate(successes, 300, 0.75, 0.5, relation="rate", says="s", named="n")
    assert found.outcome is outcome
    assert found.alpha <= 1e-9
    assert found.power > 0.99


@pytest.mark.parametrize("level", [1.0, 0.05, 1e-3, math.nan])
def test_a_rate_notices_plateaus_and_counts_nan_as_no_success(level):
    before = np.ones(300)
    assert monte_carlo.falls_as(before, before * 1e-4, 1e8, says="s").outcome is Outcome.SUPPORTS
    assert monte_carlo.falls_as(before, np.full(300, 1e-4 + level), 1e8, says="s").outcome is Outcome.CONTRADICTS


@pytest.mark.parametrize(("after", "outcome"), [(1e-2, Outcome.SUPPORTS), (1e-4, Outcome.CONTRADICTS)])
def test_an_exact_rate_notices_a_faster_one(after, outcome):
    found = monte_carlo.falls_as(np.ones(300), np.full(300, after), 1e8, rate=0.25, exactly=True, says="s")
    assert found.outcome is outcome


def test_search_finds_and_shrinks_a_violation():
    from hypothesis import strategies as st

    found = largest_ratio(
        st.integers(0, 1000), lambda x: x / 100, SETTING, says="x <= 100", quick=300, full=300, describe=str
    )
    assert found.outcome is Outcome.CONTRADICTS
    assert "violated by 101:" in found.detail


def test_search_supports_with_its_slack_and_counts_nan_as_violation():
    from hypothesis import strategies as st

    found = largest_ratio(st.integers(0, 50), lambda x: x / 100, SETTING, says="x <= 100", quick=50, full=50)
    assert found.outcome is Outcome.SUPPORTS
    assert found.slack >= 2
    nan = largest_ratio(st.just(0), lambda _: math.nan, SETTING, says="never", quick=5, full=5)
    assert nan.outcome is Outcome.CONTRADICTS
    equal = largest_difference(st.just(3.0), lambda x: abs(x - 3), SETTING, within=1e-9, says="3", quick=5, full=5)
    assert (equal.outcome, equal.relation, equal.slack) == (Outcome.SUPPORTS, "equal", None)


def test_symbolic_identities():
    import sympy

    x = sympy.Symbol("x")
    true = symbolic.identity(lambda: ("squares", [((x + 1) ** 2, x**2 + 2 * x + 1)]), SETTING)
    false = symbolic.identity(lambda: ("squares", [((x + 1) ** 2, x**2 + 1)]), SETTING)
    assert (true.outcome, false.outcome) == (Outcome.SUPPORTS, Outcome.CONTRADICTS)
    roots = sympy.sqrt(2) + sympy.sqrt(3), sympy.sqrt(5 + 2 * sympy.sqrt(6))
    assert symbolic.identity(lambda: ("roots", [roots]), SETTING).outcome is not Outcome.CONTRADICTS


def test_exact_equalities_report_the_tightest_case_or_the_first_that_fails():
    bound = exact_equalities([(Fraction(1), Fraction(2)), (Fraction(3), Fraction(4))], "b", relation="upper")
    assert (bound.outcome, bound.observed, bound.slack) == (Outcome.SUPPORTS, 3.0, pytest.approx(4 / 3))
    assert bound.kind == "search", "cases that are not exhaustive certify nothing"
    assert exact_equalities([(Fraction(1), Fraction(1))], "all", exhaustive=True).kind == "certified"
    wrong = exact_equalities([(Fraction(1), Fraction(1)), (Fraction(1, 3), Fraction(1, 4))], "e")
    assert wrong.outcome is Outcome.CONTRADICTS
    assert "case 2: exactly 1/3 against 1/4" in wrong.detail
    with pytest.raises(ValueError, match="no case"):
        exact_equalities([], "nothing")


def test_keys_depend_on_the_check_alone():
    first = SETTING.named("A/one").key("block 0")
    assert jax.random.key_data(first).tolist() == jax.random.key_data(SETTING.named("A/one").key("block 0")).tolist()
    assert jax.random.key_data(first).tolist() != jax.random.key_data(SETTING.named("A/two").key("block 0")).tolist()
    assert SETTING.integer_seed("a") != SETTING.integer_seed("b")


def test_identities_that_leave_nothing_vacate_and_others_decide_nothing():
    def sides(constant):
        return lambda: ("1 + 1 = 2", [(sympy.Integer(2), sympy.Integer(constant))])

    assert nothing_left(sides(2), SETTING).outcome is Outcome.VACATES
    assert nothing_left(sides(3), SETTING).outcome is Outcome.INCONCLUSIVE
