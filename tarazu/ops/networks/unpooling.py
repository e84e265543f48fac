"""Max pooling that says where the largest elements were, and its inverse, which puts them back there."""

from __future__ import annotations

import math
from typing import NamedTuple

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ops.create import arange
from tarazu.ops.elementwise import add, clip, floor_divide, multiply, remainder
from tarazu.ops.indexing.index import scatter_set, take_along_axis
from tarazu.ops.networks.pooling import Windows, padded_elements, windows_of
from tarazu.ops.networks.window_options import Numbers, Padding, Sizes, padding_widths, per_axis
from tarazu.ops.promote import as_value
from tarazu.ops.reduce import argmax
from tarazu.ops.shape import broadcast_to, reshape, squeeze, stack
from tarazu.ops.typing import ArrayLike, Tensor


class PooledWithIndices(NamedTuple):
    """The largest elements, and where each was: its position in the flattened axes between batch and channels.

    >>> import tarazu as tz
    >>> tz.max_pool_with_indices(tz.ones((1, 4, 1)), 2)._fields
    ('values', 'indices')
    """

    values: Tensor
    indices: Tensor


def max_pool_with_indices(x: ArrayLike, window: Numbers, *, stride: Numbers | None = None, padding: Padding = "valid",
                          dilation: Numbers = 1, ceil_mode: bool = False) -> PooledWithIndices:
    """`max_pool`, and the position of each largest element: both (batch, *windows, channels).

    Positions count through the axes between batch and channels, row * width + column for an image, as in torch; of
    equal largest elements the first counts, and it gets the whole gradient. Options and errors as in `max_pool`.

    >>> import tarazu as tz
    >>> values, indices = tz.max_pool_with_indices(tz.tensor([[[1.0], [3.0], [2.0], [5.0]]]), 2)
    >>> indices.flatten()
    Tensor([1, 3], dtype=int64)
    """
    x = as_value(x)
    windows = windows_of("max_pool_with_indices", x, window, stride, padding, dilation, ceil_mode=ceil_mode)
    elements = stack(padded_elements(x, windows.sizes, windows.strides, windows.reach, windows.dilation))
    largest = argmax(elements, 0, keepdims=True)
    values = squeeze(take_along_axis(elements, largest, 0), 0)
    return PooledWithIndices(values, _positions(squeeze(largest, 0), windows, x.shape[1:-1]))


def _positions(largest: Tensor, windows: Windows, sizes: Sizes) -> Tensor:
    """The position in the flattened input of element number `largest` of each window."""
    position: Tensor | None = None
    for axis, size in enumerate(sizes):
        inside = remainder(floor_divide(largest, math.prod(windows.sizes[axis + 1:])), windows.sizes[axis])
        begins = add(multiply(arange(largest.shape[axis + 1]), windows.strides[axis]), -windows.reach[axis][0])
        begins = reshape(begins, (-1,) + (1,) * (len(largest.shape) - axis - 2))
        along = clip(add(begins, multiply(inside, windows.dilation[axis])), 0, max(size - 1, 0))  # padding counts last
        position = along if position is None else add(multiply(position, size), along)
    assert position is not None  # there is at least one axis
    return position


def max_unpool(x: ArrayLike, indices: ArrayLike, window: Numbers, *, stride: Numbers | None = None,
               padding: Padding = "valid", sizes: Numbers | None = None) -> Tensor:
    """Zeros of the shape (batch, *sizes, channels), with the elements of `x` at the positions that `indices` name.

    The inverse of `max_pool_with_indices` but for what that dropped (Zeiler and Fergus, 2014): `x` and `indices` are
    its results, (batch, *windows, channels), the options those that it got. `sizes` are needed where windows did not
    cover the input; without them they are (windows - 1) stride + window less the padding. Of elements with the same
    position one counts. ShapeError for indices of another shape, OutOfRangeError for a position that is not there,
    DTypeError for indices that are no integers, ArgumentError for options out of range.

    >>> import tarazu as tz
    >>> x = tz.tensor([[[1.0], [3.0], [2.0], [5.0]]])
    >>> tz.max_unpool(*tz.max_pool_with_indices(x, 2), 2).flatten()
    Tensor([0., 3., 0., 5.], dtype=float32)
    """
    x, indices = as_value(x), as_value(indices)
    if len(x.shape) < 3 or x.shape != indices.shape:
        raise ShapeError(f"max_unpool: an input of shape {x.shape} and indices of shape {indices.shape}",
                         expected="(batch, *windows, channels) for both", fix="pass what max_pool_with_indices gives")
    wanted = _unpooled_sizes(x.shape, window, stride, padding) if sizes is None else per_axis(
        "max_unpool", "sizes", sizes, len(x.shape) - 2)
    batch, channels, rank = x.shape[0], x.shape[-1], len(x.shape)
    zeros = broadcast_to(as_value(0, x.dtype), (batch, math.prod(wanted), channels))
    samples = reshape(arange(batch), (-1,) + (1,) * (rank - 1))
    return reshape(scatter_set(zeros, x, (samples, indices, arange(channels)), (0, 1, 2)), (batch, *wanted, channels))


def _unpooled_sizes(shape: Sizes, window: Numbers, stride: Numbers | None, padding: Padding) -> Sizes:
    axes = len(shape) - 2
    spans = per_axis("max_unpool", "window", window, axes)
    strides = per_axis("max_unpool", "stride", window if stride is None else stride, axes)
    if padding == "same":
        raise ArgumentError('max_unpool: padding="same" without sizes', expected="the sizes before pooling, which it "
                            "does not tell", fix="pass sizes=x.shape[1:-1]")
    widths = padding_widths("max_unpool", padding, shape[1:-1], spans, strides)
    return tuple((count - 1) * step + reach - sum(width)
                 for count, step, reach, width in zip(shape[1:-1], strides, spans, widths, strict=True))
