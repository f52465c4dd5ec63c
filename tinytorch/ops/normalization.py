"""Normalisation: layers whose outputs have mean 0 and variance 1 over some dimensions, then scaled and shifted."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch import kernels
from tinytorch.autograd.grad_mode import no_grad
from tinytorch.autograd.op import Op, finish
from tinytorch.dtypes import float32
from tinytorch.kernels.cpu.normalization import Form
from tinytorch.kernels.cpu.reduce import is_half
from tinytorch.ops.activation import wide
from tinytorch.ops.cast import to_dtype
from tinytorch.ops.division import div
from tinytorch.ops.elementary import rsqrt
from tinytorch.ops.norms import norm
from tinytorch.ops.promotion import kind_name, refuse
from tinytorch.ops.reduce import mean, sum
from tinytorch.ops.rounding import clamp_min
from tinytorch.tensor import Tensor, wrap


class NativeLayerNorm(Op):
    """y = x̂ · w + b, x̂ = (x - mean x) / d, d = √(var x + ε);  dx = (g - mean g - x̂ · mean(g · x̂)) / d, g = dy · w"""

    def forward(ctx, x, w, b, form, eps):
        ctx.form, ctx.eps = form, eps
        ctx.save(x, w)
        y, ctx.mean, ctx.rstd, ctx.var = kernels.of(x).normalize(x, w, b, form, eps)
        return y

    def backward(ctx, dy):
        x, w = ctx.saved
        return kernels.of(dy).normalize_backward(dy, x, w, ctx.mean, ctx.rstd, ctx.form, ctx.eps)


class NativeGroupNorm(NativeLayerNorm):
    """The same over the channels of a group."""


class NativeBatchNorm(NativeLayerNorm):
    """The same over all samples of a channel."""


def normalize_backward(dy: Tensor, x: Tensor, w: Any, mean_: Any, rstd: Any, form: Form, eps: float) -> tuple:
    """The kernel of this name, recorded: mean and deviation depend on x, hence are computed anew from it."""
    shape = x.shape
    distance = wide(x).reshape(form.shape)
    distance = distance - mean(distance, form.axes, True)
    deviation = rsqrt(mean(distance * distance, form.axes, True) + eps)
    normal = distance * deviation
    dy = wide(dy).reshape(form.shape)
    g = dy if w is None else dy * wide(w).reshape(form.weight_shape)
    dx = (g - mean(g, form.axes, True) - normal * mean(g * normal, form.axes, True)) * deviation
    weight_shape = (-1,) if w is None else w.shape
    dw, db = [sum(d, form.shared_axes).reshape(weight_shape) for d in (dy * normal, dy)]
    return dx.reshape(shape), dw, db


def _run(op: type[Op], input: Tensor, weight: Any, bias: Any, form: Form, eps: float) -> tuple[Any, Tensor]:
    """(ctx, output): the context has the statistics."""
    ctx = op.__new__(op)
    inputs = (input, weight, bias)
    arrays = [None if t is None else t._array for t in inputs]
    made = ctx.forward(*arrays, form, eps)
    if is_half(arrays[0].dtype) or any([a is not None and is_half(a.dtype) for a in arrays]):
        ctx._fit = tuple([None if a is None else (a.shape, a.dtype) for a in arrays])
    return ctx, finish(ctx, inputs, wrap(made))


# ---- over the last dimensions -----------------------------------------------------------------------------------


def layer_norm(
    input: Tensor, normalized_shape: Any, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Each sample to mean 0 and variance 1 over its last dimensions, then times weight plus bias.

    Args:
        input: shape (*, *normalized_shape), floating point.
        normalized_shape: the lengths of the dimensions over which means are taken.
        weight, bias: shape normalized_shape.
        eps: added to the variance, so that a constant sample is not divided by 0.

    Raises:
        RuntimeError: shapes or dtypes that do not go together.

    Source: Ba et al., "Layer Normalization".

    >>> import tinytorch
    >>> layer_norm(tinytorch.tensor([[1., 3.], [5., 5.]]), (2,))
    tensor([[-1.0000,  1.0000],
            [ 0.0000,  0.0000]])
    """
    shape = _last_dims("layer_norm", input, normalized_shape, ", ")
    _check_same_shape(shape, weight=weight, bias=bias)
    refuse("LayerNormKernelImpl", input, kinds="biu")
    _check_dtypes(input, weight, bias)
    n = math.prod(shape)
    rows = math.prod(input._array.shape[: input._array.ndim - len(shape)])
    form = Form("layer_norm", (rows, n), (1,), (1, n))
    return _run(NativeLayerNorm, input, weight, bias, form, eps)[1]


