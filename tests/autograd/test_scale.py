"""Large graphs: no recursion, flat cost per operation, memory given back at once."""

from __future__ import annotations

import gc
import subprocess
import sys
import tracemalloc
import weakref

import numpy as np

import tinytorch


def chain(length: int) -> tuple[tinytorch.Tensor, tinytorch.Tensor]:
    x = tinytorch.ones(4, requires_grad=True)
    y = x
    for _ in range(length):
        y = y * 1.0
    return x, y


def test_a_graph_of_100_000_nodes() -> None:
    x, y = chain(100_000)
    y.sum().backward()
    assert x.grad.tolist() == [1.0] * 4
    del y  # taking such a graph apart must not recurse either


def test_cost_per_operation_stays_flat() -> None:
    """In a process of its own: Python's garbage collector walks whatever else is loaded."""
    program = (
        "import time, statistics\n"
        "from tests.autograd.test_scale import chain\n"
        "def cost(n):\n"
        "    started = time.process_time()\n"
        "    _, y = chain(n)\n"
        "    y.sum().backward()\n"
        "    return (time.process_time() - started) / n\n"
        "cost(1000)\n"
        "print(statistics.median(cost(1_000) for _ in range(9)), statistics.median(cost(50_000) for _ in range(3)))\n"
    )
    short, long = map(float, subprocess.check_output([sys.executable, "-c", program], text=True).split())
    assert long < 3 * short


def test_a_dropped_graph_frees_its_memory_without_the_garbage_collector() -> None:
    tinytorch.ones(250_000).exp().sigmoid()  # whatever is loaded when a kernel is first used does not count
    gc.collect()
    gc.disable()
    try:
        tracemalloc.start()
        x = tinytorch.ones(250_000, requires_grad=True)
        y = (x.exp() * x).sigmoid()
        node = weakref.ref(y.grad_fn)
        during = tracemalloc.get_traced_memory()[0]
        del y
        after = tracemalloc.get_traced_memory()[0]
        assert node() is None
        assert during > 3_000_000 and after < 1_200_000  # exp, sigmoid and x are a megabyte each; only x is left
    finally:
        tracemalloc.stop()
        gc.enable()


def test_backward_lets_go_of_saved_values() -> None:
    x = tinytorch.ones(250_000, requires_grad=True)
    y = x.exp()
    array = weakref.ref(y._array)
    z = (y * 2).sum()
    del y
    z.backward()
    assert array() is None and np.isfinite(x.grad.tolist()[0])
