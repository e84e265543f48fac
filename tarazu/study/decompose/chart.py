"""The chart of decompositions as SVG text: a line for each term over settings or epochs."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence

from tarazu.diagnose.reporting.axis import Axis, make_axis
from tarazu.diagnose.reporting.rate_chart import STYLE
from tarazu.diagnose.reporting.svg import BOTTOM, LEFT, RIGHT, TOP, WIDTH, drawing, element, frame, label, points_text
from tarazu.record.textfile import write_text

COLORS = ("#7a8494", "#3b7dd8", "#e08a1e", "#3aa66a", "#b05cc6")
HEIGHT = 330


def lines_chart(title: str, x_name: str, places: Sequence[float | str], lines: Mapping[str, Sequence[float]],
                path: str | os.PathLike | None = None) -> str:
    """A line with dots for each of `lines` over `places`, written to `path` if given.

    Positive numbers that span more than a factor of 10 have a logarithmic axis; texts are set at equal distances.

    >>> lines_chart("loss", "width", [1, 2], {"bias": [1.0, 0.5]}).startswith("<svg")
    True
    """
    x_axis = _axis_of(places)
    numbers = places if _are_numbers(places) else range(len(places))
    y_axis = make_axis([0.0, *(y for line in lines.values() for y in line if math.isfinite(y))], BOTTOM, TOP)
    is_plain = _are_numbers(places)
    parts = [element("style", STYLE), label(LEFT, 18, title, "start", class_="title"),
             frame(x_axis if is_plain else x_axis._replace(ticks=()), y_axis, x_name, BOTTOM + 40)]
    if not is_plain:
        parts += [label(x_axis.pixel(x), BOTTOM + 19, str(place)) for x, place in enumerate(places)]
    for number, (name, line) in enumerate(lines.items()):
        color = COLORS[number % len(COLORS)]
        pixels = [(x_axis.pixel(float(x)), y_axis.pixel(y)) for x, y in zip(numbers, line, strict=True)
                  if math.isfinite(y)]
        parts.append(element("polyline", points=points_text(pixels), fill="none", stroke=color, stroke_width=2))
        parts += [element("circle", cx=x, cy=y, r=3, fill=color) for x, y in pixels]
        left = LEFT + 190 * (number % 2)
        top = BOTTOM + 58 + 16 * (number // 2)
        parts += [element("line", x1=left, y1=top - 4, x2=left + 20, y2=top - 4, stroke=color, stroke_width=2),
                  label(left + 26, top, name, "start")]
    picture = drawing(WIDTH, HEIGHT + 16 * ((len(lines) - 1) // 2), title, "".join(parts))
    if path is not None:
        write_text(path, picture)
    return picture


def _are_numbers(places: Sequence[float | str]) -> bool:
    return not any(isinstance(place, str) for place in places)


def _axis_of(places: Sequence[float | str]) -> Axis:
    if not _are_numbers(places):
        return Axis(-0.5, len(places) - 0.5, LEFT, RIGHT, ())
    values = [float(place) for place in places]
    low, high = min(values), max(values)
    if low > 0 and high > 10 * low:
        ticks = tuple(sorted({values[round(i * (len(values) - 1) / min(6, len(values) - 1))]
                              for i in range(min(6, len(values) - 1) + 1)}))
        return Axis(low / 1.1, high * 1.1, LEFT, RIGHT, ticks, True)
    return make_axis(values, LEFT, RIGHT)
