"""Parts of a finite world: how laws, channels and functions are read, and what a joint law of the process must meet."""

from __future__ import annotations

import itertools
import math
import numbers
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from dkps_theory._validate import InputError, finite, require, shown
from dkps_theory.information._atoms import checked_law, distinct_letters
from dkps_theory.information.joint_law import JointLaw

OneLaw = dict[Hashable, Any]  # letter -> probability, a float or a Fraction

VARIABLES = ("S_anchor", "p", "e_p", "h", "e_M", "g", "M", "eps", "S_gen", "W", "W_anchor")


def points(letter: Hashable) -> tuple[Hashable, ...]:
    """Return the points of a sample; what is no tuple is one point."""
    return letter if isinstance(letter, tuple) else (letter,)


def letters_of(law: JointLaw, name: str) -> tuple[Hashable, ...]:
    """Return the letters of a variable that have positive probability."""
    return tuple(letter for (letter,), _ in atoms(law, name))


def atoms(law: JointLaw, *names: str) -> Iterator[tuple[tuple[Hashable, ...], Any]]:
    """Yield the letters of the named variables that occur together, and their probability."""
    margin = law.margin(*names)
    columns = [
        [margin.letters[place][code] for code in margin.codes[:, place]] for place in map(margin.names.index, names)
    ]
    letters = zip(*columns, strict=True) if names else [()] * len(margin.probabilities)
    yield from zip(letters, margin.probabilities.tolist(), strict=True)


def conditional(
    law: JointLaw, name: str, given: tuple[str, ...], function: Callable[[Hashable], Hashable] = lambda letter: letter
) -> dict[tuple[Hashable, ...], OneLaw]:
    """Return the law of a function of a variable by the letters of the given ones."""
    found: dict[tuple[Hashable, ...], OneLaw] = {}
    for (letter, *key), weight in atoms(law, name, *given):
        row = found.setdefault(tuple(key), {})
        value = function(letter)
        row[value] = row.get(value, 0) + weight
    for row in found.values():
        total = sum(row.values())
        row.update({letter: weight / total for letter, weight in row.items()})
    return found


def variation(first: OneLaw, second: OneLaw) -> Any:
    """Return TV, half of the sum of |p - q|."""
    return sum(abs(first.get(letter, 0) - second.get(letter, 0)) for letter in {**first, **second}) / 2


def iid(law: OneLaw, size: int) -> OneLaw:
    """Return the law of a tuple of independent draws."""
    return {
        tuple(letter for letter, _ in draws): math.prod(weight for _, weight in draws)
        for draws in itertools.product([pair for pair in law.items() if pair[1] > 0], repeat=size)
    }


def read_law(where: str, law: Any) -> OneLaw:
    """Return a law as letter -> probability."""
    letters, probabilities = checked_law(where, law)
    return dict(zip(letters, probabilities.tolist(), strict=True))


def outcome(where: str, value: Any) -> OneLaw:
    """Return what a channel gives as a law: lists, arrays and mappings are laws, anything else is one sure letter."""
    if isinstance(value, (list, np.ndarray, Mapping)):
        return read_law(where, value)
    return dict.fromkeys(distinct_letters(where, [value]), 1)


def then(law: JointLaw, name: str, given: str, channel: Any, where: str, size: int = 0) -> JointLaw:
    """Append a variable drawn from a channel; with a ``size``, a tuple of that many independent draws from it."""
    rows = channel_rows(where, channel, letters_of(law, given), constant=size > 0)
    return law.then(name, given, {x: iid(row, size) if size else row for x, row in rows.items()})


def channel_rows(where: str, channel: Any, letters: Sequence[Hashable], *, constant: bool = False) -> dict[Any, OneLaw]:
    """Return the law that a channel gives each letter; if ``constant``, the channel may be one law for all of them."""
    if callable(channel):
        return {x: outcome(f"{where} at {shown(x)}", channel(x)) for x in letters}
    known = isinstance(channel, (Mapping, Sequence)) or np.ndim(channel) > 0
    if not known or isinstance(channel, str):
        raise InputError(f"{where}: got {shown(channel)}; it must be a function, a mapping or a table with rows")
    entries = list(channel.values()) if isinstance(channel, Mapping) else list(channel)
    if constant and all(isinstance(entry, numbers.Real) for entry in entries):
        return dict.fromkeys(letters, read_law(where, channel))
    if isinstance(channel, Mapping):
        missing = [x for x in letters if x not in channel]
        require(not missing, f"{where}: says nothing of {shown(missing[0] if missing else None)}, which can occur")
        return {x: outcome(f"{where} at {shown(x)}", channel[x]) for x in letters}
    require(len(entries) == len(letters), f"{where}: {len(entries)} rows for {len(letters)} letters {shown(letters)}")
    return {x: outcome(f"{where} at {shown(x)}", row) for x, row in zip(letters, entries, strict=True)}


def read_function(where: str, function: Any, letters: Sequence[Hashable], modulus: int | None) -> dict[Any, Any]:
    """Return the values of h or g at the letters, whole numbers or fractions, modulo ``modulus`` if there is one."""
    if not callable(function):
        require(isinstance(function, Mapping), f"{where}: got {shown(function)}; it must be a function or a mapping")
        missing = [x for x in letters if x not in function]
        require(not missing, f"{where}: says nothing of {shown(missing[0] if missing else None)}, which can occur")
    values: dict[Any, Any] = {x: function(x) if callable(function) else function[x] for x in letters}
    for x, value in values.items():
        _require_exact(f"{where} at {shown(x)}", value)
    return values if modulus is None else {x: value % modulus for x, value in values.items()}


