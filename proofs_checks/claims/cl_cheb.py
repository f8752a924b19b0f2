r"""CL-CHEB: tails from second moments: Chebyshev in norm, its union over models, and Cantelli's one-sided form.

Setting. Z, Z_1..Z_n random elements of a Euclidean space with two moments, on one probability space, under any joint
law; eps, t > 0.
Statement. P(||Z|| >= eps) <= E||Z||^2 / eps^2. P(max_i ||Z_i|| >= eps) <= sum_i E||Z_i||^2 / eps^2.
For a real Z with variance v: P(Z - EZ >= t) <= v / (v + t^2).
Hypotheses. Two moments. Neither independence nor a mean of zero.
Constants. 1; all three are attained.
Relation. Upper bound.
Reference. Classical (Bienayme, Chebyshev, Markov; Cantelli 1928). The first is the step from E||X_i - mu_i||_F^2 =
sum_j gamma_ij / r to A24-T2, the second the step to A25-T1 (its union over entries), the third a tail for DK-M9.

Derivation. eps^2 1{||Z|| >= eps} <= ||Z||^2 pointwise; take means, and sum over i for the union. Cantelli: for u >= 0,
Z - EZ >= t implies (Z - EZ + u)^2 >= (t + u)^2, so P <= (v + u^2) / (t + u)^2, least at u = v/t, where it is v/(v +
t^2). Attained by Z in {-eps, 0, eps} with P(Z = 0) any; by Z_i that are never non-zero together; and by the two-point
law with Z - EZ = t with probability v / (v + t^2), else -v/t.

Readings. "max_i" and "some i" are one event. With > for >= the bounds hold and are approached, not attained.
"""

from __future__ import annotations

import random
from fractions import Fraction

from proofs_checks.claim import Check, Claim, Evidence, Hypothesis, Setting, Witness
from proofs_checks.evidence.certified import exact_equalities
from proofs_checks.evidence.symbolic import identity

SOURCE = "classical; used by A24-T2, A25-T1 and DK-M9"
Law = list[tuple[Fraction, tuple[Fraction, ...]]]  # (probability, outcome)


def _random_law(generator: random.Random, width: int) -> Law:
    weights = [Fraction(generator.randint(1, 9)) for _ in range(generator.randint(2, 5))]
    outcomes = [tuple(Fraction(generator.randint(-6, 6)) for _ in range(width)) for _ in weights]
    return [(w / sum(weights), outcome) for w, outcome in zip(weights, outcomes, strict=True)]


def three_point_law(q: Fraction, eps: Fraction) -> Law:
    """Return the law that attains Chebyshev's bound: +-eps with probability q/2 each, else 0."""
    return [(q / 2, (eps,)), (q / 2, (-eps,)), (1 - q, (Fraction(0),))]


def disjoint_law(q: Fraction, eps: Fraction, n: int) -> Law:
    """Return the law that attains the union: one of n models, at random, is eps off with probability q."""
    units = [tuple(eps if i == k else Fraction(0) for i in range(n)) for k in range(n)]
    return [*((q / n, unit) for unit in units), (1 - q, (Fraction(0),) * n)]


def two_point_law(v: Fraction, t: Fraction) -> Law:
    """Return the law that attains Cantelli's bound, with mean 0 and variance v."""
    p = v / (v + t * t)
    return [(p, (t,)), (1 - p, (-v / t,))]


def _square(outcome: tuple[Fraction, ...]) -> Fraction:
    return sum((x * x for x in outcome), Fraction(0))


def norm_tail(law: Law, eps: Fraction) -> tuple[Fraction, Fraction]:
    """Return P(||Z|| >= eps) and E||Z||^2 / eps^2."""
    tail = sum((w for w, z in law if _square(z) >= eps * eps), Fraction(0))
    return tail, sum((w * _square(z) for w, z in law), Fraction(0)) / (eps * eps)


def union_tail(law: Law, eps: Fraction) -> tuple[Fraction, Fraction]:
    """Return P(max_i |Z_i| >= eps) and sum_i E Z_i^2 / eps^2 for real Z_i."""
    tail = sum((w for w, z in law if max(abs(x) for x in z) >= eps), Fraction(0))
    return tail, norm_tail(law, eps)[1]


def cantelli_tail(law: Law, t: Fraction) -> tuple[Fraction, Fraction]:
    """Return P(Z - EZ >= t) and v / (v + t^2) for the first coordinate."""
    mean = sum((w * z[0] for w, z in law), Fraction(0))
    v = sum((w * (z[0] - mean) * (z[0] - mean) for w, z in law), Fraction(0))
    return sum((w for w, z in law if z[0] - mean >= t), Fraction(0)), v / (v + t * t)


_TAILS = {
    "norm": (norm_tail, 2, three_point_law(Fraction(1, 3), Fraction(2)), "P(||Z|| >= eps) eps^2 <= E||Z||^2"),
    "union": (
        union_tail,
        3,
        disjoint_law(Fraction(1, 2), Fraction(2), 3),
        "P(max_i |Z_i| >= eps) <= sum E Z_i^2/eps^2",
    ),
    "cantelli": (cantelli_tail, 1, two_point_law(Fraction(3), Fraction(2)), "P(Z - EZ >= t) <= v / (v + t^2)"),
}


