"""The lines of an array along one axis: done one by one, or as many at once as a vector has lanes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from tarazu.backend.native.kernels.special.kernel_function import KernelFunction, power_of_two
from tarazu.backend.native.llvm.function import Function
from tarazu.backend.native.llvm.values import Index, constant
from tarazu.ir.types import Shape


class Lines(NamedTuple):
    """Lines of `length` elements with a stride of `inner`; `inner` lines side by side make a group, `outer` groups.

    A unit is what an item of the kernel is: `lanes` lines side by side, or one of those that are left in a group.
    """

    outer: int
    length: int
    inner: int
    lanes: int  # lines that are done at once; the last inner % lanes of a group are done one by one

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
        """The units of all groups."""
        return self.outer * (self.whole + self.single)

    def element(self, f: Function, group: Index, column: Index, position: Index = 0) -> Index:
        """How many elements lie before the one at `position` along a line."""
        start = f.add(f.multiply(group, self.length * self.inner), column)
        return f.add(start, f.multiply(position, self.inner))


def lines_of(shape: Shape, axis: int, lanes: int = 1) -> Lines:
    """The lines along `axis`, up to `lanes` of them at once."""
    inner = math.prod(shape[axis + 1:])
    return Lines(math.prod(shape[:axis]), shape[axis], inner, power_of_two(max(min(lanes, inner), 1)))


def each_unit(kernel: KernelFunction, lines: Lines, write: Callable[[Index, Index, int], None]) -> None:
    """`write(group, column, width)` for the units that are the kernel's items; a width of 0 is that of one line."""
    f = kernel.f
    with f.loop(kernel.begin, kernel.end) as loop:
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
