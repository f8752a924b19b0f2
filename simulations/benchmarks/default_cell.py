"""Run the default cell of fixed-models-fixed-queries once, in a process of its own; print seconds and peak memory."""

from __future__ import annotations

import dataclasses
import json
import resource
import sys
import time


def main(replicates: int) -> None:
    """Run and print one line of JSON."""
    begun = time.perf_counter()
    from simulations.runner import run_study  # noqa: PLC0415  (imports are part of what is timed)
    from simulations.studies.fixed_models_fixed_queries import STUDY  # noqa: PLC0415

    imported = time.perf_counter()
    run_study(dataclasses.replace(STUDY, cells=STUDY.cells[:1]), replicates=replicates)
    done = time.perf_counter()
    # Kilobytes on Linux, bytes on macOS.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(
        json.dumps(
            {"imports": imported - begun, "study": done - imported, "cpu": time.process_time(), "peak_bytes": peak}
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
