"""Parameter and Buffer: tensors that a module keeps. One is learned, the other only kept."""

from __future__ import annotations

from typing import Any

from tinytorch import kernels
from tinytorch.ops.creation import empty
from tinytorch.ops.side import TensorSide
from tinytorch.tensor import Tensor


def _window_on(cls: type, data: Tensor) -> Any:
    """A leaf of class `cls` on the memory of `data`."""
    made: Any = object.__new__(cls)
    made._array = data._array
    made._storage = data._storage
    return made


class Parameter(Tensor):
    """A tensor that a module learns: assigned to an attribute of a module, it is found by `parameters()`.

    Args:
        data: its first value, whose memory it shares; an empty tensor where none is given.
        requires_grad: False freezes it.

    >>> import tinytorch
    >>> Parameter(tinytorch.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Parameter:
        if data is None:
            data = empty(0)
        if not isinstance(data, Tensor):
            raise AttributeError(
                f"'{type(data).__name__}' object has no attribute 'detach': a Parameter needs a Tensor"
            )
        if requires_grad and not data.dtype.is_floating_point:
            raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
        made = _window_on(cls, data)
        made._requires_grad = bool(requires_grad)
        return made


class _IsBuffer(type):
    """A buffer is an ordinary tensor that was marked as one, so that `isinstance(x, Buffer)` asks for the mark."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and getattr(instance, "_is_buffer", False)


class Buffer(metaclass=_IsBuffer):
    """A tensor that belongs to a module but is not learned, such as a running mean; `persistent` ones are saved.

    >>> import tinytorch
    >>> Buffer(tinytorch.ones(2), persistent=False)
    tensor([1., 1.])
    """

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Any:
        if data is None:
            data = empty(0)
        made: Any = _window_on(Tensor, data)
        made._requires_grad = data._requires_grad
        made._is_buffer = True
        made.persistent = persistent
        return made


kernels.register(Parameter, TensorSide)
