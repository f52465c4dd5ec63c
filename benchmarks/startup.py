"""Fresh processes: what importing costs, and how soon the first training steps are done, tinytorch beside PyTorch.

uv run python -m benchmarks.startup [--rounds 7]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys

IMPORT = """
import json, resource, time
started = time.perf_counter()
import {library}
seconds = time.perf_counter() - started
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""

TWO_STEPS = """
import json, time
started = time.perf_counter()
import {library} as torch
from {library} import nn
imported = time.perf_counter()
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))
optimizer = torch.optim.Adam(model.parameters())
x, y = torch.randn(64, 784), torch.randint(0, 10, (64,))
for _ in range(2):
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
done = time.perf_counter()
print(json.dumps([done - imported, done - started]))
"""


def fresh(program: str, library: str) -> list[float]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    done = subprocess.check_output([sys.executable, "-c", program.format(library=library)], env=environment, text=True)
    return json.loads(done)


def measure(program: str, rounds: int, libraries: tuple[str, ...]) -> dict[str, list[float]]:
    runs: dict[str, list[list[float]]] = {library: [] for library in libraries}
    for library in libraries:
        fresh(program, library)  # bytecode and compiled kernels are on disk from here on
    for _ in range(rounds):
        for library in libraries:
            runs[library].append(fresh(program, library))
    return {
        library: [statistics.median(column) for column in zip(*found, strict=True)] for library, found in runs.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    found = measure(IMPORT, rounds, ("numpy", "tinytorch", "torch"))
    for library, (seconds, megabytes) in found.items():
        print(f"import {library:10} {seconds * 1e3:8.0f} ms {megabytes:8.0f} MiB")
    mine, numpy, real = found["tinytorch"], found["numpy"], found["torch"]
    print(f"tinytorch / numpy: time {mine[0] / numpy[0]:.2f} (at most 1.6)")
    print(f"tinytorch / torch: time {mine[0] / real[0]:.2f}, memory {mine[1] / real[1]:.2f} (at most 0.5)")
    steps = measure(TWO_STEPS, rounds, ("tinytorch", "torch"))
    for library, (after, total) in steps.items():
        print(f"first two MLP steps, {library:10} {after * 1e3:8.0f} ms, with the import {total * 1e3:8.0f} ms")
    print(f"tinytorch / torch: steps {steps['tinytorch'][0] / steps['torch'][0]:.2f}, with the import "
          f"{steps['tinytorch'][1] / steps['torch'][1]:.2f} (at most 1)")  # fmt: skip


if __name__ == "__main__":
    main()
