"""The report of a study: a summary on the terminal, a page under the ADEMP headings, and CSV files of every number.

Everything comes from the store, in parts that fit in memory; an unfinished store is reported as far as it is.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from markupsafe import Markup
from rich.console import Console

from dkps_theory._validate import InputError
from dkps_theory.pages import Section, Table, grid, number, page, prose
from simulations.exports import write_csv, write_replicates_csv
from simulations.performance import Row, measured
from simulations.rates import RateFit, fitted_rates
from simulations.report_figures import (
    band_figure,
    cloud_figures,
    curve_figures,
    measure_figures,
    rate_figures,
)
from simulations.report_tables import (
    TOLERANCE,
    agrees,
    all_slopes,
    cells_table,
    failures_block,
    folded,
    maybe_folded,
    measure_block,
    rates_block,
    replay_line,
    short_slopes,
    slope_with_se,
    tally,
    truths_table,
    where,
)
from simulations.store import Store
from simulations.summaries import ASYMPTOTIC_SHARE, FEWEST_FOR_BAND, Band, Curve, band, curves

#: Rates that the terminal shows.
_PRINTED = 20

__all__ = ["agrees", "html", "print_summary", "tally", "write_csv", "write_html", "write_replicates_csv"]


def print_summary(store: Store) -> None:
    """Print how far the run is, slopes, the verdict of the band, measures, and failures."""
    console = Console(highlight=False, markup=False)
    unfinished = _unfinished(store)
    if unfinished:
        console.print(unfinished, soft_wrap=True)
    found = curves(store)
    if found:
        console.print(short_slopes(store, found, as_text=True).rich())
        console.print(_band_sentence(band(found)))
    measures = [_in_short(measure, rows) for measure, rows in _by_measure(store)]
    if measures:
        console.print(Table(["measure", ">entries", ">known", ">largest standard error", ">failed"], measures).rich())
    rates = [
        [f"{fit.output} along {fit.along}", where({**fit.levels, **fit.labels}), number(fit.predicted), _slope(fit)]
        for fit in islice(fitted_rates(store), _PRINTED)
    ]
    if rates:
        console.print(Table(["rate", "where", ">predicted", ">slope"], rates).rich())
    failures = store.failures()
    console.print(f"{len(failures):,} failures")
    if failures:
        console.print(f"replay one: {replay_line(store, failures[0])}", soft_wrap=True)


def _in_short(measure: dict[str, Any], rows: list[Row]) -> list[str]:
    """Return one line about a measure: how many entries, how well known, how many failures."""
    errors = [row.se for row in rows if row.se is not None]
    known = sum(row.value is not None for row in rows)
    worst = number(max(errors), 2) if errors else number(None)
    failed = sum(row.failures for row in rows)
    return [measure["name"], f"{len(rows):,}", f"{known:,}", worst, f"{failed:,}"]


def _slope(fit: RateFit) -> str:
    return slope_with_se(fit.slope, fit.slope_se)


def write_html(store: Store, path: str | Path) -> None:
    """Write the page.

    Raises
    ------
    InputError
        When the file cannot be written.
    """
    text = html(store)
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error


def html(store: Store) -> str:
    """Return the self-contained page of a study."""
    about = store.manifest
    truths = truths_table(store)
    sections = [
        Section("Aims", [prose(about["aims"])]),
        Section("Data-generating mechanisms", [prose(about["data"]), maybe_folded(cells_table(store), "cells")]),
        Section(
            "Estimands", [prose(about["estimands"]), *([] if truths is None else [maybe_folded(truths, "true values")])]
        ),
        Section("Methods", [prose(about["methods"])]),
    ]
    # What the study has to say comes before what every study shows.
    sections += [_own_section(store, target) for target in about["sections"]]
    sections.append(_performance_section(store))
    sections += _rates_section(store)
    sections += _along_r(store)
    clouds = cloud_figures(store)
    if clouds:
        sections.append(Section("Perspectives", [prose(_CLOUDS_TEXT), grid(clouds)]))
    failures = store.failures()
    blocks = [failures_block(store, failures)] if failures else [prose("No replicate failed.")]
    sections.append(Section("Failures", blocks))
    sections.append(Section("How it was made", [_made(store).html()]))
    lead = Markup("{}").format(_lead(store))
    unfinished = _unfinished(store)
    if unfinished:
        lead += Markup('<br><span class="bad">{}</span>').format(unfinished)
    return page(about["title"], [section for section in sections if section is not None], lead=lead)


def _lead(store: Store) -> str:
    counts = sorted({len(store.finished(cell)) for cell in range(len(store.cells))})
    replicates = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
    return f"{replicates} replicates of {len(store.cells):,} cells, seed {store.manifest['seed']}"


def _unfinished(store: Store) -> str:
    """Return one line that says how much of a run is missing; empty when it is complete."""
    done = [len(store.finished(cell)) for cell in range(len(store.cells))]
    planned = store.manifest["planned"]
    behind = sum(have < want for have, want in zip(done, planned, strict=True))
    if not behind:
        return ""
    missing = f"{behind:,} of {len(done):,} cells lack some"
    return f"The run is not complete: {sum(done):,} of {sum(planned):,} replicates; {missing}."


# Sections

_RATES_TEXT = (
    "Points are root mean square errors with bars of two Monte Carlo standard errors (often smaller than the point). "
    "A solid line is the exact finite-r curve; a dashed line has the predicted slope and goes through the last point. "
    "Hollow points are those whose predicted non-asymptotic share of the mean square is 1% or more: they are left out "
    "of the fit, and may lie off the dashed line."
)

_CLOUDS_TEXT = (
    "Crosses are the true perspectives, dots the estimates of some replicates after the best orthogonal motion, "
    "coloured by model, at four values of r and on one scale."
)

_ACROSS_TEXT = (
    "Slope of log RMSE on the logarithm of a factor, across cells that agree in all others, with its Monte Carlo "
    "standard error: cells are independent, and the noise of each point is known from its own replicates. Where cells "
    "share random numbers, the replicates that all of them have are taken as paths. Lack of fit is the p-value of a "
    "straight line. A slope on a finite range need not be the limit that is predicted."
)


def _by_measure(store: Store) -> Iterator[tuple[dict[str, Any], list[Row]]]:
    """Return each measure with its rows, one measure at a time."""
    for measure in store.manifest["measures"]:
        yield measure, [row for cell in range(len(store.cells)) for row in measured(store, measure, cell)]


def _performance_section(store: Store) -> Section:
    blocks: list[object] = [prose(store.manifest["performance"])]
    for at, (measure, rows) in enumerate(_by_measure(store)):
        if rows:
            blocks += [measure_block(store, measure, rows), *measure_figures(store, at, measure, rows)]
    return Section("Performance measures", blocks)


def _rates_section(store: Store) -> list[Section]:
    fits = list(fitted_rates(store))
    if not fits:
        return []
    figures = rate_figures(store, fits)
    return [
        Section("Rates across cells", [prose(_ACROSS_TEXT), rates_block(fits), *([grid(figures)] if figures else [])])
    ]


def _along_r(store: Store) -> list[Section]:
    found = curves(store)
    if not found:
        return []
    everything = folded("Every slope, with its range and lack of fit", all_slopes(store, found).html())
    sections = [
        Section("Slopes", [prose(_slopes_text(found)), short_slopes(store, found).html(), everything]),
        Section("Errors against r", [prose(_RATES_TEXT), grid(curve_figures(store, found))]),
    ]
    exact = band(found)
    if exact is not None:
        sections.append(Section("The exact curve of D²", [prose(_band_sentence(exact)), band_figure(exact)]))
    return sections


def _slopes_text(found: Sequence[Curve]) -> str:
    judged = [agrees(curve) for curve in found]
    return (
        "Slope of log RMSE on log r, fitted where the predicted non-asymptotic share of the mean square is below "
        f"{100 * ASYMPTOTIC_SHARE:g}%, with its Monte Carlo standard error. It agrees when it is within {TOLERANCE:g} "
        "of the predicted slope and three standard errors are no more than that; it does not when it is off by more "
        f"than both together; else it is undecided. Agree: {tally(judged)}. Lack of fit is the p-value of a straight "
        "line."
    )


def _band_sentence(exact: Band | None) -> str:
    if exact is None:
        return f"No band: it needs exact curves and at least {FEWEST_FOR_BAND} replicates."
    inside = "all inside" if exact.outside == 0 else f"{exact.outside} OUTSIDE"
    return (
        f"Simulated over exact RMSE of D² and of its debiased form: a simultaneous {100 * exact.confidence:g}% band "
        f"over {exact.points} points (Bonferroni, Satterthwaite intervals for the mean squares): {inside}."
    )


def _own_section(store: Store, target: str) -> Section | None:
    """Return a section that the study itself makes, or one line when its code is not here."""
    module, _, name = target.partition(":")
    try:
        make = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        return Section("More", [prose(f"A section of this study is left out: `{target}` is not here ({error}).")])
    return make(store)


def _made(store: Store) -> Table:
    about = store.manifest
    done = sum(len(store.finished(cell)) for cell in range(len(store.cells)))
    lines = [
        ["study", about["study"]],
        ["replicates, seed", f"{done:,} in all, {about['seed']}"],
        ["batches of", about["batch_size"]],
        ["begun", about["created"]],
        ["time spent on batches", f"{store.seconds:.0f} s"],
        *(["on", ", ".join(filter(None, platform.values()))] for platform in store.platforms),
        ["versions", ", ".join(f"{name} {found}" for name, found in about["versions"].items())],
        ["design", Markup("<code>{}</code>").format(about["design_hash"])],
    ]
    return Table(["", ""], lines)
