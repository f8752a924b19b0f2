from __future__ import annotations

import jax
import numpy as np
import pytest
from scipy import stats

from simulations.grid import Cell
from simulations.summaries import band, curves, mean_square_factors
from tests.simulations.planted import planted

R = np.array([10.0, 100.0, 1000.0])

#: Quantiles of the normal law stand for a sample without any luck in it.
IDEAL = stats.norm.ppf((np.arange(1000) + 0.5) / 1000)


def store_of(*errors, cells=("small", "large"), absent=()):
    """Return a store of errors of one output along r, with its exact curve; the first point is not asymptotic."""
    truth = {"exact_error": 1 / np.sqrt(R), "share_error": np.array([0.5, 0.001, 0.0])}
    return planted(
        [{"error": one, "odd": np.full((len(one), 2), np.nan)} for one in errors],
        dims={"error": ("r",), "odd": ("k",)},
        axes={"r": tuple(R)},
        truths=[truth] * len(errors),
        truth_dims={"exact_error": ("r",), "share_error": ("r",)},
        cells=tuple(Cell(name, rates={"error": -0.5}, absent=("odd", *absent)) for name in cells[: len(errors)]),
        batch_size=100,
    )


def ideal(factor=1.0):
    return factor * IDEAL[:, None] / np.sqrt(R)[None]


def test_curves_are_those_of_numpy_and_the_fit_uses_the_asymptotic_points():
    errors = ideal()
    errors[:, 0] *= 7  # not asymptotic, so it must not touch the slope
    first, second = curves(store_of(errors, errors))
    assert (first.cell, second.cell, first.output) == ("small", "large", "error")
    np.testing.assert_allclose(first.rmse, np.sqrt((errors**2).mean(0)))
    np.testing.assert_array_equal(first.asymptotic, [False, True, True])
    np.testing.assert_allclose(first.exact, 1 / np.sqrt(R))
    assert first.slope == pytest.approx(-0.5, abs=1e-12)
    assert first.predicted == -0.5
    assert (first.replicates, first.failures) == (1000, 0)


def test_a_failed_replicate_leaves_no_number_behind():
    errors = ideal()
    errors[3, 1] = np.nan
    first, second = found = curves(store_of(errors, ideal()))
    assert first.failures == 1
    assert np.isnan(first.rmse).all()
    assert first.slope is None
    assert first.warning == "1 replicates failed"
    assert second.slope is not None
    assert band(found).outside == len(first.r)


def test_few_replicates_give_no_slope_and_no_error():
    for count in (1, 2):
        first, second = curves(store_of(ideal()[:count], ideal()))
        assert first.slope is None
        assert "too few" in first.warning
        assert np.isfinite(first.rmse).all()
        assert (first.replicates, second.replicates) == (count, 1000)
    first, second = found = curves(store_of(np.empty((0, 3)), ideal()))
    assert first.slope is None
    assert np.isnan(first.rmse).all()
    assert second.slope is not None
    assert band(found).points == 3, "the band is over the cells that have enough"


def test_the_band_has_teeth():
    good = band(curves(store_of(ideal(), ideal())))
    assert good.outside == 0
    assert good.points == 6
    for factor in (0.85, 1.15):
        assert band(curves(store_of(ideal(factor), ideal(factor)))).outside == 6


def test_the_band_is_as_wide_as_the_chi_square_law_says():
    found = band(curves(store_of(ideal(), ideal())), confidence=0.99)
    tail = 0.01 / 12
    # Gaussian errors: 1,000 degrees of freedom; the ideal sample has nearly their kurtosis.
    np.testing.assert_allclose(found.high / found.ratio, np.sqrt(1000 / stats.chi2.ppf(tail, 1000)), rtol=0.003)
    np.testing.assert_allclose(found.low / found.ratio, np.sqrt(1000 / stats.chi2.isf(tail, 1000)), rtol=0.003)


def test_without_enough_replicates_there_is_no_band():
    assert band(curves(store_of(ideal()[:99]))) is None
    assert band([]) is None


def test_single_intervals_cover_as_often_as_they_say(stat):
    """At 99%, on 2,000 samples of 1,000 Gaussian errors; a band that misses twice as often would not pass."""
    normal = np.asarray(jax.random.normal(stat.key(), (2000, 1000)))
    mean, se = (normal**2).mean(1), (normal**2).std(1, ddof=1) / np.sqrt(1000)
    low, high = mean_square_factors(se / mean, 0.005)
    missed = int(((mean * low > 1) | (mean * high < 1)).sum())
    # 1.3% allows for the estimated degrees of freedom.
    assert missed <= stats.binom.isf(stat.rate, 2000, 0.013)
