"""`tinytorch status`: how far the learner is."""

from __future__ import annotations

import shutil
import sys

import click

from tinytorch.course import catalog, progress, render, state
from tinytorch.course.commands import note, say, write_json, write_rich


@click.command(short_help="Show the exercises: points, state, and whose code is in use.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
def status(as_json: bool) -> int:
    """Show every exercise: its points, whether it is untouched, in progress or has passed the public checks, and whose
    code runs when its function is called: yours, the reference's or nobody's."""
    known = state.load(catalog.root())
    note(known.notice)
    rows = progress.rows(known)
    if as_json:
        write_json(progress.as_document(rows))
        return 0
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    write_rich(render.table(rows, {chapter.name: chapter.title for chapter in catalog.chapters()}, width))
    say(render.totals(rows))
    return 0
