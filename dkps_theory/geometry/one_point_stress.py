"""Placing new models against a fixed configuration by raw stress, one model at a time.

With r_i = ||y - psi_i|| and u_i = (y - psi_i) / r_i the stress of a place y is

    f(y) = sum_i (r_i - delta_i)^2,        grad f = 2 (n y - sum_i (psi_i + delta_i u_i)),
    Hessian = 2 ((n - sum_i w_i) I + sum_i w_i u_i u_i'),        w_i = delta_i / r_i.

Majorisation: r_i >= <u_i, y' - psi_i> with equality at y' = y, so y <- mean_i (psi_i + delta_i u_i) never raises f. At
y = psi_i any unit vector will do for u_i; where delta_i > 0 no such y is a local minimum, for f has a peak along it.

In d = 1, f is the least of the 2^n quadratics sum_i (y - psi_i - s_i delta_i)^2 over signs s. The one that touches f
at a global minimiser y has s_i = 1 where psi_i < y and -1 elsewhere: one of n + 1 patterns, so the best of their n + 1
minimisers mean_i (psi_i + s_i delta_i) is the global minimiser, exactly.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from dkps_theory._keys import checked_key
from dkps_theory._linalg import RANK_TOLERANCE, sqrt_nonnegative
from dkps_theory._types import AnyArray, Key
from dkps_theory._validate import whole_number
from dkps_theory.geometry.dissimilarity import checked_array
from dkps_theory.geometry.out_of_sample import Placement, checked_new

#: Searches per new model unless told otherwise.
STARTS = 16
#: Gradient norm, over 2 n times the largest length in the problem, at which a search ends.
TOLERANCE = 1e-12

_ITERATIONS = 200
_BATCH = 16
#: Curvature, over 2 n, below which a direction counts as flat.
_FLAT = 1e-9
#: Stresses per model of the frame that differ by less, in squares of the largest length, are equally good.
_SAME_STRESS = 1e-10
#: Places closer than this share of the largest length are the same: along a flat direction the stress grows with the
#: fourth power, so a gradient of 1e-12 pins a place down to 1e-4 only.
_SAME_PLACE = 1e-3
#: Shares of Newton's step that are tried, and lengths of steps away from a saddle.
_SHARES = (1.0, 0.5, 0.125)
_ESCAPES = (0.5, 0.03)


def raw_stress_placement(
    configuration: Float[AnyArray, "n d"], new: Float[AnyArray, "q n"], *, key: Key, starts: int = STARTS
) -> Placement:
    """Place each new model where its raw stress against a fixed configuration is least, the configuration unmoved.

    Parameters
    ----------
    configuration
        psi (n, d), of whatever origin.
    new
        delta (q, n), dissimilarities of each new model to those of the configuration, in its unit.
    key
        Typed key of the random starts. Every new model gets the same random directions, so where it is placed does not
        depend on which others are placed with it.
    starts
        Searches per model in d >= 2; static under jit. In this order: the least-squares point of the inner products
        (Gower's); two at the new model's distance from the span along the configuration's shortest axis, one to
        either side; the configuration's own points where stress is least, for half of what is left; and random points
        at distance delta_i from a psi_i. Where minimisers tie, the one that the first of them reached is returned.

    Returns
    -------
    Placement
        ``off_span`` is that of the configuration with its own distances. In d = 1 the minimum is exact, no search is
        made, and of two minimisers that tie the larger is returned. In d >= 2 a search ends with majorisation and
        safeguarded Newton steps at a gradient norm of 1e-12 of scale and a positive semi-definite Hessian, which
        ``converged`` says; that the best of them is global is likely, not certified.

    Raises
    ------
    InputError
        For other axes, NaN, infinities or negative entries of ``new``, starts below 1, or what is no typed key.

    Examples
    --------
    >>> import numpy as np
    >>> frame = np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> placed = raw_stress_placement(frame, np.array([[8.0, 4.0, 2.0]]) ** 0.5, key=jax.random.key(0))
    >>> placed.configuration.round(6).tolist(), placed.converged.tolist(), placed.tied.tolist()
    ([[1.0, 2.0]], [True], [False])
    """
    psi = checked_array("configuration", configuration, "n d")
    delta = checked_new(new, psi.shape[0])
    count = whole_number("starts", starts, 1)
    # Full batches only: one model compiles and rounds as sixteen do.
    q = delta.shape[0]
    padded = jnp.concatenate([delta, jnp.broadcast_to(delta[:1], (-q % _BATCH, delta.shape[1]))])
    placed = _place(psi, padded, checked_key(key), count)
    return jax.tree.map(lambda rows: rows[:q], placed)


@functools.partial(jax.jit, static_argnames="starts")
def _place(psi: Float[Array, "n d"], new: Float[Array, "q n"], key: Key, starts: int) -> Placement:
    n, d = psi.shape
    centroid = psi.mean(axis=0)
    frame = psi - centroid[None, :]
    directions = jax.random.normal(key, (starts, d))
    owners = jax.random.choice(jax.random.fold_in(key, 1), n, (starts,))

    def place(delta: Float[Array, " n"]) -> tuple[Array, ...]:
        scale = jnp.maximum(jnp.abs(frame).max(), delta.max())
        scale = jnp.where(scale > 0, scale, 1.0)
        X, lengths = frame / scale, delta / scale
        flat, axis, off_span = _least_squares(X, lengths)
        if d == 1:
            points, best, fine = _sign_patterns(X, lengths)
        else:
            begin = _starts(X, lengths, flat, axis, off_span, directions, owners)
            points, best, fine = jax.vmap(lambda y: _search(X, lengths, y))(begin)
        chosen, other, tied, reached = _choice(points, best, fine, n)
        ends = points[chosen] * scale + centroid, points[other] * scale + centroid
        return *ends, off_span * scale**2, best[chosen] * scale**2, fine[chosen], tied, reached

    configuration, other, off_span, objective, converged, tied, reached = jax.lax.map(place, new, batch_size=_BATCH)
    if d == 1:
        reached = jnp.ones_like(reached)
    return Placement(configuration, off_span, objective, converged, tied, other, reached)


def _stress(X: Float[Array, "n d"], delta: Float[Array, " n"], y: Float[Array, " d"]) -> Float[Array, ""]:
    return ((jnp.sqrt(((y[None, :] - X) ** 2).sum(axis=1)) - delta) ** 2).sum()


def _least_squares(
    X: Float[Array, "n d"], delta: Float[Array, " n"]
) -> tuple[Float[Array, " d"], Float[Array, " d"], Float[Array, ""]]:
    """Return Gower's point, the shortest principal axis of X, and the squared length off the span."""
    squares, own = delta**2, (X**2).sum(axis=1)
    b = -0.5 * (squares - squares.mean() - own + own.mean())
    values, axes = jnp.linalg.eigh(X.T @ X)
    counts = values > RANK_TOLERANCE * values[-1]
    flat = axes @ jnp.where(counts, (axes.T @ (X.T @ b)) / jnp.where(counts, values, 1.0), 0.0)
    return flat, axes[:, 0], squares.mean() - own.mean() - (flat**2).sum()


def _sign_patterns(
    X: Float[Array, "n 1"], delta: Float[Array, " n"]
) -> tuple[Float[Array, "k 1"], Float[Array, " k"], Bool[Array, " k"]]:
    """Return the minimisers of the n + 1 quadratics in d = 1, largest first, and their stresses."""
    order = jnp.argsort(X[:, 0])
    after = jnp.concatenate([jnp.zeros(1), jnp.cumsum(delta[order])])
    points = (X.mean() + (2 * after - delta.sum()) / len(delta))[::-1, None]
    stresses = jax.vmap(lambda y: _stress(X, delta, y))(points)
    return points, stresses, jnp.ones(len(points), dtype=bool)


def _starts(
    X: Float[Array, "n d"],
    delta: Float[Array, " n"],
    flat: Float[Array, " d"],
    axis: Float[Array, " d"],
    off_span: Float[Array, ""],
    directions: Float[Array, "s d"],
    owners: Int[Array, " s"],
) -> Float[Array, "s d"]:
    starts, n = len(directions), len(X)
    height = sqrt_nonnegative(off_span) * axis
    nearest = jnp.argsort(jax.vmap(lambda y: _stress(X, delta, y))(X))[: min(n, max(0, (starts - 3) // 2))]
    units = directions / jnp.linalg.norm(directions, axis=1, keepdims=True)
    random = X[owners] + delta[owners][:, None] * units
    return jnp.concatenate([jnp.stack([flat, flat + height, flat - height]), X[nearest], random])[:starts]


def _derivatives(
    X: Float[Array, "n d"], delta: Float[Array, " n"], y: Float[Array, " d"]
) -> tuple[Float[Array, " d"], Float[Array, "d d"]]:
    """Return the gradient and the Hessian of f, both over 2 n."""
    n, d = X.shape
    gaps = y[None, :] - X
    r = jnp.sqrt((gaps**2).sum(axis=1))
    apart = r > 0
    u = jnp.where(apart[:, None], gaps / jnp.where(apart, r, 1.0)[:, None], jnp.eye(1, d))
    w = jnp.where(delta > 0, delta / jnp.maximum(r, 1e-150), 0.0)
    gradient = (gaps - delta[:, None] * u).mean(axis=0)
    return gradient, jnp.eye(d) * (1 - w.sum() / n) + (u * w[:, None]).T @ u / n


def _search(
    X: Float[Array, "n d"], delta: Float[Array, " n"], start: Float[Array, " d"]
) -> tuple[Float[Array, " d"], Float[Array, ""], Bool[Array, ""]]:
    """Return where a search from ``start`` ends, its stress, and whether that is a local minimum to the tolerance."""

    def unfinished(state: tuple[Array, Array, Array]) -> Bool[Array, ""]:
        _, done, iteration = state
        return (iteration < _ITERATIONS) & ~done

    def step(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        y, _, iteration = state
        gradient, hessian = _derivatives(X, delta, y)
        values, vectors = jnp.linalg.eigh(hessian)
        done = _is_minimum(gradient, values)
        newton = -vectors @ ((vectors.T @ gradient) / jnp.maximum(jnp.abs(values), _FLAT))
        # Away from a saddle, which is where the gradient alone would stay.
        escape = jnp.where(values[0] < -_FLAT, 1.0, 0.0) * vectors[:, 0]
        moves = [*(share * newton for share in _SHARES), -gradient]
        moves += [sign * length * escape for length in _ESCAPES for sign in (1.0, -1.0)]
        candidates = y[None, :] + jnp.stack([*moves, jnp.zeros_like(y)])
        stresses = jax.vmap(lambda z: _stress(X, delta, z))(candidates)
        best = candidates[jnp.argmin(stresses[:-1])]
        # Near the minimum stress has no digits left to choose by, and the gradient still has.
        full = candidates[0]
        nearer = jnp.linalg.norm(_derivatives(X, delta, full)[0]) <= 0.5 * jnp.linalg.norm(gradient)
        close = stresses[0] <= stresses[-1] + 1e-14 * len(X)
        moved = jnp.where((values[0] > 0) & nearer & close, full, best)
        return jnp.where(done, y, moved), done, iteration + 1

    y, done, _ = jax.lax.while_loop(unfinished, step, (start, jnp.asarray(False), jnp.asarray(0)))
    return y, _stress(X, delta, y), done


def _is_minimum(gradient: Float[Array, " d"], values: Float[Array, " d"]) -> Bool[Array, ""]:
    return (jnp.linalg.norm(gradient) <= TOLERANCE) & (values[0] >= -_FLAT)


def _choice(
    points: Float[Array, "s d"], stresses: Float[Array, " s"], converged: Bool[Array, " s"], n: int
) -> tuple[Int[Array, ""], Int[Array, ""], Bool[Array, ""], Int[Array, ""]]:
    """Return which end to show, one that ties with it (or itself), whether one does, and how many are best."""
    reached = stresses <= stresses.min() + _SAME_STRESS * n
    # A converged one where there is one; the first of them, so that the choice is stable.
    chosen = jnp.argmax(2 * (reached & converged) + reached)
    away = jnp.where(reached, jnp.linalg.norm(points - points[chosen][None, :], axis=1), 0.0)
    tied = away.max() > _SAME_PLACE
    return chosen, jnp.where(tied, jnp.argmax(away), chosen), tied, reached.sum()
