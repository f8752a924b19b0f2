from __future__ import annotations

import dataclasses
import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from dkps_theory._validate import InputError
from simulations import catalogue
from simulations.catalogue import find_study, recipe, study_names
from simulations.measures import Measure
from simulations.studies.mechanism import Mechanism
from simulations.study import Deferred, Output

NAME = "fixed-models-fixed-queries"


@pytest.fixture
def registered(monkeypatch):
    entries = [
        EntryPoint(NAME, "simulations.studies.fixed_models_fixed_queries:STUDY", catalogue.GROUP),
        EntryPoint("broken", "simulations.no_such_module:STUDY", catalogue.GROUP),
        EntryPoint("other", "math:pi", catalogue.GROUP),
    ]
    monkeypatch.setattr(catalogue, "entry_points", lambda group: [e for e in entries if e.group == group])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"cells": ()}, "no cells"),
        ({"name": "a/b"}, "letters, digits, dashes"),
        ({"axes": {"r": (10.0, 10.0)}}, "stands twice"),
        ({"axes": {"r": (20.0, 10.0)}}, "strictly increasing"),
        ({"axes": {"r": ()}}, "non-empty"),
        ({"axes": {"r": (0.5,)}}, "axis 'r'"),
        ({"axes": {"error": (1.0,)}}, "name of an axis"),
        ({"replicates": 1}, "replicates"),
        ({"measures": (Measure("bias", "eror"),)}, "no output or truth"),
        ({"target": Measure("bias", "error", truth="zero")}, "no output or truth"),
        ({"batch_size": 0}, "batch_size"),
        ({"outputs": (Output("error", "x"), Output("error", "y"))}, "same name"),
        ({"outputs": (Output("other", "x"),)}, "is no output"),
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
        ("from dkps_theory._validate import InputError\nraise InputError('r: wrong')", "r: wrong"),
    ],
)
def test_a_file_without_a_study_is_refused_in_one_line(tmp_path, text, says):
    path = tmp_path / "mine.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=says) as refused:
        _ = recipe(str(path)).study
    assert "\n" not in str(refused.value)
    assert "mine.py" in str(refused.value)


def test_a_file_with_a_study_is_read(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("from simulations.studies.fixed_models_fixed_queries import STUDY\n")
    assert recipe(str(path)).study.name == NAME


def test_the_design_hash_follows_the_numbers_and_not_the_words(toy):
    base = toy.design_hash()
    assert dataclasses.replace(toy, title="Other words", aims="too").design_hash() == base
    assert dataclasses.replace(toy, replicates=7).design_hash() == base
    assert dataclasses.replace(toy, batch_size=4).design_hash() != base
    assert dataclasses.replace(toy, axes={"r": (10.0, 20.0, 30.0)}).design_hash() != base
    first, second = (Deferred("math:pow", {"seed": seed}) for seed in (1, 2))
    cells = [dataclasses.replace(toy.cells[0], settings=Mechanism(builder, 1)) for builder in (first, second)]
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
