"""Pages, tables and figures in one style, for studies, verdicts, reports and notebooks."""

from dkps_theory.pages.factorial_figures import Loop, heat_map, nested_loop_plot, zip_plot
from dkps_theory.pages.figures import (
    COLOURS,
    Series,
    cloud_plot,
    new_figure,
    png_data_uri,
    rate_plot,
    ratio_plot,
    slack_plot,
    styled,
    to_png,
    to_svg,
)
from dkps_theory.pages.html import Section, figure_block, grid, inline, mark, math, page, prose
from dkps_theory.pages.tables import Table, count, number, power_of_ten, with_se

__all__ = [
    "COLOURS",
    "Loop",
    "Section",
    "Series",
    "Table",
    "cloud_plot",
    "count",
    "figure_block",
    "grid",
    "heat_map",
    "inline",
    "mark",
    "math",
    "nested_loop_plot",
    "new_figure",
    "number",
    "page",
    "png_data_uri",
    "power_of_ten",
    "prose",
    "rate_plot",
    "ratio_plot",
    "slack_plot",
    "styled",
    "to_png",
    "to_svg",
    "with_se",
    "zip_plot",
]
