"""Reductions and running totals against PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

import tinytorch
from tests.oracle import torch
from tests.parity.harness import (
    Case,
    Error,
    b8,
    bf16,
    distinct,
    f16,
    f32,
    f64,
    i8,
    i32,
    i64,
    ids,
    positive,
    run_case,
    run_error,
    same,
    special,
    u8,
)

NAN = float("nan")
with_nan = same([[1.0, NAN, 2.0, -1.0], [0.5, 3.0, NAN, NAN], [2.0, 2.0, 1.0, 0.0]])
tied = same([[1.0, 3.0, 3.0, -1.0], [3.0, 2.0, -1.0, -1.0], [2.0, 2.0, 1.0, 0.0]])
one_zero = same([[1.0, 0.0, 2.0], [3.0, -1.5, 0.5]])
zeros = same([[1.0, 0.0, 2.0, 0.0], [3.0, -1.5, 0.5, 2.0], [0.0, 2.0, 3.0, -2.0]])


def every_form(name: str, **options: object) -> list[Case]:
    """All elements, one dimension, several, kept: on plain, transposed, strided, expanded and 0-d inputs."""

    def f(T, *args, **kwargs):
        return getattr(T, name)(*args, **kwargs)

    def method(x, *args, **kwargs):
        return getattr(x, name)(*args, **kwargs)

    return [
        Case(name, lambda T, x: f(T, x), f64(3, 4), **options),
        Case(name, lambda T, x: f(T, x, 0), f32(3, 4), **options),
        Case(name, lambda T, x: f(T, x, dim=-1, keepdim=True), f32(3, 4, layout="transposed"), **options),
        Case(f"Tensor.{name}", lambda T, x: method(x, 1), f32(2, 3, 4, layout="strided"), **options),
        Case(f"Tensor.{name}", lambda T, x: method(x, axis=1, keepdims=True), f32(3, 4, layout="expanded"), **options),
        Case(name, lambda T, x: f(T, x), f32(), **options),
        Case(name, lambda T, x: f(T, x, 0), f32(), **options),
    ]


def several_dims(name: str, **options: object) -> list[Case]:
    return [
        Case(name, lambda T, x: getattr(T, name)(x, (0, -1)), f64(2, 3, 4), **options),
        Case(name, lambda T, x: getattr(T, name)(x, [1], keepdim=True), f32(2, 3, 4, layout="offset"), **options),
        Case(name, lambda T, x: getattr(T, name)(x, ()), f32(2, 3), **options),
    ]


CASES = [
    *[case for name in ("sum", "mean", "nansum", "nanmean", "prod", "amax", "amin") for case in every_form(name)],
    *[case for name in ("sum", "mean", "nansum", "nanmean", "amax", "amin") for case in several_dims(name)],
    # var and std of a single element warn and are NaN: the 0-d forms have tests of their own
    *[
        case
        for name in ("var", "std", "var_mean", "std_mean")
        for case in every_form(name)[:3] + several_dims(name)[:2]
    ],
    # (torch's gradient of var(x, ()) divides by the length of the empty list of dimensions, and is infinite)
    *[
        Case(n, lambda T, x, n=n: getattr(T, n)(x, ()), f32(2, 3), grad=False)
        for n in ("var", "std", "var_mean", "std_mean")
    ],
    *[Case(f"Tensor.{n}", lambda T, x, n=n: getattr(x, n)(1), f32(2, 3, 4, layout="strided")) for n in ("var", "std")],
    *[
        Case(n, lambda T, x, n=n, kw=kw, args=args: getattr(T, n)(x, *args, **kw), f64(3, 4))
        for n in ("var", "std", "var_mean", "std_mean")
        for args, kw in [
            ((), {"correction": 0}),
            ((0,), {"correction": 2}),
            ((False,), {}),
            ((True,), {}),
            ((0, False), {}),
            ((1, True, True), {}),
            ((), {"unbiased": False}),
            ((), {"dim": 0, "unbiased": False, "keepdim": True}),
            ((), {"dim": None, "correction": 1}),
        ]
    ],
    Case("std", lambda T, x: T.std(x, 1), f64(2, 3, make=same([[1.0, 1.0, 1.0], [1.0, 2.0, 4.0]])), second=False),
    Case("std_mean", lambda T, x: T.std_mean(x)[1], f64(2, 3)),
    Case("sum", lambda T, x: x.sum(dtype=T.float64), f32(3, 4)),
    Case("sum", lambda T, x: x.sum(0, dtype=T.int64), f32(3, 4, grad=False)),
    *[Case("sum", lambda T, x: x.sum(0), d(3, 4)) for d in (f16, bf16, i8, u8, i32, i64, b8)],
    Case("sum", lambda T, x: x.sum(dtype=T.float32), i64(3, 4)),
    Case("sum", lambda T, x: x.sum(), f16(4096, make=same([1.0] * 4096))),
    Case("sum", lambda T, x: (x.sum(), x.sum(0), x.sum(1)), f32(0, 3)),
    *[Case("mean", lambda T, x: (x.mean(), x.mean(1)), d(5, 7)) for d in (f16, bf16)],
    Case("mean", lambda T, x: (x.mean(), x.mean(0), x.mean(1)), f32(0, 3), second=False),
    Case("mean", lambda T, x: x.mean(dtype=T.float32), i64(3, 4)),
    Case("prod", lambda T, x: (x.prod(), x.prod(0), x.prod(1, True)), f64(2, 3, make=one_zero)),
    Case("prod", lambda T, x: (x.prod(), x.prod(0), x.prod(1)), f64(3, 4, make=zeros)),
    *[Case("prod", lambda T, x: x.prod(1), d(3, 4)) for d in (f16, bf16, i8, i32, b8)],
    Case("prod", lambda T, x: (x.prod(dtype=T.float64), x.prod(0, dtype=T.float64)), f32(3, 4)),
    Case("prod", lambda T, x: (x.prod(), x.prod(0)), f32(0, 3)),
    Case("nansum", lambda T, x: (x.nansum(), x.nansum(0), x.nansum(1, True)), f32(3, 4, make=with_nan)),
    Case("nansum", lambda T, x: (x.nansum(), x.nansum(0)), i64(3, 4)),
    Case("nanmean", lambda T, x: (x.nanmean(), x.nanmean(0), x.nanmean(1, True)), f32(3, 4, make=with_nan)),
    Case("logsumexp", lambda T, x: T.logsumexp(x, 0), f64(3, 4)),
    Case("logsumexp", lambda T, x: x.logsumexp((0, 2), keepdim=True), f32(2, 3, 4, layout="transposed")),
    Case("logsumexp", lambda T, x: x.logsumexp(1), i64(3, 4)),
    Case("logsumexp", lambda T, x: x.logsumexp(0), f32(0, 3)),
    Case("logsumexp", lambda T, x: x.logsumexp(0), f32()),
    Case("logsumexp", lambda T, x: x.logsumexp(1), f32(2, 2, make=same([[1e4, 1e4], [-1e4, 3.0]]))),
    Case("logsumexp", lambda T, x: x.logsumexp(1), f32(8, 3, make=special), grad=False),
    *[Case("logsumexp", lambda T, x: x.logsumexp(0), d(3, 4)) for d in (f16, bf16)],
    *[
        Case(
            name,
            lambda T, x, n=name: (getattr(T, n)(x), getattr(x, n)(0), getattr(x, n)(-1, True), getattr(x, n)((0, 1))),
            d,
        )
        for name in ("all", "any")
        for d in (b8(3, 4), u8(3, 4), f32(3, 4), i64(3, 4), f32(3, 4, make=with_nan), b8(0, 3), bf16(3, 4))
    ],
    Case(
        "count_nonzero", lambda T, x: (T.count_nonzero(x), x.count_nonzero(0), x.count_nonzero(dim=(0, 1))), i64(3, 4)
    ),
    Case("count_nonzero", lambda T, x: T.count_nonzero(x, 1), f32(3, 4, make=zeros)),
    # ---- the largest and the smallest
    *[
        Case(name, lambda T, x, n=name: (getattr(T, n)(x), getattr(x, n)(0), getattr(x, n)(-1, True)), i)
        for name in ("max", "min")
        for i in (
            f64(3, 4, make=distinct),
            f32(3, 4, layout="transposed", make=distinct),
            f32(),
            i64(3, 4),
            u8(3, 4),
            b8(3, 4),
            f32(2, 3, 4, layout="strided", make=distinct),
            f32(3, 4, make=with_nan),
            f32(3, 4, make=tied),
            f16(3, 4),
            bf16(3, 4),
            i32(2, 3),
        )
    ],
    *[
        Case(n, lambda T, x, n=n: getattr(x, n)(axis=0, keepdims=True), f32(3, 4, make=distinct))
        for n in ("max", "min")
    ],
    *[
        Case(n, lambda T, x, y, n=n: (getattr(T, n)(x, y), getattr(x, n)(other=y)), f32(3, 4), f32(4))
        for n in ("max", "min")
    ],
    *[Case(n, lambda T, x, n=n: getattr(T, n)(x, 0).values, f64(3, 4, make=distinct)) for n in ("max", "min")],
    *[Case(n, lambda T, x, n=n: getattr(x, n)(1), f32(0, 3)) for n in ("max", "min")],
    *[Case(n, lambda T, x, n=n: (getattr(x, n)(1), getattr(x, n)()), f32(3, 4, make=tied)) for n in ("amax", "amin")],
    *[
        Case(n, lambda T, x, n=n: (getattr(x, n)(1), getattr(x, n)()), f32(3, 4, make=with_nan))
        for n in ("amax", "amin")
    ],
    *[
        Case(n, lambda T, x, n=n: (getattr(x, n)(1), getattr(x, n)()), d(3, 4))
        for n in ("amax", "amin")
        for d in (f16, i64, b8)
    ],
    *[
        Case("aminmax", lambda T, x: (T.aminmax(x), x.aminmax(dim=0), x.aminmax(dim=-1, keepdim=True)), i)
        for i in (f64(3, 4), f32(3, 4, make=tied), f32(3, 4, make=with_nan), i64(3, 4), f32())
    ],
    Case("aminmax", lambda T, x: T.aminmax(x)[1], f64(3, 4)),
    *[
        Case(
            n,
            lambda T, x, n=n: (
                getattr(T, n)(x),
                getattr(x, n)(0),
                getattr(x, n)(-1, True),
                getattr(x, n)(keepdim=True),
            ),
            i,
        )
        for n in ("argmax", "argmin")
        for i in (
            f32(3, 4),
            f32(3, 4, layout="transposed"),
            f32(3, 4, make=tied),
            f32(3, 4, make=with_nan),
            i64(3, 4),
            u8(3, 4),
            f16(3, 4),
            bf16(3, 4),
            f32(),
        )
    ],
    # ---- running totals
    *[
        Case(n, lambda T, x, n=n: (getattr(T, n)(x, 0), getattr(x, n)(-1), getattr(x, n)(axis=0)), i)
        for n in ("cumsum", "cumprod")
        for i in (
            f64(3, 4),
            f32(3, 4, layout="transposed"),
            f32(2, 3, 4, layout="strided"),
            i8(3, 4),
            b8(3, 4),
            f16(3, 4),
            bf16(3, 4),
            f32(),
            f32(0, 3),
            f32(3, 4, make=with_nan, grad=False),
        )
    ],
    *[Case(n, lambda T, x, n=n: getattr(x, n)(0, dtype=T.float64), f32(3, 4)) for n in ("cumsum", "cumprod")],
    *[Case(f"Tensor.{n}_", lambda T, x, n=n: getattr(x * 1, f"{n}_")(0), f32(3, 4)) for n in ("cumsum", "cumprod")],
    Case("cumprod", lambda T, x: (x.cumprod(0), x.cumprod(1)), f64(3, 4, make=zeros)),
    Case("cumprod", lambda T, x: (x.cumprod(0), x.cumprod(1)), f64(2, 3, make=one_zero)),
    Case("cumprod", lambda T, x: x.cumprod(0), f64(5, make=positive)),
    Case("logcumsumexp", lambda T, x: (T.logcumsumexp(x, 0), x.logcumsumexp(-1)), f64(3, 4)),
    Case("logcumsumexp", lambda T, x: x.logcumsumexp(0), f32()),
    *[
        Case(n, lambda T, x, n=n: (getattr(T, n)(x, 0), getattr(x, n)(-1)), i)
        for n in ("cummax", "cummin")
        for i in (
            f64(3, 4),
            f32(3, 4, layout="transposed"),
            f32(3, 4, make=tied),
            f32(3, 4, make=with_nan),
            i64(3, 4),
            f32(),
            f16(3, 4),
        )
    ],
    Case("diff", lambda T, x: (T.diff(x), x.diff(dim=0), x.diff(n=2), x.diff(n=0)), f64(3, 4)),
    Case("diff", lambda T, x: x.diff(n=9), f64(3, 4)),
    Case("diff", lambda T, x, a, b: T.diff(x, dim=1, prepend=a, append=b), f32(3, 4), f32(3, 1), f32(3, 2)),
    Case("diff", lambda T, x: x.diff(), b8(3, 4)),
    Case("diff", lambda T, x: x.diff(), i64(5)),
    # ---- out=
    Case("sum", lambda T, x: T.sum(x, 0, out=T.empty(0)), f32(3, 4, grad=False)),
    Case("mean", lambda T, x: T.mean(x, 0, out=T.zeros(4)), f32(3, 4, grad=False)),
    Case("max", lambda T, x: T.max(x, 0, out=(T.empty(0), T.empty(0, dtype=T.int64))), f32(3, 4, grad=False)),
    Case("cumsum", lambda T, x: T.cumsum(x, 0, out=T.zeros(3, 4)), f32(3, 4, grad=False)),
    Case("logsumexp", lambda T, x: T.logsumexp(x, 0, out=T.zeros(4)), f32(3, 4, grad=False)),
]

empty = f32(0, make=same([]))
ERRORS = [
    *[
        Error(n, lambda T, n=n: getattr(T, n)(3), words=f"{n}(): argument 'input' (position 1) must be Tensor, not int")
        for n in ("sum", "mean", "amax", "argmax")
    ],
    *[
        Error(n, lambda T, x, n=n: getattr(x, n)(2), f32(2, 3), words="expected to be in range of [-2, 1], but got 2")
        for n in (
            "sum",
            "mean",
            "prod",
            "var",
            "std",
            "max",
            "amax",
            "argmax",
            "cumsum",
            "cumprod",
            "cummax",
            "logsumexp",
            "all",
            "diff",
        )
        if n != "diff"
    ],
    *[
        Error(
            n,
            lambda T, x, n=n: getattr(x, n)((0, 0)),
            f32(2, 3),
            words="dim 0 appears multiple times in the list of dims",
        )
        for n in ("sum", "mean", "amax", "var", "logsumexp")
    ],
    Error(
        "mean",
        lambda T, x: x.mean(),
        i64(3),
        words="Input dtype must be either a floating point or complex dtype. Got: Long",
    ),
    Error("mean", lambda T, x: x.mean(dtype=T.int64), f32(3), words="Optional dtype must be either a floating point"),
    Error("std", lambda T, x: x.std(), i64(3), words="std and var only support floating point and complex dtypes"),
    Error(
        "nanmean",
        lambda T, x: x.nanmean(),
        i64(3),
        words="expected input to have floating point or complex dtype but got Long",
    ),
    *[
        Error(
            n,
            lambda T, x, n=n: getattr(x, n)(),
            empty,
            words=f"{n}(): Expected reduction dim to be specified for input.numel() == 0",
        )
        for n in ("max", "min", "amax", "amin", "argmax", "argmin")
    ],
    *[
        Error(
            n,
            lambda T, x, n=n: getattr(x, n)(0),
            f32(0, 3),
            words=f"{n}(): Expected reduction dim 0 to have non-zero size.",
        )
        for n in ("max", "min", "amax", "amin", "argmax", "argmin")
    ],
    Error("aminmax", lambda T, x: x.aminmax(), empty, words="cannot compute aminmax over an empty dimension"),
    Error(
        "aminmax",
        lambda T, x: x.aminmax(dim=0),
        f32(0, 3),
        words="aminmax: Expected reduction dim 0 to have non-zero size.",
    ),
    Error("argmax", lambda T, x: x.argmax(), b8(3), words="argmax(): does not support bool input"),
    Error(
        "max",
        lambda T, x, y: T.max(x, y),
        f32(2),
        f32(3),
        words="The size of tensor a (2) must match the size of tensor b (3)",
    ),
    Error("diff", lambda T, x: x.diff(n=-1), f32(3), words="order must be non-negative but got -1"),
    Error("diff", lambda T, x: x.diff(), f32(), words="diff expects input to be at least one-dimensional"),
    Error("sum", lambda T, x: T.sum(x, 0, out=T.zeros(4)), f32(3, 4), words="don't support automatic differentiation"),
    Error("Tensor.cumsum_", lambda T, x: x.cumsum_(0), f32(3), words="a leaf Variable that requires grad"),
]


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_equals_torch(case: Case) -> None:
    run_case(case)


@pytest.mark.parametrize("case", ERRORS, ids=ids(ERRORS))
def test_refused_like_torch(case: Error) -> None:
    run_error(case)


NAMES = [
    "x.sum()",
    "x.sum(0)",
    "x.sum(())",
    "x.sum(dtype=T.float64)",
    "x.mean()",
    "x.mean(0)",
    "x.prod()",
    "x.prod(0)",
    "x.max()",
    "x.max(0)[0]",
    "x.min()",
    "x.min(0)[0]",
    "x.amax(0)",
    "x.amin(0)",
    "x.aminmax()[0]",
    "x.std()",
    "x.var(0)",
    "T.std_mean(x)[0]",
    "T.var_mean(x)[1]",
    "x.logsumexp(0)",
    "x.nansum()",
    "x.nanmean()",
    "x.cumsum(0)",
    "x.cumprod(0)",
    "x.cummax(0)[0]",
    "x.cummin(0)[0]",
    "x.logcumsumexp(0)",
    "T.diff(x)",
]


@pytest.mark.parametrize("expression", NAMES)
def test_nodes_are_named_as_in_torch(expression: str) -> None:
    named = [
        eval(expression, {"T": T, "x": T.ones(3, 4, requires_grad=True)}).grad_fn.name() for T in (tinytorch, torch)
    ]
    assert named[0] == named[1]


@pytest.mark.parametrize(
    "expression",
    ["x.max(0)", "x.min(1, keepdim=True)", "x.aminmax()", "x.aminmax(dim=0)", "x.cummax(0)", "x.cummin(1)"],
)
def test_named_results_print_as_in_torch(expression: str) -> None:
    printed = [repr(eval(expression, {"x": T.arange(6).reshape(2, 3)})) for T in (tinytorch, torch)]
    assert printed[0] == printed[1]


@pytest.mark.parametrize("name", ["var", "std"])
@pytest.mark.parametrize("shape", [(), (1,), (0,)])
def test_too_few_degrees_of_freedom_are_warned_of(name: str, shape: tuple) -> None:
    results = []
    for T in (tinytorch, torch):
        with pytest.warns(UserWarning, match="degrees of freedom is <= 0"):
            results.append(getattr(T.ones(shape), name)().item())
    assert np.isnan(results[0]) and np.isnan(results[1])


GRADCHECKED = {
    "sum": lambda x: x.sum(1),
    "mean": lambda x: x.mean((0, 1)),
    "prod": lambda x: x.prod(0),
    "var": lambda x: x.var(0),
    "std": lambda x: x.std(),
    "std_mean": lambda x: tinytorch.std_mean(x, 1),
    "logsumexp": lambda x: x.logsumexp(1),
    "amax": lambda x: x.amax(0),
    "max": lambda x: x.max(1)[0],
    "cumsum": lambda x: x.cumsum(1),
    "cumprod": lambda x: x.cumprod(0),
    "cummax": lambda x: x.cummax(1)[0],
    "logcumsumexp": lambda x: x.logcumsumexp(1),
}


@pytest.mark.parametrize("name", GRADCHECKED)
@pytest.mark.parametrize("has_zero", [False, True])
def test_gradients_at_every_index(name: str, has_zero: bool) -> None:
    numbers = np.random.default_rng(3).permutation(6).reshape(2, 3) / 3.0 - (1 / 3 if has_zero else 0.9)
    x = tinytorch.tensor(numbers, requires_grad=True)
    assert (numbers == 0).any() == has_zero
    assert tinytorch.autograd.gradcheck(GRADCHECKED[name], (x,))
    assert tinytorch.autograd.gradgradcheck(GRADCHECKED[name], (x,))
