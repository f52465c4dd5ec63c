"""Dropout: noise against overfitting, on while training and off in evaluation."""

from __future__ import annotations

from tinytorch.nn import functional as F
from tinytorch.nn.modules.module import Module
from tinytorch.tensor import Tensor


class Dropout(Module):
    """While training, each element becomes 0 with probability p, and the others are divided by 1 - p.

    Source: Hinton et al., "Improving neural networks by preventing co-adaptation of feature detectors".

    >>> from tinytorch import nn, ones
    >>> nn.Dropout(0.5).eval()(ones(3))
    tensor([1., 1., 1.])
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        F.check_probability(p)
        self.p = p
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"
