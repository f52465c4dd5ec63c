"""A small expression, its graph as the framework recorded it, and its way back as the engine really walked it.

The expression is computed with tinytorch. The graph is read from `grad_fn.next_functions`. Each local derivative is
what the node's own `backward` answers to a gradient of 1. The order of the steps and the gradients in them are noted by
hooks while `backward()` runs: a mistake in the engine is seen here as it is.
"""

from __future__ import annotations

import ast
import importlib
import re
import string
from dataclasses import dataclass, field
from typing import Any

from tinytorch.errors import CourseError

FUNCTIONS = ("exp", "log", "sqrt", "sigmoid", "tanh", "relu")
_SIGNS = {ast.Add: "+", ast.Sub: "−", ast.Mult: "·", ast.Div: "/", ast.Pow: "^"}
_POWERS = {"2": "²", "3": "³"}


@dataclass
class Box:
    """One node of the graph: the value that it made, and where its gradients go."""

    op: str  # AddBackward0, AccumulateGrad
    name: str = ""  # x, a, z
    formula: str = ""  # x + 2; empty for a leaf
    value: float | None = None
    edges: list[tuple[int, float]] = field(default_factory=list)  # (box it leads to, local derivative)

    @property
    def is_leaf(self) -> bool:
        return self.op == "AccumulateGrad"

    @property
    def title(self) -> str:
        return f"{self.name} = {self.formula}" if self.name and self.formula else self.name or self.op


@dataclass(frozen=True)
class Step:
    """One node runs: the gradient that has arrived at it, and what it sends over each of its edges."""

    box: int
    arrived: float
    sent: tuple[float | None, ...]


@dataclass
class Walk:
    """A graph and the steps of one backward pass through it; box 0 made the result."""

    expression: str
    boxes: list[Box]
    steps: list[Step]

    def gradient(self, box: int, step: int) -> float | None:
        """The sum of what has arrived at a box after `step` steps; before the first, the result holds its 1."""
        arrived = [1.0] if box == 0 else []
        for done in self.steps[:step]:
            for (to, _), sent in zip(self.boxes[done.box].edges, done.sent, strict=True):
                if to == box and sent is not None:
                    arrived.append(sent)
        return sum(arrived) if arrived else None

    def sentence(self, step: int) -> str:
        """What happens in a step, in words."""
        top = self.boxes[0].name or "the result"
        if step == 0:
            return f"Before the first step: the gradient of {top} with respect to itself is 1."
        now = self.steps[step - 1]
        box = self.boxes[now.box]
        if box.is_leaf:
            return f"Step {step}: {box.name} is a leaf. {number(now.arrived)} is added to {box.name}.grad."
        parts = []
        for (to, local), sent in zip(box.edges, now.sent, strict=True):
            if sent is not None:
                product = f"{number(now.arrived)} · {number(local)} = {number(sent)}"
                parts.append(f"{product} to {self.boxes[to].name or self.boxes[to].op}")
        return f"Step {step}: {box.title} has gradient {number(now.arrived)} and sends {', and '.join(parts)}."

    def rows(self) -> list[list[str]]:
        """The steps as rows of a table: number, node, gradient that arrived, what it does with it."""
        found = []
        for index, step in enumerate(self.steps, start=1):
            words = self.sentence(index).partition(" and sends ")[2] or self.sentence(index).partition("leaf. ")[2]
            words = words if self.boxes[step.box].is_leaf else f"sends {words}"
            found.append([str(index), self.boxes[step.box].title, number(step.arrived), words.rstrip(".")])
        return found


def number(value: float | None) -> str:
    """A number as the pictures show it: at most four digits after the point, a proper minus sign.

    >>> number(8.0), number(-0.25), number(1 / 3), number(None)
    ('8', '−0.25', '0.3333', '?')
    """
    if value is None:
        return "?"
    text = f"{value:.4f}".rstrip("0").rstrip(".") if abs(value) < 1e5 else f"{value:.3g}"
    return text.replace("-", "−") if text not in ("-0", "") else "0"


def trace(expression: str, **values: float) -> Walk:
    """Compute an expression such as `(x + 2)**2 + 3` with tinytorch, run `backward`, and note what happened.

    Several lines are parted by `;`, as in `a = 3*x; a*a + a`.

    >>> walk = trace("(x + 2)**2 + 3", x=2.0)
    >>> [walk.boxes[s.box].name for s in walk.steps], walk.steps[-1].arrived
    (['z', 'b', 'a', 'x'], 8.0)
    """
    torch: Any = importlib.import_module("tinytorch")
    try:
        lines = ast.parse(re.sub(r"\s*;\s*", "\n", expression.strip().replace("^", "**"))).body
    except SyntaxError as error:
        raise CourseError(f"{expression!r} is not an expression: {error.msg}") from None
    leaves = {n: torch.tensor(float(v), dtype=torch.float64, requires_grad=True) for n, v in values.items()}
    maker = _Maker(leaves)
    result: Any = None
    for line in lines:
        result = maker.run(line)
    if not isinstance(result, torch.Tensor) or result.grad_fn is None:
        raise CourseError(f"{expression!r} does not compute anything from {', '.join(values) or 'a variable'}")
    if not isinstance(lines[-1], ast.Assign):
        final = next(n for n in ("z", "f", "out", "result") if n not in maker.named)
        maker.known[result.grad_fn] = (final, *maker.known[result.grad_fn][1:])
    return walk(result, maker.known, {id(t): n for n, t in leaves.items()}, expression)


