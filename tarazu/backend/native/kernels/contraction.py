"""Kernels of contractions, matrix products and convolutions alike: the loops over panels, blocks and register tiles.

`contraction_form` brings a nest into normal form, `contraction_choice` chooses the tile, the panels and the shares,
`tile_code` writes the tiles and `packing` the copies of panels.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from tarazu.backend.native.kernels.amx.operations import release, set_shapes
from tarazu.backend.native.kernels.contraction_choice import (
    COLUMNS,
    OUTER,
    ROWS,
    ROWS_FIRST,
    Choice,
    choose_contraction,
    panels,
)
from tarazu.backend.native.kernels.contraction_form import Form, normal_form
from tarazu.backend.native.kernels.expression import Writer
from tarazu.backend.native.kernels.kernel import Kernel, spans_along
from tarazu.backend.native.kernels.loops import kernel_function
from tarazu.backend.native.kernels.packing import Panel, pack
from tarazu.backend.native.kernels.tile_code import TileCode
from tarazu.backend.native.llvm.function import Module
from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.llvm.types import memory_type
from tarazu.backend.native.llvm.values import Index, Value, constant
from tarazu.backend.native.lowering.loop_nest import Nest


def contraction(module: Module, target: Target, name: str, nest: Nest, writer: Writer,
                threads: int = 2) -> Kernel | None:
    """A kernel for one sum of products of two loads, divided so that it suits so many threads.

    None where the nest is no such sum, no axis suits vectors, or plain sums along a contiguous axis are faster.
    """
    form = normal_form(nest, target.vector_bytes)
    choice = choose_contraction(form, target, threads) if form else None
    if form is None or choice is None:
        return None
    return _Contraction(module, target, name, nest, form, choice, writer).write()


class _Cursor(NamedTuple):
    """An element of every buffer at once, by the indices along the kept axes."""

    offsets: tuple[Index, ...]  # in bytes: left factor, right factor, slots of the stores
    indices: tuple[Index, ...]  # along the kept axes; moved only where they are needed
    number: Index = 0  # of the tile, among those that keep their sums from block to block


class _Block(NamedTuple):
    """What the tiles of one block of the reduced axes read and keep."""

    right: Value | None  # the packed panel
    left: Value | None  # of the tile, where the left factor is packed
    rows: Index  # how much of the outermost reduced axis
    flags: tuple[Value, ...]  # whether it is the first and the last block; empty where there is but one
    start: Index = 0  # along the outermost reduced axis


class _Contraction:
    """One kernel being written: the loops around the tiles."""

    def __init__(self, module: Module, target: Target, name: str, nest: Nest, form: Form, choice: Choice,
                 writer: Writer) -> None:
        self.name, self.form, self.choice = name, form, choice
        layout, tile = choice.layout, choice.tile
        self.accesses = (layout.left, layout.right, *form.slots)
        self.reduced = layout.reduced
        self.count, self.last = panels(form, layout, tile.width, choice.lanes)
        self.free = [axis for axis in layout.rows if axis not in (*tile.whole, tile.cut)]
        self.tiles = math.prod(form.kept[axis] for axis in self.free) * tile.parts
        self.groups = math.prod(form.kept[axis] for axis in layout.others)
        self.watched = self._watched()  # axes with known indices
        self.function, self.buffers = kernel_function(module, name, nest)
        item = form.dtype.itemsize
        self.panel = Panel(memory_type(form.dtype), item, choice.lanes, tile.width,
                           self.last != choice.panel_columns, layout.right.strides[layout.axis] * item,
                           tuple((form.sizes[axis], layout.right.strides[axis] * item) for axis in self.reduced))
        self.outermost = form.sizes[self.reduced[0]] if self.reduced else 1
        self.length = math.ceil(self.outermost / choice.blocks)
        self.code = TileCode(module, target, name, form, choice, self.reduced, writer)
        self.pack = pack(module, f"{name}_pack", self.panel) if choice.packed else ""
        self.left_panel = self.code.left_panel
        self.pack_left = pack(module, f"{name}_left", self.left_panel) if self.left_panel else ""

    def _watched(self) -> Sequence[int]:
        """The axes along which a tile knows its indices."""
        if self.form.positions:
            return range(len(self.form.kept))
        return self.form.triangle.axes if self.form.triangle else ()

    # Memory of the thread: the packed panel, then the sums of all tiles of a panel, then what is packed of the left
    # factor

    @property
    def panel_bytes(self) -> int:
        rows = math.prod(size for size, _ in self.panel.rows[1:]) * self.length
        return _whole_lines(rows * self.panel.row_bytes) if self.choice.packed else 0

    @property
    def left_bytes(self) -> int:
        rows = self.code.most_rows if self.code.block else self.length
        return rows * self.left_panel.steps[0] if self.left_panel else 0

    @property
    def tile_bytes(self) -> int:
        return _whole_lines(self.code.most_rows * self.panel.row_bytes) if self.choice.blocks > 1 else 0

    @property
    def kept(self) -> int:
        """How many tiles keep their sums from block to block."""
        return self.choice.group * self.choice.chunk if self.choice.blocks_first else self.tiles

    def write(self) -> Kernel:
        """The whole kernel."""
        if self.code.block:
            set_shapes(self.function, f"{self.name}_shapes", self.code.block.shapes())
        kernel = self._write()
        if self.code.block:
            release(self.function)
        self.function.ret()
        return kernel

    def _write(self) -> Kernel:
        """The loops over all tiles."""
        begin, end = self.function.parameters["begin"], self.function.parameters["end"]
        start = _Cursor(tuple(access.offset * access.dtype.itemsize for access in self.accesses),
                        (0,) * len(self.form.kept))
        if self.choice.order == OUTER:
            items = math.prod(self.form.kept[:self.form.outer])
            self._outer(start, begin, end)
        elif self.choice.order == COLUMNS and self.choice.blocks_first:
            items = self.count
            self._blocks_first(start, (0, self.tiles), (begin, end))
        elif self.choice.order == COLUMNS:
            panels = self.groups * self.count * self.choice.shares
            items = self.choice.items or panels
            self._columns(start, self.choice.layout.others, self.function.multiply(begin, panels // items),
                          self.function.multiply(end, panels // items))
        else:
            items = self.tiles if self.choice.inside else self.groups * self.tiles
            self._rows(start, begin, end)
        per_item = self._indices_per_item(items)
        packed_tiles = self.choice.chunk if self.choice.blocks_first else 1
        scratch = self.panel_bytes + self.tile_bytes * self.kept + self.left_bytes * packed_tiles
        axis = self._first_axis()
        return Kernel(self.name, items, scratch, items if per_item else 0, per_item or 1, self._description(),
                      () if axis is None else spans_along(self.accesses, axis, self.form.kept[axis]))

    def _description(self) -> str:
        """The choice, for people."""
        choice, packed = self.choice, ", packed" if self.choice.packed else ""
        packed += f", {choice.chunk} rows of tiles at a time" if choice.chunk else ""
        packed += ", left packed" if choice.left_packed else ""
        packed += f", AMX by {choice.tile.pairs} pairs" if choice.tile.pairs else ""
        grid = f" in {choice.shares} shares of rows" * (choice.shares > 1)
        inside = " of all products" * choice.inside
        return (f"tile {self.code.most_rows} x {choice.panel_columns}, panels {self.count}{packed}, "
                f"blocks {choice.blocks}, {choice.order}{grid}{inside}")

    def _first_axis(self) -> int | None:
        """The axis that the items run over first."""
        if self.choice.order == OUTER:
            return 0
        columns = self.choice.order == COLUMNS
        inner = [self.choice.layout.axis] if columns else [*self.free, self.choice.tile.cut]
        return [*self.choice.layout.others, *inner][0]

    def _indices_per_item(self, items: int) -> int:
        """How many indices of the nest's first axis make up an item; 0 where items are something else."""
        choice = self.choice
        if choice.order == OUTER:
            return 1
        by_groups = bool(choice.items) or (choice.order == COLUMNS and choice.layout.others == (0,))
        by_tiles = choice.order == ROWS_FIRST and choice.tile.cut == 0 and items == choice.tile.parts
        indices, rest = divmod(self.form.kept[0], items)
        return indices if self.form.leading and not rest and (by_groups or by_tiles) else 0

    # Loops over the items

    def _outer(self, start: _Cursor, begin: Value, end: Value) -> None:
        """Each item is all that is inside the outer axes."""
        outer = range(self.form.outer)
        inner = [axis for axis in self.choice.layout.others if axis not in outer]
        panels = self.count * math.prod(self.form.kept[axis] for axis in inner)
        with self.function.loop(begin, end) as item:
            self._columns(self._at(start, outer, item.index), inner, 0, panels)

    def _columns(self, start: _Cursor, axes: Sequence[int], begin: Index, end: Index) -> None:
        """The panels from `begin` to `end`, each with all its rows or a share of them, at the indices of `axes`."""
        with self.function.loop(begin, end) as item:
            column, share = self._divmod(item.index, self.choice.shares) if self.choice.shares > 1 else (item.index, 0)
            group, panel = self._divmod(column, self.count)
            cursor = self._at(start, axes, group)
            self._panel(cursor, panel, lambda cursor, block: self._share_of_rows(cursor, panel, block, share))

    def _share_of_rows(self, cursor: _Cursor, panel: Index, block: _Block, share: Index) -> None:
        """The tiles of a panel, all of them or a share."""
        if self.choice.shares == 1:
            self._all_rows(cursor, panel, block, self.free)
        else:
            self._items(cursor, panel, block, self.free, *self._rows_of(share))

    def _rows_of(self, share: Index) -> tuple[Index, Index]:
        """The tiles of a panel from the first to before the last of a share of its rows."""
        function, shares = self.function, self.choice.shares
        first, last = (function.divide(function.multiply(number, self.tiles), shares)
                       for number in (share, function.add(share, 1)))
        return first, last

    def _rows(self, start: _Cursor, begin: Value, end: Value) -> None:
        """Each item is a row of tiles."""
        outer = [*self.choice.layout.others, *self.free]
        if self.choice.blocks_first:
            self._blocks_first(start, (begin, end), (0, self.count))
            return
        if self.choice.order == ROWS:
            with self._chunk(begin, end) as (first, last), self.function.loop(0, self.count) as panel:
                self._panel(start, panel.index,
                            lambda cursor, block: self._items(cursor, panel.index, block, outer, first, last))
            return
        inside = self.choice.layout.others if self.choice.inside else ()
        with self.function.loop(begin, end) as item:
            row, part = self._divmod(item.index, self.choice.tile.parts)
            cursor = self._at(start, self.free if inside else outer, row)
            with self.function.loop(0, self.count * math.prod(self.form.kept[axis] for axis in inside)) as column:
                group, place = self._divmod(column.index, self.count)
                self._panel(self._at(cursor, inside, group), place,
                            lambda cursor, block: self._tile(cursor, part, place, block))

    @contextlib.contextmanager
    def _chunk(self, begin: Index, end: Index) -> Iterator[tuple[Index, Index]]:
        """The first and the last item of each chunk, in a loop."""
        if not self.choice.chunk:
            yield begin, end
            return
        with self.function.loop(begin, end, self.choice.chunk) as loop:
            yield loop.index, self.function.minimum(self.function.add(loop.index, self.choice.chunk), end)

    @contextlib.contextmanager
    def _group(self, begin: Index, end: Index) -> Iterator[tuple[Index, Index]]:
        """The first and the last panel of each group, in a loop where there are several."""
        if self.choice.group == self.count:
            yield begin, end
            return
        with self.function.loop(begin, end, self.choice.group) as loop:
            yield loop.index, self.function.minimum(self.function.add(loop.index, self.choice.group), end)

    def _blocks_first(self, start: _Cursor, rows: tuple[Index, Index], panels: tuple[Index, Index]) -> None:
        """The tiles of some rows of tiles and panels, chunk by chunk; of each chunk all panels block by block."""
        function = self.function
        with (self._chunk(*rows) as (first, last), self._group(*panels) as (group, end_of_group),
              self._block(start) as (cursor, block)):
            if self.left_panel:
                with function.loop(first, last) as item:
                    there, part = self._row_of_tiles(cursor, function.index(item.index))
                    to = self._left(function.subtract(item.index, first))
                    self._pack_left(there, part, block._replace(left=to))
            with function.loop(group, end_of_group) as panel:
                moved = self._moved(cursor, self.choice.layout.axis,
                                    function.multiply(panel.index, self.choice.panel_columns))
                packed = self._packed(moved, panel.index, block)
                with function.loop(first, last) as item:
                    place = function.subtract(item.index, first)
                    column = function.subtract(panel.index, group)
                    number = function.add(function.multiply(column, self.choice.chunk), place)
                    left = self._left(place) if self.left_panel else None
                    there, part = self._row_of_tiles(moved._replace(number=number), item.index)
                    self._tile(there, part, panel.index, packed._replace(left=left))

    def _row_of_tiles(self, cursor: _Cursor, item: Index) -> tuple[_Cursor, Index]:
        """The cursor at an item that is a row of tiles, and the part of the axis that is cut."""
        axes = [*self.choice.layout.others, *self.free]
        if not axes:
            return cursor, item
        row, part = self._divmod(item, self.choice.tile.parts)
        return self._at(cursor, axes, row), part

    def _pack_left(self, cursor: _Cursor, part: Index, block: _Block) -> None:
        """Copy what a tile needs of the left factor to where the block has it; the cursor is at the first part of the
        axis that is cut."""
        function, (short, longer) = self.function, self.code.heights
        assert block.left is not None and self.left_panel is not None
        height: Index = short
        if longer:
            is_longer = function.compare("icmp slt", function.index(part), function.index(longer))
            height = function.select(is_longer, function.index(short + 1), function.index(short))
        columns, rows = (self.choice.tile.pairs, height) if self.code.block else (height, block.rows)
        function.call("void", self.pack_left, self._pointer(0, self._at_part(cursor, part)), block.left,
                      function.index(columns), function.index(rows), function.index(self.left_panel.column_stride))

    def _left(self, place: Index) -> Value:
        """Where the packed numbers of a tile of a chunk lie."""
        start = self.panel_bytes + self.tile_bytes * self.kept
        return self.function.offset(self.function.parameters["frame"],
                                    self.function.add(self.function.multiply(place, self.left_bytes), start))

    def _panel(self, cursor: _Cursor, panel: Index, body: Callable[[_Cursor, _Block], None]) -> None:
        """`body` for each block of one panel, after the panel has been packed."""
        cursor = self._moved(cursor, self.choice.layout.axis,
                             self.function.multiply(panel, self.choice.panel_columns))
        with self._block(cursor) as (moved, block):
            body(moved, self._packed(moved, panel, block))

    @contextlib.contextmanager
    def _block(self, cursor: _Cursor) -> Iterator[tuple[_Cursor, _Block]]:
        """Each block of the reduced axes, in a loop where there are several, and the cursor at its start."""
        if self.choice.blocks == 1:
            yield cursor, _Block(None, None, self.outermost, ())
            return
        function = self.function
        with function.loop(0, self.outermost, self.length) as block:
            index = function.index(block.index)
            rows = function.minimum(self.length, function.subtract(self.outermost, index))
            flags = (function.compare("icmp eq", index, function.index(0)),
                     function.compare("icmp sge", index, function.index(self.outermost - self.length)))
            yield self._moved(cursor, self.reduced[0], index), _Block(None, None, rows, flags, index)

    def _packed(self, cursor: _Cursor, panel: Index, block: _Block) -> _Block:
        """The block with its part of the panel copied into the thread's memory, where panels are packed."""
        if not self.choice.packed:
            return block
        function, frame, columns = self.function, self.function.parameters["frame"], self.choice.panel_columns
        left = function.subtract(self.form.kept[self.choice.layout.axis], function.multiply(panel, columns))
        with self._unless_all_hidden(cursor, block):
            function.call("void", self.pack, self._pointer(1, cursor), frame,
                          function.index(function.minimum(left, columns)), function.index(block.rows),
                          function.index(self.panel.column_stride))
        return block._replace(right=frame)

    @contextlib.contextmanager
    def _unless_all_hidden(self, cursor: _Cursor, block: _Block) -> Iterator[None]:
        """What is done for a block of a panel unless all of it lies above the diagonal, for every row."""
        function, form, triangle = self.function, self.form, self.form.triangle
        if triangle is None or triangle.row >= len(form.kept):
            yield
            return
        first, row = cursor.indices[triangle.row], triangle.row
        rows = self.choice.panel_columns if row == self.choice.layout.axis else \
            form.kept[row] if row in self.choice.layout.rows else 1
        behind = function.add(function.add(first, rows), self._first_of_block(cursor))
        column = block.start if [triangle.column] == self.reduced else self._first_column(cursor, triangle.column)
        if column is None or isinstance(column, int):
            yield
            return
        column, behind = function.multiply(column, triangle.columns), function.multiply(behind, triangle.rows)
        with function.when(function.compare("icmp slt", function.index(column), function.index(behind))):
            yield

    def _all_rows(self, cursor: _Cursor, panel: Index, block: _Block, axes: Sequence[int]) -> None:
        """All tiles of a panel, in loops over `axes` and the parts of the axis that is cut."""
        function = self.function
        if axes:
            with function.loop(0, self.form.kept[axes[0]]) as loop:
                number = function.add(function.multiply(cursor.number, self.form.kept[axes[0]]), loop.index)
                self._all_rows(self._moved(cursor, axes[0], loop.index)._replace(number=number), panel, block, axes[1:])
            return
        with function.loop(0, self.choice.tile.parts) as loop:
            number = function.add(function.multiply(cursor.number, self.choice.tile.parts), loop.index)
            self._tile(cursor._replace(number=number), loop.index, panel, block)

    def _items(self, cursor: _Cursor, panel: Index, block: _Block, outer: Sequence[int], begin: Index,
               end: Index) -> None:
        """The tiles of a panel that are the items from `begin` to `end`."""
        with self.function.loop(begin, end) as item:
            row, part = self._divmod(item.index, self.choice.tile.parts)
            self._tile(self._at(cursor, outer, row)._replace(number=item.index), part, panel, block)

    # Tiles

    def _tile(self, cursor: _Cursor, part: Index, panel: Index, block: _Block) -> None:
        """One tile: the variant for its number of rows and columns."""
        short, longer = self.code.heights
        if self.left_panel and block.left is None:
            block = block._replace(left=self._left(0))
            self._pack_left(cursor, part, block)
        cursor = self._at_part(cursor, part)
        arguments = self._arguments(cursor, block)
        full = self.count - (self.last != self.choice.panel_columns)
        for is_longer in self._cases(part, longer, self.choice.tile.parts):
            for is_full in self._cases(panel, full, self.count):
                columns = self.choice.panel_columns if is_full else self.last
                with self._unless_hidden(arguments, short + is_longer, columns):
                    self._visible_tile(cursor, arguments, short + is_longer, columns)

    def _visible_tile(self, cursor: _Cursor, arguments: Sequence[Value], height: int, columns: int) -> None:
        """A tile that is not above the diagonal: one below it needs no comparisons."""
        function, triangle = self.function, self.form.triangle
        if triangle is None or not self.code.compares:
            function.call("void", self.code.function(height, columns), *arguments)
            return
        extent = {self.choice.layout.axis: columns, self.choice.tile.cut: height}.get(triangle.column)
        if extent is None:
            extent = self.form.kept[triangle.column] if triangle.column in self.choice.tile.whole else 1
        last_column = function.index(function.add(cursor.indices[triangle.column], extent - 1))
        first_row = function.index(function.add(cursor.indices[triangle.row], self._first_of_block(cursor)))
        for predicate, write in (("icmp sle", self.code.below_diagonal), ("icmp sgt", self.code.function)):
            with function.when(function.compare(predicate, last_column, first_row)):
                function.call("void", write(height, columns), *arguments)

    @contextlib.contextmanager
    def _unless_hidden(self, arguments: Sequence[Value], height: int, columns: int) -> Iterator[None]:
        """What is done for a tile unless all of it lies above the diagonal, where it is known; and for a block of a sum
        unless nothing of it counts, when others come before and after."""
        function, none = self.function, constant("i64", 0)
        if not self.code.is_known_above:
            if self.choice.blocks == 1 or self.form.triangle is None:
                yield
                return
            rows, _, *flags = arguments[2:6]
            counts = [function.compare("icmp ne", rows, none), *flags]
            with function.when(function.op("or", function.op("or", counts[0], counts[1]), counts[2])):
                yield
            return
        rows = arguments[2]
        with function.when(function.compare("icmp eq", rows, none)):
            function.call("void", self.code.above_diagonal(height, columns), *arguments)
        with function.when(function.compare("icmp ne", rows, none)):
            yield

    def _at_part(self, cursor: _Cursor, part: Index) -> _Cursor:
        """The cursor at a part of the axis that is cut."""
        cut, (short, longer) = self.choice.tile.cut, self.code.heights
        if cut is None:
            return cursor
        start = self.function.multiply(part, short)
        if longer:
            start = self.function.add(start, self.function.minimum(part, longer))
        return self._moved(cursor, cut, start)

    def _cases(self, index: Index, border: int, count: int) -> Iterator[bool]:
        """Whether `index` (below `count`) is below `border`; both cases, as branches, if it is no number yet."""
        if border in (0, count) or isinstance(index, int):
            yield index < border if isinstance(index, int) else border == count
            return
        limit = self.function.index(border)
        for below, predicate in ((True, "icmp slt"), (False, "icmp sge")):
            with self.function.when(self.function.compare(predicate, index, limit)):
                yield below

    def _arguments(self, cursor: _Cursor, block: _Block) -> list[Value]:
        function = self.function
        result = [block.left or self._pointer(0, cursor), block.right or self._pointer(1, cursor)]
        if self.code.has_rows:
            first, rows = (function.divide(each, self.code.loop_step) for each in self._counting(cursor, block))
            outermost = self.code.loops[0]
            result = [function.offset(pointer, function.multiply(first, step))
                      for pointer, step in zip(result, (outermost.left, outermost.right), strict=True)]
            result.append(function.index(rows))
        if block.flags:
            sums = function.add(function.multiply(cursor.number, self.tile_bytes), self.panel_bytes)
            result += [function.offset(function.parameters["frame"], sums), *block.flags]
        result += [self._pointer(2 + slot, cursor) for slot in range(len(self.form.slots))]
        return result + [function.index(index) for index in cursor.indices if self.form.positions]

    def _counting(self, cursor: _Cursor, block: _Block) -> tuple[Index, Index]:
        """The first index of the outermost reduced axis that counts for a tile, from the start of the block on, and how
        many count: multiples of the tile's step."""
        function, triangle, step = self.function, self.form.triangle, self.code.step
        if triangle is None or (max(triangle.row, triangle.column) >= len(self.form.kept) and len(self.reduced) > 1):
            return 0, block.rows
        last_row, first_column = self._last_row(cursor, triangle.row), self._first_column(cursor, triangle.column)
        if last_row is not None:
            last_row = function.add(function.multiply(last_row, triangle.rows), triangle.rows - 1)
        if first_column is not None:
            first_column = function.multiply(first_column, triangle.columns)
        if last_row is not None and first_column is not None:
            counts = function.compare("icmp sle", function.index(first_column), function.index(last_row))
            return 0, function.select(counts, function.index(block.rows), function.index(0))
        if last_row is not None:
            steps = function.divide(function.add(function.divide(last_row, triangle.columns), step), step)
            end = function.subtract(function.multiply(steps, step), block.start)
            return 0, function.minimum(function.maximum(end, 0), block.rows)
        assert first_column is not None
        first_row = function.subtract(function.divide(first_column, triangle.rows), self._first_of_block(cursor))
        first_row = function.maximum(first_row, 0)
        skipped = function.subtract(function.multiply(function.divide(first_row, step), step), block.start)
        skipped = function.minimum(function.maximum(skipped, 0), block.rows)
        return skipped, function.subtract(block.rows, skipped)

    def _first_column(self, cursor: _Cursor, axis: int) -> Index | None:
        """The least index of a tile along an axis; None for a reduced one."""
        return cursor.indices[axis] if axis < len(self.form.kept) else None

    def _last_row(self, cursor: _Cursor, axis: int) -> Index | None:
        """The largest index of a tile along an axis, or more; None for a reduced one."""
        tile, first = self.choice.tile, self._first_column(cursor, axis)
        if first is None:
            return None
        if axis == tile.cut:
            extent = self.code.heights[0] + (self.code.heights[1] > 0)
        elif axis == self.choice.layout.axis:
            extent = self.choice.panel_columns
        else:
            extent = self.form.kept[axis] if axis in tile.whole else 1
        return self.function.add(self.function.add(first, extent - 1), self._first_of_block(cursor))

    def _first_of_block(self, cursor: _Cursor) -> Index:
        """The row of the triangle with which the block of rows starts."""
        triangle = self.form.triangle
        if triangle is None or triangle.block is None:
            return 0
        return self.function.multiply(cursor.indices[triangle.block], self.form.sizes[triangle.row])

    # Cursors

    def _pointer(self, access: int, cursor: _Cursor) -> Value:
        return self.function.offset(self.buffers[self.accesses[access].buffer], cursor.offsets[access])

    def _moved(self, cursor: _Cursor, axis: int, index: Index) -> _Cursor:
        """The cursor `index` further along an axis."""
        offsets = tuple([self._moved_offset(offset, number, axis, index)
                         for number, offset in enumerate(cursor.offsets)])
        indices = tuple([self.function.add(old, index) if axis == own and own in self.watched else old
                         for own, old in enumerate(cursor.indices)])
        return cursor._replace(offsets=offsets, indices=indices)

    def _moved_offset(self, offset: Index, number: int, axis: int, index: Index) -> Index:
        """The offset of access `number` after the move; if stores compute with indices, their accesses do not move."""
        access = self.accesses[number]
        if axis >= len(access.strides) or (number >= 2 and self.form.positions):
            return offset
        return self.function.add(offset, self.function.multiply(index, access.strides[axis] * access.dtype.itemsize))

    def _divmod(self, index: Index, count: int) -> tuple[Index, Index]:
        return self.function.divide(index, count), self.function.remainder(index, count)

    def _at(self, cursor: _Cursor, axes: Sequence[int], number: Index) -> _Cursor:
        """The cursor moved to combination `number` of the indices of some axes, the last of which runs fastest."""
        for axis in reversed(axes):
            number, index = self._divmod(number, self.form.kept[axis]) if axis != axes[0] else (0, number)
            cursor = self._moved(cursor, axis, index)
        return cursor


def _whole_lines(size: int) -> int:
    """A number of bytes rounded up to whole cache lines."""
    return -(-size // 64) * 64
