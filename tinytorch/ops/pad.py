"""Padding: more elements around an image, or, with negative numbers, fewer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinytorch import kernels
from tinytorch.autograd.op import Op
from tinytorch.tensor import Tensor, wrap


class ConstantPadNd(Op):
    """y = a number around x,  dx = dy without its border"""

    def forward(ctx, x, pad, value):
        ctx.pad = pad
        return kernels.of(x).constant_pad(x, pad, value)

    def backward(ctx, dy):
        return kernels.of(dy).constant_pad(dy, tuple([-n for n in ctx.pad]), 0)


class PadByIndex(Op):
    """y = x at an index for each of the last dimensions,  dx = each dy added where it was taken from"""

    def forward(ctx, x, *indices, kind):
        ctx.kind, ctx.shape, ctx.dtype = kind, x.shape, x.dtype
        ctx.save(*indices)
        for dim, index in enumerate(indices, start=-len(indices)):
            x = kernels.of(x).index_select(x, x.ndim + dim, index)
        return x

    def backward(ctx, dy):
        indices = ctx.saved
        k = kernels.of(dy)
        shape = list(dy.shape)
        for dim, index in enumerate(indices, start=len(shape) - len(indices)):
            shape[dim] = ctx.shape[dim]
            dy = k.index_add(k.zeros(tuple(shape), ctx.dtype), dim, index, dy)
        return dy, *[None] * len(indices)

    def name(ctx) -> str:
        kind = {"reflect": "Reflection", "replicate": "Replication", "circular": "Circular"}[ctx.kind]
        return f"{kind}Pad{len(ctx._saved or ())}DBackward0"


class PadVerbs:
    """Namespace, part of `TensorSide`; never instantiated."""

    @staticmethod
    def constant_pad(x: Tensor, pad: tuple, value: float) -> Tensor:
        return ConstantPadNd.apply(x, pad=pad, value=value)


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """More elements at the ends of the last dimensions.

    Args:
        pad: (before, after) of the last dimension, then of the one before it, and so on; negative numbers crop.
        mode: "constant" puts `value` (0) there; "reflect" mirrors at the edge element; "replicate" repeats it;
            "circular" goes on at the other end.

    >>> import tinytorch
    >>> pad(tinytorch.tensor([[1., 2., 3.]]), (2, 1), "reflect")
    tensor([[3., 2., 1., 2., 3., 2.]])
    """
    pad = tuple(pad)
    if len(pad) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    shape = input._array.shape
    if len(pad) > 2 * len(shape):
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(pad)} and input of dimension {len(shape)}"
        )
    if mode == "constant":
        return constant_pad(input, pad, value or 0)
    if value:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if mode not in _INDEX:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    count = len(pad) // 2
    if len(shape) not in (count + 1, count + 2) or count > 3:
        raise NotImplementedError(
            f"Padding size {len(pad)} is not supported for {len(shape)}D input tensor.\n"
            "Supported combinations for non-constant padding:\n"
            "  - 2D or 3D input: padding size = 2 (pads last dimension)\n"
            "  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n"
            "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"
        )
    if 0 in shape[-count - 1 :]:
        raise RuntimeError(
            f"Expected {count + 1}D or {count + 2}D (batch mode) tensor with possibly 0 batch size and other non-zero "
            f"dimensions for input, but got: {list(shape)}"
        )
    pairs = [pad[i : i + 2] for i in range(0, len(pad), 2)][::-1]
    for dim, (before, after) in enumerate(pairs, start=len(shape) - count):
        _check(mode, input, dim, before, after)
    indices = [_INDEX[mode](n, *pair) for n, pair in zip(shape[-count:], pairs, strict=True)]
    return PadByIndex.apply(input, *[wrap(index) for index in indices], kind=mode)


def constant_pad(input: Tensor, pad: Sequence[int], value: float = 0) -> Tensor:
    """`pad` with one number."""
    shape = input._array.shape
    for i in range(0, len(pad), 2):
        if shape[-1 - i // 2] + min(pad[i], 0) + min(pad[i + 1], 0) < 0:
            raise RuntimeError("narrow(): length must be non-negative.")
    return ConstantPadNd.apply(input, pad=tuple(pad), value=value)


def _check(mode: str, input: Tensor, dim: int, before: int, after: int) -> None:
    shape = input._array.shape
    length = shape[dim]
    if mode == "reflect" and max(before, after) >= length:
        raise RuntimeError(
            "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding "
            f"({before}, {after}) at dimension {dim} of input {list(shape)}"
        )
    if mode == "circular" and max(before, after) > length:
        raise RuntimeError("Padding value causes wrapping around more than once.")
    if length + before + after < 1:
        axis = "WHD"[len(shape) - 1 - dim]
        raise RuntimeError(
            f"input ({axis}: {length}) is too small. Calculated output {axis}: {length + before + after}"
        )


def _reflected(n: int, before: int, after: int) -> np.ndarray:
    place = np.abs(np.arange(-before, n + after))
    return n - 1 - np.abs(n - 1 - place)


def _replicated(n: int, before: int, after: int) -> np.ndarray:
    return np.clip(np.arange(-before, n + after), 0, n - 1)


def _circular(n: int, before: int, after: int) -> np.ndarray:
    first = max(-before, 0)
    kept = n - first - max(-after, 0)  # what is cropped does not come round again
    return first + np.arange(-max(before, 0), kept + max(after, 0)) % kept


_INDEX = {"reflect": _reflected, "replicate": _replicated, "circular": _circular}
