"""What is said about verdicts and progress: written once as lines, shown as text and as HTML.

Only the table in a terminal needs rich, which is loaded there: a check must answer at once.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinytorch.course.verdict import IN_PROGRESS, PASSED, UNTOUCHED, Failure, Verdict

if TYPE_CHECKING:
    from rich.table import Table

    from tinytorch.course.progress import Row

WORDS = {PASSED: "public checks passed", IN_PROGRESS: "in progress", UNTOUCHED: "untouched"}
_KIND = {PASSED: "good", IN_PROGRESS: "bad", UNTOUCHED: "faint"}
_COLOURS = {"good": "green", "bad": "red", "label": "cyan"}
_CSS = {
    "good": "color: var(--jp-success-color0, #2e7d32); font-weight: 600",
    "bad": "color: var(--jp-error-color0, #c62828); font-weight: 600",
    "faint": "opacity: 0.8",
    "head": "font-weight: 600",
    "next": "margin-top: 0.6em",
}
_INDENT, _GUTTER = 2, 11


@dataclass(frozen=True)
class Line:
    """One line of what is said."""

    text: str
    kind: str = "plain"  # plain | more (goes on with the line above) | head | good | bad | faint | next
    label: str = ""  # call, expected, got, ...
    verbatim: bool = False  # code or values: never wrapped


# ---- what is said -------------------------------------------------------------------------------------------------


def verdict(found: Verdict, pad: int = 0) -> list[Line]:
    """One verdict: a line where all is well or nothing is written yet, else the first case that failed."""
    words = f"{found.exercise:<{pad}}  {WORDS[found.state]}, {found.earned} of {count(found.points, 'point')}"
    if found.state != UNTOUCHED:
        words += f"  ({found.seconds:.2f} s" + (f", {count(found.cases, 'case')})" if found.passed else ")")
    lines = [Line(words, _KIND[found.state])]
    return lines + (_failure(found, found.failure) if found.failure else [])


def _failure(found: Verdict, failure: Failure) -> list[Line]:
    said = _why(failure)
    lines = [
        Line(failure.call, label="call", verbatim=True),
        Line(failure.expected, label="expected", verbatim=True),
        Line(failure.got, label="got", verbatim=True),
        Line(said, label="why" if failure.call else "error"),
        Line(failure.misconception or "", label="mistake"),
        Line(failure.tutor or "", "more"),
        Line(f'notebooks/{found.chapter}.ipynb, "{failure.lesson}"' if failure.lesson else "", label="read"),
        Line(failure.where or "", label="where"),
        Line(failure.printed.rstrip(), label="printed", verbatim=True),
    ]
    return [line for line in lines if line.text]


def _why(failure: Failure) -> str:
    """What the sentence about a failure adds to the call, the expected value and the value got."""
    call, got = failure.call, failure.got
    words = failure.message.removeprefix(f"{call}: ") if call else failure.message
    words = words.removeprefix(f"expected {failure.expected}, got {got}")
    if failure.kind == "raised" and call:
        words = words.removeprefix(f"{call} raised {got}")
    words = words.removesuffix(f"; got {got}").strip()
    return words[1:-1] if words.startswith("(") and words.endswith(")") else words


def count(number: int, name: str) -> str:
    return f"{number} {name}" + ("" if number == 1 else "s")


def summary(verdicts: Sequence[Verdict], rows: Sequence[Row], command: str = "tinytorch ") -> list[Line]:
    """What all verdicts come to, and the next step."""
    passed = sum(v.passed for v in verdicts)
    earned, points = sum(v.earned for v in verdicts), sum(v.points for v in verdicts)
    lines = []
    if len(verdicts) != 1:
        kind = "good" if passed == len(verdicts) else "head"
        words = f"public checks passed: {passed} of {count(len(verdicts), 'exercise')}, "
        lines.append(Line(words + f"{earned} of {count(points, 'point')}", kind))
    return [*lines, Line(_next(verdicts, rows, command), "next", "next")]


def _next(verdicts: Sequence[Verdict], rows: Sequence[Row], command: str) -> str:
    where = {row.id: row.where for row in rows}
    failed = next((v for v in verdicts if v.failure is not None), None)
    if failed is not None:
        id, place = failed.exercise, where.get(failed.exercise)
        if place is None:
            return f"`tinytorch reset {id}` puts the stub back"
        return f"mend {place}, then `{command}check {id}`; stuck: `{command}hint {id}`"
    waiting = [v.exercise for v in verdicts if not v.passed and v.exercise in where]
    if not waiting:
        ids, done = [row.id for row in rows], {v.exercise for v in verdicts}
        start = max((ids.index(id) for id in done if id in ids), default=-1) + 1
        open_ = {row.id for row in rows if row.state != PASSED} - done
        waiting = [id for id in [*ids[start:], *ids[:start]] if id in open_]
    if not waiting:
        return "nothing is left: every exercise passes the public checks"
    return f"write {waiting[0]} in {where[waiting[0]]}; stuck: `{command}hint {waiting[0]}`"


HEADERS = ("exercise", "points", "state", "code in use", "where")


def cells(row: Row) -> tuple[str, ...]:
    """A row of the table of progress."""
    state = WORDS[row.state]
    notes = [
        "changed since it passed" if row.changed else "",
        row.misconception or "",
        count(row.hints, "hint") if row.hints else "",
        "solution seen" if row.gave_up else "",
    ]
    noted = "; ".join(filter(None, notes))
    return row.id, f"{row.earned}/{row.points}", state + (f" ({noted})" if noted else ""), row.code, row.where


def totals(rows: Sequence[Row]) -> list[Line]:
    """Below the table: how far one is, and whose code runs."""
    states = [row.state for row in rows]
    earned, points = sum(row.earned for row in rows), sum(row.points for row in rows)
    said = ", ".join(f"{states.count(state)} {WORDS[state]}" for state in WORDS)
    code = [row.code for row in rows]
    runs = ", ".join(f"{code.count(name)} {name}" for name in ("yours", "reference", "nobody's") if name in code)
    return [
        Line(f"{count(len(rows), 'exercise')}: {said}. {earned} of {count(points, 'point')}.", "head"),
        Line(f"Code in use: {runs or 'none'}."),
    ]


# ---- as text ------------------------------------------------------------------------------------------------------


def as_text(lines: Iterable[Line], width: int | None = None, colour: bool = False) -> str:
    """Lines for a terminal of this width; not wrapped where there is none (a pipe, a file)."""
    return "\n".join(_as_text(line, width, colour) for line in lines)


def _as_text(line: Line, width: int | None, colour: bool) -> str:
    labelled = bool(line.label) or line.kind == "more"
    indent = " " * (_INDENT + _GUTTER) if labelled and line.kind != "next" else ""
    indent = " " * 6 if line.kind == "next" else indent
    room = None if width is None or line.verbatim else max(30, width - len(indent))
    rows = [part for row in printable(line.text).split("\n") for part in _wrapped(row, room)]
    body = f"\n{indent}".join(rows)
    if line.kind == "next":
        return "\n" + _painted("next: ", "label", colour) + body
    if labelled:
        return " " * _INDENT + _painted(f"{line.label:<{_GUTTER}}", "label", colour) + body
    return _painted(body, line.kind, colour)


def _wrapped(row: str, room: int | None) -> list[str]:
    if room is None or len(row) <= room:
        return [row]
    return textwrap.wrap(row, room, break_long_words=False, break_on_hyphens=False) or [""]


def _painted(text: str, kind: str, colour: bool) -> str:
    if not colour:
        return text
    import click

    bold, dim = kind in ("good", "bad", "head"), kind == "faint"
    return click.style(text, fg=_COLOURS.get(kind), bold=bold or None, dim=dim or None)


def printable(text: str) -> str:
    """Control codes made visible: what a learner's code printed must not steer the terminal."""
    return "".join(c if c in "\n\t" or c.isprintable() or c == " " else repr(c)[1:-1] for c in text)


