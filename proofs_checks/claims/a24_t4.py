r"""A24-T4: n grows too, pair by pair and for all pairs at once.

Setting. c = 1/m, e = 1, n, m, r -> infinity, A24-A1 for each pair, E = X - mu, s_ii'^2 = sum_j (gamma_ij + gamma_i'j) /
(r m^2).
Statement (A24, theorem 4). T2's condition, (1/m) sum_j gamma_ij / r -> 0 for every i, suffices for D_ii' ->
Delta_inf,ii' pointwise as m, n -> infinity.
Hypotheses. Two moments and the condition.
Constants. E max_{i,i'} (D_ii' - Delta_ii')^2 <= 2 sum_ij gamma_ij / (r m^2) (A24-T4/uniform-repaired).
Relation. Convergence in probability; an upper bound.
Reference. Acharyya, Trosset, Priebe, Helm (2024), arXiv:2409.17308.

Readings.
1. A24-T4 as printed, pair by pair: holds. E (D_ii' - Delta_ii')^2 <= s_ii'^2 has no n in it; it is T2 for two models.
   Where g is bounded the limit is 0 (A24-A1/bounded).
2. A24-T4/uniform: the largest error over all pairs tends to 0. Refuted: gamma_ij = i. The condition holds for every i,
   i / r -> 0. But with n = m r the last two models, with equal means, have E D^2 = s^2 = (2n - 1) / (m r) -> 2, and for
   Gaussian answers on the line P(D^2 >= s^2/2) >= (s^2/2)^2 / E D^4 = m / (4 (m + 2)), by Cauchy and Schwarz. The
   condition is one for each i, not one for all.
3. A24-T4/uniform-repaired: sum_ij gamma_ij / (r m^2) -> 0. Holds: ||E_i - E_i'||^2 <= 2 sum_i ||E_i||^2 for all pairs
   at once. So n sup_i (1/m) sum_j gamma_ij / (r m) -> 0 is enough.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.claims import a24_t2
from proofs_checks.claims.a24_x2 import counted_noise, gaussian_fourth_moment, pair_noise, stays_positive
from proofs_checks.evidence import monte_carlo
from proofs_checks.evidence.search import largest_ratio

SOURCE = "A24, theorem 4"
REPLICATES = 1000


def _pointwise(last_pair: bool, setting: Setting) -> Evidence:
    """|D - Delta| of models 1 and 2 at n = 4 and 4096, gamma_ij = i; the broken twin looks at the last two models."""
    found = []
    for n, m, r in ((4, 2, 2.0), (4096, 64, 64.0)):
        first = n - 2 if last_pair else 0
        gamma = np.repeat([[first + 1.0], [first + 2.0]], m, axis=1)
        law = dk.GaussianMixture(np.ones((2, m, 1)), np.zeros((2, m, 1, 1)), gamma[..., None], "spherical")
        errors = a24_t2.growing_errors(law, np.random.default_rng(setting.integer_seed(f"{n}")), REPLICATES, r)
        found.append(a24_t2.stacked_distances(errors)[:, 0, 1])
    says = "|D - Delta| of models 1 and 2 with equal means, gamma_ij = i, (n, m, r) = (4, 2, 2) and (4096, 64, 64)"
    return monte_carlo.falls_as(found[0], found[1], 64**2 / 4, says=says)


def _last_pair(power: int) -> Any:
    """Limits for gamma_ij = i^power at n = m r: the condition for one i, and P(D^2 >= s^2/2) of the last two models.

    Equal means, Gaussian answers, p = 1: m D^2 / s^2 is chi-squared with m degrees of freedom.
    """

    def sides():
        import sympy

        m, r, i = sympy.symbols("m r i", positive=True)
        n = m * r
        noise = pair_noise(m, r, n**power, (n - 1) ** power)
        fourth = noise**2 * (3 * m + m * (m - 1)) / m**2  # E D^4
        limit = lambda x: sympy.limit(sympy.limit(sympy.simplify(x), m, sympy.oo), r, sympy.oo)  # noqa: E731
        return (
            "i / r -> 0 for every i, yet s^2 of the last two of n = m r models with equal means tends to 2, and "
            "P(D^2 >= s^2/2) does not tend to 0",
            [
                *counted_noise(),
                gaussian_fourth_moment(),
                (sympy.limit(i**power / r, r, sympy.oo), sympy.Integer(0)),
                (limit(noise), sympy.Integer(2)),
            ],
            limit((noise / 2) ** 2 / fourth),
        )

    return sides


def _largest_pair(share: float, setting: Setting) -> Evidence:
    """E max (D - Delta)^2 over share 2 sum_ij gamma_ij / (r m^2), two-point laws, n <= 4, m <= 2, exactly counted."""
    from hypothesis import strategies as st

    def ratio(case):
        weight, means = a24_t2.enumerated(case, 1)
        mu, gamma = a24_t2.law_moments(case)
        gap = a24_t2.stacked_distances(means[..., None]) - a24_t2.stacked_distances(mu[..., None])
        bound = 2 * gamma.sum() / gamma.shape[1] ** 2
        return float(weight @ np.square(gap).max(axis=(1, 2)) / (share * bound + 1e-12))

    laws = st.sampled_from([(2, 1), (2, 2), (3, 1), (3, 2), (4, 1), (4, 2)]).flatmap(
        lambda size: a24_t2.two_point_laws(*size)
    )
    says = "E max_{i,i'} (D - Delta)^2 / (2 sum_ij gamma_ij / (r m^2)) over two-point laws, every outcome counted"
    return largest_ratio(laws, ratio, setting, says=says, quick=200, full=3000)


def _fixed_and_last():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    m = 2.0 ** np.arange(1, 9)
    for name, marker, noise in (("1, 2", "o", 3 / m**2), ("n − 1, n", "s", (2 * m**2 - 1) / m**2)):
        axes.loglog(m, np.sqrt(noise), marker + "-", lw=0.8, label=f"models {name}")
    axes.loglog(m, 1 / m, lw=0.8, label="T2's condition for model 1")
    axes.set(xlabel="queries m = replicates r, n = m r models", ylabel="root mean square of D, γᵢ = i")
    figure.legend(loc="outside lower left")
    return figure


_EACH_MODEL = Hypothesis(
    "(1/m) sum_j gamma_ij / r = i / r -> 0 for every fixed i (here it falls by 30 for i = 1, 2, 3)",
    lambda sizes: all(i / sizes[-1][2] < i / sizes[0][2] / 30 for i in (1, 2, 3)),
)
#: n, m and r where all three grow, n as m r.
SIZES = ((4, 2, 2), (256, 16, 16), (4096, 64, 64))
_SIZES = Witness(
    "gamma_ij = i, (n, m, r) = (4, 2, 2), (256, 16, 16), (4096, 64, 64)",
    lambda: SIZES,
    lambda sizes: all(n == m * r for n, m, r in sizes),
)
ALL_GROW = Hypothesis("n, m and r grow", lambda sizes: bool(np.all(np.diff(sizes, axis=0) > 0)))
_CONDITION = r"\tfrac1m\sum_j\gamma_{ij}/r\to0\ \forall i\ \Rightarrow\ "

CLAIMS = (
    Claim(
        id="A24-T4",
        title="T2's condition suffices pair by pair as queries and models grow",
        source=SOURCE,
        form="as-printed",
        reading="pointwise: for each fixed pair of models; no rate of n against m or r",
        statement=_CONDITION
        + r"D_{ii'}\xrightarrow{P}\Delta_{\infty,ii'}\text{ for each fixed }i,i'\quad(m,n\to\infty)",
        hypotheses=(ALL_GROW, _EACH_MODEL),
        witness=_SIZES,
        checks=(
            Check("mean-square", a24_t2.mean_square, 1.0, 0.5, "the bound of the mean square halved"),
            Check("first-pair", _pointwise, False, True, "the last pair of n models instead of a fixed one"),
        ),
        recorded="holds",
    ),
    Claim(
        id="A24-T4/uniform",
        title="T2's condition suffices for all pairs at once as queries and models grow",
        source=SOURCE,
        form="as-printed",
        reading="uniform: the largest error over all pairs of n models, n -> infinity with m and r",
        statement=_CONDITION + r"\max_{i,i'\le n}|D_{ii'}-\Delta_{ii'}|\xrightarrow{P}0\quad(m,n\to\infty)",
        hypotheses=(ALL_GROW, _EACH_MODEL),
        witness=_SIZES,
        checks=(Check("last-pair", stays_positive, _last_pair(1), _last_pair(0), "one gamma for all models"),),
        recorded="refuted",
        repair="A24-T4/uniform-repaired",
        drawings=(
            Drawing(
                _fixed_and_last,
                "Models with equal means whose noise grows with their number: D of any fixed pair tends to 0, that of "
                "the last pair does not.",
            ),
        ),
    ),
    Claim(
        id="A24-T4/uniform-repaired",
        title="All pairs at once when sum gamma / (r m^2) over all models tends to 0",
        source=SOURCE,
        form="repaired",
        reading="n sup_i (1/m) sum_j gamma_ij / (r m) -> 0 is enough; mean square of the largest error",
        statement=r"\mathbb E\max_{i,i'}(D_{ii'}-\Delta_{ii'})^2\le\frac2{r\,m^2}\sum_{i,j}\gamma_{ij}",
        hypotheses=(cases.INDEPENDENT, cases.TWO_MOMENTS),
        witness=Witness(
            "six models with means in a plane, two-component mixtures",
            cases.mixture_population,
            lambda w: bool(w.gamma.min() > 0),
        ),
        checks=(Check("largest-pair", _largest_pair, 1.0, 0.25, "the constant 2 replaced by 1/2"),),
        recorded="holds",
    ),
)
