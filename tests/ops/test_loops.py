"""The compiled loops against the same formulas in float64, special values included."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from tinytorch.kernels.cpu import loops


@pytest.fixture
def x() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.concatenate([
        rng.standard_normal(20_000) * 3, rng.uniform(-100, 100, 20_000), rng.standard_normal(5_000) * 1e-3,
        [0.0, -0.0, np.inf, -np.inf, np.nan, 88.72, 88.73, -87.3, -103.0],
    ]).astype(np.float32)  # fmt: skip


def run(loop: Callable, *arrays: np.ndarray) -> np.ndarray:
    out = np.empty_like(arrays[0])
    loop(*arrays, out)
    return out


ERF = np.vectorize(math.erf)
FORMULAS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "exp": np.exp,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0),
    "gelu": lambda x: 0.5 * x * (1 + ERF(x / math.sqrt(2))),
    "gelu_tanh": lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "silu": lambda x: x / (1 + np.exp(-x)),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", FORMULAS)
def test_pointwise(name: str, x: np.ndarray) -> None:
    expected = FORMULAS[name](x.astype(np.float64)).astype(np.float32)
    found = run(getattr(loops, name), x)
    ordinary = np.isfinite(expected) & (np.abs(expected) > 1.2e-38)
    slack = 3e-7 if name != "gelu" else 2e-7 * np.abs(x[ordinary]) + 1e-9  # x times the error of erf
    assert (np.abs(found - expected)[ordinary] <= 2e-6 * np.abs(expected[ordinary]) + slack).all()
    if not name.startswith(("gelu", "silu")):  # those multiply by infinity on purpose
        assert np.array_equal(found[~np.isfinite(expected)], expected[~np.isfinite(expected)], equal_nan=True)


BACKWARDS: dict[str, tuple[Callable, Callable]] = {
    "gelu_backward": (FORMULAS["gelu"], loops.gelu_backward),
    "gelu_tanh_backward": (FORMULAS["gelu_tanh"], loops.gelu_tanh_backward),
    "silu_backward": (FORMULAS["silu"], loops.silu_backward),
}


@pytest.mark.parametrize("name", BACKWARDS)
def test_backward_is_the_slope(name: str) -> None:
    formula, loop = BACKWARDS[name]
    x = np.linspace(-6, 6, 20_001)
    slope = (formula(x + 1e-5) - formula(x - 1e-5)) / 2e-5
    dy = np.random.default_rng(1).standard_normal(x.shape).astype(np.float32)
    assert np.allclose(run(loop, dy, x.astype(np.float32)), dy * slope, atol=5e-6)


def test_rows() -> None:
    rng = np.random.default_rng(2)
    x = (rng.standard_normal((37, 501)) * 5).astype(np.float32)
    exact = x.astype(np.float64)
    assert loops.sum_all(x) == pytest.approx(exact.sum(), rel=1e-6)
    sums = np.empty(37, np.float32)
    loops.sum_rows(x, sums)
    assert np.allclose(sums, exact.sum(1), rtol=1e-5, atol=1e-4)


def test_softmax_and_log_softmax() -> None:
    x = (np.random.default_rng(3).standard_normal((19, 300)) * 10).astype(np.float32)
    e = np.exp(x.astype(np.float64) - x.max(1, keepdims=True))
    expected = e / e.sum(1, keepdims=True)
    y = run(loops.softmax, x, x.max(1))
    assert np.allclose(y, expected, rtol=3e-6, atol=1e-9)
    log_y = run(loops.log_softmax, x, x.max(1))
    assert np.allclose(log_y, np.log(expected), rtol=1e-5, atol=5e-6)
    dy = np.random.default_rng(4).standard_normal(x.shape).astype(np.float32)
    inner = (dy * expected).sum(1, keepdims=True)
    assert np.allclose(run(loops.softmax_backward, dy, y), expected * (dy - inner), atol=2e-6)
    assert np.allclose(run(loops.log_softmax_backward, dy, log_y), dy - expected * dy.sum(1, keepdims=True), atol=2e-5)


@pytest.mark.parametrize("row", [[np.nan, 1.0], [np.inf, 1.0], [-np.inf, -np.inf], [-np.inf, 2.0], [200.0, -200.0]])
def test_softmax_of_special_rows(row: list[float]) -> None:
    x = np.array([row * 8], np.float32)
    with np.errstate(invalid="ignore", divide="ignore"):
        e = np.exp(x.astype(np.float64) - x.max())
        expected = e / e.sum()
        assert np.allclose(run(loops.softmax, x, x.max(1)), expected, equal_nan=True)
        assert np.allclose(run(loops.log_softmax, x, x.max(1)), x - x.max() - np.log(e.sum()), equal_nan=True)


def test_columns_and_moving_elements() -> None:
    rng = np.random.default_rng(5)
    x = rng.standard_normal((301, 67)).astype(np.float32)
    x[7, 3] = x[200, 3] = np.nan
    x[9, 5] = x[11, 5] = 50.0
    largest, at = np.empty(67, np.float32), np.empty(67, np.int64)
    loops.max_columns(x, largest, at)
    assert np.array_equal(largest, x.max(0), equal_nan=True) and np.array_equal(at, x.argmax(0))
    x = np.nan_to_num(x)
    sums = np.empty(67, np.float32)
    loops.sum_columns(x, sums)
    assert np.allclose(sums, x.astype(np.float64).sum(0), rtol=1e-5, atol=1e-4)
    index = rng.integers(0, 67, x.shape)
    assert np.array_equal(run(lambda a, i, y: loops.gather_rows(a, i, y), x, index), np.take_along_axis(x, index, 1))
    found, expected = np.zeros_like(x), np.zeros(x.shape)
    loops.scatter_add_rows(x, index, found)
    np.add.at(expected, (np.arange(301)[:, None], index), x)
    assert np.allclose(found, expected, atol=1e-4)
    rows, found, expected = rng.integers(0, 40, 301), np.zeros((40, 67), np.float32), np.zeros((40, 67))
    loops.add_slices(x, rows, found)
    np.add.at(expected, rows, x)
    assert np.allclose(found, expected, atol=1e-4)
