"""Mixtures of Gaussians on R^d as laws with a density: log density, draws and moments."""

from __future__ import annotations

from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from jax.core import Tracer
from jaxtyping import Array, Float

from dkps_theory._gaussian import Factors, checked_covariances, factorise, log_densities
from dkps_theory._keys import checked_key
from dkps_theory._types import AnyArray, Key
from dkps_theory._validate import InputError, axes, finite, require, whole_number
from dkps_theory.populations._draws import letters, normals

#: What constructors take: nested lists, NumPy arrays, JAX arrays, and the traced ones of a user's jit.
ArrayLike = npt.ArrayLike | jax.Array

#: How far weights may be from summing to one before they are refused.
SUM_TOLERANCE = 1e-9


@final
class Mixture(eqx.Module):
    """The law with density p(x) = sum_c w_c N(x; mu_c, Sigma_c) on R^d.

    Parameters
    ----------
    weights
        w (k,), non-negative, sum one within 1e-9; a sum that is off by more than rounding is divided out.
    means
        mu (k, d).
    covariances
        Sigma (k, d, d), symmetric and positive definite. :meth:`diagonal` and :meth:`spherical` take variances.

    Raises
    ------
    InputError
        On wrong axes, NaN or infinity, weights that are negative or do not sum to one, and matrices that are not
        symmetric or not positive definite; the message names the component. Traced arrays have their shapes checked
        only.

    Notes
    -----
    A component of weight 0 is absent: nothing depends on its mean and covariance, which may be anything of the right
    shape once traced. So mixtures of different sizes are padded to one shape and batched by ``jax.vmap``.

    Examples
    --------
    >>> mixture = Mixture([0.5, 0.5], [[-1.0], [1.0]], [[[1.0]], [[1.0]]])
    >>> mixture.dimension, mixture.components, mixture.covariance.tolist()
    (1, 2, [[2.0]])
    >>> round(float(mixture.log_density(np.zeros(1))), 6)  # -1/2 - log(2 pi)/2
    -1.418939
    >>> mixture.sample(jax.random.key(0), 5).shape
    (5, 1)
    """

    weights: Float[Array, " k"]
    means: Float[Array, "k d"]
    covariances: Float[Array, "k d d"]

    def __init__(self, weights: ArrayLike, means: ArrayLike, covariances: ArrayLike) -> None:
        self.weights = _weights(weights)
        self.means = jnp.asarray(_numbers("means", means, "k d"))
        matrices = _numbers("covariances", covariances, "k d d")
        k, d = self.means.shape
        for name, got, wanted in (("weights", self.weights, (k,)), ("covariances", matrices, (k, d, d))):
            if got.shape != wanted:
                raise InputError(f"{name}: got shape {got.shape}; with means of shape {(k, d)} it must be {wanted}")
        if isinstance(matrices, np.ndarray):
            absent = np.zeros((k, 1, 1), bool)
            if not isinstance(self.weights, Tracer):
                absent = np.asarray(self.weights)[:, None, None] == 0
            checked = checked_covariances("covariances", np.where(absent, np.eye(d)[None], matrices), "component")
            matrices = np.where(absent, matrices, checked)  # what an absent component holds is kept, as when traced
        self.covariances = jnp.asarray(matrices)

    @classmethod
    def diagonal(cls, weights: ArrayLike, means: ArrayLike, variances: ArrayLike) -> Mixture:
        """Build from variances (k, d) of independent coordinates within each component.

        Examples
        --------
        >>> Mixture.diagonal([1.0], [[0.0, 0.0]], [[1.0, 4.0]]).covariance.tolist()
        [[1.0, 0.0], [0.0, 4.0]]
        """
        spread = jnp.asarray(_numbers("variances", variances, "k d"))
        return cls(weights, means, spread[:, :, None] * jnp.eye(spread.shape[1])[None])

    @classmethod
    def spherical(cls, weights: ArrayLike, means: ArrayLike, variances: ArrayLike) -> Mixture:
        """Build from one variance (k,) for each component: Sigma_c = s_c^2 I.

        Examples
        --------
        >>> Mixture.spherical([1.0], [[0.0, 0.0]], [4.0]).covariance.tolist()
        [[4.0, 0.0], [0.0, 4.0]]
        """
        spread = jnp.asarray(_numbers("variances", variances, "k"))
        centres = _numbers("means", means, "k d")
        return cls(weights, centres, spread[:, None, None] * jnp.eye(centres.shape[1])[None])

    @property
    def components(self) -> int:
        """The number k of components, absent ones included."""
        return self.means.shape[-2]

    @property
    def dimension(self) -> int:
        """The dimension d of the space."""
        return self.means.shape[-1]

    @property
    def mean(self) -> Float[Array, " d"]:
        """E x = sum_c w_c mu_c."""
        weights, means, _ = present(self)
        return weights @ means

    @property
    def covariance(self) -> Float[Array, "d d"]:
        """sum_c w_c (Sigma_c + (mu_c - mean)(mu_c - mean)')."""
        weights, means, covariances = present(self)
        deviations = means - (weights @ means)[None]
        between = jnp.einsum("k,ka,kb->ab", weights, deviations, deviations)
        return between + jnp.einsum("k,kab->ab", weights, covariances)

    def log_density(self, x: Float[AnyArray, "*n d"]) -> Float[Array, "*n"]:
        """Return log p at points of R^d, by log-sum-exp over the components.

        Parameters
        ----------
        x
            Points (..., d).

        Raises
        ------
        InputError
            On NaN or infinity, and when the last axis is not d; traced points have their shape checked only.
        """
        points = x if isinstance(x, Tracer) else jnp.asarray(finite("x", x))
        d = self.dimension
        require(points.ndim > 0 and points.shape[-1] == d, f"x: got shape {points.shape}; its last axis must be {d}")
        return _log_density(self, points)

    def sample(self, key: Key, size: int) -> Float[Array, "size d"]:
        """Draw ``size`` independent points; a component of weight 0 is never drawn."""
        return _sample(self, checked_key(key), whole_number("size", size, 1))


