"""Entropy, divergences and mutual information of finite laws given as arrays of probabilities, by enumeration, in nats.

A joint law of several variables is an array with one axis for each variable; groups of variables are named by their
axes. Conventions: 0 log 0 = 0, 0 log(0/q) = 0 and p log(p/0) = infinity for p > 0. Total variation is the largest
difference of the probabilities of one event, half of the sum of |p - q|, so it lies in [0, 1].

Near equality. The terms of sum p log(p/q) have either sign, and their sum, of second order in p - q, drowns in their
rounding where p is near q. As both laws sum to 1, it is the sum of

    p log(p/q) - (p - q) >= 0,    about (p - q)^2 / (2 q),

and with log(p/q) = log(1 + (p - q)/q), where p - q is a difference of neighbours and exact, each term has a relative
error of about 1e-16 q / |p - q|. A mutual information is the divergence of the joint law from the product of margins.
JAX's gradients differ from those of the plain sum by a constant that no change from law to law sees.

Nothing is clipped. Laws whose values are known are computed with NumPy, so that many small ones compile nothing; traced
ones with JAX.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float

from dkps_theory._types import AnyArray
from dkps_theory._validate import finite, require, shown

#: How far from 1 the probabilities of a law may sum, and how far below 0 none of them may lie.
SUM_TOLERANCE = 1e-12


def entropy(law: Float[AnyArray, "*k"]) -> Float[Array, ""]:
    """Return H = -sum p log p over all axes together, in nats.

    Parameters
    ----------
    law
        Probabilities, one axis for each variable; non-negative, with sum 1 within 1e-12.

    Raises
    ------
    InputError
        When ``law`` is not a law. What is traced is trusted.

    Notes
    -----
    Source: Shannon (1948). Where a probability is 0 the true slope is infinite; JAX's gradient there is finite.

    Examples
    --------
    >>> round(float(entropy(np.array([0.5, 0.25, 0.25]))), 6) == round(1.5 * float(np.log(2)), 6)
    True
    """
    xp, (law,) = _laws(law=law)
    return jnp.asarray(0.0 - _times_log(xp, law, law).sum())  # of one letter 0, not -0


def kl_divergence(first: Float[AnyArray, "*k"], second: Float[AnyArray, "*k"]) -> Float[Array, ""]:
    """Return KL(first || second) = sum p log(p/q) in nats; infinite where ``second`` is 0 and ``first`` is not.

    Parameters
    ----------
    first, second
        Laws on the same letters: arrays of one shape.

    Raises
    ------
    InputError
        When either is not a law, or the shapes differ.

    Notes
    -----
    Source: Kullback, Leibler (1951). It is not symmetric. Accurate where the laws nearly agree, see the module's head.

    Examples
    --------
    >>> float(kl_divergence(np.array([1.0, 0.0]), np.array([0.5, 0.5]))) == float(np.log(2))
    True
    >>> float(kl_divergence(np.array([0.5, 0.5]), np.array([1.0, 0.0])))
    inf
    """
    xp, (first, second) = _laws(first=first, second=second)
    found = divergence_terms(xp, first, 1.0, second)
    return jnp.asarray(xp.where(xp.any((first > 0) & ~(second > 0)), xp.inf, found))


def total_variation(first: Float[AnyArray, "*k"], second: Float[AnyArray, "*k"]) -> Float[Array, ""]:
    """Return TV = sup over events of |P(A) - Q(A)| = 1/2 sum |p - q|, in [0, 1].

    Parameters
    ----------
    first, second
        Laws on the same letters: arrays of one shape.

    Raises
    ------
    InputError
        When either is not a law, or the shapes differ.

    Notes
    -----
    Some texts leave the factor 1/2 out; their numbers are twice these.

    Examples
    --------
    >>> float(total_variation(np.array([0.5, 0.5]), np.array([0.75, 0.25])))
    0.25
    """
    xp, (first, second) = _laws(first=first, second=second)
    return jnp.asarray(xp.abs(first - second).sum() / 2)


def mutual_information(
    joint: Float[AnyArray, "*k"], first: Sequence[int] | int, second: Sequence[int] | int
) -> Float[Array, ""]:
    """Return I(A; B) of two groups of variables, the others summed out, in nats.

    Parameters
    ----------
    joint
        Joint law, one axis for each variable.
    first, second
        The axes of A and of B: one axis or several, no axis twice.

    Raises
    ------
    InputError
        When ``joint`` is not a law, or an axis does not exist or is named twice.

    Notes
    -----
    Source: Shannon (1948). Computed as KL(joint || product of the marginals), accurate near independence, where a
    difference of entropies is not: see the module's head.

    Examples
    --------
    A fair bit and its copy share log 2 nats.

    >>> float(mutual_information(np.array([[0.5, 0.0], [0.0, 0.5]]), 0, 1)) == float(np.log(2))
    True
    """
    return conditional_mutual_information(joint, first, second, ())


def conditional_mutual_information(
    joint: Float[AnyArray, "*k"], first: Sequence[int] | int, second: Sequence[int] | int, given: Sequence[int] | int
) -> Float[Array, ""]:
    """Return I(A; B | C) of groups of variables, the others summed out, in nats.

    Parameters
    ----------
    joint
        Joint law, one axis for each variable.
    first, second, given
        The axes of A, B and C: one axis or several, no axis twice. An empty ``given`` conditions on nothing.

    Raises
    ------
    InputError
        When ``joint`` is not a law, or an axis does not exist or is named twice.

    Notes
    -----
    It is sum p(a,b,c) log(p(a,b,c) p(c) / (p(a,c) p(b,c))), and 0 exactly when A - C - B is a Markov chain. Accurate
    near conditional independence, see the module's head.

    Examples
    --------
    Two independent fair bits become dependent once their sum modulo 2 is known.

    >>> joint = np.zeros((2, 2, 2))
    >>> for a, b in np.ndindex(2, 2):
    ...     joint[a, b, (a + b) % 2] = 0.25
    >>> float(mutual_information(joint, 0, 1))
    0.0
    >>> float(conditional_mutual_information(joint, 0, 1, 2)) == float(np.log(2))
    True
    """
    xp, (joint,) = _laws(joint=joint)
    named = (("first", first), ("second", second), ("given", given))
    groups = [named_axes(name, axes, joint.ndim, "axis") for name, axes in named]
    used = [axis for group in groups for axis in group]
    require(bool(groups[0] and groups[1]), "first, second: each must name at least one axis of joint")
    require(len(set(used)) == len(used), f"first, second, given: an axis is named twice in {groups}")
    first_given, second_given = groups[0] + groups[2], groups[1] + groups[2]
    kept = _margin(joint, used)
    with_first, with_second, alone = (_margin(kept, axes) for axes in (first_given, second_given, groups[2]))
    # Where p(c) = 0 the product of the marginals is 0 too, and so is the law.
    return jnp.asarray(divergence_terms(xp, kept, with_first, with_second / xp.where(alone > 0, alone, 1.0)))


def _laws(**named: Any) -> tuple[Any, list[Any]]:
    """Return the array module to compute with and the laws as its arrays, checked."""
    traced = any(isinstance(law, Tracer) for law in named.values())
    for name, law in named.items():
        if isinstance(law, Tracer):
            continue
        values = finite(name, law)
        require(values.size > 0, f"{name}: got shape {values.shape}; a law needs at least one letter")
        require(values.min() >= 0, f"{name}: its least value is {values.min():g}; probabilities are not negative")
        total = float(values.sum())
        require(abs(total - 1) <= SUM_TOLERANCE, f"{name}: sums to {total:.15g}; probabilities must sum to 1")
    shapes = {name: np.shape(law) for name, law in named.items()}
    require(len(set(shapes.values())) == 1, f"{', '.join(named)}: got shapes {list(shapes.values())}; they must agree")
    xp = jnp if traced else np
    return xp, [xp.asarray(law, dtype=np.float64) for law in named.values()]


def _times_log(xp: Any, weight: Any, value: Any) -> Any:
    """Return weight log(value), 0 where the weight is; the value there does not matter, not even to a gradient."""
    present = weight > 0
    return xp.where(present, weight * xp.log(xp.where(present & (value > 0), value, 1.0)), 0.0)


def divergence_terms(xp: Any, first: Any, one: Any, other: Any) -> Any:
    """Return sum p log(p/q) - p + q of laws p and q = one * other, see the module's head.

    Away from p = q the logarithm is taken of the factors, because q may underflow where p does not.
    """
    second = one * other
    gap = first - second
    near = 2 * xp.abs(gap) < second
    ratio = xp.log1p(xp.where(near, gap, 0.0) / xp.where(near, second, 1.0))
    close = xp.where(near, first * ratio - gap, 0.0)
    share = first / xp.where(first > 0, one, 1.0)
    apart = _times_log(xp, first, share) - _times_log(xp, first, other)
    return close.sum() + (xp.where(near, 0.0, apart).sum() - xp.where(near, 0.0, gap).sum())


def named_axes(name: str, axes: Any, count: int, kind: str) -> tuple[int, ...]:
    """Return one axis or several as places 0..count-1; ``kind`` is what a message calls one of them."""
    wanted = tuple(axes) if isinstance(axes, Sequence) or np.ndim(axes) == 1 else (axes,)
    wrong = [axis for axis in wanted if not (isinstance(axis, (int, np.integer)) and -count <= axis < count)]
    require(not wrong, f"{name}: there is no {kind} {shown(wrong[0] if wrong else None)} among {count}")
    return tuple(int(axis) % count for axis in wanted)


def _margin(joint: Any, axes: Sequence[int]) -> Any:
    """Sum out all axes but those named, and keep them as axes of length 1."""
    others = tuple(axis for axis in range(joint.ndim) if axis not in axes)
    return joint.sum(axis=others, keepdims=True)
