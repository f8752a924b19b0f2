"""What the report of the study of sharpness shows: the targets, slack and coverage by bound, and slack in pictures."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from dkps_theory.monte_carlo import clopper_pearson
from dkps_theory.pages import COLOURS, Section, Table, count, figure_block, mark, new_figure, number, prose, styled
from simulations.estimates import quantile_estimate
from simulations.report_tables import folded
from simulations.store import Store
from simulations.studies.bound_sharpness import BOUNDS, LEVEL, NORMS, POPULATIONS, SMALL_NOISE, TARGETS

_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", "*")
#: Bounds that are drawn; dashed are those of published papers.
_DRAWN = (
    "A25-T2 small d",
    "A25-T2 e=1",
    "A25-T1",
    "A24-T2",
    "DK-M4",
    "DK-M8",
    "DK-M9",
    "certified",
    "certified rows",
)


@dataclass(frozen=True)
class Slack:
    """A bound over the 95% quantile, with the ends that the quantile's interval gives, and its coverage."""

    value: float
    low: float
    high: float
    hits: int
    trials: int

    @property
    def covered(self) -> tuple[float, float]:
        """The exact 95% interval of the coverage."""
        return clopper_pearson(self.hits, self.trials)

    @property
    def shown(self) -> str:
        """The slack with its interval."""
        return f"{number(self.value)} ({number(self.low)} to {number(self.high)})"


@dataclass(frozen=True)
class Line:
    """One cell at one r: where it is, its noise over signal (the quantile), and the slack of each bound.

    ``space`` is the dimension of the mean space, m p.
    """

    population: str
    n: int
    m: int
    r: float
    d: int
    space: int
    noise: float
    slack: dict[str, Slack]

    @property
    def where(self) -> str:
        """Words for messages."""
        return f"{self.population}, n = {self.n}, m = {self.m}, r = {count(self.r)}"

    @property
    def mean_space(self) -> bool:
        """Whether d is the dimension of the mean space."""
        return self.d == self.space

    @property
    def quiet(self) -> bool:
        """Whether the noise is at most a fifth of the signal."""
        return self.noise <= SMALL_NOISE


def lines(store: Store) -> list[Line]:
    """Return every cell and r with at least two replicates."""
    grid, bounds, quantities = ([*(store.axis(name) or ())] for name in ("r", "bound", "quantity"))
    found = []
    for at, cell in enumerate(store.cells):
        if len(store.finished(at)) < 2:
            continue
        factors, errors, known = cell["factors"], store.values("error", at), store.truth("bounds", at)
        noise = store.values("noise", at)
        d, space = int(store.truth("d", at)), int(store.truth("mean_space", at))
        for k, r in enumerate(grid):
            slack: dict[str, Slack] = {
                bound: slack_of(float(known[k, b]), errors[:, k, quantities.index(BOUNDS[bound])])
                for b, bound in enumerate(bounds)
                if BOUNDS[bound] in quantities
            }
            level = float(quantile_estimate(noise[:, k], LEVEL).value)
            where = (str(factors["population"]), int(factors["n"]), int(factors["m"]), float(r))
            found.append(Line(*where, d, space, level, slack))
    return found


def slack_of(bound: float, errors: np.ndarray) -> Slack:
    """Return the slack of a bound from the errors that it speaks of, failed ones left out."""
    errors = errors[np.isfinite(errors)]
    one = quantile_estimate(errors, LEVEL)
    # With too few errors beyond an end the quantile's interval is endless, and so is that of the slack.
    ends = [bound / float(value) if value > 0 else math.inf for value in (one.value, one.high, one.low)]
    return Slack(*ends, hits=int((errors <= bound).sum()), trials=len(errors))


# Targets


@dataclass(frozen=True)
class Judged:
    """How a target fares where it applies."""

    title: str
    target: float
    met: int
    missed: int
    total: int
    best: Slack | None
    worst: Slack | None
    at: str

    @property
    def verdict(self) -> bool | None:
        """True when met everywhere, False when missed somewhere beyond doubt, None when it is open."""
        if not self.total:
            return None
        return False if self.missed else True if self.met == self.total else None


