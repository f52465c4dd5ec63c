"""`autograd.Function`: differentiable operations that users write, on tensors, with static methods."""

from __future__ import annotations

from typing import Any

from tinytorch.autograd.grad_mode import mode, no_grad
from tinytorch.autograd.node import _counter, as_tensor, gradient_edge
from tinytorch.autograd.op import Op
from tinytorch.autograd.saved import Saved
from tinytorch.tensor import Tensor


class _Context(Op):
    """What a user's forward and backward get as `ctx`, and the node in the graph."""

    def __init__(self, function: type[Function], inputs: tuple) -> None:
        self.function = function
        self._inputs = inputs
        self._to_save: tuple = ()
        self._non_differentiable: tuple = ()
        self._dirty: tuple = ()
        self._materialize = True

    def name(self) -> str:
        return f"{self.function.__name__}Backward"

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep inputs or outputs of forward for backward; writes to them in between are noticed."""
        self._to_save = tensors

    @property
    def saved_tensors(self) -> tuple:
        self._on_tensors = True
        return self.saved

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        self._non_differentiable = tensors

    def mark_dirty(self, *tensors: Tensor) -> None:
        self._dirty = tensors

    def set_materialize_grads(self, value: bool) -> None:
        self._materialize = value

    def backward(self, *gradients: Any) -> Any:
        arrays = not any(isinstance(g, Tensor) for g in gradients)
        given = []
        for gradient, form in zip(gradients, self._forms, strict=True):
            if gradient is None and self._materialize and form is not None:
                import numpy as np

                gradient = np.zeros(*form)
            given.append(as_tensor(gradient))
        results = self.function.backward(self, *given)
        results = results if isinstance(results, tuple) else (results,)
        expected = len(self._positions)
        extra = results[expected:]
        if len(results) < expected or any(g is not None for g in extra):
            raise RuntimeError(
                f"function {self.name()} returned an incorrect number of gradients "
                f"(expected {expected}, got {len(results)})"
            )
        results = tuple(results[i] for i, is_tensor in enumerate(self._positions) if is_tensor)
        return tuple(g._array if arrays and isinstance(g, Tensor) else g for g in results)


class Function:
    """Base class: write `forward(ctx, *args)` and `backward(ctx, *gradients)` as static methods, call `apply`.

    >>> import tinytorch
    >>> class Cube(Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x ** 3
    ...     @staticmethod
    ...     def backward(ctx, dy):
    ...         (x,) = ctx.saved_tensors
    ...         return 3 * x ** 2 * dy
    >>> x = tinytorch.tensor([2.0], requires_grad=True)
    >>> Cube.apply(x).backward(); x.grad
    tensor([12.])
    """

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with "
            "backward mode AD."
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Any) -> None:
        raise NotImplementedError

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run forward outside the graph, and put one node for all of it into the graph."""
        tensors = tuple([a for a in args if isinstance(a, Tensor)])
        ctx = _Context(cls, tensors)
        ctx._positions = [isinstance(a, Tensor) for a in args]
        with no_grad():
            if cls.setup_context is not Function.setup_context:
                made = cls.forward(*args, **kwargs)
                cls.setup_context(ctx, args, made)
            else:
                made = cls.forward(ctx, *args, **kwargs)
        outputs = made if isinstance(made, tuple) else (made,)
        if mode.enabled and any(t.requires_grad for t in tensors):
            outputs = _link(ctx, tensors, outputs)
        return outputs if isinstance(made, tuple) else outputs[0]


def _link(ctx: _Context, tensors: tuple, outputs: tuple) -> tuple:
    ctx.next_functions = tuple([gradient_edge(t) for t in tensors])
    ctx._fit = tuple([(t._array.shape, t._array.dtype) for t in tensors])
    ctx.sequence = next(_counter)
    ctx.num_outputs = len(outputs)
    linked = []
    for number, out in enumerate(outputs):
        if isinstance(out, Tensor) and any(out is t for t in tensors) and not any(out is d for d in ctx._dirty):
            out = out.detach()  # an input handed through: the output is a tensor of its own
            out._base = None
        linked.append(out)
        if not isinstance(out, Tensor) or any(out is n for n in ctx._non_differentiable):
            continue
        if not out.dtype.is_floating_point:
            continue
        if any(out is d for d in ctx._dirty):
            if out._requires_grad and out._grad_fn is None:
                raise RuntimeError("a leaf Variable that requires grad has been used in an in-place operation.")
            out._storage.version += 1
        out._requires_grad, out._grad_fn, out._output_nr = True, ctx, number
    ctx._forms = tuple([(o._array.shape, o._array.dtype) if isinstance(o, Tensor) else None for o in linked])
    saved: list = []
    for t in ctx._to_save:
        if t is None:
            saved.append(None)
            continue
        number = next((i for i, o in enumerate(outputs) if o is t), None)
        is_input = any(t is i for i in tensors)
        saved.append(Saved(t._array, t._storage, None if number is not None and not is_input else t, number))
    ctx._saved = tuple(saved)
    ctx._inputs = ()
    return tuple(linked)


def once_differentiable(backward: Any) -> Any:
    """For a backward that is computed outside the graph: a second derivative through it is an error."""
    import functools

    @functools.wraps(backward)
    def once(ctx: Any, *gradients: Any) -> Any:
        with no_grad():
            results = backward(ctx, *gradients)
        if not mode.enabled or not any(isinstance(g, Tensor) and g.requires_grad for g in gradients):
            return results
        single = not isinstance(results, tuple)
        blocked = [_blocked(r) if isinstance(r, Tensor) else r for r in ((results,) if single else results)]
        return blocked[0] if single else tuple(blocked)

    return once


class _Once(Op):
    def name(ctx) -> str:
        return "DelayedErrorBackward0"

    def backward(ctx, dy):
        raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")


def _blocked(t: Tensor) -> Tensor:
    node = _Once()
    node.sequence = next(_counter)
    node.next_functions = ((None, 0),)
    out = t.detach()
    out._base = None
    out._requires_grad, out._grad_fn = True, node
    return out
