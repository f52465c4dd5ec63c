"""Notebook magics: `%check`, `%hint`, `%progress`, and the reading again of files that were saved.

They say what the command line says, as HTML, with the same in plain text beside it.
"""

from __future__ import annotations

import html
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from tinytorch.course import catalog, progress, render, state
from tinytorch.course.render import Line
from tinytorch.errors import CourseError


class Shown:
    """Something said twice: as text and as HTML."""

    def __init__(self, text: str, markup: str) -> None:
        self.text = text
        self.markup = markup

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.markup


def of_lines(lines: Sequence[Line]) -> Shown:
    return Shown(render.as_text(lines), render.as_html(lines))


def check(names: str = "") -> Shown:
    """What `%check` shows: the verdicts, and the next step."""
    verdicts, notice = progress.check(names.split())
    lines = [line for verdict in verdicts for line in render.verdict(verdict)]
    lines += render.summary(verdicts, progress.rows(), command="%")
    return of_lines([*lines, *_noted(notice)])


def hint(names: str) -> Shown:
    """What `%hint` shows: the next of three hints."""
    from tinytorch.course.commands.stuck import next_hint

    if len(names.split()) != 1:
        raise CourseError("name one exercise: `%hint autograd.unbroadcast`")
    said, notice = next_hint(progress.single(names.strip()))
    return of_lines([*map(Line, said), *_noted(notice)])


def status(names: str = "") -> Shown:
    """What `%progress` shows: the table of exercises, whole or of one chapter."""
    known = state.load(catalog.root())
    wanted = progress.resolve(names.split())
    rows = [row for row in progress.rows(known) if row.id in wanted]
    titles = {chapter.name: chapter.title for chapter in catalog.chapters()}
    below = [*render.totals(rows), *_noted(known.notice)]
    text = "\n".join("  ".join(render.cells(row)) for row in rows)
    return Shown(f"{text}\n{render.as_text(below)}", render.table_html(rows, titles) + render.as_html(below))


def _noted(notice: str | None) -> list[Line]:
    return [Line(notice, "faint")] if notice else []


def _shows(make: Callable[[str], Shown], name: str) -> Callable[[str], None]:
    def magic(line: str) -> None:
        from IPython.display import display

        try:
            shown = make(line)
        except CourseError as error:
            shown = Shown(str(error), f"<p>{html.escape(str(error))}</p>")
        display(shown)

    magic.__name__, magic.__doc__ = name, make.__doc__
    return magic


def read_again(info: Any = None) -> None:
    """Before each cell: take over what was saved in files with exercises. Says in a line what it did, or could not."""
    from tinytorch.exercise import reload_changed

    failed = "The code from before stays in use."
    try:
        said = reload_changed()
    except Exception as error:  # a learner's file may raise anything while it is read
        said = [f"{type(error).__name__}: {error}. A saved file could not be read. {failed}"]
    for line in said:
        words = line.replace(str(catalog.root()) + os.sep, "").replace("\n", " ")
        print(words, file=sys.stderr if words.endswith(failed) else sys.stdout)


MAGICS = {"check": check, "hint": hint, "progress": status}


def load(shell: Any) -> None:
    """Give a shell the magics and the hook. Doing so twice changes nothing."""
    for name, make in MAGICS.items():
        shell.register_magic_function(_shows(make, name), "line", name)
    if read_again not in shell.events.callbacks["pre_run_cell"]:
        shell.events.register("pre_run_cell", read_again)


def unload(shell: Any) -> None:
    """Take the hook away again; the magics stay."""
    if read_again in shell.events.callbacks["pre_run_cell"]:
        shell.events.unregister("pre_run_cell", read_again)
