"""Categorical laws against enumeration in exact fractions."""

from __future__ import annotations

import itertools
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dkps_theory._validate import InputError
from dkps_theory.monte_carlo import replicate
from dkps_theory.populations import Categorical, bernoulli
from dkps_theory.testing import assert_same_law

SHARES = [[Fraction(1, 2), Fraction(1, 8), Fraction(3, 8)], [Fraction(0), Fraction(1, 4), Fraction(3, 4)]]
TABLE = [[Fraction(1), Fraction(0)], [Fraction(-2), Fraction(3)], [Fraction(5), Fraction(1, 2)]]


def tiny():
    return Categorical(np.array([[[float(w) for w in row] for row in SHARES]]), np.array(TABLE, dtype=float))


def exact_moment(shares, order):
    """Return E (x - mu)^(x order) as nested tuples -> Fraction, by enumeration."""
    mean = [sum(w * t[a] for w, t in zip(shares, TABLE, strict=True)) for a in range(2)]
    moment = {}
    for index in itertools.product(range(2), repeat=order):
        total = Fraction(0)
        for w, t in zip(shares, TABLE, strict=True):
            term = w
            for a in index:
                term *= t[a] - mean[a]
            total += term
        moment[index] = total
    return moment


@pytest.mark.parametrize(
    ("name", "order"), [("covariance", 2), ("third_central_moment", 3), ("fourth_central_moment", 4)]
)
def test_tensors_are_exact(name, order):
    tensor = np.asarray(getattr(tiny(), name))
    for j, shares in enumerate(SHARES):
        for index, truth in exact_moment(shares, order).items():
            np.testing.assert_allclose(tensor[0, j][index], float(truth), rtol=1e-13, atol=1e-12)


def test_contractions_are_exact():
    population = tiny()
    for j, shares in enumerate(SHARES):
        second, third, fourth = (exact_moment(shares, order) for order in (2, 3, 4))
        np.testing.assert_allclose(population.gamma[0, j], float(second[0, 0] + second[1, 1]), rtol=1e-14)
        for a in range(2):
            np.testing.assert_allclose(
                population.cubic_moment[0, j, a], float(third[a, 0, 0] + third[a, 1, 1]), rtol=1e-13
            )
        quartic = fourth[0, 0, 0, 0] + 2 * fourth[0, 0, 1, 1] + fourth[1, 1, 1, 1]
        np.testing.assert_allclose(population.quartic_moment[0, j], float(quartic), rtol=1e-14)


def test_means_have_the_law_of_brute_force(stat):
    population = tiny()

    def brute(key):
        return (population.sample(key, 33).mean(axis=2) - population.mean).reshape(-1)

    def exact(key):
        return population.sample_mean_errors(key, 33).reshape(-1)

    def rounded(function):
        # Ties must stay ties: both sides are whole numbers over 66, up to rounding.
        return lambda key, size: np.round(replicate(function, jax.random.split(key, size), 1000), 9)

    assert_same_law(
        rounded(brute),
        rounded(exact),
        key=stat.key(),
        false_fail_rate=stat.rate,
        detectable=0.1,
        statistics={
            "norm": lambda e: np.round((e**2).sum(axis=1), 7),
            "projection": lambda e: np.round(e @ [1, 2, 3, 4], 7),
        },
    )


@pytest.mark.parametrize("p", [0.0, 1e-9, 0.3, 1 - 1e-9, 1.0])
@pytest.mark.parametrize("r", [1, 10**12])
def test_bernoulli_errors_keep_their_digits(p, r):
    population = bernoulli(np.full((4, 4), p))
    key = jax.random.key(3, impl="threefry2x32")
    errors = np.asarray(population.sample_mean_errors(key, r))[..., 0]
    if p in {0.0, 1.0}:
        assert not errors.any()
        return
    # r (mu + E) is a whole number of ones: E recovers it, exactly, from the mean in fractions.
    for error in errors.ravel():
        mean = Fraction(p) / (Fraction(p) + Fraction(1 - p))
        ones = round((mean + Fraction(float(error))) * r)
        assert 0 <= ones <= r
        truth = float(Fraction(ones, r) - mean)
        assert abs(error - truth) <= 1e-9 * max(abs(truth), np.sqrt(p * (1 - p) / r))


def test_bernoulli_is_zero_or_one():
    population = bernoulli([[0.2, 0.9]])
    np.testing.assert_allclose(population.mean[0, :, 0], [0.2, 0.9])
    np.testing.assert_allclose(population.gamma, [[0.16, 0.09]])
    draws = population.sample(jax.random.key(0, impl="threefry2x32"), 20)
    assert draws.shape == (1, 2, 20, 1)
    assert set(np.unique(np.asarray(draws))) <= {0.0, 1.0}


def test_offset_of_the_table_costs_nothing():
    shares = np.broadcast_to([0.25, 0.75], (4, 4, 2))
    key = jax.random.key(0, impl="threefry2x32")
    draws = [Categorical(shares, np.array([[c], [c + 1]])).sample_mean_errors(key, 10**12) for c in (0.0, 2.0**30)]
    np.testing.assert_array_equal(*draws)


def test_bad_input_is_refused_in_one_line():
    table = [[0.0], [1.0]]
    cases = [
        (lambda: Categorical([[[0.5, 0.6]]], table), r"probabilities: sum to 1\.1 at model 0, query 0"),
        (lambda: Categorical([[[1.5, -0.5]]], table), "probabilities: got -0.5 at model 0, query 0, component 1"),
        (lambda: Categorical([[[0.5, 0.5]]], [[0.0]]), "table: got 1 rows; with these probabilities it must have 2"),
        (lambda: Categorical([[[0.5, 0.5]]], [[0.0], [np.nan]]), "table: 1 value not finite"),
        (lambda: Categorical([[0.5, 0.5]], table), "probabilities: got 2 axes"),
        (lambda: bernoulli([[0.5, 1.5]]), r"probabilities: got 1\.5 at model 0, query 1"),
        (lambda: bernoulli([0.5]), "probabilities: got 1 axes"),
    ]
    for make, message in cases:
        with pytest.raises(InputError, match=message):
            make()


def test_built_under_jit():
    gamma = jax.jit(lambda w: Categorical(w, jnp.asarray([[0.0], [1.0]])).gamma)(jnp.asarray([[[0.5, 0.5]]]))
    np.testing.assert_allclose(gamma, 0.25)
