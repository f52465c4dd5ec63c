"""Triangles and diagonals of matrices, cross products and powers."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tinytorch import dtypes, kernels
from tinytorch.autograd.op import Op
from tinytorch.dtypes import dtype as DType
from tinytorch.ops.creation import finish
from tinytorch.ops.linalg import matmul
from tinytorch.ops.out import with_out
from tinytorch.ops.promotion import kind_name, need_tensors, promote
from tinytorch.ops.shape import broadcast_tensors
from tinytorch.ops.views import diagonal
from tinytorch.tensor import Tensor, normalize_dim, wrap


class Tril(Op):
    """y = the lower triangle of x, zeros above,  dx = the lower triangle of dy"""

    def forward(ctx, x, offset):
        ctx.offset = offset
        return kernels.of(x).tril(x, offset)

    def backward(ctx, dy):
        return kernels.of(dy).tril(dy, ctx.offset)


class Triu(Op):
    """y = the upper triangle of x, zeros below,  dx = the upper triangle of dy"""

    def forward(ctx, x, offset):
        ctx.offset = offset
        return kernels.of(x).triu(x, offset)

    def backward(ctx, dy):
        return kernels.of(dy).triu(dy, ctx.offset)


class Trace(Op):
    """y = Σ x[i, i],  dx = dy on the diagonal"""

    def forward(ctx, x):
        ctx.like = x.shape, x.dtype
        return kernels.of(x).trace(x)

    def backward(ctx, dy):
        k = kernels.of(dy)
        return k.put_diagonal(ctx.like, 0, 0, 1, k.expand(dy, (min(ctx.like[0]),)))


class DiagEmbed(Op):
    """y = zeros with x on a diagonal,  dx = that diagonal of dy"""

    def forward(ctx, x, shape, offset, dim1, dim2):
        ctx.where = offset, dim1, dim2
        return kernels.of(x).put_diagonal((shape, x.dtype), *ctx.where, x)

    def backward(ctx, dy):
        return kernels.of(dy).diagonal(dy, *ctx.where)


class LinalgCross(Op):
    """y = a × b,  da = b × dy,  db = dy × a"""

    def forward(ctx, a, b, dim):
        ctx.dim = dim
        ctx.save(a, b)
        return kernels.of(a).cross(a, b, dim)

    def backward(ctx, dy):
        a, b = ctx.saved
        k = kernels.of(dy)
        return k.cross(b, dy, ctx.dim), k.cross(dy, a, ctx.dim)


def cross_along(a: Tensor, b: Tensor, dim: int) -> Tensor:
    """The kernel `cross`, recorded."""
    return LinalgCross.apply(a, b, dim=dim)


@with_out
def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle up to a diagonal (0 is the main one, positive ones lie above), zeros elsewhere."""
    return _triangle("tril", Tril, input, diagonal)


