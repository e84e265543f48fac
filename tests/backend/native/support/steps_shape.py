"""Random steps that move elements: shapes, indices, sorting."""

from __future__ import annotations

import math

import numpy as np
from growth import DTYPES, FLOATS, INTEGERS, NUMBERS, Growth, Item
from inputs import Source
from steps_elementwise import ANY, REAL

from tarazu.base import dtypes
from tarazu.ir import op as ops
from tarazu.ir.types import Shape, TensorType


def moved(growth: Growth, op: ops.Op, x: Item, **attributes: object) -> None:
    growth.keep(growth.apply(op, x, bound=x.bound, exact=True, **attributes))


def reshape(growth: Growth) -> None:
    x = growth.operand(ANY)
    sizes = list(x.shape)
    if len(sizes) > 1 and growth.choose.chance(60):  # join two neighbors
        at = growth.choose.below(len(sizes) - 1)
        sizes[at:at + 2] = [sizes[at] * sizes[at + 1]]
    if sizes and growth.choose.chance(40):  # split one
        at = growth.choose.below(len(sizes))
        factors = [n for n in (2, 3, 4, 5, 8) if sizes[at] and sizes[at] % n == 0]
        if factors:
            factor = growth.choose.one_of(factors)
            sizes[at:at + 1] = [factor, sizes[at] // factor]
    if growth.choose.chance(30) and len(sizes) < 5:
        sizes.insert(growth.choose.below(len(sizes) + 1), 1)
    moved(growth, ops.RESHAPE, x, shape=tuple(sizes))


def transpose(growth: Growth) -> None:
    x = growth.operand(ANY, rank=2)
    moved(growth, ops.TRANSPOSE, x, permutation=tuple(growth.choose.shuffled(range(len(x.shape)))))


def broadcast(growth: Growth) -> None:
    x = growth.operand(ANY)
    lead = [growth.choose.between(1, 5) for _ in range(growth.choose.below(3))]
    shape = tuple(lead) + tuple(growth.size() if size == 1 else size for size in x.shape)
    if growth.fits(*shape):
        moved(growth, ops.BROADCAST, x, shape=shape)


def slice_(growth: Growth) -> None:
    x = growth.operand(ANY, rank=1)
    start, stop, step = [], [], []
    for size in x.shape:
        whole = growth.choose.chance(30)
        low = 0 if whole else growth.choose.below(size + 1)
        start.append(low)
        stop.append(size if whole else growth.choose.between(low, size))
        step.append(1 if whole or growth.choose.chance(60) else growth.choose.between(2, 4))
    moved(growth, ops.SLICE, x, start=tuple(start), stop=tuple(stop), step=tuple(step))


def pad(growth: Growth) -> None:
    x = growth.operand(ANY, rank=1)
    low, high, interior = ([growth.choose.weighted({0: 5, 1: 3, 2: 1, 5: 1}) for _ in x.shape] for _ in range(3))
    sizes = [a + n + max(n - 1, 0) * i + b for a, n, i, b in zip(low, x.shape, interior, high, strict=True)]
    if not growth.fits(*sizes):
        return
    scalars = [item for item in growth.items if not item.shape and item.dtype is x.dtype]
    value = growth.choose.one_of(scalars) if scalars and growth.choose.chance(50) else growth.constant(1, x.dtype)
    growth.keep(growth.apply(ops.PAD, x, value, bound=max(x.bound, value.bound), exact=True, low=tuple(low),
                             high=tuple(high), interior=tuple(interior)))


def concat(growth: Growth) -> None:
    x = growth.operand(ANY, rank=1)
    axis = growth.choose.below(len(x.shape))
    parts = [x]
    for _ in range(growth.choose.between(1, 3)):
        fitting = [item for item in growth.items if item.dtype is x.dtype and len(item.shape) == len(x.shape)
                   and _without(item.shape, axis) == _without(x.shape, axis)]
        parts.append(growth.choose.one_of([x, *fitting]))
    if growth.fits(len(parts), *x.shape):
        growth.keep(growth.apply(ops.CONCAT, *growth.choose.shuffled(parts), bound=max(part.bound for part in parts),
                                 exact=True, axis=axis))


def _without(shape: Shape, axis: int) -> Shape:
    return shape[:axis] + shape[axis + 1:]


def flip(growth: Growth) -> None:
    x = growth.operand(ANY, rank=1)
    moved(growth, ops.FLIP, x, axes=tuple(growth.choose.some_of(range(len(x.shape)), 1)))


def iota(growth: Growth) -> None:
    dtype = growth.dtype({**INTEGERS, **FLOATS})
    size = min(growth.size(), 60)
    node = growth.node(ops.IOTA, [], size=size, dtype=dtype)
    growth.keep(Item(node, True, float(size)))


def _indexed(growth: Growth, x: Item, kind: str = "index") -> tuple[tuple[int, ...], list[Item], Shape]:
    """Axes of `x`, indices for them, and the shape of what they pick."""
    axes = tuple(growth.choose.shuffled(growth.choose.some_of(range(len(x.shape)), 1)))
    largest = max(growth.largest // max(math.prod(x.shape), 1), 1)
    shape = growth.shape(growth.choose.below(3), min(largest, 200))
    if kind == "distinct":
        axes, shape = axes[:1], (growth.choose.between(0, x.shape[axes[0]]),)
    if any(x.shape[axis] == 0 for axis in axes):
        shape = (0,)
    indices = []
    for number, axis in enumerate(axes):
        dtype = growth.dtype({dtypes.int64: 6, dtypes.int32: 3, dtypes.uint8: 1})
        limit = min(x.shape[axis], 250) if dtype is dtypes.uint8 else x.shape[axis]
        own = tuple(1 if number and growth.choose.chance(20) and size else size for size in shape)
        indices.append(growth.fresh(TensorType(own, dtype), Source(kind, limit)))
    picked = np.broadcast_shapes(*(index.shape for index in indices))
    return axes, indices, picked + tuple(n for axis, n in enumerate(x.shape) if axis not in axes)


def gather(growth: Growth) -> None:
    x = growth.operand(ANY, rank=1)
    axes, indices, _ = _indexed(growth, x)
    growth.keep(growth.apply(ops.GATHER, x, *indices, bound=x.bound, exact=True, axes=axes))


def scatter(growth: Growth) -> None:
    adds = growth.choose.chance(60)
    x = growth.limit(growth.operand(NUMBERS if adds else DTYPES, rank=1), 4)
    axes, indices, shape = _indexed(growth, x, "index" if adds else "distinct")
    updates = growth.limit(growth.conform(TensorType(shape, x.dtype)), 2)
    exact = not adds or x.dtype.is_integer
    bound = x.bound + updates.bound * (math.prod(shape) if adds else 1)
    op = ops.SCATTER_ADD if adds else ops.SCATTER_SET
    growth.tame(growth.apply(op, x, updates, *indices, bound=bound, exact=exact, axes=axes))


def sort(growth: Growth) -> None:
    x = growth.operand(REAL, rank=1, exact=growth.choose.chance(90))
    values, order = growth.node(ops.SORT, [x.node], axis=growth.choose.below(len(x.shape)))
    growth.keep(Item(values, x.exact, x.bound))
    growth.keep(Item(order, x.exact, max(*x.shape, 1)))


STEPS = {reshape: 5, transpose: 5, broadcast: 4, slice_: 5, pad: 4, concat: 4, flip: 2, iota: 2, gather: 5, scatter: 4,
         sort: 2}
