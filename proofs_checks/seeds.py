"""Judge every claim with many seeds and say where a verdict differs: ``python -m proofs_checks.seeds --json FILE``.

A verdict that turns with the seed is a check with too little power or a tolerance too tight, and no verdict.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from proofs_checks.claim import Budget, Setting


def one_seed(seed: int, budget: Budget, ids: Sequence[str]) -> dict[str, Any]:
    """Judge the claims with one seed, and return what the summary needs, in plain values that can be sent."""
    from dkps_theory._numerics import numerics
    from proofs_checks.census import false_verdict
    from proofs_checks.registry import find, select
    from proofs_checks.verdict import judge_all

    numerics()
    judgements = judge_all(select(ids), Setting(seed, budget), find)
    evidence = [item for judgement in judgements for item in judgement.evidence]
    return {
        "seed": seed,
        "claims": len(judgements),
        "different": [
            {
                "seed": seed,
                "claim": j.claim.id,
                "recorded": j.claim.recorded,
                "found": j.found,
                "reasons": list(j.reasons),
            }
            for j in judgements
            if j.mismatch
        ],
        "false_verdict": false_verdict(judgements),
        "powers": [item.power for item in evidence if item.power is not None and item.alpha < 1],
    }


def summary(runs: Sequence[dict[str, Any]], budget: str, seconds: float) -> dict[str, Any]:
    """Return the document that a nightly run commits: what differed, what chance may turn in a run, the least power."""
    from dkps_theory import __version__
    from proofs_checks.census import platform

    return {
        "version": __version__,
        "platform": platform(),
        "budget": budget,
        "seeds": sorted(run["seed"] for run in runs),
        "claims": max((run["claims"] for run in runs), default=0),
        "different": [item for run in runs for item in run["different"]],
        "false_verdict_per_run": max(run["false_verdict"] for run in runs),
        "least_power": min((power for run in runs for power in run["powers"]), default=None),
        "seconds": round(seconds),
    }


def main(arguments: list[str] | None = None) -> int:
    """Run, write the summary, and return 1 when some verdict differs from the one on record."""
    parser = argparse.ArgumentParser(prog="python -m proofs_checks.seeds", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many seeds, from 1 on (default: 20)")
    parser.add_argument("--budget", choices=("quick", "full"), default="quick")
    parser.add_argument("--workers", type=int, default=1, help="processes, each with seeds of its own (default: 1)")
    parser.add_argument("--json", type=Path, required=True, help="where the summary goes")
    parser.add_argument("ids", nargs="*", help="claim ids or globs; all when omitted")
    chosen = parser.parse_args(arguments)
    for name in ("seeds", "workers"):
        if getattr(chosen, name) < 1:
            parser.error(f"argument --{name}: got {getattr(chosen, name)}; it must be at least 1")

    from dkps_theory._validate import InputError
    from proofs_checks.registry import select

    try:
        select(chosen.ids)
    except InputError as error:
        parser.error(str(error))
    start = time.perf_counter()
    seeds = range(1, chosen.seeds + 1)
    runs: list[dict[str, Any]] = []
    document: dict[str, Any] = {}
    for run in _judged(seeds, chosen.budget, chosen.ids, chosen.workers):
        runs.append(run)
        turned = ", ".join(item["claim"] for item in run["different"]) or "none"
        print(f"seed {run['seed']}: {time.perf_counter() - start:.0f} s, not as recorded: {turned}", flush=True)
        # Written after each seed, so that a run that is stopped has lost nothing.
        document = summary(runs, chosen.budget, time.perf_counter() - start)
        chosen.json.parent.mkdir(parents=True, exist_ok=True)
        chosen.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 1 if document.get("different") else 0


def _judged(seeds: Sequence[int], budget: Budget, ids: Sequence[str], workers: int) -> Iterator[dict[str, Any]]:
    """Yield one run after the other, in processes of their own (spawned, never forked) where there are several."""
    if workers == 1:
        yield from (one_seed(seed, budget, ids) for seed in seeds)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = [pool.submit(one_seed, seed, budget, ids) for seed in seeds]
        yield from (done.result() for done in as_completed(waiting))


if __name__ == "__main__":
    sys.exit(main())
