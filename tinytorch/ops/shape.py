"""The same numbers under another shape. All but a `reshape` that cannot are views: no element is moved."""

from __future__ import annotations

import math
import warnings
from typing import Any

from tinytorch import kernels
from tinytorch.autograd.op import Op
from tinytorch.autograd.views import ViewOp
from tinytorch.dtypes import dtype as DType
from tinytorch.size import Size
from tinytorch.tensor import Tensor, normalize_dim, wrap_view


class View(ViewOp):
    """y = x under another shape,  dx = dy under x's"""

    def forward(ctx, x, shape):
        ctx.before = x.shape
        return kernels.of(x).view(x, shape)

    def backward(ctx, dy):
        return dy.reshape(ctx.before)


class UnsafeView(Op):
    """y = x, a fresh copy, under another shape,  dx = dy under x's"""

    def forward(ctx, x, shape):
        ctx.before = x.shape
        return x.reshape(shape)

    def backward(ctx, dy):
        return dy.reshape(ctx.before)


class Expand(ViewOp):
    """y = x, repeated along dimensions of length 1,  dx = the sum of dy over the copies"""

    def forward(ctx, x, shape):
        ctx._fit = ((x.shape, x.dtype),)
        return kernels.of(x).expand(x, shape)

    def backward(ctx, dy):
        return dy  # summed down by the engine, as for every operand that was broadcast


class Transpose(ViewOp):
    """y = x with two dimensions exchanged,  dx = dy with the same two"""

    def forward(ctx, x, dim0, dim1):
        ctx.dims = dim0, dim1
        return x.swapaxes(dim0, dim1)

    def backward(ctx, dy):
        return dy.swapaxes(*ctx.dims)


class T(ViewOp):
    """y = xᵀ,  dx = dyᵀ"""

    def forward(ctx, x):
        return x.T

    def backward(ctx, dy):
        return dy.T


class Permute(ViewOp):
    """y = x with its dimensions in another order,  dx = dy with them in the old one"""

    def forward(ctx, x, dims):
        ctx.dims = dims
        return kernels.of(x).permute(x, dims)

    def backward(ctx, dy):
        back = sorted(range(len(ctx.dims)), key=ctx.dims.__getitem__)
        return kernels.of(dy).permute(dy, back)


class Squeeze(View):
    """y = x without its dimensions of length 1,  dx = dy with them"""

    def forward(ctx, x):
        ctx.before = x.shape
        return x.squeeze()


class SqueezeDim(View):
    """y = x without one dimension if its length is 1,  dx = dy with it"""

    label, variant = "Squeeze", 1

    def forward(ctx, x, dim):
        ctx.before = x.shape
        return x.squeeze(dim) if x.ndim and x.shape[dim] == 1 else x[...]


class SqueezeDims(SqueezeDim):
    """y = x without those of some dimensions that have length 1,  dx = dy with them"""

    label, variant = "Squeeze", 2

    def forward(ctx, x, dims):
        ctx.before = x.shape
        return x.squeeze(tuple([d for d in dims if x.shape[d] == 1])) if x.ndim else x[...]


class Unsqueeze(View):
    """y = x with a dimension of length 1 put in,  dx = dy without it"""

    def forward(ctx, x, index):
        ctx.before = x.shape
        return x[index]


_INSERT = [(slice(None),) * dim + (None,) for dim in range(64)]  # x[_INSERT[d]] has a new dimension d


