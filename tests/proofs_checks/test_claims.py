"""Every registered claim: complete metadata, a true witness, and exact checks that fail on their broken twins."""

from __future__ import annotations

import pytest
from latex2mathml.converter import convert

from proofs_checks.claim import Outcome, Setting
from proofs_checks.evidence.certified import counterexample, supporting_example
from proofs_checks.evidence.symbolic import identity
from proofs_checks.registry import all_claims
from proofs_checks.verdict import run_check, witness_problems

CLAIMS = all_claims()
EXACT = [
    pytest.param(claim, check, id=f"{claim.id}:{check.name}")
    for claim in CLAIMS.values()
    for check in claim.checks
    if check.judge in {counterexample, supporting_example, identity}
]
PROMISED = {
    *("B26-DEF", "B26-T1", "B26-T2", "DK-M1", "DK-M8"),
    *("A24-EQ1", "A24-R1", "A24-R2", "A24-R3", "A24-T1", "A24-L1", "A24-C1", "DK-M6"),
    *("A24-T1/repaired", "A24-L1/repaired", "A24-C1/repaired"),
    *("A25-DEF", "CL-RIGID", "CL-CENTRE", "CL-SCHOENBERG"),
}


def test_the_promised_claims_are_there():
    assert set(CLAIMS) >= PROMISED


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_metadata(claim):
    assert "<math" in convert(claim.statement)
    assert claim.repair is None or claim.repair in CLAIMS
    assert all(check.broken_by for check in claim.checks)
    assert claim.repair is None or CLAIMS[claim.repair].recorded == "holds"


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_the_witness_meets_every_hypothesis_and_is_not_trivial(claim):
    assert list(witness_problems(claim)) == []


@pytest.mark.parametrize(("claim", "check"), EXACT)
def test_exact_checks_have_teeth(claim, check):
    evidence = run_check(check, Setting(0, "quick", claim.id))
    assert evidence.teeth
    refutes = evidence.outcome is Outcome.CONTRADICTS
    assert refutes == (claim.recorded == "refuted")
