"""Layers as modules, one family a file."""

from tinytorch.nn.modules.activation import (
    CELU,
    ELU,
    GELU,
    GLU,
    SELU,
    Hardshrink,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    RReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softmax2d,
    Softmin,
    Softplus,
    Softshrink,
    Softsign,
    Tanh,
    Tanhshrink,
    Threshold,
)
from tinytorch.nn.modules.batchnorm import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
)
from tinytorch.nn.modules.container import ModuleDict, ModuleList, Sequential
from tinytorch.nn.modules.dropout import Dropout
from tinytorch.nn.modules.flatten import Flatten
from tinytorch.nn.modules.linear import Identity, Linear
from tinytorch.nn.modules.loss import CrossEntropyLoss, L1Loss, MSELoss, NLLLoss
from tinytorch.nn.modules.module import Module
from tinytorch.nn.modules.normalization import GroupNorm, LayerNorm, RMSNorm
from tinytorch.nn.modules.parameters import ParameterDict, ParameterList

__all__ = [
    "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "CELU", "CrossEntropyLoss", "Dropout", "ELU", "Flatten",
    "GELU", "GLU", "GroupNorm", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "Identity",
    "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d", "L1Loss", "LayerNorm", "LeakyReLU", "Linear",
    "LogSigmoid", "LogSoftmax", "MSELoss", "Mish", "Module", "ModuleDict", "ModuleList", "NLLLoss", "PReLU",
    "ParameterDict", "ParameterList", "RMSNorm", "RReLU", "ReLU", "ReLU6", "SELU", "Sequential", "SiLU",
    "Sigmoid", "Softmax", "Softmax2d", "Softmin", "Softplus", "Softshrink", "Softsign", "Tanh", "Tanhshrink",
    "Threshold",
]  # fmt: skip
