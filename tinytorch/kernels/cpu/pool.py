"""Pooling: the largest or the average element of every window.

`windows` says for each spatial dimension where the windows lie: (start, stop, step), two integer arrays with one number
for each window and the distance of neighbours in it. They lie inside of the image: padding is left out, which for a
maximum is padding with minus infinity. With starts and stops given, pooling, padded or dilated, and adaptive pooling,
whose windows differ in length, are one computation. Planes are images of one channel: x (..., *size) with as many
spatial dimensions as windows; all others just go along.
"""

from __future__ import annotations

import math

import numpy as np

from tinytorch.kernels.cpu import fast
from tinytorch.kernels.cpu.reduce import wide

__all__ = [
    "average_windows", "constant_pad", "gather_planes", "max_windows", "put_planes", "scatter_planes", "spread_windows",
]  # fmt: skip

_ONE = (np.zeros(1, np.int64), np.ones(1, np.int64), 1)  # the windows of a dimension that is not there


def _planes(x, windows):
    """x as (planes, D, H, W), with the windows of three dimensions."""
    count = len(windows)
    sizes = x.shape[x.ndim - count :]
    shape = (math.prod(x.shape[: x.ndim - count]), *[1] * (3 - count), *sizes)
    return np.ascontiguousarray(x).reshape(shape), (_ONE,) * (3 - count) + tuple(windows)


def _out(x, windows):
    return (*x.shape[: x.ndim - len(windows)], *[len(start) for start, _, _ in windows])


def _is_fast(x):
    return x.dtype == np.float32 and x.size >= fast.LARGE