def judge(title: str, target: float, bound: str, chosen: Sequence[Line]) -> Judged:
    """Hold a bound to a target: met or missed where the whole interval of its slack is on one side."""
    pairs = sorted(((line.slack[bound], line.where) for line in chosen), key=lambda pair: pair[0].value)
    met = sum(slack.high <= target for slack, _ in pairs)
    missed = sum(slack.low > target for slack, _ in pairs)
    ends = (pairs[0][0], pairs[-1][0], pairs[-1][1]) if pairs else (None, None, "")
    return Judged(title, target, met, missed, len(pairs), *ends)


def judgements(found: Sequence[Line]) -> list[Judged]:
    """Return the targets of the certified radius, where they apply."""
    places: list[tuple[str, int | None, Callable[[Line], bool]]] = [
        ("d = m p, the mean space", 0, lambda line: line.mean_space),
        ("d = n − 1 below m p, read as the mean space", 0, lambda line: line.d == line.n - 1 < line.space),
        *((f"d below m p, noise at most signal / 5, p = {p}", 1, _elsewhere(quiet=True, p=p)) for p in (1, 16)),
        ("d below m p, more noise (no target)", None, _elsewhere(quiet=False)),
    ]
    judged = []
    for title, index, applies in places:
        for norm, bound in NORMS.items():
            chosen = [line for line in found if applies(line) and bound in line.slack]
            target = math.inf if index is None else TARGETS[bound][index]
            judged.append(judge(f"{title}: {norm}", target, bound, chosen))
    return judged


def _elsewhere(*, quiet: bool, p: int | None = None) -> Callable[[Line], bool]:
    def applies(line: Line) -> bool:
        of_p = p is None or (16 if line.population.endswith("p=16") else 1) == p
        return not line.mean_space and line.quiet == quiet and of_p

    return applies


def _targets_table(found: Sequence[Line]) -> Markup:
    body = []
    for one in judgements(found):
        if one.best is None or one.worst is None:
            body.append([one.title, number(None), number(None), number(None), "no cell", "", ""])
            continue
        bounded = math.isfinite(one.target)
        verdict: object = "reported"
        if bounded:
            verdict = "open" if one.verdict is None else mark(one.verdict, "met", "not met")
        tally = f"{one.met} met, {one.missed} not, of {one.total}" if bounded else f"{one.total}"
        body.append(
            [
                one.title,
                number(one.target, 2) if bounded else number(None),
                number(one.best.value),
                one.worst.shown,
                one.at,
                tally,
                verdict,
            ]
        )
    columns = ["certified radius, where", ">target", ">least slack", ">most slack", "there", "cells and r", "verdict"]
    caption = (
        "The certified radius over the true 95% quantile, with the interval that the quantile's 95% interval gives. A "
        "target counts as met at a cell and r when the whole interval is at most the target, as not met when it is all "
        "above it; it is open where the interval holds the target."
    )
    return Table(columns, body, caption).html()


def _coverage_sentence(found: Sequence[Line]) -> str:
    """Say how far the certified radii cover, over all cells and r."""
    pairs = [(line.slack[bound], line, bound) for line in found for bound in NORMS.values() if bound in line.slack]
    if not pairs:
        return "The run left the certified radius out."
    least, line, bound = min(pairs, key=lambda pair: pair[0].hits / pair[0].trials)
    low, high = least.covered
    below = sum(slack.covered[1] < LEVEL for slack, _, _ in pairs)
    return (
        f"Coverage of the certified radius, asked to be at least {LEVEL:.0%}: over {len(pairs):,} radii the lowest is "
        f"{least.hits / least.trials:.1%} (95% interval {low:.1%} to {high:.1%}), of `{bound}` at {line.where}; "
        f"{below} are below {LEVEL:.0%} beyond the interval of their own coverage."
    )


# Tables


