"""The picture of a graph at one step of its backward pass."""

from __future__ import annotations

from tinytorch.course.widgets import palette
from tinytorch.course.widgets.layout import places
from tinytorch.course.widgets.svg import Canvas
from tinytorch.course.widgets.trace import Walk, number

WIDTH, HEIGHT, GAP, BETWEEN, MARGIN = 132.0, 86.0, 100.0, 36.0, 16.0


def draw(walk: Walk, step: int) -> Canvas:
    """The graph after `step` steps: values in boxes, local derivatives on edges, gradients as far as they came."""
    where, paths, columns, rows = places(walk)
    canvas = Canvas(
        2 * MARGIN + columns * WIDTH + (columns - 1) * GAP,
        2 * MARGIN + 16 + rows * HEIGHT + (rows - 1) * BETWEEN,
        describe(walk, step),
    )

    def corner(place: tuple[float, float]) -> tuple[float, float]:
        column, row = place
        middle = (canvas.height + 8) / 2 + row * (HEIGHT + BETWEEN)
        return MARGIN + column * (WIDTH + GAP), middle - HEIGHT / 2

    now = walk.steps[step - 1].box if step else 0
    labels = []
    for box, described in enumerate(walk.boxes):
        twins = [to for to, _ in described.edges]
        heights = [((paths[box, n] or [where[to]])[0][1], n) for n, to in enumerate(twins)]
        rank = {n: place for place, (_, n) in enumerate(sorted(heights))}  # upper neighbours enter above
        for number_, (to, local) in enumerate(described.edges):
            x, y = corner(where[box])
            spread = (rank[number_] - (len(twins) - 1) / 2) * 26
            points = [(x - 2, y + HEIGHT / 2 + spread)]
            for free in paths[box, number_]:
                fx, fy = corner(free)
                points += [(fx + WIDTH, fy + HEIGHT / 2), (fx, fy + HEIGHT / 2)]
            x, y = corner(where[to])
            shift = spread if twins.count(to) > 1 else 0.0
            points.append((x + WIDTH + 2, y + HEIGHT / 2 + shift))
            sent = walk.steps[step - 1].sent[number_] if step and now == box else None
            labels.append(_edge(canvas, points, local, sent, walk.steps[step - 1].arrived if step else 1.0))
    for x, y, said, is_thick in labels:
        wide = 7.4 * len(said) + 4
        canvas.rect(x - wide / 2, y - 12, wide, 15, palette.PAPER)
        canvas.text(x, y, said, 13, palette.BLUE if is_thick else palette.MUTED, bold=is_thick)
    done = {s.box for s in walk.steps[: max(step - 1, 0)]}
    for box in range(len(walk.boxes)):
        _box(canvas, walk, box, step, corner(where[box]), is_now=box == now, is_done=box in done - {now})
    return canvas


def _edge(
    canvas: Canvas, points: list[tuple[float, float]], local: float, sent: float | None, arrived: float
) -> tuple[float, float, str, bool]:
    """From the box that uses a value (first point) to the one that made it; thick where a gradient travels now.

    Returns:
        What is to be written on the edge: where, which words, whether it is thick.
    """
    if sent is None:
        canvas.path(points[::-1], palette.LINE, 1.5, mark=True)
        said = f"× {number(local)}"
    else:
        canvas.path(points, palette.BLUE, 4, mark=True)
        said = f"{number(arrived)} · {number(local)} = {number(sent)}"
    (x0, y0), (x1, y1) = points[:2]
    level = abs(y1 - y0) < 20
    along = 0.5 if level else 0.4  # on a slanting line nearer to the box that sends, where lines have parted
    x, y = x0 + (x1 - x0) * along, y0 + (y1 - y0) * along
    return x, y - 9 if level else y + 5, said, sent is not None


def _box(
    canvas: Canvas, walk: Walk, box: int, step: int, corner: tuple[float, float], is_now: bool, is_done: bool
) -> None:
    (x, y), described = corner, walk.boxes[box]
    gradient = walk.gradient(box, step)
    fill = palette.AMBER if is_now else palette.PALE if is_done else palette.PAPER
    canvas.rect(x, y, WIDTH, HEIGHT, fill, palette.BLUE if is_now else palette.INK, 3.5 if is_now else 1.3, 8)
    middle = x + WIDTH / 2
    size = 15.0 if len(described.title) < 14 else 12.0
    canvas.text(middle, y + 22, described.title, size, bold=True)
    value = "" if described.value is None else f"value {number(described.value)}"
    canvas.text(middle, y + 43, value, 14)
    canvas.path([(x + 10, y + 54), (x + WIDTH - 10, y + 54)], palette.LINE, 1)
    word = f"{described.name}.grad" if described.is_leaf and (is_now or is_done) else "gradient"
    said = f"{word} {'—' if gradient is None else number(gradient)}"
    canvas.text(middle, y + 74, said, 14 if len(said) < 15 else 12, palette.BLUE, bold=True)
    if is_now or is_done:
        canvas.text(middle, y - 7, "▶ now" if is_now else "✓ done", 12, palette.INK, bold=is_now)


def describe(walk: Walk, step: int) -> str:
    """The alternative text: what the graph is, and how far the gradients have come."""
    made = [f"{b.title}, value {number(b.value)}" for b in walk.boxes if not b.is_leaf]
    leaves = [f"{b.name} with value {number(b.value)}" for b in walk.boxes if b.is_leaf]
    return (
        f"Graph of {walk.expression}, from left to right: leaf {', leaf '.join(leaves)}; "
        f"then {'; '.join(reversed(made))}. {walk.sentence(step)}"
    )
