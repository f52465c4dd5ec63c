"""Arrays as a kernel sees them: a flat list of values with a shape, whose accesses are checked and logged."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from tinytorch.cuda.simulator.arithmetic import caster, poison
from tinytorch.cuda.simulator.diagnoses import cell
from tinytorch.cuda.simulator.infer import ArrayType
from tinytorch.cuda.simulator.sites import NEXT_SITE, SHARED_BIT, SIZE_SHIFT

if TYPE_CHECKING:
    from tinytorch.cuda.simulator.runtime import Runtime

# What `a[i, j]` does, for one shape: `{inside}` is `0 <= i0 < 64 and 0 <= i1 < 32`, `{place}` is `i0 * 32 + i1`.
_ACCESS = """
def make(array, data, log, values, scalar, cast, address, offset):
    address += offset
    def read({index}, code):
        if {inside}:
            place = {place}
            value = data[offset + place]
            log(code + address + place)
            return value if value is not None else array.unwritten(offset + place, ({index},), code)
        return array.outside(({index},), code)
    def write(value, {index}, code):
        if {inside}:
            place = {place}
            if type(value) is not scalar:
                value = cast(value)
            data[offset + place] = value
            log(code + address + place)
            values(value)
        else:
            array.outside(({index},), code, value)
    return read, write
