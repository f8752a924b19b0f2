r"""A24-T5: models drawn from a law, under the condition of A24-T2.

Setting. That of A24-L2, with D computed from answers: c = 1/m, e = 1, (1/m) ||mu_i - mu_i'||_F -> ||phi_i - phi_i'||
(A24-A2), r answers per model and query; n, m, r -> infinity.
Statement (A24, theorem 5). If (1/m) sum_j gamma_ij / r -> 0 for every i, the conclusion of A24-L2: along a subsequence
the distances within psi^ converge in L^p(P x P) to those of f, one fixed member of MDS(Delta, P).
Hypotheses. As said; nothing about MDS(Delta, P), and nothing about all models at once.
Constants. Mean over the n^2 pairs of E (D - Delta)^2 at most (2/n) sum_ij gamma_ij / (r m^2).
Relation. Convergence in probability, in the mean over the n^2 pairs.
Reference. Acharyya, Trosset, Priebe, Helm (2024), arXiv:2409.17308.

Readings.
1. A24-T5 as printed: refuted like A24-L2, by the four atoms v with equal weights on the line, means sqrt(m) v_i at
   every query, Gaussian answers of one spherical covariance, n, m, r -> infinity with m p >= n - 1. Relabelling atoms 2
   and 3 and mirroring all answers leaves the joint law of models and answers as it is and swaps the two minimisers; D
   has a density, and stresses of two orders are different polynomials in D, so MDS(D) is one class with probability
   one. Each minimiser is near with probability 1/2 at most, at every (n, m, r).
2. A24-T5/each-model: the condition for every fixed i and the distance to the whole set. Refuted by gamma_ij = i: let
   all phi_i be one point and n = m r. Then s_ii'^2 = (i + i')/n, whose mean over pairs tends to 1. psi^ does not shrink
   to a point: scaling a minimiser cannot help, so sum ||psi^_i - psi^_i'||^2 = max over z of (sum ||z_i - z_i'|| D)^2 /
   sum ||z_i - z_i'||^2, and two places for z give at least (sum of D across)^2 / (n^2/2); and E D >= (E D^2)^{3/2} / (E
   D^4)^{1/2} >= s / sqrt 3 for Gaussian answers.
3. A24-T5/set: (1/n) sum_i sum_j gamma_ij / (r m^2) -> 0, distance to the set. Holds: the constant above, then
   A24-L2/set. It is met when gamma_i belongs to the model drawn, with a finite mean under P, and m r -> infinity.
Where g is bounded all phi_i are one point (A24-A2/bounded), and readings 1 and 3 say that D -> 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import dkps_theory as dk
from proofs_checks.claim import Check, Claim, Evidence, Hypothesis, Setting, Witness
from proofs_checks.claims import a24_a1, a24_l2, a24_t2
from proofs_checks.claims.a24_x2 import stays_positive
from proofs_checks.evidence.certified import Stored, counterexample
from proofs_checks.evidence.search import largest_ratio

SOURCE = "A24, theorem 5"


def _mean_of_models(power: int) -> Any:
    """Limits for gamma_ij = i^power, n = m r: the condition at one i, and the mean over pairs of E D^2 = s^2."""

    def sides():
        import sympy

        n, r, i = sympy.symbols("n r i", positive=True)
        mean = sympy.summation(sympy.Symbol("j", integer=True) ** power, (sympy.Symbol("j", integer=True), 1, n)) / n
        return (
            "i / r -> 0 for every i, yet the mean over pairs of E (D - Delta)^2 at n = m r does not tend to 0",
            [(sympy.limit(i**power / r, r, sympy.oo), sympy.Integer(0))],
            sympy.limit(2 * mean / n, n, sympy.oo),
        )

    return sides


def _mean_noise(share: float, setting: Setting) -> Evidence:
    """Mean over all pairs of E (D - Delta)^2 over (2/n) sum_ij gamma_ij / (r m^2), two-point laws exactly counted."""

    def ratio(case):
        _, gamma = a24_t2.law_moments(case)
        n, m = gamma.shape
        bound = 2 * gamma.sum() / (n * m**2)
        return float(a24_t2.mean_square_errors(case, 1).mean() / (share * bound + 1e-12))

    from hypothesis import strategies as st

    laws = st.sampled_from([(2, 1), (4, 1), (5, 1), (3, 2)]).flatmap(lambda size: a24_t2.two_point_laws(*size))
    says = "mean over all pairs of E (D - Delta)^2 / ((2/n) sum_ij gamma_ij / (r m^2)), every outcome counted"
    return largest_ratio(laws, ratio, setting, says=says, quick=200, full=3000)


def _four_atoms_path() -> a24_a1.Path:
    """Return a model at each atom, means growing like sqrt(m) per query, gamma = 1, along (m, r)."""

    def population(m):
        means = np.sqrt(m) * np.repeat(a24_l2.ATOMS[:, None, None], m, axis=1)
        return dk.GaussianMixture(np.ones((4, m, 1)), means, np.full((4, m, 1), 0.5), covariance_type="spherical")

    return a24_a1.Path(tuple((population(m), 1e2 * m**2.0) for m in (4, 16, 64)))


_FOUR_NOISY = Witness(
    "a model at each of the four atoms under c = 1/m at every m, gamma = 1",
    _four_atoms_path,
    lambda path: len(a24_l2.weighted_members(a24_a1.delta_of(path.members[-1][0]), a24_l2.UNIFORM)) == 2,
)
_SMALL_MEAN = Hypothesis(
    "(1/n) sum_ij gamma_ij / (r m^2) -> 0 (here it falls to below 10^-3)",
    lambda path: [float(a24_a1.noise_share(*member).mean()) for member in path.members][-1] < 1e-3,
)
_PATH = (a24_a1.GROWING, a24_a1.LIMIT, a24_a1.CONDITION)
_CONDITION = r"\tfrac1m\sum_j\gamma_{ij}/r\to0\ \forall i\ \Rightarrow\ "

CLAIMS = (
    Claim(
        id="A24-T5",
        title="Under T2's condition, models drawn from a law: distances within Psi^ tend to those of a fixed f",
        source=SOURCE,
        form="as-printed",
        reading="f and the subsequence of (n, m, r) first, then models and answers; c = 1/m",
        statement=_CONDITION + a24_l2.EXISTS,
        hypotheses=_PATH,
        witness=_FOUR_NOISY,
        checks=(
            Check(
                "mirror",
                counterexample,
                Stored("a24-t5", a24_l2.DISTANCES, "0"),
                Stored("a24-t5", a24_l2.DISTANCES, "0", replaced={"V": a24_l2.SHIFTED}),
                "the base shorter on one side, which breaks the symmetry",
            ),
        ),
        recorded="refuted",
        repair="A24-T5/set",
    ),
    Claim(
        id="A24-T5/each-model",
        title="T2's condition for each fixed model brings Psi^ to the set of minimisers",
        source=SOURCE,
        form="as-printed",
        reading="the condition for every fixed i, gamma_ij = i allowed; distance to the set",
        statement=_CONDITION + a24_l2.SMALLEST,
        hypotheses=(
            Hypothesis("n, m and r grow", lambda sizes: bool(np.all(np.diff(sizes, axis=0) > 0))),
            Hypothesis("i / r falls for every i", lambda sizes: sizes[-1][2] > 30 * sizes[0][2]),
        ),
        witness=Witness(
            "all models at one point, gamma_ij = i, (n, m, r) = (4, 2, 2), (256, 16, 16), (4096, 64, 64)",
            lambda: ((4, 2, 2), (256, 16, 16), (4096, 64, 64)),
            lambda sizes: all(n == m * r for n, m, r in sizes),
        ),
        checks=(Check("mean", stays_positive, _mean_of_models(1), _mean_of_models(0), "one gamma for all models"),),
        recorded="refuted",
        repair="A24-T5/set",
    ),
    Claim(
        id="A24-T5/set",
        title="If the mean noise of the models vanishes, Psi^ approaches the set of minimisers",
        source=SOURCE,
        form="repaired",
        reading="(1/n) sum_ij gamma_ij / (r m^2) -> 0; distance to the set; p <= 2",
        statement=r"\tfrac1n\sum_{i,j}\gamma_{ij}/(r\,m^2)\to0\ \Rightarrow\ " + a24_l2.SMALLEST,
        hypotheses=(a24_a1.GROWING, a24_a1.LIMIT, _SMALL_MEAN),
        witness=_FOUR_NOISY,
        checks=(
            Check("mean-noise", _mean_noise, 1.0, 0.5, "the bound of the mean square halved"),
            Check("near-minimisers", a24_l2.near_minimisers, 2.0, 0.5, "the factor 2 replaced by 1/2"),
        ),
        recorded="holds",
    ),
)
