"""The engine: how gradients travel backwards through the graph.

This file is the heart of lesson 04. Five of its functions are exercises. The rest of the package calls exactly these
functions: once a body is filled in, every backward pass of every model runs through it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinytorch.autograd.grad_mode import mode
from tinytorch.exercise import exercise

if TYPE_CHECKING:
    from tinytorch.autograd.node import Node
    from tinytorch.tensor import Tensor

__all__ = ["accumulate", "accumulate_grad", "backward_pass", "mode", "own", "topological_order", "unbroadcast"]


@exercise("autograd.unbroadcast", points=2)
def unbroadcast(grad: Any, shape: tuple[int, ...]) -> Any:
    """Sum a gradient down to the shape that its operand had before it was broadcast.

    Forward, an operand of shape `shape` was stretched: dimensions were added in front, and dimensions of length 1 were
    repeated. Each original element was used once for every copy, so its gradient is the sum over all copies.

    Args:
        grad: array (or tensor) of the broadcast shape; `shape` broadcasts to `grad.shape`.
        shape: the operand's own shape.

    Returns:
        An array of exactly the shape `shape`, dtype unchanged.

    Use only what arrays and tensors both have: `grad.ndim`, `grad.shape`, `grad.sum(axis=..., keepdims=...)` (where
    `axis` may be a tuple) and `grad.reshape(shape)`.

    Example: for `grad` of shape (4, 3) and `shape` (3,), the result is `grad.sum(axis=0)`;
    for `shape` (4, 1) it is `grad.sum(axis=1, keepdims=True)`.

    Source: NumPy, "Broadcasting"; PyTorch, "Broadcasting semantics".
    """
    raise NotImplementedError


@exercise("autograd.topological_order", points=3)
def topological_order(root: Node) -> list[Node]:
    """All nodes that the gradient of `root` reaches, each before the nodes that it leads to.

    A node may run only when every node that sends it a gradient has run. `node.next_functions` is a tuple of pairs
    `(next_node, output_nr)`; `next_node` is None where no gradient is wanted.

    Args:
        root: the node from which backward starts.

    Returns:
        A list with `root` first and every reachable node exactly once; if `b` is among the next functions of `a`,
        then `a` stands before `b`.

    A graph may be 100,000 nodes deep: Python's recursion limit is 1,000, so walk it with a stack of your own.

    Example: for z = x*y + x the order is [AddBackward0, MulBackward0, AccumulateGrad(x), AccumulateGrad(y)], or the
    same with the last two exchanged; never with AccumulateGrad(x) before MulBackward0.

    Source: Cormen et al., "Introduction to Algorithms", topological sort; PyTorch, "Autograd mechanics".
    """
    raise NotImplementedError


@exercise("autograd.accumulate", points=1)
def accumulate(total: Any, grad: Any) -> Any:
    """The sum of the gradients that one output has received so far, and one more.

    A value used in two places gets a gradient from each, and they add up (the chain rule in several variables).

    Args:
        total: what has arrived before, or None at first.
        grad: what arrives now, of the same shape.

    Returns:
        `grad` at first, then `total + grad`. Neither argument is changed: both arrays may be held by other nodes.

    Example: `accumulate(None, g)` is `g`; `accumulate(array([1., 2.]), array([3., 4.]))` is `array([4., 6.])`.

    Source: PyTorch, "Autograd mechanics".
    """
    raise NotImplementedError


@exercise("autograd.accumulate_grad", points=2)
def accumulate_grad(leaf: Tensor, grad: Tensor) -> None:
    """Add a gradient that has arrived at a leaf to `leaf.grad`.

    This is why `zero_grad` exists: a second `backward()` adds to what the first one left.

    Args:
        leaf: the tensor; `leaf.grad` is None or a tensor of the leaf's shape.
        grad: the gradient, of the leaf's shape.

    Returns:
        Nothing. Afterwards `leaf.grad` is a copy of `grad` if it was None, else the sum. The first time it must be a
        copy: the memory of `grad` may be shared with the gradient of another tensor (for z = x + y both are the same),
        and a later change of one must not change the other. `grad` itself is left as it is.

    Example: after `accumulate_grad(w, g)` twice on a fresh leaf, `w.grad` equals `2 * g`.

    Source: PyTorch, `torch.Tensor.grad` and `torch.Tensor.backward`.
    """
    raise NotImplementedError


@exercise("autograd.backward_pass", points=3)
def backward_pass(order: list[Node], gradients: dict[Node, list[Any]]) -> None:
    """Run every node once, in order, and hand its results on.

    Args:
        order: nodes in topological order.
        gradients: for each node a list with one place for each of its outputs: the gradient gathered there so far, or
            None. At first only the outputs from which backward starts hold one.

    Returns:
        Nothing. For each node of `order`: take its list out of `gradients`. If every place in it is None, no gradient
        reached this node: go on to the next one. Else call `node(*incoming)`; the result is a tuple with one gradient
        for each entry `(next_node, slot)` of `node.next_functions`. Where the gradient and `next_node` are not None,
        `accumulate` it into `gradients[next_node][slot]`.

    Example: for z = x*y + x, the node of + sends 1 to both of its inputs, the node of * sends y to x and x to y, and
    the place of x then holds y + 1.

    Source: Griewank and Walther, "Evaluating Derivatives", reverse mode; PyTorch, "Autograd mechanics".
    """
    raise NotImplementedError


def own(grad: Tensor) -> Tensor:
    """A gradient whose memory is nobody else's: `grad` itself where its node has just made it, else a copy."""
    return grad if grad._fresh else grad.clone()
