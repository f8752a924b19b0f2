"""The growing studies: derivations by enumeration and quadrature, slow twins, small runs."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.core import Tracer
from scipy.linalg import orthogonal_procrustes
from scipy.stats import binom, norm

from dkps_theory._validate import InputError
from dkps_theory.bounds import squared_dissimilarity_mean, squared_dissimilarity_variance
from dkps_theory.conventions import A24, A25, DEFAULT, Convention
from dkps_theory.geometry import classical_mds, gram, raw_stress_mds
from dkps_theory.populations import GaussianMixture, bernoulli
from simulations.config import configured
from simulations.grid import Cell
from simulations.rates import fitted_rates
from simulations.runner import run_study
from simulations.studies import _growing as numerics
from simulations.studies import _growing_models as models_numerics
from simulations.studies import growing_models, growing_queries
from simulations.studies._growing_laws import CONVENTIONS, LAWS, Law, Regime, delta_power
from simulations.studies._growing_pages import models_section, queries_section

QUERIES_AXES, MODELS_AXES = growing_queries.STUDY.axes, growing_models.STUDY.axes
UNSCALED = Convention("none")
AT_FOUR = {"rule": ["r = 4"], "law": ["bounded"]}


def queries_cell(law: str, n: int, m: int, r: int) -> numerics.Queries:
    return numerics.prepare_queries(Cell("cell", settings=Regime(LAWS[law], n, m, r)), QUERIES_AXES)


def models_cell(law: str, n: int, m: int, r: int) -> models_numerics.Models:
    return models_numerics.prepare_models(Cell("cell", settings=Regime(LAWS[law], n, m, r)), MODELS_AXES)


def population(law: str, ready: numerics.Queries):
    """The law of a cell's answers as a population of the package, which knows its moments."""
    if ready.answers == "yes-no":
        return bernoulli(np.asarray(ready.means) + 0.5)
    n, m = ready.means.shape
    variances = np.full((n, m, 1), LAWS[law].gamma * m ** LAWS[law].noise_power)
    return GaussianMixture(np.ones((n, m, 1)), np.asarray(ready.means)[:, :, None, None], variances, "spherical")


# Exact moments


def test_exact_moments_are_those_of_all_outcomes():
    """Two queries, r = 4: every pair of counts of both models, with its binomial probability."""
    ready, r = queries_cell("bounded", 4, 2, 4), 4
    i, k = ready.pair
    p = np.asarray(ready.means) + 0.5
    true = float(ready.squares[i, k])
    first = second = total = 0.0
    spread = np.zeros(2)
    for counts in itertools.product(range(r + 1), repeat=4):
        X = np.array(counts, dtype=float).reshape(2, 2) / r
        weight = np.prod(binom.pmf(np.array(counts).reshape(2, 2), r, p[[i, k]]))
        error = ((X[0] - X[1]) ** 2).sum() / true - 1
        total, first, second = total + weight, first + weight * error, second + weight * error**2
        spread += weight * np.asarray(numerics.yes_no_variance(jnp.asarray(X), jnp.asarray(4.0))).sum(axis=1)
    found = numerics.truth_queries(ready)
    assert total == pytest.approx(1)
    assert found["relative_bias"] == pytest.approx(first, rel=1e-12)
    assert found["exact_relative_squared"] == pytest.approx(np.sqrt(second), rel=1e-12)
    np.testing.assert_allclose(spread, np.asarray(ready.gamma)[[i, k]], rtol=1e-12)


@pytest.mark.parametrize("law", list(LAWS))
def test_exact_moments_are_those_of_the_library(law):
    ready, r = queries_cell(law, 12, 16, 8), 8.0
    known, (i, k) = population(law, ready), ready.pair
    mean = float(squared_dissimilarity_mean(known.mean, known.gamma, r, UNSCALED)[i, k])
    moments = (known.mean, known.covariance, known.cubic_moment, known.quartic_moment)
    variance = float(squared_dissimilarity_variance(*moments, r, UNSCALED)[i, k])
    true, found = float(ready.squares[i, k]), numerics.truth_queries(ready)
    np.testing.assert_allclose(ready.gamma, known.gamma.sum(axis=1), rtol=1e-12)
    assert found["relative_bias"] == pytest.approx((mean - true) / true, rel=1e-10)
    assert found["exact_relative_squared"] == pytest.approx(np.sqrt(variance + (mean - true) ** 2) / true, rel=1e-10)


