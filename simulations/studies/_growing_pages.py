"""What only the reports of growing-queries and growing-models show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from dkps_theory.monte_carlo import Estimate, mean_estimate, rmse_estimate
from dkps_theory.pages import COLOURS, Section, figure_block, new_figure, prose, styled
from simulations.store import Store

_SQRT, _OVER_M = "c = 1/sqrt(m), e = 1", "c = 1/m, e = 1"
_MARKERS = ("o", "s", "^", "D")
_NAMES = {_SQRT: "$c = m^{-1/2}$", _OVER_M: "$c = 1/m$"}


def _words(rule: str) -> str:
    """Set a rule as mathtext."""
    return "$" + rule.replace("sqrt(m)", r"\sqrt{m}") + "$"


def _cells(store: Store, along: str, **levels: Any) -> list[int]:
    """Return the cells with these levels that have at least two replicates, rising along a factor."""
    found = [
        at
        for at, cell in enumerate(store.cells)
        if all(cell["factors"][name] == level for name, level in levels.items()) and len(store.finished(at)) > 1
    ]
    return sorted(found, key=lambda at: store.cells[at]["factors"][along])


def _place(store: Store, **labels: str) -> tuple[int, ...] | None:
    """Return where labels stand along their axes; None when the run left one of them out."""
    axes = {name: store.axis(name) or () for name in labels}
    if any(label not in axes[name] for name, label in labels.items()):
        return None
    return tuple(axes[name].index(label) for name, label in labels.items())


def _estimates(store: Store, output: str, cells: Sequence[int], place: tuple[int, ...], *, rmse: bool) -> Estimate:
    """Return RMSEs or means of one entry in several cells."""
    each = [(rmse_estimate if rmse else mean_estimate)(store.values(output, at, place)) for at in cells]
    return Estimate(np.array([one.value for one in each]), np.array([one.se for one in each]), min(e.n for e in each))


def _levels(store: Store, cells: Sequence[int], along: str) -> np.ndarray:
    return np.array([float(store.cells[at]["factors"][along]) for at in cells])


def _rules(store: Store) -> list[str]:
    """Return the rules for r, in the order of the cells."""
    return list(dict.fromkeys(cell["factors"]["rule"] for cell in store.cells))


def _line(axes: Axes, x: np.ndarray, found: Estimate, index: int, label: str, **style: Any) -> None:
    """Draw points with bars of two standard errors, joined."""
    full: dict[str, Any] = {"color": list(COLOURS.values())[index], "marker": _MARKERS[index], "capsize": 1.8} | style
    value = np.asarray(found.value)
    low = np.minimum(2 * np.asarray(found.se), 0.999 * np.abs(value))
    axes.errorbar(x, value, np.stack([low, 2 * np.asarray(found.se)]), label=label, elinewidth=0.9, **full)


def _finish(axes: Axes, x: np.ndarray, along: str, title: str, *, logarithmic: bool = True, columns: int = 1) -> None:
    """Label the axes; every level of the factor has its tick."""
    axes.set(xscale="log", xlabel=along, title=title)
    axes.set_xticks(x, [f"{level:g}" for level in x])
    axes.xaxis.set_minor_locator(NullLocator())
    if logarithmic:
        axes.set_yscale("log")
        low, high = axes.get_ylim()
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 100 * low else (1.0,)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda level, _: f"{level:g}"))
        axes.yaxis.set_minor_locator(NullLocator())
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=columns)


# Growing queries


@styled
def limits_figure(store: Store, law: str = "bounded", rule: str = "r = 4") -> Figure | None:
    """Draw Delta and D at r = 4 under two normalisations, and the relative error, which both share, by rule."""
    cells = _cells(store, "m", law=law, rule=rule)
    places = {label: _place(store, convention=label) for label in (_SQRT, _OVER_M)}
    if not cells or None in places.values():
        return None
    figure, (left, right) = new_figure(width=7.4, height=4.0, columns=2)
    x = _levels(store, cells, "m")
    for index, (label, place) in enumerate(places.items()):
        assert place is not None
        true = np.array([store.truth("pair_dissimilarity", at)[place] for at in cells])
        missed = _estimates(store, "dissimilarity", cells, place, rmse=False)
        colour = list(COLOURS.values())[index]
        left.plot(x, true, color=colour, linewidth=1.1, label=rf"$\Delta$, {_NAMES[label]}")
        mean = Estimate(true + missed.value, missed.se, missed.n)
        _line(left, x, mean, index, f"mean of $D$, {_NAMES[label]}", linestyle="none")
    _finish(left, x, "queries $m$", f"Size of a dissimilarity, {_words(rule)}")
    for index, one in enumerate(_rules(store)):
        chosen = _cells(store, "m", law=law, rule=one)
        if chosen:
            found = _estimates(store, "relative", chosen, places[_SQRT] or (), rmse=True)
            _line(right, _levels(store, chosen, "m"), found, index, f"{_words(one)}, $c = m^{{-1/2}}$ and $c = 1/m$")
    _finish(right, x, "queries $m$", r"RMSE of $D/\Delta - 1$")
    return figure


@styled
def inflation_figure(store: Store, law: str = "bounded", rule: str = "r = 4") -> Figure | None:
    """Draw DK-M7: the inflation of the plain Psi^ by rule, and relative errors at fixed r by method."""
    cells, methods = _cells(store, "m", law=law, rule=rule), store.axis("method") or ()
    plain = _place(store, convention=_SQRT, method="plain")
    if not cells or plain is None:
        return None
    figure, (left, right) = new_figure(width=7.4, height=4.0, columns=2)
    x = _levels(store, cells, "m")
    for index, one in enumerate(_rules(store)):
        chosen = _cells(store, "m", law=law, rule=one)
        if not chosen:
            continue
        here = _levels(store, chosen, "m")
        _line(
            left, here, _estimates(store, "inflation", chosen, plain, rmse=False), index, _words(one), linestyle="none"
        )
        expected = [store.truth("expected_inflation", at)[plain] for at in chosen]
        left.plot(here, expected, color=list(COLOURS.values())[index], linewidth=1.1)
    left.axhline(1, color=COLOURS["black"], linewidth=0.7)
    _finish(left, x, "queries $m$", r"$\|\hat\Psi\|^2 / \|\Psi\|^2$, plain", logarithmic=False)
    for index, method in enumerate(methods):
        place = _place(store, convention=_SQRT, method=str(method))
        found = _estimates(store, "relative_frobenius", cells, place or (), rmse=True)
        _line(right, x * 1.06 ** (index - 1.5), found, index, str(method))
    _finish(right, x, "queries $m$", rf"RMSE of aligned $\hat\Psi$ / $\|\Psi\|$, {_words(rule)}")
    return figure


def queries_section(store: Store) -> Section | None:
    """Return the part of the report on limits, relative errors and DK-M7."""
    blocks: list[object] = [
        prose(
            r"""
            With bounded embeddings $\|\mu_i - \mu_{i'}\|_F \le 2C\sqrt{m}$, so under $c = 1/m$ every $\Delta$ is at
            most $2C/\sqrt{m}$ and its limit is 0: A24-A1 holds with all $\phi_i$ equal, and $\|D - \Delta_\infty\| \to
            0$ whether or not $D$ knows anything about $\Delta$. The ratio $D/\Delta$ does not depend on $c$. Its error
            falls only when $r$ grows.

            Means that grow like $\sqrt{m}$ make the limit under $c = 1/m$ different from 0. If the noise does not grow
            with them, fixed $r$ is enough ($\gamma/(m r) \to 0$), although the condition of A24-T2 fails; if it does,
            everything is as for bounded answers under $c = 1/\sqrt{m}$.

            With $e = 1/2$ (A25) the sign of DK-M7 turns: $D^2$ is a concave function of the squared distances, noise
            makes them more alike, and $\hat\Psi$ comes out too small, not too large, at fixed $r$ however many queries
            there are. Taking each model's own noise out of the squared distances first repairs that as well.

            One level for all models, the mean of the smallest eigenvalues, is right only when the models' noise is
            equal. With yes-or-no answers it is not, and at $r = 4$ a relative error of $\hat\Psi$ stays however many
            queries there are: 0.011 with $e = 1$ and 0.031 with $e = 1/2$. The predicted slopes are those of this
            limit; with $e = 1$ the floor is reached only beyond the largest $m$ here.
            """
        )
    ]
    for figure, title, caption, label in (
        (
            limits_figure(store),
            r"Bounded answers",
            r"Left: under $c = 1/m$ both $\Delta$ (lines) and $D$ (points) fall like $m^{-1/2}$, side by side. Right: "
            r"the relative error, which is the same under both.",
            "queries-limits",
        ),
        (
            inflation_figure(store),
            "DK-M7, bounded answers",
            r"Left: inflation of $\hat\Psi$ (points) and its value at the expected $D^2$ (lines): at $r = 4$ no number "
            r"of queries removes it (at small $m$ there is more: the largest eigenvalues of a random matrix lie above "
            r"those of its mean). Right, $e = 1$: taking the noise out does, with $\gamma$ known or estimated. "
            r"Without $\gamma$, by the smallest eigenvalues, it does so down to a floor of 0.011: the models' "
            r"noise is unequal.",
            "queries-inflation",
        ),
    ):
        if figure is not None:
            blocks.append(figure_block(figure, caption, label=label, title=title, width="wide"))
    return Section("Limits, relative errors and inflation", blocks) if len(blocks) > 1 else None


# Growing models


def _object_lines(store: Store, axes: Axes, levels: Mapping[str, Any]) -> np.ndarray | None:
    """Draw the relative L^2 error of D (dashed) and of perspectives (solid) by rule; return the levels of n."""
    x = None
    for index, rule in enumerate(_rules(store)):
        cells = _cells(store, "n", rule=rule, **levels)
        if not cells:
            continue
        x = _levels(store, cells, "n")
        for name, line in (("D", (0, (4, 3))), ("perspectives", "-")):
            place = _place(store, convention=_SQRT, object=name)
            if place is not None:
                found = _estimates(store, "relative_l2", cells, place, rmse=True)
                shown = "$D$" if name == "D" else r"$\hat\Psi$"
                _line(axes, x, found, index, f"{shown}, {_words(rule)}", linestyle=line)
    return x


@styled
def models_figure(store: Store, law: str = "bounded") -> Figure | None:
    """Draw relative L^2 errors for m = n, and at r = 4 what falls under c = 1/m without being an estimate."""
    cells = _cells(store, "n", law=law, queries="m = n", rule="r = 4")
    places = [_place(store, convention=_SQRT, object="D"), _place(store, object="D"), _place(store, convention=_SQRT)]
    if not cells or None in places:
        return None
    figure, (left, right) = new_figure(width=7.4, height=4.0, columns=2)
    x = _object_lines(store, left, {"law": law, "queries": "m = n"})
    assert x is not None
    _finish(left, x, "models $n$ (= queries $m$)", r"Relative $L^2$ error of distances", columns=3)
    x = _levels(store, cells, "n")
    relative, of_d, _ = (place or () for place in places)
    for index, (label, found) in enumerate(
        (
            (r"$D$ to its limit 0, $c = 1/m$", _estimates(store, "limit_m", cells, of_d, rmse=True)),
            (r"$D$ to its limit, $c = m^{-1/2}$", _estimates(store, "limit_sqrt_m", cells, of_d, rmse=True)),
            (r"$D$ to $\Delta$, relative, either $c$", _estimates(store, "relative_l2", cells, relative, rmse=True)),
        )
    ):
        _line(right, x, found, index, label)
    _finish(right, x, "models $n$ (= queries $m$)", r"$L^2$ error of $D$, $r = 4$")
    return figure


def models_section(store: Store) -> Section | None:
    """Return the part of the report on what tends to 0 and what only seems to."""
    figure = models_figure(store)
    if figure is None:
        return None
    text = prose(
        r"""
        With $m = n$, $r = 4$ and $e = 1$ the dissimilarities keep their bias, and the condition of A24-T2 fails.
        Distances between perspectives by classical scaling become right all the same, like $n^{-1/2}$: the top
        eigenvalues of $B$ grow like $n$, the noise on its diagonal does not, and only two directions of the noise are
        left in $\hat\Psi$. So no growth of $r$ is needed while $m$ grows, $e = 1$ and $d$ is the rank. With $m$ fixed
        $r$ must grow, at any rate.

        This is a property of classical scaling. A24's $\hat\Psi$ minimises raw stress, which fits the inflated $D$
        itself: at $r = 4$ and for bounded answers its distances keep a relative $L^2$ error of at least 0.48 when $D$
        is at its limiting value, at any $n$. Raw stress is not run here.

        A25's condition, $r$ of order above $n^3$, is stated for $e = 1/2$. There $r = 4$ is not enough at $m = n$: the
        error of $\hat\Psi$ relative to $\Psi$ stays. By the derivation $r = n$ is enough for it to fall, so $n^3$ is
        not needed for that; A25's bounds are absolute and with bounded eigenvalues, and are not judged here.

        Under $c = 1/m$ and bounded answers $D$ tends to its limit 0 at $r = 4$ too: how near $D$ is to its limit says
        nothing about the error of $D$.

        Predicted slopes are those of the limit. For $D$ with $e = 1$ at fixed $m$ and $r = n$, and for $D$ against its
        limit at $r = n$, pairs of near models still decide on this grid, and the fitted slopes are steeper.
        """
    )
    caption = (
        r"Left: relative $L^2$ errors over pairs, dashed for $D$ and solid for perspectives. Right: at $r = 4$ the "
        r"error of $D$ against $\Delta_\infty$ falls under $c = 1/m$ because $\Delta$ does."
    )
    block = figure_block(figure, caption, label="models-limits", title="Bounded answers, m = n", width="wide")
    return Section("What tends to 0 and what only seems to", [text, block])
