"""The census as data: judgements as JSON by the published schema, as text tables and as a page."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from proofs_checks.claim import STRENGTH, Claim, Evidence, Judgement, Setting

SCHEMA = Path(__file__).parent / "schemas" / "verify.schema.json"
VERDICTS = ("holds", "refuted", "vacuous", "undetermined")
#: Where a claim comes from, by the first part of its id.
SOURCES = {
    "A24": "Acharyya, Trosset, Priebe, Helm (2024), arXiv:2409.17308",
    "A25": "Acharyya, Agterberg, Park, Priebe (2025), arXiv:2511.08307",
    "H25": "Helm, Acharyya, Park, Duderstadt, Priebe (2025), Findings of ACL",
    "B26": "Browder, Duh, Harris, Lyzinski, McNamee, Park, Priebe, Viechnicki (2026), arXiv:2602.05106",
    "G25": "Gan, Liu (ICLR 2025), arXiv:2410.01720; some statements reconstructed",
    "DK": "results of this project",
    "CL": "classical lemmas",
}


def document(judgements: Sequence[Judgement], setting: Setting, seconds: float) -> dict[str, Any]:
    """Return the JSON document of ``verify --json``; numbers that are not finite become null."""
    from dkps_theory import __version__

    counts = {verdict: sum(j.found == verdict for j in judgements) for verdict in VERDICTS}
    return {
        "schema": 1,
        "version": __version__,
        "seed": setting.seed,
        "budget": setting.budget,
        "platform": platform(),
        "claims": [_claim_entry(judgement) for judgement in judgements],
        "summary": {**counts, "mismatches": sum(j.mismatch for j in judgements), "seconds": round(seconds, 3)},
    }


def _claim_entry(judgement: Judgement) -> dict[str, Any]:
    claim = judgement.claim
    return {
        "id": claim.id,
        "title": claim.title,
        "source": claim.source,
        "form": claim.form,
        "reading": claim.reading,
        "verdict": judgement.found,
        "recorded": claim.recorded,
        "repair": claim.repair,
        "seconds": round(judgement.seconds, 3),
        "evidence": [_evidence_entry(item) for item in judgement.evidence],
    }


def _evidence_entry(item: Evidence) -> dict[str, Any]:
    names = (
        "kind",
        "observed",
        "claimed",
        "relation",
        "slack",
        "se",
        "n",
        "alpha",
        "power",
        "detectable",
        "teeth",
        "detail",
    )
    return {name: _finite(getattr(item, name)) for name in names}


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def platform() -> str:
    """Return one line that names the processor, the Python and the array library numbers were made with."""
    from simulations.fingerprint import platform_fingerprint, versions

    found, version = platform_fingerprint(), versions()
    return (
        f"{found['system']}, {found['processor']}, Python {version['python']}, JAX {version['jax']} on "
        f"{found['backend']} ({found['device']})"
    )


def kinds(evidence: Sequence[Evidence]) -> str:
    """Return the kinds of evidence a verdict rests on, strongest first: a claim that holds needs all of them."""
    found = {item.kind for item in evidence}
    return ", ".join(kind for kind in STRENGTH if kind in found)


def bound_slack(item: Evidence) -> float | None:
    """Return the slack of the bound that evidence is about, None where it is about none."""
    return item.slack if item.relation in {"upper", "lower", "coverage"} else None


def least_slack(evidence: Sequence[Evidence]) -> float | None:
    """Return the smallest slack among the bounds of a claim, None where it has none."""
    slacks = [slack for slack in map(bound_slack, evidence) if slack is not None]
    return min(slacks) if slacks else None


def source_of(claim_id: str) -> str:
    """Return the source part of an id: A24, A25, B26, CL, DK and so on."""
    return claim_id.split("-", maxsplit=1)[0]


def by_source(judgements: Sequence[Judgement]) -> dict[str, list[Judgement]]:
    """Return the judgements by source, in the order in which sources first come."""
    groups: dict[str, list[Judgement]] = {}
    for judgement in judgements:
        groups.setdefault(source_of(judgement.claim.id), []).append(judgement)
    return groups


def source_name(source: str) -> str:
    """Return a source with its authors, as far as they are known here."""
    return f"{source}: {SOURCES[source]}" if source in SOURCES else source


def false_verdict(judgements: Sequence[Judgement]) -> float:
    """Return a bound of the probability that chance turned a verdict of this run: the sum over its Monte Carlo checks.

    A check that contradicts a true statement by chance leaves its claim refuted or undetermined, and says with which
    probability at most. Exact evidence errs with probability 0, and an illustration (alpha 1) refutes nothing.
    """
    sampled = (item for judgement in judgements for item in judgement.evidence if item.kind == "monte-carlo")
    return sum(item.alpha for item in sampled if item.alpha < 1)


@cache
def schema() -> dict[str, Any]:
    """Return the JSON schema of ``verify --json``."""
    return json.loads(SCHEMA.read_text(encoding="utf-8"))


def listing(claims: Sequence[Claim]) -> str:
    """Return the claims with the verdicts recorded for them, without judging any."""
    width = max(len(claim.id) for claim in claims)
    return "\n".join(f"{claim.id:<{width}}  {claim.recorded:<12}  {claim.title}" for claim in claims)
