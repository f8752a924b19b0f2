"""Figures of factorial designs and of coverage: nested loops, heat maps and zip plots, in the style of the package."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullLocator
from scipy import stats

from dkps_theory.pages.figures import _MARKERS, COLOURS, new_figure, styled
from dkps_theory.pages.tables import count, number

#: The most intervals drawn in one panel of a zip plot; each then stands for several replicates.
_INTERVALS = 200

#: The most combinations of levels whose points get markers.
_MARKED = 60


@dataclass(frozen=True, eq=False)
class Loop:
    """One method in a nested-loop plot.

    Parameters
    ----------
    label
        For the legend; mathtext allowed.
    values, se
        The measure at each combination of levels, and its Monte Carlo standard error; NaN where there is none.
    """

    label: str
    values: np.ndarray
    se: np.ndarray


@styled
def nested_loop_plot(
    factors: Mapping[str, Sequence[float | str]],
    loops: Sequence[Loop],
    *,
    y_label: str,
    reference: float | None = None,
    log: bool = False,
) -> Figure:
    """Draw a measure over all combinations of levels, as loops in loops, with the levels as steps below.

    Rücker and Schwarzer (2014), BMC Medical Research Methodology 14:129. Bars are two Monte Carlo standard errors.

    Parameters
    ----------
    factors
        The level of each factor at each combination, by name; the outermost loop first. Combinations are sorted by the
        order in which levels first appear.
    loops
        The methods, at the same combinations.
    y_label
        Name of the measure.
    reference
        A level to compare with, such as 0 for bias; a thin line.
    log
        Put the measure on a log axis.
    """
    names = list(factors)
    ranks = {name: {level: at for at, level in enumerate(dict.fromkeys(factors[name]))} for name in names}
    if names:
        keys = [[ranks[name][level] for level in factors[name]] for name in reversed(names)]
        order = np.lexsort(np.asarray(keys))
    else:
        order = np.arange(len(loops[0].values))
    size = len(order)
    below = 0.32 * len(names) + 0.1
    figure, _ = new_figure(width=7.0, height=2.9 + below + 0.2 * len(loops))
    figure.clear()
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[2.4, below])
    x = np.arange(size, dtype=np.float64)
    if reference is not None:
        top.axhline(reference, color=COLOURS["black"], linewidth=0.8)
    colours = list(COLOURS.values())
    for index, loop in enumerate(loops):
        colour, marker = colours[index % len(colours)], _MARKERS[index % len(_MARKERS)]
        values, bars = loop.values[order], 2 * np.nan_to_num(loop.se[order])
        top.stairs(values, np.arange(size + 1) - 0.5, baseline=None, color=colour, linewidth=1.1, alpha=0.75)
        # The methods stand beside each other, so that their bars can be told apart.
        aside = 0.5 * ((index + 0.5) / len(loops) - 0.5) if size <= _MARKED else 0.0
        low = np.minimum(bars, 0.999 * np.abs(values)) if log else bars
        style: dict[str, Any] = {"color": colour, "linestyle": "none", "elinewidth": 0.9, "capsize": 0}
        mark = marker if size <= _MARKED else "none"
        top.errorbar(x + aside, values, np.stack([low, bars]), marker=mark, markersize=3.4, **style)
        top.plot([], [], color=colour, marker=mark, markersize=3.4, label=loop.label)
    top.set(ylabel=y_label, xlim=(-0.6, size - 0.4))
    if log:
        top.set_yscale("log")
    top.xaxis.set_major_locator(NullLocator())
    top.grid(visible=False, axis="x")
    _factor_steps(bottom, {name: [factors[name][int(at)] for at in order] for name in names})
    if len(loops) > 1:
        # About 95 letters fit across, of which a line's sample takes six.
        longest = max(len(loop.label) for loop in loops) + 6
        figure.legend(loc="outside lower left", ncols=max(1, min(3, len(loops), 95 // longest)))
    return figure


def _factor_steps(axes: Axes, factors: Mapping[str, Sequence[float | str]]) -> None:
    """Draw each factor as a staircase, its levels written at the steps where there is room for them."""
    size = max((len(levels) for levels in factors.values()), default=0)
    for row, (name, levels) in enumerate(factors.items()):
        known = list(dict.fromkeys(levels))
        height = np.array([known.index(level) for level in levels]) / max(1, len(known) - 1)
        base = len(factors) - 1 - row
        edges = np.arange(size + 1) - 0.5
        steps = base + 0.12 + 0.5 * height
        axes.stairs(steps, edges, baseline=None, color=COLOURS["black"], linewidth=0.9)
        starts = [0, *(at for at in range(1, size) if levels[at] != levels[at - 1]), size]
        # A character is about one per cent of the width of the plot.
        shares = [(stop - start, _level(levels[start])) for start, stop in itertools.pairwise(starts)]
        if all(width / size >= 0.011 * len(text) + 0.004 for width, text in shares):
            for start, stop in itertools.pairwise(starts):
                middle = (start + stop - 1) / 2
                axes.text(middle, steps[start] + 0.05, _level(levels[start]), fontsize=7.5, ha="center", va="bottom")
        else:
            beside = textwrap.shorten("; ".join(map(_level, known)), 26, placeholder=" ...")
            side = axes.get_yaxis_transform()
            axes.text(1.008, base + 0.4, beside, transform=side, fontsize=7.5, ha="left", va="center")
        place = axes.get_yaxis_transform()
        axes.text(-0.012, base + 0.4, name, transform=place, ha="right", va="center", fontsize=8.5)
    axes.set(ylim=(-0.05, len(factors) + 0.05))
    axes.set_axis_off()


@styled
def heat_map(
    x: tuple[str, Sequence[float | str]],
    y: tuple[str, Sequence[float | str]],
    values: np.ndarray,
    se: np.ndarray,
    *,
    label: str,
    title: str = "",
) -> Figure:
    """Draw a measure over two factors, its value in each cell with the Monte Carlo standard error where it fits.

    Parameters
    ----------
    x, y
        Names of the factors and their levels.
    values, se
        (levels of y, levels of x); NaN where there is no such cell, which stays empty.
    label
        Name of the measure, for the scale.
    title
        Which entry it is, such as the method.
    """
    values, se = np.asarray(values, dtype=np.float64), np.asarray(se, dtype=np.float64)
    rows, columns = values.shape
    width = min(7.0, 1.9 + 0.78 * columns)
    figure, (axes,) = new_figure(width=width, height=1.25 + 0.42 * rows)
    masked = np.ma.masked_invalid(values)
    filled = masked.compressed()
    low, high = (float(filled.min()), float(filled.max())) if filled.size else (0.0, 1.0)
    if not high > low:
        low, high = low - 0.5, high + 0.5
    # Errors over orders of magnitude would all have one colour on an even scale.
    norm = LogNorm(low, high) if low > 0 and high > 20 * low else Normalize(low, high)
    mesh = axes.pcolormesh(masked, cmap="cividis", norm=norm, edgecolors="white", linewidth=1.5)
    room = (width - 1.9) / columns
    with_se, digits = room >= 0.7, 3 if room >= 0.36 else 2
    for row, column in np.ndindex(rows, columns):
        if np.isfinite(values[row, column]):
            # Not the colours of the theme: the cell behind stays as it is when the page turns dark.
            ink = "#ffffff" if norm(values[row, column]) < 0.55 else "#000000"
            text = number(float(values[row, column]), digits)
            if with_se and np.isfinite(se[row, column]):
                text += f"\n± {number(float(se[row, column]), 2)}"
            axes.text(column + 0.5, row + 0.5, text, color=ink, ha="center", va="center", fontsize=7, linespacing=1.1)
    axes.set(xlabel=x[0], ylabel=y[0], title=title)
    axes.set_xticks(np.arange(columns) + 0.5, [_level(level) for level in x[1]])
    axes.set_yticks(np.arange(rows) + 0.5, [_level(level) for level in y[1]])
    axes.tick_params(length=0)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    bar = figure.colorbar(mesh, ax=axes, label=label, pad=0.03)
    if not isinstance(norm, LogNorm):
        bar.ax.yaxis.set_major_locator(MaxNLocator(4))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.ax.grid(visible=False)
    cast(Any, bar.outline).set_visible(False)
    return figure


@styled
def zip_plot(
    panels: Sequence[tuple[str, np.ndarray, np.ndarray]], *, nominal: float | None = None, unit: str = ""
) -> Figure:
    """Draw the intervals of replicates less the truth, the ones nearest to it at the bottom, coloured by coverage.

    Morris, White and Crowther (2019), Statistics in Medicine 38, figure 5. Replicates are ordered by how far the middle
    of the interval is from the truth, in half widths; the height is the share of replicates that are nearer. The band
    across is the 95% Clopper-Pearson interval of the coverage.

    Parameters
    ----------
    panels
        (title, low, high) each: the ends of the intervals less the truth, (b,), all finite.
    nominal
        The level that is aimed at; a dashed line.
    unit
        Unit of the estimate.
    """
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    figure, axes = new_figure(width=min(7.0, 2.2 + 2.4 * columns), height=0.95 + 2.7 * rows, rows=rows, columns=columns)
    for at, panel in enumerate(axes):
        if at >= len(panels):
            panel.set_axis_off()
            continue
        title, low, high = panels[at]
        _one_zip(panel, textwrap.fill(title, 26 if columns == 3 else 36), low, high, nominal)
        if at % columns == 0:
            panel.set_ylabel("centile of |middle − truth|")
        if at + columns >= len(panels):
            panel.set_xlabel("interval − truth" + (f"\n({unit})" if unit else ""))
    handles = [
        Line2D([], [], color=COLOURS["sky"], linewidth=2, label="covers the truth"),
        Line2D([], [], color=COLOURS["red"], linewidth=2, label="misses it"),
        Line2D([], [], color=COLOURS["black"], linewidth=1.2, label="coverage, 95% band"),
    ]
    if nominal is not None:
        handles.append(Line2D([], [], color=COLOURS["black"], linewidth=1, linestyle="--", label="nominal"))
    figure.legend(handles=handles, loc="outside lower left", ncols=4 if columns > 1 else 2)
    return figure


def _one_zip(axes: Axes, title: str, low: np.ndarray, high: np.ndarray, nominal: float | None) -> None:
    low, high = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    b, covered = len(low), (low <= 0) & (high >= 0)
    half = np.maximum((high - low) / 2, np.finfo(float).tiny)
    order = np.argsort(np.abs(low + high) / 2 / half, kind="stable")
    chosen = order if b <= _INTERVALS else order[((np.arange(_INTERVALS) + 0.5) * b / _INTERVALS).astype(int)]
    heights = 100 * (np.arange(len(chosen)) + 0.5) / len(chosen)
    for hit, colour in ((True, COLOURS["sky"]), (False, COLOURS["red"])):
        mine = covered[chosen] == hit
        lines = np.stack(
            [np.stack([low[chosen][mine], heights[mine]], -1), np.stack([high[chosen][mine], heights[mine]], -1)],
            axis=1,
        )
        axes.add_collection(LineCollection(list(lines), colors=colour, linewidths=0.8))
    axes.axvline(0, color=COLOURS["black"], linewidth=0.9)
    hits = int(covered.sum())
    ends = stats.binomtest(hits, b).proportion_ci(0.95, method="exact")
    axes.axhspan(100 * ends.low, 100 * ends.high, color=COLOURS["black"], alpha=0.14, linewidth=0)
    axes.axhline(100 * hits / b, color=COLOURS["black"], linewidth=1.1)
    if nominal is not None:
        axes.axhline(100 * nominal, color=COLOURS["black"], linewidth=0.9, linestyle=(0, (4, 3)))
    widest = float(np.max(np.abs([low[chosen], high[chosen]]))) or 1.0
    axes.set(xlim=(-1.05 * widest, 1.05 * widest), ylim=(0, 100.5))
    axes.set_title(
        f"{title}\n{100 * hits / b:.1f}% [{100 * ends.low:.1f}, {100 * ends.high:.1f}]".strip(), fontsize=8.5
    )
    axes.locator_params(axis="x", nbins=4)


def _level(level: float | str) -> str:
    if isinstance(level, str):
        return level
    return count(level) if level >= 0 and float(level).is_integer() else f"{level:g}".replace("-", "−")
