"""What claims about certified radii share: cells, and draws and errors in NumPy, apart from the package's samplers."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

import dkps_theory as dk
from proofs_checks.claim import Setting


@dataclass(frozen=True)
class Cell:
    """A population, by its recipe, with d and r.

    ``scale`` multiplies every embedding (g -> a g); ``noise`` is gamma of the mixtures; ``coincide`` puts the first
    three models at one point.
    """

    kind: str
    n: int
    m: int
    p: int
    d: int
    r: int
    scale: float = 1.0
    noise: float = 1.0
    coincide: bool = False

    @property
    def text(self) -> str:
        """The cell in words."""
        extras = [f"scale {self.scale:g}"] * (self.scale != 1) + ["three models alike"] * self.coincide
        return ", ".join([f"{self.kind} n={self.n} m={self.m} p={self.p} d={self.d} r={self.r}", *extras])


@functools.cache
def population_of(cell: Cell) -> Any:
    """Build the population: uniform yes-or-no probabilities, or two-component mixtures with means in R^d."""
    generator = np.random.default_rng([cell.n, cell.m, cell.p])
    if cell.kind == "bernoulli":
        probabilities = generator.uniform(size=(cell.n, cell.m))
        if cell.coincide:
            probabilities[:3] = probabilities[0]
        table = cell.scale * np.array([[0.0], [1.0]])
        return dk.Categorical(np.stack([1 - probabilities, probabilities], axis=-1), table)
    key = dk.study_key(cell.n, f"radius/{cell.m}/{cell.p}")
    psi = np.array(dk.configuration_with_spectrum(key, cell.n, [float(cell.n)] + [cell.n / 2] * (cell.d - 1)))
    if cell.coincide:
        psi[:3] = psi[:3].mean(axis=0)
    return dk.population_from_configuration(
        key,
        cell.scale * psi,
        m=cell.m,
        p=cell.p,
        gamma=cell.scale**2 * cell.noise,
        components=2,
        between=0.3,
    )


def mean_errors(population: Any, generator: np.random.Generator, size: int, r: int) -> np.ndarray:
    """Draw E = X - mu by NumPy, (size, n, m, p), for categorical laws and spherical mixtures."""
    n, m, p = population.shape
    if isinstance(population, dk.Categorical):
        weights, table = np.asarray(population.probabilities), np.asarray(population.table)
        shares = generator.multinomial(r, weights, size=(size, n, m)) / r
        return shares @ table - np.asarray(population.mean)[None]
    weights, means = np.asarray(population.weights), np.asarray(population.component_means)
    shares = generator.multinomial(r, weights, size=(size, n, m)) / r
    shift = np.einsum("bijk,ijka->bija", shares - weights[None], means - np.asarray(population.mean)[:, :, None])
    variance = (shares * np.asarray(population.component_covariances)[None]).sum(axis=-1) / r
    return shift + np.sqrt(variance)[..., None] * generator.normal(size=(size, n, m, p))


def factor(array: np.ndarray, convention: Any = None) -> np.ndarray:
    """Return c H of embeddings (..., n, m, p) as matrices (..., n, m p)."""
    *_, m, _ = array.shape
    centred = array - array.mean(axis=-3, keepdims=True)
    return (convention or dk.Convention()).scale(m) * centred.reshape(*array.shape[:-2], -1)


def aligned_errors(truth: np.ndarray, noise: np.ndarray, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Frobenius error, and largest row, after the orthogonal map that is best in the Frobenius norm: (b,), (b,).

    ``truth`` is Y = c H mu (n, N) and ``noise`` F = c H E (b, n, N). A row may be nearer after another map; for
    coverage this errs on the safe side.
    """
    n = len(truth)
    values, vectors = np.linalg.eigh(np.concatenate([truth[None] @ truth[None].swapaxes(1, 2), _gram(truth + noise)]))
    psi = vectors[:, :, ::-1] * np.sqrt(np.maximum(values[:, None, ::-1], 0))
    psi = np.pad(psi, ((0, 0), (0, 0), (0, max(0, d - n))))[:, :, :d]
    left, _, right = np.linalg.svd(psi[1:].swapaxes(1, 2) @ psi[:1])
    rows = np.linalg.norm(psi[1:] @ left @ right - psi[:1], axis=2)
    return np.linalg.norm(rows, axis=1), rows.max(axis=1)


def _gram(factors: np.ndarray) -> np.ndarray:
    return factors @ factors.swapaxes(1, 2)


@functools.cache
def sampled(cell: Cell, seed: int, size: int) -> dict[str, np.ndarray]:
    """Errors in both norms, and ||F||, of ``size`` draws in a cell; kept, since several checks look at one cell."""
    population, generator = population_of(cell), np.random.default_rng(seed)
    truth = factor(np.asarray(population.mean))
    block = max(1, min(size, 2_000_000 // truth.size))
    parts = []
    for start in range(0, size, block):
        noise = factor(mean_errors(population, generator, min(block, size - start), cell.r))
        largest = np.sqrt(np.linalg.eigvalsh(_gram(noise))[:, -1])
        parts.append((*aligned_errors(truth, noise, cell.d), np.linalg.norm(noise, axis=(1, 2)), largest))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return dict(zip(("frobenius", "rows", "noise", "spectral"), columns, strict=True))


@functools.cache
def _read() -> Any:
    import equinox as eqx

    return eqx.filter_jit(lambda law: (law.mean, law.subgaussian_proxy))


def mean_and_proxy(population: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the means and the sub-Gaussian proxies, compiled as one function."""
    mean, proxy = _read()(population)
    return np.asarray(mean), np.asarray(proxy)


@functools.cache
def radius_of(cell: Cell) -> Any:
    """Return the certified radius at 95%."""
    return dk.certified_radius(population_of(cell), cell.d, cell.r)


def draws(cell: Cell, setting: Setting, quick: int = 2000, full: int = 20000) -> dict[str, np.ndarray]:
    """Errors of fresh draws; the checks of these claims share them, so that each cell is drawn once."""
    return sampled(cell, setting.named("certified radius").integer_seed(cell.text), setting.size(quick, full))
