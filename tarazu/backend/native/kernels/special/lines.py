"""The lines of an array along one axis: done one by one, or as many at once as a vector holds where they lie side by
side."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from tarazu.backend.native.kernels.special.entry import Entry, power_of_two
from tarazu.backend.native.llvm.function import Function
from tarazu.backend.native.llvm.values import Index, constant
from tarazu.ir.types import Shape


class Lines(NamedTuple):
    """Lines of `length` elements that lie `inner` apart; `inner` lines side by side, in `outer` such groups."""

    outer: int
    length: int
    inner: int
    lanes: int  # how many lines go together; the last inner % lanes of a group go one by one

    @property
    def whole(self) -> int:
        """The units of several lines in a group."""
        return self.inner // self.lanes if self.lanes > 1 else 0

    @property
    def single(self) -> int:
        """The units of one line in a group."""
        return self.inner - self.whole * self.lanes

    @property
    def units(self) -> int:
        return self.outer * (self.whole + self.single)

    def place(self, f: Function, group: Index, column: Index, position: Index = 0) -> Index:
        """Where the element at `position` along a line lies."""
        start = f.add(f.multiply(group, self.length * self.inner), column)
        return f.add(start, f.multiply(position, self.inner))


def lines_of(shape: Shape, axis: int, lanes: int = 1) -> Lines:
    """The lines along `axis`, up to `lanes` of them at once."""
    inner = math.prod(shape[axis + 1:])
    return Lines(math.prod(shape[:axis]), shape[axis], inner, power_of_two(max(min(lanes, inner), 1)))


def each_unit(entry: Entry, lines: Lines, write: Callable[[Index, Index, int], None]) -> None:
    """`write(group, column, width)` for the units that are the kernel's items; a width of 0 is that of one line."""
    f = entry.f
    with f.loop(entry.begin, entry.end) as loop:
        group = f.divide(loop.index, lines.whole + lines.single)
        unit = f.remainder(loop.index, lines.whole + lines.single)
        if not lines.whole:
            write(group, unit, 0)
        elif not lines.single:
            write(group, f.multiply(unit, lines.lanes), lines.lanes)
        else:
            last = f.compare("icmp sge", f.index(unit), f.index(lines.whole))
            with f.when(last):
                write(group, f.add(unit, lines.whole * (lines.lanes - 1)), 0)
            with f.when(f.op("xor", last, constant("i1", 1))):
                write(group, f.multiply(unit, lines.lanes), lines.lanes)
