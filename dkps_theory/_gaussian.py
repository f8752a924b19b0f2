"""Gaussian log densities of many points at once, total variation on the line, and the check of a covariance.

For Sigma = R R' with R lower triangular (Cholesky) and W = R^{-1},

    log N(x; mu, Sigma) = -1/2 ||W (x - mu)||^2 - log det R - (d/2) log 2 pi.

W is found once by a triangular solve against I; whitening is then one matrix product, several times as fast on a CPU as
a triangular solve for every point. The difference x - mu is taken before the product, so means far from 0 cost no
digits. Points are columns, (d, n), and components lead: the long axis is last, where the CPU's vector units are.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy import special

from dkps_theory import _types  # noqa: F401  (double precision before the first array)
from dkps_theory._validate import InputError, finite, require

LOG_TWO_PI = math.log(2 * math.pi)
#: Asymmetry up to this share of the largest entry counts as rounding.
SYMMETRY_TOLERANCE = 1e-10
#: Up to this dimension the factorisation is written out, which is faster to run and slower to compile.
UNROLLED = 3
#: Distances of this many standard deviations count as infinite; their squares do not overflow.
FARTHEST = 1e100
#: A covariance is singular when its correlation matrix has an eigenvalue below d times this.
SINGULARITY_TOLERANCE = 1e-14


class Factors(NamedTuple):
    """Cholesky factors R of k covariances, their inverses W = R^{-1}, and log det R = half the log determinants."""

    root: Float[Array, "k d d"]
    whitening: Float[Array, "k d d"]
    log_det: Float[Array, " k"]


@jax.jit
def factorise(covariances: Float[Array, "k d d"]) -> Factors:
    """Return the factors of positive definite matrices; NaN where one is not (traced ones are trusted).

    Column by column, with R = (r_1, ..., r_d): r_j is column j of S_j = Sigma - sum_{i<j} r_i r_i' over the root of its
    pivot, and W solves R W = I in the same pass, row j being row j of I - sum_{i<j} r_i w_i' over that root.

    Why not ``jnp.linalg.cholesky``: on CPUs jaxlib (0.10.2) hands a batch of matrices to LAPACK in pieces, which the
    thread that asked waits for. Where one program factorises as many batches at once as there are threads (two batches
    on two cores), all threads wait for pieces that no thread is left to work on, and the program never ends.
    """
    k, d, _ = covariances.shape
    places = jnp.arange(d)

    def step(j: Array, state: tuple[Array, Array, Array, Array]) -> tuple[Array, Array, Array, Array]:
        left, rest, root, whitening = state
        column = jax.lax.dynamic_index_in_dim(left, j, 2, keepdims=False)
        pivot = jnp.sqrt(jax.lax.dynamic_index_in_dim(column, j, 1, keepdims=True))
        column = jnp.where(places[None] >= j, column / pivot, 0.0)
        row = jax.lax.dynamic_index_in_dim(rest, j, 1, keepdims=False) / pivot
        left = left - column[:, :, None] * column[:, None]
        rest = rest - column[:, :, None] * row[:, None]
        here = places == j
        root = jnp.where(here[None, None], column[:, :, None], root)
        return left, rest, root, jnp.where(here[None, :, None], row[:, None], whitening)

    identity = jnp.broadcast_to(jnp.eye(d), (k, d, d))
    start = (covariances, identity, jnp.zeros((k, d, d)), jnp.zeros((k, d, d)))
    _, _, root, whitening = jax.lax.fori_loop(0, d, step, start, unroll=d <= UNROLLED)
    return Factors(root, whitening, jnp.log(jnp.diagonal(root, axis1=-2, axis2=-1)).sum(axis=-1))


def log_densities(points: Float[Array, "d n"], means: Float[Array, "k d"], factors: Factors) -> Float[Array, "k n"]:
    """Return log N(x; mu_k, Sigma_k) for every component k and every column x of ``points``."""
    whitened = factors.whitening @ (points[None] - means[:, :, None])
    return -0.5 * (whitened * whitened).sum(axis=1) - _log_scale(factors)[:, None]


def expected_log_densities(
    means: Float[Array, "k d"], factors: Factors, other_means: Float[Array, "l d"], other_factors: Factors
) -> Float[Array, "k l"]:
    """Return E log N(x; nu_l, T_l) for x ~ N(mu_k, Sigma_k), every k and l.

    E (x - nu)' T^{-1} (x - nu) = ||V (mu - nu)||^2 + ||V R||_F^2 with V the whitening of T and R the root of Sigma.
    """
    whitening = other_factors.whitening
    shift = jnp.einsum("lab,klb->kla", whitening, means[:, None] - other_means[None])
    spread = jnp.einsum("lab,kbc->klac", whitening, factors.root)
    square = (shift**2).sum(axis=-1) + (spread**2).sum(axis=(-2, -1))
    return -0.5 * square - _log_scale(other_factors)[None, :]


def total_variation_on_line(shift: np.ndarray | float, first: float, second: float) -> np.ndarray:
    """Return TV(N(0, s^2), N(shift, t^2)), the shape of ``shift``; s = ``first``, t = ``second``, above 0.

    TV = P(A) - Q(A), A = {p > q}, P the narrower law. With x in deviations of P from its mean, towards the other one, t
    <= 1 the ratio of the deviations and d >= 0 the distance of the means in deviations of Q, p > q where
    x^2 - (t x - d)^2 < -log t^2,

        (1 - t^2) x^2 + 2 t d x - (d^2 - log t^2) < 0,    x = (-t d -+ s) / (1 - t^2),    s^2 = d^2 - (1 - t^2) log t^2.

    The positive root is found from the product of the roots, so that t = 1, where A is the half-line below d/2, is
    approached without cancellation. FARTHEST stands for larger d and for smaller t, which change nothing.
    """
    narrow, wide = sorted((first, second))
    t = max(narrow / wide, 1 / FARTHEST)
    with np.errstate(over="ignore"):
        d = np.minimum(np.abs(np.asarray(shift, float)) / wide, FARTHEST)
    if t == 1:
        return np.asarray(special.erf(d / math.sqrt(8)))
    gap, tilt = (1 - t) * (1 + t), -2 * math.log(t)
    root = np.sqrt(np.square(d) + gap * tilt)
    low, high = -(t * d + root) / gap, (np.square(d) + tilt) / (t * d + root)
    of_wide = special.ndtr(t * high - d) - special.ndtr(t * low - d)
    return np.asarray(special.ndtr(high) - special.ndtr(low) - of_wide)


def checked_covariances(name: str, values: object, label: str = "") -> np.ndarray:
    """Return symmetric positive definite matrices (..., d, d) as NumPy arrays, exactly symmetric.

    Parameters
    ----------
    name
        What the matrices are called in the message.
    values
        Matrices (..., d, d), d >= 1.
    label
        What an index of the leading axis is called, for example ``"component"``.

    Raises
    ------
    InputError
        On NaN, axes that are not square, asymmetry, or a matrix that is not positive definite up to rounding, naming
        its place and its least eigenvalue. Positive definiteness is judged on the correlation matrix, so that
        coordinates in very different units are no reason for refusal.
    """
    array = finite(name, values)
    square = array.ndim >= 2 and array.shape[-1] == array.shape[-2] >= 1
    require(square, f"{name}: got shape {array.shape}; the last two axes must be equal (d, d)")
    mirror = np.swapaxes(array, -2, -1)
    gap = np.abs(array - mirror).max(axis=(-2, -1))
    crooked = np.argwhere(gap > SYMMETRY_TOLERANCE * np.abs(array).max(axis=(-2, -1)))
    if len(crooked):
        raise InputError(
            f"{name}: not symmetric{_at(label, crooked[0])}, an entry and its mirror image differ by "
            f"{gap[tuple(crooked[0])]:.3g}; give symmetric matrices, for example (S + S') / 2"
        )
    array = 0.5 * array + 0.5 * mirror
    d = array.shape[-1]
    variances = np.diagonal(array, axis1=-2, axis2=-1)
    scale = 1 / np.sqrt(np.where(variances > 0, variances, 1.0))
    correlations = array * scale[..., :, None] * scale[..., None, :]
    least = np.where((variances > 0).all(axis=-1), np.linalg.eigvalsh(correlations)[..., 0], 0.0)
    singular = np.argwhere(least < SINGULARITY_TOLERANCE * d)
    if len(singular):
        value = np.linalg.eigvalsh(array[tuple(singular[0])])[0]
        raise InputError(
            f"{name}: not positive definite{_at(label, singular[0])}, least eigenvalue {value:.3g}; "
            "a density needs a covariance whose eigenvalues are all above 0"
        )
    return array


def _log_scale(factors: Factors) -> Float[Array, " k"]:
    """Return log det R + (d/2) log 2 pi."""
    return factors.log_det + 0.5 * factors.root.shape[-1] * LOG_TWO_PI


def _at(label: str, index: np.ndarray) -> str:
    return f" at {label} {', '.join(map(str, index))}".replace("  ", " ") if len(index) else ""
