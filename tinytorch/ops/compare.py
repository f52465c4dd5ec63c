"""Questions with a yes or a no for each element; logic and bits. Nothing here has a gradient."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch import dtypes
from tinytorch.ops.out import with_out
from tinytorch.ops.promotion import (
    common_dtype,
    kind_name,
    need_tensors,
    number_of,
    plain,
    refuse,
    result_of,
    untracked,
)
from tinytorch.tensor import Tensor, wrap


def _named(function: Callable[..., Any], name: str, words: str) -> Callable[..., Any]:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = words
    return with_out(function)


# ---- comparisons ------------------------------------------------------------------------------------------------


def _comparison(name: str, ufunc: Any, symbol: str) -> tuple[Callable[..., Tensor], Callable[..., Any]]:
    """A comparison as a function, and as an operator."""

    def operator(x: Tensor, y: Any) -> Any:
        return plain(ufunc, x, y)

    def function(input: Tensor, other: Any) -> Tensor:
        need_tensors(name, input=input)
        return result_of(plain(ufunc, input, other), name, input, other)

    return _named(function, name, f"input {symbol} other, for each pair of elements: a bool tensor."), operator


def _with_arrays(operator: Callable[..., Any]) -> Callable[..., Any]:
    """== and != also with a NumPy array: left to Python, they would answer for the two objects as wholes."""

    def compared(x: Tensor, y: Any) -> Any:
        found = operator(x, y)
        return operator(x, wrap(y)) if found is NotImplemented and isinstance(y, np.ndarray) else found

    return compared


eq, equals = _comparison("eq", np.equal, "=")
ne, differs = _comparison("ne", np.not_equal, "≠")
lt, is_less = _comparison("lt", np.less, "<")
le, is_at_most = _comparison("le", np.less_equal, "≤")
gt, is_greater = _comparison("gt", np.greater, ">")
ge, is_at_least = _comparison("ge", np.greater_equal, "≥")
not_equal, less, less_equal, greater, greater_equal = ne, lt, le, gt, ge
equals, differs = _with_arrays(equals), _with_arrays(differs)


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and the same elements: one Python bool.

    >>> import tinytorch
    >>> equal(tinytorch.tensor([1, 2]), tinytorch.tensor([1, 2]))
    True
    """
    need_tensors("equal", input=input, other=other)
    return input._array.shape == other._array.shape and bool(plain(np.equal, input, other)._array.all())


def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
    """Whether |input - other| ≤ atol + rtol · |other|, for each pair of elements."""
    need_tensors("isclose", input=input, other=other)
    if input.dtype is not other.dtype:
        raise RuntimeError(f"{kind_name(input)} did not match {kind_name(other)}")
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if not tolerance >= 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {tolerance}")
    return untracked(lambda x, y: _close(x, y, rtol, atol, equal_nan), input._array, other._array)


def _close(x: Any, y: Any, rtol: float, atol: float, equal_nan: bool) -> Any:
    same = x == y
    if equal_nan and x.dtype.kind in "fV":
        same = same | (np.isnan(x) & np.isnan(y))
    if rtol == 0 and atol == 0:
        return same
    if x.dtype.kind not in "fV":
        wide = dtypes.get_default_dtype().numpy
        x, y = x.astype(wide), y.astype(wide)
    difference = np.abs(x - y)
    return same | (np.isfinite(difference) & (difference <= x.dtype.type(atol) + np.abs(x.dtype.type(rtol) * y)))


