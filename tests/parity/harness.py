"""Parity with PyTorch: one expression, run on both libraries, compared in every respect.

A `Case` holds one expression as a function of the namespace `T` (real `torch`, then `tinytorch`) and of tensors made from
the same arrays on both sides:

    Case("add", lambda T, x, y: T.add(x, y, alpha=2), f32(3, 4), f32(4))

Compared are value, dtype and shape of every result (and strides where `strides=True`), then the gradients of every
floating-point input for random cotangents, then (where `second=True`) the gradients of those gradients. `Error` is an
expression that both must refuse, with the same class, in a message that holds the same key words.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import tinytorch
from tests.oracle import torch


@dataclass(frozen=True)
class Input:
    """How one input is made: the same on both sides."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    make: Callable[[np.random.Generator, tuple[int, ...]], np.ndarray] | None = None
    layout: str = "contiguous"  # contiguous | transposed | strided | expanded | offset
    grad: bool = True

    def array(self, rng: np.random.Generator) -> np.ndarray:
        if self.make is not None:
            made = np.asarray(self.make(rng, self.shape))
        elif self.dtype == "bool":
            made = rng.random(self.shape) < 0.5
        elif self.dtype.startswith(("int", "uint")):
            low = 0 if self.dtype.startswith("u") else -5
            made = rng.integers(low, 10, self.shape)
        else:
            made = rng.standard_normal(self.shape)
        return np.asarray(made)

    def tensor(self, T: Any, array: np.ndarray) -> Any:
        """The tensor of namespace T, laid out as asked for; a leaf that requires a gradient where that makes sense."""
        dtype = getattr(T, self.dtype)

        def leaf(a: np.ndarray) -> Any:
            base = T.tensor(a.tolist(), dtype=T.float64 if a.dtype.kind == "f" else T.int64 if a.dtype.kind in "iu" else T.bool)
            return base.reshape(a.shape).to(dtype)

        if self.layout == "contiguous":
            t = leaf(array).clone()
        elif self.layout == "transposed":
            t = leaf(np.swapaxes(array, 0, -1)).clone().transpose(0, -1)
        elif self.layout == "strided":  # every second element of a larger tensor
            wide = np.repeat(array, 2, axis=-1)
            t = leaf(wide).clone()[..., ::2]
        elif self.layout == "offset":
            t = leaf(np.concatenate([array[:1], array], axis=0)).clone()[1:]
        else:  # expanded: one row, repeated without copying
            t = leaf(array[:1]).clone().expand(array.shape)
        t = t.detach()
        if self.grad and self.dtype in ("float16", "bfloat16", "float32", "float64"):
            t.requires_grad_()
        return t


def _maker(dtype: str) -> Callable[..., Input]:
    def make(*shape: int, **options: Any) -> Input:
        return Input(tuple(shape), dtype, **options)

    return make


f16, bf16, f32, f64 = map(_maker, ("float16", "bfloat16", "float32", "float64"))
i8, i16, i32, i64, u8, b8 = map(_maker, ("int8", "int16", "int32", "int64", "uint8", "bool"))


def positive(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(0.1, 3.0, shape)


def unit(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Strictly between -1 and 1."""
    return rng.uniform(-0.95, 0.95, shape)


def distinct(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """No two elements equal: for max, sort and the like."""
    return rng.permutation(int(np.prod(shape))).reshape(shape) / 7.0 - 1.0


def special(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Ordinary numbers with NaN, infinities and both zeros among them."""
    made = rng.standard_normal(shape)
    return np.where(rng.random(shape) < 0.5, rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0], shape), made)


def below(n: int) -> Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]:
    """Integers from 0 to n-1: indices."""
    return lambda rng, shape: rng.integers(0, n, shape)


def same(values: Any) -> Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]:
    """Exactly these numbers."""
    return lambda rng, shape: np.asarray(values).reshape(shape)


@dataclass(frozen=True)
class Case:
    name: str  # the PyTorch name that it shows: "add", "Tensor.add_", "nn.functional.relu"
    run: Callable[..., Any]
    inputs: tuple[Input, ...]
    strides: bool = False
    grad: bool = True
    second: bool = True
    rtol: float | None = None
    atol: float | None = None
    exact_dtype: bool = True

    def __init__(self, name: str, run: Callable[..., Any], *inputs: Input, **options: Any) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "run", run)
        object.__setattr__(self, "inputs", inputs)
        for option in ("strides", "grad", "second", "rtol", "atol", "exact_dtype"):
            object.__setattr__(self, option, options.pop(option, type(self).__dict__.get(option)))
        assert not options, options


@dataclass(frozen=True)
class Error:
    name: str
    run: Callable[..., Any]
    inputs: tuple[Input, ...]
    words: tuple[str, ...] = field(default=())  # must stand in both messages

    def __init__(self, name: str, run: Callable[..., Any], *inputs: Input, words: str | Iterable[str] = ()) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "run", run)
        object.__setattr__(self, "inputs", inputs)
        object.__setattr__(self, "words", (words,) if isinstance(words, str) else tuple(words))


def ids(table: Iterable[Case | Error]) -> list[str]:
    """Names for pytest: unique, readable."""
    seen: dict[str, int] = {}
    found = []
    for case in table:
        seen[case.name] = seen.get(case.name, 0) + 1
        shapes = "-".join("x".join(map(str, i.shape)) or "0d" for i in case.inputs)
        found.append(f"{case.name}-{shapes}-{seen[case.name]}")
    return found


