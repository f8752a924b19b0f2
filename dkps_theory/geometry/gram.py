"""The Gram matrix of dissimilarities: double centring, B = -1/2 H D^2 H."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from dkps_theory._linalg import double_centre
from dkps_theory._types import AnyArray
from dkps_theory._validate import InputError, finite
from dkps_theory.geometry.dissimilarity import is_concrete

#: Dissimilarities may differ from their transpose, and from 0 on the diagonal, by this share of the largest one.
SYMMETRY_TOLERANCE = 1e-9
#: Squares of larger dissimilarities overflow when summed over pairs of models.
LARGEST = 1e140


def checked_dissimilarities(dissimilarities: Any) -> Float[Array, "n n"]:
    """Return dissimilarities as a float64 array, exactly symmetric, refusing what is not a dissimilarity matrix."""
    if not isinstance(dissimilarities, jax.Array | np.ndarray):
        dissimilarities = finite("dissimilarities", dissimilarities)
    shape = tuple(dissimilarities.shape)
    if len(shape) != 2 or shape[0] != shape[1] or not shape[0]:
        raise InputError(f"dissimilarities: got shape {shape}; it must be square, (n, n)")
    if is_concrete(dissimilarities):
        _check_values(finite("dissimilarities", dissimilarities))
    D = jnp.asarray(dissimilarities, dtype=jnp.float64)
    return 0.5 * (D + D.T)


def _check_values(D: np.ndarray) -> None:
    i, j = (int(index) for index in np.unravel_index(D.argmin(), D.shape))
    if D[i, j] < 0:
        raise InputError(f"dissimilarities: entry [{i}, {j}] is {D[i, j]:g}; dissimilarities are at least 0")
    if D.max() > LARGEST:
        raise InputError(f"dissimilarities: the largest is {D.max():g}, too large to square and sum; use another unit")
    slack = SYMMETRY_TOLERANCE * D.max()
    gap = np.abs(D - D.T)
    if gap.max() > slack:
        i, j = np.unravel_index(gap.argmax(), D.shape)
        raise InputError(
            f"dissimilarities: entries [{i}, {j}] = {D[i, j]:g} and [{j}, {i}] = {D[j, i]:g} differ; "
            "the matrix must be symmetric"
        )
    i = int(np.diag(D).argmax())
    if D[i, i] > slack:
        raise InputError(f"dissimilarities: diagonal entry [{i}, {i}] is {D[i, i]:g}; it must be 0")


def gram(dissimilarities: Float[AnyArray, "n n"]) -> Float[Array, "n n"]:
    """Return B = -1/2 H D^2 H (squares entrywise, H = I - 11'/n).

    B is the Gram matrix of a centred configuration with distances D when there is one, that is when B is positive
    semi-definite (Schoenberg 1935). For D = c ||X_i - X_i'||^e it is, for every 0 < e <= 1: D^2 is then the power
    2e <= 2 of a Euclidean distance, which is conditionally negative definite. For e > 1 it need not be.

    Parameters
    ----------
    dissimilarities
        (n, n): non-negative, symmetric, zero on the diagonal. The unit of B is its square.

    Returns
    -------
    Array
        (n, n), symmetric; rows and columns sum to 0.

    Raises
    ------
    InputError
        When the matrix is not square, symmetric, finite and non-negative with a zero diagonal.

    Examples
    --------
    >>> import numpy as np
    >>> gram(np.array([[0.0, 2.0], [2.0, 0.0]])).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    B = double_centre(checked_dissimilarities(dissimilarities) ** 2)
    # Means of rows and of columns are summed in another order, so symmetry holds up to rounding until here.
    return 0.5 * (B + B.T)
