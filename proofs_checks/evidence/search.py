"""Property search: hypothesis draws cases, climbs towards the worst, and shrinks a violation to a small one."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dkps_theory._validate import shown
from proofs_checks.claim import Evidence, Outcome, Setting


class _Violated(Exception):  # noqa: N818  (not an error: the search found what it looked for)
    """Raised inside the search to let hypothesis shrink the violating case."""


def largest_ratio(
    strategy: Any,
    ratio: Callable[[Any], float],
    setting: Setting,
    *,
    says: str,
    quick: int,
    full: int,
    tolerance: float = 1e-9,
    describe: Callable[[Any], str] = lambda case: shown(case, 300),
) -> Evidence:
    """Look for a case with observed / claimed above 1; support is the worst ratio found with none above.

    Parameters
    ----------
    strategy
        A hypothesis strategy of cases.
    ratio
        observed / claimed for one case; NaN counts as a violation, never as a pass.
    setting, quick, full
        Seed, budget and the number of cases by budget.
    says
        The property in words.
    tolerance
        What rounding may add to a ratio of 1.
    describe
        Prints a violating case.

    Notes
    -----
    Absence of a counterexample proves nothing by itself; the slack shows how near the search came.
    """
    import hypothesis
    from hypothesis.errors import HypothesisWarning

    cases = setting.patience * setting.size(quick, full)
    worst, seen, shrunk = 0.0, 0, None

    @hypothesis.seed(setting.integer_seed("search"))
    @hypothesis.settings(
        max_examples=cases,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),  # pyright: ignore[reportArgumentType]
        phases=(hypothesis.Phase.generate, hypothesis.Phase.target, hypothesis.Phase.shrink),
        report_multiple_bugs=False,
        print_blob=False,
        verbosity=hypothesis.Verbosity.quiet,
    )
    @hypothesis.given(strategy)
    def attempt(case: Any) -> None:
        nonlocal worst, seen, shrunk
        seen += 1
        value = ratio(case)
        if not value <= 1 + tolerance:
            shrunk = (value, describe(case))
            raise _Violated
        worst = max(worst, value)
        hypothesis.target(value)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HypothesisWarning)
            attempt()
    except _Violated:
        value, text = shrunk or (float("nan"), "")
        return Evidence("search", Outcome.CONTRADICTS, value, 1.0, "upper", f"violated by {text}: {says}", n=seen)
    return Evidence(
        "search",
        Outcome.SUPPORTS,
        worst,
        1.0,
        "upper",
        says,
        slack=1 / worst if worst > 0 else None,
        n=seen,
    )


def worst_found(ratio: float, count: int, says: str, *, tolerance: float = 1e-9) -> Evidence:
    """Return the evidence of a search made elsewhere: the worst observed / claimed it came to, from ``count`` starts.

    NaN is a violation, never a pass.
    """
    return Evidence(
        "search",
        Outcome.SUPPORTS if ratio <= 1 + tolerance else Outcome.CONTRADICTS,
        ratio,
        1.0,
        "upper",
        says,
        slack=1 / ratio if ratio > 0 else None,
        n=count,
    )


def largest_difference(
    strategy: Any, difference: Callable[[Any], float], setting: Setting, *, within: float, says: str, **keywords: Any
) -> Evidence:
    """Look for a case where two numbers that should be equal differ by more than ``within``, rounding's share.

    As :func:`largest_ratio`, but reported as an equality: ``observed`` is the largest difference, without slack.
    """
    found = largest_ratio(
        strategy, lambda case: difference(case) / within, setting, says=says, tolerance=0.0, **keywords
    )
    return replace(found, observed=found.observed * within, claimed=0.0, relation="equal", slack=None)
