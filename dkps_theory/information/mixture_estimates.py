"""Entropy and divergences of Gaussian mixtures by Monte Carlo on their exact log densities, with standard errors.

Strata. Draws are stratified: n_c draws from every component c, the same number for all, and an expectation under
p = sum w_c N_c is sum w_c E_c, with standard error sqrt(sum w_c^2 s_c^2 / n_c). Plain draws of p never see a component
of weight 1e-8, which may carry all of the answer: where q has nothing near it, log p/q there can be 1e8.

Integrands, in nats. Where the label of a draw can be averaged out given the draw, it is. With r_c(x) = w_c N_c(x)/p(x),
the law of the label C given x, s = p/(p + q) and D = log p/q, so s = 1/(1 + e^{-D}) and 2s - 1 = tanh(D/2):

    H(p)       = sum_c w_c h(N_c) + E_p sum_c r_c log(r_c / w_c)                     (h(X | C) + I(C; X))
    KL(p || q) = int (p log(p/q) - p + q) = int (p + q) {s D - (2s - 1)}             (int (p - q) = 0)
    TV(p, q)   = 1/2 int |p - q|          = 1/2 int (p + q) |2s - 1|
    JS(p, q)   = 1/2 int (p + q) {log 2 + s log s + (1 - s) log(1 - s)}

Every integrand in brackets is non-negative and 0 where p = q (r = w), to second order except for TV; that of H lies in
[0, log 1/min w], those of TV and JS are bounded, and for KL only the part s D grows. The last three are integrals
against p + q, so the strata are the components of both mixtures, and one set of draws serves all of them. When q is
near p the standard error of KL is of the order of KL itself, where that of a mean of D under p is of the order of its
root.

Tails. KL between laws that nearly agree comes from the tails, which few draws of N_c reach, and a standard error taken
from draws that missed them is too small. So every second draw of z is from N(0, t^2 I), t^2 = 1 + 2/sqrt(d), which
stays at a divergence of about 1 from N(0, I) in every dimension, and draws carry the importance
N(z; 0, I) / (half of either density) <= 2 (balance heuristic, Veach and Guibas 1995), which leaves means unbiased.

Control variates. In stratum c, x = mu_c + R_c z, three functions have known means: 1 (its mean under the importance
weights), z'z, and log M_j(x) for one Gaussian component of the other mixture, the one with the largest
log v_j + E_c log M_j (closed form). Where components lie far apart, log p, log q and so the integrand are linear in
these up to exponentially small terms, and nothing is left to vary. Coefficients come from regression, of each half of
the draws for the other half: a coefficient that does not see the draws it corrects leaves the mean unbiased at every n.

Standard errors come from the residuals, so they know only what some draw has seen. At 64 draws a component the mean
square of (error / standard error) is 1.1 to 1.5 where components overlap, at 400 it is near 1. Where a narrow component
of q lies inside a wide one of p and holds less than about 10/n of its mass, take more draws.
"""

from __future__ import annotations

import math
from typing import NamedTuple, TypeVar, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Bool, Float

from dkps_theory._gaussian import LOG_TWO_PI, Factors, expected_log_densities, log_densities
from dkps_theory._keys import checked_key
from dkps_theory._types import Key
from dkps_theory._validate import require, whole_number
from dkps_theory.information.mixture import Mixture, prepared, present, same_dimension
from dkps_theory.populations._draws import normals

#: Halves of fewer draws than half of this cannot estimate three coefficients and a variance.
FEWEST_DRAWS = 32
#: What is left of a control after those before it counts as rounding below this share of its square.
COLLINEAR = 1e-24


@final
class StratifiedEstimate(eqx.Module):
    """A stratified Monte Carlo number that can leave jit and vmap.

    Attributes
    ----------
    value, se
        The estimate and its standard error.
    n
        Draws behind it, those of absent components included (static).
    """

    value: Float[Array, ""]
    se: Float[Array, ""]
    n: int = eqx.field(static=True)


@final
class MixtureDivergences(eqx.Module):
    """KL(p || q), KL(q || p), TV and Jensen-Shannon divergence, with dependent errors: one set of draws serves all."""

    kl: StratifiedEstimate
    reverse_kl: StratifiedEstimate
    total_variation: StratifiedEstimate
    jensen_shannon: StratifiedEstimate


Found = TypeVar("Found", StratifiedEstimate, MixtureDivergences)


