"""Readings of the printed table: what a match is, how many there are by chance, and the page that says so."""

from __future__ import annotations

import functools
import math
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from simulations.studies import _concentration_page as page
from simulations.studies import _concentration_readings as readings
from simulations.studies._concentration import PRINTED
from simulations.studies.concentration_table import CONVENTIONS, DIMENSIONS, EIGENVALUES, STUDY

ROWS = (10, 12, 15, 18, 20)


class Kept:
    """What a store shows of a few runs."""

    def __init__(self, runs: dict[str, dict[str, np.ndarray]]) -> None:
        self.runs = runs
        self.cells = [{"name": c.name, "factors": dict(c.factors)} for c in STUDY.cells if c.name in runs]
        self.outputs = {o.name: {"dims": list(o.dims)} for o in STUDY.outputs}

    def axis(self, name):
        return STUDY.axes.get(name)

    def finished(self, cell):
        return np.arange(len(self.runs[self.cells[cell]["name"]]["error"]))

    def values(self, output, cell, entries=()):
        return self.runs[self.cells[cell]["name"]][output][(slice(None), *entries)]


@functools.cache
def few_runs() -> Kept:
    """Runs of m = 3 that scatter as runs do, around numbers that fall as powers of n."""
    rng = np.random.default_rng(1)
    sizes = {axis: len(labels) for axis, labels in STUDY.axes.items()}
    level = {o.name: np.exp(rng.normal(0, 1, [sizes[axis] for axis in o.dims])) for o in STUDY.outputs}
    power = {name: rng.uniform(1.2, 2.8, one.shape) for name, one in level.items()}
    runs = {}
    for cell in STUDY.cells:
        if cell.factors["m"] == 3:
            spread = 0.3 if cell.factors["probabilities"] == "each run" else 0.1
            n, noise = cell.factors["n"], functools.partial(rng.normal, 0, spread)
            runs[cell.name] = {"covered": np.ones(60)} | {
                name: np.broadcast_to(one * n ** -power[name], (60, *one.shape)) * np.exp(noise((60, *one.shape)))
                for name, one in level.items()
                if name != "covered"
            }
    return Kept(runs)


@pytest.mark.parametrize("probabilities", ["each run", "once"])
def test_a_printed_column_made_from_a_reading_is_given_by_it_and_twice_of_it_is_not(probabilities):
    found = readings.collect(few_runs(), "bound", ROWS).of(probabilities)
    assert len(found.names) == len(CONVENTIONS) * len(DIMENSIONS) * len(EIGENVALUES)
    chosen = 17
    column = np.exp(found.centre[chosen])
    assert readings.matches(found, column)[chosen].all()
    assert readings.nearest(found, column, 1)[0] == chosen
    twice = 2.0 if probabilities == "each run" else 6.0
    assert not readings.matches(found, twice * column)[chosen].any()
    # One wrong row is seen as one.
    column[3] *= twice
    assert readings.matches(found, column)[chosen].tolist() == [True, True, True, False, True]


def test_tolerances_are_those_of_the_rule():
    store = few_runs()
    runs = store.runs["n=10,m=3,probabilities=each run"]["bound"][:, 0, 0, 0]
    found = readings.collect(store, "bound", ROWS)
    each, once = found.of("each run"), found.of("once")
    assert each.names[0] == ("each run", 3, CONVENTIONS[0], DIMENSIONS[0], EIGENVALUES[0])
    relative = runs.std(ddof=1) / runs.mean()
    np.testing.assert_allclose(each.spread[0, 0], relative / 10)
    np.testing.assert_allclose(each.se[0, 0], relative / math.sqrt(60))
    np.testing.assert_allclose(once.spread[0, 0], np.log(runs).std(ddof=1))
    np.testing.assert_allclose(once.se[0, 0], np.log(runs).std(ddof=1) / math.sqrt(60))
    np.testing.assert_allclose(once.centre[0, 0], np.log(runs).mean())
    # Rounding: half a unit of the last digit is free, and no more.
    value = np.exp(each.centre[:1, :]).ravel()
    assert abs(readings.distances(each, value + 0.4e-6)[0]).max() == 0
    assert abs(readings.distances(each, value + 1e-6)[0]).min() > 0


def test_four_standard_errors_are_those_of_both_sides():
    found = readings.collect(few_runs(), "bound", ROWS).of("each run")
    reach = 4 * np.hypot(found.se[:1], found.spread[:1])
    assert readings.matches(found, np.exp(found.centre[:1] + 0.99 * reach).ravel())[0].all()
    assert not readings.matches(found, np.exp(found.centre[:1] + 1.01 * reach).ravel() + 1e-6)[0].any()


