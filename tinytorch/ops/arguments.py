"""NumPy's names for arguments, which PyTorch accepts too."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from tinytorch.ops.promotion import need_tensors
from tinytorch.tensor import Tensor

_NUMPY_NAMES = (("axis", "dim"), ("keepdims", "keepdim"))


def numpy_names(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function of a tensor be called with `axis` and `keepdims` for `dim` and `keepdim`."""

    @functools.wraps(function)
    def call(input: Tensor, *args: Any, **kwargs: Any) -> Any:
        if kwargs:
            for theirs, ours in _NUMPY_NAMES:
                if theirs in kwargs:
                    kwargs[ours] = kwargs.pop(theirs)
        if not isinstance(input, Tensor):
            need_tensors(function.__name__, input=input)
        return function(input, *args, **kwargs)

    return call
