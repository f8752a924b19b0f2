"""Populations built backwards: choose the perspectives Psi and the noise, get a population with exactly those.

A design is built once, outside jit, so everything here is NumPy: nothing to compile, and equal rows of Psi stay equal
to the last bit. Random choices come from a NumPy generator that is seeded by the JAX key and nothing else.
"""

from __future__ import annotations

import dataclasses
import numbers
from collections.abc import Sequence
from typing import Any, final

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from jaxtyping import Array, Float

from dkps_theory._keys import IMPLEMENTATION, checked_key
from dkps_theory._types import AnyArray, Key
from dkps_theory._validate import InputError, axes, finite, nearest_name, shown, whole_number
from dkps_theory.conventions import DEFAULT, Convention, checked_convention
from dkps_theory.populations._documents import array_of, check_keys, text_of
from dkps_theory.populations.base import size_guard
from dkps_theory.populations.gaussian_mixture import GaussianMixture


def configuration_with_spectrum(key: Key, n: int, spectrum: npt.ArrayLike) -> Float[Array, "n d"]:
    """Draw a centred configuration Psi with Psi'Psi = diag(spectrum), uniformly among those.

    Parameters
    ----------
    key
        Typed key.
    n
        Number of models, n > d.
    spectrum
        (d,), the eigenvalues of B = Psi Psi' in non-increasing order, each at least 0: rank is the number of positive
        ones, eigengaps are their differences, and repeated values close a gap.

    Raises
    ------
    InputError
        Unless n > d and the spectrum is non-increasing and non-negative, or when n d numbers would not fit.

    Examples
    --------
    >>> psi = configuration_with_spectrum(jax.random.key(0), 6, [4.0, 1.0])
    >>> bool(jnp.allclose(psi.T @ psi, jnp.diag(jnp.asarray([4.0, 1.0])))), bool(jnp.allclose(psi.sum(axis=0), 0))
    (True, True)
    """
    values = finite("spectrum", spectrum)
    axes("spectrum", values, "d")
    if np.any(values < 0) or np.any(np.diff(values) > 0):
        raise InputError(f"spectrum: got {values.tolist()}; it must be non-increasing and at least 0")
    d = len(values)
    if whole_number("n (models)", n, 1) <= d:
        raise InputError(f"n (models): got {n} with a spectrum of length {d}; centred points need n > d")
    size_guard("psi", "n d", n * d, "choose a smaller n or d")
    raw = numpy_generator(key).normal(size=(n, d))
    return jnp.asarray(orthonormal(raw - raw.mean(axis=0)) * np.sqrt(values))


def coincide(psi: Float[AnyArray, "n d"], groups: Sequence[Sequence[int]]) -> Float[Array, "n d"]:
    """Move the models of each group to the group's mean, and re-centre; the spectrum changes.

    Raises
    ------
    InputError
        When a group names a model that is not there, or two groups (or one group twice) name the same model.

    Examples
    --------
    >>> coincide(jnp.asarray([[0.0], [2.0], [4.0]]), [(0, 1)]).tolist()
    [[-1.0], [-1.0], [2.0]]
    """
    rows = finite("psi", psi)
    axes("psi", rows, "n d")
    rows = rows.copy()
    seen: set[int] = set()
    for group in groups:
        members = [whole_number("groups", index, 0, len(rows) - 1) for index in group]
        if not members or len(set(members)) < len(members) or seen & set(members):
            raise InputError(f"groups: got {[list(g) for g in groups]}; groups must be disjoint and not empty")
        seen |= set(members)
        rows[members] = rows[members].mean(axis=0)
    return jnp.asarray(rows - rows.mean(axis=0))


