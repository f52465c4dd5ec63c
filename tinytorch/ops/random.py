"""Random numbers, from a generator that can be seeded."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import dtypes
from tinytorch.dtypes import dtype as DType
from tinytorch.ops.creation import finish
from tinytorch.ops.shape import shape_of
from tinytorch.tensor import Tensor, wrap


class Generator:
    """A stream of random numbers with a state of its own.

    >>> g = Generator().manual_seed(0)
    >>> g.initial_seed()
    0
    """

    def __init__(self, device: Any = "cpu") -> None:
        self.manual_seed(0)

    def manual_seed(self, seed: int) -> Generator:
        self._seed = int(seed)
        self.numpy = np.random.default_rng(self._seed % 2**64)
        return self

    def seed(self) -> int:
        self.manual_seed(int(np.random.SeedSequence().generate_state(1, np.uint64)[0]))
        return self._seed

    def initial_seed(self) -> int:
        return self._seed


default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Start the default stream of random numbers anew, from a number."""
    return default_generator.manual_seed(seed)


def _stream(generator: Generator | None) -> np.random.Generator:
    return (generator or default_generator).numpy


def rand(*size: Any, generator: Generator | None = None, dtype: DType | None = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Uniform numbers in [0, 1)."""
    wanted = (dtype or dtypes.get_default_dtype()).numpy
    made = _stream(generator).random(shape_of(size), np.float64 if wanted == np.float64 else np.float32)
    return finish(made.astype(wanted, copy=False), device, requires_grad)


def randn(*size: Any, generator: Generator | None = None, dtype: DType | None = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Normal numbers, mean 0 and variance 1."""
    wanted = (dtype or dtypes.get_default_dtype()).numpy
    made = _stream(generator).standard_normal(shape_of(size), np.float64 if wanted == np.float64 else np.float32)
    return finish(np.asarray(made).astype(wanted, copy=False), device, requires_grad)


def randint(low: int, high: Any = None, size: Any = None, *, generator: Generator | None = None, dtype: DType | None = None, device: Any = None) -> Tensor:
    """Integers from low (0 if left out) up to but without high."""
    if size is None:
        low, high, size = 0, low, high
    if low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    return finish(_stream(generator).integers(low, high, shape_of((size,))).astype((dtype or dtypes.int64).numpy), device)


def randperm(n: int, *, generator: Generator | None = None, dtype: DType | None = None, device: Any = None) -> Tensor:
    """The numbers 0 to n-1 in random order."""
    return finish(_stream(generator).permutation(n).astype((dtype or dtypes.int64).numpy), device)


def uniform_(self: Tensor, a: float = 0.0, b: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with uniform numbers in [a, b)."""
    from tinytorch.ops.inplace import copy_

    return copy_(self, wrap(_stream(generator).uniform(a, b, self._array.shape).astype(self._array.dtype)))


def normal_(self: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with normal numbers."""
    from tinytorch.ops.inplace import copy_

    return copy_(self, wrap(_stream(generator).normal(mean, std, self._array.shape).astype(self._array.dtype)))
