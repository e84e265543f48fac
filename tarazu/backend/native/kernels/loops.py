"""What the kernels of nests share: their signature, the axis of vectors, and how kept axes are divided into items."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tarazu.backend.native.kernels.expression import Point, Writer
from tarazu.backend.native.kernels.kernel import Kernel, spans_along
from tarazu.backend.native.llvm.function import BRIEF, Function, Module
from tarazu.backend.native.llvm.values import Index, Value
from tarazu.backend.native.lowering.costs import estimate
from tarazu.backend.native.lowering.loop_nest import (
    Access,
    Apply,
    Expression,
    Nest,
    Position,
    Store,
    Triangle,
    accesses,
    walk,
)
from tarazu.ir import op as ops

BRIEF_NEST = 5.0  # nanoseconds: of a few numbers
LEAST_BRIEF = 4  # bytes of these
FEW_ITEMS = 8  # where the first axis has so many indices, it alone is divided among threads

AxisIndices = dict[int, Index]  # the index along some axes of a nest


def kernel_function(module: Module, name: str, nest: Nest) -> tuple[Function, list[Value]]:
    """A function with the signature of kernels, and the pointers of its buffers."""
    every = accesses(nest)
    count = 1 + max(access.buffer for access in every)
    # LLVM 22 ends the process on some masked vectors of 8 or 16 bits an element that it does not optimize
    is_brief = estimate(nest) <= BRIEF_NEST and all(access.dtype.itemsize >= LEAST_BRIEF for access in every)
    function = module.function(name, [("ptr", "frame"), *(("ptr", f"b{i}") for i in range(count)), ("i64", "begin"),
                                      ("i64", "end")], attributes=BRIEF if is_brief else "noinline")
    return function, [function.parameters[f"b{i}"] for i in range(count)]


def vector_axis(nest: Nest, axes: Sequence[int], weighed: Sequence[tuple[Access, int]]) -> int | None:
    """The one of `axes` that is contiguous for most of the accesses, which have weights; None for no axes."""
    def score(axis: int) -> tuple[float, int]:
        total = 0.0
        for access, weight in weighed:
            stride = access.strides[axis] if axis < len(access.strides) else 0
            total += weight * (1 if stride == 1 else 0 if stride == 0 else -1)
        return total * min(nest.sizes[axis], 16), axis

    return max(axes, key=score) if axes else None


def lanes_along(writer: Writer, nest: Nest, axis: int | None) -> int:
    """The lanes of vectors along an axis; 0 where elements are computed one by one."""
    return writer.target.lanes if axis is not None and nest.sizes[axis] > 1 else 0


class ReducedLoop(NamedTuple):
    """A loop over a reduced axis of a product: its length, and how far each factor moves in an iteration, in bytes."""

    length: int
    left: int
    right: int


class Division(NamedTuple):
    """How the kept axes are divided: `outer` ones make up the items, `inner` ones are loops inside an item."""

    outer: tuple[int, ...]
    inner: tuple[int, ...]
    items: int
    given: bool = False  # whether the nest says which axes make up the items

    @property
    def rows(self) -> int:
        """The number of items where they are the indices of the first axis; else 0."""
        return self.items if self.outer == (0,) or self.given else 0


def division(nest: Nest, without: int | None) -> Division:
    """The axes that the nest says as items, else the leading kept axes, as many as it takes to have a few items;
    without the axis of vectors."""
    if nest.outer:
        given = range(nest.outer)
        inner = tuple([axis for axis in range(nest.outer, nest.kept) if axis != without])
        return Division(tuple(given), inner, math.prod(nest.sizes[axis] for axis in given), given=True)
    axes = [axis for axis in range(nest.kept) if axis != without]
    taken, items = 0, 1
    while taken < len(axes) and items < FEW_ITEMS:
        items *= nest.sizes[axes[taken]]
        taken += 1
    return Division(tuple(axes[:taken]), tuple(axes[taken:]), items)


def item_indices(function: Function, nest: Nest, axes: Sequence[int], item: Index) -> AxisIndices:
    """The index along each of the axes that make up the items, for item number `item`."""
    indices: AxisIndices = {}
    for axis in reversed(axes[1:]):
        indices[axis] = function.remainder(item, nest.sizes[axis])
        item = function.divide(item, nest.sizes[axis])
    return indices | ({axes[0]: item} if axes else {})


def spans_of(nest: Nest, axis: int | None) -> tuple[int, ...]:
    """The spans of a kernel whose items run first over an axis of the nest, if there is one."""
    return () if axis is None else spans_along(accesses(nest), axis, nest.sizes[axis])


def divided_kernel(name: str, nest: Nest, divided: Division) -> Kernel:
    """The kernel of that name of a nest that is divided so."""
    return Kernel(name, divided.items, rows=divided.rows, spans=spans_of(nest, next(iter(divided.outer), None)))


def point_at(nest: Nest, indices: AxisIndices, axis: int | None = None, lanes: int = 0,
             mask: Value | None = None) -> Point:
    """The point of a nest at some indices, 0 along the other axes, with lanes along `axis`."""
    return Point(tuple(indices.get(i, 0) for i in range(len(nest.sizes))), axis, lanes, mask)


@contextlib.contextmanager
def nested_loops(function: Function, nest: Nest, axes: Sequence[int], indices: AxisIndices) -> Iterator[AxisIndices]:
    """Loops over `axes`, the first outermost; gives the indices inside."""
    with contextlib.ExitStack() as stack:
        inside = dict(indices)
        for axis in axes:
            inside[axis] = stack.enter_context(function.loop(0, nest.sizes[axis])).index
        yield inside


def end_of_triangle(function: Function, nest: Nest, axis: int, step: int, indices: AxisIndices,
                    fewest: int = 1) -> Index:
    """Where to stop along an axis, after whole steps that fit its size: behind the last one with `fewest` elements up
    to the diagonal, where the axis has the columns of the nest's triangle and the row is known."""
    whole = nest.sizes[axis] // step * step
    if nest.triangle is None or nest.triangle.column != axis or nest.triangle.row not in indices or not whole:
        return whole
    row, block = indices[nest.triangle.row], nest.triangle.block
    if block is not None:
        row = function.add(row, function.multiply(indices[block], nest.sizes[nest.triangle.row]))
    row = function.add(function.multiply(row, nest.triangle.rows), nest.triangle.rows - 1)
    row = function.divide(row, nest.triangle.columns)
    steps = function.divide(function.add(row, step - fewest + 1), step)
    return function.minimum(function.multiply(steps, step), whole)


