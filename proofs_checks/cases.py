"""Cases that several claims are tried on: exact random matrices, and the package's estimators as NumPy functions."""

from __future__ import annotations

import functools
import random
from fractions import Fraction
from typing import Any

import numpy as np

import dkps_theory as dk
from proofs_checks.claim import Hypothesis
from proofs_checks.evidence.checker import Matrix

#: What :class:`dkps_theory.Population` promises of its draws, and every moment formula here needs.
INDEPENDENT = Hypothesis(
    "answers are independent over models, queries and replicates, with one law per model and query",
    lambda population: isinstance(population, dk.Population),
)


def rational_matrix(generator: random.Random, rows: int, columns: int, bound: int = 6) -> Matrix:
    """Return a random matrix of whole numbers, as fractions."""
    return [[Fraction(generator.randint(-bound, bound)) for _ in range(columns)] for _ in range(rows)]


def affine_dimension(rows: Matrix) -> Fraction:
    """Return the dimension of the affine span of the rows, exactly."""
    from proofs_checks.evidence.checker import rank

    return rank([[x - y for x, y in zip(row, rows[0], strict=True)] for row in rows[1:]])


def integer_arrays(rows: int, columns: int, bound: int = 6) -> Any:
    """Return a hypothesis strategy of float arrays with whole entries: they shrink to readable cases."""
    from hypothesis import strategies as st

    entries = st.lists(st.integers(-bound, bound), min_size=rows * columns, max_size=rows * columns)
    return entries.map(lambda values: np.reshape(np.asarray(values, float), (rows, columns)))


@functools.cache
def _jitted(name: str, *static: Any) -> Any:
    import jax

    function = getattr(dk, name)  # resolved before tracing: its first use switches double precision on
    return jax.jit(lambda *arrays: function(*arrays, *static))


def dissimilarities(means: np.ndarray, convention: Any = None) -> np.ndarray:
    """D of mean embeddings (n, m, p), by the package."""
    return np.asarray(_jitted("dissimilarities", convention or dk.Convention())(means))


def perspective(dissimilarity: np.ndarray, d: int) -> np.ndarray:
    """Classical MDS of D in R^d, by the package."""
    return np.asarray(_jitted("classical_mds", d)(dissimilarity).configuration)


def relative_eigengap(means: Any, d: int) -> float:
    """(lambda_d - lambda_{d+1}) / lambda_1 of B, by the package, e = 1."""
    scaled = _jitted("classical_mds_of_means", d)(means)
    return float(scaled.eigengap / scaled.eigenvalues[0])


def aligned_error(estimate: np.ndarray, truth: np.ndarray, motion: str = "orthogonal") -> float:
    """Frobenius error after the best orthogonal map or rigid motion, by the package."""
    return float(_jitted("alignment_errors", motion)(estimate, truth).frobenius)


#: Replicates computed at once: every draw uses this one shape, so teeth and seeds share compiled code.
BATCH = 500


@functools.cache
def _compiled(name: str) -> Any:
    """Vectorised draws with the population traced: populations of one shape share the compiled code."""
    import equinox as eqx
    import jax

    def errors(population: Any, keys: Any, r: Any) -> Any:
        return jax.vmap(lambda key: population.sample_mean_errors(key, r))(keys)

    def responses(population: Any, keys: Any, r: int) -> Any:
        return jax.vmap(lambda key: population.sample(key, r))(keys)

    def perspective_errors(means: Any, psi: Any, convention: Any) -> Any:
        def one(mean: Any) -> Any:
            found = dk.classical_mds(dk.dissimilarities(mean, convention), psi.shape[1])
            return dk.alignment_errors(found.configuration, psi).frobenius

        return jax.vmap(one)(means)

    return eqx.filter_jit({"errors": errors, "responses": responses, "perspective_errors": perspective_errors}[name])


def _in_batches(compute: Any, key: Any, size: int) -> np.ndarray:
    import jax

    keys = jax.random.split(key, -(-size // BATCH) * BATCH).reshape(-1, BATCH)
    return np.concatenate([np.asarray(compute(batch)) for batch in keys])[:size]


def mean_errors(population: Any, key: Any, size: int, r: float) -> np.ndarray:
    """Return ``size`` independent draws of E = X - mu at r replicates, (size, n, m, p)."""
    import jax.numpy as jnp

    return _in_batches(lambda keys: _compiled("errors")(population, keys, jnp.asarray(float(r))), key, size)


def responses(population: Any, key: Any, size: int, r: int) -> np.ndarray:
    """Return ``size`` independent draws of the responses themselves, (size, n, m, r, p)."""
    return _in_batches(lambda keys: _compiled("responses")(population, keys, r), key, size)


def perspective_errors(
    population: Any, errors: np.ndarray, d: int, convention: Any = None, psi: np.ndarray | None = None
) -> np.ndarray:
    """Return the aligned Frobenius errors of Psi^ in R^d against Psi, one for each draw of E (b, n, m, p).

    ``psi`` is the truth where it is known apart from the package's own scaling of Delta.
    """
    convention = convention or dk.Convention()
    psi = perspective(dissimilarities(population.mean, convention), d) if psi is None else psi
    means = np.asarray(population.mean)[None] + errors
    padding = -len(means) % BATCH
    padded = np.concatenate([means, np.repeat(means[-1:], padding, axis=0)]).reshape(-1, BATCH, *means.shape[1:])
    found = [np.asarray(_compiled("perspective_errors")(batch, psi, convention)) for batch in padded]
    return np.concatenate(found)[: len(means)]


@functools.cache
def mixture_psi() -> np.ndarray:
    """Psi of :func:`mixture_population` at c = 1/sqrt(m): chosen, not computed from Delta."""
    return np.asarray(dk.configuration_with_spectrum(dk.study_key(1, "cases/mixture/psi"), 6, [4.0, 1.0]))


@functools.cache
def mixture_population() -> Any:
    """Six models, three queries, answers in the plane from two-component mixtures; Psi in R^2 with a clear eigengap."""
    psi, noise_key = mixture_psi(), dk.study_key(1, "cases/mixture/noise")
    return dk.population_from_configuration(noise_key, psi, m=3, p=2, gamma=0.5, components=2, between=0.4)


@functools.cache
def digits_population() -> Any:
    """Mixtures fitted to scikit-learn's handwritten digits: real data, with moments known exactly."""
    return dk.digits_population(n=6, p=4, seed=1).population


def square_population(width: float = 1.0) -> Any:
    """Four models at the corners of a rectangle 2 width x 2, one query, Gaussian answers; a square has no eigengap."""
    corners = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0], [-1.0, 1.0]]) * np.array([width, 1.0])
    return dk.GaussianMixture(
        np.ones((4, 1, 1)), corners[:, None, None, :], np.full((4, 1, 1), 0.5), covariance_type="spherical"
    )
