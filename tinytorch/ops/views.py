"""Windows on a tensor: a slice, a diagonal, sliding windows, several pieces at once. All of them are views."""

from __future__ import annotations

from typing import Any

from tinytorch import kernels
from tinytorch.autograd.views import AsStrided, ViewOp, window_of
from tinytorch.tensor import Tensor, normalize_dim


class Slice(ViewOp):
    """y = x[index] by numbers and slices,  dx = zeros with dy at that index"""

    def forward(ctx, x, index, inserted=False):
        ctx.like, ctx.index = (x.shape, x.dtype), index
        return kernels.of(x).take_inserted(x, index) if inserted else x[index]

    def backward(ctx, dy):
        return kernels.of(dy).put_slice(ctx.like, ctx.index, dy)


class Select(Slice):
    """The same, where the last of the indices is a number."""


class Unsqueeze(Slice):
    """The same, where the last of the indices is None."""


class Alias(Slice):
    """The same, where the index says nothing: x[...]."""


class Split(ViewOp):
    """y₀, y₁, ... = slices of x along one dimension,  dx = the dyᵢ side by side, zeros for those that are missing"""

    def forward(ctx, x, dim, bounds):
        ctx.like, ctx.dim, ctx.bounds = (x.shape, x.dtype), dim, bounds
        lead = (slice(None),) * dim
        return [x[(*lead, slice(a, b))] for a, b in bounds]

    def backward(ctx, *dys):
        k = kernels.of(next(dy for dy in dys if dy is not None))
        shape, dtype = ctx.like
        pieces = [
            k.zeros((*shape[: ctx.dim], b - a, *shape[ctx.dim + 1 :]), dtype) if dy is None else dy
            for dy, (a, b) in zip(dys, ctx.bounds, strict=True)
        ]
        return k.cat(pieces, ctx.dim)


class SplitWithSizes(Split):
    """The same, for a list of lengths."""


class Unbind(ViewOp):
    """y₀, y₁, ... = x at 0, 1, ... along one dimension,  dx = the dyᵢ stacked, zeros for those that are missing"""

    def forward(ctx, x, dim):
        ctx.like, ctx.dim = (x.shape, x.dtype), dim
        lead = (slice(None),) * dim
        return [x[(*lead, i, ...)] for i in range(x.shape[dim])]

    def backward(ctx, *dys):
        k = kernels.of(next(dy for dy in dys if dy is not None))
        shape, dtype = ctx.like
        missing = (*shape[: ctx.dim], *shape[ctx.dim + 1 :]), dtype
        return k.stack([k.zeros(*missing) if dy is None else dy for dy in dys], ctx.dim)


class Diagonal(ViewOp):
    """y = a diagonal of x,  dx = zeros with dy on that diagonal"""

    def forward(ctx, x, offset, dim1, dim2):
        ctx.like, ctx.where = (x.shape, x.dtype), (offset, dim1, dim2)
        return kernels.of(x).diagonal(x, *ctx.where)

    def backward(ctx, dy):
        return kernels.of(dy).put_diagonal(ctx.like, *ctx.where, dy)


class Unfold(ViewOp):
    """y = sliding windows over x,  dx = for each element the sum of dy over the windows that hold it"""

    def forward(ctx, x, dim, size, step):
        ctx.like, ctx.where = (x.shape, x.dtype), (dim, size, step)
        return kernels.of(x).sliding(x, *ctx.where)

    def backward(ctx, dy):
        return kernels.of(dy).add_windows(ctx.like, *ctx.where, dy)


def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """`length` slices along `dim`, from `start` on: a view."""
    if not input._array.ndim:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    dim = normalize_dim(dim, input._array.ndim)
    n, first = input._array.shape[dim], int(start)
    if not -n <= first <= n:
        raise IndexError(f"start out of range (expected to be in range of [{-n}, {n}], but got {first})")
    first += n if first < 0 else 0
    if first + length > n:
        raise RuntimeError(f"start ({first}) + length ({length}) exceeds dimension size ({n}).")
    return Slice.apply(input, (slice(None),) * dim + (slice(first, first + length),))


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """The slice number `index` along `dim`, without that dimension: a view."""
    shape = input._array.shape
    if not shape:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim, index = normalize_dim(dim, len(shape)), int(index)
    if not -shape[dim] <= index < shape[dim]:
        raise IndexError(f"select(): index {index} out of range for tensor of size {list(shape)} at dimension {dim}")
    return Select.apply(input, (slice(None),) * dim + (index, ...))


