"""Charts of numbers and images in rows and columns: heat maps with names, and images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tarazu.picture.axis import Axis, named_axis, upside_down
from tarazu.picture.chart import Chart, ColorBar
from tarazu.picture.colors import colored, text_role
from tarazu.picture.marks import Mark, Raster, Words

IMAGE = 112  # pixels of the longer side
MOST_NAMES = 40  # more ticks than that would overlap


def heat_chart(title: str, values: np.ndarray, bar: ColorBar, *, texts: np.ndarray | None = None,
               rows: Sequence[str] = (), columns: Sequence[str] = (), x_name: str = "", y_name: str = "",
               cell: tuple[float, float] = (24, 24), pixels: np.ndarray | None = None) -> Chart:
    """A heat map of `values` (rows, columns) in the colors of `bar`, with names and `texts` where they are given.

    `cell` is the size of a cell in pixels; `pixels` are colors to show in place of those of the values.

    >>> heat_chart("shares", np.eye(2), ColorBar(0, 1, "shares")).size
    (48, 48)
    """
    height, width = values.shape
    pixels = colored(values, bar.low, bar.high, bar.ramp) if pixels is None else pixels
    marks: list[Mark] = [Raster(pixels)]
    if texts is not None:
        y, x = (axis.ravel() for axis in np.indices(values.shape))
        roles = np.array([text_role(color) for color in pixels.reshape(-1, 3)])
        for role in dict.fromkeys(roles.tolist()):
            of = roles == role
            marks.append(Words(x[of] + 0.5, y[of] + 0.5, [str(text) for text in texts.ravel()[of]], role=role))
    x_axis, y_axis = (_axis(names, size) for names, size in ((columns, width), (rows, height)))
    return Chart(title, x_axis, upside_down(y_axis), marks, x_name, y_name, size=(width * cell[0], height * cell[1]),
                 color_bar=bar)


def _axis(names: Sequence[str], size: int) -> Axis:
    return named_axis(names) if 0 < len(names) <= MOST_NAMES else Axis(0.0, size, 0.0, 1.0, ())


def image_chart(title: str, pixels: np.ndarray, side: float = IMAGE) -> Chart:
    """An image, uint8 (height, width, 3), without axes, its longer side of so many pixels.

    >>> image_chart("a digit", np.zeros((28, 14, 3), np.uint8)).size
    (56.0, 112.0)
    """
    height, width, _ = pixels.shape
    scale = side / max(height, width)
    return Chart(title, Axis(0.0, width, 0.0, 1.0, ()), upside_down(Axis(0.0, height, 0.0, 1.0, ())), (Raster(pixels),),
                 size=(width * scale, height * scale), has_axes=False)
