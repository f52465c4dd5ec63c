"""Softmax, and the losses: how far predictions are from targets, as one number."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tinytorch import kernels
from tinytorch.autograd.op import Op
from tinytorch.dtypes import dtype as DType
from tinytorch.ops.cast import to_dtype
from tinytorch.ops.promotion import promote
from tinytorch.tensor import Tensor, normalize_dim, wrap


class LogSoftmax(Op):
    """y = x - log Σ eˣ,  dx = dy - eʸ · Σ dy"""

    def forward(ctx, x, dim):
        ctx.dim = dim
        return ctx.save(kernels.of(x).log_softmax(x, dim))

    def backward(ctx, dy):
        (y,) = ctx.saved
        return kernels.of(dy).log_softmax_backward(dy, y, ctx.dim)


class Softmax(Op):
    """y = eˣ / Σ eˣ,  dx = y · (dy - Σ dy · y)"""

    def forward(ctx, x, dim):
        ctx.dim = dim
        return ctx.save(kernels.of(x).softmax(x, dim))

    def backward(ctx, dy):
        (y,) = ctx.saved
        return kernels.of(dy).softmax_backward(dy, y, ctx.dim)


class NllLoss(Op):
    """l = Σ -fₙ · y[n, tₙ],  dy = -dl · fₙ at [n, tₙ], 0 elsewhere;  f holds weights and the division by their sum"""

    def forward(ctx, y, target, weight, ignore_index, reduction):
        loss, ctx.factor, target = kernels.of(y).nll(y, target, weight, ignore_index, reduction)
        ctx.shape = y.shape
        ctx.save(target)
        return loss

    def backward(ctx, dl):
        (target,) = ctx.saved
        k = kernels.of(dl)
        return k.put_at_class(-dl * k.constant(ctx.factor), target, ctx.shape), None, None

    def name(ctx) -> str:
        return "NllLossBackward0" if len(ctx.shape) <= 2 else "NllLoss2DBackward0"


class CrossEntropy(NllLoss):
    """l = Σ -fₙ · y[n, tₙ] with y = log softmax x,  dx = dl · fₙ · (softmax - onehot);  y is a second output"""

    def forward(ctx, x, target, weight, ignore_index, reduction):
        k = kernels.of(x)
        y = k.log_softmax(x, 1 if x.ndim > 1 else 0)
        loss, ctx.factor, target = k.nll(y, target, weight, ignore_index, reduction)
        ctx.shape = y.shape
        ctx.save(y, target)
        return loss, y

    def backward(ctx, dl, dy):
        y, target = ctx.saved
        k = kernels.of(y)
        dx = None if dl is None else k.cross_entropy_backward(dl, y, target, ctx.factor)
        if dy is not None:  # only in second derivatives, which go through the softmax above
            through = dy - k.exp(y) * k.sum(dy, 1 if y.ndim > 1 else 0, True)
            dx = through if dx is None else dx + through
        return dx, None, None


class PutAtClass(Op):
    """y = zeros with v at each sample's own class,  dv = dy there: the backward of `NllLoss`, recorded"""

    def forward(ctx, v, target, shape):
        ctx.save(target)
        return kernels.of(v).put_at_class(v, target, shape)

    def backward(ctx, dy):
        (target,) = ctx.saved
        return kernels.of(dy).take_at_class(dy, target), None


class TakeAtClass(Op):
    """y = the element of each sample's own class,  dx = zeros with dy there"""

    def forward(ctx, x, target):
        ctx.shape = x.shape
        ctx.save(target)
        return kernels.of(x).take_at_class(x, target)

    def backward(ctx, dy):
        (target,) = ctx.saved
        return kernels.of(dy).put_at_class(dy, target, ctx.shape), None


def put_at_class(v: Tensor, target: Any, shape: tuple[int, ...]) -> Tensor:
    return PutAtClass.apply(v, constant(target), shape=shape)


def take_at_class(x: Tensor, target: Any) -> Tensor:
    return TakeAtClass.apply(x, constant(target))


def cross_entropy_backward(dl: Tensor, y: Tensor, target: Any, factor: Any) -> Tensor:
    """The kernel of this name as a composition of recorded operations."""
    s = dl * constant(factor)
    along = s.reshape((s.shape[0], 1, *s.shape[1:])) if s.ndim and y.ndim > 1 else s
    own = put_at_class(s if s.ndim else s.expand(target.shape), target, y.shape)
    return y.exp() * along - own


def constant(x: Any) -> Any:
    """A number or array that does not depend on an input, as an operand of tensors."""
    return wrap(x) if isinstance(x, np.ndarray) else x


class MseLoss(Op):
    """l = Σ (x - y)² / n,  dx = dl · 2 (x - y) / n,  dy = -dx;  n is 1 for reductions "none" and "sum" """

    def forward(ctx, x, y, reduction):
        ctx.save(x, y)
        d = x - y
        d *= d
        count = max(d.size, 1) if reduction == "mean" else 1
        ctx.scale = d.dtype.type(2 / count)
        if reduction == "none":
            return d
        k = kernels.of(d)
        return k.sum(d) if reduction == "sum" else k.mean(d)

    def backward(ctx, dl):
        x, y = ctx.saved
        needs_x, needs_y = ctx.needs_input_grad
        dx = (x - y) * (dl * ctx.scale)
        return dx, (-dx if needs_y else None)


