"""Making tensors from Python values, NumPy arrays and nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import dtypes
from tinytorch.device import device as Device
from tinytorch.dtypes import dtype as DType
from tinytorch.ops.shape import shape_of
from tinytorch.tensor import Tensor, wrap


def finish(array: np.ndarray, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A fresh tensor with the options that all makers share."""
    if device is not None and Device(device).type != "cpu":
        raise RuntimeError(f"this build has no device {Device(device)}: Torch not compiled with CUDA enabled")
    out = wrap(array)
    if requires_grad:
        out.requires_grad = True
    return out


def tensor(data: Any, *, dtype: DType | None = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False) -> Tensor:
    """A tensor with a copy of `data`: a number, nested lists, an array or a tensor.

    Python floats become float32 (the default dtype), ints int64, bools bool; arrays keep their dtype.

    >>> tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    """
    return finish(_array_of(data, dtype), device, requires_grad)


def _array_of(data: Any, dtype: DType | None, copy: bool = True) -> np.ndarray:
    if isinstance(data, Tensor):
        data = data._array
    if isinstance(data, np.ndarray | np.generic):
        array = np.array(data, dtype=None if dtype is None else dtype.numpy) if copy else np.asarray(data, None if dtype is None else dtype.numpy)
        dtypes.from_numpy_dtype(array.dtype)
        return array
    return from_nested(data, dtype)


def from_nested(data: Any, dtype: DType | None) -> np.ndarray:
    """Nested lists of numbers (or of tensors with one element) as an array."""
    if isinstance(data, list | tuple) and any(isinstance(v, Tensor) for v in data):
        data = [v.tolist() if isinstance(v, Tensor) else v for v in data]
    try:
        array = np.asarray(data)
    except ValueError:
        raise ValueError(f"expected sequence of equal lengths, got {data!r}") from None
    if array.dtype.kind not in "biuf" or array.dtype == object:
        if isinstance(data, str | bytes):
            raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
        raise TypeError(f"must be real number, not {type(data).__name__}" if not isinstance(data, list | tuple) else f"could not make a tensor of {data!r}")
    if dtype is not None:
        return array.astype(dtype.numpy)
    if array.size == 0 or array.dtype.kind == "f":
        return array.astype(dtypes.get_default_dtype().numpy)
    return array.astype(np.bool_ if array.dtype.kind == "b" else np.int64)


def as_tensor(data: Any, dtype: DType | None = None, device: Any = None) -> Tensor:
    """`data` as a tensor, sharing memory where it can."""
    if isinstance(data, Tensor):
        from tinytorch.ops.cast import to

        return to(data, dtype=dtype, device=device)
    return finish(_array_of(data, dtype, copy=False), device)


def from_numpy(array: np.ndarray) -> Tensor:
    """A tensor on the memory of a NumPy array: writes are seen on both sides."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(array).__name__})")
    dtypes.from_numpy_dtype(array.dtype)
    return wrap(array)


def _maker(fill: Any) -> Any:
    def make(*size: Any, dtype: DType | None = None, device: Any = None, requires_grad: bool = False, layout: Any = None, pin_memory: bool = False, out: Any = None) -> Tensor:
        return finish(fill(shape_of(size), (dtype or dtypes.get_default_dtype()).numpy), device, requires_grad)

    return make


zeros, ones, empty = _maker(np.zeros), _maker(np.ones), _maker(np.empty)
zeros.__doc__ = "A tensor of zeros: `zeros(2, 3)` or `zeros((2, 3), dtype=...)`."
ones.__doc__ = "A tensor of ones."
empty.__doc__ = "Memory as it comes: the numbers are whatever was there."


def full(size: Any, fill_value: Any, *, dtype: DType | None = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of one number everywhere; the dtype is the number's."""
    return finish(np.full(shape_of((size,)), fill_value, (dtype or dtypes.of_scalar(fill_value)).numpy), device, requires_grad)


def zeros_like(input: Tensor, *, dtype: DType | None = None, device: Any = None, requires_grad: bool = False, memory_format: Any = None) -> Tensor:
    """Zeros of the shape and dtype of `input`."""
    return finish(np.zeros_like(input._array, dtype and dtype.numpy), device, requires_grad)


def ones_like(input: Tensor, *, dtype: DType | None = None, device: Any = None, requires_grad: bool = False, memory_format: Any = None) -> Tensor:
    """Ones of the shape and dtype of `input`."""
    return finish(np.ones_like(input._array, dtype and dtype.numpy), device, requires_grad)


def arange(start: Any, end: Any = None, step: Any = 1, *, dtype: DType | None = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """start, start + step, ... up to but without end: int64, or the default dtype where a float is given."""
    if end is None:
        start, end = 0, start
    if dtype is None:
        dtype = dtypes.get_default_dtype() if any(isinstance(v, float) for v in (start, end, step)) else dtypes.int64
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    return finish(np.arange(start, end, step).astype(dtype.numpy), device, requires_grad)


def linspace(start: float, end: float, steps: int, *, dtype: DType | None = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """`steps` numbers from start to end, both included."""
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    return finish(np.linspace(start, end, steps).astype((dtype or dtypes.get_default_dtype()).numpy), device, requires_grad)


def construct(cls: type, *args: Any, device: Any = None, dtype: Any = None) -> Tensor:
    """`Tensor(2, 3)` is uninitialised memory, `Tensor([1, 2])` a float32 copy, `Tensor()` is empty."""
    wanted = dtype or dtypes.get_default_dtype()
    if not args:
        return finish(np.empty(0, wanted.numpy), device)
    if len(args) == 1 and isinstance(args[0], Tensor):
        out = wrap(args[0]._array)
        out._storage = args[0]._storage
        return out
    if len(args) == 1 and not isinstance(args[0], int) and not type(args[0]).__name__ == "Size":
        return finish(_array_of(args[0], wanted), device)
    return empty(*args, dtype=wanted, device=device)
