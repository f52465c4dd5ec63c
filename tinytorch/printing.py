"""The printed form of a tensor: PyTorch's, character for character.

Three steps. Pick the values that are shown (for a big tensor only its corners), turn each into text under one
common notation, and lay the texts out in brackets. What the numbers do not show (device, dtype, graph) is
said in `name=value` notes. Source: PyTorch's "torch.set_printoptions" page, and what PyTorch prints.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np

from tinytorch import dtypes


@dataclass
class _Options:
    precision: int = 4  # digits after the point
    threshold: float = 1000  # tensors with more elements than this are summarised
    edgeitems: int = 3  # how many items stay at each end of a summarised dimension
    linewidth: int = 80
    sci_mode: bool | None = None  # None: decided by the values


_options = _Options()
_profiles = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Change how tensors print. What is not given stays, but for `sci_mode`, which each call sets anew.

    `precision` is in digits, `threshold` in elements, `edgeitems` in items at each end, `linewidth` in
    characters. `profile` is "default", "short" or "full" (never summarise); the other arguments go over it.
    `sci_mode` forces scientific notation on or off; None leaves the choice to the values.

    >>> import numpy as np
    >>> from tinytorch.tensor import wrap
    >>> set_printoptions(precision=2); wrap(np.float32([1.12345, 2]))
    tensor([1.12, 2.00])
    >>> set_printoptions(profile="default"); wrap(np.float32([1.12345, 2]))
    tensor([1.1235, 2.0000])
    """
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    chosen = _profiles.get(profile or "", {}) | {name: v for name, v in given.items() if v is not None}
    for name, value in chosen.items():
        setattr(_options, name, value)
    _options.sci_mode = sci_mode


def tensor_repr(tensor: Any) -> str:
    """What `repr(tensor)` gives.

    >>> import numpy as np
    >>> from tinytorch.tensor import wrap
    >>> print(tensor_repr(wrap(np.arange(3.0))))
    tensor([0., 1., 2.], dtype=torch.float64)
    """
    kind = type(tensor)
    head = "tensor(" if kind.__name__ in ("Tensor", "Parameter") else f"{kind.__name__}("
    title = "Parameter containing:\n" if any(c.__name__ == "Parameter" for c in kind.__mro__) else ""
    body = "..." if tensor.device.type == "meta" else _body(_host(tensor), column=len(head))
    return title + _with_notes(head + body, _notes(tensor), column=len(head)) + ")"


def format_tensor(tensor: Any, spec: str) -> str:
    """What `format(tensor, spec)` and f-strings give: a 0-d tensor is formatted as its Python number.

    Any other tensor, a 0-d tensor of a subclass too, is its `repr`, and a `spec` for it is a TypeError.

    >>> import numpy as np
    >>> from tinytorch.tensor import wrap
    >>> format_tensor(wrap(np.array(1.5)), ".2f")
    '1.50'
    """
    if type(tensor).__name__ == "Tensor" and not tensor.shape and tensor.device.type != "meta":
        return format(_python_values(_host(tensor))[0], spec)
    return object.__format__(tensor, spec)


def _host(tensor: Any) -> np.ndarray:
    """The tensor's numbers in the CPU's memory."""
    return tensor._array if tensor.device.type == "cpu" else tensor.detach().cpu()._array


# ---- the notes behind the numbers --------------------------------------------------------------------------


def _notes(tensor: Any) -> list[str]:
    """Device, size, dtype and the graph's part, each where it says something that the body does not."""
    notes = []
    shape = tuple(tensor.shape)
    count = math.prod(shape)
    meta = tensor.device.type == "meta"  # a shape and a dtype, and no numbers
    if tensor.device.type != "cpu":
        notes.append(f"device='{tensor.device}'")
    # With no items at the edges PyTorch names the size even where the body shows all.
    if meta or (len(shape) != 1 if count == 0 else _options.edgeitems == 0):
        notes.append(f"size={shape}")
    default = dtypes.get_default_dtype()
    # int64 and bool are told by their numbers, if there are any.
    understood = (default,) if meta or count == 0 else (default, dtypes.int64, dtypes.bool)
    if tensor.dtype not in understood:
        notes.append(f"dtype={tensor.dtype!r}")
    if tensor.grad_fn is not None:
        notes.append(f"grad_fn=<{tensor.grad_fn.name()}>")
    elif tensor.requires_grad:
        notes.append("requires_grad=True")
    return notes


