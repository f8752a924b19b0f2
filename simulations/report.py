"""The report of a study: a summary on the terminal, a page under the ADEMP headings, and a CSV file of every number."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from markupsafe import Markup
from rich.console import Console

from dkps_theory._validate import InputError
from dkps_theory.pages import (
    Section,
    Series,
    Table,
    cloud_plot,
    count,
    figure_block,
    grid,
    inline,
    mark,
    number,
    page,
    prose,
    rate_plot,
    ratio_plot,
)
from simulations.summaries import ASYMPTOTIC_SHARE, COLUMNS, FEWEST_FOR_BAND, Band, Curve, band, curves, rows

#: A slope agrees with the predicted one when it is this near to it, and known this well.
TOLERANCE = 0.01

#: What a figure of rates shows, in this order, as far as the cell has it.
_DRAWN = ("dissimilarity", "squared", "debiased", "frobenius", "nearest")


def agrees(curve: Curve) -> bool | None:
    """Whether the fitted slope is the predicted one; None when that is not decided.

    It agrees within TOLERANCE, provided that three standard errors are no more than that; it disagrees when it is off
    by more than both together. In between, and where no slope could be fitted, the replicates do not decide.
    """
    if curve.slope is None or curve.slope_se is None:
        return None
    off, margin = abs(curve.slope - curve.predicted), 3 * curve.slope_se
    if off > TOLERANCE + margin:
        return False
    return True if off <= TOLERANCE and margin <= TOLERANCE else None


def tally(judged: Sequence[bool | None]) -> str:
    """Return how many agree, and how many disagree or are not decided, of all predictions.

    Examples
    --------
    >>> tally([True, True]), tally([True, False, None]), tally([None])
    ('2 of 2', '1 of 3, 1 not, 1 undecided', '0 of 1, 1 undecided')
    """
    counts = {word: sum(one is value for one in judged) for word, value in (("not", False), ("undecided", None))}
    rest = "".join(f", {number} {word}" for word, number in counts.items() if number)
    return f"{sum(one is True for one in judged)} of {len(judged)}{rest}"


def print_summary(dataset: xr.Dataset) -> None:
    """Print slopes and the verdict of the band."""
    console = Console(highlight=False, markup=False)
    found = curves(dataset)
    console.print(_short_slopes(dataset, found, as_text=True).rich())
    console.print(_band_sentence(band(dataset)))


def write_csv(dataset: xr.Dataset, path: str | Path) -> None:
    """Write :func:`simulations.summaries.rows`; what does not exist is an empty field."""
    try:
        with Path(path).open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, list(COLUMNS))
            writer.writeheader()
            writer.writerows(rows(dataset))
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error


def write_html(dataset: xr.Dataset, path: str | Path) -> None:
    """Write the page."""
    text = html(dataset)
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error


def html(dataset: xr.Dataset) -> str:
    """Return the self-contained page of a study."""
    about = dataset.attrs
    found, exact = curves(dataset), band(dataset)
    sections = [
        Section("Aims", [prose(about["aims"])]),
        Section("Data-generating mechanisms", [prose(about["data"]), _cells_table(dataset).html()]),
        Section("Estimands", [prose(about["estimands"]), _truths_table(dataset).html()]),
        Section("Methods", [prose(about["methods"])]),
        Section("Performance measures", [prose(about["performance"])]),
        Section("Slopes", [prose(_slopes_text(found)), _short_slopes(dataset, found).html(), _folded(dataset, found)]),
        Section("Errors against r", [prose(_RATES_TEXT), grid(_rate_figures(dataset, found))]),
    ]
    if exact is not None:
        sections.append(Section("The exact curve of D²", [prose(_band_sentence(exact)), *_band_figure(exact)]))
    clouds = _cloud_figures(dataset)
    if clouds:
        sections.append(Section("Perspectives", [prose(_CLOUDS_TEXT), grid(clouds)]))
    sections.append(Section("How it was made", [_made(dataset).html(), *_failures(dataset)]))
    lead = f"{count(about['replicates'])} replicates of {len(about['cells'])} cells, seed {about['seed']}"
    return page(about["title"], sections, lead=lead)


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


def _slopes_text(found: list[Curve]) -> str:
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
    where = "all inside" if exact.outside == 0 else f"{exact.outside} OUTSIDE"
    return (
        f"Simulated over exact RMSE of D² and of its debiased form: a simultaneous {100 * exact.confidence:g}% band "
        f"over {exact.points} points (Bonferroni, Satterthwaite intervals for the mean squares): {where}."
    )


def _folded(dataset: xr.Dataset, found: list[Curve]) -> Markup:
    return Markup("<details><summary>Every slope, with its range and lack of fit</summary>{}</details>").format(
        _all_slopes(dataset, found).html()
    )


def _titles(dataset: xr.Dataset) -> dict[str, str]:
    return {str(name): dataset[name].attrs.get("title", str(name)) for name in dataset.data_vars}


#: What the short table of slopes has a column for, as far as the study has it.
_SHORT = ("dissimilarity", "squared", "frobenius", "pairwise")


def _short_slopes(dataset: xr.Dataset, found: list[Curve], *, as_text: bool = False) -> Table:
    """One row per cell: a few slopes with the predicted ones, and how many of all agree."""
    titles = _titles(dataset)
    shown = [name for name in _SHORT if any(c.output == name for c in found)] or list({c.output: 0 for c in found})[:4]
    table = []
    for cell in dataset.attrs["cells"]:
        mine = {curve.output: curve for curve in found if curve.cell == cell["name"]}
        judged = [agrees(curve) for curve in mine.values()]
        verdict = tally(judged)
        slopes = [_slope_text(mine[name], as_text=as_text) if name in mine else None for name in shown]
        name = cell["name"] if as_text else inline(cell["title"])
        table.append([name, *slopes, verdict if as_text else mark(bool(judged) and all(judged), verdict, verdict)])
    headings = [f">{titles[name]}" if as_text else Markup(">") + inline(_page_maths(titles[name])) for name in shown]
    columns = ["cell", *headings, ">agree"]
    return Table(columns, table, "Slopes of log RMSE on log r, with the predicted ones in brackets" if as_text else "")


def _slope_text(curve: Curve, *, as_text: bool) -> str | Markup:
    fitted = _fitted(curve)
    predicted = f"[{number(curve.predicted, 2)}]"
    return f"{fitted} {predicted}" if as_text else Markup("{}<br><small>{}</small>").format(fitted, predicted)


def _fitted(curve: Curve) -> str:
    """Return the fitted slope and its standard error to four places, which is where the tolerance lies."""
    if curve.slope is None or curve.slope_se is None:
        return number(None)
    return f"{curve.slope:.4f} ± {curve.slope_se:.4f}".replace("-", "−")


def _all_slopes(dataset: xr.Dataset, found: list[Curve]) -> Table:
    titles, cells = _titles(dataset), {cell["name"]: cell["title"] for cell in dataset.attrs["cells"]}
    table, last = [], None
    for curve in found:
        agreed, used = agrees(curve), curve.r[curve.asymptotic]
        table.append(
            [
                "" if curve.cell == last else inline(cells[curve.cell]),
                inline(_page_maths(titles[curve.output])),
                number(curve.predicted, 2),
                _fitted(curve),
                f"{count(used[0])} to {count(used[-1])}" if len(used) else None,
                number(curve.lack_of_fit_p, 2),
                curve.warning if agreed is None else mark(agreed),
            ]
        )
        last = curve.cell
    return Table(["cell", "error", ">predicted", ">slope", ">fitted on r =", ">lack of fit p", "agrees"], table)


def _page_maths(title: str) -> str:
    """Set the symbol that titles of outputs use as mathematics on pages."""
    return title.replace("Ψ̂", r"$\hat\Psi$")


def _figure_maths(title: str) -> str:
    """Set it in matplotlib's mathtext."""
    return title.replace("Ψ̂", r"$\hat{\Psi}$")


