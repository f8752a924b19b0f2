r"""DK-M2/coincident: the limit law of the dissimilarity of models with equal means, and no Gaussian law for every pair.

Setting. As DK-M2, with mu_i = mu_i'; Z a centred Gaussian vector in R^(mp) with independent blocks of covariance S_j =
Sigma_ij + Sigma_i'j.
Statements. DK-M2/coincident: for e = 1, sqrt(r) D -> c ||Z||, the root of a weighted chi-square, in mean too.
DK-M2/coincident-half: for e = 1/2, r^(1/4) D -> c ||Z||^(1/2). DK-M2/every-pair: sqrt(r)(D - Delta) has a centred
Gaussian limit whether or not Delta > 0.
Hypotheses. Two moments; equal means in the first two.
Constants. As stated.
Relation. Equality in the limit.
Reference. Our own.

Derivation. D = c||E_i - E_i'||^e exactly, sqrt(r)(E_i - E_i') -> Z, and ||.||^e is continuous. For e = 1, E D^2 = c^2
sum_j tr S_j/r exactly, so sqrt(r) D is uniformly integrable and E D = c r^(-1/2) (E||Z|| + o(1)): the bias is of the
order of the error itself. With l_k the eigenvalues of the S_j, E||Z|| is 1/(2 sqrt pi) times the integral of
(1 - prod_k (1 + 2 t l_k)^(-1/2)) t^(-3/2) over t > 0, because E exp(-t||Z||^2) is that product. Where S_j = a_j I in
the plane, ||Z||^2 is a sum of exponential variables with means 2 a_j.

DK-M2/every-pair fails for the plainest law: answers +-1 with equal odds, m = p = c = 1. Then r D = |S|, S a sum of 2r
signs, E sqrt(r) D = 2 sqrt(r) binom(2r, r)/4^r -> 2/sqrt(pi), while E (sqrt(r) D)^2 = 2 makes sqrt(r) D uniformly
integrable: a centred Gaussian limit would force its mean to 0. (D >= 0 allows no such limit but the constant 0.)
"""

from __future__ import annotations

import functools

import numpy as np

import dkps_theory as dk
from dkps_theory.conventions import A25
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting
from proofs_checks.claims.dk_m2 import (
    LETTERS,
    SOURCE,
    R,
    drawn_errors,
    letters_population,
    limit_variance,
    noise_of_pair,
)
from proofs_checks.evidence import monte_carlo
from proofs_checks.evidence.symbolic import identity


@functools.cache
def coincident_mixtures():
    """Return the mixtures of the other claims with model 1 moved onto model 0 and given more noise."""
    population = cases.mixture_population()
    means = np.array(population.component_means)
    means[1] += (np.asarray(population.mean)[0] - np.asarray(population.mean)[1])[:, None]
    covariances = np.array(population.component_covariances)
    covariances[1] *= 3.0
    return dk.GaussianMixture(population.weights, means, covariances, population.covariance_type)


def mean_length(eigenvalues: np.ndarray) -> float:
    """E||Z|| for a centred Gaussian Z whose covariance has these eigenvalues, by one integral."""
    from scipy import integrate

    def integrand(u: float) -> float:
        # t = u^2, so that the integrand is bounded: dt t^(-3/2) = 2 du / u^2.
        return -2 * float(np.expm1(-0.5 * np.log1p(2 * u**2 * eigenvalues).sum())) / u**2

    parts = (integrate.quad(integrand, 1e-9, 1.0)[0], integrate.quad(integrand, 1.0, np.inf)[0])
    return float(sum(parts) / (2 * np.sqrt(np.pi)))


def square_law(spreads: np.ndarray, q: np.ndarray) -> np.ndarray:
    """P(||Z||^2 <= q) for blocks S_j = a_j I in the plane, the a_j distinct: a sum of exponentials with means 2 a_j."""
    others = [np.delete(spreads, j) for j in range(len(spreads))]
    weights = np.array([np.prod(a / (a - other)) for a, other in zip(spreads, others, strict=True)])
    return 1 - (weights[:, None] * np.exp(-q[None] / (2 * spreads[:, None]))).sum(axis=0)


