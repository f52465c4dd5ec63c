"""The one place that touches `numba.cuda`: all that this package knows of Numba's names stands here.

Upstream is in maintenance mode. When its layout changes, this file changes, and no other.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
from numba import cuda, types
from numba.cuda import random as cuda_random
from numba.np.numpy_support import as_dtype

_NAMESPACES = ("shared", "local", "const", "atomic", "fp16", "cg")
_RANDOM = (
    "xoroshiro128p_next",
    "xoroshiro128p_uniform_float32",
    "xoroshiro128p_uniform_float64",
    "xoroshiro128p_normal_float32",
    "xoroshiro128p_normal_float64",
)
RANDOM_STATE = np.dtype([("s0", np.uint64), ("s1", np.uint64)], align=True)


def _names() -> dict[int, str]:
    """Every public object of `numba.cuda`, by its identity: `id(cuda.shared.array) -> "shared.array"`."""
    names = {id(cuda): ""}
    for name in dir(cuda):
        value = getattr(cuda, name)
        if name.startswith("_") or isinstance(value, ModuleType | int | str | float | bool):
            continue
        names[id(value)] = name
    for space in _NAMESPACES:
        owner = getattr(cuda, space, None)
        for name in dir(owner):
            if not name.startswith("_"):
                names[id(getattr(owner, name))] = f"{space}.{name}"
    for name in _RANDOM:
        names[id(getattr(cuda_random, name))] = f"random.{name}"
    names[id(cuda_random)] = "random"
    return names


_NAME_OF = _names()


def cuda_name(value: object) -> str | None:
    """The name of `value` inside `numba.cuda`, `""` for the module itself, None for anything else.

    >>> from numba import cuda
    >>> cuda_name(cuda.shared.array), cuda_name(cuda.syncthreads), cuda_name(print)
    ('shared.array', 'syncthreads', None)
    """
    return _NAME_OF.get(id(value))


def python_function(kernel: object) -> FunctionType | None:
    """The plain Python function behind `@cuda.jit`, `@njit` or nothing; None where there is none."""
    for attribute in ("py_func", "fn"):  # a compiled dispatcher; a kernel of Numba's own simulator
        inner = getattr(kernel, attribute, None)
        if isinstance(inner, FunctionType):
            return inner
    return kernel if isinstance(kernel, FunctionType) else None


def numpy_dtype(kind: object) -> np.dtype | None:
    """A Numba type, NumPy scalar class, dtype or its name as a dtype; None for anything else."""
    if isinstance(kind, types.Type):
        return as_dtype(kind) if isinstance(kind, types.Number | types.Boolean | types.Record) else None
    if isinstance(kind, np.dtype):
        return kind
    if isinstance(kind, str) or (isinstance(kind, type) and issubclass(kind, np.generic | int | float | complex)):
        return np.dtype(kind)
    return None


def is_available() -> bool:
    """Whether Numba can reach a real GPU."""
    return bool(cuda.is_available())


def jit(*arguments: Any, **options: Any) -> Callable:
    """Numba's `cuda.jit`."""
    return cuda.jit(*arguments, **options)
