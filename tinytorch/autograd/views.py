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
from tinytorch.autograd import anomaly
from tinytorch.autograd.grad_mode import mode
from tinytorch.autograd.node import AccumulateGrad, Node, _counter, gradient_edge
from tinytorch.autograd.op import Op
from tinytorch.autograd.saved import Saved
from tinytorch.tensor import Tensor, element_strides, wrap

Window = tuple[tuple[int, ...], tuple[int, ...], int]  # shape, strides and offset, counted in elements

_new = object.__new__


def window_of(t: Tensor) -> Window:
    """The window through which `t` looks at its storage."""
    return t._array.shape, element_strides(t._array), t.storage_offset()


class ViewOp(Op):
    """Base of the operations whose outputs show the memory of their input: nothing is copied.

    `forward(ctx, x, *params)` gives a NumPy view of x, or a list of them.
    """

    @classmethod
    def apply(cls, source: Tensor, *params: Any) -> Any:  # type: ignore[override]
        ctx = _new(cls)
        made = ctx.forward(source._array, *params)
        if type(made) is list:
            views = tuple([_view(source, array, ctx) for array in made])
            ctx.num_outputs = len(made)
            for number, view in enumerate(views):
                view._output_nr = number
                view._creation = view._creation or "multi"
            return views
        return _view(source, made, ctx)


def _view(source: Tensor, array: np.ndarray, ctx: ViewOp) -> Tensor:
    """A tensor that shows part of the memory of `source`, recorded where a gradient is wanted."""
    view = _new(Tensor)
    view._array = array
    storage = view._storage = source._storage
    base = source._base
    if base is None:
        base = source
    else:
        view._creation = source._creation
    view._base = base
    view._seen_version = storage.version
    if not mode.enabled:
        view._creation = view._creation or ("inference" if mode.inference else "no_grad")
        view._inference = source._inference
    elif source._requires_grad or base._requires_grad:
        node = source._grad_fn
        if node is None or (base is not source and source._seen_version != storage.version):
            edge = gradient_edge(source)
            ctx.feeds_leaf = type(edge[0]) is AccumulateGrad
        else:
            edge = node, source._output_nr
        ctx.next_functions = (edge,)
        ctx.sequence = next(_counter)
        view._requires_grad = True
        view._grad_fn = ctx
        if anomaly.state.enabled:
            anomaly.remember_forward(ctx)
    return view


class AsStrided(ViewOp):
    """y = the window (shape, strides, offset) of x's storage;  dx: every element of memory gets the sum of its dy"""

    def forward(ctx, x, buffer, source, window):
        ctx.source, ctx.window = source, window
        return kernels.of(x).window(buffer, window)

    def backward(ctx, dy):
        return kernels.of(dy).as_strided_backward(dy, ctx.source, ctx.window)


class CopySlices(Op):
    """y = x with one window replaced by r;  dx = dy with zeros in the window,  dr = dy inside the window"""

    def name(ctx) -> str:
        return "CopySlices"

    def backward(ctx, dy):
        return kernels.of(dy).split_window(dy, ctx.source, ctx.window)


def current_grad_fn(t: Tensor) -> Any:
    """The node of `t`; for a view whose memory was written to since, worked out anew from its base."""
    base = t._base
    if base is None or t._seen_version == t._storage.version or not (t._grad_fn or base._requires_grad):
        return t._grad_fn
    if t._creation is not None and mode.enabled:
        raise RuntimeError(_forbidden(t, "its base or another view of its base has been"))
    _look_through(t, gradient_edge(base), window_of(base), window_of(t))
    return t._grad_fn


def _look_through(t: Tensor, edge: tuple, source: Window, window: Window) -> None:
    """Make the node of the view `t` "this window of its base", where `edge` leads to the base."""
    node = AsStrided()
    node.source, node.window = source, window
    node.next_functions = (edge,)
    node.sequence = next(_counter)
    t._grad_fn, t._output_nr, t._seen_version = node, 0, t._storage.version


def check_in_place(t: Tensor, *others: Any) -> None:
    """Refuse a write of something made from `others` into `t` that autograd could not follow. PyTorch's reasons."""
    if not mode.enabled:
        return
    if t._inference:
        raise RuntimeError(
            "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a "
            "normal tensor before doing inplace update."
        )
    wanted = t.requires_grad
    if wanted or (t._creation is not None and any([isinstance(o, Tensor) and o.requires_grad for o in others])):
        base = t._base
        if t._creation is not None:
            raise RuntimeError(_forbidden(t, "is being"))
        if base is not None and base._requires_grad and base._grad_fn is None:
            raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")
        if t._grad_fn is None:  # as in PyTorch also for a view whose base got its node since, until that is asked for
            raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")


def check_no_overlap(t: Tensor) -> None:
    """Refuse to write different numbers into one place of memory, as an expanded tensor would have it."""
    array = t._array
    twice = 0 in array.strides and any([s == 0 and n > 1 for n, s in zip(array.shape, array.strides, strict=True)])
    if twice and array.size:
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            "Please clone() the tensor before performing the operation."
        )


