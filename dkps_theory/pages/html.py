"""Self-contained pages: everything inline, nothing loaded from elsewhere, names escaped, light and dark.

A page is a title, a lead and sections of blocks. Blocks are made by the functions here and by
:meth:`dkps_theory.pages.tables.Table.html`; each returns :class:`markupsafe.Markup`, so that plain strings, which may
come from a user's file, are always escaped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jinja2
from latex2mathml.converter import convert
from markupsafe import Markup, escape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CSS = """
:root { color-scheme: light dark; --page: #ffffff; --ink: #1c1f23; --faint: #5b636d; --rule: #d9dde2; --wash: #f4f6f8;
  --link: #00598c; --good: #006b4a; --bad: #a3310a;
  --black: #1c1f23; --blue: #0072b2; --orange: #c77800; --green: #008a63; --red: #d55e00; --purple: #b0588c;
  --sky: #3492c7; --grid: #d9dde2; }
@media (prefers-color-scheme: dark) { :root { --page: #14171b; --ink: #e7eaee; --faint: #a3acb6; --rule: #363d46;
  --wash: #1d2228; --link: #7cc4ef; --good: #55d3a4; --bad: #ff9a6c;
  --black: #e7eaee; --blue: #59b4ec; --orange: #f0a940; --green: #43c79c; --red: #ff8a4c; --purple: #de9cc4;
  --sky: #9bd3f5; --grid: #363d46; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI",
  Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
header { border-bottom: 1px solid var(--rule); margin-bottom: 1.5rem; padding-bottom: .5rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .5rem; } h3 { font-size: 1.05rem; margin: 1.5rem 0 .25rem; }
p, li { max-width: 46rem; overflow-wrap: break-word; } .lead { font-size: 1.1rem; color: var(--faint); }
ul { padding-left: 1.2rem; } a { color: var(--link); }
nav { font-size: .95rem; } nav a { margin-right: 1rem; white-space: nowrap; }
code { font: .9em ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.table { overflow-x: auto; margin: 1rem 0; } .table:focus-visible { outline: 2px solid var(--link); }
table { border-collapse: collapse; font-size: .9rem; } caption { text-align: left; color: var(--faint);
  padding-bottom: .4rem; max-width: 46rem; }
th, td { padding: .35rem .75rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--rule); }
th { border-bottom: 2px solid var(--rule); } th:first-child, td:first-child { padding-left: 0; }
td:not(.number) { min-width: 9rem; } td:not(.number):last-child:not(:first-child) { min-width: 12rem; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td .good, td .bad { white-space: nowrap; }
.good { color: var(--good); font-weight: 600; } .bad { color: var(--bad); font-weight: 600; }
figure { margin: 0; min-width: 0; } figure svg, figure img { display: block; width: 100%; height: auto; }
figure + figure { margin-top: 2rem; } figure.wide { max-width: 60rem; } figure.narrow { max-width: 36rem; }
figcaption { color: var(--faint); font-size: .9rem; max-width: 46rem; margin-top: .4rem; }
figcaption b { color: var(--ink); }
.grid { display: grid; gap: 2rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 26rem), 1fr));
  margin: 1rem 0; } .grid figure + figure { margin-top: 0; }
details { margin: 1rem 0; } summary { cursor: pointer; color: var(--link); }
small { color: var(--faint); font-size: .85em; } math { white-space: nowrap; }
.block { overflow-x: auto; overflow-y: hidden; max-width: 100%; margin: .75rem 0; }
@media print { body { font-size: 11pt; } figure, table { break-inside: avoid; } }
"""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{{ title }}</title>
<style>{{ css }}</style>
</head>
<body>
<main>
<header><h1>{{ title }}</h1>{% if lead %}
<p class="lead">{{ lead }}</p>{% endif %}
{% if sections | length > 3 %}<nav aria-label="Sections">{% for section in sections %}
<a href="#s{{ loop.index }}">{{ section.title }}</a>{% endfor %}</nav>{% endif %}</header>
{% for section in sections %}<section id="s{{ loop.index }}">
<h2>{{ section.title }}</h2>
{% for block in section.blocks %}{{ block }}
{% endfor %}</section>
{% endfor %}</main>
</body>
</html>
"""

_TEMPLATE = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=False).from_string(_PAGE)


