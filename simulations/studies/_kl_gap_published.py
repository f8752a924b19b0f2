"""The "KL" of G25's published mixture simulation: histograms of two samples, each over its own range.

As published, for two laws in the plane: draw 1,000 points from each; make a 50 x 50 histogram of each sample, as
``numpy.histogram2d`` does over the range of that sample, as a density; raise entries below 1e-10 to 1e-10; flatten, and
take ``scipy.stats.entropy(p, q)``, which divides each array by its sum and returns sum p log(p / q); average over 100
redraws. Entry (a, b) of the two arrays stands for two different rectangles.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from dkps_theory._types import Key
from simulations.studies._kl_gap_exact import Law, draw, stacked

#: Published: points of each sample, bins of each axis, the least density, redraws that are averaged.
DRAWS, BINS, CLIP, REDRAWS = 1000, 50, 1e-10, 100


class Table(NamedTuple):
    """Counts by bin (flattened), and the area of a bin."""

    counts: Int[Array, " bins"]
    area: Float[Array, ""]


def histogram(points: Float[Array, "2 n"], bins: int = BINS) -> Table:
    """Return the counts of points by bin over the range of the points, the last bin closed, as NumPy's histogram2d."""
    low, high = points.min(axis=1), points.max(axis=1)
    at = jnp.clip(jnp.floor((points - low[:, None]) / (high - low)[:, None] * bins), 0, bins - 1).astype(jnp.int32)
    counts = jnp.zeros(bins * bins, jnp.int32).at[at[0] * bins + at[1]].add(1)
    return Table(counts, jnp.prod((high - low) / bins))


def clipped(table: Table, size: int, clip: float | Array) -> Float[Array, " bins"]:
    """Return the density of every bin, at least ``clip``."""
    return jnp.maximum(table.counts / (size * table.area), clip)


def normalised_entropy(p: Float[Array, " bins"], q: Float[Array, " bins"]) -> Float[Array, ""]:
    """Return what ``scipy.stats.entropy(p, q)`` returns."""
    return (p * jnp.log(p / q)).sum() / p.sum() + jnp.log(q.sum() / p.sum())


def published_kl(
    key: Key,
    pairs: tuple[tuple[Law, Law], ...],
    *,
    draws: int = DRAWS,
    bins: int = BINS,
    clip: float | Array = CLIP,
    redraws: int = REDRAWS,
) -> tuple[Float[Array, "pairs 2"], Float[Array, "pairs 2"]]:
    """Return the published "KL" of each pair of laws, both ways, and its standard error over the redraws.

    Every pair has draws of its own, also where a law is in two pairs, as published. Both ways are computed from
    the same draws. The standard error is that of the redrawing alone.
    """
    laws = stacked([law for pair in pairs for law in pair])

    def density(key: Key, law: Law) -> Float[Array, " bins"]:
        return clipped(histogram(draw(key, law, draws), bins), draws, clip)

    def once(key: Key) -> Float[Array, "pairs 2"]:
        found = jax.vmap(density)(jax.random.split(key, 2 * len(pairs)), laws)
        p, q = found[::2], found[1::2]
        entropy = jax.vmap(normalised_entropy)
        return jnp.stack([entropy(p, q), entropy(q, p)], axis=1)

    values = jax.lax.map(once, jax.random.split(key, redraws))
    return values.mean(axis=0), values.std(axis=0, ddof=1) / redraws**0.5
