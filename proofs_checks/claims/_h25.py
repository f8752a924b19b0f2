"""What the claims about H25 share: batches of bounded models, their perspectives and decision rules, in NumPy.

A batch axis b comes first everywhere: (b, n, ...). The package's own classical scaling is compared in the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claim import Hypothesis

#: Blocks of draws whose mean losses are compared, draws in each, and the values of r between which errors must fall.
BLOCKS, DRAWS, LOW, HIGH = 300, 10, 1e4, 1e12

#: Means of the answers 0 and 1 to query j are 1/2 + SLOPE <theta_i, v_j>, the v_j taken in turn.
SLOPE = 0.35
DIRECTIONS = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])


class Case(NamedTuple):
    """A witness: models with known moments, the dimension d, and the labels of the models."""

    population: dk.Population
    d: int
    labels: np.ndarray


def squared(x: np.ndarray) -> np.ndarray:
    """Squared distances of rows, (b, n, k) -> (b, n, n)."""
    return np.square(x[:, :, None] - x[:, None]).sum(-1)


def eigenvalues(squares: np.ndarray) -> np.ndarray:
    """Eigenvalues of B = -1/2 H Delta^2 H, ascending, from squared dissimilarities (..., n, n)."""
    return np.linalg.eigvalsh(_gram(squares))


def classical(squares: np.ndarray, d: int) -> np.ndarray:
    """Classical scaling of squared dissimilarities, (..., n, n) -> (..., n, d)."""
    values, vectors = np.linalg.eigh(_gram(squares))
    return vectors[..., -d:] * np.sqrt(np.maximum(values[..., -d:], 0.0))[..., None, :]


def _gram(squares: np.ndarray) -> np.ndarray:
    h = np.eye(squares.shape[-1]) - 1 / squares.shape[-1]
    return -0.5 * h @ squares @ h


def moved(psi: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Put each configuration elsewhere by a random rigid motion: MDS(D) contains the result as well."""
    frames = np.linalg.qr(generator.normal(size=(len(psi), psi.shape[-1], psi.shape[-1])))[0]
    return psi @ frames + generator.normal(size=(len(psi), 1, psi.shape[-1]))


def triangle_on_line(sides: np.ndarray) -> np.ndarray:
    """Distances within the raw-stress minimiser on the line of three models, (b, 3, 3) -> (b, 3, 3).

    The three orders are tried; the least of 2 n sum x^2 subtracted from sum D^2 wins (see evidence/checker.py).
    """
    found = []
    for first, middle, last in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        x = np.empty(sides.shape[:2])
        x[:, first] = -(sides[:, first, middle] + sides[:, first, last]) / 3
        x[:, middle] = (sides[:, first, middle] - sides[:, middle, last]) / 3
        x[:, last] = (sides[:, first, last] + sides[:, middle, last]) / 3
        found.append(x)
    orders = np.array(found)
    best = np.take_along_axis(orders, np.square(orders).sum(-1).argmax(0)[None, :, None], axis=0)[0]
    return np.abs(best[:, :, None] - best[:, None])


