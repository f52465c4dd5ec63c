"""Convolution layers: one implementation, and a class for each number of spatial dimensions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tinytorch.nn import functional as F
from tinytorch.nn import init
from tinytorch.nn.modules.module import Module
from tinytorch.nn.parameter import Parameter
from tinytorch.ops.conv import transposed_size
from tinytorch.ops.creation import empty
from tinytorch.tensor import Tensor


def spread(given: Any, dims: int) -> tuple:
    """One number for every dimension; what is a sequence already stays as it is."""
    return tuple(given) if isinstance(given, Sequence) else (given,) * dims


class _ConvNd(Module):
    """What all have in common: settings, parameters, their first values and the printed form."""

    dims: int
    transposed = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
        output_padding: Any = 0,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride, self.dilation, self.output_padding = (
            spread(given, self.dims) for given in (kernel_size, stride, dilation, output_padding)
        )
        self.padding = padding if isinstance(padding, str) else spread(padding, self.dims)
        self.padding_mode = padding_mode
        self._check()
        shape = (in_channels, out_channels // groups) if self.transposed else (out_channels, in_channels // groups)
        self.weight = Parameter(empty(*shape, *self.kernel_size, dtype=dtype, device=device))
        if bias:
            self.bias = Parameter(empty(out_channels, dtype=dtype, device=device))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _check(self) -> None:
        if self.groups <= 0:
            raise ValueError("groups must be a positive integer")
        if self.in_channels % self.groups:
            raise ValueError("in_channels must be divisible by groups")
        if self.out_channels % self.groups:
            raise ValueError("out_channels must be divisible by groups")
        if isinstance(self.padding, str):
            if self.padding not in ("same", "valid"):
                raise ValueError(f"Invalid padding string {self.padding!r}, should be one of {{'same', 'valid'}}")
            if self.padding == "same" and any([s != 1 for s in self.stride]):
                raise ValueError("padding='same' is not supported for strided convolutions")
        if self.padding_mode not in ("zeros", "reflect", "replicate", "circular"):
            raise ValueError(
                "padding_mode must be one of {'zeros', 'reflect', 'replicate', 'circular'}, but got "
                f"padding_mode='{self.padding_mode}'"
            )

    def reset_parameters(self) -> None:
        """Draw weight and bias anew: uniform in ±1/√fan_in."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            if fan_in:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        none, one = (0,) * self.dims, (1,) * self.dims
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        for name, default in (("padding", none), ("dilation", one), ("output_padding", none), ("groups", 1)):
            value = getattr(self, name)
            if value != default:
                parts.append(f"{name}={value}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)


class _Conv(_ConvNd):
    """Convolution: y[o] = bias[o] + Σ over c of weight[o, c] laid on x[c].

    Args:
        in_channels, out_channels: C and O.
        kernel_size, stride, padding, dilation: one number, or one a dimension; padding also "same", "valid".
        groups: into how many parts the channels are divided, each with weights of its own.
        padding_mode: what the padding is filled with, "zeros", "reflect", "replicate" or "circular".

    Shapes: input (N, C, ...) or (C, ...), output (N, O, ...) or (O, ...),
        weight (O, C / groups, *kernel_size), bias (O,).
    """

    def forward(self, input: Tensor) -> Tensor:
        padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._around(), mode=self.padding_mode)
            padding = 0
        function = getattr(F, f"conv{self.dims}d")
        return function(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def _around(self) -> list[int]:
        """The padding as `F.pad` wants it: before and after, from the last dimension on."""
        if self.padding == "valid":
            return [0, 0] * self.dims
        if self.padding == "same":
            totals = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True)]
            return [n for t in reversed(totals) for n in (t // 2, t - t // 2)]
        return [p for p in reversed(self.padding) for _ in range(2)]


class Conv1d(_Conv):
    __doc__ = _Conv.__doc__
    dims = 1


class Conv2d(_Conv):
    __doc__ = f"""{_Conv.__doc__}
    >>> from tinytorch import nn, randn
    >>> nn.Conv2d(16, 33, (3, 5), stride=(2, 1), padding=(4, 2))(randn(20, 16, 50, 100)).shape
    torch.Size([20, 33, 28, 100])
    """
    dims = 2


class Conv3d(_Conv):
    __doc__ = _Conv.__doc__
    dims = 3


class _ConvTranspose(_ConvNd):
    """Transposed convolution: each input element lays the kernel, times itself, on the output.

    It has the shapes of a convolution's gradient: stride spreads the input out. Arguments as for a convolution, and
    output_padding: how much longer the output is, where several lengths are possible.

    Shapes: input (N, C, ...) or (C, ...), output (N, O, ...) or (O, ...),
        weight (C, O / groups, *kernel_size), bias (O,).
    """

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, device,
            dtype, output_padding,
        )  # fmt: skip

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """`output_size` picks the output's spatial shape among the possible ones, instead of output_padding."""
        extra = self.output_padding if output_size is None else self._padding_for(input, tuple(output_size))
        function = getattr(F, f"conv_transpose{self.dims}d")
        return function(input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation)

    def _padding_for(self, input: Tensor, wanted: tuple[int, ...]) -> tuple[int, ...]:
        lead = input.ndim - self.dims
        given = wanted
        if len(wanted) == input.ndim:
            wanted = wanted[lead:]
        if len(wanted) != self.dims:
            raise ValueError(
                f"ConvTranspose{self.dims}D: for {input.ndim}D input, output_size must have {self.dims} or "
                f"{self.dims + lead} elements (got {len(given)})"
            )
        sizes = input.shape[lead:]
        settings = zip(sizes, self.kernel_size, self.stride, self.padding, self.dilation, strict=True)
        least = [transposed_size(*along) for along in settings]
        most = [n + s - 1 for n, s in zip(least, self.stride, strict=True)]
        if any([not low <= n <= high for low, n, high in zip(least, wanted, most, strict=True)]):
            raise ValueError(
                f"requested an output size of {wanted}, but valid sizes range from {least} to {most} (for an input of "
                f"{sizes})"
            )
        return tuple([n - low for n, low in zip(wanted, least, strict=True)])


class ConvTranspose1d(_ConvTranspose):
    __doc__ = _ConvTranspose.__doc__
    dims = 1


class ConvTranspose2d(_ConvTranspose):
    __doc__ = _ConvTranspose.__doc__
    dims = 2


class ConvTranspose3d(_ConvTranspose):
    __doc__ = _ConvTranspose.__doc__
    dims = 3
