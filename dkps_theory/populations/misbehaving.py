"""Laws that break one hypothesis on purpose: infinite variance, a shared prompt draw, a random effect of a cell.

Each says which moments exist and draws the means of r answers exactly. :class:`HeavyTailed` is still a
:class:`~dkps_theory.populations.base.Population` (answers are independent, the variance is what fails); the other two
are not. Replicates that form a time series are in :mod:`~dkps_theory.populations.autoregressive`.
"""

from __future__ import annotations

import math
from typing import Any, SupportsFloat, final

import jax
import jax.numpy as jnp
from jax.scipy.special import gammaln
from jaxtyping import Array, Float

from dkps_theory._types import Key
from dkps_theory.populations._checks import ArrayLike, numbers, open_interval, per_cell
from dkps_theory.populations._documents import array_of, check_keys
from dkps_theory.populations._draws import normals, symmetric_stable
from dkps_theory.populations._spherical import SphericalGaussianLaw
from dkps_theory.populations.base import Population, path_of_independent_blocks, replicate_count


@final
class HeavyTailed(Population):
    r"""x_ijk = mu_ij + s_ij Z, the p coordinates of Z independent symmetric alpha-stable: a mean, but no variance.

    Parameters
    ----------
    means
        mu, (n, m, p).
    scale
        s, one number or (n, m), above 0, in the unit of the embedding.
    alpha
        The stability index, strictly between 1 (no mean) and 2 (Gaussian). E \|x\|^q is finite exactly for q < alpha.

    Raises
    ------
    InputError
        On wrong axes, NaN or infinity, a scale that is not above 0, an alpha outside (1, 2).

    Notes
    -----
    E exp(itZ_a) = exp(-\|t\|^alpha), so the mean of r answers has exactly the law of mu + r^(1/alpha - 1) s Z: one
    stable draw (Chambers, Mallows, Stuck 1976, J. Amer. Statist. Assoc. 71, 340-344), whatever r. Errors shrink like
    r^-(1 - 1/alpha), slower than r^(-1/2). All moments from the second on are None. :meth:`mean_absolute_error` exists.

    Examples
    --------
    >>> law = HeavyTailed([[[0.0]], [[1.0]]], scale=0.5, alpha=1.5)
    >>> law.gamma is None, law.sample_mean_errors(jax.random.key(0), r=10**12).shape
    (True, (2, 1, 1))
    """

    means: Float[Array, "n m p"]
    scale: Float[Array, "n m"]
    alpha: Float[Array, ""]

    def __init__(self, means: ArrayLike, scale: ArrayLike, alpha: ArrayLike) -> None:
        self.means = jnp.asarray(numbers("means", means, "n m p"))
        self.scale = per_cell("scale", scale, self.means.shape[:2], above_zero=True)
        reason = "no mean exists at 1 and below, and 2 is Gaussian, a GaussianMixture of one component"
        self.alpha = open_interval("alpha", alpha, 1.0, 2.0, reason)

    @property
    def mean(self) -> Float[Array, "n m p"]:
        """The mean embeddings mu."""
        return self.means

    @property
    def covariance(self) -> None:
        """None: the variance is infinite."""

    @property
    def gamma(self) -> None:
        """None: the variance is infinite."""

    @property
    def third_central_moment(self) -> None:
        """None: it does not exist."""

    @property
    def fourth_central_moment(self) -> None:
        """None: it does not exist."""

    @property
    def cubic_moment(self) -> None:
        """None: it does not exist."""

    @property
    def quartic_moment(self) -> None:
        """None: it does not exist."""

    @property
    def subgaussian_proxy(self) -> None:
        """None: a law without a variance has none."""

    @property
    def embedding_bound(self) -> Float[Array, "n m"]:
        """Infinity."""
        return jnp.full(self.scale.shape, jnp.inf)

    def mean_absolute_error(self, r: SupportsFloat) -> Float[Array, "n m"]:
        """Return E |X_ija - mu_ija| at r replicates, the same for every coordinate a.

        It is s r^(1/alpha - 1) (2/pi) Gamma(1 - 1/alpha): the size of an error where its mean square is infinite.

        Examples
        --------
        >>> law = HeavyTailed([[[0.0]]], scale=1.0, alpha=1.5)
        >>> round(float(law.mean_absolute_error(1)[0, 0]), 6)
        1.705465
        """
        unit = (2 / math.pi) * jnp.exp(gammaln(1 - 1 / self.alpha))
        return self.scale * self._shrinkage(replicate_count(r)) * unit

    def _shrinkage(self, r: Float[Array, ""]) -> Float[Array, ""]:
        return r ** (1 / self.alpha - 1)

    def _sample(self, key: Key, r: int) -> Float[Array, "n m r p"]:
        n, m, p = self.means.shape
        noise = symmetric_stable(key, self.alpha, (n, m, r, p))
        return self.means[:, :, None] + self.scale[:, :, None, None] * noise

    def _sample_mean_errors(self, key: Key, r: Float[Array, ""]) -> Float[Array, "n m p"]:
        noise = symmetric_stable(key, self.alpha, self.means.shape)
        return self._shrinkage(r) * self.scale[..., None] * noise

    def to_document(self) -> dict[str, Any]:
        """Return plain Python numbers and lists, ready for TOML."""
        arrays = {"means": self.means.tolist(), "scale": self.scale.tolist(), "alpha": float(self.alpha)}
        return {"kind": "heavy-tailed", **arrays}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> HeavyTailed:
        """Build from what :meth:`to_document` returns; errors name the key."""
        check_keys(document, required=("means", "scale", "alpha"))
        return cls(*(array_of(document, key) for key in ("means", "scale", "alpha")))


