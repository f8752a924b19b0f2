"""Settings of a run: a TOML file and ``--set``, checked against the study that they change.

A file may hold ``study``, ``replicates``, ``seed`` and ``batch_size``, and the tables ``[factors]`` and ``[axes]``:

    replicates = 300
    [factors]
    n = [10, 20]
    [axes]
    r = [10, 1000]

``--set n=10,20`` does the same for one name, whether it is a factor, an axis or a number; it wins over the file.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dkps_theory._validate import InputError, nearest_name, require, shown, whole_number
from simulations.grid import checked_levels
from simulations.study import FEWEST_REPLICATES, Study

#: Numbers that a setting may change, and the least each may be.
NUMBERS = {"replicates": FEWEST_REPLICATES, "seed": 0, "batch_size": 1}


def read_config(path: str | Path, study_name: str | None = None) -> dict[str, Any]:
    """Return the settings in a TOML file, flat: numbers by name, and levels by factor or axis.

    Raises
    ------
    InputError
        When the file cannot be read, is no TOML, is for another study, or has keys that mean nothing.
    """
    path = Path(path)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read ({reason})") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: is no TOML: {error}") from error
    settings: dict[str, Any] = {}
    for key, value in document.items():
        if key == "study":
            fits = study_name is None or value == study_name
            require(fits, f"{path}: is for study {value!r}, not {study_name!r}")
        elif key in {"factors", "axes"}:
            require(isinstance(value, dict), f"{path}: {key} must be a table, as [{key}]")
            twice = sorted(set(settings) & set(value))
            require(not twice, f"{path}: {twice} stands twice")
            settings |= value
        elif key in NUMBERS:
            settings[key] = value
        else:
            error = nearest_name("key", key, ["study", "factors", "axes", *NUMBERS])
            raise InputError(f"{path}: {error}")
    return settings


def read_settings(given: Iterable[str]) -> dict[str, Any]:
    """Return the settings in ``key=value`` words; a value is TOML, or a list of levels with commas between.

    Raises
    ------
    InputError
        When a word has no ``=``, or a key stands twice.

    Examples
    --------
    >>> read_settings(["replicates=300", "n=10,20", "law=normal"])
    {'replicates': 300, 'n': [10, 20], 'law': ['normal']}
    """
    settings: dict[str, Any] = {}
    for word in given:
        key, equals, value = word.partition("=")
        key = key.strip()
        require(bool(equals and key and value.strip()), f"--set {word}: must be key=value, such as n=10,20")
        require(key not in settings, f"--set {word}: {key} is set twice")
        levels = _value(value.strip())
        settings[key] = levels[0] if key in NUMBERS and len(levels) == 1 else levels
    return settings


def _value(text: str) -> list[Any]:
    """Read one TOML value, or levels with commas between; bare words are text."""
    for candidate in (text, f"[{text}]"):
        try:
            found = tomllib.loads(f"value = {candidate}")["value"]
        except tomllib.TOMLDecodeError:
            continue
        return found if isinstance(found, list) else [found]
    parts = [part.strip() for part in text.split(",")]
    require(all(parts), f"--set ...={text}: a value is missing between commas")
    return [_value(part)[0] for part in parts] if len(parts) > 1 else parts


def configured(study: Study, settings: Mapping[str, Any]) -> Study:
    """Return the study with factors, axes and numbers changed; ``seed`` is left for the run.

    A study without a grid has one factor, ``cell``, whose levels are the cells' names. Draws of a cell that stays are
    the same as without the change.

    Raises
    ------
    InputError
        For a name that is no factor, axis or number of the study, naming the nearest, and for levels that do not fit.
    """
    changes: dict[str, Any] = {}
    grid, axes, cells = study.grid, dict(study.axes), study.cells
    for name, value in settings.items():
        if name in NUMBERS:
            changes[name] = whole_number(name, value, NUMBERS[name])
        elif grid is not None and name in grid.factors:
            grid = grid.with_levels(name, value)
        elif grid is None and name == "cell":
            by_name = {cell.name: cell for cell in study.cells}
            wanted = checked_levels("cell", value)
            for level in wanted:
                if level not in by_name:
                    raise nearest_name("cell", level, by_name)
            cells = tuple(cell for cell in study.cells if cell.name in wanted)
        elif name in axes:
            axes[name] = _axis(name, value, axes[name])
        else:
            factors = ["cell"] if grid is None else list(grid.factors)
            raise nearest_name("factor, axis or number", name, [*factors, *axes, *NUMBERS])
    changes.pop("seed", None)
    return dataclasses.replace(study, grid=grid, cells=() if grid is not None else cells, axes=axes, **changes)


def _axis(name: str, value: Any, known: tuple[float | str, ...]) -> tuple[float | str, ...]:
    """Return other values along an axis; labels must be known, because code stands behind each."""
    given = checked_levels(name, value)
    if isinstance(known[0], str):
        unknown = [one for one in given if one not in known]
        allowed = ", ".join(map(str, known))
        require(not unknown, f"axis {name!r}: got {shown(unknown)}; labels must be among {allowed}")
        return given
    for one in given:
        require(not isinstance(one, str), f"axis {name!r}: got {shown(one)}; it must be a number")
    return tuple(float(one) for one in given)
