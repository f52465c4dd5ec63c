"""Storage, views and shapes against PyTorch: values, strides, gradients, refusals."""

from __future__ import annotations

from typing import Any

import pytest

import tinytorch
from tests.oracle import torch
from tests.parity.harness import Case, Error, Input, b8, bf16, f16, f32, f64, i64, ids, run_case, run_error


def view_case(name: str, run: Any, *inputs: Input) -> Case:
    return Case(name, run, *inputs, strides=True)


def layouts(name: str, run: Any, *shape: int) -> list[Case]:
    """The same expression on every layout that has this shape."""
    kinds = ("contiguous", "transposed", "strided", "offset", "expanded")
    return [view_case(name, run, f32(*shape, layout=kind, grad=kind != "expanded")) for kind in kinds]


CASES = [
    view_case("Tensor.view", lambda T, x: x.view(2, 6), f32(3, 4)),
    view_case("Tensor.view", lambda T, x: x.view(-1), f32(2, 3, 4)),
    view_case("Tensor.view", lambda T, x: x.view((4, -1, 2)), f32(2, 3, 4)),
    view_case("Tensor.view", lambda T, x: x.view(3, 2, 2, 1), f32(3, 4, layout="strided")),
    view_case("Tensor.view", lambda T, x: x.view(3, 2, 2), f32(3, 4, layout="transposed")),
    view_case("Tensor.view", lambda T, x: x.view(1, 3, 1, 4, 1), f32(3, 4, layout="offset")),
    view_case("Tensor.view", lambda T, x: x.view(1, 1), f32()),
    view_case("Tensor.view", lambda T, x: x.view(()), f32(1, 1)),
    view_case("Tensor.view", lambda T, x: x.view(-1, 3), f32(0)),
    view_case("Tensor.view", lambda T, x: x.view(0, 5), f32(2, 0)),
    view_case("Tensor.view", lambda T, x: x.view(T.int32), f32(3, 4, grad=False)),
    view_case("Tensor.view", lambda T, x: x.view(T.int8), f32(3, 4, grad=False)),
    view_case("Tensor.view", lambda T, x: x.view(T.int64), f32(3, 4, grad=False)),
    view_case("Tensor.view", lambda T, x: x.view(T.int16), bf16(3, 4, grad=False)),
    view_case("Tensor.view", lambda T, x: x.view(T.uint8), b8(3)),
    view_case("Tensor.view_as", lambda T, x, y: x.view_as(y), f32(3, 4), f32(2, 6)),
    view_case("Tensor.reshape_as", lambda T, x, y: x.reshape_as(y), f32(3, 4, layout="transposed"), f32(2, 6)),
    view_case("reshape", lambda T, x: T.reshape(x, (6, 2)), f32(3, 4)),
    view_case("reshape", lambda T, x: x.reshape(12), f32(3, 4, layout="transposed")),
    view_case("reshape", lambda T, x: x.reshape(2, -1), f32(3, 4, layout="strided")),
    view_case("reshape", lambda T, x: x.reshape(2, -1), f32(3, 4, layout="expanded")),
    view_case("reshape", lambda T, x: x.reshape(3, 4), f32(3, 4)),
    view_case("reshape", lambda T, x: x.reshape(()), f32(1)),
    view_case("reshape", lambda T, x: x.reshape(6), f16(2, 3)),
    *layouts("transpose", lambda T, x: T.transpose(x, 0, 1), 3, 4),
    *layouts("Tensor.transpose", lambda T, x: x.transpose(-1, 0), 2, 3, 4),
    view_case("transpose", lambda T, x: x.transpose(0, -1), f32()),
    view_case("swapaxes", lambda T, x: T.swapaxes(x, 0, 2), f32(2, 3, 4)),
    view_case("swapdims", lambda T, x: x.swapdims(0, 2), f32(2, 3, 4)),
    *layouts("t", lambda T, x: T.t(x), 3, 4),
    view_case("t", lambda T, x: x.t(), f32(3)),
    view_case("t", lambda T, x: x.t(), f32()),
    view_case("Tensor.T", lambda T, x: x.T, f32(3, 4)),
    view_case("Tensor.T", lambda T, x: x.T, f32(3)),
    view_case("Tensor.mT", lambda T, x: x.mT, f32(2, 3, 4)),
    *layouts("permute", lambda T, x: T.permute(x, (2, 0, 1)), 2, 3, 4),
    view_case("Tensor.permute", lambda T, x: x.permute(1, -1, 0), f32(2, 3, 4)),
    view_case("permute", lambda T, x: x.permute(()), f32()),
    view_case("movedim", lambda T, x: T.movedim(x, 0, 2), f32(2, 3, 4)),
    view_case("movedim", lambda T, x: x.movedim((0, 1), (-1, 0)), f32(2, 3, 4)),
    view_case("moveaxis", lambda T, x: T.moveaxis(x, 1, 0), f32(2, 3, 4)),
    view_case("squeeze", lambda T, x: T.squeeze(x), f32(1, 3, 1, 4)),
    view_case("squeeze", lambda T, x: x.squeeze(0), f32(1, 3, 1)),
    view_case("squeeze", lambda T, x: x.squeeze(1), f32(1, 3, 1)),
    view_case("squeeze", lambda T, x: x.squeeze(-1), f32()),
    view_case("squeeze", lambda T, x: x.squeeze((0, 1, -1)), f32(1, 3, 1)),
    view_case("squeeze", lambda T, x: x.squeeze(), f32(1)),
    *layouts("unsqueeze", lambda T, x: T.unsqueeze(x, 1), 3, 4),
    *layouts("unsqueeze", lambda T, x: x.unsqueeze(-1), 3, 4),
    *layouts("unsqueeze", lambda T, x: x.unsqueeze(0), 3, 4),
    view_case("unsqueeze", lambda T, x: x.unsqueeze(0), f32()),
    view_case("Tensor.expand", lambda T, x: x.expand(5, 3, 4), f32(3, 1)),
    view_case("Tensor.expand", lambda T, x: x.expand(2, -1, -1), f32(3, 4, layout="transposed")),
    view_case("Tensor.expand", lambda T, x: x.expand(1, 3, 1), f32(3, 1)),
    view_case("Tensor.expand", lambda T, x: x.expand(2, 3), f32()),
    view_case("Tensor.expand", lambda T, x: x.expand(0, 3), f32(1, 3)),
    view_case("Tensor.expand_as", lambda T, x, y: x.expand_as(y), f32(1, 4), f32(3, 4)),
    view_case("broadcast_to", lambda T, x: T.broadcast_to(x, (2, 3, 4)), f32(4)),
    Case("broadcast_tensors", lambda T, x, y: T.broadcast_tensors(x, y), f32(3, 1), f32(4), strides=True),
    Case("broadcast_shapes", lambda T: T.broadcast_shapes((2, 1), (3,), 1)),
    *layouts("narrow", lambda T, x: T.narrow(x, 1, 1, 2), 3, 4),
    view_case("Tensor.narrow", lambda T, x: x.narrow(0, -2, 1), f32(3, 4)),
    view_case("narrow", lambda T, x: x.narrow(0, 3, 0), f32(3, 4)),
    *layouts("select", lambda T, x: T.select(x, 1, -1), 3, 4),
    view_case("Tensor.select", lambda T, x: x.select(0, 2), f32(3)),
    *layouts("split", lambda T, x: T.split(x, 3, 1), 3, 4),
    view_case("Tensor.split", lambda T, x: x.split([1, 0, 2]), f32(3, 4)),
    view_case("split", lambda T, x: x.split(2), f32(0, 4)),
    view_case("split", lambda T, x: x.split(2, dim=1)[1], f32(3, 5)),
    view_case("split_with_sizes", lambda T, x: T.split_with_sizes(x, [1, 3], 1), f32(3, 4)),
    view_case("chunk", lambda T, x: T.chunk(x, 3, 1), f32(2, 7)),
    view_case("chunk", lambda T, x: x.chunk(5), f32(7, 2)),
    view_case("chunk", lambda T, x: x.chunk(3), f32(0, 2)),
    view_case("tensor_split", lambda T, x: T.tensor_split(x, 3), f32(7, 2)),
    view_case("tensor_split", lambda T, x: x.tensor_split((1, 3), dim=1), f32(2, 5)),
    view_case("tensor_split", lambda T, x: x.tensor_split((3, 1)), f32(5, 2)),
    view_case("tensor_split", lambda T, x: x.tensor_split(T.tensor([1, 2])), f32(5)),
    view_case("hsplit", lambda T, x: T.hsplit(x, 2), f32(3, 4)),
    view_case("hsplit", lambda T, x: x.hsplit([1]), f32(3)),
    view_case("vsplit", lambda T, x: T.vsplit(x, 3), f32(3, 4)),
    view_case("dsplit", lambda T, x: x.dsplit(2), f32(2, 3, 4)),
    *layouts("unbind", lambda T, x: T.unbind(x, 1), 3, 4),
    view_case("Tensor.unbind", lambda T, x: x.unbind()[1], f32(3, 4)),
    view_case("unbind", lambda T, x: x.unbind(), f32(3)),
    view_case("Tensor.__iter__", lambda T, x: list(x), f32(3, 2)),
    *layouts("Tensor.unfold", lambda T, x: x.unfold(1, 3, 1), 3, 4),
    view_case("Tensor.unfold", lambda T, x: x.unfold(0, 2, 3), f32(9, 2)),
    view_case("Tensor.unfold", lambda T, x: x.unfold(0, 1, 1), f32()),
    view_case("Tensor.unfold", lambda T, x: x.unfold(-1, 0, 2), f32(2, 3)),
    *layouts("diagonal", lambda T, x: T.diagonal(x), 3, 4),
    *layouts("diagonal", lambda T, x: x.diagonal(1, 0, 2), 2, 3, 4),
    view_case("Tensor.diagonal", lambda T, x: x.diagonal(-1), f32(4, 3)),
    view_case("diagonal", lambda T, x: x.diagonal(5), f32(4, 3)),
    view_case("diagonal", lambda T, x: x.diagonal(dim1=2, dim2=0), f32(2, 3, 4)),
    *layouts("as_strided", lambda T, x: x.as_strided((2, 2), (1, 2)), 3, 4),
    view_case("as_strided", lambda T, x: T.as_strided(x, (3, 3), (1, 1), 2), f32(3, 4)),
    view_case("as_strided", lambda T, x: x.as_strided((2,), (3,), 1), f32(3, 4)),
    view_case("flatten", lambda T, x: T.flatten(x), f32(2, 3, 4)),
    view_case("flatten", lambda T, x: x.flatten(1), f32(2, 3, 4, layout="transposed")),
    view_case("flatten", lambda T, x: x.flatten(0, 1), f32(2, 3, 4)),
    view_case("flatten", lambda T, x: x.flatten(), f32()),
    view_case("ravel", lambda T, x: T.ravel(x), f32(2, 3, layout="transposed")),
    view_case("ravel", lambda T, x: x.ravel(), f32()),
    view_case("unflatten", lambda T, x: T.unflatten(x, 1, (2, -1)), f32(3, 4)),
    view_case("Tensor.unflatten", lambda T, x: x.unflatten(-1, (2, 2)), f32(3, 4)),
    *layouts("Tensor.contiguous", lambda T, x: x.contiguous(), 3, 4),
    view_case("Tensor.t_", lambda T, x: (x * 1).t_(), f32(3, 4)),
    view_case("Tensor.transpose_", lambda T, x: (x * 1).transpose_(0, 2), f32(2, 3, 4)),
    view_case("Tensor.swapaxes_", lambda T, x: (x * 1).swapaxes_(0, 2), f32(2, 3, 4)),
    view_case("Tensor.swapdims_", lambda T, x: (x * 1).swapdims_(0, 1), f32(2, 3, 4)),
    view_case("Tensor.squeeze_", lambda T, x: (x * 1).squeeze_(), f32(1, 3, 1)),
    view_case("Tensor.squeeze_", lambda T, x: (x * 1).squeeze_(0), f32(1, 3, 1)),
    view_case("Tensor.unsqueeze_", lambda T, x: (x * 1).unsqueeze_(-1), f32(2, 3)),
    view_case("Tensor.as_strided_", lambda T, x: (x * 1).as_strided_((2, 2), (1, 1)), f32(2, 3)),
    view_case("Tensor.detach", lambda T, x: x.detach(), f32(3, 4, layout="transposed")),
    Case("Tensor.stride", lambda T, x: [x.stride(), x.stride(0), x.stride(-1), x.storage_offset(), x.is_contiguous()],
         f32(3, 4, layout="offset")),
    Case("Tensor.is_contiguous", lambda T, x: [x.is_contiguous(), x.t().is_contiguous(), x[:, :1].t().is_contiguous()],
         f32(3, 4)),
]  # fmt: skip

