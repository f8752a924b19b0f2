"""The study's numbers against slow twins, and each predicted rate against the errors along rays to the limit."""

from __future__ import annotations

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from scipy.stats import norm

from dkps_theory.bounds import squared_dissimilarity_mean
from dkps_theory.geometry import line_minimisers, raw_stress_mds
from simulations.runner import run_study
from simulations.studies import _perspective_errors as numerics
from simulations.studies.fixed_models_fixed_queries import CELLS, STUDY
from simulations.summaries import band, curves

GRID = (10.0, 1e5, 1e9)
BY_NAME = {cell.name: cell for cell in CELLS}


@functools.cache
def prepared(name: str) -> numerics.Prepared:
    return numerics.prepare(BY_NAME[name], {"r": GRID, "r_shown": GRID[:1]})


@functools.cache
def truth(name: str) -> dict[str, np.ndarray]:
    return {key: np.asarray(value) for key, value in numerics.truth(prepared(name)).items()}


@pytest.mark.parametrize("name", ["coincident", "coincident-square-root", "above-rank"])
def test_errors_are_those_of_a_slow_twin(name):
    ready = prepared(name)
    n, m, p = ready.population.shape
    noise = 0.1 * np.random.default_rng(0).normal(size=(n, m, p))
    r = 400.0
    found = jax.jit(numerics.errors_at)(ready, jnp.asarray(noise), jnp.asarray(r))
    means, e, c = np.asarray(ready.population.mean) + noise, ready.convention.exponent, 1 / np.sqrt(m)
    D = np.array([[c * np.linalg.norm(means[i] - means[k]) ** e for k in range(n)] for i in range(n)])
    mu = np.asarray(ready.population.mean)
    delta = np.array([[c * np.linalg.norm(mu[i] - mu[k]) ** e for k in range(n)] for i in range(n)])
    np.testing.assert_allclose(found["dissimilarity"], D[0, 1] - delta[0, 1], atol=1e-12)
    np.testing.assert_allclose(found["largest_dissimilarity"], np.abs(D - delta).max(), atol=1e-12)
    np.testing.assert_allclose(found["squared"], D[0, 1] ** 2 - delta[0, 1] ** 2, atol=1e-12)
    if e == 1:
        gamma = np.asarray(ready.population.gamma)
        noise_term = c**2 * (gamma[0] + gamma[1]).sum() / r
        np.testing.assert_allclose(found["debiased"], D[0, 1] ** 2 - delta[0, 1] ** 2 - noise_term, atol=1e-12)
    else:
        assert np.isnan(found["debiased"])
    H = np.eye(n) - 1 / n
    values, vectors = np.linalg.eigh(-0.5 * H @ D**2 @ H)
    psi = vectors[:, ::-1][:, : ready.d] * np.sqrt(values[::-1][: ready.d])
    target = np.asarray(ready.configuration)
    moved = psi @ orthogonal_procrustes(psi, target)[0]
    np.testing.assert_allclose(found["configuration"], moved, atol=1e-9)
    np.testing.assert_allclose(found["frobenius"], np.linalg.norm(moved - target), atol=1e-9)
    np.testing.assert_allclose(found["spectral"], np.linalg.norm(moved - target, 2), atol=1e-9)
    np.testing.assert_allclose(found["two_to_infinity"], np.linalg.norm(moved - target, axis=1).max(), atol=1e-9)


def test_the_exact_curve_is_that_of_the_exact_mean_and_variance():
    ready, found = prepared("coincident"), truth("coincident")
    mean, gamma = ready.population.mean, ready.population.gamma
    expected = [float(squared_dissimilarity_mean(mean, gamma, r)[0, 1]) for r in GRID]
    delta = float(ready.dissimilarities[0, 1]) ** 2
    bias = np.sqrt(np.maximum(found["exact_squared"] ** 2 - found["exact_debiased"] ** 2, 0))
    np.testing.assert_allclose(bias, np.array(expected) - delta, rtol=1e-6)


CASES = [
    "coincident",
    "coincident-square-root",
    "closed-eigengap",
    "above-rank",
    "above-rank-square-root",
    "raw-stress",
    "raw-stress-below-rank",
    "raw-stress-tied",
]


@pytest.mark.parametrize("name", CASES)
def test_every_predicted_rate_holds_towards_the_limit(name):
    """The share compares r with 10^12 at the predicted rate: another rate leaves a factor of 10^1.5 or more at 10^9."""
    for output, rate in BY_NAME[name].rates.items():
        share = truth(name)[f"share_{output}"]
        assert share[-1] < 0.02, output
        assert share[0] >= share[1] >= share[2], output
        wrong = np.array([10.0, 1e9, 1e12]) ** (2 * rate + 0.5)
        assert numerics.share_of_mean_square(np.array([10.0, 1e9, 1e12]), wrong, rate)[1] > 0.9


