"""Figures of a study's report: rates along r and across cells, the band, perspectives, factorials and coverage."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from dkps_theory.pages import (
    Loop,
    Series,
    cloud_plot,
    figure_block,
    heat_map,
    nested_loop_plot,
    rate_plot,
    ratio_plot,
    zip_plot,
)
from simulations.performance import PROPORTIONS, Row
from simulations.rates import RateFit
from simulations.report_tables import page_maths, slope_with_se, titles, where
from simulations.slabs import one_entry
from simulations.store import Store
from simulations.summaries import Band, Curve

#: What a figure of rates shows, in this order, as far as the cell has it.
_DRAWN = ("dissimilarity", "squared", "debiased", "frobenius", "nearest")

#: Lines of one figure; figures of one kind; panels of a zip plot.
_LINES, _FIGURES, _ZIPS = 6, 6, 6


def _figure_maths(title: str) -> str:
    """Set the symbol that titles of outputs use in matplotlib's mathtext."""
    return title.replace("Ψ̂", r"$\hat{\Psi}$")


def _unit(cell: Mapping[str, Any]) -> str:
    """Return the unit of D and Psi, for mathtext."""
    exponent = cell.get("exponent", 1)
    return "embedding units" if exponent == 1 else f"embedding units$^{{{exponent:g}}}$"


def _wrapped(label: str) -> str:
    """Break a label that is longer than an axis."""
    return textwrap.fill(label, 38, break_long_words=False)


def curve_figures(store: Store, found: Sequence[Curve]) -> list[Markup]:
    """Return one figure per cell: its errors along r."""
    known, blocks = titles(store), []
    for index, cell in enumerate(store.cells):
        mine = [c for c in found if c.cell == cell["name"] and not math.isnan(c.rmse[-1]) and c.rmse.min() > 0]
        chosen = [c for c in mine if c.output in _DRAWN] or mine[:5]
        if not chosen:
            continue
        chosen.sort(key=lambda curve: _DRAWN.index(curve.output) if curve.output in _DRAWN else len(_DRAWN))
        series = [
            Series(
                _figure_maths(known[curve.output]),
                curve.r,
                curve.rmse,
                np.nan_to_num(curve.se),
                exact=curve.exact,
                rate=curve.predicted,
                asymptotic=curve.asymptotic,
            )
            for curve in chosen
        ]
        rates = "; ".join(f"{page_maths(known[c.output])} {slope_with_se(c.slope, c.slope_se)}" for c in chosen)
        remark = f"{cell['remark'][:1].upper()}{cell['remark'][1:]}. " if cell["remark"] else ""
        label = "RMSE"
        if "exponent" in cell:
            squared = "squared for D²" if cell["exponent"] == 1 else f"D²: power {2 * cell['exponent']:g}"
            label = f"RMSE ({_unit(cell)}, {squared})"
        elif unit := store.outputs[chosen[0].output]["unit"]:
            label = f"RMSE ({unit})"
        figure = rate_plot(series, y_label=label)
        blocks.append(
            figure_block(figure, f"{remark}Fitted slopes: {rates}.", label=f"rate-{index}", title=cell["title"])
        )
    return blocks


def band_figure(exact: Band) -> Markup:
    """Return the figure of simulated over exact RMSE."""
    series = [
        (cell, exact.r, exact.ratio[at], exact.low[at], exact.high[at])
        for at, (cell, output) in enumerate(zip(exact.cell, exact.output, strict=True))
        if output == "squared" or "squared" not in exact.output
    ]
    caption = (
        "Every interval should contain 1. The points of one cell come from the same paths, so neighbours move "
        "together; the points of different cells are set apart sideways."
    )
    return figure_block(ratio_plot(series), caption, label="band", title="Simulated over exact RMSE", width="wide")


def cloud_figures(store: Store) -> list[Markup]:
    """Return one figure per cell of perspectives around the true ones, for studies that keep some."""
    shown = store.axis("r_shown")
    if shown is None or "configuration" not in store.outputs or "perspectives" not in store.truths:
        return []
    blocks = []
    for index, cell in enumerate(store.cells):
        d = cell.get("dimension")
        estimates = store.values("configuration", index)
        if d is None or not np.isfinite(estimates).any() or "configuration" in cell["absent"]:
            continue
        truth = store.truth("perspectives", index)
        axes = (1, 2) if d > 2 else (0, 1)
        figure = cloud_plot(truth[:, :d], estimates[..., :d], np.asarray(shown), axes=axes, unit=_unit(cell))
        blocks.append(figure_block(figure, _cloud_caption(cell), label=f"cloud-{index}", title=cell["title"]))
    return blocks


