"""What pictures of attributions share: the output that is asked about, and the maps of what it rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from tarazu.base.errors import ArgumentError, DTypeError, ShapeError
from tarazu.base.messages import shortened
from tarazu.draw.images import as_pixels
from tarazu.nn.module.mode import in_mode
from tarazu.nn.module.module import Module
from tarazu.ops.typing import ArrayLike
from tarazu.picture.axis import make_axis
from tarazu.picture.bar_rows import MOST_ROWS, Row, bar_rows
from tarazu.picture.chart import Chart, ColorBar
from tarazu.picture.grids import heat_chart, image_chart
from tarazu.picture.picture import Picture
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor

MOST, SIDE = 8, 140  # rows that are shown; pixels of a map


def float_inputs(x: ArrayLike) -> Tensor:
    """The inputs, (rows, ...); DTypeError for whole numbers, ShapeError for a single row.

    >>> float_inputs([[1.0, 2.0]]).shape
    (1, 2)
    """
    inputs = rows_of(x)
    if not inputs.dtype.is_float:
        raise DTypeError(f"gradients for inputs of {inputs.dtype}", expected="numbers that can change a little",
                         fix="scale them first: x.astype(\"float32\") / 255; codes of words have no gradient, "
                             "tz.draw.occlusion takes them")
    return inputs


def rows_of(x: ArrayLike) -> Tensor:
    """The inputs, (rows, ...), of any kind; ShapeError for a single row.

    >>> rows_of([[1, 2]]).shape
    (1, 2)
    """
    inputs = asarray(x)
    if len(inputs.shape) < 2:
        raise ShapeError(f"inputs of shape {tuple(inputs.shape)}", expected="(rows, ...)",
                         fix="for one row, pass x[None]")
    return inputs


def numbers_of_outputs(model: Module, inputs: Tensor, target: ArrayLike | None) -> np.ndarray:
    """The number of the output that is asked about for each row: `target`, or the largest; ArgumentError for others.

    >>> import tarazu as tz
    >>> numbers_of_outputs(tz.nn.Sequential([tz.nn.Flatten()]), tz.tensor([[0.1, 0.9]]), None).tolist()
    [1]
    """
    with in_mode(model, training=False), no_grad():
        outputs = model(inputs)
    values = outputs.numpy().reshape(len(inputs), -1)
    if target is None:
        return values.argmax(axis=1)
    chosen = np.broadcast_to(np.asarray(target.numpy() if isinstance(target, Tensor) else target), (len(values),))
    if chosen.dtype.kind not in "iu" or chosen.min(initial=0) < 0 or chosen.max(initial=0) >= values.shape[1]:
        raise ArgumentError(f"target={target!r} of a model with {values.shape[1]} outputs",
                            expected=f"a whole number from 0 to {values.shape[1] - 1}, or one for each row",
                            fix="leave it out for the largest output")
    return chosen.astype(np.int64)


def chosen_outputs(model: Module, numbers: np.ndarray) -> Callable[[Tensor], Tensor]:
    """A function of inputs (rows, ...) that gives of each row the output of its number, (rows,).

    >>> import tarazu as tz
    >>> chosen_outputs(tz.nn.Sequential([tz.nn.Flatten()]), np.array([1]))(tz.tensor([[0.1, 0.9]])).tolist()
    [0.8999999761581421]
    """
    rows = asarray(np.arange(len(numbers)))
    columns = asarray(numbers)

    def function(inputs: Tensor) -> Tensor:
        outputs = model(inputs)
        return outputs.reshape(len(numbers), -1)[rows, columns]

    return function


def attribution_picture(title: str, x: np.ndarray, values: np.ndarray, names: Sequence[str]) -> Picture:
    """The inputs and what the outputs rest on: images beside maps, tables as bars; blue speaks for, orange against it.

    >>> attribution_picture("gradients", np.ones((1, 2)), np.array([[0.5, -0.5]]), ["age", "height"])
    <Picture: gradients>
    """
    if values.ndim == 2:
        charts = [_bars(f"row {row}", values[row], names) for row in range(min(len(values), MOST))]
        return Picture(title, tuple(charts), min(2, len(charts)), values=values)
    charts = [chart for row in range(min(len(values), MOST)) for chart in _maps(row, x, values)]
    return Picture(title, tuple(charts), 4 if len(charts) > 2 else len(charts), values=values)


def _bars(title: str, values: np.ndarray, names: Sequence[str]) -> Chart:
    """Of each feature, those that count most first where there are many."""
    named = list(names) if len(names) == len(values) else [f"feature {number}" for number in range(len(values))]
    order = np.argsort(-np.abs(values), kind="stable")[:MOST_ROWS] if len(values) > MOST_ROWS else range(len(values))
    rows = [Row(shortened(str(named[i]), 30), float(values[i]), f"{values[i]:.3g}", role="train" if values[i] >= 0
                else "validation") for i in order]
    return bar_rows(title, rows, make_axis([0.0, *(row.value for row in rows), 1e-9]))


def _maps(row: int, x: np.ndarray, values: np.ndarray) -> Iterator[Chart]:
    """The image, where it is one, and the sum of the values of its channels."""
    is_image = x.ndim == 4 and x.shape[-1] in (1, 3, 4)
    single = values[row].sum(axis=-1) if x.ndim == 4 else values[row].reshape(values.shape[1], -1)
    height, width = single.shape
    cell = SIDE / max(height, width)
    if is_image or x.ndim == 3:
        yield image_chart(f"row {row}", as_pixels(x[row][None])[0], SIDE)
    most = float(np.abs(single).max()) or 1.0
    yield heat_chart("", single, ColorBar(-most, most, "signs"), cell=(cell, cell))
