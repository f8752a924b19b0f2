"""Mixtures that the tests of densities, estimates and bounds share, all padded to three components."""

from __future__ import annotations

import jax
import numpy as np

from dkps_theory.information.mixture import Mixture

PADDED = 3
BUILD = jax.jit(Mixture)


def padded(weights, means, covariances) -> Mixture:
    """Add absent components that hold rubbish, as a traced mixture may."""
    weights, means, covariances = (np.asarray(part, dtype=float) for part in (weights, means, covariances))
    extra = PADDED - len(weights)
    means, covariances = (
        np.concatenate([part, np.full((extra, *part.shape[1:]), np.nan)]) for part in (means, covariances)
    )
    return BUILD(np.append(weights, np.zeros(extra)), means, covariances)


def one_dimensional(weights, means, variances) -> Mixture:
    return padded(weights, np.reshape(means, (-1, 1)), np.reshape(variances, (-1, 1, 1)))


#: Pairs (p, q) on the line: equal, near, overlapping, nested, far apart, and with weights down to 1e-8.
PAIRS = {
    "single": (one_dimensional([1.0], [0.0], [1.0]), one_dimensional([1.0], [1.5], [0.5])),
    "near": (
        one_dimensional([0.3, 0.7], [-1.0, 1.0], [1.0, 0.5]),
        one_dimensional([0.31, 0.69], [-1.0, 1.02], [1.0, 0.5]),
    ),
    "overlapping": (
        one_dimensional([0.2, 0.5, 0.3], [-1.0, 0.0, 2.0], [0.5, 2.0, 1.0]),
        one_dimensional([0.6, 0.4], [-0.5, 1.5], [1.0, 1.5]),
    ),
    "nested": (
        one_dimensional([0.5, 0.5], [0.0, 0.3], [4.0, 1e-2]),
        one_dimensional([0.9, 0.1], [0.0, 0.3], [3.0, 1e-2]),
    ),
    "far": (
        one_dimensional([0.25, 0.75], [-40.0, 40.0], [1.0, 2.0]),
        one_dimensional([0.5, 0.5], [-40.0, 41.0], [1.0, 1.0]),
    ),
    "rare": (
        one_dimensional([1 - 1e-8, 1e-8], [0.0, 9.0], [1.0, 1.0]),
        one_dimensional([1.0], [0.0], [1.0]),
    ),
    "rare and far": (
        one_dimensional([1 - 1e-8, 1e-8], [0.0, 2e4], [1.0, 1.0]),
        one_dimensional([0.5, 0.5], [0.0, 1.0], [1.0, 1.0]),
    ),
    "rare inside": (
        one_dimensional([0.5, 0.5 - 1e-8, 1e-8], [-2.0, 2.0, 0.0], [1.0, 1.0, 1e-6]),
        one_dimensional([0.5, 0.5], [-2.0, 2.0], [1.0, 1.5]),
    ),
}


def random_mixture(rng: np.random.Generator, d: int, spread: float, components: int = PADDED) -> Mixture:
    """Means of standard deviation ``spread``, covariances A A'/d + I/10."""
    factors = rng.normal(size=(components, d, d))
    covariances = factors @ factors.transpose(0, 2, 1) / d + 0.1 * np.eye(d)
    return padded(rng.dirichlet(np.ones(components)), spread * rng.normal(size=(components, d)), covariances)


def with_gaussian_rest(mixture: Mixture, mean, scales, rotation) -> Mixture:
    """Return the law of Q (X, Y): X of a mixture on the line, Y ~ N(mean, diag(scales^2)) independent, Q orthogonal."""
    weights = np.asarray(mixture.weights)
    kept = np.flatnonzero(weights > 0)
    d = 1 + len(mean)
    means = np.zeros((len(kept), d))
    covariances = np.zeros((len(kept), d, d))
    means[:, :1], means[:, 1:] = np.asarray(mixture.means)[kept], mean
    covariances[:, :1, :1] = np.asarray(mixture.covariances)[kept]
    covariances[:, range(1, d), range(1, d)] = np.asarray(scales) ** 2
    covariances = rotation @ covariances @ rotation.T
    return padded(weights[kept], means @ rotation.T, 0.5 * (covariances + covariances.transpose(0, 2, 1)))
