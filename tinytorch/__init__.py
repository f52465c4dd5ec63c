"""tinytorch: a small PyTorch to learn from, parts of which you write yourself.

>>> import tinytorch as torch
>>> x = torch.tensor([2.0], requires_grad=True)
>>> z = (x + 2) ** 2 + 3
>>> z.backward()
>>> x.grad
tensor([8.])
"""

from __future__ import annotations

import gc
import importlib

__version__ = "0.1.0"

_LATE = ("cuda", "linalg", "nn", "optim", "utils", "vision")  # loaded when first named: `torch.nn`
_broken: BaseException | None = None
_collecting = gc.isenabled()
gc.disable()  # all that an import makes is kept: looking through it for garbage takes a tenth of the time
try:
    from tinytorch import autograd  # noqa: F401
    from tinytorch.api import *  # noqa: F403
except (Exception, SystemExit) as _error:
    # A stub file that does not run must not lock its writer out of `tinytorch check`: the error waits for first use.
    _broken = _error
    for _name in ("tensor", "device"):  # modules of these names may be loaded, and would answer for the functions
        globals().pop(_name, None)
finally:
    if _collecting:
        gc.enable()


def __getattr__(name: str) -> object:
    if _broken is not None and not name.startswith("__"):
        raise _broken
    if name in _LATE:
        return importlib.import_module(f"tinytorch.{name}")
    raise AttributeError(f"module 'tinytorch' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATE})
