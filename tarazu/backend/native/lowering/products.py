"""Nodes that become nests: reductions, products, convolutions, and tensors put together of parts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tarazu.backend.native.llvm.types import is_half
from tarazu.backend.native.lowering.group import Group
from tarazu.backend.native.lowering.loop_nest import Apply, Constant, Expression, Reduction
from tarazu.backend.native.lowering.views import Buffer, Line, Lines, View, identity, unit, zero
from tarazu.base import dtypes
from tarazu.ir import op as ops
from tarazu.ir.node import Node
from tarazu.ir.type_rules.convolution import span
from tarazu.ir.types import Shape

if TYPE_CHECKING:
    from tarazu.backend.native.lowering.region import Region


# Reductions -----------------------------------------------------------------------------------------------------

def reduction(region: Region, node: Node) -> None:
    x, axes = node.inputs[0], node.attributes["axes"]
    kept = [axis for axis in range(len(x.shape)) if axis not in axes]
    rank = len(x.shape)
    places = {axis: i for i, axis in enumerate([*kept, *axes])}
    lines = tuple([unit(places[axis], rank) if n != 1 else zero(rank) for axis, n in enumerate(x.shape)])
    group = Group.reduction(node, node.shape, tuple(x.shape[axis] for axis in axes),
                            lambda nest: Reduction(node.op, nest.inner(x, lines)))  # type: ignore[arg-type]
    _mark(region, x, identity(x.shape))
    _start(region, group, node)


def _start(region: Region, group: Group, node: Node) -> None:
    region.views[node] = region.allocate(node)
    region.add(group, node)


def _mark(region: Region, node: Node, lines: Lines) -> None:
    """Note what an expression reads."""
    def leaf(base: Node, lines: Lines | None, view: View, found: Lines) -> Expression:
        region.needed.add(base)
        return Constant(0, base.dtype)

    region.build(node, lines, leaf, {"rank": len(node.shape)})


# Products -------------------------------------------------------------------------------------------------------

def _sum_of_products(region: Region, node: Node, kept: Shape, reduced: Shape, left: tuple[View, Lines],
                     right: tuple[View, Lines]) -> Group:
    """The group of sum(left * right), each with a line per axis of its view over kept and reduced axes."""
    wide = dtypes.float32 if is_half(node.dtype) else node.dtype
    group = Group.reduction(node, kept, reduced, lambda nest: Reduction(
        ops.SUM, _product(nest.load(*left), nest.load(*right), wide)))
    _start(region, group, node)
    return group


def _product(left: Expression, right: Expression, wide: dtypes.DType) -> Expression:
    """left * right in the dtype `wide`."""
    def cast(x: Expression) -> Expression:
        return x if x.dtype is wide else Apply(ops.CAST, (x,), (("dtype", wide),), wide)

    return Apply(ops.MUL, (cast(left), cast(right)), (), wide)


def dot(region: Region, node: Node) -> None:
    x, y = node.inputs
    contract, batch = node.attributes["contract"], node.attributes["batch"]
    rank_out, rank = len(node.shape), len(node.shape) + len(contract[0])
    free = [[axis for axis in range(len(side.shape)) if axis not in c + b]
            for side, c, b in zip((x, y), contract, batch, strict=True)]
    starts = (len(batch[0]), len(batch[0]) + len(free[0]))
    found = []
    for side, shape in enumerate((x.shape, y.shape)):
        lines = [zero(rank)] * len(shape)
        for i, axis in enumerate(batch[side]):
            lines[axis] = unit(i, rank)
        for i, axis in enumerate(free[side]):
            lines[axis] = unit(starts[side] + i, rank)
        for i, axis in enumerate(contract[side]):
            lines[axis] = unit(rank_out + i, rank)
        found.append(lines)
    reduced = tuple(x.shape[axis] for axis in contract[0])
    _sum_of_products(region, node, node.shape, reduced, (region.view(x), tuple(found[0])),
                     (region.view(y), tuple(found[1])))


def convolution(region: Region, node: Node) -> None:
    """Kept axes: batch, places, channels of the result; reduced: window, channels of a group of the input."""
    attributes, axes = node.attributes, len(node.shape) - 2
    x, kernel = _padded(region, node), _kernel(region, node)
    groups, window, inner = attributes["groups"], kernel.shape[:-2], kernel.shape[-2]
    outer = node.shape[-1] // groups
    kept, reduced = (*node.shape[:-1], groups, outer), (*window, inner)
    rank = len(kept) + len(reduced)
    places = tuple([unit(1 + i, rank).scaled(attributes["stride"][i]).plus(
        unit(len(kept) + i, rank).scaled(attributes["dilation"][i])) for i in range(axes)])
    taps = tuple([unit(len(kept) + i, rank) for i in range(axes)])
    channel, group, last = unit(rank - 1, rank), unit(axes + 1, rank), unit(axes + 2, rank)
    made = _sum_of_products(region, node, kept, reduced,
                            (_halved(x, groups, inner), (unit(0, rank), *places, group, channel)),
                            (_halved(kernel, groups, outer), (*taps, channel, group, last)))
    both = Line(0, tuple([outer * (i == axes + 1) + (i == axes + 2) for i in range(len(kept))]))
    made.members[node] = (*identity(kept)[:-2], both if groups > 1 else identity(kept)[-1])


def _halved(view: View, groups: int, inner: int) -> View:
    """The last axis as two: groups, and what is in a group."""
    return View(view.buffer, (*view.shape[:-1], groups, inner), view.offset,
                (*view.strides[:-1], inner * view.strides[-1], view.strides[-1]))


def _kernel(region: Region, node: Node) -> View:
    """The kernel, with its last axis side by side."""
    source = node.inputs[1]
    view = region.view(source)
    return view if view.strides[-1] == 1 or view.shape[-1] == 1 else _copied(region, view)


def _copied(region: Region, view: View) -> View:
    """The same elements in memory of their own, in order."""
    made = View.whole(Buffer(view.buffer.dtype, math.prod(view.shape)), view.shape)
    _put(region, view, made)
    return made


def _put(region: Region, source: View, target: View) -> None:
    """Append the group that stores the elements of one view in another of the same shape."""
    group = Group(target.shape, len(target.shape), "copy")
    group.extra.append((source, target))
    region.add(group)


def _padded(region: Region, node: Node) -> View:
    """The input of a convolution with zeros between and around its elements; negative widths cut off."""
    view, padding, gaps = region.view(node.inputs[0]), node.attributes["padding"], node.attributes["dilation_input"]
    if all(gap == 1 for gap in gaps) and not any(map(any, padding)):
        return view
    spans = [span(n, gap) for n, gap in zip(view.shape[1:-1], gaps, strict=True)]
    low, high = ([max(widths[side], 0) for widths in padding] for side in (0, 1))
    cut = [(max(-a, 0), max(-b, 0)) for a, b in padding]
    if any(low) or any(high) or any(gap > 1 for gap in gaps):
        full = (view.shape[0], *(a + n + b for a, n, b in zip(low, spans, high, strict=True)), view.shape[-1])
        made = View.whole(Buffer(view.buffer.dtype, math.prod(full)), full)
        fill(region, Constant(0, view.buffer.dtype), made)
        start = made.offset + sum(a * step for a, step in zip(low, made.strides[1:-1], strict=True))
        spread = [stride * gap for stride, gap in zip(made.strides[1:-1], gaps, strict=True)]
        strides = (made.strides[0], *spread, made.strides[-1])
        if math.prod(view.shape):
            _put(region, view, View(made.buffer, view.shape, start, strides))
        view = made
    offset = view.offset + sum(a * step for (a, _), step in zip(cut, view.strides[1:-1], strict=True))
    sizes = [n - a - b for n, (a, b) in zip(view.shape[1:-1], cut, strict=True)]
    return View(view.buffer, (view.shape[0], *sizes, view.shape[-1]), offset, view.strides)


# Parts ----------------------------------------------------------------------------------------------------------

def fill(region: Region, value: Constant | Node, target: View) -> None:
    """Append the group that stores one number everywhere in a contiguous view."""
    group = Group((math.prod(target.shape),), 1, "fill")
    group.extra.append((value, View(target.buffer, group.sizes, target.offset, (1,))))
    if isinstance(value, Node):
        _mark(region, value, ())
    region.add(group)


def pad(region: Region, node: Node) -> None:
    x, value = node.inputs
    low, interior = node.attributes["low"], node.attributes["interior"]
    target = region.views[node] = region.allocate(node)
    if x.type.size != node.type.size:
        fill(region, value, target)
    if x.type.size:
        start = target.offset + sum(a * s for a, s in zip(low, target.strides, strict=True))
        strides = tuple([s * (gap + 1) for s, gap in zip(target.strides, interior, strict=True)])
        _part(region, x, View(target.buffer, x.shape, start, strides))
    region.position[node] = len(region.parts) - 1


def concat(region: Region, node: Node) -> None:
    axis, start = node.attributes["axis"], 0
    target = region.views[node] = region.allocate(node)
    for x in node.inputs:
        if x.type.size:
            _part(region, x, View(target.buffer, x.shape, target.offset + start * target.strides[axis], target.strides))
        start += x.shape[axis]
    region.position[node] = len(region.parts) - 1


def _part(region: Region, node: Node, target: View) -> None:
    """Append the group that computes `node` into a part of another node's memory."""
    group = Group(node.shape, len(node.shape), "part")
    group.extra.append((node, target))
    _mark(region, node, identity(node.shape))
    region.add(group)


LOWER = {ops.DOT: dot, ops.CONV: convolution, ops.PAD: pad, ops.CONCAT: concat,
         **dict.fromkeys((ops.SUM, ops.PROD, ops.MAX, ops.MIN, ops.ANY_TRUE, ops.ALL_TRUE), reduction)}
