"""Pointwise operations against PyTorch."""

from __future__ import annotations

import pytest

from tests.parity.harness import Case, Error, f32, i64, ids, positive, run_case, run_error

CASES = [
    Case("add", lambda T, x, y: T.add(x, y), f32(3, 4), f32(4)),
    Case("add", lambda T, x, y: T.add(x, y, alpha=2), f32(3, 4, layout="transposed"), f32(3, 1)),
    Case("add", lambda T, x: x + 2, f32()),
    Case("add", lambda T, x, y: x + y, i64(3), f32(2, 3)),
    Case("mul", lambda T, x, y: x * y, f32(3, 4), f32(4)),
    Case("log", lambda T, x: T.log(x), f32(3, 4, make=positive)),
    Case("Tensor.mul_", lambda T, x, y: (x * 1).mul_(y), f32(3, 4), f32(4)),
]
ERRORS = [Error("add", lambda T, x, y: x + y, f32(2, 3), f32(2, 4), words="must match the size of tensor b (4)")]


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_equals_torch(case: Case) -> None:
    run_case(case)


@pytest.mark.parametrize("case", ERRORS, ids=ids(ERRORS))
def test_refused_like_torch(case: Error) -> None:
    run_error(case)
