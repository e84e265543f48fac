"""Graphs of primitives as users see them: the structure, its text, its costs and its drawings."""

from __future__ import annotations

from pathlib import Path

from tarazu.ir.cost import Counts, counts
from tarazu.ir.structure import GraphStructure
from tarazu.ir.text import to_text


class Graph(GraphStructure):
    """A function as data: parameters and outputs; equal to another graph when the structure is."""

    __slots__ = ()

    def __str__(self) -> str:
        return to_text(self)

    def counts(self) -> Counts:
        """Nodes, floating-point operations and bytes by primitive; `print` shows a table.

        >>> import tarazu as tz
        >>> graph = tz.trace(lambda x, y: x @ y)(tz.ones(2, 3), tz.ones(3, 4))
        >>> graph.counts().nodes, graph.counts().flops
        ({'dot': 1}, 48)
        """
        return counts(self)

    def to_svg(self, depth: int | None = None) -> str:
        """A drawing in SVG: modules are boxes (folded up where nested deeper than `depth`), gradients a second lane."""
        from tarazu.ir.draw.svg import to_svg

        return to_svg(self, depth)

    def to_html(self, path: str | Path, title: str = "graph", depth: int | None = None) -> Path:
        """Write a page with the drawing, the counts and the text; gives the path."""
        from tarazu.ir.draw.svg import to_html

        return to_html(self, path, title, depth)

    def to_mermaid(self, depth: int | None = None) -> str:
        """The drawing as a Mermaid flowchart, for Markdown pages."""
        from tarazu.ir.draw.dialects import to_mermaid

        return to_mermaid(self, depth)

    def to_dot(self, depth: int | None = None) -> str:
        """The drawing in DOT, the language of Graphviz."""
        from tarazu.ir.draw.dialects import to_dot

        return to_dot(self, depth)
