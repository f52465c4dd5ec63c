"""Tensor: a window (shape, strides, offset) on a storage, and a place in the graph of autograd.

The window is a NumPy array, which holds exactly those three; the storage is shared by all windows on the same memory.
What a tensor can *do* is bound to this class in `tinytorch/api.py`, one visible table; here stands what it *is*.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from tinytorch import dtypes, printing
from tinytorch.device import cpu, strided
from tinytorch.device import device as Device
from tinytorch.device import layout as Layout
from tinytorch.dtypes import dtype as DType
from tinytorch.size import Size
from tinytorch.storage import Storage, TypedStorage


class Tensor:
    """An n-dimensional array that remembers how it was computed.

    `Tensor(2, 3)` is uninitialised memory of that shape, `Tensor([1, 2])` a float32 copy of a list: PyTorch's old
    constructors. New code says `tinytorch.tensor(...)`, `zeros(...)`, `empty(...)`.
    """

    # Defaults live in the class: a fresh tensor only sets `_array` and `_storage`.
    _array: np.ndarray
    _storage: Storage
    _requires_grad = False
    _grad: Tensor | None = None
    _grad_fn: Any = None  # the node that made this tensor, None for a leaf
    _output_nr = 0  # which of that node's outputs this is
    _base: Tensor | None = None  # for a view: the tensor whose memory it shows
    _creation: str | None = (
        None  # of a view that may not be written to with grad mode on: "no_grad", "inference", "multi"
    )
    _seen_version = 0  # of a view: the storage version for which `_grad_fn` holds
    _accumulator: Any = None  # weak reference to the leaf's AccumulateGrad node
    _hooks: dict | None = None
    _post_hooks: dict | None = None
    _retains_grad = False
    _inference = False
    _fresh = False  # a gradient whose memory nobody else holds
    __array_priority__ = 1000  # NumPy arrays leave mixed arithmetic to tensors

    def __new__(cls, *args: Any, device: Any = None, **kwargs: Any) -> Tensor:
        return cls._construct(*args, device=device, **kwargs)

    _construct: Any  # bound in api.py

    # ---- the window -------------------------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        return Size(self._array.shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the length of one dimension."""
        return Size(self._array.shape) if dim is None else self._array.shape[normalize_dim(dim, self._array.ndim)]

    @property
    def ndim(self) -> int:
        return self._array.ndim

    def dim(self) -> int:
        return self._array.ndim

    ndimension = dim

    def numel(self) -> int:
        return self._array.size

    nelement = numel

    def stride(self, dim: int | None = None) -> Any:
        """Steps in memory, counted in elements, from one index to the next along each dimension."""
        strides = element_strides(self._array)
        return strides if dim is None else strides[normalize_dim(dim, self._array.ndim)]

    def storage_offset(self) -> int:
        """Where in the storage the first element of this window lies, counted in elements."""
        return (self._array.ctypes.data - self._storage.address) // self._array.itemsize if self._array.size else 0

    def is_contiguous(self, memory_format: Any = None) -> bool:
        return self._array.flags.c_contiguous

    def data_ptr(self) -> int:
        return self._array.ctypes.data if self._array.size else 0

    def storage(self) -> TypedStorage:
        """The memory that this window looks at, as elements of its dtype."""
        return TypedStorage(self._storage, self.dtype)

    def untyped_storage(self) -> Storage:
        """The memory that this window looks at, as bytes."""
        return self._storage

    @property
    def dtype(self) -> DType:
        return _dtype_of[self._array.dtype]

    def element_size(self) -> int:
        return self._array.itemsize

    @property
    def itemsize(self) -> int:
        return self._array.itemsize

    @property
    def nbytes(self) -> int:
        return self._array.nbytes

    @property
    def device(self) -> Device:
        return cpu

    @property
    def is_cuda(self) -> bool:
        return self.device.type == "cuda"

    @property
    def is_sparse(self) -> bool:
        return False

    @property
    def layout(self) -> Layout:
        return strided

    def get_device(self) -> int:
        return -1 if self.device.type == "cpu" else self.device.index or 0

    def is_floating_point(self) -> bool:
        return self.dtype.is_floating_point

    def is_complex(self) -> bool:
        return False

    def is_signed(self) -> bool:
        return self.dtype.is_signed

    # ---- the place in the graph ---------------------------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        return self._requires_grad or (self._base is not None and self._base._requires_grad)

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if self._grad_fn is not None:
            if value:
                return
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in "
                "a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
            )
        if value and self._inference:
            raise RuntimeError("Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.")
        if value and not self.dtype.is_floating_point:
            raise RuntimeError(
                f"only Tensors of floating point and complex dtype can require gradients, this one is {self.dtype}"
            )
        self._requires_grad = bool(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Switch recording on or off for this leaf, in place."""
        self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        return self._grad_fn is None

    grad_fn: Any  # bound in api.py: for a view whose memory was written to it is worked out again

    @property
    def output_nr(self) -> int:
        return self._output_nr

    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward added up here: None before, and on tensors that are not leaves."""
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(
                    f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}"
                )
            if value._array.shape != self._array.shape:
                raise RuntimeError(
                    f"attempting to assign a gradient of size '{list(value._array.shape)}' to a tensor of size "
                    f"'{list(self._array.shape)}'. Please ensure that the gradient and the tensor are the same size"
                )
            if value._array.dtype != self._array.dtype:
                raise RuntimeError(
                    f"attempting to assign a gradient with dtype '{value.dtype.name}' to a tensor with grad_dtype "
                    f"'{self.dtype.name}'. The gradient must match the tensor's dtype."
                )
            if value is self:
                raise RuntimeError("can't assign Variable as its own grad")
        self._grad = value

    @property
    def retains_grad(self) -> bool:
        return self._retains_grad

    @property
    def data(self) -> Tensor:
        """The same memory, out of the graph, with a version counter of its own (prefer `detach()`)."""
        return wrap(self._array)

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        if value._array.dtype != self._array.dtype and self._requires_grad and not value.dtype.is_floating_point:
            raise RuntimeError(
                f"data set to a tensor that requires gradients must be floating point, got {value.dtype}"
            )
        self._array = value._array
        self._storage = value._storage

    @property
    def _version(self) -> int:
        return self._storage.version

    def _is_view(self) -> bool:
        return self._base is not None

    def is_inference(self) -> bool:
        return self._inference

    # ---- to Python and NumPy ------------------------------------------------------------------------------------

    def item(self) -> Any:
        """The only element, as a Python number."""
        if self._array.size != 1:
            raise RuntimeError(f"a Tensor with {self._array.size} elements cannot be converted to Scalar")
        return _to_python(self._array.reshape(()))

    def tolist(self) -> Any:
        if self._array.dtype.kind == "V":  # bfloat16, which NumPy does not know
            return self._array.astype(np.float32).tolist()
        return self._array.tolist()

    def numpy(self, *, force: bool = False) -> np.ndarray:
        """The same memory as a NumPy array."""
        if force:
            return self._array
        if self.requires_grad:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        if self._array.dtype.kind == "V":
            raise TypeError("Got unsupported ScalarType BFloat16")
        return self._array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = self.numpy()
        if dtype is not None and np.dtype(dtype) != array.dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    def __array_wrap__(self, array: np.ndarray, context: Any = None, return_scalar: bool = False) -> Tensor:
        """What NumPy computed from a tensor, as a tensor; bools as uint8, as PyTorch has them here."""
        array = np.asarray(array)
        return wrap(array.astype(np.uint8) if array.dtype == np.bool_ else array)

    def __len__(self) -> int:
        if not self._array.ndim:
            raise TypeError("len() of a 0-d tensor")
        return self._array.shape[0]

    def __contains__(self, element: Any) -> bool:
        if not isinstance(element, Tensor | int | float | np.number):
            raise RuntimeError(
                f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}."
            )
        return bool((self == element).any())

    def __bool__(self) -> bool:
        if self._array.size != 1:
            count = "no values" if not self._array.size else "more than one value"
            raise RuntimeError(f"Boolean value of Tensor with {count} is ambiguous")
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self._array.size != 1 or self.dtype.is_floating_point:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __deepcopy__(self, memo: dict) -> Tensor:
        if self._grad_fn is not None:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the "
                "moment."
            )
        if id(self) in memo:
            return memo[id(self)]
        storage = copy.deepcopy(self._storage, memo)
        shape, strides = self._array.shape, self._array.strides
        made = rebuild(type(self), storage, shape, strides, self.storage_offset(), self._requires_grad)
        memo[id(self)] = made
        made._grad = copy.deepcopy(self._grad, memo)
        made.__dict__.update({k: copy.deepcopy(v, memo) for k, v in self.__dict__.items() if not k.startswith("_")})
        return made

    def __reduce_ex__(self, protocol: Any) -> tuple:
        if self._grad_fn is not None:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) can be pickled: use detach()"
            )
        extra = {k: v for k, v in self.__dict__.items() if not k.startswith("_")} or None
        storage = self._storage
        return (
            rebuild,
            (type(self), storage, self._array.shape, self._array.strides, self.storage_offset(), self._requires_grad),
            extra,
        )

    def __dlpack__(self, **options: Any) -> Any:
        if self.requires_grad:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._array.__dlpack_device__()

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return printing.tensor_repr(self)

    def __format__(self, spec: str) -> str:
        return printing.format_tensor(self, spec)

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if name not in ("_construct",)]