@final
class SharedPrompts(SphericalGaussianLaw):
    """x_ijk = mu_ij + s_jk + o_ijk: replicate k of query j is one paraphrase, drawn once and put to all models.

    The s_jk ~ N(0, (shared_j / p) I) are common to the models, the o_ijk ~ N(0, (own_ij / p) I) are not: models depend
    on one another, replicates and queries do not.

    Parameters
    ----------
    means
        mu, (n, m, p).
    own
        Total variance of o_ijk, one number or (n, m), at least 0.
    shared
        Total variance of s_jk, one number or (m,), at least 0.

    Raises
    ------
    InputError
        On wrong axes, NaN or infinity, or a negative variance.

    Notes
    -----
    gamma = own + shared is the variance of one answer and gamma / r that of a mean, both right. But s cancels in
    X_i - X_i', so E D_ii'^2 = Delta_ii'^2 + c^2 sum_j (own_ij + own_i'j) / r: a correction by gamma takes off too much.

    Examples
    --------
    >>> law = SharedPrompts([[[0.0]], [[1.0]]], own=0.0, shared=4.0)
    >>> errors = law.sample_mean_errors(jax.random.key(0), r=10)
    >>> float(law.gamma[0, 0]), bool(errors[0] == errors[1])
    (4.0, True)
    """

    means: Float[Array, "n m p"]
    own: Float[Array, "n m"]
    shared: Float[Array, " m"]

    def __init__(self, means: ArrayLike, own: ArrayLike, shared: ArrayLike) -> None:
        self.means = jnp.asarray(numbers("means", means, "n m p"))
        self.own = per_cell("own", own, self.means.shape[:2])
        self.shared = per_cell("shared", shared, self.means.shape[1:2])

    @property
    def mean(self) -> Float[Array, "n m p"]:
        """The mean embeddings mu."""
        return self.means

    @property
    def gamma(self) -> Float[Array, "n m"]:
        """The sum own + shared."""
        return self.own + self.shared[None]

    def _mean_variance(self, r: Float[Array, ""]) -> Float[Array, "n m"]:
        return self.gamma / r

    def _sample(self, key: Key, r: int) -> Float[Array, "n m r p"]:
        n, m, p = self.means.shape
        own_key, shared_key = jax.random.split(key)
        own = jnp.sqrt(self.own / p)[:, :, None, None] * normals(own_key, (n, m, r, p))
        shared = jnp.sqrt(self.shared / p)[:, None, None] * normals(shared_key, (m, r, p))
        return self.means[:, :, None] + shared[None] + own

    def _sample_mean_errors(self, key: Key, r: Float[Array, ""]) -> Float[Array, "n m p"]:
        n, m, p = self.means.shape
        own_key, shared_key = jax.random.split(key)
        own = jnp.sqrt(self.own / p / r)[..., None] * normals(own_key, (n, m, p))
        shared = jnp.sqrt(self.shared / p / r)[:, None] * normals(shared_key, (m, p))
        return shared[None] + own

    def _sample_mean_error_path(self, key: Key, grid: Float[Array, " len"]) -> Float[Array, "len n m p"]:
        return path_of_independent_blocks(self._sample_mean_errors, key, grid)

    def to_document(self) -> dict[str, Any]:
        """Return plain Python numbers and lists, ready for TOML."""
        arrays = {"means": self.means.tolist(), "own": self.own.tolist(), "shared": self.shared.tolist()}
        return {"kind": "shared-prompts", **arrays}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> SharedPrompts:
        """Build from what :meth:`to_document` returns; errors name the key."""
        check_keys(document, required=("means", "own", "shared"))
        return cls(*(array_of(document, key) for key in ("means", "own", "shared")))


