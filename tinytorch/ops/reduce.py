"""Many elements to one, along some dimensions or all: sums, products, means, variances, truth."""

from __future__ import annotations

import builtins
import warnings
from typing import Any

import numpy as np

from tinytorch import kernels
from tinytorch.autograd.op import Op
from tinytorch.kernels.cpu.reduce import count_along
from tinytorch.ops.arguments import numpy_names
from tinytorch.ops.cast import to_dtype
from tinytorch.ops.out import with_out
from tinytorch.ops.promotion import as_floating, kind_name, need_tensors
from tinytorch.tensor import Tensor, normalize_dim, wrap


class Sum(Op):
    """y = Σ x,  dx = dy for every element that was summed"""

    def forward(ctx, x, dim, keepdim, dtype=None):
        ctx.shape, ctx.dim, ctx.keepdim = x.shape, dim, keepdim
        if dim is not None:
            ctx.variant = 1
        if dtype is not None:
            ctx._fit = ((x.shape, x.dtype),)
        return kernels.of(x).sum(x, dim, keepdim, dtype)

    def backward(ctx, dy):
        return spread(dy, ctx.shape, ctx.dim, ctx.keepdim)


class Mean(Op):
    """y = Σ x / n,  dx = dy / n"""

    def forward(ctx, x, dim, keepdim):
        ctx.shape, ctx.dim, ctx.keepdim = x.shape, dim, keepdim
        if dim is not None:
            ctx.variant = 1
        return kernels.of(x).mean(x, dim, keepdim)

    def backward(ctx, dy):
        return spread(dy / count_along(ctx.shape, ctx.dim), ctx.shape, ctx.dim, ctx.keepdim)


class Nansum(Op):
    """y = Σ x over what is not NaN,  dx = dy there"""

    def forward(ctx, x, dim, keepdim):
        ctx.save(x)
        ctx.dim, ctx.keepdim = dim, keepdim
        return kernels.of(x).nansum(x, dim, keepdim)

    def backward(ctx, dy):
        (x,) = ctx.saved
        return spread(dy, x.shape, ctx.dim, ctx.keepdim) * (x == x)


class Prod(Op):
    """y = Π x,  dx[k] = dy · the product of the others: y / x[k], where no x is zero"""

    def forward(ctx, x, dim, keepdim, dtype=None):
        ctx.dim, ctx.keepdim = dim, keepdim
        if dim is not None:
            ctx.variant = 1
        if dtype is not None:
            ctx._fit = ((x.shape, x.dtype),)
        y = np.asarray(kernels.of(x).prod(x, dim, keepdim, dtype))
        return ctx.save(x, y)[1]

    def backward(ctx, dy):
        x, y = ctx.saved
        k = kernels.of(dy)
        if k.all_nonzero(x):
            return spread(dy * y, x.shape, ctx.dim, ctx.keepdim) / x
        dy = spread(dy, x.shape, ctx.dim, ctx.keepdim)
        if ctx.dim is None:
            return dy * k.product_of_others(x.reshape(-1), 0).reshape(x.shape)
        return dy * k.product_of_others(x, ctx.dim)


class VarMean(Op):
    """v = Σ (x - m)² / (n - correction),  m = Σ x / n,  dx = dv · 2 (x - m) / (n - correction) + dm / n"""

    def forward(ctx, x, dim, keepdim, correction):
        ctx.dim, ctx.keepdim, ctx.correction = dim, keepdim, correction
        ctx.save(x)
        return kernels.of(x).var_mean(x, dim, keepdim, correction)

    def backward(ctx, dv, dm=None):
        (x,) = ctx.saved
        return ctx.through(x, dv, dm)

    def through(ctx, x, dv, dm):
        n = count_along(x.shape, ctx.dim)
        parts = []
        if dv is not None:
            degrees = builtins.max(n - ctx.correction, 0)
            scale = 2 / degrees if degrees else float("inf")
            m = kernels.of(dv).mean(x, ctx.dim, True)
            parts.append(scale * spread(dv, x.shape, ctx.dim, ctx.keepdim) * (x - m))
        if dm is not None:
            parts.append(spread(dm / n, x.shape, ctx.dim, ctx.keepdim))
        return parts[0] if len(parts) == 1 else parts[0] + parts[1]


