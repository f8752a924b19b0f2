"""The pytest plugin on a toy project, in processes of its own: rates, replay, and what it leaves alone."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLUGIN = ("-p", "no:dkps_theory", "-p", "dkps_theory.testing.plugin", "-p", "no:cacheprovider")

GOOD = """
import jax
from dkps_theory.testing import assert_same_law, assert_unbiased

def mean_of_four(key, size):
    return jax.random.normal(key, (size, 4)).mean(axis=1)

def half_normal(key, size):
    return jax.random.normal(key, (size,)) / 2

def test_good(stat):
    first, second = stat.split(2)
    assert_unbiased(mean_of_four, 0.0, key=first.key(), false_fail_rate=first.rate)
    assert_same_law(mean_of_four, half_normal, key=second.key(), false_fail_rate=second.rate)
"""

BROKEN = """
import jax
from dkps_theory.testing import assert_unbiased

def biased_variance(key, size):
    return jax.random.normal(key, (size, 4)).var(axis=1)

def test_broken(stat):
    assert_unbiased(biased_variance, 1.0, key=stat.key(), false_fail_rate=stat.rate)
"""

FOREIGN = """
import jax.numpy as jnp

def test_foreign():
    assert jnp.ones(3).dtype == "float32"
"""

LIGHT = """
import sys
import pytest

@pytest.mark.parametrize("i", range(3))
def test_share(stat, i):
    assert "jax" not in sys.modules
    print("share", stat.rate, stat.seed, stat.name)

@pytest.fixture
def through(stat):
    return stat

def test_through(through):
    print("share", through.rate, through.seed, through.name)

def test_plain():
    assert "jax" not in sys.modules
"""

DYNAMIC = """
def test_dynamic(request):
    request.getfixturevalue("stat")
"""


def run(folder: Path, *arguments: str, autoload: bool = False) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "JAX"))}
    environment["PYTHONPATH"] = str(ROOT)
    if not autoload:
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    command = [sys.executable, "-m", "pytest", "--rootdir", str(folder), *PLUGIN, *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def shares(output: str) -> list[float]:
    return [float(found) for found in re.findall(r"^share (\S+)", output, flags=re.MULTILINE)]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toy")
    for name, source in [("test_a_good", GOOD), ("test_b_broken", BROKEN), ("test_c_foreign", FOREIGN)]:
        (folder / f"{name}.py").write_text(source)
    return folder


@pytest.fixture
def light(tmp_path):
    (tmp_path / "test_light.py").write_text(LIGHT)
    return tmp_path


def test_good_passes_broken_fails_and_foreign_stays_in_single_precision(project):
    result = run(project, "-v")
    assert "test_good PASSED" in result.stdout
    assert "test_broken FAILED" in result.stdout
    assert "test_foreign PASSED" in result.stdout
    assert "stat: 2 statistical tests, false-alarm bound 1e-06 in all (budget 1e-06, seed 0)" in result.stdout

    # The printed line alone repeats the failure, at the same rate and with the same draws.
    (line,) = re.findall(r"^replay: pytest (.*)$", result.stdout, flags=re.MULTILINE)
    again = run(project, *shlex.split(line))
    pattern = r"AssertionError: biased: mean .*"
    assert re.search(pattern, again.stdout)[0] == re.search(pattern, result.stdout)[0]


def test_budget_is_split_over_the_collected_tests_and_jax_stays_out(light):
    result = run(light, "-s", "-q", "--stat-budget=1e-4", "--stat-seed=5")
    assert result.returncode == 0
    assert shares(result.stdout.replace(".share", "share")) == [2.5e-5] * 4
    assert "stat: 4 statistical tests, false-alarm bound 0.0001 in all (budget 0.0001, seed 5)" in result.stdout


def test_deselection_changes_no_share(light):
    result = run(light, "-s", "-q", "--stat-budget=1e-4", "-k", "through or plain")
    assert shares(result.stdout) == [2.5e-5]
    assert "stat: 1 statistical test, false-alarm bound 2.5e-05 in all" in result.stdout
    assert "stat:" not in run(light, "-q", "-k", "plain").stdout


def test_workers_share_one_budget(light):
    pytest.importorskip("xdist")
    result = run(light, "-p", "xdist", "-n", "2", "-rP", "--stat-budget=1e-4")
    assert result.returncode == 0
    assert shares(result.stdout) == [2.5e-5] * 4
    assert "stat: 4 statistical tests, false-alarm bound 0.0001 in all (budget 0.0001, seed 0)" in result.stdout


def test_a_test_that_was_not_counted_gets_no_share(tmp_path):
    (tmp_path / "test_dynamic.py").write_text(DYNAMIC)
    result = run(tmp_path, "-q")
    assert result.returncode == 1
    assert "ask for it as an argument" in result.stdout


@pytest.mark.parametrize(
    "option", ["--stat-budget=2", "--stat-budget=lots", "--stat-seed=-1", "--stat-seed=4294967296"]
)
def test_a_wrong_option_is_a_usage_error(light, option):
    result = run(light, option)
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    assert "it must be a" in result.stderr
