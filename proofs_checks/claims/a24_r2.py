r"""A24-R2: raw stress has a minimiser.

Setting. A dissimilarity matrix Delta on n models, configurations z in R^{n x d}, raw stress
sigma(z) = sum_{i,i'} (||z_i - z_i'|| - Delta_ii')^2.
Statement (A24, remark on the minimiser set). A minimiser exists.
Hypotheses. None beyond Delta being a dissimilarity matrix.
Constants. Every centred minimiser has ||z||_F <= ||Delta||_F / sqrt(2n).
Relation. A lower bound of stress that grows with the configuration.
Reference. Acharyya, Trosset, Priebe, Helm (2024), arXiv:2409.17308.

Proof. Translations change nothing, so let z be centred; then the squared distances sum to 2n ||z||_F^2. As sigma is
the squared Euclidean distance between the matrices of distances and of dissimilarities, sigma(z) >= (sqrt(2n) ||z||_F
- ||Delta||_F)^2, which exceeds sigma(0) = ||Delta||_F^2 once ||z||_F > 2 ||Delta||_F / sqrt(2n). Outside that ball
nothing is as good as 0, and inside, a closed bounded set of finite dimension, the continuous sigma attains its
minimum. (At a minimiser sigma cannot fall along z -> t z: the distances are orthogonal to the residuals, so 2n
||z||_F^2 = ||Delta||_F^2 - sigma(z), the constant above.) On the line the minimum is found by enumerating orders, and
the check computes that it is attained.
"""

from __future__ import annotations

import math
import random
from fractions import Fraction

import numpy as np

from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Evidence, Setting, Witness
from proofs_checks.evidence import checker
from proofs_checks.evidence.certified import exact_equalities
from proofs_checks.evidence.search import largest_ratio
from proofs_checks.evidence.symbolic import identity


def _squares_of_centred(factor: int):
    def sides():
        import sympy

        free = sympy.Matrix(3, 2, sympy.symbols("z1:7", real=True))
        z = sympy.Matrix.vstack(free, -sympy.ones(1, 3) * free)
        squares = sum(((z.row(i) - z.row(j)).dot(z.row(i) - z.row(j)) for i in range(4) for j in range(4)), 0)
        return "squared distances of four centred points in the plane sum to 2n ||z||^2", [
            (squares, factor * 4 * sum(entry**2 for entry in z))
        ]

    return sides


def _grows(factor: float, setting: Setting) -> Evidence:
    """Compare (factor sqrt(2n) ||z|| - ||Delta||)^2 with the stress, for centred z."""
    from hypothesis import strategies as st

    def ratio(case):
        z, delta = case
        z = z - z.mean(axis=0)
        bound = (factor * math.sqrt(2 * len(z)) * np.linalg.norm(z) - np.linalg.norm(delta)) ** 2
        return float(bound / (1e-9 + cases.raw_stress(z, delta)))

    cases_of = st.tuples(cases.integer_arrays(4, 2), cases.integer_dissimilarities(4))
    says = "(sqrt(2n) ||z|| - ||Delta||)^2 / stress of a centred z"
    return largest_ratio(cases_of, ratio, setting, says=says, quick=200, full=3000)


def _attained(factor: int, setting: Setting) -> Evidence:
    """Exactly, on the line: the least value over orders is the stress of a configuration."""
    generator = random.Random(setting.integer_seed())

    def pairs():
        for _ in range(setting.size(40, 400)):
            n = generator.randint(2, 5)
            delta = [[Fraction(0)] * n for _ in range(n)]
            for i in range(n):
                for j in range(i):
                    delta[i][j] = delta[j][i] = Fraction(generator.randint(0, 30), 7)
            x = checker.best_on_line(delta)
            residuals = [[abs(a - b) - t for b, t in zip(x, row, strict=True)] for a, row in zip(x, delta, strict=True)]
            total, spread = (sum((t * t for row in rows for t in row), Fraction(0)) for rows in (delta, [x]))
            yield sum((t * t for row in residuals for t in row), Fraction(0)), total - factor * n * spread

    return exact_equalities(
        pairs(), "stress of the best configuration on the line = ||Delta||^2 - 2n ||x||^2, the least"
    )


def _least(skipped: int, setting: Setting) -> Evidence:
    """Exactly, on the line: no rational configuration, however drawn, has less stress than the best order."""
    generator = random.Random(setting.integer_seed())

    def pairs():
        for _ in range(setting.size(40, 400)):
            n = generator.randint(3, 4)
            delta = [[Fraction(0)] * n for _ in range(n)]
            for i in range(n):
                for j in range(i):
                    delta[i][j] = delta[j][i] = Fraction(generator.randint(0, 30), 7)
            least = sorted(value for value, _ in checker.by_order(delta))[skipped]
            best = checker.best_on_line(delta)
            for spread in (0, 1, 7, 49):
                z = [x + Fraction(generator.randint(-spread, spread), 49) for x in best]
                stress = sum(((abs(z[i] - z[j]) - delta[i][j]) ** 2 for i in range(n) for j in range(n)), Fraction(0))
                yield stress, least

    return exact_equalities(pairs(), "stress of rational configurations against the least", relation="lower")


def _size(share: float, setting: Setting) -> Evidence:
    """sqrt(2n) ||z|| / ||Delta|| for the package's minimisers in the plane."""

    def ratio(delta):
        found = cases.raw_stress_solution(delta, 2)
        size = np.linalg.norm(np.asarray(found.configuration))
        reached = math.sqrt(2 * len(delta)) * size / (share * np.linalg.norm(delta) + 1e-9)
        return float(reached) if found.converged else float("nan")

    says = "sqrt(2n) ||z||_F / ||Delta||_F for minimisers in the plane"
    return largest_ratio(cases.integer_dissimilarities(4), ratio, setting, says=says, quick=100, full=1500)


CLAIMS = (
    Claim(
        id="A24-R2",
        title="Raw stress has a minimiser",
        source="A24, remark on minimisers of raw stress",
        form="as-printed",
        reading="finitely many models, any dissimilarity matrix; also the bound of its size, which is ours",
        statement=r"\sigma(z)\ge(\sqrt{2n}\,\|z\|_F-\|\Delta\|_F)^2\ \text{for centred }z,\quad"
        r"\mathrm{MDS}(\Delta)\ne\emptyset",
        hypotheses=(cases.DISSIMILARITY,),
        witness=Witness(
            "three models at distance 1: no perfect configuration on the line",
            lambda: np.ones((3, 3)) - np.eye(3),
            lambda delta: min(len(delta), int((delta > 0).sum())) >= 3,
        ),
        checks=(
            Check(
                "squares", identity, _squares_of_centred(2), _squares_of_centred(1), "unordered pairs for ordered ones"
            ),
            Check("grows", _grows, 1.0, 1.2, "the configuration's part a fifth larger"),
            Check("attained", _attained, 2, 1, "half of what the configuration explains"),
            Check("least", _least, 0, 1, "the second best order of the points"),
            Check("size", _size, 1.0, 0.5, "half the size"),
        ),
        recorded="holds",
    ),
)