@dataclass(frozen=True)
class Section:
    """A heading and its blocks; blocks that are not Markup are escaped."""

    title: str
    blocks: Sequence[object]


def page(title: str, sections: Sequence[Section], lead: str | Markup = "") -> str:
    """Return a whole page as one self-contained HTML text.

    Parameters
    ----------
    title, lead
        Plain text, escaped; ``lead`` may be Markup, for example from :func:`inline`.
    sections
        In reading order; more than three get a line of links.

    Examples
    --------
    >>> text = page("A <page>", [Section("One", [prose("With $x^2$ and <b>.")])])
    >>> "A &lt;page&gt;" in text, "<math" in text, "&lt;b&gt;" in text, "http-equiv" in text
    (True, True, True, False)
    """
    return _TEMPLATE.render(title=title, lead=lead, sections=sections, css=Markup(_CSS))


def math(latex: str, *, block: bool = False) -> Markup:
    """Return LaTeX as MathML, which browsers set without any script."""
    mathml = Markup(convert(latex, display="block" if block else "inline"))
    return Markup('<div class="block">{}</div>').format(mathml) if block else mathml


def inline(text: str) -> Markup:
    """Escape text, with ``$latex$`` set as mathematics and ``code`` between backticks as code."""
    parts = re.split(r"(\$[^$]+\$|`[^`]+`)", text)
    shown = [_inline_part(part) for part in parts]
    return Markup("").join(shown)


def _inline_part(part: str) -> Markup:
    if len(part) > 2 and part[0] == part[-1] == "$":
        return math(part[1:-1])
    if len(part) > 2 and part[0] == part[-1] == "`":
        return Markup("<code>{}</code>").format(part[1:-1])
    return escape(part)


def prose(text: str) -> Markup:
    r"""Return paragraphs (separated by blank lines; lines that start with ``- `` make a list) through :func:`inline`.

    Examples
    --------
    >>> prose("One.\n\n- a\n- b")
    Markup('<p>One.</p>\n<ul><li>a</li><li>b</li></ul>')
    """
    blocks = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = [line.strip() for line in block.splitlines()]
        if lines[0].startswith("- "):
            items = Markup("").join(Markup("<li>{}</li>").format(item) for item in _items(lines))
            blocks.append(Markup("<ul>{}</ul>").format(items))
        else:
            blocks.append(Markup("<p>{}</p>").format(inline(" ".join(lines))))
    return Markup("\n").join(blocks)


def _items(lines: Sequence[str]) -> list[Markup]:
    """Join continuation lines to the item they belong to."""
    items: list[str] = []
    for line in lines:
        if line.startswith("- "):
            items.append(line[2:])
        else:
            items[-1] += " " + line
    return [inline(item) for item in items]


def mark(good: bool, yes: str = "yes", no: str = "no") -> Markup:
    """Return a word that is told apart by its text first and by its colour second."""
    return Markup('<span class="{}">{}</span>').format("good" if good else "bad", yes if good else no)


def figure_block(figure: Figure, caption: str, *, label: str, title: str = "", width: str = "") -> Markup:
    """Return a matplotlib figure as inline SVG with its caption; its colours follow light and dark.

    Parameters
    ----------
    figure
        Made by :mod:`dkps_theory.pages.figures`.
    caption
        Says what to see; ``$latex$`` is set as mathematics.
    label
        Unique on the page; it prefixes the SVG's ids.
    title
        Bold words before the caption, also the text alternative.
    width
        ``"wide"``, ``"narrow"`` or empty for the container's width.
    """
    from dkps_theory.pages.figures import to_svg  # noqa: PLC0415  (pages without figures do not pay for matplotlib)

    svg = Markup(to_svg(figure, label=label, title=title or caption))
    heading = Markup("<b>{}.</b> ").format(inline(title)) if title else Markup("")
    return Markup('<figure class="{}">{}<figcaption>{}{}</figcaption></figure>').format(
        width, svg, heading, inline(caption)
    )


def grid(blocks: Sequence[Markup]) -> Markup:
    """Return blocks side by side where the screen is wide enough."""
    return Markup('<div class="grid">{}</div>').format(Markup("\n").join(blocks))
