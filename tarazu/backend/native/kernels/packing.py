"""Packing: copies of panels of the right factor of a contraction into scratch memory, each row contiguous.

Where the numbers of a column are contiguous, square blocks are transposed in registers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tarazu.backend.native.llvm.function import Function, Module
from tarazu.backend.native.llvm.target import CACHE_LINE
from tarazu.backend.native.llvm.values import Index, Value, constants, vector


def transposed(function: Function, rows: Sequence[Value], item: int) -> list[Value]:
    """The columns of a square block, given its rows as vectors of numbers of `item` bytes.

    The numbers inside parts of 128 bits are transposed first, then those parts, by shuffles that are one instruction
    each on x86.
    """
    lanes, inner = len(rows), min(16 // item, len(rows))
    blocks = list(rows)
    grain = 1
    while grain < inner:
        blocks = _interleaved(function, blocks, grain, inner)
        grain *= 2
    columns: list[Value] = [*rows]
    for start in range(inner):
        columns[start::inner] = _with_parts_transposed(function, blocks[start::inner], inner)
    assert len(columns) == lanes
    return columns


def _interleaved(function: Function, rows: list[Value], grain: int, inner: int) -> list[Value]:
    """Pairs of rows `grain` apart: the lower halves of each 128 bits interleaved, and the upper halves."""
    lanes, half = len(rows), inner // 2
    lower = [block + part * lanes + start + each for block in range(0, lanes, inner) for start in range(0, half, grain)
             for part in range(2) for each in range(grain)]
    upper = [lane + half for lane in lower]
    result: list[Value] = []
    for group in range(0, lanes, 2 * grain):
        for first in range(group, group + grain):
            pair = rows[first], rows[first + grain]
            result += [function.shuffle(*pair, lower), function.shuffle(*pair, upper)]
    return result


def _with_parts_transposed(function: Function, rows: list[Value], inner: int) -> list[Value]:
    """The transpose of a square whose elements are parts of `inner` numbers."""
    if len(rows) == 1:
        return rows
    count = rows[0].lanes // inner
    even = [block * inner + each for block in range(0, 2 * count, 2) for each in range(inner)]
    odd = [lane + inner for lane in even]
    pairs = list(zip(rows[::2], rows[1::2], strict=True))
    evens = _with_parts_transposed(function, [function.shuffle(*pair, even) for pair in pairs], inner)
    odds = _with_parts_transposed(function, [function.shuffle(*pair, odd) for pair in pairs], inner)
    return [column for both in zip(evens, odds, strict=True) for column in both]


class Panel(NamedTuple):
    """What is copied: rows, along several axes, of `width` vectors of columns each; strides in bytes."""

    element: str
    item: int
    lanes: int
    width: int  # vectors
    partial: bool  # whether there are panels with fewer columns
    column_stride: int
    rows: tuple[tuple[int, int], ...]  # length and stride of each row axis; the first may be cut at run time

    @property
    def row_bytes(self) -> int:
        """The size of a row in the copy."""
        return self.width * self.lanes * self.item

    @property
    def steps(self) -> tuple[int, ...]:
        """The stride of each row axis in the copy."""
        return tuple(math.prod(size for size, _ in self.rows[axis + 1:]) * self.row_bytes
                     for axis in range(len(self.rows)))

    @property
    def contiguous_axis(self) -> int | None:
        """The row axis along which numbers are contiguous, if one is at least a vector long."""
        return next((axis for axis, (size, stride) in enumerate(self.rows)
                     if stride == self.item and size >= self.lanes), None)


def pack(module: Module, name: str, panel: Panel) -> str:
    """The name of a function `void name(ptr from, ptr to, i64 columns, i64 rows, i64 stride)` that copies one panel to
    `to`, whose columns are `stride` bytes apart. So panels share it that differ in nothing else.

    `rows` is how much of the first row axis is copied: at least a vector where numbers are contiguous along it.
    """
    function = module.function(name, [("ptr", "from"), ("ptr", "to"), ("i64", "columns"), ("i64", "rows"),
                                      ("i64", "stride")], attributes="noinline")
    source, to, columns, rows, _ = function.parameters.values()
    if panel.column_stride == panel.item:
        _copy_rows(function, panel, source, to, columns, rows)
    elif panel.contiguous_axis is not None:
        _copy_blocks(function, panel, source, to, columns, rows, panel.contiguous_axis)
    else:
        _copy_numbers(function, panel, source, to, columns, rows)
    function.ret()
    return module.shared(function)


def _copy_rows(function: Function, panel: Panel, source: Value, to: Value, columns: Value, rows: Value) -> None:
    """Vector by vector, where the numbers of a row are contiguous."""
    type_ = vector(panel.element, panel.lanes)
    masks: list[Value | None] = [None] * panel.width
    if panel.partial:
        count = function.splat(function.emit("i32", f"trunc i64 {columns.text} to i32"), panel.lanes)
        masks = [function.compare("icmp slt", constants("i32", range(start, start + panel.lanes)), count)
                 for start in range(0, panel.width * panel.lanes, panel.lanes)]

    ahead = _ahead(panel)

    def copy_row(shift: Index, to: Value) -> None:
        for number, mask in enumerate(masks):
            offset = number * panel.lanes * panel.item
            value = function.load(type_, function.offset(source, function.add(shift, offset)), panel.item, mask)
            function.store(value, function.offset(to, offset), panel.item)
        for offset in ahead:
            function.prefetch(function.offset(source, function.add(shift, offset)), write=False)

    _over_rows(function, panel, range(len(panel.rows)), rows, 0, to, copy_row)


def _ahead(panel: Panel) -> range:
    """Where the cache lines lie, in bytes from a row of numbers, that the same row of the next panel needs; none where
    rows follow each other closely, which processors notice themselves."""
    lines = math.ceil(panel.row_bytes / CACHE_LINE)
    return range(lines * CACHE_LINE, 2 * lines * CACHE_LINE, CACHE_LINE) \
        if min(abs(stride) for _, stride in panel.rows) > 2 * CACHE_LINE else range(0)


def _copy_blocks(function: Function, panel: Panel, source: Value, to: Value, columns: Value, rows: Value,
                 axis: int) -> None:
    """By square blocks, where numbers are contiguous along a row axis. The last block overlaps the one before; missing
    columns repeat the last one."""
    lanes, type_ = panel.lanes, vector(panel.element, panel.lanes)
    length: Index = rows if axis == 0 else panel.rows[axis][0]
    step = panel.steps[axis]
    others = [other for other in range(len(panel.rows)) if other != axis]
    with function.loop(0, panel.width) as column:
        first = function.multiply(column.index, lanes)
        starts = [_column_start(function, panel, source, columns, first, lane) for lane in range(lanes)]

        def copy_blocks(shift: Index, to: Value) -> None:
            with function.loop(0, length, lanes) as block:
                start = function.minimum(block.index, function.subtract(length, lanes))
                offset = function.add(shift, function.multiply(start, panel.item))
                loaded = [function.load(type_, function.offset(column, offset), panel.item) for column in starts]
                target = function.offset(to, function.multiply(start, step))
                for index, value in enumerate(transposed(function, loaded, panel.item)):
                    function.store(value, function.offset(target, index * step), panel.item)

        first_of_copy = function.offset(to, function.multiply(first, panel.item))
        _over_rows(function, panel, others, rows, 0, first_of_copy, copy_blocks)


def _column_start(function: Function, panel: Panel, source: Value, columns: Value, first: Index, lane: int) -> Value:
    """Where a column starts, or the last one for columns that do not exist."""
    index = function.add(first, lane)
    if panel.partial:
        index = function.minimum(index, function.subtract(columns, 1))
    return function.offset(source, function.multiply(index, function.parameters["stride"]))


def _copy_numbers(function: Function, panel: Panel, source: Value, to: Value, columns: Value, rows: Value) -> None:
    """Number by number, where nothing is contiguous."""
    def copy_row(shift: Index, to: Value) -> None:
        with function.loop(0, columns) as column:
            offset = function.add(shift, function.multiply(column.index, function.parameters["stride"]))
            value = function.load(panel.element, function.offset(source, offset), panel.item)
            function.store(value, function.offset(to, function.multiply(column.index, panel.item)), panel.item)

    _over_rows(function, panel, range(len(panel.rows)), rows, 0, to, copy_row)


def _over_rows(function: Function, panel: Panel, axes: Sequence[int], rows: Index, shift: Index, to: Value,
               body: Callable[[Index, Value], None]) -> None:
    """`body` for all indices of some row axes, with the offset in the source and the pointer into the copy."""
    if not axes:
        body(shift, to)
        return
    axis = axes[0]
    length: Index = rows if axis == 0 else panel.rows[axis][0]
    with function.loop(0, length) as loop:
        moved = function.add(shift, function.multiply(loop.index, panel.rows[axis][1]))
        target = function.offset(to, function.multiply(loop.index, panel.steps[axis]))
        _over_rows(function, panel, axes[1:], rows, moved, target, body)
