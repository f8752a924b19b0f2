from __future__ import annotations

import dataclasses

import pytest

from dkps_theory._validate import InputError
from simulations.config import configured, read_config, read_settings
from simulations.grid import Cell, Grid, Nested
from simulations.study import Output, Study

GRID = Grid(
    {"law": ("normal", "t"), "shape": Nested("law", {"normal": (0,), "t": (3, 5)}), "n": (10, 20), "sigma": (0.5, 1.0)},
    keep=lambda levels: levels["n"] < 20 or levels["sigma"] < 1,
    paired=("sigma",),
    describe=lambda cell: dataclasses.replace(cell, title=f"{cell.factors['law']} {cell.factors['n']}"),
)


def study(**changes):
    parts = {
        "name": "s", "title": "", "aims": "", "data": "", "estimands": "", "methods": "", "performance": "",
        "replicates": 10, "batch_size": 5, "outputs": (Output("x", "x", ("method",)),), "replicate": lambda key, p: {},
        "grid": GRID, "axes": {"r": (1.0, 2.0), "method": ("a", "b")},
    }  # fmt: skip
    return Study(**parts | changes)


def test_a_grid_crosses_nests_and_filters():
    names = [cell.name for cell in GRID.cells()]
    assert len(names) == 3 * 3
    assert names[0] == "law=normal,shape=0,n=10,sigma=0.5"
    assert "law=t,shape=5,n=20,sigma=0.5" in names
    assert not [name for name in names if "n=20,sigma=1" in name]
    assert {cell.factors["shape"] for cell in GRID.cells() if cell.factors["law"] == "normal"} == {0}
    assert GRID.cells()[0].title == "normal 10"


def test_paired_factors_share_random_numbers_and_others_do_not():
    streams = {cell.name: cell.stream for cell in GRID.cells()}
    assert streams["law=normal,shape=0,n=10,sigma=0.5"] == streams["law=normal,shape=0,n=10,sigma=1"]
    assert len(set(streams.values())) == 6


@pytest.mark.parametrize(
    ("factors", "says"),
    [
        ({}, "no factors"),
        ({"n": ()}, "no levels"),
        ({"n": (1, 1)}, "stands twice"),
        ({"n": (float("nan"),)}, "numbers or words"),
        ({"n": (True,)}, "numbers or words"),
        ({"a-b": (1,)}, "letters, digits and underscores"),
        ({"s": Nested("law", {}), "law": ("t",)}, "must come before"),
        ({"law": ("t", "u"), "s": Nested("law", {"t": (1,)})}, r"no levels at law = \['u'\]"),
    ],
)
def test_a_grid_that_makes_no_sense_is_refused(factors, says):
    with pytest.raises(InputError, match=says):
        Grid(factors)


def test_an_empty_grid_is_refused():
    with pytest.raises(InputError, match="no combination of levels is left"):
        study(grid=Grid({"n": (1, 2)}, keep=lambda levels: False))
    with pytest.raises(InputError, match="no combination of levels is left"):
        configured(study(grid=Grid({"n": (1, 2)}, keep=lambda levels: levels["n"] < 2)), {"n": [2, 3]})


def test_settings_change_levels_axes_and_numbers_and_nothing_else():
    base = study()
    found = configured(base, {"n": [10, 40], "r": [5], "batch_size": 2, "replicates": 7, "seed": 3, "shape": [5]})
    assert (found.batch_size, found.replicates, found.axes["r"]) == (2, 7, (5.0,))
    assert {cell.factors["n"] for cell in found.cells} == {10, 40}
    assert {cell.factors["law"] for cell in found.cells} == {"t"}
    kept = [cell for cell in base.cells if cell.factors["n"] == 10 and cell.factors["shape"] == 5]
    assert kept == [cell for cell in found.cells if cell.factors["n"] == 10]
    assert configured(base, {}) == base


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"m": [1]}, "unknown factor, axis or number 'm'"),
        ({"sigmaa": [1]}, "did you mean 'sigma'"),
        ({"n": [1.5]}, "must be a whole number"),
        ({"n": ["x"]}, "must be a whole number"),
        ({"n": []}, "no levels"),
        ({"sigma": ["x"]}, "must be a number"),
        ({"law": ["cauchy"]}, "must be among normal, t"),
        ({"shape": [4]}, "must be among 0, 3, 5"),
        ({"method": ["c"]}, "must be among a, b"),
        ({"r": [0]}, "axis 'r'"),
        ({"replicates": 1}, "replicates: got 1; it must be a whole number of at least 2"),
        ({"replicates": "many"}, "replicates"),
        ({"batch_size": 0}, "batch_size"),
    ],
)
def test_settings_that_do_not_fit_are_refused_in_one_line(settings, says):
    with pytest.raises(InputError, match=says) as refused:
        configured(study(), settings)
    assert "\n" not in str(refused.value)


def test_a_study_of_named_cells_has_the_factor_cell():
    base = study(grid=None, cells=(Cell("one"), Cell("two")))
    assert [cell.name for cell in configured(base, {"cell": ["two"]}).cells] == ["two"]
    with pytest.raises(InputError, match="unknown cell 'tow'; did you mean 'two'"):
        configured(base, {"cell": ["tow"]})


def test_words_of_set():
    found = read_settings(["n=10,20", "law=normal,t", "sigma=[0.5]", "replicates=300", "cell=above-rank,regular"])
    assert found == {
        "n": [10, 20], "law": ["normal", "t"], "sigma": [0.5], "replicates": 300, "cell": ["above-rank", "regular"],
    }  # fmt: skip
    for word in ("n", "n=", "=3"):
        with pytest.raises(InputError, match="must be key=value"):
            read_settings([word])
    with pytest.raises(InputError, match="set twice"):
        read_settings(["n=1", "n=2"])


def test_a_config_file(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text('study = "s"\nreplicates = 300\n[factors]\nn = [10]\n[axes]\nr = [1, 5]\n')
    assert read_config(path, "s") == {"replicates": 300, "n": [10], "r": [1, 5]}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, r"cannot be read \(No such file"),
        ("n = ", "is no TOML"),
        ('study = "t"', "is for study 't', not 's'"),
        ("replicate = 3", "did you mean 'replicates'"),
        ("factors = 3", r"must be a table, as \[factors\]"),
        ("[factors]\nr = [1]\n[axes]\nr = [1]", "stands twice"),
    ],
)
def test_a_config_file_that_makes_no_sense_is_refused(tmp_path, text, says):
    path = tmp_path / "c.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=says) as refused:
        read_config(path, "s")
    assert "c.toml" in str(refused.value)
    assert "\n" not in str(refused.value)
