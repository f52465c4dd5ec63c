"""Picking single elements along a dimension, and writing to them: gather, scatter and theirs."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import kernels
from tinytorch.autograd.op import Op
from tinytorch.ops.inplace import Writer, number_for
from tinytorch.ops.out import with_out
from tinytorch.ops.promotion import kind_name
from tinytorch.tensor import Tensor, normalize_dim, wrap


class Gather(Op):
    """y[i, j] = x[index[i, j], j] for dim 0, and so on,  dx = zeros with dy added at those places"""

    def forward(ctx, x, index, dim):
        ctx.like, ctx.dim = (x.shape, x.dtype), dim
        ctx.save(index)
        return kernels.of(x).gather(x, dim, index)

    def backward(ctx, dy):
        (index,) = ctx.saved
        k = kernels.of(dy)
        return k.scatter_add(k.zeros(*ctx.like), ctx.dim, index, dy), None


class _IntoPlaces(Writer):
    """Base of the scatters: `source` may be larger than `index`; what is beyond gets no gradient."""

    def begin(ctx, index, source, dim):
        ctx.dim, ctx.inside = dim, tuple([slice(0, n) for n in index.shape]) or (...,)
        ctx.source_like = source.shape, source.dtype
        ctx.save(index)
        return source[ctx.inside]

    def source_gradient(ctx, dy, index):
        k = kernels.of(dy)
        return k.put_slice(ctx.source_like, ctx.inside, k.gather(dy, ctx.dim, index))


class Scatter(_IntoPlaces):
    """y = x with y[index[i, j], j] = s[i, j] for dim 0, and so on,  dx = dy with zeros there,  ds = dy there"""

    def write(ctx, x, index, source, dim):
        kernels.of(x).scatter_into(x, dim, index, ctx.begin(index, source, dim))

    def backward(ctx, dy):
        (index,) = ctx.saved
        return kernels.of(dy).scatter(dy, ctx.dim, index, 0), None, ctx.source_gradient(dy, index)


class ScatterValue(Writer):
    """y = x with a number written at places,  dx = dy with zeros there"""

    label, variant = "Scatter", 1

    def write(ctx, x, index, dim, value):
        ctx.dim = dim
        ctx.save(index)
        kernels.of(x).scatter_into(x, dim, index, value)

    def backward(ctx, dy):
        (index,) = ctx.saved
        return kernels.of(dy).scatter(dy, ctx.dim, index, 0), None


class ScatterAdd(_IntoPlaces):
    """y = x with y[index[i, j], j] += s[i, j] for dim 0, and so on,  dx = dy,  ds = dy at those places"""

    def write(ctx, x, index, source, dim):
        kernels.of(x).scatter_add_into(x, dim, index, ctx.begin(index, source, dim))

    def backward(ctx, dy):
        (index,) = ctx.saved
        return dy, None, ctx.source_gradient(dy, index)


# ---- checks -------------------------------------------------------------------------------------------------------


def in_range(index: Tensor, n: int, error: type, message: str, low: int = 0) -> np.ndarray:
    """The array of an index; an error with the first number that is outside of [low, n)."""
    array = index._array
    if array.size and (array.min() < low or array.max() >= n):
        wrong = array[(array < low) | (array >= n)].reshape(-1)[0]
        raise error(message.format(wrong=wrong, n=n))
    return array


BOUNDS = "index {wrong} is out of bounds for dimension %d with size {n}"


def _along(input: Tensor, dim: int, index: Any, source: Any = None, what: str = "self") -> tuple[int, Tensor]:
    """Dimension and index of gather or scatter, checked: dimensions, lengths, range."""
    if not isinstance(index, Tensor):
        raise TypeError(f"argument 'index' must be Tensor, not {type(index).__name__}")
    shape, name = input._array.shape, "gather" if what == "input" else "scatter"
    dim = normalize_dim(dim, len(shape))
    if index._array.dtype.kind != "i" or index._array.itemsize < 4:
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index")
    have = index._array.shape
    if not index._array.size:
        return dim, index
    if (len(have) or 1) != (len(shape) or 1):
        raise RuntimeError(f"Index tensor must have the same number of dimensions as {what} tensor")
    have, whole = have or (1,), shape or (1,)
    beyond = any([n > m for d, (n, m) in enumerate(zip(have, whole, strict=True)) if d != dim])
    if isinstance(source, Tensor):
        other = source._array.shape or (1,)
        if len(other) != len(have):
            raise RuntimeError("Index tensor must have the same number of dimensions as src tensor")
        if beyond or any([n > m for n, m in zip(have, other, strict=True)]):
            raise RuntimeError(
                f"Expected index {list(have)} to be no larger than self {list(shape)} apart from "
                f"dimension {dim} and to be "
                f"no larger size than src {list(source._array.shape)}"
            )
    elif beyond and what == "input":
        d = next(d for d, (n, m) in enumerate(zip(have, whole, strict=True)) if d != dim and n > m)
        raise RuntimeError(
            f"Size does not match at dimension {d} expected index {list(have)} to be no larger than self {list(shape)} "
            f"apart from dimension {dim}"
        )
    elif beyond:
        raise RuntimeError(
            f"Expected index {list(have)} to be no larger than self {list(shape)} apart from dimension {dim}"
        )
    in_range(index, whole[dim], RuntimeError, BOUNDS % dim)
    return dim, index


# ---- along a dimension --------------------------------------------------------------------------------------------


@with_out
def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """out[i, j] = input[index[i, j], j] for dim 0, input[i, index[i, j]] for dim 1, and so on; index gives the shape.

    >>> import tinytorch
    >>> gather(tinytorch.tensor([[1, 2], [3, 4]]), 1, tinytorch.tensor([[0, 0], [1, 0]]))
    tensor([[1, 1],
            [4, 3]])
    """
    dim, index = _along(input, dim, index, what="input")
    return Gather.apply(input, index, dim=dim)


def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None, *, out: Any = None) -> Tensor:
    """Like `gather`, where `input` and `indices` broadcast except along `dim`; without `dim` over all elements."""
    from tinytorch.ops.shape import common_shape, expand, reshape

    if indices._array.dtype != np.int64:
        raise RuntimeError(f"torch.take_along_dim(): dtype of indices should be Long but got {kind_name(indices)}")
    if dim is None:
        return gather(reshape(input, -1), 0, reshape(indices, -1), out=out)
    if input._array.ndim != indices._array.ndim:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{input._array.ndim} dimensions for input, and {indices._array.ndim} dimensions for indices"
        )
    dim = normalize_dim(dim, input._array.ndim)
    a, b = input._array.shape, indices._array.shape
    common = common_shape((*a[:dim], 1, *a[dim + 1 :]), (*b[:dim], 1, *b[dim + 1 :]))
    wide = expand(input, (*common[:dim], a[dim], *common[dim + 1 :]))
    return gather(wide, dim, expand(indices, (*common[:dim], b[dim], *common[dim + 1 :])), out=out)


def _scatter(run: str, input: Tensor, dim: int, index: Any, src: Any, value: Any, reduce: str | None) -> Tensor:
    name = "scatter" if run == "apply" else "scatter_"
    if value is not None:
        src = value
    if src is None:
        raise TypeError(f"{name}() received an invalid combination of arguments - got (int, Tensor)")
    if reduce is not None:
        if reduce not in ("add", "multiply"):
            raise RuntimeError("reduce argument must be either add or multiply.")
        if not isinstance(src, Tensor):
            src = wrap(np.full(index._array.shape, src, input._array.dtype))
        how = {"add": "sum", "multiply": "prod"}[reduce]
        return _reduce(run, input, dim, index, src, how, True)
    if not isinstance(src, Tensor):
        dim, index = _along(input, dim, index)
        return getattr(ScatterValue, run)(input, index, dim=dim, value=number_for(input, src, name))
    if src._array.dtype != input._array.dtype:
        raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
    dim, index = _along(input, dim, index, src)
    return getattr(Scatter, run)(input, index, src, dim=dim)


@with_out
def scatter(
    input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None
) -> Tensor:
    """A copy with out[index[i, j], j] = src[i, j] for dim 0, and so on; `src` is a tensor or a number."""
    return _scatter("apply", input, dim, index, src, value, reduce)


def scatter_(
    self: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None
) -> Tensor:
    """self[index[i, j], j] = src[i, j] for dim 0, self[i, index[i, j]] = src[i, j] for dim 1, and so on.

    >>> import tinytorch
    >>> tinytorch.zeros(2, 3).scatter_(1, tinytorch.tensor([[2], [0]]), 1.0)
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """
    return _scatter("apply_", self, dim, index, src, value, reduce)


def _scatter_add(run: str, input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    if src._array.dtype != input._array.dtype:
        raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
    dim, index = _along(input, dim, index, src)
    return getattr(ScatterAdd, run)(input, index, src, dim=dim)


@with_out
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """A copy with out[index[i, j], j] += src[i, j] for dim 0, and so on."""
    return _scatter_add("apply", input, dim, index, src)


def scatter_add_(self: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """self[index[i, j], j] += src[i, j] for dim 0, and so on; a place that is named twice gets both."""
    return _scatter_add("apply_", self, dim, index, src)


def _reduce(run: str, input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, include_self: bool) -> Tensor:
    from tinytorch.ops.scatter_reduce import ScatterReduce

    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    if src._array.dtype != input._array.dtype:
        raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
    dim, index = _along(input, dim, index, src)
    return getattr(ScatterReduce, run)(input, index, src, dim=dim, reduce=reduce, include_self=include_self)


@with_out
def scatter_reduce(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """A copy in which each place holds the sum, prod, mean, amax or amin of what `src` sends there (and of itself)."""
    return _reduce("apply", input, dim, index, src, reduce, include_self)


def scatter_reduce_(
    self: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """`scatter_reduce` into this tensor's own memory."""
    return _reduce("apply_", self, dim, index, src, reduce, include_self)
