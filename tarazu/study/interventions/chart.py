"""The picture of gains: a bar for each, with its interval, to the right of 0 where the loss is lower."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tarazu.picture.axis import make_axis
from tarazu.picture.bar_rows import Row, bar_rows
from tarazu.picture.picture import Picture

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
    def role(self) -> str:
        """The color of what lowers the loss for sure, raises it for sure, or neither."""
        return "train" if self.low > 0 else "validation" if self.high < 0 else "muted"


def gain_chart(title: str, axis_name: str, bars: Sequence[Bar]) -> Picture:
    """A bar with a whisker for each.

    >>> gain_chart("gains", "%", [Bar("dropout", 12.0, 8.0, 16.0, "12 %")])
    <Picture: gains>
    """
    most = SHOWN * max([LEAST_SHOWN, *(bar.high for bar in bars)])
    shown = [min(max(value, -most), most) for bar in bars for value in (bar.mean, bar.low, bar.high)]
    axis = make_axis([0.0, *shown, LEAST_SHOWN / 4, -LEAST_SHOWN / 4])
    rows = [Row(bar.name, bar.mean, f"{bar.text} %", bar.low, bar.high, bar.role) for bar in bars]
    return Picture(title, (bar_rows(title, rows, axis, axis_name, if_none="nothing was tried"),))
