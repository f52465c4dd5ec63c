"""The operations, one file a family. Registered as the side of `kernels.of` that answers for tensors."""

from tinytorch import kernels
from tinytorch.ops import (  # noqa: F401
    activation,
    addmm,
    cast,
    compare,
    conv,
    creation,
    decompositions,
    division,
    einsum,
    elementary,
    extrema,
    grids,
    indexing,
    joining,
    legacy,
    linalg,
    loss,
    masks,
    matrices,
    normalization,
    norms,
    order,
    pad,
    pairs,
    pointwise,
    pool,
    promotion,
    random,
    reduce,
    rounding,
    scan,
    select,
    shape,
    slices,
    views,
)
from tinytorch.ops.side import TensorSide
from tinytorch.tensor import Tensor

kernels.register(Tensor, TensorSide)
