"""Pictures as SVG text. Elements have classes by kind and role: "curve train", "dot validation", "whisker ink"."""

from __future__ import annotations

import base64
import math
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tarazu.picture.axis import Axis, make_axis
from tarazu.picture.chart import Chart, ColorBar
from tarazu.picture.colors import colored
from tarazu.picture.elements import CHARACTER, drawing, element, frame, label, points_text
from tarazu.picture.marks import Band, Bars, Curve, Dots, Intervals, Mark, Numbers, Raster, Rule, Shape, Stroke, Words
from tarazu.picture.png import png

RIGHT, TITLE_LINE, LEGEND_LINE, GAP = 20, 32, 18, 12
MOST_SPARSE = 40  # dots, up to which none is drawn faintly
TITLE_CHARACTER = 8.5  # pixels, of the 14 of a title
BAR_WIDTH, BAR_ROOM = 12, 74
TITLE_OF_ALL, NEXT_LINE = 26, 18  # pixels


@dataclass(frozen=True)
class Layout:
    """Where in its own rectangle a chart's axes stand, and how large that is."""

    left: float
    top: float
    width: float
    height: float
    legend_rows: tuple[tuple[tuple[str, str, str], ...], ...]  # of names, roles and classes of what shows them


def picture_svg(title: str, charts: Sequence[Chart], columns: int, style: str = "") -> str:
    """The whole picture, in rows of so many columns, with a style of its own or without."""
    columns = max(1, columns)
    rows = [range(i, min(i + columns, len(charts))) for i in range(0, len(charts), columns)]
    layouts = [_layout(charts[i], any(charts[each].title for each in row)) for row in rows for i in row]
    widths = [max(layouts[i].width for i in range(column, len(layouts), columns))
              for column in range(min(columns, len(layouts)))]
    lines = textwrap.wrap(title, max(30, int(sum(widths) / TITLE_CHARACTER))) if len(layouts) > 1 else []
    parts, y = [element("style", style)] if style else [], 0.0
    for number, line in enumerate(lines):
        parts.append(label(4, 18 + NEXT_LINE * number, line, "start", class_="title"))
        y = TITLE_OF_ALL + NEXT_LINE * number
    for row in rows:
        x = 0.0
        for column, i in enumerate(row):
            content = _chart(charts[i], layouts[i])
            parts.append(element("g", content, transform=f"translate({x:.0f} {y:.0f})") if x or y else content)
            x += widths[column]
        y += max(layouts[i].height for i in row)
    width = max(sum(widths), TITLE_CHARACTER * max(map(len, lines), default=0) + 8, 1)
    return drawing(math.ceil(width), math.ceil(max(y, 1)), title, "".join(parts))


def _layout(chart: Chart, is_below_titles: bool) -> Layout:
    width, height = chart.size
    left, right, bottom = 4.0, 4.0, 4.0
    if chart.has_axes:
        longest = max((len(text) for text in chart.y.texts()), default=0)
        left = max(14.0, 16 + CHARACTER * longest) + (18 if chart.y_name else 0)
        right, bottom = RIGHT, 8 + (20 if chart.x.ticks else 0) + (20 if chart.x_name else 0)
    right += BAR_ROOM if chart.color_bar else 0
    legend = _legend_rows(chart, left + width)
    lines = len(legend) - _is_beside_title(chart, legend, left + width)
    lines += max((mark.level + 1 for mark in chart.marks if isinstance(mark, Rule) and mark.text), default=0)
    top = (TITLE_LINE if is_below_titles else 8) + LEGEND_LINE * lines
    whole = max(left + width + right, TITLE_CHARACTER * len(chart.title) + 8)
    return Layout(left, top, whole, top + height + bottom, legend)


def _legend_rows(chart: Chart, room: float) -> tuple[tuple[tuple[str, str, str], ...], ...]:
    """The entries of the legend, in as many rows as they need."""
    entries = {mark.name: (mark.name, mark.role, _class_in_legend(mark)) for mark in chart.marks
               if isinstance(mark, Curve | Dots | Bars) and mark.name}
    rows: list[list[tuple[str, str, str]]] = []
    used = room
    for entry in entries.values():
        if used + _entry_width(entry[0]) > room:
            rows.append([])
            used = 0.0
        rows[-1].append(entry)
        used += _entry_width(entry[0])
    return tuple(map(tuple, rows))


def _class_in_legend(mark: Curve | Dots | Bars) -> str:
    return f"curve{' dashed' * mark.is_dashed}" if isinstance(mark, Curve) else "dot sparse"