def _bounds_table(found: Sequence[Line]) -> Markup:
    """Return one line for each bound: slack by population and the least coverage."""
    populations = [name for name in POPULATIONS if any(line.population == name for line in found)]
    body = []
    for bound in _bounds(found):
        cells: list[object] = [Markup("{}<br><small>{}</small>").format(bound, BOUNDS[bound])]
        for name in populations:
            of = [line.slack[bound].value for line in found if line.population == name]
            cells.append(_spread(of))
        every = [line.slack[bound] for line in found]
        least = min(every, key=lambda one: one.hits / one.trials)
        below = sum(one.covered[1] < LEVEL for one in every)
        failed = mark(not below, "none", f"{below} of {len(every)}")
        body.append([*cells, f"{least.hits / least.trials:.1%}", failed])
    columns = ["bound and what it bounds", *(f">{name}" for name in populations), ">least coverage", ">below 95%"]
    caption = (
        "Slack by bound and population: the median over n, m and r, and below it the least and the most. Last, the "
        "lowest coverage, and at how many cells and r coverage is below 95% beyond its own 95% interval: there the "
        "bound is none at 95%. DK-M9 is ∞ where it is not less than DK-M8."
    )
    return Table(columns, body, caption).html()


def _spread(values: Sequence[float]) -> Markup:
    """Return the median and the range of the finite values, and how many are not."""
    finite = [value for value in values if math.isfinite(value)] or [math.inf]
    low, middle, high = (number(float(end)) for end in (min(finite), np.median(finite), max(finite)))
    endless = "" if len(finite) == len(values) else f"; ∞ in {len(values) - len(finite)} of {len(values)}"
    return Markup("{}<br><small>{} to {}{}</small>").format(middle, low, high, endless)


def _bounds(found: Iterable[Line]) -> list[str]:
    known = {bound for line in found for bound in line.slack}
    return [bound for bound in BOUNDS if bound in known]


def _population_tables(name: str, chosen: Sequence[Line]) -> Markup:
    """Return the slack at every cell and r: of our own bounds, and of published ones."""
    caption = (
        f"{POPULATIONS[name]}. Slack: each bound over the 95% quantile of the error. Noise / signal is the 95% "
        "quantile of c‖HE‖ / σ_d, in bold where it is at most 1/5. The mean space has dimension m p. Slack in "
        "the colour of failure: coverage below 95% beyond its own interval."
    )
    tables = []
    for published, words in ((False, caption), (True, "The same for the published bounds.")):
        bounds = [bound for bound in _bounds(chosen) if bound.startswith("A") == published]
        body = []
        for line in chosen:
            where: list[object] = [str(line.n), str(line.m), f"{line.d} of {line.space}", count(line.r), _regime(line)]
            body.append([*where, *(_one(line.slack[bound]) for bound in bounds)])
        columns = [">n", ">m", ">d of m p", ">r", ">noise / signal", *(f">{bound}" for bound in bounds)]
        tables.append(Table([_broken(one) for one in columns], body, words).html())
    return Markup("").join(tables)


def _broken(heading: str) -> Markup:
    """Break a heading before what qualifies it."""
    parts = re.split(r" (?=at T1|small|e=1|c=1|/|of|rows)", heading.removeprefix(">"))
    return Markup(">") + Markup("<br>").join(parts)


def _regime(line: Line) -> Markup:
    shown = number(line.noise, 2)
    return Markup("<b>{}</b>" if line.quiet else "{}").format(shown)


def _one(slack: Slack) -> object:
    shown = number(slack.value)
    return mark(False, no=shown) if slack.covered[1] < LEVEL else shown


# Figures