def population_from_configuration(
    key: Key,
    psi: Float[AnyArray, "n d"],
    *,
    m: int,
    p: int,
    gamma: npt.ArrayLike,
    components: int = 1,
    between: float = 0.0,
    covariance_type: str = "spherical",
    convention: Convention = DEFAULT,
) -> GaussianMixture:
    """Build a Gaussian mixture whose Delta is the distance matrix of ``psi``.

    The means are mu_i = Q psi_i / c with Q a random matrix of d orthonormal columns in R^(mp), so that
    c ||mu_i - mu_i'||_F = ||psi_i - psi_i'||. Weights, directions of the component means and shapes of the component
    covariances are random by query and the same for all models, scaled to gamma_ij: models that coincide in psi and
    in gamma have the same law, to the last bit.

    Parameters
    ----------
    key
        Typed key.
    psi
        (n, d), the configuration.
    m, p
        Queries and embedding dimension, d <= m p.
    gamma
        Scalar or (n, m), trace Sigma_ij, at least 0.
    components
        k, the mixture components of a cell.
    between
        The share of gamma that lies between component means, in [0, 1); 0 when there is one component.
    covariance_type
        Of the components: ``"spherical"``, ``"diagonal"`` or ``"full"``.
    convention
        Must have exponent 1.

    Raises
    ------
    InputError
        On anything outside these ranges, or when the arrays would not fit.

    Examples
    --------
    >>> psi = configuration_with_spectrum(jax.random.key(0), 5, [2.0, 1.0])
    >>> settings = {"m": 4, "p": 3, "gamma": 0.5, "components": 2, "between": 0.2}
    >>> population = population_from_configuration(jax.random.key(1), psi, **settings)
    >>> gap = jnp.linalg.norm(population.mean[0] - population.mean[1]) / 2  # c = 1/sqrt(4)
    >>> bool(jnp.isclose(gap, jnp.linalg.norm(psi[0] - psi[1]))), round(float(population.gamma[0, 0]), 12)
    (True, 0.5)
    """
    if not checked_convention(convention).is_linear:
        raise InputError(
            f"convention: got exponent {convention.exponent:g}; choose the configuration of the means with exponent 1 "
            "instead (with another exponent, dissimilarities are not the distances of chosen points)"
        )
    points = finite("psi", psi)
    axes("psi", points, "n d")
    n, d = points.shape
    m, p = whole_number("m (queries)", m, 1), whole_number("p (embedding)", p, 1)
    k = whole_number("components", components, 1)
    if d > m * p:
        raise InputError(f"psi: got d = {d} columns, but the means have only m p = {m * p} coordinates")
    is_number = isinstance(between, numbers.Real) and not isinstance(between, bool)
    if not is_number or not 0 <= between < 1 or (k == 1 and between > 0):
        raise InputError(f"between: got {shown(between)}; it must lie in [0, 1), and be 0 when there is one component")
    width = p if covariance_type == "full" else 1
    size_guard("population", "m p max(n k, d)", m * p * max(n * k * width, d), "choose a smaller m, p or components")
    noise = finite("gamma", gamma)
    if noise.shape not in {(), (n, m)} or np.any(noise < 0):
        got = f"got shape {noise.shape}, smallest {noise.min(initial=0.0):g}"
        raise InputError(f"gamma: {got}; it must be one number or ({n}, {m}) numbers, each at least 0")
    noise = np.broadcast_to(noise, (n, m))[:, :, None]
    generator = numpy_generator(key)

    basis = orthonormal(generator.normal(size=(m * p, d)))
    # Summed column by column, not by a matrix product, whose kernels may treat equal rows differently.
    means = sum((points[:, [column]] * basis[:, column] for column in range(d)), start=np.zeros((n, m * p)))
    means = (means / convention.scale(m)).reshape(n, m, 1, p)

    weights = generator.uniform(0.5, 1.5, (m, k))
    weights = weights / weights.sum(axis=-1, keepdims=True)
    offsets = _offsets(generator, weights, p) if k > 1 else np.zeros((m, 1, p))
    shapes = _shapes(generator, (m, k, p), covariance_type)
    within = ((1 - between) * noise).reshape(n, m, 1, *(1,) * (shapes.ndim - 2))
    return GaussianMixture(
        np.broadcast_to(weights, (n, m, k)),
        means + np.sqrt(between * noise)[..., None] * offsets[None],
        within * shapes[None],
        covariance_type,
    )


def numpy_generator(key: Key) -> np.random.Generator:
    """Return NumPy's generator for a JAX key."""
    return np.random.default_rng(np.asarray(jax.random.key_data(checked_key(key))))


