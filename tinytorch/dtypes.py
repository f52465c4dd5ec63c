"""Data types: their names, their NumPy counterparts, and how two of them promote to a third.

Source: PyTorch's "Tensor Attributes" and "Type Promotion" pages.
"""

from __future__ import annotations

import math

import ml_dtypes
import numpy as np

BOOL, INTEGER, FLOATING = 0, 1, 2


class dtype:
    """The type of a tensor's elements.

    >>> float32
    torch.float32
    >>> float32.itemsize, float32.is_floating_point
    (4, True)
    """

    __slots__ = ("name", "numpy", "category", "itemsize", "legacy")

    def __init__(self, name: str, numpy: type, category: int, legacy: str) -> None:
        self.name = name
        self.numpy = np.dtype(numpy)
        self.category = category
        self.itemsize = self.numpy.itemsize
        self.legacy = legacy  # the class of the notes' table: FloatTensor, LongTensor, ...

    @property
    def is_floating_point(self) -> bool:
        return self.category == FLOATING

    @property
    def is_complex(self) -> bool:
        return False

    @property
    def is_signed(self) -> bool:
        return self.name not in ("uint8", "bool")

    def to_real(self) -> dtype:
        return self

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name  # pickles and copies as the module's own object


float16 = half = dtype("float16", np.float16, FLOATING, "HalfTensor")
bfloat16 = dtype("bfloat16", ml_dtypes.bfloat16, FLOATING, "BFloat16Tensor")
float32 = float = dtype("float32", np.float32, FLOATING, "FloatTensor")
float64 = double = dtype("float64", np.float64, FLOATING, "DoubleTensor")
uint8 = dtype("uint8", np.uint8, INTEGER, "ByteTensor")
int8 = dtype("int8", np.int8, INTEGER, "CharTensor")
int16 = short = dtype("int16", np.int16, INTEGER, "ShortTensor")
int32 = int = dtype("int32", np.int32, INTEGER, "IntTensor")
int64 = long = dtype("int64", np.int64, INTEGER, "LongTensor")
bool = dtype("bool", np.bool_, BOOL, "BoolTensor")

ALL = (float16, bfloat16, float32, float64, uint8, int8, int16, int32, int64, bool)
_of_numpy = {t.numpy: t for t in ALL}
_default = float32


def from_numpy_dtype(numpy_dtype: np.dtype) -> dtype:
    """The dtype of a NumPy array's elements; TypeError where PyTorch has none."""
    found = _of_numpy.get(numpy_dtype)
    if found is None:
        names = ", ".join(t.name for t in ALL)
        raise TypeError(
            f"can't convert np.ndarray of type {numpy_dtype}. The only supported types are: {names}."
        )
    return found


def get_default_dtype() -> dtype:
    """The dtype of floating-point tensors made from Python numbers: float32 unless changed."""
    return _default


def set_default_dtype(d: dtype) -> None:
    """Make `d`, a floating-point dtype, the default.

    >>> set_default_dtype(float64); get_default_dtype()
    torch.float64
    >>> set_default_dtype(float32)
    """
    global _default
    if not isinstance(d, dtype):
        raise TypeError(f"invalid dtype object: expected a torch.dtype, got {type(d).__name__}")
    if not d.is_floating_point:
        raise TypeError(f"only floating-point types are supported as the default type, got {d}")
    _default = d


def promote_types(a: dtype, b: dtype) -> dtype:
    """The smallest dtype that holds both kinds.

    >>> promote_types(int64, float16), promote_types(uint8, int8), promote_types(float16, bfloat16)
    (torch.float16, torch.int16, torch.float32)
    """
    if a is b:
        return a
    if a.category != b.category:
        return a if a.category > b.category else b
    if a.category == FLOATING and a.itemsize == b.itemsize:
        return float32  # float16 with bfloat16: neither holds the other
    if a.category == FLOATING:
        return a if a.itemsize > b.itemsize else b
    return _of_numpy[np.promote_types(a.numpy, b.numpy)]


def of_scalar(value: object) -> dtype:
    """The dtype that a Python number brings to a promotion."""
    kind = type(value)
    if kind is _py_bool or isinstance(value, np.bool_):
        return bool
    if kind is _py_int or isinstance(value, np.integer):
        return int64
    if kind is _py_float or isinstance(value, np.floating):
        return _default
    if isinstance(value, _py_bool):
        return bool
    if isinstance(value, _py_int):
        return int64
    if isinstance(value, _py_float):
        return _default
    raise TypeError(f"expected a number or a tensor, got {type(value).__name__}")


