"""Products of matrices: BLAS, through NumPy."""

from __future__ import annotations

import numpy as np


def mm(a, b):
    """(N, K) @ (K, M) -> (N, M)"""
    if a.dtype.kind == "V" or a.dtype == np.float16:  # halves: products summed in float32, then rounded once
        return (a.astype(np.float32) @ b.astype(np.float32)).astype(a.dtype)
    return a @ b


def matmul(a, b):
    """(..., N, K) @ (..., K, M) -> (..., N, M), leading dimensions broadcast."""
    if a.dtype.kind == "V" or a.dtype == np.float16:
        return (a.astype(np.float32) @ b.astype(np.float32)).astype(a.dtype)
    return a @ b


def linear(x, weight, bias):
    """(..., in) with weight (out, in) and bias (out,) or None -> (..., out)"""
    y = mm(x.reshape(-1, x.shape[-1]), weight.T)
    if bias is not None:
        y += bias
    return y.reshape(*x.shape[:-1], weight.shape[0])
