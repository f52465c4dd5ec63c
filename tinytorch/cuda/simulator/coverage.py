"""After a launch: elements of an output that no thread wrote, and results made from memory that nobody wrote.

Many correct kernels write only part of an array: the inside of a stencil, a one-hot row, the first `n` elements. So
elements count as forgotten only where the output held NaN, as a checker fills it, or where the written part begins
at the first element and stops short of the end, as it does when the grid is too small.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.cuda.simulator.arithmetic import is_poison
from tinytorch.cuda.simulator.buffers import Buffer
from tinytorch.cuda.simulator.diagnoses import Diagnosis, cell
from tinytorch.cuda.simulator.memory import Array
from tinytorch.cuda.simulator.runtime import Runtime
from tinytorch.cuda.simulator.sites import OFFSET, WRITE
from tinytorch.cuda.simulator.table import Table


class Coverage:
    """Remembers of each global element whether it was read, written or updated by an atomic."""

    def __init__(self, buffers: list[Buffer]):
        self.touched = {buffer.base: np.zeros((3, len(buffer.data)), bool) for buffer in buffers}
        self.bases = np.array(sorted(self.touched, key=lambda base: base & OFFSET), np.int64)
        self.writer: dict[int, int] = {}  # base -> a site that writes there

    def add(self, table: Table) -> None:
        if not len(self.bases):
            return
        table = table.rows(table.is_access & ~table.is_shared)
        place = np.searchsorted(self.bases & OFFSET, table.address & OFFSET, side="right") - 1
        for number in np.unique(place):
            base = int(self.bases[number])
            rows = table.rows(place == number)
            self.touched[base][rows.kind, rows.address - base] = True
            writing = rows.site[rows.kind == WRITE]
            if len(writing):
                self.writer.setdefault(base, int(writing[0]))

    def written(self) -> set[int]:
        return {base for base, (_, writes, atomics) in self.touched.items() if writes.any() or atomics.any()}


def forgotten(coverage: Coverage, array: Array, original: np.ndarray, scalars: list[Any]) -> tuple[int, ...] | None:
    """The index of the first element that a launch should have written to `array`, and did not."""
    reads, writes, atomics = (flags[places(array)] for flags in coverage.touched[array.base])
    if not writes.any() or atomics.any() or writes.all() or original.dtype.kind == "V":
        return None
    missing = ~writes
    if original.dtype.kind == "f" and (missing & np.isnan(original)).any() and not np.isnan(original[reads]).any():
        return first(missing & np.isnan(original))
    if (reads & missing).any():
        return None
    for axis, size in enumerate(array.shape):
        there = np.flatnonzero(writes.any(axis=tuple(other for other in range(array.ndim) if other != axis)))
        if there[0] != 0:
            return None
        end = int(there[-1]) + 1
        told = end in scalars or end * int(np.prod(array.shape[axis + 1 :])) in scalars
        if end < size and len(there) == end and not told:
            box = writes[tuple(slice(end if other == axis else None) for other in range(axis + 1))]
            return first(missing) if box.mean() > 0.5 else None
    return None


def places(array: Array) -> np.ndarray:
    """Where each element of `array` lies in its buffer."""
    result = np.full(array.shape, array.offset)
    for axis, (size, stride) in enumerate(zip(array.shape, array.strides, strict=True)):
        result += (np.arange(size) * stride).reshape([-1 if a == axis else 1 for a in range(array.ndim)])
    return result


def first(mask: np.ndarray) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(mask)[0])


def tell_forgotten(
    runtime: Runtime, coverage: Coverage, array: Array, original: np.ndarray, scalars: list[Any]
) -> None:
    index = forgotten(coverage, array, original, scalars)
    if index is None:
        return
    site = runtime.program.sites.all[coverage.writer[array.base]]
    written = int(coverage.touched[array.base][WRITE][places(array)].sum())
    shape = runtime.shape
    runtime.findings.add(Diagnosis(
        "unwritten",
        f"{array.name} has {array.size} elements, and the launch wrote {written}; the first one left out is "
        f"{cell(array.name, index)}. The grid has {shape.blocks} x {shape.threads} = {shape.blocks * shape.threads} "
        "threads: launch enough blocks (round up: (n + threads - 1) // threads), loop with stride cuda.gridsize(1), "
        "or look at the guard.",
        site.file, site.line, array=array.name, index=index,
    ))  # fmt: skip


def tell_poisoned(runtime: Runtime, array: Array, result: np.ndarray) -> None:
    """A result that was computed from a lane that took no part in a shuffle."""
    if result.dtype.kind != "f" or result.dtype.itemsize > 8:
        return
    bad = is_poison(np.ascontiguousarray(result).reshape(-1)).reshape(result.shape)
    known = {"uninitialized-read", "stale-shared", "out-of-bounds", "negative-index", "shared-race"}
    shuffle = next((s for s in runtime.program.sites.all if s.text.startswith("shfl")), None)
    if not bad.any() or shuffle is None or known & {found.kind for found in runtime.findings.all()}:
        return
    index = first(bad)
    runtime.findings.add(Diagnosis(
        "uninitialized-read",
        f"{cell(array.name, index)} was computed from what cuda.{shuffle.text} in line {shuffle.line} took from a "
        "lane that does not take part (it ended, or the block has no such thread). Launch whole warps, and let every "
        "lane take part with a neutral value.",
        shuffle.file, shuffle.line, array=array.name, index=index,
    ))  # fmt: skip
