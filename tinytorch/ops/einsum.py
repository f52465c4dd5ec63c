"""Sums of products by the names of dimensions: einsum, and what is one.

The gradient of an einsum is an einsum: for one operand, dy takes its place among the others.
"""

from __future__ import annotations

import string
from typing import Any

from tinytorch import kernels
from tinytorch.autograd.op import Op
from tinytorch.ops.out import with_out
from tinytorch.ops.promotion import need_tensors
from tinytorch.ops.views import diagonal
from tinytorch.tensor import Tensor, normalize_dim

_LETTERS = {letter: number for number, letter in enumerate(string.ascii_uppercase + string.ascii_lowercase)}
_ELLIPSIS = (
    100  # labels of the dimensions that an ellipsis stands for: 100 is the last of them, 101 the one before
)


class Einsum(Op):
    """y = Σ of products,  dx = Σ of the products of dy and the other operands, spread over labels that only x has"""

    label = "View"

    def forward(ctx, *arrays, labels, output):
        ctx.labels, ctx.output = labels, output
        ctx.sizes = {}
        for x, names in zip(arrays, labels, strict=True):
            for name, n in zip(names, x.shape, strict=True):
                ctx.sizes[name] = n if n != 1 else ctx.sizes.get(name, 1)
        ctx._fit = tuple([(x.shape, x.dtype) for x in arrays])
        ctx.save(*arrays)
        return kernels.of(arrays[0]).einsum(arrays, labels, output)

    def backward(ctx, dy):
        operands, k = ctx.saved, kernels.of(dy)
        gradients = []
        for i, needed in enumerate(ctx.needs_input_grad):
            others = [j for j in range(len(operands)) if j != i]
            labels = (ctx.output, *[ctx.labels[j] for j in others])
            known = set().union(*labels)
            mine = ctx.labels[i]
            if not needed:
                gradients.append(None)
                continue
            dx = k.einsum(
                (dy, *[operands[j] for j in others]), labels, tuple([n for n in mine if n in known])
            )
            lengths = iter(dx.shape)
            dx = dx.reshape(tuple([next(lengths) if n in known else 1 for n in mine]))
            gradients.append(k.expand(dx, tuple([ctx.sizes[n] for n in mine])))
        return tuple(gradients)


def contract(operands: Any, labels: Any, output: Any) -> Tensor:
    """The kernel `einsum`, recorded: `labels` names each operand's dimensions by numbers, none twice."""
    return Einsum.apply(*operands, labels=tuple(map(tuple, labels)), output=tuple(output))


def einsum(*args: Any) -> Tensor:
    """The sum of products that an equation describes: `einsum("bij,bjk->bik", a, b)`.

    Labels that are missing on the right are summed over; without `->` the result has those that occur once, in
    alphabetical order. `...` stands for any further dimensions, which broadcast; `ii` for a diagonal. The other form
    has lists of numbers: `einsum(a, [0, 1], b, [1, 2], [0, 2])`. Several operands are multiplied in the cheapest order.

    >>> import tinytorch
    >>> einsum("ij,j->i", tinytorch.ones(2, 3), tinytorch.ones(3))
    tensor([3., 3.])
    """
    if len(args) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one operand and its "
            "subscripts list"
        )
    if isinstance(args[0], str):
        operands = args[1] if len(args) == 2 and isinstance(args[1], list | tuple) else args[1:]
        sides = args[0].replace(" ", "").split("->")
        inputs = [_letters(part, f"for operand {i}") for i, part in enumerate(sides[0].split(","))]
        output = _letters(sides[1], "in the output") if len(sides) > 1 else None
    else:
        operands, inputs = args[: len(args) // 2 * 2 : 2], [_numbers(part) for part in args[1::2]]
        output = _numbers(args[-1]) if len(args) % 2 else None
    if len(inputs) != len(operands):
        word = "fewer" if len(operands) < len(inputs) else "more"
        raise RuntimeError(f"einsum(): {word} operands were provided than specified in the equation")
    for x in operands:
        need_tensors("einsum", operands=x)
    spelled = [_spelled_out(i, x, names) for i, (x, names) in enumerate(zip(operands, inputs, strict=True))]
    labels, sizes, tensors = [], {}, []
    for i, (x, names) in enumerate(zip(operands, spelled, strict=True)):
        x, names = _one_of_each(i, x, names)
        _note_sizes(i, x, names, sizes)
        tensors.append(x)
        labels.append(names)
    return contract(tensors, labels, _output(output, spelled))


def _letters(part: str, where: str) -> list:
    """Subscripts as numbers, with Ellipsis for `...`."""
    found: list = []
    i = 0
    while i < len(part):
        if part[i] == ".":
            if part[i : i + 3] != "..." or Ellipsis in found:
                raise RuntimeError(f"einsum(): found '.' {where} that is not part of any ellipsis")
            found.append(Ellipsis)
            i += 3
            continue
        if part[i] not in _LETTERS:
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {i} in the equation string, subscripts must be in [a-zA-Z]"
            )
        found.append(_LETTERS[part[i]])
        i += 1
    return found


