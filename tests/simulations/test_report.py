from __future__ import annotations

import csv
import dataclasses
import shlex
import sys

import numpy as np
import pytest

from dkps_theory._validate import InputError
from dkps_theory.pages import Section, prose
from simulations.exports import columns, replicate_rows, rows
from simulations.grid import Cell, Grid
from simulations.measures import Measure, Rate
from simulations.report import agrees, html, print_summary, write_csv, write_html, write_replicates_csv
from simulations.report_tables import replay_line, where
from simulations.store import Failure
from simulations.study import Deferred
from simulations.summaries import curves
from tests.simulations.planted import planted

HEADINGS = ("Aims", "Data-generating mechanisms", "Estimands", "Methods", "Performance measures", "Slopes", "Failures")


def own_section(store):
    return Section("Of its own", [prose(f"With {len(store.cells)} cells.")])


MEASURES = (
    Measure("bias", "estimate", truth="theta"),
    Measure("rmse", "estimate", truth="theta"),
    Measure("coverage", "low", truth="theta", upper="high", level=0.95),
    Measure("rmse_ratio", "estimate", truth="theta", against="low"),
)


def factorial(counts=None, *, factors=None, methods=("mean", "median"), broken=(), measures=MEASURES, **more):
    """Return a store over a grid of levels; ``broken`` names (cell, replicate, method) with NaN."""
    grid = Grid(factors or {"law": ("normal", "skew"), "n": (4, 16)})
    rng = np.random.default_rng(0)
    arrays = []
    for index, cell in enumerate(grid.cells()):
        b = 40 if counts is None else counts[index]
        size = 1 / np.sqrt(float(cell.factors["n"]))
        estimate = 1 + size * rng.normal(size=(b, len(methods)))
        for at, replicate, method in broken:
            if at == index:
                estimate[replicate, method] = np.nan
        arrays.append({"estimate": estimate, "low": estimate - 2 * size, "high": estimate + 2 * size})
    return planted(
        arrays,
        dims=dict.fromkeys(("estimate", "low", "high"), ("method",)),
        axes={"method": methods},
        truths=[{"theta": np.asarray(1.0)}] * len(arrays),
        truth_dims={"theta": ()},
        cells=grid.cells(),
        measures=measures,
        rates=(Rate("estimate", "n", lambda levels: -0.5, truth="theta"),),
        **more,
    )


