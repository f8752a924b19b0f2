"""How a distance between mean embeddings becomes a dissimilarity: the normalisation c(m) and the exponent e.

    Delta_ii' = c(m) ||mu_i - mu_i'||_F^e,        D_ii' = c(m) ||X_i - X_i'||_F^e

The sources differ, so every function that turns means into dissimilarities takes a :class:`Convention` and every bound
declares the one it is stated for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from dkps_theory._validate import InputError

_SCALES = {"sqrt-m": lambda m: 1 / math.sqrt(m), "m": lambda m: 1 / m, "none": lambda m: 1.0}


@dataclass(frozen=True)
class Convention:
    """The pair (c, e) of a dissimilarity.

    Parameters
    ----------
    normalisation
        ``"sqrt-m"`` for c = m^(-1/2), ``"m"`` for c = 1/m, ``"none"`` for c = 1.
    exponent
        e > 0. The sources print 1 and 1/2.

    Examples
    --------
    >>> Convention("m").scale(4)
    0.25
    >>> A25.label
    'c = 1/sqrt(m), e = 0.5'
    """

    normalisation: str = "sqrt-m"
    exponent: float = 1.0

    def __post_init__(self) -> None:
        if self.normalisation not in _SCALES:
            raise InputError(f"normalisation: got {self.normalisation!r}; it must be one of {', '.join(_SCALES)}")
        if not (math.isfinite(self.exponent) and self.exponent > 0):
            raise InputError(f"exponent: got {self.exponent}; it must be a positive number (the sources use 1 and 0.5)")

    def scale(self, m: int) -> float:
        """Return c(m)."""
        return _SCALES[self.normalisation](m)

    @property
    def is_linear(self) -> bool:
        """Whether e = 1, so that D^2 is a quadratic form in the means."""
        return self.exponent == 1

    @property
    def label(self) -> str:
        """One short line for figures and tables."""
        scale = {"sqrt-m": "1/sqrt(m)", "m": "1/m", "none": "1"}[self.normalisation]
        return f"c = {scale}, e = {self.exponent:g}"


#: The software's own choice.
DEFAULT = Convention("sqrt-m", 1.0)
#: Acharyya, Trosset, Priebe, Helm (2024), arXiv:2409.17308; also H25 and, by the account we have of it, B26.
A24 = Convention("m", 1.0)
#: Acharyya, Agterberg, Park, Priebe (2025), arXiv:2511.08307, Algorithm 1: Delta^2 = ||mu_i - mu_i'||_F / m.
A25 = Convention("sqrt-m", 0.5)
