"""Softmax, and the losses built on it."""

from __future__ import annotations

import numpy as np

from tinytorch.kernels.cpu import fast, reduce

_HALVES = ("float16", "bfloat16")


def _wide(x):
    """Halves as float32: their sums and exponentials are formed there and rounded once."""
    return x.astype(np.float32) if x.dtype.name in _HALVES else x


def _by_rows(loop, x):
    """The compiled loop for large arrays, over (rows, n)."""
    rows, y = fast.as_rows(x), np.empty_like(x)
    getattr(fast.loops(), loop)(rows, np.maximum.reduce(rows, axis=1), fast.as_rows(y))
    return y


def log_softmax(x, dim):
    """x - max - log(sum(exp(x - max))): the largest exponent is 0, so nothing overflows."""
    if not x.size:
        return x.copy()
    if dim is not None and dim == x.ndim - 1 and fast.is_fast(x):
        return _by_rows("log_softmax", x)
    wide = _wide(x)
    y = np.asarray(wide - np.maximum.reduce(wide, axis=dim, keepdims=True))
    y -= np.log(np.add.reduce(np.exp(y), axis=dim, keepdims=True))
    return y if wide is x else y.astype(x.dtype)


def log_softmax_backward(dy, y, dim):
    """dy - eʸ · Σ dy"""
    if dim is not None and dim == y.ndim - 1 and fast.is_fast(dy, y):
        return _backward_by_rows("log_softmax_backward", dy, y)
    return dy - np.exp(y) * reduce.sum(dy, dim, True)


def softmax_backward(dy, y, dim):
    """y · (dy - Σ dy · y)"""
    if dim is not None and dim == y.ndim - 1 and fast.is_fast(dy, y):
        return _backward_by_rows("softmax_backward", dy, y)
    return y * (dy - reduce.sum(dy * y, dim, True))


def _backward_by_rows(loop, dy, y):
    dx = np.empty_like(y)
    getattr(fast.loops(), loop)(fast.as_rows(dy), fast.as_rows(y), fast.as_rows(dx))
    return dx


def softmax(x, dim):
    """exp(x - max) / sum(exp(x - max))"""
    if not x.size:
        return x.copy()
    if dim is not None and dim == x.ndim - 1 and fast.is_fast(x):
        return _by_rows("softmax", x)
    wide = _wide(x)
    e = np.asarray(wide - np.maximum.reduce(wide, axis=dim, keepdims=True))
    np.exp(e, out=e)
    e /= np.add.reduce(e, axis=dim, keepdims=True)
    return e if wide is x else e.astype(x.dtype)


# ---- negative log likelihood: y (N, C, d1, ...) or (C,), target (N, d1, ...) or () with class numbers ------------


def _at_class(target):
    """The index of each sample's own class in an array with a class dimension: (sample, class, d1, ...)."""
    if target.ndim == 0:
        return (target,)
    if target.ndim == 1:
        return np.arange(len(target)), target
    first, *rest = np.ogrid[tuple([slice(n) for n in target.shape])]
    return first, target, *rest


def nll(y, target, weight, ignore_index, reduction):
    """The loss, the factor with which each sample's -y[class] goes into it, and the class numbers used.

    Where a target is to be ignored its factor is 0, and class 0 stands in for it.
    """
    classes = y.shape[1] if y.ndim > 1 else y.shape[0]
    target = target.astype(np.int64, copy=False)
    ignored = factor = None
    # Seen as unsigned a negative number is a huge one: one comparison finds those beyond either end.
    beyond = bool(target.size) and np.maximum.reduce(target.view(np.uint64), axis=None) >= classes
    if beyond or 0 <= ignore_index < classes:
        ignored = target == ignore_index
        target = np.where(ignored, 0, target)
        beyond = target.view(np.uint64) >= classes
        if beyond.any():
            raise IndexError(f"Target {int(target[beyond][0])} is out of bounds.")
    if weight is not None:
        factor = weight[target]
    if ignored is not None:
        factor = (~ignored).astype(y.dtype) if factor is None else np.where(ignored, y.dtype.type(0), factor)

    losses = np.negative(y[_at_class(target)])
    if factor is not None:
        losses = losses * factor
    if ignored is not None:
        losses = np.where(ignored, y.dtype.type(0), losses)  # also where 0 · inf would be NaN
    if reduction == "none":
        return losses, y.dtype.type(1) if factor is None else factor, target
    wide = np.float32 if y.dtype.name in _HALVES else None
    total = np.add.reduce(losses, axis=None, dtype=wide)
    if reduction == "sum":
        return y.dtype.type(total), y.dtype.type(1) if factor is None else factor, target
    count = total.dtype.type(target.size) if factor is None else np.add.reduce(factor, axis=None, dtype=wide)
    if factor is None:
        return y.dtype.type(total / count), y.dtype.type(1 / count), target
    share = factor / y.dtype.type(count)
    return y.dtype.type(total / count), share if ignored is None else np.where(ignored, factor, share), target


def take_at_class(x, target):
    """The element of each sample's own class: (N, C, d1, ...) -> (N, d1, ...)"""
    return np.asarray(x[_at_class(target)])


def put_at_class(v, target, shape):
    """Zeros of a shape, with v at each sample's own class: the gradient of `take_at_class`."""
    dx = np.zeros(shape, v.dtype)
    dx[_at_class(target)] = v
    return dx


def cross_entropy_backward(dloss, y, target, factor):
    """dx = s · (softmax - onehot) with s = dloss · factor, where softmax = eʸ"""
    s = dloss * factor
    if y.ndim == 2 and fast.is_fast(y):
        dx = np.empty_like(y)
        fast.loops().cross_entropy_backward(y, np.broadcast_to(s, len(y)).astype(np.float32), target, dx)
        return dx
    dx = np.asarray(np.exp(y))
    dx *= np.expand_dims(s, 1) if s.ndim and y.ndim > 1 else s
    dx[_at_class(target)] -= s
    return dx


def constant(x):
    """What does not depend on an input: an array as it is, on tensors one without a graph."""
    return x


def dropout_mask(noise, p, dtype):
    """0 where uniform noise is below p, else 1 / (1 - p)"""
    keep = (noise >= p).astype(dtype)
    return keep if p == 1 else keep * dtype.type(1 / (1 - p))
