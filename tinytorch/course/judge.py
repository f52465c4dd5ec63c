"""Checking exercises: the learner's code in one process, the expected answers in another, the comparison here.

The two children run side by side and get the same inputs. The learner's has the learner's text of the exercises that
are asked about, and pristine stubs with the reference behind them for all others. The oracle has the reference, never
runs the learner's exercises, and also says what each known misconception would have answered.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tinytorch.course import catalog, splice, stubs
from tinytorch.course.process import MOST_PRINTED, Answer, Outcome, Side
from tinytorch.course.question import Case, Question
from tinytorch.course.verdict import IN_PROGRESS, PASSED, UNTOUCHED, Failure, Verdict
from tinytorch.errors import CourseError, NoSuchExercise


def check(
    ids: Sequence[str], *, seed: int | None = None, on_verdict: Callable[[Verdict], object] | None = None
) -> list[Verdict]:
    """Judge exercises, by the learner's files as they are now.

    Args:
        ids: exercises, of one chapter or several.
        seed: of the random inputs. By default always the same ones, so that a result changes only with the code.
        on_verdict: called with each verdict as soon as it is there.

    Raises:
        NoSuchExercise: for an id that has no exercise and no stub.
        CourseError: where the course itself is at fault.
    """
    entries = {entry.id: entry for entry in catalog.exercises()}
    known = stubs.load()
    strange = [id for id in ids if id not in entries and id not in known]
    if strange:
        raise NoSuchExercise(f"there is no exercise called {', '.join(strange)}")
    homes = {c.topic: c.name for c in catalog.chapters()}
    by_chapter: dict[str, list[str]] = {}
    for id in dict.fromkeys(ids):
        by_chapter.setdefault(homes.get(id.partition(".")[0], ""), []).append(id)
    verdicts = []
    for chapter, asked in by_chapter.items():
        if not chapter:
            raise CourseError(f"no file in exercises/ asks about {', '.join(asked)}")
        for verdict in _Sheet(chapter, asked, entries, known, 0 if seed is None else seed).judge():
            verdicts.append(verdict)
            if on_verdict is not None:
                on_verdict(verdict)
    return verdicts


@dataclass
class _Sheet:
    """The exercises of one chapter that are judged together."""

    chapter: str
    asked: list[str]
    entries: dict[str, catalog.Entry]
    stubs: dict[str, stubs.Stub]
    seed: int
    settled: dict[str, Failure] = field(default_factory=dict)  # failures that are known without running anything

    def judge(self) -> Iterable[Verdict]:
        texts = catalog.files()
        learner = self._learner_sources(texts)
        todo = [id for id in self.asked if id not in self.settled and self._state(id) != UNTOUCHED]
        if not todo:
            yield from (self._verdict(id) for id in self.asked)
            return
        pristine = {path: splice.replace(text, self._stubs_of(path, ())) for path, text in texts.items()}
        mine, oracle = Side(f"mine:{self.chapter}", learner=True), Side("reference", learner=False)
        try:
            questions = catalog.load(self.chapter).questions
            cases = {id: self._cases(questions, id) for id in todo}
            file = next(c.path for c in catalog.chapters() if c.name == self.chapter)
            jobs = [(self.entries[id], file, cases[id], questions[id].seconds) for id in todo]
            oracle.start(jobs, lambda ids: pristine)
            mine.start(jobs, lambda ids: self._only(learner, ids))
            for id in self.asked:
                if id not in todo:
                    yield self._verdict(id)
                    continue
                question, expected = questions[id], oracle.answer(id)
                yield self._compared(id, question, cases[id], expected, mine.answer(id))
        finally:
            mine.stop()
            oracle.stop()

    # ---- the texts that the children get ----------------------------------------------------------------------

    def _stubs_of(self, path: str, kept: Iterable[str]) -> dict[str, str]:
        return {id: s.source for id, s in self.stubs.items() if s.path == path and id not in kept}

    def _learner_sources(self, texts: dict[str, str]) -> dict[str, str]:
        """The learner's text of what is asked, stubs elsewhere; what does not compile is settled at once."""
        for id in self.asked:
            if id not in self.entries:
                stub = self.stubs[id]
                words = f'{stub.path} has no function marked @exercise("{id}"); `tinytorch reset {id}` puts it back'
                self.settled[id] = Failure("missing", message=words, where=stub.path)
        found = {}
        for path, text in texts.items():
            present = [id for id in self.asked if id in self.entries]
            text = splice.replace(text, self._stubs_of(path, present))
            error = splice.compiles(text)
            if error is not None:
                here = [region for region in splice.regions(text) if region.id in self.asked]
                broken = {region.id: (region, region.syntax_error()) for region in here}
                bad = {id: e for id, (_, e) in broken.items() if e is not None}
                mended = splice.replace(text, self._stubs_of(path, [id for id in present if id not in bad]))
                if bad and splice.compiles(mended) is None:
                    text = mended
                    of_file = {r.id: r.first for r in splice.regions(texts[path])}
                    for id, e in bad.items():
                        line = (e.lineno or 1) - broken[id][0].first + of_file[id]
                        self.settled[id] = _syntax(path, line, e)
                else:
                    whole = splice.compiles(texts[path]) or error
                    self.settled |= {region.id: _syntax(path, whole.lineno, whole) for region in here}
                    text = splice.replace(text, self._stubs_of(path, ()))
            found[path] = text
        return found

    def _only(self, texts: dict[str, str], ids: Iterable[str]) -> dict[str, str]:
        return {path: splice.replace(text, self._stubs_of(path, ids)) for path, text in texts.items()}

    def _cases(self, questions: dict[str, Question], id: str) -> list[Case]:
        import numpy as np

        if id not in questions:
            raise CourseError(f"exercises/{self.chapter}.py does not ask about {id}")
        return list(questions[id].cases(np.random.default_rng([self.seed, zlib.crc32(id.encode())])))

    # ---- verdicts ---------------------------------------------------------------------------------------------

    def _state(self, id: str) -> str:
        return self.entries[id].state if id in self.entries else IN_PROGRESS

    def _verdict(self, id: str, failure: Failure | None = None, seconds: float = 0.0, cases: int = 0) -> Verdict:
        failure = failure or self.settled.get(id)
        points = self.entries[id].points if id in self.entries else splice.regions(self.stubs[id].source)[0].points
        passed = failure is None and cases > 0
        state = PASSED if passed else UNTOUCHED if failure is None else IN_PROGRESS
        return Verdict(id, self.chapter, points, points if passed else 0, state, seconds, cases, failure)

    def _compared(self, id: str, question: Question, cases: list[Case], oracle: Answer, mine: Answer) -> Verdict:
        from tinytorch.course import compare

        entry = self.entries[id]
        expected = oracle.outcomes.get(0, [])
        if mine.trouble is not None and not mine.begun:  # the file cannot be imported, perhaps not by the oracle either
            return self._verdict(id, replace(_stopped(mine, "", question.seconds), printed=mine.tail), mine.seconds)
        if oracle.trouble is not None or len(expected) != len(cases) or not cases:
            why = oracle.broken.text if oracle.broken else f"{oracle.trouble or 'no cases'} {oracle.text}"
            raise CourseError(f"the reference of {id} gave no answer: {why} {oracle.tail}")
        got = mine.outcomes.get(0, [])

        def call(k: int) -> str:
            name = entry.qualname
            return question.show(**cases[k]) if question.show else compare.show_call(name, cases[k])

        def equal(k: int, a: Outcome, b: Outcome) -> bool:
            if not (a.is_value and b.is_value):
                return a.raised is not None and a.raised == b.raised
            if compare.difference(a.value, b.value, question.rtol, question.atol) is None:
                return True
            if question.judge is None:
                return False  # else: where several answers are right, two right ones count as the same
            return not any(_own_judge(question, cases[k], expected[k].value, x.value) for x in (a, b))

        failure = None
        for k, (case, e, g) in enumerate(zip(cases, expected, got, strict=False)):
            failure = _first_failure(question, case, e, g, call(k), compare)
            if failure is not None:
                break
        if failure is None and mine.trouble is not None:
            failure = _stopped(mine, call(min(mine.at, len(cases) - 1)), question.seconds)
        if failure is None and len(got) < len(cases):
            failure = Failure("exited", call(len(got)), message=f"{call(len(got))}: no answer arrived")
        if failure is None and mine.printed > MOST_PRINTED:
            failure = Failure(
                "output", message=f"printed {mine.printed:,} characters, at most {MOST_PRINTED:,} are taken"
            )
        if failure is None:
            return self._verdict(id, seconds=mine.seconds, cases=len(cases))
        known = None
        if len(got) == len(cases):
            for number, misconception in enumerate(question.misconceptions, start=1):
                theirs = oracle.outcomes.get(number, [])
                if len(theirs) == len(got) and all(map(equal, range(len(got)), theirs, got)):
                    known = misconception
                    break
        failure = Failure(
            failure.kind, failure.call, failure.expected, failure.got, failure.message,
            known.name if known else None, known.tutor if known else None,
            (known.lesson if known else None) or question.lesson,
            failure.where or entry.where, mine.tail,
        )  # fmt: skip
        return self._verdict(id, failure, mine.seconds, len(cases))


