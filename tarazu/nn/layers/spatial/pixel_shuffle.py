"""Layers that turn channels into pixels and back."""

from __future__ import annotations

from tarazu.base.checks import positive_int
from tarazu.base.errors import ShapeError
from tarazu.nn.layers.checks import require_images
from tarazu.nn.module.module import Module
from tarazu.ops.shape import permute_dims, reshape
from tarazu.runtime.tensor.tensor import Tensor


class PixelShuffle(Module):
    """Makes each pixel's channels into `factor` times `factor` pixels (Shi and others, 2016).

    (batch, height, width, channels) to (batch, height * factor, width * factor, channels / factor ** 2). Channel
    (c * factor + i) * factor + j becomes channel c of the pixel in row i and column j of the block, as in torch.
    ArgumentError for a factor below 1, ShapeError for an input that is no batch of images, or whose channels do not
    divide.

    >>> import tarazu as tz
    >>> tz.nn.PixelShuffle(2)(tz.tensor([[[[1.0, 2.0, 3.0, 4.0]]]])).squeeze()
    Tensor([[1., 2.],
            [3., 4.]], dtype=float32)
    """

    def __init__(self, factor: int) -> None:
        self._factor = positive_int("factor", factor)

    def forward(self, x: Tensor) -> Tensor:
        require_images(x)
        (batch, height, width, channels), factor = x.shape, self._factor
        if channels % factor**2:
            raise ShapeError(f"an input of shape {tuple(x.shape)}",
                             expected=f"a multiple of {factor**2} channels: {factor} times {factor} for each new pixel",
                             fix=f"give the layer before a multiple of {factor**2} filters")
        blocks = reshape(x, (batch, height, width, channels // factor**2, factor, factor))
        return reshape(permute_dims(blocks, (0, 1, 4, 2, 5, 3)),
                       (batch, height * factor, width * factor, channels // factor**2))


class PixelUnshuffle(Module):
    """Makes each block of `factor` times `factor` pixels into the channels of one: undoes `PixelShuffle`.

    (batch, height, width, channels) to (batch, height / factor, width / factor, channels * factor ** 2). ArgumentError
    for a factor below 1, ShapeError for an input that is no batch of images, or whose height or width does not divide.

    >>> import tarazu as tz
    >>> tz.nn.PixelUnshuffle(2)(tz.tensor([[[[1.0], [2.0]], [[3.0], [4.0]]]])).flatten()
    Tensor([1., 2., 3., 4.], dtype=float32)
    """

    def __init__(self, factor: int) -> None:
        self._factor = positive_int("factor", factor)

    def forward(self, x: Tensor) -> Tensor:
        require_images(x)
        (batch, height, width, channels), factor = x.shape, self._factor
        if height % factor or width % factor:
            raise ShapeError(f"an input of shape {tuple(x.shape)}",
                             expected=f"a height and a width that {factor} divides",
                             fix="crop or pad the images first (tz.nn.CenterCrop, tz.nn.ZeroPadding2D)")
        blocks = reshape(x, (batch, height // factor, factor, width // factor, factor, channels))
        return reshape(permute_dims(blocks, (0, 1, 3, 5, 2, 4)),
                       (batch, height // factor, width // factor, channels * factor**2))
