"""Sorting and what rests on it, against PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

import tinytorch
from tests.oracle import torch
from tests.parity.harness import (
    Case,
    Error,
    b8,
    below,
    bf16,
    distinct,
    f16,
    f32,
    f64,
    i8,
    i32,
    i64,
    ids,
    run_case,
    run_error,
    same,
    special,
    u8,
)

NAN = float("nan")
with_nan = same([[1.0, NAN, 2.0, -1.0, 0.0], [0.5, 3.0, NAN, NAN, -2.0], [2.0, 2.5, 1.0, 0.0, 4.0]])
tied = same([[1.0, 3.0, 3.0, -1.0], [3.0, 2.0, -1.0, -1.0], [2.0, 2.0, 1.0, 0.0]])
signed_zeros = same([0.0, -0.0, 1.0, -0.0, 0.0, -1.0])


def shuffled(rng, shape):
    """Integers, no two of them equal."""
    return rng.permutation(int(np.prod(shape))).reshape(shape) - 3


# torch's sort leaves the order of equal elements open in larger inputs, unless `stable=True`
TIED = (f32(40, make=special, grad=False), i64(30), i32(30), i8(30), u8(30), b8(30), f16(30), bf16(30))
SORTABLE = (
    f64(3, 4, make=distinct),
    f32(3, 4, make=distinct),
    f32(3, 4, layout="transposed", make=distinct),
    f32(2, 3, 4, layout="strided", make=distinct),
    f32(5, 4, layout="expanded"),
    f32(),
    f32(0, 3),
    f32(3, 0),
    f32(3, 4, make=tied),
    f64(3, 4, make=tied),
    f32(3, 5, make=with_nan),
    f64(3, 5, make=with_nan),
    f32(6, make=signed_zeros),
    i64(30, make=shuffled),
    i32(30, make=shuffled),
    i8(30, make=shuffled),
    f16(30, make=shuffled),
    bf16(30, make=shuffled),
)
MIDDLES = tuple(
    i
    for i in SORTABLE
    if 0 not in i.shape
    and i.dtype != "bool"
    and i.make not in (tied, signed_zeros)
    and not i.dtype.startswith(("int", "uint"))
    and i.layout != "expanded"
    and i.dtype not in ("float16", "bfloat16")
)

CASES = [
    *[
        Case("sort", lambda T, x: (T.sort(x), x.sort(0), x.sort(dim=-1, descending=True), T.sort(x, stable=True)), i)
        for i in SORTABLE
    ],
    *[
        Case("argsort", lambda T, x: (T.argsort(x), x.argsort(0), x.argsort(descending=True, stable=True)), i)
        for i in SORTABLE
    ],
    *[
        Case("sort", lambda T, x: (x.sort(stable=True), x.sort(stable=True, descending=True), x.sort()[0]), i)
        for i in TIED
    ],
    *[
        Case("argsort", lambda T, x: (x.argsort(stable=True), T.argsort(x, dim=-1, descending=True, stable=True)), i)
        for i in TIED
    ],
    *[Case("msort", lambda T, x: (T.msort(x), x.msort()), i) for i in SORTABLE[:5]],
    Case("sort", lambda T, x: x.sort(axis=0).values, f64(3, 4, make=distinct)),
    *[
        Case("topk", lambda T, x: (T.topk(x, 2), x.topk(1, 0), x.topk(2, largest=False), x.topk(0)), i)
        for i in (
            f64(3, 4, make=distinct),
            f32(3, 4, layout="transposed", make=distinct),
            f32(2, 3, 4, layout="strided", make=distinct),
        )
    ],
    *[
        Case("topk", lambda T, x: (x.topk(5), x.topk(5, largest=False), x.topk(40)), i)
        for i in (f64(60, make=distinct), f32(60, make=distinct), i32(60, make=shuffled))
    ],
    *[
        Case("topk", lambda T, x: x.topk(3).values, i)
        for i in (f32(60, make=special, grad=False), f16(60), bf16(60), u8(60))
    ],
    Case("topk", lambda T, x: x.topk(1), f32()),
    *[
        Case("kthvalue", lambda T, x: (T.kthvalue(x, 2), x.kthvalue(1, 0), x.kthvalue(3, -1, True)), i)
        for i in (f64(3, 4, make=distinct), f32(3, 4, layout="transposed", make=distinct), i64(3, 4, make=shuffled))
    ],
    Case("kthvalue", lambda T, x: x.kthvalue(1), f32()),
    *[
        Case(n, lambda T, x, n=n: (getattr(T, n)(x), getattr(x, n)(0).values, getattr(x, n)(-1, True).values), i)
        for n in ("median", "nanmedian")
        for i in MIDDLES
    ],
    *[
        Case(n, lambda T, x, n=n: (getattr(x, n)(0), getattr(x, n)(-1)), f64(3, 4, make=distinct))
        for n in ("median", "nanmedian")
    ],
    *[
        Case(n, lambda T, x, n=n: (getattr(x, n)(), getattr(x, n)(1).values), d)
        for n in ("median", "nanmedian")
        for d in (i64(3, 4), f32(3, 4, make=tied, grad=False))
    ],
    *[Case(n, lambda T, x, n=n: getattr(x, n)(), f32(0, make=same([]), grad=False)) for n in ("median", "nanmedian")],
    Case("median", lambda T, x: x.median(), f64(3, 4, make=tied)),
    *[
        Case("mode", lambda T, x: (T.mode(x), x.mode(0), x.mode(-1, True)), i)
        for i in (f64(3, 4, make=tied), f32(3, 4, make=distinct), i64(4, 6, make=below(3)), b8(5, 3), f32())
    ],
    *[
        Case(
            "unique",
            lambda T, x: (
                T.unique(x),
                x.unique(return_inverse=True),
                x.unique(return_counts=True),
                x.unique(True, True, True),
            ),
            i,
            grad=False,
        )
        for i in (
            i64(3, 4, make=below(5)),
            f32(3, 4, make=tied),
            b8(7),
            u8(20),
            f32(),
            f16(6),
            f32(3, 5, make=with_nan),
            i64(0),
        )
    ],
    *[
        Case(
            "unique",
            lambda T, x, d=d: T.unique(x, return_inverse=True, return_counts=True, dim=d),
            i64(4, 3, make=below(2)),
        )
        for d in (0, 1, -1)
    ],
    *[
        Case(
            "unique_consecutive",
            lambda T, x: (
                T.unique_consecutive(x),
                x.unique_consecutive(True, True),
                x.unique_consecutive(return_counts=True),
            ),
            i,
            grad=False,
        )
        for i in (i64(20, make=below(2)), f32(3, 4, make=tied), i64(3, 4, make=below(2)))
    ],
    *[
        Case("unique_consecutive", lambda T, x, d=d: T.unique_consecutive(x, True, True, d), i64(6, 2, make=below(2)))
        for d in (0, 1)
    ],
    *[
        Case("bincount", lambda T, x: (T.bincount(x), x.bincount(minlength=9)), d(20, make=below(6)))
        for d in (i64, i32, u8)
    ],
    Case("bincount", lambda T, x: x.bincount(), i64(0)),
    *[
        Case("bincount", lambda T, x, w: T.bincount(x, w), i64(20, make=below(6)), d(20, grad=False))
        for d in (f32, f64, i64)
    ],
    Case("histc", lambda T, x: (T.histc(x, 5), x.histc(4, -1, 1), x.histc(bins=3, min=0, max=2)), f32(50, grad=False)),
    Case("histc", lambda T, x: (x.histc(3), x.histc(4, 1, 5)), f64(5, make=same([1.0, 2, 3, 4, 5]), grad=False)),
    Case("histc", lambda T, x: x.histc(4), f32(3, make=same([2.0, 2.0, 2.0]), grad=False)),
    *[
        Case(
            "searchsorted",
            lambda T, v: (
                T.searchsorted(T.tensor([0.0, 1, 1, 2]).to(v.dtype), v),
                T.searchsorted(T.tensor([0.0, 1, 1, 2]).to(v.dtype), v, right=True),
                T.searchsorted(T.tensor([0, 1, 2]).to(v.dtype), v, side="right", out_int32=True),
            ),
            i,
        )
        for i in (f32(3, 4, grad=False), f64(5, grad=False), i64(6), f32(grad=False))
    ],
    Case("searchsorted", lambda T, v: T.searchsorted(T.tensor([1.0, 3]), 2.0), f32(1)),
    Case(
        "searchsorted", lambda T, a, v: T.searchsorted(a.sort().values, v), f32(3, 6, grad=False), f32(3, 2, grad=False)
    ),
    Case(
        "searchsorted",
        lambda T, a, v: T.searchsorted(a, v, sorter=a.argsort()),
        f32(3, 6, grad=False),
        f32(3, 2, grad=False),
    ),
    Case(
        "bucketize",
        lambda T, v: (T.bucketize(v, T.tensor([-1.0, 0, 1])), T.bucketize(v, T.tensor([-1.0, 0, 1]), right=True)),
        f32(3, 4, grad=False),
    ),
    Case("sort", lambda T, x: T.sort(x, out=(T.empty(0), T.empty(0, dtype=T.int64))), f32(3, 4, grad=False)),
    Case("topk", lambda T, x: T.topk(x, 2, out=(T.empty(0), T.empty(0, dtype=T.int64))), f32(3, 4, grad=False)),
]

ERRORS = [
    Error("sort", lambda T, x: x.sort(1), f32(3), words="expected to be in range of [-1, 0], but got 1"),
    Error("sort", lambda T: T.sort(3), words="argument 'input' (position 1) must be Tensor, not int"),
    *[Error("topk", lambda T, x, k=k: x.topk(k), f32(3), words="selected index k out of range") for k in (4, -1)],
    *[
        Error(
            "kthvalue", lambda T, x, k=k: x.kthvalue(k), f32(3), words="selected number k out of range for dimension 0"
        )
        for k in (0, 4)
    ],
    *[
        Error(n, lambda T, x, n=n: getattr(x, n)(0), f32(0, 2), words="Expected reduction dim 0 to have non-zero size.")
        for n in ("median", "nanmedian", "mode")
    ],
    Error(
        "kthvalue",
        lambda T, x: x.kthvalue(1, 0),
        f32(0, 2),
        words="kthvalue(): Expected reduction dim 0 to have non-zero size.",
    ),
    Error("unique", lambda T, x: x.unique(dim=4), f32(3), words="Dimension out of range"),
    Error("bincount", lambda T, x: x.bincount(), f32(3), words="\"bincount_cpu\" not implemented for 'Float'"),
    Error(
        "bincount",
        lambda T, x: x.bincount(),
        i64(2, make=same([-1, 2])),
        words="bincount only supports 1-d non-negative integral inputs.",
    ),
    Error(
        "bincount",
        lambda T, x: x.bincount(),
        i64(2, 2),
        words="bincount only supports 1-d non-negative integral inputs.",
    ),
    Error(
        "bincount",
        lambda T, x, w: x.bincount(w),
        i64(2, make=below(3)),
        f32(3),
        words="weights should be 1-d and have the same length as input",
    ),
    Error("bincount", lambda T, x: x.bincount(minlength=-1), i64(2, make=below(3)), words="minlength should be >= 0"),
    Error("histc", lambda T, x: x.histc(), i64(3), words="\"histogram_cpu\" not implemented for 'Long'"),
    Error("histc", lambda T, x: x.histc(0), f32(3), words="bins must be > 0, but got 0"),
    Error("histc", lambda T, x: x.histc(2, 2, 1), f32(3), words="max must be larger than min"),
    Error("histc", lambda T, x: x.histc(2), f32(2, make=same([NAN, 1.0])), words="is not finite"),
    Error(
        "searchsorted",
        lambda T, a, v: T.searchsorted(a, v),
        f32(2, 3),
        f32(3, 3),
        words=("[2, 3]", "[3, 3]", "must match"),
    ),
    Error(
        "searchsorted",
        lambda T, a: T.searchsorted(a, a, side="foo"),
        f32(3),
        words="side can only be 'left' or 'right' but got foo",
    ),
    Error(
        "searchsorted",
        lambda T, a: T.searchsorted(a, a, side="left", right=True),
        f32(3),
        words="can't be set to opposites",
    ),
    Error(
        "bucketize",
        lambda T, a, v: T.bucketize(v, a),
        f32(2, 3),
        f32(3),
        words="boundaries tensor must be 1 dimension, but got dim(2)",
    ),
    Error("unique", lambda T, x: T.unique(x).sum().backward(), f32(3), words="is not implemented"),
]


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_equals_torch(case: Case) -> None:
    run_case(case)


@pytest.mark.parametrize("case", ERRORS, ids=ids(ERRORS))
def test_refused_like_torch(case: Error) -> None:
    run_error(case)


NAMES = [
    "x.median()",
    "x.median(0)[0]",
    "x.nanmedian()",
    "x.nanmedian(0)[0]",
    "x.mode(0)[0]",
    "x.kthvalue(1)[0]",
    "x.topk(1)[0]",
    "x.sort()[0]",
    "x.msort()",
    "x.unique()",
    "T.unique(x, dim=0)",
    "T.unique_consecutive(x)",
]


@pytest.mark.parametrize("expression", NAMES)
def test_nodes_are_named_as_in_torch(expression: str) -> None:
    named = [
        eval(expression, {"T": T, "x": T.ones(3, 4, requires_grad=True)}).grad_fn.name() for T in (tinytorch, torch)
    ]
    assert named[0] == named[1]


@pytest.mark.parametrize(
    "expression", ["x.sort(1)", "x.topk(2)", "x.kthvalue(2)", "x.median(0)", "x.nanmedian(1)", "x.mode(0)"]
)
def test_named_results_print_as_in_torch(expression: str) -> None:
    printed = [repr(eval(expression, {"x": T.tensor([[3.0, 1, 2], [0, 5, 4]])})) for T in (tinytorch, torch)]
    assert printed[0] == printed[1]


def test_large_sort_is_stable_in_both_directions() -> None:
    x = tinytorch.randint(0, 50, (10_000,), generator=tinytorch.Generator().manual_seed(1))
    for dtype in (tinytorch.float32, tinytorch.float64, tinytorch.int32, tinytorch.int64):
        for descending in (False, True):
            values, order = x.to(dtype).sort(descending=descending)
            steps = values.diff()
            assert bool(((steps <= 0) if descending else (steps >= 0)).all())
            assert bool((order.diff()[steps == 0] > 0).all())


SELECTED = {
    "sort": lambda x: x.sort(1, descending=True)[0],
    "topk": lambda x: x.topk(2, 0)[0],
    "kthvalue": lambda x: x.kthvalue(2)[0],
    "median": lambda x: x.median(1)[0],
    "median of all": lambda x: x.median(),
    "mode": lambda x: x.mode(0)[0],
}


@pytest.mark.parametrize("name", SELECTED)
def test_gradients_at_every_index(name: str) -> None:
    x = tinytorch.tensor([[3.0, 1, 2], [0, 5, 4]], dtype=tinytorch.float64, requires_grad=True)
    assert tinytorch.autograd.gradcheck(SELECTED[name], (x,))
    assert tinytorch.autograd.gradgradcheck(lambda t: SELECTED[name](t * t), (x,))