def view(self: Tensor, *shape: Any) -> Tensor:
    """The same memory under another shape, or read as another dtype; RuntimeError where the strides do not allow it.

    >>> import tinytorch
    >>> tinytorch.arange(6).view(2, 3)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    if len(shape) == 1 and isinstance(shape[0], DType):
        return _view_dtype(self, shape[0])
    wanted = shape_of(shape)
    try:
        if wanted and min(wanted) < -1:
            raise ValueError
        return View.apply(self, wanted)
    except ValueError:
        infer_shape(wanted, self.numel())
    raise RuntimeError(
        "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
        "contiguous subspaces). Use .reshape(...) instead."
    )


def _view_dtype(self: Tensor, dtype: DType) -> Tensor:
    array, size = self._array, dtype.numpy.itemsize
    if size != array.itemsize:
        source, target = (t.legacy.removesuffix("Tensor") for t in (self.dtype, dtype))
        how = f"to view {source} as {target} (different element sizes)"
        if not array.ndim:
            raise RuntimeError(f"self.dim() cannot be 0 {how}")
        if size > array.itemsize and array.shape[-1] % (size // array.itemsize):
            raise RuntimeError(
                f"self.size(-1) must be divisible by {size // array.itemsize} {how}, but got {array.shape[-1]}"
            )
        if array.strides[-1] != array.itemsize and array.shape[-1] > 1:
            raise RuntimeError(f"self.stride(-1) must be 1 {how}, but got {self.stride(-1)}")
    return wrap_view(array.view(dtype.numpy), self)


def reshape(input: Tensor, *shape: Any) -> Tensor:
    """The same elements under another shape: a view where the strides allow it, else a copy."""
    wanted = shape_of(shape)
    try:
        if wanted and min(wanted) < -1:
            raise ValueError
        return View.apply(input, wanted)
    except ValueError:
        wanted = infer_shape(wanted, input.numel())
    from tinytorch.ops.cast import contiguous

    return UnsafeView.apply(contiguous(input), shape=wanted)


def view_as(self: Tensor, other: Tensor) -> Tensor:
    """The same memory under the shape of `other`."""
    return view(self, other._array.shape)


def reshape_as(self: Tensor, other: Tensor) -> Tensor:
    """The same elements under the shape of `other`."""
    return reshape(self, other._array.shape)


def expand(self: Tensor, *sizes: Any) -> Tensor:
    """Dimensions of length 1 stretched without copying; -1 keeps a length.

    >>> import tinytorch
    >>> tinytorch.tensor([[1], [2]]).expand(-1, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    wanted = list(shape_of(sizes))
    have = self._array.shape
    lead = len(wanted) - len(have)
    if lead < 0:
        raise RuntimeError(
            f"expand(torch.{self.dtype.legacy}{{{list(have)}}}, size={wanted}): the number of sizes provided "
            f"({len(wanted)}) must be greater or equal to the number of dimensions in the tensor ({len(have)})"
        )
    for i, n in enumerate(wanted[:lead]):
        if n < 0:
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) isn't allowed in a leading, non-existing dimension {i}"
            )
    for i, n in enumerate(have):
        if wanted[lead + i] == -1:
            wanted[lead + i] = n
        elif n not in (1, wanted[lead + i]):
            raise RuntimeError(
                f"The expanded size of the tensor ({wanted[lead + i]}) must match the existing size ({n}) at "
                f"non-singleton dimension {lead + i}.  Target sizes: {wanted}.  Tensor sizes: {list(have)}"
            )
    return Expand.apply(self, tuple(wanted))


def expand_as(self: Tensor, other: Tensor) -> Tensor:
    """Stretched to the shape of `other`, without copying."""
    return expand(self, other._array.shape)


def broadcast_to(input: Tensor, size: Any) -> Tensor:
    """Stretched to a shape, without copying."""
    return expand(input, size)


def broadcast_shapes(*shapes: Any) -> Size:
    """The shape to which all of these broadcast.

    >>> broadcast_shapes((2, 1), (3,))
    torch.Size([2, 3])
    """
    given = [(s,) if isinstance(s, int) else tuple(s) for s in shapes]
    found = [1] * max([len(s) for s in given], default=0)
    for number, shape in enumerate(given):
        for back in range(-1, -1 - len(shape), -1):
            if shape[back] < 0:
                raise RuntimeError(f"Trying to create tensor with negative dimension ({shape[back]}): ({shape[back]})")
            if shape[back] != 1 and found[back] not in (1, shape[back]):
                raise RuntimeError(
                    f"Attempting to broadcast a dimension of length {shape[back]} at {back}! Mismatching argument at "
                    f"index {number} had {shape}; but expected shape should be broadcastable to {found}"
                )
            if shape[back] != 1:
                found[back] = shape[back]
    return Size(found)


def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """All tensors stretched to their common shape, without copying."""
    given = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], list | tuple) else tensors
    shape: tuple = ()
    for t in given:
        shape = common_shape(shape, t._array.shape)
    return tuple([expand(t, shape) for t in given])


def common_shape(a: tuple, b: tuple) -> tuple:
    """What two shapes broadcast to; RuntimeError in the words of an operation on both."""
    if a == b:
        return a
    width = max(len(a), len(b))
    found = []
    for d, (n, m) in enumerate(
        zip((1,) * (width - len(a)) + tuple(a), (1,) * (width - len(b)) + tuple(b), strict=True)
    ):
        if n != m and 1 not in (n, m):
            raise RuntimeError(
                f"The size of tensor a ({n}) must match the size of tensor b ({m}) at non-singleton dimension {d}"
            )
        found.append(m if n == 1 else n)
    return tuple(found)


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged: a view."""
    ndim = input._array.ndim
    dim0, dim1 = normalize_dim(dim0, ndim), normalize_dim(dim1, ndim)
    return Transpose.apply(input, dim0, dim1) if ndim else View.apply(input, ())


def t(input: Tensor) -> Tensor:
    """A matrix transposed; vectors and 0-d tensors as they are."""
    ndim = input._array.ndim
    if ndim == 2:
        return T.apply(input)
    if ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {ndim}D")
    return T.apply(input)


def permute(input: Tensor, *dims: Any) -> Tensor:
    """The dimensions in another order: a view.

    >>> import tinytorch
    >>> tinytorch.zeros(2, 3, 5).permute(2, 0, 1).shape
    torch.Size([5, 2, 3])
    """
    wanted, ndim = shape_of(dims), input._array.ndim
    if len(wanted) != ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = {len(wanted)}"
        )
    order = tuple([normalize_dim(d, ndim) for d in wanted])
    if len(set(order)) < ndim:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return Permute.apply(input, order)


def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Some dimensions moved to other places, the rest in their order: a view."""
    ndim = input._array.ndim
    sources = [source] if isinstance(source, int) else list(source)
    targets = [destination] if isinstance(destination, int) else list(destination)
    if len(sources) != len(targets):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({sources} dims) should contain the same number of "
            f"dims as destination ({targets} dims)"
        )
    taken = [normalize_dim(d, ndim) for d in sources]
    places = [normalize_dim(d, ndim) for d in targets]
    for which, dims, given in (("source", taken, sources), ("destination", places, targets)):
        if len(set(dims)) < len(dims):
            raise RuntimeError(f"movedim: repeated dim in `{which}` ({given})")
    if not ndim:
        return View.apply(input, ())
    rest = iter([d for d in range(ndim) if d not in taken])
    return Permute.apply(input, tuple([taken[places.index(d)] if d in places else next(rest) for d in range(ndim)]))