def rms_norm(input: Tensor, normalized_shape: Any, weight: Tensor | None = None, eps: float | None = None) -> Tensor:
    """x / √(mean of x² over the last dimensions + ε), then times weight: `layer_norm` without the means.

    `eps` is, if not given, the distance from 1 to the next number of the dtype.

    Source: Zhang and Sennrich, "Root Mean Square Layer Normalization".
    """
    shape = _last_dims("rms_norm", input, normalized_shape, "")
    _check_same_shape(shape, weight=weight)
    refuse("rms_norm", input, kinds="biu")
    x = wide(input)
    if eps is None:
        eps = float(np.finfo(x._array.dtype).eps)
    y = x * rsqrt(mean(x * x, tuple(range(-len(shape), 0)), True) + eps)
    if weight is not None:
        y = y * weight
    return to_dtype(y, input.dtype) if is_half(input._array.dtype) else y


def _last_dims(name: str, input: Tensor, normalized_shape: Any, comma: str) -> tuple[int, ...]:
    if isinstance(normalized_shape, int):
        raise TypeError(f"{name}(): argument 'normalized_shape' (position 2) must be tuple of ints, not int")
    shape = tuple(normalized_shape)
    if not shape:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            "normalized_shape = []"
        )
    have = input._array.shape
    if have[-len(shape) :] != shape:
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape [*{comma}{', '.join(map(str, shape))}], "
            f"but got input of size{list(have)}"
        )
    return shape


def _check_same_shape(shape: tuple[int, ...], **given: Tensor | None) -> None:
    for name, t in given.items():
        if t is not None and t._array.shape != shape:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape {list(t.shape)} and "
                f"normalized_shape = {list(shape)}"
            )


