"""Keys, replicates and the estimates that carry their own standard errors."""

from __future__ import annotations

import hashlib

import equinox as eqx
import jax
import numpy as np
import pytest
from scipy import stats

from dkps_theory._validate import InputError
from dkps_theory.monte_carlo import (
    clopper_pearson,
    log_log_slope,
    mean_estimate,
    replicate,
    replicate_keys,
    rmse_estimate,
    study_key,
)


def data(key):
    return np.asarray(jax.random.key_data(key))


def slow_study_key(seed, name, cell, replicate_index):
    """The definition, one fold at a time."""
    key = jax.random.key(seed, impl="threefry2x32")
    digest = hashlib.sha256(name.encode()).hexdigest()
    for start in range(0, 64, 8):
        key = jax.random.fold_in(key, int(digest[start : start + 8], 16))
    return jax.random.fold_in(jax.random.fold_in(key, cell), replicate_index)


# study_key(0, "fixed-models-fixed-queries")
GOLDEN = [3514333607, 500874923]


class TestKeys:
    def test_match_the_definition(self):
        for seed, name, cell, index in [
            (0, "a", 0, 0),
            (7, "bound-sharpness", 3, 11),
            (2**32 - 1, "", 2**31, 2**32 - 1),
        ]:
            expected = data(slow_study_key(seed, name, cell, index))
            np.testing.assert_array_equal(data(study_key(seed, name, cell, index)), expected)

    def test_never_change(self):
        # Stored results are keyed by these numbers: a change here is a change of every study.
        assert data(study_key(0, "fixed-models-fixed-queries")).tolist() == GOLDEN

    def test_vectorised_equals_scalar_bit_for_bit(self):
        keys = replicate_keys(3, "study", cell=2, start=5, count=6)
        each = [data(study_key(3, "study", cell=2, replicate=5 + t)) for t in range(6)]
        np.testing.assert_array_equal(data(keys), np.stack(each))
        assert str(jax.random.key_impl(keys)) == "threefry2x32"

    def test_distinct_everywhere(self):
        places = [(s, n, c) for s in (0, 1) for n in ("a", "b", "ab", "a\n0") for c in (0, 1, 2)]
        rows = np.concatenate([data(replicate_keys(s, n, c, 0, 50)) for s, n, c in places])
        assert len(np.unique(rows, axis=0)) == len(rows)

    def test_do_not_depend_on_precision(self):
        with jax.enable_x64(False):
            single = data(study_key(9, "study", 1, 2))
        np.testing.assert_array_equal(single, data(study_key(9, "study", 1, 2)))

    @pytest.mark.parametrize("bad", [{"seed": -1}, {"seed": 2**32}, {"cell": -1}, {"replicate": 2**32}])
    def test_out_of_range_is_one_line(self, bad):
        with pytest.raises(InputError, match=next(iter(bad))):
            study_key(**{"seed": 0, "name": "a", **bad})


class Shifted(eqx.Module):
    """A sampler whose parameter is an array: one compilation serves all its values."""

    shift: jax.Array
    traces: list = eqx.field(static=True)

    def __call__(self, key):
        self.traces.append(1)
        return self.shift + jax.random.normal(key, (3,))


def two_leaves(key):
    first, second = jax.random.split(key)
    return {"normal": jax.random.normal(first, (4,)), "count": jax.random.bits(second)}


