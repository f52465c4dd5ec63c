"""What a Module promises beyond its looks: nothing half-loaded, live states, hooks, conversions in place."""

import copy
import pickle

import numpy as np
import pytest

import tinytorch
from tests.oracle import torch
from tinytorch import nn


def small() -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))


def test_a_state_that_does_not_fit_changes_nothing():
    model = small()
    before = copy.deepcopy(model.state_dict())
    state = {key: value + 1 for key, value in before.items()}
    state["2.weight"] = tinytorch.ones(7, 7)
    for strict in (True, False):
        with pytest.raises(RuntimeError, match="size mismatch for 2.weight"):
            model.load_state_dict(state, strict=strict)
        assert all(model.state_dict()[key].tolist() == value.tolist() for key, value in before.items())


def test_one_message_names_everything_that_does_not_fit():
    with pytest.raises(RuntimeError) as info:
        small().load_state_dict(
            {"0.weight": tinytorch.ones(1), "0.bias": tinytorch.ones(3), "extra": tinytorch.ones(1)}
        )
    for words in (
        'Missing key(s) in state_dict: "2.weight", "2.bias"',
        'Unexpected key(s) in state_dict: "extra"',
        "size mismatch for 0.weight",
    ):
        assert words in str(info.value)


def test_state_is_live_and_loading_copies_into_the_same_parameters():
    model, other = small(), small()
    state = model.state_dict()
    with tinytorch.no_grad():
        model[0].weight.fill_(5)
    assert state["0.weight"].tolist() == [[5.0, 5.0]] * 3
    assert not state["0.weight"].requires_grad and model.state_dict(keep_vars=True)["0.weight"] is model[0].weight
    kept = other[0].weight
    other.load_state_dict(state)
    assert other[0].weight is kept and kept.tolist() == model[0].weight.tolist()
    assert kept.data_ptr() != model[0].weight.data_ptr()


def test_assign_takes_the_tensors_themselves():
    model = small()
    state = {key: value.double() for key, value in model.state_dict().items()}
    model.load_state_dict(state, assign=True)
    assert model[0].weight.dtype == tinytorch.float64
    assert isinstance(model[0].weight, nn.Parameter) and model[0].weight.data_ptr() == state["0.weight"].data_ptr()


def test_not_strict_returns_what_did_not_match():
    given = {"0.weight": tinytorch.zeros(3, 2), "extra": tinytorch.ones(1)}
    keys = small().load_state_dict(given, strict=False)
    assert keys.missing_keys == ["0.bias", "2.weight", "2.bias"] and keys.unexpected_keys == ["extra"]


def test_extra_state_travels_along():
    class Counting(nn.Module):
        count = 0

        def get_extra_state(self):
            return {"count": self.count}

        def set_extra_state(self, state):
            self.count = state["count"]

    one, two = nn.Sequential(Counting()), nn.Sequential(Counting())
    one[0].count = 7
    assert list(one.state_dict()) == ["0._extra_state"]
    two.load_state_dict(one.state_dict())
    assert two[0].count == 7


def test_conversion_is_in_place_and_leaves_integers_alone():
    model = small()
    model.register_buffer("steps", tinytorch.zeros((), dtype=tinytorch.int64))
    weight = model[0].weight
    weight.grad = tinytorch.ones(3, 2)
    assert model.double() is model
    assert model[0].weight is weight and weight.dtype == weight.grad.dtype == tinytorch.float64
    assert model.steps.dtype == tinytorch.int64 and weight.requires_grad
    for name, dtype in (("half", tinytorch.float16), ("bfloat16", tinytorch.bfloat16), ("float", tinytorch.float32)):
        assert getattr(model, name)()[2].bias.dtype == dtype
    assert model.to("cpu", tinytorch.float64)[0].bias.dtype == tinytorch.float64
    assert model.type(tinytorch.float32).steps.dtype == tinytorch.float32


def test_copy_and_pickle_keep_values_kinds_and_sharing():
    model = small()
    model.tied = model[0].weight
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert isinstance(again[0].weight, nn.Parameter) and again.tied is again[0].weight
        assert again[0].weight.tolist() == model[0].weight.tolist() and again[0].weight is not model[0].weight
        assert [n for n, _ in again.named_parameters()] == [n for n, _ in model.named_parameters()]


def test_train_and_eval_reach_all_modules_and_freezing_all_parameters():
    model = nn.Sequential(nn.Dropout(), nn.Sequential(nn.Dropout(), nn.Linear(1, 1)))
    assert all(not m.training for m in model.eval().modules())
    assert all(m.training for m in model.train().modules())
    assert all(not p.requires_grad for p in model.requires_grad_(False).parameters())


def test_zero_grad_drops_or_fills():
    model = small()
    model(tinytorch.ones(1, 2)).sum().backward()
    model.zero_grad(set_to_none=False)
    assert all(p.grad.tolist() == tinytorch.zeros_like(p).tolist() for p in model.parameters())
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())


def test_a_name_changes_its_kind_when_something_else_is_assigned():
    module = nn.Module()
    module.thing = nn.Parameter(tinytorch.ones(1))
    module.thing = nn.ReLU()
    assert list(module._parameters) == [] and list(module._modules) == ["thing"]
    module.thing = None
    assert module.thing is None and list(module.children()) == []
    del module.thing
    assert not hasattr(module, "thing")


