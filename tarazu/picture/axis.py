"""Axes of charts: linear or logarithmic, with round ticks, and the pixel of a value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

# Positive values that span more than this get a logarithmic axis: on a linear one the small ones lie on the floor.
LOGARITHMIC_SPAN = 100


class Axis(NamedTuple):
    """An axis from `low` to `high`, at the pixels `start` to `end`; `labels` stand in place of the ticks' numbers."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]
    logarithmic: bool = False
    labels: tuple[str, ...] = ()

    def pixel(self, value: float) -> float:
        """The pixel of `value`.

        >>> Axis(0, 10, 100, 200, ()).pixel(5)
        150.0
        """
        low, high, value = (math.log10(v) if self.logarithmic else v for v in (self.low, self.high, value))
        return self.start + (self.end - self.start) * (value - low) / (high - low)

    def at(self, start: float, end: float) -> Axis:
        """The same axis at other pixels.

        >>> Axis(0, 10, 0, 1, ()).at(100, 200).pixel(5)
        150.0
        """
        return self._replace(start=start, end=end)

    def texts(self) -> tuple[str, ...]:
        """What stands at the ticks.

        >>> Axis(0, 1, 0, 1, (0.0, 1.0)).texts(), Axis(0, 1, 0, 1, (0.5,), labels=("cat",)).texts()
        (('0', '1'), ('cat',))
        """
        return self.labels or tuple(map(tick_text, self.ticks))

    def held(self, value: float) -> float:
        """`value`, or the end of the axis that is nearest to it.

        >>> Axis(0, 10, 0, 1, ()).held(12)
        10
        """
        return min(max(value, min(self.low, self.high)), max(self.low, self.high))


def named_axis(names: Sequence[str]) -> Axis:
    """The axis of things that stand side by side, one unit apart, each name in the middle of its own.

    >>> named_axis(["cat", "dog"]).ticks
    (0.5, 1.5)
    """
    return Axis(0.0, max(len(names), 1), 0.0, 1.0, tuple(n + 0.5 for n in range(len(names))), labels=tuple(names))


def upside_down(axis: Axis) -> Axis:
    """The axis with its ends exchanged: of rows, the first of which is on top.

    >>> upside_down(Axis(0, 2, 0, 1, ())).low
    2
    """
    return axis._replace(low=axis.high, high=axis.low)


def make_axis(values: Sequence[float], start: float = 0.0, end: float = 1.0, *, whole: bool = False,
              logarithmic: bool = False) -> Axis:
    """The axis that holds the finite `values`; `whole` keeps ticks to whole numbers and ends at the data.

    `logarithmic` allows a logarithmic axis where LOGARITHMIC_SPAN asks for it.

    >>> make_axis([0.12, 0.97], 0, 100).ticks, make_axis([1, 9], 0, 100, whole=True).ticks
    ((0.0, 0.2, 0.4, 0.6, 0.8, 1.0), (2, 4, 6, 8))
    """
    low, high = min(values, default=0.0), max(values, default=1.0)
    if whole:
        low, high = (low - 1, high + 1) if low == high else (low, high)
        step = max(1, round_step((high - low) / 6))
        first, last = math.ceil(low / step), math.floor(high / step)
        return Axis(low, high, start, end, tuple(int(step * n) for n in range(first, last + 1)))
    if logarithmic and low > 0 and high / low > LOGARITHMIC_SPAN:
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        stride = math.ceil((last - first) / 6)
        return Axis(10.0**first, 10.0**last, start, end, tuple(10.0**n for n in range(first, last + 1, stride)), True)
    if low == high:
        low, high = (low - abs(low) / 2, high + abs(high) / 2) if low else (-1.0, 1.0)
    step = round_step((high - low) / 5)
    first, last = math.floor(low / step), math.ceil(high / step)
    ticks = tuple(float(f"{step * n:.10g}") for n in range(first, last + 1))
    return Axis(ticks[0], ticks[-1], start, end, ticks)


def tick_text(tick: float) -> str:
    """The number at a tick, with all its digits: neighbors must never look alike.

    >>> tick_text(0.8965), tick_text(20000.0)
    ('0.8965', '20,000')
    """
    return f"{tick:,.6g}"


def round_step(step: float) -> float:
    """The least of 1, 2, 5 times a power of ten that is at least about `step`.

    P. Heckbert, "Nice numbers for graph labels", Graphics Gems, 1990.

    >>> round_step(0.17), round_step(31), round_step(6)
    (0.2, 50.0, 10.0)
    """
    power = 10.0 ** math.floor(math.log10(step))
    return next(float(f"{nice * power:.10g}") for nice in (1, 2, 5, 10) if nice * power >= step * 0.999)
