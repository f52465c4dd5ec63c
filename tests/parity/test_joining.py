"""Joining, repeating and moving elements against PyTorch."""

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
    compare,
    f16,
    f32,
    f64,
    i32,
    i64,
    ids,
    run_case,
    run_error,
    same,
    u8,
)

CASES = [
    Case("cat", lambda T, x, y: T.cat([x, y]), f32(3, 4), f32(2, 4)),
    Case("cat", lambda T, x, y: T.cat((x, y), 1), f32(3, 4, layout="transposed"), f32(3, 2, layout="strided")),
    Case("cat", lambda T, x, y: T.cat((x, y), dim=-1), f32(2, 3, 4), f32(2, 3, 1)),
    Case("cat", lambda T, x, y: T.cat((x, y), axis=1), f32(3, 4), f32(3, 2)),
    Case("cat", lambda T, x: T.cat([x, x, x], 0), f32(2, 3)),
    Case("cat", lambda T, x, y: T.cat([x, y]), f32(3, 4), f32(0)),
    Case("cat", lambda T, x, y: T.cat([x, y]), f32(0), f32(3, 4)),
    Case("cat", lambda T, x, y: T.cat([x, y]), f32(0), f32(0)),
    Case("cat", lambda T, x, y: T.cat([x, y]), f32(0, 4), f32(3, 4)),
    Case("cat", lambda T, x, y: T.cat([x, y]), f32(3), i64(2)),
    Case("cat", lambda T, x, y: T.cat([x, y]), f32(3), f64(2)),
    Case("cat", lambda T, x, y: T.cat([x, y]), f16(3), bf16(2)),
    Case("cat", lambda T, x, y: T.cat([x, y]), b8(3), u8(2)),
    Case("cat", lambda T, x, y: T.cat([x, y]), i32(3), i64(0)),
    Case("cat", lambda T, x, y: T.cat([x, y]), bf16(2, 2), bf16(1, 2)),
    Case("concat", lambda T, x, y: T.concat([x, y], dim=1), f32(3, 1), f32(3, 2)),
    Case("concatenate", lambda T, x, y: T.concatenate([x, y], axis=1), f32(3, 1), f32(3, 2)),
    Case("cat out", lambda T, x: T.cat([x, x], out=T.empty(0)), f32(2, 3, grad=False)),
    Case("stack", lambda T, x, y: T.stack([x, y]), f32(3, 4), f32(3, 4)),
    Case("stack", lambda T, x, y: T.stack((x, y), 1), f32(3, 4, layout="transposed"), f32(3, 4)),
    Case("stack", lambda T, x, y: T.stack((x, y), dim=-1), f32(3, 4), f32(3, 4)),
    Case("stack", lambda T, x, y: T.stack((x, y)), f32(), i64()),
    Case("stack", lambda T, x, y: T.stack((x, y)), f32(0, 2), f32(0, 2)),
    Case("hstack", lambda T, x, y: T.hstack([x, y]), f32(3, 1), f32(3, 2)),
    Case("hstack", lambda T, x, y: T.hstack([x, y]), f32(3), f32()),
    Case("vstack", lambda T, x, y: T.vstack([x, y]), f32(3), f32(2, 3)),
    Case("vstack", lambda T, x, y: T.vstack((x, y)), f32(), f32()),
    Case("dstack", lambda T, x, y: T.dstack([x, y]), f32(3), f32(1, 3)),
    Case("dstack", lambda T, x, y: T.dstack([x, y]), f32(2, 3, 1), f32(2, 3, 2)),
    Case("column_stack", lambda T, x, y: T.column_stack([x, y]), f32(3), f32(3, 2)),
    Case("column_stack", lambda T, x, y: T.column_stack([x, y]), f32(), f32(1)),
    Case("Tensor.repeat", lambda T, x: x.repeat(2, 3), f32(2, 3)),
    Case("Tensor.repeat", lambda T, x: x.repeat((2, 1, 3)), f32(2, 3, layout="transposed")),
    Case("Tensor.repeat", lambda T, x: x.repeat(2, 0), f32(2, 3)),
    Case("Tensor.repeat", lambda T, x: x.repeat(3), f32()),
    Case("Tensor.repeat", lambda T, x: x.repeat(()), f32()),
    Case("Tensor.repeat", lambda T, x: x.repeat(2, 2), bf16(2, 3)),
    Case("tile", lambda T, x: T.tile(x, (2,)), f32(2, 3)),
    Case("Tensor.tile", lambda T, x: x.tile(2, 1, 2), f32(2, 3)),
    Case("repeat_interleave", lambda T, x: T.repeat_interleave(x, 2), f32(2, 3)),
    Case("repeat_interleave", lambda T, x: x.repeat_interleave(3, dim=1), f32(2, 3)),
    Case("repeat_interleave", lambda T, x: x.repeat_interleave(0, 0), f32(2, 3)),
    Case("repeat_interleave", lambda T, x, n: x.repeat_interleave(n, 1), f32(2, 3), i64(3, make=below(3))),
    Case("repeat_interleave", lambda T, x, n: x.repeat_interleave(n, 0), f32(3), i64(1, make=same([2]))),
    Case("repeat_interleave", lambda T, n: T.repeat_interleave(n), i64(4, make=below(3))),
    Case("repeat_interleave", lambda T, x: x.repeat_interleave(2), f32()),
    Case("roll", lambda T, x: T.roll(x, 2, 1), f32(3, 4)),
    Case("roll", lambda T, x: x.roll(-1), f32(3, 4, layout="transposed")),
    Case("roll", lambda T, x: x.roll((1, -2), (0, 1)), f32(3, 4)),
    Case("roll", lambda T, x: x.roll((1, 5, 1), (0, 1, 0)), f32(3, 4)),
    Case("roll", lambda T, x: x.roll(1, 0), f32(0, 2)),
    Case("roll", lambda T, x: x.roll(1), f32()),
    Case("flip", lambda T, x: T.flip(x, (0,)), f32(3, 4), strides=True),
    Case("flip", lambda T, x: x.flip(0, -1), f32(2, 3, 4, layout="strided")),
    Case("flip", lambda T, x: x.flip(0), f32()),
    Case("flip", lambda T, x: x.flip(()), f32(2, 3)),
    Case("fliplr", lambda T, x: T.fliplr(x), f32(3, 4)),
    Case("flipud", lambda T, x: x.flipud(), f32(3)),
    Case("rot90", lambda T, x: T.rot90(x), f32(3, 4)),
    Case("rot90", lambda T, x: x.rot90(-1, (1, 2)), f32(2, 3, 4)),
    Case("rot90", lambda T, x: x.rot90(2), f32(3, 4, layout="transposed")),
    Case("rot90", lambda T, x: x.rot90(4, [1, 0]), f32(3, 4)),
]

