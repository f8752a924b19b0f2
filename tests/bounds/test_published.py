"""The printed bounds, against formulas multiplied out by hand."""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
import pytest

import dkps_theory as dk


@pytest.mark.parametrize("d", [1, 2, 5])
@pytest.mark.parametrize(("first", "last"), [(1.0, 1.0), (3.0, 0.25), (0.7, 0.1)])
def test_the_constants_of_the_bound(first, last, d):
    # 1/(1 + sqrt 2) = sqrt 2 - 1, multiplied out by hand.
    s = math.sqrt(2)
    c1 = (1 + s + (2 - s) * (d + 2 * d * d)) * last**-0.5
    c2 = 4 * d * first**0.5 * last**-2 + (1 + 2 * d * (2 * s - 1)) * last**-1.5
    c3 = d * (16 - 8 * s + 16 * (s - 1) * (1 + d) + 4 * s) * last**-2.5
    found = dk.a25_perspective_constants(jnp.asarray(first), jnp.asarray(last), jnp.asarray(float(d)))
    np.testing.assert_allclose(np.array(found), [c1, c2, c3], rtol=1e-13)
    x = 0.05
    bound = dk.a25_perspective_bound(jnp.asarray(first), jnp.asarray(last), jnp.asarray(float(d)), jnp.asarray(x))
    np.testing.assert_allclose(bound, c1 * x + c2 * x * x + c3 * x**3, rtol=1e-13)


def test_the_tails_are_sums_over_queries_and_models():
    gamma = np.arange(1.0, 7.0).reshape(2, 3)
    np.testing.assert_allclose(dk.a24_mean_error_tail(gamma, 7, 0.5), [6 / (7 * 3 * 0.25), 15 / (7 * 3 * 0.25)])
    np.testing.assert_allclose(dk.a25_gram_tail(gamma, 7, 0.5), 16 * 21 / (7 * 3 * 0.25))
    with pytest.raises(dk.InputError, match="whole number"):
        dk.a25_gram_tail(gamma, 0, 0.5)
    for eps in (0.0, -1.0, np.nan):
        with pytest.raises(dk.InputError, match="eps"):
            dk.a24_mean_error_tail(gamma, 7, eps)
