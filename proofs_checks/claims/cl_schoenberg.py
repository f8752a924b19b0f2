r"""CL-SCHOENBERG: powers of distances below 2 are strictly conditionally negative definite.

Setting. Distinct points x_1..x_n in R^p, 0 < e < 2.
Statement. sum_ij a_i a_j ||x_i - x_j||^e < 0 for every a != 0 with sum a_i = 0.
Hypotheses. The points are distinct; 0 < e < 2.
Constants. None; e = 2 is the sharp end: three points on a line give 0 there, and a positive value beyond.
Relation. Strict inequality.
Reference. Schoenberg (1938), Metric spaces and positive definite functions.

Derivation. ||x||^e = C int (1 - cos t'x) ||t||^{-p-e} dt with C > 0, since the integral converges for 0 < e < 2, is
invariant under rotations and homogeneous of degree e. For sum a_i = 0 this gives sum_ij a_i a_j ||x_i - x_j||^e = -C
int |sum_j a_j exp(i t'x_j)|^2 ||t||^{-p-e} dt, and a trigonometric sum with distinct frequencies and coefficients not
all zero vanishes on a null set only.

The check. With the last point as origin, strictness is positive definiteness of the (n-1) x (n-1) matrix
(||x_i - x_n||^e + ||x_j - x_n||^e - ||x_i - x_j||^e)/2, decided by a Cholesky factorisation in ball arithmetic.
"""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Evidence, Hypothesis, Outcome, Setting, Witness
from proofs_checks.evidence.checker import Matrix

SOURCE = "Schoenberg (1938)"


def smallest_pivot(points: Matrix, exponent: Fraction) -> Any:
    """Return the smallest Cholesky pivot as a ball, or the first one that is certainly not positive."""
    import flint

    def power(a: list[Fraction], b: list[Fraction]) -> Any:
        square = sum(((x - y) ** 2 for x, y in zip(a, b, strict=True)), Fraction(0))
        ball = flint.arb(flint.fmpq(square.numerator, square.denominator))
        half = flint.arb(flint.fmpq(exponent.numerator, 2 * exponent.denominator))
        return flint.arb(0) if not square else ball**half

    *rest, origin = points
    matrix = [[(power(a, origin) + power(b, origin) - power(a, b)) / 2 for b in rest] for a in rest]
    smallest = None
    for k in range(len(matrix)):
        pivot = matrix[k][k]
        if not pivot > 0:
            return pivot
        smallest = pivot if smallest is None or pivot < smallest else smallest
        for i in range(k + 1, len(matrix)):
            factor = matrix[i][k] / pivot
            matrix[i] = [x - factor * y for x, y in zip(matrix[i], matrix[k], strict=True)]
    return smallest


def _definite(exponents: tuple[Fraction, Fraction], setting: Setting) -> Evidence:
    """Certify strictness on random distinct lattice points; three points on a line are always among them."""
    import flint

    flint.ctx.prec = 200
    generator = random.Random(setting.integer_seed("points"))
    low, high = exponents
    smallest: Any = None
    trials, done = setting.size(200, 3000), 0
    while done < trials:
        n, p = (3, 1) if done % 4 == 0 else (generator.randint(2, 6), generator.randint(1, 3))
        points = cases.rational_matrix(generator, n, p)
        if len({tuple(row) for row in points}) < n:
            continue
        done += 1
        exponent = low + (high - low) * Fraction(generator.randint(1, 19), 20)
        pivot = smallest_pivot(points, exponent)
        if not pivot > 0:
            decided = bool(pivot < 0)
            return Evidence(
                "certified",
                Outcome.CONTRADICTS if decided else Outcome.INCONCLUSIVE,
                float(pivot.mid()),
                0.0,
                "lower",
                f"points {[[str(x) for x in row] for row in points]}, e = {exponent}: pivot {pivot}",
                n=done,
            )
        smallest = pivot if smallest is None or pivot < smallest else smallest
    return Evidence(
        "search",
        Outcome.SUPPORTS,
        float(smallest.mid()),
        0.0,
        "lower",
        "every Cholesky pivot is positive in ball arithmetic (200 bits), over random distinct lattice points",
        n=trials,
    )


CLAIMS = (
    Claim(
        id="CL-SCHOENBERG",
        title="Powers of distances below 2 are strictly conditionally negative definite",
        source=SOURCE,
        form="as-printed",
        reading="distinct points, exponent of the distance itself (not of its square)",
        statement=r"\sum_{ij}a_ia_j\|x_i-x_j\|^e<0\quad(0<e<2,\ \textstyle\sum a_i=0,\ a\ne0)",
        hypotheses=(
            Hypothesis("the points are distinct", lambda w: len({tuple(x) for x in w[0]}) == len(w[0])),
            Hypothesis("0 < e < 2", lambda w: 0 < w[1] < 2),
        ),
        witness=Witness(
            "three points on a line, e = 1: B has rank 2 although the points span a line",
            lambda: ([[Fraction(0)], [Fraction(1)], [Fraction(2)]], Fraction(1)),
            lambda w: bool(smallest_pivot(*w) > 0),
        ),
        checks=(
            Check(
                "definite",
                _definite,
                (Fraction(0), Fraction(2)),
                (Fraction(2), Fraction(3)),
                "the exponent taken from (2, 3) instead of (0, 2)",
            ),
        ),
        recorded="holds",
    ),
)
