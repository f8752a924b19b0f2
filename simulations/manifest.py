"""The manifest of a store: everything a reader needs, and what a run must agree with before it adds to a store."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dkps_theory._validate import InputError
from simulations.fingerprint import platform_fingerprint, versions
from simulations.grid import Cell
from simulations.measures import Measure, Rate
from simulations.sources import code_digest
from simulations.study import Study, hash_of

#: Version of the layout of a store.
SCHEMA = 2

#: What decides the numbers, in the order in which differences are named.
_DECISIVE = ("study", "seed", "design", "code", "versions")


def manifest(
    study: Study,
    *,
    seed: int,
    planned: list[int],
    source: Mapping[str, Any],
    shapes: Mapping[str, list[tuple[int, ...]]] | None = None,
) -> dict[str, Any]:
    """Return the manifest of a new store, as JSON-ready data.

    Parameters
    ----------
    study, seed
        What is run.
    planned
        Replicates wanted of each cell.
    source
        The recipe of the study: name or file, and settings; enough to make it again.
    shapes
        Shapes of outputs and truths, by cell, without the axis of replicates; None leaves out what depends on them,
        which is enough to compare with a store that is there.
    """
    design = study.design()
    about = {
        "dkps_theory_store": SCHEMA,
        "study": study.name,
        "source": dict(source),
        "seed": seed,
        "planned": planned,
        "batch_size": study.batch_size,
        "design": design,
        "design_hash": hash_of(design),
        "code": code_digest(),
        "versions": versions(),
        "platform": platform_fingerprint(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        **{
            name: getattr(study, name)
            for name in ("title", "aims", "data", "estimands", "methods", "performance", "compiled")
        },
        "cells": [_described(cell) for cell in study.cells],
        "axes": {axis: list(values) for axis, values in study.axes.items()},
        "outputs": [dataclasses.asdict(output) for output in study.outputs],
        "truths": [dataclasses.asdict(truth) for truth in study.truths],
        "measures": [_measure(study, measure) for measure in study.measures],
        "target": None if study.target is None else _measure(study, study.target),
        "sections": [section.target for section in study.sections],
    }
    if shapes is not None:
        about["shapes"] = {name: [list(shape) for shape in by_cell] for name, by_cell in shapes.items()}
        about["rates"] = [rate_groups(study, rate, shapes[rate.output]) for rate in study.rates]
    return about


def _described(cell: Cell) -> dict[str, Any]:
    more = getattr(cell.settings, "described", dict)()
    return {
        "name": cell.name,
        "title": cell.title,
        "factors": dict(cell.factors),
        "absent": list(cell.absent),
        "rates": {name: float(rate) for name, rate in cell.rates.items()},
        "remark": cell.remark,
        "stream": cell.stream,
        **more,
    }


def _measure(study: Study, measure: Measure) -> dict[str, Any]:
    return dataclasses.asdict(measure) | {
        "name": measure.words({output.name: output.title for output in study.outputs})
    }


def rate_groups(study: Study, rate: Rate, shapes: list[tuple[int, ...]]) -> dict[str, Any]:
    """Return a rate with its groups: cells that agree in the other factors, and each entry of the output.

    Groups of one cell only have no slope and are left out, and so are entries for which nothing is predicted.
    """
    output = next(one for one in study.outputs if one.name == rate.output)
    groups: dict[tuple[tuple[str, Any], ...], list[int]] = {}
    for index, cell in enumerate(study.cells):
        if rate.output not in cell.absent:
            others = tuple((name, level) for name, level in cell.factors.items() if name != rate.along)
            groups.setdefault(others, []).append(index)
    found: list[dict[str, Any]] = []
    for others, cells in groups.items():
        if len(cells) < 2:
            continue
        for entry in _entries(shapes[cells[0]]):
            labels = {
                axis: study.axes[axis][at] if axis in study.axes else at
                for axis, at in zip(output.dims, entry, strict=True)
            }
            predicted = rate.predicted({**dict(others), **labels})
            if predicted is None:
                continue
            found.append(
                {
                    "levels": dict(others),
                    "labels": labels,
                    "entry": list(entry),
                    "cells": cells,
                    "x": [study.cells[index].factors[rate.along] for index in cells],
                    "predicted": float(predicted),
                }
            )
    return {"output": rate.output, "truth": rate.truth, "along": rate.along, "groups": found}


def _entries(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    entries: list[tuple[int, ...]] = [()]
    for length in shape:
        entries = [(*entry, at) for entry in entries for at in range(length)]
    return entries


def same_run(where: str, stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Refuse to add to a store that another study, seed, design or code version made, naming the first difference.

    Raises
    ------
    InputError
        With the place of the difference, what the store has and what this run has.
    """
    for part in _DECISIVE:
        difference = first_difference(part, stored.get(part), wanted.get(part))
        if difference is not None:
            place, there, here = difference
            raise InputError(
                f"{where}: was made with another {place}: {there} there, {here} here; choose another --out, or "
                "--overwrite to start again"
            )


def first_difference(place: str, there: Any, here: Any) -> tuple[str, str, str] | None:
    """Return where two plain values differ first, and both values there in words; None when they do not.

    Examples
    --------
    >>> first_difference("design", {"axes": {"r": [1, 2]}}, {"axes": {"r": [1, 3]}})
    ('design, axes, r, entry 1', '2', '3')
    """
    if isinstance(there, Mapping) and isinstance(here, Mapping):
        for name in dict.fromkeys((*there, *here)):
            if name not in there or name not in here:
                found = ["something" if name in one else "nothing" for one in (there, here)]
                return f"{place}, {name}", found[0], found[1]
            found = first_difference(f"{place}, {name}", there[name], here[name])
            if found is not None:
                return found
        return None
    if isinstance(there, list | tuple) and isinstance(here, list | tuple) and len(there) == len(here):
        for at, (one, other) in enumerate(zip(there, here, strict=True)):
            found = first_difference(f"{place}, entry {at}", one, other)
            if found is not None:
                return found
        return None
    return None if there == here else (place, _short(there), _short(here))


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
