"""The same numbers under another shape. All but a `reshape` that cannot are views: no element is moved."""

from __future__ import annotations

from typing import Any

from tinytorch import kernels
from tinytorch.autograd.op import Op
from tinytorch.tensor import Tensor, normalize_dim


class View(Op):
    """y = x under another shape,  dx = dy under x's"""

    is_view = True

    def forward(ctx, x, shape):
        ctx.before = x.shape
        return kernels.of(x).reshape(x, shape)

    def backward(ctx, dy):
        return dy.reshape(ctx.before)


class Expand(Op):
    """y = x, repeated along dimensions of length 1,  dx = the sum of dy over the copies"""

    is_view = True

    def forward(ctx, x, shape):
        ctx._fit = ((x.shape, x.dtype),)
        return kernels.of(x).expand(x, shape)

    def backward(ctx, dy):
        return dy  # summed down by the engine, as for every operand that was broadcast


class Transpose(Op):
    """y = x with two dimensions exchanged,  dx = dy with the same two"""

    is_view = True

    def forward(ctx, x, dim0, dim1):
        ctx.dims = dim0, dim1
        return kernels.of(x).transpose(x, dim0, dim1)

    def backward(ctx, dy):
        return kernels.of(dy).transpose(dy, *ctx.dims)


class T(Transpose):
    """y = xᵀ,  dx = dyᵀ"""


def view(self: Tensor, *shape: Any) -> Tensor:
    """The same memory under another shape; RuntimeError where the strides do not allow it.

    >>> import tinytorch
    >>> tinytorch.arange(6).view(2, 3)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    wanted = infer_shape(shape_of(shape), self.numel())
    if not can_view(self._array, wanted):
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
            "contiguous subspaces). Use .reshape(...) instead."
        )
    return View.apply(self, shape=wanted)


def reshape(input: Tensor, *shape: Any) -> Tensor:
    """The same elements under another shape: a view where the strides allow it, else a copy."""
    wanted = infer_shape(shape_of(shape), input.numel())
    if not can_view(input._array, wanted):
        from tinytorch.ops.cast import contiguous

        input = contiguous(input)
    return View.apply(input, shape=wanted)


def expand(self: Tensor, *sizes: Any) -> Tensor:
    """Dimensions of length 1 stretched without copying; -1 keeps a length."""
    wanted = list(shape_of(sizes))
    have = self._array.shape
    lead = len(wanted) - len(have)
    if lead < 0:
        raise RuntimeError(
            f"expand(torch.{self.dtype.legacy}{{{list(have)}}}, size={wanted}): the number of sizes provided "
            f"({len(wanted)}) must be greater or equal to the number of dimensions in the tensor ({len(have)})"
        )
    for i, n in enumerate(have):
        if wanted[lead + i] == -1:
            wanted[lead + i] = n
        elif n not in (1, wanted[lead + i]):
            raise RuntimeError(
                f"The expanded size of the tensor ({wanted[lead + i]}) must match the existing size ({n}) at "
                f"non-singleton dimension {lead + i}.  Target sizes: {wanted}.  Tensor sizes: {list(have)}"
            )
    return Expand.apply(self, shape=tuple(wanted))


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged: a view."""
    ndim = input._array.ndim
    if not ndim:
        normalize_dim(dim0, ndim), normalize_dim(dim1, ndim)
        return view(input, ())
    return Transpose.apply(input, dim0=normalize_dim(dim0, ndim), dim1=normalize_dim(dim1, ndim))


def t(input: Tensor) -> Tensor:
    """A matrix transposed; vectors and 0-d tensors as they are."""
    if input._array.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input._array.ndim}D")
    if input._array.ndim < 2:
        return View.apply(input, shape=input._array.shape)
    return T.apply(input, dim0=0, dim1=1)


def shape_of(sizes: tuple) -> tuple[int, ...]:
    """Sizes given one by one or as a list or tuple."""
    if len(sizes) == 1 and not isinstance(sizes[0], int) and hasattr(sizes[0], "__iter__"):
        sizes = tuple(sizes[0])
    return tuple([s if type(s) is int else s.__index__() for s in sizes])


def infer_shape(shape: tuple[int, ...], numel: int) -> tuple[int, ...]:
    """The shape with its -1, if it has one, replaced by what the number of elements leaves for it."""
    known, unknown = 1, None
    for i, n in enumerate(shape):
        if n == -1:
            if unknown is not None:
                raise RuntimeError("only one dimension can be inferred")
            unknown = i
        elif n < 0:
            raise RuntimeError(f"invalid shape dimension {n}")
        else:
            known *= n
    if unknown is None:
        if known != numel:
            raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {numel}")
        return shape
    if known == 0 and numel == 0:
        raise RuntimeError(
            f"cannot reshape tensor of 0 elements into shape {list(shape)} because the unspecified dimension size -1 can "
            "be any value and is ambiguous"
        )
    if known == 0 or numel % known:
        raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {numel}")
    return shape[:unknown] + (numel // known,) + shape[unknown + 1 :]


def can_view(array: Any, shape: tuple[int, ...]) -> bool:
    """Whether `shape` can be laid over the array's memory by strides alone."""
    if array.flags.c_contiguous or not array.size:
        return True
    groups, expected = [], None  # runs of dimensions that lie in one piece: (length, stride of the last)
    for n, stride in zip(array.shape, array.strides, strict=True):
        if n == 1:
            continue
        if groups and expected == n * stride:
            groups[-1] = (groups[-1][0] * n, stride)
        else:
            groups.append((n, stride))
        expected = stride
    at = 0
    for length, _ in groups:  # each run must be filled exactly by dimensions of the new shape
        filled = 1
        while filled < length and at < len(shape):
            filled *= shape[at]
            at += 1
        if filled != length:
            return False
    return all(n == 1 for n in shape[at:])
