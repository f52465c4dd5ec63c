"""Activations: functions of each element that stand between the layers with weights.

Most are a row of the table: the kernel of that name, and the derivative, which runs on arrays and, where backward
itself is recorded, on tensors; `k` has the functions for either. Derivatives are written in x, with `where` at the
corners: a product with a mask would make NaN of an infinite gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tinytorch import kernels
from tinytorch.autograd.op import Op
from tinytorch.dtypes import float32
from tinytorch.kernels.cpu.reduce import is_half
from tinytorch.ops.cast import to_dtype
from tinytorch.ops.elementary import erf, exp, sigmoid, tanh
from tinytorch.ops.promotion import kind_name, nary, need_tensors, refuse, unary
from tinytorch.ops.random import rand
from tinytorch.ops.rounding import abs
from tinytorch.ops.views import chunk
from tinytorch.tensor import Tensor, wrap


class Activation(Op):
    """y = f(x), whose derivative is written in x; halves are computed in float32 on the way back too."""

    verb: str
    derivative: Callable[..., Any]  # (kernels, dy, x, *params) -> dx

    def forward(ctx, x, params=()):
        ctx.params = params
        if is_half(x.dtype):
            ctx._fit = ((x.shape, x.dtype),)
        ctx.save(x)
        return getattr(kernels.of(x), ctx.verb)(x, *params)

    def backward(ctx, dy):
        (x,) = ctx.saved
        k = kernels.of(dy)
        return ctx.derivative(k, k.wide(dy), k.wide(x), *ctx.params)


def _row(label: str, verb: str, formula: str, derivative: Callable[..., Any]) -> type[Activation]:
    members = {"__doc__": f"y = {formula}", "verb": verb, "derivative": staticmethod(derivative)}
    return type(label, (Activation,), members)


def _elu_slope(k: Any, dy: Any, x: Any, alpha: float, scale: float, input_scale: float) -> Any:
    below = k.where(x > 0, 0.0, x) * input_scale  # not x: e^x of a large one is infinite, and 0 · inf is NaN
    return k.where(x > 0, dy * scale, dy * (k.exp(below) * (alpha * scale * input_scale)))


def _mish_slope(k: Any, dy: Any, x: Any) -> Any:
    t = k.tanh(k.softplus(x, 1.0, 20.0))
    return dy * (t + x * (1 - t * t) * k.sigmoid(x))


# ---- the table: name in the graph, kernel, formula, derivative ---------------------------------------------------

Gelu = _row("Gelu", "gelu", "x · Φ(x)", lambda k, dy, x: k.gelu_backward(dy, x))
GeluTanh = _row("Gelu", "gelu_tanh", "x · Φ(x), nearly", lambda k, dy, x: k.gelu_tanh_backward(dy, x))
Silu = _row("Silu", "silu", "x · σ(x)", lambda k, dy, x: k.silu_backward(dy, x))
Mish = _row("Mish", "mish", "x · tanh(softplus x)", _mish_slope)
Softplus = _row("Softplus", "softplus", "log(1 + eᵝˣ) / β", lambda k, dy, x, beta, threshold: k.where(
    x * beta > threshold, dy, dy * k.sigmoid(x * beta)))  # fmt: skip
LogSigmoid = _row("LogSigmoid", "log_sigmoid", "log σ(x)", lambda k, dy, x: dy * k.sigmoid(-x))
Elu = _row("Elu", "elu", "x above 0, α (eˣ - 1) below", _elu_slope)
Celu = _row("Celu", "elu", "x above 0, α (e^(x/α) - 1) below", _elu_slope)

LeakyRelu = _row("LeakyRelu", "leaky_relu", "x above 0, a · x below", lambda k, dy, x, slope: k.where(
    x > 0, dy, dy * slope))  # fmt: skip
RreluWithNoise = _row("RreluWithNoise", "leaky_relu", "x above 0, a · x below", LeakyRelu.derivative)
Threshold = _row("Threshold", "threshold", "x above t, else v", lambda k, dy, x, t, v: k.where(x <= t, 0.0, dy))
Hardtanh = _row("Hardtanh", "hardtanh", "x brought into [low, high]", lambda k, dy, x, low, high: k.where(
    (x <= low) | (x >= high), 0.0, dy))  # fmt: skip
Hardsigmoid = _row("Hardsigmoid", "hardsigmoid", "(x + 3) / 6 brought into [0, 1]", lambda k, dy, x: k.where(
    (x > -3) & (x < 3), dy * (1 / 6), 0.0))  # fmt: skip
Hardswish = _row("Hardswish", "hardswish", "x · (x + 3) / 6, from 0 to x", lambda k, dy, x: k.where(
    x <= -3, 0.0, k.where(x < 3, dy * (x * (1 / 3) + 0.5), dy)))  # fmt: skip
Hardshrink = _row("Hardshrink", "hardshrink", "0 between -λ and λ, else x", lambda k, dy, x, lambd: k.where(
    (x >= -lambd) & (x <= lambd), 0.0, dy))  # fmt: skip
Softshrink = _row("Softshrink", "softshrink", "x brought nearer to 0 by λ", Hardshrink.derivative)


class PreluKernel(Op):
    """y = x above 0, w · x below,  dx = dy or dy · w,  dw = 0 or dy · x"""

    def forward(ctx, x, w):
        ctx.save(x, w)
        return kernels.of(x).prelu(x, w)

    def backward(ctx, dy):
        x, w = ctx.saved
        k = kernels.of(dy)
        return k.where(x > 0, dy, dy * w), k.where(x > 0, 0.0, dy * x)


# ---- backward kernels with compiled loops, as recorded operations ------------------------------------------------


def gelu_backward(dy: Tensor, x: Tensor) -> Tensor:
    density = exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi))
    return dy * (0.5 * (1 + erf(x * math.sqrt(0.5))) + x * density)


def gelu_tanh_backward(dy: Tensor, x: Tensor) -> Tensor:
    c = math.sqrt(2 / math.pi)
    t = tanh(c * (x + 0.044715 * x * x * x))
    return dy * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * (c * (1 + 3 * 0.044715 * x * x)))


def silu_backward(dy: Tensor, x: Tensor) -> Tensor:
    s = sigmoid(x)
    return dy * (s * (1 + x * (1 - s)))


# ---- functions --------------------------------------------------------------------------------------------------

_INTEGERS = "biu"


def _activate(
    op: type[Activation], kernel: str, name: str, input: Tensor, *params: Any, kinds: str = _INTEGERS
) -> Tensor:
    """Run a row of the table; TypeError for what is no tensor, NotImplementedError for a dtype the kernel lacks."""
    if not isinstance(input, Tensor):
        need_tensors(name, input=input)
    if input._array.dtype.kind in kinds:
        refuse(kernel, input, kinds=kinds)
    return unary(op, input, params=params) if params else unary(op, input)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x · Φ(x), where Φ is the normal distribution function; with `approximate="tanh"` from a tanh close to it.

    Source: Hendrycks and Gimpel, "Gaussian Error Linear Units".

    >>> import tinytorch
    >>> gelu(tinytorch.tensor([-1., 0., 2.]))
    tensor([-0.1587,  0.0000,  1.9545])
    """
    if approximate not in ("none", "tanh"):
        raise RuntimeError(f"approximate argument must be either none or tanh. Got: {approximate}")
    return _activate(Gelu if approximate == "none" else GeluTanh, "GeluKernelImpl", "gelu", input)


