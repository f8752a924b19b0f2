r"""DK-M6: out-of-sample placement, where it is exact and where Gower's and Trosset and Priebe's rules part.

Setting. A frame of n models with Psi = MDS(Delta), classical, in R^d, Psi'Psi = L = diag(lambda_1 >= ... >= lambda_d
> 0); a new model with mean mu_new, dissimilarities delta to the frame, b and beta its inner products with the frame
and its squared length, both from the frame's centroid (dkps_theory.geometry.out_of_sample). Gower (1968): y_G = L^-1
Psi'b. Trosset and Priebe (2008): y_TP minimises 2 ||b - Psi y||^2 + (beta - ||y||^2)^2. h^2 = beta - ||y_G||^2.
Statements. DK-M6: both rules give the new model its distances when mu_new lies in the frame's affine span and d is
the rank. DK-M6/parting: for e = 1 and h^2 < lambda_d, ||y_TP - y_G|| <= ||y_G|| h^2 / (lambda_d - h^2).
DK-M6/one-rule: the two placements are one. Errors of placements from finitely many answers stand in dk_m6_errors.
Hypotheses. e = 1, lambda_d > 0, and what each statement says of the new model.
Constants. In DK-M6/parting, 1.
Relation. Equality; upper bound.
Reference. Gower (1968), Biometrika 55, 582-585; Trosset and Priebe (2008), Computational Statistics and Data Analysis
52, 4635-4642; the bounds are ours.

Derivation. e = 1: B = Y Y', Y = c H mu = U L^{1/2} V', b = Y z with z = c(mu_new - mean mu), so y_G = V_d' z, the
projection of z on the top d axes, and h^2 = ||z||^2 - ||V_d'z||^2 is the squared length off them: 0 in the span at d
= rank, where both rules return V_d'z, which has the distances of z to the frame. Else, with t = ||y_TP||^2 - beta, (L
+ tI) y_TP = L y_G and -h^2 <= t <= 0, so coordinate k of y_TP is that of y_G times lambda_k / (lambda_k + t), off by
at most h^2 / (lambda_k - h^2).
"""

from __future__ import annotations

import functools
import random
from fractions import Fraction

import numpy as np

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.evidence.certified import Stored, counterexample, exact_equalities
from proofs_checks.evidence.checker import squared_distances
from proofs_checks.evidence.search import largest_difference, largest_ratio

SOURCE = "own"
RULES = ("gower", "trosset-priebe")


@functools.cache
def placed(rule: str, d: int):
    """Return the package's placement of the last model into the frame of the others, from one distance matrix."""
    import jax

    place = {"gower": dk.gower_placement, "trosset-priebe": dk.trosset_priebe_placement}[rule]

    def last(delta):
        frame = delta[:-1, :-1]
        placed = place(frame, delta[-1:, :-1], d)
        scaled = dk.classical_mds(frame, d)
        return placed.configuration[0], placed.off_span[0], scaled.configuration, scaled.eigenvalues

    return jax.jit(last), jax.jit(jax.vmap(last))


def _exact_on_rationals(centred: bool, setting: Setting) -> Evidence:
    """Solve Gower's normal equations exactly for new points of the plane: they return the point itself."""
    generator = random.Random(setting.integer_seed())

    def pairs():
        for _ in range(setting.size(100, 1000)):
            points = cases.rational_matrix(generator, 4, 2)
            middle = [sum(column, Fraction(0)) / 4 for column in zip(*points, strict=True)]
            frame = [[x - c for x, c in zip(row, middle, strict=True)] for row in points]
            (a, b), (_, c) = ([Fraction(sum(x[i] * x[j] for x in frame)) for j in range(2)] for i in range(2))
            if a * c == b * b:
                continue
            new = cases.rational_matrix(generator, 1, 2)[0]
            squares = squared_distances([*frame, new])
            to_frame, within = squares[4][:4], [row[:4] for row in squares[:4]]
            means, grand = [sum(row) / 4 for row in within], sum(map(sum, within)) / 16
            shift = sum(to_frame) / 4 - grand if centred else Fraction(0)
            inner = [-(t - m - shift) / 2 if centred else -t / 2 for t, m in zip(to_frame, means, strict=True)]
            u, v = (Fraction(sum(x[i] * y for x, y in zip(frame, inner, strict=True))) for i in range(2))
            determinant = a * c - b * b
            yield (c * u - b * v) / determinant, new[0]
            yield (a * v - b * u) / determinant, new[1]

    return exact_equalities(pairs(), "Gower's placement of a point of the plane is that point, exactly")