def test_readings_that_could_hardly_fail_are_told_apart():
    found = readings.collect(few_runs(), "bound", ROWS)
    sharp, blunt = found.of("each run"), found.of("once")
    # 0.3 from run to run: four standard errors are 0.12 + 0.15 in quadrature, and 1.2 for one draw.
    assert len(sharp.sharp.names) == len(sharp.names)
    assert not blunt.sharp.names


def test_matches_by_chance_grow_with_the_tolerance():
    found = readings.collect(few_runs(), "bound", ROWS)
    few, many = readings.chance(found.of("each run")), readings.chance(found.of("once"))
    assert 0 < few < many < len(found.of("once").names)


def test_matches_by_chance_are_counted_without_the_two_that_made_the_column():
    # Three levels times three trends: a made-up column is the reading with that level and that trend. It is neither of
    # the two that made it when they differ in both, for 36 of the 72 ordered pairs: 1/2 on average. 400 columns have a
    # standard error of 0.025.
    names = tuple(readings.Reading("each run", k, "", "", "") for k in range(9))
    centre = np.array([[level, level + trend] for level in (0.0, 10.0, 20.0) for trend in (1.0, 2.0, 3.0)])
    small = np.full(centre.shape, 1e-6)
    found = readings.Readings(names, (10, 12), centre + math.log(1e6), small, small)
    assert abs(readings.chance(found) - 0.5) < 0.13


def test_readings_that_cannot_be_told_apart_count_once():
    found = readings.collect(few_runs(), "bound", ROWS).of("each run")
    assert len(found.joined(found).distinct().names) == len(found.distinct().names)


def test_a_shape_is_found_up_to_its_factor():
    found = readings.collect(few_runs(), "error", ROWS).of("each run")
    shapes = readings.shape(found, np.exp(found.centre[5]) / 15)
    assert math.isclose(shapes[5].factor, 1 / 15, rel_tol=1e-9)
    assert shapes[5].p == pytest.approx(1)
    assert min(one.p for one in shapes) < 1e-9


def test_the_power_law_is_that_of_a_fit_by_hand():
    rows, law = np.array(ROWS[:4]), readings.power_law(ROWS, 0)
    fit = stats.linregress(np.log(rows), np.log([PRINTED[n][0] for n in ROWS[:4]]))
    assert math.isclose(law.slope, fit.slope, rel_tol=1e-9)
    assert math.isclose(law.slope_se, fit.stderr, rel_tol=1e-9)
    assert math.isclose(law.predicted, math.exp(fit.intercept) * 20**fit.slope, rel_tol=1e-9)
    assert law.low < law.predicted < law.high
    # The averages' last row is off its line, the bounds' is on it.
    assert law.p < 1e-3
    assert readings.power_law(ROWS, 1).p > 0.05


# Probabilities drawn once


def with_once(change) -> Kept:
    """Runs whose cells with probabilities drawn once are changed."""
    runs = few_runs().runs
    return Kept(
        {
            name: {key: change(one) if key != "covered" else one for key, one in kept.items()}
            if name.endswith("once")
            else kept
            for name, kept in runs.items()
        }
    )


def test_the_spread_of_probabilities_drawn_once_covers_printed_averages_whatever_our_own_draw_was():
    # Runs of a draw of probabilities scatter by 0.02 to 0.6 of it, by draw; draws by 0.25. The one draw of our own has
    # noise above the average, which would leave nothing "between" draws if it were taken off.
    rng = np.random.default_rng(5)

    def of_draws(count: int, runs: int) -> np.ndarray:
        own = rng.choice([0.02, 0.6], p=[0.8, 0.2], size=count)
        return np.exp(rng.normal(0, 0.25, count)[None, :] + own[None, :] * rng.normal(size=(runs, count)))

    sizes = tuple(len(STUDY.axes[axis]) for axis in ("convention", "dimension", "eigenvalues"))
    shape = (4000, *sizes)
    each = np.broadcast_to(of_draws(4000, 1)[0].reshape(-1, 1, 1, 1), shape)
    same = np.broadcast_to(np.exp(rng.normal(0, 0.6, 4000)).reshape(-1, 1, 1, 1), shape)
    names = {"each run": each, "once": same}
    store = Kept({f"n=10,m=3,probabilities={name}": {"error": one, "bound": one} for name, one in names.items()})
    assert np.log(same).var() > np.log(each).var()
    once = readings.collect(store, "bound", (10,)).of("once")
    averages = np.log(of_draws(4000, 100).mean(axis=0))
    # The brute-force spread is 0.26, that of a run 0.37; both are known to 2%.
    brute = averages.std(ddof=1)
    assert brute < once.spread[0, 0] < 1.6 * brute
    # The centre is too low by at most half of the variance (and 4 standard errors of 0.007).
    assert -0.03 < averages.mean() - once.centre[0, 0] < once.spread[0, 0] ** 2 / 2 + 0.03
    assert (np.abs(averages - once.centre[0, 0]) <= 4 * once.tolerance[0, 0]).mean() > 0.999