INCOMPATIBLE = (
    "view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous "
    "subspaces). Use .reshape(...) instead."
)
OUT_OF_RANGE = "Dimension out of range (expected to be in range of [-2, 1], but got"
ERRORS = [
    Error("Tensor.view", lambda T, x: x.view(5, 2), f32(3, 4), words="shape '[5, 2]' is invalid for input of size 12"),
    Error("Tensor.view", lambda T, x: x.t().view(12), f32(3, 4), words=INCOMPATIBLE),
    Error("Tensor.view", lambda T, x: x.view(-1, -1), f32(3, 4), words="only one dimension can be inferred"),
    Error("Tensor.view", lambda T, x: x.view(-2, 6), f32(3, 4),
          words="invalid shape dimension -2 at index 0 of shape [-2, 6]"),
    Error("Tensor.view", lambda T, x: x.view(-1, 0), f32(0, 3),
          words="cannot reshape tensor of 0 elements into shape [-1, 0]"),
    Error("Tensor.view", lambda T, x: x.view(T.float64), f32(3),
          words="self.size(-1) must be divisible by 2 to view Float as Double"),
    Error("Tensor.view", lambda T, x: x.view(T.float64), f32(), words="self.dim() cannot be 0 to view Float as Double"),
    Error("Tensor.view", lambda T, x: x.t().view(T.float64), f32(4, 4),
          words="self.stride(-1) must be 1 to view Float as Double"),
    Error("Tensor.view_as", lambda T, x, y: x.view_as(y), f32(3, 4), f32(5),
          words="shape '[5]' is invalid for input of size 12"),
    Error("reshape", lambda T, x: x.reshape(5, -1), f32(3, 4), words="shape '[5, -1]' is invalid for input of size 12"),
    Error("transpose", lambda T, x: x.transpose(0, 2), f32(3, 4), words=f"{OUT_OF_RANGE} 2)"),
    Error("transpose", lambda T, x: x.transpose(0, 1), f32(), words="[-1, 0], but got 1"),
    Error("t", lambda T, x: x.t(), f32(2, 3, 4), words="t() expects a tensor with <= 2 dimensions, but self is 3D"),
    Error("permute", lambda T, x: x.permute(0), f32(3, 4), words="input.dim() = 2 is not equal to len(dims) = 1"),
    Error("permute", lambda T, x: x.permute(0, 0), f32(3, 4), words="permute(): duplicate dims are not allowed."),
    Error("permute", lambda T, x: x.permute(0, 2), f32(3, 4), words=f"{OUT_OF_RANGE} 2)"),
    Error("movedim", lambda T, x: x.movedim(0, 2), f32(3, 4), words=f"{OUT_OF_RANGE} 2)"),
    Error("movedim", lambda T, x: x.movedim((0, 1), (0,)), f32(3, 4),
          words="Invalid source or destination dims: source ([0, 1]"),
    Error("movedim", lambda T, x: x.movedim((0, 0), (0, 1)), f32(3, 4),
          words="movedim: repeated dim in `source` ([0, 0])"),
    Error("squeeze", lambda T, x: x.squeeze(2), f32(3, 4), words=f"{OUT_OF_RANGE} 2)"),
    Error("squeeze", lambda T, x: x.squeeze((0, 0)), f32(3, 4),
          words="dim 0 appears multiple times in the list of dims"),
    Error("unsqueeze", lambda T, x: x.unsqueeze(3), f32(3, 4), words="[-3, 2], but got 3"),
    Error("Tensor.expand", lambda T, x: x.expand(2, 4), f32(3, 4),
          words=("(2) must match the existing size (3)", "dimension 0")),
    Error("Tensor.expand", lambda T, x: x.expand(4), f32(3, 4),
          words="the number of sizes provided (1) must be greater or equal"),
    Error("Tensor.expand", lambda T, x: x.expand(-1, 3, 4), f32(3, 4),
          words="isn't allowed in a leading, non-existing dimension 0"),
    Error("broadcast_to", lambda T, x: x.broadcast_to((2, 4)), f32(3, 4),
          words="Target sizes: [2, 4].  Tensor sizes: [3, 4]"),
    Error("broadcast_tensors", lambda T, x, y: T.broadcast_tensors(x, y), f32(3, 4), f32(2),
          words="a (4) must match the size of"),
    Error("broadcast_shapes", lambda T: T.broadcast_shapes((2, 3), (4,)),
          words=("length 4 at -1", "index 1 had (4,)", "[2, 3]")),
    Error("narrow", lambda T, x: x.narrow(0, 2, 2), f32(3, 4),
          words="start (2) + length (2) exceeds dimension size (3)."),
    Error("narrow", lambda T, x: x.narrow(0, 1, -1), f32(3, 4), words="narrow(): length must be non-negative."),
    Error("narrow", lambda T, x: x.narrow(0, 5, 1), f32(3, 4),
          words="start out of range (expected to be in range of [-3, 3], but got 5)"),
    Error("narrow", lambda T, x: x.narrow(0, 0, 1), f32(), words="narrow() cannot be applied to a 0-dim tensor."),
    Error("select", lambda T, x: x.select(0, 3), f32(3, 4),
          words="select(): index 3 out of range for tensor of size [3, 4] at dimension 0"),
    Error("select", lambda T, x: x.select(2, 0), f32(3, 4), words=f"{OUT_OF_RANGE} 2)"),
    Error("select", lambda T, x: x.select(0, 0), f32(), words="select() cannot be applied to a 0-dim tensor."),
    Error("split", lambda T, x: x.split(0), f32(3, 4),
          words="split_size can only be 0 if dimension size is 0, but got dimension size of 3"),
    Error("split", lambda T, x: x.split(-1), f32(3, 4),
          words="split expects split_size be non-negative, but got split_size=-1"),
    Error("split", lambda T, x: x.split([1, 1]), f32(3, 4), words=("sum exactly to 3", "split_sizes=[1, 1]")),
    Error("split", lambda T, x: x.split([-1, 4]), f32(3, 4),
          words=("only non-negative entries", "split_sizes=[-1, 4]")),
    Error("split", lambda T, x: x.split(1), f32(), words="split expects at least a 1-dimensional tensor"),
    Error("chunk", lambda T, x: x.chunk(0), f32(3, 4), words="chunk expects `chunks` to be greater than 0, got: 0"),
    Error("tensor_split", lambda T, x: x.tensor_split(0), f32(3, 4),
          words="number of sections must be larger than 0, got 0"),
    Error("hsplit", lambda T, x: x.hsplit(3), f32(3, 4),
          words=("torch.hsplit attempted", "size of the dimension 4", "split_size 3")),
    Error("vsplit", lambda T, x: x.vsplit(1), f32(3),
          words="torch.vsplit requires a tensor with at least 2 dimension, but got"),
    Error("dsplit", lambda T, x: x.dsplit(2), f32(3, 4),
          words="torch.dsplit requires a tensor with at least 3 dimension, but got"),
    Error("unbind", lambda T, x: x.unbind(), f32(), words="Dimension specified as 0 but tensor has no dimensions"),
    Error("Tensor.__iter__", lambda T, x: list(x), f32(), words="iteration over a 0-d tensor"),
    Error("Tensor.unfold", lambda T, x: x.unfold(0, 4, 1), f32(3, 4),
          words="maximum size for tensor at dimension 0 is 3 but size is 4"),
    Error("Tensor.unfold", lambda T, x: x.unfold(0, 2, 0), f32(3, 4), words="step is 0 but must be > 0"),
    Error("diagonal", lambda T, x: x.diagonal(dim1=0, dim2=0), f32(3, 4),
          words="diagonal dimensions cannot be identical 0, 0"),
    Error("flatten", lambda T, x: x.flatten(1, 0), f32(3, 4),
          words="flatten() has invalid args: start_dim cannot come after end_dim"),
    Error("unflatten", lambda T, x: x.unflatten(0, (2, 2)), f32(3, 4),
          words="Provided sizes [2, 2] don't multiply up to the size of dim 0 (3)"),
    Error("unflatten", lambda T, x: x.unflatten(0, ()), f32(3, 4), words="unflatten: sizes must be non-empty"),
    Error("as_strided", lambda T, x: x.as_strided((2, 2), (1,)), f32(3, 4),
          words="mismatch in length of strides and shape"),
    Error("as_strided", lambda T, x: x.as_strided((20, 2), (1, 1)), f32(3, 4),
          words=("storage size of 84", "for storage of size 48")),
    Error("as_strided", lambda T, x: x.as_strided((2, 2), (-1, 1)), f32(3, 4),
          words="Negative strides are not supported"),
    Error("Tensor.mT", lambda T, x: x.mT, f32(3), words="Got 1-D tensor."),
    Error("Tensor.t_", lambda T, x: x.t_(), f32(3, 4),
          words="a leaf Variable that requires grad is being used in an in-place operation."),
    Error("Tensor.stride", lambda T, x: x.stride(2), f32(3, 4), words=f"{OUT_OF_RANGE} 2)"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_equals_torch(case: Case) -> None:
    run_case(case)


@pytest.mark.parametrize("case", ERRORS, ids=ids(ERRORS))
def test_refused_like_torch(case: Error) -> None:
    run_error(case)


SHARES = {
    "view": lambda x: x.view(2, 6), "reshape": lambda x: x.reshape(-1), "t": lambda x: x.t(), "T": lambda x: x.T,
    "mT": lambda x: x.mT, "permute": lambda x: x.permute(1, 0), "transpose": lambda x: x.transpose(0, 1),
    "movedim": lambda x: x.movedim(0, 1), "squeeze": lambda x: x[:1].squeeze(), "unsqueeze": lambda x: x.unsqueeze(0),
    "expand": lambda x: x.expand(2, 3, 4), "narrow": lambda x: x.narrow(1, 1, 2), "select": lambda x: x.select(0, 1),
    "split": lambda x: x.split(2)[1], "chunk": lambda x: x.chunk(2)[1], "tensor_split": lambda x: x.tensor_split(2)[1],
    "unbind": lambda x: x.unbind(1)[2], "unfold": lambda x: x.unfold(1, 2, 1), "diagonal": lambda x: x.diagonal(1),
    "flatten": lambda x: x.flatten(), "unflatten": lambda x: x.unflatten(1, (2, 2)), "detach": lambda x: x.detach(),
    "as_strided": lambda x: x.as_strided((2, 2), (1, 4), 1), "index": lambda x: x[None, 1:, None, 2], "data": lambda x: x.data,
    "view(dtype)": lambda x: x.view((tinytorch if isinstance(x, tinytorch.Tensor) else torch).int16),
}  # fmt: skip


@pytest.mark.parametrize("name", SHARES)
def test_views_share_their_memory(name: str) -> None:
    """Same storage, same offset and strides as PyTorch's, and a write through the view is seen by the base."""
    results = []
    for T in (torch, tinytorch):
        x = T.arange(12.0).view(3, 4).clone()
        y = SHARES[name](x)
        assert y.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
        y.zero_()
        results.append((x.tolist(), y.storage_offset(), y.stride(), y.data_ptr() - x.data_ptr(), y._is_view()))
    assert results[0] == results[1]


COVERS = ("Tensor.storage", "Tensor.untyped_storage", "Tensor.data_ptr", "Tensor.storage_offset")


def test_storage_is_printed_and_measured_as_in_torch() -> None:
    found = []
    for T in (torch, tinytorch):
        x = T.arange(6.0).view(2, 3)
        with pytest.warns() if T is torch else _nothing():
            s = x.t().storage()
        b = x[1].untyped_storage()
        found.append([repr(s), repr(b), len(s), s.size(), s.tolist(), s[4], list(s), s.nbytes(), s.element_size(), s.type(),
                      repr(s.dtype), len(b), b.nbytes(), b.size(), b.tolist(), b[6], s.data_ptr() == x.data_ptr()])  # fmt: skip
        s[0] = 7.0
        found[-1].append(x[0, 0].item())
    assert found[0] == found[1]


class _nothing:
    def __enter__(self) -> None: ...
    def __exit__(self, *exception: object) -> None: ...


def test_writing_into_a_storage_is_noticed_by_autograd() -> None:
    x = tinytorch.ones(3, requires_grad=True)
    y = x * 2
    z = y * y
    y.detach().storage()[0] = 5.0
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


@pytest.mark.parametrize("T", [torch, tinytorch], ids=["torch", "tinytorch"])
def test_graph_names_of_views(T: Any) -> None:
    x = T.ones(2, 3, 4, requires_grad=True)
    m = T.ones(3, 4, requires_grad=True)
    made = {
        "View": x.view(24), "UnsafeView": x.transpose(0, 1).reshape(24), "Transpose": x.mT, "T": m.t(), "Permute": m.T,
        "Expand": m.expand(2, 3, 4), "Unsqueeze": x[None], "Slice": x[1:], "Select": x[0], "Alias": x[...],
        "Split": x.split(1)[0], "SplitWithSizes": x.split([1, 1])[0], "Unbind": x.unbind()[0], "Diagonal": m.diagonal(),
        "Unfold": m.unfold(0, 2, 1), "AsStrided": m.as_strided((2,), (1,)), "Index": m[[0, 1]], "Squeeze": x.squeeze(),
    }  # fmt: skip
    for name, y in made.items():
        assert y.grad_fn.name() == f"{name}Backward0"
    assert x.squeeze(0).grad_fn.name() == "SqueezeBackward1" and x.squeeze((0,)).grad_fn.name() == "SqueezeBackward2"
    assert x.split(1)[1].output_nr == 1


def test_double_precision_gradients_at_every_index() -> None:
    x = tinytorch.rand(3, 4, dtype=tinytorch.float64, requires_grad=True)
    for f in (lambda t: t.unfold(1, 3, 1), lambda t: t.diagonal(1), lambda t: t.t().reshape(2, 6), lambda t: t.expand(2, 3, 4),
              lambda t: t.as_strided((3, 3), (1, 2), 1), lambda t: t.chunk(3, 1), lambda t: t.movedim(0, 1)[1:, None]):  # fmt: skip
        assert tinytorch.autograd.gradcheck(f, (x,)) and tinytorch.autograd.gradgradcheck(f, (x,))


def test_views_of_float64_and_integers_keep_dtype() -> None:
    for make in (f64, i64):
        run_case(view_case("permute", lambda T, x: x.permute(1, 0)[1:].unsqueeze(1), make(3, 4)))
