"""Reading and writing at places given by indices and masks.

Indices were checked before: they lie inside of the array. A verb that ends in `_into` writes into its first argument.
"""

from __future__ import annotations

import math

import numpy as np

from tinytorch.kernels.cpu import fast

# ---- x[index] ---------------------------------------------------------------------------------------------------


def take_index(x, index):
    """x[index] with arrays of numbers or bools among slices: a copy."""
    dim = len(index) - 1
    if type(index[dim]) is np.ndarray and index[dim].dtype != bool and all([type(i) is slice for i in index[:dim]]):
        return x.take(index[dim], axis=dim)
    return x[index]


def add_index(like, index, dy):
    """Zeros, with dy added at an index in which elements may occur more than once: the gradient of `take_index`."""
    dx = np.zeros(*like)
    add_index_into(dx, index, dy)
    return dx


def add_index_into(x, index, values):
    """x[index] += values, where an element that is named twice gets both."""
    arrays = [i for i in index if type(i) is np.ndarray]
    if all([a.dtype == bool for a in arrays]):
        x[index] += values
        return
    dim = len(index) - 1
    if len(arrays) == 1 and type(index[dim]) is np.ndarray and arrays[0].ndim == 1 and x.ndim > 1:
        shape = (*x.shape[:dim], len(arrays[0]), *x.shape[dim + 1 :])
        index_add_into(x, dim, arrays[0], np.broadcast_to(values, shape))
        return
    places = np.arange(x.size).reshape(x.shape)[index]
    _on_flat(x, lambda flat: fast.add_at(flat, places.reshape(-1), np.broadcast_to(values, places.shape).reshape(-1)))


def put_index_into(x, index, values):
    x[index] = values


def zero_at(x, index):
    """x with zeros at an index."""
    y = x.copy()
    y[index] = 0
    return y


def _on_flat(x, change):
    """Let `change` write into x as a one-dimensional array in the order of its indices."""
    if x.flags.c_contiguous:
        change(x.reshape(-1))
    else:
        flat = x.flatten()
        change(flat)
        x[...] = flat.reshape(x.shape)


# ---- whole slices: index has one dimension ----------------------------------------------------------------------


def index_select(x, dim, index):
    """x's slices at `index` along `dim`."""
    return x.take(index, axis=dim)


def index_add_into(x, dim, index, source):
    """x's slice index[i] += the slice i of source. Slices that go to the same place are sorted together and summed."""
    if dim == 0 and x.ndim > 1 and source.dtype is x.dtype and fast.is_fast(x) and source.size:
        rows = np.ascontiguousarray(source).reshape(len(index), -1)
        fast.loops().add_slices(rows, np.ascontiguousarray(index), x.reshape(len(x), -1))
        return
    index = np.where(index < 0, index + x.shape[dim], index)
    order = np.argsort(index, kind="stable")
    ordered = index[order]
    first = np.flatnonzero(np.diff(ordered, prepend=-1))  # where a new number begins
    if len(first) == len(index):
        x[_at(dim, index)] += source
    elif len(first):
        x[_at(dim, ordered[first])] += np.add.reduceat(source.take(order, axis=dim), first, axis=dim, dtype=x.dtype)


def index_add(x, dim, index, source):
    y = x.copy()
    index_add_into(y, dim, index, source)
    return y


def index_fill(x, dim, index, value):
    y = x.copy()
    y[_at(dim, index)] = value
    return y


def _at(dim, index):
    return (*(slice(None),) * dim, index)


# ---- single elements along one dimension: index has as many dimensions as x -------------------------------------


def places_along(shape, dim, index):
    """The places in flat memory of the elements that `index` names along `dim`, for an array of the given shape."""
    if not shape:
        return index.reshape(-1)
    steps = [math.prod(shape[d + 1 :]) for d in range(len(shape))]
    places = index * steps[dim] if steps[dim] > 1 else index
    for d, n in enumerate(index.shape):
        if d != dim and n > 1:
            places = places + (np.arange(n) * steps[d]).reshape([n if i == d else 1 for i in range(len(shape))])
    return places.reshape(-1)


