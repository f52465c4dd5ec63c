"""Backward passes: the notes' own examples, several outputs, refusals; each the same on PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tinytorch
from tests.oracle import torch

COVERS = (
    "autograd.backward", "autograd.grad", "autograd.Variable", "autograd.detect_anomaly", "autograd.set_detect_anomaly",
    "is_anomaly_enabled",
    "autograd.graph.saved_tensors_hooks", "Tensor.backward", "Tensor.grad", "Tensor.grad_fn", "Tensor.is_leaf",
    "Tensor.register_hook", "Tensor.register_post_accumulate_grad_hook", "Tensor.requires_grad",
    "Tensor.requires_grad_", "Tensor.retain_grad", "Tensor.retains_grad",
)  # fmt: skip
BOTH = pytest.mark.parametrize("T", [torch, tinytorch], ids=["torch", "tinytorch"])


@BOTH
def test_first_example_of_the_notes(T: Any) -> None:
    x = T.autograd.Variable(T.Tensor([2]), requires_grad=True)
    z = (x + 2) ** 2 + 3
    assert repr(z) == "tensor([19.], grad_fn=<AddBackward0>)"
    z.backward()
    assert repr(x.grad) == "tensor([8.])"


@BOTH
def test_three_backward_calls_of_the_notes(T: Any) -> None:
    x = T.tensor([1, 2], dtype=T.float32, requires_grad=True)
    z = T.mean((x + 1) ** 2)
    assert repr(z) == "tensor(6.5000, grad_fn=<MeanBackward0>)"
    z.backward()
    assert repr(x.grad) == "tensor([2., 3.])"  # the mean divides by n
    x = T.tensor([1.0, 2.0], requires_grad=True)
    x.sigmoid().sum().backward()
    by_sum = x.grad
    assert repr(by_sum) == "tensor([0.1966, 0.1050])"
    x = T.tensor([1.0, 2.0], requires_grad=True)
    x.sigmoid().backward(T.ones_like(x))
    assert x.grad.tolist() == by_sum.tolist()  # a sum is a vector of weights 1


@BOTH
def test_gradients_add_up_over_calls_and_over_uses(T: Any) -> None:
    x = T.tensor([3.0], requires_grad=True)
    (x * x + x).backward()
    held = x.grad
    assert held.tolist() == [7.0]
    (x * 2).backward()
    assert x.grad is held and held.tolist() == [9.0]


@BOTH
def test_the_gradients_of_two_leaves_do_not_share_memory(T: Any) -> None:
    x, y = T.ones(3, requires_grad=True), T.ones(3, requires_grad=True)
    seed = T.ones(3)
    (x + y).backward(seed)
    x.grad.mul_(5)
    assert y.grad.tolist() == [1.0, 1.0, 1.0] and seed.tolist() == [1.0, 1.0, 1.0]


@BOTH
def test_one_leaf_at_the_end_of_two_ways(T: Any) -> None:
    x = T.tensor([2.0], requires_grad=True)
    y = x * 3
    z = y * y + y * x + x
    z.backward()
    assert x.grad.tolist() == [2 * 9 * 2.0 + 2 * 3 * 2.0 + 1]


@BOTH
def test_grad_of_grad(T: Any) -> None:
    x = T.tensor([2.0, -1.0], requires_grad=True)
    (dx,) = T.autograd.grad((x**3).sum(), x, create_graph=True)
    assert dx.requires_grad
    (ddx,) = T.autograd.grad(dx.sum(), x)
    assert ddx.tolist() == [12.0, -6.0]


@BOTH
def test_inputs_restrict_what_is_filled(T: Any) -> None:
    x, y = T.tensor([2.0], requires_grad=True), T.tensor([5.0], requires_grad=True)
    middle = x * y
    z = middle * middle
    z.backward(inputs=[y])
    assert x.grad is None and y.grad.tolist() == [2 * 2 * 2 * 5.0]
    z = (x * y) ** 2
    middle = x * y
    a, b = T.autograd.grad(middle * middle * x, [middle, x])
    assert a.tolist() == [2 * 10 * 2.0] and b.tolist() == [2 * 10 * 2 * 5.0 + 100.0]


@BOTH
def test_unused_inputs(T: Any) -> None:
    x, y = T.ones(2, requires_grad=True), T.ones(2, requires_grad=True)
    assert T.autograd.grad(x.sum(), [x, y], allow_unused=True)[1] is None
    assert T.autograd.grad(x.sum(), [x, y], materialize_grads=True)[1].tolist() == [0.0, 0.0]


@BOTH
def test_leaves_and_inner_nodes(T: Any) -> None:
    x = T.ones(2, requires_grad=True)
    y = x * 2
    y.retain_grad()
    z = y * 3
    z.sum().backward()
    assert (x.is_leaf, y.is_leaf, z.is_leaf) == (True, False, False)
    assert y.grad.tolist() == [3.0, 3.0] and y.retains_grad and not z.retains_grad


@BOTH
def test_graph_as_seen_from_outside(T: Any) -> None:
    x, y = T.ones(2, requires_grad=True), T.ones(2)
    z = (x * y + x) / 2
    assert z.grad_fn.name() == "DivBackward0"
    (plus, _), (nothing, _) = z.grad_fn.next_functions
    assert plus.name() == "AddBackward0" and nothing is None
    (times, _), (leaf, _) = plus.next_functions
    assert times.name() == "MulBackward0" and times.next_functions[1][0] is None
    assert leaf.name() == "torch::autograd::AccumulateGrad" and leaf.variable is x
    assert times.next_functions[0][0] is leaf


REFUSED: list[tuple[str, Callable[[Any], Any]]] = [
    ("element 0 of tensors does not require grad and does not have a grad_fn", lambda T: T.ones(1).backward()),
    ("grad can be implicitly created only for scalar outputs", lambda T: (T.ones(2, requires_grad=True) * 2).backward()),
    ("Mismatch in shape: grad_output[0] has a shape of torch.Size([3]) and output[0] has a shape of torch.Size([2])",
     lambda T: (T.ones(2, requires_grad=True) * 2).backward(T.ones(3))),
    ("Trying to backward through the graph a second time", lambda T: [z.backward() for z in [(T.ones(1, requires_grad=True) ** 2)] * 2]),
    ("a leaf Variable that requires grad is being used in an in-place operation", lambda T: T.ones(2, requires_grad=True).add_(1)),
    ("a view of a leaf Variable that requires grad is being used in an in-place operation", lambda T: T.ones(2, requires_grad=True)[0].add_(1)),
    ("you can only change requires_grad flags of leaf variables", lambda T: (T.ones(2, requires_grad=True) * 2).requires_grad_(False)),
    ("can require gradients", lambda T: T.tensor([1, 2]).requires_grad_()),
    ("appears to not have been used in the graph", lambda T: T.autograd.grad(T.ones(1, requires_grad=True) * 1, T.ones(1, requires_grad=True))),
    ("Can't call numpy() on Tensor that requires grad", lambda T: T.ones(1, requires_grad=True).numpy()),
    ("cannot register a hook on a tensor that doesn't require gradient", lambda T: T.ones(1).register_hook(print)),
    ("attempting to assign a gradient of size '[3]' to a tensor of size '[2]'", lambda T: setattr(T.ones(2), "grad", T.ones(3))),
    ("support the deepcopy protocol", lambda T: __import__("copy").deepcopy(T.ones(2, requires_grad=True) * 2)),
]  # fmt: skip


@BOTH
@pytest.mark.parametrize(("words", "act"), REFUSED, ids=[words[:40] for words, _ in REFUSED])
def test_refused_with_pytorchs_words(T: Any, words: str, act: Callable[[Any], Any]) -> None:
    with pytest.raises(RuntimeError) as caught:
        act(T)
    assert words in str(caught.value)


@BOTH
def test_overwritten_saved_value_is_noticed(T: Any) -> None:
    a = T.tensor([1.0, 2.0, 3.0], requires_grad=True)
    out = a.sigmoid()
    c = out.detach()
    c.zero_()
    assert out.tolist() == [0.0, 0.0, 0.0] and out._version == 1
    with pytest.raises(RuntimeError) as caught:
        out.sum().backward()
    said = str(caught.value)
    assert "one of the variables needed for gradient computation has been modified by an inplace operation: " in said
    assert "[torch.FloatTensor [3]], which is output 0 of Sigmoid" in said and "is at version 1; expected version 0 instead" in said


@BOTH
def test_the_same_change_goes_unnoticed_where_the_value_is_not_needed(T: Any) -> None:
    a = T.tensor([1.0, 2.0], requires_grad=True)
    out = a + 1
    out.detach().zero_()
    out.sum().backward()
    assert a.grad.tolist() == [1.0, 1.0]


@BOTH
def test_hooks_see_and_change_gradients(T: Any) -> None:
    x = T.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    seen: list = []
    first = x.register_hook(lambda g: seen.append(g.tolist()))
    second = y.register_hook(lambda g: g * 10)
    after: list = []
    x.register_post_accumulate_grad_hook(lambda leaf: after.append(leaf.grad.tolist()))
    y.sum().backward()
    assert x.grad.tolist() == [20.0, 20.0] and seen == [[20.0, 20.0]] and after == [[20.0, 20.0]]
    first.remove()
    second.remove()
    x.grad = None
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0] and len(seen) == 1


@BOTH
def test_saved_tensors_hooks(T: Any) -> None:
    x = T.tensor([3.0], requires_grad=True)
    packed: list = []
    with T.autograd.graph.saved_tensors_hooks(lambda t: packed.append(t.tolist()) or t.tolist(), lambda v: T.tensor(v)):
        y = x * x
    y.backward()
    assert packed == [[3.0], [3.0]] and x.grad.tolist() == [6.0]


@BOTH
def test_anomaly_mode_names_the_function(T: Any) -> None:
    with pytest.warns(UserWarning), T.autograd.detect_anomaly():
        x = T.tensor([-1.0], requires_grad=True)
        with pytest.raises(RuntimeError, match="Function 'SqrtBackward0' returned nan values in its 0th output"):
            x.sqrt().sum().backward()
    assert not T.is_anomaly_enabled()


@BOTH
def test_set_detect_anomaly(T: Any) -> None:
    with pytest.warns(UserWarning), T.autograd.set_detect_anomaly(True):
        assert T.is_anomaly_enabled()
        with T.autograd.set_detect_anomaly(False):
            assert not T.is_anomaly_enabled()
        with pytest.raises(RuntimeError, match="Function 'LogBackward0' returned nan values in its 0th output"):
            (T.zeros(1, requires_grad=True).log() * 0).sum().backward()
    assert not T.is_anomaly_enabled()


@BOTH
def test_volatile_is_history(T: Any) -> None:
    with pytest.warns(UserWarning, match="volatile was removed and now has no effect"):
        v = T.autograd.Variable(T.ones(2), volatile=True)
    assert isinstance(v, T.Tensor) and isinstance(v, T.autograd.Variable) and not v.requires_grad


def test_a_gradient_is_kept_without_a_copy_only_where_nobody_else_holds_it() -> None:
    x, y = tinytorch.ones(3, requires_grad=True), tinytorch.ones(3, requires_grad=True)
    (x * y).backward(tinytorch.ones(3))
    assert x.grad._fresh and y.grad._fresh  # made by the product rule, for this leaf alone

    held: list = []

    class Keeps(tinytorch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            held.append(dy * 2)
            return held[0]

    z = tinytorch.ones(3, requires_grad=True)
    Keeps.apply(z).sum().backward()
    z.grad.add_(1)
    assert held[0].tolist() == [2.0, 2.0, 2.0]
    for f in (lambda t: t + 0.0, lambda t: t.sum(), lambda t: t.view(3, 1), lambda t: t.expand(2, 3), lambda t: (t, t * 1)[1] + t):
        leaf = tinytorch.ones(3, requires_grad=True)
        out = f(leaf)
        seed = tinytorch.ones(out.shape)
        out.backward(seed)
        leaf.grad.mul_(7)
        assert set(seed.reshape(-1).tolist()) == {1.0}
