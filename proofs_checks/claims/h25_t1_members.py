r"""H25-T1/nearest-member: what is left of H25-T1 where the true perspectives are not unique.

Setting. As in H25-T1, c = 1/sqrt(m), either MDS, no condition on MDS(Delta*): for classical MDS that set holds
U S^{1/2} for every choice U of d leading eigenvectors.
Statement. If h is continuous and invariant, with bounded closed image, and the loss is continuous, then the risk on
psi^ and the risk on the member of MDS(Delta*) nearest to psi^, chosen anew for each draw, come together. So all limits
of the risk on psi^ lie between E min and E max of the loss over members.
Hypotheses. Those of H25-T1 with c = 1/sqrt(m).
Constants. None.
Relation. Limit; in the examples r^(-1/2).
Reference. Helm, Acharyya, Park, Duderstadt, Priebe (2025), Findings of ACL.

Derivation. Given models and labels D -> Delta* in probability (H25-T1, reading 2). Distances within psi^ come near
those of the set MDS(Delta*): by A24-L1/repaired for raw stress; for classical MDS because a limit of leading
eigenvectors of B^ -> B* is a choice of leading eigenvectors of B*, and orthogonal frames are compact. Up to rigid
motions the set is compact, so h and the loss are uniformly continuous near it, and losses are bounded. Averages over
models follow by bounded convergence. The member depends on the draw, so this is not H25-T1 as printed, whose right side
is one number: H25-T1/raw-stress and H25-T1/no-eigengap show that no fixed member will do.
"""

from __future__ import annotations

import numpy as np

from proofs_checks.claim import Check, Claim, Evidence, Setting, Witness
from proofs_checks.claims import _h25 as h25
from proofs_checks.claims.h25_t1 import LABELS, SQUARE, WEIGHTS, line_losses, square_predictions
from proofs_checks.evidence import monte_carlo


def _gap_of_means(found: np.ndarray, nearest: np.ndarray) -> np.ndarray:
    return np.abs((found - nearest).reshape(h25.BLOCKS, -1).mean(1))


def _raw_stress(members: int, setting: Setting) -> Evidence:
    """Sides 13, 13, 10 on the line: mean loss on psi^ against that on the nearest of so many members."""
    generator = np.random.default_rng(setting.integer_seed("answers"))
    one = np.array([[0, 49, 29], [49, 0, 20], [29, 20, 0]]) / 3
    known = np.array([one, one[np.ix_([0, 2, 1], [0, 2, 1])]])[:members]
    gaps = []
    for m, r in ((2, h25.LOW), (16, h25.HIGH)):
        squares = h25.sampled_corners(h25.triangle(), m, r, h25.BLOCKS * h25.DRAWS, generator)
        found = h25.triangle_on_line(np.sqrt(squares))
        nearest = np.abs(found[:, None] - known).max((2, 3)).argmin(1)
        gaps.append(_gap_of_means(line_losses(found), line_losses(known)[nearest]))
    says = "risk on psi^ against that on the nearest member, raw stress, 13, 13, 10, (m, r) = (2, 10^4), (16, 10^12)"
    return monte_carlo.falls_as(gaps[0], gaps[1], h25.HIGH / h25.LOW, says=says)


def _classical(free: bool, setting: Setting) -> Evidence:
    """Compare mean predictions on psi^ and on the nearest Y theta, square, d = 1, theta fixed unless ``free``."""
    generator = np.random.default_rng(setting.integer_seed("answers"))
    gaps = []
    for m, r in ((2, h25.LOW), (16, h25.HIGH)):
        squares = h25.sampled_corners(SQUARE, m, r, h25.BLOCKS * h25.DRAWS, generator)
        # The projection of psi^ on the columns of Y, scaled to length 1, is the theta of the nearest member.
        theta = (SQUARE.T @ h25.classical(squares, 1))[..., 0]
        theta = theta / np.linalg.norm(theta, axis=1, keepdims=True) if free else np.array([[1.0, 0.0]])
        line = (theta @ SQUARE.T)[..., None]
        nearest = np.minimum(h25.squared(line)[:, 0, 1] / 8, 1.0) + np.zeros(len(squares))
        gaps.append(_gap_of_means(square_predictions(squares)[0], nearest))
    says = "risk on psi^ against that on the nearest member, classical, square, (m, r) = (2, 10^4), (16, 10^12)"
    return monte_carlo.falls_as(gaps[0], gaps[1], h25.HIGH / h25.LOW, says=says)


def _members_differ(case: h25.Case) -> bool:
    """Whether the members have different losses, so that the nearest one matters."""
    from proofs_checks import cases

    classes = cases.line_classes(np.sqrt(h25.population_squares(case)))
    return len(classes) == 2 and bool(abs(np.diff(line_losses(np.array(classes)))[0]) > 0.1)


CLAIMS = (
    Claim(
        id="H25-T1/nearest-member",
        title="Without uniqueness, the risk on estimated perspectives nears that on the nearest member of MDS(Delta*)",
        source="H25, theorem 1",
        form="repaired",
        reading="charitable: c = 1/sqrt(m), either MDS, no condition on MDS(Delta*), the true perspectives being the "
        "member nearest to each draw of the estimated ones; the rate is checked",
        statement=r"\mathbb E\,\ell(h(\hat\psi_0;\hat T),y_0)-\mathbb E\,\ell(h(\psi_0^\circ;T^\circ),y_0)\to0,\quad "
        r"\Psi^\circ\in\arg\min_{\Psi\in\mathrm{MDS}(\Delta^*)}\max_{i,i'}\big|\|\hat\psi_i-\hat\psi_{i'}\|-"
        r"\|\psi_i-\psi_{i'}\|\big|",
        hypotheses=(h25.INDEPENDENT, h25.BOUNDED, WEIGHTS),
        witness=Witness(
            "sides 13, 13 and 10 on the line: two classes of minimisers with different losses",
            lambda: h25.corner_case(h25.triangle(), 1, LABELS),
            _members_differ,
        ),
        checks=(
            Check("raw-stress", _raw_stress, 2, 1, "one of the two members left out"),
            Check("classical", _classical, True, False, "one member for all draws"),
        ),
        recorded="holds",
    ),
)
