"""The pilot: from the first two batches of every cell to the time that a whole run takes.

The first batch of a cell in a process compiles and computes; the second one only computes. Cells of equal shapes share
compiled code, so most first batches cost little more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from simulations.batches import Computed, Task


@dataclass(frozen=True)
class Forecast:
    """What a pilot says.

    Attributes
    ----------
    compiling
        Seconds that the first batches took beyond the second ones, over all cells.
    steady
        Seconds of one batch of every cell, once compiled.
    left
        Seconds until the rest is done, by all processes together over their number.
    """

    compiling: float
    steady: float
    left: float

    @property
    def line(self) -> str:
        """One line for the terminal."""
        return (
            f"pilot: compiling {self.compiling:.1f} s in all, then {self.steady:.2f} s for a batch of every cell; "
            f"about {self.left:.0f} s left"
        )


@dataclass
class Pilot:
    """Watches the batches of a run and makes one forecast.

    Parameters
    ----------
    tasks
        What the run has to do.
    processes
        How many batches are computed at the same time.
    """

    tasks: Sequence[Task]
    processes: int = 1
    _seconds: dict[int, list[float]] = field(default_factory=dict)
    _made: bool = False

    def __post_init__(self) -> None:
        self._counts = Counter(task.cell for task in self.tasks)

    def watch(self, batch: Computed) -> Forecast | None:
        """Take note of a batch; return the forecast as soon as every cell with two batches to do has done two."""
        self._seconds.setdefault(batch.task.cell, []).append(batch.seconds)
        if self._made:
            return None
        counts = self._counts
        if any(len(self._seconds.get(cell, [])) < min(2, count) for cell, count in counts.items()):
            return None
        self._made = True
        steady = {cell: min(seconds) for cell, seconds in self._seconds.items()}
        first = sum(seconds[0] - steady[cell] for cell, seconds in self._seconds.items())
        left = sum(steady[cell] * (count - len(self._seconds[cell])) for cell, count in counts.items())
        return Forecast(first, sum(steady.values()), left / self.processes) if left > 0 else None
