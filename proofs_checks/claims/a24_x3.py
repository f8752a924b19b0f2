r"""A24-X3 "n may grow arbitrarily fast", and A24-X4 "a finite vocabulary bounds gamma".

Setting. That of A24-T2 with n growing: c = 1/m, e = 1, E = X - mu, s_ii'^2 = sum_j (gamma_ij + gamma_i'j) / (r m^2).
For A24-X4: an answer is a string over finitely many tokens, g a function of it, gamma = E ||g||^2 - ||E g||^2.
Statements. A24-X3: under T2's condition n may grow arbitrarily fast. A24-X4: a finite vocabulary bounds gamma.
Hypotheses. Two moments; gamma <= gamma_0 for all models and queries (X3).
Constants. Mean over the n^2 pairs of E (D - Delta)^2 <= 2 gamma_0 / (m r) (X3). gamma <= R^2 for ||g|| <= R, attained
at +-R with probability 1/2 each (X4).
Relation. Convergence in probability; upper bounds.
Reference. Acharyya, Trosset, Priebe, Helm (2024), arXiv:2409.17308.

Readings of X3.
1. A24-X3/pointwise: D_ii' - Delta_ii' for each fixed pair. Holds: E (D - Delta)^2 <= s^2 knows no n.
2. A24-X3/average: the mean over all pairs of (D - Delta)^2. Holds, with the constant above, which s_ii'^2 <= 2 gamma_0
   / (m r) gives at once. This is what continuous embeddings need (A24-L2/set). One gamma_0 for all models is part of
   it: see A24-T5/each-model.
3. A24-X3/frobenius: ||D - Delta||_F, as A24-T2 prints it, with n -> infinity. Refuted: for equal means E ||D||_F^2 = 2
   n (n - 1) gamma / (m r), n^2 times what a pair has, which for n = sqrt(m r) tends to 2 gamma while T2's condition
   gamma / r tends to 0; for n growing faster it has no bound. ||D||_F^2 = 2n sum_i ||E_i - mean E||^2 / m^2 is all but
   a sum of n independent terms and, with bounded kurtosis, near its mean: for Gaussian answers on the line it is a
   multiple of a chi-squared with (n - 1) m degrees of freedom, whose relative variance is 2 / ((n - 1) m). The divisor
   n^2 of reading 2 repairs it.

Readings of X4.
4. A24-X4 as printed, strings of any length: refuted. One token, length 2^k with probability 3/4^k, k = 1, 2, ..., g the
   sum of token embeddings, that is the length: the mean is 3, and the k-th term of E g^2 is 4^k 3/4^k = 3, so the first
   K terms give 3K and gamma is infinite. A vocabulary bounds the embedding of a token, not of a text.
5. A24-X4/bounded: g bounded by R: gamma <= E ||g||^2 <= R^2 (Popoviciu). Holds, for the mean of token embeddings at any
   length, R the largest embedding, and for the sum of at most L tokens with L R.
"""

from __future__ import annotations

import itertools
import random
from fractions import Fraction
from typing import Any

import numpy as np

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.claims import a24_t2
from proofs_checks.claims.a24_t4 import ALL_GROW, SIZES
from proofs_checks.claims.a24_x2 import stays_positive
from proofs_checks.evidence import monte_carlo
from proofs_checks.evidence.certified import exact_equalities
from proofs_checks.evidence.search import largest_ratio

SOURCE = "A24, remarks on its theorems"
REPLICATES = 1000


def _mean_over_pairs(share: float, setting: Setting) -> Evidence:
    """Mean over the n^2 pairs of E (D - Delta)^2 over share 2 gamma_0 / (m r), gamma_0 the largest gamma, r = 1."""

    def ratio(case):
        gamma = a24_t2.law_moments(case)[1]
        bound = 2 * gamma.max() / gamma.shape[1]
        return float(a24_t2.mean_square_errors(case, 1).mean() / (share * bound + 1e-12))

    from hypothesis import strategies as st

    laws = st.sampled_from([(2, 1), (3, 1), (6, 1), (3, 2), (5, 2)]).flatmap(lambda size: a24_t2.two_point_laws(*size))
    says = "mean over all pairs of E (D - Delta)^2 / (2 gamma_0 / (m r)), two-point laws, every outcome counted"
    return largest_ratio(laws, ratio, setting, says=says, quick=250, full=3000)


