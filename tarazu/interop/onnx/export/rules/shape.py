"""Primitives that rearrange or create elements. Where axes keep to themselves, they stay in the order they lie in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tarazu.base.dtypes import DType, int64
from tarazu.interop.onnx.export.emitter import Emitter
from tarazu.interop.onnx.export.merged import Typed
from tarazu.interop.onnx.export.sizes import Dim, Dims, Size, is_static, static
from tarazu.interop.onnx.export.values import Order, Value, constant, named, natural, reordered
from tarazu.ir import op as ops
from tarazu.ir.op import Op

END = np.iinfo(np.int64).max


def reshape(emit: Emitter, _: Typed, x: Value, *, shape: Dims) -> Value:
    return emit.reshape(x, shape)


def transpose(_emit: Emitter, _: Typed, x: Value, *, permutation: Order) -> Value:
    return x.transposed(permutation)


def broadcast(emit: Emitter, _: Typed, x: Value, *, shape: Dims) -> Value:
    if x.shape == shape:
        return x
    aligned = (1,) * (len(shape) - x.rank) + x.shape
    target = [1 if old == new else new for old, new in zip(aligned, shape, strict=True)]  # 1 keeps what is there
    return emit.op("Expand", x, emit.dims(target), shape=shape)


def slice_(emit: Emitter, out: Typed, x: Value, *, start: Dims, stop: Dims, step: tuple[int, ...]) -> Value:
    cut = [i for i in range(x.rank) if (start[i], stop[i], step[i]) != (0, x.shape[i], 1)]
    if not cut:
        return x
    ends: list[Dim] = [END if stop[i] == x.shape[i] else stop[i] for i in cut]
    return sliced(emit, x, cut, [start[i] for i in cut], ends, [step[i] for i in cut], out.shape)


def sliced(emit: Emitter, x: Value, axes: Sequence[int], starts: Sequence[Dim], ends: Sequence[Dim],
           steps: Sequence[int], shape: Dims) -> Value:
    """A slice along some axes; at once for a weight or constant."""
    if x.array is not None and is_static([*starts, *ends]):
        key = [slice(None)] * x.rank
        for axis, start, end, step in zip(axes, static(tuple(starts)), static(tuple(ends)), steps, strict=True):
            key[axis] = slice(start, None if abs(end) >= END else end, step)
        plain = x.array.transpose([x.order.index(axis) for axis in natural(x.rank)])
        return constant(plain[tuple(key)], x.dtype, x.label)
    order = x.order
    raw = emit.op("Slice", emit.physical(x, order), emit.dims(starts), emit.dims(ends),
                  emit.ints([order.index(axis) for axis in axes]), emit.ints(steps), shape=_in(order, shape))
    return reordered(raw, order)


def _in(order: Order, shape: Dims) -> Dims:
    return tuple(shape[axis] for axis in order)


def pad(emit: Emitter, out: Typed, x: Value, value: Value, *, low: Dims, high: Dims,
        interior: tuple[int, ...]) -> Value:
    for axis, gap in enumerate(interior):
        if gap:
            x = _spread(emit, x, value, axis, gap)
    return padded(emit, x, value, low, high, out.shape)


def padded(emit: Emitter, x: Value, value: Value, low: Dims, high: Dims, shape: Dims) -> Value:
    """`x` with elements before and after; negative widths cut."""
    if not any(low) and not any(high):
        return x
    order = x.order
    widths = emit.dims([*_in(order, low), *_in(order, high)])
    return reordered(emit.op("Pad", emit.physical(x, order), widths, value, shape=_in(order, shape)), order)


def _spread(emit: Emitter, x: Value, value: Value, axis: int, gap: int) -> Value:
    """`x` with `gap` elements between those of an axis: they follow each element, and the last ones are cut."""
    before, size, after = x.shape[:axis], x.shape[axis], x.shape[axis + 1:]
    apart = emit.reshape(x, (*before, size, 1, *after))
    zeros = (0,) * apart.rank
    high = (*zeros[:axis + 1], gap, *zeros[axis + 2:])
    wide = padded(emit, apart, value, zeros, high, (*before, size, 1 + gap, *after))
    joined = emit.reshape(wide, (*before, size * (1 + gap), *after))
    return sliced(emit, joined, [axis], [0], [-gap], [1], (*before, size * (1 + gap) - gap, *after))


def concat(emit: Emitter, out: Typed, *parts: Value, axis: int) -> Value:
    order = next((x.order for x in parts if x.array is None and not x.is_plain), natural(len(out.shape)))
    raw = [emit.physical(x, order) for x in parts]
    return reordered(emit.op("Concat", *raw, shape=_in(order, out.shape), axis=order.index(axis)), order)


def flip(emit: Emitter, out: Typed, x: Value, *, axes: tuple[int, ...]) -> Value:
    if not axes:
        return x
    count = len(axes)
    return sliced(emit, x, axes, [-1] * count, [-END] * count, [-1] * count, out.shape)


def iota(emit: Emitter, out: Typed, *, size: Dim, dtype: DType) -> Value:
    if not isinstance(size, Size):
        return constant(np.arange(size).astype(dtype.numpy), dtype)
    bounds = [emit.scalar(0, int64), emit.count(size), emit.scalar(1, int64)]
    (name,) = emit.node("Range", [emit.name(x) for x in bounds])
    return emit.cast(named(name, out.shape, int64), dtype)


def filled(emit: Emitter, value: np.ndarray, dtype: DType, shape: Dims) -> Value:
    """Equal elements, of a shape that follows the rows."""
    one = constant(value, dtype)
    return one if is_static(shape) and static(shape) == () else emit.op("Expand", one, emit.dims(shape), shape=shape)


ROWS: dict[Op, Callable[..., Any]] = {
    ops.RESHAPE: reshape,
    ops.TRANSPOSE: transpose,
    ops.BROADCAST: broadcast,
    ops.SLICE: slice_,
    ops.PAD: pad,
    ops.CONCAT: concat,
    ops.FLIP: flip,
    ops.IOTA: iota,
}
