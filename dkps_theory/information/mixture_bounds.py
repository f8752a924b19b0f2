"""Closed-form bounds on entropy and divergences of Gaussian mixtures, in nats; no sampling, any dimension.

Notation: p = sum_i w_i N_i, q = sum_j v_j M_j, h_i the entropy of N_i, E_i the expectation under N_i. Bounds on the
cross entropy -E_p log q, the convexity bound and bounds on the affinity rho = int sqrt(p q) are derived in
:mod:`dkps_theory.information._mixture_pairs`.

Entropy
- Cross entropy with q = p: Huber's lower bound; and above, Kolchinsky and Tracey's (2017) pairwise
  sum w_i {h_i - log sum_j w_j e^{-KL(N_i||N_j)}}, since E_i log N_j = -h_i - KL.
- Kolchinsky, Tracey: H(p) >= sum_i w_i {h_i - log sum_j w_j e^{-C_a(N_i, N_j)}}. Proof: with r_j = w_j N_j / p,
  (1) E_i log sum_j w_j (N_j/N_i)^{1-a} <= log sum_j w_j int N_i^a N_j^{1-a} (Jensen);
  (2) log sum_j w_j N_j^{1-a} = (1-a) log p + log sum_j r_j e^{-a log(r_j/w_j)}
  >= (1-a) log p - a sum_j r_j log(r_j/w_j) (Jensen);
  (3) sum_i w_i E_i log N_i = E_p sum_j r_j log N_j = E_p {log p + sum_j r_j log(r_j/w_j)}.
  The mean of (1) over w, its left side E_p of (2) less (1-a) times (3), is sum_i w_i log sum_j w_j e^{-C_a}
  >= -E_p sum_j r_j log(r_j/w_j) = sum_i w_i h_i - H(p).
- h(X | C) <= H(X) <= h(X, C): sum w_i h_i <= H <= sum w_i (h_i - log w_i), the upper one Huber's.
- H(p) is at most the entropy of the Gaussian law with the covariance of p.

KL: -H(p) - E_p log q with a bound on either term; the convexity bound; and KL >= -2 log rho, by Jensen, which contains
KL >= -log(1 - TV^2), as 1 - TV^2 >= rho^2.

Total variation: 1 - rho <= TV <= sqrt(1 - rho^2), for with a = sqrt p, b = sqrt q, |p - q| = |a - b|(a + b) is at least
(a - b)^2, and Cauchy-Schwarz. Pinsker TV <= sqrt(KL/2) and Bretagnolle-Huber TV <= sqrt(1 - e^{-KL}), either direction.

Jensen-Shannon: H((p+q)/2) - (H(p) + H(q))/2 with bounds on the three. With s = p/(p+q) and t = |2s - 1|, JS is the mean
of log 2 - h_b((1+t)/2) under (p+q)/2, h_b the entropy of a coin, and TV the mean of t; that function of t is convex, 0
at 0 and log 2 at 1, so log 2 - h_b((1+TV)/2) <= JS <= TV log 2. And KL is convex in its second argument, so
KL(p || (p+q)/2) <= KL(p || q)/2 and JS <= (KL(p || q) + KL(q || p))/4.
"""

from __future__ import annotations

import math
from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.scipy.special import entr
from jaxtyping import Array, Float

from dkps_theory._gaussian import factorise
from dkps_theory._validate import positive_number, require, shown
from dkps_theory.information._mixture_pairs import (
    chernoff,
    component_entropies,
    convexity,
    cross_entropy_bounds,
    log_affinity_bounds,
    weighted_mean,
)
from dkps_theory.information.mixture import Mixture, blend, prepared, same_dimension

#: How far above an upper bound rounding may put a lower one that meets it, relative to one plus its size.
ROUNDING = 1e-12


@final
class Bounds(eqx.Module):
    """A quantity lies in [lower, upper]; the parts are the bounds by name, the best of which these two are.

    Attributes
    ----------
    lowers, uppers
        The lower and the upper bounds by name; ``lower`` is the largest of the ones, ``upper`` the smallest of the
        others. Where the two meet and rounding puts the first above the second, ``lower`` is ``upper``.
    """

    lowers: dict[str, Float[Array, ""]]
    uppers: dict[str, Float[Array, ""]]

    @property
    def lower(self) -> Float[Array, ""]:
        """The largest of the lower bounds."""
        largest = jnp.stack(list(self.lowers.values())).max(axis=0)
        meet = largest - self.upper <= ROUNDING * (1 + jnp.abs(largest))
        return jnp.where(meet, jnp.minimum(largest, self.upper), largest)

    @property
    def upper(self) -> Float[Array, ""]:
        """The smallest of the upper bounds."""
        return jnp.stack(list(self.uppers.values())).min(axis=0)


