"""What is measured. Two things that are compared are timed in turns, so that a busy machine slows both."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from dkps_theory._types import Key
from dkps_theory.monte_carlo import replicate_keys
from dkps_theory.populations import Population
from simulations.studies.fixed_models_fixed_queries import CELLS

_NAME = "benchmarks"

#: One of ``jax.devices()``.
Device = Any


@dataclasses.dataclass(frozen=True)
class Row:
    """One measured number, its target, and how it was found."""

    what: str
    device: str
    value: float
    unit: str
    low: float | None
    high: float | None
    detail: str

    @property
    def met(self) -> bool:
        """Whether the number is on the right side of its target."""
        return (self.low is None or self.value >= self.low) and (self.high is None or self.value <= self.high)

    @property
    def target(self) -> str:
        """The target in words."""
        return (
            f">= {self.low:g} {self.unit}".strip() if self.low is not None else f"<= {self.high:g} {self.unit}".strip()
        )

    def document(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return dataclasses.asdict(self) | {"met": self.met}


def interleaved(first: Callable[[], Any], second: Callable[[], Any], repeat: int) -> tuple[float, float]:
    """Return the median seconds of two calls that take turns, after one call of each to compile."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for call in (first, second):
        jax.block_until_ready(call())
    for _ in range(repeat):
        for call, times in zip((first, second), seconds, strict=True):
            begun = time.perf_counter()
            jax.block_until_ready(call())
            times.append(time.perf_counter() - begun)
    return float(np.median(seconds[0])), float(np.median(seconds[1]))


def label(device: Device) -> str:
    """Name a device."""
    return "CPU" if device.platform == "cpu" else f"GPU ({device.device_kind})"


def default_population() -> Population:
    """Return the population of the default cell: n = 20, m = 50, p = 16, k = 3."""
    return CELLS[0].settings.population()


def mean_sampling(device: Device, repeat: int, r: int = 1000) -> Row:
    """Compare drawing the mean of r responses with drawing the responses and averaging them."""
    population = default_population()
    key = replicate_keys(0, _NAME, 0, 0, 1)[0]

    @jax.jit
    def means(key: Key, population: Population) -> jax.Array:
        return population.sample_means(key, jax.numpy.asarray(float(r)))

    @jax.jit
    def responses(key: Key, population: Population) -> jax.Array:
        return population.sample(key, r).mean(axis=2)

    fast, slow = interleaved(lambda: means(key, population), lambda: responses(key, population), repeat)
    return Row(
        what=f"drawing means at r = {r:,}, against drawing the responses",
        device=label(device),
        value=slow / fast,
        unit="times faster",
        low=50,
        high=None,
        detail=f"{1e3 * fast:.3g} ms against {1e3 * slow:.3g} ms, n m p = 20 x 50 x 16",
    )


def replicate_counts(device: Device, repeat: int, batch: int = 50) -> Row:
    """Compare the cost of drawing means at r = 10^12 and at r = 10, in batches as studies do."""
    population = default_population()
    keys = replicate_keys(0, _NAME, 1, 0, batch)

    @jax.jit
    def means(keys: Key, r: jax.Array, population: Population) -> jax.Array:
        return jax.vmap(lambda key: population.sample_mean_errors(key, r))(keys)

    large, small = interleaved(
        lambda: means(keys, jax.numpy.asarray(1e12), population),
        lambda: means(keys, jax.numpy.asarray(10.0), population),
        3 * repeat,
    )
    return Row(
        what="drawing means at r = 10^12, against r = 10",
        device=label(device),
        value=large / small,
        unit="times the cost",
        low=None,
        high=1.2,
        detail=f"{1e3 * large:.3g} ms against {1e3 * small:.3g} ms for {batch} draws",
    )


def cold_default_cell(device: Device, replicates: int) -> list[Row]:
    """Run the default cell in a new process without a compilation cache: wall time, start to end, and peak memory."""
    environment = os.environ | {"DKPS_THEORY_CACHE_DIR": "off"}
    if device.platform == "cpu":
        environment["JAX_PLATFORMS"] = "cpu"
    command = [sys.executable, "-m", "simulations.benchmarks.default_cell", str(replicates)]
    begun = time.perf_counter()
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    wall = time.perf_counter() - begun
    inside = json.loads(done.stdout.splitlines()[-1])
    what = f"{replicates:,} replicates x 12 values of r of the default cell, cold"
    return [
        Row(
            what=f"{what}: wall time",
            device=label(device),
            value=wall,
            unit="s",
            low=None,
            high=40,
            detail=(
                f"imports {inside['imports']:.1f} s, study {inside['study']:.1f} s; CPU time {inside['cpu']:.1f} s; "
                "new process, no compiled code kept"
            ),
        ),
        Row(
            what=f"{what}: peak memory",
            device=label(device),
            value=inside["peak_bytes"] / 2**30,
            unit="GiB",
            low=None,
            high=2,
            detail="resident set of the process",
        ),
    ]
