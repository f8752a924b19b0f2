"""What the report of the study of gaps shows: the gap against J, K and L, and whether it rises or falls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator, SymmetricalLogLocator
from scipy import stats

from dkps_theory.monte_carlo import clopper_pearson
from dkps_theory.pages import COLOURS, Section, Table, figure_block, new_figure, number, prose, styled, with_se
from simulations.report_tables import folded
from simulations.store import Store
from simulations.studies.kl_gap import DESIGNS, FITS, HISTOGRAMS, MEASURES, SWEEPS

#: Ends of the band around the median.
_BAND = (0.1, 0.9)
#: What the theory's reading of G25 expects when a number rises.
EXPECTED = {"J": "rises", "K": "falls", "L": "falls"}
_TICKS = (2, 5, 10, 15)
#: Measures whose gap is linear on the axis; others are drawn on a scale that is logarithmic beyond 1 either way.
_LINEAR = ("TV", *HISTOGRAMS)


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Return Spearman's rank correlation."""
    return float(np.corrcoef(stats.rankdata(first), stats.rankdata(second))[0, 1])


@dataclass(frozen=True)
class Curve:
    """The gap of one measure in one design along one sweep.

    Attributes
    ----------
    values
        Of the swept number, rising.
    gaps
        Replicates of the gap at each value; failed ones are left out.
    limits
        Replicates of the gap at infinite data; None for the published measures.
    """

    design: str
    sweep: str
    measure: str
    values: np.ndarray
    gaps: tuple[np.ndarray, ...]
    limits: tuple[np.ndarray, ...] | None

    def each(self, function: Any) -> np.ndarray:
        """Return a number of each value's gaps."""
        return np.array([function(one) for one in self.gaps])

    @property
    def ends(self) -> tuple[int, int]:
        """Independent pairs (a gap at the last value, one at the first), and in how many the last is larger."""
        pairs = min(len(self.gaps[0]), len(self.gaps[-1]))
        return pairs, int((self.gaps[-1][:pairs] > self.gaps[0][:pairs]).sum())

    @property
    def verdict(self) -> str:
        """``rises`` or ``falls`` when P(last > first) is above or below 1/2 beyond its 95% interval, else ``open``."""
        pairs, larger = self.ends
        low, high = clopper_pearson(larger, pairs)
        return "rises" if low > 0.5 else "falls" if high < 0.5 else "open"

    @property
    def trend(self) -> float:
        """Spearman's rank correlation of the value and the median gap: 1 or -1 when the medians are monotone."""
        return rank_correlation(self.values, self.each(np.median))


def curves(store: Store) -> list[Curve]:
    """Return every curve with at least two values that have two replicates."""
    found = []
    for design in DESIGNS:
        for sweep in SWEEPS:
            cells = [
                at
                for at, cell in enumerate(store.cells)
                if (cell["factors"]["design"], cell["factors"]["sweep"]) == (design, sweep)
                and len(store.finished(at)) > 1
            ]
            cells.sort(key=lambda at: store.cells[at]["factors"]["value"])
            if len(cells) < 2:
                continue
            values = np.array([float(store.cells[at]["factors"]["value"]) for at in cells])
            published = DESIGNS[design][0] == "published"
            chosen = [("histogram_gap", k, name) for k, name in enumerate(HISTOGRAMS) if published]
            chosen += [("gap", k, name) for k, name in enumerate(MEASURES)]
            for output, k, name in chosen:
                gaps = tuple(_finite(store, output, at, k) for at in cells)
                limits = None if output != "gap" else tuple(_finite(store, "limit_gap", at, k) for at in cells)
                if min(map(len, gaps)) > 1:
                    found.append(Curve(design, sweep, name, values, gaps, limits))
    return found


def _finite(store: Store, output: str, cell: int, entry: int) -> np.ndarray:
    values = store.values(output, cell, (entry,))
    return values[np.isfinite(values)]


# Figures


