"""One style of figure for studies, reports, verdicts and notebooks.

Figures are made with matplotlib's object interface (no pyplot, no global state) and are deterministic, byte for byte.
Colours are Okabe and Ito's, told apart by colour-blind readers; every series has its own marker as well. Legends stand
below the axes, never on the data. On pages the colours follow the light or dark theme.
"""

from __future__ import annotations

import base64
import functools
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from xml.sax.saxutils import escape

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.rcsetup import cycler
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from dkps_theory.pages.tables import count

#: Names of colours, as on pages; black is the ink of the theme.
COLOURS = {
    "blue": "#0072b2",
    "red": "#d55e00",
    "green": "#008a63",
    "purple": "#b0588c",
    "orange": "#c77800",
    "sky": "#3492c7",
    "black": "#1c1f23",
}
_GRID = "#d9dde2"
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")

STYLE: dict[str, Any] = {
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "legend.fontsize": 8.5,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "font.family": "DejaVu Sans",
    "mathtext.fontset": "dejavusans",
    "text.color": COLOURS["black"],
    "axes.edgecolor": COLOURS["black"],
    "axes.labelcolor": COLOURS["black"],
    "xtick.color": COLOURS["black"],
    "ytick.color": COLOURS["black"],
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _GRID,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.3,
    "axes.prop_cycle": cycler("color", list(COLOURS.values())),
    "lines.markersize": 4.5,
    "svg.hashsalt": "dkps-theory",
    "svg.fonttype": "path",
    "savefig.dpi": 160,
}

_Drawing = TypeVar("_Drawing", bound=Callable[..., Any])


def styled(draw: _Drawing) -> _Drawing:
    """Run a drawing function in the package's style and leave the reader's own settings as they were."""

    @functools.wraps(draw)
    def wrapper(*args: Any, **keywords: Any) -> Any:
        with mpl.rc_context(cast(Any, {**mpl.rcParamsDefault, **STYLE})):
            return draw(*args, **keywords)

    return wrapper  # pyright: ignore[reportReturnType]


