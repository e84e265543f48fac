"""Pooling layers: over windows of images, and over whole images and sequences; channels last."""

from __future__ import annotations

from tarazu.nn.layers.checks import checked_padding, require_images, require_sequences
from tarazu.nn.layers.sequences.masks import mean_over_time
from tarazu.nn.module.module import Module
from tarazu.ops.networks.pooling import average_pool, max_pool
from tarazu.ops.networks.window_options import Numbers, Padding, per_axis
from tarazu.ops.reduce import mean
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.tensor.tensor import Tensor


class _Pool2D(Module):
    """What layers that pool over windows share: options and the check of the input."""

    def __init__(self, pool_size: Numbers = 2, strides: Numbers | None = None, padding: Padding = "valid") -> None:
        name = type(self).__name__
        self._window = per_axis(name, "pool_size", pool_size, 2)
        self._strides = self._window if strides is None else per_axis(name, "strides", strides, 2)
        self._padding = checked_padding(padding)

    def forward(self, x: Tensor) -> Tensor:
        require_images(x)
        return self._pool(x)

    def _pool(self, x: Tensor) -> Tensor:
        raise NotImplementedError


class MaxPool2D(_Pool2D):
    """The largest element of each window of images, for each channel.

    (batch, height, width, channels) to (batch, windows down, windows across, channels). `strides` from one window to
    the next are the size of the window unless given; see `tz.max_pool` for the padding. ArgumentError for options out
    of range, ShapeError for an input that is no batch of images or is smaller than the window.

    >>> import tarazu as tz
    >>> tz.nn.MaxPool2D(2)(tz.ones((2, 28, 28, 8))).shape
    (2, 14, 14, 8)
    """

    def _pool(self, x: Tensor) -> Tensor:
        return max_pool(x, self._window, stride=self._strides, padding=self._padding)


class AvgPool2D(_Pool2D):
    """The mean of each window of images, for each channel; padding does not count.

    Shapes, options and errors are those of `MaxPool2D`: ArgumentError and ShapeError.

    >>> import tarazu as tz
    >>> tz.nn.AvgPool2D(2)(tz.ones((2, 28, 28, 8))).shape
    (2, 14, 14, 8)
    """

    def _pool(self, x: Tensor) -> Tensor:
        return average_pool(x, self._window, stride=self._strides, padding=self._padding)


class GlobalAvgPool2D(Module):
    """The mean of each channel over the whole image: (batch, height, width, channels) to (batch, channels).

    Lin, Chen and Yan, "Network In Network", 2014. ShapeError for an input that is no batch of images.

    >>> import tarazu as tz
    >>> tz.nn.GlobalAvgPool2D()(tz.ones((2, 7, 7, 64))).shape
    (2, 64)
    """

    def forward(self, x: Tensor) -> Tensor:
        require_images(x)
        return mean(x, (1, 2))


class GlobalAvgPool1D(Module):
    """The mean of each feature over time: (batch, time, features) to (batch, features).

    With `mask`, an option of the call, over the steps where it is True: booleans (batch, time); a row without any gives
    0. ShapeError for an input that is no batch of sequences and a mask of another size, DTypeError for a mask that is
    not boolean.

    >>> import tarazu as tz
    >>> tz.nn.GlobalAvgPool1D()(tz.ones((2, 64, 128))).shape
    (2, 128)
    """

    def forward(self, x: Tensor, *, mask: ArrayLike | None = None) -> Tensor:
        require_sequences(x)
        return mean_over_time(x, mask)
