"""Indexing against PyTorch: reading, writing, picking and scattering, with gradients."""

from __future__ import annotations

import warnings
from typing import Any

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
    compare,
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
)

ROWS, COLUMNS = i64(2, make=same([2, 0])), i64(2, make=same([1, 3]))
GRID = i64(2, 3, make=below(3))
MASK = b8(3, 4)


def put(T: Any, x: Any, index: Any, value: Any) -> Any:
    y = x * 1
    y[index] = value
    return y


READ = [
    Case("Tensor.__getitem__", lambda T, x, i=i: x[i], f32(3, 4, 5), strides=True)
    for i in (
        0, -1, (0, 1), (0, 1, 2), slice(1, 3), slice(None, None, 2), slice(-2, None), slice(2, 1), slice(0, 100), None, ...,
        (None, ...), (..., None), (..., 0), (0, ..., 1), (slice(None), 2), (slice(None), None, 2), (None, 1, None, slice(1, 3)),
        (slice(None), slice(None, None, 3), 0), (1, ..., None, 2), (), (None, None), (slice(0, 0),), (..., slice(1, 4, 2)),
    )
] + [
    Case("Tensor.__getitem__", lambda T, x, i=i: x[i], f32(3, 4, 5))
    for i in (
        [0, 2], ([0, 2], 1), ([0, 2], [1, 3]), (slice(None), [1, 1, 0]), (0, slice(None), [1, 2]), ([0], slice(None), [1, 2]),
        ([0, 1], ..., [2, 2]), (None, [0, 1]), ([0, 1], None, [1, 2]), (slice(1, 3), [0, 1]), (slice(None), [0], [1, 2]), True, False,
        ([True, False, True],), ([True, False, True], [0, 1]), (slice(None), [True, False, True, True], 0), [], ([-1, -2],),
        (0, [True, False, True, True]), (..., [0, 1]), ([[0, 1], [2, 2]],), ([[0], [1]], [0, 1]), (..., [0, 1], slice(None, None, 2)),
        (True, 0), (None, True),
    )
]  # fmt: skip
READ += [
    Case("Tensor.__getitem__", lambda T, x, i: x[i], f32(3, 4), i64(5, make=below(3))),
    Case("Tensor.__getitem__", lambda T, x, i: x[i], f32(3, 4, layout="transposed"), i32(2, 2, make=below(3))),
    Case("Tensor.__getitem__", lambda T, x, i: x[:, i], f32(3, 4), i64(0, make=below(3))),
    Case("Tensor.__getitem__", lambda T, x, i: x[i], f32(3, 4), i64(make=same(1))),
    Case("Tensor.__getitem__", lambda T, x, i: x[i, :, i], f32(3, 4, 3), i64(make=same(1))),
    Case("Tensor.__getitem__", lambda T, x, i, j: x[i, j], f32(3, 4), ROWS, COLUMNS),
    Case("Tensor.__getitem__", lambda T, x, i, j: x[i, :, j], f32(3, 2, 4), ROWS, COLUMNS),
    Case("Tensor.__getitem__", lambda T, x, i, j: x[:, i, j], f32(2, 3, 4), ROWS, COLUMNS),
    Case("Tensor.__getitem__", lambda T, x, m: x[m], f32(3, 4), MASK),
    Case("Tensor.__getitem__", lambda T, x, m: x[m], f32(3, 4, 2), MASK),
    Case("Tensor.__getitem__", lambda T, x, m: x[:, m], f32(2, 3, 4), MASK),
    Case("Tensor.__getitem__", lambda T, x, m: x[..., m], f32(2, 3, 4), MASK),
    Case("Tensor.__getitem__", lambda T, x: x[x > 0], f32(3, 4)),
    Case("Tensor.__getitem__", lambda T, x: x[T.tensor(True)], f32(3, 4)),
    Case("Tensor.__getitem__", lambda T, x: x[np.array([0, 2])], f32(3, 4)),
    Case("Tensor.__getitem__", lambda T, x: x[T.tensor(1) :], f32(3, 4)),
    Case("Tensor.__getitem__", lambda T, x: x[...], f32()),
    Case("Tensor.__getitem__", lambda T, x: x[None], f32()),
    Case("Tensor.__getitem__", lambda T, x: x[()], f32()),
    Case("Tensor.__getitem__", lambda T, x, i: x[i], bf16(3, 4), ROWS),
    Case("Tensor.__getitem__", lambda T, x, i: x[i], b8(3, 4), ROWS),
]

