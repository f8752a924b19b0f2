"""Populations as TOML files: written with every digit, read with one clear line for whatever is wrong.

A file has ``kind`` and the keys of that kind. ``gaussian-mixture``, ``categorical``, ``heavy-tailed``,
``autoregressive-replicates``, ``shared-prompts`` and ``random-effects`` hold the arrays themselves, as nested lists; a
number stands for an array of equal entries where their class allows it. ``design`` is a recipe
(:class:`~dkps_theory.populations.designs.Design`), for example::

    kind = "design"
    n = 12
    m = 30
    p = 8
    spectrum = [3.0, 1.0]
    gamma = 0.5
    components = 2
    between = 0.25
    coincident = [[0, 1]]
    seed = 7

Other packages add kinds by the entry-point group ``dkps_theory.populations``: the entry point's name is the kind, and
what it loads has ``from_document(document) -> ResponseLaw``, and its laws ``to_document()``.
"""

from __future__ import annotations

import os
import tempfile
import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import tomli_w

from dkps_theory._validate import InputError, nearest_name, shown
from dkps_theory.populations.autoregressive import AutoregressiveReplicates
from dkps_theory.populations.base import ResponseLaw
from dkps_theory.populations.categorical import Categorical
from dkps_theory.populations.designs import Design
from dkps_theory.populations.gaussian_mixture import GaussianMixture
from dkps_theory.populations.misbehaving import HeavyTailed, RandomEffects, SharedPrompts

GROUP = "dkps_theory.populations"
_OWN = {
    "gaussian-mixture": GaussianMixture,
    "categorical": Categorical,
    "design": Design,
    "heavy-tailed": HeavyTailed,
    "autoregressive-replicates": AutoregressiveReplicates,
    "shared-prompts": SharedPrompts,
    "random-effects": RandomEffects,
}


@runtime_checkable
class Documented(Protocol):
    """What can be written to a file."""

    def to_document(self) -> dict[str, Any]:
        """Return plain Python numbers, text and lists, with ``kind``."""
        ...


def read_population(path: str | os.PathLike[str]) -> ResponseLaw:
    r"""Read a population, or another law of responses, from a TOML file.

    Raises
    ------
    InputError
        When the file cannot be read, is not TOML, or does not describe a population: one line with the file and the
        key.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "coin.toml"
    ...     _ = path.write_text('kind = "categorical"\nprobabilities = [[[0.5, 0.5]]]\ntable = [[0.0], [1.0]]')
    ...     float(read_population(path).mean[0, 0, 0])
    0.5
    """
    source = _checked_path(path)
    try:
        document = tomllib.loads(source.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except ValueError as error:  # from the decoder, from TOML, or from int() at more than 4,300 digits
        raise InputError(f"{path}: not a TOML file ({error})") from None
    except RecursionError:
        raise InputError(f"{path}: nested too deeply; the arrays of a population have at most five levels") from None
    try:
        return population_from_document(document)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def population_from_document(document: dict[str, Any]) -> ResponseLaw:
    """Build a population, or another law of responses, from a parsed document; errors name the key.

    Raises
    ------
    InputError
        When ``kind`` is missing or unknown, when the package that added it cannot be loaded, or when the document does
        not describe a population of that kind.

    Examples
    --------
    >>> population_from_document({"kind": "categorical", "probabilities": [[[0.5, 0.5]]], "table": [[0], [1]]}).shape
    (1, 1, 1)
    """
    kind = document.get("kind")
    if not isinstance(kind, str):
        got = "missing" if kind is None else f"got {shown(kind)}"
        raise InputError(f"kind: {got}; it must be text, one of {', '.join([*_OWN, *_other_kinds()])}")
    if kind in _OWN:
        made = _OWN[kind].from_document(document)
    else:
        others = _other_kinds()
        if kind not in others:
            raise nearest_name("kind", kind, [*_OWN, *others])
        made = _loaded(others[kind]).from_document(document)
    return made.population() if isinstance(made, Design) else made


def write_population(population: ResponseLaw | Documented, path: str | os.PathLike[str]) -> None:
    """Write a population, or a :class:`Design`, as TOML; reading gives back the same numbers to the last bit.

    The file appears whole or not at all: what was there before stays until the new one is complete.

    Raises
    ------
    InputError
        When the population has no ``to_document`` or the file cannot be written.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_population(Categorical([[[0.1, 0.9]]], [[0.0], [1.0]]), f"{folder}/coin.toml")
    ...     float(read_population(f"{folder}/coin.toml").probabilities[0, 0, 0])
    0.1
    """
    if not isinstance(population, Documented):
        raise InputError(f"population: {type(population).__name__} has no to_document, so it cannot be written")
    target = _checked_path(path)
    temporary = None
    try:
        with tempfile.NamedTemporaryFile("wb", dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
            temporary = Path(file.name)
            tomli_w.dump(population.to_document(), file)
        temporary.chmod(0o644)
        temporary.replace(target)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from None


def _checked_path(path: str | os.PathLike[str]) -> Path:
    """Return the path, refusing the one character that no system takes (Python's own error is a bare ValueError)."""
    if "\0" in os.fspath(path):
        raise InputError(f"{os.fspath(path)!r}: not a path, it holds a NUL character")
    return Path(path)


def _loaded(point: Any) -> Any:
    """Load a kind that another package registered."""
    try:
        kind = point.load()
    except (Exception, SystemExit) as error:  # other people's code: whatever it raises
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"kind: {point.name!r} is of {point.value!r}, which cannot be loaded ({reason})") from error
    if not hasattr(kind, "from_document"):
        raise InputError(f"kind: {point.name!r} is of {point.value!r}, which has no from_document")
    return kind


def _other_kinds() -> dict[str, Any]:
    """Kinds that other packages registered."""
    return {point.name: point for point in entry_points(group=GROUP) if point.name not in _OWN}
