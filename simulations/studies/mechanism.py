"""What a DKPS cell consists of, beside its levels. Light: no NumPy, no JAX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dkps_theory.conventions import DEFAULT, Convention


@dataclass(frozen=True)
class Mechanism:
    """A population of models and how perspectives are made of it.

    Parameters
    ----------
    population
        Builder without arguments of a :class:`dkps_theory.populations.base.Population`.
    dimension
        Perspective dimension d.
    convention
        Normalisation and exponent of the dissimilarities.
    scaling
        Which multidimensional scaling the perspectives come from, ``"classical"`` or ``"raw-stress"``.
    pair
        The two models whose dissimilarity stands for a typical one.
    """

    population: Callable[[], Any]
    dimension: int
    convention: Convention = DEFAULT
    scaling: str = "classical"
    pair: tuple[int, int] = (0, 1)

    def described(self) -> dict[str, Any]:
        """Return what reports show of it, as plain data."""
        return {
            "dimension": self.dimension,
            "convention": self.convention.label,
            "exponent": self.convention.exponent,
            "scaling": self.scaling,
        }
