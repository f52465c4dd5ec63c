"""The largest and the smallest: of all elements, along dimensions, and where they are.

`max()` and `amax` share the gradient among equal elements; `max(dim)` gives it to the one whose index it returns.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import kernels, return_types
from tinytorch.autograd.op import Op
from tinytorch.ops.arguments import numpy_names
from tinytorch.ops.out import with_out
from tinytorch.ops.promotion import kind_name
from tinytorch.ops.reduce import dims_of, restore_dims, spread
from tinytorch.tensor import Tensor, normalize_dim, wrap


class Amax(Op):
    """y = max x,  dx = dy, shared among the elements that equal y"""

    nan_too = False  # whether a NaN result sends its gradient to the NaNs

    def forward(ctx, x, dim, keepdim):
        ctx.dim, ctx.keepdim = dim, keepdim
        return ctx.save(x, np.asarray(ctx.extreme(kernels.of(x), x)))[1]

    def extreme(ctx, k, x):
        return k.amax(x, ctx.dim, ctx.keepdim)

    def backward(ctx, dy):
        x, y = ctx.saved
        k = kernels.of(dy)
        return spread(dy, x.shape, ctx.dim, ctx.keepdim) * _shares(ctx, k, x, y)


class Amin(Amax):
    """y = min x,  dx = dy, shared among the elements that equal y"""

    def extreme(ctx, k, x):
        return k.amin(x, ctx.dim, ctx.keepdim)


class Max(Amax):
    """y = max of all x,  dx = dy, shared among the elements that equal y"""

    variant, nan_too = 1, True


class Min(Amin):
    """y = min of all x,  dx = dy, shared among the elements that equal y"""

    variant, nan_too = 1, True


def _shares(ctx, k, x, y):
    return k.ties(x, restore_dims(y, x.ndim, ctx.dim, ctx.keepdim), ctx.dim, ctx.nan_too)


class Aminmax(Op):
    """(min x, max x); the gradient of each is shared among the elements that equal it"""

    nan_too = False

    def forward(ctx, x, dim, keepdim):
        ctx.dim, ctx.keepdim = dim, keepdim
        k = kernels.of(x)
        low, high = np.asarray(k.amin(x, dim, keepdim)), np.asarray(k.amax(x, dim, keepdim))
        return ctx.save(x, low, high)[1:]

    def backward(ctx, dlow, dhigh):
        x, low, high = ctx.saved
        dx = None
        for dy, y in ((dlow, low), (dhigh, high)):
            if dy is not None:
                part = spread(dy, x.shape, ctx.dim, ctx.keepdim) * _shares(ctx, kernels.of(dy), x, y)
                dx = part if dx is None else dx + part
        return dx


class Selected(Op):
    """(values, indices) along a dimension: y = x at the indices,  dx = dy at them, zeros elsewhere.

    Subclasses say which: `choose` gives both, with the dimension kept.
    """

    repeats = False  # whether an index can occur more than once

    def forward(ctx, x, dim, keepdim=True, **params):
        ctx.shape, ctx.dim, ctx.keepdim = x.shape, dim, keepdim
        k = kernels.of(x)
        if not x.ndim:  # a 0-d tensor is treated as one of one dimension
            values, index = ctx.choose(k, x.reshape(1), 0, **params)
            values, index = values.reshape(()), index.reshape(())
        else:
            values, index = ctx.choose(k, x, dim, **params)
            if not keepdim:
                values, index = np.squeeze(values, dim), np.squeeze(index, dim)
        ctx.save(index)
        return values, index

    def choose(ctx, k, x, dim):
        raise NotImplementedError

    def backward(ctx, dy, _=None):
        (index,) = ctx.saved
        if not ctx.shape:
            return dy
        k = kernels.of(dy)
        if not ctx.keepdim:
            kept = [1 if d == ctx.dim else n for d, n in enumerate(ctx.shape)]
            dy, index = dy.reshape(kept), index.reshape(kept)
        return k.put_along(dy, index, ctx.dim, ctx.shape[ctx.dim], ctx.repeats)


class MaxAlong(Selected):
    """(values, indices) of the largest along a dimension,  dx = dy at the indices"""

    label = "Max"

    def choose(ctx, k, x, dim):
        return k.extreme_along(x, dim, True)


class MinAlong(Selected):
    """(values, indices) of the smallest along a dimension,  dx = dy at the indices"""

    label = "Min"

    def choose(ctx, k, x, dim):
        return k.extreme_along(x, dim, False)


class PutAlong(Op):
    """y = zeros with v at an index along a dimension,  dv = dy at that index"""

    def forward(ctx, v, index, dim, length, repeats):
        ctx.index, ctx.dim = index, dim
        return kernels.of(v).put_along(v, index, dim, length, repeats)

    def backward(ctx, dy):
        k = kernels.of(dy)
        return k.gather(dy, ctx.dim, k.constant(ctx.index))


def put_along(dy: Tensor, index: Any, dim: int, length: int, repeats: bool = False) -> Tensor:
    """The kernel of that name, recorded."""
    return PutAlong.apply(
        dy,
        index=index._array if isinstance(index, Tensor) else index,
        dim=dim,
        length=length,
        repeats=repeats,
    )


def ties(x: Tensor, y: Tensor, dim: Any, nan_too: bool = False) -> Tensor:
    """The kernel of that name: constant wherever it is smooth, so nothing is recorded."""
    return wrap(kernels.of(x._array).ties(x._array, y._array, dim, nan_too))


def _check_not_empty(name: str, x: Tensor, dim: Any, whole: type[Exception] = RuntimeError) -> None:
    """There is no largest of nothing."""
    if dim is None:
        if not x._array.size:
            hint = " Specify the reduction dim with the 'dim' argument." if whole is RuntimeError else ""
            raise whole(f"{name}(): Expected reduction dim to be specified for input.numel() == 0.{hint}")
        return
    for d in dim if isinstance(dim, tuple) else (dim,):
        if not x._array.shape[d]:
            raise IndexError(f"{name}(): Expected reduction dim {d} to have non-zero size.")


def _extreme(name: str, full: type[Op], along: type[Op], pairwise: str, result: type) -> Any:
    """`max` and `min`, in their three forms."""

    def function(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
        if isinstance(dim, Tensor) or other is not None:
            from tinytorch.ops import rounding

            return getattr(rounding, pairwise)(input, dim if other is None else other)
        if dim is None:
            _check_not_empty(name, input, None)
            return full.apply(input, dim=None, keepdim=False)
        d = normalize_dim(dim, input._array.ndim)
        if input._array.ndim:
            _check_not_empty(name, input, d)
        return result(along.apply(input, dim=d, keepdim=keepdim))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"`{name}(x)`: of all elements; `{name}(x, dim, keepdim=False)`: (values, indices) along a dimension; "
        f"`{name}(x, y)`: element by element."
    )
    return with_out(numpy_names(function))


max = _extreme("max", Max, MaxAlong, "maximum", return_types.max)
min = _extreme("min", Min, MinAlong, "minimum", return_types.min)


@with_out
@numpy_names
def amax(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
    """The largest of all elements or along `dim` (one or several)."""
    return _amax("amax", Amax, input, dim, keepdim)


@with_out
@numpy_names
def amin(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
    """The smallest of all elements or along `dim` (one or several)."""
    return _amax("amin", Amin, input, dim, keepdim)


def _amax(name: str, op: type[Op], input: Tensor, dim: Any, keepdim: bool) -> Tensor:
    dims = None if dim == () or dim == [] else dims_of(input, dim)
    _check_not_empty(name, input, dims)
    return op.apply(input, dim=dims, keepdim=keepdim)


@with_out
@numpy_names
def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """The pair (min, max) of all elements or along one dimension."""
    if dim is None and not input._array.size:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
        )
    dims = dims_of(input, dim)
    if dims is not None and not input._array.shape[dims]:
        raise IndexError(f"aminmax: Expected reduction dim {dims} to have non-zero size.")
    return return_types.aminmax(Aminmax.apply(input, dim=dims, keepdim=keepdim))


@with_out
@numpy_names
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the largest element (the first of several), of all or along `dim`."""
    return _arg("argmax", input, dim, keepdim)


@with_out
@numpy_names
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the smallest element (the first of several), of all or along `dim`."""
    return _arg("argmin", input, dim, keepdim)


def _arg(name: str, input: Tensor, dim: Any, keepdim: bool) -> Tensor:
    array = input._array
    if array.dtype.kind == "b":
        raise RuntimeError(f"{name}(): does not support {kind_name(input).lower()} input")
    dims = dims_of(input, dim)
    _check_not_empty(name, input, dims, IndexError)
    k = kernels.of(array)
    return wrap(np.asarray(getattr(k, name)(array, dims, keepdim), np.int64))
