"""Entropy, divergences and mutual information of Gaussian laws in closed form, in nats.

Throughout P = N(mu_0, Sigma_0), Q = N(mu_1, Sigma_1) on R^d, delta = mu_1 - mu_0, Sigma = R R' (Cholesky). Entropies
are differential: they change with the units, H(a X) = H(X) + d log|a|, and may be negative. Divergences and mutual
informations do not. A singular covariance has no density and is refused, with its least eigenvalue.

Laws whose numbers are known are computed with NumPy, so that many small ones compile nothing; traced ones, which are
trusted, with JAX.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import jax.scipy.linalg
import numpy as np
import scipy.linalg
from jax.core import Tracer
from jaxtyping import Array, Float

from dkps_theory._gaussian import LOG_TWO_PI, checked_covariances, factorise, total_variation_on_line
from dkps_theory._types import AnyArray
from dkps_theory._validate import finite, require
from dkps_theory.information.discrete import named_axes

Axes = Sequence[int] | int


def gaussian_entropy(covariance: Float[AnyArray, "d d"]) -> Float[Array, ""]:
    """Return h(N(mu, Sigma)) = (d/2) log(2 pi e) + log det R, the differential entropy in nats.

    Parameters
    ----------
    covariance
        Sigma (d, d), symmetric and positive definite.

    Raises
    ------
    InputError
        When Sigma is not symmetric or not positive definite.

    Notes
    -----
    Source: Shannon (1948). -E log p(X) = E||R^{-1}(X - mu)||^2 / 2 + log det R + (d/2) log 2 pi, and the first is d/2.

    Examples
    --------
    >>> round(float(gaussian_entropy(np.eye(1))), 6) == round(0.5 * math.log(2 * math.pi * math.e), 6)
    True
    """
    xp, _ = _tools(covariance)
    root = _root(xp, "covariance", covariance)
    return jnp.asarray(0.5 * len(root) * (1 + LOG_TWO_PI) + xp.log(xp.diagonal(root)).sum())


def gaussian_kl(
    first_mean: Float[AnyArray, " d"],
    first_covariance: Float[AnyArray, "d d"],
    second_mean: Float[AnyArray, " d"],
    second_covariance: Float[AnyArray, "d d"],
) -> Float[Array, ""]:
    """Return KL(P || Q) of two Gaussian laws, in nats.

    Parameters
    ----------
    first_mean, first_covariance
        P: (d,) and (d, d).
    second_mean, second_covariance
        Q: (d,) and (d, d).

    Raises
    ------
    InputError
        On shapes that differ, NaN, a covariance that is not positive definite, or laws so far apart that it overflows.

    Notes
    -----
    Source: Kullback, Leibler (1951). E_P log(p/q) = 1/2 {||R_1^{-1} delta||^2 + sum_a (s_a^2 - 1 - log s_a^2)} with s_a
    the singular values of R_1^{-1} R_0: trace, dimension and determinants in one sum of terms that are not negative,
    with no difference of large numbers.

    Examples
    --------
    >>> one = np.eye(1)
    >>> float(gaussian_kl(np.zeros(1), one, np.ones(1), one))
    0.5
    """
    xp, solve, p_root, q_root, delta = _pair(first_mean, first_covariance, second_mean, second_covariance)
    ratio = xp.linalg.svd(solve(q_root, p_root), compute_uv=False)
    shift = solve(q_root, delta)
    with np.errstate(over="ignore"):
        excess = (ratio - 1) * (ratio + 1)
        found = 0.5 * ((shift * shift).sum() + (excess - 2 * xp.log(ratio)).sum())
    return jnp.asarray(_not_overflowed(xp, "KL", found))


def gaussian_renyi(
    first_mean: Float[AnyArray, " d"],
    first_covariance: Float[AnyArray, "d d"],
    second_mean: Float[AnyArray, " d"],
    second_covariance: Float[AnyArray, "d d"],
    order: float,
) -> Float[Array, ""]:
    """Return the Renyi divergence D_a(P || Q) = log(int p^a q^{1-a}) / (a - 1) of order a, in nats.

    Parameters
    ----------
    first_mean, first_covariance, second_mean, second_covariance
        P and Q, as in :func:`gaussian_kl`.
    order
        a > 0 and not 1 (order 1 is :func:`gaussian_kl`).

    Raises
    ------
    InputError
        On an order that is not positive or is 1, and as :func:`gaussian_kl`.

    Notes
    -----
    Source: Renyi (1961); Gil, Alajaji, Linder (2013) for this form. The exponent of p^a q^{1-a} is a quadratic form of
    matrix a Sigma_0^{-1} + (1-a) Sigma_1^{-1}, so with S = a Sigma_1 + (1-a) Sigma_0

        D_a = (a/2) delta' S^{-1} delta - log(det S / (det Sigma_0^{1-a} det Sigma_1^a)) / (2 (a - 1)),

    infinite where S is not positive definite, which needs a > 1. The Chernoff-a information is (1 - a) D_a, the
    Bhattacharyya distance D_{1/2} / 2.

    Examples
    --------
    >>> one = np.eye(1)
    >>> float(gaussian_renyi(np.zeros(1), one, np.ones(1), one, 0.5))
    0.25
    """
    known = isinstance(order, (int, float)) and math.isfinite(order) and order > 0 and order != 1
    require(known, f"order: got {order!r}; it must be a number above 0 other than 1 (order 1 is gaussian_kl)")
    pair = _pair(first_mean, first_covariance, second_mean, second_covariance)
    value, defined = _renyi(pair, order)
    xp = pair[0]
    if xp is np and defined:
        _not_overflowed(xp, "the divergence", value)
    return jnp.asarray(xp.where(defined, value, xp.inf))


def _renyi(pair: tuple[Any, ...], order: float) -> tuple[Any, Any]:
    """Return D_a, infinite where it overflows, and whether S is positive definite.

    In the basis where Sigma_0 = I and Sigma_1 = diag(s^2), S = 1 + a (s^2 - 1) is diagonal. Where s is above 1 it is
    taken as s^2 (1 + (1-a) (1/s^2 - 1)), so that s^2 need not be a number.
    """
    xp, solve, p_root, q_root, delta = pair
    left, ratio, _ = xp.linalg.svd(solve(p_root, q_root))
    wide = xp.where(ratio > 1, ratio, 1.0)
    less = xp.where(ratio > 1, 1 / wide, ratio)
    scale = 1 + xp.where(ratio > 1, 1 - order, order) * (less - 1) * (less + 1)
    shift = left.T @ solve(p_root, delta) / wide
    safe = xp.where(scale > 0, scale, 1.0)
    logs = (xp.log(safe) + 2 * xp.log(wide) - 2 * order * xp.log(ratio)).sum()
    with np.errstate(over="ignore"):
        value = 0.5 * order * (shift * shift / safe).sum() - logs / (2 * (order - 1))
    return value, (scale > 0).all()


def gaussian_hellinger(
    first_mean: Float[AnyArray, " d"],
    first_covariance: Float[AnyArray, "d d"],
    second_mean: Float[AnyArray, " d"],
    second_covariance: Float[AnyArray, "d d"],
) -> Float[Array, ""]:
    """Return the Hellinger distance sqrt(1 - int sqrt(p q)), in [0, 1].

    Parameters
    ----------
    first_mean, first_covariance, second_mean, second_covariance
        P and Q, as in :func:`gaussian_kl`.

    Raises
    ------
    InputError
        As :func:`gaussian_kl`.

    Notes
    -----
    The affinity int sqrt(p q) is exp(-B) with B the Bhattacharyya distance, half of the Renyi divergence of order 1/2.
    Some texts put a factor 2 under the root.

    Examples
    --------
    >>> one = np.eye(1)
    >>> float(gaussian_hellinger(np.zeros(1), one, np.ones(1), one)) == math.sqrt(-math.expm1(-1 / 8))
    True
    """
    distance, _ = _renyi(_pair(first_mean, first_covariance, second_mean, second_covariance), 0.5)
    return jnp.sqrt(jnp.maximum(-jnp.expm1(-distance / 2), 0.0))


def gaussian_total_variation(
    first_mean: Float[AnyArray, " d"],
    first_covariance: Float[AnyArray, "d d"],
    second_mean: Float[AnyArray, " d"],
    second_covariance: Float[AnyArray, "d d"],
) -> Float[Array, ""] | None:
    """Return TV(P, Q) = 1/2 int |p - q| where a closed form exists: equal covariances, or d = 1; else None.

    Parameters
    ----------
    first_mean, first_covariance, second_mean, second_covariance
        P and Q, as in :func:`gaussian_kl`; known numbers, not traced ones.

    Raises
    ------
    InputError
        As :func:`gaussian_kl`.

    Notes
    -----
    Source: own. TV = P(A) - Q(A) for A = {p > q}. Equal covariances: A is a half space, and with D = ||R^{-1} delta||
    TV = 2 Phi(D/2) - 1 = erf(D / (2 sqrt 2)). In one dimension, with p the narrower density, A is an interval, and its
    ends solve a quadratic equation.

    Examples
    --------
    >>> one = np.eye(1)
    >>> round(float(gaussian_total_variation(np.zeros(1), one, np.full(1, 2.0), one)), 6)  # 2 Phi(1) - 1
    0.682689
    >>> gaussian_total_variation(np.zeros(2), np.eye(2), np.zeros(2), 2 * np.eye(2)) is None
    True
    """
    _, solve, p_root, q_root, delta = _pair(first_mean, first_covariance, second_mean, second_covariance)
    if np.array_equal(p_root, q_root):  # as on the line, along delta
        with np.errstate(over="ignore"):
            distance = float(np.linalg.norm(solve(q_root, delta)))
        return jnp.asarray(total_variation_on_line(distance, 1.0, 1.0))
    if len(delta) > 1:
        return None
    return jnp.asarray(total_variation_on_line(delta[0], float(p_root[0, 0]), float(q_root[0, 0])))


def gaussian_mutual_information(covariance: Float[AnyArray, "d d"], first: Axes, second: Axes) -> Float[Array, ""]:
    """Return I(A; B) of two groups of jointly Gaussian coordinates, in nats.

    Parameters
    ----------
    covariance
        Joint covariance (d, d); coordinates in neither group are left out, and may be degenerate.
    first, second
        The coordinates of A and of B: one or several, none twice.

    Raises
    ------
    InputError
        When a coordinate does not exist or is named twice, or the covariance of (A, B) is not positive definite: then
        one is partly a function of the other and the information is infinite, or a coordinate repeats others of its own
        group and should be left out.

    Examples
    --------
    >>> rho = 0.6
    >>> found = float(gaussian_mutual_information(np.array([[1.0, rho], [rho, 1.0]]), 0, 1))
    >>> round(found, 12) == round(-0.5 * math.log(1 - rho**2), 12)
    True
    """
    return gaussian_conditional_mutual_information(covariance, first, second, ())


def gaussian_conditional_mutual_information(
    covariance: Float[AnyArray, "d d"], first: Axes, second: Axes, given: Axes
) -> Float[Array, ""]:
    """Return I(A; B | C) of groups of jointly Gaussian coordinates, in nats.

    Parameters
    ----------
    covariance
        Joint covariance (d, d); coordinates in no group are left out, and may be degenerate.
    first, second, given
        The coordinates of A, B and C: one or several, none twice. An empty ``given`` conditions on nothing.

    Raises
    ------
    InputError
        When a coordinate does not exist or is named twice, or the covariance of (A, B, C) is not positive definite.

    Notes
    -----
    Source: own arrangement of the textbook form. In the order C, A, B the Cholesky factor has the rows of B as
    (., L, N): given C the covariance of B is L L' + N N', given C and A it is N N'. Hence

        I(A; B | C) = 1/2 log det(L L' + N N') - log det N = 1/2 sum log(1 + s^2),   s the singular values of N^{-1} L,

    a sum of terms that are not negative, accurate near independence where differences of entropies are not.

    Examples
    --------
    A and B are noisy copies of C: dependent, but not given C.

    >>> joint = np.array([[2.0, 1.0, 1.0], [1.0, 2.0, 1.0], [1.0, 1.0, 1.0]])
    >>> float(gaussian_conditional_mutual_information(joint, 0, 1, 2))
    0.0
    """
    shape = np.shape(covariance)
    require(len(shape) == 2, f"covariance: got shape {shape}; it must be (d, d)")
    named = (("first", first), ("second", second), ("given", given))
    groups = {name: named_axes(name, axes, shape[-1], "coordinate") for name, axes in named}
    require(bool(groups["first"] and groups["second"]), "first, second: each must name at least one coordinate")
    order = [*groups["given"], *groups["first"], *groups["second"]]
    require(len(set(order)) == len(order), f"first, second, given: a coordinate is named twice in {groups}")
    if isinstance(covariance, Tracer):
        part = covariance[jnp.ix_(jnp.asarray(order), jnp.asarray(order))]
    else:
        part = finite("covariance", covariance)[np.ix_(order, order)]
    xp, solve = _tools(covariance)
    root = _root(xp, f"covariance of coordinates {order}", part)
    start, stop = len(groups["given"]), len(order) - len(groups["second"])
    ratio = xp.linalg.svd(solve(root[stop:, stop:], root[stop:, start:stop]), compute_uv=False)
    return jnp.asarray(0.5 * xp.log1p(ratio * ratio).sum())


def _tools(*values: Any) -> tuple[Any, Any]:
    """Return the array module to compute with, and its solver of lower triangular systems."""
    traced = any(isinstance(value, Tracer) for value in values)
    solver = jax.scipy.linalg.solve_triangular if traced else scipy.linalg.solve_triangular
    if traced:
        return jnp, lambda root, right: solver(root, right, lower=True)
    return np, lambda root, right: _not_overflowed(np, "a ratio of scales", solver(root, right, lower=True))


def _not_overflowed(xp: Any, what: str, found: Any) -> Any:
    known = xp is jnp or bool(np.isfinite(found).all())
    require(known, f"{what} overflows double precision (about 1.8e308): means too far apart, or scales too unlike")
    return found


def _root(xp: Any, name: str, covariance: Any) -> Any:
    """Return the Cholesky factor of a covariance (d, d), checked unless it is traced."""
    matrix = covariance if isinstance(covariance, Tracer) else checked_covariances(name, covariance)
    require(matrix.ndim == 2, f"{name}: got shape {tuple(matrix.shape)}; it must be (d, d)")
    matrix = xp.asarray(matrix, dtype=np.float64)
    return np.linalg.cholesky(matrix) if xp is np else factorise(matrix[None]).root[0]


def _pair(p_mean: AnyArray, p_covariance: AnyArray, q_mean: AnyArray, q_covariance: AnyArray) -> tuple[Any, ...]:
    """Return the array module, its solver, the roots R_0 and R_1, and delta."""
    xp, solve = _tools(p_mean, p_covariance, q_mean, q_covariance)
    p_root, q_root = _root(xp, "first_covariance", p_covariance), _root(xp, "second_covariance", q_covariance)
    means = []
    for name, mean in (("first_mean", p_mean), ("second_mean", q_mean)):
        means.append(mean if isinstance(mean, Tracer) else finite(name, mean))
        got = (tuple(means[-1].shape), tuple(p_root.shape), tuple(q_root.shape))
        require(
            got[0] == got[1][:1] == got[2][:1],
            f"{name}: got shape {got[0]} with covariances {got[1]} and {got[2]}; they must be (d,), (d, d) and (d, d)",
        )
    with np.errstate(over="ignore"):
        delta = _not_overflowed(xp, "second_mean - first_mean", xp.asarray(means[1] - means[0]))
    return xp, solve, p_root, q_root, delta
