"""Element by element. Large float32 arrays go through compiled loops where those beat NumPy's several passes."""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy import (  # noqa: F401
    abs,
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    ceil,
    copysign,
    cos,
    cosh,
    deg2rad,
    exp2,
    expm1,
    floor,
    fmax,
    fmin,
    hypot,
    isfinite,
    isnan,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    logaddexp2,
    maximum,
    minimum,
    rad2deg,
    sin,
    sinh,
    sqrt,
    tan,
    trunc,
)

from tinytorch.kernels.cpu import fast


def _is_half(x):
    return x.dtype.kind == "V" or (x.dtype.kind == "f" and x.dtype.itemsize == 2)


def _halves_in_float32(kernel):
    """A kernel of several steps: half-precision arrays go through it in float32 and are rounded once, at the end."""

    @functools.wraps(kernel)
    def call(x, *others):
        if not _is_half(x):
            return kernel(x, *others)
        wide = [o.astype(np.float32) if isinstance(o, np.ndarray) else o for o in others]
        return kernel(x.astype(np.float32), *wide).astype(x.dtype)

    return call


# ---- making and choosing ----------------------------------------------------------------------------------------


def cast(x, dtype):
    """A copy in another NumPy dtype; x itself if it has that dtype."""
    return x if x.dtype == dtype else x.astype(dtype)


def clone(x):
    """A copy with the same order of dimensions in memory; a repeated (expanded) element is written out."""
    return x.copy() if x.flags.c_contiguous or 0 in x.strides else x.copy(order="K")


def zeros_like(x):
    return np.zeros_like(x)


def ones_like(x):
    return np.ones_like(x)


def full_like(x, value):
    return np.full_like(x, value)


def where(condition, x, y):
    return np.where(condition, x, y)


# ---- powers -----------------------------------------------------------------------------------------------------


def pow(x, exponent):
    """x to the power of a number. Products for small whole exponents: the general power is several times slower."""
    if exponent == 2:
        return np.square(x)
    if exponent == 3:
        return np.multiply(x * x, x)
    if _is_half(x):
        return (x.astype(np.float32) ** exponent).astype(x.dtype)
    return x**exponent


def power(x, y):
    """xʸ for two arrays of one dtype (or an array and a number). Integers to negative powers are 0, 1 or -1."""
    dtype = np.result_type(x, y)
    if dtype.kind != "i":
        return np.power(x, y)
    z = np.power(x, np.maximum(y, 0))
    alternating = np.where(y % 2 == 0, 1, -1)
    return np.where(y < 0, np.where(x == 1, 1, np.where(x == -1, alternating, 0)), z).astype(dtype)


@_halves_in_float32
def rsqrt(x):
    return 1 / np.sqrt(x)


def reciprocal(x):
    return np.true_divide(x.dtype.type(1), x)


# ---- divisions that round ---------------------------------------------------------------------------------------


def floor_divide(x, y):
    return np.floor_divide(x, y)


@_halves_in_float32
def trunc_divide(x, y):
    """x / y rounded towards zero, as C divides."""
    if np.result_type(x, y).kind == "f":
        return np.trunc(x / y)
    return (x - np.fmod(x, y)) // y


def remainder(x, y):
    """x - y · ⌊x / y⌋: of the sign of y."""
    return np.remainder(x, y)


def fmod(x, y):
    """x - y · trunc(x / y): of the sign of x."""
    return np.fmod(x, y)


# ---- rounding ---------------------------------------------------------------------------------------------------


def round(x):
    """To the nearest whole number; halfway cases to the even one."""
    return np.rint(x)


@_halves_in_float32
def round_decimals(x, decimals):
    scale = x.dtype.type(10.0 ** math.fabs(decimals))
    return np.rint(x * scale) / scale if decimals > 0 else np.rint(x / scale) * scale


def sign(x):
    """-1, 0 or 1; 0 for NaN."""
    return (x > 0).astype(x.dtype) - (x < 0).astype(x.dtype)


sgn = sign


def frac(x):
    return x - np.trunc(x)


# ---- activations and what is near them --------------------------------------------------------------------------


def exp(x):
    return fast.pointwise("exp", x) if fast.is_fast(x) else np.exp(x)


@_halves_in_float32
def sigmoid(x):
    """1 / (1 + e^-x), from e^-|x| so that nothing overflows."""
    if fast.is_fast(x):
        return fast.pointwise("sigmoid", x)
    z = np.exp(-np.abs(x))
    return np.where(x >= 0, x.dtype.type(1), z) / (1 + z)


def sigmoid_backward(dy, y):
    return fast.pointwise("sigmoid_backward", dy, y) if fast.is_fast(dy, y) else dy * y * (1 - y)


def tanh(x):
    return np.tanh(x)


def tanh_backward(dy, y):
    return fast.pointwise("tanh_backward", dy, y) if fast.is_fast(dy, y) else dy * (1 - y * y)


