"""Hypothesis strategies for this field: configurations, mean embeddings, motions, laws, channels and populations.

Everything shrinks towards what a person would write down: few models, small whole numbers, the identity motion. Numbers
are multiples of 1/16, so sums and products of a few of them are exact in double precision, and coincident models,
zero rows and equal distances come up often.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, no_type_check

import numpy as np
from hypothesis import strategies as st

from dkps_theory.information.joint_law import JointLaw
from dkps_theory.populations.categorical import Categorical
from dkps_theory.populations.gaussian_mixture import GaussianMixture

#: Hypothesis's own DrawFn is a protocol that cannot be checked at run time.
Draw = Callable[..., Any]

#: Few, so that a property test compiles few programs: (n, m, p) with m p below n, above n, and the smallest.
MEAN_SHAPES = ((2, 1, 1), (3, 2, 2), (6, 2, 1))
#: (n, d), from the smallest to d = n - 1.
CONFIGURATION_SHAPES = ((2, 1), (4, 2), (5, 4), (6, 2))


def _numbers(size: int, bound: int = 4) -> st.SearchStrategy[np.ndarray]:
    sixteenths = st.lists(st.integers(-16 * bound, 16 * bound), min_size=size, max_size=size)
    return sixteenths.map(lambda values: np.asarray(values, dtype=np.float64) / 16)


def mean_arrays(shapes: tuple[tuple[int, int, int], ...] = MEAN_SHAPES) -> st.SearchStrategy[np.ndarray]:
    """Draw arrays of mean embeddings (n, m, p) with one of the given shapes.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(mean_arrays(), lambda means: True).ravel().tolist()
    [0.0, 0.0]
    """
    return st.sampled_from(shapes).flatmap(lambda shape: _numbers(math.prod(shape)).map(lambda x: x.reshape(shape)))


def configurations(
    shapes: tuple[tuple[int, int], ...] = CONFIGURATION_SHAPES, *, centred: bool = False
) -> st.SearchStrategy[np.ndarray]:
    """Draw configurations (n, d) with one of the given shapes, d < n; centred ones on request.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(configurations(), lambda psi: len(psi) > 2).shape
    (4, 2)
    """
    drawn = st.sampled_from(shapes).flatmap(lambda shape: _numbers(math.prod(shape)).map(lambda x: x.reshape(shape)))
    return drawn.map(lambda psi: psi - psi.mean(axis=0, keepdims=True)) if centred else drawn


@st.composite
def orthogonal_matrices(draw: Draw, d: int) -> np.ndarray:
    """Draw orthogonal matrices (d, d), reflections included: products of plane rotations and a reflection.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(orthogonal_matrices(2), lambda matrix: True).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    matrix = np.eye(d)
    for i, j in itertools.combinations(range(d), 2):
        angle = draw(st.floats(-math.pi, math.pi, allow_subnormal=False))
        rotation = np.eye(d)
        rotation[[i, i, j, j], [i, j, i, j]] = math.cos(angle), -math.sin(angle), math.sin(angle), math.cos(angle)
        matrix = matrix @ rotation
    if draw(st.booleans()):
        matrix = matrix * np.where(np.arange(d) == 0, -1.0, 1.0)[None, :]
    return matrix


# Checking the entries of a tuple picks one at random, which Hypothesis rightly refuses while it draws.
@no_type_check
@dataclass(frozen=True)
class FiniteLaw:
    """A law on finitely many points of Q^p with rational probabilities: expectations over it are exact.

    Examples
    --------
    >>> coin = FiniteLaw(((Fraction(0),), (Fraction(1),)), (Fraction(3, 4), Fraction(1, 4)))
    >>> coin.mean, coin.gamma
    ((Fraction(1, 4),), Fraction(3, 16))
    >>> sum(probability for probability, _ in coin.samples(3))
    Fraction(1, 1)
    """

    points: tuple[tuple[Fraction, ...], ...]
    probabilities: tuple[Fraction, ...]

    @property
    def mean(self) -> tuple[Fraction, ...]:
        """E x, (p)."""
        weighted = zip(self.probabilities, self.points, strict=True)
        columns = zip(*([w * value for value in point] for w, point in weighted), strict=True)
        return tuple(sum(column, Fraction(0)) for column in columns)

    @property
    def gamma(self) -> Fraction:
        """E ||x - E x||^2."""
        centre = self.mean
        return sum(
            (
                w * sum((value - mid) ** 2 for value, mid in zip(point, centre, strict=True))
                for w, point in zip(self.probabilities, self.points, strict=True)
            ),
            Fraction(0),
        )

    def samples(self, r: int) -> Iterator[tuple[Fraction, tuple[tuple[Fraction, ...], ...]]]:
        """Run through all ordered samples of r independent draws, with their probabilities."""
        for letters in itertools.product(range(len(self.points)), repeat=r):
            probability = math.prod((self.probabilities[letter] for letter in letters), start=Fraction(1))
            yield probability, tuple(self.points[letter] for letter in letters)


