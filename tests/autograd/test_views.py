"""Views and writes in place: gradients through memory that several tensors show, against PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinytorch
from tests.oracle import torch

COVERS = ("Tensor._version", "Tensor._base", "Tensor._is_view")
BOTH = pytest.mark.parametrize("T", [torch, tinytorch], ids=["torch", "tinytorch"])

# ---- random programs --------------------------------------------------------------------------------------------

VIEWS: list[Callable[[Any, np.random.Generator], Callable]] = [
    lambda t, rng: (lambda v: v.t()) if t.ndim == 2 else (lambda v: v.unsqueeze(0)),
    lambda t, rng: lambda v: v.reshape(-1) if v.is_contiguous() else v.transpose(0, -1),
    lambda t, rng, **_: _slice(t, rng),
    lambda t, rng: (lambda n: lambda v: v[n])(int(rng.integers(0, t.shape[0])) if t.ndim > 1 else slice(None)),
    lambda t, rng: lambda v: v.squeeze(),
    lambda t, rng: lambda v: v.diagonal() if v.ndim >= 2 else v[:1],
    lambda t, rng: lambda v: v.narrow(0, 0, v.shape[0]) if v.ndim else v.view(1),
    lambda t, rng: lambda v: v.movedim(0, -1) if v.ndim else v[None],
    lambda t, rng: lambda v: v.unflatten(0, (1, -1)) if v.ndim else v.view(1, 1),
]
WRITES: list[Callable] = [
    lambda v, w: v.mul_(2),
    lambda v, w: v.add_(w),
    lambda v, w: v.mul_(w),
    lambda v, w: v.tanh_(),
    lambda v, w: v.copy_(w),
    lambda v, w: v.zero_(),
    lambda v, w: v.masked_fill_(v.detach() > 0, 0.5),
    lambda v, w: v.sub_(v * w),
    lambda v, w: v.fill_(w),
    lambda v, w: v.exp_(),
    lambda v, w: v.__setitem__(slice(0, 1), w) if v.ndim else v.fill_(w),
]


def _slice(t: Any, rng: np.random.Generator) -> Callable:
    if not t.ndim:
        return lambda v: v[None]
    dim = int(rng.integers(0, t.ndim))
    a, b = sorted(rng.integers(0, t.shape[dim] + 1, 2).tolist())
    if a == b:
        a, b = 0, t.shape[dim]
    step = int(rng.integers(1, 3))
    return lambda v: v[(slice(None),) * dim + (slice(a, b, step),)]


def program(rng: np.random.Generator) -> list:
    """Steps ("view", source, function), ("write", target, function), ("use", source): numbers stand for earlier tensors."""
    steps: list = []
    x = tinytorch.zeros(3, 4)
    shapes = [x]
    for _ in range(int(rng.integers(3, 12))):
        kind = rng.choice(["view", "view", "write", "write", "use"])
        at = int(rng.integers(0, len(shapes)))
        if kind == "view":
            function = VIEWS[rng.integers(0, len(VIEWS))](shapes[at], rng)
            shapes.append(function(shapes[at]))
            steps.append(("view", at, function))
        elif kind == "write":
            steps.append(("write", at, WRITES[rng.integers(0, len(WRITES))]))
        else:
            steps.append(("use", at, None))
    return steps


def run(T: Any, steps: list, numbers: list, tracked: bool) -> list:
    x = T.tensor(numbers, dtype=T.float64, requires_grad=True)
    w = T.tensor(0.7, dtype=T.float64, requires_grad=True)
    base = x * 1 if tracked else x.detach().clone()  # or a base that requires a gradient only once w is written into it
    tensors, total = [base], w * 0
    for kind, at, function in steps:
        if kind == "view":
            tensors.append(function(tensors[at]))
        elif kind == "write":
            function(tensors[at], w)
        else:
            total = total + (tensors[at] * tensors[at]).sum().tanh()
    for t in tensors:
        total = total + (t * T.arange(1.0, t.numel() + 1, dtype=T.float64).reshape(t.shape)).sum()
    dx, dw = T.autograd.grad(total, [x, w], allow_unused=True, create_graph=True)
    second = T.autograd.grad(dw, [w], allow_unused=True)[0] if dw.requires_grad else None
    facts = [(tuple(t.shape), t.requires_grad, t.is_leaf, t._version, t._is_view(), t._base is base) for t in tensors]
    return [
        [t.detach().tolist() for t in tensors],
        facts,
        *[None if g is None else g.tolist() for g in (dx, dw, second)],
    ]


@pytest.mark.parametrize("seed", range(250))
def test_random_programs_of_views_and_writes(seed: int) -> None:
    same_on_both(seed)


def same_on_both(seed: int, always_tracked: bool = False) -> None:
    """Values, versions, gradients and second gradients of random views of views and writes in between, or the same error."""
    rng = np.random.default_rng(seed)
    steps, numbers, tracked = program(rng), rng.standard_normal((3, 4)).tolist(), bool(rng.random() < 0.7) or always_tracked
    found: list = []
    for T in (torch, tinytorch):
        try:
            found.append(run(T, steps, numbers, tracked))
        except RuntimeError as error:
            found.append(str(error)[:60])
    real, mine = found
    assert isinstance(mine, str) == isinstance(real, str), f"torch: {real}\nours: {mine}"
    if isinstance(real, str):
        assert mine == real
        return
    assert mine[1] == real[1]
    for what, a, b in zip(
        ("value", "x.grad", "w.grad", "second"), [mine[0], *mine[2:]], [real[0], *real[2:]], strict=True
    ):
        if a is None or b is None:
            assert not np.any(b if a is None else a), what  # no gradient, and a gradient of zeros
            continue
        for one, other in zip(a, b, strict=True) if what == "value" else ((a, b),):
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11, err_msg=what)


# ---- one rule each ----------------------------------------------------------------------------------------------


@BOTH
def test_a_view_knows_its_base(T: Any) -> None:
    x = T.zeros(3, 4)
    y = x.t()[1:]
    assert y._is_view() and y._base is x and not x._is_view() and x._base is None
    assert not x.detach()._is_view() and not (x + 1)._is_view() and not x.t().reshape(-1)._is_view()


@BOTH
def test_versions_are_shared_by_views_and_detached_tensors(T: Any) -> None:
    x = T.zeros(3, 4)
    y, z, data = x[0], x.detach(), x.data
    y.add_(1)
    z[1] = 2
    data.mul_(3)
    assert (x._version, y._version, z._version, data._version) == (2, 2, 2, 1)
    assert x.sum().item() == 3 * (4 + 8)


@BOTH
def test_a_write_into_a_view_changes_the_node_of_the_base(T: Any) -> None:
    x = T.ones(3, requires_grad=True)
    base = x * 2
    view = base[1:]
    view.mul_(5)
    assert "CopySlices" in repr(base.grad_fn) and view.grad_fn.name() == "AsStridedBackward0"
    base.sum().backward()
    assert x.grad.tolist() == [2.0, 10.0, 10.0]


@BOTH
def test_a_base_without_gradient_gets_one_through_a_view(T: Any) -> None:
    w = T.tensor([3.0], requires_grad=True)
    base = T.ones(4)
    first, second = base[:2], base[2:]
    first.mul_(w)
    assert base.requires_grad and second.requires_grad and not base.is_leaf
    (base * T.tensor([1.0, 2.0, 3.0, 4.0])).sum().backward()
    assert w.grad.tolist() == [3.0]


@BOTH
def test_a_write_into_the_base_reaches_its_views(T: Any) -> None:
    x = T.ones(4, requires_grad=True)
    base = x * 1
    view = base.view(2, 2)[1]
    base.mul_(3)
    view.sum().backward()
    assert view.tolist() == [3.0, 3.0] and x.grad.tolist() == [0.0, 0.0, 3.0, 3.0]


@BOTH
def test_a_leaf_changed_without_recording_still_gives_its_views_a_gradient(T: Any) -> None:
    x = T.ones(3, requires_grad=True)
    view = x[:2]
    with T.no_grad():
        x.mul_(2)
    assert view.grad_fn.name() == "AsStridedBackward0"
    view.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0, 0.0]


@BOTH
def test_views_in_place_keep_the_gradient(T: Any) -> None:
    x = T.ones(2, 3, requires_grad=True)
    y = x * 2
    other = y[0]
    y.t_()
    y.unsqueeze_(0)
    assert y.shape == (1, 3, 2) and y._version == 2
    (y[0, :, 1] * T.tensor([1.0, 2.0, 3.0])).sum().backward(retain_graph=True)
    assert x.grad.tolist() == [[0.0, 0.0, 0.0], [2.0, 4.0, 6.0]]
    x.grad = None
    other.sum().backward()
    assert x.grad.tolist() == [[2.0, 2.0, 2.0], [0.0, 0.0, 0.0]]


@BOTH
def test_a_view_turned_in_place_is_another_window_on_its_base(T: Any) -> None:
    x = T.ones(2, 3, requires_grad=True)
    base = x * 2
    view = base[:, 1:]
    view.t_()
    view.mul_(T.tensor([[1.0, 10.0], [100.0, 1000.0]]))
    base.sum().backward()
    assert x.grad.tolist() == [[2.0, 2.0, 200.0], [2.0, 20.0, 2000.0]]


@BOTH
def test_the_old_value_of_what_is_overwritten_is_kept_where_it_is_needed(T: Any) -> None:
    x, w = T.tensor([2.0, 3.0], requires_grad=True), T.tensor([5.0, 7.0], requires_grad=True)
    y = x * 1
    y.mul_(w).mul_(x.detach())
    y.sum().backward()
    assert w.grad.tolist() == [2.0 * 2.0, 3.0 * 3.0]


@BOTH
def test_outputs_that_were_saved_are_guarded(T: Any) -> None:
    x = T.ones(3, requires_grad=True)
    y = (x * 1).exp()
    y[0] = 2.0
    with pytest.raises(RuntimeError, match="modified by an inplace operation.*is at version 1; expected version 0"):
        y.sum().backward()
    z = (x * 1).exp_()
    z.sum().backward()
    assert x.grad.tolist() == pytest.approx([np.e] * 3)


MULTI = (
    "This view is the output of a function that returns multiple views. Such functions do not allow the output views to be "
    "modified inplace. You should replace the inplace operation by an out-of-place one."
)
NO_GRAD = "Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving"


def in_no_grad(T: Any, x: Any) -> Any:
    with T.no_grad():
        return x.view(-1)


def written(T: Any, x: Any, view: Any) -> Any:
    x.mul_(2)
    return view.grad_fn


REFUSED: list[tuple[str, Callable[[Any, Any], Any]]] = [
    ("a view of a leaf Variable that requires grad is being used in an in-place operation.", lambda T, x: x[0].mul_(2)),
    ("a leaf Variable that requires grad is being used in an in-place operation.", lambda T, x: x.mul_(2)),
    (f"Output 0 of Unbind is a view and is being modified inplace. {MULTI}", lambda T, x: (x * 1).unbind()[0].mul_(2)),
    (f"Output 1 of Split is a view and is being modified inplace. {MULTI}", lambda T, x: (x * 1).chunk(2)[1].mul_(2)),
    (f"Output 0 of Split is a view and is being modified inplace. {MULTI}", lambda T, x: x.split(1)[0].zero_()),
    (f"Output 0 of Slice is a view and is being modified inplace. {MULTI}", lambda T, x: (x * 1).chunk(2)[1][:1].mul_(2)),
    (f"created in no_grad mode and is being modified inplace with grad mode enabled. {MULTI}",
     lambda T, x: T.ones(4).chunk(2)[0].mul_(x)),
    (f"A view was created in no_grad mode and is being modified inplace with grad mode enabled. {NO_GRAD}",
     lambda T, x: in_no_grad(T, x).mul_(2)),
    (f"A view was created in no_grad mode and is being modified inplace with grad mode enabled. {NO_GRAD}",
     lambda T, x: in_no_grad(T, x * 1).mul_(2)),
    (f"A view was created in no_grad mode and its base or another view of its base has been modified inplace with grad mode "
     f"enabled. {NO_GRAD}", lambda T, x: (lambda y: written(T, y, in_no_grad(T, y)))(x * 1)),
    (f"Output 0 of Split is a view and its base or another view of its base has been modified inplace. {MULTI}",
     lambda T, x: (lambda y: written(T, y, y.chunk(2)[0]))(x * 1)),
    ("Can't detach views in-place. Use detach() instead.", lambda T, x: (x * 1)[:2].detach_()),
]  # fmt: skip


@BOTH
@pytest.mark.parametrize("words, refused", REFUSED, ids=range(len(REFUSED)))
def test_writes_that_autograd_cannot_follow(T: Any, words: str, refused: Callable) -> None:
    x = T.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError) as caught:
        refused(T, x)
    assert words in str(caught.value)
    assert x.tolist() == [1.0, 1.0]


@BOTH
def test_what_is_refused_above_is_allowed_where_no_gradient_is_wanted(T: Any) -> None:
    x = T.ones(4)
    x.unbind()[0].add_(1)
    x.chunk(2)[1].mul_(3)
    in_no_grad(T, x).add_(1)
    assert x.tolist() == [3.0, 2.0, 4.0, 4.0]
    leaf = T.ones(2, requires_grad=True)
    with T.no_grad():
        leaf[0].mul_(2)
        leaf.unbind()[1].zero_()
    assert leaf.tolist() == [2.0, 0.0] and leaf.is_leaf


@BOTH
def test_several_outputs_of_which_some_are_not_used(T: Any) -> None:
    x = T.arange(6.0).requires_grad_()
    a, _, c = x.chunk(3)
    (a * 2 + c).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0, 0.0, 0.0, 1.0, 1.0]
    x.grad = None
    x.view(3, 2).unbind(1)[1].sum().backward()
    assert x.grad.tolist() == [0.0, 1.0] * 3


def test_second_derivatives_through_writes_into_views() -> None:
    def f(x: Any, w: Any) -> Any:
        base = x * x
        base[1:].mul_(w)
        base.t()[0] = w[0] ** 3
        return (base * base).sum()

    x = tinytorch.rand(3, 2, dtype=tinytorch.float64, requires_grad=True)
    w = tinytorch.rand(2, dtype=tinytorch.float64, requires_grad=True)
    assert tinytorch.autograd.gradcheck(f, (x, w)) and tinytorch.autograd.gradgradcheck(f, (x, w))


def test_a_chain_of_writes_costs_no_more_for_each() -> None:
    """Row by row into one tensor: each write adds one node, and backward walks all of them."""
    x = tinytorch.ones(200, requires_grad=True)
    out = tinytorch.zeros(200)
    for i in range(200):
        out[i] = x[i] * i
    out.sum().backward()
    assert x.grad.tolist() == [float(i) for i in range(200)]
