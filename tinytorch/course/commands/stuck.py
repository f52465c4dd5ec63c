"""`tinytorch hint`, `solution` and `reset`: for a learner who is stuck."""

from __future__ import annotations

import sys

import click

from tinytorch.course import catalog, progress, state
from tinytorch.course.commands import note, write
from tinytorch.course.verdict import UNTOUCHED
from tinytorch.errors import CourseError


def next_hint(id: str, again: bool = False) -> tuple[list[str], str]:
    """The hints to show: the next one, or all that were shown before. And a notice ("" where all is well)."""
    root = catalog.root()
    hints = catalog.question(id).hints
    if not hints:
        return [f"There are no hints for {id}."], ""
    known = state.load(root)
    reached = min(known.of(id).hints, len(hints))
    stage = max(reached, 1) if again else min(reached + 1, len(hints))
    notice = state.hint_shown(root, id, stage).notice if stage > reached else known.notice
    shown = range(1, stage + 1) if again else [stage]
    said = [f"Hint {number} of {len(hints)} for {id}: {hints[number - 1]}" for number in shown]
    if not again and reached == len(hints):
        said.append(f"That was the last one. `tinytorch solution {id} --give-up` shows the reference answer.")
    return said, notice or ""


@click.command(short_help="Give the next of three hints.")
@click.argument("exercise")
@click.option("--again", is_flag=True, help="Show the hints that you have seen, and no new one.")
def hint(exercise: str, again: bool) -> int:
    """Give the next hint for an exercise; there are three stages, from a question to nearly the answer."""
    said, notice = next_hint(progress.single(exercise), again)
    note(notice)
    for line in said:
        write(line)
    return 0


@click.command(short_help="Show the reference answer, after a pass.")
@click.argument("exercise")
@click.option("--give-up", is_flag=True, help="Show it although your own code has not passed; this is remembered.")
def solution(exercise: str, give_up: bool) -> int:
    """Show the reference answer of an exercise that has passed, or of any with --give-up."""
    id = progress.single(exercise)
    known = state.load(catalog.root())
    note(known.notice)
    record = known.of(id)
    if record.passed is None and record.gave_up is None and not give_up:
        note(f"{id} has not passed yet. `tinytorch hint {id}` helps; --give-up shows the answer all the same")
        return 1
    found = progress.reference(_entry(id))
    if found is None:
        raise CourseError(f"there is no reference answer of {id} here: this copy of the course came without solutions/")
    if record.passed is None and record.gave_up is None:
        note(state.gave_up(catalog.root(), id).notice)
    write(f"# {found.path}:{found.line}")
    if sys.stdout.isatty():
        from rich.syntax import Syntax

        from tinytorch.course.commands import write_rich

        write_rich(Syntax(found.source, "python", background_color="default", word_wrap=True))
    else:
        write(found.source)
    return 0


def _entry(id: str) -> catalog.Entry:
    """The exercise as it stands in its file; where it is gone, as its stub says."""
    from tinytorch.course import splice, stubs

    for entry in catalog.exercises():
        if entry.id == id:
            return entry
    stub = stubs.load()[id]
    region = splice.regions(stub.source)[0]
    return catalog.Entry(id, "", region.points, stub.path, 1, region.qualname, UNTOUCHED, stub.source)


@click.command(short_help="Put the stub back; your work is kept in a backup.")
@click.argument("exercise")
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(exercise: str, yes: bool) -> int:
    """Put the stub of an exercise back where your work is. The file as it is now is kept in .tinytorch/backups/."""
    from tinytorch.course import stubs

    id = progress.single(exercise)
    entry = next((e for e in catalog.exercises() if e.id == id), None)
    stub = stubs.load().get(id)
    if stub is None:
        raise CourseError(f"there is no stub of {id} in {stubs.stubs_file()}")
    if entry is not None and entry.source.rstrip() == stub.source.rstrip():
        write(f"{id} is untouched: there is nothing to put back.")
        return 0
    path = stub.path
    if not yes and not click.confirm(f"Take your work on {id} out of {path} and put the stub back?", err=True):
        write("Nothing was changed.")
        return 1
    try:
        backup = stubs.restore(id)
    except OSError as error:
        raise CourseError(f"{path} was not changed: {error}") from None
    write(f"{id} is a stub again. {path} as it was is kept in {backup}")
    return 0
