"""Families of populations: means that grow with n or m, and models drawn independently from a law.

Like designs, these are built once and outside jit, in NumPy. What they return are populations of equal structure, so
the members of a family of one shape share compiled code.
"""

from __future__ import annotations

import abc
import dataclasses
import math
from typing import final

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from jaxtyping import Array, Float

from dkps_theory._keys import IMPLEMENTATION
from dkps_theory._types import Key
from dkps_theory._validate import InputError, axes, finite, require, shown, whole_number
from dkps_theory.conventions import DEFAULT, Convention, checked_convention
from dkps_theory.populations._checks import SUM_TOLERANCE, per_cell
from dkps_theory.populations.base import size_guard
from dkps_theory.populations.designs import Design, numpy_generator, orthonormal
from dkps_theory.populations.gaussian_mixture import GaussianMixture


@final
@dataclasses.dataclass(frozen=True)
class GrowingDesign:
    """A design for every n and m: Delta is the base design's times n^a m^b, and gamma is its times n^e m^f.

    Parameters
    ----------
    base
        The design at n = m = 1 in the sense of the powers; its own n and m are not used, its gamma is one number.
    mean_in_n, mean_in_m
        a and b: powers of n and m on all means, hence on Psi and Delta. Eigenvalues of B get twice these powers.
    gamma_in_n, gamma_in_m
        e and f: powers of n and m on gamma.

    Raises
    ------
    InputError
        When gamma is not one number or a power is not finite.

    Notes
    -----
    With all powers 0 the spectrum of B is the same at every n (as A25-A2 asks), so models come closer, like n^(-1/2).
    With ``mean_in_n=0.5`` distances between models keep their size and the eigenvalues of B grow like n.

    Examples
    --------
    >>> base = Design(n=2, m=1, p=2, spectrum=(4.0, 1.0), gamma=0.5, seed=0)
    >>> family = GrowingDesign(base, mean_in_n=0.5, gamma_in_m=1.0)
    >>> family.design(9, 5).spectrum, family.design(9, 5).gamma
    ((36.0, 9.0), 2.5)
    >>> family.population(9, 5).shape
    (9, 5, 2)
    """

    base: Design
    mean_in_n: float = 0.0
    mean_in_m: float = 0.0
    gamma_in_n: float = 0.0
    gamma_in_m: float = 0.0

    def __post_init__(self) -> None:
        require(isinstance(self.base, Design), f"base: got {shown(self.base)}; it must be a Design")
        require(np.shape(self.base.gamma) == (), "base: its gamma must be one number, to be used at every n and m")
        for name in ("mean_in_n", "mean_in_m", "gamma_in_n", "gamma_in_m"):
            require(finite(name, getattr(self, name)).shape == (), f"{name}: it must be one number")

    def design(self, n: int, m: int) -> Design:
        """Return the member with n models and m queries, itself a design that can be written to a file."""
        n, m = whole_number("n (models)", n, 1), whole_number("m (queries)", m, 1)
        with np.errstate(over="ignore"):  # what overflows is refused by name when the population is built
            models, queries = np.float64(n), np.float64(m)
            stretch = models**self.mean_in_n * queries**self.mean_in_m
            spectrum = tuple(float(value * stretch**2) for value in self.base.spectrum)
            noise = models**self.gamma_in_n * queries**self.gamma_in_m
            gamma = float(np.asarray(self.base.gamma, dtype=np.float64) * noise)
        return dataclasses.replace(self.base, n=n, m=m, spectrum=spectrum, gamma=gamma)

    def population(self, n: int, m: int) -> GaussianMixture:
        """Build the member with n models and m queries."""
        return self.design(n, m).population()


class PerspectiveLaw(abc.ABC):
    """A law on R^q that perspectives of models are drawn from, independently. Subclasses are final."""

    @property
    @abc.abstractmethod
    def mean(self) -> Float[np.ndarray, " q"]:
        """E psi."""

    @property
    @abc.abstractmethod
    def covariance(self) -> Float[np.ndarray, "q q"]:
        """Cov psi; its eigenvalues are the limits of those of B / n."""

    @property
    @abc.abstractmethod
    def bound(self) -> float:
        """The supremum of ||psi||, infinite where the support is not bounded."""

    @abc.abstractmethod
    def _draw(self, generator: np.random.Generator, n: int) -> Float[np.ndarray, "n q"]:
        """Draw n points one after the other, so that the first of many are the same as few."""


