"""Methods with an underscore: the result is written into the tensor's own memory."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.autograd.op import Op
from tinytorch.autograd.views import check_in_place, in_place, write_back
from tinytorch.tensor import Tensor


class Copy(Op):
    """y = s, in the shape and dtype of x,  dx = 0,  ds = dy"""

    label = "CopyBackwards"

    def name(ctx) -> str:
        return "CopyBackwards"

    def forward(ctx, x, s):
        ctx._fit = (None, (s.shape, s.dtype))
        return np.broadcast_to(s, x.shape).astype(x.dtype)

    def backward(ctx, dy):
        return None, dy


def in_place_method(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The method `f_` for a function `f`."""

    @functools.wraps(function)
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return in_place(self, function, *args, **kwargs)

    method.__name__ = method.__qualname__ = f"{function.__name__}_"
    method.__doc__ = f"`{function.__name__}`, written into this tensor's own memory."
    return method


def copy_(self: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor:
    """Overwrite with the elements of `src`, which broadcasts and is cast."""
    check_in_place(self)
    try:
        np.broadcast_shapes(src._array.shape, self._array.shape)
        np.broadcast_to(src._array, self._array.shape)
    except ValueError:
        raise RuntimeError(
            f"output with shape {list(self._array.shape)} doesn't match the broadcast shape of {list(src._array.shape)}: "
            f"The size of tensor a must match the size of tensor b"
        ) from None
    return write_back(self, Copy.apply(self, src))


class Fill(Op):
    """y = a number everywhere,  dx = 0"""

    def forward(ctx, x, value):
        ctx.like = x.shape, x.dtype
        return np.full(x.shape, value, x.dtype)

    def backward(ctx, dy):
        return 0 * dy


def fill_(self: Tensor, value: Any) -> Tensor:
    """Every element set to a number (or 0-d tensor)."""
    if isinstance(value, Tensor):
        if value._array.ndim:
            raise RuntimeError(
                f"fill_ only supports 0-dimension value tensor but got tensor with {value._array.ndim} dimensions."
            )
        return copy_(self, value)
    check_in_place(self)
    return write_back(self, Fill.apply(self, value=value))


def zero_(self: Tensor) -> Tensor:
    return fill_(self, 0)