ERRORS = [
    Error("cat", lambda T: T.cat([]), words="torch.cat(): expected a non-empty list of Tensors"),
    Error("cat", lambda T, x: T.cat(x), f32(2),
          words="argument 'tensors' (position 1) must be tuple of Tensors, not Tensor"),
    Error("cat", lambda T, x: T.cat([x, 1]), f32(2), words="expected Tensor as element 1 in argument 0, but got int"),
    Error("cat", lambda T, x, y: T.cat([x, y]), f32(3, 4), f32(2),
          words="Tensors must have same number of dimensions: got 2 and 1"),
    Error("cat", lambda T, x, y: T.cat([x, y]), f32(3, 4), f32(2, 3),
          words="except in dimension 0. Expected size 4 but got size 3 for tensor number 1 in the list."),
    Error("cat", lambda T, x, y: T.cat([x, y]), f32(3, 4), f32(0, 3), words="Expected size 4 but got size 3"),
    Error("cat", lambda T, x: T.cat([x, x], 2), f32(3, 4), words="(expected to be in range of [-2, 1], but got 2)"),
    Error("cat", lambda T, x: T.cat([x, x]), f32(),
          words="zero-dimensional tensor (at position 0) cannot be concatenated"),
    Error("cat", lambda T, x: T.cat([x, x], out=T.empty(0)), f32(2),
          words="functions with out=... arguments don't support"),
    Error("cat", lambda T, x: T.cat([x, x], out=T.empty(0, dtype=T.int64)), f32(2, grad=False),
          words="torch.cat(): input types can't be cast to the desired output type Long"),
    Error("stack", lambda T: T.stack([]), words="stack expects a non-empty TensorList"),
    Error("stack", lambda T, x, y: T.stack([x, y]), f32(3, 4), f32(2),
          words="stack expects each tensor to be equal size, but got [3, 4] at entry 0 and [2] at entry 1"),
    Error("stack", lambda T, x: T.stack([x, x], 3), f32(3, 4), words="(expected to be in range of [-3, 2], but got 3)"),
    Error("hstack", lambda T, x, y: T.hstack([x, y]), f32(3, 4), f32(2, 2), words="Expected size 3 but got size 2"),
    Error("vstack", lambda T, x, y: T.vstack([x, y]), f32(3, 4), f32(3), words="Expected size 4 but got size 3"),
    Error("hstack", lambda T: T.hstack([]), words="hstack expects a non-empty TensorList"),
    Error("Tensor.repeat", lambda T, x: x.repeat(2), f32(3, 4),
          words="Number of dimensions of repeat dims can not be smaller"),
    Error("Tensor.repeat", lambda T, x: x.repeat(-1, 2), f32(3, 4),
          words="Trying to create tensor with negative dimension -3: [-3, 8]"),
    Error("repeat_interleave", lambda T, x: x.repeat_interleave(-1), f32(3), words="Repeats must be non-negative"),
    Error("repeat_interleave", lambda T, x, n: x.repeat_interleave(n, 0), f32(3, 4), i64(2, make=below(3)),
          words=("repeats must have the same size as input along dim", "repeats.size(0) = 2", "input.size(0) = 3")),
    Error("repeat_interleave", lambda T, x, n: x.repeat_interleave(n, 0), f32(3), i64(3, make=same([1, -2, 3])),
          words="repeats can not be negative"),
    Error("repeat_interleave", lambda T, x: x.repeat_interleave(x, 0), f32(3), words="not implemented for 'Float'"),
    Error("roll", lambda T, x: x.roll(1, 2), f32(3, 4), words="(expected to be in range of [-2, 1], but got 2)"),
    Error("roll", lambda T, x: x.roll((1, 2), 0), f32(3, 4),
          words="shifts and dimensions must align. shifts: 2, dims:1"),
    Error("roll", lambda T, x: x.roll((1, 2)), f32(3, 4), words="shifts and dimensions must align. shifts: 2, dims:0"),
    Error("flip", lambda T, x: x.flip(0, 0), f32(3, 4), words="dim 0 appears multiple times in the list of dims"),
    Error("flip", lambda T, x: x.flip(2), f32(3, 4), words="(expected to be in range of [-2, 1], but got 2)"),
    Error("fliplr", lambda T, x: x.fliplr(), f32(3), words="Input must be >= 2-d."),
    Error("flipud", lambda T, x: x.flipud(), f32(), words="Input must be >= 1-d."),
    Error("rot90", lambda T, x: x.rot90(1, (0, 0)), f32(3, 4),
          words="expected rotation dims to be different, but got dim0 = 0 and dim1 = 0"),
    Error("rot90", lambda T, x: x.rot90(1, (0,)), f32(3, 4),
          words="expected total rotation dims == 2, but got dims = 1"),
    Error("rot90", lambda T, x: x.rot90(), f32(3), words="expected total dims >= 2, but got total dims = 1"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_equals_torch(case: Case) -> None:
    run_case(case)


@pytest.mark.parametrize("case", ERRORS, ids=ids(ERRORS))
def test_refused_like_torch(case: Error) -> None:
    run_error(case)


@pytest.mark.parametrize("seed", range(40))
def test_random_joins(seed: int) -> None:
    """Any number of tensors of any lengths along any dimension, with empty ones among them, and their gradients."""
    rng = np.random.default_rng(seed)
    ndim = int(rng.integers(1, 4))
    shape = rng.integers(1, 4, ndim)
    dim = int(rng.integers(-ndim, ndim))
    arrays = []
    for _ in range(rng.integers(1, 5)):
        shape[dim] = rng.integers(0, 4)
        arrays.append(rng.standard_normal(tuple(shape)) if not arrays or rng.random() < 0.8 else np.zeros(0))
    results = []
    for T in (torch, tinytorch):
        xs = [T.tensor(a.tolist(), dtype=T.float64).reshape(a.shape).requires_grad_() for a in arrays]
        y = T.cat(xs, dim)
        weights = T.arange(float(y.numel()), dtype=T.float64).reshape(y.shape)
        (y * weights).sum().backward()
        results.append([y.detach(), *[x.grad for x in xs]])
    for real, mine in zip(*results, strict=True):
        if real is not None and (mine is not None or real.numel()):
            compare(mine, real, f"cat along {dim} of {[a.shape for a in arrays]}")


def test_gradients_at_every_index() -> None:
    x = tinytorch.rand(2, 3, dtype=tinytorch.float64, requires_grad=True)
    for f in (lambda t: tinytorch.cat([t, t * t], 1), lambda t: tinytorch.stack([t, t], 1), lambda t: t.repeat(2, 2),
              lambda t: t.roll(1, 1), lambda t: t.flip(0), lambda t: t.rot90(), lambda t: t.repeat_interleave(2, 1)):  # fmt: skip
        assert tinytorch.autograd.gradcheck(f, (x,)) and tinytorch.autograd.gradgradcheck(f, (x,))
