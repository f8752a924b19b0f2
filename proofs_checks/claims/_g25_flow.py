"""Repetitions of G25's mixture simulation for claims about where its laws lie, and what these claims assume of them."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from proofs_checks.claim import Hypothesis, Witness

#: Repetitions at once: every draw has this one shape.
BATCH = 100
#: Anchors by component: of the simulation, and many.
FEW, MANY = 50, 3200


@dataclass(frozen=True)
class Repeated:
    """What is repeated.

    Attributes
    ----------
    design, own
        Protocol and dimension, and J = L.
    anchors
        By component.
    known
        Whether the generator has the true moments of the K components.
    shrunk
        What the generator's re-estimated covariances are multiplied with.
    """

    design: str = "corrected d=2"
    own: int = 2
    anchors: int = FEW
    known: bool = False
    shrunk: float = 1.0


@functools.cache
def _compiled() -> Any:
    import equinox as eqx
    import jax
    import jax.numpy as jnp

    from dkps_theory.information.mixture import Mixture
    from simulations.studies._distribution_flow import drawn, laws_of, measured

    def one(key: Any, flow: Any, known: Any, shrunk: Any) -> Any:
        data_key, draw_key = jax.random.split(key)
        truth, generator = drawn(data_key, flow)
        means = jnp.where(known, truth.means, generator.means)
        spread = jnp.where(known, truth.covariances, generator.covariances)
        scale = jnp.where(flow.world.in_prompt, shrunk, 1.0)
        laws = laws_of(flow, truth, Mixture(generator.weights, means, scale[:, None, None] * spread))
        return measured(draw_key, laws), laws

    return eqx.filter_jit(jax.vmap(one, (0, None, None, None)))


@functools.cache
def repetitions(case: Repeated, seed: int, count: int) -> tuple[dict[str, np.ndarray], Any]:
    """Return masses missed and added against the anchors' law, and the laws of the first batch."""
    import jax
    import jax.numpy as jnp

    import dkps_theory as dk
    from dkps_theory.information.mixture_world import MixtureWorld
    from simulations.studies._distribution_flow import Flow
    from simulations.studies.distribution_flow import DESIGNS

    protocol, dimension = DESIGNS[case.design]
    K, own = 2, case.own
    total = None if protocol == "published" else K * MANY
    world = MixtureWorld(K, own, own, dimension=dimension, protocol=protocol, room=(2, 6), anchors=total)
    flow = Flow(world, jnp.asarray(K * case.anchors), jnp.asarray(0.0))
    given = flow, jnp.asarray(case.known), jnp.asarray(case.shrunk)
    keys = jax.random.split(dk.study_key(seed, f"G25-F5/{case}"), (count // BATCH, BATCH))
    parts = [_compiled()(batch, *given) for batch in keys]
    found = {name: np.concatenate([np.asarray(part[0][name])[:, 0] for part in parts]) for name in ("missed", "added")}
    return found, parts[0][1]


def repeated(case: Repeated) -> Witness:
    """Return repetitions as a witness: the generator is not the anchors' law in any of them."""
    return Witness(
        "repetitions of the simulation at K = J = L = 2",
        lambda: repetitions(case, 0, BATCH),
        lambda w: bool(np.all(w[0]["added"] > 0)),
    )


def _definite(w: Any) -> bool:
    there = [np.asarray(law.covariances)[np.asarray(law.weights) > 0] for law in w[1]]
    return bool(np.linalg.eigvalsh(np.concatenate(there)).min() > 0)


def _equal_weights(w: Any) -> bool:
    rows = [row[row > 0] for law in w[1] for row in np.asarray(law.weights)]
    return all(float(np.ptp(row)) < 1e-12 for row in rows)


DEFINITE = Hypothesis("all covariances are positive definite", _definite)
EQUAL = Hypothesis("components have equal weights", _equal_weights)
