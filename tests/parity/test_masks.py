"""Masks, `where`, `nonzero`, and writing one number or one tensor everywhere, against PyTorch."""

from __future__ import annotations

import pytest

from tests.parity.harness import Case, Error, b8, bf16, f16, f32, f64, i8, i64, ids, run_case, run_error, same, u8

MASK = b8(3, 4)
GRID = i64(2, 3, make=same([[0, 1, 2], [2, 1, 0]]))

CASES = [
    Case("masked_fill", lambda T, x, m: T.masked_fill(x, m, 2.5), f32(3, 4), MASK),
    Case("Tensor.masked_fill", lambda T, x, m: x.masked_fill(m, float("-inf")), f32(2, 3, 4), MASK),
    Case("masked_fill", lambda T, x, m: x.masked_fill(m, 1), f32(4), MASK),
    Case("masked_fill", lambda T, x, m, v: x.masked_fill(m, v), f32(3, 4, layout="transposed"), b8(4), f32()),
    Case("masked_fill", lambda T, x, m: x.masked_fill(m, 1.5), i64(3, 4), MASK),
    Case("masked_fill", lambda T, x, m: x.masked_fill(m, 1.5), bf16(3, 4), MASK),
    Case("Tensor.masked_fill_", lambda T, x, m: (x * 1).masked_fill_(m, 0), f32(3, 4), b8(3, 1)),
    Case("Tensor.masked_fill_", lambda T, x, m, v: (x * 1).masked_fill_(m, v), f32(3, 4), MASK, f32()),
    Case("masked_select", lambda T, x, m: T.masked_select(x, m), f32(3, 4), MASK),
    Case("Tensor.masked_select", lambda T, x, m: x.masked_select(m), f32(3, 4, layout="transposed"), b8(4)),
    Case("masked_select", lambda T, x, m: x.masked_select(m), f32(4), MASK),
    Case("masked_select", lambda T, x, m: x.masked_select(m), f32(), b8()),
    Case("masked_scatter", lambda T, x, m, s: T.masked_scatter(x, m, s), f32(3, 4), MASK, f32(4, 4)),
    Case("masked_scatter", lambda T, x, m, s: x.masked_scatter(m, s), f32(4), MASK, f32(12)),
    Case("Tensor.masked_scatter_", lambda T, x, m, s: (x * 1).masked_scatter_(m, s), f32(3, 4), b8(4), f32(13)),
    Case("where", lambda T, m, x, y: T.where(m, x, y), MASK, f32(3, 4), f32(4)),
    Case("where", lambda T, m, x, y: T.where(m, x, y), b8(2, 1, 1), f32(3, 1), f32()),
    Case("where", lambda T, m, x: T.where(m, x, 2), MASK, f32(3, 4)),
    Case("where", lambda T, m, x: T.where(m, 0.5, x), MASK, i64(3, 4)),
    Case("where", lambda T, m: [T.where(m, 1, 2), T.where(m, 1.0, 2), T.where(m, True, False)], MASK),
    Case("where", lambda T, m, x, y: T.where(m, x, y), MASK, f16(3, 4), f32(3, 4)),
    Case("Tensor.where", lambda T, x, y: x.where(x > 0, y), f32(3, 4), f32()),
    Case("where", lambda T, m: T.where(m), MASK),
    Case("nonzero", lambda T, x: T.nonzero(x), i64(3, 4), strides=True),
    Case("Tensor.nonzero", lambda T, x: x.nonzero(as_tuple=True), b8(2, 3, 2)),
    Case("nonzero", lambda T, x: [x.nonzero(), x.nonzero(as_tuple=True)], f32(grad=False)),
    Case("nonzero", lambda T, x: x.nonzero(), f32(0, 3)),
    Case("argwhere", lambda T, x: T.argwhere(x), f32(3, 4, grad=False), strides=True),
    Case("Tensor.argwhere", lambda T, x: x.argwhere(), i8(make=same(0))),
    Case("Tensor.copy_", lambda T, x, y: (x * 1).copy_(y), f32(3, 4), f64(4)),
    Case("Tensor.fill_", lambda T, x, v: (x * 1).fill_(v), f32(3, 4), f32()),
    Case("Tensor.fill_", lambda T, x: (x * 1).fill_(2.5), f32(3, 4)),
    Case("Tensor.zero_", lambda T, x: (x * 1).zero_(), f32(3, 4)),
    Case("Tensor.fill_", lambda T, x: x.clone().expand(2, 3).fill_(1), f32(3, grad=False)),
]  # fmt: skip

