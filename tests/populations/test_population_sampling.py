"""What every population shares: paths, keys, and the check of r."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

from dkps_theory._validate import InputError
from dkps_theory.monte_carlo import replicate
from dkps_theory.populations import GaussianMixture, bernoulli
from dkps_theory.populations.base import MAX_REPLICATES, replicate_grid
from dkps_theory.testing import assert_same_law, assert_unbiased

GRID = np.array([3.0, 10.0, 11.0])


def mixture():
    weights = np.broadcast_to([0.3, 0.7], (2, 1, 2))
    means = np.broadcast_to(np.array([[-1.0], [2.0]]), (2, 1, 2, 1))
    return GaussianMixture(weights, means, np.broadcast_to([0.1, 0.5], (2, 1, 2)))


def path_sums(key):
    """r E along the grid, both models: (len, n). One function, compiled once for all tests."""
    return mixture().sample_mean_error_path(key, GRID)[:, :, 0, 0] * GRID[:, None]


def test_increments_are_independent(stat):
    # Sums of disjoint blocks: fresh draws at r_1, r_2 - r_1, r_3 - r_2, jointly, with their products and magnitudes.
    population = mixture()

    def fresh(key):
        blocks = jnp.asarray([3.0, 7.0, 1.0])
        errors = jax.vmap(population.sample_mean_errors)(jax.random.split(key, 3), blocks)
        return errors[:, 0, 0, 0] * blocks

    def increments(key, size):
        return np.diff(replicate(path_sums, jax.random.split(key, size), 1000)[:, :, 0], axis=1, prepend=0.0)

    assert_same_law(
        increments,
        lambda key, size: replicate(fresh, jax.random.split(key, size), 1000),
        key=stat.key(),
        false_fail_rate=stat.rate,
        statistics={
            "12": lambda x: x[:, 0] * x[:, 1],
            "13": lambda x: x[:, 0] * x[:, 2],
            "23": lambda x: x[:, 1] * x[:, 2],
            "magnitudes": lambda x: np.abs(x[:, 1]) * np.abs(x[:, 2]),
            "whole": lambda x: x.sum(axis=1),
        },
    )


def test_covariances_along_a_path_and_between_models(stat):
    # Cov(r_1 E_1, r_3 E_3) = r_1 Sigma for nested responses; models are independent.
    def products(key, size):
        sums = replicate(path_sums, jax.random.split(key, size), 1000)
        return np.stack(
            [sums[:, 0, 0] * sums[:, 2, 0], sums[:, 0, 0] * sums[:, 0, 1], sums[:, 2, 0] * sums[:, 2, 1]], 1
        )

    truth = np.array([3 * float(mixture().gamma[0, 0]), 0, 0])
    assert_unbiased(products, truth, key=stat.key(), false_fail_rate=stat.rate)


def test_same_key_same_draw_and_models_differ():
    population = mixture()
    key, other = jax.random.split(jax.random.key(0, impl="threefry2x32"))
    for draw in (
        lambda key: population.sample(key, 4),
        lambda key: population.sample_mean_path(key, GRID),
    ):
        first = np.asarray(draw(key))
        np.testing.assert_array_equal(first, draw(key))
        assert np.all(first != np.asarray(draw(other)))
        assert len(np.unique(first)) == first.size  # no two models, replicates or grid points share a draw


def test_means_are_mean_plus_errors_and_r_may_be_traced():
    population = bernoulli(np.full((4, 4), 0.3))
    key = jax.random.key(1, impl="threefry2x32")
    errors = population.sample_mean_errors(key, 50)
    np.testing.assert_array_equal(population.sample_means(key, 50), population.mean + errors)
    traced = jax.jit(lambda r: population.sample_mean_errors(key, r))(50.0)
    np.testing.assert_allclose(traced, errors, rtol=1e-13)
    path = population.sample_mean_error_path(key, GRID)
    np.testing.assert_allclose(
        jax.jit(lambda g: population.sample_mean_error_path(key, g))(jnp.asarray(GRID)), path, rtol=1e-12
    )
    np.testing.assert_array_equal(population.sample_mean_error_path(key, [3, 10, 11]), path)
    np.testing.assert_array_equal(population.sample_mean_path(key, GRID), population.mean[None] + path)
    np.testing.assert_array_equal(population.sample_mean_errors(key, np.int64(50)), errors)
    np.testing.assert_array_equal(population.sample_mean_errors(key, jnp.asarray(50)), errors)


def test_variance_of_means_of_independent_responses():
    population = mixture()
    np.testing.assert_allclose(population.mean_variance(10**12), np.asarray(population.gamma) / 1e12, rtol=1e-15)
    traced = jax.jit(lambda law, r: law.mean_variance(r))(population, 4.0)
    np.testing.assert_allclose(traced, np.asarray(population.gamma) / 4, rtol=1e-15)


def test_draws_of_a_replicate_do_not_depend_on_its_batch():
    # The rejection loops run until the slowest replicate of a batch is done; the others must not notice.
    population = bernoulli(np.full((4, 4), 0.3))
    keys = jax.random.split(jax.random.key(2, impl="threefry2x32"), 124)
    draw = jax.jit(jax.vmap(lambda key: population.sample_mean_errors(key, 10**6)))
    np.testing.assert_array_equal(draw(keys[:64])[:4], draw(jnp.concatenate([keys[:4], keys[64:]]))[:4])


@pytest.mark.parametrize("r", [0, -1, 2.5, float("nan"), float("inf"), True, MAX_REPLICATES + 2])
def test_wrong_r_is_refused(r):
    population = bernoulli([[0.5]])
    key = jax.random.key(0, impl="threefry2x32")
    for draw in (
        population.sample,
        population.sample_means,
        population.sample_mean_errors,
        lambda _, r: population.mean_variance(r),
    ):
        with pytest.raises(InputError, match=r"r \(replicates\): got .* must be a whole number from 1"):
            draw(key, r)
    with pytest.raises(InputError, match="r_grid"):
        population.sample_mean_path(key, [1, r])


@pytest.mark.parametrize(
    ("key", "got"),
    [
        (0, "0"),
        (None, "None"),
        (jax.random.PRNGKey(0), r"uint32 of shape \(2,\)"),
        (np.zeros(2, dtype=np.uint32), r"uint32 of shape \(2,\)"),
        (jax.random.split(jax.random.key(0, impl="threefry2x32")), r"key<fry> of shape \(2,\)"),
    ],
    ids=["int", "None", "untyped", "NumPy", "several"],
)
def test_wrong_keys_are_refused(key, got, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # calls as users make them
    population = bernoulli([[0.5]])
    draws = (population.sample, population.sample_means, population.sample_mean_errors)
    paths = (population.sample_mean_path, population.sample_mean_error_path)
    for draw, r in [*((draw, 2) for draw in draws), *((draw, [2, 3]) for draw in paths)]:
        with pytest.raises(InputError, match=rf"key: got {got}; .* one typed key, as from jax.random.key\(seed\)"):
            draw(key, r)


def test_an_untyped_key_is_refused_where_it_is_traced(monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    draw = jax.jit(lambda key: bernoulli([[0.5]]).sample_mean_errors(key, 2))
    with pytest.raises(InputError, match="key: got uint32"):
        draw(jax.random.PRNGKey(0))


def test_more_responses_than_fit_are_refused():
    population = bernoulli(np.full((4, 4), 0.3))
    key = jax.random.key(0, impl="threefry2x32")
    with pytest.raises(InputError, match=r"sample: n m r p = 16,000,000,000,000 numbers, more than .*; sample_means"):
        population.sample(key, 10**12)
    with pytest.raises(InputError, match="sample: n m r p"):
        jax.eval_shape(lambda key: population.sample(key, 2**27 + 1), key)
    assert jax.eval_shape(lambda key: population.sample(key, 2**20), key).shape == (4, 4, 2**20, 1)


def test_wrong_grids_are_refused():
    for grid in ([], [2, 1], [1, 1]):
        with pytest.raises(InputError, match="non-empty, strictly increasing"):
            replicate_grid(grid)
    for grid in (5, [[1, 2], [3, 4]], np.ones((1, 1))):
        with pytest.raises(InputError, match=r"r_grid: got [02] axes .* must be one list"):
            replicate_grid(grid)
    for grid in (["a"], None, [[1, 2], [3]], [10**400]):
        with pytest.raises(InputError, match="r_grid"):
            replicate_grid(grid)
