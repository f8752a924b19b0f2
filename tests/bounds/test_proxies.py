"""Sub-Gaussian proxies of populations against exact moment generating functions."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import dkps_theory as dk
from dkps_theory.populations._proxies import two_point_variance
from proofs_checks.claims.cl_hkz import log_moment_excess


@pytest.mark.parametrize("w", [1e-6, 0.03, 0.3, 0.4999, 0.5, 0.9])
def test_two_point_variance_is_the_least_that_works(w):
    steps = np.concatenate([-np.geomspace(1e-2, 60, 4000), np.geomspace(1e-2, 60, 4000)])
    log_moment = np.logaddexp(np.log1p(-w) - w * steps, np.log(w) + (1 - w) * steps)
    needed = (2 * log_moment / steps**2).max()
    assert float(two_point_variance(jnp.asarray(w))) == pytest.approx(needed, rel=1e-4)


def mixtures(covariance_type: str):
    generator = np.random.default_rng(4)
    weights = generator.dirichlet(np.ones(3), size=(2, 2))
    weights[0, 0] = [1.0, 0.0, 0.0]  # components that are never drawn
    weights[0, 1] = [0.4, 0.6, 0.0]
    means = generator.normal(size=(2, 2, 3, 2)) * np.array([4.0, 0.3])
    root = generator.normal(size=(2, 2, 3, 2, 2))
    spread = {
        "spherical": generator.uniform(0, 2, (2, 2, 3)),
        "diagonal": generator.uniform(0, 2, (2, 2, 3, 2)),
        "full": root @ root.swapaxes(-1, -2),
    }
    return dk.GaussianMixture(weights, means, spread[covariance_type], covariance_type)


@pytest.mark.parametrize("covariance_type", ["spherical", "diagonal", "full"])
def test_mixtures(covariance_type):
    population = mixtures(covariance_type)
    generator = np.random.default_rng(0)
    assert log_moment_excess(population, generator, 800) <= 1e-9
    assert log_moment_excess(population, generator, 800, share=0.3) > 0
    # One component: exactly the covariance.
    proxy, covariance = jax.jit(lambda law: (law.subgaussian_proxy, law.covariance))(population)
    np.testing.assert_allclose(proxy[0, 0], covariance[0, 0], atol=1e-12)


def test_letters():
    generator = np.random.default_rng(5)
    weights = generator.dirichlet(np.full(5, 0.4), size=(3, 2))
    weights[0, 0], weights[1, 0] = [0, 0.2, 0, 0.8, 0], [0, 0, 1, 0, 0]
    table = 100 + generator.normal(size=(5, 3)) * np.array([5.0, 1.0, 0.0])  # an offset, and no extent along one axis
    population = dk.Categorical(weights, table)
    assert log_moment_excess(population, generator, 800) <= 1e-9
    proxy = np.asarray(population.subgaussian_proxy)
    assert np.all(proxy[1, 0] == 0)
    step = table[1] - table[3]
    pair = 0.8 - 0.2
    expected = pair / (2 * np.log(4)) * np.outer(step, step)
    np.testing.assert_allclose(proxy[0, 0], expected, atol=1e-9)
    # The better of a ball and an ellipse: no more than a ball needs.
    ball = np.square(np.linalg.norm(table[:, None] - table[None], axis=-1)).max() / 4 * 3
    assert np.trace(proxy[2, 1]) <= ball


def test_under_jit_and_where_none_exists():
    population = mixtures("full")
    traced = jax.jit(lambda law: law.subgaussian_proxy)(population)
    np.testing.assert_allclose(traced, population.subgaussian_proxy, atol=1e-12)
    assert dk.HeavyTailed([[[0.0]]], scale=1.0, alpha=1.5).subgaussian_proxy is None