def _exact(subject, setting: Setting) -> Evidence:
    """Random finite laws and the one that attains the bound, exactly; ``share`` below 1 shrinks the bound."""
    kind, share = subject
    tail, width, extremal, says = _TAILS[kind]
    generator = random.Random(setting.integer_seed("laws"))

    def pairs():
        for _ in range(setting.size(300, 3000)):
            observed, claimed = tail(_random_law(generator, width), Fraction(generator.randint(1, 12), 2))
            yield observed, share * claimed
        observed, claimed = tail(extremal, Fraction(2))
        yield observed, share * claimed

    return exact_equalities(pairs(), f"{says}: random finite laws and the one that attains it", relation="upper")


def _attained(subject, setting: Setting) -> Evidence:
    """Equality, exactly, over a grid of the laws that attain the bound."""
    kind, share = subject

    def pairs():
        for a in range(1, 8):
            for b in range(1, 8):
                q, eps = Fraction(a, 8), Fraction(b, 3)
                if kind == "norm":
                    observed, claimed = norm_tail(three_point_law(q, eps), eps)
                elif kind == "union":
                    observed, claimed = union_tail(disjoint_law(q, eps, b), eps)
                else:
                    observed, claimed = cantelli_tail(two_point_law(q, eps), eps)
                yield observed, share * claimed

    return exact_equalities(pairs(), "the bound is attained, over a grid of 49 laws", exhaustive=True)


def _best_shift(factor: int):
    """(v + u^2)/(t + u)^2 at u = v/t is v/(v + t^2), and exceeds it elsewhere by a square."""

    def sides():
        import sympy

        u, v, t = sympy.symbols("u v t", positive=True)
        excess = (t * u - factor * v) ** 2 / ((t + u) ** 2 * (v + t * t))
        return "(v + u^2)/(t + u)^2 - v/(v + t^2) = (t u - v)^2 / ((t + u)^2 (v + t^2)) >= 0", [
            (sympy.together((v + u * u) / (t + u) ** 2 - v / (v + t * t)), excess)
        ]

    return sides


def _checks(kind: str) -> tuple[Check, ...]:
    half = (kind, Fraction(9, 10))
    return (
        Check("laws", _exact, (kind, Fraction(1)), half, "the bound shrunk to nine tenths"),
        Check("attained", _attained, (kind, Fraction(1)), half, "the bound shrunk to nine tenths"),
    )


_LAW = Hypothesis(
    "a law with finitely many outcomes, hence all moments",
    lambda law: sum(w for w, _ in law) == 1 and min(w for w, _ in law) > 0,
)

CLAIMS = (
    Claim(
        id="CL-CHEB",
        title="The norm of a random element is rarely much above its root mean square",
        source=SOURCE,
        form="as-printed",
        reading="Z need not be centred",
        statement=r"P(\|Z\|\ge\varepsilon)\le\mathbb E\|Z\|^2/\varepsilon^2",
        hypotheses=(_LAW,),
        witness=Witness(
            "the three-point law +-2 with probability 1/6 each",
            lambda: three_point_law(Fraction(1, 3), Fraction(2)),
            lambda law: 0 < norm_tail(law, Fraction(2))[1] < 1,
        ),
        checks=_checks("norm"),
        recorded="holds",
    ),
    Claim(
        id="CL-CHEB/union",
        title="The union over models, whatever their dependence",
        source=SOURCE,
        form="as-printed",
        reading="any joint law of Z_1..Z_n",
        statement=r"P(\max_i\|Z_i\|\ge\varepsilon)\le\sum_i\mathbb E\|Z_i\|^2/\varepsilon^2",
        hypotheses=(_LAW,),
        witness=Witness(
            "three models, one of which is off at a time",
            lambda: disjoint_law(Fraction(1, 2), Fraction(2), 3),
            lambda law: 0 < union_tail(law, Fraction(2))[1] < 1,
        ),
        checks=_checks("union"),
        recorded="holds",
    ),
    Claim(
        id="CL-CHEB/cantelli",
        title="Cantelli's one-sided bound",
        source=SOURCE,
        form="as-printed",
        reading="t > 0",
        statement=r"P(Z-\mathbb EZ\ge t)\le\frac{v}{v+t^2}",
        hypotheses=(_LAW,),
        witness=Witness(
            "the two-point law with variance 3 that attains it at t = 2",
            lambda: two_point_law(Fraction(3), Fraction(2)),
            lambda law: 0 < cantelli_tail(law, Fraction(2))[1] < 1,
        ),
        checks=(
            *_checks("cantelli"),
            Check("best-shift", identity, _best_shift(1), _best_shift(2), "the best shift misplaced"),
        ),
        recorded="holds",
    ),
)
