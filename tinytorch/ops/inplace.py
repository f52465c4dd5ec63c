"""Methods with an underscore: the result is written into the tensor's own memory."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch import dtypes, kernels
from tinytorch.autograd.grad_mode import mode
from tinytorch.autograd.node import gradient_edge
from tinytorch.autograd.op import Op, record
from tinytorch.autograd.views import check_in_place, check_no_overlap, in_place, rebase
from tinytorch.tensor import Tensor


class Writer(Op):
    """Base of the operations that change some elements of their first input and leave the others.

    `write(ctx, x, *others, **params)` does so in the array x. `apply` runs it on a copy, `apply_` on the memory of the
    tensor itself. What may be wrong with the arguments is found before: `write` does not fail halfway.
    """

    overlap = False  # whether an expanded tensor may be written to: then every copy gets the same number

    def write(ctx, x: Any, *others: Any, **params: Any) -> None:
        raise NotImplementedError

    def forward(ctx, x, *others, **params):
        y = kernels.of(x).clone(x)
        ctx.write(y, *others, **params)
        return y

    @classmethod
    def apply_(cls, t: Tensor, *others: Tensor, **params: Any) -> Tensor:
        """Write into the memory of `t`, and put the op into the graph as what made `t`."""
        check_in_place(t, *others)
        if not cls.overlap:
            check_no_overlap(t)
        ctx = cls.__new__(cls)
        ctx.write(t._array, *[o._array for o in others], **params)
        wanted = mode.enabled and t._array.dtype.kind in "fV"  # integers and bools carry no gradient
        if not (wanted and (t.requires_grad or any([o.requires_grad for o in others]))):
            t._storage.version += 1
            return t
        before = gradient_edge(t if t._base is None else t._base)
        record(ctx, (t, *others), ())
        ctx.num_outputs = 1
        t._storage.version += 1
        rebase(t, ctx, 0, before)
        return t


class Copy(Writer):
    """y = s, in the shape and dtype of x,  dx = 0,  ds = dy"""

    def name(ctx) -> str:
        return "CopyBackwards"

    def write(ctx, x, s):
        ctx._fit = ((x.shape, x.dtype), (s.shape, s.dtype))
        x[...] = s

    def backward(ctx, dy):
        k, (_, dtype) = kernels.of(dy), ctx._fit[1]
        return k.zeros_like(dy), k.cast(dy, dtypes.from_numpy_dtype(dtype) if isinstance(dy, Tensor) else dtype)


class Fill(Writer):
    """y = a number everywhere,  dx = 0"""

    overlap = True

    def write(ctx, x, value):
        x[...] = value

    def backward(ctx, dy):
        return kernels.of(dy).zeros_like(dy)


class FillTensor(Writer):
    """y = a tensor of one number everywhere,  dx = 0,  dv = the sum of dy"""

    label, variant, overlap = "Fill", 1, True

    def write(ctx, x, value):
        ctx._fit = ((x.shape, x.dtype), (value.shape, value.dtype))
        x[...] = value

    def backward(ctx, dy):
        return kernels.of(dy).zeros_like(dy), dy


def in_place_method(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The method `f_` for a function `f`."""

    @functools.wraps(function)
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return in_place(self, function, *args, **kwargs)

    method.__name__ = method.__qualname__ = f"{function.__name__}_"
    method.__doc__ = f"`{function.__name__}`, written into this tensor's own memory."
    return method


def view_method(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The method `f_` for a function `f` that gives a view: the tensor itself looks through the new window."""

    @functools.wraps(function)
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        check_in_place(self)
        view = function(self, *args, **kwargs)
        self._array = view._array
        self._storage.version += 1
        if view._grad_fn is not None:
            self._grad_fn, self._output_nr, self._requires_grad = view._grad_fn, 0, True
        self._seen_version = self._storage.version
        return self

    method.__name__ = method.__qualname__ = f"{function.__name__}_"
    method.__doc__ = f"`{function.__name__}` of this tensor itself: it keeps its memory and changes its shape."
    return method


def copy_(self: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor:
    """Overwrite with the elements of `src`, which broadcasts and is cast."""
    if not isinstance(src, Tensor):
        raise TypeError(f"copy_(): argument 'other' (position 1) must be Tensor, not {type(src).__name__}")
    if src._array.shape != self._array.shape:
        from tinytorch.ops.shape import common_shape

        whole = common_shape(self._array.shape, src._array.shape)
        if whole != self._array.shape:
            raise RuntimeError(
                f"output with shape {list(self._array.shape)} doesn't match the broadcast shape {list(whole)}"
            )
    return Copy.apply_(self, src)


def fill_(self: Tensor, value: Any) -> Tensor:
    """Every element set to a number (or 0-d tensor)."""
    if not isinstance(value, Tensor):
        return Fill.apply_(self, value=number_for(self, value, "fill_"))
    if value._array.ndim:
        raise RuntimeError(
            f"fill_ only supports 0-dimension value tensor but got tensor with {value._array.ndim} dimensions."
        )
    return FillTensor.apply_(self, value)


def zero_(self: Tensor) -> Tensor:
    """Every element set to 0."""
    return Fill.apply_(self, value=0)


def number_for(t: Tensor, value: Any, name: str) -> Any:
    """A number that the dtype of `t` can hold; TypeError for what is no number, RuntimeError for one too large."""
    if not isinstance(value, bool | int | float | np.generic):
        raise TypeError(f"{name}() received an invalid combination of arguments - got ({type(value).__name__})")
    dtype = t._array.dtype
    if dtype.kind not in "iu":
        return value
    limits = np.iinfo(dtype)
    if not (limits.min if dtype.kind == "i" else -limits.max) <= value <= limits.max:
        raise RuntimeError(f"value cannot be converted to type {dtype.name}_t without overflow")
    return np.asarray(int(value)).astype(dtype)[()]
