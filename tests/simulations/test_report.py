from __future__ import annotations

import csv
import dataclasses

import numpy as np
import pytest

from dkps_theory._validate import InputError
from simulations.report import agrees, html, print_summary, write_csv, write_html
from simulations.summaries import COLUMNS, curves

HEADINGS = ("Aims", "Data-generating mechanisms", "Estimands", "Methods", "Performance measures", "Slopes")


def test_the_page_has_the_ademp_headings_and_escapes_what_users_write(toy_results):
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
    assert toy_results.attrs["design_hash"] in text


def test_failures_are_shown(toy_results):
    broken = toy_results.copy(deep=True)
    broken["error"][0, 3, 1] = np.nan
    broken.attrs = toy_results.attrs | {"failures": {"error": [1, 0]}}
    text = html(broken)
    assert "Replicates with a NaN or an infinity." in text
    assert "1 replicates failed" in text
    assert "3 OUTSIDE" in text


def test_a_slope_agrees_or_not(toy_results):
    one = curves(toy_results)[0]
    assert agrees(dataclasses.replace(one, slope=-0.509, slope_se=0.0001))
    assert agrees(dataclasses.replace(one, slope=-0.53, slope_se=0.011)) is None, "too uncertain to tell"
    assert agrees(dataclasses.replace(one, slope=-0.5, slope_se=0.011)) is None, "too uncertain to agree"
    assert agrees(dataclasses.replace(one, slope=-0.53, slope_se=0.005)) is False
    assert agrees(dataclasses.replace(one, slope=-0.25, slope_se=0.001)) is False
    assert agrees(dataclasses.replace(one, slope=None, slope_se=None)) is None


def test_csv_and_terminal(toy_results, tmp_path, capsys):
    path = tmp_path / "a.csv"
    write_csv(toy_results, path)
    with path.open(encoding="utf-8") as stream:
        found = list(csv.DictReader(stream))
    assert len(found) == 6
    assert tuple(found[0]) == COLUMNS
    assert float(found[0]["exact_rmse"]) == pytest.approx(10**-0.5)
    print_summary(toy_results)
    assert "99.9% band" in " ".join(capsys.readouterr().out.split())


def test_places_that_cannot_be_written_are_named(toy_results, tmp_path):
    for write in (write_csv, write_html):
        with pytest.raises(InputError, match="cannot be written"):
            write(toy_results, tmp_path / "none" / "a")
