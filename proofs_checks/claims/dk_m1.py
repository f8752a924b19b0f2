r"""DK-M1: exact finite-r moments of D^2, and an unbiased estimator of Delta^2 with its exact variance.

Setting. iid replicates, models and queries independent, e = 1, any c.
Statement. E D_ii'^2 = Delta_ii'^2 + c^2 sum_j (gamma_ij + gamma_i'j)/r. With gamma^ the unbiased sample traces,
D^2 - c^2 sum_j (gamma^_ij + gamma^_i'j)/r is unbiased for Delta^2, with variance c^4 sum_j {4 delta_j'(Sigma_ij +
Sigma_i'j) delta_j / r + 2 (tr Sigma_ij^2 + tr Sigma_i'j^2)/(r(r-1)) + 4 tr(Sigma_ij Sigma_i'j)/r^2}.
Hypotheses. Two moments for the mean and for the debiased variance; four for Var D^2. r >= 2 for gamma^.
Constants. As stated.
Relation. Equality.
Reference. Our own; derivation in dkps_theory.bounds.dissimilarity.

What surprised us: the variance of the debiased square needs no Gaussian law. Its linear part, its two U-statistics
and its cross product involve different centred replicates and are uncorrelated under every law with two moments;
third and fourth moments enter Var D^2 only through the traces that debiasing removes.
"""

from __future__ import annotations

import itertools
import random
from fractions import Fraction

import numpy as np

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Outcome, Setting, Witness
from proofs_checks.evidence import monte_carlo
from proofs_checks.evidence.certified import exact_equalities

SOURCE = "own"
Law = list[tuple[Fraction, Fraction]]  # (probability, value) of one answer, p = 1


def _random_law(generator: random.Random) -> Law:
    weights = [Fraction(generator.randint(1, 5)) for _ in range(generator.randint(2, 3))]
    return [(w / sum(weights), Fraction(generator.randint(-4, 4))) for w in weights]


def _moment(law: Law, power: int, about: Fraction = Fraction(0)) -> Fraction:
    total = Fraction(0)
    for weight, value in law:
        term = weight
        for _ in range(power):
            term *= value - about
        total += term
    return total


def enumerated_moments(first: Law, second: Law, r: int) -> tuple[Fraction, ...]:
    """Return E and Var of D^2 and of the debiased square (m = p = 1), over every sample of size r of both models."""
    totals = [Fraction(0)] * 4
    for one in itertools.product(first, repeat=r):
        for two in itertools.product(second, repeat=r):
            weight = Fraction(1)
            for w, _ in (*one, *two):
                weight *= w
            means = [sum((x for _, x in draw), Fraction(0)) / r for draw in (one, two)]
            traces = [
                sum(((x - mean) * (x - mean) for _, x in draw), Fraction(0)) / (r - 1)
                for draw, mean in zip((one, two), means, strict=True)
            ]
            square = (means[0] - means[1]) * (means[0] - means[1])
            debiased = square - (traces[0] + traces[1]) / r
            for place, value in enumerate((square, square * square, debiased, debiased * debiased)):
                totals[place] += weight * value
    return totals[0], totals[1] - totals[0] * totals[0], totals[2], totals[3] - totals[2] * totals[2]


def stated_moments(first: Law, second: Law, r: int, noise: Fraction = Fraction(1)) -> tuple[Fraction, ...]:
    """Return the same four numbers by the formulas; ``noise`` other than 1 plants an error in the bias term."""
    mu = [_moment(law, 1) for law in (first, second)]
    var = [_moment(law, 2, centre) for law, centre in zip((first, second), mu, strict=True)]
    third = [_moment(law, 3, centre) for law, centre in zip((first, second), mu, strict=True)]
    fourth = [_moment(law, 4, centre) for law, centre in zip((first, second), mu, strict=True)]
    delta, s = mu[0] - mu[1], (var[0] + var[1]) / r
    kappa = (fourth[0] - 3 * var[0] * var[0] + fourth[1] - 3 * var[1] * var[1]) / Fraction(r**3)
    square = delta * delta
    variance = 4 * square * s + 4 * delta * (third[0] - third[1]) / Fraction(r * r) + 2 * s * s + kappa
    debiased = (
        4 * square * s
        + 2 * (var[0] * var[0] + var[1] * var[1]) / Fraction(r * (r - 1))
        + 4 * var[0] * var[1] / Fraction(r**2)
    )
    return square + noise * s, variance, square, debiased


