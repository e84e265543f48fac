"""Batching of products, convolutions and linear equations: the lanes become batch axes, free axes or groups."""

from __future__ import annotations

from collections.abc import Iterable

from tarazu.ir.interpreter import bind
from tarazu.ir.node import infer
from tarazu.ir.op import Op
from tarazu.ir.types import TensorType
from tarazu.ops.elementwise import add, multiply
from tarazu.ops.reduce import sum
from tarazu.ops.shape import broadcast_to, moveaxis, reshape
from tarazu.transform.batching.engine import Lanes, broadcast_lanes
from tarazu.transform.typing import AxisPair, AxisTuple, Tensor


def shifted(axes: Iterable[int]) -> AxisTuple:
    """The axes of one lane as axes of a batched value, whose first axis is that of the lanes.

    >>> shifted((0, 2))
    (1, 3)
    """
    return tuple([axis + 1 for axis in axes])


def dot(op: Op, size: int, lanes: list[Lanes], contract: AxisPair, batch: AxisPair) -> Tensor:
    x, y = lanes
    contract, own = ((shifted(pair[0]) if x.batched else pair[0], shifted(pair[1]) if y.batched else pair[1])
                     for pair in (contract, batch))
    if x.batched and y.batched:
        return bind(op, x.value, y.value, contract=contract, batch=((0, *own[0]), (0, *own[1])))
    lane_axis = len(own[0]) + (0 if x.batched else x.rank - len(contract[0]) - len(own[0]))
    return moveaxis(bind(op, x.value, y.value, contract=contract, batch=own), lane_axis, 0)


def conv(op: Op, size: int, lanes: list[Lanes], groups: int, **options: object) -> Tensor:
    x, kernel = lanes
    if size == 0:
        return _of_no_lanes(op, lanes, groups=groups, **options)
    if not kernel.batched:  # lanes as examples
        merged = reshape(x.value, (size * x.value.shape[1], *x.value.shape[2:]))
        return _split(bind(op, merged, kernel.value, groups=groups, **options), 0, size)
    if x.batched:  # lanes as groups
        out = bind(op, _merged(x.value, -2), _merged(kernel.value, -2), groups=groups * size, **options)
        return moveaxis(_split(out, -1, size), -2, 0)
    # lanes as further channels of the result, inside of each group
    wide = _joined(_merged(_split(kernel.value, -1, groups), -2), -2)
    out = bind(op, x.value, wide, groups=groups, **options)
    return _joined(moveaxis(_split(_split(out, -1, groups), -1, size), -2, 0), -2)


def _of_no_lanes(op: Op, lanes: list[Lanes], **options: object) -> Tensor:
    """The empty result for 0 lanes: the rules here make lanes into groups or channels, of which there must be some."""
    type_ = infer(op, [TensorType(tuple(x.value.shape[x.batched:]), x.value.dtype) for x in lanes], options)
    total = add(*[sum(x.value) for x in lanes])  # so that gradients, which are empty or 0, flow
    return broadcast_to(multiply(total, 0), (0, *type_.shape))


def _merged(x: Tensor, axis: int) -> Tensor:
    """The lanes moved to `axis` and there joined with the axis after it."""
    return _joined(moveaxis(x, 0, axis), axis)


def _joined(x: Tensor, axis: int) -> Tensor:
    """An axis and the one after it as one."""
    axis %= len(x.shape)
    return reshape(x, (*x.shape[:axis], x.shape[axis] * x.shape[axis + 1], *x.shape[axis + 2:]))


def _split(x: Tensor, axis: int, count: int) -> Tensor:
    """An axis as two, the first of them of size `count`."""
    axis %= len(x.shape)
    return reshape(x, (*x.shape[:axis], count, x.shape[axis] // count, *x.shape[axis + 1:]))


def solve(op: Op, size: int, lanes: list[Lanes]) -> Tensor:
    a, b = lanes
    if not b.batched:
        return bind(op, a.value, broadcast_lanes(b, size))
    if a.batched:
        return bind(op, a.value, b.value)
    return moveaxis(_split(bind(op, a.value, _merged(b.value, -2)), -1, size), -2, 0)
