"""How finite laws are read and checked: probabilities in one of two modes, letters, channels as lists of entries.

Probabilities are float64, or exact: Python whole numbers and Fractions, kept as Fractions. The two are never mixed,
since a float among Fractions would silently end exactness; only 0 and 1, which are exact in both, go with either.

Entries of sequences are annotated as Any: checking them picks one at random, which Hypothesis refuses while it draws.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from dkps_theory._validate import InputError, finite, require, shown
from dkps_theory.information._cells import added_up, distinct_rows, objects
from dkps_theory.information.discrete import SUM_TOLERANCE

#: One variable or several.
Names = str | Sequence[str]


def group(names: Any) -> tuple[Any, ...]:
    """Return one name or several as a tuple."""
    require(isinstance(names, (str, Sequence)), f"variables: got {shown(names)}; give a name or a sequence of names")
    return (names,) if isinstance(names, str) else tuple(names)


def checked_atoms(
    names: Sequence[Any], letters: Sequence[Any], codes: Any, probabilities: Any
) -> tuple[tuple[Any, ...], tuple[Any, ...], np.ndarray, np.ndarray]:
    """Return the atoms of a law, distinct, of positive probability and in lexicographic order; see JointLaw."""
    names, alphabets = listed("names", names), tuple(listed("letters", own) for own in listed("letters", letters))
    for place, name in enumerate(names):
        require(isinstance(name, str) and bool(name), f"names: got {shown(name)}; the name of a variable is text")
        require(name not in names[:place], f"names: {name!r} comes twice; each variable needs a name of its own")
    require(len(alphabets) == len(names), f"letters: those of {len(alphabets)} variables for {len(names)} names")
    for name, own in zip(names, alphabets, strict=True):
        distinct = len(distinct_letters(f"letters of {name}", own))
        require(0 < distinct == len(own), f"letters of {name}: got {shown(own)}; they must be distinct, at least one")
    codes, probabilities = np.asarray(codes), checked_probabilities("probabilities", probabilities)
    require(
        codes.ndim == 2 and codes.shape[1] == len(names) and codes.dtype.kind in "iu",
        f"codes: got {codes.dtype} of shape {codes.shape}; they must be whole numbers (atoms, {len(names)})",
    )
    require(
        probabilities.shape == codes.shape[:1],
        f"probabilities: got shape {probabilities.shape} for {len(codes)} atoms",
    )
    sizes = np.array([len(own) for own in alphabets], dtype=np.int64)
    inside = bool(((codes >= 0) & (codes < sizes[None, :])).all())
    require(inside, "codes: one has no letter; they are places 0..k-1 among the letters of their variable")
    require_sum("probabilities", probabilities.sum())
    codes, probabilities = codes[probabilities > 0].astype(np.int64), probabilities[probabilities > 0]
    labels, first = distinct_rows(codes, sizes.tolist())
    codes, probabilities = codes[first], added_up(labels, len(first), probabilities)
    if probabilities.dtype != object:
        probabilities = probabilities / probabilities.sum()
    codes.setflags(write=False)
    probabilities.setflags(write=False)
    return names, alphabets, codes, probabilities


def checked_probabilities(where: str, values: Any) -> np.ndarray:
    """Return non-negative numbers as a float64 array, or as an object array of Fractions when they are exact."""
    try:
        array = np.asarray(values, dtype=None if hasattr(values, "__array__") else object)
    except ValueError as error:
        raise InputError(f"{where}: not an array of numbers ({error})") from None
    array = finite(where, array) if array.dtype.kind == "f" else _of_objects(where, array)
    least = array.min() if array.size else 0
    require(least >= 0, f"{where}: the least is {least}; probabilities are not negative")
    return array


def _of_objects(where: str, array: np.ndarray) -> np.ndarray:
    flat = [item.item() if isinstance(item, np.generic) else item for item in array.ravel()]
    wrong = [item for item in flat if not isinstance(item, (float, numbers.Rational))]
    for item in wrong:
        ragged = "; rows must be of one length" if isinstance(item, (list, tuple, np.ndarray)) else ""
        raise InputError(f"{where}: got {shown(item)}; probabilities are floats or Fractions{ragged}")
    floating = np.array([isinstance(item, float) for item in flat], dtype=bool)
    parts = [
        finite(where, [item for item in flat if isinstance(item, float)]),
        objects(Fraction(item) for item in flat if not isinstance(item, float)),
    ]
    masks = [mask for mask in (floating, ~floating) if mask.any()]
    parts = in_one_mode(where, [part for part in parts if part.size])
    joined = np.empty(len(flat), dtype=parts[0].dtype if parts else np.float64)
    for mask, part in zip(masks, parts, strict=True):
        joined[mask] = part
    return joined.reshape(array.shape)


def in_one_mode(where: str, arrays: Sequence[Any]) -> list[Any]:
    """Return float64 and Fraction arrays in one mode: floats and Fractions other than 0 and 1 do not mix."""
    exact = [array.dtype == object for array in arrays]
    if all(exact) or not any(exact):
        return list(arrays)
    binding = [bool(np.any((array != 0) & (array != 1))) for array in arrays]
    rational = any(b and e for b, e in zip(binding, exact, strict=True))
    floating = any(b and not e for b, e in zip(binding, exact, strict=True))
    require(
        not (rational and floating),
        f"{where}: floats are mixed with Fractions or whole numbers; give all probabilities as floats, or all exactly",
    )
    if rational:
        return [objects(map(Fraction, array.ravel().tolist())).reshape(array.shape) for array in arrays]
    return [array.astype(np.float64) for array in arrays]


def require_sum(where: str, total: Any) -> None:
    """Refuse a law whose probabilities sum to anything but 1: exactly so for Fractions, within 1e-12 for floats."""
    fair = total == 1 if isinstance(total, Fraction) else abs(total - 1) <= SUM_TOLERANCE
    text = str(total) if isinstance(total, (Fraction, int)) else f"{total:.15g}"
    require(fair, f"{where}: sums to {text}; probabilities must sum to 1")


def checked_law(where: str, law: Any, letters: Sequence[Any] | None = None) -> tuple[tuple[Any, ...], np.ndarray]:
    """Return letters and probabilities of a mapping letter -> probability, or of a sequence for letters 0..k-1."""
    known, values = (tuple(law), list(law.values())) if isinstance(law, Mapping) else (letters, law)
    probabilities = checked_probabilities(where, values)
    require(
        probabilities.ndim == 1,
        f"{where}: got {shown(law)}; a law is a sequence of probabilities or a mapping from letters to probabilities",
    )
    found = letters_for(where, known, len(probabilities))
    require(len(found) > 0, f"{where}: is empty; a law needs at least one letter")
    require_sum(where, probabilities.sum())
    return found, probabilities


def finite_number(value: Any) -> Any:
    """Return a finite real number as Python's own, Fractions as they are, and None for anything else."""
    number = value.item() if isinstance(value, np.generic) else value
    real = isinstance(number, numbers.Rational) or (isinstance(number, numbers.Real) and math.isfinite(number))
    return number if real else None


