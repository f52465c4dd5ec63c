"""Activations, element by element. Those of which networks are full have compiled loops; the others are NumPy."""

from __future__ import annotations

import math

import numpy as np

from tinytorch.kernels.cpu import fast
from tinytorch.kernels.cpu.pointwise import _halves_in_float32, _polynomial, erf, sigmoid

_FLOAT32 = np.dtype(np.float32)
_ROOT_HALF = math.sqrt(0.5)
_ROOT_2_OVER_PI = math.sqrt(2 / math.pi)
_DENSITY_AT_0 = 1 / math.sqrt(2 * math.pi)

# The error function in float32 as a quotient of polynomials in x², |x| <= 4; coefficients as in Eigen's and XLA's erf.
_ABOVE = (-2.72614225801306e-10, 2.77068142495902e-08, -2.10102402082508e-06, -5.69250639462346e-05,
          -7.34990630326855e-04, -2.95459980854025e-03, -1.60960333262415e-02)  # fmt: skip
_BELOW = (-1.45660718464996e-05, -2.13374055278905e-04, -1.68282697438203e-03, -7.37332916720468e-03,
          -1.42647390514189e-02)  # fmt: skip


def _erf(x):
    """erf; for float32 from NumPy's own operations, as C's function would be called once for each element."""
    if x.dtype != _FLOAT32:
        return erf(x)
    z = np.minimum(np.maximum(x, -4), 4)
    s = z * z
    return z * _polynomial(_ABOVE, s) / _polynomial(_BELOW, s)


# ---- smooth -----------------------------------------------------------------------------------------------------


@_halves_in_float32
def gelu(x):
    """x · Φ(x), where Φ is the normal distribution function (1 + erf(x/√2)) / 2"""
    if fast.is_fast(x):
        return fast.pointwise("gelu", x)
    return 0.5 * x * (1 + _erf(x * _ROOT_HALF))


@_halves_in_float32
def gelu_backward(dy, x):
    """dy · (Φ(x) + x · φ(x)), where φ is the normal density"""
    if fast.is_fast(dy, x):
        return fast.pointwise("gelu_backward", dy, x)
    density = np.exp(-0.5 * x * x) * _DENSITY_AT_0
    return dy * (0.5 * (1 + _erf(x * _ROOT_HALF)) + x * density)


@_halves_in_float32
def gelu_tanh(x):
    """x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))"""
    if fast.is_fast(x):
        return fast.pointwise("gelu_tanh", x)
    return 0.5 * x * (1 + np.tanh(_ROOT_2_OVER_PI * (x + 0.044715 * x * x * x)))


@_halves_in_float32
def gelu_tanh_backward(dy, x):
    if fast.is_fast(dy, x):
        return fast.pointwise("gelu_tanh_backward", dy, x)
    t = np.tanh(_ROOT_2_OVER_PI * (x + 0.044715 * x * x * x))
    slope = _ROOT_2_OVER_PI * (1 + 3 * 0.044715 * x * x)
    return dy * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * slope)


@_halves_in_float32
def silu(x):
    """x · sigmoid x"""
    return fast.pointwise("silu", x) if fast.is_fast(x) else x * sigmoid(x)


@_halves_in_float32
def silu_backward(dy, x):
    if fast.is_fast(dy, x):
        return fast.pointwise("silu_backward", dy, x)
    s = sigmoid(x)
    return dy * (s * (1 + x * (1 - s)))


@_halves_in_float32
def softplus(x, beta, threshold):
    """log(1 + e^(βx)) / β; x itself where βx is above the threshold"""
    z = x * beta
    return np.where(z > threshold, x, np.log1p(np.exp(np.minimum(z, threshold))) / beta)


@_halves_in_float32
def mish(x):
    """x · tanh(softplus x)"""
    return x * np.tanh(softplus(x, 1.0, 20.0))


@_halves_in_float32
def log_sigmoid(x):
    """log(1 / (1 + e^-x)), from e^-|x| so that nothing overflows"""
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


@_halves_in_float32
def elu(x, alpha, scale, input_scale):
    """scale · x above 0, scale · α (e^(input_scale · x) - 1) below"""
    return np.where(x > 0, x * scale, np.expm1(np.minimum(x, 0) * input_scale) * (alpha * scale))


# ---- with corners -----------------------------------------------------------------------------------------------


@_halves_in_float32
def leaky_relu(x, slope):
    return np.where(x > 0, x, x * slope)


@_halves_in_float32
def prelu(x, slope):
    """`leaky_relu` with a tensor of slopes that broadcasts"""
    return np.where(x > 0, x, x * slope)


def threshold(x, threshold, value):
    return np.where(x <= threshold, x.dtype.type(value), x)


def hardtanh(x, low, high):
    return np.minimum(np.maximum(x, x.dtype.type(low)), x.dtype.type(high))


@_halves_in_float32
def hardsigmoid(x):
    return np.minimum(np.maximum(x + 3, 0), 6) / 6


@_halves_in_float32
def hardswish(x):
    return x * np.minimum(np.maximum(x + 3, 0), 6) / 6


def hardshrink(x, lambd):
    return np.where((x >= -lambd) & (x <= lambd), x.dtype.type(0), x)


@_halves_in_float32
def softshrink(x, lambd):
    return np.where(x > lambd, x - lambd, np.where(x < -lambd, x + lambd, x * 0))
