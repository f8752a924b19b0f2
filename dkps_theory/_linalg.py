"""Linear algebra that several rooms share: centring, square roots that stay real, eigengaps."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float

from dkps_theory import _types  # noqa: F401  (double precision before the first array)

#: Eigenvalues below this share of the largest in absolute value count as zero.
RANK_TOLERANCE = 1e-10


def centre(rows: Float[Array, "n *rest"]) -> Float[Array, "n *rest"]:
    """Return H @ rows with H = I - 11'/n, along the first axis."""
    return rows - rows.mean(axis=0, keepdims=True)


def double_centre(squares: Float[Array, "n n"]) -> Float[Array, "n n"]:
    """Return -1/2 H squares H, symmetric up to rounding when ``squares`` is symmetric."""
    rows = squares.mean(axis=1, keepdims=True)
    columns = squares.mean(axis=0, keepdims=True)
    return -0.5 * (squares - rows - columns + squares.mean())


def sqrt_nonnegative(values: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Square root of values that theory makes non-negative and rounding may not: negatives become 0.

    The one place where this decision is made. Its gradient at 0 is 0, not infinite. NaN stays NaN: it marks a failure.
    """
    positive = ~(values <= 0)
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, values, 1.0)), 0.0)


def numerical_rank(eigenvalues: Float[Array, " n"]) -> Float[Array, ""]:
    """Count eigenvalues above ``RANK_TOLERANCE`` times the largest absolute one (0 for the zero matrix)."""
    floor = RANK_TOLERANCE * jnp.abs(eigenvalues).max()
    return (eigenvalues > floor).sum().astype(float)