# ---- over channels ----------------------------------------------------------------------------------------------


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """The channels of each sample in groups, each group to mean 0 and variance 1; then times weight plus bias.

    Args:
        input: shape (N, C, ...), floating point, C a multiple of num_groups.
        weight, bias: one number for each channel, shape (C,).

    Raises:
        RuntimeError: shapes or dtypes that do not go together. ValueError: only one number to take the mean of.

    Source: Wu and He, "Group Normalization".
    """
    have = input._array.shape
    if len(have) < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {len(have)}")
    samples, channels, *rest = have
    _need_several([samples * channels // num_groups, num_groups, *rest])
    if channels % num_groups:
        raise RuntimeError(
            f"Expected number of channels in input to be divisible by num_groups, but got input of shape {list(have)} "
            f"and num_groups={num_groups}"
        )
    for name, t in (("weight", weight), ("bias", bias)):
        if t is not None and t._array.shape != (channels,):
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, but got {name} of "
                f"shape {list(t.shape)} and input of shape {list(have)}"
            )
    refuse("GroupNormKernelImpl", input, kinds="biu")
    _check_dtypes(input, weight, bias)
    size, each = math.prod(rest), channels // num_groups
    form = Form("group_norm", (samples, num_groups, each, size), (2, 3), (1, num_groups, each, 1))
    return _run(NativeGroupNorm, input, weight, bias, form, eps)[1]


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Each channel to mean 0 and variance 1, then times weight plus bias.

    Args:
        input: shape (N, C, ...), floating point.
        running_mean, running_var: shape (C,). When training, the statistics of this batch are used, and mixed into the
            running ones with the share `momentum`; else the running ones are used.
        weight, bias: shape (C,).

    Raises:
        ValueError: when training, only one number in each channel. RuntimeError: shapes that do not go together.

    Source: Ioffe and Szegedy, "Batch Normalization".
    """
    have = input._array.shape
    if training:
        _need_several(have, input.shape)
    if training and eps <= 0.0:
        raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    if eps < 0.0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    channels = have[1] if len(have) > 1 else 0
    for name, t in (("running_mean", running_mean), ("running_var", running_var), ("weight", weight), ("bias", bias)):
        if t is None and not training and name.startswith("running"):
            raise RuntimeError(f"{name} must be defined in evaluation mode")
        if t is not None and t.numel() != channels:
            raise RuntimeError(f"{name} should contain {channels} elements not {t.numel()}")
    refuse("batch_norm", input, kinds="biu")
    _check_dtypes(input, weight, bias, running_mean, running_var)
    if not training:
        return _with_statistics(input, running_mean, running_var, weight, bias, eps)
    form = Form("batch_norm", (have[0], channels, math.prod(have[2:])), (0, 2), (1, channels, 1))
    ctx, y = _run(NativeBatchNorm, input, weight, bias, form, eps)
    if y.numel():
        count = y.numel() // channels
        _mix(running_mean, ctx.mean.reshape(-1), momentum)
        _mix(running_var, ctx.var.reshape(-1) * (count / (count - 1)), momentum)  # the unbiased variance
    return y


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Each channel of each sample to mean 0 and variance 1 over its positions, then times weight plus bias.

    Arguments as in `batch_norm`; running statistics are means over the samples.

    Source: Ulyanov et al., "Instance Normalization: The Missing Ingredient for Fast Stylization".
    """
    have = input._array.shape
    size = math.prod(have[2:])
    if use_input_stats and size == 1:
        raise ValueError(f"Expected more than 1 spatial element when training, got input size {input.shape}")
    if not use_input_stats and (running_mean is None or running_var is None):
        raise RuntimeError("Expected running_mean and running_var to be defined when use_input_stats is false")
    samples, channels = have[:2]
    for name, t in (("running_mean", running_mean), ("running_var", running_var), ("weight", weight), ("bias", bias)):
        if t is not None and t.numel() != channels:
            raise RuntimeError(f"{name} should contain {samples * channels} elements not {samples * t.numel()}")
    refuse("batch_norm", input, kinds="biu")
    _check_dtypes(input, weight, bias, running_mean, running_var)
    if not use_input_stats:
        return _with_statistics(input, running_mean, running_var, weight, bias, eps)
    form = Form("group_norm", (samples, channels, 1, size), (2, 3), (1, channels, 1, 1))
    ctx, y = _run(NativeBatchNorm, input, weight, bias, form, eps)
    if y.numel():
        _mix(running_mean, np.add.reduce(ctx.mean.reshape(samples, channels)) / samples, momentum)
        _mix(running_var, np.add.reduce(ctx.var.reshape(samples, channels)) / samples * (size / (size - 1)), momentum)
    return y


def _with_statistics(x: Tensor, mean_: Any, var: Any, weight: Any, bias: Any, eps: float) -> Tensor:
    """(x - mean) / √(var + ε) · weight + bias for given statistics: a line for each channel."""
    scale = rsqrt(wide(var) + eps)
    if weight is not None:
        scale = scale * weight
    shift = -mean_ * scale if bias is None else bias - mean_ * scale
    along = [1, -1] + [1] * (x.ndim - 2)
    y = x * scale.reshape(along) + shift.reshape(along)
    return y if y.dtype is x.dtype else to_dtype(y, x.dtype)


def _mix(running: Tensor | None, new: np.ndarray, momentum: float) -> None:
    if running is not None:
        with no_grad():
            running.mul_(1 - momentum).add_(wrap(np.asarray(new, running._array.dtype)), alpha=momentum)


def _need_several(sizes: Any, shown: Any = None) -> None:
    """ValueError where a channel has one number: its variance would be 0."""
    if sizes[0] * math.prod(sizes[2:]) == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {sizes if shown is None else shown}"
        )


def _check_dtypes(input: Tensor, *parameters: Tensor | None) -> None:
    """Parameters have the dtype of the input; those of a half input may be float32."""
    for t in parameters:
        if t is None or t.dtype is input.dtype:
            continue
        if t.dtype is not float32:
            raise RuntimeError(
                f"mixed dtype (CPU): expect parameter to have scalar type of Float, got {kind_name(t)} for an input of "
                f"{kind_name(input)}"
            )
        if not is_half(input._array.dtype):
            raise RuntimeError(
                f"mixed dtype (CPU): all inputs must share same datatype. Got {kind_name(input)} and {kind_name(t)}"
            )


# ---- to length 1 ------------------------------------------------------------------------------------------------


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None) -> Tensor:
    """Vectors along `dim` divided by their p-norm, or by eps where that is larger.

    >>> import tinytorch
    >>> normalize(tinytorch.tensor([[3., 4.]]))
    tensor([[0.6000, 0.8000]])
    """
    length = clamp_min(norm(input, p, dim, True), eps)
    return input / length if out is None else div(input, length, out=out)