def _first_failure(
    question: Question, case: Case, expected: Outcome, got: Outcome, call: str, compare: Any
) -> Failure | None:
    """What is wrong with one answer, or None."""
    if not expected.is_value:
        raise CourseError(f"the reference of {question.id} failed in {call}: {expected.text or expected.large}")
    wanted = compare.show(expected.value)
    if got.exit:
        return Failure("exited", call, wanted, got.text, f"{call} tried to end Python ({got.text})", where=_where(got))
    if got.raised is not None:
        where = _where(got)
        words = f"{call} raised {got.text}" + (f" ({where})" if where else "")
        return Failure("raised", call, wanted, got.text, words, where=where)
    if got.large is not None:
        return Failure("type", call, wanted, "", f"{call}: the result is too large ({got.large})")
    shown = compare.show(got.value)
    if question.judge is not None:
        verdict = _own_judge(question, case, expected.value, got.value)
        return None if verdict is None else Failure("wrong", call, wanted, shown, f"{call}: {verdict}; got {shown}")
    found = compare.difference(expected.value, got.value, question.rtol, question.atol)
    if found is None:
        return None
    detail = f" ({found.words})" if found.words else ""
    return Failure(found.kind, call, wanted, shown, f"{call}: expected {wanted}, got {shown}{detail}")


