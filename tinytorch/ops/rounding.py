"""Rounding, signs, bounds: functions with corners and steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch import dtypes, kernels
from tinytorch.autograd.op import Op
from tinytorch.ops.cast import to_dtype
from tinytorch.ops.out import with_out
from tinytorch.ops.promotion import (
    binary,
    common_dtype,
    nary,
    need_tensors,
    number_of,
    refuse,
    scalar,
    unary,
    untracked,
)
from tinytorch.tensor import Tensor


class Abs(Op):
    """y = |x|,  dx = dy · sign x"""

    def forward(ctx, x):
        ctx.save(x)
        return kernels.of(x).abs(x)

    def backward(ctx, dy):
        (x,) = ctx.saved
        return dy * kernels.of(dy).sign(x)


class Flat(Op):
    """A function of steps: dx = 0 wherever it has a derivative."""

    verb: str

    def forward(ctx, x):
        return getattr(kernels.of(x), ctx.verb)(x)

    def backward(ctx, dy):
        return kernels.of(dy).zeros_like(dy)


class RoundDecimals(Flat):
    label, variant = "Round", 1

    def forward(ctx, x, decimals):
        return kernels.of(x).round_decimals(x, decimals)


class Frac(Op):
    """y = x - trunc x,  dx = dy"""

    def forward(ctx, x):
        return kernels.of(x).frac(x)

    def backward(ctx, dy):
        return dy


class NanToNum(Op):
    """y = x with numbers for NaN and the infinities,  dx = dy where x is finite"""

    def forward(ctx, x, **numbers):
        ctx.save(x)
        return kernels.of(x).nan_to_num(x, **numbers)

    def backward(ctx, dy):
        (x,) = ctx.saved
        return dy * kernels.of(dy).isfinite(x)


class ClampNumbers(Op):
    """y = x brought into [low, high],  dx = dy where x was inside"""

    label, variant = "Clamp", 1

    def forward(ctx, x, low, high):
        ctx.low, ctx.high = low, high
        ctx.save(x)
        return kernels.of(x).clamp(x, low, high)

    def backward(ctx, dy):
        (x,) = ctx.saved
        if ctx.low is None:
            return dy * (x <= ctx.high)
        return dy * (x >= ctx.low) if ctx.high is None else dy * ((x >= ctx.low) & (x <= ctx.high))


class ClampTensors(Op):
    """y = x brought into [low, high],  dx = dy where x was inside, each bound gets dy where it was used"""

    label = "Clamp"

    def forward(ctx, x, low, high):
        ctx.save(x, low, high)
        return kernels.of(x).clamp(x, low, high)

    def backward(ctx, dy):
        x, low, high = ctx.saved
        if low is None:
            return dy * (x <= high), None, dy * (x > high)
        if high is None:
            return dy * (x >= low), dy * (x < low), None
        return dy * ((x >= low) & (x <= high)), dy * ((low < high) & (x < low)), dy * ((x > high) | (high < low))


class Extreme(Op):
    """z = the larger (smaller) of x and y: it gets dz; equal ones share it"""

    def forward(ctx, x, y):
        ctx.save(x, y)
        return getattr(kernels.of(x), ctx.verb)(x, y)

    def backward(ctx, dz):
        x, y = ctx.saved
        shared = dz * (x == y) * 0.5
        dx, dy = dz * ~(x < y) - shared, dz * ~(y < x) - shared
        return (dx, dy) if ctx.larger else (dy, dx)


class FExtreme(Extreme):
    """z = the larger (smaller) of x and y, the other where one is NaN: x gets dz where it is chosen, else y"""

    def backward(ctx, dz):
        x, y = ctx.saved
        chosen = ((x >= y) if ctx.larger else (x <= y)) | (y != y)
        return dz * chosen, dz * ~chosen


def _extreme(name: str, larger: bool, base: type[Op] = Extreme) -> Callable[..., Tensor]:
    op = type(name.capitalize(), (base,), {"verb": name, "larger": larger, "__doc__": base.__doc__})

    def function(input: Tensor, other: Tensor) -> Tensor:
        need_tensors(name, input=input, other=other)
        return binary(op, input, other)

    words = f"The {'larger' if larger else 'smaller'} of input and other, element by element; "
    words += "NaN where either is." if base is Extreme else "where one is NaN, the other."
    return _named(function, name, words)


def _steps(name: str, words: str, kernel: str | None) -> Callable[..., Tensor]:
    """A `Flat` function; `kernel` is what PyTorch's refusal of bools names, None where bools are taken."""
    op = type(name.capitalize(), (Flat,), {"verb": name, "__doc__": words})

    def function(input: Tensor) -> Tensor:
        need_tensors(name, input=input)
        if input._array.dtype.kind in "bui":
            if kernel is not None:
                refuse(kernel, input)
                return untracked(np.copy, input._array)
            return untracked(kernels.of(input._array).sign if input._array.dtype.kind != "b" else np.copy, input._array)
        return unary(op, input)

    return _named(function, name, words)


