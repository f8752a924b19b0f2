"""The information of a joint law with rational probabilities, without error: numbers that compare with certainty."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import Any, no_type_check

from dkps_theory._validate import require, shown
from dkps_theory.information._atoms import Names, aligned, group
from dkps_theory.information.log_forms import LogForm


@no_type_check  # as JointLaw
@dataclasses.dataclass(frozen=True)
class Enclosure:
    """Entropies, mutual informations and divergences of an exact :class:`JointLaw`, as :class:`LogForm`, in nats.

    Attributes
    ----------
    law
        A JointLaw whose probabilities are Fractions.

    Raises
    ------
    InputError
        When they are floats.

    Notes
    -----
    Each value has certified bounds ``low`` and ``high``, ``interval(bits)`` at any precision, and its sums, differences
    and rational multiples compare with one another without error: an identity can be proved, an order certified.

    Examples
    --------
    >>> from dkps_theory.information.joint_law import JointLaw
    >>> law = JointLaw.from_table(("x", "y"), [[Fraction(1, 3), Fraction(1, 6)], [0, Fraction(1, 2)]])
    >>> known = law.enclosure
    >>> known.entropy("x") == known.entropy("x", "y") + known.mutual_information("x", "y")
    True
    >>> known.mutual_information("x", "y") < known.entropy("y") - Fraction(1, 4)
    True
    """

    law: Any  # a JointLaw, whose module needs this one

    def __post_init__(self) -> None:
        require(
            self.law.exact,
            f"enclosure: {shown(self.law)} has float probabilities; make it from Fractions for exact information",
        )

    def entropy(self, names: Names, given: Names = ()) -> LogForm:
        """Return H(names | given) in nats."""
        cells = self.law._cells
        terms = cells.entropy_terms(self.law._columns(names), self.law._columns(given))
        return LogForm((Fraction(c, w), w) for w, c in zip(*terms, strict=True)) / cells.scale

    def mutual_information(self, a: Names, b: Names, given: Names = ()) -> LogForm:
        """Return I(a; b | given) in nats."""
        cells = self.law._cells
        terms, _ = cells.information_terms(*map(self.law._columns, (a, b, given)))
        return LogForm((Fraction(w * c, v * u), w) for w, v, u, c in zip(*terms, strict=True)) / cells.scale

    def interaction_information(self, a: Names, b: Names, c: Names, given: Names = ()) -> LogForm:
        """Return I(a; b | given) - I(a; b | c, given) in nats: above 0 for redundancy, below 0 for synergy."""
        return self.mutual_information(a, b, given) - self.mutual_information(a, b, (*group(c), *group(given)))

    def kl_divergence(self, other: Any) -> LogForm:
        """Return KL(law || other) in nats; InputError where it is infinite, and for an ``other`` with floats."""
        p, q = self._both(other)
        require(
            all(y > 0 for x, y in zip(p, q, strict=True) if x > 0),
            "kl_divergence: infinite, since other has probability 0 where the law has not",
        )
        return LogForm((x / y, x) for x, y in zip(p, q, strict=True) if x > 0)

    def total_variation(self, other: Any) -> Fraction:
        """Return TV = 1/2 sum |p - q|, exactly; InputError for an ``other`` with floats."""
        return sum((abs(x - y) for x, y in zip(*self._both(other), strict=True)), Fraction(0)) / 2

    def _both(self, other: Any) -> list[list[Fraction]]:
        both = aligned(self.law, other)
        require(other.exact, f"other: {shown(other)} has float probabilities; make it from Fractions as well")
        return [[Fraction(value) for value in law] for law in both]
