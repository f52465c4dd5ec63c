"""Pooling: one element for each window of an image, the largest or the average; and unpooling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch import kernels
from tinytorch.autograd.op import Op
from tinytorch.ops.promotion import kind_name, need_tensors
from tinytorch.tensor import Tensor, wrap

Numbers = int | Sequence[int]

# ---- sizes --------------------------------------------------------------------------------------------------------


def pool_output_size(
    size: int, kernel_size: int, stride: int, padding: int = 0, dilation: int = 1, ceil_mode: bool = False
) -> int:
    """How many windows there are along one dimension.

    With `ceil_mode` a window that reaches beyond the end counts too, unless it would start in the padding there.

    >>> pool_output_size(5, 2, 2), pool_output_size(5, 2, 2, ceil_mode=True)
    (2, 3)
    """
    room = size + 2 * padding - dilation * (kernel_size - 1) - 1
    if not ceil_mode:
        return room // stride + 1
    count = -(-room // stride) + 1
    return count - 1 if (count - 1) * stride >= size + padding else count


def pool_windows(size: int, kernel_size: int, stride: int, padding: int, dilation: int, count: int) -> tuple:
    """(start, stop, step) of the windows along one dimension, without what lies in the padding."""
    first = np.arange(count) * stride - padding
    start = np.where(first < 0, first + -(first // dilation) * dilation, first)  # the first place that is not padding
    return start, np.minimum(first + dilation * (kernel_size - 1) + 1, size), dilation


def adaptive_windows(size: int, count: int) -> tuple:
    """`count` windows that together cover a dimension: from ⌊i · size / count⌋ to ⌈(i + 1) · size / count⌉."""
    i = np.arange(count)
    return i * size // max(count, 1), -(-(i + 1) * size // max(count, 1)), 1


# ---- operations ---------------------------------------------------------------------------------------------------


class MaxPool(Op):
    """y = the largest x of each window, and where it is,  dx = zeros with dy added there"""

    def forward(ctx, x, windows, label):
        ctx.label = label
        ctx.size = tuple(x.shape[x.ndim - len(windows) :])
        y, index = kernels.of(x).max_windows(x, windows)
        ctx.save(index)
        return y, index

    def backward(ctx, dy, _):
        (index,) = ctx.saved
        return kernels.of(dy).scatter_planes(dy, index, ctx.size)


class AvgPool(Op):
    """y = Σ of each window / its divisor,  dx = Σ of dy / divisor over the windows that an element is in"""

    def forward(ctx, x, windows, divisors, label):
        ctx.label = label
        ctx.where = windows, divisors, tuple(x.shape[x.ndim - len(windows) :])
        return kernels.of(x).average_windows(x, windows, divisors)

    def backward(ctx, dy):
        return kernels.of(dy).spread_windows(dy, *ctx.where)


class AvgPoolBackward(Op):
    """The backward of `AvgPool`, recorded: its own derivative is `AvgPool` again."""

    def forward(ctx, dy, windows, divisors, size):
        ctx.where = windows, divisors
        return kernels.of(dy).spread_windows(dy, windows, divisors, size)

    def backward(ctx, dx):
        return kernels.of(dx).average_windows(dx, *ctx.where)


class ScatterPlanes(Op):
    """y = zeros with x added at places of its own plane,  dx = dy at those places"""

    def forward(ctx, x, index, size):
        ctx.count = len(size)
        ctx.save(index)
        return kernels.of(x).scatter_planes(x, index, size)

    def backward(ctx, dy):
        (index,) = ctx.saved
        return kernels.of(dy).gather_planes(dy, index, ctx.count), None


class GatherPlanes(Op):
    """y = x at places of each plane,  dx = zeros with dy added at those places"""

    def forward(ctx, x, index, count):
        ctx.size = tuple(x.shape[x.ndim - count :])
        ctx.save(index)
        return kernels.of(x).gather_planes(x, index, count)

    def backward(ctx, dy):
        (index,) = ctx.saved
        return kernels.of(dy).scatter_planes(dy, index, ctx.size), None


class MaxUnpool(ScatterPlanes):
    """y = zeros with x written at places of its own plane,  dx = dy at those places"""

    def forward(ctx, x, index, size, label):
        ctx.label, ctx.count = label, len(size)
        ctx.save(index)
        return kernels.of(x).put_planes(x, index, size)


class PoolVerbs:
    """Namespace, part of `TensorSide`; never instantiated."""

    @staticmethod
    def average_windows(x: Tensor, windows: tuple, divisors: tuple) -> Tensor:
        return AvgPool.apply(x, windows=windows, divisors=divisors, label=f"AvgPool{len(windows)}D")

    @staticmethod
    def spread_windows(dy: Tensor, windows: tuple, divisors: tuple, size: tuple) -> Tensor:
        return AvgPoolBackward.apply(dy, windows=windows, divisors=divisors, size=size)

    @staticmethod
    def scatter_planes(dy: Tensor, index: Any, size: tuple) -> Tensor:
        return ScatterPlanes.apply(dy, _tensor(index), size=size)

    @staticmethod
    def gather_planes(x: Tensor, index: Any, count: int) -> Tensor:
        return GatherPlanes.apply(x, _tensor(index), count=count)


def _tensor(index: Any) -> Tensor:
    return index if isinstance(index, Tensor) else wrap(index)


# ---- functions ----------------------------------------------------------------------------------------------------


def max_pool(
    dims: int,
    input: Tensor,
    kernel_size: Numbers,
    stride: Numbers | None,
    padding: Numbers,
    dilation: Numbers,
    ceil_mode: bool,
) -> tuple[Tensor, Tensor]:
    """(values, places in their planes) of the largest element of every window."""
    name = f"max_pool{dims}d"
    need_tensors(name, input=input)
    kernel = spread(name, "kernel_size", kernel_size, dims)
    step = spread(name, "stride", stride, dims) if _is_given(stride) else kernel
    around, apart = spread(name, "padding", padding, dims), spread(name, "dilation", dilation, dims)
    _check_input(name, dims, input)
    if input._array.dtype.kind == "b" or dims == 1 and input._array.dtype.kind in "iu":
        raise NotImplementedError(f"\"{name}{'_impl' if dims == 1 else ''}\" not implemented for '{kind_name(input)}'")
    counts = _counts(name, dims, input, kernel, step, around, apart, ceil_mode)
    sizes = input._array.shape[-dims:]
    windows = tuple(map(pool_windows, sizes, kernel, step, around, apart, counts))
    return MaxPool.apply(input, windows=windows, label=f"MaxPool{max(dims, 2)}DWithIndices")


def avg_pool(
    dims: int,
    input: Tensor,
    kernel_size: Numbers,
    stride: Numbers | None,
    padding: Numbers,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Tensor:
    """The average of every window; a window is as large as its part inside of image and padding."""
    name = f"avg_pool{dims}d"
    need_tensors(name, input=input)
    kernel = spread(name, "kernel_size", kernel_size, dims)
    step = spread(name, "stride", stride, dims) if _is_given(stride) else kernel
    around, apart = spread(name, "padding", padding, dims), (1,) * dims
    if divisor_override == 0:
        raise RuntimeError("divisor must be not zero")
    _check_input(name, dims, input)
    counts = _counts(name, dims, input, kernel, step, around, apart, ceil_mode)
    sizes = input._array.shape[-dims:]
    windows = tuple(map(pool_windows, sizes, kernel, step, around, apart, counts))
    if divisor_override is not None:
        divisors = tuple([np.full(n, 1 if d else divisor_override) for d, n in enumerate(counts)])
    elif count_include_pad:
        divisors = tuple([
            np.minimum(np.arange(c) * s - p + k, n + p) - (np.arange(c) * s - p)
            for c, s, p, k, n in zip(counts, step, around, kernel, sizes, strict=True)
        ])
    else:
        divisors = tuple([stop - start for start, stop, _ in windows])
    return AvgPool.apply(input, windows=windows, divisors=divisors, label=f"AvgPool{max(dims, 2)}D")


def adaptive_avg_pool(dims: int, input: Tensor, output_size: Any) -> Tensor:
    """The averages of as many windows as `output_size` says; None keeps a length."""
    windows = _adaptive(f"adaptive_avg_pool{dims}d", dims, input, output_size)
    if input._array.dtype.kind not in "fV":
        name = f"adaptive_avg_pool{max(dims, 2)}d"
        raise NotImplementedError(f"\"{name}\" not implemented for '{kind_name(input)}'")
    divisors = tuple([stop - start for start, stop, _ in windows])
    return AvgPool.apply(input, windows=windows, divisors=divisors, label=f"AdaptiveAvgPool{max(dims, 2)}D")


def adaptive_max_pool(dims: int, input: Tensor, output_size: Any) -> tuple[Tensor, Tensor]:
    """(values, places) of the largest elements of as many windows as `output_size` says."""
    windows = _adaptive(f"adaptive_max_pool{dims}d", dims, input, output_size)
    return MaxPool.apply(input, windows=windows, label=f"AdaptiveMaxPool{max(dims, 2)}D")


def max_unpool(dims: int, input: Tensor, indices: Tensor, size: tuple[int, ...]) -> Tensor:
    """Zeros of the given spatial size, with the values of a max-pool back where they came from."""
    if indices._array.dtype != np.int64:
        raise RuntimeError(f"elements in indices should be type int64 but got: {kind_name(indices)}")
    if input._array.ndim not in (dims + 1, dims + 2):
        raise RuntimeError(
            f"Input to max_unpooling{max(dims, 2)}d should be a {dims + 1}d or {dims + 2}d Tensor, but got a tensor "
            f"with {input._array.ndim} dimensions."
        )
    if input._array.shape != indices._array.shape:
        raise RuntimeError(
            f"Expected shape of indices to be same as that of the input tensor ({list(input._array.shape)}) but got "
            f"indices tensor with shape: {list(indices._array.shape)}"
        )
    wrong = (indices._array < 0) | (indices._array >= int(np.prod(size)))
    if wrong.any():
        volume = "x".join(map(str, size if dims > 1 else (1, *size)))
        raise RuntimeError(
            f"Found an invalid max index: {int(indices._array[wrong][0])} (output volumes are of size {volume})"
        )
    return MaxUnpool.apply(input, indices, size=size, label=f"MaxUnpool{max(dims, 2)}D")


# ---- what is asked of arguments -----------------------------------------------------------------------------------

_WORDS = {1: "one", 2: "two", 3: "three"}


def _is_given(stride: Numbers | None) -> bool:
    return stride is not None and (isinstance(stride, int) or len(stride) > 0)


def spread(name: str, what: str, given: Numbers, dims: int) -> tuple[int, ...]:
    """A number for every spatial dimension, from one or from as many; RuntimeError for another count."""
    if isinstance(given, int):
        return (given,) * dims
    given = tuple([int(n) for n in given])
    if len(given) == 1:
        return given * dims
    if len(given) != dims:
        ints = "int" if dims == 1 else "ints"
        raise RuntimeError(f"{name}: {what} must either be a single int, or a tuple of {_WORDS[dims]} {ints}")
    return given


def _check_input(name: str, dims: int, input: Tensor) -> None:
    shape = input._array.shape
    if len(shape) in (dims + 1, dims + 2) and 0 not in shape[-dims - 1 :]:
        return
    if name == "max_pool1d":
        raise RuntimeError(
            f"{name}: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but "
            f"got:{list(shape)}"
        )
    if dims == 1:
        raise RuntimeError(
            f"Expected 2 to 3 dimensions, but got {len(shape)}-dimensional tensor for argument #1 'self' (while "
            f"checking arguments for {name})"
        )
    if name == "avg_pool2d" and len(shape) < 3:
        ends = f"[-{len(shape)}, {len(shape) - 1}]"
        raise IndexError(f"Dimension out of range (expected to be in range of {ends}, but got -3)")
    if len(shape) in (dims + 1, dims + 2):
        raise RuntimeError(
            f"Expected {dims + 1}D or {dims + 2}D (batch mode) tensor with optional 0 dim batch size for input, but "
            f"got:{list(shape)}"
        )
    raise RuntimeError(f"non-empty {dims + 1}D or {dims + 2}D (batch mode) tensor expected for input")


def _counts(
    name: str, dims: int, input: Tensor, kernel: tuple, stride: tuple, padding: tuple, dilation: tuple, ceil_mode: bool
) -> tuple[int, ...]:
    """How many windows each dimension has, after PyTorch's refusals."""
    if min(stride) < 1:
        if name == "max_pool1d":
            raise RuntimeError(f"{name}() stride must be greater than zero, but got {stride[0]}")
        raise RuntimeError("stride should not be zero")
    if min(kernel) < 1:
        raise RuntimeError(f"kernel size should be greater than zero, but got {kernel}")
    if min(dilation) < 1:
        parts = " ".join([f"dilation{axis}: {d}" for axis, d in zip("THW"[3 - dims :], dilation, strict=True)])
        raise RuntimeError(f"dilation should be greater than zero, but got {parts}")
    for p, k, d in zip(padding, kernel, dilation, strict=True):
        if p < 0:
            raise RuntimeError(f"pad must be non-negative, but got pad: {p}")
        if name == "max_pool1d" and p > k // 2:
            raise RuntimeError(
                f"{name}() padding should be at most half of kernel size, but got padding={p} and kernel_size={k}"
            )
        if p > (d * (k - 1) + 1) // 2:
            raise RuntimeError(
                f"pad should be at most half of effective kernel size, but got pad={p}, "
                f"kernel_size={k} and dilation={d}"
            )
        if p > k // 2:
            names = ", ".join([f"pad{axis} = {n}" for axis, n in zip("WHT", padding[::-1], strict=False)])
            sizes = ", ".join([f"k{axis} = {n}" for axis, n in zip("WHT", kernel[::-1], strict=False)])
            raise RuntimeError(f"pad should be smaller than or equal to half of kernel size, but got {names}, {sizes}")
    shape = input._array.shape
    along = zip(shape[-dims:], kernel, stride, padding, dilation, strict=True)
    counts = tuple([pool_output_size(*each, ceil_mode) for each in along])
    if min(counts) < 1:
        if name == "max_pool1d":
            raise RuntimeError(f"{name}() Invalid computed output size: {counts[0]}")
        lead = (shape[-dims - 1], *[1] * (dims == 1))
        sizes = ["x".join(map(str, (*lead, *n))) for n in (shape[-dims:], [max(c, 0) for c in counts])]
        raise RuntimeError(
            f"Given input size: ({sizes[0]}). Calculated output size: ({sizes[1]}). Output size is too small"
        )
    return counts


