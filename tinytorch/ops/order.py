"""Sorting, and what rests on it: the k largest, the middle, what occurs most, what occurs at all."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import dtypes, kernels, return_types
from tinytorch.autograd.op import Op
from tinytorch.ops.arguments import numpy_names
from tinytorch.ops.extrema import Amax, Selected
from tinytorch.ops.out import with_out
from tinytorch.ops.promotion import kind_name
from tinytorch.tensor import Tensor, normalize_dim, wrap


class Sort(Selected):
    """(values, indices) in ascending or descending order,  dx = dy put back to where it came from"""

    def choose(ctx, k, x, dim, descending):
        return k.sort(x, dim, descending)


class Topk(Selected):
    """(values, indices) of the k largest or smallest,  dx = dy at the indices"""

    def choose(ctx, k, x, dim, count, largest):
        return k.topk(x, count, dim, largest)


class Kthvalue(Selected):
    """(values, indices) of the k-th smallest,  dx = dy at the indices"""

    def choose(ctx, k, x, dim, count):
        return k.kthvalue(x, count, dim)


class MedianAlong(Selected):
    """(values, indices) of the lower middle element,  dx = dy at the indices"""

    label, variant = "Median", 1

    def choose(ctx, k, x, dim):
        return k.median(x, dim)


class NanmedianAlong(Selected):
    """(values, indices) of the lower middle element that is not NaN,  dx = dy at the indices"""

    label, variant = "Nanmedian", 1

    def choose(ctx, k, x, dim):
        return k.nanmedian(x, dim)


class Mode(Selected):
    """(values, indices) of what occurs most often,  dx = dy at the indices"""

    def choose(ctx, k, x, dim):
        return k.mode(x, dim)


class Median(Amax):
    """y = the lower middle of all x,  dx = dy, shared among the elements that equal y"""

    nan_too = True

    def extreme(ctx, k, x):
        return k.median(x.reshape(-1), 0)[0].reshape(())


class Nanmedian(Amax):
    """y = the lower middle of all x that are not NaN,  dx = dy, shared among the elements that equal y"""

    nan_too = True

    def extreme(ctx, k, x):
        return k.nanmedian(x.reshape(-1), 0)[0].reshape(())


class Unique(Op):
    """The different elements; PyTorch has no gradient for them either."""

    def forward(ctx, x, what, dim, label):
        ctx.label, ctx.variant = label, 0
        k = kernels.of(x)
        return (k.unique if what == "sorted" else k.unique_consecutive)(x, dim)

    def backward(ctx, *_):
        raise NotImplementedError(f"the derivative for '{ctx.name()}' is not implemented.")


@with_out
@numpy_names
def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """(values, indices) along `dim`. NaN counts as the largest; equal elements keep their order.

    >>> import tinytorch
    >>> sort(tinytorch.tensor([3, 1, 2])).indices
    tensor([1, 2, 0])
    """
    d = normalize_dim(dim, input._array.ndim)
    return return_types.sort(Sort.apply(input, dim=d, descending=descending))


@with_out
@numpy_names
def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """The indices that sort `input` along `dim`."""
    return sort(input, dim, descending)[1]


@with_out
def msort(input: Tensor) -> Tensor:
    """Sorted along the first dimension."""
    return sort(input, 0)[0]


@with_out
@numpy_names
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """(values, indices) of the k largest (or smallest) along `dim`, in order."""
    d = normalize_dim(dim, input._array.ndim)
    if not 0 <= k <= (input._array.shape[d] if input._array.ndim else 1):
        raise RuntimeError("selected index k out of range")
    return return_types.topk(Topk.apply(input, dim=d, count=k, largest=largest))


@with_out
@numpy_names
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """(values, indices) of the k-th smallest along `dim`; k counts from 1."""
    d = _checked_dim("kthvalue", input, dim)
    if not 1 <= k <= (input._array.shape[d] if input._array.ndim else 1):
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {d}")
    return return_types.kthvalue(Kthvalue.apply(input, dim=d, keepdim=keepdim, count=k))


def _checked_dim(name: str, x: Tensor, dim: int) -> int:
    d = normalize_dim(dim, x._array.ndim)
    if x._array.ndim and not x._array.shape[d]:
        raise IndexError(f"{name}(): Expected reduction dim {d} to have non-zero size.")
    return d


@with_out
@numpy_names
def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The lower of the two middle elements of all, or (values, indices) along `dim`. One NaN makes it NaN."""
    if dim is None:
        return _median_of_all(Median, input)
    d = _checked_dim("median", input, dim)
    return return_types.median(MedianAlong.apply(input, dim=d, keepdim=keepdim))


