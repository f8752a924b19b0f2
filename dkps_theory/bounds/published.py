r"""Bounds as the sources print them, normalisation included, right or wrong: the claims say which is which.

Under the printed c = 1/m, Chebyshev's inequality gives sum_j gamma_ij / (r m^2 eps^2) where A24 prints one m; A25's
proof gives m^2 too, for c = 1/sqrt(m) and e = 1/2. Both printed forms hold, m times too large. A25-T2 has no units of g
on its right-hand side but for the eigenvalues, so it is no bound at one n and r for every scale of g; see A25-X4.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float

from dkps_theory._types import AnyArray
from dkps_theory._validate import finite, require
from dkps_theory.bounds._checks import checked_array, checked_whole


def a24_mean_error_tail(
    gamma: Float[AnyArray, "n m"], r: float | Float[Array, ""], eps: float | Float[Array, ""]
) -> Float[Array, " n"]:
    """Return sum_j gamma_ij / (r m eps^2), the bound of P(c ||X_i - mu_i||_F > eps) in the proof of A24's Theorem 2.

    Printed for c = 1/m and e = 1 (arXiv:2409.17308); with c = 1/sqrt(m) it is Chebyshev's inequality. Not cut off at 1.

    Raises
    ------
    InputError
        For a gamma that is not finite or not (n, m), an r that is not a whole number of at least 1, or an eps that is
        not above 0. What is traced is trusted.

    Examples
    --------
    >>> a24_mean_error_tail(np.ones((2, 4)), 100, 0.5).tolist()
    [0.04, 0.04]
    """
    gamma = checked_array("gamma", gamma, "n m")
    checked_whole("r (replicates)", r, 1)
    if not isinstance(eps, Tracer):
        require(bool(np.all(finite("eps", eps) > 0)), f"eps: got {eps}; it must be above 0")
    return gamma.mean(axis=1) / (r * jnp.square(eps))


def a25_gram_tail(
    gamma: Float[AnyArray, "n m"], r: float | Float[Array, ""], eps: float | Float[Array, ""]
) -> Float[Array, ""]:
    """Return 16 sum_ij gamma_ij / (r m eps^2), A25's Theorem 1: P(some |B^_ii' - B_ii'| >= eps) is at most that.

    Printed for c = 1/sqrt(m) and e = 1/2 (arXiv:2511.08307). Not cut off at 1.

    Raises
    ------
    InputError
        As :func:`a24_mean_error_tail`.

    Examples
    --------
    >>> round(float(a25_gram_tail(np.ones((2, 4)), 1600, 0.5)), 6)
    0.08
    """
    return 16 * a24_mean_error_tail(gamma, r, eps).sum()


def a25_perspective_constants(
    lambda_1: Float[Array, "..."], lambda_d: Float[Array, "..."], d: Float[Array, "..."]
) -> tuple[Float[Array, "..."], Float[Array, "..."], Float[Array, "..."]]:
    r"""Return C1, C2, C3 of A25's Theorem 2 (arXiv:2511.08307) from lambda_1, lambda_d and d.

    With l1 = lambda_1 and ld = lambda_d,

        C1 = ld^(-1/2) {(1 + sqrt2) + sqrt2 d (1 + 2d) / (1 + sqrt2)},
        C2 = 4 d l1^(1/2) / ld^2 + ld^(-3/2) {1 + 2d (3 + sqrt2) / (1 + sqrt2)},
        C3 = d ld^(-5/2) {(8 sqrt2 + 16 (1 + d)) / (1 + sqrt2) + 4 sqrt2}.

    Examples
    --------
    >>> [round(float(c), 4) for c in a25_perspective_constants(jnp.asarray(1.0), jnp.asarray(1.0), jnp.asarray(1.0))]
    [4.1716, 8.6569, 23.598]
    """
    root = np.sqrt(2.0)
    c1 = (1 + root + root * d * (1 + 2 * d) / (1 + root)) / jnp.sqrt(lambda_d)
    c2 = 4 * d * jnp.sqrt(lambda_1) / lambda_d**2 + (1 + 2 * d * (3 + root) / (1 + root)) / lambda_d**1.5
    c3 = d * ((8 * root + 16 * (1 + d)) / (1 + root) + 4 * root) / lambda_d**2.5
    return c1, c2, c3


def a25_perspective_bound(
    lambda_1: Float[Array, "..."],
    lambda_d: Float[Array, "..."],
    d: Float[Array, "..."],
    x: Float[Array, "..."],
) -> Float[Array, "..."]:
    """Return C1 x + C2 x^2 + C3 x^3, A25's Theorem 2: the bound of ||Psi^ W - Psi||_{2,inf} when ||B^ - B|| < x.

    The theorem sets x = (n^3 / r)^(1/2 - delta).

    Arrays broadcast.

    Examples
    --------
    >>> one = jnp.asarray(1.0)
    >>> round(float(a25_perspective_bound(one, one, one, jnp.asarray(0.1))), 5)
    0.52732
    """
    c1, c2, c3 = a25_perspective_constants(lambda_1, lambda_d, d)
    return x * (c1 + x * (c2 + x * c3))
