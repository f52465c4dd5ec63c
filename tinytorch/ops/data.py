"""Python's values as arrays: which dtype nested lists have, and what cannot be a tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import dtypes
from tinytorch.dtypes import dtype as DType
from tinytorch.tensor import Tensor


def array_of(data: Any, dtype: DType | None, copy: bool = True) -> np.ndarray:
    """`data` as an array: a copy, or, where `copy` is false and it fits, the same memory."""
    if isinstance(data, Tensor):
        data = data._array
    if isinstance(data, np.ndarray | np.generic):
        checked_numpy(data)
        wanted = data.dtype if dtype is None else dtype.numpy
        return np.array(data, wanted) if copy else np.asarray(data, wanted)
    return from_nested(data, dtype)


def checked_numpy(array: Any) -> None:
    """TypeError for elements that PyTorch has no dtype for, ValueError for an array that lies backwards in memory."""
    if array.dtype.kind in "OUSMm":
        name = f"numpy.{array.dtype.type.__name__}"
        raise TypeError(
            f"can't convert np.ndarray of type {name}. The only supported types are: "
            f"{', '.join(t.name for t in dtypes.ALL)}."
        )
    dtypes.from_numpy_dtype(array.dtype)
    if any([s < 0 for s in array.strides]):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides are not "
            "currently supported. (You can probably work around this by making a copy of your array with array.copy().)"
        )


def from_nested(data: Any, dtype: DType | None) -> np.ndarray:
    """A number, or nested sequences of numbers, arrays and tensors of one element."""
    if isinstance(data, str | bytes):
        raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
    if not isinstance(data, bool | int | float | list | tuple | range) and not hasattr(data, "__getitem__"):
        raise RuntimeError(f"Could not infer dtype of {type(data).__name__}")
    if isinstance(data, bool | int | float):
        data = _in_range(data)
    plain = _to_plain(data)
    try:
        array = np.asarray(plain)
    except ValueError:
        raise _ragged(plain) from None
    if array.dtype.kind not in "biuf":
        raise _not_numbers(plain)
    if dtype is None:
        if array.size == 0 or (array.dtype.kind == "f" and not _has_wide(data)):
            dtype = dtypes.get_default_dtype()
        elif array.dtype.kind in "iu" and not _has_arrays(data):
            dtype = dtypes.int64
        else:
            dtype = dtypes.from_numpy_dtype(array.dtype)
    if array.dtype.kind in "iu" and dtype.category == dtypes.INTEGER and array.size:
        for number in (array.min().item(), array.max().item()):
            check_fits(number, dtype)
    return array.astype(dtype.numpy)


def check_fits(number: int, dtype: DType) -> None:
    try:
        dtypes.check_fits(number, dtype)
    except RuntimeError:
        raise RuntimeError(f"value cannot be converted to type {dtype.name} without overflow: {number}") from None


def _in_range(number: Any) -> Any:
    if isinstance(number, int) and not -(2**63) <= number < 2**63:
        raise ValueError(f"Overflow when unpacking long long: {number} does not fit in 64 bits")
    return number


def _to_plain(data: Any) -> Any:
    """Nested sequences with every tensor replaced by its number."""
    if isinstance(data, Tensor):
        if data._array.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        return data.item()
    if isinstance(data, list | tuple):
        return [_to_plain(v) if isinstance(v, list | tuple | Tensor) else v for v in data]
    if type(data).__module__ == "builtins" or isinstance(data, np.ndarray | np.generic):
        return data
    return [data[i] for i in range(len(data))] if hasattr(data, "__len__") else data


def _has_arrays(data: Any) -> bool:
    if isinstance(data, list | tuple) and data:
        return _has_arrays(data[0])
    return isinstance(data, np.ndarray | np.generic)


def _has_wide(data: Any) -> bool:
    """Whether numbers come from NumPy, whose float64 PyTorch keeps."""
    return _has_arrays(data)


def _shape_so_far(data: Any) -> list[int]:
    return [len(data), *(_shape_so_far(data[0]) if data else [])] if isinstance(data, list | tuple) else []


def _ragged(data: Any) -> Exception:
    """What is wrong with nested lists that are no rectangle: the first that breaks the pattern of the first ones."""
    shape = _shape_so_far(data)

    def walk(part: Any, depth: int) -> Exception | None:
        if not isinstance(part, list | tuple):
            if depth < len(shape):
                return TypeError(
                    f"len() of unsized object: a number where a sequence of length {shape[depth]} was expected"
                )
            return None
        if depth >= len(shape):
            return TypeError(f"'{type(part).__name__}' object cannot be interpreted as an integer")
        if len(part) != shape[depth]:
            return ValueError(f"expected sequence of length {shape[depth]} at dim {depth} (got {len(part)})")
        for member in part:
            found = walk(member, depth + 1)
            if found is not None:
                return found
        return None

    return walk(data, 0) or ValueError(f"could not make a tensor of {data!r}")


def _not_numbers(data: Any) -> Exception:
    """Which member is not a number."""
    member = data
    while isinstance(member, list | tuple) and member:
        for v in member:
            if isinstance(v, list | tuple | str) or not isinstance(v, bool | int | float | np.generic):
                member = v
                break
        else:
            if any([isinstance(v, int) and not -(2**63) <= v < 2**63 for v in member]):
                return ValueError("Overflow when unpacking long long: a number does not fit in 64 bits")
            member = member[0]
    if isinstance(member, str):
        return ValueError("too many dimensions 'str'")
    if isinstance(member, int) and not isinstance(member, bool):
        return ValueError(f"Overflow when unpacking long long: {member} does not fit in 64 bits")
    return RuntimeError(f"Could not infer dtype of {type(member).__name__}")
