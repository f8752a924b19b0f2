"""Imports go one way, pytest stays in the plugin, files stay short: checked on the syntax, nothing is imported."""

from __future__ import annotations

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("dkps_theory", "simulations", "proofs_checks")
MAY_IMPORT = {"dkps_theory": set(), "simulations": {"dkps_theory"}, "proofs_checks": {"dkps_theory", "simulations"}}
LONGEST = 400

# Rooms of the library, lowest first. A room imports lower ones only; leaves also import leaves. The package's own
# __init__ is lazy and imports the version alone.
LEVELS = (
    {"_types", "_validate", "_keys", "_linalg", "_gaussian", "_numerics", "_version", "conventions"},
    {"populations", "geometry", "bounds", "monte_carlo", "responses"},
    {"datasets", "estimators", "information"},
    {"inference", "synthetic"},
    {"testing", "pages"},
    {"cli"},
)
LEVEL = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}
PYTEST_HOME = "dkps_theory/testing/plugin.py"


def imported_names(tree: ast.AST, package: tuple[str, ...]) -> list[tuple[int, str]]:
    """Return (line, dotted name) of everything imported, relative imports and importlib's literal names resolved."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found += [(node.lineno, f"{module}.{alias.name}") for alias in node.names]
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in {"import_module", "__import__"} and isinstance(node.args[0].value, str):
                found.append((node.lineno, node.args[0].value))
    return found


def wrong_arrow(importer: tuple[str, ...], imported: str) -> str | None:
    """Return why the module ``importer`` (dotted parts) may not import ``imported``, or None."""
    top, *rest = imported.split(".")
    source = importer[0]
    if top not in PACKAGES:
        return None
    if top != source:
        return None if top in MAY_IMPORT[source] else f"{source} must not import {top}"
    if source != "dkps_theory":
        return None
    home = importer[1] if len(importer) > 1 else "__init__"
    target = rest[0] if rest else "__init__"
    if home == target:
        return None
    if home == "__init__":
        return None if target == "_version" else "the lazy package imports its version only"
    for room in (home, target):
        if room not in LEVEL:
            return f"{room} has no place in the levels of test_architecture.py"
    if LEVEL[target] < LEVEL[home] or LEVEL[target] == LEVEL[home] == 0:
        return None
    return f"{home} (level {LEVEL[home]}) must not import {target} (level {LEVEL[target]})"


def violations(root: Path) -> list[str]:
    """Return one line for each broken rule in the packages under ``root``."""
    lines = []
    for path in sorted(path for package in PACKAGES for path in (root / package).rglob("*.py")):
        place = path.relative_to(root)
        text = path.read_text(encoding="utf-8")
        if (length := len(text.splitlines())) > LONGEST:
            lines.append(f"{place}: {length} lines, the most is {LONGEST}")
        package = place.parent.parts
        importer = package if path.stem == "__init__" else (*package, path.stem)
        for line, name in imported_names(ast.parse(text), package):
            reason = wrong_arrow(importer, name)
            if name.split(".")[0] in {"pytest", "_pytest"} and place.as_posix() != PYTEST_HOME:
                reason = f"only {PYTEST_HOME} imports pytest"
            if reason:
                lines.append(f"{place}:{line}: imports {name}: {reason}")
    return lines


def undeclared(root: Path) -> list[str]:
    """Return imports of the packages that neither Python nor a declared dependency provides."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project.get("optional-dependencies", {}).get("cluster", [])]
    declared = {requirement.split(">=")[0].lower().replace("_", "-") for requirement in wanted}
    providers = packages_distributions()
    lines = []
    for path in sorted(path for package in PACKAGES for path in (root / package).rglob("*.py")):
        place = path.relative_to(root)
        for line, name in imported_names(ast.parse(path.read_text(encoding="utf-8")), place.parent.parts):
            top = name.split(".")[0]
            if top in sys.stdlib_module_names or top in PACKAGES or top in {"pytest", "_pytest"}:
                continue
            if not declared & {provider.lower().replace("_", "-") for provider in providers.get(top, [top])}:
                lines.append(f"{place}:{line}: imports {top}, which no dependency in pyproject.toml provides")
    return lines


def test_the_packages_keep_the_rules():
    assert violations(ROOT) == []


def test_every_import_is_a_declared_dependency():
    assert undeclared(ROOT) == []


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("dkps_theory/geometry/gram.py", "import simulations"),
        ("dkps_theory/geometry/gram.py", "from proofs_checks.claim import Claim"),
        ("dkps_theory/geometry/gram.py", "from dkps_theory.populations import base"),
        ("dkps_theory/geometry/gram.py", "from dkps_theory import populations"),
        ("dkps_theory/geometry/gram.py", "from ..estimators import DKPS"),
        ("dkps_theory/geometry/__init__.py", "from .. import bounds"),
        ("dkps_theory/geometry/gram.py", "import dkps_theory as dk"),
        ("dkps_theory/geometry/gram.py", "from dkps_theory import perspectives"),
        ("dkps_theory/geometry/gram.py", "def late():\n    from dkps_theory.pages import html"),
        ("dkps_theory/geometry/gram.py", "import importlib\nimportlib.import_module('dkps_theory.cli')"),
        ("dkps_theory/_types.py", "from dkps_theory.geometry import gram"),
        ("dkps_theory/__init__.py", "from dkps_theory import geometry"),
        ("dkps_theory/testing/asserts.py", "import pytest"),
        ("dkps_theory/testing/asserts.py", "from _pytest.nodes import Node"),
        ("dkps_theory/novelty/room.py", "from dkps_theory import _types"),
        ("simulations/study.py", "from proofs_checks import registry"),
        ("simulations/study.py", "import pytest"),
        ("proofs_checks/long.py", "x = 1\n" * (LONGEST + 1)),
    ],
)
def test_a_planted_violation_is_found(tmp_path: Path, file: str, source: str):
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(source, encoding="utf-8")
    (found,) = violations(tmp_path)
    assert found.startswith(file)


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("dkps_theory/geometry/gram.py", "import jax\nfrom dkps_theory._linalg import centre\nfrom . import alignment"),
        ("dkps_theory/estimators/sklearn.py", "from dkps_theory import geometry, responses"),
        ("dkps_theory/_linalg.py", "from dkps_theory import _types"),
        ("dkps_theory/__init__.py", "from dkps_theory._version import __version__"),
        ("dkps_theory/testing/plugin.py", "import pytest"),
        ("simulations/study.py", "import dkps_theory as dk\nfrom dkps_theory.pages import html"),
        ("proofs_checks/claim.py", "from simulations import runner\nfrom dkps_theory import bounds"),
        ("proofs_checks/long.py", "x = 1\n" * LONGEST),
    ],
)
def test_what_is_allowed_is_not_reported(tmp_path: Path, file: str, source: str):
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(source, encoding="utf-8")
    assert violations(tmp_path) == []


def test_an_undeclared_dependency_is_found(tmp_path: Path):
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["numpy>=2.0"]\n', encoding="utf-8")
    (tmp_path / "simulations").mkdir()
    (tmp_path / "simulations" / "runner.py").write_text("import json\nimport numpy\nimport dask\n", encoding="utf-8")
    assert undeclared(tmp_path) == [
        "simulations/runner.py:3: imports dask, which no dependency in pyproject.toml provides"
    ]