@final
@dataclasses.dataclass(frozen=True)
class GaussianPerspectives(PerspectiveLaw):
    """psi ~ N(0, diag(variances)): unbounded, and any centred Gaussian up to rotation.

    Parameters
    ----------
    variances
        (q,), each at least 0, in the squared unit of psi.

    Raises
    ------
    InputError
        When they are not one list of finite numbers of at least 0.

    Examples
    --------
    >>> GaussianPerspectives([4.0, 1.0]).bound
    inf
    """

    variances: npt.ArrayLike

    def __post_init__(self) -> None:
        values = finite("variances", self.variances)
        axes("variances", values, "q")
        require((values >= 0).all(), f"variances: got {values.min():g}; each must be at least 0")
        object.__setattr__(self, "variances", tuple(values.tolist()))

    @property
    def _variances(self) -> np.ndarray:
        return np.asarray(self.variances, dtype=np.float64)

    @property
    def mean(self) -> Float[np.ndarray, " q"]:
        """Zero."""
        return np.zeros(len(self._variances))

    @property
    def covariance(self) -> Float[np.ndarray, "q q"]:
        """diag(variances)."""
        return np.diag(self._variances)

    @property
    def bound(self) -> float:
        """Infinity, or 0 for the point 0."""
        return math.inf if self._variances.any() else 0.0

    def _draw(self, generator: np.random.Generator, n: int) -> Float[np.ndarray, "n q"]:
        return generator.normal(size=(n, len(self._variances))) * np.sqrt(self._variances)


@final
@dataclasses.dataclass(frozen=True)
class SpherePerspectives(PerspectiveLaw):
    """psi uniform on the sphere of a radius about 0 in R^q: a compact Riemannian manifold, a circle at q = 2.

    Parameters
    ----------
    q
        Dimension, at least 2.
    radius
        Above 0, in the unit of psi.

    Raises
    ------
    InputError
        When q is no whole number of at least 2, or the radius no number above 0.

    Examples
    --------
    >>> SpherePerspectives(2, radius=3.0).covariance.tolist()
    [[4.5, 0.0], [0.0, 4.5]]
    """

    q: int
    radius: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "q", whole_number("q", self.q, 2))
        object.__setattr__(self, "radius", float(per_cell("radius", self.radius, (), above_zero=True)))

    @property
    def mean(self) -> Float[np.ndarray, " q"]:
        """Zero."""
        return np.zeros(self.q)

    @property
    def covariance(self) -> Float[np.ndarray, "q q"]:
        """(radius^2 / q) I."""
        return self.radius**2 / self.q * np.eye(self.q)

    @property
    def bound(self) -> float:
        """The radius."""
        return self.radius

    def _draw(self, generator: np.random.Generator, n: int) -> Float[np.ndarray, "n q"]:
        points = generator.normal(size=(n, self.q))
        size = np.sqrt(sum(points[:, [column]] ** 2 for column in range(self.q)))
        return self.radius * (points / size)


@final
@dataclasses.dataclass(frozen=True)
class GroupPerspectives(PerspectiveLaw):
    """psi is one of k centres with the given weights: models of a group coincide exactly.

    Parameters
    ----------
    centres
        (k, q), in the unit of psi.
    weights
        (k,), each at least 0, with sum 1.

    Raises
    ------
    InputError
        When the centres are not (k, q) finite numbers, or the weights no law on them.

    Examples
    --------
    >>> GroupPerspectives([[-1.0], [1.0]], [0.5, 0.5]).covariance.tolist()
    [[1.0]]
    """

    centres: npt.ArrayLike
    weights: npt.ArrayLike

    def __post_init__(self) -> None:
        centres, shares = finite("centres", self.centres), finite("weights", self.weights)
        axes("centres", centres, "k q")
        if shares.shape != centres.shape[:1]:
            raise InputError(f"weights: got shape {shares.shape}; with these centres it must be {len(centres)}")
        if np.any(shares < 0) or abs(shares.sum() - 1) > SUM_TOLERANCE:
            raise InputError(f"weights: got {shares.tolist()}; each must be at least 0, and they must sum to 1")
        object.__setattr__(self, "centres", tuple(map(tuple, centres.tolist())))
        object.__setattr__(self, "weights", tuple((shares / shares.sum()).tolist()))

    @property
    def _centres(self) -> np.ndarray:
        return np.asarray(self.centres, dtype=np.float64)

    @property
    def _weights(self) -> np.ndarray:
        return np.asarray(self.weights, dtype=np.float64)

    @property
    def mean(self) -> Float[np.ndarray, " q"]:
        """The weighted mean of the centres."""
        return self._weights @ self._centres

    @property
    def covariance(self) -> Float[np.ndarray, "q q"]:
        """The weighted scatter of the centres about their mean."""
        deviations = self._centres - self.mean
        return (self._weights[:, None] * deviations).T @ deviations

    @property
    def bound(self) -> float:
        """The largest norm of a centre that has weight."""
        return float(np.linalg.norm(self._centres[self._weights > 0], axis=1).max())

    def _draw(self, generator: np.random.Generator, n: int) -> Float[np.ndarray, "n q"]:
        edges = np.cumsum(self._weights)
        return self._centres[np.searchsorted(edges / edges[-1], generator.random(n), side="right")]


