"""The picture of a search for a learning rate: the loss over the rate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from tarazu.picture.axis import Axis, make_axis
from tarazu.picture.chart import Chart
from tarazu.picture.marks import Curve, Dots, Mark, Rule
from tarazu.picture.picture import Picture


def rate_chart(rates: Sequence[float], losses: Sequence[float], smoothed: Sequence[float],
               marks: Mapping[str, float]) -> Picture:
    """A dot for the loss of each step over its rate, the smoothed losses as a curve, and a rule for each marked rate.

    Losses above the range of the curve are left out.

    >>> rate_chart([0.1, 1.0], [2.0, 1.0], [2.0, 1.5], {"steepest": 0.1})
    <Picture: loss by learning rate>
    """
    y_axis = make_axis(list(smoothed))
    x, y = np.asarray(rates, np.float64), np.asarray(losses, np.float64)
    shown = (y >= y_axis.low) & (y <= y_axis.high)
    drawn: list[Mark] = [Dots(x[shown], y[shown], radius=2.5), Curve(rates, smoothed)]
    x_axis = _rate_axis(rates)
    drawn += [Rule(rate, f"{name}: {rate:.2g}", level) for level, (name, rate) in enumerate(_ordered(marks, x_axis))]
    chart = Chart("loss", x_axis, y_axis, drawn, "learning rate (logarithmic axis)")
    return Picture("loss by learning rate", (chart,))


def _ordered(marks: Mapping[str, float], axis: Axis) -> list[tuple[str, float]]:
    """The marks from the lowest text to the highest: texts point to the middle, so none may cross the next rule."""
    middle = math.sqrt(axis.low * axis.high)
    return sorted(marks.items(), key=lambda mark: mark[1] if mark[1] > middle else -mark[1])


def _rate_axis(rates: Sequence[float]) -> Axis:
    """A logarithmic axis with a tick at each power of ten, or at every second one."""
    first, last = math.floor(math.log10(min(rates))), math.ceil(math.log10(max(rates)))
    last = max(last, first + 1)
    ticks = tuple(10.0**n for n in range(first, last + 1, math.ceil((last - first) / 8)))
    return Axis(10.0**first, 10.0**last, 0.0, 1.0, ticks, True)
