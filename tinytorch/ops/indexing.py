"""`x[...]` and `x[...] = y`.

An index has a basic part (numbers, slices, None, ...), which gives a view, and an advanced part (tensors, lists,
masks), which then picks from that view and copies. PyTorch applies the two one after the other. NumPy mixes them, which
makes a difference in `x[0, :, [1, 2]]`: PyTorch gives the shape of `x[0][:, [1, 2]]`.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tinytorch import kernels
from tinytorch.autograd.op import Op
from tinytorch.autograd.views import check_in_place
from tinytorch.ops.inplace import Writer, copy_, fill_
from tinytorch.ops.promotion import kind_name
from tinytorch.ops.views import Alias, Select, Slice, Unsqueeze
from tinytorch.tensor import Tensor, wrap

_ALL = slice(None)


class Index(Op):
    """y = x[index] by arrays: a copy,  dx = zeros with dy added at that index"""

    def forward(ctx, x, *indices, template):
        ctx.like, ctx.template = (x.shape, x.dtype), template
        ctx.save(*indices)
        return kernels.of(x).take_index(x, filled(template, indices))

    def backward(ctx, dy):
        indices = [_array(i) for i in ctx.saved]
        return kernels.of(dy).add_index(ctx.like, filled(ctx.template, indices), dy), *(None,) * len(indices)


class IndexPut(Writer):
    """y = x with v written (or added) at an index,  dx = dy with zeros there (or dy),  dv = dy there"""

    overlap = True

    def write(ctx, x, v, *indices, template, accumulate=False):
        ctx.template, ctx.accumulate = template, accumulate
        ctx._fit = ((x.shape, x.dtype), (v.shape, v.dtype), *(None,) * len(indices))
        ctx.save(*indices)
        k, index = kernels.of(x), filled(template, indices)
        (k.add_index_into if accumulate else k.put_index_into)(x, index, v)

    def backward(ctx, dy):
        k, indices = kernels.of(dy), [_array(i) for i in ctx.saved]
        index = filled(ctx.template, indices)
        dx = dy if ctx.accumulate else k.zero_at(dy, index)
        return dx, k.take_index(dy, index), *(None,) * len(indices)


def filled(template: tuple, indices: Any) -> tuple:
    """The index in which the places that hold None are taken by arrays, one after the other."""
    arrays = iter(indices)
    return tuple([next(arrays) if part is None else part for part in template])


def _array(index: Any) -> Any:
    return index._array if isinstance(index, Tensor) else index


def getitem(self: Tensor, index: Any) -> Tensor:
    """A view for numbers, slices, None and ...; a copy where the index holds tensors, arrays, lists or bools.

    >>> import tinytorch
    >>> x = tinytorch.arange(6).view(2, 3)
    >>> x[0, 1:], x[:, [2, 0]]
    (tensor([1, 2]), tensor([[2, 0],
            [5, 3]]))
    """
    kind_of = type(index)
    if kind_of is int:
        try:
            return Select.apply(self, (index, ...))
        except IndexError:
            raise IndexError(_explain(self, (index,))) from None
    basic, advanced = split_index(self, index)
    if kind_of is slice:
        return Slice.apply(self, basic)
    view = _basic(self, basic) if not advanced or _says_something(basic) else self
    if not advanced:
        return view
    template, tensors = advanced_index(view, advanced)
    try:
        return Index.apply(view, *tensors, template=template)
    except IndexError as error:
        raise IndexError(_out_of_bounds(error, tensors)) from None


def setitem(self: Tensor, index: Any, value: Any) -> None:
    """Write into the places that the index names; the value broadcasts, and is cast where the index is basic."""
    basic, advanced = split_index(self, index)
    if not isinstance(value, Tensor):
        value = _assigned(self, value)
    if not advanced:
        target = _basic(self, basic) if _says_something(basic) or not self._array.ndim else self
        if isinstance(value, Tensor):
            copy_(target, _broadcast_value(value, target._array.shape))
        else:
            fill_(target, value)
        return
    view = _basic(self, basic) if _says_something(basic) else self
    if not isinstance(value, Tensor):
        value = wrap(np.asarray(value).astype(self._array.dtype))
    while value._array.ndim > view._array.ndim and value._array.shape[0] == 1:
        value = value[0]
    template, tensors = advanced_index(view, advanced)
    put_at(view, template, tensors, value, accumulate=False)


def put_at(t: Tensor, template: tuple, tensors: list, values: Tensor, accumulate: bool) -> Tensor:
    """Write values at an index into the memory of `t`; errors in PyTorch's words, before anything is written."""
    check_put(t, template, tensors, values)
    return IndexPut.apply_(t, values, *tensors, template=template, accumulate=accumulate)


