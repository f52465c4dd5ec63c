"""Softmax, and the losses built on it."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import kernels
from tinytorch.autograd.op import Op
from tinytorch.tensor import Tensor, normalize_dim


class LogSoftmax(Op):
    """y = x - log Σ eˣ,  dx = dy - eʸ · Σ dy"""

    def forward(ctx, x, dim):
        ctx.dim = dim
        return ctx.save(kernels.of(x).log_softmax(x, dim))

    def backward(ctx, dy):
        (y,) = ctx.saved
        k = kernels.of(dy)
        return dy - k.exp(y) * k.sum(dy, ctx.dim, True)


class Softmax(Op):
    """y = eˣ / Σ eˣ,  dx = y · (dy - Σ dy · y)"""

    def forward(ctx, x, dim):
        ctx.dim = dim
        return ctx.save(kernels.of(x).softmax(x, dim))

    def backward(ctx, dy):
        (y,) = ctx.saved
        return y * (dy - kernels.of(dy).sum(dy * y, ctx.dim, True))


def log_softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """log(softmax(x)) along a dimension, without overflow."""
    return LogSoftmax.apply(input, dim=normalize_dim(dim, input._array.ndim))


def softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """eˣ / Σ eˣ along a dimension: positive numbers that sum to 1."""
    return Softmax.apply(input, dim=normalize_dim(dim, input._array.ndim))


def nll_loss(input: Tensor, target: Tensor) -> Tensor:
    """The mean of -input[i, target[i]]: input (N, C) holds log-probabilities, target (N,) class numbers."""
    rows = np.arange(input._array.shape[0])
    return -input[rows, target].mean()


def cross_entropy(input: Tensor, target: Tensor) -> Tensor:
    """`nll_loss(log_softmax(input, 1), target)`."""
    return nll_loss(log_softmax(input, 1), target)