def hooked(T, log):
    """The same program on both libraries: every kind of hook, each noting or changing something."""
    model = T.nn.Sequential(T.nn.Linear(2, 2), T.nn.Tanh())
    state = {"0.weight": T.tensor([[1.0, 2.0], [3.0, 4.0]]) / 5, "0.bias": T.zeros(2)}
    model.load_state_dict(state)
    model[0].register_forward_pre_hook(lambda m, args: log.append("pre") or (args[0] * 2,))
    model[0].register_forward_pre_hook(lambda m, args, kwargs: log.append("first"), prepend=True, with_kwargs=True)
    model[0].register_forward_hook(lambda m, args, out: out + 1)
    model[0].register_forward_hook(lambda m, args, kwargs, out: log.append(tuple(out.shape)), with_kwargs=True)
    model[1].register_full_backward_pre_hook(lambda m, g: (g[0] * 3,))
    model[1].register_full_backward_hook(lambda m, gi, go: log.append((len(gi), len(go))))
    model[1].register_full_backward_hook(lambda m, gi, go: (gi[0] * go[0],))
    model[0].register_full_backward_hook(lambda m, gi, go: log.append([g is None for g in gi]))
    x = T.tensor([[0.5, -0.25]])
    out = model(x)
    out.sum().backward()
    return out.detach().tolist(), [p.grad.tolist() for p in model.parameters()]


def test_hooks_see_and_change_what_torchs_do():
    mine, real = [], []
    ours, theirs = hooked(tinytorch, mine), hooked(torch, real)
    assert mine == real
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-5)
    for a, b in zip(ours[1], theirs[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_backward_hook_gets_the_gradient_of_the_input():
    layer = nn.Linear(2, 1)
    seen = []
    handle = layer.register_full_backward_hook(lambda m, grad_input, grad_output: seen.append(grad_input[0].tolist()))
    x = tinytorch.ones(1, 2, requires_grad=True)
    layer(x).sum().backward()
    assert seen == [layer.weight.tolist()] == [x.grad.tolist()]
    handle.remove()
    layer(x).sum().backward()
    assert len(seen) == 1


def test_forward_hook_that_is_always_called_sees_failures():
    seen = []
    module = nn.Module()
    module.register_forward_hook(lambda m, args, out: seen.append(out), always_call=True)
    with pytest.raises(NotImplementedError):
        module(1)
    assert seen == [None]


def test_state_hooks():
    model = nn.Linear(1, 1)
    model.register_state_dict_post_hook(
        lambda m, state, prefix, about: state.update({prefix + "note": tinytorch.ones(1)})
    )
    model.register_load_state_dict_pre_hook(lambda m, state, prefix, *rest: state.pop(prefix + "note"))
    state = model.state_dict()
    assert "note" in state
    assert str(model.load_state_dict(state)) == "<All keys matched successfully>"
    assert "note" in state, "the caller's dictionary is left as it was"


def test_dropout_zeroes_its_share_and_scales_the_rest():
    tinytorch.manual_seed(0)
    x = tinytorch.ones(100_000, requires_grad=True)
    y = nn.Dropout(0.3)(x)
    values, counts = np.unique(y.detach().numpy(), return_counts=True)
    np.testing.assert_allclose(values, [0, 1 / 0.7], rtol=1e-6)
    assert abs(counts[0] / 100_000 - 0.3) < 0.01
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()
    tinytorch.manual_seed(0)
    assert nn.Dropout(0.3)(x).tolist() == y.tolist()


CONTAINERS = [
    lambda T, a, b, c: T.nn.Sequential(a, b).append(c),
    lambda T, a, b, c: T.nn.Sequential(a, b).insert(1, c),
    lambda T, a, b, c: T.nn.Sequential(a).extend([b, c]),
    lambda T, a, b, c: T.nn.Sequential(a, b, c)[::2],
    lambda T, a, b, c: T.nn.Sequential(a, b) + T.nn.Sequential(c),
    lambda T, a, b, c: 2 * T.nn.Sequential(a, b),
    lambda T, a, b, c: T.nn.ModuleList([a, b]) + [c],
    lambda T, a, b, c: T.nn.ModuleList([a, b, c])[1:],
    lambda T, a, b, c: T.nn.ModuleList([a, b, c])[-1],
]


@pytest.mark.parametrize("number", range(len(CONTAINERS)))
def test_containers_are_put_together_as_in_torch(number: int):
    made = [CONTAINERS[number](T, T.nn.Linear(1, 2), T.nn.ReLU(), T.nn.Tanh()) for T in (tinytorch, torch)]
    assert repr(made[0]) == repr(made[1])
    assert list(made[0].state_dict()) == list(made[1].state_dict())


def edited(T):
    row = T.nn.Sequential(T.nn.Linear(1, 2), T.nn.ReLU(), T.nn.Tanh(), T.nn.Linear(2, 1))
    del row[1]
    row[-1] = T.nn.Sigmoid()
    taken = row.pop(0)
    rows = T.nn.ModuleList([T.nn.ReLU()])
    rows.insert(0, T.nn.Tanh())
    rows += [T.nn.Sigmoid()]
    named = T.nn.ModuleDict({"a": T.nn.ReLU(), "b": T.nn.Tanh()})
    named.update({"c": T.nn.Sigmoid()})
    named.pop("a")
    listed = T.nn.ParameterList([T.ones(1)])
    listed += [T.zeros(2)]
    listed[0] = T.ones(3)
    by_name = T.nn.ParameterDict({"x": T.ones(1), "y": T.ones(2)})
    by_name["z"] = T.ones(3)
    del by_name["x"]
    text = [repr(m) for m in (row, taken, rows, named, listed, by_name)]
    return (
        text,
        list(named.keys()),
        list(by_name.keys()),
        "y" in by_name,
        len(listed),
        [len(p) for p in by_name.values()],
    )


def test_containers_are_edited_as_in_torch():
    assert edited(tinytorch) == edited(torch)
