"""Sorting and what rests on it. NaN counts as larger than any number; equal elements keep their order."""

from __future__ import annotations

import numpy as np

from tinytorch.kernels.cpu.reduce import wide


def _keys(x):
    """int64 numbers below 2³¹ in size and in the order of x, or None for dtypes that do not fit."""
    if x.dtype.kind in "bui":
        return x.astype(np.int64) if x.dtype.itemsize < 8 else None
    x = wide(x)
    if x.dtype != np.float32:
        return None
    bits = (x + np.float32(0)).view(np.int32)  # -0 becomes +0; positive floats are ordered as their bits are
    bits ^= (bits >> 31) & np.int32(0x7FFFFFFF)
    nan = x != x
    if nan.any():
        bits[nan] = 0x7FFFFFFF
    return bits.astype(np.int64)


def argsort(x, dim, descending=False):
    """The stable order of the elements along a dimension.

    Up to 32 bits, element and place are packed into one 64-bit number: sorting numbers is several times as fast as
    sorting places, and since no two are equal any algorithm is stable.
    """
    lanes = np.ascontiguousarray(np.moveaxis(x, dim, -1))
    keys = _keys(lanes)
    n = lanes.shape[-1]
    if keys is not None:
        if descending:
            np.invert(keys, out=keys)
        keys <<= 32
        keys |= np.arange(n)
        keys.sort(axis=-1)
        keys &= 0xFFFFFFFF
        order = keys
    elif descending:
        order = n - 1 - np.flip(np.argsort(np.flip(lanes, -1), axis=-1, kind="stable"), -1)
    else:
        order = np.argsort(lanes, axis=-1, kind="stable")
    return np.moveaxis(order, -1, dim)


def sort(x, dim, descending=False):
    """(values, indices)"""
    order = np.ascontiguousarray(argsort(x, dim, descending))
    return np.take_along_axis(x, order, dim), order


def topk(x, k, dim, largest=True):
    """(values, indices) of the k largest or smallest, sorted."""
    n = x.shape[dim]
    if 0 < k < n // 4 and x.dtype != bool:  # choose first, then sort the few
        values = wide(x)
        if largest:
            chosen = np.take(np.argpartition(values, n - k, axis=dim), np.arange(n - k, n), axis=dim)
        else:
            chosen = np.take(np.argpartition(values, k - 1, axis=dim), np.arange(k), axis=dim)
        chosen.sort(axis=dim)
        order = argsort(np.take_along_axis(x, chosen, dim), dim, largest)
        index = np.take_along_axis(chosen, order, dim)
    else:
        index = np.ascontiguousarray(np.take(argsort(x, dim, largest), np.arange(k), axis=dim))
    return np.take_along_axis(x, index, dim), index


def kthvalue(x, k, dim):
    """(values, indices) of the k-th smallest, k from 1; the dimension is kept with length 1."""
    index = np.take(np.argpartition(wide(x), k - 1, axis=dim), [k - 1], axis=dim)
    return np.take_along_axis(x, index, dim), index


def median(x, dim):
    """(values, indices): the lower of the two in the middle, NaN where there is one; the dimension is kept."""
    values, index = kthvalue(x, (x.shape[dim] + 1) // 2, dim)
    nan = x != x
    if x.dtype.kind in "fV" and nan.any():
        first = np.argmax(nan, axis=dim, keepdims=True)
        index = np.where(nan.any(axis=dim, keepdims=True), first, index)
        values = np.take_along_axis(x, index, dim)
    return values, index


def nanmedian(x, dim):
    """(values, indices): the median of what is not NaN."""
    order = argsort(x, dim)
    count = np.add.reduce(x == x, axis=dim, keepdims=True, dtype=np.int64)
    index = np.take_along_axis(order, np.maximum(count - 1, 0) // 2, dim)
    return np.take_along_axis(x, index, dim), index


def mode(x, dim):
    """(values, indices): what occurs most often, the smallest of several; the place of its last occurrence."""
    values, order = sort(x, dim)
    starts = np.ones(values.shape, bool)
    lanes, begun = np.moveaxis(values, dim, -1), np.moveaxis(starts, dim, -1)
    begun[..., 1:] = lanes[..., 1:] != lanes[..., :-1]
    places = np.arange(x.shape[dim])
    run = places - np.maximum.accumulate(np.where(begun, places, 0), axis=-1)
    at = np.expand_dims(np.argmax(run, axis=-1), dim)
    return np.take_along_axis(values, at, dim), np.take_along_axis(order, at, dim)


def unique(x, dim=None):
    """(values, inverse, counts), sorted; each NaN is different."""
    values, inverse, counts = np.unique(
        wide(x), axis=dim, return_inverse=True, return_counts=True, equal_nan=False
    )
    return values.astype(x.dtype, copy=False), inverse, counts


def unique_consecutive(x, dim=None):
    """(values, inverse, counts): runs of equal elements become one."""
    lanes = x.reshape(-1) if dim is None else np.moveaxis(x, dim, 0)
    n = lanes.shape[0]
    starts = np.ones(n, bool)
    starts[1:] = (lanes[1:] != lanes[:-1]).reshape(max(n - 1, 0), -1).any(axis=1)
    inverse = np.cumsum(starts) - 1
    values = lanes[starts] if dim is None else np.moveaxis(lanes[starts], 0, dim)
    return values, inverse.reshape(x.shape) if dim is None else inverse, np.bincount(inverse, minlength=0)


def searchsorted(boundaries, values, right):
    """Where each value would have to be put in, so that the boundaries stay sorted along the last dimension."""
    side = "right" if right else "left"
    boundaries, values = wide(boundaries), wide(values)
    if boundaries.ndim == 1:
        return np.asarray(np.searchsorted(boundaries, values, side), np.int64)
    found = np.empty(values.shape, np.int64)
    for lane in np.ndindex(boundaries.shape[:-1]):
        found[lane] = np.searchsorted(boundaries[lane], values[lane], side)
    return found


def bincount(x, weights=None, minlength=0):
    counts = np.bincount(x, weights, minlength)
    if weights is None:
        return counts
    return counts if weights.dtype != np.float32 else counts.astype(np.float32)


def histc(x, bins, low, high):
    """How many elements fall into each of `bins` equal parts of [low, high]; the last part is closed."""
    flat = wide(x).reshape(-1)
    flat = flat[(flat >= low) & (flat <= high)]
    place = ((flat - flat.dtype.type(low)) * flat.dtype.type(bins / (high - low))).astype(np.int64)
    return np.bincount(np.minimum(place, bins - 1), minlength=bins).astype(x.dtype)
