"""Modules and functions of networks against PyTorch: printed forms, messages, values, exchanged states."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest

import tinytorch
from tests.oracle import torch
from tests.parity.harness import Case, Error, bf16, f16, f32, f64, i64, ids, run_case, run_error

F_ = "nn.functional"
CASES = [  # the second derivative of relu is 0: torch gives zeros, here there is nothing to differentiate
    *[
        Case(f"{F_}.linear", lambda T, x, w, b: T.nn.functional.linear(x, w, b), *inputs)
        for inputs in [
            (f32(6, 4), f32(3, 4), f32(3)),
            (f64(2, 5, 4), f64(3, 4), f64(3)),
            (f64(4), f64(3, 4), f64(3)),
            (f32(6, 4, layout="transposed"), f32(3, 4, layout="strided"), f32(3)),
            (f32(0, 4), f32(3, 4), f32(3)),
            (f16(6, 4), f16(3, 4), f16(3)),
            (bf16(6, 4), bf16(3, 4), bf16(3)),
        ]
    ],
    Case(f"{F_}.linear", lambda T, x, w: T.nn.functional.linear(x, w), f32(6, 4), f32(3, 4)),
    Case(f"{F_}.linear", lambda T, x, w: T.nn.functional.linear(x, w), f64(2, 3, 4), f64(5, 4)),
    *[
        Case(f"{F_}.{name}", lambda T, x, name=name: getattr(T.nn.functional, name)(x), x, second=name != "relu")
        for name in ("relu", "tanh", "sigmoid")
        for x in (f32(3, 4), f64(2, 3, layout="transposed"), f32(), f32(0, 2))
    ],
    Case(f"{F_}.relu inplace", lambda T, x: T.nn.functional.relu(x * 1, inplace=True), f32(3, 4), second=False),
    Case("nn.ReLU inplace", lambda T, x: T.nn.ReLU(inplace=True)(x * 1), f32(3, 4), second=False),
    *[
        Case(
            f"nn.{name}",
            lambda T, x, name=name, args=args: getattr(T.nn, name)(*args)(x),
            f32(3, 4),
            second=name != "ReLU",
        )
        for name, args in (
            ("ReLU", ()),
            ("Tanh", ()),
            ("Sigmoid", ()),
            ("Softmax", (1,)),
            ("LogSoftmax", (-1,)),
            ("Identity", (1, 2)),
            ("Flatten", (0,)),
        )
    ],
    Case("nn.Flatten", lambda T, x: T.nn.Flatten()(x), f32(2, 3, 4)),
    Case("nn.Flatten", lambda T, x: T.nn.Flatten(0, 1)(x), f32(2, 3, 4, layout="transposed")),
    Case("nn.Flatten", lambda T, x: T.nn.Flatten(-2)(x), f32(2, 3, 4)),
    Case(f"{F_}.dropout off", lambda T, x: T.nn.functional.dropout(x, 0.5, training=False), f32(3, 4)),
    Case(f"{F_}.dropout p=0", lambda T, x: T.nn.functional.dropout(x, 0.0), f32(3, 4)),
    Case(f"{F_}.dropout p=1", lambda T, x: T.nn.functional.dropout(x, 1.0), f32(3, 4)),
    Case("nn.Dropout eval", lambda T, x: T.nn.Dropout(0.5).eval()(x), f32(3, 4)),
]
ERRORS = [
    Error(
        f"{F_}.linear",
        lambda T, x, w: T.nn.functional.linear(x, w),
        f32(3, 5),
        f32(4, 6),
        words="mat1 and mat2 shapes cannot be multiplied (3x5 and 6x4)",
    ),
    Error(
        f"{F_}.dropout",
        lambda T, x: T.nn.functional.dropout(x, 1.5),
        f32(3),
        words="has to be between 0 and 1, but got 1.5",
    ),
    Error(
        f"{F_}.dropout",
        lambda T, x: T.nn.functional.dropout(x),
        i64(3),
        words="can't be cast to the desired output type Long",
    ),
    Error("nn.Dropout", lambda T: T.nn.Dropout(-0.1), words="has to be between 0 and 1, but got -0.1"),
    Error("nn.Flatten", lambda T, x: T.nn.Flatten()(x), f32(3), words="expected to be in range of [-1, 0], but got 1"),
]


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_equals_torch(case: Case) -> None:
    run_case(case)


@pytest.mark.parametrize("case", ERRORS, ids=ids(ERRORS))
def test_refused_like_torch(case: Error) -> None:
    run_error(case)


def nested(T: Any) -> Any:
    nn = T.nn

    class Inner(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(T.ones(2))
            self.register_buffer("mean", T.zeros(3))
            self.register_buffer("scratch", T.zeros(1), persistent=False)
            self.register_parameter("nothing", None)
            self.table = nn.ParameterDict({"a": T.ones(1), "b": T.zeros(2, 2)})

        def extra_repr(self) -> str:
            return "size=2"

    class Outer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(2, 3)
            self.rows = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3), nn.ReLU(), Inner()])
            self.named = nn.ModuleDict({"x": nn.Sequential(nn.Linear(3, 1), nn.Tanh()), "again": self.first})
            self.list = nn.ParameterList([T.ones(2), T.ones(1)])
            self.counter = nn.Buffer(T.zeros((), dtype=T.int64))
            self.tied = self.first.weight

    return Outer()


REPRS = [
    nested,
    lambda T: T.nn.Sequential(),
    lambda T: T.nn.ModuleList(),
    lambda T: T.nn.ModuleDict(),
    lambda T: T.nn.ParameterList(),
    lambda T: T.nn.ParameterDict(),
    lambda T: T.nn.Module(),
    lambda T: T.nn.Linear(2, 3, bias=False),
    lambda T: T.nn.Sequential(OrderedDict(fc=T.nn.Linear(2, 3), act=T.nn.ReLU(inplace=True), out=T.nn.Softmax(dim=1))),
    lambda T: T.nn.Sequential(T.nn.Dropout(0.2), T.nn.Flatten(), T.nn.LogSoftmax(), T.nn.Identity(4)),
    lambda T: T.nn.ModuleList([T.nn.Sequential(T.nn.Linear(1, 1), T.nn.Tanh()) for _ in range(3)] + [T.nn.Sigmoid()]),
    lambda T: T.nn.ParameterList([T.ones(2, 3), T.nn.Parameter(T.ones(())), 3]),
    lambda T: T.nn.ParameterDict({"a": T.ones(2), "b": 5}),
    lambda T: [T.nn.CrossEntropyLoss(weight=T.ones(2)), T.nn.NLLLoss(), T.nn.MSELoss(), T.nn.L1Loss()],
    lambda T: T.nn.Parameter(T.ones(2, 2)),
    lambda T: T.nn.Parameter(T.ones(2), requires_grad=False),
    lambda T: T.nn.Buffer(T.ones(2)),
    lambda T: T.nn.Sequential(T.nn.Linear(1, 2), T.nn.ReLU(), T.nn.Linear(2, 3))[1:],
    lambda T: T.nn.Sequential(T.nn.ReLU(), T.nn.Tanh()) * 2 + T.nn.Sequential(T.nn.Sigmoid()),
]


@pytest.mark.parametrize("number", range(len(REPRS)))
def test_prints_like_torch(number: int) -> None:
    assert repr(REPRS[number](tinytorch)) == repr(REPRS[number](torch))


QUESTIONS = {
    "named_parameters": lambda m: [n for n, _ in m.named_parameters()],
    "named_parameters with duplicates": lambda m: [n for n, _ in m.named_parameters(remove_duplicate=False)],
    "named_parameters here": lambda m: [n for n, _ in m.named_parameters("p", recurse=False)],
    "parameters": lambda m: [tuple(p.shape) for p in m.parameters()],
    "named_buffers": lambda m: [n for n, _ in m.named_buffers()],
    "named_modules": lambda m: [n for n, _ in m.named_modules()],
    "named_modules with duplicates": lambda m: [n for n, _ in m.named_modules(remove_duplicate=False)],
    "named_children": lambda m: [n for n, _ in m.named_children()],
    "modules": lambda m: [type(x).__name__ for x in m.modules()],
    "state_dict": lambda m: [(k, tuple(v.shape)) for k, v in m.state_dict().items()],
    "state_dict with prefix": lambda m: list(m.state_dict(prefix="p.")),
    "get": lambda m: (type(m.get_submodule("rows.3")).__name__, tuple(m.get_parameter("rows.0.bias").shape)),
    "versions": lambda m: {k: v["version"] for k, v in m.state_dict()._metadata.items()},
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_walks_like_torch(question: str) -> None:
    assert QUESTIONS[question](nested(tinytorch)) == QUESTIONS[question](nested(torch))


def linear(T: Any) -> Any:
    return T.nn.Linear(2, 3)


REFUSALS = [
    lambda T: linear(T).load_state_dict({"weight": T.ones(2, 2), "x": T.ones(1)}),
    lambda T: linear(T).load_state_dict({"weight": T.ones(2, 2)}, strict=False),
    lambda T: linear(T).load_state_dict({"weight": 3, "bias": T.ones(3)}),
    lambda T: linear(T).load_state_dict(3),
    lambda T: nested(T).load_state_dict({"first.weight.deep": T.ones(1), "rows.7.x": T.ones(1)}),
    lambda T: setattr(linear(T), "weight", T.ones(3, 2)),
    lambda T: setattr(linear(T), "bias", 3),
    lambda T: setattr(T.nn.Sequential(T.nn.ReLU()), "0", 3),
    lambda T: setattr(nested(T), "counter", 3),
    lambda T: linear(T).get_submodule("a.b"),
    lambda T: linear(T).get_submodule("weight"),
    lambda T: linear(T).get_parameter("w"),
    lambda T: linear(T).get_parameter("training"),
    lambda T: linear(T).get_buffer("weight"),
    lambda T: linear(T).no_such_thing,
    lambda T: linear(T).to(T.int64),
    lambda T: linear(T).train(3),
    lambda T: T.nn.Module()(1),
    lambda T: linear(T).register_buffer("weight", T.ones(1)),
    lambda T: linear(T).register_buffer("b", 3),
    lambda T: linear(T).register_buffer(3, T.ones(1)),
    lambda T: linear(T).register_parameter("q", T.ones(2)),
    lambda T: linear(T).register_parameter("", None),
    lambda T: linear(T).add_module("weight", None),
    lambda T: linear(T).add_module("b", 3),
    lambda T: linear(T).add_module("a.b", None),
    lambda T: T.nn.Sequential(3),
    lambda T: T.nn.Sequential(T.nn.ReLU())[1],
    lambda T: T.nn.Sequential(T.nn.ReLU())["0"],
    lambda T: T.nn.Sequential() + 3,
    lambda T: T.nn.Sequential().insert(1, T.nn.ReLU()),
    lambda T: T.nn.ModuleList([T.nn.ReLU()])[-2],
    lambda T: T.nn.ModuleList().extend(3),
    lambda T: T.nn.ModuleDict({"a": T.nn.ReLU()})["b"],
    lambda T: T.nn.ModuleDict([("a",)]),
    lambda T: T.nn.ModuleDict(3),
    lambda T: T.nn.ModuleDict({"keys": T.nn.ReLU()}),
    lambda T: T.nn.ParameterList([T.ones(1)])[1],
    lambda T: T.nn.ParameterDict()["a"],
    lambda T: T.nn.Parameter(T.ones(2, dtype=T.int64)),
    lambda T: T.nn.init.kaiming_uniform_(T.ones(3)),
    lambda T: T.nn.init.xavier_normal_(T.ones(3)),
    lambda T: T.nn.init.kaiming_uniform_(T.ones(3, 3), mode="fan"),
    lambda T: T.nn.init.calculate_gain("relu7"),
    lambda T: T.nn.init.calculate_gain("leaky_relu", "a"),
    lambda T: T.nn.init.eye_(T.ones(3)),
    lambda T: T.nn.init.orthogonal_(T.ones(3)),
]


@pytest.mark.parametrize("number", range(len(REFUSALS)))
def test_says_what_torch_says(number: int) -> None:
    said = []
    for T in (torch, tinytorch):
        with pytest.raises(
            (AttributeError, IndexError, KeyError, NotImplementedError, RuntimeError, TypeError, ValueError)
        ) as info:
            REFUSALS[number](T)
        said.append((type(info.value), str(info.value)))
    assert said[1] == said[0]


EARLY = {
    "module": lambda T: T.nn.ReLU(),
    "parameter": lambda T: T.nn.Parameter(T.ones(1)),
    "buffer": lambda T: T.nn.Buffer(T.ones(1)),
}


@pytest.mark.parametrize("kind", EARLY)
def test_assigning_before_init_is_refused(kind: str) -> None:
    said = []
    for T in (torch, tinytorch):

        def init(self, T=T):
            self.member = EARLY[kind](T)

        with pytest.raises(AttributeError) as info:
            type("Early", (T.nn.Module,), {"__init__": init})()
        said.append(str(info.value))
    assert said[1] == said[0]


def as_other(T: Any, state: Any) -> OrderedDict:
    return OrderedDict(
        (key, T.tensor(value.tolist(), dtype=getattr(T, str(value.dtype).removeprefix("torch."))))
        for key, value in state.items()
    )


def test_states_go_both_ways() -> None:
    mine, real = nested(tinytorch), nested(torch)
    for model, T in ((mine, tinytorch), (real, torch)):
        for number, p in enumerate(model.parameters()):
            p.data.fill_(number + (100 if T is torch else 0))
    assert str(real.load_state_dict(as_other(torch, mine.state_dict()))) == "<All keys matched successfully>"
    assert all(
        (a.tolist() == b.tolist()) for a, b in zip(mine.state_dict().values(), real.state_dict().values(), strict=True)
    )
    for number, p in enumerate(real.parameters()):
        p.data.fill_(number + 50)
    assert str(mine.load_state_dict(as_other(tinytorch, real.state_dict()))) == "<All keys matched successfully>"
    assert all(
        (a.tolist() == b.tolist()) for a, b in zip(mine.state_dict().values(), real.state_dict().values(), strict=True)
    )


DRAWS = {
    "uniform_": {},
    "normal_": {"mean": 2.0, "std": 3.0},
    "trunc_normal_": {"std": 2.0, "a": -1.0, "b": 3.0},
    "xavier_uniform_": {"gain": 2.0},
    "xavier_normal_": {},
    "kaiming_uniform_": {"nonlinearity": "relu"},
    "kaiming_normal_": {"mode": "fan_out", "a": 0.5},
}


COVERS = [f"nn.init.{name}" for name in (*DRAWS, "zeros_", "ones_", "eye_", "orthogonal_", "calculate_gain")]
COVERS += ["nn.Linear", "nn.Module", "nn.Sequential", "nn.Parameter", "nn.Buffer"]
COVERS += ["nn.ModuleList", "nn.ModuleDict", "nn.ParameterList", "nn.ParameterDict"]


@pytest.mark.parametrize("name", DRAWS)
def test_draws_from_torchs_distribution(name: str) -> None:
    """Streams differ; mean, deviation and bounds of 60,000 numbers agree."""
    tinytorch.manual_seed(0)
    torch.manual_seed(0)
    drawn = []
    for T in (tinytorch, torch):
        w = T.nn.Parameter(T.empty(200, 100, 3))
        assert getattr(T.nn.init, name)(w, **DRAWS[name]) is w
        drawn.append(w.detach().numpy().reshape(-1).astype(np.float64))
    mine, real = drawn
    spread = real.std()
    assert abs(mine.mean() - real.mean()) < 0.02 * spread
    assert abs(mine.std() - spread) < 0.02 * spread
    for level in (1, 10, 50, 90, 99):
        assert abs(np.percentile(mine, level) - np.percentile(real, level)) < 0.06 * spread


@pytest.mark.parametrize("name", ["zeros_", "ones_", "eye_"])
def test_fixed_first_values(name: str) -> None:
    mine, real = (getattr(T.nn.init, name)(T.empty(3, 2)) for T in (tinytorch, torch))
    assert mine.tolist() == real.tolist()


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 2, 3)])
def test_orthogonal(shape: tuple) -> None:
    w = tinytorch.nn.init.orthogonal_(tinytorch.empty(*shape, dtype=tinytorch.float64), gain=2.0).numpy()
    flat = w.reshape(shape[0], -1)
    product = flat @ flat.T if flat.shape[0] <= flat.shape[1] else flat.T @ flat
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-6)


def test_gains() -> None:
    for name, param in [
        ("linear", None),
        ("conv2d", None),
        ("tanh", None),
        ("relu", None),
        ("leaky_relu", 0.2),
        ("leaky_relu", None),
        ("selu", None),
        ("sigmoid", None),
    ]:
        assert tinytorch.nn.init.calculate_gain(name, param) == torch.nn.init.calculate_gain(name, param)


def test_linear_starts_like_torch() -> None:
    tinytorch.manual_seed(0)
    layer = tinytorch.nn.Linear(100, 500)
    for p in (layer.weight, layer.bias):
        values = p.detach().numpy()
        assert np.abs(values).max() <= 0.1
        assert np.abs(values).max() > 0.098 and abs(values.std() - 0.1 / 3**0.5) < 0.004
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert tinytorch.nn.Linear(0, 3).bias.tolist() == [0.0, 0.0, 0.0]
    assert tinytorch.nn.Linear(2, 3, dtype=tinytorch.float64).weight.dtype == tinytorch.float64
