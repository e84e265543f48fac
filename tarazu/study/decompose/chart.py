"""The picture of decompositions: a line for each term over settings or epochs, with intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tarazu.picture.axis import Axis, make_axis
from tarazu.picture.chart import Chart
from tarazu.picture.colors import SERIES
from tarazu.picture.marks import Curve, Dots, Intervals, Mark
from tarazu.picture.picture import Picture
from tarazu.study.curves.estimates import Estimate

ROLES = ("muted", *SERIES[:-1])


def lines_chart(title: str, x_name: str, places: Sequence[float | str],
                lines: Mapping[str, Sequence[Estimate]]) -> Picture:
    """A line with dots and bars for each of `lines` over `places`.

    Positive numbers that span more than a factor of 10 have a logarithmic axis; texts are set at equal distances.

    >>> lines_chart("loss", "width", [1, 2], {"bias": [Estimate(1.0, 0.8, 1.2), Estimate(0.5, 0.4, 0.6)]})
    <Picture: loss>
    """
    x_axis = _axis_of(places)
    x_name = f"{x_name} (logarithmic axis)" if x_axis.logarithmic else x_name
    numbers = [float(place) for place in places] if _are_numbers(places) else [float(n) for n in range(len(places))]
    marks: list[Mark] = []
    for number, (name, line) in enumerate(lines.items()):
        role = ROLES[number % len(ROLES)]
        known = [(x, found) for x, found in zip(numbers, line, strict=True) if math.isfinite(found.mean)]
        sure = [(x, found) for x, found in known if math.isfinite(found.low)]
        x, y = [x for x, _ in known], [found.mean for _, found in known]
        marks += [Intervals([x for x, _ in sure], [found.low for _, found in sure], [found.high for _, found in sure],
                            role), Curve(x, y, role, name), Dots(x, y, role)]
    y_axis = _y_axis([estimate for line in lines.values() for estimate in line])
    return Picture(title, (Chart(title, x_axis, y_axis, marks, x_name),))


def _y_axis(estimates: Sequence[Estimate]) -> Axis:
    """One that holds 0, all means, and the intervals as far as they leave the means room."""
    means = [0.0, *(estimate.mean for estimate in estimates if math.isfinite(estimate.mean))]
    room = 0.1 * (max(means) - min(means))
    floor = min(means) - room if min(means) < 0 else 0.0
    ends = [end for estimate in estimates for end in estimate[1:] if math.isfinite(end)]
    return make_axis([*means, *(min(max(end, floor), max(means) + room) for end in ends)])


def _are_numbers(places: Sequence[float | str]) -> bool:
    return not any(isinstance(place, str) for place in places)


def _axis_of(places: Sequence[float | str]) -> Axis:
    if not _are_numbers(places):
        ticks = tuple(map(float, range(len(places))))
        return Axis(-0.5, len(places) - 0.5, 0.0, 1.0, ticks, labels=tuple(map(str, places)))
    values = [float(place) for place in places]
    low, high = min(values), max(values)
    if low > 0 and high > 10 * low:
        ticks = tuple(sorted({values[round(i * (len(values) - 1) / min(6, len(values) - 1))]
                              for i in range(min(6, len(values) - 1) + 1)}))
        return Axis(low / 1.1, high * 1.1, 0.0, 1.0, ticks, True)
    return make_axis(values)
