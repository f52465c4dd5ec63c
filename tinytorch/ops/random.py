"""Random numbers, from a generator that can be seeded. The streams are NumPy's (PCG64), not PyTorch's."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tinytorch import dtypes
from tinytorch.device import device as Device
from tinytorch.dtypes import dtype as DType
from tinytorch.ops.creation import dense_order, finish, into, size_of
from tinytorch.ops.inplace import copy_
from tinytorch.ops.out import with_out
from tinytorch.ops.promotion import broadcast_error, kind_name, need_tensors
from tinytorch.tensor import Tensor, wrap

_FIRST_SEED = 67280421310721  # of a fresh Generator, as in PyTorch
_STATE_BYTES = 56  # seed, PCG64's state and increment (128 bits each), and half of a number it may have left over


class Generator:
    """A stream of random numbers with a state of its own.

    >>> g = Generator().manual_seed(0)
    >>> g.initial_seed()
    0
    """

    def __init__(self, device: Any = "cpu") -> None:
        self.device = Device(device)
        if self.device.type == "cuda":
            raise RuntimeError("Cannot get CUDA generator: this build has no GPU")
        self.manual_seed(_FIRST_SEED)

    def manual_seed(self, seed: int) -> Generator:
        """Start anew from a number; negative ones count back from 2⁶⁴."""
        try:
            number = int(seed)
        except ValueError:
            raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}") from None
        if not -(2**63) <= number < 2**64:
            raise ValueError(f"Overflow when unpacking long long: the seed {number} does not fit in 64 bits")
        self._seed = number % 2**64
        self._started: np.random.Generator | None = None
        return self

    @property
    def numpy(self) -> np.random.Generator:
        """NumPy's generator behind this one; NumPy's random module is loaded when numbers are first drawn."""
        if self._started is None:
            self._started = np.random.default_rng(self._seed)
        return self._started

    def seed(self) -> int:
        """Start anew from a number that nobody can foresee, and give it back."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little"))
        return self._seed

    def initial_seed(self) -> int:
        return self._seed

    def get_state(self) -> Tensor:
        """All there is to know of the stream's place, as bytes: `set_state` goes back there."""
        s = self.numpy.bit_generator.state
        numbers = [
            (self._seed, 8),
            (s["state"]["state"], 16),
            (s["state"]["inc"], 16),
            (s["has_uint32"], 8),
            (s["uinteger"], 8),
        ]
        return wrap(np.frombuffer(b"".join(n.to_bytes(size, "little") for n, size in numbers), np.uint8).copy())

    def set_state(self, new_state: Tensor) -> Generator:
        """Go back to the place in the stream that `get_state` gave."""
        if not isinstance(new_state, Tensor) or new_state.dtype is not dtypes.uint8:
            raise TypeError("RNG state must be a torch.ByteTensor")
        data = new_state._array.tobytes()
        if len(data) != _STATE_BYTES:
            raise RuntimeError(
                f"Expected a CPUGeneratorImplState of size {_STATE_BYTES} but found the input RNG state size to be "
                f"{len(data)}"
            )
        seed, state, inc, has, left = (
            int.from_bytes(data[a:b], "little") for a, b in ((0, 8), (8, 24), (24, 40), (40, 48), (48, 56))
        )
        self.manual_seed(seed)
        self.numpy.bit_generator.state = {
            "bit_generator": "PCG64", "state": {"state": state, "inc": inc}, "has_uint32": has, "uinteger": left,
        }  # fmt: skip
        return self

    def clone_state(self) -> Generator:
        """A generator of its own, at the same place in the same stream."""
        return Generator().set_state(self.get_state())

    def __reduce__(self) -> tuple:
        return _restored, (self.get_state(),)


def _restored(state: Tensor) -> Generator:
    return Generator().set_state(state)


default_generator = Generator()
default_generator.seed()


