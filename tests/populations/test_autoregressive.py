"""AR(1) replicates: formulas against exact sums, in fractions and in many digits, and draws against the series."""

from __future__ import annotations

from fractions import Fraction

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from dkps_theory._validate import InputError
from dkps_theory.monte_carlo import replicate
from dkps_theory.populations import AutoregressiveReplicates, Population
from dkps_theory.populations.autoregressive import BlockLaw, block_law, variance_of_sum
from dkps_theory.testing import assert_same_law, assert_unbiased

RHOS = [0.0, 0.25, 0.5, 0.75, 0.9375, -0.125, -0.5, -0.75, -0.9375]
HARD_RHOS = [1e-9, 0.5000001, 0.9, 1 - 1e-6, 1 - 1e-12, 1 - 2.0**-53, -1e-9, -0.9, -1 + 1e-6, -1 + 1e-12, -1 + 2.0**-53]
LENGTHS = [1, 2, 3, 10, 33, 10**4 + 1, 10**6, 10**9, 10**12, 10**12 + 1, 2**53]

variance_of_sums = jax.jit(jax.vmap(variance_of_sum, (None, 0)))
block_laws = jax.jit(block_law)


def block(rho, lengths):
    return BlockLaw(*(np.asarray(row) for row in block_laws(jnp.asarray(rho), jnp.asarray(lengths, dtype=float))))


@pytest.mark.parametrize("rho", RHOS)
def test_short_blocks_against_sums_in_fractions(rho):
    # From u_k = rho^k u_0 + sum_{q <= k} rho^(k-q) eps_q, Var eps = 1 - rho^2, by addition alone.
    exact = Fraction(rho)
    lengths = np.arange(1, 7)
    law, sums = block(rho, lengths), np.asarray(variance_of_sums(jnp.asarray(rho), jnp.asarray(lengths, dtype=float)))
    for index, b in enumerate(lengths.tolist()):
        double_sum = sum(exact ** abs(k - q) for k in range(b) for q in range(b))
        np.testing.assert_allclose(sums[index], float(double_sum), rtol=2e-15)
        weights = [sum(exact ** (k - q) for k in range(q, b + 1)) for q in range(1, b + 1)]
        ends = [exact ** (b - q) for q in range(1, b + 1)]
        noise = 1 - exact**2
        truth = {
            "memory": exact**b,
            "from_state": sum(exact**k for k in range(1, b + 1)),
            "variance of the end": noise * sum(e * e for e in ends),
            "covariance": noise * sum(w * e for w, e in zip(weights, ends, strict=True)),
            "variance of the sum": noise * sum(w * w for w in weights),
        }
        got = {
            "memory": law.memory[index],
            "from_state": law.from_state[index],
            "variance of the end": law.end[index] ** 2,
            "covariance": law.from_end[index] * law.end[index],
            "variance of the sum": law.from_end[index] ** 2 + law.rest[index] ** 2,
        }
        for name, value in truth.items():
            np.testing.assert_allclose(got[name], float(value), rtol=3e-15, err_msg=f"{name}, b = {b}")


@pytest.mark.parametrize("rho", [*RHOS, *HARD_RHOS])
def test_long_blocks_in_many_digits(rho):
    law, sums = block(rho, LENGTHS), variance_of_sums(jnp.asarray(rho), jnp.asarray(LENGTHS, dtype=float))
    with mpmath.workdps(120):
        x = mpmath.mpf(rho)
        for index, b in enumerate(LENGTHS):
            y = x**b
            total = (b * (1 - x * x) - 2 * x * (1 - y)) / (1 - x) ** 2
            from_state = x * (1 - y) / (1 - x)
            covariance = (1 - y) * (1 - x * y) / (1 - x)
            from_end = covariance / mpmath.sqrt(1 - y * y)
            rest = total - from_state**2 - from_end**2
            wanted = [total, mpmath.sqrt(1 - y * y), from_state, from_end, mpmath.sqrt(abs(rest)) if b > 1 else 0]
            got = [sums[index], *(row[index] for row in law[1:])]
            np.testing.assert_allclose(np.array(got, float), np.array(wanted, float), rtol=2e-15, atol=1e-300)
            # Its relative error is that of an exponential far from 0; to a state of size 1 that is nothing.
            np.testing.assert_allclose(law.memory[index], float(y), rtol=1e-13, atol=1e-16)