def entropy_bounds(mixture: Mixture, alpha: float = 0.5) -> Bounds:
    """Return bounds on the differential entropy of a mixture, in nats.

    Parameters
    ----------
    mixture
        p.
    alpha
        The a of the pairwise lower bound, inside (0, 1); 1/2 is the Bhattacharyya distance.

    Returns
    -------
    Lower bounds ``pairwise`` (Kolchinsky-Tracey), ``jensen`` (Huber) and ``given_label``; upper bounds ``pairwise``,
    ``with_label`` (Huber) and ``gaussian``. Derivations at the top of this module.

    Raises
    ------
    InputError
        When ``alpha`` is not inside (0, 1).

    Notes
    -----
    Source: Kolchinsky, Tracey (2017); Huber, Bailey, Durrant-Whyte, Hanebeck (2008).

    Examples
    --------
    >>> bounds = entropy_bounds(Mixture([0.5, 0.5], [[0.0], [100.0]], [[[1.0]], [[1.0]]]))
    >>> round(float(bounds.lower), 6), round(float(bounds.upper), 6)  # h(N(0, 1)) + log 2
    (2.112086, 2.112086)
    """
    require(positive_number(alpha) and alpha < 1, f"alpha: got {shown(alpha)}; it must be inside (0, 1)")
    return _entropy_bounds(mixture, jnp.asarray(alpha, dtype=jnp.float64))


def kl_bounds(p: Mixture, q: Mixture) -> Bounds:
    """Return bounds on KL(p || q) of two mixtures, in nats.

    Parameters
    ----------
    p, q
        Mixtures of one dimension.

    Returns
    -------
    Lower bounds ``entropies``, ``affinity`` and ``zero``; upper bounds ``entropies`` and ``convexity``. Derivations at
    the top of this module. The lower bound by the affinity contains those by total variation: 1 - TV^2 >= rho^2.

    Raises
    ------
    InputError
        When the dimensions differ.

    Notes
    -----
    Source: Hershey, Olsen (2007) for the convexity bound; Durrieu, Thiran, Kelly (2012) for bounds from entropies.

    Examples
    --------
    >>> p, q = (Mixture([1.0], [[mean]], [[[1.0]]]) for mean in (0.0, 1.0))
    >>> bounds = kl_bounds(p, q)
    >>> round(float(bounds.lower), 6), float(bounds.upper)
    (0.25, 0.5)
    """
    same_dimension(p, q)
    return _kl_bounds(p, q)


def total_variation_bounds(p: Mixture, q: Mixture) -> Bounds:
    """Return bounds on TV(p, q) = 1/2 int |p - q| of two mixtures.

    Parameters
    ----------
    p, q
        Mixtures of one dimension.

    Returns
    -------
    Lower bound ``affinity``; upper bounds ``affinity``, ``pinsker``, ``bretagnolle_huber`` and ``one``. Derivations at
    the top of this module.

    Raises
    ------
    InputError
        When the dimensions differ.

    Examples
    --------
    >>> p, q = (Mixture([1.0], [[mean]], [[[1.0]]]) for mean in (0.0, 1.0))
    >>> bounds = total_variation_bounds(p, q)  # the truth is 2 Phi(1/2) - 1 = 0.383
    >>> round(float(bounds.lower), 3), round(float(bounds.upper), 3)
    (0.118, 0.47)
    """
    same_dimension(p, q)
    return _total_variation_bounds(p, q)


def jensen_shannon_bounds(p: Mixture, q: Mixture) -> Bounds:
    """Return bounds on the Jensen-Shannon divergence (weights 1/2) of two mixtures, in nats.

    Parameters
    ----------
    p, q
        Mixtures of one dimension.

    Returns
    -------
    Lower bounds ``entropies`` and ``total_variation``; upper bounds ``entropies``, ``total_variation`` and ``kl``.
    Derivations at the top of this module.

    Raises
    ------
    InputError
        When the dimensions differ.

    Examples
    --------
    >>> p, q = (Mixture([1.0], [[mean]], [[[1.0]]]) for mean in (0.0, 100.0))
    >>> bounds = jensen_shannon_bounds(p, q)
    >>> round(float(bounds.lower), 6), round(float(bounds.upper), 6)  # log 2
    (0.693147, 0.693147)
    """
    same_dimension(p, q)
    return _jensen_shannon_bounds(p, q)


