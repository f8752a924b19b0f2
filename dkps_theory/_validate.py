"""Input checks: one clear line that says what was given, where, and what would be right.

No JAX here, so command modules can use it without paying for an import.
"""

from __future__ import annotations

import difflib
import math
import numbers
from collections.abc import Iterable

import numpy as np


class InputError(ValueError):
    """The user's input is wrong. The command line turns it into one line and exit code 2."""


def require(condition: bool | np.bool_, message: str) -> None:
    """Raise :class:`InputError` with ``message`` unless ``condition`` holds."""
    if not condition:
        raise InputError(message)


def finite(name: str, values: object) -> np.ndarray:
    """Return ``values`` as a float64 array, refusing NaN and infinity by the place of the first one."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except OverflowError:
        raise InputError(f"{name}: holds a whole number too large for double precision (about 1.8e308)") from None
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}: not an array of numbers ({error})") from None
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        where = ", ".join(map(str, bad[0]))
        raise InputError(
            f"{name}: {len(bad)} value{'s' if len(bad) > 1 else ''} not finite, the first at [{where}]; "
            "replace or drop NaN and infinities first"
        )
    return array


def axes(name: str, array: np.ndarray, glossary: str) -> None:
    """Check that ``array`` has the axes of ``glossary`` (for example ``"n m r p"``), none of them empty."""
    wanted = glossary.split()
    shape = tuple(array.shape)
    if len(shape) != len(wanted):
        raise InputError(f"{name}: got {len(shape)} axes {shape}; it must have {len(wanted)}, ({', '.join(wanted)})")
    for axis, size in zip(wanted, shape, strict=True):
        if size == 0:
            raise InputError(f"{name}: axis {axis} is empty, shape {shape}")


def whole_number(name: str, value: object, low: int, high: float = math.inf) -> int:
    """Return ``value`` as an int in [low, high], refusing fractions, booleans and anything else."""
    bound = f"from {low} to {high:g}" if math.isfinite(high) else f"of at least {low}"
    try:
        is_whole = isinstance(value, numbers.Real) and not isinstance(value, bool) and float(value).is_integer()
        is_inside = is_whole and low <= float(value) <= high  # pyright: ignore[reportArgumentType]
    except OverflowError:
        raise InputError(f"{name}: got more than 308 digits; it must be a double precision number {bound}") from None
    if not is_inside:
        raise InputError(f"{name}: got {shown(value)}; it must be a whole number {bound}")
    return int(value)  # pyright: ignore[reportArgumentType]


def positive_number(value: object) -> bool:
    """Whether ``value`` is one finite number above 0."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (OverflowError, TypeError, ValueError):
        return False
    return array.shape == () and 0 < float(array) < math.inf


def shown(value: object, longest: int = 100) -> str:
    """Return ``repr(value)`` on one line and not endless, whatever the user gave."""
    try:
        text = " ".join(repr(value).split())
    except (ValueError, RecursionError):  # whole numbers of more than 4,300 digits; lists nested too deeply
        return f"a {type(value).__name__} too long to print"
    return text if len(text) <= longest else f"{text[:longest]}..."


def nearest_name(kind: str, given: object, known: Iterable[str]) -> InputError:
    """Return the error for an unknown name, with the nearest known one when there is one."""
    names = sorted(known)
    if not isinstance(given, str):
        return InputError(f"{kind}: got {shown(given)}; it must be text, one of {', '.join(names)}")
    close = difflib.get_close_matches(given, names, n=1, cutoff=0.3)
    hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names)}"
    return InputError(f"unknown {kind} {given!r}; {hint}")
