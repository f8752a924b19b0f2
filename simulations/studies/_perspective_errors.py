"""Errors of D and of Psi^ at fixed models and queries, along one path of r: the numerical part of studies.

Kept apart from the studies that use it, so that listing them does not import JAX.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from dkps_theory._linalg import RANK_TOLERANCE, double_centre
from dkps_theory._types import Key
from dkps_theory._validate import require
from dkps_theory.bounds import squared_dissimilarity_variance
from dkps_theory.conventions import Convention
from dkps_theory.geometry import (
    align,
    alignment_errors,
    classical_mds,
    classical_mds_of_means,
    dissimilarities,
    raw_stress_mds,
)
from dkps_theory.populations import (
    GaussianMixture,
    Population,
    bernoulli,
    coincide,
    configuration_with_spectrum,
    population_from_configuration,
)
from simulations.grid import Cell

#: Where leading terms are read off.
LIMIT_R = 1e12

#: Pairs of opposite directions behind a predicted non-asymptotic share.
DIRECTION_PAIRS = 64

#: Random starts of raw stress come from one key: they are part of the estimator, not of the draw.
START_KEY = jax.random.key(0, impl="threefry2x32")
#: How many in each replicate; the truth at Delta takes the package's default.
STARTS = 5

#: Eigenvalues nearer to each other than this share of the largest count as equal.
TIE = 1e-8


class Prepared(eqx.Module):
    """One cell, ready to run: its population and its truth.

    Attributes
    ----------
    population, gamma, dissimilarities, configuration
        F, gamma (n, m), Delta (n, n) and Psi (n, d).
    eigenvalues
        Of B, descending (n,).
    tied
        Eigenvectors (n, g) of the eigenvalue lambda_d where it equals lambda_{d+1}, else (n, 0), in classical scaling.
    members
        One configuration (k, n, d) for each class of minimisers of raw stress at Delta, ``configuration`` first;
        (0, n, d) for classical scaling.
    starts
        The key of the random starts of raw stress, the same in every replicate.
    noise
        E ||X_i - mu_i||^2 + E ||X_i' - mu_i'||^2 of the pair at r = 1, times c^2.
    """

    population: Population
    gamma: Float[Array, "n m"]
    dissimilarities: Float[Array, "n n"]
    configuration: Float[Array, "n d"]
    eigenvalues: Float[Array, " n"]
    tied: Float[Array, "n g"]
    members: Float[Array, "k n d"]
    starts: Key
    noise: Float[Array, ""]
    above_tie: int = eqx.field(static=True)
    convention: Convention = eqx.field(static=True)
    scaling: str = eqx.field(static=True)
    pair: tuple[int, int] = eqx.field(static=True)
    r_grid: tuple[float, ...] = eqx.field(static=True)
    shown: tuple[int, ...] = eqx.field(static=True)
    rates: tuple[tuple[str, float], ...] = eqx.field(static=True)

    @property
    def d(self) -> int:
        """Perspective dimension."""
        return self.configuration.shape[1]


def prepare(cell: Cell, axes: Mapping[str, Sequence[float]]) -> Prepared:
    """Build the cell's population and its exact truth; ``axes["r_shown"]`` are the values of r whose Psi^ are kept."""
    mechanism, r_grid = cell.settings, axes["r"]
    shown = [r for r in axes["r_shown"] if r in set(r_grid)]
    require(len(shown) == len(axes["r_shown"]), f"axis 'r_shown': {list(axes['r_shown'])} must be values of axis 'r'")
    population = mechanism.population()
    convention, d = mechanism.convention, mechanism.dimension
    mean, gamma = population.mean, population.gamma
    require(
        gamma is not None, f"cell {cell.name!r}: its population has no variance, so there is no rate to compare with"
    )
    truth = dissimilarities(mean, convention)
    mds = classical_mds(truth, d)
    eigenvalues, eigenvectors = np.linalg.eigh(np.asarray(double_centre(truth**2)))
    eigenvalues, eigenvectors = eigenvalues[::-1], eigenvectors[:, ::-1]
    largest = eigenvalues[0]
    # Beyond the rank Psi is 0, not the square root of a rounding error.
    configuration = jnp.where(eigenvalues[None, :d] > RANK_TOLERANCE * largest, mds.configuration, 0.0)
    tied = np.abs(eigenvalues - eigenvalues[d - 1]) <= TIE * largest
    is_tied = mechanism.scaling == "classical" and eigenvalues[d - 1] > TIE * largest and tied[d:].any()
    members = configuration[None][:0]
    if mechanism.scaling != "classical":
        # With distances of rank d or less, classical scaling gives the one perfect configuration, and to every digit.
        is_perfect = mds.rank <= d and mds.negative < RANK_TOLERANCE
        members = configuration[None] if is_perfect else least_stress_members(cell.name, truth, d)
        configuration = members[0]
    i, k = mechanism.pair
    return Prepared(
        population=population,
        gamma=gamma,
        dissimilarities=truth,
        configuration=configuration,
        eigenvalues=jnp.asarray(np.where(np.abs(eigenvalues) > RANK_TOLERANCE * largest, eigenvalues, 0.0)),
        tied=jnp.asarray(eigenvectors[:, tied] if is_tied else eigenvectors[:, :0]),
        members=members,
        starts=START_KEY,
        noise=convention.scale(mean.shape[1]) ** 2 * (gamma[i] + gamma[k]).sum(),
        above_tie=int(np.flatnonzero(tied)[0]) if is_tied else d,
        convention=convention,
        scaling=mechanism.scaling,
        pair=mechanism.pair,
        r_grid=tuple(float(r) for r in r_grid),
        shown=tuple(index for index, r in enumerate(r_grid) if r in set(shown)),
        rates=tuple(sorted(cell.rates.items())),
    )


