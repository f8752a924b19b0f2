"""Raw stress: its cost for each start against classical scaling, and plain majorisation against scikit-learn's."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.manifold import smacof as reference

from dkps_theory.geometry import classical_mds_of_means, dissimilarities, raw_stress_mds, smacof
from dkps_theory.geometry.raw_stress import STARTS
from dkps_theory.monte_carlo import replicate_keys
from simulations.benchmarks.measure import Device, Row, default_population, interleaved, label

#: Problems of one batch and models of each, for the comparison with scikit-learn.
PROBLEMS = ((20, 50), (100, 10), (500, 4))
EPS, STEPS = 1e-6, 300


def cost_of_a_start(device: Device, repeat: int, batch: int = 50) -> Row:
    """Compare raw stress in d = 2 with classical scaling of the same means, from one draw of X in each replicate."""
    population = default_population()
    keys = replicate_keys(0, "benchmarks", 2, 0, batch)
    means = jax.jit(jax.vmap(lambda key: population.sample_means(key, 100)))(keys)

    @jax.jit
    def classical(means: jax.Array) -> jax.Array:
        return jax.vmap(lambda mean: classical_mds_of_means(mean, 2).configuration)(means)

    @jax.jit
    def raw(means: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        def one(mean: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
            found = raw_stress_mds(dissimilarities(mean), 2, key=key)
            return found.configuration, found.converged, found.reached

        return jax.vmap(one)(means, keys)

    fast, slow = interleaved(lambda: classical(means), lambda: raw(means), repeat)
    _, converged, reached = raw(means)
    return Row(
        what="raw stress for each start, against classical scaling of the means, default cell at r = 100",
        device=label(device),
        value=slow / STARTS / fast,
        unit="times the cost",
        low=None,
        high=5,
        detail=(
            f"{1e6 * slow / batch / STARTS:.3g} us against {1e6 * fast / batch:.3g} us a problem, n = 20, d = 2; "
            f"{int(converged.sum())} of {batch} converged, {float(reached.mean()):.1f} of {STARTS} starts at the best"
        ),
    )


def majorisation(device: Device, repeat: int) -> list[Row]:
    """Compare batched majorisation with scikit-learn's, one problem after another: same D, starts and stopping rule."""
    return [_against_scikit_learn(device, repeat, n, batch) for n, batch in PROBLEMS]


def _against_scikit_learn(device: Device, repeat: int, n: int, batch: int) -> Row:
    generator = np.random.default_rng(n)
    points = generator.normal(size=(batch, n, 5))
    D = np.linalg.norm(points[:, :, None] - points[:, None], axis=-1)
    starts = generator.normal(size=(batch, n, 2))

    @jax.jit
    def ours(D: jax.Array, starts: jax.Array) -> tuple[jax.Array, ...]:
        return jax.vmap(functools.partial(smacof, eps=EPS, max_iterations=STEPS))(D, starts)

    def theirs() -> list[Any]:
        options = {"n_init": 1, "eps": EPS, "max_iter": STEPS, "return_n_iter": True, "normalized_stress": False}
        return [reference(d, init=start.copy(), **options) for d, start in zip(D, starts, strict=True)]

    D_device, starts_device = jnp.asarray(D), jnp.asarray(starts)
    fast, slow = interleaved(lambda: ours(D_device, starts_device), theirs, max(1, repeat // 2))
    _, stresses, steps, _ = ours(D_device, starts_device)
    found = theirs()
    stress, step = np.array([2 * one[1] for one in found]), np.array([one[2] for one in found])
    apart = float(np.abs(np.asarray(stresses) / stress - 1).max())
    return Row(
        what=f"majorisation from the same starts by the same rule, n = {n}, against scikit-learn",
        device=label(device),
        value=slow / fast,
        unit="times faster",
        low=5,
        high=None,
        detail=(
            f"{1e3 * fast / batch:.3g} ms against {1e3 * slow / batch:.3g} ms a problem, {batch} problems, d = 2; "
            f"{int(np.sum(np.asarray(steps)))} against {int(step.sum())} steps; stresses agree to {apart:.1g}"
        ),
    )
