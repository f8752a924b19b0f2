"""The command line: ``dkps-theory COMMAND``, with commands found through entry points.

A package adds commands by naming a function in the entry-point group ``dkps_theory.commands``; the function takes a
:class:`typer.Typer` and registers on it. This module imports neither JAX nor NumPy, and so must whatever it loads, or
``--help`` becomes slow: command bodies import what they need and call :func:`dkps_theory._numerics.numerics` first.

Exit codes: 0 fine; 1 a claim, guarantee or required radius failed (the command raises ``typer.Exit(1)``); 2 the input
is wrong, said in one line on stderr; 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_command_name

from dkps_theory._version import __version__

#: The entry-point group that commands come from.
GROUP = "dkps_theory.commands"

_FINE, _WRONG_INPUT, _INTERRUPTED = 0, 2, 130


class _Commands(TyperGroup):
    """A group that answers an unknown command with the nearest one it knows."""

    def resolve_command(self, ctx, args):
        """Return the command that ``args`` starts with, or refuse in one line."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            from dkps_theory._validate import nearest_name

            raise nearest_name("command", args[0], self.commands)
        return super().resolve_command(ctx, args)


def _print_version(wanted: bool | None) -> None:
    if wanted:
        typer.echo(f"dkps-theory {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool | None,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit."),
    ] = None,
) -> None:
    """Statistical theory of data kernel perspective space, as executable claims with verdicts."""


def _one_line(text: object) -> str:
    return " ".join(str(text).split())


def _complain(kind: str, text: object) -> None:
    typer.echo(f"{kind}: {_one_line(text)}", err=True)


def _installed() -> list[Any]:
    """Return the entry points, this distribution's own first, so that no other package takes over its commands.

    They are not always Python's own class: a process in which Dask is loaded finds those of a backport.
    """

    def rank(entry: Any) -> tuple[bool, str, str]:
        return (entry.dist is None or entry.dist.name != "dkps-theory", entry.name, entry.value)

    return sorted(entry_points(group=GROUP), key=rank)


def _names(part: typer.Typer) -> set[str]:
    commands = {c.name or get_command_name(c.callback.__name__) for c in part.registered_commands if c.callback}
    groups = {g.name or g.typer_instance.info.name for g in part.registered_groups if g.typer_instance}
    return {name for name in commands | groups if isinstance(name, str)}


def application(entries: Iterable[EntryPoint] | None = None) -> typer.Typer:
    """Return the typer app with every command that loads; one that does not is reported in one line and left out.

    Parameters
    ----------
    entries
        Entry points whose objects are functions ``register(app: typer.Typer) -> None``. Default: those installed in
        the group ``dkps_theory.commands``.

    Returns
    -------
    typer.Typer
        Each entry point registers on an app of its own, which is merged only when it is sound as a whole.

    Examples
    --------
    >>> application([]).registered_commands
    []
    """
    app = typer.Typer(
        cls=_Commands, name="dkps-theory", add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
    )
    app.callback()(_root)
    taken: set[str] = set()
    for entry in _installed() if entries is None else entries:
        part = typer.Typer(add_completion=False)
        try:
            entry.load()(part)
            if part.registered_commands or part.registered_groups:
                get_command(part)  # typer looks at signatures only here, and a bad one must not reach the others
        except (Exception, SystemExit) as error:  # noqa: BLE001  (other people's code: whatever it raises, it is reported)
            _complain("warning", f"commands of {entry.value!r} left out: {type(error).__name__}: {error}")
            continue
        names = _names(part)
        if names & taken:
            clash = ", ".join(sorted(names & taken))
            _complain("warning", f"commands of {entry.value!r} left out: already there: {clash}")
            continue
        taken |= names
        app.registered_commands += part.registered_commands
        app.registered_groups += part.registered_groups
    return app


def main(arguments: Sequence[str] | None = None, *, app: typer.Typer | None = None) -> int:
    """Run one command and return its exit code; wrong input is one line on stderr and never a traceback.

    Parameters
    ----------
    arguments
        The words after ``dkps-theory``; default ``sys.argv[1:]``.
    app
        The app to run; default :func:`application`.

    Returns
    -------
    int
        What the command returned if that is an integer, else the code of its ``typer.Exit``, else 0.
    """
    words = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        command = get_command(application() if app is None else app)
        result = command.main(words, prog_name="dkps-theory", standalone_mode=False)
    except typer.TyperException as error:
        _complain("error", error.format_message())
        return _WRONG_INPUT
    except (KeyboardInterrupt, typer.Abort):
        result = _INTERRUPTED
    except ValueError as error:
        from dkps_theory._validate import InputError

        if not isinstance(error, InputError):
            raise
        _complain("error", error)
        return _WRONG_INPUT
    except OSError as error:
        # A full disk or a lost device names no file.
        where = "" if error.filename is None else f"{error.filename}: "
        _complain("error", where + (error.strerror or str(error) or type(error).__name__))
        return _WRONG_INPUT
    if result == _INTERRUPTED:
        _complain("error", "interrupted")
    return result if type(result) is int else _FINE


if __name__ == "__main__":
    sys.exit(main())