def _coincident(case: tuple[dk.Convention, bool], setting: Setting) -> Evidence:
    """Law of sqrt(r) (D/c)^(1/e) at delta = 0 against ||Z||, at r = 10^10.

    Unless ``spread`` all noise is turned into one direction: a folded Gaussian with the same second moment.
    """
    from scipy import stats

    convention, spread = case
    mixtures, letters = coincident_mixtures(), letters_population()
    scale = convention.scale(3)
    eigenvalues = [np.linalg.eigvalsh(noise_of_pair(one, (0, 1))).ravel() for one in (mixtures, letters)]
    if not spread:
        eigenvalues = [np.array([one.sum()]) for one in eigenvalues]
    points = np.array([1.0, 3.0, 6.0])
    spreads = noise_of_pair(letters, (0, 1))[:, 0, 0]

    def moments(noise: float) -> np.ndarray:
        one, two = (noise * x for x in eigenvalues)
        below = square_law(noise * spreads, points) if spread else stats.chi2.cdf(points / two.sum(), 1)
        powers = [f(x) for x in (one, two) for f in (mean_length, np.sum, lambda x: x.sum() ** 2 + 2 * (x**2).sum())]
        return np.array([*powers, *below])

    def draw(key, size):
        import jax

        rows = []
        for population, own in zip((mixtures, letters), jax.random.split(key, 2), strict=True):
            means = np.asarray(population.mean)[None] + drawn_errors(population, own, size, R)
            length = np.sqrt(R) * (cases.dissimilarities_of_many(means, convention)[:, 0, 1] / scale) ** (
                1 / convention.exponent
            )
            rows += [length, length**2, length**4]
        return np.stack([*rows, *(rows[-2][:, None] <= points[None]).T], axis=1)

    return monte_carlo.equal_means(
        draw,
        moments(1.0),
        moments(0.9),
        setting,
        says=f"length, square, fourth power and distribution of the limit at delta = 0, e = {convention.exponent:g}",
        named="a tenth less noise",
        quick=2000,
        full=20000,
    )


def mean_of_coins(shift: int, factor: str = "1"):
    """Exact E sqrt(r)(D - Delta) of two coins +-1, means ``shift`` apart; factor times its limit is claimed to be 0."""

    def sides():
        import sympy

        pairs = []
        for r in range(1, 6):
            # r (X_1 - X_2) is r shift plus a sum of 2r signs, k of which are +1.
            error = [abs(r * shift + 2 * k - 2 * r) - r * shift for k in range(2 * r + 1)]
            total = sum(sympy.binomial(2 * r, k) * value for k, value in enumerate(error))
            pairs.append((total, 2 * r * sympy.binomial(2 * r, r) if shift == 0 else 0))
        limit = sympy.Integer(0)
        if shift == 0:
            # binom(2r, r)/4^r = Gamma(r + 1/2)/(sqrt(pi) Gamma(r + 1)).
            r = sympy.Symbol("r", positive=True)
            ratio = sympy.gamma(r + sympy.Rational(1, 2)) / sympy.gamma(r + 1) * sympy.sqrt(r)
            limit = 2 * sympy.limit(ratio, r, sympy.oo) / sympy.sqrt(sympy.pi)
        pairs.append((sympy.Rational(factor) * limit, sympy.Integer(0)))
        times = "" if factor == "1" else f"{factor} "
        return f"{times}E sqrt(r)(D - Delta) tends to 0, coins +-1 with means {shift} apart", pairs

    return sides


def _two_limits():
    from scipy import stats

    from dkps_theory.pages.figures import new_figure, styled

    key = Setting(0, "quick", "DK-M2/drawing").key()
    population, scale = letters_population(), dk.Convention().scale(3)
    mean = np.asarray(population.mean)
    d = cases.dissimilarities_of_many(mean[None] + drawn_errors(population, key, 4000, R), dk.Convention())

    @styled
    def draw():
        figure, panels = new_figure(height=5.0, rows=2)
        t = np.linspace(-3.5, 5.5, 400)
        spreads, step = noise_of_pair(population, (0, 1))[:, 0, 0], 1e-4
        below = [np.where(t + s > 0, square_law(spreads, np.maximum(t + s, 0) ** 2), 0.0) for s in (0, step)]
        sd = float(np.sqrt(limit_variance(mean[0] - mean[2], noise_of_pair(population, (0, 2)), dk.Convention())))
        for axes, values, density, name in (
            (panels[0], np.sqrt(R) * d[:, 0, 1] / scale, (below[1] - below[0]) / step, "coincident: law of ‖Z‖"),
            (panels[1], np.sqrt(R) * (d[:, 0, 2] - _delta(mean)) / sd, stats.norm.pdf(t), "apart: standard normal"),
        ):
            axes.hist(values, bins=60, range=(-3.5, 5.5), density=True, alpha=0.45)
            axes.plot(t, density, label=name)
            axes.legend(loc="upper right")
            axes.set(ylabel="density")
        panels[0].set(xlabel="√r D / c")
        panels[1].set(xlabel="√r (D − Δ) / standard deviation")
        return figure

    return draw()


