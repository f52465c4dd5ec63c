"""Compiled loops for pooling: float32, planes (count, D, H, W); windows as in `pool.py`, (start, stop, step) each."""

from __future__ import annotations

import numpy as np

from tinytorch.kernels.cpu.loops import loop, prange, reassociate


@loop
def max_windows(x, along_d, along_h, along_w, y, index):
    """The largest element of each window and its place in its plane; NaN counts as largest."""
    height, width = x.shape[2], x.shape[3]
    for p in prange(x.shape[0]):
        for d in range(y.shape[1]):
            for h in range(y.shape[2]):
                for w in range(y.shape[3]):
                    place = (along_d[0][d] * height + along_h[0][h]) * width + along_w[0][w]
                    best = np.float32(-np.inf)
                    for i in range(along_d[0][d], along_d[1][d], along_d[2]):
                        for j in range(along_h[0][h], along_h[1][h], along_h[2]):
                            for k in range(along_w[0][w], along_w[1][w], along_w[2]):
                                value = x[p, i, j, k]
                                if value > best or value != value:
                                    best = value
                                    place = (i * height + j) * width + k
                    y[p, d, h, w] = best
                    index[p, d, h, w] = place


@reassociate
def average_windows(x, along_d, along_h, along_w, divisor_d, divisor_h, divisor_w, y):
    """The sum of each window over the product of its divisors: first down the columns, then along the row of sums."""
    for p in prange(x.shape[0]):
        sums = np.empty(x.shape[3], np.float32)
        for d in range(y.shape[1]):
            for h in range(y.shape[2]):
                sums[:] = 0
                for i in range(along_d[0][d], along_d[1][d]):
                    for j in range(along_h[0][h], along_h[1][h]):
                        row = x[p, i, j]
                        for k in range(row.size):
                            sums[k] += row[k]
                outer = np.float32(divisor_d[d] * divisor_h[h])
                for w in range(y.shape[3]):
                    total = np.float32(0)
                    for k in range(along_w[0][w], along_w[1][w]):
                        total += sums[k]
                    y[p, d, h, w] = total / (outer * np.float32(divisor_w[w]))


@loop
def spread_windows(dy, along_d, along_h, along_w, divisor_d, divisor_h, divisor_w, dx):
    """dy over its divisors, added to every element of its window: spread along a row first, then down the columns."""
    for p in prange(dy.shape[0]):
        shares = np.empty(dx.shape[3], np.float32)
        for d in range(dy.shape[1]):
            for h in range(dy.shape[2]):
                shares[:] = 0
                outer = np.float32(divisor_d[d] * divisor_h[h])
                for w in range(dy.shape[3]):
                    share = dy[p, d, h, w] / (outer * np.float32(divisor_w[w]))
                    for k in range(along_w[0][w], along_w[1][w]):
                        shares[k] += share
                for i in range(along_d[0][d], along_d[1][d]):
                    for j in range(along_h[0][h], along_h[1][h]):
                        row = dx[p, i, j]
                        for k in range(row.size):
                            row[k] += shares[k]


@loop
def scatter_planes(dy, index, dx):
    """Add dy at places of its own plane."""
    for p in prange(dy.shape[0]):
        for i in range(dy.shape[1]):
            dx[p, index[p, i]] += dy[p, i]
