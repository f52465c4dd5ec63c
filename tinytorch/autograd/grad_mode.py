"""Switches that say whether operations are recorded: `no_grad`, `enable_grad`, `set_grad_enabled`, `inference_mode`.

Each is a context manager and a decorator; each thread has a switch of its own.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any


class _Mode(threading.local):
    enabled = True
    inference = False


mode = _Mode()


def is_grad_enabled() -> bool:
    return mode.enabled


def is_inference_mode_enabled() -> bool:
    return mode.inference


class _Switch:
    """Sets the mode on the way in and puts back what was there on the way out, also after an exception."""

    def __enter__(self) -> None:
        raise NotImplementedError

    def __exit__(self, *exception: object) -> None:
        raise NotImplementedError

    def __call__(self, function: Callable) -> Callable:
        if inspect.isclass(function):
            function.__init__ = self(function.__init__)  # type: ignore[misc]
            return function
        if inspect.isgeneratorfunction(function):
            return self._around_generator(function)

        @functools.wraps(function)
        def switched(*args: Any, **kwargs: Any) -> Any:
            with self.clone():
                return function(*args, **kwargs)

        return switched

    def _around_generator(self, function: Callable) -> Callable:
        @functools.wraps(function)
        def switched(*args: Any, **kwargs: Any) -> Any:
            generator = function(*args, **kwargs)
            sent = None
            while True:
                with self.clone():  # the mode holds while the generator runs, not while its caller does
                    try:
                        value = generator.send(sent)
                    except StopIteration as stop:
                        return stop.value
                sent = yield value

        return switched

    def clone(self) -> _Switch:
        return type(self)()


class no_grad(_Switch):
    """Operations inside are not recorded: their results do not require a gradient.

    >>> import tinytorch
    >>> x = tinytorch.ones(2, requires_grad=True)
    >>> with no_grad():
    ...     (x * 2).requires_grad
    False
    """

    def __new__(cls, function: Callable | None = None) -> Any:
        made = super().__new__(cls)
        return made if function is None else made(function)  # `@no_grad` without brackets

    def __enter__(self) -> None:
        self.before = mode.enabled
        mode.enabled = False

    def __exit__(self, *exception: object) -> None:
        mode.enabled = self.before


class enable_grad(_Switch):
    """Operations inside are recorded, also within `no_grad`."""

    def __new__(cls, function: Callable | None = None) -> Any:
        made = super().__new__(cls)
        return made if function is None else made(function)

    def __enter__(self) -> None:
        self.before = mode.enabled
        mode.enabled = True

    def __exit__(self, *exception: object) -> None:
        mode.enabled = self.before


class set_grad_enabled(_Switch):
    """`set_grad_enabled(False)` acts at once, as a function, and ends with its block when used with `with`."""

    def __init__(self, mode_: bool) -> None:
        self.before = mode.enabled
        self.wanted = bool(mode_)
        mode.enabled = self.wanted

    def __call__(self, function: Callable) -> Callable:
        mode.enabled = self.before  # used as a decorator: the mode holds inside the function only
        return super().__call__(function)

    def __enter__(self) -> None:
        mode.enabled = self.wanted

    def __exit__(self, *exception: object) -> None:
        mode.enabled = self.before

    def clone(self) -> set_grad_enabled:
        return set_grad_enabled(self.wanted)


class inference_mode(_Switch):
    """Like `no_grad`, and the tensors made inside can never take part in a recorded computation."""

    def __init__(self, mode_: bool | Callable = True) -> None:
        self.wanted = bool(mode_)

    def __new__(cls, mode_: bool | Callable = True) -> Any:
        made = super().__new__(cls)
        if callable(mode_):
            made.__init__(True)
            return made(mode_)
        return made

    def __enter__(self) -> None:
        self.before = mode.enabled, mode.inference
        if self.wanted:
            mode.enabled, mode.inference = False, True
        else:
            mode.enabled, mode.inference = True, False

    def __exit__(self, *exception: object) -> None:
        mode.enabled, mode.inference = self.before

    def clone(self) -> inference_mode:
        return inference_mode(self.wanted)
