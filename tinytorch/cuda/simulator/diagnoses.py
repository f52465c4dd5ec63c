"""What the simulator found wrong: one `Diagnosis` for each distinct mistake."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = (
    "shared-race",
    "global-race",
    "divergent-barrier",
    "out-of-bounds",
    "negative-index",
    "uninitialized-read",
    "stale-shared",
    "launch-limit",
    "shared-limit",
    "unwritten",
    "float64",
    "kernel-error",
    "hang",
)
MOST_EXAMPLES = 8  # threads and blocks named in one diagnosis

Dim3 = tuple[int, int, int]


@dataclass(frozen=True)
class Diagnosis:
    """One mistake: what it is, where it is, who made it, and what to do about it.

    `threads` and `blocks` go together (the first few that did it, as (x, y, z)); for a race the first two are
    the pair. `index` is the element of `array` that was hit first. `count` says how often it happened.
    """

    kind: str
    message: str
    file: str = ""
    line: int = 0
    other_line: int | None = None
    threads: tuple[Dim3, ...] = ()
    blocks: tuple[Dim3, ...] = ()
    array: str | None = None
    index: tuple[int, ...] | None = None
    count: int = 1

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: " if self.file else ""
        return f"{where}{self.kind}: {self.message}"


class KernelDiagnosed(RuntimeError):
    """Raised by `Report.raise_for_diagnoses`; `diagnoses` holds all of them."""

    def __init__(self, diagnoses: list[Diagnosis]):
        self.diagnoses = diagnoses
        super().__init__("\n".join(str(diagnosis) for diagnosis in diagnoses))


class Findings:
    """Collects diagnoses: the same mistake at the same lines is told once, and counted."""

    def __init__(self) -> None:
        self._found: dict[tuple, Diagnosis] = {}

    def add(self, diagnosis: Diagnosis) -> None:
        key = (diagnosis.kind, diagnosis.file, diagnosis.line, diagnosis.other_line, diagnosis.array)
        first = self._found.setdefault(key, diagnosis)
        if first is diagnosis:
            return
        threads, blocks = first.threads, first.blocks
        if len(threads) < MOST_EXAMPLES and diagnosis.threads:
            new = [pair for pair in zip(diagnosis.threads, diagnosis.blocks, strict=False)
                   if pair not in set(zip(threads, blocks, strict=False))]  # fmt: skip
            threads += tuple(thread for thread, _ in new)
            blocks += tuple(block for _, block in new)
        self._found[key] = Diagnosis(**{**first.__dict__, "threads": threads, "blocks": blocks,
                                        "count": first.count + diagnosis.count})  # fmt: skip

    def has(self, kind: str, file: str, line: int, other_line: int | None, array: str | None) -> bool:
        return (kind, file, line, other_line, array) in self._found

    def all(self) -> list[Diagnosis]:
        return list(self._found.values())


def show(position: Dim3) -> str:
    """A thread or block as (x, y, z), without NumPy's decorations."""
    return f"({position[0]}, {position[1]}, {position[2]})"


def cell(array: str, index: tuple[int, ...]) -> str:
    """
    >>> cell("tile", (3, 4))
    'tile[3, 4]'
    """
    return f"{array}[{', '.join(map(str, index))}]"
