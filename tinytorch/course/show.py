"""Printing for lessons and sheets: rounded numbers, whose code runs, what a task is."""

from __future__ import annotations

import sys
from collections import Counter
from html import escape
from types import CodeType, FrameType
from typing import Any


def rounded(value: Any, digits: int = 4) -> Any:
    """Numbers rounded for printing, the same on every machine: tensors and arrays as nested lists, no minus zero.

    >>> rounded(2 / 3), rounded([1e-9, -1e-9]), rounded(True), rounded(None)
    (0.6667, [0.0, 0.0], True, None)
    """
    if hasattr(value, "detach"):
        value = value.detach()
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return type(value)(rounded(v, digits) for v in value)
    if isinstance(value, dict):
        return {name: rounded(v, digits) for name, v in value.items()}
    return round(value, digits) + 0.0 if isinstance(value, float) else value


def whose(topic: str) -> Banner:
    """On whose code a lesson runs: how many of its exercises are the learner's own, and how many the reference's."""
    import tinytorch.exercise
    from tinytorch import autograd  # noqa: F401  (registers the exercises)

    states = {id: tinytorch.exercise.whose(id) for id in tinytorch.exercise.registry if id.partition(".")[0] == topic}
    return Banner(states)


class Banner:
    """What `whose` shows."""

    def __init__(self, states: dict[str, str]) -> None:
        self.states = states

    def words(self) -> str:
        total = len(self.states)
        reference = sum(state == "reference" for state in self.states.values())
        yours = [id for id, state in self.states.items() if state == "yours"]
        missing = [id for id, state in self.states.items() if state == "nobody's"]
        own = f"{len(yours)} of {total} functions of your own"
        said = f"This lesson runs on {own} and {reference} of {total} reference bodies."
        if not total:
            said = "This lesson has no exercises: it runs on the framework alone."
        elif reference == total:
            said = f"This lesson runs on: {total} of {total} reference bodies. You have written none of them yet."
        elif len(yours) == total:
            said = f"This lesson runs on: your own code, all {total} of {total} exercises."
        if yours and len(yours) < total:
            said += f" Yours: {', '.join(yours)}."
        if missing:
            said += f" Written by nobody yet: {', '.join(missing)}."
        return said

    def __repr__(self) -> str:
        return self.words()

    def _repr_html_(self) -> str:
        return f'<p role="status"><b>Whose code:</b> {escape(self.words())}</p>'


class calls:
    """Counts, inside a `with` block, how often each exercise of a topic is called, whoever wrote its body."""

    def __init__(self, topic: str) -> None:
        from tinytorch import autograd  # noqa: F401  (registers the exercises)
        from tinytorch.exercise import registry

        self.entries = {id: entry for id, entry in registry.items() if id.partition(".")[0] == topic}
        self.codes: Counter[CodeType] = Counter()

    def __enter__(self) -> calls:
        self._before = sys.getprofile()
        sys.setprofile(self._note)
        return self

    def __exit__(self, *exception: object) -> None:
        sys.setprofile(self._before)

    def _note(self, frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            self.codes[frame.f_code] += 1

    @property
    def counts(self) -> dict[str, int]:
        """How often each was called, by the exercise's name."""
        return {id: self.codes[entry.function.__code__] for id, entry in sorted(self.entries.items())}

    def __repr__(self) -> str:
        return "\n".join(f"{id:<30} {_times(n)}" for id, n in self.counts.items())


def task(exercise_id: str) -> Task:
    """Where an exercise stands, what it is worth, and how far it is."""
    from tinytorch.course import catalog

    (entry,) = (e for e in catalog.find(exercise_id) if e.id == exercise_id)
    question = catalog.question(exercise_id)
    return Task(
        exercise_id, entry.qualname, entry.where, entry.state, entry.points, question.difficulty, question.minutes
    )


class Task:
    """What `task` shows."""

    def __init__(
        self, id: str, qualname: str, where: str, state: str, points: int, difficulty: int, minutes: int
    ) -> None:
        self.id, self.qualname, self.where, self.state = id, qualname, where, state
        self.points, self.difficulty, self.minutes = points, difficulty, minutes

    def rows(self) -> list[tuple[str, str]]:
        return [
            ("exercise", self.id),
            ("write", f"{self.qualname} in {self.where}"),
            ("difficulty", f"{self.difficulty} of 5"),
            ("minutes", f"about {self.minutes}"),
            ("points", str(self.points)),
            ("now", self.state),
        ]

    def __repr__(self) -> str:
        return "\n".join(f"{name:>10}: {value}" for name, value in self.rows())

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><th scope="row" style="text-align:left">{escape(name)}</th>'
            f'<td style="text-align:left">{escape(value)}</td></tr>'
            for name, value in self.rows()
        )
        return f"<table><tbody>{rows}</tbody></table>"


def _times(count: int) -> str:
    return {0: "not called", 1: "called once", 2: "called twice"}.get(count, f"called {count} times")
