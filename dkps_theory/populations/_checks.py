"""Checks that the population classes share; a traced array passes with its shape checked and its values trusted."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from jax.core import Tracer
from jaxtyping import Array, Float

from dkps_theory._linalg import sqrt_nonnegative
from dkps_theory._types import AnyArray
from dkps_theory._validate import InputError, axes, finite

#: What constructors take: nested lists, NumPy arrays, JAX arrays, and the traced ones of a user's jit.
ArrayLike = npt.ArrayLike | jax.Array

#: How far weights may be from summing to one before they are refused.
SUM_TOLERANCE = 1e-9
#: Asymmetry, and negative eigenvalues, up to this share of the largest entry or eigenvalue count as rounding.
PSD_TOLERANCE = 1e-10
_CELL = ("model", "query", "component")


def numbers(name: str, values: object, glossary: str) -> AnyArray:
    """Return ``values`` as a float64 array with the axes of ``glossary``: NumPy and finite, or traced."""
    array = values.astype(jnp.float64) if isinstance(values, Tracer) else finite(name, values)
    axes(name, np.broadcast_to(np.float64(0), array.shape), glossary)  # the shape is all that a traced array shows
    return array


def cell(index: np.ndarray) -> str:
    """Name a cell in words: model 0, query 3, component 1."""
    return ", ".join(f"{word} {place}" for word, place in zip(_CELL, index, strict=False))


def probability_vectors(name: str, values: object) -> Float[Array, "n m k"]:
    """Check weights that are non-negative and sum to one along the last axis.

    A sum off by rounding in the input's last printed digits (up to 1e-9) is divided out, since at 10^12 replicates an
    error of 1e-9 in a weight is a visible bias; a sum exact to double precision is left alone, so that reading,
    writing and reading again changes nothing.
    """
    array = numbers(name, values, "n m k")
    if not isinstance(array, np.ndarray):
        return array
    negative = np.argwhere(array < 0)
    if len(negative):
        value = array[tuple(negative[0])]
        raise InputError(f"{name}: got {value:g} at {cell(negative[0])}; every weight must be at least 0")
    totals = array.sum(axis=-1)
    wrong = np.argwhere(np.abs(totals - 1) > SUM_TOLERANCE)
    if len(wrong):
        total = totals[tuple(wrong[0])]
        raise InputError(f"{name}: sum to {total:.12g} at {cell(wrong[0])}; they must sum to 1 (within 1e-9)")
    rounding = 4 * array.shape[-1] * np.finfo(np.float64).eps
    return jnp.asarray(np.where(np.abs(totals - 1) > rounding, 1 / totals, 1.0)[..., None] * array)


def variances(name: str, values: object, glossary: str) -> Float[Array, "n m k *rest"]:
    """Check variances: finite, non-negative, with the axes of ``glossary``."""
    array = numbers(name, values, glossary)
    if isinstance(array, np.ndarray):
        negative = np.argwhere(array < 0)
        if len(negative):
            value = array[tuple(negative[0])]
            raise InputError(f"{name}: got {value:g} at {cell(negative[0])}; a variance must be at least 0")
    return jnp.asarray(array)


def covariances(name: str, values: object) -> tuple[Float[Array, "n m k p p"], Float[Array, "n m k p p"]]:
    """Check symmetric positive semi-definite matrices; return them, made exactly symmetric, and square roots R R'.

    The root is R = V diag(sqrt(lambda)) V', which exists where a Cholesky factor does not: at singular matrices.
    """
    array = numbers(name, values, "n m k p p")
    if array.shape[-1] != array.shape[-2]:
        raise InputError(f"{name}: got shape {tuple(array.shape)}; the last two axes must be equal (p, p)")
    if not isinstance(array, np.ndarray):
        array = 0.5 * (array + array.mT)
        return array, _root(*jnp.linalg.eigh(array))
    size = np.abs(array).max(axis=(-2, -1))
    gap = np.abs(array - np.swapaxes(array, -2, -1)).max(axis=(-2, -1))
    crooked = np.argwhere(gap > PSD_TOLERANCE * size)
    if len(crooked):
        where = tuple(crooked[0])
        raise InputError(
            f"{name}: not symmetric at {cell(crooked[0])}, an entry and its mirror image differ by {gap[where]:.3g}; "
            "give symmetric matrices, for example (S + S') / 2"
        )
    array = 0.5 * (array + np.swapaxes(array, -2, -1))
    eigenvalues, vectors = np.linalg.eigh(array)
    largest = np.abs(eigenvalues).max(axis=-1)
    indefinite = np.argwhere(eigenvalues[..., 0] < -PSD_TOLERANCE * largest)
    if len(indefinite):
        value = eigenvalues[tuple(indefinite[0])][0]
        raise InputError(
            f"{name}: not positive semi-definite at {cell(indefinite[0])}, smallest eigenvalue {value:.3g}; "
            "a covariance has none below 0"
        )
    return jnp.asarray(array), _root(jnp.asarray(eigenvalues), jnp.asarray(vectors))


def _root(eigenvalues: Float[Array, "n m k p"], vectors: Float[Array, "n m k p p"]) -> Float[Array, "n m k p p"]:
    scaled = vectors * sqrt_nonnegative(eigenvalues)[..., None, :]
    return scaled @ vectors.mT


def per_cell(name: str, values: object, shape: tuple[int, ...], *, above_zero: bool = False) -> Float[Array, "*cells"]:
    """Check one number, or one for every cell of ``shape``: at least 0, or above 0; return one for every cell."""
    traced = isinstance(values, Tracer)
    array = values.astype(jnp.float64) if traced else finite(name, values)
    if array.shape not in {(), shape}:
        raise InputError(f"{name}: got shape {tuple(array.shape)}; it must be one number or {shape} numbers")
    if isinstance(array, np.ndarray):
        wrong = np.argwhere(array <= 0 if above_zero else array < 0)
        if len(wrong):
            words = _CELL if len(shape) > 1 else _CELL[1:]
            place = ", ".join(f"{word} {index}" for word, index in zip(words, wrong[0], strict=False))
            rule = "above 0" if above_zero else "at least 0"
            at = f" at {place}" if place else ""
            raise InputError(f"{name}: got {array[tuple(wrong[0])]:g}{at}; it must be {rule}")
    return jnp.broadcast_to(jnp.asarray(array), shape)


def open_interval(name: str, value: object, low: float, high: float, why: str) -> Float[Array, ""]:
    """Check one number strictly between two; ``why`` says what lies outside."""
    if isinstance(value, Tracer):
        return jnp.asarray(value, dtype=jnp.float64)
    number = finite(name, value)
    if number.shape != ():
        raise InputError(f"{name}: got shape {number.shape}; it must be one number")
    if not low < number < high:
        raise InputError(f"{name}: got {number:g}; it must lie strictly between {low:g} and {high:g}: {why}")
    return jnp.asarray(number)
