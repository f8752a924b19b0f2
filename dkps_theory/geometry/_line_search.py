r"""Raw stress on a line: local search over orders, and the exact optimum by dynamic programming over subsets.

For a fixed order with signs s_ij = +1 where j comes before i and -1 after, and t_i = sum_j s_ij D_ij,

    sum_{ordered} D_ij |x_i - x_j| >= 2 sum_i x_i t_i,        with equality iff x is in that order where D_ij > 0,

so sigma(x) <= ||D||^2 + 2 n ||x||^2 - 4 <x, t> for centred x, and sigma(t / n) <= ||D||^2 - 2 ||t||^2 / n, the least
value of the right-hand side (Defays 1978). A best x attains equality for its own order, so minimising stress is
maximising f = ||t||^2 over orders, and the Guttman transform of x is t / n for the order of x.

The contribution t_i^2 depends on the set of points before i alone; so the best f of each set, taken as a prefix,
follows from those of the sets with one point less (Hubert & Arabie 1986): n 2^n steps instead of n!. Reversing an order
keeps f, hence the best f of what comes after a prefix S is that of the complement of S as a prefix.
"""

from __future__ import annotations

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

#: Up to this many models the order on a line is found exactly.
LARGEST_EXACT = 12
_ROUNDING = 1e-13


def _scores(D: Float[Array, "n n"], order: Int[Array, " n"]) -> tuple[Float[Array, "n n"], Float[Array, " n"]]:
    """Return D and t with indices along the order."""
    n = D.shape[0]
    along = D[order][:, order]
    signs = np.sign(np.arange(n)[:, None] - np.arange(n)[None, :]).astype(float)
    return along, (signs * along).sum(axis=1)


def _insertion(along: Float[Array, "n n"], t: Float[Array, " n"]) -> tuple[Float[Array, "n n"], Bool[Array, "n n"]]:
    """Return how much f rises when the k-th point is moved to place l, and whether that is more than rounding.

    A point that passes others upwards gains 2 D in its own t with each of them and takes 2 D from theirs; downwards the
    signs are turned. Sums run outwards from the point's own place, so short moves are as exact as their terms.
    """
    n = t.shape[0]
    up = np.triu(np.ones((n, n)), 1)
    direction = up - up.T

    def outwards(terms: Array) -> Array:
        return jnp.cumsum(up * terms, axis=1) + jax.lax.cumsum(jnp.asarray(up.T) * terms, axis=1, reverse=True)

    passed = outwards(along)
    others = outwards(4 * along * (along - direction * t[None, :]))
    gain = 4 * passed * (passed + direction * t[:, None]) + others
    return gain, gain > _ROUNDING * passed * jnp.abs(t).max()


def _moved(order: Int[Array, " n"], source: Int[Array, ""], target: Int[Array, ""]) -> Int[Array, " n"]:
    """Return the order after the point at place ``source`` has been moved to place ``target``."""
    places = jnp.arange(order.shape[0])
    shift = jnp.where((places >= source) & (places < target), 1, 0) - jnp.where(
        (places > target) & (places <= source), 1, 0
    )
    return order[jnp.where(places == target, source, places + shift)]