"""


@lru_cache(4096)
def _maker(shape: tuple[int, ...], strides: tuple[int, ...]) -> Callable[..., tuple[Callable, Callable]]:
    """Compiles the reader and writer of one shape; the numbers stand in the code, so they cost no look-up."""
    names = [f"i{axis}" for axis in range(len(shape))]
    inside = " and ".join(f"0 <= {name} < {size}" for name, size in zip(names, shape, strict=True))
    place = " + ".join(
        name if stride == 1 else f"{name} * {stride}" for name, stride in zip(names, strides, strict=True)
    )
    namespace: dict[str, Any] = {}
    exec(_ACCESS.format(index=", ".join(names), inside=inside, place=place), namespace)
    return namespace["make"]


def forget(_: Any) -> None:
    """The log of memory that belongs to one thread, or that never changes: no other thread can interfere."""


class Array:
    """An array inside a kernel. `read1(i, code) ... read4(i, j, k, l, code)` and `write1(value, i, code) ...` are
    made to measure; slices, rows and tuples as an index go through `read` and `write`.
    """

    def __init__(
        self,
        runtime: Runtime,
        name: str,
        space: str,
        dtype: np.dtype,
        shape: tuple[int, ...],
        strides: tuple[int, ...] | None = None,
        offset: int = 0,
        base: int = 0,
        data: list[Any] | None = None,
        earlier: list[tuple[Any, list[Any]]] | None = None,
    ):
        self.runtime, self.name, self.space, self.dtype, self.shape = runtime, name, space, dtype, shape
        self.ndim, self.size = len(shape), math.prod(shape)
        self.strides = contiguous(shape) if strides is None else strides
        self.offset, self.base = offset, base
        self.data: list[Any] = [None] * self.size if data is None else data
        self.earlier = earlier or []  # the same shared memory in the blocks that ran before
        logged = space in ("global", "shared")
        self.scalar = dtype.type if dtype.kind in "fc" else bool if dtype.kind == "b" else None
        self.cast = caster(dtype)
        if 1 <= self.ndim <= 4:
            reader, writer = _maker(shape, self.strides)(
                self, self.data, runtime.log if logged else forget, runtime.values if logged else forget,
                self.scalar, self.cast, base, offset,
            )  # fmt: skip
            setattr(self, f"read{self.ndim}", reader)
            setattr(self, f"write{self.ndim}", writer)

    @property
    def type(self) -> ArrayType:
        return ArrayType(self.dtype, self.ndim, self.space)

    @property
    def T(self) -> Array:
        return self._view(self.shape[::-1], self.strides[::-1], self.offset)

    def __len__(self) -> int:
        return self.shape[0]

    def _view(self, shape: tuple[int, ...], strides: tuple[int, ...], offset: int) -> Array:
        return Array(
            self.runtime, self.name, self.space, self.dtype, shape, strides, offset, self.base, self.data, self.earlier
        )

    # any index

    def read(self, key: Any, code: int) -> Any:
        key = key if isinstance(key, tuple) else (key,)
        if len(key) < self.ndim or any(isinstance(part, slice) for part in key):
            return self.part(key, code)
        if 1 <= self.ndim <= 4:
            return getattr(self, f"read{self.ndim}")(*key, code)
        return self._element(key, code).read1(0, code)

    def write(self, value: Any, key: Any, code: int) -> None:
        key = key if isinstance(key, tuple) else (key,)
        if len(key) < self.ndim or any(isinstance(part, slice) for part in key):
            part = self.part(key, code)
            for index in np.ndindex(*part.shape):
                part.write(value.read(index, code + NEXT_SITE) if isinstance(value, Array) else value, index, code)
        elif 1 <= self.ndim <= 4:
            getattr(self, f"write{self.ndim}")(value, *key, code)
        else:
            self._element(key, code).write1(value, 0, code)

    def part(self, key: tuple[Any, ...], code: int) -> Array:
        """A slice or a row: the same memory, seen with another shape."""
        if len(key) > self.ndim:
            raise IndexError(f"{self.name} has {self.ndim} dimensions, but is indexed with {len(key)}")
        shape, strides, offset = [], [], self.offset
        for axis, size in enumerate(self.shape):
            index = key[axis] if axis < len(key) else slice(None)
            if isinstance(index, slice):
                start, stop, step = index.indices(size)
                shape.append(len(range(start, stop, step)))
                strides.append(self.strides[axis] * step)
            else:
                if not 0 <= index < size:
                    index = self._wrapped(key, axis, code)
                start = index
            offset += start * self.strides[axis]
        return self._view(tuple(shape), tuple(strides), offset)

    def _element(self, key: tuple[int, ...], code: int) -> Array:
        """One element of an array with no or many dimensions, as an array of one."""
        rest = self.part(key, code)
        return rest._view((1,), (1,), rest.offset)

    # mistakes

    def _wrapped(self, key: tuple[Any, ...], axis: int, code: int) -> int:
        size, index = self.shape[axis], int(key[axis])
        shown = tuple(part if isinstance(part, slice) else int(part) for part in key)
        if -size <= index < 0:
            self.runtime.find(
                "negative-index", code, self.name, shown,
                f"index {index} is negative: Numba counts it from the end ({self.name}[{index + size}]), CUDA C would "
                "touch memory before the array. Guard it with `if i >= 0`, or clamp it.",
            )  # fmt: skip
            return index + size
        axis_name = f" in dimension {axis}" if self.ndim > 1 else ""
        self.runtime.find(
            "negative-index" if index < 0 else "out-of-bounds", code, self.name, shown,
            f"{cell(self.name, shown)} lies outside{axis_name}: the size is {size}, the last index {size - 1}. "
            + (f"Guard the access: `if i < {self.name}.shape[{axis}]`." if index >= 0 else
               "Guard the access: `if i >= 0`."),
        )  # fmt: skip
        return -1

    def outside(self, key: tuple[Any, ...], code: int, *written: Any) -> Any:
        """An access that is out of bounds: told, and then harmless (nothing is written, poison is read)."""
        fixed = [
            index if 0 <= index < size else self._wrapped(key, axis, code)
            for axis, (index, size) in enumerate(zip(key, self.shape, strict=True))
        ]
        if -1 in fixed:
            return None if written else poison(self.dtype)
        return self.write(written[0], tuple(fixed), code) if written else self.read(tuple(fixed), code)

    def unwritten(self, place: int, index: tuple[int, ...], code: int) -> Any:
        """A read of an element that nobody wrote in this block."""
        self.runtime.read_unwritten(self, place, tuple(map(int, index)), code)
        return poison(self.dtype)


def contiguous(shape: tuple[int, ...]) -> tuple[int, ...]:
    """
    >>> contiguous((4, 3, 2))
    (6, 2, 1)
    """
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


class Addresses:
    """Hands out address ranges, so that an address alone tells the array; each starts at a 128-byte line."""

    def __init__(self) -> None:
        self.next = {"global": 0, "shared": 0}

    def take(self, space: str, itemsize: int, elements: int) -> int:
        """The first address of a range: elements are numbered one by one, the size of one stands in the high bits."""
        first = self.next[space]
        self.next[space] = first + (elements + 255) // 256 * 256
        size = max(itemsize - 1, 0).bit_length()
        return first | size << SIZE_SHIFT | (SHARED_BIT if space == "shared" else 0)
