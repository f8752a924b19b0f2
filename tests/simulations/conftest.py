"""A study that costs nothing: a normal draw at every r, in two cells of different size."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from simulations.grid import Cell
from simulations.runner import run_study
from simulations.study import Output, Study
from tests.simulations import processes

GRID = (10.0, 100.0, 1000.0)


def prepare(cell, axes):
    return {"n": jnp.zeros(cell.factors["n"]), "r": jnp.asarray(axes["r"])}


def replicate(key, prepared):
    noise = jax.random.normal(key, prepared["r"].shape) / jnp.sqrt(prepared["r"])
    rows = jnp.broadcast_to(noise[0], prepared["n"].shape)
    return {"error": noise, "rows": rows}


def truth(prepared):
    return {
        "exact_error": 1 / np.sqrt(prepared["r"]),
        "share_error": np.linspace(0.5, 0.0, len(prepared["r"])) ** 9,
        "size": np.asarray(len(prepared["n"])),
    }


def cell(name, n):
    return Cell(name, f"Cell <{name}>", {"n": n}, rates={"error": -0.5}, remark=f"of $n = {n}$")


TOY = Study(
    name="toy",
    title="A toy <study>",
    aims="Whether $x$ works.",
    data="Normal draws.",
    estimands="Zero.",
    methods="The draw itself.",
    performance="RMSE.",
    cells=(cell("small", 2), cell("large", 3)),
    axes={"r": GRID},
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


@pytest.fixture(scope="session")
def quiet(tmp_path_factory):
    """One run of the study in eigenvectors.py, in a process of its own and not interrupted."""
    path = tmp_path_factory.mktemp("quiet") / "quiet.zarr"
    processes.run(path, "--replicates", str(processes.REPLICATES))
    return path
