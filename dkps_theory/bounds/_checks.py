"""Checks that the bounds share; a traced array passes with its shape checked and its values trusted."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float

from dkps_theory._types import AnyArray
from dkps_theory._validate import InputError, axes, finite, whole_number


def checked_array(
    name: str, values: AnyArray, glossary: str, shape: tuple[int, ...] | None = None
) -> Float[Array, "*axes"]:
    """Return ``values`` as a float64 array, finite, with the axes of ``glossary`` and, if given, of ``shape``."""
    if not isinstance(values, Tracer):
        finite(name, values)
    array = jnp.asarray(values, dtype=jnp.float64)
    axes(name, np.broadcast_to(0.0, array.shape), glossary)  # the shape is all that a traced array shows
    if shape is not None and array.shape != shape:
        raise InputError(f"{name}: got shape {array.shape}; here it must be ({', '.join(glossary.split())}) = {shape}")
    return array


def checked_whole(name: str, value: object, least: int) -> None:
    """Refuse what is not a whole number of at least ``least``; a traced number is trusted."""
    if not isinstance(value, Tracer):
        whole_number(name, value.item() if isinstance(value, AnyArray) and value.shape == () else value, least)
