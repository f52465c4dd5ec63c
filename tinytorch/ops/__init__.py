"""The operations, one file a family. Registered as the side of `kernels.of` that answers for tensors."""

from tinytorch import kernels
from tinytorch.ops import (  # noqa: F401
    cast,
    creation,
    indexing,
    joining,
    linalg,
    loss,
    pointwise,
    random,
    reduce,
    shape,
)
from tinytorch.ops.side import TensorSide
from tinytorch.tensor import Tensor

kernels.register(Tensor, TensorSide)