def test_our_own_draw_of_probabilities_is_found_by_its_reading_and_a_wrong_one_is_not():
    pairs = 5 * len(CONVENTIONS) * len(DIMENSIONS) * len(EIGENVALUES)
    assert readings.recovered(few_runs(), "bound", ROWS) == (pairs, pairs)
    assert readings.recovered(with_once(lambda one: 10 * one), "bound", ROWS) == (0, pairs)
    # Readings are told apart by their labels, not by their place: without the third, the others keep their own.
    runs = {name: {**kept, "bound": kept["bound"].copy()} for name, kept in few_runs().runs.items()}
    for name, kept in runs.items():
        if "each" in name:
            kept["bound"][:, 0, 0, 2] = np.nan
    assert readings.recovered(Kept(runs), "bound", ROWS) == (pairs - 5, pairs - 5)


# All rows together


def plain(centre: np.ndarray, tolerance: float, linear: bool = False, **named) -> readings.Readings:
    each = np.full(centre.shape, tolerance / math.sqrt(2))
    names = named.get("names") or [readings.Reading("each run", k, "", "", "") for k in range(len(centre))]
    return readings.Readings(tuple(names), ROWS[: centre.shape[1]], centre, each, each, linear)


def test_a_reading_that_is_off_in_every_row_does_not_give_the_column():
    values = np.array([5.0, 4.0, 3.0, 2.0, 1.0])
    z = np.array([[3.5, -3.5, 3.5, -3.5, 3.5], [3.5, 0.1, 0.1, 0.1, 0.1], [4.1, 0, 0, 0, 0]])
    found = plain(np.log(values) - 0.01 * z, 0.01)
    assert readings.row_by_row(found, values).tolist() == [True, True, False]
    assert readings.whole(found, values).tolist() == [False, True, False]
    np.testing.assert_allclose(readings.joint(found, values), stats.chi2.sf((z**2).sum(axis=1), 5), rtol=1e-2)


def test_the_false_alarm_of_a_whole_column():
    # 0.001 by the chi-square; four standard errors in a row add at most 5 times 6.3e-5. 40,000 columns: at 6 standard
    # deviations, 40 - 38 and 53 + 44. A chi-square on four degrees of freedom would give 0.0025, or 100.
    values = np.full(5, 5e3)
    noise = np.random.default_rng(3).normal(0, 0.02, (40_000, 5))
    missed = int((~readings.whole(plain(np.log(values) + noise, 0.02), values)).sum())
    assert 2 <= missed <= 97


def test_differences_of_numbers_are_relative_to_ours():
    values = np.array([1.3, 0.8])
    found = plain(np.zeros((1, 2)), 0.1, linear=True)
    np.testing.assert_allclose(readings.distances(found, values)[0], [3, -2], atol=1e-4)
    # Half a unit of the last digit is free.
    assert abs(readings.distances(found, np.array([1 + 0.49e-6, 1 - 0.49e-6]))).max() == 0
    # A tolerance above the mean lets in anything down to zero; its logarithm does not.
    wide = plain(np.zeros((1, 2)), 0.3, linear=True)
    assert readings.matches(wide, np.array([1e-5, 1e-5])).all()
    assert not readings.matches(plain(np.zeros((1, 2)), 0.3), np.array([1e-5, 1e-5])).any()


def test_linear_readings_have_the_mean_and_its_deviation():
    runs = few_runs().runs["n=10,m=3,probabilities=each run"]["bound"][:, 0, 0, 0]
    found = readings.collect(few_runs(), "bound", ROWS, linear=True)
    for probabilities, divisor in (("each run", 10), ("once", 1)):
        one = found.of(probabilities)
        assert one.linear
        np.testing.assert_allclose(one.centre[0, 0], np.log(runs.mean()))
        np.testing.assert_allclose(one.spread[0, 0], runs.std(ddof=1) / runs.mean() / divisor)


def test_choices_that_give_both_columns_share_all_that_they_have():
    names = [readings.Reading("once", m, "c", d, "of B") for m in (2, 3) for d in ("1", "2")]
    bounds = plain(np.zeros((4, 2)), 0.1, names=names)
    average = [
        names[0]._replace(what="Frobenius"),
        names[1]._replace(what="Frobenius"),
        names[2]._replace(dimension=""),
    ]
    averages = plain(np.zeros((3, 2)), 0.1, names=average)
    pair, yes, no = (bounds, averages), np.ones(4, bool), np.zeros(4, bool)
    assert readings.common_choices(yes, np.array([True, False, False]), pair) == [names[0]]
    # An error of a matrix has no d, so it goes with every d of the bound.
    assert readings.common_choices(yes, np.array([False, False, True]), pair) == names[2:]
    assert readings.common_choices(np.array([False, True, False, True]), yes[:3], pair) == [names[1], names[3]]
    assert readings.common_choices(no, yes[:3], pair) == []


