"""Optimisers: they change parameters so that the loss falls."""

from tinytorch.optim.adam import Adam
from tinytorch.optim.optimizer import Optimizer
from tinytorch.optim.sgd import SGD

__all__ = ["SGD", "Adam", "Optimizer"]
