"""Triangles: nests over rows and columns of which only elements up to the diagonal count, as causal attention has them.

A comparison of positions is False above the diagonal; what is chosen by it and what is computed from that is a known
number there. Where that is what a sum or maximum starts with, or 0, kernels leave those elements out. A product whose
result is read by such nests alone need not be computed above the diagonal either. Two numbers in a pair count where one
of them does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tarazu.backend.native.lowering.buffers import Buffer
from tarazu.backend.native.lowering.loop_nest import (
    Access,
    Apply,
    Constant,
    Expression,
    Load,
    Nest,
    Position,
    Triangle,
    expressions,
    loads,
    walk,
)
from tarazu.backend.native.lowering.steps import CONTROL_FLOW, NestLaunch, Operand, Step, every, map_inner, touched
from tarazu.ir import op as ops

NEUTRAL = {ops.SUM: 0.0, ops.MAX: -math.inf}  # what these reductions start with
ZERO_OF_ZERO = frozenset({ops.DIV, ops.CAST, ops.STOP_GRADIENT, ops.NEG, ops.BITCAST, ops.SHIFT_LEFT,
                          ops.SHIFT_RIGHT})  # of a first input that is 0 they give 0


class _Known(NamedTuple):
    """A buffer of matrices, contiguous and one after the other, that hold one number above their diagonals."""

    above: float
    rows: int
    columns: int
    each_row: int = 1  # how many rows of what was compared each row stands for
    each_column: int = 1

    def triangle(self, access: Access, sizes: Sequence[int]) -> Triangle | None:
        """The axes that are rows and columns where a nest accesses the buffer so, or every other of its rows; None
        where no axes are."""
        return self._every(1, access, sizes) or (self._every(2, access, sizes) if self.above == 0 else None)

    def _every(self, step: int, access: Access, sizes: Sequence[int]) -> Triangle | None:
        """The same, of one in `step` rows."""
        starts = [number * self.columns for number in range(step)]
        if access.offset not in starts or self.rows % step or (self.rows, self.columns) == (1, 1):
            return None
        strides = dict(enumerate(access.strides))
        row, column = ([axis for axis, own in strides.items() if own == stride and sizes[axis] == size]
                       for stride, size in ((step * self.columns, self.rows // step), (1, self.columns)))
        if len(row) != 1 or len(column) != 1 or row == column:
            return None
        whole = self.rows * self.columns
        others = [stride for axis, stride in strides.items() if axis not in (*row, *column) and sizes[axis] != 1]
        if any(stride % whole for stride in others):
            return None
        return Triangle(row[0], column[0], rows=step * self.each_row, columns=self.each_column)

    def in_pairs(self) -> _Known | None:
        """The same buffer as pairs of neighbors in its rows; None where there are no such or they are not 0."""
        if self.above or self.columns % 2 or self.each_column > 1:
            return None
        return self._replace(columns=self.columns // 2, each_column=2)


def with_triangles(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps, those inside loops and branches too, whose nests name the triangle that counts."""
    finder = _Finder(steps)
    return finder.with_products(finder.with_known(steps))


