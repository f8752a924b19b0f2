"""What the report of the concentration table shows: the printed rows, the nearest readings and whether rows agree."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.ticker import LogLocator

from dkps_theory.monte_carlo import clopper_pearson
from dkps_theory.pages import COLOURS, Section, Table, figure_block, new_figure, number, prose, styled
from simulations.studies import _concentration_readings as readings
from simulations.studies._concentration import PRINTED, PRINTED_RUNS, REPLICATES_POWER
from simulations.studies._concentration_readings import Readings

#: Readings listed by table, and drawn.
_LISTED, _DRAWN = 6, 4
_AVERAGES, _BOUNDS = 0, 1
_WAYS = ("each run", "once")


def section(store: Any) -> Section | None:
    """Return the comparison with the printed table; None while no row of it has two replicates."""
    cells = readings.by_factors(store)
    rows = tuple(n for n in PRINTED if any(key[0] == n for key in cells))
    if not rows:
        return None
    first = tuple(n for n in rows if n != max(PRINTED)) or rows
    bounds = readings.collect(store, "bound", rows)
    averages, matrices = (readings.collect(store, output, first) for output in ("error", "matrix_error"))
    if bounds is None or averages is None or matrices is None:
        return Section("The printed table", [prose("Cells that are needed for a comparison have no replicates yet.")])
    averages = averages.joined(matrices)
    blocks: list[object] = [prose(_RULE), _printed_table(store, cells, rows), prose(_rows_agree())]
    if (recovered := _recovered(store, rows)) is not None:
        blocks += [prose(recovered)]
    blocks += [prose(_counted("upper bounds", bounds, _BOUNDS)), _nearest_table("upper bound", bounds, _BOUNDS)]
    blocks += [prose(_counted("averages", averages, _AVERAGES)), _nearest_table("average", averages, _AVERAGES)]
    blocks += [prose(_both(bounds, averages))]
    every = _all_averages(store, rows, linear=False)
    if every is not None and len(rows) > 1:
        blocks += [prose(_whole_column(every)), *_conclusions(store, rows, first)]
        blocks += [_quantities_table(every, bounds), prose(_observations(every))]
        blocks += [figure_block(_figure(bounds, every), **_CAPTION)]
    return Section("The printed table", blocks)


def _all_averages(store: Any, rows: tuple[int, ...], linear: bool) -> Readings | None:
    """Return the readings of the averages: errors of Psi^ and of matrices."""
    errors, matrices = (readings.collect(store, output, rows, linear) for output in ("error", "matrix_error"))
    return None if errors is None or matrices is None else errors.joined(matrices)


_RULE = (
    "A reading gives a printed number when the two differ by at most four standard errors of their difference, the "
    "printed one being an average of 100 runs, on a log scale, beyond half a unit of the last printed digit. It gives "
    "a whole column when it gives all rows and the chi-square of all rows together has p > 0.001: four standard errors "
    "in every row are generous for a column. Where the probabilities are drawn once, the standard error is the whole "
    "spread of a run and is wide. A reading whose tolerance is more than a factor of 2 in some row is blunt: it can "
    "hardly fail row by row, and is left out of the counts and tables below unless they say otherwise.\n\n"
    "This rule was not fixed beforehand. That differences are of logarithms, and that blunt readings are left out, was "
    "chosen after the numbers had been seen. A table below shows what the other choices conclude."
)
_CAPTION = {
    "caption": "Crosses: the printed numbers. Lines: the readings nearest to each column, with two standard errors of "
    "a printed average. Both axes are logarithmic.",
    "label": "concentration-table",
    "title": "Printed numbers and the readings nearest to them",
    "width": "wide",
}


def _printed_table(store: Any, cells: dict[tuple[int, int, str], int], rows: Sequence[int]) -> Any:
    body = []
    for n in rows:
        average, bound = PRINTED[n]
        r, x = float(round(n**REPLICATES_POWER)), n ** ((3 - REPLICATES_POWER) / 2)
        covered = np.concatenate([store.values("covered", index) for key, index in cells.items() if key[0] == n])
        covered = covered[np.isfinite(covered)]
        ours = "–"
        if len(covered):
            low, high = clopper_pearson(int(covered.sum()), len(covered))
            ours = f"{covered.mean():.1%} of {len(covered)} ({low:.1%} to {high:.1%})"
        cell = [
            f"{average:.6f}",
            f"{bound:.6f}",
            number(average * r**0.5 / n),
            number(bound / x),
            number(bound / average),
        ]
        body.append([str(n), f"{r:,.0f}", *cell, ours])
    columns = ["n", ">r", ">average", ">bound", ">average × √r / n", ">bound / x", ">bound / average", "covered, ours"]
    return Table(columns, body, caption=_COVERED).html()


#: What the last average would be with one digit changed.
_ONE_DIGIT = 0.000121
_COVERED = (
    "The printed rows, where all coverage is 100%, and the share of our runs, over m and both ways to draw the "
    "probabilities, in which the Frobenius error is at most the bound under every reading at once, with 95% intervals."
)


def _rows_agree() -> str:
    rows = tuple(PRINTED)
    parts = []
    for column, name in ((_AVERAGES, "average"), (_BOUNDS, "bound")):
        law = readings.power_law(rows, column)
        there = PRINTED[rows[-1]][column]
        parts.append(
            f"- The {name}: the rows n = {rows[0]} to {rows[-2]} follow $n^{{{law.slope:.2f}}}$ (standard error "
            f"{law.slope_se:.2f}) with a scatter of {law.scatter:.1%}. At n = {rows[-1]} this predicts "
            f"{law.predicted:.6f}, 95% interval {law.low:.6f} to {law.high:.6f}; printed is {there:.6f}, "
            f"{number(there / law.predicted)} times that (p = {law.p:.1g})."
        )
    law = readings.power_law(rows, _AVERAGES)
    limit = math.log(readings.BLUNT) / readings.THRESHOLD
    return (
        "Do the printed rows agree with one another?\n\n" + "\n".join(parts) + "\n\n"
        f"The average at n = {rows[-1]} was singled out after the rows had been looked at, which its p-value ignores. "
        f"As an observation, no more: {PRINTED[rows[-1]][_AVERAGES]:.6f} is one digit from {_ONE_DIGIT:.6f}.\n\n"
        "The smoothness of the other averages speaks against blunt readings, too. If rows scattered independently "
        f"by {limit:.2f}, where a reading becomes blunt, a scatter of {law.scatter:.1%} or less about a power law "
        f"({law.degrees} degrees of freedom) would have probability {law.smoothness(limit):.1g}, and less by "
        "more. This, too, was seen first and computed later."
    )


def _recovered(store: Any, rows: tuple[int, ...]) -> str | None:
    """Say how often the rule finds the reading of our own averages with probabilities drawn once."""
    pairs = [readings.recovered(store, output, rows) for output in ("bound", "error", "matrix_error")]
    given, total = (sum(part) for part in zip(*pairs, strict=True))
    if not total:
        return None
    return (
        f"A check of the rule: our own averages with probabilities drawn once are given by their own reading in "
        f"{given:,} of {total:,} pairs of a reading and a row. The readings of a row share its probabilities, so these "
        "pairs are far from independent."
    )


def _counted(what: str, found: Readings, column: int) -> str:
    lines = []
    for probabilities, words in zip(_WAYS, ("anew in each run", "once"), strict=True):
        chosen = found.of(probabilities)
        if not chosen.names:
            continue
        sharp = chosen.sharp
        apart = sharp.distinct()
        values = readings.printed(apart.rows, column)
        given = readings.matches(apart, values)
        all_rows, whole = (int(rule(apart, values).sum()) for rule in (readings.row_by_row, readings.whole))
        chance = readings.chance(apart)
        below = " The number found is below the one expected by chance." if whole < chance else ""
        rows = ", ".join(f"{count} at n = {n}" for n, count in zip(apart.rows, given.sum(axis=0), strict=True))
        lines.append(
            f"- Probabilities drawn {words}: {len(chosen.names)} readings, {len(sharp.names)} of which are not blunt, "
            f"{len(apart.names)} of these distinct; the printed number is given by {rows}; each of these rows by "
            f"{all_rows}, the whole column by {whole}. Columns that come from no reading are given by {chance:.1f} on "
            f"average.{below}"
        )
    return f"Readings of the {what}.\n\n" + "\n".join(lines)


def _nearest_table(what: str, found: Readings, column: int) -> Any:
    found = found.of("each run").sharp.distinct()
    if not found.names:
        return prose(f"No reading of the {what}s is sharp enough to be compared; more replicates may help.")
    values = readings.printed(found.rows, column)
    z, given = readings.distances(found, values), readings.matches(found, values)
    shapes = readings.shape(found, values)
    p = readings.joint(found, values)
    body = [["printed", *(f"{value:.6f}" for value in values), "", "", ""]]
    for index in readings.nearest(found, values, _LISTED):
        mean = np.exp(found.centre[index])
        cells = [
            Markup("{}<br><small>± {}, z = {}</small>").format(
                f"{value:.{_places(value)}f}", f"{value * se:.{_places(value)}f}", f"{apart:+.1f}".replace("-", "−")
            )
            for value, se, apart in zip(mean, found.se[index], z[index], strict=True)
        ]
        words = found.names[index].words.removesuffix("; new probabilities")
        body.append(
            [words, *cells, str(int(given[index].sum())), number(float(p[index]), 2), number(shapes[index].p, 2)]
        )
    columns = ["reading", *(f">n = {n}" for n in found.rows), ">given", ">p, all", ">p, shape"]
    caption = (
        f"The readings nearest to the printed {what}s, probabilities drawn anew in each run: ours ± standard error, "
        "and the difference in standard errors; last, the number of rows given, and the p-values of all rows together, "
        "as they are and up to one factor."
    )
    return Table(columns, body, caption=caption).html()


def _places(value: float) -> int:
    return 4 if value >= 0.01 else 6


def _both(bounds: Readings, averages: Readings) -> str:
    """Say which choices give all bounds and all averages (but the last row) at once, and by what average."""
    lines = []
    for probabilities, words in zip(_WAYS, ("new probabilities", "probabilities once"), strict=True):
        pair = bounds.of(probabilities).sharp, averages.of(probabilities).sharp
        given = _given(readings.whole, pair)
        common = readings.common_choices(*given, pair)
        by = [name for name, ok in zip(pair[1].names, given[1], strict=True) if ok]
        shown = [f"{name.choices} ({_quantities(name, by)})" for name in common[:_LISTED]]
        more = f", and {len(common) - _LISTED} more" if len(common) > _LISTED else ""
        lines.append(f"- With {words}: {f'{len(common)}, namely ' if common else 'none'}{'; '.join(shown)}{more}.")
    once = averages.of("once")
    sharpest = float(np.exp(readings.THRESHOLD * once.tolerance.max(axis=1)).min()) if once.names else math.nan
    return (
        "Which choices of m, convention and d give the column of bounds and, for some quantity, the averages but the "
        "last?\n\n" + "\n".join(lines) + "\n\n"
        f"Of {len(once.names)} readings of averages with probabilities once, {len(once.sharp.names)} are not blunt. "
        f"The sharpest has a tolerance of a factor of {sharpest:.2f}, so how many stay below {readings.BLUNT:.0f} "
        "depends on the seed."
    )


def _quantities(name: readings.Reading, by: Sequence[readings.Reading]) -> str:
    return ", ".join(one.what for one in by if one[:4] in {name[:4], (*name[:3], "")})


def _given(rule: Any, pair: tuple[Readings, Readings]) -> tuple[np.ndarray, np.ndarray]:
    bounds, averages = pair
    return rule(bounds, readings.printed(bounds.rows, _BOUNDS)), rule(averages, readings.printed(averages.rows, 0))


def _whole_column(whole: Readings) -> str:
    """Say how many readings give the averages in all rows, the last one included."""
    sharp = whole.sharp
    found = sharp.keep(readings.whole(sharp, readings.printed(whole.rows, _AVERAGES)))
    drawn = [name.probabilities for name in found.names]
    shown = [f"- {name.words}." for name in found.names if name.probabilities == "each run"]
    return (
        f"Readings that give the whole column of averages, n = {whole.rows[-1]} included: {drawn.count('each run')} "
        f"with new probabilities, {drawn.count('once')} with probabilities drawn once.\n\n" + "\n".join(shown[:_LISTED])
    )


def _conclusions(store: Any, rows: tuple[int, ...], first: tuple[int, ...]) -> list[object]:
    """Return what logarithms or differences, with or without blunt readings, conclude, and what the widest rests on."""
    found: dict[bool, list[Readings]] = {}
    for linear in (False, True):
        of = readings.collect(store, "bound", rows, linear), *(_all_averages(store, n, linear) for n in (rows, first))
        found[linear] = [one for one in of if one is not None]
    body = []
    for sharp in (True, False):
        for linear in (False, True):
            kept = [
                one.named(set(by_logs.sharp.names)) if sharp else one
                for one, by_logs in zip(found[linear], found[False], strict=True)
            ]
            cells = [_concluded(*(one.of(drawn) for one in kept)) for drawn in _WAYS]
            words = f"{'numbers' if linear else 'logarithms'}, blunt readings {'left out' if sharp else 'kept'}"
            body.append([words, *(pair[k] for k in (0, 1) for pair in cells)])
    columns = ["differences of", *(f">{what}, {p}" for what in _WHAT for p in ("new", "once"))]
    table = Table(columns, body, caption=_CONCLUSIONS).html()
    widest = found[True][1].of("each run")
    widest = widest.keep(readings.row_by_row(widest, readings.printed(rows, _AVERAGES)))
    zero = int((readings.THRESHOLD * widest.tolerance[:, -1] >= 1).sum())
    remark = (
        f"Of the {len(widest.names)} readings with new probabilities that give every average when numbers are compared "
        f"and blunt readings kept, {zero} allow zero at n = {rows[-1]}."
    )
    return [table, prose(remark)]


_WHAT = ("averages", "both")
_CONCLUSIONS = (
    "Averages: how many readings give them in all rows. Both: how many choices of m, convention and d give all bounds "
    "and, for some quantity, the averages but the last. New or once: how probabilities are drawn. First row by row at "
    "four standard errors, in brackets jointly, too. The other tables follow the first line of this one."
)


def _concluded(bounds: Readings, every: Readings, averages: Readings) -> tuple[str, str]:
    """Return the numbers of readings that give all averages, and of choices that give bounds and averages."""
    pair = bounds, averages
    values = readings.printed(every.rows, _AVERAGES)
    rules = readings.row_by_row, readings.whole
    columns = [int(rule(every, values).sum()) for rule in rules]
    both = [len(readings.common_choices(*_given(rule, pair), pair)) for rule in rules]
    return f"{columns[0]} ({columns[1]})", f"{both[0]} ({both[1]})"


#: A near miss: the largest column sum of the error, under these choices, over the square root of 100 runs.
_NEAR = readings.Reading("each run", 2, "c=1/sqrt(m) e=1", "2", "column sum")


def _observations(whole: Readings) -> str:
    """Say what was noticed about the averages; none of it was looked for."""
    law = readings.power_law(tuple(PRINTED), _AVERAGES)
    parts = [
        f"- The averages but the last fall like $n^{{{law.slope:.2f}}}$: near $n/\\sqrt{{r}} = n^{{-1.75}}$, the shape "
        "of a column sum (the default of R's `norm`) or of the error of $\\hat B$, and not like $\\sqrt{n}/\\sqrt{r} = "
        "n^{-2.25}$, that of a Frobenius error of $\\hat\\Psi$."
    ]
    judged = [k for k, n in enumerate(whole.rows) if n != max(PRINTED)]
    sums, frobenius = (whole.named({_NEAR._replace(what=what)}) for what in ("column sum", "Frobenius"))
    if sums.names and frobenius.names and len(judged) > 1:
        n = np.log(np.array(whole.rows)[judged])
        slopes = [float(np.polyfit(n, one.centre[0, judged], 1)[0]) for one in (sums, frobenius)]
        parts[0] += (
            f" With {_NEAR.choices}, ours fall like $n^{{{slopes[0]:.2f}}}$ (column sum) and $n^{{{slopes[1]:.2f}}}$ "
            "(Frobenius)."
        )
        ratios = readings.printed(whole.rows, _AVERAGES) / np.exp(sums.centre[0]) * math.sqrt(PRINTED_RUNS)
        shown = ", ".join(f"{ratio:.3f} at n = {row}" for row, ratio in zip(whole.rows, ratios, strict=True))
        one_run = sums.spread[0, judged] * math.sqrt(PRINTED_RUNS)
        low, high = float(one_run.min()), float(one_run.max())
        parts.append(
            f"- A near hit: the column sum over {math.sqrt(PRINTED_RUNS):.0f}, with {_NEAR.choices}; printed over ours "
            f"is {shown}. That would be the norm of an error averaged over the {PRINTED_RUNS} runs, one noisy norm for "
            "each row. It is not taken for the answer: such a norm would scatter by about as much as one run does "
            f"({low:.0%} to {high:.0%}), and the printed rows but the last scatter by {law.scatter:.1%} (probability "
            f"{law.smoothness(low):.1g} or less). With so many readings tried, such a hit is expected."
        )
    return "Observations, made after looking:\n\n" + "\n".join(parts)


def _quantities_table(whole: Readings, bounds: Readings) -> Any:
    """Return every quantity under the choices of m, convention and d that are nearest for the bounds."""
    chosen = bounds.of("each run")
    chosen = chosen.sharp if chosen.sharp.names else chosen
    best = chosen.names[int(readings.nearest(chosen, readings.printed(chosen.rows, _BOUNDS), 1)[0])]
    same = whole.keep(np.array([n[:3] == best[:3] and n.dimension in {best.dimension, ""} for n in whole.names]))
    values = readings.printed(whole.rows, _AVERAGES)
    ratios = np.exp(same.centre) / values[None, :]
    kept = [index for index, n in enumerate(whole.rows) if n != max(PRINTED)]
    part = same.of_rows(kept)
    ps = [one.p for one in readings.shape(part, values[kept])] if len(kept) > 1 else [float("nan")] * len(same.names)
    body = [
        [name.what, *(number(ratio) for ratio in row), number(p, 2)]
        for name, row, p in zip(same.names, ratios, ps, strict=True)
    ]
    columns = ["average of", *(f">n = {n}" for n in whole.rows), ">p of one factor"]
    caption = (
        f"Ours over the printed average, under the choices nearest for the bound (m = {best.m}, {best.convention}, d "
        f"by {best.dimension}): a row of ones would be a match, a constant row a match up to a unit. Last, the p-value "
        f"of a constant factor in the rows but n = {max(PRINTED)}."
    )
    return Table(columns, body, caption=caption).html()


@styled
def _figure(bounds: Readings, averages: Readings) -> Any:
    figure, panels = new_figure(width=9.0, height=5.6, columns=2)
    names = [name for name in COLOURS if name != "black"]
    for panel, found, column, label in (
        (panels[0], averages, _AVERAGES, "average error"),
        (panels[1], bounds, _BOUNDS, "upper bound"),
    ):
        kept = found.of("each run").sharp.distinct()
        values, n = readings.printed(kept.rows, column), np.array(kept.rows)
        # The last average is off the line of the others, so it does not choose.
        judged = [index for index, one in enumerate(kept.rows) if column == _BOUNDS or one != max(PRINTED)] or [0]
        judges = kept.of_rows(judged)
        for place, index in enumerate(readings.nearest(judges, values[judged], _DRAWN)):
            mean = np.exp(kept.centre[index])
            reach = 2 * kept.tolerance[index]
            bars = mean * np.stack([-np.expm1(-reach), np.expm1(reach)])
            shifted = n * (1 + 0.006 * (place - (_DRAWN - 1) / 2))
            words = kept.names[index].words.removesuffix("; new probabilities")
            panel.errorbar(shifted, mean, bars, color=COLOURS[names[place]], elinewidth=0.9, capsize=1.8, label=words)
        panel.plot(n, values, "x", color=COLOURS["black"], markersize=7, markeredgewidth=1.6, label="printed")
        panel.set(xscale="log", yscale="log", xlabel="models n", ylabel=label)
        panel.set_xticks(n, [str(one) for one in n])
        panel.minorticks_off()
        panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        panel.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), fontsize=7.5)
    return figure