def model_positions(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Positions theta, uniform on the square [-1, 1]^2, with the means of :func:`mean_answers`."""
    return generator.uniform(-1, 1, size=(*shape, 2))


def mean_answers(theta: np.ndarray, m: int) -> np.ndarray:
    """Means of Bernoulli answers to m queries, (..., n, 2) -> (..., n, m)."""
    return 0.5 + SLOPE * theta @ np.resize(DIRECTIONS, (m, 2)).T


def limit_squares(theta: np.ndarray, m: int | None = None) -> np.ndarray:
    """Delta^2 at c = 1/sqrt(m), (b, n, 2) -> (b, n, n); by default its limit, which multiples of four reach."""
    directions = DIRECTIONS if m is None else np.resize(DIRECTIONS, (m, 2))
    return squared(SLOPE * theta @ directions.T) / len(directions)


def limit_positions(theta: np.ndarray) -> np.ndarray:
    """Perspectives in the limit up to a rigid motion, by their closed form: (..., n, 2), no MDS is asked."""
    return SLOPE * theta @ np.linalg.cholesky(DIRECTIONS.T @ DIRECTIONS / len(DIRECTIONS))


def sampled_squares(means: np.ndarray, r: float, generator: np.random.Generator) -> np.ndarray:
    """D^2 at c = 1/sqrt(m) from Bernoulli answers with these means, (b, n, m) -> (b, n, n)."""
    return squared(generator.binomial(int(r), means) / r) / means.shape[-1]


def smooth_rule(psi: np.ndarray, labels: np.ndarray, width: float = 0.2) -> np.ndarray:
    """Leave-one-out predictions by weights 1/(1 + (distance/width)^2), (b, n, d) and (b, n) -> (b, n).

    Continuous, invariant to rigid motions, with values in the convex hull of the labels.
    """
    weights = (1 - np.eye(psi.shape[1])) / (1 + squared(psi) / width**2)
    return (weights @ labels[..., None])[..., 0] / weights.sum(-1)


def nearest_rule(psi: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Leave-one-out predictions by the one nearest neighbour."""
    far = squared(psi) + np.where(np.eye(psi.shape[1]) > 0, np.inf, 0.0)
    return np.take_along_axis(labels, far.argmin(-1), axis=-1)


def coordinate_rule(psi: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Read the first coordinate as it comes: continuous and bounded, but not invariant."""
    return np.clip(0.5 + psi[..., 0], 0.0, 1.0) + 0 * labels


def local_averages(psi: np.ndarray, labels: np.ndarray, width: float) -> np.ndarray:
    """Leave-one-out local averages, shrunk to 1/2, with triangular weights: (b, n, d), (b, n) -> (b, n)."""
    weights = np.maximum(0.0, 1 - np.sqrt(squared(psi)) / width) * (1 - np.eye(psi.shape[1]))
    return (0.5 + (weights @ labels[..., None])[..., 0]) / (1 + weights.sum(-1))


def line_models(generator: np.random.Generator, size: int, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return one parameter uniform on [-1, 1], its chance of label 1, and labels, (size, n) each."""
    theta = generator.uniform(-1, 1, size=(size, n))
    chance = 0.5 + 0.4 * np.sin(3 * theta)
    return theta, chance, (generator.uniform(size=theta.shape) < chance) * 1.0


def line_squares(theta: np.ndarray, r: float, generator: np.random.Generator, m: int = 4) -> np.ndarray:
    """D^2 at c = 1/sqrt(m) of those models, from Bernoulli answers to m like queries, (size, n) -> (size, n, n)."""
    means = np.repeat(0.5 + SLOPE * theta[..., None], m, axis=-1)
    return sampled_squares(means, r, generator)


def risk_gaps(predictions: np.ndarray, truth: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """|mean squared loss of the one - that of the other| in each of BLOCKS blocks of draws."""
    gap = np.square(predictions - labels) - np.square(truth - labels)
    return np.abs(gap.reshape(BLOCKS, -1).mean(1))


def largest_jump(rule: Callable[[np.ndarray, np.ndarray], np.ndarray], case: Case) -> float:
    """Largest change of predictions over ends of 2^(-40) of segments, halved towards the larger change.

    Segments lead from the perspectives of the witness to random ones; a rule that jumps between their ends is caught.
    """
    generator, labels = np.random.default_rng(0), np.tile(case.labels, (40, 1))
    left = np.repeat(classical(population_squares(case)[None], case.d), 40, axis=0)
    right = generator.normal(size=left.shape) * left.std()
    for _ in range(40):
        middle = (left + right) / 2
        first, second, third = (rule(psi, labels).reshape(40, -1) for psi in (left, middle, right))
        nearer = (np.abs(second - first).max(1) >= np.abs(third - second).max(1))[:, None, None]
        left, right = np.where(nearer, left, middle), np.where(nearer, middle, right)
    return float(np.abs(rule(right, labels) - rule(left, labels)).max())


def tame(rule: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Hypothesis:
    """Return the hypothesis on a rule (psi, labels) -> predictions, tried from the perspectives of the witness."""

    def predicate(case: Case) -> bool:
        psi, labels = classical(population_squares(case)[None], case.d), case.labels[None]
        found = rule(psi, labels)
        elsewhere = rule(moved(psi, np.random.default_rng(0)), labels)
        return bool(np.allclose(elsewhere, found, atol=1e-9) and largest_jump(rule, case) < 1e-5 and _unit(found))

    return Hypothesis("h is continuous, with values in [0, 1], and invariant to rigid motions", predicate)


def _unit(values: np.ndarray) -> bool:
    return bool(np.all((values >= 0) & (values <= 1)))


def _on_population(hypothesis: Hypothesis) -> Hypothesis:
    return Hypothesis(hypothesis.text, lambda case: hypothesis.predicate(case.population))


INDEPENDENT = _on_population(cases.INDEPENDENT)
BOUNDED = Hypothesis(
    "g is bounded",
    lambda case: (
        case.population.embedding_bound is not None and bool(np.all(np.isfinite(case.population.embedding_bound)))
    ),
)


def population_squares(case: Case) -> np.ndarray:
    """Delta^2 of a witness at c = 1/sqrt(m), (n, n)."""
    mean = np.asarray(case.population.mean)
    return squared(mean.reshape(1, len(mean), -1))[0] / mean.shape[1]


def _gap(case: Case) -> tuple[float, float]:
    values = eigenvalues(population_squares(case))[::-1]
    values = values / np.abs(values).max()
    return float(values[case.d - 1] - values[case.d]), float(values[case.d])


def averages_shrink(case: Case) -> bool:
    """Whether the loss of local averages on true distances falls to zero as the models of the witness are repeated."""
    far, losses = np.sqrt(population_squares(case)), []
    for copies in (1, 10**3, 10**6, 10**9):
        weights = copies * np.maximum(0.0, 1 - far / (0.7 * (len(far) * copies) ** (-1 / 3)))
        losses.append(float(np.abs((0.5 + weights @ case.labels) / (1 + weights.sum(1)) - case.labels).max()))
    return losses[0] > losses[1] > losses[2] > losses[3] and losses[3] < 1e-6


ONE_CLASS = Hypothesis(
    "lambda_d > lambda_{d+1} or lambda_{d+1} = 0, so that Psi is unique up to rigid motions",
    lambda case: _gap(case)[0] > 1e-6 or abs(_gap(case)[1]) < 1e-9,
)


def bernoulli_case() -> Case:
    """Eight models with Bernoulli answers to four queries, d = 2, labels of both kinds."""
    theta = model_positions(np.random.default_rng(1), (8,))
    return Case(dk.bernoulli(mean_answers(theta, 4)), 2, np.arange(8) % 2 * 1.0)


def corner_case(corners: np.ndarray, d: int, labels: np.ndarray, m: int = 4, spread: float = 1.0) -> Case:
    """Models at given corners (n, 2), the same for each of m queries, both coordinates moved by a fair +-spread."""
    signs = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]]) * spread
    table = (corners[:, None] + signs).reshape(-1, 2)
    chances = np.kron(np.eye(len(corners)), np.full(4, 0.25))
    return Case(dk.Categorical(np.repeat(chances[:, None], m, axis=1), table), d, labels)


def sampled_corners(
    corners: np.ndarray, m: int, r: float, size: int, generator: np.random.Generator, spread: float = 1.0
) -> np.ndarray:
    """D^2 at c = 1/sqrt(m) of the models of :func:`corner_case`, (size, n, n)."""
    shape = (size, len(corners), m, 2)
    noise = spread * (2 * generator.binomial(int(r), 0.5, size=shape) - r) / r
    x = corners[None, :, None] + noise
    return squared(x.reshape(size, len(corners), -1)) / m


def triangle(long: float = 13.0) -> np.ndarray:
    """Corners of the triangle with sides 13 (models 1, 3), ``long`` (models 1, 2) and 10."""
    x = (169 - long**2) / 20
    return np.array([[x, np.sqrt(169 - (x + 5) ** 2)], [5.0, 0.0], [-5.0, 0.0]])
