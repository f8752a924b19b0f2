r"""Where EM begins: k-means++ centres and Lloyd steps, for one data set with the points last, x (d, n).

Draws are numbered by centre and trial, and taken from the cumulative weights, so neither points of weight 0 nor
components that are not active change which points are chosen.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from dkps_theory._types import Key

# scikit-learn's default: k-means stops when its centres move by less than this share of the mean variance.
_TOLERANCE = 1e-4
# Candidates of a centre have numbers of their own below this one; 2 + log k stays below it for every k.
_MOST_TRIALS = 64


def squared_distances(x: Float[Array, "d n"], centres: Float[Array, "k d"]) -> Float[Array, "k n"]:
    """Return ||x_i - c_k||^2, as sums of squared differences."""
    return ((x[None] - centres[:, :, None]) ** 2).sum(axis=1)


def plus_plus(
    x: Float[Array, "d n"], point_weights: Float[Array, " n"], active: Bool[Array, " k"], key: Key
) -> Float[Array, "k d"]:
    """Choose the centres of the active components among the points by greedy k-means++; the others stay at 0.

    The first point has probability proportional to its weight, each later one to its weight times its squared distance
    to the nearest centre so far; of 2 + floor(log k) such candidates the one that leaves the least sum of those is
    taken, k the number of active components. Arthur, Vassilvitskii (2007); the greedy form is scikit-learn's.
    """
    k, n = active.shape[0], x.shape[1]
    trials = 2 + int(math.log(k))
    allowed = 2 + jnp.floor(jnp.log(active.sum().astype(float))).astype(int)
    rank = jnp.cumsum(active) - 1

    words = (rank[:, None] * _MOST_TRIALS + jnp.arange(trials)[None]).ravel()
    shares = jax.vmap(lambda word: jax.random.uniform(jax.random.fold_in(key, word), dtype=x.dtype))(words)
    shares = shares.reshape(k, trials)
    last = jnp.max(jnp.where(point_weights > 0, jnp.arange(n), 0))

    def choose(place: Array, state: tuple[Array, Array]) -> tuple[Array, Array]:
        centres, nearest = state
        is_first = rank[place] <= 0
        cumulative = jnp.cumsum(point_weights * jnp.where(is_first, 1.0, nearest))
        # The first point at which the cumulative weight exceeds the share; rounding must not lead beyond the last.
        targets = shares[place] * cumulative[-1]
        chosen = jnp.minimum((cumulative[None] <= targets[:, None]).sum(axis=1), last)
        candidates = x[:, chosen].T
        left = jnp.minimum(nearest[None], squared_distances(x, candidates))
        is_tried = jnp.arange(trials) < jnp.where(is_first, 1, allowed)
        best = jnp.argmin(jnp.where(is_tried, (left * point_weights[None]).sum(axis=1), jnp.inf))
        is_active = active[place]
        centre = jnp.where(is_active, candidates[best], 0.0)
        return centres.at[place].set(centre), jnp.where(is_active, left[best], nearest)

    start = (jnp.zeros((k, x.shape[0]), x.dtype), jnp.full(n, jnp.inf, x.dtype))
    # Places beyond the last active one need no round: much of the time where there is room to spare.
    beyond = jnp.max(jnp.where(active, jnp.arange(k), -1)) + 1
    return lax.fori_loop(0, beyond, choose, start)[0]


def memberships(x: Float[Array, "d n"], active: Bool[Array, " k"], centres: Float[Array, "k d"]) -> Float[Array, "k n"]:
    """Return 1 where component k is the nearest active centre of point i, the first of equally near ones, else 0."""
    k = active.shape[0]
    # ||x_i - c_k||^2 - ||x_i||^2 is one matrix product, as in scikit-learn; the data are centred.
    distances = (centres**2).sum(axis=1)[:, None] - 2 * (centres @ x)
    distances = jnp.where(active[:, None], distances, jnp.inf)
    numbers = jnp.arange(k)[:, None]
    # argmin, several times as fast on a CPU
    nearest = jnp.where(distances <= distances.min(axis=0, keepdims=True), numbers, k).min(axis=0, keepdims=True)
    return (nearest == numbers).astype(x.dtype)


def lloyd(
    x: Float[Array, "d n"],
    point_weights: Float[Array, " n"],
    active: Bool[Array, " k"],
    centres: Float[Array, "k d"],
    max_steps: Int[Array, ""],
) -> Float[Array, "k d"]:
    """Return k-means centres after Lloyd steps, ``max_steps`` or until they move by less than scikit-learn's tolerance.

    A centre that no point is nearest to stays where it is.
    """
    share = point_weights / point_weights.sum()
    spread = (share[None] * (x - (x @ share)[:, None]) ** 2).sum(axis=1).mean()

    def body(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        old, steps, _ = state
        members = memberships(x, active, old) * point_weights[None]
        counts = members.sum(axis=1)[:, None]
        new = jnp.where(counts > 0, members @ x.T / jnp.where(counts > 0, counts, 1.0), old)
        return new, steps + 1, ((new - old) ** 2).sum() <= _TOLERANCE * spread

    state = (centres, jnp.asarray(0), jnp.asarray(False))
    return lax.while_loop(lambda state: ~state[2] & (state[1] < max_steps), body, state)[0]
