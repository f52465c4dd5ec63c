"""Making tensors: from Python values and NumPy arrays, filled with a number, or in steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch import dtypes
from tinytorch.device import device as Device
from tinytorch.dtypes import dtype as DType
from tinytorch.ops.data import array_of, checked_numpy
from tinytorch.ops.out import refuse_recording, write_out
from tinytorch.ops.promotion import kind_name, need_tensors, number_of
from tinytorch.ops.shape import shape_of
from tinytorch.storage import Storage
from tinytorch.tensor import Tensor, wrap


def finish(made: Any, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A fresh tensor of an array, with the options that all makers share."""
    if device is not None:
        check_device(device)
    out = wrap(made)
    if requires_grad:
        if not out.dtype.is_floating_point:
            raise RuntimeError(
                f"Only Tensors of floating point and complex dtype can require gradients, not {out.dtype}"
            )
        out._requires_grad = True
    return out


def check_device(device: Any) -> None:
    """AssertionError for a GPU, which this build cannot reach."""
    if Device(device).type == "cuda":
        raise AssertionError(f"Torch not compiled with CUDA enabled: there is no device '{Device(device)}' here")


def _dtype_or_default(dtype: DType | None) -> np.dtype:
    return (dtype or dtypes.get_default_dtype()).numpy


# ---- from data --------------------------------------------------------------------------------------------------


def tensor(
    data: Any, *, dtype: DType | None = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """A tensor with a copy of `data`: a number, nested lists, an array or a tensor.

    Python floats become float32 (the default dtype), ints int64, bools bool; arrays keep their dtype.

    >>> tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    """
    return finish(array_of(data, dtype), device, requires_grad)


def as_tensor(data: Any, dtype: DType | None = None, device: Any = None) -> Tensor:
    """`data` as a tensor, sharing memory where it can."""
    if isinstance(data, Tensor):
        from tinytorch.ops.cast import to

        return to(data, dtype=dtype, device=device)
    return finish(array_of(data, dtype, copy=False), device)


def asarray(obj: Any, *, dtype: DType | None = None, device: Any = None, copy: bool | None = None,
            requires_grad: bool = False) -> Tensor:  # fmt: skip
    """As `as_tensor`; `copy=True` never shares memory."""
    out = as_tensor(obj, dtype, device)
    if copy:
        out = wrap(out._array.copy())
    return out.requires_grad_() if requires_grad else out


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor on the memory of another library's array that speaks DLPack: writes are seen on both sides.

    >>> import numpy
    >>> from_dlpack(numpy.arange(3.0))
    tensor([0., 1., 2.], dtype=torch.float64)
    """
    return from_numpy(np.from_dlpack(ext_tensor))


def from_numpy(array: np.ndarray) -> Tensor:
    """A tensor on the memory of a NumPy array: writes are seen on both sides."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(array).__name__})")
    checked_numpy(array)
    return wrap(array)


