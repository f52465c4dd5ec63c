"""`torch.linalg`: norms, products, solutions and factors of matrices."""

from tinytorch.ops.decompositions import (
    LinAlgError,
    cholesky,
    det,
    eigh,
    eigvalsh,
    inv,
    qr,
    slogdet,
    solve,
    svd,
    svdvals,
)
from tinytorch.ops.linalg import matmul
from tinytorch.ops.matrices import linalg_cross as cross
from tinytorch.ops.matrices import matrix_power
from tinytorch.ops.norms import linalg_norm as norm
from tinytorch.ops.norms import matrix_norm, multi_dot, vector_norm
from tinytorch.ops.views import diagonal

__all__ = [
    "LinAlgError", "cholesky", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "matmul", "matrix_norm",
    "matrix_power", "multi_dot", "norm", "qr", "slogdet", "solve", "svd", "svdvals", "vector_norm",
]  # fmt: skip
