"""Random numbers: the streams are not PyTorch's; compared are seeding, shapes, dtypes, errors and distributions.

The distributions are tested at fixed seeds with bounds that a correct generator breaks once in about a million seeds.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable

import numpy as np
import pytest

import tinytorch
from tests.oracle import torch
from tests.parity.harness import Case, Error, f16, f32, f64, i64, ids, positive, run_case, run_error, same, u8

words = str.split

N = 40_000
COVERS = words("seed initial_seed get_rng_state set_rng_state Generator manual_seed random.fork_rng")


def form(*tensors):
    """What PyTorch promises of random tensors: their shape, dtype and strides."""
    return [(tuple(t.shape), repr(t.dtype), t.stride(), t.requires_grad) for t in tensors]


MADE = {
    "rand": lambda T: form(
        T.rand(2, 3),
        T.rand((2, 3), dtype=T.half),
        T.rand(2, dtype=T.float64),
        T.rand(0),
        T.rand([]),
        T.rand(2, requires_grad=True),
        T.rand(size=(2,)),
        T.rand(2, out=T.empty(0)),
    ),
    "randn": lambda T: form(T.randn(2, 3), T.randn((2,), dtype=T.bfloat16), T.randn(2, dtype=T.float64), T.randn(())),
    "randint": lambda T: form(
        T.randint(5, (2,)),
        T.randint(3, 10, (2, 3)),
        T.randint(high=3, size=(2,)),
        T.randint(0, 5, (2,), dtype=T.float),
        T.randint(0, 2, (2,), dtype=T.bool),
        T.randint(3, 4, size=(1,)),
    ),
    "randperm": lambda T: form(T.randperm(5), T.randperm(0), T.randperm(4, dtype=T.int32)),
    "normal": lambda T: form(
        T.normal(0.0, 1.0, (2,)),
        T.normal(T.zeros(2), 1.0),
        T.normal(0.0, T.ones(3)),
        T.normal(T.zeros(2), T.ones(3, 2)),
        T.normal(T.zeros(2)),
    ),
    "multinomial": lambda T: form(
        T.multinomial(T.tensor([1.0, 2, 3]), 2), T.multinomial(T.ones(2, 3), 4, replacement=True)
    ),
}

CASES = [
    Case("randn_like", lambda T, x: form(T.randn_like(x), T.randn_like(x, dtype=T.half)), f32(2, 3, layout="transposed")),
    *[Case(name, run) for name, run in MADE.items()],
    Case(
        "rand_like", lambda T, x: form(T.rand_like(x), T.randn_like(x, dtype=T.double)), f32(2, 3, layout="transposed")
    ),
    Case("randint_like", lambda T, x: form(T.randint_like(x, 5), T.randint_like(x, 2, 5)), i64(2, 3)),
    Case(
        "bernoulli",
        lambda T, x, y: form(T.bernoulli(x.abs()), T.bernoulli(y, 0.5), x.bernoulli()),
        f32(2, 3, make=lambda rng, shape: rng.random(shape), grad=False),
        i64(2),
    ),
    Case("poisson", lambda T, x: form(T.poisson(x)), f32(2, 3, make=positive, grad=False)),
    Case(
        "Tensor.random_",
        lambda T, x, y, z: form(x.random_(3), y.random_(2, 9), z.random_()),
        i64(2),
        f32(3, grad=False),
        u8(4),
    ),
    *[
        Case(
            f"Tensor.{name}",
            lambda T, x, name=name: form(getattr(x, name)(*([0.5] if name == "geometric_" else []))),
            f16(2, 3, grad=False),
        )
        for name in ("uniform_", "normal_", "bernoulli_", "exponential_", "geometric_", "log_normal_", "cauchy_")
    ],
    Case(
        "Tensor.uniform_", lambda T, x: (x * 1).uniform_() * 0 + (x * 1).normal_() * 0, f32(3)
    ),  # gradients stop there
    Case("bernoulli", lambda T, x: T.bernoulli(x), f32(4, make=same([0, 1, 1, 0]), grad=False)),
    Case("multinomial", lambda T, x: T.multinomial(x, 2).sort().values, f32(4, make=same([0, 1, 0, 3]), grad=False)),
]

ERRORS = [
    Error("rand", lambda T: T.rand(-1), words="Trying to create tensor with negative dimension -1: [-1]"),
    Error("rand", lambda T: T.rand(2, dtype=T.int), words="not implemented for 'Int'"),
    Error("randn", lambda T: T.randn(2, dtype=T.long), words="\"normal_kernel_cpu\" not implemented for 'Long'"),
    Error("rand_like", lambda T, x: T.rand_like(x), i64(2), words="not implemented for 'Long'"),
    Error(
        "randint",
        lambda T: T.randint(5, 5, (2,)),
        words="random_ expects 'from' to be less than 'to', but got from=5 >= to=5",
    ),
    Error(
        "randint", lambda T: T.randint(5), words="randint() received an invalid combination of arguments - got (int)"
    ),
    Error("randint", lambda T: T.randint(2.5, (2,)), words="must be int, not float"),
    Error("randint", lambda T: T.randint(300, (2,), dtype=T.uint8), words="to - 1 is out of bounds for unsigned char"),
    Error("randperm", lambda T: T.randperm(-1), words="negative dimension -1"),
    Error(
        "randperm",
        lambda T: T.randperm(300, dtype=T.uint8),
        words="value cannot be converted to type uint8_t without overflow",
    ),
    Error(
        "normal",
        lambda T: T.normal(0.0, 1.0),
        words="normal() received an invalid combination of arguments - got (float, float)",
    ),
    Error("normal", lambda T: T.normal(0.0, -1.0, (2,)), words="normal expects std >= 0.0, but found std -1"),
    Error("normal", lambda T: T.normal(0.0, T.tensor([1.0, -1.0])), words="normal expects all elements of std >= 0.0"),
    Error("normal", lambda T: T.normal(T.zeros(2), T.ones(3))),
    Error("normal", lambda T: T.normal(T.zeros(2, dtype=T.long), 1.0), words="not implemented for 'Long'"),
    Error(
        "bernoulli",
        lambda T: T.bernoulli(T.tensor([1.5])),
        words="Expected p_in >= 0 && p_in <= 1 to be true, but got false.",
    ),
    Error("bernoulli", lambda T: T.bernoulli(T.ones(2, dtype=T.long)), words="not implemented for 'Long'"),
    Error("bernoulli", lambda T: T.bernoulli(T.ones(2), 1.5), words="expects p to be in [0, 1], but got p=1.5"),
    Error(
        "multinomial",
        lambda T: T.multinomial(T.ones(3), 4),
        words="cannot sample n_sample > prob_dist.size(-1) samples without replacement",
    ),
    Error(
        "multinomial",
        lambda T: T.multinomial(T.tensor([1.0, -2.0]), 1),
        words="contains either `inf`, `nan` or element < 0",
    ),
    Error(
        "multinomial",
        lambda T: T.multinomial(T.tensor([1.0, np.nan]), 1),
        words="contains either `inf`, `nan` or element < 0",
    ),
    Error(
        "multinomial",
        lambda T: T.multinomial(T.zeros(2), 1),
        words="invalid multinomial distribution (sum of probabilities <= 0)",
    ),
    Error(
        "multinomial",
        lambda T: T.multinomial(T.ones(2, dtype=T.long), 1),
        words="only supports floating-point dtypes for input, got: Long",
    ),
    Error("multinomial", lambda T: T.multinomial(T.ones(2), 0), words="cannot sample n_sample <= 0 samples"),
    Error("multinomial", lambda T: T.multinomial(T.ones(2, 2, 2), 1), words="prob_dist must be 1 or 2 dim"),
    Error("Generator", lambda T: T.Generator().manual_seed("a"), words="manual_seed expected a long, but got str"),
    Error("Generator", lambda T: T.Generator().manual_seed(2**64), words="Overflow when unpacking long long"),
    Error("Generator", lambda T: T.Generator("cuda"), words="Cannot get CUDA generator"),
    Error("Generator", lambda T: T.Generator().set_state(T.ones(3)), words="RNG state must be a torch.ByteTensor"),
    Error(
        "Generator",
        lambda T: T.Generator().set_state(T.ones(3, dtype=T.uint8)),
        words="found the input RNG state size to be 3",
    ),
    Error(
        "Tensor.uniform_",
        lambda T, x: x.detach().uniform_(2, 1),
        f32(2),
        words="to return a [from, to) range, but found from=2 > to=1",
    ),
    Error("Tensor.uniform_", lambda T, x: x.uniform_(), i64(2), words="not implemented for 'Long'"),
    Error("Tensor.uniform_", lambda T, x: x.uniform_(), f32(2), words="a leaf Variable that requires grad"),
    Error(
        "Tensor.normal_",
        lambda T, x: x.detach().normal_(0, -1),
        f32(2),
        words="normal expects std >= 0.0, but found std -1",
    ),
    Error("Tensor.random_", lambda T, x: x.random_(5, 3), i64(2), words="from=5 >= to=3"),
    Error("Tensor.random_", lambda T, x: x.random_(0, 300), u8(2), words="to - 1 is out of bounds for unsigned char"),
    Error(
        "Tensor.exponential_",
        lambda T, x: x.detach().exponential_(-1),
        f32(2),
        words="expects lambda > 0.0, but found lambda=-1",
    ),
    Error(
        "Tensor.exponential_",
        lambda T, x: x.exponential_(),
        i64(2),
        words="Exponential distribution is a continuous probability distribution",
    ),
    Error(
        "Tensor.geometric_",
        lambda T, x: x.detach().geometric_(1.5),
        f32(2),
        words="expects p to be in (0, 1), but got p=1.5",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_equals_torch(case: Case) -> None:
    run_case(case)


@pytest.mark.parametrize("case", ERRORS, ids=ids(ERRORS))
def test_refused_like_torch(case: Error) -> None:
    run_error(case)


# ---- seeding ----------------------------------------------------------------------------------------------------

DRAWS: dict[str, Callable] = {
    "rand": lambda g: tinytorch.rand(5, generator=g),
    "randn": lambda g: tinytorch.randn(5, generator=g),
    "randint": lambda g: tinytorch.randint(1000, (5,), generator=g),
    "randperm": lambda g: tinytorch.randperm(20, generator=g),
    "normal": lambda g: tinytorch.normal(0.0, 1.0, (5,), generator=g),
    "bernoulli": lambda g: tinytorch.bernoulli(tinytorch.full((64,), 0.5), generator=g),
    "multinomial": lambda g: tinytorch.multinomial(tinytorch.ones(50), 20, generator=g),
    "uniform_": lambda g: tinytorch.empty(5).uniform_(generator=g),
    "normal_": lambda g: tinytorch.empty(5).normal_(generator=g),
    "exponential_": lambda g: tinytorch.empty(5).exponential_(generator=g),
    "random_": lambda g: tinytorch.empty(5).random_(generator=g),
}


@pytest.mark.parametrize("name", DRAWS)
def test_the_same_seed_gives_the_same_numbers(name: str) -> None:
    draw = DRAWS[name]
    first = draw(tinytorch.Generator().manual_seed(1)).tolist()
    assert draw(tinytorch.Generator().manual_seed(1)).tolist() == first
    assert draw(tinytorch.Generator().manual_seed(2)).tolist() != first
    generator = tinytorch.Generator().manual_seed(1)
    draw(generator)
    assert draw(generator).tolist() != first, "the stream does not move on"
    tinytorch.manual_seed(1)
    assert draw(None).tolist() == first, "the default stream is a stream like any other"


@pytest.mark.parametrize("name", DRAWS)
def test_a_generator_of_its_own_leaves_the_default_stream_alone(name: str) -> None:
    before = tinytorch.get_rng_state().tolist()
    DRAWS[name](tinytorch.Generator().manual_seed(0))
    assert tinytorch.get_rng_state().tolist() == before


def test_a_state_brings_the_stream_back() -> None:
    g = tinytorch.Generator().manual_seed(7)
    tinytorch.rand(3, generator=g)
    tinytorch.randint(5, (3,), generator=g)  # may leave half a number over
    state = g.get_state()
    wanted = [tinytorch.randint(100, (9,), generator=g).tolist(), tinytorch.randn(4, generator=g).tolist()]
    for other in (g.set_state(state), tinytorch.Generator().set_state(state)):
        assert [
            tinytorch.randint(100, (9,), generator=other).tolist(),
            tinytorch.randn(4, generator=other).tolist(),
        ] == wanted
    copied = tinytorch.Generator().set_state(state)
    assert (
        pickle.loads(pickle.dumps(copied)).get_state().tolist()
        == copied.clone_state().get_state().tolist()
        == state.tolist()
    )
    assert copied.initial_seed() == 7
    assert state.dtype is tinytorch.uint8


def test_fork_gives_the_stream_back() -> None:
    tinytorch.manual_seed(3)
    wanted = tinytorch.rand(4).tolist()
    tinytorch.manual_seed(3)
    with tinytorch.random.fork_rng():
        tinytorch.manual_seed(99)
        tinytorch.rand(10)
    assert tinytorch.rand(4).tolist() == wanted
    with pytest.raises(KeyError), tinytorch.random.fork_rng():
        before = tinytorch.initial_seed()
        tinytorch.manual_seed(5)
        raise KeyError
    assert tinytorch.initial_seed() == before


def test_seeds_are_told_as_in_torch() -> None:
    for T in (tinytorch, torch):
        assert T.manual_seed(5).initial_seed() == T.initial_seed() == 5
        assert T.Generator().manual_seed(-1).initial_seed() == 2**64 - 1
        assert T.Generator().initial_seed() == torch.Generator().initial_seed()
        assert T.Generator().device == T.device("cpu")
        assert isinstance(T.seed(), int)
    assert tinytorch.seed() != tinytorch.seed()


# ---- distributions ----------------------------------------------------------------------------------------------


def check_moments(numbers, mean: float, variance: float, fourth: float = 3.0) -> None:
    """Mean and variance within five standard errors; `fourth` is the kurtosis that the variance's own error needs."""
    x = np.asarray(numbers.tolist(), np.float64).reshape(-1)
    assert abs(x.mean() - mean) < 5 * math.sqrt(variance / x.size)
    assert abs(x.var() - variance) < 5 * variance * math.sqrt((fourth - 1) / x.size)


