"""What every notebook of the course must be: headings in order, alternative texts, outputs, ids, all its parts."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.machine import ROOT
from tinytorch.course import catalog, notebooks

NOTEBOOKS = notebooks.all_notebooks()
LESSONS = [path for path in NOTEBOOKS if path.parent.name == "notebooks"]
WORDLESS = {"image/png", "image/jpeg", "image/svg+xml"}  # shown without an alternative text
MAY_VARY = r"(?m)^(whose\(|task\(|%check|%progress)|Dashboard|wrong = |perf_counter"
ERRATA_HERE = {"00_start_here": {1, 2}, "04_autograd": {3, 4, 37, 38, 39, 101, 102}}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def cells(path: Path, kind: str) -> list[dict]:
    return [cell for cell in read(path)["cells"] if cell["cell_type"] == kind]


def text(cell: dict) -> str:
    return "".join(cell["source"])


def headings(path: Path) -> list[tuple[int, str]]:
    prose = re.sub(r"(?ms)^```.*?^```", "", "\n".join(text(cell) for cell in cells(path, "markdown")))
    return [(len(marks), words) for marks, words in re.findall(r"(?m)^(#+) (.+)$", prose)]


def test_the_two_lessons_and_the_sheet_are_there():
    assert {"notebooks/00_start_here.ipynb", "notebooks/04_autograd.ipynb", "exercises/04_autograd.ipynb"} <= {
        name(path) for path in NOTEBOOKS
    }


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_one_heading_first_and_no_level_skipped(path: Path):
    first = read(path)["cells"][0]
    assert first["cell_type"] == "markdown" and text(first).startswith("# ")
    levels = [level for level, _ in headings(path)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False)), levels


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_small_executed_in_order_with_outputs(path: Path):
    assert path.stat().st_size < 1_000_000
    code = cells(path, "code")
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert sum(bool(cell["outputs"]) for cell in code) >= len(code) / 2
    for cell in code:
        for output in cell["outputs"]:
            assert output["output_type"] != "error", f"{cell['id']} ended in {output.get('ename')}"
            assert output.get("name") != "stderr", f"{cell['id']} wrote to stderr: {output['text']}"
            assert notebooks.WIDGET not in output.get("data", {}), f"{cell['id']} shows nothing without a kernel"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_ids_are_words_and_unique(path: Path):
    ids = [cell["id"] for cell in read(path)["cells"]]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z][a-z0-9_-]{1,63}", id) for id in ids), ids


class Images(HTMLParser):
    """Collects the alternative texts of images and pictures in HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str | None] = []

    def handle_starttag(self, tag: str, attributes: list) -> None:
        if tag == "img":
            self.texts.append(dict(attributes).get("alt"))
        if tag == "svg":
            self.texts.append(dict(attributes).get("aria-label"))


def alternative_texts(html: str) -> list[str | None]:
    parser = Images()
    parser.feed(html)
    return parser.texts


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_every_figure_has_an_alternative_text(path: Path):
    for cell in read(path)["cells"]:
        found = alternative_texts(text(cell)) if cell["cell_type"] == "markdown" else []
        if cell["cell_type"] == "markdown":
            found += re.findall(r"!\[([^\]]*)\]\(", text(cell))
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            found += alternative_texts("".join(data.get("text/html", "")))
            assert not set(data) & WORDLESS, f"{cell['id']}: a picture without words"
        assert all(words and len(words) > 20 for words in found), f"{cell['id']}: {found}"


def test_alternative_texts_are_found():
    assert alternative_texts('<img src="x"><svg aria-label="y"></svg><img alt="z" src="">') == [None, "y", "z"]


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_a_lesson_has_its_parts(path: Path):
    parts = [words for level, words in headings(path) if level == 2]
    assert parts[-3:] == ["Myth and fact", "In PyTorch", "Closing"]
    source = "\n".join(text(cell) for cell in cells(path, "code"))
    assert "whose(" in source and source.count("quiz(") == 3
    assert re.search(r"\d+ minutes", text(read(path)["cells"][0]))


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_its_myths_are_told(path: Path):
    told = set()
    for cell in cells(path, "code"):
        told |= set(cell["metadata"].get("tinytorch", {}).get("errata", ()))
    assert ERRATA_HERE.get(path.stem, set()) <= told


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_few_outputs_are_left_uncompared(path: Path):
    """Only those meant to change: whose code runs, what a check says, the training itself, and times."""
    for cell in cells(path, "code"):
        tags = cell["metadata"].get("tags", [])
        if "nbval-ignore-output" in tags:
            assert re.search(MAY_VARY, text(cell)), text(cell)
        assert "NBVAL" not in text(cell) and set(tags) <= {"nbval-ignore-output", "tinytorch-only"}


def test_the_sheet_has_one_cell_for_each_exercise():
    for path in NOTEBOOKS:
        if path.parent.name != "exercises":
            continue
        known = [cell for cell in cells(path, "code") if "tinytorch" in cell["metadata"]]
        marked = {cell["metadata"]["tinytorch"]["exercise"]: cell["id"] for cell in known}
        assert list(marked) and set(marked) == {entry.id for entry in catalog.exercises(path.stem)}
        assert all(id == f"check-{exercise.replace('.', '-')}" for exercise, id in marked.items())
        for cell in cells(path, "code"):
            if cell["id"] in marked.values():
                assert cell["outputs"] and not cell["metadata"].get("tags"), cell["id"]
                assert "NBVAL" not in text(cell), cell["id"]


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_every_exercise_of_the_chapter_is_set_and_checked_in_its_lesson(path: Path):
    source = "\n".join(text(cell) for cell in cells(path, "code"))
    for entry in catalog.exercises(path.stem):
        assert f'task("{entry.id}")' in source and f"%check {entry.id}" in source, entry.id


@pytest.mark.parametrize("chapter", [c.name for c in catalog.chapters()])
def test_questions_point_to_headings_that_exist(chapter: str):
    known = {words for _, words in headings(ROOT / "notebooks" / f"{chapter}.ipynb")}
    for question in catalog.load(chapter).questions.values():
        wanted = {question.lesson, *(m.lesson for m in question.misconceptions if m.lesson)}
        assert wanted <= known, f"{question.id}: {wanted - known}"
