"""The size of what the steps of the published mixture simulation do that is not what they are called: the numbers.

Numbers that do not need the study's repetitions are computed here, from a fixed seed, when a report is made.
"""

from __future__ import annotations

import functools
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float
from scipy import stats

from dkps_theory._types import Key
from dkps_theory.information.gaussian import gaussian_kl
from dkps_theory.information.mixture import Mixture
from dkps_theory.information.mixture_world import ANCHORS_EACH, MixtureWorld, handed_matrices, polar_factor
from simulations.studies._kl_gap import ROOM, exact_numbers
from simulations.studies._kl_gap_published import BINS, CLIP, DRAWS, REDRAWS
from simulations.studies.kl_gap import BASE, VALUES

_SEED = 7
#: Repetitions behind the numbers below, and matrices A B'.
REPETITIONS, MATRICES = 30, 20_000
#: Settings of the published ruler: draws, bins, clip, redraws; the first is the published one, with fewer redraws.
SETTINGS = (
    (DRAWS, BINS, CLIP, 5),
    (10_000, BINS, CLIP, 2),
    (100_000, BINS, CLIP, 1),
    (DRAWS, 10, CLIP, 5),
    (DRAWS, 200, CLIP, 5),
    (DRAWS, BINS, 1e-5, 5),
)


def histogram_kl(first: Float[np.ndarray, "n 2"], second: Float[np.ndarray, "n 2"], bins: int, clip: float) -> float:
    """Return the published number of two samples, with NumPy and SciPy as published."""
    p, q = (
        np.clip(np.histogram2d(*sample.T, bins=bins, density=True)[0], clip, None).ravel() for sample in (first, second)
    )
    return float(stats.entropy(p, q))


def draws(generator: np.random.Generator, mixture: Mixture, size: int) -> Float[np.ndarray, "n d"]:
    """Return independent draws of a mixture of known numbers, with NumPy."""
    weights = np.asarray(mixture.weights)
    labels = generator.choice(len(weights), size, p=weights / weights.sum())
    roots = np.linalg.cholesky(np.where(weights[:, None, None] > 0, mixture.covariances, np.eye(mixture.dimension)))
    z = generator.normal(size=(size, mixture.dimension))
    return np.asarray(mixture.means)[labels] + np.einsum("nij,nj->ni", roots[labels], z)


@eqx.filter_jit
def repetitions(world: MixtureWorld, keys: Key) -> tuple[Any, Any, Any]:
    """Return exact numbers, generations and the two fitted mixtures."""

    def one(key: Key) -> tuple[Any, Any, Any]:
        found, generation, fits, _ = exact_numbers(key, world)
        return found, generation, (fits[0].mixture, fits[1].mixture)

    return jax.vmap(one)(keys)


def matrix_effects(key: Key, count: int = MATRICES) -> dict[str, Float[np.ndarray, " count"]]:
    """Return of matrices C = A B': whether (C + C')/2 is indefinite, and how far C and (C + C')/2 are from |C|."""
    handed = handed_matrices(key, count, 2)
    C, drawn = np.asarray(handed), np.asarray(polar_factor(handed))
    symmetric = (C + C.swapaxes(1, 2)) / 2
    size = np.linalg.norm(C, axis=(1, 2))
    return {
        "indefinite": (np.linalg.eigvalsh(symmetric)[:, 0] < 0).astype(float),
        "distance": np.linalg.norm(C - drawn, axis=(1, 2)) / size,
        "symmetric_distance": np.linalg.norm(symmetric - drawn, axis=(1, 2)) / size,
    }


def _taken(laws: Any, at: int) -> Any:
    return jax.tree.map(lambda leaf: leaf[at], laws)


def ruler_effects(generation: Any, laws: Any, seed: int, count: int = REPETITIONS) -> Float[np.ndarray, "settings 2 b"]:
    """Return, by setting of the ruler, the "KL" of the truth from itself and the gap, for each repetition."""
    found = np.empty((len(SETTINGS), 2, count))
    for place, (size, bins, clip, redraws) in enumerate(SETTINGS):
        generator = np.random.default_rng((seed, place))
        for at in range(count):
            truth, *fits = _taken((generation.truth, *laws), at)
            values = [
                [
                    histogram_kl(draws(generator, law, size), draws(generator, truth, size), bins, clip)
                    for law in (truth, *fits)
                ]
                for _ in range(redraws)
            ]
            itself, anchors, synthetic = np.mean(values, axis=0)
            found[place, :, at] = itself, anchors - synthetic
    return found


def moved(seed: int, redraws: int = REDRAWS) -> dict[str, tuple[np.ndarray, float]]:
    """Return the "KL" of N(0, I) from itself and from N((100, 100), 9 I) by redraw, and the divergence."""
    generator, found = np.random.default_rng(seed), {}
    for name, shift, scale in (("itself", 0.0, 1.0), ("moved", 100.0, 3.0)):
        values = [
            histogram_kl(
                generator.normal(size=(DRAWS, 2)), shift + scale * generator.normal(size=(DRAWS, 2)), BINS, CLIP
            )
            for _ in range(redraws)
        ]
        exact = gaussian_kl(np.zeros(2), np.eye(2), np.full(2, shift), scale**2 * np.eye(2))
        found[name] = np.array(values), float(exact)
    return found


@functools.cache
def computed(seed: int = _SEED) -> dict[str, Any]:
    """Return every number that does not need the store."""
    keys = jax.random.split(jax.random.key(seed, impl="threefry2x32"), 4)
    worlds = {
        "base": MixtureWorld(BASE, BASE, BASE, protocol="published", room=ROOM),
        "many": MixtureWorld(max(VALUES), BASE, BASE, protocol="published", room=ROOM),
    }
    # As many anchors in all, and as many synthetic points for each component, as at the base.
    N = 2 * BASE + max(VALUES)
    synthetic = round(worlds["base"].synthetic_total / (3 * BASE) * N)
    worlds["equal"] = MixtureWorld(
        max(VALUES), BASE, BASE, protocol="published", room=ROOM, anchors=BASE * ANCHORS_EACH, synthetic=synthetic
    )
    found = {
        name: repetitions(world, jax.random.split(key, REPETITIONS))
        for (name, world), key in zip(worlds.items(), (keys[0], keys[1], keys[1]), strict=True)
    }
    _, generation, laws = found["base"]
    estimated = [
        gaussian_kl(
            *(
                np.asarray(one[at, k])
                for law in (generation.generator, generation.truth)
                for one in (law.means, law.covariances)
            )
        )
        for at in range(REPETITIONS)
        for k in range(BASE)
    ]
    return {
        "matrices": matrix_effects(keys[2]),
        "rulers": ruler_effects(generation, laws, seed),
        "moved": moved(seed),
        "exact": {name: np.asarray(one[0]["divergence"])[:, :, 0] for name, one in found.items()},
        "synthetic": synthetic,
        "estimated": np.array([float(one) for one in estimated]),
    }
