"""Moments against quadrature, draws against brute force, and every refusal."""

from __future__ import annotations

from fractions import Fraction

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

from dkps_theory._validate import InputError
from dkps_theory.monte_carlo import replicate
from dkps_theory.populations import GaussianMixture, base
from dkps_theory.testing import assert_same_law, assert_unbiased

KINDS = ("spherical", "diagonal", "full")


def make(kind, n=1, m=2, k=3, p=2, seed=0):
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.ones(k), (n, m))
    means = 3 * rng.normal(size=(n, m, k, p)) + 5
    if kind == "full":
        factor = rng.normal(size=(n, m, k, p, p))
        return GaussianMixture(weights, means, factor @ np.swapaxes(factor, -1, -2), kind)
    return GaussianMixture(
        weights, means, rng.uniform(0.2, 2, (n, m, k) if kind == "spherical" else (n, m, k, p)), kind
    )


def quadrature(population):
    """Return nodes about the mean (n, m, q, p) and weights (n, m, q), exact for moments up to order 7."""
    n, m, p = population.shape
    points, mass = np.polynomial.hermite_e.hermegauss(4)
    grid = np.stack(np.meshgrid(*[points] * p, indexing="ij"), axis=-1).reshape(-1, p)
    mass = np.prod(np.stack(np.meshgrid(*[mass / mass.sum()] * p, indexing="ij"), axis=-1).reshape(-1, p), axis=-1)
    nodes, weights = [], []
    for i, j in np.ndindex(n, m):
        row, row_weights = [], []
        for k, weight in enumerate(np.asarray(population.weights[i, j])):
            spread = np.asarray(population.component_covariances[i, j, k])
            covariance = {"spherical": lambda s: s * np.eye(p), "diagonal": np.diag, "full": lambda s: s}[
                population.covariance_type
            ](spread)
            row.append(np.asarray(population.component_means[i, j, k]) + grid @ np.linalg.cholesky(covariance).T)
            row_weights.append(weight * mass)
        nodes.append(np.concatenate(row))
        weights.append(np.concatenate(row_weights))
    nodes = np.reshape(nodes, (n, m, -1, p))
    weights = np.reshape(weights, (n, m, -1))
    return nodes - (weights[..., None] * nodes).sum(axis=2, keepdims=True), weights, (weights[..., None] * nodes).sum(2)


