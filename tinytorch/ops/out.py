"""`out=`: results written into a tensor that the caller gives."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.autograd.grad_mode import mode, no_grad
from tinytorch.storage import Storage
from tinytorch.tensor import Tensor

_RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "V": 2}


def with_out(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a function that makes new tensors a keyword `out`; `f.without_out` is the function as it was."""

    @functools.wraps(function)
    def wrapper(*args: Any, out: Any = None, **kwargs: Any) -> Any:
        if out is None:
            return function(*args, **kwargs)
        refuse_recording(function.__name__, out, args, kwargs)
        with no_grad():
            made = function(*args, **kwargs)
        return write_all(made, out)

    wrapper.without_out = function  # type: ignore[attr-defined]
    return wrapper


def refuse_recording(name: str, out: Any, args: Any = (), kwargs: Any = None) -> None:
    """RuntimeError where autograd would have to follow a call that writes into `out`."""
    if not mode.enabled:
        return
    outs = out if isinstance(out, tuple | list) else (out,)
    for given in (*outs, *args, *(kwargs or {}).values()):
        for t in given if isinstance(given, tuple | list) else (given,):
            if isinstance(t, Tensor) and t.requires_grad:
                raise RuntimeError(
                    f"{name}(): functions with out=... arguments don't support automatic differentiation, but one of "
                    "the arguments requires grad."
                )


def write_all(made: Any, out: Any) -> Any:
    """Write one result, or several, into `out`, and give `out` back."""
    if not isinstance(made, tuple):
        return write_out(made, out)
    if not isinstance(out, tuple | list) or len(out) != len(made):
        raise TypeError(f"argument 'out' must be tuple of {len(made)} Tensors, not {type(out).__name__}")
    for one, target in zip(made, out, strict=True):
        write_out(one, target)
    return type(made)(out)


def write_out(made: Tensor, out: Tensor, check_cast: bool = True) -> Tensor:
    """Write a result into `out`, which takes on its shape; RuntimeError where its dtype cannot hold the result."""
    if not isinstance(out, Tensor):
        raise TypeError(f"argument 'out' must be Tensor, not {type(out).__name__}")
    array = made._array
    if check_cast and _RANK[array.dtype.kind] > _RANK[out._array.dtype.kind]:
        source, target = (x.dtype.legacy.removesuffix("Tensor") for x in (made, out))
        raise RuntimeError(f"result type {source} can't be cast to the desired output type {target}")
    if out._array.shape != array.shape:
        _resize(out, array.shape)
    out._array[...] = array
    out._storage.version += 1
    return out


def _resize(out: Tensor, shape: tuple[int, ...]) -> None:
    if out._array.size:
        warnings.warn(
            f"An output with one or more elements was resized since it had shape {list(out._array.shape)}, which does "
            f"not match the required output shape {list(shape)}. Resize it first with out.resize_(0).",
            UserWarning, stacklevel=4,
        )  # fmt: skip
    out._array = np.empty(shape, out._array.dtype)
    out._storage = Storage(out._array)
