"""Where the vertices of a picture go: boxes in boxes, each laid out in rows so that edges lead from row to row.

A row is the length of the longest path from a source (Sugiyama, Tagawa and Toda, 1981); within a row the order follows
the mean position of the neighbors. The backward lane is laid out upwards, so that a layer's gradient is beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tarazu.ir.draw.picture import Picture

CHARACTER, LINE = 6.7, 15.0  # of the 11 px monospace font, in px
ACROSS, DOWN, PADDING, HEADING = 14.0, 24.0, 12.0, 20.0
WIDEST = 3  # components side by side; where there are more, they go below each other


@dataclass
class Box:
    """A vertex, or a named box of further boxes; (x, y) is relative to the box around it until `make_absolute`."""

    title: str = ""
    vertex: int | None = None
    children: list[Box] = field(default_factory=list)
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0

    def make_absolute(self, x: float, y: float) -> Box:
        """Put this box at (x, y), and make the positions of all boxes in it absolute."""
        self.x, self.y = x, y
        for child in self.children:
            child.make_absolute(x + child.x, y + child.y)
        return self

    def vertices(self) -> list[Box]:
        """The boxes of single vertices, at any depth."""
        return [self] if self.vertex is not None else [box for child in self.children for box in child.vertices()]


def layout(picture: Picture) -> list[Box]:
    """A box for each lane, side by side, all positions absolute."""
    lanes, x = [], PADDING
    for lane in picture.lanes:
        box = _tree(picture, lane)
        _arrange(box, picture, upwards=lane == "backward")
        lanes.append(box.make_absolute(x, PADDING))
        x += box.width + 5 * ACROSS
    if len(lanes) > 1:
        _level(lanes)
    return lanes


def _level(lanes: list[Box]) -> None:
    """Align the bottoms of the first two lanes, as the backward pass begins where the forward pass ends.

    A third lane, the update, begins at the top of the second, or higher where it would reach below the bottom.
    """
    bottom = max(lane.height for lane in lanes) + PADDING
    for lane in lanes[:2]:
        _shift(lane, bottom - lane.y - lane.height)
    for lane in lanes[2:]:
        _shift(lane, max(0, min(lanes[1].y, bottom - lane.height) - lane.y))


def _shift(box: Box, dy: float) -> None:
    box.y += dy
    for child in box.children:
        _shift(child, dy)


def _tree(picture: Picture, lane: str) -> Box:
    boxes: dict[tuple[str, ...], Box] = {(): Box(lane)}
    for i, vertex in enumerate(picture.vertices):
        if vertex.lane == lane:
            width = max(len(vertex.title), len(vertex.detail)) * CHARACTER + 16
            _box(boxes, vertex.path).children.append(Box(vertex=i, width=width, height=2 * LINE + 8))
    return boxes[()]


def _box(boxes: dict[tuple[str, ...], Box], path: tuple[str, ...]) -> Box:
    if path not in boxes:
        boxes[path] = Box(path[-1])
        _box(boxes, path[:-1]).children.append(boxes[path])
    return boxes[path]


def _arrange(box: Box, picture: Picture, *, upwards: bool) -> None:
    """Set the positions of the children of `box`, theirs first, and its size."""
    for child in box.children:
        if child.vertex is None:
            _arrange(child, picture, upwards=upwards)
    owner = {inner.vertex: i for i, child in enumerate(box.children) for inner in child.vertices()}
    edges = sorted({(owner[u], owner[v]) for u, v in picture.edges
                    if u in owner and v in owner and owner[u] != owner[v]})
    beside = {u: v for u, v in reversed(edges) if _is_parameter(box.children[u], picture)}
    inner = [edge for edge in _without_cycles(edges, box.children) if edge[0] not in beside]
    groups = _components([i for i in range(len(box.children)) if i not in beside], inner)
    if len(groups) <= WIDEST:
        groups = [[child for group in groups for child in group]]
    parameters: dict[int, list[int]] = {}
    for u, v in beside.items():
        parameters.setdefault(v, []).append(u)
    rows = [_with_neighbors(row, parameters) for group in groups for row in _ordered(_rows(group, inner), edges)]
    _set_positions(box, rows[::-1] if upwards else rows, upwards=upwards)


def _components(children: list[int], edges: list[tuple[int, int]]) -> list[list[int]]:
    """The connected components of the graph that the children and edges make."""
    component = {child: [child] for child in children}
    for u, v in edges:
        small, large = sorted((component[u], component[v]), key=len)
        if small is not large:
            large += small
            component.update(dict.fromkeys(small, large))
    members = {id(group): sorted(group) for group in component.values()}
    return sorted(members.values())


def _is_parameter(box: Box, picture: Picture) -> bool:
    return box.vertex is not None and picture.vertices[box.vertex].kind == "parameter"


def _with_neighbors(row: list[int], beside: dict[int, list[int]]) -> list[int]:
    """The row with parameters beside what uses them first: half of them to the left, half to the right."""
    whole: list[int] = []
    for child in row:
        own = beside.get(child, [])
        whole += [*own[:len(own) // 2], child, *own[len(own) // 2:]]
    return whole


def _without_cycles(edges: list[tuple[int, int]], children: list[Box]) -> list[tuple[int, int]]:
    """The edges that lead from an earlier child to a later one; children are ordered by their first vertex."""
    first = [min(inner.vertex or 0 for inner in child.vertices()) for child in children]
    return [(u, v) for u, v in edges if first[u] < first[v]]


def _rows(children: list[int], edges: list[tuple[int, int]]) -> list[list[int]]:
    row = dict.fromkeys(children, 0)
    edges = [(u, v) for u, v in edges if u in row and v in row]
    for _ in children:  # relaxation; bounded, so that it ends where there is a cycle
        before = dict(row)
        for u, v in edges:
            row[v] = max(row[v], row[u] + 1)
        if row == before:
            break
    targets = {v for _, v in edges}
    users: dict[int, list[int]] = {}
    for u, v in edges:
        users.setdefault(u, []).append(v)
    for u in children:  # a child without inputs goes to the row above its first user
        if u not in targets and u in users:
            row[u] = min(row[v] for v in users[u]) - 1
    levels: dict[int, list[int]] = {level: [] for level in sorted(set(row.values()))}
    for child in children:
        levels[row[child]].append(child)
    return list(levels.values())


def _ordered(rows: list[list[int]], edges: list[tuple[int, int]]) -> list[list[int]]:
    """Each row sorted by the mean position of its neighbors, going down, up and down again."""
    neighbors: dict[int, list[int]] = {}
    for u, v in edges:
        neighbors.setdefault(u, []).append(v)
        neighbors.setdefault(v, []).append(u)
    position = {child: i - (len(row) - 1) / 2 for row in rows for i, child in enumerate(row)}
    for sweep in (rows, rows[::-1], rows):
        for row in sweep:
            near = {child: [position[other] for other in neighbors.get(child, ()) if other in position]
                    or [position[child]] for child in row}
            row.sort(key=lambda child: sum(near[child]) / len(near[child]))
            position.update({child: i - (len(row) - 1) / 2 for i, child in enumerate(row)})
    return rows


def _set_positions(box: Box, rows: list[list[int]], *, upwards: bool) -> None:
    widths = [sum(box.children[i].width + ACROSS for i in row) - ACROSS for row in rows]
    box.width = max([*widths, len(box.title) * CHARACTER]) + 2 * PADDING
    y = PADDING + HEADING
    for row, width in zip(rows, widths, strict=True):
        height = max(box.children[i].height for i in row)
        x = (box.width - width) / 2
        for child in (box.children[i] for i in row):
            child.x, child.y = x, y if upwards else y + height - child.height  # at the side of the next row
            x += child.width + ACROSS
        y += height + DOWN
    box.height = y - DOWN + PADDING
