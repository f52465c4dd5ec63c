"""The CPU side: NumPy, BLAS and, where a loop of our own is faster, Numba. One file a family; PyTorch's names."""

from tinytorch.kernels.cpu.activation import *  # noqa: F403
from tinytorch.kernels.cpu.conv import *  # noqa: F403
from tinytorch.kernels.cpu.indexing import *  # noqa: F403
from tinytorch.kernels.cpu.linalg import *  # noqa: F403
from tinytorch.kernels.cpu.loss import *  # noqa: F403
from tinytorch.kernels.cpu.normalization import *  # noqa: F403
from tinytorch.kernels.cpu.optim import *  # noqa: F403
from tinytorch.kernels.cpu.order import *  # noqa: F403
from tinytorch.kernels.cpu.pointwise import *  # noqa: F403
from tinytorch.kernels.cpu.pool import *  # noqa: F403
from tinytorch.kernels.cpu.reduce import *  # noqa: F403
from tinytorch.kernels.cpu.scan import *  # noqa: F403
from tinytorch.kernels.cpu.shape import *  # noqa: F403
