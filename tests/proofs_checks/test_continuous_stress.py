"""A24-R3: the decomposition of continuous raw stress over binary digits, by brute force on dyadic cells."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from proofs_checks.claims.a24_r3 import dyadic_stress

LEVELS = 3


def dissimilarity(i, j):
    """Average of Delta over two cells of length 1/8."""
    if i == j:
        return sum((2 - 2.0 ** (1 - k)) * 2.0 ** (LEVELS - k) for k in range(LEVELS + 1, 60))
    first = next(k for k in range(1, LEVELS + 1) if (i >> (LEVELS - k)) != (j >> (LEVELS - k)))
    return 2 - 2.0 ** (1 - first)


def parts_by_level(indicator):
    """Squared norms of the parts of a function of the cells that belong to digit 1, 2, 3."""
    averages = [
        np.repeat(indicator.reshape(2**level, -1).mean(axis=1), 2 ** (LEVELS - level)) for level in range(LEVELS + 1)
    ]
    return [np.square(b - a).mean() for a, b in itertools.pairwise(averages)]


@pytest.mark.parametrize("seed", range(4))
def test_stress_is_that_of_the_law_plus_what_each_digit_adds(seed):
    values = np.sort(np.random.default_rng(seed).normal(size=8))[np.random.default_rng(seed + 10).permutation(8)]
    distance = np.abs(values[:, None] - values[None])
    delta = np.array([[dissimilarity(i, j) for j in range(8)] for i in range(8)])
    within = 40 / 21 - np.square(delta).mean()  # variance of Delta inside pairs of cells, which no map of cells sees
    direct = np.square(distance - delta).mean() + within
    cuts = np.sort(values)
    added = sum(
        (high - low) * sum(4 / 3 * 4.0**-level * part for level, part in enumerate(parts_by_level(values > low), 1))
        for low, high in itertools.pairwise(cuts)
    )
    by_law = np.square(distance - 4 / 3).mean()
    assert dyadic_stress(values) == pytest.approx(direct, rel=1e-12)
    assert direct == pytest.approx(by_law + 8 / 63 + 4 * added, rel=1e-12)
