"""What the report of the study of the flow of distributions shows: one repetition in the plane, and masses by sweep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from dkps_theory.monte_carlo import study_key
from dkps_theory.pages import COLOURS, Section, Table, figure_block, new_figure, prose, styled, with_se
from simulations.grid import Cell
from simulations.report_tables import folded
from simulations.store import Store
from simulations.studies.distribution_flow import BASE, DESIGNS, LAWS, LEVEL, STUDY, SWEEPS

#: Outputs, and words for them.
QUANTITIES = {"missed": "missed", "added": "added", "variation": "total variation"}
#: Words for what is swept.
_SWEPT = {
    "J": "J, copied components",
    "L": "L, foreign components",
    "K": "K, prompt components",
    "anchors": "anchors by component",
    "noise": "noise s of curation",
}
#: Parts of a generator: colour, line, marker and words.
ROLES: dict[str, tuple[str, Any, str, str]] = {
    "K": ("blue", "-", "o", "K: re-estimated from anchors"),
    "J": ("green", (0, (5, 2)), "s", "J: copied from the truth, no anchors"),
    "L": ("red", (0, (1.5, 1.2)), "^", "L: foreign, not in the truth"),
}
_BAND = (0.1, 0.9)


@dataclass(frozen=True)
class Point:
    """The repetitions of one cell, one quantity and one law.

    Attributes
    ----------
    values, errors
        Of each repetition, and their Monte Carlo standard errors.
    apart
        What the quantity would be with known moments and components far apart; None with noise.
    """

    design: str
    sweep: str
    value: float
    quantity: str
    law: str
    values: np.ndarray
    errors: np.ndarray
    apart: float | None

    @property
    def mean(self) -> float:
        """The mean over repetitions."""
        return float(self.values.mean())

    @property
    def se(self) -> float:
        """Its standard error, Monte Carlo within repetitions included."""
        return float(self.values.std(ddof=1) / np.sqrt(len(self.values)))

    @property
    def simulation_se(self) -> float:
        """The part of the standard error that is Monte Carlo within repetitions."""
        return float(np.sqrt((self.errors**2).mean() / len(self.errors)))


def far_apart(quantity: str, label_variation: float) -> float:
    """Return a quantity where components lie far apart and all moments are known.

    Examples
    --------
    >>> far_apart("missed", 0.5), far_apart("added", 0.5), far_apart("variation", 0.5)
    (0.0, 0.475, 0.5)
    """
    return {"missed": 0.0, "added": LEVEL, "variation": 1.0}[quantity] * label_variation


def points(store: Store) -> list[Point]:
    """Return every cell with at least two finished replicates, by quantity and law."""
    found = []
    for at, cell in enumerate(store.cells):
        if len(store.finished(at)) < 2:
            continue
        design, sweep, value = (cell["factors"][name] for name in ("design", "sweep", "value"))
        labels = store.truth("label_variation", at)
        for quantity in QUANTITIES:
            for k, law in enumerate(LAWS):
                values, errors = (store.values(f"{quantity}{end}", at, (k,)) for end in ("", "_se"))
                good = np.isfinite(values)
                if good.sum() > 1:
                    apart = None if sweep == "noise" else far_apart(quantity, float(labels[k]))
                    where = (str(design), str(sweep), float(value), quantity, law)
                    found.append(Point(*where, values[good], errors[good], apart))
    return found


# The picture


@dataclass(frozen=True)
class Picture:
    """One repetition in the plane, as NumPy arrays; roles are letters K, J and L by component."""

    design: str
    truth: tuple[np.ndarray, np.ndarray]
    generator: tuple[np.ndarray, np.ndarray]
    truth_roles: tuple[str, ...]
    generator_roles: tuple[str, ...]
    anchors: np.ndarray
    synthetic: np.ndarray
    synthetic_roles: tuple[str, ...]


def picture(design: str, seed: int) -> Picture:
    """Return a repetition at K = J = L = 2 of a design in the plane, from a run's seed."""
    import equinox as eqx  # noqa: PLC0415

    from simulations.studies._distribution_flow import prepare  # noqa: PLC0415  (JAX)

    flow = prepare(Cell("picture", factors={"design": design, "sweep": "J", "value": BASE}), STUDY.axes)
    key = study_key(seed, f"{STUDY.name}/picture/{design}")
    # Compiled, as in the study: a truth made of known numbers keeps no covariances of components that it lacks.
    made = eqx.filter_jit(lambda world, key: world.generate(key))(flow.world, key)
    roles = np.array(list("K" * BASE + "J" * BASE + "L" * BASE))
    chosen = np.asarray(made.generator.weights)[: len(roles)] > 0
    both = [
        tuple(np.asarray(leaf)[: len(roles)] for leaf in (law.means, law.covariances))
        for law in (made.truth, made.generator)
    ]
    known = slice(0, 2 * BASE)
    return Picture(
        design,
        (both[0][0][known], both[0][1][known]),
        (both[1][0][chosen], both[1][1][chosen]),
        tuple(roles[known]),
        tuple(roles[chosen]),
        np.asarray(made.anchors.points)[np.asarray(made.anchors.present)],
        np.asarray(made.synthetic.points),
        tuple(roles[np.asarray(made.synthetic.labels)]),
    )


