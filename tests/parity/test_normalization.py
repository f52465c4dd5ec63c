"""Normalisation against PyTorch: functions, modules and their running statistics, states, printed forms, refusals."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import tinytorch
from tests.oracle import torch
from tests.parity.harness import (
    Case,
    Error,
    Input,
    bf16,
    f16,
    f32,
    f64,
    i64,
    ids,
    positive,
    run_case,
    run_error,
    same,
)

F_ = "nn.functional"
LAYOUTS = ("contiguous", "transposed", "strided", "offset")


def layer_norm(T: Any, x: Any, *parameters: Any) -> Any:
    return T.nn.functional.layer_norm(x, (x.shape[-1],), *parameters)


def layer_norm_2(T: Any, x: Any, *parameters: Any) -> Any:
    return T.nn.functional.layer_norm(x, x.shape[-2:], *parameters, eps=0.1)


def rms_norm(T: Any, x: Any, *weight: Any) -> Any:
    return T.nn.functional.rms_norm(x, (x.shape[-1],), *weight)


def group_norm(T: Any, x: Any, *parameters: Any) -> Any:
    return T.nn.functional.group_norm(x, 2, *parameters)


def batch_norm(T: Any, x: Any, *parameters: Any) -> Any:
    return T.nn.functional.batch_norm(x, None, None, *parameters, training=True)


def batch_norm_of_statistics(T: Any, x: Any, mean: Any, var: Any, *parameters: Any) -> Any:
    return T.nn.functional.batch_norm(x, mean, var, *parameters)


def instance_norm(T: Any, x: Any, *parameters: Any) -> Any:
    return T.nn.functional.instance_norm(x, None, None, *parameters)


def running(name: str) -> Any:
    """The function with running statistics: gives its result and what became of them."""

    def run(T: Any, x: Any, mean: Any, var: Any) -> Any:
        function = getattr(T.nn.functional, name)
        option = {"training": True} if name == "batch_norm" else {}
        y = function(x, mean, var, momentum=0.3, **option)
        return y, mean, var

    return run


def statistic(make: Any = None, n: int = 4, dtype: str = "float32") -> Input:
    return Input((n,), dtype, make=make, grad=False)


LOOSE = {"rtol": 1e-4, "atol": 2e-5}
MANY = {"rtol": 1e-3, "atol": 1e-3}  # gradients of weights: sums of 16,000 float32 numbers
CASES = [
    *[Case(f"{F_}.layer_norm", layer_norm, f64(6, 4, layout=layout), f64(4), f64(4)) for layout in LAYOUTS],
    Case(f"{F_}.layer_norm", layer_norm, f32(6, 4), f32(4), f32(4), **LOOSE),
    Case(f"{F_}.layer_norm", layer_norm, f64(5)),
    Case(f"{F_}.layer_norm", layer_norm, f64(2, 3, 4), f64(4)),
    Case(f"{F_}.layer_norm", layer_norm, f64(0, 4), f64(4), f64(4)),
    Case(f"{F_}.layer_norm", layer_norm_2, f64(2, 3, 4), f64(3, 4), f64(3, 4)),
    Case(f"{F_}.layer_norm", layer_norm, f16(6, 4), f16(4), f16(4), rtol=5e-3, atol=5e-3),
    Case(f"{F_}.layer_norm", layer_norm, bf16(6, 4), bf16(4), bf16(4), rtol=4e-2, atol=4e-2),
    Case(f"{F_}.layer_norm", layer_norm, bf16(6, 4), f32(4), f32(4), rtol=4e-2, atol=4e-2),
    Case(f"{F_}.layer_norm large", layer_norm, f32(170, 100), f32(100), f32(100), **MANY),
    Case(f"{F_}.layer_norm large", layer_norm, f32(170, 100), **LOOSE),
    Case(f"{F_}.layer_norm of equal numbers", layer_norm, f32(2, 4, make=same([[3.0] * 4, [1.0] * 4])), grad=False),
    *[Case(f"{F_}.rms_norm", rms_norm, f64(6, 4, layout=layout), f64(4)) for layout in LAYOUTS],
    Case(f"{F_}.rms_norm", rms_norm, f32(2, 3, 4), **LOOSE),
    Case(f"{F_}.rms_norm", lambda T, x: T.nn.functional.rms_norm(x, (3, 4), eps=0.1), f64(2, 3, 4)),
    Case(f"{F_}.rms_norm", rms_norm, f16(6, 4), f16(4), rtol=5e-3, atol=5e-3),
    *[Case(f"{F_}.group_norm", group_norm, f64(3, 4, 5, layout=layout), f64(4), f64(4)) for layout in LAYOUTS],
    Case(f"{F_}.group_norm", group_norm, f64(3, 4), f64(4)),
    Case(f"{F_}.group_norm", group_norm, f64(3, 4, 2, 2, 3)),
    Case(f"{F_}.group_norm", group_norm, f32(3, 4, 5), f32(4), f32(4), **LOOSE),
    Case(f"{F_}.group_norm", group_norm, bf16(3, 4, 5), bf16(4), bf16(4), rtol=4e-2, atol=4e-2),
    Case(f"{F_}.group_norm large", group_norm, f32(8, 6, 20, 20), f32(6), f32(6), **MANY),
    Case(f"{F_}.group_norm large", group_norm, f32(8, 6, 400), **LOOSE),
    *[Case(f"{F_}.batch_norm", batch_norm, f64(3, 4, 5, layout=layout), f64(4), f64(4)) for layout in LAYOUTS],
    Case(f"{F_}.batch_norm", batch_norm, f64(6, 4), f64(4), f64(4)),
    Case(f"{F_}.batch_norm", batch_norm, f64(2, 4, 2, 3, 2)),
    Case(f"{F_}.batch_norm", batch_norm, f32(3, 4, 5), f32(4), f32(4), **LOOSE),
    Case(f"{F_}.batch_norm", batch_norm, f16(6, 4, 5), f32(4), f32(4), rtol=1e-2, atol=1e-2),
    Case(f"{F_}.batch_norm", batch_norm, f32(0, 4), grad=False),
    Case(f"{F_}.batch_norm large", batch_norm, f32(8, 6, 20, 20), f32(6), f32(6), **MANY),
    Case(f"{F_}.batch_norm large", batch_norm, f32(8, 6, 400), **LOOSE),
    Case(f"{F_}.batch_norm large", batch_norm, f32(5000, 4), f32(4), f32(4), **MANY),
    *[
        Case(f"{F_}.batch_norm of statistics", batch_norm_of_statistics, x, statistic(), statistic(positive), *rest, second=bool(rest), **LOOSE)
        for x, rest in ((f32(6, 4), (f32(4), f32(4))), (f32(3, 4, 2, 2), (f32(4),)), (f32(3, 4, 5), ()), (f32(0, 4), ()))
    ],
    Case(f"{F_}.batch_norm of statistics", batch_norm_of_statistics, f16(6, 4), statistic(), statistic(positive), rtol=5e-3, atol=5e-3),
    *[
        Case(f"{F_}.{name} running", running(name), x, statistic(), statistic(positive), **LOOSE)
        for name in ("batch_norm", "instance_norm")
        for x in (f32(3, 4, 5), f32(2, 4, 3, 3), f32(9, 4, 500))
    ],
    *[Case(f"{F_}.instance_norm", instance_norm, f64(3, 4, 5, layout=layout), f64(4), f64(4)) for layout in LAYOUTS],
    Case(f"{F_}.instance_norm", instance_norm, f64(2, 3, 2, 3, 2)),
    Case(f"{F_}.instance_norm large", instance_norm, f32(8, 6, 400), f32(6), f32(6), **MANY),
    Case(
        f"{F_}.instance_norm of statistics",
        lambda T, x, m, v: T.nn.functional.instance_norm(x, m, v, use_input_stats=False),
        f32(3, 4, 5), statistic(), statistic(positive), second=False, **LOOSE,
    ),
    *[
        Case(f"{F_}.normalize", lambda T, x, p=p, d=d: T.nn.functional.normalize(x, p, d), x)
        for p, d, x in ((2.0, 1, f64(3, 4)), (1, 0, f64(3, 4)), (3.0, -1, f64(2, 3, 4, layout="transposed")), (2, 1, f32(3, 5)))
    ],
    Case(f"{F_}.normalize of zeros", lambda T, x: T.nn.functional.normalize(x), f32(1, 3, make=same([[0.0, 0.0, 0.0]])), grad=False),
    Case(f"{F_}.normalize out", lambda T, x: T.nn.functional.normalize(x, out=T.empty(2, 3)), f32(2, 3, grad=False)),
]  # fmt: skip


def norm_of(name: str, *args: Any, **options: Any) -> Any:
    return lambda T, x, *others: getattr(T.nn.functional, name)(x, *args, *others, **options)


def batch_norm_with(**where: int) -> Any:
    """F.batch_norm of a (2, 3) input whose named argument has another length."""

    def run(T: Any, x: Any) -> Any:
        lengths = {"running_mean": 3, "running_var": 3, "weight": 3, "bias": 3} | where
        return T.nn.functional.batch_norm(x, **{name: T.ones(n) for name, n in lengths.items()})

    return run


ERRORS = [
    Error(f"{F_}.layer_norm", norm_of("layer_norm", (4,)), f32(2, 3), words="Given normalized_shape=[4], expected input with shape [*, 4], but got input of size[2, 3]"),
    Error(f"{F_}.layer_norm", norm_of("layer_norm", ()), f32(2, 3), words="containing at least one element, but got normalized_shape = []"),
    Error(f"{F_}.layer_norm", norm_of("layer_norm", 3), f32(2, 3), words="argument 'normalized_shape' (position 2) must be tuple of ints, not int"),
    Error(f"{F_}.layer_norm", norm_of("layer_norm", (3,)), f32(2, 3), f32(2), words="weight of shape [2] and normalized_shape = [3]"),
    Error(f"{F_}.layer_norm", norm_of("layer_norm", (3,), None), f32(2, 3), f32(2), words="bias of shape [2] and normalized_shape = [3]"),
    Error(f"{F_}.layer_norm", norm_of("layer_norm", (3,)), i64(2, 3), words="\"LayerNormKernelImpl\" not implemented for 'Long'"),
    Error(f"{F_}.layer_norm", norm_of("layer_norm", (3,)), f32(2, 3), f64(3), words="expect parameter to have scalar type of Float"),
    Error(f"{F_}.rms_norm", norm_of("rms_norm", (4,)), f32(2, 3), words="expected input with shape [*4], but got input of size[2, 3]"),
    Error(f"{F_}.rms_norm", norm_of("rms_norm", (3,)), f32(2, 3), f32(2), words="weight of shape [2] and normalized_shape = [3]"),
    Error(f"{F_}.rms_norm", norm_of("rms_norm", (3,)), i64(2, 3), words="\"rms_norm\" not implemented for 'Long'"),
    Error(f"{F_}.group_norm", norm_of("group_norm", 2), f32(2, 3), words="but got input of shape [2, 3] and num_groups=2"),
    Error(f"{F_}.group_norm", norm_of("group_norm", 2), f32(2, 4), f32(2), words="but got weight of shape [2] and input of shape [2, 4]"),
    Error(f"{F_}.group_norm", norm_of("group_norm", 2, None), f32(2, 4), f32(2), words="bias to be a vector of size equal to the number of channels"),
    Error(f"{F_}.group_norm", norm_of("group_norm", 4), f32(1, 4), words="Expected more than 1 value per channel when training, got input size [1, 4]"),
    Error(f"{F_}.group_norm", norm_of("group_norm", 4), f32(4), words="Expected at least 2 dimensions for input tensor but received 1"),
    Error(f"{F_}.group_norm", norm_of("group_norm", 2), i64(2, 4), words="\"GroupNormKernelImpl\" not implemented for 'Long'"),
    Error(f"{F_}.batch_norm", norm_of("batch_norm", None, None, training=True), f32(1, 3), words="Expected more than 1 value per channel when training, got input size torch.Size([1, 3])"),
    Error(f"{F_}.batch_norm", norm_of("batch_norm", None, None, training=True, eps=0.0), f32(2, 3), words="batch_norm eps must be positive during training, but got 0.0"),
    Error(f"{F_}.batch_norm", norm_of("batch_norm", None, None), f32(2, 3), words="running_mean must be defined in evaluation mode"),
    Error(f"{F_}.batch_norm", lambda T, x: T.nn.functional.batch_norm(x, T.zeros(3), None), f32(2, 3), words="running_var must be defined in evaluation mode"),
    *[
        Error(f"{F_}.batch_norm", batch_norm_with(**{name: 2}), f32(2, 3), words=f"{name} should contain 3 elements not 2")
        for name in ("running_mean", "running_var", "weight", "bias")
    ],
    Error(f"{F_}.batch_norm", batch_norm_with(), i64(2, 3), words="\"batch_norm\" not implemented for 'Long'"),
    Error(f"{F_}.batch_norm", batch_norm_with(), f64(2, 3), words="mixed dtype (CPU): all inputs must share same datatype."),
    Error(f"{F_}.instance_norm", norm_of("instance_norm"), f32(2, 3, 1), words="Expected more than 1 spatial element when training, got input size torch.Size([2, 3, 1])"),
    Error(f"{F_}.instance_norm", norm_of("instance_norm", use_input_stats=False), f32(2, 3, 2), words="running_mean and running_var to be defined when use_input_stats is false"),
    Error(f"{F_}.instance_norm", norm_of("instance_norm", None, None), f32(2, 3, 2), f32(2), words="weight should contain 6 elements not 4"),
    Error(f"{F_}.normalize", norm_of("normalize"), i64(2, 2), words="Expected a floating point or complex tensor as input. Got Long"),
    Error(f"{F_}.normalize", norm_of("normalize"), f32(2), words="but got 1"),
    Error("nn.GroupNorm", lambda T: T.nn.GroupNorm(3, 4), words="num_channels (4) must be divisible by num_groups (3)"),
    Error("nn.BatchNorm1d", lambda T, x: T.nn.BatchNorm1d(3)(x), f32(3), words="expected 2D or 3D input (got 1D input)"),
    Error("nn.BatchNorm1d", lambda T, x: T.nn.BatchNorm1d(3)(x), f32(1, 3), words="Expected more than 1 value per channel when training"),
    Error("nn.BatchNorm2d", lambda T, x: T.nn.BatchNorm2d(3)(x), f32(2, 3), words="expected 4D input (got 2D input)"),
    Error("nn.BatchNorm3d", lambda T, x: T.nn.BatchNorm3d(3)(x), f32(2, 3), words="expected 5D input (got 2D input)"),
    Error("nn.InstanceNorm1d", lambda T, x: T.nn.InstanceNorm1d(3, affine=True)(x), f32(2, 4, 5), words="size at dim=1 to match num_features (3), but got: 4."),
    Error("nn.InstanceNorm2d", lambda T, x: T.nn.InstanceNorm2d(3)(x), f32(2, 3), words="expected 3D or 4D input (got 2D input)"),
    Error("nn.InstanceNorm3d", lambda T, x: T.nn.InstanceNorm3d(3)(x), f32(2, 3), words="expected 4D or 5D input (got 2D input)"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_equals_torch(case: Case) -> None:
    run_case(case)


@pytest.mark.parametrize("case", ERRORS, ids=ids(ERRORS))
def test_refused_like_torch(case: Error) -> None:
    run_error(case)


MODULES = [
    ("LayerNorm", (4,), {}, (3, 4)), ("LayerNorm", ((3, 4),), {"eps": 0.1, "bias": False}, (2, 3, 4)),
    ("LayerNorm", ([4],), {"elementwise_affine": False}, (3, 4)),
    ("RMSNorm", (4,), {}, (3, 4)), ("RMSNorm", ((3, 4), 0.1), {"elementwise_affine": False}, (2, 3, 4)),
    ("GroupNorm", (2, 4), {}, (3, 4, 5)), ("GroupNorm", (4, 4), {"affine": False}, (3, 4, 5)),
    ("GroupNorm", (1, 4, 0.1), {"bias": False}, (3, 4, 5)),
    ("BatchNorm1d", (4,), {}, (6, 4)), ("BatchNorm1d", (4,), {"momentum": None}, (3, 4, 5)),
    ("BatchNorm2d", (4, 0.1, 0.3), {}, (3, 4, 2, 3)), ("BatchNorm2d", (4,), {"affine": False}, (3, 4, 2, 3)),
    ("BatchNorm2d", (4,), {"track_running_stats": False}, (3, 4, 2, 3)), ("BatchNorm2d", (4,), {"bias": False}, (3, 4, 2, 3)),
    ("BatchNorm3d", (4,), {"dtype": "float64"}, (3, 4, 2, 3, 2)),
    ("InstanceNorm1d", (4,), {}, (3, 4, 5)), ("InstanceNorm1d", (4,), {"affine": True}, (4, 5)),
    ("InstanceNorm2d", (4,), {"affine": True, "track_running_stats": True}, (3, 4, 2, 3)),
    ("InstanceNorm3d", (4,), {"momentum": None, "track_running_stats": True}, (3, 4, 2, 3, 2)),
]  # fmt: skip
COVERS = {f"nn.{name}" for name, *_ in MODULES}


def made(T: Any, name: str, args: tuple, options: dict) -> Any:
    dtype = {"dtype": getattr(T, options["dtype"])} if "dtype" in options else {}
    return getattr(T.nn, name)(*args, **options | dtype)


def equal(mine: Any, real: Any) -> None:
    np.testing.assert_allclose(np.asarray(mine.tolist()), np.asarray(real.tolist()), rtol=1e-4, atol=1e-5)
    assert tuple(mine.shape) == tuple(real.shape) and repr(mine.dtype) == repr(real.dtype)


@pytest.mark.parametrize("name, args, options, shape", MODULES, ids=lambda v: str(v))
def test_module_trains_and_evaluates_like_torch(name: str, args: tuple, options: dict, shape: tuple) -> None:
    mine, real = made(tinytorch, name, args, options), made(torch, name, args, options)
    assert repr(mine) == repr(real)
    rng = np.random.default_rng(1)
    dtype = options.get("dtype", "float32")
    for training in (True, True, True, False, False):
        x = rng.standard_normal(shape) * 2 + 1
        outputs = []
        for T, layer in ((tinytorch, mine), (torch, real)):
            t = T.tensor(x.tolist(), dtype=getattr(T, dtype), requires_grad=True)
            y = layer.train(training)(t)
            (y * y * y).sum().backward()
            outputs.append((y.detach(), t.grad, *[p.grad for p in layer.parameters()]))
        for a, b in zip(*outputs, strict=True):
            equal(a, b)
        assert list(mine.state_dict()) == list(real.state_dict())
        for a, b in zip(mine.state_dict().values(), real.state_dict().values(), strict=True):
            equal(a, b)


@pytest.mark.parametrize("name", ["BatchNorm2d", "LayerNorm", "GroupNorm", "RMSNorm"])
def test_states_go_both_ways(name: str) -> None:
    args = (2, 4) if name == "GroupNorm" else (4,)
    for source, target in ((tinytorch, torch), (torch, tinytorch)):
        trained, fresh = (getattr(T.nn, name)(*args) for T in (source, target))
        for p in trained.parameters():
            p.data.fill_(0.5)
        if name == "BatchNorm2d":
            trained(source.ones(2, 4, 2, 2))
        state = {k: target.tensor(v.tolist(), dtype=getattr(target, repr(v.dtype).removeprefix("torch.")))
                 for k, v in trained.state_dict().items()}  # fmt: skip
        assert str(fresh.load_state_dict(state)) == "<All keys matched successfully>"
        for a, b in zip(fresh.state_dict().values(), trained.state_dict().values(), strict=True):
            assert a.tolist() == b.tolist()


def test_state_from_before_batches_were_counted() -> None:
    for T in (tinytorch, torch):
        layer = T.nn.BatchNorm1d(2)
        state = {k: v for k, v in layer.state_dict().items() if k != "num_batches_tracked"}
        assert str(layer.load_state_dict(state)) == "<All keys matched successfully>"


def test_statistics_can_be_forgotten() -> None:
    layer = tinytorch.nn.BatchNorm1d(2)
    layer(tinytorch.randn(5, 2))
    assert layer.num_batches_tracked.item() == 1 and layer.num_batches_tracked.dtype is tinytorch.int64
    layer.reset_running_stats()
    assert [b.tolist() for b in layer.buffers()] == [[0.0, 0.0], [1.0, 1.0], 0]


def test_other_number_of_channels_is_told() -> None:
    for T in (tinytorch, torch):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            T.nn.InstanceNorm1d(3)(T.ones(2, 4, 5))
        assert "input's size at dim=1 does not match num_features." in str(caught[0].message)


@pytest.mark.parametrize("run", [layer_norm, group_norm, batch_norm, instance_norm])
def test_node_and_differences(run: Any) -> None:
    rng = np.random.default_rng(4)
    x, w, b = (tinytorch.from_numpy(rng.standard_normal(s)).requires_grad_() for s in ((3, 4, 4), (4,), (4,)))
    assert tinytorch.autograd.gradcheck(lambda *t: run(tinytorch, *t), (x, w, b))
    assert tinytorch.autograd.gradgradcheck(lambda *t: run(tinytorch, *t), (x, w, b))
    if run is not instance_norm:  # there torch ends in a view
        names = [run(T, T.ones(3, 4, 4, requires_grad=True)).grad_fn.name() for T in (tinytorch, torch)]
        assert names[0] == names[1]