def entropy_estimate(mixture: Mixture, key: Key, size: int) -> StratifiedEstimate:
    """Estimate the differential entropy H(p) = -E_p log p of a mixture, in nats.

    Parameters
    ----------
    mixture
        p.
    key
        Typed key, used here alone.
    size
        Draws per component, a multiple of 4 and at least 32; static under jit.

    Returns
    -------
    Unbiased; for one component, exact with standard error 0.

    Raises
    ------
    InputError
        When ``size`` is no multiple of 4 or below 32, the key is not typed, or components lie so far apart that the
        number overflows; under jit and vmap an overflow stays in the result, as an error that is not finite.

    Notes
    -----
    Source: own, from H(X) = h(X | C) + I(C; X) with the label averaged out; see the top of this module.

    Examples
    --------
    Two standard normals too far apart to overlap: h(N(0, 1)) + log 2.

    >>> estimate = entropy_estimate(Mixture([0.5, 0.5], [[0.0], [100.0]], [[[1.0]], [[1.0]]]), jax.random.key(0), 32)
    >>> round(float(estimate.value), 6), float(estimate.se) < 1e-9, estimate.n
    (2.112086, True, 64)
    """
    return _not_overflowed(_entropy(mixture, checked_key(key), _checked_size(size)), mixture)


def cross_entropy_estimate(p: Mixture, q: Mixture, key: Key, size: int) -> StratifiedEstimate:
    """Estimate the cross entropy -E_p log q of two mixtures, in nats.

    Parameters
    ----------
    p, q
        Mixtures of one dimension.
    key, size
        As for :func:`entropy_estimate`; ``size`` draws from every component of p.

    Raises
    ------
    InputError
        When the dimensions differ, and as :func:`entropy_estimate`.

    Examples
    --------
    >>> normal = Mixture([1.0], [[0.0]], [[[1.0]]])
    >>> estimate = cross_entropy_estimate(normal, Mixture([1.0], [[1.0]], [[[1.0]]]), jax.random.key(0), 32)
    >>> round(float(estimate.value), 6)  # log(2 pi)/2 + (1 + 1)/2
    1.918939
    """
    same_dimension(p, q)
    return _not_overflowed(_cross_entropy(p, q, checked_key(key), _checked_size(size)), p, q)


def divergence_estimates(p: Mixture, q: Mixture, key: Key, size: int) -> MixtureDivergences:
    """Estimate KL in both directions, total variation and Jensen-Shannon divergence from one set of draws, in nats.

    Parameters
    ----------
    p, q
        Mixtures of one dimension.
    key, size
        As for :func:`entropy_estimate`; ``size`` draws from every component of p and of q.

    Returns
    -------
    Unbiased estimates. A component of weight 0 adds exactly 0, and padding at the end changes no draw of the others.

    Raises
    ------
    InputError
        When the dimensions differ, and as :func:`entropy_estimate`.

    Notes
    -----
    Source: own; see the top of this module. Total variation in [0, 1]; Jensen-Shannon in [0, log 2], with weights 1/2.

    Examples
    --------
    >>> p, q = (Mixture([1.0], [[mean]], [[[1.0]]]) for mean in (0.0, 1.0))
    >>> both = divergence_estimates(p, q, jax.random.key(0), 1000)
    >>> bool(abs(both.kl.value - 0.5) < 5 * both.kl.se), bool(abs(both.reverse_kl.value - 0.5) < 5 * both.reverse_kl.se)
    (True, True)
    """
    return _not_overflowed(_divergences(p, q, key, size), p, q)


def kl_estimate(p: Mixture, q: Mixture, key: Key, size: int) -> StratifiedEstimate:
    """Estimate KL(p || q); parameters, errors and example as :func:`divergence_estimates`, whose field ``kl`` it is."""
    return _not_overflowed(_divergences(p, q, key, size).kl, p, q)


def total_variation_estimate(p: Mixture, q: Mixture, key: Key, size: int) -> StratifiedEstimate:
    """Estimate TV(p, q); see :func:`divergence_estimates`, whose field ``total_variation`` it is."""
    return _not_overflowed(_divergences(p, q, key, size).total_variation, p, q)


def jensen_shannon_estimate(p: Mixture, q: Mixture, key: Key, size: int) -> StratifiedEstimate:
    """Estimate JS(p, q); see :func:`divergence_estimates`, whose field ``jensen_shannon`` it is."""
    return _not_overflowed(_divergences(p, q, key, size).jensen_shannon, p, q)


# Strata


class _Prepared(NamedTuple):
    """Components as the estimates need them."""

    weights: Float[Array, " k"]
    log_weights: Float[Array, " k"]
    means: Float[Array, "k d"]
    factors: Factors