def _entry_width(name: str) -> float:
    return CHARACTER * len(name) + 38


def _is_beside_title(chart: Chart, legend: tuple, room: float) -> bool:
    """Whether the only row of a legend has room on the line of the title."""
    return len(legend) == 1 and bool(chart.title) and (
        TITLE_CHARACTER * len(chart.title) + 20 + sum(_entry_width(entry[0]) for entry in legend[0]) <= room)


def _chart(chart: Chart, layout: Layout) -> str:
    width, height = chart.size
    right, bottom = layout.left + width, layout.top + height
    x_axis, y_axis = chart.x.at(layout.left, right), chart.y.at(bottom, layout.top)
    parts = [label(4, 18, chart.title, "start", class_="title")] if chart.title else []
    parts += _legend(chart, layout, right)
    if chart.has_axes:
        parts.append(frame(x_axis, y_axis, chart.x_name, layout.height - 8, chart.y_name))
    parts += [piece for mark in chart.marks for piece in DRAWN[type(mark)](mark, x_axis, y_axis)]
    if chart.color_bar:
        parts.append(_color_bar(chart.color_bar, right + GAP, layout.top, height))
    return "".join(parts)


def _legend(chart: Chart, layout: Layout, right: float) -> Iterator[str]:
    is_beside = _is_beside_title(chart, layout.legend_rows, right)
    for number, row in enumerate(layout.legend_rows):
        y = 18 if is_beside else (TITLE_LINE if chart.title else 8) + LEGEND_LINE * number + 10
        x = right - sum(_entry_width(entry[0]) for entry in row) + 12 if is_beside else max(4.0, layout.left - 4)
        for name, role, shown in row:
            yield (element("line", x1=x, y1=y - 4, x2=x + 18, y2=y - 4, class_=f"{shown} {role}")
                   if shown.startswith("curve") else
                   element("circle", cx=x + 14, cy=y - 4, r=4, class_=f"{shown} {role}"))
            yield label(x + 23, y, name, "start")
            x += _entry_width(name)


def _color_bar(bar: ColorBar, x: float, top: float, height: float) -> str:
    """A strip of all colors, and the numbers beside it."""
    axis = make_axis([bar.low, bar.high])._replace(low=bar.low, high=bar.high).at(top + height, top)
    strip = colored(np.linspace(1, 0, 64)[:, None], 0, 1, bar.ramp)
    parts = [_image(strip, x, top, BAR_WIDTH, height)]
    parts += [label(x + BAR_WIDTH + 6, axis.pixel(tick) + 4, text, "start")
              for tick, text in zip(axis.ticks, axis.texts(), strict=True) if bar.low <= tick <= bar.high]
    return "".join(parts)


def _image(pixels: np.ndarray, x: float, y: float, width: float, height: float) -> str:
    data = base64.b64encode(png(pixels)).decode()
    return element("image", href=f"data:image/png;base64,{data}", x=x, y=y, width=width, height=height,
                   preserveAspectRatio="none", style="image-rendering:pixelated")


def _numbers(*values: Numbers) -> list[tuple[float, ...]]:
    return list(zip(*(np.asarray(each, np.float64).ravel().tolist() for each in values), strict=True))


def _curve(mark: Curve, x_axis: Axis, y_axis: Axis) -> Iterator[str]:
    dashed = " dashed" * mark.is_dashed
    if not len(mark.x):
        yield element("polyline", points="", class_=f"curve {mark.role}{dashed}")
    for run in runs(mark):
        pixels = [(x_axis.pixel(x), y_axis.pixel(y_axis.held(y))) for x, y in run]
        if len(pixels) > 1:
            yield element("polyline", points=points_text(pixels), class_=f"curve {mark.role}{dashed}")
        else:
            yield element("circle", cx=pixels[0][0], cy=pixels[0][1], r=3.5, class_=f"point {mark.role}")


def runs(mark: Curve) -> list[list[tuple[float, ...]]]:
    """The points of a curve, in parts without gaps."""
    found: list[list[tuple[float, ...]]] = [[]]
    for x, y in _numbers(mark.x, mark.y):
        if math.isfinite(x) and math.isfinite(y):
            found[-1].append((x, y))
        elif found[-1]:
            found.append([])
    return [run for run in found if run]


