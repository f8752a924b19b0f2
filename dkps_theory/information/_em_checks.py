"""What EM is given: data, weights, masks and starts whose shapes fit, with values looked at where they are known."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from dkps_theory._validate import finite, require, shown
from dkps_theory.geometry.dissimilarity import is_concrete
from dkps_theory.information.mixture import Mixture


def checked_data(data: Any, point_weights: Any, component_mask: Any, k: int) -> tuple[Array, Array, Array]:
    """Return data (*b, n, d), weights (*b, n) and mask (*b, k)."""
    shape = np.shape(data)
    require(len(shape) in {2, 3}, f"data: got {len(shape)} axes {shape}; it must be (n, d), or (b, n, d) for b sets")
    require(min(shape) > 0, f"data: got shape {shape}; no axis may be empty")
    *batch, n, _ = shape
    x = jnp.asarray(finite("data", data) if is_concrete(data) else data, dtype=jnp.float64)
    weights = np.ones((*batch, n)) if point_weights is None else point_weights
    mask = np.ones((*batch, k), dtype=bool) if component_mask is None else component_mask
    for name, array, wanted in (("point_weights", weights, (*batch, n)), ("component_mask", mask, (*batch, k))):
        got = np.shape(array)
        require(got == wanted, f"{name}: got shape {got}; with data {shape}, components = {k} it must be {wanted}")
    if is_concrete(weights):
        weights = finite("point_weights", weights)
        require(weights.min() >= 0, f"point_weights: the least is {weights.min():g}; weights are not negative")
    if is_concrete(mask):
        mask = np.asarray(mask)
        known = mask.dtype == bool or (mask.dtype.kind in "iuf" and np.isin(mask, (0, 1)).all())
        require(known, f"component_mask: got {shown(mask.tolist())}; it must say True or False of every component")
    if is_concrete(weights, mask):
        points, used = np.asarray((weights > 0).sum(axis=-1)), np.asarray(mask.sum(axis=-1))
        require(used.min() > 0, "component_mask: masks out every component of a data set; one at least must stay")
        few = np.argwhere(points < used)
        where = f" in data set {few[0][0]}" if len(few) and batch else ""
        message = f"{points[tuple(few[0])]} for {used[tuple(few[0])]} components" if len(few) else ""
        require(not len(few), f"data: too few points{where}: {message}; there must be one for each at least")
    return x, jnp.asarray(weights, dtype=jnp.float64), jnp.asarray(mask, dtype=bool)


def checked_start(start: Any, shape: tuple[int, ...], mask: Array) -> Any:
    """Return None, parameters or responsibilities, with shapes that fit (*b, n, k, d) and components that are there."""
    if start is None:
        return None
    *batch, n, k, d = shape
    if isinstance(start, Mixture):
        parts = (start.weights, start.means, start.covariances)
        for part, wanted in zip(parts, ((*batch, k), (*batch, k, d), (*batch, k, d, d)), strict=True):
            require(part.shape == wanted, f"start: a part of the mixture has shape {part.shape}; it must be {wanted}")
        if is_concrete(start.weights, mask):
            there = (np.asarray(mask) & (np.asarray(start.weights) > 0)).any(axis=-1)
            require(there.all(), "start: every component of positive weight is masked out; one at least must stay")
        return parts
    wanted = (*batch, n, k)
    require(np.shape(start) == wanted, f"start: got shape {np.shape(start)}; responsibilities must be {wanted}")
    if is_concrete(start):
        start = finite("start", start)
        total = start.sum(axis=-1)
        fine = start.min() >= 0 and np.abs(total - 1).max() <= 1e-9
        require(fine, "start: responsibilities must be at least 0 and sum to 1 at every point")
    return jnp.asarray(start, dtype=jnp.float64)
