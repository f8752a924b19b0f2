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

#: None stands for a variance that does not exist.
TWO_MOMENTS = Hypothesis(
    "gamma is finite",
    lambda population: population.gamma is not None and bool(np.all(np.isfinite(population.gamma))),
)

#: What raw stress is defined for.
DISSIMILARITY = Hypothesis(
    "Delta is symmetric, hollow and non-negative",
    lambda delta: bool(np.all(delta == delta.T) and np.all(np.diag(delta) == 0) and np.all(delta >= 0)),
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


def integer_dissimilarities(n: int, low: int = 0, bound: int = 6) -> Any:
    """Return a hypothesis strategy of dissimilarity matrices with whole entries."""
    from hypothesis import strategies as st

    def filled(values: list[int]) -> np.ndarray:
        matrix = np.zeros((n, n))
        matrix[np.triu_indices(n, 1)] = values
        return matrix + matrix.T

    pairs = n * (n - 1) // 2
    return st.lists(st.integers(low, bound), min_size=pairs, max_size=pairs).map(filled)


def distances(configuration: np.ndarray) -> np.ndarray:
    """Distances of the rows (..., n, d) -> (..., n, n), by differences."""
    return np.linalg.norm(configuration[..., :, None, :] - configuration[..., None, :, :], axis=-1)


def raw_stress(configuration: np.ndarray, dissimilarity: np.ndarray) -> float:
    """Sum of squared differences between distances and dissimilarities, over all ordered pairs."""
    return float(np.square(distances(configuration) - dissimilarity).sum())


def line_classes(dissimilarity: np.ndarray) -> list[np.ndarray]:
    """Distance matrices of all minimisers of raw stress on the line, one for each congruence class."""
    from dkps_theory.geometry import line_minimisers

    return [distances(np.asarray(x, float)[:, None]) for x in line_minimisers(dissimilarity)[1]]


@functools.cache
def _jitted(name: str, *static: Any) -> Any:
    import jax

    function = getattr(dk, name)  # resolved before tracing: its first use switches double precision on
    return jax.jit(lambda *arrays: function(*arrays, *static))


def dissimilarities(means: Any, convention: Any = None) -> np.ndarray:
    """D of mean embeddings (n, m, p), by the package."""
    return np.asarray(_jitted("dissimilarities", convention or dk.Convention())(means))


def perspective(dissimilarity: np.ndarray, d: int) -> np.ndarray:
    """Classical MDS of D in R^d, by the package."""
    return np.asarray(_jitted("classical_mds", d)(dissimilarity).configuration)


@functools.cache
def _raw_stress_solver(d: int) -> Any:
    import jax

    key = dk.study_key(0, "cases/raw-stress/starts")
    return jax.jit(lambda delta: dk.raw_stress_mds(delta, d, key=key))


def raw_stress_solution(dissimilarity: np.ndarray, d: int) -> Any:
    """Raw-stress MDS of one D in R^d, by the package, with one fixed set of starts."""
    return _raw_stress_solver(d)(dissimilarity)


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

    def paths(population: Any, keys: Any, grid: Any) -> Any:
        return jax.vmap(lambda key: population.sample_mean_error_path(key, grid))(keys)

    def raw_stress_distances(means: Any, keys: Any, d: int, convention: Any) -> Any:
        def one(mean: Any, key: Any) -> Any:
            found = dk.raw_stress_mds(dk.dissimilarities(mean, convention), d, key=key)
            shown = dk.dissimilarities(found.configuration[:, None, :], dk.Convention("none"))
            return jax.numpy.where(found.converged, shown, jax.numpy.nan)

        return jax.vmap(one)(means, keys)

    known: tuple[Any, ...] = (errors, responses, perspective_errors, paths, raw_stress_distances)
    return eqx.filter_jit({function.__name__: function for function in known}[name])


def _in_batches(compute: Any, key: Any, size: int) -> np.ndarray:
    import jax

    keys = jax.random.split(key, -(-size // BATCH) * BATCH).reshape(-1, BATCH)
    return np.concatenate([np.asarray(compute(batch)) for batch in keys])[:size]


def mean_errors(population: Any, key: Any, size: int, r: float) -> np.ndarray:
    """Return ``size`` independent draws of E = X - mu at r replicates, (size, n, m, p)."""
    import jax.numpy as jnp

    return _in_batches(lambda keys: _compiled("errors")(population, keys, jnp.asarray(float(r))), key, size)


def mean_error_paths(population: Any, key: Any, size: int, grid: np.ndarray) -> np.ndarray:
    """Return ``size`` independent paths of E = X - mu along the grid of r, (size, len, n, m, p)."""
    import jax.numpy as jnp

    return _in_batches(lambda keys: _compiled("paths")(population, keys, jnp.asarray(grid)), key, size)


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
    found = [np.asarray(_compiled("perspective_errors")(batch, psi, convention)) for batch in _padded(means)]
    return np.concatenate(found)[: len(means)]


def _padded(means: np.ndarray) -> np.ndarray:
    """Cut into batches of the one size, the last row repeated to fill the last batch."""
    padding = -len(means) % BATCH
    return np.concatenate([means, np.repeat(means[-1:], padding, axis=0)]).reshape(-1, BATCH, *means.shape[1:])


def raw_stress_distances(population: Any, errors: np.ndarray, d: int, key: Any, convention: Any = None) -> np.ndarray:
    """Return the distances within Psi^ in R^d by raw stress, (b, n, n), one for each draw of E (b, n, m, p).

    NaN where the optimiser did not converge: such a draw counts against whatever is claimed of it.
    """
    import jax

    convention = convention or dk.Convention()
    batches = _padded(np.asarray(population.mean)[None] + errors)
    keys = jax.random.split(key, batches.shape[:2])
    compute = _compiled("raw_stress_distances")
    found = [np.asarray(compute(batch, own, d, convention)) for batch, own in zip(batches, keys, strict=True)]
    return np.concatenate(found)[: len(errors)]


def pairwise_errors(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Largest absolute difference of two distance matrices, one for each draw (b, n, n)."""
    return np.abs(found - truth).max(axis=(-2, -1))


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


def triangle_population(long: float = 13.0) -> Any:
    """Three models in the plane with sides 13, ``long`` and 10, one query, Gaussian answers.

    With two longest sides of 13 raw stress on the line has two minimisers: of three points the one opposite the
    longest side is put in the middle, and the mirror that swaps models 2 and 3 swaps these two.
    """
    from simulations.studies._perspective_errors import triangle

    return triangle(sides=(13.0, long, 10.0), gamma=1.0)


def integer_laws(letters: int, rows: int | None = None, bound: int = 9) -> Any:
    """Return a hypothesis strategy of laws with whole weights, (letters,), or of channels, (rows, letters)."""
    from hypothesis import strategies as st

    weights = st.lists(st.integers(0, bound), min_size=letters, max_size=letters).filter(any)
    one = weights.map(lambda values: np.asarray(values, float) / sum(values))
    return one if rows is None else st.lists(one, min_size=rows, max_size=rows).map(np.array)


def symmetric_integers(n: int, bound: int = 6) -> Any:
    """Return a hypothesis strategy of symmetric float matrices with whole entries."""
    return integer_arrays(n, n, bound).map(lambda values: np.triu(values) + np.triu(values, 1).T)


@functools.cache
def _aligned() -> Any:
    import jax

    align, scale = dk.align, dk.classical_mds  # resolved before tracing: the first use switches double precision on

    def one(dissimilarity: Any, psi: Any) -> Any:
        return align(scale(dissimilarity, psi.shape[1]).configuration, psi)

    return jax.jit(jax.vmap(one, in_axes=(0, None)))


def aligned_perspectives(found: np.ndarray, psi: np.ndarray) -> np.ndarray:
    """Classical MDS of each D (b, n, n), aligned with Psi (n, d): (b, n, d)."""
    batches = _padded(found[:, :, :, None])[..., 0]
    return np.concatenate([np.asarray(_aligned()(batch, psi)) for batch in batches])[: len(found)]


@functools.cache
def _many_dissimilarities(convention: Any) -> Any:
    import jax

    function = dk.dissimilarities  # resolved before tracing: its first use switches double precision on
    return jax.jit(jax.vmap(lambda mean: function(mean, convention)))


def dissimilarities_of_many(means: np.ndarray, convention: Any = None) -> np.ndarray:
    """D of each mean embedding of (b, n, m, p), by the package: (b, n, n)."""
    compute = _many_dissimilarities(convention or dk.Convention())
    return np.concatenate([np.asarray(compute(batch)) for batch in _padded(means)])[: len(means)]
