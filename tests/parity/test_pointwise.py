"""Arithmetic, powers, comparisons, logic and bits against PyTorch, with gradients."""

from __future__ import annotations

import operator

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

words = str.split

SMOOTH_PAIRS = words("add sub mul div atan2 hypot logaddexp logaddexp2 maximum minimum fmax fmin")
POSITIVE_PAIRS = words("pow xlogy remainder fmod float_power true_divide divide")
ALIASES = words("subtract multiply arctan2 copysign")
FLAT = words("eq ne lt le gt ge not_equal less less_equal greater greater_equal logical_and logical_or logical_xor")
NO_IN_PLACE = {"maximum", "minimum", "fmax", "fmin", "logaddexp", "logaddexp2", "float_power"}
TENSORS_ONLY = {
    "atan2",
    "arctan2",
    "hypot",
    "logaddexp",
    "logaddexp2",
    "maximum",
    "minimum",
    "fmax",
    "fmin",
    "logical_and",
    "logical_or",
    "logical_xor",
}
PAIRS = [*SMOOTH_PAIRS, *POSITIVE_PAIRS, *ALIASES, *FLAT]


def _pair_cases() -> list[Case]:
    found = []
    for name in PAIRS:
        make = positive if name in POSITIVE_PAIRS else None

        def function(T, x, y, name=name):
            return getattr(T, name)(x, y)

        def method(T, x, y, name=name):
            return getattr(x, name)(y)

        def in_place(T, x, y, name=name):
            z = x * 1
            assert getattr(z, f"{name}_")(y) is z
            return z

        def number(T, x, name=name):
            return getattr(T, name)(x, 2), getattr(x, name)(0.75)

        found += [
            Case(name, function, f32(3, 4, make=make), f32(4, make=make)),
            Case(name, function, f32(3, 4, layout="transposed", make=make), f32(3, 1, make=make)),
            Case(name, function, f32(1, 4, make=make), f32(3, 1, make=make)),
            Case(name, function, f32(3, 4, layout="strided", make=make), f32(3, 4, layout="offset", make=make)),
            Case(name, function, f32(0, 4, make=make), f32(4, make=make)),
            Case(name, function, f32(make=make), f64(2, make=make), second=False, grad="tan2" not in name),
            Case(name, function, f32(60, make=special), f32(60, make=special), grad=False),
            Case(f"Tensor.{name}", method, f64(2, 3, make=make), f64(3, make=make)),
        ]
        found += [
            Case(name, function, f16(3, 4, make=make), f16(4, make=make), second=False, rtol=1e-2, atol=1e-2),
            Case(name, function, bf16(3, 4, make=make), bf16(4, make=make), second=False, rtol=5e-2, atol=5e-2),
        ]
        if name not in TENSORS_ONLY:
            found += [Case(name, number, f32(3, 4, make=make)), Case(name, number, f64(2, make=make))]
        if name not in NO_IN_PLACE:
            smooth = (
                name not in FLAT
            )  # in PyTorch the gradients of those pass through the others as if nothing was done
            operands = f32(3, 4, make=make, grad=smooth), f32(4, make=make, grad=smooth)
            found.append(Case(f"Tensor.{name}_", in_place, *operands))
    return found


OPERATORS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
BITS = {
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<<": operator.lshift,
    ">>": operator.rshift,
}
IN_PLACE = {
    "+=": operator.iadd,
    "-=": operator.isub,
    "*=": operator.imul,
    "/=": operator.itruediv,
    "//=": operator.ifloordiv,
    "%=": operator.imod,
    "**=": operator.ipow,
}
IN_PLACE_BITS = {
    "&=": operator.iand,
    "|=": operator.ior,
    "^=": operator.ixor,
    "<<=": operator.ilshift,
    ">>=": operator.irshift,
}


