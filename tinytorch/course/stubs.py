"""The stubs as they were before anybody filled them in: `exercises/stubs.json`.

`python -m tinytorch.course.stubs` writes that file anew from the checkout, and refuses while an exercise is filled in.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tinytorch.course import catalog, splice
from tinytorch.errors import CourseError, NoSuchExercise


@dataclass(frozen=True)
class Stub:
    """The pristine text of one exercise: from the decorator to `raise NotImplementedError`, not indented."""

    path: str  # tinytorch/autograd/engine.py
    source: str


def stubs_file() -> Path:
    return catalog.root() / "exercises" / "stubs.json"


def load() -> dict[str, Stub]:
    """All pristine stubs, by exercise."""
    try:
        found = json.loads(stubs_file().read_text(encoding="utf-8"))
        return {id: Stub(entry["path"], "\n".join(entry["source"]) + "\n") for id, entry in found.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CourseError(f"{stubs_file()} is damaged ({error}): take it anew from the course") from None


def collect() -> dict[str, Stub]:
    """The stubs as they stand in the checkout; refuses exercises that are filled in."""
    entries = catalog.exercises()
    filled = [entry.id for entry in entries if entry.state != "untouched"]
    if filled:
        raise CourseError(f"not untouched: {', '.join(filled)}")
    return {entry.id: Stub(entry.path, entry.source) for entry in sorted(entries, key=lambda e: e.id)}


def restore(exercise_id: str) -> Path:
    """Put the pristine stub back where the learner's work is; what was in the file before is kept in a backup.

    Returns:
        The backup: `.tinytorch/backups/<time>-<file>`.
    """
    stub = load().get(exercise_id)
    if stub is None:
        raise NoSuchExercise(f"there is no stub of {exercise_id} in {stubs_file()}")
    path = catalog.root() / stub.path
    before = path.read_text(encoding="utf-8")
    after = splice.replace(before, {exercise_id: stub.source})
    folder = catalog.root() / ".tinytorch" / "backups"
    folder.mkdir(parents=True, exist_ok=True)
    backup = folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{time.time_ns() % 10**6:06d}-{path.name}"
    backup.write_text(before, encoding="utf-8")
    write_safely(path, after)
    return backup


def write_safely(path: Path, text: str) -> None:
    """Write a file so that it is at no moment half written."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


def main() -> int:
    found = {id: {"path": s.path, "source": s.source.splitlines()} for id, s in collect().items()}
    write_safely(stubs_file(), json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    print(f"{stubs_file()}: {len(found)} stubs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
