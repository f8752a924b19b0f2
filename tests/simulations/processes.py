"""Helpers for tests that run the command line in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

STUDY = Path(__file__).with_name("eigenvectors.py")
REPLICATES = 300


def command(out, *words, start_new_session=False, **environment):
    """Begin a run of the study in ``eigenvectors.py``."""
    line = [sys.executable, "-m", "dkps_theory.cli", "simulate", str(STUDY), "--out", str(out), *words]
    return subprocess.Popen(
        line,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
        start_new_session=start_new_session,
    )


def run(out, *words, **environment):
    """Run it to its end, which must be good; return what it said on both streams."""
    process = command(out, *words, **environment)
    said, complaint = process.communicate(timeout=300)
    assert process.returncode == 0, complaint
    return said, complaint


def chunks(path):
    """Return the bytes of every chunk and of every description of an array."""
    files = [one for one in path.glob("*/**/*") if one.is_file() and "markers" not in one.parts]
    return {str(one.relative_to(path)): one.read_bytes() for one in files}


def markers(path):
    """Return what tells one marker file from another that took its place."""
    return {one.name: (one.stat().st_ino, one.stat().st_mtime_ns) for one in (path / "markers").glob("*.*.json")}


def wait_for_markers(process, path, count, patience=60.0):
    """Wait until a run has finished so many batches, or has ended."""
    end = time.monotonic() + patience
    while process.poll() is None and len(markers(path)) < count and time.monotonic() < end:
        time.sleep(0.002)
