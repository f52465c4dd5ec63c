"""Anomaly mode: find the operation whose backward fails or gives NaN, and the line of forward that made it."""

from __future__ import annotations

import threading
import traceback
import warnings
from typing import Any

import numpy as np

from tinytorch.tensor import Tensor


class _State(threading.local):
    enabled = False
    check_nan = True


state = _State()


class set_detect_anomaly:
    """Switch anomaly mode on or off; with `with`, until the end of the block."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.before = state.enabled, state.check_nan
        state.enabled, state.check_nan = bool(mode), check_nan

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        state.enabled, state.check_nan = self.before


class detect_anomaly(set_detect_anomaly):
    """Within this block backward names the operation that went wrong.

    >>> import warnings, tinytorch
    >>> x = tinytorch.tensor([-1.0], requires_grad=True)
    >>> with warnings.catch_warnings(), detect_anomaly():
    ...     warnings.simplefilter("ignore")
    ...     x.sqrt().sum().backward()
    Traceback (most recent call last):
    RuntimeError: Function 'SqrtBackward0' returned nan values in its 0th output.
    """

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__(True, check_nan)
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for "
            "debugging.",
            stacklevel=2,
        )


def is_anomaly_enabled() -> bool:
    return state.enabled


def is_anomaly_check_nan_enabled() -> bool:
    return state.check_nan


def remember_forward(node: Any) -> None:
    """Keep the stack of the forward call that made this node."""
    node.metadata = {"traceback_": traceback.format_stack()[:-3]}


def guarded(node: Any, gradients: tuple) -> Any:
    """Run a node's backward; name it, and show where forward made it, if it raises or gives NaN."""
    try:
        results = node.backward(*gradients)
        if state.check_nan:
            _refuse_nan(node, results if isinstance(results, tuple) else (results,))
    except Exception:
        made = "".join((node.metadata or {}).get("traceback_", ["  (made outside anomaly mode)\n"]))
        warnings.warn(
            f"Error detected in {node.name()}. Traceback of forward call that caused the error:\n{made}", stacklevel=2
        )
        raise
    return results


def _refuse_nan(node: Any, results: tuple) -> None:
    for number, (gradient, (following, _)) in enumerate(zip(results, node.next_functions, strict=False)):
        array = gradient._array if isinstance(gradient, Tensor) else gradient
        if following is not None and array is not None and np.isnan(array).any():
            raise RuntimeError(f"Function '{node.name()}' returned nan values in its {number}th output.")
