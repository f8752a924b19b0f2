r"""A24-X2: whether A24-T2's condition is necessary, and the weakest one under the printed c = 1/m.

Setting. That of A24-T2: n fixed, c = 1/m, e = 1, E = X - mu, D and Delta; s_ii'^2 = sum_j (gamma_ij + gamma_i'j) / (r
m^2), so that E D^2 = Delta^2 + s^2 (DK-M1).
Statement. (1/m) sum_j gamma_ij / r -> 0 is necessary for ||D - Delta||_F -> 0 in probability.
Hypotheses. A24-A1 and two moments; A24-X2/weakest has bounded kurtosis of the noise besides, for one direction.
Constants. In A24-X2/weakest, with K >= E S^4 / s^4, S = c ||E_i - E_i'||_F: P(D^2 - Delta^2 >= s^2/2) >= s^2 / (32
Delta^2 + 8 K s^2). K <= 3 for Gaussian answers.
Relation. Necessity and sufficiency; lower bound of a probability.
Reference. Our own question about Acharyya, Trosset, Priebe, Helm (2024), arXiv:2409.17308, theorem 2.

Readings.
1. A24-X2: necessary. Refuted. If gamma_ij / r = kappa for all queries, the condition stays at kappa, and E (D -
   Delta)^2 <= s^2 = 2 kappa / m -> 0, whether r grows, with gamma in proportion, or not. With r = 1 and answers 0 or 1,
   for instance: averaging over queries does what replicates were asked to do.
2. A24-X2/weakest: sum_j gamma_ij / (r m^2) -> 0 for every i. Sufficient, since E (D - Delta)^2 <= s^2 (A24-T2). And
   necessary, if Delta and the kurtosis of the noise are bounded. For A = D^2 - Delta^2 = 2 c^2 <delta, E_i - E_i'> +
   S^2 has mean s^2 and E A^2 <= 8 Delta^2 s^2 + 2 E S^4, by (x + y)^2 <= 2x^2 + 2y^2 and Cauchy and Schwarz; and s^2 =
   E A <= s^2/2 + sqrt(E A^2 P(A >= s^2/2)). So P(A >= s^2/2) >= (s^2/2)^2 / E A^2, the constant above. If D - Delta ->
   0 in probability and Delta is bounded, A -> 0 in probability, so s^2 -> 0 along every subsequence; and s^2 bounds the
   sum of each of its two models.
3. A24-X2/heavy: that s^2 -> 0 is necessary for every law. Refuted: let an answer be mu, or mu +- a with probability
   m^-2, a^2 = kappa m^3, r = 1. Then gamma = kappa m and s^2 = 2 kappa for every m, but X = mu at all queries of two
   models, and D = Delta, but for a probability of at most 2/m. Likewise with probability 1/(m^2 r) and a^2 = kappa m^3
   r^2 where r grows. Noise that is rare and huge is in E D^2 and not in D.
   With infinite gamma, D -> Delta may hold too, as r grows (B26-T1).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

import dkps_theory as dk
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Outcome, Setting, Witness
from proofs_checks.claims import a24_a1, a24_t2
from proofs_checks.evidence import symbolic
from proofs_checks.evidence.search import largest_ratio

SOURCE = "own question about A24, theorem 2"


def stays_positive(sides: Callable[[], tuple[str, list[tuple[Any, Any]], Any]], setting: Setting) -> Evidence:
    """Judge a symbolic counterexample to a claim under which some quantity would be 0, or tend to 0.

    ``sides()`` returns what is said, identities that the counterexample has to meet, and the quantity or its limit. It
    contradicts when all identities hold and the quantity is positive.
    """
    import sympy

    says, identities, limit = sides()
    found = symbolic.identity(lambda: (says, identities), setting)
    limit = sympy.simplify(limit)
    if found.outcome is not Outcome.SUPPORTS:
        return replace(found, outcome=Outcome.INCONCLUSIVE)
    outcome = Outcome.CONTRADICTS if limit.is_positive else Outcome.INCONCLUSIVE
    shown = float(limit.subs(dict.fromkeys(limit.free_symbols, 1)))
    return replace(found, outcome=outcome, observed=shown, relation="upper", detail=f"{says}: {limit} is left")


def pair_noise(m: Any, r: Any, one: Any, two: Any) -> Any:
    """Return s^2 of two models with gamma ``one`` and ``two`` at each of m queries, for symbols and numbers."""
    return m * (one + two) / (r * m**2)


def counted_noise() -> list[tuple[Any, Any]]:
    """Return c^2 E ||E_1 - E_2||_F^2 with every sample counted, and s^2: answers 0 or 1 and 0 or 2, fair coins."""
    import sympy

    pairs = []
    for m, r in ((1, 1), (2, 1), (1, 2), (3, 1)):
        total = Fraction(0)
        for coins in itertools.product((-1, 1), repeat=2 * m * r):
            one, two = coins[: m * r], coins[m * r :]
            # Deviations of the means are +-1/2 and +-1 for each coin, over r.
            gaps = (sum(Fraction(x, 2) - y for x, y in zip(one[j::m], two[j::m], strict=True)) / r for j in range(m))
            total += sum((gap * gap for gap in gaps), Fraction(0)) / m**2
        total /= 2 ** (2 * m * r)
        noise = pair_noise(sympy.Integer(m), sympy.Integer(r), sympy.Rational(1, 4), sympy.Integer(1))
        pairs.append((sympy.Rational(total.numerator, total.denominator), noise))
    return pairs


def gaussian_fourth_moment() -> tuple[Any, Any]:
    """Return E z^4 of a standard normal z by integration, and 3: E (z_1^2 + ... + z_m^2)^2 = 3m + m(m - 1)."""
    import sympy

    z = sympy.Symbol("z", real=True)
    density = sympy.exp(-(z**2) / 2) / sympy.sqrt(2 * sympy.pi)
    return sympy.integrate(z**4 * density, (z, -sympy.oo, sympy.oo)), sympy.Integer(3)


def _constant_condition(growing_r: bool) -> Any:
    """Hold gamma / r at kappa: s^2 -> 0 while the condition stays; the broken twin holds gamma as r grows."""

    def sides():
        import sympy

        m, r, kappa = sympy.symbols("m r kappa", positive=True)
        # r held fixed, and r = m.
        paths = [(where, kappa if growing_r else kappa * where) for where in (r, m)]
        noise = [pair_noise(m, where, gamma, gamma) for where, gamma in paths]
        fixed, growing = (sympy.limit(m * gamma / (m * where), m, sympy.oo) for where, gamma in paths)
        return (
            "E (D - Delta)^2 <= s^2 = 2 kappa / m -> 0 for gamma = kappa r, r fixed or r = m; (1/m) sum_j gamma_ij / r "
            "does not",
            [*counted_noise(), *[(sympy.limit(s2, m, sympy.oo), sympy.Integer(0)) for s2 in noise], (fixed, growing)],
            growing,
        )

    return sides


def _rare_jumps(rarity: int) -> Any:
    """P(answer != mu) = m^-rarity / r, gamma = kappa m r: s^2 stays while P(D != Delta) <= 2 m^(1 - rarity)."""

    def sides():
        import sympy

        m, r, kappa = sympy.symbols("m r kappa", positive=True)
        chance = m**-rarity / r
        jump = kappa * m * r / chance  # a^2
        return (
            "P(D != Delta) <= 2/m -> 0 with jumps of probability m^-2, and s^2 does not",
            [*counted_noise(), (sympy.limit(2 * m * r * chance, m, sympy.oo), sympy.Integer(0))],
            sympy.limit(pair_noise(m, r, chance * jump, chance * jump), m, sympy.oo),
        )

    return sides


def _bounded_kurtosis(true_kurtosis: bool, setting: Setting) -> Evidence:
    """P(D^2 - Delta^2 >= s^2/2) over its lower bound, upside down, for laws with rare and common jumps.

    The broken twin takes kurtosis 1 whatever the law.
    """
    from hypothesis import strategies as st

    def ratio(drawn):
        separation, odds, jump, m = drawn
        # Both models: each answer jumps up or down by ``jump``, with probability ``odds`` in 64 in all; r = 1.
        p = odds / 64
        steps = np.stack(np.meshgrid(*[[-jump, 0.0, jump]] * (2 * m), indexing="ij"), axis=-1).reshape(-1, 2, m)
        weight = np.prod(np.where(steps == 0, 1 - p, p / 2), axis=(1, 2))
        noise = steps[:, 0] - steps[:, 1]
        spread = np.square(noise).sum(1) / m**2
        s2 = weight @ spread
        kurtosis = weight @ spread**2 / s2**2 if true_kurtosis else 1.0
        gain = np.square(separation + noise).sum(1) / m**2 - separation**2 / m
        chance = weight @ (gain >= s2 / 2 - 1e-12)
        return float(s2 / (32 * separation**2 / m + 8 * kurtosis * s2) / (chance + 1e-15))

    drawn = st.tuples(
        st.sampled_from([0.0, 0.0, 0.5, 1.0, 4.0, 20.0]), st.sampled_from([1, 2, 8, 32, 64]), st.integers(1, 9),
        st.integers(1, 2),
    )  # fmt: skip
    says = "s^2 / (32 Delta^2 + 8 K s^2) / P(D^2 - Delta^2 >= s^2/2), jumps of probability 1/64 to 1, exactly counted"
    return largest_ratio(drawn, ratio, setting, says=says, quick=150, full=2000)


def _growing_gamma_path() -> a24_a1.Path:
    """Two models at distance 1 under c = 1/m for every m, Gaussian answers; gamma and r grow like m."""
    base = dk.Design(n=2, m=1, p=1, spectrum=(0.5,), gamma=0.25, seed=2, normalisation="m")
    family = dk.GrowingDesign(base, gamma_in_m=1.0)
    return a24_a1.Path(tuple((family.population(2, m), float(m)) for m in (4, 64, 1024)))


def rare_jump_law(m: int, kappa: float = 1.0) -> tuple[float, float]:
    """Return (a, P(answer != mu)) of A24-X2/heavy at m queries."""
    return float(np.sqrt(kappa * m**3)), m**-2.0


def _two_curves():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    m, error = 2 ** np.arange(0, 13), []
    generator = np.random.default_rng(24)
    for k in m:
        answers = generator.integers(0, 2, (400, 2, k))
        error.append(np.sqrt(np.mean(np.square(answers[:, 0] - answers[:, 1]).sum(1) / k**2)))
    axes.loglog(m, np.full(len(m), 0.25), "s-", label="the condition, (1/m) Σ γ / r")
    axes.loglog(m, error, "o", label="root mean square of D − Δ, 400 draws")
    axes.loglog(m, np.sqrt(0.5 / m), lw=0.8, label="its bound, √(2γ/(m r))")
    axes.set(xlabel="queries m, one replicate each", ylabel="size")
    figure.legend(loc="outside lower left")
    return figure


def _rare_jump_curves():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    m = 2 ** np.arange(2, 13)
    chance = [1 - (1 - rare_jump_law(int(k))[1]) ** (2 * k) for k in m]
    axes.loglog(m, np.full(len(m), 2.0), "s-", lw=0.8, label="E D² − Δ² = s²")
    axes.loglog(m, chance, "o-", lw=0.8, label="P(D is not Δ), at most")
    axes.set(xlabel="queries m, one replicate each", ylabel="size, κ = 1")
    figure.legend(loc="outside lower left")
    return figure


def _noise_falls(path: a24_a1.Path) -> bool:
    shares = [a24_a1.noise_share(population, r).max() for population, r in path.members]
    return bool(shares[-1] < min(1e-3, shares[0] / 100))


_CONVERGES = Hypothesis("D - Delta -> 0 in mean square (s^2 falls to below 10^-3)", _noise_falls)
_GAUSSIAN = Hypothesis(
    "the kurtosis of the noise is bounded (Gaussian answers)",
    lambda path: all(
        isinstance(population, dk.GaussianMixture) and population.weights.shape[-1] == 1
        for population, _ in path.members
    ),
)

CLAIMS = (
    Claim(
        id="A24-X2",
        title="The condition of A24-T2 is necessary for D - Delta to vanish",
        source=SOURCE,
        form="own",
        reading="c = 1/m, e = 1, n fixed; necessary for ||D - Delta||_F -> 0 in probability (and in mean square)",
        statement=r"\|D-\Delta\|_F\xrightarrow{P}0\ \Rightarrow\ \tfrac1m\sum_j\gamma_{ij}/r\to0\ \forall i",
        hypotheses=(a24_a1.GROWING, a24_a1.LIMIT, _CONVERGES),
        witness=Witness(
            "two models at distance 1, gamma and r growing like m: the condition of A24-T2 fails",
            _growing_gamma_path,
            lambda path: (
                bool(a24_a1.delta_of(path.members[-1][0]).max() > 0.5) and not a24_a1.CONDITION.predicate(path)
            ),
        ),
        checks=(
            Check(
                "one-replicate",
                stays_positive,
                _constant_condition(False),
                _constant_condition(True),
                "gamma stays while r grows like m, so that the condition does tend to 0",
            ),
        ),
        recorded="refuted",
        repair="A24-X2/weakest",
        drawings=(
            Drawing(
                _two_curves,
                "Fair-coin answers, one replicate: D tends to Delta as queries are added, though the condition of "
                "A24-T2 stays at 1/4.",
            ),
        ),
    ),
    Claim(
        id="A24-X2/weakest",
        title="sum gamma / (r m^2) -> 0 is enough, and necessary when the noise has bounded kurtosis",
        source=SOURCE,
        form="own",
        reading="sufficient for two moments; necessary for bounded Delta and bounded kurtosis of E_i - E_i', such as 3 "
        "for Gaussian answers; c = 1/m, e = 1, n fixed",
        statement=r"\tfrac1{m^2}\sum_j\gamma_{ij}/r\to0\ \forall i\ \Leftrightarrow\ \|D-\Delta\|_F\xrightarrow{P}0,"
        r"\quad \mathbb P\big(D^2-\Delta^2\ge\tfrac{s^2}2\big)\ge\frac{s^2}{32\Delta^2+8Ks^2}",
        hypotheses=(a24_a1.GROWING, a24_a1.LIMIT, _GAUSSIAN),
        witness=Witness(
            "two models at distance 1, gamma and r growing like m: the condition of A24-T2 fails",
            _growing_gamma_path,
            lambda path: _noise_falls(path) and not a24_a1.CONDITION.predicate(path),
        ),
        checks=(
            Check("sufficient", a24_t2.mean_square, 1.0, 0.5, "the bound of the mean square halved"),
            Check("necessary", _bounded_kurtosis, True, False, "kurtosis 1 taken for that of rare jumps"),
        ),
        recorded="holds",
    ),
    Claim(
        id="A24-X2/heavy",
        title="sum gamma / (r m^2) -> 0 is necessary for every law of the answers",
        source=SOURCE,
        form="own",
        reading="as A24-X2/weakest, with two moments and nothing about kurtosis",
        statement=r"\|D-\Delta\|_F\xrightarrow{P}0\ \Rightarrow\ \tfrac1{m^2}\sum_j\gamma_{ij}/r\to0\ \forall i",
        hypotheses=(
            Hypothesis("m grows", lambda sizes: list(sizes) == sorted(set(sizes))),
            Hypothesis(
                "P(D != Delta) -> 0: it is at most 2 m P(answer != mu)",
                lambda sizes: 2 * sizes[-1] * rare_jump_law(sizes[-1])[1] < 1e-3,
            ),
        ),
        witness=Witness(
            "answers mu, or mu +- m^(3/2) with probability m^-2, r = 1, m = 10, 100, ..., 10^5",
            lambda: tuple(10**k for k in range(1, 6)),
            lambda sizes: all(abs(rare_jump_law(m)[0] ** 2 * rare_jump_law(m)[1] / m - 1) < 1e-9 for m in sizes),
        ),
        checks=(
            Check(
                "rare-jumps",
                stays_positive,
                _rare_jumps(2),
                _rare_jumps(1),
                "jumps of probability 1/m, so that some query of a model jumps as often as not",
            ),
        ),
        recorded="refuted",
        repair="A24-X2/weakest",
        drawings=(
            Drawing(
                _rare_jump_curves,
                "Jumps that are ever rarer and ever larger: the mean square error stays, D differs from Delta ever "
                "less often.",
            ),
        ),
    ),
)