def _in_span(case, setting: Setting) -> Evidence:
    """Distances of the placed model to the frame against the true ones; d = 1 is below the rank."""
    rule, d = case

    def difference(points):
        delta = cases.distances(points)
        y, _, psi, eigenvalues = placed(rule, d)[0](delta)
        if eigenvalues[1] <= 1e-3 * eigenvalues[0]:
            return 0.0  # a frame on a line: the rank is not 2
        return (
            float(np.abs(np.linalg.norm(np.asarray(psi) - np.asarray(y), axis=1) - delta[-1, :-1]).max()) / delta.max()
        )

    says = f"distances of a new model in the plane to a frame in the plane, {rule}, relative"
    return largest_difference(
        cases.integer_arrays(6, 2), difference, setting, within=1e-6, says=says, quick=100, full=1500
    )


def _parting(shrink: float, setting: Setting) -> Evidence:
    """||y_TP - y_G|| over its bound, frames in R^3 seen in d = 2."""

    def ratio(points):
        delta = cases.distances(points)
        gower, off, _, eigenvalues = (np.asarray(part) for part in placed("gower", 2)[0](delta))
        outer = np.asarray(placed("trosset-priebe", 2)[0](delta)[0])
        lowest = eigenvalues[1]
        if not (lowest > 1e-6 * eigenvalues[0] and off < 0.999 * lowest):
            return 0.0
        bound = shrink * np.linalg.norm(gower) * max(off, 0) / (lowest - off)
        return float(np.linalg.norm(outer - gower) / (bound + 1e-7 * delta.max()))

    says = "||y_TP - y_G|| over ||y_G|| h^2 / (lambda_d - h^2)"
    return largest_ratio(cases.integer_arrays(6, 3), ratio, setting, says=says, quick=300, full=3000, tolerance=1e-6)


def agree(off_plane: bool, setting: Setting) -> Evidence:
    """Look from scratch for a new model in R^3 that the two rules place apart, the frame in the plane."""

    def apart(points):
        lifted = np.column_stack([points[:, :2], np.zeros(len(points))])
        if off_plane:
            lifted[-1, 2] = points[-1, 2]
        delta = cases.distances(lifted)
        gower, _, _, eigenvalues = (np.asarray(part) for part in placed("gower", 2)[0](delta))
        if eigenvalues[1] <= 1e-3 * eigenvalues[0]:
            return 0.0
        outer = np.asarray(placed("trosset-priebe", 2)[0](delta)[0])
        return float(np.linalg.norm(outer - gower) / (1e-6 * delta.max()))

    says = "the two placements agree to 1e-6"
    return largest_ratio(cases.integer_arrays(6, 3), apart, setting, says=says, quick=200, full=2000)


def _lifted():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    heights = np.linspace(0, 3, 61)
    for rule, name in zip(RULES, ("Gower", "Trosset and Priebe"), strict=True):
        places = []
        for h in heights:
            delta = cases.distances(np.array([[-1.0, 0], [1, 0], [1, h]]))
            places.append(float(placed(rule, 1)[0](delta)[0][0] * np.sign(placed(rule, 1)[0](delta)[2][1, 0])))
        axes.plot(heights, places, label=name)
    axes.plot([2, 2], [1, 2], "ko", label="the certificate")
    axes.set(xlabel="height h of the new model (1, h) over the frame's line", ylabel="its place on the line")
    figure.legend(loc="outside lower left", ncols=3)
    return figure


