"""What a law of responses promises: its exact moments, and draws from it.

A response law is the law of the embedded responses x_ijk of n models to m queries, each x_ijk ~ F_ij in R^p. It knows
its own truth, so tests and studies never copy a formula for it; a moment that does not exist or is not known is
``None``, never an approximation under the same name. A :class:`Population` promises more: responses independent over
models, queries and replicates, the hypothesis that most theorems start from.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from typing import SupportsFloat, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, Num

from dkps_theory._keys import checked_key
from dkps_theory._types import AnyArray, Key
from dkps_theory._validate import InputError, finite, whole_number

#: Full moment tensors above this many entries are refused; the contractions cover the exact curves.
MAX_TENSOR_ENTRIES = 50_000_000
#: Arrays above this many entries are refused before they are made: 16 GiB of doubles.
MAX_ENTRIES = 2**31
#: Counts of replicates are float64, which is exact for whole numbers up to here (about 9e15).
MAX_REPLICATES = 2**53


class ResponseLaw(eqx.Module):
    """The law of the embedded responses of n models to m queries; nothing is promised about dependence.

    Subclasses are final, or abstract and final in what they add. They give the moments of one response, the mean square
    error of a mean, and three samplers; the rest is derived here once.
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
    def gamma(self) -> Float[Array, "n m"] | None:
        """gamma_ij = trace Sigma_ij, the total variance of one answer, cheap at any p.

        The variance of a mean of r answers is gamma / r in a :class:`Population`; ask :meth:`mean_variance`.
        """

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

    @property
    @abc.abstractmethod
    def embedding_bound(self) -> Float[Array, "n m"]:
        """The supremum of ||x|| over the support of F_ij, infinity where an embedding is not bounded."""

    @abc.abstractmethod
    def _mean_variance(self, r: Float[Array, ""]) -> Float[Array, "n m"] | None:
        """E ||X_ij - mu_ij||^2 at r replicates (r may be traced)."""

    @abc.abstractmethod
    def _sample(self, key: Key, r: int) -> Float[Array, "n m r p"]:
        """Draw the responses themselves."""

    @abc.abstractmethod
    def _sample_mean_errors(self, key: Key, r: Float[Array, ""]) -> Float[Array, "n m p"]:
        """Draw X - mu at r replicates (r may be traced), to full relative precision at any r."""

    @abc.abstractmethod
    def _sample_mean_error_path(self, key: Key, grid: Float[Array, " len"]) -> Float[Array, "len n m p"]:
        """Draw X - mu along r_1 < r_2 < ..., the responses behind r_1 among those behind r_2."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(n, m, p)."""
        n, m, p = self.mean.shape
        return n, m, p

    def mean_variance(self, r: SupportsFloat) -> Float[Array, "n m"] | None:
        """Return E ||X_ij - mu_ij||^2, X the means of r responses, or None where it is infinite.

        It is gamma / r in a :class:`Population`, and not where replicates depend on one another. r may be traced.

        Raises
        ------
        InputError
            When a concrete r is not a whole number of at least 1.

        Examples
        --------
        >>> from dkps_theory.populations import bernoulli
        >>> bernoulli([[0.5]]).mean_variance(10).tolist()
        [[0.025]]
        """
        return _variance_of_mean(self, replicate_count(r))

    def sample(self, key: Key, r: SupportsFloat) -> Float[Array, "n m r p"]:
        """Draw r responses of every model to every query.

        Raises
        ------
        InputError
            When ``key`` is not one typed key, r is not a whole number of at least 1, or n m r p is above 2^31.

        Examples
        --------
        >>> from dkps_theory.populations import bernoulli
        >>> bernoulli([[0.25]]).sample(jax.random.key(0), 3).shape
        (1, 1, 3, 1)
        """
        return _responses(self, checked_key(key), _concrete_replicates(r))

    def sample_mean_errors(self, key: Key, r: SupportsFloat) -> Float[Array, "n m p"]:
        """Draw E = X - mu, the errors of the means of r responses, without drawing the responses.

        Cost does not depend on r, and neither does relative precision: at r = 10^12 subtracting mu from X would leave
        ten digits of E, drawing E itself leaves those and the ones that mu would have covered. r may be traced.

        Raises
        ------
        InputError
            When ``key`` is not one typed key, or a concrete r is not a whole number of at least 1.

        Examples
        --------
        >>> from dkps_theory.populations import bernoulli
        >>> bernoulli([[0.25]]).sample_mean_errors(jax.random.key(0), 10**12).shape
        (1, 1, 1)
        """
        return _mean_errors(self, checked_key(key), replicate_count(r))

    def sample_means(self, key: Key, r: SupportsFloat) -> Float[Array, "n m p"]:
        """Draw X, the means of r responses: the same law as ``sample(key, r).mean(axis=2)``, at a cost free of r.

        Raises
        ------
        InputError
            As :meth:`sample_mean_errors`.

        Examples
        --------
        >>> from dkps_theory.populations import bernoulli
        >>> abs(float(bernoulli([[0.25]]).sample_means(jax.random.key(0), 10**12)[0, 0, 0]) - 0.25) < 1e-4
        True
        """
        return self.mean + self.sample_mean_errors(key, r)

    def sample_mean_error_path(
        self, key: Key, r_grid: Num[AnyArray, " len"] | Sequence[SupportsFloat]
    ) -> Float[Array, "len n m p"]:
        """Draw E along r_1 < r_2 < ... as one path: the responses behind r_1 are among those behind r_2.

        Where the sums of disjoint blocks of responses are independent, with E' the error of a fresh block,
        E_l = (r_(l-1) E_(l-1) + (r_l - r_(l-1)) E') / r_l; other laws have a recursion of their own, as exact. The grid
        may be traced; then it is trusted.

        Raises
        ------
        InputError
            When ``key`` is not one typed key, or a concrete grid is not a strictly increasing list of whole numbers of
            at least 1.

        Examples
        --------
        >>> from dkps_theory.populations import bernoulli
        >>> bernoulli([[0.25]]).sample_mean_error_path(jax.random.key(0), [10, 10**6]).shape
        (2, 1, 1, 1)
        """
        key = checked_key(key)
        grid = r_grid if isinstance(r_grid, Tracer) else jnp.asarray(replicate_grid(r_grid))
        return _mean_error_path(self, key, grid)

    def sample_mean_path(
        self, key: Key, r_grid: Num[AnyArray, " len"] | Sequence[SupportsFloat]
    ) -> Float[Array, "len n m p"]:
        """Draw X along r_1 < r_2 < ... as one path.

        Raises
        ------
        InputError
            As :meth:`sample_mean_error_path`.

        Examples
        --------
        >>> from dkps_theory.populations import bernoulli
        >>> bernoulli([[0.25]]).sample_mean_path(jax.random.key(0), [10, 10**6]).shape
        (2, 1, 1, 1)
        """
        return self.mean[None] + self.sample_mean_error_path(key, r_grid)


