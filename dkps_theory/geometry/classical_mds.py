"""Classical multidimensional scaling: Psi^ = U_d S_d^{1/2} from the top d eigenpairs of B.

Torgerson (1952), Gower (1966); A25 (arXiv:2511.08307), Algorithm 1.
"""

from __future__ import annotations

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from dkps_theory._linalg import centre, double_centre, numerical_rank, sqrt_nonnegative
from dkps_theory._types import AnyArray
from dkps_theory._validate import InputError, whole_number
from dkps_theory.conventions import DEFAULT, Convention, checked_convention
from dkps_theory.geometry.dissimilarity import checked_array, dissimilarities
from dkps_theory.geometry.gram import checked_dissimilarities


class ClassicalMDS(eqx.Module):
    """A classical MDS configuration and what its spectrum says about it.

    Attributes
    ----------
    configuration
        Psi^ (n, d), centred, with orthogonal columns of squared length lambda_1 >= ... >= lambda_d. In each column the
        first of the entries of largest absolute value is positive. Columns whose eigenvalue is not positive are 0, up
        to rounding.
    eigenvalues
        All n eigenvalues of B, descending. Those that theory makes 0 carry rounding errors of either sign, about
        1e-16 of the largest; so columns beyond the rank are as large as 1e-8 of the first.
    rank
        How many eigenvalues are positive by more than 1e-10 of the largest absolute one: the dimensions that the
        configuration needs.
    eigengap
        lambda_d - lambda_{d+1}. Where it is 0 the configuration is not unique, not even up to an orthogonal motion.
    negative
        Sum of |negative eigenvalues| over the sum of all absolute ones, in [0, 1]; 0 for Euclidean D, up to rounding.
    """

    configuration: Float[Array, "n d"]
    eigenvalues: Float[Array, " n"]
    rank: Float[Array, ""]
    eigengap: Float[Array, ""]
    negative: Float[Array, ""]


def checked_dimension(d: object, n: int, name: str = "d (perspective dimension)") -> int:
    """Return d as an int with 1 <= d < n: n centred points span at most n - 1 dimensions."""
    dimension = whole_number(name, d, 1)
    if dimension >= n:
        raise InputError(f"{name}: got {dimension} for n = {n} models; it must be below n")
    return dimension


def classical_mds(dissimilarities: Float[AnyArray, "n n"], d: int) -> ClassicalMDS:
    """Return the classical MDS of a dissimilarity matrix in d dimensions.

    Parameters
    ----------
    dissimilarities
        D (n, n): non-negative, symmetric, zero on the diagonal.
    d
        Perspective dimension, 1 <= d < n; static under jit. It may exceed the rank.

    Raises
    ------
    InputError
        When D is no dissimilarity matrix, or d < 1 or d >= n.

    Examples
    --------
    >>> import numpy as np
    >>> points = np.array([0.0, 1.0, 3.0])
    >>> scaled = classical_mds(np.abs(points[:, None] - points[None, :]), 1)
    >>> [round(x, 6) for x in scaled.configuration[:, 0].tolist()]  # up to sign, less the mean 4/3
    [-1.333333, -0.333333, 1.666667]
    >>> int(scaled.rank)
    1
    """
    D = checked_dissimilarities(dissimilarities)
    return _of_dissimilarities(D, checked_dimension(d, D.shape[0]))


def classical_mds_of_means(means: Float[AnyArray, "n m p"], d: int, convention: Convention = DEFAULT) -> ClassicalMDS:
    """Return the classical MDS of the dissimilarities between mean embeddings, without forming them where e = 1.

    For e = 1, B = Y Y' with Y = c H X (n, m p): the n x n Gram matrix Y Y' is decomposed, or Y' Y where m p < n, from
    which Psi^ = Y V. For other exponents B is no Gram matrix of the means, and D is formed.

    Parameters
    ----------
    means
        mu or X (n, m, p).
    d
        Perspective dimension, 1 <= d < n; static under jit.
    convention
        The pair (c, e).

    Raises
    ------
    InputError
        For other axes than (n, m, p), NaN or infinities, d < 1 or d >= n, or what is no :class:`Convention`.

    Examples
    --------
    >>> import numpy as np
    >>> means = np.array([[[0.0]], [[1.0]], [[3.0]]])
    >>> [round(x, 6) for x in classical_mds_of_means(means, 1).configuration[:, 0].tolist()]
    [-1.333333, -0.333333, 1.666667]
    """
    X = checked_array("means", means, "n m p")
    dimension = checked_dimension(d, X.shape[0])
    if not checked_convention(convention).is_linear:
        return _of_dissimilarities(dissimilarities(X, convention), dimension)
    return _of_means(X, dimension, convention)


@functools.partial(jax.jit, static_argnames="d")
def _of_dissimilarities(D: Float[Array, "n n"], d: int) -> ClassicalMDS:
    eigenvalues, vectors = _descending(double_centre(D**2))
    return _summary(vectors[:, :d] * sqrt_nonnegative(eigenvalues[:d])[None, :], eigenvalues)


@functools.partial(jax.jit, static_argnames=("d", "convention"))
def _of_means(means: Float[Array, "n m p"], d: int, convention: Convention) -> ClassicalMDS:
    n, m, p = means.shape
    rows = means.reshape(n, m * p)
    # Taking the first model away first makes coincident models exactly 0, which centring alone would not.
    Y = convention.scale(m) * centre(rows - rows[:1])
    if n <= m * p:
        eigenvalues, vectors = _descending(Y @ Y.T)
        return _summary(vectors[:, :d] * sqrt_nonnegative(eigenvalues[:d])[None, :], eigenvalues)
    eigenvalues, vectors = _descending(Y.T @ Y)
    missing = n - m * p
    configuration = jnp.pad(Y @ vectors, ((0, 0), (0, missing)))[:, :d]
    # The n - m p eigenvalues that Y' Y leaves out are 0; rounding may have put some of its own below them.
    padded = jnp.concatenate([jnp.maximum(eigenvalues, 0.0), jnp.zeros(missing)])
    return _summary(configuration, padded)


def _descending(symmetric: Float[Array, "k k"]) -> tuple[Float[Array, " k"], Float[Array, "k k"]]:
    values, vectors = jnp.linalg.eigh(symmetric)
    return values[::-1], vectors[:, ::-1]


def _summary(configuration: Float[Array, "n d"], eigenvalues: Float[Array, " n"]) -> ClassicalMDS:
    d = configuration.shape[1]
    magnitudes = jnp.abs(eigenvalues)
    total = magnitudes.sum()
    below = jnp.where(eigenvalues < 0, magnitudes, 0.0).sum()
    return ClassicalMDS(
        configuration=configuration * settled_signs(configuration)[None, :],
        eigenvalues=eigenvalues,
        rank=numerical_rank(eigenvalues),
        eigengap=eigenvalues[d - 1] - eigenvalues[d],
        negative=jnp.where(total > 0, below / jnp.where(total > 0, total, 1.0), 0.0),
    )


def settled_signs(configuration: Float[Array, "n d"]) -> Float[Array, " d"]:
    """Return +1 or -1 per column, making the first of its largest entries positive.

    Entries within 1e-6 of the largest count as tied with it (two models are always tied), so rounding does not choose.
    """
    magnitudes = jnp.abs(configuration)
    first = jnp.argmax(magnitudes >= (1 - 1e-6) * magnitudes.max(axis=0, keepdims=True), axis=0)
    leading = jnp.take_along_axis(configuration, first[None, :], axis=0)[0]
    return jnp.where(leading < 0, -1.0, 1.0)