def _off_span(points: np.ndarray) -> tuple[float, float]:
    """Return h^2 of the last point and the frame's lambda_2."""
    _, off, _, eigenvalues = placed("gower", 2)[0](cases.distances(points))
    return float(off[()]), float(eigenvalues[1])


def _is_below(points: np.ndarray) -> bool:
    off, lowest = _off_span(points)
    return -1e-9 <= off < lowest


def rank_two(points: np.ndarray) -> bool:
    """Whether the points span the plane."""
    return int(np.linalg.matrix_rank(points - points.mean(axis=0))) == 2


_PLANE = Hypothesis("frame and new model span the plane, d = 2", lambda w: w.shape[1] == 2 and rank_two(w[:-1]))
_POINTS = Witness(
    "five models in the plane and a sixth",
    lambda: np.array([[0.0, 0], [3, 0], [0, 4], [1, 1], [-2, 1], [5, 5]]),
    lambda w: bool(np.abs(w[-1] - w[:-1].mean(axis=0)).max() > 0),
)
_BELOW = Hypothesis("0 <= h^2 < lambda_d, d = 2", _is_below)
_FINITE = Hypothesis("distances of points, e = 1", lambda w: bool(np.all(np.isfinite(w))))
_SPACE = Witness(
    "frame of rank 3 seen in d = 2, h^2 below lambda_2",
    lambda: np.array([[4.0, 0, 0], [-4, 0, 0], [0, 3, 0], [0, -3, 0], [0, 0, 0.5], [1, 1, 1]]),
    lambda w: bool(abs(w[-1, 2]) > 0),
)


CLAIMS = (
    Claim(
        id="DK-M6",
        title="Out-of-sample placement is exact in the frame's span at the rank",
        source=SOURCE,
        form="own",
        reading="Gower's rule and Trosset and Priebe's, both",
        statement=r"\mu_{new}\in\mathrm{aff}(\mu),\ d=\mathrm{rank}\,B\ \Rightarrow\ \|y-\psi_i\|=\delta_i\ \forall i",
        hypotheses=(_PLANE,),
        witness=_POINTS,
        checks=(
            Check("normal-equations", _exact_on_rationals, True, False, "b without the centring of D^2"),
            *(Check(f"in-span-{rule}", _in_span, (rule, 2), (rule, 1), "d below the rank") for rule in RULES),
        ),
        recorded="holds",
    ),
    Claim(
        id="DK-M6/one-rule",
        title="Gower's and Trosset and Priebe's placements are one",
        source=SOURCE,
        form="own",
        reading="for every new model, also off the frame's span",
        statement=r"y_{TP}=y_G",
        hypotheses=(_FINITE,),
        witness=_SPACE,
        checks=(
            Check(
                "off-the-line",
                counterexample,
                Stored("dk-m6-parting", "tp", "gower", "equal"),
                Stored("dk-m6-parting", "tp", "gower", "equal", replaced={"z": [["1", "0"]], "beta": "1", "tp": "1"}),
                "the new model on the frame's line",
            ),
            Check("from-scratch", agree, True, False, "the new model in the frame's plane"),
        ),
        recorded="refuted",
        repair="DK-M6/parting",
        drawings=(
            Drawing(
                _lifted,
                "Frame -1, 1 on the line, the new model at height h over the point 1. Gower's rule drops the height, "
                "the other turns it into length along the line.",
            ),
        ),
    ),
    Claim(
        id="DK-M6/parting",
        title="How far the two placements can part",
        source=SOURCE,
        form="own",
        reading="h^2 is the squared length off the d axes, below lambda_d",
        statement=r"\|y_{TP}-y_G\|\le\|y_G\|\,h^2/(\lambda_d-h^2)",
        hypotheses=(_BELOW,),
        witness=_SPACE,
        checks=(Check("bound", _parting, 1.0, 0.5, "half the bound"),),
        recorded="holds",
    ),
)