def relu(x):
    return fast.pointwise("relu", x) if fast.is_fast(x) else np.maximum(x, x.dtype.type(0))


def relu_backward(dy, y):
    return fast.pointwise("relu_backward", dy, y) if fast.is_fast(dy, y) else dy * (y > 0)


@_halves_in_float32
def logit(x):
    return np.log(x / (1 - x))


@_halves_in_float32
def sinc(x):
    """sin πx / πx, continued by 1 at 0."""
    angle = x * x.dtype.type(math.pi)
    return np.where(x == 0, x.dtype.type(1), np.sin(angle) / np.where(x == 0, x.dtype.type(1), angle))


def sinc_slope(x):
    """The derivative of sinc: (cos πx - sinc x) / x, 0 at 0."""
    at_zero = x == 0
    return np.where(at_zero, 0, (np.cos(x * x.dtype.type(math.pi)) - sinc(x)) / np.where(at_zero, x.dtype.type(1), x))


@_halves_in_float32
def xlogy(x, y):
    """x · ln y, and 0 where x is 0, whatever y is (but NaN)."""
    return np.where((x == 0) & ~np.isnan(y), np.zeros_like(x), x * np.log(y))


# ---- error function ---------------------------------------------------------------------------------------------

_small = {"erf": np.frompyfunc(math.erf, 1, 1), "erfc": np.frompyfunc(math.erfc, 1, 1)}


def _from_c(name, x):
    """A function of C's library on every element, in float64: compiled where there are many."""
    wide = np.asarray(x, np.float64).reshape(-1)
    if wide.size < fast.LARGE:
        y = np.asarray(_small[name](wide), np.float64)
    else:
        y = np.empty_like(wide)
        getattr(fast.loops(), name)(wide, y)
    return y.astype(x.dtype).reshape(x.shape)


def erf(x):
    """2/√π ∫₀ˣ e^(-t²) dt"""
    return _from_c("erf", x)


def erfc(x):
    """1 - erf x, without the cancellation"""
    return _from_c("erfc", x)


# Giles, "Approximating the erfinv function" (2010), single precision: in the middle and in the tails.
_MIDDLE = (2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503,
           -0.00417768164, 0.246640727, 1.50140941)  # fmt: skip
_TAIL = (-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613,
         0.00943887047, 1.00167406, 2.83297682)  # fmt: skip


def _polynomial(coefficients, x):
    y = np.zeros_like(x)
    for c in coefficients:
        y = y * x + c
    return y


def erfinv(y):
    """The x with erf(x) = y: Giles's polynomials, then Newton's steps, which double the digits each."""
    shape, dtype = y.shape, y.dtype
    y = y.astype(np.float64).reshape(-1)
    w = -np.log((1 - y) * (1 + y))
    x = y * np.where(w < 5, _polynomial(_MIDDLE, w - 2.5), _polynomial(_TAIL, np.sqrt(np.maximum(w, 5)) - 3))
    inside = np.abs(y) < 1
    x = np.where(inside, x, 0)
    size = np.abs(y)
    for _ in range(4):  # near 1, erf has lost the digits that erfc and 1 - |y| still have; there on ln erfc
        tail = erfc(np.abs(x))
        missing = np.where(size < 0.5, size - erf(np.abs(x)), tail * np.log(tail / (1 - size)))
        x = x + np.sign(y) * missing * np.exp(x * x) * (math.sqrt(math.pi) / 2)
    x = np.where(inside, x, np.where(np.abs(y) == 1, np.copysign(np.inf, y), np.nan))
    return x.astype(dtype).reshape(shape)


# ---- of three operands ------------------------------------------------------------------------------------------


@_halves_in_float32
def lerp(x, y, weight):
    """x + w(y - x), from the nearer end."""
    d = y - x
    w = np.asarray(weight, x.dtype)
    if not w.ndim:
        return x + w * d if abs(w) < 0.5 else y - d * (1 - w)
    return np.where(np.abs(w) < 0.5, x + w * d, y - d * (1 - w))


@_halves_in_float32
def addcmul(a, x, y, value):
    return a + x * y if value == 1 else a + x * y * value


@_halves_in_float32
def addcdiv(a, x, y, value):
    return a + x / y * value


def clamp(x, low, high):
    """x brought into [low, high]; where low > high, high. NaN stays NaN."""
    dtype = x.dtype
    if low is not None:
        x = np.maximum(x, np.asarray(low, dtype))
    return x if high is None else np.minimum(x, np.asarray(high, dtype))


def nan_to_num(x, nan, posinf, neginf):
    y = np.where(np.isnan(x), x.dtype.type(nan), x)
    y = np.where(y == np.inf, x.dtype.type(posinf), y)
    return np.where(y == -np.inf, x.dtype.type(neginf), y)
