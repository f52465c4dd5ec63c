"""Adam: steps scaled, element by element, by running averages of the gradient and of its square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinytorch import kernels
from tinytorch.optim.optimizer import Group, Optimizer, check_options, count_write, not_negative
from tinytorch.tensor import Tensor, wrap


class Adam(Optimizer):
    """m ← β₁ m + (1 - β₁) g,  v ← β₂ v + (1 - β₂) g²,  p ← p - lr · m̂ / (√v̂ + eps)

    m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ) undo that both averages start at 0.

    Args:
        lr: learning rate. betas: (β₁, β₂). eps: keeps the division finite.
        weight_decay: adds weight_decay · p to g; with `decoupled_weight_decay` p is shrunk instead, as in AdamW.
        amsgrad: divide by the largest v so far. maximize: climb instead.
        foreach, fused: accepted; there is one implementation.

    Source: Kingma and Ba (2014), "Adam: A Method for Stochastic Optimization"; Reddi et al. (2018) for amsgrad.

    >>> from tinytorch import nn, ones
    >>> p = nn.Parameter(ones(1))
    >>> optimizer = Adam([p], lr=0.1)
    >>> (p * 5).sum().backward(); optimizer.step(); round(p.item(), 4)  # the first step has length lr
    0.9
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        not_negative("learning rate", lr)
        not_negative("epsilon value", eps)
        for index in (0, 1):
            if not 0.0 <= betas[index] < 1.0:
                raise ValueError(f"Invalid beta parameter at index {index}: {betas[index]}")
        not_negative("weight_decay value", weight_decay)
        check_options(differentiable=differentiable)
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "differentiable": differentiable,
                "fused": fused,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
        )

    def update(self, group: Group) -> None:
        beta1, beta2 = map(float, group["betas"])
        options = (
            float(group["lr"]),
            beta1,
            beta2,
            group["eps"],
            float(group["weight_decay"]),
            group["decoupled_weight_decay"],
            group["maximize"],
        )
        for p in group["params"]:
            if p._grad is None:
                continue
            state = self.state[p]
            if not state:
                state.update(_fresh(p, group["amsgrad"]))
            step = state["step"]._array
            step += 1
            largest = state["max_exp_avg_sq"]._array if group["amsgrad"] else None
            kernels.of(p._array).adam(
                p._array,
                p._grad._array,
                state["exp_avg"]._array,
                state["exp_avg_sq"]._array,
                largest,
                float(step),
                *options,
            )
            count_write(p)


def _fresh(p: Tensor, amsgrad: bool) -> dict[str, Tensor]:
    state = {"step": wrap(np.zeros((), np.float32)), "exp_avg": wrap(np.zeros_like(p._array))}
    state["exp_avg_sq"] = wrap(np.zeros_like(p._array))
    if amsgrad:
        state["max_exp_avg_sq"] = wrap(np.zeros_like(p._array))
    return state
