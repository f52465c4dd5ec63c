"""Op: a differentiable operation, its forward and its backward side by side.

An op is a small class. `forward(ctx, *arrays, **params)` computes on raw arrays and saves what backward will need;
`backward(ctx, dy)` turns the gradient of the output into those of the inputs. `ctx` is the op's own instance, and the
same object is the node that stays in the graph. Backward runs on raw arrays; with `create_graph=True` it runs on
tensors, and is itself recorded. That works because it only uses operators that both understand, and
`kernels.of(x)`, which answers for both.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import dtypes, kernels
from tinytorch.autograd import anomaly
from tinytorch.autograd.engine import unbroadcast
from tinytorch.autograd.grad_mode import mode
from tinytorch.autograd.node import AccumulateGrad, Node, _counter, gradient_edge, mark_fresh
from tinytorch.autograd.saved import Saved, hooks, pack
from tinytorch.tensor import Tensor, wrap

_ndarray = np.ndarray


class Op(Node):
    """Base of all operations. Subclasses give `forward` and `backward` and, where it is not the class's, a `label`."""

    label: str | None = None  # "Mul" makes "MulBackward0"
    variant = 0  # the digit at the end of the name
    differentiable = True

    _saved: Any = ()  # arrays while forward runs, then `Saved` records
    _fit: tuple | None = None  # shapes and dtypes of the inputs, where gradients may have to be brought to them
    _on_tensors = False
    feeds_leaf = False

    @classmethod
    def apply(cls, *inputs: Tensor | None, **params: Any) -> Any:
        """Run the op on tensors (None for an input that is left out), and record it where a gradient is wanted."""
        ctx = cls.__new__(cls)
        made = ctx.forward(*[None if t is None else t._array for t in inputs], **params)
        if type(made) is _ndarray:
            output = wrap(made)
        elif type(made) is tuple:
            output = tuple([wrap(np.asarray(m)) for m in made])
        else:
            output = wrap(np.asarray(made))  # NumPy turns 0-d results into scalars
        return finish(ctx, inputs, output)

    def forward(ctx, *arrays: Any, **params: Any) -> Any:
        raise NotImplementedError

    def backward(ctx, *gradients: Any) -> Any:
        raise NotImplementedError(f"derivative for {type(ctx).__name__} is not implemented")

    def save(ctx, *arrays: Any) -> Any:
        """Keep arrays for backward; gives them back, so that `return ctx.save(y)` reads well."""
        if len(arrays) == 1 and isinstance(arrays[0], np.generic):
            arrays = (np.asarray(arrays[0]),)  # NumPy makes scalars of 0-d results; the output must be known again
        ctx._saved = arrays
        return arrays[0] if len(arrays) == 1 else arrays

    @property
    def saved(ctx) -> tuple[Any, ...]:
        """What forward saved: arrays, or tensors where backward itself is recorded. Refused once overwritten."""
        if ctx._saved is None:
            raise RuntimeError(
                "Trying to backward through the graph a second time (or directly access saved tensors after they have "
                "already been freed). Saved intermediate values of the graph are freed when you call .backward() or "
                "autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or "
                "if you need to access saved tensors after calling backward."
            )
        return tuple([s if type(s) is not Saved else s.unpack(ctx) for s in ctx._saved])

    @property
    def needs_input_grad(ctx) -> tuple[bool, ...]:
        return tuple([node is not None for node, _ in ctx.next_functions])

    def name(ctx) -> str:
        return f"{ctx.label or type(ctx).__name__}Backward{ctx.variant}"

    def __call__(ctx, *gradients: Any) -> tuple[Any, ...]:
        if ctx._pre_hooks:
            gradients = ctx._run_pre_hooks(gradients)
        ctx._on_tensors = any([isinstance(g, Tensor) for g in gradients])
        results = anomaly.guarded(ctx, gradients) if anomaly.state.enabled else ctx.backward(*gradients)
        if type(results) is not tuple:
            results = (results,)
        if ctx._fit is not None:
            results = tuple([_bring_to(g, form) for g, form in zip(results, ctx._fit, strict=True)])
        if ctx._post_hooks:
            results = ctx._run_post_hooks(results, gradients)
        if ctx.feeds_leaf:
            mark_fresh(results, ctx.next_functions)
        if not ctx.retain:
            ctx.release()
        return results

    def release(ctx) -> None:
        if ctx._saved:
            ctx._saved = None


def finish(ctx: Op, inputs: tuple, output: Any) -> Any:
    """Link a finished op and its output into the graph, where grad mode is on and an input requires a gradient."""
    if mode.inference:
        for made in output if type(output) is tuple else (output,):
            made._inference = True
    if mode.enabled and ctx.differentiable:
        for t in inputs:
            if t is not None and (t._requires_grad or (t._base is not None and t._base._requires_grad)):
                record(ctx, inputs, output)
                break
    return output


def record(ctx: Op, inputs: tuple, output: Any) -> None:
    """Make `ctx` the node of `output`: edges to where the inputs came from, and saved values with their versions."""
    edges = []
    for t in inputs:
        if t is not None and t._grad_fn is not None and t._base is None:
            edges.append((t._grad_fn, t._output_nr))
        else:
            edge = gradient_edge(t)
            if type(edge[0]) is AccumulateGrad:
                ctx.feeds_leaf = True
            edges.append(edge)
    ctx.next_functions = tuple(edges)
    ctx.sequence = next(_counter)
    if type(output) is tuple:
        outputs = output
        ctx.num_outputs = len(outputs)
    else:
        outputs = (output,)
    if ctx._saved:
        keep = _keep_packed if hooks.active else _keep
        ctx._saved = tuple([keep(a, inputs, outputs) if type(a) is _ndarray else a for a in ctx._saved])
    for number, made in enumerate(outputs):
        if made._array.dtype.kind in "fV":  # integers and bools carry no gradient
            made._requires_grad = True
            made._grad_fn = ctx
            if number:
                made._output_nr = number
    if anomaly.state.enabled:
        anomaly.remember_forward(ctx)


def _keep(array: np.ndarray, inputs: tuple, outputs: tuple) -> Any:
    """A record of a saved array: whose it is, and the version that it had."""
    for t in inputs:
        if t is not None and t._array is array:
            if t._inference:
                raise RuntimeError(_INFERENCE)
            return Saved(array, t._storage, t, None)
    for number, t in enumerate(outputs):
        if t._array is array:
            return Saved(array, t._storage, None, number)
    return array


def _keep_packed(array: np.ndarray, inputs: tuple, outputs: tuple) -> Any:
    """The same, where the user's hooks decide what is kept."""
    saved = _keep(array, inputs, outputs)
    return pack(saved if type(saved) is Saved else Saved(array, None, None, None))


def _bring_to(gradient: Any, form: tuple | None) -> Any:
    """A gradient in the shape and dtype of the input it belongs to."""
    if gradient is None or form is None:
        return None
    shape, dtype = form
    if gradient.shape != shape:
        gradient = unbroadcast(gradient, shape)
    is_tensor = isinstance(gradient, Tensor)
    if (gradient._array.dtype if is_tensor else gradient.dtype) != dtype:
        gradient = kernels.of(gradient).cast(gradient, dtypes.from_numpy_dtype(dtype) if is_tensor else dtype)
    return gradient


_INFERENCE = (
    "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in "
    "computation tracked by autograd. To work around this, you can make a clone to get a normal tensor and use it in "
    "autograd, or use `torch.no_grad()` instead of `torch.inference_mode()`."
)
