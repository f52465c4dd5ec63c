"""Drawing in SVG, small and the same on every machine, and showing it with its alternative text."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

from tinytorch.course.widgets import palette

FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"


class Canvas:
    """An SVG picture under construction, in pixels, with (0, 0) at the upper left."""

    def __init__(self, width: float, height: float, alt: str) -> None:
        self.width, self.height, self.alt = width, height, alt
        self.parts: list[str] = []
        self.rect(0, 0, width, height, fill=palette.PAPER, radius=8)

    def add(self, tag: str, **attributes: object) -> None:
        said = "".join(f' {name.rstrip("_").replace("_", "-")}="{_value(v)}"' for name, v in attributes.items())
        self.parts.append(f"<{tag}{said}/>")

    def rect(
        self, x: float, y: float, width: float, height: float, fill: str = "none", stroke: str = "none",
        line: float = 1, radius: float = 0, dash: str = "none",
    ) -> None:  # fmt: skip
        self.add(
            "rect", x=x, y=y, width=width, height=height, rx=radius, fill=fill, stroke=stroke, stroke_width=line,
            stroke_dasharray=dash,
        )  # fmt: skip

    def path(
        self, points: Sequence[tuple[float, float]], stroke: str, line: float = 1.5, dash: str = "none",
        mark: bool = False,
    ) -> None:  # fmt: skip
        """A line through points; with `mark`, an arrow head at its end."""
        d = "M" + " L".join(f"{_value(x)},{_value(y)}" for x, y in points)
        self.add("path", d=d, fill="none", stroke=stroke, stroke_width=line, stroke_dasharray=dash)
        if mark:
            (x0, y0), (x1, y1) = points[-2:]
            length = max(((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5, 1e-9)
            ux, uy = (x1 - x0) / length, (y1 - y0) / length
            size = 4 + 2 * line
            left = (x1 - size * ux - size * uy / 2, y1 - size * uy + size * ux / 2)
            right = (x1 - size * ux + size * uy / 2, y1 - size * uy - size * ux / 2)
            corners = " ".join(f"{_value(x)},{_value(y)}" for x, y in ((x1, y1), left, right))
            self.add("polygon", points=corners, fill=stroke)

    def dot(self, x: float, y: float, radius: float, fill: str) -> None:
        self.add("circle", cx=x, cy=y, r=radius, fill=fill)

    def text(
        self, x: float, y: float, words: str, size: float = 14, fill: str = palette.INK, anchor: str = "middle",
        bold: bool = False,
    ) -> None:  # fmt: skip
        extra = ' font-weight="600"' if bold else ""
        self.parts.append(
            f'<text x="{_value(x)}" y="{_value(y)}" font-size="{_value(size)}" fill="{fill}" text-anchor="{anchor}"'
            f"{extra}>{escape(words)}</text>"
        )

    def svg(self) -> str:
        """The picture as SVG, with its alternative text for screen readers."""
        size = f'viewBox="0 0 {_value(self.width)} {_value(self.height)}" width="{_value(self.width)}"'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} height="{_value(self.height)}" role="img" '
            f'aria-label="{escape(self.alt)}" font-family="{FONT}" style="max-width:100%;height:auto">'
            + "".join(self.parts)
            + "</svg>"
        )

    def figure(self, caption: str = "", below: str = "") -> str:
        """The picture as an HTML figure that needs no script and no trust: an image, its alt text, a caption."""
        data = base64.b64encode(self.svg().encode()).decode()
        said = f"<figcaption>{caption}</figcaption>" if caption else ""
        return (
            f'<figure style="margin:0.5em 0"><img alt="{escape(self.alt)}" width="{_value(self.width)}" '
            f'style="max-width:100%;height:auto" src="data:image/svg+xml;base64,{data}">{said}</figure>{below}'
        )


class Picture:
    """A still picture as the value of a cell: HTML with alternative text, or that text alone."""

    def __init__(self, canvas: Canvas, caption: str = "", below: str = "") -> None:
        self.canvas, self.caption, self.below = canvas, caption, below

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {
            "text/plain": f"Picture: {self.canvas.alt}",
            "text/html": self.canvas.figure(self.caption, self.below),
        }


def table(head: Sequence[str], rows: Sequence[Sequence[str]], summary: str = "The same as a table") -> str:
    """An HTML table, folded away under `summary`."""
    top = "".join(f'<th scope="col" style="text-align:left">{escape(h)}</th>' for h in head)
    body = "".join(
        "<tr>" + "".join(f'<td style="text-align:left">{escape(c)}</td>' for c in row) + "</tr>" for row in rows
    )
    return (
        f"<details><summary>{escape(summary)}</summary><table><thead><tr>{top}</tr></thead>"
        f"<tbody>{body}</tbody></table></details>"
    )


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0")
    return escape(str(value))
