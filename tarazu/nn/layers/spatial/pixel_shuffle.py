"""Layers that turn channels into pixels and back."""

from __future__ import annotations

from tarazu.base.checks import positive_int
from tarazu.nn.module.module import Module
from tarazu.ops.networks.images.rearrange import pixel_shuffle, pixel_unshuffle
from tarazu.runtime.tensor.tensor import Tensor


class PixelShuffle(Module):
    """Makes each pixel's channels into a block of `factor` times `factor` pixels (Shi and others, 2016).

    (batch, height, width, channels) to (batch, height * factor, width * factor, channels / factor ** 2), and sequences
    and volumes likewise; see `tz.pixel_shuffle` for the order of the channels. ArgumentError for a factor below 1,
    ShapeError for an input without these axes, or whose channels do not divide.

    >>> import tarazu as tz
    >>> tz.nn.PixelShuffle(2)(tz.ones((1, 5, 6, 12))).shape
    (1, 10, 12, 3)
    """

    def __init__(self, factor: int) -> None:
        self._factor = positive_int("factor", factor)

    def forward(self, x: Tensor) -> Tensor:
        return pixel_shuffle(x, self._factor)


class PixelUnshuffle(Module):
    """Makes each block of `factor` times `factor` pixels into the channels of one: undoes `PixelShuffle`.

    (batch, height, width, channels) to (batch, height / factor, width / factor, channels * factor ** 2), and sequences
    and volumes likewise. ArgumentError for a factor below 1, ShapeError for an input without these axes, or whose sizes
    do not divide.

    >>> import tarazu as tz
    >>> tz.nn.PixelUnshuffle(2)(tz.ones((1, 10, 12, 3))).shape
    (1, 5, 6, 12)
    """

    def __init__(self, factor: int) -> None:
        self._factor = positive_int("factor", factor)

    def forward(self, x: Tensor) -> Tensor:
        return pixel_unshuffle(x, self._factor)
