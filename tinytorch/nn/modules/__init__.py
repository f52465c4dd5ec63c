"""Layers as modules, one family a file."""

from tinytorch.nn.modules.activation import LogSoftmax, ReLU, Sigmoid, Softmax, Tanh
from tinytorch.nn.modules.container import ModuleDict, ModuleList, Sequential
from tinytorch.nn.modules.dropout import Dropout
from tinytorch.nn.modules.flatten import Flatten
from tinytorch.nn.modules.linear import Identity, Linear
from tinytorch.nn.modules.loss import CrossEntropyLoss, L1Loss, MSELoss, NLLLoss
from tinytorch.nn.modules.module import Module
from tinytorch.nn.modules.parameters import ParameterDict, ParameterList

__all__ = [
    "CrossEntropyLoss", "Dropout", "Flatten", "Identity", "L1Loss", "Linear", "LogSoftmax", "MSELoss", "Module",
    "ModuleDict", "ModuleList", "NLLLoss", "ParameterDict", "ParameterList", "ReLU", "Sequential", "Sigmoid", "Softmax",
    "Tanh",
]  # fmt: skip