def outline(mean: np.ndarray, covariance: np.ndarray, count: int = 120) -> np.ndarray:
    """Return points (count, 2) on the ellipse that holds LEVEL of N(mean, covariance): radius^2 = -2 log(1 - LEVEL)."""
    angles = np.linspace(0, 2 * np.pi, count)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return mean[None] + np.sqrt(-2 * np.log(1 - LEVEL)) * circle @ np.linalg.cholesky(covariance).T


@styled
def flow_figure(shown: Picture) -> Figure:
    """Draw truth and anchors, the generator, and the synthetic data, on one scale."""
    grey = [outline(mean, covariance) for mean, covariance in zip(*shown.truth, strict=True)]
    own = [outline(mean, covariance) for mean, covariance in zip(*shown.generator, strict=True)]
    everything = np.concatenate([*grey, *own, shown.anchors, shown.synthetic])
    wide, high = everything.max(axis=0) - everything.min(axis=0)
    figure, panels = new_figure(width=8.8, height=1.4 + 2.5 * float(np.clip(high / wide, 0.6, 1.4)), columns=3)
    black, blue = COLOURS["black"], COLOURS["blue"]
    for panel in panels:
        for place, line in enumerate(grey):
            label = None if place or panel is not panels[0] else f"truth, {LEVEL:.0%} ellipses"
            panel.fill(*line.T, facecolor=black, alpha=0.16, linewidth=0, label=label)
    dots: dict[str, Any] = {"linestyle": "none", "markersize": 2.4, "markeredgewidth": 0, "alpha": 0.75}
    # A plus, so that anchors are told from the generator's own points without colour.
    panels[0].plot(
        *shown.anchors.T, color=blue, marker="+", markersize=3.6, linestyle="none", markeredgewidth=0.8, label="anchors"
    )
    for role, (colour, line, marker, words) in ROLES.items():
        style: dict[str, Any] = {"color": COLOURS[colour], "linestyle": line, "linewidth": 1.5}
        for ellipse in (line for line, part in zip(own, shown.generator_roles, strict=True) if part == role):
            panels[1].plot(*ellipse.T, **style)
            panels[2].plot(*ellipse.T, **{**style, "linewidth": 0.8})
        here = shown.synthetic[np.array(shown.synthetic_roles) == role]
        panels[2].plot(*here.T, color=COLOURS[colour], marker=marker, **dots)
        panels[1].plot([], [], marker=marker, label=words, **{**style, "markersize": 4})
    for panel, title in zip(panels, ("Truth and anchors", "Generator", "Synthetic data"), strict=True):
        panel.set_title(title)
    low, top = everything.min(axis=0), everything.max(axis=0)
    margin = 0.04 * float((top - low).max())
    for panel in panels:
        panel.set(xlim=(low[0] - margin, top[0] + margin), ylim=(low[1] - margin, top[1] + margin))
        panel.set(aspect="equal", xlabel="first coordinate")
        panel.locator_params(nbins=5)
    panels[0].set_ylabel("second coordinate")
    handles = [pair for panel in panels for pair in zip(*panel.get_legend_handles_labels(), strict=True)]
    figure.legend(*zip(*handles, strict=True), loc="outside lower left", ncols=3)
    return figure


