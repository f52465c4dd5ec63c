"""Data sets of pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.ops.creation import from_numpy
from tinytorch.tensor import Tensor
from tinytorch.utils.data.dataset import Dataset

HELD_OUT = 5  # every fifth picture of each digit is kept for testing


class Digits(Dataset[tuple[Any, Any]]):
    """1,797 handwritten digits of 8×8 pixels, real ones, bundled with scikit-learn: nothing is downloaded.

    Sample i is (picture, label): float32 of shape (1, 8, 8) from 0 (paper) to 1 (ink), and the digit as an int.
    Every fifth picture of each digit is held out, so both parts have the same share of every digit, always the same.

    Args:
        root: accepted, as for other data sets; not used.
        train: the 1,442 pictures to learn from, or the 355 held out.
        transform, target_transform: functions of the picture and of the label.

    Attributes:
        data: all pictures, (N, 1, 8, 8) float32. targets: all labels, (N,) int64.

    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI (1998).

    >>> picture, label = Digits(train=False)[0]
    >>> picture.shape, label
    (torch.Size([1, 8, 8]), 5)
    """

    classes = [str(digit) for digit in range(10)]

    def __init__(
        self,
        root: Any = None,
        train: bool = True,
        transform: Callable[[Tensor], Any] | None = None,
        target_transform: Callable[[int], Any] | None = None,
    ) -> None:
        from sklearn.datasets import load_digits

        pictures, labels = load_digits(return_X_y=True)
        occurrence = np.zeros(len(labels), np.int64)  # the how-manieth of its digit each picture is
        for digit in range(10):
            occurrence[labels == digit] = np.arange(np.count_nonzero(labels == digit))
        chosen = (occurrence % HELD_OUT == HELD_OUT - 1) != train
        self.data = from_numpy((pictures[chosen] / 16).astype(np.float32).reshape(-1, 1, 8, 8))
        self.targets = from_numpy(labels[chosen].astype(np.int64))
        self.train = train
        self.transform = transform
        self.target_transform = target_transform

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        picture, label = self.data[index], int(self.targets[index])
        return (
            picture if self.transform is None else self.transform(picture),
            label if self.target_transform is None else self.target_transform(label),
        )

    def __len__(self) -> int:
        return len(self.data)

    def __repr__(self) -> str:
        return f"Dataset Digits\n    Number of datapoints: {len(self)}\n    Split: {'Train' if self.train else 'Test'}"
