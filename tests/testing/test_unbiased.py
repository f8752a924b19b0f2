"""assert_unbiased: its plan, its rates by simulation, and what it says."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from scipy import stats

from dkps_theory._types import Key
from dkps_theory._validate import InputError
from dkps_theory.monte_carlo import clopper_pearson
from dkps_theory.testing import assert_unbiased
from dkps_theory.testing.budget import unmetered
from dkps_theory.testing.unbiased import DEFAULT_LEVEL, SMALLEST_LEVEL, _bias_miss_rate, _critical, _plan


def generator(key: Key) -> np.random.Generator:
    return np.random.default_rng(np.asarray(jax.random.key_data(key)))


def normal(mean, scale=1.0):
    mean = np.asarray(mean, dtype=float)
    return lambda key, size: mean[None] + scale * generator(key).normal(size=(size, *mean.shape))


def exponential(key: Key, size: int) -> np.ndarray:
    return generator(key).exponential(size=size)


def test_critical_values_agree_with_scipy():
    for size, level in [(100, 1e-3), (400, 0.2)]:
        np.testing.assert_allclose(_critical(size, level), stats.t.isf(level / 2, size - 1))
        miss = 1 - stats.norm.cdf(np.sqrt(size) * 0.2 - stats.t.isf(level / 2, size - 1)) ** 3
        np.testing.assert_allclose(_bias_miss_rate(size, level, 3, 0.2), miss, rtol=1e-6)


@pytest.mark.parametrize("rate", [0.05, 1e-3, 1e-6, 1.7e-8, 1e-30])
@pytest.mark.parametrize("tests", [1, 7, 1000])
@pytest.mark.parametrize("smallest", [SMALLEST_LEVEL, DEFAULT_LEVEL, 0.2])
def test_plan_spends_the_rate_and_stays_out_of_the_far_tail(rate, tests, smallest):
    blocks, level = _plan(rate, tests, smallest)
    assert level >= smallest * (1 - 1e-9)
    np.testing.assert_allclose(tests * level**blocks, rate)
    assert blocks == 1 or (rate / tests) ** (1 / (blocks - 1)) < smallest


class TestRates:
    def measure(self, sampler, truth, keys, **settings):
        failed = 0
        with unmetered():
            for key in keys:
                try:
                    assert_unbiased(sampler, truth, key=key, **settings)
                except AssertionError:
                    failed += 1
        return failed

    @pytest.mark.parametrize(("rate", "level"), [(0.05, 0.05), (0.09, 0.3)])
    def test_false_alarms(self, stat, rate, level):
        # At level 0.3 a rate of 0.09 needs two blocks. Skewed draws: the case where one-sided tests would be off.
        runs = 200
        settings = {"false_fail_rate": rate, "level": level, "size": 1000, "detectable": 0.3}
        failed = self.measure(exponential, 1.0, stat.keys(runs), **settings)
        assert clopper_pearson(failed, runs, 1 - 2 * stat.rate)[0] <= rate

    @pytest.mark.parametrize(("rate", "unit"), [(0.05, "sd"), (1e-6, "sd"), (1e-6, "absolute")])
    def test_power(self, stat, rate, unit):
        runs, scale = 150, 2.0
        detectable = 0.3 if unit == "sd" else 0.3 * scale
        settings = {"false_fail_rate": rate, "detectable": detectable, "false_pass_rate": 0.1, "unit": unit}
        sampler = normal([0.0, 0.3 * scale], scale)
        failed = self.measure(sampler, np.zeros(2), stat.keys(runs), **settings)
        assert clopper_pearson(runs - failed, runs, 1 - 2 * stat.rate)[0] <= 0.1

    def test_coordinates_do_not_add_up(self, stat):
        # A hundred coordinates without bias share one rate.
        runs, truth = 100, np.zeros(100)
        failed = self.measure(normal(truth), truth, stat.keys(runs), false_fail_rate=0.05, detectable=0.3)
        assert clopper_pearson(failed, runs, 1 - 2 * stat.rate)[0] <= 0.05


class TestAssert:
    def test_an_unbiased_sampler_pays_for_one_block(self, stat):
        outcome = assert_unbiased(normal([1.0, -2.0]), [1.0, -2.0], key=stat.key(), false_fail_rate=stat.rate)
        assert outcome.kind == "asymptotic"
        assert outcome.power >= 0.999
        assert outcome.blocks == 1 or outcome.statistic <= outcome.bound

    @pytest.mark.parametrize("unit", ["sd", "absolute"])
    def test_failure_says_all_and_its_replay_repeats_it(self, stat, unit):
        sampler, truth = normal([[0.0, 0.0, 0.5]]), np.zeros((1, 3))
        rates = {"false_fail_rate": stat.rate, "false_pass_rate": stat.rate}
        with pytest.raises(AssertionError, match=r"at \[0, 2\]") as caught:
            assert_unbiased(sampler, truth, key=stat.key(), unit=unit, **rates)
        message, replay = str(caught.value).split("\nreplay: ")
        for part in ("mean", "t statistics", "bound", "draws", "false-fail rate", "power", "[asymptotic]"):
            assert part in message
        names = {"assert_unbiased": assert_unbiased, "jax": jax, "np": np, "sampler": sampler, "truth": truth}
        with unmetered(), pytest.raises(AssertionError) as again:
            eval(replay, names)
        assert str(again.value) == str(caught.value)

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("unit", ["sd", "absolute"])
    def test_what_is_not_finite_counts_against_the_estimator(self, value, unit):
        def broken(key, size):
            return np.where(np.arange(size)[:, None] == [-1, 7], value, normal([0.0, 0.0])(key, size))

        with pytest.raises(AssertionError, match=r"not finite, the first in draw 7 at \[1\]"):
            assert_unbiased(broken, np.zeros(2), key=jax.random.key(0), unit=unit)

    def test_constants_are_compared_exactly(self):
        def constant(key, size):
            return np.tile([0.1, 0.0], (size, 1))

        key = jax.random.key(0)
        assert assert_unbiased(constant, [0.1, 0.0], key=key).statistic == 0.0
        assert assert_unbiased(constant, [0.1 * (1 + 1e-15), 0.0], key=key).statistic == 0.0
        for truth in ([0.1, 1e-300], [0.1 + 1e-12, 0.0]):
            with pytest.raises(AssertionError, match="t statistics"):
                assert_unbiased(constant, truth, key=key)
        assert assert_unbiased(constant, [0.1, 0.0], key=key, unit="absolute").power == 1.0

    @pytest.mark.parametrize("scale", [1e-250, 1e250])
    def test_any_scale(self, stat, scale):
        first, second = stat.split(2)
        assert_unbiased(normal([0.0], scale), [0.0], key=first.key(), false_fail_rate=first.rate)
        with pytest.raises(AssertionError, match="biased"):
            assert_unbiased(
                normal([scale], scale),
                [0.0],
                key=second.key(),
                false_fail_rate=second.rate,
                false_pass_rate=second.rate,
            )

    @pytest.mark.parametrize("unit", ["sd", "absolute"])
    def test_underpowered_is_refused_with_the_size_that_would_do(self, unit):
        settings = {"key": jax.random.key(0), "detectable": 0.05, "unit": unit}
        with pytest.raises(InputError, match=r"size=250 cannot detect 0\.05") as caught:
            assert_unbiased(normal([0.0]), [0.0], size=250, **settings)
        size = int(str(caught.value).split("; size=")[1].split()[0])
        # In absolute units the size is an estimate from the draws it saw.
        enough = size if unit == "sd" else 2 * size
        assert assert_unbiased(normal([0.0]), [0.0], size=enough, **settings).power >= 0.999
        assert _bias_miss_rate(size, *reversed(_plan(1e-6, 1, DEFAULT_LEVEL)), 0.05) < 0.01

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"truth": [0.0, 0.0]}, "truth: has shape"),
            ({"truth": [np.nan]}, "truth"),
            ({"detectable": 0.0}, "detectable"),
            ({"level": 1e-4}, "level"),
            ({"size": 199}, "size"),
            ({"size": 0, "unit": "absolute"}, "size"),
            ({"false_fail_rate": 1.0}, "false_fail_rate"),
            ({"key": jax.numpy.zeros(2, dtype="uint32")}, "typed key"),
        ],
    )
    def test_bad_input_is_one_line(self, change, message):
        arguments = {"sampler": normal([0.0]), "truth": [0.0], "key": jax.random.key(0), **change}
        with pytest.raises(InputError, match=message) as caught:
            assert_unbiased(**arguments)
        assert "\n" not in str(caught.value)
