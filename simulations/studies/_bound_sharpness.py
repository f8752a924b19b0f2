"""What the study of sharpness computes: populations, bounds from their scalars, and the errors that bounds speak of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from dkps_theory._linalg import double_centre, sqrt_nonnegative
from dkps_theory._types import Key
from dkps_theory._validate import nearest_name, require, whole_number
from dkps_theory.bounds import a25_perspective_bound, certified_radius, dk_m4_bound
from dkps_theory.conventions import DEFAULT
from dkps_theory.geometry import align
from dkps_theory.populations import (
    Population,
    bernoulli,
    configuration_with_spectrum,
    population_from_configuration,
)
from simulations.grid import Cell
from simulations.studies.bound_sharpness import BOUNDS, LEVEL, NORMS, POPULATIONS, QUANTITIES

#: Seed of the populations: they belong to their cells, whatever the seed of the runs.
_SEED = 31
#: Longest row of the matrix of v_j; probabilities lie in 1/2 -+ this.
_SPREAD = 0.45
#: gamma of the mixtures by embedding dimension, and the share of it that lies between component means.
_GAMMA, _BETWEEN = {1: 4.0, 16: 16.0}, 0.3
#: Below this share of lambda_1 an eigenvalue counts as 0.
_ZERO = 1e-9


def population_of(name: str, n: int, m: int) -> tuple[Population, int]:
    """Return the population of a cell and its perspective dimension.

    Raises
    ------
    InputError
        When the name is unknown, n is below 4 or m below 2: a plane needs room.
    """
    if name not in POPULATIONS:
        raise nearest_name("population", name, POPULATIONS)
    whole_number("n", n, 4)
    whole_number("m", m, 2)
    first, second = jax.random.split(jax.random.fold_in(jax.random.key(_SEED, impl="threefry2x32"), 1000 * n + m))
    if name == "Bernoulli":
        return bernoulli(jax.random.uniform(first, (n, m))), min(n - 1, m)
    if name == "Bernoulli, plane":
        radius, angle = jnp.sqrt(jax.random.uniform(first, (n,))), 2 * jnp.pi * jax.random.uniform(second, (n,))
        models = radius[:, None] * jnp.stack([jnp.cos(angle), jnp.sin(angle)], axis=1)
        turns = jnp.pi * jnp.arange(m) / m
        return bernoulli(0.5 + _SPREAD * models @ jnp.stack([jnp.cos(turns), jnp.sin(turns)])), 2
    p = int(name.partition("p=")[2])
    psi = configuration_with_spectrum(first, n, [float(n), n / 2])
    mixtures = population_from_configuration(second, psi, m=m, p=p, gamma=_GAMMA[p], components=2, between=_BETWEEN)
    return mixtures, 2


# Bounds


def gram_matrices(mean: Float[Array, "n m p"]) -> Float[Array, "2 n n"]:
    """Return B at c = 1/sqrt(m) for e = 1 and e = 1/2."""
    n, m, p = mean.shape
    rows = mean.reshape(n, m * p)
    # Taking the first model away first loses no digits to a common offset.
    Y = rows - rows[:1]
    G = double_centre(-2 * Y @ Y.T)  # of squared distances, c left out
    length = jnp.diagonal(G)
    squares = jnp.where(jnp.eye(n, dtype=bool), 0.0, length[:, None] + length[None, :] - 2 * G)
    return jnp.stack([G, double_centre(sqrt_nonnegative(squares))]) / m


def bounds_of(population: Population, d: int, r: float, spectra: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Return every bound, from population scalars; infinity where one says nothing.

    Parameters
    ----------
    population, d, r
        What is drawn, the perspective dimension for e = 1, and replicates.
    spectra
        (lambda_1, lambda_d) of B for e = 1, for e = 1/2 with d = n - 1, and for e = 1/2 with d.
    """
    n, m, _ = population.shape
    gamma, alpha = np.asarray(population.gamma), 1 - LEVEL
    chebyshev = float(np.sqrt(gamma[0].sum() / (r * m * alpha)))
    entry = float(np.sqrt(16 * gamma.sum() / (r * m * alpha)))
    x = {"A25-T2": (n**3 / r) ** 0.5, "A25-T2 at T1's x": n * entry}
    found = {"A24-T2": chebyshev, "A24-T2 c=1/sqrt(m)": chebyshev, "A25-T1": entry, "A25-T1 e=1": entry}
    for name, at in x.items():
        for (first, last), dimension, suffix in zip(spectra, (d, n - 1, d), (" e=1", "", " small d"), strict=True):
            numbers = (jnp.asarray(float(value)) for value in (first, last, dimension, at))
            found[name + suffix] = float(a25_perspective_bound(*numbers))
    return found | certified_bounds(population, d, r, spectra[0])


def certified_bounds(population: Population, d: int, r: float, spectrum: tuple[float, float]) -> dict[str, float]:
    """Return DK-M4, DK-M8, DK-M9 with tails, and the certified radius."""
    found = certified_radius(population, d, r, confidence=LEVEL)
    noise, (first, last) = found.noise_frobenius, spectrum
    return {
        "DK-M4": dk_m4_bound(noise=noise, lambda_1=first, lambda_d=last, k=found.k),
        "DK-M8": found.k * noise,
        "DK-M9": found.first_order_frobenius + found.remainder_frobenius,
        "DK-M9 rows": found.first_order_rows + found.remainder_rows,
        "certified": found.frobenius,
        "certified rows": found.rows,
    }


