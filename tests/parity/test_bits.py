"""Bits and limits: the functions, their in-place forms, and what these refuse, against PyTorch."""

from __future__ import annotations

import operator

import pytest

from tests.parity.harness import (
    Case,
    Error,
    b8,
    below,
    f32,
    f64,
    i32,
    i64,
    ids,
    positive,
    run_case,
    run_error,
    special,
    u8,
    unit,
)

BITS = {"and": operator.iand, "or": operator.ior, "xor": operator.ixor}
SHIFTS = {"left": operator.ilshift, "right": operator.irshift}
BOTH = {
    **{f"bitwise_{name}": act for name, act in BITS.items()},
    **{f"bitwise_{name}_shift": act for name, act in SHIFTS.items()},
}

words = str.split
IN_PLACE_FUNCTIONS = words(
    "abs acos arccos arcsin arcsinh arctan arctanh asin asinh atan atanh ceil cos cosh deg2rad erf erfc exp exp2 expm1 "
    "fix floor frac log log10 log1p log2 logit nan_to_num neg negative rad2deg reciprocal relu round rsqrt sigmoid sin "
    "sinc sinh sqrt square tan tanh trunc acosh arccosh"
)

CASES = [
    *[
        case
        for name in BOTH
        for case in (
            Case(name, lambda T, x, y, name=name: getattr(T, name)(x, y), i64(3, 4), u8(4, make=below(6))),
            Case(f"Tensor.{name}", lambda T, x, y, name=name: getattr(x, name)(y), i32(4, 3, layout="transposed"), i32(make=below(6))),
            Case(f"Tensor.{name}_", lambda T, x, y, name=name: (getattr(x, f"{name}_")(y), x), i64(3, 4, layout="strided"), i32(4, make=below(6))),
            Case(f"Tensor.{name}_", lambda T, x, name=name: (getattr(x, f"{name}_")(3), x._version), u8(5)),
            Case(f"Tensor.{name}_", lambda T, x, y, name=name: getattr(x, f"{name}_")(y), i64(0, 2), i64(2)),
        )
    ],
    *[
        Case(f"Tensor.bitwise_{name}_", lambda T, x, y, name=name: getattr(x, f"bitwise_{name}_")(y), b8(3, 4), b8(4))
        for name in BITS
    ],
    Case("Tensor.bitwise_not_", lambda T, x, y, z: (x.bitwise_not_(), y.bitwise_not_(), z.bitwise_not_()), i64(2, 3), u8(3), b8(3)),
    *[
        case
        for name, limit in (("clamp_min", -0.3), ("clamp_max", 0.4))
        for case in (
            Case(name, lambda T, x, name=name, n=limit: getattr(T, name)(x, n), f32(3, 4)),
            Case(name, lambda T, x, y, name=name: getattr(T, name)(x, y), f64(3, 4, layout="transposed"), f64(4)),
            Case(name, lambda T, x, name=name, n=limit: getattr(T, name)(x, n), f32(12, make=special), second=False),
            Case(f"Tensor.{name}", lambda T, x, name=name, n=limit: getattr(x, name)(n), i64(4)),
            Case(f"Tensor.{name}_", lambda T, x, name=name, n=limit: getattr(x * 1, f"{name}_")(n), f32(3, 4)),
        )
    ],
    Case("clip", lambda T, x: (T.clip(x, -0.5, 0.5), T.clip(x, max=0), T.clip(x, min=0)), f32(3, 4)),
    Case("Tensor.clip", lambda T, x, y: x.clip(y, y + 1), f64(3, 4), f64(4)),
    Case("Tensor.clip_", lambda T, x: (x * 1).clip_(-0.5, 0.5), f32(3, 4)),
    Case("Tensor.floor_divide_", lambda T, x, y: (x.floor_divide_(y), x), f32(3, 4, grad=False), f32(4, grad=False)),
    Case("Tensor.floor_divide_", lambda T, x: x.floor_divide_(-2), i64(6)),
    *[
        Case(f"{name}_", lambda T, x, name=name: (getattr(T, f"{name}_")(x), x._version), f64(5, make=unit, grad=False))
        for name in IN_PLACE_FUNCTIONS
    ],
    *[
        Case(f"{name}_", lambda T, x, y, name=name: (getattr(T, f"{name}_")(x, y), x), i64(3, 4), i64(4))
        for name in ("gcd", "lcm")
    ],
    Case("Tensor.heaviside_", lambda T, x, y: (x.heaviside_(y), x), f32(3, 4, make=special, grad=False), f32(4, grad=False)),
    Case("xlogy_", lambda T, x, y: T.xlogy_(x * 1, y), f32(4), f32(4, make=positive)),
    Case("clamp_", lambda T, x: (T.clamp_(x * 1, -0.5, 0.5), T.clip_(x * 1, max=0), T.fill_(x * 1, 2), T.zero_(x * 1)), f32(3, 4)),
    Case("clip_", lambda T, x: T.clip_(x * 1, -0.5, 0.5), f32(3, 4)),
    Case("clamp_min_", lambda T, x: (T.clamp_min_(x * 1, -0.5), T.clamp_max_(x * 1, 0.5)), f32(3, 4)),
    Case("fill_", lambda T, x: (T.fill_(x, 2), x), i64(3)),
    Case("zero_", lambda T, x: (T.zero_(x), x), i64(3)),
    Case("as_strided_", lambda T, x: (T.as_strided_(x, (2, 2), (1, 2)), x.stride()), i64(6)),
    Case("index_put_", lambda T, x: T.index_put_(x, (T.tensor([0, 2]),), T.tensor([7, 8])), i64(4)),
    Case("addmv_", lambda T, x, a, v: T.addmv_(x * 1, a, v), f64(3), f64(3, 2), f64(2)),
    Case("Tensor.float_power_", lambda T, x: (x.float_power_(2), x), f64(4, grad=False)),
]  # fmt: skip

ERRORS = [
    *[
        Error(f"Tensor.{name}_", lambda T, x, y=y, act=act: act(x, y(T)), i64(3), words="result type Float can't be cast to the desired output type Long")
        for name, act in BOTH.items()
        for y in (lambda T: 1.5, lambda T: T.tensor([1.5]))
    ],
    *[
        Error(name, lambda T, x, y=y, name=name: getattr(T, name)(x, y), i64(3), words="not implemented for 'Float'")
        for name in BOTH
        for y in (1.5,)
    ],
    *[
        Error(f"Tensor.{name}_", lambda T, x, act=act: act(x, 1), f32(3, grad=False), words="not implemented for 'Float'")
        for name, act in BOTH.items()
    ],
    Error("Tensor.bitwise_or_", lambda T, x: operator.ior(x, "a"), i64(3)),
    Error("Tensor.bitwise_or_", lambda T, x, y: x.bitwise_or_(y), i64(3), i64(2, 3), words="output with shape [3] doesn't match the broadcast shape [2, 3]"),
    Error("Tensor.float_power_", lambda T, x: x.float_power_(2), f32(3, grad=False), words="has dtype Float but the operation's result requires dtype Double"),
    Error("exp_", lambda T: T.exp_(3), words="argument 'input' (position 1) must be Tensor, not int"),
    Error("exp_", lambda T, x: T.exp_(x), f32(2), words="a leaf Variable that requires grad is being used in an in-place operation"),
    Error("clamp_min", lambda T, x: T.clamp_min(x, "a"), f32(3)),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_equals_torch(case: Case) -> None:
    run_case(case)


@pytest.mark.parametrize("case", ERRORS, ids=ids(ERRORS))
def test_refused_like_torch(case: Error) -> None:
    run_error(case)
