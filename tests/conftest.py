"""The suite's own setting: shapes checked on every call, no silent broadcasting, the package's pytest plugin."""

from __future__ import annotations

import jaxtyping

# The hook must see the modules before anything imports them, so the plugin's entry point is blocked in pyproject.toml
# (-p no:dkps_theory) and the plugin is loaded from here instead.
jaxtyping.install_import_hook(["dkps_theory", "simulations", "proofs_checks"], "beartype.beartype")

import jax

jax.config.update("jax_numpy_rank_promotion", "raise")

pytest_plugins = ["dkps_theory.testing.plugin"]