def manual_seed(seed: int) -> Generator:
    """Start the default stream of random numbers anew, from a number."""
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Start the default stream anew from a number that nobody can foresee, and give it back."""
    return default_generator.seed()


def initial_seed() -> int:
    """The number from which the default stream started."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The place in the default stream, as bytes."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Go back to a place in the default stream."""
    default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng(devices: Any = None, enabled: bool = True, **_: Any) -> Iterator[None]:
    """Within the `with` block random numbers may be drawn; afterwards the default stream goes on as if they had not."""
    state = get_rng_state() if enabled else None
    try:
        yield
    finally:
        if state is not None:
            set_rng_state(state)


# ---- draws: arrays of random numbers ----------------------------------------------------------------------------


def _stream(generator: Generator | None) -> np.random.Generator:
    return (generator or default_generator).numpy


def _uniform(stream: np.random.Generator, shape: Any, dtype: np.dtype) -> np.ndarray:
    """Numbers in [0, 1), as fine as the dtype has them just below 1: rounding never makes a 1."""
    if dtype == np.float64 or dtype == np.float32:
        return np.asarray(stream.random(shape, dtype))
    bits = 11 if dtype == np.float16 else 8
    return (np.asarray(stream.integers(0, 2**bits, shape)) / np.float32(2**bits)).astype(dtype)


def _normal(stream: np.random.Generator, shape: Any, dtype: np.dtype) -> np.ndarray:
    return np.asarray(stream.standard_normal(shape, np.float64 if dtype == np.float64 else np.float32)).astype(dtype)


def _floating(kernel: str, dtype: DType) -> np.dtype:
    if not dtype.is_floating_point:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{kind_name(dtype)}'")
    return dtype.numpy


def _maker(name: str, kernel: str, draw: Callable, words: str) -> tuple[Callable[..., Tensor], Callable[..., Tensor]]:
    """A maker of a shape, and the one like a tensor."""

    def make(*size: Any, generator: Generator | None = None, dtype: DType | None = None, device: Any = None,
             requires_grad: bool = False, layout: Any = None, pin_memory: bool = False, out: Any = None,
             **named: Any) -> Tensor:  # fmt: skip
        if not size:
            size = (named.pop("size"),) if "size" in named else ()
        wanted = dtype or (out.dtype if out is not None else dtypes.get_default_dtype())
        shape = _shape(name, size)
        made = draw(_stream(generator), shape, _floating(kernel, wanted))
        return finish(made, device, requires_grad) if out is None else into(name, made, out, dtype)

    def make_like(input: Tensor, *, dtype: DType | None = None, device: Any = None, requires_grad: bool = False,
                  layout: Any = None, memory_format: Any = None,
                  generator: Generator | None = None) -> Tensor:  # fmt: skip
        need_tensors(f"{name}_like", input=input)
        wanted = _floating(kernel, dtype or input.dtype)
        return _filled_like(input, draw(_stream(generator), input._array.shape, wanted), device, requires_grad)

    make.__name__ = make.__qualname__ = name
    make_like.__name__ = make_like.__qualname__ = f"{name}_like"
    make.__doc__, make_like.__doc__ = f"{words}.", f"{words}, in the shape and dtype of `input`."
    return make, make_like


def _shape(name: str, size: tuple) -> tuple[int, ...]:
    given = size[0] if len(size) == 1 and isinstance(size[0], tuple | list) else size
    negative = [n for n in given if isinstance(n, int) and n < 0]
    if negative:
        raise RuntimeError(f"Trying to create tensor with negative dimension {negative[0]}: {list(given)}")
    return size_of(name, size)


def _filled_like(input: Tensor, values: np.ndarray, device: Any = None, requires_grad: bool = False) -> Tensor:
    array = np.empty_like(dense_order(input._array), values.dtype)
    array[...] = values
    return finish(array, device, requires_grad)


rand, rand_like = _maker("rand", "check_uniform_bounds", _uniform, "Uniform numbers in [0, 1)")
randn, randn_like = _maker("randn", "normal_kernel_cpu", _normal, "Normal numbers, of mean 0 and variance 1")


def _integers(stream: np.random.Generator, low: int, high: int, shape: Any, dtype: DType) -> np.ndarray:
    if low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    if dtype.category == dtypes.INTEGER:
        info = dtypes.iinfo(dtype)
        names = {"uint8": "unsigned char", "int8": "signed char", "int16": "short", "int32": "int", "int64": "long"}
        for what, bound in (("from", low), ("to - 1", high - 1)):
            if not info.min <= bound <= info.max:
                raise RuntimeError(f"{what} is out of bounds for {names[dtype.name]}: {bound}")
    return np.asarray(stream.integers(low, high, shape)).astype(dtype.numpy)


def randint(*args: Any, low: int = 0, high: Any = None, size: Any = None, generator: Generator | None = None,
            dtype: DType | None = None, device: Any = None, requires_grad: bool = False, layout: Any = None,
            out: Any = None) -> Tensor:  # fmt: skip
    """`randint(high, size)` or `randint(low, high, size)`: integers from low (0) up to but without high, int64.

    >>> randint(3, 5, (100,)).unique()
    tensor([3, 4])
    """
    numbers = list(args)
    if size is None and numbers and isinstance(numbers[-1], tuple | list):
        size = numbers.pop()
    if high is None and numbers:
        high = numbers.pop()
    if numbers:
        low = numbers.pop()
    if size is None or high is None or numbers:
        kinds = ", ".join(type(a).__name__ for a in args)
        raise TypeError(f"randint() received an invalid combination of arguments - got ({kinds})")
    for name, number in (("low", low), ("high", high)):
        if not hasattr(number, "__index__"):
            raise TypeError(f"randint(): argument '{name}' must be int, not {type(number).__name__}")
    wanted = dtype or (out.dtype if out is not None else dtypes.int64)
    made = _integers(_stream(generator), int(low), int(high), _shape("randint", (size,)), wanted)
    return finish(made, device, requires_grad) if out is None else into("randint", made, out, dtype)


def randint_like(input: Tensor, *bounds: int, low: int = 0, high: int | None = None, dtype: DType | None = None,
                 device: Any = None, requires_grad: bool = False, **_: Any) -> Tensor:  # fmt: skip
    """`randint_like(input, high)` or `randint_like(input, low, high)`, in the shape and dtype of `input`."""
    low, high = bounds if len(bounds) == 2 else (low, bounds[0] if bounds else high)
    made = _integers(_stream(None), low, high, input._array.shape, dtype or input.dtype)
    return _filled_like(input, made, device, requires_grad)


def randperm(n: int, *, generator: Generator | None = None, dtype: DType | None = None, device: Any = None,
             requires_grad: bool = False, layout: Any = None, pin_memory: bool = False,
             out: Any = None) -> Tensor:  # fmt: skip
    """The numbers 0 to n-1 in random order."""
    wanted = dtype or (out.dtype if out is not None else dtypes.int64)
    _shape("randperm", (n,))
    if n:
        dtypes.check_fits(n - 1, wanted)
    made = _stream(generator).permutation(n).astype(wanted.numpy)
    return finish(made, device, requires_grad) if out is None else into("randperm", made, out, dtype)


@with_out
def normal(mean: Any, std: Any = 1.0, size: Any = None, *, generator: Generator | None = None,
           dtype: DType | None = None, device: Any = None, requires_grad: bool = False) -> Tensor:  # fmt: skip
    """Normal numbers with a mean and a standard deviation for each, or, with `size`, the same for all."""
    if size is not None:
        check_std(std)
        return finish(mean + std * randn(size, generator=generator, dtype=dtype)._array, device, requires_grad)
    tensors = [t for t in (mean, std) if isinstance(t, Tensor)]
    if not tensors:
        raise TypeError("normal() received an invalid combination of arguments - got (float, float), without a size")
    wanted = _floating("normal_kernel_cpu", tensors[0].dtype)
    m, s = (t._array if isinstance(t, Tensor) else t for t in (mean, std))
    if not np.all(np.asarray(s) >= 0):
        raise RuntimeError("normal expects all elements of std >= 0.0")
    try:
        shape = np.broadcast_shapes(np.shape(m), np.shape(s))
    except ValueError:
        raise broadcast_error(m, s) from None
    return wrap(np.asarray(m + s * _normal(_stream(generator), shape, wanted)).astype(wanted))


def check_std(std: float) -> None:
    if not std >= 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")


@with_out
def bernoulli(input: Tensor, p: float | None = None, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that `input` has in that place (or with the probability p), else 0; of input's dtype."""
    need_tensors("bernoulli", input=input)
    if p is None:
        _floating("bernoulli_tensor_cpu_p_", input.dtype)
    return _filled_like(input, _coins(input, input if p is None else p, generator))


