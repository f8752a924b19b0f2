r"""A24-X1: "m may grow arbitrarily fast", and whether more queries help more than more replicates.

Setting. c = 1/m, e = 1, D and Delta of two models, E D^2 = Delta^2 + sum_j (gamma_ij + gamma_i'j) / (r m^2) (DK-M1).
Homogeneous designs: one gamma, one squared distance delta^2 of the means, for all queries, so that Delta^2 = delta^2 /
m and E D^2 - Delta^2 = 2 gamma / (m r).
Statements (A24, discussion of its figures 1 to 3). If gamma is bounded, m may grow arbitrarily fast. More queries help
more than more replicates.
Hypotheses. Two moments; bounded gamma; in what follows homogeneous designs, where doubling m changes nothing else.
Constants. As stated.
Relation. Limit; comparison of the error at (2m, r) with that at (m, 2r).
Reference. Acharyya, Trosset, Priebe, Helm (2024), arXiv:2409.17308. What "help" means is not said; readings follow.

Readings.
1. A24-X1: T2's condition is at most sup gamma / r, in which m does not occur, so any m(r) will do. Holds; s^2 <= 2 sup
   gamma / (m r) even falls as m grows. But if g itself is bounded, Delta <= 2R / sqrt(m) falls too, and what D tends to
   is 0 (A24-A1/bounded).
2. A24-X1/queries: the error of D relative to Delta, as bias E D^2 / Delta^2 - 1. Refuted: it is 2 gamma / (r delta^2),
   without m. Doubling r halves it, doubling m does nothing. c = 1/m shrinks noise and signal alike. In absolute terms,
   E D^2 - Delta^2 = 2 gamma / (m r), the two help equally (the broken twin).
3. A24-X1/budget: the bias removed (DK-M1), the variance of the debiased D^2 relative to Delta^4 at m r answers.
   Refuted: with v(r) = 4 delta'(Sigma + Sigma') delta / r + 2 (tr Sigma^2 + tr Sigma'^2) / (r(r - 1)) + 4 tr(Sigma
   Sigma') / r^2 it is v(r) / (m delta^4). The first term depends on m r alone. The others are smaller at (m, 2r) than
   at (2m, r): replicates help more, though by terms of the order of 1 / (m r^2).
4. A24-X1/absolute: the absolute error at large r. Holds: E (D - Delta)^2 ~ 2 delta' Sigma delta / (delta^2 m^2 r)
   (DK-M2): doubling m divides it by 4, doubling r by 2. But Delta^2 = delta^2 / m is halved with m: relative to it, m
   and r help equally. This is the reading under which the source's sentence is true, and it is true because the scale
   shrinks. (At fixed r and large m the bias of reading 2 takes over, and r helps more again.)
5. A24-X1/random-queries: queries drawn iid from a law, c = 1/sqrt(m), the target is the limit over queries, Delta_*^2 =
   E_q delta_q^2, the bias removed. Holds: E (D~^2 - Delta_*^2)^2 = {Var_q delta_q^2 + E_q v_q(r)} / m exactly, by the
   law of total variance. m divides all of it; what Var_q leaves, no r reduces. (2m, r) is at least as good as (m, 2r)
   when E v(r) - 2 E v(2r) <= Var_q delta_q^2, which is so for all large r if delta_q varies, the left side being
   O(r^-2).
"""

from __future__ import annotations

import itertools
import math
import random
from fractions import Fraction
from typing import Any

import numpy as np

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.claims import _a24_figures, a24_a1
from proofs_checks.evidence import monte_carlo
from proofs_checks.evidence.certified import exact_equalities
from proofs_checks.evidence.symbolic import identity

SOURCE = "A24, discussion of figures 1 to 3"

#: An answer: ``low`` or ``low + step``, the latter with probability ``p``.
Answer = tuple[Fraction, Fraction, Fraction]


def _answer(generator: random.Random, low: int) -> Answer:
    return Fraction(low), Fraction(generator.randint(1, 3)), Fraction(generator.randint(1, 7), 8)