def listed(where: str, values: Any) -> tuple[Any, ...]:
    """Return the entries of a sequence."""
    try:
        return tuple(values)
    except TypeError:
        raise InputError(f"{where}: got {shown(values)}; they must be a sequence") from None


def letters_for(where: str, letters: Any, count: int) -> tuple[Any, ...]:
    """Return the letters of ``count`` probabilities, 0..count-1 when there are none given."""
    found = tuple(range(count)) if letters is None else listed(f"letters of {where}", letters)
    require(len(found) == count, f"{where}: {count} probabilities for {len(found)} letters")
    return found


def distinct_letters(where: str, values: Iterable[Any]) -> dict[Hashable, int]:
    """Return the distinct values, each with its place in order of appearance."""
    try:
        return {letter: place for place, letter in enumerate(dict.fromkeys(values))}
    except TypeError as error:
        raise InputError(f"{where}: {error}; letters must be hashable: numbers, text, tuples") from None


def ordered_letters(where: str, values: Iterable[Any]) -> tuple[Any, ...]:
    """Return the distinct values: ascending where they can be compared, otherwise in order of appearance."""
    distinct = distinct_letters(where, values)
    try:
        return tuple(sorted(distinct))  # pyright: ignore[reportArgumentType, reportCallIssue]
    except TypeError:
        return tuple(distinct)