def _convention(cell: dict[str, Any]) -> Markup:
    """Set the convention without a break."""
    text = cell["convention"].replace("1/sqrt(m)", "m^{-1/2}").replace("1/m", "m^{-1}")
    return inline(", ".join(f"${part}$" for part in text.split(", ")))


def _unit(cell: dict[str, Any]) -> str:
    """Return the unit of D and Psi, for mathtext."""
    return "embedding units" if cell["exponent"] == 1 else f"embedding units$^{{{cell['exponent']:g}}}$"


def _cells_table(dataset: xr.Dataset) -> Table:
    cells = dataset.attrs["cells"]
    factors = list(dict.fromkeys(name for cell in cells for name in cell["factors"]))
    columns = ["cell", *(f">{name}" for name in factors), ">d", "convention", "what it shows"]
    table = [
        [
            inline(cell["title"]),
            *(str(cell["factors"].get(name, "")) for name in factors),
            cell["dimension"],
            _convention(cell),
            inline(cell["remark"]),
        ]
        for cell in cells
    ]
    return Table(columns, table)


def _truths_table(dataset: xr.Dataset) -> Table:
    names = [name for name in dataset.attrs["outputs"] if dataset[name].dims == ("cell",)]
    titles = _titles(dataset)
    columns = ["cell", *(f">{titles[name]}" for name in names)]
    table = [
        [inline(cell["title"]), *(_quantity(dataset[name].to_numpy(), index) for name in names)]
        for index, cell in enumerate(dataset.attrs["cells"])
    ]
    return Table(columns, table, "True values, by cell.")