def _own_judge(question: Question, case: Case, expected: Any, got: Any) -> str | None:
    """The question's own judge; a value of a shape it does not know is a wrong answer."""
    assert question.judge is not None
    try:
        return question.judge(case, expected, got)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
        return f"this is not an answer of the expected form ({error})"


def _stopped(mine: Answer, call: str, limit: float) -> Failure:
    if mine.trouble == "timeout":
        words = f"{call} gave no answer within {limit:g} s: it hangs, or is far too slow"
        if not mine.begun:
            words = "the file hangs while it is imported"
        return Failure("timeout", call, message=words)
    if mine.trouble == "output":
        return Failure("output", call, message=f"{call} printed more than {MOST_PRINTED:,} characters")
    if mine.trouble == "broken" and mine.broken is not None:
        where = _where(mine.broken)
        words = f"{where or 'tinytorch'}: the file cannot be imported: {mine.broken.text}"
        return Failure("raised", got=mine.broken.text, message=words, where=where)
    if mine.trouble == "missing":
        return Failure("missing", message="the function is no longer there when the file has been imported")
    when = call if mine.begun else "importing the file"
    return Failure("exited", call, message=f"{when} ended the Python process ({mine.text})")


def _where(outcome: Outcome) -> str | None:
    if outcome.where is None:
        return None
    path = Path(outcome.where[0])
    root = catalog.root()
    return f"{path.relative_to(root).as_posix() if path.is_relative_to(root) else path}:{outcome.where[1]}"


def _syntax(path: str, line: int | None, error: SyntaxError) -> Failure:
    return Failure("syntax", message=f"{path}:{line}: {error.msg}: the file is not Python", where=f"{path}:{line}")
