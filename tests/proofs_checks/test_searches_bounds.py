"""Counterexamples to the refuted claims about bounds, searched for from scratch."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import dkps_theory as dk
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


@pytest.mark.parametrize(("queries", "d", "target"), [(2, 2, 2.0), (3, 1, 3.0)])
def test_some_population_leaves_the_radius_above_the_targets(queries, d, target):
    """DK-M9/within-2/any-population and within-3/any-population: make answers rarer until one is off by the target."""
    generator, slacks = np.random.default_rng(6), []
    for rarity in (1.0, 0.1, 1e-2, 1e-3, 1e-4):
        probabilities = rarity * generator.uniform(size=(4, queries))
        if d == 1:  # the first query parts two groups of models without noise; the others are alike
            probabilities[:, 0], probabilities[:, 1:] = [0, 1, 0, 1], probabilities[0, 1]
        population = dk.bernoulli(probabilities)
        truth = _radius.factor(np.asarray(population.mean))
        noise = _radius.factor(_radius.mean_errors(population, generator, 400, 20))
        sigma = np.linalg.svd(truth, compute_uv=False)[d - 1]
        if d == queries or np.quantile(np.linalg.norm(noise, 2, axis=(1, 2)), 0.95) <= sigma / 5:
            quantile = np.quantile(_radius.aligned_errors(truth, noise, d)[0], 0.95)
            slacks.append(dk.certified_radius(population, d, 20).frobenius / (quantile + 1e-12))
    assert max(slacks) > 100 * target