def outcomes(one: Answer, two: Answer, r: int) -> list[tuple[Fraction, Fraction, Fraction]]:
    """Return (probability, square of the difference of means, its debiased form or 0 at r = 1), all samples counted."""
    found = []
    for first, second in itertools.product(range(r + 1), repeat=2):
        weight, means, traces = Fraction(1), [], Fraction(0)
        for k, (low, step, p) in ((first, one), (second, two)):
            weight *= math.comb(r, k) * p**k * (1 - p) ** (r - k)
            means.append(low + step * Fraction(k, r))
            traces += step * step * Fraction(k * (r - k), r * (r - 1)) if r > 1 else Fraction(0)
        square = (means[0] - means[1]) ** 2
        found.append((weight, square, square - traces / r if r > 1 else Fraction(0)))
    return found


def _square_of_means(one: Answer, two: Answer) -> Fraction:
    return (one[0] + one[1] * one[2] - two[0] - two[1] * two[2]) ** 2


def bias(one: Answer, two: Answer, m: int, r: int) -> tuple[Fraction, Fraction]:
    """Return E D^2 - Delta^2, absolute and relative to Delta^2, for m queries alike under c = 1/m."""
    mean = sum((weight * square for weight, square, _ in outcomes(one, two, r)), Fraction(0)) / m
    delta = _square_of_means(one, two) / m
    return mean - delta, (mean - delta) / delta


def _queries(relative: bool, setting: Setting) -> Evidence:
    """Bias at (2m, r) against bias at (m, 2r), exactly; the broken twin looks at the absolute one, which is equal."""
    generator = random.Random(setting.integer_seed())

    def pairs():
        for _ in range(setting.size(40, 400)):
            one, two = _answer(generator, 0), _answer(generator, generator.randint(4, 9))
            m, r = generator.randint(1, 9), generator.randint(1, 3)
            yield bias(one, two, 2 * m, r)[relative], bias(one, two, m, 2 * r)[relative]

    says = "E D^2 / Delta^2 - 1 at (2m, r) is at most that at (m, 2r)"
    return exact_equalities(pairs(), says, relation="upper")


def variance(one: Answer, two: Answer, r: int) -> Fraction:
    """Return the variance of the debiased square of one query, every sample counted."""
    found = outcomes(one, two, r)
    mean = sum((weight * value for weight, _, value in found), Fraction(0))
    return sum((weight * (value - mean) ** 2 for weight, _, value in found), Fraction(0))


def _formula(one: Answer, two: Answer, r: int) -> Fraction:
    """Return v(r) of reading 3 for p = 1."""
    a, b = (step * step * p * (1 - p) for _, step, p in (one, two))
    own, cross = 2 * (a * a + b * b) / (r * (r - 1)), 4 * a * b / r**2
    return 4 * _square_of_means(one, two) * (a + b) / r + own + cross


def _budget(complete: bool, setting: Setting) -> Evidence:
    """Relative variance of the debiased D^2 at (2m, r) against (m, 2r); the twin keeps only the term linear in 1/r."""
    generator = random.Random(setting.integer_seed())

    def pairs():
        for _ in range(setting.size(40, 400)):
            one, two = _answer(generator, 0), _answer(generator, generator.randint(4, 9))
            m, r, square = generator.randint(1, 9), generator.randint(2, 4), _square_of_means(one, two)
            gamma = sum((step * step * p * (1 - p) for _, step, p in (one, two)), Fraction(0))
            v = {k: variance(one, two, k) if complete else 4 * square * gamma / k for k in (r, 2 * r)}
            yield v[r] / (2 * m * square**2), v[2 * r] / (m * square**2)

    says = "Var of the debiased D^2 / Delta^4 at (2m, r) is at most that at (m, 2r)"
    return exact_equalities(pairs(), says, relation="upper")


