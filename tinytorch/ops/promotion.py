"""From what a caller gives (tensors of any dtype, numbers) to arrays of one dtype; then run the op and record it.

Every pointwise operation goes through `unary`, `binary` or `nary` (with gradients) or `plain` (without).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch import dtypes
from tinytorch.autograd.grad_mode import mode
from tinytorch.autograd.op import Op, finish
from tinytorch.dtypes import dtype as DType
from tinytorch.ops.cast import to_dtype
from tinytorch.tensor import Tensor, _dtype_of, wrap

_ndarray = np.ndarray
_FLOATS = "fV"  # the kinds of NumPy's floating-point dtypes; V is ml_dtypes' bfloat16


def unary(op: type[Op], x: Tensor, **params: Any) -> Tensor:
    """Run an op of one operand."""
    ctx = op.__new__(op)
    a = x._array
    made = ctx.forward(a, **params) if params else ctx.forward(a)
    if a.dtype.kind == "V":  # a Python number in a formula makes float32 of bfloat16 arrays: gradients are cast back
        ctx._fit = ((a.shape, a.dtype),)
    if type(made) is not _ndarray:
        made = np.asarray(made)  # NumPy turns 0-d results into scalars
    return finish(ctx, (x,), wrap(made))


def binary(op: type[Op], x: Any, y: Any, alpha: Any = None) -> Any:
    """Run an op of two operands, tensors or numbers: promote their dtypes, broadcast their shapes, record.

    NotImplemented where an operand is neither, so that Python can ask that operand's class.
    """
    narrow = None
    if isinstance(x, Tensor):
        a = x._array
        if isinstance(y, Tensor):
            b = y._array
            if a.dtype is not b.dtype:
                _check(op, x, y)
                x, y = promote(x, y)
                a, b = x._array, y._array
        else:
            if (type(y) is float or type(y) is int) and a.dtype.kind == "f" and a.itemsize > 2:
                b = float(y)
            else:
                _check(op, x, y)
                x, b, narrow = _with_number(x, y)
                if x is None:
                    return NotImplemented
                a = x._array
            y = None
    elif isinstance(y, Tensor):
        _check(op, x, y)
        y, a, narrow = _with_number(y, x)
        if y is None:
            return NotImplemented
        x, b = None, y._array
    else:
        return NotImplemented
    ctx = op.__new__(op)
    try:
        made = ctx.forward(a, b) if alpha is None else ctx.forward(a, b, alpha)
    except ValueError:
        raise broadcast_error(a, b) from None
    except TypeError:  # NumPy does not subtract bools
        _check(op, x, y)
        raise
    if narrow is not None:
        made = np.asarray(made, narrow)
        ctx._fit = tuple([None if t is None else (t._array.shape, t._array.dtype) for t in (x, y)])
    elif type(made) is not _ndarray:
        made = np.asarray(made)
    if x is not None and y is not None and a.shape != b.shape:
        ctx._fit = ((a.shape, a.dtype), (b.shape, b.dtype))
    return finish(ctx, (x, y), wrap(made))


def _check(op: type[Op], x: Any, y: Any) -> None:
    """Let an op that does not take every dtype (`Sub`: no bools) refuse its operands."""
    check = getattr(op, "check", None)
    if check is not None:
        check(x, y)


def nary(op: type[Op], *inputs: Tensor | None, **params: Any) -> Tensor:
    """Run an op of several tensors that already have the dtypes it wants: broadcast their shapes, record."""
    ctx = op.__new__(op)
    arrays = [None if t is None else t._array for t in inputs]
    try:
        made = np.asarray(ctx.forward(*arrays, **params))
    except ValueError:
        raise _first_broadcast_error([a for a in arrays if a is not None]) from None
    ctx._fit = tuple([None if a is None else (a.shape, a.dtype) for a in arrays])
    return finish(ctx, inputs, wrap(made))


def plain(ufunc: Callable, x: Any, y: Any) -> Any:
    """Compute without recording, on operands in their common dtype; NotImplemented as for `binary`."""
    a = b = None
    if isinstance(x, Tensor):
        a = x._array
        if isinstance(y, Tensor):
            b = y._array if y._array.dtype is a.dtype else None
        elif (type(y) is int or type(y) is float) and a.dtype.kind == "f":
            b = y
    if b is None:
        arrays = arrays_of(x, y)
        if arrays is NotImplemented:
            return arrays
        a, b = arrays
    return untracked(ufunc, a, b)


def untracked(ufunc: Callable, *arrays: Any) -> Tensor:
    """A tensor of what `ufunc` makes of arrays, outside the graph."""
    try:
        made = ufunc(*arrays)
    except ValueError:
        raise _first_broadcast_error(arrays) from None
    out = wrap(made if type(made) is _ndarray else np.asarray(made))
    if mode.inference:
        out._inference = True
    return out


def arrays_of(*operands: Any) -> Any:
    """The arrays (and numbers) behind the operands, in their common dtype."""
    tensors = [t for t in operands if isinstance(t, Tensor)]
    numbers = [number_of(v) for v in operands if not isinstance(v, Tensor)]
    if NotImplemented in numbers:
        return NotImplemented
    common = common_dtype(*tensors, *numbers).numpy
    found = []
    for v in operands:
        if isinstance(v, Tensor):
            found.append(v._array if v._array.dtype == common else v._array.astype(common))
        else:
            found.append(scalar(number_of(v), common))
    return found


def common_dtype(*operands: Any) -> DType:
    """The dtype of the result of an operation on tensors and numbers; 0-d tensors and numbers weigh less."""
    tensors = [(t.dtype, t._array.ndim) for t in operands if isinstance(t, Tensor)]
    return dtypes.result_type_of(tensors, [v for v in operands if not isinstance(v, Tensor)])


def promote(*tensors: Tensor) -> list[Tensor]:
    """The tensors in their common dtype."""
    common = common_dtype(*tensors)
    return [to_dtype(t, common) for t in tensors]


def scalar(number: Any, dtype: np.dtype) -> Any:
    """A Python number as an array of no dimensions; integers wrap around as they do in memory."""
    if dtype.kind in "iu" and not -(2**63) <= number < 2**63:
        raise OverflowError("int too big to convert")
    return np.asarray(number).astype(dtype)


def _with_number(x: Tensor, value: Any) -> tuple[Any, Any, Any]:
    """(the tensor in the common dtype, the number for its forward, the dtype to which a half result is rounded)"""
    number = number_of(value)
    if number is NotImplemented:
        return None, None, None
    have = _dtype_of[x._array.dtype]
    if have.category < dtypes.FLOATING:
        common = dtypes.result_type_of([(have, x._array.ndim)], [number])
        if common.category < dtypes.FLOATING:
            return to_dtype(x, common), scalar(number, common.numpy), None
        x, have = to_dtype(x, common), common
    if have.itemsize == 2:  # halves are computed in float32 and rounded once
        return x, np.float32(number), have.numpy
    return x, float(number), None


def number_of(value: Any) -> Any:
    """The value as a Python number; NotImplemented where it is none."""
    kind = type(value)
    if kind is float or kind is int or kind is bool:
        return value
    if isinstance(value, np.generic) and value.dtype.kind in "biuf":
        return value.item()
    return value if isinstance(value, bool | int | float) else NotImplemented


def result_type(tensor1: Any, tensor2: Any) -> DType:
    """The dtype of an operation on two tensors or numbers.

    >>> import tinytorch
    >>> result_type(tinytorch.tensor([1, 2]), 1.0)
    torch.float32
    """
    for position, value in enumerate((tensor1, tensor2), start=1):
        if not isinstance(value, Tensor) and number_of(value) is NotImplemented:
            raise TypeError(
                f"result_type(): argument 'tensor{position}' (position {position}) must be Tensor or Number, "
                f"not {type(value).__name__}"
            )
    return common_dtype(tensor1, tensor2)


def as_floating(x: Any) -> Any:
    """Integers and bools in the default floating-point dtype; anything else as it is."""
    if isinstance(x, Tensor) and x._array.dtype.kind in "bui":
        return to_dtype(x, dtypes.get_default_dtype())
    return x


def both_floating(x: Any, y: Any) -> tuple[Any, Any]:
    """The operands as they are; where their common dtype is an integer, in the default floating-point dtype."""
    for v in (x, y):
        if isinstance(v, Tensor) and v._array.dtype.kind in _FLOATS:
            return x, y
    return as_floating(x), as_floating(y)


def kind_name(x: Any) -> str:
    """What PyTorch's messages call a dtype: Float, Long, Bool."""
    return (x.dtype if isinstance(x, Tensor) else x).legacy.removesuffix("Tensor")


