"""Views and writes in place: how a gradient finds its way when two tensors show the same memory.

A view remembers its base. When either of them is written to, the base gets a new node, `CopySlices`, which says "as
before, but this window was replaced by that result"; and a view whose memory changed works out its node anew, as
"this window of what the base is now" (`AsStrided`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch import kernels
from tinytorch.autograd.grad_mode import mode
from tinytorch.autograd.node import _counter, gradient_edge
from tinytorch.autograd.op import Op
from tinytorch.autograd.saved import Saved
from tinytorch.tensor import Tensor, element_strides, wrap

Window = tuple[tuple[int, ...], tuple[int, ...], int]  # shape, strides and offset, counted in elements


def window_of(t: Tensor) -> Window:
    """The window through which `t` looks at its storage."""
    return t._array.shape, element_strides(t._array), t.storage_offset()


class AsStrided(Op):
    """y = the window (shape, strides, offset) of x's storage;  dx: every element of memory gets the sum of its dy"""

    is_view = True

    def forward(ctx, x, buffer, source, window):
        ctx.source, ctx.window = source, window
        return kernels.of(x).window(buffer, window)

    def backward(ctx, dy):
        return kernels.of(dy).as_strided_backward(dy, ctx.source, ctx.window)


class CopySlices(Op):
    """y = x with one window replaced by r;  dx = dy with zeros in the window,  dr = dy inside the window"""

    variant = 0

    def name(ctx) -> str:
        return "CopySlices"

    def backward(ctx, dy):
        return kernels.of(dy).split_window(dy, ctx.source, ctx.window)


def current_grad_fn(t: Tensor) -> Any:
    """The node of `t`; for a view whose memory was written to since, worked out anew from its base."""
    base = t._follows
    if base is None or t._seen_version == t._storage.version or base._grad_fn is None:
        return t._grad_fn
    node = AsStrided()
    node.source, node.window = window_of(base), window_of(t)
    node.next_functions = (gradient_edge(base),)
    node.sequence = next(_counter)
    t._grad_fn, t._output_nr, t._seen_version = node, 0, t._storage.version
    return node


def check_in_place(t: Tensor) -> None:
    """Refuse a write that autograd could not follow. PyTorch's reasons, in its words."""
    if not mode.enabled:
        return
    if t._inference and not mode.inference:
        raise RuntimeError(
            "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a "
            "normal tensor before doing inplace update."
        )
    if t._requires_grad and t.grad_fn is None:
        raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")
    base = t._follows
    if base is not None and base._requires_grad and base._grad_fn is None:
        raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")


def in_place(t: Tensor, function: Callable[..., Tensor], *args: Any, **kwargs: Any) -> Tensor:
    """Write `function(t, ...)` into t's own memory: `t.exp_()` is `in_place(t, exp)`.

    The result is computed in full before anything is written: a call that fails leaves `t` as it was.
    """
    check_in_place(t)
    return write_back(t, function(t, *args, **kwargs))


def write_back(t: Tensor, result: Tensor) -> Tensor:
    """Put a result into the memory of `t`, and make its node the node of `t`."""
    array = result._array
    if array.shape != t._array.shape:
        raise RuntimeError(
            f"output with shape {list(t._array.shape)} doesn't match the broadcast shape {list(array.shape)}"
        )
    if _RANK[array.dtype.kind] > _RANK[t._array.dtype.kind]:
        source, target = (x.dtype.legacy.removesuffix("Tensor") for x in (result, t))
        raise RuntimeError(f"result type {source} can't be cast to the desired output type {target}")
    if result._grad_fn is None:
        t._array[...] = array
        t._storage.version += 1
        return t
    base = t._follows
    base_edge = (None, 0) if base is None else gradient_edge(base)
    if t._made_in_no_grad and t._base is not None:
        raise RuntimeError(
            "A view was created in no_grad mode and is being modified inplace with grad mode enabled. Given that this "
            "use case is ambiguous and error-prone, it is forbidden."
        )
    _saved_input_kept(result._grad_fn, t)
    t._array[...] = array
    t._storage.version += 1
    if result._array.dtype != t._array.dtype:
        from tinytorch.ops.cast import to_dtype

        result = to_dtype(result, t.dtype)
    node = result._grad_fn
    _saved_output_moved(node, t, array)
    if base is None:
        t._grad_fn, t._output_nr, t._requires_grad = node, result._output_nr, True
        return t
    copy = CopySlices()
    copy.source, copy.window = window_of(base), window_of(t)
    copy.next_functions = (base_edge, (node, result._output_nr))
    copy.sequence = next(_counter)
    base._grad_fn, base._output_nr, base._requires_grad = copy, 0, True
    t._requires_grad = True
    return t


def _saved_input_kept(node: Op, t: Tensor) -> None:
    """Where backward needs the op's input as it was (x.mul_(y) for dy), it keeps a copy before the memory changes."""
    if not node._saved or not any(type(s) is Saved and s.tensor is t for s in node._saved):
        return
    before = wrap(t._array.copy())
    before._requires_grad, before._grad_fn, before._output_nr = t.requires_grad, t.grad_fn, t._output_nr
    node._saved = tuple([
        Saved(before._array, before._storage, before, None) if type(s) is Saved and s.tensor is t else s
        for s in node._saved
    ])


def _saved_output_moved(node: Op, t: Tensor, old: np.ndarray) -> None:
    """Where backward needs the op's output (exp_, sigmoid_), it is now found in the memory of `t`."""
    if node._saved:
        node._saved = tuple([
            Saved(t._array, t._storage, None, s.output_nr) if type(s) is Saved and s.array is old else s
            for s in node._saved
        ])


_RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "V": 2}
