"""Many elements to one, along some dimensions or all. `dim` is None, a dimension or a tuple of them.

Halves are computed in float32 and rounded once, integers are summed in int64.
"""

from __future__ import annotations

import math

import numpy as np

from tinytorch.kernels.cpu import fast

_FLOAT32, _INT64 = np.dtype(np.float32), np.dtype(np.int64)


def is_half(dtype):
    """float16 or bfloat16 (which NumPy, not knowing it, calls a void)."""
    return dtype.kind == "V" or dtype == np.float16


def wide(x):
    """Halves in float32; anything else as it is."""
    return x.astype(_FLOAT32) if is_half(x.dtype) else x


def _accumulator(dtype):
    """In which dtype sums are formed: halves in float32, integers and bools in int64."""
    if dtype.kind in "biu":
        return _INT64
    return _FLOAT32 if is_half(dtype) else dtype


def count_along(shape, dim):
    """How many elements one result is made of."""
    if dim is None:
        return math.prod(shape)
    return math.prod([shape[d] for d in dim]) if isinstance(dim, tuple) else shape[dim]


def sum(x, dim=None, keepdim=False, dtype=None):
    if dtype is None and fast.is_fast(x):
        total = _fast_sum(x, dim, keepdim)
        if total is not None:
            return total
    wanted = dtype or x.dtype
    if dtype is not None and dtype.kind in "biu":
        x = x.astype(dtype)
    total = np.add.reduce(x, axis=dim, keepdims=keepdim, dtype=_accumulator(wanted))
    if dtype is None and wanted.kind in "biu":
        return total
    return total if total.dtype == wanted else total.astype(wanted)


def _fast_sum(x, dim, keepdim):
    """Sums by compiled loops, over all elements or along the first or last dimension of several; else None."""
    if dim is None or (x.ndim == 1 and dim == 0):
        return np.full((1,) * x.ndim if keepdim else (), fast.loops().sum_all(fast.as_rows(x)), x.dtype)
    if dim == x.ndim - 1:
        y = np.empty(x.shape[:-1], x.dtype)
        fast.loops().sum_rows(fast.as_rows(x), y.reshape(-1))
    elif dim == 0:
        y = np.empty(x.shape[1:], x.dtype)
        fast.loops().sum_columns(x.reshape(len(x), -1), y.reshape(-1))
    else:
        return None
    return np.expand_dims(y, dim) if keepdim else y


def mean(x, dim=None, keepdim=False):
    if fast.is_fast(x):
        total = sum(x, dim, keepdim)
    else:
        total = np.add.reduce(x, axis=dim, keepdims=keepdim, dtype=_accumulator(x.dtype))
    y = total / total.dtype.type(count_along(x.shape, dim))
    return y if y.dtype == x.dtype else y.astype(x.dtype)


def prod(x, dim=None, keepdim=False, dtype=None):
    wanted = dtype or (_INT64 if x.dtype.kind in "biu" else x.dtype)
    if dtype is not None and dtype.kind in "biu":
        x = x.astype(dtype)
    y = np.multiply.reduce(x, axis=dim, keepdims=keepdim, dtype=_accumulator(wanted))
    return y if y.dtype == wanted else y.astype(wanted)


def nansum(x, dim=None, keepdim=False, dtype=None):
    return sum(np.where(np.isnan(x), x.dtype.type(0), x) if x.dtype.kind in "fV" else x, dim, keepdim, dtype)


def var_mean(x, dim, keepdim, correction):
    """(variance, mean): the squared distances from the mean, summed and divided by n - correction."""
    values = wide(x)
    m = np.asarray(mean(values, dim, True))
    distance = np.asarray(values - m)
    n = count_along(x.shape, dim)
    degrees = values.dtype.type(max(n - correction, 0))
    v = np.add.reduce(np.multiply(distance, distance, out=distance), axis=dim, keepdims=keepdim) / degrees
    m = m if keepdim else np.squeeze(m, axis=dim)
    return np.asarray(v).astype(x.dtype, copy=False), np.asarray(m).astype(x.dtype, copy=False)


