from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.collections import LineCollection, QuadMesh
from matplotlib.colors import LogNorm, to_hex

from dkps_theory.pages import COLOURS, Loop, Series, heat_map, nested_loop_plot, rate_plot, to_png, to_svg, zip_plot
from dkps_theory.pages.factorial_figures import _INTERVALS

LEVELS = {"law": ("skew", "normal"), "n": (5, 20), "r": (1, 8, 64)}
COMBINATIONS = list(itertools.product(*LEVELS.values()))


def _factors(order=range(12)):
    return {name: [COMBINATIONS[i][at] for i in order] for at, name in enumerate(LEVELS)}


def _loops(order=range(12), count=2):
    values = np.array([10.0 ** -(i % 4) for i in order])
    return [Loop(f"method {k}", (1 + k) * values, 0.1 * values) for k in range(count)]


def _nested(**more):
    return nested_loop_plot(_factors(), _loops(), y_label="RMSE", **more)


def _crowded():
    levels = list(itertools.product(range(3), range(6), range(4), range(2)))
    factors = {name: [one[at] for one in levels] for at, name in enumerate("abcd")}
    return nested_loop_plot(
        factors, [Loop("m", np.ones(len(levels)), np.full(len(levels), np.nan))], y_label="bias", reference=0.0
    )


def _heat(values=None, **more):
    values = np.arange(6.0).reshape(2, 3) if values is None else values
    return heat_map(("r", [1, 8, 64]), ("n", [5, 20]), values, 0.1 + 0 * values, label="RMSE", **more)


def _zip(b=500, panels=2):
    rng = np.random.default_rng(0)
    middle, half = rng.normal(size=(panels, b)), np.full((panels, b), 1.5)
    named = [
        (f"cell {at}, with quite a long name, median", middle[at] - half[at], middle[at] + half[at])
        for at in range(panels)
    ]
    return zip_plot(named, nominal=0.95, unit="embedding units")


DRAWINGS = [_nested, _crowded, _heat, _zip, lambda: _zip(panels=1), lambda: _zip(panels=5)]


@pytest.mark.parametrize("draw", DRAWINGS)
def test_figures_are_the_same_bytes_every_time(draw):
    assert to_svg(draw(), label="a") == to_svg(draw(), label="a")
    assert to_png(draw(), 60) == to_png(draw(), 60)


@pytest.mark.parametrize("draw", DRAWINGS)
def test_nothing_is_cut_off_and_legends_are_off_the_data(draw):
    figure = draw()
    figure.draw_without_rendering()
    box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert width <= 7.0
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= width
    assert box.y1 <= height
    for legend in figure.legends:
        for axes in figure.axes:
            assert not legend.get_window_extent().overlaps(axes.get_tightbbox())


def test_loops_are_sorted_by_the_order_in_which_levels_appear():
    order = [11, 3, 7, 0, 5, 9, 1, 10, 2, 6, 4, 8]
    shuffled = nested_loop_plot(_factors(order), _loops(order), y_label="x").axes[0].patches[0].get_data().values
    factors = {name: list(dict.fromkeys(levels)) for name, levels in _factors(order).items()}
    wanted = [10.0 ** -(COMBINATIONS.index(one) % 4) for one in itertools.product(*factors.values())]
    np.testing.assert_allclose(shuffled, wanted)


def test_loops_show_levels_and_a_reference():
    figure = _nested(reference=0.5, log=True)
    top, bottom = figure.axes
    assert top.get_yscale() == "log"
    assert top.get_ylabel() == "RMSE"
    texts = [text.get_text() for text in bottom.texts]
    assert {"law", "n", "r", "skew", "normal", "64"} <= set(texts)
    assert texts.count("64") == 4
    beside = [text.get_text() for text in _crowded().axes[1].texts]
    assert "0; 1; 2; 3" in beside, "where steps are too narrow, levels stand beside the plot"


