"""Products of matrices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch import kernels
from tinytorch.autograd.op import Op
from tinytorch.exercise import exercise
from tinytorch.ops.out import with_out
from tinytorch.ops.promotion import kind_name, need_tensors
from tinytorch.ops.shape import common_shape
from tinytorch.tensor import Tensor


class Mm(Op):
    """C = A B,  dA = dC Bᵀ,  dB = Aᵀ dC"""

    def forward(ctx, a, b):
        ctx.save(a, b)
        if a.dtype.kind == "V":
            ctx._fit = ((a.shape, a.dtype), (b.shape, b.dtype))  # NumPy's @ of bfloat16 gives float32
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


class Matmul(Op):
    """C = A B for stacks of matrices,  dA = dC Bᵀ,  dB = Aᵀ dC; stacks broadcast"""

    label = "UnsafeView"

    def forward(ctx, a, b):
        ctx.save(a, b)
        if a.shape[:-2] != b.shape[:-2]:
            ctx._fit = ((a.shape, a.dtype), (b.shape, b.dtype))
        return kernels.of(a).matmul(a, b)

    def backward(ctx, dc):
        a, b = ctx.saved
        k = kernels.of(dc)
        needs_a, needs_b = ctx.needs_input_grad
        return (
            k.matmul(dc, k.transpose(b, -1, -2)) if needs_a else None,
            k.matmul(k.transpose(a, -1, -2), dc) if needs_b else None,
        )


class Bmm(Matmul):
    """C = A B for each pair of a batch"""

    label = "Bmm"


class MatmulFolded(Op):
    """C = A B for a stack A and one matrix B: the rows of all of A in one product"""

    label = "UnsafeView"

    def forward(ctx, a, b):
        ctx.save(a, b)
        rows = a.reshape(-1, a.shape[-1]) if a.size else a.reshape(math.prod(a.shape[:-1]), a.shape[-1])
        return kernels.of(a).mm(rows, b).reshape(*a.shape[:-1], b.shape[-1])

    def backward(ctx, dc):
        a, b = ctx.saved
        k = kernels.of(dc)
        needs_a, needs_b = ctx.needs_input_grad
        n = math.prod(dc.shape[:-1])
        rows = dc.reshape((n, dc.shape[-1]))  # (..., M) -> (N, M)
        return (
            k.mm(rows, b.T).reshape(a.shape) if needs_a else None,
            k.mm(a.reshape((n, a.shape[-1])).T, rows) if needs_b else None,
        )


class Mv(Op):
    """y = A x, also for a stack of matrices,  dA = dy xᵀ,  dx = Aᵀ dy"""

    def forward(ctx, a, x):
        ctx.save(a, x)
        if a.ndim > 2:
            ctx.label = "UnsafeView"
        return kernels.of(a).matmul(a, x)

    def backward(ctx, dy):
        a, x = ctx.saved
        k = kernels.of(dy)
        n = math.prod(dy.shape)
        return dy.reshape((*dy.shape, 1)) * x, k.matmul(a.reshape((n, x.shape[0])).T, dy.reshape((n,)))


class Vm(Op):
    """y = x A,  dx = A dy,  dA = x dyᵀ"""

    label, variant = "Squeeze", 4

    def forward(ctx, x, a):
        ctx.save(x, a)
        return kernels.of(a).matmul(x, a)

    def backward(ctx, dy):
        x, a = ctx.saved
        return kernels.of(dy).matmul(a, dy), x.reshape((x.shape[0], 1)) * dy


class Dot(Op):
    """y = Σ a b,  da = dy b,  db = dy a"""

    def forward(ctx, a, b):
        ctx.save(a, b)
        return np.asarray(kernels.of(a).matmul(a, b))

    def backward(ctx, dy):
        a, b = ctx.saved
        return dy * b, dy * a


class Vdot(Dot):
    """y = Σ a b,  da = dy b,  db = dy a"""


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


@with_out
def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices, (N, K) @ (K, M) -> (N, M); no broadcasting."""
    need_tensors("mm", input=input, mat2=mat2)
    a, b = input._array, mat2._array
    for name, x in (("self", a), ("mat2", b)):
        if x.ndim != 2:
            raise RuntimeError(f"{name} must be a matrix, got a tensor of {x.ndim} dimensions")
    check_product(input, mat2)
    return Mm.apply(input, mat2)


def check_product(first: Tensor, second: Tensor) -> None:
    """The rules of mm: inner lengths equal (rows of a stack counted together), dtypes equal, no bools."""
    a, b = first._array, second._array
    if a.shape[-1] != b.shape[0]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({math.prod(a.shape[:-1])}x{a.shape[-1]} and "
            f"{b.shape[0]}x{b.shape[1]})"
        )
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"expected m1 and m2 to have the same dtype, but got: {_c_name(first)} != {_c_name(second)}"
        )
    if a.dtype.kind == "b":
        raise NotImplementedError("\"addmm_impl_cpu_\" not implemented for 'Bool'")


def _c_name(x: Tensor) -> str:
    """How C++ calls the type of the elements, as this message does."""
    return {"float32": "float", "float64": "double", "float16": "c10::Half", "bfloat16": "c10::BFloat16",
            "int64": "long", "int32": "int", "int16": "short", "int8": "signed char", "uint8": "unsigned char",
            "bool": "bool"}[x.dtype.name]  # fmt: skip