def _prepare(mixture: Mixture) -> _Prepared:
    return _Prepared(mixture.weights, *prepared(mixture))


class _Draws(NamedTuple):
    """Draws z of every stratum and their importance weights; those of N(0, I) and of N(0, t^2 I) take turns."""

    z: Float[Array, "k d s"]
    importance: Float[Array, "k s"]


def _draw(law: _Prepared, key: Key, size: int) -> _Draws:
    """Draw for every component; bits are counter-based, so the first components' do not depend on how many follow."""
    k, d = law.means.shape
    spread = 1 + 2 / math.sqrt(d)
    z = normals(key, (k, d, size)) * jnp.where(jnp.arange(size) % 2 == 0, 1.0, math.sqrt(spread))[None, None]
    tilt = 0.5 * (1 - 1 / spread) * (z * z).sum(axis=1) - 0.5 * d * math.log(spread)
    return _Draws(z, 2 * jax.nn.sigmoid(-tilt))


def _points(law: _Prepared, z: Float[Array, "k d s"]) -> Float[Array, "d n"]:
    """Return x = mu_c + R_c z, stratum after stratum."""
    points = law.means[:, :, None] + law.factors.root @ z
    return jnp.moveaxis(points, 0, 1).reshape(z.shape[1], -1)


def _controls(
    draws: _Draws,
    law: _Prepared,
    others: _Prepared,
    components: Float[Array, "l n"],
    allowed: Bool[Array, "k l"],
) -> tuple[Float[Array, "k s"], ...]:
    """Return functions of mean 0 in every stratum, times importance: 1 - 1/importance, z'z - d, log M_j - E_c log M_j.

    M_j is the best match of the stratum among the ``others`` that are allowed; ``components`` are the log densities of
    ``others`` at the points of the strata.
    """
    expected = expected_log_densities(law.means, law.factors, others.means, others.factors)
    best = jnp.where(allowed, others.log_weights[None] + expected, -jnp.inf).argmax(axis=1)
    k, d, size = draws.z.shape
    mean = jnp.take_along_axis(expected, best[:, None], axis=1)
    matched = components.reshape(-1, k, size)[best, jnp.arange(k)] - mean
    weight = draws.importance
    return weight - 1, weight * ((draws.z * draws.z).sum(axis=1) - d), weight * matched