def _operator_cases() -> list[Case]:
    found = []
    for symbol, op in OPERATORS.items():
        grad = symbol not in ("//", "%")
        found += [
            Case(symbol, lambda T, x, y, op=op: op(x, y), f32(3, 4, make=positive), f32(4, make=positive), grad=grad),
            Case(
                symbol,
                lambda T, x, op=op: (op(x, 3), op(3, x), op(x, 0.5), op(2.5, x)),
                f32(4, make=positive),
                grad=grad,
            ),
            Case(symbol, lambda T, x, op=op: (op(x, 3), op(3, x), op(x, -2.5)), i64(4, make=same([1, 2, 5, 9]))),
        ]
    for symbol, op in BITS.items():
        found += [
            Case(
                symbol,
                lambda T, x, y, op=op: (op(x, y), op(x, 3), op(3, y)),
                i64(3, 4),
                i64(4, make=same([0, 1, 3, 70])),
            ),
            Case(
                symbol,
                lambda T, x, y, op=op: (op(x, y), op(x, 2)),
                u8(3),
                i32(2, 3, make=same([[1, 2, 3], [0, 9, 33]])),
            ),
        ]
        if symbol in "&|^":
            found.append(Case(symbol, lambda T, x, y, op=op: (op(x, y), op(x, True), op(False, y)), b8(2, 3), b8(3)))
    for symbol, op in IN_PLACE.items():
        grad = symbol not in ("//=", "%=")
        found.append(
            Case(
                symbol, lambda T, x, y, op=op: op(x * 1, y), f32(3, 4, make=positive), f32(4, make=positive), grad=grad
            )
        )
    for symbol, op in IN_PLACE_BITS.items():
        found.append(Case(symbol, lambda T, x, y, op=op: op(x, y), i64(3), i64(3, make=same([1, 2, 3]))))
    return found


