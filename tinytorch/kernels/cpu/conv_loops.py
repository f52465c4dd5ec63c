"""Compiled loops for windows on images: float32, spatial dimensions lifted to three, borders of zeros already there.

The innermost loop always runs along a row of the output, with everything else fixed: that is where the compiler can
work on many elements at once.
"""

from __future__ import annotations

import numpy as np

from tinytorch.kernels.cpu.loops import inlined, loop, prange, reassociate


@inlined
def copy_row(source, first, step, target):
    if step == 1:
        for w in range(target.size):
            target[w] = source[first + w]
    else:
        for w in range(target.size):
            target[w] = source[first + w * step]


@inlined
def add_to_row(source, target, first, step):
    if step == 1:
        for w in range(source.size):
            target[first + w] += source[w]
    else:
        for w in range(source.size):
            target[first + w * step] += source[w]


@loop
def gather(x, stride, dilation, height, first_row, columns):
    """columns[n, c, i, j, k, row, w]: what lies under place (i, j, k) of the kernel in the window at (row, w).

    Rows count through depth and height of the output together, from `first_row` on.
    """
    images, channels, kd, kh, kw, rows, _ = columns.shape
    for plane in prange(images * channels):
        n, c = plane // channels, plane % channels
        for i in range(kd):
            for j in range(kh):
                for k in range(kw):
                    for r in range(rows):
                        d = (first_row + r) // height * stride[0] + i * dilation[0]
                        h = (first_row + r) % height * stride[1] + j * dilation[1]
                        copy_row(x[n, c, d, h], k * dilation[2], stride[2], columns[n, c, i, j, k, r])


@loop
def scatter(columns, stride, dilation, height, first_row, dx):
    """Add columns at the places that `gather` takes them from."""
    images, channels, kd, kh, kw, rows, _ = columns.shape
    for plane in prange(images * channels):
        n, c = plane // channels, plane % channels
        for i in range(kd):
            for j in range(kh):
                for k in range(kw):
                    for r in range(rows):
                        d = (first_row + r) // height * stride[0] + i * dilation[0]
                        h = (first_row + r) % height * stride[1] + j * dilation[1]
                        add_to_row(columns[n, c, i, j, k, r], dx[n, c, d, h], k * dilation[2], stride[2])


# ---- depthwise convolution: each channel with kernels of its own ------------------------------------------------


@loop
def depthwise(x, weight, stride, dilation, y):
    """y[n, o] = weight[o, 0] laid on x[n, c] at every window, where c = o // (outputs for each channel)"""
    outputs = y.shape[1]
    each = outputs // x.shape[1]
    for plane in prange(y.shape[0] * outputs):
        n, o = plane // outputs, plane % outputs
        for d in range(y.shape[2]):
            for h in range(y.shape[3]):
                row = y[n, o, d, h]
                row[:] = 0
                for i in range(weight.shape[2]):
                    for j in range(weight.shape[3]):
                        source = x[n, o // each, d * stride[0] + i * dilation[0], h * stride[1] + j * dilation[1]]
                        for k in range(weight.shape[4]):
                            factor, first = weight[o, 0, i, j, k], k * dilation[2]
                            if stride[2] == 1:
                                for w in range(row.size):
                                    row[w] += factor * source[first + w]
                            else:
                                for w in range(row.size):
                                    row[w] += factor * source[first + w * stride[2]]


@loop
def depthwise_input(dy, weight, stride, dilation, dx):
    """Add each dy[n, o] to its window of dx[n, c], in the proportions of weight[o, 0]."""
    channels = dx.shape[1]
    each = dy.shape[1] // channels
    for plane in prange(dx.shape[0] * channels):
        n, c = plane // channels, plane % channels
        for o in range(c * each, (c + 1) * each):
            for d in range(dy.shape[2]):
                for h in range(dy.shape[3]):
                    row = dy[n, o, d, h]
                    for i in range(weight.shape[2]):
                        for j in range(weight.shape[3]):
                            target = dx[n, c, d * stride[0] + i * dilation[0], h * stride[1] + j * dilation[1]]
                            for k in range(weight.shape[4]):
                                factor, first = weight[o, 0, i, j, k], k * dilation[2]
                                if stride[2] == 1:
                                    for w in range(row.size):
                                        target[first + w] += factor * row[w]
                                else:
                                    for w in range(row.size):
                                        target[first + w * stride[2]] += factor * row[w]


@reassociate
def depthwise_weight(x, dy, stride, dilation, dweight):
    """dweight[o, 0] = Σ over images and windows of dy[n, o] · the window of x[n, c]"""
    each = dy.shape[1] // x.shape[1]
    for o in prange(dy.shape[1]):
        for n in range(dy.shape[0]):
            for d in range(dy.shape[2]):
                for h in range(dy.shape[3]):
                    row = dy[n, o, d, h]
                    for i in range(dweight.shape[2]):
                        for j in range(dweight.shape[3]):
                            source = x[n, o // each, d * stride[0] + i * dilation[0], h * stride[1] + j * dilation[1]]
                            for k in range(dweight.shape[4]):
                                total, first = np.float32(0), k * dilation[2]
                                if stride[2] == 1:
                                    for w in range(row.size):
                                        total += row[w] * source[first + w]
                                else:
                                    for w in range(row.size):
                                        total += row[w] * source[first + w * stride[2]]
                                dweight[o, 0, i, j, k] += total
