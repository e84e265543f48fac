"""Convolutions. Images are kept with their channels last between them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from tarazu.base import dtypes
from tarazu.interop.onnx.reading.operators.networks.windows import padding_pairs, spans_of, split_totals
from tarazu.interop.onnx.reading.table import operator
from tarazu.interop.onnx.reading.values import Array, ChannelsLast, channels_last, in_usual_layout, integers, per_axis
from tarazu.ops import shape as shapes
from tarazu.ops.contract import matmul
from tarazu.ops.create import arange
from tarazu.ops.elementwise import add, multiply, subtract
from tarazu.ops.networks.convolution import convolution, input_cotangent
from tarazu.ops.networks.images.sampling import map_coordinates
from tarazu.ops.promote import as_value, cast
from tarazu.runtime.tensor.tensor import Tensor


def turned(kernel: Array, is_turned: bool) -> Tensor:
    """A kernel (out, channels, *window) as (*window, channels, out)."""
    kernel = as_value(kernel)
    return kernel if is_turned else shapes.permute_dims(kernel, (*range(2, len(kernel.shape)), 1, 0))


@operator("tarazu:TurnedBack")
def turned_back(kernel: Array) -> Tensor:
    """A kernel (*window, channels, out) as (out, channels, *window), as ONNX has it."""
    kernel = as_value(kernel)
    rank = len(kernel.shape)
    return shapes.permute_dims(kernel, (rank - 1, rank - 2, *range(rank - 2)))


@operator("Conv", images=True)
def conv(x: Any, w: Array, b: Array | None = None, auto_pad: str = "NOTSET", dilations: Sequence[int] | None = None,
         group: int = 1, kernel_shape: Sequence[int] | None = None, pads: Sequence[int] | None = None,
         strides: Sequence[int] | None = None, is_turned: bool = False) -> ChannelsLast:
    """The sum of window times kernel at every position."""
    images, kernel = channels_last(x), turned(in_usual_layout(w), is_turned)
    axes = len(images.shape) - 2
    steps, gaps = per_axis(strides, axes), per_axis(dilations, axes)
    widths = padding_pairs(images.shape[1:-1], spans_of(kernel.shape[:-2], gaps), steps, auto_pad, pads)
    y = convolution(images, kernel, steps, widths, gaps, (1,) * axes, group)
    return ChannelsLast(y if b is None else add(y, in_usual_layout(b)))


@operator("ConvTranspose", images=True)
def conv_transpose(x: Any, w: Array, b: Array | None = None, auto_pad: str = "NOTSET",
                   dilations: Sequence[int] | None = None, group: int = 1, kernel_shape: Sequence[int] | None = None,
                   output_padding: Sequence[int] | None = None, output_shape: Sequence[int] | None = None,
                   pads: Sequence[int] | None = None, strides: Sequence[int] | None = None,
                   is_turned: bool = False) -> ChannelsLast:
    """The transpose of the convolution with the same kernel and options."""
    images, kernel = channels_last(x), turned(in_usual_layout(w), is_turned)
    axes = len(images.shape) - 2
    steps, gaps, more = per_axis(strides, axes), per_axis(dilations, axes), per_axis(output_padding, axes, 0)
    spans = spans_of(kernel.shape[:-2], gaps)
    full = [(n - 1) * step + span + extra
            for n, step, span, extra in zip(images.shape[1:-1], steps, spans, more, strict=True)]
    if output_shape:
        widths = split_totals([n - size for n, size in zip(full, output_shape[-axes:], strict=True)],
                              "SAME_UPPER" if auto_pad == "SAME_UPPER" else "SAME_LOWER")
    elif auto_pad.startswith("SAME"):
        totals = [n - size * step for n, size, step in zip(full, images.shape[1:-1], steps, strict=True)]
        widths = split_totals(totals, auto_pad)
    else:
        widths = padding_pairs(images.shape[1:-1], spans, steps, auto_pad, pads)
    sizes = tuple(n - before - after for n, (before, after) in zip(full, widths, strict=True))
    y = input_cotangent(images, kernel, sizes, steps, widths, gaps, (1,) * axes, group)
    return ChannelsLast(y if b is None else add(y, in_usual_layout(b)))


@operator("ConvInteger", images=True)
def conv_integer(x: Any, w: Array, x_zero: Array | None = None, w_zero: Array | None = None,
                 **options: Any) -> ChannelsLast:
    """The convolution of whole numbers less their zero points, with 32 bits."""
    x, w = in_usual_layout(x), in_usual_layout(w)
    images = without_zero_point(x, x_zero, 1)
    y = conv(images, without_zero_point(w, w_zero, 0), **options)
    return ChannelsLast(cast(y.kept, dtypes.int32))


def without_zero_point(x: Array, zero: Array | None, axis: int) -> Tensor:
    """Whole numbers less their zero point, one or one along an axis, exact as floats."""
    wide = cast(as_value(x), dtypes.float64)
    if zero is None:
        return wide
    point = cast(as_value(zero), dtypes.float64)
    return subtract(wide, along(point, axis, len(wide.shape)))


def along(values: Tensor, axis: int, rank: int) -> Tensor:
    """A number, or one per element of an axis, so that it broadcasts."""
    before = axis % rank
    shape = () if values.size == 1 else (1,) * before + (-1,) + (1,) * (rank - before - 1)
    return shapes.reshape(values, shape)


@operator("DeformConv")
def deformable(x: Array, w: Array, offset: Array, b: Array | None = None, mask: Array | None = None,
               dilations: Sequence[int] | None = None, group: int = 1, kernel_shape: Sequence[int] | None = None,
               offset_group: int = 1, pads: Sequence[int] | None = None,
               strides: Sequence[int] | None = None) -> Tensor:
    """A convolution whose windows take each element from its own place, moved by an offset (Dai et al., 2017)."""
    x, w, offset = as_value(x), as_value(w), as_value(offset)
    axes = len(x.shape) - 2
    steps, gaps, widths = per_axis(strides, axes), per_axis(dilations, axes), per_axis(pads, 2 * axes, 0)
    batch, channels, *sizes = x.shape
    window, places = w.shape[2:], offset.shape[2:]
    elements = int(np.prod(window))
    moves = shapes.reshape(offset, (batch, offset_group, elements, axes, *places))
    grids = np.stack(np.meshgrid(*[np.arange(n) * step - before for n, step, before in zip(
        places, steps, widths, strict=False)], indexing="ij"))
    taps = np.array(list(itertools.product(*(range(0, k * gap, gap) for k, gap in zip(window, gaps, strict=True)))))
    base = as_value((grids[None] + taps.reshape(elements, axes, *(1,) * axes))[None, None], x.dtype)
    at = add(moves, base)  # (batch, groups, elements, axes, *places)
    grouped = shapes.reshape(x, (batch, offset_group, channels // offset_group, *sizes))
    picked = _picked(grouped, at, axes)  # (batch, groups, elements, *places, channels)
    if mask is not None:
        picked = multiply(picked, shapes.reshape(mask, (batch, offset_group, elements, *places, 1)))
    moved = shapes.moveaxis(picked, -1, 2)
    rows = shapes.reshape(moved, (batch, group, (channels // group) * elements, -1))
    kernel = shapes.reshape(w, (1, group, w.shape[0] // group, -1))
    y = shapes.reshape(matmul(kernel, rows), (batch, w.shape[0], *places))
    return y if b is None else add(y, shapes.reshape(b, (1, -1, *(1,) * axes)))


def _picked(x: Tensor, at: Tensor, axes: int) -> Tensor:
    """Elements of (batch, groups, channels, *sizes) at positions along its sizes, between elements linearly."""
    batch, groups = x.shape[:2]
    last = shapes.moveaxis(x, 2, -1)
    shape = (batch, groups, at.shape[2], *at.shape[4:])
    lead = [shapes.broadcast_to(along(cast(arange(n), at.dtype), axis, len(shape)), shape)
            for axis, n in ((0, batch), (1, groups))]
    positions = [at[:, :, :, i] for i in range(axes)]
    return map_coordinates(last, shapes.stack([*lead, *positions]))


@operator("Col2Im")
def columns_to_images(x: Array, image_shape: Any, block_shape: Any, dilations: Sequence[int] | None = None,
                      pads: Sequence[int] | None = None, strides: Sequence[int] | None = None) -> Tensor:
    """Images from the elements of their windows; what several windows have is added."""
    x, sizes, window = as_value(x), integers(image_shape), integers(block_shape)
    axes, elements = len(sizes), int(np.prod(window))
    batch, rows, _ = x.shape
    steps, gaps = per_axis(strides, axes), per_axis(dilations, axes)
    widths = padding_pairs(sizes, spans_of(window, gaps), steps, "NOTSET", pads)
    places = [(n + before + after - span) // step + 1 for n, (before, after), span, step in zip(
        sizes, widths, spans_of(window, gaps), steps, strict=True)]
    channels = rows // elements
    values = shapes.reshape(x, (batch * channels, elements, *places))
    kernel = as_value(np.eye(elements).reshape(*window, 1, elements), x.dtype)
    images = input_cotangent(shapes.moveaxis(values, 1, -1), kernel, tuple(sizes), steps, widths, gaps, (1,) * axes, 1)
    return shapes.reshape(images, (batch, channels, *sizes))
