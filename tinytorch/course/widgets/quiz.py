"""A question with choices, each of which is answered."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from tinytorch.course import catalog
from tinytorch.errors import CourseError


def quiz(lesson: str, name: str) -> Quiz:
    """A question of a lesson. They stand in `exercises/quizzes/`, so that the cell does not give the answer away.

    >>> quiz("04_autograd", "shape").right
    '(5, 1)'
    """
    path = catalog.root() / "exercises" / "quizzes" / f"{lesson}.json"
    known = json.loads(path.read_text(encoding="utf-8"))
    if name not in known:
        raise CourseError(f"{path.name} has no question {name!r}, only {', '.join(known)}")
    return Quiz(**known[name])


class Quiz:
    """A question; `choices` maps each choice to what is said about it, and `right` is the right one.

    With a kernel: buttons to choose with, and an answer that explains the choice made. Without one: the choices, and
    the answers folded away.

    >>> quiz = Quiz("What is 2 + 2?", {"4": "Yes.", "22": "That joins the digits."}, right="4")
    >>> quiz.answer("22")
    'Not quite. That joins the digits.'
    """

    def __init__(self, question: str, choices: dict[str, str], right: str) -> None:
        if right not in choices:
            raise ValueError(f"the right answer {right!r} is not among the choices {list(choices)}")
        self.question, self.choices, self.right = question, choices, right
        self._box: Any = None

    def answer(self, choice: str) -> str:
        """What is said to somebody who chose this."""
        return ("Right. " if choice == self.right else "Not quite. ") + self.choices[choice]

    def still(self) -> str:
        listed = "".join(f"<li>{escape(choice)}</li>" for choice in self.choices)
        told = "".join(f"<li><b>{escape(c)}</b>: {escape(self.answer(c))}</li>" for c in self.choices)
        return (
            f"<p><b>{escape(self.question)}</b></p><ul>{listed}</ul>"
            f"<details><summary>Answers</summary><ul>{told}</ul></details>"
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        if self._box is None:
            self._box = self._build()
        bundle: dict[str, Any] = dict(self._box._repr_mimebundle_() or {})
        bundle["text/plain"] = "\n".join([self.question, *(f"- {choice}" for choice in self.choices)])
        bundle["text/html"] = self.still()
        return bundle

    def _build(self) -> Any:
        import ipywidgets as widgets

        said = widgets.HTML('<p aria-live="polite"></p>')
        choice = widgets.RadioButtons(
            options=list(self.choices), value=None, layout=widgets.Layout(width="auto"),
            style={"description_width": "0"},
        )  # fmt: skip

        def chosen(change: Any) -> None:
            if change["new"] is not None:
                said.value = f'<p aria-live="polite">{escape(self.answer(change["new"]))}</p>'

        choice.observe(chosen, "value")
        return widgets.VBox([widgets.HTML(f"<b>{escape(self.question)}</b>"), choice, said])
