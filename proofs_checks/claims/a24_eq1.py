r"""A24-EQ1: raw stress and the set MDS(Delta) of its minimisers.

Setting. A dissimilarity matrix Delta on n models, configurations z in R^{n x d}, raw stress sigma(z) = sum_{i,i'}
(||z_i - z_i'|| - Delta_ii')^2.
Statement (A24, equation 1). Psi = MDS(Delta) minimises sigma.
Hypotheses. Delta is a dissimilarity matrix; for A24-EQ1 it also has a realisation in R^d.
Constants. None.
Relation. Equality of distance matrices: two configurations are the same up to a rigid motion when these agree
(CL-RIGID).
Reference. Acharyya, Trosset, Priebe, Helm (2024), arXiv:2409.17308.

Readings.
1. MDS(Delta) is the set of minimisers and Psi any member of it: a definition, which never fails, since the set is not
   empty (A24-R2). What a reader may want of it follows.
2. Where Delta has a realisation in R^d, sigma is 0 exactly at the realisations, which have the distances Delta, so
   MDS(Delta) is one class of congruent configurations and Psi a name for it: A24-EQ1, which holds. That they are one
   class is CL-RIGID; the checks look at distances on the line and in the plane.
3. Psi is one class for every Delta: A24-EQ1/single-valued, refuted by three models at distance 1 on the line. Of three
   points on the line, in an order with the distances a, b between neighbours and c between the ends, the best
   coordinates have 9 sum x^2 = (a + c)^2 + (a - b)^2 + (b + c)^2 = 2(a^2 + b^2 + c^2) + 2(ab + bc + ca) - 4ab, and
   stress is ||Delta||_F^2 - 6 sum x^2: the order with the least product ab is best, that with the longest side between
   its ends. So for positive sides MDS(Delta) is one class exactly when one side is the longest; two or three longest
   sides give two or three classes. Delta is Euclidean in the example, of dimension 2 > d.
"""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np

from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.evidence import checker
from proofs_checks.evidence.certified import Stored, counterexample, exact_equalities
from proofs_checks.evidence.search import largest_difference, largest_ratio

SOURCE = "A24, equation 1"


def _realised(d: int, setting: Setting) -> Evidence:
    """Realise four points of the plane in R^d by the package: the distances come back when d = 2."""

    def difference(points):
        delta = cases.distances(points)
        found = cases.raw_stress_solution(delta, d)
        missed = np.abs(cases.distances(np.asarray(found.configuration)) - delta).max() / (1e-9 + delta.max())
        return missed if found.converged else float("nan")

    says = "distances of the package's minimiser in the plane against Delta, relative to the largest"
    return largest_difference(
        cases.integer_arrays(4, 2), difference, setting, within=1e-6, says=says, quick=100, full=1500
    )


def _on_the_line(stretched: bool, setting: Setting) -> Evidence:
    """Exactly: the least stress of distances of distinct rational points is 0, reached by one order of them."""
    generator = random.Random(setting.integer_seed())

    def pairs():
        for _ in range(setting.size(60, 600)):
            points = [Fraction(x, 7) for x in generator.sample(range(-40, 41), generator.randint(2, 5))]
            delta = [[abs(x - y) for y in points] for x in points]
            if stretched:
                delta[0][1] = delta[1][0] = delta[0][1] + 1
            yield checker.least_stress(delta) + checker.least_orders(delta), Fraction(1)

    return exact_equalities(pairs(), "least stress 0, reached by one order, for distinct rational points on the line")


def _classes(longest_is_one: bool, setting: Setting) -> Evidence:
    """Count the classes of minimisers on the line for three models, from dissimilarities drawn from scratch."""

    def count(delta):
        if longest_is_one:
            delta = delta + (1 + delta.max()) * np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]])
        return float(len(cases.line_classes(delta)))

    says = "one class of minimisers on the line"
    return largest_ratio(cases.integer_dissimilarities(3), count, setting, says=says, quick=200, full=2000)


def _three_minimisers():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure(height=2.6)
    for level, order in enumerate(((1, 2, 3), (2, 3, 1), (3, 1, 2))):
        axes.plot([-2 / 3, 0, 2 / 3], [level] * 3, "-", color="0.6", zorder=1)
        for x, model in zip((-2 / 3, 0, 2 / 3), order, strict=True):
            axes.text(
                x, level, str(model), ha="center", va="center", bbox={"boxstyle": "circle", "fc": "w", "ec": "0.3"}
            )
    axes.set(xlabel="z (units of Delta)", yticks=range(3), yticklabels=["first", "second", "third"], ylim=(-0.6, 2.6))
    axes.set_ylabel("minimiser")
    return figure


_ONES = np.ones((3, 3)) - np.eye(3)

CLAIMS = (
    Claim(
        id="A24-EQ1",
        title="Where Delta has a realisation in R^d, the minimisers of raw stress are its realisations",
        source=SOURCE,
        form="as-printed",
        reading="charitable: Psi names one class of congruent minimisers, and Delta can be realised in R^d",
        statement=r"\Delta_{ii'}=\|\phi_i-\phi_{i'}\|,\ \phi_i\in\mathbb R^d\ \Rightarrow\ "
        r"\mathrm{MDS}(\Delta)=\{(W\phi_i+a)_i:\ W\in O(d),\ a\in\mathbb R^d\}",
        hypotheses=(
            Hypothesis("Delta is finite", lambda points: bool(np.all(np.isfinite(points)))),
            Hypothesis("the realisation has the dimension d = 2", lambda points: points.shape[1] == 2),
        ),
        witness=Witness(
            "four points in the plane, not on a line",
            lambda: np.array([[0.0, 0], [3, 0], [0, 4], [1, 1]]),
            lambda points: int(np.linalg.matrix_rank(points[1:] - points[0])) == 2,
        ),
        checks=(
            Check("realised-in-the-plane", _realised, 2, 1, "d below the dimension of the realisation"),
            Check("realised-on-the-line", _on_the_line, False, True, "one dissimilarity longer by 1"),
        ),
        recorded="holds",
    ),
    Claim(
        id="A24-EQ1/single-valued",
        title="MDS(Delta) is one class of congruent configurations",
        source=SOURCE,
        form="as-printed",
        reading="for every dissimilarity matrix, as writing Psi = MDS(Delta) suggests",
        statement=r"z,z'\in\mathrm{MDS}(\Delta)\ \Rightarrow\ \|z_i-z_{i'}\|=\|z'_i-z'_{i'}\|",
        hypotheses=(cases.DISSIMILARITY,),
        witness=Witness("three models at distance 1", lambda: _ONES, lambda delta: bool(delta.max() > 0)),
        checks=(
            Check(
                "triangle",
                counterexample,
                Stored("a24-eq1-single-valued", ("max_abs", ("-", ("distances", "P"), ("distances", "Q"))), "0"),
                Stored(
                    "a24-eq1-single-valued",
                    ("max_abs", ("-", ("distances", "P"), ("distances", "Q"))),
                    "0",
                    replaced={"Delta": [["0", "1", "2"], ["1", "0", "1"], ["2", "1", "0"]]},
                ),
                "one side longer than the others",
            ),
            Check("from-scratch", _classes, False, True, "one side made the longest"),
        ),
        recorded="refuted",
        repair="A24-EQ1",
        drawings=(
            Drawing(
                _three_minimisers,
                "Three models at distance 1 from each other, on the line: raw stress is least with any of them in the "
                "middle, and which one it is changes the distances.",
            ),
        ),
    ),
)
