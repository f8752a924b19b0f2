"""Performance measures of a study, as data: what is summarised, against which truth, and along what a rate is fitted.

They are declarations; :mod:`simulations.performance` computes them with Monte Carlo standard errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dkps_theory._validate import InputError, nearest_name, require

Kind = Literal["mean", "bias", "empirical_se", "rmse", "coverage", "rejection", "quantile", "rmse_ratio"]

KINDS: tuple[str, ...] = ("mean", "bias", "empirical_se", "rmse", "coverage", "rejection", "quantile", "rmse_ratio")


@dataclass(frozen=True)
class Measure:
    """One performance measure.

    Parameters
    ----------
    kind
        ``mean``, ``bias``, ``empirical_se``, ``rmse``, ``coverage``, ``rejection``, ``quantile`` or ``rmse_ratio``.
    output
        The output that it summarises, entry by entry. Of ``coverage``: the lower end when ``upper`` is given, else an
        indicator (1: covered); of ``rejection``: an indicator (1: rejected).
    truth
        The truth that the output estimates; None when the output is an error already. Its axes must be among those
        of the output, matched by name.
    upper
        Upper end of the intervals, for ``coverage``.
    against
        For ``rmse_ratio``: the output whose RMSE is the denominator, in the same replicates.
    level
        Of a ``quantile``: which; of ``coverage``: the nominal one, for figures; of ``rejection``: the nominal level.
    relative
        The standard error in question is that of the logarithm: it is divided by the value.
    title
        Words; default made from kind and output.

    Examples
    --------
    >>> Measure("bias", "estimate", truth="theta").name
    'bias of estimate'
    """

    kind: Kind
    output: str
    truth: str | None = None
    upper: str | None = None
    against: str | None = None
    level: float | None = None
    relative: bool = False
    title: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise nearest_name("measure", self.kind, KINDS)
        require(self.kind != "quantile" or (self.level is not None and 0 < self.level < 1), "quantile: needs a level")
        require(
            (self.kind == "rmse_ratio") == (self.against is not None), "against: belongs to rmse_ratio, and only it"
        )
        if self.upper is not None and (self.kind != "coverage" or self.truth is None):
            raise InputError("upper: belongs to coverage, with a truth to be covered")

    @property
    def name(self) -> str:
        """Words for messages."""
        return self.words({})

    def words(self, titles: Mapping[str, str]) -> str:
        """Return words for tables, with titles of outputs for their names.

        Examples
        --------
        >>> Measure("coverage", "low", upper="high", truth="theta").words({"low": "lower end", "high": "upper end"})
        'coverage of lower end to upper end'
        """
        if self.title:
            return self.title
        kind = self.kind.replace("_", " ").replace("rmse", "RMSE").replace("empirical se", "empirical SE")
        level = f" {self.level:g}" if self.kind == "quantile" else ""
        output, *others = (titles.get(name, name) for name in self.names()[0])
        joint = " over " if self.against else " to "
        return f"{kind}{level} of {joint.join([output, *others])}"

    def names(self) -> tuple[list[str], list[str]]:
        """Return the outputs and the truths that it needs."""
        return [n for n in (self.output, self.upper, self.against) if n], [self.truth] if self.truth else []


@dataclass(frozen=True)
class Rate:
    """A slope of log RMSE (of an error) on the logarithm of a factor, across cells that agree in the other factors.

    Slopes along an axis inside a replicate are predicted by :attr:`simulations.grid.Cell.rates` instead.

    Parameters
    ----------
    output
        An error; its RMSE is fitted, entry by entry.
    along
        A factor with numbers for levels.
    predicted
        From the other factors' levels, and the labels of the entry by axis, to the predicted slope, or to None where
        nothing is predicted; evaluated when a store is made.
    truth
        As in :class:`Measure`.
    """

    output: str
    along: str
    predicted: Callable[[Mapping[str, Any]], float | None]
    truth: str | None = None
