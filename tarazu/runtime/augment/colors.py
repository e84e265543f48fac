"""Colors and brightness of images changed at random.

Pixels lie in `value_range`: by default from 0 to 255 if they are uint8, from 0 to 1 if they are floats.
"""

from __future__ import annotations

from tarazu.base import dtypes
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ops.elementwise import add, clip, divide, multiply, remainder, subtract, where
from tarazu.ops.networks.images.color import hsv_to_rgb, rgb_to_grayscale, rgb_to_hsv
from tarazu.ops.promote import as_float, single
from tarazu.ops.reduce import mean
from tarazu.ops.shape import broadcast_to, concat, reshape
from tarazu.ops.typing import ArrayLike, Tensor
from tarazu.runtime import random
from tarazu.runtime.augment.parameters import (
    Factor,
    Range,
    chosen,
    draw,
    require_factor,
    require_images,
    require_probability,
    restored,
)


def brightness(x: ArrayLike, factor: Factor = 0.2, value_range: Range | None = None) -> Tensor:
    """Images made brighter or darker, each by a share of its own of the value range, at whose ends values are held.

    A factor f draws from -f to f, a pair (low, high) between these. `value_range` is (0, 255) for uint8 and (0, 1) for
    floats unless it is given. ArgumentError for another factor or range; ShapeError and DTypeError for an input that is
    no batch of images.

    >>> import tarazu as tz
    >>> tz.data.augment.brightness(tz.tensor([0.25, 0.75]).reshape(1, 1, 2, 1), (0.5, 0.5)).flatten()
    Tensor([0.75, 1.  ], dtype=float32)
    """
    x = require_images("brightness", x)
    limits = require_range("brightness", value_range, x)
    change = multiply(draw(x, require_factor("brightness", "factor", factor)), limits[1] - limits[0])
    return _within(add(_wide(x), _over(change)), limits, x)


def contrast(x: ArrayLike, factor: Factor = 0.2, value_range: Range | None = None) -> Tensor:
    """Images with more or less contrast: the distances to the mean of each channel are multiplied by 1 + factor.

    A factor f draws from -f to f for each image, a pair (low, high) between these. `value_range`, at whose ends values
    are held, is that of `brightness`. ArgumentError for factors below -1 or another range; ShapeError and DTypeError
    for an input that is no batch of images.

    >>> import tarazu as tz
    >>> tz.data.augment.contrast(tz.tensor([0.25, 0.75]).reshape(1, 1, 2, 1), (-0.5, -0.5)).flatten()
    Tensor([0.375, 0.625], dtype=float32)
    """
    x = require_images("contrast", x)
    limits, wide = require_range("contrast", value_range, x), _wide(x)
    scale = add(draw(x, require_factor("contrast", "factor", factor, least=-1)), 1)
    return _within(_away_from(mean(wide, (1, 2), keepdims=True), wide, scale), limits, x)


def saturation(x: ArrayLike, factor: Factor = 0.2, value_range: Range | None = None) -> Tensor:
    """Images with stronger or weaker colors: the distances to their gray are multiplied by 1 + factor; -1 is gray.

    (batch, height, width, 3) to the same. A factor f draws from -f to f for each image, a pair (low, high) between
    these. `value_range` is that of `brightness`. ArgumentError for factors below -1 or another range; ShapeError and
    DTypeError for an input that is no batch of RGB images.

    >>> import tarazu as tz
    >>> tz.data.augment.saturation(tz.tensor([0.0, 1.0, 0.0]).reshape(1, 1, 1, 3), (-1.0, -1.0)).flatten()
    Tensor([0.587, 0.587, 0.587], dtype=float32)
    """
    x = require_rgb("saturation", x)
    limits, wide = require_range("saturation", value_range, x), _wide(x)
    scale = add(draw(x, require_factor("saturation", "factor", factor, least=-1)), 1)
    return _within(_away_from(rgb_to_grayscale(wide), wide, scale), limits, x)