def _random_queries(drawn: bool, setting: Setting) -> Evidence:
    """E (D~^2 - Delta_*^2)^2 over queries and samples, m = 1 and 2, r = 2, against its formula, exactly.

    The broken twin holds the queries fixed in the formula: no Var_q.
    """
    generator = random.Random(setting.integer_seed())

    def pairs():
        for _ in range(setting.size(12, 100)):
            kinds = [(_answer(generator, 0), _answer(generator, low)) for low in (generator.randint(0, 3), 6)]
            share = Fraction(generator.randint(1, 4), 5)
            shares, r, m = (share, 1 - share), 2, generator.randint(1, 2)
            squares = [_square_of_means(*kind) for kind in kinds]
            target = sum((w * square for w, square in zip(shares, squares, strict=True)), Fraction(0))
            single = [
                (w * weight, value)
                for w, kind in zip(shares, kinds, strict=True)
                for weight, _, value in outcomes(*kind, r)
            ]
            total = Fraction(0)
            for draw in itertools.product(single, repeat=m):
                weight = math.prod((w for w, _ in draw), start=Fraction(1))
                value = sum((x for _, x in draw), Fraction(0))
                total += weight * (value / m - target) ** 2
            spread = sum((w * (x - target) ** 2 for w, x in zip(shares, squares, strict=True)), Fraction(0))
            within = sum((w * _formula(*kind, r) for w, kind in zip(shares, kinds, strict=True)), Fraction(0))
            yield total, (drawn * spread + within) / m

    return exact_equalities(pairs(), "E (D~^2 - Delta_*^2)^2 = {Var_q delta_q^2 + E_q v_q(r)} / m, queries drawn")


def _queries_help_more(vary: bool, setting: Setting) -> Evidence:
    """Compare the error at (2m, r) with that at (m, 2r), queries of two kinds; in the broken twin they are alike."""
    generator = random.Random(setting.integer_seed())

    def pairs():
        for _ in range(setting.size(30, 300)):
            far = generator.randint(12, 20)
            kinds = [(_answer(generator, 0), _answer(generator, low)) for low in (6, far)]
            kinds = kinds if vary else [kinds[0]] * 2
            squares = [_square_of_means(*kind) for kind in kinds]
            spread, r = (squares[0] - squares[1]) ** 2 / 4, generator.randint(2, 3)
            within = {k: (variance(*kinds[0], k) + variance(*kinds[1], k)) / 2 for k in (r, 2 * r)}
            yield (spread + within[r]) / 2, spread + within[2 * r]

    says = "m times the error at (2m, r) is at most m times that at (m, 2r), queries drawn from two kinds"
    return exact_equalities(pairs(), says, relation="upper")


def _no_m(power: int) -> Any:
    """Return the condition with gamma <= gamma_0 m^power, and its limit when m grows like e^r."""

    def sides():
        import sympy

        m, r, bound = sympy.symbols("m r gamma_0", positive=True)
        condition, noise = m * bound * m**power / (m * r), 2 * m * bound * m**power / (r * m**2)
        return "(1/m) sum_j gamma_ij / r <= gamma_0 / r and s^2 <= 2 gamma_0 / (m r), m = e^r included", [
            (condition, bound / r),
            (sympy.limit(condition.subs(m, sympy.exp(r)), r, sympy.oo), sympy.Integer(0)),
            (noise, 2 * bound / (m * r)),
        ]

    return sides


def pair_errors(generator: np.random.Generator, size: int, m: float, r: float, gamma: float) -> np.ndarray:
    """Draw D - Delta (size,) for two models with delta = 1 per query, p = 1, Gaussian answers, by D's exact law."""
    s = 2 * gamma / r  # m^2 D^2 / s is noncentral chi-squared with m degrees of freedom, noncentrality m / s
    square = s / m**2 * generator.noncentral_chisquare(m, m / s, size)
    return (square - 1 / m) / (np.sqrt(square) + 1 / math.sqrt(m))


def _huge_m(power: int, setting: Setting) -> Evidence:
    """|D - Delta| at (m, r) = (10, 10) and (10^12, 20), gamma = m^power."""
    generator = np.random.default_rng(setting.integer_seed())
    before, after = (np.abs(pair_errors(generator, 1000, m, r, m**power)) for m, r in ((10.0, 10.0), (1e12, 20.0)))
    says = "|D - Delta| at (m, r) = (10, 10) and (10^12, 20), gamma = 1"
    return monte_carlo.falls_as(before, after, 2e11, says=says)


