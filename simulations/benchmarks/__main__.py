"""Measure, print a table and write JSON. It reports; it fails nothing."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from rich.console import Console

from dkps_theory._numerics import numerics
from dkps_theory.pages.tables import Table, number
from simulations.benchmarks.engine import overhead
from simulations.benchmarks.kl_gap import TARGETS, against_scikit_learn
from simulations.benchmarks.measure import Row, cold_default_cell, mean_sampling, replicate_counts
from simulations.benchmarks.raw_stress import cost_of_a_start, majorisation
from simulations.fingerprint import platform_fingerprint, versions


def main(arguments: list[str] | None = None) -> int:
    """Run every benchmark on the CPU, and on a GPU too when JAX finds one."""
    parser = argparse.ArgumentParser(prog="python -m simulations.benchmarks", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows as JSON")
    parser.add_argument("--repeat", type=int, default=7, metavar="N", help="interleaved repetitions (default 7)")
    parser.add_argument("--replicates", type=int, default=1000, metavar="N", help="of the cold cell (default 1000)")
    chosen = parser.parse_args(arguments)
    for name in ("repeat", "replicates"):
        if getattr(chosen, name) < 1:
            parser.error(f"--{name}: got {getattr(chosen, name)}; it must be at least 1")
    if chosen.json is not None and not os.access(chosen.json.parent, os.W_OK):
        parser.error(f"--json: {chosen.json.parent} is no folder that can be written")
    numerics()

    import jax  # noqa: PLC0415  (after numerics, which sets the environment)

    found = [jax.devices()[0]]
    if found[0].platform != "cpu":
        found.insert(0, jax.devices("cpu")[0])
    rows: list[Row] = []
    for device in found:
        with jax.default_device(device):
            rows.append(mean_sampling(device, chosen.repeat))
            rows.append(replicate_counts(device, chosen.repeat))
            rows.append(cost_of_a_start(device, chosen.repeat))
            rows.extend(majorisation(device, chosen.repeat))
            rows.extend(against_scikit_learn(device, chosen.repeat, d) for d in TARGETS)
            rows.append(overhead(device, 5 * chosen.replicates, 20, ("regular",)))
            rows.append(overhead(device, chosen.replicates // 2, 5))
        rows.extend(cold_default_cell(device, chosen.replicates))
    table = Table(
        ["what", "device", ">measured", "target", "met", "detail"],
        [
            [row.what, row.device, f"{number(row.value)} {row.unit}".strip(), row.target, row.met, row.detail]
            for row in rows
        ],
        "Medians over interleaved repetitions, except for the cold run",
    )
    Console().print(table.rich())
    if chosen.json is not None:
        document = {
            "schema": 1,
            "versions": versions(),
            "platform": platform_fingerprint(),
            "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
            "rows": [row.document() for row in rows],
        }
        chosen.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
