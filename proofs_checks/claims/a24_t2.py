r"""A24-T2: D tends to the limit of Delta when the noise does not outgrow r, and the tail bound printed in its proof.

Setting. n fixed models, m queries, r replicates, independent answers with two moments, c = 1/m, e = 1; m, r -> infinity
along a path; (1/m) ||mu_i - mu_i'||_F -> Delta_inf,ii' (A24-A1). E = X - mu.
Statement (A24, theorem 2). If (1/m) sum_j gamma_ij / r -> 0 for every i, then ||D - Delta_inf||_F -> 0 in probability.
Its proof uses P(c ||X_i - mu_i||_F > eps) <= sum_j gamma_ij / (r m eps^2).
Hypotheses. A24-A1, two moments, and the condition.
Constants. E (D_ii' - Delta_ii')^2 <= s_ii'^2 = sum_j (gamma_ij + gamma_i'j) / (r m^2). Attained: one query, answers on
the line, means farther apart than the noise reaches.
Relation. Convergence in probability; upper bounds.
Reference. Acharyya, Trosset, Priebe, Helm (2024), arXiv:2409.17308.

Derivation. |D_ii' - Delta_ii'| <= c ||E_i - E_i'||_F by the reverse triangle inequality, and models are independent, so
the mean square is at most s_ii'^2 = (1/m) times the sum of the condition's terms for i and i'. That tends to 0 even
where the condition's terms only stay bounded: the condition asks m times more than is used (A24-X2). With Delta ->
Delta_inf and n fixed, ||D - Delta_inf||_F -> 0.

Readings.
1. A24-T2 as printed: holds. Where g is bounded, Delta_inf = 0 (A24-A1/bounded), and it says that D -> 0.
2. A24-T2/proof-bound: the printed tail bound under the printed c = 1/m. Chebyshev's inequality gives sum_j gamma_ij /
   (r m^2 eps^2), m times less. So it holds, with slack m or more, and exactly m at answers mu_ij +- a with r = 1, where
   c ||E_i||_F is a / sqrt(m) with probability one. Both sides are unchanged by g -> a g, eps -> a eps.
3. A24-T2/proof-bound-sqrt-m: the same formula with c = 1/sqrt(m), for which it is Chebyshev's inequality; slack 1 is
   attained. The factor m between the two suggests that the proof was written for c = 1/sqrt(m).
"""

from __future__ import annotations

import itertools
import math
import random
from fractions import Fraction
from typing import Any

import numpy as np

import dkps_theory as dk
from dkps_theory.conventions import A24
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Setting, Witness
from proofs_checks.claims import a24_a1
from proofs_checks.evidence import monte_carlo
from proofs_checks.evidence.certified import exact_equalities
from proofs_checks.evidence.search import largest_ratio

SOURCE = "A24, theorem 2"

#: Replicates of each error.
REPLICATES = 300


def growing_errors(population: Any, generator: np.random.Generator, size: int, r: float) -> np.ndarray:
    """Draw E (size, n, m, p) of a population of spherical Gaussian answers, in NumPy: any shape, nothing compiled."""
    mean, gamma = np.asarray(population.mean), np.asarray(population.gamma)
    spread = np.sqrt(gamma / (mean.shape[2] * r))
    return spread[..., None] * generator.standard_normal((size, *mean.shape))


def stacked_distances(means: np.ndarray) -> np.ndarray:
    """D under c = 1/m of stacked means (..., n, m, p)."""
    return A24.scale(means.shape[-2]) * cases.distances(means.reshape(*means.shape[:-2], -1))


# -- exact finite laws: each answer takes two whole values, and every sample of size r is counted ---------------------


def two_point_laws(n: int, m: int) -> Any:
    """Return a hypothesis strategy of (low, step, odds of low + step in eighths), n models and m queries."""
    from hypothesis import strategies as st

    def laws(case: tuple[bool, list[int], list[int], list[int]]) -> tuple[np.ndarray, ...]:
        alike, *parts = case
        arrays = (np.reshape(np.asarray(part, float), (n, m)) for part in parts)
        # Models that are all alike: Delta = 0, where E D^2 = s^2 at every m.
        return tuple(np.repeat(array[:1], n, axis=0) if alike else array for array in arrays)

    whole = lambda low, high: st.lists(st.integers(low, high), min_size=n * m, max_size=n * m)  # noqa: E731
    return st.tuples(st.booleans(), whole(-20, 20), whole(-3, 3), whole(1, 7)).map(laws)


