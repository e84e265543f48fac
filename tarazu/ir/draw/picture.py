"""What a drawing of a graph shows: a vertex for each node, in the box of its module, in one of three lanes.

Lanes are columns: the forward pass, the backward pass, and the update that follows it. Constants are in the text of the
node that uses them, and a parameter is drawn once in every box that uses it, so that few long lines cross the drawing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tarazu.base.messages import shortened
from tarazu.ir.node import CONSTANT, PARAMETER, RESULT, Node
from tarazu.ir.structure import GraphStructure
from tarazu.ir.text import attribute_text, constant_text

LONGEST_TEXT = 38  # of a line in a vertex
LANES = ("forward", "backward", "update")  # an update is what depends on gradients: an optimizer's step


class Vertex(NamedTuple):
    """A node as it is drawn."""

    title: str
    detail: str  # its type
    kind: str  # "op", "parameter", "output", or "group" for a module drawn as one box
    lane: str
    path: tuple[str, ...]  # of the boxes around it
    note: str = ""  # shown on hovering: attributes, the user's line


@dataclass
class Picture:
    """The vertices of a drawing, and its edges as pairs of their positions."""

    vertices: list[Vertex] = field(default_factory=list)
    edges: dict[tuple[int, int], None] = field(default_factory=dict)

    @property
    def lanes(self) -> list[str]:
        """The lanes that hold something, from left to right."""
        return [lane for lane in LANES if any(vertex.lane == lane for vertex in self.vertices)]

    def add(self, vertex: Vertex) -> int:
        self.vertices.append(vertex)
        return len(self.vertices) - 1


def picture(graph: GraphStructure, depth: int | None = None) -> Picture:
    """The picture of `graph`; modules nested deeper than `depth` are drawn as one box each."""
    return _Painter(graph, depth).picture


class _Painter:
    def __init__(self, graph: GraphStructure, depth: int | None) -> None:
        self.graph, self.depth, self.picture = graph, depth, Picture()
        self.lane: dict[Node, str] = {}
        self._position: dict[Any, int] = {}  # of the vertex of a node, of a folded box, of a parameter in a box
        self._outputs: dict[Node, list[int]] = {}
        for position, node in enumerate(graph.outputs):
            self._outputs.setdefault(_producer(node), []).append(position)
        self._names = {node: node.origin.name or f"input {i}" for i, node in enumerate(graph.parameters)}
        for node in graph.nodes:
            if node.op not in (PARAMETER, CONSTANT, RESULT):
                self._paint(node)
        self._paint_bare_outputs()

    def _paint(self, node: Node) -> None:
        lane = self.lane[node] = self._lane_of(node)
        path = node.origin.scope
        is_folded = self.depth is not None and len(path) > self.depth
        around = path[:self.depth] if is_folded else path
        sources = [self._source(x, lane, around, node) for x in map(_producer, node.inputs) if x.op is not CONSTANT]
        target = self._position[node] = (self._folded(path[:len(around) + 1], lane) if is_folded
                                      else self.picture.add(self._vertex(node, lane, path)))
        self.picture.edges.update({(source, target): None for source in sources if source != target})

    def _lane_of(self, node: Node) -> str:
        if node.origin.is_backward:
            return "backward"
        before = {self.lane.get(_producer(x), "forward") for x in node.inputs}
        return "forward" if before <= {"forward"} else "update"

    def _vertex(self, node: Node, lane: str, path: tuple[str, ...]) -> Vertex:
        constants = [constant_text(x.attributes["value"].array) for x in node.inputs if x.op is CONSTANT]
        name = node.attributes.get("label", node.op.name)  # type: ignore[union-attr]
        types = node.type if node.op.multiple else [node.type]  # type: ignore[union-attr]
        note = " ".join(f"{key}={attribute_text(value)}" for key, value in node.attributes.items())
        detail, kind = ", ".join(map(str, types)), "op"
        if node in self._outputs:
            kind, detail = "output", f"{detail} → result {', '.join(map(str, self._outputs[node]))}"
        text, detail = (shortened(line, LONGEST_TEXT) for line in (" ".join([name, *constants]), detail))
        return Vertex(text, detail, kind, lane, path, "\n".join(filter(None, [name, note, node.origin.line])))

    def _source(self, node: Node, lane: str, path: tuple[str, ...], user: Node) -> int:
        """The vertex of a node that is used in the box at `path`: a parameter has one per box, or per update."""
        key = (node, lane, path, user if lane == "update" else None) if node.op is PARAMETER else node
        if key not in self._position:
            self._position[key] = self.picture.add(Vertex(self._names[node], str(node.type), "parameter", lane, path))
        return self._position[key]

    def _folded(self, path: tuple[str, ...], lane: str) -> int:
        if (path, lane) not in self._position:
            self._position[path, lane] = self.picture.add(Vertex(path[-1], "folded up", "group", lane, path[:-1]))
        return self._position[path, lane]

    def _paint_bare_outputs(self) -> None:
        """Outputs of the graph that are a parameter or a constant."""
        for node, positions in self._outputs.items():
            if node.op in (PARAMETER, CONSTANT):
                text = self._names[node] if node.op is PARAMETER else constant_text(node.attributes["value"].array)
                detail = f"{node.type} → result {', '.join(map(str, positions))}"
                self.picture.add(Vertex(shortened(text, LONGEST_TEXT), detail, "output", "forward", ()))


def _producer(node: Node) -> Node:
    return node.inputs[0] if node.op is RESULT else node
