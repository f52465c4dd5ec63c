"""Picking and writing whole slices (`index_select` and theirs), or elements of one long row (`take`, `put`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import kernels
from tinytorch.autograd.op import Op
from tinytorch.ops.inplace import Writer, number_for
from tinytorch.ops.out import with_out
from tinytorch.ops.promotion import kind_name
from tinytorch.ops.select import BOUNDS, in_range
from tinytorch.tensor import Tensor, normalize_dim


class IndexSelect(Op):
    """y = x's slices at an index,  dx = zeros with dy's slices added there"""

    def forward(ctx, x, index, dim):
        ctx.like, ctx.dim = (x.shape, x.dtype), dim
        ctx.save(index)
        return kernels.of(x).index_select(x, dim, index)

    def backward(ctx, dy):
        (index,) = ctx.saved
        k = kernels.of(dy)
        return k.index_add(k.zeros(*ctx.like), ctx.dim, index, dy), None


class IndexAdd(Writer):
    """y = x with α · s added to slices,  dx = dy,  ds = α · dy's slices"""

    def write(ctx, x, index, source, dim, alpha):
        ctx.dim, ctx.alpha = dim, alpha
        ctx.save(index)
        kernels.of(x).index_add_into(x, dim, index, source if alpha == 1 else (source * alpha).astype(x.dtype))

    def backward(ctx, dy):
        (index,) = ctx.saved
        ds = kernels.of(dy).index_select(dy, ctx.dim, index)
        return dy, None, ds if ctx.alpha == 1 else ds * ctx.alpha


class IndexCopy(Writer):
    """y = x with slices overwritten by those of s,  dx = dy with zeros there,  ds = dy's slices"""

    def write(ctx, x, index, source, dim):
        ctx.dim = dim
        ctx.save(index)
        x[(slice(None),) * dim + (index,)] = source

    def backward(ctx, dy):
        (index,) = ctx.saved
        k = kernels.of(dy)
        return k.index_fill(dy, ctx.dim, index, 0), None, k.index_select(dy, ctx.dim, index)


class IndexFill(Writer):
    """y = x with a number v in some slices,  dx = dy with zeros there,  dv = the sum of dy there"""

    overlap = True

    def write(ctx, x, index, *value, dim, number=None):
        ctx.dim, ctx.variant = dim, len(value)
        ctx.save(index)
        x[(slice(None),) * dim + (index,)] = value[0] if value else number

    def backward(ctx, dy):
        (index,) = ctx.saved
        k = kernels.of(dy)
        dx = k.index_fill(dy, ctx.dim, index, 0), None
        return (*dx, k.index_select(dy, ctx.dim, index).sum()) if ctx.variant else dx


class Take(Op):
    """y = x seen as one row, at an index,  dx = zeros with dy added there"""

    def forward(ctx, x, index):
        ctx.like = x.shape, x.dtype
        ctx.save(index)
        return kernels.of(x).take(x, index)

    def backward(ctx, dy):
        (index,) = ctx.saved
        k = kernels.of(dy)
        return k.put(k.zeros(*ctx.like), index, dy, True), None


class Put(Writer):
    """y = x, as one row, with s written (or added) at an index,  dx = dy with zeros there (or dy),  ds = dy there"""

    def write(ctx, x, index, source, accumulate):
        ctx.accumulate, ctx.shape = accumulate, source.shape
        ctx.save(index)
        kernels.of(x).put_into(x, index, source, accumulate)

    def backward(ctx, dy):
        (index,) = ctx.saved
        k = kernels.of(dy)
        dx = dy if ctx.accumulate else k.put(dy, index, 0, False)
        return dx, None, k.take(dy, index).reshape(ctx.shape)


# ---- checks ---------------------------------------------------------------------------------------------------------


def _long_index(name: str, index: Any, int32: bool = False) -> None:
    if not isinstance(index, Tensor):
        raise TypeError(f"{name}(): argument 'index' must be Tensor, not {type(index).__name__}")
    if index._array.dtype != np.int64 and not (int32 and index._array.dtype == np.int32):
        if int32:
            raise RuntimeError(f"{name}(): Expected dtype int32 or int64 for index")
        raise RuntimeError(f"{name}(): Expected a long tensor for index, but got {kind_name(index)}")


def _vector(name: str, input: Tensor, dim: int, index: Any, int32: bool = False) -> tuple[int, Tensor]:
    dim = normalize_dim(dim, input._array.ndim)
    _long_index(name, index, int32)
    if index._array.ndim > 1:
        raise IndexError(f"{name}(): Index is supposed to be a vector")
    return dim, index if index._array.ndim else index.reshape(1)


def _lengthened(input: Tensor) -> Tensor:
    """A 0-d tensor as a vector of one element: so the index along "dimension 0" means something."""
    return input if input._array.ndim else input.reshape(1)


# ---- whole slices ---------------------------------------------------------------------------------------------------