def _enumeration(noise: Fraction, setting: Setting) -> Evidence:
    generator = random.Random(setting.integer_seed("laws"))

    def pairs():
        for _ in range(setting.size(25, 200)):
            first, second, r = _random_law(generator), _random_law(generator), generator.randint(2, 3)
            yield from zip(enumerated_moments(first, second, r), stated_moments(first, second, r, noise), strict=True)

    return exact_equalities(
        pairs(),
        "mean and variance of D^2 and of the debiased square, over every sample of random two- and three-point laws",
    )


def _planar_law(generator: random.Random) -> tuple[np.ndarray, np.ndarray]:
    """Return weights and points of a random three-point law in the plane, exactly representable as floats."""
    weights = np.array([0.5, 0.25, 0.25])[generator.sample(range(3), 3)]
    return weights, np.array([[generator.randint(-4, 4) for _ in range(2)] for _ in range(3)], dtype=float)


def planar_moments(laws, r: int) -> np.ndarray:
    """Return E D^2, Var D^2 and Var of the debiased square of two laws in the plane, one query, by enumeration."""
    (w, x), (v, y) = laws
    places = list(itertools.product(range(3), repeat=r))
    weight = np.array([[w[list(a)].prod() * v[list(b)].prod() for b in places] for a in places])
    means, others = (np.array([z[list(a)].mean(0) for a in places]) for z in (x, y))
    traces, other_traces = (np.array([z[list(a)].var(0, ddof=1).sum() for a in places]) for z in (x, y))
    square = np.square(means[:, None] - others[None]).sum(-1)
    debiased = square - (traces[:, None] + other_traces[None]) / r
    first = [(weight * value).sum() for value in (square, debiased)]
    return np.array([first[0], (weight * (square - first[0]) ** 2).sum(), (weight * (debiased - first[1]) ** 2).sum()])


def _package_formula(convention: dk.Convention, setting: Setting) -> Evidence:
    """Compare the package's exact curves with enumeration: two queries, answers in the plane, r = 2 and 3."""
    generator = random.Random(setting.integer_seed("laws"))
    differences = []
    for trial in range(setting.size(6, 40)):
        r = 2 + trial % 2
        laws = [[_planar_law(generator) for _ in range(2)] for _ in range(2)]
        scale = dk.Convention().scale(2) ** 2
        by_query = sum(planar_moments((laws[0][j], laws[1][j]), r) for j in range(2))
        expected = by_query * np.array([scale, scale**2, scale**2])
        mean, covariance, cubic, quartic = _finite_moments(laws)
        gamma = np.trace(covariance, axis1=-2, axis2=-1)
        found = [
            dk.squared_dissimilarity_mean(mean, gamma, r, convention)[0, 1],
            dk.squared_dissimilarity_variance(mean, covariance, cubic, quartic, r, convention)[0, 1],
            dk.debiased_variance(mean, covariance, r, convention)[0, 1],
        ]
        differences.append(np.abs(np.array(found) / expected - 1).max())
    worst = float(np.max(differences))
    return Evidence(
        "search",
        Outcome.SUPPORTS if worst <= 1e-10 else Outcome.CONTRADICTS,
        worst,
        0.0,
        "equal",
        "the package's three exact curves against enumeration, relative difference, two queries, answers in the plane",
        n=len(differences),
    )