def start_of_triangle(function: Function, nest: Nest, axis: int, step: int, indices: AxisIndices) -> Index:
    """Where to start along an axis, a number of whole steps: in front of the first element on the diagonal or below,
    where the axis has the rows of the nest's triangle and the column is known."""
    return _steps_to_column(function, nest, axis, step, indices, step - 1)


def below_triangle(function: Function, nest: Nest, axis: int, step: int, indices: AxisIndices) -> tuple[Index, Index]:
    """The whole steps along an axis in which every element is on the diagonal of the nest's triangle or below."""
    whole = nest.sizes[axis] // step * step
    if nest.triangle is None or not whole:
        return 0, 0
    if nest.triangle.row == axis and nest.triangle.column in indices:
        return _steps_to_column(function, nest, axis, step, indices, 0), whole
    if nest.triangle.column == axis and nest.triangle.row in indices:
        return 0, end_of_triangle(function, nest, axis, step, indices, step)
    return 0, 0


def _steps_to_column(function: Function, nest: Nest, axis: int, step: int, indices: AxisIndices, before: int) -> Index:
    """The least number of whole steps along an axis of rows that leaves at most `before` rows below the column."""
    whole = nest.sizes[axis] // step * step
    if nest.triangle is None or nest.triangle.row != axis or nest.triangle.column not in indices or not whole:
        return 0
    column, block = function.multiply(indices[nest.triangle.column], nest.triangle.columns), nest.triangle.block
    column = function.divide(column, nest.triangle.rows)
    if block is not None:
        first = function.multiply(indices[block], nest.sizes[axis])
        column = function.maximum(function.subtract(column, first), 0)
    steps = function.divide(function.add(column, step - 1 - before), step)
    return function.minimum(function.multiply(steps, step), whole)


def stores_below(stores: Sequence[Store], triangle: Triangle | None, sizes: Sequence[int]) -> Sequence[Store]:
    """What stores store where the column of a triangle is at most the row: without choices by that; `stores` itself if
    there are none."""
    if triangle is None or triangle.rows > 1 or triangle.columns > 1:
        return stores
    chosen: dict[int, Expression] = {}
    for x in walk(*[store.value for store in stores]):
        chosen[id(x)] = x
        if isinstance(x, Apply):
            inputs = tuple([chosen[id(part)] for part in x.inputs])
            is_choice = x.op is ops.WHERE and _is_below(x.inputs[0], triangle, sizes)
            same = all(new is old for new, old in zip(inputs, x.inputs, strict=True))
            chosen[id(x)] = inputs[1] if is_choice else x if same else x._replace(inputs=inputs)
    if all(chosen[id(store.value)] is store.value for store in stores):
        return stores
    return [store._replace(value=chosen[id(store.value)]) for store in stores]


def _is_below(x: Expression, triangle: Triangle, sizes: Sequence[int]) -> bool:
    """Whether an expression says that the column of a triangle is at most the row."""
    if not isinstance(x, Apply) or x.op is not ops.LESS_EQUAL:
        return False
    rows = {triangle.row: 1} | ({} if triangle.block is None else {triangle.block: sizes[triangle.row]})
    return all(isinstance(one, Position) and not one.offset and {a: s for a, s in enumerate(one.strides) if s} == own
               for one, own in zip(x.inputs, ({triangle.column: 1}, rows), strict=True))
