r"""A24-C1: from convergence of distances to convergence of the perspectives themselves.

Setting. The setting of A24-T1: n models, m queries, r -> infinity, psi^ in MDS(D), raw stress in R^d.
Statement (A24, corollary 1). There are W(u) in O(d) and a(u) in R^d with psi^_i - (W(u) psi_i + a(u)) -> 0 in
probability for every i, along the subsequence r_u of theorem 1.
Hypotheses. Those of A24-T1: iid answers with two moments, psi^ any member of MDS(D).
Constants. None.
Relation. Convergence in probability of n random vectors.
Reference. Acharyya, Trosset, Priebe, Helm (2024), arXiv:2409.17308.

Readings.
1. As printed (A24-C1): the sequences W(u), a(u) come before the randomness, and psi^ is any member of MDS(D). Refuted
   even where T1 holds: two models at distance 1 on the line. MDS(D) is all pairs of points D_12 apart. Take (-D_12/2,
   D_12/2) where D_12 <= Delta_12 and its mirror image where D_12 > Delta_12: a function of D, each with a probability
   that tends to 1/2 by the central limit theorem. Given D_12, the two outcomes are D_12 apart in every row, so W(u)
   psi + a(u) is within D_12/2 of one of them at most: P(error >= 1/3) >= 1/2 - o(1) for every choice of W(u), a(u).
   Random starts choose in this way too, and so does the sign of an eigenvector. Almost sure convergence, the other
   mode, is stronger and fails with it. What MDS(D) leaves free in translation is worse: nothing bounds it.
2. Charitably, psi^ is a member of MDS(D) chosen for the purpose, the one nearest to Psi. Then W(u) = I and a(u) = 0
   do, and nothing is left to say beyond reading 3.
3. A24-C1/repaired: W(u), a(u) may depend on the data, and Psi is the one class of minimisers (A24-T1 needs that too).
   Holds, without a subsequence: on centred configurations, take the nearest rigid motion; if distances converge to
   those of Psi, every subsequence has a further one along which the centred psi^ converge to a configuration with
   those distances, a rigid motion of Psi (CL-RIGID), so the aligned error tends to 0, in probability or almost surely
   as the distances do. The check looks at the plane, where Delta is realised and the rate is that of
   A24-T1/at-the-rank.
"""

from __future__ import annotations

import numpy as np

from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Setting, Witness
from proofs_checks.claims import a24_t1, a24_t1_rates
from proofs_checks.evidence import monte_carlo
from proofs_checks.evidence.certified import Stored, counterexample
from proofs_checks.evidence.search import largest_ratio

SOURCE = "A24, corollary 1"


