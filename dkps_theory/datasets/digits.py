"""Generative models of handwritten digits: mixtures fitted to scikit-learn's bundled digits, on known training shares.

The n "models" are generators that were trained on labels of different honesty. Query j asks for a digit of class j.
For it, model i saw a training set of fixed size, of which a share s_i0 are digits j (right), s_i1 digits j + 1 and s_i2
digits j + 2 (mislabelled; classes count modulo 10). F_ij is the Gaussian mixture that scikit-learn fits to that set.

The mean of a mixture fitted by EM is the mean of its training set, so up to the choice of pictures

    mu_ij = s_i0 a_j + s_i1 a_(j+1) + s_i2 a_(j+2),        a_j the mean digit of class j,

which is linear in the shares: the true perspectives lie near a linear image of the triangle of shares, of dimension 2.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as FittedMixture
from threadpoolctl import threadpool_limits

from dkps_theory._validate import whole_number
from dkps_theory.populations import GaussianMixture

CLASSES = 10
#: Pictures in every training set; every class has at least 174.
TRAINING_SIZE = 120


@dataclass(frozen=True)
class Digits:
    """A population of digit generators and what is known about them.

    Attributes
    ----------
    population
        n models, m = 10 queries, p principal components, full covariances.
    shares
        (n, 3), the shares of classes j, j + 1, j + 2 in the training sets of each model, exact; rows sum to one.
    converged
        (n, 10), whether EM met its tolerance in the cell. A cell where it did not is still a law, just not a fit to
        be proud of.
    models, queries
        Names.
    """

    population: GaussianMixture
    shares: Float[np.ndarray, "n s"]
    converged: Bool[np.ndarray, "n m"]
    models: tuple[str, ...]
    queries: tuple[str, ...]


def digits_population(n: int = 15, *, seed: int = 0, p: int = 8, components: int = 2) -> Digits:
    """Fit the generators; the same arguments give the same population.

    Parameters
    ----------
    n
        Number of models, at least 3. The first three are the corners of the triangle (all right, all next, all after);
        the others fill it evenly.
    seed
        Decides which pictures are in the training sets, and the starts of EM. Shares do not depend on it.
    p
        Principal components kept of the 64 pixels (intensities 0..1), from 1 to 64.
    components
        Mixture components of every cell, from 1 to 10.

    Raises
    ------
    InputError
        Outside these ranges.

    Examples
    --------
    >>> digits = digits_population(4, p=2, components=1)
    >>> digits.population.shape, digits.shares[0].tolist(), digits.queries[:2]
    ((4, 10, 2), [1.0, 0.0, 0.0], ('digit 0', 'digit 1'))
    """
    n = whole_number("n (models)", n, 3)
    seed = whole_number("seed", seed, 0, 2**32 - 1)
    p = whole_number("p (embedding)", p, 1, 64)
    k = whole_number("components", components, 1, 10)

    counts = _training_counts(n)
    weights, means = np.empty((n, CLASSES, k)), np.empty((n, CLASSES, k, p))
    covariances, converged = np.empty((n, CLASSES, k, p, p)), np.empty((n, CLASSES), dtype=bool)
    # One thread: the fits are small, and more would let the sums depend on the machine's load.
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        by_class = _reduced_by_class(p)
        for i, j in np.ndindex(n, CLASSES):
            # A generator per cell, so that a model's law does not depend on how many models there are.
            generator = np.random.default_rng([seed, i, j])
            parts = [
                generator.permutation(by_class[(j + step) % CLASSES])[:count] for step, count in enumerate(counts[i])
            ]
            fit = FittedMixture(k, covariance_type="full", reg_covar=1e-4, max_iter=300, random_state=seed)
            fit.fit(np.concatenate(parts))
            weights[i, j], means[i, j], covariances[i, j] = fit.weights_, fit.means_, fit.covariances_
            converged[i, j] = fit.converged_
    shares = counts / TRAINING_SIZE
    return Digits(
        population=GaussianMixture(weights, means, covariances, "full"),
        shares=shares,
        converged=converged,
        models=tuple(f"{right:.0%} right, {after:.0%} next, {last:.0%} after" for right, after, last in shares),
        queries=tuple(f"digit {digit}" for digit in range(CLASSES)),
    )


def _reduced_by_class(p: int) -> list[np.ndarray]:
    """Return the p leading principal components of the pictures, class by class."""
    pictures, labels = load_digits(return_X_y=True)
    reduced = PCA(n_components=p, svd_solver="full").fit_transform(pictures / 16)
    return [reduced[labels == digit] for digit in range(CLASSES)]


def _training_counts(n: int) -> np.ndarray:
    """Return (n, 3) whole numbers of pictures that sum to the training size: the corners, then an even filling.

    The filling is the additive sequence of the plastic number (the plane's counterpart of the golden ratio), folded
    from the unit square onto the triangle.
    """
    plastic = 1.324717957244746
    steps = np.arange(1, n - 2)[:, None]
    square = (0.5 + steps * np.array([1 / plastic, 1 / plastic**2])[None]) % 1
    square = np.where(square.sum(axis=1, keepdims=True) > 1, 1 - square, square)
    second, third = np.floor(square * TRAINING_SIZE).astype(int).T
    filling = np.stack([TRAINING_SIZE - second - third, second, third], axis=1)
    return np.concatenate([TRAINING_SIZE * np.eye(3, dtype=int), filling])