@final
class RandomEffects(SphericalGaussianLaw):
    """x_ijk = mu_ij + e_ij + o_ijk: one draw e_ij is shared by all replicates of model i's answer to query j.

    Say a prompt that is sampled once and then asked r times, or a cache. Models and queries are independent, replicates
    are exchangeable and not independent, and the means of r answers do not converge to mu_ij: they converge to
    mu_ij + e_ij.

    Parameters
    ----------
    means
        mu, (n, m, p).
    own
        Total variance of o_ijk ~ N(0, (own_ij / p) I), one number or (n, m), at least 0.
    effect
        Total variance of e_ij ~ N(0, (effect_ij / p) I), one number or (n, m), at least 0.

    Raises
    ------
    InputError
        On wrong axes, NaN or infinity, or a negative variance.

    Notes
    -----
    gamma = own + effect is the variance of one answer; that of a mean is effect + own / r, not gamma / r. The spread of
    replicates about their own mean shows ``own`` alone: responses do not tell of the effect.

    Examples
    --------
    >>> law = RandomEffects([[[0.0]]], own=1.0, effect=2.0)
    >>> float(law.gamma[0, 0]), float(law.mean_variance(10)[0, 0])
    (3.0, 2.1)
    """

    means: Float[Array, "n m p"]
    own: Float[Array, "n m"]
    effect: Float[Array, "n m"]

    def __init__(self, means: ArrayLike, own: ArrayLike, effect: ArrayLike) -> None:
        self.means = jnp.asarray(numbers("means", means, "n m p"))
        self.own = per_cell("own", own, self.means.shape[:2])
        self.effect = per_cell("effect", effect, self.means.shape[:2])

    @property
    def mean(self) -> Float[Array, "n m p"]:
        """The mean embeddings mu."""
        return self.means

    @property
    def gamma(self) -> Float[Array, "n m"]:
        """The sum own + effect."""
        return self.own + self.effect

    def _mean_variance(self, r: Float[Array, ""]) -> Float[Array, "n m"]:
        return self.effect + self.own / r

    def _effects(self, key: Key) -> Float[Array, "n m p"]:
        return jnp.sqrt(self.effect / self.means.shape[2])[..., None] * normals(key, self.means.shape)

    def _own_errors(self, key: Key, r: Float[Array, ""]) -> Float[Array, "n m p"]:
        return jnp.sqrt(self.own / self.means.shape[2] / r)[..., None] * normals(key, self.means.shape)

    def _sample(self, key: Key, r: int) -> Float[Array, "n m r p"]:
        n, m, p = self.means.shape
        effect_key, own_key = jax.random.split(key)
        own = jnp.sqrt(self.own / p)[:, :, None, None] * normals(own_key, (n, m, r, p))
        return (self.means + self._effects(effect_key))[:, :, None] + own

    def _sample_mean_errors(self, key: Key, r: Float[Array, ""]) -> Float[Array, "n m p"]:
        effect_key, own_key = jax.random.split(key)
        return self._effects(effect_key) + self._own_errors(own_key, r)

    def _sample_mean_error_path(self, key: Key, grid: Float[Array, " len"]) -> Float[Array, "len n m p"]:
        effect_key, own_key = jax.random.split(key)
        return self._effects(effect_key)[None] + path_of_independent_blocks(self._own_errors, own_key, grid)

    def to_document(self) -> dict[str, Any]:
        """Return plain Python numbers and lists, ready for TOML."""
        arrays = {"means": self.means.tolist(), "own": self.own.tolist(), "effect": self.effect.tolist()}
        return {"kind": "random-effects", **arrays}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> RandomEffects:
        """Build from what :meth:`to_document` returns; errors name the key."""
        check_keys(document, required=("means", "own", "effect"))
        return cls(*(array_of(document, key) for key in ("means", "own", "effect")))