class Population(ResponseLaw):
    """A law whose responses are independent over models, queries and replicates, x_ijk iid F_ij over k.

    ``isinstance(law, Population)`` is that hypothesis: a law with any dependence must not be one.
    """

    @property
    @abc.abstractmethod
    def subgaussian_proxy(self) -> Float[Array, "n m p p"] | None:
        """K_ij with E exp(u'(x - mu)) <= exp(u'K u / 2) for every u, or None where there is none or none is known.

        The mean of r answers has proxy K / r.
        """

    @final
    def _mean_variance(self, r: Float[Array, ""]) -> Float[Array, "n m"] | None:
        return None if self.gamma is None else self.gamma / r

    @final
    def _sample_mean_error_path(self, key: Key, grid: Float[Array, " len"]) -> Float[Array, "len n m p"]:
        return path_of_independent_blocks(self._sample_mean_errors, key, grid)


def path_of_independent_blocks(
    draw: Callable[[Key, Float[Array, ""]], Float[Array, "n m p"]], key: Key, grid: Float[Array, " len"]
) -> Float[Array, "len n m p"]:
    """Draw X - mu along a grid from errors of fresh blocks: exact where replicates are independent, only there."""
    blocks = jnp.diff(grid, prepend=jnp.zeros(1))
    keys = jax.random.split(key, len(grid))
    errors = jax.lax.map(lambda pair: draw(*pair), (keys, blocks))
    sums = jnp.cumsum(errors * blocks[:, None, None, None], axis=0)
    return sums / grid[:, None, None, None]


