"""The arguments of a launch: arrays become lists of values in global memory, and are written back at the end."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from tinytorch.cuda.simulator.arithmetic import as_values
from tinytorch.cuda.simulator.memory import Addresses, Array


class Buffer:
    """A stretch of memory that one or several arguments look at (`x` and `x[1:]` share one)."""

    def __init__(self, dtype: np.dtype, low: int, high: int):
        self.dtype, self.low, self.high = dtype, low, high
        self.owners: list[np.ndarray] = []
        self.data: list[Any] = []
        self.base = 0

    def memory(self) -> np.ndarray:
        """The stretch itself, as a flat array on the arguments' own memory."""
        count = (self.high - self.low) // self.dtype.itemsize
        raw = (ctypes.c_char * (self.high - self.low)).from_address(self.low)
        return np.frombuffer(memoryview(raw), self.dtype, count)


class Arguments:
    """Turns arguments into what the kernel gets; `finish` brings the results back."""

    def __init__(self, runtime: Any, addresses: Addresses):
        self.runtime, self.addresses = runtime, addresses
        self.buffers: list[Buffer] = []
        self.arrays: list[tuple[Array, np.ndarray, Buffer]] = []
        self.device: list[tuple[Any, np.ndarray]] = []  # arrays on a real GPU, and their copies here

    def convert(self, names: list[str], values: tuple[Any, ...]) -> list[Any]:
        host = [self._host(value) for value in values]
        self._share([array for value in host for array in arrays_in(value)])
        return [self._argument(name, value) for name, value in zip(names, host, strict=True)]

    def _host(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(self._host, value))
        if hasattr(value, "copy_to_host"):
            copy = value.copy_to_host()
            self.device.append((value, copy))
            return copy
        return value

    def _share(self, arrays: list[np.ndarray]) -> None:
        """One buffer for all arrays that overlap in memory and have the same dtype."""
        spans = sorted(
            ((*np.lib.array_utils.byte_bounds(array), array) for array in arrays if array.size),
            key=lambda span: (span[2].dtype.str, span[0]),
        )
        for low, high, array in spans:
            last = self.buffers[-1] if self.buffers else None
            aligned = last is not None and (low - last.low) % array.dtype.itemsize == 0
            if last is not None and last.dtype == array.dtype and low < last.high and aligned:
                last.high = max(last.high, high)
            else:
                last = Buffer(array.dtype, low, high)
                self.buffers.append(last)
            last.owners.append(array)
        for buffer in self.buffers:
            buffer.data = as_values(buffer.memory())
            buffer.base = self.addresses.take("global", buffer.dtype.itemsize, len(buffer.data))

    def _argument(self, name: str, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return self._array(name, value)
        if isinstance(value, tuple):
            return tuple(self._argument(f"{name}[{place}]", item) for place, item in enumerate(value))
        if isinstance(value, bool | np.bool_):
            return bool(value)
        if isinstance(value, int | np.integer):
            return int(value)
        if isinstance(value, float):
            return np.float64(value)
        if isinstance(value, complex | np.generic):
            return value
        raise TypeError(
            f"argument {name!r} of the kernel is a {type(value).__name__}: "
            "pass arrays, numbers, or tuples of them (Numba takes nothing else)"
        )

    def _array(self, name: str, value: np.ndarray) -> Array:
        if value.dtype.kind not in "fciubV" or value.dtype.hasobject:
            raise TypeError(f"argument {name!r} has dtype {value.dtype}, which a GPU cannot hold")
        if not value.size:
            return Array(self.runtime, name, "global", value.dtype, value.shape)
        low = np.lib.array_utils.byte_bounds(value)[0]
        buffer = next(b for b in self.buffers if any(owner is value for owner in b.owners))
        itemsize = value.dtype.itemsize
        if any(stride % itemsize for stride in value.strides):
            raise TypeError(f"argument {name!r} has strides {value.strides}, no multiples of its {itemsize} bytes")
        strides = tuple(stride // itemsize for stride in value.strides)
        back = sum((size - 1) * -stride for size, stride in zip(value.shape, strides, strict=True) if stride < 0)
        offset = (low - buffer.low) // itemsize + back
        array = Array(self.runtime, name, "global", value.dtype, value.shape, strides, offset, buffer.base, buffer.data)
        self.arrays.append((array, value, buffer))
        return array

    def finish(self, written: set[int]) -> None:
        """Writes the buffers whose base address is in `written` back into the caller's arrays."""
        for buffer in self.buffers:
            if buffer.base not in written:
                continue
            for owner in buffer.owners:
                if not owner.flags.writeable:
                    names = [array.name for array, value, _ in self.arrays if value is owner]
                    raise ValueError(f"the kernel writes to {', '.join(names)}, which is read-only")
            buffer.memory()[:] = np.array(buffer.data, buffer.dtype)
        for original, copy in self.device:
            original.copy_to_device(copy)


def arrays_in(value: Any) -> list[np.ndarray]:
    """All arrays in an argument: itself, or those in a tuple."""
    if isinstance(value, tuple):
        return [array for item in value for array in arrays_in(item)]
    return [value] if isinstance(value, np.ndarray) else []
