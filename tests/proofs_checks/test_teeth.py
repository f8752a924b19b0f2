"""Every broken twin in the registry is run and must turn its check; a check without teeth is found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proofs_checks.claim import Setting
from proofs_checks.registry import all_claims
from tests.proofs_checks.teeth import toothless

CLAIMS = all_claims()


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_every_broken_twin_turns_its_check(claim):
    assert toothless(claim, Setting(0, "quick")) == []


@pytest.mark.parametrize("claim_id", ["CL-CENTRE", "A24-R1"])
def test_a_check_whose_twin_is_not_broken_is_found(claim_id):
    claim = CLAIMS[claim_id]
    blunt = replace(claim, checks=tuple(replace(check, broken=check.subject) for check in claim.checks))
    assert len(toothless(blunt, Setting(0, "quick"))) == len(claim.checks)
