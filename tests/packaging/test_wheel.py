"""The wheel in an empty environment: it verifies, simulates, and leaves a foreign JAX suite in single precision.

Installing every dependency takes longer than the whole quick suite, so this file is marked slow: ``make wheel`` and
``make nightly`` run it, ``make test`` does not.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("dkps_theory", "simulations", "proofs_checks")
FOREIGN_SUITE = """
import jax.numpy as jnp
def test_foreign():
    assert jnp.arange(3.0).dtype == jnp.float32
"""

pytestmark = pytest.mark.slow


def run(*words: object, cwd: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a command as a user of the wheel would, with nothing of this tree in reach."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DKPS_", "JAX_"))}
    finished = subprocess.run(
        [str(word) for word in words], cwd=cwd, env=clean, capture_output=True, text=True, check=False
    )
    assert finished.returncode == code, f"{words}\n{finished.stdout}\n{finished.stderr}"
    return finished


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that ``make wheel`` built, or a fresh one."""
    if built := os.environ.get("DKPS_THEORY_WHEEL"):
        return Path(built)
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT, cwd=folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def place(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An unrelated folder with an environment in ``venv`` that holds the wheel and its dependencies alone."""
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder / "venv", with_pip=True)
    install(folder, wheel)
    return folder


def install(place: Path, what: object) -> None:
    python = place / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "-c", ROOT / "constraints.txt", what, cwd=place)


def test_the_wheel_ships_every_file_of_the_three_packages(wheel: Path):
    shipped = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    written = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert shipped == written
    assert {f"{package}/py.typed" for package in PACKAGES} <= shipped
    assert any(name.startswith("proofs_checks/schemas/") and name.endswith(".json") for name in shipped)
    assert any(name.startswith("proofs_checks/certificates/") and name.endswith(".json") for name in shipped)


def test_the_environment_holds_no_test_tools(place: Path):
    code = "import importlib.util as u; print([m for m in ('pytest', 'beartype', 'jsonschema') if u.find_spec(m)])"
    assert run(place / "venv" / "bin" / "python", "-c", code, cwd=place).stdout.strip() == "[]"


def test_verify(place: Path):
    command = place / "venv" / "bin" / "dkps-theory"
    run(command, "verify", "CL-CENTRE", "--json", "verify.json", cwd=place)
    found = json.loads((place / "verify.json").read_text(encoding="utf-8"))
    assert [claim["id"] for claim in found["claims"]] == ["CL-CENTRE"]
    assert found["summary"]["mismatches"] == 0


def test_simulate(place: Path):
    command = place / "venv" / "bin" / "dkps-theory"
    run(command, "simulate", "fixed-models-fixed-queries", "--replicates", 8, "--out", "study.zarr", cwd=place)
    run(command, "report", "study.zarr", "--html", "study.html", cwd=place)
    assert "<svg" in (place / "study.html").read_text(encoding="utf-8")


def test_wrong_input_is_one_line(place: Path):
    finished = run(place / "venv" / "bin" / "dkps-theory", "verify", "CL-CENTER", cwd=place, code=2)
    assert finished.stderr.startswith("error: ")
    assert finished.stderr.count("\n") == 1


def test_a_foreign_jax_suite_stays_in_single_precision(place: Path):
    install(place, "pytest")  # only now: everything above worked without it
    suite = place / "foreign"
    suite.mkdir()
    (suite / "test_foreign.py").write_text(FOREIGN_SUITE, encoding="utf-8")
    finished = run(place / "venv" / "bin" / "python", "-m", "pytest", "-W", "error", cwd=suite)
    assert "1 passed" in finished.stdout
    listed = run(place / "venv" / "bin" / "python", "-m", "pytest", "--trace-config", cwd=suite).stdout
    assert "dkps_theory.testing.plugin" in listed  # or float32 would say nothing about the plugin
