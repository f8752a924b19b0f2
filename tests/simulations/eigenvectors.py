"""A study file that the tests run in processes of their own: eigenvectors, which depend on BLAS threads."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from simulations.grid import Grid
from simulations.measures import Measure
from simulations.study import Output, Study


def prepare(cell, axes):
    return {"n": jnp.zeros(cell.factors["n"]), "sigma": jnp.asarray(float(cell.factors["sigma"]))}


def replicate(key, prepared):
    one, other = jax.random.split(key)
    x = prepared["sigma"] * jax.random.normal(one, (prepared["n"].size, 3))
    noise = jax.random.normal(other, (prepared["n"].size,) * 2)
    values, vectors = jnp.linalg.eigh(x @ x.T + noise + noise.T)
    estimate = jnp.stack([x.mean(), jnp.median(x)])
    return {
        "estimate": estimate.at[1].set(jnp.where(estimate[1] > 1, jnp.nan, estimate[1])),
        "turned": vectors @ values,
    }


STUDY = Study(
    name="eigenvectors",
    title="Eigenvectors",
    aims="To be interrupted.",
    data="Normal draws.",
    estimands="None.",
    methods="Mean and median.",
    performance="Bias.",
    grid=Grid({"n": (20, 100, 150), "sigma": (1.0,)}),
    axes={"method": ("mean", "median")},
    replicates=100,
    batch_size=5,
    outputs=(
        Output("estimate", "the estimate", ("method",)),
        Output("turned", "eigenvalues turned by eigenvectors", ("n",)),
    ),
    truths=(Output("theta", "theta", ()),),
    prepare=prepare,
    replicate=replicate,
    truth=lambda prepared: {"theta": 0.0},
    measures=(Measure("bias", "estimate", truth="theta"),),
    target=Measure("bias", "estimate", truth="theta"),
)
