"""A chart: marks on a pair of axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tarazu.picture.axis import Axis
from tarazu.picture.marks import Mark

PLOT_SIZE = (380, 200)  # pixels


@dataclass(frozen=True)
class ColorBar:
    """Which number of a heat map is which color of a ramp of `tarazu.picture.colors.RAMPS`.

    >>> ColorBar(0.0, 1.0, "shares").high
    1.0
    """

    low: float
    high: float
    ramp: str


@dataclass(frozen=True, eq=False)
class Chart:
    """Marks on a pair of axes, the later above the earlier; `size` is that of the area inside the axes, in pixels.

    >>> from tarazu.picture.axis import make_axis
    >>> Chart("nothing", make_axis([0, 1]), make_axis([0, 1]), ()).size
    (380, 200)
    """

    title: str
    x: Axis
    y: Axis
    marks: Sequence[Mark]
    x_name: str = ""
    y_name: str = ""
    size: tuple[float, float] = PLOT_SIZE
    has_axes: bool = True
    color_bar: ColorBar | None = None
