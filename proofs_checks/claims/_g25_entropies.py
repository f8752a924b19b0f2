r"""G25's quantities as linear combinations of joint entropies: one formula, three values.

A combination is a map from sets of variables to rational coefficients. It can be compared with another exactly, which
is a proof for all laws (Shannon's identities are linear); it can be evaluated in bits by the checker of certificates;
and it can be evaluated in nats on a joint law of the package.

Proofs of inequalities. A conditional entropy of letters and a conditional mutual information are never negative, and
some of them are 0 by the structure of the process. So ``larger - smaller``, written as a sum of such terms with
non-negative coefficients and of vanishing ones with any, is non-negative for every law; that the sum equals the
difference is an identity of combinations. Of a sum in which a vanishing term is left out the identity fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from proofs_checks.evidence.symbolic import Sides


@dataclass(frozen=True)
class Combination:
    """A linear combination of joint entropies, by the set of variables."""

    terms: Mapping[frozenset[str], Fraction]

    def __add__(self, other: Combination) -> Combination:
        terms = dict(self.terms)
        for names, coefficient in other.terms.items():
            terms[names] = terms.get(names, Fraction(0)) + coefficient
        return Combination({names: value for names, value in terms.items() if value and names})

    def __mul__(self, factor: int | Fraction) -> Combination:
        return Combination({names: factor * value for names, value in self.terms.items() if factor * value})

    __rmul__ = __mul__

    def __neg__(self) -> Combination:
        return -1 * self

    def __sub__(self, other: Combination) -> Combination:
        return self + -other

    def nats(self, entropy: Callable[[tuple[str, ...]], float]) -> float:
        """Evaluate with ``entropy`` of a tuple of variables in nats."""
        return sum(float(value) * entropy(tuple(sorted(names))) for names, value in self.terms.items())

    def bits(self, law: str, rename: Mapping[str, str] | None = None) -> tuple[Any, ...] | str:
        """Return the expression for the checker: entropies in bits under the column ``law`` of a certificate."""
        columns = rename or {}
        expression: tuple[Any, ...] | str = "0"
        for names, value in self.terms.items():
            one = ("entropy_bits", law, *(columns.get(name, name) for name in sorted(names)))
            expression = ("+", expression, ("*", str(value), one))
        return expression

    def symbols(self) -> Any:
        """Return the SymPy expression, a symbol for each joint entropy."""
        import sympy

        terms = {"H(" + ",".join(sorted(names)) + ")": value for names, value in self.terms.items()}
        return sum((sympy.Rational(v.numerator, v.denominator) * sympy.Symbol(n) for n, v in terms.items()), sympy.S(0))


ZERO = Combination({})


def entropy(names: str, given: str = "") -> Combination:
    """H(names | given); variables are separated by spaces."""
    both, known = frozenset(f"{names} {given}".split()), frozenset(given.split())
    return Combination({both: Fraction(1)}) - (Combination({known: Fraction(1)}) if known else ZERO)


def information(a: str, b: str, given: str = "") -> Combination:
    """I(a; b | given)."""
    return entropy(a, given) - entropy(a, f"{b} {given}")


# G25's quantities as they are printed or reconstructed, S for S_anchor and V for W' kept under their names.
DELTA_I = entropy("M") - information("h", "M")
B_SYN = information("e_M", "W") + information("e_p", "W")
SYNTHETIC = information("S_gen", "W")
ANCHOR = information("S_anchor", "W_anchor")
GGMI = ANCHOR - SYNTHETIC
DELTA_H = entropy("S_anchor") - entropy("S_gen")
EPSILON_WP = entropy("S_anchor", "W") - entropy("S_anchor", "p")
#: L43's right side without its delta.
L43 = B_SYN - DELTA_I + entropy("e_M")
#: T49's right side, with H(S_anchor | W') for alpha H(S_anchor | W).
T49 = (
    DELTA_I
    - entropy("S_anchor", "W_anchor")
    - entropy("S_anchor", "W")
    + 2 * DELTA_H
    + entropy("S_gen", "W")
    + EPSILON_WP
)


@dataclass(frozen=True)
class Decomposition:
    """``larger - smaller`` as a sum of ``parts`` and of terms that vanish.

    Where no part can be negative this proves ``smaller <= larger``; without parts it proves equality.
    """

    says: str
    smaller: Combination
    larger: Combination
    parts: tuple[Combination, ...] = ()
    vanishing: tuple[Combination, ...] = ()

    def sides(self, *, dropped: int | None = None) -> Sides:
        """Return the identity for :func:`proofs_checks.evidence.symbolic.identity`, one term of the sum left out."""

        def pairs() -> tuple[str, list[tuple[Any, Any]]]:
            terms = [*self.vanishing, *self.parts]
            total = sum((term for place, term in enumerate(terms) if place != dropped), ZERO)
            return self.says, [((self.larger - self.smaller).symbols(), total.symbols())]

        return pairs
