"""Nodes and edges: what the graph of a computation is made of.

Every recorded operation leaves one `Node`. Its `next_functions` point backwards, to the nodes that made its inputs;
the gradient flows along them. A leaf ends in an `AccumulateGrad` node, which adds what arrives to `leaf.grad`.
"""

from __future__ import annotations

import itertools
import sys
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.autograd import engine
from tinytorch.tensor import Tensor, wrap

Edge = tuple["Node | None", int]  # a node and which of its outputs is meant

_counter = itertools.count()


class Node:
    """One operation in the graph: calling it turns the gradients of its outputs into those of its inputs."""

    next_functions: tuple[Edge, ...] = ()
    num_outputs = 1
    sequence = -1  # the order in which nodes were made
    retain = False  # keep what was saved after this node ran (`retain_graph=True`)
    metadata: dict | None = None
    _pre_hooks: list | None = None  # of (slot or None, dict of functions)
    _post_hooks: dict | None = None

    def name(self) -> str:
        return type(self).__name__

    def __call__(self, *gradients: Any) -> tuple[Any, ...]:
        raise NotImplementedError

    def release(self) -> None:
        """Let go of what was saved for backward."""

    def register_prehook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(gradients of the outputs)` before this node runs; what it returns replaces them."""
        return self._add_pre_hook(None, hook)

    def register_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(gradients of the inputs, gradients of the outputs)` after this node ran."""
        if self._post_hooks is None:
            self._post_hooks = {}
        return RemovableHandle(self._post_hooks, hook)

    def _add_pre_hook(self, slot: int | None, hook: Callable) -> RemovableHandle:
        if self._pre_hooks is None:
            self._pre_hooks = []
        hooks: dict = {}
        self._pre_hooks.append((slot, hooks))
        return RemovableHandle(hooks, hook)

    def _run_pre_hooks(self, gradients: tuple) -> tuple:
        found = list(gradients)
        for slot, hooks in self._pre_hooks or ():
            for hook in tuple(hooks.values()):
                if slot is None:
                    given = hook(tuple(as_tensor(g) for g in found))
                    if given is not None:
                        found = [like(g, old) for g, old in zip(given, found, strict=True)]
                elif found[slot] is not None:
                    given = hook(as_tensor(found[slot]))
                    if given is not None:
                        found[slot] = like(given, found[slot])
        return tuple(found)

    def _run_post_hooks(self, results: tuple, gradients: tuple) -> tuple:
        for hook in tuple((self._post_hooks or {}).values()):
            given = hook(tuple(as_tensor(g) for g in results), tuple(as_tensor(g) for g in gradients))
            if given is not None:
                given = given if isinstance(given, tuple) else (given,)
                results = tuple(like(g, gradients[0]) for g in given)
        return results

    def __repr__(self) -> str:
        return f"<{self.name().rpartition('::')[2]} object at {id(self):#x}>"


class RemovableHandle:
    """Returned where a hook is registered; `remove()` takes the hook out again, also at the end of a `with` block."""

    _ids = itertools.count()

    def __init__(self, hooks: dict, hook: Callable) -> None:
        self.hooks = hooks
        self.id = next(RemovableHandle._ids)
        hooks[self.id] = hook

    def remove(self) -> None:
        self.hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


class AccumulateGrad(Node):
    """The end of the way: adds the gradient that arrives to the leaf's `.grad`."""

    fresh: Any = None  # a gradient on its way here that nobody else holds: it may be kept without a copy

    def __init__(self, variable: Tensor) -> None:
        self.variable = variable
        self.sequence = next(_counter)

    def name(self) -> str:
        return "torch::autograd::AccumulateGrad"

    def __call__(self, gradient: Any) -> tuple[()]:
        leaf = self.variable
        if self._pre_hooks:
            (gradient,) = self._run_pre_hooks((gradient,))
        if isinstance(gradient, Tensor):
            grad = gradient
        else:
            grad = wrap(np.asarray(gradient))
            grad._fresh = gradient is self.fresh
        self.fresh = None
        if leaf._hooks:
            for hook in tuple(leaf._hooks.values()):
                given = hook(grad)
                grad = grad if given is None else given
        engine.accumulate_grad(leaf, grad)
        if leaf._post_hooks:
            for hook in tuple(leaf._post_hooks.values()):
                hook(leaf)
        return ()


def gradient_edge(t: Tensor | None) -> Edge:
    """Where the gradient of `t` goes: the node that made it, its leaf's AccumulateGrad, or nowhere."""
    if t is None:
        return None, 0
    node = t._grad_fn if t._base is None else t.grad_fn
    if node is not None:
        return node, t._output_nr
    if not t._requires_grad:
        return None, 0
    node = t._accumulator() if t._accumulator is not None else None
    if node is None:
        node = AccumulateGrad(t)
        t._accumulator = weakref.ref(node)
    return node, 0


def mark_fresh(results: tuple, edges: tuple[Edge, ...]) -> None:
    """Tell leaves which of these gradients nobody but `results` holds: they are no saved value, no other node's."""
    for gradient, (node, _) in zip(results, edges, strict=True):
        own_memory = type(gradient) is np.ndarray and gradient.base is None and gradient.flags.c_contiguous
        if own_memory and type(node) is AccumulateGrad and sys.getrefcount(gradient) == _HELD_ONCE:
            node.fresh = gradient


def _held_once() -> int:
    for gradient, _ in zip((np.empty(1),), (None,), strict=True):
        return sys.getrefcount(gradient)
    raise AssertionError


_HELD_ONCE = _held_once()  # what getrefcount says, in such a loop, of an array that only its tuple holds


def as_tensor(gradient: Any) -> Any:
    """A gradient as hooks see it: a tensor, or None."""
    return gradient if gradient is None or isinstance(gradient, Tensor) else wrap(np.asarray(gradient))


def like(gradient: Any, model: Any) -> Any:
    """What a hook gave back, in the form (array or tensor) in which this pass runs."""
    if isinstance(gradient, Tensor) and not isinstance(model, Tensor):
        return gradient._array
    return gradient
