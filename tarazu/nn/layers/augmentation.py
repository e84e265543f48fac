"""Layers that change images at random while training, by the functions of `tz.data.augment`.

In evaluation their output is the input. They take (batch, height, width, channels), uint8 or floats.
"""

from __future__ import annotations

import math

from tarazu.base.checks import positive_int, whole_number
from tarazu.base.errors import ShapeError
from tarazu.nn.layers.checks import require_images
from tarazu.nn.layers.spatial.resizing import centered
from tarazu.nn.module.module import Module
from tarazu.runtime import augment
from tarazu.runtime.augment.colors import require_range
from tarazu.runtime.augment.geometry import require_flip, require_padding
from tarazu.runtime.augment.parameters import Factor, Range, require_factor, require_probability, require_shares
from tarazu.runtime.tensor.tensor import Tensor


class _Augmentation(Module):
    """A layer that changes images in training only."""

    def forward(self, x: Tensor) -> Tensor:
        require_images(x)
        return self._changed(x) if self.training else x

    def _changed(self, x: Tensor) -> Tensor:
        raise NotImplementedError


class RandomFlip(_Augmentation):
    """In training, mirrors each image with probability 1/2: "horizontal", "vertical" or "horizontal_and_vertical".

    See `tz.data.augment.flip`. In evaluation the output is the input. ArgumentError for another mode, ShapeError for an
    input that is no batch of images.

    >>> import tarazu as tz
    >>> tz.nn.RandomFlip("horizontal")(tz.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    def __init__(self, mode: str = "horizontal_and_vertical") -> None:
        require_flip("RandomFlip", mode)
        self._mode = mode

    def _changed(self, x: Tensor) -> Tensor:
        return augment.flip(x, self._mode)


class RandomCrop(Module):
    """In training a part of each image at a position of its own, in evaluation the middle: (batch, height, width, c).

    With `padding`, so many zeros are added at each edge in training. See `tz.data.augment.crop`. ArgumentError for
    sizes below 1 and a padding below 0, ShapeError for images that are too small and for what is no batch of images.

    >>> import tarazu as tz
    >>> tz.nn.RandomCrop(24, 24)(tz.ones((2, 28, 28, 1))).shape
    (2, 24, 24, 1)
    """

    def __init__(self, height: int, width: int, padding: int = 0) -> None:
        self._sizes = positive_int("height", height), positive_int("width", width)
        self._padding = whole_number(f"padding={padding!r}", padding, least=0)

    def forward(self, x: Tensor) -> Tensor:
        require_images(x)
        height, width = self._sizes
        if self.training:
            return augment.crop(x, height, width, self._padding)
        if x.shape[1] < height or x.shape[2] < width:
            raise ShapeError(f"RandomCrop of {height} by {width} from images of {x.shape[1]} by {x.shape[2]}",
                             expected="images that are at least as large in evaluation", fix="use tz.nn.Resizing first")
        return centered(x, height, width)


class RandomRotation(_Augmentation):
    """In training, turns each image around its middle; factor 0.1 is up to a tenth of a full turn to either side.

    A pair (low, high) draws between these. See `tz.data.augment.rotate`, also for `padding`. In evaluation the output
    is the input. ArgumentError for another factor or padding, ShapeError for an input that is no batch of images.

    >>> import tarazu as tz
    >>> tz.nn.RandomRotation(0.1)(tz.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    def __init__(self, factor: Factor, padding: str = "reflection") -> None:
        require_factor("RandomRotation", "factor", factor)
        self._factor, self._padding = factor, require_padding("RandomRotation", padding)

    def _changed(self, x: Tensor) -> Tensor:
        return augment.rotate(x, self._factor, padding=self._padding)


class RandomZoom(_Augmentation):
    """In training, enlarges each image (below 0) or makes it smaller, by up to `height_factor`, and `width_factor`.

    Without `width_factor` shapes stay. See `tz.data.augment.zoom`, also for `padding`. In evaluation the output is the
    input. ArgumentError for factors not above -1 and other paddings, ShapeError for an input that is no batch of
    images.

    >>> import tarazu as tz
    >>> tz.nn.RandomZoom(0.2)(tz.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    def __init__(self, height_factor: Factor, width_factor: Factor | None = None, padding: str = "reflection") -> None:
        require_factor("RandomZoom", "height_factor", height_factor, least=-1)
        if width_factor is not None:
            require_factor("RandomZoom", "width_factor", width_factor, least=-1)
        self._factors, self._padding = (height_factor, width_factor), require_padding("RandomZoom", padding)

    def _changed(self, x: Tensor) -> Tensor:
        return augment.zoom(x, *self._factors, padding=self._padding)


class RandomTranslation(_Augmentation):
    """In training, moves each image by up to a share of its height and of its width.

    See `tz.data.augment.shift`, also for `padding`. In evaluation the output is the input. ArgumentError for other
    factors or paddings, ShapeError for an input that is no batch of images.

    >>> import tarazu as tz
    >>> tz.nn.RandomTranslation(0.1, 0.1)(tz.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    def __init__(self, height_factor: Factor, width_factor: Factor, padding: str = "reflection") -> None:
        require_factor("RandomTranslation", "height_factor", height_factor)
        require_factor("RandomTranslation", "width_factor", width_factor)
        self._factors, self._padding = (height_factor, width_factor), require_padding("RandomTranslation", padding)

    def _changed(self, x: Tensor) -> Tensor:
        return augment.shift(x, *self._factors, padding=self._padding)


class RandomBrightness(_Augmentation):
    """In training, makes each image brighter or darker, by up to a share of the value range.

    `value_range` is (0, 255) for uint8 and (0, 1) for floats unless it is given. See `tz.data.augment.brightness`. In
    evaluation the output is the input. ArgumentError for another factor or range, ShapeError for an input that is no
    batch of images.

    >>> import tarazu as tz
    >>> tz.nn.RandomBrightness(0.2)(tz.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    def __init__(self, factor: Factor, value_range: Range | None = None) -> None:
        require_factor("RandomBrightness", "factor", factor)
        require_range("RandomBrightness", value_range)
        self._factor, self._range = factor, value_range

    def _changed(self, x: Tensor) -> Tensor:
        return augment.brightness(x, self._factor, self._range)


class RandomContrast(_Augmentation):
    """In training, gives each image more or less contrast: distances to the mean of a channel times 1 + factor.

    `value_range` is that of `RandomBrightness`. See `tz.data.augment.contrast`. In evaluation the output is the input.
    ArgumentError for factors below -1 or another range, ShapeError for an input that is no batch of images.

    >>> import tarazu as tz
    >>> tz.nn.RandomContrast(0.2)(tz.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    def __init__(self, factor: Factor, value_range: Range | None = None) -> None:
        require_factor("RandomContrast", "factor", factor, least=-1)
        require_range("RandomContrast", value_range)
        self._factor, self._range = factor, value_range

    def _changed(self, x: Tensor) -> Tensor:
        return augment.contrast(x, self._factor, self._range)


class RandomErasing(_Augmentation):
    """In training, replaces a rectangle of each image by `value`, with the probability `rate`.

    `scale` bounds its share of the area, `ratio` its height by its width (Zhong and others, 2020). See
    `tz.data.augment.erase`. In evaluation the output is the input. ArgumentError for a rate that is not from 0 to 1 and
    for other ranges, ShapeError for an input that is no batch of images.

    >>> import tarazu as tz
    >>> tz.nn.RandomErasing(rate=1.0)(tz.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    def __init__(self, rate: float = 0.5, scale: Range = (0.02, 0.33), ratio: Range = (0.3, 3.3),
                 value: float = 0) -> None:
        self._rate, self._value = require_probability("RandomErasing", rate), value
        self._scale = require_shares("RandomErasing", "scale", scale, 1.0)
        self._ratio = require_shares("RandomErasing", "ratio", ratio, math.inf)

    def _changed(self, x: Tensor) -> Tensor:
        return augment.erase(x, self._rate, self._scale, self._ratio, self._value)