def _places(windows, sizes):
    """For windows in planes: places (D', H', W', elements) in flat memory of a plane, and which of them count."""
    place, valid = np.zeros((1,) * 6, np.int64), np.ones((1,) * 6, bool)
    for dim, ((start, stop, step), n) in enumerate(zip(windows, sizes, strict=True)):
        longest = max(int(np.max((stop - start + step - 1) // step, initial=1)), 1)
        along = start[:, None] + step * np.arange(longest)
        shape = [1] * 6
        shape[dim], shape[dim + 3] = along.shape
        valid = valid & (along < stop[:, None]).reshape(shape)
        place = place * n + np.minimum(along, n - 1).reshape(shape)
    flat = (*place.shape[:3], -1)
    return place.reshape(flat), valid.reshape(flat)


def max_windows(x, windows):
    """(the largest element of each window, its place in its plane); of equal ones the first, and a NaN is largest."""
    planes, lifted = _planes(x, windows)
    shape = _out(x, windows)
    values = np.empty((len(planes), *[len(w[0]) for w in lifted]), x.dtype)
    index = np.empty(values.shape, np.int64)
    if not values.size:
        pass
    elif _is_fast(x):
        fast.pool_loops().max_windows(planes, *lifted, values, index)
    else:
        places, valid = _places(lifted, planes.shape[1:])
        lowest = np.iinfo(x.dtype).min if x.dtype.kind in "iu" else -np.inf
        seen = wide(planes.reshape(len(planes), -1))[:, places]
        seen = np.where(valid, seen, np.asarray(lowest, seen.dtype))
        best = np.argmax(seen, axis=-1)
        missing = np.isnan(seen) if seen.dtype.kind == "f" else np.zeros(seen.shape, bool)
        last = seen.shape[-1] - 1 - np.argmax(missing[..., ::-1], axis=-1)  # of several NaNs PyTorch takes the last
        best = np.where(missing.any(axis=-1), last, best)[..., None]
        values[...] = np.take_along_axis(seen, best, -1)[..., 0]
        index[...] = np.take_along_axis(np.broadcast_to(places, seen.shape), best, -1)[..., 0]
    return values.reshape(shape), index.reshape(shape)


def average_windows(x, windows, divisors):
    """The sum of each window over the product of its `divisors`, one array for each dimension."""
    planes, lifted = _planes(x, windows)
    lifted_divisors = (np.ones(1, np.int64),) * (3 - len(windows)) + tuple(divisors)
    y = np.empty((len(planes), *[len(w[0]) for w in lifted]), x.dtype)
    if not y.size:
        pass
    elif _is_fast(x):
        fast.pool_loops().average_windows(planes, *lifted, *lifted_divisors, y)
    else:
        places, valid = _places(lifted, planes.shape[1:])
        seen = wide(planes.reshape(len(planes), -1))[:, places]
        total = np.add.reduce(np.where(valid, seen, seen.dtype.type(0)), axis=-1)
        d, h, w = lifted_divisors
        divisor = (d[:, None, None] * h[:, None] * w).astype(total.dtype)
        y[...] = total / divisor if x.dtype.kind not in "iu" else np.trunc(total / divisor)
    return y.reshape(_out(x, windows))


def spread_windows(dy, windows, divisors, size):
    """dy over its divisors added to every element of its window: the gradient of `average_windows`."""
    planes, lifted = _planes(dy, windows)
    lifted_divisors = (np.ones(1, np.int64),) * (3 - len(windows)) + tuple(divisors)
    dx = np.zeros((*dy.shape[: dy.ndim - len(windows)], *size), dy.dtype)
    if not dx.size or not dy.size:
        return dx
    target = dx.reshape(len(planes), *[1] * (3 - len(size)), *size)
    if _is_fast(dx):
        fast.pool_loops().spread_windows(planes, *lifted, *lifted_divisors, target)
        return dx
    places, valid = _places(lifted, target.shape[1:])
    d, h, w = lifted_divisors
    share = wide(planes) / (d[:, None, None] * h[:, None] * w).astype(wide(planes).dtype)
    flat = np.zeros((len(planes), math.prod(size)), share.dtype)
    plane = np.arange(len(planes))[:, None, None, None, None]
    shape = (*share.shape, places.shape[-1])
    parts = np.where(valid, np.broadcast_to(share[..., None], shape), share.dtype.type(0))
    np.add.at(flat, (np.broadcast_to(plane, shape), np.broadcast_to(places, shape)), parts)
    return flat.astype(dx.dtype).reshape(dx.shape)


# ---- by places in planes: what belongs to the maxima -------------------------------------------------------------


def _rows(x, count):
    """(..., *size) as (planes, elements)."""
    lead = x.shape[: x.ndim - count]
    return np.ascontiguousarray(x).reshape(math.prod(lead), math.prod(x.shape[x.ndim - count :]))


def gather_planes(x, index, count):
    """The elements at `index` of each plane, where planes have `count` dimensions."""
    rows = np.take_along_axis(_rows(x, count), _rows(index, count), 1)
    return rows.reshape(index.shape)


def scatter_planes(dy, index, size):
    """Zeros with dy added at `index` of each plane: the gradient of `gather_planes`."""
    count = len(size)
    dx = np.zeros((*dy.shape[: dy.ndim - count], *size), dy.dtype)
    if _is_fast(dx):
        fast.pool_loops().scatter_planes(_rows(dy, count), _rows(index, count), _rows(dx, count))
        return dx
    rows = np.zeros((math.prod(dx.shape[: dx.ndim - count]), math.prod(size)), wide(dy[..., :0]).dtype)
    np.add.at(rows, (np.arange(len(rows))[:, None], _rows(index, count)), wide(_rows(dy, count)))
    return rows.astype(dx.dtype).reshape(dx.shape)


def put_planes(x, index, size):
    """Zeros with x written at `index` of each plane; where one is named twice, the last stays."""
    count = len(size)
    y = np.zeros((*x.shape[: x.ndim - count], *size), x.dtype)
    np.put_along_axis(_rows(y, count), _rows(index, count), _rows(x, count), 1)
    return y


# ---- padding ------------------------------------------------------------------------------------------------------


def constant_pad(x, pad, value):
    """A number around x; `pad` is (before, after) of the last dimension, then of the one before; negative ones crop."""
    pairs = [(0, 0)] * (x.ndim - len(pad) // 2) + [pad[i : i + 2] for i in range(0, len(pad), 2)][::-1]
    shape = [n + before + after for n, (before, after) in zip(x.shape, pairs, strict=True)]
    y = np.full(shape, np.asarray(value).astype(x.dtype), x.dtype) if value else np.zeros(shape, x.dtype)
    source = [slice(max(-before, 0), n - max(-after, 0)) for n, (before, after) in zip(x.shape, pairs, strict=True)]
    target = [slice(max(before, 0), n - max(after, 0)) for n, (before, after) in zip(shape, pairs, strict=True)]
    y[tuple(target)] = x[tuple(source)]
    return y
