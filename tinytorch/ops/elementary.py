"""Functions of one variable: exponentials, logarithms, trigonometry, erf, and their derivatives as a table.

`of_output` takes a derivative written in y = f(x) (eˣ: dy · y), `of_input` one written in x (ln x: dy / x). What stands
in a derivative runs on arrays and, where backward itself is recorded, on tensors; `k` has the functions for either.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tinytorch import kernels
from tinytorch.autograd.op import Op
from tinytorch.ops.out import with_out
from tinytorch.ops.promotion import as_floating, need_tensors, unary
from tinytorch.tensor import Tensor

Derivative = Callable[[Any, Any, Any], Any]  # (kernels, dy, x or y) -> dx
LN2, LN10 = math.log(2.0), math.log(10.0)


class OfOutput(Op):
    """y = f(x), whose derivative is written in y."""

    verb: str
    derivative: Derivative

    def forward(ctx, x):
        return ctx.save(getattr(kernels.of(x), ctx.verb)(x))

    def backward(ctx, dy):
        (y,) = ctx.saved
        return ctx.derivative(kernels.of(dy), dy, y)


class OfInput(Op):
    """y = f(x), whose derivative is written in x."""

    verb: str
    derivative: Derivative

    def forward(ctx, x):
        ctx.save(x)
        return getattr(kernels.of(x), ctx.verb)(x)

    def backward(ctx, dy):
        (x,) = ctx.saved
        return ctx.derivative(kernels.of(dy), dy, x)


class Sigmoid(Op):
    """y = 1 / (1 + e⁻ˣ),  dx = dy · y · (1 - y)"""

    def forward(ctx, x):
        return ctx.save(kernels.of(x).sigmoid(x))

    def backward(ctx, dy):
        (y,) = ctx.saved
        return kernels.of(dy).sigmoid_backward(dy, y)


class Tanh(Op):
    """y = tanh x,  dx = dy · (1 - y²)"""

    def forward(ctx, x):
        return ctx.save(kernels.of(x).tanh(x))

    def backward(ctx, dy):
        (y,) = ctx.saved
        return kernels.of(dy).tanh_backward(dy, y)


class Relu(Op):
    """y = max(x, 0),  dx = dy where y > 0"""

    def forward(ctx, x):
        return ctx.save(kernels.of(x).relu(x))

    def backward(ctx, dy):
        (y,) = ctx.saved
        return kernels.of(dy).relu_backward(dy, y)


def function_of(op: type[Op], name: str, formula: str) -> Callable[..., Tensor]:
    """The public function of a smooth op: integers are taken as floating-point numbers."""

    def function(input: Tensor) -> Tensor:
        if not isinstance(input, Tensor):
            need_tensors(name, input=input)
        return unary(op, input if input._array.dtype.kind == "f" else as_floating(input))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{formula}, element by element; integers give floating-point results."
    return with_out(function)


def _row(base: type[Op]) -> Callable[..., Any]:
    def row(name: str, formula: str, derivative: Derivative, label: str | None = None) -> Callable[..., Tensor]:
        op = type(name.capitalize(), (base,), {
            "__doc__": f"y = {formula}", "verb": name, "derivative": staticmethod(derivative), "label": label,
        })  # fmt: skip
        return function_of(op, name, formula)

    return row


of_output, of_input = _row(OfOutput), _row(OfInput)

# ---- the table: name, formula, derivative -----------------------------------------------------------------------

exp = of_output("exp", "eˣ", lambda k, dy, y: dy * y)
exp2 = of_output("exp2", "2ˣ", lambda k, dy, y: dy * y * LN2)
expm1 = of_output("expm1", "eˣ - 1", lambda k, dy, y: dy * (y + 1))
log = of_input("log", "ln x", lambda k, dy, x: dy / x)
log2 = of_input("log2", "log₂ x", lambda k, dy, x: dy / (x * LN2))
log10 = of_input("log10", "log₁₀ x", lambda k, dy, x: dy / (x * LN10))
log1p = of_input("log1p", "ln(1 + x)", lambda k, dy, x: dy / (x + 1), label="Log1P")

sqrt = of_output("sqrt", "√x", lambda k, dy, y: dy / (2 * y))
rsqrt = of_output("rsqrt", "1/√x", lambda k, dy, y: -0.5 * dy * (y * y * y))
reciprocal = of_output("reciprocal", "1/x", lambda k, dy, y: -dy * (y * y))

sin = of_input("sin", "sin x", lambda k, dy, x: dy * k.cos(x))
cos = of_input("cos", "cos x", lambda k, dy, x: -dy * k.sin(x))
tan = of_output("tan", "tan x", lambda k, dy, y: dy * (1 + y * y))
asin = of_input("asin", "arcsin x", lambda k, dy, x: dy * k.rsqrt(1 - x * x))
acos = of_input("acos", "arccos x", lambda k, dy, x: -dy * k.rsqrt(1 - x * x))
atan = of_input("atan", "arctan x", lambda k, dy, x: dy / (x * x + 1))
sinh = of_input("sinh", "(eˣ - e⁻ˣ)/2", lambda k, dy, x: dy * k.cosh(x))
cosh = of_input("cosh", "(eˣ + e⁻ˣ)/2", lambda k, dy, x: dy * k.sinh(x))
asinh = of_input("asinh", "arsinh x", lambda k, dy, x: dy * k.rsqrt(x * x + 1))
acosh = of_input("acosh", "arcosh x", lambda k, dy, x: dy * k.rsqrt(x * x - 1))
atanh = of_input("atanh", "artanh x", lambda k, dy, x: dy / (1 - x * x))
sinc = of_input("sinc", "sin πx / πx, 1 at 0", lambda k, dy, x: dy * k.sinc_slope(x))
deg2rad = of_input("deg2rad", "x · π/180", lambda k, dy, x: dy * (math.pi / 180), label="Deg2Rad")
rad2deg = of_input("rad2deg", "x · 180/π", lambda k, dy, x: dy * (180 / math.pi), label="Rad2Deg")

erf = of_input("erf", "2/√π · ∫₀ˣ e^(-t²) dt", lambda k, dy, x: dy * (k.exp(-(x * x)) * (2 / math.sqrt(math.pi))))
erfc = of_input("erfc", "1 - erf x", lambda k, dy, x: dy * (k.exp(-(x * x)) * (-2 / math.sqrt(math.pi))))
erfinv = of_output("erfinv", "the x with erf x = y", lambda k, dy, y: dy * (k.exp(y * y) * (math.sqrt(math.pi) / 2)))

sigmoid = function_of(Sigmoid, "sigmoid", "1 / (1 + e⁻ˣ)")
tanh = function_of(Tanh, "tanh", "(eˣ - e⁻ˣ) / (eˣ + e⁻ˣ)")


@with_out
def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """ln(x / (1 - x)), the inverse of sigmoid; with `eps`, x is first brought into [eps, 1 - eps]."""
    need_tensors("logit", input=input)
    return unary(Logit, as_floating(input)) if eps is None else _LogitOf(eps, as_floating(input))


class Logit(Op):
    """y = ln(x / (1 - x)),  dx = dy / (x · (1 - x))"""

    def forward(ctx, x):
        ctx.save(x)
        return kernels.of(x).logit(x)

    def backward(ctx, dy):
        (x,) = ctx.saved
        return dy / (x * (1 - x))


def _LogitOf(eps: float, x: Tensor) -> Tensor:
    from tinytorch.ops.rounding import clamp

    return unary(Logit, clamp(x, eps, 1 - eps))


def sinc_slope(x: Tensor) -> Tensor:
    """The derivative of sinc, 0 at 0: (cos πx - sinc x) / x"""
    k = kernels.of(x)
    at_zero = x == 0
    return k.where(at_zero, k.zeros_like(x), (k.cos(x * math.pi) - sinc(x)) / k.where(at_zero, k.ones_like(x), x))


def relu(input: Tensor) -> Tensor:
    """max(x, 0), element by element."""
    need_tensors("relu", input=input)
    if input._array.dtype.kind == "b":
        raise RuntimeError("Boolean inputs not supported for relu")
    return unary(Relu, input)


arccos, arccosh, arcsin, arcsinh, arctan, arctanh = acos, acosh, asin, asinh, atan, atanh