class Var(VarMean):
    """v = Σ (x - m)² / (n - correction),  dx = dv · 2 (x - m) / (n - correction)"""

    def forward(ctx, x, dim, keepdim, correction):
        return super().forward(x, dim, keepdim, correction)[0]


class StdMean(VarMean):
    """s = √v,  dv = ds / 2s, and zero where s is zero;  m as above"""

    def forward(ctx, x, dim, keepdim, correction):
        v, m = super().forward(x, dim, keepdim, correction)
        s = np.asarray(kernels.of(v).sqrt(v))
        ctx.save(x, s)
        return s, m

    def backward(ctx, ds, dm=None):
        x, s = ctx.saved
        return ctx.through(x, None if ds is None else ds * (s != 0) / (2 * (s + (s == 0))), dm)


class Std(StdMean):
    """s = √(Σ (x - m)² / (n - correction))"""

    def forward(ctx, x, dim, keepdim, correction):
        return super().forward(x, dim, keepdim, correction)[0]


class Logsumexp(Op):
    """y = log Σ eˣ,  dx = dy · eˣ⁻ʸ: the softmax"""

    def forward(ctx, x, dim, keepdim):
        ctx.dim, ctx.keepdim = dim, keepdim
        y = np.asarray(kernels.of(x).logsumexp(x, dim, keepdim))
        return ctx.save(x, y)[1]

    def backward(ctx, dy):
        x, y = ctx.saved
        y = spread(y, x.shape, ctx.dim, ctx.keepdim)
        return spread(dy, x.shape, ctx.dim, ctx.keepdim) * kernels.of(dy).exp(x - y)


def restore_dims(y: Any, ndim: int, dim: Any, keepdim: bool) -> Any:
    """A reduced value with the dimensions that were reduced away back in place, of length 1."""
    if keepdim or not ndim:
        return y
    if dim is None:
        return y.reshape((1,) * ndim)
    gone = dim if type(dim) is tuple else (dim,)
    lengths = iter(y.shape)
    return y.reshape(tuple([1 if i in gone else next(lengths) for i in range(ndim)]))


def spread(dy: Any, shape: tuple[int, ...], dim: Any, keepdim: bool) -> Any:
    """A reduced gradient stretched over the dimensions that were reduced away."""
    return kernels.of(dy).expand(restore_dims(dy, len(shape), dim, keepdim), shape)


def dims_of(x: Tensor, dim: Any) -> Any:
    """None, or a dimension or tuple of dimensions counted from the front. Reducing all is reducing along none."""
    if dim is None:
        return None
    ndim = x._array.ndim
    if isinstance(dim, list | tuple):
        found = tuple([normalize_dim(d, ndim) for d in dim])
        for d in found:
            if found.count(d) > 1:
                raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
        return (found or tuple(range(ndim))) if ndim else None
    found_one = normalize_dim(dim, ndim)
    return found_one if ndim else None


@with_out
def sum(
    input: Tensor,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    axis: Any = None,
    keepdims: bool = False,
) -> Tensor:
    """The sum over all elements or along `dim`; integers and bools give int64. NumPy's `axis`, `keepdims` work too.

    >>> import tinytorch
    >>> sum(tinytorch.tensor([[1., 2.], [3., 4.]]), dim=0)
    tensor([4., 6.])
    """
    if not isinstance(input, Tensor):
        need_tensors("sum", input=input)
    return Sum.apply(
        input,
        dim=dims_of(input, axis if dim is None else dim),
        keepdim=keepdim or keepdims,
        dtype=None if dtype is None else dtype.numpy,
    )