def _quantity(values: np.ndarray, index: int) -> str:
    whole = bool((values == values.round()).all() and (abs(values) < 1e4).all())
    return count(values[index]) if whole else number(float(values[index]))


def _rate_figures(dataset: xr.Dataset, found: list[Curve]) -> list[Markup]:
    titles, blocks = _titles(dataset), []
    for index, cell in enumerate(dataset.attrs["cells"]):
        mine = [c for c in found if c.cell == cell["name"] and not math.isnan(c.rmse[-1]) and c.rmse.min() > 0]
        chosen = [c for c in mine if c.output in _DRAWN] or mine[:5]
        if not chosen:
            continue
        chosen.sort(key=lambda curve: _DRAWN.index(curve.output) if curve.output in _DRAWN else len(_DRAWN))
        series = [
            Series(
                _figure_maths(titles[curve.output]),
                curve.r,
                curve.rmse,
                curve.se,
                exact=curve.exact,
                rate=curve.predicted,
                asymptotic=curve.asymptotic,
            )
            for curve in chosen
        ]
        rates = "; ".join(f"{_page_maths(titles[c.output])} {_fitted(c)}" for c in chosen)
        caption = f"{cell['remark'][:1].upper()}{cell['remark'][1:]}. Fitted slopes: {rates}."
        squared = "squared for D²" if cell["exponent"] == 1 else f"D²: power {2 * cell['exponent']:g}"
        figure = rate_plot(series, y_label=f"RMSE ({_unit(cell)}, {squared})")
        blocks.append(figure_block(figure, caption, label=f"rate-{index}", title=cell["title"]))
    return blocks


def _band_figure(exact: Band) -> list[Markup]:
    series = [
        (cell, exact.r, exact.ratio[at], exact.low[at], exact.high[at])
        for at, (cell, output) in enumerate(zip(exact.cell, exact.output, strict=True))
        if output == "squared" or "squared" not in exact.output
    ]
    caption = (
        "Every interval should contain 1. The points of one cell come from the same paths, so neighbours move "
        "together; the points of different cells are set apart sideways."
    )
    return [
        figure_block(ratio_plot(series), caption, label="band", title="Simulated over exact RMSE of D²", width="wide")
    ]


def _cloud_figures(dataset: xr.Dataset) -> list[Markup]:
    if not {"configuration", "perspectives", "r_shown"} <= {*dataset.data_vars, *dataset.coords}:
        return []
    shown = dataset["r_shown"].to_numpy()
    blocks = []
    for index, cell in enumerate(dataset.attrs["cells"]):
        d = cell["dimension"]
        truth = dataset["perspectives"][index].to_numpy()
        models = ~np.isnan(truth).all(axis=1)
        estimates = dataset["configuration"][index].to_numpy()[:, :, models, :d]
        axes = (1, 2) if d > 2 else (0, 1)
        figure = cloud_plot(truth[models][:, :d], estimates, shown, axes=axes, unit=_unit(cell))
        caption = _cloud_caption(cell)
        blocks.append(figure_block(figure, caption, label=f"cloud-{index}", title=cell["title"]))
    return blocks


def _cloud_caption(cell: dict[str, Any]) -> str:
    if cell["rates"].get("frobenius") == 0:
        return "The clouds do not shrink to points: at every r the noise picks one of several solutions anew."
    axes = "The last two axes. " if cell["dimension"] > 2 else ""
    speed = cell["rates"].get("frobenius", -0.5)
    return f"{axes}The clouds shrink onto the crosses, in size like $r^{{{speed:g}}}$."


def _made(dataset: xr.Dataset) -> Table:
    about = dataset.attrs
    lines = [
        ["study", about["study"]],
        ["replicates, seed", f"{about['replicates']}, {about['seed']}"],
        ["batches of", about["batch_size"]],
        ["made", f"{about['created']}, {about['seconds']:.0f} s"],
        ["on", ", ".join(filter(None, about["platform"].values()))],
        ["versions", ", ".join(f"{name} {found}" for name, found in about["versions"].items())],
        ["design", Markup("<code>{}</code>").format(about["design_hash"])],
    ]
    return Table(["", ""], lines)


def _failures(dataset: xr.Dataset) -> list[Markup]:
    lines = [
        [cell["title"], output, failed[index]]
        for output, failed in dataset.attrs["failures"].items()
        for index, cell in enumerate(dataset.attrs["cells"])
        if failed[index]
    ]
    if not lines:
        return [prose("No replicate failed.")]
    return [Table(["cell", "error", ">failed replicates"], lines, "Replicates with a NaN or an infinity.").html()]
