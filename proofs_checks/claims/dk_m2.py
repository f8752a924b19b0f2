r"""DK-M2: the limit law of the dissimilarity of two models apart, and its bias.

Setting. n, m fixed, iid replicates, D = c ||X_i - X_i'||_F^e with e = 1 or 1/2 and any c; delta = mu_i - mu_i' != 0,
S_j = Sigma_ij + Sigma_i'j.
Statements. DK-M2: for e = 1, sqrt(r)(D - Delta) -> N(0, (c^2/||delta||^2) sum_j delta_j' S_j delta_j).
DK-M2/exponent-half: for e = 1/2 the variance is c^2/(4 ||delta||^3) sum_j delta_j' S_j delta_j. DK-M2/bias: for e = 1,
r E(D - Delta) -> (c/(2||delta||)) {sum_j tr S_j - sum_j delta_j' S_j delta_j/||delta||^2}. DK-M2/bias-bound: for e = 1,
0 <= E D - Delta <= (c^2/(2 Delta r)) sum_j tr S_j at every r.
Hypotheses. Two moments; Delta_ii' > 0.
Constants. As stated.
Relation. Equality in the limit; bounds at every r.
Reference. Our own; coincident models are in DK-M2/coincident.

Derivation. With E = X - mu the central limit theorem gives sqrt(r)(E_i - E_i')_j -> Z_j, Gaussian with covariance S_j
and independent over j. x -> c||x||^e has the gradient c e ||delta||^(e-2) delta at delta != 0, and the delta method
gives the variance c^2 e^2 ||delta||^(2e-4) sum_j delta_j' S_j delta_j. It is 0 where the noise has no part along delta;
the limit is then the constant 0.
Bias. The remainder R = ||delta + x|| - ||delta|| - <delta, x>/||delta|| lies between 0 (a norm is convex) and
||x||^2/(2||delta||) (a square root is concave; attained at x = -2 delta), and E||E_i - E_i'||^2 = sum_j tr S_j/r, which
gives DK-M2/bias-bound. r||E_i - E_i'||^2 is uniformly integrable under two moments, so
r E R tends to the mean of the second order term (||Z||^2 - <delta, Z>^2/||delta||^2)/(2||delta||). The linear term has
mean 0 at every r. The bias is thus of order 1/r, below the error's r^(-1/2).
"""

from __future__ import annotations

import functools
import math

import numpy as np

import dkps_theory as dk
from dkps_theory.conventions import A24, A25
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Evidence, Hypothesis, Setting, Witness
from proofs_checks.evidence import monte_carlo
from proofs_checks.evidence.search import largest_ratio
from proofs_checks.evidence.symbolic import identity

SOURCE = "own"

#: Large enough that what is left of the limit (r^(-1/2)) is far below the Monte Carlo error.
R = 10**10

