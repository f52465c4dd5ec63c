"""Picking and writing elements by a mask of bools; finding the elements that are not zero."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tinytorch import kernels
from tinytorch.autograd.op import Op
from tinytorch.ops.cast import to_dtype
from tinytorch.ops.inplace import Writer, number_for
from tinytorch.ops.out import with_out
from tinytorch.ops.promotion import common_dtype, kind_name
from tinytorch.ops.shape import common_shape, expand
from tinytorch.tensor import Tensor, wrap


class MaskedFill(Writer):
    """y = x with a number v where the mask is true,  dx = dy with zeros there,  dv = the sum of dy there"""

    overlap = True

    def forward(ctx, x, mask, *value, number=None):
        ctx._prepare(x, mask, value)
        return kernels.of(x).masked_fill(x, mask, value[0] if value else number)

    def write(ctx, x, mask, *value, number=None):
        ctx._prepare(x, mask, value)
        kernels.of(x).masked_fill_into(x, mask, value[0] if value else number)

    def _prepare(ctx, x, mask, value):
        ctx.variant = len(value)
        ctx._fit = ((x.shape, x.dtype), None, *[(v.shape, v.dtype) for v in value])
        ctx.save(mask)

    def backward(ctx, dy):
        (mask,) = ctx.saved
        k = kernels.of(dy)
        dx = k.masked_fill(dy, mask, 0)
        return (dx, None, k.where(mask, dy, k.zeros_like(dy))) if ctx.variant else (dx, None)


class MaskedSelect(Op):
    """y = the elements of x where the mask is true, in a row,  dx = zeros with dy there"""

    def forward(ctx, x, mask):
        ctx.like = x.shape, x.dtype
        ctx.save(mask)
        return kernels.of(x).masked_select(x, mask)

    def backward(ctx, dy):
        (mask,) = ctx.saved
        k = kernels.of(dy)
        return k.masked_scatter(k.zeros(*ctx.like), mask, dy), None


class MaskedScatter(Writer):
    """y = x with the elements of s where the mask is true, in order,  dx = dy with zeros there,  ds = dy there"""

    def write(ctx, x, mask, source):
        ctx.source_like = source.shape, source.dtype
        ctx.save(mask)
        x[mask] = source.reshape(-1)[: np.count_nonzero(mask)]

    def backward(ctx, dy):
        (mask,) = ctx.saved
        k = kernels.of(dy)
        shape, dtype = ctx.source_like
        there = k.masked_select(dy, mask)
        ds = k.put_slice(((int(np.prod(shape)),), dtype), (slice(0, there.shape[0]),), there).reshape(shape)
        return k.masked_fill(dy, mask, 0), None, ds


class Where(Op):
    """z = x where the condition is true, else y,  dx = dz there and 0 elsewhere,  dy = the opposite"""

    def forward(ctx, condition, x, y):
        ctx._fit = (None, (x.shape, x.dtype), (y.shape, y.dtype))
        ctx.save(condition)
        return kernels.of(x).where(condition, x, y)

    def backward(ctx, dz):
        (condition,) = ctx.saved
        k = kernels.of(dz)
        none = k.zeros_like(dz)
        return None, k.where(condition, dz, none), k.where(condition, none, dz)


def _bool_mask(mask: Any, message: str) -> None:
    if not isinstance(mask, Tensor):
        raise TypeError(f"argument 'mask' must be Tensor, not {type(mask).__name__}")
    if mask._array.dtype != bool:
        raise RuntimeError(message)


_C_NAMES = {"uint8": "unsigned char", "int8": "signed char", "int16": "short int", "int32": "int", "int64": "long int",
            "float16": "c10::Half", "bfloat16": "c10::BFloat16", "float32": "float", "float64": "double"}  # fmt: skip


def _masked_fill(run: str, input: Tensor, mask: Tensor, value: Any) -> Tensor:
    _bool_mask(
        mask, f"masked_fill_ only supports boolean masks, but got mask with dtype {_C_NAMES.get(mask.dtype.name)}"
    )
    shapes = mask._array.shape, input._array.shape
    whole = common_shape(*(shapes if run == "apply" else shapes[::-1]))
    if run == "apply_" and whole != input._array.shape:
        raise RuntimeError(
            f"output with shape {list(input._array.shape)} doesn't match the broadcast shape {list(whole)}"
        )
    if not isinstance(value, Tensor):
        return getattr(MaskedFill, run)(input, mask, number=number_for(input, value, "masked_fill_"))
    if value._array.ndim:
        raise RuntimeError(
            "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{value._array.ndim} dimension(s)."
        )
    return getattr(MaskedFill, run)(input, mask, to_dtype(value, input.dtype))


def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """A copy with one number where the mask, which broadcasts, is true.

    >>> import tinytorch
    >>> masked_fill(tinytorch.tensor([1.0, 2.0]), tinytorch.tensor([True, False]), 0)
    tensor([0., 2.])
    """
    return _masked_fill("apply", input, mask, value)


def masked_fill_(self: Tensor, mask: Tensor, value: Any) -> Tensor:
    """One number where the mask, which broadcasts, is true."""
    return _masked_fill("apply_", self, mask, value)


@with_out
def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where the mask is true, in a row: a copy. Both broadcast."""
    _bool_mask(mask, "masked_select: expected BoolTensor for mask")
    whole = common_shape(mask._array.shape, input._array.shape)
    if whole != input._array.shape:
        input = expand(input, whole)
    return MaskedSelect.apply(input, mask if whole == mask._array.shape else expand(mask, whole))


