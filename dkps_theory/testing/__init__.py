"""Statistical tests with stated error rates, for this package's suite and for anyone's.

The names load on first use: the pytest plugin lives in this package and must not import JAX into a foreign suite.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dkps_theory.testing.asserts import Outcome, assert_same_law, assert_unbiased
    from dkps_theory.testing.budget import Stat

_HOME = {
    "Outcome": "asserts",
    "assert_same_law": "asserts",
    "assert_unbiased": "asserts",
    "Stat": "budget",
}

__all__ = ["Outcome", "Stat", "assert_same_law", "assert_unbiased"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
