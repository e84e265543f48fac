"""Products of bfloat16 whose factors lie in pairs: two neighbors along a summed axis in 32 bits, the first one below.

Some processors sum two such products into a float32 in one instruction (`vdpbf16ps`). Where the numbers of an axis
are contiguous, memory has the pairs already; else they are made once for all products that read them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.lowering.buffers import Buffer, View
from tarazu.backend.native.lowering.index_map import IndexMap, identity
from tarazu.backend.native.lowering.loop_nest import Apply, Constant, Expression
from tarazu.backend.native.lowering.region.builder import RegionBuilder
from tarazu.backend.native.lowering.region.convolutions import winograd
from tarazu.backend.native.lowering.region.group import Computed, Group, Inner
from tarazu.base.dtypes import bfloat16, float32, uint32
from tarazu.ir import op as ops
from tarazu.ir.node import Node
from tarazu.ir.types import Shape

PAIRS = "pairs"  # the title of steps that make them
FEWEST = 16  # of rows, columns and numbers of a sum that suit matrices
Factor = tuple[View, IndexMap]  # over kept and reduced axes


def suit(node: Node, target: Target) -> bool:
    """Whether a product is summed in pairs: of bfloat16, on a processor that does, with two products to a sum.

    Convolutions that Winograd's tiles save half of the products or more stay in float32, but for those that are done as
    products of matrices.
    """
    if not target.has_pairs or node.dtype is not bfloat16:
        return False
    x, y = node.inputs
    if node.op is ops.DOT:
        return any(x.shape[axis] > 1 for axis in node.attributes["contract"][0])
    as_matrices = target.has_matrices and min(*y.shape[-2:], max(node.shape[:-1])) >= FEWEST
    return y.shape[-2] > 1 and (as_matrices or not winograd.saves(node, target.winograd, 2))


class Paired(NamedTuple):
    """The reduced axes and the factors of a product in pairs."""

    reduced: Shape
    left: Factor
    right: Factor


def paired(builder: RegionBuilder, kept: Shape, reduced: Shape, left: Factor, right: Factor) -> Paired | None:
    """A sum of products with pairs along one of the reduced axes; None where no axis is one of both factors alone."""
    found: list[tuple[int, int, int, list[int]]] = []
    for i, size in enumerate(reduced):
        axes = [_axis(factor, len(kept) + i) for factor in (left, right)]
        own = [axis for axis in axes if axis is not None]
        if size > 1 and len(own) == len(axes):
            copies = sum(not _lies_in_pairs(view, axis) for (view, _), axis in zip((left, right), own, strict=True))
            found.append((copies + size % 2, -size, i, own))
    if not found:
        return None
    _, _, axis, own = min(found)
    views = [_in_pairs(builder, view, one) for (view, _), one in zip((left, right), own, strict=True)]
    halved = (*reduced[:axis], math.ceil(reduced[axis] / 2), *reduced[axis + 1:])
    return Paired(halved, (views[0], left[1]), (views[1], right[1]))


def _axis(factor: Factor, nest_axis: int) -> int | None:
    """The axis of a view whose index is that of the nest's axis, if no other follows it too."""
    own = [axis for axis, index in enumerate(factor[1]) if index.coefficients[nest_axis]]
    return own[0] if len(own) == 1 and factor[1][own[0]].axis == nest_axis else None


def _lies_in_pairs(view: View, axis: int) -> bool:
    """Whether memory has the pairs of a view: at even places all of them."""
    others = [stride for i, stride in enumerate(view.strides) if i != axis and view.shape[i] > 1]
    return (view.strides[axis] == 1 and view.shape[axis] % 2 == view.offset % 2 == view.buffer.size % 2 == 0
            and not any(stride % 2 for stride in others))


def _in_pairs(builder: RegionBuilder, view: View, axis: int) -> View:
    """The view with pairs along an axis: of the same memory, or of a copy that all products share."""
    known = builder.pairs.get((view, axis))
    if known is None:
        known = builder.pairs[view, axis] = _shown(view, axis) if _lies_in_pairs(view, axis) else _copied(
            builder, view, axis)
    return known


def _shown(view: View, axis: int) -> View:
    """The memory of a view as pairs."""
    buffer = Buffer(uint32, view.buffer.size // 2, "alias", parent=view.buffer)
    strides = [stride // 2 if i != axis else 1 for i, stride in enumerate(view.strides)]
    return View(buffer, _halved(view.shape, axis), view.offset // 2, tuple(strides))


def _copied(builder: RegionBuilder, view: View, axis: int) -> View:
    """A copy as pairs; numbers that an axis repeats lie there once. Its axes are in order where that suits vectors, so
    that it can be made with the products of a batch, else in the order of their strides."""
    order = sorted(range(len(view.shape)), key=lambda i: -view.strides[i])
    order = sorted(order) if order[-1] == len(order) - 1 else order
    shape = tuple([1 if view.strides[i] == 0 and i != axis else view.shape[i] for i in order])
    source, own = view._replace(shape=shape, strides=tuple([view.strides[i] for i in order])), order.index(axis)
    target = View.new(uint32, _halved(shape, own))
    whole, rest = divmod(shape[own], 2)
    if whole:
        builder.append(Group.computing(PAIRS, _with_size(shape, own, whole), _pairs(source, target, own, True)))
    if rest:
        last = _from(source, own, shape[own] - 1), _from(target, own, whole)
        builder.append(Group.computing(PAIRS, _with_size(shape, own, 1), _pairs(*last, own, False)))
    strides = [0 if view.strides[i] == 0 and i != axis else target.strides[order.index(i)] for i in range(len(order))]
    return View(target.buffer, _halved(view.shape, axis), 0, tuple(strides))


def _pairs(source: View, target: View, axis: int, are_whole: bool) -> Callable[[Inner], Iterable[Computed]]:
    """What stores the pairs of neighbors along an axis, or numbers without a neighbor."""
    step = source.strides[axis]
    every = source._replace(strides=(*source.strides[:axis], 2 * step, *source.strides[axis + 1:]))
    where = identity(source.shape)

    def computed(nest: Inner) -> Iterable[Computed]:
        second = nest.load(every._replace(offset=source.offset + step), where) if are_whole else None
        return [Computed(_pair(nest.load(every, where), second), target, where)]

    return computed


def _from(view: View, axis: int, start: int) -> View:
    """The elements of a view from number `start` of an axis on."""
    return View(view.buffer, _with_size(view.shape, axis, view.shape[axis] - start),
                view.offset + start * view.strides[axis], view.strides)


def _halved(shape: Sequence[int], axis: int) -> Shape:
    return _with_size(shape, axis, math.ceil(shape[axis] / 2))


def _with_size(shape: Sequence[int], axis: int, size: int) -> Shape:
    return (*shape[:axis], size, *shape[axis + 1:])


def _pair(first: Expression, second: Expression | None) -> Expression:
    """The pair of two numbers of bfloat16; 0 is the second where there is none."""
    bits = [Apply(ops.BITCAST, (Apply(ops.CAST, (x,), (("dtype", float32),), float32),), (("dtype", uint32),), uint32)
            for x in (first, second) if x is not None]
    below = Apply(ops.SHIFT_RIGHT, (bits[0], Constant(16, uint32)), (), uint32)
    return Apply(ops.OR, (below, bits[1]), (), uint32) if second is not None else below