@with_out
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices of `input` at the numbers in `index`, along `dim`: a copy."""
    dim, index = _vector("index_select", input, dim, index, int32=True)
    in_range(index, (input._array.shape or (1,))[dim], IndexError, "index out of range in self")
    if not input._array.ndim:
        return IndexSelect.apply(input.reshape(1), index, dim=0).reshape(())
    return IndexSelect.apply(input, index, dim=dim)


def _index_add(run: str, input: Tensor, dim: int, index: Tensor, source: Tensor, alpha: Any) -> Tensor:
    dim, index = _vector("index_add_", input, dim, index, int32=True)
    if source._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"index_add_(): self ({kind_name(input)}) and source ({kind_name(source)}) must have the same scalar type"
        )
    n, shape, other = index._array.size, input._array.shape, source._array.shape
    if other[dim : dim + 1] != (n,) and (other or n != 1):
        raise RuntimeError(
            f"index_add_(): Number of indices ({n}) should be equal to source.size(dim): ({other[dim]}), for dim: {dim}"
        )
    if (*shape[:dim], *shape[dim + 1 :]) != (*other[:dim], *other[dim + 1 :]):
        raise RuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = "
            f"{list(shape)} source.shape = {list(other)}"
        )
    in_range(index, (shape or (1,))[dim], RuntimeError, BOUNDS % dim)
    return _on_slices(run, IndexAdd, input, index, source, dim=dim, alpha=alpha)


def _on_slices(run: str, op: type[Writer], input: Tensor, *others: Tensor, **params: Any) -> Tensor:
    """Run an op on slices; a 0-d tensor is looked at as a vector of one element."""
    if input._array.ndim:
        return getattr(op, run)(input, *others, **params)
    index, *sources = others
    row = getattr(op, run)(input.reshape(1), index, *[_lengthened(s) for s in sources], **params)
    return row.reshape(()) if run == "apply" else input


@with_out
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Tensor:
    """A copy with alpha · source's slice i added to slice index[i] along `dim`."""
    return _index_add("apply", input, dim, index, source, alpha)


def index_add_(self: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Tensor:
    """Add alpha · source's slice i to slice index[i] along `dim`; a slice that is named twice gets both."""
    return _index_add("apply_", self, dim, index, source, alpha)


def _index_copy(run: str, input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    dim, index = _vector("index_copy_", input, dim, index)
    shape, other, n = input._array.shape, source._array.shape, index._array.size
    if source._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"index_copy_(): self and source expected to have the same dtype, but got (self) "
            f"{kind_name(input)} and (source) "
            f"{kind_name(source)}"
        )
    if len(other) == len(shape) and (other or (1,))[dim] != n:
        raise IndexError(
            f"index_copy_(): Number of indices ({n}) should be equal to source.size(dim) ({(other or (1,))[dim]})"
        )
    if (*shape[:dim], *shape[dim + 1 :]) != (*other[:dim], *other[dim + 1 :]):
        raise RuntimeError(
            "index_copy_(): Source/destination tensor must have same slice shapes. Destination slice shape: "
            f"{' '.join(map(str, (*shape[:dim], *shape[dim + 1 :])))} at dimension {dim} and source slice shape: "
            f"{' '.join(map(str, (*other[:dim], *other[dim + 1 :])))} at dimension {dim}."
        )
    in_range(index, (shape or (1,))[dim], IndexError, f"index_copy_(): {BOUNDS % dim}")
    return _on_slices(run, IndexCopy, input, index, source, dim=dim)


@with_out
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """A copy with slice index[i] along `dim` overwritten by source's slice i."""
    return _index_copy("apply", input, dim, index, source)


def index_copy_(self: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """Overwrite slice index[i] along `dim` with source's slice i."""
    return _index_copy("apply_", self, dim, index, source)


def _index_fill(run: str, input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    dim = normalize_dim(dim, input._array.ndim)
    if index._array.dtype != np.int64:
        raise IndexError("index_fill_(): Expected dtype int64 for index.")
    dim, index = _vector("index_fill_", input, dim, index)
    n = (input._array.shape or (1,))[dim]
    in_range(index, n, IndexError, BOUNDS % dim, low=-n)
    if isinstance(value, Tensor):
        if value._array.ndim:
            raise RuntimeError(
                "index_fill_ only supports a 0-dimensional value tensor, but got tensor with "
                f"{value._array.ndim} dimension(s)."
            )
        value = value.to(input.dtype)
        if input._array.ndim:
            return getattr(IndexFill, run)(input, index, value, dim=dim)
        value = value.item()
    return _on_slices(run, IndexFill, input, index, dim=dim, number=number_for(input, value, "index_fill_"))


def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """A copy with one number in the slices that `index` names along `dim`."""
    return _index_fill("apply", input, dim, index, value)


def index_fill_(self: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """One number into the slices that `index` names along `dim`."""
    return _index_fill("apply_", self, dim, index, value)


# ---- the whole tensor as one row ------------------------------------------------------------------------------------

_ROW = "out of range: tried to access index {wrong} on a tensor of {n} elements."


@with_out
def take(input: Tensor, index: Tensor) -> Tensor:
    """The elements at the numbers in `index`, where `input` is seen as one row: a copy of index's shape."""
    _long_index("take", index)
    n = input._array.size
    if not n and index._array.size:
        raise IndexError("take(): tried to take from an empty tensor")
    in_range(index, n, IndexError, _ROW, low=-n)
    return Take.apply(input, index)


def _put(run: str, input: Tensor, index: Tensor, source: Tensor, accumulate: bool) -> Tensor:
    _long_index("put_", index)
    if source._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"put_(): self and source expected to have the same dtype, but got self.dtype = "
            f"{kind_name(input)} and source.dtype = "
            f"{kind_name(source)}"
        )
    if source._array.size != index._array.size:
        raise IndexError(
            "put_(): Expected source and index to have the same number of elements, but got source.numel() = "
            f"{source._array.size}, index.numel() = {index._array.size}"
        )
    n = input._array.size
    in_range(index, n, IndexError, _ROW, low=-n)
    return getattr(Put, run)(input, index, source, accumulate=accumulate)


def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """A copy with `source` written (or added) at the numbers in `index`, where `input` is seen as one row."""
    return _put("apply", input, index, source, accumulate)


def put_(self: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """Write (or add) `source` at the numbers in `index`, where the tensor is seen as one row."""
    return _put("apply_", self, index, source, accumulate)
