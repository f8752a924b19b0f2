"""Draws that the populations share; above all exact multinomial counts, at a cost free of the number of trials.

Why not ``jax.random.binomial``: its acceptance test clamps the argument of the Stirling correction at 9 (JAX 0.10.2),
so the correction is constant for k > 9 and the law is off: at 1,000 trials with p = 0.02 by 3.6e-4 in total variation
and by a thousandth of a standard deviation in the mean. That is little, but it is not exact, and 10^7 draws show it.
The samplers here are those of the literature, written so that no difference of large near-equal numbers appears:

- mean at most 10: inversion of one uniform by the recursion of the probabilities from 0 upwards;
- mean above 10: transformed rejection with squeeze, algorithm BTRS of Hörmann (1993), J. Stat. Comput. Simul. 46,
  101-110, with log f(k)/f(m) from log1p and Binet's function (absolute error about 1e-9 at 10^12 trials).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from dkps_theory._types import Key

#: Below this mean inversion, above it rejection (Hörmann's hat is proved from 10 on).
_INVERSION_MEAN = 10.0
#: Rejection completes its last cells in gatherings of at least this many.
_SMALLEST_GATHERING = 64


def multinomial(key: Key, trials: Float[Array, ""], weights: Float[Array, "*cells k"]) -> Float[Array, "*cells k"]:
    """Draw multinomial counts, one binomial after another.

    Parameters
    ----------
    key
        Typed key, used here alone.
    trials
        r, a whole number as float64, exact up to 2^53.
    weights
        Probabilities that sum to one along the last axis.

    Returns
    -------
    Counts that sum to ``trials`` exactly. Conditional probabilities are w_k / (w_k + ... + w_K) with the tail summed
    from the end, and the binomial gets both p and 1 - p, so weights near 0 and near 1 keep their digits.

    Examples
    --------
    >>> counts = multinomial(jax.random.key(0), jnp.asarray(1e12), jnp.asarray([0.25, 0.75]))
    >>> float(counts.sum())
    1000000000000.0
    """
    k = weights.shape[-1]
    left = jnp.broadcast_to(trials, weights.shape[:-1])
    if k == 1:
        return left[..., None]
    tails = jax.lax.cumsum(weights, axis=weights.ndim - 1, reverse=True)
    occupied = tails > 0
    totals = jnp.where(occupied, tails, 1.0)
    success = jnp.where(occupied, weights / totals, 0.0)[..., :-1]
    failure = jnp.where(occupied[..., :-1], tails[..., 1:] / totals[..., :-1], 1.0)

    def draw(left: Array, inputs: tuple[Array, Array, Array]) -> tuple[Array, Array]:
        count = binomial(inputs[0], left, inputs[1], inputs[2])
        return left - count, count

    steps = (jax.random.split(key, k - 1), jnp.moveaxis(success, -1, 0), jnp.moveaxis(failure, -1, 0))
    left, counts = jax.lax.scan(draw, left, steps)
    return jnp.concatenate([jnp.moveaxis(counts, 0, -1), left[..., None]], axis=-1)


def normals(key: Key, shape: tuple[int, ...]) -> Float[Array, "..."]:
    """Draw standard normals, as one row and then reshaped.

    The numbers are those of ``jax.random.normal(key, shape)``, but XLA for CPUs takes ten times as long to compile the
    bits of an array of several axes under vmap as those of a row (2.6 s and 0.2 s, JAX 0.10.2).
    """
    return jax.random.normal(key, (math.prod(shape),), dtype=jnp.float64).reshape(shape)


def uniforms(key: Key, shape: tuple[int, ...]) -> Float[Array, "..."]:
    """Draw uniforms on [0, 1), as one row and then reshaped, for the reason in :func:`normals`."""
    return jax.random.uniform(key, (math.prod(shape),), dtype=jnp.float64).reshape(shape)


def symmetric_stable(key: Key, alpha: Float[Array, ""], shape: tuple[int, ...]) -> Float[Array, "..."]:
    """Draw from the symmetric stable law with E exp(itZ) = exp(-|t|^alpha), 1 < alpha < 2.

    Chambers, Mallows, Stuck (1976): with V uniform on (-pi/2, pi/2) and W exponential,
    Z = sin(alpha V) / cos(V)^(1/alpha) * (W / cos((alpha - 1) V))^(1 - 1/alpha). Here |V| = (1 - u) pi/2, and sines and
    cosines are taken of the distance to their zeros, u near 0 and u near 1, so that Z keeps its digits in the tails and
    at 0. Uniforms are the midpoints of 2^52 equal parts of (0, 1): no end point, hence no infinity and no 0/0.
    """
    sign_key, angle_key, radius_key = jax.random.split(key, 3)
    signs = jnp.where(uniforms(sign_key, shape) < 0.5, -1.0, 1.0)
    u = uniforms(angle_key, shape) + 2.0**-53
    waiting = -jnp.log(uniforms(radius_key, shape) + 2.0**-53)
    quarter = math.pi / 2
    rising = alpha * (1 - u)
    top = jnp.sin(quarter * jnp.where(rising <= 1, rising, (2 - alpha) + alpha * u))
    cosine = jnp.sin(quarter * ((2 - alpha) + (alpha - 1) * u))
    return signs * top * jnp.sin(quarter * u) ** (-1 / alpha) * (waiting / cosine) ** (1 - 1 / alpha)


def letters(key: Key, weights: Float[Array, "n m k"], r: int) -> Int[Array, "n m r"]:
    """Draw r letters per cell by inversion; a letter of weight 0 is never drawn."""
    cumulative = jnp.cumsum(weights, axis=-1)
    # Divided by the last entry, so that trailing letters of weight 0 sit at exactly 1, which no uniform reaches.
    cumulative = cumulative / cumulative[..., -1:]
    uniform = uniforms(key, (*weights.shape[:2], r))
    search = jax.vmap(jax.vmap(lambda edges, points: jnp.searchsorted(edges, points, side="right")))
    return search(cumulative, uniform)


def binomial(
    key: Key, trials: Float[Array, "*cells"], success: Float[Array, "*cells"], failure: Float[Array, "*cells"]
) -> Float[Array, "*cells"]:
    """Draw binomial counts; ``success + failure = 1``, both given so that neither loses digits near 0.

    Examples
    --------
    >>> rare = jnp.full((3,), 1e-9)
    >>> binomial(jax.random.key(0), jnp.full((3,), 10.0), 1 - rare, rare).tolist()
    [10.0, 10.0, 10.0]
    """
    inversion_key, rejection_key = jax.random.split(key)
    p = jnp.minimum(success, failure)
    frequent = trials * p > _INVERSION_MEAN
    low = _by_inversion(inversion_key, trials, jnp.where(frequent, 0.0, p))
    high = _by_rejection(rejection_key, jnp.where(frequent, trials, 40.0), jnp.where(frequent, p, 0.5), frequent)
    count = jnp.where(frequent, high, low)
    return jnp.where(success > failure, trials - count, count)


def _by_inversion(key: Key, trials: Float[Array, "*cells"], p: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
    """Count how many probabilities f(0), f(1), ... one uniform uses up; needs trials * p <= 10."""
    odds = p / (1 - p)
    uniform = uniforms(key, trials.shape)
    first = jnp.exp(trials * jnp.log1p(-p))

    def unfinished(state: tuple[Array, Array, Array]) -> Bool[Array, ""]:
        _, rest, probability = state
        return (rest >= probability).any()

    def step(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        k, rest, probability = state
        going = rest >= probability
        following = probability * odds * (trials - k) / (k + 1)
        # Once f(k) has underflowed against what is left of the uniform (2^-53 at most), the search is over.
        over = following <= 1e-300
        rest = jnp.where(going, jnp.where(over, -1.0, rest - probability), rest)
        return jnp.where(going & ~over, k + 1, k), rest, jnp.where(going, following, probability)

    return jax.lax.while_loop(unfinished, step, (jnp.zeros_like(uniform), uniform, first))[0]


def _by_rejection(
    key: Key, trials: Float[Array, "*cells"], p: Float[Array, "*cells"], wanted: Bool[Array, "*cells"]
) -> Float[Array, "*cells"]:
    """Hörmann's BTRS in the cells that are ``wanted``; needs trials * p >= 10 and p <= 1/2 there."""
    lanes = trials.size
    state = (jnp.zeros(lanes), ~wanted.reshape(-1))
    return _complete(key, trials.reshape(-1), p.reshape(-1), *state, gatherings=2).reshape(trials.shape)


