r"""Sub-Gaussian proxies: matrices K with E exp(u'(x - mu)) <= exp(u'K u / 2) for every u.

- A Gaussian has K = Sigma, with equality.
- Two points. For x on a and b with P(x = a) = w, Kearns and Saul's inequality (1998, UAI; proved by Berend and
  Kontorovich 2013, Electron. Commun. Probab. 18, no. 3) gives K = v(w) (a - b)(a - b)' with v(w) = (1 - 2w) /
  (2 log((1 - w) / w)), 1/4 at w = 1/2, and no smaller multiple will do. With y = log((1 - w) / w), v = tanh(y/2)/(2y).
- Finitely many points. By Hoeffding's lemma log E exp(u'(x - mu)) <= (max_l u't_l - min_l u't_l)^2 / 8. For a positive
  definite T, u'(t_l - t_l') <= sqrt(u'T u) sqrt((t_l - t_l')'T^-1 (t_l - t_l')), so K = (D^2 / 4) T with D the diameter
  of the points in the norm of T^-1. T = I and the scatter of the points are tried, and the smaller trace is taken.
- A mixture. If x has proxy W given its component, whichever it is, and the mean of the component has proxy Z, then x
  has proxy W + Z. For W >= Sigma_k for all k: A + (C - A)_+ is at least A and C, for matrices A and C.

Proxies of independent vectors add, and the mean of r answers has proxy K / r.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Float

#: The share of the trace that is added to a scatter matrix to make it positive definite.
_RIDGE = 1e-9


def two_point_variance(weight: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
    """Return v(w), the best proxy of a 0/1 number that is 1 with probability w; 0 at w = 0 and 1.

    Examples
    --------
    >>> [round(float(v), 6) for v in two_point_variance(jnp.asarray([0.0, 0.1, 0.5]))]
    [0.0, 0.182048, 0.25]
    """
    inside = (weight > 0) & (weight < 1)
    w = jnp.where(inside, weight, 0.5)
    y = jnp.log1p(-w) - jnp.log(w)
    small = jnp.abs(y) < 1e-3
    safe = jnp.where(small, 1.0, y)
    values = jnp.where(small, 0.25 * (1 - y**2 / 12 + y**4 / 120), jnp.tanh(safe / 2) / (2 * safe))
    return jnp.where(inside, values, 0.0)


@jax.jit
def finite_law_proxy(weights: Float[Array, "n m k"], points: Float[Array, "n m k p"]) -> Float[Array, "n m p p"]:
    """Return a proxy of the law with the given weights on the given points; points of weight 0 do not count.

    Examples
    --------
    >>> finite_law_proxy(jnp.asarray([[[0.5, 0.5]]]), jnp.asarray([[[[0.0], [2.0]]]])).tolist()
    [[[[1.0]]]]
    """
    p = points.shape[-1]
    if weights.shape[-1] == 2:
        step = points[:, :, 1] - points[:, :, 0]
        return two_point_variance(weights[..., 0])[..., None, None] * step[..., :, None] * step[..., None, :]
    used = weights > 0
    first = jnp.take_along_axis(points, jnp.argmax(weights, axis=-1)[..., None, None], axis=2)
    steps = jnp.where(used[..., None], points - first, 0.0)  # an unused point is put where a used one is
    if weights.shape[-1] == 1:
        return jnp.zeros((*weights.shape[:2], p, p))
    identity = jnp.broadcast_to(jnp.eye(p)[None, None], (*weights.shape[:2], p, p))
    count = used.sum(axis=-1)[..., None]
    centred = jnp.where(used[..., None], steps - steps.sum(axis=2, keepdims=True) / count[..., None], 0.0)
    scatter = jnp.einsum("ijka,ijkb->ijab", centred, centred)
    trace = jnp.trace(scatter, axis1=-2, axis2=-1)[..., None, None]
    shape = jnp.where(trace > 0, scatter + _RIDGE * trace * identity, identity)
    found = jnp.square(_diameter(steps)) / 4 * identity
    root = jnp.linalg.cholesky(shape)
    whitened = jnp.swapaxes(_solved(root, jnp.swapaxes(steps, -1, -2)), -1, -2)
    other = jnp.square(_diameter(whitened)) / 4 * shape
    found = jnp.where(_trace(other) < _trace(found), other, found)
    # Where two points have all the mass, one of them is ``first``, and the other is the only one that is not.
    leading = jnp.sort(weights, axis=-1)
    step = steps.sum(axis=2)
    pair = two_point_variance(leading[..., -2])[..., None, None] * step[..., :, None] * step[..., None, :]
    return jnp.where(count[..., None] <= 2, pair, found)


@jax.jit
def common_upper_bound(matrices: Float[Array, "n m k p p"], used: Float[Array, "n m k"]) -> Float[Array, "n m p p"]:
    """Return a matrix that is at least each of the used ones in the order of positive semi-definite matrices.

    Examples
    --------
    >>> pair = jnp.asarray([[[[[1.0, 0.0], [0.0, 2.0]], [[3.0, 0.0], [0.0, 1.0]]]]])
    >>> common_upper_bound(pair, jnp.ones((1, 1, 2))).round(12).tolist()
    [[[[3.0, 0.0], [0.0, 2.0]]]]
    """
    bound = jnp.zeros_like(matrices[:, :, 0])
    for index in range(matrices.shape[2]):
        matrix = jnp.where((used[:, :, index] > 0)[..., None, None], matrices[:, :, index], 0.0)
        if index == 0:
            bound = matrix
            continue
        values, vectors = jnp.linalg.eigh(matrix - bound)
        bound = bound + (vectors * jnp.maximum(values, 0.0)[..., None, :]) @ jnp.swapaxes(vectors, -1, -2)
    return bound


def _diameter(points: Float[Array, "n m k p"]) -> Float[Array, "n m one two"]:
    """Largest distance of two points of a cell, by differences: squares would cancel."""
    largest = jnp.zeros(points.shape[:2])
    for index in range(points.shape[2]):
        gaps = jnp.sqrt(jnp.square(points - points[:, :, index : index + 1]).sum(axis=-1))
        largest = jnp.maximum(largest, gaps.max(axis=-1))
    return largest[..., None, None]


def _solved(root: Float[Array, "n m p p"], right: Float[Array, "n m p k"]) -> Float[Array, "n m p k"]:
    return solve_triangular(root, right, lower=True)


def _trace(matrices: Float[Array, "n m p p"]) -> Float[Array, "n m one two"]:
    return jnp.trace(matrices, axis1=-2, axis2=-1)[..., None, None]
