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
   one. Each minimiser is near with probability 1/2 at most, at every (n, m, r), but for the chance that atoms 2 and
   3 are not drawn at all.
2. A24-T5/each-model: the condition for every fixed i and the distance to the whole set. Refuted by gamma_ij = i: let
   all phi_i be one point and n = m r. Then s_ii'^2 = (i + i')/n, whose mean over pairs tends to 1. psi^ does not shrink
   to a point: scaling a minimiser cannot help, so sum ||psi^_i - psi^_i'||^2 = max over z of (sum ||z_i - z_i'|| D)^2 /
   sum ||z_i - z_i'||^2, and two places for z give at least (sum of D across)^2 / (n^2/2); and E D >= (E D^2)^{3/2} / (E
   D^4)^{1/2} >= s / sqrt 3 for Gaussian answers. As s^2 <= 2, s >= s^2 / sqrt 2, so the mean of ||psi^_i - psi^_i'||^2
   over pairs is at least (mean s^2)^2 / 12 in expectation at large n (z_i = i mod 2); its second moment is
   bounded, so it does not tend to 0 in probability, nor does the mean of any power p >= 1 (Hölder, E D^4 bounded).
3. A24-T5/set: (1/n) sum_i sum_j gamma_ij / (r m^2) -> 0, and Delta -> ||phi_i - phi_i'|| in the mean over pairs, which
   limits for each fixed pair do not give when n grows with m (A24-L2/pointwise); distance to the set. Holds: the
   constant above, then A24-L2/set. The first is met when gamma_i belongs to the model drawn, with a finite mean under
   P, and m r -> infinity; the second when mu_i is one bounded function of phi_i for each m, by exchangeability.
Where g is bounded all phi_i are one point (A24-A2/bounded), and readings 1 and 3 say that D -> 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.claims import a24_a1, a24_l2, a24_t2
from proofs_checks.claims.a24_t4 import ALL_GROW, SIZES
from proofs_checks.claims.a24_x2 import counted_noise, gaussian_fourth_moment, pair_noise, stays_positive
from proofs_checks.evidence.certified import Stored, counterexample
from proofs_checks.evidence.search import largest_ratio

SOURCE = "A24, theorem 5"


