"""Convolution in any number of spatial dimensions, its transpose, fold and unfold.

A convolution is linear in the input and linear in the weight. So three operations, y from (x, w), dx from (dy, w) and
dw from (x, dy), are each other's derivatives, to any order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tinytorch import kernels
from tinytorch.autograd.op import Op
from tinytorch.ops.pad import constant_pad
from tinytorch.ops.promotion import kind_name, need_tensors
from tinytorch.tensor import Tensor

Numbers = int | Sequence[int]

# ---- sizes --------------------------------------------------------------------------------------------------------


def output_size(size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """How many windows fit along one dimension: ⌊(size + 2 padding - span) / stride⌋ + 1.

    The span of a kernel is dilation · (kernel_size - 1) + 1.

    >>> output_size(32, 3, stride=2, padding=1)
    16
    """
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


def transposed_size(
    size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1, output_padding: int = 0
) -> int:
    """The length whose convolution has `size` windows; `output_padding` picks one where several have.

    >>> transposed_size(16, 3, stride=2, padding=1), transposed_size(16, 3, stride=2, padding=1, output_padding=1)
    (31, 32)
    """
    return (size - 1) * stride - 2 * padding + dilation * (kernel_size - 1) + output_padding + 1


# ---- operations ---------------------------------------------------------------------------------------------------


class Convolution(Op):
    """y[o] = b[o] + Σ over c of w[o, c] ⋆ x[c],  dx = dy laid back through w,  dw[o, c] = x[c] ⋆ dy[o],  db = Σ dy"""

    def forward(ctx, x, w, b, geometry):
        ctx.geometry = geometry
        ctx.save(x, w)
        return kernels.of(x).convolution(x, w, b, geometry)

    def backward(ctx, dy):
        x, w = ctx.saved
        needs_x, needs_w, needs_b = ctx.needs_input_grad
        k = kernels.of(dy)
        dx = k.convolution_input(dy, w, None, tuple(x.shape[2:]), ctx.geometry) if needs_x else None
        dw = k.convolution_weight(x, dy, tuple(w.shape[2:]), ctx.geometry) if needs_w else None
        return dx, dw, (_sum_of_channels(dy) if needs_b else None)


class ConvolutionInput(Op):
    """x = y laid back through w, plus b: the transposed convolution,  dy = w ⋆ dx,  dw = dx ⋆ y,  db = Σ dx"""

    label = "Convolution"

    def forward(ctx, y, w, b, size, geometry):
        ctx.geometry = geometry
        ctx.save(y, w)
        return kernels.of(y).convolution_input(y, w, b, size, geometry)

    def backward(ctx, dx):
        y, w = ctx.saved
        needs_y, needs_w, needs_b = ctx.needs_input_grad
        k = kernels.of(dx)
        dy = _like(k.convolution(dx, w, None, ctx.geometry), y) if needs_y else None
        dw = k.convolution_weight(dx, y, tuple(w.shape[2:]), ctx.geometry) if needs_w else None
        return dy, dw, (_sum_of_channels(dx) if needs_b else None)


class ConvolutionWeight(Op):
    """w = x ⋆ y, summed over the batch,  dx = y laid back through dw,  dy = dw ⋆ x"""

    label = "ConvolutionBackward"

    def forward(ctx, x, y, size, geometry):
        ctx.geometry = geometry
        ctx.save(x, y)
        return kernels.of(x).convolution_weight(x, y, size, geometry)

    def backward(ctx, dw):
        x, y = ctx.saved
        needs_x, needs_y = ctx.needs_input_grad
        k = kernels.of(dw)
        dx = k.convolution_input(y, dw, None, tuple(x.shape[2:]), ctx.geometry) if needs_x else None
        return dx, (_like(k.convolution(x, dw, None, ctx.geometry), y) if needs_y else None)


class Im2col(Op):
    """y = every window of x as a column,  dx = each element of dy added where it was taken from"""

    label = "Im2Col"

    def forward(ctx, x, size, geometry, out):
        ctx.where = tuple(x.shape[2:]), size, geometry, out
        return kernels.of(x).im2col(x, size, geometry, out)

    def backward(ctx, dy):
        return kernels.of(dy).col2im(dy, *ctx.where)


class Col2im(Op):
    """y = zeros with each element of x added at its place,  dx = the windows of dy as columns"""

    label = "Col2Im"

    def forward(ctx, x, shape, size, geometry, out):
        ctx.where = size, geometry, out
        return kernels.of(x).col2im(x, shape, size, geometry, out)

    def backward(ctx, dy):
        return kernels.of(dy).im2col(dy, *ctx.where)


def _sum_of_channels(dy: Any) -> Any:
    """(N, C, ...) -> (C,)"""
    n, c = dy.shape[:2]
    return dy.reshape((n, c, math.prod(dy.shape[2:]))).sum(axis=2).sum(axis=0)


def _like(made: Any, y: Any) -> Any:
    """`made` without the windows that only fit because of a large output_padding."""
    if made.shape == y.shape:
        return made
    return made[tuple([slice(0, n) for n in y.shape])]


class ConvVerbs:
    """Namespace, part of `TensorSide`; never instantiated."""

    @staticmethod
    def convolution(x: Tensor, w: Tensor, b: Tensor | None, geometry: tuple) -> Tensor:
        return Convolution.apply(x, w, b, geometry=geometry)

    @staticmethod
    def convolution_input(y: Tensor, w: Tensor, b: Tensor | None, size: tuple, geometry: tuple) -> Tensor:
        return ConvolutionInput.apply(y, w, b, size=size, geometry=geometry)

    @staticmethod
    def convolution_weight(x: Tensor, y: Tensor, size: tuple, geometry: tuple) -> Tensor:
        return ConvolutionWeight.apply(x, y, size=size, geometry=geometry)

    @staticmethod
    def im2col(x: Tensor, size: tuple, geometry: tuple, out: tuple) -> Tensor:
        return Im2col.apply(x, size=size, geometry=geometry, out=out)

    @staticmethod
    def col2im(x: Tensor, shape: tuple, size: tuple, geometry: tuple, out: tuple) -> Tensor:
        return Col2im.apply(x, shape=shape, size=size, geometry=geometry, out=out)


# ---- functions ----------------------------------------------------------------------------------------------------


def conv(
    dims: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Numbers,
    padding: Numbers | str,
    dilation: Numbers,
    groups: int,
) -> Tensor:
    """The convolution of (N, C, ...) or (C, ...) with `dims` spatial dimensions: what conv1d, conv2d, conv3d call."""
    name = f"conv{dims}d"
    input, batched = _batched(name, dims, input, weight)
    spatial = weight._array.ndim - 2
    stride = spread("stride", stride, dims, spatial)
    dilation = spread("dilation", dilation, dims, spatial)
    same = isinstance(padding, str)
    if same:
        input, padding = _padding_by_name(input, weight, padding, stride, dilation)
    padding = spread("padding", padding, dims, spatial)
    _check(input, weight, bias, stride, padding, dilation, groups)
    y = Convolution.apply(input, weight, bias, geometry=(stride, padding, dilation, groups))
    return y if batched else y.squeeze(0)


def conv_transpose(
    dims: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Numbers,
    padding: Numbers,
    output_padding: Numbers,
    groups: int,
    dilation: Numbers,
) -> Tensor:
    """The gradient of `conv` for its input, as a function: what conv_transpose1d, 2d and 3d call."""
    name = f"conv_transpose{dims}d"
    input, batched = _batched(name, dims, input, weight)
    spatial = weight._array.ndim - 2
    stride, padding, dilation, extra = (
        spread(what, given, dims, spatial)
        for what, given in (
            ("stride", stride), ("padding", padding), ("dilation", dilation), ("output_padding", output_padding)
        )
    )  # fmt: skip
    if min(extra, default=0) < 0:
        raise RuntimeError("negative output_padding is not supported")
    _check(input, weight, bias, stride, padding, dilation, groups, transposed=True)
    for e, s, d in zip(extra, stride, dilation, strict=True):
        if e >= s and e >= d:
            axes = ("depth", "height", "width")[3 - spatial :]
            parts = [
                f"{what}_{axis}: {n}"
                for what, numbers in (("output_padding", extra), ("stride", stride), ("dilation", dilation))
                for axis, n in zip(axes, numbers, strict=True)
            ]
            raise RuntimeError(
                f"output padding must be smaller than either stride or dilation, but got {' '.join(parts)}"
            )
    given = input._array.shape[2:]
    size = tuple([
        transposed_size(*along)
        for along in zip(given, weight._array.shape[2:], stride, padding, dilation, extra, strict=True)
    ])
    if min(size) < 1:
        raise RuntimeError(
            f"Given input size per channel: ({_by(given)}). Calculated output size per channel: ({_by(size)}). "
            "Output size is too small"
        )
    y = ConvolutionInput.apply(input, weight, bias, size=size, geometry=(stride, padding, dilation, groups))
    return y if batched else y.squeeze(0)


def unfold(
    input: Tensor, kernel_size: Numbers, dilation: Numbers = 1, padding: Numbers = 0, stride: Numbers = 1
) -> Tensor:
    """Every window of (N, C, H, W) as a column: (N, C · kernel, number of windows). Its backward is `fold`.

    >>> import tinytorch
    >>> unfold(tinytorch.arange(9.).reshape(1, 1, 3, 3), 2)[0, :, 0]
    tensor([0., 1., 3., 4.])
    """
    need_tensors("unfold", input=input)
    size, geometry = _fold_geometry(kernel_size, dilation, padding, stride)
    shape = input._array.shape
    if len(shape) not in (3, 4) or 0 in shape[-3:]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, "
            f"but got: {list(shape)}"
        )
    out = _windows(shape[-2:], size, geometry)
    if min(out) < 1:
        raise RuntimeError(
            f"Given input with spatial size {tuple(shape[-2:])}, kernel_size={size}, dilation={geometry[2]}, "
            f"padding={geometry[1]}, calculated shape of the array of sliding blocks as {_floored(out)}, but its "
            "components must be at least one."
        )
    y = Im2col.apply(input if len(shape) == 4 else input.unsqueeze(0), size=size, geometry=geometry, out=out)
    return y if len(shape) == 4 else y.squeeze(0)


def fold(
    input: Tensor,
    output_size: Numbers,
    kernel_size: Numbers,
    dilation: Numbers = 1,
    padding: Numbers = 0,
    stride: Numbers = 1,
) -> Tensor:
    """(N, C · kernel, number of windows) -> (N, C, *output_size): columns added up at the places of their windows."""
    need_tensors("fold", input=input)
    target = _pair("output_size", output_size)
    size, geometry = _fold_geometry(kernel_size, dilation, padding, stride)
    shape = input._array.shape
    if len(shape) not in (2, 3) or 0 in shape[-2:]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for "
            f"input, but got: {list(shape)}"
        )
    if shape[-2] % (size[0] * size[1]):
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
            f"input.size(1)={shape[-2]} and kernel_size={size}."
        )
    out = _windows(target, size, geometry)
    if out[0] * out[1] != shape[-1] or min(out) < 1:
        rows, columns = _floored(out)
        raise RuntimeError(
            f"Given output_size={target}, kernel_size={size}, dilation={geometry[2]}, padding={geometry[1]}, "
            f"stride={geometry[0]}, expected size of input's dimension 2 to match the calculated number of sliding "
            f"blocks {rows} * {columns} = {rows * columns}, but got input.size(2)={shape[-1]}."
        )
    batch = input if len(shape) == 3 else input.unsqueeze(0)
    y = Col2im.apply(batch, shape=target, size=size, geometry=geometry, out=out)
    return y if len(shape) == 3 else y.squeeze(0)


# ---- what is asked of arguments -----------------------------------------------------------------------------------


def spread(name: str, given: Numbers, dims: int, count: int) -> tuple[int, ...]:
    """A number for each of `dims` spatial dimensions; RuntimeError unless the weight has as many, `count`."""
    if isinstance(given, int):
        given = (given,) * dims
    given = tuple([int(n) for n in given])
    if len(given) == 1:
        return given * count
    if len(given) != count:
        raise RuntimeError(
            f"expected {name} to be a single integer value or a list of {count} values to match the convolution "
            f"dimensions, but got {name}={list(given)}"
        )
    return given


def _batched(name: str, dims: int, input: Any, weight: Any) -> tuple[Tensor, bool]:
    if not isinstance(input, Tensor) or not isinstance(weight, Tensor):
        raise TypeError(
            f"{name}() received an invalid combination of arguments - got ({type(input).__name__}, "
            f"{type(weight).__name__}), but expected tensors for input and weight"
        )
    shape = input._array.shape
    if len(shape) not in (dims + 1, dims + 2):
        raise RuntimeError(
            f"Expected {dims + 1}D (unbatched) or {dims + 2}D (batched) input to {name}, but got input of size: "
            f"{list(shape)}"
        )
    if len(shape) == dims + 2:
        return input, True
    return input.unsqueeze(0), False


def _padding_by_name(input: Tensor, weight: Tensor, padding: str, stride: tuple, dilation: tuple) -> tuple:
    """The input and the padding that stand for "valid" and "same"; an odd total puts one more zero at the end."""
    if padding == "valid":
        return input, (0,) * len(stride)
    if padding != "same":
        raise RuntimeError(f"Invalid padding string: '{padding}'")
    if max(stride) > 1:
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    totals = [d * (k - 1) for d, k in zip(dilation, weight._array.shape[2:], strict=True)]
    if any([t % 2 for t in totals]):
        input = constant_pad(input, [n for t in reversed(totals) for n in (0, t % 2)])
    return input, tuple([t // 2 for t in totals])


def _check(
    input: Tensor, weight: Tensor, bias: Any, stride: tuple, padding: tuple, dilation: tuple, groups: int,
    transposed: bool = False,
) -> None:  # fmt: skip
    """PyTorch's refusals, in its order."""
    x, w = input._array, weight._array
    if x.dtype != w.dtype:
        raise RuntimeError(f"expected scalar type {kind_name(input)} but found {kind_name(weight)}")
    if bias is not None and bias._array.dtype != x.dtype:
        types = [t.dtype.legacy.removesuffix("Tensor").lower() for t in (input, bias)]
        raise RuntimeError(f"Input type ({types[0]}) and bias type ({types[1]}) should be the same")
    if min(padding, default=0) < 0:
        raise RuntimeError("negative padding is not supported")
    if min(stride, default=1) < 1:
        raise RuntimeError("non-positive stride is not supported")
    if min(dilation, default=1) < 1:
        raise RuntimeError(f"dilation should be greater than zero, but got {list(dilation)}")
    if groups < 1:
        raise RuntimeError("non-positive groups is not supported")
    if w.ndim != x.ndim:
        raise RuntimeError(
            f"Expected {w.ndim}-dimensional input for {w.ndim}-dimensional weight {list(w.shape)}, but got "
            f"{x.ndim}-dimensional input of size {list(x.shape)} instead"
        )
    given = f"Given transposed=1, weight of size {list(w.shape)}" if transposed else f"weight of size {list(w.shape)}"
    if w.shape[0] < groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but got weight of size "
            f"{list(w.shape)} instead"
        )
    if w.shape[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of "
            f"size [{list(w.shape)}] instead"
        )
    channels = w.shape[0] if transposed else w.shape[1] * groups
    if x.shape[1] != channels:
        start = given if transposed else f"Given groups={groups}, {given}"
        raise RuntimeError(
            f"{start}, expected input{list(x.shape)} to have {channels} channels, but got {x.shape[1]} channels instead"
        )
    outputs = w.shape[1] * groups if transposed else w.shape[0]
    if bias is not None and bias._array.shape != (outputs,):
        start = given if transposed else f"Given {given}"
        raise RuntimeError(
            f"{start}, expected bias to be 1-dimensional with {outputs} elements, but got bias of size "
            f"{list(bias._array.shape)} instead"
        )
    padded = [n + 2 * p for n, p in zip(x.shape[2:], padding, strict=True)]
    spans = [d * (k - 1) + 1 for k, d in zip(w.shape[2:], dilation, strict=True)]
    if not transposed and any([n < s for n, s in zip(padded, spans, strict=True)]):
        raise RuntimeError(
            f"Calculated padded input size per channel: ({_by(padded)}). Kernel size: ({_by(spans)}). Kernel size "
            "can't be greater than actual input size"
        )