def _drawn_cell(found: Sequence[Line]) -> tuple[int, int]:
    """Return the middle n and the largest m."""
    sizes = sorted({line.n for line in found})
    return sizes[len(sizes) // 2], max(line.m for line in found)


@styled
def slack_figure(found: Sequence[Line]) -> Figure:
    """Draw slack against r by bound, a panel for each population, at one n and m."""
    n, m = _drawn_cell(found)
    populations = [name for name in POPULATIONS if any(line.population == name for line in found)]
    rows = -(-len(populations) // 2)
    figure, panels = new_figure(width=8.4, height=0.9 + 3.0 * rows, rows=rows, columns=min(2, len(populations)))
    for panel, name in zip(panels, populations, strict=False):
        chosen = [line for line in found if (line.population, line.n, line.m) == (name, n, m)]
        for index, bound in enumerate(one for one in _DRAWN if one in _bounds(chosen)):
            r = np.array([line.r for line in chosen])
            values = np.array([line.slack[bound].value for line in chosen])
            colour = list(COLOURS.values())[index % len(COLOURS)]
            style: dict[str, Any] = {"color": colour, "marker": _MARKERS[index % len(_MARKERS)]}
            style["linestyle"] = (0, (4, 2)) if bound.startswith("A") else "-"
            panel.plot(r, values, label=bound if panel is panels[0] else None, **style)
        _log(panel, "replicates r", name)
        panel.axhline(1, color=COLOURS["black"], linewidth=0.9)
    for panel in panels[len(populations) :]:
        panel.set_axis_off()
    figure.supylabel("bound / 95% quantile", fontsize=9)
    figure.legend(loc="outside lower left", ncols=5)
    return figure


@styled
def regime_figure(found: Sequence[Line]) -> Figure:
    """Draw the slack of the certified radius against noise over signal, a panel for each norm."""
    norms = {norm: bound for norm, bound in NORMS.items() if bound in _bounds(found)}
    figure, panels = new_figure(width=8.4, height=4.2, columns=len(norms))
    for panel, (norm, bound) in zip(panels, norms.items(), strict=True):
        for name, colour, marker in zip(POPULATIONS, COLOURS.values(), _MARKERS, strict=False):
            of = [line for line in found if line.population == name]
            for mean_space, face in ((False, colour), (True, "none")):
                points = [(one.noise, one.slack[bound].value) for one in of if one.mean_space == mean_space]
                style: dict[str, Any] = {"color": colour, "marker": marker, "linestyle": "none", "markersize": 4}
                panel.plot(*np.reshape(points, (-1, 2)).T, markerfacecolor=face, **style)
            if of and panel is panels[0]:
                panel.plot([], [], linestyle="none", color=colour, marker=marker, label=name)
        _log(panel, "noise over signal, 95% quantile of c‖HE‖ / σ_d", norm)
        panel.axvline(SMALL_NOISE, color=COLOURS["black"], linewidth=0.7, linestyle=":")
        same, other = TARGETS[bound]
        for level, words in ((1.0, "truth"), (same, f"hollow ≤ {same:g}"), (other, f"filled ≤ {other:g}")):
            panel.axhline(level, color=COLOURS["black"], linewidth=0.9 if level == 1 else 0.7)
            panel.annotate(words, (1.01, level), xycoords=("axes fraction", "data"), fontsize=7.5, va="center")
        panel.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 3.0, 5.0)))
        panel.yaxis.set_major_formatter("{x:g}")
    figure.supylabel("certified radius / 95% quantile", fontsize=9)
    figure.legend(loc="outside lower left", ncols=4)
    return figure


def _log(axes: Axes, label: str, title: str) -> None:
    axes.set(xscale="log", yscale="log", xlabel=label, title=title)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(numticks=8))
        axis.set_minor_locator(NullLocator())


_SLACK = (
    "At n = {n} and m = {m}. Dashed: bounds of A24 and A25. 1 is the truth; below it there is no bound at 95%. DK-M9 "
    "is not drawn where DK-M8 is less."
)
_OF_SLACK = {"label": "slack-r", "title": "Slack against r", "width": "wide"}
_NOISE = (
    "Every cell and r. Hollow: d = m p, the dimension of the mean space, with a target at any noise. Filled: "
    "elsewhere, with a target left of the dotted line, at noise of at most a fifth of the signal."
)
_OF_NOISE = {"label": "slack-noise", "title": "Slack of the certified radius against noise", "width": "wide"}


def section(store: Store) -> Section | None:
    """Return the slack of every bound and the verdict on each target; None while no cell has two replicates."""
    found = lines(store)
    if not found:
        return None
    n, m = _drawn_cell(found)
    blocks: list[object] = [prose(_coverage_sentence(found))]
    certified = set(NORMS.values()) <= set(_bounds(found))
    if certified:
        blocks.append(_targets_table(found))
    blocks += [_bounds_table(found), figure_block(slack_figure(found), _SLACK.format(n=n, m=m), **_OF_SLACK)]
    if certified:
        blocks.append(figure_block(regime_figure(found), _NOISE, **_OF_NOISE))
    for name in POPULATIONS:
        chosen = [line for line in found if line.population == name]
        if chosen:
            blocks.append(folded(f"Slack table: {name}", _population_tables(name, chosen)))
    return Section("Slack", blocks)
