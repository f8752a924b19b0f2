"""Responses -> mean embeddings -> dissimilarities -> perspectives, in one call."""

from __future__ import annotations

from typing import Any

import equinox as eqx
from jaxtyping import Array, Float

from dkps_theory._validate import require
from dkps_theory.conventions import DEFAULT, Convention, checked_convention
from dkps_theory.geometry import classical_mds_of_means, debiased_squared_dissimilarities, dissimilarities
from dkps_theory.responses import ResponseSummary


class Perspectives(eqx.Module):
    """Estimated perspectives of n models, and what they rest on.

    Attributes
    ----------
    configuration
        Psi^ (n, d), centred, up to an orthogonal motion.
    dissimilarities
        D (n, n).
    debiased_squared
        The unbiased estimate of Delta^2 (n, n), or None where there is none: e != 1, or some r_ij = 1. It may be
        negative off the diagonal.
    eigenvalues
        Those of B^ (n), descending.
    eigengap, rank, negative
        As in :class:`dkps_theory.geometry.ClassicalMDS`.
    convention
        The pair (c, e) that D was formed under.
    models, queries
        Names, in the order of the axes.
    """

    configuration: Float[Array, "n d"]
    dissimilarities: Float[Array, "n n"]
    debiased_squared: Float[Array, "n n"] | None
    eigenvalues: Float[Array, " n"]
    eigengap: Float[Array, ""]
    rank: Float[Array, ""]
    negative: Float[Array, ""]
    convention: Convention = eqx.field(static=True)
    models: tuple[str, ...] = eqx.field(static=True)
    queries: tuple[str, ...] = eqx.field(static=True)


def perspectives(responses: Any, d: int, convention: Convention = DEFAULT) -> Perspectives:
    """Estimate the perspectives of models from their embedded responses, by classical MDS.

    Parameters
    ----------
    responses
        An array (n, m, r, p), a masked array of that shape, a mapping from model names to (m, r, p), a long table, or
        a :class:`dkps_theory.ResponseSummary`; see :meth:`ResponseSummary.from_any`.
    d
        Perspective dimension, 1 <= d < n.
    convention
        Normalisation and exponent of the dissimilarity.

    Raises
    ------
    InputError
        For responses that cannot be read (the line says where), fewer than two models, d < 1 or d >= n, or what is no
        :class:`Convention`.

    Notes
    -----
    A24 (arXiv:2409.17308), section 2, with classical scaling as in A25 (arXiv:2511.08307), Algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> responses = np.array([0.0, 1.0, 3.0]).reshape(3, 1, 1, 1)  # three models, one query, one answer, p = 1
    >>> estimate = perspectives(responses, 1)
    >>> estimate.dissimilarities[0].tolist(), int(estimate.rank)
    ([0.0, 1.0, 3.0], 1)
    """
    convention = checked_convention(convention)
    summary = ResponseSummary.from_any(responses)
    n = summary.means.shape[0]
    require(n >= 2, f"responses: got n = {n} model; perspectives compare at least two")
    scaled = classical_mds_of_means(summary.means, d, convention)
    gamma = summary.gamma
    debiased = None
    if gamma is not None and convention.is_linear:
        debiased = debiased_squared_dissimilarities(summary.means, gamma, summary.counts, convention)
    return Perspectives(
        configuration=scaled.configuration,
        dissimilarities=dissimilarities(summary.means, convention),
        debiased_squared=debiased,
        eigenvalues=scaled.eigenvalues,
        eigengap=scaled.eigengap,
        rank=scaled.rank,
        negative=scaled.negative,
        convention=convention,
        models=summary.models,
        queries=summary.queries,
    )