_py_bool, _py_int, _py_float = True.__class__, (0).__class__, (0.0).__class__  # Python's own: the names are taken


def _weaker(strong: dtype | None, weak: dtype | None) -> dtype | None:
    """What `weak` may still change about `strong`: only its category, never its width."""
    if strong is None or weak is None:
        return strong or weak
    if strong.category >= weak.category:
        return strong
    if strong is bool or weak.category == FLOATING:
        return promote_types(strong, weak)
    return strong


def result_type_of(dims: list[tuple[dtype, _py_int]], scalars: list[object]) -> dtype:
    """The common dtype of tensors, given as (dtype, number of dimensions), and Python numbers."""
    full: dtype | None = None
    zero: dtype | None = None
    wrapped: dtype | None = None
    for t, ndim in dims:
        if ndim:
            full = t if full is None else promote_types(full, t)
        else:
            zero = t if zero is None else promote_types(zero, t)
    for value in scalars:
        t = of_scalar(value)
        wrapped = t if wrapped is None else promote_types(wrapped, t)
    result = _weaker(full, _weaker(zero, wrapped))
    assert result is not None
    return result


def check_fits(number: object, to: dtype) -> None:
    """RuntimeError where a number lies outside what an integer dtype holds (a little below 0 wraps around)."""
    if to.category != INTEGER:
        return
    info = np.iinfo(to.numpy)
    low = -_py_int(info.max) if info.min == 0 else _py_int(info.min)
    if not low <= number <= _py_int(info.max):  # type: ignore[operator]
        c_name = "uint8_t" if to.name == "uint8" else f"{to.name}_t"
        raise RuntimeError(f"value cannot be converted to type {c_name} without overflow: {number} in {to}")


def can_cast(from_: dtype, to: dtype) -> _py_bool:
    """Whether a cast keeps the category: floating never goes to integer, integer never to bool.

    >>> can_cast(float64, float16), can_cast(float32, int64)
    (True, False)
    """
    for position, (name, given) in enumerate((("from_", from_), ("to", to)), start=1):
        if not isinstance(given, dtype):
            kind = type_name(given)
            raise TypeError(f"can_cast(): argument '{name}' (position {position}) must be torch.dtype, not {kind}")
    return from_.category <= to.category


def type_name(value: object) -> str:
    return value.__class__.__name__


class finfo:
    """Limits of a floating-point dtype.

    >>> finfo(float16).max, finfo(float32).eps
    (65504.0, 1.1920928955078125e-07)
    """

    def __init__(self, type: dtype | None = None) -> None:
        type = type or _default
        if not isinstance(type, dtype) or not type.is_floating_point:
            raise TypeError(f"torch.finfo() requires a floating point input type. Use torch.iinfo to handle '{type}'")
        info = ml_dtypes.finfo(type.numpy)
        self.bits = type.itemsize * 8
        self.dtype = type.name
        self.eps, self.max, self.min = (_py_float(v) for v in (info.eps, info.max, info.min))
        self.tiny = self.smallest_normal = _py_float(info.smallest_normal)
        self.resolution = 10.0 ** -math.floor(-math.log10(self.eps))

    def __eq__(self, other: object) -> _py_bool:
        return isinstance(other, finfo) and self.dtype == other.dtype

    def __hash__(self) -> _py_int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.tiny:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )


class iinfo:
    """Limits of an integer dtype.

    >>> iinfo(uint8).max, iinfo(int8).min
    (255, -128)
    """

    def __init__(self, type: dtype) -> None:
        if type is bool:
            raise TypeError("torch.bool is not supported by torch.iinfo")
        if not isinstance(type, dtype) or type.category != INTEGER:
            raise TypeError(f"torch.iinfo() requires an integer input type. Use torch.finfo to handle '{type}'")
        info = np.iinfo(type.numpy)
        self.bits = type.itemsize * 8
        self.dtype = type.name
        self.min, self.max = _py_int(info.min), _py_int(info.max)

    def __eq__(self, other: object) -> _py_bool:
        return isinstance(other, iinfo) and self.dtype == other.dtype

    def __hash__(self) -> _py_int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"
