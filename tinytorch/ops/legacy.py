"""PyTorch's old constructors: `Tensor(2, 3)`, and one class for each dtype, `FloatTensor` to `BoolTensor`.

There is one class of tensors; these names are only ways to make one, and to ask for its dtype.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import dtypes
from tinytorch.dtypes import dtype as DType
from tinytorch.ops.creation import check_device, empty, finish, tensor
from tinytorch.size import Size
from tinytorch.storage import Storage
from tinytorch.tensor import Tensor, wrap


def construct(cls: type, *args: Any, device: Any = None, dtype: DType | None = None) -> Tensor:
    """`Tensor(2, 3)` is uninitialised memory, `Tensor([1, 2])` a float32 copy, `Tensor()` is empty."""
    if dtype is not None:
        raise TypeError(f"new() received an invalid combination of arguments - got (dtype={dtype})")
    same = len(args) == 1 and isinstance(args[0], Tensor)
    out = _same_memory(args[0]) if same else _made(dtypes.get_default_dtype(), args, device)
    if cls is not Tensor:
        out.__class__ = cls
    return out


def _same_memory(t: Tensor) -> Tensor:
    out = wrap(t._array)
    out._storage = t._storage
    return out


def _made(dtype: DType, args: tuple, device: Any = None) -> Tensor:
    """Numbers are a shape, a sequence is data."""
    if device is not None:
        check_device(device)
    if not args:
        return finish(np.empty(0, dtype.numpy))
    (first, *more) = args
    if isinstance(first, Storage):
        out = wrap(first.flat.view(dtype.numpy))
        out._storage = first
        return out
    if not more and isinstance(first, str):
        raise TypeError("new(): invalid data type 'str'")
    if not more and not isinstance(first, Size):
        if isinstance(first, bool | float):
            raise TypeError(f"new(): data must be a sequence (got {type(first).__name__})")
        if hasattr(first, "__len__"):
            return tensor(first, dtype=dtype)
    return empty(*args, dtype=dtype)


class TensorType(type):
    """The class of `FloatTensor` and its like: calling one makes a tensor, `isinstance` asks for the dtype."""

    dtype: DType
    is_cuda: bool

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, Tensor) and value.dtype is cls.dtype and value.is_cuda == cls.is_cuda

    def __call__(cls, *args: Any, device: Any = None, **unknown: Any) -> Tensor:
        if unknown:
            raise TypeError(
                f"new() received an invalid combination of arguments - got ({', '.join(f'{k}=' for k in unknown)})"
            )
        if cls.is_cuda:
            raise TypeError(f"type torch.cuda.{cls.__name__} not available. Torch not compiled with CUDA enabled.")
        if len(args) == 1 and isinstance(args[0], Tensor):
            if args[0].dtype is not cls.dtype:
                raise TypeError(f"expected a tensor of dtype {cls.dtype} (got one of {args[0].dtype})")
            return _same_memory(args[0])
        return _made(cls.dtype, args, device)

    def __repr__(cls) -> str:
        return f"<class '{cls.__module__}.{cls.__name__}'>"


def _types(module: str, is_cuda: bool) -> dict[str, TensorType]:
    return {
        t.legacy: TensorType(t.legacy, (), {"dtype": t, "is_cuda": is_cuda, "__module__": module}) for t in dtypes.ALL
    }


TYPES = _types("torch", is_cuda=False)
CUDA_TYPES = _types("torch.cuda", is_cuda=True)


def dtype_of_type(name: Any) -> DType:
    """The dtype that `x.type(...)` was given: as a dtype, a class or the name of a class."""
    if isinstance(name, DType):
        return name
    if isinstance(name, TensorType):
        name = f"{name.__module__}.{name.__name__}"
    if name.startswith("torch.cuda.") and name.removeprefix("torch.cuda.") in CUDA_TYPES:
        raise RuntimeError(f"Cannot initialize CUDA: {name} needs a GPU, and this build has none")
    if not name.startswith("torch.") or name.removeprefix("torch.") not in TYPES:
        raise ValueError(f"invalid type: '{name}'")
    return TYPES[name.removeprefix("torch.")].dtype


def new(self: Tensor, *args: Any, device: Any = None) -> Tensor:
    """The old constructor, of this tensor's dtype; `new_tensor` and `new_empty` say what they do."""
    return _made(self.dtype, args, device)


def set_default_tensor_type(t: Any) -> None:
    """Deprecated in PyTorch for `set_default_dtype`."""
    dtypes.set_default_dtype(dtype_of_type(t))