def least_stress_members(name: str, delta: Float[Array, "n n"], d: int) -> Float[Array, "k n d"]:
    """Return one configuration for each class of minimisers of raw stress that the package's search finds."""
    found = raw_stress_mds(delta, d, key=START_KEY)
    require(
        bool(found.converged),
        f"cell {name!r}: raw stress did not converge at Delta, so there is no truth to compare with",
    )
    return jnp.stack([jnp.asarray(member) for member in found.minimisers()])


def perspectives_of(prepared: Prepared, means: Float[Array, "n m p"], D: Float[Array, "n n"]) -> Float[Array, "n d"]:
    """Return Psi^ by the cell's scaling; NaN where raw stress did not converge, so that it counts as a failure."""
    if prepared.scaling == "raw-stress":
        found = raw_stress_mds(D, prepared.d, key=prepared.starts, starts=STARTS)
        return jnp.where(found.converged, found.configuration, jnp.nan)
    if prepared.convention.is_linear:
        return classical_mds_of_means(means, prepared.d, prepared.convention).configuration
    return classical_mds(D, prepared.d).configuration


def replicate(key: Key, prepared: Prepared) -> dict[str, Array]:
    """Draw one path of mean embeddings along r and return its errors at every r."""
    grid = jnp.asarray(prepared.r_grid)
    path = prepared.population.sample_mean_error_path(key, np.asarray(prepared.r_grid))
    found = jax.lax.map(lambda pair: errors_at(prepared, *pair), (path, grid))
    found["configuration"] = found["configuration"][np.asarray(prepared.shown, dtype=int)]
    return found


def errors_at(prepared: Prepared, mean_errors: Float[Array, "n m p"], r: Float[Array, ""]) -> dict[str, Array]:
    """Return every error of D and Psi^ for one draw of E = X - mu at r replicates.

    The debiased square subtracts the population's own noise; where it is not defined (e != 1, or no closed eigengap for
    the nearest solution) the value is NaN.
    """
    convention, (i, k) = prepared.convention, prepared.pair
    means = prepared.population.mean + mean_errors
    D = dissimilarities(means, convention)
    psi, truth = perspectives_of(prepared, means, D), prepared.configuration
    errors = alignment_errors(psi, truth)
    missed = D - prepared.dissimilarities
    squared = missed[i, k] * (D[i, k] + prepared.dissimilarities[i, k])
    nowhere = jnp.asarray(jnp.nan)
    return {
        "dissimilarity": missed[i, k],
        "largest_dissimilarity": jnp.abs(missed).max(),
        "squared": squared,
        "debiased": squared - prepared.noise / r if convention.is_linear else nowhere,
        "frobenius": errors.frobenius,
        "spectral": errors.spectral,
        "two_to_infinity": errors.two_to_infinity,
        "pairwise": errors.pairwise,
        "nearest": nearest_solution_error(prepared, psi) if has_several_solutions(prepared) else nowhere,
        "configuration": align(psi, truth),
    }