@pytest.mark.parametrize("name", CASES)
def test_each_cell_is_the_case_it_stands_for(name):
    cell, ready, found = BY_NAME[name], prepared(name), truth(name)
    assert (found["pair_dissimilarity"] == 0) == ("coincident" in name or name == "above-rank-square-root")
    assert (found["eigengap"] == 0) == (name == "closed-eigengap" or cell.settings.dimension > found["rank"])
    assert (cell.settings.dimension > found["rank"]) == name.startswith("above-rank")
    assert ready.tied.shape[1] == (2 if name == "closed-eigengap" else 0)
    assert len(ready.members) == (0 if not name.startswith("raw-stress") else 2 if name == "raw-stress-tied" else 1)
    if cell.settings.dimension > found["rank"]:
        assert not np.any(found["perspectives"][:, int(found["rank"]) :])


def test_solutions_of_a_closed_eigengap_are_solutions():
    """Psi turned inside the tied eigenspace has the error of Psi against Psi, 0, to the nearest solution."""
    ready = prepared("closed-eigengap")
    turned = np.asarray(ready.configuration).copy()
    other = np.asarray(ready.tied) @ np.array([0.6, 0.8])
    turned[:, 1] = np.sqrt(float(ready.eigenvalues[1])) * other
    assert float(numerics.nearest_solution_error(ready, jnp.asarray(turned))) < 1e-12
    assert float(numerics.nearest_solution_error(ready, jnp.asarray(1.1 * turned))) > 0.05


def test_the_two_minimisers_of_the_tied_triangle_are_the_enumerated_ones():
    ready = prepared("raw-stress-tied")
    stress, found = line_minimisers(np.asarray(ready.dissimilarities))
    assert stress == pytest.approx(200 / 3)
    gaps = sorted(
        float(np.ptp(np.abs(np.subtract.outer(x, x)) - np.abs(np.subtract.outer(y, y))))
        for x in found
        for y in np.asarray(ready.members)[:, :, 0]
    )
    np.testing.assert_allclose(gaps, [0, 0, 40 / 3, 40 / 3], atol=1e-9)


def test_raw_stress_above_the_rank_resolves_its_third_column_over_ten_decades():
    """Errors are proportional to the noise, where a gradient of 1e-12 alone would leave 1e-4 of the third column."""
    ready = prepared("raw-stress-above-rank")
    noise = np.random.default_rng(0).normal(size=ready.population.shape)
    scales = jnp.asarray([1e-2, 1e-4, 1e-6])
    found = jax.jit(lambda ready: jax.lax.map(lambda s: numerics.errors_at(ready, s * noise, 1 / s**2), scales))(ready)
    errors = np.asarray(found["frobenius"] / scales)
    np.testing.assert_allclose(errors[1:], errors[0], rtol=0.05)
    assert np.asarray(found["configuration"])[-1, :, 2].std() > 1e-8


def test_a_replicate_whose_raw_stress_does_not_converge_counts_as_failed(monkeypatch):
    ready = prepared("raw-stress-tied")

    def unconverged(D, d, *, key, starts):
        found = raw_stress_mds(D, d, key=key, starts=starts)
        return dataclasses.replace(found, converged=jnp.asarray(False))

    monkeypatch.setattr(numerics, "raw_stress_mds", unconverged)
    found = jax.jit(lambda ready: numerics.errors_at(ready, jnp.zeros((3, 1, 2)), jnp.asarray(10.0)))(ready)
    assert np.isnan(found["frobenius"])
    assert np.isnan(found["nearest"])
    assert found["dissimilarity"] == 0


def test_a_small_run_end_to_end():
    cell = BY_NAME["coincident"]
    study = dataclasses.replace(STUDY, cells=(cell,), batch_size=10)
    store = run_study(study, replicates=40, pin=False)
    assert store.failures() == []
    assert np.isnan(store.values("nearest", 0)).all()
    assert store.values("configuration", 0).shape == (40, 4, 8, 2)
    assert band(curves(store)) is None, "40 replicates are too few for a band"
    for curve in curves(store):
        assert curve.failures == 0
        assert np.all(np.diff(np.log(curve.rmse)) < 0), curve.output


@pytest.mark.parametrize("name", ["regular", "coincident"])
def test_exact_curves_and_slopes(name, stat):
    """D^2 and its debiased form lie in the band around their exact curves, and slopes are the predicted ones."""
    for_band, for_slopes = stat.split(2)
    study = dataclasses.replace(STUDY, cells=(BY_NAME[name],), batch_size=20)
    found = curves(run_study(study, replicates=300, seed=stat.seed, pin=False))
    assert band(found, confidence=1 - for_band.rate).outside == 0
    z = norm.isf(for_slopes.rate / (2 * len(found)))
    for curve in found:
        assert curve.slope_se < 0.005, curve.output
        assert abs(curve.slope - curve.predicted) <= 0.01 + z * curve.slope_se, curve.output
