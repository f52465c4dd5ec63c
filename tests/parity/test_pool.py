"""Pooling and unpooling against PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinytorch
from tests.oracle import torch
from tests.parity.harness import Case, Error, bf16, distinct, f16, f32, f64, i64, ids, run_case, run_error, special
from tests.parity.test_conv import IMAGE, module, refused, squared
from tinytorch.ops.pool import pool_output_size

LARGE = {1: (2, 3, 4000), 2: (2, 3, 61, 67), 3: (2, 2, 17, 21, 23)}  # large enough for the compiled loops
MAX: list[dict[str, Any]] = [
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": 2, "ceil_mode": True},
    {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
    {"kernel_size": 2, "dilation": 2, "stride": 1, "padding": 1},
]
AVERAGE: list[dict[str, Any]] = [
    *MAX[:4],
    {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False},
    {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True, "count_include_pad": False},
]


def call(name: str, settings: dict[str, Any]) -> Any:
    return lambda T, x: squared(getattr(T.nn.functional, name)(x, **settings))


CASES = [
    *[
        Case(name, call(name, {**s, **more}), f32(*shape, make=distinct))
        for d in (1, 2, 3)
        for s in MAX
        for name, more in ((f"max_pool{d}d", {}), (f"max_pool{d}d", {"return_indices": True}))
        for shape in ((2, 3, *IMAGE[d]), LARGE[d])
    ],
    *[
        Case(f"avg_pool{d}d", call(f"avg_pool{d}d", s), x, rtol=1e-4, atol=1e-5)
        for d in (1, 2, 3)
        for s in [*AVERAGE, *([{"kernel_size": 2, "divisor_override": 3}] if d > 1 else [])]
        for x in (f64(2, 3, *IMAGE[d]), f32(*LARGE[d]))
    ],
    *[
        Case(f"adaptive_avg_pool{d}d", call(f"adaptive_avg_pool{d}d", {"output_size": n}), x, rtol=1e-4, atol=1e-5)
        for d in (1, 2, 3)
        for n in (1, 2, 4, *([(None, 3)] if d == 2 else []))
        for x in (f64(2, 3, *IMAGE[d]), f32(*LARGE[d]))
    ],
    *[
        Case(
            f"adaptive_max_pool{d}d",
            call(f"adaptive_max_pool{d}d", {"output_size": n, "return_indices": True}),
            f32(*shape, make=distinct),
        )
        for d in (1, 2)
        for n in (1, 2, 4)
        for shape in ((2, 3, *IMAGE[d]), LARGE[d])
    ],
    *[  # layouts, dtypes, no batch, empty batches, NaN and infinities, equal elements
        Case(f"{name} {x.layout} {x.dtype}", call(name, {"kernel_size": 3, "stride": 2, "padding": 1}), x, rtol=rtol)
        for name in ("max_pool2d", "avg_pool2d")
        for x, rtol in [
            (f64(3, 7, 6, layout="transposed"), None),
            (f64(2, 3, 7, 6, layout="offset"), None),
            (f64(2, 3, 7, 12, layout="strided"), None),
            (f64(0, 3, 7, 6), None),
            (f16(2, 3, 7, 6), 2e-3),
            (bf16(2, 3, 7, 6), 1.6e-2),
            (i64(2, 3, 7, 6), None),
            (f32(2, 3, 7, 6, make=special), None),
            (f32(2, 3, 61, 67, make=special), None),
        ]
    ],
    *[
        Case("max_pool2d ties", call("max_pool2d", {"kernel_size": 3, "stride": 2, "return_indices": True}), x)
        for x in (f32(2, 3, 9, 9, layout="expanded"), f32(1, 2, 91, 91, make=lambda rng, s: rng.integers(0, 2, s) * 1.0))
    ],
    *[
        Case(
            f"max_unpool{d}d",
            lambda T, x, d=d, s=s: squared(
                getattr(T.nn.functional, f"max_unpool{d}d")(
                    *getattr(T.nn.functional, f"max_pool{d}d")(x, 2, return_indices=True), 2, **s
                )
            ),
            f64(2, 3, *IMAGE[d], make=distinct),
        )
        for d in (1, 2)
        for s in ({}, {"output_size": IMAGE[d]})
    ],
    *[
        Case(f"nn.{name}", module(name, *args, **settings), f64(2, 3, *IMAGE[int(name[-2])], make=distinct))
        for d in (1, 2, 3)
        for name, args, settings in [
            (f"MaxPool{d}d", (3, 2, 1), {"ceil_mode": True}),
            (f"MaxPool{d}d", (2,), {"return_indices": True}),
            (f"AvgPool{d}d", (3, 2, 1), {"count_include_pad": False}),
            (f"AdaptiveAvgPool{d}d", (3,), {}),
            *([(f"AdaptiveMaxPool{d}d", (3,), {"return_indices": True})] if d < 3 else []),
        ]
    ],
    Case(
        "nn.MaxUnpool2d",
        lambda T, x: squared(
            T.nn.MaxUnpool2d(2)(*T.nn.MaxPool2d(2, return_indices=True)(x), output_size=x.size())
        ),
        f64(1, 2, 5, 5),
    ),
]
X = f32(1, 3, 5, 5)
ERRORS = [
    refused("max_pool2d", X, kernel_size=3, padding=2, words=(
        "pad should be at most half of effective kernel size, but got pad=2, kernel_size=3 and dilation=1")),
    refused("avg_pool2d", X, kernel_size=3, padding=2, words="pad should be at most half of effective kernel size"),
    refused("max_pool2d", X, kernel_size=3, padding=-1, words="pad must be non-negative, but got pad: -1"),
    refused("max_pool2d", X, kernel_size=3, padding=2, dilation=2, words="padW = 2, padH = 2, kW = 3, kH = 3"),
    refused("max_pool2d", f32(1, 3, 2, 2), kernel_size=3, words=(
        "Given input size: (3x2x2). Calculated output size: (3x0x0). Output size is too small")),
    refused("avg_pool1d", f32(1, 3, 2), kernel_size=3, words="Given input size: (3x1x2). Calculated output size: (3x1x0)."),
    refused("max_pool2d", X, kernel_size=2, stride=0, words="stride should not be zero"),
    refused("max_pool2d", X, kernel_size=2, dilation=0, words="dilationH: 0 dilationW: 0"),
    refused("max_pool2d", X, kernel_size=(2, 2, 2), words="kernel_size must either be a single int, or a tuple of two ints"),
    refused("max_pool2d", f32(5, 5), kernel_size=2, words="non-empty 3D or 4D (batch mode) tensor expected for input"),
    refused("max_pool1d", f32(5), kernel_size=2, words="Expected 2D or 3D (batch mode) tensor"),
    refused("max_pool1d", f32(1, 3, 5), kernel_size=2, padding=2, words="padding=2 and kernel_size=2"),
    refused("max_pool1d", i64(1, 3, 5), kernel_size=2, words="not implemented for 'Long'"),
    refused("avg_pool2d", f32(5, 5), kernel_size=2, words="Dimension out of range"),
    refused("avg_pool2d", X, kernel_size=3, divisor_override=0, words="divisor must be not zero"),
    refused("adaptive_avg_pool2d", f32(5, 5), output_size=2, words="adaptive_avg_pool2d(): Expected 3D or 4D tensor, but got"),
    refused("adaptive_avg_pool2d", X, output_size=(2, 2, 2), words="adaptive_avg_pool2d: output_size must be 2"),
    refused("adaptive_avg_pool2d", X, output_size=-1, words="must be greater than or equal to 0 but received {-1, -1}"),
    refused("adaptive_avg_pool2d", f32(1, 3, 0, 5), output_size=2, words="with dimension 2 being empty"),
    refused("adaptive_avg_pool2d", i64(1, 3, 5, 5), output_size=2, words="not implemented for 'Long'"),
    refused("adaptive_max_pool2d", f32(5, 5), output_size=2, words="adaptive_max_pool2d(): Expected 3D or 4D tensor"),
    *[
        Error("max_unpool2d", lambda T, x, n=n, a=a, o=o: T.nn.functional.max_unpool2d(
            x, T.full(n, a, dtype=T.int64), 2, output_size=o), f32(1, 3, 2, 2), words=words)
        for n, a, o, words in [
            ((1, 3, 2, 2), 99, None, "Found an invalid max index: 99 (output volumes are of size 4x4)"),
            ((1, 3, 2, 3), 0, None, "Expected shape of indices to be same as that of the input tensor ([1, 3, 2, 2])"),
            ((1, 3, 2, 2), 0, (9, 9), 'invalid output_size "(9, 9)" (dim 0 must be between 2 and 6)'),
            ((1, 3, 2, 2), 0, (9,), "output_size should be a sequence containing 2 or 4 elements"),
        ]
    ],
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_equals_torch(case: Case) -> None:
    run_case(case)


@pytest.mark.parametrize("case", ERRORS, ids=ids(ERRORS))
def test_refused_like_torch(case: Error) -> None:
    run_error(case)


@pytest.mark.parametrize("text", [
    "MaxPool2d(3)", "MaxPool1d(3, 2, 1, 2, True, True)", "MaxPool2d((3, 2), stride=(2, 1), padding=1)", "MaxUnpool2d(2)",
    "MaxUnpool1d(2, 3, 1)", "AvgPool1d(3)", "AvgPool2d(3, 2, 1, True, False, 5)", "AvgPool3d(2)",
    "AdaptiveAvgPool2d((None, 3))", "AdaptiveMaxPool2d(3, return_indices=True)", "Fold((4, 5), 2)",
    "Unfold((2, 3), dilation=2)", "PixelShuffle(2)", "PixelUnshuffle(2)", "ConstantPad1d(2, 3.5)", "ZeroPad2d(1)",
    "ReflectionPad2d((1, 2, 3, 4))", "CircularPad2d(1)",
])  # fmt: skip
def test_printed_form(text: str) -> None:
    assert repr(eval(f"nn.{text}", {"nn": tinytorch.nn})) == repr(eval(f"nn.{text}", {"nn": torch.nn}))


@pytest.mark.parametrize("name, settings", [
    ("max_pool2d", {"kernel_size": 3, "stride": 2, "padding": 1}),
    ("avg_pool2d", {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
    ("adaptive_avg_pool2d", {"output_size": 4}),
    ("adaptive_max_pool2d", {"output_size": 3}),
])  # fmt: skip
def test_gradient_at_every_index(name: str, settings: dict[str, Any]) -> None:
    x = np.random.default_rng(0).permutation(2 * 7 * 6).reshape(1, 2, 7, 6) / 7.0
    x = tinytorch.from_numpy(x).requires_grad_()
    assert tinytorch.autograd.gradcheck(lambda t: getattr(tinytorch.nn.functional, name)(t, **settings), (x,))


def test_sizes() -> None:
    for n, k, s, p, d in np.random.default_rng(0).integers([8, 2, 1, 0, 1], [20, 5, 4, 2, 3], (50, 5)).tolist():
        for up in (False, True):
            if d * (k - 1) + 1 > n + 2 * p:
                continue
            real = torch.nn.functional.max_pool2d(torch.zeros(1, n, n), k, s, p, d, up).shape[1]
            assert pool_output_size(n, k, s, p, d, up) == real


def test_padding_is_never_the_largest() -> None:
    x = -tinytorch.ones(1, 2, 2)
    assert tinytorch.nn.functional.max_pool2d(x, 2, 1, 1).max().item() == -1
