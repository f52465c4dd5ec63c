"""Is an answer the expected one? And if not: what is the difference, in words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np

from tinytorch.course.wire import Thing


@dataclass(frozen=True)
class Difference:
    """The first difference between two values."""

    kind: str  # wrong | type
    words: str  # "" where showing both values says it all


def difference(expected: Any, got: Any, rtol: float = 1e-6, atol: float = 1e-9) -> Difference | None:
    """None where `got` equals `expected`: same structure, dtypes and shapes, values within the tolerance, NaN = NaN.

    >>> difference((1.0, 2.0), (1.0, 2.0)) is None
    True
    >>> difference((1.0, 2.0), [1.0, 2.0]).words
    'a list where a tuple is expected'
    """
    if _is_array(expected) or _is_array(got):
        return _arrays(expected, got, rtol, atol)
    if _is_number(expected) and _is_number(got):
        near = got == expected or abs(got - expected) <= atol + rtol * abs(expected) < inf
        return None if near or (got != got and expected != expected) else Difference("wrong", "")
    if type(expected) is not type(got):
        return Difference("type", f"{_a(got)} where {_a(expected)} is expected")
    if isinstance(expected, list | tuple):
        if len(expected) != len(got):
            return Difference("wrong", f"{len(got)} entries, expected {len(expected)}")
        return _first(((f"entry {i}", e, g) for i, (e, g) in enumerate(zip(expected, got, strict=True))), rtol, atol)
    if isinstance(expected, dict):
        if set(expected) != set(got):
            return Difference("wrong", f"has {sorted(map(str, got))}, expected {sorted(map(str, expected))}")
        return _first(((str(key), expected[key], got[key]) for key in expected), rtol, atol)
    return None if expected == got and not isinstance(got, Thing) else Difference("wrong", "")


def _first(pairs: Any, rtol: float, atol: float) -> Difference | None:
    for name, expected, got in pairs:
        found = difference(expected, got, rtol, atol)
        if found is not None:
            return Difference(found.kind, f"{name}: {found.words}" if found.words else f"{name} differs")
    return None


def _arrays(expected: Any, got: Any, rtol: float, atol: float) -> Difference | None:
    if not (_is_array(expected) and _is_array(got)):
        return Difference("type", f"{_a(got)} where {_a(expected)} is expected")
    e, g = np.asarray(expected), np.asarray(got)
    if e.shape != g.shape:
        return Difference("wrong", f"shape {g.shape}, expected {e.shape}")
    if e.dtype != g.dtype:
        return Difference("wrong", f"dtype {g.dtype}, expected {e.dtype}")
    exact = e.dtype.kind in "bui"
    wide = np.float64 if not exact else e.dtype
    near = e == g if exact else np.isclose(g.astype(wide), e.astype(wide), rtol=rtol, atol=atol, equal_nan=True)
    if near.all():
        return None
    if e.ndim == 0 or e.size <= 6:
        return Difference("wrong", "")
    at = tuple(int(i) for i in np.argwhere(~near)[0])
    count = int((~near).sum())
    place = f"at [{', '.join(map(str, at))}] {g[at]:.6g} instead of {e[at]:.6g}"
    return Difference("wrong", f"{place}; {count} of {e.size} elements differ")


def _is_array(value: Any) -> bool:
    """Arrays and NumPy's scalars: NumPy itself turns a 0-d result into a scalar."""
    return isinstance(value, np.ndarray | np.generic)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _a(value: Any) -> str:
    name = "None" if value is None else value.name if isinstance(value, Thing) else type(value).__name__
    if value is None or name == "ndarray":
        return "an array" if name == "ndarray" else name
    return f"{'an' if name[:1].lower() in 'aeio' else 'a'} {name}"


def show(value: Any) -> str:
    """A value in one line, as it is shown to a learner: numbers to six digits, large arrays shortened."""
    if isinstance(value, Thing):
        return f"an object of type {value.name}"
    if isinstance(value, np.generic):
        value = np.asarray(value)
    if isinstance(value, np.ndarray):
        with np.printoptions(precision=6, threshold=20, edgeitems=2, linewidth=100, suppress=True):
            text = re.sub(r"\s*\n\s*", " ", repr(value))
        return f"{text} of shape {value.shape}" if value.size > 20 else text
    if isinstance(value, tuple):
        return f"({', '.join(map(show, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, list):
        return f"[{', '.join(map(show, value[:12]))}{', ...' if len(value) > 12 else ''}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {show(held)}" for key, held in value.items()) + "}"
    text = f"{value:.10g}" if isinstance(value, float) and value == value and abs(value) < 1e300 else repr(value)
    return text if len(text) <= 300 else f"{text[:300]}..."


def show_call(name: str, case: dict[str, Any]) -> str:
    """`unbroadcast(grad of shape (2, 3), (3,))`: small values are shown, large arrays by their shape."""
    shown = []
    for key, value in case.items():
        if isinstance(value, np.ndarray) and value.size > 6:
            shown.append(f"{key} of shape {value.shape}")
        else:
            shown.append(show(value) if isinstance(value, tuple) else f"{key}={show(value)}")
    return f"{name}({', '.join(shown)})"
