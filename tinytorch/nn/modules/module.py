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
        own = self.__dict__
        for table, kind, what in _KINDS:
            if isinstance(value, kind):
                if table not in own:
                    raise AttributeError(f"cannot assign {what} before Module.__init__() call")
                own.pop(name, None)
                for other, _, _ in _KINDS:
                    if other != table:
                        own[other].pop(name, None)
                if kind is Buffer:
                    self.register_buffer(name, value, value.persistent)
                elif kind is Parameter:
                    self.register_parameter(name, value)
                else:
                    own[table][name] = value
                return
        for table, _, what in _KINDS:
            if name in own.get(table, ()):
                if value is not None and not (table == "_buffers" and isinstance(value, Tensor)):
                    raise TypeError(f"cannot assign '{typename(value)}' as {_ALLOWED[what].format(name)}")
                own[table][name] = value
                return
        object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:  # asked only for what is not an ordinary attribute
        own = self.__dict__
        for table, _, _ in _KINDS:
            if table in own and name in own[table]:
                return own[table][name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __delattr__(self, name: str) -> None:
        for table, _, _ in _KINDS:
            if name in self.__dict__[table]:
                del self.__dict__[table][name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        names = {*super().__dir__(), *self._parameters, *self._buffers, *self._modules}
        return sorted(name for name in names if not name[0].isdigit())

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter; None keeps its place free (a layer without a bias)."""
        self._check_name("parameter", "_parameters", name)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{typename(param)}' object to parameter '{name}' (torch.nn.Parameter or None required)"
            )
        if param is not None and param.grad_fn is not None:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created explicitly. To "
                f"express '{name}' as a function of another Tensor, compute the value in the forward() method."
            )
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is not learned; one that is not `persistent` is left out of the state_dict."""
        self._check_name("buffer", "_buffers", name)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{typename(tensor)}' object to buffer '{name}' (torch Tensor or None required)"
            )
        self._buffers[name] = tensor
        (self._non_persistent_buffers_set.discard if persistent else self._non_persistent_buffers_set.add)(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a submodule under a name: `setattr` for names that are not known beforehand."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{typename(module)} is not a Module subclass")
        self._check_name("module", "_modules", name)
        self._modules[name] = module

    register_module = add_module

    def _check_name(self, what: str, table: str, name: str) -> None:
        if table not in self.__dict__:
            raise AttributeError(f"cannot assign {what} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{what} name should be a string. Got {typename(name)}")
        if "." in name:
            raise KeyError(f'{what} name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError(f'{what} name can\'t be empty string ""')
        if name not in self.__dict__[table] and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")

    # ---- walking the tree: each object once, in the order of registration -----------------------------------------

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """(dotted name, module) for this module ("") and all below it; one that is used twice comes once."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, child in self._modules.items():
            if child is not None:
                yield from child.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """This module and all below it."""
        for _, module in self.named_modules():
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """(name, module) for the modules directly below this one."""
        seen = set()
        for name, child in self._modules.items():
            if child is not None and child not in seen:
                seen.add(child)
                yield name, child

    def children(self) -> Iterator[Module]:
        """The modules directly below this one."""
        for _, child in self.named_children():
            yield child

    def _named_members(
        self, table: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        owners = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        seen = set()
        for owner, module in owners:
            for name, member in module.__dict__[table].items():
                if member is None or id(member) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(member))
                yield f"{owner}.{name}" if owner else name, member

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """(dotted name, parameter) of this module and, with `recurse`, of all below it."""
        return self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """What an optimiser is given."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """(dotted name, buffer) of this module and, with `recurse`, of all below it."""
        return self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def get_submodule(self, target: str) -> Module:
        """The module with a dotted name; AttributeError says at which step of the way there is none."""
        module = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
            module = getattr(module, name)
            if not isinstance(module, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put another module in the place with a dotted name; `strict` wants one to be there already."""
        if not target:
            raise ValueError("Cannot set the submodule without a target name!")
        owner, _, name = target.rpartition(".")
        parent = self.get_submodule(owner)
        if strict and not hasattr(parent, name):
            raise AttributeError(f"{type(parent).__name__} has no attribute `{name}`")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter with a dotted name."""
        return self._get_member(
            target, lambda module, name: isinstance(getattr(module, name), Parameter), "an nn.Parameter"
        )

    def get_buffer(self, target: str) -> Tensor:
        """The buffer with a dotted name."""
        return self._get_member(target, lambda module, name: name in module._buffers, "a buffer")

    def _get_member(self, target: str, is_one: Callable[[Module, str], bool], what: str) -> Any:
        owner, _, name = target.rpartition(".")
        module = self.get_submodule(owner)
        if not hasattr(module, name):
            raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
        if not is_one(module, name):
            raise AttributeError(f"`{name}` is not {what}")
        return getattr(module, name)

    # ---- switching and changing the whole tree ----------------------------------------------------------------------

    def apply(self, fn: Callable[[Module], Any]) -> Module:
        """Call `fn` on all modules below, then on this one: the usual way to initialise a network."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Module:
        """Switch to training (or, with False, to evaluation): it matters to layers such as Dropout and BatchNorm."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self) -> Module:
        """Switch to evaluation; gradients are still recorded (that is `no_grad`'s affair)."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Module:
        """Freeze (False) or unfreeze all parameters."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters; with `set_to_none=False` they become zeros."""
        for parameter in self.parameters():
            clear_grad(parameter, set_to_none)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Module:
        """Replace what every parameter, gradient and buffer holds by `fn` of it; parameters stay the same objects."""
        if recurse:
            for child in self.children():
                child._apply(fn)
        with no_grad():
            for parameter in self._parameters.values():
                if parameter is not None:
                    grad, parameter._grad = parameter._grad, None
                    parameter.data = fn(parameter.data)
                    if grad is not None:
                        parameter.grad = fn(grad)
            for name, buffer in self._buffers.items():
                if buffer is not None:
                    self._buffers[name] = fn(buffer)
        return self

    def to(self, *args: Any, dtype: Any = None, device: Any = None, non_blocking: bool = False, **_: Any) -> Module:
        """Move to a device, convert floating-point members to a dtype, or both; in place, and returns the module.

        `m.to("cpu")`, `m.to(float64)`, `m.to("cpu", float64)`, `m.to(tensor)`.
        """
        for given in args:
            if isinstance(given, Tensor):
                dtype, device = given.dtype, given.device
            elif isinstance(given, DType):
                dtype = given
            elif given is not None and not isinstance(given, bool):
                device = given
        if dtype is not None and not dtype.is_floating_point:
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
            )
        return self._apply(lambda t: t.to(device=device, dtype=dtype if t.is_floating_point() else None))

    def to_empty(self, *, device: Any, recurse: bool = True) -> Module:
        """Move to a device without keeping any values."""
        from tinytorch.ops.creation import empty

        return self._apply(lambda t: empty(t.shape, dtype=t.dtype, device=device), recurse)

    def cpu(self) -> Module:
        return self.to("cpu")

    def cuda(self, device: Any = None) -> Module:
        return self.to(
            Device("cuda") if device is None else Device("cuda", device) if isinstance(device, int) else device
        )

    def float(self) -> Module:
        """Floating-point parameters and buffers as float32; integers stay what they are."""
        return self.to(float32)

    def double(self) -> Module:
        return self.to(float64)

    def half(self) -> Module:
        return self.to(float16)

    def bfloat16(self) -> Module:
        return self.to(bfloat16)

    def type(self, dst_type: Any) -> Module:
        """All parameters and buffers, integers too, in one dtype."""
        return self._apply(lambda t: t.type(dst_type))

    def share_memory(self) -> Module:
        """Accepted, for programs that call it; worker processes of the DataLoader do not need it."""
        return self

    # ---- the printed form ---------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """What stands between the brackets of the printed form: a subclass's settings."""
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({name}): {indented(repr(child))}" for name, child in self._modules.items()]
        if len(lines) == 1 and not children:
            return f"{self._get_name()}({lines[0]})"
        body = "".join(f"\n  {line}" for line in lines + children)
        return f"{self._get_name()}({body}\n)" if body else f"{self._get_name()}()"


_KINDS: tuple[tuple[str, type, str], ...] = (
    ("_parameters", Parameter, "parameters"),
    ("_modules", Module, "module"),
    ("_buffers", Buffer, "buffer"),
)
_ALLOWED = {
    "parameters": "parameter '{}' (torch.nn.Parameter or None expected)",
    "module": "child module '{}' (torch.nn.Module or None expected)",
    "buffer": "buffer '{}' (torch.nn.Buffer, torch.Tensor or None expected)",
}


def indented(text: str) -> str:
    """All lines but the first moved to the right by two."""
    return text.replace("\n", "\n  ")


def clear_grad(parameter: Tensor, set_to_none: bool) -> None:
    """Drop the gradient of a parameter, or fill it with zeros."""
    if set_to_none:
        parameter._grad = None
    elif parameter._grad is not None:
        if parameter._grad.grad_fn is not None:
            parameter._grad.detach_()
        else:
            parameter._grad.requires_grad_(False)
        parameter._grad.zero_()


def typename(value: Any) -> str:
    """What messages call the kind of a value: "torch.FloatTensor", "int", "tinytorch.nn.modules.linear.Linear"."""
    if isinstance(value, Tensor):
        return value.type()
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