WRITE = [
    Case("Tensor.__setitem__", lambda T, x, v, i=i: put(T, x, i, v), f32(3, 4), f32(*shape))
    for i, shape in (
        (0, (4,)), (0, ()), ((0, 1), ()), (slice(1, 3), (2, 4)), (slice(1, 3), (4,)), ((slice(None), 2), (3,)),
        (slice(None, None, 2), (1, 4)), (..., (3, 4)), (None, (3, 4)), (0, (1, 1, 4)), ([0, 2], (2, 4)), ([0, 2], (4,)),
        ([0, 2], ()), ((slice(None), [1, 0]), (3, 2)), (([0, 2], [1, 3]), (2,)), ([True, False, True], (2, 4)),
        ((0, [1, 3]), (2,)), ((slice(1, 3), [0, 1]), (2, 2)), (([0, 2],), (1, 1, 4)), (slice(0, 0), (0, 4)), (True, (3, 4)),
    )
] + [
    Case("Tensor.__setitem__", lambda T, x, i=i: put(T, x, i, 2.5), f32(3, 4))
    for i in (0, (1, 2), slice(1, None), (..., 0), [0, 2], ([0, 2], [1, 3]), [True, False, True], None, ..., True, False)
] + [
    Case("Tensor.__setitem__", lambda T, x, m: put(T, x, m, 0.5), f32(3, 4), MASK),
    Case("Tensor.__setitem__", lambda T, x, m: put(T, x, x > 0, 0), f32(3, 4), MASK),
    Case("Tensor.__setitem__", lambda T, x, m, v: put(T, x, m, v), f32(2, 3), b8(2, 3, make=same([1, 0, 0, 1, 1, 0])), f32(3)),
    Case("Tensor.__setitem__", lambda T, x, v: put(T, x, 0, v), f32(2, 3), f64(3)),
    Case("Tensor.__setitem__", lambda T, x: put(T, x, 0, 1.7), i64(2, 3)),
    Case("Tensor.__setitem__", lambda T, x, v: put(T, x, 0, v), i64(2, 3), f32(3)),
    Case("Tensor.__setitem__", lambda T, x: put(T, x, [0], True), f16(2, 3)),
    Case("Tensor.__setitem__", lambda T, x, v: put(T, x, (), v), f32(), f32()),
]  # fmt: skip