@styled
def gap_figure(found: Sequence[Curve]) -> Figure:
    """Draw the curves of one design along one sweep, a panel for each measure, one below the other."""
    figure, panels = new_figure(width=3.7, height=1.0 + 1.75 * len(found), rows=len(found))
    blue, red, black = (COLOURS[name] for name in ("blue", "red", "black"))
    for curve, panel in zip(found, panels, strict=True):
        x = curve.values
        low, middle, high = (curve.each(lambda one, q=q: np.quantile(one, q)) for q in (_BAND[0], 0.5, _BAND[1]))
        panel.fill_between(x, low, high, color=red, alpha=0.16, linewidth=0)
        panel.plot(x, middle, color=red, marker="s", markersize=3, label=f"median, {_BAND[0]:.0%} to {_BAND[1]:.0%}")
        bars = {"color": blue, "marker": "o", "markersize": 3, "elinewidth": 0.8, "capsize": 1.5, "linewidth": 1.0}
        shift = 0.18 * np.ones(len(x))
        panel.errorbar(
            x + shift, curve.each(np.mean), curve.each(lambda one: one.std(ddof=1)), label="mean ± sd", **bars
        )
        if curve.limits is not None:
            medians = [float(np.median(one)) for one in curve.limits]
            panel.plot(x, medians, color=black, linestyle=(0, (4, 2)), linewidth=1.0, label="median, infinite data")
        panel.axhline(0, color=black, linewidth=0.7)
        panel.set_xticks([tick for tick in _TICKS if x[0] <= tick <= x[-1]])
        if curve.measure not in _LINEAR:
            panel.set_yscale("symlog", linthresh=1.0, linscale=1.0)
            panel.yaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=1.0))
            panel.yaxis.set_major_formatter(FuncFormatter(lambda level, _: f"{level:g}".replace("-", "−")))
            panel.yaxis.set_minor_locator(NullLocator())
        panel.set_title(f"gap in {curve.measure}" + ("" if curve.measure == "TV" else " (nats)"), fontsize=9)
    panels[-1].set_xlabel(found[0].sweep)
    figure.suptitle(f"{found[0].sweep} grows, {found[0].design}", fontsize=10, x=0.02, ha="left")
    handles = {
        label: handle for panel in panels for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles.keys(), loc="outside lower left", ncols=2, fontsize=8)
    return figure


def gap_figures(design: str, found: Sequence[Curve]) -> Markup:
    """Return the figures of a design, side by side where the screen is wide enough."""
    blocks = []
    for sweep in SWEEPS:
        of = [curve for curve in found if curve.sweep == sweep]
        if of:
            label = f"gap-{design}-{sweep}".replace(" ", "-").replace("=", "")
            blocks.append(figure_block(gap_figure(of), "", label=label, title=f"{sweep} grows, {design}"))
    return Markup('<div class="grid" style="{}">{}</div>').format(_COLUMNS, Markup("\n").join(blocks))


#: Three figures in a row, where there is room for them.
_COLUMNS = "grid-template-columns: repeat(auto-fill, minmax(min(100%, 18rem), 1fr))"
_CAPTION = (
    "In the figures, one of $J$, $K$ and $L$ grows while the other two stay at 2. Above 0, the fit to synthetic data "
    "is nearer to the truth. Blue: mean ± standard deviation over repetitions, as published. Red: median, with the 10% "
    "and 90% quantiles. Dashed: the median gap without estimation, that is, with infinite data. Gaps in KL and reverse "
    "KL are on a scale that is linear from −1 to 1 and logarithmic beyond."
)


# Table


def verdict_table(found: Sequence[Curve]) -> Markup:
    """Return a line for every curve: the gap at both ends and how often the last is larger."""
    body = []
    for curve in found:
        pairs, larger = curve.ends
        low, high = clopper_pearson(larger, pairs)
        ends: list[object] = [_spread(curve.gaps[at]) for at in (0, -1)]
        share = Markup("{}<br><small>{} to {}</small>").format(*(f"{one:.2f}" for one in (larger / pairs, low, high)))
        where = f"{curve.sweep}: {curve.values[0]:g} to {curve.values[-1]:g}"
        words = f"{curve.verdict} (expected: {EXPECTED[curve.sweep]})"
        body.append([where, curve.measure, *ends, share, f"{curve.trend:+.2f}".replace("-", "−"), words])
    columns = ["swept", "gap in", ">gap at the first", ">gap at the last", ">P(last > first)", ">trend", "the gap"]
    caption = (
        "Gap: median, the 10% and 90% quantiles below it, and mean ± standard error. P(last > first): share of pairs "
        "of independent repetitions in which the gap at the last value is larger, with its exact 95% interval; it says "
        "what is written last, open where the interval holds 1/2. Trend: rank correlation of the medians with the "
        "value, ±1 when they are monotone."
    )
    return Table(columns, body, caption).html()


