"""Still pictures that more than one lesson uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tinytorch.course.widgets import palette
from tinytorch.course.widgets.svg import Canvas, Picture


def digits(images: Any, labels: Sequence[Any], said: Sequence[Any] | None = None, columns: int = 10) -> Picture:
    """Small grey pictures with their labels below, and, if given, what a model said.

    Args:
        images: array-like of shape (N, height, width) or (N, 1, height, width).
        labels: N numbers.
        said: N numbers; where one differs from its label it is marked with a cross and a frame.
    """
    import numpy as np

    pixels = np.asarray(images, dtype=float)
    pixels = pixels.reshape(len(pixels), *pixels.shape[-2:])
    high = float(pixels.max()) or 1.0
    count, rows, wide = len(pixels), pixels.shape[1], pixels.shape[2]
    cell, size, tall = 76, 60, 104 if said is not None else 88
    columns = min(columns, count)
    alt = f"{count} small pictures of handwritten digits: " + ", ".join(str(int(n)) for n in labels)
    if said is not None:
        alt += ". The model says: " + ", ".join(str(int(n)) for n in said)
    canvas = Canvas(columns * cell + 12, -(-count // columns) * tall + 12, alt + ".")
    for index, picture in enumerate(pixels):
        x, y = 14 + index % columns * cell, 10 + index // columns * tall
        side = size / max(rows, wide)
        canvas.rect(x - 1, y - 1, size + 2, size + 2, palette.PAPER, palette.LINE)
        for r, c in zip(*np.nonzero(picture > 0), strict=True):
            grey = round(255 * (1 - max(float(picture[r, c]) / high, 0.0)))
            canvas.rect(x + c * side, y + r * side, side + 0.2, side + 0.2, f"#{grey:02x}{grey:02x}{grey:02x}")
        label = int(labels[index])
        canvas.text(x + size / 2, y + size + 18, str(label) if said is None else f"is {label}", 14)
        if said is not None:
            wrong = int(said[index]) != label
            canvas.text(x + size / 2, y + size + 34, f"{'✗' if wrong else '✓'} said {int(said[index])}", 13, bold=wrong)
            if wrong:
                canvas.rect(x - 4, y - 4, size + 8, size + 8, stroke=palette.VERMILION, line=3, radius=4)
    return Picture(canvas)


def slope(f: Callable[[float], float], at: float, rise: float, low: float, high: float, formula: str) -> Picture:
    """The curve of `f` between two numbers, and the straight line with slope `rise` that touches it at one point."""
    wide, tall, edge = 560, 320, 46
    xs = [low + (high - low) * i / 80 for i in range(81)]
    ys = [f(x) for x in xs]
    top, bottom = max(ys), min(0.0, min(ys))

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            edge + (x - low) / (high - low) * (wide - 2 * edge),
            tall - edge - (y - bottom) / (top - bottom) * (tall - 2 * edge),
        )

    alt = (
        f"Curve of {formula} from x = {low:g} to {high:g}. At x = {at:g} its height is {f(at):g}, and the line that "
        f"touches it there rises by {rise:g} for each step of 1 to the right."
    )
    canvas = Canvas(wide, tall, alt)
    canvas.path([place(low, bottom), place(high, bottom)], palette.INK, 1.2)
    for x in range(round(low), round(high) + 1):
        px, py = place(float(x), bottom)
        canvas.path([(px, py), (px, py + 5)], palette.INK, 1.2)
        canvas.text(px, py + 20, str(x).replace("-", "−"), 13, palette.MUTED)
    canvas.path([place(x, y) for x, y in zip(xs, ys, strict=True)], palette.BLUE, 3)
    reach = min((high - at), (top - f(at)) / rise if rise > 0 else high - at)
    back = min(at - low, (f(at) - bottom) / rise if rise > 0 else at - low)
    ends = [place(at - back, f(at) - back * rise), place(at + reach, f(at) + reach * rise)]
    canvas.path(ends, palette.VERMILION, 2.5, dash="7 5")
    px, py = place(at, f(at))
    canvas.dot(px, py, 6, palette.INK)
    canvas.text(px - 12, py - 10, f"({at:g}, {f(at):g})", 14, anchor="end", bold=True)
    canvas.text(edge, 24, f"{formula} (full line) and its slope {rise:g} at x = {at:g} (dashed)", 14, anchor="start")
    return Picture(canvas)


def machine(*boxes: tuple[str, str]) -> Picture:
    """Boxes in a row with arrows between them: each a heading and a line below it."""
    alt = f"{len(boxes)} boxes in a row with arrows between them: {'; '.join(' '.join(box) for box in boxes)}."
    wide, gap, tall = 156.0, 34.0, 96.0
    canvas = Canvas(len(boxes) * wide + (len(boxes) - 1) * gap + 28, tall, alt)
    for index, (head, below) in enumerate(boxes):
        x = 14 + index * (wide + gap)
        canvas.rect(x, 16, wide, 62, palette.PALE, palette.INK, 1.3, 8)
        canvas.text(x + wide / 2, 42, head, 15, bold=True)
        canvas.text(x + wide / 2, 63, below, 12.5, palette.MUTED)
        if index:
            canvas.path([(x - gap + 3, 47), (x - 4, 47)], palette.INK, 2, mark=True)
    return Picture(canvas)


def column_sums(rows: Sequence[Sequence[float]]) -> Picture:
    """A gradient of a batch, and its sums down the columns: the gradient of a bias that was lent to every row."""
    columns, sums = len(rows[0]), [sum(column) for column in zip(*rows, strict=True)]
    cell, left, top = 64.0, 190.0, 20.0
    alt = (
        f"A table of {len(rows)} rows and {columns} columns, the gradients that arrive: "
        + "; ".join(", ".join(f"{n:g}" for n in row) for row in rows)
        + ". An arrow leads down from each column to its sum, the gradient of the bias: "
        + ", ".join(f"{n:g}" for n in sums)
        + "."
    )
    canvas = Canvas(left + columns * cell + 24, top + (len(rows) + 2) * 40.0, alt)
    canvas.text(left - 14, top + len(rows) * 20 + 5, "gradient that arrives", 14, anchor="end")
    for r, row in enumerate(rows):
        for c, n in enumerate(row):
            canvas.rect(left + c * cell, top + r * 40, cell, 40, palette.PAPER, palette.LINE)
            canvas.text(left + (c + 0.5) * cell, top + r * 40 + 26, f"{n:g}", 15)
    below = top + len(rows) * 40
    canvas.text(left - 14, below + 58, "gradient of the bias", 14, anchor="end", bold=True)
    for c, n in enumerate(sums):
        middle = left + (c + 0.5) * cell
        canvas.path([(middle, below + 4), (middle, below + 31)], palette.BLUE, 2.5, mark=True)
        canvas.rect(left + c * cell, below + 34, cell, 40, palette.AMBER, palette.BLUE, 2.5)
        canvas.text(middle, below + 60, f"{n:g}", 15, bold=True)
    return Picture(canvas)
