r"""When a run has enough replicates: until the Monte Carlo standard error of the target measure is small enough.

The rule. A cell is looked at after 100 replicates, and then after a quarter more each time, in whole batches. It stops
at the first look where the largest Monte Carlo standard error over the entries of the target measure, computed from all
replicates so far, is at most X. For coverage and rejection the standard error is that of (k + 2) successes in n + 4
trials, which is not 0 when all or none succeed. For other measures a standard error of 0 means that nothing is known
about the spread, and the cell goes on, to 10,000 replicates at most: if all of so many agree, another one differs with
probability below 3/10,000 (rule of three, 95%). A cell with an entry that failed in all but one of its replicates at
a look has nothing to wait for and stops.

Its validity. It is the fixed-width rule of Chow and Robbins (1965), Annals of Mathematical Statistics 36, 457-462, for
means of independent errors with a variance, without their term that keeps a spread of 0 from stopping (a rule of its
own does that here). As X -> 0 the number of replicates over (sd/X)^2 tends to 1 (here to at most 1.25, the step between
looks, when batches are small), and value +- z X covers the truth with the nominal probability; Glynn and Whitt (1992),
Annals of Applied Probability 2, 180-198, for smooth functions of means, such as RMSE of errors with a fourth moment. At
a given X this is a limit not reached: the rule stops more readily when the spread is underestimated, so reported
standard errors are too small and intervals cover less than they say, the more the heavier the tails. Coverage of
nominal 95% intervals at the stop, with standard error 0.005 (for errors with atoms of high probability it can be far
less):

======================  =====================  ==========  ===============  ========================
target                  X                      normal      exponential      t, 5 degrees of freedom
======================  =====================  ==========  ===============  ========================
mean, sd 1              0.09 / 0.05 / 0.025    .95/.95/.95  .94/.94/.95     -
RMSE, relative          0.1 / 0.05 / 0.03      .94/.95/.95  .88/.92/.945    .90/.92/.93
======================  =====================  ==========  ===============  ========================

So for RMSE ask for 0.03 or less. With several cells or entries each has this by itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from dkps_theory._validate import positive_number, require, shown
from simulations.performance import target_mcse
from simulations.store import Store

#: Replicates before the first look, and how much further each next look is.
FIRST_LOOK, STEP = 100, 1.25

#: Replicates that all agree stop a cell here at the latest.
LAST_LOOK = 10_000


@dataclass(frozen=True)
class Until:
    """A limit for the Monte Carlo standard error, and the most replicates of a cell that may be spent on it."""

    limit: float
    most: int | None = None

    def __post_init__(self) -> None:
        require(positive_number(self.limit), f"--until-mcse: got {shown(self.limit)}; it must be a number above 0")

    def first(self, cells: int) -> list[int]:
        """Return the replicates of each cell to begin with."""
        return [FIRST_LOOK if self.most is None else min(FIRST_LOOK, self.most)] * cells


def next_look(store: Store, until: Until) -> list[int] | None:
    """Return the replicates that each cell needs until it is looked at again; None when every cell has enough."""
    planned = list(store.manifest["planned"])
    for cell, count in enumerate(planned):
        if (until.most is None or count < until.most) and not is_precise(store, cell, until.limit):
            planned[cell] = later_look(count, store.manifest["batch_size"], until.most)
    return None if planned == store.manifest["planned"] else planned


def later_look(count: int, batch_size: int, most: int | None) -> int:
    """Return when the next look is: a quarter later, in whole batches.

    Examples
    --------
    >>> later_look(100, 50, None), later_look(150, 50, 160)
    (150, 160)
    """
    later = batch_size * math.ceil(STEP * count / batch_size)
    return later if most is None else min(later, most)


def is_precise(store: Store, cell: int, limit: float) -> bool:
    """Whether the target measure of a cell is known to within ``limit``."""
    worst = target_mcse(store, cell)
    return worst <= limit or (math.isinf(worst) and len(store.finished(cell)) >= LAST_LOOK)
