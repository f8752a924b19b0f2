"""The commands ``simulate``, ``studies`` and ``report``. No JAX, NumPy or plotting until a command's own body runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the commands of this package to the command line."""
    app.command()(simulate)
    app.command()(studies)
    app.command()(report)


def simulate(
    study: Annotated[
        str, typer.Argument(metavar="STUDY|FILE.py", help="A study's name, or a file that defines STUDY.")
    ],
    config: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="Replicates, seed, factors and axes of the run.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="One factor, axis or number, such as n=10,20; may be repeated."
        ),
    ] = None,
    replicates: Annotated[
        int | None, typer.Option(help="Replicates per cell, at least 2; with --until-mcse the most.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=2**32 - 1, help="Seed of all draws; default 0.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR.zarr", help="Folder to write; default STUDY.zarr here.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a store, or extend it.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a store that is there already.")] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Worker processes on this machine (extra cluster).")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="tcp://HOST:PORT", help="A Dask cluster that runs already (extra cluster).")
    ] = None,
    until_mcse: Annotated[
        float | None, typer.Option(metavar="X", help="Go on until the target's standard error is at most X.")
    ] = None,
    max_time: Annotated[str | None, typer.Option(metavar="TIME", help="Begin nothing after 90s, 30m or 2h.")] = None,
) -> None:
    """Run a study and store its replicates with their manifest."""
    from simulations.run_command import Options, run

    run(
        Options(
            study=study,
            config=config,
            settings=tuple(settings or ()),
            replicates=replicates,
            seed=seed,
            out=out,
            resume=resume,
            overwrite=overwrite,
            workers=workers,
            scheduler=scheduler,
            until_mcse=until_mcse,
            max_time=max_time,
        )
    )


def studies() -> None:
    """List the studies that can be run."""
    from dkps_theory._validate import InputError
    from simulations.catalogue import find_study, study_names

    names = study_names()
    width = max((len(name) for name in names), default=0)
    for name in names:
        try:
            study = find_study(name)
        except InputError as error:  # a broken study of another package must not hide the others
            typer.echo(f"warning: {error}", err=True)
            continue
        typer.echo(f"{name:{width}}  {study.title} ({len(study.cells)} cells, {study.replicates:,} replicates)")


def report(
    store: Annotated[Path, typer.Argument(metavar="DIR.zarr", help="What `simulate` wrote.")],
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a self-contained page.")] = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write every summary as a table.")] = None,
    replicates_csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write every replicate as a table, one value a line.")
    ] = None,
) -> None:
    """Summarise a store, finished or not, on the terminal, and as a page or a table of numbers."""
    from simulations.store import open_store

    opened = open_store(store)
    from simulations.report import print_summary, write_csv, write_html, write_replicates_csv

    print_summary(opened)
    for path, write in ((html, write_html), (csv, write_csv), (replicates_csv, write_replicates_csv)):
        if path is not None:
            write(opened, path)
            typer.echo(f"{path}: written")
