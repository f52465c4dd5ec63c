"""Where the boxes of a graph stand: leaves on the left, the result on the right, long edges around other boxes."""

from __future__ import annotations

from tinytorch.course.widgets.trace import Walk

Place = tuple[float, float]  # column, row


def columns(walk: Walk) -> list[int]:
    """The column of each box: a box stands right of all that it was made from, a leaf just left of its first use."""
    depth: dict[int, int] = {}

    def of(box: int) -> int:
        if box not in depth:
            depth[box] = 1 + max((of(to) for to, _ in walk.boxes[box].edges), default=-1)
        return depth[box]

    found = [of(box) for box in range(len(walk.boxes))]
    for box, described in enumerate(walk.boxes):
        if described.is_leaf:
            users = [found[b] for b, other in enumerate(walk.boxes) if any(to == box for to, _ in other.edges)]
            found[box] = min(users, default=1) - 1
    return found


def places(walk: Walk) -> tuple[list[Place], dict[tuple[int, int], list[Place]], int, int]:
    """Column and row of each box; for each edge (box, its number there) the places it passes; how many of both.

    An edge over several columns gets a free place in each column between, so that it runs around the boxes there.
    """
    column = columns(walk)
    width = max(column) + 1
    stands: list[list[object]] = [[] for _ in range(width)]
    for box in sorted(range(len(walk.boxes)), key=lambda b: (walk.boxes[b].name, b)):
        stands[column[box]].append(box)
    links: list[tuple[object, object]] = []
    between: dict[tuple[int, int], list[object]] = {}
    for box, described in enumerate(walk.boxes):
        for number, (to, _) in enumerate(described.edges):
            passed: list[object] = [(box, number, c) for c in range(column[box] - 1, column[to], -1)]
            between[box, number] = passed
            for c, free in zip(range(column[box] - 1, column[to], -1), passed, strict=True):
                stands[c].append(free)
            way = [box, *passed, to]
            links += list(zip(way, way[1:], strict=False))
    row = _rows(stands, links)
    place = {thing: (float(c), row[thing]) for c, things in enumerate(stands) for thing in things}
    paths = {edge: [place[free] for free in passed] for edge, passed in between.items()}
    return [place[b] for b in range(len(walk.boxes))], paths, width, max(map(len, stands))


def _rows(stands: list[list[object]], links: list[tuple[object, object]]) -> dict[object, float]:
    """Rows in which few edges cross: each thing moves towards the middle of its neighbours, over and over."""
    row: dict[object, float] = {}

    def settle(things: list[object]) -> None:
        for index, thing in enumerate(things):
            row[thing] = index - (len(things) - 1) / 2

    for things in stands:
        settle(things)
    for _ in range(8):
        for things in [*stands, *reversed(stands)]:
            middle = {}
            for thing in things:
                near = [row[b] for a, b in links if a == thing] + [row[a] for a, b in links if b == thing]
                middle[thing] = sum(near) / len(near) if near else row[thing]
            things.sort(key=lambda thing: middle[thing])  # noqa: B023
            settle(things)
    return row
