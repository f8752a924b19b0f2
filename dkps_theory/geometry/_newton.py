r"""The second-order finish of raw stress in d >= 2: a safeguarded Newton method with a test for minima.

The Hessian of sigma has blocks -4 [(1 - w_ij) I + w_ij u u'] for i != j, u the unit vector from z_j to z_i, and minus
their sums on the diagonal; where D_ij = 0 the term dist^2 is smooth, and w_ij = 0 is right even at dist = 0. Rigid
motions leave sigma alone, so translations are null vectors everywhere and the rotation tangents z A, A' = -A, where
the gradient is 0. Adding 4 (11' (x) I) for the translations gives 4 (n I - M) with M positive semi-definite,

    M_ij = -w_ij (I - u u') for i != j,        M_ii = sum_j w_ij (I - u u'),

so a stationary point is a minimum to second order iff the largest eigenvalue of M, rotation tangents apart (M z A =
n z A there), is at most n. Two consequences are used. H <= 4 n, which is why a Guttman step z - grad / (4 n) never
raises stress. And the vector (e_i - e_j) (x) v, v unit and normal to u, has quotient at least 2 w_ij: at a minimum
where sigma is smooth dist_ij >= 2 D_ij / n. In d = 1 the same bound holds, and at a local minimum no pair with
D_ij > 0 coincides (de Leeuw 1984).
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from dkps_theory.geometry._majorisation import differences, stress_and_gradient

#: Negative curvature of H / 4 above minus this share of n counts as none, and less where the gradient is small: along a
#: flat valley stress grows with the fourth power of the way y to its bottom, the gradient with the third and the
#: curvature with the second, so a shift well below gradient^(2/3) keeps Newton steps there near their full length.
CURVATURE_TOLERANCE, _VALLEY, _ROUNDING = 1e-8, 0.01, 1e-14

#: Below this gradient norm (of D scaled to ||D||_F = 1) a point without second-order minimality counts as a saddle.
_SADDLE = 1e-5
#: Kicks off a saddle, at most, and the length of the first relative to ||z||; each later one is twice as long.
_KICKS, _FIRST_KICK = 6, 0.02
#: Shifts as shares of n, and the share of a Guttman step's certain decrease that a Newton step must reach.
_SMALLEST_SHIFT, _LARGEST_SHIFT, _ENOUGH = 1e-3, 4.0, 1e-3
#: Newton steps within the tolerance end when they are this short, relative to ||z||, or after so many.
_POLISHED, _POLISHES = 1e-9, 60


def pinned_curvature(D: Float[Array, "n n"], z: Float[Array, "d n"]) -> Float[Array, "nd nd"]:
    """Return n I - M + n V V', a quarter of the Hessian with rigid motions pinned; indices run over (coordinate, i).

    V holds the normalised rotation tangents, zero columns for those that vanish because z has low rank.
    """
    d, n = z.shape
    gaps = differences(z)
    squares = (gaps**2).sum(axis=0)
    # Where points coincide the inverse is finite, the unit vector 0 and w has to be put to 0.
    inverse = jnp.sqrt(1 / jnp.maximum(squares, jnp.finfo(z.dtype).tiny))
    w, units = jnp.where(squares > 0, D * inverse, 0.0), gaps * inverse[None, :, :]
    eye = jnp.eye(n, dtype=z.dtype)
    pins = []
    for a, b in itertools.combinations(range(d), 2):
        tangent = jnp.zeros_like(z).at[a].set(z[b]).at[b].set(-z[a])
        square = (tangent**2).sum()
        pins.append(tangent * jnp.sqrt(n / jnp.where(square > 0, square, 1.0)))

    def block(a: int, b: int) -> Array:
        across = w * (float(a == b) - units[a] * units[b])
        kept = across + eye * (n * float(a == b) - across.sum(axis=0)[None, :])
        return kept + sum(pin[a][:, None] * pin[b][None, :] for pin in pins)

    found = {(a, b): block(a, b) for a in range(d) for b in range(a, d)}
    rows = [[found[a, b] if a <= b else found[b, a].T for b in range(d)] for a in range(d)]
    return jnp.concatenate([jnp.concatenate(row, axis=1) for row in rows])


def are_apart(D: Float[Array, "n n"], z: Float[Array, "d n"]) -> Bool[Array, ""]:
    """Tell whether dist_ij >= 2 D_ij / n for all pairs, as at every local minimum, up to rounding."""
    dist = jnp.sqrt((differences(z) ** 2).sum(axis=0))
    return (D.shape[0] * dist >= 2 * (1 - 1e-6) * D).all()


def _newton_step(
    curvature: Float[Array, "k k"], target: Float[Array, " k"], shift: Float[Array, ""]
) -> tuple[Float[Array, " k"], Bool[Array, ""]]:
    """Return the solution of (curvature + shift) step = target, and whether that matrix is positive definite (else 0).

    The Cholesky factor of [[A, b], [b', c]] has L^-1 b in its last row, L the factor of A, which saves a solve. Any c
    above b' A^-1 b will do; it touches nothing else.
    """
    k = target.shape[0]
    shifted = curvature + shift * jnp.eye(k, dtype=target.dtype)
    bordered = jax.lax.pad(shifted, jnp.asarray(1e60, dtype=target.dtype), [(0, 1, 0), (0, 1, 0)])
    bordered = jnp.where(
        np.arange(k + 1)[:, None] < k, bordered, jnp.pad(target, (0, 1), constant_values=1e60)[None, :]
    )
    factor = jax.lax.linalg.cholesky(bordered, symmetrize_input=False)
    is_definite = jnp.isfinite(factor[k, k])
    step = jax.lax.linalg.triangular_solve(factor[:k, :k], factor[k:, :k], lower=True)[0]
    return jnp.where(is_definite, step, 0.0), is_definite


class _State(NamedTuple):
    """One worker: the start it is at, the point there, and what earlier starts ended with."""

    job: Array
    z: Array
    stress: Array
    gradient: Array
    shift: Array
    kicks: Array
    iterations: Array
    polishes: Array
    ends: Array
    are_minima: Array
    counts: Array


def finish(
    D: Float[Array, "n n"],
    starts: Float[Array, "s d n"],
    directions: Float[Array, "s d n"],
    tolerance: float | Float[Array, ""],
    max_iterations: Int[Array, " s"],
) -> tuple[Float[Array, "s d n"], Bool[Array, " s"], Int[Array, " s"]]:
    """Go from each start to a second-order minimum with ||grad||_F <= tolerance; D has ||D||_F = 1.

    Each step solves (n I - M + n V V' + shift) p = -grad / 4 where that matrix is positive definite, and p is taken if
    it lowers stress enough; where differences of stress drown in rounding, if it halves the gradient or the gradient is
    small (down a curved valley it need not fall at every step); otherwise the shift grows. Where the matrix is not
    positive definite the step is Guttman's, which lowers stress by ||grad||^2 / (8 n) at least, and the shift grows.
    Where the gradient is small and the matrix, all but unshifted, has negative curvature, or a pair coincides, the
    point is moved along the start's direction (norm 1) instead, a few times at most.

    Where the gradient is within the tolerance, Newton steps go on while they are longer than 1e-9 of ||z||, for 60 at
    most: down a flat valley the gradient is within the tolerance long before the point is at the bottom.

    The starts are worked off one after the other in one loop. Side by side, all would wait for the slowest, which takes
    several times the mean; sums over starts vary less, so a batch of problems under vmap wastes little.

    Returns the last points, whether each is a minimum as above, and the numbers of steps.
    """
    count, d, n = starts.shape

    def step(state: _State) -> _State:
        z, stress, gradient = state.z, state.stress, state.gradient
        size = jnp.sqrt((gradient**2).sum())
        is_stationary, is_nearly = size <= tolerance, size <= _SADDLE
        least = n * jnp.clip(_VALLEY * size ** (2 / 3), _ROUNDING, CURVATURE_TOLERANCE)
        shift = jnp.where(is_nearly, least, state.shift)
        move, is_definite = _newton_step(pinned_curvature(D, z), -gradient.reshape(-1) / 4, shift)
        is_convex = is_definite & are_apart(D, z)
        is_saddle = is_nearly & ~is_convex & (state.kicks < _KICKS)
        kick = _FIRST_KICK * 2.0**state.kicks * jnp.sqrt((z**2).sum()) * directions[state.job]
        is_short = (move**2).sum() <= _POLISHED**2 * (z**2).sum()
        is_polished = ~is_definite | is_short | (state.polishes >= _POLISHES)
        is_over = (is_stationary & ~is_saddle & is_polished) | (state.iterations >= max_iterations[state.job])

        following = jnp.minimum(state.job + 1, count - 1)
        is_newton = is_definite & ~is_saddle & ~is_over
        trial = jnp.where(is_newton, z + move.reshape(d, n), z - gradient / (4 * n))
        trial = jnp.where(is_saddle, z + kick, trial)
        trial = jnp.where(is_over, starts[following], trial)
        stress_t, gradient_t = stress_and_gradient(D, trial)
        is_lower = stress_t < stress - _ENOUGH * size**2 / (8 * n)
        is_level = stress_t <= stress * (1 + 1e-13) + 1e-16
        is_better = is_lower | (is_level & (is_nearly | ((gradient_t**2).sum() < 0.25 * size**2)))
        is_taken = ~is_newton | is_better
        shrunk = jnp.where(state.shift > _SMALLEST_SHIFT * n, state.shift / 8, 0.0)
        grown = jnp.clip(state.shift * 4, 32 * _SMALLEST_SHIFT * n, _LARGEST_SHIFT * n)
        shift = jnp.where(is_newton & is_better, shrunk, grown)
        here = (jnp.arange(count) == state.job) & is_over
        return _State(
            job=state.job + is_over,
            z=jnp.where(is_taken, trial, z),
            stress=jnp.where(is_taken, stress_t, stress),
            gradient=jnp.where(is_taken, gradient_t, gradient),
            shift=jnp.where(is_over, 0.0, shift),
            kicks=jnp.where(is_over, 0, state.kicks + is_saddle),
            iterations=jnp.where(is_over, 0, state.iterations + 1),
            polishes=jnp.where(is_over, 0, state.polishes + is_stationary),
            ends=jnp.where(here[:, None, None], z[None, :, :], state.ends),
            are_minima=jnp.where(here, is_stationary & is_convex, state.are_minima),
            counts=jnp.where(here, state.iterations, state.counts),
        )

    zero = jnp.asarray(0)
    state = _State(
        zero,
        starts[0],
        *stress_and_gradient(D, starts[0]),
        shift=jnp.asarray(0.0, dtype=starts.dtype),
        kicks=zero,
        iterations=zero,
        polishes=zero,
        ends=starts,
        are_minima=jnp.zeros(count, dtype=bool),
        counts=jnp.zeros(count, dtype=int),
    )
    state = jax.lax.while_loop(lambda state: state.job < count, step, state)
    return state.ends, state.are_minima, state.counts