def scalar_tensor(s: Any, *, dtype: DType | None = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A number as a tensor of no dimensions, of the default dtype."""
    return finish(np.asarray(s, _dtype_or_default(dtype)), device, requires_grad)


# ---- filled with one number -------------------------------------------------------------------------------------


def size_of(name: str, size: tuple) -> tuple[int, ...]:
    """A shape given as numbers or as one sequence of them; PyTorch's errors where it is neither."""
    if len(size) > 1 and not all([hasattr(n, "__index__") for n in size]):
        raise TypeError(f"{name}() takes 1 positional argument but {len(size)} were given")
    for n in size[0] if len(size) == 1 and isinstance(size[0], tuple | list) else size:
        if isinstance(n, float) or not (hasattr(n, "__index__") or hasattr(n, "__iter__")):
            raise TypeError(f"{name}(): argument 'size' (position 1) must be tuple of ints, not {type(n).__name__}")
    shape = shape_of(size)
    if any([n < 0 for n in shape]):
        raise RuntimeError(f"{name}: Dimension size must be non-negative. Got {list(shape)}")
    return shape


def _maker(name: str, fill: Callable[..., np.ndarray], words: str) -> Callable[..., Tensor]:
    def make(*size: Any, dtype: DType | None = None, device: Any = None, requires_grad: bool = False,
             layout: Any = None, pin_memory: bool = False, memory_format: Any = None, out: Any = None,
             **named: Any) -> Tensor:  # fmt: skip
        if not size:
            if "size" not in named:
                raise TypeError(f'{name}() missing 1 required positional arguments: "size"')
            size = (named.pop("size"),)
        if named:
            raise TypeError(f"{name}() got an unexpected keyword argument '{next(iter(named))}'")
        made = fill(size_of(name, size), _dtype_or_default(dtype))
        return finish(made, device, requires_grad) if out is None else into(name, made, out, dtype)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = words
    return make


def into(name: str, made: np.ndarray, out: Tensor, dtype: DType | None = None) -> Tensor:
    """What a maker made, written into `out`, whose dtype counts."""
    refuse_recording(name, out)
    if dtype is not None and dtype is not out.dtype:
        wanted = dtype.legacy.removesuffix("Tensor")
        raise RuntimeError(f"dtype {wanted} does not match dtype of out parameter ({kind_name(out)})")
    return write_out(wrap(made), out, check_cast=False)


zeros = _maker("zeros", np.zeros, "A tensor of zeros: `zeros(2, 3)` or `zeros((2, 3), dtype=...)`.")
ones = _maker("ones", np.ones, "A tensor of ones.")
empty = _maker("empty", np.empty, "Memory as it comes: the numbers are whatever was there.")


def full(size: Any, fill_value: Any, *, dtype: DType | None = None, device: Any = None, requires_grad: bool = False,
         layout: Any = None, out: Any = None) -> Tensor:  # fmt: skip
    """A tensor of one number everywhere; the dtype is the number's."""
    if not isinstance(size, tuple | list):
        raise TypeError(f"full(): argument 'size' (position 1) must be tuple of ints, not {type(size).__name__}")
    shape = size_of("full", (size,))
    made = _filled(shape, fill_value, dtype or (out.dtype if out is not None else None))
    return finish(made, device, requires_grad) if out is None else into("full", made, out, dtype)


def _filled(shape: tuple[int, ...], value: Any, dtype: DType | None) -> np.ndarray:
    if isinstance(value, Tensor):
        dtype, value = dtype or value.dtype, value.item()
    number = number_of(value)
    if number is NotImplemented:
        raise TypeError(f"full(): argument 'fill_value' (position 2) must be Number, not {type(value).__name__}")
    dtype = dtype or dtypes.of_scalar(number)
    dtypes.check_fits(number, dtype)
    return np.full(shape, np.asarray(number).astype(dtype.numpy))


def _like(name: str, fill: Callable[..., np.ndarray], words: str) -> Callable[..., Tensor]:
    def make(input: Tensor, *, dtype: DType | None = None, device: Any = None, requires_grad: bool = False,
             layout: Any = None, memory_format: Any = None, pin_memory: bool = False) -> Tensor:  # fmt: skip
        need_tensors(name, input=input)
        return finish(fill(dense_order(input._array), dtype and dtype.numpy), device, requires_grad)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = words
    return make


def dense_order(array: np.ndarray) -> np.ndarray:
    """The array itself where its dimensions fill memory in some order, which `*_like` keeps; else in plain order."""
    if array.flags.forc or not array.size:
        return array
    step = array.itemsize
    for stride, n in sorted([(s, n) for s, n in zip(array.strides, array.shape, strict=True) if n != 1]):
        if stride != step:
            return np.lib.stride_tricks.as_strided(np.empty(1, array.dtype), array.shape, _plain_strides(array))
        step *= n
    return array


def _plain_strides(array: np.ndarray) -> tuple[int, ...]:
    strides, step = [], array.itemsize
    for n in reversed(array.shape):
        strides.append(step)
        step *= n
    return tuple(reversed(strides))


zeros_like = _like("zeros_like", np.zeros_like, "Zeros of the shape and dtype of `input`.")
ones_like = _like("ones_like", np.ones_like, "Ones of the shape and dtype of `input`.")
empty_like = _like("empty_like", np.empty_like, "Memory as it comes, of the shape and dtype of `input`.")


def full_like(input: Tensor, fill_value: Any, *, dtype: DType | None = None, device: Any = None,
              requires_grad: bool = False, layout: Any = None, memory_format: Any = None) -> Tensor:  # fmt: skip
    """One number everywhere, in the shape and dtype of `input`."""
    need_tensors("full_like", input=input)
    value = _filled((), fill_value, dtype or input.dtype)
    return finish(np.full_like(dense_order(input._array), value, dtype=value.dtype), device, requires_grad)


def empty_strided(size: Any, stride: Any, *, dtype: DType | None = None, device: Any = None,
                  requires_grad: bool = False, layout: Any = None, pin_memory: bool = False) -> Tensor:  # fmt: skip
    """Memory as it comes, with a shape and strides (in elements) of one's choice."""
    wanted = _dtype_or_default(dtype)
    reach = 0 if 0 in size else sum((n - 1) * s for n, s in zip(size, stride, strict=True)) + 1
    flat = np.empty(reach, wanted)
    if not reach:
        return finish(np.empty(tuple(size), wanted), device, requires_grad)
    out = finish(
        np.lib.stride_tricks.as_strided(flat, size, [s * flat.itemsize for s in stride]), device, requires_grad
    )
    out._storage = Storage(flat)
    return out


# ---- methods: of the dtype of a tensor that is there -------------------------------------------------------------


def new_tensor(
    self: Tensor, data: Any, *, dtype: DType | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A tensor with a copy of `data`, of this tensor's dtype."""
    return tensor(data, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)


def _new(make: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def method(self: Tensor, *size: Any, dtype: DType | None = None, **given: Any) -> Tensor:
        return make(*size, dtype=dtype or self.dtype, **given)

    method.__name__ = method.__qualname__ = f"new_{make.__name__}"
    method.__doc__ = f"`{make.__name__}`, of this tensor's dtype."
    return method


new_zeros, new_ones, new_empty, new_full = _new(zeros), _new(ones), _new(empty), _new(full)


def new_empty_strided(self: Tensor, size: Any, stride: Any, *, dtype: DType | None = None, **given: Any) -> Tensor:
    """`empty_strided`, of this tensor's dtype."""
    return empty_strided(size, stride, dtype=dtype or self.dtype, **given)


# ---- in steps ---------------------------------------------------------------------------------------------------


def eye(n: int, m: int | None = None, *, dtype: DType | None = None, device: Any = None, requires_grad: bool = False,
        layout: Any = None, out: Any = None) -> Tensor:  # fmt: skip
    """n rows and m columns (as many as rows, if left out), with ones on the diagonal."""
    for name, length in (("n", n), ("m", m)):
        if length is not None and length < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {length}")
    made = np.eye(n, m, dtype=_dtype_or_default(dtype))
    return finish(made, device, requires_grad) if out is None else into("eye", made, out, dtype)


def arange(start: Any = None, end: Any = None, step: Any = 1, *, dtype: DType | None = None, device: Any = None,
           requires_grad: bool = False, layout: Any = None, out: Any = None) -> Tensor:  # fmt: skip
    """start, start + step, ... up to but without end: int64, or the default dtype where a float is given.

    >>> arange(1, 2.5, 0.5)
    tensor([1.0000, 1.5000, 2.0000])
    """
    if end is None or start is None:
        start, end = 0, start if end is None else end
    start, end, step = [_plain_number("arange", v) for v in (start, end, step)]
    if dtype is None:
        floats = any(isinstance(v, float) for v in (start, end, step))
        dtype = out.dtype if out is not None else dtypes.get_default_dtype() if floats else dtypes.int64
    if dtype is dtypes.bool:
        raise NotImplementedError("\"arange_cpu\" not implemented for 'Bool'")
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    if (end - start) * step < 0:
        raise RuntimeError(
            f"upper bound and lower bound inconsistent with step sign: start {start}, end {end}, step {step}"
        )
    if dtype.category == dtypes.INTEGER:
        start, end, step = int(start), int(end), int(step)
        made = np.arange(start, end, step).astype(dtype.numpy)
    else:
        made = (start + step * np.arange(math.ceil((end - start) / step), dtype=np.float64)).astype(dtype.numpy)
    return finish(made, device, requires_grad) if out is None else into("arange", made, out)


def range(start: Any = 0, end: Any = None, step: Any = 1, *, dtype: DType | None = None, **given: Any) -> Tensor:
    """As `arange`, but with the end. Deprecated in PyTorch for that reason."""
    import warnings

    warnings.warn(
        "torch.range is deprecated and will be removed in a future release because its behavior is inconsistent with "
        "Python's range builtin. Instead, use torch.arange, which produces values in [start, end).",
        UserWarning, stacklevel=2,
    )  # fmt: skip
    count = math.floor((end - start) / step) + 1
    return finish((start + step * np.arange(count)).astype(_dtype_or_default(dtype)), **given)


def linspace(start: Any, end: Any, steps: int, *, dtype: DType | None = None, device: Any = None,
             requires_grad: bool = False, layout: Any = None, out: Any = None) -> Tensor:  # fmt: skip
    """`steps` numbers from start to end, both included."""
    made = _even("linspace", start, end, steps, dtype)
    return finish(made, device, requires_grad) if out is None else into("linspace", made, out, dtype)


def logspace(start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: DType | None = None, device: Any = None,
             requires_grad: bool = False, layout: Any = None, out: Any = None) -> Tensor:  # fmt: skip
    """`steps` numbers from base^start to base^end, whose exponents are equally spaced."""
    exponents = _even("logspace", start, end, steps, dtypes.float64)
    wanted = _dtype_or_default(dtype)
    made = np.power(float(base), exponents)
    made = (np.trunc(np.round(made, 9)) if wanted.kind in "iu" else made).astype(wanted)
    return finish(made, device, requires_grad) if out is None else into("logspace", made, out, dtype)


def _even(name: str, start: Any, end: Any, steps: int, dtype: DType | None) -> np.ndarray:
    """Equally spaced numbers, counted from the nearer end, as PyTorch does."""
    start, end = _plain_number(name, start), _plain_number(name, end)
    if steps < 0:
        raise RuntimeError(f"number of steps must be non-negative, got {steps}")
    wanted = _dtype_or_default(dtype)
    whole = wanted.kind in "iu"
    start, end = (int(start), int(end)) if whole else (start, end)
    step = (end - start) / max(steps - 1, 1)
    at = np.arange(steps)
    made = np.where(at < steps // 2 + (steps == 1), start + step * at, end - step * (steps - 1 - at))
    return (np.trunc(made) if whole else made).astype(wanted)


def _plain_number(name: str, value: Any) -> Any:
    number = number_of(value.item() if isinstance(value, Tensor) else value)
    if number is NotImplemented:
        raise TypeError(f"{name}() received an invalid combination of arguments - got a {type(value).__name__}")
    return number
