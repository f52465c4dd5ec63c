"""no_grad and its relatives: blocks, decorators, exceptions, generators, threads; the same on PyTorch."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import tinytorch
from tests.oracle import torch

COVERS = (
    "no_grad", "enable_grad", "set_grad_enabled", "inference_mode", "is_grad_enabled", "is_inference_mode_enabled",
    "Tensor.detach_", "Tensor.is_inference", "is_inference", "detach_",
)  # fmt: skip
BOTH = pytest.mark.parametrize("T", [torch, tinytorch], ids=["torch", "tinytorch"])


@BOTH
def test_no_grad_of_the_notes(T: Any) -> None:
    x, y = T.randn(10, 5, requires_grad=True), T.randn(10, 5, requires_grad=True)
    with T.no_grad():
        w = x + y
        assert not w.requires_grad and w.grad_fn is None
        assert T.ones(1, requires_grad=True).requires_grad  # a leaf made inside keeps what it was asked for
    assert not w.requires_grad and (x + y).requires_grad


@BOTH
def test_modes_nest_and_come_back_after_an_exception(T: Any) -> None:
    with pytest.raises(KeyError), T.no_grad():
        with T.enable_grad():
            assert T.is_grad_enabled()
        assert not T.is_grad_enabled()
        raise KeyError
    assert T.is_grad_enabled()


@BOTH
def test_as_decorators(T: Any) -> None:
    x = T.ones(1, requires_grad=True)

    @T.no_grad()
    def silent() -> Any:
        return x * 2

    @T.no_grad
    def silent_too() -> Any:
        return x * 2

    @T.set_grad_enabled(False)
    def off() -> Any:
        return x * 2

    @T.no_grad()
    def numbers() -> Any:
        yield T.is_grad_enabled()
        yield T.is_grad_enabled()

    assert T.is_grad_enabled()
    assert not any(f().requires_grad for f in (silent, silent_too, off))
    inside = []
    for seen in numbers():
        inside.append((seen, T.is_grad_enabled()))
    assert inside == [(False, True), (False, True)]


@BOTH
def test_set_grad_enabled_as_a_function(T: Any) -> None:
    try:
        T.set_grad_enabled(False)
        assert not T.is_grad_enabled()
        with T.set_grad_enabled(True):
            assert T.is_grad_enabled()
        assert not T.is_grad_enabled()
    finally:
        T.set_grad_enabled(True)


@BOTH
def test_each_thread_has_its_own_mode(T: Any) -> None:
    seen: list = []
    with T.no_grad():
        worker = threading.Thread(target=lambda: seen.append(T.is_grad_enabled()))
        worker.start()
        worker.join()
    assert seen == [True]


@BOTH
def test_inference_tensors_stay_outside_autograd(T: Any) -> None:
    x = T.ones(2, requires_grad=True)
    with T.inference_mode():
        q = x * 2
        assert T.is_inference_mode_enabled()
    assert not T.is_inference_mode_enabled() and T.is_inference(q) and not T.is_inference(x)
    assert q.is_inference() and not q.requires_grad
    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
        q * x
    with pytest.raises(RuntimeError, match="Inplace update to inference tensor outside InferenceMode"):
        q.add_(1)
    with pytest.raises(RuntimeError, match="Setting requires_grad=True on inference tensor"):
        q.requires_grad_()


@BOTH
def test_detach_shares_memory_and_leaves_the_graph(T: Any) -> None:
    a = T.tensor([1.0, 2.0], requires_grad=True)
    out = a * 3
    c = out.detach()
    assert not c.requires_grad and c.data_ptr() == out.data_ptr()
    with pytest.raises(RuntimeError, match="element 0 of tensors does not require grad"):
        c.sum().backward()
    out.detach_()
    assert out.is_leaf and not out.requires_grad
    out = a * 3
    assert T.detach_(out) is out and out.is_leaf and not out.requires_grad
