"""Monte Carlo evidence: false-refutation probability at most 1e-9 by design, and power against a named violation.

Two tools. Means are compared by z-tests in eight independent blocks of fresh draws, and refuted only when one statistic
lies off on one side in all eight. Each block tests at a few per cent, where the normal approximation is good, and the
small rate rests on independence, not on a normal tail far out (asymptotic, and said to be). Probabilities of events are
compared by exact binomial tests.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from proofs_checks.claim import FALSE_REFUTATION, Evidence, Outcome, Relation, Setting

#: Independent blocks; the same statistic must be off on the same side in each of them.
BLOCKS = 8


def block_threshold(sides: int) -> float:
    """Return the z-threshold of one block: ``sides`` one-sided levels to the power BLOCKS add up to 1e-10.

    A tenth of what a refutation may risk: the margin is for skewed statistics, whose blocks are not quite normal.
    """
    from scipy import stats

    return float(stats.norm.isf((0.1 * FALSE_REFUTATION / sides) ** (1 / BLOCKS)))


def equal_means(
    draw: Callable[[Any, int], np.ndarray],
    claimed: np.ndarray,
    violated: np.ndarray,
    setting: Setting,
    *,
    says: str,
    named: str,
    quick: int,
    full: int,
) -> Evidence:
    """Compare the means of several statistics with their claimed values, simultaneously.

    Parameters
    ----------
    draw
        ``draw(key, size)`` returns (size, K) independent rows.
    claimed
        (K,) the claimed means.
    violated
        (K,) the means under the named violation, for the power.
    setting, quick, full
        Seed, budget and rows per block by budget.
    says, named
        The claim and the violation in words.
    """
    from scipy import stats

    size = setting.size(quick, full)
    claimed, violated = np.asarray(claimed, float), np.asarray(violated, float)
    threshold = block_threshold(2 * len(claimed))
    means, errors = np.empty((BLOCKS, len(claimed))), np.empty((BLOCKS, len(claimed)))
    for block in range(BLOCKS):
        rows = np.asarray(draw(setting.key(f"block {block}"), size), dtype=float)
        if not np.all(np.isfinite(rows)):
            return _contradiction("a draw is not finite", claimed, size, says)
        means[block], errors[block] = rows.mean(0), rows.std(0, ddof=1) / math.sqrt(size)
        # A statistic that does not vary is compared to rounding.
        errors[block] = np.maximum(errors[block], 1e-12 * (np.abs(claimed) + np.abs(rows).max(0)) + 1e-300)
    z = (means - claimed[None]) / errors
    off = np.any(np.all(z > threshold, axis=0) | np.all(z < -threshold, axis=0))
    noticed = stats.norm.sf(threshold - np.abs(violated - claimed)[None] / errors)
    mean, se = means.mean(0), np.sqrt(np.mean(errors**2, axis=0) / BLOCKS)
    worst = int(np.argmax(np.abs(mean - claimed) / se))
    return Evidence(
        kind="monte-carlo",
        outcome=Outcome.CONTRADICTS if off else Outcome.SUPPORTS,
        observed=float(mean[worst]),
        claimed=float(claimed[worst]),
        relation="equal",
        se=float(se[worst]),
        n=BLOCKS * size,
        alpha=FALSE_REFUTATION,
        power=float(np.max(np.prod(noticed, axis=0))),
        detectable=f"{named}, in every statistic at once",
        detail=f"{says} ({len(claimed)} statistics, worst shown; {BLOCKS} blocks, asymptotic)",
    )


def mean_at_most(
    draw: Callable[[Any, int], np.ndarray],
    bound: float,
    setting: Setting,
    *,
    says: str,
    named: str,
    violated: float,
    quick: int,
    full: int,
) -> Evidence:
    """Check that a mean is at most a bound; ``violated`` is the mean under the named violation.

    Contradicted when all blocks lie above the bound by a one-sided z-test.
    """
    from scipy import stats

    size = setting.size(quick, full)
    threshold = block_threshold(1)
    rejected, power, means, errors = [], 1.0, [], []
    for block in range(BLOCKS):
        values = np.asarray(draw(setting.key(f"block {block}"), size), dtype=float)
        if not np.all(np.isfinite(values)):
            return _contradiction("a draw is not finite", np.array([bound]), size, says)
        mean, se = float(values.mean()), float(values.std(ddof=1)) / math.sqrt(size)
        rejected.append(mean - bound > threshold * se)
        power *= float(stats.norm.sf(threshold - (violated - bound) / se)) if se > 0 else float(violated > bound)
        means.append(mean)
        errors.append(se)
    observed = float(np.mean(means))
    return Evidence(
        kind="monte-carlo",
        outcome=Outcome.CONTRADICTS if all(rejected) else Outcome.SUPPORTS,
        observed=observed,
        claimed=bound,
        relation="upper",
        slack=bound / observed if observed > 0 else None,
        se=float(np.sqrt(np.mean(np.square(errors)) / BLOCKS)),
        n=BLOCKS * size,
        alpha=FALSE_REFUTATION,
        power=power,
        detectable=named,
        detail=f"{says} ({BLOCKS} blocks, asymptotic)",
    )


def success_rate(
    successes: int,
    trials: int,
    at_least: float,
    under_violation: float,
    *,
    relation: Relation,
    says: str,
    named: str,
    among: int = 1,
    slack: float | None = None,
) -> Evidence:
    """Check that an event has probability at least ``at_least``, by an exact binomial test at 1e-9.

    Parameters
    ----------
    successes, trials
        Counts over independent draws; a failed or NaN draw is no success.
    at_least, under_violation
        The claimed probability, and the probability under the named violation.
    relation
        ``"coverage"`` or ``"rate"``, for the report.
    says, named
        The claim and the violation in words.
    among
        Of how many such counts this is the worst: each is tested at 1e-9 / among, and alpha is the sum.
    slack
        Of the bound that the event is about, where it was measured.
    """
    from scipy import stats

    # The largest count that refutes: P(Binomial(trials, at_least) <= cut) <= 1e-9 / among.
    cut = int(stats.binom.ppf(FALSE_REFUTATION / among, trials, at_least)) - 1
    observed = successes / trials
    return Evidence(
        kind="monte-carlo",
        outcome=Outcome.CONTRADICTS if successes <= cut else Outcome.SUPPORTS,
        observed=observed,
        claimed=at_least,
        relation=relation,
        slack=slack,
        se=math.sqrt(observed * (1 - observed) / trials),
        n=trials,
        alpha=among * float(stats.binom.cdf(cut, trials, at_least)),
        power=float(stats.binom.cdf(cut, trials, under_violation)),
        detectable=named,
        detail=f"{says} (exact binomial)",
    )


def coverage(
    inside: int | Sequence[int], trials: int, says: str, *, violation: float = 0.8, slack: float | None = None
) -> Evidence:
    """Check that a bound covers with probability at least 0.95 in each of several cells; the worst is shown.

    Parameters
    ----------
    inside, trials
        Counts of draws within the bound, one for each cell, each of ``trials`` independent draws.
    says
        The claim in words.
    violation
        The coverage of one cell that is the named violation.
    slack
        Of the bound, where it was measured.
    """
    counts = [inside] if isinstance(inside, int) else list(inside)
    return success_rate(
        min(counts),
        trials,
        0.95,
        violation,
        relation="coverage",
        says=says if len(counts) == 1 else f"{says}; worst of {len(counts)} cells",
        named=f"a coverage of {violation:g} in one cell",
        among=len(counts),
        slack=slack,
    )


def stays_near_one_member(near: int, trials: int, says: str) -> Evidence:
    """Illustrate that no fixed member is the limit: P(near the best fixed member) >= 3/4 against symmetry's 1/2."""
    return illustration(
        success_rate(near, trials, 0.75, 0.5, relation="coverage", says=says, named="the bound 1/2 that symmetry gives")
    )


