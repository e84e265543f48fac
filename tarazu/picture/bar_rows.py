"""Charts of bars below each other: a name and a number above each, an interval over it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from tarazu.base.messages import shortened
from tarazu.picture.axis import Axis, make_axis, upside_down
from tarazu.picture.chart import Chart
from tarazu.picture.marks import Bars, Curve, Intervals, Mark, Words

WIDTH, ROW = 400, 40  # pixels
MOST_ROWS, LONGEST_NAME = 20, 44
TEXT, TOP, MIDDLE, BOTTOM = 0.22, 0.48, 0.65, 0.82  # of a row: its text, its bar


class Row(NamedTuple):
    """A bar from 0 to `value`, its name, what is said of it, and the ends of its interval, NaN for none.

    >>> Row("age", 0.3, "30 %").role
    'train'
    """

    name: str
    value: float
    text: str
    low: float = math.nan
    high: float = math.nan
    role: str = "train"


def bar_rows(title: str, rows: Sequence[Row], axis: Axis, x_name: str = "", *, if_none: str = "nothing") -> Chart:
    """A chart with a bar for each row, the first on top, at most 20; `if_none` is said where there are none.

    >>> chart = bar_rows("shares", [Row("age", 0.3, "30 %")], make_axis([0, 1]))
    >>> chart.size
    (400, 40)
    """
    shown = list(rows)[:MOST_ROWS]
    count = max(len(shown), 1)
    places = range(len(shown))
    left, right = [axis.low] * len(shown), [axis.high] * len(shown)
    marks: list[Mark] = [Words(left, [n + TEXT for n in places], [shortened(row.name, LONGEST_NAME) for row in shown],
                               "start"),
                         Words(right, [n + TEXT for n in places], [row.text for row in shown], "end")]
    for role in dict.fromkeys(row.role for row in shown):
        own = [(n, row) for n, row in enumerate(shown) if row.role == role]
        marks.append(Bars([min(row.value, 0.0) for _, row in own], [max(row.value, 0.0) for _, row in own],
                          [n + TOP for n, _ in own], [n + BOTTOM for n, _ in own], role))
    sure = [(n + MIDDLE, row) for n, row in enumerate(shown) if not math.isnan(row.low)]
    marks.append(Intervals([n for n, _ in sure], [row.low for _, row in sure], [row.high for _, row in sure],
                           is_horizontal=True))
    if axis.low < 0 < axis.high:
        marks.append(Curve([0.0, 0.0], [0.0, count], "muted"))
    if not shown:
        marks.append(Words([(axis.low + axis.high) / 2], [0.5], [if_none]))
    return Chart(title, axis, upside_down(Axis(0.0, count, 0.0, 1.0, ())), marks, x_name, size=(WIDTH, ROW * count))


def bounded(values: Sequence[float], room: float) -> Axis:
    """An axis that holds 0 and all finite `values`, none of them further out than `room`.

    >>> bounded([1.0, 90.0], 5.0).high
    5.0
    """
    kept = [min(max(value, -room), room) for value in values if not math.isnan(value)]
    return make_axis([0.0, *kept, 1e-3])
