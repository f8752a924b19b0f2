"""CSV files of a store: every summary as one long table, and every replicate. Both are written line by line."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from dkps_theory._validate import InputError
from simulations.performance import Row, or_none, performance
from simulations.rates import RateFit, fitted_rates
from simulations.slabs import SLAB, at_once, blocks, entries_of, labels_of
from simulations.store import Store
from simulations.summaries import Curve, curves

#: Columns of the table of summaries that stand before, and after, those of factors and axes.
FIRST: tuple[str, ...] = ("kind", "measure", "cell", "output")
LAST: tuple[str, ...] = (
    "replicate",
    "value",
    "se",
    "low",
    "high",
    "reference",
    "share",
    "lack_of_fit_p",
    "replicates",
    "failures",
    "if_misses",
    "if_hits",
    "note",
)


def columns(store: Store) -> list[str]:
    """Return the columns of :func:`rows`.

    There is one for each factor, ``factor_<name>``, and one for each axis of an output, ``axis_<name>``; the prefixes
    keep a factor called ``n`` or ``value`` apart from the rest.
    """
    return [*FIRST, *_factor_columns(store), *_axis_columns(store), *LAST]


def _factor_columns(store: Store) -> list[str]:
    names = [f"factor_{name}" for cell in store.cells for name in cell["factors"]]
    return list(dict.fromkeys(names))


def _axis_columns(store: Store) -> list[str]:
    return list(dict.fromkeys(f"axis_{axis}" for output in store.outputs.values() for axis in output["dims"]))


def rows(store: Store, *, slab: int = SLAB) -> Iterator[dict[str, object]]:
    """Return every summary of a store as one row each; what does not exist is left out.

    ``kind`` says what a row is: a performance measure by its kind; ``rmse along r``, with the exact RMSE as
    ``reference`` and the predicted non-asymptotic ``share`` of the mean square; ``slope along r`` and ``slope across
    cells``, with the predicted slope as ``reference`` and the p-value of a straight line. A slope across cells belongs
    to no single cell, and its factors are those that its cells agree in. A ``failure`` is one failed replicate, with
    its method as ``measure`` and the reason as note.
    """
    for row in performance(store, slab=slab):
        yield _measure_row(store, row)
    for curve in curves(store):
        yield from _curve_rows(store, curve)
    for fit in fitted_rates(store, slab=slab):
        yield _rate_row(fit)
    for one in store.failures():
        yield {
            "kind": "failure",
            "measure": one.method,
            "cell": one.cell,
            **_factors_of(store, one.cell),
            "replicate": one.replicate,
            "note": one.reason,
        }


def _factors_of(store: Store, cell: str) -> dict[str, object]:
    levels = next(one["factors"] for one in store.cells if one["name"] == cell)
    return {f"factor_{name}": level for name, level in levels.items()}


def _measure_row(store: Store, row: Row) -> dict[str, object]:
    return {
        "kind": row.kind,
        "measure": row.measure,
        "cell": row.cell,
        "output": row.output,
        **_factors_of(store, row.cell),
        **{f"axis_{axis}": label for axis, label in row.labels.items()},
        "value": row.value,
        "se": row.se,
        "low": row.low,
        "high": row.high,
        "replicates": row.n,
        "failures": row.failures,
        "if_misses": row.if_misses,
        "if_hits": row.if_hits,
        "note": row.note,
    }


def _curve_rows(store: Store, curve: Curve) -> Iterator[dict[str, object]]:
    common: dict[str, object] = {
        "cell": curve.cell,
        "output": curve.output,
        **_factors_of(store, curve.cell),
        "replicates": curve.replicates,
        "failures": curve.failures,
    }
    for at, r in enumerate(curve.r):
        fitted = "" if curve.asymptotic[at] else "not fitted: not yet asymptotic"
        yield common | {
            "kind": "rmse along r",
            "measure": f"rmse of {curve.output}",
            "axis_r": float(r),
            "value": or_none(curve.rmse[at]),
            "se": or_none(curve.se[at]),
            "reference": None if curve.exact is None else or_none(curve.exact[at]),
            "share": None if curve.share is None else or_none(curve.share[at]),
            "note": fitted,
        }
    yield common | {
        "kind": "slope along r",
        "measure": f"slope of rmse of {curve.output}",
        "value": curve.slope,
        "se": curve.slope_se,
        "reference": curve.predicted,
        "lack_of_fit_p": curve.lack_of_fit_p,
        "note": curve.warning or "",
    }


def _rate_row(fit: RateFit) -> dict[str, object]:
    return {
        "kind": "slope across cells",
        "measure": f"slope of rmse of {fit.output} along {fit.along}",
        "output": fit.output,
        **{f"factor_{name}": level for name, level in fit.levels.items()},
        **{f"axis_{axis}": label for axis, label in fit.labels.items()},
        "value": fit.slope,
        "se": fit.slope_se,
        "reference": fit.predicted,
        "lack_of_fit_p": fit.lack_of_fit_p,
        "replicates": fit.replicates,
        "failures": fit.failures,
        "note": fit.warning,
    }


def replicate_rows(store: Store, *, slab: int = SLAB) -> Iterator[dict[str, object]]:
    """Return every finished replicate of every output that applies to its cell, one number a row; failures are NaN."""
    for index, cell in enumerate(store.cells):
        for name, output in store.outputs.items():
            replicates = store.finished(index)
            if name in cell["absent"] or not len(replicates):
                continue
            for block in blocks(store.shape(name, index), at_once(len(replicates), slab)):
                values = store.values(name, index, block)
                places = [
                    {f"axis_{axis}": label for axis, label in labels_of(store, output["dims"], entry).items()}
                    for entry in entries_of(block)
                ]
                for replicate, row in zip(replicates, values.reshape(len(values), len(places)), strict=False):
                    start: dict[str, object] = {"cell": cell["name"], "replicate": int(replicate), "output": name}
                    for place, value in zip(places, row.tolist(), strict=True):
                        yield {**start, **place, "value": value}


def write_csv(store: Store, path: str | Path) -> None:
    """Write :func:`rows`; what does not exist is an empty field.

    Raises
    ------
    InputError
        When the file cannot be written.
    """
    _write(path, columns(store), rows(store))


def write_replicates_csv(store: Store, path: str | Path) -> None:
    """Write :func:`replicate_rows`: cell, replicate, output, one column for each axis, and the value in full precision.

    Raises
    ------
    InputError
        When the file cannot be written.
    """
    _write(path, ["cell", "replicate", "output", *_axis_columns(store), "value"], replicate_rows(store))


def _write(path: str | Path, names: list[str], lines: Iterable[Mapping[str, Any]]) -> None:
    try:
        with Path(path).open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, names, restval="")
            writer.writeheader()
            writer.writerows(lines)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error