def _absolute(power: int, setting: Setting) -> Evidence:
    """m^power r (D - Delta)^2 / (2 delta' Sigma delta / delta^2) at m = 1, 4, 16, 64 and r = 10^10.

    delta = (3, 4), Sigma = [[1, 1], [1, 3]], so that delta' Sigma delta / delta^2 = 81/25, while trace Sigma = 4.
    """
    from dkps_theory.populations.designs import numpy_generator

    sizes, r, delta = (1, 4, 16, 64), 1e10, np.array([3.0, 4.0])
    root = np.array([[1.0, 0.0], [1.0, math.sqrt(2)]])  # root root' = Sigma

    def error(generator, size, m):
        # The difference of the two noises has covariance 2 Sigma / r.
        gaps = delta + math.sqrt(2 / r) * generator.standard_normal((size, m, 2)) @ root.T
        return np.linalg.norm(gaps.reshape(size, -1), axis=1) / m - 5 / math.sqrt(m)

    def draw(key, size):
        generator = numpy_generator(key)
        return np.stack([m**power * r * error(generator, size, m) ** 2 / (2 * 81 / 25) for m in sizes], axis=1)

    return monte_carlo.equal_means(
        draw,
        np.ones(4),
        np.full(4, 1.25),
        setting,
        says="m^2 r E (D - Delta)^2 = 2 delta' Sigma delta / delta^2, m = 1, 4, 16, 64, r = 10^10",
        named="a quarter more",
        quick=4000,
        full=20000,
    )


def _bernoulli_path() -> a24_a1.Path:
    """Two models, answers 0 or 1, m growing like e^r."""

    def coins(m):
        return dk.bernoulli(np.stack([np.full(m, 0.3), np.full(m, 0.8)]))

    return a24_a1.Path(tuple((coins(m), float(r)) for m, r in ((8, 2), (64, 4), (512, 6))))


def _homogeneous() -> Any:
    means = np.array([0.0, 1.0])[:, None, None, None] * np.ones((2, 4, 1, 1))
    return dk.GaussianMixture(np.ones((2, 4, 1)), means, np.ones((2, 4, 1)), covariance_type="spherical")


def _query_squares(witness: tuple[Any, int]) -> np.ndarray:
    """delta_q^2 of models 1 and 2 at each query."""
    mean = np.asarray(witness[0].mean)
    return np.square(mean[0] - mean[1]).sum(axis=1)


def _query_variances(witness: tuple[Any, int], times: int) -> np.ndarray:
    """v_q of models 1 and 2 at each query, at ``times`` r replicates."""
    population, r = witness[0], witness[1] * times
    delta = np.asarray(population.mean)[0] - np.asarray(population.mean)[1]
    one, two = np.asarray(population.covariance)[:2]
    linear = 4 * np.einsum("ja,jab,jb->j", delta, one + two, delta) / r
    own = 2 * (np.square(one) + np.square(two)).sum(axis=(1, 2)) / (r * (r - 1))
    return linear + own + 4 * (one * two).sum(axis=(1, 2)) / r**2


_ALIKE = Hypothesis(
    "one gamma and one distance of the means for all queries",
    lambda w: bool(np.ptp(w.gamma) == 0 and np.ptp(np.asarray(w.mean), axis=1).max() == 0),
)
_HOMOGENEOUS = Witness(
    "two models a unit apart at each of four queries, gamma = 1",
    _homogeneous,
    lambda w: bool(a24_a1.delta_of(w)[0, 1] > 0 and np.asarray(w.gamma).min() > 0),
)
_MODELS = (cases.INDEPENDENT, cases.TWO_MOMENTS, _ALIKE)

