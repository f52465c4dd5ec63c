"""Optimizer: the base of all optimisers. It knows the parameters, in groups, and what is remembered about each.

A subclass gives `update(group)`, one step for the parameters of one group, and lists its options in `defaults`.
"""

from __future__ import annotations

import copy
import itertools
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from tinytorch.autograd.grad_mode import enable_grad, no_grad
from tinytorch.autograd.node import RemovableHandle
from tinytorch.nn.modules.module import clear_grad, typename
from tinytorch.tensor import Tensor

Group = dict[str, Any]


class Optimizer:
    """Base of all optimisers.

    Args:
        params: the tensors to optimise, or pairs (name, tensor), or dictionaries, one for each group, with the tensors
            under "params" and options that differ from `defaults`.
        defaults: the options of groups that do not set them.
    """

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                f"params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                f"{typename(params)}"
            )
        self.defaults = defaults
        self.state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[Group] = []
        self._hooks: dict[str, OrderedDict] = {}
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def add_param_group(self, param_group: Group) -> None:
        """Optimise more parameters, with options of their own: for example a layer that was frozen so far."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        group = dict(param_group)
        given = group["params"]
        if isinstance(given, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets "
                "will change between runs. Please use a list instead."
            )
        params = [given] if isinstance(given, Tensor) else list(given)
        if any(isinstance(member, tuple) for member in params):
            if not all(isinstance(member, tuple) for member in params):
                raise ValueError("all optimizer params should be with/without names. Some param names are missing")
            group["param_names"] = [name for name, _ in params]
            params = [tensor for _, tensor in params]
        group["params"] = params
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {typename(p)}")
            if not p.is_leaf:
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            group.setdefault(name, default)
        if len(set(map(id, params))) != len(params):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this will cause an error; "
                "see github.com/pytorch/pytorch/issues/40967 for more information",
                stacklevel=3,
            )
        known = {id(p) for other in self.param_groups for p in other["params"]}
        if any(id(p) in known for p in params):
            raise ValueError("some parameters appear in more than one parameter group")
        if self.param_groups and ("param_names" in group) != ("param_names" in self.param_groups[0]):
            raise ValueError(
                "all optimizer param groups should be with/without names. cannot add param group "
                f"{'with' if 'param_names' in group else 'without'} names to the optimizer"
            )
        self.param_groups.append(group)

    # ---- the step -----------------------------------------------------------------------------------------------

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient. `closure`, if given, is called first: it computes the loss."""
        for hook in tuple(self._hooks.get("pre", {}).values()):
            hook(self, (closure,), {})
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with no_grad():
            for group in self.param_groups:
                self.update(group)
        for hook in tuple(self._hooks.get("post", {}).values()):
            hook(self, (closure,), {})
        return loss

    def update(self, group: Group) -> None:
        """One step for the parameters of one group."""
        raise NotImplementedError

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, which backward would else add to. Momentum and the like stay."""
        for group in self.param_groups:
            for p in group["params"]:
                clear_grad(p, set_to_none)

    def register_step_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` before every step."""
        return RemovableHandle(self._hooks.setdefault("pre", OrderedDict()), hook)

    def register_step_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` after every step."""
        return RemovableHandle(self._hooks.setdefault("post", OrderedDict()), hook)

    # ---- saving and loading -----------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """{"state": {number: ...}, "param_groups": [...]}: parameters are numbered in the order of the groups."""
        number: dict[int, int] = {}
        groups = []
        for group in self.param_groups:
            for p in group["params"]:
                number.setdefault(id(p), len(number))
            members = {"params": [number[id(p)] for p in group["params"]]}
            groups.append({name: value for name, value in group.items() if name != "params"} | members)
        state = {number[id(p)] if isinstance(p, Tensor) else p: values for p, values in self.state.items()}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over options and state from a `state_dict()` of an optimiser with groups of the same sizes.

        Raises:
            ValueError: another number of groups, or of parameters in one of them; nothing has then been changed.
        """
        given = state_dict["param_groups"]
        if len(given) != len(self.param_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(
            len(ours["params"]) != len(theirs["params"]) for ours, theirs in zip(self.param_groups, given, strict=True)
        ):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
            )
        numbers = itertools.chain.from_iterable(group["params"] for group in given)
        params = itertools.chain.from_iterable(group["params"] for group in self.param_groups)
        parameter = dict(zip(numbers, params, strict=True))
        self.state = defaultdict(dict)
        for number, values in state_dict["state"].items():
            if number in parameter:
                p = parameter[number]
                self.state[p] = {name: _like_parameter(name, value, p) for name, value in values.items()}
            else:
                self.state[number] = copy.deepcopy(values)
        for ours, theirs in zip(self.param_groups, given, strict=True):
            names = ours.get("param_names")
            ours.update({name: copy.deepcopy(value) for name, value in theirs.items() if name != "params"})
            if names is None:
                ours.pop("param_names", None)

    def __repr__(self) -> str:
        text = f"{type(self).__name__} ("
        for number, group in enumerate(self.param_groups):
            text += f"\nParameter Group {number}\n"
            text += "".join(f"    {name}: {group[name]}\n" for name in sorted(group) if name != "params")
        return text + ")"


def _like_parameter(name: str, value: Any, p: Tensor) -> Any:
    """A copy of a state value; tensors, but for the step counter, in the parameter's dtype."""
    if not isinstance(value, Tensor):
        return copy.deepcopy(value)
    value = value.detach().clone()
    return value if name == "step" or not p.is_floating_point() else value.to(dtype=p.dtype, device=p.device)


def check_options(**options: Any) -> None:
    """Refuse the options that PyTorch knows and that are not available here."""
    for name, value in options.items():
        if value:
            raise RuntimeError(
                f"`{name}=True` is not supported: a step here is not part of the graph, and runs at once"
            )


def not_negative(what: str, value: Any) -> None:
    """ValueError for a setting below 0 (or NaN)."""
    if not value >= 0.0:
        raise ValueError(f"Invalid {what}: {value}")


def count_write(p: Tensor) -> None:
    """Note that a parameter's memory changed, so that an older graph that needs its values refuses to run."""
    p._storage.version += 1
