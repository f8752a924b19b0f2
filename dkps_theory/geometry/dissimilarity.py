"""Dissimilarities between models, from their mean embeddings, and the unbiased squares of them.

    D_ii' = c(m) ||X_i - X_i'||_F^e        for each convention (c, e) of :mod:`dkps_theory.conventions`.

Distances are sums of squared differences, never ||x||^2 + ||y||^2 - 2<x, y>: for coincident models at r = 10^12 that
expansion would leave no digit at all.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, Num

from dkps_theory._linalg import sqrt_nonnegative
from dkps_theory._types import AnyArray
from dkps_theory._validate import InputError, axes, finite, require
from dkps_theory.conventions import DEFAULT, Convention, checked_convention

#: Doubles in one block of rows that :func:`squared_distances` works through: 256 KiB, which stays in a core's cache.
_BLOCK = 32_768


def is_concrete(*arrays: object) -> bool:
    """Whether the values can be looked at: inside jit, vmap or grad they cannot, and checks of values are left out."""
    return not any(isinstance(array, Tracer) for array in arrays)


def squared_distances(rows: Float[Array, "n k"]) -> Float[Array, "n n"]:
    """Return ||x_i - x_i'||^2 for all pairs of rows, exactly symmetric, with an exactly zero diagonal.

    For this room only: callers have checked the rows.

    Columns are taken in blocks whose n rows fit a core's cache, and each block's differences, squares and sum are one
    fused loop, so memory is a few copies of ``rows`` and never (n, n, k). A block's sum has few terms, hence the
    relative error stays near machine precision at any k.

    Examples
    --------
    >>> squared_distances(jnp.array([[0.0, 0.0], [3.0, 4.0]])).tolist()
    [[0.0, 25.0], [25.0, 0.0]]
    """
    n, k = rows.shape
    blocks = max(1, -(-k * n // _BLOCK))
    width = -(-k // blocks)
    # Columns of zeros add nothing to any distance.
    padded = jnp.pad(rows, ((0, 0), (0, blocks * width - k)))

    def add_block(total: Array, block: Array) -> tuple[Array, None]:
        difference = block[:, None, :] - block[None, :, :]
        return total + (difference * difference).sum(axis=-1), None

    zero = jnp.zeros((n, n), dtype=rows.dtype)
    if blocks == 1:
        return add_block(zero, padded)[0]
    return jax.lax.scan(add_block, zero, padded.reshape(n, blocks, width).swapaxes(0, 1))[0]


def checked_array(name: str, values: AnyArray, glossary: str) -> Float[Array, "*axes"]:
    """Return ``values`` as a float64 JAX array with the axes of ``glossary``, refusing NaN and infinities."""
    axes(name, np.broadcast_to(0.0, values.shape), glossary)
    if is_concrete(values):
        finite(name, values)
    return jnp.asarray(values, dtype=jnp.float64)


def dissimilarities(means: Float[AnyArray, "n m p"], convention: Convention = DEFAULT) -> Float[Array, "n n"]:
    """Return D (of sample means) or Delta (of population means): c(m) ||X_i - X_i'||_F^e.

    Parameters
    ----------
    means
        Mean embeddings (n, m, p): mu, or X.
    convention
        The pair (c, e). The unit of D is that of the embedding to the power e.

    Returns
    -------
    Array
        (n, n), symmetric, non-negative, zero on the diagonal. Models with equal means are at exactly 0, and where
        models nearly coincide D keeps the digits that the means have.

    Raises
    ------
    InputError
        For other axes than (n, m, p), NaN or infinities, or what is no :class:`Convention`.

    Notes
    -----
    A24 (arXiv:2409.17308), section 2, has c = 1/m and e = 1; A25 (arXiv:2511.08307), Algorithm 1, c = 1/sqrt(m) and
    e = 1/2. Safe under jit, vmap and grad; the gradient at coincident models is 0 by decision.

    Examples
    --------
    >>> import numpy as np
    >>> means = np.array([[[0.0], [0.0]], [[3.0], [4.0]]])  # n = 2 models, m = 2 queries, p = 1
    >>> dissimilarities(means, Convention("none", 1.0)).tolist()
    [[0.0, 5.0], [5.0, 0.0]]
    """
    return _dissimilarities(checked_array("means", means, "n m p"), checked_convention(convention))


@functools.partial(jax.jit, static_argnames="convention")
def _dissimilarities(means: Float[Array, "n m p"], convention: Convention) -> Float[Array, "n n"]:
    n, m, p = means.shape
    squares = squared_distances(means.reshape(n, m * p))
    if convention.is_linear:
        powers = sqrt_nonnegative(squares)
    else:
        positive = squares > 0
        powers = jnp.where(positive, jnp.where(positive, squares, 1.0) ** (convention.exponent / 2), 0.0)
    return convention.scale(m) * powers


def debiased_squared_dissimilarities(
    means: Float[AnyArray, "n m p"],
    gamma: Float[AnyArray, "n m"],
    counts: float | Num[AnyArray, ""] | Num[AnyArray, "n m"],
    convention: Convention = DEFAULT,
) -> Float[Array, "n n"]:
    """Return the unbiased estimate of Delta^2 from sample means: D^2 less the noise that it carries.

    E D_ii'^2 = Delta_ii'^2 + c^2 sum_j (gamma_ij / r_ij + gamma_i'j / r_i'j) exactly, at every finite r (DK-M1), so
    subtracting the last term leaves an unbiased estimate, with the true gamma or with any unbiased estimate of it.

    Every query keeps weight c^2 however many replicates it had: weights that follow r_ij would lower the variance and
    change Delta itself into a function of the design. The replicates enter only through the noise, cell by cell.

    Parameters
    ----------
    means
        Sample means X (n, m, p).
    gamma
        Total variance of one answer, gamma_ij = trace Sigma_ij or an unbiased estimate of it (n, m), non-negative.
    counts
        Replicates r_ij (n, m), or one r for all.
    convention
        Must have e = 1: with another exponent D^2 is not quadratic in the means, and no such identity holds.

    Returns
    -------
    Array
        (n, n), symmetric, zero on the diagonal. Off the diagonal it may be negative: an unbiased estimate of a
        square near 0 must be.

    Raises
    ------
    InputError
        For e != 1, wrong axes, NaN or infinities, negative gamma, or counts that are not whole numbers of at least 1.

    Examples
    --------
    >>> import numpy as np
    >>> means, gamma = np.array([[[0.0]], [[2.0]]]), np.array([[1.0], [2.0]])
    >>> debiased_squared_dissimilarities(means, gamma, 4.0).tolist()  # 4 - (1/4 + 2/4)
    [[0.0, 3.25], [3.25, 0.0]]
    """
    require(
        checked_convention(convention).is_linear,
        f"convention: got e = {convention.exponent:g}; the unbiased D^2 exists for e = 1 only (D^2 must be quadratic)",
    )
    X = checked_array("means", means, "n m p")
    n, m, _ = X.shape
    spread = _checked_cells("gamma", gamma, (n, m))
    replicates = _checked_cells("counts", counts, (n, m))
    if is_concrete(gamma) and np.any(np.asarray(gamma) < 0):
        raise InputError(f"gamma: got {float(np.min(gamma))}; a total variance is at least 0")
    if is_concrete(counts):
        r = np.asarray(counts, dtype=np.float64)
        require(
            bool(((r >= 1) & (r == np.floor(r))).all()),
            f"counts: the smallest is {float(r.min()):g}; replicates are whole numbers of at least 1",
        )
    return _debiased(X, spread, replicates, convention)


def _checked_cells(name: str, values: object, shape: tuple[int, int]) -> Float[Array, "n m"]:
    """Return one number per model and query as float64; a scalar stands for all."""
    if is_concrete(values):
        values = finite(name, values)
    array = jnp.asarray(values, dtype=jnp.float64)
    if array.ndim and array.shape != shape:
        raise InputError(f"{name}: got shape {array.shape}; it must be (n, m) = {shape}")
    return jnp.broadcast_to(array, shape)


@functools.partial(jax.jit, static_argnames="convention")
def _debiased(
    means: Float[Array, "n m p"], gamma: Float[Array, "n m"], counts: Float[Array, "n m"], convention: Convention
) -> Float[Array, "n n"]:
    n, m, p = means.shape
    noise = (gamma / counts).sum(axis=1)
    unbiased = squared_distances(means.reshape(n, m * p)) - (noise[:, None] + noise[None, :])
    return convention.scale(m) ** 2 * jnp.where(jnp.eye(n, dtype=bool), 0.0, unbiased)
