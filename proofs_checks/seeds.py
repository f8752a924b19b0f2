"""Judge every claim with many seeds and say where a verdict differs: ``python -m proofs_checks.seeds --json FILE``.

A verdict that turns with the seed is a check with too little power or a tolerance too tight, and no verdict.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from proofs_checks.claim import Judgement, Setting


def summary(runs: dict[int, list[Judgement]], budget: str, seconds: float) -> dict[str, Any]:
    """Return the document that a nightly run commits: what differed, false refutations per run, the least power."""
    from dkps_theory import __version__
    from proofs_checks.census import false_verdict, platform

    different = [
        {"seed": seed, "claim": j.claim.id, "recorded": j.claim.recorded, "found": j.found, "reasons": list(j.reasons)}
        for seed, judgements in runs.items()
        for j in judgements
        if j.mismatch
    ]
    powers = [e.power for js in runs.values() for j in js for e in j.evidence if e.power is not None and e.alpha < 1]
    return {
        "version": __version__,
        "platform": platform(),
        "budget": budget,
        "seeds": sorted(runs),
        "claims": max((len(judgements) for judgements in runs.values()), default=0),
        "different": different,
        "false_verdict_per_run": max(false_verdict(judgements) for judgements in runs.values()),
        "least_power": min(powers, default=None),
        "seconds": round(seconds),
    }


def main(arguments: list[str] | None = None) -> int:
    """Run, write the summary, and return 1 when some verdict differs from the one on record."""
    parser = argparse.ArgumentParser(prog="python -m proofs_checks.seeds", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many seeds, from 1 on (default: 20)")
    parser.add_argument("--budget", choices=("quick", "full"), default="quick")
    parser.add_argument("--json", type=Path, required=True, help="where the summary goes")
    parser.add_argument("ids", nargs="*", help="claim ids or globs; all when omitted")
    chosen = parser.parse_args(arguments)
    if chosen.seeds < 1:
        parser.error(f"argument --seeds: got {chosen.seeds}; it must be at least 1")

    from dkps_theory._numerics import numerics
    from dkps_theory._validate import InputError
    from proofs_checks.registry import find, select
    from proofs_checks.verdict import judge_all

    try:
        claims = select(chosen.ids)
    except InputError as error:
        parser.error(str(error))
    numerics()
    start = time.perf_counter()
    runs: dict[int, list[Judgement]] = {}
    document: dict[str, Any] = {}
    for seed in range(1, chosen.seeds + 1):
        runs[seed] = judge_all(claims, Setting(seed, chosen.budget), find)
        turned = [j.claim.id for j in runs[seed] if j.mismatch]
        print(f"seed {seed}: {time.perf_counter() - start:.0f} s, not as recorded: {', '.join(turned) or 'none'}")
        # Written after each seed, so that a run that is stopped has lost nothing.
        document = summary(runs, chosen.budget, time.perf_counter() - start)
        chosen.json.parent.mkdir(parents=True, exist_ok=True)
        chosen.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 1 if document.get("different") else 0


if __name__ == "__main__":
    sys.exit(main())