def _growing_n(averaged: bool, setting: Setting) -> Evidence:
    """Root mean square of D - Delta over pairs at (n, m, r) = (4, 4, 10) and (256, 8, 1000), equal means, gamma = 1.

    The broken twin takes the Frobenius norm.
    """
    generator, found = np.random.default_rng(setting.integer_seed()), []
    for n, m, r in ((4, 4, 10.0), (256, 8, 1000.0)):
        totals = []
        for _ in range(REPLICATES):
            errors = generator.standard_normal((n, m)) / np.sqrt(r)
            # sum over pairs of ||E_i - E_i'||^2 = 2 n sum_i ||E_i - mean E||^2.
            totals.append(2 * n * np.square(errors - errors.mean(axis=0)).sum() / m**2)
        found.append(np.sqrt(np.array(totals) / (n**2 if averaged else 1)))
    says = "root mean square of D - Delta over all pairs, equal means, (n, m, r) = (4, 4, 10) and (256, 8, 1000)"
    return monte_carlo.falls_as(found[0], found[1], 8 * 1000 / (4 * 10), says=says)


def _first_pair(last_gamma: bool, setting: Setting) -> Evidence:
    """|D_12 - Delta_12| of equal means at (n, m, r) = (4, 4, 4) and (10^6, 64, 64); the twin: gamma grows like n."""
    generator, found = np.random.default_rng(setting.integer_seed()), []
    for n, m, r in ((4, 4, 4), (10**6, 64, 64)):
        gamma = float(n) if last_gamma else 1.0
        gap = np.sqrt(2 * gamma / r) * generator.standard_normal((REPLICATES, m))
        found.append(np.sqrt(np.square(gap).sum(axis=1)) / m)
    says = "|D - Delta| of models 1 and 2 with equal means, gamma = 1, (n, m, r) = (4, 4, 4) and (10^6, 64, 64)"
    return monte_carlo.falls_as(found[0], found[1], 64 * 64 / 16, says=says)


def frobenius_by_counting(n: int, m: int) -> tuple[Fraction, Fraction]:
    """Return E ||D||_F^2 for answers +-1 at r = 1 and equal means, every outcome counted, and 2 n (n - 1) / m."""
    total, count = Fraction(0), 0
    for signs in itertools.product((-1, 1), repeat=n * m):
        rows = [signs[i * m : (i + 1) * m] for i in range(n)]
        total += sum(Fraction(sum((x - y) ** 2 for x, y in zip(a, b, strict=True)), m**2) for a in rows for b in rows)
        count += 1
    return total / count, Fraction(2 * n * (n - 1), m)


def _frobenius(root: int) -> Any:
    """E ||D||_F^2 = 2 n (n - 1) gamma / (m r) at n^root = m r, and T2's condition gamma / r, as m = r grow."""

    def sides():
        import sympy

        m, gamma = sympy.symbols("m gamma", positive=True)
        r, n = m, m ** sympy.Rational(2, root)
        counted = [frobenius_by_counting(*size) for size in ((2, 1), (2, 3), (3, 2), (4, 2))]
        pairs = [tuple(sympy.Rational(x.numerator, x.denominator) for x in pair) for pair in counted]
        return (
            "gamma / r -> 0, and E ||D||_F^2 = 2 n (n - 1) gamma / (m r) at n = sqrt(m r) does not",
            [
                *pairs,
                (sympy.limit(gamma / r, m, sympy.oo), sympy.Integer(0)),
                (sympy.limit(2 / ((n - 1) * m), m, sympy.oo), sympy.Integer(0)),  # relative variance of ||D||_F^2
            ],
            sympy.limit(sympy.expand(2 * n * (n - 1) * gamma / (m * r)), m, sympy.oo),
        )

    return sides


# -- A24-X4: one token, or a few --------------------------------------------------------------------------------------


def _one_token(summed: bool) -> Any:
    """E g^2 over the first R lengths 2^k, P = 3/4^k, minus R, for any bound R; the twin's g is the mean embedding."""

    def sides():
        import sympy

        k, bound = sympy.symbols("k R", positive=True, integer=True)
        chance = 3 / sympy.Integer(4) ** k
        length = 2**k if summed else sympy.Integer(1)
        total = sympy.summation(chance, (k, 1, sympy.oo))
        mean = sympy.summation(sympy.simplify(length * chance), (k, 1, sympy.oo))
        partial = sympy.summation(sympy.simplify(length**2 * chance), (k, 1, bound))
        return (
            "probabilities add up to 1, the mean is 3, and the first R terms of E g^2 exceed R, whatever R, by 2R",
            [(total, sympy.Integer(1)), (mean, sympy.Integer(3 if summed else 1))],
            partial - bound,
        )

    return sides


