"""Entropy and divergences of Gaussian mixtures in one and two dimensions by adaptive cubature with an error estimate.

An expectation under p is sum_c w_c int N(z; 0, I) g(mu_c + R_c z) dz, each integral over the box [-10, 10]^d, outside
of which lies a mass below 4e-23. A box is measured by the tensor Gauss-Legendre rule of 12 nodes an axis, and again as
2^d half-size boxes; the difference of the two is the error estimate of the latter, a cautious one since the halves are
far more accurate. Level by level the boxes whose estimates together fit in half of what is left of the tolerance are
accepted, the others are halved on. The first boxes are cut at the centres of all components and 3 of their standard
deviations to either side, so that a narrow component inside a wide one is not missed.

The integrands are the definitions, not those of the Monte Carlo estimates: H = -E_p log p, KL = E_p log p/q,
TV = E_p max(0, 1 - q/p), JS = (KL(p || m) + KL(q || m))/2 with m = (p + q)/2.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from dkps_theory._validate import positive_number, require
from dkps_theory.information.mixture import Mixture, blend, prepared, present, same_dimension

#: Half width of the boxes in standard deviations, nodes per axis, and points evaluated at once.
REACH = 10.0
NODES = 12
CHUNK = 2**14
#: Where the search stops although the tolerance is not met; the error estimate then says so.
MOST_POINTS = 10_000_000
MOST_LEVELS = 40


@dataclass(frozen=True)
class Cubature:
    """An integral found by cubature.

    Attributes
    ----------
    value
        In nats, or a probability for total variation.
    error
        Estimate of the absolute error, cautious where the integrand is smooth; above the tolerance when the search was
        stopped. No proof: a feature that no node sees is not counted.
    points
        Evaluations of the integrand.
    """

    value: float
    error: float
    points: int


def entropy_cubature(mixture: Mixture, tolerance: float = 1e-9) -> Cubature:
    """Return the differential entropy -E_p log p in nats.

    Parameters
    ----------
    mixture
        p, of dimension 1 or 2.
    tolerance
        Absolute error to aim for.

    Raises
    ------
    InputError
        In more than two dimensions, or when the tolerance is not positive.

    Examples
    --------
    >>> entropy = entropy_cubature(Mixture([1.0], [[0.0]], [[[1.0]]]))
    >>> round(entropy.value, 9), entropy.error < 1e-9
    (1.418938533, True)
    """
    return _expectation(_surprise, mixture, mixture, tolerance)


def kl_cubature(p: Mixture, q: Mixture, tolerance: float = 1e-9) -> Cubature:
    """Return KL(p || q) in nats; parameters and errors as :func:`entropy_cubature`.

    Examples
    --------
    >>> round(kl_cubature(*(Mixture([1.0], [[mean]], [[[1.0]]]) for mean in (0.0, 1.0))).value, 9)
    0.5
    """
    return _expectation(_log_ratio, p, q, tolerance)


def total_variation_cubature(p: Mixture, q: Mixture, tolerance: float = 1e-7) -> Cubature:
    """Return TV(p, q); parameters and errors as :func:`entropy_cubature`.

    The integrand has a kink where p = q, which costs points in two dimensions: hence the wider tolerance.

    Examples
    --------
    >>> round(total_variation_cubature(*(Mixture([1.0], [[mean]], [[[1.0]]]) for mean in (0.0, 2.0))).value, 6)
    0.682689
    """
    return _expectation(_excess, p, q, tolerance)


def jensen_shannon_cubature(p: Mixture, q: Mixture, tolerance: float = 1e-9) -> Cubature:
    """Return the Jensen-Shannon divergence (weights 1/2) in nats; parameters and errors as :func:`entropy_cubature`.

    Examples
    --------
    >>> far = (Mixture([1.0], [[mean]], [[[1.0]]]) for mean in (0.0, 100.0))
    >>> round(jensen_shannon_cubature(*far).value, 9) == round(float(np.log(2)), 9)
    True
    """
    middle = blend(p, q)
    first, second = (kl_cubature(law, middle, tolerance) for law in (p, q))
    return Cubature((first.value + second.value) / 2, (first.error + second.error) / 2, first.points + second.points)


def _surprise(p: Mixture, _: Mixture, x: Float[Array, "n d"]) -> Float[Array, " n"]:
    return -p.log_density(x)


def _log_ratio(p: Mixture, q: Mixture, x: Float[Array, "n d"]) -> Float[Array, " n"]:
    return p.log_density(x) - q.log_density(x)


def _excess(p: Mixture, q: Mixture, x: Float[Array, "n d"]) -> Float[Array, " n"]:
    return jnp.maximum(0.0, -jnp.expm1(q.log_density(x) - p.log_density(x)))


Integrand = Callable[[Mixture, Mixture, Array], Array]


@eqx.filter_jit
def _evaluate(integrand: Integrand, p: Mixture, q: Mixture, x: Float[Array, "n d"]) -> Float[Array, " n"]:
    return integrand(p, q, x)


def _expectation(integrand: Integrand, p: Mixture, q: Mixture, tolerance: float) -> Cubature:
    """Return E_p of the integrand, adding up boxes from the smallest error estimate on."""
    d = p.dimension
    require(d <= 2, f"p: of dimension {d}; cubature is for dimensions 1 and 2")
    same_dimension(p, q)
    require(positive_number(tolerance), f"tolerance: got {tolerance!r}; it must be a number above 0")
    _, means, factors = prepared(p)
    strata = (np.asarray(p.weights), np.asarray(means), np.asarray(factors.root), np.asarray(factors.whitening))
    nodes, node_weights = (np.stack(axis, axis=-1) for axis in _tensor_rule(d))
    rule = (nodes, node_weights.prod(axis=-1))

    def measure(owner: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        weights, centres, roots, _ = strata
        z = low[:, None] + (high - low)[:, None] * rule[0][None]
        mass = weights[owner] * (high - low).prod(axis=1)
        density = np.exp(-0.5 * (z * z).sum(axis=-1)) / (2 * np.pi) ** (d / 2)
        x = centres[owner][:, None] + np.einsum("bac,bnc->bna", roots[owner], z)
        values = _in_chunks(integrand, p, q, x.reshape(-1, d)).reshape(density.shape)
        return mass * ((density * values) @ rule[1])

    owner, low, high = _first_boxes(strata, p, q)
    whole = measure(owner, low, high)
    value = error = 0.0
    points = whole.size * NODES**d
    for level in range(MOST_LEVELS):
        owner, low, high = _halved(owner, low, high)
        parts = measure(owner, low, high)
        points += parts.size * NODES**d
        sums = parts.reshape(-1, 2**d).sum(axis=1)
        errors = np.abs(sums - whole)
        # NaN sorts last, so a box that fails is never accepted before the search stops.
        order = np.argsort(errors)
        fits = np.cumsum(errors[order]) <= (tolerance - error) / 2
        stop = level == MOST_LEVELS - 1 or points + parts.size * NODES**d * 2**d > MOST_POINTS
        accepted = order if stop else order[fits]
        value += float(sums[accepted].sum())
        error += float(errors[accepted].sum())
        open_boxes = np.setdiff1d(np.arange(len(sums)), accepted, assume_unique=True)
        if not len(open_boxes):
            break
        children = (open_boxes[:, None] * 2**d + np.arange(2**d)[None]).ravel()
        owner, low, high, whole = owner[children], low[children], high[children], parts[children]
    return Cubature(value, error, int(points))


def _tensor_rule(d: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return nodes in [0, 1] and weights of the tensor rule, axis by axis."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    grids = (np.meshgrid(*[part] * d, indexing="ij") for part in ((nodes + 1) / 2, weights / 2))
    first, second = ([axis.ravel() for axis in grid] for grid in grids)
    return first, second


def _in_chunks(integrand: Integrand, p: Mixture, q: Mixture, x: np.ndarray) -> np.ndarray:
    """Evaluate in chunks of one size, so that one program serves every level."""
    padded = np.concatenate([x, np.broadcast_to(x[:1], (-len(x) % CHUNK, x.shape[1]))])
    chunks = padded.reshape(-1, CHUNK, x.shape[1])
    values = [np.asarray(_evaluate(integrand, p, q, jnp.asarray(chunk))) for chunk in chunks]
    return np.concatenate(values)[: len(x)]


def _first_boxes(strata: tuple[np.ndarray, ...], p: Mixture, q: Mixture) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the first boxes: whose component they belong to, lower and upper corners in units of that component."""
    weights, centres, _, whitenings = strata
    laws = [tuple(map(np.asarray, present(law))) for law in (p, q)]
    features = [(law[1][c], law[2][c]) for law in laws for c in np.flatnonzero(law[0] > 0)]
    owners, lows, highs = [], [], []
    for c in np.flatnonzero(weights > 0):
        cuts = [{-REACH, -4.0, 0.0, 4.0, REACH} for _ in range(p.dimension)]
        for mean, covariance in features:
            place = whitenings[c] @ (mean - centres[c])
            spread = 3 * np.sqrt(np.diag(whitenings[c] @ covariance @ whitenings[c].T))
            for axis, found in enumerate(cuts):
                found |= {float(t) for t in place[axis] + spread[axis] * np.array([-1.0, 0.0, 1.0]) if abs(t) < REACH}
        edges = [np.array(sorted(found)) for found in cuts]
        corners = [itertools.product(*(edge[part] for edge in edges)) for part in (slice(-1), slice(1, None))]
        low, high = (np.array(list(corner)) for corner in corners)
        owners.append(np.full(len(low), c))
        lows.append(low)
        highs.append(high)
    return np.concatenate(owners), np.concatenate(lows), np.concatenate(highs)


def _halved(owner: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the 2^d halves of every box, one box after the other."""
    d = low.shape[1]
    upper = np.array(list(itertools.product([0.0, 1.0], repeat=d)))[None]
    half = ((high - low) / 2)[:, None]
    start = low[:, None] + upper * half
    return np.repeat(owner, 2**d), start.reshape(-1, d), (start + half).reshape(-1, d)
