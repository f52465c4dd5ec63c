"""What STYLE asks of every file and a linter does not know."""

import ast
import json
from pathlib import Path

import pytest

from tests.machine import ROOT

FOLDERS = ("tinytorch", "exercises", "solutions", "tests", "benchmarks")
PYTHON = sorted([*ROOT.glob("*.py"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))])
PROSE = sorted(ROOT.glob("*.md"))
NOTEBOOKS = sorted([*(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / "exercises").glob("*.ipynb")])
MOST_LINES = 500
MOST_BYTES = 1_000_000

# Files in which any exception at all may be caught, and why that is right there.
MAY_CATCH_ALL = {
    "tinytorch/course/child.py": "a learner's code may raise anything; what it raises is the result that is sent",
    "tests/parity/harness.py": "which class of exception it is, is what is compared",
    "tinytorch/__init__.py": "a stub file that does not run is told at first use; `check` still starts",
    "tinytorch/course/magics.py": "a learner's saved file may raise anything while it is read; it is told in one line",
}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", PYTHON + PROSE, ids=name)
def test_file_can_be_read_in_one_sitting(path: Path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MOST_LINES, f"{lines} lines: split it into two ideas"


def imported_roots(tree: ast.AST) -> set[str]:
    roots = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            roots |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            roots.add(node.module.split(".")[0])
    return roots


@pytest.mark.parametrize(
    "path", [p for p in PYTHON if name(p).startswith(("tinytorch/", "solutions/"))], ids=name
)
def test_framework_does_not_lean_on_pytorch(path: Path):
    roots = imported_roots(ast.parse(path.read_text(encoding="utf-8")))
    assert not roots & {"torch", "torchvision", "jax", "tensorflow"}


def catches_all(handler: ast.ExceptHandler) -> bool:
    """Whether a handler swallows every exception: one that ends by raising again only cleans up."""
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {None if kind is None else ast.unparse(kind) for kind in caught}
    return bool(names & {None, "Exception", "BaseException"}) and not isinstance(handler.body[-1], ast.Raise)


def suppresses_all(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("suppress", "contextlib.suppress")
        and bool({"Exception", "BaseException"} & {ast.unparse(argument) for argument in node.args})
    )


def catch_alls(source: str) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.ExceptHandler) and catches_all(node)) or suppresses_all(node)
    ]


@pytest.mark.parametrize("path", PYTHON, ids=name)
def test_no_exception_is_swallowed_unseen(path: Path):
    lines = catch_alls(path.read_text(encoding="utf-8"))
    if name(path) in MAY_CATCH_ALL:
        assert lines, f"{name(path)} no longer catches everything: take it off MAY_CATCH_ALL"
    else:
        assert not lines, f"a catch-all `except` at line {lines}: name what can go wrong there"


def test_the_finder_of_catch_alls():
    assert catch_alls("try:\n    f()\nexcept:\n    pass") == [3]
    assert catch_alls("try:\n    f()\nexcept (ValueError, Exception) as e:\n    print(e)") == [3]
    assert catch_alls("import contextlib\nwith contextlib.suppress(Exception):\n    f()") == [2]
    assert catch_alls("try:\n    f()\nexcept BaseException:\n    g()\n    raise") == []
    assert catch_alls("try:\n    f()\nexcept ValueError:\n    pass") == []


def test_allowed_catch_alls_exist():
    assert set(MAY_CATCH_ALL) <= set(map(name, PYTHON))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_notebook_is_light_and_executed(path: Path):
    assert path.stat().st_size < MOST_BYTES
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code" and "".join(cell["source"]).strip()]
    not_run = ["".join(cell["source"])[:60] for cell in code if cell["execution_count"] is None]
    assert code and not not_run, f"cells that were never run: {not_run}"
    assert any(cell["outputs"] for cell in code), "committed without its outputs"
    for cell in code:
        tags = cell["metadata"].get("tags", [])
        errors = [output["ename"] for output in cell["outputs"] if output["output_type"] == "error"]
        assert not errors or "raises-exception" in tags, f"{errors} in: {''.join(cell['source'])[:60]}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_headings_of_a_notebook_are_in_order(path: Path):
    """One `#` first, and no level is jumped over on the way down."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    prose = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    levels, fenced = [], False
    for line in prose.splitlines():
        fenced ^= line.startswith("```")
        if not fenced and line.startswith("#") and line.lstrip("#").startswith(" "):
            levels.append(len(line) - len(line.lstrip("#")))
    assert levels and levels[0] == 1 and levels.count(1) == 1, f"levels of the headings: {levels}"
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False)), levels