def walk(result: Any, known: dict[Any, tuple[str, str, float]], leaves: dict[int, str], expression: str) -> Walk:
    """Read the graph behind a scalar tensor, and run one real backward pass through it.

    Args:
        result: a tensor of one element with a `grad_fn`.
        known: for nodes whose value is known: name, formula, value.
        leaves: names of the leaves, by `id` of the tensor.
    """
    import numpy as np

    boxes, number_of, queue = [], {result.grad_fn: 0}, [result.grad_fn]
    for node in queue:
        made = known.get(node)
        box = Box(node.name().rpartition("::")[2], *(made or ()))
        boxes.append(box)
        if box.is_leaf:
            box.name, box.value = leaves.get(id(node.variable), "leaf"), node.variable.item()
            continue
        # 1 in, and out come the local derivatives: the node's own backward is asked.
        local = node.backward(np.asarray(1.0, result._array.dtype))
        for (following, _), slope in zip(node.next_functions, local if type(local) is tuple else (local,), strict=True):
            if following is not None:
                if following not in number_of:
                    number_of[following] = len(queue)
                    queue.append(following)
                box.edges.append((number_of[following], float(np.asarray(slope).reshape(()))))
    return Walk(expression, boxes, _steps(result, queue, number_of))


def _steps(result: Any, nodes: list[Any], number_of: dict[Any, int]) -> list[Step]:
    """Run `backward()` with a hook at every node; the leaves' `.grad` are afterwards what they were before."""
    steps: list[Step] = []
    handles, before = [], []

    def ran(node: Any) -> Any:
        def note(sent: tuple, arrived: tuple) -> None:
            kept = [None if g is None else g.item() for g, (to, _) in zip(sent, node.next_functions, strict=True) if to]
            steps.append(Step(number_of[node], arrived[0].item(), tuple(kept)))

        return note

    def reached(node: Any) -> Any:
        return lambda grad: steps.append(Step(number_of[node], grad.item(), ()))

    for node in nodes:
        if hasattr(node, "variable"):
            before.append((node.variable, node.variable.grad))
            node.variable.grad = None
            handles.append(node.variable.register_hook(reached(node)))
        else:
            handles.append(node.register_hook(ran(node)))
    try:
        result.backward(retain_graph=True)
    finally:
        for handle in handles:
            handle.remove()
        for leaf, grad in before:
            leaf.grad = grad
    return steps


class _Maker:
    """Computes an expression piece by piece, and remembers which node made which piece."""

    def __init__(self, leaves: dict[str, Any]) -> None:
        self.named: dict[str, Any] = dict(leaves)
        self.known: dict[Any, tuple[str, str, float]] = {}
        self.names = (letter for letter in string.ascii_lowercase if letter != "z" and letter not in self.named)

    def run(self, line: ast.stmt) -> Any:
        """One line: an expression, or `name = expression`."""
        match line:
            case ast.Expr(value=tree):
                return self.make(tree)[0]
            case ast.Assign(targets=[ast.Name(id=name)], value=tree) if name not in self.named:
                self.named[name] = made = self.make(tree)[0]
                if not isinstance(made, float) and made.grad_fn is not None:
                    self.known[made.grad_fn] = (name, *self.known[made.grad_fn][1:])
                return made
        raise CourseError(f"{ast.unparse(line)!r}: write an expression, or a new name = an expression")

    def make(self, tree: ast.expr) -> tuple[Any, str]:
        """The value of a piece (a tensor, or a number) and what it is called."""
        match tree:
            case ast.Constant(value=bool()):
                pass
            case ast.Constant(value=int() | float() as value):
                return float(value), number(value)
            case ast.Name(id=name) if name in self.named:
                return self.named[name], name
            case ast.Name(id=name):
                raise CourseError(f"{name!r} has no value: there are values for {', '.join(self.named) or 'nothing'}")
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                value, said = self.make(inner)
                return self.note(-value, f"−{said}")
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _SIGNS:
                (x, first), (y, second) = self.make(left), self.make(right)
                sign = _SIGNS[type(op)]
                said = f"{first} {sign} {second}"
                if sign == "^":
                    said = first + _POWERS.get(second, f" ^ {second}")
                return self.note(_apply(sign, x, y), said)
            case ast.Call(func=ast.Name(id=name), args=[inner], keywords=[]) if name in FUNCTIONS:
                value, said = self.make(inner)
                if isinstance(value, float):
                    raise CourseError(f"{name}({said}) has no variable in it")
                return self.note(getattr(value, name)(), f"{name}({said})")
        known = "numbers, the variables, + - * / **, and " + ", ".join(FUNCTIONS)
        raise CourseError(f"{ast.unparse(tree)!r} is not understood here. What is: {known}")

    def note(self, made: Any, formula: str) -> tuple[Any, str]:
        """Give a piece a name of its own; a piece made of plain numbers is a number."""
        if isinstance(made, float):
            return made, number(made)
        name = next(self.names)
        self.known[made.grad_fn] = (name, formula, made.item())
        return made, name


def _apply(sign: str, x: Any, y: Any) -> Any:
    if sign == "^" and not isinstance(y, float):
        raise CourseError("an exponent must be a number here")
    try:
        match sign:
            case "+":
                return x + y
            case "−":
                return x - y
            case "·":
                return x * y
            case "/":
                return x / y
            case _:
                return x**y
    except ZeroDivisionError:
        raise CourseError("this divides by zero") from None
