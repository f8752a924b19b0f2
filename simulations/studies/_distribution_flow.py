"""What the study of the flow of distributions computes: masses missed and added at a level, and total variation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int
from scipy import stats

from dkps_theory._gaussian import LOG_TWO_PI, log_densities
from dkps_theory._types import Key
from dkps_theory._validate import nearest_name, require, whole_number
from dkps_theory.information.mixture import Mixture
from dkps_theory.information.mixture_world import ANCHORS_EACH, MixtureWorld, Sample
from simulations.grid import Cell
from simulations.studies._kl_gap_exact import DRAWS, Law, ready, stratified, stratified_mean
from simulations.studies.distribution_flow import DESIGNS, LAWS, LEVEL, SWEEPS, numbers

#: Room that all cells of the study share: K at most 8, K + J + L at most 12.
ROOM = (8, 12)


class Flow(eqx.Module):
    """A mixture world, how many of its anchors there are, and the standard deviation of the noise of curation.

    The number of anchors is traced: worlds that differ in it alone share compiled code.
    """

    world: MixtureWorld
    anchors: Int[Array, ""]
    noise: Float[Array, ""]

    def anchored(self, key: Key, truth: Mixture) -> Sample:
        """Return the anchors; labels are independent, so the first ones are as good as any."""
        sample = self.world.anchors(key, truth)
        return sample._replace(present=sample.present & (jnp.arange(len(sample.labels)) < self.anchors))


class Laws(NamedTuple):
    """The law of an anchor, the truth, and the law D_gen of a synthetic point."""

    anchors: Mixture
    truth: Mixture
    synthetic: Mixture


def prepare(cell: Cell, axes: Mapping[str, Sequence[Any]]) -> Flow:
    """Return the world of a cell.

    Raises
    ------
    InputError
        When laws are left out or unknown, the sweep is unknown, or a value is out of range.
    """
    if tuple(axes["law"]) != LAWS:
        raise nearest_name("law", next((one for one in axes["law"] if one not in LAWS), "fewer"), LAWS)
    sweep, value = str(cell.factors["sweep"]), float(cell.factors["value"])
    if sweep not in SWEEPS:
        raise nearest_name("sweep", sweep, [str(name) for name in SWEEPS])
    protocol, dimension = DESIGNS[str(cell.factors["design"])]
    if sweep != "noise":
        whole_number(sweep, value, 0)
    K, J, L = numbers(sweep, value)
    noise = value if sweep == "noise" else 0.0
    require(noise >= 0, f"noise: got {noise:g}; a standard deviation must be at least 0")
    room = max(ROOM[0], K), max(ROOM[1], K + J + L)
    most = None if sweep != "anchors" else K * max(int(value), *(int(one) for one in SWEEPS["anchors"]))
    world = MixtureWorld(K, J, L, dimension=dimension, protocol=protocol, room=room, anchors=most)
    there = K * whole_number("anchors", value, 1) if most else world.anchor_total or K * ANCHORS_EACH
    return Flow(world, jnp.asarray(there), jnp.asarray(noise))


def laws_of(flow: Flow, truth: Mixture, generator: Mixture) -> Laws:
    """Return the laws that are compared."""
    anchors = Mixture(flow.world.in_prompt / flow.world.K, truth.means, truth.covariances)
    spread = generator.covariances + flow.noise**2 * jnp.eye(truth.dimension)[None]
    return Laws(anchors, truth, Mixture(generator.weights, generator.means, spread))


def threshold(dimension: int) -> float:
    """Return the squared Mahalanobis radius of an ellipsoid that holds LEVEL of its Gaussian."""
    return float(stats.chi2.ppf(LEVEL, dimension))


def placed(law: Law, points: Float[Array, "d n"]) -> tuple[Bool[Array, " n"], Float[Array, " n"]]:
    """Return for each column of ``points`` whether it is in the law's region, and the log density there."""
    terms = log_densities(points, law.means, law.factors)
    d = points.shape[0]
    edge = -law.factors.log_det - 0.5 * (d * LOG_TWO_PI + threshold(d))
    present = jnp.isfinite(law.log_weights)
    inside = ((terms >= edge[:, None]) & present[:, None]).any(axis=0)
    return inside, jax.nn.logsumexp(jax.lax.optimization_barrier(law.log_weights[:, None] + terms), axis=0)


def measured(key: Key, laws: Laws, size: int = DRAWS) -> dict[str, Float[Array, "2"]]:
    """Return missed, added and total variation with standard errors, against the anchors' law and against the truth.

    TV = 1/2 int |p - q| = 1/2 E_P|tanh(D/2)| + 1/2 E_Q|tanh(D/2)|, D = log p - log q, since
    |p - q| = (p + q)|tanh(D/2)|: bounded, and without variance where the laws do not overlap.
    """
    ready_laws = ready(laws)
    keys = jax.random.split(key, len(ready_laws))
    draws = [stratified(one, law, size) for one, law in zip(keys, ready_laws, strict=True)]
    points = jnp.concatenate(draws, axis=1)
    regions, densities = (
        jnp.stack(parts).reshape(len(ready_laws), len(ready_laws), size)
        for parts in zip(*(placed(law, points) for law in ready_laws), strict=True)
    )
    # First axis: whose region or density; second: whose draws. The last law is D_gen.
    own = jnp.arange(len(LAWS))
    missed = regions[own, own] & ~regions[-1, own]
    added = regions[-1, -1][None] & ~regions[own, -1]
    apart = jnp.abs(jnp.tanh(0.5 * (densities[own] - densities[-1:])))
    value, se = jax.vmap(stratified_mean)(
        jnp.concatenate([missed.astype(float), added.astype(float), apart[own, own], apart[:, -1]])
    )
    (missed, added, here, there), (missed_se, added_se, here_se, there_se) = (
        one.reshape(4, len(LAWS)) for one in (value, se)
    )
    return {
        "missed": missed,
        "missed_se": missed_se,
        "added": added,
        "added_se": added_se,
        "variation": 0.5 * (here + there),
        "variation_se": 0.5 * jnp.hypot(here_se, there_se),
    }


def drawn(key: Key, flow: Flow) -> tuple[Mixture, Mixture]:
    """Return a truth, and a generator made from its anchors."""
    truth_key, anchor_key = jax.random.split(key)
    world = flow.world
    truth = Mixture(world.in_truth / (world.K + world.J), *world.components(truth_key))
    return truth, world.generator(truth, flow.anchored(anchor_key, truth))


def replicate(key: Key, flow: Flow) -> dict[str, Array]:
    """Return one repetition."""
    data_key, draw_key = jax.random.split(key)
    truth, generator = drawn(data_key, flow)
    found: dict[str, Array] = dict(measured(draw_key, laws_of(flow, truth, generator)))
    unseen = flow.world.in_prompt & (generator.weights == 0)
    return {**found, "unseen": unseen.sum().astype(float)}


def truth(flow: Flow) -> dict[str, np.ndarray]:
    """Return the total variation of the component labels, against the anchors' law and the truth."""
    K, J, L = (int(one) for one in (flow.world.K, flow.world.J, flow.world.L))
    return {"label_variation": np.array([J + L, L]) / (K + J + L)}
