"""Products of matrices."""

from __future__ import annotations

from typing import Any

from tinytorch import kernels
from tinytorch.autograd.op import Op
from tinytorch.exercise import exercise
from tinytorch.tensor import Tensor


class Mm(Op):
    """C = A B,  dA = dC Bᵀ,  dB = Aᵀ dC"""

    def forward(ctx, a, b):
        ctx.save(a, b)
        return kernels.of(a).mm(a, b)

    @exercise("autograd.mm_backward", points=3)
    def backward(ctx, dc: Any) -> tuple[Any, Any]:
        """The local derivative of the matrix product C = A @ B, times the gradient that arrives.

        Args:
            dc: gradient of the loss with respect to C, shape (N, M). `ctx.saved` is the pair (A, B), of shapes (N, K)
                and (K, M).

        Returns:
            The pair (dA, dB), of the shapes of A and B. Only `@` and `.T` are needed; the shapes allow one answer.

        Example: with A of shape (2, 3) and B of shape (3, 4), dc has shape (2, 4), dA (2, 3) and dB (3, 4).

        Source: "Deep Learning" (Goodfellow et al.), section 6.5; Petersen and Pedersen, "The Matrix Cookbook".
        """
        raise NotImplementedError


class Linear(Op):
    """y = x Wᵀ + b,  dx = dy W,  dW = dyᵀ x,  db = Σ dy"""

    label = "Addmm"

    def forward(ctx, x, weight, bias):
        ctx.save(x, weight)
        return kernels.of(x).linear(x, weight, bias)

    def backward(ctx, dy):
        x, weight = ctx.saved
        k = kernels.of(dy)
        needs_x, needs_weight, needs_bias = ctx.needs_input_grad
        rows = dy.reshape(-1, dy.shape[-1])  # (..., out) -> (N, out)
        dx = k.mm(rows, weight).reshape(x.shape) if needs_x else None
        dweight = k.mm(rows.T, x.reshape(-1, x.shape[-1])) if needs_weight else None
        return dx, dweight, (k.sum(rows, 0) if needs_bias else None)


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices, (N, K) @ (K, M) -> (N, M); no broadcasting."""
    a, b = input._array, mat2._array
    for name, x in (("self", a), ("mat2", b)):
        if x.ndim != 2:
            raise RuntimeError(f"{name} must be a matrix, got a tensor of {x.ndim} dimensions")
    if a.shape[1] != b.shape[0]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({a.shape[0]}x{a.shape[1]} and {b.shape[0]}x{b.shape[1]})"
        )
    return Mm.apply(input, mat2)


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x Wᵀ + b on the last dimension: (..., in) -> (..., out), weight (out, in), bias (out,)."""
    if input._array.shape[-1:] != weight._array.shape[-1:]:
        rows = input._array.size // max(input._array.shape[-1], 1) if input._array.ndim else 0
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({rows}x{input._array.shape[-1] if input._array.ndim else 0} and "
            f"{weight._array.shape[1]}x{weight._array.shape[0]})"
        )
    return Linear.apply(input, weight, bias)
