"""Softmax and losses against PyTorch: values, gradients, gradients of gradients, names in the graph, refusals."""

from __future__ import annotations

import warnings

import pytest

import tinytorch
from tests.oracle import torch
from tests.parity.harness import (
    Case,
    Error,
    Input,
    b8,
    below,
    bf16,
    f16,
    f32,
    f64,
    i32,
    i64,
    ids,
    positive,
    run_case,
    run_error,
    same,
    special,
    u8,
)


def classes(n: int, *shape: int) -> Input:
    return i64(*shape, make=below(n))


def probabilities(rng, shape):
    p = rng.random(shape) + 0.05
    return p / p.sum(axis=1 if len(shape) > 1 else 0, keepdims=True)


def huge(rng, shape):
    return rng.standard_normal(shape) * 1e4


def some_minus_infinity(rng, shape):
    x = rng.standard_normal(shape)
    x[..., 0] = -float("inf")
    return x


def ce(**options):
    return lambda T, x, t, *w: T.nn.functional.cross_entropy(x, t, *w, **options)


def nll(**options):
    return lambda T, x, t, *w: T.nn.functional.nll_loss(x, t, *w, **options)


REDUCTIONS = ("mean", "sum", "none")
SOFTMAX = [
    Case(f"nn.functional.{name}", lambda T, x, name=name, dim=dim: getattr(T.nn.functional, name)(x, dim), *inputs)
    for name in ("softmax", "log_softmax")
    for dim, inputs in [
        (0, (f32(),)),
        (0, (f64(5),)),
        (1, (f32(3, 4),)),
        (-1, (f64(2, 3, 4),)),
        (1, (f32(2, 3, 4),)),
        (0, (f32(4, 3, layout="transposed"),)),
        (1, (f32(3, 4, layout="strided"),)),
        (1, (f32(3, 4, layout="offset"),)),
        (1, (f64(3, 4, layout="expanded"),)),
        (1, (f32(0, 4),)),
        (1, (f32(3, 5, make=huge),)),
        (1, (f32(6, 5, make=special),)),
        (1, (f64(3, 5, make=some_minus_infinity),)),
        (1, (f16(3, 9),)),
        (1, (bf16(3, 9),)),
    ]
]
SOFTMAX += [
    Case("softmax", lambda T, x: T.softmax(x, 1), f32(3, 4)),
    Case("Tensor.softmax", lambda T, x: x.softmax(-1), f32(3, 4)),
    Case("log_softmax", lambda T, x: T.log_softmax(x, 1), f32(3, 4)),
    Case("Tensor.log_softmax", lambda T, x: x.log_softmax(-1), f32(3, 4)),
    Case("softmax dtype", lambda T, x: T.softmax(x, 1, dtype=T.float64), f32(3, 4)),
    Case("softmax dtype", lambda T, x: T.softmax(x, 1, dtype=T.float64), i64(3, 4)),
    Case("log_softmax dtype", lambda T, x: T.nn.functional.log_softmax(x, 1, dtype=T.float64), i64(3, 4)),
]
CROSS_ENTROPY = [
    Case(f"cross_entropy {reduction}", ce(reduction=reduction), *inputs)
    for reduction in REDUCTIONS
    for inputs in [
        (f32(6, 5), classes(5, 6)),
        (f64(6, 5), classes(5, 6)),
        (f64(5), classes(5)),
        (f32(2, 3, 4), classes(3, 2, 4)),
        (f64(2, 3, 4, 2), classes(3, 2, 4, 2)),
        (f64(2, 3, 2, 2, 2), classes(3, 2, 2, 2, 2)),
        (f32(0, 5), classes(5, 0)),
        (f32(6, 5, layout="transposed"), classes(5, 6)),
        (f32(6, 5, layout="strided"), i64(6, make=below(5), layout="strided")),
        (f32(6, 5, layout="offset"), i64(6, make=below(5), layout="offset")),
        (f64(6, 5, layout="expanded"), classes(5, 6)),
        (f32(6, 5, make=huge), classes(5, 6)),
        (f32(6, 5), u8(6, make=below(5))),
        (f16(6, 5), classes(5, 6)),
        (bf16(6, 5), classes(5, 6)),
        (f32(4, 1), classes(1, 4)),
    ]
]
CROSS_ENTROPY += [
    Case(f"cross_entropy {reduction} {options}", ce(reduction=reduction, **options), *inputs)
    for reduction in REDUCTIONS
    for options in ({}, {"ignore_index": 2}, {"label_smoothing": 0.2}, {"ignore_index": 1, "label_smoothing": 0.3})
    for inputs in [
        (f64(6, 5), i64(6, make=same([0, 1, 2, 3, 4, 2])), f64(5, make=positive, grad=False)),
        (f64(6, 5), i64(6, make=same([0, 1, 2, 3, 4, 2]))),
        (f64(2, 3, 4), classes(3, 2, 4), f64(3, make=positive, grad=False)),
    ]
]
CROSS_ENTROPY += [
    Case("cross_entropy ignored", ce(), f32(4, 3), i64(4, make=same([-100, 1, -100, 2]))),
    Case("cross_entropy ignored", ce(reduction="none"), f32(4, 3), i64(4, make=same([-100, 1, -100, 2]))),
    Case("cross_entropy ignored", ce(ignore_index=-1), f32(4, 3), i64(4, make=same([-1, 1, -1, 2]))),
    Case("cross_entropy all ignored", ce(), f32(2, 3), i64(2, make=same([-100, -100]))),
    Case("cross_entropy all ignored", ce(reduction="sum"), f32(2, 3), i64(2, make=same([-100, -100]))),
    Case(
        "cross_entropy -inf",
        ce(reduction="none"),
        f64(3, 4, make=some_minus_infinity),
        i64(3, make=same([1, 2, 3])),
        second=False,
    ),
    Case(
        "cross_entropy -inf at target",
        ce(reduction="none"),
        f64(3, 4, make=some_minus_infinity),
        i64(3, make=same([0, 0, 0])),
        grad=False,
    ),
    Case("cross_entropy special", ce(reduction="none"), f64(9, 4, make=special), classes(4, 9), second=False),
    Case("cross_entropy smooth", ce(label_smoothing=0.1), f32(6, 5), classes(5, 6)),
    Case("cross_entropy smooth", ce(label_smoothing=0.1), f64(5), classes(5)),
    Case("cross_entropy smooth", ce(label_smoothing=1.0), f32(6, 5), classes(5, 6)),
    Case(
        "cross_entropy size_average",
        lambda T, x, t: quiet(T.nn.functional.cross_entropy, x, t, size_average=False),
        f32(6, 5),
        classes(5, 6),
    ),
    Case(
        "CrossEntropyLoss",
        lambda T, x, t: T.nn.CrossEntropyLoss(ignore_index=2, reduction="sum")(x, t),
        f32(6, 5),
        classes(5, 6),
    ),
    Case(
        "CrossEntropyLoss",
        lambda T, x, t, w: T.nn.CrossEntropyLoss(w, label_smoothing=0.1)(x, t),
        f64(6, 5),
        classes(5, 6),
        f64(5, make=positive, grad=False),
    ),
]
CROSS_ENTROPY += [
    Case(f"cross_entropy probabilities {reduction} {smooth}", ce(reduction=reduction, label_smoothing=smooth), *inputs)
    for reduction in REDUCTIONS
    for smooth in (0.0, 0.25)
    for inputs in [
        (f64(6, 5), f64(6, 5, make=probabilities)),
        (f32(6, 5), f32(6, 5, make=probabilities, grad=False)),
        (f64(5), f64(5, make=probabilities)),
        (f64(2, 3, 4), f64(2, 3, 4, make=probabilities)),
        (f64(6, 5), f64(6, 5, make=probabilities), f64(5, make=positive, grad=False)),
        (f64(2, 3, 4), f64(2, 3, 4, make=probabilities), f64(3, make=positive, grad=False)),
    ]
]
# A second derivative of these two is 0 everywhere: torch gives zeros, here there is nothing to differentiate.
NLL = [
    Case(f"nll_loss {reduction} {options}", nll(reduction=reduction, **options), *inputs, second=False)
    for reduction in REDUCTIONS
    for options in ({}, {"ignore_index": 2})
    for inputs in [
        (f32(6, 5), classes(5, 6)),
        (f64(5), classes(5)),
        (f64(2, 3, 4), classes(3, 2, 4)),
        (f64(2, 3, 4, 2), classes(3, 2, 4, 2)),
        (f64(2, 3, 2, 2, 2), classes(3, 2, 2, 2, 2)),
        (f16(6, 5), classes(5, 6)),
        (f64(6, 5), classes(5, 6), f64(5, make=positive, grad=False)),
        (f32(0, 5), classes(5, 0)),
        (f64(2, 3, 4), classes(3, 2, 4), f64(3, make=positive, grad=False)),
        (f32(6, 5, layout="transposed"), u8(6, make=below(5))),
    ]
]
NLL += [
    Case(
        "NLLLoss",
        lambda T, x, t, w: T.nn.NLLLoss(w, ignore_index=1)(x.log_softmax(1), t),
        f64(6, 5),
        classes(5, 6),
        f64(5, make=positive, grad=False),
    ),
]