class TestReplicate:
    keys = replicate_keys(0, "replicate", cell=0, start=0, count=20)

    def test_matches_the_loop_at_any_batch_size_and_in_any_order(self):
        loop = [two_leaves(key) for key in self.keys]
        normal = np.stack([one["normal"] for one in loop])
        count = np.stack([one["count"] for one in loop])
        for batch_size in (1, 7, 20, 64):
            got = replicate(two_leaves, self.keys, batch_size)
            np.testing.assert_allclose(got["normal"], normal, rtol=1e-13)
            np.testing.assert_array_equal(got["count"], count)
        order = np.random.default_rng(0).permutation(20)
        np.testing.assert_allclose(replicate(two_leaves, self.keys[order], 7)["normal"], normal[order], rtol=1e-13)

    def test_bits_do_not_depend_on_the_number_of_keys(self):
        whole = replicate(two_leaves, self.keys, 7)
        for b in (1, 6, 7, 8, 13):
            part = replicate(two_leaves, self.keys[:b], 7)
            for name in whole:
                np.testing.assert_array_equal(part[name], whole[name][:b])
                assert isinstance(part[name], np.ndarray)

    def test_padding_compiles_one_shape_and_modules_share_it(self):
        traces: list = []
        for shift in (0.0, 1.0):
            shifted = replicate(Shifted(jax.numpy.asarray([shift] * 3), traces), self.keys, 6)
            assert shifted.shape == (20, 3)
        assert len(traces) == 1
        assert shifted.dtype == np.float64

    def test_bad_input_is_one_line(self):
        with pytest.raises(InputError, match="batch_size"):
            replicate(two_leaves, self.keys, 0)
        with pytest.raises(InputError, match="keys"):
            replicate(two_leaves, self.keys[:0], 4)
        with pytest.raises(InputError, match="keys"):
            replicate(two_leaves, jax.numpy.zeros(4), 4)


class TestEstimates:
    def test_mean(self):
        samples = np.random.default_rng(0).normal(size=(50, 2, 3))
        estimate = mean_estimate(samples)
        np.testing.assert_allclose(estimate.value, samples.mean(axis=0))
        np.testing.assert_allclose(estimate.se, stats.sem(samples, axis=0))
        assert estimate.n == 50

    def test_rmse_matches_the_delta_method_at_any_scale(self):
        errors = np.random.default_rng(1).normal(size=(80, 2))
        estimate = rmse_estimate(errors)
        mean_square = mean_estimate(errors**2)
        np.testing.assert_allclose(estimate.value, np.sqrt(mean_square.value))
        np.testing.assert_allclose(estimate.se, mean_square.se / (2 * np.sqrt(mean_square.value)))
        tiny = rmse_estimate(errors * 1e-250)
        np.testing.assert_allclose(tiny.value, estimate.value * 1e-250)
        np.testing.assert_allclose(tiny.se, estimate.se * 1e-250)

    def test_rmse_of_zeros_is_zero(self):
        estimate = rmse_estimate(np.zeros((5, 2)))
        np.testing.assert_array_equal(estimate.value, [0.0, 0.0])
        np.testing.assert_array_equal(estimate.se, [0.0, 0.0])

    def test_rmse_standard_error_is_that_of_simulation(self, stat):
        # 2,000 estimates from 100 normal errors each: their variance against the mean of the squared standard errors.
        errors = np.asarray(jax.random.normal(stat.key(), (100, 2000)))
        estimate = rmse_estimate(errors)
        ratio = np.var(estimate.value, ddof=1) / np.mean(np.square(estimate.se))
        low, high = stats.chi2.ppf([stat.rate / 2, 1 - stat.rate / 2], 1999) / 1999
        # The delta method is first order: at b = 100 its variance is 1 % off.
        assert 0.97 * low <= ratio <= 1.03 * high

    @pytest.mark.parametrize("estimate", [mean_estimate, rmse_estimate])
    def test_a_failed_replicate_is_not_dropped(self, estimate):
        with pytest.raises(InputError, match="not finite"):
            estimate(np.array([1.0, np.nan, 2.0]))
        with pytest.raises(InputError, match="at least 2"):
            estimate(np.array([1.0]))


class TestClopperPearson:
    def test_ends_are_exact(self):
        for n in (1, 10, 10**6, 10**12):
            low, high = clopper_pearson(0, n, 0.95)
            assert low == 0.0
            np.testing.assert_allclose(high, -np.expm1(np.log(0.025) / n), rtol=1e-9)
            low, high = clopper_pearson(n, n, 0.95)
            assert high == 1.0
            np.testing.assert_allclose(low, np.exp(np.log(0.025) / n), rtol=1e-12)

    def test_agrees_with_scipy(self):
        for k, n in [(0, 7), (3, 7), (7, 7), (40, 1000)]:
            expected = stats.binomtest(k, n).proportion_ci(0.99, method="exact")
            np.testing.assert_allclose(clopper_pearson(k, n, 0.99), expected, rtol=1e-10)

    def test_covers_whatever_the_probability(self):
        n = 12
        intervals = np.array([clopper_pearson(k, n, 0.9) for k in range(n + 1)])
        for p in np.linspace(0.0, 1.0, 101):
            inside = (intervals[:, 0] <= p) & (p <= intervals[:, 1])
            assert stats.binom.pmf(np.arange(n + 1), n, p)[inside].sum() >= 0.9

    def test_bad_input_is_one_line(self):
        for arguments in [(3, 2, 0.9), (-1, 2, 0.9), (0, 0, 0.9), (1, 2, 1.0), (1, 2, 0.0)]:
            with pytest.raises(InputError):
                clopper_pearson(*arguments)


