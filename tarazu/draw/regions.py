"""Where two features lead to which class, or to which number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tarazu.base.errors import ShapeError
from tarazu.diagnose.scoring.classes import log_softmax
from tarazu.draw.arrays import array, column, finite, whole_numbers
from tarazu.nn.module.mode import in_mode
from tarazu.nn.module.module import Module
from tarazu.ops.typing import ArrayLike
from tarazu.picture.axis import Axis, make_axis
from tarazu.picture.chart import Chart, ColorBar
from tarazu.picture.colors import ROLES, SERIES, colored, rgb
from tarazu.picture.marks import Dots, Mark, Raster
from tarazu.picture.picture import Picture
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.creation import asarray

GRID = 120, 90  # points, across and up
SIZE = 400.0, 300.0  # pixels
MARGIN = 0.08
PALEST = 0.55  # how much white there is where the model is sure, at most all


def regions(model: Module, x: ArrayLike, y: ArrayLike | None = None, *, names: Sequence[str] = ("x1", "x2")) -> Picture:
    """What a model of two features predicts around the rows `x`, (rows, 2), which are dots in the color of their class.

    Of logits (rows, classes) a place has the color of the class that is largest there, paler where the model is less
    sure; a single logit is that of class 1 if `y` has classes, else a number. `y` are class numbers (rows,). `values`
    are the outputs on the grid, (height, width, outputs), from the lowest features on. ShapeError for other features,
    and for labels of other rows; ArgumentError for features that are NaN, and for labels that are no class numbers.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(2, in_features=2)])
    >>> tz.draw.regions(model, [[0.0, 0.0], [1.0, 1.0]], [0, 1]).values.shape
    (90, 120, 2)
    """
    points = array(x)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ShapeError(f"inputs of shape {points.shape}", expected="two features: (rows, 2)",
                         fix="choose two columns, and train a model on them")
    points = finite("features", points).astype(np.float32)
    x_axis, y_axis = _axis(points[:, 0]), _axis(points[:, 1])
    across, up = np.linspace(x_axis.low, x_axis.high, GRID[0]), np.linspace(y_axis.low, y_axis.high, GRID[1])
    grid = np.stack(np.meshgrid(across, up), axis=-1).astype(np.float32)
    with in_mode(model, training=False), no_grad():
        outputs = model(asarray(grid.reshape(-1, 2))).numpy()
    outputs = outputs.reshape(GRID[1], GRID[0], -1).astype(np.float64)
    labels = None if y is None else finite("y", column("y", y))
    if labels is not None and len(labels) != len(points):
        raise ShapeError(f"{len(labels)} labels for {len(points)} rows", expected="one label per row",
                         fix="pass the labels of the same rows")
    pixels, bar = _colors(outputs, labels)
    extent = x_axis.low, x_axis.high, y_axis.high, y_axis.low
    marks: list[Mark] = [Raster(pixels[::-1], extent)]
    if labels is not None and bar is None:
        labels = whole_numbers("y", labels, "pass the number of the class of each row")
        marks += [Dots(points[labels == label, 0], points[labels == label, 1], SERIES[int(label) % len(SERIES)],
                       f"class {int(label)}") for label in np.unique(labels)]
    else:
        marks.append(Dots(points[:, 0], points[:, 1], "dark"))
    chart = Chart("what the model predicts", x_axis, y_axis, marks, names[0], names[1], size=SIZE, color_bar=bar)
    return Picture("what the model predicts", (chart,), values=outputs)


def _axis(values: np.ndarray) -> Axis:
    low, high = float(values.min()), float(values.max())
    room = MARGIN * (high - low) or 1.0
    axis = make_axis([low, high])
    return axis._replace(low=low - room, high=high + room,
                         ticks=tuple(tick for tick in axis.ticks if low - room <= tick <= high + room))


def _colors(outputs: np.ndarray, labels: np.ndarray | None) -> tuple[np.ndarray, ColorBar | None]:
    """The colors of the grid, and what they say where they stand for numbers."""
    height, width, count = outputs.shape
    is_binary = count == 1 and labels is not None and set(np.unique(labels).tolist()) <= {0, 1}
    if count == 1 and not is_binary:
        bar = ColorBar(float(outputs.min()), float(outputs.max()), "shares")
        return colored(outputs[:, :, 0], bar.low, bar.high, bar.ramp), bar
    logits = np.concatenate([np.zeros_like(outputs), outputs], axis=2) if is_binary else outputs
    shares = np.exp(log_softmax(logits.reshape(height * width, -1)))
    best = shares.argmax(axis=1)
    tints = np.array([rgb(ROLES[SERIES[number % len(SERIES)]]) for number in range(shares.shape[1])], np.float64)
    chance = 1 / shares.shape[1]
    sure = ((shares.max(axis=1) - chance) / (1 - chance))[:, None] * (1 - PALEST)
    return (255 + (tints[best] - 255) * sure).round().astype(np.uint8).reshape(height, width, 3), None
