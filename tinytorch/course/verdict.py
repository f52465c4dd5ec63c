"""What came of checking one exercise."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

UNTOUCHED, IN_PROGRESS, PASSED = "untouched", "in progress", "passed"


@dataclass(frozen=True)
class Failure:
    """The first case that failed, in words."""

    kind: str  # wrong | raised | timeout | exited | type | output | syntax | missing
    call: str = ""  # unbroadcast(grad of shape (2, 3), (3,))
    expected: str = ""
    got: str = ""
    message: str = ""  # all of it in one sentence
    misconception: str | None = None  # the name of the known mistake whose answers these are
    tutor: str | None = None  # what a tutor would say about it
    lesson: str | None = None  # the heading in the lesson that clears it up
    where: str | None = None  # tinytorch/autograd/engine.py:57
    printed: str = ""  # the end of what the learner's code printed meanwhile


@dataclass(frozen=True)
class Verdict:
    """One exercise: what it earned, and what failed."""

    exercise: str
    chapter: str
    points: int
    earned: int
    state: str  # untouched | in progress | passed
    seconds: float = 0.0
    cases: int = 0
    failure: Failure | None = None

    @property
    def passed(self) -> bool:
        return self.state == PASSED

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)
