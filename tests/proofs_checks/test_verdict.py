"""The rules from evidence to verdict, on claims made for the purpose."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proofs_checks.claim import Check, Claim, Evidence, Hypothesis, Outcome, Setting, Witness
from proofs_checks.verdict import PATIENCE, judge, judge_all, run_check

SETTING = Setting(0, "quick")


def evidence(outcome, **fields):
    base = {"kind": "search", "observed": 0.0, "claimed": 1.0, "relation": "upper", "detail": "made up"}
    return Evidence(outcome=outcome, **{**base, **fields})


def check(on_subject, on_twin, name="check"):
    return Check(name, lambda subject, _: subject, on_subject, on_twin, "made up")


def claim(*checks, recorded="holds", hypothesis=lambda _: True, **fields):
    base = {
        "id": "T-1",
        "title": "t",
        "source": "test",
        "form": "own",
        "reading": "plain",
        "statement": "x",
        "hypotheses": (Hypothesis("h", hypothesis),),
        "witness": Witness("w", lambda: 1, bool),
    }
    return Claim(checks=checks, recorded=recorded, **{**base, **fields})


SUPPORT, CONTRADICTION, NOTHING = (
    evidence(outcome) for outcome in (Outcome.SUPPORTS, Outcome.CONTRADICTS, Outcome.INCONCLUSIVE)
)
CERTIFIED = evidence(Outcome.CONTRADICTS, kind="certified")
GOOD, BAD = check(SUPPORT, CONTRADICTION), check(CERTIFIED, SUPPORT)


def test_support_with_teeth_holds():
    assert judge(claim(GOOD), SETTING).found == "holds"


def test_contradiction_with_teeth_refutes():
    found = judge(claim(BAD, recorded="refuted", no_repair="none known"), SETTING)
    assert found.found == "refuted"
    assert not found.mismatch


@pytest.mark.parametrize("twin", [SUPPORT, NOTHING])
def test_a_check_that_passes_on_its_broken_twin_decides_nothing(twin):
    assert run_check(check(SUPPORT, twin), SETTING).teeth is False
    assert judge(claim(check(SUPPORT, twin)), SETTING).found == "undetermined"


@pytest.mark.parametrize(
    "fields", [{"kind": "search"}, {"kind": "monte-carlo", "alpha": 0.0, "observed": float("nan")}]
)
def test_a_violation_in_floating_point_or_a_nan_refutes_nothing(fields):
    found = judge(claim(check(evidence(Outcome.CONTRADICTS, **fields), SUPPORT)), SETTING)
    assert found.found == "undetermined"


def test_a_contradiction_that_also_contradicts_the_twin_decides_nothing():
    found = judge(claim(check(CERTIFIED, CERTIFIED), recorded="refuted", no_repair="none"), SETTING)
    assert found.found == "undetermined"


VACATED = evidence(Outcome.VACATES, kind="symbolic")


def test_a_claim_without_witness_is_vacuous_when_exact_evidence_shows_that_none_can_be():
    empty = claim(check(VACATED, NOTHING), witness=None, no_witness="none can be", recorded="vacuous")
    assert judge(empty, SETTING).found == "vacuous"


@pytest.mark.parametrize(
    "checks",
    [
        (check(VACATED, VACATED),),
        (check(evidence(Outcome.VACATES, kind="search"), NOTHING),),
        (check(VACATED, NOTHING), check(SUPPORT, CONTRADICTION, "other")),
        (GOOD,),
        (BAD,),
    ],
)
def test_vacuous_needs_exact_evidence_with_teeth_and_nothing_else(checks):
    found = judge(claim(*checks, witness=None, no_witness="none can be", recorded="vacuous"), SETTING)
    assert found.found == "undetermined"


def test_a_claim_with_a_witness_is_not_vacuous():
    assert judge(claim(check(VACATED, NOTHING)), SETTING).found == "undetermined"


def test_no_witness_and_no_reason_is_refused():
    with pytest.raises(ValueError, match="no_witness"):
        claim(GOOD, witness=None)


def test_one_inconclusive_check_spoils_support():
    assert judge(claim(GOOD, check(NOTHING, CONTRADICTION, "other")), SETTING).found == "undetermined"


@pytest.mark.parametrize(("power", "found"), [(0.995, "holds"), (0.98, "undetermined"), (None, "undetermined")])
def test_monte_carlo_support_needs_power(power, found):
    item = evidence(Outcome.SUPPORTS, kind="monte-carlo", alpha=1e-9, power=power)
    assert judge(claim(check(item, CONTRADICTION)), SETTING).found == found


@pytest.mark.parametrize(("alpha", "found"), [(1e-9, "refuted"), (1e-8, "undetermined")])
def test_monte_carlo_refutation_needs_a_small_error_rate(alpha, found):
    item = evidence(Outcome.CONTRADICTS, kind="monte-carlo", alpha=alpha)
    assert judge(claim(check(item, SUPPORT), recorded="refuted", no_repair="none"), SETTING).found == found


def test_a_missed_hypothesis_or_a_trivial_witness_spoils_the_verdict():
    missed = judge(claim(GOOD, hypothesis=lambda _: False), SETTING)
    assert missed.found == "undetermined"
    assert "does not meet 'h'" in missed.reasons[0]
    trivial = judge(claim(GOOD, witness=Witness("w", lambda: 0, bool)), SETTING)
    assert trivial.found == "undetermined"


@pytest.mark.parametrize(("repair_check", "found"), [(GOOD, "refuted"), (check(NOTHING, BAD.subject), "undetermined")])
def test_a_refuted_claim_needs_a_repair_that_holds(repair_check, found):
    broken = claim(BAD, recorded="refuted", repair="T-2")
    repair = claim(repair_check, id="T-2")
    results = judge_all([broken], SETTING, {"T-2": repair}.__getitem__)
    assert [r.found for r in results] == [found]


def test_the_recorded_verdict_never_enters_what_is_found():
    honest = judge(claim(GOOD), SETTING)
    altered = judge(replace(claim(GOOD), recorded="undetermined"), SETTING)
    assert honest.found == altered.found
    assert altered.mismatch


def test_claims_without_checks_or_with_clashing_names_or_no_repair_are_refused():
    with pytest.raises(ValueError, match="no checks"):
        claim()
    with pytest.raises(ValueError, match="share a name"):
        claim(GOOD, GOOD)
    with pytest.raises(ValueError, match="names its repair"):
        claim(BAD, recorded="refuted")


def test_a_search_gets_room_to_find_what_is_planted_in_the_twin_and_no_more_elsewhere():
    seen = {}

    def judge_with(outcomes):
        def look(subject, setting):
            seen[subject] = setting.patience
            return outcomes[subject]

        return Check("check", look, "subject", "twin", "made up")

    assert run_check(judge_with({"subject": SUPPORT, "twin": CONTRADICTION}), SETTING).teeth
    assert seen == {"subject": 1, "twin": PATIENCE}
    assert run_check(judge_with({"subject": CERTIFIED, "twin": SUPPORT}), SETTING).teeth
    assert seen == {"subject": 1, "twin": 1}
