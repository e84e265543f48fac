"""Checks that layers share: the axes of sequences, images and volumes, and the names of paddings."""

from __future__ import annotations

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ops.networks.window_options import Padding
from tarazu.runtime.tensor.tensor import Tensor


def require_images(x: Tensor) -> None:
    """ShapeError unless `x` is (batch, height, width, channels)."""
    if len(x.shape) != 4:
        raise ShapeError(f"an input of shape {tuple(x.shape)}", expected="images: (batch, height, width, channels)",
                         fix="gray pictures have one channel: x[..., None]; one picture is a batch of one: x[None]")


def require_sequences(x: Tensor) -> None:
    """ShapeError unless `x` is (batch, time, features)."""
    if len(x.shape) != 3:
        raise ShapeError(f"an input of shape {tuple(x.shape)}", expected="sequences: (batch, time, features)",
                         fix="one feature per step is x[..., None]; one sequence is a batch of one: x[None]")


def require_volumes(x: Tensor) -> None:
    """ShapeError unless `x` is (batch, depth, height, width, channels)."""
    if len(x.shape) != 5:
        raise ShapeError(f"an input of shape {tuple(x.shape)}",
                         expected="volumes: (batch, depth, height, width, channels)",
                         fix="volumes of one channel are x[..., None]; one volume is a batch of one: x[None]")


def require_spatial(x: Tensor, axes: int) -> None:
    """ShapeError unless `x` has so many axes, 1 to 3, between the batch and the channels."""
    (require_sequences, require_images, require_volumes)[axes - 1](x)


def checked_padding(padding: Padding, more: str = "") -> Padding:
    """`padding` itself; ArgumentError for a misspelled name, which names `more` that the layer takes.

    Numbers are checked by `tz.conv2d`, with the input.
    """
    if isinstance(padding, str) and padding not in ("valid", "same"):
        raise ArgumentError(f"padding={padding!r}", expected=f'"valid" (none), "same", {more}or numbers',
                            fix='"same" keeps the sizes when the strides are 1')
    return padding
