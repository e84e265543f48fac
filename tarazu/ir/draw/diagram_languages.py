"""A picture in the languages of other programs: Mermaid (in Markdown pages) and DOT (Graphviz)."""

from __future__ import annotations

from collections.abc import Callable

from tarazu.ir.draw.picture import Picture, Vertex, picture
from tarazu.ir.structure import GraphStructure

Group = tuple[str, ...]


def to_mermaid(graph: GraphStructure, depth: int | None = None) -> str:
    """The graph as a Mermaid flowchart, modules as subgraphs."""
    shown = picture(graph, depth)
    lines = _nested(shown, _mermaid_vertex, lambda number, title: f'subgraph box{number}["{title}"]', "end")
    return "\n".join(["flowchart TD", *lines, *[f"  n{u} --> n{v}" for u, v in shown.edges]])


def to_dot(graph: GraphStructure, depth: int | None = None) -> str:
    """The graph in Graphviz's language, modules as clusters."""
    shown = picture(graph, depth)
    lines = _nested(shown, _dot_vertex, lambda number, title: f'subgraph cluster{number} {{ label="{title}"', "}")
    head = ["digraph graph_ {", '  node [shape=box, fontname="monospace", fontsize=10]']
    return "\n".join([*head, *lines, *[f"  n{u} -> n{v}" for u, v in shown.edges], "}"])


def _nested(shown: Picture, line: Callable[[int, Vertex], str], opening: Callable[[int, str], str],
            closing: str) -> list[str]:
    """A line for each vertex, between the lines that open and close its lane and its boxes."""
    groups: dict[Group, list[Group | int]] = {(): []}

    def group(path: Group) -> list[Group | int]:
        if path not in groups:
            groups[path] = []
            group(path[:-1]).append(path)
        return groups[path]

    for i, vertex in enumerate(shown.vertices):
        group((vertex.lane, *vertex.path)).append(i)
    number = {path: i for i, path in enumerate(groups)}

    def lines(path: Group) -> list[str]:
        inside = []
        for member in groups[path]:
            inside += ([line(member, shown.vertices[member])] if isinstance(member, int)
                       else [opening(number[member], _quoted(member[-1])), *lines(member), closing])
        return ["  " + text for text in inside]
    return lines(())


def _mermaid_vertex(i: int, vertex: Vertex) -> str:
    left, right = ("([", "])") if vertex.kind == "parameter" else ("[", "]")
    return f'n{i}{left}"{_quoted(vertex.title)}<br/>{_quoted(vertex.detail)}"{right}'


def _dot_vertex(i: int, vertex: Vertex) -> str:
    style = ", style=rounded" if vertex.kind == "parameter" else ", penwidth=2" if vertex.kind == "output" else ""
    return f'n{i} [label="{_quoted(vertex.title)}\\n{_quoted(vertex.detail)}"{style}]'


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', "'")
