"""What all parts of one launch share: who runs now, the log of accesses, the findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from tinytorch.cuda.simulator.diagnoses import Diagnosis, Dim3, Findings, cell
from tinytorch.cuda.simulator.memory import Array
from tinytorch.cuda.simulator.sites import LOW, Site

if TYPE_CHECKING:
    from tinytorch.cuda.simulator.program import Program

WARP = 32


class Position(NamedTuple):
    """`threadIdx`, `blockIdx`, `blockDim` or `gridDim`."""

    x: int
    y: int
    z: int


@dataclass(frozen=True)
class Shape:
    """The shape of a launch, and the numbering of its blocks and threads: x runs fastest."""

    grid: Position
    block: Position

    @property
    def blocks(self) -> int:
        return self.grid.x * self.grid.y * self.grid.z

    @property
    def threads(self) -> int:
        return self.block.x * self.block.y * self.block.z

    @property
    def warps(self) -> int:
        return -(-self.threads // WARP)

    def block_at(self, number: int) -> Position:
        return position(number, self.grid)

    def thread_at(self, number: int) -> Position:
        return position(number, self.block)


def position(number: int, size: Position) -> Position:
    rest, x = divmod(int(number), size.x)
    z, y = divmod(rest, size.y)
    return Position(x, y, z)


@dataclass
class Unwritten:
    """A read of shared memory that had not been written yet when the thread came by."""

    array: Array
    place: int
    index: tuple[int, ...]
    code: int
    phase: int
    thread: int
    block: int


class Runtime:
    """The state of a launch while it runs."""

    def __init__(self, shape: Shape):
        self.shape = shape
        self.findings = Findings()
        self.program: Program  # set by the launch, which needs this object to build it
        self.marks: list[int] = []
        self.written_values: list[Any] = []
        self.log, self.values = self.marks.append, self.written_values.append
        # (length of the log, thread, block, phase, part of the phase) at each moment another thread goes on
        self.turns: list[tuple[int, int, int, int, int]] = []
        self.unwritten: list[Unwritten] = []
        self.regions: dict[int, list[Array]] = {}
        self.thread = self.block = 0
        self.phase = 0  # counts barriers over the whole launch: no two blocks share a phase
        # who has seen whose writes: an atomic after a fence hands on, an atomic at the same address receives
        self.handed: dict[int, set[tuple[int, int]]] = {}
        self.seen: dict[tuple[int, int], set[tuple[int, int]]] = {}

    def turn(self, thread: int, part: int) -> None:
        """From here on the log belongs to `thread`."""
        self.thread = thread
        self.turns.append((len(self.marks), thread, self.block, self.phase, part))

    def site(self, code: int) -> Site:
        return self.program.sites.at(code)

    def find(
        self, kind: str, code: int, array: str | None, index: tuple[Any, ...] | None, message: str,
        other_line: int | None = None, who: list[tuple[int, int]] | None = None,
    ) -> None:  # fmt: skip
        """Notes a mistake at the site `code`, by the (block, thread) pairs `who` or the thread that runs now."""
        site = self.site(code)
        pairs = who if who is not None else [(self.block, self.thread)]
        threads: tuple[Dim3, ...] = tuple(tuple(self.shape.thread_at(thread)) for _, thread in pairs)
        blocks: tuple[Dim3, ...] = tuple(tuple(self.shape.block_at(block)) for block, _ in pairs)
        told = f"line {site.line}"
        if pairs:
            told += f", thread {threads[0]} of block {blocks[0]}"
        self.findings.add(
            Diagnosis(kind, f"{told}: {message}", site.file, site.line, other_line, threads, blocks, array, index)
        )

    def read_unwritten(self, array: Array, place: int, index: tuple[int, ...], code: int) -> None:
        if array.space == "local":
            self.find(
                "uninitialized-read", code, array.name, index,
                f"{cell(array.name, index)} is read before this thread wrote it: local memory starts with "
                "whatever lay there. Write it first.",
            )  # fmt: skip
            return
        self.unwritten.append(Unwritten(array, place, index, code, self.phase, self.thread, self.block))

    def locate(self, address: int) -> tuple[str, tuple[int, ...]]:
        """The array and index at an address."""
        address &= LOW
        base = max((base for base in self.regions if base <= address), default=None)
        if base is None:
            return "?", ()
        place = address - base
        for array in self.regions[base]:
            index = index_of(array, place)
            if index is not None:
                return array.name, index
        return self.regions[base][0].name, (place,)


def index_of(array: Array, place: int) -> tuple[int, ...] | None:
    """The index of the element at `place` of the underlying memory; None where the array has none there."""
    rest = place - array.offset
    index = [0] * array.ndim
    for axis in sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis])):
        stride = array.strides[axis]
        if stride == 0 or array.shape[axis] == 1:
            continue
        index[axis] = min(max(rest // stride, 0), array.shape[axis] - 1)
        rest -= index[axis] * stride
    return tuple(index) if rest == 0 else None
