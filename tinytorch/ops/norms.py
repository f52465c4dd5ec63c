"""Norms of vectors and matrices, and chains of products."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch import kernels
from tinytorch.autograd.op import Op
from tinytorch.ops.arguments import numpy_names
from tinytorch.ops.cast import to_dtype
from tinytorch.ops.decompositions import svdvals
from tinytorch.ops.einsum import contract
from tinytorch.ops.extrema import amax, amin
from tinytorch.ops.matrices import floating
from tinytorch.ops.out import with_out
from tinytorch.ops.reduce import dims_of, restore_dims, spread, sum
from tinytorch.ops.shape import movedim
from tinytorch.tensor import Tensor, normalize_dim


class LinalgVectorNorm(Op):
    """y = (Σ |x|ᵖ)^(1/p),  dx = dy · sign(x) (|x| / y)ᵖ⁻¹, and zero where y is zero"""

    def forward(ctx, x, ord, dim, keepdim):
        ctx.ord, ctx.dim, ctx.keepdim = ord, dim, keepdim
        return ctx.save(x, np.asarray(kernels.of(x).vector_norm(x, ord, dim, keepdim)))[1]

    def backward(ctx, dy):
        x, y = ctx.saved
        k, p = kernels.of(dy), ctx.ord
        if p == 0:
            return None
        dy = spread(dy, x.shape, ctx.dim, ctx.keepdim)
        if p == 1:
            return dy * k.sign(x)
        y = restore_dims(y, x.ndim, ctx.dim, ctx.keepdim)
        if p == 2:
            return dy * (y != 0) * x / (y + (y == 0))
        if math.isinf(p):
            return dy * k.sign(x) * k.ties(k.abs(x), y, ctx.dim)
        safe = k.abs(x) + (x == 0)  # so that no power of zero is taken
        return dy * k.sign(x) * (safe / (y + (y == 0))) ** (p - 1)


@with_out
@numpy_names
def vector_norm(
    x: Tensor, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """(Σ |x|ᵖ)^(1/p) over all elements or along `dim`; p may be 0, inf and -inf."""
    floating("linalg.vector_norm", x)
    if dtype is not None:
        x = to_dtype(x, dtype)
    dims = dims_of(x, dim)
    lengths = (
        x._array.shape
        if dims is None
        else [x._array.shape[d] for d in (dims if type(dims) is tuple else (dims,))]
    )
    if 0 in lengths and (ord < 0 or math.isinf(ord)):
        raise RuntimeError(
            f"linalg.vector_norm cannot compute the {ord:g} norm on an empty tensor because "
            "the operation does not have "
            "an identity"
        )
    return LinalgVectorNorm.apply(x, ord=ord, dim=dims, keepdim=keepdim)


@with_out
@numpy_names
def matrix_norm(
    A: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """A norm of matrices: "fro" (all elements), "nuc" (sum of singular values), ±1 (columns), ±inf (rows), ±2 (largest
    or smallest singular value)."""
    if A.ndim < 2:
        raise RuntimeError("linalg.matrix_norm: The input tensor A must have at least 2 dimensions.")
    floating("linalg.matrix_norm", A)
    if ord not in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    if dtype is not None:
        A = to_dtype(A, dtype)
    rows, columns = [normalize_dim(d, A.ndim) for d in dim]
    if ord == "fro":
        return vector_norm.without_out(A, 2, (rows, columns), keepdim)
    if ord in ("nuc", 2, -2):
        s = svdvals(movedim(A, (rows, columns), (-2, -1)))
        y = sum(s, -1) if ord == "nuc" else (amax if ord > 0 else amin)(s, -1)
        if keepdim:
            y = y.reshape([1 if d in (rows, columns) else n for d, n in enumerate(A.shape)])
        return y
    along, over = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = vector_norm.without_out(A, 1, along, True)
    y = (amax if ord > 0 else amin)(sums, over, True)
    return y if keepdim else y.squeeze((rows, columns))


@with_out
@numpy_names
def linalg_norm(
    A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """A vector norm, or a matrix norm where `dim` names two dimensions or `ord` is given for a matrix."""
    if dim is None and ord is not None and A.ndim not in (1, 2) and not (isinstance(ord, str) and A.ndim < 2):
        raise RuntimeError(
            f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {A.ndim}D."
        )
    two = A.ndim == 2 if dim is None else isinstance(dim, list | tuple) and len(dim) == 2
    if ord is not None and (isinstance(ord, str) or two):
        return matrix_norm.without_out(A, ord, (-2, -1) if dim is None else dim, keepdim, dtype=dtype)
    return vector_norm.without_out(A, 2 if ord is None else ord, dim, keepdim, dtype=dtype)


@with_out
@numpy_names
def norm(input: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Tensor:
    """The p-norm of all elements or along `dim`, as a vector; "nuc" is the nuclear norm of a matrix."""
    if isinstance(p, str) and p != "fro":
        return matrix_norm.without_out(input, p, (-2, -1) if dim is None else dim, keepdim, dtype=dtype)
    return vector_norm.without_out(input, 2 if p is None or p == "fro" else p, dim, keepdim, dtype=dtype)


@with_out
def multi_dot(tensors: Any) -> Tensor:
    """The product of a chain of matrices in the cheapest order; the first and the last may be vectors."""
    if len(tensors) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    for i, t in enumerate(tensors):
        ends = i in (0, len(tensors) - 1)
        if t.ndim != 2 and not (ends and t.ndim == 1):
            where = "first tensor" if i == 0 else "last tensor" if ends else f"tensor {i}"
            raise RuntimeError(
                f"multi_dot(): the {where} must be {'1D or 2D' if ends else '2D'} but got {t.ndim}D"
            )
    for i, (a, b) in enumerate(zip(tensors, tensors[1:], strict=False)):
        if a.shape[-1] != b.shape[0]:
            raise RuntimeError(
                f"multi_dot(): tensors {i} and {i + 1} with shapes {list(a.shape)} and {list(b.shape)} "
                "cannot be multiplied"
            )
    labels = [(i, i + 1) for i in range(len(tensors))]
    if tensors[0].ndim == 1:
        labels[0] = labels[0][1:]
    if tensors[-1].ndim == 1:
        labels[-1] = labels[-1][:1]
    ends = ([0] if tensors[0].ndim == 2 else []) + ([len(tensors)] if tensors[-1].ndim == 2 else [])
    return contract(tensors, labels, ends)
