"""Studies by name, from entry points, or from a file of the user's own; and the recipe that makes one elsewhere."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

from dkps_theory._validate import InputError, nearest_name, require
from simulations.config import configured
from simulations.study import Study

#: The entry-point group that studies come from; each entry names a :class:`simulations.study.Study`.
GROUP = "dkps_theory.studies"


def study_names() -> list[str]:
    """Return the names of the registered studies, without importing any."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def find_study(name: str) -> Study:
    """Return a registered study.

    Raises
    ------
    InputError
        When there is none of that name, naming the nearest; or when it does not load.
    """
    entries = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in entries:
        raise nearest_name("study", name, entries)
    try:
        study = entries[name].load()
    except Exception as error:  # other people's code: whatever it raises is said in one line
        raise InputError(f"study {name!r} ({entries[name].value}): does not load: {error!r}") from error
    require(isinstance(study, Study), f"study {name!r} ({entries[name].value}): is no simulations.study.Study")
    return study


def study_from_text(text: str, path: Path) -> Study:
    """Run the text of a Python file and return the ``STUDY`` that it defines.

    Raises
    ------
    InputError
        When it does not run, or defines no STUDY.
    """
    # Under a name of its own, so that functions of the file can be found again and nothing installed is hidden.
    name = f"_dkps_theory_study_{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    spec = spec_from_loader(name, loader=None, origin=str(path))
    module = module_from_spec(spec)  # pyright: ignore[reportArgumentType]
    module.__file__ = str(path)
    sys.modules[name] = module
    try:
        exec(compile(text, str(path), "exec"), module.__dict__)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except Exception as error:  # the user's own code: whatever it raises is said in one line
        raise InputError(f"{path}: does not run: {type(error).__name__}: {error}") from error
    study = getattr(module, "STUDY", None)
    require(isinstance(study, Study), f"{path}: must define STUDY, a simulations.study.Study")
    return study  # pyright: ignore[reportReturnType]


@dataclass(frozen=True)
class Recipe:
    """How to make a study in any process: a registered name or a file with its text, and settings that override it.

    Parameters
    ----------
    source
        A registered name, or the path of a file that defines STUDY.
    text
        The file's text; None for a registered study.
    settings
        What a TOML file and ``--set`` change; see :func:`simulations.config.configured`.
    """

    source: str
    text: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def study(self) -> Study:
        """The study, made once."""
        base = find_study(self.source) if self.text is None else study_from_text(self.text, Path(self.source))
        return configured(base, self.settings)


def recipe(name_or_file: str, settings: dict[str, Any] | None = None) -> Recipe:
    """Return the recipe of a registered study, or of a file when the argument ends in .py.

    Raises
    ------
    InputError
        When there is no such study or file, or it cannot be read as text.
    """
    if not name_or_file.endswith(".py"):
        return Recipe(name_or_file, None, settings or {})
    path = Path(name_or_file)
    require(path.is_file(), f"{path}: no such file")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as text ({error})") from error
    return Recipe(str(path), text, settings or {})
