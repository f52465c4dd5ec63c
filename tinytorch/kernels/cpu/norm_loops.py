"""Compiled loops of the normalisations by channel; that of whole rows (`layer_norm`) is in `loops.py`.

Each sum runs over one contiguous line in float32, several partial sums side by side; the sums of lines are added in
float64. See `loops.py` for what the decorator allows the compiler.
"""

from __future__ import annotations

import math

from numba import prange

from tinytorch.kernels.cpu.loops import ZERO, f32, reassociate


@reassociate
def batch_norm(x, weight, bias, eps, y, mean, var):
    """x of shape (N, C, S): each channel to mean 0 and variance 1, then times its weight plus its bias."""
    samples, channels, size = x.shape
    count = samples * size
    for c in prange(channels):
        total = 0.0
        for n in range(samples):
            s = ZERO
            for i in range(size):
                s += x[n, c, i]
            total += s
        m = f32(total / count)
        total = 0.0
        for n in range(samples):
            s = ZERO
            for i in range(size):
                s += (x[n, c, i] - m) * (x[n, c, i] - m)
            total += s
        v = total / count
        k = f32(1 / math.sqrt(v + eps)) * weight[c]
        for n in range(samples):
            for i in range(size):
                y[n, c, i] = (x[n, c, i] - m) * k + bias[c]
        mean[c], var[c] = m, f32(v)


@reassociate
def batch_norm_backward(dy, x, weight, mean, rstd, dx, dweight, dbias):
    samples, channels, size = x.shape
    count = samples * size
    for c in prange(channels):
        m, k = mean[c], rstd[c]
        total, along = 0.0, 0.0  # Σ dy and Σ dy · x̂, where x̂ is the normalised input
        for n in range(samples):
            s, t = ZERO, ZERO
            for i in range(size):
                s += dy[n, c, i]
                t += dy[n, c, i] * (x[n, c, i] - m)
            total += s
            along += t * k
        dweight[c], dbias[c] = f32(along), f32(total)
        g, p, q = k * weight[c], f32(total / count), f32(along / count)
        for n in range(samples):
            for i in range(size):
                dx[n, c, i] = g * (dy[n, c, i] - p - (x[n, c, i] - m) * k * q)


@reassociate
def group_norm(x, weight, bias, eps, y, mean, var):
    """x of shape (rows, C, S), a row being a group of a sample: each row to mean 0 and variance 1.

    weight and bias have shape (groups, C); row r belongs to group r modulo groups.
    """
    rows, channels, size = x.shape
    count = channels * size
    for r in prange(rows):
        total = 0.0
        for c in range(channels):
            s = ZERO
            for i in range(size):
                s += x[r, c, i]
            total += s
        m = f32(total / count)
        total = 0.0
        for c in range(channels):
            s = ZERO
            for i in range(size):
                s += (x[r, c, i] - m) * (x[r, c, i] - m)
            total += s
        v = total / count
        group = r % weight.shape[0]
        for c in range(channels):
            k = f32(1 / math.sqrt(v + eps)) * weight[group, c]
            b = bias[group, c]
            for i in range(size):
                y[r, c, i] = (x[r, c, i] - m) * k + b
        mean[r], var[r] = m, f32(v)


@reassociate
def group_norm_backward(dy, x, weight, mean, rstd, dx, dweight, dbias):
    """dweight and dbias have shape (rows, C): to be summed over the samples."""
    rows, channels, size = x.shape
    count = channels * size
    for r in prange(rows):
        m, k = mean[r], rstd[r]
        group = r % weight.shape[0]
        total, along = 0.0, 0.0  # Σ g and Σ g · x̂, where g = dy · weight
        for c in range(channels):
            s, t = ZERO, ZERO
            for i in range(size):
                s += dy[r, c, i]
                t += dy[r, c, i] * (x[r, c, i] - m)
            t = t * k
            dweight[r, c], dbias[r, c] = t, s
            total += s * weight[group, c]
            along += t * weight[group, c]
        p, q = f32(total / count), f32(along / count)
        for c in range(channels):
            w = weight[group, c]
            for i in range(size):
                dx[r, c, i] = k * (dy[r, c, i] * w - p - (x[r, c, i] - m) * k * q)
