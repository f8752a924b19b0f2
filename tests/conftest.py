"""The suite's own setting: shapes checked on every call, no silent broadcasting, the package's pytest plugin."""

from __future__ import annotations

import jaxtyping

# The hook must see the modules before anything imports them, so the plugin's entry point is blocked in pyproject.toml
# (-p no:dkps_theory) and the plugin is loaded from here instead. The numeric tower lets an int pass where a float is
# wanted, as type checkers do.
jaxtyping.install_import_hook(
    ["dkps_theory", "simulations", "proofs_checks"],
    "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))",
)

import jax  # noqa: E402
import pytest  # noqa: E402

jax.config.update("jax_numpy_rank_promotion", "raise")

pytest_plugins = ["dkps_theory.testing.plugin"]


@pytest.fixture
def unannotated():
    """Calls as users make them, without the annotation checks that run under pytest."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
