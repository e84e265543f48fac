"""Pooling layers over whole sequences, images and volumes, channels last."""

from __future__ import annotations

from tarazu.nn.layers.checks import require_images, require_sequences, require_volumes
from tarazu.nn.layers.sequences.masks import max_over_time, mean_over_time
from tarazu.nn.module.module import Module
from tarazu.ops.reduce import max, mean
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.tensor.tensor import Tensor


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


class GlobalAvgPool3D(Module):
    """The mean of each channel over the whole volume: (batch, depth, height, width, channels) to (batch, channels).

    ShapeError for an input that is no batch of volumes.

    >>> import tarazu as tz
    >>> tz.nn.GlobalAvgPool3D()(tz.ones((2, 4, 7, 7, 64))).shape
    (2, 64)
    """

    def forward(self, x: Tensor) -> Tensor:
        require_volumes(x)
        return mean(x, (1, 2, 3))


class GlobalMaxPool1D(Module):
    """The largest element of each feature over time: (batch, time, features) to (batch, features).

    With `mask`, an option of the call, over the steps where it is True: booleans (batch, time); a row without any gives
    0. ShapeError for an input that is no batch of sequences and a mask of another size, DTypeError for a mask that is
    not boolean.

    >>> import tarazu as tz
    >>> tz.nn.GlobalMaxPool1D()(tz.tensor([[[1.0], [3.0], [2.0]]]))
    Tensor([[3.]], dtype=float32)
    """

    def forward(self, x: Tensor, *, mask: ArrayLike | None = None) -> Tensor:
        require_sequences(x)
        return max_over_time(x, mask)


class GlobalMaxPool2D(Module):
    """The largest element of each channel over the whole image: (batch, height, width, channels) to (batch, channels).

    ShapeError for an input that is no batch of images.

    >>> import tarazu as tz
    >>> tz.nn.GlobalMaxPool2D()(tz.ones((2, 7, 7, 64))).shape
    (2, 64)
    """

    def forward(self, x: Tensor) -> Tensor:
        require_images(x)
        return max(x, (1, 2))


class GlobalMaxPool3D(Module):
    """The largest element of each channel over the whole volume: (batch, three sizes, channels) to (batch, channels).

    ShapeError for an input that is no batch of volumes.

    >>> import tarazu as tz
    >>> tz.nn.GlobalMaxPool3D()(tz.ones((2, 4, 7, 7, 64))).shape
    (2, 64)
    """

    def forward(self, x: Tensor) -> Tensor:
        require_volumes(x)
        return max(x, (1, 2, 3))
