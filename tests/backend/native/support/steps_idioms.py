"""Steps that networks consist of: what a compiler recognizes and fuses must be right as a whole too."""

from __future__ import annotations

import math

from growth import Growth, Item
from inputs import Source

from tarazu.base import dtypes
from tarazu.ir import op as ops
from tarazu.ir.types import TensorType

SINGLE = {dtypes.float32: 8, dtypes.float64: 1, dtypes.bfloat16: 1}


def _last(x: Item) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The last axis, and the shape with 1 in its place."""
    return (len(x.shape) - 1,), (*x.shape[:-1], 1)


def _reduced(growth: Growth, op: ops.Op, x: Item, bound: float) -> Item:
    """A reduction over the last axis that keeps it, as numbers that broadcast again."""
    axes, shape = _last(x)
    small = growth.apply(op, x, bound=bound, exact=op is ops.MAX, axes=axes)
    return growth.apply(ops.BROADCAST, growth.apply(ops.RESHAPE, small, bound=bound, exact=True, shape=shape),
                        bound=bound, exact=True, shape=x.shape)


def dense(growth: Growth) -> None:
    """x @ w + b with an activation."""
    x = growth.limit(growth.operand(SINGLE, rank=2), 4)
    inner, units = x.shape[-1], growth.size()
    if not growth.fits(inner, units) or not growth.fits(*x.shape[:-1], units):
        return
    weight = growth.fresh(TensorType((inner, units), x.dtype))
    product = growth.apply(ops.DOT, x, weight, bound=16 * max(inner, 1), batch=((), ()),
                           contract=((len(x.shape) - 1,), (0,)))
    scaled = growth.apply(ops.MUL, product, growth.constant(1 / (4 * max(inner, 1)), x.dtype), bound=4)
    total = growth.apply(ops.ADD, scaled, growth.fresh(TensorType((units,), x.dtype)), bound=8)
    growth.keep(_activated(growth, total))


def _activated(growth: Growth, x: Item) -> Item:
    kind = growth.choose.below(4)
    if kind == 0:
        return growth.apply(ops.MAXIMUM, x, growth.constant(0, x.dtype), bound=x.bound)
    if kind == 1:
        return growth.apply(ops.TANH, x, bound=1)
    if kind == 2:
        return growth.apply(ops.MUL, x, growth.apply(ops.SIGMOID, x, bound=1), bound=x.bound)
    return x


def softmax(growth: Growth) -> None:
    x = growth.limit(growth.operand(SINGLE, rank=1, nonempty=True), 8)
    shifted = growth.apply(ops.SUB, x, _reduced(growth, ops.MAX, x, x.bound), bound=2 * x.bound)
    exponential = growth.apply(ops.EXP, shifted, bound=1)
    total = _reduced(growth, ops.SUM, exponential, x.shape[-1])
    if growth.choose.chance(50):
        growth.keep(growth.apply(ops.DIV, exponential, total, bound=1))
    else:
        growth.keep(growth.apply(ops.SUB, shifted, growth.apply(ops.LOG, total, bound=6), bound=2 * x.bound + 6))


def normalized(growth: Growth) -> None:
    """(x - mean) / sqrt(variance + a constant), over the last axis."""
    x = growth.limit(growth.operand(SINGLE, rank=1, nonempty=True), 8)
    share = growth.constant(1 / x.shape[-1], x.dtype)
    mean = growth.apply(ops.MUL, _reduced(growth, ops.SUM, x, x.bound * x.shape[-1]), share, bound=x.bound)
    centered = growth.apply(ops.SUB, x, mean, bound=2 * x.bound)
    square = growth.apply(ops.MUL, centered, centered, bound=4 * x.bound**2)
    variance = growth.apply(ops.MUL, _reduced(growth, ops.SUM, square, 4 * x.bound**2 * x.shape[-1]), share,
                            bound=4 * x.bound**2)
    deviation = growth.apply(ops.SQRT, growth.apply(ops.ADD, variance, growth.constant(0.5, x.dtype),
                                                    bound=4 * x.bound**2 + 1), bound=2 * x.bound + 1)
    growth.keep(growth.apply(ops.DIV, centered, deviation, bound=math.sqrt(x.shape[-1]) + 1))


def picked_rows(growth: Growth) -> None:
    """Rows of a table by shuffled numbers, as a batch is taken."""
    x = growth.operand(SINGLE, rank=2, nonempty=True)
    rows = growth.fresh(TensorType((growth.choose.between(1, 20),), dtypes.int64), Source("index", x.shape[0]))
    if growth.fits(*rows.shape, *x.shape[1:]):
        growth.keep(growth.apply(ops.GATHER, x, rows, bound=x.bound, exact=True, axes=(0,)))


def update(growth: Growth) -> None:
    """A parameter and its two moments after a step of Adam."""
    x = growth.limit(growth.operand(SINGLE), 4)
    gradient, first, second = (growth.limit(growth.conform(x.node.type), 4) for _ in range(3))
    first = _blend(growth, first, gradient, 0.9)
    second = growth.apply(ops.ABS, _blend(growth, second, growth.apply(ops.MUL, gradient, gradient, bound=16), 0.99),
                          bound=20)
    root = growth.apply(ops.ADD, growth.apply(ops.SQRT, second, bound=5), growth.constant(0.25, x.dtype), bound=6)
    step = growth.apply(ops.MUL, growth.apply(ops.DIV, first, root, bound=16), growth.constant(0.01, x.dtype), bound=1)
    for item in (first, second, growth.apply(ops.SUB, x, step, bound=x.bound + 1)):
        growth.keep(item)


def _blend(growth: Growth, old: Item, new: Item, share: float) -> Item:
    parts = [growth.apply(ops.MUL, item, growth.constant(weight, item.dtype), bound=item.bound)
             for item, weight in ((old, share), (new, 1 - share))]
    return growth.apply(ops.ADD, *parts, bound=old.bound + new.bound)


STEPS = {dense: 6, softmax: 3, normalized: 3, picked_rows: 2, update: 2}
