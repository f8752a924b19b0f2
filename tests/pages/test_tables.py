from __future__ import annotations

import math

import pytest
from markupsafe import Markup

from dkps_theory.pages import Table, count, number, with_se


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.0, 3, "0"),
        (None, 3, "–"),
        (math.nan, 3, "–"),
        (math.inf, 3, "∞"),
        (-math.inf, 3, "−∞"),
        (-0.49871, 3, "−0.499"),
        (12345.678, 3, "12,346"),
        (0.999999, 3, "1.00"),
        (1e12, 3, "10¹²"),
        (3e-9, 2, "3.0×10⁻⁹"),
        (-1e-7, 3, "−1.00×10⁻⁷"),
        (99999.9, 3, "100,000"),
    ],
)
def test_number(value, digits, text):
    assert number(value, digits) == text


@pytest.mark.parametrize(
    ("value", "se", "text"),
    [
        (-0.5001, 0.0013, "−0.5001 ± 0.0013"),
        (-1.0, 0.25, "−1.00 ± 0.25"),
        (3.0, 0.0, "3.00"),
        (3.0, None, "3.00"),
        (3.0, math.nan, "3.00"),
        (math.nan, 0.1, "–"),
        (None, None, "–"),
        (2.5e-9, 3.1e-11, "(2.500 ± 0.031)×10⁻⁹"),
        (0.0, 4e-9, "(0.0 ± 4.0)×10⁻⁹"),
        (1200.0, 35.0, "1200 ± 35"),
    ],
)
def test_with_se(value, se, text):
    assert with_se(value, se) == text


def test_count():
    assert [count(r) for r in (1, 1000, 1e4, 20000, 1e12)] == ["1", "1,000", "10⁴", "20,000", "10¹²"]


def test_table_escapes_strings_and_keeps_markup():
    table = Table(["name", ">value"], [["<script>", 1], [Markup("<b>x</b>"), True], [None, False]], "a & b")
    html = table.html()
    assert "&lt;script&gt;" in html
    assert "<b>x</b>" in html
    assert "<caption>a &amp; b</caption>" in html
    assert html.count('class="number"') == 4
    text = table.text()
    assert "<script>" in text
    assert "a & b" in text
    assert "yes" in text
    assert "no" in text
    assert "–" in text
    assert "<b>" not in text


def test_square_brackets_in_text_are_no_markup_of_rich():
    assert "[red]x[/red]" in Table(["[a]"], [["[red]x[/red]"]]).text()