def check_put(t: Tensor, template: tuple, tensors: list, values: Tensor) -> None:
    """Refuse values of another dtype, indices out of range and shapes that do not fit."""
    check_in_place(t, values)
    if values._array.dtype != t._array.dtype:
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {kind_name(t)} for the destination and "
            f"{kind_name(values)} for the source."
        )
    # where each element would go, on an array that has the shape of t but no memory of its own
    ghost = np.broadcast_to(np.empty((), np.bool_), t._array.shape)
    try:
        shape = (
            ghost[filled(template, [i._array for i in tensors])].shape
            if len(tensors) > 1 or t._array.ndim != 1
            else (_places_in_row(t._array, tensors[0]._array))
        )
    except IndexError as error:
        raise IndexError(_out_of_bounds(error, tensors)) from None
    have = values._array.shape
    while len(have) > len(shape) and have[0] == 1:
        have = have[1:]
    fits = len(have) <= len(shape) and all([n in (1, m) for n, m in zip(have[::-1], shape[::-1], strict=False)])
    if not fits:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(values._array.shape)} cannot be "
            f"broadcast to indexing result of "
            f"shape {list(shape)}"
        )


def _places_in_row(row: np.ndarray, index: np.ndarray) -> tuple:
    """The shape of row[index], without picking the elements."""
    if index.dtype == bool:
        return (int(np.count_nonzero(index)),)
    if index.size and not (-len(row) <= index.min() and index.max() < len(row)):
        row[index]  # raises
    return index.shape


