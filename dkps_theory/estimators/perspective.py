"""Responses -> mean embeddings -> dissimilarities -> perspectives, in one call."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from dkps_theory._keys import checked_key
from dkps_theory._types import Key
from dkps_theory._validate import InputError, require, shown, whole_number
from dkps_theory.conventions import DEFAULT, Convention, checked_convention
from dkps_theory.geometry import (
    RawStressMDS,
    classical_mds_of_means,
    debiased_squared_dissimilarities,
    dissimilarities,
    raw_stress_mds,
)
from dkps_theory.geometry.raw_stress import STARTS
from dkps_theory.responses import ResponseSummary

SCALINGS = ("classical", "raw-stress")


class Perspectives(eqx.Module):
    """Estimated perspectives of n models, and what they rest on.

    Attributes
    ----------
    configuration
        Psi^ (n, d), centred, up to an orthogonal motion.
    means
        X (n, m, p), the mean embeddings.
    dissimilarities
        D (n, n).
    debiased_squared
        The unbiased estimate of Delta^2 (n, n), or None where there is none: e != 1, or some r_ij = 1. It may be
        negative off the diagonal.
    eigenvalues
        Those of B^ (n), descending.
    eigengap, rank, negative
        As in :class:`dkps_theory.geometry.ClassicalMDS`, of the same D whatever the scaling.
    raw_stress
        What the minimisation says about itself (stress, starts, ties), or None for classical scaling.
    convention
        The pair (c, e) that D was formed under.
    models, queries
        Names, in the order of the axes.
    """

    configuration: Float[Array, "n d"]
    means: Float[Array, "n m p"]
    dissimilarities: Float[Array, "n n"]
    debiased_squared: Float[Array, "n n"] | None
    eigenvalues: Float[Array, " n"]
    eigengap: Float[Array, ""]
    rank: Float[Array, ""]
    negative: Float[Array, ""]
    raw_stress: RawStressMDS | None
    convention: Convention = eqx.field(static=True)
    models: tuple[str, ...] = eqx.field(static=True)
    queries: tuple[str, ...] = eqx.field(static=True)

    @property
    def converged(self) -> Bool[Array, ""]:
        """Whether the configuration is a minimum of its criterion; always so for classical scaling, solved directly."""
        return jnp.asarray(True) if self.raw_stress is None else self.raw_stress.converged


def perspectives(
    responses: Any,
    d: int,
    convention: Convention = DEFAULT,
    *,
    scaling: str = "classical",
    key: Key | None = None,
    starts: int = STARTS,
) -> Perspectives:
    """Estimate the perspectives of models from their embedded responses, by classical MDS or by raw stress.

    Parameters
    ----------
    responses
        An array (n, m, r, p), a masked array of that shape, a mapping from model names to (m, r, p), a long table, or
        a :class:`dkps_theory.ResponseSummary`; see :meth:`ResponseSummary.from_any`.
    d
        Perspective dimension, 1 <= d < n.
    convention
        Normalisation and exponent of the dissimilarity.
    scaling
        "classical", the top eigenvectors of the doubly centred D^2, or "raw-stress", which minimises
        sum_{i,i'} (||z_i - z_i'|| - D_ii')^2 by search. The result says whether that converged, never an error.
    key
        Typed key of the random starts of raw stress; nothing else is random.
    starts
        How many starts raw stress has.

    Raises
    ------
    InputError
        For responses that cannot be read (the line says where), fewer than two models, d < 1 or d >= n, an unknown
        scaling, raw stress without a key, or what is no :class:`Convention`.

    Notes
    -----
    A24 (arXiv:2409.17308), section 2: raw stress is its equation 1. Classical scaling as in A25 (arXiv:2511.08307),
    Algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> responses = np.array([0.0, 1.0, 3.0]).reshape(3, 1, 1, 1)  # three models, one query, one answer, p = 1
    >>> estimate = perspectives(responses, 1)
    >>> estimate.dissimilarities[0].tolist(), int(estimate.rank)
    ([0.0, 1.0, 3.0], 1)
    """
    convention = checked_convention(convention)
    if scaling not in SCALINGS:
        raise InputError(f"scaling: got {shown(scaling)}; it must be one of {', '.join(SCALINGS)}")
    whole_number("starts", starts, 1)
    summary = ResponseSummary.from_any(responses)
    n = summary.means.shape[0]
    require(n >= 2, f"responses: got n = {n} model; perspectives compare at least two")
    scaled = classical_mds_of_means(summary.means, d, convention)
    D = dissimilarities(summary.means, convention)
    searched = None if scaling == "classical" else raw_stress_mds(D, d, key=checked_key(key), starts=starts)
    gamma = summary.gamma
    debiased = None
    if gamma is not None and convention.is_linear:
        debiased = debiased_squared_dissimilarities(summary.means, gamma, summary.counts, convention)
    return Perspectives(
        configuration=scaled.configuration if searched is None else searched.configuration,
        means=summary.means,
        dissimilarities=D,
        debiased_squared=debiased,
        eigenvalues=scaled.eigenvalues,
        eigengap=scaled.eigengap,
        rank=scaled.rank,
        negative=scaled.negative,
        raw_stress=searched,
        convention=convention,
        models=summary.models,
        queries=summary.queries,
    )
