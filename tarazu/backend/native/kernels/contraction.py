"""Kernels for sums of products, matrix products and convolutions alike, made of register tiles."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from tarazu.backend.native.kernels.contraction_choice import (
    COLUMNS,
    ROWS,
    ROWS_FIRST,
    Plan,
    best_plan,
    panels,
    reduced_axes,
)
from tarazu.backend.native.kernels.contraction_form import Form, normal_form
from tarazu.backend.native.kernels.expression import Writer
from tarazu.backend.native.kernels.kernel import Kernel
from tarazu.backend.native.kernels.loops import kernel_function
from tarazu.backend.native.kernels.tile_code import TileCode
from tarazu.backend.native.kernels.transpose import Panel, pack
from tarazu.backend.native.llvm.llvm_text import Index, Module, Value
from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.llvm.types import memory_type
from tarazu.backend.native.lowering.loop_nest import Nest


def contraction(module: Module, target: Target, name: str, nest: Nest, write: Writer,
                threads: int = 2) -> Kernel | None:
    """A kernel for one sum of products of two loads, cut so that it suits so many threads.

    None when the nest is no such sum, when no axis suits vectors, or when plain sums along a line are faster.
    """
    form = normal_form(nest)
    plan = best_plan(form, target, threads) if form else None
    if form is None or plan is None:
        return None
    return _Kernel(module, target, name, nest, form, plan, write).written()


class _Cursor(NamedTuple):
    """A place in all buffers at once."""

    offsets: tuple[Index, ...]  # in bytes: left factor, right factor, slots of the stores
    indices: tuple[Index, ...]  # along the kept axes
    number: Index = 0  # of the tile, among those that keep their sums from block to block


class _Block(NamedTuple):
    """What the tiles of one block of the reduced axes read and keep."""

    right: Value | None  # the packed panel
    rows: Index  # how much of the outermost reduced axis
    flags: tuple[Value, ...]  # whether it is the first and the last block; empty when there is but one


class _Kernel:
    """The loops around the tiles."""

    def __init__(self, module: Module, target: Target, name: str, nest: Nest, form: Form, plan: Plan,
                 write: Writer) -> None:
        self.module, self.name, self.form, self.plan = module, name, form, plan
        layout, tile = plan.layout, plan.tile
        self.accesses = (layout.left, layout.right, *form.slots)
        self.reduced = reduced_axes(form, layout)
        self.count, self.last = panels(form, layout, tile.width, plan.lanes)
        self.free = [axis for axis in layout.rows if axis not in (*tile.whole, tile.cut)]
        self.tiles = math.prod(form.kept[axis] for axis in self.free) * tile.parts
        self.groups = math.prod(form.kept[axis] for axis in layout.others)
        self.function, self.buffers = kernel_function(module, name, nest)
        item = form.dtype.itemsize
        self.panel = Panel(memory_type(form.dtype), item, plan.lanes, tile.width,
                           self.last != tile.width * plan.lanes, layout.right.strides[layout.axis] * item,
                           tuple((form.sizes[axis], layout.right.strides[axis] * item) for axis in self.reduced))
        self.outermost = form.sizes[self.reduced[0]] if self.reduced else 1
        self.length = math.ceil(self.outermost / plan.blocks)
        self.code = TileCode(module, target, name, form, plan, self.reduced, write)
        self.packing = pack(module, f"{name}_pack", self.panel) if plan.packed else ""

    # Memory of the thread: the packed panel, then the sums of all tiles of a panel

    @property
    def panel_bytes(self) -> int:
        rows = math.prod(size for size, _ in self.panel.rows[1:]) * self.length
        return _rounded(rows * self.panel.row_bytes) if self.plan.packed else 0

    @property
    def tile_bytes(self) -> int:
        return _rounded(self.code.most_rows * self.panel.row_bytes) if self.plan.blocks > 1 else 0

    def written(self) -> Kernel:
        """The whole kernel."""
        begin, end = self.function.parameters["begin"], self.function.parameters["end"]
        start = _Cursor(tuple(access.offset * access.dtype.itemsize for access in self.accesses),
                        (0,) * len(self.form.kept))
        if self.plan.order == COLUMNS:
            items = self.groups * self.count
            self._columns(start, begin, end)
        else:
            items = self.groups * self.tiles
            self._rows(start, begin, end)
        self.function.ret()
        step = self._step(items)
        scratch = self.panel_bytes + self.tile_bytes * self.tiles
        return Kernel(self.name, items, scratch, items if step else 0, step or 1, self._told())

    def _told(self) -> str:
        """The plan, for people."""
        plan, packed = self.plan, ", packed" if self.plan.packed else ""
        return (f"tile {self.code.most_rows} x {plan.tile.width * plan.lanes}, panels {self.count}{packed}, "
                f"blocks {plan.blocks}, {plan.order}")

    def _step(self, items: int) -> int:
        """How many indices of the nest's first axis make up an item; 0 where items are something else."""
        by_groups = self.plan.order == COLUMNS and self.plan.layout.others == (0,)
        by_tiles = self.plan.order == ROWS_FIRST and self.plan.tile.cut == 0 and items == self.plan.tile.parts
        whole, rest = divmod(self.form.kept[0], items)
        return whole if self.form.leading and not rest and (by_groups or by_tiles) else 0

    def _columns(self, start: _Cursor, begin: Value, end: Value) -> None:
        """Each item is a panel, with all its rows."""
        with self.function.loop(begin, end) as item:
            place, panel = self._split(item.index, self.count)
            cursor = self._spread(start, self.plan.layout.others, place)
            self._panel(cursor, panel, lambda cursor, block: self._all_rows(cursor, panel, block, self.free))

    def _rows(self, start: _Cursor, begin: Value, end: Value) -> None:
        """Each item is a row of tiles."""
        outer = [*self.plan.layout.others, *self.free]
        if self.plan.order == ROWS:
            with self.function.loop(0, self.count) as panel:
                self._panel(start, panel.index,
                            lambda cursor, block: self._items(cursor, panel.index, block, outer, begin, end))
            return
        with self.function.loop(begin, end) as item:
            place, part = self._split(item.index, self.plan.tile.parts)
            cursor = self._spread(start, outer, place)
            with self.function.loop(0, self.count) as panel:
                self._panel(cursor, panel.index, lambda cursor, block: self._tile(cursor, part, panel.index, block))

    def _panel(self, cursor: _Cursor, panel: Index, body: Callable[[_Cursor, _Block], None]) -> None:
        """`body` for each block of one panel, after the panel has been packed."""
        step = self.plan.tile.width * self.plan.lanes
        cursor = self._moved(cursor, self.plan.layout.axis, self.function.multiply(panel, step))
        if self.plan.blocks == 1:
            body(cursor, self._packed(cursor, panel, _Block(None, self.outermost, ())))
            return
        function = self.function
        with function.loop(0, self.outermost, self.length) as block:
            index = function.index(block.index)
            rows = function.minimum(self.length, function.subtract(self.outermost, index))
            flags = (function.compare("icmp eq", index, Value("0", "i64")),
                     function.compare("icmp sge", index, Value(str(self.outermost - self.length), "i64")))
            moved = self._moved(cursor, self.reduced[0], index)
            body(moved, self._packed(moved, panel, _Block(None, rows, flags)))

    def _packed(self, cursor: _Cursor, panel: Index, block: _Block) -> _Block:
        """The block with its part of the panel copied into the thread's memory, if the plan says so."""
        if not self.plan.packed:
            return block
        function, frame = self.function, self.function.parameters["frame"]
        step = self.plan.tile.width * self.plan.lanes
        left = function.subtract(self.form.kept[self.plan.layout.axis], function.multiply(panel, step))
        function.call("void", self.packing, self._pointer(1, cursor), frame,
                      function.index(function.minimum(left, step)), function.index(block.rows))
        return block._replace(right=frame)

    def _all_rows(self, cursor: _Cursor, panel: Index, block: _Block, axes: Sequence[int]) -> None:
        function = self.function
        if axes:
            with function.loop(0, self.form.kept[axes[0]]) as loop:
                number = function.add(function.multiply(cursor.number, self.form.kept[axes[0]]), loop.index)
                self._all_rows(self._moved(cursor, axes[0], loop.index)._replace(number=number), panel, block, axes[1:])
            return
        with function.loop(0, self.plan.tile.parts) as loop:
            number = function.add(function.multiply(cursor.number, self.plan.tile.parts), loop.index)
            self._tile(cursor._replace(number=number), loop.index, panel, block)

    def _items(self, cursor: _Cursor, panel: Index, block: _Block, outer: Sequence[int], begin: Value,
               end: Value) -> None:
        with self.function.loop(begin, end) as item:
            place, part = self._split(item.index, self.plan.tile.parts)
            self._tile(self._spread(cursor, outer, place)._replace(number=item.index), part, panel, block)

    def _tile(self, cursor: _Cursor, part: Index, panel: Index, block: _Block) -> None:
        """One tile: the variant for its number of rows and columns."""
        cut, (short, longer) = self.plan.tile.cut, self.code.heights
        if cut is not None:
            start = self.function.multiply(part, short)
            if longer:
                start = self.function.add(start, self.function.minimum(part, longer))
            cursor = self._moved(cursor, cut, start)
        arguments = self._arguments(cursor, block)
        whole = self.count - (self.last != self.plan.tile.width * self.plan.lanes)
        for taller in self._cases(part, longer, self.plan.tile.parts):
            for narrow in self._cases(panel, whole, self.count):
                columns = self.plan.tile.width * self.plan.lanes if narrow else self.last
                self.function.call("void", self.code.function(short + taller, columns), *arguments)

    def _cases(self, index: Index, border: int, count: int) -> Iterator[bool]:
        """Whether `index` lies below `border`, as a branch when that is known at run time only."""
        if border in (0, count) or isinstance(index, int):
            yield index < border if isinstance(index, int) else border == count
            return
        limit = Value(str(border), "i64")
        for below, predicate in ((True, "icmp slt"), (False, "icmp sge")):
            with self.function.when(self.function.compare(predicate, index, limit)):
                yield below

    def _arguments(self, cursor: _Cursor, block: _Block) -> list[Value]:
        function = self.function
        result = [self._pointer(0, cursor), block.right or self._pointer(1, cursor)]
        if block.flags:
            place = function.add(function.multiply(cursor.number, self.tile_bytes), self.panel_bytes)
            result += [function.offset(function.parameters["frame"], place), function.index(block.rows), *block.flags]
        result += [self._pointer(2 + slot, cursor) for slot in range(len(self.form.slots))]
        return result + [function.index(index) for index in cursor.indices if self.form.positions]

    # Places

    def _pointer(self, access: int, cursor: _Cursor) -> Value:
        return self.function.offset(self.buffers[self.accesses[access].buffer], cursor.offsets[access])

    def _moved(self, cursor: _Cursor, axis: int, index: Index) -> _Cursor:
        """The place `index` further along an axis."""
        offsets = tuple([self._further(offset, slot, axis, index) for slot, offset in enumerate(cursor.offsets)])
        indices = tuple([self.function.add(old, index) if axis == place and self.form.positions else old
                         for place, old in enumerate(cursor.indices)])
        return cursor._replace(offsets=offsets, indices=indices)

    def _further(self, offset: Index, slot: int, axis: int, index: Index) -> Index:
        """An offset of a cursor that has moved; those of stores stand still where the stores know their place."""
        access = self.accesses[slot]
        if axis >= len(access.strides) or (slot >= 2 and self.form.positions):
            return offset
        return self.function.add(offset, self.function.multiply(index, access.strides[axis] * access.dtype.itemsize))

    def _split(self, index: Index, count: int) -> tuple[Index, Index]:
        return self.function.divide(index, count), self.function.remainder(index, count)

    def _spread(self, cursor: _Cursor, axes: Sequence[int], place: Index) -> _Cursor:
        """The cursor at number `place` of the places of some axes, the last one running fastest."""
        for axis in reversed(axes):
            place, index = self._split(place, self.form.kept[axis]) if axis != axes[0] else (0, place)
            cursor = self._moved(cursor, axis, index)
        return cursor


def _rounded(size: int) -> int:
    """Up to whole cache lines."""
    return -(-size // 64) * 64
