"""Every combination: grids of coordinates, products, and classes as rows with one 1."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np

from tinytorch import dtypes
from tinytorch.ops.promotion import kind_name
from tinytorch.tensor import Tensor, wrap


def _listed(tensors: tuple) -> list[Tensor]:
    return list(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], tuple | list) else list(tensors)


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """The coordinates of a grid, one tensor an axis. "ij": axis k runs along dimension k; "xy" exchanges the first two.

    >>> import tinytorch
    >>> meshgrid(tinytorch.tensor([1, 2]), tinytorch.tensor([3, 4, 5]), indexing="ij")[1]
    tensor([[3, 4, 5],
            [3, 4, 5]])
    """
    axes = _listed(tensors)
    if not axes:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    for t in axes:
        if t._array.ndim > 1:
            raise RuntimeError(
                f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {list(t._array.shape)}"
            )
        if t.dtype is not axes[0].dtype:
            raise RuntimeError(
                f"meshgrid expects all tensors to have the same dtype: {kind_name(axes[0])} and {kind_name(t)}"
            )
    if indexing is None:
        warnings.warn(
            "torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument.",
            UserWarning, stacklevel=2,
        )  # fmt: skip
        indexing = "ij"
    if indexing not in ("ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    exchange = indexing == "xy" and len(axes) > 1
    if exchange:
        axes[:2] = axes[1::-1]
    shape = [t.numel() for t in axes]
    grids = [t.reshape([n if i == k else 1 for i, n in enumerate(shape)]).expand(shape) for k, t in enumerate(axes)]
    if exchange:
        grids[:2] = grids[1::-1]
    return tuple(grids)


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """Every way to take one element from each vector, a row each; of one vector, the vector itself."""
    vectors = _listed(tensors)
    for t in vectors:
        if t._array.ndim != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {list(t._array.shape)}")
    if len(vectors) == 1:
        return vectors[0]
    from tinytorch.ops.joining import stack

    return stack([g.reshape(-1) for g in meshgrid(vectors, indexing="ij")], dim=1)


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """Every choice of r elements of a vector, in their order, a row each."""
    if input._array.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(input._array.shape)}")
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = np.array(list(choose(range(input.numel()), r)), np.int64).reshape(-1, r)
    return input[wrap(rows)] if r else wrap(np.empty(0, input._array.dtype))


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Class numbers (int64, any shape) as rows of zeros with a 1 in place of the class: shape (*, num_classes).

    >>> import tinytorch
    >>> one_hot(tinytorch.tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    if tensor.dtype is not dtypes.int64:
        raise RuntimeError(f"one_hot is only applicable to index tensor of type LongTensor, not {tensor.type()}.")
    classes = tensor._array
    if not classes.size and num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    if classes.size and classes.min() < 0:
        raise RuntimeError(f"Class values must be non-negative. The smallest is {classes.min()}.")
    if num_classes == -1:
        num_classes = int(classes.max()) + 1
    elif classes.size and classes.max() >= num_classes:
        raise RuntimeError(
            f"Class values must be smaller than num_classes. The largest is {classes.max()} of {num_classes}."
        )
    return wrap((classes[..., None] == np.arange(num_classes)).astype(np.int64))
