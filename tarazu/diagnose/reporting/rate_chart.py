"""The chart of a search for a learning rate as SVG text: the loss over the rate. It brings its own colors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tarazu.diagnose.reporting.axis import Axis, make_axis
from tarazu.diagnose.reporting.svg import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, drawing, element, frame, label

# Grey, blue and orange that are seen on light pages and on dark ones.
STYLE = ("text{font:12px system-ui,sans-serif;fill:#7a8494}.title{font-size:14px;font-weight:600}"
         ".grid{stroke:#7a8494;stroke-opacity:.25}.tick{stroke:#7a8494}.curve{fill:none;stroke:#3b7dd8;stroke-width:2}"
         ".dot{fill:#3b7dd8;fill-opacity:.35}.kept{stroke:#e08a1e;stroke-dasharray:4 4}")


def rate_chart(rates: Sequence[float], losses: Sequence[float], smoothed: Sequence[float],
               marks: Mapping[str, float]) -> str:
    """A dot for the loss of each step over its rate, the smoothed losses as a curve, and a rule for each marked rate.

    Losses above the range of the curve are left out.

    >>> rate_chart([0.1, 1.0], [2.0, 1.0], [2.0, 1.5], {"steepest": 0.1}).startswith("<svg")
    True
    """
    x_axis, y_axis = _rate_axis(rates), make_axis(list(smoothed), BOTTOM, TOP)
    parts = [element("style", STYLE), frame(x_axis, y_axis, "learning rate (logarithmic axis)", HEIGHT - 10),
             label(LEFT, 18, "loss", "start", class_="title")]
    parts += [element("circle", cx=x_axis.pixel(rate), cy=y_axis.pixel(loss), r=2.5, class_="dot")
              for rate, loss in zip(rates, losses, strict=True) if y_axis.low <= loss <= y_axis.high]
    points = " ".join(f"{x_axis.pixel(rate):.1f},{y_axis.pixel(loss):.1f}"
                      for rate, loss in zip(rates, smoothed, strict=True))
    parts.append(element("polyline", points=points, class_="curve"))
    for number, (name, rate) in enumerate(marks.items()):
        x, y = x_axis.pixel(rate), TOP - 20 + 14 * number
        late = x > (LEFT + RIGHT) / 2
        parts += [element("line", x1=x, y1=y, x2=x, y2=BOTTOM, class_="kept"),
                  label(x + (-5 if late else 5), y + 4, f"{name}: {rate:.2g}", "end" if late else "start")]
    return drawing(WIDTH, HEIGHT, "loss by learning rate", "".join(parts))


def _rate_axis(rates: Sequence[float]) -> Axis:
    """A logarithmic axis with a tick at each power of ten, or at every second one."""
    first, last = math.floor(math.log10(min(rates))), math.ceil(math.log10(max(rates)))
    last = max(last, first + 1)
    ticks = tuple(10.0**n for n in range(first, last + 1, math.ceil((last - first) / 8)))
    return Axis(10.0**first, 10.0**last, LEFT, RIGHT, ticks, True)
