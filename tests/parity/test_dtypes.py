"""dtypes, their limits and casts, against PyTorch."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import tinytorch
from tests.oracle import torch
from tests.parity.harness import Case, Error, f16, f32, i64, ids, run_case, run_error, same
from tests.parity.test_promotion import DTYPES, report, tensor

words = str.split

CASTS = words("float double half bfloat16 long int short char byte bool")

CASES = [
    *[
        Case(
            f"Tensor.{name}",
            lambda T, x, name=name: getattr(x, name)(),
            f32(5, make=same([0, 1.5, -2.5, 3.75, 100]), grad=False),
        )
        for name in CASTS
        if name != "byte"
    ],
    Case("Tensor.byte", lambda T, x: x.byte(), i64(4)),
    Case("Tensor.double", lambda T, x: x.double() * 2, f32(2, 3, layout="transposed"), strides=True),
    Case("Tensor.half", lambda T, x: x.half() * 2, f32(2, 3), second=False),
    Case(
        "Tensor.to",
        lambda T, x: (x.to(T.float64), x.to("cpu", T.float16), x.to(dtype=T.int64), x.to(T.ones(1, dtype=T.double))),
        f32(2, 3),
        second=False,
    ),
    Case(
        "Tensor.to",
        lambda T, x: (
            x.to(T.float32) is x,
            x.to("cpu") is x,
            x.to(T.float32, copy=True) is x,
            x.to() is x,
            x.cpu() is x,
            x.float() is x,
            x.to(T.float32, False, True) is x,
        ),
        f32(2),
    ),
    Case(
        "Tensor.type",
        lambda T, x: (x.type(), x.type(T.float64), x.type("torch.LongTensor"), x.type(T.HalfTensor)),
        f32(2),
        second=False,
    ),
    Case("Tensor.type_as", lambda T, x, y: x.type_as(y), f32(2), i64(1)),
    Case(
        "is_floating_point",
        lambda T, x, y: (T.is_floating_point(x), y.is_floating_point(), T.is_complex(x), T.is_signed(y)),
        f32(2),
        i64(1),
    ),
    Case(
        "is_nonzero",
        lambda T, x: (T.is_nonzero(x[:1]), (x * 0)[:1].is_nonzero(), T.is_tensor(x), T.is_tensor(1)),
        f16(2),
    ),
    Case("Tensor.element_size", lambda T, x: (x.element_size(), x.itemsize, x.nbytes), f16(2)),
]

ERRORS = [
    Error("Tensor.to", lambda T, x: x.to("cuda"), f32(2), words="Torch not compiled with CUDA enabled"),
    Error("Tensor.cuda", lambda T, x: x.cuda(), f32(2), words="Torch not compiled with CUDA enabled"),
    Error("Tensor.to", lambda T, x: x.to("nowhere"), f32(2), words="device type at start of device string: nowhere"),
    Error("Tensor.type", lambda T, x: x.type("torch.foo"), f32(2), words="invalid type: 'torch.foo'"),
    Error("Tensor.type", lambda T, x: x.type("torch.cuda.FloatTensor"), f32(2), words="CUDA"),
    Error("can_cast", lambda T: T.can_cast(1, 2), words="argument 'from_' (position 1) must be torch.dtype, not int"),
    Error("finfo", lambda T: T.finfo(T.int32), words="requires a floating point input type. Use torch.iinfo"),
    Error("iinfo", lambda T: T.iinfo(T.float32), words="requires an integer input type. Use torch.finfo"),
    Error("iinfo", lambda T: T.iinfo(T.bool), words="torch.bool is not supported by torch.iinfo"),
    Error(
        "set_default_dtype",
        lambda T: T.set_default_dtype(T.int32),
        words="only floating-point types are supported as the default type",
    ),
    Error("set_default_dtype", lambda T: T.set_default_dtype("float"), words="invalid dtype object"),
    Error("is_floating_point", lambda T: T.is_floating_point(1), words="must be Tensor, not int"),
    Error("is_nonzero", lambda T, x: T.is_nonzero(x), f32(2), words="more than one value is ambiguous"),
]


COVERS = [*DTYPES, "can_cast", "promote_types", "finfo", "iinfo", "get_default_dtype", "set_default_dtype"]


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_equals_torch(case: Case) -> None:
    run_case(case)


@pytest.mark.parametrize("case", ERRORS, ids=ids(ERRORS))
def test_refused_like_torch(case: Error) -> None:
    run_error(case)


def test_every_cast() -> None:
    report(
        {
            f"{d} to {e}": lambda T, d=d, e=e: tensor(T, d).to(getattr(T, e))
            for d in DTYPES
            for e in DTYPES
            if not ("float" in d and e == "uint8")
        }
    )  # negative numbers as unsigned ones: undefined in C


@pytest.mark.parametrize("name", DTYPES)
def test_a_dtype_is_described_alike(name: str) -> None:
    mine, real = getattr(tinytorch, name), getattr(torch, name)
    assert (repr(mine), mine.itemsize, mine.is_floating_point, mine.is_complex, mine.is_signed) == (
        repr(real),
        real.itemsize,
        real.is_floating_point,
        real.is_complex,
        real.is_signed,
    )
    assert repr(mine.to_real()) == repr(real.to_real())
    assert pickle.loads(pickle.dumps(mine)) is mine


def test_can_cast_and_promote_every_pair() -> None:
    for d in DTYPES:
        for e in DTYPES:
            for name in ("can_cast", "promote_types"):
                mine, real = (getattr(T, name)(getattr(T, d), getattr(T, e)) for T in (tinytorch, torch))
                assert repr(mine) == repr(real), (name, d, e)


@pytest.mark.parametrize("name", DTYPES)
def test_limits(name: str) -> None:
    if name == "bool":
        return
    which = "finfo" if "float" in name else "iinfo"
    mine, real = (getattr(T, which)(getattr(T, name)) for T in (tinytorch, torch))
    assert repr(mine) == repr(real)
    for member in (
        "bits",
        "min",
        "max",
        "dtype",
        *(("eps", "tiny", "smallest_normal", "resolution") if which == "finfo" else ()),
    ):
        assert getattr(mine, member) == getattr(real, member), member


def test_limits_of_one_dtype_are_equal() -> None:
    assert tinytorch.finfo() == tinytorch.finfo(tinytorch.float32) != tinytorch.finfo(tinytorch.float64)
    assert tinytorch.iinfo(tinytorch.int8) == tinytorch.iinfo(tinytorch.int8)


@pytest.fixture
def float64_is_default():
    for T in (tinytorch, torch):
        T.set_default_dtype(T.float64)
    yield
    for T in (tinytorch, torch):
        T.set_default_dtype(T.float32)


def test_default_dtype_rules_what_is_made(float64_is_default) -> None:
    for make in (
        lambda T: T.tensor([1.5]),
        lambda T: T.zeros(2),
        lambda T: T.Tensor([1]),
        lambda T: T.tensor([1, 2]) / 2,
        lambda T: T.tensor([1]).exp(),
        lambda T: T.arange(0, 1, 0.5),
        lambda T: T.tensor([1]) + 0.5,
        lambda T: T.rand(1),
        lambda T: T.full((1,), 2.0),
        lambda T: T.tensor([1]),
        lambda T: T.eye(1),
        lambda T: T.linspace(0, 1, 2),
    ):
        assert repr(make(tinytorch).dtype) == repr(make(torch).dtype)
    assert tinytorch.get_default_dtype() is tinytorch.float64


def test_from_numpy_keeps_dtype_and_memory() -> None:
    for d in ("float16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64", "bool"):
        array = np.zeros(3, d)
        t = tinytorch.from_numpy(array)
        assert t.dtype.name == d
        t[0] = 1
        assert array[0] == 1
