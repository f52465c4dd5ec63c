"""The lessons in a real JupyterLab in a real Chromium: run them, press play, step, choose, and see the right thing.

With TINYTORCH_SCREENSHOTS=folder the pages are also kept as pictures, for somebody to look at.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.page import Lab, errors, run_all
from tinytorch.course.widgets.palette import contrast

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
LESSON = "notebooks/04_autograd.ipynb"
START = "notebooks/00_start_here.ipynb"


def keep(page: Any, name: str, locator: Any = None) -> bytes:
    """A picture of the page or of a part of it, kept where one is asked for."""
    picture = (locator or page).screenshot()
    folder = os.environ.get("TINYTORCH_SCREENSHOTS")
    if folder:
        Path(folder, f"{name}.png").write_bytes(picture)
    return picture


@pytest.fixture(scope="module")
def lesson(lab: Lab, chromium: Any) -> Iterator[Any]:
    """Lesson 04, all cells run in the browser."""
    page = lab.open(chromium, LESSON)
    keep(page, "04-top")
    run_all(page)
    yield page
    page.close()


def test_before_anything_runs_the_committed_pictures_are_shown(lab: Lab, chromium: Any):
    page = lab.open(chromium, LESSON, width=800)
    cell = lab.cell(page, LESSON, "play-stepper")
    cell.scroll_into_view_if_needed()
    image = cell.locator("img")
    assert "Graph of (x + 2)**2 + 3" in image.get_attribute("alt")
    assert image.evaluate("image => image.complete && image.naturalWidth > 0")
    box = image.bounding_box()
    assert box["width"] <= 760, "the picture is wider than a page of 800 pixels"
    assert "model not found" not in page.locator(".jp-Notebook").inner_text()
    keep(page, "04-still-800")
    page.close()


def test_all_cells_run_without_an_error(lesson: Any):
    assert errors(lesson) == []


def test_the_stepper_walks_step_by_step(lab: Lab, lesson: Any):
    cell = lab.cell(lesson, LESSON, "play-stepper")
    cell.scroll_into_view_if_needed()
    said = cell.locator("p[aria-live]")
    assert "Before the first step" in said.inner_text()
    step, back = (cell.get_by_role("button", name=name, exact=True) for name in ("Step", "Back"))
    for _ in range(3):
        step.click()
    cell.get_by_text("Step 3: a = x + 2 has gradient 8 and sends 8 · 1 = 8 to x.").wait_for()
    assert "8 · 1 = 8" in cell.locator("svg[role=img]").inner_html()
    keep(lesson, "04-stepper-step-3", cell)
    back.click()
    cell.get_by_text("Step 2: b = a² has gradient 1 and sends 1 · 8 = 8 to a.").wait_for()


def test_play_runs_to_the_end_by_itself(lab: Lab, lesson: Any):
    cell = lab.cell(lesson, LESSON, "play-stepper")
    cell.locator(".widget-play button, .jupyter-widget-play button").first.click()
    cell.get_by_text("Step 4: x is a leaf. 8 is added to x.grad.").wait_for(timeout=20_000)
    assert "x.grad 8" in cell.locator("svg[role=img]").inner_html()
    keep(lesson, "04-stepper-end", cell)


def test_the_stepper_is_usable_with_the_keyboard(lab: Lab, lesson: Any):
    cell = lab.cell(lesson, LESSON, "play-stepper")
    back = cell.get_by_role("button", name="Back", exact=True)
    for _ in range(6):
        back.focus()
        lesson.keyboard.press("Space")
    cell.get_by_text("Before the first step").wait_for()
    lesson.keyboard.press("Tab")
    assert lesson.evaluate("document.activeElement.textContent") == "Step"
    lesson.keyboard.press("Enter")
    cell.get_by_text("Step 1: z = b + 3").wait_for()


def test_an_expression_of_ones_own(lab: Lab, lesson: Any):
    cell = lab.cell(lesson, LESSON, "play-stepper")
    formula, values = cell.locator("input[type=text]").all()[:2]
    values.fill("x=3, y=5")
    values.press("Enter")
    formula.fill("x*y + x")
    formula.press("Enter")
    step = cell.get_by_role("button", name="Step", exact=True)
    cell.get_by_text("Before the first step").wait_for()
    for _ in range(4):
        step.click()
    cell.get_by_text("Step 4: x is a leaf. 6 is added to x.grad.").wait_for()
    keep(lesson, "04-stepper-own", cell)
    formula.fill("x +")
    formula.press("Enter")
    cell.get_by_role("alert").get_by_text("Not understood").wait_for()


def test_training_drew_its_curve(lab: Lab, lesson: Any):
    cell = lab.cell(lesson, LESSON, "train-run")
    cell.scroll_into_view_if_needed()
    assert re.match(r"Digits: epoch 20 of 20, loss \d", cell.locator("img").get_attribute("alt"))
    assert "True" in lab.cell(lesson, LESSON, "train-accuracy").inner_text()
    keep(lesson, "04-training", cell)


def test_a_quiz_explains_a_wrong_choice_and_the_right_one(lab: Lab, lesson: Any):
    cell = lab.cell(lesson, LESSON, "quiz-shape")
    cell.scroll_into_view_if_needed()
    cell.get_by_label("(5, 3)", exact=True).click()
    cell.get_by_text("Not quite. That is the shape of z.").wait_for()
    cell.get_by_label("(5, 1)", exact=True).click()
    cell.get_by_text("Right. What was stretched forward").wait_for()
    keep(lesson, "04-quiz", cell)


@pytest.mark.parametrize("width", [1280, 800])
def test_start_here_runs_and_nothing_is_cut_off(lab: Lab, chromium: Any, width: int):
    page = lab.open(chromium, START, width=width)
    run_all(page)
    assert errors(page) == []
    for image in page.locator(".jp-OutputArea img").all():
        assert image.bounding_box()["width"] <= width
    keep(page, f"00-{width}")
    page.close()


def test_it_can_be_read_in_the_dark_theme(lab: Lab, lesson: Any):
    """Words outside of pictures take the theme's colours; pictures bring their own paper."""
    lesson.locator(".lm-MenuBar-item", has_text=re.compile("^Settings$")).click()
    lesson.locator(".lm-Menu-item", has_text=re.compile("^Theme$")).hover()
    lesson.locator(".lm-Menu-item", has_text=re.compile("^JupyterLab Dark$")).click()
    lesson.wait_for_selector("body[data-jp-theme-light='false']", state="attached")
    cell = lab.cell(lesson, LESSON, "adding-picture")
    cell.scroll_into_view_if_needed()
    said = cell.locator("p[aria-live]")
    lesson.wait_for_function("getComputedStyle(document.body).getPropertyValue('--jp-layout-color0').trim() == '#111'")
    red, green, blue = map(int, re.findall(r"\d+", said.evaluate("p => getComputedStyle(p).color"))[:3])
    assert contrast(f"#{red:02x}{green:02x}{blue:02x}", "#111111") >= 4.5
    keep(lesson, "04-dark")
