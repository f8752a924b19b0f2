"""Placing new models into a classical MDS frame that stays as it is: Gower (1968), Trosset and Priebe (2008).

The frame: D (n, n), B = -1/2 H D^2 H with top eigenvalues L = diag(lambda_1, ..., lambda_d) and Psi = U_d L^{1/2}, so
Psi'Psi = L and Psi'1 = 0. A new model has dissimilarities delta (n) to the frame. Where there are points behind them,

    b_i  = -1/2 (delta_i^2 - mean delta^2 - (row mean of D^2)_i + grand mean of D^2),
    beta = mean delta^2 - 1/2 (grand mean of D^2)

are its inner product with point i and its own squared length, both from the frame's centroid: put delta_i^2 =
||z||^2 - 2<z, x_i> + ||x_i||^2 with sum_i x_i = 0, and average. Both rules below ask for a y with <psi_i, y> near b_i.

Gower's rule is least squares, y_G = L^{-1} Psi'b. For e = 1, B = Y Y' with Y = c H mu = U L^{1/2} V' and b = Y z,
z = c(mu_new - mean mu), so y_G = V_d' z exactly: the orthogonal projection of z onto the top d principal axes. For a
model of the frame b = B e_i, and Psi'B e_i = L psi_i gives psi_i back, whatever d. The squared length that the frame
cannot show is h^2 = beta - ||y_G||^2: at least 0 for Euclidean dissimilarities, and 0 where z lies in the span of the
d axes; without points behind them it may be negative.

Trosset and Priebe's rule also asks that ||y||^2 be near beta: it minimises

    g(y) = 2 ||b - Psi y||^2 + (beta - ||y||^2)^2,

the squared error of the Gram matrix bordered by the new model. With t = ||y||^2 - beta its gradient is 0 where
(L + tI) y = Psi'b = L y_G, and at such a y, for every z,

    g(z) - g(y) = 2 (z - y)'(L + tI)(z - y) + (||z||^2 - ||y||^2)^2.

Hence y is a global minimiser if and only if lambda_d + t >= 0 (else reflect it along a direction of negative
curvature), and the only one if lambda_d + t > 0. On that side ||(L + tI)^{-1} L y_G||^2 falls in t while t + beta
rises, so they meet at most once. They do not meet where L y_G has no part in the lowest eigenspace and the rest of it
is too short; then t = -lambda_d, and that part of y has the length that makes ||y||^2 = beta - lambda_d, in any
direction: a tie of two minimisers, or of a sphere of them.

Where h^2 >= 0 the two sides cross at some t with 0 <= -t <= h^2: at t = 0 the left one is ||y_G||^2 <= beta, and at
t <= 0 it is at least ||y_G||^2. So the rules agree if and only if h^2 = 0 (or y_G = 0 and h^2 <= lambda_d), and

    ||y_TP - y_G|| <= ||y_G|| h^2 / (lambda_d - h^2)        for h^2 < lambda_d, where the minimiser is the only one.

Columns without a positive eigenvalue (d above the rank) have nothing to fit on: Gower's placement is 0 there. Trosset
and Priebe's puts what the others leave of the length, h, into the last of them, a tie of two signs.
"""

from __future__ import annotations

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from dkps_theory._linalg import RANK_TOLERANCE, sqrt_nonnegative
from dkps_theory._types import AnyArray
from dkps_theory._validate import InputError
from dkps_theory.geometry.classical_mds import classical_mds
from dkps_theory.geometry.dissimilarity import checked_array, is_concrete
from dkps_theory.geometry.gram import checked_dissimilarities

RULES = ("gower", "trosset-priebe")

#: Rounds of bisection and Newton; bisection alone narrows 30 decades to 1e-10 of the root in them.
_ROUNDS = 40
#: The smallest lambda_d + t that is told apart from 0, in the unit of the problem.
_FLOOR = 1e-30


class Placement(eqx.Module):
    """Places of q new models in a frame of n models, which has not moved.

    Attributes
    ----------
    configuration
        (q, d), in the frame's axes.
    off_span
        h^2 (q), the squared length that the frame cannot show: that of the new model from the frame's centroid less
        that of its Gower placement. Negative only where the dissimilarities are not Euclidean, or by rounding.
    objective
        (q), what the rule minimises, at the placement: ||b - Psi y||^2 (Gower), g(y) (Trosset-Priebe), or the stress
        sum_i (||y - psi_i|| - delta_i)^2.
    converged
        (q), whether the placement meets the conditions of a minimum to the rule's tolerance.
    tied
        (q), whether another place, at a distance, is as good.
    other
        (q, d), such a place where ``tied``; elsewhere the placement once more.
    reached
        (q), how many starts ended at the objective; 1 for rules that need no search.
    """

    configuration: Float[Array, "q d"]
    off_span: Float[Array, " q"]
    objective: Float[Array, " q"]
    converged: Bool[Array, " q"]
    tied: Bool[Array, " q"]
    other: Float[Array, "q d"]
    reached: Int[Array, " q"]


