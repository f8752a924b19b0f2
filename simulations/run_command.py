"""What ``simulate`` does: settings, a store to begin or go on with, an executor, and a last word.

Everything that can be refused is refused before anything is computed, in one line.
"""

from __future__ import annotations

import math
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dkps_theory._numerics import numerics
from dkps_theory._validate import require, whole_number
from simulations.catalogue import Recipe, recipe
from simulations.config import read_config, read_settings
from simulations.progress import show_progress
from simulations.study import FEWEST_REPLICATES

if TYPE_CHECKING:
    from simulations.batches import Computed
    from simulations.runner import Executor, Prepared
    from simulations.store import Store

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Options:
    """The options of ``simulate``, as the command line has them."""

    study: str
    config: Path | None = None
    settings: tuple[str, ...] = ()
    replicates: int | None = None
    seed: int | None = None
    out: Path | None = None
    resume: bool = False
    overwrite: bool = False
    workers: int | None = None
    scheduler: str | None = None
    until_mcse: float | None = None
    max_time: str | None = None


def seconds_of(text: str) -> float:
    """Return a length of time in seconds.

    Examples
    --------
    >>> seconds_of("90s"), seconds_of("1.5m"), seconds_of("2h"), seconds_of("45")
    (90.0, 90.0, 7200.0, 45.0)
    """
    number, unit = (text[:-1], text[-1]) if text[-1:] in _UNITS else (text, "s")
    try:
        seconds = float(number) * _UNITS[unit]
    except ValueError:
        seconds = math.nan
    require(0 < seconds < math.inf, f"--max-time {text}: must be a time such as 90s, 30m or 2h")
    return seconds


def run(options: Options) -> None:
    """Run ``simulate``.

    Raises
    ------
    InputError
        On wrong input; and when the store or the cluster fails, after which ``--resume`` goes on.
    """
    begun = time.monotonic()
    chosen, settings = _recipe(options)
    numerics()  # before anything that starts JAX, or its flags come too late
    from simulations.pilot import Pilot  # noqa: PLC0415
    from simulations.report import print_summary  # noqa: PLC0415
    from simulations.runner import Prepared, begin, carry_out, missing  # noqa: PLC0415
    from simulations.stopping import Until  # noqa: PLC0415
    from simulations.store_setup import check_target  # noqa: PLC0415

    deadline = begun + seconds_of(options.max_time) if options.max_time else math.inf
    require(options.workers is None or options.scheduler is None, "--workers and --scheduler: choose one")
    study = chosen.study
    limit = options.until_mcse
    require(limit is None or study.target is not None, f"--until-mcse: study {study.name!r} has no target measure")
    most = options.replicates if options.replicates is not None else settings.get("replicates")
    until = None if limit is None else Until(limit, None if most is None else _count(most))
    asked = None if most is None else _count(most)
    seed = whole_number("seed", settings.get("seed", 0) if options.seed is None else options.seed, 0, 2**32 - 1)
    out = Path(f"{study.name}.zarr") if options.out is None else options.out
    path = check_target(out, overwrite=options.overwrite, resume=options.resume)
    prepared = Prepared(study, seed)
    planned: list[int] | None = [study.replicates if asked is None else asked] * len(study.cells)
    if options.resume and path.exists() and (until or asked is None):
        planned = None  # as the store has it
    elif until:
        planned = until.first(len(study.cells))
    with (
        _executor(options, chosen, prepared) as executor,
        begin(
            prepared, path, planned=planned, source=chosen, overwrite=options.overwrite, resume=options.resume
        ) as store,
    ):
        _say_how_far(store, asked, resumed=options.resume)
        tasks = missing(store)
        pilot = Pilot(tasks, options.workers or 1)

        def watch(batch: Computed) -> None:
            forecast = pilot.watch(batch)
            if forecast is not None and sys.stderr is not None:
                print(f"{study.name}: {forecast.line}", file=sys.stderr, flush=True)

        total = None if until else sum(task.size for task in tasks)
        try:
            with show_progress(total, study.name) as advance:
                done = carry_out(store, executor, advance=advance, watch=watch, until=until, deadline=deadline)
        except BaseException:
            print(f"{out}: keeps {_how_far(store)}; go on with --resume", file=sys.stderr)
            raise
    print_summary(store)
    print(f"{out}: {_how_far(store)} in {time.monotonic() - begun:.0f} s")
    if not done:
        print(f"stopped after --max-time {options.max_time}, as asked; go on with --resume")
    print(f"next: dkps-theory report {shlex.quote(str(out))} --html {shlex.quote(out.with_suffix('.html').name)}")


def _recipe(options: Options) -> tuple[Recipe, dict[str, object]]:
    """Return the study's recipe with its settings, and the settings: the file's, overridden by ``--set``."""
    plain = recipe(options.study)
    settings = {} if options.config is None else read_config(options.config, plain.study.name)
    settings |= read_settings(options.settings)
    changed = Recipe(plain.source, plain.text, settings)
    _ = changed.study  # refused now, if it does not fit
    return changed, settings


def _count(value: object) -> int:
    return whole_number("replicates", value, FEWEST_REPLICATES, 2**32 - 1)


@contextmanager
def _executor(options: Options, chosen: Recipe, prepared: Prepared) -> Iterator[Executor]:
    from simulations.runner import LocalDevices  # noqa: PLC0415
    from simulations.scheduler import existing_cluster, local_cluster  # noqa: PLC0415

    if options.workers is not None:
        with local_cluster(options.workers, chosen, prepared.seed) as cluster:
            yield cluster
    elif options.scheduler is not None:
        with existing_cluster(options.scheduler, chosen, prepared.seed) as cluster:
            yield cluster
    else:
        yield LocalDevices(prepared)


def _how_far(store: Store) -> str:
    """Return how many replicates are there, in words."""
    counts = [len(store.finished(cell)) for cell in range(len(store.cells))]
    planned = store.manifest["planned"]
    cells = f"{len(counts)} cells" if len(counts) > 1 else "1 cell"
    if store.is_complete and min(counts) == max(counts):
        return f"{counts[0]:,} replicates of {cells}"
    return f"{sum(counts):,} of {sum(planned):,} replicates of {cells}"


def _say_how_far(store: Store, asked: int | None, *, resumed: bool) -> None:
    if resumed and any(len(store.finished(cell)) for cell in range(len(store.cells))):
        print(f"{store.path}: has {_how_far(store)}", file=sys.stderr)
        planned = max(store.manifest["planned"])
        if asked is not None and asked < planned:
            print(f"{store.path}: is planned for {planned:,} replicates, which {asked:,} do not undo", file=sys.stderr)