def _cloud_caption(cell: Mapping[str, Any]) -> str:
    if cell["rates"].get("frobenius") == 0:
        return "The clouds do not shrink to points: at every r the noise picks one of several solutions anew."
    axes = "The last two axes. " if cell["dimension"] > 2 else ""
    speed = cell["rates"].get("frobenius", -0.5)
    return f"{axes}The clouds shrink onto the crosses, in size like $r^{{{speed:g}}}$."


def rate_figures(store: Store, fits: Sequence[RateFit]) -> list[Markup]:
    """Return figures of errors across cells, the entries of one group of cells in one figure."""
    groups: dict[tuple[Any, ...], list[RateFit]] = {}
    for fit in fits:
        if np.isfinite(fit.rmse).all() and fit.rmse.min() > 0 and fit.x.min() > 0:
            groups.setdefault((fit.output, fit.along, *fit.levels.items()), []).append(fit)
    blocks = []
    for index, ((output, along, *_), mine) in enumerate(list(groups.items())[:_FIGURES]):
        series = [
            Series(
                _figure_maths(where(fit.labels) or titles(store)[output]), fit.x, fit.rmse, fit.se, rate=fit.predicted
            )
            for fit in mine[:_LINES]
        ]
        unit, title = store.outputs[output]["unit"], _figure_maths(titles(store)[output])
        figure = rate_plot(series, x_label=along, y_label=_wrapped(f"RMSE of {title}{f' ({unit})' if unit else ''}"))
        more = "" if len(mine) <= _LINES else f" The first {_LINES} of {len(mine)} entries."
        title = page_maths(titles(store)[output])
        levels = where(mine[0].levels)
        caption = f"Each point is a cell; bars are two Monte Carlo standard errors.{more}"
        blocks.append(
            figure_block(figure, caption, label=f"across-{index}", title=f"{title}, {levels}" if levels else title)
        )
    return blocks


# Factorials and coverage


def varying(store: Store) -> list[str]:
    """Return the factors with more than one level, if every cell is told apart by them; else nothing."""
    names = list(dict.fromkeys(name for cell in store.cells for name in cell["factors"]))
    if any(name not in cell["factors"] for cell in store.cells for name in names):
        return []
    several = [name for name in names if len({cell["factors"][name] for cell in store.cells}) > 1]
    places = {tuple(cell["factors"][name] for name in several) for cell in store.cells}
    return several if len(places) == len(store.cells) else []


def measure_figures(store: Store, at: int, measure: Mapping[str, Any], rows: Sequence[Row]) -> list[Markup]:
    """Return the figures of measure number ``at``: a heat map or nested loops over the grid, and a zip plot."""
    factors = varying(store)
    blocks: list[Markup] = []
    entries, more = _entries(rows)
    flat = len({row.value for row in rows if row.value is not None}) < 2  # nothing to see, the table says it
    if len(factors) >= 2 and entries and not flat:
        numbers = all(not isinstance(cell["factors"][name], str) for cell in store.cells for name in factors)
        if len(factors) == 2 and numbers:
            blocks += _heat_maps(store, at, measure, rows, factors, entries, more)
        else:
            blocks.append(_nested_loops(store, at, measure, rows, factors, entries, more))
    if measure["upper"] is not None:
        blocks += _zip(store, at, measure, rows)
    return blocks


def _entries(rows: Sequence[Row]) -> tuple[list[str], str]:
    """Choose the entries to draw: all when they are few, else those at the end of every axis of numbers."""
    last = {axis: label for row in rows for axis, label in row.labels.items() if not isinstance(label, str)}
    known = {where(row.labels): row.labels for row in rows if row.value is not None}
    chosen = list(known)
    if len(chosen) > _LINES:
        chosen = [
            name for name, labels in known.items() if all(labels[axis] == last[axis] for axis in last if axis in labels)
        ]
    more = "" if len(chosen[:_LINES]) == len(known) else f" {min(len(chosen), _LINES)} of {len(known)} entries."
    return chosen[:_LINES], more


