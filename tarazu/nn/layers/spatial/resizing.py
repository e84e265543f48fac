"""Layers that resize sequences, images and volumes, and one that rescales their elements; channels last."""

from __future__ import annotations

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError
from tarazu.base.spelling import by_name
from tarazu.nn.layers.checks import require_images, require_spatial
from tarazu.nn.module.module import Module
from tarazu.ops.elementwise import add, multiply
from tarazu.ops.indexing.windows import repeat
from tarazu.ops.networks.interpolation import interpolate
from tarazu.ops.networks.window_options import Numbers, per_axis
from tarazu.ops.promote import as_float
from tarazu.runtime.tensor.tensor import Tensor

_SMOOTH = ("linear", "cubic"), ("bilinear", "bicubic"), ("trilinear",)  # interpolations along one to three axes


def _mode(interpolation: str, axes: int, *more: str) -> str:
    """A mode of `tz.interpolate` for so many axes, which also has the modes `more`; ArgumentError for another one."""
    modes = {mode: mode for mode in ("nearest", *_SMOOTH[axes - 1], *more)}
    return by_name("interpolation", interpolation, modes, "a tz.interpolate of your own in forward")


class _UpSampling(Module):
    """What layers that multiply sizes share."""

    _axes: int

    def __init__(self, size: Numbers = 2, interpolation: str = "nearest") -> None:
        self._factors = per_axis(type(self).__name__, "size", size, self._axes)
        self._mode = _mode(interpolation, self._axes)

    def forward(self, x: Tensor) -> Tensor:
        require_spatial(x, self._axes)
        if self._mode != "nearest":
            sizes = [n * factor for n, factor in zip(x.shape[1:-1], self._factors, strict=True)]
            return interpolate(x, sizes, mode=self._mode)
        for axis, factor in enumerate(self._factors, 1):
            x = repeat(x, factor, axis=axis)
        return x


class UpSampling1D(_UpSampling):
    """Repeats each step of sequences `size` times: (batch, time, channels) to (batch, time * size, channels).

    `interpolation` "linear" goes in straight lines from step to step instead, "cubic" in curves. ArgumentError for a
    size below 1 and another interpolation, ShapeError for an input that is no batch of sequences.

    >>> import tarazu as tz
    >>> tz.nn.UpSampling1D(2)(tz.tensor([[[1.0], [3.0]]])).flatten()
    Tensor([1., 1., 3., 3.], dtype=float32)
    """

    _axes = 1


class UpSampling2D(_UpSampling):
    """Multiplies height and width of images by `size`, one number or two: repeats each pixel, or goes between them.

    (batch, height, width, channels) to (batch, height * size, width * size, channels). `interpolation` is "nearest",
    "bilinear" or "bicubic", as in `tz.interpolate`. ArgumentError for a size below 1 and another interpolation,
    ShapeError for an input that is no batch of images.

    >>> import tarazu as tz
    >>> tz.nn.UpSampling2D((1, 2), interpolation="bilinear")(tz.tensor([[[[0.0], [4.0]]]])).flatten()
    Tensor([0., 1., 3., 4.], dtype=float32)
    """

    _axes = 2


class UpSampling3D(_UpSampling):
    """Multiplies the three sizes of volumes by `size`, one number or three; `interpolation` "nearest" or "trilinear".

    (batch, depth, height, width, channels) to the same with larger sizes. ArgumentError for a size below 1 and another
    interpolation, ShapeError for an input that is no batch of volumes.

    >>> import tarazu as tz
    >>> tz.nn.UpSampling3D(2)(tz.ones((1, 2, 3, 4, 1))).shape
    (1, 4, 6, 8, 1)
    """

    _axes = 3


class Resizing(Module):
    """Images resized: (batch, any height, any width, channels) to (batch, height, width, channels).

    `interpolation` is "bilinear", "bicubic", "nearest" or "area", as in `tz.interpolate`; so is `antialias`, for images
    that shrink by one of the first two. With `crop_to_aspect_ratio` the largest centered part of the shape of the
    result is resized, so that nothing is distorted. ArgumentError for sizes below 1, another interpolation and
    `antialias` for another than these two, ShapeError for an input that is no batch of images.

    >>> import tarazu as tz
    >>> tz.nn.Resizing(32, 32)(tz.ones((2, 50, 40, 3))).shape
    (2, 32, 32, 3)
    """

    def __init__(self, height: int, width: int, interpolation: str = "bilinear", *, antialias: bool = False,
                 crop_to_aspect_ratio: bool = False) -> None:
        self._sizes = positive_int("height", height), positive_int("width", width)
        self._mode, self._crops = _mode(interpolation, 2, "area"), crop_to_aspect_ratio
        self._antialias = antialias
        if antialias and interpolation not in _SMOOTH[1]:
            raise ArgumentError(f"Resizing: antialias=True with interpolation={interpolation!r}",
                                expected=f"one of {', '.join(_SMOOTH[1])}", fix='"area" takes means without it')

    def forward(self, x: Tensor) -> Tensor:
        require_images(x)
        if self._crops:
            x = centered(x, *self._part_of_same_shape(*x.shape[1:3]))
        return interpolate(x, self._sizes, mode=self._mode, antialias=self._antialias)

    def _part_of_same_shape(self, height: int, width: int) -> tuple[int, int]:
        """The sizes of the largest part of an image that has the aspect ratio of the result."""
        wanted_height, wanted_width = self._sizes
        return (min(height, max(1, round(width * wanted_height / wanted_width))),
                min(width, max(1, round(height * wanted_width / wanted_height))))


def centered(x: Tensor, height: int, width: int) -> Tensor:
    """The middle of images, no larger than they are; an odd number of rows or columns is cut off more behind."""
    top, left = (x.shape[1] - height) // 2, (x.shape[2] - width) // 2
    return x[:, top:top + height, left:left + width]


class Rescaling(Module):
    """x * scale + offset, for inputs of any shape; integers, such as the bytes of images, become float32.

    `scale` and `offset` are numbers. DTypeError for an input of no numbers.

    >>> import tarazu as tz
    >>> tz.nn.Rescaling(1 / 127.5, offset=-1)(tz.tensor([0, 255], dtype="uint8"))
    Tensor([-1.,  1.], dtype=float32)
    """

    def __init__(self, scale: float, offset: float = 0.0) -> None:
        self._scale, self._offset = scale, offset

    def forward(self, x: Tensor) -> Tensor:
        return add(multiply(as_float(x), self._scale), self._offset)
