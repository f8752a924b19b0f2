"""A study that costs nothing: a normal draw at every r, in two cells of different size."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from simulations.runner import run_study
from simulations.study import Cell, Output, Study

GRID = (10.0, 100.0, 1000.0)


def prepare(cell, r_grid):
    return {"n": jnp.zeros(cell.factors["n"]), "r": jnp.asarray(r_grid)}


def replicate(key, prepared):
    noise = jax.random.normal(key, (len(GRID),)) / jnp.sqrt(prepared["r"])
    rows = jnp.broadcast_to(noise[0], prepared["n"].shape)
    return {"error": noise, "rows": rows}


def truth(prepared):
    return {
        "exact_error": 1 / np.sqrt(prepared["r"]),
        "share_error": np.array([0.5, 0.001, 0.0]),
        "size": np.asarray(len(prepared["n"])),
    }


def cell(name, n):
    return Cell(name, f"Cell <{name}>", {"n": n}, lambda: None, 1, rates={"error": -0.5}, remark=f"of $n = {n}$")


TOY = Study(
    name="toy",
    title="A toy <study>",
    aims="Whether $x$ works.",
    data="Normal draws.",
    estimands="Zero.",
    methods="The draw itself.",
    performance="RMSE.",
    cells=(cell("small", 2), cell("large", 3)),
    r_grid=GRID,
    replicates=100,
    batch_size=8,
    outputs=(Output("error", "the error", unit="u"), Output("rows", "rows", dims=("n",), first=5)),
    truths=(
        Output("exact_error", "exact RMSE"),
        Output("share_error", "share"),
        Output("size", "size of the cell", dims=()),
    ),
    prepare=prepare,
    replicate=replicate,
    truth=truth,
)


@pytest.fixture
def toy():
    return TOY


@pytest.fixture
def run():
    """Run a study, or the toy with some parts replaced, and leave the process as it was."""

    def call(study=TOY, *, replicates=None, seed=0, **changes):
        return run_study(dataclasses.replace(study, **changes), replicates=replicates, seed=seed, pin=False)

    return call


@pytest.fixture(scope="session")
def toy_results():
    return run_study(TOY, replicates=400, pin=False)