@with_out
def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle from a diagonal on, zeros elsewhere."""
    return _triangle("triu", Triu, input, diagonal)


def _triangle(name: str, op: type[Op], input: Tensor, offset: int) -> Tensor:
    need_tensors(name, input=input)
    if input._array.ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
    return op.apply(input, offset=offset)


def _triangle_indices(name: str, kernel: Any, described: str) -> Any:
    def function(
        row: int,
        col: int,
        offset: int = 0,
        *,
        dtype: DType = dtypes.int64,
        device: Any = None,
        layout: Any = None,
    ) -> Tensor:
        for what, n in (("row", row), ("col", col)):
            if n < 0:
                raise RuntimeError(f"{what} must be non-negative, got{n}")
        return finish(np.stack(kernel(row, offset, col)).astype(dtype.numpy), device)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"Row and column numbers of the {described} triangle of a (row, col) matrix, in a (2, N) tensor."
    )
    return function


tril_indices = _triangle_indices("tril_indices", np.tril_indices, "lower")
triu_indices = _triangle_indices("triu_indices", np.triu_indices, "upper")


def trace(input: Tensor) -> Tensor:
    """The sum of the main diagonal of a matrix."""
    need_tensors("trace", input=input)
    if input._array.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input._array.ndim}")
    return Trace.apply(input)


@with_out
def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """A vector as the diagonal of a matrix, or the diagonal of a matrix as a vector (a copy)."""
    need_tensors("diag", input=input)
    if input._array.ndim == 1:
        return diag_embed(input, diagonal)
    if input._array.ndim == 2:
        return _diagonal(input, diagonal).clone()
    raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input._array.ndim}D")


_diagonal = diagonal


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """All elements of `input` as the diagonal of a matrix."""
    return diag_embed(input.reshape(-1), offset)


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Square matrices with the last dimension of `input` on a diagonal, in the dimensions dim1 and dim2.

    >>> import tinytorch
    >>> diag_embed(tinytorch.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    need_tensors("diag_embed", input=input)
    array = input._array
    first, second = normalize_dim(dim1, array.ndim + 1), normalize_dim(dim2, array.ndim + 1)
    if not array.ndim:
        raise IndexError(f"Dimension out of range (expected to be in range of [-1, 0], but got {dim1})")
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    n = array.shape[-1] + abs(offset)
    shape = list(array.shape[:-1])
    for d in sorted((first, second)):
        shape.insert(d, n)
    return DiagEmbed.apply(input, shape=tuple(shape), offset=offset, dim1=first, dim2=second)


@with_out
def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """a × b along a dimension of length 3: without `dim` the first such one (deprecated)."""
    need_tensors("cross", input=input, other=other)
    if dim is None:
        warnings.warn(
            "Using torch.cross without specifying the dim arg is deprecated.\nPlease either pass the dim explicitly or "
            "simply use torch.linalg.cross.\nThe default value of dim will change to agree "
            "with that of linalg.cross in a "
            "future release.",
            UserWarning,
            stacklevel=3,
        )
        if 3 not in input._array.shape:
            raise RuntimeError("no dimension of size 3 in input")
        dim = input._array.shape.index(3)
    return linalg_cross(input, other, dim=dim)


def linalg_cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """a × b along a dimension of length 3, the last one by default; the others broadcast."""
    need_tensors("linalg.cross", input=input, other=other)
    if input.ndim != other.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    d = normalize_dim(dim, input.ndim)
    n, m = input.shape[d], other.shape[d]
    if n != 3 or m != 3:
        raise RuntimeError(f"linalg.cross: inputs dimension {dim} must have length 3. Got {n} and {m}")
    return LinalgCross.apply(*broadcast_tensors(*promote(input, other)), dim=d)


def square(name: str, a: Tensor) -> None:
    """The rules of all functions of square floating-point matrices."""
    need_tensors(name, A=a)
    array = a._array
    if array.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor A must have at least 2 dimensions.")
    n, m = array.shape[-2:]
    if n != m:
        raise RuntimeError(f"{name}: A must be batches of square matrices, but they are {n} by {m} matrices")


def floating(name: str, a: Tensor) -> None:
    if array_kind(a) not in "fV":
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got {kind_name(a)}"
        )


def array_kind(a: Tensor) -> str:
    return a._array.dtype.kind


@with_out
def matrix_power(input: Tensor, n: int) -> Tensor:
    """A · A · ... · A, n times, by repeated squaring; for negative n of the inverse."""
    square("linalg.matrix_power", input)
    if n < 0:
        from tinytorch.ops.decompositions import inv

        return matrix_power(inv(input), -n)
    power, result = input, None
    if n == 0:
        return wrap(
            np.broadcast_to(np.eye(input.shape[-1], dtype=input._array.dtype), input._array.shape).copy()
        )
    while n:
        if n & 1:
            result = power if result is None else matmul(result, power)
        n >>= 1
        if n:
            power = matmul(power, power)
    return result.clone() if result is input else result
