"""Activations against PyTorch: functions, modules, printed forms, names in the graph, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinytorch
from tests.oracle import torch
from tests.parity.harness import (
    Case,
    Error,
    b8,
    bf16,
    f16,
    f32,
    f64,
    i64,
    ids,
    run_case,
    run_error,
    same,
    special,
)

F_ = "nn.functional"
SMOOTH = {  # name: arguments after the input
    "gelu": [{}, {"approximate": "tanh"}],
    "silu": [{}],
    "mish": [{}],
    "softplus": [{}, {"beta": 2.0, "threshold": 1.5}],
    "logsigmoid": [{}],
    "elu": [{}, {"alpha": 0.7}],
    "selu": [{}],
    "celu": [{}, {"alpha": 0.5}],  # 1/0.7 in torch is a float32 even for float64 inputs
    "softsign": [{}],
    "tanhshrink": [{}],
}
CORNERED = {
    "relu6": [{}],
    "leaky_relu": [{}, {"negative_slope": 0.3}],
    "rrelu": [{}, {"lower": 0.1, "upper": 0.5}],
    "hardtanh": [{}, {"min_val": -0.5, "max_val": 0.7}],
    "hardsigmoid": [{}],
    "hardswish": [{}],
    "hardshrink": [{}, {"lambd": 0.2}],
    "softshrink": [{}, {"lambd": 0.2}],
    "threshold": [{"threshold": 0.1, "value": 2.5}],
}
ALL = {**SMOOTH, **CORNERED}
SIXTHS = {"hardsigmoid", "hardswish"}  # backward in torch has 1/6 as a float32 even for float64 inputs
MAY_BE_IN_PLACE = ["silu", "mish", "elu", "selu", "celu", "relu6", "leaky_relu", "rrelu", "hardtanh", "hardsigmoid", "hardswish", "threshold"]
UNDERSCORED = ["elu", "selu", "celu", "leaky_relu", "rrelu", "hardtanh", "threshold"]
NAN_OF_INFINITY = {"gelu", "softsign"}  # torch's vectors give NaN for an infinity, or not, by the place in the array


def _wide(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(-8, 8, shape)


def _cases() -> list[Case]:
    found = []
    for name, all_options in ALL.items():
        second = name in SMOOTH or name == "hardswish"
        for options in all_options:

            def run(T: Any, x: Any, name: str = name, options: Any = options) -> Any:
                return getattr(T.nn.functional, name)(x, **options)

            def in_place(T: Any, x: Any, name: str = name, options: Any = options) -> Any:
                y = x * 1
                assert getattr(T.nn.functional, name)(y, **options, inplace=True) is y and y._version == 1
                return y

            def underscored(T: Any, x: Any, name: str = name, options: Any = options) -> Any:
                y = x * 1
                assert getattr(T.nn.functional, f"{name}_")(y, **options) is y
                return y

            inputs = [
                f64(7, 9, make=_wide),
                f64(2, 3, layout="transposed"),
                f32(3, 4, layout="strided"),
                f32(3, 4, layout="expanded"),
                f32(),
                f32(0, 2),
            ]
            loose = {"rtol": 2e-7, "atol": 2e-6} if name in SIXTHS else {}
            found += [Case(f"{F_}.{name}", run, x, second=second, **loose) for x in inputs]
            found += [  # far from 0 the second derivative of a tanh is a difference of nearly equal numbers
                Case(f"{F_}.{name}", run, f32(7, 9, make=_wide), second=False, rtol=2e-5, atol=5e-6),
                Case(f"{F_}.{name}", run, f32(40, 425, make=_wide), second=False, rtol=2e-5, atol=5e-6),
                Case(f"{F_}.{name}", run, f32(130, 130), second=second, atol=1e-5, rtol=1e-4),
                Case(f"{F_}.{name}", run, f16(5, 4), rtol=5e-3, atol=2e-3),
                Case(f"{F_}.{name}", run, bf16(5, 4), rtol=2e-2, atol=2e-2),
            ]
            if name not in NAN_OF_INFINITY:
                found.append(Case(f"{F_}.{name}", run, f32(40, make=special), grad=False))
            if name in MAY_BE_IN_PLACE:
                found.append(Case(f"{F_}.{name} inplace", in_place, f32(3, 4), second=False))
            if name in UNDERSCORED:
                found.append(Case(f"{F_}.{name}_", underscored, f32(3, 4), second=False))
    return found


CORNERS = same([-6.0, -3.0, -1.0, -0.5, -0.2, -0.0, 0.0, 0.1, 0.5, 1.0, 3.0, 6.0])
CASES = [
    *_cases(),
    *[
        Case(f"{F_}.{name} at its corners", lambda T, x, n=name, o=o: getattr(T.nn.functional, n)(x, **o), f32(12, make=CORNERS), second=False)
        for name, all_options in ALL.items()
        for o in all_options
    ],
    *[
        Case(f"{F_}.{name} of integers", lambda T, x, n=name, a=a: getattr(T.nn.functional, n)(x, *a), i64(3, 4))
        for name, a in (("relu6", ()), ("hardtanh", (-1.5, 2.5)), ("threshold", (1.5, 2.7)), ("softsign", ()), ("tanhshrink", ()))
    ],
    Case(f"{F_}.rrelu of one slope", lambda T, x: T.nn.functional.rrelu(x, 0.25, 0.25, training=True), f32(3, 4), second=False),
    *[
        Case(f"{F_}.glu", lambda T, x, d=d: T.nn.functional.glu(x, d), x)
        for x, d in ((f32(4, 6), -1), (f64(4, 6, 3), 1), (f32(4, 6, layout="transposed"), 0), (f32(2, 0), -1))
    ],
    *[
        Case(f"{F_}.prelu", lambda T, x, w: T.nn.functional.prelu(x, w), *inputs)
        for inputs in (
            (f32(4, 3), f32(3)),
            (f64(4, 3, 2, 2), f64(3)),
            (f64(4, 3, layout="transposed"), f64(1)),
            (f32(5), f32(1)),
            (f32(5), f32()),
            (f32(), f32()),
            (f32(0, 3), f32(3)),
            (f16(4, 3), f16(3)),
        )
    ],
    *[
        Case(f"{F_}.softmin", lambda T, x, o=o: T.nn.functional.softmin(x, **o), x)
        for x, o in ((f32(3, 4), {"dim": 1}), (f64(3, 4), {"dim": 0}), (f32(3, 4), {"dim": 1, "dtype": None}))
    ],
    Case("nn.Softmax2d", lambda T, x, y: (T.nn.Softmax2d()(x), T.nn.Softmax2d()(y)), f32(2, 3, 4, 5), f32(3, 4, 5)),
]  # fmt: skip

FUNCTION_WORDS = {name: f"{name}(): argument 'input' (position 1) must be Tensor, not int" for name in ALL}
FUNCTION_WORDS["logsigmoid"] = "log_sigmoid(): argument 'input' (position 1) must be Tensor, not int"
KERNEL = {"gelu": "GeluKernelImpl", "selu": "elu_cpu", "celu": "elu_cpu", "logsigmoid": "log_sigmoid_cpu",
          "rrelu": "leaky_relu_cpu", "softshrink": "softshrink_check"}  # fmt: skip
ERRORS = [
    *[
        Error(f"{F_}.{name}", lambda T, n=name, o=ALL[name][0]: getattr(T.nn.functional, n)(3, **o), words=FUNCTION_WORDS[name])
        for name in ALL
        if name not in ("softsign", "tanhshrink", "rrelu")
    ],
    *[
        Error(f"{F_}.{name}", lambda T, x, n=name: getattr(T.nn.functional, n)(x), i64(3), words=f"\"{KERNEL.get(name, name + '_cpu')}\" not implemented for 'Long'")
        for name in ALL
        if name not in ("softsign", "tanhshrink", "hardtanh", "relu6", "threshold")
    ],
    Error(f"{F_}.relu6", lambda T, x: T.nn.functional.relu6(x), b8(2), words="Bool inputs not supported for hardtanh"),
    Error(f"{F_}.threshold", lambda T, x: T.nn.functional.threshold(x, 1, 2), b8(2), words="\"threshold_cpu\" not implemented for 'Bool'"),
    Error(f"{F_}.tanhshrink", lambda T, x: T.nn.functional.tanhshrink(x), b8(2), words="bool tensor is not supported"),
    Error(f"{F_}.softsign", lambda T, x: T.nn.functional.softsign(x), b8(2), words="not implemented for 'Bool'"),
    Error(f"{F_}.softshrink", lambda T, x: T.nn.functional.softshrink(x, -1.0), f32(2), words="for input dtype Float, but found -1"),
    Error(f"{F_}.hardtanh", lambda T, x: T.nn.functional.hardtanh(x, 1.0, -1.0), f32(2), words="min_val cannot be greater than max_val"),
    Error(f"{F_}.gelu", lambda T, x: T.nn.functional.gelu(x, approximate="x"), f32(2), words="approximate argument must be either none or tanh."),
    Error(f"{F_}.celu", lambda T, x: T.nn.functional.celu(x, alpha=0.0), f32(2), words="alpha cannot be 0 for CELU"),
    Error(f"{F_}.rrelu", lambda T, x: T.nn.functional.rrelu(x, 0.5, 0.1), f32(2), words="Lower bound should be less than or equal to the upper bound"),
    Error(f"{F_}.glu", lambda T, x: T.nn.functional.glu(x), f32(3, 3), words="Halving dimension must be even, but dimension 1 is size 3"),
    Error(f"{F_}.glu", lambda T, x: T.nn.functional.glu(x), f32(), words="glu does not support scalars"),
    Error(f"{F_}.glu", lambda T, x: T.nn.functional.glu(x), i64(4), words="\"glu_cpu\" not implemented for 'Long'"),
    Error(f"{F_}.glu", lambda T, x: T.nn.functional.glu(x, 2), f32(2, 2), words="but got 2"),
    Error(f"{F_}.prelu", lambda T, x, w: T.nn.functional.prelu(x, w), f32(2, 3), f32(4), words="Found parameter numbers = 4 and channel size = 3."),
    Error(f"{F_}.prelu", lambda T, x, w: T.nn.functional.prelu(x, w), f32(4), f32(2), words="Found parameter numbers = 2 and channel size = 1."),
    Error(f"{F_}.prelu", lambda T, x, w: T.nn.functional.prelu(x, w), f32(), f32(2), words="Not allow zero-dim input tensor."),
    Error(f"{F_}.prelu", lambda T, x, w: T.nn.functional.prelu(x, w), f32(2, 3), f32(3, 1), words="to be a scalar or 1D tensor, but got: ndim = 2"),
    Error(f"{F_}.prelu", lambda T, x, w: T.nn.functional.prelu(x, w), f32(2, 3), f64(3), words="Type promoting not supported. Got Float and Double"),
    Error("nn.Hardtanh", lambda T: T.nn.Hardtanh(1, 1), words="max_val (1) must be greater than min_val (1)"),
    Error("nn.Softmax2d", lambda T, x: T.nn.Softmax2d()(x), f32(2, 2), words="Softmax2d: expected input to be 3D or 4D, got 2D instead"),
    Error(f"{F_}.elu_", lambda T, x: T.nn.functional.elu_(x), f32(2), words="a leaf Variable that requires grad"),
]  # fmt: skip

MODULES = [
    *[(name, (), {}) for name in ["ReLU", "ReLU6", "LeakyReLU", "PReLU", "ELU", "SELU", "CELU", "GELU", "SiLU", "Mish", "Softplus", "Softsign", "Softshrink", "Hardshrink", "Tanhshrink", "Sigmoid", "LogSigmoid", "Hardsigmoid", "Tanh", "Hardtanh", "Hardswish", "GLU"]],
    *[(name, (), {"inplace": True}) for name in ["ReLU", "ReLU6", "LeakyReLU", "ELU", "SELU", "CELU", "SiLU", "Mish", "Hardsigmoid", "Hardtanh", "Hardswish"]],
    ("LeakyReLU", (0.2,), {}), ("PReLU", (4,), {"init": 0.1}), ("ELU", (2,), {}), ("CELU", (0.5, True), {}),
    ("GELU", ("tanh",), {}), ("Softplus", (2, 3), {}), ("Softshrink", (0.1,), {}), ("Hardshrink", (0.1,), {}),
    ("Threshold", (0.1, 2), {}), ("Threshold", (0.1, 2, True), {}), ("Hardtanh", (-2, 1), {}), ("GLU", (0,), {}),
    ("Softmin", (1,), {}), ("Softmax", (0,), {}), ("LogSoftmax", (), {"dim": -1}),
]  # fmt: skip
COVERS = {"nn.RReLU", *(f"nn.{name}" for name, _, _ in MODULES)}


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_equals_torch(case: Case) -> None:
    run_case(case)


@pytest.mark.parametrize("case", ERRORS, ids=ids(ERRORS))
def test_refused_like_torch(case: Error) -> None:
    run_error(case)


@pytest.mark.parametrize("name, args, options", MODULES, ids=lambda v: str(v))
def test_module_equals_torch(name: str, args: tuple, options: dict) -> None:
    mine, real = (getattr(T.nn, name)(*args, **options) for T in (tinytorch, torch))
    assert repr(mine) == repr(real)
    assert list(mine.state_dict()) == list(real.state_dict())
    run_case(Case(f"nn.{name}", lambda T, x: (mine if T is tinytorch else real)(x * 1), f32(6, 4), second=False))
    for p, q in zip(mine.parameters(), real.parameters(), strict=True):
        assert p.tolist() == q.tolist()


@pytest.mark.parametrize("args", [(), (0.1, 0.2, True)])
def test_rrelu_draws_slopes(args: tuple) -> None:
    layer = tinytorch.nn.RReLU(*args)
    assert repr(layer) == repr(torch.nn.RReLU(*args))
    x = tinytorch.linspace(-2, 2, 4000, dtype=tinytorch.float64).requires_grad_()
    y = layer(x * 1)
    (dx,) = tinytorch.autograd.grad(y.sum(), x)
    slopes = (y.detach() / x.detach()).numpy()
    below = x.detach().numpy() < 0
    assert (slopes[~below] == 1).all() and (slopes[below] >= layer.lower).all() and (slopes[below] <= layer.upper).all()
    assert abs(slopes[below].mean() - (layer.lower + layer.upper) / 2) < 0.01 and np.unique(slopes[below]).size > 1000
    np.testing.assert_allclose(dx.numpy(), slopes, rtol=1e-12)
    assert y.grad_fn.name() in ("RreluWithNoiseBackward0", "RreluWithNoiseBackward1")
    middle = layer.eval()(x * 1).detach()
    np.testing.assert_allclose((middle / x.detach()).numpy()[below], (layer.lower + layer.upper) / 2)


@pytest.mark.parametrize("name", ALL)
def test_node_is_called_as_in_torch(name: str) -> None:
    names = [
        getattr(T.nn.functional, name)(T.tensor([0.25, 0.75], requires_grad=True), **ALL[name][-1]).grad_fn.name()
        for T in (tinytorch, torch)
    ]
    assert names[0] == names[1]


@pytest.mark.parametrize("name", ALL)
def test_gradient_equals_differences(name: str) -> None:
    x = tinytorch.from_numpy(np.random.default_rng(3).standard_normal((3, 4)) * 2).requires_grad_()
    for options in ALL[name]:
        assert tinytorch.autograd.gradcheck(lambda x, o=options: getattr(tinytorch.nn.functional, name)(x, **o), (x,))
        if name in SMOOTH:
            assert tinytorch.autograd.gradgradcheck(lambda x, o=options: getattr(tinytorch.nn.functional, name)(x, **o), (x,))


def test_prelu_gradient_equals_differences() -> None:
    rng = np.random.default_rng(5)
    x, w = (tinytorch.from_numpy(rng.standard_normal(shape)).requires_grad_() for shape in ((2, 3, 4), (3,)))
    assert tinytorch.autograd.gradcheck(tinytorch.nn.functional.prelu, (x, w))
