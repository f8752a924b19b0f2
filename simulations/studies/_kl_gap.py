"""What the study of the gap in KL computes: exact divergences of the fits, and the published numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from dkps_theory._types import Key
from dkps_theory._validate import nearest_name
from dkps_theory.information.em import MixtureFit
from dkps_theory.information.mixture import Mixture
from dkps_theory.information.mixture_world import Generation, MixtureWorld
from simulations.grid import Cell
from simulations.studies._kl_gap_exact import Law, divergences, ready
from simulations.studies._kl_gap_published import published_kl
from simulations.studies.kl_gap import DESIGNS, FITS, HISTOGRAMS, MEASURES, OF_HISTOGRAMS, VALUES, numbers

#: Room that all cells of the study's own grid share: K at most 15, K + J + L at most 19. So a design is one program,
#: which takes about 10 s to compile, as long as 1,000 to 5,000 repetitions: rooms that fit would cost more than save.
ROOM = (max(VALUES), max(VALUES) + 4)


def prepare(cell: Cell, axes: Mapping[str, Sequence[Any]]) -> MixtureWorld:
    """Return the world of a cell.

    Raises
    ------
    InputError
        When an axis has a label that is unknown or left out, or the value is no whole number of at least 1.
    """
    for axis, known in (("measure", MEASURES), ("way", HISTOGRAMS), ("fit", FITS)):
        if tuple(axes[axis]) != known:
            raise nearest_name(axis, next((one for one in axes[axis] if one not in known), "fewer"), known)
    levels = cell.factors
    protocol, dimension = DESIGNS[str(levels["design"])]
    K, J, L = numbers(str(levels["sweep"]), int(levels["value"]))
    room = max(ROOM[0], K), max(ROOM[1], K + J + L)
    return MixtureWorld(K, J, L, dimension=dimension, protocol=protocol, room=room)


def limits(world: MixtureWorld, truth: Mixture) -> tuple[Mixture, Mixture]:
    """Return what the fits would be without estimation: the first K components, and all K + J + L."""
    weights = world.in_prompt / world.K, world.in_generator / (world.K + world.J + world.L)
    return Mixture(weights[0], truth.means, truth.covariances), Mixture(weights[1], truth.means, truth.covariances)


def published_numbers(key: Key, truth: Law, fits: tuple[Law, Law]) -> dict[str, Array]:
    """Return the published "KL" of both fits, both ways, their gap, and that of the truth from itself."""
    value, se = published_kl(key, (*((fit, truth) for fit in fits), (truth, truth)))
    return {
        "histogram": value[:2],
        "histogram_gap": value[0] - value[1],
        "histogram_gap_se": jnp.sqrt((se[:2] ** 2).sum(axis=0)),
        "histogram_self": value[2, 0],
    }


def exact_numbers(
    key: Key, world: MixtureWorld, *, with_limits: bool = True
) -> tuple[dict[str, Array], Generation, tuple[MixtureFit, MixtureFit], list[Law]]:
    """Return one repetition's exact divergences, gaps and gaps at infinite data, what was drawn, the fits, and laws."""
    data_key, fit_key, exact_key = jax.random.split(key, 3)
    generation = world.generate(data_key)
    fits = world.fits(fit_key, generation)
    without = limits(world, generation.truth) if with_limits else ()
    laws = ready((generation.truth, fits[0].mixture, fits[1].mixture, *without))
    found = divergences(exact_key, laws[0], laws[1:])
    numbers = {name: found[name][:2] for name in ("divergence", "divergence_se")}
    numbers |= {"gap": found["gap"][0], "gap_se": found["gap_se"][0]}
    if with_limits:
        numbers["limit_gap"] = found["gap"][1]
    return numbers, generation, fits, laws


def exact_gap(key: Key, world: MixtureWorld) -> tuple[Array, Array]:
    """Return the gaps of one repetition (KL, reverse KL, TV), and whether both fits converged."""
    found, _, fits, _ = exact_numbers(key, world, with_limits=False)
    return found["gap"], fits[0].converged & fits[1].converged


def replicate(key: Key, world: MixtureWorld) -> dict[str, Array]:
    """Return one repetition."""
    exact_key, published_key = jax.random.split(key)
    found, generation, fits, laws = exact_numbers(exact_key, world)
    if world.protocol == "published":
        found |= published_numbers(published_key, laws[0], (laws[1], laws[2]))
    else:
        shapes = {"histogram": (2, 2), "histogram_gap": (2,), "histogram_gap_se": (2,), "histogram_self": ()}
        found |= {name: jnp.full(shapes[name], jnp.nan) for name in OF_HISTOGRAMS}
    for name in ("converged", "steps"):
        found[name] = jnp.stack([jnp.asarray(getattr(one, name), dtype=float) for one in fits])
    found["floored"] = jnp.stack([one.floored.any().astype(float) for one in fits])
    found["unseen"] = (world.in_prompt & (generation.generator.weights == 0)).sum().astype(float)
    return found
