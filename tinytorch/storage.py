"""Storage: the memory behind tensors.

A tensor is only a window: a shape, strides and an offset. The numbers lie in a storage, and many tensors
(slices, transposes, `detach`) may look at the same one. That is why it is a thing of its own: views cost nothing,
writes through one window are seen through all, and one counter tells autograd that something was overwritten.
"""

from __future__ import annotations

import numpy as np


class Storage:
    """A flat block of elements of one type, and the number of times that it was written to in place.

    >>> import numpy as np
    >>> block = Storage(np.arange(6, dtype=np.float32).reshape(2, 3))
    >>> len(block), block[4], block.nbytes(), block.version
    (6, 4.0, 24, 0)
    """

    __slots__ = ("array", "version", "__weakref__")

    def __init__(self, array: np.ndarray) -> None:
        self.array = array  # the array that was there first: every view of this storage lies inside it
        self.version = 0

    @property
    def flat(self) -> np.ndarray:
        """The elements in the order of memory: a one-dimensional array that shares them."""
        array = self.array
        if array.flags.c_contiguous:
            return array.reshape(-1)
        if array.flags.f_contiguous:
            return array.T.reshape(-1)
        first, last = np.lib.array_utils.byte_bounds(array)
        count = (last - first) // array.itemsize if array.size else 0
        start = array[tuple(0 if s >= 0 else n - 1 for n, s in zip(array.shape, array.strides, strict=True))]
        return np.lib.stride_tricks.as_strided(start, (count,), (array.itemsize,))

    @property
    def address(self) -> int:
        return self.flat.ctypes.data

    def data_ptr(self) -> int:
        return self.address

    def nbytes(self) -> int:
        return self.flat.nbytes

    def size(self) -> int:
        return self.flat.size

    def tolist(self) -> list:
        return self.flat.tolist()

    def __len__(self) -> int:
        return self.size()

    def __iter__(self):
        return iter(self.flat.tolist())

    def __getitem__(self, index):
        return self.flat[index].item() if not isinstance(index, slice) else self.flat[index].tolist()

    def __setitem__(self, index, value) -> None:
        self.flat[index] = value
        self.version += 1

    def __deepcopy__(self, memo: dict) -> Storage:
        made = memo[id(self)] = Storage(self.flat.copy())
        return made

    def __reduce__(self) -> tuple:
        return Storage, (self.flat,)

    def __repr__(self) -> str:
        rows = "\n".join(f" {v}" for v in self.flat.tolist())
        return f"{rows}\n[Storage of {self.array.dtype} and size {len(self)}, written to {self.version} times]"
