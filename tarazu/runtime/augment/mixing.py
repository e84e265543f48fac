"""Images mixed with others of their batch, and their targets with them."""

from __future__ import annotations

from tarazu.base.errors import ArgumentError, DTypeError, ShapeError
from tarazu.ops.elementwise import add, divide, floor, multiply, round, sqrt, subtract, where
from tarazu.ops.indexing.index import take
from tarazu.ops.promote import as_float, as_value, single
from tarazu.ops.reduce import mean
from tarazu.ops.shape import reshape
from tarazu.ops.typing import ArrayLike, Tensor
from tarazu.runtime import random
from tarazu.runtime.augment.parameters import require_images, restored
from tarazu.runtime.augment.regions import rectangle


def mixup(x: ArrayLike, y: ArrayLike, alpha: float = 0.2) -> tuple[Tensor, Tensor]:
    """Means of two images of the batch and of their targets, weighted by the same share (Zhang and others, 2018).

    `x` is (batch, height, width, channels), `y` one-hot, (batch, classes), or other numbers that can be mixed; the
    result is (x, y), y as floats. The share is drawn for each image from Beta(alpha, alpha), so that small values mix
    little; the partner is that of a random order. ArgumentError for an alpha not above 0; DTypeError for class numbers;
    ShapeError and DTypeError for an input that is no batch of images, and for another number of targets.

    >>> import tarazu as tz
    >>> x, y = tz.data.augment.mixup(tz.ones((4, 2, 2, 1)), tz.one_hot(tz.tensor([0, 1, 2, 1]), 3))
    >>> x.shape, y.sum(1).numpy().round(4).tolist()
    ((4, 2, 2, 1), [1.0, 1.0, 1.0, 1.0])
    """
    x, y = _with_targets("mixup", x, y)
    share = random.beta(_require_alpha("mixup", alpha), alpha, (x.shape[0],))
    order = random.permutation(x.shape[0])
    wide = single(as_float(x))
    return restored(_mean(share, wide, take(wide, order)), x), _mean(share, y, take(y, order))


def cutmix(x: ArrayLike, y: ArrayLike, alpha: float = 1.0) -> tuple[Tensor, Tensor]:
    """Images with a rectangle of another image of the batch, and targets weighted by the areas (Yun and others, 2019).

    `x` is (batch, height, width, channels), `y` one-hot, (batch, classes); the result is (x, y), y as floats. The share
    of the image that stays is drawn from Beta(alpha, alpha), then the rectangle is cut off at the edges. ArgumentError
    for an alpha not above 0; DTypeError for class numbers; ShapeError and DTypeError for an input that is no batch of
    images, and for another number of targets.

    >>> import tarazu as tz
    >>> x, y = tz.data.augment.cutmix(tz.ones((4, 2, 2, 1)), tz.one_hot(tz.tensor([0, 1, 2, 1]), 3))
    >>> x.shape, y.sum(1).numpy().round(4).tolist()
    ((4, 2, 2, 1), [1.0, 1.0, 1.0, 1.0])
    """
    x, y = _with_targets("cutmix", x, y)
    count, rows, columns = x.shape[:3]
    side = sqrt(subtract(1, random.beta(_require_alpha("cutmix", alpha), alpha, (count,))))
    height, width = round(multiply(side, rows)), round(multiply(side, columns))
    top, left = (subtract(random.randint(0, size, (count,)), floor(divide(length, 2)))
                 for size, length in ((rows, height), (columns, width)))
    region, order = rectangle(x, top, left, height, width), random.permutation(count)
    share = subtract(1, mean(as_float(region), (1, 2, 3)))
    return where(region, take(x, order), x), _mean(share, y, take(y, order))


def _mean(share: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """share * first + (1 - share) * second; the shares are (batch,)."""
    weight = reshape(share, (-1,) + (1,) * (len(first.shape) - 1))
    return add(multiply(first, weight), multiply(second, subtract(1, weight)))


def _require_alpha(name: str, alpha: float) -> float:
    if not isinstance(alpha, int | float) or not 0 < alpha < float("inf"):
        raise ArgumentError(f"{name}: alpha={alpha!r}", expected="a finite number above 0",
                            fix="leave it out for the default")
    return alpha


def _with_targets(name: str, x: ArrayLike, y: ArrayLike) -> tuple[Tensor, Tensor]:
    """Images and targets as floats. ShapeError for another number of targets, DTypeError for class numbers."""
    x, y = require_images(name, x), as_value(y)
    if not y.shape or y.shape[0] != x.shape[0]:
        raise ShapeError(f"{name}: {x.shape[0]} images and targets of shape {y.shape}",
                         expected="as many targets as images", fix="pass x and y of one batch")
    if len(y.shape) == 1 and not y.dtype.is_float:
        raise DTypeError(f"{name}: targets of {y.dtype} and shape {y.shape}",
                         expected="one-hot targets, (batch, classes), as class numbers cannot be mixed",
                         fix="pass tz.one_hot(y, classes), with the loss cross_entropy")
    return x, single(as_float(y))
