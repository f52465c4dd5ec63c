"""Optimisers against PyTorch: ten steps, saved state, options, refusals, printed form."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import tinytorch
from tests.oracle import torch

STEPS = 10
SHAPES = [(5, 3), (3,), (), (2, 2, 2), (4,)]
NEVER_USED = 4  # this parameter never gets a gradient

OPTIONS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.05}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.05}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "maximize": True, "weight_decay": 0.05}),
    ("SGD", {"lr": 0.0}),
    ("Adam", {}),
    ("Adam", {"lr": 0.1, "betas": (0.5, 0.7), "eps": 1e-3}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.1, "amsgrad": True}),
    ("Adam", {"lr": 0.1, "maximize": True, "amsgrad": True, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
]
COVERS = ("optim.SGD", "optim.Adam")
NAMES = [f"{name}-{'-'.join(f'{k}={v}' for k, v in options.items())}" for name, options in OPTIONS]


def data(seed: int = 0) -> tuple[list[np.ndarray], list[list[np.ndarray | None]]]:
    """First values, and for every step the gradients; some are missing at some steps."""
    rng = np.random.default_rng(seed)
    values = [rng.standard_normal(shape) for shape in SHAPES]
    steps = [
        [
            None
            if n == NEVER_USED or (n == 1 and step % 3 == 1)
            else rng.standard_normal(shape) * 10 ** rng.uniform(-4, 2)
            for n, shape in enumerate(SHAPES)
        ]
        for step in range(STEPS)
    ]
    return values, steps


def parameters(T: Any, values: list[np.ndarray], dtype: str) -> list[Any]:
    return [T.nn.Parameter(T.tensor(v.tolist(), dtype=getattr(T, dtype))) for v in values]


def take(T: Any, optimizer: Any, params: list[Any], gradients: list[np.ndarray | None]) -> None:
    for p, g in zip(params, gradients, strict=True):
        p.grad = None if g is None else T.tensor(g.tolist(), dtype=p.dtype)
    optimizer.step()


def assert_same(mine: list[Any], real: list[Any], dtype: str = "float64") -> None:
    rtol, atol = {"float64": (1e-10, 1e-12), "float32": (2e-5, 1e-6)}[dtype]
    for a, b in zip(mine, real, strict=True):
        np.testing.assert_allclose(np.asarray(a.tolist()), np.asarray(b.tolist()), rtol=rtol, atol=atol)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=NAMES)
def test_ten_steps(name: str, options: dict, dtype: str) -> None:
    values, steps = data()
    results = []
    for T in (tinytorch, torch):
        params = parameters(T, values, dtype)
        optimizer = getattr(T.optim, name)(params, **options)
        seen = []
        for gradients in steps:
            take(T, optimizer, params, gradients)
            seen += [p.detach().clone() for p in params]
        results.append(seen)
    assert_same(*results, dtype)


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_groups_with_options_of_their_own(name: str) -> None:
    values, steps = data(1)
    results = []
    for T in (tinytorch, torch):
        params = parameters(T, values, "float64")
        groups = [{"params": params[:2]}, {"params": params[2], "lr": 0.5, "weight_decay": 0.1}]
        optimizer = getattr(T.optim, name)(groups, lr=0.01)
        for number, gradients in enumerate(steps):
            if number == 4:
                optimizer.add_param_group({"params": params[3:], "lr": 0.3})
            if number == 6:
                optimizer.param_groups[0]["lr"] = 0.2
            take(T, optimizer, params, gradients)
        results.append(params)
    assert_same(*results)


def converted(T: Any, value: Any) -> Any:
    """A state_dict of one library as one of the other."""
    if isinstance(value, dict):
        return {key: converted(T, v) for key, v in value.items()}
    if isinstance(value, list):
        return [converted(T, v) for v in value]
    if hasattr(value, "detach"):
        return T.tensor(value.tolist(), dtype=getattr(T, str(value.dtype).removeprefix("torch.")))
    return value


@pytest.mark.parametrize("direction", ["to torch", "from torch"])
@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=NAMES)
def test_state_dict_goes_both_ways(name: str, options: dict, direction: str) -> None:
    """Half of the steps on one side, the state handed over, the rest on the other: as if on one side throughout."""
    first, second = (tinytorch, torch) if direction == "to torch" else (torch, tinytorch)
    values, steps = data(2)
    params = parameters(first, values, "float64")
    optimizer = getattr(first.optim, name)(params, **options)
    for gradients in steps[:5]:
        take(first, optimizer, params, gradients)
    middle = [np.asarray(p.tolist()) for p in params]
    others = parameters(second, middle, "float64")
    other = getattr(second.optim, name)(others, lr=123.0)
    other.load_state_dict(converted(second, optimizer.state_dict()))
    for gradients in steps[5:]:
        take(first, optimizer, params, gradients)
        take(second, other, others, gradients)
    assert_same(others, params)
    assert repr(other) == repr(optimizer)


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=NAMES)
def test_state_dict_looks_like_torchs(name: str, options: dict) -> None:
    values, steps = data(3)
    found = []
    for T in (tinytorch, torch):
        params = parameters(T, values, "float32")
        optimizer = getattr(T.optim, name)([{"params": params[:3]}, {"params": params[3:], "lr": 0.25}], **options)
        take(T, optimizer, params, steps[0])
        state = optimizer.state_dict()
        kinds = {
            number: {key: (str(v.dtype), tuple(v.shape)) for key, v in values.items()}
            for number, values in state["state"].items()
        }
        found.append((kinds, state["param_groups"], repr(optimizer), optimizer.defaults))
    assert found[0] == found[1]


BAD = [
    ("SGD", {"lr": -1.0}), ("SGD", {"momentum": -1.0}), ("SGD", {"weight_decay": -1.0}), ("SGD", {"nesterov": True}),
    ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}),
    ("Adam", {"lr": -1.0}), ("Adam", {"eps": -1.0}), ("Adam", {"betas": (1.0, 0.9)}), ("Adam", {"betas": (0.9, -0.1)}),
    ("Adam", {"weight_decay": -1.0}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options"), BAD, ids=str)
def test_refused_like_torch(name: str, options: dict) -> None:
    messages = []
    for T in (torch, tinytorch):
        with pytest.raises(ValueError) as caught:
            getattr(T.optim, name)([T.nn.Parameter(T.ones(2))], **options)
        messages.append(str(caught.value))
    assert messages[1] == messages[0]


def same_refusal(run: Any, words: str | None = None) -> None:
    caught = []
    for T in (torch, tinytorch):
        p = T.nn.Parameter(T.ones(2))
        with pytest.raises((ValueError, TypeError, KeyError)) as info:
            run(T, p)
        caught.append(info.value)
    assert type(caught[1]) is type(caught[0])
    assert str(caught[1]) == str(caught[0]) if words is None else all(words in str(e) for e in caught)


@pytest.mark.parametrize(
    "run",
    [
        lambda T, p: T.optim.Adam([]),
        lambda T, p: T.optim.Adam(p),
        lambda T, p: T.optim.Adam(3),
        lambda T, p: T.optim.Adam([3]),
        lambda T, p: T.optim.Adam([p * 2]),
        lambda T, p: T.optim.Adam([{"params": {p}}]),
        lambda T, p: T.optim.Adam([{"params": [p]}, {"params": [p]}]),
        lambda T, p: T.optim.Adam([{"lr": 1}]),
        lambda T, p: T.optim.Adam([("a", p), p]),
        lambda T, p: T.optim.Adam([p]).add_param_group(3),
        lambda T, p: T.optim.Adam([p]).add_param_group({"params": [p]}),
        lambda T, p: T.optim.Adam([p]).load_state_dict({"state": {}, "param_groups": []}),
        lambda T, p: T.optim.Adam([p]).load_state_dict({"state": {}, "param_groups": [{"params": [0, 1]}]}),
    ],
)
def test_bad_parameters_are_refused_like_torch(run: Any) -> None:
    same_refusal(run)


def test_parameter_names_are_kept() -> None:
    layers = [T.nn.Linear(2, 3) for T in (tinytorch, torch)]
    mine, real = (T.optim.SGD(m.named_parameters()) for T, m in zip((tinytorch, torch), layers, strict=True))
    assert mine.param_groups[0]["param_names"] == real.param_groups[0]["param_names"] == ["weight", "bias"]
    assert repr(mine) == repr(real)


def test_failed_load_changes_nothing() -> None:
    p = tinytorch.nn.Parameter(tinytorch.ones(2))
    optimizer = tinytorch.optim.SGD([p], lr=0.5, momentum=0.9)
    p.grad = tinytorch.ones(2)
    optimizer.step()
    before = copy.deepcopy(optimizer.state_dict())
    with pytest.raises(ValueError):
        optimizer.load_state_dict({"state": {}, "param_groups": [{"params": [0, 1], "lr": 9.0}]})
    after = optimizer.state_dict()
    assert after["param_groups"] == before["param_groups"]
    assert after["state"][0]["momentum_buffer"].tolist() == before["state"][0]["momentum_buffer"].tolist()


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=NAMES)
def test_large_parameters(name: str, options: dict) -> None:
    """Large enough for a compiled loop, where there is one for these options."""
    rng = np.random.default_rng(4)
    value, gradients = rng.standard_normal(20_000), rng.standard_normal((STEPS, 20_000))
    results = []
    for T in (tinytorch, torch):
        (p,) = parameters(T, [value], "float32")
        optimizer = getattr(T.optim, name)([p], **options)
        for gradient in gradients:
            take(T, optimizer, [p], [gradient])
        results.append([p.detach()])
    assert_same(*results, "float32")