def _coins():
    """Draw the law of sqrt(r) D of two coins +-1 with equal means, r = 10^8."""
    from scipy import stats

    from dkps_theory.pages.figures import new_figure, styled

    r, generator = 10**8, np.random.default_rng(Setting(0, "quick", "DK-M2/coins").integer_seed())
    values = np.abs(np.subtract(*generator.binomial(r, 0.5, size=(2, 20_000)))) * 2 / np.sqrt(r)

    @styled
    def draw():
        figure, (axes,) = new_figure()
        t = np.linspace(-4, 4, 400)
        axes.hist(values, bins=40, range=(0, 4), density=True, alpha=0.45)
        axes.plot(t, stats.norm.pdf(t, 0, np.sqrt(2)), label="Gaussian centred at 0, same second moment")
        axes.axvline(values.mean(), color="black", linewidth=0.9, linestyle="--", label="mean")
        axes.set(xlabel="√r D of two coins with equal means", ylabel="density")
        figure.legend(loc="outside lower left", ncols=2)
        return figure

    return draw()


def _delta(mean: np.ndarray) -> float:
    return float(cases.dissimilarities(mean)[0, 2])


_COINCIDENT = (
    cases.INDEPENDENT,
    cases.TWO_MOMENTS,
    Hypothesis("models 1 and 2 have equal means", lambda w: bool(np.all(w.mean[0] == w.mean[1]))),
)


CLAIMS = (
    Claim(
        id="DK-M2/coincident",
        title="The dissimilarity of coincident models is the root of a weighted chi-square, biased by its own order",
        source=SOURCE,
        form="own",
        reading="e = 1, any c; Z has independent Gaussian blocks of covariance Sigma_ij + Sigma_i'j",
        statement=r"\mu_i=\mu_{i'}:\ \sqrt r\,D_{ii'}\xrightarrow{d}c\|Z\|,\quad"
        r"\mathbb E D_{ii'}=\frac{c}{\sqrt r}(\mathbb E\|Z\|+o(1))",
        hypotheses=_COINCIDENT,
        witness=LETTERS,
        checks=(
            Check(
                "law",
                _coincident,
                (dk.Convention(), True),
                (dk.Convention(), False),
                "all noise in one direction: a folded Gaussian",
            ),
        ),
        recorded="holds",
        drawings=(
            Drawing(
                _two_limits,
                "Answers are letters, r = 10^10. Coincident models: D is the length of a Gaussian vector, away from 0. "
                "Models apart: a Gaussian around Delta.",
            ),
        ),
    ),
    Claim(
        id="DK-M2/coincident-half",
        title="With exponent one half it is the fourth root, at rate r^(-1/4)",
        source=SOURCE,
        form="own",
        reading="e = 1/2, any c; see A25-DEF/coincident for the exact fourth moment",
        statement=r"\mu_i=\mu_{i'}:\ r^{1/4}D_{ii'}\xrightarrow{d}c\|Z\|^{1/2}",
        hypotheses=_COINCIDENT,
        witness=LETTERS,
        checks=(Check("law", _coincident, (A25, True), (A25, False), "all noise in one direction: a folded Gaussian"),),
        recorded="holds",
    ),
    Claim(
        id="DK-M2/every-pair",
        title="The Gaussian limit without Delta > 0",
        source=SOURCE,
        form="own",
        reading="some centred Gaussian limit, of any variance, for every pair, e = 1",
        statement=r"\sqrt r\,(D_{ii'}-\Delta_{ii'})\xrightarrow{d}N(0,\sigma_{ii'}^2)\quad\text{for all }i,i'",
        hypotheses=(cases.INDEPENDENT, cases.TWO_MOMENTS),
        witness=LETTERS,
        checks=(
            Check(
                "coins", identity, mean_of_coins(0), mean_of_coins(2), "means 2 apart: D - Delta is the noise itself"
            ),
        ),
        recorded="refuted",
        repair="DK-M2",
        drawings=(
            Drawing(
                _coins, "Coins +-1, r = 10^8: D cannot be below Delta = 0, so no law centred there can be its limit."
            ),
        ),
    ),
)
