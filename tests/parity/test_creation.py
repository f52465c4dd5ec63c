"""Making tensors, against PyTorch."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import tinytorch
from tests.parity.harness import Case, Error, f16, f32, f64, i64, ids, run_case, run_error

MADE = {
    "tensor": lambda T: [
        T.tensor(v)
        for v in (
            1,
            1.5,
            True,
            [],
            [[]],
            [1, 2.5],
            [True, 1],
            [[1, 2], [3, 4]],
            range(3),
            (1, (2)),
            np.float64(1.5),
            np.int32(1),
            [np.float64(1.5)],
            1e300,
            -1,
        )
    ],
    "tensor dtype": lambda T: [
        T.tensor([0, 1.5, 2], dtype=getattr(T, d))
        for d in ("float16", "bfloat16", "float64", "int8", "uint8", "int64", "bool")
    ],
    "tensor of arrays": lambda T: [
        T.tensor(np.arange(6).reshape(2, 3)),
        T.tensor(np.ones(2, np.float16)),
        T.tensor([np.ones(2), np.ones(2)]),
        T.tensor(np.ones((4, 2))[::2].T),
    ],
    "tensor of tensors": lambda T: [T.tensor([T.tensor(1.0), T.tensor(2)]), T.tensor([[T.tensor(1), 2]])],
    "tensor wraps": lambda T: T.tensor(-1, dtype=T.uint8),
    "as_tensor": lambda T: [
        T.as_tensor([1, 2]),
        T.as_tensor([1, 2], dtype=T.float32),
        T.as_tensor(np.ones(2), dtype=T.float16),
    ],
    "asarray": lambda T: [T.asarray([1, 2]), T.asarray(1.5, dtype=T.float64)],
    "scalar_tensor": lambda T: T.scalar_tensor(3),
    "zeros": lambda T: [
        T.zeros(2, 3),
        T.zeros((2, 3)),
        T.zeros([2]),
        T.zeros([]),
        T.zeros(size=(2,)),
        T.zeros(T.Size([2])),
        T.zeros(0),
        T.zeros(2, dtype=T.int8),
        T.zeros(2, requires_grad=True),
    ],
    "ones": lambda T: [T.ones(2, 3), T.ones((2,), dtype=T.bool), T.ones(T.tensor(2), 1)],
    "empty": lambda T: [tuple(T.empty(2, 3).shape), T.empty(2, dtype=T.half).dtype, tuple(T.empty(0, 2).shape)],
    "full": lambda T: [
        T.full((2,), 1),
        T.full((2, 3), 1.5),
        T.full([2], True),
        T.full((2,), 1.5, dtype=T.int32),
        T.full((), 2),
        T.full((2,), T.tensor(2)),
    ],
    "eye": lambda T: [T.eye(2), T.eye(2, 3), T.eye(3, 2, dtype=T.int64), T.eye(0), T.eye(2, dtype=T.bool)],
    "arange": lambda T: [
        T.arange(5),
        T.arange(5.0),
        T.arange(1, 4),
        T.arange(0, 1, 0.3),
        T.arange(5, 0, -2),
        T.arange(end=4),
        T.arange(0, 5, step=2, dtype=T.half),
        T.arange(T.tensor(3)),
        T.arange(0),
        T.arange(1, 2.5, 0.5),
        T.arange(0, 1, 0.1, dtype=T.float64),
        T.arange(10, dtype=T.uint8),
        T.arange(0, 100, 7.5),
    ],
    "range": lambda T: T.range(0, 3),
    "linspace": lambda T: [
        T.linspace(0, 1, 5),
        T.linspace(-3, 10, 7, dtype=T.float64),
        T.linspace(0, 1, 1),
        T.linspace(0, 1, 0),
        T.linspace(0, 10, 5, dtype=T.int64),
        T.linspace(5, -5, 4),
        T.linspace(T.tensor(0.0), 1, 3),
        T.linspace(0, 1, 3, dtype=T.half),
    ],
    "logspace": lambda T: [
        T.logspace(0, 2, 3),
        T.logspace(0, 3, 4, base=2),
        T.logspace(-1, 1, 5, dtype=T.float64),
        T.logspace(0, 3, 4, base=2, dtype=T.int32),
        T.logspace(0, 0, 0),
    ],
    "Tensor": lambda T: [
        T.Tensor(),
        T.Tensor([1, 2]),
        T.Tensor((1, 2)),
        T.Tensor(range(2)),
        T.Tensor(np.array([1, 2])),
        tuple(T.Tensor(2, 3).shape),
        tuple(T.Tensor(T.Size([1, 2])).shape),
        T.Tensor(T.tensor([1, 2])),
    ],
    "legacy": lambda T: [
        getattr(T, f"{n}Tensor")([0, 1, 2])
        for n in ("Float", "Double", "Half", "BFloat16", "Byte", "Char", "Short", "Int", "Long", "Bool")
    ],
    "legacy empty": lambda T: [
        T.FloatTensor(),
        tuple(T.LongTensor(2, 3).shape),
        T.LongTensor([1.5]),
        T.FloatTensor(T.FloatTensor([1])),
        T.ByteTensor(np.array([1, 2])),
    ],
    "legacy names": lambda T: [
        repr(T.FloatTensor),
        repr(T.cuda.FloatTensor),
        repr(T.LongTensor.dtype),
        isinstance(T.ones(1), T.FloatTensor),
        isinstance(T.ones(1), T.LongTensor),
        isinstance(T.ones(1), T.cuda.FloatTensor),
        issubclass(T.FloatTensor, T.Tensor),
    ],
    "Size": lambda T: [
        repr(T.Size([2, 3])),
        T.Size([2, 3]).numel(),
        repr(T.Size([2]) + (1,)),
        repr((1,) + T.Size([2])),
        repr(T.Size([2, 3])[:1]),
        T.Size([2, 3])[1],
        repr(T.Size([2]) * 2),
        T.Size([2]).count(2),
        repr(T.Size()),
    ],
    "out": lambda T: [
        T.zeros(2, out=T.empty(0)),
        T.full((2,), 1.5, out=T.empty(2, dtype=T.long)),
        T.arange(3, out=T.empty(0)),
        T.eye(2, out=T.empty(0)),
        T.linspace(0, 1, 2, out=T.empty(0)),
    ],
}

CASES = [
    Case(
        "zeros_like",
        lambda T, x, y: (T.zeros_like(x), T.zeros_like(y, dtype=T.int64)),
        f32(2, 3, layout="transposed"),
        i64(2),
        strides=True,
    ),
    Case(
        "ones_like",
        lambda T, x, y: (T.ones_like(x), T.ones_like(y)),
        f32(2, 3, layout="expanded"),
        f16(2, 3),
        strides=True,
    ),
    Case("ones_like", lambda T, x: T.ones_like(x), f32(4, 6, layout="strided"), strides=True),
    Case(
        "full_like",
        lambda T, x, y: (T.full_like(x, 2), T.full_like(y, 2.5), T.full_like(y, 1, dtype=T.half)),
        f32(2),
        i64(2),
    ),
    Case("empty_like", lambda T, x: (T.empty_like(x) * 0).nan_to_num().shape, f32(2, 3)),
    Case("zeros_like", lambda T, x: T.zeros_like(x, requires_grad=True), f32(2)),
    Case(
        "Tensor.new_zeros", lambda T, x: (x.new_zeros(2, 3), x.new_zeros((2,)), x.new_ones((2,), dtype=T.long)), f64(1)
    ),
    Case("Tensor.new_ones", lambda T, x: (x.new_ones(2, 3), x.new_ones((2,), dtype=T.long)), f64(1)),
    Case("Tensor.new_empty", lambda T, x: (x.new_empty(2, 3).shape, x.new_empty((0,), dtype=T.long)), f16(1)),
    Case("Tensor.new_empty_strided", lambda T, x: x.new_empty_strided((2, 3), (1, 2)).stride(), f16(1)),
    Case("Tensor.new", lambda T, x: (x.new([1, 2]), x.new(2, 3).shape, x.new().shape), f32(1)),
    Case("pi", lambda T: (T.pi, T.e, T.inf, str(T.nan), T.newaxis)),
    Case("Tensor.new_full", lambda T, x, y: (x.new_full((2,), 3), y.new_full((2,), 3.5)), f32(1), i64(1)),
    Case(
        "Tensor.new_tensor",
        lambda T, x: (x.new_tensor([1, 2]), x.new([1, 2]), x.new(2, 3).shape, x.new_empty(2, 3).shape),
        f16(1),
    ),
    Case("empty_strided", lambda T: T.empty_strided((2, 3), (1, 2)).fill_(1), strides=True),
    Case(
        "meshgrid", lambda T, x, y: (T.meshgrid(x, y, indexing="ij"), T.meshgrid([x, y], indexing="xy")), f32(3), f32(2)
    ),
    Case(
        "meshgrid",
        lambda T, x, y, z: (T.meshgrid(x, y, z, indexing="ij"), T.meshgrid(x, y, z, indexing="xy")),
        f32(3),
        f32(),
        f32(2),
    ),
    Case(
        "cartesian_prod",
        lambda T, x, y: (T.cartesian_prod(x, y), T.cartesian_prod(x), T.cartesian_prod(x, y, x)),
        f32(3),
        f32(2),
    ),
    Case("combinations", lambda T, x: (T.combinations(x), T.combinations(x, 3), T.combinations(x, 2, True)), f32(4)),
]

ERRORS = [
    Error("tensor", lambda T: T.tensor([[1, 2], [3]]), words="expected sequence of length 2 at dim 1 (got 1)"),
    Error("tensor", lambda T: T.tensor([1, [2]])),
    Error("tensor", lambda T: T.tensor("a"), words="new(): invalid data type 'str'"),
    Error("tensor", lambda T: T.tensor(["a"]), words="too many dimensions 'str'"),
    Error("tensor", lambda T: T.tensor(None), words="Could not infer dtype of NoneType"),
    Error("tensor", lambda T: T.tensor([None]), words="Could not infer dtype of NoneType"),
    Error("tensor", lambda T: T.tensor({1}), words="Could not infer dtype of set"),
    Error("tensor", lambda T: T.tensor(300, dtype=T.uint8), words="cannot be converted to type uint8 without overflow"),
    Error(
        "tensor", lambda T: T.tensor([300], dtype=T.uint8), words="cannot be converted to type uint8 without overflow"
    ),
    Error("tensor", lambda T: T.tensor(2**63), words="Overflow when unpacking long long"),
    Error("tensor", lambda T: T.tensor([2**70]), words="Overflow when unpacking long long"),
    Error("tensor", lambda T: T.tensor(np.array(["a"])), words="can't convert np.ndarray of type numpy.str_"),
    Error(
        "tensor",
        lambda T: T.tensor([T.ones(2), T.ones(2)]),
        words="only one element tensors can be converted to Python scalars",
    ),
    Error("tensor", lambda T: T.tensor([1], requires_grad=True), words="floating point"),
    Error("tensor", lambda T: T.tensor([1.0], device="cuda"), words="Torch not compiled with CUDA enabled"),
    Error("zeros", lambda T: T.zeros(2, device="cuda"), words="Torch not compiled with CUDA enabled"),
    Error("zeros", lambda T: T.zeros(2, device="nowhere"), words="device type at start of device string: nowhere"),
    Error("from_numpy", lambda T: T.from_numpy([1]), words="expected np.ndarray (got list)"),
    Error("from_numpy", lambda T: T.from_numpy(np.array(["a"])), words="can't convert np.ndarray of type numpy.str_"),
    Error("from_numpy", lambda T: T.from_numpy(np.arange(4)[::-1]), words="negative"),
    Error("tensor", lambda T: T.tensor(np.arange(4)[::-1]), words="negative"),
    Error("zeros", lambda T: T.zeros(-1), words="zeros: Dimension size must be non-negative."),
    Error("zeros", lambda T: T.zeros(2.5), words="argument 'size' (position 1) must be tuple of ints, not float"),
    Error("zeros", lambda T: T.zeros((2, 3), 4), words="zeros() takes 1 positional argument but 2 were given"),
    Error("ones", lambda T: T.ones(), words='ones() missing 1 required positional arguments: "size"'),
    Error("full", lambda T: T.full(2, 1), words="argument 'size' (position 1) must be tuple of ints, not int"),
    Error(
        "full", lambda T: T.full((2,), 300, dtype=T.uint8), words="cannot be converted to type uint8_t without overflow"
    ),
    Error(
        "zeros",
        lambda T: T.zeros(2, dtype=T.float, out=T.empty(3, dtype=T.long)),
        words="dtype Float does not match dtype of out parameter (Long)",
    ),
    Error("eye", lambda T: T.eye(-1), words="n must be greater or equal to 0, got -1"),
    Error("arange", lambda T: T.arange(0, -1), words="upper bound and lower bound inconsistent with step sign"),
    Error("arange", lambda T: T.arange(0, 5, 0), words="step must be nonzero"),
    Error("arange", lambda T: T.arange(float("nan")), words="unsupported range: 0 -> nan"),
    Error("arange", lambda T: T.arange(2, dtype=T.bool), words="\"arange_cpu\" not implemented for 'Bool'"),
    Error("linspace", lambda T: T.linspace(0, 1, -1), words="number of steps must be non-negative"),
    Error("Tensor", lambda T: T.Tensor(2.0), words="new(): data must be a sequence (got float)"),
    Error("Tensor", lambda T: T.Tensor("a"), words="new(): invalid data type 'str'"),
    Error("FloatTensor", lambda T: T.FloatTensor(T.LongTensor([1])), words="expected"),
    Error(
        "FloatTensor",
        lambda T: T.FloatTensor(5, dtype=T.int),
        words="new() received an invalid combination of arguments",
    ),
    Error("ByteTensor", lambda T: T.ByteTensor([300]), words="cannot be converted to type uint8 without overflow"),
    *[
        Error(
            f"cuda.{n}Tensor",
            lambda T, n=n: getattr(T.cuda, f"{n}Tensor")(2),
            words=f"type torch.cuda.{n}Tensor not available. Torch not compiled with CUDA enabled.",
        )
        for n in ("Float", "Double", "Half", "Byte", "Char", "Short", "Int", "Long", "Bool")
    ],
    Error(
        "meshgrid",
        lambda T, x, y: T.meshgrid(x, y, indexing="ij"),
        f32(2),
        i64(2),
        words="all tensors to have the same dtype",
    ),
    Error(
        "meshgrid",
        lambda T, x: T.meshgrid(x, x, indexing="ab"),
        f32(2),
        words='indexing must be one of "xy" or "ij", but received: ab',
    ),
    Error("meshgrid", lambda T, x: T.meshgrid(x, indexing="ij"), f32(2, 2), words="Expected 0D or 1D tensor"),
    Error("meshgrid", lambda T: T.meshgrid(indexing="ij"), words="meshgrid expects a non-empty TensorList"),
    Error(
        "cartesian_prod",
        lambda T, x: T.cartesian_prod(x, x),
        f32(2, 2),
        words="Expect a 1D vector, but got shape [2, 2]",
    ),
    Error("Size", lambda T: T.Size([2.5]), words="torch.Size() takes an iterable of 'int' (item 0 is 'float')"),
]
COVERS = [name for name in MADE if " " not in name]
COVERS += ["e", "inf", "nan", "newaxis"]
COVERS += [f"{n}Tensor" for n in ("Float", "Double", "Half", "BFloat16", "Byte", "Char", "Short", "Int", "Long", "Bool")]


@pytest.mark.parametrize("name", MADE)
def test_made_as_in_torch(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run_case(Case(name, MADE[name]))


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_equals_torch(case: Case) -> None:
    run_case(case)


@pytest.mark.parametrize("case", ERRORS, ids=ids(ERRORS))
def test_refused_like_torch(case: Error) -> None:
    run_error(case)


def test_tensor_copies_and_from_numpy_shares() -> None:
    array = np.zeros(2)
    copied, shared, also = tinytorch.tensor(array), tinytorch.from_numpy(array), tinytorch.as_tensor(array)
    array[0] = 1
    assert copied.tolist() == [0, 0] and shared.tolist() == also.tolist() == [1, 0]
    t = tinytorch.ones(2)
    assert tinytorch.as_tensor(t) is t and tinytorch.asarray(t) is t
    assert tinytorch.Tensor(t).data_ptr() == tinytorch.FloatTensor(t).data_ptr() == t.data_ptr()


def one_hot(T):
    return T.nn.functional.one_hot


ONE_HOT = [
    Case("nn.functional.one_hot", lambda T: [one_hot(T)(T.tensor(v)) for v in ([0, 2], 1, [[0, 1], [3, 1]])]),
    Case("nn.functional.one_hot", lambda T: [one_hot(T)(T.tensor([0, 2]), 4), one_hot(T)(T.zeros(0, dtype=T.long), 3)]),
]
ONE_HOT_ERRORS = [
    Error(
        "nn.functional.one_hot",
        lambda T: one_hot(T)(T.tensor([0, 2]), 2),
        words="Class values must be smaller than num_classes.",
    ),
    Error("nn.functional.one_hot", lambda T: one_hot(T)(T.tensor([0, -2])), words="Class values must be non-negative."),
    Error(
        "nn.functional.one_hot",
        lambda T: one_hot(T)(T.ones(2)),
        words="one_hot is only applicable to index tensor of type LongTensor",
    ),
    Error("nn.functional.one_hot", lambda T: one_hot(T)(T.zeros(0, dtype=T.long)), words="from empty tensor."),
]
COVERS += ["nn.functional.one_hot"]


@pytest.mark.parametrize("case", ONE_HOT, ids=ids(ONE_HOT))
def test_one_hot(case: Case) -> None:
    run_case(case)


@pytest.mark.parametrize("case", ONE_HOT_ERRORS, ids=ids(ONE_HOT_ERRORS))
def test_one_hot_refused_like_torch(case: Error) -> None:
    run_error(case)