def refuse(kernel: str, *tensors: Tensor, kinds: str = "b") -> None:
    """NotImplementedError where the common dtype of the tensors is of one of the given NumPy kinds."""
    common = tensors[0].dtype if len(tensors) == 1 else common_dtype(*tensors)
    if common.numpy.kind in kinds:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{kind_name(common)}'")


def need_tensors(name: str, **arguments: Any) -> None:
    """TypeError for the first argument that is not a tensor."""
    for position, (argument, value) in enumerate(arguments.items(), start=1):
        if not isinstance(value, Tensor):
            raise TypeError(
                f"{name}(): argument '{argument}' (position {position}) must be Tensor, not {type(value).__name__}"
            )


def result_of(made: Any, name: str, x: Any, y: Any, second: str = "other") -> Tensor:
    """What `binary` or `plain` made, or the TypeError of the function `name` where it could not."""
    if made is not NotImplemented:
        return made
    first = number_of(x) is NotImplemented and not isinstance(x, Tensor)
    at, argument, value = (1, "input", x) if first else (2, second, y)
    raise TypeError(f"{name}(): argument '{argument}' (position {at}) must be Tensor, not {type(value).__name__}")


def of_numbers(function: Any, name: str, x: Any, y: Any) -> Tensor:
    """PyTorch's add, sub, mul and div also take two Python numbers."""
    if number_of(x) is NotImplemented or number_of(y) is NotImplemented:
        return result_of(NotImplemented, name, x, y)
    from tinytorch.ops.creation import tensor

    return function(tensor(x), y)


