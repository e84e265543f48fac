"""argmax and argmin: where the first of the largest or smallest elements lies; nan counts as the most extreme."""

from __future__ import annotations

from tarazu.backend.native.kernels.kernel import Kernel
from tarazu.backend.native.kernels.special.entry import Entry, bits, power_of_two
from tarazu.backend.native.kernels.special.lines import Lines, each_unit, lines_of
from tarazu.backend.native.kernels.special.order import key
from tarazu.backend.native.llvm.llvm_text import Index, Module, Value, constant, constants, vector
from tarazu.backend.native.llvm.target import Target
from tarazu.ir import op as ops
from tarazu.ir.node import Node


def extremum(module: Module, target: Target, name: str, node: Node) -> Kernel | None:
    """The kernel of an argmax or argmin."""
    shape, axis = node.inputs[0].shape, node.attributes["axis"]
    if shape[axis] >= 1 << 31:
        return None
    entry, lines = Entry(module, name, node), lines_of(shape, axis, target.lanes)
    if not lines.units:
        return entry.finish(0)
    search = _Search(entry, node, lines)
    if lines.inner == 1 and lines.length > 1:
        width = power_of_two(min(lines.length, target.lanes))
        each_unit(entry, lines, lambda group, column, _: search.along(group, width))
    else:
        each_unit(entry, lines, search.across)
    equal_parts = not (lines.whole and lines.single)
    return entry.finish(lines.units, rows=lines.units if equal_parts else 0)


class _Search:
    """The search for the largest keys of a tensor's lines."""

    def __init__(self, entry: Entry, node: Node, lines: Lines) -> None:
        self.entry, self.f, self.lines = entry, entry.f, lines
        self.dtype, self.reverse = node.inputs[0].dtype, node.op is ops.ARGMIN

    def keys(self, place: Index, width: int) -> Value:
        pointer = self.f.offset(self.entry.inputs[0], place, bits(self.dtype))
        element = self.f.load(vector(bits(self.dtype), width), pointer, self.dtype.itemsize)
        return key(self.f, self.dtype, element, reverse=self.reverse)

    def better(self, best: list[Value], keys: Value, places: Value) -> list[Value]:
        larger = self.f.compare("icmp sgt", keys, best[0])
        return [self.f.select(larger, keys, best[0]), self.f.select(larger, places, best[1])]

    def numbers(self, first: Index, width: int) -> Value:
        """`first` in every lane."""
        if isinstance(first, int):
            return constant(vector("i32", width), first)
        return self.f.splat(self.f.convert("trunc", first, "i32"), width)

    def across(self, group: Index, column: Index, width: int) -> None:
        """One line per lane."""
        f, lines = self.f, self.lines
        best = [self.keys(lines.place(f, group, column), width), self.numbers(0, width)]
        if lines.length > 1:
            with f.loop(1, lines.length, carried=best) as loop:
                keys = self.keys(lines.place(f, group, column, loop.index), width)
                loop.next = self.better(loop.values, keys, self.numbers(loop.index, width))
            best = loop.results
        self.store(best[1], f.add(f.multiply(group, lines.inner), column))

    def along(self, line: Index, width: int) -> None:
        """All lanes on one line; where they overlap at its end, the first place still counts."""
        f, length = self.f, self.lines.length
        start, offsets = f.multiply(line, length), constants("i32", range(width))
        best, whole = [self.keys(start, width), offsets], length - length % width
        if whole > width:
            with f.loop(width, whole, width, carried=best) as loop:
                places = f.op("add", self.numbers(loop.index, width), offsets)
                loop.next = self.better(loop.values, self.keys(f.add(start, loop.index), width), places)
            best = loop.results
        if whole < length:
            places = constants("i32", range(length - width, length))
            best = self.better(best, self.keys(f.add(start, length - width), width), places)
        largest = f.intrinsic("vector.reduce.smax", best[0], result=best[0].element)
        equal = f.compare("icmp eq", best[0], f.splat(largest, width))
        places = f.select(equal, best[1], constant(best[1].type, (1 << 31) - 1))
        self.store(f.intrinsic("vector.reduce.smin", places, result="i32"), line)

    def store(self, places: Value, position: Index) -> None:
        wide = self.f.convert("zext", places, "i64")
        self.f.store(wide, self.f.offset(self.entry.outputs[0], position, "i64"), 8)
