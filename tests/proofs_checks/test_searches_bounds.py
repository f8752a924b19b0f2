"""Counterexamples to the refuted claims about bounds, searched for from scratch."""

from __future__ import annotations

import itertools

import numpy as np

from proofs_checks.claims import _radius
from proofs_checks.claims._radius import Cell


def test_some_population_leaves_the_radius_above_twice_the_truth_at_the_rank():
    """DK-M9/within-2-of-rank: walk over yes-or-no populations with d = rank(B^) < m p until one is off by 2."""
    found = []
    for n, m, r in itertools.product((4, 7, 10), (3, 12, 40), (2000, 200, 20)):
        cell = Cell("bernoulli", n, m, 1, min(n - 1, m), r)
        quantile = np.quantile(_radius.sampled(cell, 5, 400)["frobenius"], 0.95)
        if cell.d < m:
            found.append((_radius.radius_of(cell).frobenius / quantile, cell))
        if found and found[-1][0] > 2:
            break
    assert found[-1][0] > 2, max(found, key=lambda one: one[0])