def _numbers(subscripts: Any) -> list:
    for s in subscripts:
        if s is not Ellipsis and not 0 <= s < 52:
            raise ValueError("einsum(): not all subscripts are in range [0, 52)")
    return list(subscripts)


def _spelled_out(i: int, x: Tensor, names: list) -> list[int]:
    """Labels with the ellipsis replaced by one for each dimension that it stands for."""
    hidden = x.ndim - len([n for n in names if n is not Ellipsis])
    if hidden < 0 or (hidden and Ellipsis not in names):
        more = " and no ellipsis was given" if Ellipsis not in names else ""
        raise RuntimeError(
            f"einsum(): the number of subscripts in the equation ({x.ndim - hidden}) does not match the number of "
            "dimensions "
            f"({x.ndim}) for operand {i}{more}"
        )
    stands_for = [_ELLIPSIS + d for d in reversed(range(hidden))]
    return [label for n in names for label in (stands_for if n is Ellipsis else [n])]


def _one_of_each(i: int, x: Tensor, names: list[int]) -> tuple[Tensor, tuple[int, ...]]:
    """An operand whose repeated labels have become diagonals."""
    while len(set(names)) < len(names):
        name = next(n for n in names if names.count(n) > 1)
        first = names.index(name)
        second = names.index(name, first + 1)
        if x.shape[first] != x.shape[second]:
            raise RuntimeError(
                f"einsum(): subscript {_spelling(name)} is repeated for operand {i} but the sizes don't match, "
                f"{x.shape[second]} != {x.shape[first]}"
            )
        x = diagonal(x, 0, first, second)
        names = [n for at, n in enumerate(names) if at not in (first, second)] + [name]
    return x, tuple(names)


def _note_sizes(i: int, x: Tensor, names: tuple[int, ...], sizes: dict[int, int]) -> None:
    for name, n in zip(names, x._array.shape, strict=True):
        if sizes.get(name, 1) != 1 and n not in (1, sizes[name]):
            raise RuntimeError(
                f"einsum(): subscript {_spelling(name)} has size {n} for operand {i} which does not broadcast with "
                f"previously seen size {sizes[name]}"
            )
        sizes[name] = n if n != 1 else sizes.get(name, 1)


def _output(output: list | None, labels: list[list[int]]) -> tuple[int, ...]:
    """The labels of the result: those given, or the ellipsis and then the labels that occur once."""
    seen = [n for names in labels for n in names]
    hidden = sorted({n for n in seen if n >= _ELLIPSIS}, reverse=True)
    if output is None:
        return (*hidden, *sorted(n for n in set(seen) if n < _ELLIPSIS and seen.count(n) == 1))
    found = [label for n in output for label in (hidden if n is Ellipsis else [n])]
    for n in found:
        if n not in seen:
            raise RuntimeError(
                f"einsum(): output subscript {_spelling(n)} does not appear in the equation for any input operand"
            )
        if found.count(n) > 1:
            raise RuntimeError(
                f"einsum(): output subscript {_spelling(n)} appears more than once in the output"
            )
    return tuple(found)


def _spelling(label: int) -> str:
    return "..." if label >= _ELLIPSIS else next(letter for letter, n in _LETTERS.items() if n == label)


@with_out
def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """Sum over the last `dims` dimensions of a and the first of b, or over two given lists of dimensions."""
    need_tensors("tensordot", a=a, b=b)
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.ndim, b.ndim):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        of_a, of_b = list(range(-dims, 0)), list(range(dims))
    else:
        of_a, of_b = [[d] if isinstance(d, int) else list(d) for d in dims]
    if len(of_a) != len(of_b):
        raise RuntimeError("both dimension lists should have same length")
    a_names, b_names = list(range(a.ndim)), list(range(a.ndim, a.ndim + b.ndim))
    for i, j in zip(of_a, of_b, strict=True):
        n, m = a.shape[normalize_dim(i, a.ndim)], b.shape[normalize_dim(j, b.ndim)]
        if n != m and 1 not in (n, m):
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {n} in dim {i} and second "
                f"has size {m} in dim {j}"
            )
        b_names[j] = a_names[i]
    summed = {a_names[i] for i in of_a}
    return contract((a, b), (a_names, b_names), [n for n in a_names + b_names if n not in summed])


@with_out
def inner(input: Tensor, other: Tensor) -> Tensor:
    """Sum over the last dimension of both: (..., K) and (***, K) -> (..., ***). A 0-d tensor is a factor."""
    need_tensors("inner", input=input, other=other)
    if not input.ndim or not other.ndim:
        return input * other
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    return tensordot.without_out(input, other, ([-1], [-1]))


@with_out
def kron(input: Tensor, other: Tensor) -> Tensor:
    """The Kronecker product: every element of `input` times all of `other`, laid out in blocks."""
    need_tensors("kron", input=input, other=other)
    width = max(input.ndim, other.ndim)
    a, b = [(1,) * (width - t.ndim) + tuple(t.shape) for t in (input, other)]
    blocks = input.reshape([n for pair in a for n in (pair, 1)]) * other.reshape(
        [n for pair in b for n in (1, pair)]
    )
    return blocks.reshape([n * m for n, m in zip(a, b, strict=True)])
