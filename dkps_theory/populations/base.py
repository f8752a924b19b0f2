"""What a response population promises: its exact moments, and draws from it.

A population is the law of the embedded responses x_ijk of n models to m queries: independent over models, queries and
replicates, x_ijk ~ F_ij in R^p. It knows its own truth, so tests and studies never copy a formula for it; a moment
that does not exist or is not known is ``None``, never an approximation under the same name.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import SupportsFloat

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
    def gamma(self) -> Float[Array, "n m"] | None:
        """gamma_ij = trace Sigma_ij, the total variance of one answer, cheap at any p."""

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
        return _mean_errors(self, checked_key(key), _replicates(r))

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

        The sums of disjoint blocks of r_l - r_(l-1) responses are independent, so with E' the error of a fresh block,
        E_l = (r_(l-1) E_(l-1) + (r_l - r_(l-1)) E') / r_l. The grid may be traced; then it is trusted.

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
        """Draw X along r_1 < r_2 < ... as one path with independent increments.

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


# Compiled once per population structure: run op by op, the rejection loops behind the counts would be compiled anew at
# every call. Inside a user's own jit or vmap these are inlined.
@eqx.filter_jit
def _responses(population: Population, key: Key, r: int) -> Float[Array, "n m r p"]:
    n, m, p = population.shape  # here, not in ``sample``: while this is traced it costs no arithmetic
    size_guard("sample", "n m r p", n * m * r * p, "sample_means draws the means of r responses at a cost free of r")
    return population._sample(key, r)


@eqx.filter_jit
def _mean_errors(population: Population, key: Key, r: Float[Array, ""]) -> Float[Array, "n m p"]:
    return population._sample_mean_errors(key, r)


@eqx.filter_jit
def _mean_error_path(population: Population, key: Key, grid: Num[Array, " len"]) -> Float[Array, "len n m p"]:
    grid = grid.astype(jnp.float64)
    blocks = jnp.diff(grid, prepend=jnp.zeros(1))
    keys = jax.random.split(key, len(grid))
    errors = jax.lax.map(lambda pair: population._sample_mean_errors(*pair), (keys, blocks))
    sums = jnp.cumsum(errors * blocks[:, None, None, None], axis=0)
    return sums / grid[:, None, None, None]


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


def _replicates(r: SupportsFloat) -> Float[Array, ""]:
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
