"""Copies of tensors with zeros around and between their elements, and memory that is filled with one number."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tarazu.backend.native.lowering.buffers import View
from tarazu.backend.native.lowering.loop_nest import Constant
from tarazu.backend.native.lowering.region.builder import RegionBuilder
from tarazu.backend.native.lowering.region.convolutions.surroundings import Frame, Framed
from tarazu.backend.native.lowering.region.expressions import mark_read
from tarazu.backend.native.lowering.region.group import Group
from tarazu.ir.node import Node
from tarazu.ir.type_rules.convolution import span


def fill(builder: RegionBuilder, value: Constant | Node, target: View, *nodes: Node) -> None:
    """Append the group that stores one number everywhere in a view of a whole buffer, where `nodes` lie."""
    if isinstance(value, Node):
        mark_read(builder, value, ())
    flat = View(target.buffer, (math.prod(target.shape),), target.offset, (1,))
    builder.append(Group.store("fill", value, flat), *nodes)


def with_zeros(builder: RegionBuilder, view: View, axes: Sequence[int], low: Sequence[int], high: Sequence[int],
               gaps: Sequence[int], order: Sequence[int]) -> View:
    """A copy with so many zeros in front of and behind some axes, and elements `gaps` apart along them.

    In memory its axes lie in the given order; it is slow to copy to where that differs much from the order of the view.
    """
    shape = list(view.shape)
    for axis, before, after, gap in zip(axes, low, high, gaps, strict=True):
        shape[axis] = before + span(view.shape[axis], gap) + after
    whole = View.new(view.buffer.dtype, tuple([shape[axis] for axis in order]))
    ordered = [order.index(axis) for axis in axes]  # kernels go over the axes as these lie
    if max(gaps) > 1 or not math.prod(view.shape):
        fill(builder, Constant(0, view.buffer.dtype), whole)
    else:
        _border(builder, whole, ordered, low, high)
    if math.prod(view.shape):
        start = sum(before * whole.strides[axis] for axis, before in zip(ordered, low, strict=True))
        strides = list(whole.strides)
        for axis, gap in zip(ordered, gaps, strict=True):
            strides[axis] *= gap
        source = turned(view, order)
        builder.append(Group.store("copy", source, View(whole.buffer, source.shape, start, tuple(strides))))
    return turned(whole, [order.index(axis) for axis in range(len(order))])


def memory_order(view: View) -> list[int]:
    """The axes of a view from that with the longest steps in memory to that with the shortest."""
    return sorted(range(len(view.shape)), key=lambda axis: -abs(view.strides[axis]))


def turned(view: View, order: Sequence[int]) -> View:
    """A view with its axes in another order."""
    return view._replace(shape=tuple([view.shape[axis] for axis in order]),
                         strides=tuple([view.strides[axis] for axis in order]))


def store_framed(builder: RegionBuilder, node: Node, frame: Frame) -> None:
    """Let `node` be stored in the middle of its zeros, and append the groups that store these."""
    whole = View.new(node.dtype, frame.around(node.shape))
    start = sum(before * stride for before, stride in zip(frame.low, whole.strides, strict=True))
    builder.store_at(node, View(whole.buffer, node.shape, start, whole.strides))
    builder.framed[whole.buffer] = Framed(builder.view(node), frame)
    _border(builder, whole, range(len(node.shape)), frame.low, frame.high)


def _border(builder: RegionBuilder, whole: View, axes: Sequence[int], low: Sequence[int], high: Sequence[int]) -> None:
    """Append the groups that store zeros around the middle of a view."""
    middle = whole
    for axis, before, after in zip(axes, low, high, strict=True):
        size = middle.shape[axis]
        for start, count in ((0, before), (size - after, after)):
            if count:
                strip = _part(middle, axis, start, count)
                builder.append(Group.store("fill", Constant(0, whole.buffer.dtype), strip))
        middle = _part(middle, axis, before, size - before - after)


def _part(view: View, axis: int, start: int, count: int) -> View:
    """So many indices of one axis of a view."""
    return View(view.buffer, (*view.shape[:axis], count, *view.shape[axis + 1:]),
                view.offset + start * view.strides[axis], view.strides)
