"""`tinytorch check`: judge what the learner has written."""

from __future__ import annotations

import sys
from typing import Any

import click

from tinytorch.course import progress, render
from tinytorch.course.commands import note, say, write, write_json
from tinytorch.course.verdict import Verdict
from tinytorch.errors import NoSuchExercise


@click.command(short_help="Check exercises, and say what is wrong with them.")
@click.argument("names", nargs=-1, metavar="[CHAPTER|EXERCISE]...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
def check(names: tuple[str, ...], as_json: bool) -> int:
    """Check your code for a chapter (04_autograd, autograd, 4) or an exercise
    (autograd.unbroadcast); without a name, all.

    Your code is used for the chapter that is checked, the reference for all others. For the
    first case that fails it shows the call, the expected value, the value got and, where it is
    a known one, the mistake behind it.
    """
    ids = known_or_listed(names)
    if as_json:
        verdicts, notice = progress.check(ids)
        note(notice)
        write_json({"exercises": [as_entry(v) for v in verdicts], "totals": progress.totals(verdicts)})
        return int(not all(v.passed for v in verdicts))
    pad = max(map(len, ids), default=0)
    waiting = _Waiting(ids)
    waiting.show()

    def tell(verdict: Verdict) -> None:
        waiting.clear()
        say(render.verdict(verdict, pad))
        waiting.show()

    try:
        verdicts, notice = progress.check(ids, tell)
    finally:
        waiting.clear()
    say(render.summary(verdicts, progress.rows()))
    note(notice)
    return int(not all(v.passed for v in verdicts))


def known_or_listed(names: tuple[str, ...]) -> list[str]:
    """The exercises meant; a name that is none is answered with all that there are."""
    try:
        return progress.resolve(names)
    except NoSuchExercise as error:
        every = ", ".join(progress.resolve())
        raise NoSuchExercise(f"{error}\nThe exercises: {every or 'there are none'}") from None


def as_entry(verdict: Verdict) -> dict[str, Any]:
    """A verdict as one flat JSON object; what does not apply is null."""
    failure = verdict.failure
    entry = verdict.as_dict()
    del entry["failure"]
    entry["id"] = entry.pop("exercise")
    entry["seconds"] = round(verdict.seconds, 4)
    names = (
        "kind",
        "message",
        "call",
        "expected",
        "got",
        "misconception",
        "tutor",
        "lesson",
        "where",
        "printed",
    )
    return {"id": entry.pop("id"), **entry} | {name: getattr(failure, name, None) or None for name in names}


class _Waiting:
    """In a terminal: one line that says what is being checked, taken away when its verdict is there."""

    def __init__(self, ids: list[str]) -> None:
        self.ids = ids
        self.done = 0
        self.shown = ""
        self.terminal = sys.stdout.isatty()

    def show(self) -> None:
        if self.terminal and self.done < len(self.ids):
            self.shown = f"checking {self.ids[self.done]} ({self.done + 1} of {len(self.ids)}) ..."
            write(self.shown, nl=False)
            self.done += 1

    def clear(self) -> None:
        if self.shown:
            write("\r" + " " * len(self.shown) + "\r", nl=False)
            self.shown = ""
