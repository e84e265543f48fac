"""What stands on the axes of a chart, in the units of the axes; roles are keys of `tarazu.picture.colors.ROLES`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

Numbers: TypeAlias = Sequence[float] | np.ndarray


@dataclass(frozen=True, eq=False)
class Curve:
    """A line through points; NaN leaves a gap, a point without neighbors is a dot. `name` stands in the legend."""

    x: Numbers
    y: Numbers
    role: str = "train"
    name: str = ""
    is_dashed: bool = False


@dataclass(frozen=True, eq=False)
class Dots:
    """A dot at each point, of one radius or of one each, in pixels."""

    x: Numbers
    y: Numbers
    role: str = "train"
    name: str = ""
    radius: float | Numbers = 3.0


@dataclass(frozen=True, eq=False)
class Intervals:
    """A line from `low` to `high` over each place of the horizontal axis; `is_horizontal`: beside the vertical one."""

    at: Numbers
    low: Numbers
    high: Numbers
    role: str = "ink"
    is_horizontal: bool = False


@dataclass(frozen=True, eq=False)
class Band:
    """The faint area between two lines."""

    x: Numbers
    low: Numbers
    high: Numbers
    role: str = "train"


@dataclass(frozen=True, eq=False)
class Bars:
    """Rectangles, each from `left` to `right` and from `bottom` to `top`."""

    left: Numbers
    right: Numbers
    bottom: Numbers
    top: Numbers
    role: str = "train"
    name: str = ""


@dataclass(frozen=True, eq=False)
class Shape:
    """A filled polygon; `kind` is what a page's own colors call it."""

    x: Numbers
    y: Numbers
    role: str = "train"
    kind: str = "shape"


@dataclass(frozen=True, eq=False)
class Stroke:
    """A thick line through points, of the color of text; `kind` is what a page's own colors call it."""

    x: Numbers
    y: Numbers
    kind: str = "beam"


@dataclass(frozen=True, eq=False)
class Rule:
    """A dashed line across the whole chart at a place of the horizontal axis, with a text at its upper end.

    Of two whose texts may overlap, one has a `level` above.
    """

    at: float
    text: str = ""
    level: int = 0


@dataclass(frozen=True, eq=False)
class Raster:
    """An image, uint8 (height, width, 3), between the places `extent` of the axes: left, right, top, bottom.

    By default its pixels are one unit each, the first row at 0 of the vertical axis.
    """

    pixels: np.ndarray
    extent: tuple[float, float, float, float] | None = None

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """Left, right, top and bottom."""
        height, width, _ = self.pixels.shape
        return (0.0, float(width), 0.0, float(height)) if self.extent is None else self.extent


@dataclass(frozen=True, eq=False)
class Words:
    """A text at each point, which is its "start", its "middle" or its "end"; `size` is in pixels."""

    x: Numbers
    y: Numbers
    texts: Sequence[str]
    anchor: str = "middle"
    role: str = "ink"
    size: int = 12


Mark: TypeAlias = Curve | Dots | Intervals | Band | Bars | Shape | Stroke | Rule | Raster | Words
