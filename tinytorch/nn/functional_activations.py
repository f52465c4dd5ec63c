"""Activations with PyTorch's `inplace` argument; names with an underscore always write into the input's own memory."""

from __future__ import annotations

from tinytorch.ops import activation as ops
from tinytorch.ops.activation import (
    gelu,
    glu,
    hardshrink,
    prelu,
    softplus,
    softshrink,
    softsign,
    tanhshrink,
)
from tinytorch.ops.activation import log_sigmoid as logsigmoid
from tinytorch.ops.inplace import in_place_method
from tinytorch.tensor import Tensor

__all__ = [
    "celu", "celu_", "elu", "elu_", "gelu", "glu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "hardtanh_",
    "leaky_relu", "leaky_relu_", "logsigmoid", "mish", "prelu", "relu6", "rrelu", "rrelu_", "selu", "selu_", "silu",
    "softplus", "softshrink", "softsign", "tanhshrink", "threshold", "threshold_",
]  # fmt: skip

celu_, elu_, selu_, leaky_relu_, rrelu_, threshold_, hardtanh_ = map(
    in_place_method, (ops.celu, ops.elu, ops.selu, ops.leaky_relu, ops.rrelu, ops.threshold, ops.hardtanh)
)
_relu6_, _silu_, _mish_, _hardsigmoid_, _hardswish_ = map(
    in_place_method, (ops.relu6, ops.silu, ops.mish, ops.hardsigmoid, ops.hardswish)
)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """x brought into [0, 6]"""
    return _relu6_(input) if inplace else ops.relu6(input)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """`elu`, scaled so that mean 0 and variance 1 stay what they are from layer to layer."""
    return selu_(input) if inplace else ops.selu(input)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x · sigmoid(x), also called swish."""
    return _silu_(input) if inplace else ops.silu(input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x · tanh(softplus(x))"""
    return _mish_(input) if inplace else ops.mish(input)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """(x + 3) / 6 brought into [0, 1]"""
    return _hardsigmoid_(input) if inplace else ops.hardsigmoid(input)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x · hardsigmoid(x)"""
    return _hardswish_(input) if inplace else ops.hardswish(input)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x above 0, α (eˣ - 1) below."""
    return elu_(input, alpha) if inplace else ops.elu(input, alpha)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x above 0, α (e^(x/α) - 1) below."""
    return celu_(input, alpha) if inplace else ops.celu(input, alpha)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x above 0, negative_slope · x below."""
    return leaky_relu_(input, negative_slope) if inplace else ops.leaky_relu(input, negative_slope)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where it is above `threshold`, else `value`."""
    return threshold_(input, threshold, value) if inplace else ops.threshold(input, threshold, value)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """x brought into [min_val, max_val]"""
    return hardtanh_(input, min_val, max_val) if inplace else ops.hardtanh(input, min_val, max_val)


def rrelu(
    input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """`leaky_relu` with a slope drawn anew from [lower, upper] for each element; its middle when not `training`."""
    return rrelu_(input, lower, upper, training) if inplace else ops.rrelu(input, lower, upper, training)
