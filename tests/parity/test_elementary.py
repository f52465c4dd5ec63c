"""Functions of one variable against PyTorch: every name, as function, method and in place."""

from __future__ import annotations

import numpy as np
import pytest

import tinytorch
from tests.oracle import torch
from tests.parity.harness import (
    Case,
    Error,
    Input,
    b8,
    bf16,
    f16,
    f32,
    f64,
    i64,
    ids,
    positive,
    run_case,
    run_error,
    special,
    u8,
    unit,
)

words = str.split


def above_one(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(1.1, 4.0, shape)


SMOOTH = {  # name: what numbers it is defined for
    **dict.fromkeys(words("exp exp2 expm1 sin cos tan atan sinh cosh asinh tanh sigmoid erf erfc sinc"), None),
    **dict.fromkeys(words("deg2rad rad2deg square neg arctan arcsinh"), None),
    **dict.fromkeys(words("log log2 log10 log1p sqrt rsqrt reciprocal"), positive),
    **dict.fromkeys(words("asin acos atanh erfinv arcsin arccos arctanh"), unit),
    **dict.fromkeys(words("acosh arccosh"), above_one),
    "logit": lambda rng, shape: rng.uniform(0.05, 0.95, shape),
}
STEPPED = words("abs absolute ceil floor round trunc fix frac sign sgn nan_to_num relu negative")
QUESTIONS = words("isnan isinf isfinite isposinf isneginf isreal signbit logical_not")
NO_IN_PLACE = {"isnan", "isinf", "isfinite", "isposinf", "isneginf", "isreal", "signbit"}
NO_SECOND = {"abs", "absolute", "sgn", "relu"}  # zero there, which PyTorch gives as a tensor that cannot be read
NOT_DIFFERENTIABLE_IN_PLACE = {"asinh", "arcsinh", "acosh", "arccosh", "atanh", "arctanh"}  # in PyTorch
ALL = [*SMOOTH, *STEPPED, *QUESTIONS]


def _cases() -> list[Case]:
    found = []
    for name in ALL:
        make = SMOOTH.get(name)
        loose = (
            {"rtol": 2e-4, "atol": 2e-5}
            if name in ("tan", "erfinv", "acosh", "arccosh", "sinc", "atanh", "rsqrt")
            else {}
        )

        def function(T, x, name=name):
            return getattr(T, name)(x)

        def method(T, x, name=name):
            return getattr(x, name)()

        def in_place(T, x, name=name):
            y = x * 1
            again = getattr(y, f"{name}_")()
            assert again is y and y._version == 1
            return y

        second = name not in NO_SECOND
        not_in_place = name in NOT_DIFFERENTIABLE_IN_PLACE
        loose["second"] = second
        grad = name != "sgn"  # PyTorch's gradient of it is such a tensor too
        found += [
            Case(name, function, f32(3, 4, make=make, grad=grad), **loose),
            Case(name, function, f64(2, 3, layout="transposed", make=make, grad=grad), second=second),
            Case(name, function, f32(3, 4, layout="strided", make=make, grad=grad), **loose),
            Case(name, function, f32(make=make, grad=grad), **loose),
            Case(name, function, f32(0, 2, grad=grad), second=second),
            Case(name, function, f32(40, make=special), grad=False),
            Case(name, function, f16(3, 4, make=make, grad=grad), second=False, rtol=1e-2, atol=1e-2),
            Case(name, function, bf16(3, 4, make=make, grad=grad), second=False, rtol=4e-2, atol=4e-2),
            Case(name, function, i64(3, 4)) if name != "frac" else Case(name, function, f32(2, 3)),
            Case(f"Tensor.{name}", method, f32(3, 4, layout="expanded", make=make, grad=grad), **loose),
        ]
        if name not in NO_IN_PLACE:
            found.append(
                Case(
                    f"Tensor.{name}_",
                    in_place,
                    f32(2, 3, make=make, grad=grad and not not_in_place and name not in QUESTIONS),
                    **loose,
                )
            )
    return found


CASES = [
    *_cases(),
    Case("erf", lambda T, x: T.erf(x), f64(50, make=lambda r, s: np.linspace(-6.5, 6.5, 50))),
    Case("erfc", lambda T, x: T.erfc(x), f64(50, make=lambda r, s: np.linspace(-6.5, 26, 50)), rtol=1e-12, atol=0.0),
    Case(
        "erfinv",
        lambda T, x: T.erfinv(x),
        f64(9, make=lambda r, s: np.array([-1, -1 + 1e-15, -0.999999, -0.5, -1e-12, 0, 1e-200, 0.4999, 1])),
        grad=False,
        rtol=1e-12,
        atol=0.0,
    ),
    Case("erf", lambda T, x: T.erf(x), f32(130, 130)),  # large enough for the compiled loop
    Case("sigmoid", lambda T, x: T.sigmoid(x), f32(130, 130)),
    Case("tanh", lambda T, x: T.tanh(x), f32(130, 130)),
    Case("relu", lambda T, x: T.relu(x), f32(130, 130), second=False),
    Case("exp", lambda T, x: T.exp(x), f32(130, 130)),
    Case("relu", lambda T, x: T.relu(x * x - 1), f32(9)),
    Case("abs", lambda T, x: T.abs(x * x - 1), f32(9)),
    Case("round", lambda T, x: T.round(x, decimals=2), f32(5)),
    Case("round", lambda T, x: T.round(x * 1000, decimals=-2), f32(5)),
    Case("round", lambda T, x: T.round(x), f32(6, make=lambda r, s: np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5]))),
    Case("logit", lambda T, x: T.logit(x, eps=0.1), f32(6, make=unit), second=False),
    Case("nan_to_num", lambda T, x: T.nan_to_num(x, nan=1.0, posinf=2.0, neginf=-3.0), f32(30, make=special)),
    Case("nan_to_num", lambda T, x: T.nan_to_num(x), f16(30, make=special), grad=False),
    Case("sign", lambda T, x: T.sign(x), b8(4)),
    Case("positive", lambda T, x: (T.positive(x), +x), f32(4)),
    Case("Tensor.__abs__", lambda T, x: abs(x), i64(4)),
    Case("Tensor.__neg__", lambda T, x: -x, u8(4)),
    Case("Tensor.__invert__", lambda T, x, y, z: (~x, ~y, ~z), i64(4), u8(4), b8(4)),
    Case("bitwise_not", lambda T, x, y: (T.bitwise_not(x), y.bitwise_not()), i64(4), b8(4)),
]

