"""`Variable`: the name under which tensors that take part in autograd were known before PyTorch 0.4."""

from __future__ import annotations

import warnings
from typing import Any

from tinytorch.tensor import Tensor


class _IsTensor(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor)


class Variable(metaclass=_IsTensor):
    """`Variable(x, requires_grad=True)` gives a tensor on the memory of x. `volatile` marked a whole graph as inference
    only; it has no effect any more (use `no_grad`).

    >>> import tinytorch
    >>> Variable(tinytorch.ones(2), requires_grad=True)
    tensor([1., 1.], requires_grad=True)
    """

    def __new__(cls, data: Any = None, requires_grad: bool = False, volatile: Any = None) -> Any:
        if volatile is not None:
            warnings.warn(
                "volatile was removed and now has no effect. Use `with torch.no_grad():` instead.", stacklevel=2
            )
        if data is None:
            return Tensor()
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        return data.detach().requires_grad_(requires_grad)
