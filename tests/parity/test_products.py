"""Products of matrices and vectors against PyTorch."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import tinytorch
from tests.oracle import torch
from tests.parity.harness import Case, Error, b8, bf16, f16, f32, f64, i32, i64, ids, run_case, run_error, same


def regular(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    return rng.standard_normal(shape) + 2 * np.eye(shape[-1])


NANS = same([[float("nan")] * 2] * 2)
PAIRS = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 4)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 4)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((1, 2, 3), (5, 3, 4)),
    ((6, 1, 2, 3), (5, 3, 4)),
    ((5, 2, 3), (6, 1, 3, 4)),
    ((6, 5, 2, 3), (3,)),
    ((3,), (6, 5, 3, 4)),
    ((0, 3), (3, 4)),
    ((2, 0), (0, 4)),
    ((0, 2, 3), (3, 4)),
    ((0, 2, 3), (0, 3, 4)),
    ((2, 3, 0), (0, 4)),
    ((5, 0, 3), (5, 3, 4)),
    ((0,), (0,)),
]
LAYOUTS = [("transposed", "contiguous"), ("contiguous", "transposed"), ("strided", "offset"), ("expanded", "strided")]

CASES = [
    *[Case("matmul", lambda T, a, b: (T.matmul(a, b), a @ b, a.matmul(b)), f64(*s), f64(*t)) for s, t in PAIRS],
    *[
        Case("matmul", lambda T, a, b: a @ b, f32(*s, layout=p), f32(*t, layout=q))
        for s, t in [((2, 3), (3, 4)), ((5, 2, 3), (5, 3, 4)), ((5, 2, 3), (3, 4))]
        for p, q in LAYOUTS
    ],
    *[Case("matmul", lambda T, a, b: a @ b, d(2, 3), d(3, 4)) for d in (f16, bf16, i64, i32)],
    *[Case("matmul", lambda T, a, b: a @ b, d(5, 2, 3), d(5, 3, 4)) for d in (f16, bf16, i64)],
    Case("mm", lambda T, a, b: (T.mm(a, b), a.mm(b)), f64(2, 3), f64(3, 4)),
    Case("mm", lambda T, a, b: T.mm(a, b, out=T.empty(0)), f32(2, 3, grad=False), f32(3, 4, grad=False)),
    Case("bmm", lambda T, a, b: (T.bmm(a, b), a.bmm(b)), f64(5, 2, 3), f64(5, 3, 4)),
    Case("bmm", lambda T, a, b: a.bmm(b), f32(3, 2, 3, layout="transposed"), f32(3, 3, 4, layout="strided")),
    Case("bmm", lambda T, a, b: T.bmm(a, b, out=T.zeros(5, 2, 4)), f32(5, 2, 3, grad=False), f32(5, 3, 4, grad=False)),
    Case("mv", lambda T, a, x: (T.mv(a, x), a.mv(x)), f64(2, 3), f64(3)),
    *[
        Case(n, lambda T, a, b, n=n: (getattr(T, n)(a, b), getattr(a, n)(b)), d(4), d(4))
        for n in ("dot", "vdot", "inner")
        for d in (f64, f16, i64)
    ],
    Case("dot", lambda T, a, b: a.dot(b), f32(4, layout="strided"), f32(4, layout="offset")),
    *[
        Case("inner", lambda T, a, b: T.inner(a, b), f64(*s), f64(*t))
        for s, t in [((2, 3), (4, 3)), ((2, 5, 3), (3,)), ((), (3,))]
    ],
    *[Case(n, lambda T, a, b, n=n: (getattr(T, n)(a, b), getattr(a, n)(b)), f64(2), f64(3)) for n in ("outer", "ger")],
    # ---- beta · input + alpha · product
    *[
        Case(
            "addmm",
            lambda T, x, a, b: (T.addmm(x, a, b), x.addmm(a, b, beta=2, alpha=0.5)),
            f64(*s),
            f64(2, 3),
            f64(3, 4),
        )
        for s in [(2, 4), (4,), (2, 1), (), (1, 4)]
    ],
    Case("addmm", lambda T, x, a, b: T.addmm(x, a, b, beta=0), f32(2, 2, make=NANS), f32(2, 3), f32(3, 2)),
    Case("addmm", lambda T, x, a, b: T.addmm(x, a, b, alpha=0), f32(2, 2), f32(2, 3), f32(3, 2)),
    *[
        Case("addmm", lambda T, x, a, b: T.addmm(x, a, b, beta=2, alpha=3), d(2, 2), d(2, 3), d(3, 2))
        for d in (f16, bf16, i64)
    ],
    Case("addmm", lambda T, x, a, b: T.addmm(x, a, b, alpha=2.5), i64(2, 2), i64(2, 3), i64(3, 2)),
    Case("addmm", lambda T, x, a, b: T.addmm(x, a, b, out=T.zeros(2, 2)), *[f32(2, 2, grad=False)] * 3),
    Case("addmv", lambda T, x, a, v: (T.addmv(x, a, v), x.addmv(a, v, beta=2, alpha=0.5)), f64(2), f64(2, 3), f64(3)),
    Case("addmv", lambda T, x, a, v: T.addmv(x, a, v), f32(1), f32(2, 3), f32(3)),
    Case("addr", lambda T, x, u, v: (T.addr(x, u, v), x.addr(u, v, beta=2, alpha=0.5)), f64(2, 3), f64(2), f64(3)),
    Case(
        "addbmm",
        lambda T, x, a, b: (T.addbmm(x, a, b), x.addbmm(a, b, beta=2, alpha=0.5)),
        f64(2, 4),
        f64(5, 2, 3),
        f64(5, 3, 4),
    ),
    Case(
        "baddbmm",
        lambda T, x, a, b: (T.baddbmm(x, a, b), x.baddbmm(a, b, beta=2, alpha=0.5)),
        f64(5, 2, 4),
        f64(5, 2, 3),
        f64(5, 3, 4),
    ),
    Case("baddbmm", lambda T, x, a, b: T.baddbmm(x, a, b, beta=0), f32(4), f32(5, 2, 3), f32(5, 3, 4)),
    *[
        Case(
            f"Tensor.{n}_",
            lambda T, x, a, b, n=n: getattr(x * 1, f"{n}_")(a, b, beta=2, alpha=0.5),
            f32(*s),
            f32(*p),
            f32(*q),
        )
        for n, s, p, q in [
            ("addmm", (2, 4), (2, 3), (3, 4)),
            ("addmv", (2,), (2, 3), (3,)),
            ("addr", (2, 3), (2,), (3,)),
            ("addbmm", (2, 4), (5, 2, 3), (5, 3, 4)),
            ("baddbmm", (5, 2, 4), (5, 2, 3), (5, 3, 4)),
        ]
    ],
]

ERRORS = [
    Error(
        "mm",
        lambda T, a, b: T.mm(a, b),
        f32(2, 3),
        f32(4, 5),
        words="mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)",
    ),
    Error("mm", lambda T, a, b: T.mm(a, b), f32(3), f32(3, 3), words="self must be a matrix"),
    Error("mm", lambda T, a, b: T.mm(a, b), f32(2, 2), f32(2), words="mat2 must be a matrix"),
    Error(
        "mm",
        lambda T, a, b: T.mm(a, b),
        f32(2, 2),
        f64(2, 2),
        words="expected m1 and m2 to have the same dtype, but got: float != double",
    ),
    Error("mm", lambda T, a, b: T.mm(a, b), b8(2, 2), b8(2, 2), words="not implemented for 'Bool'"),
    Error("mm", lambda T, a: T.mm(a, 3), f32(2, 2), words="must be Tensor, not int"),
    Error("bmm", lambda T, a, b: T.bmm(a, b), f32(2, 3), f32(2, 3, 4), words="batch1 must be a 3D tensor"),
    Error("bmm", lambda T, a, b: T.bmm(a, b), f32(2, 3, 4), f32(2, 3), words="batch2 must be a 3D tensor"),
    *[
        Error(
            "bmm",
            lambda T, a, b: T.bmm(a, b),
            f32(10, 3, 4),
            f32(*s),
            words=f"Expected size for first two dimensions of batch2 tensor to be: [10, 4] but got: {list(s[:2])}.",
        )
        for s in [(10, 5, 4), (9, 4, 4)]
    ],
    Error(
        "bmm",
        lambda T, a, b: T.bmm(a, b),
        f32(2, 3, 4),
        f64(2, 4, 3),
        words="expected scalar type Float but found Double",
    ),
    Error(
        "mv", lambda T, a, b: T.mv(a, b), f32(2, 3), f32(4), words="size mismatch, got input (2), mat (2x3), vec (4)"
    ),
    Error("mv", lambda T, a, b: T.mv(a, b), f32(3), f32(3), words="vector + matrix @ vector expected, got 1, 1, 1"),
    Error(
        "dot",
        lambda T, a, b: T.dot(a, b),
        f32(2),
        f32(3),
        words="inconsistent tensor size, expected tensor [2] and src [3]",
    ),
    Error(
        "dot", lambda T, a, b: T.dot(a, b), f32(2, 2), f32(2), words="1D tensors expected, but got 2D and 1D tensors"
    ),
    Error(
        "dot",
        lambda T, a, b: T.dot(a, b),
        f32(2),
        f64(2),
        words="expected both vectors to have same dtype, but found Float and Double",
    ),
    Error("inner", lambda T, a, b: T.inner(a, b), f32(2, 3), f32(2, 4), words="but got shapes [2, 3] and [2, 4]"),
    Error(
        "outer",
        lambda T, a, b: T.outer(a, b),
        f32(2, 2),
        f32(2),
        words="outer: Expected 1-D argument self, but got 2-D",
    ),
    *[
        Error("matmul", lambda T, a, b: a @ b, f32(*s), f32(*t), words=w)
        for s, t, w in [
            ((2, 3), (4,), "size mismatch, got input (2), mat (2x3), vec (4)"),
            ((3,), (4, 2), "mat1 and mat2 shapes cannot be multiplied (1x3 and 4x2)"),
            ((2, 3, 4), (5, 3), "mat1 and mat2 shapes cannot be multiplied (6x4 and 5x3)"),
            (
                (2, 3, 4),
                (3, 4, 2),
                "The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 0",
            ),
            (
                (2, 3, 4),
                (2, 5, 6),
                "Expected size for first two dimensions of batch2 tensor to be: [2, 4] but got: [2, 5].",
            ),
            ((), (3,), "both arguments to matmul need to be at least 1D, but they are 0D and 1D"),
            ((3,), (), "both arguments to matmul need to be at least 1D, but they are 1D and 0D"),
        ]
    ],
    Error("matmul", lambda T, a: a @ 3, f32(2, 3), words="unsupported operand type(s) for @: 'Tensor' and 'int'"),
    Error("matmul", lambda T, a, b: a @ b, f32(2, 3, 4), f64(4, 2), words="but got: float != double"),
    Error(
        "addmm",
        lambda T, x, a, b: T.addmm(x, a, b),
        f32(2, 2),
        f32(2, 3),
        f32(4, 2),
        words="mat1 and mat2 shapes cannot be multiplied (2x3 and 4x2)",
    ),
    Error(
        "addmm",
        lambda T, x, a, b: T.addmm(x, a, b),
        f32(5, 5),
        f32(2, 3),
        f32(3, 2),
        words="The expanded size of the tensor (2) must match the existing size (5)",
    ),
    Error(
        "addmm",
        lambda T, x, a, b: T.addmm(x, a, b),
        f32(2, 2),
        f32(3),
        f32(3, 2),
        words="mat1 must be a matrix, got 1-D tensor",
    ),
    Error(
        "addmm",
        lambda T, x, a, b: T.addmm(x, a, b),
        f64(2, 2),
        f32(2, 3),
        f32(3, 2),
        words="self and mat2 must have the same dtype, but got Double and Float",
    ),
    Error(
        "addmv",
        lambda T, x, a, b: T.addmv(x, a, b),
        f32(3),
        f32(2, 3),
        f32(3),
        words="size mismatch, got input (3), mat (2x3), vec (3)",
    ),
    Error(
        "addbmm",
        lambda T, x, a, b: T.addbmm(x, a, b),
        f32(3, 3),
        f32(2, 3, 4),
        f32(2, 5, 3),
        words="Incompatible matrix sizes for bmm (3x4 and 5x3)",
    ),
    Error(
        "addbmm",
        lambda T, x, a, b: T.addbmm(x, a, b),
        f32(3, 3),
        f32(2, 3, 4),
        f32(3, 4, 3),
        words="must have same number of batches, got 2 and 3",
    ),
    Error(
        "baddbmm",
        lambda T, x, a, b: T.baddbmm(x, a, b),
        f32(3, 3),
        f32(2, 3, 4),
        f32(2, 5, 3),
        words="to be: [2, 4] but got: [2, 5].",
    ),
    Error(
        "baddbmm",
        lambda T, x, a, b: T.baddbmm(x, a, b),
        f32(3, 4),
        f32(2, 3, 4),
        f32(2, 4, 3),
        words="The expanded size of the tensor (3) must match the existing size (4)",
    ),
    Error(
        "addr",
        lambda T, x, a, b: T.addr(x, a, b),
        f32(2, 2),
        f32(3, 1),
        f32(2),
        words="addr: Expected 1-D argument vec1, but got 2-D",
    ),
    Error(
        "Tensor.addmm_",
        lambda T, x, a, b: x.addmm_(a, b),
        f32(2, 2),
        f32(2, 3),
        f32(3, 2),
        words="a leaf Variable that requires grad",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_equals_torch(case: Case) -> None:
    run_case(case)


@pytest.mark.parametrize("case", ERRORS, ids=ids(ERRORS))
def test_refused_like_torch(case: Error) -> None:
    run_error(case)


DEPRECATED = [
    "T.addmm(2, x, 3, a, b)",
    "T.addmm(2, x, a, b)",
    "x.addmm(2, 3, a, b)",
    "x.addmm(2, a, b)",
    "(x * 1).addmm_(2, 3, a, b)",
    "T.addmv(2, x[0], 3, a, b[0])",
    "T.addr(2, x, 3, a[0], b[0])",
    "T.addbmm(2, x, 3, a[None], b[None])",
    "T.baddbmm(2, x, 3, a[None], b[None])",
]


@pytest.mark.parametrize("expression", DEPRECATED)
def test_old_order_of_arguments(expression: str) -> None:
    """addmm(beta, input, alpha, mat1, mat2) still works in both. (PyTorch warns once a process.)"""
    results = []
    for T in (tinytorch, torch):
        x, a, b = [T.arange(4.0).reshape(2, 2) + i for i in range(3)]
        with pytest.warns(UserWarning, match="This overload of") if T is tinytorch else _quiet():
            results.append(eval(expression, {"T": T, "x": x, "a": a, "b": b}).tolist())
    assert results[0] == results[1]


def _quiet():
    return warnings.catch_warnings(action="ignore")


NAMES = [
    "T.mm(x, a)",
    "T.bmm(b, b.mT)",
    "b @ a",
    "b @ b.mT",
    "x @ v",
    "v @ a",
    "v @ v",
    "b @ v",
    "T.mv(x, v)",
    "T.vdot(v, v)",
    "T.outer(v, v)",
    "T.addmm(v, x, a)",
    "T.addmv(x[:, 0], x, v)",
    "T.addbmm(v, b, b.mT @ b)",
    "T.baddbmm(v, b, b.mT @ b)",
    "T.addr(a, v, v)",
    "T.einsum('ij,jk->ik', x, a)",
    "T.tensordot(x, a, 1)",
    "T.cross(x[:3, :3], x[:3, :3], dim=0)",
    "T.matrix_power(a, 3)",
    "x.tril()",
    "x.triu()",
    "T.trace(x)",
    "T.diag(v)",
    "T.diag_embed(v)",
]


@pytest.mark.parametrize("expression", NAMES)
def test_nodes_are_named_as_in_torch(expression: str) -> None:
    named = []
    for T in (tinytorch, torch):
        made = {"x": T.ones(3, 4), "a": T.eye(4), "v": T.ones(4), "b": T.ones(2, 3, 4)}
        names = {"T": T, **{name: t.requires_grad_() for name, t in made.items()}}
        named.append(eval(expression, names).grad_fn.name())
    assert named[0] == named[1]


CHECKED = {
    "matmul": lambda a, b: a @ b,
    "bmm": lambda a, b: tinytorch.bmm(a.reshape(1, 3, 3), b.reshape(1, 3, 3)),
    "addmm": lambda a, b: tinytorch.addmm(b[0], a, b, beta=2, alpha=0.5),
    "addbmm": lambda a, b: tinytorch.addbmm(a, a.reshape(1, 3, 3), b.reshape(1, 3, 3)),
    "einsum": lambda a, b: tinytorch.einsum("ij,kj,ik->i", a, b, a),
    "einsum with a diagonal": lambda a, b: tinytorch.einsum("ii,ij->j", a, b),
    "tensordot": lambda a, b: tinytorch.tensordot(a, b),
    "cross": lambda a, b: tinytorch.linalg.cross(a, b),
}


@pytest.mark.parametrize("name", CHECKED)
def test_gradients_at_every_index(name: str) -> None:
    rng = np.random.default_rng(5)
    a, b = [tinytorch.tensor(regular(rng, (3, 3)), requires_grad=True) for _ in range(2)]
    assert tinytorch.autograd.gradcheck(CHECKED[name], (a, b))
    assert tinytorch.autograd.gradgradcheck(CHECKED[name], (a, b))
