"""Gather and scatter. Indexed axes come first in Tarazu's results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tarazu.base.dtypes import int64
from tarazu.interop.onnx.export.emitter import Emitter
from tarazu.interop.onnx.export.merged import Typed
from tarazu.interop.onnx.export.rules.shape import broadcast
from tarazu.interop.onnx.export.sizes import broadcast as broadcast_shapes
from tarazu.interop.onnx.export.values import Order, Value, reordered
from tarazu.ir import op as ops
from tarazu.ir.op import Op


def gather(emit: Emitter, out: Typed, x: Value, *indices: Value, axes: tuple[int, ...]) -> Value:
    """One index tensor goes where its axis was, and its axes are then read as the first ones; several need GatherND."""
    if len(indices) == 1:
        (axis,), (index,) = axes, indices
        rest = x.shape[:axis], x.shape[axis + 1:]
        raw = emit.op("Gather", x, emit.cast(index, int64), shape=(*rest[0], *index.shape, *rest[1]), key=x.dtype,
                      axis=axis)
        count = index.rank
        order = (*range(count, count + axis), *range(count), *range(count + axis, len(out.shape)))
        return reordered(raw, order)
    front = emit.physical(x, _front(x, axes))
    return emit.op("GatherND", front, emit.name(_places(emit, indices)), shape=out.shape)


def _front(x: Value, axes: tuple[int, ...]) -> Order:
    return (*axes, *(axis for axis in range(x.rank) if axis not in axes))


def _places(emit: Emitter, indices: Sequence[Value]) -> Value:
    """The index tensors as one, with an axis behind that has an index for each indexed axis."""
    shape = broadcast_shapes(*[x.shape for x in indices])
    column = (*shape, 1)
    columns = [emit.op("Unsqueeze", broadcast(emit, Typed(shape, int64), emit.cast(x, int64), shape=shape),
                       emit.ints([len(shape)]), shape=column) for x in indices]
    if len(columns) == 1:
        return columns[0]
    return emit.op("Concat", *columns, shape=(*shape, len(columns)), axis=len(shape))


def _scatter(reduction: str) -> Callable[..., Value]:
    def scatter(emit: Emitter, out: Typed, x: Value, updates: Value, *indices: Value, axes: tuple[int, ...]) -> Value:
        order = _front(x, axes)
        front = emit.physical(x, order)
        raw = emit.op("ScatterND", front, emit.name(_places(emit, indices)), updates, shape=front.shape,
                      reduction=reduction)
        return reordered(raw, order)
    return scatter


ROWS: dict[Op, Callable[..., Any]] = {
    ops.GATHER: gather,
    ops.SCATTER_ADD: _scatter("add"),
    ops.SCATTER_SET: _scatter("none"),
}
