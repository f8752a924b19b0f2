"""Symbolic evidence: both sides of an identity as SymPy expressions, whose difference must simplify to zero."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from proofs_checks.claim import Evidence, Outcome, Setting

#: Returns what is said, and the pairs (left, right) of SymPy expressions that must be equal.
Sides = Callable[[], tuple[str, list[tuple[Any, Any]]]]


def nothing_left(sides: Sides, setting: Setting) -> Evidence:
    """Judge identities from which it follows that nothing meets the hypotheses and makes the conclusion non-trivial.

    Identities that hold leave the claim vacuous; one that fails decides nothing.
    """
    return _following(identity(sides, setting), Outcome.VACATES)


def refuting_identity(sides: Sides, setting: Setting) -> Evidence:
    """Judge identities from which it follows that a claim is false; one that fails decides nothing."""
    return _following(identity(sides, setting), Outcome.CONTRADICTS)


def _following(found: Evidence, outcome: Outcome) -> Evidence:
    return replace(found, outcome=outcome if found.outcome is Outcome.SUPPORTS else Outcome.INCONCLUSIVE)


def identity(sides: Sides, _: Setting) -> Evidence:
    """Judge identities: ``sides()`` returns what is said and the pairs (left, right) of SymPy expressions.

    A difference that simplifies to zero supports; one that is not zero at a rational point contradicts; anything else
    is inconclusive, because a failed simplification proves nothing.
    """
    import sympy

    says, pairs = sides()
    for number, (left, right) in enumerate(pairs, start=1):
        difference = sympy.expand(left - right)
        difference = difference if difference == 0 else sympy.simplify(difference)
        if difference != 0:
            symbols = sorted(difference.free_symbols, key=str)
            primes = [sympy.Rational(sympy.prime(i + 2), sympy.prime(i + 3)) for i in range(len(symbols))]
            value = difference.subs(dict(zip(symbols, primes, strict=True)))
            decided = bool(value != 0) if value.is_Rational else bool(abs(sympy.N(value, 50)) > sympy.Float("1e-30"))
            return Evidence(
                "symbolic",
                Outcome.CONTRADICTS if decided else Outcome.INCONCLUSIVE,
                float(value),
                0.0,
                "equal",
                f"identity {number} of {len(pairs)} fails: {says}",
                n=len(pairs),
            )
    return Evidence("symbolic", Outcome.SUPPORTS, 0.0, 0.0, "equal", says, n=len(pairs))
