"""Where the code behind numbers comes from: digests of source files, which say whether two runs ran the same code."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import sys
import sysconfig
from collections.abc import Callable
from functools import cache
from importlib.metadata import packages_distributions, version
from pathlib import Path
from types import ModuleType
from typing import Any

from dkps_theory._validate import InputError

#: Parts of the library that no number of a store depends on.
_WITHOUT = {"cli.py", "pages", "testing", "_version.py"}

#: The parts of this package that every number depends on.
_ENGINE = ("batches.py",)

#: Packages whose code :func:`code_digest` covers.
_OWN = ("dkps_theory", "simulations", "proofs_checks")


def identity_of_source(function: Callable[..., Any] | str) -> dict[str, Any]:
    """Return what says whether a function is still the same code.

    That is a digest of the file that it, or ``"module:function"``, comes from, and of all files that this one imports
    from which are not installed; and for an installed package of somebody else's, its version.

    Raises
    ------
    InputError
        When there is no such module.
    """
    if isinstance(function, str):
        name = function.partition(":")[0]
        try:
            spec = importlib.util.find_spec(name) if name not in sys.modules else None
        except (ImportError, ValueError) as error:
            raise InputError(f"{function!r}: there is no module {name!r} ({error})") from error
        module, source = sys.modules.get(name), spec.origin if spec else None
        if module is None and source is None:
            raise InputError(f"{function!r}: there is no module {name!r}")
    else:
        name = getattr(inspect.unwrap(function), "__module__", None) or type(function).__module__
        module, source = sys.modules.get(name), None
    files = _own_files(module) if module is not None else [Path(str(source))]
    identity: dict[str, Any] = {"source": digest_of(*files) if files else None}
    top = name.partition(".")[0]
    if top not in _OWN and module is not None and _is_installed(module):
        identity["packages"] = _versions_of(top)
    return identity


def _own_files(module: ModuleType) -> list[Path]:
    """Return the file of a module, and those of modules that its names come from and that are not installed."""
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        one = waiting.pop()
        path = getattr(one, "__file__", None)
        if one.__name__ in found or path is None or not Path(path).is_file():
            continue
        found[one.__name__] = Path(path)
        for value in list(vars(one).values()):
            name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
            other = sys.modules.get(name) if isinstance(name, str) else None
            if other is not None and other.__name__.partition(".")[0] not in _OWN and not _is_installed(other):
                waiting.append(other)
    return [found[name] for name in sorted(found)]


@cache
def _installed_places() -> tuple[Path, ...]:
    return tuple({Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")})


def _is_installed(module: ModuleType) -> bool:
    """Whether a module belongs to Python or to an installed distribution; a module without a file is part of Python."""
    path = getattr(module, "__file__", None)
    return path is None or any(Path(path).resolve().is_relative_to(place) for place in _installed_places())


@cache
def _versions_of(top: str) -> list[str]:
    return sorted(f"{name} {version(name)}" for name in set(packages_distributions().get(top, [])))


def digest_of(*paths: Path) -> str:
    """Return the SHA-256 of the contents of files, in this order."""
    digest = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        digest.update(len(content).to_bytes(8, "big"))
        digest.update(content)
    return digest.hexdigest()


@cache
def code_digest() -> str:
    """Return a digest of the library's sources and of the parts of this package that compute batches."""
    import dkps_theory  # noqa: PLC0415  (lazy: imports nothing numerical)

    home = Path(dkps_theory.__file__).parent
    library = sorted(path for path in home.rglob("*.py") if path.relative_to(home).parts[0] not in _WITHOUT)
    engine = [Path(__file__).with_name(name) for name in _ENGINE]
    # Studies share files of helpers, which the digests of their functions' own files do not see.
    return digest_of(*library, *engine, *sorted(Path(__file__).with_name("studies").glob("_*.py")))
