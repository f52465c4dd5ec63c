"""How many threads one operation on a large array may use."""

from __future__ import annotations

import os

WORTHWHILE = 131_072  # elements from which waking another thread costs less than it saves


def _from_environment() -> int:
    """OMP_NUM_THREADS, as for PyTorch; 1 where it is not set.

    Several threads wait for each other by spinning: fast on an idle machine, very slow on one whose cores are taken.
    So they are used where they were asked for.
    """
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdigit() and int(given) else 1


_count = _from_environment()


def get_num_threads() -> int:
    """How many threads one operation on a large array may use."""
    return _count


def set_num_threads(count: int) -> None:
    """Set the number of threads for loops over large arrays (products of matrices follow OPENBLAS_NUM_THREADS)."""
    global _count
    if not isinstance(count, int) or isinstance(count, bool):
        raise TypeError(f"set_num_threads expects an int, but got {type(count).__name__}")
    if count < 1:
        raise RuntimeError(f"set_num_threads expects a positive integer, got {count}")
    _count = count
