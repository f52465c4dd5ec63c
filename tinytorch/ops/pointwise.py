"""Element by element: sums, products and powers. See also `division`, `elementary`, `rounding`, `pairs`, `compare`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch import dtypes, kernels
from tinytorch.autograd.op import Op
from tinytorch.exercise import exercise
from tinytorch.ops.cast import to_dtype
from tinytorch.ops.out import with_out
from tinytorch.ops.promotion import (
    binary,
    common_dtype,
    kind_name,
    nary,
    need_tensors,
    number_of,
    of_numbers,
    promote,
    refuse,
    result_of,
    scalar,
    unary,
)
from tinytorch.tensor import Tensor


class Add(Op):
    """z = x + α·y,  dx = dz,  dy = α·dz"""

    alpha = 1

    def forward(ctx, x, y, alpha=1):
        if alpha == 1:
            return x + y
        ctx.alpha = alpha
        return x + y * alpha

    def backward(ctx, dz):
        return dz, dz if ctx.alpha == 1 else dz * ctx.alpha


class Sub(Op):
    """z = x - α·y,  dx = dz,  dy = -α·dz"""

    alpha = 1
    check = staticmethod(lambda x, y: refuse_bools(x, y))

    def forward(ctx, x, y, alpha=1):
        if alpha == 1:
            return x - y
        ctx.alpha = alpha
        return x - y * alpha

    def backward(ctx, dz):
        if ctx.next_functions[1][0] is None:
            return dz, None
        return dz, -dz if ctx.alpha == 1 else dz * -ctx.alpha


class Rsub(Op):
    """z = α·y - x, the operands of a subtraction exchanged: dx = -dz,  dy = dz"""

    variant = 1
    check = Sub.check

    def forward(ctx, x, y):
        return y - x

    def backward(ctx, dz):
        return -dz, dz


class Mul(Op):
    """z = x · y,  dx = dz · y,  dy = dz · x"""

    def forward(ctx, x, y):
        ctx._saved = x, y
        return x * y

    @exercise("autograd.mul_backward", points=2)
    def backward(ctx, dz: Any) -> tuple[Any, Any]:
        """The local derivative of multiplication, times the gradient that arrives.

        Args:
            dz: gradient of the loss with respect to z = x * y, an array of z's shape (a tensor, where the backward
                pass itself is recorded). `ctx.saved` is the pair (x, y); one of them may be a Python number.

        Returns:
            The pair (dx, dy): gradients with respect to x and to y, both still of z's shape. The engine sums them down
            where an operand was broadcast.

        Example: with x = 3, y = 5 and dz = 2 the result is (10, 6).

        Source: the product rule.
        """
        raise NotImplementedError


class PowScalar(Op):
    """y = xⁿ,  dx = dy · n · xⁿ⁻¹"""

    label = "Pow"

    def forward(ctx, x, exponent):
        ctx.exponent = exponent
        ctx.save(x)
        return kernels.of(x).pow(x, exponent)

    @exercise("autograd.pow_backward", points=2)
    def backward(ctx, dy: Any) -> Any:
        """The local derivative of y = xⁿ, times the gradient that arrives.

        Args:
            dy: gradient of the loss with respect to y, an array (or a tensor) of y's shape. `ctx.saved` is the tuple
                (x,), `ctx.exponent` the Python number n.

        Returns:
            The gradient with respect to x, of the same shape. For n = 0 it is zero everywhere, also at x = 0.

        Example: with x = 4, n = 2 and dy = 1 the result is 8: that is dz/dx of z = (x + 2)² + 3 at x = 2.

        Source: the power rule.
        """
        raise NotImplementedError


class Pow(Op):
    """z = xʸ,  dx = dz · y · xʸ⁻¹ (0 where y = 0),  dy = dz · z · ln x (0 where x = 0 and y ≥ 0)"""

    variant = 1

    def forward(ctx, x, y):
        ctx.save(x, y)
        return kernels.of(x).power(x, y)

    def backward(ctx, dz):
        x, y = ctx.saved
        k = kernels.of(dz)
        wants_x, wants_y = ctx.needs_input_grad
        dx = k.where(y == 0, k.zeros_like(dz), dz * (y * x ** (y - 1))) if wants_x else None
        return dx, k.where((x == 0) & (y >= 0), k.zeros_like(dz), dz * (x**y * k.log(x))) if wants_y else None


class PowOfNumber(Op):
    """y = aˣ for a number a,  dx = dy · y · ln a (0 where a = 0 and x ≥ 0)"""

    label, variant = "Pow", 2

    def forward(ctx, x, base):
        ctx.base = base
        ctx.save(x)
        return kernels.of(x).power(scalar(base, x.dtype), x)

    def backward(ctx, dy):
        (x,) = ctx.saved
        k = kernels.of(dy)
        if ctx.base == 0:
            return k.where(x >= 0, k.zeros_like(dy), dy * -np.inf)
        return dy * (ctx.base**x * (float(np.log(ctx.base)) if ctx.base > 0 else np.nan))


class Neg(Op):
    """y = -x,  dx = -dy"""

    def forward(ctx, x):
        return -x

    def backward(ctx, dy):
        return -dy


class Lerp(Op):
    """z = x + w·(y - x),  dx = dz·(1 - w),  dy = dz·w,  dw = dz·(y - x)"""

    variant = 1

    def forward(ctx, x, y, w, weight=None):
        ctx.weight = weight
        ctx.save(x, y, w)
        return kernels.of(x).lerp(x, y, w if weight is None else weight)

    def backward(ctx, dz):
        x, y, w = ctx.saved
        dw = dz * (y - x) if w is not None else None
        w = ctx.weight if w is None else w
        return dz * (1 - w), dz * w, dw


class Addcmul(Op):
    """z = a + v·x·y,  da = dz,  dx = dz·v·y,  dy = dz·v·x"""

    def forward(ctx, a, x, y, value):
        ctx.value = value
        ctx.save(x, y)
        return kernels.of(a).addcmul(a, x, y, value)

    def backward(ctx, dz):
        x, y = ctx.saved
        return dz, dz * (y * ctx.value), dz * (x * ctx.value)


class Addcdiv(Op):
    """z = a + v·x/y,  da = dz,  dx = dz·v/y,  dy = -dz·v·x/y²"""

    def forward(ctx, a, x, y, value):
        ctx.value = value
        ctx.save(x, y)
        return kernels.of(a).addcdiv(a, x, y, value)

    def backward(ctx, dz):
        x, y = ctx.saved
        return dz, dz * (ctx.value / y), -dz * (x * ctx.value / (y * y))


# ---- operators: NotImplemented for operands of another kind, so that Python may ask them -------------------------


def plus(x: Tensor, y: Any) -> Any:
    return binary(Add, x, y)


def minus(x: Tensor, y: Any) -> Any:
    return binary(Sub, x, y)


def subtracted_from(x: Tensor, y: Any) -> Any:
    """y - x, for `2 - x`"""
    return binary(Rsub, x, y)


def times(x: Tensor, y: Any) -> Any:
    return binary(Mul, x, y)


def to_the(x: Any, y: Any) -> Any:
    if not isinstance(y, Tensor):
        return _pow_number(x, y)
    if isinstance(x, Tensor):
        refuse("pow", x, y)
        return binary(Pow, x, y)
    base = number_of(x)
    if base is NotImplemented:
        return base
    y = to_dtype(y, common_dtype(y, base))
    refuse("pow", y)
    return unary(PowOfNumber, y, base=base)


# ---- functions --------------------------------------------------------------------------------------------------


@with_out
def add(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """input + alpha · other

    >>> import tinytorch
    >>> add(tinytorch.tensor([1., 2.]), 10)
    tensor([11., 12.])
    """
    return _sum("add", Add, input, other, alpha)


@with_out
def sub(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """input - alpha · other"""
    return _sum("sub", Sub, input, other, alpha)


@with_out
def rsub(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """other - alpha · input"""
    need_tensors("rsub", input=input)
    made = binary(Rsub, input if alpha == 1 else mul(input, alpha), other)
    if isinstance(other, Tensor) and made._grad_fn is not None:
        made._grad_fn.variant = 0
    return result_of(made, "rsub", input, other)


@with_out
def mul(input: Any, other: Any) -> Tensor:
    """input · other, element by element"""
    made = binary(Mul, input, other)
    return made if made is not NotImplemented else of_numbers(mul, "mul", input, other)


@with_out
def pow(input: Any, exponent: Any) -> Tensor:
    """input to the power of exponent: a tensor and a number, a number and a tensor, or two tensors.

    >>> import tinytorch
    >>> pow(2, tinytorch.tensor([1., 2., 3.]))
    tensor([2., 4., 8.])
    """
    if not isinstance(input, Tensor) and not isinstance(exponent, Tensor):
        kinds = f"({type(input).__name__}, {type(exponent).__name__})"
        raise TypeError(f"pow() received an invalid combination of arguments - got {kinds}")
    return result_of(to_the(input, exponent), "pow", input, exponent, "exponent")


@with_out
def float_power(input: Any, exponent: Any) -> Tensor:
    """input to the power of exponent, computed in float64"""
    return pow(*[to_dtype(v, dtypes.float64) if isinstance(v, Tensor) else float(v) for v in (input, exponent)])


def in_double(method: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """`x.float_power_(y)`: the result is float64, and only a float64 tensor takes it."""

    @functools.wraps(method)
    def checked(self: Tensor, exponent: Any) -> Tensor:
        if self.dtype is not dtypes.float64:
            raise RuntimeError(
                f"the base given to float_power_ has dtype {kind_name(self.dtype)} but the operation's result requires "
                "dtype Double"
            )
        return method(self, exponent)

    return checked


@with_out
def neg(input: Tensor) -> Tensor:
    """-input"""
    need_tensors("neg", input=input)
    if input._array.dtype.kind == "b":
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use "
            "the `~` or `logical_not()` operator instead."
        )
    return unary(Neg, input)


@with_out
def square(input: Tensor) -> Tensor:
    """input²"""
    need_tensors("square", input=input)
    return _pow_number(input, 2)


@with_out
def lerp(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """input + weight · (end - input): the point that lies `weight` of the way from input to end"""
    need_tensors("lerp", input=input, end=end)
    for name, t in (("end", end), ("weight", weight)):
        if isinstance(t, Tensor) and t.dtype is not input.dtype and not (name == "weight" and not t._array.ndim):
            raise RuntimeError(f"expected dtype {_c_name(input)} for `{name}` but got dtype {_c_name(t)}")
    if isinstance(weight, Tensor):
        refuse("lerp_kernel_tensor", input, kinds="biu")
        return nary(Lerp, input, end, to_dtype(weight, input.dtype))
    refuse("lerp_kernel_scalar", input, kinds="biu")
    out = nary(Lerp, input, end, None, weight=float(weight))
    if out._grad_fn is not None:
        out._grad_fn.variant = 0
    return out


@with_out
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """input + value · tensor1 · tensor2"""
    need_tensors("addcmul", input=input, tensor1=tensor1, tensor2=tensor2)
    operands = promote(input, tensor1, tensor2)
    if operands[0]._array.dtype.kind in "iu":
        value = int(value)
    return nary(Addcmul, *operands, value=value)


@with_out
def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """input + value · tensor1 / tensor2"""
    need_tensors("addcdiv", input=input, tensor1=tensor1, tensor2=tensor2)
    if tensor1._array.dtype.kind in "biu" and tensor2._array.dtype.kind in "biu":
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a "
            "true division of tensor1 and tensor2. The historic addcdiv behavior can be implemented as (input + value "
            "* torch.trunc(tensor1 / tensor2)).to(input.dtype) for integer inputs and as (input + value * tensor1 / "
            f"tensor2) for float inputs; got {kind_name(tensor1)} and {kind_name(tensor2)}."
        )
    return nary(Addcdiv, *promote(input, tensor1, tensor2), value=value)


# ---- what they share --------------------------------------------------------------------------------------------


def _sum(name: str, op: type[Op], x: Any, y: Any, alpha: Any) -> Tensor:
    if alpha == 1:
        made = binary(op, x, y)
        return made if made is not NotImplemented else of_numbers(add if op is Add else sub, name, x, y)
    if common_dtype(x, y).category < dtypes.FLOATING:
        if isinstance(alpha, float):
            raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
        alpha = int(alpha)
    return result_of(binary(op, x, y, alpha), name, x, y)


def refuse_bools(x: Any, y: Any) -> None:
    """RuntimeError where one of the operands of a subtraction is a bool."""
    if not all([isinstance(v, Tensor) or number_of(v) is not NotImplemented for v in (x, y)]):
        return
    bools = [isinstance(v, bool) or (isinstance(v, Tensor) and v._array.dtype.kind == "b") for v in (x, y)]
    if any(bools):
        which = "two bool tensors" if all(bools) else "a bool tensor"
        raise RuntimeError(
            f"Subtraction, the `-` operator, with {which} is not supported. "
            + ("Use the `^` or `logical_xor()` operator instead." if all(bools) else
               "If you are trying to invert a mask, use the `~` or `logical_not()` operator instead.")
        )  # fmt: skip


def _pow_number(x: Tensor, exponent: Any) -> Any:
    if type(exponent) is not int and type(exponent) is not float:
        exponent = number_of(exponent)
        if exponent is NotImplemented:
            return exponent
    if x._array.dtype.kind in "bui":
        x = to_dtype(x, common_dtype(x, exponent))
        refuse("pow", x)
        if x._array.dtype.kind in "iu" and exponent < 0:
            raise RuntimeError(f"Integers to negative integer powers are not allowed. (The power is {exponent}.)")
        dtypes.check_fits(exponent, x.dtype)
    return unary(PowScalar, x, exponent=exponent)


def _c_name(t: Tensor) -> str:
    """A dtype as C++ calls it, which some of PyTorch's messages do."""
    return {"float32": "float", "float64": "double", "float16": "c10::Half", "bfloat16": "c10::BFloat16",
            "int64": "long int", "int32": "int", "int16": "short int", "int8": "signed char",
            "uint8": "unsigned char", "bool": "bool"}[t.dtype.name]  # fmt: skip


subtract, multiply, negative = sub, mul, neg
