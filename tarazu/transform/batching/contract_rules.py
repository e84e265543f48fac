"""Batching of products, convolutions and solutions of equations: lanes become batch or free axes, or groups."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tarazu.ir.interpreter import bind
from tarazu.ir.node import infer
from tarazu.ir.op import Op
from tarazu.ir.types import TensorType
from tarazu.ops.elementwise import add, multiply
from tarazu.ops.reduce import sum
from tarazu.ops.shape import broadcast_to, moveaxis, reshape
from tarazu.transform.batching.engine import Lanes, spread

Axes = tuple[int, ...]


def up(axes: Iterable[int]) -> Axes:
    """Axes of one lane as axes of all lanes."""
    return tuple([axis + 1 for axis in axes])


def dot(op: Op, size: int, lanes: list[Lanes], contract: tuple[Axes, Axes], batch: tuple[Axes, Axes]) -> Any:
    x, y = lanes
    contract, own = ((up(pair[0]) if x.batched else pair[0], up(pair[1]) if y.batched else pair[1])
                     for pair in (contract, batch))
    if x.batched and y.batched:
        return bind(op, x.value, y.value, contract=contract, batch=((0, *own[0]), (0, *own[1])))
    lane_axis = len(own[0]) + (0 if x.batched else x.rank - len(contract[0]) - len(own[0]))
    return moveaxis(bind(op, x.value, y.value, contract=contract, batch=own), lane_axis, 0)


def conv(op: Op, size: int, lanes: list[Lanes], groups: int, **options: Any) -> Any:
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


def _of_no_lanes(op: Op, lanes: list[Lanes], **options: Any) -> Any:
    """An empty result of the right type: there is no number of groups or channels for no lanes."""
    type_ = infer(op, [TensorType(tuple(x.value.shape[x.batched:]), x.value.dtype) for x in lanes], options)
    total = add(*[sum(x.value) for x in lanes])  # so that gradients, which are empty or 0, flow
    return broadcast_to(multiply(total, 0), (0, *type_.shape))


def _merged(x: Any, axis: int) -> Any:
    """The lanes moved to `axis` and there joined with the axis after it."""
    return _joined(moveaxis(x, 0, axis), axis)


def _joined(x: Any, axis: int) -> Any:
    """An axis and the one after it as one."""
    place = axis % len(x.shape)
    return reshape(x, (*x.shape[:place], x.shape[place] * x.shape[place + 1], *x.shape[place + 2:]))


def _split(x: Any, axis: int, count: int) -> Any:
    """An axis as two, the first of them of size `count`."""
    place = axis % len(x.shape)
    return reshape(x, (*x.shape[:place], count, x.shape[place] // count, *x.shape[place + 1:]))


def solve(op: Op, size: int, lanes: list[Lanes]) -> Any:
    a, b = lanes
    if not b.batched:
        return bind(op, a.value, spread(b, size))
    if a.batched:
        return bind(op, a.value, b.value)
    return moveaxis(_split(bind(op, a.value, _merged(b.value, -2)), -1, size), -2, 0)