ERRORS = [
    Error("masked_fill", lambda T, x, m: x.masked_fill(m, 1), f32(3, 4), u8(3, 4),
          words="mask with dtype unsigned char"),
    Error("masked_fill", lambda T, x, m: x.masked_fill(m, 1), f32(3, 4), i64(3, 4), words="mask with dtype long int"),
    Error("masked_fill", lambda T, x, m: x.masked_fill(m, x), f32(3, 4), MASK,
          words="but got tensor with 2 dimension(s)."),
    Error("masked_fill", lambda T, x, m: x.masked_fill(m, 1), f32(3, 4), b8(3, 2),
          words="(2) must match the size of tensor b (4) at"),
    Error("Tensor.masked_fill_", lambda T, x, m: (x * 1).masked_fill_(m, 1), f32(4), MASK,
          words="output with shape [4] doesn't match the broadcast shape [3, 4]"),
    Error("masked_select", lambda T, x, m: x.masked_select(m), f32(3, 4), i64(3, 4),
          words="masked_select: expected BoolTensor for mask"),
    Error("masked_select", lambda T, x, m: x.masked_select(m), f32(3, 4), b8(3, 2),
          words="must match the size of tensor b (4)"),
    Error("masked_scatter", lambda T, x, m, s: x.masked_scatter(m, s), f32(2), b8(2, make=same([1, 1])), f32(1),
          words="Number of elements of source < number of ones in mask"),
    Error("masked_scatter", lambda T, x, m, s: x.masked_scatter(m, s), f32(2), b8(2), f64(2),
          words="gotFloat and Double"),
    Error("where", lambda T, x: T.where(x, x, x), f32(3),
          words="expected condition to be a boolean tensor, but got a tensor with dtype Float"),
    Error("where", lambda T, m, x: T.where(m, x, x[0, :3]), MASK, f32(3, 4),
          words="(4) must match the size of tensor b (3)"),
    Error("where", lambda T, m, x: T.where(m, x), MASK, f32(3, 4),
          words="received an invalid combination of arguments"),
    Error("Tensor.copy_", lambda T, x, y: (x * 1).copy_(y), f32(3, 4), f32(5),
          words="size of tensor a (4) must match the size of tensor b (5)"),
    Error("Tensor.fill_", lambda T, x, y: (x * 1).fill_(y), f32(3, 4), f32(2),
          words="value tensor but got tensor with 1 dimensions."),
    Error("Tensor.fill_", lambda T, x: (x * 1).fill_("a"), f32(3, 4),
          words="received an invalid combination of arguments - got (str)"),
    Error("Tensor.copy_", lambda T, x, y: x.expand(3, 4).copy_(y), f32(4, grad=False), f32(3, 4),
          words="refers to a single memory location"),
    Error("Tensor.add_", lambda T, x: x.expand(3, 4).add_(1), f32(4, grad=False),
          words="Please clone() the tensor before performing"),
    Error("scatter", lambda T, x, i: x.expand(3, 4).scatter_(0, i, 1.0), f32(4, grad=False), GRID,
          words="refers to a single memory location"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_equals_torch(case: Case) -> None:
    run_case(case)


@pytest.mark.parametrize("case", ERRORS, ids=ids(ERRORS))
def test_refused_like_torch(case: Error) -> None:
    run_error(case)
