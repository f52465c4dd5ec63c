"""tinytorch beside PyTorch: the same work, in fresh processes, one after the other.

    uv run python -m benchmarks.compare [--threads 1] [--rounds 7] [--only pointwise] [--case sort]

Every case is first computed by both and compared. Then, for each round, a fresh process runs it with torch and a fresh
one with tinytorch (A B A B ...); what is printed is the median over the rounds of the ratio tinytorch / torch, and its
spread (the middle half). Both get the same number of threads. OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE, which change
the speed of NumPy's products, are cleared for both.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys

from benchmarks.cases import GOAL, GROUPS, MUST


def child(library: str, group: str, names: list[str], threads: int, check: bool) -> None:
    """In the fresh process: time each case, or write its results for comparison."""
    import time

    import numpy as np

    if library == "torch":
        import torch as T

        T.set_num_threads(threads)
    else:
        import tinytorch as T

    found = {}
    for name in names:
        try:
            work, results = GROUPS[group][name](T)
            if check:
                found[name] = [np.asarray(r.tolist(), np.float64).reshape(-1)[::997].tolist() for r in results()]
                continue
        except (AttributeError, NotImplementedError, TypeError) as error:
            found[name] = None
            print(f"{library}: {name}: {type(error).__name__}: {error}", file=sys.stderr)
            continue
        work()
        started = time.perf_counter()
        work()
        once = time.perf_counter() - started
        repeats = max(3, min(2000, int(0.05 / max(once, 1e-7))))
        samples = []
        for _ in range(5):
            started = time.perf_counter()
            for _ in range(repeats):
                work()
            samples.append((time.perf_counter() - started) / repeats)
        found[name] = statistics.median(samples)
    print(json.dumps(found))


def spawn(library: str, group: str, names: list[str], threads: int, check: bool) -> dict:
    environment = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        environment[name] = str(threads)
    request = json.dumps([library, group, names, threads, check])
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.compare", "--child", request],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def agree(mine: list, real: list) -> bool:
    return len(mine) == len(real) and all(
        len(a) == len(b) and all(math.isclose(x, y, rel_tol=2e-3, abs_tol=2e-4) for x, y in zip(a, b, strict=True))
        for a, b in zip(mine, real, strict=True)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", help="one group")
    parser.add_argument("--case", help="cases whose name holds this")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(*json.loads(options.child))
        return
    print(f"{options.threads} thread(s), {options.rounds} rounds; ratio = tinytorch / torch, median (middle half)")
    for group, cases in GROUPS.items():
        if options.only and options.only != group:
            continue
        names = [n for n in cases if not options.case or options.case in n]
        if not names:
            continue
        mine, real = (spawn(library, group, names, options.threads, True) for library in ("tinytorch", "torch"))
        wrong = [n for n in names if mine[n] is not None and not agree(mine[n], real[n])]
        names = [n for n in names if mine[n] is not None and n not in wrong]
        ratios: dict[str, list[float]] = {n: [] for n in names}
        times: dict[str, list[float]] = {n: [] for n in names}
        for _ in range(options.rounds):
            theirs = spawn("torch", group, names, options.threads, False)
            ours = spawn("tinytorch", group, names, options.threads, False)
            for n in names:
                ratios[n].append(ours[n] / theirs[n])
                times[n].append(ours[n])
        print(f"\n{group} (must {MUST[group]}, goal {GOAL[group]})")
        for n in names:
            middle = statistics.median(ratios[n])
            low, _, high = statistics.quantiles(ratios[n], n=4) if len(ratios[n]) > 1 else (middle, 0, middle)
            verdict = "goal" if middle <= GOAL[group] else "must" if middle <= MUST[group] else "TOO SLOW"
            microseconds = statistics.median(times[n]) * 1e6
            print(f"  {n:28} {middle:6.2f}  ({low:.2f} to {high:.2f})  {microseconds:10.1f} us  {verdict}")
        for n in wrong:
            print(f"  {n:28} DIFFERENT RESULTS: not timed")
        for n in (n for n in cases if mine.get(n, 0) is None):
            print(f"  {n:28} not there yet")
        if names:
            mean = math.exp(statistics.fmean(math.log(statistics.median(ratios[n])) for n in names))
            print(f"  {'geometric mean':28} {mean:6.2f}")


if __name__ == "__main__":
    main()
