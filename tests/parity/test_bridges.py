"""What a tensor tells about itself, and its ways to Python, NumPy and other libraries, against PyTorch."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import tinytorch
from tests.parity.harness import Case, Error, f16, f32, f64, i64, ids, run_case, run_error, same, u8

words = str.split

MIXED = (
    lambda x, a: x * a, lambda x, a: x + a, lambda x, a: x - a, lambda x, a: x**2 @ a, lambda x, a: x == a, lambda x, a: a == x,
)  # fmt: skip
CASES = [
    *[
        Case(f"Tensor.{name}", lambda T, x, y, name=name: [getattr(t, name)() for t in (x, y, y[0])], f16(2, 3), i64(4))
        for name in words("dim ndimension numel nelement size element_size storage_offset get_device is_contiguous tolist")
    ],
    *[
        Case(f"Tensor.{name}", lambda T, x, y, name=name: [repr(getattr(t, name)) for t in (x, y, y[0])], f16(2, 3), i64(4))
        for name in words("ndim shape dtype device layout nbytes itemsize is_cuda is_leaf requires_grad is_sparse __array_priority__")
    ],
    Case("Tensor.size", lambda T, x: (x.size(0), x.size(-1), x.size(dim=1), repr(x.size())), f32(2, 3)),
    Case("numel", lambda T, x: (T.numel(x), T.numel(x[:0]), T.numel(x[0, 0])), f32(2, 3)),
    Case("layout", lambda T: (isinstance(T.strided, T.layout), T.ones(1).layout is T.strided, T.ones(1).layout == "no")),
    Case("strided", lambda T: (repr(T.strided), T.zeros(2, layout=T.strided))),
    Case("device", lambda T: (T.device("cpu"), T.device("cuda", 1), T.device("cuda:1").index, T.zeros(1, device="cpu").device)),
    Case("dtype", lambda T: [isinstance(d, T.dtype) for d in (T.float32, T.int, 3)]),
    Case("is_signed", lambda T, x, y: (T.is_signed(x), T.is_signed(y), x.is_signed(), T.is_complex(x)), f16(1), u8(1)),
    Case("is_complex", lambda T, x: (T.is_complex(x), x.is_complex()), f16(1)),
    Case("clone", lambda T, x: (T.clone(x), x.clone(), x.clone().data_ptr() == x.data_ptr()), f32(2, 3, layout="transposed"), strides=True),
    Case("Tensor.output_nr", lambda T, x: [v.output_nr for v in (x, *x.unbind())], f32(2, 3)),
    Case("is_tensor", lambda T, x: [T.is_tensor(v) for v in (x, 1, [x], None)], f32(2)),
    Case("Tensor.cpu", lambda T, x: (x.cpu(), x.cpu() is x), f32(2)),
    Case("Tensor.data", lambda T, x: ((x * 2).data, x.data.requires_grad, x.data.data_ptr() == x.data_ptr()), f32(2)),
    Case("Tensor.item", lambda T, x: (x[0].item(), x[:1].item(), (x > 0)[0].item(), x.long()[0].item()), f64(2)),
    Case("Tensor.numpy", lambda T, x: (x.numpy().tolist(), str(x.numpy().dtype), x.numpy().strides), f64(2, 3, layout="transposed", grad=False)),
    Case("Tensor.numpy", lambda T, x: x.numpy(force=True).tolist(), f64(2)),
    Case(
        "Tensor.__array__",
        lambda T, x: (np.asarray(x).tolist(), str(np.asarray(x, dtype=np.float32).dtype), np.add(x, 1).tolist(), np.sum(x.numpy()).item()),
        f64(3, grad=False),
    ),
    Case(
        "Tensor.__array_wrap__",
        lambda T, x, y: (np.exp(x), np.add(x, 1), np.maximum(x, 0), np.isnan(y), np.multiply(np.arange(3.0), x)),
        f64(3, grad=False),
        f32(2, grad=False),
    ),
    Case(
        "Tensor.__array_priority__",
        lambda T, x: [act(x, np.array([1.0, -2.0, 3.0])) for act in MIXED],
        f64(3, grad=False),
    ),
    Case("Tensor.__len__", lambda T, x: (len(x), len(x[:0]), len(x[0])), f32(2, 3)),
    Case("Tensor.__bool__", lambda T, x: (bool(x[0]), bool(x[:1] * 0), not x[0]), f32(2)),
    Case("Tensor.__float__", lambda T, x: (float(x[0]), float(x[:1].long())), f32(2, make=same([1.75, 2]), grad=False)),
    Case("Tensor.__int__", lambda T, x: (int(x[0]), int(x[1:])), f32(2, make=same([1.75, -2.5]), grad=False)),
    Case("Tensor.__index__", lambda T, x: ("abcdef"[x[0]], list(range(x[0])), hex(x[0])), i64(2, make=same([3, 1]))),
    Case("Tensor.__contains__", lambda T, x: (1 in x, 2.5 in x, True in x, T.tensor(3) in x, T.tensor([1, 5]) in x), i64(2, make=same([3, 1]))),
    Case("Tensor.__iter__", lambda T, x: (list(x), [v.tolist() for v in x]), f32(2, 3)),
    Case("Tensor.__deepcopy__", lambda T, x: (copy.deepcopy(x), copy.deepcopy(x).requires_grad, copy.deepcopy(x).is_leaf), f32(2)),
    Case("Tensor.__deepcopy__", lambda T, x: _copied_views(x), f32(2, 3, grad=False)),
    Case("Tensor.__reduce_ex__", lambda T, x: _pickled(x), f32(2, 3)),
    Case("Tensor.__reduce_ex__", lambda T, x: _pickled(x), f32(3, 2, layout="transposed")),
    Case("from_dlpack", lambda T, x: (T.from_dlpack(x), T.from_dlpack(x).data_ptr() == x.data_ptr()), f32(2, 3, grad=False), strides=True),
    Case("Tensor.__dlpack__", lambda T, x: (np.from_dlpack(x).tolist(), T.from_dlpack(np.arange(3.0))), f32(3, grad=False)),
    Case("Tensor.__dlpack_device__", lambda T, x: tuple(int(v) for v in x.__dlpack_device__()), f32(3)),
]  # fmt: skip

ERRORS = [
    Error("numel", lambda T: T.numel(3), words="argument 'input' (position 1) must be Tensor, not int"),
    Error("Tensor.item", lambda T, x: x.item(), f32(2), words="a Tensor with 2 elements cannot be converted to Scalar"),
    Error("Tensor.__len__", lambda T, x: len(x[0]), f32(2), words="len() of a 0-d tensor"),
    Error("Tensor.__bool__", lambda T, x: bool(x[:0]), f32(2), words="Boolean value of Tensor with no values is ambiguous"),
    Error("Tensor.__contains__", lambda T, x: "a" in x, f32(2), words="only supports Tensor or scalar, but you passed in a"),
    Error("Tensor.__index__", lambda T, x: [1, 2][x], f32(), words="only integer tensors of a single element can be converted to an index"),
    Error("Tensor.__iter__", lambda T, x: list(x), f32(), words="iteration over a 0-d tensor"),
    Error("Tensor.numpy", lambda T, x: x.numpy(), f32(2), words="Can't call numpy() on Tensor that requires grad"),
    Error("Tensor.__dlpack__", lambda T, x: x.__dlpack__(), f32(2), words="Can't export tensors that require gradient"),
]  # fmt: skip


def _copied_views(x):
    """A copy of two tensors on one memory: they share theirs again."""
    whole, row = copy.deepcopy((x, x[1]))
    row.zero_()
    return whole, row, x


def _pickled(x):
    again = pickle.loads(pickle.dumps(x))
    return again, again.requires_grad, again.stride(), again.is_leaf


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_equals_torch(case: Case) -> None:
    run_case(case)


COVERS = ("cuda.is_available", "cuda.device_count")


def test_the_usual_choice_of_a_device() -> None:
    device = "cuda" if tinytorch.cuda.is_available() else "cpu"
    assert tinytorch.ones(1, device=device).device == tinytorch.device("cpu") and tinytorch.cuda.device_count() == 0


@pytest.mark.parametrize("case", ERRORS, ids=ids(ERRORS))
def test_refused_like_torch(case: Error) -> None:
    run_error(case)
