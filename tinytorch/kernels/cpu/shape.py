"""Windows on memory: the same numbers under another shape, and back again for gradients; joining and repeating."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided


def reshape(x, shape):
    """A view where strides allow it, else a copy."""
    return x.reshape(shape)


def view(x, shape):
    """x under another shape, without a copy; ValueError where the strides do not allow it."""
    return x.reshape(shape) if x.flags.c_contiguous else x.reshape(shape, copy=False)


def expand(x, shape):
    """x with dimensions of length 1 stretched and new ones put in front: their stride is 0."""
    new = len(shape) - x.ndim
    strides = [s if n == m else 0 for n, m, s in zip(x.shape, shape[new:], x.strides, strict=True)]
    return restride(x, shape, [0] * new + strides)


def restride(x, shape, strides):
    """The memory from x's first element on, under another shape and other strides, which must stay inside of x."""
    if x.size and x.flags.c_contiguous:
        return np.ndarray(shape, x.dtype, x, 0, strides)
    return as_strided(x, shape, strides)


def transpose(x, dim0, dim1):
    return x.swapaxes(dim0, dim1)


def permute(x, dims):
    return x.transpose(dims)


def unsqueeze(x, dim):
    return np.expand_dims(x, dim)


def diagonal(x, offset, dim1, dim2):
    """The elements whose indices along two dimensions differ by `offset`, as the last dimension: a view."""
    n, m = x.shape[dim1], x.shape[dim2]
    length = max(min(n, m - offset) if offset >= 0 else min(n + offset, m), 0)
    rest = [d for d in range(x.ndim) if d not in (dim1, dim2)]
    start = [slice(None)] * x.ndim
    if length:
        start[dim1], start[dim2] = slice(max(-offset, 0), None), slice(max(offset, 0), None)
    corner = x[tuple(start)]
    shape = [corner.shape[d] for d in rest] + [length]
    return as_strided(corner, shape, [x.strides[d] for d in rest] + [x.strides[dim1] + x.strides[dim2]])


def put_diagonal(like, offset, dim1, dim2, dy):
    """Zeros with dy on a diagonal: the gradient of `diagonal`."""
    dx = np.zeros(*like)
    diagonal(dx, offset, dim1, dim2)[...] = dy
    return dx


def sliding(x, dim, size, step):
    """Windows of `size` elements along a dimension, one every `step`: a view, with the window as its last dimension."""
    count = (x.shape[dim] - size) // step + 1
    shape = (*x.shape[:dim], count, *x.shape[dim + 1 :], size)
    stride = x.strides[dim]
    return as_strided(x, shape, (*x.strides[:dim], stride * step, *x.strides[dim + 1 :], stride))


def add_windows(like, dim, size, step, dy):
    """Zeros with every window of dy added at its place: the gradient of `sliding`."""
    dx = np.zeros(*like)
    lead = (slice(None),) * dim
    for i in range(size):  # elements with the same place in their windows never overlap
        last = i + step * (dy.shape[dim] - 1) + 1
        dx[(*lead, slice(i, last, step))] += dy[..., i]
    return dx


# ---- joining and repeating --------------------------------------------------------------------------------------


def cat(arrays, dim):
    return np.concatenate(arrays, axis=dim)


concatenate = cat


def stack(arrays, dim):
    return np.stack(arrays, axis=dim)


def repeat(x, times):
    """x laid side by side `times[d]` times along dimension d (as many numbers as dimensions)."""
    pairs = [n for pair in zip(times, x.shape, strict=True) for n in pair]
    alone = [n for length in x.shape for n in (1, length)]
    return expand(x.reshape(alone), pairs).reshape([t * n for t, n in zip(times, x.shape, strict=True)])


def roll(x, shifts, dims):
    return np.roll(x, shifts, dims)


def flip(x, dims):
    return np.ascontiguousarray(np.flip(x, dims)) if x.ndim else x.copy()


def rot90(x, k, dims):
    return np.ascontiguousarray(np.rot90(x, k, dims))


# ---- indexing by numbers and slices -----------------------------------------------------------------------------


def zeros(shape, dtype):
    return np.zeros(shape, dtype)


def take_slice(x, index):
    """x[index] for basic indices (numbers, slices, None, ...): a view."""
    return x[index]


def take_inserted(x, index):
    """x[index] with None in the index: new dimensions get the strides that PyTorch gives, left to right."""
    y = x[index]
    strides, at, dim = list(y.strides), 0, 0  # the next dimension of y, and of x
    for number, part in enumerate(index):
        if part is None:
            strides[at] = x.shape[dim] * x.strides[dim] if dim < x.ndim else x.itemsize
            at += 1
        elif part is Ellipsis:
            rest = x.ndim - dim - sum([p is not None for p in index[number + 1 :]])
            at, dim = at + rest, dim + rest
        else:
            at, dim = at + isinstance(part, slice), dim + 1
    return restride(y, y.shape, strides)


def put_slice(shape_like, index, dy):
    """Zeros of a shape and dtype, with dy written at a basic index: the gradient of `take_slice`."""
    shape, dtype = shape_like
    dx = np.zeros(shape, dtype)
    dx[index] = dy
    return dx


# ---- windows: (shape, strides, offset) in elements, on flat memory ----------------------------------------------


def window(buffer, window):
    """The part of a flat buffer that a window shows."""
    shape, strides, offset = window
    if 0 in shape:
        return np.empty(shape, buffer.dtype)
    size = buffer.itemsize
    return np.ndarray(shape, buffer.dtype, buffer, offset * size, [s * size for s in strides])


def reach(win):
    """One more than the last place that a window shows."""
    shape, strides, offset = win
    return 0 if 0 in shape else offset + sum([(n - 1) * s for n, s in zip(shape, strides, strict=True)]) + 1


def overlaps(win):
    """Whether a window may show one place more than once."""
    covered = 1
    for stride, n in sorted(zip(win[1], win[0], strict=True)):
        if n > 1:
            if stride < covered:
                return True
            covered = stride * (n - 1) + covered
    return False


def _laid_out(x, win, length):
    """Flat zeros in which the window holds a copy of x."""
    flat = np.zeros(length, x.dtype)
    window(flat, win)[...] = x
    return flat


def as_strided_backward(dy, source, win):
    """Each element of memory under `source` gets the sum of the dy of the places at which `win` shows it."""
    length = max(reach(source), reach(win))
    if not overlaps(win):
        flat = _laid_out(dy, win, length)
    else:
        flat = np.zeros(length, dy.dtype)
        np.add.at(flat, window(np.arange(length), win), dy)
    dx = window(flat, source)
    if not overlaps(source):
        return dx.copy()
    shown = window(np.arange(length), source)
    return dx / np.bincount(shown.reshape(-1), minlength=length)[shown].astype(dy.dtype)


def strided_again(x, source, win):
    """The window `win` of memory in which `source` holds x: what `as_strided` gives, as a copy."""
    return window(_laid_out(x, source, max(reach(source), reach(win))), win).copy()


def split_window(dy, source, win):
    """(dy with zeros inside the window, dy inside the window)."""
    flat = _laid_out(dy, source, max(reach(source), reach(win)))
    inside = window(flat, win).copy()
    window(flat, win)[...] = 0
    return window(flat, source).copy(), inside


def join_window(outside, inside, source, win):
    """`outside` with the window replaced by `inside`: the gradient of `split_window`."""
    flat = _laid_out(outside, source, max(reach(source), reach(win)))
    window(flat, win)[...] = inside
    return window(flat, source).copy()
