"""Pooling: MaxPool and AveragePool, whose windows are read from the bodies of `tz.max_pool` and `tz.average_pool`."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from tarazu.interop.onnx.export.emitter import Emitter
from tarazu.interop.onnx.export.kernels import computed_in
from tarazu.interop.onnx.export.merged import Merged, Step
from tarazu.interop.onnx.export.rules.convolution import channels_first
from tarazu.interop.onnx.export.values import Value, reordered
from tarazu.ir import op as ops
from tarazu.ir.node import CONSTANT


class Windows(NamedTuple):
    sizes: list[int]
    strides: list[int]
    dilations: list[int]
    low: list[int]
    high: list[int]


def max_pool(emit: Emitter, body: Merged, x: Value) -> Value | None:
    windows = _tiles(body, ops.MAX) or _slices(body, all_at_once=True)
    if windows is None or not _fits(windows) or computed_in("MaxPool", x.dtype) is None:
        return None
    return _pooled(emit, "MaxPool", body, x, windows, dilations=windows.dilations)


def average_pool(emit: Emitter, body: Merged, x: Value) -> Value | None:
    windows = _tiles(body, ops.SUM) or _slices(body, all_at_once=False)
    if windows is None or not _fits(windows) or computed_in("AveragePool", x.dtype) is None:
        return None
    counted = _counts_padding(body, x, windows)
    return None if counted is None else _pooled(emit, "AveragePool", body, x, windows, count_include_pad=int(counted))


def _fits(windows: Windows) -> bool:
    """Whether onnxruntime takes them: it has up to three axes, and padding narrower than the window."""
    return len(windows.sizes) <= 3 and all(
        max(low, high) < size for size, low, high in zip(windows.sizes, windows.low, windows.high, strict=True))


def _pooled(emit: Emitter, op_type: str, body: Merged, x: Value, windows: Windows, **options: Any) -> Value:
    order, shape = channels_first(x.rank), body.outputs[0].type.shape
    raw = emit.op(op_type, emit.physical(x, order), shape=tuple(shape[i] for i in order), kernel_shape=windows.sizes,
                  strides=windows.strides, pads=[*windows.low, *windows.high], **options)
    return reordered(raw, order)


def _tiles(body: Merged, reduction: object) -> Windows | None:
    """Windows that lie side by side: a reshape into tiles, (batch, count, size, count, size, ..., channels)."""
    reduced = next((step for step in body.steps if step.op is reduction), None)
    if reduced is None or reduced.inputs[0].op is not ops.RESHAPE:
        return None
    tiles = reduced.inputs[0].type.shape
    axes = reduced.attributes["axes"]
    if len(tiles) != 2 * len(axes) + 2 or axes != tuple(range(2, len(tiles) - 1, 2)):
        return None
    sizes = list(tiles[2:-1:2])
    return Windows(sizes, sizes, [1] * len(sizes), [0] * len(sizes), [0] * len(sizes))


def _slices(body: Merged, *, all_at_once: bool) -> Windows | None:
    """Windows as strided slices: one for each element, or for each element along one axis after another."""
    slices = [step.attributes for step in body.steps if step.op is ops.SLICE]
    pads = [step for step in body.steps if step.op is ops.PAD]
    axes = range(1, len(body.parameters[0].type.shape) - 1)
    if not slices or len(pads) > 1:
        return None
    offsets = [sorted({s["start"][axis] for s in slices} | {0}) for axis in axes]
    sizes = [len(of_axis) for of_axis in offsets]
    dilations = [of_axis[1] if len(of_axis) > 1 else 1 for of_axis in offsets]
    is_even = all(of_axis == [i * gap for i in range(len(of_axis))]
                  for of_axis, gap in zip(offsets, dilations, strict=True))
    if not is_even or (all_at_once and len(slices) != math.prod(sizes)):
        return None
    low, high = ([pads[0].attributes[side][axis] if pads else 0 for axis in axes] for side in ("low", "high"))
    return Windows(sizes, [max(s["step"][axis] for s in slices) for axis in axes], dilations, low, high)


def _counts_padding(body: Merged, x: Value, windows: Windows) -> bool | None:
    """Whether padding counts in the mean; None where the numbers of elements are of neither kind."""
    found = _divisor(body)
    if found is None:
        return None
    if (found == math.prod(windows.sizes)).all():
        return True
    inside = np.ones(())
    for axis, (size, stride, low, high) in enumerate(zip(windows.sizes, windows.strides, windows.low, windows.high,
                                                         strict=True), 1):
        n = x.shape[axis]
        assert isinstance(n, int)  # only the batch follows the rows
        starts = np.arange(0, n + low + high - size + 1, stride) - low
        inside = inside[..., None] * (np.minimum(starts + size, n) - np.maximum(starts, 0))
    is_same = found.shape[:-1] == inside.shape and bool((found[..., 0] == inside).all())
    return False if is_same else None


def _divisor(body: Merged) -> np.ndarray | None:
    divisions: list[Step] = [step for step in body.steps if step.op is ops.DIV]
    if len(divisions) != 1 or divisions[0].inputs[1].op is not CONSTANT:
        return None
    known = divisions[0].inputs[1].attributes["value"]
    return known if isinstance(known, np.ndarray) else None