DISTRIBUTIONS = {  # name: (draw, mean, variance, kurtosis)
    "rand": (lambda: tinytorch.rand(N), 1 / 2, 1 / 12, 1.8),
    "rand half": (lambda: tinytorch.rand(N, dtype=tinytorch.half), 1 / 2 - 2**-12, 1 / 12, 1.8),
    "rand bfloat16": (lambda: tinytorch.rand(N, dtype=tinytorch.bfloat16), 1 / 2 - 2**-9, 1 / 12, 1.8),
    "randn": (lambda: tinytorch.randn(N), 0, 1, 3),
    "randn double": (lambda: tinytorch.randn(N, dtype=tinytorch.float64), 0, 1, 3),
    "randint": (lambda: tinytorch.randint(3, 13, (N,)), 7.5, 99 / 12, 1.8),
    "normal": (lambda: tinytorch.normal(tinytorch.full((N,), 2.0), 3.0), 2, 9, 3),
    "normal size": (lambda: tinytorch.normal(-1.0, 0.5, (N,)), -1, 0.25, 3),
    "bernoulli": (lambda: tinytorch.bernoulli(tinytorch.full((N,), 0.3)), 0.3, 0.21, 1.8),
    "bernoulli_": (lambda: tinytorch.empty(N).bernoulli_(0.3), 0.3, 0.21, 1.8),
    "uniform_": (lambda: tinytorch.empty(N).uniform_(-1, 3), 1, 16 / 12, 1.8),
    "normal_": (lambda: tinytorch.empty(N).normal_(2, 3), 2, 9, 3),
    "exponential_": (lambda: tinytorch.empty(N).exponential_(2), 1 / 2, 1 / 4, 9),
    "geometric_": (lambda: tinytorch.empty(N).geometric_(0.25), 4, 12, 9.1),
    "log_normal_": (lambda: tinytorch.empty(N, dtype=tinytorch.float64).log_normal_(0, 0.5).log(), 0, 0.25, 3),
    "poisson": (lambda: tinytorch.poisson(tinytorch.full((N,), 4.0)), 4, 4, 3.25),
    "random_": (lambda: tinytorch.empty(N).random_(10), 4.5, 99 / 12, 1.8),
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_distribution(name: str) -> None:
    draw, mean, variance, fourth = DISTRIBUTIONS[name]
    tinytorch.manual_seed(2024)
    check_moments(draw(), mean, variance, fourth)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_rand_lies_in_the_half_open_interval(dtype: str) -> None:
    tinytorch.manual_seed(0)
    x = tinytorch.rand(N, dtype=getattr(tinytorch, dtype))
    assert x.min().item() >= 0 and x.max().item() < 1


def test_cauchy_quartiles() -> None:
    tinytorch.manual_seed(0)
    x = tinytorch.empty(N).cauchy_(1.0, 2.0).numpy()
    np.testing.assert_allclose(np.quantile(x, [0.25, 0.5, 0.75]), [-1, 1, 3], atol=0.15)


def test_randint_reaches_every_number_and_no_other() -> None:
    tinytorch.manual_seed(0)
    counts = np.bincount(tinytorch.randint(2, 7, (N,)).numpy(), minlength=8)
    assert (counts[:2] == 0).all() and counts[7] == 0
    assert (np.abs(counts[2:7] - N / 5) < 5 * math.sqrt(N * 0.16)).all()


def test_randperm_is_a_permutation_and_moves_every_element_everywhere() -> None:
    tinytorch.manual_seed(0)
    rows = np.array([tinytorch.randperm(5).tolist() for _ in range(4000)])
    assert (np.sort(rows, axis=1) == np.arange(5)).all()
    for place in range(5):
        counts = np.bincount(rows[:, place], minlength=5)
        assert (np.abs(counts - 800) < 5 * math.sqrt(4000 * 0.16)).all()


@pytest.mark.parametrize("replacement", [True, False])
def test_multinomial_follows_its_weights(replacement: bool) -> None:
    """The first draw has the weights' probabilities; the second, without replacement, what remains of them."""
    tinytorch.manual_seed(0)
    p = np.array([0.1, 0.0, 0.3, 0.6])
    drawn = tinytorch.multinomial(tinytorch.tensor([p * 5] * N, dtype=tinytorch.float64), 2, replacement).numpy()
    second = (
        p if replacement else np.array([sum(p[i] * p[j] / (1 - p[i]) for i in range(4) if i != j) for j in range(4)])
    )
    for place, wanted in ((0, p), (1, second)):
        shares = np.bincount(drawn[:, place], minlength=4) / N
        assert (np.abs(shares - wanted) <= 5 * np.sqrt(wanted * (1 - wanted) / N)).all()
    if not replacement:
        assert (drawn[:, 0] != drawn[:, 1]).all()


def test_dtypes_of_inputs_are_kept() -> None:
    case = Case("bernoulli", lambda T, x: T.bernoulli(x).dtype, f64(3, make=lambda r, s: r.random(s), grad=False))
    run_case(case)
