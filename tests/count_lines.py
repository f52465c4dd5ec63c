"""Count the lines of each room; `python -m tests.count_lines --write` puts them into the README.

Only lines that hold code or prose count: blank lines do not. Numbers are rounded to two digits.
"""

import sys
from pathlib import Path

from tests.machine import ROOT

BEGIN, END = "<!-- lines: begin -->", "<!-- lines: end -->"
ROOMS = {
    "framework": ("tinytorch", lambda path: "course" not in path.parts),
    "course": ("tinytorch/course", lambda path: True),
    "questions": ("exercises", lambda path: True),
    "reference answers": ("solutions", lambda path: True),
    "tests": ("tests", lambda path: True),
}


def lines_of(path: Path) -> int:
    return sum(bool(line.strip()) for line in path.read_text(encoding="utf-8").splitlines())


def count() -> dict[str, tuple[int, int]]:
    """(files, lines) of the Python files of each room."""
    result = {}
    for room, (folder, belongs) in ROOMS.items():
        paths = [p for p in (ROOT / folder).rglob("*.py") if belongs(p.relative_to(ROOT))]
        result[room] = len(paths), sum(map(lines_of, paths))
    return result


def rounded(number: int) -> int:
    """To two digits: 12,345 is told as 12,000 and 987 as 990."""
    return round(number, 2 - len(str(number))) if number >= 100 else number


def table() -> str:
    rows = [f"| {room} | {files} | {rounded(lines):,} |" for room, (files, lines) in count().items()]
    return "\n".join(["| Python | files | lines, about |", "|---|---:|---:|", *rows])


def main() -> None:
    if sys.argv[1:] == ["--write"]:
        readme = ROOT / "README.md"
        text = readme.read_text(encoding="utf-8")
        head, rest = text.split(BEGIN)
        tail = rest.split(END)[1]
        readme.write_text(f"{head}{BEGIN}\n{table()}\n{END}{tail}", encoding="utf-8")
    print(table())


if __name__ == "__main__":
    main()