def kl_product_approximation(p: Mixture, q: Mixture) -> Float[Array, ""]:
    """Return Hershey and Olsen's product-of-Gaussians approximation of KL(p || q); not a bound, may be negative.

    It is sum_i w_i log(sum_j w_j int N_i N_j / sum_j v_j int N_i M_j): a lower bound of the cross entropy less a lower
    bound of the entropy, so it errs either way.

    Raises
    ------
    InputError
        When the dimensions differ.

    Examples
    --------
    >>> p, q = (Mixture([1.0], [[mean]], [[[1.0]]]) for mean in (0.0, 1.0))
    >>> round(float(kl_product_approximation(p, q)), 12)  # the truth is 1/2
    0.25
    """
    same_dimension(p, q)
    cross, own = cross_entropy_bounds(p, q), cross_entropy_bounds(p, p)
    return cross.lower - own.lower


def kl_variational_approximation(p: Mixture, q: Mixture) -> Float[Array, ""]:
    """Return Hershey and Olsen's variational approximation of KL(p || q); not a bound, may be negative.

    It is sum_i w_i log(sum_j w_j e^{-KL(N_i||N_j)} / sum_j v_j e^{-KL(N_i||M_j)}): an upper bound of the cross entropy
    less an upper bound of the entropy, so it errs either way; exact for one component each.

    Raises
    ------
    InputError
        When the dimensions differ.

    Examples
    --------
    >>> p, q = (Mixture([1.0], [[mean]], [[[1.0]]]) for mean in (0.0, 1.0))
    >>> float(kl_variational_approximation(p, q))
    0.5
    """
    same_dimension(p, q)
    cross, own = cross_entropy_bounds(p, q), cross_entropy_bounds(p, p)
    return cross.upper - own.upper


# The four quantities


@jax.jit
def _entropy_bounds(mixture: Mixture, alpha: Float[Array, ""]) -> Bounds:
    log_weights, _, factors = prepared(mixture)
    weights, within = mixture.weights, component_entropies(factors)
    pairs = jax.nn.logsumexp(log_weights[None] - chernoff(mixture, mixture, alpha), axis=1)
    cross = cross_entropy_bounds(mixture, mixture)
    given_label = weighted_mean(weights, within)
    total = factorise(mixture.covariance[None])
    return Bounds(
        {"pairwise": weighted_mean(weights, within - pairs), "jensen": cross.lower, "given_label": given_label},
        {
            "pairwise": cross.upper,
            "with_label": given_label + entr(weights).sum(),
            "gaussian": component_entropies(total)[0],
        },
    )


@jax.jit
def _kl_bounds(p: Mixture, q: Mixture) -> Bounds:
    own, cross = _entropy_bounds(p, jnp.asarray(0.5)), cross_entropy_bounds(p, q)
    return Bounds(
        {
            "entropies": cross.lower - own.upper,
            "affinity": jnp.abs(2 * log_affinity_bounds(p, q).upper),
            "zero": jnp.asarray(0.0),
        },
        {"entropies": _not_negative(cross.upper - own.lower), "convexity": _not_negative(convexity(p, q))},
    )


@jax.jit
def _total_variation_bounds(p: Mixture, q: Mixture) -> Bounds:
    affinity = log_affinity_bounds(p, q)
    kl = jnp.minimum(_kl_bounds(p, q).upper, _kl_bounds(q, p).upper)
    return Bounds(
        {"affinity": jnp.abs(jnp.expm1(affinity.upper))},
        {
            "affinity": jnp.sqrt(jnp.abs(jnp.expm1(2 * jnp.minimum(affinity.lower, 0.0)))),
            "pinsker": jnp.sqrt(kl / 2),
            "bretagnolle_huber": jnp.sqrt(jnp.abs(jnp.expm1(-kl))),
            "one": jnp.asarray(1.0),
        },
    )


@jax.jit
def _jensen_shannon_bounds(p: Mixture, q: Mixture) -> Bounds:
    first, second, half = (_entropy_bounds(law, jnp.asarray(0.5)) for law in (p, q, blend(p, q)))
    variation = _total_variation_bounds(p, q)
    share = (1 + variation.lower) / 2
    return Bounds(
        {
            "entropies": half.lower - (first.upper + second.upper) / 2,
            "total_variation": math.log(2) - entr(share) - entr(1 - share),
        },
        {
            "entropies": _not_negative(half.upper - (first.lower + second.lower) / 2),
            "total_variation": variation.upper * math.log(2),
            "kl": (_kl_bounds(p, q).upper + _kl_bounds(q, p).upper) / 4,
        },
    )


def _not_negative(upper: Float[Array, ""]) -> Float[Array, ""]:
    """Return an upper bound of what is at least 0, where rounding may leave it just below 0; NaN stays."""
    return jnp.where(upper <= 0, 0.0, upper)