def _dots(mark: Dots, x_axis: Axis, y_axis: Axis) -> Iterator[str]:
    sparse = " sparse" * (len(mark.x) <= MOST_SPARSE)
    radii = np.broadcast_to(np.asarray(mark.radius, np.float64), np.shape(mark.x))
    for x, y, radius in _numbers(mark.x, mark.y, radii):
        yield element("circle", cx=x_axis.pixel(x), cy=y_axis.pixel(y_axis.held(y)), r=f"{radius:.3g}",
                      class_=f"dot{sparse} {mark.role}")


def _intervals(mark: Intervals, x_axis: Axis, y_axis: Axis) -> Iterator[str]:
    for at, low, high in _numbers(mark.at, mark.low, mark.high):
        along, across = (x_axis, y_axis) if mark.is_horizontal else (y_axis, x_axis)
        ends = [along.pixel(along.held(end)) for end in (low, high)]
        place = across.pixel(at)
        yield (element("line", x1=ends[0], y1=place, x2=ends[1], y2=place, class_=f"whisker {mark.role}")
               if mark.is_horizontal else
               element("line", x1=place, y1=ends[0], x2=place, y2=ends[1], class_=f"whisker {mark.role}"))


def _band(mark: Band, x_axis: Axis, y_axis: Axis) -> Iterator[str]:
    points = _numbers(mark.x, mark.low, mark.high)
    edge = [(x, low) for x, low, _ in points] + [(x, high) for x, _, high in reversed(points)]
    pixels = [(x_axis.pixel(x), y_axis.pixel(y_axis.held(y))) for x, y in edge]
    yield element("polygon", points=points_text(pixels), class_=f"band {mark.role}")


def _bars(mark: Bars, x_axis: Axis, y_axis: Axis) -> Iterator[str]:
    for left, right, bottom, top in _numbers(mark.left, mark.right, mark.bottom, mark.top):
        x1, x2 = sorted(x_axis.pixel(x_axis.held(x)) for x in (left, right))
        y1, y2 = sorted(y_axis.pixel(y_axis.held(y)) for y in (bottom, top))
        yield element("rect", x=x1, y=y1, width=x2 - x1, height=y2 - y1, class_=f"bar {mark.role}")


def _shape(mark: Shape, x_axis: Axis, y_axis: Axis) -> Iterator[str]:
    pixels = [(x_axis.pixel(x), y_axis.pixel(y)) for x, y in _numbers(mark.x, mark.y)]
    yield element("polygon", points=points_text(pixels), class_=f"{mark.kind} {mark.role}")


def _stroke(mark: Stroke, x_axis: Axis, y_axis: Axis) -> Iterator[str]:
    pixels = [(x_axis.pixel(x), y_axis.pixel(y)) for x, y in _numbers(mark.x, mark.y)]
    yield element("polyline", points=points_text(pixels), class_=mark.kind)


def _rule(mark: Rule, x_axis: Axis, y_axis: Axis) -> Iterator[str]:
    x, is_late = x_axis.pixel(mark.at), x_axis.pixel(mark.at) > (x_axis.start + x_axis.end) / 2
    top = y_axis.end - 5 - LEGEND_LINE * mark.level if mark.text else y_axis.end
    yield element("line", x1=x, y1=top - 9 * bool(mark.text), x2=x, y2=y_axis.start, class_="kept")
    if mark.text:
        yield label(x + (-5 if is_late else 5), top, mark.text, "end" if is_late else "start")


def _raster(mark: Raster, x_axis: Axis, y_axis: Axis) -> Iterator[str]:
    left, right, top, bottom = mark.edges
    x, right, y, bottom = x_axis.pixel(left), x_axis.pixel(right), y_axis.pixel(top), y_axis.pixel(bottom)
    yield _image(mark.pixels, x, y, right - x, bottom - y)


def _words(mark: Words, x_axis: Axis, y_axis: Axis) -> Iterator[str]:
    size = {} if mark.size == 12 else {"style": f"font-size:{mark.size}px"}
    for (x, y), text in zip(_numbers(mark.x, mark.y), mark.texts, strict=True):
        yield label(x_axis.pixel(x), y_axis.pixel(y) + mark.size / 3, text, mark.anchor, class_=mark.role, **size)


DRAWN: dict[type[Mark], Callable[[Any, Axis, Axis], Iterator[str]]] = {
    Curve: _curve, Dots: _dots, Intervals: _intervals, Band: _band, Bars: _bars, Shape: _shape, Stroke: _stroke,
    Rule: _rule, Raster: _raster, Words: _words}
