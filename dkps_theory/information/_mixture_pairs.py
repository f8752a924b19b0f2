"""Pairwise closed forms between the components of Gaussian mixtures, and what they bound.

Notation: p = sum_i w_i N_i, q = sum_j v_j M_j, E_i the expectation under N_i = N(mu_i, Sigma_i), M_j = N(nu_j, T_j).
Three pairwise integrals are in closed form: E_i log M_j; int N_i M_j = N(mu_i; nu_j, Sigma_i + T_j); and, for
0 < a < 1, int N_i^a M_j^{1-a} = exp(-C_a(N_i, M_j)).

Cross entropy, by Jensen's inequality twice: the logarithm is concave, E_i log q <= log sum_j v_j int N_i M_j (Huber,
Bailey, Durrant-Whyte, Hanebeck 2008); log-sum-exp is convex, E_i log q >= log sum_j v_j exp(E_i log M_j) (Hershey,
Olsen 2007).

Convexity bound (Hershey, Olsen 2007). For any f_ij, g_ij >= 0 with sum_j f_ij = w_i and sum_i g_ij = v_j,
p = sum f_ij N_i and q = sum g_ij M_j, so by the log-sum inequality

    KL(p || q) <= sum f_ij {log(f_ij/g_ij) + KL(N_i || M_j)}.

It holds for every such pair; minimising over g and over f in turn lowers it: g_ij = v_j f_ij / sum_i f_ij,
f_ij = w_i g_ij e^{-KL_ij} / sum_j g_ij e^{-KL_ij}.

Affinity rho = int sqrt(p q), with B_ij = int sqrt(N_i M_j) = e^{-C_{1/2}}: sqrt(sum x) <= sum sqrt(x) gives
rho <= sum_ij sqrt(w_i v_j) B_ij, and Cauchy-Schwarz, sqrt(pq) >= sum_ij sqrt(f_ij N_i g_ij M_j), gives
rho >= sum_ij sqrt(f_ij g_ij) B_ij.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from dkps_theory._gaussian import LOG_TWO_PI, Factors, expected_log_densities, factorise
from dkps_theory.information.mixture import Mixture, prepared, present

#: Rounds of the matching for the convexity bound. Every round gives a valid bound; more rounds lower it.
ROUNDS = 60


class Pair(NamedTuple):
    """A lower and an upper bound."""

    lower: Float[Array, ""]
    upper: Float[Array, ""]


def weighted_mean(weights: Float[Array, " k"], values: Float[Array, " k"]) -> Float[Array, ""]:
    """Return sum w_i values_i, where an absent component adds 0."""
    return jnp.where(weights != 0, weights * values, 0.0).sum()


def component_entropies(factors: Factors) -> Float[Array, " k"]:
    return 0.5 * factors.root.shape[-1] * (1 + LOG_TWO_PI) + factors.log_det


@jax.jit
def cross_entropy_bounds(p: Mixture, q: Mixture) -> Pair:
    """Bound -E_p log q by the two inequalities of Jensen."""
    _, means, factors = prepared(p)
    log_weights, other_means, other_factors = prepared(q)
    expected = expected_log_densities(means, factors, other_means, other_factors)
    products = _log_products(p, q)
    upper, lower = (-jax.nn.logsumexp(log_weights[None] + terms, axis=1) for terms in (expected, products))
    return Pair(weighted_mean(p.weights, lower), weighted_mean(p.weights, upper))


def _log_products(p: Mixture, q: Mixture) -> Float[Array, "k l"]:
    """Return log int N_i M_j = log N(mu_i; nu_j, Sigma_i + T_j)."""
    (_, means, covariances), (_, other_means, other_covariances) = present(p), present(q)
    form = _quadratic(means, covariances[:, None] + other_covariances[None], other_means)
    return -form - 0.5 * means.shape[1] * LOG_TWO_PI


def _quadratic(
    means: Float[Array, "k d"], matrices: Float[Array, "k l d d"], other_means: Float[Array, "l d"]
) -> Float[Array, "k l"]:
    """Return (delta' S^{-1} delta + log det S) / 2 for every pair."""
    k, others, d, _ = matrices.shape
    factors = factorise(matrices.reshape(k * others, d, d))
    delta = (other_means[None] - means[:, None]).reshape(k * others, d)
    shift = jnp.einsum("kab,kb->ka", factors.whitening, delta)
    return (0.5 * (shift * shift).sum(axis=1) + factors.log_det).reshape(k, others)


def chernoff(p: Mixture, q: Mixture, alpha: Float[Array, ""]) -> Float[Array, "k l"]:
    """Return C_a(N_i, M_j) = -log int N_i^a M_j^{1-a}.

    With S = a T + (1-a) Sigma it is a (1-a)/2 delta' S^{-1} delta + 1/2 log(det S / (det Sigma^{1-a} det T^a)).
    """
    (_, means, covariances), (_, other_means, other_covariances) = present(p), present(q)
    mixed = (1 - alpha) * covariances[:, None] + alpha * other_covariances[None]
    scale = jnp.sqrt(alpha * (1 - alpha))
    # _quadratic of scaled means leaves the determinant of S as it is.
    whole = _quadratic(scale * means, mixed, scale * other_means)
    own, other = factorise(covariances).log_det, factorise(other_covariances).log_det
    return whole - (1 - alpha) * own[:, None] - alpha * other[None]


def _matching(p: Mixture, q: Mixture) -> tuple[Float[Array, "k l"], Float[Array, "k l"], Float[Array, "k l"]]:
    """Return log f, log g of the convexity bound after its rounds, and KL(N_i || M_j)."""
    log_w, means, factors = prepared(p)
    log_v, other_means, other_factors = prepared(q)
    expected = expected_log_densities(means, factors, other_means, other_factors)
    divergence = -component_entropies(factors)[:, None] - expected

    def normalise(terms: Array, totals: Array, axis: int) -> Array:
        sums = jax.nn.logsumexp(terms, axis=axis, keepdims=True)
        return jnp.where(jnp.isfinite(totals), totals + terms - jnp.where(jnp.isfinite(sums), sums, 0.0), -jnp.inf)

    def step(_: Array, log_f: Array) -> Array:
        log_g = normalise(log_f, log_v[None], 0)
        return normalise(log_g - divergence, log_w[:, None], 1)

    log_f = jax.lax.fori_loop(0, ROUNDS, step, log_w[:, None] + log_v[None])
    return log_f, normalise(log_f, log_v[None], 0), divergence


def convexity(p: Mixture, q: Mixture) -> Float[Array, ""]:
    log_f, log_g, divergence = _matching(p, q)
    here = jnp.isfinite(log_f)
    terms = jnp.where(here, log_f, 0.0) - jnp.where(here, log_g, 0.0) + divergence
    return jnp.where(here, jnp.exp(log_f) * terms, 0.0).sum()


def log_affinity_bounds(p: Mixture, q: Mixture) -> Pair:
    """Bound log int sqrt(p q)."""
    log_f, log_g, _ = _matching(p, q)
    distances = chernoff(p, q, jnp.asarray(0.5))
    halves = 0.5 * (prepared(p)[0][:, None] + prepared(q)[0][None])
    lower, upper = (jax.nn.logsumexp(half - distances) for half in (0.5 * (log_f + log_g), halves))
    return Pair(lower, jnp.minimum(upper, 0.0))
