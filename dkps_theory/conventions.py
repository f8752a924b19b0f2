"""How a distance between mean embeddings becomes a dissimilarity: the normalisation c(m) and the exponent e.

    Delta_ii' = c(m) ||mu_i - mu_i'||_F^e,        D_ii' = c(m) ||X_i - X_i'||_F^e

The sources differ, so every function that turns means into dissimilarities takes a :class:`Convention` and every bound
declares the one it is stated for.
"""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass

from dkps_theory._validate import InputError, shown

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

    Raises
    ------
    InputError
        For another normalisation, or an exponent that is not a positive real number.

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
        if not isinstance(self.normalisation, str) or self.normalisation not in _SCALES:
            raise InputError(f"normalisation: got {shown(self.normalisation)}; it must be one of {', '.join(_SCALES)}")
        if not _is_positive(self.exponent):
            got = shown(self.exponent)
            raise InputError(f"exponent: got {got}; it must be a positive number (the sources use 1 and 0.5)")
        object.__setattr__(self, "exponent", float(self.exponent))  # a fraction, say, is no exponent to JAX

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


def _is_positive(value: object) -> bool:
    """Whether ``value`` is a positive real number that double precision can hold."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return False
    try:
        return 0 < float(value) < math.inf
    except OverflowError:
        return False


def checked_convention(value: object) -> Convention:
    """Return ``value`` if it is a :class:`Convention`; the name of a normalisation alone is not one.

    Raises
    ------
    InputError
        For anything else.
    """
    if not isinstance(value, Convention):
        raise InputError(f"convention: got {shown(value)}; it must be a Convention, for example Convention('m', 1.0)")
    return value


#: The software's own choice.
DEFAULT = Convention("sqrt-m", 1.0)
#: Acharyya, Trosset, Priebe, Helm (2024), arXiv:2409.17308; also H25 and, by the account we have of it, B26.
A24 = Convention("m", 1.0)
#: Acharyya, Agterberg, Park, Priebe (2025), arXiv:2511.08307, Algorithm 1: Delta^2 = ||mu_i - mu_i'||_F / m.
A25 = Convention("sqrt-m", 0.5)