TOLERANCE = {"float16": (2e-3, 2e-3), "bfloat16": (1.6e-2, 1.6e-2), "float32": (2e-5, 2e-6), "float64": (1e-9, 1e-11)}


def run_case(case: Case, seed: int = 0) -> None:
    """Run a case on both libraries; AssertionError with both results where they differ."""
    rng = np.random.default_rng(zlib.crc32(case.name.encode()) + seed)
    arrays = [i.array(rng) for i in case.inputs]
    theirs = _run(torch, case, arrays, seed)
    ours = _run(tinytorch, case, arrays, seed)
    for what in theirs:
        assert len(ours[what]) == len(theirs[what]), f"{what}: {len(ours[what])} results, torch gives {len(theirs[what])}"
        for number, (mine, real) in enumerate(zip(ours[what], theirs[what], strict=True)):
            compare(mine, real, f"{case.name}: {what} {number}", case, strides=case.strides and what == "value")


def _run(T: Any, case: Case, arrays: list[np.ndarray], seed: int) -> dict[str, list]:
    inputs = [i.tensor(T, a) for i, a in zip(case.inputs, arrays, strict=True)]
    values = flatten(case.run(T, *inputs))
    results: dict[str, list] = {"value": [v.detach() if isinstance(v, T.Tensor) else v for v in values]}
    leaves = [t for t in inputs if t.requires_grad]
    outputs = [v for v in values if isinstance(v, T.Tensor) and v.requires_grad]
    if not (case.grad and leaves and outputs):
        results["requires_grad"] = [bool(outputs)]
        return results
    rng = np.random.default_rng(seed + 1)
    seeds = [T.tensor(rng.standard_normal(tuple(o.shape)).tolist(), dtype=o.dtype).reshape(tuple(o.shape)) for o in outputs]
    smooth = case.second and all(i.dtype in ("float32", "float64") for i in case.inputs if i.dtype.startswith(("f", "bf")))
    grads = T.autograd.grad(outputs, leaves, seeds, create_graph=smooth, allow_unused=True)
    results["gradient"] = [None if g is None else g.detach() for g in grads]
    again = [g for g in grads if g is not None and g.requires_grad]
    if smooth and again:
        seeds = [T.tensor(rng.standard_normal(tuple(g.shape)).tolist(), dtype=g.dtype).reshape(tuple(g.shape)) for g in again]
        results["second gradient"] = list(T.autograd.grad(again, leaves, seeds, allow_unused=True))
    return results


def flatten(value: Any) -> list:
    """Results as a flat list: tensors, numbers, and the members of tuples and lists of them."""
    if isinstance(value, tuple | list) and type(value).__name__ != "Size":
        return [v for member in value for v in flatten(member)]
    return [value]


def compare(mine: Any, real: Any, what: str, case: Case | None = None, strides: bool = False) -> None:
    if isinstance(real, torch.Tensor):
        assert isinstance(mine, tinytorch.Tensor), f"{what}: {mine!r}, torch gives a tensor {real!r}"
        if case is None or case.exact_dtype:
            assert repr(mine.dtype) == repr(real.dtype), f"{what}: dtype {mine.dtype}, torch gives {real.dtype}"
        assert tuple(mine.shape) == tuple(real.shape), f"{what}: shape {tuple(mine.shape)}, torch gives {tuple(real.shape)}"
        if strides:
            assert mine.stride() == real.stride(), f"{what}: strides {mine.stride()}, torch gives {real.stride()}"
        rtol, atol = TOLERANCE.get(str(real.dtype).removeprefix("torch."), (0, 0))
        if case is not None and case.rtol is not None and rtol:
            rtol, atol = case.rtol, case.atol if case.atol is not None else atol
        a = np.asarray(mine.tolist(), dtype=np.float64 if real.dtype.is_floating_point else None)
        b = np.asarray(real.detach().tolist(), dtype=np.float64 if real.dtype.is_floating_point else None)
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol, err_msg=what, equal_nan=True)
    elif isinstance(real, float) and not isinstance(real, bool):
        assert isinstance(mine, float) and (mine == real or np.isclose(mine, real, rtol=1e-6, equal_nan=True)), f"{what}: {mine!r}, torch gives {real!r}"
    elif type(real).__module__.startswith("torch"):
        assert repr(mine) == repr(real), f"{what}: {mine!r}, torch gives {real!r}"
    else:
        assert mine == real, f"{what}: {mine!r}, torch gives {real!r}"


def run_error(case: Error) -> None:
    """Both must refuse: same class, and the key words in both messages."""
    rng = np.random.default_rng(zlib.crc32(case.name.encode()))
    arrays = [i.array(rng) for i in case.inputs]
    caught: list[Exception] = []
    for T in (torch, tinytorch):
        tensors = [i.tensor(T, a) for i, a in zip(case.inputs, arrays, strict=True)]
        try:
            made = case.run(T, *tensors)
        except Exception as error:  # which class it is, is what is compared
            caught.append(error)
        else:
            raise AssertionError(f"{case.name}: {T.__name__} raised nothing and gave {made!r}")
    real, mine = caught
    assert type(mine) is type(real), f"{case.name}: {type(mine).__name__}({mine}), torch raises {type(real).__name__}({real})"
    for word in case.words:
        assert word in str(real), f"{case.name}: {word!r} is not in torch's message: {real}"
        assert word in str(mine), f"{case.name}: {word!r} is not in our message: {mine}"
