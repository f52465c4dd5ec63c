"""The instruments: what they show with a kernel and without one."""

import json
import re

import pytest

from tinytorch.course import catalog
from tinytorch.course.widgets import Dashboard, Quiz, Stepper, column_sums, digits, machine, palette, quiz, slope
from tinytorch.course.widgets.svg import Canvas, Picture
from tinytorch.errors import CourseError

WIDGET = "application/vnd.jupyter.widget-view+json"


def find(widget, kind: str) -> list:
    found = [widget] if type(widget).__name__ == kind else []
    return found + [f for child in getattr(widget, "children", ()) for f in find(child, kind)]


@pytest.mark.parametrize("colour", palette.TEXT_ON_PAPER)
@pytest.mark.parametrize("ground", [palette.PAPER, palette.PALE, palette.AMBER])
def test_text_can_be_read(colour: str, ground: str):
    assert palette.contrast(colour, ground) >= 4.5


@pytest.mark.parametrize("colour", palette.STROKES_ON_PAPER)
def test_lines_can_be_seen(colour: str):
    assert palette.contrast(colour, palette.PAPER) >= 3


def test_contrast_is_that_of_the_standard():
    assert palette.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_stepper_buttons_slider_and_picture():
    stepper = Stepper("(x + 2)**2 + 3", x=2.0)
    bundle = stepper._repr_mimebundle_()
    assert WIDGET in bundle
    (slider,) = find(stepper._controls, "IntSlider")
    back, forward = find(stepper._controls, "Button")
    assert (slider.value, slider.max) == (0, 4)
    for _ in range(3):
        forward.click()
    assert slider.value == 3 and "8 · 1 = 8" in stepper._picture.value
    back.click()
    assert slider.value == 2 and "1 · 8 = 8" in stepper._picture.value
    for _ in range(9):
        forward.click()
    assert slider.value == 4 and "x.grad 8" in stepper._picture.value
    for _ in range(9):
        back.click()
    assert slider.value == 0


def test_stepper_takes_an_expression_of_ones_own_and_survives_nonsense():
    stepper = Stepper("(x + 2)**2 + 3", x=2.0)
    stepper._repr_mimebundle_()
    stepper._formula.value = "x*y +"
    assert "Not understood" in stepper._said.value and stepper.walk.expression == "(x + 2)**2 + 3"
    stepper._given.value = "x=3, y=5"
    stepper._formula.value = "x*y + x"
    assert stepper._said.value == "" and stepper._slider.max == 4
    stepper._slider.value = 4
    assert "x.grad 6" in stepper._picture.value
    stepper._given.value = "x=three"
    assert "Not understood" in stepper._said.value
    stepper._given.value = "x=0, y=1"
    stepper._formula.value = "y / x"
    assert stepper._slider.max == 3


def test_without_a_kernel_the_stepper_is_a_picture_and_a_table():
    bundle = Stepper("x*y + x", x=3.0, y=5.0)._repr_mimebundle_()
    html = bundle["text/html"]
    assert "<script" not in html and re.search('<img alt="Graph of x[*]y [+] x, from left to right: [^"]{80,}"', html)
    assert html.count("<tr>") == 5 and "6 is added to x.grad" in html
    assert "Step 2: a = x · y has gradient 1" in bundle["text/plain"]


def test_current_and_done_boxes_are_told_in_words_too():
    svg = Stepper("(x + 2)**2 + 3", x=2.0).picture(3).canvas.svg()
    assert svg.count("▶ now") == 1 and svg.count("✓ done") == 2


def test_a_learners_unfinished_engine_says_so(monkeypatch: pytest.MonkeyPatch):
    from tinytorch.autograd import engine

    stepper = Stepper("x*x", x=3.0)
    stepper._repr_mimebundle_()

    def unfinished(order, gradients):
        raise NotImplementedError("backward_pass is yours to write")

    monkeypatch.setattr(engine, "backward_pass", unfinished)
    stepper._formula.value = "x*x*x"
    assert "yours to write" in stepper._said.value


def test_dashboard_counts_and_draws():
    board = Dashboard(4, "Digits", live=False)
    for epoch in board:
        board.log(1.0 / (epoch + 1), accuracy=0.5)
    assert board.words() == "Digits: epoch 4 of 4, loss 1.0000 at first, 0.2500 now, accuracy 0.5000"
    html = board._repr_mimebundle_()["text/html"]
    assert html.count("<tr>") == 5 and 'alt="Digits: epoch 4 of 4' in html


def test_dashboard_without_losses_and_with_a_diverging_one():
    assert "epoch 0 of 3" in Dashboard(3, live=False).canvas().alt
    board = Dashboard(3, live=False)
    for loss in (1.0, float("inf"), float("nan")):
        board.log(loss)
    assert "nan now" in board.canvas().svg()


def test_quiz_explains_every_choice():
    asked = Quiz("2 + 2?", {"4": "Yes.", "22": "That joins digits."}, right="4")
    bundle = asked._repr_mimebundle_()
    (radio,) = find(asked._box, "RadioButtons")
    said = find(asked._box, "HTML")[-1]
    assert radio.value is None and WIDGET in bundle
    radio.value = "22"
    assert "Not quite. That joins digits." in said.value
    radio.value = "4"
    assert "Right. Yes." in said.value
    assert "<details>" in bundle["text/html"] and "That joins digits." in bundle["text/html"]
    with pytest.raises(ValueError, match="not among the choices"):
        Quiz("2 + 2?", {"4": "Yes."}, right="5")


QUIZZES = sorted((catalog.root() / "exercises" / "quizzes").glob("*.json"))


@pytest.mark.parametrize("path", QUIZZES, ids=lambda path: path.stem)
def test_stored_questions_explain_every_choice(path):
    found = {name: quiz(path.stem, name) for name in json.loads(path.read_text(encoding="utf-8"))}
    assert len(found) == 3
    for asked in found.values():
        assert len(asked.choices) >= 3 and all(len(said) > 15 for said in asked.choices.values())
    with pytest.raises(CourseError, match="has no question"):
        quiz(path.stem, "no such")


@pytest.mark.parametrize(
    "picture",
    [
        digits([[[0, 1], [1, 0]]] * 3, [1, 2, 3], [1, 2, 4]),
        slope(lambda x: x * x, 1, 2, -2, 2, "x²"),
        machine(("fill in", "a stub"), ("check", "it")),
        column_sums([[1, 2], [3, 4]]),
    ],
    ids=["digits", "slope", "machine", "column_sums"],
)
def test_still_pictures_have_words_and_are_always_the_same(picture: Picture):
    bundle = picture._repr_mimebundle_()
    assert len(picture.canvas.alt) > 20 and picture.canvas.alt in bundle["text/plain"]
    assert bundle == picture._repr_mimebundle_() and "<img alt=" in bundle["text/html"]


def test_a_wrong_digit_is_marked_in_words():
    assert "✗ said 4" in digits([[[0, 1], [1, 0]]], [3], [4]).canvas.svg()


def test_words_in_pictures_are_escaped():
    canvas = Canvas(10, 10, 'a "quoted" <alt>')
    canvas.text(1, 1, "<b>")
    assert "<b>" not in canvas.svg() and "&lt;b&gt;" in canvas.svg() and '"quoted"' not in canvas.svg()