def _stratum_means(
    values: Float[Array, "k s"], importance: Float[Array, "k s"], controls: tuple[Float[Array, "k s"], ...]
) -> tuple[Float[Array, " k"], Float[Array, " k"]]:
    """Return mean and squared standard error in every stratum.

    Gram-Schmidt in one half of the draws; the same linear combinations are taken of the other half, whose coefficients
    they do not know. A control that repeats those before it is left out.
    """
    k, size = values.shape
    used = [part.reshape(k, 2, size // 4, 2) for part in (*controls, importance * values)]
    fitted = [_centred(part[:, ::-1]) for part in used]
    lengths = [_inner(part, part) for part in fitted]
    for i in range(len(controls)):
        length = _inner(fitted[i], fitted[i])
        counts = length > COLLINEAR * lengths[i]
        for j in range(i + 1, len(used)):
            slope = _inner(fitted[i], fitted[j]) / jnp.where(counts, length, 1.0)
            slope = jnp.where(counts, slope, 0.0)
            used[j] = used[j] - slope * used[i]
            fitted[j] = fitted[j] - slope * fitted[i]
    residuals = used[-1]
    return residuals.mean(axis=(1, 2, 3)), residuals.var(axis=2, ddof=1).mean(axis=(1, 2)) / size


def _centred(values: Float[Array, "k 2 s 2"]) -> Float[Array, "k 2 s 2"]:
    return values - values.mean(axis=2, keepdims=True)


def _inner(first: Float[Array, "k 2 s 2"], second: Float[Array, "k 2 s 2"]) -> Float[Array, "k 2 1 1"]:
    return (first * second).sum(axis=(2, 3), keepdims=True)


def _combine(
    weights: Float[Array, " k"], means: Float[Array, " k"], squares: Float[Array, " k"], n: int
) -> StratifiedEstimate:
    """Weigh the strata; one of weight 0 adds 0, whatever was found in it."""
    here = weights != 0
    value = jnp.where(here, weights * means, 0.0).sum()
    return StratifiedEstimate(value, jnp.sqrt(jnp.where(here, weights**2 * squares, 0.0).sum()), n)


# Integrands


@eqx.filter_jit
def _entropy(mixture: Mixture, key: Key, size: int) -> StratifiedEstimate:
    law = _prepare(mixture)
    draws = _draw(law, key, size)
    components = log_densities(_points(law, draws.z), law.means, law.factors)
    log_p = jax.nn.logsumexp(law.log_weights[:, None] + components, axis=0)
    ratio = components - log_p[None]  # log(r_c / w_c)
    information = (jnp.exp(law.log_weights[:, None] + ratio) * ratio).sum(axis=0)
    k, d = law.means.shape
    controls = _controls(draws, law, law, components, ~jnp.eye(k, dtype=bool))
    means, squares = _stratum_means(information.reshape(k, size), draws.importance, controls)
    within = 0.5 * d * (1 + LOG_TWO_PI) + law.factors.log_det
    return _combine(law.weights, within + means, squares, k * size)


@eqx.filter_jit
def _cross_entropy(p: Mixture, q: Mixture, key: Key, size: int) -> StratifiedEstimate:
    law, other = _prepare(p), _prepare(q)
    draws = _draw(law, key, size)
    components = log_densities(_points(law, draws.z), other.means, other.factors)
    log_q = jax.nn.logsumexp(other.log_weights[:, None] + components, axis=0)
    k = p.components
    controls = _controls(draws, law, other, components, jnp.ones((k, q.components), dtype=bool))
    means, squares = _stratum_means(-log_q.reshape(k, size), draws.importance, controls)
    return _combine(law.weights, means, squares, k * size)


def _divergences(p: Mixture, q: Mixture, key: Key, size: int) -> MixtureDivergences:
    same_dimension(p, q)
    return _all_divergences(p, q, checked_key(key), _checked_size(size))


@eqx.filter_jit
def _all_divergences(p: Mixture, q: Mixture, key: Key, size: int) -> MixtureDivergences:
    sides = (_prepare(p), _prepare(q))
    drawn = (_draw(side, part, size) for side, part in zip(sides, jax.random.split(key), strict=True))
    draws = _Draws(*(jnp.concatenate(parts) for parts in zip(*drawn, strict=True)))
    both = jax.tree.map(lambda *parts: jnp.concatenate(parts), *sides)
    components = log_densities(_points(both, draws.z), both.means, both.factors)
    terms = both.log_weights[:, None] + components
    k, strata = p.components, p.components + q.components
    difference = jax.nn.logsumexp(terms[:k], axis=0) - jax.nn.logsumexp(terms[k:], axis=0)
    of_p = jnp.arange(strata) < k
    controls = _controls(draws, both, both, components, of_p[:, None] != of_p[None])
    values = _integrands(difference).reshape(-1, strata, size)
    means, squares = jax.vmap(_stratum_means, in_axes=(0, None, None))(values, draws.importance, controls)
    found = zip(means, squares, strict=True)
    return MixtureDivergences(*(_combine(both.weights, mean, square, strata * size) for mean, square in found))


def _integrands(difference: Float[Array, " n"]) -> Float[Array, "4 n"]:
    """Return the integrands of KL(p || q), KL(q || p), TV and JS against p + q, from D = log p/q."""
    share, rest = jax.nn.sigmoid(difference), jax.nn.sigmoid(-difference)
    tilt = jnp.tanh(difference / 2)
    surprise = share * jax.nn.log_sigmoid(difference) + rest * jax.nn.log_sigmoid(-difference)
    forward, back = share * difference - tilt, tilt - rest * difference
    return jnp.stack([forward, back, 0.5 * jnp.abs(tilt), 0.5 * (math.log(2) + surprise)])


def _not_overflowed(found: Found, *mixtures: Mixture) -> Found:
    """Refuse what overflowed; that of a mixture that is not finite itself, from a fit that failed, is let through."""
    leaves, given = jax.tree.leaves(found), jax.tree.leaves([present(mixture) for mixture in mixtures])
    if not any(isinstance(leaf, Tracer) for leaf in leaves):
        sound = bool(np.isfinite(jnp.stack(leaves)).all()) or not all(np.isfinite(part).all() for part in given)
        place = "components lie so far apart, in units of their spread, that the estimate overflows"
        require(sound, f"{'mixture' if len(mixtures) == 1 else 'p, q'}: {place}; keep them within about 1e75")
    return found


def _checked_size(size: object) -> int:
    """Return the number of draws per component: two halves, each of two kinds."""
    whole = whole_number("size", size, FEWEST_DRAWS)
    require(whole % 4 == 0, f"size: got {whole}; the number of draws per component must be a multiple of 4")
    return whole