def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """Without its dimensions of length 1, or without those of them that `dim` names: a view."""
    if dim is None:
        return Squeeze.apply(input)
    if isinstance(dim, list | tuple):
        dims = tuple([normalize_dim(d, input._array.ndim) for d in dim])
        if len(set(dims)) < len(dims):
            raise RuntimeError(f"dim {max(dims, key=dims.count)} appears multiple times in the list of dims")
        return SqueezeDims.apply(input, dims)
    return SqueezeDim.apply(input, normalize_dim(dim, input._array.ndim))


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a new dimension of length 1 at `dim`: a view."""
    return Unsqueeze.apply(input, _INSERT[normalize_dim(dim, input._array.ndim + 1)])


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The dimensions from `start_dim` to `end_dim` run together into one."""
    shape = input._array.shape
    start, end = normalize_dim(start_dim, len(shape)), normalize_dim(end_dim, len(shape))
    if not shape:
        return reshape(input, 1)
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if start == end:
        return input
    return reshape(input, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


def ravel(input: Tensor) -> Tensor:
    """All elements in one row: the tensor itself, a view or a copy."""
    from tinytorch.ops.cast import contiguous

    out = contiguous(input)
    return out if out._array.ndim == 1 else reshape(out, -1)


def unflatten(input: Tensor, dim: int, sizes: Any) -> Tensor:
    """One dimension as several: a view. One of the sizes may be -1."""
    shape = input._array.shape
    at, wanted = normalize_dim(dim, len(shape)), tuple(sizes)
    if not wanted:
        raise RuntimeError("unflatten: sizes must be non-empty")
    wrong = (
        f"unflatten: Provided sizes {list(wanted)} don't multiply up to the size of dim {at} ({shape[at]}) in the "
        "input tensor"
    )
    if -1 in wanted:
        known = -math.prod(wanted)
        if wanted.count(-1) > 1:
            raise RuntimeError("only one dimension can be inferred")
        if known <= 0 or shape[at] % known:
            raise RuntimeError(wrong)
        wanted = tuple([shape[at] // known if n == -1 else n for n in wanted])
    elif math.prod(wanted) != shape[at]:
        raise RuntimeError(wrong)
    return view(input, (*shape[:at], *wanted, *shape[at + 1 :]))


def property_t(self: Tensor) -> Tensor:
    """`x.T`: the dimensions in the opposite order. For matrices; others are deprecated."""
    ndim = self._array.ndim
    if ndim not in (1, 2):
        warnings.warn(
            "Tensor.T is deprecated on 0-D tensors. This function is the identity in these cases." if not ndim else
            "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is "
            "deprecated and it will throw an "
            "error in a future release. Consider `x.mT` to transpose batches of matrices or "
            "`x.permute(*torch.arange(x.ndim - 1, -1, -1))` to reverse the dimensions of a tensor.",
            stacklevel=2,
        )  # fmt: skip
    return Permute.apply(self, tuple(range(ndim - 1, -1, -1)))


def property_mt(self: Tensor) -> Tensor:
    """`x.mT`: a matrix, or each of a batch of them, transposed."""
    if self._array.ndim < 2:
        raise RuntimeError(
            f"tensor.mT is only supported on matrices or batches of matrices. Got {self._array.ndim}-D tensor."
        )
    return transpose(self, -2, -1)


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
            raise RuntimeError(f"invalid shape dimension {n} at index {i} of shape {list(shape)}")
        else:
            known *= n
    if unknown is None:
        if known != numel:
            raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {numel}")
        return shape
    if known == 0 and numel == 0:
        raise RuntimeError(
            f"cannot reshape tensor of 0 elements into shape {list(shape)} because the "
            f"unspecified dimension size -1 can "
            "be any value and is ambiguous"
        )
    if known == 0 or numel % known:
        raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {numel}")
    return shape[:unknown] + (numel // known,) + shape[unknown + 1 :]