@pytest.mark.parametrize("kind", KINDS)
def test_moments_are_those_of_quadrature(kind):
    population = make(kind)
    x, w, mean = quadrature(population)
    np.testing.assert_allclose(population.mean, mean, rtol=1e-12)
    np.testing.assert_allclose(population.covariance, np.einsum("ijq,ijqa,ijqb->ijab", w, x, x), rtol=1e-11)
    third = np.einsum("ijq,ijqa,ijqb,ijqc->ijabc", w, x, x, x)
    np.testing.assert_allclose(population.third_central_moment, third, rtol=1e-10, atol=1e-10)
    fourth = np.einsum("ijq,ijqa,ijqb,ijqc,ijqd->ijabcd", w, x, x, x, x)
    np.testing.assert_allclose(population.fourth_central_moment, fourth, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_contractions_are_those_of_the_tensors(kind):
    population = make(kind, n=2, m=2, k=2, p=3, seed=1)
    np.testing.assert_allclose(population.gamma, np.einsum("ijaa->ij", population.covariance), rtol=1e-12)
    cubic = np.einsum("ijabb->ija", population.third_central_moment)
    np.testing.assert_allclose(population.cubic_moment, cubic, rtol=1e-10, atol=1e-12)
    quartic = np.einsum("ijaabb->ij", population.fourth_central_moment)
    np.testing.assert_allclose(population.quartic_moment, quartic, rtol=1e-11)


def test_large_tensors_are_refused_and_contractions_are_not():
    population = GaussianMixture(np.ones((2, 2, 1)), np.zeros((2, 2, 1, 100)), np.ones((2, 2, 1)))
    with pytest.raises(InputError, match="use quartic_moment instead"):
        _ = population.fourth_central_moment
    np.testing.assert_allclose(population.quartic_moment, 100 * 102)
    assert population.third_central_moment.shape == (2, 2, 100, 100, 100)


REPLICATES = np.array([1.0, 40.0, 1e12])


def brute_means(population, key):
    """Errors of the means of 1 and of 40 responses, drawn one by one: (2, m, p)."""
    draws = (population.sample(key, 41) - population.mean[:, :, None])[0]
    return jnp.stack([draws[:, 0], draws[:, 1:].mean(axis=1)])


def exact_means(population, key):
    """Errors at REPLICATES: (3, m, p)."""
    keys = jax.random.split(key, len(REPLICATES))
    return jax.vmap(population.sample_mean_errors)(keys, jnp.asarray(REPLICATES))[:, 0]


@pytest.mark.parametrize("kind", ["diagonal", "full"])
def test_means_have_the_law_of_brute_force_and_the_moments(kind, stat):
    # At r = 1 the law is the mixture itself; at r = 40 counts come from both samplers of counts.
    population = make(kind, seed=2)
    exact = jax.tree_util.Partial(exact_means, population)
    law, moments = stat.split(2)
    assert_same_law(
        lambda key, size: replicate(jax.tree_util.Partial(brute_means, population), jax.random.split(key, size), 1000),
        lambda key, size: replicate(exact, jax.random.split(key, size), 1000)[:, :2],
        key=law.key(),
        false_fail_rate=law.rate,
        detectable=0.1,
        statistics={
            "norm at r = 1": lambda e: (e[:, 0] ** 2).sum(axis=(1, 2)),
            "norm at r = 40": lambda e: (e[:, 1] ** 2).sum(axis=(1, 2)),
            "projection": lambda e: e[:, 1].reshape(-1, 4) @ [1.0, -2.0, 0.5, 1.0],
            "product": lambda e: e[:, 1, 0, 0] * e[:, 1, 0, 1],
        },
    )

    # Cumulants of means: covariance / r, third moment / r^2.
    def products(key, size):
        e = replicate(exact, jax.random.split(key, size), 1000) * np.sqrt(REPLICATES)[:, None, None]
        pairs = e[..., None] * e[..., None, :]
        return np.concatenate([e, pairs.reshape(*e.shape[:-1], 4), e * (e**2).sum(axis=-1, keepdims=True)], axis=-1)

    covariance, cubic = np.asarray(population.covariance)[0].reshape(2, 4), np.asarray(population.cubic_moment)[0]
    truth = [np.concatenate([np.zeros((2, 2)), covariance, cubic / np.sqrt(r)], axis=-1) for r in REPLICATES]
    assert_unbiased(products, np.array(truth), key=moments.key(), false_fail_rate=moments.rate)


@pytest.mark.parametrize("rare", [0.0, 1e-9, 0.25, 1 - 1e-9, 1.0])
@pytest.mark.parametrize("r", [1, 10, 10**6, 10**12])
def test_errors_keep_their_digits(rare, r):
    # With no Gaussian part r (mu + E) is a whole number, here of the second component: E recovers it, and then agrees
    # with exact fractions. The common part of the means would swamp the difference if it were ever subtracted.
    weights = np.broadcast_to([rare, 1 - rare], (4, 4, 2))
    means = np.broadcast_to(np.array([[1024.0], [1025.0]]), (4, 4, 2, 1))
    population = GaussianMixture(weights, means, np.zeros((4, 4, 2)))
    errors = np.asarray(population.sample_mean_errors(jax.random.key(5, impl="threefry2x32"), r))
    first, second = (Fraction(float(value)) for value in weights[0, 0])
    mean = second / (first + second)
    for error in errors.ravel():
        count = round((mean + Fraction(float(error))) * r)
        assert 0 <= count <= r
        truth = float(Fraction(count, r) - mean)
        assert abs(error - truth) <= 1e-9 * max(abs(truth), np.sqrt(rare * (1 - rare) / r))


def test_a_common_offset_costs_the_errors_nothing():
    weights = np.broadcast_to([0.25, 0.75], (4, 4, 2))
    means = np.broadcast_to(np.array([[0.125], [1.0]]), (4, 4, 2, 1))
    key = jax.random.key(0, impl="threefry2x32")
    draws = [
        GaussianMixture(weights, means + c, np.ones((4, 4, 2))).sample_mean_errors(key, 10**12) for c in (0, 2**30)
    ]
    np.testing.assert_array_equal(*draws)


def test_one_component_and_singular_covariances():
    singular = np.array([[1.0, 2.0], [2.0, 4.0]])
    population = GaussianMixture(np.ones((1, 1, 1)), np.zeros((1, 1, 1, 2)), singular[None, None, None], "full")
    key = jax.random.key(0, impl="threefry2x32")
    error = np.asarray(population.sample_mean_errors(key, 100))[0, 0]
    np.testing.assert_allclose(error[1], 2 * error[0], rtol=1e-7)
    draws = np.asarray(population.sample(key, 50))[0, 0]
    np.testing.assert_allclose(draws[:, 1], 2 * draws[:, 0], rtol=1e-6, atol=1e-7)
    silent = GaussianMixture(np.ones((1, 2, 1)), np.ones((1, 2, 1, 2)), np.zeros((1, 2, 1)))
    assert not np.any(silent.sample_mean_errors(key, 10))


def test_populations_are_pytrees():
    population = make("full")
    leaves, structure = jax.tree.flatten(population)
    assert jax.tree.unflatten(structure, leaves).covariance_type == "full"
    doubled = jax.jit(lambda p: jax.tree.map(lambda leaf: 2 * leaf, p))(population)
    np.testing.assert_array_equal(doubled.component_means, 2 * population.component_means)

    def rebuilt(scale):
        made = GaussianMixture(
            population.weights, scale * population.component_means, population.component_covariances, "full"
        )
        return made.gamma

    # Built inside jit and vmap: values are trusted, nothing is checked twice.
    np.testing.assert_allclose(jax.jit(jax.vmap(rebuilt))(jnp.ones(2))[1], population.gamma, rtol=1e-12)


def test_weights_off_by_printed_rounding_are_divided_out():
    third = 0.3333333333
    population = GaussianMixture([[[third] * 3]], np.zeros((1, 1, 3, 1)), np.ones((1, 1, 3)))
    assert abs(float(population.weights.sum()) - 1) < 1e-15
    again = GaussianMixture(population.weights, population.component_means, population.component_covariances)
    np.testing.assert_array_equal(again.weights, population.weights)


def test_bad_input_is_refused_in_one_line():
    weights, means = np.full((2, 3, 2), 0.5), np.zeros((2, 3, 2, 4))
    good = np.broadcast_to(np.eye(4), (2, 3, 2, 4, 4))

    def spoiled(array, place, value):
        array = np.array(array)
        array[place] = value
        return array

    crooked = spoiled(good, (1, 2, 0, 0, 1), 1e-6)
    # Symmetric, positive diagonal, determinant positive: only the eigenvalues tell.
    indefinite = spoiled(good, (0, 1, 1), np.diag([1.0, 1.0, -1e-3, -1e-3]) + 1e-2)
    cases = [
        (
            (spoiled(weights, (1, 2, 0), 0.4), means, weights),
            r"weights: sum to 0\.9 at model 1, query 2; they must sum",
        ),
        ((weights * (1 + 1e-8), means, weights), r"weights: sum to 1\.00000001 at model 0, query 0"),
        (
            (spoiled(weights, (0, 1), [1.5, -0.5]), means, weights),
            r"weights: got -0\.5 at model 0, query 1, component 1",
        ),
        (
            (spoiled(weights, (0, 1, 0), np.nan), means, weights),
            r"weights: 1 value not finite, the first at \[0, 1, 0\]",
        ),
        ((weights, spoiled(means, (0, 0, 0, 0), np.inf), weights), "component_means: 1 value not finite"),
        ((weights[0], means, weights), "weights: got 2 axes"),
        ((weights, means[..., 0], weights), "component_means: got 3 axes"),
        ((weights, means[:, :, :, :0], weights), "component_means: axis p is empty"),
        ((weights[:, :2], means, weights), r"weights: got shape \(2, 2, 2\); with these component_means"),
        ((weights, means, -weights), r"component_covariances: got -0\.5 at model 0, query 0, component 0; a variance"),
        ((weights, means, weights[:1]), r"component_covariances: got shape \(1, 3, 2\)"),
        ((weights, means, weights, "diagonal"), "component_covariances: got 3 axes"),
        ((weights, means, crooked, "full"), "not symmetric at model 1, query 2, component 0"),
        ((weights, means, indefinite, "full"), "not positive semi-definite at model 0, query 1, component 1"),
        ((weights, means, good[..., :3], "full"), "the last two axes must be equal"),
        ((weights, means, weights, "sferical"), "did you mean 'spherical'"),
        ((weights, "text", weights), "component_means: not an array of numbers"),
    ]
    for arguments, message in cases:
        with pytest.raises(InputError, match=message) as caught:
            GaussianMixture(*arguments)
        assert "\n" not in str(caught.value)


def test_rounding_in_covariances_is_not_an_error():
    rng = np.random.default_rng(0)
    factor = rng.normal(size=(1, 1, 1, 6, 2))
    singular = factor @ np.swapaxes(factor, -1, -2)
    singular[..., 0, 1] *= 1 + 1e-15
    made = GaussianMixture(np.ones((1, 1, 1)), np.zeros((1, 1, 1, 6)), singular, "full")
    np.testing.assert_array_equal(made.component_covariances, made.component_covariances.mT)
    np.testing.assert_allclose(made._roots @ made._roots.mT, singular, atol=1e-12)


def test_tensor_guard_names_the_contraction():
    for order, name in ((2, "gamma"), (3, "cubic_moment"), (4, "quartic_moment")):
        with pytest.raises(InputError, match=f"use {name} instead"):
            base.tensor_guard((10**4, 10**4, 10), order)


@pytest.mark.parametrize("kind", [None, ["full"], 1])
def test_a_covariance_type_that_is_no_text_is_refused(kind, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # calls as users make them
    with pytest.raises(InputError, match=r"covariance_type: got .* must be text, one of diagonal, full, spherical"):
        GaussianMixture([[[1.0]]], [[[[0.0]]]], [[[1.0]]], kind)
