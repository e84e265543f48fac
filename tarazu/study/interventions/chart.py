"""The picture of gains as SVG text: a bar for each, with its interval, to the right of 0 where the loss is lower."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from tarazu.base.messages import shortened
from tarazu.diagnose.reporting.axis import Axis, make_axis
from tarazu.diagnose.reporting.rate_chart import STYLE
from tarazu.diagnose.reporting.svg import drawing, element, frame, label
from tarazu.record.textfile import write_text

OWN_STYLE = (".sure{fill:#3b7dd8;stroke:#3b7dd8}.worse{fill:#e08a1e;stroke:#e08a1e}"
             ".unsure{fill:#7a8494;stroke:#7a8494}rect{stroke:none!important;fill-opacity:.35}.whisker{stroke-width:1.5}.zero{stroke:#7a8494}")
NAMES_END, BARS_END, TEXT, WIDTH, BAR_STEP, TOP = 210, 520, 530, 660, 26, 40
LONGEST_NAME = 30
# A change that raises the loss by far more than others lower it is cut off, so that the others can be seen.
LEAST_SHOWN, SHOWN = 20.0, 1.5


class Bar(NamedTuple):
    """A gain in percent of the loss, with the ends of its interval and its text."""

    name: str
    mean: float
    low: float
    high: float
    text: str

    @property
    def kind(self) -> str:
        """Whether it lowers the loss for sure, raises it for sure, or neither."""
        return "sure" if self.low > 0 else "worse" if self.high < 0 else "unsure"


def gain_chart(title: str, axis_name: str, bars: Sequence[Bar], path: str | os.PathLike | None = None) -> str:
    """A bar with a whisker for each, as the text of an SVG picture, written to `path` if given.

    OSError where `path` cannot be written.

    >>> gain_chart("gains", "%", [Bar("dropout", 12.0, 8.0, 16.0, "12 %")]).startswith("<svg")
    True
    """
    most = SHOWN * max([LEAST_SHOWN, *(bar.high for bar in bars)])
    shown = [min(max(value, -most), most) for bar in bars for value in (bar.mean, bar.low, bar.high)]
    axis = make_axis([0.0, *shown, LEAST_SHOWN / 4, -LEAST_SHOWN / 4], NAMES_END, BARS_END)
    bottom = TOP + BAR_STEP * max(1, len(bars))
    zero = axis.pixel(0.0)
    parts = [element("style", STYLE + OWN_STYLE), label(10, 20, title, "start", class_="title"),
             label(TEXT, 20, "% (95 % interval)", "start"),
             frame(axis, Axis(0, 1, bottom, TOP - 6, ()), axis_name, bottom + 40)]
    parts += [_drawn(bar, axis, TOP + BAR_STEP * (number + 0.5)) for number, bar in enumerate(bars)]
    parts.append(element("line", x1=zero, y1=TOP - 6, x2=zero, y2=bottom, class_="zero"))
    picture = drawing(WIDTH, bottom + 52, title, "".join(parts))
    if path is not None:
        write_text(path, picture)
    return picture


def _drawn(bar: Bar, axis: Axis, y: float) -> str:
    def pixel(value: float) -> float:
        return axis.pixel(min(max(value, axis.low), axis.high))

    left, right = sorted([pixel(0.0), pixel(bar.mean)])
    ends = [pixel(end) for end in (bar.low, bar.high)]
    parts = [label(NAMES_END - 10, y + 4, shortened(bar.name, LONGEST_NAME), "end"),
             element("rect", x=left, y=y - 8, width=right - left, height=16, class_=bar.kind),
             element("line", x1=ends[0], y1=y, x2=ends[1], y2=y, class_=f"whisker {bar.kind}"),
             label(TEXT, y + 4, bar.text, "start")]
    parts += [element("line", x1=x, y1=y - 4, x2=x, y2=y + 4, class_=f"whisker {bar.kind}")
              for x, end in zip(ends, (bar.low, bar.high), strict=True) if axis.low <= end <= axis.high]
    if bar.low < axis.low:
        x = float(axis.start)
        parts.append(element("path", d=f"M{x + 7:.1f} {y - 5:.1f} L{x:.1f} {y:.1f} L{x + 7:.1f} {y + 5:.1f}",
                             class_=f"whisker {bar.kind}", style="fill:none"))
    return "".join(parts)