def _of_cells(store: Store, rows: Sequence[Row], entry: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of an entry and their standard errors, by cell; NaN where there is none."""
    known = {row.cell: row for row in rows if where(row.labels) == entry and row.value is not None}
    found = [known.get(cell["name"]) for cell in store.cells]
    values = np.array([np.nan if row is None else row.value for row in found], dtype=np.float64)
    se = np.array([np.nan if row is None or row.se is None else row.se for row in found], dtype=np.float64)
    return values, se


def _heat_maps(
    store: Store,
    at: int,
    measure: Mapping[str, Any],
    rows: Sequence[Row],
    factors: list[str],
    entries: list[str],
    more: str,
) -> list[Markup]:
    levels = [sorted({cell["factors"][name] for cell in store.cells}) for name in factors]
    blocks = []
    for position, entry in enumerate(entries):
        values = np.full((len(levels[0]), len(levels[1])), np.nan)
        se = values.copy()
        places = tuple(
            [levels[i].index(cell["factors"][name]) for cell in store.cells] for i, name in enumerate(factors)
        )
        values[places], se[places] = _of_cells(store, rows, entry)
        figure = heat_map(
            (factors[1], levels[1]), (factors[0], levels[0]), values, se, label=measure["kind"].replace("_", " ")
        )
        caption = f"In each cell the value and its Monte Carlo standard error.{more}"
        title = f"{measure['name']}{f': {entry}' if entry else ''}"
        blocks.append(figure_block(figure, caption, label=f"heat-{at}-{position}", title=title))
    return blocks


def _nested_loops(
    store: Store,
    at: int,
    measure: Mapping[str, Any],
    rows: Sequence[Row],
    factors: list[str],
    entries: list[str],
    more: str,
) -> Markup:
    loops = [Loop(entry, *_of_cells(store, rows, entry)) for entry in entries]
    known = np.concatenate([loop.values[np.isfinite(loop.values)] for loop in loops])
    spread = bool(known.min() > 0 and known.max() > 20 * known.min())
    log = spread and measure["kind"] in {"rmse", "empirical_se"}
    reference = {"bias": 0.0, "rmse_ratio": 1.0}.get(measure["kind"])
    if measure["kind"] in PROPORTIONS:
        reference = measure["level"]
    columns = {name: [cell["factors"][name] for cell in store.cells] for name in factors}
    figure = nested_loop_plot(
        columns, loops, y_label=_wrapped(_figure_maths(measure["name"])), reference=reference, log=log
    )
    caption = f"Each step is a cell; its levels are below. Bars are two Monte Carlo standard errors.{more}"
    return figure_block(figure, caption, label=f"loops-{at}", title=measure["name"], width="wide")


def _zip(store: Store, at: int, measure: Mapping[str, Any], rows: Sequence[Row]) -> list[Markup]:
    """Return a zip plot of the entries that cover least."""
    cells = {cell["name"]: index for index, cell in enumerate(store.cells)}
    known = sorted((row for row in rows if row.value is not None), key=lambda row: (row.value, row.n))[:_ZIPS]
    panels = []
    for row in known:
        cell = cells[row.cell]
        ends = one_entry(store, measure, cell, row.labels)
        good = np.isfinite(ends).all(axis=0)
        place = ", ".join(filter(None, [row.cell, where(row.labels)]))
        panels.append((place, ends[0][good], ends[1][good]))
    if not panels:
        return []
    which = "All entries" if len(panels) == len(rows) else f"The {len(panels)} entries of {len(rows)} that cover least"
    caption = (
        f"{which}. Each line is the interval of a replicate less the truth, the farthest from it at the top; with more "
        "than 200 replicates each line stands for several. Intervals that lie on one side in orange show bias; orange "
        "below the dashed line, intervals that are too short."
    )
    unit = store.outputs[measure["output"]]["unit"]
    figure = zip_plot(panels, nominal=measure["level"], unit=unit)
    return [figure_block(figure, caption, label=f"zip-{at}", title=measure["name"], width="wide")]
