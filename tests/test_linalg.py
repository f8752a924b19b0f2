"""The leaf's square root: negatives are rounding and become 0, NaN is a failure and stays."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from dkps_theory._linalg import sqrt_nonnegative
from dkps_theory.geometry import alignment_errors


def test_square_root_of_values_that_should_not_be_negative():
    np.testing.assert_array_equal(sqrt_nonnegative(jnp.asarray([4.0, 0.0, -1e-17])), [2.0, 0.0, 0.0])
    assert np.isnan(sqrt_nonnegative(jnp.asarray(jnp.nan)))
    assert jax.grad(sqrt_nonnegative)(0.0) == 0


def test_a_failed_configuration_has_no_error_of_0():
    failed = jnp.full((3, 1), jnp.nan)
    found = jax.jit(alignment_errors)(failed, jnp.asarray([[0.0], [1.0], [2.0]]))
    assert all(np.isnan(value) for value in jax.tree.leaves(found))