def broadcast_error(a: Any, b: Any) -> RuntimeError:
    """PyTorch's words, and the two shapes one above the other."""
    first, second = np.shape(a), np.shape(b)
    width = max(len(first), len(second))
    padded = [(1,) * (width - len(s)) + tuple(s) for s in (first, second)]
    pairs = list(zip(*padded, strict=True))
    at = max((i for i, (m, n) in enumerate(pairs) if m != n and 1 not in (m, n)), default=0)
    rows = [
        "  ".join(f"{n:>4}" if i >= width - len(s) else "    " for i, n in enumerate(p))
        for s, p in zip((first, second), padded, strict=True)
    ]
    mark = "  ".join("   ^" if i == at else "    " for i in range(width))
    return RuntimeError(
        f"The size of tensor a ({padded[0][at]}) must match the size of tensor b ({padded[1][at]}) at "
        f"non-singleton dimension {at}\n  a: {rows[0]}\n  b: {rows[1]}\n     {mark.rstrip()}"
    )


def _first_broadcast_error(arrays: Any) -> RuntimeError:
    shape: tuple[int, ...] = ()
    for a in arrays:
        try:
            shape = np.broadcast_shapes(shape, np.shape(a))
        except ValueError:
            return broadcast_error(np.empty(shape), a)
    return RuntimeError(f"shapes {[np.shape(a) for a in arrays]} do not broadcast")
