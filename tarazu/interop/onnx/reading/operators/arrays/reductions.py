"""Operators that join elements along axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tarazu.base import dtypes
from tarazu.interop.onnx.reading.table import operator
from tarazu.interop.onnx.reading.values import Array, ChannelsLast, in_usual_layout, integers, number
from tarazu.ops import reduce as ops
from tarazu.ops import shape as shapes
from tarazu.ops.create import full
from tarazu.ops.elementwise import abs, log, sqrt, square
from tarazu.ops.promote import as_value, cast
from tarazu.runtime.tensor.tensor import Tensor

Reduction = Callable[..., Tensor]


def _sum(x: Tensor, axis: Any, *, keepdims: bool) -> Tensor:
    return ops.sum(x, axis, keepdims=keepdims)


def _extreme(reduce: Reduction, neutral: float) -> Reduction:
    """A maximum or minimum, which of no elements is the least or largest number of the type."""
    def run(x: Tensor, axis: Any, *, keepdims: bool) -> Tensor:
        if all(x.shape[i] for i in axis):
            return reduce(x, axis, keepdims=keepdims)
        sizes = [1 if i in axis else n for i, n in enumerate(x.shape) if keepdims or i not in axis]
        return full(sizes, _end_of(x.dtype, neutral), dtype=x.dtype)
    return run


def _end_of(dtype: dtypes.DType, sign: float) -> Any:
    if dtype.is_float:
        return sign * np.inf
    if dtype is dtypes.bool_:
        return sign > 0
    info = np.iinfo(dtype.numpy)
    return int(info.max if sign > 0 else info.min)


REDUCTIONS: dict[str, Reduction] = {
    "ReduceSum": _sum, "ReduceMean": ops.mean, "ReduceProd": ops.prod, "ReduceMax": _extreme(ops.max, -1),
    "ReduceMin": _extreme(ops.min, 1), "ReduceLogSumExp": _extreme(ops.logsumexp, -1),
    "ReduceL1": lambda x, axis, keepdims: _sum(abs(x), axis, keepdims=keepdims),
    "ReduceL2": lambda x, axis, keepdims: sqrt(_sum(square(x), axis, keepdims=keepdims)),
    "ReduceSumSquare": lambda x, axis, keepdims: _sum(square(x), axis, keepdims=keepdims),
    "ReduceLogSum": lambda x, axis, keepdims: log(_sum(x, axis, keepdims=keepdims))}


def _put(name: str, reduce: Reduction) -> None:
    @operator(name, images=True)
    def run(x: Any, axes: Any = None, keepdims: int = 1, noop_with_empty_axes: int = 0) -> Any:
        wanted = [] if axes is None else integers(axes)
        if not wanted and noop_with_empty_axes:
            return _elementwise(reduce, in_usual_layout(x))
        rank = len(x.shape)
        along = tuple(sorted({axis % rank for axis in wanted} if wanted else range(rank)))
        if isinstance(x, ChannelsLast):
            return _of_images(reduce, x, along, bool(keepdims))
        x = as_value(x)
        return cast(reduce(x, along, keepdims=bool(keepdims)), x.dtype)


def _elementwise(reduce: Reduction, x: Any) -> Tensor:
    x = as_value(x)
    return shapes.squeeze(reduce(shapes.expand_dims(x, 0), (0,), keepdims=True), 0)


def _of_images(reduce: Reduction, x: ChannelsLast, along: Sequence[int], keepdims: bool) -> Any:
    """A reduction of images; it may end their layout."""
    rank = len(x.shape)
    if keepdims:
        kept = tuple({0: 0, 1: rank - 1}.get(axis, axis - 1) for axis in along)
        return ChannelsLast(cast(reduce(x.kept, kept, keepdims=True), x.dtype))
    if tuple(along) == tuple(range(2, rank)):
        return cast(reduce(x.kept, tuple(range(1, rank - 1)), keepdims=False), x.dtype)
    return cast(reduce(x.channels_first(), tuple(along), keepdims=False), x.dtype)


for _name, _reduce in REDUCTIONS.items():
    _put(_name, _reduce)


@operator("CumSum")
def cumulative_sum(x: Array, axis: Any, exclusive: int = 0, reverse: int = 0) -> Tensor:
    """The sums up to each element along an axis."""
    return _running(ops.cumulative_sum, x, axis, exclusive, reverse, 0)


@operator("CumProd")
def cumulative_product(x: Array, axis: Any, exclusive: int = 0, reverse: int = 0) -> Tensor:
    """The products up to each element along an axis."""
    return _running(ops.cumulative_prod, x, axis, exclusive, reverse, 1)


def _running(function: Reduction, x: Array, axis: Any, exclusive: int, reverse: int, neutral: int) -> Tensor:
    x, along = as_value(x), int(number(axis)) % len(x.shape)
    x = shapes.flip(x, along) if reverse else x
    y = cast(function(x, axis=along), x.dtype)
    if exclusive:
        first = full((*x.shape[:along], 1, *x.shape[along + 1:]), neutral, dtype=x.dtype)
        y = shapes.concat([first, shapes.slice_axis(y, along, 0, x.shape[along] - 1)], along)
    return shapes.flip(y, along) if reverse else y
