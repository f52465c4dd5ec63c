"""Every example in a docstring of the package runs and prints what it says."""

import ast
import doctest
import importlib
from pathlib import Path

import pytest

from tests.machine import ROOT

DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef)


def has_example(path: Path) -> bool:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return any(">>> " in (ast.get_docstring(node) or "") for node in nodes if isinstance(node, DOCUMENTED))


def modules_with_examples() -> list[str]:
    paths = [path for path in (ROOT / "tinytorch").rglob("*.py") if has_example(path)]
    return sorted(
        ".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for p in paths
    )


@pytest.mark.parametrize("name", modules_with_examples())
def test_examples(name: str):
    module = importlib.import_module(name)
    report: list[str] = []
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    tests = [test for test in doctest.DocTestFinder().find(module) if test.examples]
    for test in tests:
        runner.run(test, out=report.append)
    assert tests, f"the examples in the docstrings of {name} are never reached: doctest finds none"
    assert runner.failures == 0, "".join(report)