def _coins(like: Tensor, p: Any, generator: Generator | None) -> np.ndarray:
    if isinstance(p, Tensor):
        probabilities = p._array
        if not np.all((probabilities >= 0) & (probabilities <= 1)):
            raise RuntimeError(
                "Expected p_in >= 0 && p_in <= 1 to be true, but got false. Probabilities lie in [0, 1]."
            )
    else:
        probabilities = p
        if not 0 <= p <= 1:
            raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")
    return np.asarray(_stream(generator).random(like._array.shape) < probabilities).astype(like._array.dtype)


@with_out
def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Counts of rare events, with the mean that `input` has in that place"""
    _floating("poisson_cpu", input.dtype)
    if np.any(input._array < 0):
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    return wrap(np.asarray(_stream(generator).poisson(input._array.astype(np.float64))).astype(input._array.dtype))


@with_out
def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Indices drawn with the probabilities (not necessarily of sum 1) of a vector, or of each row of a matrix.

    Returns int64 of shape (num_samples,) or (rows, num_samples). Without `replacement` no index comes twice.
    """
    need_tensors("multinomial", input=input)
    weights = np.atleast_2d(input._array)
    if not 1 <= input._array.ndim <= 2:
        raise RuntimeError(f"prob_dist must be 1 or 2 dim, not {input._array.ndim}")
    if not input.dtype.is_floating_point:
        raise RuntimeError(f"multinomial only supports floating-point dtypes for input, got: {kind_name(input)}")
    if num_samples <= 0:
        raise RuntimeError(f"cannot sample n_sample <= 0 samples, got {num_samples}")
    if not replacement and num_samples > weights.shape[1]:
        raise RuntimeError(
            "cannot sample n_sample > prob_dist.size(-1) samples without replacement: "
            f"{num_samples} of {weights.shape[1]}"
        )
    weights = weights.astype(np.float64)
    if not np.all(np.isfinite(weights) & (weights >= 0)):
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if not np.all(weights.sum(1) > 0):
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    stream = _stream(generator)
    if replacement:  # where a uniform number falls among the running sums
        edges = weights.cumsum(1)
        at = stream.random((len(weights), num_samples)) * edges[:, -1:]
        drawn = np.stack([np.searchsorted(e, u, side="right") for e, u in zip(edges, at, strict=True)])
    else:  # the first of exponential clocks with these rates: the order in which they ring
        with np.errstate(divide="ignore"):
            clocks = stream.standard_exponential(weights.shape) / weights
        drawn = np.argsort(clocks, axis=1)[:, :num_samples]
    drawn = drawn.astype(np.int64)
    return wrap(drawn if input._array.ndim == 2 else drawn[0])


