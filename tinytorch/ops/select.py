"""Picking elements and slices by index tensors, and writing to them: gather, scatter, index_select, take and theirs."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import kernels
from tinytorch.autograd.op import Op
from tinytorch.ops.promotion import kind_name
from tinytorch.ops.inplace import Writer, number_for
from tinytorch.ops.out import with_out
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
    """y = x, seen as one row, with s written (or added) at an index,  dx = dy with zeros there (or dy),  ds = dy there"""

    def write(ctx, x, index, source, accumulate):
        ctx.accumulate, ctx.shape = accumulate, source.shape
        ctx.save(index)
        kernels.of(x).put_into(x, index, source, accumulate)

    def backward(ctx, dy):
        (index,) = ctx.saved
        k = kernels.of(dy)
        dx = dy if ctx.accumulate else k.put(dy, index, 0, False)
        return dx, None, k.take(dy, index).reshape(ctx.shape)


# ---- checks -------------------------------------------------------------------------------------------------------


def _long_index(name: str, index: Any, int32: bool = False) -> None:
    if not isinstance(index, Tensor):
        raise TypeError(f"{name}(): argument 'index' must be Tensor, not {type(index).__name__}")
    if index._array.dtype != np.int64 and not (int32 and index._array.dtype == np.int32):
        if int32:
            raise RuntimeError(f"{name}(): Expected dtype int32 or int64 for index")
        raise RuntimeError(f"{name}(): Expected a long tensor for index, but got {kind_name(index)}")


def _in_range(index: Tensor, n: int, error: type, message: str, low: int = 0) -> np.ndarray:
    """The array of an index; an error with the first number that is outside of [low, n)."""
    array = index._array
    if array.size and (array.min() < low or array.max() >= n):
        wrong = array[(array < low) | (array >= n)].reshape(-1)[0]
        raise error(message.format(wrong=wrong, n=n))
    return array


_BOUNDS = "index {wrong} is out of bounds for dimension %d with size {n}"


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
                f"Expected index {list(have)} to be no larger than self {list(shape)} apart from dimension {dim} and to be "
                f"no larger size than src {list(source._array.shape)}"
            )
    elif beyond and what == "input":
        d = next(d for d, (n, m) in enumerate(zip(have, whole, strict=True)) if d != dim and n > m)
        raise RuntimeError(
            f"Size does not match at dimension {d} expected index {list(have)} to be no larger than self {list(shape)} "
            f"apart from dimension {dim}"
        )
    elif beyond:
        raise RuntimeError(f"Expected index {list(have)} to be no larger than self {list(shape)} apart from dimension {dim}")
    _in_range(index, whole[dim], RuntimeError, _BOUNDS % dim)
    return dim, index


def _vector(name: str, input: Tensor, dim: int, index: Any, int32: bool = False) -> tuple[int, Tensor]:
    dim = normalize_dim(dim, input._array.ndim)
    _long_index(name, index, int32)
    if index._array.ndim > 1:
        raise IndexError(f"{name}(): Index is supposed to be a vector")
    return dim, index if index._array.ndim else index.reshape(1)


def _lengthened(input: Tensor) -> Tensor:
    """A 0-d tensor as a vector of one element: so the index along "dimension 0" means something."""
    return input if input._array.ndim else input.reshape(1)


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
    """Like `gather`, where `input` and `indices` broadcast except along `dim`; without `dim` over the flattened input."""
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
def scatter(input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Tensor:
    """A copy with out[index[i, j], j] = src[i, j] for dim 0, and so on; `src` is a tensor or a number."""
    return _scatter("apply", input, dim, index, src, value, reduce)


def scatter_(self: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Tensor:
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
def scatter_reduce(input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True) -> Tensor:
    """A copy in which each place holds the sum, prod, mean, amax or amin of what `src` sends there (and of itself)."""
    return _reduce("apply", input, dim, index, src, reduce, include_self)


def scatter_reduce_(self: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True) -> Tensor:
    """`scatter_reduce` into this tensor's own memory."""
    return _reduce("apply_", self, dim, index, src, reduce, include_self)


# ---- whole slices ---------------------------------------------------------------------------------------------------


@with_out
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices of `input` at the numbers in `index`, along `dim`: a copy."""
    dim, index = _vector("index_select", input, dim, index, int32=True)
    _in_range(index, (input._array.shape or (1,))[dim], IndexError, "index out of range in self")
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
    _in_range(index, (shape or (1,))[dim], RuntimeError, _BOUNDS % dim)
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
            f"index_copy_(): self and source expected to have the same dtype, but got (self) {kind_name(input)} and (source) "
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
    _in_range(index, (shape or (1,))[dim], IndexError, f"index_copy_(): {_BOUNDS % dim}")
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
    _in_range(index, n, IndexError, _BOUNDS % dim, low=-n)
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
    _in_range(index, n, IndexError, _ROW, low=-n)
    return Take.apply(input, index)


def _put(run: str, input: Tensor, index: Tensor, source: Tensor, accumulate: bool) -> Tensor:
    _long_index("put_", index)
    if source._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"put_(): self and source expected to have the same dtype, but got self.dtype = {kind_name(input)} and source.dtype = "
            f"{kind_name(source)}"
        )
    if source._array.size != index._array.size:
        raise IndexError(
            "put_(): Expected source and index to have the same number of elements, but got source.numel() = "
            f"{source._array.size}, index.numel() = {index._array.size}"
        )
    n = input._array.size
    _in_range(index, n, IndexError, _ROW, low=-n)
    return getattr(Put, run)(input, index, source, accumulate=accumulate)


def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """A copy with `source` written (or added) at the numbers in `index`, where `input` is seen as one row."""
    return _put("apply", input, index, source, accumulate)


def put_(self: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """Write (or add) `source` at the numbers in `index`, where the tensor is seen as one row."""
    return _put("apply_", self, index, source, accumulate)
