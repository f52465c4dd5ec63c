"""Pictures: data sets of them."""

from tinytorch.vision import datasets

__all__ = ["datasets"]
