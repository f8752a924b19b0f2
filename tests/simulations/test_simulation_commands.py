from __future__ import annotations

import re
import textwrap
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
import typer

from dkps_theory import _numerics
from dkps_theory._validate import InputError
from dkps_theory.cli import main
from simulations import catalogue
from simulations.commands import register
from simulations.store import open_store

FILE = """
    import jax, jax.numpy as jnp
    from simulations.grid import Cell
    from simulations.study import Output, Study

    def prepare(cell, axes):
        {prepare}
        return jnp.asarray(axes["r"])

    def replicate(key, r):
        return {{"error": jax.random.normal(key, r.shape) / jnp.sqrt(r)}}

    STUDY = Study(
        name="mine", title="Mine", aims="a", data="b", estimands="c", methods="d", performance="e",
        cells=(Cell("one", "One", {{"n": 1}}, rates={{"error": -0.5}}),),
        axes={{"r": (10.0, 100.0)}}, replicates=6, batch_size=4, outputs=(Output("error", "the error"),),
        prepare=prepare, replicate=replicate,
    )
"""


@pytest.fixture
def command(monkeypatch, tmp_path):
    """Run a command in a folder of its own; BLAS threads and the compilation cache stay as they are."""
    monkeypatch.setattr(_numerics, "numerics", lambda: None)
    for module in ("run_command", "runner", "scheduler"):
        monkeypatch.setattr(f"simulations.{module}.numerics", lambda: None)
    monkeypatch.chdir(tmp_path)
    entry = EntryPoint("toy", "simulations.studies.fixed_models_fixed_queries:STUDY", catalogue.GROUP)
    monkeypatch.setattr(catalogue, "entry_points", lambda group: [entry])
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
    assert "mine.zarr: 6 replicates of 1 cell in" in said.out
    assert "mine: one, 6 of 6 replicates" in said.err
    store = open_store("mine.zarr")
    assert (store.manifest["seed"], len(store.finished(0))) == (3, 6)
    assert command("report", "mine.zarr", "--html", "mine.html", "--csv", "mine.csv") == 0
    assert "<h2>Aims</h2>" in (tmp_path / "mine.html").read_text()
    assert len((tmp_path / "mine.csv").read_text().splitlines()) > 2

    assert command("simulate", path) == 2
    assert "exists already" in capsys.readouterr().err
    assert command("simulate", path, "--overwrite", "--replicates", "4", "--out", "mine.zarr") == 0
    assert len(open_store("mine.zarr").finished(0)) == 4


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
        EntryPoint("bad", "simulations.nowhere:STUDY", catalogue.GROUP),
        EntryPoint("toy", "simulations.studies.fixed_models_fixed_queries:STUDY", catalogue.GROUP),
    ]
    monkeypatch.setattr(catalogue, "entry_points", lambda group: entries)
    assert command("studies") == 0
    said = capsys.readouterr()
    assert "toy  Fixed" in said.out
    assert "'bad'" in said.err


def test_the_study_of_the_readme_runs(command, tmp_path, capsys):
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(# mine\.py.*?)```", readme, flags=re.DOTALL)
    (tmp_path / "mine.py").write_text(block)
    assert command("simulate", "mine.py", "--replicates", "20", "--set", "n=10,15") == 0
    assert "location.zarr: 20 replicates of 4 cells" in capsys.readouterr().out
    assert command("report", "location.zarr", "--html", "location.html") == 0
    assert "RMSE of estimate of the centre" in (tmp_path / "location.html").read_text()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--set", "m=3"), "unknown factor, axis or number 'm'"),
        (("--set", "cell=two"), "unknown cell 'two'"),
        (("--set", "r=0"), "axis 'r'"),
        (("--replicates", "1"), "replicates: got 1; it must be a whole number from 2"),
        (("--config", "none.toml"), "none.toml: cannot be read"),
        (("--max-time", "soon"), "--max-time soon: must be a time such as 90s, 30m or 2h"),
        (("--until-mcse", "0.1"), "study 'mine' has no target measure"),
        (("--workers", "2", "--scheduler", "tcp://127.0.0.1:9"), "--workers and --scheduler: choose one"),
        (("--resume", "--overwrite"), "--overwrite and --resume: choose one"),
        (("--scheduler", "nowhere"), "--scheduler nowhere: must be like tcp://HOST:PORT"),
    ],
)
def test_wrong_options_are_one_line_and_leave_nothing_behind(command, tmp_path, capsys, words, says):
    path = _study_file(tmp_path, prepare="raise SystemExit('computed')")
    assert command("simulate", path, "--out", "new.zarr", *words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert says in line
    assert not (tmp_path / "new.zarr").exists()


def test_settings_and_config_are_in_the_store_and_a_failure_is_replayed(command, tmp_path, capsys):
    path = tmp_path / "mine.py"
    text = textwrap.dedent(FILE.format(prepare="pass"))
    draw = "jax.random.normal(key, r.shape)"
    path.write_text(text.replace(f"{draw} / jnp.sqrt(r)", f"jnp.log({draw})"))
    (tmp_path / "run.toml").write_text('study = "mine"\nreplicates = 9\nseed = 4\n[axes]\nr = [10, 20, 30]\n')
    assert command("simulate", "mine.py", "--config", "run.toml", "--set", "r=10,50", "--set", "replicates=8") == 0
    store = open_store("mine.zarr")
    assert (store.axis("r"), store.manifest["seed"], store.manifest["planned"]) == ((10.0, 50.0), 4, [8])
    failure = store.failures()[0]
    from simulations import runner

    capsys.readouterr()
    found = runner.replay("mine.zarr", failure.cell, failure.replicate)
    np.testing.assert_array_equal(found["error"], store.values("error", 0)[failure.replicate])
    assert np.isnan(found["error"]).any()
    assert "the error: not finite" in capsys.readouterr().out
    with pytest.raises(InputError, match="has no cell 'two'; known: one"):
        runner.replay("mine.zarr", "two", 0)


def test_resume_goes_on_with_what_was_planned(command, tmp_path, capsys):
    path = _study_file(tmp_path)
    assert command("simulate", path, "--replicates", "9") == 0
    next((tmp_path / "mine.zarr" / "markers").glob("0.1.json")).unlink()
    assert command("simulate", path, "--resume") == 0
    assert len(open_store("mine.zarr").finished(0)) == 9, "and not the study's own 6"
    capsys.readouterr()
    assert command("simulate", path, "--resume", "--replicates", "4") == 0
    assert "is planned for 9 replicates, which 4 do not undo" in capsys.readouterr().err
    assert command("simulate", path, "--resume", "--replicates", "12") == 0
    assert len(open_store("mine.zarr").finished(0)) == 12
