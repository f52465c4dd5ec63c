"""The teaching simulator: runs Numba-CUDA kernels without a GPU, and says what is wrong with them.

>>> import numpy as np
>>> from numba import cuda
>>> from tinytorch.cuda.simulator import simulate
>>> @cuda.jit
... def double(x, out):
...     i = cuda.grid(1)
...     out[i] = x[i] + x[i]
>>> x, out = np.arange(5, dtype=np.float32), np.zeros(5, np.float32)
>>> report = simulate(double, 1, 8, x, out)
>>> out
array([0., 2., 4., 6., 8.], dtype=float32)
>>> [(found.kind, found.line, found.array, found.index) for found in report.diagnoses]
[('out-of-bounds', 4, 'x', (5,)), ('out-of-bounds', 4, 'out', (5,))]
>>> report.counts.global_reads, report.counts.flops
(10, 5)
"""

from tinytorch.cuda.simulator.diagnoses import KINDS, Diagnosis, KernelDiagnosed
from tinytorch.cuda.simulator.launch import simulate
from tinytorch.cuda.simulator.randoms import random_states
from tinytorch.cuda.simulator.report import Access, Report
from tinytorch.cuda.simulator.source import SourceNotFound

__all__ = ["KINDS", "Access", "Diagnosis", "KernelDiagnosed", "Report", "SourceNotFound", "random_states", "simulate"]
