"""Many elements to one, along some dimensions or all. `dim` is None, a dimension or a tuple of them."""

from __future__ import annotations

import numpy as np

_SMALL_FLOATS = ("float16", "bfloat16")


def _accumulator(dtype):
    """In which dtype sums are formed: halves in float32, integers and bools in int64."""
    if dtype.name in _SMALL_FLOATS:
        return np.dtype(np.float32)
    return np.dtype(np.int64) if dtype.kind in "biu" else dtype


def sum(x, dim=None, keepdim=False, dtype=None):
    total = np.add.reduce(x, axis=dim, keepdims=keepdim, dtype=_accumulator(dtype or x.dtype))
    wanted = dtype or (x.dtype if x.dtype.kind in "fV" else np.dtype(np.int64))
    return total if total.dtype == wanted else total.astype(wanted)


def amax(x, dim=None, keepdim=False):
    return np.max(x, axis=dim, keepdims=keepdim)


def amin(x, dim=None, keepdim=False):
    return np.min(x, axis=dim, keepdims=keepdim)


def argmax(x, dim=None, keepdim=False):
    return np.argmax(x, axis=dim, keepdims=keepdim)


def argmin(x, dim=None, keepdim=False):
    return np.argmin(x, axis=dim, keepdims=keepdim)