@st.composite
def finite_laws(draw: Draw, p: int = 1, max_points: int = 3) -> FiniteLaw:
    """Draw laws on at most ``max_points`` distinct points of Q^p, with rational probabilities that sum to exactly one.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(finite_laws(), lambda law: True)
    FiniteLaw(points=((Fraction(0, 1),),), probabilities=(Fraction(1, 1),))
    """
    number = st.integers(-6, 6).map(lambda value: Fraction(value, 2))
    points = draw(st.lists(st.tuples(*[number] * p), min_size=1, max_size=max_points, unique=True))
    weights = draw(st.lists(st.integers(1, 4), min_size=len(points), max_size=len(points)))
    return FiniteLaw(tuple(points), tuple(Fraction(weight, sum(weights)) for weight in weights))


@st.composite
def _weights(draw: Draw, n: int, m: int, k: int) -> np.ndarray:
    """Draw weights (n, m, k); a component may have none."""
    raw = np.asarray(draw(st.lists(st.integers(0, 4), min_size=n * m * k, max_size=n * m * k)), dtype=np.float64)
    raw = raw.reshape(n, m, k)
    raw[:, :, 0] += raw.sum(axis=-1) == 0
    return raw / raw.sum(axis=-1, keepdims=True)


@st.composite
def gaussian_mixtures(draw: Draw, n: int = 3, m: int = 2, p: int = 2, k: int = 2) -> GaussianMixture:
    """Draw small Gaussian mixtures of every covariance type; variances may be 0 and matrices singular."""
    kind = draw(st.sampled_from(["spherical", "diagonal", "full"]))
    means = draw(_numbers(n * m * k * p)).reshape(n, m, k, p)
    weights = draw(_weights(n, m, k))
    if kind == "full":
        factors = draw(_numbers(n * m * k * p * p, bound=1)).reshape(n, m, k, p, p)
        return GaussianMixture(weights, means, factors @ factors.swapaxes(-1, -2), kind)
    shape = (n, m, k) if kind == "spherical" else (n, m, k, p)
    return GaussianMixture(weights, means, np.abs(draw(_numbers(math.prod(shape), bound=1))).reshape(shape), kind)


@st.composite
def categoricals(draw: Draw, n: int = 3, m: int = 2, p: int = 2, k: int = 3) -> Categorical:
    """Draw small categorical laws over an embedding table, some letters of which may coincide or never be drawn."""
    return Categorical(draw(_weights(n, m, k)), draw(_numbers(k * p)).reshape(k, p))


def populations(n: int = 3, m: int = 2, p: int = 2) -> st.SearchStrategy[Categorical | GaussianMixture]:
    """Draw small populations of either kind, of one shape (n, m, p).

    Examples
    --------
    >>> from hypothesis import find
    >>> find(populations(), lambda population: True).shape
    (3, 2, 2)
    """
    return categoricals(n, m, p) | gaussian_mixtures(n, m, p)


def _rows(columns: int) -> st.SearchStrategy[list[Fraction]]:
    """Draw laws on ``columns`` letters from small whole weights, some of which are 0."""
    weights = st.lists(st.integers(0, 4), min_size=columns, max_size=columns).filter(any)
    return weights.map(lambda values: [Fraction(value, sum(values)) for value in values])


def _in_mode(values: list[Any], shape: Any, exact: bool) -> np.ndarray:
    return np.array(values, dtype=object if exact else np.float64).reshape(shape)


def channels(rows: int, columns: int, *, exact: bool = False) -> st.SearchStrategy[np.ndarray]:
    """Draw channels (rows, columns), each row a law from small whole weights; about half of them are deterministic.

    They shrink to the channel that always says letter 0. ``exact`` ones hold Fractions.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(channels(2, 2), lambda channel: not np.array_equal(channel[0], channel[1])).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    points = st.integers(0, columns - 1).map(lambda letter: [Fraction(int(letter == k)) for k in range(columns)])
    either = [st.lists(row, min_size=rows, max_size=rows) for row in (points, _rows(columns))]
    return st.one_of(*either).map(lambda drawn: _in_mode(drawn, (rows, columns), exact))


@st.composite
def joint_laws(
    draw: Draw, names: tuple[Any, ...] = ("x", "y", "z"), max_letters: int = 4, *, exact: bool = False
) -> JointLaw:
    """Draw joint laws from small whole weights, each variable with 1 to ``max_letters`` letters.

    They are laws of anything: products, functions and laws with forbidden cells included. ``exact`` ones hold
    Fractions.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(joint_laws(("x", "y"), exact=True), lambda law: law.entropy("x") > 0).table().tolist()
    [[Fraction(1, 2)], [Fraction(1, 2)]]
    """
    shape = tuple(draw(st.lists(st.integers(1, max_letters), min_size=len(names), max_size=len(names))))
    return JointLaw.from_table(names, _in_mode(draw(_rows(math.prod(shape))), shape, exact))
