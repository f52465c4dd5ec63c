"""The verbs of `kernels.of` that move elements, for tensors: what backward of views, joins and indices is made of.

All of these are linear, and they come in pairs: the backward of one is the other.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import kernels
from tinytorch.autograd.op import Op
from tinytorch.ops import joining, masks, select, shape, slices, views
from tinytorch.tensor import Tensor, wrap


class PutSlice(Op):
    """y = zeros with v at a basic index,  dv = dy at that index"""

    def forward(ctx, v, like, index):
        ctx.index = index
        return kernels.of(v).put_slice(like, index, v)

    def backward(ctx, dy):
        return dy[ctx.index]


class AddIndex(Op):
    """y = zeros with v added at an index,  dv = dy at that index"""

    def forward(ctx, v, like, index):
        ctx.index = index
        return kernels.of(v).add_index(like, index, v)

    def backward(ctx, dy):
        return kernels.of(dy).take_index(dy, ctx.index)


class ZeroAt(Op):
    """y = x with zeros at an index,  dx = dy with zeros there"""

    def forward(ctx, x, index):
        ctx.index = index
        return kernels.of(x).zero_at(x, index)

    def backward(ctx, dy):
        return kernels.of(dy).zero_at(dy, ctx.index)


class PutDiagonal(Op):
    """y = zeros with v on a diagonal,  dv = that diagonal of dy"""

    def forward(ctx, v, like, where):
        ctx.where = where
        return kernels.of(v).put_diagonal(like, *where, v)

    def backward(ctx, dy):
        return kernels.of(dy).diagonal(dy, *ctx.where)


class AddWindows(Op):
    """y = zeros with every window of v added at its place,  dv = the windows of dy"""

    def forward(ctx, v, like, where):
        ctx.where = where
        return kernels.of(v).add_windows(like, *where, v)

    def backward(ctx, dy):
        return kernels.of(dy).sliding(dy, *ctx.where)


class StridedAgain(Op):
    """y = a window of the memory in which another window holds x,  dx = what dy sends back to it"""

    def forward(ctx, x, source, window):
        ctx.where = source, window
        return kernels.of(x).strided_again(x, source, window)

    def backward(ctx, dy):
        return kernels.of(dy).as_strided_backward(dy, *ctx.where)


class AsStridedBackward(Op):
    """y = for each element of memory the sum of v over the places of a window that show it,  dv = that window of dy"""

    def forward(ctx, v, source, window):
        ctx.where = source, window
        return kernels.of(v).as_strided_backward(v, source, window)

    def backward(ctx, dy):
        return kernels.of(dy).strided_again(dy, *ctx.where)


class SplitWindow(Op):
    """(y outside, y inside) = x with zeros in a window, and that window of x,  dx = the two put together"""

    def forward(ctx, x, source, window):
        ctx.where = source, window
        return kernels.of(x).split_window(x, source, window)

    def backward(ctx, outside, inside):
        k = kernels.of(inside if outside is None else outside)
        if outside is None:
            outside = k.zeros(ctx.where[0][0], _numpy_dtype(inside))
        if inside is None:
            inside = k.zeros(ctx.where[1][0], _numpy_dtype(outside))
        return k.join_window(outside, inside, *ctx.where)


class JoinWindow(Op):
    """y = x with a window replaced by v,  (dx, dv) = dy with zeros in the window, dy inside it"""

    def forward(ctx, x, v, source, window):
        ctx.where = source, window
        return kernels.of(x).join_window(x, v, source, window)

    def backward(ctx, dy):
        return kernels.of(dy).split_window(dy, *ctx.where)


def _numpy_dtype(x: Any) -> np.dtype:
    return x._array.dtype if isinstance(x, Tensor) else x.dtype


class WindowVerbs:
    """Namespace, part of `TensorSide`; never instantiated."""

    view, permute, expand, transpose = map(staticmethod, (shape.view, shape.permute, shape.expand, shape.transpose))
    cat, stack, roll, flip, rot90 = map(
        staticmethod, (joining.cat, joining.stack, joining.roll, lambda x, dims: joining.flip(x, dims), joining.rot90)
    )
    diagonal, sliding = staticmethod(views.diagonal), staticmethod(views.unfold)
    gather, scatter, scatter_add = map(staticmethod, (select.gather, select.scatter, select.scatter_add))
    index_select, index_add, index_fill = map(staticmethod, (slices.index_select, slices.index_add, slices.index_fill))
    take = staticmethod(slices.take)
    masked_fill, masked_select, masked_scatter, where = map(
        staticmethod, (masks.masked_fill, masks.masked_select, masks.masked_scatter, masks.where)
    )

    @staticmethod
    def zeros(shape: tuple, dtype: np.dtype) -> Tensor:
        return wrap(np.zeros(shape, dtype))

    @staticmethod
    def put(x: Tensor, index: Tensor, source: Any, accumulate: bool) -> Tensor:
        if not isinstance(source, Tensor):
            source = wrap(np.full(index._array.shape, source, x._array.dtype))
        return slices.put(x, index, source, accumulate)

    @staticmethod
    def counts_along(shape: tuple, dim: int, index: Tensor, include_self: bool, dtype: np.dtype) -> Tensor:
        return wrap(kernels.of(index._array).counts_along(tuple(shape), dim, index._array, include_self, dtype))

    @staticmethod
    def put_slice(like: tuple, index: tuple, dy: Tensor) -> Tensor:
        return PutSlice.apply(dy, like=like, index=index)

    @staticmethod
    def add_index(like: tuple, index: tuple, dy: Tensor) -> Tensor:
        return AddIndex.apply(dy, like=like, index=index)

    @staticmethod
    def take_slice(x: Tensor, index: tuple) -> Tensor:
        return x[index]

    take_index = take_slice

    @staticmethod
    def zero_at(x: Tensor, index: tuple) -> Tensor:
        return ZeroAt.apply(x, index=index)

    @staticmethod
    def put_diagonal(like: tuple, offset: int, dim1: int, dim2: int, dy: Tensor) -> Tensor:
        return PutDiagonal.apply(dy, like=like, where=(offset, dim1, dim2))

    @staticmethod
    def add_windows(like: tuple, dim: int, size: int, step: int, dy: Tensor) -> Tensor:
        return AddWindows.apply(dy, like=like, where=(dim, size, step))

    @staticmethod
    def strided_again(x: Tensor, source: tuple, window: tuple) -> Tensor:
        return StridedAgain.apply(x, source=source, window=window)

    @staticmethod
    def as_strided_backward(dy: Tensor, source: tuple, window: tuple) -> Tensor:
        return AsStridedBackward.apply(dy, source=source, window=window)

    @staticmethod
    def split_window(dy: Tensor, source: tuple, window: tuple) -> tuple:
        return SplitWindow.apply(dy, source=source, window=window)

    @staticmethod
    def join_window(outside: Tensor, inside: Tensor, source: tuple, window: tuple) -> Tensor:
        return JoinWindow.apply(outside, inside, source=source, window=window)
