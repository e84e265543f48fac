"""What an output rests on, by covering parts of the input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError
from tarazu.draw.inputs import attribution_picture, numbers_of_outputs, rows_of
from tarazu.nn.module.mode import in_mode
from tarazu.nn.module.module import Module
from tarazu.ops.typing import ArrayLike
from tarazu.picture.picture import Picture
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.creation import asarray

ROWS_AT_ONCE = 256
PARTS = 7  # of each side of an image, unless a window is given


def occlusion(model: Module, x: ArrayLike, target: ArrayLike | None = None, *,
              window: int | Sequence[int] | None = None, stride: int | None = None, value: float = 0.0,
              names: Sequence[str] = ()) -> Picture:
    """By how much an output falls where a part of the input is covered with `value` (Zeiler and Fergus, 2014).

    Of a table (rows, features) one feature after the other is covered; of images (rows, height, width, channels) a
    `window` moves by `stride` over height and width, by default a seventh of the side, half of it at a time; of (rows,
    a, b) it moves over both. Each place has the mean over all windows that cover it. `target` and `names` are as for
    `tz.draw.gradients`; `values` has the shape of `x`. Whole numbers are covered too, such as codes of words.
    ArgumentError for an output that is not there and a window that is larger than the input; ShapeError for one row.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(1, in_features=2)])
    >>> model[0].weight = tz.tensor([[2.0], [-1.0]])
    >>> tz.draw.occlusion(model, [[3.0, 1.0]]).values.tolist()
    [[6.0, -1.0]]
    """
    inputs = rows_of(x)
    numbers = numbers_of_outputs(model, inputs, target)
    array = inputs.numpy()
    sides = array.shape[1:-1] if array.ndim > 3 else array.shape[1:]
    sizes, step = _window(sides, window, stride)
    total, covered = np.zeros(array.shape, np.float64), np.zeros(array.shape, np.float64)
    whole = _outputs(model, array, numbers)
    for place in _places(sides, sizes, step):
        region = (slice(None), *(slice(start, start + size) for start, size in zip(place, sizes, strict=True)))
        changed = array.copy()
        changed[region] = value
        fall = whole - _outputs(model, changed, numbers)
        total[region] += fall.reshape(-1, *[1] * (array.ndim - 1))
        covered[region] += 1
    title = f"fall of the output where {' x '.join(map(str, sizes))} are covered"
    return attribution_picture(title, array, total / np.maximum(covered, 1), names)


def _window(sides: Sequence[int], window: int | Sequence[int] | None, stride: int | None) -> tuple[list[int], int]:
    """The size of the window along each side, and by how much it moves."""
    if window is None:
        sizes = [1] if len(sides) == 1 else [max(1, -(-side // PARTS)) for side in sides]
    else:
        sizes = [positive_int("window", window)] * len(sides) if isinstance(window, int) else [*window]
    if len(sizes) != len(sides) or any(size > side for size, side in zip(sizes, sides, strict=True)):
        raise ArgumentError(f"window={window!r} for inputs of {' x '.join(map(str, sides))}",
                            expected="a size within that, for each side", fix="leave it out for a seventh of each side")
    return sizes, max(1, min(sizes) // 2) if stride is None else positive_int("stride", stride)


def _places(sides: Sequence[int], sizes: Sequence[int], stride: int) -> Iterator[tuple[int, ...]]:
    """Where the window begins; the last one of each side ends with it."""
    return product(*(sorted({*range(0, side - size + 1, stride), side - size})
                     for side, size in zip(sides, sizes, strict=True)))


def _outputs(model: Module, array: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """The output of its number for each row, (rows,)."""
    parts = []
    with in_mode(model, training=False), no_grad():
        for first in range(0, len(array), ROWS_AT_ONCE):
            part = slice(first, first + ROWS_AT_ONCE)
            outputs = model(asarray(array[part])).numpy().reshape(len(array[part]), -1)
            parts.append(np.take_along_axis(outputs, numbers[part, None], axis=1)[:, 0])
    return np.concatenate(parts).astype(np.float64)
