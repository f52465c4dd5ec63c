"""What `simulate` returns: the diagnoses, the counts, and the trace for the drawings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from tinytorch.cuda.simulator.counts import Counts
from tinytorch.cuda.simulator.diagnoses import Diagnosis, Dim3, KernelDiagnosed
from tinytorch.cuda.simulator.runtime import Runtime
from tinytorch.cuda.simulator.sites import KIND_NAMES, SHARED_BIT
from tinytorch.cuda.simulator.table import Table

MOST_ROWS = 500_000  # kept for the drawings


class Access(NamedTuple):
    """One thread touches one element. `phase` counts the barriers that its block has passed."""

    block: Dim3
    thread: Dim3
    phase: int
    kind: str
    space: str
    array: str
    index: tuple[int, ...]
    line: int


class Trace:
    """All accesses of a launch in the order they ran; `complete` is False where a long launch was cut off."""

    def __init__(self, runtime: Runtime):
        self._runtime = runtime
        self._tables: list[Table] = []
        self.complete = True

    def add(self, table: Table) -> None:
        room = MOST_ROWS - len(self)
        accesses = table.rows(table.is_access)
        self.complete &= len(accesses) <= room
        if room > 0:
            self._tables.append(accesses.rows(slice(room)))

    def __len__(self) -> int:
        return sum(map(len, self._tables))

    def __iter__(self) -> Iterator[Access]:
        runtime = self._runtime
        begins: dict[int, int] = {}  # block -> its first phase
        for table in self._tables:
            for row in range(len(table)):
                block, address = int(table.block[row]), int(table.address[row])
                phase = int(table.phase[row])
                begins.setdefault(block, phase)
                array, index = runtime.locate(address)
                yield Access(
                    tuple(runtime.shape.block_at(block)), tuple(runtime.shape.thread_at(int(table.thread[row]))),
                    phase - begins[block], KIND_NAMES[table.kind[row]],
                    "shared" if address & SHARED_BIT else "global", array, index,
                    runtime.program.sites.all[table.site[row]].line,
                )  # fmt: skip


@dataclass
class Report:
    """What a launch did, and what is wrong with it."""

    kernel: str
    diagnoses: list[Diagnosis] = field(default_factory=list)
    counts: Counts | None = None
    trace: Trace | tuple[()] = ()

    @property
    def ok(self) -> bool:
        return not self.diagnoses

    def raise_for_diagnoses(self) -> None:
        """Raises `KernelDiagnosed` with every message, if there is one."""
        if self.diagnoses:
            raise KernelDiagnosed(self.diagnoses)

    def __str__(self) -> str:
        head = f"{self.kernel}: " + ("no mistakes found" if self.ok else f"{len(self.diagnoses)} found")
        return "\n".join([head, *(f"  {diagnosis}" for diagnosis in self.diagnoses)])
