"""Sites: the places in a kernel's source that leave a mark in the log when a thread passes them.

A mark is one integer, `site number << 40 | low`: `low` is an element's address for a read, write or atomic, the
way taken for a branch, the number of rounds for a loop. One `list.append` a mark keeps the simulator fast.
"""

from __future__ import annotations

from dataclasses import dataclass

SITE_SHIFT = 40
NEXT_SITE = 1 << SITE_SHIFT  # `a[:] = b` is a write, and the next site the read
LOW = (1 << SITE_SHIFT) - 1
SHARED_BIT = 1 << 39  # of an address: shared memory, not global
SIZE_SHIFT = 36  # of an address: three bits with log2 of an element's bytes
OFFSET = (1 << SIZE_SHIFT) - 1

READ, WRITE, ATOMIC, BRANCH, LOOP, MARK, CALL = range(7)
KIND_NAMES = ("read", "write", "atomic", "branch", "loop", "mark", "call")


@dataclass
class Site:
    """One access, branch or call in the source; `text` is the array's or function's name there."""

    kind: int
    file: str
    line: int
    text: str = ""
    augmented: bool = False  # half of `a[i] += ...`
    flops: int = 0  # float operations of the straight-line code that this site stands for
    flops64: int = 0
    code: int = 0


class Sites:
    """All sites of one launch, numbered."""

    def __init__(self) -> None:
        self.all: list[Site] = []

    def add(self, kind: int, file: str, line: int, text: str = "", augmented: bool = False) -> Site:
        site = Site(kind, file, line, text, augmented, code=len(self.all) << SITE_SHIFT)
        self.all.append(site)
        return site

    def at(self, code: int) -> Site:
        return self.all[code >> SITE_SHIFT]