def split(input: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Pieces of a length each (the last may be shorter), or of the lengths in a list: views.

    >>> import tinytorch
    >>> [list(piece.shape) for piece in split(tinytorch.zeros(5, 2), 2)]
    [[2, 2], [2, 2], [1, 2]]
    """
    if not isinstance(split_size_or_sections, int):
        return split_with_sizes(input, split_size_or_sections, dim)
    size = split_size_or_sections
    if not input._array.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    dim = normalize_dim(dim, input._array.ndim)
    n = input._array.shape[dim]
    if size < 0:
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
    if size == 0 and n:
        raise RuntimeError(f"split_size can only be 0 if dimension size is 0, but got dimension size of {n}")
    starts = range(0, n, size) if n else (0,)
    return Split.apply(input, dim, [(a, min(a + size, n)) for a in starts])


def split_with_sizes(input: Tensor, split_sizes: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Pieces of the given lengths, which add up to the length of the dimension: views."""
    sizes = [int(s) for s in split_sizes]
    if not input._array.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    dim = normalize_dim(dim, input._array.ndim)
    n = input._array.shape[dim]
    if min(sizes, default=0) < 0:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes={sizes}"
        )
    if sum(sizes) != n:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at dimension {dim}), "
            f"but got split_sizes={sizes}"
        )
    bounds, at = [], 0
    for size in sizes:
        bounds.append((at, at + size))
        at += size
    return SplitWithSizes.apply(input, dim, bounds)


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` pieces of equal length; the last may be shorter: views.

    >>> import tinytorch
    >>> [len(piece) for piece in chunk(tinytorch.zeros(7), 4)]
    [2, 2, 2, 1]
    """
    if not input._array.ndim:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    dim = normalize_dim(dim, input._array.ndim)
    n = input._array.shape[dim]
    if n == 0:
        return split_with_sizes(input, [0] * chunks, dim)
    return split(input, -(-n // chunks), dim)


def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """As many pieces as said, whose lengths differ by at most 1; or cut at the given indices: views."""
    if not input._array.ndim:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    dim = normalize_dim(dim, input._array.ndim)
    n = input._array.shape[dim]
    if isinstance(indices_or_sections, Tensor):
        indices_or_sections = indices_or_sections.tolist()
    if isinstance(indices_or_sections, int):
        parts = indices_or_sections
        if parts <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {parts}")
        cuts = [n // parts * i + min(i, n % parts) for i in range(1, parts)]
    else:
        cuts = list(indices_or_sections)
    lead = (slice(None),) * dim
    return tuple([Slice.apply(input, (*lead, slice(a, b))) for a, b in zip([0, *cuts], [*cuts, n], strict=True)])


def _split_along(name: str, least: int, dim_of: Any) -> Any:
    """hsplit, vsplit and dsplit: `tensor_split` along a fixed dimension, into equal pieces."""

    def function(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
        ndim = input._array.ndim
        if ndim < least:
            raise RuntimeError(
                f"torch.{name} requires a tensor with at least {least} dimension, but got a "
                f"tensor with {ndim} dimensions!"
            )
        dim = dim_of(ndim)
        n = input._array.shape[dim]
        if isinstance(indices_or_sections, int) and (indices_or_sections <= 0 or n % indices_or_sections):
            raise RuntimeError(
                f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension {n} is not "
                f"divisible by the split_size {indices_or_sections}!"
            )
        return tensor_split(input, indices_or_sections, dim)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = "Pieces of equal length, or cut at the given indices: views. See `tensor_split`."
    return function


hsplit = _split_along("hsplit", 1, lambda ndim: 0 if ndim == 1 else 1)
vsplit = _split_along("vsplit", 2, lambda ndim: 0)
dsplit = _split_along("dsplit", 3, lambda ndim: 2)


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along a dimension, as a tuple of views."""
    if not input._array.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return Unbind.apply(input, normalize_dim(dim, input._array.ndim))


def iterate(self: Tensor) -> Any:
    """`for row in x`"""
    if not self._array.ndim:
        raise TypeError("iteration over a 0-d tensor")
    return iter(unbind(self))


def unfold(self: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """Windows of `size` elements along a dimension, one every `step` elements; the window is a new last dimension.

    >>> import tinytorch
    >>> tinytorch.arange(5).unfold(0, 3, 1)
    tensor([[0, 1, 2],
            [1, 2, 3],
            [2, 3, 4]])
    """
    shape = self._array.shape
    dim = normalize_dim(dimension, len(shape))
    n = shape[dim] if shape else 1
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > n:
        raise RuntimeError(f"maximum size for tensor at dimension {dim} is {n} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    if not shape:
        from tinytorch.ops.shape import View

        return View.apply(self, (1,)) if size else Slice.apply(View.apply(self, (1,)), (slice(0, 0),))
    return Unfold.apply(self, dim, size, step)


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The elements whose indices along two dimensions differ by `offset`, as the last dimension: a view."""
    ndim = input._array.ndim
    first, second = normalize_dim(dim1, ndim), normalize_dim(dim2, ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return Diagonal.apply(input, offset, first, second)


def as_strided(input: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """Any window on the memory: its shape, its strides and its offset, counted in elements of the storage."""
    shape, strides = tuple(size), tuple(stride)
    if len(shape) != len(strides):
        raise RuntimeError("mismatch in length of strides and shape")
    offset = input.storage_offset() if storage_offset is None else storage_offset
    if min(strides, default=0) < 0:
        raise RuntimeError(
            f"as_strided: Negative strides are not supported at the moment, got strides: {list(strides)}"
        )
    if offset < 0:
        raise RuntimeError(f"Tensor: invalid storage offset {offset}")
    window, itemsize, has = (shape, strides, offset), input._array.itemsize, input._storage.nbytes()
    needed = kernels.of(input._array).reach(window) * itemsize
    if needed > has:
        raise RuntimeError(
            f"setStorage: sizes {list(shape)}, strides {list(strides)}, storage offset "
            f"{offset}, and itemsize {itemsize} "
            f"requiring a storage size of {needed} are out of bounds for storage of size {has}"
        )
    buffer = input.storage()._elements
    return AsStrided.apply(input, buffer, window_of(input), window)
