"""Neural networks: layers, losses, containers, and first values of their parameters."""

from tinytorch.nn import functional, init
from tinytorch.nn.modules import *  # noqa: F403
from tinytorch.nn.modules import __all__ as _modules
from tinytorch.nn.parameter import Buffer, Parameter

__all__ = ["Buffer", "Parameter", "functional", "init", *_modules]
