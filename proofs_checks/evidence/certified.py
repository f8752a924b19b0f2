"""Certified evidence: stored counterexamples re-verified on load, and exact or interval checks of many cases."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from proofs_checks.claim import Evidence, Outcome, Relation, Setting
from proofs_checks.evidence import checker

CERTIFICATES = Path(__file__).resolve().parent.parent / "certificates"


@dataclass(frozen=True)
class Stored:
    """A stored certificate, possibly with some of its given values replaced (that is how it is broken)."""

    name: str
    observed: tuple[Any, ...] | str
    claimed: tuple[Any, ...] | str
    relation: Relation = "upper"
    replaced: dict[str, Any] = field(default_factory=dict)

    def load(self) -> dict[str, Any]:
        """Return the certificate with the replacements made."""
        certificate = copy.deepcopy(checker.load(CERTIFICATES / f"{self.name}.json"))
        certificate["given"].update(self.replaced)
        return certificate


def counterexample(subject: Stored, setting: Setting) -> Evidence:
    """Verify a stored counterexample: it contradicts the claim exactly when all its assertions are true."""
    return _verified(subject, setting, true=Outcome.CONTRADICTS, false=Outcome.INCONCLUSIVE)


def supporting_example(subject: Stored, setting: Setting) -> Evidence:
    """Verify a stored example of what a claim says exists: it supports when all its assertions are true."""
    return _verified(subject, setting, true=Outcome.SUPPORTS, false=Outcome.CONTRADICTS)


def _verified(subject: Stored, setting: Setting, *, true: Outcome, false: Outcome) -> Evidence:
    certificate = subject.load()
    if not f"{setting.name}/".startswith(certificate["claim"] + "/"):
        raise checker.CertificateError(
            f"{subject.name} is a certificate of {certificate['claim']}, not of {setting.name}"
        )
    given = {name: checker.parse(value) for name, value in certificate["given"].items()}
    wrong = checker.failures(certificate)
    observed, claimed = (checker.evaluate(_plain(part), given) for part in (subject.observed, subject.claimed))
    return Evidence(
        kind="certified",
        outcome=false if wrong else true,
        observed=float(observed),
        claimed=float(claimed),
        relation=subject.relation,
        n=1,
        detail=certificate["says"] if not wrong else f"not so: {wrong[0]}",
    )


def _plain(expression: Any) -> Any:
    return [_plain(part) for part in expression] if isinstance(expression, (tuple, list)) else expression


def exact_equalities(
    cases: Iterable[tuple[Fraction, Fraction]], says: str, *, relation: Relation = "equal", exhaustive: bool = False
) -> Evidence:
    """Compare observed and claimed exactly over many cases of rational numbers; the first that differs contradicts.

    A case that differs is certified. Support is certified only where the cases are ``exhaustive``; otherwise it is a
    search, made with exact arithmetic.
    """
    compare: Callable[[Fraction, Fraction], bool] = {
        "equal": lambda observed, claimed: observed == claimed,
        "upper": lambda observed, claimed: observed <= claimed,
        "lower": lambda observed, claimed: observed >= claimed,
    }[relation]
    count, tightest = 0, None
    for observed, claimed in cases:
        count += 1
        if not compare(observed, claimed):
            return Evidence(
                "certified",
                Outcome.CONTRADICTS,
                float(observed),
                float(claimed),
                relation,
                f"case {count}: exactly {observed} against {claimed} ({says})",
                n=count,
            )
        if tightest is None or (relation == "upper" and observed * tightest[1] > tightest[0] * claimed):
            tightest = observed, claimed
    if tightest is None:
        raise ValueError(f"no case was tried: {says}")
    observed, claimed = tightest
    slack = float(claimed / observed) if relation == "upper" and observed > 0 else None
    return Evidence(
        "certified" if exhaustive else "search",
        Outcome.SUPPORTS,
        float(observed),
        float(claimed),
        relation,
        says,
        slack=slack,
        n=count,
    )
