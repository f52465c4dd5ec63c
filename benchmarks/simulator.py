"""The teaching simulator beside Numba's own, on a tiled matmul of 64 x 64 x 64 in blocks of 8 x 8.

    uv run python -m benchmarks.simulator [--rounds 3]

Each runs in a process of its own: Numba's simulator must be switched on before `numba.cuda` is imported. Ours runs
with everything on: races, bounds, counts and trace.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np
from numba import cuda, float32

SIZE, TILE = 64, 8
GOAL = 5.0


@cuda.jit
def matmul(a, b, c):
    left = cuda.shared.array((TILE, TILE), float32)
    right = cuda.shared.array((TILE, TILE), float32)
    tx, ty = cuda.threadIdx.x, cuda.threadIdx.y
    col, row = cuda.grid(2)
    total = float32(0)
    for begin in range(0, a.shape[1], TILE):
        left[ty, tx] = a[row, begin + tx]
        right[ty, tx] = b[begin + ty, col]
        cuda.syncthreads()
        for k in range(TILE):
            total += left[ty, k] * right[k, tx]
        cuda.syncthreads()
    c[row, col] = total


def run(which: str) -> float:
    """Seconds of one launch, the second one, in this process."""
    a, b = np.random.default_rng(0).random((2, SIZE, SIZE), np.float32)
    c = np.zeros_like(a)
    grid, block = (SIZE // TILE, SIZE // TILE), (TILE, TILE)
    for _ in range(2):
        started = time.perf_counter()
        if which == "ours":
            from tinytorch.cuda.simulator import simulate

            simulate(matmul, grid, block, a, b, c).raise_for_diagnoses()
        else:
            matmul[grid, block](a, b, c)
        seconds = time.perf_counter() - started
    np.testing.assert_allclose(c, a @ b, rtol=1e-4)
    return seconds


def fresh(which: str) -> float:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment["NUMBA_ENABLE_CUDASIM"] = "1" if which == "numba" else "0"
    command = [sys.executable, "-m", "benchmarks.simulator", "--which", which]
    return float(json.loads(subprocess.check_output(command, env=environment, text=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--which", choices=("ours", "numba"), help="time one of them in this process, as JSON")
    options = parser.parse_args()
    if options.which:
        print(json.dumps(run(options.which)))
        return
    times: dict[str, list[float]] = {"ours": [], "numba": []}
    for _ in range(options.rounds):
        for which, seconds in times.items():
            seconds.append(fresh(which))
    ours, numba = (statistics.median(times[which]) for which in ("ours", "numba"))
    print(f"tiled matmul {SIZE} x {SIZE} x {SIZE}: tinytorch {ours:.2f} s, Numba's simulator {numba:.2f} s")
    print(f"tinytorch is {numba / ours:.1f} times faster (at least {GOAL:g})")


if __name__ == "__main__":
    main()
