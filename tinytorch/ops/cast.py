"""Changing dtype or device, copying."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import dtypes, kernels
from tinytorch.autograd.op import Op
from tinytorch.device import device as Device
from tinytorch.dtypes import dtype as DType
from tinytorch.tensor import Tensor, wrap


class ToCopy(Op):
    """y = x in another dtype,  dx = dy in x's"""

    def forward(ctx, x, dtype):
        ctx.before = x.dtype
        return kernels.of(x).cast(x, dtype)

    def backward(ctx, dy):
        k = kernels.of(dy)
        return k.cast(dy, dtypes.from_numpy_dtype(ctx.before) if isinstance(dy, Tensor) else ctx.before)


class Clone(Op):
    """y = a copy of x,  dx = dy"""

    def forward(ctx, x):
        return kernels.of(x).clone(x)

    def backward(ctx, dy):
        return dy


def to_dtype(x: Tensor, dtype: DType) -> Tensor:
    """x in the given dtype; x itself if it has that dtype."""
    if x._array.dtype == dtype.numpy:
        return x
    return ToCopy.apply(x, dtype=dtype.numpy)


def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy in memory of its own, through which gradients flow."""
    return Clone.apply(input)


def to(self: Tensor, *args: Any, dtype: Any = None, device: Any = None, copy: bool = False, **_: Any) -> Tensor:
    """The tensor in another dtype or on another device; itself if nothing changes (unless `copy`).

    `x.to(float64)`, `x.to("cpu")`, `x.to("cpu", float64)`, `x.to(other)`.
    """
    flags = [given for given in args if isinstance(given, bool)]  # non_blocking, which changes nothing here, and copy
    copy = copy or (len(flags) > 1 and flags[1])
    for given in args:
        if given is None:
            continue
        if isinstance(given, DType):
            dtype = given
        elif isinstance(given, str | Device):
            device = given
        elif isinstance(given, Tensor):
            dtype, device = given.dtype, given.device
        elif isinstance(given, bool):
            continue
        else:
            raise TypeError(f"to() received an invalid combination of arguments - got ({type(given).__name__})")
    if device is not None and Device(device).type == "cuda":
        raise AssertionError(f"Torch not compiled with CUDA enabled: there is no device '{Device(device)}' here")
    out = self if dtype is None else to_dtype(self, dtype)
    return clone(out) if copy and out is self else out


def type_(self: Tensor, dtype: Any = None) -> Any:
    """Without an argument the name of the type ("torch.FloatTensor"), else the tensor in that type."""
    if dtype is None:
        return f"torch.{self.dtype.legacy}"
    from tinytorch.ops.legacy import dtype_of_type

    return to_dtype(self, dtype_of_type(dtype))


def cpu(self: Tensor, memory_format: Any = None) -> Tensor:
    """The tensor in the computer's own memory: itself."""
    return self


def cuda(self: Tensor, device: Any = None, non_blocking: bool = False, memory_format: Any = None) -> Tensor:
    """The tensor on a GPU; AssertionError where there is none."""
    return to(self, device=Device("cuda") if device is None else device)


def type_as(self: Tensor, other: Tensor) -> Tensor:
    return to_dtype(self, other.dtype)


def is_floating_point(input: Tensor) -> bool:
    """Whether the dtype is float16, bfloat16, float32 or float64."""
    return _checked("is_floating_point", input).dtype.is_floating_point


def is_signed(input: Tensor) -> bool:
    """Whether the dtype has negative numbers."""
    return _checked("is_signed", input).dtype.is_signed


def is_complex(input: Tensor) -> bool:
    """No: there are no complex dtypes here."""
    return _checked("is_complex", input).dtype.is_complex


def is_nonzero(input: Tensor) -> bool:
    """Whether the only element is not 0."""
    return bool(_checked("is_nonzero", input))


def _checked(name: str, input: Any) -> Tensor:
    if not isinstance(input, Tensor):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    return input


def detach(input: Tensor) -> Tensor:
    """The same memory, outside the graph: no gradient flows through it, and writes are seen on both sides."""
    out = wrap(input._array)
    out._storage = input._storage
    return out


def detach_(self: Tensor) -> Tensor:
    """Take this tensor out of its graph: it becomes a leaf."""
    if self._base is not None:
        raise RuntimeError(
            "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for "
            "training, and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence "
            "detach_() cannot be called on these gradients."
        )
    self._grad_fn, self._requires_grad, self._output_nr = None, False, 0
    return self


def numel(input: Tensor) -> int:
    """How many elements the tensor has"""
    return _checked("numel", input)._array.size


def is_inference(input: Tensor) -> bool:
    """Whether the tensor was made in inference mode"""
    return _checked("is_inference", input)._inference


def contiguous(input: Tensor, memory_format: Any = None) -> Tensor:
    """x itself if its elements lie in order, else a copy in which they do."""
    if input._array.flags.c_contiguous:
        return input
    return Contiguous.apply(input)


class Contiguous(Clone):
    """y = x, laid out row by row,  dx = dy"""

    label = "Clone"

    def forward(ctx, x):
        return np.ascontiguousarray(x)
