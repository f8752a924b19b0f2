"""Progress of long work: a bar with the time left on a terminal, plain lines elsewhere. Both go to standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

#: Called with the number of units done since the last call, and what is being done.
Advance = Callable[[int, str], None]

#: Seconds between plain lines.
_PAUSE = 10.0


def silent(_count: int, _what: str) -> None:
    """Report nothing."""


@contextmanager
def show_progress(total: int | None, title: str, unit: str = "replicates") -> Iterator[Advance]:
    """Show progress over ``total`` units while the block runs, None when nobody knows; yields the function to call."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(total, title, unit)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task(title, total=total)
        yield lambda count, what: bars.update(task, advance=count, description=f"{title}: {what}")


def _lines(total: int | None, title: str, unit: str) -> Advance:
    """Return a function that prints a line when the work starts, now and then, and when it ends."""
    begun = time.monotonic()
    state = {"done": 0, "printed": -_PAUSE}

    def advance(count: int, what: str) -> None:
        state["done"] += count
        elapsed = time.monotonic() - begun
        done = state["done"]
        if elapsed - state["printed"] < _PAUSE and done != total:
            return
        state["printed"] = elapsed
        of = "" if total is None else f" of {total:,}"
        left = (
            ""
            if total is None or not 0 < done < total or elapsed < 3
            else f", about {elapsed * (total - done) / done:.0f} s left"
        )
        line = f"{title}: {what}, {done:,}{of} {unit}, {elapsed:.0f} s{left}"
        print(line, file=sys.stderr, flush=True)

    return advance
