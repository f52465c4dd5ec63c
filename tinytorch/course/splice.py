"""Where in a file the exercises stand, and how to put other text there. The file need not compile."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_MARK = re.compile(r"""^(?P<indent>[ \t]*)@exercise\(\s*(?P<quote>["'])(?P<id>[^"']+)(?P=quote)""")
_POINTS = re.compile(r"points\s*=\s*(\d+)")
_CLASS = re.compile(r"^class\s+(\w+)")
_DEF = re.compile(r"^[ \t]*(?:async\s+)?def\s+(\w+)")


@dataclass(frozen=True)
class Region:
    """The lines of one exercise, from its decorator to the end of its function (counted from 1, both included)."""

    id: str
    points: int
    qualname: str
    first: int
    last: int
    source: str  # without the indentation of the place where it stands
    indent: str

    @property
    def state(self) -> str:
        """`untouched` while the body is a docstring and `raise NotImplementedError`, else `in progress`."""
        try:
            (function,) = ast.parse(self.source).body
        except (SyntaxError, ValueError):
            return "in progress"
        body = list(getattr(function, "body", []))
        if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
            body = body[1:]
        blank = len(body) == 1 and isinstance(body[0], ast.Raise) and body[0].cause is None
        name = body[0].exc if blank and isinstance(body[0], ast.Raise) else None
        untouched = isinstance(name, ast.Name) and name.id == "NotImplementedError"
        return "untouched" if untouched else "in progress"

    def syntax_error(self) -> SyntaxError | None:
        """What keeps this exercise, by itself, from compiling; its line numbers are those of the file."""
        try:
            compile("\n" * (self.first - 1) + self.source, "<exercise>", "exec", dont_inherit=True)
        except SyntaxError as error:
            return error
        except ValueError as error:  # a null byte
            return SyntaxError(str(error), ("<exercise>", self.first, 1, ""))
        return None


def regions(text: str) -> list[Region]:
    """The exercises of a file, in order. Read from its syntax, or, where it has none, from its indentation."""
    if "@exercise" not in text:
        return []
    try:
        found = list(_by_syntax(text))
    except (SyntaxError, ValueError, RecursionError):
        found = list(_by_indentation(text))
    return sorted(found, key=lambda region: region.first)


def compiles(text: str) -> SyntaxError | None:
    """None, or what keeps a file from compiling."""
    try:
        compile(text, "<file>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return error
    except ValueError as error:
        return SyntaxError(str(error), ("<file>", 1, 1, ""))
    return None


def replace(text: str, sources: Mapping[str, str]) -> str:
    """The text with the exercises named in `sources` replaced; one that stands nowhere is added at the end."""
    lines = text.splitlines(keepends=True)
    here = regions(text)
    for region in reversed(here):
        if region.id in sources:
            new = textwrap.indent(sources[region.id].rstrip("\n") + "\n", region.indent)
            lines[region.first - 1 : region.last] = [new]
    absent = [source for id, source in sources.items() if id not in {region.id for region in here}]
    end = "" if not lines or lines[-1].endswith("\n") else "\n"
    return "".join(lines) + end + "".join("\n\n" + source.rstrip("\n") + "\n" for source in absent)


def _by_syntax(text: str) -> Iterator[Region]:
    lines = text.splitlines()
    tree = ast.parse(text)
    holders: list[tuple[str, ast.Module | ast.ClassDef]] = [("", tree)]
    for prefix, holder in holders:
        for node in holder.body:
            if isinstance(node, ast.ClassDef):
                holders.append((f"{prefix}{node.name}.", node))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                mark = next(filter(_is_mark, node.decorator_list), None)
                if isinstance(mark, ast.Call) and isinstance(mark.args[0], ast.Constant):
                    first = min(d.lineno for d in node.decorator_list)
                    last = node.end_lineno or first
                    yield _region(lines, str(mark.args[0].value), prefix + node.name, first, last)


def _is_mark(decorator: ast.expr) -> bool:
    called = isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name)
    return called and decorator.func.id == "exercise" and bool(decorator.args)  # type: ignore[attr-defined]


def _by_indentation(text: str) -> Iterator[Region]:
    lines = text.splitlines()
    inside = ""  # the class whose body the line is in
    for number, line in enumerate(lines):
        named = _CLASS.match(line)
        if named or (line[:1].strip() and not line.startswith(("#", ")"))):
            inside = f"{named[1]}." if named else ""
        mark = _MARK.match(line)
        if mark is None:
            continue
        depth = len(mark["indent"])
        head = next((i for i in range(number, len(lines)) if _DEF.match(lines[i])), number)
        last = head
        for i in range(head + 1, len(lines)):
            rest = lines[i].lstrip()
            if rest and len(lines[i]) - len(rest) <= depth and not rest.startswith(")"):
                break
            last = i if rest else last
        name = _DEF.match(lines[head])
        yield _region(lines, mark["id"], (inside if depth else "") + (name[1] if name else "?"), number + 1, last + 1)


def _region(lines: list[str], id: str, qualname: str, first: int, last: int) -> Region:
    indent = lines[first - 1][: len(lines[first - 1]) - len(lines[first - 1].lstrip())]
    taken = [line.removeprefix(indent) if line.strip() else "" for line in lines[first - 1 : last]]
    points = _POINTS.search(" ".join(taken[:5]))
    return Region(id, int(points[1]) if points else 0, qualname, first, last, "\n".join(taken) + "\n", indent)
