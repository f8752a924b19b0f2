"""``dkps-theory verify``: judge claims, print the census, compare with the verdicts on record."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer


def register(app: typer.Typer) -> None:
    """Add the commands of this package to the command line."""
    app.command()(verify)


def verify(
    ids: Annotated[
        list[str] | None, typer.Argument(help="Claim ids or globs such as 'A25-*'; all when omitted.")
    ] = None,
    budget: Annotated[Literal["quick", "full"], typer.Option(help="Sizes of searches and samples.")] = "quick",
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of every search and draw.")] = 0,
    json: Annotated[Path | None, typer.Option(help="Write the verdicts and their evidence as JSON.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the census as a self-contained page.")] = None,
    show_list: Annotated[
        bool, typer.Option("--list", help="List the claims and recorded verdicts; judge none.")
    ] = False,
) -> int:
    """Judge claims by their evidence; exit 1 when a verdict differs from the one on record."""
    from proofs_checks.registry import find, select

    claims = select(ids or [])
    if show_list:
        from proofs_checks.census import listing

        typer.echo(listing(claims))
        return 0
    for path in (json, html):
        _check_writable(path)

    import time

    from dkps_theory._numerics import numerics
    from proofs_checks.claim import Setting
    from proofs_checks.terminal import print_census
    from proofs_checks.verdict import judge_all
    from simulations.progress import show_progress

    numerics()
    setting = Setting(seed, budget)
    start = time.perf_counter()
    with show_progress(len(claims), "verify", "claims") as advance:
        judgements = judge_all(claims, setting, find, lambda done: advance(1, f"{done.claim.id}: {done.found}"))
    seconds = time.perf_counter() - start
    print_census(judgements, seconds)
    if json is not None:
        from json import dumps

        from proofs_checks.census import document

        _write(json, dumps(document(judgements, setting, seconds), indent=1, allow_nan=False) + "\n")
    if html is not None:
        from proofs_checks.page import render

        _write(html, render(judgements, setting, seconds))
    return 1 if any(judgement.mismatch for judgement in judgements) else 0


def _check_writable(path: Path | None) -> None:
    """Refuse a place that cannot be written before anything is computed, so that nothing computed is lost."""
    from dkps_theory._validate import InputError

    if path is None:
        return
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name a file in it")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8"):
            pass
        if path.stat().st_size == 0:
            path.unlink()
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); name another place") from None


def _write(path: Path, text: str) -> None:
    """Write beside the place and rename, so that a reader never sees half a file."""
    import os

    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
    typer.echo(f"wrote {path}", err=True)
