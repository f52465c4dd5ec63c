"""The tools around notebooks: running and tidying them, rounding, banners, cards, counting calls."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.machine import ROOT
from tinytorch.course import notebooks, show
from tinytorch.errors import CourseError


def cell(source: str, **more: object) -> dict:
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None, **more}


def notebook(*cells: dict) -> dict:
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def test_tidy_keeps_good_ids_and_replaces_random_ones():
    made = notebooks.tidy(
        notebook(
            cell("x = 1", id="my-cell"), cell("print(x)", id="3f2a9c1b"), cell("print(x)"), cell("y", id="my-cell")
        )
    )
    assert [c["id"] for c in made["cells"]] == ["my-cell", "print-x", "print-x-2", "y"]
    again = notebooks.tidy(json.loads(json.dumps(made)))
    assert again == made


def test_tidy_joins_streams_and_counts_cells():
    pieces = [{"output_type": "stream", "name": "stdout", "text": part} for part in ("a", "b\n", "c\n")]
    made = notebooks.tidy(notebook(cell("f()", outputs=pieces, execution_count=7), cell("g()")))
    assert [o["text"] for o in made["cells"][0]["outputs"]] == [["ab\n", "c\n"]]
    assert [c["execution_count"] for c in made["cells"]] == [1, 2]


def test_tidy_takes_widgets_out_and_refuses_one_without_a_still_picture():
    shown = {"output_type": "display_data", "data": {notebooks.WIDGET: {}, "text/html": "<p>"}, "metadata": {}}
    made = notebooks.tidy(notebook(cell("w", outputs=[shown])))
    assert made["cells"][0]["outputs"][0]["data"] == {"text/html": "<p>"}
    blind = {"output_type": "display_data", "data": {notebooks.WIDGET: {}, "text/plain": "Box()"}, "metadata": {}}
    with pytest.raises(CourseError, match="still picture"):
        notebooks.tidy(notebook(cell("w", outputs=[blind])))


def test_run_executes_and_is_the_same_each_time(tmp_path: Path):
    path = tmp_path / "small.ipynb"
    title = {"cell_type": "markdown", "id": "title", "metadata": {}, "source": "# Small"}
    notebooks.write(path, notebook(title, cell("print(1 + 1)", id="sum"), cell("2 * 3", id="product")))
    first = notebooks.run(path)
    assert first["cells"][1]["outputs"][0]["text"] == ["2\n"]
    assert first["cells"][2]["outputs"][0]["data"]["text/plain"] in ("6", ["6"])
    notebooks.write(path, first)
    before = path.read_bytes()
    notebooks.write(path, notebooks.run(path))
    assert path.read_bytes() == before


def test_committed_notebooks_are_tidy():
    for path in notebooks.all_notebooks():
        text = path.read_text(encoding="utf-8")
        made = notebooks.tidy(json.loads(text))
        assert json.dumps(made, indent=1, ensure_ascii=False, sort_keys=True) + "\n" == text, path.relative_to(ROOT)


def test_rounded_has_no_minus_zero_and_keeps_shapes():
    import tinytorch

    assert repr(show.rounded(-1e-9)) == "0.0"
    assert show.rounded(np.array([[1 / 3, 2]])) == [[0.3333, 2.0]]
    assert show.rounded(tinytorch.tensor([0.1, 0.2], requires_grad=True)) == [0.1, 0.2]
    assert show.rounded({"a": (1, 2.00004)}) == {"a": (1, 2.0)}


@pytest.mark.parametrize(
    "states, words",
    [
        (["reference"] * 3, "3 of 3 reference bodies"),
        (["yours", "reference", "reference"], "1 of 3 functions of your own and 2 of 3 reference bodies. Yours: a.0"),
        (["yours"] * 3, "your own code, all 3 of 3"),
        (["yours", "nobody's"], "Written by nobody yet: a.1"),
        ([], "no exercises"),
    ],
)
def test_banner_says_whose_code_runs(states: list[str], words: str):
    banner = show.Banner({f"a.{i}": state for i, state in enumerate(states)})
    assert words in banner.words() and words.split(":")[0] in banner._repr_html_().replace("&#x27;", "'")


def test_whose_counts_the_exercises_of_the_topic():
    from tinytorch.course import catalog

    assert set(show.whose("autograd").states) == {entry.id for entry in catalog.exercises("04_autograd")}


def test_task_names_the_line_of_the_stub():
    from tinytorch.course import catalog

    for entry in catalog.exercises("04_autograd"):
        card = show.task(entry.id)
        path, _, line = card.where.partition(":")
        stub = (ROOT / path).read_text(encoding="utf-8").splitlines()[int(line) - 1]
        assert f'@exercise("{entry.id}"' in stub
        assert f"about {card.minutes}" in repr(card) and card.id in card._repr_html_()


def test_calls_counts_what_one_backward_pass_uses():
    import tinytorch

    x = tinytorch.tensor([3.0], requires_grad=True)
    (x * x + x).backward()  # now every body is settled
    with show.calls("autograd") as counted:
        (x * x + x).backward()
    assert counted.counts["autograd.mul_backward"] == 1
    assert counted.counts["autograd.topological_order"] == 1
    assert counted.counts["autograd.backward_pass"] == 1
    assert counted.counts["autograd.accumulate_grad"] == 1
    assert counted.counts["autograd.mm_backward"] == 0
    assert "autograd.mm_backward" in repr(counted) and "not called" in repr(counted)
