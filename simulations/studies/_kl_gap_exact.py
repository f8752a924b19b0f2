"""Mixtures with their covariances factored once, draws from them, and exact divergences with standard errors.

Independent LAPACK calls in one compiled program can wait for each other for ever on two cores (JAX 0.10.2, see
:class:`simulations.study.Study`), so all covariances of a repetition are factored in one call.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.custom_batching import sequential_vmap
from jaxtyping import Array, Float

from dkps_theory._gaussian import Factors, factorise, log_densities
from dkps_theory._types import Key
from dkps_theory.information.mixture import Mixture, present
from dkps_theory.information.mixture_world import label_at
from dkps_theory.populations._draws import normals

#: Draws of each law for its divergences.
DRAWS = 1000


class Law(NamedTuple):
    """A mixture ready for densities: log weights, -infinity for absent components, means and factored covariances."""

    log_weights: Float[Array, " k"]
    means: Float[Array, "k d"]
    factors: Factors


def ready(mixtures: Sequence[Mixture]) -> list[Law]:
    """Return mixtures of one dimension with all covariances factored in one call."""
    parts = [present(one) for one in mixtures]
    factors = factorise(jnp.concatenate([covariances for _, _, covariances in parts]))
    found, first = [], 0
    for weights, means, _ in parts:
        last = first + len(weights)
        own = Factors(*(leaf[first:last] for leaf in factors))
        found.append(Law(jnp.where(weights > 0, jnp.log(jnp.where(weights > 0, weights, 1.0)), -jnp.inf), means, own))
        first = last
    return found


def stacked(laws: Sequence[Law]) -> Law:
    """Return laws as one with a leading axis, padded to one number of components: one piece of code serves them all."""
    room = max(len(law.log_weights) for law in laws)
    padded = []
    for law in laws:
        more = room - len(law.log_weights)
        # Copies of the last component, of weight 0.
        copies = jax.tree.map(lambda leaf, more=more: jnp.concatenate([leaf, leaf[-1:].repeat(more, axis=0)]), law)
        absent = jnp.concatenate([law.log_weights, jnp.full(more, -jnp.inf)])
        padded.append(copies._replace(log_weights=absent))
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *padded)


def points_of(key: Key, law: Law, uniform: Float[Array, " n"]) -> Float[Array, "d n"]:
    """Return draws whose components are the quantiles of the labels at ``uniform``."""
    labels = label_at(jnp.exp(law.log_weights), uniform)
    z = normals(key, (len(uniform), law.means.shape[1]))
    return (law.means[labels] + jnp.einsum("nij,nj->ni", law.factors.root[labels], z)).T


def draw(key: Key, law: Law, size: int) -> Float[Array, "d n"]:
    """Return independent draws."""
    label_key, point_key = jax.random.split(key)
    return points_of(point_key, law, jax.random.uniform(label_key, (size,)))


def stratified(key: Key, law: Law, size: int = DRAWS) -> Float[Array, "d n"]:
    r"""Return draws whose components are stratified: draw t's component is the quantile at (t + u_t)/size, u_t uniform.

    A mean of f over these draws is unbiased, and its variance is sum_t v_t / size^2 with v_t the variance of f at draw
    t, free of the variance between components but for draws at their borders. See :func:`stratified_mean`.
    """
    label_key, point_key = jax.random.split(key)
    return points_of(point_key, law, (jnp.arange(size) + jax.random.uniform(label_key, (size,))) / size)


def stratified_mean(values: Float[Array, " n"]) -> tuple[Float[Array, ""], Float[Array, ""]]:
    r"""Return the mean and its standard error from differences of neighbours, of stratified draws in order.

    Draws are independent with means m_t and variances v_t. E (f_{t+1} - f_t)^2 = v_t + v_{t+1} + (m_{t+1} - m_t)^2, so
    the sum of these squares over 2 (n - 1) n is, up to the two ends, at least the variance sum v_t / n^2 of the mean.
    """
    n = values.shape[0]
    return values.mean(), jnp.sqrt(((values[1:] - values[:-1]) ** 2).sum() / (2 * (n - 1) * n))


def divergences(key: Key, truth: Law, fits: Sequence[Law], size: int = DRAWS) -> dict[str, Array]:
    """Return KL(fit || truth), KL(truth || fit) and TV of pairs of fits, and the gaps of pairs (first less second).

    Parameters
    ----------
    key, truth
        One key, and the law that all are compared with.
    fits
        An even number of laws: the first pair, the second, ...
    size
        Draws of each law.

    Returns
    -------
    dict
        ``divergence`` and ``divergence_se`` (fit, measure), ``gap`` and ``gap_se`` (pair, measure).
    """
    # One repetition after the other, and one law after the other: what is in use then fits into the CPU's cache.
    values = sequential_vmap(functools.partial(_integrands, size=size))(key, truth, stacked(fits))
    mean = jax.vmap(jax.vmap(stratified_mean))
    value, se = mean(values)
    # Reverse KL and TV of a pair share their draws; forward KL has draws of its own for each fit.
    shared = mean(values[::2, 1:] - values[1::2, 1:])[1]
    forward = jnp.sqrt(se[::2, :1] ** 2 + se[1::2, :1] ** 2)
    return {
        "divergence": value,
        "divergence_se": se,
        "gap": value[::2] - value[1::2],
        "gap_se": jnp.concatenate([forward, shared], axis=1),
    }


def _integrands(key: Key, truth: Law, fits: Law, *, size: int) -> Float[Array, "fits 3 n"]:
    """Return log q/p at draws of each fit q; log p/q and (1 - q/p)_+ at draws of the truth p, shared by all fits."""
    first, *keys = jax.random.split(key, 1 + fits.means.shape[0])
    x = stratified(first, truth, size)
    of_truth = log_density(truth, x)

    def compared(one: tuple[Key, Law]) -> Float[Array, "3 n"]:
        own = stratified(*one, size)
        both = jnp.concatenate([x, own], axis=1)
        at_truth, at_own = log_density(one[1], both).reshape(2, size)
        ratio = at_truth - of_truth
        return jnp.stack([at_own - log_density(truth, own), -ratio, jnp.maximum(-jnp.expm1(ratio), 0.0)])

    return jax.lax.map(compared, (jnp.stack(keys), fits))


def log_density(law: Law, points: Float[Array, "d n"]) -> Float[Array, " n"]:
    """Return the log density at every column of ``points``."""
    terms = law.log_weights[:, None] + log_densities(points, law.means, law.factors)
    return jax.nn.logsumexp(jax.lax.optimization_barrier(terms), axis=0)