def logsumexp(x, dim, keepdim=False):
    """m + log Σ exp(x - m) with the largest element m: nothing overflows."""
    values = wide(x)
    if values.size:
        m = np.maximum.reduce(values, axis=dim, keepdims=True)
        m = np.where(np.isfinite(m), m, m.dtype.type(0))
    else:
        m = values.dtype.type(0)
    total = np.add.reduce(np.exp(values - m), axis=dim, keepdims=True)
    y = np.log(total) + m
    return (y if keepdim else np.squeeze(y, axis=dim)).astype(x.dtype, copy=False)


def vector_norm(x, ord, dim=None, keepdim=False):
    """(Σ |x|ᵖ)^(1/p), and its limits: the largest, the smallest, the number of non-zero elements."""
    a = wide(x)
    if ord == 2:
        if dim is None and not keepdim and a.flags.c_contiguous:
            flat = a.reshape(-1)
            return np.sqrt(np.dot(flat, flat)).astype(x.dtype)
        y = np.sqrt(np.add.reduce(a * a, axis=dim, keepdims=keepdim))
    elif ord == 1:
        y = np.add.reduce(np.abs(a), axis=dim, keepdims=keepdim)
    elif ord == 0:
        y = np.count_nonzero(a, axis=dim, keepdims=keepdim)
    elif math.isinf(ord):
        y = (np.maximum if ord > 0 else np.minimum).reduce(np.abs(a), axis=dim, keepdims=keepdim)
    else:
        y = np.add.reduce(np.abs(a) ** ord, axis=dim, keepdims=keepdim) ** (1 / ord)
    return np.asarray(y).astype(x.dtype, copy=False)


def all(x, dim=None, keepdim=False):
    y = np.logical_and.reduce(x.astype(bool, copy=False), axis=dim, keepdims=keepdim)
    return np.asarray(y).astype(np.uint8) if x.dtype == np.uint8 else y


def any(x, dim=None, keepdim=False):
    y = np.logical_or.reduce(x.astype(bool, copy=False), axis=dim, keepdims=keepdim)
    return np.asarray(y).astype(np.uint8) if x.dtype == np.uint8 else y


def count_nonzero(x, dim=None, keepdim=False):
    return np.asarray(np.count_nonzero(x.astype(bool, copy=False), axis=dim, keepdims=keepdim), np.int64)


# ---- the largest and the smallest: NaN counts as both --------------------------------------------------------------


def amax(x, dim=None, keepdim=False):
    return np.maximum.reduce(wide(x), axis=dim, keepdims=keepdim).astype(x.dtype, copy=False)


def amin(x, dim=None, keepdim=False):
    return np.minimum.reduce(wide(x), axis=dim, keepdims=keepdim).astype(x.dtype, copy=False)


def argmax(x, dim=None, keepdim=False):
    return np.argmax(wide(x), axis=dim, keepdims=keepdim)


def argmin(x, dim=None, keepdim=False):
    return np.argmin(wide(x), axis=dim, keepdims=keepdim)


def extreme_along(x, dim, largest):
    """(values, indices) along one dimension, which is kept with length 1; the first of equal ones."""
    values = wide(x)
    if dim == x.ndim - 1:
        index = (np.argmax if largest else np.argmin)(values, axis=dim, keepdims=True)
        return np.take_along_axis(x, index, dim), index
    if largest and dim == 0 and fast.is_fast(x):
        y, index = np.empty(x.shape[1:], x.dtype), np.empty(x.shape[1:], np.int64)
        fast.loops().max_columns(x.reshape(len(x), -1), y.reshape(-1), index.reshape(-1))
        return y[None], index[None]
    # argmax is slow across memory: the value first, then where it stands
    best = (np.maximum if largest else np.minimum).reduce(values, axis=dim, keepdims=True)
    found = values == best
    if np.isnan(best).any():
        found |= values != values
    return best.astype(x.dtype, copy=False), np.argmax(found, axis=dim, keepdims=True)


def ties(x, y, dim, nan_too=False):
    """For each x, 1 / (how many equal the reduced y) if it does, else 0: shares of a gradient. `y` broadcasts to x."""
    mask = x == y
    if nan_too:
        mask |= (x != x) & (y != y)
    share = np.add.reduce(mask, axis=dim, keepdims=True, dtype=np.int64)
    return mask.astype(x.dtype) / share.astype(x.dtype)
