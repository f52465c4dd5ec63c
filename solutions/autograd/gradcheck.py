"""Reference body of the exercise in `tinytorch/autograd/gradcheck.py`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def numerical_gradient(f: Callable[[np.ndarray], float], x: np.ndarray, eps: float = 1e-6) -> np.ndarray:
    gradient = np.zeros(x.shape)
    moved = x.copy()
    for at in np.ndindex(x.shape):
        moved[at] = x[at] + eps
        above = f(moved)
        moved[at] = x[at] - eps
        below = f(moved)
        moved[at] = x[at]
        gradient[at] = (above - below) / (2 * eps)
    return gradient
