r"""Majorisation of raw stress (SMACOF) and its derivatives, on dissimilarities that callers have checked.

With dist_ij = ||z_i - z_j||, w_ij = D_ij / dist_ij (0 where dist_ij = 0) and sums over ordered pairs,

    sigma(z) = sum D^2 + sum dist^2 - 2 sum D dist,        grad_i = 4 sum_j (1 - w_ij) (z_i - z_j).

For centred z, sum dist^2 = 2 n ||z||^2. By Cauchy-Schwarz D_ij dist_ij(y) >= w_ij(z) <z_i - z_j, y_i - y_j>, with
equality at y = z; so sigma(y) <= ||D||^2 + 2 n ||y||^2 - 4 n <G(z), y> for the Guttman transform
G(z)_i = (1/n) sum_j w_ij (z_i - z_j), again with equality at y = z. The right-hand side is least at y = G(z), which
never raises the stress (de Leeuw 1977), and z - G(z) = grad / (4 n) for centred z. At every z

    sigma(z) = ||D||^2 + 2 n ||z||^2 - 4 n <G(z), z>,

so one pass over the pairs gives both the step and the stress. That form rounds at 1e-16 of ||D||^2, enough to stop on;
what is reported is summed from residuals.

Configurations are (d, n) here, coordinates first: loops over pairs then run along contiguous memory.
"""

from __future__ import annotations

import functools
import operator

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

_COINCIDENT = 1e-12
_RELAXATION = 1.8


def normalised(D: Float[Array, "n n"]) -> tuple[Float[Array, "n n"], Float[Array, ""]]:
    """Return D / ||D||_F and ||D||_F, safe from overflow; D = 0 stays 0."""
    largest = D.max()
    shape = D / jnp.where(largest > 0, largest, 1.0)
    norm = jnp.sqrt((shape**2).sum())
    return shape / jnp.where(largest > 0, norm, 1.0), largest * norm


def differences(z: Float[Array, "d n"]) -> Float[Array, "d n n"]:
    """Return z_i - z_j for all pairs, one matrix per coordinate."""
    return z[:, :, None] - z[:, None, :]


def distances(z: Float[Array, "d n"]) -> Float[Array, "n n"]:
    """Return ||z_i - z_j||."""
    return jnp.sqrt((differences(z) ** 2).sum(axis=0))


def _pairs(z: Float[Array, "d n"]) -> tuple[list[Float[Array, "n n"]], Float[Array, "n n"], Float[Array, "n n"]]:
    """Return z_i - z_j by coordinate (i along columns), dist^2 and 1 / dist.

    Where two points coincide the last is large but finite: times a gap or a dist^2 of 0 it gives what w = 0 would. XLA
    vectorises a root and a division on a CPU, but not its rsqrt, which it makes of a quotient by a root.
    """
    gaps = [row[None, :] - row[:, None] for row in z]
    squares = functools.reduce(operator.add, (gap * gap for gap in gaps))
    return gaps, squares, jnp.sqrt(1 / jnp.maximum(squares, jnp.finfo(z.dtype).tiny))


def _summed(terms: list[Float[Array, "n n"]]) -> tuple[Float[Array, " n"], ...]:
    """Return the column sums of each matrix, in one loop that writes no n x n array."""
    zeros = tuple(jnp.zeros((), dtype=term.dtype) for term in terms)
    return jax.lax.reduce(
        tuple(terms), zeros, lambda x, y: tuple(p + q for p, q in zip(x, y, strict=True)), dimensions=(0,)
    )


def stress_and_gradient(D: Float[Array, "n n"], z: Float[Array, "d n"]) -> tuple[Float[Array, ""], Float[Array, "d n"]]:
    """Return sigma(z) summed from residuals, and its gradient summed from differences."""
    gaps, squares, inverse = _pairs(z)
    kept = 1 - D * inverse
    residuals, *gradient = _summed([(squares * inverse - D) ** 2, *(kept * gap for gap in gaps)])
    return residuals.sum(), 4 * jnp.stack(gradient)