def _forbidden(t: Tensor, happened: str) -> str:
    """Why the view `t` may not be written to: how it was made, and what one can do instead."""
    made = {"no_grad": "no_grad", "inference": "inference"}.get(t._creation or "", "no_grad")
    node = t._grad_fn
    if node is None:
        what = f"A view was created in {made} mode and {happened} modified inplace with grad mode enabled."
    else:
        maker = node.name().removesuffix("0").removesuffix("1").removesuffix("2").removesuffix("Backward")
        what = f"Output {t._output_nr} of {maker} is a view"
        what += (
            f" and {happened} modified inplace."
            if t._creation == "multi"
            else (
                f" of a view which was created in {made} mode and {happened} modified inplace with grad mode enabled."
            )
        )
    if t._creation == "multi":
        return (
            f"{what} This view is the output of a function that returns multiple views. Such "
            f"functions do not allow the "
            "output views to be modified inplace. You should replace the inplace operation by an out-of-place one."
        )
    return (
        f"{what} Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by "
        f"moving both the view and the inplace either both inside the {made} block (if "
        f"you don't want the inplace to be "
        "tracked) or both outside (if you want the inplace to be tracked)."
    )


def in_place(t: Tensor, function: Callable[..., Tensor], *args: Any, **kwargs: Any) -> Tensor:
    """Write `function(t, ...)` into t's own memory: `t.exp_()` is `in_place(t, exp)`.

    The result is computed in full before anything is written: a call that fails leaves `t` as it was.
    """
    check_in_place(t, *args)
    since = next(_counter)
    return write_back(t, function(t, *args, **kwargs), since)


def write_back(t: Tensor, result: Tensor, since: int | None = None) -> Tensor:
    """Put a result into the memory of `t`, and make its node the node of `t`.

    `since` is a number of the nodes' counter: every node made after it took part in computing the result.
    """
    array = result._array
    if array.shape != t._array.shape:
        raise RuntimeError(
            f"output with shape {list(t._array.shape)} doesn't match the broadcast shape {list(array.shape)}"
        )
    if _RANK[array.dtype.kind] > _RANK[t._array.dtype.kind]:
        source, target = (x.dtype.legacy.removesuffix("Tensor") for x in (result, t))
        raise RuntimeError(f"result type {source} can't be cast to the desired output type {target}")
    check_no_overlap(t)
    node = result._grad_fn
    if node is None:
        if mode.enabled and t.requires_grad:  # overwritten by what has no gradient: what was there gets 0
            from tinytorch.ops.inplace import copy_

            return copy_(t, result)
        t._array[...] = array
        t._storage.version += 1
        return t
    check_in_place(t, result)
    edge = gradient_edge(t) if t._base is None else gradient_edge(t._base)
    _keep_saved_inputs(node, t, node.sequence if since is None else since)
    t._array[...] = array
    t._storage.version += 1
    if array.dtype != t._array.dtype:
        from tinytorch.ops.cast import to_dtype

        result = to_dtype(result, t.dtype)
        node = result._grad_fn
    _saved_output_moved(node, t, array)
    rebase(t, node, result._output_nr, edge)
    return t


def rebase(t: Tensor, node: Node, output_nr: int, before: tuple) -> None:
    """After a write into `t`: its gradient now goes to `node`; `before` is where that of `t`, or of its base, went."""
    base = t._base
    if base is None:
        t._grad_fn, t._output_nr, t._requires_grad = node, output_nr, True
        return
    copy = CopySlices()
    copy.source, copy.window = window_of(base), window_of(t)
    copy.next_functions = (before, (node, output_nr))
    copy.sequence = next(_counter)
    base._grad_fn, base._output_nr, base._requires_grad = copy, 0, True
    t._requires_grad = True
    _look_through(t, (copy, 0), copy.source, copy.window)


def _keep_saved_inputs(node: Any, t: Tensor, since: int) -> None:
    """Where backward needs what was in `t` (x.mul_(y) for dy), it keeps a copy before the memory changes."""
    before = None
    nodes, seen = [node], {node}
    while nodes:
        node = nodes.pop()
        saved = getattr(node, "_saved", None)
        if saved and any([type(s) is Saved and s.tensor is t for s in saved]):
            if before is None:
                before = wrap(t._array.copy())
                before._requires_grad, before._grad_fn, before._output_nr = t.requires_grad, t.grad_fn, t._output_nr
            node._saved = tuple(
                [
                    Saved(before._array, before._storage, before, None) if type(s) is Saved and s.tensor is t else s
                    for s in saved
                ]
            )
        for following, _ in node.next_functions:
            if following is not None and following.sequence > since and following not in seen:
                seen.add(following)
                nodes.append(following)


def _saved_output_moved(node: Any, t: Tensor, old: np.ndarray) -> None:
    """Where backward needs the op's output (exp_, sigmoid_), it is now found in the memory of `t`."""
    if getattr(node, "_saved", None):
        node._saved = tuple(
            [
                Saved(t._array, t._storage, None, s.output_nr) if type(s) is Saved and s.array is old else s
                for s in node._saved
            ]
        )


_RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "V": 2}
