"""Is a sampler's expectation what it should be? A sequential t test that trusts no limit law in its far tail."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any, Literal

import jax
import numpy as np
from scipy import special

from dkps_theory._validate import InputError, finite, require, whole_number
from dkps_theory.testing._sampling import Outcome, Sampler, check_key, check_rates, replay_line, settle_size, take
from dkps_theory.testing.budget import charge

#: An asymptotic law is not trusted further out than this; smaller rates come from several fresh blocks.
SMALLEST_LEVEL = 1e-3

#: The level of one test in one block. Five blocks at 0.06 reach 1e-6 with two thirds of the draws that two blocks at
#: 1e-3 need, and hold their rate far better: of chi-square draws with one degree of freedom, 200 in a block, five at
#: 0.06 fail 0.5e-6 of the time and two at 1e-3 17e-6, because skewness distorts a tail the more the further out.
DEFAULT_LEVEL = 0.05

#: A t statistic on fewer draws than this is not taken as near its limit.
SMALLEST_BLOCK = 200

#: A block that proves too small for its own standard deviation is redrawn for one this much larger.
PILOT_MARGIN = 1.25

#: Differences below this many units in the last place count as rounding, not as bias.
ROUNDING_ULPS = 64


def _plan(false_fail_rate: float, tests: int, level: float) -> tuple[int, float]:
    """Return (blocks, level of each test in each block) with tests * level^blocks = rate and level not below the given.

    A coordinate fails only when it is rejected in every block, which are independent, so a small rate never needs a
    small level.
    """
    target = math.log(false_fail_rate / tests)
    blocks = max(1, math.floor(target / math.log(level) + 1e-9))
    if math.exp(target / blocks) < level * (1.0 - 1e-9):
        blocks += 1
    return blocks, math.exp(target / blocks)


def _critical(size: int, level: float) -> float:
    """Return the two-sided critical value of one block's t statistic."""
    return float(-special.stdtrit(size - 1, level / 2.0))


def _bias_miss_rate(size: int, level: float, blocks: int, bias_in_sd: float) -> float:
    """Return the limit of P(some block does not reject) for one coordinate with this bias."""
    hit = special.log_ndtr(math.sqrt(size) * bias_in_sd - _critical(size, level))
    return float(-np.expm1(blocks * hit))


