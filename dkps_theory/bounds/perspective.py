"""Finite-sample bounds on the aligned error of classical perspectives (DK-M8), for e = 1.

Derivation. Put Y = c H mu and Y^ = c H X, so B = Y Y', B^ = Y^ Y^' and Y^ - Y = c H E. The distance
min_W ||A W - C||_F over orthogonal W depends on A and C through A A' and C C' only (append zero columns where the
widths differ), so it is a distance between Gram matrices, and ||Y^ - Y||_F bounds it for (B^, B).

* d >= rank(B^): Psi^ Psi^' = B^ and Psi Psi' = B, hence min_W ||Psi^ W - Psi||_F <= c||HE||_F. The factor is 1.
* d < rank(B^): Psi^ is a factor of the best rank-d part of B^, that is of Y^_d, the truncation of Y^ to its d largest
  singular values. The triangle inequality and Eckart-Young give the factor 2. It is not needed. Claim: for every Z and
  every Y of rank at most d, ||Z_d - Y||_F <= phi ||Z - Y||_F with phi = (1 + sqrt 5)/2. Proof: with
  1 - phi^-2 = phi^-1 and Z = Z_d + Z_rest (orthogonal parts), the claim is equivalent to

      phi^-1 ||Y||^2 + phi^-1 ||Z_d||^2 + ||Z_rest||^2 >= 2 <phi^-1 Z_d + Z_rest, Y>.

  Let s_1 >= s_2 >= ... be the singular values of M = phi^-1 Z_d + Z_rest. By von Neumann's trace inequality the right
  side minus phi^-1 ||Y||^2 is at most sum_{k<=d} (2 y_k s_k - phi^-1 y_k^2) <= phi sum_{k<=d} s_k^2. Say the d largest
  s_k leave out the set O of leading indices of Z and take in the set I of trailing ones, |O| = |I|. Each sigma_o, o in
  O, is at least each sigma_i, i in I, so the left side without ||Y||^2 exceeds phi sum s_k^2 by at least
  phi^-1 sum_O sigma^2 + (1 - phi) sum_I sigma^2 >= (phi^-1 + 1 - phi) sum_I sigma^2 = 0.

  It is sharp: Z = [a v1, b v2], Y = phi v2 with orthonormal v1, v2 and b -> a = 1 from below, d = 1, gives
  (1 + phi^2) / (1 + (phi - 1)^2) = phi^2, and Gram matrices do no better there.

No eigengap and no eigenvalue enters, and E||HE||_F^2 = (1 - 1/n) sum_ij gamma_ij / r, so with bounded gamma
r = omega(n) is enough at c = 1/sqrt(m).
"""

from __future__ import annotations

import math

import jax.numpy as jnp
from jaxtyping import Array, Float

from dkps_theory._types import AnyArray
from dkps_theory._validate import require
from dkps_theory.bounds._checks import checked_array, checked_whole
from dkps_theory.conventions import DEFAULT, Convention, checked_convention

#: The sharp constant for d < rank(B^): (1 + sqrt 5) / 2.
GOLDEN_RATIO = (1 + math.sqrt(5)) / 2


def factor_constant(*, d: int, estimated_rank: int) -> float:
    """Return the constant k in min_W ||Psi^ W - Psi||_F <= k c||HE||_F for rank(B) <= d.

    Parameters
    ----------
    d
        Perspective dimension.
    estimated_rank
        Rank of B^; with noise in general position it is min(n - 1, m p).

    Raises
    ------
    InputError
        When d is not a whole number of at least 1, or the rank not one of at least 0.

    Examples
    --------
    >>> factor_constant(d=2, estimated_rank=2)
    1.0
    >>> round(factor_constant(d=2, estimated_rank=19), 3)
    1.618
    """
    checked_whole("d (perspective dimension)", d, 1)
    checked_whole("estimated_rank", estimated_rank, 0)
    return 1.0 if d >= estimated_rank else GOLDEN_RATIO


def root_mean_square_noise(
    gamma: Float[AnyArray, "n m"], r: float | Float[Array, ""], convention: Convention = DEFAULT
) -> Float[Array, ""]:
    """Return c sqrt(E||HE||_F^2) = c sqrt((1 - 1/n) sum_ij gamma_ij / r), exactly.

    Times :func:`factor_constant` it bounds the root mean square of the aligned Frobenius error (DK-M8).

    Raises
    ------
    InputError
        For another exponent than 1, a gamma that is not finite or not (n, m), or an r that is not a whole number of at
        least 1. What is traced has its shape checked only.

    Examples
    --------
    >>> import numpy as np
    >>> float(root_mean_square_noise(np.ones((2, 1)), 4))
    0.5
    """
    require(
        checked_convention(convention).is_linear, f"convention: got {convention.label}; DK-M8 is stated for exponent 1"
    )
    checked_whole("r (replicates)", r, 1)
    gamma = checked_array("gamma", gamma, "n m")
    n, m = gamma.shape
    return convention.scale(m) * jnp.sqrt((1 - 1 / n) * gamma.sum() / r)
