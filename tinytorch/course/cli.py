"""The command `tinytorch`. Each command is loaded when it is called: `tinytorch check` must answer at once.

Exit codes: 0 all passed, 1 something failed, 2 misuse, 130 interrupted.
"""

from __future__ import annotations

import codecs
import os
import sys
import unicodedata
from collections.abc import Sequence
from importlib import import_module

import click

from tinytorch.course.commands import write
from tinytorch.errors import CourseError, NoSuchExercise

_COMMANDS = {
    "lab": "machine",
    "status": "status",
    "check": "check",
    "hint": "stuck",
    "solution": "stuck",
    "reset": "stuck",
    "doctor": "machine",
}


class _Commands(click.Group):
    """Finds a command in its own file."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"tinytorch.course.commands.{_COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            import difflib

            close = difflib.get_close_matches(args[0], _COMMANDS, n=2)
            mean = f" Did you mean {' or '.join(close)}?" if close else ""
            ctx.fail(f"there is no command {args[0]!r}.{mean} The commands: {', '.join(_COMMANDS)}")
        return super().resolve_command(ctx, args)


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        from tinytorch import __version__

        write(f"tinytorch {__version__}")
        ctx.exit()


@click.group(cls=_Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Say the version.")
@click.pass_context
def tinytorch(ctx: click.Context) -> int:
    """Learn how PyTorch works inside, by writing it.

    Begin with `tinytorch lab`. Then fill in a stub and ask `tinytorch check`.
    """
    if ctx.invoked_subcommand is None:
        write(ctx.get_help())
    return 0


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line and give back its exit code."""
    _prepare_streams()
    try:
        with tinytorch.make_context("tinytorch", list(sys.argv[1:] if args is None else args)) as ctx:
            if "NO_COLOR" in os.environ:
                ctx.color = False
            code = int(tinytorch.invoke(ctx) or 0)
            sys.stdout.flush()
            return code
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show(file=sys.stderr)
        return error.exit_code
    except CourseError as error:
        write(f"tinytorch: {error}", err=True)
        return 2 if isinstance(error, NoSuchExercise) else 1
    except (click.Abort, KeyboardInterrupt) as stop:
        if isinstance(stop, click.Abort) and not isinstance(stop.__context__, KeyboardInterrupt):
            write("tinytorch: no answer came, so nothing was changed", err=True)
            return 1
        write("tinytorch: interrupted; nothing is left half done", err=True)
        return 130
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


_PLAIN = {
    "\u00d7": "x",
    "\u2212": "-",
    "\u00b7": "*",
    "\u2192": "->",
    "\u2190": "<-",
    "\u2026": "...",
    "\u2264": "<=",
}
_PLAIN |= {
    "\u2018": "'",
    "\u2019": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u2013": "-",
    "\u2014": "-",
    "\u2265": ">=",
}
_PLAIN |= {"\u2202": "d", "\u03a3": "sum", "\u2211": "sum", "\u221e": "inf", "\u2020": "+"}


def _spelt_plainly(error: UnicodeError) -> tuple[str, int]:
    """What stands for characters that the terminal's encoding does not have."""
    assert isinstance(error, UnicodeEncodeError)
    text = error.object[error.start : error.end]
    return "".join(_PLAIN.get(char) or _without_accent(char) for char in text), error.end


def _without_accent(char: str) -> str:
    return unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode() or "?"


def _prepare_streams() -> None:
    """Let no character that cannot be encoded break the output."""
    codecs.register_error("tinytorch", _spelt_plainly)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="tinytorch")
