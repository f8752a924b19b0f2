"""Gaps of independent repetitions of the mixture simulation, and the sign test by which G25-F7 is judged.

Data and fits, exact divergences and the published number are compiled apart: the exact ones in the plane serve both
protocols, and G25-KLGAP/exact. Batches have one size, so that each is compiled once.
"""

from __future__ import annotations

import functools
import math
from typing import Any, Literal, NamedTuple

import numpy as np

from proofs_checks.claim import FALSE_REFUTATION, Evidence, Outcome, Setting

Sweep = Literal["J", "K", "L"]
Direction = Literal["rises", "falls"]
SWEEPS: tuple[Sweep, ...] = ("J", "K", "L")
#: Where the swept number starts and ends; the others stay at the first.
FIRST, LAST = 2, 15
#: The probability under the named violation of a direction.
VIOLATED = 1 / 5
#: A gap that moves either way is larger at the end, and smaller, with at least this probability; its named violation.
LEVEL, MOVED = 1 / 5, 1 / 50
#: How far, in nats, means of the published number move against a direction under the named violation.
AGAINST = 2.0
#: Repetitions of a batch; draws of each law for an exact divergence; redraws of the published number.
BATCH, DRAWS, REDRAWS = 40, 400, 3
#: What is measured, by what measures it.
MEASURES = {
    "exact": ("KL(fit || truth)", "KL(truth || fit)", "TV"),
    "number": ("the published number", "the published number reversed"),
}
#: Pairs at the quick budget, by design and by what measures; a multiple of the batch.
PAIRS: dict[tuple[str, str], dict[Sweep, int]] = {
    ("published d=2", "number"): {"J": 1200, "K": 600, "L": 2000},
    ("published d=2", "exact"): {"J": 640, "K": 640, "L": 640},
    ("corrected d=2", "exact"): {"J": 640, "K": 320, "L": 320},
    ("corrected d=8", "exact"): {"J": 240, "K": 280, "L": 280},
}


class Kernels(NamedTuple):
    """Compiled functions of a batch of keys."""

    fitted: Any  # (keys, world) -> the truths and both fits
    exact: Any  # (keys, laws) -> divergences by repetition, as simulations.studies._kl_gap_exact.divergences has them
    number: Any  # (keys, laws) -> (batch, 2) gaps in the published number, both ways


@functools.cache
def kernels() -> Kernels:
    """Return the compiled functions."""
    import equinox as eqx
    import jax

    from simulations.studies._kl_gap_exact import divergences, ready
    from simulations.studies._kl_gap_published import published_kl

    def fitted(key, world):
        data_key, fit_key = jax.random.split(key)
        generation = world.generate(data_key)
        first, second = world.fits(fit_key, generation)
        return generation.truth, first.mixture, second.mixture

    def exact(key, mixtures):
        truth, *fits = ready(mixtures)
        return divergences(key, truth, fits, DRAWS)

    def number(key, mixtures):
        truth, *fits = ready(mixtures)
        value, _ = published_kl(key, tuple((fit, truth) for fit in fits), redraws=REDRAWS)
        return value[0] - value[1]

    return Kernels(
        eqx.filter_jit(lambda keys, world: jax.vmap(lambda key: fitted(key, world))(keys)),
        jax.jit(jax.vmap(exact)),
        jax.jit(jax.vmap(number)),
    )


@functools.cache
def world(design: str, sweep: Sweep = "J", value: int = FIRST):
    """Return a world of the study's; all of a design share compiled code."""
    from dkps_theory.information.mixture_world import MixtureWorld
    from simulations.studies._kl_gap import ROOM
    from simulations.studies.kl_gap import DESIGNS, numbers

    protocol, dimension = DESIGNS[design]
    return MixtureWorld(*numbers(sweep, value), dimension=dimension, protocol=protocol, room=ROOM)