@final
@dataclasses.dataclass(frozen=True)
class IidModels:
    """Models drawn independently from a law of perspectives, so that Psi itself is random.

    The means are mu_i = Q psi_i / c with Q a random matrix of q orthonormal columns in R^(mp), the same for every draw,
    so that Delta_ii' = ||psi_i - psi_i'|| exactly. Answers are spherical Gaussians.

    Parameters
    ----------
    perspectives
        The law of psi in R^q, q <= m p.
    m, p
        Queries and embedding dimension.
    gamma
        Total variance of one answer, at least 0, the same for all models and queries.
    seed
        Decides Q, and nothing else.
    convention
        Must have exponent 1.

    Raises
    ------
    InputError
        On anything outside these ranges.

    Examples
    --------
    >>> models = IidModels(SpherePerspectives(2), m=3, p=2, gamma=0.5)
    >>> few, many = (models.draw(jax.random.key(0), n) for n in (4, 9))
    >>> many.shape, bool((few.mean == many.mean[:4]).all())
    ((9, 3, 2), True)
    """

    perspectives: PerspectiveLaw
    m: int
    p: int
    gamma: float
    seed: int = 0
    convention: Convention = DEFAULT

    def __post_init__(self) -> None:
        if not isinstance(self.perspectives, PerspectiveLaw):
            raise InputError(f"perspectives: got a {type(self.perspectives).__name__}; it must be a PerspectiveLaw")
        m, p = whole_number("m (queries)", self.m, 1), whole_number("p (embedding)", self.p, 1)
        q = len(self.perspectives.mean)
        require(q <= m * p, f"perspectives: in R^{q}, but the means have only m p = {m * p} coordinates")
        require(
            checked_convention(self.convention).is_linear,
            f"convention: got exponent {self.convention.exponent:g}; distances of chosen points need exponent 1",
        )
        per_cell("gamma", self.gamma, ())
        whole_number("seed", self.seed, 0, 2**63 - 1)

    def configuration(self, key: Key, n: int) -> Float[Array, "n q"]:
        """Draw psi_1..psi_n, not centred; for one key, the first n of more are the same to the last bit."""
        n = whole_number("n (models)", n, 1)
        size_guard("psi", "n q", n * len(self.perspectives.mean), "choose a smaller n")
        return jnp.asarray(self.perspectives._draw(numpy_generator(key), n))

    def draw(self, key: Key, n: int) -> GaussianMixture:
        """Draw n models; their perspectives are ``configuration(key, n)``.

        For one key the first n of more models are the same, to the last bit, so raising n adds models. Draws of
        answers are not nested in this way: they belong to the population.
        """
        psi = np.asarray(self.configuration(key, n))
        size_guard("population", "n m p", n * self.m * self.p, "choose a smaller n, m or p")
        queries = numpy_generator(jax.random.key(self.seed, impl=IMPLEMENTATION))
        basis = orthonormal(queries.normal(size=(self.m * self.p, psi.shape[1])))
        means = _combined(psi, basis) / self.convention.scale(self.m)
        variances = np.full((n, self.m, 1), self.gamma / self.p)
        return GaussianMixture(np.ones((n, self.m, 1)), means.reshape(n, self.m, 1, self.p), variances, "spherical")


def _combined(points: Float[np.ndarray, "n q"], columns: Float[np.ndarray, "w q"]) -> Float[np.ndarray, "n w"]:
    """Points @ columns', column by column: a matrix product may round a row by how many others there are."""
    start = np.zeros((len(points), len(columns)))
    return sum((points[:, [axis]] * columns[:, axis] for axis in range(points.shape[1])), start=start)