def enumerated(case: tuple[np.ndarray, ...], r: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the probabilities (s,) and sample means (s, n, m) of all outcomes of r answers per model and query."""
    low, step, odds = (part.ravel() for part in case)
    counts = np.array(list(itertools.product(range(r + 1), repeat=len(low))))
    ways = np.array([math.comb(r, k) for k in range(r + 1)])[counts]
    p = odds / 8
    weight = np.prod(ways * p**counts * (1 - p) ** (r - counts), axis=1)
    return weight, (low + step * counts / r).reshape(-1, *case[0].shape)


def law_moments(case: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return mu and gamma (n, m) of the two-point laws."""
    low, step, odds = case
    return low + step * odds / 8, step**2 * (odds / 8) * (1 - odds / 8)


def pair_noise(gamma: np.ndarray, r: float) -> np.ndarray:
    """Return s^2 (n, n) = sum_j (gamma_ij + gamma_i'j) / (r m^2), 0 on the diagonal."""
    own = gamma.sum(axis=1) / (r * gamma.shape[1] ** 2)
    return np.where(np.eye(len(own), dtype=bool), 0.0, own[:, None] + own)


def mean_square_errors(case: tuple[np.ndarray, ...], r: int) -> np.ndarray:
    """Return E (D_ii' - Delta_ii')^2 (n, n) under c = 1/m, by enumeration."""
    weight, means = enumerated(case, r)
    found = stacked_distances(means[..., None])
    delta = stacked_distances(law_moments(case)[0][..., None])
    return np.tensordot(weight, np.square(found - delta), axes=1)


def mean_square(share: float, setting: Setting) -> Evidence:
    """Largest E (D - Delta)^2 / (share s^2) over pairs of two-point laws, n = 2, m <= 3, r <= 2."""
    from hypothesis import strategies as st

    def ratio(drawn):
        case, r = drawn
        bound = pair_noise(law_moments(case)[1], r)
        return float((mean_square_errors(case, r) / (share * bound + 1e-12)).max())

    laws = st.integers(1, 3).flatmap(lambda m: st.tuples(two_point_laws(2, m), st.integers(1, 2)))
    says = "E (D - Delta)^2 / (sum_j (gamma_ij + gamma_i'j) / (r m^2)) over two-point laws, every sample counted"
    return largest_ratio(laws, ratio, setting, says=says, quick=200, full=3000)


def _along_the_path(in_r: float, setting: Setting) -> Evidence:
    """||D - Delta||_F at (m, r) = (4, 10^4) and (400, 10^10), gamma = m r^in_r."""
    found = []
    for m, r in ((4, 1e4), (400, 1e10)):
        base = dk.Design(n=3, m=1, p=2, spectrum=(4.0, 1.0), gamma=r**in_r, seed=24, normalisation="m")
        population = dk.GrowingDesign(base, gamma_in_m=1.0).population(3, m)
        errors = growing_errors(population, np.random.default_rng(setting.integer_seed(f"{m}")), REPLICATES, r)
        d = stacked_distances(np.asarray(population.mean) + errors)
        found.append(np.linalg.norm(d - a24_a1.delta_of(population), axis=(1, 2)))
    # At Delta > 0 the error is of the order of sqrt(gamma / (m^2 r)), less than s.
    growth = (400 * 1e10) / (4 * 1e4)
    says = "||D - Delta||_F, gamma = m, (m, r) = (4, 10^4) and (400, 10^10)"
    return monte_carlo.falls_as(found[0], found[1], growth, says=says)


# -- the printed tail bound -------------------------------------------------------------------------------------------


def _tail_cases(generator: random.Random, count: int):
    """Yield laws (step, p) of the m answers of one model, r, and a threshold of ||E_i||_F^2; scales 10^-3 to 10^3."""
    for number in range(count):
        m, r = generator.randint(1, 3), generator.randint(1, 2)
        scale = Fraction(10) ** generator.randint(-3, 3)
        if number % 3 == 0:
            # Every answer is mu +- a, r = 1: ||E_i|| never varies.
            a, r = scale * generator.randint(1, 6), 1
            yield [(2 * a, Fraction(1, 2))] * m, r, m * a * a
        else:
            laws = [(scale * generator.randint(0, 5), Fraction(generator.randint(1, 9), 10)) for _ in range(m)]
            yield laws, r, scale * scale * Fraction(generator.randint(1, 40), 4)


def tail(laws: list[tuple[Fraction, Fraction]], r: int, square: Fraction) -> tuple[Fraction, Fraction]:
    """Return P(||E_i||_F^2 >= square) and sum_j gamma_ij exactly, for answers of two values ``step`` apart."""
    total = Fraction(0)
    for counts in itertools.product(range(r + 1), repeat=len(laws)):
        weight, length = Fraction(1), Fraction(0)
        for k, (step, p) in zip(counts, laws, strict=True):
            weight *= math.comb(r, k) * p**k * (1 - p) ** (r - k)
            length += (step * (Fraction(k, r) - p)) ** 2
        total += weight * (length >= square)
    return total, sum((step * step * p * (1 - p) for step, p in laws), Fraction(0))


def _chebyshev(case: tuple[int, int], setting: Setting) -> Evidence:
    """m^power P(c ||E_i||_F >= eps) against the printed bound, c^2 = m^(-squared), exactly; >= for >, which is more."""
    squared, power = case

    def pairs():
        for laws, r, square in _tail_cases(random.Random(setting.integer_seed()), setting.size(150, 1500)):
            m = len(laws)
            probability, gamma = tail(laws, r, square)
            yield m**power * probability, gamma / (r * m * (square / m**squared))

    says = f"m^{power} P(c ||E_i||_F >= eps) <= sum_j gamma_ij / (r m eps^2), c^2 = m^-{squared}, slack 1 attained"
    return exact_equalities(pairs(), says, relation="upper")


def _ten_queries(share: Fraction, setting: Setting) -> Evidence:
    """P(c ||E_i||_F >= eps) = 1 for answers mu +- a at ten queries, r = 1, eps = a / sqrt(10), against the bound."""

    def pairs():
        for exponent in range(-3, setting.size(4, 7)):
            a = Fraction(10) ** exponent
            probability, gamma = tail([(2 * a, Fraction(1, 2))] * 10, 1, 10 * a * a)
            yield probability, share * gamma / (10 * (10 * a * a / 10**2))

    says = "P(c ||E_i||_F >= eps) against the printed bound, answers mu +- a, ten queries: slack 10"
    return exact_equalities(pairs(), says, relation="upper")


def _attained(share: float, setting: Setting) -> Evidence:
    """P(||E_i||_F / sqrt(m) >= eps) = 1 for answers mu +- a, r = 1, eps = a, against share times the package's bound.

    Powers of two, so that floating point is exact.
    """

    def pairs():
        for exponent in range(-3, setting.size(4, 7)):
            for m in (1, 2, 4, 8):
                a = Fraction(2) ** exponent
                probability, gamma = tail([(2 * a, Fraction(1, 2))] * m, 1, m * a * a)
                bound = dk.a24_mean_error_tail(np.full((1, m), float(gamma / m)), 1, float(a))
                yield probability, Fraction(share * float(bound[0]))

    return exact_equalities(pairs(), "the package's bound under c = 1/sqrt(m) is attained by answers mu +- a at r = 1")


def _coverage(share: float, setting: Setting) -> Evidence:
    """Coverage on digits and mixtures at r = 1000, where the package's bound, times ``share``, is 1/5."""
    inside, r = [], 1000.0
    for name, population in (("digits", cases.digits_population()), ("mixture", cases.mixture_population())):
        unit = dk.a24_mean_error_tail(population.gamma, r, 1.0)
        eps = np.sqrt(5 * share * np.asarray(unit))
        errors = cases.mean_errors(population, setting.key(name), REPLICATES, r)
        lengths = A24.scale(errors.shape[2]) * np.linalg.norm(errors.reshape(*errors.shape[:2], -1), axis=-1)
        inside += (lengths <= eps).sum(axis=0).tolist()
    return monte_carlo.success_rate(
        min(inside),
        REPLICATES,
        0.8,
        0.5,
        relation="coverage",
        says="P(c ||X_i - mu_i||_F <= eps) where the bound of the rest is 1/5, worst model of digits and mixtures",
        named="coverage 1/2 of one model",
        among=len(inside),
    )


def _slack_curve():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    m = 2.0 ** np.arange(0, 11)
    axes.loglog(m, m, "o-", label="c = 1/m, as printed")
    axes.loglog(m, np.ones_like(m), "s-", label="c = 1/sqrt(m)")
    axes.set(xlabel="queries m", ylabel="printed bound / Chebyshev's bound")
    figure.legend(loc="outside lower left")
    return figure


PATH = Witness(
    "three models, means growing like sqrt(m) per query, gamma like m, r like m^3", a24_a1.growing_path, a24_a1.apart
)
_DIGITS = Witness(
    "mixtures fitted to handwritten digits, ten queries",
    cases.digits_population,
    lambda w: bool(w.gamma.min() > 0) and w.shape[1] > 1,
)
_TAIL = r"P\big(c\,\|X_i-\mu_i\|_F>\varepsilon\big)\le\frac{\sum_j\gamma_{ij}}{r\,m\,\varepsilon^2}"

CLAIMS = (
    Claim(
        id="A24-T2",
        title="D tends to the limit of Delta when (1/m) sum gamma / r tends to 0",
        source=SOURCE,
        form="as-printed",
        reading="c = 1/m, e = 1, n fixed, m and r along any path; in the class of bounded g the limit is 0",
        statement=r"\tfrac1m\sum_j\gamma_{ij}/r\to0\ \forall i\ \Rightarrow\ \|D-\Delta_\infty\|_F\xrightarrow{P}0",
        hypotheses=(a24_a1.GROWING, a24_a1.LIMIT, a24_a1.CONDITION),
        witness=PATH,
        checks=(
            Check("mean-square", mean_square, 1.0, 0.5, "the bound of the mean square halved"),
            Check("along-a-path", _along_the_path, 0.0, 1.0, "gamma grows like m r, so that the noise of D stays"),
        ),
        recorded="holds",
    ),
    Claim(
        id="A24-T2/proof-bound",
        title="The tail bound printed in the proof holds, m times too large",
        source=SOURCE,
        form="as-printed",
        reading="c = 1/m as printed; slack at least m, and exactly m for answers mu +- a at r = 1",
        statement=_TAIL + r",\quad c=1/m",
        hypotheses=(cases.INDEPENDENT, cases.TWO_MOMENTS),
        witness=_DIGITS,
        checks=(
            Check("slack-at-least-m", _chebyshev, (2, 1), (2, 2), "one more factor m in the slack"),
            Check("ten-queries", _ten_queries, Fraction(1), Fraction(1, 11), "the bound divided by 11"),
            Check("coverage", _coverage, 1.0, 1e-2, "the bound a hundred times smaller"),
        ),
        recorded="holds",
        drawings=(
            Drawing(
                _slack_curve,
                "How much larger the printed bound is than Chebyshev's inequality: m times under the printed c = 1/m.",
            ),
        ),
    ),
    Claim(
        id="A24-T2/proof-bound-sqrt-m",
        title="With c = 1/sqrt(m) the printed tail bound is Chebyshev's inequality",
        source=SOURCE,
        form="as-printed",
        reading="charitable: the formula as printed, read with c = 1/sqrt(m); slack 1 is attained",
        statement=_TAIL + r",\quad c=1/\sqrt m",
        hypotheses=(cases.INDEPENDENT, cases.TWO_MOMENTS),
        witness=_DIGITS,
        checks=(
            Check("chebyshev", _chebyshev, (1, 0), (1, 1), "the factor m of c = 1/m claimed for c = 1/sqrt(m)"),
            Check("attained", _attained, 1.0, 0.875, "an eighth less"),
        ),
        recorded="holds",
    ),
)
