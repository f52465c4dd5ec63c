"""`out=`: the result written into a tensor that the caller provides."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.autograd.grad_mode import mode
from tinytorch.storage import Storage
from tinytorch.tensor import Tensor

_RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "V": 2}


def with_out(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a function the keyword `out`: a tensor (or a tuple of them) that receives the result and is returned."""

    @functools.wraps(function)
    def call(*args: Any, out: Any = None, **kwargs: Any) -> Any:
        made = function(*args, **kwargs)
        return made if out is None else write_out(function.__name__, made, out)

    return call


def write_out(name: str, made: Any, out: Any) -> Any:
    """Copy results into `out`, cast within their category; an `out` of another shape is resized."""
    if isinstance(out, tuple | list):
        for result, target in zip(made, out, strict=True):
            write_out(name, result, target)
        return type(made)(out)
    if not isinstance(out, Tensor):
        raise TypeError(f"{name}(): argument 'out' must be Tensor, not {type(out).__name__}")
    if mode.enabled and (made.requires_grad or out.requires_grad):
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, but one of the "
            "arguments requires grad."
        )
    array, target = made._array, out._array
    if _RANK[array.dtype.kind] > _RANK[target.dtype.kind]:
        source, wanted = (t.dtype.legacy.removesuffix("Tensor") for t in (made, out))
        raise RuntimeError(f"result type {source} can't be cast to the desired output type {wanted}")
    if array.shape == target.shape:
        target[...] = array
        out._storage.version += 1
        return out
    if target.size:
        warnings.warn(
            f"An output with one or more elements was resized since it had shape {list(target.shape)}, which does not "
            f"match the required output shape {list(array.shape)}. This behavior is deprecated, and in a future PyTorch "
            "release outputs will not be resized unless they have zero elements.",
            UserWarning,
            stacklevel=3,
        )
    out._array = np.array(array, dtype=target.dtype)
    out._storage = Storage(out._array)
    return out