def index_put(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """A copy with values written (or, with `accumulate`, added) at places given by index tensors."""
    template, tensors = _put_arguments("index_put", input, indices, values)
    check_put(input.detach(), template, tensors, values.detach())
    return IndexPut.apply(input, values, *tensors, template=template, accumulate=accumulate)


def index_put_(self: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """Write (or, with `accumulate`, add) values at places given by index tensors.

    >>> import tinytorch
    >>> tinytorch.zeros(3).index_put_((tinytorch.tensor([1, 1]),), tinytorch.tensor([2.0, 3.0]), accumulate=True)
    tensor([0., 5., 0.])
    """
    template, tensors = _put_arguments("index_put_", self, indices, values)
    return put_at(self, template, tensors, values, accumulate)


def _put_arguments(name: str, input: Tensor, indices: Any, values: Any) -> tuple:
    if isinstance(indices, Tensor) or not isinstance(indices, list | tuple):
        raise TypeError(
            f"{name}(): argument 'indices' (position 1) must be tuple of Tensors, not {type(indices).__name__}"
        )
    for number, part in enumerate(indices):
        if not isinstance(part, Tensor):
            raise TypeError(f"expected Tensor as element {number} in argument 0, but got {type(part).__name__}")
    if len(indices) > input._array.ndim:
        raise IndexError(f"too many indices for tensor of dimension {input._array.ndim} (got {len(indices)})")
    return advanced_index(input, [(at, _index_array(part)) for at, part in enumerate(indices)])


# ---- reading an index -------------------------------------------------------------------------------------------


def split_index(x: Tensor, index: Any) -> tuple[tuple, list]:
    """The basic part of an index, and the advanced part as pairs (dimension of the view, tensor).

    In the basic part an advanced index is a full slice over each dimension that it takes.
    """
    if type(index) is list and len(index) < 32 and any([_is_several(part) for part in index]):
        warnings.warn(
            "Using a non-tuple sequence for multidimensional indexing is deprecated and will "
            "be changed in pytorch 2.9; use "
            "x[tuple(seq)] instead of x[seq].", stacklevel=3,
        )  # fmt: skip
        index = tuple(index)
    parts = index if type(index) is tuple else (index,)
    basic: list = []
    advanced: list = []
    gone = 0  # dimensions of x that the parts so far have taken
    dim = 0  # the dimension of the view that comes next
    after_dots = None
    for part in parts:
        kind_of = type(part)
        if kind_of is slice:
            if part.step is not None and part.step <= 0:
                raise ValueError("step must be greater than zero" if part.step else "slice step cannot be zero")
            basic.append(part)
            gone, dim = gone + 1, dim + 1
        elif kind_of is int:
            basic.append(part)
            gone += 1
        elif part is None:
            basic.append(None)
            dim += 1
        elif part is Ellipsis:
            if after_dots is None:
                basic.append(part)
                after_dots = len(advanced), dim
        else:
            array = _index_array(part)
            if type(array) is int:
                basic.append(array)
                gone += 1
            elif array._array.ndim == 0:  # one bool: a new dimension of length 1 or 0
                advanced.append((dim, wrap(np.zeros(int(bool(array._array)), np.int64))))
                basic.append(None)
                dim += 1
            else:
                advanced.append((dim, array))
                taken = array._array.ndim if array._array.dtype == bool else 1
                basic += [_ALL] * taken
                gone, dim = gone + taken, dim + taken
    ndim = x._array.ndim
    if gone > ndim:
        raise IndexError(_explain(x, parts))
    if after_dots is None:
        basic.append(Ellipsis)
    elif advanced:
        first, at = after_dots
        advanced = [(d + ndim - gone if n >= first else d, i) for n, (d, i) in enumerate(advanced)]
    return tuple(basic), advanced


def _is_several(part: Any) -> bool:
    return isinstance(part, list | tuple | Tensor | np.ndarray | slice) or part is None or part is Ellipsis


def _index_array(part: Any) -> Any:
    """One part of an index as a tensor of int64, int32 or bool; as an int where it is a single integer."""
    if isinstance(part, bool | np.bool_):
        return wrap(np.asarray(part))
    if isinstance(part, list | tuple | range | np.ndarray):
        if isinstance(part, np.ndarray):
            part = wrap(part)
        else:
            from tinytorch.ops.creation import tensor

            part = tensor(list(part)) if len(part) else wrap(np.empty(0, np.int64))
    if isinstance(part, Tensor):
        array = part._array
        if array.dtype == np.uint8:
            warnings.warn(
                "indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.",
                stacklevel=4,
            )
            return wrap(array.astype(bool))
        if array.dtype.kind not in "ib" or array.dtype.kind == "i" and array.itemsize < 4:
            raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
        return int(array) if array.ndim == 0 and array.dtype.kind == "i" else part
    if isinstance(part, str):
        raise TypeError(f"new(): invalid data type '{type(part).__name__}'")
    if not hasattr(part, "__index__"):
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got "
            f"{type(part).__name__})"
        )
    return part.__index__()


def advanced_index(view: Tensor, advanced: list) -> tuple[tuple, list]:
    """The template (slices, and None for each tensor) and the tensors of an advanced index; checks masks and shapes."""
    template: list = []
    at = 0
    shape = view._array.shape
    lengths: tuple = ()
    for dim, part in advanced:
        template += [_ALL] * (dim - at) + [None]
        array = part._array
        at = dim + (array.ndim if array.dtype == bool else 1)
        if array.dtype == bool:
            for d, n in enumerate(array.shape):
                if dim + d >= len(shape) or shape[dim + d] != n:
                    raise IndexError(
                        f"The shape of the mask {list(array.shape)} at index {d} does not match the shape "
                        f"of the indexed "
                        f"tensor {list(shape)} at index {dim + d}"
                    )
        if len(advanced) > 1:
            picked = (int(np.count_nonzero(array)),) if array.dtype == bool else array.shape
            try:
                lengths = np.broadcast_shapes(lengths, picked)
            except ValueError:
                shapes = [
                    [int(np.count_nonzero(i._array))] if i._array.dtype == bool else list(i._array.shape)
                    for _, i in advanced
                ]
                raise IndexError(
                    "shape mismatch: indexing tensors could not be broadcast together with shapes "
                    + ", ".join(map(str, shapes))
                ) from None
    return tuple(template), [part for _, part in advanced]


def _says_something(basic: tuple) -> bool:
    return any([part is not Ellipsis and part != _ALL for part in basic])


def _basic(x: Tensor, basic: tuple) -> Tensor:
    """The view of x by a basic index, named after the last part that does something."""
    op: type[Slice] = Alias
    inserted = False  # is there a None, and something after it that changes what its stride is measured by?
    for part in basic:
        if part is None:
            op = Unsqueeze
        elif part is not Ellipsis and (type(part) is int or part != _ALL):
            inserted = inserted or op is Unsqueeze
            op = Select if type(part) is int else Slice
    try:
        return op.apply(x, basic, inserted)
    except IndexError:
        raise IndexError(_explain(x, basic)) from None


def _explain(x: Tensor, parts: tuple) -> str:
    """Which number of an index is wrong."""
    shape = x._array.shape
    if not shape:
        return (
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a "
            "0-dim tensor to a number"
        )
    taking = [p for p in parts if p is not None and p is not Ellipsis]
    if len(taking) <= len(shape):
        dots = next((i for i, p in enumerate(p for p in parts if p is not None) if p is Ellipsis), len(taking))
        dims = [d if d < dots else len(shape) - len(taking) + d for d in range(len(taking))]
        for dim, part in zip(dims, taking, strict=True):
            if type(part) is int and not -shape[dim] <= part < shape[dim]:
                return f"index {part} is out of bounds for dimension {dim} with size {shape[dim]}"
    return f"too many indices for tensor of dimension {len(shape)}"


def _out_of_bounds(error: IndexError, tensors: list) -> str:
    return str(error).replace("for axis", "for dimension")


def _assigned(x: Tensor, value: Any) -> Any:
    """What stands on the right of `x[...] = `, as a number or a tensor."""
    if isinstance(value, np.ndarray):
        return wrap(value)
    if isinstance(value, bool | int | float | np.generic):
        return value
    raise TypeError(f"can't assign a {type(value).__name__} to a torch.{x.dtype.legacy}")


def _broadcast_value(value: Tensor, shape: tuple) -> Tensor:
    """The value stretched to a shape; leading dimensions of length 1 that are too many are dropped."""
    from tinytorch.ops.shape import expand, reshape

    have = value._array.shape
    if have == shape:
        return value
    first = next((i for i, n in enumerate(have) if n != 1), len(have))
    return expand(reshape(value, have[first:]) if first else value, shape)
