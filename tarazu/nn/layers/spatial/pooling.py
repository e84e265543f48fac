"""Pooling layers over windows of sequences, images and volumes, and into a given number of parts; channels last."""

from __future__ import annotations

from tarazu.nn.layers.checks import checked_padding, require_spatial
from tarazu.nn.module.module import Module
from tarazu.ops.networks.pooling import adaptive_average_pool, adaptive_max_pool, average_pool, max_pool
from tarazu.ops.networks.window_options import Numbers, Padding, per_axis
from tarazu.runtime.tensor.tensor import Tensor


class _Pool(Module):
    """What layers that pool over windows share: options and the check of the input."""

    _axes: int

    def __init__(self, pool_size: Numbers = 2, strides: Numbers | None = None, padding: Padding = "valid") -> None:
        name = type(self).__name__
        self._window = per_axis(name, "pool_size", pool_size, self._axes)
        self._strides = self._window if strides is None else per_axis(name, "strides", strides, self._axes)
        self._padding = checked_padding(padding)

    def forward(self, x: Tensor) -> Tensor:
        require_spatial(x, self._axes)
        return self._pool(x)

    def _pool(self, x: Tensor) -> Tensor:
        raise NotImplementedError


class _MaxPool(_Pool):
    def _pool(self, x: Tensor) -> Tensor:
        return max_pool(x, self._window, stride=self._strides, padding=self._padding)


class _AvgPool(_Pool):
    def _pool(self, x: Tensor) -> Tensor:
        return average_pool(x, self._window, stride=self._strides, padding=self._padding)


class MaxPool1D(_MaxPool):
    """The largest element of each window of sequences: (batch, time, channels) to (batch, windows, channels).

    Options and errors are those of `MaxPool2D`, with one number where it takes two: ArgumentError and ShapeError.

    >>> import tarazu as tz
    >>> tz.nn.MaxPool1D(2)(tz.tensor([[[1.0], [3.0], [2.0], [5.0]]])).flatten()
    Tensor([3., 5.], dtype=float32)
    """

    _axes = 1


class MaxPool2D(_MaxPool):
    """The largest element of each window of images, for each channel.

    (batch, height, width, channels) to (batch, windows down, windows across, channels). `strides` from one window to
    the next are the size of the window unless given; see `tz.max_pool` for the padding. ArgumentError for options out
    of range, ShapeError for an input that is no batch of images or is smaller than the window.

    >>> import tarazu as tz
    >>> tz.nn.MaxPool2D(2)(tz.ones((2, 28, 28, 8))).shape
    (2, 14, 14, 8)
    """

    _axes = 2


class MaxPool3D(_MaxPool):
    """The largest element of each window of volumes, for each channel.

    (batch, depth, height, width, channels) to (batch, windows along each of the three, channels). Options and errors
    are those of `MaxPool2D`, with three numbers where it takes two: ArgumentError and ShapeError.

    >>> import tarazu as tz
    >>> tz.nn.MaxPool3D(2)(tz.ones((2, 8, 8, 4, 3))).shape
    (2, 4, 4, 2, 3)
    """

    _axes = 3


class AvgPool1D(_AvgPool):
    """The mean of each window of sequences, for each channel; padding does not count.

    Shapes, options and errors are those of `MaxPool1D`: ArgumentError and ShapeError.

    >>> import tarazu as tz
    >>> tz.nn.AvgPool1D(2)(tz.tensor([[[1.0], [3.0], [2.0], [5.0]]])).flatten()
    Tensor([2. , 3.5], dtype=float32)
    """

    _axes = 1


class AvgPool2D(_AvgPool):
    """The mean of each window of images, for each channel; padding does not count.

    Shapes, options and errors are those of `MaxPool2D`: ArgumentError and ShapeError.

    >>> import tarazu as tz
    >>> tz.nn.AvgPool2D(2)(tz.ones((2, 28, 28, 8))).shape
    (2, 14, 14, 8)
    """

    _axes = 2


class AvgPool3D(_AvgPool):
    """The mean of each window of volumes, for each channel; padding does not count.

    Shapes, options and errors are those of `MaxPool3D`: ArgumentError and ShapeError.

    >>> import tarazu as tz
    >>> tz.nn.AvgPool3D(2)(tz.ones((2, 8, 8, 4, 3))).shape
    (2, 4, 4, 2, 3)
    """

    _axes = 3