_FLOW = (
    "One repetition at K = J = L = 2, in the plane, all on one scale; ellipses hold 95% of their component. Grey: the "
    "truth. Anchors come from K of its components. The generator has these re-estimated (blue), copies the others "
    "(green, on the grey), and has foreign ones (red). Synthetic data: its points by the part they come from. Grey "
    "without blue is what the anchors do not show; blue that leaves its grey, and red, are what the generator adds."
)


# Curves


@styled
def curves_figure(found: Sequence[Point]) -> Figure:
    """Draw the curves of one design: a row for each quantity, a column for what is swept."""
    sweeps = [str(sweep) for sweep in SWEEPS if any(point.sweep == sweep for point in found)]
    figure, panels = new_figure(width=8.8, height=5.9, rows=len(QUANTITIES), columns=len(sweeps))
    for row, (quantity, words) in enumerate(QUANTITIES.items()):
        for column, sweep in enumerate(sweeps):
            panel = panels[row * len(sweeps) + column]
            for law, colour, marker in zip(LAWS, ("blue", "red"), ("o", "s"), strict=True):
                of = [p for p in found if (p.quantity, p.sweep, p.law) == (quantity, sweep, law)]
                _curve(panel, sorted(of, key=lambda p: p.value), COLOURS[colour], marker)
            _scales(panel, sweep)
            if column == 0:
                panel.set_ylabel(words)
            else:
                panel.tick_params(labelleft=False)
            if row == len(QUANTITIES) - 1:
                panel.set_xlabel(_SWEPT[sweep])
    for row in range(len(QUANTITIES)):
        of_row = panels[row * len(sweeps) : (row + 1) * len(sweeps)]
        top = 1.0 if row else max(panel.get_ylim()[1] for panel in of_row)
        for panel in of_row:
            panel.set_ylim(0, top)
    panels[-1].plot([], [], color=COLOURS["black"], linestyle=(0, (4, 2)), label="components far apart, moments known")
    entries: dict[str, Any] = {}
    for panel in panels:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    figure.legend(entries.values(), entries.keys(), loc="outside lower left", ncols=3)
    return figure


def _curve(panel: Axes, of: Sequence[Point], colour: str, marker: str) -> None:
    """Draw one curve, its band, and what there would be with components far apart and known moments."""
    if not of:
        return
    x = [p.value for p in of]
    low, high = ([float(np.quantile(p.values, q)) for p in of] for q in _BAND)
    panel.fill_between(x, low, high, alpha=0.16, linewidth=0, color=colour)
    style: dict[str, Any] = {"color": colour, "marker": marker, "markersize": 3.5, "elinewidth": 0.8, "capsize": 1.5}
    style["label"] = {"anchors": "against the law of the anchors", "truth": "against the truth"}[of[0].law]
    panel.errorbar(x, [p.mean for p in of], [2 * p.se for p in of], **style)
    apart = [p.apart for p in of if p.apart is not None]
    if len(apart) == len(of) and max(apart) > 0:
        panel.plot(x, apart, linestyle=(0, (4, 2)), linewidth=0.9, color=colour)


def _scales(panel: Axes, sweep: str) -> None:
    if sweep in ("anchors", "noise"):
        panel.set_xscale("log")
    panel.xaxis.set_major_locator(FixedLocator([float(value) for value in SWEEPS[sweep]]))
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    panel.xaxis.set_minor_locator(NullLocator())


_CURVES = (
    "One number is swept, the others stay (K = J = L = 2, no noise, 50 d anchors in all or, as published, 50 by "
    "component). Points: means over repetitions with bars of two standard errors; bands: the 10% and 90% quantiles of "
    "repetitions. Dashed: what there would be if components lay far apart and nothing had to be estimated; nothing "
    "would be missed then."
)


# Words and table


