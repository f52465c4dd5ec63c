"""What exercises there are, read from the files alone: the framework is not imported, and need not even compile."""

from __future__ import annotations

import difflib
import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from tinytorch.course import splice
from tinytorch.errors import CourseError, NoSuchExercise
from tinytorch.exercise import course_root

if TYPE_CHECKING:
    from tinytorch.course.question import Chapter, Question

_QUESTION = re.compile(r"""\.question\(\s*["']([\w.]+)["']""")
_TITLE = re.compile(r"""Chapter\(\s*["'][^"']*["']\s*,\s*title\s*=\s*["']([^"']*)["']""")


@dataclass(frozen=True)
class ChapterEntry:
    """A chapter with questions: `exercises/04_autograd.py`."""

    name: str  # 04_autograd
    title: str
    path: Path
    order: tuple[str, ...]  # ids of its exercises, in the order in which a learner meets them

    @property
    def topic(self) -> str:
        return self.name.partition("_")[2]


@dataclass(frozen=True)
class Entry:
    """An exercise as it stands in the learner's file now."""

    id: str
    chapter: str
    points: int
    path: str  # tinytorch/autograd/engine.py, below the course's root
    line: int
    qualname: str
    state: str  # untouched | in progress
    source: str

    @property
    def module(self) -> str:
        return self.path.removesuffix(".py").replace("/", ".")

    @property
    def where(self) -> str:
        return f"{self.path}:{self.line}"


def root() -> Path:
    """The folder of the course: the one with `exercises/` and `solutions/`."""
    return Path(course_root())


def chapters() -> list[ChapterEntry]:
    """All chapters that have questions, in order."""
    found = []
    for path in sorted((root() / "exercises").glob("[0-9][0-9]_*.py")):
        text = path.read_text(encoding="utf-8")
        title = _TITLE.search(text)
        name = path.stem.partition("_")[2].replace("_", " ").capitalize()
        found.append(ChapterEntry(path.stem, title[1] if title else name, path, tuple(_QUESTION.findall(text))))
    return found


def files() -> dict[str, str]:
    """The text of every file that holds exercises, by its path below the root."""
    found = {}
    package = root() / "tinytorch"
    for path in sorted(package.rglob("*.py")):
        if (package / "course") in path.parents or path == package / "exercise.py":
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        if "@exercise(" in text:
            found[path.relative_to(root()).as_posix()] = text
    return found


def exercises(chapter: str | None = None) -> list[Entry]:
    """The exercises that stand in the files (of one chapter: `04_autograd` or `autograd`), in the lessons' order."""
    known = chapters()
    of_topic = {c.topic: c for c in known}
    found = []
    for path, text in files().items():
        for region in splice.regions(text):
            home = of_topic.get(region.id.partition(".")[0])
            name = home.name if home else ""
            if chapter is None or (home is not None and chapter in (home.name, home.topic)):
                found.append(
                    Entry(
                        region.id,
                        name,
                        region.points,
                        path,
                        region.first,
                        region.qualname,
                        region.state,
                        region.source,
                    )  # fmt: skip
                )
    place = {id: (c.name, number) for c in known for number, id in enumerate(c.order)}
    return sorted(found, key=lambda entry: place.get(entry.id, (entry.chapter or "~", len(place))))


def find(what: str | None = None) -> list[Entry]:
    """The exercises meant by `autograd.unbroadcast`, `unbroadcast`, `autograd`, `04_autograd`, `4` or nothing (all).

    Raises:
        NoSuchExercise: with the names that come closest.
    """
    every = exercises()
    if not what:
        return every
    name = what.strip()
    one = [e for e in every if name in (e.id, e.id.partition(".")[2])]
    if one:
        return one
    numbers = {name, name.zfill(2)} if name.isdigit() else {name}
    names = {c.name for c in chapters() if {c.name, c.topic, c.name[:2]} & numbers}
    if names:
        return [e for e in every if e.chapter in names]
    known = [*(e.id for e in every), *(c.topic for c in chapters())]
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
    raise NoSuchExercise(
        f"there is no exercise or chapter called {what!r}"
        + (f"; did you mean {' or '.join(close)}?" if close else ". `tinytorch status` lists them all")
    )


def load(chapter: str) -> Chapter:
    """The questions of a chapter: runs `exercises/NN_topic.py`, which the teacher wrote."""
    path = next((c.path for c in chapters() if chapter in (c.name, c.topic)), None)
    if path is None:
        raise NoSuchExercise(f"there is no chapter called {chapter!r}")
    return load_file(path)


def load_file(path: Path) -> Chapter:
    """The `chapter` that a file of questions defines, with the misconceptions that are kept beside it."""
    chapter: Chapter = _run(path).chapter
    for bank in sorted((path.parent / "misconceptions" / path.stem.partition("_")[2]).glob("*.py")):
        chapter.add(_run(bank).mistake)
    return chapter


def _run(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"tinytorch_questions_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise CourseError(f"{path} cannot be read as Python")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def question(exercise_id: str) -> Question:
    """The question that belongs to an exercise: its hints, its cases, its judge, its misconceptions."""
    topic = exercise_id.partition(".")[0]
    found = load(topic).questions.get(exercise_id)
    if found is None:
        raise NoSuchExercise(f"there is no question for {exercise_id} in the chapter {topic}")
    return found