PICK = [
    Case("gather", lambda T, x, i: T.gather(x, 0, i), f32(3, 4), GRID),
    Case("Tensor.gather", lambda T, x, i: x.gather(1, i), f32(3, 4, layout="transposed"), GRID),
    Case("gather", lambda T, x, i: x.gather(-1, i), f32(2, 3, 4), i64(2, 1, 6, make=below(4))),
    Case("gather", lambda T, x, i: x.gather(0, i), f32(3, 4), i32(2, 3, make=below(3))),
    Case("gather", lambda T, x, i: x.gather(0, i), f32(), i64(make=same(0))),
    Case("gather", lambda T, x, i: x.gather(0, i), f32(3, 4), i64(0, 4)),
    Case("gather", lambda T, x, i: x.gather(0, i), bf16(3, 4), GRID),
    Case("gather out", lambda T, x, i: T.gather(x, 0, i, out=T.empty(0)), f32(3, 4, grad=False), GRID),
    Case("scatter", lambda T, x, i, s: T.scatter(x, 0, i, s), f32(3, 4), i64(1, 4, make=below(3)), f32(2, 4, grad=False)),
    Case("Tensor.scatter_", lambda T, x, i, s: (x * 1).scatter_(1, i, s), f32(3, 4), i64(3, 1, make=below(4)), f32(3, 1)),
    Case("scatter", lambda T, x, i: x.scatter(1, i, 2.5), f32(3, 4, layout="strided"), i64(3, 2, make=below(4))),
    Case("scatter", lambda T, x, i: x.scatter(1, i, value=2), i64(3, 4), i64(3, 2, make=below(4))),
    Case("Tensor.scatter_", lambda T, x, i: (x * 1).scatter_(0, i, 1.0), f32(3, 4), GRID),
    Case("scatter", lambda T, x, i: x.scatter(0, i, 3.0, reduce="add"), f32(3, 4, grad=False), GRID),
    Case("scatter", lambda T, x, i: x.scatter(0, i, 3.0, reduce="multiply"), f32(3, 4, grad=False), GRID),
    Case("scatter", lambda T, x, i: x.scatter(0, i, 3.0), f32(), i64(make=same(0))),
    Case("scatter_add", lambda T, x, i, s: T.scatter_add(x, 0, i, s), f32(3, 4), GRID, f32(2, 3)),
    Case("Tensor.scatter_add_", lambda T, x, i, s: (x * 1).scatter_add_(1, i, s), f32(3, 4, layout="transposed"), GRID, f32(2, 3)),
    Case("scatter_add", lambda T, x, i, s: x.scatter_add(-1, i, s), i64(2, 3), i64(2, 5, make=below(3)), i64(2, 5)),
    *[Case("scatter_reduce", lambda T, x, i, s, r=r, w=w: T.scatter_reduce(x, 0, i, s, r, include_self=w), f32(3, 4), GRID, f32(2, 3),
           second=r in ("sum", "mean")) for r in ("sum", "mean", "prod", "amax", "amin") for w in (True, False)],
    Case("Tensor.scatter_reduce_", lambda T, x, i, s: (x * 1).scatter_reduce_(1, i, s, "sum"), f32(3, 4), GRID, f32(2, 3)),
    Case("scatter_reduce", lambda T, x, i, s: x.scatter_reduce(1, i, s, "mean"), i64(3, 4), GRID, i64(2, 3)),
    Case("index_select", lambda T, x, i: T.index_select(x, 0, i), f32(3, 4), ROWS),
    Case("Tensor.index_select", lambda T, x, i: x.index_select(1, i), f32(3, 4, layout="transposed"), COLUMNS),
    Case("index_select", lambda T, x, i: x.index_select(-1, i), f32(2, 3, 4), i32(5, make=below(4))),
    Case("index_select", lambda T, x, i: x.index_select(0, i), f32(3, 4), i64(make=same(1))),
    Case("index_select", lambda T, x, i: x.index_select(0, i), f32(), i64(1, make=same([0]))),
    Case("index_select", lambda T, x, i: x.index_select(0, i), f32(3, 4), i64(0)),
    Case("index_add", lambda T, x, i, s: T.index_add(x, 0, i, s), f32(3, 4), i64(5, make=below(3)), f32(5, 4)),
    Case("index_add", lambda T, x, i, s: x.index_add(1, i, s, alpha=2), f32(3, 4), COLUMNS, f32(3, 2)),
    Case("Tensor.index_add_", lambda T, x, i, s: (x * 1).index_add_(1, i, s, alpha=-1), f32(3, 4), i64(6, make=below(4)), f32(3, 6)),
    Case("index_add", lambda T, x, i, s: x.index_add(0, i, s), i64(3), i64(4, make=below(3)), i64(4)),
    Case("index_copy", lambda T, x, i, s: T.index_copy(x, 0, i, s), f32(3, 4), ROWS, f32(2, 4)),
    Case("Tensor.index_copy_", lambda T, x, i, s: (x * 1).index_copy_(1, i, s), f32(3, 4), COLUMNS, f32(3, 2)),
    Case("index_fill", lambda T, x, i: T.index_fill(x, 0, i, 2.5), f32(3, 4), ROWS),
    Case("index_fill", lambda T, x, i, v: x.index_fill(1, i, v), f32(3, 4), COLUMNS, f32()),
    Case("Tensor.index_fill_", lambda T, x, i: (x * 1).index_fill_(1, i, -1), f32(3, 4), i64(2, make=same([-1, 0]))),
    Case("index_fill", lambda T, x, i: x.index_fill(0, i, 1.5), i64(3, 4), ROWS),
    Case("index_put", lambda T, x, i, v: T.index_put(x, (i,), v), f32(3, 4), ROWS, f32(2, 4)),
    Case("index_put", lambda T, x, i, j, v: x.index_put((i, j), v), f32(3, 4), ROWS, COLUMNS, f32()),
    Case("index_put", lambda T, x, i, v: x.index_put([i], v, accumulate=True), f32(3, 4), i64(6, make=below(3)), f32(6, 4)),
    Case("index_put", lambda T, x, i, j, v: x.index_put((i, j), v, accumulate=True), f32(3, 4), GRID, GRID, f32(3)),
    Case("index_put", lambda T, x, m, v: x.index_put((m,), v, True), f32(3, 4), MASK, f32()),
    Case("Tensor.index_put_", lambda T, x, i, v: (x * 1).index_put_((i,), v), f32(3, 4), ROWS, f32(4)),
    Case("take", lambda T, x, i: T.take(x, i), f32(3, 4), i64(2, 3, make=below(12))),
    Case("Tensor.take", lambda T, x, i: x.take(i), f32(3, 4, layout="transposed"), i64(3, make=same([-1, 0, -12]))),
    Case("take_along_dim", lambda T, x, i: T.take_along_dim(x, i, 1), f32(3, 4), i64(1, 2, make=below(4))),
    Case("take_along_dim", lambda T, x, i: x.take_along_dim(i, 0), f32(3, 1), GRID),
    Case("take_along_dim", lambda T, x, i: x.take_along_dim(i), f32(3, 4), GRID),
    Case("Tensor.put_", lambda T, x, i, s: (x * 1).put_(i, s), f32(3, 4), i64(2, make=same([5, -1])), f32(2)),
    Case("Tensor.put_", lambda T, x, i, s: (x * 1).put_(i, s, accumulate=True), f32(3, 4), i64(2, 3, make=below(12)), f32(6)),
    Case("put", lambda T, x, i, s: T.put(x, i, s), f32(3, 4, layout="transposed"), i64(2, make=same([5, 11])), f32(2)),
]  # fmt: skip

