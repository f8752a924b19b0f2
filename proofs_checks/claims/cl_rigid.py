r"""CL-RIGID: two configurations with the same pairwise distances differ by a rigid motion.

Setting. Configurations Z, Z' in R^{n x d}.
Statement. If ||z_i - z_j|| = ||z'_i - z'_j|| for all i, j, then Z' = Z W + 1 a' for some W in O(d), a in R^d.
Hypotheses. All n(n-1)/2 distances agree.
Constants. None.
Relation. Equality.
Reference. Classical (Schoenberg 1935; Young and Householder 1938).

Derivation. -1/2 H D^2 H = (HZ)(HZ)' whatever Z is, so equal distances give equal centred Gram matrices. If A A' = C
C' with A, C in R^{n x d}, then ||x'A|| = ||x'C|| for every x, so x'A -> x'C is a well defined isometry from the row
space of A to that of C; the two spaces have one dimension, so it extends to some W in O(d) with A W = C.
"""

from __future__ import annotations

import numpy as np

from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Evidence, Hypothesis, Setting, Witness
from proofs_checks.evidence.search import largest_difference
from proofs_checks.evidence.symbolic import identity

SOURCE = "classical (Schoenberg 1935; Young and Householder 1938)"


def _gram_from_distances(factor: str):
    def sides():
        import sympy

        pairs = []
        for n, d in ((3, 2), (4, 3)):
            z = sympy.Matrix(n, d, sympy.symbols(f"z1:{n * d + 1}", real=True))
            h = sympy.eye(n) - sympy.ones(n, n) / n
            squares = sympy.Matrix(n, n, lambda i, j, z=z: (z.row(i) - z.row(j)).dot(z.row(i) - z.row(j)))
            left, right = sympy.Rational(factor) * h * squares * h, h * z * z.T * h
            pairs += [(left[i, j], right[i, j]) for i in range(n) for j in range(i + 1)]
        return "-1/2 H D^2 H = (HZ)(HZ)' entry by entry, generic Z with (n, d) = (3, 2) and (4, 3)", pairs

    return sides


def _same_distances(points: np.ndarray) -> np.ndarray:
    """Another configuration with the same distances, built from the distances alone."""
    return cases.perspective(cases.dissimilarities(points[:, None, :]), points.shape[1])


def _one_distance_free(points: np.ndarray) -> np.ndarray:
    """Mirror the last of four points in the plane on the line through the first two: five of six distances stay."""
    base, along = points[0], points[1] - points[0]
    length = along @ along
    offset = points[3] - base
    image = 2 * along * (along @ offset) / length - offset + base if length else points[3]
    return np.vstack([points[:3], image])


def _residual(other, setting: Setting) -> Evidence:
    def difference(points):
        residual = cases.aligned_error(other(points), points, "rigid")
        return residual / (1e-3 + np.abs(points).max())

    return largest_difference(
        cases.integer_arrays(4, 2),
        difference,
        setting,
        within=1e-6,
        says="residual of rigid alignment of two configurations with equal distances, relative to their size",
        quick=120,
        full=1500,
    )


CLAIMS = (
    Claim(
        id="CL-RIGID",
        title="Equal distances imply a rigid motion",
        source=SOURCE,
        form="as-printed",
        reading="rigid motions include reflections",
        statement=r"\|z_i-z_j\|=\|z'_i-z'_j\|\ \forall i,j\ \Rightarrow\ \exists W\in O(d),a:\ Z'=ZW+\mathbf 1a^\top",
        hypotheses=(
            Hypothesis(
                "all distances agree",
                lambda pair: bool(
                    np.allclose(*(np.linalg.norm(z[:, None] - z[None], axis=-1) for z in pair), rtol=0, atol=1e-12)
                ),
            ),
        ),
        witness=Witness(
            "a triangle and its mirror image, which no rotation matches",
            lambda: (np.array([[0.0, 0], [2, 0], [0, 1]]), np.array([[0.0, 0], [2, 0], [0, -1]])),
            lambda pair: bool(np.abs(pair[0] - pair[1]).max() > 0),
        ),
        checks=(
            Check(
                "gram-from-distances",
                identity,
                _gram_from_distances("-1/2"),
                _gram_from_distances("-1"),
                "the factor one half dropped",
            ),
            Check(
                "aligned-residual", _residual, _same_distances, _one_distance_free, "one of the six distances left free"
            ),
        ),
        recorded="holds",
    ),
)
