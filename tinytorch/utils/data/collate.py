"""From a list of samples to a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tinytorch.ops.creation import tensor
from tinytorch.tensor import Tensor, wrap


def default_collate(batch: list[Any]) -> Any:
    """Samples put together: tensors are stacked along a new first dimension, numbers become tensors.

    Tuples, lists and dictionaries are gone through member by member; strings stay in a list.

    >>> default_collate([(1, {"a": 2.5}), (3, {"a": 4.5})])
    [tensor([1, 3]), {'a': tensor([2.5000, 4.5000], dtype=torch.float64)}]
    """
    first = batch[0]
    if isinstance(first, Tensor):
        for number, sample in enumerate(batch):
            if sample.shape != first.shape:
                raise RuntimeError(
                    f"stack expects each tensor to be equal size, but got {list(first.shape)} at entry 0 and "
                    f"{list(sample.shape)} at entry {number}"
                )
        return wrap(np.stack([sample.detach().numpy() for sample in batch]))
    if isinstance(first, np.ndarray):
        return default_collate([tensor(sample) for sample in batch])
    if isinstance(first, np.generic):
        return tensor(np.asarray(batch))
    if isinstance(first, float):
        return wrap(np.asarray(batch, np.float64))
    if isinstance(first, int):
        return tensor(batch)
    if isinstance(first, str | bytes):
        return batch
    if isinstance(first, Mapping):
        return {key: default_collate([sample[key] for sample in batch]) for key in first}
    if isinstance(first, Sequence):
        if any(len(sample) != len(first) for sample in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        members = [default_collate(list(same)) for same in zip(*batch, strict=True)]
        return type(first)(*members) if hasattr(first, "_fields") else members  # a named tuple stays one
    raise TypeError(
        f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {type(first)}"
    )


def default_convert(data: Any) -> Any:
    """One sample, not batched: arrays become tensors, everything else stays."""
    if isinstance(data, np.ndarray | np.generic):
        return tensor(data)
    if isinstance(data, Mapping):
        return {key: default_convert(value) for key, value in data.items()}
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*map(default_convert, data))
    if isinstance(data, list | tuple):
        return [default_convert(value) for value in data]
    return data
