"""`backward` and `grad`: from tensors to one pass of the engine, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.autograd import engine
from tinytorch.autograd.grad_mode import mode
from tinytorch.autograd.node import Edge, Node, as_tensor, gradient_edge
from tinytorch.tensor import Tensor, wrap


class GraphRoot(Node):
    """Stands above all outputs, so that several of them are one graph with one root."""

    def __init__(self, edges: tuple[Edge, ...], seeds: tuple) -> None:
        self.next_functions = edges
        self.seeds = seeds

    def __call__(self, _: Any) -> tuple:
        return self.seeds


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Add to `.grad` of every leaf the gradient of `tensors`, weighted by `grad_tensors` (1 for a single number).

    Args:
        tensors: one or several tensors that require a gradient.
        grad_tensors: for each a tensor of its shape, or None for a tensor of one element.
        retain_graph: keep what was saved, so that backward may run again. Default: the value of `create_graph`.
        create_graph: record the backward pass itself, for second derivatives.
        inputs: fill `.grad` of these only.

    >>> import tinytorch
    >>> x = tinytorch.tensor([2.0], requires_grad=True)
    >>> z = (x + 2) ** 2 + 3
    >>> z.backward(); x.grad
    tensor([8.])
    """
    outputs = (tensors,) if isinstance(tensors, Tensor) else tuple(tensors)
    targets = None
    if inputs is not None:
        targets = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
        if not targets:
            raise RuntimeError("`inputs` argument to `backward` cannot be empty.")
    found = _run(outputs, _seeds(outputs, grad_tensors, create_graph), retain_graph, create_graph, targets)
    if targets is not None:
        before = mode.enabled
        mode.enabled = create_graph
        try:
            for t, gradient in zip(targets, found, strict=True):
                if gradient is not None:
                    engine.accumulate_grad(t, as_tensor(gradient))
        finally:
            mode.enabled = before


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of `outputs` with respect to `inputs`, returned instead of added to `.grad`.

    >>> import tinytorch
    >>> x = tinytorch.tensor(3.0, requires_grad=True)
    >>> (dx,) = grad(x ** 3, x, create_graph=True)
    >>> dx.item(), grad(dx, x)[0].item()
    (27.0, 18.0)
    """
    outs = (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)
    targets = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    if materialize_grads and allow_unused is False:
        raise ValueError("Expected allow_unused to be True or not passed when materialize_grads=True, but got False.")
    found = _run(outs, _seeds(outs, grad_outputs, create_graph), retain_graph, create_graph, targets)
    results = []
    for number, (t, gradient) in enumerate(zip(targets, found, strict=True)):
        if gradient is None and materialize_grads:
            gradient = np.zeros_like(t._array)
        if gradient is None and not allow_unused:
            raise RuntimeError(
                f"The differentiated Tensor at index {number} appears to not have been used in the graph. "
                "Set allow_unused=True if this is the desired behavior."
            )
        results.append(as_tensor(gradient))
    return tuple(results)


def _seeds(outputs: tuple, given: Any, create_graph: bool) -> tuple:
    """The gradients from which the pass starts: arrays, or tensors where it is to be recorded."""
    if given is None:
        given = (None,) * len(outputs)
    elif isinstance(given, Tensor):
        given = (given,)
    if len(given) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(given)} gradients")
    seeds = []
    for number, (output, seed) in enumerate(zip(outputs, given, strict=True)):
        if not output.requires_grad:
            raise RuntimeError(f"element {number} of tensors does not require grad and does not have a grad_fn")
        if seed is None:
            if output._array.size != 1:
                raise RuntimeError("grad can be implicitly created only for scalar outputs")
            ones = np.ones(output._array.shape, output._array.dtype)
            seeds.append(wrap(ones) if create_graph else ones)
            continue
        if not isinstance(seed, Tensor):
            raise TypeError(f"gradients can be either Tensors or None, but got {type(seed).__name__}")
        if seed._array.shape != output._array.shape:
            raise RuntimeError(
                f"Mismatch in shape: grad_output[{number}] has a shape of {seed.shape} and "
                f"output[{number}] has a shape of {output.shape}."
            )
        seeds.append(seed if create_graph else seed._array)
    return tuple(seeds)


def _run(outputs: tuple, seeds: tuple, retain: bool | None, create_graph: bool, targets: tuple | None) -> list:
    """One pass; gives the gradients that arrive at `targets` (an empty list for none: then leaves accumulate)."""
    retain = create_graph if retain is None else retain
    root = GraphRoot(tuple([gradient_edge(t) for t in outputs]), seeds)
    order = engine.topological_order(root)
    gradients: dict[Node, list] = {node: [None] * node.num_outputs for node in order}
    gradients[root] = [True]
    edges: list[Edge] = []
    if targets is not None:
        edges = [_target_edge(t, i) for i, t in enumerate(targets)]
        order = _only_towards(order, {node for node, _ in edges})
    if retain:
        for node in order:
            node.retain = True
    before = mode.enabled
    mode.enabled = create_graph
    capture = _Capture(edges, order)
    try:
        engine.backward_pass(order, gradients)
        return [capture.result(edge, gradients, t) for edge, t in zip(edges, targets or (), strict=True)]
    finally:
        mode.enabled = before
        capture.close()
        if retain:
            for node in order:
                node.retain = False


def _target_edge(t: Tensor, number: int) -> Edge:
    if not t.requires_grad:
        raise RuntimeError(f"One of the differentiated Tensors does not require grad (the one at index {number})")
    return gradient_edge(t)


def _only_towards(order: list[Node], targets: set) -> list[Node]:
    """The nodes of `order` from which a target can be reached, without targets that lead to no other."""
    leads = set()
    for node in reversed(order):
        if any(following in targets or following in leads for following, _ in node.next_functions):
            leads.add(node)
    return [node for node in order if node in leads]


class _Capture:
    """Notes the gradients that arrive at certain outputs of nodes that run on."""

    def __init__(self, edges: list[Edge], order: list[Node]) -> None:
        self.seen: dict[Edge, Any] = {}
        self.handles: list[tuple[Node, Any]] = []
        running = set(order) if edges else ()
        for node, slot in set(edges):
            if node in running:
                entry = (None, {0: self._note(node, slot)})
                node._pre_hooks = [*(node._pre_hooks or ()), entry]
                self.handles.append((node, entry))

    def _note(self, node: Node, slot: int) -> Any:
        def note(incoming: tuple) -> None:
            self.seen[node, slot] = incoming[slot]

        return note

    def result(self, edge: Edge, gradients: dict, t: Tensor) -> Any:
        node, slot = edge
        if edge in self.seen:
            return self.seen[edge]
        incoming = gradients.get(node)
        if incoming is None or incoming[slot] is None:
            return None
        if node._pre_hooks:
            incoming = node._run_pre_hooks(tuple(incoming))
        found = incoming[slot]
        if t._hooks and t._grad_fn is None:
            for hook in tuple(t._hooks.values()):
                given = hook(as_tensor(found))
                found = found if given is None else given
        return found

    def close(self) -> None:
        for node, entry in self.handles:
            node._pre_hooks.remove(entry)
