"""Which arrays go through a compiled loop (`loops.py`), and how they are handed to it."""

from __future__ import annotations

from typing import Any

import numpy as np

LARGE = 16_384  # elements from which one pass in compiled code beats NumPy's several, and pays for loading Numba
_FLOAT32 = np.dtype(np.float32)


def is_fast(*arrays: np.ndarray) -> bool:
    """Whether a loop over flat memory fits: large float32 arrays of one shape, laid out row by row."""
    first = arrays[0]
    if first.size < LARGE:
        return False
    return all([
        a.dtype is _FLOAT32 and a.flags.c_contiguous and a.shape == first.shape for a in arrays
    ])


def loops() -> Any:
    """The compiled loops; Numba is loaded here, when first needed."""
    from tinytorch.kernels.cpu import loops as found

    return found


def conv_loops() -> Any:
    """The compiled loops for windows on images."""
    from tinytorch.kernels.cpu import conv_loops as found

    return found


def pool_loops() -> Any:
    """The compiled loops for pooling."""
    from tinytorch.kernels.cpu import pool_loops as found

    return found


def pointwise(name: str, *arrays: np.ndarray) -> np.ndarray:
    """Run the loop `name` over arrays of one shape: a new array."""
    out = np.empty(arrays[0].shape, _FLOAT32)
    getattr(loops(), name)(*[a.reshape(-1) for a in arrays], out.reshape(-1))
    return out


def as_rows(x: np.ndarray) -> np.ndarray:
    """(..., n) as (rows, n), sharing memory."""
    return x.reshape(-1, x.shape[-1])


def add_at(flat: np.ndarray, places: np.ndarray, values: np.ndarray) -> None:
    """flat[places[i]] += values[i], where a place may be named more than once."""
    if places.size >= LARGE and values.dtype == flat.dtype and flat.dtype.kind == "f" and flat.itemsize > 2:
        loops().add_places(np.ascontiguousarray(values), np.ascontiguousarray(places), flat)
    else:
        np.add.at(flat, places, values)
