"""Counts what a kernel costs: accesses, memory transactions of a warp, bank conflicts, divergent branches, FLOPs.

The lanes of a warp run one instruction together. Here the n-th time that each lane passes a line (between two
barriers) counts as one instruction of the warp.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tinytorch.cuda.simulator.runtime import WARP, Runtime
from tinytorch.cuda.simulator.sites import ATOMIC, BRANCH, KIND_NAMES, LOOP, MARK
from tinytorch.cuda.simulator.table import Table

SEGMENT = 128  # bytes of a memory transaction
BANKS = 32
COUNTED = ("global_reads", "global_writes", "global_atomics", "shared_reads", "shared_writes", "shared_atomics")


@dataclass
class LineCount:
    """One access in the source. `requests` are instructions of a warp; `transactions` 128-byte lines of global memory
    or passes over shared memory."""

    line: int
    text: str
    kind: str
    space: str
    accesses: int = 0
    requests: int = 0
    transactions: int = 0

    @property
    def per_request(self) -> float:
        """1 is best: a warp's 32 neighbours in one transaction, or no two lanes in one bank."""
        return self.transactions / self.requests if self.requests else 0.0


@dataclass
class Counts:
    """Totals over the launch; `per_thread[name]` has one number for each thread of the grid."""

    blocks: int
    threads_per_block: int
    global_reads: int = 0
    global_writes: int = 0
    global_atomics: int = 0
    shared_reads: int = 0
    shared_writes: int = 0
    shared_atomics: int = 0
    global_bytes: int = 0
    global_requests: int = 0
    transactions: int = 0
    shared_requests: int = 0
    bank_conflicts: int = 0
    branches: int = 0
    divergent_branches: int = 0
    barriers: int = 0
    flops: int = 0
    float64_flops: int = 0
    shared_bytes_per_block: int = 0
    per_thread: dict[str, np.ndarray] = field(default_factory=dict, repr=False)
    by_line: list[LineCount] = field(default_factory=list, repr=False)

    @property
    def moved_bytes(self) -> int:
        """Bytes that the transactions carry, wanted or not."""
        return self.transactions * SEGMENT

    @property
    def arithmetic_intensity(self) -> float:
        """FLOP for each byte of global memory that is asked for."""
        return self.flops / self.global_bytes if self.global_bytes else 0.0

    def roofline(self, flops: float = 20e12, bandwidth: float = 1e12) -> Roofline:
        """What a GPU with that peak (FLOP/s) and bandwidth (byte/s) can reach with this kernel at best."""
        return Roofline(self.flops, self.moved_bytes, flops, bandwidth)


@dataclass(frozen=True)
class Roofline:
    """The roofline model (Williams, Waterman, Patterson, 2009): bound by arithmetic or by memory."""

    work: int
    moved_bytes: int
    peak: float
    bandwidth: float

    @property
    def seconds(self) -> float:
        return max(self.work / self.peak, self.moved_bytes / self.bandwidth)

    @property
    def flops(self) -> float:
        """FLOP/s that can be reached."""
        return self.work / self.seconds if self.seconds else 0.0

    @property
    def bound(self) -> str:
        return "arithmetic" if self.work / self.peak > self.moved_bytes / self.bandwidth else "memory"


