"""Einsum and its relatives, triangles and diagonals against PyTorch."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import tinytorch
from tests.oracle import torch
from tests.parity.harness import Case, Error, b8, bf16, f16, f32, f64, i32, i64, ids, run_case, run_error


def regular(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    return rng.standard_normal(shape) + 2 * np.eye(shape[-1])


LAYOUTS = [("transposed", "contiguous"), ("contiguous", "transposed"), ("strided", "offset"), ("expanded", "strided")]

CASES = [
    # ---- einsum and its relatives
    *[
        Case("einsum", lambda T, *xs, e=e: T.einsum(e, *xs), *[f64(*s) for s in shapes])
        for e, shapes in [
            ("ij,jk->ik", [(2, 3), (3, 4)]),
            ("ij,jk", [(2, 3), (3, 4)]),
            ("ij->ji", [(2, 3)]),
            ("ij->j", [(2, 3)]),
            ("ij->", [(2, 3)]),
            ("ii", [(3, 3)]),
            ("ii->i", [(3, 3)]),
            ("bii->bi", [(2, 3, 3)]),
            ("iij,j->i", [(3, 3, 2), (2,)]),
            ("i,j->ij", [(2,), (3,)]),
            ("i,i->", [(3,), (3,)]),
            ("bi,bi->b", [(2, 3), (2, 3)]),
            ("bij,bjk->bik", [(5, 2, 3), (5, 3, 4)]),
            ("...ij,...jk->...ik", [(5, 2, 3), (3, 4)]),
            ("...ij,jk", [(6, 5, 2, 3), (3, 4)]),
            ("i...,...->i...", [(2, 3, 4), (3, 4)]),
            ("i...->...", [(2, 3, 4)]),
            ("i...->i", [(2, 3)]),
            ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 5)]),
            ("bhqd,bhkd->bhqk", [(2, 3, 4, 5), (2, 3, 6, 5)]),
            ("bhqk,bhkd->bqhd", [(2, 3, 4, 6), (2, 3, 6, 5)]),
            ("ij,ij,ij->i", [(2, 3)] * 3),
            ("ij,kl->jl", [(2, 3), (4, 5)]),
            ("ij,jk->ik", [(2, 1), (3, 4)]),
            ("bij,bj->i", [(1, 2, 3), (4, 3)]),
            ("ij,jk->ik", [(0, 3), (3, 4)]),
            ("ij,jk->ik", [(2, 0), (0, 4)]),
            ("zA,Ab->bz", [(2, 3), (3, 4)]),
            (" i j , j k -> i k ", [(2, 3), (3, 4)]),
            ("a,b,c,d,e,f->ace", [(2,), (3,), (2,), (3,), (2,), (3,)]),
            ("ij->i", [(2, 3)]),
            (",i->i", [(), (3,)]),
            ("ba", [(2, 3)]),
            ("nm,bm,bl,nlm->bn", [(2, 3), (4, 3), (4, 5), (2, 5, 3)]),
        ]
    ],
    Case(
        "einsum",
        lambda T, a, b: (T.einsum(a, [0, 1], b, [1, 2], [0, 2]), T.einsum(a, [0, 1], b, [1, 2])),
        f64(2, 3),
        f64(3, 4),
    ),
    Case("einsum", lambda T, a: (T.einsum(a, [..., 0], [0, ...]), T.einsum("ij...", [a])), f64(2, 3, 4)),
    *[
        Case("einsum", lambda T, a, b: T.einsum("ij,jk->ik", a, b), f32(2, 3, layout=p), f32(3, 4, layout=q))
        for p, q in LAYOUTS
    ],
    *[Case("einsum", lambda T, a, b: T.einsum("ij,jk->ik", a, b), d(2, 3), d(3, 4)) for d in (f16, bf16, i64)],
    *[
        Case("tensordot", lambda T, a, b, d=d: T.tensordot(a, b, d), f64(2, 3, 4), f64(*s))
        for d, s in [(1, (4, 5)), (2, (3, 4, 5)), (0, (5,)), (([1, 2], [1, 0]), (4, 3, 5)), (([0], [-1]), (5, 2))]
    ],
    Case("tensordot", lambda T, a, b: T.tensordot(a, b, dims=2), f32(2, 3), f32(2, 3)),
    *[
        Case("kron", lambda T, a, b: (T.kron(a, b), a.kron(b)), f64(*s), f64(*t))
        for s, t in [((2, 3), (4, 5)), ((2,), (2, 3)), ((2, 2, 2), (3,))]
    ],
    *[
        Case(
            "cross",
            lambda T, a, b, d=d: (T.cross(a, b, dim=d), a.cross(b, d), T.linalg.cross(a, b, dim=d)),
            f64(*s),
            f64(*t),
        )
        for d, s, t in [(-1, (2, 3), (2, 3)), (0, (3, 4), (3, 4)), (1, (2, 3, 4), (1, 3, 4))]
    ],
    *[
        Case(
            "matrix_power",
            lambda T, a, n=n: (T.matrix_power(a, n), a.matrix_power(n), T.linalg.matrix_power(a, n)),
            f64(2, 3, 3, make=regular, grad=n != 0),
        )
        for n in (0, 1, 2, 5, -2)
    ],
    # ---- triangles and diagonals
    *[
        Case(n, lambda T, x, n=n: (getattr(T, n)(x), getattr(x, n)(1), getattr(x, n)(diagonal=-1)), i)
        for n in ("tril", "triu")
        for i in (f64(3, 4), f32(2, 4, 3, layout="transposed"), i64(3, 3), b8(3, 3), bf16(3, 3), f32(0, 3))
    ],
    *[Case(f"Tensor.{n}_", lambda T, x, n=n: getattr(x * 1, f"{n}_")(), f32(3, 4)) for n in ("tril", "triu")],
    *[
        Case(n, lambda T, n=n, a=a: getattr(T, n)(*a))
        for n in ("tril_indices", "triu_indices")
        for a in [(3, 4), (3, 4, 1), (4, 3, -2), (0, 3)]
    ],
    Case("tril_indices", lambda T: T.tril_indices(3, 3, dtype=T.int32)),
    *[
        Case("trace", lambda T, x: (T.trace(x), x.trace()), i)
        for i in (f64(3, 4), i32(3, 3), f16(3, 3), f32(4, 2, layout="strided"))
    ],
    *[
        Case("diag", lambda T, x: (T.diag(x), x.diag(1), x.diag(-1)), i)
        for i in (f64(3), f64(3, 4), f32(4, 3, layout="transposed"), i64(2), i64(2, 3))
    ],
    *[Case("diagflat", lambda T, x: (T.diagflat(x), x.diagflat(2)), f64(*s)) for s in [(3,), (2, 2), ()]],
    *[
        Case(
            "diag_embed",
            lambda T, x: (T.diag_embed(x), x.diag_embed(1), x.diag_embed(-2, 0, 2), x.diag_embed(dim1=1, dim2=0)),
            i,
        )
        for i in (f64(2, 3), i64(2, 3))
    ],
]

ERRORS = [
    *[
        Error("einsum", lambda T, *xs, e=e: T.einsum(e, *xs), *[f32(*s) for s in shapes], words=w)
        for e, shapes, w in [
            (
                "ij,jk->ik",
                [(2, 3), (4, 5)],
                "subscript j has size 4 for operand 1 which does not broadcast with previously seen size 3",
            ),
            ("ij,jk", [(2, 3)], "fewer operands were provided than specified in the equation"),
            ("ij", [(2, 3), (2, 3)], "more operands were provided than specified in the equation"),
            (
                "ij",
                [(2, 3, 4)],
                "(2) does not match the number of dimensions (3) for operand 0 and no ellipsis was given",
            ),
            ("ij->ik", [(2, 3)], "output subscript k does not appear in the equation for any input operand"),
            ("ij->ii", [(2, 3)], "output subscript i appears more than once in the output"),
            (
                "i1->i",
                [(2, 3)],
                "invalid subscript given at index 1 in the equation string, subscripts must be in [a-zA-Z]",
            ),
            ("ii", [(2, 3)], "subscript i is repeated for operand 0 but the sizes don't match, 3 != 2"),
            ("i.j", [(2, 3)], "found '.' for operand 0 that is not part of any ellipsis"),
        ]
    ],
    Error("einsum", lambda T: T.einsum("ij,jk->ik"), words="must specify the equation string and at least one operand"),
    *[
        Error("tensordot", lambda T, a, b, d=d: T.tensordot(a, b, d), f32(2, 3), f32(4, 3), words=w)
        for d, w in [
            (1, "contracted dimensions need to match, but first has size 3 in dim -1 and second has size 4 in dim 0"),
            (([0], [1, 0]), "both dimension lists should have same length"),
            (5, "but got dims=5"),
            (-1, "tensordot expects dims >= 0, but got dims=-1"),
        ]
    ],
    Error(
        "cross",
        lambda T, a: T.cross(a, a, dim=0),
        f32(2, 2),
        words="inputs dimension 0 must have length 3. Got 2 and 2",
    ),
    Error(
        "linalg.cross",
        lambda T, a: T.linalg.cross(a, a),
        f32(2, 2),
        words="inputs dimension -1 must have length 3. Got 2 and 2",
    ),
    Error(
        "matrix_power",
        lambda T, a: T.matrix_power(a, 2),
        f32(2, 3),
        words="A must be batches of square matrices, but they are 2 by 3 matrices",
    ),
    Error("tril", lambda T, a: T.tril(a), f32(3), words="tril: input tensor must have at least 2 dimensions"),
    Error("triu", lambda T, a: T.triu(a), f32(3), words="triu: input tensor must have at least 2 dimensions"),
    Error("tril_indices", lambda T: T.tril_indices(-1, 4), words="row must be non-negative, got-1"),
    Error("trace", lambda T, a: T.trace(a), f32(3), words="trace: expected a matrix, but got tensor with dim 1"),
    Error("diag", lambda T, a: T.diag(a), f32(3, 3, 3), words="diag(): Supports 1D or 2D tensors. Got 3D"),
    Error(
        "diag_embed",
        lambda T, a: T.diag_embed(a, dim1=0, dim2=0),
        f32(3),
        words="diagonal dimensions cannot be identical 0, 0",
    ),
    Error(
        "diag_embed",
        lambda T, a: T.diag_embed(a, dim1=0, dim2=3),
        f32(3),
        words="Dimension out of range (expected to be in range of [-2, 1], but got 3)",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_equals_torch(case: Case) -> None:
    run_case(case)


@pytest.mark.parametrize("case", ERRORS, ids=ids(ERRORS))
def test_refused_like_torch(case: Error) -> None:
    run_error(case)


def _quiet():
    return warnings.catch_warnings(action="ignore")


def test_cross_without_a_dimension_is_deprecated() -> None:
    results = []
    for T in (tinytorch, torch):
        with (
            pytest.warns(UserWarning, match="torch.cross without specifying the dim arg")
            if T is tinytorch
            else _quiet()
        ):
            results.append(T.cross(T.arange(6.0).reshape(2, 3), T.ones(2, 3)).tolist())
    assert results[0] == results[1]