CASES = READ + WRITE + PICK

BOUNDS = "index 3 is out of bounds for dimension 0 with size 3"
ERRORS = [
    Error("Tensor.__getitem__", lambda T, x: x[::-1], f32(3, 4), words="step must be greater than zero"),
    Error("Tensor.__getitem__", lambda T, x: x[:, ::0], f32(3, 4), words="slice step cannot be zero"),
    Error("Tensor.__getitem__", lambda T, x: x[5], f32(3, 4),
          words="index 5 is out of bounds for dimension 0 with size 3"),
    Error("Tensor.__getitem__", lambda T, x: x[-4], f32(3, 4),
          words="index -4 is out of bounds for dimension 0 with size 3"),
    Error("Tensor.__getitem__", lambda T, x: x[0, 7], f32(3, 4),
          words="index 7 is out of bounds for dimension 1 with size 4"),
    Error("Tensor.__getitem__", lambda T, x: x[..., 7], f32(3, 4),
          words="index 7 is out of bounds for dimension 1 with size 4"),
    Error("Tensor.__getitem__", lambda T, x: x[1, 2, 3], f32(3, 4), words="too many indices for tensor of dimension 2"),
    Error("Tensor.__getitem__", lambda T, x: x[0], f32(), words="invalid index of a 0-dim tensor. Use `tensor.item()`"),
    Error("Tensor.__getitem__", lambda T, x: x[1.5], f32(3), words="are valid indices (got float)"),
    Error("Tensor.__getitem__", lambda T, x: x["a"], f32(3), words="new(): invalid data type 'str'"),
    Error("Tensor.__getitem__", lambda T, x, i: x[i], f32(3), f32(2), words="must be long, int, byte or bool tensors"),
    Error("Tensor.__getitem__", lambda T, x, i: x[i], f32(3), i8(2), words="must be long, int, byte or bool tensors"),
    Error("Tensor.__getitem__", lambda T, x, i: x[i], f32(3, 4), i64(2, make=same([1, 3])), words=BOUNDS),
    Error("Tensor.__getitem__", lambda T, x, i: x[i], f32(3, 4), b8(2),
          words="The shape of the mask [2] at index 0 does not match the shape of the indexed tensor [3, 4] at index 0"),
    Error("Tensor.__getitem__", lambda T, x, i: x[i], f32(3, 4), b8(3, 2),
          words="The shape of the mask [3, 2] at index 1 does not match"),
    Error("Tensor.__getitem__", lambda T, x: x[[0, 1], [0, 1, 2]], f32(3, 4),
          words="shape mismatch: indexing tensors could not be broadcast together with shapes [2], [3]"),
    Error("Tensor.__setitem__", lambda T, x, v: put(T, x, 0, v), f32(3, 4), f32(3),
          words="(4) must match the existing size (3)"),
    Error("Tensor.__setitem__", lambda T, x, v: put(T, x, 0, v), f32(3, 4), f32(2, 4),
          words="expand(torch.FloatTensor{[2, 4]}, size=[4])"),
    Error("Tensor.__setitem__", lambda T, x, v: put(T, x, [0, 2], v), f32(3, 4), f32(3),
          words="shape mismatch: value tensor of shape [3] cannot be broadcast to indexing result of shape [2, 4]"),
    Error("Tensor.__setitem__", lambda T, x, v: put(T, x, [0, 2], v), f32(3, 4), f64(4),
          words="got Float for the destination and Double"),
    Error("Tensor.__setitem__", lambda T, x: put(T, x, 0, [1, 2]), f32(3, 4),
          words="can't assign a list to a torch.FloatTensor"),
    Error("Tensor.__setitem__", lambda T, x: put(T, x, 0, "a"), f32(3, 4),
          words="can't assign a str to a torch.FloatTensor"),
    Error("Tensor.__setitem__", lambda T, x: put(T, x, 5, 1), f32(3, 4),
          words="index 5 is out of bounds for dimension 0 with size 3"),
    Error("Tensor.__setitem__", lambda T, x: put(T, x, [3], 1), f32(3, 4), words=BOUNDS),
    Error("Tensor.__setitem__", lambda T, x: x.__setitem__(0, 1.0), f32(3, 4),
          words="a view of a leaf Variable that requires grad"),
    Error("Tensor.__setitem__", lambda T, x: x.__setitem__([0], 1.0), f32(3, 4),
          words="a leaf Variable that requires grad is being used"),
    Error("gather", lambda T, x, i: x.gather(0, i), f32(3, 4), ROWS, words="same number of dimensions as input tensor"),
    Error("gather", lambda T, x, i: x.gather(0, i + 3), f32(3, 4), i64(1, 1, make=same([0])), words=BOUNDS),
    Error("gather", lambda T, x, i: x.gather(0, i - 1), f32(3, 4), i64(1, 1, make=same([0])),
          words="index -1 is out of bounds"),
    Error("gather", lambda T, x, i: x.gather(0, i), f32(3, 4), i64(2, 5, make=below(3)),
          words="Size does not match at dimension 1 expected index [2, 5] to be no larger than self [3, 4] apart from dimension 0"),
    Error("gather", lambda T, x, i: x.gather(2, i), f32(3, 4), GRID, words="[-2, 1], but got 2"),
    Error("scatter", lambda T, x, i, s: x.scatter(0, i, s), f32(3, 4), GRID, f32(1, 4),
          words="to be no larger size than src [1, 4]"),
    Error("scatter", lambda T, x, i, s: x.scatter(0, i, s), f32(3, 4), GRID, f64(3, 4),
          words="Expected self.dtype to be equal to src.dtype"),
    Error("scatter", lambda T, x, i: x.scatter(0, i + 3, 1.0), f32(3, 4), i64(1, 1, make=same([0])), words=BOUNDS),
    Error("scatter", lambda T, x, i: x.scatter(0, i, 1.0), f32(3, 4), ROWS,
          words="same number of dimensions as self tensor"),
    Error("scatter", lambda T, x, i, s: x.scatter(0, i, s, reduce="foo"), f32(3, 4), GRID, f32(3, 4),
          words="either add or multiply"),
    Error("scatter", lambda T, x, i: x.scatter(0, i), f32(3, 4), GRID,
          words="invalid combination of arguments - got (int, Tensor)"),
    Error("scatter_add", lambda T, x, i, s: x.scatter_add(0, i, s), f32(3, 4), GRID, f64(3, 4),
          words="Expected self.dtype"),
    Error("scatter_reduce", lambda T, x, i, s: x.scatter_reduce(0, i, s, "foo"), f32(3, 4), GRID, f32(3, 4),
          words="amax or amin, got foo"),
    Error("index_select", lambda T, x, i: x.index_select(0, i), f32(3, 4), i64(1, make=same([3])),
          words="index out of range in self"),
    Error("index_select", lambda T, x, i: x.index_select(0, i), f32(3, 4), f32(1),
          words="Expected dtype int32 or int64 for index"),
    Error("index_select", lambda T, x, i: x.index_select(0, i), f32(3, 4), GRID,
          words="Index is supposed to be a vector"),
    Error("index_select", lambda T, x, i: x.index_select(2, i), f32(3, 4), ROWS, words="[-2, 1], but got 2"),
    Error("index_add", lambda T, x, i, s: x.index_add(0, i, s), f32(3, 4), ROWS, f32(1, 4),
          words="Number of indices (2) should be equal"),
    Error("index_add", lambda T, x, i, s: x.index_add(0, i, s), f32(3, 4), ROWS, f64(2, 4),
          words="self (Float) and source (Double)"),
    Error("index_add", lambda T, x, i, s: x.index_add(0, i, s), f32(3, 4), ROWS, f32(2, 2),
          words="self.shape = [3, 4] source.shape = [2, 2]"),
    Error("index_add", lambda T, x, i, s: x.index_add(0, i, s), f32(3, 4), i64(2, make=same([0, 3])), f32(2, 4),
          words=BOUNDS),
    Error("index_copy", lambda T, x, i, s: x.index_copy(0, i, s), f32(3, 4), ROWS, f32(1, 4),
          words="source.size(dim) (1)"),
    Error("index_copy", lambda T, x, i, s: x.index_copy(0, i, s), f32(3, 4), i64(2, make=same([0, 3])), f32(2, 4),
          words=BOUNDS),
    Error("index_copy", lambda T, x, i, s: x.index_copy(0, i, s), f32(3, 4), ROWS, f32(2, 2),
          words="Destination slice shape: 4 at"),
    Error("index_copy", lambda T, x, i, s: x.index_copy(0, i, s), f32(3, 4), ROWS, i64(2, 4),
          words="(self) Float and (source) Long"),
    Error("index_copy", lambda T, x, i, s: x.index_copy(0, i, s), f32(3, 4), i32(2), f32(2, 4),
          words="Expected a long tensor for index, but got Int"),
    Error("index_fill", lambda T, x, i: x.index_fill(0, i, 1), f32(3, 4), i64(1, make=same([3])), words=BOUNDS),
    Error("index_fill", lambda T, x, i: x.index_fill(0, i, x), f32(3, 4), ROWS,
          words="but got tensor with 2 dimension(s)."),
    Error("index_fill", lambda T, x, i: x.index_fill(0, i, 1), f32(3, 4), i32(1),
          words="index_fill_(): Expected dtype int64 for index."),
    Error("index_put", lambda T, x, i, v: x.index_put((i,), v), f32(3, 4), ROWS, f32(3),
          words="value tensor of shape [3] cannot be"),
    Error("index_put", lambda T, x, i, v: x.index_put((i,), v), f32(3, 4), ROWS, f64(4),
          words="got Float for the destination and Double"),
    Error("index_put", lambda T, x, i, v: x.index_put(i, v), f32(3, 4), ROWS, f32(4),
          words="must be tuple of Tensors, not Tensor"),
    Error("take", lambda T, x, i: x.take(i), f32(3, 4), i64(1, make=same([12])),
          words="tried to access index 12 on a tensor of 12 elements."),
    Error("take", lambda T, x, i: x.take(i), f32(3, 4), i32(1),
          words="take(): Expected a long tensor for index, but got Int"),
    Error("take", lambda T, x, i: x.take(i), f32(0), ROWS, words="take(): tried to take from an empty tensor"),
    Error("take_along_dim", lambda T, x, i: x.take_along_dim(i, 1), f32(3, 4), ROWS,
          words="2 dimensions for input, and 1 dimensions"),
    Error("take_along_dim", lambda T, x, i: x.take_along_dim(i, 1), f32(3, 4), i32(1, 2),
          words="should be Long but got Int"),
    Error("Tensor.put_", lambda T, x, i, s: (x * 1).put_(i, s), f32(3, 4), ROWS, f32(3),
          words="source.numel() = 3, index.numel() = 2"),
    Error("Tensor.put_", lambda T, x, i, s: (x * 1).put_(i, s), f32(3, 4), i64(1, make=same([20])), f32(1),
          words="access index 20 on a"),
    Error("Tensor.put_", lambda T, x, i, s: (x * 1).put_(i, s), f32(3, 4), ROWS, f64(2),
          words="self.dtype = Float and source.dtype = Double"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
@pytest.mark.filterwarnings("ignore:Using a non-tuple sequence", "ignore:The reduce argument", "ignore:Use of ")
def test_equals_torch(case: Case) -> None:
    run_case(case)


@pytest.mark.parametrize("case", ERRORS, ids=ids(ERRORS))
def test_refused_like_torch(case: Error) -> None:
    run_error(case)


@pytest.mark.parametrize("T", [torch, tinytorch], ids=["torch", "tinytorch"])
def test_masks_of_bytes_are_deprecated(T: Any) -> None:
    x, mask = T.arange(3.0), T.tensor([1, 0, 1], dtype=T.uint8)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert x[mask].tolist() == [0.0, 2.0]
        assert T.where(mask, x, -1.0).tolist() == [0.0, -1.0, 2.0]
    assert T is torch or ["uint8" in str(w.message) for w in seen] == [True, True]


def random_index(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple:
    """Any mixture of numbers, slices, None, ..., lists and masks that fits the shape."""
    parts: list = []
    at = 0
    length = int(rng.integers(1, 4))
    while at < len(shape):
        kind = rng.integers(0, 8)
        n = shape[at]
        if kind == 0:
            parts.append(int(rng.integers(-n, n)))
        elif kind in (1, 2):
            a, b = sorted(rng.integers(0, n + 1, 2).tolist())
            parts.append(slice(a, b, int(rng.integers(1, 3))))
        elif kind == 3:
            parts.append(None)
            continue
        elif kind == 4 and Ellipsis not in parts:
            parts.append(Ellipsis)
            at += int(rng.integers(0, len(shape) - at + 1))
            continue
        elif kind == 5:
            mask = np.zeros(n, bool)
            mask[rng.permutation(n)[: min(n, length)]] = True
            if mask.sum() == length:
                parts.append(mask.tolist())
            else:
                parts.append(slice(None))
        else:
            parts.append(rng.integers(-n, n, length).tolist())
        at += 1
    return tuple(parts)


@pytest.mark.parametrize("seed", range(150))
def test_random_indices_read_and_write(seed: int) -> None:
    """Shape, numbers and gradients of x[index] and x[index] = v for random indices, on whole and on transposed memory."""
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 5, rng.integers(1, 5)).tolist())
    index = random_index(rng, shape)
    numbers = rng.standard_normal(shape).tolist()
    results = []
    for T in (torch, tinytorch):
        x = T.tensor(numbers, dtype=T.float64, requires_grad=True)
        v = T.tensor(0.5, dtype=T.float64, requires_grad=True)
        base = x.transpose(0, -1).contiguous().transpose(0, -1) if seed % 2 else x
        y = base[index]
        z = base * 2
        repeated = isinstance(index, tuple) and any(isinstance(p, list) for p in index)
        z[index] = v if repeated else y * 3  # with an index that names places twice, which value stays is left open
        total = (y * T.arange(1.0, y.numel() + 1, dtype=T.float64).reshape(y.shape)).sum() + (z * z).sum()
        total.backward()
        results.append([y.detach(), z.detach(), x.grad, v.grad])
    for what, real, mine in zip(("y", "z", "x.grad", "v.grad"), *results, strict=True):
        if real is not None:
            compare(mine, real, f"x{list(shape)}[{index}]: {what}")


def test_a_failed_write_leaves_the_tensor_as_it_was() -> None:
    x = tinytorch.zeros(3, 4)
    grid = tinytorch.tensor([[0, 1], [2, 3]])
    for write in (
        lambda: x.scatter_(0, grid, 1.0),
        lambda: x.__setitem__([0, 3], 1.0),
        lambda: x.__setitem__([0, 2], tinytorch.ones(3)),
        lambda: x.index_copy_(0, tinytorch.tensor([0, 3]), tinytorch.ones(2, 4)),
        lambda: x.index_add_(0, tinytorch.tensor([0, 3]), tinytorch.ones(2, 4)),
        lambda: x.index_fill_(0, tinytorch.tensor([0, 3]), 1),
        lambda: x.put_(tinytorch.tensor([0, 12]), tinytorch.ones(2)),
        lambda: x.masked_scatter_(tinytorch.ones(3, 4) > 0, tinytorch.ones(3)),
        lambda: x.copy_(tinytorch.ones(2, 4)),
    ):
        with pytest.raises((IndexError, RuntimeError)):
            write()
        assert x.sum().item() == 0 and x._version == 0


def test_an_index_that_changes_before_backward_is_noticed() -> None:
    index = tinytorch.tensor([0, 1])
    for pick in (lambda x: x[index], lambda x: x.gather(0, index), lambda x: x.index_select(0, index)):
        y = pick(tinytorch.ones(3, requires_grad=True))
        index.add_(0)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.sum().backward()


def test_gradients_at_every_index() -> None:
    x = tinytorch.rand(3, 4, dtype=tinytorch.float64, requires_grad=True)
    s = tinytorch.rand(2, 4, dtype=tinytorch.float64, requires_grad=True)
    rows, grid, mask = tinytorch.tensor([2, 0]), tinytorch.tensor([[0, 1, 2, 0], [1, 1, 0, 2]]), x.detach() > 0.5
    for f in (
        lambda x, s: x[rows, 1:] * x[1, 1:], lambda x, s: x.gather(0, grid), lambda x, s: x.scatter(0, grid[:1], s),
        lambda x, s: x.scatter_add(0, grid, s), lambda x, s: x.index_add(0, rows, s), lambda x, s: x.index_copy(0, rows, s),
        lambda x, s: x.take(grid), lambda x, s: tinytorch.where(mask, x, s[0]), lambda x, s: x.masked_select(mask),
        lambda x, s: x.masked_fill(mask, s[0, 0]), lambda x, s: x.index_put((rows,), s, accumulate=True),
    ):  # fmt: skip
        assert tinytorch.autograd.gradcheck(f, (x, s)) and tinytorch.autograd.gradgradcheck(f, (x, s))
