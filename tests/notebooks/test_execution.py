"""The notebooks run: on the untouched checkout, twice, after all exercises are solved, and on PyTorch."""

import contextlib
import io
import json
from pathlib import Path

import pytest

from tests.machine import ROOT
from tests.notebooks.checkout import copy_course, nbval, solve
from tinytorch.course import catalog

LESSONS = ("notebooks/00_start_here.ipynb", "notebooks/04_autograd.ipynb")
SHEET = "exercises/04_autograd.ipynb"


def code_cells(notebook: str) -> list[dict]:
    cells = json.loads((ROOT / notebook).read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def not_passed(found: dict[str, str]) -> dict[str, str]:
    return {cell: outcome for cell, outcome in found.items() if outcome != "passed"}


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course as it is committed: a copy, so that no state of this checkout gets in."""
    return copy_course(tmp_path_factory.mktemp("untouched"))


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course of a learner who has written everything, without the references."""
    root = copy_course(tmp_path_factory.mktemp("solved"))
    assert set(solve(root)) == {entry.id for entry in catalog.exercises()}
    return root


@pytest.mark.parametrize("notebook", [*LESSONS, SHEET])
def test_runs_and_prints_the_same_on_the_untouched_checkout_twice(untouched: Path, notebook: str):
    for turn in ("first", "second"):
        found = nbval(untouched / notebook, untouched)
        assert not not_passed(found), f"{turn} time:\n{(untouched / 'nbval.log').read_text()[-4000:]}"
        assert len(found) == len(code_cells(notebook))


@pytest.mark.parametrize("notebook", [*LESSONS, SHEET])
def test_runs_and_prints_the_same_on_the_learners_own_code(solved: Path, notebook: str):
    found = nbval(solved / notebook, solved, TINYTORCH_USE="mine")
    assert not not_passed(found), (solved / "nbval.log").read_text()[-4000:]


def test_on_ones_own_code_alone_an_untouched_sheet_fails_every_exercise(untouched: Path):
    found = nbval(untouched / SHEET, untouched, TINYTORCH_USE="mine")
    outcomes = [found[f"Cell {number}"] for number in range(len(found))]
    for cell, outcome in zip(code_cells(SHEET), outcomes, strict=True):
        is_exercise = "exercise" in cell["metadata"].get("tinytorch", {})
        if is_exercise or cell["id"] == "together":
            assert outcome == "failed", cell["id"]
        else:
            assert outcome == "passed", cell["id"]


def test_one_mistake_fails_its_own_cell_alone(solved: Path, tmp_path: Path):
    root = copy_course(tmp_path)
    solve(root, wanted="autograd.")
    path = root / "tinytorch" / "ops" / "pointwise.py"
    text = path.read_text(encoding="utf-8")
    right = "return dz * y, dz * x"
    assert text.count(right) == 1, "the reference of autograd.mul_backward reads differently now: change this test"
    path.write_text(text.replace(right, "return dz * x, dz * y"), encoding="utf-8")
    found = nbval(root / SHEET, root, TINYTORCH_USE="mine")
    failed = [cell["id"] for i, cell in enumerate(code_cells(SHEET)) if found[f"Cell {i}"] == "failed"]
    assert failed == ["check-autograd-mul_backward", "together"]


@pytest.mark.parametrize("notebook", LESSONS)
def test_the_same_cells_print_the_same_on_pytorch(notebook: str):
    """The promise of every lesson: one changed import. Cells about this course's own files are tagged, and left out."""
    from tests.oracle import torch

    names: dict[str, object] = {}
    state = torch.random.get_rng_state()
    ran = 0
    for cell in code_cells(notebook):
        source = "".join(cell["source"])
        if "tinytorch-only" in cell["metadata"].get("tags", []):
            continue
        source = "\n".join(line for line in source.splitlines() if not line.startswith("%"))
        source = source.replace("import tinytorch as torch", "import torch")
        source = source.replace("Dashboard(20,", "Dashboard(20, live=False, title=")
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(source, cell["id"], "exec"), names)
        streams = [o for o in cell["outputs"] if o["output_type"] == "stream"]
        expected = "".join("".join(o["text"]) for o in streams)
        if "nbval-ignore-output" not in cell["metadata"].get("tags", []):
            assert printed.getvalue() == expected, f"{cell['id']} prints something else on PyTorch"
            ran += bool(expected)
    torch.random.set_rng_state(state)
    assert ran >= 10
