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
    three models at one point. Kind "rare" has yes-or-no answers, all "no" in at least 99.5% of the draws: where d =
    m every query has its own small probabilities; where d = 1 < m the first query parts the models into two groups,
    without noise, and the others have one small probability.
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


#: Where the mean space is all that there is: d = m p. Noise from small to as large as the signal, models that coincide.
FULL = (
    Cell("bernoulli", 10, 2, 1, 2, 20),
    Cell("bernoulli", 20, 3, 1, 3, 200, scale=100.0),
    Cell("bernoulli", 10, 3, 1, 3, 20, coincide=True),
    Cell("mixture", 10, 3, 1, 3, 20),
)
#: Where m p > d, at eps <= sigma / 5 for 95% of the draws.
SMALL = (
    Cell("mixture", 10, 3, 1, 2, 60),
    Cell("mixture", 20, 50, 1, 2, 10),
    Cell("mixture", 10, 3, 16, 2, 20),
    Cell("mixture", 20, 50, 16, 2, 5),
    Cell("bernoulli", 10, 50, 1, 9, 400),
)
#: Where m p > d and the noise is larger, or the population special.
OTHER = (
    Cell("mixture", 10, 3, 16, 2, 1),
    Cell("mixture", 10, 3, 16, 2, 10, scale=1e-3, coincide=True),
    Cell("mixture", 10, 3, 1, 2, 5, noise=1e3),
    Cell("mixture", 10, 3, 1, 2, 20000),
    Cell("bernoulli", 10, 50, 1, 9, 20),
)
#: rank(B^) = n - 1 < m p, at a noise that is not small.
OF_RANK = Cell("bernoulli", 10, 50, 1, 9, 20)
#: Answers so rare that nothing happens in most draws; in the whole mean space, and beside two clear groups.
RARE = Cell("rare", 4, 2, 1, 2, 1)
RARE_BESIDE = Cell("rare", 6, 3, 1, 1, 5)


@functools.cache
def population_of(cell: Cell) -> Any:
    """Build the population: uniform yes-or-no probabilities, rare ones, or two-component mixtures, means in R^d."""
    generator = np.random.default_rng([cell.n, cell.m, cell.p])
    if cell.kind == "rare":
        rare = -np.log(0.995) / (cell.n * cell.m * cell.r)
        probabilities = rare * generator.uniform(size=(cell.n, cell.m))
        if cell.d < cell.m:
            probabilities[:, 0], probabilities[:, 1:] = np.arange(cell.n) % 2, rare
        return dk.bernoulli(probabilities)
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
    coverage this errs on the safe side, for the slack of a radius see :func:`least_rows`.
    """
    psi, estimates = _perspectives(truth, noise, d)
    rows = np.linalg.norm(_aligned(psi, estimates) - psi, axis=2)
    return np.linalg.norm(rows, axis=1), rows.max(axis=1)


def least_rows(truth: np.ndarray, noise: np.ndarray, d: int, steps: int = 12) -> np.ndarray:
    """Return lower bounds of min_W max_i ||W'psi^_i - psi_i||, (b,).

    For every law w on the rows min_W max_i e_i^2 >= min_W sum_i w_i e_i^2, a Procrustes problem; w moves towards the
    rows that are far off.
    """
    psi, estimates = _perspectives(truth, noise, d)
    weights = np.full(noise.shape[:2], 1 / len(truth))
    least = np.zeros(len(noise))
    for _ in range(steps):
        roots = np.sqrt(weights)[:, :, None]
        squares = np.square(_aligned(roots * psi, roots * estimates) / roots - psi).sum(axis=2)
        least = np.maximum(least, np.sqrt((weights * squares).sum(axis=1)))
        weights = weights * np.exp(2 * squares / (squares.max(axis=1, keepdims=True) + 1e-300))
        weights = weights / weights.sum(axis=1, keepdims=True)
    return least


def _perspectives(truth: np.ndarray, noise: np.ndarray, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Psi (1, n, d) and Psi^ (b, n, d)."""
    n = len(truth)
    values, vectors = np.linalg.eigh(np.concatenate([truth[None] @ truth[None].swapaxes(1, 2), _gram(truth + noise)]))
    psi = vectors[:, :, ::-1] * np.sqrt(np.maximum(values[:, None, ::-1], 0))
    psi = np.pad(psi, ((0, 0), (0, 0), (0, max(0, d - n))))[:, :, :d]
    return psi[:1], psi[1:]


def _aligned(psi: np.ndarray, estimates: np.ndarray) -> np.ndarray:
    """Psi^ after the orthogonal map that is best in the Frobenius norm."""
    left, _, right = np.linalg.svd(estimates.swapaxes(1, 2) @ psi)
    return estimates @ left @ right


def _gram(factors: np.ndarray) -> np.ndarray:
    return factors @ factors.swapaxes(1, 2)


@functools.cache
def sampled(cell: Cell, seed: int, size: int) -> dict[str, np.ndarray]:
    """Errors, lower bounds by rows, ||F||_F and ||F||_2 of ``size`` draws; cached: several checks look at one cell."""
    population, generator = population_of(cell), np.random.default_rng(seed)
    truth = factor(np.asarray(population.mean))
    block = max(1, min(size, 2_000_000 // truth.size))
    parts = []
    for start in range(0, size, block):
        noise = factor(mean_errors(population, generator, min(block, size - start), cell.r))
        largest = np.sqrt(np.linalg.eigvalsh(_gram(noise))[:, -1])
        sizes = np.linalg.norm(noise, axis=(1, 2))
        parts.append((*aligned_errors(truth, noise, cell.d), least_rows(truth, noise, cell.d), sizes, largest))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return dict(zip(("frobenius", "rows", "least rows", "noise", "spectral"), columns, strict=True))


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
