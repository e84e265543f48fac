"""The picture of a curve: means with intervals, a law that carries them on, and marks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from tarazu.picture.axis import Axis, make_axis
from tarazu.picture.chart import Chart
from tarazu.picture.marks import Band, Curve, Dots, Intervals, Mark, Rule
from tarazu.picture.picture import Picture
from tarazu.study.curves.estimates import Estimate

LONGEST_BARS = 25  # more points than that have a band instead of a bar each
LOWEST = 30.0  # a logarithmic axis ends at the lowest validation loss divided by this, or above it
PARTS = {"train": "training", "validation": "validation"}


class Line(NamedTuple):
    """Estimates at positions, in the color of the part "train" or "validation"."""

    part: str
    positions: Sequence[float]
    estimates: Sequence[Estimate]
    is_law: bool = False  # drawn dashed, with a band, without points


def curve_chart(title: str, x_name: str, lines: Sequence[Line], ticks: Mapping[float, str], *,
                logarithmic: bool = False, marks: Mapping[str, float] | None = None) -> Picture:
    """The lines over the positions that `ticks` name, with a rule at each of the `marks`.

    >>> line = Line("train", [1.0, 2.0], [Estimate(0.5, 0.4, 0.6), Estimate(0.3, 0.2, 0.4)])
    >>> curve_chart("loss", "rows", [line], {1.0: "1", 2.0: "2"})
    <Picture: loss by rows>
    """
    positions = [*ticks, *(position for line in lines for position in line.positions)]
    x_axis = _x_axis(min(positions), max(positions), logarithmic)._replace(ticks=tuple(ticks),
                                                                           labels=tuple(ticks.values()))
    y_axis = _y_axis(lines)
    name = f"{title} (logarithmic axis)" if y_axis.logarithmic else title
    x_name = f"{x_name} (logarithmic axis)" if logarithmic else x_name
    drawn: list[Mark] = [Rule(at, text, level) for level, (text, at) in enumerate((marks or {}).items())]
    for line in sorted(lines, key=lambda line: not line.is_law):
        drawn += _drawn(line)
    return Picture(f"{title} by {x_name}", (Chart(name, x_axis, y_axis, drawn, x_name),))


def _x_axis(low: float, high: float, logarithmic: bool) -> Axis:
    if logarithmic:
        margin = (high / low) ** 0.03 if high > low else 2.0
        return Axis(low / margin, high * margin, 0.0, 1.0, (), True)
    margin = 0.03 * (high - low) or 1.0
    return Axis(low - margin, high + margin, 0.0, 1.0, ())


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
    if make_axis(validation, logarithmic=True).logarithmic:
        return make_axis([max(mean, min(validation) / LOWEST) for mean in means], logarithmic=True)
    room = 0.25 * (high - low) or abs(high) or 1.0
    ends = [end for estimate in estimates for end in estimate[1:] if math.isfinite(end)]
    floor = max(low - room, 0.0) if low >= 0 else low - room
    return make_axis([*means, *(min(max(end, floor), high + room) for end in ends)])


def _drawn(line: Line) -> Iterator[Mark]:
    """Its band or bars, its line and its points."""
    known = [(x, found) for x, found in zip(line.positions, line.estimates, strict=True) if math.isfinite(found.mean)]
    sure = [(x, found) for x, found in known if math.isfinite(found.low)]
    has_band = line.is_law or len(known) > LONGEST_BARS
    ends = [x for x, _ in sure], [found.low for _, found in sure], [found.high for _, found in sure]
    if has_band and sure:
        yield Band(*ends, line.part)
    x, y = [x for x, _ in known], [found.mean for _, found in known]
    name = PARTS[line.part]
    yield Curve(x, y, line.part, name if has_band and not line.is_law else "", line.is_law)
    if not has_band:
        yield Intervals(*ends, line.part)
        yield Dots(x, y, line.part, name)
