"""Rectangles of images erased at random."""

from __future__ import annotations

import math

from tarazu.base.checks import positive_int
from tarazu.ops.create import arange
from tarazu.ops.elementwise import (
    add,
    divide,
    exp,
    floor,
    greater_equal,
    less,
    logical_and,
    minimum,
    multiply,
    round,
    sqrt,
    subtract,
    where,
)
from tarazu.ops.promote import as_value, cast
from tarazu.ops.shape import reshape
from tarazu.ops.typing import ArrayLike, Tensor
from tarazu.runtime import random
from tarazu.runtime.augment.parameters import (
    Range,
    chosen,
    draw,
    require_images,
    require_probability,
    require_shares,
)


def erase(x: ArrayLike, rate: float = 0.5, scale: Range = (0.02, 0.33), ratio: Range = (0.3, 3.3),
          value: float = 0) -> Tensor:
    """Images with a rectangle replaced by `value`, each with the probability `rate` (Zhong and others, 2020).

    The rectangle lies within the image; its area is a share between the two of `scale`, its height by its width between
    the two of `ratio` (on a scale of logarithms), where the image has room. ArgumentError for a rate that is not from 0
    to 1 and for other ranges; ShapeError and DTypeError for an input that is no batch of images.

    >>> import tarazu as tz
    >>> float(tz.data.augment.erase(tz.ones((1, 8, 8, 1)), rate=1, scale=(0.25, 0.25), ratio=(1, 1)).sum())
    48.0
    """
    x, rate = require_images("erase", x), require_probability("erase", rate)
    scale, ratio = require_shares("erase", "scale", scale, 1.0), require_shares("erase", "ratio", ratio, math.inf)
    area = multiply(draw(x, scale), x.shape[1] * x.shape[2])
    shape = exp(draw(x, (math.log(ratio[0]), math.log(ratio[1]))))
    height, width = (minimum(round(sqrt(side)), size) for side, size in
                     ((multiply(area, shape), x.shape[1]), (divide(area, shape), x.shape[2])))
    top, left = (floor(multiply(draw(x, (0, 1)), add(subtract(size, length), 1)))
                 for size, length in ((x.shape[1], height), (x.shape[2], width)))
    return _filled(x, rate, rectangle(x, top, left, height, width), value)


def cutout(x: ArrayLike, size: int, rate: float = 1.0, value: float = 0) -> Tensor:
    """Images with a square of `size` pixels replaced by `value`, each with the probability `rate`.

    The middle of the square lies anywhere in the image, so that a part of it may lie outside (DeVries and Taylor,
    2017). ArgumentError for a size below 1 and a rate that is not from 0 to 1; ShapeError and DTypeError for an input
    that is no batch of images.

    >>> import tarazu as tz
    >>> 48 <= float(tz.data.augment.cutout(tz.ones((1, 8, 8, 1)), 4).sum()) <= 60
    True
    """
    x, rate, size = require_images("cutout", x), require_probability("cutout", rate), positive_int("size", size)
    top, left = (subtract(random.randint(0, length, (x.shape[0],)), size // 2) for length in x.shape[1:3])
    return _filled(x, rate, rectangle(x, top, left, size, size), value)


def rectangle(x: Tensor, top: Tensor, left: Tensor, height: Tensor | int, width: Tensor | int) -> Tensor:
    """Which pixels lie in the rectangle of their image, (batch, height, width, 1)."""
    rows, columns = _between(x.shape[1], top, height), _between(x.shape[2], left, width)
    return logical_and(reshape(rows, (x.shape[0], -1, 1, 1)), reshape(columns, (x.shape[0], 1, -1, 1)))


def _between(size: int, first: Tensor, length: Tensor | int) -> Tensor:
    positions, first = arange(size), reshape(first, (-1, 1))
    end = add(first, length if isinstance(length, int) else reshape(length, (-1, 1)))
    return logical_and(greater_equal(positions, first), less(positions, end))


def _filled(x: Tensor, rate: float, region: Tensor, value: float) -> Tensor:
    return where(logical_and(region, chosen(x, rate)), cast(as_value(value, x.dtype), x.dtype), x)
