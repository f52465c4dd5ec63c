"""Joining tensors, repeating them, and moving their elements around. All of these copy."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import kernels
from tinytorch.autograd.grad_mode import no_grad
from tinytorch.autograd.op import Op
from tinytorch.dtypes import can_cast
from tinytorch.ops.cast import to_dtype
from tinytorch.ops.out import refuse_recording, with_out, write_out
from tinytorch.ops.promotion import common_dtype, kind_name
from tinytorch.ops.shape import expand, flatten, reshape, shape_of, unsqueeze
from tinytorch.tensor import Tensor, normalize_dim, wrap


class Cat(Op):
    """y = x₀, x₁, ... one after the other along a dimension,  dxᵢ = its part of dy"""

    def forward(ctx, *xs, dim, kept):
        ctx.dim, ctx.like = dim, xs[0].dtype
        ctx.lengths = [xs[i].shape[dim] if i in kept else None for i in range(len(xs))]
        return kernels.of(xs[0]).cat([xs[i] for i in kept], dim)

    def backward(ctx, dy):
        lead, at, parts = (slice(None),) * ctx.dim, 0, []
        for length in ctx.lengths:
            if length is None:
                parts.append(kernels.of(dy).zeros((0,), ctx.like))
                continue
            parts.append(dy[(*lead, slice(at, at + length))])
            at += length
        return tuple(parts)


class Stack(Op):
    """y = x₀, x₁, ... as the slices of a new dimension,  dxᵢ = slice i of dy"""

    def forward(ctx, *xs, dim):
        ctx.dim, ctx.count = dim, len(xs)
        return kernels.of(xs[0]).stack(xs, dim)

    def backward(ctx, dy):
        lead = (slice(None),) * ctx.dim
        return tuple([dy[(*lead, i, ...)] for i in range(ctx.count)])


class Repeat(Op):
    """y = x, laid side by side,  dx = the sum of dy over all the repetitions"""

    def forward(ctx, x, times):
        ctx.pairs = [n for pair in zip(times, x.shape, strict=True) for n in pair]
        ctx.shape = x.shape
        return kernels.of(x).repeat(x, times)

    def backward(ctx, dy):
        return (
            dy.reshape(tuple(ctx.pairs)).sum(axis=tuple(range(0, len(ctx.pairs), 2)), keepdims=True).reshape(ctx.shape)
        )


class Roll(Op):
    """y = x, moved round in a circle,  dx = dy, moved back"""

    def forward(ctx, x, shifts, dims):
        ctx.shifts, ctx.dims = shifts, dims
        return kernels.of(x).roll(x, shifts, dims)

    def backward(ctx, dy):
        return kernels.of(dy).roll(dy, tuple([-s for s in ctx.shifts]), ctx.dims)


class Flip(Op):
    """y = x in the opposite order,  dx = dy in the opposite order"""

    def forward(ctx, x, dims):
        ctx.dims = dims
        return kernels.of(x).flip(x, dims)

    def backward(ctx, dy):
        return kernels.of(dy).flip(dy, ctx.dims)


class Rot90(Op):
    """y = x, turned by k quarter circles in the plane of two dimensions,  dx = dy, turned back"""

    def forward(ctx, x, k, dims):
        ctx.k, ctx.dims = k, dims
        return kernels.of(x).rot90(x, k, dims)

    def backward(ctx, dy):
        return kernels.of(dy).rot90(dy, -ctx.k, ctx.dims)


def _tensors(name: str, tensors: Any) -> tuple:
    if isinstance(tensors, Tensor) or not isinstance(tensors, list | tuple):
        raise TypeError(
            f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not {type(tensors).__name__}"
        )
    for number, t in enumerate(tensors):
        if not isinstance(t, Tensor):
            raise TypeError(f"expected Tensor as element {number} in argument 0, but got {type(t).__name__}")
    return tuple(tensors)


def _in_one_dtype(tensors: tuple) -> tuple:
    first = tensors[0]._array.dtype
    if all([t._array.dtype is first for t in tensors]):
        return tensors
    common = common_dtype(*tensors)
    return tuple([to_dtype(t, common) for t in tensors])


def cat(tensors: Any, dim: int = 0, *, axis: int | None = None, out: Any = None) -> Tensor:
    """The tensors one after the other along `dim`; all other lengths must agree. Dtypes are promoted.

    A one-dimensional tensor without elements is left out, whatever the shapes of the others.

    >>> import tinytorch
    >>> cat([tinytorch.ones(1, 2), tinytorch.zeros(2, 2)])
    tensor([[1., 1.],
            [0., 0.],
            [0., 0.]])
    """
    given = _tensors("cat", tensors)
    if out is not None:
        return _cat_into(out, given, dim if axis is None else axis)
    dim = dim if axis is None else axis
    if not given:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    for number, t in enumerate(given):
        if not t._array.ndim:
            raise RuntimeError(f"zero-dimensional tensor (at position {number}) cannot be concatenated")
    given = _in_one_dtype(given)
    parts = [(n, t) for n, t in enumerate(given) if t._array.shape != (0,)] or list(enumerate(given))
    model = parts[0][1]._array.shape
    dim = normalize_dim(dim, len(model))
    for number, t in parts[1:]:
        shape = t._array.shape
        if len(shape) != len(model):
            raise RuntimeError(f"Tensors must have same number of dimensions: got {len(model)} and {len(shape)}")
        for d, (n, m) in enumerate(zip(model, shape, strict=True)):
            if n != m and d != dim:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {dim}. Expected size {n} but "
                    f"got size {m} for tensor "
                    f"number {number} in the list."
                )
    return Cat.apply(*given, dim=dim, kept=[n for n, _ in parts])


def _cat_into(out: Tensor, given: tuple, dim: int) -> Tensor:
    common = common_dtype(*given)
    if not can_cast(common, out.dtype):
        raise TypeError(f"torch.cat(): input types can't be cast to the desired output type {kind_name(out)}")
    refuse_recording("cat", out, given)
    with no_grad():
        return write_out(cat(given, dim), out)


def _alias_of_cat(name: str) -> Any:
    def function(tensors: Any, dim: int = 0, *, axis: int | None = None, out: Any = None) -> Tensor:
        return cat(tensors, dim, axis=axis, out=out)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = "The same as `cat`."
    return function


concat, concatenate = _alias_of_cat("concat"), _alias_of_cat("concatenate")


@with_out
def stack(tensors: Any, dim: int = 0) -> Tensor:
    """Tensors of one shape as the slices of a new dimension.

    >>> import tinytorch
    >>> stack([tinytorch.zeros(3), tinytorch.ones(3)], dim=1).shape
    torch.Size([3, 2])
    """
    given = _tensors("stack", tensors)
    if not given:
        raise RuntimeError("stack expects a non-empty TensorList")
    model = given[0]._array.shape
    dim = normalize_dim(dim, len(model) + 1)
    for number, t in enumerate(given):
        if t._array.shape != model:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(model)} at entry 0 and "
                f"{list(t._array.shape)} at entry {number}"
            )
    return Stack.apply(*_in_one_dtype(given), dim=dim)


def atleast(t: Tensor, ndim: int) -> Tensor:
    """With dimensions of length 1 put around until there are `ndim`: (n,) becomes (1, n), and then (1, n, 1)."""
    have = t._array.ndim
    if have >= ndim:
        return t
    if have == 0:
        return reshape(t, (1,) * ndim)
    if ndim == 2:
        return unsqueeze(t, 0)
    return unsqueeze(t, -1) if have == 2 else unsqueeze(unsqueeze(t, 0), -1)


def _non_empty(name: str, tensors: Any) -> tuple:
    given = _tensors(name, tensors)
    if not given:
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    return given


@with_out
def hstack(tensors: Any) -> Tensor:
    """Joined along the second dimension; vectors along their only one."""
    given = [atleast(t, 1) for t in _non_empty("hstack", tensors)]
    return cat(given, 0 if given[0]._array.ndim == 1 else 1)


@with_out
def vstack(tensors: Any) -> Tensor:
    """Joined along the first dimension; vectors are rows."""
    return cat([atleast(t, 2) for t in _non_empty("vstack", tensors)], 0)


@with_out
def dstack(tensors: Any) -> Tensor:
    """Joined along the third dimension, which is put in where it is missing."""
    return cat([atleast(t, 3) for t in _non_empty("dstack", tensors)], 2)


@with_out
def column_stack(tensors: Any) -> Tensor:
    """Joined along the second dimension; vectors and numbers are columns."""
    given = _non_empty("column_stack", tensors)
    return cat([reshape(t, (t._array.size, 1)) if t._array.ndim <= 1 else t for t in given], 1)


def repeat(self: Tensor, *repeats: Any) -> Tensor:
    """The tensor laid side by side, `repeats[d]` times along dimension d; surplus numbers add dimensions in front.

    >>> import tinytorch
    >>> tinytorch.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    times = shape_of(repeats)
    shape = self._array.shape
    if len(times) < len(shape):
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    padded = (1,) * (len(times) - len(shape)) + shape
    result = [t * n for t, n in zip(times, padded, strict=True)]
    if min(times, default=1) < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(result)}: {result}")
    return Repeat.apply(self if padded == shape else expand(self, padded), times=times)