def _require_exact(where: str, value: Any) -> None:
    if not isinstance(value, numbers.Rational):
        raise InputError(f"{where} is {shown(value)}; answers add, so it must be a whole number or a fraction")


def added(first: Sequence[Any], second: Sequence[Any], modulus: int | None) -> tuple[Any, ...]:
    """Return the sums point by point, modulo ``modulus`` if there is one."""
    sums = tuple(x + y for x, y in zip(first, second, strict=True))
    return sums if modulus is None else tuple(value % modulus for value in sums)


def table_loss(table: Any) -> Callable[[Any, Any], Any]:
    """Return l(w, z) from a table whose letters are its whole-number places."""
    finite("loss", table)
    values = np.asarray(table)
    require(values.ndim == 2, f"loss: got shape {values.shape}; a table must be (w, z)")

    def loss(w: Any, z: Any) -> Any:
        for name, letter, size in (("w", w, values.shape[0]), ("z", z, values.shape[1])):
            known = isinstance(letter, numbers.Integral) and 0 <= int(letter) < size
            require(known, f"loss: {name} = {shown(letter)} is no place in a table of shape {values.shape}")
        return values[w, z]

    return loss


def check_law(law: JointLaw, modulus: int | None) -> None:
    """Refuse a joint law that is not of the process, and say which relation fails."""
    require(isinstance(law, JointLaw), f"law: got {shown(law)}; it must be a JointLaw of {', '.join(VARIABLES)}")
    missing = [name for name in VARIABLES if name not in law.names]
    require(not missing, f"law: lacks {', '.join(missing)}; it must have {', '.join(VARIABLES)}")
    _check_functions(law, modulus)
    chains = (
        ("S_anchor", "p", ("e_p", "e_M", "eps")),
        ("p", "e_p", "e_M"),
        (("e_p", "e_M"), "p", "eps"),
        (VARIABLES[:-3], "S_gen", "W"),
        (VARIABLES[1:-1], "S_anchor", "W_anchor"),
    )
    for a, b, c in chains:
        if not law.is_markov(a, b, c):
            left, right = (name if isinstance(name, str) else f"({', '.join(name)})" for name in (a, c))
            raise InputError(f"law: {left} - {b} - {right} is no Markov chain: given {b}, the two are dependent")
    for sample, given in (("S_anchor", ()), ("e_M", ("e_p",)), ("eps", ("p",))):
        _check_iid(law, sample, given)
    for sample in ("S_anchor", "S_gen"):
        sizes = sorted({len(points(letter)) for letter in letters_of(law, sample)})
        require(len(sizes) == 1, f"law: {sample} has {shown(sizes)} points; their number must be one and the same")


def _check_functions(law: JointLaw, modulus: int | None) -> None:
    for value, of in (("h", "e_p"), ("g", "e_M")):
        rows = conditional(law, value, (of,))
        unsure = [key[0] for key, row in rows.items() if len(row) > 1]
        require(
            not unsure, f"law: {value} is no function of {of}: it varies at {of} = {shown(unsure[0] if unsure else 0)}"
        )
    own: dict[Hashable, Hashable] = {}
    for (factors, answers), _ in atoms(law, "e_M", "g"):
        pairs = list(zip(points(factors), points(answers), strict=False))
        fits = len(points(factors)) == len(points(answers)) and all(own.setdefault(e, x) == x for e, x in pairs)
        require(
            fits, f"law: g is no function of one point's e_M, the same for every point: see {shown((factors, answers))}"
        )
    for (shift, answer, total), _ in atoms(law, "h", "g", "M"):
        _check_sum("M", "h + g", (shift,) * len(points(answer)), answer, total, modulus)
    for (answer, noise, total), _ in atoms(law, "M", "eps", "S_gen"):
        _check_sum("S_gen", "M + eps", points(answer), noise, total, modulus)


def _check_sum(name: str, sum_: str, first: Any, second: Hashable, total: Hashable, modulus: int | None) -> None:
    parts: tuple[Any, ...] = (*first, *points(second))
    for value in parts:
        _require_exact(f"law: a part of {sum_}", value)
        if modulus is not None and name == "M" and value != value % modulus:
            raise InputError(
                f"law: a part of {sum_} is {shown(value)}; modulo {modulus} it is not from 0 to {modulus - 1}"
            )
    if len(first) != len(points(second)) or added(first, points(second), modulus) != points(total):
        suffix = "" if modulus is None else f" modulo {modulus}"
        place = f"{shown(first)} + {shown(second)}, where {name} is {shown(total)}"
        raise InputError(f"law: {name} = {sum_}{suffix} fails at {place}")


def _check_iid(law: JointLaw, sample: str, given: tuple[str, ...]) -> None:
    """Points are iid iff every probability is the product of one margin's: the products then sum to 1 over the rest."""
    tolerance = 0 if law.exact else 1e-12
    for key, row in conditional(law, sample, given).items():
        first: OneLaw = {}
        for letter, weight in row.items():
            first[points(letter)[0]] = first.get(points(letter)[0], 0) + weight
        for letter, weight in row.items():
            if abs(weight - math.prod(first.get(point, 0) for point in points(letter))) > tolerance:
                suffix = f" given {given[0]} = {shown(key[0])}" if given else ""
                raise InputError(f"law: the points of {sample} are not iid{suffix}, see {shown(letter)}")
