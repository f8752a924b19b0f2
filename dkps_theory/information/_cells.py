"""Weights of atoms added up over the cells of some variables: what entropies and informations are made of."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np


def objects(values: Iterable[Any]) -> np.ndarray:
    """Return a flat object array: NumPy would turn whole numbers into machine words and tuples into rows."""
    listed = list(values)
    array = np.empty(len(listed), dtype=object)
    array[:] = listed
    return array


def distinct_rows(codes: np.ndarray, sizes: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return which distinct row each row of ``codes`` (atoms, columns) is, and where each distinct row first stands.

    Distinct rows are numbered in lexicographic order. Rows are read as mixed-radix numbers, renumbered before they
    would overflow.
    """
    key, span = np.zeros(len(codes), dtype=np.int64), 1
    for column, size in enumerate(sizes):
        if span * size >= 2**62:
            key, span = np.unique(key, return_inverse=True)[1], len(codes)
        key = key * size + codes[:, column]
        span *= size
    if span <= 4 * len(codes):  # a table of all cells is faster than a sort
        first = np.full(span, -1)
        first[key[::-1]] = np.arange(len(codes))[::-1]
        used = first >= 0
        return (np.cumsum(used) - 1)[key], first[used]
    _, first, labels = np.unique(key, return_index=True, return_inverse=True)
    return labels, first


def added_up(labels: np.ndarray, count: int, weights: np.ndarray) -> np.ndarray:
    """Return the sum of the weights of each of ``count`` labels: float64, or exact for an object array."""
    if weights.dtype != object:
        return np.bincount(labels, weights=weights, minlength=count)
    sums: list[Any] = [0] * count
    for label, weight in zip(labels.tolist(), weights.tolist(), strict=True):
        sums[label] += weight
    return objects(sums)


@dataclasses.dataclass(frozen=True, eq=False)
class Cells:
    """Atoms (atoms, columns) with weights (atoms,) over one scale: whole numbers for Fractions, which add up fast."""

    codes: np.ndarray
    sizes: tuple[Any, ...]
    weights: np.ndarray
    scale: int

    @classmethod
    def of(cls, codes: np.ndarray, sizes: tuple[Any, ...], probabilities: np.ndarray) -> Cells:
        """Return atoms with float64 probabilities as weights, or with whole weights for Fractions."""
        if probabilities.dtype != object:
            return cls(codes, sizes, probabilities, 1)
        scale = math.lcm(*(p.denominator for p in probabilities))
        return cls(codes, sizes, objects(p.numerator * (scale // p.denominator) for p in probabilities), scale)

    def labels(self, columns: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
        """Return which cell of these columns each atom lies in, and the first atom of each cell."""
        return distinct_rows(self.codes[:, columns], [self.sizes[column] for column in columns])

    def sums(self, columns: Sequence[Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the same, and the weight of each cell."""
        labels, first = self.labels(columns)
        return labels, first, added_up(labels, len(first), self.weights)

    def entropy_terms(self, of: Sequence[Any], given: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
        """Return the weights of (of, given) and of given, on the cells of (of, given)."""
        _, first, joint = self.sums([*of, *given])
        labels, _, alone = self.sums(given)
        return joint, alone[labels[first]]

    def information_terms(
        self, a: Sequence[Any], b: Sequence[Any], c: Sequence[Any]
    ) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray], bool]:
        """Return the weights of (a,b,c), (a,c), (b,c) and c on the cells of (a,b,c), and whether no pair is missing.

        A pair is missing when (a,c) and (b,c) have weight and (a,b,c) has none.
        """
        _, atom, joint = self.sums([*a, *b, *c])
        a_labels, a_atoms, with_a = self.sums([*a, *c])
        b_labels, b_atoms, with_b = self.sums([*b, *c])
        labels, _, alone = self.sums(c)
        pairs = np.bincount(labels[a_atoms]) @ np.bincount(labels[b_atoms])
        return (joint, with_a[a_labels[atom]], with_b[b_labels[atom]], alone[labels[atom]]), bool(pairs == len(joint))

    def floats(self, terms: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return weights over the scale in double precision, each rounded once, where the first do not round to 0."""
        rounded = [(weights / self.scale).astype(np.float64) for weights in terms]
        return [weights[rounded[0] > 0] for weights in rounded]
