from __future__ import annotations

import io

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from dkps_theory.pages import (
    COLOURS,
    Series,
    cloud_plot,
    png_data_uri,
    rate_plot,
    ratio_plot,
    slack_plot,
    to_png,
    to_svg,
)

R = 10.0 ** np.arange(1, 13)


def _rates():
    rmse = 3 / np.sqrt(R)
    reached = R >= 1000
    return rate_plot(
        [
            Series("D", R, rmse, 0.02 * rmse, exact=rmse, rate=-0.5, asymptotic=reached),
            Series(r"$\hat{\Psi}$", R, rmse**0.5, 5 * rmse, rate=-0.25),
        ],
        title="Two",
    )


def _clouds(d=2):
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(5, d))
    r = [10.0, 100.0, 1000.0]
    noise = rng.normal(size=(20, 3, 5, d)) / np.sqrt(r)[None, :, None, None]
    return cloud_plot(truth, truth + noise, r)


def _ratios():
    return ratio_plot([(f"cell {i}", R, np.ones(12), np.full(12, 0.9), np.full(12, 1.1)) for i in range(3)])


@pytest.mark.parametrize("draw", [_rates, _clouds, _ratios])
def test_figures_are_the_same_bytes_every_time(draw):
    assert to_svg(draw(), label="a") == to_svg(draw(), label="a")
    assert to_png(draw()) == to_png(draw())


def test_drawing_leaves_the_readers_settings_alone():
    before = dict(mpl.rcParams)
    to_png(_rates())
    assert dict(mpl.rcParams) == before


def test_the_readers_settings_do_not_change_the_figures():
    plain = to_svg(_rates(), label="a")
    with mpl.rc_context({"font.size": 20, "axes.facecolor": "black", "lines.linewidth": 7}):
        assert to_svg(_rates(), label="a") == plain


def test_axes_are_labelled_and_the_legend_is_off_the_data():
    figure = _rates()
    (axes,) = figure.axes
    assert axes.get_xlabel().startswith("replicates r")
    assert axes.get_ylabel()
    assert axes.get_xscale() == axes.get_yscale() == "log"
    figure.draw_without_rendering()
    (legend,) = figure.legends
    assert not legend.get_window_extent().overlaps(axes.get_window_extent())


def test_nothing_is_cut_off():
    figure = _rates()
    figure.draw_without_rendering()
    box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= width
    assert box.y1 <= height


def test_colours_follow_the_theme_and_ids_carry_the_label():
    svg = to_svg(_rates(), label="my fig", title='a "quoted" <title>')
    assert "var(--blue, #0072b2)" in svg
    assert "var(--black, #1c1f23)" in svg
    assert f": {COLOURS['blue']}" not in svg
    assert 'id="my-fig-' in svg
    assert 'aria-label="a &quot;quoted&quot; &lt;title&gt;"' in svg
    assert svg.startswith("<svg")
    assert svg.endswith("</svg>")
    assert "<metadata" not in svg


def test_clouds_share_one_scale_and_take_one_to_three_dimensions():
    for d in (1, 2, 3):
        panels = [axes for axes in _clouds(d).axes if axes.axison]
        assert len(panels) == 3
        assert len({axes.get_xlim() for axes in panels}) == 1
        assert [axes.get_title(loc="left") for axes in panels] == ["r = 10", "r = 100", "r = 1,000"]


def test_png_is_a_white_picture_of_the_asked_size():
    image = Image.open(io.BytesIO(to_png(_ratios(), dpi=50)))
    assert image.getpixel((0, 0))[:3] == (255, 255, 255)
    assert image.width == 350
    assert png_data_uri(_ratios(), dpi=20).startswith("data:image/png;base64,")


def test_slack_has_a_row_for_each_bound_on_a_log_axis():
    figure = slack_plot([("sharp", [1.0]), ("loose", [900.0, 3.0])])
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["sharp", "loose"]
    assert axes.get_xscale() == "log"
    low, high = axes.get_xlim()
    assert low < 1
    assert high > 900