def table(rows: Sequence[Row], titles: dict[str, str], width: int | None = None) -> Table:
    """The table of progress, for rich. In less than 110 columns the places stand below the names."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    narrow = width is not None and width < 110
    made = Table(*HEADERS[:4], *(() if narrow else HEADERS[4:]), header_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for column in made.columns:
        column.overflow = "fold"
    made.columns[1].justify = "right"
    for column in made.columns[:2]:
        column.no_wrap = True
    colours = {PASSED: "green", IN_PROGRESS: "yellow", UNTOUCHED: "dim"}
    for chapter, part in by_chapter(rows):
        made.add_row(Text(heading(chapter, titles), style="bold"), Text(_share(part), style="bold"))
        for row in part:
            *texts, where = [Text(cell) for cell in cells(row)]
            texts[2].stylize(colours[row.state])
            if narrow:
                texts[0] = Text.assemble(texts[0], "\n  ", (where.plain, "dim"))
                made.add_row(*texts)
            else:
                made.add_row(*texts, where)
    return made


def by_chapter(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.chapter, []).append(row)
    return list(found.items())


def heading(chapter: str, titles: dict[str, str]) -> str:
    if not chapter:
        return "of no chapter"
    return f"{chapter}: {titles[chapter]}" if chapter in titles else chapter


def _share(rows: Sequence[Row]) -> str:
    return f"{sum(row.earned for row in rows)}/{sum(row.points for row in rows)}"


# ---- as HTML ------------------------------------------------------------------------------------------------------


def as_html(lines: Iterable[Line]) -> str:
    """The same lines for a notebook; everything that came from elsewhere is escaped."""
    parts = []
    for line in lines:
        label = f"<th scope='row' style='{_CELL}'>{html.escape(line.label)}</th>"
        body = html.escape(printable(line.text))
        if line.verbatim:
            body = f"<pre style='margin: 0; white-space: pre-wrap'>{body}</pre>"
        if line.label or line.kind == "more":
            style = f"{_CELL}; {_CSS.get(line.kind, '')}"
            parts.append(f"<tr>{label}<td style='{style}'>{body}</td></tr>")
        else:
            style = f"{_CELL}; {_CSS.get(line.kind, '')}"
            parts.append(f"<tr><td colspan='2' style='{style}'>{body}</td></tr>")
    return f"<table class='tinytorch-feedback' style='margin: 0'>{''.join(parts)}</table>"


_CELL = "text-align: left; vertical-align: top; white-space: normal"


def table_html(rows: Sequence[Row], titles: dict[str, str]) -> str:
    """The table of progress for a notebook."""
    head = "".join(f"<th scope='col' style='{_CELL}'>{name}</th>" for name in HEADERS)
    body = []
    for chapter, part in by_chapter(rows):
        name = html.escape(heading(chapter, titles))
        body.append(f"<tr><th scope='rowgroup' colspan='5' style='{_CELL}'>{name}, {_share(part)}</th></tr>")
        for row in part:
            shown = [html.escape(cell) for cell in cells(row)]
            shown[2] = f"<span style='{_CSS[_KIND[row.state]] if row.state == PASSED else ''}'>{shown[2]}</span>"
            body.append("<tr>" + "".join(f"<td style='{_CELL}'>{cell}</td>" for cell in shown) + "</tr>")
    return f"<table class='tinytorch-progress'><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
