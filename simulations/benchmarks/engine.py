"""What the engine costs beyond the vmapped replicate function: keys, checks, chunks on disk, markers."""

from __future__ import annotations

import dataclasses
import itertools
import statistics
import tempfile
import time
from pathlib import Path

import equinox as eqx
import jax
import numpy as np

from simulations.batches import batch_keys
from simulations.benchmarks.measure import Device, Row, label
from simulations.runner import LocalDevices, Prepared, begin, carry_out
from simulations.studies.fixed_models_fixed_queries import STUDY


def overhead(device: Device, replicates: int = 5000, rounds: int = 20, cells: tuple[str, ...] = ()) -> Row:
    """Compare a run into a store with the bare function over the same keys, round by round in turns.

    ``cells`` names some of the study's cells, none means all. The bare side does what any loop must: keys, the compiled
    function on each batch, and its numbers to the host. The total is over all rounds; the median of the rounds' ratios
    tells how much a busy machine moves it.
    """
    study = dataclasses.replace(STUDY, cells=tuple(c for c in STUDY.cells if not cells or c.name in cells))
    prepared = Prepared(study, 0)
    function = study.replicate.load()  # pyright: ignore[reportFunctionMemberAccess]

    @eqx.filter_jit
    def vmapped(ready: object, keys: jax.Array) -> dict[str, jax.Array]:
        return jax.vmap(lambda key: function(key, ready))(keys)

    def bare(first: int, last: int) -> None:
        for index in range(first, last):
            for at, cell in enumerate(study.cells):
                found = vmapped(prepared[at], batch_keys(study, 0, cell, index))
                for value in found.values():
                    np.asarray(value)

    batches = -(-replicates // study.batch_size)
    marks = np.linspace(0, batches, rounds + 1).astype(int)
    seconds: tuple[list[float], list[float]] = ([], [])
    with tempfile.TemporaryDirectory() as folder:
        executor = LocalDevices(prepared, [device])
        planned = [study.batch_size] * len(study.cells)
        with begin(Prepared(study, 1), Path(folder) / "warm.zarr", planned=planned) as store:
            carry_out(store, executor)  # compiles
        bare(0, 1)
        with begin(prepared, Path(folder) / "bench.zarr", planned=[2] * len(study.cells)) as store:
            for first, last in itertools.pairwise(marks.tolist()):
                begun = time.perf_counter()
                bare(first, last)
                seconds[0].append(time.perf_counter() - begun)
                begun = time.perf_counter()
                store.plan([int(last) * study.batch_size] * len(study.cells))
                carry_out(store, executor)
                seconds[1].append(time.perf_counter() - begun)
    plain, engine = (sum(one) for one in seconds)
    median = statistics.median(one / other for other, one in zip(*seconds, strict=True))
    return Row(
        what=f"{replicates:,} replicates by the engine, over the bare vmapped function",
        device=label(device),
        value=100 * (engine / plain - 1),
        unit="% more",
        low=None,
        high=5,
        detail=f"{engine:.1f} s against {plain:.1f} s; median of {rounds} rounds {100 * (median - 1):.1f} %; "
        f"{len(study.cells)} cells, batches of {study.batch_size}",
    )