def _aligned(psi: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Frobenius errors after the nearest rigid motion, from distances alone: realised again, then aligned."""
    return np.array([cases.aligned_error(cases.perspective(one, psi.shape[1]), psi, "rigid") for one in found])


def _both_outcomes(mirrored: bool, setting: Setting) -> Evidence:
    """Look from scratch for Psi on the line and two members of MDS(D), D = Delta, that no one motion of Psi is near.

    For a motion of the line, +-psi + a, the better of the two signs and the best a are taken.
    """

    def error(points):
        psi = points[:, 0]
        members = (psi, -psi if mirrored else psi)
        centred = [member - member.mean() for member in members]
        return min(max(np.abs(sign * centred[0] - member).max() for member in centred) for sign in (1, -1)) * 1e9

    says = "one motion of Psi is within 1e-9 of both members of MDS(D)"
    return largest_ratio(cases.integer_arrays(2, 1), error, setting, says=says, quick=100, full=1000)


def _motion_follows_data(free: bool, setting: Setting) -> Evidence:
    """Aligned errors at r = 10^4 and 10^12; the broken twin fixes the motion beforehand."""
    psi = a24_t1_rates.known_psi()
    before, after = (
        _errors_of(psi, a24_t1.distances_at(cases.mixture_population(), 2, setting, r), free, setting, r)
        for r in (a24_t1.LOW, a24_t1.HIGH)
    )
    return monte_carlo.falls_as(
        before, after, a24_t1.HIGH / a24_t1.LOW, says="aligned error of Psi^ by raw stress, d = 2, r = 10^4 and 10^12"
    )


def _errors_of(psi: np.ndarray, found: np.ndarray, free: bool, setting: Setting, r: float) -> np.ndarray:
    if free:
        return _aligned(psi, found)
    # Psi and Psi^ in one canonical form, so that but for the coin the fixed motion I would do.
    generator = np.random.default_rng(setting.integer_seed(f"coins, r = {r:g}"))
    target = cases.perspective(cases.distances(psi), psi.shape[1])
    coins = generator.choice([-1.0, 1.0], len(found))
    return np.array(
        [
            np.linalg.norm(coin * cases.perspective(one, psi.shape[1]) - target)
            for coin, one in zip(coins, found, strict=True)
        ]
    )


def _pair_population():
    import dkps_theory as dk

    return dk.GaussianMixture(np.ones((2, 1, 1)), np.array([[[[0.0]]], [[[1.0]]]]), np.full((2, 1, 1), 0.5))


def _two_outcomes():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    grid = np.geomspace(10, 1e6, 60).round()
    setting, population = Setting(0, "quick", "A24-C1/drawing"), _pair_population()
    errors = [cases.mean_errors(population, setting.key(f"r = {r:g}"), 1, r)[0] for r in grid]
    apart = np.array([1 + float((e[1] - e[0]).item()) for e in errors])
    found = np.where(apart > 1, -apart, apart) / 2
    axes.semilogx(grid, found, "o", label="the mirror image where D is above Delta")
    axes.semilogx(grid, np.abs(found), "x", label="moved by a motion that looks at the data")
    axes.axhline(0.5, lw=0.8, color="0.4")
    axes.set(xlabel="replicates r", ylabel="second row of Psi^ (units of g)", ylim=(-0.8, 0.8))
    figure.legend(loc="outside lower left")
    return figure


_MIRRORED = ("max_abs", ("-", "Z", ("scale", "-1", "Z")))

CLAIMS = (
    Claim(
        id="A24-C1",
        title="Fixed sequences of rigid motions take Psi to Psi^ in the limit",
        source=SOURCE,
        form="as-printed",
        reading="quantifiers as printed: W(u) and a(u) first, then the random Psi^, any member of MDS(D); in "
        "probability, and so almost surely too",
        statement=r"\exists W(u)\in O(d),a(u)\in\mathbb R^d:\ \hat\psi_i-(W(u)\psi_i+a(u))\xrightarrow{P}0",
        hypotheses=(cases.INDEPENDENT, cases.TWO_MOMENTS, a24_t1.ON_THE_LINE),
        witness=Witness(
            "two models at distance 1 on the line, Gaussian answers",
            _pair_population,
            lambda w: bool(w.gamma.min() > 0),
        ),
        checks=(
            Check(
                "mirror-by-a-coin",
                counterexample,
                Stored("a24-c1", _MIRRORED, "0"),
                Stored("a24-c1", _MIRRORED, "0", replaced={"Z": [["0"], ["0"]], "Delta": [["0", "0"], ["0", "0"]]}),
                "two models that coincide: a point is its own mirror image",
            ),
            Check("from-scratch", _both_outcomes, True, False, "the same member twice"),
        ),
        recorded="refuted",
        repair="A24-C1/repaired",
        drawings=(
            Drawing(
                _two_outcomes,
                "Two models at distance 1: Psi^ is a member of MDS(D) at every r, yet no motion fixed beforehand "
                "follows it; one that may look at the data does.",
            ),
        ),
    ),
    Claim(
        id="A24-C1/repaired",
        title="Rigid motions that depend on the data take Psi to Psi^ in the limit",
        source=SOURCE,
        form="repaired",
        reading="MDS(Delta) one class; no subsequence; checked in probability, and almost surely as the distances are "
        "in A24-T1/repaired; the rate is ours",
        statement=r"\min_{W\in O(d),a}\|\hat\Psi-(\Psi W+\mathbf 1a^\top)\|_F\xrightarrow{P}0",
        hypotheses=a24_t1_rates.AT_THE_RANK,
        witness=a24_t1_rates.MIXTURE,
        checks=(
            Check(
                "mixture-in-the-plane",
                _motion_follows_data,
                True,
                False,
                "the motion fixed beforehand, while a coin chooses between Psi^ and -Psi^",
            ),
        ),
        recorded="holds",
    ),
)
