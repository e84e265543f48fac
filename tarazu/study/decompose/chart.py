"""The chart of decompositions as SVG text: a line for each term over settings or epochs, with intervals."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence

from tarazu.diagnose.reporting.axis import Axis, make_axis
from tarazu.diagnose.reporting.rate_chart import STYLE
from tarazu.diagnose.reporting.svg import BOTTOM, LEFT, RIGHT, TOP, WIDTH, drawing, element, frame, label, points_text
from tarazu.record.textfile import write_text
from tarazu.study.curves.estimates import Estimate

COLORS = ("#7a8494", "#3b7dd8", "#e08a1e", "#3aa66a", "#b05cc6")
HEIGHT = 330
BAR_OPACITY = 0.35


def lines_chart(title: str, x_name: str, places: Sequence[float | str], lines: Mapping[str, Sequence[Estimate]],
                path: str | os.PathLike | None = None) -> str:
    """A line with dots and bars for each of `lines` over `places`, written to `path` if given.

    Positive numbers that span more than a factor of 10 have a logarithmic axis; texts are set at equal distances.

    >>> lines_chart("loss", "width", [1, 2], {"bias": [Estimate(1.0, 0.8, 1.2), Estimate(0.5, 0.4, 0.6)]})[:4]
    '<svg'
    """
    x_axis = _axis_of(places)
    x_name = f"{x_name} (logarithmic axis)" if x_axis.logarithmic else x_name
    numbers = places if _are_numbers(places) else range(len(places))
    y_axis = _y_axis([estimate for line in lines.values() for estimate in line])
    is_plain = _are_numbers(places)
    parts = [element("style", STYLE), label(LEFT, 18, title, "start", class_="title"),
             frame(x_axis if is_plain else x_axis._replace(ticks=()), y_axis, x_name, BOTTOM + 40)]
    if not is_plain:
        parts += [label(x_axis.pixel(x), BOTTOM + 19, str(place)) for x, place in enumerate(places)]
    for number, (name, line) in enumerate(lines.items()):
        color = COLORS[number % len(COLORS)]
        known = [(x_axis.pixel(float(x)), found) for x, found in zip(numbers, line, strict=True)
                 if math.isfinite(found.mean)]
        parts += [_bar(x, found, y_axis, color) for x, found in known if math.isfinite(found.low)]
        pixels = [(x, y_axis.pixel(found.mean)) for x, found in known]
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


def _y_axis(estimates: Sequence[Estimate]) -> Axis:
    """One that holds 0, all means, and the intervals as far as they leave the means room."""
    means = [0.0, *(estimate.mean for estimate in estimates if math.isfinite(estimate.mean))]
    room = 0.1 * (max(means) - min(means))
    floor = min(means) - room if min(means) < 0 else 0.0
    ends = [end for estimate in estimates for end in estimate[1:] if math.isfinite(end)]
    return make_axis([*means, *(min(max(end, floor), max(means) + room) for end in ends)], BOTTOM, TOP)


def _bar(x: float, estimate: Estimate, axis: Axis, color: str) -> str:
    low, high = (axis.pixel(min(max(end, axis.low), axis.high)) for end in estimate[1:])
    return element("line", x1=x, y1=low, x2=x, y2=high, stroke=color, stroke_opacity=BAR_OPACITY, stroke_width=3)


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