def pointwise(name, **options):
    return lambda T, x, y, *w: quiet(getattr(T.nn.functional, name), x, y, **options, **({"weight": w[0]} if w else {}))


def quiet(function, *args, **options):
    """Without the warning about sizes or old flags, which both libraries give."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return function(*args, **options)


POINTWISE = [
    Case(f"{name} {reduction}", pointwise(name, reduction=reduction), *inputs, second=name == "mse_loss")
    for name in ("mse_loss", "l1_loss")
    for reduction in REDUCTIONS
    for inputs in [
        (f32(3, 4), f32(3, 4)),
        (f64(3, 4), f64(3, 4, grad=False)),
        (f64(3, 4), f64(4)),
        (f64(3, 1), f64(1, 4)),
        (f32(), f32()),
        (f32(0, 3), f32(0, 3)),
        (f32(3, 4), i64(3, 4)),
        (f16(3, 4), f16(3, 4)),
        (bf16(3, 4), bf16(3, 4)),
        (f32(3, 4, layout="transposed"), f32(3, 4, layout="strided")),
        (f64(3, 4, make=special), f64(3, 4)),
        (f64(3, 4), f64(3, 4), f64(3, 4, make=positive)),
    ]
]
POINTWISE += [  # of mixed dtypes second derivatives pass through the narrower one, rounded: left out
    Case("mse_loss mixed", pointwise("mse_loss"), f32(3, 4), f64(3, 4), second=False),
    Case("l1_loss mixed", pointwise("l1_loss", reduction="sum"), f64(3, 4), f32(3, 4), second=False),
    Case("l1_loss int", pointwise("l1_loss", reduction="sum"), i64(3), i64(3)),
    Case("L1Loss", lambda T, x, y: T.nn.L1Loss(reduction="sum")(x, y), f32(3, 4), f32(3, 4), second=False),
    Case("MSELoss", lambda T, x, y: T.nn.MSELoss()(x, y), f32(3, 4), f32(3, 4)),
    Case("mse_loss twice", lambda T, x: T.nn.functional.mse_loss(x, x * 2), f64(3, 4)),
]
CASES = SOFTMAX + CROSS_ENTROPY + NLL + POINTWISE

ERRORS = [
    Error(
        "softmax dim", lambda T, x: T.softmax(x, 2), f32(3, 4), words="expected to be in range of [-2, 1], but got 2"
    ),
    Error("softmax int", lambda T, x: T.softmax(x, 0), i64(3), words="not implemented for 'Long'"),
    Error("log_softmax bool", lambda T, x: T.log_softmax(x, 0), b8(3), words="not implemented for 'Bool'"),
    *[
        Error(name, f(), *inputs, words=words)
        for name, f in (("cross_entropy", ce), ("nll_loss", nll))
        for inputs, words in [
            ((f32(3, 5), classes(5, 2)), "Expected input batch_size (3) to match target batch_size (2)"),
            ((f32(3, 5), i64(3, make=same([0, 1, 5]))), "Target 5 is out of bounds"),
            ((f32(3, 5), i64(3, make=same([0, -1, 2]))), "Target -1 is out of bounds"),
            ((f32(3, 5), i32(3, make=below(5))), "expected target dtype to be Long or Byte, but got Int"),
            ((f32(3, 5), f32(3, grad=False)), "expected target dtype to be Long or Byte, but got Float"),
            ((f32(3, 5), classes(5, 3, 4)), "multi-target not supported"),
            ((f32(2, 3, 4), classes(3, 2, 5)), "Expected target size [2, 4], got [2, 5]"),
            ((f32(2, 3, 4, 4), classes(3, 2, 4, 5)), "size mismatch (got input: [2, 3, 4, 4] , target: [2, 4, 5]"),
            (
                (f32(3, 5), classes(5, 3), f32(4, grad=False)),
                "all 5 classes or no classes but got weight tensor of shape: [4]",
            ),
        ]
    ],
    *[
        Error(name, f(reduction="each"), f32(3, 5), t, words="each is not a valid value for reduction")
        for name, f, t in (
            ("cross_entropy", ce, classes(5, 3)),
            ("nll_loss", nll, classes(5, 3)),
            ("mse_loss", lambda **o: pointwise("mse_loss", **o), f32(3, 5)),
            ("l1_loss", lambda **o: pointwise("l1_loss", **o), f32(3, 5)),
        )
    ],
    Error("cross_entropy int", ce(), i64(3, 5), classes(5, 3), words="not implemented for 'Long'"),
    Error(
        "cross_entropy 0d",
        ce(),
        f32(),
        classes(5),
        words="Expected floating point type for target with class probabilities, got Long",
    ),
    Error(
        "cross_entropy smoothing",
        ce(label_smoothing=1.5),
        f32(3, 5),
        classes(5, 3),
        words="label_smoothing must be between 0.0 and 1.0. Got: 1.5",
    ),
    Error(
        "cross_entropy probs ignore",
        ce(ignore_index=3),
        f32(3, 5),
        f32(3, 5),
        words="ignore_index is not supported for floating point target",
    ),
    Error("nll 0d", nll(), f32(), classes(5), words="Expected 1 or more dimensions (got 0)"),
    Error("mse sizes", pointwise("mse_loss"), f32(3, 5), f32(4, 5), words="must match the size of tensor b (4)"),
    Error("mse int", pointwise("mse_loss"), i64(3), i64(3), words="not implemented for 'Long'"),
    Error("l1 int", pointwise("l1_loss"), i64(3), i64(3), words="could not infer output dtype"),
]


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_equals_torch(case: Case) -> None:
    run_case(case)


@pytest.mark.parametrize("case", ERRORS, ids=ids(ERRORS))
def test_refused_like_torch(case: Error) -> None:
    run_error(case)


NAMES = [
    (lambda T, x, t: T.nn.functional.cross_entropy(x, t), (4, 3), (4,)),
    (lambda T, x, t: T.nn.functional.cross_entropy(x, t, reduction="none"), (4, 3), (4,)),
    (lambda T, x, t: T.nn.functional.cross_entropy(x, t), (4, 3, 2), (4, 2)),
    (lambda T, x, t: T.nn.functional.cross_entropy(x, t, label_smoothing=0.1), (4, 3), (4,)),
    (lambda T, x, t: T.nn.functional.nll_loss(x, t), (4, 3), (4,)),
    (lambda T, x, t: T.nn.functional.nll_loss(x, t), (4, 3, 2), (4, 2)),
    (lambda T, x, t: T.nn.functional.mse_loss(x, x), (4, 3), ()),
    (lambda T, x, t: T.nn.functional.l1_loss(x, x), (4, 3), ()),
    (lambda T, x, t: T.nn.functional.l1_loss(x, x, reduction="none"), (4, 3), ()),
    (lambda T, x, t: T.nn.functional.softmax(x, 1), (4, 3), ()),
    (lambda T, x, t: T.nn.functional.log_softmax(x, 1), (4, 3), ()),
    (lambda T, x, t: T.nn.functional.dropout(x, 0.5), (4, 3), ()),
    (lambda T, x, t: T.nn.functional.relu(x), (4, 3), ()),
]


@pytest.mark.parametrize("number", range(len(NAMES)))
def test_node_has_torchs_name(number: int) -> None:
    run, shape, target_shape = NAMES[number]
    names = []
    for T in (torch, tinytorch):
        made = run(T, T.ones(*shape, requires_grad=True), T.zeros(target_shape, dtype=T.int64))
        names.append(made.grad_fn.name())
    assert names[1] == names[0]


def test_gradcheck_at_every_index() -> None:
    tinytorch.manual_seed(0)
    F = tinytorch.nn.functional
    x = tinytorch.randn(3, 4, 2, dtype=tinytorch.float64, requires_grad=True)
    y = tinytorch.randn(3, 4, 2, dtype=tinytorch.float64, requires_grad=True)
    weight = tinytorch.tensor([0.5, 1.0, 2.0, 0.1], dtype=tinytorch.float64)
    target = tinytorch.tensor([[0, 3], [1, 2], [2, 2]])
    for run in (
        lambda x: F.cross_entropy(x, target),
        lambda x: F.cross_entropy(x, target, weight, ignore_index=2, reduction="none"),
        lambda x: F.cross_entropy(x, target, weight, label_smoothing=0.2),
        lambda x: F.nll_loss(x, target, weight),
        lambda x: F.softmax(x, 1),
        lambda x: F.log_softmax(x, 1),
    ):
        assert tinytorch.autograd.gradcheck(run, (x,))
        assert tinytorch.autograd.gradgradcheck(run, (x,))
    assert tinytorch.autograd.gradcheck(F.mse_loss, (x, y))
    assert tinytorch.autograd.gradgradcheck(F.mse_loss, (x, y))
    assert tinytorch.autograd.gradcheck(F.l1_loss, (x, y))


def test_target_overwritten_before_backward_is_noticed() -> None:
    """The gradient would else be that of other classes."""
    x = tinytorch.zeros(2, 3, requires_grad=True)
    target = tinytorch.tensor([0, 1])
    loss = tinytorch.nn.functional.cross_entropy(x, target)
    target.fill_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_sizes_that_broadcast_are_warned_of() -> None:
    for name in ("mse_loss", "l1_loss"):
        with pytest.warns(
            UserWarning, match=r"target size \(torch.Size\(\[3\]\)\) that is different to the input size"
        ):
            getattr(tinytorch.nn.functional, name)(tinytorch.ones(2, 3), tinytorch.ones(3))


def test_dim_left_out_is_warned_of() -> None:
    x = tinytorch.ones(2, 3)
    for name in ("softmax", "log_softmax"):
        with pytest.warns(UserWarning, match=f"Implicit dimension choice for {name}"):
            made = getattr(tinytorch.nn.functional, name)(x)
        assert made.tolist() == getattr(tinytorch, name)(x, 1).tolist()


@pytest.mark.parametrize(
    "case",
    [
        Case("cross_entropy large", ce(), f32(20, 1000), classes(1000, 20)),
        Case("cross_entropy large", ce(reduction="none", ignore_index=3), f32(20, 1000), i64(20, make=below(5))),
        Case(
            "cross_entropy large weights", ce(), f32(20, 1000), classes(1000, 20), f32(1000, make=positive, grad=False)
        ),
        Case(
            "cross_entropy large special",
            ce(reduction="none"),
            f32(40, 500, make=some_minus_infinity),
            i64(40, make=below(400)),
            grad=False,
        ),
        Case(
            "cross_entropy large special",
            ce(reduction="sum"),
            f32(40, 500, make=some_minus_infinity),
            i64(40, make=same([7] * 40)),
            second=False,
        ),
        Case(
            "cross_entropy large special",
            ce(reduction="none"),
            f32(40, 500, make=special),
            classes(500, 40),
            second=False,
        ),
        Case("softmax large", lambda T, x: T.softmax(x, -1), f32(4, 5, 1000)),
        Case("log_softmax large", lambda T, x: T.log_softmax(x, -1), f32(4, 5, 1000)),
        Case("softmax large huge", lambda T, x: T.softmax(x, -1), f32(20, 1000, make=huge)),
        Case("log_softmax large huge", lambda T, x: T.log_softmax(x, -1), f32(20, 1000, make=huge), second=False),
    ],
    ids=lambda case: case.name,
)
def test_large_arrays_in_compiled_loops(case: Case) -> None:
    run_case(case)
