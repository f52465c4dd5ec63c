"""The exercises as a learner has them now: what stands in the files, and what is remembered of earlier checks."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinytorch.course import catalog, state, stubs
from tinytorch.course.verdict import IN_PROGRESS, PASSED, UNTOUCHED, Verdict
from tinytorch.errors import CourseError, NoSuchExercise

YOURS, REFERENCE, NOBODYS = "yours", "reference", "nobody's"


@dataclass(frozen=True)
class Row:
    """One exercise in the table of progress."""

    id: str
    chapter: str
    points: int
    earned: int
    state: str  # untouched | in progress | passed
    code: str  # whose code runs: yours | reference | nobody's
    where: str  # tinytorch/autograd/engine.py:57
    seconds: float | None  # of the latest check
    misconception: str | None  # that the latest check found, while the text is still the same
    hints: int
    gave_up: bool
    changed: bool  # it has passed once; what stands there now has not


@dataclass(frozen=True)
class Reference:
    """The reference answer of an exercise."""

    path: str  # solutions/autograd/engine.py
    line: int
    source: str


def resolve(names: Sequence[str] = ()) -> list[str]:
    """The exercises that are meant by names of exercises and chapters; all of them where none is named.

    An exercise whose function is gone from its file is found too: checking it says that it is gone.

    Raises:
        NoSuchExercise: with the names that come closest.
    """
    entries = {entry.id: entry for entry in catalog.exercises()}
    gone = [id for id in stubs.load() if id not in entries]
    found: dict[str, None] = {}
    for name in names or [""]:
        if name in gone or name in [id.partition(".")[2] for id in gone]:
            found |= dict.fromkeys(id for id in gone if name in (id, id.partition(".")[2]))
            continue
        ids = [entry.id for entry in catalog.find(name)]
        one = any(name in (id, id.partition(".")[2]) for id in ids)
        topics = {id.partition(".")[0] for id in ids}
        also = [] if one else [id for id in gone if id.partition(".")[0] in topics]
        found |= dict.fromkeys([*ids, *also])
    return list(found)


def single(name: str) -> str:
    """The one exercise that is meant.

    Raises:
        NoSuchExercise: where there is none, or the name means several.
    """
    found = resolve([name])
    if len(found) != 1:
        raise NoSuchExercise(
            f"{name} is not one exercise but {len(found)}: {', '.join(found)}. Name one of them"
        )
    return found[0]


def check(
    names: Sequence[str], on_verdict: Callable[[Verdict], object] | None = None
) -> tuple[list[Verdict], str]:
    """Judge exercises and remember what came of it, also where that is broken off midway.

    Returns:
        The verdicts, and a notice for the learner where progress could not be remembered ("" where it was).
    """
    from tinytorch.course import judge

    ids = resolve(names)
    sources = {entry.id: entry.source for entry in catalog.exercises()}
    arrived: list[Verdict] = []
    notice = ""

    def take(verdict: Verdict) -> None:
        arrived.append(verdict)
        if on_verdict is not None:
            on_verdict(verdict)

    try:
        judge.check(ids, on_verdict=take)
    finally:
        if arrived:
            notice = state.remember(catalog.root(), arrived, sources).notice or ""
    return arrived, notice


def rows(known: state.Progress | None = None) -> list[Row]:
    """All exercises, in the order of the lessons."""
    known = known or state.load(catalog.root())
    return [_row(entry, known.of(entry.id)) for entry in catalog.exercises()]


def _row(entry: catalog.Entry, record: state.Record) -> Row:
    text = state.fingerprint(entry.source)
    passed = record.passed is not None and record.passed.source == text
    now = UNTOUCHED if entry.state == UNTOUCHED else PASSED if passed else IN_PROGRESS
    last = record.last if record.last and record.last.source == text else None
    return Row(
        id=entry.id,
        chapter=entry.chapter,
        points=entry.points,
        earned=entry.points if now == PASSED else 0,
        state=now,
        code=whose_code(entry),
        where=entry.where,
        seconds=last.seconds if last else None,
        misconception=last.misconception if last else None,
        hints=record.hints,
        gave_up=record.gave_up is not None,
        changed=record.passed is not None and not passed and now != UNTOUCHED,
    )


def whose_code(entry: catalog.Entry) -> str:
    """Whose code runs when the function is called: the same as `tinytorch.exercise.whose`, read from the files."""
    mode, _, chapter = os.environ.get("TINYTORCH_USE", "auto").partition(":")
    if mode not in ("auto", "mine", "reference"):
        raise CourseError(f"TINYTORCH_USE={mode}: expected auto, mine, reference or mine:CHAPTER")
    if mode == "mine" and chapter not in ("", entry.chapter):
        mode = "reference"
    if entry.state != UNTOUCHED and mode != "reference":
        return YOURS
    return REFERENCE if mode != "mine" and reference(entry) is not None else NOBODYS


def reference(entry: catalog.Entry) -> Reference | None:
    """The reference answer: same path and same name as the stub, under `solutions/`. None where there is none."""
    path = Path("solutions", *entry.module.split(".")[1:]).with_suffix(".py")
    try:
        text = (catalog.root() / path).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        node: Any = ast.parse(text)
    except SyntaxError as error:
        raise CourseError(f"{path.as_posix()}:{error.lineno}: {error.msg}") from None
    for name in entry.qualname.split("."):
        inner = [n for n in node.body if getattr(n, "name", None) == name]
        if not inner:
            return None
        node = inner[-1]
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return Reference(path.as_posix(), first, "\n".join(text.splitlines()[first - 1 : node.end_lineno]))


def as_document(rows: Sequence[Row]) -> dict[str, Any]:
    """Progress as plain values, for JSON."""
    exercises = [vars(row) for row in rows]
    return {
        "exercises": exercises,
        "totals": totals(rows) | {"code": _counts([row.code for row in rows], _CODES)},
    }


_CODES, _STATES = (YOURS, REFERENCE, NOBODYS), (PASSED, IN_PROGRESS, UNTOUCHED)


def totals(found: Sequence[Row] | Sequence[Verdict]) -> dict[str, Any]:
    """How many exercises there are of each state, and their points."""
    return {
        "exercises": len(found),
        **_counts([one.state for one in found], _STATES),
        "points": sum(one.points for one in found),
        "earned": sum(one.earned for one in found),
        "seconds": round(sum(one.seconds or 0.0 for one in found), 4),
    }


def _counts(values: Sequence[str], names: Sequence[str]) -> dict[str, int]:
    return {name: values.count(name) for name in names}