def codes_of(where: str, values: Iterable[Any], letters: Sequence[Any]) -> np.ndarray:
    """Return the place of each value among the letters."""
    place, listed = distinct_letters(where, letters), list(values)
    unknown = [value for value in distinct_letters(where, listed) if value not in place]
    require(not unknown, f"{where}: {shown(unknown[0] if unknown else 0)} is none of its letters {shown(letters)}")
    return np.array([place[value] for value in listed], dtype=np.int64)


#: A channel's entries: row (which given letters), letter of the new variable, probability.
Entries = tuple[np.ndarray, np.ndarray, np.ndarray, tuple[Any, ...]]


def channel_entries(
    name: str,
    channel: Any,
    given: Sequence[Any],
    codes: np.ndarray,
    sizes: Sequence[Any],
    letters: Sequence[Any] | None,
) -> Entries:
    """Return the positive entries of a channel for the given letters that occur, by row; see JointLaw.then."""
    if sizes and (isinstance(channel, (list, tuple)) or hasattr(channel, "__array__")):
        return _array_entries(name, channel, given, codes, sizes, letters)
    rows = [checked_law(_row(name, row), _law_at(name, channel, row), letters) for row in given]
    if letters is None:
        letters = ordered_letters(name, (letter for found, _ in rows for letter in found))
    probabilities = np.concatenate(in_one_mode(name, [row for _, row in rows]))
    index = np.repeat(np.arange(len(rows)), [len(found) for found, _ in rows])
    new = codes_of(name, (letter for found, _ in rows for letter in found), letters)
    kept = probabilities > 0
    return index[kept], new[kept], probabilities[kept], tuple(letters)


def _array_entries(
    name: str,
    channel: Any,
    given: Sequence[Any],
    codes: np.ndarray,
    sizes: Sequence[Any],
    letters: Sequence[Any] | None,
) -> Entries:
    table = np.asarray(channel, dtype=None if hasattr(channel, "__array__") else object)
    require(
        table.ndim == len(sizes) + 1 and table.shape[:-1] == tuple(sizes),
        f"{name}: the channel has shape {table.shape}; it must be ({', '.join(map(str, sizes))}, k)",
    )
    rows = checked_probabilities(name, table[tuple(codes.T)])
    letters = letters_for(name, letters, rows.shape[1])
    for row, total in zip(given, rows.sum(axis=1), strict=True):
        require_sum(_row(name, row), total)
    index, new = np.nonzero(rows > 0)
    return index, new, rows[index, new], letters


def followed(labels: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (atom, entry) for every atom, with label l, and each of the counts[l] entries of row l, rows in order."""
    wanted, starts = counts[labels], np.cumsum(counts) - counts
    atom = np.repeat(np.arange(len(labels)), wanted)
    within = np.arange(len(atom)) - np.repeat(np.cumsum(wanted) - wanted, wanted)
    return atom, starts[labels[atom]] + within


def _law_at(name: str, channel: Any, row: tuple[Any, ...]) -> Any:
    if isinstance(channel, Callable):
        return channel(*row)
    if not row:
        return channel
    require(
        isinstance(channel, Mapping),
        f"{name}: got {shown(channel)}; a channel is an array, a function of the given letters or a mapping of them",
    )
    key = row[0] if len(row) == 1 else row
    require(key in channel, f"{name}: the channel says nothing of {shown(key)}, which has positive probability")
    return channel[key]


def _row(name: str, row: tuple[Any, ...]) -> str:
    return f"{name} given {', '.join(map(shown, row))}" if row else name


def aligned(law: Any, other: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the probabilities of two JointLaws of the same variables on the cells where either has any."""
    names = getattr(other, "names", None)
    require(
        names is not None and set(names) == set(law.names),
        f"other: got {shown(other)}; it must be a law of the variables {', '.join(law.names)}",
    )
    other = other.margin(*law.names)
    codes, sizes = np.concatenate([law.codes, other.codes]), []
    count = len(law.codes)
    for column, (name, own, theirs) in enumerate(zip(law.names, law.letters, other.letters, strict=True)):
        letters = ordered_letters(name, (*own, *theirs))
        codes[:count, column] = codes_of(name, own, letters)[law.codes[:, column]]
        codes[count:, column] = codes_of(name, theirs, letters)[other.codes[:, column]]
        sizes.append(len(letters))
    labels, first = distinct_rows(codes, sizes)
    return (
        added_up(labels[:count], len(first), law.probabilities),
        added_up(labels[count:], len(first), other.probabilities),
    )