def search_order(
    D: Float[Array, "n n"], start: Float[Array, " n"], max_iterations: int
) -> tuple[Float[Array, " n"], Int[Array, ""]]:
    """Go from ``start`` to coordinates that neither a Guttman step nor moving any one point in the order improves.

    Returns (x, number of steps). Neighbours cannot be exchanged with profit there, and that gain is
    4 D (2 D - (t_j - t_i)), so x_j - x_i >= 2 D_ij / n for neighbours: it is a local minimum.
    """

    def coordinates(order: Array, t: Array) -> Array:
        return jnp.zeros_like(t).at[order].set(t / t.shape[0])

    def step(state: tuple[Array, Array, Array, Array]) -> tuple[Array, Array, Array, Array]:
        order, _, steps, _ = state
        along, t = _scores(D, order)
        gain, is_gain = _insertion(along, t)
        best = jnp.argmax(jnp.where(is_gain, gain, -1.0))
        source, target = best // t.shape[0], best % t.shape[0]
        x = coordinates(order, t)
        guttman = jnp.argsort(x)
        _, further = _scores(D, guttman)
        f, ahead = (t**2).sum(), (further**2).sum()
        has_insertion = is_gain.any()
        by_guttman = ~has_insertion | (ahead - f > gain.reshape(-1)[best])
        is_fixed = jnp.abs(coordinates(guttman, further) - x).max() <= _ROUNDING * jnp.abs(x).max()
        chosen = jnp.where(by_guttman, guttman, _moved(order, source, target))
        stopped = ~has_insertion & is_fixed
        return jnp.where(stopped, order, chosen), x, steps + ~stopped, stopped

    def unfinished(state: tuple[Array, Array, Array, Array]) -> Bool[Array, ""]:
        return ~state[3] & (state[2] < max_iterations)

    state = (jnp.argsort(start), start, jnp.asarray(0), jnp.asarray(False))
    order, _, steps, _ = jax.lax.while_loop(unfinished, step, state)
    return coordinates(order, _scores(D, order)[1]), steps


@functools.cache
def _layers(n: int) -> tuple[list[tuple[np.ndarray, np.ndarray, np.ndarray]], np.ndarray]:
    """Return, for each size k >= 1, tables (sets, k) of places in the layer below, sets below and points; and places.

    Sets are bit masks. The last array gives each mask's place in the concatenation of all layers.
    """
    order = [np.zeros(1, dtype=int)]
    layers = []
    for size in range(1, n + 1):
        points = np.array(list(itertools.combinations(range(n), size)))
        masks = (1 << points).sum(axis=1)
        below = masks[:, None] - (1 << points)
        place = np.zeros(1 << n, dtype=int)
        place[order[-1]] = np.arange(len(order[-1]))
        layers.append((place[below], below, points))
        order.append(masks)
    return layers, np.argsort(np.concatenate(order))


def _prefixes(D: Float[Array, "n n"]) -> tuple[Float[Array, "sets n"], Float[Array, " sets"]]:
    """Return t_i^2 for each set before i (by mask), and the best sum of them over the orders of each set."""
    n = D.shape[0]
    layers, places = _layers(n)
    members = ((np.arange(1 << n)[:, None] >> np.arange(n)[None, :]) & 1).astype(float)
    squares = (2 * jnp.asarray(members) @ D - D.sum(axis=0)[None, :]) ** 2
    best = [jnp.zeros(1, dtype=D.dtype)]
    for place, below, point in layers:
        best.append((best[-1][place] + squares[below, point]).max(axis=1))
    return squares, jnp.concatenate(best)[places]


def optimal_coordinates(D: Float[Array, "n n"], key: Array, count: int) -> Float[Array, "count n"]:
    """Return ``count`` best configurations on a line, for n <= 12, each along a best order.

    Each order is drawn point by point, uniformly among the points that leave the optimum within reach up to 1e-12, so
    tied orders of D may all turn up.
    """
    n = D.shape[0]
    squares, best = _prefixes(D)
    bits = 1 << np.arange(n)
    enough = best[-1] * (1 - 1e-12)

    def add(place: Array, state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        mask, order, draws = state
        is_free = (mask & bits) == 0
        reach = best[mask] + squares[mask] + best[(1 << n) - 1 - (mask | bits)]
        point = jnp.argmax(jnp.where(is_free & (reach >= enough), draws[place], -1.0))
        return mask | jnp.asarray(bits)[point], order.at[place].set(point), draws

    def one(draws: Array) -> Array:
        empty = jnp.zeros(n, dtype=int)
        _, order, _ = jax.lax.fori_loop(0, n, add, (jnp.asarray(0), empty, draws))
        return jnp.zeros(n, dtype=D.dtype).at[order].set(_scores(D, order)[1] / n)

    return jax.vmap(one)(jax.random.uniform(key, (count, n, n), dtype=D.dtype))
