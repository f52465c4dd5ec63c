"""Convolution, its transpose, fold, unfold, padding and pixel shuffling against PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinytorch
from tests.oracle import torch
from tests.parity.harness import Case, Error, Input, bf16, f16, f32, f64, i64, ids, run_case, run_error
from tinytorch.ops.conv import output_size, transposed_size

IMAGE = {1: (7,), 2: (7, 6), 3: (5, 4, 6)}
KERNEL = {1: (3,), 2: (3, 2), 3: (2, 3, 2)}
SETTINGS: list[dict[str, Any]] = [
    {},
    {"stride": 2},
    {"padding": 2},
    {"dilation": 2, "padding": 2},
    {"stride": 2, "padding": 1, "dilation": 2, "groups": 2},
    {"groups": 4, "padding": 1},
    {"padding": "same"},
    {"padding": "same", "dilation": 2},
    {"padding": "valid", "stride": 2},
]
TRANSPOSED: list[dict[str, Any]] = [
    {},
    {"stride": 2},
    {"stride": 2, "padding": 1, "output_padding": 1},
    {"stride": 2, "groups": 2, "dilation": 2},
    {"dilation": 3, "output_padding": 2},
    {"groups": 4, "stride": 3, "output_padding": 2},
]


def call(name: str, settings: dict[str, Any]) -> Any:
    return lambda T, *tensors: getattr(T.nn.functional, name)(*tensors, **settings)


def module(name: str, *args: Any, **settings: Any) -> Any:
    return lambda T, x: squared(getattr(T.nn, name)(*args, **settings)(x))


def squared(made: Any) -> Any:
    """Results squared, where they are not indices: what is linear gets a second derivative to compare."""
    if isinstance(made, tuple):
        return tuple(map(squared, made))
    return made * made if made.dtype.is_floating_point else made


CASES = [
    *[
        Case(f"conv{d}d", call(f"conv{d}d", s), f64(2, 4, *IMAGE[d]), f64(8, 4 // s.get("groups", 1), *KERNEL[d]), f64(8))
        for d in (1, 2, 3)
        for s in SETTINGS
    ],
    *[
        Case(
            f"conv_transpose{d}d",
            call(f"conv_transpose{d}d", s),
            f64(2, 4, *IMAGE[d]),
            f64(4, 3, *KERNEL[d]),
            f64(3 * s.get("groups", 1)),
        )
        for d in (1, 2, 3)
        for s in TRANSPOSED
    ],
    *[  # without a bias, without a batch, other layouts and dtypes, empty batches
        Case(f"conv2d {x.layout} {x.dtype}", call("conv2d", {"padding": 1}), x, w, rtol=rtol, atol=rtol)
        for x, w, rtol in [
            (f32(3, 7, 6), f32(2, 3, 3, 3), 1e-4),
            (f32(2, 3, 7, 6, layout="transposed"), f32(2, 3, 3, 3, layout="strided"), 1e-4),
            (f32(2, 3, 7, 6, layout="expanded"), f32(2, 3, 3, 3, layout="transposed"), 1e-4),
            (f64(1, 3, 7, 6, layout="offset"), f64(2, 3, 1, 1), None),
            (f16(2, 3, 7, 6), f16(2, 3, 3, 3), 4e-3),
            (bf16(2, 3, 7, 6), bf16(2, 3, 3, 3), 3e-2),
            (i64(2, 3, 7, 6), i64(2, 3, 3, 3), None),
        ]
    ],
    Case("conv2d empty", call("conv2d", {"padding": 1}), f32(0, 3, 7, 6), f32(2, 3, 3, 3), second=False),
    *[  # large enough for the compiled loops and for several blocks
        Case(f"{name} large", call(name, s), x, w, f32(b), rtol=2e-3, atol=2e-3)
        for name, s, x, w, b in [
            ("conv2d", {"padding": 1}, f32(4, 8, 33, 31), f32(6, 8, 3, 3), 6),
            ("conv2d", {"stride": (2, 3), "padding": (4, 2), "dilation": 2}, f32(4, 8, 50, 61), f32(5, 8, 3, 5), 5),
            ("conv2d", {"padding": 1, "groups": 2}, f32(2, 32, 40, 40), f32(4, 16, 3, 3), 4),
            ("conv2d", {"padding": 1, "groups": 8}, f32(4, 8, 33, 31), f32(8, 1, 3, 3), 8),
            ("conv2d", {"stride": 2, "dilation": 2, "groups": 8}, f32(4, 8, 33, 31), f32(16, 1, 3, 3), 16),
            ("conv2d", {}, f32(4, 8, 33, 31, layout="transposed"), f32(6, 8, 3, 3), 6),
            ("conv1d", {"padding": 2}, f32(4, 8, 500), f32(6, 8, 5), 6),
            ("conv3d", {"padding": 1, "stride": 2}, f32(2, 4, 13, 20, 22), f32(6, 4, 3, 3, 3), 6),
            ("conv_transpose2d", {"stride": 2, "padding": 1}, f32(3, 8, 17, 19), f32(8, 6, 4, 4), 6),
            ("conv_transpose2d", {"stride": 2, "groups": 8}, f32(3, 8, 33, 31), f32(8, 1, 3, 3), 8),
        ]
    ],
    Case("conv_transpose2d unbatched", call("conv_transpose2d", {"stride": 2}), f64(3, 4, 5), f64(3, 2, 3, 3)),
    Case("conv_transpose2d half", call("conv_transpose2d", {}), f16(1, 3, 4, 5), f16(3, 2, 3, 3), rtol=4e-3, atol=4e-3),
    *[
        Case("unfold", call("unfold", s), x)
        for x in (f64(2, 3, 7, 6), f32(3, 7, 6), f32(2, 3, 7, 6, layout="transposed"))
        for s in ({"kernel_size": 3}, {"kernel_size": (2, 3), "dilation": 2, "padding": 2, "stride": (2, 1)})
    ],
    Case("fold", call("fold", {"output_size": (5, 4), "kernel_size": 2}), f64(2, 12, 12)),
    Case("fold", call("fold", {"output_size": (5, 4), "kernel_size": (2, 3), "padding": 1, "stride": 2}), f64(12, 6)),
    *[
        Case(f"pad {mode}", lambda T, x, p=p, m=mode: squared(T.nn.functional.pad(x, p, m)), x)
        for mode in ("constant", "reflect", "replicate", "circular")
        for x, p in [
            (f64(2, 4), (1, 2)),
            (f64(2, 3, 4, layout="transposed"), (3, 1)),
            (f32(2, 3, 4, 5), (1, 2, 3, 0)),
            (f32(2, 3, 4, 5), (-1, 2, -1, -1)),
            (f64(2, 3, 4, 5, 3), (1, 2, 3, 1, 0, 2)),
            (i64(2, 3, 4), (1, 1)),
            (f16(2, 3, 4), (1, 1)),
        ]
        if (mode, x.dtype) != ("circular", "float16")
    ],
    Case("pad value", lambda T, x: T.nn.functional.pad(x, (1, 2, 0, 1), value=2.5), f32(2, 3)),
    Case("pad value", lambda T, x: T.nn.functional.pad(x, (1, 2), value=2.5), i64(2, 3)),
    Case("pad nothing", lambda T, x: T.nn.functional.pad(x, ()), f32(2, 3)),
    Case("pixel_shuffle", lambda T, x: T.nn.functional.pixel_shuffle(x, 2), f64(2, 8, 3, 4)),
    Case("pixel_shuffle", lambda T, x: T.nn.functional.pixel_shuffle(x, 3), f32(9, 3, 4, layout="transposed")),
    Case("pixel_unshuffle", lambda T, x: T.nn.functional.pixel_unshuffle(x, 2), f64(2, 3, 6, 4)),
    Case("nn.Fold", module("Fold", (4, 5), 2), f32(2, 8, 12)),
    Case("nn.Unfold", module("Unfold", (2, 3), padding=1), f32(2, 3, 4, 5)),
    Case("nn.PixelShuffle", module("PixelShuffle", 2), f32(1, 4, 3, 3)),
    Case("nn.PixelUnshuffle", module("PixelUnshuffle", 2), f32(1, 4, 4, 6)),
    *[
        Case(f"nn.{kind}Pad{d}d", module(f"{kind}Pad{d}d", *args), f64(2, 3, *IMAGE[d]))
        for d in (1, 2, 3)
        for kind in ("Constant", "Zero", "Reflection", "Replication", "Circular")
        for args in [(1, 3.5) if kind == "Constant" else (tuple(range(1, 2 * d + 1))[::-1] if d < 2 else 2,)]
    ],
]


def refused(name: str, *inputs: Input, words: str, **settings: Any) -> Error:
    return Error(name, call(name, settings), *inputs, words=words)


X, W = f32(1, 3, 5, 5), f32(2, 3, 3, 3)
ERRORS = [
    refused("conv2d", f32(1, 4, 5, 5), W, words=(
        "Given groups=1, weight of size [2, 3, 3, 3], expected input[1, 4, 5, 5] to have 3 channels, but got 4 channels "
        "instead")),
    refused("conv2d", f32(1, 4, 5, 5), f32(2, 2, 3, 3), groups=4, words="to be at least 4 at dimension 0"),
    refused("conv2d", f32(1, 4, 5, 5), f32(3, 2, 3, 3), groups=2, words="to be divisible by 2 at dimension 0"),
    refused("conv2d", f32(1, 3, 2, 2), W, words=(
        "Calculated padded input size per channel: (2 x 2). Kernel size: (3 x 3). Kernel size can't be greater than "
        "actual input size")),
    refused("conv2d", f32(3, 5), W, words="Expected 3D (unbatched) or 4D (batched) input to conv2d, but got input of size: [3, 5]"),
    refused("conv1d", f32(5), f32(2, 3, 3), words="Expected 2D (unbatched) or 3D (batched) input to conv1d"),
    refused("conv2d", X, f32(2, 3, 3), words="a list of 1 values to match the convolution dimensions, but got stride=[1, 1]"),
    refused("conv2d", X, W, f32(3), words="expected bias to be 1-dimensional with 2 elements, but got bias of size [3] instead"),
    refused("conv2d", X, W, stride=0, words="non-positive stride is not supported"),
    refused("conv2d", X, W, stride=(1, 2, 3), words="a list of 2 values to match the convolution dimensions"),
    refused("conv2d", X, W, padding=-1, words="negative padding is not supported"),
    refused("conv2d", X, W, dilation=0, words="dilation should be greater than zero, but got [0, 0]"),
    refused("conv2d", X, W, groups=0, words="non-positive groups is not supported"),
    refused("conv2d", X, W, padding="foo", words="Invalid padding string: 'foo'"),
    refused("conv2d", X, W, padding="same", stride=2, words="padding='same' is not supported for strided convolutions"),
    refused("conv2d", X, f64(2, 3, 3, 3), words="expected scalar type Float but found Double"),
    refused("conv2d", X, W, f64(2), words="Input type (float) and bias type (double) should be the same"),
    refused("conv_transpose2d", f32(1, 4, 5, 5), f32(3, 2, 3, 3), words="to have 3 channels, but got 4 channels instead"),
    refused("conv_transpose2d", f32(1, 4, 5, 5), f32(4, 2, 3, 3), f32(3), words="Given transposed=1, weight of size [4, 2, 3, 3]"),
    refused("conv_transpose2d", f32(1, 4, 5, 5), f32(4, 2, 3, 3), output_padding=1, words=(
        "output padding must be smaller than either stride or dilation, but got output_padding_height: 1")),
    refused("conv_transpose2d", f32(1, 4, 5, 5), f32(4, 2, 3, 3), padding=9, words=(
        "Given input size per channel: (5 x 5). Calculated output size per channel: (-11 x -11). Output size is too small")),
    refused("unfold", f32(1, 3, 2, 2), kernel_size=3, words="calculated shape of the array of sliding blocks as (0, 0)"),
    refused("unfold", f32(3, 5, 5), kernel_size=(3, 3, 3), words="It is expected kernel_size equals to 2, but got size 3"),
    refused("unfold", f32(3, 5, 5), kernel_size=3, stride=0, words="stride_height: 0 stride_width: 0"),
    refused("unfold", f32(3, 5, 5), kernel_size=3, padding=-1, words="padding should be non-negative"),
    refused("fold", f32(1, 26, 9), output_size=5, kernel_size=3, words="input.size(1)=26 and kernel_size=(3, 3)"),
    refused("fold", f32(1, 27, 8), output_size=(5, 5), kernel_size=3, words="sliding blocks 3 * 3 = 9, but got input.size(2)=8"),
    refused("pad", f32(2, 3), pad=(1,), words="Padding length must be divisible by 2"),
    refused("pad", f32(2, 3), pad=(-2, -2), words="narrow(): length must be non-negative."),
    refused("pad", f32(2, 3), pad=(1, 1), mode="foo", words="Unrecognised padding mode foo"),
    refused("pad", f32(2, 3, 4), pad=(4, 4), mode="reflect", words="padding (4, 4) at dimension 2 of input [2, 3, 4]"),
    refused("pad", f32(2, 3, 4), pad=(5, 5), mode="circular", words="Padding value causes wrapping around more than once."),
    refused("pad", f32(4), pad=(1, 1), mode="reflect", words="Padding size 2 is not supported for 1D input tensor."),
    refused("pixel_shuffle", X, upscale_factor=2, words="input.size(-3)=3 is not divisible by 4"),
    refused("pixel_unshuffle", X, downscale_factor=2, words="input.size(-2)=5 is not divisible by 2"),
    Error("nn.Conv2d", lambda T: T.nn.Conv2d(3, 4, 3, groups=2), words="in_channels must be divisible by groups"),
    Error("nn.Conv2d", lambda T: T.nn.Conv2d(4, 3, 3, groups=2), words="out_channels must be divisible by groups"),
    Error("nn.Conv2d", lambda T: T.nn.Conv2d(4, 2, 3, padding="foo"), words="Invalid padding string 'foo', should be one of"),
    Error("nn.Conv2d", lambda T: T.nn.Conv2d(4, 2, 3, padding_mode="foo"), words="but got padding_mode='foo'"),
    Error("nn.ConvTranspose2d", lambda T: T.nn.ConvTranspose2d(4, 2, 3, padding_mode="reflect"), words=(
        'Only "zeros" padding mode is supported for ConvTranspose2d')),
    *[
        Error("nn.ConvTranspose2d", lambda T, x, n=n: T.nn.ConvTranspose2d(4, 2, 3, stride=2)(x, output_size=n),
              f32(1, 4, 5, 5), words=words)
        for n, words in (
            ((20, 20), "requested an output size of (20, 20), but valid sizes range from [11, 11] to [12, 12]"),
            ((20,), "ConvTranspose2D: for 4D input, output_size must have 2 or 4 elements (got 1)"),
        )
    ],
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_equals_torch(case: Case) -> None:
    run_case(case)


@pytest.mark.parametrize("case", ERRORS, ids=ids(ERRORS))
def test_refused_like_torch(case: Error) -> None:
    run_error(case)


LAYERS = [
    *[
        f"Conv{d}d(4, 6, 3, padding={p!r}, padding_mode={mode!r}, groups=2)"
        for d in (1, 2, 3)
        for p in (1, "same", "valid")
        for mode in ("zeros", "reflect", "replicate", "circular")
    ],
    "Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(0, 1), dilation=2, bias=False)",
    "Conv2d(4, 4, (3, 2), padding='same', padding_mode='circular')",
    *[f"ConvTranspose{d}d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2, dilation=2)" for d in (1, 2, 3)],
    "ConvTranspose2d(4, 6, 3, bias=False)",
]


@pytest.mark.parametrize("text", LAYERS)
def test_layer_equals_torch_after_exchanging_states(text: str) -> None:
    real = eval(f"nn.{text}", {"nn": torch.nn})
    mine = eval(f"nn.{text}", {"nn": tinytorch.nn})
    assert repr(mine) == repr(real)
    mine.load_state_dict({k: tinytorch.tensor(v.tolist()) for k, v in real.state_dict().items()})
    assert list(mine.state_dict()) == list(real.state_dict())
    real.load_state_dict({k: torch.tensor(v.tolist()) for k, v in mine.state_dict().items()})
    dims = int(text.split("d(")[0][-1])
    x = np.random.default_rng(0).standard_normal((2, 4, *IMAGE[dims])).astype(np.float32)
    np.testing.assert_allclose(
        mine(tinytorch.from_numpy(x)).detach().numpy(), real(torch.from_numpy(x)).detach().numpy(), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("size", [(11, 12), (2, 6, 12, 11)])
def test_output_size_of_a_transposed_convolution(size: tuple[int, ...]) -> None:
    shapes = [
        tuple(T.nn.ConvTranspose2d(4, 6, 3, stride=2)(T.ones(2, 4, 5, 5), output_size=size).shape)
        for T in (torch, tinytorch)
    ]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("name", ["Conv2d", "ConvTranspose2d"])
def test_first_values_are_spread_like_torchs(name: str) -> None:
    real, mine = (getattr(T.nn, name)(8, 32, 5) for T in (torch, tinytorch))
    for a, b in ((real.weight, mine.weight), (real.bias, mine.bias)):
        assert float(a.abs().max()) == pytest.approx(float(b.abs().max()), rel=0.15)
        assert abs(float(b.mean())) < 0.02


def test_sizes() -> None:
    for n, k, s, p, d in np.random.default_rng(0).integers([8, 1, 1, 0, 1], [20, 4, 4, 3, 3], (50, 5)).tolist():
        x, w = torch.zeros(1, 1, n), torch.zeros(1, 1, k)
        count = torch.nn.functional.conv1d(x, w, stride=s, padding=p, dilation=d).shape[2]
        assert output_size(n, k, s, p, d) == count
        back = torch.nn.functional.conv_transpose1d(torch.zeros(1, 1, n), w, stride=s, padding=p, dilation=d).shape[2]
        assert transposed_size(n, k, s, p, d) == back


@pytest.mark.parametrize("settings", [{"padding": 1}, {"stride": 2, "dilation": 2, "groups": 2}])
@pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d"])
def test_gradient_at_every_index(name: str, settings: dict[str, Any]) -> None:
    groups = settings.get("groups", 1)
    tinytorch.manual_seed(0)
    x = tinytorch.randn(2, 4, 5, 6, dtype=tinytorch.float64, requires_grad=True)
    shape = (4, 4 // groups, 2, 3)
    w = tinytorch.randn(*shape, dtype=tinytorch.float64, requires_grad=True)
    b = tinytorch.randn(4, dtype=tinytorch.float64, requires_grad=True)
    function = getattr(tinytorch.nn.functional, name)
    assert tinytorch.autograd.gradcheck(lambda *t: function(*t, **settings), (x, w, b))


def test_names_in_the_graph() -> None:
    F = tinytorch.nn.functional
    x, w = tinytorch.ones(1, 2, 4, 4, requires_grad=True), tinytorch.ones(2, 2, 3, 3)
    assert F.conv2d(x, w).grad_fn.name() == F.conv_transpose2d(x, w).grad_fn.name() == "ConvolutionBackward0"
    assert F.pad(x, (1, 1)).grad_fn.name() == "ConstantPadNdBackward0"
    assert F.pad(x, (1, 1, 1, 1), "reflect").grad_fn.name() == "ReflectionPad2DBackward0"
    assert F.unfold(x, 2).grad_fn.name() == "Im2ColBackward0"


MODULES = [
    (f"{kind}{rank}d", (3, 2, *(7, 6, 5)[:rank])) for kind in ("Conv", "ConvTranspose") for rank in (1, 2, 3)
]
COVERS = [f"nn.{name}" for name, _ in MODULES]


def through_module(T, x, name):
    layer = getattr(T.nn, name)(2, 4, 3, stride=2, padding=1, groups=2)
    with T.no_grad():
        for p in layer.parameters():
            p.copy_(T.linspace(-1, 1, p.numel()).reshape(p.shape))
    y = layer(x)
    return y, T.autograd.grad((y * y).sum(), list(layer.parameters()), retain_graph=True)


@pytest.mark.parametrize("name, shape", MODULES)
def test_module_equals_torch(name: str, shape: tuple) -> None:
    run_case(Case(f"nn.{name}", lambda T, x: through_module(T, x, name), f32(*shape), second=False, rtol=1e-4, atol=1e-4))
