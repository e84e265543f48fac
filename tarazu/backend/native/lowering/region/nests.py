"""Nodes that become nests of loops: reductions, products, convolutions, and tensors put together of parts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tarazu.backend.native.llvm.types import is_half
from tarazu.backend.native.lowering.buffers import View
from tarazu.backend.native.lowering.index_map import AffineIndex, IndexMap, identity, unit, zero
from tarazu.backend.native.lowering.loop_nest import (
    Accumulated,
    Apply,
    Constant,
    Expression,
    Reduction,
    product_of_pairs,
)
from tarazu.backend.native.lowering.nodes import op_of
from tarazu.backend.native.lowering.region import pairs
from tarazu.backend.native.lowering.region.builder import RegionBuilder
from tarazu.backend.native.lowering.region.convolutions import winograd
from tarazu.backend.native.lowering.region.convolutions.surroundings import Phases, has_phases, zeros_around
from tarazu.backend.native.lowering.region.convolutions.zeros import fill, memory_order, turned, with_zeros
from tarazu.backend.native.lowering.region.expressions import mark_read
from tarazu.backend.native.lowering.region.group import Computed, Group, Inner
from tarazu.backend.native.lowering.region.pairs import Factor
from tarazu.base import dtypes
from tarazu.ir import op as ops
from tarazu.ir.node import Node
from tarazu.ir.types import Shape

WIDE = 32  # channels of a group from which on its pixels may lie apart

# Reductions -----------------------------------------------------------------------------------------------------

def reduction(builder: RegionBuilder, node: Node) -> None:
    """A nest whose reduced axes are those of the reduction."""
    x, axes = node.inputs[0], node.attributes["axes"]
    kept = [axis for axis in range(len(x.shape)) if axis not in axes]
    rank = len(x.shape)
    nest_axes = {axis: i for i, axis in enumerate([*kept, *axes])}
    index_map = tuple([unit(nest_axes[axis], rank) if n != 1 else zero(rank) for axis, n in enumerate(x.shape)])
    group = Group.reduction(node, node.shape, tuple(x.shape[axis] for axis in axes),
                            lambda nest: Reduction(op_of(node), nest.element(x, index_map)))
    mark_read(builder, x, identity(x.shape))
    builder.store(node)
    builder.append(group, node)


# Products -------------------------------------------------------------------------------------------------------

def _sum_of_products(builder: RegionBuilder, node: Node, kept: Shape, reduced: Shape, left: Factor, right: Factor,
                     result: IndexMap | None = None) -> None:
    """Append the group of sum(left * right)."""
    reduced, summed = _summed(builder, node, kept, reduced, left, right)
    builder.store(node)
    builder.append(Group.reduction(node, kept, reduced, summed, result), node)


def _summed(builder: RegionBuilder, node: Node, kept: Shape, reduced: Shape, left: Factor,
            right: Factor) -> tuple[Shape, Callable[[Inner], Reduction]]:
    """The reduced axes of a sum of products, and what makes it: in pairs where the processor has them."""
    found = pairs.paired(builder, kept, reduced, left, right) if pairs.suit(node, builder.externals.target) else None
    if found is not None:
        return found.reduced, lambda nest: Reduction(
            ops.SUM, product_of_pairs(nest.load(*found.left), nest.load(*found.right)))
    wide = dtypes.float32 if is_half(node.dtype) else node.dtype
    return reduced, lambda nest: Reduction(ops.SUM, _product(nest.load(*left), nest.load(*right), wide))


def _product(left: Expression, right: Expression, wide: dtypes.DType) -> Expression:
    """left * right in the dtype `wide`."""
    def cast(x: Expression) -> Expression:
        return x if x.dtype is wide else Apply(ops.CAST, (x,), (("dtype", wide),), wide)

    return Apply(ops.MUL, (cast(left), cast(right)), (), wide)


def dot(builder: RegionBuilder, node: Node) -> None:
    """A sum of products over the contracted axes."""
    x, y = node.inputs
    contract, batch = node.attributes["contract"], node.attributes["batch"]
    rank_out, rank = len(node.shape), len(node.shape) + len(contract[0])
    free = [[axis for axis in range(len(side.shape)) if axis not in c + b]
            for side, c, b in zip((x, y), contract, batch, strict=True)]
    starts = (len(batch[0]), len(batch[0]) + len(free[0]))
    maps = []
    for side, shape in enumerate((x.shape, y.shape)):
        index_map = [zero(rank)] * len(shape)
        for axes, start in ((batch[side], 0), (free[side], starts[side]), (contract[side], rank_out)):
            for i, axis in enumerate(axes):
                index_map[axis] = unit(start + i, rank)
        maps.append(tuple(index_map))
    reduced = tuple(x.shape[axis] for axis in contract[0])
    _sum_of_products(builder, node, node.shape, reduced, (builder.read(x), maps[0]), (builder.read(y), maps[1]))


def convolution(builder: RegionBuilder, node: Node) -> None:
    """A sum of products over the window and the channels of a group; or by `winograd.py`, or phase by phase."""
    attributes = node.attributes
    if (tiles := winograd.tiles(node, builder.externals.target.winograd)) is not None:
        winograd.winograd(builder, node, tiles)
    elif has_phases(node):
        _phases(builder, node)
    else:
        windows = _Windows.of(_padded(builder, node), _kernel(builder, node), node.shape,
                              attributes["stride"], attributes["dilation"])
        _sum_of_products(builder, node, windows.kept, windows.reduced, windows.left, windows.right, windows.result)


class _Windows(NamedTuple):
    """A convolution as a nest whose kept axes are batch, output positions, groups and channels of the result in a
    group; the reduced ones are the window and the channels of the input in a group."""

    kept: Shape
    reduced: Shape
    left: Factor
    right: Factor
    result: IndexMap

    @classmethod
    def of(cls, x: View, kernel: View, shape: Shape, stride: Shape, dilation: Shape) -> _Windows:
        """That of an input with its zeros and a kernel, whose last axes are those of groups and what is in one of both,
        for a result of this shape."""
        axes, (*window, inner, groups, outer) = len(shape) - 2, kernel.shape
        kept, reduced = (*shape[:-1], groups, outer), (*window, inner)
        rank = len(kept) + len(reduced)
        positions = tuple([unit(1 + i, rank).scaled(stride[i]).plus(unit(len(kept) + i, rank).scaled(dilation[i]))
                           for i in range(axes)])
        taps = tuple([unit(len(kept) + i, rank) for i in range(axes)])
        channel, group, last = unit(rank - 1, rank), unit(axes + 1, rank), unit(axes + 2, rank)
        both = AffineIndex(0, tuple([outer * (i == axes + 1) + (i == axes + 2) for i in range(len(kept))]))
        return cls(kept, reduced, (x, (unit(0, rank), *positions, group, channel)),
                   (kernel, (*taps, channel, group, last)),
                   (*identity(kept)[:-2], both if groups > 1 else identity(kept)[-1]))


def _phases(builder: RegionBuilder, node: Node) -> None:
    """The gradient of a strided convolution: outputs that meet the same taps are a convolution of their own."""
    kernel, target, found = _kernel(builder, node), builder.store(node), Phases.of(node)
    gaps, x = node.attributes["dilation_input"], _surrounded(builder, node, found.low, found.high)
    for phases in itertools.product(*found.along):
        part = _every(target, [phase.first for phase in phases], gaps, [phase.outputs for phase in phases], 1)
        if not math.prod(part.shape):
            continue
        if not all(phase.taps for phase in phases):
            builder.append(Group.store("fill", Constant(0, node.dtype), part), node)
            continue
        window = _every(kernel, [phase.tap for phase in phases], found.apart, [phase.taps for phase in phases], 0)
        met = x._replace(offset=x.offset + sum((phase.start + before) * stride for phase, before, stride in
                                               zip(phases, found.low, x.strides[1:-2], strict=True)))
        _convolve_into(builder, node, part, _Windows.of(met, window, part.shape, (1,) * len(gaps), found.steps))


def _every(view: View, first: Sequence[int], steps: Sequence[int], sizes: Sequence[int], axis: int) -> View:
    """So many elements of a view, the first ones and those some steps on, along the axes from number `axis` on."""
    end = axis + len(first)
    offset = sum(i * stride for i, stride in zip(first, view.strides[axis:end], strict=True))
    strides = [step * stride for step, stride in zip(steps, view.strides[axis:end], strict=True)]
    return View(view.buffer, (*view.shape[:axis], *sizes, *view.shape[end:]), view.offset + offset,
                (*view.strides[:axis], *strides, *view.strides[end:]))


def _convolve_into(builder: RegionBuilder, node: Node, target: View, windows: _Windows) -> None:
    """Append the group of a convolution whose result is a part of the memory of `node`."""
    reduced, summed = _summed(builder, node, windows.kept, windows.reduced, windows.left, windows.right)
    stored = Computed(Accumulated(0, node.dtype), target, windows.result)
    builder.append(Group.computing("conv", (*windows.kept, *reduced), lambda nest: [stored], len(windows.kept),
                                   summed), node)


def _halved(view: View, groups: int, inner: int) -> View:
    """The last axis as two: groups, and what is in a group."""
    return View(view.buffer, (*view.shape[:-1], groups, inner), view.offset,
                (*view.strides[:-1], inner * view.strides[-1], view.strides[-1]))


def _kernel(builder: RegionBuilder, node: Node) -> View:
    """The kernel with its last axis as two, groups and what is in one, whose elements lie side by side.

    Groups that fill vectors follow each other, as rows of one would meet in a few sets of the cache.
    """
    groups = node.attributes["groups"]
    view = _halved(builder.read(node.inputs[1]), groups, node.shape[-1] // groups)
    inner, _, outer = view.shape[-3:]
    order = list(range(len(view.shape)))
    if groups > 1 and inner > 1 and outer >= builder.externals.target.lanes:
        order.insert(0, order.pop(-2))
    elif view.strides[-1] == 1 or node.shape[-1] == 1:
        return view
    copied = View.new(view.buffer.dtype, tuple([view.shape[axis] for axis in order]))
    builder.append(Group.store("copy", turned(view, order), copied))
    return turned(copied, [order.index(axis) for axis in range(len(order))])


def _padded(builder: RegionBuilder, node: Node) -> View:
    """The input of a convolution with zeros between and around its elements; negative widths cut off."""
    view = _surrounded(builder, node, *zeros_around(node))
    cut = [(max(-a, 0), max(-b, 0)) for a, b in node.attributes["padding"]]
    offset = view.offset + sum(a * stride for (a, _), stride in zip(cut, view.strides[1:-2], strict=True))
    sizes = [n - a - b for n, (a, b) in zip(view.shape[1:-2], cut, strict=True)]
    return view._replace(shape=(view.shape[0], *sizes, *view.shape[-2:]), offset=offset)


def _surrounded(builder: RegionBuilder, node: Node, low: Sequence[int], high: Sequence[int]) -> View:
    """The input of a convolution with zeros around it, and between its elements where it is not computed in phases; its
    last axis as two, groups and what is in one."""
    x, groups, axes = node.inputs[0], node.attributes["groups"], range(1, len(low) + 1)
    view = _halved(builder.read(x), groups, x.shape[-1] // groups)
    gaps = [1] * len(low) if has_phases(node) else node.attributes["dilation_input"]
    if max(gaps) == 1 and not any(low) and not any(high):
        return view
    framed = builder.framed.get(view.buffer) if max(gaps) == 1 else None
    there = framed.with_zeros(view, axes, low, high) if framed is not None else None
    if there is not None:
        return there
    order = memory_order(view)
    if groups > 1 and builder.externals.target.lanes <= view.strides[-2] < WIDE:
        order.insert(1, order.pop(order.index(len(order) - 2)))  # pictures of one group follow each other
    return with_zeros(builder, view, axes, low, high, gaps, order)


# Parts ----------------------------------------------------------------------------------------------------------

def pad(builder: RegionBuilder, node: Node) -> None:
    """The padding value everywhere, then the elements of the input where they belong."""
    x, value = node.inputs
    low, interior = node.attributes["low"], node.attributes["interior"]
    target = builder.store(node)
    if x.type.size != node.type.size:
        fill(builder, value, target, node)
    if x.type.size:
        start = target.offset + sum(a * s for a, s in zip(low, target.strides, strict=True))
        strides = tuple([s * (gap + 1) for s, gap in zip(target.strides, interior, strict=True)])
        _part(builder, node, x, View(target.buffer, x.shape, start, strides))


def concat(builder: RegionBuilder, node: Node) -> None:
    """Each input, computed into its part of the result."""
    axis, start = node.attributes["axis"], 0
    target = builder.store(node)
    for x in node.inputs:
        if x.type.size:
            offset = target.offset + start * target.strides[axis]
            _part(builder, node, x, View(target.buffer, x.shape, offset, target.strides))
        start += x.shape[axis]


def _part(builder: RegionBuilder, node: Node, part: Node, target: View) -> None:
    """Append the group that computes `part` into a part of the memory of `node`."""
    mark_read(builder, part, identity(part.shape))
    builder.append(Group.store("part", part, target), node)


LOWER: dict[ops.Op | str, Callable[[RegionBuilder, Node], None]] = {
    ops.DOT: dot, ops.CONV: convolution, ops.PAD: pad, ops.CONCAT: concat,
    **dict.fromkeys((ops.SUM, ops.PROD, ops.MAX, ops.MIN, ops.ANY_TRUE, ops.ALL_TRUE), reduction)}
