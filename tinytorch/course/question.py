"""Questions: what a chapter asks about its exercises. Written in `exercises/NN_topic.py`, one class an exercise.

The bank of known misconceptions stands beside it, in `exercises/misconceptions/topic/`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

Case = dict[str, Any]
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Misconception:
    """A known mistake: a body that makes it, and what a good tutor would say to somebody who made it.

    Args:
        name: short, such as "axes-not-summed".
        tutor: two or three sentences: what was probably thought, and why it is not so.
        body: a plain function with the stub's arguments. It may use the names of the stub's module.
        lesson: the heading in the lesson that clears it up; the question's own heading where none is given.
    """

    name: str
    tutor: str
    body: Callable[..., Any]
    lesson: str | None = None


@dataclass(frozen=True)
class Question:
    """All that is asked about one exercise. Cases hold plain values and arrays only; they travel between processes."""

    id: str
    difficulty: int
    minutes: int
    lesson: str
    hints: tuple[str, ...]
    cases: Callable[[Any], Iterator[Case]]
    run: Callable[..., Any]
    show: Callable[..., str] | None = None
    judge: Callable[[Case, Any, Any], str | None] | None = None
    misconceptions: Sequence[Misconception] = ()
    rtol: float = 1e-6
    atol: float = 1e-9
    seconds: float = 5.0  # for all cases together


class Bank(dict[str, list[Misconception]]):
    """Misconceptions by exercise: each file in `exercises/misconceptions/topic/` fills one.

    `@mistake("autograd.unbroadcast", "nothing-summed", "You returned ...")` above a body adds it.
    """

    def __call__(self, id: str, name: str, tutor: str, lesson: str | None = None) -> Callable[[F], F]:
        def add(body: F) -> F:
            self.setdefault(id, []).append(Misconception(name, tutor, body, lesson))
            return body

        return add


class Chapter:
    """The questions of one chapter, in the order in which a learner meets them."""

    def __init__(self, name: str, title: str) -> None:
        self.name = name
        self.title = title
        self.questions: dict[str, Question] = {}

    def question(self, id: str, *, difficulty: int, minutes: int, lesson: str) -> Callable[[type], Question]:
        """Make a question of a class with `hints`, `cases(rng)`, `misconceptions` and, where the plain call is not
        enough, `run(function, **case)`, `show(**case)`, `judge(case, expected, got)`, `rtol`, `atol`, `seconds`."""

        def make(described: type) -> Question:
            known = Question.__dataclass_fields__
            given = {name: value for name, value in vars(described).items() if not name.startswith("__")}
            strange = sorted(set(given) - set(known))
            if strange:
                raise TypeError(f"{described.__name__}: {', '.join(strange)} means nothing in a question")
            given.setdefault("run", call)
            made = Question(id=id, difficulty=difficulty, minutes=minutes, lesson=lesson, **given)
            self.questions[id] = made
            return made

        return make

    def add(self, bank: Bank) -> None:
        """Give the questions the misconceptions that are kept beside them."""
        strange = sorted(set(bank) - set(self.questions))
        if strange:
            raise ValueError(f"misconceptions of {', '.join(strange)}, about which {self.name} asks nothing")
        for id, found in bank.items():
            question = self.questions[id]
            self.questions[id] = replace(question, misconceptions=(*question.misconceptions, *found))


def call(function: Callable[..., Any], **case: Any) -> Any:
    """The usual way to run a case: the function, called with the case's values as arguments."""
    return function(**case)
