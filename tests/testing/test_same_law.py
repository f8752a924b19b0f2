"""assert_same_law: its rates by enumeration and by simulation, and what it says."""

from __future__ import annotations

import itertools
import math

import jax
import numpy as np
import pytest
from scipy import stats

from dkps_theory._types import Key
from dkps_theory._validate import InputError
from dkps_theory.monte_carlo import clopper_pearson
from dkps_theory.testing import assert_same_law
from dkps_theory.testing.budget import unmetered
from dkps_theory.testing.same_law import ks_distances, ks_miss_rate, ks_steps


def generator(key: Key) -> np.random.Generator:
    return np.random.default_rng(np.asarray(jax.random.key_data(key)))


def normal(shift=0.0, p=1):
    return lambda key, size: generator(key).normal(size=(size, p)) + shift


def coin(probability):
    return lambda key, size: (generator(key).random(size) < probability).astype(float)


def slow_distance(a, b):
    return max(abs(np.mean(a <= x) - np.mean(b <= x)) for x in [*a, *b])


class TestStatistic:
    def test_matches_the_definition_and_scipy(self):
        rng = np.random.default_rng(0)
        a, b = rng.normal(size=(40, 2)), rng.normal(size=(40, 2)) + 0.3
        a[:, 1], b[:, 1] = np.round(a[:, 1]), np.round(b[:, 1])  # ties, within and between
        expected = [slow_distance(a[:, j], b[:, j]) for j in range(2)]
        np.testing.assert_allclose(ks_distances(a, b), expected)
        np.testing.assert_allclose(ks_distances(a, b)[0], stats.ks_2samp(a[:, 0], b[:, 0]).statistic)

    def test_infinities_are_values(self):
        a, b = np.array([[-np.inf], [1.0]]), np.array([[1.0], [np.inf]])
        np.testing.assert_array_equal(ks_distances(a, b), [0.5])


class TestRates:
    def test_bound_is_exact_by_enumeration(self):
        # Under one continuous law all orders of the two samples are equally likely: count them.
        n = 6
        distances = []
        for places in itertools.combinations(range(2 * n), n):
            steps = np.where(np.isin(np.arange(2 * n), places), 1, -1).cumsum()
            distances.append(np.abs(steps).max())
        distances = np.array(distances)
        for rate in (0.5, 0.2, 0.05, 0.01):
            h = ks_steps(n, rate)
            assert np.mean(distances >= h) <= rate
            # Smallest for the doubled one-sided law, which is all that the union bound gives away.
            one_sided = math.comb(2 * n, n - h + 1) / math.comb(2 * n, n)
            assert 2 * one_sided > rate
        assert ks_steps(n, 1e-9) == n + 1

    def test_bound_agrees_with_scipy_far_out(self):
        for n, rate in [(1000, 1e-6), (5000, 1e-9)]:
            h = ks_steps(n, rate)
            tails = [2 * math.exp(sum(math.log((n - s + i) / (n + i)) for i in range(1, s + 1))) for s in (h - 1, h)]
            assert tails[1] <= rate < tails[0]
            assert stats.ks_2samp(np.arange(n), np.arange(n) + h, method="exact").pvalue <= rate * (1 + 1e-6)

    @pytest.mark.parametrize("p", [0.5, 0.1, 0.01])
    def test_ties_only_lower_the_rate(self, p):
        # Two coins: the distance is the difference of the counts, so the rate is a sum of binomial terms.
        n, rate = 40, 0.05
        pmf = stats.binom.pmf(np.arange(n + 1), n, p)
        reject = np.abs(np.subtract.outer(np.arange(n + 1), np.arange(n + 1))) >= ks_steps(n, rate)
        assert (np.outer(pmf, pmf) * reject).sum() <= rate

    @pytest.mark.parametrize(("p", "q"), [(0.5, 0.8), (0.35, 0.65), (0.0, 0.3)])
    def test_miss_rate_bounds_the_exact_one(self, p, q):
        n = 200
        h = ks_steps(n, 0.01)
        first, second = (stats.binom.pmf(np.arange(n + 1), n, x) for x in (p, q))
        passes = np.abs(np.subtract.outer(np.arange(n + 1), np.arange(n + 1))) < h
        exact = (np.outer(first, second) * passes).sum()
        assert exact <= ks_miss_rate(n, h, q - p) < 0.05

    def test_measured_false_alarms_and_power(self, stat):
        runs, share = 200, stat.split(2)
        alarms = misses = 0
        # Normal laws shifted by d differ most half-way: 2 Phi(d / 2) - 1.
        shift = 2 * stats.norm.ppf((1 + 0.3) / 2)
        with unmetered():
            for key in share[0].keys(runs):
                settings = {"key": key, "false_fail_rate": 0.05, "detectable": 0.3, "false_pass_rate": 0.05}
                try:
                    assert_same_law(normal(p=2), normal(p=2), **settings)
                except AssertionError:
                    alarms += 1
                try:
                    assert_same_law(normal(p=2), normal(np.array([0.0, shift]), p=2), **settings)
                    misses += 1
                except AssertionError:
                    pass
        assert clopper_pearson(alarms, runs, 1 - 2 * share[0].rate)[0] <= 0.05
        assert clopper_pearson(misses, runs, 1 - 2 * share[1].rate)[0] <= 0.05


