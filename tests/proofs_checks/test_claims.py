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
    f"{source}-{name}"
    for source, names in {
        "A24": "EQ1 R1 R2 R3 T1 T2 T3 T4 T5 A1 A2 L1 L2 C1 X1 X2 X3/pointwise X3/average X3/frobenius X4",
        "A25": "DEF T1 T2 T2/decomposition C1 C2 A1 A2 P1 TAB1 TAB2 X1 X2 X3 X4",
        "H25": "T1 T2 X1 X2 X3 X4 X5",
        "B26": "DEF T1 T2",
        "G25": "L31 D41 DI BSYN L43 L44 T45 L48 Q1 GGMI T49 KLGAP F5 F7J F7K F7L",
        "DK": "M1 M2 M3 M4 M5/apart M5/coincident M5/perspective M5/closed-gap M5/above-rank M6 M7 M8 M9",
        "CL": "WEYL DK PROC CENTRE RIGID CHEB DPI TV PINSKER MAXENT XR ECKART WEDIN HKZ SCHOENBERG",
    }.items()
    for name in names.split()
} | {f"A25-{name}/exponent-1" for name in ("T1", "T2", "C1", "C2", "X3", "X4", "P1")}


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
