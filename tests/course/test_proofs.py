"""What must hold of every exercise that exists: found by walking the files, so that a later one is not forgotten."""

import builtins
import dataclasses
import dis
import importlib
import time
import types

import pytest

from tests.course import tree
from tests.machine import ROOT
from tinytorch.course import catalog, judge, stubs
from tinytorch.exercise import find_reference, registry

ENTRIES = catalog.exercises()
IDS = [entry.id for entry in ENTRIES]
CHAPTERS = {c.name: catalog.load(c.name) for c in catalog.chapters()}
QUESTIONS = {id: q for chapter in CHAPTERS.values() for id, q in chapter.questions.items()}
MOST = max(len(q.misconceptions) for q in QUESTIONS.values())


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A copy of the course to learn in."""
    with pytest.MonkeyPatch.context() as patch:
        root = tmp_path_factory.mktemp("course")
        copy = tree.Tree(root)
        patch.setenv("TINYTORCH_COURSE_ROOT", str(root))
        patch.delenv("TINYTORCH_USE", raising=False)
        yield copy


@pytest.fixture(autouse=True)
def untouched(course):
    course.reset()


def judged(ids=IDS, **kwargs):
    return {verdict.exercise: verdict for verdict in judge.check(ids, **kwargs)}


def test_every_exercise_has_a_question_and_every_question_an_exercise():
    assert ENTRIES and set(IDS) == set(QUESTIONS)
    assert len(IDS) == len(set(IDS))


@pytest.mark.parametrize("id", IDS)
def test_a_question_has_all_that_it_needs(id):
    question = QUESTIONS[id]
    assert len(question.hints) == 3 and all(question.hints)
    names = [m.name for m in question.misconceptions]
    assert len(names) >= 3 and len(set(names)) == len(names)
    assert all(len(m.tutor) > 40 for m in question.misconceptions)
    assert question.lesson and question.minutes > 0 and 1 <= question.difficulty <= 5


def test_untouched_work_scores_nothing(course):
    found = judged()
    assert set(found) == set(IDS)
    assert {(v.state, v.earned, v.failure) for v in found.values()} == {("untouched", 0, None)}


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_the_reference_scores_full_marks(course, seed):
    course.put({entry.id: tree.reference(entry) for entry in ENTRIES})
    found = judged(seed=seed)
    for entry in ENTRIES:
        verdict = found[entry.id]
        assert verdict.failure is None, verdict.failure
        assert (verdict.state, verdict.earned) == ("passed", entry.points) and entry.points > 0
        assert verdict.cases >= 5


@pytest.mark.parametrize("seed", [None, 4])
@pytest.mark.parametrize("number", range(MOST))
def test_each_misconception_fails_and_is_named(course, number, seed):
    wrong = {e: q.misconceptions[number] for e in ENTRIES if number < len((q := QUESTIONS[e.id]).misconceptions)}
    course.put({e.id: tree.misconception(e, m.body) for e, m in wrong.items()})
    found = judged([e.id for e in wrong], seed=seed)
    for entry, misconception in wrong.items():
        verdict = found[entry.id]
        assert (verdict.earned, verdict.state) == (0, "in progress"), entry.id
        assert verdict.failure.misconception == misconception.name, (entry.id, verdict.failure)
        assert verdict.failure.tutor == misconception.tutor
        assert verdict.failure.call and verdict.failure.expected and verdict.failure.lesson
        assert "NameError" not in verdict.failure.message, "a body may use only names of the stub's module"


HOSTILE = {
    "hangs": ("while True:\n    pass", "timeout", "gave no answer within 1 s"),
    "sleeps": ("import time\ntime.sleep(3600)", "timeout", "gave no answer within 1 s"),
    "leaves the process": ("import os\nos._exit(0)", "exited", "ended the Python process"),
    "aborts": ("import os\nos.abort()", "exited", "ended the Python process"),
    "exits": ("import sys\nsys.exit(0)", "exited", "tried to end Python"),
    "raises": ("raise ZeroDivisionError('of my own')", "raised", "ZeroDivisionError: of my own"),
    "interrupts": ("raise KeyboardInterrupt", "raised", "KeyboardInterrupt"),
    "prints a megabyte": ("print('x' * 1_000_000)", "output", "printed more than"),
    "prints for ever": ("while True:\n    print('x' * 1000)", "output", "printed more than"),
    "returns another type": ("return (i for i in range(3))", "", ""),
    "closes its outputs": ("import os\nos.closerange(0, 100)", "exited", "ended the Python process"),
    "recurses": ("def f():\n    return f()\nreturn f()", "raised", "RecursionError"),
    "lies about equality": (
        "class A:\n    def __eq__(self, other):\n        return True\n    __hash__ = None\nreturn A()", "", "",
    ),
    "returns too much": ("import numpy\nreturn numpy.zeros(10**7)", "", ""),
}  # fmt: skip


@pytest.mark.parametrize("half", [0, 1])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_body_fails_alone(course, name, half, monkeypatch):
    body, kind, words = HOSTILE[name]
    bad = IDS[half::2]
    course.put({
        e.id: tree.with_body(e, body) if e.id in bad else tree.reference(e) for e in ENTRIES
    })  # fmt: skip
    load = catalog.load

    def impatient(chapter):
        found = load(chapter)
        for id, question in found.questions.items():
            found.questions[id] = dataclasses.replace(question, seconds=1.0)
        return found

    monkeypatch.setattr(catalog, "load", impatient)
    started = time.monotonic()
    found = judged()
    elapsed = time.monotonic() - started
    for id, verdict in found.items():
        if id not in bad:
            assert verdict.failure is None, (id, verdict.failure)
            continue
        failure = verdict.failure
        assert verdict.earned == 0 and failure is not None, id
        assert failure.message and "\n" not in failure.message, failure.message
        if kind:
            assert (failure.kind, failure.misconception) == (kind, None)
            assert words in failure.message and failure.call
    assert elapsed < len(bad) * (1.0 + 3.0) + 10.0


def test_one_exercise_does_not_lean_on_the_learners_others(course):
    """With one right body among untouched and wrong ones, that one passes."""
    for right in ENTRIES:
        course.reset()
        course.put({e.id: with_nothing(e) for e in ENTRIES})
        course.put({right.id: tree.reference(right)})
        assert judged([right.id])[right.id].state == "passed"


def with_nothing(entry):
    return tree.with_body(entry, "return None")


@pytest.mark.parametrize("entry", ENTRIES, ids=IDS)
def test_a_reference_uses_only_names_of_the_stubs_module(entry):
    """Its code runs there: a name that only the solutions file imports would be missing."""
    module = importlib.import_module(entry.module)
    code = find_reference(registry[entry.id])
    assert code is not None, f"solutions/ has no {entry.qualname} for {entry.module}"
    absent = globals_of(code) - set(vars(module)) - set(vars(builtins))
    assert not absent


def globals_of(code):
    loads = ("LOAD_GLOBAL", "LOAD_NAME")
    names = {i.argval for i in dis.get_instructions(code) if i.opname in loads}
    return names.union(*(globals_of(inner) for inner in code.co_consts if isinstance(inner, types.CodeType)))


@pytest.mark.parametrize("entry", ENTRIES, ids=IDS)
def test_files_and_framework_agree_about_an_exercise(entry):
    importlib.import_module(entry.module)
    registered = registry[entry.id]
    assert (registered.module, registered.qualname, registered.points, registered.line) == (
        entry.module, entry.qualname, entry.points, entry.line,
    )  # fmt: skip
    assert registered.filled is (entry.state != "untouched")


def test_stubs_json_is_that_of_the_checkout():
    """Written anew with `python -m tinytorch.course.stubs`."""
    assert stubs.load() == stubs.collect()
    assert (ROOT / "exercises" / "stubs.json").exists()
