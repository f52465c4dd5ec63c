"""Time per operation for chains of 10², 10³, 10⁴ and 10⁵ operations, forward and backward; writes a plot.

uv run python -m benchmarks.scaling [PICTURE.png]
"""

from __future__ import annotations

import statistics
import sys
import time

import tinytorch

LENGTHS = (100, 1_000, 10_000, 100_000)


def seconds_per_op(length: int) -> float:
    x = tinytorch.ones(8, requires_grad=True)
    started = time.process_time()
    y = x
    for _ in range(length):
        y = y * 1.0
    y.sum().backward()
    return (time.process_time() - started) / length


def main() -> None:
    seconds_per_op(1_000)
    found = {n: statistics.median(seconds_per_op(n) for _ in range(7 if n < 100_000 else 3)) * 1e6 for n in LENGTHS}
    for n, microseconds in found.items():
        print(f"{n:7,} operations: {microseconds:5.2f} us each")
    if len(sys.argv) > 1:
        import matplotlib

        matplotlib.use("agg")
        import matplotlib.pyplot as plt

        figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
        axes.semilogx(list(found), list(found.values()), marker="o")
        axes.set(
            xlabel="operations in the chain",
            ylabel="microseconds per operation",
            ylim=(0, None),
            title="Forward and backward, 8 elements",
        )
        figure.savefig(sys.argv[1], dpi=120)


if __name__ == "__main__":
    main()
