r"""DK-M4: a finite-sample bound through Gram matrices, without A25's n^3.

Setting. e = 1, classical MDS, rank(B) <= d, lambda_d > 0, E = X - mu.
Statement. min_W ||Psi^ W - Psi||_F^2 <= ||B^_(d) - B||_F^2 / (2 (sqrt 2 - 1) lambda_d), and ||B^ - B||_F <= 2
sqrt(lambda_1) c||HE||_F + c^2 ||HE||_F^2. With ||B^_(d) - B||_F <= k ||B^ - B||_F, k = 1 if d >= rank(B^) and the
golden ratio elsewhere, a bound of the error in terms of the noise; E||HE||_F^2 = (1 - 1/n) sum gamma_ij / r.
Hypotheses. rank(B) <= d and lambda_d > 0.
Constants. As stated; k = 1 or (1 + sqrt 5)/2.
Relation. Upper bound, for every draw.
Reference. Our own, from TBSSR16 (Tu et al. 2016, Lemma 5.4); derivation in dkps_theory.bounds.gram.

How sharp. The first inequality is attained: Psi^ orthogonal to Psi, d = 1, with ||Psi^||^2 = x ||Psi||^2 and x = sqrt
2 - 1, has squared error (1 + x) lambda and squared Gram error (1 + x^2) lambda^2, and (1 + x)/(1 + x^2) = 1/(2(sqrt 2
- 1)). The second is attained by noise along Psi. Together they are at least 2.19 times DK-M8, whatever the draw: k
||F|| against k (2 sqrt(lambda_1) ||F|| + ||F||^2) / (0.9102 sqrt(lambda_d)). DK-M4 is therefore of no use beside
DK-M8; what it shows is that the n^3 of A25 was never needed.
"""

from __future__ import annotations

import math

import numpy as np

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.claims import _radius
from proofs_checks.evidence import monte_carlo
from proofs_checks.evidence.adversary import hunt
from proofs_checks.evidence.search import largest_ratio, worst_found
from proofs_checks.evidence.symbolic import identity

SOURCE = "own (DK-M4), from TBSSR16"


def gram_ratio(truth: np.ndarray, estimate: np.ndarray) -> float:
    """Return min_W ||A W - C||_F over ||AA' - CC'||_F / sqrt(2 (sqrt 2 - 1) sigma_d(C)^2), C the truth."""
    left, _, right = np.linalg.svd(estimate.T @ truth)
    error = float(np.linalg.norm(estimate @ left @ right - truth))
    gram = float(np.linalg.norm(estimate @ estimate.T - truth @ truth.T))
    last = float(np.linalg.svd(truth, compute_uv=False)[-1])
    if gram <= 1e-7 * (1 + np.abs(truth).max() ** 2) or last < 1e-9:
        return 0.0
    return error * math.sqrt(2 * (math.sqrt(2) - 1)) * last / gram


def _lemma(shrink: float, setting: Setting) -> Evidence:
    """Climb in the ratio of the first inequality, d = 2, five models, by gradient."""
    import jax.numpy as jnp

    def objective(parameters):
        estimate, truth = jnp.split(parameters, 2)
        estimate, truth = estimate.reshape(5, 2), truth.reshape(5, 2)
        overlap = jnp.linalg.svd(estimate.T @ truth, compute_uv=False).sum()
        error = jnp.sqrt(jnp.maximum((estimate**2).sum() + (truth**2).sum() - 2 * overlap, 1e-12))
        gram = jnp.sqrt(((estimate @ estimate.T - truth @ truth.T) ** 2).sum() + 1e-12)
        return error * jnp.linalg.svd(truth, compute_uv=False)[-1] / gram

    generator = np.random.default_rng(setting.integer_seed("starts"))
    found = hunt(
        objective, [generator.normal(size=20) for _ in range(setting.size(6, 40))], setting, quick=60, full=300
    )
    estimate, truth = (part.reshape(5, 2) for part in np.split(found.parameters, 2))
    worst = gram_ratio(truth, estimate) / shrink
    return worst_found(
        worst,
        setting.size(6, 40),
        "largest aligned error / the bound from the Gram error: climbed by gradient",
        tolerance=1e-6,
    )


