"""Adversarial search: climb by gradient towards the case that violates a bound most, and keep the worst one found.

The search picks, fresh keys judge: an objective may use draws of its own (common random numbers under a search key),
but the case it ends at is judged by another tool of this folder on keys that the search has not seen. The worst case
known is stored as JSON, ``{"claim", "says", "value", "parameters"}``, and every later search looks at it again first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from proofs_checks.claim import Setting

WORST = Path(__file__).resolve().parent.parent / "adversaries"


@dataclass(frozen=True)
class Found:
    """Where a search ended: the parameters, the objective there, and whether the stored case is still the worst."""

    parameters: np.ndarray
    value: float
    stored: bool


def hunt(
    objective: Callable[[Any], Any],
    starts: Sequence[np.ndarray],
    setting: Setting,
    *,
    stored: str | None = None,
    quick: int = 20,
    full: int = 200,
) -> Found:
    """Climb the objective from every start with L-BFGS and JAX's gradient; return the best place seen.

    Parameters
    ----------
    objective
        A function of one flat array, differentiable by JAX almost everywhere. Not finite counts as worst of all: a
        bound that gives NaN is no bound.
    starts
        Flat arrays to start from, all of one length, so that one compiled function serves.
    setting, quick, full
        The budget chooses the number of L-BFGS steps from each start.
    stored
        Name of a stored worst case, to be looked at and climbed from too.
    """
    import jax
    from scipy import optimize

    value_and_gradient = jax.jit(jax.value_and_grad(objective))
    kept = None if stored is None else np.asarray(load_worst(stored)["parameters"], float)
    begin = [*([] if kept is None else [kept]), *(np.asarray(start, float) for start in starts)]
    best = Found(begin[0], -np.inf, kept is not None)

    def seen(parameters: np.ndarray, own: bool) -> tuple[float, np.ndarray]:
        nonlocal best
        value, gradient = (np.asarray(part, float) for part in value_and_gradient(parameters))
        value = float(value) if np.isfinite(value) else np.inf
        if value > best.value:
            best = Found(parameters.copy(), value, own)
        return -value, -np.nan_to_num(gradient)

    if kept is not None:
        seen(kept, True)
    for start in begin:
        if np.isinf(best.value) and best.value > 0:
            break
        optimize.minimize(
            lambda x: seen(x, False), start, jac=True, method="L-BFGS-B", options={"maxiter": setting.size(quick, full)}
        )
    return best


def load_worst(name: str) -> dict[str, Any]:
    """Return the worst case on record under a name."""
    return json.loads((WORST / f"{name}.json").read_text(encoding="utf-8"))


def save_worst(name: str, claim: str, says: str, found: Found) -> Path:
    """Put a worse case on record; by hand, after a search at full budget, never from a check."""
    document = {"claim": claim, "says": says, "value": found.value, "parameters": found.parameters.tolist()}
    path = WORST / f"{name}.json"
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return path