@pytest.mark.parametrize("rho", [0.3, 1 - 1e-7, -1 + 1e-7])
def test_two_blocks_compose_to_one(rho):
    # Law of (sum, last state) over 10^6 and then 10^7 + 1 answers is that over all of them.
    law = block(rho, [10**6, 10**7 + 1, 10**6 + 10**7 + 1])
    first, second, whole = (BlockLaw(*(row[index] for row in law)) for index in range(3))
    np.testing.assert_allclose(whole.memory, first.memory * second.memory, rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(whole.from_state, first.from_state + second.from_state * first.memory, rtol=1e-9)
    parts = [first.from_end + second.from_state * first.end, first.rest, second.from_end, second.rest]
    np.testing.assert_allclose(whole.from_end**2 + whole.rest**2, sum(part**2 for part in parts), rtol=1e-9)
    covariance = parts[0] * second.memory * first.end + second.from_end * second.end
    np.testing.assert_allclose(whole.from_end * whole.end, covariance, rtol=1e-9)


GRID = np.array([1.0, 2.0, 5.0, 9.0])
LONG = np.array([1.0, 8.0, 1e6, 1e12])


def law(rho):
    return AutoregressiveReplicates([[[3.0]], [[-1.0]]], gamma=[[4.0], [0.25]], rho=rho)


def exact_sums(population, key):
    """r E along GRID, and at r = 9 by itself, in units of one standard deviation: (5, n)."""
    path_key, mean_key = jax.random.split(key)
    path = population.sample_mean_error_path(path_key, GRID)[:, :, 0, 0] * GRID[:, None]
    alone = population.sample_mean_errors(mean_key, 9.0)[:, 0, 0] * 9.0
    return jnp.concatenate([path, alone[None]]) / jnp.sqrt(population.gamma[:, 0])[None]


def series_sums(population, key):
    answers = jax.vmap(lambda one: population.sample(one, 9))(jax.random.split(key))
    sums = jnp.cumsum((answers - population.mean[None, :, :, None])[:, :, 0, :, 0], axis=2).swapaxes(1, 2)
    picked = jnp.concatenate([sums[0][GRID.astype(int) - 1], sums[1][8:]])
    return picked / jnp.sqrt(population.gamma[:, 0])[None]


@pytest.mark.parametrize("rho", [0.8, -0.6])
def test_path_and_means_have_the_law_of_the_series(rho, stat):
    exact, series = (jax.tree_util.Partial(draw, law(rho)) for draw in (exact_sums, series_sums))
    assert_same_law(
        lambda key, size: replicate(exact, jax.random.split(key, size), 1000),
        lambda key, size: replicate(series, jax.random.split(key, size), 1000),
        key=stat.key(),
        false_fail_rate=stat.rate,
        detectable=0.05,
        statistics={
            "first two": lambda s: s[:, 0, 0] * (s[:, 1, 0] - s[:, 0, 0]),
            "next blocks": lambda s: (s[:, 2, 0] - s[:, 1, 0]) * (s[:, 3, 0] - s[:, 2, 0]),
            "models": lambda s: s[:, 3, 0] * s[:, 3, 1],
            "last step": lambda s: s[:, 3, 1] - s[:, 2, 1],
        },
    )


@pytest.mark.parametrize("rho", [0.8, -0.6, 1 - 1e-5])
def test_variances_along_a_path(rho, stat):
    # E S_k S_l = (S(r_k) + S(r_l) - S(r_l - r_k)) / 2 by stationarity, also where no series could be drawn.
    grid = LONG
    scale = np.sqrt(np.asarray(variance_of_sums(jnp.asarray(rho), jnp.asarray(grid))))
    gaps = np.abs(grid[:, None] - grid[None])
    between = np.asarray(variance_of_sums(jnp.asarray(rho), jnp.asarray(np.maximum(gaps, 1).ravel()))).reshape(4, 4)
    squares = scale**2
    truth = (squares[:, None] + squares[None] - np.where(gaps > 0, between, 0)) / 2 / np.outer(scale, scale)
    population = law(rho)
    np.testing.assert_allclose(population.mean_variance(8), population.gamma * squares[1] / 64, rtol=1e-14)

    def products(key, size):
        paths = replicate(jax.tree_util.Partial(long_paths, population), jax.random.split(key, size), 1000)
        units = paths * grid / scale / 2.0
        return units[:, :, None] * units[:, None, :]

    assert_unbiased(products, truth, key=stat.key(), false_fail_rate=stat.rate)


def long_paths(population, key):
    return population.sample_mean_error_path(key, LONG)[:, 0, 0, 0]


def test_one_number_serves_all_cells_and_replicates_are_not_promised_independent():
    population = AutoregressiveReplicates(np.zeros((2, 3, 2)), gamma=2.0, rho=0.5)
    assert not isinstance(population, Population)
    np.testing.assert_array_equal(population.gamma, np.full((2, 3), 2.0))
    np.testing.assert_allclose(population.mean_variance(1), 2.0)
    np.testing.assert_allclose(population.mean_variance(3), 2.0 * (3 + 4 * 0.5 + 2 * 0.25) / 9, rtol=1e-15)
    independent = AutoregressiveReplicates(np.zeros((2, 3, 2)), gamma=2.0, rho=0.0)
    np.testing.assert_allclose(independent.mean_variance(10**12), 2e-12, rtol=1e-15)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rho": 1.0}, "rho: got 1; it must lie strictly between -1 and 1: no other"),
        ({"rho": -1.5}, "rho: got -1.5"),
        ({"rho": np.nan}, "rho: 1 value not finite"),
        ({"rho": [0.5]}, r"rho: got shape \(1,\); it must be one number"),
        ({"gamma": -1.0}, "gamma: got -1; it must be at least 0"),
        ({"gamma": [[1.0, -2.0]]}, "gamma: got -2 at model 0, query 1; it must be at least 0"),
        ({"gamma": [1.0]}, r"gamma: got shape \(1,\); it must be one number or \(1, 2\) numbers"),
        ({"means": [[0.0]]}, "means: got 2 axes"),
    ],
)
def test_bad_input_is_refused_in_one_line(changes, message):
    with pytest.raises(InputError, match=message) as caught:
        AutoregressiveReplicates(**{"means": [[[0.0], [0.0]]], "gamma": 1.0, "rho": 0.5, **changes})
    assert "\n" not in str(caught.value)


def test_built_under_jit():
    def variance(rho):
        return AutoregressiveReplicates(jnp.zeros((1, 1, 1)), jnp.ones((1, 1)), rho).mean_variance(2.0)

    np.testing.assert_allclose(jax.jit(jax.vmap(variance))(jnp.asarray([0.5, -0.5]))[:, 0, 0], [0.75, 0.25])