def _finite_moments(laws) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return mean, covariance, cubic and quartic moments (n, m, ...) of laws[model][query]."""
    weights = np.array([[law[0] for law in row] for row in laws])
    points = np.array([[law[1] for law in row] for row in laws])
    mean = np.einsum("ijk,ijka->ija", weights, points)
    centred = points - mean[:, :, None]
    squares = np.square(centred).sum(-1)
    covariance = np.einsum("ijk,ijka,ijkb->ijab", weights, centred, centred)
    cubic = np.einsum("ijk,ijka,ijk->ija", weights, centred, squares)
    return mean, covariance, cubic, (weights * squares**2).sum(-1)


PAIRS = (np.array([0, 1, 2]), np.array([1, 2, 0]))


def debiased_and_plain(responses: np.ndarray, halve: float) -> np.ndarray:
    """D^2 and the debiased square of three pairs, from responses (b, n, m, r, p); ``halve`` plants an error."""
    import jax

    means, gamma = responses.mean(axis=3), responses.var(axis=3, ddof=1).sum(axis=-1)
    r = responses.shape[3]
    plain = jax.vmap(dk.dissimilarities)(means) ** 2
    debiased = jax.vmap(lambda x, g: dk.debiased_squared_dissimilarities(x, g, r))(means, halve * gamma)
    return np.concatenate([np.asarray(values)[(slice(None), *PAIRS)] for values in (plain, debiased)], axis=1)


def _sampled(halve: float, setting: Setting) -> Evidence:
    """Responses at r = 3, two populations: means of D^2, of the debiased square, and of its squared error."""
    populations, r = (cases.mixture_population(), cases.digits_population()), 3
    claimed, violated = [], []
    for population in populations:
        delta = np.asarray(dk.dissimilarities(population.mean))[PAIRS] ** 2
        biased = np.asarray(dk.squared_dissimilarity_mean(population.mean, population.gamma, r))[PAIRS]
        spread = np.asarray(dk.debiased_variance(population.mean, population.covariance, r))[PAIRS]
        claimed += [biased, delta, spread]
        violated += [delta + (biased - delta) / 2, delta + (biased - delta) / 2, spread / 2]

    def draw(key, size):
        import jax

        parts = []
        for place, (population, own) in enumerate(zip(populations, jax.random.split(key, 2), strict=True)):
            values = debiased_and_plain(cases.responses(population, own, size, r), halve)
            parts += [values, np.square(values[:, 3:] - claimed[3 * place + 1][None])]
        return np.concatenate(parts, axis=1)

    return monte_carlo.equal_means(
        draw,
        np.concatenate(claimed),
        np.concatenate(violated),
        setting,
        says="means of D^2, of the debiased square and of its squared error, mixtures and digits, r = 3",
        named="half the noise term missing",
        quick=2500,
        full=25000,
    )


def _inflation():
    from dkps_theory.pages.figures import new_figure

    grid, setting = 2.0 ** np.arange(0, 11), Setting(0, "quick", "DK-M1/drawing")
    population = cases.digits_population()
    delta = float(dk.dissimilarities(population.mean)[0, 1]) ** 2
    means, errors, exact = [], [], []
    for r in grid:
        draws = np.asarray(population.mean)[None] + cases.mean_errors(population, setting.key(f"r = {r:g}"), 500, r)
        squares = np.array([cases.dissimilarities(x)[0, 1] ** 2 for x in draws]) / delta
        means.append(squares.mean())
        errors.append(squares.std(ddof=1) / np.sqrt(500))
        exact.append(float(dk.squared_dissimilarity_mean(population.mean, population.gamma, r)[0, 1]) / delta)
    figure, (axes,) = new_figure()
    axes.plot(grid, exact, label="exact")
    bars = 2 * np.array(errors)
    axes.errorbar(grid, means, bars, fmt="o", capsize=2, label="mean of 500 draws ± 2 standard errors, digits")
    axes.set(xscale="log", xlabel="replicates r (answers per model and query)", ylabel="mean of D² / Δ²")
    figure.legend(loc="outside lower left")
    return figure


CLAIMS = (
    Claim(
        id="DK-M1",
        title="Exact moments of D^2 at finite r, and the unbiased square",
        source=SOURCE,
        form="own",
        reading="e = 1; the stated variance of the debiased square holds for every law with two moments",
        statement=r"\mathbb E D_{ii'}^2=\Delta_{ii'}^2+\frac{c^2}{r}\sum_j(\gamma_{ij}+\gamma_{i'j}),\qquad "
        r"\mathbb E\tilde D_{ii'}^2=\Delta_{ii'}^2,\quad \operatorname{Var}\tilde D_{ii'}^2=c^4\sum_j\Big\{\frac4r"
        r"\delta_j^\top(\Sigma_{ij}+\Sigma_{i'j})\delta_j+\frac{2\operatorname{tr}(\Sigma_{ij}^2+\Sigma_{i'j}^2)}{r(r-1)}"
        r"+\frac{4\operatorname{tr}\Sigma_{ij}\Sigma_{i'j}}{r^2}\Big\}",
        hypotheses=(
            cases.INDEPENDENT,
            cases.TWO_MOMENTS,
        ),
        witness=Witness(
            "mixtures fitted to handwritten digits", cases.digits_population, lambda w: bool(w.gamma.min() > 0)
        ),
        checks=(
            Check(
                "enumeration", _enumeration, Fraction(1), Fraction(1, 2), "only one of the two models' noise counted"
            ),
            Check(
                "package-formula",
                _package_formula,
                dk.Convention("sqrt-m", 1.0),
                dk.Convention("m", 1.0),
                "normalised by 1/m instead of 1/sqrt(m)",
            ),
            Check("sampled", _sampled, 1.0, 0.5, "half of gamma^ subtracted"),
        ),
        recorded="holds",
        drawings=(
            Drawing(_inflation, "At small r the noise inflates D²; its mean follows the exact curve down to 1."),
        ),
    ),
)