class TestAssert:
    def test_same_laws_pass(self, stat):
        first, second = stat.split(2)
        outcome = assert_same_law(normal(p=3), normal(p=3), key=first.key(), false_fail_rate=first.rate)
        assert outcome.kind == "exact"
        assert outcome.power >= 0.999
        assert outcome.statistic <= outcome.bound < outcome.detectable
        assert_same_law(coin(0.3), coin(0.3), key=second.key(), false_fail_rate=second.rate)

    def test_a_dependence_that_coordinates_hide_is_found_by_a_statistic(self, stat):
        first, second = stat.split(2)

        def dependent(key, size):
            x = generator(key).normal(size=(size, 1))
            return np.concatenate([x, x], axis=1)

        assert_same_law(dependent, normal(p=2), key=first.key(), false_fail_rate=first.rate)
        with pytest.raises(AssertionError, match="statistic 'product'"):
            assert_same_law(
                dependent,
                normal(p=2),
                key=second.key(),
                false_fail_rate=second.rate,
                false_pass_rate=second.rate,
                statistics={"product": lambda x: x[:, 0] * x[:, 1]},
            )

    def test_failure_says_all_and_its_replay_repeats_it(self, stat):
        shifted = normal(np.array([0.0, 1.0]), p=2)
        with pytest.raises(AssertionError, match=r"coordinate \[1\]") as caught:
            assert_same_law(normal(p=2), shifted, key=stat.key(), false_fail_rate=stat.rate, false_pass_rate=stat.rate)
        message, replay = str(caught.value).split("\nreplay: ")
        for part in ("KS distance", "bound", "draws", "false-fail rate", "power", "[exact]"):
            assert part in message
        names = {"assert_same_law": assert_same_law, "jax": jax, "np": np, "sampler_a": normal(p=2)}
        with unmetered(), pytest.raises(AssertionError) as again:
            eval(replay, {**names, "sampler_b": shifted})
        assert str(again.value) == str(caught.value)

    def test_nan_fails_and_infinity_is_a_value(self):
        def broken(key, size):
            return np.where(np.arange(size) == 3, np.nan, normal()(key, size)[:, 0])

        def infinite(key, size):
            return np.where(generator(key).random(size) < 0.5, np.inf, 0.0)

        with pytest.raises(AssertionError, match=r"sampler_b gave NaN 1 times .* draw 3"):
            assert_same_law(lambda key, size: normal()(key, size)[:, 0], broken, key=jax.random.key(0))
        assert_same_law(infinite, infinite, key=jax.random.key(0))

    def test_underpowered_is_refused_with_the_size_that_would_do(self):
        with pytest.raises(InputError, match=r"size=100 cannot detect 0\.1") as caught:
            assert_same_law(normal(), normal(), key=jax.random.key(0), size=100)
        size = int(str(caught.value).split("; size=")[1].split()[0])
        assert assert_same_law(normal(), normal(), key=jax.random.key(0), size=size).size == size
        with pytest.raises(InputError, match=f"size={size} would do"):
            assert_same_law(normal(), normal(), key=jax.random.key(0), size=size - 1)
        with pytest.raises(InputError, match="no size"):
            assert_same_law(normal(), normal(), key=jax.random.key(0), detectable=1e-6)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"false_fail_rate": 0.0}, "false_fail_rate"),
            ({"false_pass_rate": 1.0}, "false_pass_rate"),
            ({"detectable": 1.5}, "detectable"),
            ({"key": jax.numpy.zeros(2, dtype="uint32")}, "typed key"),
            ({"key": jax.random.split(jax.random.key(0))}, "typed key"),
            ({"sampler_b": normal(p=2)}, "must agree"),
            ({"sampler_b": lambda key, size: normal()(key, size + 1)}, "leading axis"),
            ({"statistics": {"sum": lambda x: x.sum()}}, "one number a draw"),
        ],
    )
    def test_bad_input_is_one_line(self, change, message):
        arguments = {"sampler_a": normal(), "sampler_b": normal(), "key": jax.random.key(0), **change}
        with pytest.raises(InputError, match=message) as caught:
            assert_same_law(**arguments)
        assert "\n" not in str(caught.value)
