"""Tables of a study's report: cells, truths, slopes, performance measures, rates across factors, failures."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from markupsafe import Markup

from dkps_theory.pages import Table, count, inline, mark, number, prose, with_se
from simulations.grid import shown_level
from simulations.performance import PROPORTIONS, Row
from simulations.rates import OFF, RateFit
from simulations.store import Failure, Store
from simulations.summaries import Curve

#: A slope agrees with the predicted one when it is this near to it, and known this well.
TOLERANCE = 0.01

#: Rows of a table above which it is folded, and above which it is cut.
FOLDED, LONGEST = 12, 500

#: Columns of entries above which a table of a measure has one row for each entry.
WIDEST = 6

#: Failures that the page lists.
SHOWN_FAILURES = 50


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


def folded(summary: str, block: Markup) -> Markup:
    """Return a block that opens when its summary is clicked."""
    return Markup("<details><summary>{}</summary>{}</details>").format(summary, block)


def maybe_folded(table: Table, what: str) -> Markup:
    """Return a table, folded when it is long."""
    rows = len(table.rows)
    return table.html() if rows <= FOLDED else folded(f"{what} ({rows:,} rows)", table.html())


def titles(store: Store) -> dict[str, str]:
    """Return the titles of outputs and truths by name."""
    return {name: about["title"] for name, about in (store.outputs | store.truths).items()}


def page_maths(title: str) -> str:
    """Set the symbol that titles of outputs use as mathematics on pages."""
    return title.replace("Ψ̂", r"$\hat\Psi$")


def where(labels: Mapping[str, Any]) -> str:
    """Return labels of an entry, or levels of factors, in words.

    Examples
    --------
    >>> where({"method": "mean", "r": 100.0})
    'mean, r = 100'
    """
    return ", ".join(
        label if isinstance(label, str) and axis == "method" else f"{axis} = {shown_level(label)}"
        for axis, label in labels.items()
    )


# What was simulated


def cells_table(store: Store) -> Table:
    """Return one row per cell: levels, what it is made of, and how many replicates are finished."""
    cells, planned = store.cells, store.manifest["planned"]
    factors = list(dict.fromkeys(name for cell in cells for name in cell["factors"]))
    mechanism = [name for name in ("dimension", "convention") if any(name in cell for cell in cells)]
    remarks = any(cell["remark"] for cell in cells)
    columns = ["cell", *(f">{name}" for name in factors)]
    columns += [{"dimension": ">d"}.get(name, name) for name in mechanism]
    columns += [">replicates", *(["what it shows"] if remarks else [])]
    rows = []
    for index, cell in enumerate(cells):
        done = len(store.finished(index))
        row: list[object] = [inline(cell["title"])]
        row += [shown_level(cell["factors"][name]) if name in cell["factors"] else "" for name in factors]
        row += [_mechanism(cell, name) for name in mechanism]
        row.append(f"{done:,}" if done >= planned[index] else f"{done:,} of {planned[index]:,}")
        rows.append(row + ([inline(cell["remark"])] if remarks else []))
    return Table(columns, rows)


def _mechanism(cell: Mapping[str, Any], name: str) -> object:
    if name not in cell:
        return ""
    return _convention(cell[name]) if name == "convention" else cell[name]


def _convention(label: str) -> Markup:
    """Set the convention without a break."""
    text = label.replace("1/sqrt(m)", "m^{-1/2}").replace("1/m", "m^{-1}")
    return inline(", ".join(f"${part}$" for part in text.split(", ")))


def truths_table(store: Store) -> Table | None:
    """Return the truths that are one number per cell; None without any."""
    names = [name for name, truth in store.truths.items() if not truth["dims"]]
    if not names:
        return None
    values = {name: np.array([float(store.truth(name, at)) for at in range(len(store.cells))]) for name in names}
    columns = ["cell", *(f">{store.truths[name]['title']}" for name in names)]
    rows = [
        [inline(cell["title"]), *(_quantity(values[name], index) for name in names)]
        for index, cell in enumerate(store.cells)
    ]
    return Table(columns, rows, "True values, by cell.")


def _quantity(values: np.ndarray, index: int) -> str:
    known = values[np.isfinite(values)]
    whole = bool((known == known.round()).all() and (abs(known) < 1e4).all()) and np.isfinite(values[index])
    negative = whole and values[index] < 0
    return number(float(values[index])) if negative or not whole else count(values[index])


# Slopes along r

#: What the short table of slopes has a column for, as far as the study has it.
_SHORT = ("dissimilarity", "squared", "frobenius", "pairwise")


def short_slopes(store: Store, found: list[Curve], *, as_text: bool = False) -> Table:
    """One row per cell: a few slopes with the predicted ones, and how many of all agree."""
    known = titles(store)
    shown = [name for name in _SHORT if any(c.output == name for c in found)] or list({c.output: 0 for c in found})[:4]
    table = []
    for cell in store.cells:
        mine = {curve.output: curve for curve in found if curve.cell == cell["name"]}
        if not mine:
            continue
        judged = [agrees(curve) for curve in mine.values()]
        verdict = tally(judged)
        slopes = [_slope_text(mine[name], as_text=as_text) if name in mine else None for name in shown]
        name = cell["name"] if as_text else inline(cell["title"])
        table.append([name, *slopes, verdict if as_text else mark(all(judged), verdict, verdict)])
    headings = [f">{known[name]}" if as_text else Markup(">") + inline(page_maths(known[name])) for name in shown]
    columns = ["cell", *headings, ">agree"]
    return Table(columns, table, "Slopes of log RMSE on log r, with the predicted ones in brackets" if as_text else "")


def _slope_text(curve: Curve, *, as_text: bool) -> str | Markup:
    fitted = slope_with_se(curve.slope, curve.slope_se)
    predicted = f"[{number(curve.predicted, 2)}]"
    return f"{fitted} {predicted}" if as_text else Markup("{}<br><small>{}</small>").format(fitted, predicted)


def slope_with_se(slope: float | None, se: float | None) -> str:
    """Return a fitted slope and its standard error to four places, which is where the tolerance lies."""
    return number(None) if slope is None or se is None else f"{slope:.4f} ± {se:.4f}".replace("-", "−")


def all_slopes(store: Store, found: list[Curve]) -> Table:
    """Return every slope along r, with the range that it is fitted on and its lack of fit."""
    known, cells = titles(store), {cell["name"]: cell["title"] for cell in store.cells}
    table, last = [], None
    for curve in found:
        agreed, used = agrees(curve), curve.r[curve.asymptotic]
        table.append(
            [
                "" if curve.cell == last else inline(cells[curve.cell]),
                inline(page_maths(known[curve.output])),
                number(curve.predicted, 2),
                slope_with_se(curve.slope, curve.slope_se),
                f"{count(used[0])} to {count(used[-1])}" if len(used) else None,
                number(curve.lack_of_fit_p, 2),
                curve.warning if agreed is None else mark(agreed),
            ]
        )
        last = curve.cell
    return Table(["cell", "error", ">predicted", ">slope", ">fitted on r =", ">lack of fit p", "agrees"], table)


# Performance measures and rates


def measure_block(store: Store, measure: Mapping[str, Any], rows: Sequence[Row]) -> Markup:
    """Return the table of one measure: cells by entries, or one row for each entry where there are many."""
    kept = list(islice(rows, LONGEST))
    caption = _measure_caption(store, measure)
    if len(rows) > LONGEST:
        caption += f" The first {LONGEST:,} of {len(rows):,} entries; the CSV file has all."
    entries = list(dict.fromkeys(where(row.labels) for row in kept))
    cells = {cell["name"]: cell["title"] for cell in store.cells}
    notes = any(row.note for row in kept)
    if len(entries) <= WIDEST and not notes:
        by_cell: dict[str, dict[str, Row]] = {}
        for row in kept:
            by_cell.setdefault(row.cell, {})[where(row.labels)] = row
        columns = ["cell", *(f">{entry or measure['name']}" for entry in entries), ">replicates"]
        table = [
            [inline(cells[cell]), *(_shown(mine.get(entry)) for entry in entries), _replicates(mine.values())]
            for cell, mine in by_cell.items()
        ]
        return maybe_folded(Table(columns, table, caption), measure["name"])
    columns = ["cell", "entry", ">value", ">95% interval", ">replicates", ">failed", "note"]
    table = [
        [
            inline(cells[row.cell]),
            where(row.labels),
            with_se(row.value, row.se),
            _interval(row),
            f"{row.n:,}",
            f"{row.failures:,}",
            row.note,
        ]
        for row in kept
    ]
    used = [at for at, name in enumerate(columns) if any(row[at] for row in table) or name != "entry"]
    table = [[row[at] for at in used] for row in table]
    return maybe_folded(Table([columns[at] for at in used], table, caption), measure["name"])


def _measure_caption(store: Store, measure: Mapping[str, Any]) -> str:
    unit = store.outputs[measure["output"]]["unit"]
    in_units = measure["kind"] not in {*PROPORTIONS, "rmse_ratio"} and unit
    level = f", nominal {measure['level']:g}" if measure["kind"] in PROPORTIONS and measure["level"] is not None else ""
    name = measure["name"][:1].upper() + measure["name"][1:]
    brackets = " In brackets the exact 95% interval (Clopper-Pearson)." if measure["kind"] in PROPORTIONS else ""
    return f"{name}{f' ({unit})' if in_units else ''}{level}, ± Monte Carlo standard error.{brackets}"


def _shown(row: Row | None) -> object:
    if row is None:
        return None
    value = with_se(row.value, row.se)
    if row.kind in PROPORTIONS and row.value is not None:
        return Markup("{}<br><small>{}</small>").format(value, _interval(row))
    return value


def _interval(row: Row) -> str:
    if row.low is None and row.high is None:
        return number(None)
    low, high = ("∞" if end is None else number(end, 4) for end in (row.low, row.high))
    return f"[{'−∞' if row.low is None else low}, {high}]"


def _replicates(rows: Any) -> str:
    counts = sorted({row.n for row in rows})
    return f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"


def rates_block(fits: Sequence[RateFit]) -> Markup:
    """Return the table of rates across cells."""
    columns = ["error", "along", "where", ">predicted", ">slope", ">lack of fit p", ">replicates", ">failed", "note"]
    table = [
        [
            fit.output,
            f"{fit.along} = {', '.join(f'{x:g}' for x in fit.x)}" if len(fit.x) <= 6 else fit.along,
            where({**fit.levels, **fit.labels}),
            number(fit.predicted, 3),
            slope_with_se(fit.slope, fit.slope_se),
            number(fit.lack_of_fit_p, 2),
            f"{fit.replicates:,}",
            f"{fit.failures:,}",
            fit.warning,
        ]
        for fit in fits[:LONGEST]
    ]
    off = sum("off the predicted" in fit.warning for fit in fits)
    none = sum(fit.slope is None for fit in fits)
    said = (
        f"{len(fits) - off - none} of {len(fits)} slopes are within {OFF:g} and three standard errors of the predicted "
        f"ones, {off} are not, {none} could not be fitted. Those that are not are marked in the note."
    )
    return prose(said) + maybe_folded(Table(columns, table), "Every rate")


# Failures


def failures_block(store: Store, failures: Sequence[Failure]) -> Markup:
    """Return the first failed replicates as rows, and the call that replays one."""
    cells = {cell["name"]: cell["title"] for cell in store.cells}
    rows = [
        [inline(cells[one.cell]), f"{one.replicate:,}", one.method, one.reason] for one in failures[:SHOWN_FAILURES]
    ]
    of = f"The first {SHOWN_FAILURES} of {len(failures):,} rows." if len(failures) > SHOWN_FAILURES else ""
    table = Table(["cell", ">replicate", "method", "reason"], rows, of)
    return Markup("{}<p>To compute the first one again: <code>{}</code></p>").format(
        table.html(), replay_line(store, failures[0])
    )


def replay_line(store: Store, failure: Failure) -> str:
    """Return the shell line that computes a failed replicate again."""
    path = "STORE.zarr" if store.path is None else str(store.path)
    code = f"from simulations.runner import replay; print(replay({path!r}, {failure.cell!r}, {failure.replicate}))"
    quoted = f'"{code}"' if not set(code) & set('"$`\\!') else shlex.quote(code)
    return f"python -c {quoted}"
