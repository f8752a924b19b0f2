"""The pytest plugin: a ``stat`` fixture with the test's own keys and its share of one error budget.

Loaded by pytest through an entry point wherever the package is installed, so it imports no JAX, changes no setting, and
says nothing in a suite that has no statistical tests.
"""

from __future__ import annotations

import argparse
import contextlib
import shlex

import pytest

from dkps_theory.testing.budget import DEFAULT_BUDGET, Stat, ledger, share

_FIXTURE = "stat"
_PROPERTY = "stat_rate"
_TESTS = pytest.StashKey[int]()


def _seed(text: str) -> int:
    """Parse --stat-seed."""
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"got {text!r}; it must be a whole number from 0 to 2^32 - 1")
    return int(text)


def _budget(text: str) -> float:
    """Parse --stat-budget."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < 1.0:
        raise argparse.ArgumentTypeError(f"got {text!r}; it must be a probability inside (0, 1)")
    return value


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the two options."""
    group = parser.getgroup("dkps_theory", "statistical tests (fixture stat)")
    group.addoption("--stat-seed", type=_seed, default=0, help="seed of every statistical test (default: 0)")
    group.addoption(
        "--stat-budget",
        type=_budget,
        default=DEFAULT_BUDGET,
        help="false-alarm rate of all collected statistical tests together (default: 1e-6)",
    )


def _count(items: list[pytest.Item]) -> int:
    """Count the items that ask for the fixture, themselves or through another."""
    return sum(_FIXTURE in getattr(item, "fixturenames", ()) for item in items)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Fix the number of statistical tests before any is deselected, so that -k changes no test's rate.

    Every xdist worker collects all items and comes to the same number.
    """
    config.stash[_TESTS] = _count(items)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Make room for tests that another plugin added after the count."""
    config = session.config
    config.stash[_TESTS] = max(config.stash.get(_TESTS, 0), _count(session.items))


@pytest.fixture
def stat(request: pytest.FixtureRequest) -> Stat:
    """Keys of this test's own, and its share of the suite's false-alarm budget.

    ``stat.key()``, ``stat.key(n)``, ``stat.keys(count)``, ``stat.rate``, ``stat.split(k)``; the asserts of
    dkps_theory.testing that run in the test are charged, and refused when together they exceed the share.
    """
    item, config = request.node, request.config
    if _FIXTURE not in item.fixturenames:
        pytest.fail("stat: ask for it as an argument, not by getfixturevalue; its budget is fixed at collection")
    seed = config.option.stat_seed
    rate = share(config.option.stat_budget, config.stash[_TESTS])
    mine = Stat(item.nodeid, seed, rate)
    item.user_properties.append((_PROPERTY, rate))
    # Shown when the test fails: alone, it has the whole budget, so its share as the budget gives the same rate.
    replay = f"replay: pytest {shlex.quote(item.nodeid)} --stat-seed={seed} --stat-budget={rate!r}\n"
    item.add_report_section("call", _FIXTURE, replay)
    # A finaliser and not a yield: a shape-checking import hook hides from pytest that a function is a generator.
    stack = contextlib.ExitStack()
    request.addfinalizer(stack.close)  # noqa: PT021
    stack.enter_context(ledger(mine))
    return mine


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many statistical tests ran, and the chance that a right implementation fails any of them."""
    rates = {
        report.nodeid: float(str(value))
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport)
        for name, value in report.user_properties
        if name == _PROPERTY
    }
    if rates:
        options = terminalreporter.config.option
        terminalreporter.write_line(
            f"stat: {len(rates)} statistical test{'s' if len(rates) > 1 else ''}, false-alarm bound "
            f"{sum(rates.values()):.3g} in all (budget {options.stat_budget:g}, "
            f"seed {options.stat_seed})"
        )
