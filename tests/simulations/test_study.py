from __future__ import annotations

import dataclasses
import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from dkps_theory._validate import InputError
from simulations import study as study_module
from simulations.study import Deferred, Output, find_study, resolve_study, study_from_file, study_names

NAME = "fixed-models-fixed-queries"


@pytest.fixture
def registered(monkeypatch):
    entries = [
        EntryPoint(NAME, "simulations.studies.fixed_models_fixed_queries:STUDY", study_module.GROUP),
        EntryPoint("broken", "simulations.no_such_module:STUDY", study_module.GROUP),
        EntryPoint("other", "math:pi", study_module.GROUP),
    ]
    monkeypatch.setattr(study_module, "entry_points", lambda group: [e for e in entries if e.group == group])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"cells": ()}, "no cells"),
        ({"r_grid": (10.0, 10.0)}, "strictly increasing"),
        ({"r_grid": ()}, "non-empty"),
        ({"r_grid": (0.5,)}, "r_grid"),
        ({"replicates": 0}, "replicates"),
        ({"batch_size": 0}, "batch_size"),
        ({"outputs": (Output("error", "x"), Output("error", "y"))}, "same name"),
        ({"outputs": (Output("other", "x"),)}, "a rate for"),
    ],
)
def test_a_study_that_does_not_fit_together_is_refused(toy, changes, says):
    with pytest.raises(InputError, match=says):
        dataclasses.replace(toy, **changes)


def test_two_cells_of_one_name_are_refused(toy):
    with pytest.raises(InputError, match="same name"):
        dataclasses.replace(toy, cells=(toy.cells[0], toy.cells[0]))


def test_find_study_by_name_and_name_the_nearest(registered):
    assert study_names() == ["broken", NAME, "other"]
    assert find_study(NAME).name == NAME
    with pytest.raises(InputError, match=f"did you mean '{NAME}'"):
        find_study("fixed-model-fixed-query")
    with pytest.raises(InputError, match="does not load"):
        find_study("broken")
    with pytest.raises(InputError, match=r"no simulations\.study\.Study"):
        find_study("other")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "no such file"),
        ("STUDY = 3", "must define STUDY"),
        ("x = 1", "must define STUDY"),
        ("def f(:", "SyntaxError"),
        ("1 / 0", "ZeroDivisionError"),
        ("from dkps_theory._validate import InputError\nraise InputError('r_grid: wrong')", "r_grid: wrong"),
    ],
)
def test_a_file_without_a_study_is_refused_in_one_line(tmp_path, text, says):
    path = tmp_path / "mine.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=says) as refused:
        study_from_file(path)
    assert "\n" not in str(refused.value)
    assert "mine.py" in str(refused.value)


def test_a_file_with_a_study_is_read(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("from simulations.studies.fixed_models_fixed_queries import STUDY\n")
    assert resolve_study(str(path)).name == NAME


def test_the_design_hash_follows_the_numbers_and_not_the_words(toy):
    base = toy.design_hash()
    assert dataclasses.replace(toy, title="Other words", aims="too").design_hash() == base
    assert dataclasses.replace(toy, replicates=7).design_hash() == base
    assert dataclasses.replace(toy, batch_size=4).design_hash() != base
    assert dataclasses.replace(toy, r_grid=(10.0, 20.0, 30.0)).design_hash() != base
    first, second = (Deferred("math:pow", {"seed": seed}) for seed in (1, 2))
    cells = [dataclasses.replace(toy.cells[0], population=builder) for builder in (first, second)]
    assert len({dataclasses.replace(toy, cells=(one,)).design_hash() for one in cells}) == 2


def test_listing_studies_and_registering_commands_import_no_jax():
    code = (
        "import sys, typer\n"
        "from simulations.commands import register\n"
        "app = typer.Typer(); register(app)\n"
        "assert 'numpy' not in sys.modules, 'numpy'\n"
        "from simulations.studies.fixed_models_fixed_queries import STUDY\n"
        "for name in ('jax', 'matplotlib', 'xarray', 'scipy', 'sklearn'):\n"
        "    assert name not in sys.modules, name\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
