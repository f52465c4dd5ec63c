"""Atomic operations: read, change and write one element in one step, and give back what was there.

They also carry order: what a thread wrote before `cuda.threadfence()` and an atomic is seen by a thread that
afterwards does an atomic at the same place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinytorch.cuda.simulator.api import Cuda
from tinytorch.cuda.simulator.memory import Array


def _nan(value: Any) -> bool:
    return bool(value != value)


OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda old, value: old + value,
    "sub": lambda old, value: old - value,
    "and_": lambda old, value: old & value,
    "or_": lambda old, value: old | value,
    "xor": lambda old, value: old ^ value,
    "inc": lambda old, limit: 0 if old >= limit else old + 1,
    "dec": lambda old, limit: limit if old == 0 or old > limit else old - 1,
    "exch": lambda old, value: value,
    "max": lambda old, value: old if _nan(old) or old > value else value,
    "min": lambda old, value: old if _nan(old) or old < value else value,
    "nanmax": lambda old, value: value if _nan(old) or value > old else old,
    "nanmin": lambda old, value: value if _nan(old) or value < old else old,
}


def _apply(self: Cuda, array: Array, index: Any, code: int, change: Callable[[Any], Any]) -> Any:
    key = index if isinstance(index, tuple) else (index,)
    if len(key) != array.ndim:
        raise IndexError(f"{array.name} has {array.ndim} dimensions, but the atomic's index has {len(key)}")
    place = array.offset
    for position, size, stride in zip(key, array.shape, array.strides, strict=True):
        if not 0 <= position < size:
            return array.outside(key, code)
        place += int(position) * stride
    if array.space in ("global", "shared"):
        address = array.base + place
        self.runtime.log(code + address)
        hand_over(self, address)
    old = array.data[place]
    if old is None:
        old = array.unwritten(place, key, code)
    array.data[place] = array.cast(change(old))
    return old


def hand_over(self: Cuda, address: int) -> None:
    """Receives the order that earlier atomics at `address` carried, and hands on what this thread has fenced."""
    runtime = self.runtime
    me = (runtime.block, runtime.thread)
    handed = runtime.handed.get(address)
    if handed:
        runtime.seen.setdefault(me, set()).update(handed)
    if self.thread.fenced:
        runtime.handed.setdefault(address, set()).update({me, *runtime.seen.get(me, ())})


def _operation(change: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def operation(self: Cuda, array: Array, index: Any, value: Any, code: int) -> Any:
        value = array.cast(value)
        return _apply(self, array, index, code, lambda old: change(old, value))

    return operation


def atomic_cas(self: Cuda, array: Array, index: Any, expected: Any, value: Any, code: int) -> Any:
    return _apply(self, array, index, code, lambda old: value if old == expected else old)


def atomic_compare_and_swap(self: Cuda, array: Array, expected: Any, value: Any, code: int) -> Any:
    return atomic_cas(self, array, (0,) * array.ndim, expected, value, code)


for _name, _change in OPERATIONS.items():
    setattr(Cuda, f"atomic_{_name}", _operation(_change))
for _function in (atomic_cas, atomic_compare_and_swap):
    setattr(Cuda, _function.__name__, _function)