def _complete(
    key: Key,
    trials: Float[Array, " lanes"],
    p: Float[Array, " lanes"],
    count: Float[Array, " lanes"],
    done: Bool[Array, " lanes"],
    gatherings: int,
) -> Float[Array, " lanes"]:
    """Propose until all lanes are done.

    Six proposals in seven are accepted, but a loop over an array runs until its last lane is done, eight turns or so
    for thousands. So one turn of all lanes, then the few that are left are gathered and completed apart, in the same
    way. Where more are left than fit, several gatherings follow one another.
    """
    turn_key, rest_key = jax.random.split(key)
    few = max(_SMALLEST_GATHERING, len(trials) // 6)
    hat, at_mode = _hat(trials, p), _at_mode(trials, p)
    apart = gatherings > 0 and few < len(trials)

    def unfinished(state: tuple[Array, Array, Array]) -> Bool[Array, ""]:
        return (~state[2]).any()

    def finish(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        turn, count, done = state
        turn_key = jax.random.fold_in(rest_key, turn)
        if not apart:
            return turn + 1, *_attempt(turn_key, trials, hat, at_mode, count, done)
        # The largest of 0s and 1s: unfinished lanes first; where there are fewer than fit, finished ones come along.
        _, places = jax.lax.top_k((~done).astype(jnp.float32), few)
        left = (trials[places], p[places], count[places], done[places])
        completed = _complete(turn_key, *left, gatherings=gatherings - 1)
        return turn + 1, count.at[places].set(completed), done.at[places].set(True)

    if apart:
        count, done = _attempt(turn_key, trials, hat, at_mode, count, done)
    return jax.lax.while_loop(unfinished, finish, (jnp.zeros((), jnp.int32), count, done))[1]


def _attempt(
    key: Key,
    trials: Float[Array, " lanes"],
    hat: _Hat,
    at_mode: _AtMode,
    count: Float[Array, " lanes"],
    done: Bool[Array, " lanes"],
) -> tuple[Float[Array, " lanes"], Bool[Array, " lanes"]]:
    """Make one proposal for every lane that is not done."""
    u, v = uniforms(key, (2, *trials.shape))
    u = u - 0.5
    inner = 0.5 - jnp.abs(u)
    slope = hat.a / (inner * inner) + hat.b
    k = jnp.floor((2 * hat.a / inner + hat.b) * u + hat.c)
    possible = (k >= 0) & (k <= trials)
    ratio = jnp.exp(_log_ratio(jnp.where(possible, k, at_mode.mode), trials, at_mode))
    accepted = possible & (((inner >= 0.07) & (v <= hat.squeeze)) | (v * hat.alpha <= ratio * slope))
    return jnp.where(done, count, k), done | accepted


class _Hat(NamedTuple):
    """Hörmann's constants: k = floor((2 a / (1/2 - |u|) + b) u + c), accepted at once when v <= squeeze."""

    a: Float[Array, "*cells"]
    b: Float[Array, "*cells"]
    c: Float[Array, "*cells"]
    squeeze: Float[Array, "*cells"]
    alpha: Float[Array, "*cells"]


def _hat(trials: Float[Array, "*cells"], p: Float[Array, "*cells"]) -> _Hat:
    spread = jnp.sqrt(trials * p * (1 - p))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * p
    return _Hat(a, b, trials * p + 0.5, 0.92 - 4.2 / b, (2.83 + 5.1 / b) * spread)


class _AtMode(NamedTuple):
    """What log f(k)/f(m) needs of the mode m = floor((trials + 1) p), computed once."""

    mode: Float[Array, "*cells"]
    tilt: Float[Array, "*cells"]
    binet: Float[Array, "*cells"]


def _at_mode(trials: Float[Array, "*cells"], p: Float[Array, "*cells"]) -> _AtMode:
    mode = jnp.floor((trials + 1) * p)
    tilt = jnp.log1p((p * (trials + 2) - (mode + 1)) / ((1 - p) * (mode + 1)))
    return _AtMode(mode, tilt, _binet(mode + 1) + _binet(trials - mode + 1))


def _log_ratio(k: Float[Array, "*cells"], trials: Float[Array, "*cells"], at: _AtMode) -> Float[Array, "*cells"]:
    """Return log f(k)/f(m) by Stirling's formula with Binet's remainder; the log1p terms cancel to order (k-m)^2."""
    x = k - at.mode
    return (
        x * at.tilt
        - (k + 0.5) * jnp.log1p(x / (at.mode + 1))
        - (trials - k + 0.5) * jnp.log1p(-x / (trials - at.mode + 1))
        + (at.binet - _binet(k + 1) - _binet(trials - k + 1))
    )


def _binet(x: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
    """Binet's function log Gamma(x) - (x - 1/2) log x + x - log(2 pi)/2 for x >= 1, by Stieltjes' continued fraction.

    Absolute error 2e-5 at x = 1, 7e-8 at 2, 2e-9 at 3 and falling fast; where rejection is used, x = k + 1 = 1 has
    probability below e^-10, so the law is exact to about 1e-9 in total variation.
    """
    # Five levels of x + c/(x + c/(...)) multiplied out: one division instead of five.
    c1, c2, c3, c4 = 1 / 30, 53 / 210, 195 / 371, 22999 / 22737
    square = x * x
    numerator = (square + (c2 + c3 + c4)) * square + c2 * c4
    return numerator / (12 * x * (numerator + c1 * (square + (c3 + c4))))