def _mean_of_models(power: int) -> Any:
    """Limits for gamma_ij = i^power, n = m r: the condition at one i, and what is left of psi^, (mean s^2)^2 / 12."""

    def sides():
        import sympy

        n, m, i = sympy.symbols("n m i", positive=True)
        r = n / m
        mean = sympy.summation(sympy.Symbol("j", integer=True) ** power, (sympy.Symbol("j", integer=True), 1, n)) / n
        noise = sympy.simplify(pair_noise(m, r, mean, mean))  # the mean over pairs is that over one and the other
        return (
            "i / r -> 0 for every i, yet at n = m r, all phi_i one point, the mean over pairs of "
            "E ||psi^_i - psi^_i'||^2 is at least (mean s^2)^2 / 12, which does not tend to 0",
            [
                *counted_noise(),
                gaussian_fourth_moment(),
                (sympy.limit(i**power / r, n, sympy.oo), sympy.Integer(0)),
            ],
            sympy.limit(noise, n, sympy.oo) ** 2 / 12,
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


def _noisy_atoms():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    sizes, generator = 4 ** np.arange(1, 6), np.random.default_rng(24)
    for m in sizes:
        means = np.sqrt(m) * np.repeat(a24_l2.ATOMS[:, None], m, axis=1)
        noise = generator.normal(size=(12, 4, m, 2)) / np.sqrt(2 * m)
        d = a24_t2.stacked_distances(means + noise)
        found = [a24_l2.weighted_line(one, a24_l2.UNIFORM[None])[0, 0, 1] for one in d]
        axes.semilogx(m * 1.15 ** generator.uniform(-1, 1, 12), found, "o", mfc="none", color="C0")
    for member in a24_l2.weighted_members(cases.distances(a24_l2.ATOMS), a24_l2.UNIFORM):
        axes.axhline(member[0, 1], color="0.5", lw=0.8, zorder=0)
    axes.set(xlabel="queries m = replicates r", ylabel="distance of atoms 1, 2 in Psi^")
    return figure


def _fixed_and_mean():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    m = 2.0 ** np.arange(1, 9)
    mean = (m**2 + 1) / m**2  # of s^2 over pairs: n = m r = m^2, the mean of i + i' over n
    axes.loglog(m, 1 / m, "^-", lw=0.8, label="T2's condition for model 1")
    axes.loglog(m, np.sqrt(3) / m, "o-", lw=0.8, label="D of models 1, 2, root mean square")
    axes.loglog(m, np.sqrt(mean), "s-", lw=0.8, label="D over all pairs, root mean square")
    axes.loglog(m, mean / np.sqrt(12), "D-", lw=0.8, label="least root mean square distance in Psi^, large n")
    axes.set(xlabel="queries m = replicates r, n = m r models", ylabel="condition; root mean squares")
    figure.legend(loc="outside lower left")
    return figure


def _four_atoms_path() -> a24_a1.Path:
    """Return n = m models, as many at each atom, means growing like sqrt(m) per query, gamma = 1, along (m, r)."""

    def population(m):
        means = np.sqrt(m) * np.repeat(_on_atoms(m)[:, None, None], m, axis=1)
        return dk.GaussianMixture(np.ones((m, m, 1)), means, np.full((m, m, 1), 0.5), covariance_type="spherical")

    return a24_a1.Path(tuple((population(m), 1e2 * m**2.0) for m in (4, 16, 64)))


def _on_atoms(n: int) -> np.ndarray:
    """Return phi (n, 2) of n models on the four atoms in turn."""
    return np.resize(a24_l2.ATOMS, (n, 2))


def _keeps(path: a24_a1.Path) -> bool:
    deltas = [a24_a1.delta_of(population) for population, _ in path.members]
    return all(np.abs(delta - cases.distances(_on_atoms(len(delta)))).max() < 1e-9 for delta in deltas)


_FOUR_NOISY = Witness(
    "n = m models, as many at each of the four atoms, under c = 1/m at every m, gamma = 1",
    _four_atoms_path,
    lambda path: len(a24_l2.weighted_members(a24_a1.delta_of(path.members[-1][0])[:4, :4], a24_l2.UNIFORM)) == 2,
)
_SMALL_MEAN = Hypothesis(
    "(1/n) sum_ij gamma_ij / (r m^2) -> 0 (here it falls to below 10^-3)",
    lambda path: [float(a24_a1.noise_share(*member).mean()) for member in path.members][-1] < 1e-3,
)
_N_GROWS = Hypothesis(
    "n grows", lambda path: bool(np.all(np.diff([population.shape[0] for population, _ in path.members]) > 0))
)
_LIMIT = Hypothesis(
    "(1/m) ||mu_i - mu_i'||_F -> ||phi_i - phi_i'||, each pair and in the mean over pairs (here equal at every m)",
    _keeps,
)
_PATH = (a24_a1.GROWING, _N_GROWS, _LIMIT, a24_a1.CONDITION)
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
        drawings=(
            Drawing(
                _noisy_atoms,
                "One model at each of the four atoms, on the line, γ = 1, twelve draws at each m: less noise brings "
                "psi^ nearer to one of two configurations (grey lines), and chance still says to which.",
            ),
        ),
    ),
    Claim(
        id="A24-T5/each-model",
        title="T2's condition for each fixed model brings Psi^ to the set of minimisers",
        source=SOURCE,
        form="as-printed",
        reading="the condition for every fixed i, gamma_ij = i allowed; distance to the set",
        statement=_CONDITION + a24_l2.SMALLEST,
        hypotheses=(
            ALL_GROW,
            Hypothesis("i / r falls for every i", lambda sizes: sizes[-1][2] > 30 * sizes[0][2]),
        ),
        witness=Witness(
            "all models at one point, gamma_ij = i, (n, m, r) = (4, 2, 2), (256, 16, 16), (4096, 64, 64)",
            lambda: SIZES,
            lambda sizes: all(n == m * r for n, m, r in sizes),
        ),
        checks=(Check("mean", stays_positive, _mean_of_models(1), _mean_of_models(0), "one gamma for all models"),),
        recorded="refuted",
        repair="A24-T5/set",
        drawings=(
            Drawing(
                _fixed_and_mean,
                "γᵢ = i, all φᵢ one point: the condition holds for every model and D of each fixed pair vanishes, but "
                "not on average over pairs, and so psi^ does not shrink to one point.",
            ),
        ),
    ),
    Claim(
        id="A24-T5/set",
        title="If the mean noise of the models vanishes, Psi^ approaches the set of minimisers",
        source=SOURCE,
        form="repaired",
        reading="(1/n) sum_ij gamma_ij / (r m^2) -> 0 and Delta -> ||phi_i - phi_i'|| in the mean over pairs; distance "
        "to the set; p <= 2",
        statement=r"\tfrac1n\sum_{i,j}\gamma_{ij}/(r\,m^2)\to0,\ \tfrac1{n^2}\sum_{i,i'}\big(\Delta_{ii'}-"
        r"\|\phi_i-\phi_{i'}\|\big)^2\xrightarrow{P}0\ \Rightarrow\ " + a24_l2.SMALLEST,
        hypotheses=(a24_a1.GROWING, _N_GROWS, _LIMIT, _SMALL_MEAN),
        witness=_FOUR_NOISY,
        checks=(
            Check("mean-noise", _mean_noise, 1.0, 0.5, "the bound of the mean square halved"),
            Check("near-minimisers", a24_l2.near_minimisers, 2.0, 0.5, "the factor 2 replaced by 1/2"),
        ),
        recorded="holds",
    ),
)