def illustration(found: Evidence) -> Evidence:
    """Return evidence about finitely many r that shows a limit failing: it illustrates, and refutes nothing by itself.

    A limit says nothing about any one r, so a true claim may be contradicted with a probability of up to 1.
    """
    return replace(found, alpha=1.0, detail=f"{found.detail}; illustration")


def falls_as(
    before: np.ndarray, after: np.ndarray, growth: float, *, rate: float = 0.5, exactly: bool = False, says: str
) -> Evidence:
    """Check a stated rate on a finite grid: P(after < 3 growth^(-rate) before) >= 3/4, over independent pairs.

    Parameters
    ----------
    before, after
        Errors at r and at ``growth`` times r, of independent replicates.
    growth
        By how much r grew. With 10^8 and rate 1/2, an error that levels off at a three-thousandth of ``before``, or
        falls as r^(-0.43) or slower, is as much a violation as one that stays.
    rate
        The stated rate.
    exactly
        Whether falling three times faster than stated is a violation too.
    says
        The claim in words.

    Notes
    -----
    O_P(r^(-rate)) alone implies no probability at a finite r: this is its reading on the grid, for errors whose law
    scaled by r^rate has settled. It is no test of a limit without a rate.
    """
    before, after = np.asarray(before, float), np.asarray(after, float)
    expected = growth**-rate
    success = after < 3 * expected * before
    if exactly:
        success &= after > expected / 3 * before
    band = f"within a factor 3 of {expected:.1g}" if exactly else f"below {3 * expected:.1g}"
    return success_rate(
        int(success.sum()),
        len(before),
        0.75,
        0.5,
        relation="rate",
        says=f"{says}: P(error at the larger r / error at the smaller is {band}) >= 3/4",
        named="a law under which that probability is 1/2 or less",
    )


def _contradiction(reason: str, claimed: np.ndarray, size: int, says: str) -> Evidence:
    return Evidence(
        "monte-carlo", Outcome.CONTRADICTS, math.nan, float(claimed.flat[0]), "equal", f"{reason}: {says}", n=size
    )