@pytest.mark.parametrize(("m", "r"), [(1, 4), (3, 4), (5, 9)])
def test_the_mean_square_over_random_models_and_queries_by_quadrature_and_enumeration(m, r):
    """Another grid of angles and nodes; given models and a query, every pair of counts."""
    law = LAWS["bounded"]
    angles = 2 * np.pi * (np.arange(12) + 0.3) / 12
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    nodes, weights = np.polynomial.legendre.leggauss(6)
    v = np.array([(law.half_widths[0] * x, law.half_widths[1] * y) for x in nodes for y in nodes])
    w = np.outer(weights, weights).ravel() / 4
    p = 0.5 + circle @ v.T
    counts = np.arange(r + 1)
    chance = binom.pmf(counts[:, None, None], r, p[None])
    gaps = ((counts[:, None] - counts[None, :]) / r) ** 2
    first = np.einsum("aiv,bkv,ab->ikv", chance, chance, gaps)
    second = np.einsum("aiv,bkv,ab->ikv", chance, chance, gaps**2)
    square = (p[:, None] - p[None, :]) ** 2
    mean = (first - square) @ w
    mean_square = (second - 2 * square * first + square**2) @ w
    expected = (mean_square / m + (1 - 1 / m) * mean**2).mean()
    assert models_numerics.exact_mean_square(law, m, r) == pytest.approx(expected, rel=1e-10)


# Conventions and limits


def test_each_law_has_a_limit_under_the_convention_that_the_study_says():
    """Delta m^{-h} hardly changes from m = 4^5 to 4^9, and meets phi on the ellipse where h = 0."""
    for law, convention in itertools.product(LAWS, CONVENTIONS.values()):
        power = delta_power(LAWS[law], convention)
        few, many = queries_cell(law, 4, 4**5, 4), queries_cell(law, 4, 4**9, 4)
        at = list(QUERIES_AXES["convention"]).index(convention.label)
        found = [numerics.truth_queries(ready)["pair_dissimilarity"][at] for ready in (few, many)]
        assert found[1] / found[0] == pytest.approx(4 ** (4 * power), rel=0.05)
        limit = float(numerics.truth_queries(many)["limit_dissimilarity"][at])
        if power == 0:
            assert limit == pytest.approx(found[1], rel=0.01)
            a, b = LAWS[law].half_widths
            assert limit == pytest.approx(np.sqrt((a**2 + b**2) / 3) ** convention.exponent)
        else:
            assert np.isnan(limit) if power > 0 else limit == 0
    labels, of = list(QUERIES_AXES["convention"]), numerics.truth_queries(few)["pair_dissimilarity"]
    assert of[labels.index(A25.label)] ** 2 == pytest.approx(of[labels.index(A24.label)], rel=1e-12)


def test_laws_that_are_no_laws_are_refused():
    with pytest.raises(InputError, match="powers 0"):
        Law("yes-no", mean_power=1.0)
    with pytest.raises(InputError, match="below 1/2"):
        Law("yes-no", radius=2.0)
    with pytest.raises(InputError, match="yes-no or normal"):
        Law("poisson")


# Numerics against slow twins


def test_deflation_undoes_the_noise_in_expectation():
    """E B^ = B + H diag(a) H, and known levels give B back; one level for all is what the smallest eigenvalues find."""
    ready = queries_cell("bounded", 12, 16, 4)
    n, a = 12, np.asarray(ready.gamma) / 4
    expected = numerics.less_noise(ready.squares, -jnp.asarray(a))
    H = np.eye(n) - 1 / n
    B = np.asarray(gram(jnp.sqrt(ready.squares)))
    np.testing.assert_allclose(gram(jnp.sqrt(expected)), B + H @ np.diag(a) @ H, atol=1e-12)
    again = numerics.deflated("known gamma", expected, jnp.asarray(a), jnp.asarray(2 * a))
    np.testing.assert_allclose(again, ready.squares, atol=1e-12)
    level = jnp.full(n, 0.7)
    lifted = numerics.less_noise(ready.squares, -level)
    lowered = numerics.deflated("smallest eigenvalues", lifted, 0 * level, 0 * level)
    np.testing.assert_allclose(lowered, ready.squares, atol=1e-11)


def aligned(psi: np.ndarray, target: np.ndarray) -> np.ndarray:
    return psi @ orthogonal_procrustes(psi, target)[0]