CASES = [
    *_pair_cases(),
    *_operator_cases(),
    Case("add", lambda T, x, y: T.add(x, y, alpha=2), f32(3, 4, layout="transposed"), f32(3, 1)),
    Case("add", lambda T, x, y: T.add(x, y, alpha=-0.5), f16(3, 4), f16(4), second=False),
    Case("add", lambda T, x: (T.add(1, x), T.add(2, 3.5), x.add(2, alpha=3)), f32(3)),
    Case("sub", lambda T, x, y: (T.sub(x, y, alpha=2), T.sub(3, x)), f32(3), f32(3)),
    Case("rsub", lambda T, x, y: (T.rsub(x, y), T.rsub(x, 2), T.rsub(x, y, alpha=3)), f32(3), f32(3)),
    Case("mul", lambda T, x: (T.mul(2, x), T.mul(2, 3)), f32(3)),
    Case("div", lambda T, x, y: [T.div(x, y, rounding_mode=m) for m in ("floor", "trunc", None)], f32(9), f32(9)),
    Case(
        "div",
        lambda T, x, y: [T.div(x, y, rounding_mode=m) for m in ("floor", "trunc", None)],
        i64(4, make=same([7, -7, 7, -7])),
        i64(4, make=same([2, 2, -2, -2])),
    ),
    Case("floor_divide", lambda T, x: (T.floor_divide(x, 2), x.floor_divide(-3)), i64(6)),
    Case(
        "floor_divide", lambda T, x, y: T.floor_divide(x, y), f32(60, make=special), f32(60, make=special), grad=False
    ),
    Case("remainder", lambda T, x: (T.remainder(x, 3), T.remainder(x, -3), T.remainder(7, x * 0 + 4)), i64(8)),
    Case("fmod", lambda T, x: (T.fmod(x, 3), T.fmod(x, -3)), i64(8)),
    Case("remainder", lambda T, x, y: x.remainder(y), f32(4), f32(4)),
    Case("pow", lambda T, x: [x**n for n in (0, 1, 2, 3, 4, 0.5, 2.5, -1, -2, -0.5)], f32(6, make=positive)),
    Case("pow", lambda T, x: [x**n for n in (0, 1, 2, 3, 4)], f32(3, make=same([0.0, -1.0, 2.0]))),
    Case("pow", lambda T, x: (T.pow(2, x), T.pow(0.5, x)), f32(3, make=positive)),
    Case("pow", lambda T, x: T.pow(0, x), f32(3, make=positive), second=False),
    Case("pow", lambda T, x, y: x**y, f32(4, make=same([0, 0, 2, 3])), f32(4, make=same([0, 2, 0, 1])), second=False),
    Case("pow", lambda T, x, y: x**y, i64(5, make=same([0, 1, -1, 2, -1])), i64(5, make=same([-1, -1, -1, -2, 3]))),
    Case("pow", lambda T, x: (x**2, x**2.0, 2**x, x**0.5), i64(4, make=same([1, 2, 3, 4]))),
    Case("pow", lambda T, x: (x**3, x**0.3), bf16(4, make=positive), second=False, rtol=3e-2, atol=3e-2),
    Case("square", lambda T, x: (T.square(x), x.square()), i64(4)),
    Case("lerp", lambda T, x, y: (T.lerp(x, y, 0.3), x.lerp(y, 0.8), T.lerp(x, y, 2)), f32(3, 4), f32(4)),
    Case("lerp", lambda T, x, y, w: T.lerp(x, y, w), f32(3, 4), f32(4), f32(3, 1)),
    Case("Tensor.lerp_", lambda T, x, y: (x * 1).lerp_(y, 0.3), f32(3), f32(3)),
    Case("addcmul", lambda T, a, x, y: (T.addcmul(a, x, y), a.addcmul(x, y, value=0.5)), f32(3, 4), f32(4), f32(3, 1)),
    Case("addcmul", lambda T, a, x: T.addcmul(a, x, x, value=3), i64(3), i64(3)),
    Case(
        "addcdiv",
        lambda T, a, x, y: (T.addcdiv(a, x, y), a.addcdiv(x, y, value=0.5)),
        f32(3, 4),
        f32(4),
        f32(3, 1, make=positive),
    ),
    Case("Tensor.addcmul_", lambda T, a, x, y: (a * 1).addcmul_(x, y, value=2), f32(3), f32(3), f32(3)),
    Case("Tensor.addcdiv_", lambda T, a, x, y: (a * 1).addcdiv_(x, y, value=2), f32(3), f32(3), f32(3, make=positive)),
    Case(
        "maximum",
        lambda T, x, y: (T.maximum(x, y), T.minimum(x, y), T.fmax(x, y), T.fmin(x, y)),
        f32(4, make=same([1, 2, 3, 4])),
        f32(4, make=same([1, 5, 3, 0])),
    ),
    Case("clamp", lambda T, x: (T.clamp(x, -0.5, 0.5), x.clamp(min=0), T.clip(x, max=0.25), T.clamp(x, 2, 1)), f32(9)),
    Case(
        "clamp", lambda T, x, a, b: (T.clamp(x, a, b), x.clamp(min=a), T.clamp(x, max=b)), f32(3, 4), f32(4), f32(3, 1)
    ),
    Case("clamp", lambda T, x: (x.clamp(1.5), x.clamp(-1, 4), T.clamp_min(x, 2.5), T.clamp_max(x, 1)), i64(9)),
    Case("clamp", lambda T, x: T.clamp(x, -1, 1), f32(30, make=special)),
    Case("Tensor.clamp_", lambda T, x: ((x * 1).clamp_(0, 1), (x * 1).clip_(0), (x * 1).clamp_min_(0)), f32(5)),
    Case(
        "isclose",
        lambda T, x, y: (T.isclose(x, y), x.isclose(x + 1e-7), T.isclose(x, y, equal_nan=True)),
        f32(40, make=special),
        f32(40, make=special),
        grad=False,
    ),
    Case("isclose", lambda T, x, y: (T.isclose(x, y, rtol=0.3, atol=0), T.isclose(x, y, 0, 0)), i64(20), i64(20)),
    Case(
        "allclose",
        lambda T, x: (T.allclose(x, x + 1e-9), x.allclose(x + 1), T.allclose(x, x * np.nan, equal_nan=True)),
        f32(4),
    ),
    Case(
        "equal", lambda T, x, y: (T.equal(x, x), x.equal(y), T.equal(x, y[:2]), T.equal(x, x.double())), f32(4), f32(4)
    ),
    Case(
        "heaviside", lambda T, x, v: T.heaviside(x, v), f32(4, make=same([-1, 0, 2, 0]), grad=False), f32(4, grad=False)
    ),
    Case("gcd", lambda T, x, y: (T.gcd(x, y), T.lcm(x, y)), i64(9), i64(9)),
    Case("bitwise_left_shift", lambda T, x: (T.bitwise_left_shift(x, 2), T.bitwise_right_shift(x, 1)), i64(4)),
    Case("bitwise_and", lambda T, x, y: (T.bitwise_and(x, y), T.bitwise_or(x, y), T.bitwise_xor(x, 5)), i64(4), b8(4)),
    Case(
        "Tensor.eq_",
        lambda T, x, y: ((x * 1).eq_(y), (x * 1).lt_(0), (x * 1).logical_and_(y)),
        f32(4, grad=False),
        f32(4, grad=False),
    ),
    Case("numpy scalar", lambda T, x: (x * np.float64(2), np.float32(2) * x, x + np.int64(3)), f32(3)),
]

