"""Perspectives of models that the estimate has not seen: their place in its frame, which does not move."""

from __future__ import annotations

from typing import Any

from jaxtyping import Float

from dkps_theory._keys import checked_key
from dkps_theory._types import AnyArray, Key
from dkps_theory._validate import InputError, shown, whole_number
from dkps_theory.conventions import Convention
from dkps_theory.estimators.perspective import Perspectives
from dkps_theory.geometry import Placement, classical_placement, cross_dissimilarities, raw_stress_placement
from dkps_theory.geometry.one_point_stress import STARTS
from dkps_theory.geometry.out_of_sample import RULES
from dkps_theory.responses import ResponseSummary


def place(
    estimate: Perspectives, responses: Any, rule: str = "gower", *, key: Key | None = None, starts: int = STARTS
) -> Placement:
    """Place new models among estimated perspectives, by their responses to the same queries.

    Parameters
    ----------
    estimate
        What :func:`perspectives` returned: the frame.
    responses
        Of q new models, in any form that :func:`perspectives` takes, with the m queries in the same order.
    rule
        Of a frame by classical scaling: "gower" or "trosset-priebe". A frame by raw stress has one-point raw stress.
    key
        Typed key of the random starts, for a frame by raw stress; nothing else is random.
    starts
        Searches per model, for a frame by raw stress.

    Returns
    -------
    Placement
        The q places, in the axes of ``estimate.configuration``, and how far the models lie off what it can show.

    Raises
    ------
    InputError
        For responses that cannot be read, another m or p than the frame's, an unknown rule, or raw stress without key.

    Notes
    -----
    Noise in the new model's means adds c^2 sum_j gamma_j / r to the squared length off the span, which at c = 1/sqrt(m)
    no number of queries takes away. Against an exact frame, Trosset and Priebe's rule turns it into a bias outwards and
    Gower's does not. But an estimated frame is inflated too: for equal gamma and r, as m grows, its column k by the
    factor a_k = (1 + gamma / (r lambda_k))^{1/2}. Gower's placement in it is off by 1 / a_k, and Trosset and Priebe's
    by nearly a_k, like the frame itself. Both vanish as r grows; then Gower's tends to the projection of the new mean.

    Examples
    --------
    >>> import numpy as np
    >>> from dkps_theory.estimators.perspective import perspectives
    >>> responses = np.array([0.0, 1.0, 3.0]).reshape(3, 1, 1, 1)  # three models, one query, one answer, p = 1
    >>> place(perspectives(responses, 1), np.full((1, 1, 1, 1), 4.0)).configuration.round(6).tolist()
    [[2.666667]]
    """
    if not isinstance(estimate, Perspectives):
        raise InputError(f"estimate: got {shown(estimate)}; it must be what perspectives() returned")
    if rule not in RULES:
        raise InputError(f"rule: got {shown(rule)}; it must be one of {', '.join(RULES)}")
    whole_number("starts", starts, 1)
    summary = ResponseSummary.from_any(responses)
    wanted, got = estimate.means.shape[1:], summary.means.shape[1:]
    if got != wanted:
        raise InputError(f"responses: got (m, p) = {got}; those of the frame have {wanted}")
    return placement_of_means(
        estimate.configuration,
        estimate.dissimilarities,
        estimate.means,
        summary.means,
        estimate.convention,
        rule,
        by_raw_stress=estimate.raw_stress is not None,
        key=key,
        starts=starts,
    )


def placement_of_means(
    configuration: Float[AnyArray, "n d"],
    dissimilarities: Float[AnyArray, "n n"],
    means: Float[AnyArray, "n m p"],
    new_means: Float[AnyArray, "q m p"],
    convention: Convention,
    rule: str,
    *,
    by_raw_stress: bool,
    key: Key | None,
    starts: int,
) -> Placement:
    """Place new mean embeddings into a frame that is given by its parts; see :func:`place`.

    For this room only: callers have checked that m and p agree.
    """
    new = cross_dissimilarities(new_means, means, convention)
    if not by_raw_stress:
        return classical_placement(configuration, dissimilarities, new, rule)
    return raw_stress_placement(configuration, new, key=checked_key(key), starts=starts)
