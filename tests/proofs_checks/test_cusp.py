"""A24-T1/rate: the four models' minimiser in the plane has a singular Hessian, and moves like a cube root."""

from __future__ import annotations

import jax
import numpy as np
import pytest

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claims.a24_t1_rates import cusp_distances


@pytest.mark.parametrize(("stretch", "low", "high"), [(1.0, -1e-6, 1e-6), (1.5, 1e-2, 10.0)])
def test_curvature_beyond_rigid_motions(stretch, low, high):
    delta = cusp_distances(stretch)
    z = cases.raw_stress_solution(delta, 2).configuration
    hessian = jax.hessian(lambda z: dk.raw_stress(z, delta))(z).reshape(8, 8)
    values = np.sort(np.abs(np.linalg.eigvalsh(hessian)))
    assert np.all(values[:3] < 1e-9)  # two translations and a rotation
    assert low < values[3] < high


def test_distances_move_like_a_cube_root_of_the_change_in_one_dissimilarity():
    delta = cusp_distances()
    still = cases.distances(np.asarray(cases.raw_stress_solution(delta, 2).configuration))
    moved = []
    for change in (1e-4, 1e-6):
        other = delta.copy()
        other[0, 1] = other[1, 0] = delta[0, 1] + change
        found = cases.raw_stress_solution(other, 2)
        assert found.converged
        moved.append(np.abs(cases.distances(np.asarray(found.configuration)) - still).max())
    assert np.log(moved[0] / moved[1]) / np.log(100) == pytest.approx(1 / 3, abs=0.03)