def scaled(D: np.ndarray) -> np.ndarray:
    n = len(D)
    H = np.eye(n) - 1 / n
    values, vectors = np.linalg.eigh(-0.5 * H @ D**2 @ H)
    return vectors[:, ::-1][:, :2] * np.sqrt(values[::-1][:2])


def pairs_of(means: np.ndarray, convention: Convention) -> np.ndarray:
    n, m = means.shape
    gaps = np.array([[np.linalg.norm(means[i] - means[k]) for k in range(n)] for i in range(n)])
    return convention.scale(m) * gaps**convention.exponent


@pytest.mark.parametrize("law", ["bounded", "means grow"])
def test_errors_of_growing_queries_are_those_of_a_slow_twin(law):
    ready, key = queries_cell(law, 8, 32, 16), jax.random.key(3, impl="threefry2x32")
    found = {name: np.asarray(value) for name, value in jax.jit(numerics.replicate_queries)(key, ready).items()}
    X, _ = numerics.draw_means(key, ready.answers, ready.means, ready.normal_gamma, ready.r)
    mu, X, (i, k) = np.asarray(ready.means), np.asarray(X), ready.pair
    for at, convention in enumerate(CONVENTIONS.values()):
        D, delta = pairs_of(X, convention), pairs_of(mu, convention)
        np.testing.assert_allclose(found["dissimilarity"][at], D[i, k] - delta[i, k], atol=1e-12)
        np.testing.assert_allclose(found["relative"][at], D[i, k] / delta[i, k] - 1, atol=1e-12)
        psi, target = scaled(D), scaled(delta)
        error = np.linalg.norm(aligned(psi, target) - target)
        np.testing.assert_allclose(found["frobenius"][at, 0], error, rtol=1e-8)
        np.testing.assert_allclose(found["relative_frobenius"][at, 0], error / np.linalg.norm(target), rtol=1e-8)
        size = np.linalg.norm(psi) ** 2 / np.linalg.norm(target) ** 2
        np.testing.assert_allclose(found["inflation"][at, 0], size, rtol=1e-10)
        power = delta_power(LAWS[law], convention)
        if power <= 0:
            limit = np.asarray(numerics.limit_of(LAWS[law], circle(8), convention))
            missed = np.linalg.norm(D - limit)
            np.testing.assert_allclose(found[numerics.limit_name(convention)], missed, rtol=1e-10)
    D, delta = pairs_of(X, DEFAULT), pairs_of(mu, DEFAULT)
    np.testing.assert_allclose(found["relative_squared"], D[i, k] ** 2 / delta[i, k] ** 2 - 1, atol=1e-10)


def circle(n: int):
    angles = 2 * np.pi * np.arange(n) / n
    return jnp.asarray(np.stack([np.cos(angles), np.sin(angles)], axis=1))


def test_errors_of_growing_models_are_those_of_a_slow_twin():
    ready, key = models_cell("means grow", 9, 16, 16), jax.random.key(5, impl="threefry2x32")
    found = {name: np.asarray(value) for name, value in jax.jit(models_numerics.replicate_models)(key, ready).items()}
    design_key, answers_key = jax.random.split(key)
    models, queries = models_numerics.draw_models_and_queries(design_key, ready)
    mu = 4 * np.asarray(models) @ np.asarray(queries).T
    X, _ = numerics.draw_means(answers_key, "normal", jnp.asarray(mu), 0.2, ready.r)
    X = np.asarray(X)
    off = ~np.eye(9, dtype=bool)
    for at, convention in enumerate(CONVENTIONS.values()):
        D, delta = pairs_of(X, convention), pairs_of(mu, convention)
        psi, target = scaled(D), scaled(delta)
        moved = aligned(psi, target) - target
        between = [np.linalg.norm(one[:, None] - one[None], axis=2) for one in (psi, target)]
        for which, (estimate, true) in enumerate([(D, delta), between]):
            missed, size = estimate - true, np.sqrt((true[off] ** 2).mean())
            np.testing.assert_allclose(found["pair"][at, which], missed[0, 1], atol=1e-10)
            np.testing.assert_allclose(found["l2"][at, which], np.sqrt((missed[off] ** 2).mean()), rtol=1e-8)
            np.testing.assert_allclose(found["worst"][at, which], np.abs(missed).max(), rtol=1e-8)
            np.testing.assert_allclose(found["relative_l2"][at, which], found["l2"][at, which] / size, rtol=1e-8)
            np.testing.assert_allclose(found["relative_worst"][at, which], found["worst"][at, which] / size, rtol=1e-8)
        np.testing.assert_allclose(found["frobenius"][at], np.linalg.norm(moved), rtol=1e-8)
        np.testing.assert_allclose(found["two_to_infinity"][at], np.linalg.norm(moved, axis=1).max(), rtol=1e-8)
        expected = np.linalg.norm(moved) / np.linalg.norm(target)
        np.testing.assert_allclose(found["relative_frobenius"][at], expected, rtol=1e-8)
    a, b = LAWS["means grow"].half_widths
    phi = np.asarray(models) * np.array([a, b]) / np.sqrt(3)
    limit = np.linalg.norm(phi[:, None] - phi[None], axis=2)
    D = pairs_of(X, A24)
    np.testing.assert_allclose(found["limit_m"][0], np.sqrt(((D - limit)[off] ** 2).mean()), rtol=1e-8)
    assert np.isnan(found["limit_sqrt_m"]).all()
    np.testing.assert_allclose(found["squared"], D[0, 1] ** 2 - pairs_of(mu, A24)[0, 1] ** 2, atol=1e-12)