# ---- in place: x.uniform_() -------------------------------------------------------------------------------------


def _filler(name: str, kernel: str | None, draw: Callable[..., np.ndarray], check: Callable[..., str | None],
            names: str, defaults: tuple, words: str) -> Callable[..., Tensor]:  # fmt: skip
    """A method that overwrites a tensor with random numbers; `check` says what is wrong with the parameters."""
    keys = names.split()

    def method(self: Tensor, *args: float, generator: Generator | None = None, **named: float) -> Tensor:
        values = {**dict(zip(keys, defaults, strict=True)), **dict(zip(keys, args, strict=False)), **named}
        if set(values) != set(keys) or len(args) > len(keys):
            raise TypeError(f"{name}() received an invalid combination of arguments: it takes {', '.join(keys)}")
        numbers = list(values.values())
        if kernel == "continuous" and not self.dtype.is_floating_point:
            raise RuntimeError(
                f"{words.split(':')[0]} distribution is a continuous probability distribution. dtype must be a "
                f"floating point but you specified {kind_name(self)}"
            )
        if kernel not in (None, "continuous"):
            _floating(kernel, self.dtype)
        wrong = check(*numbers)
        if wrong:
            raise RuntimeError(f"{name} expects {wrong}")
        array = np.asarray(draw(_stream(generator), self._array.shape, *numbers))
        return copy_(self, wrap(array.astype(self._array.dtype)))

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"Overwrite with random numbers. {words}."
    return method


