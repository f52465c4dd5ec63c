"""Windows on memory: the same numbers under another shape, and back again for gradients."""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.stride_tricks import as_strided


def reshape(x, shape):
    return x.reshape(shape)


def expand(x, shape):
    return np.broadcast_to(x, shape)


def transpose(x, dim0, dim1):
    return x.swapaxes(dim0, dim1)


def permute(x, dims):
    return x.transpose(dims)


def concatenate(arrays, dim):
    return np.concatenate(arrays, axis=dim)


def take_slice(x, index):
    """x[index] for basic indices (numbers, slices, None, ...): a view."""
    return x[index]


def put_slice(shape_like, index, dy):
    """Zeros of a shape and dtype, with dy written at a basic index: the gradient of `take_slice`."""
    shape, dtype = shape_like
    dx = np.zeros(shape, dtype)
    dx[index] = dy
    return dx


def take_index(x, index):
    """x[index] with arrays of numbers or bools in the index: a copy."""
    return x[index]


def add_index(shape_like, index, dy):
    """Zeros, with dy added at an index in which elements may occur more than once: the gradient of `take_index`."""
    shape, dtype = shape_like
    dx = np.zeros(shape, dtype)
    np.add.at(dx, index, dy)
    return dx


# ---- windows: (shape, strides, offset) in elements, on flat memory ----------------------------------------------


def window(buffer, window):
    """The part of a flat buffer that a window shows."""
    shape, strides, offset = window
    if 0 in shape:
        return np.empty(shape, buffer.dtype)
    return as_strided(buffer[offset:], shape, [s * buffer.itemsize for s in strides])


def _flat_from(dy, source):
    """Flat memory in which the window `source` holds a copy of dy."""
    shape, strides, offset = source
    flat = np.zeros(_reach(source), dy.dtype)
    window(flat, source)[...] = dy
    return flat


def _reach(win):
    shape, strides, offset = win
    return 0 if 0 in shape else offset + sum((n - 1) * s for n, s in zip(shape, strides, strict=True)) + 1


def as_strided_backward(dy, source, win):
    """Each element of memory under `source` gets the sum of the dy of the places at which `win` shows it."""
    length = max(_reach(source), _reach(win))
    places = window(np.arange(length), win)
    flat = np.zeros(length, dy.dtype)
    np.add.at(flat, places, dy)
    shown = window(np.arange(length), source)
    counts = np.bincount(shown.reshape(-1), minlength=length)
    dx = window(flat, source)
    return dx / counts[shown].astype(dy.dtype) if math.prod(shown.shape) and counts.max() > 1 else dx.copy()


def split_window(dy, source, win):
    """(dy with zeros inside the window, dy inside the window)."""
    flat = _flat_from(dy, source)
    if len(flat) < _reach(win):
        flat = np.concatenate([flat, np.zeros(_reach(win) - len(flat), flat.dtype)])
    inside = window(flat, win).copy()
    window(flat, win)[...] = 0
    return window(flat, source).copy(), inside
