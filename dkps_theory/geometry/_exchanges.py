r"""Raw stress in d >= 2: from a minimum to a better one by exchanging two points or putting one beside another.

Starts often end where one point is on the wrong side of others and cannot cross. With dist and D as matrices and
A = dist D, exchanging the places of i and k changes sigma by

    4 sum_{j != i, k} (dist_ij - dist_kj)(D_ij - D_kj) = 4 (A_ii + A_kk - A_ik - A_ki - 2 dist_ik D_ik),

and moving i to where k is changes it by 2 sum_{j != i} [(dist_kj - D_ij)^2 - (dist_ij - D_ij)^2]. So all changes of
both kinds cost one matrix product, and majorisation is tried from the most promising ones.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from dkps_theory.geometry._majorisation import distances, relax, stress_and_gradient

_TRIED, _ROUNDS = 8, 10
#: A point moved to another's place is put this far off, relative to ||z||: two in one place would not part.
_BESIDE = 1e-2
_ROUGH = 1e-5


def changes(D: Float[Array, "n n"], z: Float[Array, "d n"]) -> tuple[Float[Array, "n n"], Float[Array, "n n"]]:
    """Return by how much stress rises when i and k change places, and when i (row) moves to where k is."""
    dist = distances(z)
    A = dist @ D
    own, size = jnp.diagonal(A), (dist**2).sum(axis=1)
    exchange = 4 * (own[:, None] + own[None, :] - A - A.T - 2 * dist * D)
    move = 2 * (size[None, :] - dist**2 - 2 * A.T - size[:, None] + 2 * own[:, None])
    return exchange, move


def search_exchanges(
    D: Float[Array, "n n"], start: Float[Array, "d n"], stress: Float[Array, ""], aside: Float[Array, "d n"], steps: int
) -> Float[Array, "d n"]:
    """Return a configuration of lower stress than ``start``, or ``start`` itself where no exchange tried leads to one.

    D has ||D||_F = 1; ``aside`` has norm 1. What is returned has been majorised for at most ``steps`` steps.
    """
    n = D.shape[0]
    count = min(_TRIED, n * (n - 1) // 2)
    above = np.triu(np.ones((n, n), dtype=bool), 1)

    def exchanged(z: Array, pair: Array) -> Array:
        i, k = pair // n, pair % n
        return z.at[:, i].set(z[:, k]).at[:, k].set(z[:, i])

    def moved(z: Array, pair: Array) -> Array:
        i, k = pair // n, pair % n
        return z.at[:, i].set(z[:, k] + _BESIDE * jnp.sqrt((z**2).sum()) * aside[:, i])

    def attempt(state: tuple[Array, Array, Array, Array]) -> tuple[Array, Array, Array, Array]:
        z, stress, rounds, _ = state
        exchange, move = changes(D, z)
        _, pairs = jax.lax.top_k(-jnp.where(above, exchange, jnp.inf).reshape(-1), count)
        _, moves = jax.lax.top_k(-jnp.where(above | above.T, move, jnp.inf).reshape(-1), count)
        tried = jnp.concatenate([jax.vmap(lambda p: exchanged(z, p))(pairs), jax.vmap(lambda p: moved(z, p))(moves)])
        ends, _ = jax.vmap(lambda one: relax(D, one, _ROUGH, steps))(tried)
        stresses, _ = jax.vmap(lambda one: stress_and_gradient(D, one))(ends)
        best = jnp.argmin(stresses)
        is_better = stresses[best] < stress * (1 - 1e-6) - 1e-12
        return jnp.where(is_better, ends[best], z), jnp.minimum(stress, stresses[best]), rounds + 1, is_better

    state = (start, stress, jnp.asarray(0), jnp.asarray(True))
    z, _, _, _ = jax.lax.while_loop(lambda state: state[3] & (state[2] < _ROUNDS), attempt, state)
    return z
