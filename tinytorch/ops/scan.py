"""Running totals along a dimension, and differences, which undo them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import dtypes, kernels, return_types
from tinytorch.autograd.op import Op
from tinytorch.ops.arguments import numpy_names
from tinytorch.ops.extrema import Selected
from tinytorch.ops.out import with_out
from tinytorch.ops.promotion import as_floating
from tinytorch.ops.reduce import prod
from tinytorch.tensor import Tensor, normalize_dim, wrap


class Scan(Op):
    """An op along one dimension that keeps the shape; a 0-d tensor is treated as one of one dimension."""

    def forward(ctx, x, dim, **params):
        ctx.dim, ctx._fit = dim, ((x.shape, x.dtype),)
        if not x.ndim:
            return ctx.save(x, ctx.along(kernels.of(x), x.reshape(1), 0, **params).reshape(()))[1]
        return ctx.save(x, ctx.along(kernels.of(x), x, dim, **params))[1]


class Cumsum(Scan):
    """y[i] = x[0] + ... + x[i],  dx[i] = dy[i] + ... + dy[last]; reversed, the other way round"""

    def forward(ctx, x, dim, reverse=False, dtype=None):
        ctx.reverse = reverse
        y = super().forward(x, dim, reverse=reverse, dtype=dtype)
        ctx._saved = ()
        return y

    def along(ctx, k, x, dim, reverse, dtype):
        return k.cumsum(x, dim, reverse, dtype)

    def backward(ctx, dy):
        return kernels.of(dy).cumsum(dy, ctx.dim, not ctx.reverse) if dy.ndim else dy


class Cumprod(Scan):
    """y[i] = x[0] · ... · x[i],  dx[k] = Σ over i >= k of dy[i] · y[i] / x[k], where no x is zero"""

    def along(ctx, k, x, dim, dtype=None):
        return k.cumprod(x, dim, dtype)

    def backward(ctx, dy):
        x, y = ctx.saved
        return kernels.of(dy).cumprod_backward(dy, x, y, ctx.dim) if dy.ndim else dy


class Logcumsumexp(Scan):
    """y[i] = log(e^x[0] + ... + e^x[i]),  dx[k] = Σ over i >= k of dy[i] · e^(x[k] - y[i])"""

    def along(ctx, k, x, dim):
        return k.logcumsumexp(x, dim)

    def backward(ctx, dy):
        x, y = ctx.saved
        if not dy.ndim:
            return dy
        k = kernels.of(dy)
        top = k.lane_max(x, ctx.dim)  # a constant that cancels: it keeps the exponentials in range
        return k.exp(x - top) * k.cumsum(dy * k.exp(top - y), ctx.dim, True)


class Cummax(Selected):
    """(values, indices) of the largest so far,  dx gathers dy at the indices"""

    repeats = True

    def choose(ctx, k, x, dim):
        return k.running_extreme(x, dim, True)


class Cummin(Selected):
    """(values, indices) of the smallest so far,  dx gathers dy at the indices"""

    repeats = True

    def choose(ctx, k, x, dim):
        return k.running_extreme(x, dim, False)


# ---- for backward formulas that are recorded themselves: the kernels of these names ---------------------------------


def running_sum(x: Tensor, dim: int, reverse: bool = False) -> Tensor:
    return Cumsum.apply(x, dim=dim, reverse=reverse)


def cumprod_backward(dy: Tensor, x: Tensor, y: Tensor, dim: int) -> Tensor:
    """Σ over i >= k of dy[i] · (the product of x[0..i] without x[k]), also where x holds zeros."""
    if x._array.all():
        return running_sum(dy * y, dim, True) / x
    products = Cumprod.apply(_without_each(x, dim), dim=x.ndim)
    later = wrap(np.triu(np.ones((x.shape[dim],) * 2, x._array.dtype)))
    return (products * later * _as_row(dy, dim)).sum(-1).transpose(dim, -1)


def product_of_others(x: Tensor, dim: int) -> Tensor:
    """For each element along `dim` the product of all the others."""
    return prod(_without_each(x, dim), -1).transpose(dim, -1)


def _as_row(x: Tensor, dim: int) -> Tensor:
    """(..., n, ...) -> (..., 1, n)"""
    last = x.transpose(dim, -1)
    return last.reshape((*last.shape[:-1], 1, last.shape[-1]))


def _without_each(x: Tensor, dim: int) -> Tensor:
    """(..., n, ...) -> (..., n, n): row k is x with a 1 in place of x[k]."""
    eye = np.eye(x.shape[dim], dtype=x._array.dtype)
    return _as_row(x, dim) * wrap(1 - eye) + wrap(eye)


def lane_max(x: Tensor, dim: int) -> Tensor:
    return wrap(kernels.of(x._array).lane_max(x._array, dim))


# ---- functions ------------------------------------------------------------------------------------------------------


@with_out
@numpy_names
def cumsum(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The sum of what came so far along `dim`; integers and bools give int64.

    >>> import tinytorch
    >>> cumsum(tinytorch.tensor([1, 2, 3]), 0)
    tensor([1, 3, 6])
    """
    return Cumsum.apply(
        input, dim=normalize_dim(dim, input._array.ndim), dtype=None if dtype is None else dtype.numpy
    )


@with_out
@numpy_names
def cumprod(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The product of what came so far along `dim`; integers and bools give int64."""
    return Cumprod.apply(
        input, dim=normalize_dim(dim, input._array.ndim), dtype=None if dtype is None else dtype.numpy
    )


@with_out
@numpy_names
def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """log Σ eˣ of what came so far along `dim`, without overflow."""
    return Logcumsumexp.apply(as_floating(input), dim=normalize_dim(dim, input._array.ndim))


@with_out
@numpy_names
def cummax(input: Tensor, dim: int) -> Any:
    """(values, indices) of the largest so far along `dim`; of equal ones the last."""
    return return_types.cummax(Cummax.apply(input, dim=normalize_dim(dim, input._array.ndim)))


@with_out
@numpy_names
def cummin(input: Tensor, dim: int) -> Any:
    """(values, indices) of the smallest so far along `dim`; of equal ones the last."""
    return return_types.cummin(Cummin.apply(input, dim=normalize_dim(dim, input._array.ndim)))


@with_out
@numpy_names
def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None
) -> Tensor:
    """x[i + 1] - x[i] along `dim`, n times.

    >>> import tinytorch
    >>> diff(tinytorch.tensor([1, 4, 9]))
    tensor([3, 5])
    """
    if not input._array.ndim:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    dim = normalize_dim(dim, input._array.ndim)
    if prepend is not None or append is not None:
        from tinytorch.ops.joining import cat

        input = cat([t for t in (prepend, input, append) if t is not None], dim)
    for _ in range(min(n, input._array.shape[dim])):
        lead = (slice(None),) * dim
        later, earlier = input[(*lead, slice(1, None))], input[(*lead, slice(None, -1))]
        input = later != earlier if input.dtype is dtypes.bool else later - earlier
    return input