@with_out
@numpy_names
def nanmedian(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """`median` of the elements that are not NaN."""
    if dim is None:
        return _median_of_all(Nanmedian, input)
    d = _checked_dim("nanmedian", input, dim)
    return return_types.nanmedian(NanmedianAlong.apply(input, dim=d, keepdim=keepdim))


def _median_of_all(op: type[Op], input: Tensor) -> Tensor:
    if input._array.size:
        return op.apply(input, dim=None, keepdim=False)
    floating = input.dtype.is_floating_point
    return wrap(np.array(np.nan if floating else np.iinfo(input._array.dtype).min, input._array.dtype))


@with_out
@numpy_names
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> Any:
    """(values, indices) of what occurs most often along `dim`; of several the smallest."""
    return return_types.mode(Mode.apply(input, dim=_checked_dim("mode", input, dim), keepdim=keepdim))


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The different elements (along `dim`: the different slices), sorted; on request where each went, and how many.

    >>> import tinytorch
    >>> unique(tinytorch.tensor([3, 1, 3]), return_counts=True)
    (tensor([1, 3]), tensor([1, 2]))
    """
    d = None if dim is None else normalize_dim(dim, input._array.ndim)
    found = Unique.apply(input, what="sorted", dim=d, label="Unique2" if d is None else "UniqueDim")
    return _chosen(found, return_inverse, return_counts)


def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """Equal neighbours made one; on request where each went, and how many."""
    d = None if dim is None else normalize_dim(dim, input._array.ndim)
    found = Unique.apply(input, what="consecutive", dim=d, label="UniqueConsecutive")
    return _chosen(found, return_inverse, return_counts)


def _chosen(found: tuple, inverse: bool, counts: bool) -> Any:
    wanted = (found[0], *([found[1]] if inverse else []), *([found[2]] if counts else []))
    return wanted[0] if len(wanted) == 1 else wanted


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each of 0, 1, 2, ... occurs, or the sums of the weights there."""
    x = input._array
    if x.dtype.kind in "fVb":
        raise NotImplementedError(f"\"bincount_cpu\" not implemented for '{kind_name(input)}'")
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    if x.ndim != 1 or (x.size and x.min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is not None and weights._array.shape != x.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    return wrap(kernels.of(x).bincount(x, None if weights is None else weights._array, minlength))


@with_out
def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements fall into each of `bins` equal parts of [min, max]; of the data's range if they are equal."""
    x = input._array
    if x.dtype.kind not in "fV":
        raise NotImplementedError(f"\"histogram_cpu\" not implemented for '{kind_name(input)}'")
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    low, high = float(min), float(max)
    if low == high and x.size:
        low, high = float(np.minimum.reduce(x, axis=None)), float(np.maximum.reduce(x, axis=None))
    if low == high:
        low, high = low - 1, high + 1
    if not (np.isfinite(low) and np.isfinite(high)):
        raise RuntimeError(f"torch.histc: range of [{low}, {high}] is not finite")
    if low > high:
        raise RuntimeError("torch.histc: max must be larger than min")
    return wrap(kernels.of(x).histc(x, bins, low, high))


@with_out
def searchsorted(
    sorted_sequence: Tensor,
    values: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
) -> Tensor:
    """Where each value would have to be put in to keep the last dimension sorted; `right`: after equal ones."""
    if side is not None:
        if side not in ("left", "right"):
            raise RuntimeError(f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}")
        if side == "left" and right:
            raise RuntimeError(
                f"torch.searchsorted(): side and right can't be set to opposites, got side of {side} while right was "
                "True"
            )
        right = side == "right"
    a = sorted_sequence._array
    if sorter is not None:
        a = np.take_along_axis(a, sorter._array, -1)
    v = values._array if isinstance(values, Tensor) else np.asarray(values, a.dtype)
    if a.ndim != 1 and a.shape[:-1] != v.shape[:-1]:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries "
            f"tensor and input value tensor must match, but we got boundaries tensor {list(a.shape)} and input value "
            f"tensor {list(v.shape)}"
        )
    return wrap(
        kernels.of(a).searchsorted(a, v, right).astype((dtypes.int32 if out_int32 else dtypes.int64).numpy)
    )


@with_out
def bucketize(input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """The number of the interval between `boundaries` that each element lies in."""
    if boundaries._array.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries._array.ndim})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)
