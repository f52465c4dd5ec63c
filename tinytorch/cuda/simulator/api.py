"""The `cuda` that a kernel sees here: the same names as `numba.cuda`, each told from which line it is called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.cuda import seam
from tinytorch.cuda.simulator import arithmetic, randoms
from tinytorch.cuda.simulator.memory import Addresses, Array
from tinytorch.cuda.simulator.runtime import Runtime
from tinytorch.cuda.simulator.threads import Scheduler, Thread, Wait

FULL = 0xFFFFFFFF
STATIC_SHARED = 48 * 1024  # bytes of shared memory that a block gets without asking for more
_ARITHMETIC = ("fma", "popc", "brev", "clz", "ffs", "cbrt")


class StopLaunch(Exception):
    """The launch cannot go on; what is wrong has been noted."""


class Cuda:
    """Stands in for the module `numba.cuda` inside a kernel."""

    warpsize = 32

    def __init__(self, runtime: Runtime, addresses: Addresses, dynamic_shared: int):
        self.runtime, self.addresses, self.dynamic_bytes = runtime, addresses, dynamic_shared
        self.scheduler: Scheduler  # set by the launch
        self.blockDim, self.gridDim = runtime.shape.block, runtime.shape.grid
        self.fp16 = arithmetic.Half()
        self.shared: dict[Any, Array] = {}  # of the block that runs
        self.kept: dict[Any, list[tuple[Any, list[Any]]]] = {}  # of the blocks before
        self.bases: dict[Any, int] = {}
        self.shared_bytes = dynamic_shared
        self.constants: dict[int, tuple[np.ndarray, Array]] = {}
        for name in _ARITHMETIC:
            setattr(self, name, getattr(arithmetic, name))

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the simulator does not know cuda.{name.replace('_', '.', 1)}")

    def begin_block(self, number: int) -> None:
        for key, array in self.shared.items():
            kept = self.kept.setdefault(key, [])
            kept.append((self.blockIdx, array.data))
            del kept[:-4]
        self.shared = {}
        self.blockIdx = self.runtime.shape.block_at(number)

    def begin_turn(self, thread: Thread) -> None:
        self.threadIdx, self.laneid, self.thread = thread.position, thread.lane, thread

    # where a thread is

    def grid(self, ndim: int) -> int | tuple[int, ...]:
        place = [b * d + t for b, d, t in zip(self.blockIdx, self.blockDim, self.threadIdx, strict=True)]
        return place[0] if ndim == 1 else tuple(place[:ndim])

    def gridsize(self, ndim: int) -> int | tuple[int, ...]:
        size = [g * d for g, d in zip(self.gridDim, self.blockDim, strict=True)]
        return size[0] if ndim == 1 else tuple(size[:ndim])

    def lanemask_lt(self, code: int) -> int:
        return (1 << self.laneid) - 1

    # memory

    def shared_array(self, shape: Any, dtype: Any, code: int) -> Array:
        """The block's array of this line; all of the dynamic memory where the shape is 0."""
        kind = seam.numpy_dtype(dtype)
        dynamic = shape == 0
        key = ("dynamic", kind) if dynamic else code
        if key in self.shared:
            return self.shared[key]
        if dynamic:
            shape = self.dynamic_bytes // kind.itemsize
        shape = shape if isinstance(shape, tuple) else (int(shape),)
        if key not in self.bases:
            count = int(np.prod(shape))
            self.bases[key] = self.addresses.take("shared", kind.itemsize, count)
            if not dynamic:
                self._take_shared(code, count * kind.itemsize)
        name = self.runtime.site(code).text or "shared memory"
        array = Array(self.runtime, name, "shared", kind, shape, base=self.bases[key], earlier=self.kept.get(key))
        self.shared[key] = array
        self.runtime.regions[array.base] = [array]
        return array

    def _take_shared(self, code: int, size: int) -> None:
        self.shared_bytes += size
        if self.shared_bytes > STATIC_SHARED:
            self.runtime.find(
                "shared-limit", code, self.runtime.site(code).text or None, None,
                f"the block now asks for {self.shared_bytes:,} bytes of shared memory, and gets at most "
                f"{STATIC_SHARED:,}. Use smaller tiles, or a narrower dtype.",
            )  # fmt: skip
            raise StopLaunch

    def local_array(self, shape: Any, dtype: Any) -> Array:
        shape = shape if isinstance(shape, tuple) else (int(shape),)
        return Array(self.runtime, "local array", "local", seam.numpy_dtype(dtype), shape)

    def const_array_like(self, array: Any) -> Array:
        return array if isinstance(array, Array) else self.constant(np.asarray(array), "constant array")

    def constant(self, array: np.ndarray, name: str) -> Array:
        """Constant memory with the values that `array` has now."""
        held = self.constants.get(id(array))
        if held is None:
            values = arithmetic.as_values(np.ascontiguousarray(array).reshape(-1))
            made = Array(self.runtime, name, "const", array.dtype, array.shape, data=values)
            held = self.constants[id(array)] = (array, made)
        return held[1]

    # barriers and fences

    def syncthreads(self, code: int) -> None:
        self.scheduler.wait(Wait("barrier", code, "syncthreads"))

    def syncthreads_count(self, predicate: Any, code: int) -> int:
        return self.scheduler.wait(Wait("barrier", code, "syncthreads_count", values=(predicate,)))

    def syncthreads_and(self, predicate: Any, code: int) -> int:
        return self.scheduler.wait(Wait("barrier", code, "syncthreads_and", values=(predicate,)))

    def syncthreads_or(self, predicate: Any, code: int) -> int:
        return self.scheduler.wait(Wait("barrier", code, "syncthreads_or", values=(predicate,)))

    def threadfence(self, code: int) -> None:
        self.thread.fenced = True

    threadfence_block = threadfence_system = threadfence

    def nanosleep(self, nanoseconds: int, code: int) -> None:
        self.scheduler.wait(Wait("turn", code))

    # across a warp

    def syncwarp(self, *arguments: int) -> None:
        *mask, code = arguments
        self.scheduler.wait(Wait("warp", code, "syncwarp", int(mask[0]) & FULL if mask else FULL))

    def activemask(self, code: int) -> int:
        return self.scheduler.wait(Wait("active", code, "activemask"))

    @staticmethod
    def selp(predicate: Any, if_true: Any, if_false: Any) -> Any:
        return if_true if predicate else if_false

    # random numbers

    def _random(self, draw: Callable[[tuple[int, int]], tuple[Any, tuple[int, int]]], states: Array, index: int,
                code: int) -> Any:  # fmt: skip
        value, state = draw(states.read(index, code))
        self.runtime.values(state[0])
        states.data[states.offset + int(index) * states.strides[0]] = state
        return value


def _warp_operation(name: str) -> Callable[..., Any]:
    def operation(self: Cuda, mask: int, *arguments: Any) -> Any:
        *values, code = arguments
        return self.scheduler.wait(Wait("warp", code, name, int(mask) & FULL, tuple(values)))

    return operation


def _random_operation(name: str) -> Callable[..., Any]:
    draw = getattr(randoms, name)
    return lambda self, states, index, code: self._random(draw, states, index, code)


for _name in ("shfl_sync", "shfl_up_sync", "shfl_down_sync", "shfl_xor_sync", "all_sync", "any_sync", "eq_sync",
              "ballot_sync", "match_any_sync", "match_all_sync"):  # fmt: skip
    setattr(Cuda, _name, _warp_operation(_name))
for _name in ("next", "uniform_float32", "uniform_float64", "normal_float32", "normal_float64"):
    setattr(Cuda, f"random_xoroshiro128p_{_name}", _random_operation(_name))