def text_gamma(tokens: list[list[Fraction]], law: dict[tuple[int, ...], Fraction], *, mean: bool) -> Fraction:
    """Return gamma of g = mean, or sum, of token embeddings under a law of strings of tokens."""
    first, square = [Fraction(0)] * len(tokens[0]), Fraction(0)
    for string, weight in law.items():
        total = [sum((tokens[t][a] for t in string), Fraction(0)) for a in range(len(first))]
        g = [x / len(string) for x in total] if mean else total
        first = [x + weight * y for x, y in zip(first, g, strict=True)]
        square += weight * sum((y * y for y in g), Fraction(0))
    return square - sum((x * x for x in first), Fraction(0))


def _texts(case: tuple[bool, Fraction], setting: Setting) -> Evidence:
    """Gamma of random laws on strings of one to three of two tokens, against (R or L R)^2 times a share, exactly."""
    mean, share = case
    generator = random.Random(setting.integer_seed())

    def pairs():
        for number in range(setting.size(60, 600)):
            longest = generator.randint(1, 3)
            if number % 4 == 0:
                # Two opposite strings of the greatest length: the bound is attained.
                x = Fraction(generator.randint(1, 9))
                tokens, strings, weights = [[x], [-x]], [(0,) * longest, (1,) * longest], [Fraction(1)] * 2
            else:
                tokens = cases.rational_matrix(generator, 2, 2)
                strings = [s for size in range(1, longest + 1) for s in itertools.product((0, 1), repeat=size)]
                weights = [Fraction(generator.randint(0, 5)) for _ in strings]
                weights[0] += 1
            law: dict[tuple[int, ...], Fraction] = {
                s: w / sum(weights, Fraction(0)) for s, w in zip(strings, weights, strict=True)
            }
            radius = max(sum((x * x for x in token), Fraction(0)) for token in tokens)
            yield text_gamma(tokens, law, mean=mean), share * radius * (1 if mean else longest**2)

    says = f"gamma <= {'R^2, g the mean' if mean else '(L R)^2, g the sum of at most L'} of token embeddings, attained"
    return exact_equalities(pairs(), says, relation="upper")


def _three_norms():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    n = 2.0 ** np.arange(1, 12)
    axes.loglog(n, 2 * n * (n - 1) / n, "o-", label="E‖D − Δ‖²_F, summed over pairs")
    axes.loglog(n, 2 * (n - 1) / n**2, "s-", label="mean over pairs")
    axes.loglog(n, 1 / np.sqrt(n), lw=0.8, label="T2's condition γ / r")
    axes.set(xlabel="models n, with m = r = √n", ylabel="γ = 1, equal means")
    figure.legend(loc="outside lower left")
    return figure


def _partial_sums():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    k = np.arange(1, 21)
    axes.plot(k, np.cumsum(3.0 / 2**k), "o-", lw=0.8, label="E g")
    axes.plot(k, 3 * k, "s-", lw=0.8, label="E g²")
    axes.set(xlabel="terms of the sum, lengths up to 2^k", ylabel="partial sum")
    figure.legend(loc="outside lower left")
    return figure


_SIZES = Witness(
    "gamma = 1, (n, m, r) = (4, 2, 2), (256, 16, 16), (4096, 64, 64)",
    lambda: SIZES,
    lambda sizes: sizes[-1][0] >= sizes[-1][1] * sizes[-1][2],
)
_BOUNDED_GAMMA = Hypothesis(
    "(1/m) sum_j gamma_ij / r = 1 / r -> 0 for every i, gamma <= 1", lambda sizes: sizes[-1][2] > 30 * sizes[0][2]
)
_CONDITION = r"\sup\gamma<\infty,\ r\to\infty\ \Rightarrow\ "

