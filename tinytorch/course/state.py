"""What a learner has reached: `.tinytorch/progress.json` in the course's folder.

A text is known by its fingerprint, so that a pass counts only as long as the function that passed still stands there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tinytorch.course.verdict import Verdict

VERSION = 1


@dataclass(frozen=True)
class Result:
    """One verdict, as it is remembered."""

    time: str  # UTC, ISO 8601
    state: str  # untouched | in progress | passed
    seconds: float
    source: str  # fingerprint of the text that was judged
    misconception: str | None = None
    message: str | None = None


@dataclass(frozen=True)
class Record:
    """All that is remembered of one exercise."""

    passed: Result | None = None  # the latest pass
    last: Result | None = None  # the latest verdict
    hints: int = 0  # stages that were shown
    gave_up: str | None = None  # when the solution was looked at before a pass


Records = dict[str, Record]


@dataclass
class Progress:
    """What the file said. `notice` is one line for the learner where something was wrong with it."""

    records: Records = field(default_factory=dict)
    notice: str | None = None

    def of(self, id: str) -> Record:
        return self.records.get(id, Record())


def state_file(root: Path) -> Path:
    return root / ".tinytorch" / "progress.json"


def fingerprint(source: str) -> str:
    """Tells texts of a function apart; blanks at the ends of lines do not count."""
    text = "\n".join(line.rstrip() for line in source.strip().splitlines())
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def load(root: Path) -> Progress:
    """Read the file. A damaged one is set aside as `progress.json.bak` and begun anew; the notice says so."""
    path = state_file(root)
    try:
        return Progress(_read(path.read_bytes()))
    except FileNotFoundError:
        return Progress()
    except OSError as error:
        return Progress(notice=f"{path} cannot be read ({error.strerror}): no progress is known")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        return Progress(notice=_set_aside(path, error))


def update(root: Path, change: Callable[[Records], None]) -> Progress:
    """Change what is remembered, in one step: read, `change(records)`, write. Other processes wait meanwhile.

    Where the folder cannot be written nothing is remembered, and the notice says so.
    """
    path = state_file(root)
    progress = Progress()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(path.parent):
            progress = load(root)
            change(progress.records)
            _write(path, progress.records)
    except OSError as error:
        progress.notice = f"progress is not remembered: {path.parent} cannot be written ({error.strerror})"
    return progress


def remember(root: Path, verdicts: Sequence[Verdict], sources: Mapping[str, str]) -> Progress:
    """Remember verdicts. `sources` holds the text of each exercise that was judged."""
    time = now()

    def change(records: Records) -> None:
        for verdict in verdicts:
            failure = verdict.failure
            result = Result(
                time,
                verdict.state,
                round(verdict.seconds, 4),
                fingerprint(sources.get(verdict.exercise, "")),
                failure.misconception if failure else None,
                failure.message if failure else None,
            )
            record = records.get(verdict.exercise, Record())
            records[verdict.exercise] = replace(
                record, last=result, passed=result if verdict.passed else record.passed
            )

    return update(root, change)


def hint_shown(root: Path, id: str, stage: int) -> Progress:
    """Remember how many hints of an exercise were shown."""

    def change(records: Records) -> None:
        record = records.get(id, Record())
        records[id] = replace(record, hints=max(record.hints, stage))

    return update(root, change)


def gave_up(root: Path, id: str) -> Progress:
    """Remember that the solution was looked at before a pass; the first time counts."""

    def change(records: Records) -> None:
        record = records.get(id, Record())
        records[id] = replace(record, gave_up=record.gave_up or now())

    return update(root, change)


def _read(data: bytes) -> Records:
    found = json.loads(data)
    return {str(id): _record(entry) for id, entry in found["exercises"].items()} if _is_ours(found) else {}


def _is_ours(found: Any) -> bool:
    if not isinstance(found, dict) or not isinstance(found.get("exercises"), dict):
        raise ValueError("it has no table of exercises")
    return True


def _record(entry: Any) -> Record:
    if not isinstance(entry, dict):
        raise ValueError(f"{entry!r} is not the record of an exercise")
    hints, given = entry.get("hints", 0), entry.get("gave_up")
    if type(hints) is not int or not 0 <= hints < 100 or not isinstance(given, str | None):
        raise ValueError(f"strange values: {hints!r}, {given!r}")
    return Record(_result(entry.get("passed")), _result(entry.get("last")), hints, given)


def _result(entry: Any) -> Result | None:
    if entry is None:
        return None
    words = [entry[name] for name in ("time", "state", "source")]
    more = [entry.get(name) for name in ("misconception", "message")]
    if not all(isinstance(word, str) for word in words) or not all(
        isinstance(word, str | None) for word in more
    ):
        raise ValueError(f"{entry!r} is not a verdict")
    return Result(words[0], words[1], float(entry["seconds"]), words[2], more[0], more[1])


def _set_aside(path: Path, error: Exception) -> str:
    for number in range(1, 1000):
        aside = path.with_name(f"{path.name}.bak{'' if number == 1 else number}")
        if not aside.exists():
            break
    try:
        os.replace(path, aside)
    except OSError:
        return f"{path} is damaged ({error}) and cannot be moved: no progress is known"
    return f"{path} was damaged ({error}): it is kept as {aside.name}, and progress begins anew"


def _write(path: Path, records: Records) -> None:
    document = {
        "version": VERSION,
        "exercises": {id: asdict(record) for id, record in sorted(records.items())},
    }
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with open(beside, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Only one process at a time is inside."""
    with open(folder / ".lock", "a+b") as file:
        if os.name == "posix":
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield
