"""Rates across cells, and the estimates behind summaries."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from scipy import stats

from dkps_theory._validate import InputError
from dkps_theory.monte_carlo import log_log_slope, rmse_estimate
from simulations.estimates import quantile_estimate, rmse_ratio_estimate, sd_estimate, slope_across_cells
from simulations.grid import Cell
from simulations.measures import Rate
from simulations.rates import fitted_rates
from tests.simulations.planted import planted

SIZES = (16, 4, 64)


def store_of(counts=(30, 30, 30), *, shared=False, law=lambda n: 1 / np.sqrt(n), predicted=-0.5, **changed):
    """Return a store of errors with the factor n out of order, for two methods."""
    rng = np.random.default_rng(0)
    common = rng.normal(size=(max(counts), 2))
    arrays = []
    for n, b in zip(SIZES, counts, strict=True):
        noise = common[:b] if shared else rng.normal(size=(b, 2))
        arrays.append({"x": 5 + law(n) * noise})
    cells = tuple(Cell(f"n={n}", factors={"n": n, "k": 2}, stream="one" if shared else "") for n in SIZES)
    return planted(
        arrays,
        dims={"x": ("method",)},
        axes={"method": ("mean", "median")},
        truths=[{"theta": np.asarray(5.0)}] * 3,
        truth_dims={"theta": ()},
        cells=cells,
        rates=(Rate("x", "n", lambda levels: predicted if levels["method"] == "mean" else -1.0, truth="theta"),),
        **changed,
    )


class TestFittedRates:
    def test_cells_of_their_own_are_independent(self):
        store = store_of()
        one, other = fitted_rates(store)
        assert (one.along, one.levels, one.labels, one.predicted) == ("n", {"k": 2}, {"method": "mean"}, -0.5)
        assert other.predicted == -1.0
        assert one.x.tolist() == [4.0, 16.0, 64.0]
        errors = [store.values("x", cell, (0,)) - 5 for cell in (1, 0, 2)]
        roots = [rmse_estimate(error) for error in errors]
        np.testing.assert_allclose(one.rmse, [float(root.value) for root in roots])
        expected = np.polyfit(np.log(one.x), np.log(one.rmse), 1)[0]
        assert one.slope == pytest.approx(expected)
        weights = (np.log(one.x) - np.log(one.x).mean()) / np.square(np.log(one.x) - np.log(one.x).mean()).sum()
        relative = np.array([float(root.se / root.value) for root in roots])
        assert one.slope_se == pytest.approx(np.sqrt(((weights * relative) ** 2).sum()))
        assert (one.replicates, one.failures) == (30, 0)
        assert one.warning == "30 replicates are few: the lack-of-fit p-value is rough"
        assert "off the predicted slope by +0." in other.warning, "predicted -1, and the errors fall like -1/2"

    def test_cells_of_one_stream_are_paths(self):
        store = store_of(shared=True)
        one = next(fitted_rates(store))
        squares = np.stack([store.values("x", cell, (0,)) - 5 for cell in (1, 0, 2)], axis=1) ** 2
        expected = log_log_slope(np.array([4.0, 16.0, 64.0]), squares)
        assert one.slope == pytest.approx(expected.value, abs=1e-12)
        assert one.slope_se == pytest.approx(expected.se, abs=1e-12)
        assert one.slope_se < 1e-6, "the same noise in every cell: the slope is exact"
        assert next(fitted_rates(store_of())).slope_se > 0.01

    def test_cells_of_one_stream_use_the_replicates_that_all_have(self):
        one = next(fitted_rates(store_of((30, 12, 20), shared=True)))
        assert one.replicates == 12
        assert one.slope == pytest.approx(-0.5)

    @pytest.mark.parametrize("b", [0, 1, 2])
    def test_a_cell_with_hardly_any_replicates_gives_no_slope(self, b):
        one = next(fitted_rates(store_of((30, b, 30))))
        assert one.slope is None
        assert "no slope" in one.warning
        assert one.replicates == b

    def test_failures_are_counted_and_said(self):
        store = store_of()
        store._array("x")[0, 3, 0] = np.nan
        one, other = fitted_rates(store)
        assert one.warning.startswith("given success: 1 replicates failed")
        assert (one.failures, other.failures) == (1, 0)
        assert one.slope is not None

    def test_errors_of_zero_have_no_rate(self):
        one = next(fitted_rates(store_of(law=lambda n: float(n > 4))))
        assert one.slope is None
        assert "zero" in one.warning

    def test_a_curve_is_warned_of(self):
        one = next(fitted_rates(store_of((3000,) * 3, law=lambda n: (1 + 50 / n**2) / np.sqrt(n))))
        assert one.lack_of_fit_p < 1e-6
        assert "pre-asymptotic" in one.warning


class TestSlopeAcrossCells:
    x = np.array([10.0, 100.0, 1000.0, 10000.0])

    def test_lack_of_fit_is_welchs_test_for_means(self):
        """With a slope of zero in the design, Johansen's statistic is Welch's (1951): here, q = 1, a two-sample t test.

        Three points on a line leave one contrast, x1 - 2 x2 + x3, so Q is the square of a t statistic and the degrees
        of freedom are Satterthwaite's.
        """
        log_rmse, se = np.array([0.0, -0.4, -1.0]), np.array([0.02, 0.05, 0.03])
        rmse = np.exp(log_rmse)
        slope = slope_across_cells(np.array([1.0, 10.0, 100.0]), rmse, se * rmse, [12, 30, 20])
        contrast, parts = log_rmse @ [1, -2, 1], np.array([1, 4, 1]) * se**2
        degrees = parts.sum() ** 2 / (parts**2 / np.array([11, 29, 19])).sum()
        expected = 2 * stats.t.sf(abs(contrast) / np.sqrt(parts.sum()), degrees)
        assert slope.lack_of_fit_p == pytest.approx(expected, rel=1e-9)
        assert "12 replicates are few" in slope.warning

    def test_many_replicates_give_chi_square(self):
        rmse = np.exp([0.0, -1.1, -2.4, -3.4])
        se = np.array([0.02, 0.05, 0.03, 0.04]) * rmse
        slope = slope_across_cells(self.x, rmse, se, [10**9] * 4)
        fit = np.polyfit(np.log(self.x), np.log(rmse), 1, w=rmse / se)
        quadratic = (((np.log(rmse) - np.polyval(fit, np.log(self.x))) * rmse / se) ** 2).sum()
        assert slope.lack_of_fit_p == pytest.approx(stats.chi2.sf(quadratic, 2), rel=1e-5)

    def test_two_points_and_points_without_noise_are_not_tested(self):
        two = slope_across_cells(self.x[:2], np.array([1.0, 0.5]), np.array([0.1, 0.1]), [9, 9])
        assert (two.lack_of_fit_p, two.warning) == (None, None)
        still = slope_across_cells(self.x, self.x**-0.5, np.array([0.0, 1e-3, 1e-3, 1e-3]), [9] * 4)
        assert still.lack_of_fit_p is None
        assert "not tested" in still.warning

    def test_bad_input_is_one_line(self, unannotated):
        ones = np.ones(4)
        for arguments, message in [
            ((-self.x, ones, ones, [9] * 4), "positive"),
            ((np.ones(4), ones, ones, [9] * 4), "distinct"),
            ((self.x, 0 * ones, ones, [9] * 4), "is zero"),
            ((self.x, ones, ones, [9] * 3), "for each point"),
            ((self.x, ones, ones, [9, 9, 9, 1]), "at least 2"),
        ]:
            with pytest.raises(InputError, match=message):
                slope_across_cells(*arguments)


class TestEstimates:
    def test_sd_at_any_scale(self):
        samples = np.random.default_rng(0).gamma(2.0, size=(50, 3))
        one, tiny = sd_estimate(samples), sd_estimate(samples * 1e-250)
        np.testing.assert_allclose(one.value, samples.std(axis=0, ddof=1))
        np.testing.assert_allclose(tiny.se, one.se * 1e-250)
        assert sd_estimate(np.full((4, 1), 3.0)).se == 0.0

    def test_a_ratio_of_exact_multiples_has_no_error_and_a_zero_denominator_no_value(self):
        errors = np.random.default_rng(0).normal(size=(50, 2))
        one = rmse_ratio_estimate(3 * errors, errors * np.array([[1.0, 0.0]]))
        assert one.value[0] == pytest.approx(3)
        assert one.se[0] == pytest.approx(0, abs=1e-12)
        assert one.independent_se[0] > 0.1
        assert np.isnan(one.value[1])
        nought = rmse_ratio_estimate(0 * errors, errors)
        assert nought.value.tolist() == nought.se.tolist() == [0.0, 0.0]

    def test_a_quantile_interval_covers_whatever_the_law(self):
        # Exactly, by the binomial law of the number of samples below the quantile.
        for n in (2, 5, 20, 100, 1000):
            for level in (0.01, 0.25, 0.5, 0.9, 0.999):
                for confidence in (0.5, 0.95):
                    one = quantile_estimate(np.arange(1.0, n + 1), level, confidence)
                    low, high = float(one.low), float(one.high)
                    below = stats.binom(n, level)
                    tail = (1 - confidence) / 2
                    miss_low = 0.0 if low == -np.inf else below.cdf(low - 1)  # fewer than `low` samples are below
                    miss_high = 0.0 if high == np.inf else below.sf(high - 1)
                    assert miss_low <= tail + 1e-12
                    assert miss_high <= tail + 1e-12
                    # And no wider than it must be.
                    assert below.cdf(low) > tail or low == -np.inf
                    assert high in {np.inf, 1.0} or below.sf(high - 2) > tail

    def test_extreme_quantiles_have_no_standard_error(self):
        one = quantile_estimate(np.arange(20.0), 0.99)
        assert np.isnan(one.se)
        assert one.high == np.inf

    def test_bad_input_is_one_line(self, unannotated):
        for call in (
            lambda: quantile_estimate(np.arange(5.0), 1.0),
            lambda: quantile_estimate(np.arange(5.0), 0.5, 0.0),
            lambda: quantile_estimate(np.array([1.0, np.nan]), 0.5),
            lambda: sd_estimate(np.array([1.0])),
            lambda: rmse_ratio_estimate(np.ones(3), np.ones(4)),
        ):
            with pytest.raises(InputError):
                call()

    def test_the_quantile_interval_is_right_for_laws_with_atoms(self, stat):
        rounded = np.round(np.asarray(jax.random.normal(stat.key(), (60, 4000))))
        one = quantile_estimate(rounded, 0.6)  # the quantile of a rounded normal at 0.6 is 0
        covered = int(((one.low <= 0) & (one.high >= 0)).sum())
        assert covered >= stats.binom.ppf(stat.rate, 4000, 0.95)