def _with_notes(text: str, notes: list[str], column: int) -> str:
    """`text` and its notes, each on the last line if it fits, else on a new one that starts at `column`."""
    used = len(text.rpartition("\n")[2]) + 2  # room for the two characters that end a line
    for note in notes:
        if used + len(note) + 2 > _options.linewidth:
            text += ",\n" + " " * column + note
            used = column + len(note)
        else:
            text += ", " + note
            used += len(note) + 2
    return text


# ---- the numbers -------------------------------------------------------------------------------------------


def _body(array: np.ndarray, column: int) -> str:
    """The numbers in their brackets; `column` is where on the line the first bracket stands."""
    if array.size == 0:
        return "[]"
    edge = _options.edgeitems
    summarise = array.size > _options.threshold and array.ndim > 0
    if summarise and edge == 0:
        return "[...]"
    cut = [summarise and n > 2 * edge for n in array.shape]
    if any(cut):
        array = _corners(array, cut, edge)
    texts, width = _texts(array)
    cells = iter([text.rjust(width) for text in texts])
    return _brackets(cells, array.shape, cut, column, width) if array.ndim else next(cells)


def _corners(array: np.ndarray, cut: list[bool], edge: int) -> np.ndarray:
    """The first and last `edge` items of each dimension that is cut; nothing else is read."""
    ends = np.r_[:edge, -edge:0]
    return array[np.ix_(*(ends if c else np.arange(n) for n, c in zip(array.shape, cut, strict=True)))]


def _python_values(array: np.ndarray) -> list[Any]:
    """The elements in order, as Python numbers."""
    flat = array.reshape(-1)
    return flat.tolist() if flat.dtype.kind in "biu" else flat.astype(np.float64).tolist()


def _texts(array: np.ndarray) -> tuple[list[str], int]:
    """Each value as text, and the width of a column.

    Only the finite values other than 0 decide about the notation and the width: integers print as `3.`,
    values far apart, huge or tiny as `3.0000e+00`, others as `3.0000`.
    """
    values = _python_values(array)
    if array.dtype.kind in "biu":
        texts = [str(v) for v in values]
        return texts, max(map(len, texts))

    tells = [v != 0 and math.isfinite(v) for v in values]
    telling = [abs(v) for v in compress(values, tells)]
    whole = all(v.is_integer() for v in telling)
    low, high = min(telling, default=1.0), max(telling, default=1.0)
    scientific = _options.sci_mode
    if scientific is None:
        scientific = high / low > 1000 or high > 1e8 or low < 1e-4
    if telling and scientific:
        spec, point = f".{_options.precision}e", ""
    elif whole:
        spec, point = ".0f", "."  # the point says that these are floats
    else:
        spec, point = f".{_options.precision}f", ""
    texts = [format(v, spec) + (point if math.isfinite(v) else "") for v in values]
    return texts, max(map(len, compress(texts, tells)), default=1)


def _brackets(cells: Iterator[str], shape: tuple[int, ...], cut: list[bool], column: int, width: int) -> str:
    """The next cells laid out as an array of `shape`, its first bracket at `column`."""
    newline = ",\n" + " " * (column + 1)
    if len(shape) > 1:
        rows = [_brackets(cells, shape[1:], cut[1:], column + 1, width) for _ in range(shape[0])]
        if cut[0]:
            rows.insert(_options.edgeitems, "...")
        blank_lines = "\n" * (len(shape) - 2)  # the more dimensions end here, the wider the gap
        return "[" + newline.replace("\n", "\n" + blank_lines).join(rows) + "]"

    row = [next(cells) for _ in range(shape[0])]
    if cut[0]:
        row.insert(_options.edgeitems, " ...")
    per_line = max(1, math.floor((_options.linewidth - column) / (width + 2)))  # a comma and a space
    return "[" + newline.join(", ".join(row[i : i + per_line]) for i in range(0, len(row), per_line)) + "]"
