"""Pools of windows, and of whole images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tarazu.base import dtypes
from tarazu.interop.onnx.reading.operators.networks.windows import Pairs, padding_pairs, spans_of
from tarazu.interop.onnx.reading.table import operator
from tarazu.interop.onnx.reading.values import (
    Array,
    ChannelsLast,
    channels_last,
    in_usual_layout,
    integers,
    per_axis,
)
from tarazu.ops import elementwise as ops
from tarazu.ops import shape as shapes
from tarazu.ops.indexing.index import scatter_set, take_along_axis
from tarazu.ops.networks.pooling import max_pool, padded_elements, window_elements
from tarazu.ops.promote import as_value, cast
from tarazu.ops.reduce import argmax, max, mean, sum
from tarazu.runtime.tensor.tensor import Tensor


def _windows(x: Tensor, window: Sequence[int], strides: Sequence[int] | None, dilations: Sequence[int] | None,
             auto_pad: str, pads: Sequence[int] | None, ceil_mode: int) -> tuple[Any, Any, Pairs, Pairs]:
    """Strides, dilations, the padding, and that with what `ceil_mode` adds behind."""
    axes = len(window)
    steps, gaps = per_axis(strides, axes), per_axis(dilations, axes)
    spans, sizes = spans_of(window, gaps), x.shape[1:-1]
    widths = padding_pairs(sizes, spans, steps, auto_pad, pads)
    reach = []
    for n, span, step, (before, after) in zip(sizes, spans, steps, widths, strict=True):
        room = n + before + after - span
        count = (-(-room // step) if ceil_mode else room // step) + 1
        if ceil_mode and (count - 1) * step >= n + before:
            count -= 1
        reach.append((before, (count - 1) * step + span - n - before))
    return steps, gaps, widths, tuple(reach)


def _cut(x: Tensor, reach: Pairs) -> tuple[Tensor, Pairs]:
    """The elements that windows reach, and no negative widths."""
    key = (slice(None), *(slice(n + min(after, 0)) for n, (_, after) in zip(x.shape[1:-1], reach, strict=True)))
    needs = any(after < 0 for _, after in reach)
    return x[key] if needs else x, tuple((before, after if after > 0 else 0) for before, after in reach)


@operator("MaxPool", images=True)
def maximum_pool(x: Any, kernel_shape: Sequence[int], auto_pad: str = "NOTSET", ceil_mode: int = 0,
                 dilations: Sequence[int] | None = None, pads: Sequence[int] | None = None, storage_order: int = 0,
                 strides: Sequence[int] | None = None, outputs: int = 1) -> Any:
    """The largest element of each window; and where it is, if that is read."""
    images, window = channels_last(x), tuple(kernel_shape)
    steps, gaps, widths, reach = _windows(images, window, strides, dilations, auto_pad, pads, ceil_mode)
    are_narrow = all(before < span and after < span
                     for (before, after), span in zip(widths, spans_of(window, gaps), strict=True))
    if outputs == 1 and reach == widths and are_narrow:
        return ChannelsLast(max_pool(images, window, stride=steps, padding=[list(pair) for pair in widths],
                                     dilation=gaps))
    images, reach = _cut(images, reach)
    elements = shapes.stack(padded_elements(images, window, steps, reach, gaps))
    if outputs == 1:
        return ChannelsLast(max(elements, 0))
    sizes = x.shape[2:]
    flat = _flat_positions(sizes, window, steps, gaps, reach, storage_order)
    batch, *_, channels = images.shape
    best = argmax(elements, 0, keepdims=True)
    places = shapes.broadcast_to(as_value(flat)[:, None, ..., None], elements.shape)
    inside = take_along_axis(places, best, 0)[0]
    planes = np.arange(batch)[:, None] * channels + np.arange(channels)
    offset = shapes.reshape(as_value(planes * math.prod(sizes)), (batch, *(1,) * len(sizes), channels))
    return ChannelsLast(max(elements, 0)), ChannelsLast(cast(ops.add(inside, offset), dtypes.int64))


def _flat_positions(sizes: Sequence[int], window: Sequence[int], steps: Sequence[int], gaps: Sequence[int],
                    reach: Pairs, storage_order: int) -> np.ndarray:
    """For each element of the window, at each place, its position in the image when that is one row."""
    order = sizes if storage_order == 0 else sizes[::-1]
    strides = np.array([math.prod(order[i + 1:]) for i in range(len(order))])
    strides = strides if storage_order == 0 else strides[::-1]
    places = [(n + low + high - span) // step + 1 for n, (low, high), span, step in zip(
        sizes, reach, spans_of(window, gaps), steps, strict=True)]
    total = np.zeros((), np.int64)
    axes = len(sizes)
    for axis in range(axes):
        taps = np.arange(window[axis]) * gaps[axis]
        starts = np.arange(places[axis]) * steps[axis] - reach[axis][0]
        at = np.clip(taps[:, None] + starts, 0, sizes[axis] - 1) * strides[axis]
        total = total + at.reshape([window[axis] if i == axis else places[axis] if i == axes + axis else 1
                                    for i in range(2 * axes)])
    return total.reshape(math.prod(window), *places)


@operator("AveragePool", images=True)
def mean_pool(x: Any, kernel_shape: Sequence[int], auto_pad: str = "NOTSET", ceil_mode: int = 0,
              count_include_pad: int = 0, dilations: Sequence[int] | None = None, pads: Sequence[int] | None = None,
              strides: Sequence[int] | None = None) -> ChannelsLast:
    """The mean of each window; padding counts if that is asked for, what `ceil_mode` adds never does."""
    images, window = channels_last(x), tuple(kernel_shape)
    steps, gaps, widths, reach = _windows(images, window, strides, dilations, auto_pad, pads, ceil_mode)
    counted = widths if count_include_pad else ((0, 0),) * len(window)
    ones = np.pad(np.ones(images.shape[1:-1]), counted, constant_values=1)
    left = [(low - a, high - b) for (low, high), (a, b) in zip(reach, counted, strict=True)]
    counts = _sums(*_padded(as_value(ones[None, ..., None]), left), window, steps, gaps)
    total = _sums(*_padded(images, reach), window, steps, gaps)
    return ChannelsLast(ops.divide(total, cast(counts, total.dtype)))


def _padded(x: Tensor, reach: Any) -> tuple[Tensor]:
    cut, widths = _cut(x, tuple(reach))
    return (shapes.pad(cut, [(0, 0), *widths, (0, 0)]),)


def _sums(x: Tensor, window: Sequence[int], steps: Sequence[int], gaps: Sequence[int]) -> Tensor:
    elements = window_elements(x, tuple(window), tuple(steps), tuple(gaps))
    total = elements[0]
    for element in elements[1:]:
        total = ops.add(total, element)
    return total


@operator("LpPool", images=True)
def norm_pool(x: Any, kernel_shape: Sequence[int], auto_pad: str = "NOTSET", ceil_mode: int = 0,
              dilations: Sequence[int] | None = None, p: int = 2, pads: Sequence[int] | None = None,
              strides: Sequence[int] | None = None) -> ChannelsLast:
    """The norm of each window."""
    images, window = channels_last(x), tuple(kernel_shape)
    steps, gaps, _, reach = _windows(images, window, strides, dilations, auto_pad, pads, ceil_mode)
    powers = ops.pow(ops.abs(images), p)
    return ChannelsLast(ops.pow(_sums(*_padded(powers, reach), window, steps, gaps), 1 / p))


@operator("GlobalAveragePool", images=True)
def global_mean(x: Any) -> ChannelsLast:
    """The mean of each channel of an image."""
    return ChannelsLast(mean(channels_last(x), _sizes(x), keepdims=True))


@operator("GlobalMaxPool", images=True)
def global_maximum(x: Any) -> ChannelsLast:
    """The largest element of each channel of an image."""
    return ChannelsLast(max(channels_last(x), _sizes(x), keepdims=True))


@operator("GlobalLpPool", images=True)
def global_norm(x: Any, p: int = 2) -> ChannelsLast:
    """The norm of each channel of an image."""
    return ChannelsLast(ops.pow(sum(ops.pow(ops.abs(channels_last(x)), p), _sizes(x), keepdims=True), 1 / p))


def _sizes(x: Any) -> tuple[int, ...]:
    return tuple(range(1, len(x.shape) - 1))


@operator("MaxUnpool")
def maximum_unpool(x: Array, indices: Array, output_shape: Any = None, kernel_shape: Sequence[int] = (),
                   pads: Sequence[int] | None = None, strides: Sequence[int] | None = None) -> Tensor:
    """Elements put back where `MaxPool` took them from, zeros elsewhere."""
    x, axes = as_value(x), len(kernel_shape)
    steps, widths = per_axis(strides, axes), per_axis(pads, 2 * axes, 0)
    inner = [(n - 1) * step + size - widths[i] - widths[axes + i] for i, (n, step, size) in enumerate(
        zip(x.shape[2:], steps, kernel_shape, strict=True))]
    sizes = (*x.shape[:2], *inner)
    wanted = sizes if output_shape is None else tuple(integers(output_shape))
    flat = as_value(np.zeros(math.prod(sizes), x.dtype.numpy))
    put = scatter_set(flat, shapes.flatten(x), (shapes.flatten(as_value(in_usual_layout(indices))),), (0,))
    y = shapes.reshape(put, sizes)
    return y if wanted == sizes else shapes.pad(y, [(0, new - old) for new, old in zip(wanted, sizes, strict=True)])