def orthonormal(columns: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    """Orthonormalise, with the signs that make the result of Gaussian columns uniform (Haar)."""
    q, r = np.linalg.qr(columns)
    return q * np.where(np.diagonal(r) < 0, -1.0, 1.0)


def _offsets(generator: np.random.Generator, weights: Float[np.ndarray, "m k"], p: int) -> Float[np.ndarray, "m k p"]:
    """Draw directions with weighted mean 0 and weighted mean square norm 1."""
    raw = generator.normal(size=(*weights.shape, p))
    raw = raw - np.einsum("jk,jka->ja", weights, raw)[:, None]
    size = np.einsum("jk,jka->j", weights, raw**2)
    return raw / np.sqrt(size)[:, None, None]


def _shapes(
    generator: np.random.Generator, shape: tuple[int, int, int], covariance_type: str
) -> Float[np.ndarray, "m k *rest"]:
    """Draw covariances of trace 1, in the layout of ``covariance_type``."""
    m, k, p = shape
    if covariance_type == "spherical":
        return np.full((m, k), 1 / p)
    if covariance_type == "diagonal":
        raw = generator.exponential(size=shape)
        return raw / raw.sum(axis=-1, keepdims=True)
    if covariance_type == "full":
        factor = generator.normal(size=(*shape, p + 1))
        raw = factor @ np.swapaxes(factor, -1, -2)
        return raw / np.trace(raw, axis1=-2, axis2=-1)[..., None, None]
    raise nearest_name("covariance_type", covariance_type, ("spherical", "diagonal", "full"))


@final
@dataclasses.dataclass(frozen=True)
class Design:
    """A readable recipe for a population: what a population file of kind ``design`` holds.

    Parameters
    ----------
    n, m, p
        Models, queries, embedding dimension.
    spectrum
        Eigenvalues of B before ``coincident`` is applied.
    gamma
        Trace Sigma_ij: one number, or n lists of m numbers.
    seed
        Decides the configuration and the population; the same seed, the same population.
    components, between, covariance_type
        As in :func:`population_from_configuration`.
    coincident
        Groups of models, counted from 0, that get the same perspective.
    normalisation
        As in :class:`~dkps_theory.conventions.Convention`; the exponent is 1.

    Examples
    --------
    >>> design = Design(n=5, m=3, p=2, spectrum=(2.0, 1.0), gamma=0.1, seed=7, coincident=((0, 1),))
    >>> population = design.population()
    >>> population.shape, bool((population.mean[0] == population.mean[1]).all())
    ((5, 3, 2), True)
    """

    n: int
    m: int
    p: int
    spectrum: Sequence[float]
    gamma: float | Sequence[Sequence[float]]
    seed: int
    components: int = 1
    between: float = 0.0
    covariance_type: str = "spherical"
    coincident: Sequence[Sequence[int]] = ()
    normalisation: str = "sqrt-m"

    def configuration(self) -> Float[Array, "n d"]:
        """Return Psi, coincident models and all."""
        psi = configuration_with_spectrum(self._keys()[0], self.n, np.asarray(self.spectrum, dtype=np.float64))
        return coincide(psi, self.coincident)

    def population(self) -> GaussianMixture:
        """Build the population."""
        return population_from_configuration(
            self._keys()[1],
            self.configuration(),
            m=self.m,
            p=self.p,
            gamma=np.asarray(self.gamma, dtype=np.float64),
            components=self.components,
            between=self.between,
            covariance_type=self.covariance_type,
            convention=Convention(self.normalisation),
        )

    def _keys(self) -> Key:
        seed = whole_number("seed", self.seed, 0, 2**63 - 1)
        return jax.random.split(jax.random.key(seed, impl=IMPLEMENTATION))  # one for Psi, one for the rest

    def to_document(self) -> dict[str, Any]:
        """Return plain Python numbers and lists, ready for TOML."""
        document: dict[str, Any] = {"kind": "design", **dataclasses.asdict(self)}
        document["spectrum"] = [float(value) for value in self.spectrum]
        document["coincident"] = [[int(index) for index in group] for group in self.coincident]
        document["gamma"] = np.asarray(self.gamma, dtype=np.float64).tolist()
        return document

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Design:
        """Build from what :meth:`to_document` returns; errors name the key."""
        fields = dataclasses.fields(cls)
        required = [field.name for field in fields if field.default is dataclasses.MISSING]
        optional = [field.name for field in fields if field.default is not dataclasses.MISSING]
        check_keys(document, required, optional)
        values = {key: value for key, value in document.items() if key != "kind"}
        for key in ("n", "m", "p", "components"):
            if key in values:
                values[key] = whole_number(key, values[key], 1)
        values["seed"] = whole_number("seed", values["seed"], 0, 2**63 - 1)
        values["spectrum"] = tuple(np.atleast_1d(array_of(document, "spectrum")).tolist())
        values["gamma"] = array_of(document, "gamma").tolist()
        for key in ("covariance_type", "normalisation"):
            if key in values:
                values[key] = text_of(document, key)
        if "between" in values:
            share = array_of(document, "between")
            if share.shape != ():
                raise InputError(f"between: got {document['between']!r}; it must be one number")
            values["between"] = float(share)
        groups = values.get("coincident", [])
        if not isinstance(groups, list) or not all(isinstance(group, list) for group in groups):
            raise InputError(f"coincident: got {groups!r}; it must be a list of lists of model numbers")
        values["coincident"] = tuple(tuple(whole_number("coincident", i, 0) for i in group) for group in groups)
        return cls(**values)
