"""The census as a page: statement in mathematics, hypotheses, verdict, counterexample drawn, provenance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from dkps_theory import __version__
from dkps_theory.pages import figures, html, tables
from proofs_checks.census import (
    VERDICTS,
    bound_slack,
    by_source,
    false_verdict,
    kinds,
    least_slack,
    platform,
    source_name,
)
from proofs_checks.claim import Check, Evidence, Judgement, Outcome, Setting
from proofs_checks.evidence.certified import Stored
from proofs_checks.evidence.checker import OPERATIONS
from proofs_checks.registry import derivations

LEAD = (
    "Every statement below was judged by running its checks, and each check also ran on a broken twin on which it had "
    "to come out otherwise. Evidence is symbolic, certified (exact), a property search, or Monte Carlo with a stated "
    "probability of a false refutation and a stated power."
)
RELATIONS = {"equal": "=", "upper": "≤", "lower": "≥", "rate": "≥", "coverage": "≥"}


def anchor(claim_id: str) -> str:
    """Return the claim's id as an HTML id."""
    return "claim-" + claim_id.replace("/", "--")


def render(judgements: Sequence[Judgement], setting: Setting, seconds: float) -> str:
    """Return the whole page."""
    counts = ", ".join(
        f"{sum(j.found == v for j in judgements)} {v}" for v in VERDICTS if any(j.found == v for j in judgements)
    )
    known = {judgement.claim.id for judgement in judgements}
    groups, told = by_source(judgements), set[str]()
    blocks = [block for source, group in groups.items() for block in _census(source, group, known)]
    sections = [html.Section("Census", blocks)]
    if any(_slacks(j) for j in judgements):
        sections.append(html.Section("Slack", _slack(judgements)))
    sections += [
        html.Section(source, [html.prose(source_name(source)), *(b for j in group for b in _claim(j, known, told))])
        for source, group in groups.items()
    ]
    if "A25" in groups:
        sections.append(html.Section("Steps of A25's proofs", _steps(known)))
    sections.append(
        html.Section(
            "Provenance",
            [
                html.prose(
                    f"dkps-theory {__version__}, seed {setting.seed}, budget {setting.budget}, {seconds:.0f} s. "
                    f"{platform()}."
                ),
                html.prose(
                    "The probability that chance turned a verdict in this run is at most "
                    f"{false_verdict(judgements):.1g}, the sum over all Monte Carlo checks; the small rate of each "
                    "comes from eight independent blocks (asymptotic in each block) or from an exact binomial test."
                ),
                html.prose(
                    "A verdict speaks of the statement as it is encoded here, under the reading shown. Support by "
                    "property search or Monte Carlo is no proof; a certified counterexample is."
                ),
            ],
        )
    )
    return html.page("Verdicts on DKPS theory", sections, lead=f"{counts}. {LEAD}")


def verdict_mark(judgement: Judgement) -> Markup:
    """Return the verdict, flagged when it is not the recorded one."""
    word = html.mark(judgement.found == "holds", judgement.found, judgement.found)
    return word if not judgement.mismatch else Markup("{} (recorded: {})").format(word, judgement.claim.recorded)


def link(claim_id: str, known: set[str]) -> Markup:
    """Return a link to a claim on this page, or its id where it is not on it."""
    if claim_id not in known:
        return Markup("{}").format(claim_id)
    return Markup('<a href="#{}">{}</a>').format(anchor(claim_id), claim_id)


def _census(source: str, judgements: Sequence[Judgement], known: set[str]) -> list[Markup]:
    rows = [
        [
            link(j.claim.id, known),
            j.claim.title,
            verdict_mark(j),
            kinds(j.evidence),
            tables.number(least_slack(j.evidence)),
            Markup("") if j.claim.repair is None else link(j.claim.repair, known),
            f"{j.seconds:.1f}",
        ]
        for j in judgements
    ]
    columns = ["claim", "statement", "verdict", "evidence, strongest first", ">least slack", "repair", ">seconds"]
    return [Markup("<h3>{}</h3>").format(source_name(source)), tables.Table(columns, rows).html()]


def _slacks(judgement: Judgement) -> list[float]:
    """Return the slacks of the bounds of a claim that could not be refuted."""
    supported = [bound_slack(item) for item in judgement.evidence if item.outcome is Outcome.SUPPORTS]
    return [slack for slack in supported if slack is not None and 0 < slack < float("inf")]


def _slack(judgements: Sequence[Judgement]) -> list[Markup]:
    """Return the plot of all slacks, the loosest bound on top."""
    found = {j.claim.id: _slacks(j) for j in judgements}
    rows = sorted(((name, slacks) for name, slacks in found.items() if slacks), key=lambda row: max(row[1]))
    caption = (
        "Slack is claimed / observed for an upper bound, one dot for each check: at 1 (line) the bound is attained, at "
        "1000 it is a thousand times too large. Bounds that were refuted are left out."
    )
    return [html.figure_block(figures.slack_plot(rows), caption, label="slack", title="Slack", width="narrow")]