def _sentences(found: Sequence[Point]) -> str:
    lines = [
        "- Read literally, all supports are all of space: Gaussian mixtures miss nothing and add nothing. All that "
        f"follows reads support at {LEVEL:.0%}."
    ]
    for design in DESIGNS:
        base = _chosen(found, design, "J", BASE)
        if len(base) < len(QUANTITIES) * len(LAWS):
            continue
        one, two = ({name: with_se(base[name, law].mean, base[name, law].se) for name in QUANTITIES} for law in LAWS)
        overlaps = [_overlap(base["variation", law]) for law in LAWS]
        lines.append(
            f"- {design}, K = J = L = 2: of the anchors' law the generator misses {one['missed']}, and {one['added']} "
            f"of its own is outside their region; of the truth it misses {two['missed']} and adds {two['added']}. "
            f"Overlap coefficient with the anchors {overlaps[0]}, with the truth {overlaps[1]}."
        )
        counts = sorted({p.value for p in found if (p.design, p.sweep) == (design, "anchors")})
        if len(counts) > 1:
            ends = [_chosen(found, design, "anchors", counts[end])["missed", "anchors"] for end in (0, -1)]
            few, many = (with_se(one.mean, one.se) for one in ends)
            lines.append(
                f"- {design}, what is missed is estimation error: of the anchors' law, {few} with {counts[0]:,.0f} "
                f"anchors by component and {many} with {counts[-1]:,.0f}. With known moments it is 0."
            )
    return "\n".join(lines)


def _chosen(found: Sequence[Point], design: str, sweep: str, value: float) -> dict[tuple[str, str], Point]:
    """Return the points of one cell by quantity and law."""
    return {(p.quantity, p.law): p for p in found if (p.design, p.sweep, p.value) == (design, sweep, value)}


def _overlap(point: Point) -> str:
    return with_se(1 - point.mean, point.se)


def flow_table(found: Sequence[Point]) -> Markup:
    """Return a line for every cell of a design: means with standard errors, and how much of these is Monte Carlo."""
    cells = {(p.sweep, p.value): {} for p in found}
    for p in found:
        cells[p.sweep, p.value][p.quantity, p.law] = p
    body = []
    for (sweep, value), of in cells.items():
        line: list[object] = [f"{sweep} = {value:g}"]
        for law in LAWS:
            three = [of.get((quantity, law)) for quantity in QUANTITIES]
            line += [_cell(point) for point in three]
            line.append("–" if three[-1] is None else _overlap(three[-1]))
        body.append(line)
    columns = ["", *(f">{words}, {law}" for law in LAWS for words in (*QUANTITIES.values(), "overlap"))]
    caption = (
        "Means over repetitions ± standard error, against the law of the anchors and against the truth; in small type "
        "the part of the standard error that is Monte Carlo within repetitions. Overlap is 1 less the total variation."
    )
    return Table(columns, body, caption).html()


def _cell(point: Point | None) -> object:
    if point is None:
        return "–"
    return Markup("{}<br><small>{:.1g}</small>").format(with_se(point.mean, point.se), point.simulation_se)


def section(store: Store) -> Section | None:
    """Return the picture, the curves and the table; None while no cell has two replicates."""
    found = points(store)
    if not found:
        return None
    blocks: list[object] = [prose(_sentences(found))]
    for design, (_, dimension) in DESIGNS.items():
        of = [point for point in found if point.design == design]
        label = design.replace(" ", "-").replace("=", "")
        if dimension == 2 and of:
            shown = flow_figure(picture(design, int(store.manifest["seed"])))
            blocks.append(figure_block(shown, _FLOW, label=f"flow-{label}", title=f"The flow, {design}", width="wide"))
    for design in DESIGNS:
        of = [point for point in found if point.design == design]
        label = design.replace(" ", "-").replace("=", "")
        if of:
            title = f"Missed, added and total variation, {design}"
            blocks.append(figure_block(curves_figure(of), _CURVES, label=f"mass-{label}", title=title, width="wide"))
            blocks.append(folded(f"Table: {design}", flow_table(of)))
    return Section("What is missed and added", blocks)
