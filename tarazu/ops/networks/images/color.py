"""Colors of images, in the last axis: gray from RGB, and RGB to HSV and back."""

from __future__ import annotations

from tarazu.base.errors import ShapeError
from tarazu.ops.elementwise import (
    abs,
    add,
    clip,
    divide,
    equal,
    floor,
    greater,
    logical_and,
    logical_not,
    multiply,
    remainder,
    subtract,
    where,
)
from tarazu.ops.promote import as_float
from tarazu.ops.reduce import max, min
from tarazu.ops.shape import expand_dims, stack
from tarazu.ops.typing import ArrayLike, Tensor

_GRAY = (0.2989, 0.587, 0.114)  # luma of ITU-R BT.601, as in Keras and torchvision


def rgb_to_grayscale(x: ArrayLike) -> Tensor:
    """The brightness 0.2989 R + 0.587 G + 0.114 B of each pixel: (..., 3) to (..., 1).

    The weights are those of ITU-R BT.601. Integers become float32. ShapeError unless the last axis has size 3.

    >>> import tarazu as tz
    >>> tz.rgb_to_grayscale(tz.tensor([[0.0, 1.0, 0.0]]))
    Tensor([[0.587]], dtype=float32)
    """
    red, green, blue = _channels("rgb_to_grayscale", x)
    gray = add(add(multiply(red, _GRAY[0]), multiply(green, _GRAY[1])), multiply(blue, _GRAY[2]))
    return expand_dims(gray, -1)


def rgb_to_hsv(x: ArrayLike) -> Tensor:
    """Hue, saturation and value of each pixel, (..., 3), from red, green and blue (Smith, 1978); all from 0 to 1.

    Hue 0 is red, 1/3 green, 2/3 blue; it is 0 for grays, whose gradient is 0 too. Integers become float32, so divide
    bytes by 255 before. ShapeError unless the last axis has size 3.

    >>> import tarazu as tz
    >>> tz.rgb_to_hsv(tz.tensor([0.0, 0.5, 0.0]))
    Tensor([0.33333334, 1.        , 0.5       ], dtype=float32)
    """
    x = as_float(x)
    red, green, blue = _channels("rgb_to_hsv", x)
    value, least = max(x, -1), min(x, -1)
    chroma = subtract(value, least)
    is_gray, is_red = equal(chroma, 0), equal(value, red)
    is_green = logical_and(equal(value, green), logical_not(is_red))
    sixths = where(is_red, _sixths(green, blue, chroma), where(is_green, add(_sixths(blue, red, chroma), 2),
                                                              add(_sixths(red, green, chroma), 4)))
    hue = divide(sixths, 6)
    saturation = divide(chroma, where(greater(value, 0), value, 1))
    return stack([where(is_gray, 0, subtract(hue, floor(hue))), saturation, value], -1)


def _sixths(first: Tensor, second: Tensor, chroma: Tensor) -> Tensor:
    """The hue, in sixths of the circle, from that of the largest color on."""
    return divide(subtract(first, second), where(equal(chroma, 0), 1, chroma))


def hsv_to_rgb(x: ArrayLike) -> Tensor:
    """Red, green and blue of each pixel, (..., 3), from hue, saturation and value: the inverse of `rgb_to_hsv`.

    Hues count modulo 1. Integers become float32. ShapeError unless the last axis has size 3.

    >>> import tarazu as tz
    >>> tz.hsv_to_rgb(tz.tensor([0.5, 1.0, 0.5]))
    Tensor([0. , 0.5, 0.5], dtype=float32)
    """
    hue, saturation, value = _channels("hsv_to_rgb", x)
    sixths = multiply(remainder(hue, 1.0), 6)
    red = clip(subtract(abs(subtract(sixths, 3)), 1), 0, 1)
    green = clip(subtract(2, abs(subtract(sixths, 2))), 0, 1)
    blue = clip(subtract(2, abs(subtract(sixths, 4))), 0, 1)
    pale = subtract(1, saturation)
    return stack([multiply(add(pale, multiply(saturation, pure)), value) for pure in (red, green, blue)], -1)


def _channels(name: str, x: ArrayLike) -> tuple[Tensor, Tensor, Tensor]:
    x = as_float(x)
    if x.shape[-1:] != (3,):
        raise ShapeError(f"{name}: an input of shape {x.shape}", expected="(..., 3): three colors in the last axis",
                         fix="np.moveaxis(x, 1, -1) moves channels there from axis 1, where torch has them")
    return x[..., 0], x[..., 1], x[..., 2]
