"""Running totals along one dimension, and what moves values between places along it."""

from __future__ import annotations

import numpy as np

from tinytorch.kernels.cpu.indexing import scatter_add_into
from tinytorch.kernels.cpu.reduce import _accumulator, wide


def _backwards(x, dim):
    return np.flip(x, dim)


def cumsum(x, dim, reverse=False, dtype=None):
    """y[i] = x[0] + ... + x[i]; reversed, y[i] = x[i] + ... + x[last]"""
    wanted = dtype or (np.dtype(np.int64) if x.dtype.kind in "biu" else x.dtype)
    if reverse:
        return _backwards(cumsum(_backwards(x, dim), dim, dtype=wanted), dim)
    return np.add.accumulate(x, axis=dim, dtype=_accumulator(wanted)).astype(wanted, copy=False)


def cumprod(x, dim, dtype=None):
    wanted = dtype or (np.dtype(np.int64) if x.dtype.kind in "biu" else x.dtype)
    return np.multiply.accumulate(x, axis=dim, dtype=_accumulator(wanted)).astype(wanted, copy=False)


def logcumsumexp(x, dim, reverse=False):
    if reverse:
        return _backwards(logcumsumexp(_backwards(x, dim), dim), dim)
    return np.logaddexp.accumulate(wide(x), axis=dim).astype(x.dtype, copy=False)


def running_extreme(x, dim, largest):
    """(values, indices) of the largest so far; of equal ones the last, and a NaN stays."""
    values = wide(x)
    best = (np.maximum if largest else np.minimum).accumulate(values, axis=dim)
    place = np.arange(x.shape[dim]).reshape([-1 if d == dim else 1 for d in range(x.ndim)])
    index = np.maximum.accumulate(np.where((values == best) | (values != values), place, 0), axis=dim)
    return best.astype(x.dtype, copy=False), index


def cumprod_backward(dy, x, y, dim):
    """dx[k] = Σ over i >= k of dy[i] · (the product of x[0..i] without x[k])

    Before the first zero that is Σ dy · y / x[k]; at the zero, the products are formed with a 1 in its place; after it
    every product holds a zero.
    """
    dy, x, y = wide(dy), wide(x), wide(y)
    if x.all():
        return cumsum(dy * y, dim, reverse=True) / x
    zeros_so_far = np.add.accumulate(x == 0, axis=dim, dtype=np.int64)
    at_first = (x == 0) & (zeros_so_far == 1)
    filled = np.where(x == 0, x.dtype.type(1), x)
    before = cumsum(dy * y, dim, reverse=True) / filled
    there = cumsum(
        dy * np.multiply.accumulate(np.where(at_first, x.dtype.type(1), x), axis=dim), dim, reverse=True
    )
    return np.where(zeros_so_far == 0, before, np.where(at_first, there, x.dtype.type(0)))


def product_of_others(x, dim):
    """For each element along `dim` the product of all the others, without a division."""

    def before(a):
        shifted = np.concatenate([np.ones_like(np.take(a, [0], dim)), np.delete(a, -1, dim)], dim)
        return np.multiply.accumulate(shifted, axis=dim)

    return before(x) * _backwards(before(_backwards(x, dim)), dim)


# ---- along a dimension, by index -----------------------------------------------------------------------------------


def put_along(dy, index, dim, length, repeats=False):
    """Zeros of `length` along `dim`, with dy at the places of `index` (added up, where one `repeats`)."""
    dx = np.zeros([length if d == dim else n for d, n in enumerate(dy.shape)], dy.dtype)
    if repeats:
        scatter_add_into(dx, dim, index, np.ascontiguousarray(dy))
    else:
        np.put_along_axis(dx, index, dy, dim)
    return dx


def all_nonzero(x):
    return bool(x.all())


def lane_max(x, dim):
    """The largest along a dimension, which is kept; 0 where that is not finite."""
    m = np.maximum.reduce(wide(x), axis=dim, keepdims=True) if x.shape[dim] else np.zeros_like(wide(x))
    return np.where(np.isfinite(m), m, 0).astype(x.dtype)