@functools.cache
def _cell(seed: int, budget: Any, design: str, sweep: Sweep | None) -> dict[str, np.ndarray]:
    """Return gaps (pairs, measures) at the last value of a sweep, or at the start of all (None), by what measures.

    At the full budget there are twice as many pairs, and four times as many redraws for each.
    """
    import jax

    setting, run = Setting(seed, budget, "G25-F7"), kernels()
    place = world(design) if sweep is None else world(design, sweep, LAST)
    wanted = {
        by: setting.size(1, 2) * (max(pairs.values()) if sweep is None else pairs[sweep])
        for (of, by), pairs in PAIRS.items()
        if of == design
    }
    found: dict[str, list[np.ndarray]] = {by: [] for by in wanted}
    for batch in range(max(wanted.values()) // BATCH):
        keys = jax.random.split(setting.key(f"{design}, {sweep}, {batch}"), (2 + setting.size(1, 4), BATCH))
        laws = run.fitted(keys[0], place)
        for by, gaps in found.items():
            if batch * BATCH >= wanted[by]:
                continue
            if by == "exact":
                gaps.append(np.asarray(run.exact(keys[1], laws)["gap"])[:, 0])
            else:
                gaps.append(np.mean([np.asarray(run.number(again, laws)) for again in keys[2:]], axis=0))
    return {by: np.concatenate(gaps) for by, gaps in found.items()}


class Asked(NamedTuple):
    """Whether the gap of a design, in one measure, rises or falls along a sweep."""

    design: str
    by: str
    measure: int
    sweep: Sweep
    direction: Direction


def gaps(asked: Asked, setting: Setting) -> tuple[np.ndarray, np.ndarray]:
    """Return gaps at the first and at the last value of independent pairs; one draw serves all claims about a cell."""
    pairs = setting.size(1, 2) * PAIRS[asked.design, asked.by][asked.sweep]
    cells = (_cell(setting.seed, setting.budget, asked.design, sweep) for sweep in (None, asked.sweep))
    before, after = (cell[asked.by][:pairs, asked.measure] for cell in cells)
    return before, after


def _words(asked: Asked, before: np.ndarray, after: np.ndarray) -> str:
    name = MEASURES[asked.by][asked.measure]
    return (
        f"gap in {name}, {asked.design}, at {asked.sweep} = {LAST} and {FIRST}: medians {np.median(after):.3g} and "
        f"{np.median(before):.3g}"
    )


def _moves(asked: Asked, before: np.ndarray, after: np.ndarray) -> tuple[int, int]:
    """Return in how many pairs the gap moves as said, and against; a tie or a gap that is not a number is neither."""
    larger, smaller = int((after > before).sum()), int((after < before).sum())
    return (larger, smaller) if asked.direction == "rises" else (smaller, larger)


def directed(asked: Asked, setting: Setting) -> Evidence:
    """Ask whether P(the gap moves as said) exceeds 1/2, by exact sign tests of both answers at 1e-9 each.

    Supports when P <= 1/2 is rejected, contradicts when P(it moves against) <= 1/2 is, and decides nothing otherwise.
    """
    from scipy import stats

    before, after = gaps(asked, setting)
    (as_said, against), trials = _moves(asked, before, after), len(before)
    # The largest count with P(Binomial(trials, 1/2) <= cut) <= 1e-9.
    cut = int(stats.binom.ppf(FALSE_REFUTATION, trials, 0.5)) - 1
    outcome = Outcome.CONTRADICTS if against >= trials - cut else Outcome.INCONCLUSIVE
    share = as_said / trials
    return Evidence(
        kind="monte-carlo",
        outcome=Outcome.SUPPORTS if as_said >= trials - cut else outcome,
        observed=share,
        claimed=0.5,
        relation="rate",
        se=math.sqrt(share * (1 - share) / trials),
        n=trials,
        alpha=float(stats.binom.cdf(cut, trials, 0.5)),
        power=float(stats.binom.cdf(cut, trials, VIOLATED)),
        detectable=f"a probability of {VIOLATED:g}",
        detail=f"{_words(asked, before, after)}; {asked.direction} in this share of pairs (exact sign tests both ways)",
    )


def averaged(asked: Asked, setting: Setting) -> Evidence:
    """Ask whether the mean gap moves as said, by z-tests of both answers at 1e-9 each; for gaps without heavy tails."""
    from scipy import stats

    before, after = gaps(asked, setting)
    steps = after - before if asked.direction == "rises" else before - after
    mean, se = float(steps.mean()), float(steps.std(ddof=1)) / math.sqrt(len(steps))
    threshold = float(stats.norm.isf(FALSE_REFUTATION))
    outcome = Outcome.CONTRADICTS if mean < -threshold * se else Outcome.INCONCLUSIVE
    return Evidence(
        kind="monte-carlo",
        outcome=Outcome.SUPPORTS if mean > threshold * se else outcome,
        observed=mean,
        claimed=0.0,
        relation="lower",
        se=se,
        n=len(steps),
        alpha=FALSE_REFUTATION,
        power=float(stats.norm.sf(threshold - AGAINST / se)),
        detectable=f"a mean that moves by {AGAINST:g} nats the other way",
        detail=f"mean gap in {MEASURES[asked.by][asked.measure]}, {asked.design}: how far it {asked.direction} from "
        f"{asked.sweep} = {FIRST} to {LAST}, in nats (z-tests both ways, asymptotic)",
    )


def level(asked: Asked, setting: Setting) -> Evidence:
    """Ask whether each direction has a probability of at least LEVEL, by exact binomial tests of both answers.

    Supports when less than LEVEL is rejected for each direction, at 1e-9; contradicts when at least LEVEL is rejected
    for one, at 1e-9 / 2 each; decides nothing otherwise.
    """
    from scipy import stats

    before, after = gaps(asked, setting)
    rarer, trials = min(_moves(asked, before, after)), len(before)
    commoner = max(_moves(asked, before, after))
    # The least count with P(Binomial(trials, LEVEL) >= enough) <= 1e-9, and the largest that contradicts.
    enough = int(stats.binom.isf(FALSE_REFUTATION, trials, LEVEL)) + 1
    cut = int(stats.binom.ppf(FALSE_REFUTATION / 2, trials, LEVEL)) - 1
    # P(one direction) < LEVEL follows from P(the other) > 1 - LEVEL, ties or not.
    outcome = Outcome.CONTRADICTS if commoner >= trials - cut else Outcome.INCONCLUSIVE
    share = rarer / trials
    return Evidence(
        kind="monte-carlo",
        outcome=Outcome.SUPPORTS if rarer >= enough else outcome,
        observed=share,
        claimed=LEVEL,
        relation="rate",
        se=math.sqrt(share * (1 - share) / trials),
        n=trials,
        alpha=2 * float(stats.binom.cdf(cut, trials, LEVEL)),
        power=float(stats.binom.cdf(cut, trials, MOVED)),
        detectable=f"a direction with a probability of {MOVED:g}",
        detail=f"{_words(asked, before, after)}; the rarer direction has this share of pairs (exact binomial "
        "tests both ways)",
    )
