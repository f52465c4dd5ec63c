"""Normalisation of channels, over a batch or within each sample, with running statistics for evaluation."""

from __future__ import annotations

import warnings
from typing import Any

from tinytorch.dtypes import int64
from tinytorch.nn import functional as F
from tinytorch.nn.modules.normalization import _Affine
from tinytorch.ops.creation import ones, zeros
from tinytorch.tensor import Tensor


class _NormBase(_Affine):
    """What batch and instance normalisation share: weight and bias, running statistics, the check of dimensions."""

    _version = 2  # since then `num_batches_tracked` is part of the state
    dims: tuple[int, ...]  # how many dimensions an input may have

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self._make(num_features, affine, bias, device, dtype)
        kept = track_running_stats
        options = {"device": device, "dtype": dtype}
        self.register_buffer("running_mean", zeros(num_features, **options) if kept else None)
        self.register_buffer("running_var", ones(num_features, **options) if kept else None)
        self.register_buffer("num_batches_tracked", zeros((), dtype=int64, device=device) if kept else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget what was seen: mean 0, variance 1, no batches."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Set weight and bias to 1 and 0, and forget the statistics."""
        self.reset_running_stats()
        super().reset_parameters()

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim not in self.dims:
            allowed = " or ".join(f"{n}D" for n in self.dims)
            raise ValueError(f"expected {allowed} input (got {input.ndim}D input)")

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )

    def _load_from_state_dict(self, state_dict: Any, prefix: str, local_metadata: Any, *others: Any) -> None:
        version = local_metadata.get("version")
        if (version is None or version < 2) and self.track_running_stats:
            state_dict.setdefault(prefix + "num_batches_tracked", self.num_batches_tracked)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *others)


class _BatchNorm(_NormBase):
    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        share = self.momentum or 0.0
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:  # the mean over all batches so far
                share = 1.0 / int(self.num_batches_tracked)
        if self.training:
            kept = self.track_running_stats
            mean, var = (self.running_mean, self.running_var) if kept else (None, None)
        else:
            mean, var = self.running_mean, self.running_var
        from_batch = self.training or (mean is None and var is None)
        return F.batch_norm(input, mean, var, self.weight, self.bias, from_batch, share, self.eps)


class BatchNorm1d(_BatchNorm):
    """Each channel to mean 0 and variance 1 over the batch, then times weight plus bias.

    While training, the statistics are those of the batch, and are mixed into the running ones; in evaluation the
    running ones are used.

    Args:
        num_features: the number of channels C.
        eps: added to the variance.
        momentum: the share of a new batch in the running statistics; None for the mean over all batches.
        affine: False leaves weight and bias out; `bias` only the bias.
        track_running_stats: False keeps no statistics: those of the batch are used in evaluation too.

    Shapes: input and output (N, C) or (N, C, L).

    Raises:
        ValueError: an input of another number of dimensions; when training, only one number in a channel.

    Source: Ioffe and Szegedy, "Batch Normalization".

    >>> from tinytorch import nn, tensor
    >>> nn.BatchNorm1d(1, affine=False)(tensor([[1.0], [3.0]]))
    tensor([[-1.0000],
            [ 1.0000]])
    """

    dims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """`BatchNorm1d` for images, shape (N, C, H, W)."""

    dims = (4,)


class BatchNorm3d(_BatchNorm):
    """`BatchNorm1d` for volumes, shape (N, C, D, H, W)."""

    dims = (5,)


class _InstanceNorm(_NormBase):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        without_batch = input.ndim == self.dims[0]
        dim = 0 if without_batch else 1
        if input.shape[dim] != self.num_features:
            if self.affine:
                raise ValueError(
                    f"expected input's size at dim={dim} to match num_features ({self.num_features}), but got: "
                    f"{input.shape[dim]}."
                )
            warnings.warn(
                f"input's size at dim={dim} does not match num_features. You can silence this warning by not passing "
                "in num_features, which is not used because affine=False",
                stacklevel=2,
            )
        x = input.unsqueeze(0) if without_batch else input
        from_input = self.training or not self.track_running_stats
        y = F.instance_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, from_input, self.momentum or 0.0, self.eps
        )
        return y.squeeze(0) if without_batch else y


class InstanceNorm1d(_InstanceNorm):
    """Each channel of each sample to mean 0 and variance 1 over its positions; arguments as for `BatchNorm1d`.

    Shapes: input and output (N, C, L) or (C, L).

    Source: Ulyanov et al., "Instance Normalization: The Missing Ingredient for Fast Stylization".
    """

    dims = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """`InstanceNorm1d` for images, shape (N, C, H, W) or (C, H, W)."""

    dims = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """`InstanceNorm1d` for volumes, shape (N, C, D, H, W) or (C, D, H, W)."""

    dims = (4, 5)
