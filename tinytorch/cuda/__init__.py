"""CUDA: kernels in Numba, and a simulator that runs the same kernels where there is no GPU.

Nothing is imported until it is used: `tinytorch.cuda.simulator` brings Numba and greenlet along.
"""

from __future__ import annotations

import importlib
from typing import Any


def is_available() -> bool:
    """Whether tensors can live on a GPU: not yet, `x.cuda()` refuses."""
    return False


def device_count() -> int:
    """How many GPUs tensors can live on."""
    return 0


def __getattr__(name: str) -> Any:
    if name.endswith("Tensor"):  # FloatTensor and its like: names that refuse to make anything without a GPU
        from tinytorch.ops.legacy import CUDA_TYPES

        if name in CUDA_TYPES:
            return CUDA_TYPES[name]
    if name == "simulator":
        return importlib.import_module("tinytorch.cuda.simulator")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
