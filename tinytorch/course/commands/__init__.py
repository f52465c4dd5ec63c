"""The commands of `tinytorch`, loaded when they are called, and how they write."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable
from typing import Any

import click

from tinytorch.course.render import Line, as_text


def write(text: str, err: bool = False, nl: bool = True) -> None:
    """Write to standard output (or error) in its own encoding: click alone would take UTF-8 where that is ASCII."""
    click.echo(text, file=sys.stderr if err else sys.stdout, nl=nl)


def say(lines: Iterable[Line]) -> None:
    """Write lines to standard output: wrapped and coloured in a terminal, whole and plain in a pipe."""
    terminal = sys.stdout.isatty()
    width = min(shutil.get_terminal_size().columns, 110) if terminal else None
    write(as_text(lines, width, colour=True))


def note(notice: str | None) -> None:
    """Write one line to standard error, if there is anything to tell."""
    if notice:
        write(f"tinytorch: {notice}", err=True)


def write_json(document: dict[str, Any]) -> None:
    """Write one JSON document, in ASCII, and nothing else."""
    write(json.dumps(document, indent=1))


def write_rich(*things: Any) -> None:
    """Write rich's tables. In a pipe they are as wide as they want to be: nothing is folded or cut off."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else 10_000
    console = Console(width=width, highlight=False, soft_wrap=False)
    for thing in things:
        console.print(thing)