def _by(sizes: Sequence[int]) -> str:
    return " x ".join(map(str, sizes))


def _pair(name: str, given: Numbers) -> tuple[int, ...]:
    if isinstance(given, int):
        return given, given
    given = tuple(given) * (2 if len(given) == 1 else 1)
    if len(given) != 2:
        raise RuntimeError(f"It is expected {name} equals to 2, but got size {len(given)}")
    return given


def _fold_geometry(kernel_size: Numbers, dilation: Numbers, padding: Numbers, stride: Numbers) -> tuple:
    """(kernel size, (stride, padding, dilation)) as pairs."""
    size = _pair("kernel_size", kernel_size)
    stride, padding, dilation = _pair("stride", stride), _pair("padding", padding), _pair("dilation", dilation)
    for name, short, pair in (
        ("kernel size", "kernel", size), ("stride", "stride", stride), ("dilation", "dilation", dilation)
    ):  # fmt: skip
        if min(pair) < 1:
            raise RuntimeError(
                f"{name} should be greater than zero, but got {short}_height: {pair[0]} {short}_width: {pair[1]}"
            )
    if min(padding) < 0:
        raise RuntimeError(
            f"padding should be non-negative, but got pad_height: {padding[0]} pad_width: {padding[1]}"
        )
    return size, (stride, padding, dilation)


def _windows(spatial: Sequence[int], size: tuple, geometry: tuple) -> tuple[int, ...]:
    return tuple([output_size(*along) for along in zip(spatial, size, *geometry, strict=True)])


def _floored(out: Sequence[int]) -> tuple[int, ...]:
    """What PyTorch's messages show for windows that do not fit."""
    return tuple([max(n, 0) for n in out])