def has_several_solutions(prepared: Prepared) -> bool:
    """Whether MDS(Delta) is more than one class: a closed eigengap, or a tie of raw stress."""
    return prepared.tied.shape[1] > 0 or len(prepared.members) > 1


def nearest_solution_error(prepared: Prepared, psi: Float[Array, "n d"]) -> Float[Array, ""]:
    """Return the aligned Frobenius error against the solution nearest to Psi^, where there are several.

    For raw stress these are the members. Where lambda_d = lambda_{d+1}, the solutions of classical scaling are U_d
    S_d^{1/2} with any d - a orthonormal vectors of the tied eigenspace in the last columns. The one taken here has
    the polar factor of the projected columns, so the value is an upper bound of the distance to the set.
    """
    if len(prepared.members):
        return jnp.min(jnp.stack([alignment_errors(psi, member).frobenius for member in prepared.members]))
    above = prepared.above_tie
    left, _, right = jnp.linalg.svd(prepared.tied.T @ psi[:, above:], full_matrices=False)
    columns = jnp.sqrt(prepared.eigenvalues[prepared.d - 1]) * (prepared.tied @ left @ right)
    solution = jnp.concatenate([prepared.configuration[:, :above], columns], axis=1)
    return alignment_errors(psi, solution).frobenius


def truth(prepared: Prepared) -> dict[str, Array | np.ndarray]:
    """Return the cell's estimands, the exact RMSE of D^2, and the predicted non-asymptotic shares."""
    i, k = prepared.pair
    grid, eigenvalues = np.asarray(prepared.r_grid), prepared.eigenvalues
    points = np.append(grid, LIMIT_R)
    nowhere = np.full(len(points), np.nan)
    exact = {"squared": nowhere, "debiased": nowhere}
    if prepared.convention.is_linear:
        exact = {name: np.asarray(curve) for name, curve in _exact_squares(prepared, jnp.asarray(points)).items()}
    shares = _shares(prepared, points, exact)
    gap = eigenvalues[prepared.d - 1] - eigenvalues[prepared.d]
    return {
        "pair_dissimilarity": prepared.dissimilarities[i, k],
        "gamma": prepared.gamma.mean(),
        "eigenvalues": eigenvalues,
        "eigengap": jnp.where(jnp.abs(gap) > TIE * eigenvalues[0], gap, 0.0),
        "rank": (eigenvalues > 0).sum(),
        "perspectives": prepared.configuration,
        **{f"exact_{name}": np.sqrt(curve[:-1]) for name, curve in exact.items()},
        **{f"share_{name}": shares.get(name, nowhere[:-1]) for name in SHARED},
    }


#: Errors that have a predicted share.
SHARED = (
    "dissimilarity",
    "largest_dissimilarity",
    "squared",
    "debiased",
    "frobenius",
    "spectral",
    "two_to_infinity",
    "pairwise",
    "nearest",
)


@eqx.filter_jit
def _exact_squares(prepared: Prepared, grid: Float[Array, " len"]) -> dict[str, Float[Array, " len"]]:
    """Return the exact mean squared errors of D^2 and of the debiased D^2 of the pair (DK-M1)."""
    population, convention = prepared.population, prepared.convention
    two = np.asarray(prepared.pair)
    mean, covariance = population.mean[two], population.covariance
    cubic, quartic = population.cubic_moment, population.quartic_moment
    if covariance is None or cubic is None or quartic is None:
        nowhere = jnp.full(grid.shape, jnp.nan)
        return {"squared": nowhere, "debiased": nowhere}

    def variance_at(r: Array) -> Array:
        return squared_dissimilarity_variance(mean, covariance[two], cubic[two], quartic[two], r, convention)[0, 1]

    variance = jax.vmap(variance_at)(grid)
    # E D^2 - Delta^2 as it stands in DK-M1: subtracting Delta^2 from E D^2 would lose digits at large r.
    return {"squared": (prepared.noise / grid) ** 2 + variance, "debiased": variance}


@eqx.filter_jit
def _mean_squares(
    prepared: Prepared, directions: Float[Array, "b n m p"], scales: Float[Array, " len"]
) -> dict[str, Float[Array, " len"]]:
    """Return mean squares over directions of the errors at E = scale * direction."""

    def at(scale: Array) -> dict[str, Array]:
        found = jax.vmap(lambda one: errors_at(prepared, scale * one, 1 / scale**2))(directions)
        return {name: jnp.square(found[name]).mean() for name in SHARED}

    return jax.lax.map(at, scales)


