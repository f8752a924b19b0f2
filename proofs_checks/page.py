"""The census as a page: statement in mathematics, hypotheses, verdict, counterexample drawn, provenance."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from dkps_theory import __version__
from dkps_theory.pages import figures, html, tables
from proofs_checks.census import VERDICTS, kinds, least_slack, platform
from proofs_checks.claim import Evidence, Judgement, Outcome, Setting

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
    sections = [html.Section("Census", [_census(judgements)])]
    known = {judgement.claim.id for judgement in judgements}
    sections += [html.Section(j.claim.id, [_claim(j, known)]) for j in judgements]
    sections.append(
        html.Section(
            "Provenance",
            [
                html.prose(
                    f"dkps-theory {__version__}, seed {setting.seed}, budget {setting.budget}, {seconds:.0f} s. "
                    f"{platform()}."
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


def _census(judgements: Sequence[Judgement]) -> Markup:
    known = {judgement.claim.id for judgement in judgements}
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
    caption = "Slack is claimed / observed for an upper bound: 1 is sharp, 1000 is a bound a thousand times too large."
    return tables.Table(columns, rows, caption).html()


def _claim(judgement: Judgement, known: set[str]) -> Markup:
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
        Markup('<div id="{}"></div><h3>{}</h3>').format(anchor(claim.id), claim.title),
        html.math(claim.statement, block=True),
        Markup("<ul>{}</ul>").format(listed),
        tables.Table(
            [
                "check",
                "evidence",
                ">observed",
                "",
                ">claimed",
                ">slack",
                ">n",
                "error rate and power",
                "teeth: turns when",
            ],
            [_evidence(item, check) for item, check in zip(judgement.evidence, claim.checks, strict=True)],
        ).html(),
    ]
    for number, drawing in enumerate(claim.drawings):
        figure = figures.styled(drawing.draw)()
        blocks.append(html.figure_block(figure, drawing.caption, label=f"{anchor(claim.id)}-{number}", width="narrow"))
    return Markup("\n").join(blocks)


def _evidence(item: Evidence, check) -> list[object]:
    supports = item.outcome is Outcome.SUPPORTS
    observed = tables.with_se(item.observed, item.se) if item.se else tables.number(item.observed)
    rates = {
        "symbolic": "exact",
        "certified": "exact",
        "search": "no violation met" if supports else "violation met",
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
        RELATIONS[item.relation],
        tables.number(item.claimed),
        tables.number(item.slack),
        "" if item.n is None else f"{item.n:,}",
        rates,
        teeth,
    ]
