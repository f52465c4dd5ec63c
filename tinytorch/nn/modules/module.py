"""Module: the base of every layer and network.

A module holds parameters, buffers and other modules, in the order in which they were assigned. Everything else here
is a walk over that tree: find the parameters, save and load them, move them, switch training on and off, print it.
Saving and loading is in `state.py`, hooks are in `hooks.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tinytorch.autograd.grad_mode import no_grad
from tinytorch.device import device as Device
from tinytorch.dtypes import bfloat16, float16, float32, float64
from tinytorch.dtypes import dtype as DType
from tinytorch.nn.modules.hooks import HookMethods
from tinytorch.nn.modules.state import StateMethods
from tinytorch.nn.parameter import Buffer, Parameter
from tinytorch.tensor import Tensor


class Module(HookMethods, StateMethods):
    """Base class of all layers: assign parameters and submodules in `__init__`, compute in `forward`.

    >>> from tinytorch import nn
    >>> class Scale(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = nn.Parameter(tinytorch.ones(1))
    ...     def forward(self, x):
    ...         return x * self.factor
    >>> import tinytorch
    >>> layer = Scale()
    >>> layer(tinytorch.tensor([3.0]))
    tensor([3.], grad_fn=<MulBackward0>)
    >>> [name for name, _ in layer.named_parameters()]
    ['factor']
    """

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]

    def __init__(self) -> None:
        put = object.__setattr__  # past our own __setattr__, which needs what is made here
        put(self, "training", True)
        put(self, "_parameters", {})
        put(self, "_buffers", {})
        put(self, "_modules", {})
        put(self, "_non_persistent_buffers_set", set())

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; every subclass gives its own."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._hooked:
            return self._call_with_hooks(args, kwargs)
        return self.forward(*args, **kwargs)

    # ---- attributes: what is assigned is sorted by its kind ------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        state = self.__dict__
        if isinstance(value, Parameter):
            if "_parameters" not in state:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            self._forget(name)
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            if "_modules" not in state:
                raise AttributeError("cannot assign module before Module.__init__() call")
            if name not in state["_modules"]:
                self._forget(name)
            state["_modules"][name] = value
        elif isinstance(value, Buffer):
            if "_buffers" not in state:
                raise AttributeError("cannot assign buffer before Module.__init__() call")
            self._forget(name)
            self.register_buffer(name, value, value.persistent)
        elif name in state.get("_parameters", ()):
            if value is not None:
                raise TypeError(
                    f"cannot assign '{typename(value)}' as parameter '{name}' (torch.nn.Parameter or None expected)"
                )
            self.register_parameter(name, None)
        elif name in state.get("_modules", ()):
            if value is not None:
                raise TypeError(f"cannot assign '{typename(value)}' as child module '{name}' (torch.nn.Module or None expected)")
            state["_modules"][name] = None
        elif name in state.get("_buffers", ()):
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(
                    f"cannot assign '{typename(value)}' as buffer '{name}' "
                    "(torch.nn.Buffer, torch.Tensor or None expected)"
                )
            state["_buffers"][name] = value
        else:
            object.__setattr__(self, name, value)

    def _forget(self, name: str) -> None:
        """Take a name out of whatever table holds it, unless it keeps its kind (and so its place in the order)."""
        self.__dict__.pop(name, None)
        for table in (self._parameters, self._buffers, self._modules):
            table.pop(name, None) if table is not self._table_of(name) else None

    def __getattr__(self, name: str) -> Any:  # asked only for what is not an ordinary attribute
        state = self.__dict__
        for table in ("_parameters", "_buffers", "_modules"):
            if table in state and name in state[table]:
                return state[table][name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __delattr__(self, name: str) -> None:
        for table in (self._parameters, self._buffers, self._modules):
            if name in table:
                del table[name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        names = {*super().__dir__(), *self._parameters, *self._buffers, *self._modules}
        return sorted(name for name in names if not name[0].isdigit())
