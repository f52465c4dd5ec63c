"""What every optimiser does: closures, clearing gradients, hooks, and noticing that a graph is out of date."""

import pytest

import tinytorch
from tinytorch import nn, optim


@pytest.fixture(params=[optim.SGD, optim.Adam], ids=lambda kind: kind.__name__)
def fitted(request):
    p = nn.Parameter(tinytorch.tensor([1.0, -2.0]))
    return p, request.param([p], lr=0.1)


def test_closure_runs_with_gradients_on_and_its_loss_is_returned(fitted):
    p, optimizer = fitted

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with tinytorch.no_grad():
        first = optimizer.step(closure)
    assert first.item() == 5.0
    assert optimizer.step(closure).item() < 5.0


def test_zero_grad_drops_or_clears_and_leaves_the_memory_of_old_steps(fitted):
    p, optimizer = fitted
    (p * p).sum().backward()
    optimizer.step()
    remembered = len(optimizer.state[p])
    optimizer.zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0.0, 0.0]
    optimizer.zero_grad()
    assert p.grad is None
    assert len(optimizer.state[p]) == remembered


def test_step_changes_the_parameter_in_place(fitted):
    p, optimizer = fitted
    memory, version = p.data_ptr(), p._version
    p.grad = tinytorch.ones(2)
    optimizer.step()
    assert p.data_ptr() == memory and p._version == version + 1
    assert p.is_leaf and p.requires_grad
    assert p.grad.tolist() == [1.0, 1.0], "a step must not change the gradient"


def test_backward_through_a_graph_older_than_the_step_is_refused(fitted):
    p, optimizer = fitted
    loss = (p * p).sum()
    p.grad = tinytorch.ones(2)
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_step_hooks(fitted):
    p, optimizer = fitted
    seen = []
    before = optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append("before"))
    optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append("after"))
    optimizer.step()
    before.remove()
    optimizer.step()
    assert seen == ["before", "after", "after"]


def test_duplicates_in_a_group_are_warned_of():
    p = nn.Parameter(tinytorch.ones(1))
    with pytest.warns(UserWarning, match="duplicate parameters"):
        optim.SGD([p, p])


def test_unknown_way_of_stepping_is_refused():
    with pytest.raises(RuntimeError, match="differentiable=True"):
        optim.Adam([nn.Parameter(tinytorch.ones(1))], differentiable=True)


def test_a_parameter_that_is_not_contiguous_is_stepped_too():
    p = nn.Parameter(tinytorch.arange(6, dtype=tinytorch.float32).reshape(2, 3).t())
    p.grad = tinytorch.ones(3, 2)
    optim.SGD([p], lr=1.0).step()
    assert p.tolist() == [[-1.0, 2.0], [0.0, 3.0], [1.0, 4.0]]
