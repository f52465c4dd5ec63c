"""The bank: every correct kernel passes without a word, every broken one is caught, with its line."""

import inspect

import pytest

from tests.cuda.bank import Case
from tests.cuda.broken import broken
from tests.cuda.correct import correct
from tinytorch.cuda import seam
from tinytorch.cuda.simulator import KINDS


def name(case: Case) -> str:
    return case.name


def test_the_bank_is_large_and_its_names_differ():
    assert len(broken) >= 40 and len(correct) >= 20
    for bank in (broken, correct):
        assert len({case.name for case in bank}) == len(bank)
    assert {kind for case in broken for kind in case.kinds} == set(KINDS)


@pytest.mark.parametrize("case", correct, ids=name)
@pytest.mark.parametrize("seed", [0, 1])
def test_correct_kernel_is_right_and_raises_no_alarm(case: Case, seed: int):
    report, before, after = case.run(seed)
    report.raise_for_diagnoses()
    assert case.check is not None
    case.check(before, after)


@pytest.mark.parametrize("case", broken, ids=name)
def test_broken_kernel_is_caught(case: Case):
    report, _, _ = case.run()
    assert {found.kind for found in report.diagnoses} == case.kinds, str(report)
    for found in report.diagnoses:
        assert found.file == inspect.getsourcefile(seam.python_function(case.kernel))
        if case.marked:
            assert {found.line, found.other_line or found.line} <= case.marked, str(found)
        assert len(found.message) > 40


@pytest.mark.parametrize("case", broken, ids=name)
def test_a_run_is_repeatable(case: Case):
    assert case.run()[0].diagnoses == case.run()[0].diagnoses