@with_out
def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The product of vectors, matrices and stacks of matrices: (..., N, K) @ (..., K, M) -> (..., N, M).

    A vector on the left counts as a row, on the right as a column. Leading dimensions broadcast.

    >>> import tinytorch
    >>> matmul(tinytorch.ones(5, 2, 3), tinytorch.ones(3, 4)).shape
    torch.Size([5, 2, 4])
    """
    need_tensors("matmul", input=input, other=other)
    a, b = input._array, other._array
    n, m = a.ndim, b.ndim
    if n == 2 and m == 2:
        return mm.without_out(input, other)
    if not n or not m:
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, but they are {n}D and {m}D")
    if n == 1 and m == 1:
        return dot.without_out(input, other)
    if m == 1:
        if n == 2 or a.dtype != b.dtype or a.shape[-1] != b.shape[0]:
            return mv.without_out(input if n == 2 else input.reshape(-1, a.shape[-1]), other)
        return Mv.apply(input, other)
    if n == 1:
        row = input.reshape(1, -1)
        if m == 2:
            check_product(row, other)
            return Vm.apply(input, other)
        return matmul.without_out(row, other).reshape((*b.shape[:-2], b.shape[-1]))
    if m == 2:
        check_product(input, other)
        return MatmulFolded.apply(input, other)
    common_shape(a.shape[:-2], b.shape[:-2])
    if a.shape[-1] != b.shape[-2]:
        batch = math.prod(common_shape(a.shape[:-2], b.shape[:-2]))
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{batch}, {a.shape[-1]}] but got: "
            f"[{batch}, {b.shape[-2]}]."
        )
    _same_scalar_type(input, other)
    return Matmul.apply(input, other)


def _same_scalar_type(first: Tensor, second: Tensor) -> None:
    if first._array.dtype != second._array.dtype:
        raise RuntimeError(f"expected scalar type {kind_name(first)} but found {kind_name(second)}")


@with_out
def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """The products of two batches of matrices, (B, N, K) @ (B, K, M) -> (B, N, M); no broadcasting."""
    need_tensors("bmm", input=input, mat2=mat2)
    check_batches(input, mat2)
    return Bmm.apply(input, mat2)


def check_batches(first: Tensor, second: Tensor) -> None:
    """The rules of bmm."""
    a, b = first._array, second._array
    for name, x in (("batch1", a), ("batch2", b)):
        if x.ndim != 3:
            raise RuntimeError(f"{name} must be a 3D tensor")
    if a.shape[0] != b.shape[0] or a.shape[2] != b.shape[1]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{a.shape[0]}, {a.shape[2]}] but got: "
            f"[{b.shape[0]}, {b.shape[1]}]."
        )
    _same_scalar_type(first, second)


@with_out
def mv(input: Tensor, vec: Tensor) -> Tensor:
    """A matrix times a vector, (N, K) @ (K,) -> (N,)."""
    need_tensors("mv", input=input, vec=vec)
    check_mv(input._array.shape[:1], input, vec)
    if input._array.dtype != vec._array.dtype:
        v, m = kind_name(vec), kind_name(input)
        raise RuntimeError(f"addmv input tensors must have the same dtype, but got {v}, {m}, and {v}")
    return Mv.apply(input, vec)


def check_mv(to: tuple, mat: Tensor, vec: Tensor) -> None:
    """The rules of addmv, for an `input` of the shape `to`."""
    a, x = mat._array, vec._array
    if a.ndim != 2 or x.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got {len(to)}, {a.ndim}, {x.ndim}")
    if a.shape[1] != x.shape[0] or (to and to[0] not in (1, a.shape[0])):
        raise RuntimeError(
            f"size mismatch, got input ({to[0] if to else 1}), mat ({a.shape[0]}x{a.shape[1]}), vec ({x.shape[0]})"
        )


@with_out
def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The sum of the products of two vectors."""
    return _dot("dot", Dot, input, tensor)


@with_out
def vdot(input: Tensor, other: Tensor) -> Tensor:
    """`dot`; they differ for complex numbers only."""
    return _dot("vdot", Vdot, input, other)


def _dot(name: str, op: type[Op], input: Tensor, other: Tensor) -> Tensor:
    need_tensors(name, input=input, tensor=other)
    a, b = input._array, other._array
    if a.ndim != 1 or b.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {a.ndim}D and {b.ndim}D tensors")
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"dot : expected both vectors to have same dtype, but found {kind_name(input)} and {kind_name(other)}"
        )
    if a.size != b.size:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{a.size}] and src [{b.size}] to have the same number of "
            f"elements, but got {a.size} and {b.size} elements respectively"
        )
    return op.apply(input, other)


@with_out
def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """The products of all pairs, (N,) and (M,) -> (N, M)."""
    need_tensors("outer", input=input, vec2=vec2)
    for name, x in (("self", input), ("vec2", vec2)):
        if x.ndim != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {name}, but got {x.ndim}-D")
    return input.reshape(-1, 1) * vec2


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x Wᵀ + b on the last dimension: (..., in) -> (..., out), weight (out, in), bias (out,)."""
    if input._array.shape[-1:] != weight._array.shape[-1:]:
        rows = input._array.size // max(input._array.shape[-1], 1) if input._array.ndim else 0
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ("
            f"{rows}x{input._array.shape[-1] if input._array.ndim else 0} and "
            f"{weight._array.shape[1]}x{weight._array.shape[0]})"
        )
    return Linear.apply(input, weight, bias)
