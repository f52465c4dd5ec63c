"""Element by element."""

from __future__ import annotations

import numpy as np
from numpy import (  # noqa: F401
    exp,
    log,
    sqrt,
    tanh,
)


def cast(x, dtype):
    """A copy in another NumPy dtype; x itself if it has that dtype."""
    return x if x.dtype == dtype else x.astype(dtype)


def clone(x):
    return x.copy(order="K")


def zeros_like(x):
    return np.zeros_like(x)


def ones_like(x):
    return np.ones_like(x)


def full_like(x, value):
    return np.full_like(x, value)


def where(condition, x, y):
    return np.where(condition, x, y)


def sigmoid(x):
    """1 / (1 + e^-x), from e^-|x| so that nothing overflows."""
    z = np.exp(-np.abs(x))
    return np.where(x >= 0, x.dtype.type(1), z) / (1 + z)


def relu(x):
    return np.maximum(x, x.dtype.type(0))


def sign(x):
    return np.sign(x)


def abs(x):
    return np.abs(x)


def log1p(x):
    return np.log1p(x)
