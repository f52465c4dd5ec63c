"""How the kernels of the bank are written down: a kernel, its launch, and what must be said of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinytorch.cuda import seam
from tinytorch.cuda.simulator import Report, simulate

MARK = "# <-"  # stands behind each line that a diagnosis may name
Make = Callable[[np.random.Generator], tuple[Any, ...]]


@dataclass
class Case:
    """`kinds` are the kinds of diagnosis that must come up, and no others; none for a correct kernel."""

    kernel: Any
    kinds: frozenset[str]
    grid: Any
    block: Any
    make: Make
    check: Callable[..., None] | None
    dynamic_shared: int

    @property
    def name(self) -> str:
        return seam.python_function(self.kernel).__name__

    @property
    def marked(self) -> set[int]:
        lines, first = inspect.getsourcelines(seam.python_function(self.kernel))
        return {first + number for number, line in enumerate(lines) if MARK in line}

    def run(self, seed: int = 0) -> tuple[Report, tuple[Any, ...], tuple[Any, ...]]:
        """The report, the arguments as they were, and as they are now."""
        arguments = self.make(np.random.default_rng(seed))
        before = tuple(a.copy() if isinstance(a, np.ndarray) else a for a in arguments)
        report = simulate(self.kernel, self.grid, self.block, *arguments, dynamic_shared=self.dynamic_shared)
        return report, before, arguments


class Bank(list[Case]):
    """Gathers cases: `@bank("shared-race", grid=1, block=64, make=...)` above a kernel."""

    def __call__(
        self, *kinds: str, grid: Any, block: Any, make: Make, check: Callable[..., None] | None = None,
        dynamic_shared: int = 0,
    ) -> Callable[[Any], Any]:  # fmt: skip
        def add(kernel: Any) -> Any:
            self.append(Case(kernel, frozenset(kinds), grid, block, make, check, dynamic_shared))
            return kernel

        return add


def floats(*shape: int) -> Callable[[np.random.Generator], np.ndarray]:
    return lambda rng: rng.standard_normal(shape).astype(np.float32)


def made(*parts: Any) -> Make:
    """A maker of arguments: a tuple of ints is the shape of a random float32 array, "zeros" before it makes zeros."""

    def one(part: Any, rng: np.random.Generator) -> Any:
        if isinstance(part, tuple) and part and part[0] == "zeros":
            return np.zeros(part[1:], np.float32)
        if isinstance(part, tuple) and part and part[0] == "counts":
            return np.zeros(part[1:], np.int32)
        if isinstance(part, tuple) and part and part[0] == "ints":
            return rng.integers(0, part[1], part[2:]).astype(np.int32)
        if isinstance(part, tuple):
            return floats(*part)(rng)
        return part

    return lambda rng: tuple(one(part, rng) for part in parts)


def close(got: Any, expected: Any, tolerance: float = 1e-5) -> None:
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)
