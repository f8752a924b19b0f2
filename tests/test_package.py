"""``import dkps_theory`` is lazy, and every public name resolves."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import dkps_theory as dk

ROOT = Path(__file__).parents[1]


def run_python(code: str, **environment: str) -> str:
    """Run ``code`` in a fresh interpreter that finds this tree, and return what it prints."""
    import os

    finished = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.strip()


def test_importing_the_package_loads_neither_jax_nor_numpy():
    code = (
        "import sys, dkps_theory; dir(dkps_theory); print([m for m in ('jax', 'numpy', 'scipy') if m in sys.modules])"
    )
    assert run_python(code) == "[]"


def test_importing_the_package_leaves_jax_in_single_precision_until_first_use():
    code = (
        "import jax.numpy as jnp, dkps_theory as dk; before = jnp.zeros(1).dtype.name;"
        "dk.geometry; print(before, jnp.zeros(1).dtype.name)"
    )
    assert run_python(code) == "float32 float64"


@pytest.mark.parametrize("name", dk.__all__)
def test_every_public_name_resolves(name: str):
    assert getattr(dk, name) is not None
    assert name in dir(dk)


@pytest.mark.parametrize("name", [room for room in dk._ROOMS if room not in {"pages", "testing"}])
def test_every_public_name_of_a_room_is_at_the_top(name: str):
    room = importlib.import_module(f"dkps_theory.{name}")
    names = getattr(room, "__all__", dk._NAMES[name])  # a room that is one short file has no such list
    assert sorted(dk._NAMES[name]) == sorted(names)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'perspectivs'"):
        _ = dk.perspectivs


def test_type_checkers_are_told_the_same_names():
    stub = ast.parse((ROOT / "dkps_theory" / "__init__.pyi").read_text(encoding="utf-8"))
    told = {
        (str(node.module), alias.asname)
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    names = {(f"dkps_theory.{room}", name) for room, names in dk._NAMES.items() for name in names}
    rooms = {("dkps_theory", room) for room in dk._ROOMS}
    assert told == names | rooms | {("dkps_theory._version", "__version__")}


def test_numerics_pins_the_threads_and_keeps_compiled_code(tmp_path: Path):
    code = (
        "from dkps_theory._numerics import numerics; folder = numerics(); numerics();"
        "import jax, jax.numpy as jnp, threadpoolctl, os;"
        "jax.jit(lambda x: jnp.linalg.eigh(x @ x.T))(jnp.ones((4, 4)))[0].block_until_ready();"
        "print({pool['num_threads'] for pool in threadpoolctl.threadpool_info()}, len(os.listdir(folder)) > 0)"
    )
    assert run_python(code, DKPS_THEORY_CACHE_DIR=str(tmp_path / "cache")) == "{1} True"


@pytest.mark.parametrize("kind", ["off", "a file stands there"])
def test_a_cache_that_cannot_be_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str):
    from dkps_theory import _numerics

    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv(_numerics.CACHE_VARIABLE, "off" if kind == "off" else str(tmp_path / "file" / "cache"))
    assert _numerics.cache_folder() is None


def test_the_cache_folder_is_the_named_one_then_jaxs_own_then_the_users(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    from dkps_theory import _numerics

    monkeypatch.setenv(_numerics.CACHE_VARIABLE, str(tmp_path / "named"))
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path / "jax"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    assert _numerics.cache_folder() == tmp_path / "named"
    monkeypatch.delenv(_numerics.CACHE_VARIABLE)
    assert _numerics.cache_folder() == tmp_path / "jax"
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR")
    folder = _numerics.cache_folder()
    assert folder is not None
    assert folder.parts[-2:] == ("dkps-theory", "compiled")


def test_the_readmes_example_runs():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    example = text.split("```python\n")[1].split("```")[0]
    assert 0 < float(run_python(example)) < 1


@pytest.mark.parametrize(("given", "kept"), [("", "=1"), ("--xla_backend_optimization_level=2", "=2")])
def test_commands_compile_quickly_unless_the_user_chose(given: str, kept: str):
    code = "import os, dkps_theory._numerics as n; n._compile_quickly(); print(os.environ['XLA_FLAGS'])"
    assert run_python(code, XLA_FLAGS=given) == f"--xla_backend_optimization_level{kept}"
