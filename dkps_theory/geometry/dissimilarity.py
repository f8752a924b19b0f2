"""Dissimilarities between models, from their mean embeddings, and the unbiased squares of them.

    D_ii' = c(m) ||X_i - X_i'||_F^e        for each convention (c, e) of :mod:`dkps_theory.conventions`.

Distances are sums of squared differences, never ||x||^2 + ||y||^2 - 2<x, y>: for coincident models at r = 10^12 that
expansion would leave no digit at all.
"""

from __future__ import annotations

import functools
from typing import Any

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

    Examples
    --------
    >>> squared_distances(jnp.array([[0.0, 0.0], [3.0, 4.0]])).tolist()
    [[0.0, 25.0], [25.0, 0.0]]
    """
    return cross_squared_distances(rows, rows)


def cross_squared_distances(first: Float[Array, "q k"], second: Float[Array, "n k"]) -> Float[Array, "q n"]:
    """Return ||x_i - y_i'||^2 for all rows x_i of the first and y_i' of the second array. For this room only.

    Columns are taken in blocks whose rows fit a core's cache, and each block's differences, squares and sum are one
    fused loop, so memory is a few copies of the arrays and never (q, n, k). A block's sum has few terms, hence the
    relative error stays near machine precision at any k.
    """
    (q, k), n = first.shape, second.shape[0]
    blocks = max(1, -(-k * max(q, n) // _BLOCK))
    width = -(-k // blocks)
    # Columns of zeros add nothing to any distance.
    pad = ((0, 0), (0, blocks * width - k))

    def add_block(total: Array, block: tuple[Array, Array]) -> tuple[Array, None]:
        difference = block[0][:, None, :] - block[1][None, :, :]
        return total + (difference * difference).sum(axis=-1), None

    zero = jnp.zeros((q, n), dtype=first.dtype)
    if blocks == 1:
        return add_block(zero, (first, second))[0]

    def cut(rows: Array) -> Array:
        return jnp.pad(rows, pad).reshape(-1, blocks, width).swapaxes(0, 1)

    return jax.lax.scan(add_block, zero, (cut(first), cut(second)))[0]


def checked_array(name: str, values: Any, glossary: str) -> Float[Array, "*axes"]:
    """Return ``values`` as a float64 JAX array with the axes of ``glossary``, refusing NaN and infinities."""
    if not isinstance(values, jax.Array | np.ndarray):
        values = finite(name, values)
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
    return _of_squares(squared_distances(means.reshape(n, m * p)), m, convention)


def _of_squares(squares: Float[Array, "q n"], m: int, convention: Convention) -> Float[Array, "q n"]:
    """Return c(m) s^{e/2} for squared distances s, with gradient 0 at 0."""
    if convention.is_linear:
        powers = sqrt_nonnegative(squares)
    else:
        positive = squares > 0
        powers = jnp.where(positive, jnp.where(positive, squares, 1.0) ** (convention.exponent / 2), 0.0)
    return convention.scale(m) * powers


def cross_dissimilarities(
    new_means: Float[AnyArray, "q m p"], means: Float[AnyArray, "n m p"], convention: Convention = DEFAULT
) -> Float[Array, "q n"]:
    """Return the dissimilarities c(m) ||X_new - X_i||_F^e of q new models to n models that are there already.

    Row i of it, for a new model with the means of model i, is row i of :func:`dissimilarities` of ``means``.

    Parameters
    ----------
    new_means
        Mean embeddings of the new models (q, m, p).
    means
        Those of the models they are compared with (n, m, p), answers to the same queries.
    convention
        The pair (c, e), which must be that of the dissimilarities among the n models for the two to fit together.

    Returns
    -------
    Array
        (q, n), non-negative, in the unit of the embedding to the power e.

    Raises
    ------
    InputError
        For other axes, unequal (m, p), NaN or infinities, or what is no :class:`Convention`.

    Examples
    --------
    >>> import numpy as np
    >>> means = np.array([[[0.0], [0.0]], [[3.0], [4.0]]])  # n = 2 models, m = 2 queries, p = 1
    >>> cross_dissimilarities(np.array([[[6.0], [8.0]]]), means, Convention("none")).tolist()
    [[10.0, 5.0]]
    """
    new, X = checked_array("new_means", new_means, "q m p"), checked_array("means", means, "n m p")
    if new.shape[1:] != X.shape[1:]:
        raise InputError(f"new_means: got (m, p) = {new.shape[1:]}; it must be that of means, {X.shape[1:]}")
    return _cross_dissimilarities(new, X, checked_convention(convention))


@functools.partial(jax.jit, static_argnames="convention")
def _cross_dissimilarities(
    new: Float[Array, "q m p"], means: Float[Array, "n m p"], convention: Convention
) -> Float[Array, "q n"]:
    m, p = means.shape[1:]
    return _of_squares(cross_squared_distances(new.reshape(-1, m * p), means.reshape(-1, m * p)), m, convention)


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
