"""Derivatives of functions as a whole: Jacobians, Hessians, and their products with vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.autograd.backward import grad
from tinytorch.autograd.grad_mode import enable_grad
from tinytorch.tensor import Tensor, wrap


def vjp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """`func(inputs)` and the vector-Jacobian product vᵀJ: what one backward pass computes.

    >>> import tinytorch
    >>> vjp(lambda x: x * x, tinytorch.tensor([1., 2.]), tinytorch.tensor([1., 1.]))[1]
    tensor([2., 4.])
    """
    with enable_grad():
        given, single = _prepare(inputs, create_graph)
        outputs, single_out = _call(func, given, strict)
        seeds = _vector(
            v,
            outputs,
            "The vector v can only be None if the user-provided function returns a single Tensor with a single "
            "element.",
        )
        found = _gradients(outputs, given, seeds, create_graph, strict)
    return _unwrap(outputs, single_out, create_graph), _unwrap(found, single, create_graph)


def jvp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """`func(inputs)` and the Jacobian-vector product Jv, by two backward passes (the double-backward trick)."""
    with enable_grad():
        given, _ = _prepare(inputs, create_graph)
        outputs, single_out = _call(func, given, strict)
        directions = _vector(
            v,
            given,
            "The vector v can only be None if the input to the user-provided function is a single Tensor with a "
            "single element.",
        )
        dummies = tuple(wrap(np.zeros_like(o._array)).requires_grad_() for o in outputs)
        first = _gradients(outputs, given, dummies, True, strict)  # linear in the dummies: its gradient is J itself
        found = _gradients(first, dummies, directions, create_graph, False)
    return _unwrap(outputs, single_out, create_graph), _unwrap(found, single_out, create_graph)


def jacobian(
    func: Callable,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """All first derivatives: for output of shape O and input of shape I a tensor of shape O + I.

    >>> import tinytorch
    >>> jacobian(lambda x: x * x, tinytorch.tensor([1., 2.]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    with enable_grad():
        given, single = _prepare(inputs, create_graph)
        outputs, single_out = _call(func, given, strict)
        table = []
        for output in outputs:
            rows: list[list] = [[] for _ in given]
            for at in np.ndindex(output._array.shape):
                seed = np.zeros_like(output._array)
                seed[at] = 1
                for column, g in zip(
                    rows, _gradients((output,), given, (wrap(seed),), create_graph, strict), strict=True
                ):
                    column.append(g)
            table.append(tuple(_stack(r, output, t, create_graph) for r, t in zip(rows, given, strict=True)))
    entries = tuple(row[0] if single else row for row in table)
    return entries[0] if single_out else entries


def hessian(func: Callable, inputs: Any, create_graph: bool = False, strict: bool = False, **_: Any) -> Any:
    """All second derivatives of a function that gives one number: shape I + I.

    >>> import tinytorch
    >>> hessian(lambda x: (x ** 3).sum(), tinytorch.tensor([1., 2.]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    single = isinstance(inputs, Tensor)

    def first(*given: Tensor) -> Any:
        out = func(*given)
        if not isinstance(out, Tensor):
            raise RuntimeError("The function given to hessian should return a single Tensor")
        if out._array.size != 1:
            raise RuntimeError("The Tensor returned by the function given to hessian should contain a single element")
        found = jacobian(func, given if not single else given[0], create_graph=True, strict=strict)
        shaped = [j.reshape(t._array.shape) for j, t in zip((found,) if single else found, given, strict=True)]
        return shaped[0] if single else tuple(shaped)

    return jacobian(first, inputs, create_graph=create_graph, strict=strict)


def _prepare(inputs: Any, create_graph: bool) -> tuple[tuple, bool]:
    single = isinstance(inputs, Tensor)
    given = (inputs,) if single else tuple(inputs)
    for i, t in enumerate(given):
        if not isinstance(t, Tensor):
            raise TypeError(f"The inputs given to the function should be Tensors, number {i} is {type(t).__name__}")
    if create_graph:
        return tuple(t.view_as(t) if t.requires_grad else t.detach().requires_grad_() for t in given), single
    return tuple(t.detach().requires_grad_() for t in given), single


def _call(func: Callable, given: tuple, strict: bool) -> tuple[tuple, bool]:
    made = func(*given)
    single = isinstance(made, Tensor)
    return ((made,) if single else tuple(made)), single


def _vector(v: Any, like: tuple, message: str) -> tuple:
    if v is None:
        if len(like) != 1 or like[0]._array.size != 1:
            raise RuntimeError(message)
        return (wrap(np.ones_like(like[0]._array)),)
    given = (v,) if isinstance(v, Tensor) else tuple(v)
    for i, (a, b) in enumerate(zip(given, like, strict=True)):
        if a._array.shape != b._array.shape:
            raise RuntimeError(f"Entry {i} in v has size {a.shape} and should have size {b.shape}")
    return given


def _gradients(outputs: tuple, inputs: tuple, seeds: tuple, create_graph: bool, strict: bool) -> tuple:
    """Gradients with zeros where an input is not used; an error there if `strict`."""
    pairs = [(o, s) for o, s in zip(outputs, seeds, strict=True) if o.requires_grad]
    found: tuple = (None,) * len(inputs)
    if pairs:
        found = grad(
            [o for o, _ in pairs],
            inputs,
            [s for _, s in pairs],
            retain_graph=True,
            create_graph=create_graph,
            allow_unused=True,
        )
    if strict and any(g is None for g in found):
        raise RuntimeError(
            "The output of the user-provided function is independent of one of its inputs. This is not allowed in "
            "strict mode."
        )
    return tuple(wrap(np.zeros_like(t._array)) if g is None else g for g, t in zip(found, inputs, strict=True))


def _stack(rows: list, output: Tensor, t: Tensor, create_graph: bool) -> Tensor:
    from tinytorch.ops.joining import stack

    shape = tuple(output._array.shape) + tuple(t._array.shape)
    if not rows:
        return wrap(np.zeros(shape, t._array.dtype))
    stacked = stack(rows).reshape(shape)
    return stacked if create_graph else stacked.detach()


def _unwrap(found: tuple, single: bool, create_graph: bool) -> Any:
    kept = found if create_graph else tuple(t.detach() for t in found)
    return kept[0] if single else kept


__all__ = ["hessian", "jacobian", "jvp", "vjp"]