CLAIMS = (
    Claim(
        id="A24-X3/pointwise",
        title="n may grow arbitrarily fast: each fixed pair",
        source=SOURCE,
        form="as-printed",
        reading="D_ii' - Delta_ii' for each fixed pair of models",
        statement=_CONDITION
        + r"D_{ii'}-\Delta_{ii'}\xrightarrow{P}0\text{ for each fixed }i,i'\text{, for every }n(m,r)",
        hypotheses=(ALL_GROW, _BOUNDED_GAMMA),
        witness=_SIZES,
        checks=(
            Check("mean-square", a24_t2.mean_square, 1.0, 0.5, "the bound of the mean square halved"),
            Check("first-pair", _first_pair, False, True, "gamma grows like n"),
        ),
        recorded="holds",
    ),
    Claim(
        id="A24-X3/average",
        title="n may grow arbitrarily fast: the mean over all pairs",
        source=SOURCE,
        form="repaired",
        reading="the mean over all pairs of (D - Delta)^2, one bound of gamma for all models",
        statement=r"\tfrac1{n^2}\,\mathbb E\|D-\Delta\|_F^2\le\frac{2\sup\gamma}{m\,r}",
        hypotheses=(ALL_GROW, _BOUNDED_GAMMA),
        witness=_SIZES,
        checks=(
            Check("mean-over-pairs", _mean_over_pairs, 1.0, 0.25, "the constant 2 replaced by 1/2"),
            Check("growing-n", _growing_n, True, False, "the Frobenius norm instead of the mean over pairs"),
        ),
        recorded="holds",
    ),
    Claim(
        id="A24-X3/frobenius",
        title="n may grow arbitrarily fast: the Frobenius norm of D - Delta",
        source=SOURCE,
        form="as-printed",
        reading="the norm that theorem 2 prints, now with n -> infinity",
        statement=_CONDITION + r"\|D-\Delta\|_F\xrightarrow{P}0\text{ for every }n(m,r)",
        hypotheses=(ALL_GROW, _BOUNDED_GAMMA),
        witness=_SIZES,
        checks=(Check("all-pairs", stays_positive, _frobenius(2), _frobenius(4), "n = (m r)^(1/4) for (m r)^(1/2)"),),
        recorded="refuted",
        repair="A24-X3/average",
        drawings=(
            Drawing(
                _three_norms, "With n = m r models the sum over pairs grows without bound, the mean over pairs falls."
            ),
        ),
    ),
    Claim(
        id="A24-X4",
        title="A finite vocabulary bounds gamma",
        source=SOURCE,
        form="as-printed",
        reading="texts of any length; g the sum of token embeddings (or any g not bounded over texts)",
        statement=r"\#\text{tokens}<\infty\ \Rightarrow\ \gamma<\infty",
        hypotheses=(
            Hypothesis("finitely many tokens", lambda law: law[0] < 10),
            Hypothesis("probabilities add up to 1", lambda law: abs(float(sum(law[1])) - 1) < 1e-9),
            Hypothesis(
                "the mean of g is finite", lambda law: float(sum(p * 2**k for k, p in enumerate(law[1], 1))) < 3.001
            ),
        ),
        witness=Witness(
            "one token, length 2^k with probability 3/4^k (60 of these)",
            lambda: (1, [Fraction(3, 4**k) for k in range(1, 61)]),
            lambda law: float(sum(p * 4**k for k, p in enumerate(law[1], 1))) > 100,
        ),
        checks=(Check("one-token", stays_positive, _one_token(True), _one_token(False), "the mean of the embeddings"),),
        recorded="refuted",
        repair="A24-X4/bounded",
        drawings=(
            Drawing(
                _partial_sums,
                "One token, length 2^k with probability 3/4^k: the mean length is 3, its square has no finite mean.",
            ),
        ),
    ),
    Claim(
        id="A24-X4/bounded",
        title="A bounded embedding bounds gamma by its square",
        source=SOURCE,
        form="repaired",
        reading="||g|| <= R: the mean of token embeddings at any length, or the sum of at most L tokens with L R",
        statement=r"\|g\|\le R\ \Rightarrow\ \gamma\le R^2",
        hypotheses=(
            cases.INDEPENDENT,
            Hypothesis("||g|| <= 1", lambda w: bool(np.linalg.norm(np.asarray(w.table), axis=-1).max() <= 1)),
        ),
        witness=Witness(
            "answers 0 or 1",
            lambda: dk.bernoulli(np.array([[0.5, 0.25], [0.75, 0.5]])),
            lambda w: bool(np.asarray(w.gamma).min() > 0),
        ),
        checks=(
            Check("mean-of-tokens", _texts, (True, Fraction(1)), (True, Fraction(1, 2)), "half of R^2"),
            Check("sum-of-tokens", _texts, (False, Fraction(1)), (False, Fraction(1, 2)), "half of (L R)^2"),
        ),
        recorded="holds",
    ),
)