@with_out
@numpy_names
def mean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean over all elements or along `dim`; the input must be floating point."""
    if dtype is not None:
        input, which = to_dtype(input, dtype), "Optional"
    else:
        which = "Input"
    if input._array.dtype.kind not in "fV":
        raise RuntimeError(
            f"mean(): could not infer output dtype. {which} dtype must be either a floating point or complex dtype. "
            f"Got: {kind_name(input)}"
        )
    return Mean.apply(input, dim=dims_of(input, dim), keepdim=keepdim)


@with_out
@numpy_names
def nansum(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum of what is not NaN."""
    if dtype is not None:
        input = to_dtype(input, dtype)
    if input._array.dtype.kind not in "fV":
        return sum(input, dim, keepdim)
    return Nansum.apply(input, dim=dims_of(input, dim), keepdim=keepdim)


@with_out
@numpy_names
def nanmean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean of what is not NaN."""
    if input._array.dtype.kind not in "fV":
        raise RuntimeError(
            f"nanmean(): expected input to have floating point or complex dtype but got {kind_name(input)}"
        )
    counted = sum(wrap(input._array == input._array), dim, keepdim)
    return nansum(input, dim, keepdim, dtype=dtype) / counted


@with_out
@numpy_names
def prod(input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The product of all elements or along one dimension; integers and bools give int64."""
    wanted = None if dtype is None else dtype.numpy
    return Prod.apply(input, dim=None if dim is None else dims_of(input, dim), keepdim=keepdim, dtype=wanted)


def _spread_of(op: type[Op], name: str, described: str) -> Any:
    """`var` and its kin: `f(x)`, `f(x, dim)`, `f(x, unbiased)`, `f(x, dim, unbiased, keepdim)`, `correction=`."""

    def function(
        input: Tensor, dim: Any = None, unbiased: Any = None, keepdim: Any = False, *, correction: Any = 1
    ) -> Any:
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        if input._array.dtype.kind not in "fV":
            raise RuntimeError("std and var only support floating point and complex dtypes")
        if unbiased is not None:
            correction = 1 if unbiased else 0
        correction = 1 if correction is None else correction
        dims = dims_of(input, dim)
        if count_along(input._array.shape, dims) - correction <= 0:
            warnings.warn(
                f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor "
                "(input numel divided by output numel).",
                UserWarning,
                stacklevel=4,
            )
        return op.apply(input, dim=dims, keepdim=keepdim, correction=correction)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"{described} of all elements or along `dim`: squared distances are summed and divided by n - `correction` "
        "(`unbiased=False` is `correction=0`)."
    )
    return with_out(numpy_names(function))


var = _spread_of(Var, "var", "The variance")
std = _spread_of(Std, "std", "The standard deviation")
var_mean = _spread_of(VarMean, "var_mean", "The pair (variance, mean)")
std_mean = _spread_of(StdMean, "std_mean", "The pair (standard deviation, mean)")


@with_out
@numpy_names
def logsumexp(input: Tensor, dim: Any, keepdim: bool = False) -> Tensor:
    """log Σ eˣ along `dim`, without overflow."""
    return Logsumexp.apply(as_floating(input), dim=dims_of(input, dim), keepdim=keepdim)


@with_out
@numpy_names
def all(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Whether every element is true (not zero). The dtype is bool, for uint8 uint8."""
    return _plain(kernels.of(input._array).all(input._array, dims_of(input, dim), keepdim))


@with_out
@numpy_names
def any(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Whether some element is true (not zero). The dtype is bool, for uint8 uint8."""
    return _plain(kernels.of(input._array).any(input._array, dims_of(input, dim), keepdim))


@numpy_names
def count_nonzero(input: Tensor, dim: Any = None) -> Tensor:
    """How many elements are not zero, in all or along `dim`."""
    return _plain(kernels.of(input._array).count_nonzero(input._array, dims_of(input, dim)))


def _plain(array: Any) -> Tensor:
    """A result through which no gradient flows."""
    return wrap(np.asarray(array))
