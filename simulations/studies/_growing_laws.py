"""Laws whose models stay on a circle while queries are added, and the powers of m behind them. Light: no NumPy, no JAX.

Models u_i lie on a circle of radius rho in R^2, queries v_j are iid uniform on a rectangle [-a, a] x [-b, b], and

    mu_ij = m^{s/2} <u_i, v_j> (+ a constant),     gamma_ij of order m^t.

Write M_m = (1/m) sum_j v_j v_j' -> M = diag(a^2, b^2)/3. Then ||mu_i - mu_k||_F^2 = m^{1+s} (u_i - u_k)' M_m
(u_i - u_k), so with c = m^{-w} and exponent e, Delta is m^h times something with a limit that is not 0, where

    h = e (1 + s)/2 - w.

h = 0: A24-A1 holds with phi = M^{1/2} u for e = 1 (A24-A2: an ellipse); h < 0: it holds with all phi equal; h > 0:
Delta has no limit. Delta of A25 (w = 1/2, e = 1/2) is the square root of Delta of A24 (w = 1, e = 1), at every m: the
two conventions agree on which laws have a limit that is not 0, and bounded answers (s = 0) are not among them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from dkps_theory._validate import require
from dkps_theory.conventions import A24, A25, DEFAULT, Convention

#: The conventions of the sources and the software's own, by label.
CONVENTIONS = {convention.label: convention for convention in (DEFAULT, A24, A25)}

#: w for each normalisation c = m^{-w}.
_POWERS = {"sqrt-m": 0.5, "m": 1.0, "none": 0.0}


@dataclass(frozen=True)
class Law:
    """How answers depend on a model and a query.

    Parameters
    ----------
    answers
        ``"yes-no"`` for Bernoulli answers with probability 1/2 + <u, v> (then both powers are 0), or ``"normal"``.
    mean_power, noise_power
        s and t: squares of means are of order m^s, gamma of order m^t.
    gamma
        Of normal answers: gamma_ij = gamma m^t.
    radius, half_widths
        rho, and (a, b).
    """

    answers: str
    mean_power: float = 0.0
    noise_power: float = 0.0
    gamma: float = 0.2
    radius: float = 1.0
    half_widths: tuple[float, float] = (0.4, 0.25)

    def __post_init__(self) -> None:
        require(self.answers in {"yes-no", "normal"}, f"answers: got {self.answers!r}; it must be yes-no or normal")
        fits = self.answers == "normal" or (self.mean_power == self.noise_power == 0 and self.largest_mean < 0.5)
        require(fits, "law: yes-or-no answers need powers 0 and |<u, v>| below 1/2")

    @property
    def largest_mean(self) -> float:
        """The supremum of <u, v>."""
        return self.radius * math.hypot(*self.half_widths)

    @property
    def second_moments(self) -> tuple[float, float]:
        """The diagonal of M = E v v'."""
        a, b = self.half_widths
        return a**2 / 3, b**2 / 3


#: The laws by the level of factor ``law``.
LAWS = {
    "bounded": Law("yes-no"),
    "means grow": Law("normal", mean_power=1.0),
    "means and noise grow": Law("normal", mean_power=1.0, noise_power=1.0),
}


@dataclass(frozen=True)
class Regime:
    """What a cell is, as numbers: a law, n models, m queries and r replicates."""

    law: Law
    n: int
    m: int
    r: int


def replicates_by_rule(base: int, power: float) -> int:
    """Return r = base^power, rounded up and at least 4 (gamma cannot be estimated from one replicate).

    Examples
    --------
    >>> replicates_by_rule(256, 0.5), replicates_by_rule(256, 0.0)
    (16, 4)
    """
    return max(4, math.ceil(base**power - 1e-9))


def delta_power(law: Law, convention: Convention) -> float:
    """Return h: Delta is of order m^h.

    Examples
    --------
    >>> delta_power(LAWS["bounded"], A24), delta_power(LAWS["means grow"], A25)
    (-0.5, 0.0)
    """
    return convention.exponent * (1 + law.mean_power) / 2 - _POWERS[convention.normalisation]