class Counter:
    """Adds up the pieces of the log."""

    def __init__(self, runtime: Runtime):
        self.runtime, shape = runtime, runtime.shape
        self.counts = Counts(shape.blocks, shape.threads)
        total = shape.blocks * shape.threads
        self.counts.per_thread = {name: np.zeros(total, np.int64) for name in COUNTED}
        self.lines: dict[tuple[int, bool], LineCount] = {}

    def add(self, table: Table) -> None:
        sites = self.runtime.program.sites.all
        for number, times in enumerate(np.bincount(table.site, minlength=len(sites))):
            self.counts.flops += int(times) * sites[number].flops
            self.counts.float64_flops += int(times) * sites[number].flops64
        table = table.rows((table.kind <= LOOP) & (table.kind != MARK))
        if not len(table):
            return
        self._accesses(table)
        group = instructions(table, self.runtime.shape.threads, len(sites))
        is_branch = (table.kind == BRANCH) | (table.kind == LOOP)
        self._branches(group[is_branch], table.address[is_branch])
        shared = table.is_shared
        for space in (False, True):
            chosen = ~is_branch & (shared == space)
            if chosen.any():
                self._transactions(table.rows(chosen), group[chosen], space)

    def _accesses(self, table: Table) -> None:
        counts, who = self.counts, table.block * self.runtime.shape.threads + table.thread
        for number, name in enumerate(COUNTED):
            chosen = (table.kind == number % 3) & (table.is_shared == (number >= 3))
            counts.per_thread[name] += np.bincount(who[chosen], minlength=len(counts.per_thread[name]))
            setattr(counts, name, getattr(counts, name) + int(chosen.sum()))
        on_global = (table.kind <= ATOMIC) & ~table.is_shared
        weight = np.where(table.kind[on_global] == ATOMIC, 2, 1)  # an atomic reads and writes
        counts.global_bytes += int((table.itemsize[on_global] * weight).sum())

    def _branches(self, group: np.ndarray, outcome: np.ndarray) -> None:
        if not len(group):
            return
        order = np.argsort(group, kind="stable")
        starts = np.flatnonzero(np.diff(group[order], prepend=-1))
        low, high = (f.reduceat(outcome[order], starts) for f in (np.minimum, np.maximum))
        self.counts.branches += len(starts)
        self.counts.divergent_branches += int((low != high).sum())

    def _transactions(self, table: Table, group: np.ndarray, shared: bool) -> None:
        """The 128-byte segments that the lanes of each instruction touch, or the most words in one bank."""
        names, number = np.unique(group, return_inverse=True)
        site = np.zeros(len(names), np.int64)
        site[number] = table.site
        if shared:
            half = np.where(table.itemsize >= 8, table.thread % WARP // 16, 0)  # wide words go in two halves
            number2 = number * 2 + half
            pairs = np.unique(number2 << 33 | table.byte // 4)
            conflicts = np.bincount((pairs >> 33) * BANKS + (pairs & (BANKS - 1)), minlength=len(names) * 2 * BANKS)
            passes = conflicts.reshape(len(names), 2, BANKS).max(2)
            extra = np.maximum(passes - 1, 0).sum(1)
            cost = 1 + extra
            self.counts.shared_requests += len(names)
            self.counts.bank_conflicts += int(extra.sum())
        else:
            pairs = np.unique(number << 33 | table.byte // SEGMENT)
            cost = np.bincount(pairs >> 33, minlength=len(names))
            self.counts.global_requests += len(names)
            self.counts.transactions += int(cost.sum())
        self._lines(table, site, cost, shared)

    def _lines(self, table: Table, site: np.ndarray, cost: np.ndarray, shared: bool) -> None:
        accesses = np.bincount(table.site)
        requests, total = np.bincount(site), np.bincount(site, cost)
        for number in np.flatnonzero(accesses):
            place = self.runtime.program.sites.all[number]
            line = self.lines.setdefault((int(number), shared), LineCount(
                place.line, place.text, KIND_NAMES[place.kind], "shared" if shared else "global"))  # fmt: skip
            line.accesses += int(accesses[number])
            line.requests += int(requests[number])
            line.transactions += int(total[number])

    def finish(self, barriers: int, shared_bytes: int) -> Counts:
        self.counts.barriers, self.counts.shared_bytes_per_block = barriers, shared_bytes
        self.counts.by_line = sorted(self.lines.values(), key=lambda line: line.line)
        return self.counts


def instructions(table: Table, threads: int, sites: int) -> np.ndarray:
    """A number for each row: rows with the same number are the lanes of one instruction of a warp."""
    phase = table.phase - table.phase.min()
    one = (phase * threads + table.thread) * sites + table.site
    order = np.argsort(one, kind="stable")
    in_order = one[order]
    place = np.arange(len(one))
    starts = np.maximum.accumulate(np.where(np.diff(in_order, prepend=-1) != 0, place, 0))
    occurrence = np.empty(len(one), np.int64)
    occurrence[order] = place - starts
    warps = -(-threads // WARP)
    rounds = int(occurrence.max()) + 1
    return ((phase * warps + table.warp) * sites + table.site) * rounds + occurrence
