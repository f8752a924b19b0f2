r"""CL-WEYL: an eigenvalue, or a singular value, moves by at most the spectral norm of the perturbation.

Setting. Symmetric A, E in R^{n x n} with eigenvalues in descending order; or any A, E in R^{n x p} with singular
values in descending order.
Statement. |lambda_k(A + E) - lambda_k(A)| <= ||E||_2 for every k; the same for sigma_k.
Hypotheses. A and E symmetric for eigenvalues, none for singular values.
Constants. 1, attained: A any, E = t I moves every eigenvalue by |t| = ||E||_2.
Relation. Upper bound.
Reference. Classical (Weyl 1912). Used where A25 passes from ||B^ - B|| to eigenvalues (A25-T2 and its steps), and by
CL-WEDIN, CL-ECKART and DK-M9.

Derivation. lambda_k(A) = max over subspaces S of dimension k of min over unit x in S of x'Ax (Courant, Fischer), and
|x'(A + E)x - x'Ax| <= ||E||_2 for every unit x, so the two max-min values differ by at most ||E||_2. Singular values:
the symmetric matrix [0 A; A' 0] has eigenvalues +-sigma_k(A) and zeros, and [0 E; E' 0] has spectral norm ||E||_2.

Readings. None open: without symmetry eigenvalues obey no such bound ([0 1; 0 0] + t [0 0; 1 0] has eigenvalues
+-sqrt t), which is the broken twin here.
"""

from __future__ import annotations

import numpy as np

from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Evidence, Hypothesis, Setting, Witness
from proofs_checks.evidence.search import largest_ratio
from proofs_checks.evidence.symbolic import identity

SOURCE = "classical (Weyl 1912)"


def eigenvalue_ratio(a: np.ndarray, e: np.ndarray) -> float:
    """max_k |lambda_k(A + E) - lambda_k(A)| / ||E||_2, for matrices that may lack symmetry (real parts, sorted)."""
    moved, kept = (np.sort(np.linalg.eigvals(x).real) for x in (a + e, a))
    size = np.linalg.norm(e, 2)
    return float(np.abs(moved - kept).max() / size) if size > 0 else 0.0


def _symmetric_ratio(a: np.ndarray, e: np.ndarray) -> float:
    size = np.linalg.norm(e, 2)
    return float(np.abs(np.linalg.eigvalsh(a + e) - np.linalg.eigvalsh(a)).max() / size) if size > 0 else 0.0


def _eigenvalues(subject, setting: Setting) -> Evidence:
    """Symmetric matrices by the symmetric solver; the twin lets A and E be any square matrices."""
    from hypothesis import strategies as st

    constant, symmetric = subject
    matrices = cases.symmetric_integers(4) if symmetric else cases.integer_arrays(4, 4)
    ratio = _symmetric_ratio if symmetric else eigenvalue_ratio
    scales = st.sampled_from([1.0, 1e-3, 1e3])
    return largest_ratio(
        st.tuples(matrices, matrices, scales),
        lambda case: ratio(case[0], case[2] * case[1]) / constant,
        setting,
        says="largest move of an eigenvalue / ||E||, 4 x 4, perturbations of three sizes",
        quick=200,
        full=1500,
    )


def _singular_values(constant: float, setting: Setting) -> Evidence:
    from hypothesis import strategies as st

    def ratio(case):
        a, e, scale = case
        size = scale * np.linalg.norm(e, 2)
        moved = np.linalg.svd(a + scale * e, compute_uv=False) - np.linalg.svd(a, compute_uv=False)
        return np.abs(moved).max() / (constant * size) if size > 0 else 0.0

    matrices = cases.integer_arrays(5, 3)
    return largest_ratio(
        st.tuples(matrices, matrices, st.sampled_from([1.0, 1e-3, 1e3])),
        ratio,
        setting,
        says="largest move of a singular value / ||E||, 5 x 3, perturbations of three sizes",
        quick=200,
        full=1500,
    )


def _attained(constant: int):
    """Adding t I moves every root of the characteristic polynomial by t: det(A - x) = det(A + tI - (x + t))."""

    def sides():
        import sympy

        t, x = sympy.symbols("t x", real=True)
        a = sympy.Matrix(3, 3, lambda i, j: sympy.Symbol(f"a{min(i, j)}{max(i, j)}", real=True))
        moved = (a + t * sympy.eye(3) - (x + constant * t) * sympy.eye(3)).det()
        return "E = tI moves every eigenvalue by t = ||E||, generic symmetric 3 x 3", [
            (moved, (a - x * sympy.eye(3)).det())
        ]

    return sides


def _symmetric(pair) -> bool:
    return all(bool(np.all(x == x.T)) for x in pair)


_PAIR = (np.array([[2.0, 1, 0], [1, 0, -1], [0, -1, 1]]), np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, -1]]))

CLAIMS = (
    Claim(
        id="CL-WEYL",
        title="Eigenvalues of symmetric matrices move by at most the perturbation's norm",
        source=SOURCE,
        form="as-printed",
        reading="eigenvalues in descending order, matched by rank",
        statement=r"|\lambda_k(A+E)-\lambda_k(A)|\le\|E\|_2\quad\forall k",
        hypotheses=(Hypothesis("A and E are symmetric", _symmetric),),
        witness=Witness(
            "a 3 x 3 matrix and an indefinite perturbation", lambda: _PAIR, lambda pair: bool(np.abs(pair[1]).max() > 0)
        ),
        checks=(
            Check("search", _eigenvalues, (1.0, True), (0.5, True), "the constant halved"),
            Check("symmetry", _eigenvalues, (1.0, True), (1.0, False), "symmetry dropped"),
            Check("attained", identity, _attained(1), _attained(2), "eigenvalues said to move by 2t"),
        ),
        recorded="holds",
    ),
    Claim(
        id="CL-WEYL/singular",
        title="Singular values move by at most the perturbation's norm",
        source=SOURCE,
        form="as-printed",
        reading="any rectangular matrices, singular values in descending order",
        statement=r"|\sigma_k(A+E)-\sigma_k(A)|\le\|E\|_2\quad\forall k",
        hypotheses=(Hypothesis("one shape", lambda pair: pair[0].shape == pair[1].shape),),
        witness=Witness(
            "a 3 x 2 matrix and a perturbation",
            lambda: (_PAIR[0][:, :2], _PAIR[1][:, :2]),
            lambda pair: bool(np.abs(pair[1]).max() > 0),
        ),
        checks=(Check("search", _singular_values, 1.0, 0.5, "the constant halved"),),
        recorded="holds",
    ),
)
