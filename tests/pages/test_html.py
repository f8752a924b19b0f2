from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np

from dkps_theory.pages import Section, Series, Table, figure_block, grid, inline, mark, page, prose, rate_plot

VOID = {"meta", "link", "br", "img", "path", "use", "rect", "circle"}


class Checker(HTMLParser):
    """Collect ids and addresses, and check that elements close in order."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.addresses = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        self._look(attrs)

    def handle_startendtag(self, tag, attrs):
        self._look(attrs)

    def _look(self, attrs):
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in {"src", "href", "xlink:href", "srcset", "action"}:
                self.addresses.append(value)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


def _page() -> str:
    r = np.array([10.0, 100.0, 1000.0])
    one = Series("D", r, 1 / np.sqrt(r), 0.1 / np.sqrt(r), exact=1.1 / np.sqrt(r), rate=-0.5)
    figures = [figure_block(rate_plot([one]), "See $r^{-1/2}$.", label=f"f{index}", title="One") for index in range(2)]
    blocks = [
        prose("a <script>\n\n- one\n  more\n- two `x`"),
        Table(["a"], [["<i>"]]).html(),
        grid(figures),
        mark(False),
    ]
    sections = [Section("First <b>", blocks), *(Section(name, ["plain & escaped"]) for name in "abc")]
    return page("Title <script>alert(1)</script>", sections, lead="x < y")


def test_page_is_well_formed_self_contained_and_escaped():
    text = _page()
    checker = Checker()
    checker.feed(text)
    assert checker.open == []
    assert len(checker.ids) == len(set(checker.ids))
    for address in checker.addresses:
        assert address.startswith(("#", "data:")), address
    for address in checker.addresses:
        if address.startswith("#"):
            assert address[1:] in checker.ids
    assert "<script" not in text
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)
    assert "Title &lt;script&gt;" in text
    assert "plain &amp; escaped" in text
    assert "<li>one more</li><li>two <code>x</code></li>" in text
    assert "prefers-color-scheme: dark" in text
    assert 'name="viewport"' in text


def test_references_inside_figures_point_inside_the_same_figure():
    text = _page()
    ids = set(re.findall(r'\bid="([^"]+)"', text))
    assert set(re.findall(r"url\(#([^)]+)\)", text)) <= ids


def test_inline_sets_mathematics_and_code_and_nothing_else():
    assert inline("a < b") == "a &lt; b"
    assert "<math" in inline("$x^2$")
    assert inline("`<x>`") == "<code>&lt;x&gt;</code>"
    assert inline("costs 5$") == "costs 5$"
    assert inline("$x$ <b>").endswith(" &lt;b&gt;")
