"""Graphs of primitives as users see them: structure (from structure.py), text, costs and drawings."""

from __future__ import annotations

from html import escape
from pathlib import Path

from tarazu.ir.cost import Counts, counts
from tarazu.ir.structure import GraphStructure
from tarazu.ir.text import to_text

MOST_DRAWN = 400  # nodes; of larger graphs notebooks show the counts


class Graph(GraphStructure):
    """A function as data, as `tz.trace` gives it: parameters and outputs; equal to another graph of the same structure.

    `print` shows a line per node.

    >>> import tarazu as tz
    >>> print(tz.trace(lambda x: tz.sin(x) + 1)(tz.ones(2)))
    graph(%0: float32[2]):
      %1: float32[2] = sin %0
      %2: float32[2] = add %1 1.0
      return %2
    """

    __slots__ = ()

    def __str__(self) -> str:
        return to_text(self)

    def counts(self) -> Counts:
        """Nodes, floating-point operations and bytes by primitive, and in total; `print` shows a table.

        >>> import tarazu as tz
        >>> graph = tz.trace(lambda x, y: x @ y)(tz.ones(2, 3), tz.ones(3, 4))
        >>> graph.counts().nodes, graph.counts().flops
        ({'dot': 1}, 48)
        """
        return counts(self)

    def to_svg(self, depth: int | None = None) -> str:
        """A drawing as the text of an SVG element: modules are boxes, the backward pass is a column of its own.

        Modules nested deeper than `depth` are drawn as one box each.

        >>> import tarazu as tz
        >>> tz.trace(tz.sin)(tz.ones(2)).to_svg().startswith("<svg")
        True
        """
        from tarazu.ir.draw.svg import to_svg

        return to_svg(self, depth)

    def to_html(self, path: str | Path, title: str = "graph", depth: int | None = None) -> Path:
        """Write an HTML page with the drawing, the counts and the text to `path`, and give the path.

        >>> import tarazu as tz, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     tz.trace(tz.sin)(tz.ones(2)).to_html(f"{folder}/sine.html", "Sine").name
        'sine.html'
        """
        from tarazu.ir.draw.svg import to_html

        return to_html(self, path, title, depth)

    def _repr_html_(self) -> str:
        if len(self.nodes) > MOST_DRAWN:
            return f"<pre>{escape(str(self.counts()))}</pre>"
        return f'<div style="overflow:auto;max-height:36em">{self.to_svg()}</div>'

    def to_mermaid(self, depth: int | None = None) -> str:
        """The drawing as a Mermaid flowchart, which Markdown pages can show.

        >>> import tarazu as tz
        >>> print(tz.trace(tz.sin)(tz.ones(2)).to_mermaid())
        flowchart TD
          subgraph box1["forward"]
            n0(["x<br/>float32[2]"])
            n1["sin<br/>float32[2] → result 0"]
          end
          n0 --> n1
        """
        from tarazu.ir.draw.diagram_languages import to_mermaid

        return to_mermaid(self, depth)

    def to_dot(self, depth: int | None = None) -> str:
        """The drawing in DOT, the language of Graphviz.

        >>> import tarazu as tz
        >>> tz.trace(tz.sin)(tz.ones(2)).to_dot().splitlines()[-2:]
        ['  n0 -> n1', '}']
        """
        from tarazu.ir.draw.diagram_languages import to_dot

        return to_dot(self, depth)
