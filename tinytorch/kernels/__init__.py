"""Kernels: arrays in, arrays out. Nothing here knows what a tensor or a gradient is.

`of(x)` picks the side that answers the verbs (`exp`, `sum`, `matmul`, ...) for the array that it is given:
`kernels.cpu` for NumPy arrays, later `kernels.cuda` for arrays on a GPU. Floors above may register a side for
a type of their own: `tinytorch.ops` does so for tensors, which is why a backward formula is written once and
runs on raw arrays as well as on tensors (for second derivatives).
"""

from __future__ import annotations

import warnings
from typing import Any

from tinytorch.kernels import cpu

# PyTorch computes 0/0 and overflows in silence; NumPy warns. Only warnings that arise in this package are dropped:
# kernels therefore reduce by ufuncs (`np.maximum.reduce`); `np.max` or `x.var()` would warn from NumPy's own files.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"tinytorch\b")

_sides: dict[type, Any] = {}


def register(kind: type, side: Any) -> None:
    """Let `side`, a module or namespace of verbs, answer for values of the type `kind`."""
    _sides[kind] = side


def of(x: object) -> Any:
    """The namespace whose verbs work on `x`.

    >>> import numpy as np
    >>> of(np.ones(2)).exp(np.zeros(2))
    array([1., 1.])
    """
    return _sides.get(type(x), cpu)