def _masked_scatter(run: str, input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    _bool_mask(mask, f"masked_scatter_ only supports boolean masks, but got mask with dtype {kind_name(mask)}")
    if input._array.dtype != source._array.dtype:
        raise RuntimeError(
            f"masked_scatter: expected self and source to have same dtypes but "
            f"got{kind_name(input)} and {kind_name(source)}"
        )
    whole = common_shape(input._array.shape, mask._array.shape)
    if whole != input._array.shape:
        if run == "apply_":
            raise RuntimeError(
                f"output with shape {list(input._array.shape)} doesn't match the broadcast shape {list(whole)}"
            )
        input = expand(input, whole).contiguous()
    mask = mask if whole == mask._array.shape else expand(mask, whole)
    if source._array.size < np.count_nonzero(mask._array):
        raise RuntimeError("Number of elements of source < number of ones in mask")
    return getattr(MaskedScatter, run)(input, mask, source)


def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """A copy with the elements of `source`, one after the other, where the mask is true."""
    return _masked_scatter("apply", input, mask, source)


def masked_scatter_(self: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """The elements of `source`, one after the other, where the mask is true."""
    return _masked_scatter("apply_", self, mask, source)


@with_out
def where(condition: Tensor, input: Any = None, other: Any = None) -> Any:
    """`input` where the condition is true, `other` elsewhere; all three broadcast, numbers may be given.

    With the condition alone: the indices of its true elements, as `nonzero(condition, as_tuple=True)` gives them.

    >>> import tinytorch
    >>> x = tinytorch.tensor([-1.0, 2.0])
    >>> where(x > 0, x, 0.0)
    tensor([0., 2.])
    """
    if not isinstance(condition, Tensor):
        raise TypeError(f"where(): argument 'condition' (position 1) must be Tensor, not {type(condition).__name__}")
    if input is None and other is None:
        return nonzero(condition, as_tuple=True)
    if input is None or other is None:
        given = ", ".join([type(v).__name__ for v in (condition, input, other) if v is not None])
        raise TypeError(f"where() received an invalid combination of arguments - got ({given})")
    if condition._array.dtype == np.uint8:
        warnings.warn(
            "where received a uint8 condition tensor. This behavior is deprecated and will "
            "be removed in a future version of "
            "PyTorch. Use a boolean condition instead.", stacklevel=2,
        )  # fmt: skip
        condition = to_dtype(condition, _BOOL)
    elif condition._array.dtype != bool:
        raise RuntimeError(
            f"where expected condition to be a boolean tensor, but got a tensor with dtype {kind_name(condition)}"
        )
    common = common_dtype(input, other)
    x, y = (
        to_dtype(v, common) if isinstance(v, Tensor) else wrap(np.asarray(v).astype(common.numpy))
        for v in (input, other)
    )
    common_shape(common_shape(condition._array.shape, x._array.shape), y._array.shape)
    return Where.apply(condition, x, y)


def where_method(self: Tensor, condition: Tensor, other: Any) -> Tensor:
    """This tensor where the condition is true, `other` elsewhere."""
    return where(condition, self, other)


@with_out
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """The indices of all elements that are not zero: a row each, or (`as_tuple`) a vector for each dimension.

    >>> import tinytorch
    >>> nonzero(tinytorch.tensor([[0, 1], [2, 0]]))
    tensor([[0, 1],
            [1, 0]])
    """
    array = input._array
    if as_tuple:
        return tuple([wrap(i) for i in np.nonzero(array if array.ndim else array.reshape(1))])
    return argwhere(input)


def argwhere(input: Tensor) -> Tensor:
    """The indices of all elements that are not zero, a row each."""
    array = input._array
    if not array.ndim:
        return wrap(np.empty((int(bool(array)), 0), np.int64))
    return wrap(np.stack(np.nonzero(array)).T)


_BOOL = wrap(np.empty(0, bool)).dtype
