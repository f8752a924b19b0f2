"""Gaussian mixtures per model and query: exact moments, and means of r draws sampled exactly at a cost free of r."""

from __future__ import annotations

from typing import Any, Literal, final

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from dkps_theory._types import Key
from dkps_theory._validate import InputError, nearest_name
from dkps_theory.populations._checks import ArrayLike, covariances, numbers, probability_vectors, variances
from dkps_theory.populations._documents import array_of, check_keys, text_of
from dkps_theory.populations._draws import letters, multinomial, normals
from dkps_theory.populations._proxies import common_upper_bound, finite_law_proxy
from dkps_theory.populations.base import Population, tensor_guard

CovarianceType = Literal["spherical", "diagonal", "full"]
_AXES = {"spherical": "n m k", "diagonal": "n m k p", "full": "n m k p p"}


@final
class GaussianMixture(Population):
    """F_ij = sum_k w_ijk N(mu_ijk, Sigma_ijk), one mixture for every model i and query j.

    Parameters
    ----------
    weights
        (n, m, k), non-negative, sum to one along k (within 1e-9).
    component_means
        (n, m, k, p).
    component_covariances
        Variances (n, m, k) when spherical (Sigma = s^2 I), (n, m, k, p) when diagonal, matrices (n, m, k, p, p) when
        full; positive semi-definite, zero and singular ones included.
    covariance_type
        ``"spherical"``, ``"diagonal"`` or ``"full"``.

    Raises
    ------
    InputError
        On wrong axes, NaN or infinity, weights that are negative or do not sum to one, matrices that are not symmetric
        or not positive semi-definite; the message names the cell. Traced arrays have their shapes checked only.

    Notes
    -----
    Given the component counts N ~ Multinomial(r, w), the mean of r draws is Gaussian, so with delta_k = mu_k - mu

        X - mu = sum_k (N_k / r - w_k) delta_k + N(0, sum_k N_k Sigma_k / r^2)        exactly in law.

    The delta_k are small where one component dominates, and no number near mu is subtracted, so the error keeps its
    digits at any r and any weights. Moments: E over the components of Isserlis' formulas about mu.

    Examples
    --------
    >>> population = GaussianMixture([[[0.5, 0.5]]], [[[[-1.0], [1.0]]]], [[[0.25, 0.25]]], "spherical")
    >>> population.shape, float(population.gamma[0, 0])
    ((1, 1, 1), 1.25)
    >>> population.sample_means(jax.random.key(0), r=10**12).shape
    (1, 1, 1)
    """

    weights: Float[Array, "n m k"]
    component_means: Float[Array, "n m k p"]
    component_covariances: Float[Array, "n m k *shape"]
    covariance_type: CovarianceType = eqx.field(static=True)
    _roots: Float[Array, "n m k p p"] | None

    def __init__(
        self,
        weights: ArrayLike,
        component_means: ArrayLike,
        component_covariances: ArrayLike,
        covariance_type: str = "spherical",
    ) -> None:
        if not isinstance(covariance_type, str) or covariance_type not in _AXES:
            raise nearest_name("covariance_type", covariance_type, _AXES)
        self.covariance_type = covariance_type  # pyright: ignore[reportAttributeAccessIssue]
        self.weights = probability_vectors("weights", weights)
        self.component_means = jnp.asarray(numbers("component_means", component_means, "n m k p"))
        if covariance_type == "full":
            self.component_covariances, self._roots = covariances("component_covariances", component_covariances)
        else:
            glossary = _AXES[covariance_type]
            self.component_covariances = variances("component_covariances", component_covariances, glossary)
            self._roots = None
        shape = (*self.component_means.shape, self.component_means.shape[-1])
        wanted = {"weights": shape[:3], "component_covariances": shape[: len(_AXES[covariance_type].split())]}
        for name, expected in wanted.items():
            got = getattr(self, name).shape
            if got != expected:
                raise InputError(f"{name}: got shape {got}; with these component_means it must be {expected}")

    @property
    def mean(self) -> Float[Array, "n m p"]:
        """mu, from the first component outwards: components that coincide give exactly their common mean."""
        first = self.component_means[:, :, 0]
        return first + jnp.einsum("ijk,ijka->ija", self.weights, self.component_means - first[:, :, None])

    @property
    def _deviations(self) -> Float[Array, "n m k p"]:
        """delta_k = mu_k - mu."""
        steps = self.component_means - self.component_means[:, :, :1]
        return steps - jnp.einsum("ijk,ijka->ija", self.weights, steps)[:, :, None]

    @property
    def _traces(self) -> Float[Array, "n m k"]:
        """Trace Sigma_k."""
        if self.covariance_type == "spherical":
            return self.component_covariances * self.component_means.shape[-1]
        if self.covariance_type == "diagonal":
            return self.component_covariances.sum(axis=-1)
        return jnp.trace(self.component_covariances, axis1=-2, axis2=-1)

    def _times(self, vectors: Float[Array, "n m k p"]) -> Float[Array, "n m k p"]:
        """Sigma_k v_k."""
        if self.covariance_type == "spherical":
            return self.component_covariances[..., None] * vectors
        if self.covariance_type == "diagonal":
            return self.component_covariances * vectors
        return jnp.einsum("ijkab,ijkb->ijka", self.component_covariances, vectors)

    @property
    def _matrices(self) -> Float[Array, "n m k p p"]:
        """Sigma_k as matrices."""
        if self.covariance_type == "full":
            return self.component_covariances
        identity = jnp.eye(self.component_means.shape[-1])[None, None, None]
        if self.covariance_type == "spherical":
            return self.component_covariances[..., None, None] * identity
        return self.component_covariances[..., None] * identity

    @property
    def covariance(self) -> Float[Array, "n m p p"]:
        """Sigma_ij = sum_k w_k (Sigma_k + delta_k delta_k')."""
        tensor_guard(self.shape, 2)
        deviations = self._deviations
        between = jnp.einsum("ijk,ijka,ijkb->ijab", self.weights, deviations, deviations)
        return between + jnp.einsum("ijk,ijkab->ijab", self.weights, self._matrices)

    @property
    def gamma(self) -> Float[Array, "n m"]:
        """Trace Sigma_ij, without the matrices."""
        return (self.weights * (self._traces + (self._deviations**2).sum(axis=-1))).sum(axis=-1)

    @property
    def third_central_moment(self) -> Float[Array, "n m p p p"]:
        """sum_k w_k (delta^(x3) + delta_a Sigma_bc + delta_b Sigma_ac + delta_c Sigma_ab)."""
        tensor_guard(self.shape, 3)
        w, d, s = self.weights, self._deviations, self._matrices
        one = jnp.einsum("ijk,ijka,ijkbc->ijabc", w, d, s)
        mixed = one + jnp.einsum("ijabc->ijbac", one) + jnp.einsum("ijabc->ijbca", one)
        return jnp.einsum("ijk,ijka,ijkb,ijkc->ijabc", w, d, d, d) + mixed

    @property
    def fourth_central_moment(self) -> Float[Array, "n m p p p p"]:
        """sum_k w_k (delta^(x4) + the six delta delta Sigma + the three Sigma Sigma)."""
        tensor_guard(self.shape, 4)
        w, d, s = self.weights, self._deviations, self._matrices
        pair = jnp.einsum("ijk,ijka,ijkb,ijkcd->ijabcd", w, d, d, s)
        square = jnp.einsum("ijk,ijkab,ijkcd->ijabcd", w, s, s)
        total = jnp.einsum("ijk,ijka,ijkb,ijkc,ijkd->ijabcd", w, d, d, d, d)
        for axes in ("abcd", "acbd", "adbc", "bcad", "bdac", "cdab"):
            total = total + jnp.einsum(f"ij{axes}->ijabcd", pair)
        for axes in ("abcd", "acbd", "adbc"):
            total = total + jnp.einsum(f"ij{axes}->ijabcd", square)
        return total

    @property
    def cubic_moment(self) -> Float[Array, "n m p"]:
        """E x~ ||x~||^2 = sum_k w_k {delta (||delta||^2 + trace Sigma) + 2 Sigma delta}."""
        d = self._deviations
        inner = d * ((d**2).sum(axis=-1) + self._traces)[..., None] + 2 * self._times(d)
        return jnp.einsum("ijk,ijka->ija", self.weights, inner)

    @property
    def quartic_moment(self) -> Float[Array, "n m"]:
        """E ||x~||^4 = sum_k w_k {(||delta||^2 + trace Sigma)^2 + 2 ||Sigma||_F^2 + 4 delta' Sigma delta}."""
        d, c = self._deviations, self.component_covariances
        norms = (c**2).reshape(*c.shape[:3], -1).sum(axis=-1)
        if self.covariance_type == "spherical":
            norms = norms * d.shape[-1]
        inner = ((d**2).sum(axis=-1) + self._traces) ** 2 + 2 * norms + 4 * (d * self._times(d)).sum(axis=-1)
        return (self.weights * inner).sum(axis=-1)

    @property
    def subgaussian_proxy(self) -> Float[Array, "n m p p"]:
        """A bound of all Sigma_k, plus a proxy of the law of the component means.

        Exactly Sigma for one component; see :mod:`dkps_theory.populations._proxies`.
        """
        tensor_guard(self.shape, 2)
        if self.covariance_type == "full":
            within = common_upper_bound(self.component_covariances, self.weights)
        else:
            used = (self.weights > 0).reshape(*self.weights.shape, *(1,) * (self.component_covariances.ndim - 3))
            largest = jnp.where(used, self.component_covariances, 0.0).max(axis=2)
            widths = jnp.broadcast_to(largest.reshape(*largest.shape[:2], -1), self.mean.shape)
            within = widths[..., None] * jnp.eye(self.component_means.shape[-1])[None, None]
        return within + finite_law_proxy(self.weights, self._deviations)

    @property
    def embedding_bound(self) -> Float[Array, "n m"]:
        """Infinity, except where all components that are ever drawn have no variance: then the largest ||mu_k||."""
        norms = jnp.sqrt((self.component_means**2).sum(axis=-1))
        reach = jnp.where(self._traces > 0, jnp.inf, norms)
        return jnp.where(self.weights > 0, reach, 0.0).max(axis=-1)

    def _sample(self, key: Key, r: int) -> Float[Array, "n m r p"]:
        n, m, k, p = self.component_means.shape
        choice_key, noise_key = jax.random.split(key)
        choice = letters(choice_key, self.weights, r)
        noise = normals(noise_key, (n, m, r, p))
        centres = jnp.take_along_axis(self.component_means, choice[..., None], axis=2)
        if self._roots is not None:
            # One product per component, masked: gathering a p x p root for every draw would cost p times the memory.
            for index in range(k):
                scaled = jnp.einsum("ijab,ijrb->ijra", self._roots[:, :, index], noise)
                centres = centres + jnp.where((choice == index)[..., None], scaled, 0.0)
            return centres
        scales = jnp.sqrt(self.component_covariances).reshape(n, m, k, -1)
        return centres + jnp.take_along_axis(scales, choice[..., None], axis=2) * noise

    def _sample_mean_errors(self, key: Key, r: Float[Array, ""]) -> Float[Array, "n m p"]:
        n, m, k, p = self.component_means.shape
        count_key, noise_key = jax.random.split(key)
        if k == 1:
            shares, shift = jnp.ones((n, m, 1)), jnp.zeros((n, m, p))
        else:
            shares = multinomial(count_key, r, self.weights) / r
            shift = jnp.einsum("ijk,ijka->ija", shares - self.weights, self._deviations)
        if self._roots is None:
            noise = normals(noise_key, (n, m, p))
            variance = jnp.einsum("ijk,ijka->ija", shares, self.component_covariances.reshape(n, m, k, -1))
            return shift + jnp.sqrt(variance / r) * noise
        noise = normals(noise_key, (n, m, k, p))
        return shift + jnp.einsum("ijkab,ijkb->ija", self._roots, jnp.sqrt(shares / r)[..., None] * noise)

    def to_document(self) -> dict[str, Any]:
        """Return plain Python numbers and lists, ready for TOML."""
        return {
            "kind": "gaussian-mixture",
            "covariance_type": self.covariance_type,
            "weights": self.weights.tolist(),
            "component_means": self.component_means.tolist(),
            "component_covariances": self.component_covariances.tolist(),
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> GaussianMixture:
        """Build from what :meth:`to_document` returns; errors name the key."""
        arrays = ("weights", "component_means", "component_covariances")
        check_keys(document, required=(*arrays, "covariance_type"))
        weights, means, spreads = (array_of(document, key) for key in arrays)
        return cls(weights, means, spreads, text_of(document, "covariance_type"))