def read(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


class TestAlongR:
    def test_the_page_has_the_ademp_headings_and_escapes_what_users_write(self, toy_results):
        text = html(toy_results)
        for heading in HEADINGS:
            assert f"<h2>{heading}</h2>" in text
        assert "<title>A toy &lt;study&gt;</title>" in text
        assert "Cell &lt;small&gt;" in text
        assert "<study>" not in text
        assert "<small></h" not in text
        assert text.count("<svg") == 3
        assert "all inside" in text
        assert "No replicate failed." in text
        assert "not complete" not in text
        assert toy_results.manifest["design_hash"] in text

    def test_a_slope_agrees_or_not(self, toy_results):
        one = curves(toy_results)[0]
        assert agrees(dataclasses.replace(one, slope=-0.509, slope_se=0.0001))
        assert agrees(dataclasses.replace(one, slope=-0.53, slope_se=0.011)) is None, "too uncertain to tell"
        assert agrees(dataclasses.replace(one, slope=-0.5, slope_se=0.011)) is None, "too uncertain to agree"
        assert agrees(dataclasses.replace(one, slope=-0.53, slope_se=0.005)) is False
        assert agrees(dataclasses.replace(one, slope=-0.25, slope_se=0.001)) is False
        assert agrees(dataclasses.replace(one, slope=None, slope_se=None)) is None

    def test_csv_and_terminal(self, toy_results, tmp_path, capsys):
        path = tmp_path / "a.csv"
        write_csv(toy_results, path)
        found = read(path)
        assert len(found) == 2 * (3 + 1)
        assert list(found[0]) == columns(toy_results)
        first = found[0]
        assert (first["kind"], first["cell"], first["factor_n"], first["axis_r"]) == (
            "rmse along r",
            "small",
            "2",
            "10.0",
        )
        assert float(first["reference"]) == pytest.approx(10**-0.5)
        assert (first["replicates"], first["failures"]) == ("400", "0")
        slope = found[3]
        assert (slope["kind"], slope["reference"]) == ("slope along r", "-0.5")
        assert float(slope["value"]) == curves(toy_results)[0].slope
        print_summary(toy_results)
        assert "99.9% band" in " ".join(capsys.readouterr().out.split())


class TestFactorial:
    def test_measures_rates_and_figures_are_on_the_page(self, capsys):
        store = factorial()
        text = html(store)
        for measure in MEASURES:
            assert measure.name in text
        assert "<h2>Rates across cells</h2>" in text
        for label in ("loops-0", "loops-1", "loops-2", "zip-2", "across-0"):
            assert f'id="{label}-' in text
        assert 'id="zip-1-' not in text
        assert "Clopper-Pearson" in text
        print_summary(store)
        out = " ".join(capsys.readouterr().out.split())
        assert "bias of estimate" in out
        assert "estimate along n" in out
        assert "0 failures" in out

    def test_two_factors_of_numbers_make_a_heat_map(self):
        text = html(factorial(factors={"m": (1, 2, 3), "n": (4, 16)}))
        assert 'id="heat-0-0-' in text
        assert 'id="heat-0-1-' in text
        assert 'id="loops-' not in text

    def test_long_tables_are_folded(self):
        assert "<summary>bias of estimate (14 rows)" in html(
            factorial(factors={"m": tuple(range(7)), "n": (4, 16)}, measures=MEASURES[:1])
        )
        assert "<summary>bias" not in html(factorial(measures=MEASURES[:1]))

    def test_unfinished_runs_say_so_and_show_what_there_is(self, capsys):
        store = factorial((40, 1, 0, 40), planned=[40, 40, 40, 50])
        text = html(store)
        assert "The run is not complete: 81 of 170 replicates; 3 of 4 cells lack some." in text
        assert "1 of 40" in text
        assert "40 of 50" in text
        assert "0 to 40 replicates of 4 cells" in text
        print_summary(store)
        assert "not complete" in capsys.readouterr().out

    def test_an_empty_store_has_a_page(self, tmp_path):
        store = factorial((0, 0, 0, 0), planned=[40] * 4)
        assert "not complete" in html(store)
        write_csv(store, tmp_path / "a.csv")
        assert {row["value"] for row in read(tmp_path / "a.csv")} == {""}
        write_replicates_csv(store, tmp_path / "b.csv")
        assert read(tmp_path / "b.csv") == []

    def test_cells_without_factors_and_outputs_without_axes(self):
        cells = (Cell("a"), Cell("b", title="B <b>"))
        one = {"x": np.random.default_rng(0).normal(size=20)}
        store = planted([one, one], dims={"x": ()}, cells=cells, measures=(Measure("mean", "x"),))
        text = html(store)
        assert "mean of x" in text
        assert "B &lt;b&gt;" in text
        assert "<svg" not in text


class TestFailures:
    broken = tuple((1, replicate, 0) for replicate in range(30)) + tuple((2, replicate, 1) for replicate in range(35))

    def test_are_rows_with_the_call_that_replays_one(self, capsys):
        store = factorial(broken=self.broken)
        text = html(store)
        # Each breaks the estimate and both ends of the interval, which is one row for the replicate and method.
        assert "The first 50 of 65 rows." in text
        assert "given success: 30 of 40 failed" in text
        assert "counting failures as misses or as hits" in text
        assert "replay(&#39;STORE.zarr&#39;, &#39;law=normal,n=16&#39;, 0)" in text
        print_summary(store)
        out = capsys.readouterr().out
        assert "65 failures" in out
        assert "python -c " in out

    def test_all_are_in_the_csv(self, tmp_path):
        store = factorial(broken=self.broken)
        write_csv(store, tmp_path / "a.csv")
        found = [row for row in read(tmp_path / "a.csv") if row["kind"] == "failure"]
        assert len(found) == 65
        assert (found[0]["measure"], found[0]["replicate"], found[0]["note"]) == ("mean", "0", "not finite")
        assert found[-1]["factor_law"] == "skew"

    def test_the_replay_line_survives_the_shell(self, tmp_path):
        for name in ("plain.zarr", "it's $HOME `x`.zarr", 'a "quoted" one!.zarr'):
            store = factorial(path=tmp_path / name)
            words = shlex.split(replay_line(store, Failure("law=normal,n=16", 17, "mean", "not finite")))
            assert words[:2] == ["python", "-c"]
            code = words[2].replace("from simulations.runner import replay; print(replay(", "given = ((")
            scope = {}
            exec(code, scope)
            assert scope["given"] == (str(store.path), "law=normal,n=16", 17)


class TestSections:
    def test_a_study_adds_its_own(self):
        here = sys.modules[__name__].__name__
        assert "With 4 cells." in html(factorial(measures=(), sections=(Deferred(f"{here}:own_section"),)))

    @pytest.mark.parametrize("target", ["no_such_module:section", f"{__name__}:no_such_function"])
    def test_one_that_is_not_here_is_said_in_a_line(self, target):
        store = factorial(measures=())
        store.manifest["sections"] = [target]
        assert f"<code>{target}</code> is not here" in html(store)


class TestCsv:
    def test_replicates_are_all_there_in_full_precision(self, tmp_path):
        store = factorial((40, 7, 0, 40), broken=((0, 3, 1),))
        write_replicates_csv(store, tmp_path / "a.csv")
        found = read(tmp_path / "a.csv")
        assert list(found[0]) == ["cell", "replicate", "output", "axis_method", "value"]
        assert len(found) == (40 + 7 + 40) * 3 * 2
        values = store.values("low", 1)
        mine = [row for row in found if (row["cell"], row["output"]) == ("law=normal,n=16", "low")]
        again = np.full((7, 2), np.nan)
        for row in mine:
            again[int(row["replicate"]), ("mean", "median").index(row["axis_method"])] = float(row["value"])
        np.testing.assert_array_equal(again, values)
        (nan,) = [row for row in found if row["value"] == "nan" and row["output"] == "estimate"]
        assert (nan["replicate"], nan["axis_method"]) == ("3", "median")

    def test_replicates_come_in_small_blocks(self):
        store = factorial()
        assert sorted(map(str, replicate_rows(store, slab=1))) == sorted(map(str, replicate_rows(store)))

    def test_summaries_have_every_measure_and_rate(self):
        store = factorial()
        found = list(rows(store))
        kinds = [row["kind"] for row in found]
        assert {kind: kinds.count(kind) for kind in kinds} == {
            "bias": 8, "rmse": 8, "coverage": 8, "rmse_ratio": 8, "slope across cells": 4
        }  # fmt: skip
        assert set().union(*found) <= set(columns(store))
        assert {type(v) for row in found for v in row.values()} <= {str, float, int, bool, type(None)}
        last = found[-1]
        assert (last["factor_law"], last["axis_method"], last["reference"]) == ("skew", "median", -0.5)
        assert "factor_n" not in last

    def test_places_that_cannot_be_written_are_named(self, toy_results, tmp_path):
        for write in (write_csv, write_html, write_replicates_csv):
            with pytest.raises(InputError, match="cannot be written"):
                write(toy_results, tmp_path / "none" / "a")


def test_labels_in_words():
    assert where({}) == ""
    assert where({"method": "mean", "law": "normal", "r": 1e5}) == "mean, law = normal, r = 100000"