def _t_statistics(draws: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the signed t statistic of each column; a constant column is compared exactly (0 or infinity).

    Biases below ROUNDING_ULPS units in the last place count as none: a sampler without variance would otherwise be
    held to the last bit of its sums.
    """
    # About the truth, so that a mean near 10^12 keeps the digits of its error; by the largest, so that squares stay
    # finite.
    errors = draws - truth
    largest = np.abs(errors).max(axis=0)
    scale = np.where(largest > 0, largest, 1.0)
    errors = errors / scale
    bias = errors.mean(axis=0)
    se = errors.std(axis=0, ddof=1) / math.sqrt(len(draws))
    rounding = ROUNDING_ULPS * np.finfo(float).eps * np.maximum(np.abs(truth), np.abs(draws).max(axis=0)) / scale
    with np.errstate(divide="ignore", invalid="ignore"):
        t = bias / se
    return np.where(np.abs(bias) <= rounding, 0.0, t)


@dataclass(frozen=True)
class _Power:
    """The promise of power, at any size of a block and any standard deviation of one draw (1 for a bias in sd)."""

    blocks: int
    level: float
    detectable: float
    false_pass_rate: float

    def miss_rate(self, size: int, sd: float) -> float:
        """Return the chance that the named bias passes."""
        return _bias_miss_rate(size, self.level, self.blocks, self.detectable / sd if sd > 0 else math.inf)

    def settle(self, size: int | None, sd: float) -> int:
        """Return the smallest size that is enough, or the given one, refused when it is not."""
        enough = functools.partial(self._enough, sd=sd)
        return settle_size("assert_unbiased", size, enough, SMALLEST_BLOCK, self.detectable)

    def _enough(self, size: int, sd: float) -> bool:
        return self.miss_rate(size, sd) <= self.false_pass_rate


def _draw_block(sampler: Sampler, key: jax.Array, index: int, size: int, truth: np.ndarray, call: dict) -> np.ndarray:
    """Draw block ``index``: one column a coordinate, all of it finite."""
    draws = take("sampler", sampler, jax.random.fold_in(key, index), size)
    if draws.shape[1:] != truth.shape:
        raise InputError(f"truth: has shape {truth.shape}, one draw has {draws.shape[1:]}; they must agree")
    _refuse_non_finite(draws, key, call)
    return draws.reshape(size, -1)


def _refuse_non_finite(draws: np.ndarray, key: jax.Array, call: dict) -> None:
    """Fail at once when a draw is NaN or infinite: that is a fact, not a statistic."""
    bad = np.argwhere(~np.isfinite(draws))
    if len(bad):
        row, *place = bad[0].tolist()
        raise AssertionError(
            f"biased: {len(bad)} values in {len(draws)} draws are not finite, the first in draw {row} at {place}; NaN "
            f"and infinity count against the estimator [exact]\n{_replay(key, call)}"
        )


def _replay(key: jax.Array, call: dict) -> str:
    return replay_line("assert_unbiased(sampler, truth", key, **call)


def assert_unbiased(
    sampler: Sampler,
    truth: Any,
    *,
    key: jax.Array,
    false_fail_rate: float = 1e-6,
    detectable: float = 0.1,
    false_pass_rate: float = 1e-3,
    size: int | None = None,
    unit: Literal["sd", "absolute"] = "sd",
    level: float = DEFAULT_LEVEL,
) -> Outcome:
    """Fail when the expectation of a sampler's draws is not ``truth``; asymptotic in the size of a block.

    Two-sided t tests of every coordinate. No limit law is trusted beyond ``level``: a small rate comes from k fresh,
    independent blocks of draws, and the assert fails only when one coordinate is rejected, on one side, in all of them:
    chance at most K level^k for K coordinates. It stops after the first block that leaves no coordinate rejected, so a
    right sampler mostly pays for one block.

    Parameters
    ----------
    sampler
        (key, size) -> (size, ...), independent draws with finite variance.
    truth
        The expectation, of the shape of one draw.
    key
        One typed key; each block uses it folded with the block's number.
    false_fail_rate
        At most this chance, in the limit, of failing an unbiased sampler.
    detectable, unit, false_pass_rate
        A bias of ``detectable`` in some coordinate, in standard deviations of one draw or in absolute units, passes
        with at most the chance ``false_pass_rate``, in the limit.
    size
        Draws in a block, at least 200; the smallest that is enough when left out.
    level
        Smallest level of one test in one block, at least 1e-3.

    Returns
    -------
    Outcome
        The largest absolute t statistic among the coordinates still suspect in the last block (all of them in the
        first), the bound of one block, and the rates.

    Raises
    ------
    AssertionError
        When the sampler is biased; at once when a draw is NaN or infinite, which counts against the estimator; and when
        a coordinate without any variance differs from the truth by more than rounding.
    InputError
        When the test would be underpowered (the message says which size would do), or an argument is wrong.

    Notes
    -----
    With ``unit="absolute"`` the power needs the standard deviation, which comes from the draws. With no ``size``
    given, a block that is too small for the sd it shows is thrown away unread and a larger fresh one drawn; a given
    size that is too small for the first block's sd is refused, so give one with room, or none. Draws that are all
    equal are taken to have no variance, so a rare event that the size is too small to see is mistaken for a constant:
    give a size that sees it.

    Examples
    --------
    >>> normal = lambda key, size: 3.0 + jax.random.normal(key, (size,))
    >>> outcome = assert_unbiased(normal, 3.0, key=jax.random.key(0), detectable=0.2)
    >>> outcome.statistic <= outcome.bound, outcome.kind
    (True, 'asymptotic')
    """
    __tracebackhide__ = True  # pytest then points at the caller's line
    check_key(key)
    check_rates(false_fail_rate=false_fail_rate, false_pass_rate=false_pass_rate)
    require(math.isfinite(detectable) and detectable > 0, f"detectable: got {detectable!r}; it must be positive")
    require(unit in {"sd", "absolute"}, f"unit: got {unit!r}; it must be 'sd' or 'absolute'")
    require(SMALLEST_LEVEL <= level < 1.0, f"level: got {level!r}; it must be from {SMALLEST_LEVEL:g} to below 1")
    charge(false_fail_rate)
    truth_array = finite("truth", truth)
    blocks, block_level = _plan(false_fail_rate, truth_array.size, level)

    power = _Power(blocks, block_level, detectable, false_pass_rate)
    call: dict[str, Any] = {
        "false_fail_rate": false_fail_rate,
        "detectable": detectable,
        "false_pass_rate": false_pass_rate,
        "size": size,
        "unit": unit,
        "level": level,
    }
    given, sd, index = size, 1.0, 0
    if unit == "sd":
        size = power.settle(given, sd)
    else:
        size = SMALLEST_BLOCK if given is None else whole_number("size", given, SMALLEST_BLOCK)
    draws = _draw_block(sampler, key, index, size, truth_array, call)
    if unit == "absolute":
        sd = float(draws.std(axis=0, ddof=1).max())
        while power.miss_rate(size, sd) > false_pass_rate:
            # Too small for the sd that it shows: a pilot then, whose mean nobody looks at. A given size is refused.
            size = power.settle(given, PILOT_MARGIN * sd if given is None else sd)
            index += 1
            draws = _draw_block(sampler, key, index, size, truth_array, call)
            sd = float(draws.std(axis=0, ddof=1).max())

    bound = _critical(size, block_level)
    flat = truth_array.reshape(-1)
    suspects = np.full(flat.size, True)
    history: list[np.ndarray] = []
    for block in range(blocks):
        if block > 0:
            draws = _draw_block(sampler, key, index + block, size, truth_array, call)
        t = _t_statistics(draws, flat)
        history.append(t)
        statistic = float(np.abs(t[suspects]).max())
        # The first block fixes the side, for a bias keeps its sign.
        suspects &= (np.abs(t) > bound) & (np.sign(t) == np.sign(history[0]))
        if not suspects.any():
            hit = 1.0 - power.miss_rate(size, sd)
            return Outcome(statistic, bound, size, block + 1, false_fail_rate, hit, detectable, "asymptotic")

    hit = 1.0 - power.miss_rate(size, sd)
    worst = int(np.where(suspects, np.abs(history[-1]), -1.0).argmax())
    place = [int(i) for i in np.unravel_index(worst, truth_array.shape)]
    observed = flat[worst] + (draws[:, worst] - flat[worst]).mean()
    raise AssertionError(
        f"biased: mean {observed:.6g} against truth {flat[worst]:.6g} at {place}; t statistics "
        f"{', '.join(f'{t[worst]:.4g}' for t in history)}, bound {bound:.4g}, in {blocks} fresh "
        f"block{'s' if blocks > 1 else ''} of {size} draws, coordinates tested {flat.size}, "
        f"false-fail rate {false_fail_rate:.3g}, power {hit:.6g} at a bias of {detectable:g}"
        f"{' sd' if unit == 'sd' else ''} [asymptotic]\n{_replay(key, call)}"
    )
