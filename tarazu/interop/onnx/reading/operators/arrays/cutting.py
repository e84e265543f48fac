"""Operators that cut arrays and add to their ends."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.interop.onnx.reading.bounds import RECORDED, count_work, require_fair
from tarazu.interop.onnx.reading.operators.arrays.shapes import squeeze
from tarazu.interop.onnx.reading.table import operator
from tarazu.interop.onnx.reading.values import Array, integers, known, number
from tarazu.ops import shape as shapes
from tarazu.ops.create import arange
from tarazu.ops.elementwise import greater_equal, less_equal, subtract, where
from tarazu.ops.indexing.windows import pad as pad_by_mode
from tarazu.ops.promote import as_value, cast
from tarazu.runtime.tensor.tensor import Tensor


@operator("Slice")
def slice_(data: Array, starts: Any, ends: Any, axes: Any = None, steps: Any = None) -> Tensor:
    """The elements from starts to ends along axes."""
    starts, ends = integers(starts), integers(ends)
    along = list(range(len(starts))) if axes is None else integers(axes)
    widths = [1] * len(starts) if steps is None else integers(steps)
    key = [slice(None)] * len(data.shape)
    for axis, start, end, step in zip(along, starts, ends, widths, strict=True):
        size = data.shape[axis]
        bounded_end = None if step < 0 and end < -size else end
        key[axis] = slice(start if step > 0 or start >= -size else -size - 1, bounded_end, step)
    return as_value(data)[tuple(slice(*part.indices(size)) if part.step is None or part.step > 0 else part
                                for part, size in zip(key, data.shape, strict=True))]


@operator("Split", since=1)
def split(x: Array, split: Any = None, axis: int = 0, num_outputs: int | None = None,
          outputs: int = 1) -> tuple[Tensor, ...]:
    """`x` in parts along an axis."""
    size = x.shape[axis]
    count = num_outputs or outputs
    if count != outputs and split is None:
        raise ArgumentError(f"num_outputs={count} for {outputs} outputs", expected="as many as there are outputs",
                            fix="export the model again")
    part = -(-size // count)
    sizes = [min(part, max(size - i * part, 0)) for i in range(count)] if split is None else integers(split)
    return tuple(parts(x, sizes, axis))


def parts(x: Array, sizes: Sequence[int], axis: int) -> list[Tensor]:
    """`x` in parts of these sizes along an axis."""
    x = as_value(x)
    axis = axis % len(x.shape)
    ends = list(itertools.accumulate(sizes))
    return [shapes.slice_axis(x, axis, end - size, end) for size, end in zip(sizes, ends, strict=True)]


@operator("SplitToSequence")
def split_to_sequence(x: Array, split: Any = None, axis: int = 0, keepdims: int = 1) -> list[Tensor]:
    """`x` as a list of parts: of one size each, of one size for all, or of these sizes."""
    size = x.shape[axis]
    if split is not None and known(split).ndim > 0:
        return parts(x, integers(split), axis)
    starts = range(0, size, 1 if split is None else number(split))
    count_work(RECORDED * len(starts))
    pieces = parts(x, [min(starts.step, size - start) for start in starts], axis)
    return [squeeze(one, [axis]) for one in pieces] if split is None and not keepdims else pieces


@operator("Pad")
def pad(data: Array, pads: Any = None, constant_value: Any = None, axes: Any = None, mode: str = "constant",
        value: float = 0.0, paddings: Any = None) -> Tensor:
    """`data` with more elements before and after; negative widths cut off."""
    data, wanted = as_value(data), integers(pads if paddings is None else paddings)
    along = list(range(len(data.shape))) if axes is None else [axis % len(data.shape) for axis in integers(axes)]
    before, after = wanted[:len(along)], wanted[len(along):]
    widths = [(0, 0)] * len(data.shape)
    for axis, low, high in zip(along, before, after, strict=True):
        widths[axis] = (low, high)
    cut = [slice(max(-low, 0), size - max(-high, 0)) for (low, high), size in zip(widths, data.shape, strict=True)]
    data = data[tuple(cut)] if any(min(pair) < 0 for pair in widths) else data
    widths = [(max(low, 0), max(high, 0)) for low, high in widths]
    require_fair(*(low + size + high for size, (low, high) in zip(data.shape, widths, strict=True)))
    if mode == "constant":
        fill = as_value(value, data.dtype) if constant_value is None else cast(
            shapes.reshape(constant_value, ()), data.dtype)
        return shapes.pad(data, widths, fill)
    return pad_by_mode(data, widths, mode=mode)


@operator("CenterCropPad")
def center_crop_pad(x: Array, shape: Any, axes: Sequence[int] | None = None) -> Tensor:
    """`x` cut, or padded with zeros, to sizes, its middle kept."""
    x, wanted = as_value(x), integers(shape)
    along = list(range(len(x.shape))) if axes is None else list(axes)
    key, widths = [slice(None)] * len(x.shape), [(0, 0)] * len(x.shape)
    for axis, size in zip(along, wanted, strict=True):
        more = size - x.shape[axis]
        if more < 0:
            key[axis] = slice(-more // 2, -more // 2 + size)
        require_fair(*wanted)
        widths[axis] = (max(more, 0) // 2, max(more, 0) - max(more, 0) // 2)
    return shapes.pad(x[tuple(key)], widths)


@operator("Trilu")
def triangle(x: Array, k: Any = None, upper: int = 1) -> Tensor:
    """A triangle of matrices, zeros outside."""
    x, offset = as_value(x), 0 if k is None else int(number(k))
    rows, columns = x.shape[-2:]
    distance = subtract(arange(columns), shapes.reshape(arange(rows), (rows, 1)))
    inside = (greater_equal if upper else less_equal)(distance, offset)
    return where(inside, x, as_value(np.zeros((), x.dtype.numpy)))


@operator("ReverseSequence")
def reverse_sequence(x: Array, lengths: Any, batch_axis: int = 1, time_axis: int = 0) -> Tensor:
    """Each sequence's first steps, as many as its length, in opposite order."""
    x, steps = as_value(x), arange(x.shape[time_axis])
    count = as_value(lengths)
    position = shapes.expand_dims(steps, 1)
    source = where(position < count, count - 1 - position, position)  # (time, batch)
    moved = shapes.moveaxis(x, (time_axis, batch_axis), (0, 1))
    taken = moved[source, shapes.expand_dims(arange(x.shape[batch_axis]), 0)]
    return shapes.moveaxis(taken, (0, 1), (time_axis, batch_axis))
