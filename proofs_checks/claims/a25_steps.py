r"""A25-T2/decomposition: the six terms of the error of Psi^, and where each step of A25's appendix is checked.

Setting. B = U S U' positive semi-definite of rank d, B^ symmetric, U^ and S^ its d leading eigenvectors and
eigenvalues, S^ > 0, N = B^ - B, W any d x d matrix, in A25-T2 the polar factor of U'U^.
Statement. Ours, in the form that A25-T2's constants suggest:
U^ S^^(1/2) - U S^(1/2) W = N U S^(-1/2) W + N U (W S^^(-1/2) - S^(-1/2) W) - U U' N U W S^^(-1/2)
    + (I - UU') N (U^ - U W) S^^(-1/2) + U (U'U^ - W) S^^(1/2) + U (W S^^(1/2) - S^(1/2) W).
Hypotheses. rank(B) = d, the d-th eigenvalue of B^ positive.
Constants. None.
Relation. Equality.
Reference. Acharyya, Agterberg, Park, Priebe (2025), arXiv:2511.08307 (v1), appendix.

Derivation. The first two terms add up to N U W S^^(-1/2), the third takes off its part in the range of U, and with the
fourth all four are (I - UU') N U^ S^^(-1/2). Since N U^ = U^ S^ - B U^ and (I - UU') B = 0, that is (I - UU') U^
S^^(1/2). The fifth and sixth add up to U U'U^ S^^(1/2) - U S^(1/2) W. Nothing about W is used; it matters only for the
size of the last two terms.

The steps A25-PA1 to A25-PA6 and A25-L1 to A25-L5. The material this project has names the appendix's steps but does not
print the wording of each, so ``STEPS`` maps them by content: what A25-T1, A25-C1 and A25-T2 need, and the claim that
checks it. Our own proof of A25-T2 (A25-T2/deterministic) needs Weyl's and Tu's alone.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Evidence, Hypothesis, Setting, Witness
from proofs_checks.evidence.search import largest_difference

#: (step, what it says, claim that checks it): the appendix's propositions and lemmas by content, not by number.
STEPS: tuple[tuple[str, str, str], ...] = (
    ("eigenvalues of B^", "|lambda_k(B^) - lambda_k(B)| <= ||B^ - B|| (Weyl)", "CL-WEYL"),
    ("eigenvectors of B^", "sin Theta(U^, U) <= 2 ||B^ - B|| / lambda_d, up to a power of d (Davis-Kahan)", "CL-DK"),
    ("from Gram matrices to perspectives", "||Psi^ W - Psi||_F in terms of ||B^_d - B||_F (Tu et al.)", "CL-PROC"),
    ("the six terms", "the decomposition of U^ S^^(1/2) - U S^(1/2) W", "A25-T2/decomposition"),
    ("tails of the sample means", "P(||X_i - mu_i|| >= t) <= sum_j gamma_ij / (r t^2) (Chebyshev)", "CL-CHEB"),
    ("from D to B", "max|B^ - B| <= 2 max|D^2 - Delta^2| (double centring)", "CL-CENTRE"),
    ("all entries at once", "the union bound over models, A25's Theorem 1", "A25-T1"),
    ("from entries to the spectral norm", "||B^ - B|| <= n max|B^ - B|, where the n^3 comes from", "A25-C1"),
    ("from entries to the spectral norm, sharper", "||B^ - B||_F without the union: n^2", "A25-C1/square"),
    ("sum of the terms", "C1 x bounds the error on the event ||B^ - B|| <= x", "A25-T2/deterministic"),
)


def decomposition(truth: np.ndarray, estimate: np.ndarray, d: int, sign: float = -1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return both sides of the identity; ``sign`` is that of the third term."""
    values, vectors = np.linalg.eigh(truth)
    u, s = vectors[:, -d:], values[-d:]
    values, vectors = np.linalg.eigh(estimate)
    v, t = vectors[:, -d:], values[-d:]
    left, _, right = np.linalg.svd(u.T @ v)
    w, n = left @ right, estimate - truth
    root, inverse, root_t, inverse_t = (np.diag(x) for x in (s**0.5, s**-0.5, t**0.5, t**-0.5))
    terms = (
        n @ u @ inverse @ w,
        n @ u @ (w @ inverse_t - inverse @ w),
        sign * u @ u.T @ n @ u @ w @ inverse_t,
        (n - u @ u.T @ n) @ (v - u @ w) @ inverse_t,
        u @ (u.T @ v - w) @ root_t,
        u @ (w @ root_t - root @ w),
    )
    return v @ root_t - u @ root @ w, sum(terms[1:], terms[0])


def _identity(sign: float, setting: Setting) -> Evidence:
    """Both sides for B = PP' of rank 1 or 2 and B^ = QQ', whole numbers."""
    from hypothesis import strategies as st

    def difference(case: Any) -> float:
        d, factor, other = case
        truth, estimate = factor[:, :d] @ factor[:, :d].T, other @ other.T
        last = [np.linalg.eigvalsh(matrix)[-d] for matrix in (truth, estimate)]
        if min(last) < 1e-2:  # the identity divides by both
            return 0.0
        left, right = decomposition(truth, estimate, d, sign)
        return float(np.abs(left - right).max() / (1 + np.abs(left).max()))

    return largest_difference(
        st.tuples(st.sampled_from([1, 2]), cases.integer_arrays(5, 2), cases.integer_arrays(5, 5)),
        difference,
        setting,
        within=1e-8,
        says="six terms against U^ S^^(1/2) - U S^(1/2) W, five models, d = 1 and 2",
        quick=150,
        full=2000,
    )


CLAIMS = (
    Claim(
        id="A25-T2/decomposition",
        title="The error of Psi^ is the sum of six terms",
        source="A25, appendix",
        form="reconstructed",
        reading="the decomposition as we derive it; the paper's own wording is not in the material we have",
        statement=r"\hat U\hat S^{\frac12}-US^{\frac12}W=NUS^{-\frac12}W+NU(W\hat S^{-\frac12}-S^{-\frac12}W)"
        r"-UU^\top NUW\hat S^{-\frac12}+(I-UU^\top)N(\hat U-UW)\hat S^{-\frac12}+U(U^\top\hat U-W)\hat S^{\frac12}"
        r"+U(W\hat S^{\frac12}-S^{\frac12}W)",
        hypotheses=(
            Hypothesis(
                "rank(B) = d = 1 and lambda_1(B^) > 0",
                lambda w: bool(np.linalg.matrix_rank(w[0]) == 1 and np.linalg.eigvalsh(w[1])[-1] > 0),
            ),
        ),
        witness=Witness(
            "B of the direction (1, -1), B^ turned away from it",
            lambda: (np.array([[1.0, -1.0], [-1.0, 1.0]]), np.array([[1.0, -math.sqrt(2)], [-math.sqrt(2), 2.0]])),
            lambda w: bool(np.abs(w[1] - w[0]).max() > 0),
        ),
        checks=(Check("identity", _identity, -1.0, 1.0, "the sign of the third term turned"),),
        recorded="holds",
    ),
)
