"""DK-M8's constants: the worst family reaches the golden ratio, and the mean square noise is exact."""

from __future__ import annotations

import numpy as np
import pytest

import dkps_theory as dk
from dkps_theory.bounds import GOLDEN_RATIO, factor_constant, root_mean_square_noise
from dkps_theory.conventions import A24


def test_worst_family_reaches_the_golden_ratio():
    v1, v2 = np.array([1.0, 1, -1, -1]) / 2, np.array([1.0, -1, -1, 1]) / 2
    b, t = 1 - 1e-6, GOLDEN_RATIO
    noisy, truth = np.column_stack([v1, b * v2]), np.column_stack([0 * v1, t * v2])
    found, psi = (
        dk.classical_mds(dk.dissimilarities(x[:, None, :], dk.Convention("none")), 1).configuration
        for x in (noisy, truth)
    )
    ratio = dk.alignment_errors(found, psi).frobenius / np.linalg.norm(noisy - truth)
    assert float(ratio) == pytest.approx(factor_constant(d=1, estimated_rank=2), abs=1e-5)


def test_mean_square_noise_equals_its_definition(stat):
    population = dk.population_from_configuration(
        stat.key(0), np.array([[1.0], [0.0], [-1.0]]), m=2, p=2, gamma=0.7, convention=A24
    )
    from dkps_theory.testing import assert_unbiased

    def squares(key, size):
        import jax

        def one(k):
            errors = population.sample_mean_errors(k, 5.0)
            return ((errors - errors.mean(0, keepdims=True)) ** 2).sum()[None] * A24.scale(2) ** 2

        return jax.vmap(one)(jax.random.split(key, size))

    truth = np.array([float(root_mean_square_noise(population.gamma, 5, A24)) ** 2])
    assert_unbiased(
        squares,
        truth,
        key=stat.key(1),
        false_fail_rate=stat.rate,
        detectable=float(0.5 * truth[0]),
        false_pass_rate=1e-3,
        size=8000,
    )
