from __future__ import annotations

import jax
import numpy as np
import pytest
from scipy import stats

from simulations.summaries import COLUMNS, band, curves, mean_square_factors, rows

#: Quantiles of the normal law stand for a sample without any luck in it.
IDEAL = stats.norm.ppf((np.arange(1000) + 0.5) / 1000)


def _with_errors(dataset, errors):
    return dataset.isel(replicate=np.zeros(len(errors), int)).assign(
        error=(("cell", "replicate", "r"), np.broadcast_to(errors[None], (2, *errors.shape)).copy())
    )


def test_curves_are_those_of_numpy_and_the_fit_uses_the_asymptotic_points(toy_results):
    errors = IDEAL[:, None] / np.sqrt(toy_results["r"].to_numpy())[None]
    errors[:, 0] *= 7  # not asymptotic, so it must not touch the slope
    first, second = curves(_with_errors(toy_results, errors))
    assert (first.cell, second.cell, first.output) == ("small", "large", "error")
    np.testing.assert_allclose(first.rmse, np.sqrt((errors**2).mean(0)))
    np.testing.assert_array_equal(first.asymptotic, [False, True, True])
    assert first.slope == pytest.approx(-0.5, abs=1e-12)
    assert first.predicted == -0.5
    assert first.failures == 0


def test_a_failed_replicate_leaves_no_number_behind(toy_results):
    broken = toy_results.copy(deep=True)
    broken["error"][0, 3, 1] = np.nan
    first, second = curves(broken)
    assert first.failures == 1
    assert np.isnan(first.rmse).all()
    assert first.slope is None
    assert first.warning == "1 replicates failed"
    assert second.slope is not None
    assert band(broken).outside == len(first.r)


def test_few_replicates_give_no_slope_and_no_error(toy_results):
    for count in (1, 2):
        first, _ = curves(toy_results.isel(replicate=slice(count)))
        assert first.slope is None
        assert "too few" in first.warning
        assert np.isfinite(first.rmse).all()


def test_the_band_has_teeth(toy_results):
    root = np.sqrt(toy_results["r"].to_numpy())[None]
    good = band(_with_errors(toy_results, IDEAL[:, None] / root))
    assert good.outside == 0
    assert good.points == 6
    for factor in (0.85, 1.15):
        assert band(_with_errors(toy_results, factor * IDEAL[:, None] / root)).outside == 6


def test_the_band_is_as_wide_as_the_chi_square_law_says(toy_results):
    errors = IDEAL[:, None] / np.sqrt(toy_results["r"].to_numpy())[None]
    found = band(_with_errors(toy_results, errors), confidence=0.99)
    tail = 0.01 / 12
    # Gaussian errors: 1,000 degrees of freedom; the ideal sample has nearly their kurtosis.
    np.testing.assert_allclose(found.high / found.ratio, np.sqrt(1000 / stats.chi2.ppf(tail, 1000)), rtol=0.003)
    np.testing.assert_allclose(found.low / found.ratio, np.sqrt(1000 / stats.chi2.isf(tail, 1000)), rtol=0.003)


def test_single_intervals_cover_as_often_as_they_say(stat):
    """At 99%, on 2,000 samples of 1,000 Gaussian errors; a band that misses twice as often would not pass."""
    normal = np.asarray(jax.random.normal(stat.key(), (2000, 1000)))
    mean, se = (normal**2).mean(1), (normal**2).std(1, ddof=1) / np.sqrt(1000)
    low, high = mean_square_factors(se / mean, 0.005)
    missed = int(((mean * low > 1) | (mean * high < 1)).sum())
    # 1.3% allows for the estimated degrees of freedom.
    assert missed <= stats.binom.isf(stat.rate, 2000, 0.013)


def test_rows_are_plain_numbers(toy_results):
    found = rows(toy_results)
    assert len(found) == 6
    assert tuple(found[0]) == COLUMNS
    assert {type(value) for row in found for value in row.values()} <= {str, float, int, bool, type(None)}
