"""Which type every expression of a kernel has, by Numba's rules.

Numba compiles a kernel for the types of its arguments, and a float literal is a float64: `acc = 0.0` makes a
whole loop run in double precision, 32 to 64 times slower on most GPUs. To tell that, and to round every
operation as the GPU will, the simulator walks over the statements once before the kernel runs.

Scalars have one of the names below. The float64 kinds say where the double precision came from, because only
the unwanted ones are worth a word: "literal64" (a literal, `float()`, a division of ints), "array64" (an element
of a float64 array), "caller64" (a Python float among the arguments) and "float64" (asked for by name).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinytorch.cuda import seam
from tinytorch.cuda.simulator.arithmetic import EXACT, ROUNDED

SMALL = {"bool", "small"}  # up to 16 bits: mixed with a float32 they stay float32
INTS = SMALL | {"int", "uint"}
FLOATS = {"float16", "float32"}
DOUBLES = {"float64", "literal64", "array64", "caller64"}
_RANK = ("bool", "small", "int", "uint", "float16", "float32", "caller64", "array64", "literal64", "float64", "complex")


Names = dict[str, Any]  # the types of the variables at one point of a kernel


@dataclass(frozen=True)
class ArrayType:
    """An array of one dtype; `space` is global, shared, local or const."""

    dtype: np.dtype
    ndim: int
    space: str


@dataclass(frozen=True)
class TupleType:
    items: tuple[Any, ...]


class Known:
    """A value known before the kernel runs: a module, a function, a type, a global constant."""

    def __init__(self, value: Any):
        self.value = value


def of_dtype(dtype: np.dtype, double: str = "float64") -> str | None:
    """The name of a dtype's elements; None for records."""
    if dtype.kind == "f":
        return double if dtype.itemsize == 8 else dtype.name
    if dtype.kind in "iu":
        return "small" if dtype.itemsize <= 2 else "uint" if dtype.name == "uint64" else "int"
    return {"b": "bool", "c": "complex"}.get(dtype.kind)


def of_value(value: Any, double: str = "literal64") -> Any:
    """The type of a value that is known: a global, or an argument of the launch."""
    if isinstance(value, bool | np.bool_):
        return "bool"
    if isinstance(value, np.generic):
        return of_dtype(value.dtype)
    if isinstance(value, int):
        return "int"
    if isinstance(value, float):
        return double
    if isinstance(value, complex):
        return "complex"
    if isinstance(value, tuple):
        return TupleType(tuple(of_value(item, double) for item in value))
    if isinstance(value, np.ndarray):
        return ArrayType(value.dtype, value.ndim, "const")
    return Known(value)


def unify(a: Any, b: Any) -> Any:
    """The type of a variable that may hold either: an int and a float32 meet in a float64, as in Numba."""
    if a == b:
        return a
    if isinstance(a, TupleType) and isinstance(b, TupleType) and len(a.items) == len(b.items):
        return TupleType(tuple(map(unify, a.items, b.items)))
    if a not in _RANK or b not in _RANK:
        return None
    return promote(a, b)


def promote(a: str, b: str) -> str:
    """The type in which Numba computes with an `a` and a `b`."""
    low, high = sorted((a, b), key=_RANK.index)
    if high in FLOATS and low in INTS - SMALL:
        return "literal64"
    return "int" if high in SMALL else high


def binary(left: Any, operator: str, right: Any) -> Any:
    """The type of `left operator right`; None where nothing is known."""
    if left not in _RANK or right not in _RANK:
        return None
    if left in INTS and right in INTS:
        return "literal64" if operator == "Div" else promote(left, right)
    if operator == "Pow" and left in FLOATS and right in INTS:
        return left
    return promote(left, right)


def call_type(name: str, arguments: list[Any], values: list[Any]) -> Any:
    """The type that the function `name` of `numba.cuda` gives; `values` are its arguments where they are known."""
    first = arguments[0] if arguments else None
    if name in ("grid", "gridsize"):
        size = values[0] if values else 1
        return "int" if size == 1 else TupleType(("int",) * size) if isinstance(size, int) else None
    if name in ("shared.array", "local.array"):
        dtype = seam.numpy_dtype(values[1]) if len(values) > 1 else None
        ndim = len(first.items) if isinstance(first, TupleType) else 1
        return ArrayType(dtype, ndim, name.partition(".")[0]) if dtype is not None else None
    if name == "const.array_like":
        return first
    if name.startswith("atomic."):
        return of_dtype(first.dtype, "array64") if isinstance(first, ArrayType) else None
    if name.startswith("fp16."):
        return "bool" if name[-2:] in ("eq", "ne", "lt", "le", "gt", "ge") else "float16"
    if name.startswith("shfl"):
        return arguments[1] if len(arguments) > 1 else None
    if name.startswith("random."):
        return {"float32": "float32", "float64": "float64"}.get(name.rpartition("_")[2], "uint")
    if name in ("fma", "selp"):
        found = arguments[1] if name == "selp" else first
        for other in arguments[2 if name == "selp" else 1 :]:
            found = unify(found, other)
        return found
    if name == "cbrt":
        return first if first in FLOATS else "float64"
    if name == "match_all_sync":
        return TupleType(("int", "bool"))
    return "bool" if name in ("any_sync", "all_sync", "eq_sync", "syncthreads_and", "syncthreads_or") else "int"


def builtin_type(name: str, arguments: list[Any]) -> Any:
    """The type that a builtin or `math` function gives; "range" for a range."""
    first = arguments[0] if arguments else None
    if name in ("int", "len", "ceil", "floor", "trunc", "round") and len(arguments) == 1:
        return "int"
    if name in EXACT or name == "bool":
        return "bool"
    if name in ("min", "max"):
        found = first
        for other in arguments[1:]:
            found = unify(found, other)
        return found
    if name in ("abs", "round"):
        return first
    if name == "pow":
        return binary(first, "Pow", arguments[1])
    if name in ROUNDED:
        kinds = [kind for kind in arguments if kind in _RANK]
        if len(kinds) < len(arguments):
            return None
        floats = [kind for kind in kinds if kind not in INTS] or ["literal64"]
        found = floats[0]
        for other in floats[1:]:
            found = promote(found, other)
        return found
    return "range" if name == "range" else None


def join(names: Names, other: Names) -> None:
    """After a branch: a variable is what it is on either way."""
    for name, kind in other.items():
        names[name] = unify(names[name], kind) if name in names else kind