# A cell


class Prepared(eqx.Module):
    """A cell: what is drawn, its truth at e = 1 and e = 1/2, and its bounds along r."""

    population: Population
    r: Float[Array, " len"]
    B: Float[Array, "2 n n"]
    psi: Float[Array, "n d"]
    psi_half: Float[Array, "n w"]
    signal: Float[Array, ""]
    bounds: Float[Array, "len bounds"]
    radius: Float[Array, "len norms"]
    axes: tuple[tuple[str, tuple[str, ...]], ...] = eqx.field(static=True)


def prepare(cell: Cell, axes: Mapping[str, Sequence[Any]]) -> Prepared:
    """Return a cell ready to run.

    Raises
    ------
    InputError
        As :func:`population_of`, and when an axis has a label that is unknown.
    """
    for axis, known in (("quantity", QUANTITIES), ("bound", BOUNDS), ("norm", NORMS)):
        for label in axes[axis]:
            if label not in known:
                raise nearest_name(axis, label, known)
    levels = cell.factors
    population, d = population_of(str(levels["population"]), int(levels["n"]), int(levels["m"]))
    n = population.shape[0]
    B = np.asarray(gram_matrices(population.mean))
    values, vectors = np.linalg.eigh(B)
    values, vectors = values[:, ::-1], vectors[:, :, ::-1]
    top = values[:, 0]
    require(
        values[0, d - 1] > _ZERO * top[0] and values[1, n - 2] > _ZERO * top[1],
        f"cell {cell.name!r}: B has a lower rank than d",
    )
    roots = np.sqrt(np.maximum(values, 0.0))
    spectra = [(float(top[e]), float(values[e, k - 1])) for e, k in ((0, d), (1, n - 1), (1, d))]
    bounds = [bounds_of(population, d, float(r), spectra) for r in axes["r"]]
    return Prepared(
        population=population,
        r=jnp.asarray(axes["r"], dtype=jnp.float64),
        B=jnp.asarray(B),
        psi=jnp.asarray(vectors[0, :, :d] * roots[0, :d]),
        psi_half=jnp.asarray(vectors[1, :, : n - 1] * roots[1, : n - 1]),
        signal=jnp.asarray(roots[0, d - 1]),
        bounds=jnp.asarray([[one[label] for label in axes["bound"]] for one in bounds]),
        radius=jnp.asarray([[one[NORMS[label]] for label in axes["norm"]] for one in bounds]),
        axes=tuple((axis, tuple(axes[axis])) for axis in ("quantity", "norm")),
    )


def truth(prepared: Prepared) -> dict[str, Array | np.ndarray]:
    """Return the bounds of a cell and what decides its targets."""
    d, (_, m, p) = prepared.psi.shape[1], prepared.population.shape
    return {
        "bounds": prepared.bounds,
        "d": np.asarray(float(d)),
        "mean_space": np.asarray(float(m * p)),
        "signal": prepared.signal,
    }


# A replicate


def replicate(key: Key, prepared: Prepared) -> dict[str, Array]:
    """Draw one path of mean embeddings along r, and return its errors at every r."""
    path = prepared.population.sample_mean_error_path(key, prepared.r)
    return jax.lax.map(lambda at: errors_at(prepared, *at), (path, prepared.radius))


def errors_at(prepared: Prepared, E: Float[Array, "n m p"], radius: Float[Array, " norms"]) -> dict[str, Array]:
    """Return what bounds speak of for one draw of E = X - mu, the noise over the signal, and whether radii cover."""
    population, axes = prepared.population, dict(prepared.axes)
    n, m, p = E.shape
    d = prepared.psi.shape[1]
    B = gram_matrices(population.mean + E)
    centred = (E - E.mean(axis=0, keepdims=True)).reshape(n, m * p) * DEFAULT.scale(m)
    # One call for every decomposition, and the two alignments one after the other: independent LAPACK calls can block
    # each other for good in XLA's thread pool on CPUs.
    values, vectors = jnp.linalg.eigh(jnp.concatenate([B, (centred @ centred.T)[None]]))
    estimates = vectors[:2, :, ::-1] * sqrt_nonnegative(values[:2, ::-1])[:, None, :]
    truths = jnp.stack([prepared.psi, prepared.psi_half[:, :d]])
    first = jax.vmap(align)(estimates[:, :, :d], truths) - truths
    first, other = jax.lax.optimization_barrier((first, estimates[1, :, : n - 1]))
    second = align(other, prepared.psi_half) - prepared.psi_half
    rows = jnp.sqrt((first**2).sum(axis=2).max(axis=1))
    one_model = jnp.linalg.norm(E[0])
    largest = jnp.abs(B - prepared.B).max(axis=(1, 2))
    found = {
        "Frobenius": jnp.linalg.norm(first[0]),
        "rows": rows[0],
        "rows e=1/2": jnp.sqrt((second**2).sum(axis=1).max()),
        "rows e=1/2 small d": rows[1],
        "Gram": largest[0],
        "Gram e=1/2": largest[1],
        "means c=1/m": one_model / m,
        "means c=1/sqrt(m)": one_model / jnp.sqrt(1.0 * m),
    }
    errors = jnp.stack([found[name] for name in axes["norm"]])
    return {
        "error": jnp.stack([found[name] for name in axes["quantity"]]),
        "noise": sqrt_nonnegative(values[2, -1]) / prepared.signal,
        "covered": (errors <= radius).astype(float),
    }
