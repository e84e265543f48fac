"""Charts as SVG text: curves and the pair of scales, and what charts share. Colors and fonts come from the page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from tarazu.diagnose.reporting.axis import Axis, make_axis, tick_text
from tarazu.diagnose.reporting.word import WORD

WIDTH, HEIGHT = 460, 300
LEFT, RIGHT, TOP, BOTTOM = 64, 444, 52, 252
MAX_CURVE_POINTS = 1000  # more points than pixels show nothing more
# How far the beam of the scales leans, in degrees: the left pan is bias, the right one variance.
LEANING = {"underfitting": -11, "overfitting": 11}


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


def curves(title: str, epochs: Sequence[int], series: Mapping[str, Sequence[float | None]],
           kept_epoch: int | None = None) -> str:
    """The metric `title` over the epochs, one line per entry of `series` ("train", "validation"); marks the kept epoch.

    Values that are None or not finite leave a gap; a point without neighbors is drawn as a dot.
    """
    points = {name: list(zip(epochs, values, strict=True)) for name, values in series.items()}
    values = [value for line in series.values() for value in line if value is not None and math.isfinite(value)]
    x_axis = make_axis(epochs, LEFT, RIGHT, whole=True)
    y_axis = make_axis(values, BOTTOM, TOP, logarithmic=True)
    name = f"{title} (logarithmic axis)" if y_axis.logarithmic else title
    parts = [frame(x_axis, y_axis, "epoch", HEIGHT - 10), label(LEFT, 18, name, "start", class_="title")]
    if kept_epoch is not None and x_axis.low <= kept_epoch <= x_axis.high:
        parts.append(_kept_mark(x_axis.pixel(kept_epoch), kept_epoch))
    parts += [_line(line, x_axis, y_axis, name) for name, line in points.items()]
    return drawing(WIDTH, HEIGHT, f"{title} by epoch", "".join(parts) + _legend(list(series)))


def scales(verdict: str) -> str:
    """A pair of scales that leans to bias for "underfitting", to variance for "overfitting", and is level otherwise."""
    angle = math.radians(LEANING.get(verdict, 0))
    center, top, arm = 120.0, 34.0, 74.0
    parts = [element("path", d="M120 34 V138 M92 142 H148", class_="stand"),
             element("circle", cx=center, cy=top, r=6, class_="knob")]
    ends = [(center + side * arm * math.cos(angle), top + side * arm * math.sin(angle)) for side in (-1, 1)]
    parts.append(element("path", d=f"M{points_text([ends[0]])} L{points_text([ends[1]])}", class_="beam"))
    for (x, y), word in zip(ends, ("bias", "variance"), strict=True):
        string = f"M{x:.1f} {y:.1f} L{x - 26:.1f} {y + 52:.1f} M{x:.1f} {y:.1f} L{x + 26:.1f} {y + 52:.1f}"
        bowl = f"M{x - 30:.1f} {y + 52:.1f} H{x + 30:.1f} A30 17 0 0 1 {x - 30:.1f} {y + 52:.1f} Z"
        parts += [element("path", d=string, class_="string"), element("path", d=bowl, class_="pan"),
                  label(x, y + 86, word)]
    if verdict == "undecided":
        parts.append(label(center, 20, "?", class_="title"))
    return drawing(240, 156, f"a pair of scales: {verdict}", "".join(parts))


def signature() -> str:
    """The framework's name in Gurmukhi, as outlines: few fonts of readers hold the script.

    >>> "Tarazu" in signature()
    True
    """
    return drawing(200, 92, "Tarazu, a pair of scales", element("path", d=WORD, transform="translate(1 62)"))


def drawing(width: int, height: int, title: str, content: str) -> str:
    """A whole picture with its title, which browsers show and screen readers say.

    >>> drawing(1, 1, "a dot", "")
    '<svg viewBox="0 0 1 1" role="img" xmlns="http://www.w3.org/2000/svg"><title>a dot</title></svg>'
    """
    text = element("title", escape(title)) + content
    return element("svg", text, viewBox=f"0 0 {width} {height}", role="img", xmlns="http://www.w3.org/2000/svg")


def frame(x_axis: Axis, y_axis: Axis, x_name: str, x_name_at: float) -> str:
    """Grid lines and tick labels of both axes, and the name of the horizontal one."""
    parts = []
    for tick in y_axis.ticks:
        y = y_axis.pixel(tick)
        parts.append(element("line", x1=x_axis.start, y1=y, x2=x_axis.end, y2=y, class_="grid"))
        parts.append(label(x_axis.start - 8, y + 4, tick_text(tick), "end"))
    for tick in x_axis.ticks:
        x = x_axis.pixel(tick)
        parts.append(element("line", x1=x, y1=y_axis.start, x2=x, y2=y_axis.start + 5, class_="tick"))
        parts.append(label(x, y_axis.start + 19, tick_text(tick)))
    floor = element("line", x1=x_axis.start, y1=y_axis.start, x2=x_axis.end, y2=y_axis.start, class_="tick")
    return "".join(parts) + floor + label((x_axis.start + x_axis.end) / 2, x_name_at, x_name)


def _line(points: Sequence[tuple[int, float | None]], x_axis: Axis, y_axis: Axis, name: str) -> str:
    runs: list[list[tuple[float, float]]] = [[]]
    stride = math.ceil(len(points) / MAX_CURVE_POINTS) or 1
    for epoch, value in [*points[:-1][::stride], *points[-1:]]:
        if value is not None and math.isfinite(value):
            runs[-1].append((x_axis.pixel(epoch), y_axis.pixel(value)))
        elif runs[-1]:
            runs.append([])
    lines = [element("polyline", points=points_text(run), class_=f"curve {name}") for run in runs if len(run) > 1]
    lone = [run[0] for run in runs if len(run) == 1]
    return "".join(lines + [element("circle", cx=x, cy=y, r=3.5, class_=f"point {name}") for x, y in lone])


def _kept_mark(x: float, epoch: int) -> str:
    rule = element("line", x1=x, y1=TOP - 14, x2=x, y2=BOTTOM, class_="kept")
    late = x > (LEFT + RIGHT) / 2
    return rule + label(x + (-5 if late else 5), TOP - 8, f"kept: epoch {epoch}", "end" if late else "start")


def _legend(names: Sequence[str]) -> str:
    parts, x = [], float(RIGHT)
    for name in reversed(names):
        parts.append(label(x, 18, name, "end"))
        x -= 6.3 * len(name) + 8
        parts.append(element("line", x1=x - 18, y1=14, x2=x, y2=14, class_=f"curve {name}"))
        x -= 36
    return "".join(parts)


def points_text(pixels: Sequence[tuple[float, float]]) -> str:
    """Pixels as the attribute `points` of a polyline has them."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in pixels)


def _short(value: object) -> str:
    """Pixels to a tenth, everything else as it is."""
    return f"{value:.1f}" if isinstance(value, float) else str(value)