def _spread(gaps: np.ndarray) -> Markup:
    low, middle, high = (number(float(np.quantile(gaps, q))) for q in (_BAND[0], 0.5, _BAND[1]))
    mean = with_se(float(gaps.mean()), float(gaps.std(ddof=1) / np.sqrt(len(gaps))))
    return Markup("{}<br><small>{} to {}<br>mean {}</small>").format(middle, low, high, mean)


def expectation_table(found: Sequence[Curve]) -> Markup:
    """Return whether the gap does what is expected, by design and measure."""
    body = []
    for design, measure in dict.fromkeys((curve.design, curve.measure) for curve in found):
        verdicts = {c.sweep: c.verdict for c in found if (c.design, c.measure) == (design, measure)}
        words = [_compared(sweep, verdicts[sweep]) if sweep in verdicts else "" for sweep in SWEEPS]
        body.append([design, measure, *words])
    columns = ["design", "gap in", *(f"as {sweep} grows it {EXPECTED[sweep]}?" for sweep in SWEEPS)]
    caption = (
        "Is the expectation borne out? From the first value to the last; open: the 95% interval of "
        "P(gap at the last > gap at the first) holds 1/2, for each line by itself."
    )
    return Table(columns, body, caption).html()


def _compared(sweep: str, verdict: str) -> str | Markup:
    if verdict == "open":
        return "open"
    return "yes" if verdict == EXPECTED[sweep] else Markup("<b>no, it {}</b>").format(verdict)


def value_table(found: Sequence[Curve]) -> Markup:
    """Return the gap at every value: median, quantiles and mean, a column for each measure of one design."""
    measures = list(dict.fromkeys(curve.measure for curve in found))
    body = []
    for sweep in SWEEPS:
        of = {curve.measure: curve for curve in found if curve.sweep == sweep}
        values = next(iter(of.values())).values if of else ()
        body += [
            [f"{sweep} = {value:g}", *(_spread(of[name].gaps[at]) if name in of else "" for name in measures)]
            for at, value in enumerate(values)
        ]
    caption = "Median, the 10% and 90% quantiles below it, and mean ± standard error."
    return Table(["", *(f">{name}" for name in measures)], body, caption).html()


def fit_table(store: Store) -> Markup:
    """Return how many fits have converged, how many sit at the floor, and how often a component has no anchor."""
    body = []
    for design in DESIGNS:
        cells = [at for at, cell in enumerate(store.cells) if cell["factors"]["design"] == design]
        cells = [at for at in cells if len(store.finished(at))]
        if not cells:
            continue
        done, floored, unseen, steps = (
            np.concatenate([store.values(name, at) for at in cells])
            for name in ("converged", "floored", "unseen", "steps")
        )
        for k, fit in enumerate(FITS):
            without = f"{(unseen > 0).mean():.2%}" if k == 0 else ""
            shares = f"{done[:, k].mean():.2%}", number(float(steps[:, k].mean())), f"{floored[:, k].mean():.1%}"
            body.append([design, fit, *shares, without])
    columns = ["design", "fit to", ">converged", ">steps, mean", ">a component at the floor", ">no anchor"]
    caption = (
        "What became of EM. At the floor: a fitted component is flat in some direction up to the floor, as one with "
        "few points is. No anchor: repetitions in which a prompt component has none, and is left out of the generator."
    )
    return Table(columns, body, caption).html()


def section(store: Store) -> Section | None:
    """Return the gaps by design; None while no sweep has two values with two replicates."""
    found = curves(store)
    if not found:
        return None
    blocks: list[object] = [expectation_table(found), fit_table(store), prose(_CAPTION)]
    for design in DESIGNS:
        of = [curve for curve in found if curve.design == design]
        if of:
            blocks.append(gap_figures(design, of))
            blocks.append(folded(f"first and last value, {design}", verdict_table(of)))
            blocks.append(folded(f"every value, {design}", value_table(of)))
    return Section("The gap", blocks)
