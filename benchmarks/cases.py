"""What is timed: each case is written once against a namespace `T` and runs with `torch` and with `tinytorch`.

A case is a function `setup(T) -> (work, results)`: `work()` is timed, `results()` gives tensors (outputs and gradients)
by which the two libraries are compared before anything is timed. Inputs come from one NumPy generator, so both get
the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Setup = Callable[[Any], tuple[Callable[[], Any], Callable[[], list]]]
GROUPS: dict[str, dict[str, Setup]] = {}
MUST = {
    "overhead": 2.0, "pointwise": 1.0, "normalising": 1.3, "reductions": 1.2, "products": 0.7, "moving": 1.2,
    "convolution": 1.4, "depthwise": 0.8, "pooling": 0.6,
}  # fmt: skip
GOAL = {
    "overhead": 1.3, "pointwise": 0.7, "normalising": 0.9, "reductions": 0.8, "products": 0.55, "moving": 0.9,
    "convolution": 0.9, "depthwise": 0.4, "pooling": 0.3,
}  # fmt: skip


def case(group: str, name: str) -> Callable[[Setup], Setup]:
    def add(setup: Setup) -> Setup:
        GROUPS.setdefault(group, {})[name] = setup
        return setup

    return add


def leaf(T: Any, *shape: int, seed: int = 0, grad: bool = True) -> Any:
    array = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    t = T.from_numpy(array)
    return t.requires_grad_() if grad else t


def forward_backward(group: str, name: str, shapes: list[tuple[int, ...]], f: Callable[..., Any]) -> None:
    """A case that runs f(T, *inputs) forward and then backward with a fixed gradient of ones."""

    @case(group, name)
    def setup(T: Any) -> tuple[Callable[[], Any], Callable[[], list]]:
        inputs = [leaf(T, *shape, seed=i) for i, shape in enumerate(shapes)]
        seed = T.ones_like(f(T, *inputs)).detach()

        def work() -> Any:
            for t in inputs:
                t.grad = None
            out = f(T, *inputs)
            out.backward(seed)
            return out

        return work, lambda: [work().detach(), *[t.grad for t in inputs if t.grad is not None]]


# ---- op overhead ------------------------------------------------------------------------------------------------

forward_backward("overhead", "x*y + x, 1 element", [(1,), (1,)], lambda T, x, y: x * y + x)
forward_backward("overhead", "x*y + x, 8 elements", [(8,), (8,)], lambda T, x, y: x * y + x)
forward_backward("overhead", "(x+2)**2 + 3, one number", [()], lambda T, x: (x + 2) ** 2 + 3)
forward_backward(
    "overhead", "chain of 8 small ops", [(8,)], lambda T, x: x.exp().tanh().sigmoid().sqrt().log().abs().neg().exp()
)


@case("overhead", "20 view ops on 8x8")
def _views(T: Any) -> tuple[Callable[[], Any], Callable[[], list]]:
    x = leaf(T, 8, 8)
    seed = T.ones(8, 8)

    def work() -> Any:
        x.grad = None
        y = x
        for _ in range(5):
            y = y.t().unsqueeze(0).squeeze(0).t()
        y.backward(seed)
        return y

    return work, lambda: [work().detach(), x.grad]


# ---- memory-bound pointwise -------------------------------------------------------------------------------------

MILLION = (1000, 1000)
forward_backward("pointwise", "add", [MILLION, MILLION], lambda T, x, y: x + y)
forward_backward("pointwise", "mul", [MILLION, MILLION], lambda T, x, y: x * y)
forward_backward("pointwise", "bias add", [MILLION, (1000,)], lambda T, x, y: x + y)
forward_backward("pointwise", "exp", [MILLION], lambda T, x: T.exp(x))
forward_backward("pointwise", "sigmoid", [MILLION], lambda T, x: T.sigmoid(x))
forward_backward("pointwise", "tanh", [MILLION], lambda T, x: T.tanh(x))
forward_backward("pointwise", "relu", [MILLION], lambda T, x: T.relu(x))
forward_backward("pointwise", "gelu", [MILLION], lambda T, x: T.nn.functional.gelu(x))

# ---- softmax and norms ------------------------------------------------------------------------------------------

forward_backward("normalising", "softmax", [MILLION], lambda T, x: T.softmax(x, 1))
forward_backward("normalising", "log_softmax", [MILLION], lambda T, x: T.log_softmax(x, 1))
forward_backward(
    "normalising",
    "layer norm",
    [MILLION, (1000,), (1000,)],
    lambda T, x, w, b: T.nn.functional.layer_norm(x, (1000,), w, b),
)

# ---- reductions -------------------------------------------------------------------------------------------------

forward_backward("reductions", "sum of all", [MILLION], lambda T, x: x.sum())
forward_backward("reductions", "mean of all", [MILLION], lambda T, x: x.mean())
forward_backward("reductions", "sum over dim 0", [MILLION], lambda T, x: x.sum(0))
forward_backward("reductions", "sum over dim 1", [MILLION], lambda T, x: x.sum(1))
forward_backward("reductions", "mean over dim 0", [MILLION], lambda T, x: x.mean(0))
forward_backward("reductions", "mean over dim 1", [MILLION], lambda T, x: x.mean(1))
forward_backward("reductions", "max over dim 0", [MILLION], lambda T, x: x.max(0)[0])
forward_backward("reductions", "max over dim 1", [MILLION], lambda T, x: x.max(1)[0])
forward_backward("reductions", "max of all", [MILLION], lambda T, x: x.max())

# ---- products ---------------------------------------------------------------------------------------------------

for n in (64, 512, 1024):
    forward_backward("products", f"matmul {n}", [(n, n), (n, n)], lambda T, a, b: a @ b)
forward_backward("products", "bmm 64 of 64x64", [(64, 64, 64), (64, 64, 64)], lambda T, a, b: T.bmm(a, b))
forward_backward(
    "products",
    "linear 256x512 to 256",
    [(256, 512), (256, 512), (256,)],
    lambda T, x, w, b: T.nn.functional.linear(x, w, b),
)

# ---- moving elements --------------------------------------------------------------------------------------------

forward_backward("moving", "cat", [(500, 1000), (500, 1000)], lambda T, x, y: T.cat((x, y), 0))
forward_backward("moving", "cat dim 1", [(1000, 500), (1000, 500)], lambda T, x, y: T.cat((x, y), 1))
forward_backward("moving", "chunk and add", [MILLION], lambda T, x: T.add(*x.chunk(2, 1)))
forward_backward("moving", "repeat", [(250, 1000)], lambda T, x: x.repeat(4, 1))
forward_backward("moving", "masked_fill", [MILLION], lambda T, x: x.masked_fill(x > 0, 0.5))
forward_backward("moving", "sort", [MILLION], lambda T, x: x.sort(1)[0])
forward_backward("moving", "topk", [MILLION], lambda T, x: x.topk(10, 1)[0])


def _indices(T: Any, n: int, shape: tuple[int, ...]) -> Any:
    return T.from_numpy(np.random.default_rng(9).integers(0, n, shape))


@case("moving", "gather")
def _gather(T: Any) -> tuple[Callable[[], Any], Callable[[], list]]:
    x, index, seed = leaf(T, 1000, 1000), _indices(T, 1000, (1000, 1000)), T.ones(1000, 1000)

    def work() -> Any:
        x.grad = None
        out = x.gather(1, index)
        out.backward(seed)
        return out

    return work, lambda: [work().detach(), x.grad]


@case("moving", "rows of a table")
def _take(T: Any) -> tuple[Callable[[], Any], Callable[[], list]]:
    table, index, seed = leaf(T, 10_000, 128), _indices(T, 10_000, (8192,)), T.ones(8192, 128)

    def work() -> Any:
        table.grad = None
        out = table[index]
        out.backward(seed)
        return out

    return work, lambda: [work().detach(), table.grad]

# ---- convolution and pooling ------------------------------------------------------------------------------------


def convolve(T: Any, name: str = "conv2d", **settings: Any) -> Callable[..., Any]:
    return lambda x, w, b: getattr(T.nn.functional, name)(x, w, b, **settings)


for name, x, w, function, settings in [
    ("3 to 32, k3 p1", (32, 3, 32, 32), (32, 3, 3, 3), "conv2d", {"padding": 1}),
    ("32 to 64, k3 p1", (32, 32, 32, 32), (64, 32, 3, 3), "conv2d", {"padding": 1}),
    ("32 to 64, k3 dilation 2", (32, 32, 32, 32), (64, 32, 3, 3), "conv2d", {"padding": 2, "dilation": 2}),
    ("32 to 64, k3 stride 2", (32, 32, 32, 32), (64, 32, 3, 3), "conv2d", {"padding": 1, "stride": 2}),
    ("16 to 33, k(3,5) s(2,1)", (20, 16, 50, 100), (33, 16, 3, 5), "conv2d", {"padding": (4, 2), "stride": (2, 1)}),
    ("transposed 64 to 32, k4 s2", (32, 64, 16, 16), (64, 32, 4, 4), "conv_transpose2d", {"padding": 1, "stride": 2}),
]:
    forward_backward(
        "convolution", name, [x, w, (w[1] if "transpose" in function else w[0],)],
        lambda T, *t, function=function, settings=settings: convolve(T, function, **settings)(*t),
    )  # fmt: skip
forward_backward(
    "depthwise", "32 channels, k3", [(32, 32, 32, 32), (32, 1, 3, 3), (32,)],
    lambda T, *t: convolve(T, padding=1, groups=32)(*t),
)  # fmt: skip

MAPS = [(32, 64, 32, 32)]
forward_backward("pooling", "max, k2 s2", MAPS, lambda T, x: T.nn.functional.max_pool2d(x, 2))
forward_backward(
    "pooling", "max, k3 s2 p1, indices", MAPS,
    lambda T, x: T.nn.functional.max_pool2d(x, 3, 2, 1, return_indices=True)[0],
)  # fmt: skip
forward_backward("pooling", "average, k2 s2", MAPS, lambda T, x: T.nn.functional.avg_pool2d(x, 2))
forward_backward("pooling", "adaptive average to 7", MAPS, lambda T, x: T.nn.functional.adaptive_avg_pool2d(x, 7))
forward_backward("pooling", "adaptive max to 7", MAPS, lambda T, x: T.nn.functional.adaptive_max_pool2d(x, 7))