def _shares(prepared: Prepared, points: np.ndarray, exact: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return, by error, the share of its mean square that its leading term does not explain, predicted at every r.

    Let Z have the limit law of sqrt(r) E. The error at E = Z / sqrt(r) has mean square M(r), and the leading term that
    the predicted rate a gives has M(R) (r/R)^{2a} with R = 10^12. The share is |M(r) / that - 1|, over opposite pairs
    of directions so that odd cross terms cancel, and made non-increasing in r, so that a crossing of the two curves
    does not pass for convergence. For D at Delta > 0 this is the mean square of the quadratic part of D over that of
    its linear part, plus terms of the same order. Where D^2 has an exact curve, its own share counts too, which brings
    in the law's third and fourth moments.
    """
    squares = _mean_squares(prepared, _directions(prepared.population), jnp.asarray(1 / np.sqrt(points)))
    rates = dict(prepared.rates)
    shares = {
        name: share_of_mean_square(points, np.asarray(squares[name]), rates[name]) for name in SHARED if name in rates
    }
    if prepared.convention.is_linear:
        for name, of in (("dissimilarity", "debiased"), ("squared", "squared"), ("debiased", "debiased")):
            shares[name] = np.fmax(shares[name], share_of_mean_square(points, exact[of], rates[of]))
    return shares


def _directions(population: Population) -> Float[Array, "b n m p"]:
    """Draw opposite pairs from the limit law of sqrt(r) E, N(0, Sigma); the same ones on every run."""
    values, vectors = np.linalg.eigh(np.asarray(population.covariance))
    roots = vectors * np.sqrt(np.maximum(values, 0.0))[..., None, :]
    key = jax.random.key(0, impl="threefry2x32")
    normal = jax.random.normal(key, (DIRECTION_PAIRS, *population.shape), dtype=jnp.float64)
    drawn = jnp.einsum("ijab,tijb->tija", jnp.asarray(roots), normal)
    return jnp.concatenate([drawn, -drawn])


def share_of_mean_square(points: np.ndarray, squares: np.ndarray, rate: float) -> np.ndarray:
    """Return |M(r) / leading term - 1|, made monotone; the leading term is read off the last point, not returned."""
    leading = squares[-1] * (points[:-1] / points[-1]) ** (2 * rate)
    return np.maximum.accumulate(np.abs(squares[:-1] / leading - 1)[::-1])[::-1]


# Populations of the cells


def designed(
    *,
    n: int,
    m: int,
    p: int,
    spectrum: Sequence[float],
    gamma: float,
    components: int,
    between: float,
    seed: int,
    groups: Sequence[Sequence[int]] = (),
) -> Population:
    """Return a Gaussian mixture whose Psi has the given spectrum (before models are made to coincide)."""
    first, second = jax.random.split(jax.random.key(seed, impl="threefry2x32"))
    psi = configuration_with_spectrum(first, n, list(spectrum))
    if groups:
        psi = coincide(psi, [list(group) for group in groups])
    return population_from_configuration(second, psi, m=m, p=p, gamma=gamma, components=components, between=between)


def bernoulli_answers(*, n: int, m: int, seed: int) -> Population:
    """Return yes-or-no answers whose probabilities are uniform on (0, 1), as in the simulation of A25."""
    return bernoulli(jax.random.uniform(jax.random.key(seed, impl="threefry2x32"), (n, m)))


def digits(*, n: int, p: int, components: int, seed: int) -> Population:
    """Return models fitted to handwritten digits, each to another mixture of classes."""
    from dkps_theory.datasets import digits_population  # noqa: PLC0415  (scikit-learn is slow to import)

    return digits_population(n=n, p=p, components=components, seed=seed).population


def triangle(*, sides: Sequence[float], gamma: float) -> Population:
    """Return three models in the plane with Gaussian answers, sides (12, 13, 23) and one variance."""
    first, second, base = sides
    across = (first**2 - second**2) / (2 * base)
    height = np.sqrt(first**2 - (across + base / 2) ** 2)
    corners = np.array([[across, height], [-base / 2, 0.0], [base / 2, 0.0]])
    return GaussianMixture(np.ones((3, 1, 1)), corners[:, None, None], np.full((3, 1, 1), gamma / 2))
