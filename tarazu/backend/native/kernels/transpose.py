"""Copies of a column panel of a matrix into scratch memory, row by row, transposed in registers where need be."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tarazu.backend.native.llvm.function import Function, Module
from tarazu.backend.native.llvm.values import Index, Value, constants, vector


def transposed(function: Function, rows: Sequence[Value], item: int) -> list[Value]:
    """The columns of a square block, given its rows as vectors of numbers of `item` bytes.

    First inside blocks of 128 bits, then the blocks: the shuffles that x86 does in one instruction each.
    """
    lanes, inner = len(rows), min(16 // item, len(rows))
    blocks = list(rows)
    grain = 1
    while grain < inner:
        blocks = _interleaved(function, blocks, grain, inner)
        grain *= 2
    columns: list[Value] = [*rows]
    for place in range(inner):
        columns[place::inner] = _exchanged(function, blocks[place::inner], inner)
    assert len(columns) == lanes
    return columns


def _interleaved(function: Function, rows: list[Value], grain: int, inner: int) -> list[Value]:
    """Rows `grain` apart, their lower halves of each 128 bits interleaved and then their upper halves."""
    lanes, half = len(rows), inner // 2
    lower = [block + part * lanes + start + each for block in range(0, lanes, inner) for start in range(0, half, grain)
             for part in range(2) for each in range(grain)]
    upper = [place + half for place in lower]
    result: list[Value] = []
    for group in range(0, lanes, 2 * grain):
        for first in range(group, group + grain):
            pair = rows[first], rows[first + grain]
            result += [function.shuffle(*pair, lower), function.shuffle(*pair, upper)]
    return result


def _exchanged(function: Function, rows: list[Value], inner: int) -> list[Value]:
    """The transpose of a square of blocks of `inner` numbers."""
    if len(rows) == 1:
        return rows
    count = rows[0].lanes // inner
    even = [block * inner + each for block in range(0, 2 * count, 2) for each in range(inner)]
    odd = [place + inner for place in even]
    pairs = list(zip(rows[::2], rows[1::2], strict=True))
    evens = _exchanged(function, [function.shuffle(*pair, even) for pair in pairs], inner)
    odds = _exchanged(function, [function.shuffle(*pair, odd) for pair in pairs], inner)
    return [column for both in zip(evens, odds, strict=True) for column in both]


class Panel(NamedTuple):
    """What is copied: a matrix of several row axes by `width` vectors of columns; strides in bytes."""

    element: str
    item: int
    lanes: int
    width: int  # vectors
    partial: bool  # whether there are panels with fewer columns
    column_stride: int
    rows: tuple[tuple[int, int], ...]  # length and stride of each row axis; the first may be cut at run time

    @property
    def row_bytes(self) -> int:
        return self.width * self.lanes * self.item

    @property
    def steps(self) -> tuple[int, ...]:
        """The stride of each row axis in the copy."""
        return tuple(math.prod(size for size, _ in self.rows[axis + 1:]) * self.row_bytes
                     for axis in range(len(self.rows)))

    @property
    def line(self) -> int | None:
        """The row axis along which numbers lie side by side."""
        return next((axis for axis, (size, stride) in enumerate(self.rows)
                     if stride == self.item and size >= self.lanes), None)


def pack(module: Module, name: str, panel: Panel) -> str:
    """A function `void name(ptr from, ptr to, i64 columns, i64 rows)` that copies one panel to `to`.

    `rows` is how much of the first row axis is copied; at least a vector when numbers lie side by side along it.
    """
    function = module.function(name, [("ptr", "from"), ("ptr", "to"), ("i64", "columns"), ("i64", "rows")],
                               attributes="noinline")
    source, to, columns, rows = function.parameters.values()
    if panel.column_stride == panel.item:
        _copy_rows(function, panel, source, to, columns, rows)
    elif panel.line is not None:
        _copy_blocks(function, panel, source, to, columns, rows, panel.line)
    else:
        _copy_numbers(function, panel, source, to, columns, rows)
    function.ret()
    return name


def _copy_rows(function: Function, panel: Panel, source: Value, to: Value, columns: Value, rows: Value) -> None:
    type_ = vector(panel.element, panel.lanes)
    masks: list[Value | None] = [None] * panel.width
    if panel.partial:
        count = function.splat(columns, panel.lanes)
        masks = [function.compare("icmp slt", constants("i64", range(start, start + panel.lanes)), count)
                 for start in range(0, panel.width * panel.lanes, panel.lanes)]

    def row(shift: Index, to: Value) -> None:
        for place, mask in enumerate(masks):
            there = place * panel.lanes * panel.item
            value = function.load(type_, function.offset(source, function.add(shift, there)), panel.item, mask)
            function.store(value, function.offset(to, there), panel.item)

    _over(function, panel, range(len(panel.rows)), rows, 0, to, row)


def _copy_blocks(function: Function, panel: Panel, source: Value, to: Value, columns: Value, rows: Value,
                 line: int) -> None:
    """Square blocks; the last one along the line overlaps the one before, missing columns repeat the last one."""
    lanes, type_ = panel.lanes, vector(panel.element, panel.lanes)
    length: Index = rows if line == 0 else panel.rows[line][0]
    step = panel.steps[line]
    others = [axis for axis in range(len(panel.rows)) if axis != line]
    with function.loop(0, panel.width) as column:
        first = function.multiply(column.index, lanes)
        starts = [_column(function, panel, source, columns, first, lane) for lane in range(lanes)]

        def blocks(shift: Index, to: Value) -> None:
            with function.loop(0, length, lanes) as block:
                start = function.minimum(block.index, function.subtract(length, lanes))
                there = function.add(shift, function.multiply(start, panel.item))
                found = [function.load(type_, function.offset(one, there), panel.item) for one in starts]
                place = function.offset(to, function.multiply(start, step))
                for index, value in enumerate(transposed(function, found, panel.item)):
                    function.store(value, function.offset(place, index * step), panel.item)

        _over(function, panel, others, rows, 0, function.offset(to, function.multiply(first, panel.item)), blocks)


def _column(function: Function, panel: Panel, source: Value, columns: Value, first: Index, lane: int) -> Value:
    """Where a column starts; the last one for those beyond it."""
    index = function.add(first, lane)
    if panel.partial:
        index = function.minimum(index, function.subtract(columns, 1))
    return function.offset(source, function.multiply(index, panel.column_stride))


def _copy_numbers(function: Function, panel: Panel, source: Value, to: Value, columns: Value, rows: Value) -> None:
    def row(shift: Index, to: Value) -> None:
        with function.loop(0, columns) as column:
            there = function.add(shift, function.multiply(column.index, panel.column_stride))
            value = function.load(panel.element, function.offset(source, there), panel.item)
            function.store(value, function.offset(to, function.multiply(column.index, panel.item)), panel.item)

    _over(function, panel, range(len(panel.rows)), rows, 0, to, row)


def _over(function: Function, panel: Panel, axes: Sequence[int], rows: Index, shift: Index, to: Value,
          body: Callable[[Index, Value], None]) -> None:
    """`body` for each place of some row axes, with how far it lies in the source and where it goes."""
    if not axes:
        body(shift, to)
        return
    axis = axes[0]
    length: Index = rows if axis == 0 else panel.rows[axis][0]
    with function.loop(0, length) as loop:
        _over(function, panel, axes[1:], rows, function.add(shift, function.multiply(loop.index, panel.rows[axis][1])),
              function.offset(to, function.multiply(loop.index, panel.steps[axis])), body)
