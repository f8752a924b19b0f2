"""Moments of answers that are spherical Gaussians, whatever the dependence between them."""

from __future__ import annotations

import abc
from typing import final

import jax.numpy as jnp
from jaxtyping import Array, Float

from dkps_theory.populations.base import ResponseLaw, tensor_guard


class SphericalGaussianLaw(ResponseLaw):
    """Every single answer is N(mu_ij, (gamma_ij / p) I); how answers depend on one another is up to the subclass."""

    @property
    @abc.abstractmethod
    def gamma(self) -> Float[Array, "n m"]:
        """Total variance of one answer."""

    @final
    @property
    def _variance(self) -> Float[Array, "n m"]:
        """Variance of one coordinate of one answer."""
        return self.gamma / self.shape[2]

    @final
    @property
    def covariance(self) -> Float[Array, "n m p p"]:
        """(gamma / p) I."""
        tensor_guard(self.shape, 2)
        return self._variance[:, :, None, None] * jnp.eye(self.shape[2])[None, None]

    @final
    @property
    def third_central_moment(self) -> Float[Array, "n m p p p"]:
        """Zero."""
        tensor_guard(self.shape, 3)
        n, m, p = self.shape
        return jnp.zeros((n, m, p, p, p))

    @final
    @property
    def fourth_central_moment(self) -> Float[Array, "n m p p p p"]:
        """(gamma / p)^2 times the three pairings of four indices (Isserlis)."""
        tensor_guard(self.shape, 4)
        pairs = jnp.einsum("ab,cd->abcd", jnp.eye(self.shape[2]), jnp.eye(self.shape[2]))
        pairings = pairs + jnp.einsum("abcd->acbd", pairs) + jnp.einsum("abcd->acdb", pairs)
        return (self._variance**2)[:, :, None, None, None, None] * pairings[None, None]

    @final
    @property
    def cubic_moment(self) -> Float[Array, "n m p"]:
        """Zero."""
        return jnp.zeros(self.shape)

    @final
    @property
    def quartic_moment(self) -> Float[Array, "n m"]:
        """gamma^2 (p + 2) / p."""
        p = self.shape[2]
        return self.gamma**2 * ((p + 2) / p)

    @final
    @property
    def embedding_bound(self) -> Float[Array, "n m"]:
        """Infinity, except where gamma is 0: then ||mu||."""
        return jnp.where(self.gamma > 0, jnp.inf, jnp.sqrt((self.mean**2).sum(axis=-1)))
