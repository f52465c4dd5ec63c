"""The log of a launch as columns: one row for each access, branch or loop, with who did it and when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinytorch.cuda.simulator.runtime import WARP, Runtime
from tinytorch.cuda.simulator.sites import ATOMIC, LOW, OFFSET, READ, SHARED_BIT, SITE_SHIFT, SIZE_SHIFT, WRITE


@dataclass
class Table:
    """Rows in the order in which the simulator ran them. `address` is the outcome where `kind` is a branch."""

    site: np.ndarray
    kind: np.ndarray
    address: np.ndarray
    value: np.ndarray  # of a write, as the bits of a float64; else 0
    block: np.ndarray
    thread: np.ndarray
    phase: np.ndarray
    part: np.ndarray

    def __len__(self) -> int:
        return len(self.site)

    def rows(self, chosen: np.ndarray) -> Table:
        """The rows that a mask or an array of row numbers names."""
        return Table(*(column[chosen] for column in self.__dict__.values()))

    @staticmethod
    def join(tables: list[Table]) -> Table:
        columns = zip(*(table.__dict__.values() for table in tables), strict=True)
        return Table(*(np.concatenate(column) for column in columns))

    @property
    def is_access(self) -> np.ndarray:
        return self.kind <= ATOMIC

    @property
    def is_shared(self) -> np.ndarray:
        return self.address & SHARED_BIT != 0

    @property
    def warp(self) -> np.ndarray:
        return self.thread // WARP

    @property
    def itemsize(self) -> np.ndarray:
        return 1 << (self.address >> SIZE_SHIFT & 7)

    @property
    def byte(self) -> np.ndarray:
        """Byte addresses, of accesses."""
        return (self.address & OFFSET) << (self.address >> SIZE_SHIFT & 7)


def drain(runtime: Runtime) -> Table:
    """Takes the log out of the runtime. The next turn starts a new one."""
    raw = np.array(runtime.marks, np.int64)
    kinds = np.array([site.kind for site in runtime.program.sites.all] or [READ], np.int8)
    site = raw >> SITE_SHIFT
    kind = kinds[site]
    value = np.zeros(len(raw), np.int64)
    value[kind == WRITE] = np.array([_number(v) for v in runtime.written_values], np.float64).view(np.int64)
    turns = np.array(runtime.turns, np.int64).reshape(-1, 5)
    lengths = np.diff(turns[:, 0], append=len(raw))
    thread, block, phase, part = (np.repeat(turns[:, column], lengths) for column in range(1, 5))
    last = runtime.turns[-1] if runtime.turns else None
    runtime.marks.clear()
    runtime.written_values.clear()
    runtime.turns.clear()
    if last is not None:
        runtime.turns.append((0, *last[1:]))
    return Table(site, kind, raw & LOW, value, block, thread, phase, part)


def _number(value: object) -> float:
    return value.real if isinstance(value, complex) else value
