"""What a module is, as a dictionary: `state_dict` and `load_state_dict`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from tinytorch.autograd.grad_mode import no_grad
from tinytorch.autograd.node import RemovableHandle
from tinytorch.nn.parameter import Parameter
from tinytorch.tensor import Tensor

EXTRA = "_extra_state"


class _IncompatibleKeys(NamedTuple):
    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"

    def __str__(self) -> str:
        return repr(self)


class StateMethods:
    """The part of Module that is about its state."""

    _version = 1  # of the layout of a class's own entries
    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    _modules: dict[str, Any]
    _non_persistent_buffers_set: set[str]
    _add_hook: Callable[..., RemovableHandle]
    _hooks_of: Callable[[str], tuple]

    def get_extra_state(self) -> Any:
        """Override, with `set_extra_state`, to save something that is not a tensor."""
        raise RuntimeError("Reached a code path in Module.get_extra_state() that should never be called.")

    def set_extra_state(self, state: Any) -> None:
        raise RuntimeError("Reached a code path in Module.set_extra_state() that should never be called.")

    def _has_extra_state(self) -> bool:
        return type(self).get_extra_state is not StateMethods.get_extra_state

    def _own_state(self) -> Iterator[tuple[str, Tensor]]:
        """(name, tensor) of the parameters and persistent buffers that this module itself holds."""
        for name, parameter in self._parameters.items():
            if parameter is not None:
                yield name, parameter
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._non_persistent_buffers_set:
                yield name, buffer

    # ---- out ----------------------------------------------------------------------------------------------------

    def state_dict(
        self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Any]:
        """Parameters and persistent buffers by dotted name, in the order of registration.

        The tensors are live: they share memory with the module (detached, unless `keep_vars`). Copy them, for example
        with `copy.deepcopy`, to keep a state while training goes on.
        """
        if args:  # the old spelling: state_dict(destination, prefix, keep_vars)
            given = {"destination": destination, "prefix": prefix, "keep_vars": keep_vars}
            return self.state_dict(**given | dict(zip(given, args, strict=False)))
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        for hook in self._hooks_of("_state_dict_pre_hooks"):
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, child in self._modules.items():
            if child is not None:
                child.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in self._hooks_of("_state_dict_hooks"):
            given = hook(self, destination, prefix, metadata)
            destination = destination if given is None else given
        return destination

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        for name, tensor in self._own_state():
            destination[prefix + name] = tensor if keep_vars else tensor.detach()
        if self._has_extra_state():
            destination[prefix + EXTRA] = self.get_extra_state()

    # ---- in -----------------------------------------------------------------------------------------------------

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> _IncompatibleKeys:
        """Copy the tensors of a state_dict into this module's parameters and buffers.

        All keys and shapes are compared first: where something does not fit, one RuntimeError lists all of it, and
        nothing has been changed.

        Args:
            state_dict: what `state_dict()` of a module of the same structure gave.
            strict: also missing and unexpected keys are errors; else they are only returned.
            assign: keep the given tensors themselves instead of copying their values.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        metadata = getattr(state_dict, "_metadata", None) or {}
        state = OrderedDict(state_dict)
        missing: list[str] = []
        unexpected: list[str] = []
        errors: list[str] = []
        steps: list[Callable[[], Any]] = []  # what will be done when all is known to fit

        def visit(module: Any, prefix: str) -> None:
            about = dict(metadata.get(prefix[:-1], {}), assign_to_params_buffers=assign, steps=steps)
            module._load_from_state_dict(state, prefix, about, True, missing, unexpected, errors)
            for name, child in module._modules.items():
                if child is not None:
                    visit(child, f"{prefix}{name}.")
            for hook in module._hooks_of("_load_state_dict_post_hooks"):
                keys = _IncompatibleKeys(missing, unexpected)
                if hook(module, keys) is not None:
                    raise AssertionError("Hooks registered with register_load_state_dict_post_hook should return None")

        visit(self, "")
        if strict:
            for number, (what, keys) in enumerate((("Missing", missing), ("Unexpected", unexpected))):
                if keys:
                    listed = ", ".join(f'"{key}"' for key in keys)
                    errors.insert(min(number, len(errors)), f"{what} key(s) in state_dict: {listed}. ")
        if errors:
            lines = "\n\t".join(errors)
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t{lines}")
        with no_grad():
            for step in steps:
                step()
        return _IncompatibleKeys(missing, unexpected)

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: dict,
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Compare this module's own entries, and note what is to be copied. Layers may override it."""
        for hook in self._hooks_of("_load_state_dict_pre_hooks"):
            hook(self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        steps = local_metadata["steps"]
        for name, tensor in self._own_state():
            key = prefix + name
            if key not in state_dict:
                missing_keys.append(key)
                continue
            given = state_dict[key]
            if not isinstance(given, Tensor):
                error_msgs.append(
                    f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object from '
                    f"checkpoint but received {type(given)}"
                )
                continue
            if tensor.ndim == 0 and given.shape == (1,):  # saved before 0-d tensors existed
                given = given[0]
            if given.shape != tensor.shape:
                error_msgs.append(
                    f"size mismatch for {key}: copying a param with shape {given.shape} from checkpoint, the shape in "
                    f"current model is {tensor.shape}."
                )
            elif local_metadata["assign_to_params_buffers"]:
                steps.append(_assigning(self, name, tensor, given))
            else:
                steps.append(_copying(tensor, given))
        if self._has_extra_state():
            key = prefix + EXTRA
            if key in state_dict:
                steps.append(lambda: self.set_extra_state(state_dict[key]))
            else:
                missing_keys.append(key)
        unexpected_keys.extend(key for key in state_dict if key.startswith(prefix) and not self._expects(key, prefix))

    def _expects(self, key: str, prefix: str) -> bool:
        """Whether a key under this module's prefix is one of its own, or leads into one of its children."""
        name, dot, _ = key[len(prefix) :].partition(".")
        if dot:
            return self._modules.get(name) is not None
        return name == EXTRA and self._has_extra_state() or any(name == own for own, _ in self._own_state())

    # ---- hooks --------------------------------------------------------------------------------------------------

    def register_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(module, prefix, keep_vars)` before the state is collected."""
        return self._add_hook("_state_dict_pre_hooks", hook)

    def register_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, metadata)` when it is complete; it may change the dictionary."""
        return self._add_hook("_state_dict_hooks", hook)

    _register_state_dict_hook = register_state_dict_post_hook

    def register_load_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, metadata, strict, missing, unexpected, errors)` before comparing."""
        return self._add_hook("_load_state_dict_pre_hooks", hook)

    def _register_load_state_dict_pre_hook(self, hook: Callable, with_module: bool = False) -> RemovableHandle:
        return self._add_hook("_load_state_dict_pre_hooks", hook if with_module else lambda module, *rest: hook(*rest))

    def register_load_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(module, incompatible_keys)` when the keys are known; it may change the two lists in place."""
        return self._add_hook("_load_state_dict_post_hooks", hook)


def _copying(tensor: Tensor, given: Tensor) -> Callable[[], Any]:
    return lambda: tensor.copy_(given)


def _assigning(module: Any, name: str, tensor: Tensor, given: Tensor) -> Callable[[], Any]:
    if isinstance(tensor, Parameter) and not isinstance(given, Parameter):
        given = Parameter(given, requires_grad=tensor.requires_grad)
    return lambda: setattr(module, name, given)
