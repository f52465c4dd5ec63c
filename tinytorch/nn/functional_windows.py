"""Convolution, pooling, padding and pixel shuffling as functions: the part of `nn.functional` that slides windows.

One implementation for any number of spatial dimensions is in `tinytorch/ops/`; here are PyTorch's names for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinytorch.ops import conv, pool
from tinytorch.ops.conv import fold, unfold
from tinytorch.ops.pad import pad
from tinytorch.tensor import Tensor

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices", "adaptive_max_pool2d", "adaptive_max_pool2d_with_indices", "avg_pool1d",
    "avg_pool2d", "avg_pool3d", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d",
    "conv_transpose3d", "fold", "max_pool1d", "max_pool1d_with_indices", "max_pool2d", "max_pool2d_with_indices",
    "max_pool3d", "max_pool3d_with_indices", "max_unpool1d", "max_unpool2d", "pad", "pixel_shuffle", "pixel_unshuffle",
    "unfold",
]  # fmt: skip


def _named(name: str, function: Callable[..., Any], text: str) -> Callable[..., Any]:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = text
    return function


def _convolution(dims: int) -> Callable[..., Tensor]:
    def function(
        input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
        dilation: Any = 1, groups: int = 1,
    ) -> Tensor:  # fmt: skip
        return conv.conv(dims, input, weight, bias, stride, padding, dilation, groups)

    return _named(f"conv{dims}d", function, (
        f"Convolution of (N, C, ...) or (C, ...) with {dims} spatial dimensions, weight (O, C / groups, ...).\n\n"
        'Padding is a number, one for each dimension, "valid" or "same".'
    ))  # fmt: skip


def _transposed(dims: int) -> Callable[..., Tensor]:
    def function(
        input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
        output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
    ) -> Tensor:  # fmt: skip
        return conv.conv_transpose(dims, input, weight, bias, stride, padding, output_padding, groups, dilation)

    return _named(f"conv_transpose{dims}d", function, (
        f"The gradient of conv{dims}d for its input, as a function; weight (C, O / groups, ...)."
    ))  # fmt: skip


def _largest(dims: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def with_indices(
        input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
        ceil_mode: bool = False, return_indices: bool = False,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        return pool.max_pool(dims, input, kernel_size, stride, padding, dilation, ceil_mode)

    def function(
        input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
        ceil_mode: bool = False, return_indices: bool = False,
    ) -> Any:  # fmt: skip
        made = pool.max_pool(dims, input, kernel_size, stride, padding, dilation, ceil_mode)
        return made if return_indices else made[0]

    text = "The largest element of each window; stride is the kernel size where it is not given."
    return (
        _named(f"max_pool{dims}d", function, text),
        _named(f"max_pool{dims}d_with_indices", with_indices, text + " And where it is in its plane."),
    )


def _adaptive_largest(dims: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def with_indices(input: Tensor, output_size: Any, return_indices: bool = False) -> tuple[Tensor, Tensor]:
        return pool.adaptive_max_pool(dims, input, output_size)

    def function(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
        made = pool.adaptive_max_pool(dims, input, output_size)
        return made if return_indices else made[0]

    text = "The largest elements of windows that divide the image into `output_size`."
    return (
        _named(f"adaptive_max_pool{dims}d", function, text),
        _named(f"adaptive_max_pool{dims}d_with_indices", with_indices, text + " And where they are."),
    )


def _adaptive_average(dims: int) -> Callable[..., Tensor]:
    def function(input: Tensor, output_size: Any) -> Tensor:
        return pool.adaptive_avg_pool(dims, input, output_size)

    return _named(f"adaptive_avg_pool{dims}d", function, (
        "The averages of windows that divide the image into `output_size`; None keeps a length."
    ))  # fmt: skip


def _average(dims: int) -> Callable[..., Tensor]:
    def function(
        input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
        count_include_pad: bool = True, divisor_override: int | None = None,
    ) -> Tensor:  # fmt: skip
        return pool.avg_pool(
            dims, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
        )

    return _named(f"avg_pool{dims}d", function, "The average of each window.")


def _unpool(dims: int) -> Callable[..., Tensor]:
    def function(
        input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
    ) -> Tensor:
        name = f"max_unpool{dims}d"
        kernel = pool.spread(name, "kernel_size", kernel_size, dims)
        step = kernel if stride is None else pool.spread(name, "stride", stride, dims)
        around = pool.spread(name, "padding", padding, dims)
        size = _unpooled_size(input, kernel, step, around, output_size)
        return pool.max_unpool(dims, input, indices, size)

    return _named(f"max_unpool{dims}d", function, f"Zeros, with the results of max_pool{dims}d where they came from.")


def _unpooled_size(input: Tensor, kernel: tuple, stride: tuple, padding: tuple, output_size: Any) -> tuple[int, ...]:
    dims = len(kernel)
    lengths = input._array.shape[-dims:]
    default = tuple([
        (n - 1) * s + k - 2 * p for n, s, k, p in zip(lengths, stride, kernel, padding, strict=False)
    ])
    if output_size is None:
        return default
    given = tuple(output_size)
    if len(given) == dims + 2:
        given = given[2:]
    if len(given) != dims:
        raise ValueError(
            f"output_size should be a sequence containing {dims} or {dims + 2} elements, but it has a length of "
            f"'{len(given)}'"
        )
    for d, (n, normal, step) in enumerate(zip(given, default, stride, strict=True)):
        if not normal - step < n < normal + step:
            raise ValueError(
                f'invalid output_size "{given}" (dim {d} must be between {normal - step} and {normal + step})'
            )
    return given


conv1d, conv2d, conv3d = map(_convolution, (1, 2, 3))
conv_transpose1d, conv_transpose2d, conv_transpose3d = map(_transposed, (1, 2, 3))
max_pool1d, max_pool1d_with_indices = _largest(1)
max_pool2d, max_pool2d_with_indices = _largest(2)
max_pool3d, max_pool3d_with_indices = _largest(3)
adaptive_max_pool1d, adaptive_max_pool1d_with_indices = _adaptive_largest(1)
adaptive_max_pool2d, adaptive_max_pool2d_with_indices = _adaptive_largest(2)
adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d = map(_adaptive_average, (1, 2, 3))
avg_pool1d, avg_pool2d, avg_pool3d = map(_average, (1, 2, 3))
max_unpool1d, max_unpool2d = map(_unpool, (1, 2))


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(*, C · r², H, W) -> (*, C, H · r, W · r): channels become pixels. Source: Shi et al. (2016)."""
    shape, r = tuple(input._array.shape), upscale_factor
    if len(shape) < 3:
        raise RuntimeError(
            f"pixel_shuffle expects input to have at least 3 dimensions, but got input with {len(shape)} dimension(s)"
        )
    if r < 1:
        raise RuntimeError(f"pixel_shuffle expects a positive upscale_factor, but got {r}")
    *lead, c, h, w = shape
    if c % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={c} is not divisible by {r * r}"
        )
    split = input.reshape((*lead, c // (r * r), r, r, h, w))
    n = len(lead)
    return split.permute(*range(n + 1), n + 3, n + 1, n + 4, n + 2).reshape((*lead, c // (r * r), h * r, w * r))


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(*, C, H · r, W · r) -> (*, C · r², H, W): the inverse of `pixel_shuffle`."""
    shape, r = tuple(input._array.shape), downscale_factor
    if len(shape) < 3:
        raise RuntimeError(
            f"pixel_unshuffle expects input to have at least 3 dimensions, but got input with {len(shape)} dimension(s)"
        )
    if r < 1:
        raise RuntimeError(f"pixel_unshuffle expects a positive downscale_factor, but got {r}")
    *lead, c, h, w = shape
    for name, dim, length in (("height", -2, h), ("width", -1, w)):
        if length % r:
            raise RuntimeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but input.size({dim})={length} "
                f"is not divisible by {r}"
            )
    split = input.reshape((*lead, c, h // r, r, w // r, r))
    n = len(lead)
    return split.permute(*range(n + 1), n + 2, n + 4, n + 1, n + 3).reshape((*lead, c * r * r, h // r, w // r))
