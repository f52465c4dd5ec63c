"""`x[...]` and `x[...] = y`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import kernels
from tinytorch.autograd.op import Op
from tinytorch.autograd.views import check_in_place, write_back
from tinytorch.tensor import Tensor, wrap_view


class Slice(Op):
    """y = x[index] by numbers and slices: a view,  dx = zeros with dy at that index"""

    is_view = True

    def forward(ctx, x, index):
        ctx.like, ctx.index = (x.shape, x.dtype), index
        y = kernels.of(x).take_slice(x, index)
        return y if isinstance(y, np.ndarray) else x[(*index, ...)]  # a single element stays a window

    def backward(ctx, dy):
        return kernels.of(dy).put_slice(ctx.like, ctx.index, dy)


class Index(Op):
    """y = x[index] by arrays: a copy,  dx = zeros with dy added at that index"""

    def forward(ctx, x, index):
        ctx.like, ctx.index = (x.shape, x.dtype), index
        return kernels.of(x).take_index(x, index)

    def backward(ctx, dy):
        return kernels.of(dy).add_index(ctx.like, ctx.index, dy)


def getitem(self: Tensor, index: Any) -> Tensor:
    """A view for numbers, slices, None and ...; a copy where the index holds tensors, arrays, lists or bools."""
    parts, advanced = normalize_index(index)
    try:
        return (Index if advanced else Slice).apply(self, index=parts)
    except IndexError as error:
        raise IndexError(_explain(self, parts, error)) from None


def setitem(self: Tensor, index: Any, value: Any) -> None:
    """Write into the places that the index names, with broadcasting."""
    parts, advanced = normalize_index(index)
    if not advanced:
        target = getitem(self, index)
        from tinytorch.ops.inplace import copy_, fill_

        (copy_ if isinstance(value, Tensor) else fill_)(target, value)
        return
    check_in_place(self)
    if isinstance(value, Tensor) and value.requires_grad or self.requires_grad:
        from tinytorch.ops.creation import as_tensor

        write_back(self, IndexPut.apply(self, as_tensor(value, dtype=self.dtype), index=parts))
        return
    self._array[parts] = value._array if isinstance(value, Tensor) else value
    self._storage.version += 1


class IndexPut(Op):
    """y = x with v written at an index,  dx = dy with zeros there,  dv = dy there"""

    def forward(ctx, x, v, index):
        ctx.index = index
        ctx._fit = (None, (v.shape, v.dtype))
        ctx._fit = ((x.shape, x.dtype), (v.shape, v.dtype))
        y = x.copy()
        y[index] = v
        return y

    def backward(ctx, dy):
        dx = dy.clone() if isinstance(dy, Tensor) else dy.copy()
        dx[ctx.index] = 0
        return dx, dy[ctx.index]


def normalize_index(index: Any) -> tuple[tuple, bool]:
    """The index as a tuple that NumPy understands, and whether it is advanced (copies)."""
    parts = index if type(index) is tuple else (index,)
    found, advanced = [], False
    for part in parts:
        if type(part) is int or type(part) is slice or part is None or part is Ellipsis:
            found.append(part)
            continue
        if isinstance(part, Tensor):
            part = part._array
        elif isinstance(part, list | range):
            part = np.asarray(part, dtype=np.int64 if not len(part) else None)
        if isinstance(part, np.ndarray):
            if part.dtype == np.uint8:
                part = part.astype(bool)
            if part.dtype.kind not in "iub":
                raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
            if part.ndim == 0 and part.dtype.kind in "iu":
                found.append(int(part))
                continue
            advanced = True
        elif isinstance(part, bool | np.bool_):
            advanced = True
        elif isinstance(part, slice):
            pass
        else:
            part = part.__index__()
        found.append(part)
    return tuple(found), advanced


def _explain(x: Tensor, parts: tuple, error: IndexError) -> str:
    shape = x._array.shape
    if sum(p is not None and p is not Ellipsis for p in parts) > len(shape) and not any(isinstance(p, np.ndarray) for p in parts):
        return f"too many indices for tensor of dimension {len(shape)}"
    if not shape:
        return "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a 0-dim tensor to a number"
    return str(error).replace("axis", "dimension").replace("is out of bounds for dimension", "is out of bounds for dimension")


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along a dimension, as a tuple of views."""
    if not input._array.ndim:
        raise RuntimeError("iteration over a 0-d tensor")
    lead = (slice(None),) * (dim % input._array.ndim)
    return tuple([getitem(input, (*lead, i)) for i in range(input._array.shape[dim])])


def iterate(self: Tensor) -> Any:
    if not self._array.ndim:
        raise TypeError("iteration over a 0-d tensor")
    return iter(unbind(self))


__all__ = ["getitem", "iterate", "normalize_index", "setitem", "unbind", "wrap_view"]