def gower_placement(dissimilarities: Float[AnyArray, "n n"], new: Float[AnyArray, "q n"], d: int) -> Placement:
    """Place new models into the classical MDS of a frame by least squares on its inner products, L^{-1} Psi'b.

    Parameters
    ----------
    dissimilarities
        D (n, n) among the models of the frame.
    new
        (q, n), those of each new model to them, in the same unit; see
        :func:`dkps_theory.geometry.cross_dissimilarities`.
    d
        Perspective dimension, 1 <= d < n; static under jit.

    Raises
    ------
    InputError
        When D is no dissimilarity matrix, ``new`` has another number of columns, negative entries, NaN or infinities,
        or d is out of range.

    Notes
    -----
    Gower (1968), Biometrika 55, 582-585. Exact when the new model lies in the affine span of the frame and d is the
    rank; for e = 1 the orthogonal projection of the new mean onto the top d principal axes always.

    Examples
    --------
    >>> frame = np.array([[0.0, 2.0], [2.0, 0.0]])  # the points 1 and -1
    >>> placed = gower_placement(frame, np.array([[2.0, 8.0**0.5]]), 1)  # (1, 2), in the plane
    >>> placed.configuration.round(12).tolist(), placed.off_span.round(12).tolist()
    ([[1.0]], [4.0])
    """
    return classical_placement(classical_mds(dissimilarities, d).configuration, dissimilarities, new, "gower")


def trosset_priebe_placement(dissimilarities: Float[AnyArray, "n n"], new: Float[AnyArray, "q n"], d: int) -> Placement:
    """Place new models into the classical MDS of a frame by the best bordered Gram matrix, the minimum of g.

    Each new model is placed by itself, as if it were the only one. A model that leaves the frame's span by h is
    pushed out from the centroid, by ||y_G|| h^2 / (lambda_d - h^2) at most while h^2 < lambda_d; so a model of the
    frame itself returns to its own place only where d is at least the rank.

    Parameters
    ----------
    dissimilarities
        D (n, n) among the models of the frame.
    new
        (q, n), those of each new model to them.
    d
        Perspective dimension, 1 <= d < n; static under jit.

    Raises
    ------
    InputError
        As :func:`gower_placement`.

    Notes
    -----
    Trosset and Priebe (2008), Computational Statistics and Data Analysis 52, 4635-4642. The minimum is global, from
    the secular equation above; ties are flagged, and the placement returned is then the one that is positive in the
    last column.

    Examples
    --------
    >>> frame = np.array([[0.0, 2.0], [2.0, 0.0]])  # the points 1 and -1, lambda_1 = 2
    >>> placed = trosset_priebe_placement(frame, np.array([[2.0, 8.0**0.5]]), 1)  # (1, 2), in the plane
    >>> placed.configuration.round(12).tolist()
    [[2.0]]
    """
    return classical_placement(classical_mds(dissimilarities, d).configuration, dissimilarities, new, "trosset-priebe")


def classical_placement(
    configuration: Float[AnyArray, "n d"],
    dissimilarities: Float[AnyArray, "n n"],
    new: Float[AnyArray, "q n"],
    rule: str = "gower",
) -> Placement:
    """Place new models by either rule into a classical MDS configuration that is there already.

    Parameters
    ----------
    configuration
        Psi (n, d) of ``dissimilarities``, as from :func:`dkps_theory.geometry.classical_mds`: the places are in its
        axes. Its columns are taken to be orthogonal.
    dissimilarities, new
        As in :func:`gower_placement`.
    rule
        "gower" or "trosset-priebe".

    Raises
    ------
    InputError
        For an unknown rule, and as :func:`gower_placement`.

    Examples
    --------
    >>> frame, psi = np.array([[0.0, 2.0], [2.0, 0.0]]), np.array([[-1.0], [1.0]])  # the other way round
    >>> classical_placement(psi, frame, np.array([[2.0, 8.0**0.5]])).configuration.round(12).tolist()
    [[-1.0]]
    """
    if rule not in RULES:
        raise InputError(f"rule: got {rule!r}; it must be one of {', '.join(RULES)}")
    D = checked_dissimilarities(dissimilarities)
    psi = checked_array("configuration", configuration, "n d")
    if psi.shape[0] != D.shape[0]:
        raise InputError(f"configuration: got n = {psi.shape[0]}; dissimilarities have n = {D.shape[0]}")
    return _place(psi, D, checked_new(new, D.shape[0]), rule)