uniform_ = _filler(
    "uniform_", "check_uniform_bounds", lambda s, shape, low, high: low + (high - low) * s.random(shape),
    lambda low, high: f"to return a [from, to) range, but found from={low:g} > to={high:g}" if low > high else None,
    "a b", (0.0, 1.0), "Uniform: in [a, b)",
)  # fmt: skip
exponential_ = _filler(
    "exponential_", "continuous", lambda s, shape, rate: s.standard_exponential(shape) / rate,
    lambda rate: None if rate > 0 else f"lambda > 0.0, but found lambda={rate:g}",
    "lambd", (1.0,), "Exponential: waiting times of a rate",
)  # fmt: skip
log_normal_ = _filler(
    "log_normal_", "log_normal_", lambda s, shape, mean, std: np.exp(mean + std * s.standard_normal(shape)),
    lambda mean, std: None if std > 0 else f"std > 0.0, but found std={std:g}",
    "mean std", (1.0, 2.0), "Log-normal: e to the power of normal numbers",
)  # fmt: skip
cauchy_ = _filler(
    "cauchy_", "continuous", lambda s, shape, median, sigma: median + sigma * s.standard_cauchy(shape),
    lambda median, sigma: None if sigma > 0 else f"sigma > 0.0, but found sigma={sigma:g}",
    "median sigma", (0.0, 1.0), "Cauchy: around a median",
)  # fmt: skip
geometric_ = _filler(
    "geometric_", None, lambda s, shape, p: s.geometric(p, shape),
    lambda p: None if 0 < p < 1 else f"p to be in (0, 1), but got p={p:g}",
    "p", (math.nan,), "Geometric: the number of trials up to the first success",
)  # fmt: skip


def normal_(self: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Overwrite with normal numbers."""
    _floating("normal_kernel_cpu", self.dtype)
    check_std(std)
    return copy_(
        self, wrap((mean + std * _stream(generator).standard_normal(self._array.shape)).astype(self._array.dtype))
    )


def bernoulli_(self: Tensor, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Overwrite with 1 (of probability p, a number or a tensor) and 0."""
    return copy_(self, wrap(_coins(self, p, generator)))


def random_(self: Tensor, *bounds: Any, generator: Generator | None = None, **named: int) -> Tensor:
    """Overwrite with integers: `random_()` all that the dtype holds, `random_(to)` below to, `random_(from, to)`."""
    low, high = named.get("from", 0), named.get("to")
    if bounds:
        low, high = (low, bounds[0]) if len(bounds) == 1 else bounds
    if high is None:
        digits = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53, "bool": 1}
        exact = digits.get(self.dtype.name)
        high = 2**exact + (self.dtype.is_floating_point) if exact else dtypes.iinfo(self.dtype).max
    return copy_(self, wrap(_integers(_stream(generator), int(low), int(high), self._array.shape, self.dtype)))
