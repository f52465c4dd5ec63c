"""Dimensions merged, and split again."""

from __future__ import annotations

from tinytorch.nn.modules.module import Module
from tinytorch.ops.shape import reshape
from tinytorch.tensor import Tensor, normalize_dim


class Flatten(Module):
    """Merges the dimensions from `start_dim` to `end_dim`, by default all but that of the batch.

    >>> from tinytorch import nn, zeros
    >>> nn.Flatten()(zeros(32, 1, 5, 5)).shape
    torch.Size([32, 25])
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        shape = input.shape
        first, last = normalize_dim(self.start_dim, len(shape)), normalize_dim(self.end_dim, len(shape))
        if first > last:
            raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
        return input if first == last and shape else reshape(input, (*shape[:first], -1, *shape[last + 1 :]))

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