def _named(function: Callable[..., Tensor], name: str, words: str) -> Callable[..., Tensor]:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = words
    return with_out(function)


maximum, minimum = _extreme("maximum", True), _extreme("minimum", False)
fmax, fmin = _extreme("fmax", True, FExtreme), _extreme("fmin", False, FExtreme)

ceil = _steps("ceil", "The next whole number from input upwards.", "ceil_vml_cpu")
floor = _steps("floor", "The next whole number from input downwards.", "floor_vml_cpu")
trunc = _steps("trunc", "The whole number next to input towards 0.", "trunc_vml_cpu")
sign = _steps("sign", "-1, 0 or 1, as input is negative, zero or positive.", None)
sgn = _steps("sgn", "The same as `sign` for real numbers.", None)
_round = _steps("round", "", "round_vml_cpu")


@with_out
def abs(input: Tensor) -> Tensor:
    """|input|"""
    need_tensors("abs", input=input)
    refuse("abs_cpu", input)
    return unary(Abs, input)


@with_out
def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """The nearest number with that many decimals; halfway cases go to the even neighbour.

    >>> import tinytorch
    >>> round(tinytorch.tensor([0.5, 1.5, 2.5]))
    tensor([0., 2., 2.])
    """
    if decimals == 0:
        return _round.without_out(input)
    refuse("round_cpu", input, kinds="bui")
    return unary(RoundDecimals, input, decimals=decimals)


@with_out
def frac(input: Tensor) -> Tensor:
    """What is left of input behind the decimal point, with input's sign"""
    need_tensors("frac", input=input)
    refuse("frac_cpu", input, kinds="bui")
    return unary(Frac, input)


@with_out
def positive(input: Tensor) -> Tensor:
    """input itself; bools are refused"""
    if input._array.dtype.kind == "b":
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


@with_out
def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """input brought into [min, max]; the bounds are numbers or tensors, and one may be left out.

    >>> import tinytorch
    >>> clamp(tinytorch.tensor([-1., 0.5, 2.]), 0, 1)
    tensor([0.0000, 0.5000, 1.0000])
    """
    return _clamp("clamp", input, min, max)


@with_out
def clamp_min(input: Tensor, min: Any) -> Tensor:
    """input, but at least min"""
    return _clamp("clamp_min", input, min, None)


@with_out
def clamp_max(input: Tensor, max: Any) -> Tensor:
    """input, but at most max"""
    return _clamp("clamp_max", input, None, max)


def _clamp(name: str, x: Tensor, low: Any, high: Any) -> Tensor:
    need_tensors(name, input=x)
    bounds = [b for b in (low, high) if b is not None]
    if not bounds:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    for b in bounds:
        if not isinstance(b, Tensor) and number_of(b) is NotImplemented:
            raise TypeError(
                f"{name}() received an invalid combination of arguments - got (Tensor, min={type(low).__name__}, "
                f"max={type(high).__name__}), but expected tensors or numbers"
            )
    common = common_dtype(x, *[b if isinstance(b, Tensor) else number_of(b) for b in bounds])
    x = to_dtype(x, common)
    if any([isinstance(b, Tensor) for b in bounds]):
        from tinytorch.ops.creation import tensor

        low, high = [
            b if b is None else to_dtype(b if isinstance(b, Tensor) else tensor(b), common) for b in (low, high)
        ]
        return nary(ClampTensors, x, low, high)
    out = unary(ClampNumbers, x, low=_bound(low, common), high=_bound(high, common))
    if name != "clamp" and out._grad_fn is not None:
        out._grad_fn.label, out._grad_fn.variant = {"clamp_min": "ClampMin", "clamp_max": "ClampMax"}[name], 0
    return out


def _bound(number: Any, dtype: dtypes.dtype) -> Any:
    if number is None:
        return None
    if dtype.category == dtypes.FLOATING:
        return float(number)
    dtypes.check_fits(number, dtype)
    return scalar(number, dtype.numpy)


@with_out
def nan_to_num(input: Tensor, nan: Any = 0.0, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """input with numbers in place of NaN (0) and the infinities (the largest and smallest finite numbers)"""
    need_tensors("nan_to_num", input=input)
    if input._array.dtype.kind in "bui":
        return untracked(np.copy, input._array)
    limits = dtypes.finfo(input.dtype)
    numbers = {"nan": nan or 0.0, "posinf": limits.max if posinf is None else posinf,
               "neginf": limits.min if neginf is None else neginf}  # fmt: skip
    return unary(NanToNum, input, **numbers)


absolute, fix, clip = abs, trunc, clamp
