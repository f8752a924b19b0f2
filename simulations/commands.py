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
    replicates: Annotated[int | None, typer.Option(min=1, help="Replicates per cell; default the study's own.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of all draws.")] = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR.zarr", help="Folder to write; default STUDY.zarr here.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a store that is there already.")] = False,
) -> None:
    """Run a study and store its replicates with their manifest."""
    from simulations.study import resolve_study

    chosen = resolve_study(study)
    from simulations.store import check_target, save

    target = check_target(Path(f"{chosen.name}.zarr") if out is None else out, overwrite=overwrite)
    from dkps_theory._numerics import numerics

    numerics()
    from simulations.progress import show_progress
    from simulations.report import print_summary
    from simulations.runner import run_study

    count = chosen.replicates if replicates is None else replicates
    with show_progress(count * len(chosen.cells), chosen.name) as advance:
        dataset = run_study(chosen, replicates=count, seed=seed, advance=advance)
    save(dataset, target, overwrite=overwrite)
    print_summary(dataset)
    typer.echo(f"{target}: {count:,} replicates of {len(chosen.cells)} cells in {dataset.attrs['seconds']:.0f} s")
    typer.echo(f"next: dkps-theory report {target} --html {target.with_suffix('.html').name}")


def studies() -> None:
    """List the studies that can be run."""
    from dkps_theory._validate import InputError
    from simulations.study import find_study, study_names

    names = study_names()
    width = max((len(name) for name in names), default=0)
    for name in names:
        try:
            study = find_study(name)
        except InputError as error:  # a broken study of another package must not hide the others
            typer.echo(f"warning: {error}", err=True)
            continue
        size = f"{len(study.cells)} cells, {len(study.r_grid)} values of r, {study.replicates:,} replicates"
        typer.echo(f"{name:{width}}  {study.title} ({size})")


def report(
    store: Annotated[Path, typer.Argument(metavar="DIR.zarr", help="What `simulate` wrote.")],
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a self-contained page.")] = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write every summary as a table.")] = None,
) -> None:
    """Summarise a store on the terminal, and as a page or a table of numbers."""
    from simulations.store import load

    dataset = load(store)
    from simulations.report import print_summary, write_csv, write_html

    print_summary(dataset)
    if html is not None:
        write_html(dataset, html)
        typer.echo(f"{html}: written")
    if csv is not None:
        write_csv(dataset, csv)
        typer.echo(f"{csv}: written")
