"""Categorical laws over an embedding table: an answer is one of k letters, and letter l is embedded as row l."""

from __future__ import annotations

from typing import Any, final

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from dkps_theory._types import Key
from dkps_theory._validate import InputError
from dkps_theory.populations._checks import ArrayLike, cell, numbers, probability_vectors
from dkps_theory.populations._documents import array_of, check_keys
from dkps_theory.populations._draws import letters, multinomial
from dkps_theory.populations._proxies import finite_law_proxy
from dkps_theory.populations.base import Population, tensor_guard


@final
class Categorical(Population):
    """F_ij puts mass w_ijl on the embedding t_l, l = 1..k.

    Parameters
    ----------
    probabilities
        w, (n, m, k), non-negative, sum to one along k (within 1e-9).
    table
        t, (k, p), the embedding of each letter, shared by all models and queries.

    Raises
    ------
    InputError
        On wrong axes, NaN or infinity, probabilities that are negative or do not sum to one (the cell is named).

    Notes
    -----
    X - mu = sum_l (N_l / r - w_l)(t_l - mu) with N multinomial, exactly in law.

    Examples
    --------
    >>> coin = bernoulli([[0.25]])
    >>> float(coin.gamma[0, 0]), float(coin.quartic_moment[0, 0])
    (0.1875, 0.08203125)
    """

    probabilities: Float[Array, "n m k"]
    table: Float[Array, "k p"]

    def __init__(self, probabilities: ArrayLike, table: ArrayLike) -> None:
        self.probabilities = probability_vectors("probabilities", probabilities)
        self.table = jnp.asarray(numbers("table", table, "k p"))
        k = self.probabilities.shape[-1]
        if len(self.table) != k:
            raise InputError(f"table: got {len(self.table)} rows; with these probabilities it must have {k}")

    @property
    def _steps(self) -> Float[Array, "k p"]:
        """t_l - t_1: a large common offset of the table would otherwise cost digits."""
        return self.table - self.table[:1]

    @property
    def mean(self) -> Float[Array, "n m p"]:
        """The means sum_l w_l t_l."""
        return self.table[0][None, None] + self.probabilities @ self._steps

    @property
    def _deviations(self) -> Float[Array, "n m k p"]:
        """t_l - mu_ij."""
        return self._steps[None, None] - (self.probabilities @ self._steps)[:, :, None]

    @property
    def _squares(self) -> Float[Array, "n m k"]:
        """||t_l - mu_ij||^2."""
        return (self._deviations**2).sum(axis=-1)

    @property
    def covariance(self) -> Float[Array, "n m p p"]:
        """sum_l w_l (t_l - mu)(t_l - mu)'."""
        tensor_guard(self.shape, 2)
        d = self._deviations
        return jnp.einsum("ijk,ijka,ijkb->ijab", self.probabilities, d, d)

    @property
    def gamma(self) -> Float[Array, "n m"]:
        """sum_l w_l ||t_l - mu||^2."""
        return (self.probabilities * self._squares).sum(axis=-1)

    @property
    def third_central_moment(self) -> Float[Array, "n m p p p"]:
        """sum_l w_l (t_l - mu)^(x3)."""
        tensor_guard(self.shape, 3)
        d = self._deviations
        return jnp.einsum("ijk,ijka,ijkb,ijkc->ijabc", self.probabilities, d, d, d)

    @property
    def fourth_central_moment(self) -> Float[Array, "n m p p p p"]:
        """sum_l w_l (t_l - mu)^(x4)."""
        tensor_guard(self.shape, 4)
        d = self._deviations
        return jnp.einsum("ijk,ijka,ijkb,ijkc,ijkd->ijabcd", self.probabilities, d, d, d, d)

    @property
    def cubic_moment(self) -> Float[Array, "n m p"]:
        """sum_l w_l (t_l - mu) ||t_l - mu||^2."""
        return jnp.einsum("ijk,ijka->ija", self.probabilities * self._squares, self._deviations)

    @property
    def quartic_moment(self) -> Float[Array, "n m"]:
        """sum_l w_l ||t_l - mu||^4."""
        return (self.probabilities * self._squares**2).sum(axis=-1)

    @property
    def subgaussian_proxy(self) -> Float[Array, "n m p p"]:
        """Kearns and Saul's for two letters, Hoeffding's for more; see :mod:`dkps_theory.populations._proxies`."""
        tensor_guard(self.shape, 2)
        table = jnp.broadcast_to(self._steps[None, None], (*self.probabilities.shape, self.table.shape[1]))
        return finite_law_proxy(self.probabilities, table)

    @property
    def embedding_bound(self) -> Float[Array, "n m"]:
        """Largest ||t_l|| among the letters that are ever drawn."""
        norms = jnp.sqrt((self.table**2).sum(axis=-1))
        return jnp.where(self.probabilities > 0, norms[None, None], 0.0).max(axis=-1)

    def _sample(self, key: Key, r: int) -> Float[Array, "n m r p"]:
        return self.table[letters(key, self.probabilities, r)]

    def _sample_mean_errors(self, key: Key, r: Float[Array, ""]) -> Float[Array, "n m p"]:
        gaps = multinomial(key, r, self.probabilities) / r - self.probabilities
        # sum_l gap_l (t_l - mu), the centred form without its (n, m, k, p) array. In theory the gaps sum to zero; where
        # one letter has nearly all the mass, the rounding of its own gap would otherwise be as large as the error.
        shift = self.probabilities @ self._steps
        return gaps @ self._steps - gaps.sum(axis=-1, keepdims=True) * shift

    def to_document(self) -> dict[str, Any]:
        """Return plain Python numbers and lists, ready for TOML."""
        return {
            "kind": "categorical",
            "probabilities": self.probabilities.tolist(),
            "table": self.table.tolist(),
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Categorical:
        """Build from what :meth:`to_document` returns; errors name the key."""
        check_keys(document, required=("probabilities", "table"))
        return cls(array_of(document, "probabilities"), array_of(document, "table"))


def bernoulli(probabilities: ArrayLike) -> Categorical:
    """Return 0/1 answers, embedded as themselves in R^1: the simulation of A25 (arXiv:2511.08307).

    Parameters
    ----------
    probabilities
        (n, m), the probability of the answer 1, each in [0, 1].

    Raises
    ------
    InputError
        On wrong axes, NaN or infinity, or a probability outside [0, 1] (the cell is named).

    Examples
    --------
    >>> bernoulli([[0.25, 0.5]]).mean[..., 0].tolist()
    [[0.25, 0.5]]
    """
    ones = np.asarray(numbers("probabilities", probabilities, "n m"))
    outside = np.argwhere((ones < 0) | (ones > 1))
    if len(outside):
        value = ones[tuple(outside[0])]
        raise InputError(f"probabilities: got {value:g} at {cell(outside[0])}; each must lie in [0, 1]")
    return Categorical(np.stack([1 - ones, ones], axis=-1), np.asarray([[0.0], [1.0]]))