def _claim(judgement: Judgement, known: set[str], told: set[str]) -> list[Markup]:
    """Return the blocks of one claim; the text of its module comes with the first claim of the module."""
    claim = judgement.claim
    facts = [
        ("Verdict", verdict_mark(judgement)),
        ("Source", f"{claim.source}; {claim.form}"),
        ("Reading", claim.reading),
        ("Hypotheses", "; ".join(h.text for h in claim.hypotheses)),
        ("Witness", claim.witness.text if claim.witness else f"none: {claim.no_witness}"),
    ]
    if claim.repair:
        facts.append(("Repair", link(claim.repair, known)))
    if judgement.reasons:
        facts.append(("Because", "; ".join(judgement.reasons)))
    listed = Markup("").join(Markup("<li><b>{}:</b> {}</li>").format(name, value) for name, value in facts)
    blocks = [
        Markup('<h3 id="{}">{}: {}</h3>').format(anchor(claim.id), claim.id, claim.title),
        html.math(claim.statement, block=True),
        Markup("<ul>{}</ul>").format(listed),
        tables.Table(
            [
                "check",
                "evidence",
                ">observed",
                ">claimed",
                ">slack",
                ">n",
                "error rate and power",
                "teeth: turns when",
            ],
            [_evidence(item, check) for item, check in zip(judgement.evidence, claim.checks, strict=True)],
        ).html(),
    ]
    blocks += [_certificate(check) for check in claim.checks if isinstance(check.subject, Stored)]
    for number, drawing in enumerate(claim.drawings):
        figure = figures.styled(drawing.draw)()
        blocks.append(html.figure_block(figure, drawing.caption, label=f"{anchor(claim.id)}-{number}", width="narrow"))
    text = derivations().get(claim.id, "")
    if text and text not in told:
        told.add(text)
        blocks.append(Markup(_DERIVATION).format(text.strip()))
    return blocks


_DERIVATION = (
    '<details><summary>Setting, constants and derivation</summary><pre style="white-space: pre-wrap">{}</pre></details>'
)


def _steps(known: set[str]) -> list[Markup]:
    """Return which claim covers each step of the appendix of A25, by content."""
    from proofs_checks.claims.a25_steps import STEPS

    lead = (
        "The appendix's lemmas and propositions (A25-L1 to L5, A25-PA1 to PA6) are not in the material that this "
        "project has, so their labels are not matched one by one: the steps that the main claims need are listed by "
        "what they say, each with the claim that judges it."
    )
    rows = [[step, says, link(claim_id, known)] for step, says, claim_id in STEPS]
    return [html.prose(lead), tables.Table(["step", "what it says", "judged as"], rows).html()]


def _certificate(check: Check) -> Markup:
    """Return a stored counterexample or example, whole: what is given, and what is asserted of it."""
    certificate = check.subject.load()
    given = [
        Markup("<li><code>{} = {}</code></li>").format(name, _plain(v)) for name, v in certificate["given"].items()
    ]
    asserted = [
        Markup("<li><code>{} {} {}</code></li>").format(_plain(left), relation, _plain(right))
        for relation, left, right in certificate["assert"]
    ]
    return Markup(
        "<details><summary>Certificate of {}: {}</summary><p>Given</p><ul>{}</ul><p>Asserted, and checked exactly</p>"
        "<ul>{}</ul></details>"
    ).format(check.name, certificate["says"], Markup("").join(given), Markup("").join(asserted))


def _plain(expression: Any) -> str:
    """Write an expression of a certificate as a call, and a matrix by its rows."""
    match expression:
        case [str(operation), *arguments] if operation in OPERATIONS:
            return f"{operation}({', '.join(_plain(argument) for argument in arguments)})"
        case list():
            return f"[{', '.join(_plain(part) for part in expression)}]"
        case _:
            return str(expression)


def _evidence(item: Evidence, check: Check) -> list[object]:
    observed = tables.with_se(item.observed, item.se) if item.se else tables.number(item.observed)
    rates = {
        "symbolic": "exact",
        "certified": "exact",
        "search": "violation met" if item.outcome is Outcome.CONTRADICTS else "no violation met",
    }.get(item.kind, f"false refutation ≤ {tables.number(item.alpha)}")
    if item.power is not None:
        # Power this close to one reads as one; what is left is far below any other error named here.
        power = "> 0.999" if item.power > 0.999 else tables.number(item.power)
        rates += f"; power {power} against {item.detectable}"
    teeth = Markup("{}: {}").format(html.mark(bool(item.teeth)), check.broken_by)
    return [
        item.detail,
        item.kind,
        observed,
        f"{RELATIONS[item.relation]} {tables.number(item.claimed)}",
        tables.number(item.slack),
        "" if item.n is None else f"{item.n:,}",
        rates,
        teeth,
    ]