CLAIMS = (
    Claim(
        id="A24-X1",
        title="With bounded gamma, queries may grow arbitrarily fast",
        source=SOURCE,
        form="as-printed",
        reading="T2's condition holds whatever m does; where g is bounded too, D and Delta both tend to 0",
        statement=r"\sup\gamma<\infty,\ r\to\infty\ \Rightarrow\ \tfrac1m\sum_j\gamma_{ij}/r\to0\text{ for every }m(r)",
        hypotheses=(
            a24_a1.GROWING,
            Hypothesis("gamma <= 1/4", lambda path: all(np.max(w.gamma) <= 0.25 for w, _ in path.members)),
        ),
        witness=Witness(
            "two models with answers 0 or 1, m = 8, 64, 512 at r = 2, 4, 6",
            _bernoulli_path,
            lambda path: all(np.min(w.gamma) > 0.1 for w, _ in path.members),
        ),
        checks=(
            Check("no-m", identity, _no_m(0), _no_m(1), "gamma grows like m"),
            Check("huge-m", _huge_m, 0, 1, "gamma grows like m"),
        ),
        recorded="holds",
    ),
    Claim(
        id="A24-X1/queries",
        title="More queries help more than more replicates: relative error of D",
        source=SOURCE,
        form="as-printed",
        reading="error as bias of D^2 relative to Delta^2, homogeneous queries, c = 1/m (or any c)",
        statement=r"\tfrac{\mathbb E D^2}{\Delta^2}-1\text{ at }(2m,r)\ \le\ \text{at }(m,2r)",
        hypotheses=_MODELS,
        witness=_HOMOGENEOUS,
        checks=(Check("relative", _queries, True, False, "the absolute error, for which the two help equally"),),
        recorded="refuted",
        repair="A24-X1/random-queries",
        drawings=(
            Drawing(
                _a24_figures.two_ways,
                "Error of D relative to Delta, from four queries and four replicates on: more replicates bring it "
                "down, more queries leave its bias.",
            ),
        ),
    ),
    Claim(
        id="A24-X1/budget",
        title="More queries help more than more replicates: debiased, at a fixed number of answers",
        source=SOURCE,
        form="as-printed",
        reading="variance of the debiased D^2 relative to Delta^4, homogeneous queries, m r fixed",
        statement=r"\operatorname{Var}(\tilde D^2)/\Delta^4\text{ at }(2m,r)\ \le\ \text{at }(m,2r)",
        hypotheses=_MODELS,
        witness=_HOMOGENEOUS,
        checks=(Check("debiased", _budget, True, False, "only the term linear in 1/r, which depends on m r alone"),),
        recorded="refuted",
        repair="A24-X1/random-queries",
        drawings=(
            Drawing(
                _a24_figures.one_budget,
                "64 answers of each model, spent on replicates from left to right: the debiased D² gains by it, the "
                "more so the larger the noise.",
            ),
        ),
    ),
    Claim(
        id="A24-X1/absolute",
        title="More queries help more than more replicates: absolute error under c = 1/m at large r",
        source=SOURCE,
        form="as-printed",
        reading="charitable: absolute mean square error of D, r large; Delta itself falls like m^(-1/2) meanwhile",
        statement=r"\lim_{r\to\infty}r\,\mathbb E(D-\Delta)^2=\frac{2\,\delta^\top\Sigma\,\delta}{\|\delta\|^2\,m^2}",
        hypotheses=_MODELS,
        witness=_HOMOGENEOUS,
        checks=(Check("scaling", _absolute, 2, 1, "1/m for 1/m^2"),),
        recorded="holds",
    ),
    Claim(
        id="A24-X1/random-queries",
        title="More queries help more than more replicates when queries are a sample",
        source=SOURCE,
        form="repaired",
        reading="queries iid from a law, c = 1/sqrt(m), debiased, the target is the limit over queries; for (2m, r) "
        "against (m, 2r): r large enough that E v(r) - 2 E v(2r) <= Var_q delta_q^2",
        statement=r"\mathbb E(\tilde D^2-\Delta_*^2)^2=\tfrac1m\big\{\operatorname{Var}_q\delta_q^2+"
        r"\mathbb E_q v_q(r)\big\},\quad\Delta_*^2=\mathbb E_q\delta_q^2",
        hypotheses=(
            Hypothesis("delta_q varies over the law of queries", lambda w: bool(np.var(_query_squares(w)) > 0)),
            Hypothesis("r >= 2", lambda w: w[1] >= 2),
            Hypothesis(
                "E v(r) - 2 E v(2r) <= Var_q delta_q^2",
                lambda w: bool(
                    np.mean(_query_variances(w, 1) - 2 * _query_variances(w, 2)) <= np.var(_query_squares(w))
                ),
            ),
        ),
        witness=Witness(
            "two models on the digits' ten queries, one of them drawn at random each time, r = 2",
            lambda: (cases.digits_population(), 2),
            lambda w: bool(np.mean(_query_variances(w, 1)) > 0),
        ),
        checks=(
            Check("total-variance", _random_queries, True, False, "queries held fixed: Var_q left out"),
            Check("queries-help-more", _queries_help_more, True, False, "queries that do not vary"),
        ),
        recorded="holds",
    ),
)
