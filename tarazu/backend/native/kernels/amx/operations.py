"""The instructions of AMX: tiles are eight registers, each of up to 16 rows of 64 bytes, by their numbers.

The shapes of all of them are set at once. LLVM does not know what tiles hold, so it neither moves nor saves them.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from tarazu.backend.native.llvm.function import Function
from tarazu.backend.native.llvm.values import Index, Value, constant

ROWS = 16  # of a tile, at most
COLUMNS = 16  # numbers or pairs of 32 bits in a row of a tile, at most
ITEM = 4  # bytes of each
_TILES = 16  # whose shapes a configuration has room for
_PALETTE = 1  # eight tiles of 1 kB


class Shape(NamedTuple):
    """The rows and columns of a tile; none of both for one that is not used."""

    rows: int
    columns: int


def set_shapes(function: Function, name: str, shapes: Sequence[Shape]) -> None:
    """Set the shapes of the tiles, from number 0 on, to what a constant `name` of the module then holds."""
    shapes = [shape if shape.rows and shape.columns else Shape(0, 0) for shape in shapes]
    shapes += [Shape(0, 0)] * (_TILES - len(shapes))
    data = struct.pack("<BB14x16H16B", _PALETTE, 0, *[ITEM * shape.columns for shape in shapes],
                       *[shape.rows for shape in shapes])
    text = "".join([f"\\{byte:02X}" for byte in data])
    function.module.globals[name] = f'@{name} = internal constant [{len(data)} x i8] c"{text}", align 64'
    function.call("void", "llvm.x86.ldtilecfg", Value(f"@{name}", "ptr"))


def release(function: Function) -> None:
    """Say that tiles are no longer in use, so that the system need not save them."""
    function.call("void", "llvm.x86.tilerelease")


def zero(function: Function, tile: int) -> None:
    function.call("void", "llvm.x86.tilezero", _number(tile))


def load(function: Function, tile: int, pointer: Value, row: Index) -> None:
    """Load a tile from memory, whose rows lie `row` bytes apart."""
    function.call("void", "llvm.x86.tileloadd64", _number(tile), pointer, function.index(row))


def store(function: Function, tile: int, pointer: Value, row: Index) -> None:
    """Store a tile in memory, its rows `row` bytes apart."""
    function.call("void", "llvm.x86.tilestored64", _number(tile), pointer, function.index(row))


def add_product(function: Function, total: int, left: int, right: int) -> None:
    """Add to a tile of float32 the product of two tiles of pairs of bfloat16: the left one has a row of pairs for each
    row of the sums, the right one a row for each pair of a sum."""
    function.call("void", "llvm.x86.tdpbf16ps", _number(total), _number(left), _number(right))


def _number(tile: int) -> Value:
    return constant("i8", tile)
