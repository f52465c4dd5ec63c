"""The stepper's data: they are those of the engine, and of finite differences."""

import math

import pytest

from tinytorch.autograd import engine
from tinytorch.course.widgets.layout import places
from tinytorch.course.widgets.trace import number, trace
from tinytorch.errors import CourseError

EXPRESSIONS = [
    ("(x + 2)**2 + 3", {"x": 2.0}, lambda x: (x + 2) ** 2 + 3),
    ("x*y + x", {"x": 3.0, "y": 5.0}, lambda x, y: x * y + x),
    ("a = 3*x; a*a + a", {"x": 2.0}, lambda x: (3 * x) ** 2 + 3 * x),
    ("exp(-x) / (1 + y*y) - sqrt(y)", {"x": 0.3, "y": 1.7}, lambda x, y: math.exp(-x) / (1 + y * y) - math.sqrt(y)),
    ("x*x*x", {"x": -1.5}, lambda x: x**3),
    ("sigmoid(x*y) * tanh(x - 2/y)", {"x": 0.5, "y": -1.2},
     lambda x, y: math.tanh(x - 2 / y) / (1 + math.exp(-x * y))),
]  # fmt: skip


@pytest.mark.parametrize("expression, values, f", EXPRESSIONS, ids=[e for e, _, _ in EXPRESSIONS])
def test_values_and_gradients_are_right(expression, values, f):
    walk = trace(expression, **values)
    assert walk.boxes[0].value == pytest.approx(f(**values))
    last = len(walk.steps)
    for index, box in enumerate(walk.boxes):
        if not box.is_leaf:
            continue
        up, down = values | {box.name: box.value + 1e-6}, values | {box.name: box.value - 1e-6}
        assert walk.gradient(index, last) == pytest.approx((f(**up) - f(**down)) / 2e-6, rel=1e-6)


@pytest.mark.parametrize("expression, values, f", EXPRESSIONS, ids=[e for e, _, _ in EXPRESSIONS])
def test_each_step_sends_what_has_arrived_times_the_local_derivative(expression, values, f):
    walk = trace(expression, **values)
    assert sorted(step.box for step in walk.steps) == list(range(len(walk.boxes)))
    for number_, step in enumerate(walk.steps):
        assert step.arrived == pytest.approx(walk.gradient(step.box, number_))
        for (_, local), sent in zip(walk.boxes[step.box].edges, step.sent, strict=True):
            assert sent == pytest.approx(step.arrived * local)


def test_the_walk_is_the_engines_own(monkeypatch: pytest.MonkeyPatch):
    """An engine that runs nodes in another order, or sends something else, is seen doing so."""
    right = [trace("x*y + x", x=3.0, y=5.0).boxes[s.box].name for s in trace("x*y + x", x=3.0, y=5.0).steps]
    order = engine.topological_order

    def leaves_exchanged(root):
        found = order(root)
        return [*found[:-2], found[-1], found[-2]]

    monkeypatch.setattr(engine, "topological_order", leaves_exchanged)
    walk = trace("x*y + x", x=3.0, y=5.0)
    assert [walk.boxes[s.box].name for s in walk.steps] == [*right[:-2], right[-1], right[-2]]

    monkeypatch.undo()
    run = engine.backward_pass

    def forgets_the_last_node(order, gradients):
        run(order[:-1], gradients)

    monkeypatch.setattr(engine, "backward_pass", forgets_the_last_node)
    assert len(trace("x*y + x", x=3.0, y=5.0).steps) == 3


def test_fan_out_is_summed_in_the_picture():
    walk = trace("x*y + x", x=3.0, y=5.0)
    x = next(i for i, box in enumerate(walk.boxes) if box.name == "x")
    assert [walk.gradient(x, step) for step in range(5)] == [None, 1.0, 6.0, 6.0, 6.0]


def test_names_formulas_and_sentences():
    walk = trace("a = 3*x; a*a + a", x=2.0)
    assert {box.title for box in walk.boxes} == {"z = b + a", "b = a · a", "a = 3 · x", "x"}
    assert walk.sentence(3) == "Step 3: a = 3 · x has gradient 13 and sends 13 · 3 = 39 to x."
    assert walk.sentence(4) == "Step 4: x is a leaf. 39 is added to x.grad."
    assert walk.rows()[-1] == ["4", "x", "39", "39 is added to x.grad"]


@pytest.mark.parametrize(
    "expression, values, said",
    [
        ("x +", {"x": 1}, "not an expression"),
        ("y + 1", {"x": 1}, "'y' has no value"),
        ("2 + 3", {"x": 1}, "does not compute anything"),
        ("x", {"x": 1}, "does not compute anything"),
        ("x ** y", {"x": 1, "y": 2}, "exponent must be a number"),
        ("open('f')", {"x": 1}, "not understood"),
        ("x.__class__", {"x": 1}, "not understood"),
        ("__import__('os')", {"x": 1}, "not understood"),
        ("exp(2)", {"x": 1}, "no variable in it"),
        ("import os", {"x": 1}, "write an expression"),
        ("", {"x": 1}, "does not compute anything"),
        ("x + 1 / 0", {"x": 1}, "divides by zero"),
        ("x + True", {"x": 1}, "not understood"),
    ],
)
def test_what_is_not_understood_is_said(expression, values, said):
    with pytest.raises(CourseError, match=said):
        trace(expression, **values)


def test_boxes_do_not_overlap_and_edges_lead_left():
    for expression, values, _ in EXPRESSIONS:
        walk = trace(expression, **values)
        where, paths, columns, rows = places(walk)
        everything = [*where, *(place for path in paths.values() for place in path)]
        assert len(set(everything)) == len(everything), expression
        assert all(0 <= column < columns for column, _ in everything)
        for box, described in enumerate(walk.boxes):
            for edge, (to, _) in enumerate(described.edges):
                way = [where[box][0], *(column for column, _ in paths[box, edge]), where[to][0]]
                assert way == sorted(way, reverse=True) and len(set(way)) == len(way)


def test_numbers_are_short():
    assert [number(v) for v in (-0.0, 1e-9, 2.5, -3.0, 123456789.0)] == ["0", "0", "2.5", "−3", "1.23e+08"]