def test_the_probability_of_a_smooth_column_by_brute_force():
    # 20,000 columns: 0.18 of them, known to 0.003.
    law, x = readings.power_law(ROWS, 0), np.log(np.array(ROWS[:4]))
    spread = 0.0216
    rows = np.random.default_rng(8).normal(0, spread, (4, 20_000))
    left = rows - np.stack([np.ones(4), x], 1) @ np.polynomial.polynomial.polyfit(x, rows, 1)
    share = (np.sqrt((left**2).sum(axis=0) / 2) <= law.scatter).mean()
    assert abs(share - law.smoothness(spread)) < 0.015


# The page


def test_the_page_compares_row_by_row():
    shown = "".join(map(str, page.section(few_runs()).blocks))
    for printed in ("0.000426", "0.704184", "0.000021", "0.279479", "1,653"):
        assert printed in shown
    assert "of 120 (97.0% to 100.0%)" in shown
    assert shown.count("<table") == 5
    assert "was not fixed beforehand" in shown
    assert "is one digit from 0.000121" in shown
    assert shown.count("<svg") == 1
    assert "c=1/sqrt(m) e=1/2" in shown


def test_the_page_of_an_unfinished_store():
    runs = few_runs().runs
    assert page.section(Kept({})) is None
    only = Kept({name: one for name, one in runs.items() if name.startswith("n=12")})
    assert "0.000308" in "".join(map(str, page.section(only).blocks))
    fixed = Kept({name: one for name, one in runs.items() if name.endswith("once")})
    assert "no replicates yet" in "".join(map(str, page.section(fixed).blocks))
    two = Kept({name: one for name, one in runs.items() if "each" in name and name[:4] in {"n=10", "n=20"}})
    assert "0.000021" in "".join(map(str, page.section(two).blocks))
    assert page.section(SimpleNamespace(cells=[])) is None


def test_what_the_page_concludes_is_what_its_rules_count():
    values = readings.printed(ROWS, 0)
    # Given; given row by row only; not given.
    z = np.array([np.zeros(5), np.full(5, 3.5), np.full(5, 9.0)])
    names = [readings.Reading("each run", 2, "c", "1", what) for what in "abc"]
    found = plain(np.log(values) - 0.1 * z, 0.1, names=names)
    bounds = plain(np.log(readings.printed(ROWS, 1))[None, :], 0.1, names=names[:1])
    assert page._concluded(bounds, found, found) == ("2 (1)", "1 (1)")
    only = found.keep(np.array([False, True, True]))
    assert page._concluded(bounds, only, only) == ("1 (0)", "1 (0)")
    off = plain(np.log(readings.printed(ROWS, 1))[None, :] + 1, 0.1, names=names[:1])
    assert page._concluded(off, found, found) == ("2 (1)", "0 (0)")


def test_the_page_says_when_fewer_match_than_by_chance():
    found = readings.collect(few_runs(), "error", ROWS[:4]).of("each run")
    chance = readings.chance(found.sharp.distinct())
    whole = int(readings.whole(found.sharp.distinct(), readings.printed(ROWS[:4], 0)).sum())
    assert chance > 0
    assert ("below the one expected by chance" in page._counted("averages", found, 0)) == (whole < chance)
    # A column that is a reading's own is found more often than by chance when readings are few and far apart.
    far = plain(np.log(readings.printed(ROWS, 0)) + np.arange(5.0)[:, None], 0.01)
    assert "below the one" not in page._counted("averages", far, 0)


def test_the_near_hit_is_the_column_sum_over_ten():
    shape = np.stack([np.log(np.array(ROWS, dtype=float)) * slope for slope in (-1.75, -2.25)])
    names = [page._NEAR, page._NEAR._replace(what="Frobenius")]
    shown = page._observations(plain(shape + math.log(0.24), 0.02 * math.sqrt(2), names=names))
    for n in ROWS:
        assert f"{PRINTED[n][0] / (0.24 * n**-1.75) * 10:.3f} at n = {n}" in shown
    assert "n^{-1.75}$ (column sum) and $n^{-2.25}$ (Frobenius)" in shown
    assert "(20% to 20%)" in shown
    # 1 - exp(-(0.0096/0.2)^2).
    assert "(probability 0.002 or less)" in shown
    # Without them there is still something to say.
    assert "near hit" not in page._observations(readings.collect(few_runs(), "error", ROWS))
