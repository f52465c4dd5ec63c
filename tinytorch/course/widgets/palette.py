"""The colours of all pictures of the course, defined once. They can be told apart by colour-blind people.

Source: Okabe and Ito, "Color Universal Design". No picture says anything by colour alone: what is current also has a
thick border and a word, what is done a tick.
"""

from __future__ import annotations

PAPER = "#ffffff"  # every picture brings its own paper, so that it reads the same in a light and in a dark theme
INK = "#1a1a1a"
MUTED = "#595959"
LINE = "#8a8a8a"
PALE = "#eef3f7"

BLUE = "#0072b2"  # what is current, what is measured
VERMILION = "#d55e00"  # strokes and marks only: too light for text on paper
GREEN = "#00704f"
AMBER = "#fff3d6"  # ground of what is current

TEXT_ON_PAPER = (INK, MUTED, BLUE, GREEN)
STROKES_ON_PAPER = (LINE, BLUE, VERMILION, GREEN)


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`, 0 for black to 1 for white (WCAG 2.2)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, 1 to 21. Text needs 4.5, lines and marks 3 (WCAG 2.2).

    >>> round(contrast("#000000", "#ffffff"))
    21
    """
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
