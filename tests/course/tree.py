"""A copy of the course in a temporary folder, in which tests play the learner."""

import ast
import inspect
import shutil
import textwrap
from pathlib import Path

from tests.machine import ROOT
from tinytorch.course import catalog, splice


class Tree:
    """The course at `root`, with texts put in the place of exercises."""

    def __init__(self, root: Path):
        self.root = root
        for folder in ("tinytorch", "exercises", "solutions"):
            shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("*.ipynb", "widgets"))
        self.pristine = {path: text for path, text in catalog.files().items()}

    def reset(self) -> None:
        for path, text in self.pristine.items():
            (self.root / path).write_text(text, encoding="utf-8")

    def put(self, sources: dict[str, str]) -> None:
        """Fill in exercises: `sources` gives for each the text of its function, without the decorator."""
        for entry in catalog.exercises():
            if entry.id in sources:
                path = self.root / entry.path
                mark = entry.source[: entry.source.index("def ")]
                text = splice.replace(path.read_text(encoding="utf-8"), {entry.id: mark + sources[entry.id]})
                path.write_text(text, encoding="utf-8")


def signature(entry: catalog.Entry) -> str:
    """`def backward(ctx, dz: Any) -> tuple[Any, Any]:`"""
    start = entry.source.index("def ")
    return entry.source[start : entry.source.index('"""', start)].rstrip()


def with_body(entry: catalog.Entry, body: str) -> str:
    return signature(entry) + "\n" + textwrap.indent(textwrap.dedent(body).strip("\n"), "    ") + "\n"


def reference(entry: catalog.Entry) -> str:
    """The text of the reference function, as a learner would have typed it."""
    text = (ROOT / "solutions" / entry.path.partition("/")[2]).read_text(encoding="utf-8")
    holder: ast.AST = ast.parse(text)
    for name in entry.qualname.split("."):
        holder = next(n for n in holder.body if getattr(n, "name", None) == name)
    return _text(holder, text)


def misconception(entry: catalog.Entry, body) -> str:
    """The text of a misconception's body, under the name of the stub."""
    text = textwrap.dedent(inspect.getsource(body))
    written = _text(ast.parse(text).body[0], text)
    return written.replace(f"def {body.__name__}(", f"def {entry.qualname.rpartition('.')[2]}(", 1)


def _text(node: ast.AST, text: str) -> str:
    return textwrap.dedent("\n".join(text.splitlines()[node.lineno - 1 : node.end_lineno])) + "\n"
