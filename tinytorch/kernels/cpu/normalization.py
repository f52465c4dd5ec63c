"""Normalisation: numbers brought to mean 0 and variance 1 over some axes, then times a weight plus a bias.

Layer, group, instance and batch normalisation differ only in the axes; a `Form` says which.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tinytorch.kernels.cpu import fast
from tinytorch.kernels.cpu.reduce import mean as average
from tinytorch.kernels.cpu.reduce import wide

_FLOAT32 = np.dtype(np.float32)


class Form(NamedTuple):
    """How an input is looked at: as an array of `shape`, normalised over `axes`, its weight of `weight_shape`."""

    loop: str  # the compiled loop that fits: layer_norm, group_norm, batch_norm
    shape: tuple[int, ...]
    axes: tuple[int, ...]
    weight_shape: tuple[int, ...]

    @property
    def shared_axes(self) -> tuple[int, ...]:
        """The axes along which one weight serves all."""
        return tuple([d for d, n in enumerate(self.weight_shape) if n == 1])


def normalize(x, weight, bias, form, eps):
    """(y, mean, 1 / deviation, variance); the last three have length 1 along the axes, the last may be None."""
    if _is_fast(form, x, weight, bias):
        return _normalize_in_loops(x, weight, bias, form, eps)
    values = wide(x).reshape(form.shape)
    mean = average(values, form.axes, True)
    y = values - mean
    var = average(y * y, form.axes, True)
    rstd = 1 / np.sqrt(var + eps)
    y *= rstd
    if weight is not None:
        y *= weight.reshape(form.weight_shape)
    if bias is not None:
        y += bias.reshape(form.weight_shape)
    return y.reshape(x.shape).astype(x.dtype, copy=False), mean, rstd, var


def normalize_backward(dy, x, weight, mean, rstd, form, eps):
    """(dx, dweight, dbias). With x̂ the normalised input and g = dy · weight:

    dx = (g - mean g - x̂ · mean(g · x̂)) / deviation
    """
    if _is_fast(form, x, weight, dy):
        return _backward_in_loops(dy, x, weight, mean, rstd, form)
    shape = x.shape
    normal = (wide(x).reshape(form.shape) - mean) * rstd
    dy = wide(dy).reshape(form.shape)
    g = dy if weight is None else dy * wide(weight).reshape(form.weight_shape)
    along = average(g * normal, form.axes, True)
    dx = (g - average(g, form.axes, True) - normal * along) * rstd
    dbias = np.add.reduce(dy, axis=form.shared_axes).reshape(-1)
    dweight = np.add.reduce(dy * normal, axis=form.shared_axes).reshape(-1)
    if weight is not None:
        dweight, dbias = dweight.reshape(weight.shape), dbias.reshape(weight.shape)
    return dx.reshape(shape), dweight, dbias


# ---- large float32 arrays ---------------------------------------------------------------------------------------


def _is_fast(form, x, *others):
    """Whether the compiled loop fits: all float32, x large and laid out row by row, lines long enough for vectors."""
    if not fast.is_fast(x) or form.shape[-1] < 4:
        return False
    return all([o is None or (o.dtype is _FLOAT32 and o.flags.c_contiguous) for o in others])


def _loop(name):
    if name.startswith("layer_norm"):
        return getattr(fast.loops(), name)
    from tinytorch.kernels.cpu import norm_loops  # loads Numba

    return getattr(norm_loops, name)


def _as_loops_want(form):
    """(shape of x, shape of the weight, shape of means) in the compiled loop."""
    if form.loop == "group_norm":
        samples, groups, channels, size = form.shape
        return (samples * groups, channels, size), (groups, channels), samples * groups
    if form.loop == "layer_norm":
        return form.shape, (form.shape[1],), form.shape[0]
    return form.shape, (form.shape[1],), form.shape[1]


def _statistics_shape(form):
    return tuple([1 if d in form.axes else n for d, n in enumerate(form.shape)])


def _filled(array, shape, value):
    return np.full(shape, value, _FLOAT32) if array is None else array.reshape(shape)


def _normalize_in_loops(x, weight, bias, form, eps):
    shape, weight_shape, count = _as_loops_want(form)
    y, mean, spread = np.empty(shape, _FLOAT32), np.empty(count, _FLOAT32), np.empty(count, _FLOAT32)
    weight, bias = _filled(weight, weight_shape, 1), _filled(bias, weight_shape, 0)
    _loop(form.loop)(x.reshape(shape), weight, bias, eps, y, mean, spread)
    means, spread = mean.reshape(_statistics_shape(form)), spread.reshape(_statistics_shape(form))
    if form.loop == "layer_norm":  # gives 1 / deviation itself
        return y.reshape(x.shape), means, spread, None
    return y.reshape(x.shape), means, (1 / np.sqrt(spread + eps)).astype(_FLOAT32, copy=False), spread


def _backward_in_loops(dy, x, weight, mean, rstd, form):
    shape, weight_shape, count = _as_loops_want(form)
    w = _filled(weight, weight_shape, 1)
    dx = np.empty(shape, _FLOAT32)
    each = shape[:2] if form.loop == "group_norm" else weight_shape
    dweight, dbias = np.empty(each, _FLOAT32), np.empty(each, _FLOAT32)
    _loop(f"{form.loop}_backward")(
        dy.reshape(shape), x.reshape(shape), w, mean.reshape(count), rstd.reshape(count), dx, dweight, dbias
    )
    if form.loop == "group_norm":  # (samples · groups, channels) -> (groups, channels)
        dweight, dbias = (np.add.reduce(d.reshape(-1, *weight_shape), axis=0) for d in (dweight, dbias))
    if weight is not None:
        dweight, dbias = dweight.reshape(weight.shape), dbias.reshape(weight.shape)
    return dx.reshape(x.shape), dweight, dbias
