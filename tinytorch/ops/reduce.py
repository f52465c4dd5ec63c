"""Many elements to one, along some dimensions or all."""

from __future__ import annotations

from typing import Any

from tinytorch import kernels
from tinytorch.autograd.op import Op
from tinytorch.ops.cast import to_dtype
from tinytorch.tensor import Tensor, normalize_dim, wrap


class Sum(Op):
    """y = Σ x,  dx = dy for every element that was summed"""

    def forward(ctx, x, dim, keepdim):
        ctx.shape, ctx.dim, ctx.keepdim = x.shape, dim, keepdim
        return kernels.of(x).sum(x, dim, keepdim)

    def backward(ctx, dy):
        return spread(dy, ctx.shape, ctx.dim, ctx.keepdim)


class Mean(Sum):
    """y = Σ x / n,  dx = dy / n"""

    def forward(ctx, x, dim, keepdim):
        y = super().forward(x, dim, keepdim)
        ctx.count = x.size // max(y.size, 1)
        return y / y.dtype.type(ctx.count)

    def backward(ctx, dy):
        return spread(dy / ctx.count, ctx.shape, ctx.dim, ctx.keepdim)


def spread(dy: Any, shape: tuple[int, ...], dim: Any, keepdim: bool) -> Any:
    """A reduced gradient stretched over the dimensions that were reduced away."""
    k = kernels.of(dy)
    if not keepdim:
        gone = range(len(shape)) if dim is None else (dim if isinstance(dim, tuple) else (dim,))
        dy = dy.reshape([1 if i in gone else n for i, n in enumerate(shape)])
    return k.expand(dy, shape)


def dims_of(x: Tensor, dim: Any) -> Any:
    """None, or a dimension or tuple of dimensions counted from the front."""
    if dim is None or (isinstance(dim, list | tuple) and not dim):
        return None
    ndim = x._array.ndim
    if isinstance(dim, list | tuple):
        found = tuple([normalize_dim(d, ndim) for d in dim])
        for d in found:
            if found.count(d) > 1:
                raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
        return found if ndim else None
    found_one = normalize_dim(dim, ndim)
    return found_one if ndim else None


def sum(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None, keepdims: bool = False
) -> Tensor:
    """The sum over all elements or along `dim`; integers and bools give int64. NumPy's `axis`, `keepdims` work too.

    >>> import tinytorch
    >>> sum(tinytorch.tensor([[1., 2.], [3., 4.]]), dim=0)
    tensor([4., 6.])
    """
    if dtype is not None:
        input = to_dtype(input, dtype)
    if dim is None:
        dim, keepdim = axis, keepdim or keepdims
    return Sum.apply(input, dim=dims_of(input, dim), keepdim=keepdim)


def mean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean over all elements or along `dim`; the input must be floating point."""
    if dtype is not None:
        input = to_dtype(input, dtype)
    if not input.dtype.is_floating_point:
        raise RuntimeError(
            "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. "
            f"Got: {input.dtype.legacy.removesuffix('Tensor')}"
        )
    return Mean.apply(input, dim=dims_of(input, dim), keepdim=keepdim)


def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the largest element (the first of several), of all or along `dim`."""
    import numpy as np

    return wrap(np.asarray(kernels.of(input._array).argmax(input._array, dims_of(input, dim), keepdim), np.int64))