def _attained(length: int):
    """Evaluate the first inequality where Psi^ is orthogonal to Psi, ||Psi^||^2 = (sqrt 2 - 1) ``length``."""

    def sides():
        import sympy

        x = (sympy.sqrt(2) - 1) * length
        return (
            "(1 + x)/(1 + x^2) = 1/(2(sqrt 2 - 1)) at x = sqrt 2 - 1: an orthogonal estimate attains the constant",
            [(sympy.radsimp((1 + x) / (1 + x**2)), sympy.radsimp(1 / (2 * (sympy.sqrt(2) - 1))))],
        )

    return sides


def _gram_noise(shrink: float, setting: Setting) -> Evidence:
    """||B^ - B||_F over 2 sqrt(lambda_1) noise + noise^2, four models in the plane; noise along Psi attains it."""
    from hypothesis import strategies as st

    def ratio(case) -> float:
        truth, noise, scale = case
        Y, F = (matrix - matrix.mean(axis=0) for matrix in (truth, scale * noise))
        size, top = float(np.linalg.norm(F)), float(np.linalg.norm(Y, 2))
        if size == 0:
            return 0.0
        gram = float(np.linalg.norm((Y + F) @ (Y + F).T - Y @ Y.T))
        return gram / (shrink * dk.gram_noise_bound(noise=size, lambda_1=top**2))

    # One column is enough to attain it: then F can be a multiple of Y.
    along = st.integers(1, 6).map(lambda size: (np.array([[size], [-size]], float),) * 2)
    pairs = st.one_of(st.tuples(cases.integer_arrays(4, 2), cases.integer_arrays(4, 2)), along)
    return largest_ratio(
        st.tuples(pairs, st.sampled_from([1.0, 1e-3, 1e2])).map(lambda case: (*case[0], case[1])),
        ratio,
        setting,
        says="||B^ - B||_F / (2 sqrt(lambda_1) c||HE||_F + c^2||HE||_F^2)",
        quick=200,
        full=3000,
    )


def error_over_bound(truth: np.ndarray, noise: np.ndarray, d: int) -> float:
    """Aligned error over DK-M4's bound from the noise, mean matrices (n, p) with one query, by the package's bound."""
    Y, F = (matrix - matrix.mean(axis=0) for matrix in (truth, noise))
    size, values = float(np.linalg.norm(F)), np.linalg.svd(Y, compute_uv=False)
    if size <= 1e-6 * (1 + values[0]) or values[d - 1] <= 1e-6 * values[0]:
        return 0.0
    k = dk.factor_constant(d=d, estimated_rank=min(len(Y) - 1, Y.shape[1]))
    bound = dk.dk_m4_bound(noise=size, lambda_1=values[0] ** 2, lambda_d=values[d - 1] ** 2, k=k)
    return float(_radius.aligned_errors(Y, F[None], d)[0][0]) / bound


def _whole(shrink: float, setting: Setting) -> Evidence:
    """Try the two together: means on a line or in a plane, d = 1 or 2, noise in the mean space or outside it too."""
    from hypothesis import strategies as st

    def case(shape: tuple[int, int]):
        d, p = shape
        loadings = cases.integer_arrays(d, p, 3)
        factors = cases.integer_arrays(4, d)
        truth = st.tuples(factors, loadings).map(lambda pair: pair[0] @ pair[1])
        return st.tuples(truth, cases.integer_arrays(4, p), st.sampled_from([0.01, 0.25, 2.0]), st.just(d))

    return largest_ratio(
        st.sampled_from([(1, 1), (1, 2), (2, 2), (2, 3)]).flatmap(case),
        lambda one: error_over_bound(one[0], one[2] * one[1], one[3]) / shrink,
        setting,
        says="aligned error / DK-M4's bound, d = 1 and 2, at and below the rank of B^",
        quick=400,
        full=4000,
        tolerance=1e-6,
    )


