"""Functions of two variables that are no arithmetic: angles, lengths, sums in logarithms."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import dtypes, kernels
from tinytorch.autograd.op import Op
from tinytorch.ops.out import with_out
from tinytorch.ops.promotion import (
    binary,
    both_floating,
    kind_name,
    need_tensors,
    number_of,
    plain,
    refuse,
    result_of,
)
from tinytorch.tensor import Tensor, wrap


class Atan2(Op):
    """z = the angle of the point (y, x),  dx = dz · y / (x² + y²),  dy = -dz · x / (x² + y²)"""

    def forward(ctx, x, y):
        ctx.save(x, y)
        return kernels.of(x).atan2(x, y)

    def backward(ctx, dz):
        x, y = ctx.saved
        part = dz / (x * x + y * y)
        return part * y, -part * x


class Hypot(Op):
    """z = √(x² + y²),  dx = dz · x / z,  dy = dz · y / z"""

    def forward(ctx, x, y):
        z = kernels.of(x).hypot(x, y)
        ctx.save(x, y, z)
        return z

    def backward(ctx, dz):
        x, y, z = ctx.saved
        return dz * (x / z), dz * (y / z)


class Logaddexp(Op):
    """z = ln(eˣ + eʸ),  dx = dz / (1 + e^(y-x)),  dy = dz / (1 + e^(x-y))"""

    def forward(ctx, x, y):
        ctx.save(x, y)
        return kernels.of(x).logaddexp(x, y)

    def backward(ctx, dz):
        x, y = ctx.saved
        k = kernels.of(dz)
        return dz / (k.exp(y - x) + 1), dz / (k.exp(x - y) + 1)


class Logaddexp2(Op):
    """z = log₂(2ˣ + 2ʸ),  dx = dz / (1 + 2^(y-x)),  dy = dz / (1 + 2^(x-y))"""

    def forward(ctx, x, y):
        ctx.save(x, y)
        return kernels.of(x).logaddexp2(x, y)

    def backward(ctx, dz):
        x, y = ctx.saved
        k = kernels.of(dz)
        return dz / (k.exp2(y - x) + 1), dz / (k.exp2(x - y) + 1)


class Xlogy(Op):
    """z = x · ln y, 0 where x = 0,  dx = dz · ln y,  dy = dz · x / y"""

    def forward(ctx, x, y):
        ctx.save(x, y)
        return kernels.of(x).xlogy(x, y)

    def backward(ctx, dz):
        x, y = ctx.saved
        k = kernels.of(dz)
        return k.where((x == 0) & (y <= 0), k.zeros_like(dz), dz * k.log(y)), dz * (x / y)


class Copysign(Op):
    """z = |x| with the sign of y,  dx = dz where the sign was kept, -dz where it changed, 0 at x = 0"""

    def forward(ctx, x, y):
        z = kernels.of(x).copysign(x, y)
        ctx.save(x, z)
        return z

    def backward(ctx, dz):
        x, z = ctx.saved
        sign = kernels.of(dz).sign
        return dz * (sign(x) * sign(z)), kernels.of(dz).zeros_like(dz)


def _pair(op: type[Op], name: str, words: str, kernel: str | None = None, numbers: bool = False) -> Any:
    """A function of two tensors (or numbers); integers are taken as floating-point numbers, or refused."""

    def function(input: Any, other: Any) -> Tensor:
        if not numbers:
            need_tensors(name, input=input, other=other)
        elif number_of(other) is not NotImplemented:
            need_tensors(name, input=input)
            other = wrap(np.asarray(other, dtypes.get_default_dtype().numpy))
        elif name == "xlogy" and number_of(input) is not NotImplemented:
            input = wrap(np.asarray(input, dtypes.get_default_dtype().numpy))
        else:
            need_tensors(name, input=input, other=other)
        if kernel is not None:
            refuse(kernel, input, other, kinds="bui")
        return result_of(binary(op, *both_floating(input, other)), name, input, other)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = words
    return with_out(function)


atan2 = arctan2 = _pair(Atan2, "atan2", "The angle between the x-axis and the point (other, input), in (-π, π].")
hypot = _pair(Hypot, "hypot", "√(input² + other²), without overflow on the way.", "hypot_cpu")
logaddexp = _pair(Logaddexp, "logaddexp", "ln(e^input + e^other), without overflow on the way.", "logaddexp_cpu")
logaddexp2 = _pair(Logaddexp2, "logaddexp2", "log₂(2^input + 2^other), without overflow on the way.", "logaddexp2_cpu")
xlogy = _pair(Xlogy, "xlogy", "input · ln other; 0 where input is 0.", numbers=True)
copysign = _pair(Copysign, "copysign", "|input| with the sign of other.", numbers=True)


@with_out
def heaviside(input: Tensor, values: Tensor) -> Tensor:
    """0 where input is negative, 1 where it is positive, `values` where it is 0; not differentiable"""
    need_tensors("heaviside", input=input, values=values)
    if input.dtype is not values.dtype:
        raise RuntimeError(
            "heaviside is not yet implemented for tensors with different dtypes. "
            f"Got {kind_name(input)} and {kind_name(values)}."
        )
    return plain(_heaviside, input, values)


def _heaviside(x: Any, values: Any) -> Any:
    return np.where(x == 0, values, (x > 0).astype(x.dtype))