class _AdaptivePool(Module):
    """What layers that pool into a given number of parts share."""

    _axes: int

    def __init__(self, output_size: Numbers) -> None:
        self._sizes = per_axis(type(self).__name__, "output_size", output_size, self._axes)

    def forward(self, x: Tensor) -> Tensor:
        require_spatial(x, self._axes)
        return self._pool(x)

    def _pool(self, x: Tensor) -> Tensor:
        raise NotImplementedError


class _AdaptiveMaxPool(_AdaptivePool):
    def _pool(self, x: Tensor) -> Tensor:
        return adaptive_max_pool(x, self._sizes)


class _AdaptiveAvgPool(_AdaptivePool):
    def _pool(self, x: Tensor) -> Tensor:
        return adaptive_average_pool(x, self._sizes)


class AdaptiveMaxPool1D(_AdaptiveMaxPool):
    """The maximum of each of so many parts of sequences: (batch, time, channels) to (batch, output_size, channels).

    The parts are those of `tz.adaptive_max_pool`. ArgumentError for a size below 1, ShapeError for an input that is no
    batch of sequences.

    >>> import tarazu as tz
    >>> tz.nn.AdaptiveMaxPool1D(2)(tz.tensor([[[1.0], [3.0], [2.0], [5.0], [4.0]]])).flatten()
    Tensor([3., 5.], dtype=float32)
    """

    _axes = 1


class AdaptiveMaxPool2D(_AdaptiveMaxPool):
    """The maximum of each of so many parts of images, for each channel, whatever the size of the images is.

    (batch, height, width, channels) to (batch, *output_size, channels), with `output_size` one number or two; the parts
    are those of `tz.adaptive_max_pool`. ArgumentError for a size below 1, ShapeError for an input that is no batch of
    images.

    >>> import tarazu as tz
    >>> tz.nn.AdaptiveMaxPool2D((2, 3))(tz.ones((2, 7, 9, 8))).shape
    (2, 2, 3, 8)
    """

    _axes = 2


class AdaptiveMaxPool3D(_AdaptiveMaxPool):
    """The maximum of each of so many parts of volumes, for each channel.

    (batch, depth, height, width, channels) to (batch, *output_size, channels), with `output_size` one number or three.
    ArgumentError for a size below 1, ShapeError for an input that is no batch of
    volumes.

    >>> import tarazu as tz
    >>> tz.nn.AdaptiveMaxPool3D(2)(tz.ones((2, 7, 9, 4, 3))).shape
    (2, 2, 2, 2, 3)
    """

    _axes = 3


class AdaptiveAvgPool1D(_AdaptiveAvgPool):
    """The mean of each of so many parts of sequences.

    Shapes and errors, ArgumentError and ShapeError, are those of `AdaptiveMaxPool1D`.

    >>> import tarazu as tz
    >>> tz.nn.AdaptiveAvgPool1D(2)(tz.tensor([[[1.0], [3.0], [2.0], [6.0]]])).flatten()
    Tensor([2., 4.], dtype=float32)
    """

    _axes = 1


class AdaptiveAvgPool2D(_AdaptiveAvgPool):
    """The mean of each of so many parts of images, for each channel, whatever the size of the images is.

    Shapes and errors, ArgumentError and ShapeError, are those of `AdaptiveMaxPool2D`.

    >>> import tarazu as tz
    >>> tz.nn.AdaptiveAvgPool2D((2, 3))(tz.ones((2, 7, 9, 8))).shape
    (2, 2, 3, 8)
    """

    _axes = 2


class AdaptiveAvgPool3D(_AdaptiveAvgPool):
    """The mean of each of so many parts of volumes.

    Shapes and errors, ArgumentError and ShapeError, are those of `AdaptiveMaxPool3D`.

    >>> import tarazu as tz
    >>> tz.nn.AdaptiveAvgPool3D(2)(tz.ones((2, 7, 9, 4, 3))).shape
    (2, 2, 2, 2, 3)
    """

    _axes = 3