def softmax(input: Tensor, dim: int, dtype: DType | None = None) -> Tensor:
    """eˣ / Σ eˣ along a dimension: positive numbers that sum to 1.

    >>> import tinytorch
    >>> softmax(tinytorch.tensor([0., 0.]), 0)
    tensor([0.5000, 0.5000])
    """
    return _along(Softmax, "softmax", input, dim, dtype)


def log_softmax(input: Tensor, dim: int, dtype: DType | None = None) -> Tensor:
    """log(softmax(x)) along a dimension, without overflow."""
    return _along(LogSoftmax, "log_softmax", input, dim, dtype)


def _along(op: type[Op], name: str, input: Tensor, dim: int, dtype: DType | None) -> Tensor:
    if dtype is not None:
        input = to_dtype(input, dtype)
    ndim = input._array.ndim
    dim = normalize_dim(dim, ndim)
    if not input.dtype.is_floating_point:
        last = "_lastdim" if dim == ndim - 1 else ""
        raise NotImplementedError(f"\"{name}{last}_kernel_impl\" not implemented for '{_kind(input)}'")
    return op.apply(input, dim=dim if ndim else None)


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Minus the log-probability of each sample's own class: -weight[t] · input[t].

    Args:
        input: log-probabilities, shape (C,), (N, C) or (N, C, d1, ...), floating point.
        target: class numbers from 0 to C - 1, int64 or uint8, shape (), (N,) or (N, d1, ...).
        weight: a factor for each class, shape (C,).
        ignore_index: targets with this number count for nothing.
        reduction: "none", "sum", or "mean": the sum divided by the sum of the weights of the targets.

    Raises:
        IndexError: a target is not a class. ValueError, RuntimeError: shapes or dtypes that do not go together.

    >>> import tinytorch
    >>> nll_loss(tinytorch.tensor([[-1., -2.], [-3., -4.]]), tinytorch.tensor([0, 1]))
    tensor(2.5000)
    """
    reduction = checked_reduction(reduction, size_average, reduce)
    _check_classes(input, target, weight)
    return NllLoss.apply(input, target, weight, ignore_index=ignore_index, reduction=reduction)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """`nll_loss(log_softmax(input, 1), target)` in one step: input holds logits, any real numbers.

    Args:
        input: logits, shape (C,), (N, C) or (N, C, d1, ...).
        target: class numbers as in `nll_loss`; or probabilities of all classes, in the shape and dtype of `input`.
        label_smoothing: the share of the target, from 0 to 1, that is spread evenly over all classes.
        weight, ignore_index, reduction: as in `nll_loss`; with probabilities "mean" divides by the number of samples.

    Source: Szegedy et al., "Rethinking the Inception Architecture for Computer Vision" (label smoothing).

    >>> import tinytorch
    >>> cross_entropy(tinytorch.zeros(3, 4), tinytorch.tensor([0, 1, 2]))
    tensor(1.3863)
    """
    reduction = checked_reduction(reduction, size_average, reduce)
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    if input._array.shape == target._array.shape:
        return _cross_entropy_of_probabilities(input, target, weight, ignore_index, reduction, label_smoothing)
    if not input.dtype.is_floating_point:
        raise NotImplementedError(f"\"log_softmax_lastdim_kernel_impl\" not implemented for '{_kind(input)}'")
    _check_classes(input, target, weight)
    if label_smoothing:
        return _cross_entropy_smoothed(input, target, weight, ignore_index, reduction, label_smoothing)
    return CrossEntropy.apply(input, target, weight, ignore_index=ignore_index, reduction=reduction)[0]


def _cross_entropy_of_probabilities(
    input: Tensor, target: Tensor, weight: Any, ignore_index: int, reduction: str, smoothing: float
) -> Tensor:
    """-Σ weight · target · log softmax(input) over the classes."""
    if not target.dtype.is_floating_point:
        raise RuntimeError(f"Expected floating point type for target with class probabilities, got {_kind(target)}")
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    dim = 1 if input._array.ndim > 1 else 0
    classes = input._array.shape[dim] if input._array.ndim else 1
    _check_weight(weight, classes)
    if smoothing:
        target = target * (1 - smoothing) + smoothing / classes
    losses = log_softmax(input, dim) * target
    if weight is not None:
        losses = losses * _along_classes(weight, input)
    if reduction == "none":
        return -losses.sum(dim)
    total = -losses.sum()
    return total if reduction == "sum" else total / (input._array.size / classes)


def _cross_entropy_smoothed(
    input: Tensor, target: Tensor, weight: Any, ignore_index: int, reduction: str, smoothing: float
) -> Tensor:
    """(1 - ε) · nll + ε/C · Σ over the classes of weight · -log softmax, ignored samples left out of both."""
    dim = 1 if input._array.ndim > 1 else 0
    y = log_softmax(input, dim)
    own = nll_loss(y, target, weight, ignore_index=ignore_index, reduction=reduction)
    every = y if weight is None else y * _along_classes(weight, input)
    every = -every.sum(dim)  # like target
    counts = (target != ignore_index).to(input.dtype)
    if reduction == "mean":  # divided as `own` is: by the number, or the weights, of the samples that count
        share = counts.sum()
        if weight is not None:
            share = (weight[(target * (target != ignore_index)).long()] * counts).sum()
        every = (every * counts).sum() / share
    else:
        every = every * counts
        every = every.sum() if reduction == "sum" else every
    return own * (1 - smoothing) + every * (smoothing / input._array.shape[dim])


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """(input - target)², element by element, then their mean or sum; weights multiply the squares.

    >>> import tinytorch
    >>> mse_loss(tinytorch.tensor([1., 2.]), tinytorch.tensor([1., 4.]))
    tensor(2.)
    """
    reduction = checked_reduction(reduction, size_average, reduce)
    _warn_of_sizes(input, target)
    if input._array.dtype != target._array.dtype:
        input, target = promote(input, target)
    if not input.dtype.is_floating_point:
        raise NotImplementedError(f"\"mse_cpu\" not implemented for '{_kind(input)}'")
    if input._array.shape != target._array.shape:
        shape = (input.detach() - target.detach()).shape
        input, target = input.expand(shape), target.expand(shape)
    if weight is not None:
        return _weighted(MseLoss.apply(input, target, reduction="none"), weight, reduction)
    return MseLoss.apply(input, target, reduction=reduction)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """|input - target|, element by element, then their mean or sum; weights multiply the distances."""
    reduction = checked_reduction(reduction, size_average, reduce)
    _warn_of_sizes(input, target)
    losses = (input - target).abs()
    if weight is not None:
        return _weighted(losses, weight, reduction)
    return reduced(losses, reduction)


# ---- what losses share ------------------------------------------------------------------------------------------


def checked_reduction(reduction: str, size_average: bool | None = None, reduce_: bool | None = None) -> str:
    """ "none", "mean" or "sum", also from the two flags of PyTorch before 0.4.1; ValueError for another word."""
    if size_average is not None or reduce_ is not None:
        mean = size_average is None or size_average
        reduction = "none" if reduce_ is not None and not reduce_ else "mean" if mean else "sum"
        warnings.warn(
            f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
            stacklevel=3,
        )
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def reduced(losses: Tensor, reduction: str) -> Tensor:
    """The losses of all elements as they are, summed, or averaged."""
    if reduction == "none":
        return losses
    return losses.sum() if reduction == "sum" else losses.mean()


def _weighted(losses: Tensor, weight: Tensor, reduction: str) -> Tensor:
    if weight._array.shape != losses._array.shape:
        raise ValueError("Weights and input must have the same size.")
    losses = losses * weight
    return reduced(losses, reduction) if reduction != "mean" else losses.sum() / weight.sum()


def _warn_of_sizes(input: Tensor, target: Tensor) -> None:
    if input._array.shape != target._array.shape:
        warnings.warn(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}). This will "
            "likely lead to incorrect results due to broadcasting. Please ensure they have the same size.",
            stacklevel=3,
        )


def _check_classes(input: Tensor, target: Tensor, weight: Tensor | None) -> None:
    """PyTorch's refusals, in its order, for logits (N, C, d1, ...) and class numbers (N, d1, ...)."""
    have, want = input._array.shape, target._array.shape
    if not have:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    if len(have) > 1 and want and have[0] != want[0]:
        raise ValueError(f"Expected input batch_size ({have[0]}) to match target batch_size ({want[0]}).")
    if len(have) <= 2:
        if len(want) > 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        if len(want) != len(have) - 1:
            raise RuntimeError(f"size mismatch (got input: {list(have)}, target: {list(want)})")
    elif want != (have[0], *have[2:]):
        if len(have) == 4 and len(want) == 3:
            raise RuntimeError(f"size mismatch (got input: {list(have)} , target: {list(want)}")
        raise RuntimeError(f"Expected target size {[have[0], *have[2:]]}, got {list(want)}")
    if target._array.dtype.name not in ("int64", "uint8"):
        raise RuntimeError(f"expected target dtype to be Long or Byte, but got {_kind(target)}")
    _check_weight(weight, have[1] if len(have) > 1 else have[0])


def _check_weight(weight: Tensor | None, classes: int) -> None:
    if weight is not None and weight._array.shape != (classes,):
        raise RuntimeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but got weight tensor of "
            f"shape: {list(weight._array.shape)}"
        )


def _along_classes(weight: Tensor, input: Tensor) -> Tensor:
    """Weights (C,) in a shape that broadcasts against (N, C, d1, ...)."""
    return weight.reshape([-1] + [1] * max(input._array.ndim - 2, 0))


def _kind(x: Tensor) -> str:
    """PyTorch's name of a dtype in messages of its kernels: "Long", "Float"."""
    return x.dtype.legacy.removesuffix("Tensor")
