"""Functions that users write; the same program on PyTorch."""

from __future__ import annotations

from typing import Any

import pytest

import tinytorch
from tests.oracle import torch

COVERS = (
    "autograd.Function", "autograd.function.once_differentiable", "autograd.gradcheck", "autograd.gradgradcheck",
)  # fmt: skip
BOTH = pytest.mark.parametrize("T", [torch, tinytorch], ids=["torch", "tinytorch"])


@BOTH
def test_cube_and_its_second_derivative(T: Any) -> None:
    class Cube(T.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, scale: float) -> Any:
            ctx.save_for_backward(x)
            ctx.scale = scale
            return x**3 * scale

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            (x,) = ctx.saved_tensors
            assert ctx.needs_input_grad[0]
            return 3 * x**2 * ctx.scale * dy, None

    x = T.tensor([2.0, 3.0], dtype=T.float64, requires_grad=True)
    y = Cube.apply(x, 2.0)
    assert y.grad_fn.name() == "CubeBackward"
    (dx,) = T.autograd.grad(y.sum(), x, create_graph=True)
    assert dx.tolist() == [24.0, 54.0]
    assert T.autograd.grad(dx.sum(), x)[0].tolist() == [24.0, 36.0]
    assert T.autograd.gradcheck(lambda t: Cube.apply(t, 0.5), (x,))
    assert T.autograd.gradgradcheck(lambda t: Cube.apply(t, 0.5), (x,))


@BOTH
def test_two_outputs_one_without_gradient(T: Any) -> None:
    class Top(T.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            at = x.argmax()
            ctx.mark_non_differentiable(at)
            ctx.save_for_backward(at)
            ctx.n = len(x)
            return x[at] * 1, at

        @staticmethod
        def backward(ctx: Any, dy: Any, _: Any) -> Any:
            (at,) = ctx.saved_tensors
            dx = T.zeros(ctx.n)
            dx[at] = dy
            return dx

    x = T.tensor([1.0, 5.0, 2.0], requires_grad=True)
    value, at = Top.apply(x)
    assert value.requires_grad and not at.requires_grad and at.item() == 1
    (value * 3).backward()
    assert x.grad.tolist() == [0.0, 3.0, 0.0]


@BOTH
def test_setup_context(T: Any) -> None:
    class Double(T.autograd.Function):
        @staticmethod
        def forward(x: Any) -> Any:
            return x * 2

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.factor = 2

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy * ctx.factor

    x = T.ones(2, requires_grad=True)
    Double.apply(x).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


@BOTH
def test_wrong_number_of_gradients(T: Any) -> None:
    class Bad(T.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            return x + y

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy

    x = T.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"function BadBackward returned an incorrect number of gradients \(expected 2, got 1\)"):
        Bad.apply(x, x).sum().backward()


@BOTH
def test_once_differentiable(T: Any) -> None:
    class Once(T.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**2

        @staticmethod
        @T.autograd.function.once_differentiable
        def backward(ctx: Any, dy: Any) -> Any:
            return dy * 2 * ctx.saved_tensors[0]

    x = T.tensor([3.0], requires_grad=True)
    (dx,) = T.autograd.grad(Once.apply(x) * x, x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        dx.sum().backward()


@BOTH
def test_overwritten_saved_input_is_noticed(T: Any) -> None:
    class Square(T.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return 2 * ctx.saved_tensors[0] * dy

    x = T.ones(2, requires_grad=True) * 1
    y = Square.apply(x)
    x.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


@BOTH
def test_an_input_written_to_in_place(T: Any) -> None:
    class Double(T.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy * 2

    x = T.ones(2, requires_grad=True)
    y = x * 3
    z = Double.apply(y)
    assert z is y and y._version == 2 and y.grad_fn.name() == "DoubleBackward" and z.tolist() == [6.0, 6.0]
    z.sum().backward()
    assert x.grad.tolist() == [6.0, 6.0]
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad has been used in an in-place operation"):
        Double.apply(x)


@BOTH
@pytest.mark.parametrize("materialize", [True, False])
def test_gradients_of_outputs_that_nobody_used(T: Any, materialize: bool) -> None:
    seen: list = []

    class Two(T.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.set_materialize_grads(materialize)
            return x * 1, x * 2

        @staticmethod
        def backward(ctx: Any, da: Any, db: Any) -> Any:
            seen.append(db)
            return da

    x = T.ones(2, requires_grad=True)
    Two.apply(x)[0].sum().backward()
    assert (seen[0].tolist() == [0.0, 0.0]) if materialize else seen[0] is None


@BOTH
def test_anomaly_mode_may_leave_nan_alone(T: Any) -> None:
    with pytest.warns(UserWarning), T.autograd.detect_anomaly(check_nan=False):
        assert T.is_anomaly_enabled() and not T.is_anomaly_check_nan_enabled()
        x = T.tensor([-1.0], requires_grad=True)
        x.sqrt().sum().backward()
    assert str(x.grad.tolist()[0]) == "nan"
