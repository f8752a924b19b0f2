r"""A24-R1: closure of the minimisers of raw stress under "affine transformations".

Setting. A dissimilarity matrix Delta on n models, configurations z in R^{n x d}, raw stress
sigma(z) = sum_{i,i'} (||z_i - z_i'|| - Delta_ii')^2.
Statement (A24, remark on the minimiser set). The minimisers are closed under affine transformations.
Hypotheses. None beyond Delta being a dissimilarity matrix.
Constants. None.
Relation. Equality of two stresses.
Reference. Acharyya, Trosset, Priebe, Helm (2024), arXiv:2409.17308.

Readings. (1) As printed, affine means x -> A x + b with any A: then scaling a perfect configuration by 2 gives positive
stress, a counterexample with two models on a line. (2) Charitably, affine means an affine isometry, that is a rigid
motion: A'A = I keeps every ||z_i - z_i'||, hence sigma, hence the minimiser set. Reading (2) is the repair.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Setting, Witness
from proofs_checks.evidence.certified import Stored, counterexample
from proofs_checks.evidence.search import largest_difference, largest_ratio
from proofs_checks.evidence.symbolic import identity

SOURCE = "A24, remark on minimisers of raw stress"


def _distances_kept(stretch: int):
    """Squared lengths before and after x -> stretch * W x, denominators cleared so that both sides are polynomials.

    W is (a, b; -b, a) over its norm in the plane and a unit quaternion's rotation in space, with or without a mirror:
    all of O(1), O(2) and O(3).
    """

    def sides():
        import sympy

        a, b, c, e = sympy.symbols("a b c e", real=True)
        space = sympy.Matrix(
            [
                [a * a + b * b - c * c - e * e, 2 * (b * c - a * e), 2 * (b * e + a * c)],
                [2 * (b * c + a * e), a * a - b * b + c * c - e * e, 2 * (c * e - a * b)],
                [2 * (b * e - a * c), 2 * (c * e + a * b), a * a - b * b - c * c + e * e],
            ]
        )
        families = (
            (sympy.Matrix([[1]]), sympy.Integer(1)),
            (sympy.Matrix([[a, b], [-b, a]]), a * a + b * b),
            (space, (a * a + b * b + c * c + e * e) ** 2),
        )
        pairs = []
        for scaled, square in families:
            x = sympy.Matrix(sympy.symbols(f"x1:{len(scaled.row(0)) + 1}", real=True))
            mirror = sympy.diag(-1, *([1] * (len(x) - 1)))
            for matrix in (scaled, scaled * mirror):
                image = stretch * matrix * x
                pairs.append((image.dot(image), square * x.dot(x)))
        return "||W(z_i - z_j)||^2 = ||z_i - z_j||^2 for every W in O(1), O(2), O(3)", pairs

    return sides


def _stress_kept(stretch: float, setting: Setting) -> Evidence:
    from hypothesis import strategies as st

    from dkps_theory.testing.strategies import orthogonal_matrices

    def difference(case):
        configuration, other, orthogonal, shift = case
        dissimilarity = np.linalg.norm(other[:, None] - other[None], axis=-1)
        before = cases.raw_stress(configuration, dissimilarity)
        after = cases.raw_stress(stretch * configuration @ orthogonal + shift, dissimilarity)
        return abs(after - before) / (1 + before)

    strategy = st.tuples(
        cases.integer_arrays(4, 2), cases.integer_arrays(4, 2), orthogonal_matrices(2), cases.integer_arrays(1, 2)
    )
    says = "stress before = stress after, relative to 1 + stress"
    return largest_difference(strategy, difference, setting, within=1e-9, says=says, quick=150, full=1500)


def _any_stretch(largest: int, setting: Setting) -> Evidence:
    """Look from scratch for an affine map of the line that takes a minimiser, stress 0, to one of positive stress."""
    from hypothesis import strategies as st

    def stress(case):
        points, factor, shift = case
        dissimilarity = cases.distances(points)
        return 1e9 * cases.raw_stress(min(factor, largest) * points + shift, dissimilarity)

    drawn = st.tuples(cases.integer_arrays(2, 1), st.integers(1, 3), st.integers(-3, 3))
    return largest_ratio(
        drawn, stress, setting, says="stress of an affine image of a minimiser is 0", quick=200, full=2000
    )


def _picture():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    scales = np.linspace(-2, 2, 201)
    stress = [cases.raw_stress(a * np.array([[0.0], [1.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])) for a in scales]
    axes.plot(scales, stress)
    axes.plot([-1, 1], [0, 0], "o", label="rigid motions: still minimisers")
    axes.plot([2], [2], "s", label="z → 2z: stress 2")
    axes.set(xlabel="factor a of the affine map z → a z", ylabel="raw stress of a z, z = (0, 1)")
    figure.legend(loc="outside lower left")
    return figure


_WITNESS = Witness(
    "two models at distance 1",
    lambda: np.array([[0.0, 1.0], [1.0, 0.0]]),
    lambda delta: bool(delta.max() > 0),
)

_STRETCHED = Stored(
    "a24-r1",
    observed=("sum_squares", ("-", ("distances", ("scale", "a", "Z")), "Delta")),
    claimed=("sum_squares", ("-", ("distances", "Z"), "Delta")),
    relation="equal",
)

CLAIMS = (
    Claim(
        id="A24-R1",
        title="Minimisers of raw stress are closed under affine transformations",
        source=SOURCE,
        form="as-printed",
        reading="affine in the usual sense: z -> A z + b with any matrix A",
        statement=r"z\in\mathrm{MDS}(\Delta)\ \Rightarrow\ Az+b\in\mathrm{MDS}(\Delta)",
        hypotheses=(cases.DISSIMILARITY,),
        witness=_WITNESS,
        checks=(
            Check(
                "stretched-pair",
                counterexample,
                _STRETCHED,
                replace(_STRETCHED, replaced={"a": "-1"}),
                "the map is the reflection z -> -z, a rigid motion",
            ),
            Check("from-scratch", _any_stretch, 3, 1, "factors 1 only, translations of any length"),
        ),
        recorded="refuted",
        repair="A24-R1/repaired",
        drawings=(Drawing(_picture, "Stress of a z when z = (0, 1) fits perfectly: only a = 1 and a = -1 keep it."),),
    ),
    Claim(
        id="A24-R1/repaired",
        title="Minimisers of raw stress are closed under rigid motions",
        source=SOURCE,
        form="repaired",
        reading="charitable: affine isometries, A'A = I",
        statement=r"z\in\mathrm{MDS}(\Delta),\ W^\top W=I\ \Rightarrow\ Wz+b\in\mathrm{MDS}(\Delta)",
        hypotheses=(cases.DISSIMILARITY,),
        witness=_WITNESS,
        checks=(
            Check("distances-kept", identity, _distances_kept(1), _distances_kept(2), "the map also stretches by 2"),
            Check("stress-kept", _stress_kept, 1.0, 2.0, "the map also stretches by 2"),
        ),
        recorded="holds",
    ),
)
