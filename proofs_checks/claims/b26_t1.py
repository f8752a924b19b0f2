r"""B26-T1: D -> Delta as the number of replicates grows.

Setting. iid replicates x_ijk ~ F_ij with finite mean, n and m fixed, D and Delta with c = 1/m, e = 1.
Statement. D_ii' -> Delta_ii' in probability for all i, i' as r -> infinity.
Hypotheses. Replicates independent with one law; finite gamma (a finite mean suffices, without a rate).
Constants. E (D - Delta)^2 <= c^2 sum_j (gamma_ij + gamma_i'j) / r.
Relation. Limit, through an upper bound that tends to 0.
Reference. Browder et al. (2026), arXiv:2602.05106.

Derivation. By the reverse triangle inequality |D_ii' - Delta_ii'| <= c ||E_i - E_i'||_F with E = X - mu, whatever the
draws. The models are independent, so the expected square of the right side is c^2 sum_j (gamma_ij + gamma_i'j)/r
exactly, and Chebyshev's inequality finishes. With a finite mean only, X -> mu by the law of large numbers and D is
continuous.
"""

from __future__ import annotations

import numpy as np

from dkps_theory.conventions import A24
from proofs_checks import cases
from proofs_checks.cases import INDEPENDENT
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.evidence import monte_carlo
from proofs_checks.evidence.search import largest_ratio

SOURCE = "B26, consistency of D"
GRID = np.array([1e1, 1e4, 1e8, 1e12])


def honest(population, key, size, r):
    """Errors of the means of r independent answers."""
    return cases.mean_errors(population, key, size, r)


def answers_twice(population, key, size, r):
    """Errors when every second answer repeats the one before: r/2 independent ones."""
    return cases.mean_errors(population, key, size, r / 2)


def _triangle(constant: float, setting: Setting) -> Evidence:
    def ratio(case):
        flat, noise = case
        mu, errors = flat.reshape(4, 2, 2), noise.reshape(4, 2, 2) / 4
        d, delta = cases.dissimilarities(mu + errors, A24), cases.dissimilarities(mu, A24)
        return float((np.abs(d - delta) / (constant * cases.dissimilarities(errors, A24) + 1e-12)).max())

    from hypothesis import strategies as st

    strategy = st.tuples(cases.integer_arrays(4, 4), cases.integer_arrays(4, 4))
    return largest_ratio(
        strategy, ratio, setting, says="|D - Delta| <= c ||E_i - E_i'||_F for every pair", quick=120, full=1500
    )


def _noise_share(sampler, setting: Setting) -> Evidence:
    """Draw r ||E_i - E_i'||^2 / sum_j (gamma_ij + gamma_i'j) for three pairs of two populations over twelve decades."""
    populations = (cases.mixture_population(), cases.digits_population())
    one, two = np.array([0, 1, 2]), np.array([1, 2, 0])

    def draw(key, size):
        import jax

        parts = []
        for population, own in zip(populations, jax.random.split(key, len(populations)), strict=True):
            gamma = np.asarray(population.gamma).sum(axis=1)
            for r, sub in zip(GRID, jax.random.split(own, len(GRID)), strict=True):
                errors = sampler(population, sub, size, r)
                squares = np.square(errors[:, one] - errors[:, two]).sum((2, 3))
                parts.append(r * squares / (gamma[one] + gamma[two]))
        return np.concatenate(parts, axis=1)

    count = 3 * len(GRID) * len(populations)
    return monte_carlo.equal_means(
        draw,
        np.ones(count),
        np.full(count, 1.1),
        setting,
        says="r E||E_i - E_i'||^2 = sum_j (gamma_ij + gamma_i'j), mixtures and digits, r = 10 .. 10^12",
        named="ten per cent more noise than independent answers have",
        quick=1500,
        full=15000,
    )


def _stacked(means):
    """D of one array of means, or of each of many."""
    return (
        np.array([cases.dissimilarities(x, A24) for x in means])
        if means.ndim == 4
        else cases.dissimilarities(means, A24)
    )


def _error_against_bound():
    from dkps_theory.pages.figures import Series, rate_plot

    grid, setting = 10.0 ** np.arange(1, 13), Setting(0, "quick", "B26-T1/drawing")
    series = []
    for name, population in (("mixtures", cases.mixture_population()), ("digits", cases.digits_population())):
        mean = np.asarray(population.mean)
        gamma = np.asarray(population.gamma).sum(axis=1)
        bound = A24.scale(mean.shape[1]) * np.sqrt((gamma[0] + gamma[1]) / grid)
        delta = _stacked(mean)[0, 1]
        squares = []
        for r in grid:
            draws = mean[None] + cases.mean_errors(population, setting.key(f"{name} {r:g}"), 400, r)
            squares.append((_stacked(draws)[:, 0, 1] - delta) ** 2)
        rmse = np.sqrt(np.mean(squares, axis=1))
        se = np.std(squares, axis=1, ddof=1) / np.sqrt(400) / (2 * rmse)
        series.append(Series(f"{name}: RMSE of D, and the bound (line)", grid, rmse, se, exact=bound))
    return rate_plot(series, y_label="RMSE of D, one pair (units of g)")


CLAIMS = (
    Claim(
        id="B26-T1",
        title="D tends to Delta as replicates grow",
        source=SOURCE,
        form="as-printed",
        reading="c = 1/m, e = 1, n and m fixed, convergence in probability",
        statement=r"D_{ii'}\xrightarrow{P}\Delta_{ii'}\ (r\to\infty);\quad "
        r"\mathbb E(D_{ii'}-\Delta_{ii'})^2\le\frac{c^2}{r}\sum_j(\gamma_{ij}+\gamma_{i'j})",
        hypotheses=(
            INDEPENDENT,
            cases.TWO_MOMENTS,
            Hypothesis("the means are finite", lambda w: bool(np.all(np.isfinite(w.mean)))),
        ),
        witness=Witness(
            "mixtures fitted to handwritten digits, six models, ten queries",
            cases.digits_population,
            lambda w: bool(w.gamma.min() > 0),
        ),
        checks=(
            Check("triangle", _triangle, 1.0, 0.5, "the bound halved"),
            Check("noise-share", _noise_share, honest, answers_twice, "every second answer repeats the one before"),
        ),
        recorded="holds",
        drawings=(
            Drawing(
                _error_against_bound,
                "RMSE of $D_{12}$ over twelve decades of r, below its bound: the bound counts noise in every "
                "direction, D only that along the difference of the means.",
            ),
        ),
    ),
)
