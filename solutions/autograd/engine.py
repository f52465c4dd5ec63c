"""Reference bodies of the exercises in `tinytorch/autograd/engine.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinytorch.autograd.engine import own
from tinytorch.autograd.grad_mode import mode

if TYPE_CHECKING:
    from tinytorch.autograd.node import Node
    from tinytorch.tensor import Tensor


def unbroadcast(grad: Any, shape: tuple[int, ...]) -> Any:
    new = grad.ndim - len(shape)  # dimensions that broadcasting put in front
    stretched = [i + new for i, length in enumerate(shape) if length == 1 and grad.shape[i + new] != 1]
    axes = (*range(new), *stretched)
    return grad.sum(axis=axes, keepdims=True).reshape(shape) if axes else grad


def topological_order(root: Node) -> list[Node]:
    order = []
    seen = {root}
    stack = [(root, iter(root.next_functions))]
    while stack:
        node, edges = stack[-1]
        for following, _ in edges:
            if following is not None and following not in seen:
                seen.add(following)
                stack.append((following, iter(following.next_functions)))
                break
        else:  # everything that this node leads to is in `order` already
            order.append(node)
            stack.pop()
    order.reverse()
    return order


def accumulate(total: Any, grad: Any) -> Any:
    return grad if total is None else total + grad


def accumulate_grad(leaf: Tensor, grad: Tensor) -> None:
    if leaf.grad is None:
        leaf.grad = own(grad)  # a copy, unless nobody else holds it
    elif mode.enabled:  # this pass is itself recorded, and what is recorded may not be overwritten
        leaf.grad = leaf.grad + grad
    else:
        leaf.grad.add_(grad)


def backward_pass(order: list[Node], gradients: dict[Node, list[Any]]) -> None:
    for node in order:
        incoming = gradients.pop(node)
        if all([g is None for g in incoming]):
            continue
        outgoing = node(*incoming)
        for (following, slot), grad in zip(node.next_functions, outgoing, strict=True):
            if following is not None and grad is not None:
                places = gradients[following]
                places[slot] = accumulate(places[slot], grad)
