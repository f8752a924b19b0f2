r"""The two steps of EM for one data set, and the loop of them; arrays here have the points last: x (d, n).

E step: responsibilities R_ki are the softmax over k of log w_k N(x_i; mu_k, Sigma_k), and the log-likelihood of a point
is their log-sum-exp. M step, with N_k = sum_i R_ki over points counted by their weights:

    w_k = N_k / sum N,   mu_k = sum_i R_ki x_i / N_k,   S_k = sum_i R_ki (x_i - mu_k)(x_i - mu_k)' / N_k,
    Sigma_k = S_k + floor I   (diagonal: the diagonal of S_k; spherical: trace(S_k)/d I).

S_k is a sum of squares about the new mean, never a difference of moments. Like scikit-learn, every component has ten
machine epsilons of a point more than its responsibilities; here that bit of a point sits at the component's old mean,
so a component that no point supports stays where it was.

What is monotone. F(R, theta) = sum_ik R_ki (log w_k N_k(x_i) - log R_ki) / n is at most the log-likelihood l(theta) per
point, with equality at the responsibilities of theta. Given R, what S_k + floor I maximises is not F but

    F(R, theta) - T(R, theta),   T = (floor / 2n) sum_k N_k trace(Sigma_k^{-1}),

since the terms of component k are -(N_k/2n) (log det Sigma + trace(Sigma^{-1} (S_k + floor I))). So for one step

    l(theta') >= F(R, theta') >= F(R, theta) - T(R, theta) + T(R, theta') = l(theta) - (T(R, theta) - T(R, theta')).

Without a floor the log-likelihood never falls. With one it falls by at most T(R, theta) - T(R, theta'): about
floor times half the trace of a component's precision, and d/2 at the very most once every Sigma_k is >= floor I.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from dkps_theory._gaussian import Factors, factorise, log_densities

# What a component's count is raised by, as in scikit-learn, so that no count is 0.
_TRACE_OF_A_POINT = 10 * float(jnp.finfo(jnp.float64).eps)


class Parameters(NamedTuple):
    """Weights, means and covariances of k components, and the factors of the covariances."""

    weights: Float[Array, " k"]
    means: Float[Array, "k d"]
    covariances: Float[Array, "k d d"]
    factors: Factors


class Ascent(NamedTuple):
    """Where one start of EM ended; see :class:`dkps_theory.MixtureFit`."""

    parameters: Parameters
    lower_bound: Float[Array, ""]
    steps: Int[Array, ""]
    converged: Bool[Array, ""]
    failed: Bool[Array, ""]


def parameters(weights: Array, means: Array, covariances: Array) -> Parameters:
    """Return the parameters with their factors; NaN there marks a covariance that is not positive definite."""
    return Parameters(weights, means, covariances, factorise(covariances))


def e_step(
    x: Float[Array, "d n"], point_weights: Float[Array, " n"], theta: Parameters
) -> tuple[Float[Array, ""], Float[Array, "k n"]]:
    """Return the mean log-likelihood of a point, and its responsibilities times its weight."""
    logs = jnp.log(theta.weights)[:, None] + log_densities(x, theta.means, theta.factors)
    largest = logs.max(axis=0)
    ratios = jnp.exp(logs - largest[None])
    sums = ratios.sum(axis=0)
    log_likelihood = (point_weights * (largest + jnp.log(sums))).sum() / point_weights.sum()
    return log_likelihood, ratios * (point_weights / sums)[None]


def m_step(
    x: Float[Array, "d n"],
    responsibilities: Float[Array, "k n"],
    old_means: Float[Array, "k d"],
    active: Bool[Array, " k"],
    floor: Float[Array, ""],
    covariance_type: str,
) -> Parameters:
    """Return the maximiser of F - T; components that are not active get weight 0 and the identity."""
    d = x.shape[0]
    counts = responsibilities.sum(axis=1) + _TRACE_OF_A_POINT
    means = (responsibilities @ x.T + _TRACE_OF_A_POINT * old_means) / counts[:, None]
    residuals = jnp.sqrt(responsibilities)[:, None, :] * (x[None] - means[:, :, None])
    identity = jnp.eye(d)[None]
    if covariance_type == "full":
        scatter = jnp.einsum("kan,kbn->kab", residuals, residuals)
    else:
        squares = (residuals * residuals).sum(axis=2)
        if covariance_type == "spherical":
            squares = jnp.broadcast_to(squares.mean(axis=1, keepdims=True), squares.shape)
        scatter = squares[:, :, None] * identity
    covariances = jnp.where(active[:, None, None], scatter / counts[:, None, None] + floor * identity, identity)
    weights = jnp.where(active, counts, 0.0)
    return parameters(weights / weights.sum(), means, covariances)


def ascend(
    x: Float[Array, "d n"],
    point_weights: Float[Array, " n"],
    active: Bool[Array, " k"],
    start: Parameters,
    floor: Float[Array, ""],
    tolerance: Float[Array, ""],
    max_steps: Int[Array, ""],
    covariance_type: str,
) -> Ascent:
    """Take E and M steps until the log-likelihood moves by less than ``tolerance`` from one E step to the next."""

    def body(now: Ascent) -> Ascent:
        log_likelihood, responsibilities = e_step(x, point_weights, now.parameters)
        found = m_step(x, responsibilities, now.parameters.means, active, floor, covariance_type)
        is_fine = jnp.isfinite(log_likelihood) & jnp.isfinite(found.factors.log_det).all()
        return Ascent(
            # After a step that cannot be taken in double precision the last one stands.
            jax.tree.map(lambda new, old: jnp.where(is_fine, new, old), found, now.parameters),
            jnp.where(jnp.isfinite(log_likelihood), log_likelihood, now.lower_bound),
            now.steps + 1,
            is_fine & (jnp.abs(log_likelihood - now.lower_bound) < tolerance),
            ~is_fine,
        )

    def goes_on(now: Ascent) -> Array:
        return ~now.converged & ~now.failed & (now.steps < max_steps)

    no = jnp.asarray(False)
    begin = Ascent(start, jnp.asarray(-jnp.inf, x.dtype), jnp.asarray(0, jnp.int64), no, no)
    return lax.while_loop(goes_on, body, begin)
