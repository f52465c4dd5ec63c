"""The teaching simulator: runs Numba-CUDA kernels without a GPU, and says what is wrong with them.

>>> import numpy as np
>>> from numba import cuda
>>> from tinytorch.cuda.simulator import simulate
>>> x = np.arange(5, dtype=np.float32)
>>> simulate(cuda.jit(lambda x: None), 1, 5, x)
Traceback (most recent call last):
    ...
tinytorch.cuda.simulator.source.SourceNotFound: ...
"""

from tinytorch.cuda.simulator.diagnoses import KINDS, Diagnosis, KernelDiagnosed
from tinytorch.cuda.simulator.launch import simulate
from tinytorch.cuda.simulator.randoms import random_states
from tinytorch.cuda.simulator.report import Access, Report
from tinytorch.cuda.simulator.source import SourceNotFound

__all__ = ["KINDS", "Access", "Diagnosis", "KernelDiagnosed", "Report", "SourceNotFound", "random_states", "simulate"]