class _Finder:
    """What is known of the buffers of a program."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.known: dict[Buffer, _Known] = {}
        self.counting: set[Buffer] = set()  # that hold 0, 1, 2, ...
        self.writers: dict[Buffer, int] = {}
        self.readers: dict[Buffer, int] = {}
        for step in every(steps):
            for buffer, writes in () if isinstance(step, CONTROL_FLOW) else touched(step):
                count = self.writers if writes else self.readers
                count[buffer] = count.get(buffer, 0) + 1
                if buffer.parent is not None and buffer.parent.dtype is not buffer.dtype:  # its numbers in pairs
                    count[buffer.parent] = count.get(buffer.parent, 0) + 1

    # Nests that know what lies above the diagonal

    def with_known(self, steps: Sequence[Step]) -> tuple[Step, ...]:
        """The steps with the triangles of elementwise nests and reductions."""
        return tuple([self._with_known(step) for step in steps])

    def _with_known(self, step: Step) -> Step:
        if isinstance(step, CONTROL_FLOW):
            return map_inner(step, self.with_known)
        if not isinstance(step, NestLaunch):
            return step
        triangle = next(filter(None, [self._counts(step, each) for each in self._candidates(step)]), None)
        self._note(step)
        return step if triangle is None else step._replace(nest=step.nest._replace(triangle=triangle))

    def _candidates(self, launch: NestLaunch) -> list[Triangle]:
        """The pairs of axes that may be rows and columns of a triangle."""
        nest, found = launch.nest, []
        for part in walk(*expressions(nest)):
            if isinstance(part, Load) and (known := self._known_of(launch.operands[part.access.buffer].buffer)):
                found.append(known.triangle(part.access, nest.sizes))
            elif isinstance(part, Apply) and part.op is ops.LESS_EQUAL:
                column, row = (self._position(launch.operands, x) for x in part.inputs)
                found.append(None if row is None or column is None else Triangle(row, column))
        return list(dict.fromkeys(filter(None, found)))

    def _counts(self, launch: NestLaunch, triangle: Triangle) -> Triangle | None:
        """The triangle, if what lies above it does not count in this nest."""
        nest = launch.nest
        if nest.reductions and max(triangle.axes) >= nest.kept:
            whole = [r.op in NEUTRAL and self._above(launch, r.value, triangle) == NEUTRAL[r.op]
                     for r in nest.reductions]
            return triangle if all(whole) else None
        above = [self._above(launch, store.value, triangle) for store in nest.stores]
        for store, value in zip(nest.stores, above, strict=True):
            buffer, sizes = launch.operands[store.access.buffer].buffer, [nest.sizes[axis] for axis in triangle.axes]
            known = None if value is None else _Known(value, sizes[0], sizes[1], triangle.rows, triangle.columns)
            if known and self.writers[buffer] == 1 and known.triangle(store.access, nest.sizes) == triangle:
                self.known[buffer] = known
        if not nest.reductions:
            return triangle if all(value == 0 for value in above) else None
        numbers = tuple([value for value in above if value is not None])
        return triangle._replace(above=numbers) if len(numbers) == len(above) else None

    def _known_of(self, buffer: Buffer) -> _Known | None:
        """What is known of a buffer, or of the one whose numbers it shows in pairs."""
        if buffer in self.known or buffer.parent is None or buffer.parent.dtype is buffer.dtype:
            return self.known.get(buffer)
        whole = self.known.get(buffer.parent)
        return None if whole is None else whole.in_pairs()

    def _note(self, launch: NestLaunch) -> None:
        """Remember a buffer that holds 0, 1, 2, ..."""
        if len(launch.nest.stores) == 1 and not launch.nest.reductions:
            (value, access), = launch.nest.stores
            buffer = launch.operands[access.buffer].buffer
            if (isinstance(value, Position) and not (value.offset or access.offset) and self.writers[buffer] == 1
                    and value.strides == access.strides and buffer.size == math.prod(launch.nest.sizes)):
                self.counting.add(buffer)

    def _position(self, operands: Sequence[Operand], x: Expression) -> int | None:
        """The axis whose index an expression is."""
        if isinstance(x, Load) and operands[x.access.buffer].buffer in self.counting:
            offset, strides = x.access.offset, x.access.strides
        elif isinstance(x, Position):
            offset, strides = x.offset, x.strides
        else:
            return None
        axes = [axis for axis, stride in enumerate(strides) if stride]
        return axes[0] if not offset and len(axes) == 1 and strides[axes[0]] == 1 else None

    def _above(self, launch: NestLaunch, value: Expression, triangle: Triangle) -> float | None:
        """The number that an expression is above the diagonal, if it is known. Products of 0 count as 0, as those of
        numbers do."""
        found: dict[int, float | None] = {}
        for x in walk(value):
            found[id(x)] = None
            if isinstance(x, Constant):
                found[id(x)] = x.value
            elif isinstance(x, Load):
                known = self._known_of(launch.operands[x.access.buffer].buffer)
                if known is not None and known.triangle(x.access, launch.nest.sizes) == triangle:
                    found[id(x)] = known.above
            elif isinstance(x, Apply):
                positions = [self._position(launch.operands, part) for part in x.inputs]
                is_mask = (x.op is ops.LESS_EQUAL and positions == [triangle.column, triangle.row]
                           and triangle.rows == triangle.columns == 1)
                found[id(x)] = 0.0 if is_mask else _result(x, [found[id(part)] for part in x.inputs])
        return found[id(value)]

    # Products that nests with triangles read

    def with_products(self, steps: Sequence[Step]) -> tuple[Step, ...]:
        """The steps with the triangles of products whose results only nests with triangles read."""
        result = list(steps)
        for i, step in enumerate(steps):
            if isinstance(step, CONTROL_FLOW):
                result[i] = map_inner(step, self.with_products)
            elif isinstance(step, NestLaunch) and step.title == ops.DOT.name and step.nest.triangle is None:
                result[i] = step._replace(nest=step.nest._replace(triangle=self._of_product(step, steps[i:])))
        return tuple(result)

    def _of_product(self, launch: NestLaunch, following: Sequence[Step]) -> Triangle | None:
        """The triangle of a product of which the only thing stored is read by nests with triangles alone."""
        (buffer,) = [operand.buffer for i, operand in enumerate(launch.operands) if i in launch.writes][:1]
        if len(launch.writes) != 1 or len(launch.nest.stores) != 1 or buffer.storage not in ("arena", "alias"):
            return None
        if self.writers[buffer] != 1 or buffer.root.storage != "arena":
            return None
        sizes: set[tuple[int, int] | None] = set()
        readers = [step for step in following if isinstance(step, NestLaunch) and any(
            operand.buffer is buffer for i, operand in enumerate(step.operands) if i not in step.writes)]
        if not readers or len(readers) != self.readers.get(buffer, 0):
            return None
        for nest, access in _reads(readers, buffer):
            if nest.triangle is None:
                return None
            rows, columns = (nest.sizes[axis] for axis in nest.triangle.axes)
            is_same = _Known(0, rows, columns).triangle(access, nest.sizes) == nest.triangle._replace(above=())
            sizes.add((rows, columns) if is_same else None)
        shape = sizes.pop()
        if sizes or shape is None:
            return None
        return _Known(0, *shape).triangle(launch.nest.stores[0].access, launch.nest.sizes)


def _reads(launches: Sequence[NestLaunch], buffer: Buffer) -> Iterator[tuple[Nest, Access]]:
    """The accesses by which nests read a buffer."""
    for launch in launches:
        nest = launch.nest
        for access in loads(*expressions(nest)):
            if launch.operands[access.buffer].buffer is buffer:
                yield nest, access


def _result(x: Apply, inputs: Sequence[float | None]) -> float | None:
    """What a primitive gives for inputs some of which are known."""
    if x.op is ops.WHERE:
        _, yes, no = inputs
        return (no if inputs[0] == 0 else None) if yes != no else yes
    if x.op in (ops.MUL, ops.AND):
        return 0.0 if 0 in inputs else None
    if x.op in ZERO_OF_ZERO:
        lowest = inputs[0] == -math.inf and x.op is ops.CAST and x.dtype.is_float
        return inputs[0] if inputs[0] == 0 or lowest else None
    if x.op is ops.EXP:
        return 0.0 if inputs[0] == -math.inf else None
    if x.op in (ops.ADD, ops.SUB, ops.OR):
        if inputs[0] == -math.inf or (x.op is ops.ADD and inputs[1] == -math.inf):
            return -math.inf
        return 0.0 if tuple(inputs) == (0, 0) else None
    return None
