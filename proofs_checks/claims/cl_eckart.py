r"""CL-ECKART: the truncated singular value decomposition is the best approximation of its rank, and what that costs.

Setting. A, Y, Y^ in R^{n x p}; A_k keeps the k largest singular values of A; rank(Y) <= d.
Statement. ||A - A_k|| <= ||A - C|| for every C of rank at most k, in spectral and in Frobenius norm. Hence
||Y^_d - Y|| <= 2 ||Y^ - Y||; in Frobenius norm (1 + sqrt 5)/2 will do for 2 (CL-ECKART/golden).
Hypotheses. None on A; rank(Y) <= d.
Constants. 1; 2 is sharp in spectral norm; the golden ratio phi = 1.618 is sharp in Frobenius norm. None is attained
without a tie of singular values.
Relation. Upper bound.
Reference. Classical (Schmidt 1907; Eckart, Young 1936; Mirsky 1960). Golden ratio: our own, derivation in
dkps_theory.bounds.perspective. Used by DK-M4 (B^_(d)) and DK-M8.

Derivation. Weyl for singular values, sigma_{i+k}(A) <= sigma_i(A - C) + sigma_{k+1}(C) = sigma_i(A - C), compares all
singular values of A - A_k with those of A - C, so it holds in every unitarily invariant norm. Then
||Y^_d - Y|| <= ||Y^_d - Y^|| + ||Y^ - Y|| <= 2 ||Y^ - Y||, since Y is one of the competitors.
Sharp: Y = diag(0, 2), Y^ = diag(b, 1), b > 1: the truncation of Y^ to rank one keeps the wrong direction,
Y^_1 - Y = diag(b, -2) and Y^ - Y = diag(b, -1), so the spectral ratio is 2/b -> 2 as b -> 1. With phi for 2 in Y the
Frobenius ratio tends to phi.

Readings. (1) Factor 2, any of the two norms: holds. (2) Golden ratio, Frobenius: holds. (3) Golden ratio, spectral:
false (CL-ECKART/golden-spectral).
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.evidence.certified import Stored, counterexample
from proofs_checks.evidence.search import largest_ratio
from proofs_checks.evidence.symbolic import identity

SOURCE = "classical (Eckart, Young 1936; Mirsky 1960); used by DK-M4 and DK-M8"
GOLDEN = (1 + math.sqrt(5)) / 2


def truncated(a: np.ndarray, k: int, skip: int = 0) -> np.ndarray:
    """Return A_k; with ``skip`` the largest singular values are passed over, which is not best."""
    left, values, right = np.linalg.svd(a, full_matrices=False)
    kept = slice(skip, k + skip)
    return (left[:, kept] * values[kept]) @ right[kept]


def _over(above: float, below: float) -> float:
    return above / below if below > 1e-6 else 0.0


def _best(skip: int, setting: Setting) -> Evidence:
    """Competitors of rank k: products of random factors, and factors of A_k with one entry moved."""
    from hypothesis import strategies as st

    def ratio(case):
        a, (left, right), k, near = case
        rival = left[:, :k] @ right[:k]
        if near:
            start, values, end = np.linalg.svd(a, full_matrices=False)
            rival = (start[:, :k] + left[:, :k] / 100) @ (values[:k, None] * end[:k] + right[:k] / 100)
        best = a - truncated(a, k, skip)
        return max(_over(float(np.linalg.norm(best, o)), float(np.linalg.norm(a - rival, o))) for o in (2, "fro"))

    factors = st.tuples(cases.integer_arrays(5, 3, 3), cases.integer_arrays(3, 4, 3))
    strategy = st.tuples(cases.integer_arrays(5, 4), factors, st.integers(1, 3), st.booleans())
    return largest_ratio(
        strategy,
        ratio,
        setting,
        says="||A - A_k|| / ||A - C|| in spectral and Frobenius norm, 5 x 4, random C of rank k and ones near A_k",
        quick=200,
        full=1500,
    )


def wrong_direction(t: float, b: float) -> tuple[np.ndarray, np.ndarray]:
    """Return Y = diag(0, t, 9) and Y^ = diag(b, 1, 9): for d = 2 the truncation keeps the first direction."""
    return np.diag([0.0, t, 9]), np.diag([b, 1.0, 9])


def truncation_ratio(y: np.ndarray, moved: np.ndarray, d: int, order: Literal[2, "fro"]) -> float:
    """||Y^_d - Y|| / ||Y^ - Y|| in the norm ``order``."""
    return _over(float(np.linalg.norm(truncated(moved, d) - y, order)), float(np.linalg.norm(moved - y, order)))


def _truncation(subject, setting: Setting) -> Evidence:
    """Random Y of rank d <= 2 with random perturbations, and ones that keep the wrong direction."""
    from hypothesis import strategies as st

    constant, orders = subject

    def ratio(case):
        y, moved, d = case
        return max(truncation_ratio(y, moved, d, order) for order in orders) / constant

    def perturbed(case):
        left, right, change, d, scale = case
        y = left[:, :d] @ right[:d]
        return y, y + scale * change, d

    generic = st.tuples(
        cases.integer_arrays(4, 2),
        cases.integer_arrays(2, 3),
        cases.integer_arrays(4, 3),
        st.integers(1, 2),
        st.sampled_from([0.1, 1.0, 3.0]),
    ).map(perturbed)
    wrong = st.tuples(st.sampled_from([1.0, GOLDEN, 2.0, 3.0]), st.sampled_from([1.0001, 1.01, 1.5])).map(
        lambda case: (*wrong_direction(*case), 2)
    )
    return largest_ratio(
        st.one_of(generic, wrong),
        ratio,
        setting,
        says=f"||Y^_d - Y|| / ({constant:.4g} ||Y^ - Y||), norms {', '.join(map(str, orders))}, wrong ones included",
        quick=200,
        full=1500,
    )


def _limit(norm: str, shift: int):
    """Take the wrong direction to the limit b -> 1: spectral ratio 2 with t = 2, Frobenius ratio phi with t = phi."""

    def sides():
        import sympy

        b, phi = sympy.symbols("b", positive=True), (1 + sympy.sqrt(5)) / 2
        if norm == "spectral":
            square, limit, t = (2 / b) ** 2, 4, "2"
        else:
            square, limit, t = (b**2 + phi**2) / (b**2 + (phi - 1) ** 2), phi**2, "phi"
        found = sympy.radsimp(sympy.limit(square, b, 1, "+")) + shift
        return f"the {norm} ratio of Y = diag(0, {t}), Y^ = diag(b, 1) tends to {t} as b -> 1", [(found, limit)]

    return sides


def _wrong_directions():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    t = np.linspace(0.01, 5, 400)
    axes.plot(t, np.maximum(1, t) / np.maximum(1, np.abs(1 - t)), label="spectral norm")
    axes.plot(t, np.sqrt((1 + t**2) / (1 + (1 - t) ** 2)), "--", label="Frobenius norm")
    for level, name in ((GOLDEN, "1.618"), (2.0, "2")):
        axes.axhline(level, linestyle=":", linewidth=1, color="0.5")
        axes.annotate(name, (5, level), textcoords="offset points", xytext=(-4, 4), ha="right")
    axes.set(xlabel="t, for Y = diag(0, t) and Ŷ = diag(1, 1)", ylabel="‖Ŷ₁ - Y‖ / ‖Ŷ - Y‖", ylim=(0.6, 2.3))
    figure.legend(loc="outside lower left")
    return figure


_RANK = Hypothesis("rank(Y) <= d", lambda w: np.linalg.matrix_rank(w[0]) <= w[2])
_WITNESS = Witness(
    "Y of rank two, Y^ whose truncation keeps a wrong direction",
    lambda: (*wrong_direction(2.0, 1.01), 2),
    lambda w: truncation_ratio(w[0], w[1], w[2], "fro") > 0,
)
_OFF = {"observed": ("max_abs", ("-", "Yone", "Y")), "claimed": ("*", "k", ("max_abs", ("-", "Yhat", "Y")))}

CLAIMS = (
    Claim(
        id="CL-ECKART",
        title="Truncated singular value decompositions approximate best",
        source=SOURCE,
        form="as-printed",
        reading="spectral and Frobenius norm; with ties of singular values every choice is best",
        statement=r"\|A-A_k\|\le\|A-C\|\quad\forall C:\ \operatorname{rank}C\le k",
        hypotheses=(Hypothesis("k < rank(A), else A_k = A", lambda w: w[1] < np.linalg.matrix_rank(w[0])),),
        witness=Witness("diag(3, 2, 1), k = 1", lambda: (np.diag([3.0, 2, 1]), 1), lambda w: bool(w[0].any())),
        checks=(Check("rivals", _best, 0, 1, "the largest singular value left out"),),
        recorded="holds",
    ),
    Claim(
        id="CL-ECKART/twice",
        title="Truncating a noisy matrix at most doubles the error, and 2 is sharp in spectral norm",
        source=SOURCE,
        form="own",
        reading="spectral and Frobenius norm; 2 is a supremum in spectral norm",
        statement=r"\|\hat Y_d-Y\|\le2\,\|\hat Y-Y\|\ (\operatorname{rank}Y\le d)",
        hypotheses=(_RANK,),
        witness=_WITNESS,
        checks=(
            Check("search", _truncation, (2.0, (2, "fro")), (1.9, (2, "fro")), "the constant lowered to 1.9"),
            Check("limit", identity, _limit("spectral", 0), _limit("spectral", 1), "the squared limit one larger"),
        ),
        recorded="holds",
    ),
    Claim(
        id="CL-ECKART/golden",
        title="In Frobenius norm the factor is the golden ratio",
        source="own; used by DK-M8",
        form="own",
        reading="Frobenius norm; a supremum",
        statement=r"\|\hat Y_d-Y\|_F\le\tfrac{1+\sqrt5}2\,\|\hat Y-Y\|_F\ (\operatorname{rank}Y\le d)",
        hypotheses=(_RANK,),
        witness=_WITNESS,
        checks=(
            Check("search", _truncation, (GOLDEN, ("fro",)), (1.5, ("fro",)), "the constant lowered to 1.5"),
            Check("limit", identity, _limit("Frobenius", 0), _limit("Frobenius", 1), "the squared limit one larger"),
        ),
        recorded="holds",
    ),
    Claim(
        id="CL-ECKART/golden-spectral",
        title="The golden ratio in spectral norm",
        source="own",
        form="own",
        reading="the constant of CL-ECKART/golden with the spectral norm for Frobenius",
        statement=r"\|\hat Y_d-Y\|_2\le\tfrac{1+\sqrt5}2\,\|\hat Y-Y\|_2\ (\operatorname{rank}Y\le d)",
        hypotheses=(_RANK,),
        witness=_WITNESS,
        checks=(
            Check(
                "wrong-direction",
                counterexample,
                Stored("cl-eckart-golden-spectral", **_OFF),
                Stored("cl-eckart-golden-spectral", **_OFF, replaced={"k": "2"}),
                "the constant is 2, which this pair does not exceed",
            ),
        ),
        recorded="refuted",
        repair="CL-ECKART/twice",
        drawings=(Drawing(_wrong_directions, "In spectral norm the ratio reaches 2, in Frobenius norm 1.618."),),
    ),
)
