"""What every check must do: come out otherwise on its broken twin."""

from __future__ import annotations

from proofs_checks.claim import Claim, Outcome, Setting
from proofs_checks.verdict import has_teeth, on_twin


def toothless(claim: Claim, setting: Setting) -> list[str]:
    """Return the checks of a claim that come out on the broken twin as they must on the subject.

    What a check must find on its subject follows from the verdict on record, except in a refuted claim, where some
    checks contradict and others may support; there the subject is run, too.
    """
    own = setting.named(claim.id)
    found = []
    for check in claim.checks:
        named = own.named(f"{own.name}/{check.name}")
        match claim.recorded:
            case "holds":
                expected = Outcome.SUPPORTS
            case "vacuous":
                expected = Outcome.VACATES
            case _:
                expected = check.judge(check.subject, named).outcome
        twin = on_twin(check, named, expected)
        open_question = claim.recorded == "undetermined" and expected is Outcome.INCONCLUSIVE
        # What the subject leaves open the twin must decide.
        if twin is Outcome.INCONCLUSIVE if open_question else not has_teeth(expected, twin):
            found.append(f"{check.name}: {twin.value} also when {check.broken_by}")
    return found