@styled
def new_figure(width: float = 4.7, height: float = 3.7, rows: int = 1, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """Return an empty figure (inches) and its axes, row by row. Draw on it inside :func:`styled`."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, list(np.ravel(figure.subplots(rows, columns, squeeze=False)))


@dataclass(frozen=True)
class Series:
    """One error as a function of r.

    Parameters
    ----------
    label
        For the legend; mathtext allowed.
    r, rmse, se
        The grid, the root mean square errors and their Monte Carlo standard errors.
    exact
        The exact curve, where one is known.
    rate
        The predicted rate: a dashed line of this slope through the last point.
    asymptotic
        Which points the predicted rate describes; the others are drawn hollow.
    """

    label: str
    r: np.ndarray
    rmse: np.ndarray
    se: np.ndarray
    exact: np.ndarray | None = None
    rate: float | None = None
    asymptotic: np.ndarray | None = None


@styled
def rate_plot(
    series: Sequence[Series],
    *,
    title: str = "",
    x_label: str = "replicates r (answers per model and query)",
    y_label: str = "root mean square error",
) -> Figure:
    """Draw errors against r on log axes, with bars of two Monte Carlo standard errors and the exact curves.

    Points are hollow where the predicted rate is not yet reached; dashed lines have the predicted slopes.
    """
    figure, (axes,) = new_figure(height=3.7 + 0.18 * max(0, len(series) - 2))
    names = list(COLOURS)
    for index, one in enumerate(series):
        colour, marker = COLOURS[names[index % len(names)]], _MARKERS[index % len(_MARKERS)]
        reached = np.ones(len(one.r), bool) if one.asymptotic is None else np.asarray(one.asymptotic, bool)
        if one.exact is not None:
            axes.plot(one.r, one.exact, color=colour, linewidth=1.1)
        if one.rate is not None:
            line = one.rmse[-1] * (one.r / one.r[-1]) ** one.rate
            axes.plot(one.r, line, color=colour, linewidth=0.9, linestyle=(0, (4, 3)))
        low = np.minimum(2 * one.se, 0.999 * one.rmse)
        style: dict[str, Any] = {
            "color": colour,
            "linestyle": "none",
            "elinewidth": 0.9,
            "capsize": 1.8,
            "marker": marker,
        }
        for chosen, face in ((reached, colour), (~reached, "none")):
            if chosen.any():
                bars = np.stack([low[chosen], 2 * one.se[chosen]])
                axes.errorbar(one.r[chosen], one.rmse[chosen], bars, markerfacecolor=face, **style)
        axes.plot(
            [], [], color=colour, marker=marker, linestyle="-" if one.exact is not None else "--", label=one.label
        )
    axes.set(xscale="log", yscale="log", xlabel=x_label, ylabel=y_label, title=title)
    _decades(axes)
    figure.legend(loc="outside lower left", ncols=1)
    return figure


@styled
def ratio_plot(
    series: Sequence[tuple[str, np.ndarray, np.ndarray, np.ndarray, np.ndarray]],
    *,
    x_label: str = "replicates r (answers per model and query)",
    y_label: str = "simulated RMSE / exact RMSE",
) -> Figure:
    """Draw ratios that should be 1, each with the interval of a simultaneous band.

    Parameters
    ----------
    series
        (label, r, ratio, low, high) each; the points of different series are set apart sideways a little.
    x_label, y_label
        Axis labels.
    """
    figure, (axes,) = new_figure(width=7.0, height=3.6 + 0.16 * ((len(series) + 1) // 2))
    axes.axhline(1, color=COLOURS["black"], linewidth=0.9)
    names = list(COLOURS)
    for index, (label, r, ratio, low, high) in enumerate(series):
        shifted = r * 10 ** (0.7 * ((index + 0.5) / len(series) - 0.5))
        bars = np.stack([ratio - low, high - ratio])
        style: dict[str, Any] = {"color": COLOURS[names[index % len(names)]], "marker": _MARKERS[index % len(_MARKERS)]}
        axes.errorbar(shifted, ratio, bars, linestyle="none", markersize=3, elinewidth=0.9, label=label, **style)
    axes.set(xscale="log", xlabel=x_label, ylabel=y_label)
    axes.xaxis.set_major_locator(LogLocator(numticks=20))
    axes.xaxis.set_minor_locator(NullLocator())
    figure.legend(loc="outside lower left", ncols=2)
    return figure


@styled
def slack_plot(rows: Sequence[tuple[str, Sequence[float]]]) -> Figure:
    """Draw how many times too large bounds are: a row for each bound, a dot for each check of it, on a log axis.

    Rows stand from the bottom up in the order given; the line at 1 is a bound that is attained.
    """
    figure, (axes,) = new_figure(width=5.6, height=0.9 + 0.17 * len(rows))
    for height, (_, slacks) in enumerate(rows):
        axes.plot([min(slacks), max(slacks)], [height, height], color=COLOURS["sky"], linewidth=1, zorder=1)
        axes.plot(list(slacks), [height] * len(slacks), _MARKERS[0], color=COLOURS["blue"], markersize=3.5, zorder=2)
    axes.axvline(1, color=COLOURS["black"], linewidth=0.9)
    axes.set_xscale("log")
    axes.set_yticks(range(len(rows)), [label for label, _ in rows], fontsize=7)
    every = [slack for _, slacks in rows for slack in slacks]
    axes.set(
        xlim=(min(0.7, 0.7 * min(every)), max(20, 1.5 * max(every))),
        ylim=(-0.7, len(rows) - 0.3),
        xlabel="slack (claimed / observed), log axis",
    )
    return figure


@styled
def cloud_plot(
    truth: np.ndarray,
    estimates: np.ndarray,
    r: Sequence[float] | np.ndarray,
    *,
    axes: tuple[int, int] = (0, 1),
    unit: str = "embedding units",
) -> Figure:
    """Draw aligned estimates around the true perspectives, one panel per r, all on one scale.

    Parameters
    ----------
    truth
        (n, d) Psi.
    estimates
        (b, len(r), n, d) estimates after alignment.
    r
        The replicate counts of the panels.
    axes
        Which two coordinates to show; with d = 1 the second is 0.
    unit
        Unit of the coordinates.
    """
    columns = 2 if len(r) > 1 else 1
    rows = -(-len(r) // columns)
    truth, estimates = _two_columns(truth, axes), _two_columns(estimates, axes)
    low, high = np.nanmin(estimates, axis=(0, 1, 2)), np.nanmax(estimates, axis=(0, 1, 2))
    low, high = np.minimum(low, truth.min(0)), np.maximum(high, truth.max(0))
    centre, half = (low + high) / 2, 0.54 * float(np.max(high - low)) + 1e-12
    figure, panels = new_figure(width=4.7, height=0.55 + 2.2 * rows, rows=rows, columns=columns)
    cycle = [colour for name, colour in COLOURS.items() if name != "black"]
    for index, panel in enumerate(panels):
        if index >= len(r):
            panel.set_axis_off()
            continue
        for model in range(len(truth)):
            points = estimates[:, index, model]
            colour = cycle[model % len(cycle)]
            panel.scatter(*points.T, s=5, color=colour, alpha=0.55, linewidths=0, rasterized=True)
        panel.scatter(*truth.T, s=26, color=COLOURS["black"], marker="+", linewidths=0.9)
        panel.set(xlim=(centre[0] - half, centre[0] + half), ylim=(centre[1] - half, centre[1] + half))
        panel.set_aspect("equal")
        panel.set_title(f"r = {count(r[index])}")
        panel.locator_params(nbins=5)
    figure.supxlabel(f"perspective axis {axes[0] + 1} ({unit})", fontsize=9)
    figure.supylabel(f"perspective axis {axes[1] + 1} ({unit})", fontsize=9)
    return figure


def _two_columns(points: np.ndarray, axes: tuple[int, int]) -> np.ndarray:
    points = np.asarray(points, dtype=float)
    if points.shape[-1] == 1:
        points = np.concatenate([points, np.zeros_like(points)], axis=-1)
        axes = (0, 1)
    return points[..., list(axes)]


def _decades(axes: Axes) -> None:
    """Ticks at whole decades, every one when few and every other when many; at 1, 2 and 5 too when they are hardly any.

    A range of less than a factor 5 has ordinary ticks.
    """
    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        decades = np.log10(high / low)
        if decades < 2:
            near = decades < np.log10(5)
            axis.set_major_locator(MaxNLocator(5) if near else LogLocator(subs=(1.0, 2.0, 5.0), numticks=20))
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.6g}"))
        else:
            axis.set_major_locator(LogLocator(base=10.0 if decades <= 7 else 100.0, numticks=20))
        axis.set_minor_locator(NullLocator())


@styled
def to_png(figure: Figure, dpi: int = 160) -> bytes:
    """Return the figure as PNG on a white ground."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, facecolor="white", metadata={"Software": None})
    return buffer.getvalue()


def png_data_uri(figure: Figure, dpi: int = 160) -> str:
    """Return the figure as a data URI for an ``img`` element."""
    return "data:image/png;base64," + base64.b64encode(to_png(figure, dpi)).decode()


@styled
def to_svg(figure: Figure, *, label: str = "figure", title: str = "") -> str:
    """Return the figure as an ``svg`` element for a page.

    Its colours become the page's custom properties, so that they follow light and dark; the ground is transparent; ids
    carry the ``label`` as prefix, so that several figures share a page.

    Examples
    --------
    >>> svg = to_svg(new_figure()[0], label="f1", title="Nothing yet")
    >>> svg.startswith("<svg"), 'aria-label="Nothing yet"' in svg, "var(--black" in svg
    (True, True, True)
    """
    buffer = io.StringIO()
    metadata = {"Date": None, "Creator": None, "Format": None, "Type": None}
    figure.savefig(buffer, format="svg", transparent=True, metadata=metadata)
    text = buffer.getvalue()
    text = text[text.index("<svg") :].strip()
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    prefix = re.sub(r"[^A-Za-z0-9_-]", "-", label)
    text = re.sub(r'\bid="', f'id="{prefix}-', text)
    text = re.sub(r'href="#', f'href="#{prefix}-', text)
    text = text.replace("url(#", f"url(#{prefix}-")
    for name, colour in [*COLOURS.items(), ("grid", _GRID)]:
        # As a presentation attribute var() is not understood, in a style attribute it is.
        text = re.sub(rf"(?<=[ \";])(fill|stroke): {colour}", rf"\1: var(--{name}, {colour})", text)
    text = re.sub(r'\swidth="[^"]*pt"|\sheight="[^"]*pt"', "", text, count=2)
    name = escape(title, {'"': "&quot;"})
    return text.replace("<svg", f'<svg role="img" aria-label="{name}"', 1)
