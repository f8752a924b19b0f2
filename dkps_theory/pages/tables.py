"""Tables of results as text and as HTML, and numbers written the same way everywhere.

A Monte Carlo number never travels without its standard error: :func:`with_se` writes both with matching digits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape
from rich.console import Console
from rich.table import Table as RichTable

#: What stands for a number that does not exist.
MISSING = "–"

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power_of_ten(exponent: int) -> str:
    """Return 10 to an integer power, as text.

    Examples
    --------
    >>> power_of_ten(-3)
    '10⁻³'
    """
    return "10" + str(exponent).translate(_SUPERSCRIPTS)


def number(value: float | None, digits: int = 3) -> str:
    """Return ``value`` to ``digits`` significant digits, in powers of ten when that is shorter to read.

    Examples
    --------
    >>> number(0.12345), number(1e12), number(2.5e-7), number(None), number(-0.5)
    ('0.123', '10¹²', '2.50×10⁻⁷', '–', '−0.500')
    """
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    if 1e-3 <= abs(value) < 1e5:
        return _minus(f"{value:,.{max(0, digits - 1 - int(exponent))}f}")
    power = power_of_ten(int(exponent))
    if float(mantissa) == 1:
        return power
    return power if mantissa.strip("0.") == "1" else _minus(f"{mantissa}×{power}")


def count(value: float) -> str:
    """Return a whole number: with thousands separators, or as a power of ten when it is one of at least 10⁴.

    Examples
    --------
    >>> count(1000), count(1e12), count(20)
    ('1,000', '10¹²', '20')
    """
    exponent = round(math.log10(value)) if value >= 1e4 else 0
    return power_of_ten(exponent) if exponent and value == 10.0**exponent else f"{int(value):,}"


def with_se(value: float | None, se: float | None) -> str:
    """Return value ± se, the standard error to two digits and the value to the same place.

    Examples
    --------
    >>> with_se(-0.49871, 0.00231)
    '−0.4987 ± 0.0023'
    >>> with_se(3.2, None)
    '3.20'
    """
    if value is None or math.isnan(value):
        return MISSING
    if se is None or not math.isfinite(se) or se <= 0:
        return number(value)
    places = 1 - math.floor(math.log10(se))
    if 0 <= places <= 6 and abs(value) < 1e5:
        return _minus(f"{value:.{places}f} ± {se:.{places}f}")
    exponent = math.floor(math.log10(max(abs(value), se)))
    scale = 10.0**exponent
    places = max(0, places + exponent)
    return _minus(f"({value / scale:.{places}f} ± {se / scale:.{places}f})×{power_of_ten(exponent)}")


def _minus(text: str) -> str:
    return text.replace("-", "−")


@dataclass(frozen=True)
class Table:
    """A table that can be printed or put on a page.

    Parameters
    ----------
    columns
        Headings, text or Markup; ``>`` in front (in Markup as well) marks a column of numbers, set flush right.
    rows
        Cells as text, or as :class:`markupsafe.Markup` for pages. ``True`` and ``False`` become "yes" and "no".
    caption
        One sentence that says what the rows are.

    Examples
    --------
    >>> table = Table(["r", ">slope"], [["all", with_se(-0.5, 0.01)]], caption="Slopes <of> D")
    >>> print(table.text(width=40).splitlines()[0].strip())
    Slopes <of> D
    >>> "&lt;of&gt;" in table.html()
    True
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    caption: str = ""
    _numeric: tuple[bool, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "_numeric", tuple(c.startswith(">") for c in self.columns))

    @property
    def headings(self) -> list[str]:
        """Headings without the mark of numeric columns."""
        return [c[1:] if c.startswith(">") else c for c in self.columns]

    def rich(self) -> RichTable:
        """Return the table for a rich console."""
        table = RichTable(title=self.caption or None, title_justify="left", title_style="", header_style="bold")
        for heading, numeric in zip(self.headings, self._numeric, strict=True):
            table.add_column(_plain(heading), justify="right" if numeric else "left", overflow="fold")
        for row in self.rows:
            table.add_row(*(_plain(cell) for cell in row))
        return table

    def text(self, width: int = 120) -> str:
        """Return the table as plain text."""
        console = Console(width=width, color_system=None, markup=False, emoji=False, highlight=False)
        with console.capture() as capture:
            console.print(self.rich())
        return capture.get()

    def html(self) -> Markup:
        """Return the table as escaped HTML; it scrolls sideways by itself on narrow screens."""
        head = Markup("").join(
            Markup('<th scope="col"{}>{}</th>').format(_kind(numeric), heading)
            for heading, numeric in zip(self.headings, self._numeric, strict=True)
        )
        body = Markup("").join(
            Markup("<tr>{}</tr>\n").format(
                Markup("").join(
                    Markup("<td{}>{}</td>").format(_kind(numeric), _shown(cell))
                    for cell, numeric in zip(row, self._numeric, strict=True)
                )
            )
            for row in self.rows
        )
        caption = Markup("<caption>{}</caption>").format(self.caption) if self.caption else Markup("")
        return Markup(
            '<div class="table" tabindex="0"><table>{}<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody></table></div>'
        ).format(caption, head, body)


def _kind(numeric: bool) -> Markup:
    return Markup(' class="number"') if numeric else Markup("")


def _plain(cell: object) -> str:
    return cell.striptags() if isinstance(cell, Markup) else _shown(cell).unescape()


def _shown(cell: object) -> Markup:
    if isinstance(cell, bool):
        return Markup("yes") if cell else Markup("no")
    return escape(MISSING if cell is None else cell)
