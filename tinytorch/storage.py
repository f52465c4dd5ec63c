"""Storage: the memory behind tensors.

A tensor is only a window: a shape, strides and an offset. The numbers lie in a storage, and many tensors
(slices, transposes, `detach`) may look at the same one. That is why it is a thing of its own: views cost nothing,
writes through one window are seen through all, and one counter tells autograd that something was overwritten.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinytorch.dtypes import dtype as DType


class Storage:
    """A flat block of bytes, and the number of times that it was written to in place: `x.untyped_storage()`.

    >>> import numpy as np
    >>> block = Storage(np.arange(6, dtype=np.float32).reshape(2, 3))
    >>> len(block), block.nbytes(), block[7], block.version
    (24, 24, 63, 0)
    """

    __slots__ = ("array", "version", "_flat", "__weakref__")

    def __init__(self, array: np.ndarray) -> None:
        self.array = array  # the array that was there first: every view of this storage lies inside it
        self.version = 0

    @property
    def flat(self) -> np.ndarray:
        """The elements in the order of memory: a one-dimensional array that shares them."""
        try:
            return self._flat
        except AttributeError:
            self._flat = _flattened(self.array)
            return self._flat

    @property
    def bytes(self) -> np.ndarray:
        """The memory as numbers from 0 to 255: a one-dimensional array that shares it."""
        return self.flat.view(np.uint8)

    @property
    def address(self) -> int:
        return self.flat.ctypes.data

    def data_ptr(self) -> int:
        return self.address

    def nbytes(self) -> int:
        return self.flat.nbytes

    size = __len__ = nbytes

    def tolist(self) -> list[int]:
        return self.bytes.tolist()

    def __iter__(self) -> Iterator[int]:
        return iter(self.tolist())

    def __getitem__(self, index: Any) -> Any:
        return self.bytes[index].tolist()

    def __setitem__(self, index: Any, value: Any) -> None:
        self.bytes[index] = value
        self.version += 1

    def __deepcopy__(self, memo: dict) -> Storage:
        made = memo[id(self)] = Storage(self.flat.copy())
        return made

    def __reduce__(self) -> tuple:
        return Storage, (self.flat,)

    def __repr__(self) -> str:
        return _rows(self.tolist(), f"torch.storage.UntypedStorage(device=cpu) of size {len(self)}")


class TypedStorage:
    """A storage read as elements of one dtype: `x.storage()`. PyTorch keeps it for old programs.

    >>> import tinytorch
    >>> tinytorch.tensor([1.0, 2.0]).storage()
     1.0
     2.0
    [torch.storage.TypedStorage(dtype=torch.float32, device=cpu) of size 2]
    """

    __slots__ = ("_untyped", "dtype")

    def __init__(self, untyped: Storage, dtype: DType) -> None:
        self._untyped = untyped
        self.dtype = dtype

    @property
    def _elements(self) -> np.ndarray:
        flat = self._untyped.flat
        return flat if flat.dtype == self.dtype.numpy else flat.view(self.dtype.numpy)

    def untyped(self) -> Storage:
        return self._untyped

    def data_ptr(self) -> int:
        return self._untyped.address

    def nbytes(self) -> int:
        return self._untyped.nbytes()

    def size(self) -> int:
        return self._elements.size

    __len__ = size

    def element_size(self) -> int:
        return self.dtype.numpy.itemsize

    def type(self) -> str:
        return f"torch.{self.dtype.legacy.replace('Tensor', 'Storage')}"

    def tolist(self) -> list:
        elements = self._elements
        return elements.astype(np.float32).tolist() if elements.dtype.kind == "V" else elements.tolist()

    def __iter__(self) -> Iterator:
        return iter(self.tolist())

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            raise RuntimeError("slices are only supported in UntypedStorage.__getitem__")
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} out of range for storage of size {len(self)}")
        return self._elements[index].item()

    def __setitem__(self, index: Any, value: Any) -> None:
        self._elements[index] = value
        self._untyped.version += 1

    def __repr__(self) -> str:
        return _rows(self.tolist(), f"torch.storage.TypedStorage(dtype={self.dtype}, device=cpu) of size {len(self)}")


def _flattened(array: np.ndarray) -> np.ndarray:
    if array.flags.c_contiguous:
        return array.reshape(-1)
    if array.flags.f_contiguous:
        return array.T.reshape(-1)
    first, last = np.lib.array_utils.byte_bounds(array)
    count = (last - first) // array.itemsize if array.size else 0
    start = array[tuple([0 if s >= 0 else n - 1 for n, s in zip(array.shape, array.strides, strict=True)]) + (...,)]
    return np.lib.stride_tricks.as_strided(start, (count,), (array.itemsize,))


def _rows(values: list, title: str) -> str:
    return "".join([f" {value}\n" for value in values]) + f"[{title}]"
