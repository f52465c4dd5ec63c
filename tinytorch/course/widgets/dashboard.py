"""The training dashboard: a progress bar and a live loss curve."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sized
from typing import Any

from tinytorch.course.widgets import palette
from tinytorch.course.widgets.svg import Canvas, table

LEFT, RIGHT, TOP, BOTTOM, W, H = 64, 20, 62, 44, 640, 330


class Dashboard:
    """Loop over epochs with it, and tell it the loss: it draws how far training is and how the loss falls.

    >>> board = Dashboard(3, live=False)
    >>> for epoch in board:
    ...     board.log(loss=1 / (1 + epoch))
    >>> [round(loss, 2) for loss in board.losses]
    [1.0, 0.5, 0.33]

    Args:
        epochs: how many, or what to loop over.
        title: what is being trained.
        live: draw while the loop runs. Afterwards the last picture stays, also where no kernel runs.
    """

    def __init__(self, epochs: int | Iterable[Any], title: str = "Training", live: bool = True) -> None:
        self.epochs = range(epochs) if isinstance(epochs, int) else epochs
        self.total = len(self.epochs) if isinstance(self.epochs, Sized) else 0
        self.title, self.live = title, live
        self.done = 0
        self.losses: list[float] = []
        self.notes: dict[str, float] = {}
        self._handle: Any = None
        self._drawn = 0.0

    def __iter__(self) -> Iterator[Any]:
        self._draw(force=True)
        for item in self.epochs:
            yield item
            self.done += 1
            self._draw(force=self.done == self.total)
        self._draw(force=True)

    def log(self, loss: float, **notes: float) -> None:
        """Note the loss of an epoch, and any other numbers to be shown beside it."""
        self.losses.append(float(loss))
        self.notes = {name: float(value) for name, value in notes.items()}

    def words(self) -> str:
        """The state in a sentence."""
        parts = [f"{self.title}: epoch {self.done} of {self.total or '?'}"]
        if self.losses:
            parts.append(f"loss {self.losses[0]:.4f} at first, {self.losses[-1]:.4f} now")
        parts += [f"{name} {value:.4f}" for name, value in self.notes.items()]
        return ", ".join(parts)

    def canvas(self) -> Canvas:
        """The picture: a bar, the numbers, the curve."""
        words = self.words()
        canvas = Canvas(W, H, words + ". Curve of the loss over the epochs.")
        canvas.text(LEFT, 20, words, 14, anchor="start", bold=True)
        wide = W - LEFT - RIGHT
        share = self.done / self.total if self.total else 0.0
        canvas.rect(LEFT, 30, wide, 14, palette.PALE, palette.INK, 1, 4)
        if share:
            canvas.rect(LEFT, 30, wide * share, 14, palette.BLUE, radius=4)
        bottom, high = H - BOTTOM, max(self.losses, default=1.0) * 1.05 or 1.0
        canvas.path([(LEFT, TOP), (LEFT, bottom), (W - RIGHT, bottom)], palette.INK, 1.2)
        for part in range(5):
            y = bottom - (bottom - TOP) * part / 4
            canvas.text(LEFT - 8, y + 4, f"{high * part / 4:.2g}", 12, palette.MUTED, "end")
            if part:
                canvas.path([(LEFT, y), (W - RIGHT, y)], palette.PALE, 1)
        span = max(self.total or len(self.losses), 2) - 1
        points = [
            (LEFT + wide * i / span, bottom - (bottom - TOP) * min(max(loss / high, 0.0), 1.0))
            for i, loss in enumerate(self.losses)
            if loss == loss
        ]
        if len(points) > 1:
            canvas.path(points, palette.BLUE, 2.5)
        for x, y in points[-1:]:
            canvas.dot(x, y, 5, palette.VERMILION)
        for i in sorted({0, span // 2, span}):
            canvas.text(LEFT + wide * i / span, bottom + 18, str(i + 1), 12, palette.MUTED)
        canvas.text(LEFT + wide / 2, H - 8, "epoch", 13, palette.MUTED)
        canvas.text(16, TOP - 16, "loss", 13, palette.MUTED, "start")
        return canvas

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        rows = [[str(i + 1), f"{loss:.4f}"] for i, loss in enumerate(self.losses)]
        return {
            "text/plain": self.words(),
            "text/html": self.canvas().figure(below=table(("epoch", "loss"), rows, "The losses as a table")),
        }

    def _draw(self, force: bool = False) -> None:
        """Show the picture, at most five times a second."""
        now = time.monotonic()
        if not self.live or (not force and now - self._drawn < 0.2):
            return
        from IPython.display import display

        self._drawn = now
        if self._handle is None:
            self._handle = display(self, display_id=True)
        else:
            self._handle.update(self)