def silu(input: Tensor) -> Tensor:
    """x · sigmoid(x), also called swish."""
    return _activate(Silu, "silu_cpu", "silu", input)


def mish(input: Tensor) -> Tensor:
    """x · tanh(softplus(x))

    Source: Misra, "Mish: A Self Regularized Non-Monotonic Activation Function".
    """
    return _activate(Mish, "mish_cpu", "mish", input)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + e^(βx)) / β, a smooth relu; x itself where βx is above `threshold`."""
    return _activate(Softplus, "softplus_cpu", "softplus", input, float(beta), float(threshold))


def log_sigmoid(input: Tensor) -> Tensor:
    """log(sigmoid(x)), without overflow."""
    return _activate(LogSigmoid, "log_sigmoid_cpu", "log_sigmoid", input)


def elu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """x above 0, α (eˣ - 1) below.

    Source: Clevert et al., "Fast and Accurate Deep Network Learning by Exponential Linear Units".

    >>> import tinytorch
    >>> elu(tinytorch.tensor([-1., 2.]))
    tensor([-0.6321,  2.0000])
    """
    return _activate(Elu, "elu_cpu", "elu", input, float(alpha), 1.0, 1.0)


SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def selu(input: Tensor) -> Tensor:
    """`elu`, scaled so that mean 0 and variance 1 stay what they are from layer to layer.

    Source: Klambauer et al., "Self-Normalizing Neural Networks".
    """
    return _activate(Elu, "elu_cpu", "selu", input, SELU_ALPHA, SELU_SCALE, 1.0)


def celu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """x above 0, α (e^(x/α) - 1) below: `elu` without a kink at 0. RuntimeError for an α of 0."""
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return _activate(Celu, "elu_cpu", "celu", input, float(alpha), 1.0, 1.0 / alpha)


def leaky_relu(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """x above 0, negative_slope · x below.

    >>> import tinytorch
    >>> leaky_relu(tinytorch.tensor([-1., 2.]), 0.1)
    tensor([-0.1000,  2.0000])
    """
    return _activate(LeakyRelu, "leaky_relu_cpu", "leaky_relu", input, float(negative_slope))


def rrelu(input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> Tensor:
    """`leaky_relu` with a slope drawn anew from [lower, upper] for each element; its middle when not `training`."""
    if lower > upper:
        raise RuntimeError(f"Lower bound should be less than or equal to the upper bound, got {lower} and {upper}")
    slope: Any = (lower + upper) / 2
    if training and upper - lower > 1e-6:
        need_tensors("rrelu", input=input)
        refuse("rrelu_cpu", input, kinds=_INTEGERS)
        drawn = rand(input.shape)._array * (upper - lower) + lower
        out = nary(PreluKernel, input, wrap(drawn.astype(input._array.dtype)))
        if out._grad_fn is not None:
            out._grad_fn.label = "RreluWithNoise"
        return out
    return _activate(RreluWithNoise, "leaky_relu_cpu", "rrelu", input, slope)


def threshold(input: Tensor, threshold: float, value: float) -> Tensor:
    """x where it is above `threshold`, else `value`."""
    return _activate(Threshold, "threshold_cpu", "threshold", input, *_whole(input, threshold, value), kinds="b")


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """x brought into [min_val, max_val]. ValueError where min_val is the larger."""
    return _hardtanh("hardtanh", input, min_val, max_val)


def relu6(input: Tensor) -> Tensor:
    """x brought into [0, 6]"""
    return _hardtanh("relu6", input, 0.0, 6.0)


def _hardtanh(name: str, input: Tensor, low: float, high: float) -> Tensor:
    if low > high:
        raise ValueError(f"min_val cannot be greater than max_val, got {low} and {high}")
    need_tensors(name, input=input)
    if input._array.dtype.kind == "b":
        raise RuntimeError("Bool inputs not supported for hardtanh")
    return _activate(Hardtanh, "hardtanh_cpu", name, input, *_whole(input, low, high), kinds="")


def _whole(input: Any, *numbers: float) -> tuple:
    """The numbers as the dtype of the input holds them: without what is after the point, for integers."""
    integers = isinstance(input, Tensor) and input._array.dtype.kind in _INTEGERS
    return tuple([int(n) if integers else n for n in numbers])


def hardsigmoid(input: Tensor) -> Tensor:
    """(x + 3) / 6 brought into [0, 1]: sigmoid in three straight lines."""
    return _activate(Hardsigmoid, "hardsigmoid_cpu", "hardsigmoid", input)


def hardswish(input: Tensor) -> Tensor:
    """x · hardsigmoid(x)

    Source: Howard et al., "Searching for MobileNetV3".
    """
    return _activate(Hardswish, "hardswish_cpu", "hardswish", input)


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """0 between -lambd and lambd, x elsewhere."""
    return _activate(Hardshrink, "hardshrink_cpu", "hardshrink", input, float(lambd))


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x brought nearer to 0 by lambd, and 0 between -lambd and lambd. RuntimeError for a negative lambd."""
    need_tensors("softshrink", input=input)
    refuse("softshrink_check", input, kinds=_INTEGERS)
    if not lambd >= 0:
        raise RuntimeError(
            f"lambda must be in range [0, 3.40282e+38] for input dtype {kind_name(input)}, but found {lambd:g}"
        )
    return _activate(Softshrink, "softshrink_cpu", "softshrink", input, float(lambd))


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|)"""
    return input / (abs(input) + 1)


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x)"""
    return input - input.tanh()


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """The first half along `dim`, times the sigmoid of the second. RuntimeError for an odd length.

    Source: Dauphin et al., "Language Modeling with Gated Convolutional Networks".

    >>> import tinytorch
    >>> glu(tinytorch.tensor([3., 0.]))
    tensor([1.5000])
    """
    if input.ndim == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    length = input.size(dim)
    if length % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim % input.ndim} is size {length}")
    refuse("glu_cpu", input, kinds=_INTEGERS)
    value, gate = chunk(input, 2, dim)
    return value * sigmoid(gate)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x above 0, weight · x below: one slope for all, or one for each channel (dimension 1).

    Args:
        input: shape (N, C, ...), or (n,) with one slope.
        weight: shape (1,), () or (C,), of the dtype of the input.

    Raises:
        RuntimeError: shapes or dtypes that do not go together.

    Source: He et al., "Delving Deep into Rectifiers".
    """
    need_tensors("prelu", input=input, weight=weight)
    if weight.dtype is not input.dtype:
        raise RuntimeError(f"prelu: Type promoting not supported. Got {kind_name(input)} and {kind_name(weight)}")
    if weight.numel() != 1:
        if not input.ndim:
            raise RuntimeError("Not allow zero-dim input tensor.")
        channels = input.shape[1] if input.ndim > 1 else 1
        if weight.numel() != channels:
            raise RuntimeError(
                f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {weight.numel()} and "
                f"channel size = {channels}."
            )
    if weight.ndim > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.ndim}")
    refuse("prelu_cpu", input, kinds=_INTEGERS)
    if weight.ndim and input.ndim != 1:
        weight = weight.reshape([1 if d != 1 else -1 for d in range(input.ndim)])
    return nary(PreluKernel, input, weight)


def wide(x: Tensor) -> Tensor:
    """The kernel of this name, recorded: halves in float32, anything else as it is."""
    return to_dtype(x, float32) if is_half(x._array.dtype) else x
