from __future__ import annotations

import textwrap
from importlib.metadata import EntryPoint

import pytest
import typer

from dkps_theory import _numerics
from dkps_theory.cli import main
from simulations import study as study_module
from simulations.commands import register
from simulations.store import load

FILE = """
    import jax, jax.numpy as jnp
    from simulations.study import Cell, Output, Study

    def prepare(cell, r_grid):
        {prepare}
        return jnp.asarray(r_grid)

    def replicate(key, r):
        return {{"error": jax.random.normal(key, r.shape) / jnp.sqrt(r)}}

    STUDY = Study(
        name="mine", title="Mine", aims="a", data="b", estimands="c", methods="d", performance="e",
        cells=(Cell("one", "One", {{"n": 1}}, lambda: None, 1, rates={{"error": -0.5}}),),
        r_grid=(10.0, 100.0), replicates=6, batch_size=4, outputs=(Output("error", "the error"),), truths=(),
        prepare=prepare, replicate=replicate, truth=lambda r: {{}},
    )
"""


@pytest.fixture
def command(monkeypatch, tmp_path):
    """Run a command in a folder of its own; BLAS threads and the compilation cache stay as they are."""
    monkeypatch.setattr(_numerics, "numerics", lambda: None)
    monkeypatch.setattr("simulations.runner.numerics", lambda: None)
    monkeypatch.chdir(tmp_path)
    entry = EntryPoint("toy", "simulations.studies.fixed_models_fixed_queries:STUDY", study_module.GROUP)
    monkeypatch.setattr(study_module, "entry_points", lambda group: [entry])
    app = typer.Typer(pretty_exceptions_enable=False)
    register(app)
    return lambda *words: main(words, app=app)


def _study_file(tmp_path, prepare="pass"):
    path = tmp_path / "mine.py"
    path.write_text(textwrap.dedent(FILE.format(prepare=prepare)))
    return str(path)


def test_simulate_and_report_end_to_end(command, tmp_path, capsys):
    path = _study_file(tmp_path)
    assert command("simulate", path, "--seed", "3") == 0
    said = capsys.readouterr()
    assert "mine.zarr: 6 replicates of 1 cells" in said.out
    assert "mine: one, 6 of 6 replicates" in said.err
    dataset = load("mine.zarr")
    assert (dataset.attrs["seed"], dataset.sizes["replicate"]) == (3, 6)
    assert command("report", "mine.zarr", "--html", "mine.html", "--csv", "mine.csv") == 0
    assert "<h2>Aims</h2>" in (tmp_path / "mine.html").read_text()
    assert (tmp_path / "mine.csv").read_text().startswith("cell,output,r,rmse,se")

    assert command("simulate", path) == 2
    assert "exists already" in capsys.readouterr().err
    assert command("simulate", path, "--overwrite", "--replicates", "4", "--out", "mine.zarr") == 0
    assert load("mine.zarr").sizes["replicate"] == 4


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_computed(command, tmp_path, capsys):
    path = _study_file(tmp_path, prepare="raise SystemExit('computed')")
    (tmp_path / "taken").mkdir()
    (tmp_path / "file").write_text("")
    for out, says in (("taken", "exists already"), ("file/a.zarr", "cannot be written")):
        assert command("simulate", path, "--out", out) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert says in line


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("simulate", "toi"), "did you mean 'toy'"),
        (("simulate", "nothing.py"), "no such file"),
        (("simulate", "toy", "--replicates", "0"), "replicates"),
        (("simulate", "toy", "--replicates", "2.5"), "--replicates"),
        (("simulate", "toy", "--seed", "-1"), "seed"),
        (("report", "nothing.zarr"), "no such folder"),
        (("report", "."), "is no store"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(command, capsys, words, says):
    assert command(*words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert says in line


def test_studies_are_listed(command, capsys):
    assert command("studies") == 0
    assert capsys.readouterr().out.startswith("toy  Fixed models, fixed queries")


def test_a_broken_study_does_not_hide_the_others(command, capsys, monkeypatch):
    entries = [
        EntryPoint("bad", "simulations.nowhere:STUDY", study_module.GROUP),
        EntryPoint("toy", "simulations.studies.fixed_models_fixed_queries:STUDY", study_module.GROUP),
    ]
    monkeypatch.setattr(study_module, "entry_points", lambda group: entries)
    assert command("studies") == 0
    said = capsys.readouterr()
    assert "toy  Fixed" in said.out
    assert "'bad'" in said.err