def guttman(D: Float[Array, "n n"], z: Float[Array, "d n"]) -> Float[Array, "d n"]:
    """Return the Guttman transform G(z), which is centred up to rounding; D has ||D||_F = 1.

    Points within 1e-12 of each other count as coincident: sum_j w_ij z_i and sum_j w_ij z_j are matrix products here,
    and their difference loses as many digits as w has.
    """
    n = D.shape[0]
    _, squares, inverse = _pairs(z)
    w = jnp.where(squares > _COINCIDENT**2, D * inverse, 0.0)
    # Written out once and multiplied: fused into the product, the weights would be found anew for each row of z.
    sums = jnp.concatenate([z, jnp.ones((1, n), dtype=z.dtype)]) @ jax.lax.optimization_barrier(w)
    return (sums[-1:] * z - sums[:-1]) / n


def relax(
    D: Float[Array, "n n"], start: Float[Array, "d n"], eps: float, max_iterations: int
) -> tuple[Float[Array, "d n"], Int[Array, ""]]:
    """Take over-relaxed Guttman steps, then a plain one, until one lowers stress by less than eps sum dist^2.

    Steps of up to twice the length of Guttman's do not raise stress either, and near a minimum they are about as much
    faster (de Leeuw & Heiser 1980). The last, plain one removes what long ones leave: their overshoot along directions
    of full curvature. Returns the point and the number of steps; D has ||D||_F = 1.
    """
    n = D.shape[0]

    def step(state: tuple[Array, Array, Array, Array]) -> tuple[Array, Array, Array, Array]:
        z, stress, steps, _ = state
        image = guttman(D, z)
        size = 2 * n * (z**2).sum()
        lowered = size - 4 * n * (image * z).sum()  # sigma less ||D||^2
        stopped = (stress - lowered <= eps * size) | (steps + 1 >= max_iterations)
        return jnp.where(stopped, image, z + _RELAXATION * (image - z)), lowered, steps + 1, stopped

    state = (start, jnp.asarray(jnp.inf, dtype=D.dtype), jnp.asarray(0), jnp.asarray(False))
    z, _, steps, _ = jax.lax.while_loop(lambda state: ~state[3], step, state)
    return z, steps


def majorise(
    D: Float[Array, "n n"], start: Float[Array, "d n"], eps: Float[Array, ""], max_iterations: int
) -> tuple[Float[Array, "d n"], Int[Array, ""], Bool[Array, ""]]:
    """Take plain Guttman steps from a centred start until one lowers stress by less than eps sum dist^2; ||D||_F = 1.

    That is scikit-learn's rule (both of whose sums count each pair once): from the second step on it stops at
    z' = G(z) when sigma(z) - sigma(z') < eps sum dist(z')^2. Returns z', the number of steps, and
    whether the rule ended them.
    """
    n = D.shape[0]

    def unfinished(state: tuple[Array, Array, Array, Array, Array]) -> Bool[Array, ""]:
        return (state[3] < max_iterations) & ~state[4]

    def step(state: tuple[Array, Array, Array, Array, Array]) -> tuple[Array, Array, Array, Array, Array]:
        # The stress of a point comes with its image, so the loop looks one step ahead of the steps that it counts.
        _, image, stress, steps, _ = state
        further = guttman(D, image)
        size = 2 * n * (image**2).sum()
        lowered = size - 4 * n * (further * image).sum()  # sigma less ||D||^2
        stopped = (steps > 0) & ((stress - lowered < eps * size) | (size == 0))
        return image, further, lowered, steps + 1, stopped

    infinite, none, no = jnp.asarray(jnp.inf, dtype=D.dtype), jnp.asarray(0), jnp.asarray(False)
    state = (start, guttman(D, start), infinite, none, no)
    z, _, _, steps, stopped = jax.lax.while_loop(unfinished, step, state)
    return z, steps, stopped
