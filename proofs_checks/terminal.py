"""The census on a terminal: a table by source, and the reasons of whatever is not as recorded."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dkps_theory.pages.tables import number
from proofs_checks.census import VERDICTS, by_source, false_verdict, kinds, least_slack, source_name
from proofs_checks.claim import Judgement

_COLOURS = {"holds": "green", "refuted": "red", "vacuous": "yellow", "undetermined": "magenta"}


#: Terminals narrower than this get no columns for evidence and slack, so that verdicts and statements stay readable.
WIDE = 120


def print_census(judgements: Sequence[Judgement], seconds: float) -> None:
    """Print a table by source, the reasons of every mismatch, and the totals."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(width=140, highlight=False)
    wide = console.width >= WIDE
    table = Table(title="Verdicts", title_justify="left", header_style="bold")
    table.add_column("claim", overflow="fold", max_width=None if wide else 22)
    table.add_column("verdict", no_wrap=True, min_width=7)
    table.add_column("statement", ratio=1)
    if wide:
        table.add_column("evidence")
        table.add_column("least slack", justify="right")
    table.add_column("s", justify="right", no_wrap=True, min_width=4)
    for source, group in by_source(judgements).items():
        table.add_row("", "", f"[bold]{escape(source_name(source))}[/]")
        for j in group:
            flag = " (!)" if j.mismatch else ""
            repair = f" (repair: {j.claim.repair})" if j.claim.repair else ""
            table.add_row(
                escape(j.claim.id),
                f"[{_COLOURS[j.found]}]{j.found}[/]{flag}",
                escape(j.claim.title + repair),
                *((kinds(j.evidence), number(least_slack(j.evidence))) if wide else ()),
                f"{j.seconds:.1f}",
            )
        table.add_section()
    console.print(table)
    if wide:
        console.print("Slack is claimed / observed for an upper bound: 1 is sharp, 1000 is a thousand times too large.")
    for j in judgements:
        if j.mismatch:
            reasons = "; ".join(j.reasons) or "its checks support it"
            console.print(
                f"(!) {j.claim.id}: recorded {j.claim.recorded}, found {j.found}: {reasons}",
                markup=False,
                soft_wrap=True,
            )
    counts = ", ".join(f"{sum(j.found == v for j in judgements)} {v}" for v in VERDICTS)
    mismatches = sum(j.mismatch for j in judgements)
    ending = "all as recorded" if not mismatches else f"{mismatches} not as recorded"
    console.print(f"{len(judgements)} claims in {seconds:.0f} s: {counts}; {ending}.", markup=False)
    console.print(f"Probability that chance turned a verdict in this run: at most {false_verdict(judgements):.1g}.")