ERRORS = [
    Error("add", lambda T, x, y: x + y, f32(2, 3), f32(2, 4), words="must match the size of tensor b (4)"),
    Error("lt", lambda T, x, y: x < y, f32(2, 3), f32(2, 4), words="The size of tensor a (3) must match"),
    Error("addcmul", lambda T, x, y: T.addcmul(x, y, x), f32(2), f32(3), words="must match the size of tensor"),
    Error("clamp", lambda T, x, y: T.clamp(x, y), f32(2), f32(3), words="must match the size of tensor"),
    Error("lerp", lambda T, x, y: T.lerp(x, y, 0.5), f32(2), f32(3), words="must match the size of tensor"),
    *[
        Error("operator", lambda T, x, op=op: op(x, "a"), f32(2), words="'Tensor' and 'str'")
        for op in (
            operator.add,
            operator.sub,
            operator.truediv,
            operator.floordiv,
            operator.mod,
            operator.pow,
            operator.and_,
            operator.lshift,
            operator.lt,
        )
    ],
    Error(
        "operator", lambda T, x: None + x, f32(2), words="unsupported operand type(s) for +: 'NoneType' and 'Tensor'"
    ),
    Error("operator", lambda T, x: x * [1, 2], f32(2)),
    Error("add", lambda T, x: T.add(x, "a"), f32(2), words="argument 'other' (position 2) must be Tensor, not str"),
    Error("add", lambda T, x: x.add(x, alpha=1.5), i64(2), words="alpha must not be a floating point number"),
    Error("sub", lambda T, x, y: x - y, b8(2), b8(2), words="with two bool tensors is not supported"),
    Error("sub", lambda T, x: x - 1, b8(2), words="with a bool tensor is not supported"),
    Error("sub", lambda T, x: 1 - x, b8(2), words="with a bool tensor is not supported"),
    Error("sub", lambda T, x, y: x - y, f32(2), b8(2), words="with a bool tensor is not supported"),
    Error("div", lambda T, x: T.div(x, 2, rounding_mode="up"), f32(2), words="but found 'up'"),
    *[
        Error("integer zero", lambda T, x, f=f: f(T, x), i64(2), words="ZeroDivisionError")
        for f in (
            lambda T, x: x // 0,
            lambda T, x: x % 0,
            lambda T, x: T.fmod(x, 0),
            lambda T, x: T.div(x, 0, rounding_mode="floor"),
        )
    ],
    Error("floor_divide", lambda T, x: x // x, b8(2), words="not implemented for 'Bool'"),
    Error("pow", lambda T, x: x**-1, i64(2), words="Integers to negative integer powers are not allowed."),
    Error("pow", lambda T, x: T.pow(2, 3), f32(2), words="(int, int)"),
    Error("maximum", lambda T, x: T.maximum(x, 1), f32(2), words="must be Tensor, not int"),
    Error("equal", lambda T, x: T.equal(x, 1), f32(2), words="must be Tensor, not int"),
    Error("logical_and", lambda T, x: T.logical_and(x, 1), f32(2), words="must be Tensor, not int"),
    Error("hypot", lambda T, x: T.hypot(x, x), i64(2), words="not implemented for 'Long'"),
    Error("lerp", lambda T, x: T.lerp(x, x, 0.5), i64(2), words="not implemented for 'Long'"),
    Error(
        "lerp",
        lambda T, x, y: T.lerp(x, y, 0.5),
        f32(2),
        f64(2),
        words="expected dtype float for `end` but got dtype double",
    ),
    Error(
        "addcdiv",
        lambda T, x, y: T.addcdiv(x, y, y),
        f32(2),
        i64(2),
        words="Integer division with addcdiv is no longer supported",
    ),
    Error("clamp", lambda T, x: T.clamp(x), f32(2), words="At least one of 'min' or 'max' must not be None"),
    Error(
        "clamp", lambda T, x: T.clamp(x, -1, 300), u8(2), words="cannot be converted to type uint8_t without overflow"
    ),
    Error(
        "clamp", lambda T, x: T.clamp(x, min="a"), f32(2), words="clamp() received an invalid combination of arguments"
    ),
    Error("isclose", lambda T, x, y: T.isclose(x, y), f32(2), f64(2), words="Float did not match Double"),
    Error(
        "isclose",
        lambda T, x: T.isclose(x, x, rtol=-1),
        f32(2),
        words="rtol must be greater than or equal to zero, but got -1",
    ),
    Error("heaviside", lambda T, x, y: T.heaviside(x, y), f32(2), i64(2), words="different dtypes"),
    Error("bitwise_and", lambda T, x: x & 1, f32(2), words="\"bitwise_and_cpu\" not implemented for 'Float'"),
    Error("<<", lambda T, x: x << 1, f32(2), words="\"lshift_cpu\" not implemented for 'Float'"),
    Error("add", lambda T, x: x + 2**70, i64(2), words="int too big to convert"),
    Error(
        "Tensor.add_",
        lambda T, x: x.add_(1.5),
        i64(2),
        words="result type Float can't be cast to the desired output type Long",
    ),
    Error(
        "Tensor.mul_",
        lambda T, x, y: (x * 1).mul_(y),
        f32(3),
        f32(2, 3),
        words="output with shape [3] doesn't match the broadcast shape [2, 3]",
    ),
    Error(
        "bool", lambda T, x: bool(x == x), f32(2), words="Boolean value of Tensor with more than one value is ambiguous"
    ),
]


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_equals_torch(case: Case) -> None:
    run_case(case)


@pytest.mark.parametrize("case", ERRORS, ids=ids(ERRORS))
def test_refused_like_torch(case: Error) -> None:
    run_error(case)


NODES = {
    "x+y": lambda T, x: x + x,
    "x+2": lambda T, x: x + 2,
    "2-x": lambda T, x: 2 - x,
    "x-2": lambda T, x: x - 2,
    "rsub": lambda T, x: T.rsub(x, x),
    "x*2": lambda T, x: x * 2,
    "x/2": lambda T, x: x / 2,
    "2/x": lambda T, x: 2 / x,
    "x**2": lambda T, x: x**2,
    "x**x": lambda T, x: x**x,
    "2**x": lambda T, x: 2**x,
    "x%2": lambda T, x: x % 2,
    "x%x": lambda T, x: x % x,
    "fmod2": lambda T, x: T.fmod(x, 2),
    "fmodx": lambda T, x: T.fmod(x, x),
    "div floor": lambda T, x: T.div(x, 2, rounding_mode="floor"),
    "clamp": lambda T, x: T.clamp(x, 0),
    "clamp t": lambda T, x: T.clamp(x, x),
    "clamp_min": lambda T, x: T.clamp_min(x, 0),
    "lerp": lambda T, x: x.lerp(x, 0.5),
    "lerp t": lambda T, x: x.lerp(x, x),
    "addcmul": lambda T, x: x.addcmul(x, x),
    "addcdiv": lambda T, x: x.addcdiv(x, x),
    "max": lambda T, x: T.maximum(x, x),
    "fmin": lambda T, x: T.fmin(x, x),
    "atan2": lambda T, x: T.atan2(x, x),
    "hypot": lambda T, x: T.hypot(x, x),
    "logaddexp": lambda T, x: T.logaddexp(x, x),
    "xlogy": lambda T, x: T.xlogy(x, x),
    "copysign": lambda T, x: T.copysign(x, x),
    "square": lambda T, x: x.square(),
    "alpha": lambda T, x: x.add(x, alpha=2),
    "round": lambda T, x: T.round(x, decimals=1),
    "half": lambda T, x: x.half(),
    "eq": lambda T, x: x == x,
}


@pytest.mark.parametrize("name", NODES)
def test_node_is_called_as_in_torch(name: str) -> None:
    mine, real = (NODES[name](T, T.tensor([1.5, 2.5], requires_grad=True)) for T in (tinytorch, torch))
    assert (mine.grad_fn and mine.grad_fn.name()) == (real.grad_fn and real.grad_fn.name())


@pytest.mark.parametrize("name", [*SMOOTH_PAIRS, *POSITIVE_PAIRS, "copysign"])
def test_gradient_equals_differences(name: str) -> None:
    rng = np.random.default_rng(5)
    x, y = (tinytorch.from_numpy(rng.uniform(0.3, 2.0, shape)).requires_grad_() for shape in ((2, 3), (3,)))
    assert tinytorch.autograd.gradcheck(getattr(tinytorch, name), (x, y))


@pytest.mark.parametrize("name", [n for n in PAIRS if n not in ("divide", "subtract")])
def test_out(name: str) -> None:
    x, y = tinytorch.tensor([0.25, 0.75]), tinytorch.tensor([2.0, 0.5])
    wanted = getattr(tinytorch, name)(x, y)
    out = tinytorch.empty(0, dtype=wanted.dtype)
    assert getattr(tinytorch, name)(x, y, out=out) is out
    assert out.tolist() == wanted.tolist() and out._version >= 1


@pytest.mark.parametrize(
    "call",
    [
        lambda T: T.add(T.ones(2), 1, out=T.empty(2, dtype=T.long)),
        lambda T: T.add(T.ones(2), 1, out=T.empty(2, requires_grad=True)),
        lambda T: T.mul(T.ones(2, requires_grad=True), 1, out=T.empty(2)),
    ],
)
def test_out_is_refused_like_in_torch(call) -> None:
    with pytest.raises(RuntimeError) as real:
        call(torch)
    with pytest.raises(RuntimeError) as mine:
        call(tinytorch)
    assert str(mine.value) == str(real.value)


def test_out_of_another_shape_is_resized_with_a_warning() -> None:
    out = tinytorch.empty(3)
    with pytest.warns(UserWarning, match=r"An output with one or more elements was resized since it had shape \[3\]"):
        tinytorch.add(tinytorch.ones(2), 1, out=out)
    assert out.tolist() == [2.0, 2.0]


def test_out_is_left_alone_by_a_failed_call() -> None:
    out = tinytorch.zeros(2)
    with pytest.raises(RuntimeError):
        tinytorch.add(tinytorch.ones(2), tinytorch.ones(3), out=out)
    assert out.tolist() == [0.0, 0.0] and out._version == 0


def test_other_classes_are_asked() -> None:
    class Money:
        def __radd__(self, other):
            return "asked"

        def __gt__(self, other):
            return "asked too"

    assert tinytorch.ones(2) + Money() == "asked"
    assert (tinytorch.ones(2) < Money()) == "asked too"
