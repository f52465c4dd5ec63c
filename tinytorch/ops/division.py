"""Division in its several kinds: true, rounded down or towards zero, and what is left over."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import dtypes, kernels
from tinytorch.autograd.op import Op
from tinytorch.ops.elementary import reciprocal
from tinytorch.ops.out import with_out
from tinytorch.ops.pointwise import Mul
from tinytorch.ops.promotion import binary, both_floating, common_dtype, need_tensors, number_of, of_numbers, result_of
from tinytorch.tensor import Tensor


class Div(Op):
    """z = x / y,  dx = dz / y,  dy = -dz · x / y²"""

    def forward(ctx, x, y):
        ctx.save(x, y)
        return x / y

    def backward(ctx, dz):
        x, y = ctx.saved
        return dz / y, (-dz * ((x / y) / y) if ctx.next_functions[1][0] is not None else None)


class Rounded(Op):
    """z = x / y rounded towards zero or down: flat, so no gradient"""

    label, variant = "Div", 2

    def forward(ctx, x, y):
        return getattr(kernels.of(x), ctx.verb)(x, y)

    def backward(ctx, dz):
        k = kernels.of(dz)
        return k.zeros_like(dz), k.zeros_like(dz)


class DivFloor(Rounded):
    verb = "floor_divide"


class DivTrunc(Rounded):
    verb = "trunc_divide"


class FloorDivide(DivFloor):
    label, variant = "FloorDivide", 0

    def backward(ctx, dz):
        raise RuntimeError("derivative for aten::floor_divide is not implemented")


class Remainder(Op):
    """z = x - y·⌊x/y⌋,  dx = dz,  dy = -dz·⌊x/y⌋"""

    variant = 1

    def forward(ctx, x, y):
        ctx.save(x, y)
        return kernels.of(x).remainder(x, y)

    def backward(ctx, dz):
        x, y = ctx.saved
        return dz, -dz * kernels.of(dz).floor_divide(x, y) if ctx.needs_input_grad[1] else None


class Fmod(Op):
    """z = x - y·trunc(x/y),  dx = dz,  dy = -dz·trunc(x/y)"""

    variant = 1

    def forward(ctx, x, y):
        ctx.save(x, y)
        return kernels.of(x).fmod(x, y)

    def backward(ctx, dz):
        x, y = ctx.saved
        return dz, -dz * kernels.of(dz).trunc_divide(x, y) if ctx.needs_input_grad[1] else None


# ---- operators ----------------------------------------------------------------------------------------------------


def over(x: Tensor, y: Any) -> Any:
    if x._array.dtype.kind in "bui":
        x, y = both_floating(x, y)
    return binary(Div, x, y)


def floor_over(x: Any, y: Any) -> Any:
    return _whole(FloorDivide, "div_floor_cpu", x, y)


def modulo(x: Any, y: Any) -> Any:
    return _with_variant(_whole(Remainder, "remainder_cpu", x, y), y)


# ---- functions --------------------------------------------------------------------------------------------------


@with_out
def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """input / other; integers give floating-point results. `rounding_mode` "trunc" rounds towards zero, "floor" down.

    >>> import tinytorch
    >>> div(tinytorch.tensor([-7, 7]), 2, rounding_mode="floor")
    tensor([-4,  3])
    """
    if rounding_mode is None:
        made = binary(Div, *both_floating(input, other))
    elif rounding_mode == "floor":
        made = _whole(DivFloor, "div_floor_cpu", input, other)
    elif rounding_mode == "trunc":
        made = _whole(DivTrunc, "div_trunc_cpu", input, other)
    else:
        raise RuntimeError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
        )
    return made if made is not NotImplemented else of_numbers(div, "div", input, other)


def reflected_div(self: Tensor, other: Any) -> Any:
    """other / self, for a number: PyTorch computes it as the reciprocal times the number."""
    return binary(Mul, _reciprocal(self), other)


@with_out
def floor_divide(input: Any, other: Any) -> Tensor:
    """⌊input / other⌋"""
    return result_of(floor_over(input, other), "floor_divide", input, other)


@with_out
def remainder(input: Any, other: Any) -> Tensor:
    """input - other · ⌊input / other⌋: the remainder with the sign of `other`, as Python's %"""
    return result_of(modulo(input, other), "remainder", input, other)


@with_out
def fmod(input: Tensor, other: Any) -> Tensor:
    """The remainder with the sign of `input`, as C's fmod"""
    need_tensors("fmod", input=input)
    return result_of(_with_variant(_whole(Fmod, "fmod_cpu", input, other), other), "fmod", input, other)


def div_floor(x: Any, y: Any) -> Tensor:
    """⌊x / y⌋, as backward formulas need it"""
    return div(x, y, rounding_mode="floor")


def div_trunc(x: Any, y: Any) -> Tensor:
    return div(x, y, rounding_mode="trunc")


# ---- what they share --------------------------------------------------------------------------------------------


def _whole(op: type[Op], kernel: str, x: Any, y: Any) -> Any:
    """A division that rounds, or its remainder: integers stay integers, and may not be divided by zero."""
    operands = [v if isinstance(v, Tensor) else number_of(v) for v in (x, y)]
    if NotImplemented in [type(v) is not Tensor and v for v in operands]:
        return NotImplemented
    common = common_dtype(*operands)
    if common is dtypes.bool:
        raise NotImplementedError(f"\"{kernel}\" not implemented for 'Bool'")
    divisor = y._array if isinstance(y, Tensor) else np.asarray(operands[1])
    if common.category == dtypes.INTEGER and not divisor.all():
        raise RuntimeError("ZeroDivisionError: an integer cannot be divided by 0")
    return binary(op, x, y)


def _with_variant(made: Any, second: Any) -> Any:
    """PyTorch numbers the node 0 where the second operand is a number."""
    if made is not NotImplemented and made._grad_fn is not None and not isinstance(second, Tensor):
        made._grad_fn.variant = 0
    return made


_reciprocal = reciprocal.without_out
divide, true_divide = div, div
