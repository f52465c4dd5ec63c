"""Real PyTorch, the judge of the parity tests: `from tests.oracle import torch`.

It is not a dependency of the course. Where it is not installed the importing test module is skipped; under
CI=true it fails instead, so that parity is never left out unseen.
"""

from tests.machine import missing

try:
    import torch
except ModuleNotFoundError as error:
    if error.name != "torch":
        raise
    missing("PyTorch", "python -m pip install torch==2.13.0")

torch.set_num_threads(1)  # the test workers already use every core
torch.manual_seed(0)

__all__ = ["torch"]
