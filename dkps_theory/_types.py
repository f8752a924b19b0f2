"""Array aliases and the glossary of axes; importing it switches JAX to double precision.

Axes, always in this order and under these names:

====  ==========================================================
b     Monte Carlo replicates, always leading
n     models
m     queries
r     replicates (answers of one model to one query)
p     embedding dimension
d     perspective dimension
k     mixture components, or letters of a categorical law
====  ==========================================================

Every numerical module of the package imports this one first, so double precision is switched on at the first numerical
use and not by ``import dkps_theory`` alone. A rate over twelve decades of r has no meaning in single precision.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

if not jax.config.read("jax_enable_x64"):
    if isinstance(jnp.zeros(()), Tracer):
        raise RuntimeError(
            "dkps_theory is first used inside a traced function, where double precision can no longer be switched on; "
            "use one of its names before jit, vmap or grad, for example: f = dkps_theory.gram; jax.jit(f)"
        )
    jax.config.update("jax_enable_x64", True)

#: What public functions take: a JAX array or a NumPy array. What they return is always a JAX array.
AnyArray = jax.Array | np.ndarray

#: A typed key of ``jax.random.key``; never a bare integer, and never a default.
Key = jax.Array