@pytest.mark.parametrize("law", ["bounded", "means grow"])
def test_no_key_is_used_twice(law, monkeypatch):
    """Models, queries, answers and their variances are drawn with keys of their own."""
    used: list[tuple[int, ...]] = []

    def watched(function):
        def call(key, *arguments, **options):
            if not isinstance(key, Tracer):  # inside the samplers' own loops
                used.append(tuple(np.asarray(jax.random.key_data(key)).tolist()))
            return function(key, *arguments, **options)

        return call

    for module, name in ((numerics, "binomial"), (numerics, "normals"), (jax.random, "uniform")):
        monkeypatch.setattr(module, name, watched(getattr(module, name)))
    monkeypatch.setattr(jax.random, "chisquare", watched(jax.random.chisquare))
    models_numerics.replicate_models(jax.random.key(0, impl="threefry2x32"), models_cell(law, 4, 4, 4))
    assert len(used) >= (3 if law == "bounded" else 4)
    assert len(set(used)) == len(used)


# Raw stress


def test_raw_stress_keeps_the_error_of_the_limiting_dissimilarities_and_classical_scaling_does_not():
    """Yes-or-no answers at r = 4 and many queries: D^2 = Delta^2 + a_i + a_k off the diagonal, 24 models.

    Distances d of raw stress are as good as their best multiple: sum D d = sum d^2, and the stress is ||D||^2 -
    ||d||^2. At the minimum it is at most that of t Delta with the best t, ||D||^2 - ||t Delta||^2. So ||d|| >= t
    ||Delta||, and the relative error is at least t - 1. Classical scaling sees B + H diag(a) H: to first order a
    stretch of the axes by at most sqrt(1 + max a / lambda_2), where lambda_2 is of order n.
    """
    n, law = 24, LAWS["bounded"]
    models = np.asarray(numerics.on_circle(law, 2 * jnp.pi * jnp.arange(n) / n))
    S = np.asarray(numerics.squares_of(numerics.limiting(law, jnp.asarray(models))))
    a = (0.25 - models**2 @ np.array(law.second_moments)) / 4
    D, true = np.asarray(jnp.sqrt(numerics.less_noise(jnp.asarray(S), -jnp.asarray(a)))), np.sqrt(S)
    least = (D * true).sum() / (true**2).sum() - 1
    assert least > 0.4
    raw = raw_stress_mds(jnp.asarray(D), 2, key=jax.random.key(7, impl="threefry2x32"), starts=3)
    assert raw.converged
    found = [np.asarray(one.configuration) for one in (raw, classical_mds(jnp.asarray(D), 2))]
    missed = [np.linalg.norm(one[:, None] - one[None], axis=2) - true for one in found]
    stress, classical = (np.linalg.norm(one) / np.linalg.norm(true) for one in missed)
    stretch = np.sqrt(1 + a.max() / np.linalg.eigvalsh(np.asarray(gram(jnp.asarray(true))))[-2]) - 1
    assert stress > least
    assert classical < stretch < 0.13


# Runs