def _along_rows(x, dim, index):
    """Whether a compiled loop over rows fits: large float32 rows in order, indexed along the last dimension."""
    return dim == x.ndim - 1 and index.shape[:-1] == x.shape[:-1] and index.flags.c_contiguous and fast.is_fast(x)


def gather(x, dim, index):
    """y[i, j] = x[index[i, j], j] for dim 0, y[i, j] = x[i, index[i, j]] for dim 1, and so on."""
    if _along_rows(x, dim, index):
        y = np.empty(index.shape, x.dtype)
        fast.loops().gather_rows(fast.as_rows(x), fast.as_rows(index), fast.as_rows(y))
        return y
    return x.reshape(-1).take(places_along(x.shape, dim, index)).reshape(index.shape)


def scatter_add_into(x, dim, index, source):
    """x[index[i, j], j] += source[i, j] for dim 0, and so on; source has the shape of index."""
    if _along_rows(x, dim, index) and source.dtype is x.dtype:
        fast.loops().scatter_add_rows(fast.as_rows(np.ascontiguousarray(source)), fast.as_rows(index), fast.as_rows(x))
        return
    places = places_along(x.shape, dim, index)
    _on_flat(x, lambda flat: fast.add_at(flat, places, source.reshape(-1)))


def scatter_add(x, dim, index, source):
    y = x.copy()
    scatter_add_into(y, dim, index, source)
    return y


def scatter_into(x, dim, index, source):
    """x[index[i, j], j] = source[i, j] for dim 0, and so on; source has the shape of index, or is a number."""
    places = places_along(x.shape, dim, index)
    values = source.reshape(-1) if isinstance(source, np.ndarray) else source

    def change(flat):
        flat[places] = values

    _on_flat(x, change)


def scatter(x, dim, index, source):
    y = x.copy()
    scatter_into(y, dim, index, source)
    return y


def scatter_reduce_into(x, dim, index, source, reduce, include_self):
    """Like `scatter_add_into` with sum, prod, mean, amax or amin; without what is in x where `include_self` is off."""
    places = places_along(x.shape, dim, index)
    values = source.reshape(-1)
    ufunc = {"prod": np.multiply, "amax": np.maximum, "amin": np.minimum}.get(reduce, np.add)

    def change(flat):
        if not include_self:
            flat[places] = {"sum": 0, "mean": 0, "prod": 1}.get(reduce, values)
            if reduce in ("amax", "amin"):
                flat[places[::-1]] = values[::-1]
        ufunc.at(flat, places, values)
        if reduce == "mean":
            counts = np.bincount(places, minlength=len(flat)) + include_self
            counts = np.maximum(counts, 1)
            flat[...] = flat // counts if flat.dtype.kind in "iu" else flat / counts

    _on_flat(x, change)


def counts_along(shape, dim, index, include_self, dtype):
    """How many values each element of a scatter got, with its own where `include_self`; at least 1."""
    counts = np.bincount(places_along(shape, dim, index), minlength=math.prod(shape)) + include_self
    return np.maximum(counts, 1).reshape(shape).astype(dtype)


# ---- x seen as one long row --------------------------------------------------------------------------------------


def take(x, index):
    return x.reshape(-1).take(index)


def put(x, index, source, accumulate):
    y = np.ascontiguousarray(x).copy().reshape(x.shape)
    put_into(y, index, source, accumulate)
    return y


def put_into(x, index, source, accumulate):
    places = index.reshape(-1)
    values = source.reshape(-1) if isinstance(source, np.ndarray) else source

    def change(flat):
        if accumulate:
            np.add.at(flat, places, values)
        else:
            flat[places] = values

    _on_flat(x, change)


# ---- masks --------------------------------------------------------------------------------------------------------


def masked_fill(x, mask, value):
    """x with a number where the mask is true."""
    return np.where(mask, np.asarray(value).astype(x.dtype), x)


def masked_fill_into(x, mask, value):
    np.copyto(x, np.asarray(value).astype(x.dtype), where=mask)


def masked_select(x, mask):
    """The elements of x where the mask, of the same shape, is true: a row."""
    return x[mask]


def masked_scatter(x, mask, source):
    """x with the elements of a row, one after the other, where the mask, of the same shape, is true."""
    y = x.copy()
    y[mask] = source.reshape(-1)[: np.count_nonzero(mask)]
    return y
