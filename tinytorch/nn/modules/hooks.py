"""Hooks of modules: functions that look at, or change, what goes into a module, what comes out, and the gradients.

A module without hooks never comes here: registering the first one sets `_hooked`, which `Module.__call__` asks.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from tinytorch.autograd.node import RemovableHandle
from tinytorch.autograd.op import Op
from tinytorch.tensor import Tensor


class Gate(Op):
    """y = x, for several tensors at once: one node in which all their gradients meet."""

    def name(ctx) -> str:
        return "BackwardHookFunctionBackward"

    def forward(ctx, *xs):
        return xs

    def backward(ctx, *dys):
        return dys


def through_gate(value: Any) -> tuple[Any, Gate | None, list[int]]:
    """`value`, a tensor or a tuple, with its tensors passed through one Gate; the gate; their places in the tuple."""
    members = value if isinstance(value, tuple) else (value,)
    places = [i for i, member in enumerate(members) if isinstance(member, Tensor)]
    if not any(members[i].requires_grad for i in places):
        return value, None, places
    passed = Gate.apply(*[members[i] for i in places])
    found = list(members)
    for i, tensor in zip(places, passed, strict=True):
        tensor._storage = members[i]._storage  # the same memory, and so the same version counter
        found[i] = tensor
    gate = next(t._grad_fn for t in passed if t._grad_fn is not None)
    return (tuple(found) if isinstance(value, tuple) else found[0]), gate, places


class HookMethods:
    """The part of Module that is about hooks."""

    _hooked = False  # whether a hook was ever registered here

    def _add_hook(self, kind: str, hook: Any, prepend: bool = False) -> RemovableHandle:
        hooks = self.__dict__.setdefault(kind, OrderedDict())
        handle = RemovableHandle(hooks, hook)
        if prepend:
            hooks.move_to_end(handle.id, last=False)
        object.__setattr__(self, "_hooked", True)
        return handle

    def _hooks_of(self, kind: str) -> tuple:
        return tuple(self.__dict__.get(kind, {}).values())

    def register_forward_pre_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before `forward`; what it returns, if anything, replaces the arguments.

        `with_kwargs`: `hook(module, args, kwargs)`, which returns None or (args, kwargs).
        """
        return self._add_hook("_forward_pre_hooks", (hook, with_kwargs), prepend)

    def register_forward_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after `forward`; what it returns, if anything, replaces the output.

        `with_kwargs`: `hook(module, args, kwargs, output)`. `always_call`: also when `forward` raised (output None).
        """
        return self._add_hook("_forward_hooks", (hook, with_kwargs, always_call), prepend)

    def register_full_backward_pre_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_output)` before the gradients go back through the module; it may replace them."""
        return self._add_hook("_backward_pre_hooks", hook, prepend)

    def register_full_backward_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` when the gradients of the module's inputs are known.

        Both are tuples like the inputs and outputs; what the hook returns, if anything, replaces `grad_input`.
        """
        return self._add_hook("_backward_hooks", hook, prepend)

    register_backward_hook = register_full_backward_hook

    def _call_with_hooks(self, args: tuple, kwargs: dict) -> Any:
        for hook, with_kwargs in self._hooks_of("_forward_pre_hooks"):
            given = hook(self, args, kwargs) if with_kwargs else hook(self, args)
            if given is None:
                continue
            if with_kwargs:
                if not (isinstance(given, tuple) and len(given) == 2):
                    raise RuntimeError(
                        f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {given}."
                    )
                args, kwargs = given
            else:
                args = given if isinstance(given, tuple) else (given,)
        around = _AroundBackward(self)
        if around.wanted:
            args = around.enter(args)
        done: set[int] = set()
        try:
            output = self.forward(*args, **kwargs)  # type: ignore[attr-defined]
            for number, (hook, with_kwargs, _) in enumerate(self._hooks_of("_forward_hooks")):
                done.add(number)
                given = hook(self, args, kwargs, output) if with_kwargs else hook(self, args, output)
                output = output if given is None else given
        except BaseException:
            for number, (hook, with_kwargs, always) in enumerate(self._hooks_of("_forward_hooks")):
                if always and number not in done:
                    hook(self, args, kwargs, None) if with_kwargs else hook(self, args, None)
            raise
        return around.leave(output) if around.wanted else output


class _AroundBackward:
    """One call of a module that has backward hooks: a gate before it and one behind it."""

    def __init__(self, module: HookMethods) -> None:
        self.module = module
        self.before = module._hooks_of("_backward_pre_hooks")
        self.after = module._hooks_of("_backward_hooks")
        self.wanted = bool(self.before or self.after)
        self.gate_in: Gate | None = None
        self.grad_output: tuple = ()

    def enter(self, args: tuple) -> tuple:
        args, self.gate_in, places = through_gate(args)
        count = len(args)
        if self.gate_in is not None:
            self.gate_in.register_prehook(lambda grads: self._input_arrived(grads, places, count))
        self.count_in = count
        return args

    def leave(self, output: Any) -> Any:
        output, gate, places = through_gate(output)
        count = len(output) if isinstance(output, tuple) else 1
        if gate is not None:
            gate.register_prehook(lambda grads: self._output_arrived(grads, places, count))
        return output

    def _output_arrived(self, grads: tuple, places: list[int], count: int) -> tuple:
        """The gradients of the outputs are known: the pre-hooks may change them."""
        found = spread(grads, places, count)
        for hook in self.before:
            given = hook(self.module, found)
            if given is not None:
                found = given if isinstance(given, tuple) else (given,)
        self.grad_output = found
        if self.gate_in is None:  # no input wants a gradient: this is the last that will be seen of the module
            for hook in self.after:
                if hook(self.module, (None,) * self.count_in, found) is not None:
                    raise RuntimeError(
                        "backward hook for Modules where no input requires gradient should always return None or None "
                        "for all gradients."
                    )
        return tuple(found[i] for i in places)

    def _input_arrived(self, grads: tuple, places: list[int], count: int) -> tuple:
        """The gradients of the inputs are known: the hooks may change them."""
        found = spread(grads, places, count)
        for hook in self.after:
            given = hook(self.module, found, self.grad_output)
            if given is not None:
                given = given if isinstance(given, tuple) else (given,)
                if len(given) != len(found):
                    raise RuntimeError(
                        f"Backward hook returned an invalid number of grad_input, got {len(given)}, "
                        f"but expected {len(found)}"
                    )
                found = given
        return tuple(found[i] for i in places)


def spread(grads: tuple, places: list[int], count: int) -> tuple:
    """Gradients of the tensors, put at their places among all arguments; None for the others."""
    found: list[Any] = [None] * count
    for i, grad in zip(places, grads, strict=True):
        found[i] = grad
    return tuple(found)