# ---- for the floors above ---------------------------------------------------------------------------------------

_new = object.__new__
_dtype_of = {t.numpy: t for t in dtypes.ALL}


def wrap(array: np.ndarray) -> Tensor:
    """A tensor on memory of its own: `array` is taken as it is, not copied."""
    t = _new(Tensor)
    t._array = array
    t._storage = Storage(array)
    return t


def wrap_view(array: np.ndarray, source: Tensor) -> Tensor:
    """A tensor that shows part of the memory of `source`; autograd is told by the caller."""
    t = _new(Tensor)
    t._array = array
    t._storage = source._storage
    return t


def rebuild(cls: type, storage: Storage, shape: tuple, strides: tuple, offset: int, requires_grad: bool) -> Tensor:
    """A tensor on a storage: pickle's and deepcopy's way back, which keeps what is shared shared."""
    flat = storage.flat
    t = _new(cls)
    t._array = (
        np.lib.stride_tricks.as_strided(flat[offset:], shape, strides)
        if 0 not in shape
        else np.empty(shape, flat.dtype)
    )
    t._storage = storage
    if requires_grad:
        t._requires_grad = True
    return t


def element_strides(array: np.ndarray) -> tuple[int, ...]:
    """NumPy counts strides in bytes, PyTorch in elements.

    And NumPy gives a dimension of length 1 that it puts in the stride 0, PyTorch the step over all that comes after it;
    some empty arrays have only zeros in NumPy, and the strides of their shape in PyTorch.
    """
    strides, size = array.strides, array.itemsize
    if 0 not in strides:
        return tuple([s // size for s in strides])
    found, after = [], 1
    empty = not array.size and not any(strides)
    for n, s in zip(reversed(array.shape), reversed(strides), strict=True):
        found.append(after if s == 0 and (n == 1 or empty) else s // size)
        after = found[-1] * max(n, 1)
    return tuple(reversed(found))


def normalize_dim(dim: int, ndim: int) -> int:
    """A dimension counted from the front; IndexError outside [-ndim, ndim)."""
    if type(dim) is not int:
        dim = dim.__index__()
    limit = ndim or 1  # a 0-d tensor is addressed as if it had one dimension
    if not -limit <= dim < limit:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-limit}, {limit - 1}], but got {dim})")
    return dim + limit if dim < 0 else dim


def _to_python(array: np.ndarray) -> Any:
    return float(array) if array.dtype.kind == "V" else array.item()
