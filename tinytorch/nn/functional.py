"""Layers without state: functions of tensors, with PyTorch's names and arguments.

The operations themselves are in `tinytorch/ops/`; here is what only networks need around them.
"""

from __future__ import annotations

import warnings

from tinytorch import kernels
from tinytorch.nn import functional_activations, functional_windows
from tinytorch.nn.functional_activations import *  # noqa: F403
from tinytorch.nn.functional_windows import *  # noqa: F403
from tinytorch.ops import elementary, loss
from tinytorch.ops.elementary import sigmoid, tanh
from tinytorch.ops.grids import one_hot
from tinytorch.ops.linalg import linear
from tinytorch.ops.loss import cross_entropy, l1_loss, mse_loss, nll_loss
from tinytorch.ops.normalization import batch_norm, group_norm, instance_norm, layer_norm, normalize, rms_norm
from tinytorch.ops.random import rand
from tinytorch.tensor import Tensor, wrap

__all__ = [
    "batch_norm", "cross_entropy", "dropout", "group_norm", "instance_norm", "l1_loss", "layer_norm",
    "linear", "log_softmax", "mse_loss", "nll_loss", "normalize", "one_hot", "relu", "relu_", "rms_norm",
    "sigmoid", "softmax", "softmin", "tanh",
    *functional_activations.__all__,
    *functional_windows.__all__,
]  # fmt: skip


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0), element by element.

    >>> import tinytorch
    >>> relu(tinytorch.tensor([-1., 2.]))
    tensor([0., 2.])
    """
    return input.relu_() if inplace else elementary.relu(input)


def relu_(input: Tensor) -> Tensor:
    """`relu`, written into the input's own memory."""
    return input.relu_()


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: object = None) -> Tensor:
    """eˣ / Σ eˣ along a dimension: positive numbers that sum to 1."""
    return loss.softmax(input, _implicit_dim("softmax", input, _stacklevel) if dim is None else dim, dtype)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: object = None) -> Tensor:
    """log(softmax(x)) along a dimension, without overflow."""
    return loss.log_softmax(input, _implicit_dim("log_softmax", input, _stacklevel) if dim is None else dim, dtype)


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: object = None) -> Tensor:
    """softmax of -x: the smallest number gets the largest share."""
    return loss.softmax(-input, _implicit_dim("softmin", input, _stacklevel) if dim is None else dim, dtype)


def _implicit_dim(name: str, input: Tensor, stacklevel: int) -> int:
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=stacklevel,
    )
    return 0 if input.ndim in (0, 1, 3) else 1


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """While `training`, each element becomes 0 with probability p, and the others are divided by 1 - p.

    Raises ValueError for a p outside 0 to 1.
    """
    check_probability(p)
    if not training or p == 0 or not input.numel():
        return input
    if not input.dtype.is_floating_point:
        raise RuntimeError(
            f"result type Float can't be cast to the desired output type {input.dtype.legacy.removesuffix('Tensor')}"
        )
    noise = rand(input.shape)._array
    keep = wrap(kernels.of(noise).dropout_mask(noise, p, input._array.dtype))
    return input.mul_(keep) if inplace else input * keep


def check_probability(p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
