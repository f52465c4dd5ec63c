"""The floors of the architecture: at import time a module needs only its own floor and those below it.

CONTRIBUTING.md tells what each floor is. An import inside a function does not count: it runs long after.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.machine import ROOT

FLOORS = (
    ("exercise", "errors", "dtypes", "device", "size", "return_types"),
    ("storage",),
    ("kernels",),
    ("tensor", "printing"),
    ("autograd",),
    ("ops",),
    ("nn", "optim", "amp", "cuda", "distributions", "utils", "vision", "serialization", "linalg"),
    ("course",),
)
FLOOR_OF: dict[str, float] = {name: floor for floor, names in enumerate(FLOORS, start=1) for name in names}
# The package itself and api.py gather floors 1 to 7, and nothing there may import them back.
# `python -m tinytorch` is the course.
FLOOR_OF |= {"api": 7.5, "__main__": 8}
PACKAGE_FLOOR = 7.5
MODULES = sorted((ROOT / "tinytorch").rglob("*.py"))


def floor_of(module: str) -> float:
    """`tinytorch.ops.cast` -> 6"""
    parts = module.split(".")
    if parts == ["tinytorch"]:
        return PACKAGE_FLOOR
    assert parts[1] in FLOOR_OF, (
        f"on which floor is {module}? Give it a place in FLOORS and in CONTRIBUTING.md"
    )
    return FLOOR_OF[parts[1]]


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def runs_on_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when the module is imported: class bodies, branches, no function bodies."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
            yield from runs_on_import(statement.orelse)
            continue
        for block in ("body", "orelse", "finalbody"):
            yield from runs_on_import(getattr(statement, block, []))
        for handler in getattr(statement, "handlers", []):
            yield from runs_on_import(handler.body)


def imported(path: Path) -> list[tuple[int, str]]:
    """(line, module of this package) for each import that runs when the module at `path` is imported."""
    package = module_name(path) if path.name == "__init__.py" else module_name(path).rpartition(".")[0]
    return list(imports_of(path.read_text(encoding="utf-8"), package))


def imports_of(source: str, package: str) -> Iterator[tuple[int, str]]:
    for statement in runs_on_import(ast.parse(source).body):
        if isinstance(statement, ast.Import):
            names = [alias.name for alias in statement.names]
        elif isinstance(statement, ast.ImportFrom):
            base = statement.module or ""
            if statement.level:
                above = package.split(".")[: len(package.split(".")) - statement.level + 1]
                base = ".".join([*above, *filter(None, [statement.module])])
            whole = [f"{base}.{alias.name}" for alias in statement.names]
            names = [name if is_module(name) else base for name in whole]
        else:
            continue
        for name in names:
            if name.split(".")[0] == "tinytorch":
                yield statement.lineno, name


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_only_from_its_floor_and_below(path: Path):
    floor = floor_of(module_name(path))
    upward = [
        f"line {line}: {name} is on floor {floor_of(name):g}"
        for line, name in imported(path)
        if floor_of(name) > floor
    ]
    assert not upward, f"{module_name(path)} is on floor {floor:g} and imports from above: {upward}"


def test_course_loads_no_framework_on_import():
    """So `tinytorch check` starts fast, and starts at all while a learner's file does not even compile."""
    leaves = {f"tinytorch.{name}" for name in FLOORS[0]}
    found = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in (ROOT / "tinytorch" / "course").rglob("*.py")
        for line, name in imported(path)
        if not name.startswith("tinytorch.course") and name not in leaves
    ]
    assert not found, found


def test_the_walker_itself():
    """Classes and branches count; functions and TYPE_CHECKING blocks do not."""
    source = """
from typing import TYPE_CHECKING
from tinytorch import kernels, nothing_of_that_name
if TYPE_CHECKING:
    import tinytorch.nn
class A:
    from ..ops import cast
def f():
    import tinytorch.course
try:
    import numpy
except ImportError:
    import tinytorch.optim
"""
    found = {name for _, name in imports_of(source, "tinytorch.autograd")}
    assert found == {"tinytorch.kernels", "tinytorch", "tinytorch.ops.cast", "tinytorch.optim"}
