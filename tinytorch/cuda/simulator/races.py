"""Finds races: two threads touch the same element, at least one writes, and nothing orders the two.

Within a block, a barrier orders everything before it against everything after it, and `syncwarp` orders the lanes
of a warp. Across blocks nothing does, but atomics after a fence. Two atomics do not race, nor do two writes of the
same value.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinytorch.cuda.simulator.diagnoses import cell
from tinytorch.cuda.simulator.runtime import Runtime, Unwritten
from tinytorch.cuda.simulator.sites import ATOMIC, READ, SHARED_BIT, SITE_SHIFT, WRITE
from tinytorch.cuda.simulator.table import Table

Together = Callable[[Table, int, int], bool]  # whether nothing orders two rows


def contested(table: Table, key: np.ndarray, who: np.ndarray) -> list[np.ndarray]:
    """Groups of rows with the same key that several of `who` touch, one at least writing, that might race."""
    writing = table.kind != READ
    keys, first = np.unique(key[writing], return_index=True)
    if not len(keys):
        return []
    owner = who[writing][first]
    place = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
    matches = keys[place] == key
    shared = np.zeros(len(keys), bool)
    shared[place[matches & (who != owner[place])]] = True
    rows = np.flatnonzero(matches & shared[place])
    if not len(rows):
        return []
    rows = rows[np.argsort(place[rows], kind="stable")]
    group = place[rows]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    kind, value = table.kind[rows], table.value[rows]
    only_atomics = np.minimum.reduceat(kind == ATOMIC, starts)
    same = (np.minimum.reduceat(kind == WRITE, starts) == 1) & (
        np.minimum.reduceat(value, starts) == np.maximum.reduceat(value, starts)
    )
    pieces = np.split(rows, starts[1:])
    return [piece for piece, harmless in zip(pieces, only_atomics | same, strict=True) if not harmless]


def racing_pair(table: Table, rows: np.ndarray, together: Together) -> tuple[int, int] | None:
    """Two rows of one element that race, the writing one first."""
    signature = np.stack([table.block[rows], table.thread[rows], table.kind[rows], table.part[rows], table.value[rows]])
    _, first = np.unique(signature, axis=1, return_index=True)
    rows = rows[np.sort(first)]
    for one in rows[table.kind[rows] != READ]:
        for other in rows:
            if not together(table, one, other):
                continue
            kinds = {int(table.kind[one]), int(table.kind[other])}
            if kinds == {ATOMIC} or (kinds == {WRITE} and table.value[one] == table.value[other]):
                continue
            return (other, one) if kinds == {ATOMIC, WRITE} and table.kind[one] == ATOMIC else (one, other)
    return None


class Races:
    """Gets the log piece by piece; keeps of global memory what is needed to compare the blocks at the end."""

    def __init__(self, runtime: Runtime):
        self.runtime = runtime
        self.kept: list[Table] = []

    def add(self, table: Table) -> None:
        """Looks for races within each block, then for reads of shared memory that nobody wrote."""
        accesses = table.rows(table.is_access)
        if len(accesses):
            phase = accesses.phase - accesses.phase.min()
            key = phase << SITE_SHIFT | accesses.address
            for rows in contested(accesses, key, accesses.thread):
                pair = racing_pair(accesses, rows, self._same_block)
                if pair is not None:
                    self._tell(accesses, *pair, across_blocks=False)
            self._keep(accesses.rows(~accesses.is_shared))
        self._unwritten(accesses)

    def finish(self) -> None:
        """Looks for races between blocks."""
        if self.runtime.shape.blocks == 1 or not self.kept:
            return
        table = Table.join(self.kept)
        pairs = {(other[0], me[0]) for me, others in self.runtime.seen.items() for other in others}

        def together(table: Table, a: int, b: int) -> bool:
            blocks = int(table.block[a]), int(table.block[b])
            return blocks[0] != blocks[1] and blocks not in pairs and blocks[::-1] not in pairs

        for rows in contested(table, table.address, table.block):
            pair = racing_pair(table, rows, together)
            if pair is not None:
                self._tell(table, *pair, across_blocks=True)

    def _keep(self, table: Table) -> None:
        """Of each block one row for each element and kind: more tells nothing about other blocks."""
        if len(table) and self.runtime.shape.blocks > 1:
            key = (table.block << SITE_SHIFT | table.address) * 3 + table.kind
            self.kept.append(table.rows(np.sort(np.unique(key, return_index=True)[1])))

    def _same_block(self, table: Table, a: int, b: int) -> bool:
        one, other = int(table.thread[a]), int(table.thread[b])
        if one == other:
            return False
        seen, block = self.runtime.seen, int(table.block[a])
        if seen and ((block, other) in seen.get((block, one), ()) or (block, one) in seen.get((block, other), ())):
            return False
        return bool(table.warp[a] != table.warp[b] or table.part[a] == table.part[b])

    def _tell(self, table: Table, writer: int, other: int, across_blocks: bool) -> None:
        runtime = self.runtime
        code, other_code = (int(table.site[row]) << SITE_SHIFT for row in (writer, other))
        other_site = runtime.site(other_code)
        address = int(table.address[writer])
        array, index = runtime.locate(address)
        kind = "shared-race" if address & SHARED_BIT else "global-race"
        who = [(int(table.block[row]), int(table.thread[row])) for row in (writer, other)]
        verb = {READ: "reads", WRITE: "writes", ATOMIC: "updates"}[int(table.kind[other])]
        them = f"thread {tuple(runtime.shape.thread_at(who[1][1]))} of block {tuple(runtime.shape.block_at(who[1][0]))}"
        text = f"writes {cell(array, index)}, and {them} {verb} it in line {other_site.line}, in no fixed order. "
        if table.kind[other] == WRITE:
            values = table.value[[writer, other]].view(np.float64)
            text += f"They write different values ({values[0]:g} and {values[1]:g}), and the last one wins. "
        text += self._advice(table, writer, other, across_blocks)
        runtime.find(kind, code, array, index, text, other_site.line, who)

    def _advice(self, table: Table, writer: int, other: int, across_blocks: bool) -> str:
        runtime = self.runtime
        site, other_site = (runtime.program.sites.all[int(table.site[row])] for row in (writer, other))
        if site.augmented and other_site.augmented and site.line == other_site.line:
            return "Updates get lost: use cuda.atomic.add."
        if ATOMIC in (table.kind[writer], table.kind[other]):
            return "Make all accesses atomic, or put a barrier between the plain one and the atomic one."
        if across_blocks:
            return ("No barrier reaches across blocks: let each block write its own elements, use cuda.atomic, or "
                    "split the work into two kernels.")  # fmt: skip
        if table.kind[other] == WRITE:
            return "Give each thread its own element, or use cuda.atomic."
        if site.line == other_site.line:
            return "Read into a variable first, then cuda.syncthreads(), then write."
        mine = np.flatnonzero((table.thread == table.thread[writer]) & (table.phase == table.phase[writer]))
        sites = list(table.site[mine])
        order = (site.line, other_site.line)
        if table.site[other] in sites and sites.index(table.site[other]) < sites.index(table.site[writer]):
            order = order[::-1]
        return f"Put cuda.syncthreads() after line {order[0]}, before line {order[1]} is reached."

    def _unwritten(self, accesses: Table) -> None:
        """A read before anyone wrote: a race where another thread wrote in the same phase, else uninitialised."""
        waiting = self.runtime.unwritten
        if not waiting:
            return
        writing = accesses.rows(accesses.kind != READ)
        written: dict[tuple[int, int], set[int]] = {}
        for phase, address, thread in zip(writing.phase, writing.address, writing.thread, strict=True):
            written.setdefault((int(phase), int(address)), set()).add(int(thread))
        for read in waiting:
            others = written.get((read.phase, read.array.base + read.place), set()) - {read.thread}
            if not others:
                self._tell_unwritten(read)
        waiting.clear()

    def _tell_unwritten(self, read: Unwritten) -> None:
        shown = cell(read.array.name, read.index)
        who = [(read.block, read.thread)]
        left = next((block for block, data in reversed(read.array.earlier) if data[read.place] is not None), None)
        if left is None:
            self.runtime.find(
                "uninitialized-read", read.code, read.array.name, read.index,
                f"{shown} is read, but no thread of the block has written it: shared memory starts with whatever lay "
                "there (here: NaN). Write every element before the barrier, also those past the end of the data.",
                who=who,
            )  # fmt: skip
        else:
            self.runtime.find(
                "stale-shared", read.code, read.array.name, read.index,
                f"{shown} is read, but this block has not written it; what lies there was left by an earlier block "
                f"({tuple(left)} wrote it). Shared memory is not cleared between blocks: write it first.",
                who=who,
            )  # fmt: skip