def tile(input: Tensor, *dims: Any) -> Tensor:
    """Like `repeat`, but too few numbers are filled up with ones in front, as in NumPy."""
    times = shape_of(dims)
    return repeat(input, (1,) * (input._array.ndim - len(times)) + times)


def repeat_interleave(
    input: Any, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Every element (every slice along `dim`) several times, one copy beside the other.

    `repeats` is a number, or a tensor with one for each slice. With a tensor of counts alone the result is the indices,
    each as often as its count says.

    >>> import tinytorch
    >>> repeat_interleave(tinytorch.tensor([1, 2]), 2)
    tensor([1, 1, 2, 2])
    """
    if repeats is None:
        counts, input = input, wrap(np.arange(input._array.size))
    else:
        if dim is None:
            input, dim = flatten(input), 0
        counts = repeats
    dim = normalize_dim(dim or 0, input._array.ndim)
    n = input._array.shape[dim] if input._array.ndim else 1
    if isinstance(counts, Tensor):
        array = counts._array
        if array.dtype.kind != "i" or array.itemsize < 4:
            raise NotImplementedError(f"\"repeat_interleave_cpu\" not implemented for '{kind_name(counts)}'")
        if array.ndim > 1 or (array.ndim == 0 and repeats is None):
            raise RuntimeError("repeats must be 0-dim or 1-dim tensor")
        if array.size not in (1, n):
            raise RuntimeError(
                "repeats must have the same size as input along dim, but got repeats.size(0) = "
                f"{array.size} and input.size({dim}) = {n}"
            )
        if array.size and array.min() < 0:
            raise RuntimeError("repeats can not be negative")
        times = np.broadcast_to(array.reshape(-1), (n,))
    else:
        if counts < 0:
            raise RuntimeError("Repeats must be non-negative")
        times = counts
    from tinytorch.ops.slices import index_select

    return index_select(input, dim, wrap(np.repeat(np.arange(n), times)))


def roll(input: Tensor, shifts: Any, dims: Any = None) -> Tensor:
    """Elements moved along dimensions; what falls out at the end comes in again at the start."""
    steps = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    along = () if dims is None else (dims,) if isinstance(dims, int) else tuple(dims)
    if not steps:
        raise RuntimeError("`shifts` required")
    if not along and len(steps) == 1:
        return reshape(roll(flatten(input), steps, 0), input._array.shape) if input._array.ndim else input.clone()
    if len(steps) != len(along):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(steps)}, dims:{len(along)}")
    ndim = input._array.ndim
    return Roll.apply(input, shifts=steps, dims=tuple([normalize_dim(d, ndim) for d in along]))


def flip(input: Tensor, *dims: Any) -> Tensor:
    """The order of the elements reversed along some dimensions. A copy: strides are never negative."""
    ndim = input._array.ndim
    along = tuple([normalize_dim(d, ndim) for d in shape_of(dims)])
    for d in along:
        if along.count(d) > 1:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
    return Flip.apply(input, dims=along)


def fliplr(input: Tensor) -> Tensor:
    """Columns in the opposite order."""
    if input._array.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return flip(input, 1)


def flipud(input: Tensor) -> Tensor:
    """Rows in the opposite order."""
    if input._array.ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return flip(input, 0)


def rot90(input: Tensor, k: int = 1, dims: Any = (0, 1)) -> Tensor:
    """Turned by k quarter circles, from the first of two dimensions towards the second.

    >>> import tinytorch
    >>> rot90(tinytorch.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """
    plane, ndim = tuple(dims), input._array.ndim
    if len(plane) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(plane)}")
    if ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {ndim}")
    if plane[0] == plane[1] or abs(plane[0] - plane[1]) == ndim:
        raise RuntimeError(f"expected rotation dims to be different, but got dim0 = {plane[0]} and dim1 = {plane[1]}")
    return Rot90.apply(input, k=k, dims=tuple([normalize_dim(d, ndim) for d in plane]))
