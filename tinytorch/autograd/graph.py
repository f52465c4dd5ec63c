"""The graph as PyTorch shows it: its nodes, and hooks on what it saves."""

from tinytorch.autograd.node import Node
from tinytorch.autograd.saved import saved_tensors_hooks

__all__ = ["Node", "saved_tensors_hooks"]
