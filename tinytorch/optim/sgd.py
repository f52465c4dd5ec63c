"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tinytorch import kernels
from tinytorch.optim.optimizer import Group, Optimizer, check_options, count_write, not_negative
from tinytorch.tensor import wrap


class SGD(Optimizer):
    """p ← p - lr · g, with momentum: b ← momentum · b + (1 - dampening) · g, and b in the place of g.

    Args:
        lr: learning rate. momentum: how much of the last step is kept. dampening: how much of g is left out of b.
        weight_decay: adds weight_decay · p to g. nesterov: g + momentum · b in the place of b.
        maximize: climb instead. foreach, fused: accepted; there is one implementation.

    Source: Sutskever et al. (2013), "On the importance of initialization and momentum in deep learning".

    >>> from tinytorch import nn, ones
    >>> p = nn.Parameter(ones(1))
    >>> optimizer = SGD([p], lr=0.1)
    >>> (p * 5).sum().backward(); optimizer.step(); p.item()
    0.5
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        not_negative("learning rate", lr)
        not_negative("momentum value", momentum)
        not_negative("weight_decay value", weight_decay)
        check_options(differentiable=differentiable)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
                "foreach": foreach,
                "differentiable": differentiable,
                "fused": fused,
            },
        )

    def update(self, group: Group) -> None:
        momentum = group["momentum"]
        options = (
            float(group["lr"]),
            momentum,
            group["dampening"],
            float(group["weight_decay"]),
            group["nesterov"],
            group["maximize"],
        )
        for p in group["params"]:
            if p._grad is None:
                continue
            state = self.state[p] if momentum else {}
            buffer = state.get("momentum_buffer")
            made = kernels.of(p._array).sgd(
                p._array, p._grad._array, None if buffer is None else buffer._array, *options
            )
            if momentum and buffer is None:
                state["momentum_buffer"] = wrap(made)
            count_write(p)
