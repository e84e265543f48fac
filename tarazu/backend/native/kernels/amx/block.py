"""A block of sums in up to 2 x 2 tiles, and the products that are added to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tarazu.backend.native.kernels.amx import operations
from tarazu.backend.native.kernels.amx.operations import COLUMNS, ITEM, ROWS, Shape
from tarazu.backend.native.kernels.loops import ReducedLoop
from tarazu.backend.native.llvm.function import Function
from tarazu.backend.native.llvm.values import Index, Value


class Block(NamedTuple):
    """The numbers of tiles, their rows and columns: sums are 0 to 3, row by row, then two of the left factor, one for
    each row, and two of the right one."""

    rows: int
    columns: int
    pairs: int  # of each sum that one product takes

    def shapes(self) -> list[Shape]:
        """Those of all tiles."""
        rows = [max(min(self.rows - start, ROWS), 0) for start in (0, ROWS)]
        columns = [max(min(self.columns - start, COLUMNS), 0) for start in (0, COLUMNS)]
        return [*[Shape(high, wide) for high in rows for wide in columns], *[Shape(high, self.pairs) for high in rows],
                *[Shape(self.pairs, wide) for wide in columns]]


class BlockCode:
    """The code of a block, or of the first rows and columns of tiles of one, inside a function."""

    def __init__(self, function: Function, rows: int, columns: int, left_row: int, right_row: int) -> None:
        self.f, self.left_row, self.right_row = function, left_row, right_row  # bytes from row to row of the factors
        self.rows, self.columns = range(0, rows, ROWS), range(0, columns, COLUMNS)

    def zero(self) -> None:
        """Sums of nothing."""
        for tile, _, _ in self._sums():
            operations.zero(self.f, tile)

    def load(self, memory: Value, row: int) -> None:
        """Take the sums from memory, whose rows lie so many bytes apart."""
        for tile, high, wide in self._sums():
            operations.load(self.f, tile, self.f.offset(memory, high * row + wide * ITEM), row)

    def store(self, memory: Value, row: int) -> None:
        """Leave the sums in memory."""
        for tile, high, wide in self._sums():
            operations.store(self.f, tile, self.f.offset(memory, high * row + wide * ITEM), row)

    def add_products(self, loops: Sequence[ReducedLoop], length: Index, left: Value, right: Value) -> None:
        """Add the products of `loops`, the outermost first; `length` is how many iterations of that there are."""
        with self.f.loop(0, length) as loop:
            a = self.f.offset(left, self.f.multiply(loop.index, loops[0].left))
            b = self.f.offset(right, self.f.multiply(loop.index, loops[0].right))
            if loops[1:]:
                self.add_products(loops[1:], loops[1].length, a, b)
            else:
                self._add_products(a, b)

    def _add_products(self, left: Value, right: Value) -> None:
        """Add one product of tiles to each sum."""
        for c, wide in enumerate(self.columns):
            operations.load(self.f, 6 + c, self.f.offset(right, wide * ITEM), self.right_row)
        for r, high in enumerate(self.rows):
            operations.load(self.f, 4 + r, self.f.offset(left, high * self.left_row), self.left_row)
            for c in range(len(self.columns)):
                operations.add_product(self.f, 2 * r + c, 4 + r, 6 + c)

    def _sums(self) -> list[tuple[int, int, int]]:
        """The tiles of sums: their numbers, first rows and first columns."""
        return [(2 * r + c, high, wide) for r, high in enumerate(self.rows) for c, wide in enumerate(self.columns)]
