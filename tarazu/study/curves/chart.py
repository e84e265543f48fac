"""The chart of a curve as SVG text: means with intervals, a law that carries them on, and marks. It has own colors."""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from tarazu.diagnose.reporting.axis import Axis, make_axis
from tarazu.diagnose.reporting.rate_chart import STYLE
from tarazu.diagnose.reporting.svg import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    drawing,
    element,
    frame,
    label,
    points_text,
)
from tarazu.record.textfile import write_text
from tarazu.study.curves.estimates import Estimate

OWN_STYLE = (".train{stroke:#3b7dd8}.validation{stroke:#e08a1e}.point{stroke-width:1.5}.train.point{fill:#3b7dd8}"
             ".validation.point{fill:#e08a1e}.band{stroke:none;fill-opacity:.18}.train.band{fill:#3b7dd8}"
             ".validation.band{fill:#e08a1e}.law{stroke-dasharray:5 4;stroke-width:1.5}.kept{stroke:#7a8494}")
LONGEST_BARS = 25  # more points than that have a band instead of a bar each
CHARACTER = 6.6  # pixels
LOWEST = 30.0  # a logarithmic axis ends at the lowest validation loss divided by this, or above it


class Line(NamedTuple):
    """Estimates at positions, in the color of the part "train" or "validation"."""

    part: str
    positions: Sequence[float]
    estimates: Sequence[Estimate]
    is_law: bool = False  # drawn dashed, with a band, without points


def curve_chart(title: str, x_name: str, lines: Sequence[Line], ticks: Mapping[float, str], *,
                logarithmic: bool = False, marks: Mapping[str, float] | None = None,
                path: str | os.PathLike | None = None) -> str:
    """The lines over the positions that `ticks` name, with a rule at each of the `marks`; written to `path` if given.

    OSError where `path` cannot be written.

    >>> line = Line("train", [1.0, 2.0], [Estimate(0.5, 0.4, 0.6), Estimate(0.3, 0.2, 0.4)])
    >>> curve_chart("loss", "rows", [line], {1.0: "1", 2.0: "2"}).startswith("<svg")
    True
    """
    positions = [*ticks, *(position for line in lines for position in line.positions)]
    x_axis = _x_axis(min(positions), max(positions), logarithmic)
    y_axis = _y_axis(lines)
    name = f"{title} (logarithmic axis)" if y_axis.logarithmic else title
    x_name = f"{x_name} (logarithmic axis)" if logarithmic else x_name
    parts = [element("style", STYLE + OWN_STYLE), frame(x_axis, y_axis, x_name, HEIGHT - 10),
             label(LEFT - 50, 18, name, "start", class_="title"), _ticks(ticks, x_axis),
             _legend({line.part for line in lines})]
    parts += [_mark(text, x_axis.pixel(at), number) for number, (text, at) in enumerate((marks or {}).items())]
    parts += [_drawn(line, x_axis, y_axis) for line in sorted(lines, key=lambda line: not line.is_law)]
    picture = drawing(WIDTH, HEIGHT, f"{title} by {x_name}", "".join(parts))
    if path is not None:
        write_text(path, picture)
    return picture


def _x_axis(low: float, high: float, logarithmic: bool) -> Axis:
    if logarithmic:
        margin = (high / low) ** 0.03 if high > low else 2.0
        return Axis(low / margin, high * margin, LEFT, RIGHT, (), True)
    margin = 0.03 * (high - low) or 1.0
    return Axis(low - margin, high + margin, LEFT, RIGHT, ())


def _y_axis(lines: Sequence[Line]) -> Axis:
    """One that holds all means, and the intervals as far as they leave the means room.

    It is logarithmic where the validation losses alone ask for it: training losses may come as near to 0 as they like,
    and lie on its lower end then.
    """
    estimates = [estimate for line in lines for estimate in line.estimates]
    means = [estimate.mean for estimate in estimates if math.isfinite(estimate.mean)]
    low, high = min(means, default=0.0), max(means, default=1.0)
    validation = [found.mean for line in lines for found in line.estimates
                  if line.part == "validation" and math.isfinite(found.mean)]
    if make_axis(validation, BOTTOM, TOP, logarithmic=True).logarithmic:
        return make_axis([max(mean, min(validation) / LOWEST) for mean in means], BOTTOM, TOP, logarithmic=True)
    room = 0.25 * (high - low) or abs(high) or 1.0
    ends = [end for estimate in estimates for end in estimate[1:] if math.isfinite(end)]
    floor = max(low - room, 0.0) if low >= 0 else low - room
    return make_axis([*means, *(min(max(end, floor), high + room) for end in ends)], BOTTOM, TOP)


def _drawn(line: Line, x_axis: Axis, y_axis: Axis) -> str:
    """Its band or bars, its line and its points."""
    def pixel(x: float, y: float) -> tuple[float, float]:
        return x_axis.pixel(x), y_axis.pixel(min(max(y, y_axis.low), y_axis.high))

    known = [(x, found) for x, found in zip(line.positions, line.estimates, strict=True) if math.isfinite(found.mean)]
    sure = [(x, found) for x, found in known if math.isfinite(found.low)]
    has_band = line.is_law or len(known) > LONGEST_BARS
    parts = []
    if has_band and sure:
        edge = [pixel(x, found.low) for x, found in sure] + [pixel(x, found.high) for x, found in reversed(sure)]
        parts.append(element("polygon", points=points_text(edge), class_=f"band {line.part}"))
    parts.append(element("polyline", points=points_text([pixel(x, found.mean) for x, found in known]),
                         class_=f"curve {line.part}" + " law" * line.is_law))
    if not has_band:
        for x, found in sure:
            at, low, high = x_axis.pixel(x), pixel(x, found.low)[1], pixel(x, found.high)[1]
            parts.append(element("line", x1=at, y1=low, x2=at, y2=high, class_=line.part))
        parts += [element("circle", cx=pixel(x, found.mean)[0], cy=pixel(x, found.mean)[1], r=3.0,
                          class_=f"{line.part} point") for x, found in known]
    return "".join(parts)


def _ticks(ticks: Mapping[float, str], axis: Axis) -> str:
    """Those that do not overlap, the last of them always."""
    parts, free = [], math.inf
    for position, text in sorted(ticks.items(), reverse=True):
        x, half = axis.pixel(position), CHARACTER * len(text) / 2
        if x + half < free:
            free = x - half - 6
            parts += [element("line", x1=x, y1=BOTTOM, x2=x, y2=BOTTOM + 5, class_="tick"), label(x, BOTTOM + 19, text)]
    return "".join(parts)


def _mark(text: str, x: float, number: int) -> str:
    y = TOP - 14 + 14 * number
    is_late = x > (LEFT + RIGHT) / 2
    return element("line", x1=x, y1=y, x2=x, y2=BOTTOM, class_="kept") + label(
        x + (-5 if is_late else 5), y + 8, text, "end" if is_late else "start")


def _legend(shown: Collection[str]) -> str:
    parts, x = [], float(RIGHT)
    for text, part in (("validation", "validation"), ("training", "train")):
        if part in shown:
            x -= CHARACTER * len(text)
            parts += [element("circle", cx=x - 8, cy=14, r=3.5, class_=f"{part} point"), label(x, 18, text, "start")]
            x -= 26
    return "".join(parts)