ERRORS = [
    *[
        Error(name, lambda T, x, name=name: getattr(T, name)(1), f32(2), words=(f"{name}()", "must be Tensor, not int"))
        for name in ("exp", "erf", "abs", "floor", "isnan", "sign", "neg")
    ],
    Error("neg", lambda T, x: -x, b8(2), words="Negation, the `-` operator, on a bool tensor is not supported"),
    Error("positive", lambda T, x: +x, b8(2), words="on a bool tensor is not supported"),
    Error("abs", lambda T, x: abs(x), b8(2), words="not implemented for 'Bool'"),
    Error("floor", lambda T, x: x.floor(), b8(2), words="\"floor_vml_cpu\" not implemented for 'Bool'"),
    Error("frac", lambda T, x: x.frac(), i64(2), words="\"frac_cpu\" not implemented for 'Long'"),
    Error("round", lambda T, x: T.round(x, decimals=1), i64(2), words="not implemented for 'Long'"),
    Error("relu", lambda T, x: T.relu(x), b8(2), words="Boolean inputs not supported for relu"),
    Error("Tensor.__invert__", lambda T, x: ~x, f32(2), words="only implemented on integer and Boolean-type tensors"),
    Error("bitwise_not", lambda T, x: T.bitwise_not(x), f32(2), words="not implemented for 'Float'"),
    Error("Tensor.exp_", lambda T, x: x.exp_(), f32(2), words="a leaf Variable that requires grad"),
    Error(
        "Tensor.exp_",
        lambda T, x: x.exp_(),
        i64(2),
        words="result type Float can't be cast to the desired output type Long",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_equals_torch(case: Case) -> None:
    run_case(case)


@pytest.mark.parametrize("case", ERRORS, ids=ids(ERRORS))
def test_refused_like_torch(case: Error) -> None:
    run_error(case)


@pytest.mark.parametrize("name", ALL)
def test_node_is_called_as_in_torch(name: str) -> None:
    data = [1.5, 2.5] if SMOOTH.get(name) is above_one else [0.25, 0.75]
    mine, real = (getattr(T, name)(T.tensor(data, requires_grad=True)) for T in (tinytorch, torch))
    assert (mine.grad_fn and mine.grad_fn.name()) == (real.grad_fn and real.grad_fn.name())


@pytest.mark.parametrize("name", SMOOTH)
def test_gradient_equals_differences(name: str) -> None:
    make = SMOOTH[name] or (lambda rng, shape: rng.standard_normal(shape))
    x = tinytorch.from_numpy(np.asarray(make(np.random.default_rng(3), (2, 3)))).requires_grad_()
    function = getattr(tinytorch, name)
    assert tinytorch.autograd.gradcheck(function, (x,))


@pytest.mark.parametrize("name", [n for n in ALL if n not in ("relu", "logit", "negative")])
def test_out(name: str) -> None:
    x = tinytorch.tensor([0.25, 0.75]) + (1 if SMOOTH.get(name) is above_one else 0)
    wanted = getattr(tinytorch, name)(x)
    if name == "isreal":
        return
    out = tinytorch.empty(0, dtype=wanted.dtype)
    assert getattr(tinytorch, name)(x, out=out) is out
    assert out.tolist() == wanted.tolist()


def test_erfinv_undoes_erf() -> None:
    y = 1 - tinytorch.logspace(0, -15, 151, dtype=tinytorch.float64)
    np.testing.assert_allclose(tinytorch.erfc(tinytorch.erfinv(y)).numpy(), (1 - y).numpy(), rtol=1e-12)
    np.testing.assert_array_equal(tinytorch.erfinv(-y).numpy(), -tinytorch.erfinv(y).numpy())


def test_fixture_inputs_cover_every_layout() -> None:
    assert {i.layout for case in CASES for i in case.inputs if isinstance(i, Input)} >= {
        "contiguous",
        "transposed",
        "strided",
        "expanded",
    }
