"""Every operation on every pair of dtypes, and on numbers: value, dtype, and who refuses what."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinytorch
from tests.oracle import torch

words = str.split

DTYPES = words("float16 bfloat16 float32 float64 uint8 int8 int16 int32 int64 bool")
NUMBERS = {
    "f": [1.5, -2.5, 0.0, 3.25, -0.5, 7.0],
    "i": [1, -3, 0, 5, -7, 2],
    "u": [1, 3, 0, 5, 200, 2],
    "b": [True, False, False, True, True, False],
}
SCALARS = (2, -1, 2.5, True, 0, 300)
UNARY = words(
    "abs acos acosh asin asinh atan atanh ceil cos cosh deg2rad rad2deg erf erfc erfinv exp exp2 expm1 floor frac "
    "isfinite isinf isnan isneginf isposinf isreal log log10 log1p log2 logical_not bitwise_not logit nan_to_num neg "
    "positive reciprocal round rsqrt sgn sigmoid sign signbit sin sinc sinh sqrt square tan tanh trunc relu"
)
BINARY = words(
    "add sub mul div floor_divide remainder fmod pow float_power "
    "eq ne lt le gt ge maximum minimum fmax fmin atan2 hypot "
    "logaddexp logaddexp2 xlogy copysign bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift "
    "logical_and logical_or logical_xor isclose equal allclose heaviside gcd lcm rsub"
)
OPERATORS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<<": operator.lshift,
    ">>": operator.rshift,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
COVERS = [*UNARY, *BINARY, "result_type"]
IN_PLACE = {
    "+=": operator.iadd,
    "-=": operator.isub,
    "*=": operator.imul,
    "/=": operator.itruediv,
    "//=": operator.ifloordiv,
    "%=": operator.imod,
}
BOOL_POWERS = "PyTorch has a special case for bools to the power True"


def tensor(T: Any, dtype: str, start: int = 0) -> Any:
    kind = "f" if "float" in dtype else "u" if dtype == "uint8" else "b" if dtype == "bool" else "i"
    numbers = NUMBERS[kind][start:] + NUMBERS[kind][:start]
    return T.tensor(numbers).to(getattr(T, dtype))


def without_zeros(T: Any, dtype: str) -> Any:
    t = tensor(T, dtype, 1)
    return T.where(t == 0, T.ones_like(t), t)


def outcome(call: Callable[[Any], Any], T: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return call(T)
        except (RuntimeError, TypeError, OverflowError, ValueError) as error:
            return error


def difference(call: Callable[[Any], Any]) -> str | None:
    """What our result has that PyTorch's has not; None where they agree."""
    real, mine = outcome(call, torch), outcome(call, tinytorch)
    if isinstance(real, Exception) or isinstance(mine, Exception):
        return None if type(real) is type(mine) else f"torch: {real!r:.120}, here: {mine!r:.120}"
    if not isinstance(real, torch.Tensor):
        return None if real == mine else f"torch: {real}, here: {mine}"
    if repr(real.dtype) != repr(mine.dtype) or tuple(real.shape) != tuple(mine.shape):
        return f"torch: {real.dtype} {tuple(real.shape)}, here: {mine.dtype} {tuple(mine.shape)}"
    a, b = (np.array(t.tolist(), np.float64) for t in (real, mine))
    rtol = {"torch.float16": 1e-3, "torch.bfloat16": 8e-3}.get(str(real.dtype), 1e-6)
    return None if np.allclose(a, b, rtol=rtol, atol=1e-7, equal_nan=True) else f"torch: {a}, here: {b}"


def report(calls: dict[str, Callable[[Any], Any]]) -> None:
    found = {name: difference(call) for name, call in calls.items()}
    wrong = {name: what for name, what in found.items() if what is not None}
    assert not wrong, "\n".join(f"{name}: {what}" for name, what in wrong.items())


@pytest.mark.parametrize("name", UNARY)
def test_every_dtype(name: str) -> None:
    report({d: lambda T, d=d: getattr(T, name)(tensor(T, d)) for d in DTYPES})


@pytest.mark.parametrize("name", BINARY)
def test_every_pair_of_dtypes(name: str) -> None:
    calls: dict[str, Callable] = {}
    for d in DTYPES:
        for e in DTYPES:
            calls[f"{d}, {e}"] = lambda T, d=d, e=e: getattr(T, name)(tensor(T, d), tensor(T, e, 1))
            calls[f"{d}, {e} without zeros"] = lambda T, d=d, e=e: getattr(T, name)(tensor(T, d), without_zeros(T, e))
            calls[f"{d}, 0-d {e}"] = lambda T, d=d, e=e: getattr(T, name)(tensor(T, d), tensor(T, e, 1)[0])
    report(calls)


@pytest.mark.parametrize("name", BINARY)
def test_every_dtype_with_a_number(name: str) -> None:
    calls: dict[str, Callable] = {}
    for d in DTYPES:
        for s in SCALARS:
            if (name, d, s) != ("pow", "bool", True):  # see BOOL_POWERS
                calls[f"{d}, {s!r}"] = lambda T, d=d, s=s: getattr(T, name)(tensor(T, d), s)
            calls[f"{s!r}, {d}"] = lambda T, d=d, s=s: getattr(T, name)(s, tensor(T, d))
    report(calls)


@pytest.mark.parametrize("symbol", [*OPERATORS, *IN_PLACE])
def test_every_operator(symbol: str) -> None:
    op = {**OPERATORS, **IN_PLACE}[symbol]
    calls: dict[str, Callable] = {}
    for d in DTYPES:
        for s in (2, -1, 2.5, True, "a", None):
            if (symbol, d, s) == ("**", "bool", True):
                continue
            calls[f"{d} {symbol} {s!r}"] = lambda T, d=d, s=s: op(tensor(T, d), s)
            if symbol in OPERATORS:
                calls[f"{s!r} {symbol} {d}"] = lambda T, d=d, s=s: op(s, tensor(T, d))
        for e in DTYPES:
            calls[f"{d} {symbol} {e}"] = lambda T, d=d, e=e: op(tensor(T, d), tensor(T, e, 1))
    report(calls)


def test_result_type_of_every_pair() -> None:
    report(
        {
            f"{d} {e} {i} {j}": lambda T, d=d, e=e, i=i, j=j: repr(
                T.result_type(_cut(tensor(T, d), i), _cut(tensor(T, e), j))
            )
            for d in DTYPES
            for e in DTYPES
            for i in (0, 1)
            for j in (0, 1)
        }
    )
    report({f"{d} {s!r}": lambda T, d=d, s=s: repr(T.result_type(tensor(T, d), s)) for d in DTYPES for s in SCALARS})
    report({f"{s!r} {r!r}": lambda T, s=s, r=r: repr(T.result_type(s, r)) for s in SCALARS for r in SCALARS})


def _cut(t: Any, ndim: int) -> Any:
    return t if ndim else t[0]