GRID = 10.0 ** np.arange(1, 7)


def paths(rng, b, curvature=0.0):
    """Squared errors of means along one path of standard normals, with an optional term of another rate."""
    blocks = np.diff(GRID, prepend=0.0)
    sums = np.cumsum(rng.normal(size=(b, len(GRID))) * np.sqrt(blocks), axis=1)
    return (sums / GRID) ** 2 * (1.0 + curvature / GRID)


class TestLogLogSlope:
    def test_matches_polyfit(self):
        squares = paths(np.random.default_rng(0), 100)
        expected = np.polyfit(np.log(GRID), 0.5 * np.log(squares.mean(axis=0)), 1)[0]
        np.testing.assert_allclose(log_log_slope(GRID, squares).value, expected)

    def test_standard_error_and_false_alarms_by_simulation(self, stat):
        rng = np.random.default_rng(data(stat.key()))
        runs, b = 600, 300
        slopes = [log_log_slope(GRID, paths(rng, b)) for _ in range(runs)]
        values = np.array([slope.value for slope in slopes])
        scores = (values + 0.5) / np.array([slope.se for slope in slopes])
        # Both are asymptotic in b, so each band has room for a first-order error at b = 300.
        low, high = stats.chi2.ppf([stat.rate / 4, 1 - stat.rate / 4], runs) / runs
        assert 0.9 * low <= np.mean(scores**2) <= 1.1 * high
        alarms = sum(slope.lack_of_fit_p < 0.05 for slope in slopes)
        assert clopper_pearson(alarms, runs, 1 - stat.rate)[0] <= 0.075

    def test_curvature_is_found(self, stat):
        rng = np.random.default_rng(data(stat.key()))
        slope = log_log_slope(GRID, paths(rng, 1000, curvature=20.0))
        assert slope.lack_of_fit_p < 1e-6
        assert "pre-asymptotic" in slope.warning

    def test_an_exact_line_and_an_exact_curve(self):
        line = np.tile(3.0 / GRID, (20, 1))
        slope = log_log_slope(GRID, line)
        np.testing.assert_allclose(slope.value, -0.5, rtol=1e-12)
        assert slope.se < 1e-12
        assert slope.lack_of_fit_p == 1.0
        assert log_log_slope(GRID, line * (1 + 5 / GRID)).lack_of_fit_p == 0.0
        # One factor for the whole path: noise that moves the line up and down and never bends it.
        factors = np.random.default_rng(0).exponential(size=(20, 1))
        assert log_log_slope(GRID, line * factors).lack_of_fit_p == 1.0

    def test_too_few_replicates_are_said(self):
        squares = paths(np.random.default_rng(0), 20)
        assert "few" in log_log_slope(GRID, squares).warning
        few = log_log_slope(GRID, squares[:4])
        assert few.lack_of_fit_p is None
        assert "not tested" in few.warning
        two = log_log_slope(GRID[:2], squares[:, :2])
        assert two.lack_of_fit_p is None
        assert two.warning is None

    def test_bad_input_is_one_line(self):
        squares = paths(np.random.default_rng(0), 20)
        zero = squares * np.where(np.arange(6) == 3, 0.0, 1.0)
        cases = [
            (-GRID[:1], squares[:, :1], "at least two"),
            (-GRID, squares, "positive"),
            (np.ones(6), squares, "distinct"),
            (GRID, -squares, "negative"),
            (GRID, zero, "x = 10000 is zero"),
            (GRID, squares[:2], "at least 3"),
        ]
        for x, values, message in cases:
            with pytest.raises(InputError, match=message):
                log_log_slope(x, values)