def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether `isclose` holds everywhere: one Python bool."""
    return bool(isclose(input, other, rtol, atol, equal_nan)._array.all())


# ---- of one operand ---------------------------------------------------------------------------------------------


def _question(name: str, ufunc: Any, words: str, floats_only: bool = True) -> Callable[..., Tensor]:
    """A function that answers for each element; `floats_only`: no for every integer."""

    def function(input: Tensor) -> Tensor:
        need_tensors(name, input=input)
        if floats_only and input._array.dtype.kind not in "fV":
            return untracked(lambda x: np.full(x.shape, name == "isfinite"), input._array)
        return untracked(ufunc, input._array)

    return _named(function, name, words)


isnan = _question("isnan", np.isnan, "Whether each element is NaN.")
isinf = _question("isinf", lambda x: np.abs(x) == np.inf, "Whether each element is infinite.")
isfinite = _question("isfinite", np.isfinite, "Whether each element is neither NaN nor infinite.")
isposinf = _question("isposinf", lambda x: x == np.inf, "Whether each element is +∞.")
isneginf = _question("isneginf", lambda x: x == -np.inf, "Whether each element is -∞.")
isreal = _question("isreal", lambda x: np.ones(x.shape, np.bool_), "Whether each element is real: all are.", False)
signbit = _question("signbit", lambda x: np.signbit(x) if x.dtype.kind in "fV" else x < 0,
                    "Whether each element's sign is minus, also of -0.", False)  # fmt: skip
logical_not = _question("logical_not", lambda x: x == 0, "Whether each element is 0 or False.", False)


# ---- logic and bits ---------------------------------------------------------------------------------------------


def _logic(name: str, ufunc: Any, words: str) -> Callable[..., Tensor]:
    def function(input: Tensor, other: Tensor) -> Tensor:
        need_tensors(name, input=input, other=other)
        return untracked(lambda x, y: ufunc(x != 0, y != 0), input._array, other._array)

    return _named(function, name, words)


logical_and = _logic("logical_and", np.logical_and, "Whether both are not 0.")
logical_or = _logic("logical_or", np.logical_or, "Whether one of the two is not 0.")
logical_xor = _logic("logical_xor", np.not_equal, "Whether exactly one of the two is not 0.")


def _bits(name: str, ufunc: Any, words: str, kernel: str, no_bools: bool = False) -> tuple[Any, Any]:
    """An operation on the bits of integers (and on bools), as a function and as an operator."""

    def operator(x: Any, y: Any) -> Any:
        operands = [v if isinstance(v, Tensor) else number_of(v) for v in (x, y)]
        if any([v is NotImplemented for v in operands]):
            return NotImplemented
        common = common_dtype(*operands)
        if common.category == dtypes.FLOATING or (no_bools and common is dtypes.bool):
            raise NotImplementedError(f"\"{kernel}\" not implemented for '{kind_name(common)}'")
        return plain(ufunc, x, y)

    def function(input: Any, other: Any) -> Tensor:
        return result_of(operator(input, other), name, input, other)

    return _named(function, name, words), operator


bitwise_and, bits_and = _bits("bitwise_and", np.bitwise_and, "The bits that both have.", "bitwise_and_cpu")
bitwise_or, bits_or = _bits("bitwise_or", np.bitwise_or, "The bits that one of the two has.", "bitwise_or_cpu")
bitwise_xor, bits_xor = _bits(
    "bitwise_xor", np.bitwise_xor, "The bits that only one of the two has.", "bitwise_xor_cpu"
)
bitwise_left_shift, shift_left = _bits(
    "bitwise_left_shift", np.left_shift, "input · 2^other, in the bits that there are.", "lshift_cpu", no_bools=True
)
bitwise_right_shift, shift_right = _bits(
    "bitwise_right_shift", np.right_shift, "⌊input / 2^other⌋.", "rshift_cpu", no_bools=True
)


def bits_in_place(method: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """`x.bitwise_or_(y)` and the like: whether the result fits into x is asked before whether it has bits."""

    @functools.wraps(method)
    def checked(self: Tensor, other: Any) -> Tensor:
        if self._array.dtype.kind not in "fV" and isinstance(other, Tensor | float):
            common = common_dtype(self, other if isinstance(other, Tensor) else number_of(other))
            if common.category == dtypes.FLOATING:
                source, target = kind_name(common), kind_name(self.dtype)
                raise RuntimeError(f"result type {source} can't be cast to the desired output type {target}")
        return method(self, other)

    return checked


@with_out
def bitwise_not(input: Tensor) -> Tensor:
    """Every bit turned over: -input - 1 for signed integers, not for bools"""
    need_tensors("bitwise_not", input=input)
    refuse("bitwise_not_cpu", input, kinds="fV")
    return untracked(np.invert, input._array)


def invert(input: Tensor) -> Tensor:
    """~input"""
    if input._array.dtype.kind in "fV":
        raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
    return untracked(np.invert, input._array)


@with_out
def gcd(input: Tensor, other: Tensor) -> Tensor:
    """The greatest common divisor"""
    need_tensors("gcd", input=input, other=other)
    refuse("gcd_cpu", input, other, kinds="bfV")
    return plain(np.gcd, input, other)


@with_out
def lcm(input: Tensor, other: Tensor) -> Tensor:
    """The least common multiple"""
    need_tensors("lcm", input=input, other=other)
    refuse("lcm_cpu", input, other, kinds="bfV")
    return plain(np.lcm, input, other)