def test_combinations_without_a_value_are_gaps():
    loops = _loops()
    loops[0].values[3] = np.nan
    to_png(nested_loop_plot(_factors(), loops, y_label="x", log=True), 50)


def test_heat_maps_write_values_and_leave_missing_cells_empty():
    values = np.array([[1.0, 2.0, np.nan], [4.0, 5.0, 6.0]])
    figure = _heat(values)
    axes = figure.axes[0]
    texts = [text.get_text() for text in axes.texts]
    assert len(texts) == 5
    assert texts[0] == "1.00\n± 0.10"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("r", "n")
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "8", "64"]


def test_text_on_a_heat_map_is_readable_and_does_not_follow_the_theme():
    figure = _heat(np.array([[0.001, 0.01, 0.1], [1.0, 10.0, 100.0]]))
    axes = figure.axes[0]
    (mesh,) = [one for one in axes.collections if isinstance(one, QuadMesh)]
    assert isinstance(mesh.norm, LogNorm)
    figure.draw_without_rendering()
    for text, ground in zip(axes.texts, mesh.get_facecolors(), strict=True):
        assert to_hex(text.get_color()) not in set(COLOURS.values())
        assert _contrast(text.get_color(), ground) >= 4.5
    assert not isinstance(_heat().axes[0].collections[0].norm, LogNorm)


def _contrast(one, other):
    """Return the contrast of two colours as WCAG 2.1 defines it."""
    bright = []
    for colour in (one, other):
        parts = np.array([int(to_hex(colour)[at : at + 2], 16) / 255 for at in (1, 3, 5)])
        linear = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        bright.append(linear @ [0.2126, 0.7152, 0.0722])
    return (max(bright) + 0.05) / (min(bright) + 0.05)


def test_a_constant_or_empty_heat_map_is_drawn():
    for values in (np.full((2, 3), 0.5), np.full((2, 3), np.nan)):
        to_png(_heat(values), 50)


def test_zip_plots_colour_by_coverage_from_the_nearest_up():
    low = np.array([-1.0, 0.2, -3.0, -0.5])
    high = np.array([1.0, 2.2, -1.0, 1.5])
    (axes,) = zip_plot([("one", low, high)]).axes
    hit, missed = [one for one in axes.collections if isinstance(one, LineCollection)]
    assert to_hex(hit.get_color()[0]) == COLOURS["sky"]
    assert to_hex(missed.get_color()[0]) == COLOURS["red"]
    np.testing.assert_allclose([line[0, 0] for line in hit.get_segments()], [-1.0, -0.5])
    np.testing.assert_allclose([line[0, 0] for line in missed.get_segments()], [0.2, -3.0])
    assert max(line[0, 1] for line in hit.get_segments()) < 50 < min(line[0, 1] for line in missed.get_segments())
    assert "50.0% [6.8, 93.2]" in axes.get_title(loc="left")


def test_zip_plots_of_many_replicates_draw_some_and_count_all():
    axes = _zip(b=5000, panels=1).axes[0]
    drawn = [one.get_segments() for one in axes.collections if isinstance(one, LineCollection)]
    assert sum(map(len, drawn)) == _INTERVALS
    rng = np.random.default_rng(0)
    coverage = 100 * np.mean(np.abs(rng.normal(size=(1, 5000))) <= 1.5)
    assert f"{coverage:.1f}%" in axes.get_title(loc="left")
    assert len(drawn[0]) / _INTERVALS == pytest.approx(coverage / 100, abs=1 / _INTERVALS)


@pytest.mark.parametrize("x", [(4.0, 16.0), (10.0, 12.0, 20.0), (1.0, 30.0), (10.0, 1e12)])
def test_axes_of_rates_have_ticks_however_short(x):
    x = np.array(x)
    figure = rate_plot([Series("a", x, 1 / np.sqrt(x), 0.01 / np.sqrt(x))])
    figure.draw_without_rendering()
    (axes,) = figure.axes
    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        shown = [tick for tick in axis.get_majorticklocs() if low <= tick <= high]
        assert 2 <= len(shown) <= 12