def test_a_run_of_growing_queries_meets_its_exact_moments(stat):
    """Bias and RMSE of D^2 lie within z standard errors of the exact values, in all bounded cells at m = 16.

    600 replicates: without gamma of one of the two models the bias would be off by half, 20 standard errors or more in
    every cell; the power against that is above 0.999.
    """
    study = configured(growing_queries.STUDY, {"m": [16], "law": ["bounded"]})
    store = run_study(study, replicates=600, seed=stat.seed, pin=False)
    assert store.failures() == []
    z = norm.isf(stat.rate / (4 * len(store.cells)))
    for at in range(len(store.cells)):
        errors = store.values("relative_squared", at)
        bias, rmse = store.truth("relative_bias", at), store.truth("exact_relative_squared", at)
        assert abs(errors.mean() - bias) < z * errors.std(ddof=1) / np.sqrt(600)
        squares = errors**2
        assert abs(squares.mean() - rmse**2) < z * squares.std(ddof=1) / np.sqrt(600)


@pytest.fixture(scope="module")
def queries_store():
    """Yes-or-no answers at r = 4, few and many queries."""
    return run_study(configured(growing_queries.STUDY, {"m": [16, 1024], **AT_FOUR}), replicates=40, pin=False)


@pytest.fixture(scope="module")
def models_store():
    """Yes-or-no answers at r = 4 and m = n, few and many models."""
    settings = {"n": [16, 64], "queries": ["m = n"], **AT_FOUR}
    return run_study(configured(growing_models.STUDY, settings), replicates=40, pin=False)


def test_more_queries_do_not_remove_the_inflation_and_deflation_does(queries_store):
    """DK-M7 at m = 1024 and r = 4. Means of 40 replicates have standard errors below 0.006, so 0.03 is five of them."""
    store, many = queries_store, 1
    found, expected = store.values("inflation", many).mean(axis=0), store.truth("expected_inflation", many)
    assert (store.values("inflation", many).std(axis=0, ddof=1) / np.sqrt(40)).max() < 0.006
    plain, *others = found[0]
    assert plain == pytest.approx(float(expected[0, 0]), abs=0.03)
    assert plain > 1.2
    assert max(abs(other - 1) for other in others) < 0.03
    np.testing.assert_allclose(found[0], found[1], rtol=1e-10)
    relative = np.sqrt((store.values("relative", many) ** 2).mean(axis=0))
    assert relative[0] == pytest.approx(relative[1], rel=1e-10)
    assert relative[0] > 0.5


def test_the_exponent_one_half_turns_the_sign_of_the_inflation(queries_store):
    """D is too large and Psi^ too small, until noise is taken out of the squares."""
    half = list(QUERIES_AXES["convention"]).index(A25.label)
    assert queries_store.values("relative", 1)[:, half].mean() > 0.2
    plain, known = queries_store.values("inflation", 1).mean(axis=0)[half, :2]
    assert plain < 0.9
    assert plain == pytest.approx(float(queries_store.truth("expected_inflation", 1)[half, 0]), abs=0.03)
    assert known == pytest.approx(1, abs=0.04)


def test_distances_of_perspectives_become_right_at_fixed_r_and_those_of_means_do_not(models_store):
    """Relative L^2 errors at m = n, r = 4: four times the models halve the one and leave the other."""
    few, many = (np.sqrt((models_store.values("relative_l2", at) ** 2).mean(axis=0))[0] for at in range(2))
    assert many[0] / few[0] > 0.85
    assert many[1] / few[1] < 0.5
    limits = [np.sqrt((models_store.values("limit_m", at)[:, 0] ** 2).mean()) for at in range(2)]
    assert limits[1] / limits[0] == pytest.approx(0.5, abs=0.05), "D falls under c = 1/m, as Delta does"


def test_sections_and_rates(queries_store, models_store):
    for study, store, section, figures in (
        (growing_queries.STUDY, queries_store, queries_section, 2),
        (growing_models.STUDY, models_store, models_section, 1),
    ):
        made = section(store)
        assert made is not None
        assert sum("<svg" in str(block) for block in made.blocks) == figures
        assert {fit.output for fit in fitted_rates(store)} == {rate.output for rate in study.rates}
    settings = {"m": [16], "law": ["means grow"], "rule": ["r = 4"], "batch_size": 2}
    assert queries_section(run_study(configured(growing_queries.STUDY, settings), replicates=2, pin=False)) is None


def test_cells_say_what_has_no_limit_there():
    for study in (growing_queries.STUDY, growing_models.STUDY):
        for cell in study.cells:
            assert cell.absent == (() if cell.factors["law"] == "bounded" else ("limit_sqrt_m",))
            assert cell.settings.r >= 4
