"""Performance measures against their definitions, with failures and short cells, in little memory."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from dkps_theory.monte_carlo import clopper_pearson
from simulations.estimates import rmse_ratio_estimate
from simulations.grid import Cell
from simulations.measures import Measure
from simulations.performance import clopper_pearson_ends, measured, performance, target_mcse
from simulations.slabs import blocks
from simulations.store import Store
from tests.simulations.planted import planted

METHODS = ("mean", "median")
DIMS = {
    "estimate": ("method", "r"),
    "low": ("method", "r"),
    "high": ("r", "method"),
    "other": ("r",),
    "hit": ("method",),
}
EVERY = (
    Measure("mean", "estimate"),
    Measure("bias", "estimate", truth="theta"),
    Measure("empirical_se", "estimate"),
    Measure("rmse", "estimate", truth="theta"),
    Measure("coverage", "low", truth="theta", upper="high", level=0.9),
    Measure("rejection", "hit"),
    Measure("quantile", "estimate", level=0.5),
    Measure("rmse_ratio", "estimate", truth="theta", against="other"),
)


def drawn(b, seed=0, lengths=(2, 3)):
    rng = np.random.default_rng(seed)
    estimate = 1 + rng.gamma(4.0, size=(b, *lengths)) / 4
    half = rng.uniform(0.5, 1.5, size=(b, *lengths))
    return {
        "estimate": estimate,
        "low": estimate - half,
        "high": (estimate + half).transpose(0, 2, 1),
        "other": estimate[:, 0] + rng.normal(size=(b, lengths[1])),
        "hit": rng.integers(0, 2, size=(b, lengths[0])).astype(float),
    }


def store_of(*arrays, measures=EVERY, **more):
    truths = [{"theta": np.array([2.0, 2.1, 1.9])} for _ in arrays]
    axes = {"method": METHODS, "r": (1.0, 8.0, 64.0)}
    return planted(
        list(arrays), dims=DIMS, truths=truths, truth_dims={"theta": ("r",)}, axes=axes, measures=measures, **more
    )


def by_place(rows):
    return {(row.kind, row.cell, *row.labels.values()): row for row in rows}


class TestDefinitions:
    arrays = drawn(40)
    rows = by_place(performance(store_of(arrays)))

    def test_every_entry_of_every_measure_is_there_in_order(self):
        assert len(self.rows) == 7 * 6 + 2
        assert list(self.rows)[:3] == [("mean", "c0", "mean", r) for r in (1.0, 8.0, 64.0)]
        assert {row.failures for row in self.rows.values()} == {0}
        assert {row.n for row in self.rows.values()} == {40}

    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize(("r", "theta"), [(1.0, 2.0), (8.0, 2.1), (64.0, 1.9)])
    def test_each_is_what_a_loop_says(self, method, r, theta):
        i, j, b = METHODS.index(method), (1.0, 8.0, 64.0).index(r), 40
        x = [float(v) for v in self.arrays["estimate"][:, i, j]]
        mean = math.fsum(x) / b
        sd = math.sqrt(math.fsum((v - mean) ** 2 for v in x) / (b - 1))
        row = self.rows["mean", "c0", method, r]
        assert row.value == pytest.approx(mean)
        assert row.se == pytest.approx(sd / math.sqrt(b))
        assert (row.low, row.high) == pytest.approx(stats.t.interval(0.95, b - 1, mean, sd / math.sqrt(b)))
        assert self.rows["bias", "c0", method, r].value == pytest.approx(mean - theta)
        assert self.rows["bias", "c0", method, r].se == pytest.approx(row.se)
        row = self.rows["empirical_se", "c0", method, r]
        assert row.value == pytest.approx(sd)
        squares = [(v - mean) ** 2 for v in x]
        spread = math.sqrt(math.fsum((s - math.fsum(squares) / b) ** 2 for s in squares) / (b - 1))
        # The derivative of sqrt, and b / (b - 1) inside the root.
        assert row.se == pytest.approx(spread / math.sqrt(b) / 2 / sd * b / (b - 1))
        row = self.rows["rmse", "c0", method, r]
        assert row.value == pytest.approx(math.sqrt(math.fsum((v - theta) ** 2 for v in x) / b))
        assert row.low < row.value < row.high
        row = self.rows["coverage", "c0", method, r]
        covered = sum(
            low <= theta <= high
            for low, high in zip(self.arrays["low"][:, i, j], self.arrays["high"][:, j, i], strict=True)
        )
        assert row.value == covered / b
        assert row.se == pytest.approx(math.sqrt(covered / b * (1 - covered / b) / b))
        assert (row.low, row.high) == pytest.approx(clopper_pearson(int(covered), b))
        row = self.rows["quantile", "c0", method, r]
        assert row.value == pytest.approx(np.median(x))
        assert (row.low, row.high) == (sorted(x)[13], sorted(x)[26])  # the 14th and the 27th of 40
        row = self.rows["rmse_ratio", "c0", method, r]
        other = self.arrays["other"][:, j] - theta
        expected = rmse_ratio_estimate(np.array(x) - theta, other)
        assert row.value == pytest.approx(float(expected.value))
        assert row.se == pytest.approx(float(expected.se))
        assert f"{expected.se / expected.independent_se:.2g} times" in row.note

    def test_rejection_is_a_proportion(self):
        row = self.rows["rejection", "c0", "median"]
        assert row.value == self.arrays["hit"][:, 1].mean()
        assert (row.if_misses, row.if_hits) == (row.value, row.value)

    def test_proportions_of_nought_and_one_have_intervals(self):
        arrays = drawn(30)
        arrays["hit"] = np.stack([np.zeros(30), np.ones(30)], axis=1)
        none, every = measured(store_of(arrays), {**EVERYTHING["rejection"]}, 0)
        assert (none.value, none.se, none.low) == (0.0, 0.0, 0.0)
        assert none.high == pytest.approx(1 - 0.025 ** (1 / 30))
        assert (every.value, every.se, every.high) == (1.0, 0.0, 1.0)
        assert every.low == pytest.approx(0.025 ** (1 / 30))

    def test_many_clopper_pearson_intervals_at_once_are_those_of_the_library(self):
        low, high = clopper_pearson_ends(np.arange(13), 12)
        np.testing.assert_allclose(np.stack([low, high], 1), [clopper_pearson(k, 12) for k in range(13)], rtol=1e-12)


EVERYTHING = {row["kind"]: row for row in store_of(drawn(2)).manifest["measures"]}


class TestFailures:
    def test_are_counted_and_the_rest_is_used(self):
        arrays = drawn(40)
        whole = by_place(performance(store_of(arrays)))
        arrays["estimate"][[3, 7], 0, 1] = np.nan
        arrays["low"][5, 0, 1] = np.nan
        arrays["high"][6, 1, 0] = np.inf
        arrays["hit"][:4, 1] = np.nan
        rows = by_place(performance(store_of(arrays)))
        good = np.delete(arrays["estimate"][:, 0, 1], [3, 7])
        row = rows["mean", "c0", "mean", 8.0]
        assert (row.value, row.n, row.failures) == (pytest.approx(good.mean()), 38, 2)
        assert row.note == "given success: 2 of 40 failed"
        row = rows["coverage", "c0", "mean", 8.0]
        assert (row.n, row.failures) == (38, 2)
        hits = row.value * 38
        assert (row.if_misses, row.if_hits) == (pytest.approx(hits / 40), pytest.approx((hits + 2) / 40))
        assert f"{hits / 40:.4g} to {(hits + 2) / 40:.4g} counting failures as misses or as hits" in row.note
        row = rows["rejection", "c0", "median"]
        assert (row.n, row.failures) == (36, 4)
        assert rows["rejection", "c0", "mean"].failures == 0
        assert rows["mean", "c0", "median", 8.0] == whole["mean", "c0", "median", 8.0], "other entries are untouched"

    def test_a_pair_fails_when_either_does(self):
        arrays = drawn(40)
        arrays["estimate"][0, 0, 0] = np.nan
        arrays["other"][1, 0] = np.nan
        rows = by_place(performance(store_of(arrays)))
        row = rows["rmse_ratio", "c0", "mean", 1.0]
        assert (row.n, row.failures) == (38, 2)
        errors = arrays["estimate"][2:, 0, 0] - 2.0
        assert row.value == pytest.approx(np.sqrt((errors**2).mean() / ((arrays["other"][2:, 0] - 2.0) ** 2).mean()))

    def test_all_of_them_leave_no_number(self):
        arrays = {name: np.full_like(np.asarray(a, dtype=float), np.nan) for name, a in drawn(10).items()}
        for row in performance(store_of(arrays)):
            assert (row.value, row.se, row.low, row.high, row.n, row.failures) == (None, None, None, None, 0, 10)
            assert row.note.startswith("given success: 10 of 10 failed")
            assert row.if_misses in {None, 0.0}
            assert row.if_hits in {None, 1.0}


class TestShortCells:
    @pytest.mark.parametrize("b", [0, 1])
    def test_nothing_is_made_up(self, b):
        for row in performance(store_of(drawn(40), drawn(b))):
            if row.cell == "c1":
                assert row.se is None
                assert (row.n, row.failures) == (b, 0)
                assert "fewer than 2 replicates" in row.note
                assert row.value is None or (b and row.kind in {"coverage", "rejection"})

    def test_outputs_that_do_not_apply_are_left_out(self):
        cells = (Cell("c0"), Cell("c1", absent=("low",)))
        arrays = drawn(10)
        rows = by_place(performance(store_of(arrays, {**arrays, "low": np.full((10, 2, 3), np.nan)}, cells=cells)))
        assert ("coverage", "c0", "mean", 1.0) in rows
        assert ("coverage", "c1", "mean", 1.0) not in rows
        assert ("bias", "c1", "mean", 1.0) in rows

    def test_cells_may_have_other_shapes_and_outputs_fewer_replicates(self):
        one, two = {"x": np.arange(12.0).reshape(4, 3)}, {"x": np.arange(10.0).reshape(5, 2)}
        store = planted([one, two], dims={"x": ("n",)}, measures=(Measure("mean", "x"),), cap={"x": 3}, batch_size=2)
        rows = list(performance(store))
        assert [(row.cell, row.labels["n"], row.n) for row in rows] == [
            ("c0", 0, 3), ("c0", 1, 3), ("c0", 2, 3), ("c1", 0, 3), ("c1", 1, 3)
        ]  # fmt: skip
        assert [row.value for row in rows] == [3.0, 4.0, 5.0, 2.0, 3.0]


class Watched(Store):
    """A store that keeps the size of the largest slab it was asked for."""

    largest = 0

    def values(self, output, cell, entries=()):
        found = super().values(output, cell, entries)
        self.largest = max(self.largest, found.nbytes)
        return found


class TestMemory:
    def test_slabs_stay_small_and_change_nothing(self):
        store = store_of(drawn(50), drawn(31, seed=1))
        watched = Watched(store._group, None)
        watched._by_cell = store._by_cell
        limit = 4 * 50 * 8
        assert list(performance(watched, slab=limit)) == list(performance(store))
        assert 0 < watched.largest <= limit

    def test_blocks_are_a_partition(self):
        for shape in [(), (1,), (7,), (3, 4), (2, 3, 5), (4, 0)]:
            for entries in (0, 1, 2, 5, 7, 1000):
                seen = np.zeros(shape, dtype=int)
                for block in blocks(shape, entries):
                    assert math.prod(one.stop - one.start for one in block) <= max(1, entries)
                    seen[block] += 1
                assert (seen == 1).all()


class TestTarget:
    def reached(self, arrays, measure, **more):
        return target_mcse(store_of(*arrays, target=measure, **more), 0)

    def test_is_the_worst_entry(self):
        arrays = drawn(40)
        x = arrays["estimate"]
        assert self.reached([arrays], EVERY[0]) == pytest.approx((x.std(0, ddof=1) / np.sqrt(40)).max())
        relative = Measure("mean", "estimate", relative=True)
        assert self.reached([arrays], relative) == pytest.approx((x.std(0, ddof=1) / np.sqrt(40) / x.mean(0)).max())

    def test_failures_do_not_make_it_endless(self):
        arrays = drawn(40)
        arrays["estimate"][0] = np.nan
        good = arrays["estimate"][1:]
        assert self.reached([arrays], EVERY[0]) == pytest.approx((good.std(0, ddof=1) / np.sqrt(39)).max())

    def test_fewer_than_two_replicates_are_never_enough(self):
        for b in (0, 1):
            assert self.reached([drawn(b)], EVERY[0]) == math.inf
            assert self.reached([drawn(b)], EVERY[5]) == math.inf
        one_more = drawn(2)
        one_more["estimate"][1:, 0, 0] = np.nan
        assert self.reached([one_more], EVERY[0]) == math.inf

    def test_an_entry_that_fails_again_and_again_is_not_waited_for(self):
        arrays, without = drawn(40), drawn(40)
        arrays["estimate"][1:, 0, 0] = np.nan
        found = self.reached([arrays], EVERY[0])
        assert found == pytest.approx(without["estimate"].reshape(40, -1)[:, 1:].std(axis=0, ddof=1).max() / 40**0.5)

    def test_replicates_that_agree_are_not_known(self):
        arrays = drawn(40)
        arrays["estimate"] = np.ones_like(arrays["estimate"])
        assert self.reached([arrays], EVERY[0]) == math.inf

    def test_a_proportion_of_one_is_not_known_for_sure(self):
        arrays = drawn(10)
        arrays["hit"] = np.ones((10, 2))
        p = 12 / 14
        assert self.reached([arrays], EVERY[5]) == pytest.approx(math.sqrt(p * (1 - p) / 14))

    def test_a_quantile_without_a_standard_error_is_not_known(self):
        assert self.reached([drawn(10)], Measure("quantile", "estimate", level=0.99)) == math.inf

    def test_a_cell_without_the_output_needs_nothing(self):
        assert self.reached([drawn(10)], EVERY[0], cells=(Cell("c0", absent=("estimate",)),)) == 0.0

    def test_a_value_of_zero_has_no_relative_error(self):
        arrays = drawn(10)
        arrays["hit"] = np.zeros((10, 2))
        assert self.reached([arrays], Measure("rejection", "hit", relative=True)) == math.inf
