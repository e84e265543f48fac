"""Checks of images and of the parameters of augmentation, and factors that are drawn for each sample."""

from __future__ import annotations

import math

from tarazu.base import dtypes
from tarazu.base.errors import ArgumentError, DTypeError, ShapeError
from tarazu.ops.elementwise import astype, clip, round
from tarazu.ops.promote import as_value
from tarazu.ops.typing import ArrayLike, Tensor
from tarazu.runtime import random

Factor = float | tuple[float, float]
Range = tuple[float, float]


def require_images(name: str, x: ArrayLike) -> Tensor:
    """`x` as a value; ShapeError unless it is (batch, height, width, channels), DTypeError for what holds no pixels."""
    x = as_value(x)
    if len(x.shape) != 4:
        raise ShapeError(f"{name}: an input of shape {x.shape}", expected="images: (batch, height, width, channels)",
                         fix="gray pictures have one channel: x[..., None]; one picture is a batch of one: x[None]")
    if not x.dtype.is_float and x.dtype is not dtypes.uint8:
        raise DTypeError(f"{name}: images of {x.dtype}", expected="uint8 or floats", fix='call .astype("uint8") or '
                         '.astype("float32")')
    return x


def restored(y: Tensor, x: Tensor) -> Tensor:
    """`y`, floats, in the dtype of the images `x` that it was made of: bytes are rounded and held at 0 and 255."""
    if x.dtype is dtypes.uint8:
        return astype(clip(round(y), 0, 255), x.dtype)
    return astype(y, x.dtype, copy=False)


def require_factor(name: str, option: str, factor: Factor, least: float = -math.inf) -> Range:
    """The range that a factor stands for: from -factor to factor, or a pair (low, high) itself, none below `least`."""
    pair = factor if isinstance(factor, tuple | list) else (-factor, factor) if _is_number(factor) else ()
    if len(pair) != 2 or not all(map(_is_number, pair)) or not least <= pair[0] <= pair[1] < math.inf or (
            pair[0] == -math.inf):
        bound = "" if least == -math.inf else f", none below {least:g}"
        raise ArgumentError(f"{name}: {option}={factor!r}",
                            expected=f"a number of at least 0, or a pair (low, high){bound}",
                            fix=f"{option}=0.1 draws from -0.1 to 0.1")
    return float(pair[0]), float(pair[1])


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)


def require_probability(name: str, rate: float) -> float:
    """ArgumentError unless `rate` is from 0 to 1."""
    if not _is_number(rate) or not 0 <= rate <= 1:
        raise ArgumentError(f"{name}: rate={rate!r}", expected="the share of samples to change, from 0 to 1",
                            fix="leave it out for the default")
    return rate


def require_shares(name: str, option: str, pair: Range, most: float) -> Range:
    """ArgumentError unless `pair` is (low, high) with 0 < low <= high <= most."""
    if len(pair) != 2 or not all(map(_is_number, pair)) or not 0 < pair[0] <= pair[1] <= most or pair[1] == math.inf:
        bound = "" if most == math.inf else f" up to {most:g}"
        raise ArgumentError(f"{name}: {option}={pair!r}", expected=f"(low, high), both above 0{bound}",
                            fix="leave it out for the default")
    return pair


def draw(x: Tensor, limits: Range) -> Tensor:
    """A float32 number for each sample, (batch,), uniform within limits."""
    return random.uniform((x.shape[0],), *limits)


def chosen(x: Tensor, rate: float) -> Tensor:
    """Which samples are changed, (batch, 1, 1, 1)."""
    return random.bernoulli(rate, (x.shape[0], 1, 1, 1))