def _certified(shrink: float, setting: Setting) -> Evidence:
    """With the 95% quantile bound of c||HE||_F it covers 95%: mixtures, d = 2 of 6."""
    cell = _radius.Cell("mixture", 10, 3, 2, 2, 50)
    radius, found = _radius.radius_of(cell), _radius.draws(cell, setting)
    truth = _radius.factor(np.asarray(_radius.population_of(cell).mean))
    values = np.linalg.svd(truth, compute_uv=False)
    bound = shrink * dk.dk_m4_bound(
        noise=radius.noise_frobenius, lambda_1=values[0] ** 2, lambda_d=values[1] ** 2, k=radius.k
    )
    slack = bound / np.quantile(found["frobenius"], 0.95)
    return monte_carlo.success_rate(
        int((found["frobenius"] <= bound).sum()),
        len(found["frobenius"]),
        0.95,
        0.9,
        relation="coverage",
        says=f"P(error <= DK-M4 at the 95% bound of the noise), {cell.text}; bound / true 95% quantile = {slack:.2f}",
        named="a coverage of 90%",
        slack=slack,
    )


def _slack_along_r():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    grid, cell = 4 ** np.arange(2, 9), _radius.Cell("mixture", 10, 3, 2, 2, 16)
    found: dict[str, list[float]] = {"DK-M4": [], "DK-M8": [], "certified radius (DK-M8 and DK-M9)": []}
    for r in grid:
        one = _radius.Cell("mixture", 10, 3, 2, 2, int(r))
        radius = _radius.radius_of(one)
        values = np.linalg.svd(_radius.factor(np.asarray(_radius.population_of(cell).mean)), compute_uv=False)
        true = np.quantile(_radius.sampled(one, 1, 500)["frobenius"], 0.95)
        m4 = dk.dk_m4_bound(noise=radius.noise_frobenius, lambda_1=values[0] ** 2, lambda_d=values[1] ** 2, k=radius.k)
        for name, bound in zip(found, (m4, radius.k * radius.noise_frobenius, radius.frobenius), strict=True):
            found[name].append(bound / true)
    for (name, slack), marker in zip(found.items(), "^so", strict=True):
        axes.loglog(grid, slack, marker + "-", label=name)
    axes.axhline(1, color="0.5", linewidth=1)
    axes.set(xlabel="replicates r", ylabel="95% bound / true 95% quantile")
    figure.legend(loc="outside lower left")
    return figure


CLAIMS = (
    Claim(
        id="DK-M4",
        title="A finite-sample bound through Gram matrices, without n cubed",
        source=SOURCE,
        form="own",
        reading="e = 1; k as in DK-M8, by its truncation lemma",
        statement=r"\min_W\|\hat\Psi W-\Psi\|_F^2\le\frac{\|\hat B_{(d)}-B\|_F^2}{2(\sqrt2-1)\lambda_d},\quad "
        r"\|\hat B_{(d)}-B\|_F\le k\big(2\sqrt{\lambda_1}\,c\|HE\|_F+c^2\|HE\|_F^2\big)",
        hypotheses=(
            Hypothesis(
                "rank(B) <= 2 and lambda_2 > 0",
                lambda w: int(np.linalg.matrix_rank(_radius.factor(np.asarray(w.mean)), tol=1e-8)) == 2,
            ),
        ),
        witness=Witness(
            "six models with means in a plane, two-component mixtures, d = 2",
            cases.mixture_population,
            lambda w: bool(w.gamma.min() > 0),
        ),
        checks=(
            Check("lemma", _lemma, 1.0, 0.5, "the bound from the Gram error halved"),
            Check("attained", identity, _attained(1), _attained(2), "the estimate twice as large in square"),
            Check("gram-noise", _gram_noise, 1.0, 0.5, "the bound of ||B^ - B|| halved"),
            Check("whole", _whole, 1.0, 0.25, "the whole bound divided by 4"),
            Check("certified", _certified, 1.0, 1 / 32, "the whole bound divided by 32"),
        ),
        recorded="holds",
        drawings=(Drawing(_slack_along_r, "DK-M4 stays a constant factor above DK-M8; DK-M9 tends to the truth."),),
    ),
)
