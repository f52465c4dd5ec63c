"""Values that forward keeps for backward, each with the version that its memory had.

If the memory was written to in place since, the formula of backward would run on wrong numbers. The counter in the
storage notices, and backward refuses.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch import dtypes
from tinytorch.storage import Storage
from tinytorch.tensor import Tensor, wrap


class Saved:
    """One saved array: `tensor` if it is an input of its op, `output_nr` if it is an output, neither if in between."""

    __slots__ = ("array", "storage", "version", "tensor", "output_nr", "packed")

    def __init__(
        self, array: np.ndarray, storage: Storage | None, tensor: Tensor | None, output_nr: int | None
    ) -> None:
        self.array = array
        self.storage = storage
        self.version = 0 if storage is None else storage.version
        self.tensor = tensor
        self.output_nr = output_nr
        self.packed: tuple | None = None

    def unpack(self, ctx: Any) -> Any:
        """The array, or, where backward is recorded, the tensor with its place in the graph."""
        if self.storage is not None and self.storage.version != self.version:
            raise RuntimeError(self._overwritten(ctx))
        if self.packed is not None:
            function, value = self.packed
            tensor = function(value)
            return tensor if ctx._on_tensors else tensor._array
        if not ctx._on_tensors:
            return self.array
        if self.tensor is not None:
            return self.tensor
        again = wrap(self.array)
        if self.output_nr is not None:  # not kept as a tensor: that would be a cycle, output -> node -> output
            again._storage = self.storage  # type: ignore[assignment]
            again._requires_grad = True
            again._grad_fn = ctx
            again._output_nr = self.output_nr
        return again

    def _overwritten(self, ctx: Any) -> str:
        kind = dtypes.from_numpy_dtype(self.array.dtype).legacy
        of = (
            f", which is output {self.output_nr} of {ctx.label or type(ctx).__name__},"
            if self.output_nr is not None
            else ""
        )
        if self.tensor is not None and self.tensor._grad_fn is not None:
            maker = self.tensor._grad_fn.name().removesuffix("0").removesuffix("Backward")
            of = f", which is output {self.tensor._output_nr} of {maker},"
        return (
            "one of the variables needed for gradient computation has been modified by an inplace operation: "
            f"[torch.{kind} {list(self.array.shape)}]{of} is at version {self.storage.version}; "
            f"expected version {self.version} instead. Hint: enable anomaly detection to find the operation that "
            "failed to compute its gradient, with torch.autograd.set_detect_anomaly(True)."
        )


class _Hooks(threading.local):
    active: list[tuple[Callable, Callable]]

    def __init__(self) -> None:
        self.active = []


hooks = _Hooks()


class saved_tensors_hooks:
    """Inside this block every value kept for backward goes through `pack(tensor)`, and comes back through `unpack`.

    >>> import tinytorch
    >>> x = tinytorch.tensor([3.0], requires_grad=True)
    >>> seen = []
    >>> with saved_tensors_hooks(lambda t: seen.append(t.shape) or t, lambda t: t):
    ...     y = x * x
    >>> len(seen)
    2
    """

    def __init__(self, pack_hook: Callable, unpack_hook: Callable) -> None:
        self.pair = pack_hook, unpack_hook

    def __enter__(self) -> None:
        hooks.active.append(self.pair)

    def __exit__(self, *exception: object) -> None:
        hooks.active.pop()


def pack(saved: Saved) -> Saved:
    """Hand a value to the innermost pair of hooks; the array itself is then no longer held."""
    pack_hook, unpack_hook = hooks.active[-1]
    given = saved.tensor if saved.tensor is not None else wrap(saved.array)
    saved.packed = unpack_hook, pack_hook(given)
    saved.tensor = None
    return saved
