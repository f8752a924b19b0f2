"""Linear forms in logarithms, c_0 + sum c_n log n with rational c: exact values of information, certified in order.

Every entropy and mutual information of a law with rational probabilities is such a form: with probabilities w / L, w
whole, H = log L - sum (w/L) log w. Its sign can always be decided.

Zero. If the form is 0 then sum c_n log n = -c_0, so prod n^(c_n) = exp(-c_0). The left side is algebraic, and exp of a
rational is algebraic only at 0 (Lindemann), so c_0 = 0 and prod n^(e_n) = 1 with e the c cleared of denominators. Write
every n as a product of powers of pairwise coprime numbers b > 1 (found by greatest common divisors alone, no
factorisation into primes): each b has a prime that divides no other, so the product is 1 iff every b has exponent 0.
Not zero. Interval arithmetic at growing precision then separates it from 0 after finitely many steps.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
import types
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

import flint

from dkps_theory._validate import require, shown, whole_number

#: Bits of the intervals that are given when none are asked for.
BITS = 128
#: Where the search for a sign gives up: enough for numbers that differ in their 30,000th digit.
MOST_BITS = 2**17


class Interval(NamedTuple):
    """Bounds low <= value <= high, as exact Fractions rounded outward."""

    low: Fraction
    high: Fraction


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class LogForm:
    """The number c_0 + sum c_n log n, exactly: adds, subtracts, multiplies with rationals, and compares without error.

    Parameters
    ----------
    terms
        Pairs (x, c) of a positive rational x and a rational c, for c log x; an x may come several times.
    constant
        c_0, a rational.

    Raises
    ------
    InputError
        When an x is not positive, or a number is not rational.

    Notes
    -----
    Forms compare with each other and with rationals, by value: two forms with other terms may be equal. Source: own;
    the pairwise coprime numbers are the factor refinement of Bach, Driscoll, Shallit (1993).

    Examples
    --------
    >>> LogForm([(8, 1)]) == 3 * LogForm([(2, 1)]), LogForm([(2, 1)]) < Fraction(7, 10)
    (True, True)
    >>> round(float(LogForm([(2, 1)])), 12)
    0.69314718056
    """

    terms: Mapping[int, Fraction]
    constant: Fraction

    def __init__(self, terms: Iterable[tuple[Any, Any]] = (), constant: Any = 0) -> None:
        gathered: dict[int, Any] = {}
        for x, c in terms:
            require(
                _rational(x) and x > 0, f"terms: got log {shown(x)}; it must be the logarithm of a positive rational"
            )
            require(_rational(c), f"terms: got the coefficient {shown(c)}; it must be rational")
            for n, sign in ((int(x.numerator), 1), (int(x.denominator), -1)):
                if n > 1:
                    gathered[n] = gathered.get(n, 0) + sign * c
        require(_rational(constant), f"constant: got {shown(constant)}; it must be rational")
        kept = {n: Fraction(c) for n, c in sorted(gathered.items()) if c}
        object.__setattr__(self, "terms", types.MappingProxyType(kept))
        object.__setattr__(self, "constant", Fraction(constant))

    def interval(self, bits: int = BITS) -> Interval:
        """Return certified bounds, computed in balls of ``bits`` binary digits (python-flint) and rounded outward."""
        with flint.ctx.workprec(whole_number("bits", bits, 2)):
            total = flint.arb(flint.fmpq(self.constant.numerator, self.constant.denominator))
            for n, c in self.terms.items():
                total += flint.arb(flint.fmpq(c.numerator, c.denominator)) * flint.arb(n).log()
            return Interval(_exactly(total.lower()), _exactly(total.upper()))

    @property
    def low(self) -> Fraction:
        """A lower bound, within about 2^-128 of the size of the terms."""
        return self.interval().low

    @property
    def high(self) -> Fraction:
        """An upper bound, within about 2^-128 of the size of the terms."""
        return self.interval().high

    @property
    def is_zero(self) -> bool:
        """Whether the number is exactly 0."""
        if self.constant or not self.terms:
            return not (self.constant or self.terms)
        base = coprime_base(self.terms)
        return all(sum(c * _exponent(n, b) for n, c in self.terms.items()) == 0 for b in base)

    def sign(self) -> int:
        """Return -1, 0 or 1, without error; ArithmeticError when 2^17 bits do not separate the number from 0."""
        bits = BITS
        while bits <= MOST_BITS:
            low, high = self.interval(bits)
            if low > 0 or high < 0:
                return 1 if low > 0 else -1
            if low == high or (bits == BITS and self.is_zero):
                return 0
            bits *= 2
        raise ArithmeticError(f"the sign of {shown(self)} is not decided by {MOST_BITS} bits, and it is not 0")

    def __float__(self) -> float:
        bits = BITS
        low, high = self.interval()
        # Close to 0 the terms cancel, and 2^-128 of their size is no small part of the sum.
        while high - low > abs(low + high) / 2**60 and bits < MOST_BITS and not (bits == BITS and self.is_zero):
            bits *= 2
            low, high = self.interval(bits)
        return float((low + high) / 2)

    def __repr__(self) -> str:
        parts = [str(self.constant)] if self.constant or not self.terms else []
        return " + ".join(parts + [f"({c}) log {n}" for n, c in self.terms.items()])

    def __add__(self, other: Any) -> LogForm:
        if not isinstance(other, LogForm):
            return LogForm(self.terms.items(), self.constant + other) if _rational(other) else NotImplemented
        return LogForm([*self.terms.items(), *other.terms.items()], self.constant + other.constant)

    __radd__ = __add__

    def __mul__(self, factor: Any) -> LogForm:
        if not _rational(factor):
            return NotImplemented
        return LogForm([(n, c * factor) for n, c in self.terms.items()], self.constant * factor)

    __rmul__ = __mul__

    def __neg__(self) -> LogForm:
        return self * -1

    def __sub__(self, other: Any) -> LogForm:
        return self + -other

    def __rsub__(self, other: Any) -> LogForm:
        return -self + other

    def __truediv__(self, divisor: Any) -> LogForm:
        return self * (1 / Fraction(divisor)) if _rational(divisor) else NotImplemented

    def __eq__(self, other: object) -> bool:
        return self._compared(other) == 0

    __hash__ = None  # pyright: ignore[reportAssignmentType]  # equal numbers may have different terms

    def __lt__(self, other: object) -> bool:
        return self._compared(other) < 0

    def __le__(self, other: object) -> bool:
        return self._compared(other) <= 0

    def __gt__(self, other: object) -> bool:
        return self._compared(other) > 0

    def __ge__(self, other: object) -> bool:
        return self._compared(other) >= 0

    def _compared(self, other: object) -> int:
        require(
            isinstance(other, LogForm) or _rational(other),
            f"comparison: got {shown(other)}; exact values compare with each other and with rationals",
        )
        return (self - other).sign()


def coprime_base(values: Iterable[int]) -> list[int]:
    """Return pairwise coprime numbers above 1 such that every value is a product of powers of them.

    Examples
    --------
    >>> sorted(coprime_base([12, 18, 7]))
    [2, 3, 7]
    """
    base: list[int] = []
    waiting = [value for value in values if value > 1]
    while waiting:
        value = waiting.pop()
        for place, old in enumerate(base):
            common = math.gcd(value, old)
            if common > 1:
                del base[place]
                waiting += [part for part in (value // common, old // common, common) if part > 1]
                break
        else:
            base.append(value)
    return base


def _exponent(value: int, prime: int) -> int:
    """Return how often ``prime`` divides ``value``."""
    count = 0
    while value % prime == 0:
        value //= prime
        count += 1
    return count


def _rational(value: object) -> bool:
    return isinstance(value, numbers.Rational)


def _exactly(ball: Any) -> Fraction:
    """Return a ball of radius 0 as a Fraction."""
    mantissa, exponent = (int(part) for part in ball.man_exp())
    return Fraction(mantissa) * Fraction(2) ** exponent
