r"""Raw stress on a line solved by enumeration: every order of up to eight points, in floats or exactly in fractions.

For signs s_ij = +1 where j comes before i in an order and -1 where after, and t_i = sum_j s_ij D_ij, the x_i = t_i / n
minimise a bound of stress that is attained where x is in that order, ||D||^2 - 2 ||t||^2 / n (Defays 1978; derived in
``_line_search.py``). The best order is found by looking at all n! / 2: an oracle for optimisers, not an optimiser.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import jax
import numpy as np

from dkps_theory._types import AnyArray
from dkps_theory._validate import InputError, require
from dkps_theory.geometry.dissimilarity import is_concrete
from dkps_theory.geometry.gram import checked_dissimilarities

#: More models than this have too many orders to look at one by one.
LARGEST = 8
#: Orders whose ||t||^2 is this close to the best one count as tied, relative to it; floats only.
TIED = 1e-12
#: Points closer than this share of the largest coordinate are at one place; floats only.
TOGETHER = 1e-9

Rationals = Sequence[Sequence[int | Fraction]]


def line_minimisers(dissimilarities: AnyArray | Rationals) -> tuple[Any, list[Any]]:
    """Return the least raw stress in d = 1 and every configuration that attains it, by trying all orders.

    Parameters
    ----------
    dissimilarities
        D (n, n), 2 <= n <= 8; or, for exact arithmetic, nested lists of ``fractions.Fraction`` and whole numbers.

    Returns
    -------
    stress
        sum over ordered pairs of (|x_i - x_i'| - D_ii')^2; a float, or a Fraction.
    minimisers
        Arrays (n,), or lists of Fractions: one for each class under translation and reflection, centred, the first
        coordinate that is not 0 negative. Exact input gives exact ties; floats are tied when ||t||^2 agrees up to 1e-12
        of itself, and are at one place when no more than 1e-9 of the largest coordinate apart.

    Raises
    ------
    InputError
        When D is no dissimilarity matrix, is traced, has one model or more than eight.

    Examples
    --------
    >>> stress, tied = line_minimisers([[0, 1, 1], [1, 0, 1], [1, 1, 0]])
    >>> stress, len(tied)
    (Fraction(2, 3), 3)
    >>> [str(x) for x in tied[0]]
    ['-2/3', '0', '2/3']
    """
    if not isinstance(dissimilarities, jax.Array | np.ndarray):
        return _exact(_checked_rationals(dissimilarities))
    if not is_concrete(dissimilarities):
        raise InputError("dissimilarities: traced by jit, vmap or grad; orders are enumerated outside of them")
    D = np.asarray(checked_dissimilarities(dissimilarities))
    _check_size(len(D))
    unit = float(D.max()) or 1.0
    D = D / unit
    orders = np.array(_orders(len(D)))
    t = _scores(D, orders)
    totals = (t**2).sum(axis=1)
    tied = t[totals >= totals.max() * (1 - TIED)] / len(D)
    # Points at one place may be listed in any order among themselves; listed by index, each configuration is met once.
    found = {_places(x): x for x in map(_turned, tied)}
    minimisers = list(found.values())
    stress = float(((np.abs(minimisers[0][:, None] - minimisers[0][None, :]) - D) ** 2).sum())
    return stress * unit**2, [unit * x for x in minimisers]


def _orders(n: int) -> list[tuple[int, ...]]:
    """Return all orders up to reversal."""
    return [order for order in itertools.permutations(range(n)) if order[0] < order[-1]]


def _check_size(n: int) -> None:
    require(
        2 <= n <= LARGEST, f"dissimilarities: got n = {n}; all orders can be enumerated for n from 2 to {LARGEST} only"
    )


def _scores(D: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """Return t (orders, n), with places indexed by point."""
    places = np.argsort(orders, axis=1)
    t = np.empty(orders.shape)
    for i in range(len(D)):
        t[:, i] = np.sign(places[:, [i]] - places) @ D[i]
    return t


def _turned(x: np.ndarray) -> np.ndarray:
    """Return x or -x, whichever has its first coordinate that is not 0 (up to rounding) negative."""
    leading = x[np.argmax(np.abs(x) > TOGETHER * np.abs(x).max())]
    return -x if leading > 0 else x


def _places(x: np.ndarray) -> tuple[int, ...]:
    """Return the rank of each point, equal for points at one place."""
    order = np.argsort(x)
    steps = np.diff(x[order]) > TOGETHER * np.abs(x).max()
    ranks = np.empty(len(x), dtype=int)
    ranks[order] = np.concatenate([[0], np.cumsum(steps)])
    return tuple(ranks.tolist())


def _checked_rationals(rows: Rationals) -> list[list[Fraction]]:
    n = len(rows)
    require(all(isinstance(row, list | tuple) and len(row) == n for row in rows), f"dissimilarities: not {n} x {n}")
    _check_size(n)
    for i, j in itertools.product(range(n), repeat=2):
        value = rows[i][j]
        require(
            isinstance(value, int | Fraction) and not isinstance(value, bool),
            f"dissimilarities: entry [{i}, {j}] is {value!r}; nested lists hold whole numbers and fractions, "
            "arrays hold floats",
        )
        require(value >= 0, f"dissimilarities: entry [{i}, {j}] is {value}; dissimilarities are at least 0")
        require(value == rows[j][i], f"dissimilarities: entries [{i}, {j}] and [{j}, {i}] differ")
        require(i != j or value == 0, f"dissimilarities: diagonal entry [{i}, {i}] is {value}; it must be 0")
    return [[Fraction(value) for value in row] for row in rows]


def _exact(D: list[list[Fraction]]) -> tuple[Fraction, list[list[Fraction]]]:
    n = len(D)
    totals = [sum(row, Fraction(0)) for row in D]
    # t_i by the set of points before i, as a bit mask: far fewer than there are orders.
    t = [
        [2 * sum((D[i][j] for j in range(n) if mask >> j & 1), Fraction(0)) - totals[i] for i in range(n)]
        for mask in range(1 << n)
    ]
    squares = [[value**2 for value in row] for row in t]
    best, found = Fraction(-1), []
    for order in _orders(n):
        mask, total = 0, Fraction(0)
        for i in order:
            total += squares[mask][i]
            mask |= 1 << i
        if total > best:
            best, found = total, []
        if total == best:
            found.append(order)
    distinct: dict[tuple[Fraction, ...], None] = {}
    for order in found:
        mask, x = 0, [Fraction(0)] * n
        for i in order:
            x[i] = t[mask][i] / n
            mask |= 1 << i
        leading = next((value for value in x if value), 0)
        distinct[tuple(-value for value in x) if leading > 0 else tuple(x)] = None
    stress = sum((value**2 for row in D for value in row), Fraction(0)) - 2 * best / n
    return stress, [list(x) for x in distinct]
