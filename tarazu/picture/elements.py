"""Elements of SVG text, and the style of those pictures that stand alone: others have that of their page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from itertools import pairwise

from tarazu.picture.axis import Axis
from tarazu.picture.colors import ROLES

CHARACTER = 6.6  # pixels, of a text of 12 pixels
# Rules are for pictures of this class only, as a style in a notebook reaches every picture of the page.
STYLE = "".join(
    [f".tz-picture {rule}" for rule in (
        "text{font:12px system-ui,sans-serif;fill:#7a8494}", "text.title{font-size:14px;font-weight:600}",
        ".grid{stroke:#7a8494;stroke-opacity:.25}", ".tick,.tz-picture .whisker{stroke:#7a8494}",
        ".curve{fill:none;stroke:currentColor;stroke-width:2;stroke-linejoin:round}", ".dashed{stroke-dasharray:5 4}",
        ".dot{fill:currentColor;fill-opacity:.55}",
        ".sparse,.tz-picture .point{fill:currentColor;fill-opacity:1}", ".bar{fill:currentColor;fill-opacity:.75}",
        ".band{fill:currentColor;fill-opacity:.18}", ".shape,.tz-picture .pan,.tz-picture .knob{fill:currentColor}",
        ".whisker{stroke:currentColor;stroke-width:1.5}", ".kept{stroke:#7a8494;stroke-dasharray:4 4}",
        ".beam,.tz-picture .stand{stroke:#7a8494;stroke-width:4;stroke-linecap:round;fill:none}",
        ".string{stroke:#7a8494;fill:none}")]
    + [f".tz-picture .{role}{{color:{color}}}" for role, color in ROLES.items()]
    + [f".tz-picture text.{role}{{fill:{ROLES[role]}}}" for role in ("light", "dark")]
    + [".tz-shown .tz-picture text:not(.light):not(.dark){fill:currentColor;fill-opacity:.8}"])


def element(name: str, content: str = "", **attributes: object) -> str:
    """One SVG element; in an attribute's name `_` stands for `-`, `class_` for `class`. Escapes values, not content.

    >>> element("circle", r=3, class_="train")
    '<circle r="3" class="train"></circle>'
    """
    names = (key.rstrip("_").replace("_", "-") for key in attributes)
    text = "".join(f' {key}="{escape(_short(value))}"' for key, value in zip(names, attributes.values(), strict=True))
    return f"<{name}{text}>{content}</{name}>"


def label(x: float, y: float, text: str, anchor: str = "middle", **attributes: object) -> str:
    """A piece of text at (x, y), escaped.

    >>> label(1, 2, "a < b")
    '<text x="1" y="2" text-anchor="middle">a &lt; b</text>'
    """
    return element("text", escape(text), x=x, y=y, text_anchor=anchor, **attributes)


def drawing(width: float, height: float, title: str, content: str) -> str:
    """A whole picture with its title, which browsers show and screen readers say.

    >>> drawing(1, 1, "a dot", "")[:42]
    '<svg class="tz-picture" viewBox="0 0 1 1" '
    """
    text = element("title", escape(title)) + content
    return element("svg", text, class_="tz-picture", viewBox=f"0 0 {width:.0f} {height:.0f}", role="img",
                   xmlns="http://www.w3.org/2000/svg")


def frame(x_axis: Axis, y_axis: Axis, x_name: str, x_name_at: float, y_name: str = "") -> str:
    """Grid lines and tick labels of both axes, and the names of both; labels that would overlap are left out."""
    left, right, floor = x_axis.start, x_axis.end, y_axis.start
    parts = []
    for tick, text in zip(y_axis.ticks, y_axis.texts(), strict=True):
        y = y_axis.pixel(tick)
        if not y_axis.labels:
            parts.append(element("line", x1=left, y1=y, x2=right, y2=y, class_="grid"))
        parts.append(label(left - 8, y + 4, text, "end"))
    for x, text in _apart([(x_axis.pixel(tick), text) for tick, text in zip(x_axis.ticks, x_axis.texts(),
                                                                            strict=True)]):
        parts.append(element("line", x1=x, y1=floor, x2=x, y2=floor + 5, class_="tick"))
        parts.append(label(x, floor + 19, text))
    parts.append(element("line", x1=left, y1=floor, x2=right, y2=floor, class_="tick"))
    if x_name:
        parts.append(label((left + right) / 2, x_name_at, x_name))
    if y_name:
        middle = (floor + y_axis.end) / 2
        parts.append(label(14, middle, y_name, transform=f"rotate(-90 14 {middle:.1f})"))
    return "".join(parts)


def _apart(ticks: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    """The ticks whose texts do not overlap: of those at equal distances each so many-th, else as many as fit."""
    widest = max((CHARACTER * len(text) + 6 for _, text in ticks), default=0.0)
    steps = [abs(b[0] - a[0]) for a, b in pairwise(ticks)]
    if steps and max(steps) - min(steps) < 1:
        return list(ticks[::max(1, math.ceil(widest / max(steps[0], 1e-9)))])
    kept: list[tuple[float, str]] = []
    free = float("inf")
    for x, text in sorted(ticks, reverse=True):
        half = CHARACTER * len(text) / 2
        if x + half < free:
            free = x - half - 6
            kept.append((x, text))
    return kept[::-1]


def points_text(pixels: Sequence[tuple[float, float]]) -> str:
    """Pixels as the attribute `points` of a polyline has them."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in pixels)


def _short(value: object) -> str:
    """Pixels to a tenth, everything else as it is."""
    return f"{value:.1f}" if isinstance(value, float) else str(value)
