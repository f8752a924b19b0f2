"""What the statistical asserts share: their outcome, drawing, settling the size, the line that replays one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import jax
import numpy as np

from dkps_theory._keys import are_keys
from dkps_theory._validate import InputError, require, whole_number

#: From a key and a size to (size, ...) independent draws of one law.
Sampler = Callable[[jax.Array, int], Any]

#: No size above this is proposed: the alternative is then too close to be tested this way.
LARGEST_SIZE = 10**7


@dataclass(frozen=True)
class Outcome:
    """What a passed assert measured.

    Attributes
    ----------
    statistic, bound
        The assert fails when the statistic exceeds the bound: a KS distance, or an absolute t statistic.
    size
        Draws from each sampler (same law), or draws in a block (unbiased).
    blocks
        Blocks that were drawn.
    false_fail_rate
        At most this chance of failing a right sampler.
    power
        At least this chance of failing a sampler at the alternative ``detectable``.
    detectable
        The named alternative.
    kind
        "exact": both chances hold at this size. "asymptotic": they hold as the size grows.
    """

    statistic: float
    bound: float
    size: int
    blocks: int
    false_fail_rate: float
    power: float
    detectable: float
    kind: Literal["exact", "asymptotic"]


def check_rates(**rates: float) -> None:
    """Refuse rates that are not probabilities inside (0, 1)."""
    for name, rate in rates.items():
        require(0.0 < rate < 1.0, f"{name}: got {rate!r}; it must be inside (0, 1)")


def check_key(key: jax.Array) -> None:
    """Refuse anything but one typed key."""
    require(
        are_keys(key) and key.ndim == 0, "key: must be one typed key, as from jax.random.key(seed, impl='threefry2x32')"
    )


def take(name: str, sampler: Sampler, key: jax.Array, size: int) -> np.ndarray:
    """Draw (size, ...) as float64."""
    draws = np.asarray(sampler(key, size), dtype=np.float64)
    if draws.ndim == 0 or len(draws) != size:
        raise InputError(f"{name}: asked for {size} draws, got shape {draws.shape}; the leading axis must be {size}")
    return draws


def replay_line(call: str, key: jax.Array, **settings: object) -> str:
    """Return one line of Python that repeats the assert."""
    data = np.asarray(jax.random.key_data(key)).tolist()
    words = f"jax.random.wrap_key_data(np.array({data}, np.uint32), impl={str(jax.random.key_impl(key))!r})"
    rest = ", ".join(f"{name}={value!r}" for name, value in settings.items())
    return f"replay: {call}, key={words}, {rest})"


def _smallest_size(enough: Callable[[int], bool], start: int) -> int | None:
    """Return the smallest size from ``start`` to LARGEST_SIZE that is enough, by doubling and bisection."""
    high = start
    while not enough(high):
        if high >= LARGEST_SIZE:
            return None
        start, high = high + 1, min(2 * high, LARGEST_SIZE)
    while start < high:
        middle = (start + high) // 2
        start, high = (start, middle) if enough(middle) else (middle + 1, high)
    return high


def settle_size(call: str, size: int | None, enough: Callable[[int], bool], smallest: int, detectable: float) -> int:
    """Return the size to use, or refuse an underpowered one and say which size would do."""
    if size is not None:
        size = whole_number("size", size, smallest)
        if enough(size):
            return size
    needed = _smallest_size(enough, smallest)
    if needed is None:
        raise InputError(f"{call}: no size up to {LARGEST_SIZE:g} detects {detectable:g} at these rates; ask for less")
    if size is None:
        return needed
    raise InputError(
        f"{call}: size={size} cannot detect {detectable:g} at these rates; size={needed} would do (or leave size out)"
    )