def present(mixture: Mixture) -> tuple[Float[Array, " k"], Float[Array, "k d"], Float[Array, "k d d"]]:
    """Return weights, means and covariances, with N(0, I) in place of absent components, whatever they hold."""
    here = mixture.weights != 0  # a weight that is NaN, of a fit that failed, stays one
    means = jnp.where(here[:, None], mixture.means, 0.0)
    identity = jnp.eye(mixture.dimension)[None]
    return mixture.weights, means, jnp.where(here[:, None, None], mixture.covariances, identity)


@jax.jit
def prepared(mixture: Mixture) -> tuple[Float[Array, " k"], Float[Array, "k d"], Factors]:
    """Return log weights (-infinity for absent components), means and factors of the covariances."""
    weights, means, covariances = present(mixture)
    here = weights != 0
    log_weights = jnp.where(here, jnp.log(jnp.where(here, weights, 1.0)), -jnp.inf)
    return log_weights, means, factorise(covariances)


def blend(p: Mixture, q: Mixture) -> Mixture:
    """Return the mixture (p + q)/2; absent components stay, as N(0, I)."""
    same_dimension(p, q)
    weights, means, covariances = (jnp.concatenate(pair) for pair in zip(present(p), present(q), strict=True))
    return Mixture(weights / 2, means, covariances)


def same_dimension(p: Mixture, q: Mixture) -> None:
    """Refuse mixtures on spaces of different dimensions."""
    require(p.dimension == q.dimension, f"q: of dimension {q.dimension}, and p of {p.dimension}; they must agree")


@jax.jit
def _log_density(mixture: Mixture, points: Float[Array, "*n d"]) -> Float[Array, "*n"]:
    log_weights, means, factors = prepared(mixture)
    columns = points.reshape(-1, points.shape[-1]).T
    terms = log_weights[:, None] + log_densities(columns, means, factors)
    return jax.nn.logsumexp(terms, axis=0).reshape(points.shape[:-1])


@eqx.filter_jit
def _sample(mixture: Mixture, key: Key, size: int) -> Float[Array, "size d"]:
    choice_key, noise_key = jax.random.split(key)
    _, means, factors = prepared(mixture)
    choice = letters(choice_key, mixture.weights[None, None], size)[0, 0]
    noise = normals(noise_key, (size, mixture.dimension))
    return means[choice] + jnp.einsum("nab,nb->na", factors.root[choice], noise)


def _numbers(name: str, values: Any, glossary: str) -> AnyArray:
    """Return float64 with the axes of ``glossary``: NumPy and finite, or traced."""
    array = values.astype(jnp.float64) if isinstance(values, Tracer) else finite(name, values)
    axes(name, np.broadcast_to(np.float64(0), array.shape), glossary)  # the shape is all that a traced array shows
    return array


def _weights(values: Any) -> Float[Array, " k"]:
    array = _numbers("weights", values, "k")
    if not isinstance(array, np.ndarray):
        return array
    least = int(array.argmin())
    require(array[least] >= 0, f"weights: got {array[least]:g} at component {least}; every weight must be at least 0")
    total = float(array.sum())
    require(abs(total - 1) <= SUM_TOLERANCE, f"weights: sum to {total:.12g}; they must sum to 1 (within 1e-9)")
    rounding = 4 * len(array) * np.finfo(np.float64).eps
    return jnp.asarray(array / total if abs(total - 1) > rounding else array)