def checked_new(new: Float[AnyArray, "q n"], n: int) -> Float[Array, "q n"]:
    """Return the dissimilarities of new models to the n of the frame, refusing what cannot be that."""
    delta = checked_array("new", new, "q n")
    if delta.shape[1] != n:
        raise InputError(f"new: got shape {delta.shape}; it must be (q, n) with n = {n}, the models of the frame")
    if is_concrete(new) and (np.asarray(new) < 0).any():
        raise InputError(f"new: the smallest entry is {float(np.min(new)):g}; dissimilarities are at least 0")
    return delta


@functools.partial(jax.jit, static_argnames="rule")
def _place(psi: Float[Array, "n d"], D: Float[Array, "n n"], new: Float[Array, "q n"], rule: str) -> Placement:
    squares, frame = new**2, D**2
    average, grand = squares.mean(axis=1), frame.mean()
    b = -0.5 * (squares - average[:, None] - frame.mean(axis=1)[None, :] + grand)
    beta = average - 0.5 * grand
    # Columns that rounding alone has filled must not be divided by.
    lengths = (psi**2).sum(axis=0)
    counts = lengths > RANK_TOLERANCE * lengths.max()
    psi, L = jnp.where(counts[None, :], psi, 0.0), jnp.where(counts, lengths, 0.0)
    target = b @ psi
    gower = target / jnp.where(counts, L, 1.0)[None, :]
    off_span = beta - (gower**2).sum(axis=1)
    if rule == "gower":
        every = jnp.ones(len(new), dtype=bool)
        residual = ((b - gower @ psi.T) ** 2).sum(axis=1)
        return Placement(gower, off_span, residual, every, ~every, gower, every.astype(int))
    best, mirror, converged, tied = jax.vmap(_secular, in_axes=(None, 0, 0))(L, target, beta)
    g = 2 * ((b - best @ psi.T) ** 2).sum(axis=1) + (beta - (best**2).sum(axis=1)) ** 2
    return Placement(best, off_span, g, converged, tied, mirror, jnp.ones(len(new), dtype=int))


def _secular(
    L: Float[Array, " d"], target: Float[Array, " d"], beta: Float[Array, ""]
) -> tuple[Float[Array, " d"], Float[Array, " d"], Bool[Array, ""], Bool[Array, ""]]:
    """Return the minimiser of g, its mirror image where there is a tie, whether the root was met, and whether tied.

    Solved for s = lambda_d + t >= 0, which keeps the digits of a root that is close to the pole:
    sum_k (target_k / (lambda_k - lambda_d + s))^2 = s + beta - lambda_d.
    """
    scale = L[0] + jnp.abs(beta)
    scale = jnp.where(scale > 0, scale, 1.0)
    # Differences first: of two quotients a compiler may leave an ulp where the lowest eigenspace must be at exactly 0.
    above, shift = (L - L[-1]) / scale, (beta - L[-1]) / scale
    L, a = L / scale, target / scale**1.5

    def excess(s: Float[Array, ""]) -> Float[Array, ""]:
        return ((a / (above + s)) ** 2).sum() - (s + shift)

    # Convex and falling, so Newton's steps from the left of the root stay there; near the pole they only grow by half,
    # which is what the bisection, on the logarithm of s, is for.
    def narrowed(ends: tuple[Array, Array], s: Float[Array, ""]) -> tuple[Array, Array]:
        low, high = ends
        return jnp.where(excess(s) > 0, jnp.maximum(low, s), low), jnp.where(excess(s) > 0, high, jnp.minimum(high, s))

    def newton(s: Float[Array, ""]) -> Float[Array, ""]:
        return s + excess(s) / (2 * (a**2 / (above + s) ** 3).sum() + 1)

    def refine(_: Array, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        ends = narrowed(ends, jnp.sqrt(ends[0] * ends[1]))
        step = newton(ends[0])
        return narrowed(ends, jnp.where((step > ends[0]) & (step < ends[1]), step, ends[0]))

    low = jnp.maximum(_FLOOR, -shift)
    high = low + jnp.cbrt((a**2).sum()) + _FLOOR
    hard = excess(low) <= 0
    s = jnp.where(hard, 0.0, newton(jax.lax.fori_loop(0, _ROUNDS, refine, (low, high))[0]))

    lowest = above <= RANK_TOLERANCE * L[0]
    inverse = above + s
    y = jnp.where(inverse > 0, a / jnp.where(inverse > 0, inverse, 1.0), 0.0)
    rest = jnp.where(lowest, 0.0, y)
    free = s + shift - (rest**2).sum()  # squared length of the part in the lowest eigenspace
    tied = (s <= RANK_TOLERANCE * L[0]) & (free > RANK_TOLERANCE)
    last = jnp.arange(len(L)) == len(L) - 1
    best = jnp.where(tied, jnp.where(last, sqrt_nonnegative(free), rest), y)
    mirror = jnp.where(tied & last, -best, best)
    root = jnp.sqrt(scale)
    return best * root, mirror * root, hard | (jnp.abs(excess(s)) <= 1e-9 * (s + jnp.abs(shift))), tied
