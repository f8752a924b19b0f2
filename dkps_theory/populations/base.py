"""What a response population promises: its exact moments, and draws from it.

A population is the law of the embedded responses x_ijk of n models to m queries: independent over models, queries and
replicates, x_ijk ~ F_ij in R^p. It knows its own truth, so tests and studies never copy a formula for it; a moment
that does not exist or is not known is ``None``, never an approximation under the same name.
"""

from __future__ import annotations

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from dkps_theory._types import Key
from dkps_theory._validate import InputError, whole_number

#: Full moment tensors above this many entries are refused; the contractions cover the exact curves.
MAX_TENSOR_ENTRIES = 50_000_000


class Population(eqx.Module):
    """The law of the embedded responses of n models to m queries.

    Subclasses are final. They give the moments and two samplers; the rest is derived here once.
    """

    @property
    @abc.abstractmethod
    def mean(self) -> Float[Array, "n m p"]:
        """mu, the mean embeddings."""

    @property
    @abc.abstractmethod
    def covariance(self) -> Float[Array, "n m p p"] | None:
        """Sigma_ij, or None where it does not exist."""

    @property
    @abc.abstractmethod
    def third_central_moment(self) -> Float[Array, "n m p p p"] | None:
        """E (x - mu)^(x3), the full tensor, or None."""

    @property
    @abc.abstractmethod
    def fourth_central_moment(self) -> Float[Array, "n m p p p p"] | None:
        """E (x - mu)^(x4), the full tensor, or None."""

    @property
    @abc.abstractmethod
    def cubic_moment(self) -> Float[Array, "n m p"] | None:
        """E (x - mu) ||x - mu||^2: the third moment contracted once, cheap at any p."""

    @property
    @abc.abstractmethod
    def quartic_moment(self) -> Float[Array, "n m"] | None:
        """E ||x - mu||^4: the fourth moment contracted twice, cheap at any p."""

    @abc.abstractmethod
    def _sample(self, key: Key, r: int) -> Float[Array, "n m r p"]:
        """Draw the responses themselves."""

    @abc.abstractmethod
    def _sample_mean_errors(self, key: Key, r: Float[Array, ""]) -> Float[Array, "n m p"]:
        """Draw X - mu at r replicates (r may be traced), to full relative precision at any r."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(n, m, p)."""
        n, m, p = self.mean.shape
        return n, m, p

    @property
    def gamma(self) -> Float[Array, "n m"] | None:
        """gamma_ij = trace Sigma_ij, the total variance of one answer."""
        covariance = self.covariance
        return None if covariance is None else jnp.trace(covariance, axis1=-2, axis2=-1)

    def sample(self, key: Key, r: int) -> Float[Array, "n m r p"]:
        """Draw r responses of every model to every query."""
        return self._sample(key, whole_number("r (replicates)", r, 1))

    def sample_mean_errors(self, key: Key, r: float | Float[Array, ""]) -> Float[Array, "n m p"]:
        """Draw E = X - mu, the errors of the means of r responses, without drawing the responses.

        Cost does not depend on r, and neither does relative precision: at r = 10^12 subtracting mu from X would leave
        ten digits of E, drawing E itself leaves all.
        """
        return self._sample_mean_errors(key, _replicates(r))

    def sample_means(self, key: Key, r: float | Float[Array, ""]) -> Float[Array, "n m p"]:
        """Draw X, the means of r responses: the same law as ``sample(key, r).mean(axis=2)``, at a cost free of r."""
        return self.mean + self.sample_mean_errors(key, r)

    def sample_mean_error_path(self, key: Key, r_grid: Float[np.ndarray, " len"]) -> Float[Array, "len n m p"]:
        """Draw E along r_1 < r_2 < ... as one path: the responses behind r_1 are among those behind r_2.

        The sums of disjoint blocks of r_l - r_(l-1) responses are independent, so with E' the error of a fresh block,
        E_l = (r_(l-1) E_(l-1) + (r_l - r_(l-1)) E') / r_l.
        """
        grid = replicate_grid(r_grid)
        blocks = jnp.asarray(np.diff(grid, prepend=0.0))
        keys = jax.random.split(key, len(grid))
        errors = jax.lax.map(lambda pair: self._sample_mean_errors(*pair), (keys, blocks))
        sums = jnp.cumsum(errors * blocks[:, None, None, None], axis=0)
        return sums / jnp.asarray(grid)[:, None, None, None]

    def sample_mean_path(self, key: Key, r_grid: Float[np.ndarray, " len"]) -> Float[Array, "len n m p"]:
        """Draw X along r_1 < r_2 < ... as one path with independent increments."""
        return self.mean[None] + self.sample_mean_error_path(key, r_grid)


def replicate_grid(r_grid: object) -> np.ndarray:
    """Check a grid of replicate counts: whole numbers of at least 1, strictly increasing."""
    grid = np.asarray([whole_number("r_grid", float(r), 1) for r in np.ravel(np.asarray(r_grid))], dtype=np.float64)
    if not len(grid) or np.any(np.diff(grid) <= 0):
        raise InputError(f"r_grid: got {grid.tolist()}; it must be a non-empty, strictly increasing list")
    return grid


def _replicates(r: float | Array) -> Array:
    """Return r as a float64 scalar; a traced r is trusted, a concrete one is checked."""
    if isinstance(r, jax.core.Tracer):
        return jnp.asarray(r, dtype=jnp.float64)
    return jnp.asarray(float(whole_number("r (replicates)", float(r), 1)))


def tensor_guard(shape: tuple[int, int, int], order: int) -> None:
    """Refuse a full moment tensor that would not fit, and name the contraction to use."""
    n, m, p = shape
    if n * m * p**order > MAX_TENSOR_ENTRIES:
        contraction = {2: "gamma", 3: "cubic_moment", 4: "quartic_moment"}[order]
        raise InputError(
            f"moment of order {order}: n m p^{order} = {n * m * p**order:.2g} entries, more than "
            f"{MAX_TENSOR_ENTRIES:.0g}; use {contraction} instead"
        )