def hue(x: ArrayLike, factor: Factor = 0.1, value_range: Range | None = None) -> Tensor:
    """Images with other hues: all are turned on the color circle, by a share of the circle that is drawn per image.

    (batch, height, width, 3) to the same. A factor f draws from -f to f, a pair (low, high) between these; 1/3 makes
    red green. `value_range` is that of `brightness`. ArgumentError for another factor or range; ShapeError and
    DTypeError for an input that is no batch of RGB images.

    >>> import tarazu as tz
    >>> tz.data.augment.hue(tz.tensor([1.0, 0.0, 0.0]).reshape(1, 1, 1, 3), (1 / 3, 1 / 3)).round().flatten()
    Tensor([0., 1., 0.], dtype=float32)
    """
    x = require_rgb("hue", x)
    low, high = require_range("hue", value_range, x)
    change = _over(draw(x, require_factor("hue", "factor", factor)))
    hsv = rgb_to_hsv(divide(subtract(_wide(x), low), high - low))
    turned = concat([remainder(add(hsv[..., :1], change), 1), hsv[..., 1:]], -1)
    return _within(add(multiply(hsv_to_rgb(turned), high - low), low), (low, high), x)


def grayscale(x: ArrayLike, rate: float = 0.1) -> Tensor:
    """Images without their colors, each with the probability `rate`; the gray stands in all three channels.

    (batch, height, width, 3) to the same. ArgumentError for a rate that is not from 0 to 1; ShapeError and DTypeError
    for an input that is no batch of RGB images.

    >>> import tarazu as tz
    >>> tz.data.augment.grayscale(tz.tensor([0.0, 1.0, 0.0]).reshape(1, 1, 1, 3), rate=1).flatten()
    Tensor([0.587, 0.587, 0.587], dtype=float32)
    """
    x, rate = require_rgb("grayscale", x), require_probability("grayscale", rate)
    gray = restored(rgb_to_grayscale(_wide(x)), x)
    return where(chosen(x, rate), broadcast_to(gray, x.shape), x)


def noise(x: ArrayLike, std: float = 0.05, value_range: Range | None = None) -> Tensor:
    """Images with normal noise of mean 0 added to each value; its standard deviation is a share of the value range.

    `value_range`, at whose ends values are held, is that of `brightness`. ArgumentError for a std below 0 or another
    range; ShapeError and DTypeError for an input that is no batch of images.

    >>> import tarazu as tz
    >>> y = tz.data.augment.noise(tz.full((4, 50, 50, 1), 0.5), 0.1)
    >>> bool(abs(y.std() - 0.1) < 0.01)
    True
    """
    x = require_images("noise", x)
    limits = require_range("noise", value_range, x)
    added = random.normal(x.shape, std=std * (limits[1] - limits[0]))
    return _within(add(_wide(x), added), limits, x)


def require_range(name: str, value_range: Range | None, x: Tensor | None = None) -> Range:
    """The range of pixels, by their dtype where none is given. ArgumentError unless low < high."""
    if value_range is None:
        return (0.0, 255.0) if x is not None and x.dtype is dtypes.uint8 else (0.0, 1.0)
    if len(value_range) != 2 or not value_range[0] < value_range[1]:
        raise ArgumentError(f"{name}: value_range={value_range!r}", expected="(low, high), low < high",
                            fix="leave it out: (0, 255) for uint8, (0, 1) for floats")
    return float(value_range[0]), float(value_range[1])


def require_rgb(name: str, x: ArrayLike) -> Tensor:
    """`x` as a value; ShapeError unless it is (batch, height, width, 3)."""
    x = require_images(name, x)
    if x.shape[3] != 3:
        raise ShapeError(f"{name}: images with {x.shape[3]} channels", expected="3: red, green and blue",
                         fix="leave it out for gray images")
    return x


def _wide(x: Tensor) -> Tensor:
    return single(as_float(x))


def _over(numbers: Tensor) -> Tensor:
    """Numbers of samples as (batch, 1, 1, 1)."""
    return reshape(numbers, (-1, 1, 1, 1))


def _away_from(middle: Tensor, x: Tensor, scale: Tensor) -> Tensor:
    return add(middle, multiply(subtract(x, middle), _over(scale)))


def _within(y: Tensor, limits: Range, x: Tensor) -> Tensor:
    return restored(clip(y, *limits), x)
