"""Numbers as a kernel sees them: casts that wrap or round, and `math` that stays in float32.

A float16, float32 or float64 value is a NumPy scalar, so each operation rounds as the hardware does. Every
integer is a Python int (Numba computes them in 64 bits); it wraps when it is cast or stored.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

_POISON_BITS = {np.float16: 0x7E5A, np.float32: 0x7FC5A5A5, np.float64: 0x7FF85A5A5A5A5A5A}
_POISON = {
    np.float16: np.array(_POISON_BITS[np.float16], np.uint16).view(np.float16)[()],
    np.float32: np.array(_POISON_BITS[np.float32], np.uint32).view(np.float32)[()],
    np.float64: np.array(_POISON_BITS[np.float64], np.uint64).view(np.float64)[()],
}


def poison(dtype: np.dtype) -> Any:
    """What memory holds that nobody wrote: NaN, or the integer farthest from any sensible one."""
    if dtype.kind == "f":
        return _POISON[dtype.type]
    if dtype.kind == "c":
        return dtype.type(complex(math.nan, math.nan))
    if dtype.kind == "b":
        return False
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return int(info.min if dtype.kind == "i" else info.max)
    return tuple(0 for _ in dtype.names or ())


def is_poison(values: np.ndarray) -> np.ndarray:
    """Where a float array holds the very NaN that `poison` gives out (arithmetic hands its bits on)."""
    bits = _POISON_BITS[values.dtype.type]
    return values.view(np.dtype(f"u{values.dtype.itemsize}")) == bits


def caster(dtype: np.dtype) -> Callable[[Any], Any]:
    """The function that turns any number into a value of `dtype`: floats round, integers wrap.

    >>> caster(np.dtype("uint8"))(257), caster(np.dtype("int8"))(200), caster(np.dtype("int32"))(-2.7)
    (1, -56, -2)
    """
    if dtype.kind == "b":
        return bool
    if dtype.kind in "iu":
        bits = 8 * dtype.itemsize
        mask, half = (1 << bits) - 1, 1 << (bits - 1)
        if dtype.kind == "u":
            return lambda value: int(value) & mask
        return lambda value: ((int(value) + half) & mask) - half
    if dtype.kind in "fc":
        return dtype.type
    return tuple


def as_values(array: np.ndarray) -> list[Any]:
    """The elements of a flat array as the values that kernels compute with."""
    return list(array) if array.dtype.kind in "fc" else array.tolist()


FLOATS = (np.float16, np.float32)


def _rounded(name: str) -> Callable[..., Any]:
    """`math.name` in the precision of its arguments; where Python raises, IEEE gives NaN or infinity."""
    exact, fallback = getattr(math, name), getattr(np, _NUMPY_NAMES.get(name, name), None)

    def function(*values: Any) -> Any:
        kind = type(values[0])
        for value in values[1:]:
            if type(value) not in FLOATS:
                kind = np.float64
        if kind not in FLOATS:
            kind = np.float64
        try:
            return kind(exact(*values))
        except (ValueError, OverflowError):
            return kind(fallback(*map(np.float64, values))) if fallback else kind(math.nan)

    function.__name__ = name
    return function


_NUMPY_NAMES = {
    "pow": "power", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2",
    "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh",
}  # fmt: skip
ROUNDED = (
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "copysign", "cos", "cosh", "degrees", "erf",
    "erfc", "exp", "exp2", "expm1", "fabs", "fmod", "gamma", "hypot", "ldexp", "lgamma", "log", "log10", "log1p",
    "log2", "pow", "radians", "remainder", "sin", "sinh", "sqrt", "tan", "tanh",
)  # fmt: skip
EXACT = ("ceil", "floor", "trunc", "isnan", "isinf", "isfinite")  # an int or a bool, whatever goes in


class Mathematics:
    """Stands in for `math` inside a kernel: `exp` of a float32 is a float32."""

    def __init__(self) -> None:
        for name in EXACT:
            setattr(self, name, getattr(math, name))
        for name in ROUNDED:
            if hasattr(math, name):
                setattr(self, name, _rounded(name))
        for name in ("pi", "e", "tau", "inf", "nan"):
            setattr(self, name, np.float64(getattr(math, name)))

    @staticmethod
    def frexp(value: Any) -> tuple[Any, int]:
        mantissa, exponent = math.frexp(value)
        return (type(value) if type(value) in FLOATS else np.float64)(mantissa), exponent

    @staticmethod
    def modf(value: Any) -> tuple[Any, Any]:
        kind = type(value) if type(value) in FLOATS else np.float64
        fraction, whole = math.modf(value)
        return kind(fraction), kind(whole)


class Half:
    """Stands in for `cuda.fp16`: every result is rounded to float16."""

    _UNARY = {
        "habs": np.abs, "hneg": np.negative, "hsin": np.sin, "hcos": np.cos, "hlog": np.log, "hlog2": np.log2,
        "hlog10": np.log10, "hexp": np.exp, "hexp2": np.exp2, "hsqrt": np.sqrt, "hceil": np.ceil,
        "hfloor": np.floor, "htrunc": np.trunc, "hrint": np.rint, "hrcp": np.reciprocal,
        "hexp10": lambda x: np.power(10.0, x), "hrsqrt": lambda x: 1 / np.sqrt(x),
    }  # fmt: skip
    _BINARY = {
        "hadd": np.add, "hsub": np.subtract, "hmul": np.multiply, "hdiv": np.divide, "hmax": np.fmax,
        "hmin": np.fmin,
    }  # fmt: skip
    _COMPARE = {
        "heq": np.equal, "hne": np.not_equal, "hlt": np.less, "hle": np.less_equal, "hgt": np.greater,
        "hge": np.greater_equal,
    }  # fmt: skip

    def __init__(self) -> None:
        for name, function in (self._UNARY | self._BINARY).items():
            setattr(self, name, self._half(function))
        for name, function in self._COMPARE.items():
            setattr(self, name, lambda a, b, function=function: bool(function(a, b)))

    @staticmethod
    def _half(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *values: np.float16(function(*map(np.float64, values)))

    @staticmethod
    def hfma(a: Any, b: Any, c: Any) -> np.float16:
        return np.float16(np.float64(a) * np.float64(b) + np.float64(c))


def fma(a: Any, b: Any, c: Any) -> Any:
    """a * b + c, rounded once (exactly so for float16 and float32)."""
    kind = type(a) if type(a) is type(b) is type(c) and type(a) in FLOATS else np.float64
    return kind(np.longdouble(a) * np.longdouble(b) + np.longdouble(c))


def popc(value: int) -> int:
    return (int(value) & (_width(value) - 1)).bit_count()


def brev(value: int) -> int:
    bits = _width(value).bit_length() - 1
    return int(f"{int(value) & (_width(value) - 1):0{bits}b}"[::-1], 2)


def clz(value: int) -> int:
    return (_width(value).bit_length() - 1) - (int(value) & (_width(value) - 1)).bit_length()


def ffs(value: int) -> int:
    masked = int(value) & (_width(value) - 1)
    return (masked & -masked).bit_length()


def _width(value: int) -> int:
    """2**32 where the number fits a 32-bit register, else 2**64."""
    return 1 << 32 if -(1 << 31) <= value < 1 << 32 else 1 << 64


def cbrt(value: Any) -> Any:
    return (type(value) if type(value) in FLOATS else np.float64)(math.cbrt(value))