#: An answer of :func:`letters_population` is one of these five places.
TABLE = np.array([[0.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])

APART = ((0, 2), (2, 3), (4, 5))


@functools.cache
def letters_population():
    """Six models, three queries, an answer is one of five letters of the plane; models 0 and 1 have equal means.

    These two put mass q/4 on each of the four letters around the origin, so their mean is 0 and Sigma = (q/2) I.
    """
    q = np.array([[0.2, 0.5, 0.8], [0.3, 0.6, 0.9]])
    even = np.stack([1 - q, *[q / 4] * 4], axis=-1)
    weights = np.random.default_rng(20).dirichlet(np.full(5, 2.0), size=(4, 3))
    return dk.Categorical(np.concatenate([even, weights]), TABLE)


def letter_errors(population, key, size: int, r: int) -> np.ndarray:
    """Errors of the means of r letters, (size, n, m, 2), from multinomial counts."""
    import jax

    generator = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    weights = np.asarray(population.probabilities)
    counts = generator.multinomial(r, weights, size=(size, *weights.shape[:2]))
    return (counts / r - weights[None]) @ TABLE


def drawn_errors(population, key, size: int, r: int) -> np.ndarray:
    """Errors of the means of r answers, (size, n, m, p)."""
    sampler = letter_errors if isinstance(population, dk.Categorical) else cases.mean_errors
    return sampler(population, key, size, r)


def noise_of_pair(population, pair) -> np.ndarray:
    """S_j = Sigma_ij + Sigma_i'j, (m, p, p)."""
    covariance = np.asarray(population.covariance)
    return covariance[pair[0]] + covariance[pair[1]]


def along(delta: np.ndarray, noise: np.ndarray) -> float:
    """sum_j delta_j' S_j delta_j."""
    return float(np.einsum("ja,jab,jb->", delta, noise, delta))


def limit_variance(delta: np.ndarray, noise: np.ndarray, convention: dk.Convention) -> float:
    """Variance of the limit of sqrt(r)(D - Delta) for delta != 0."""
    e, c = convention.exponent, convention.scale(len(delta))
    return c**2 * e**2 * float(np.linalg.norm(delta)) ** (2 * e - 4) * along(delta, noise)


def limit_bias(delta: np.ndarray, noise: np.ndarray, scale: float) -> float:
    """Limit of r E(D - Delta) for delta != 0, e = 1."""
    length = float(np.linalg.norm(delta))
    total = float(np.trace(noise, axis1=1, axis2=2).sum())
    return scale / (2 * length) * (total - along(delta, noise) / length**2)


POINTS = np.array([-1.5, -0.5, 0.0, 1.0])


def _standardised(case: tuple[dk.Convention, float], setting: Setting) -> Evidence:
    """Moments and law of sqrt(r)(D - Delta)/sd at r = 10^10, three pairs; how much of model i''s noise sd counts."""
    from scipy import stats

    convention, share = case
    populations = (cases.mixture_population(), letters_population())

    def draw(key, size):
        import jax

        rows = []
        for population, own in zip(populations, jax.random.split(key, 2), strict=True):
            mean, covariance = np.asarray(population.mean), np.asarray(population.covariance)
            d = cases.dissimilarities_of_many(mean[None] + drawn_errors(population, own, size, R), convention)
            delta = cases.dissimilarities(mean, convention)
            for i, k in APART:
                variance = limit_variance(mean[i] - mean[k], covariance[i] + share * covariance[k], convention)
                z = np.sqrt(R / variance) * (d[:, i, k] - delta[i, k])
                rows += [z, z**2, z**4, *(z[:, None] <= POINTS[None]).T]
        return np.stack(rows, axis=1)

    def moments(variance):
        return np.array([0, variance, 3 * variance**2, *stats.norm.cdf(POINTS / np.sqrt(variance))])

    count = len(populations) * len(APART)
    return monte_carlo.equal_means(
        draw,
        np.tile(moments(1.0), count),
        np.tile(moments(0.8), count),
        setting,
        says=f"moments and distribution of sqrt(r)(D - Delta)/sd, e = {convention.exponent:g}, r = 10^10",
        named="a variance one fifth lower",
        quick=2000,
        full=20000,
    )


def _bias(taken_out: bool, setting: Setting) -> Evidence:
    """R (D - Delta - linear term) over its limiting mean, at r = 10^6; the linear term has mean 0 exactly.

    ``taken_out``: whether the limit leaves out the noise along delta, as it should.
    """
    populations, r = (cases.mixture_population(), letters_population()), 10**6
    scale = dk.Convention().scale(3)

    def draw(key, size):
        import jax

        rows = []
        for population, own in zip(populations, jax.random.split(key, 2), strict=True):
            mean, errors = np.asarray(population.mean), drawn_errors(population, own, size, r)
            d, delta = cases.dissimilarities_of_many(mean[None] + errors, dk.Convention()), cases.dissimilarities(mean)
            for i, k in APART:
                gap, noise = mean[i] - mean[k], noise_of_pair(population, (i, k))
                linear = scale * ((errors[:, i] - errors[:, k]) * gap).sum((1, 2)) / np.linalg.norm(gap)
                claimed = limit_bias(gap, noise, scale)
                if not taken_out:
                    claimed += scale * along(gap, noise) / (2 * float(np.linalg.norm(gap)) ** 3)
                rows.append(r * (d[:, i, k] - delta[i, k] - linear) / claimed)
        return np.stack(rows, axis=1)

    count = len(populations) * len(APART)
    return monte_carlo.equal_means(
        draw,
        np.ones(count),
        np.full(count, 0.9),
        setting,
        says="r E(D - Delta) over its limit at r = 10^6, mixtures and letters, three pairs each",
        named="a bias one tenth lower",
        quick=2000,
        full=20000,
    )


def _remainder(share: float, setting: Setting) -> Evidence:
    """Two models, two queries in the plane: R over its bound, and no R below 0, for D - Delta = linear part + R."""
    from hypothesis import strategies as st

    def ratio(case):
        mean, error = (x.reshape(2, 2, 2) / 4 for x in case)
        gap, moved = mean[0] - mean[1], error[0] - error[1]
        length, noise = np.linalg.norm(gap), np.linalg.norm(moved)
        if min(length, noise) == 0:
            return 0.0
        d, delta = (float(cases.dissimilarities(x, dk.Convention("none"))[0, 1]) for x in (mean + error, mean))
        left, bound = d - delta - float((gap * moved).sum() / length), share * noise**2 / (2 * length)
        # What rounding leaves of D - Delta, which is all of R for noise along delta.
        rounding = 1e-13 * (d + delta + noise)
        return float(max((left - rounding) / bound, 1.0 + (-left - rounding) / bound if left < -rounding else 0.0))

    pairs = st.tuples(cases.integer_arrays(2, 4), cases.integer_arrays(2, 4))
    says = "0 <= D - Delta - <delta, x>/||delta|| <= ||x||^2/(2||delta||)"
    return largest_ratio(pairs, ratio, setting, says=says, quick=200, full=3000)


def _bias_of_coins(share: float, setting: Setting) -> Evidence:
    """E D - Delta over its bound at r from 1 to 6 by enumeration: two queries, p = 1, coins +-s_j, c of two kinds."""
    from hypothesis import strategies as st

    def ratio(case):
        (first, second), (s, t), r, convention = case
        c, count = convention.scale(2), np.arange(2 * r + 1)
        weights = np.array([math.comb(2 * r, k) for k in count]) / 4.0**r
        # X_i - X_i' is delta plus s_j times a sum of 2r signs over r.
        signs = 2 * (count - r) / r
        length = np.hypot(first + s * signs[:, None], second + t * signs[None])
        delta = c * float(np.hypot(first, second))
        bias, bound = float(weights @ (c * length - delta) @ weights), c**2 / (2 * delta * r) * 2 * (s**2 + t**2)
        if bias < -1e-12 * delta:
            return 2.0
        return bias / (share * bound) if bound > 0 else 0.0

    sizes = st.tuples(st.integers(0, 3), st.integers(0, 3))
    return largest_ratio(
        st.tuples(
            st.tuples(st.integers(1, 20), sizes.map(sum)),
            sizes,
            st.integers(1, 6),
            st.sampled_from([A24, dk.Convention()]),
        ),
        ratio,
        setting,
        says="E D - Delta over (c^2/(2 Delta r)) sum (gamma + gamma'), coins in two queries, c = 1/m and 1/sqrt(m)",
        quick=200,
        full=1500,
    )


def _gradient(lengths: tuple[int, int]):
    """Quadratic form of the gradient of c ||delta||^e in the noise, two queries in the plane, e = 1 and 1/2."""

    def sides():
        import sympy

        c, length = sympy.Symbol("c", positive=True), sympy.Symbol("l", positive=True)
        delta, a = sympy.symbols("d1:5", real=True), sympy.symbols("a1:7", real=True)
        noise = sympy.diag(sympy.Matrix([[a[0], a[1]], [a[1], a[2]]]), sympy.Matrix([[a[3], a[4]], [a[4], a[5]]]))
        square = sum(x**2 for x in delta)
        form = (sympy.Matrix([delta]) * noise * sympy.Matrix([delta]).T)[0]
        half = sympy.Rational(1, 2)
        stated = {sympy.Integer(1): c**2 / length ** lengths[0], half: c**2 / (4 * length ** lengths[1])}
        pairs = []
        for e, factor in stated.items():
            slope = sympy.Matrix([[sympy.diff(c * square ** (e / 2), x).subs(square, length**2) for x in delta]])
            pairs.append(((slope * noise * slope.T)[0], factor * form))
        return "the gradient of c||delta||^e in the noise gives the stated variances, e = 1 and 1/2", pairs

    return sides


def _is_apart(population) -> bool:
    delta = cases.dissimilarities(population.mean)
    return all(delta[pair] > 0 for pair in APART)


_APART = (cases.INDEPENDENT, cases.TWO_MOMENTS, Hypothesis("Delta > 0 for the pairs in question", _is_apart))

LETTERS = Witness(
    "six models, three queries, one of five letters of the plane as answer; two models of equal means",
    letters_population,
    lambda w: bool(w.gamma.min() > 0),
)

_NOISY = Witness(
    "the same letters, three pairs of models apart and with noise along their difference",
    letters_population,
    lambda w: all(along(np.asarray(w.mean[i] - w.mean[k]), noise_of_pair(w, (i, k))) > 0 for i, k in APART),
)

_LAW = r"\sqrt r\,(D_{ii'}-\Delta_{ii'})\xrightarrow{d}N"


CLAIMS = (
    Claim(
        id="DK-M2",
        title="A dissimilarity of models apart is asymptotically Gaussian",
        source=SOURCE,
        form="own",
        reading="e = 1, any c; a variance of 0, where no noise lies along delta, means a limit that is the constant 0",
        statement=r"\Delta_{ii'}>0:\ " + _LAW + r"\Big(0,\frac{c^2}{\|\delta\|^2}"
        r"\sum_j\delta_j^\top(\Sigma_{ij}+\Sigma_{i'j})\delta_j\Big)",
        hypotheses=_APART,
        witness=_NOISY,
        checks=(
            Check(
                "gradient", identity, _gradient((2, 3)), _gradient((1, 3)), "a factor ||delta|| of the variance lost"
            ),
            Check("law", _standardised, (dk.Convention(), 1.0), (dk.Convention(), 0.0), "one model's noise left out"),
            Check("law-1/m", _standardised, (A24, 1.0), (A24, 0.0), "one model's noise left out"),
        ),
        recorded="holds",
    ),
    Claim(
        id="DK-M2/exponent-half",
        title="With exponent one half too, with another variance",
        source=SOURCE,
        form="own",
        reading="e = 1/2, any c",
        statement=r"\Delta_{ii'}>0:\ " + _LAW + r"\Big(0,\frac{c^2}{4\|\delta\|^3}"
        r"\sum_j\delta_j^\top(\Sigma_{ij}+\Sigma_{i'j})\delta_j\Big)",
        hypotheses=_APART,
        witness=_NOISY,
        checks=(
            Check(
                "gradient", identity, _gradient((2, 3)), _gradient((2, 2)), "a factor ||delta|| of the variance lost"
            ),
            Check("law", _standardised, (A25, 1.0), (A25, 0.0), "one model's noise left out"),
        ),
        recorded="holds",
    ),
    Claim(
        id="DK-M2/bias",
        title="For models apart the bias of D is of order 1/r, below its error",
        source=SOURCE,
        form="own",
        reading="e = 1; only the noise across delta biases D",
        statement=r"\Delta_{ii'}>0:\ r\,\mathbb E(D_{ii'}-\Delta_{ii'})\to\frac{c}{2\|\delta\|}\sum_j\Big\{"
        r"\operatorname{tr}S_j-\frac{\delta_j^\top S_j\delta_j}{\|\delta\|^2}\Big\},\quad S_j=\Sigma_{ij}+\Sigma_{i'j}",
        hypotheses=_APART,
        witness=_NOISY,
        checks=(Check("bias", _bias, True, False, "the noise along delta counted as well"),),
        recorded="holds",
    ),
    Claim(
        id="DK-M2/bias-bound",
        title="At every r the bias of D is between 0 and the noise over twice the dissimilarity",
        source=SOURCE,
        form="own",
        reading="e = 1, any c, every law with two moments",
        statement=r"0\le\mathbb E D_{ii'}-\Delta_{ii'}\le\frac{c^2}{2\Delta_{ii'}r}\sum_j(\gamma_{ij}+\gamma_{i'j})",
        hypotheses=_APART,
        witness=_NOISY,
        checks=(
            Check("remainder", _remainder, 1.0, 0.5, "the bound halved"),
            Check("coins", _bias_of_coins, 1.0, 0.8, "the bound shrunk to four fifths"),
        ),
        recorded="holds",
    ),
)
