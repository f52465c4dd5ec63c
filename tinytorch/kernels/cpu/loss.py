"""Softmax and what is built on it."""

from __future__ import annotations

import numpy as np


def log_softmax(x, dim):
    """x - max - log(sum(exp(x - max))): the largest exponent is 0, so nothing overflows."""
    shifted = x - np.max(x, axis=dim, keepdims=True) if x.size else x
    return shifted - np.log(np.exp(shifted).sum(axis=dim, keepdims=True))


def softmax(x, dim):
    e = np.exp(x - np.max(x, axis=dim, keepdims=True)) if x.size else x
    return e / e.sum(axis=dim, keepdims=True)
