"""Reductions, running reductions and sorting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tarazu.base.dtypes import int64
from tarazu.interop.onnx.export.emitter import Emitter, Refused
from tarazu.interop.onnx.export.kernels import computed_in
from tarazu.interop.onnx.export.merged import Typed
from tarazu.interop.onnx.export.rules.shape import padded, sliced
from tarazu.interop.onnx.export.sizes import Size
from tarazu.interop.onnx.export.values import Order, Value, named, reordered
from tarazu.ir import op as ops
from tarazu.ir.op import Op


def _reduction(op_type: str) -> Callable[..., Value]:
    def reduce(emit: Emitter, out: Typed, x: Value, *, axes: tuple[int, ...]) -> Value:
        if not axes:
            return x
        order = _without(x.order, axes)
        raw = emit.op(op_type, emit.physical(x, x.order), emit.ints([x.order.index(axis) for axis in axes]),
                      shape=tuple(out.shape[axis] for axis in order), keepdims=0)
        return reordered(raw, order)
    return reduce


def _without(order: Order, axes: tuple[int, ...]) -> Order:
    """The order of the axes that are left, numbered anew."""
    left = [axis for axis in range(len(order)) if axis not in axes]
    return tuple(left.index(axis) for axis in order if axis not in axes)


def _arg(op_type: str) -> Callable[..., Value]:
    def reduce(emit: Emitter, out: Typed, x: Value, *, axis: int) -> Value:
        return emit.op(op_type, x, shape=out.shape, dtype=int64, axis=axis, keepdims=0)
    return reduce


def cumulative_sum(emit: Emitter, _: Typed, x: Value, *, axis: int) -> Value:
    return emit.op("CumSum", x, emit.name(emit.scalar(axis, int64)), shape=x.shape)


def cumulative_product(emit: Emitter, out: Typed, x: Value, *, axis: int) -> Value:
    """Products of twice as many neighbors in each round, as ONNX has no running product."""
    size, reach, one = out.shape[axis], 1, emit.scalar(1, x)
    if isinstance(size, Size):
        raise Refused("a running product along an axis whose size follows the rows")
    while reach < size:
        low = tuple(reach if i == axis else 0 for i in range(x.rank))
        wide = (*x.shape[:axis], size + reach, *x.shape[axis + 1:])
        earlier = padded(emit, x, one, low, (0,) * x.rank, wide)
        x = emit.map("Mul", x, sliced(emit, earlier, [axis], [0], [size], [1], x.shape))
        reach *= 2
    return x


def sort(emit: Emitter, out: tuple[Typed, Typed], x: Value, *, axis: int) -> list[Value]:
    """All elements by TopK, which takes the first of equal ones first."""
    wide = computed_in("TopK", x.dtype)
    if wide is None:
        raise Refused(f"onnxruntime has no TopK of {x.dtype}")
    raw = emit.cast(x, wide)
    values, indices = emit.node("TopK", [emit.name(raw), emit.dims([x.shape[axis]])], 2, axis=axis, largest=0,
                                sorted=1)
    return [emit.cast(named(values, x.shape, raw.dtype), x.dtype), named(indices, out[1].shape, int64)]


ROWS: dict[Op, Callable[..., Any]] = {
    ops.SUM: _reduction("ReduceSum"),
    ops.PROD: _reduction("ReduceProd"),
    ops.MAX: _reduction("ReduceMax"),
    ops.MIN: _reduction("ReduceMin"),
    ops.ANY_TRUE: _reduction("ReduceMax"),
    ops.ALL_TRUE: _reduction("ReduceMin"),
    ops.ARGMAX: _arg("ArgMax"),
    ops.ARGMIN: _arg("ArgMin"),
    ops.CUMSUM: cumulative_sum,
    ops.CUMPROD: cumulative_product,
    ops.SORT: sort,
}
