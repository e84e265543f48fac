"""A picture as one SVG element that refers to nothing outside of it, in light or dark colors as the system prefers."""

from __future__ import annotations

from html import escape
from pathlib import Path

from tarazu.ir.cost import counts
from tarazu.ir.draw.layout import LINE, PADDING, Box, layout
from tarazu.ir.draw.picture import Picture, picture
from tarazu.ir.structure import GraphStructure

STYLE = """
.tz-graph{--ink:#1c2430;--soft:#667085;--line:#98a2b3;--paper:#ffffff;--box:#8aa4c811;--edge:#c3ccd8;
 --forward:#e8f0fb;--backward:#fdeee3;--update:#eaf6ec;--parameter:#f4f1fa;--result:#1d6fd1;
 background:var(--paper);font:11px ui-monospace,Menlo,Consolas,monospace}
@media(prefers-color-scheme:dark){.tz-graph{--ink:#e6eaf0;--soft:#98a2b3;--line:#7a8699;--paper:#14181f;--box:#8aa4c81a;
 --edge:#3c4656;--forward:#1f2d42;--backward:#3f2a1c;--update:#1c3523;--parameter:#2c2540;--result:#6bb0ff}}
.tz-graph text{fill:var(--ink);text-anchor:middle}.tz-graph .type{fill:var(--soft)}
.tz-graph .name{fill:var(--soft);text-anchor:start;font-weight:600}
.tz-graph .box{fill:var(--box);stroke:var(--edge)}.tz-graph .node{stroke:var(--edge)}
.tz-graph .forward{fill:var(--forward)}.tz-graph .backward{fill:var(--backward)}.tz-graph .update{fill:var(--update)}
.tz-graph .parameter{fill:var(--parameter)}.tz-graph .output{stroke:var(--result);stroke-width:2}
.tz-graph .group{stroke-dasharray:4 3}
.tz-graph path{fill:none;stroke:var(--line);stroke-width:1.1}.tz-graph .across{stroke-dasharray:3 4;opacity:.5}
.tz-graph marker path{fill:var(--line);stroke:none}
.tz-graph g:hover>.node{stroke:var(--result)}
"""
PAGE = """<!doctype html><meta charset="utf-8"><title>{title}</title>
<style>body{{margin:24px;color:#1c2430;background:#fff;font:14px system-ui,sans-serif}}svg{{max-width:none}}
@media(prefers-color-scheme:dark){{body{{color:#e6eaf0;background:#14181f}}}}
pre{{font:12px ui-monospace,Menlo,Consolas,monospace}}</style>
<h1>{title}</h1>{svg}<h2>Operations</h2><pre>{counts}</pre><h2>Text</h2><pre>{text}</pre>
"""


def to_svg(graph: GraphStructure, depth: int | None = None) -> str:
    """The drawing of `graph`; modules nested deeper than `depth` are drawn as one box each."""
    shown = picture(graph, depth)
    lanes = layout(shown)
    width = max((lane.x + lane.width for lane in lanes), default=0) + PADDING
    height = max((lane.y + lane.height for lane in lanes), default=0) + PADDING
    boxes = {box.vertex: box for lane in lanes for box in lane.vertices()}
    edges = [_edge(shown, u, v, boxes) for u, v in shown.edges]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tz-graph" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}"><style>{STYLE}</style>',
        '<marker id="tz-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 1L7 4L0 7z"/></marker>',
        *[_frames(lane) for lane in lanes], *edges, *[_node(shown, box) for box in boxes.values()], "</svg>"])


def to_html(graph: GraphStructure, path: str | Path, title: str = "graph", depth: int | None = None) -> Path:
    """Write a page with the drawing, the counts and the text of `graph`; gives the path."""
    target = Path(path)
    target.write_text(PAGE.format(title=escape(title), svg=to_svg(graph, depth), counts=escape(str(counts(graph))),
                                  text=escape(str(graph))), encoding="utf-8")
    return target


def _frames(box: Box) -> str:
    """The frame and name of a box, and of those in it."""
    if box.vertex is not None:
        return ""
    frame = (f'<rect class="box" x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" '
             f'rx="8"/><text class="name" x="{box.x + 10:.1f}" y="{box.y + 16:.1f}">{escape(box.title)}</text>')
    return frame + "".join(map(_frames, box.children))


def _node(shown: Picture, box: Box) -> str:
    vertex = shown.vertices[box.vertex or 0]
    middle = box.x + box.width / 2
    radius = box.height / 2 if vertex.kind == "parameter" else 4
    return (f'<g><title>{escape(vertex.note or vertex.title)}</title><rect class="node {vertex.lane} {vertex.kind}" '
            f'x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="{radius}"/>'
            f'<text x="{middle:.1f}" y="{box.y + LINE:.1f}">{escape(vertex.title)}</text>'
            f'<text class="type" x="{middle:.1f}" y="{box.y + 2 * LINE:.1f}">{escape(vertex.detail)}</text></g>')


def _edge(shown: Picture, u: int, v: int, boxes: dict[int | None, Box]) -> str:
    source, target = boxes[u], boxes[v]
    is_across = shown.vertices[u].lane != shown.vertices[v].lane
    if is_across or source.y == target.y:
        is_right = source.x < target.x
        start = source.x + (source.width if is_right else 0), source.y + source.height / 2
        end = target.x + (0 if is_right else target.width), target.y + target.height / 2
        bend = (end[0] - start[0]) / 2
        name = "across" if is_across else "along"
        return _curve(name, start, (start[0] + bend, start[1]), (end[0] - bend, end[1]), end)
    upwards = shown.vertices[u].lane == "backward"
    start = source.x + source.width / 2, source.y + (0 if upwards else source.height)
    end = target.x + target.width / 2, target.y + (target.height if upwards else 0)
    bend = max(12.0, abs(end[1] - start[1]) / 2) * (-1 if upwards else 1)
    return _curve("along", start, (start[0], start[1] + bend), (end[0], end[1] - bend), end)


def _curve(name: str, *points: tuple[float, float]) -> str:
    start, first, second, end = (f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path class="{name}" d="M{start}C{first},{second},{end}" marker-end="url(#tz-tip)"/>'