def _adaptive(name: str, dims: int, input: Tensor, output_size: Any) -> tuple:
    need_tensors(name, input=input)
    shape = input._array.shape
    average = "avg" in name
    if len(shape) not in (dims + 1, dims + 2):
        if dims == 1:
            raise RuntimeError(
                f"Expected 2 to 3 dimensions, but got {len(shape)}-dimensional tensor for argument #1 'self' (while "
                f"checking arguments for {name})"
            )
        colon = "" if average else ":"
        raise RuntimeError(f"{name}(): Expected {dims + 1}D or {dims + 2}D tensor, but got{colon} {list(shape)}")
    given = (output_size,) * dims if isinstance(output_size, int) or output_size is None else tuple(output_size)
    if len(given) == 1:
        given *= dims
    if len(given) != dims:
        raise RuntimeError(
            f"{name}: output_size must be {dims}"
            if average
            else f"{name}(): internal error: output_size.size() must be {dims}"
        )
    counts = [n if c is None else c for c, n in zip(given, shape[-dims:], strict=True)]
    for d in range(len(shape) - dims - (not average), len(shape)):
        if not shape[d] and d >= len(shape) - dims:
            raise RuntimeError(
                f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes "
                f"{list(shape)} with dimension {d} being empty"
            )
    if min(counts) < 0:
        raise RuntimeError(
            f"{name}: elements of output_size must be greater than or equal to 0 but received "
            f"{{{', '.join(map(str, counts))}}}"
        )
    return tuple([adaptive_windows(n, c) for n, c in zip(shape[-dims:], counts, strict=True)])
