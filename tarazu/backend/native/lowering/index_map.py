"""Index maps: which element of a value belongs to the loop indices of a nest, as an affine index for each axis.

A view primitive (reshape, transpose, broadcast, slice, flip) is no loop of its own: it changes the index map at which
its input is read, or the strides of the view that its input has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tarazu.backend.native.lowering.buffers import View, matched_axes
from tarazu.backend.native.lowering.loop_nest import Access
from tarazu.base.dtypes import DType
from tarazu.ir import op as ops
from tarazu.ir.node import Node
from tarazu.ir.types import Shape


class AffineIndex(NamedTuple):
    """An index along one axis of a value: offset + sum(i * coefficients) over the axes of a nest."""

    offset: int
    coefficients: tuple[int, ...]

    def scaled(self, factor: int, shift: int = 0) -> AffineIndex:
        """`factor` times the index, plus `shift`."""
        return AffineIndex(self.offset * factor + shift, tuple([c * factor for c in self.coefficients]))

    def plus(self, other: AffineIndex) -> AffineIndex:
        """The sum of both."""
        return AffineIndex(self.offset + other.offset,
                           tuple([a + b for a, b in zip(self.coefficients, other.coefficients, strict=True)]))

    @property
    def axis(self) -> int | None:
        """The axis of the nest whose index this is; None where it is another expression."""
        moving = [i for i, c in enumerate(self.coefficients) if c]
        return moving[0] if len(moving) == 1 and not self.offset and self.coefficients[moving[0]] == 1 else None


IndexMap = tuple[AffineIndex, ...]  # one per axis of a value


def zero(rank: int) -> AffineIndex:
    """The index 0 in a nest of so many axes."""
    return AffineIndex(0, (0,) * rank)


def unit(axis: int, rank: int) -> AffineIndex:
    """The index of one axis of the nest."""
    return AffineIndex(0, tuple([int(i == axis) for i in range(rank)]))


def identity(shape: Shape) -> IndexMap:
    """A nest over the axes of the value itself."""
    return tuple([unit(axis, len(shape)) if n != 1 else zero(len(shape)) for axis, n in enumerate(shape)])


def access(view: View, index_map: IndexMap, rank: int, dtype: DType) -> Access:
    """The elements of `view` at `index_map`; the buffer is numbered later, here it is 0."""
    offset, coefficients = view.offset, [0] * rank
    for index, stride, size in zip(index_map, view.strides, view.shape, strict=True):
        if size != 1:
            offset += index.offset * stride
            for axis, coefficient in enumerate(index.coefficients):
                if coefficient:
                    coefficients[axis] += coefficient * stride
    return Access(0, dtype, offset, tuple(coefficients))


def broadcast_map(index_map: IndexMap, outer: Shape, inner: Shape, rank: int) -> IndexMap:
    """The index map of a value of shape `inner` that is broadcast to `outer`, aligned at the right."""
    tail = index_map[len(outer) - len(inner):]
    return tuple([zero(rank) if n == 1 else index for index, n in zip(tail, inner, strict=True)])


def reshape_map(index_map: IndexMap, new: Shape, old: Shape, rank: int) -> IndexMap | None:
    """The index map of a value of shape `old` that is read as `new` at `index_map`; None where it is not affine."""
    result = [zero(rank)] * len(old)
    if 0 in new:
        return tuple(result)  # of no elements, any will do
    for first, second in matched_axes(old, new):
        real = [axis for axis in first if old[axis] != 1]
        many = [axis for axis in second if new[axis] != 1]
        if len(real) == len(many) == 0:
            continue
        if len(real) != 1:
            if [old[a] for a in real] != [new[a] for a in many]:
                return None
            for a, b in zip(real, many, strict=True):
                result[a] = index_map[b]
            continue
        total, stride = zero(rank), 1
        for axis in reversed(many):
            total = total.plus(index_map[axis].scaled(stride))
            stride *= new[axis]
        result[real[0]] = total
    return tuple(result)


# View primitives --------------------------------------------------------------------------------------------------

def _reshaped(node: Node, index_map: IndexMap, rank: int) -> IndexMap | None:
    return reshape_map(index_map, node.shape, node.inputs[0].shape, rank)


def _transposed(node: Node, index_map: IndexMap, rank: int) -> IndexMap:
    result = [zero(rank)] * len(index_map)
    for index, axis in zip(index_map, node.attributes["permutation"], strict=True):
        result[axis] = index
    return tuple(result)


def _broadcast(node: Node, index_map: IndexMap, rank: int) -> IndexMap:
    return broadcast_map(index_map, node.shape, node.inputs[0].shape, rank)


def _sliced(node: Node, index_map: IndexMap, rank: int) -> IndexMap:
    rows = zip(index_map, node.attributes["step"], node.attributes["start"], strict=True)
    return tuple([index.scaled(step, start) for index, step, start in rows])


def _flipped(node: Node, index_map: IndexMap, rank: int) -> IndexMap:
    return tuple([index.scaled(-1, n - 1) if axis in node.attributes["axes"] else index
                  for axis, (index, n) in enumerate(zip(index_map, node.shape, strict=True))])


_INPUT_MAP: dict[ops.Op | str, Callable[[Node, IndexMap, int], IndexMap | None]] = {
    ops.RESHAPE: _reshaped, ops.TRANSPOSE: _transposed, ops.BROADCAST: _broadcast, ops.SLICE: _sliced,
    ops.FLIP: _flipped}
VIEWS = frozenset(_INPUT_MAP)


def input_map(node: Node, index_map: IndexMap, rank: int) -> IndexMap | None:
    """Where a view primitive that is read at `index_map` reads its input; None where that is not affine."""
    return _INPUT_MAP[node.op](node, index_map, rank)


def view_through(view: View, node: Node) -> View | None:
    """The memory of a view primitive whose input lies in `view`; None where no strides give it."""
    if node.op is ops.RESHAPE:
        return view.reshape(node.shape)
    rank = len(node.shape)
    index_map = input_map(node, tuple([unit(axis, rank) for axis in range(rank)]), rank)
    assert index_map is not None  # those of all view primitives but reshape are affine
    total = AffineIndex(view.offset, (0,) * rank)
    for index, stride in zip(index_map, view.strides, strict=True):
        total = total.plus(index.scaled(stride))
    return View(view.buffer, node.shape, total.offset, total.coefficients)
