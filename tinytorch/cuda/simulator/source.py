"""A kernel's source: its syntax tree with the line numbers of its file, and what its free names stand for."""

from __future__ import annotations

import ast
import builtins
import inspect
import textwrap
from types import FunctionType
from typing import Any

MISSING = object()


class SourceNotFound(TypeError):
    """The source text of a kernel is not to be had, so it cannot be instrumented."""


class Source:
    """One Python function, read from its file (or notebook cell)."""

    def __init__(self, function: FunctionType):
        self.function = function
        self.file = function.__code__.co_filename
        try:
            lines, first = inspect.getsourcelines(function)
        except (OSError, TypeError) as error:
            raise SourceNotFound(
                f"the simulator reads the source of {function.__name__!r}, but finds none in {self.file!r}: "
                "define the kernel in a file or a notebook cell, not in exec() or at the prompt"
            ) from error
        tree = ast.parse(textwrap.dedent("".join(lines))).body[0]
        if not isinstance(tree, ast.FunctionDef):
            raise SourceNotFound(f"{function.__name__!r} is no function written with def: a lambda has no statements")
        ast.increment_lineno(tree, max(first, 1) - 1)
        self.tree = tree
        self.lines = {max(first, 1) + number: line.strip() for number, line in enumerate(lines)}
        self.parameters = [argument.arg for argument in tree.args.posonlyargs + tree.args.args]
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        self.closure = {name: cell.cell_contents for name, cell in cells}

    def value(self, name: str) -> Any:
        """What a free name stands for, or MISSING."""
        for scope in (self.closure, self.function.__globals__, vars(builtins)):
            if name in scope:
                return scope[name]
        return MISSING