# Compiled once per population structure: run op by op, the rejection loops behind the counts would be compiled anew at
# every call. Inside a user's own jit or vmap these are inlined.
@eqx.filter_jit
def _responses(law: ResponseLaw, key: Key, r: int) -> Float[Array, "n m r p"]:
    n, m, p = law.shape  # here, not in ``sample``: while this is traced it costs no arithmetic
    size_guard("sample", "n m r p", n * m * r * p, "sample_means draws the means of r responses at a cost free of r")
    return law._sample(key, r)


@eqx.filter_jit
def _mean_errors(law: ResponseLaw, key: Key, r: Float[Array, ""]) -> Float[Array, "n m p"]:
    return law._sample_mean_errors(key, r)


@eqx.filter_jit
def _mean_error_path(law: ResponseLaw, key: Key, grid: Num[Array, " len"]) -> Float[Array, "len n m p"]:
    return law._sample_mean_error_path(key, grid.astype(jnp.float64))


@eqx.filter_jit
def _variance_of_mean(law: ResponseLaw, r: Float[Array, ""]) -> Float[Array, "n m"] | None:
    return law._mean_variance(r)


def replicate_grid(r_grid: object) -> np.ndarray:
    """Check a grid of replicate counts: whole numbers of at least 1, strictly increasing."""
    values = finite("r_grid", r_grid)
    if values.ndim != 1:
        raise InputError(f"r_grid: got {values.ndim} axes {values.shape}; it must be one list of replicate counts")
    grid = np.asarray([_concrete_replicates(r, "r_grid") for r in values.tolist()], dtype=np.float64)
    if not len(grid) or np.any(np.diff(grid) <= 0):
        raise InputError(f"r_grid: got {grid.tolist()}; it must be a non-empty, strictly increasing list")
    return grid


def _concrete_replicates(r: object, name: str = "r (replicates)") -> int:
    """Return a concrete r, Python, NumPy or JAX number, as an int."""
    value = r.item() if isinstance(r, AnyArray) and r.shape == () else r
    return whole_number(name, value, 1, MAX_REPLICATES)


def replicate_count(r: SupportsFloat) -> Float[Array, ""]:
    """Return r as a float64 scalar; a traced r is trusted, a concrete one is checked."""
    if isinstance(r, Tracer):
        return jnp.asarray(r, dtype=jnp.float64)
    return jnp.asarray(float(_concrete_replicates(r)))


def size_guard(what: str, formula: str, entries: int, advice: str) -> None:
    """Refuse an array that would not fit, before memory is asked for."""
    if entries > MAX_ENTRIES:
        raise InputError(f"{what}: {formula} = {entries:,} numbers, more than {MAX_ENTRIES:,}; {advice}")


def tensor_guard(shape: tuple[int, int, int], order: int) -> None:
    """Refuse a full moment tensor that would not fit, and name the contraction to use."""
    n, m, p = shape
    if n * m * p**order > MAX_TENSOR_ENTRIES:
        contraction = {2: "gamma", 3: "cubic_moment", 4: "quartic_moment"}[order]
        raise InputError(
            f"moment of order {order}: n m p^{order} = {n * m * p**order:.2g} entries, more than "
            f"{MAX_TENSOR_ENTRIES:.0g}; use {contraction} instead"
        )
