"""The stable sort along an axis: short lines by counting how many elements come before each, long ones digit by digit.

Both move integers that stand in the order of the elements; the results are then read from the input itself, so that
zeros keep their signs and nan its bits.
"""

from __future__ import annotations

from tarazu.backend.native.kernels.kernel import Kernel
from tarazu.backend.native.kernels.special.entry import Entry, bits, power_of_two
from tarazu.backend.native.kernels.special.lines import Lines, each_unit, lines_of
from tarazu.backend.native.kernels.special.order import key
from tarazu.backend.native.llvm.llvm_text import Index, Module, Value, constant, constants, vector
from tarazu.backend.native.llvm.target import Target
from tarazu.ir.node import Node

SHORT = 96  # up to this length counting, which takes the square of it, is faster
DIGITS = 256


def sort(module: Module, target: Target, name: str, node: Node) -> Kernel | None:
    """The kernel of a sort; its items are the lines."""
    x, axis = node.inputs[0], node.attributes["axis"]
    if x.shape[axis] >= 1 << 31:
        return None
    entry, lines = Entry(module, name, node), lines_of(x.shape, axis)
    if not x.type.size:
        return entry.finish(0)
    sorter = (_Counting if lines.length <= SHORT else _Radix)(entry, node, lines, target)
    each_unit(entry, lines, lambda group, column, _: sorter.line(group, column))
    return entry.finish(lines.units, sorter.scratch, lines.units if lines.inner == 1 else 0)


class _Sorter:
    """What both ways to sort a line share."""

    def __init__(self, entry: Entry, node: Node, lines: Lines, target: Target) -> None:
        self.entry, self.f, self.lines, self.target = entry, entry.f, lines, target
        self.dtype = node.inputs[0].dtype
        self.bits = bits(self.dtype)
        self.scratch = 0

    def element(self, group: Index, column: Index, position: Index) -> Value:
        place = self.lines.place(self.f, group, column, position)
        return self.f.load(self.bits, self.f.offset(self.entry.inputs[0], place, self.bits), self.dtype.itemsize)

    def store(self, group: Index, column: Index, position: Index, source: Index) -> None:
        """Put the element that was at `source` along its line at `position`."""
        f, value = self.f, self.element(group, column, source)
        place = self.lines.place(f, group, column, position)
        f.store(value, f.offset(self.entry.outputs[0], place, self.bits), self.dtype.itemsize)
        f.store(f.index(source), f.offset(self.entry.outputs[1], place, "i64"), 8)


class _Counting(_Sorter):
    """The place of an element is the number of those before it: smaller ones, and equal ones that came first."""

    def __init__(self, entry: Entry, node: Node, lines: Lines, target: Target) -> None:
        super().__init__(entry, node, lines, target)
        full = target.vector_bytes // self.dtype.itemsize
        self.width = min(full, 2 * power_of_two(max(lines.length - 1, 1)))
        self.padded = -(-lines.length // self.width) * self.width
        self.scratch = self.padded * self.dtype.itemsize

    def line(self, group: Index, column: Index) -> None:
        f, length = self.f, self.lines.length
        with f.loop(0, length) as loop:
            self.keep(loop.index, key(f, self.dtype, self.element(group, column, loop.index)))
        if length < self.padded:
            with f.loop(length, self.padded) as loop:
                self.keep(loop.index, constant(self.bits, (1 << (8 * self.dtype.itemsize - 1)) - 1))
        with f.loop(0, length) as loop:
            self.store(group, column, self.rank(loop.index), loop.index)

    def keep(self, position: Index, found: Value) -> None:
        self.f.store(found, self.f.offset(self.entry.frame, position, self.bits), self.dtype.itemsize)

    def rank(self, position: Index) -> Value:
        f, size, type_ = self.f, self.dtype.itemsize, vector(self.bits, self.width)
        own = f.splat(f.load(self.bits, f.offset(self.entry.frame, position, self.bits), size), self.width)
        here, lanes = self.spread(position), constants(self.bits, range(self.width))
        with f.loop(0, self.padded, self.width, carried=[constant(type_, 0)]) as loop:
            others = f.load(type_, f.offset(self.entry.frame, loop.index, self.bits), size * self.width)
            earlier = f.compare("icmp ult", f.op("add", self.spread(loop.index), lanes), here)
            tie = f.op("and", f.compare("icmp eq", others, own), earlier)
            before = f.op("or", f.compare("icmp slt", others, own), tie)
            loop.next = [f.op("add", loop.values[0], f.convert("zext", before, self.bits))]
        count = f.intrinsic("vector.reduce.add", loop.results[0], result=self.bits)
        return count if self.bits == "i64" else f.convert("zext", count, "i64")

    def spread(self, position: Index) -> Value:
        """`position` in every lane."""
        if isinstance(position, int):
            return constant(vector(self.bits, self.width), position)
        narrow = position if self.bits == "i64" else self.f.convert("trunc", position, self.bits)
        return self.f.splat(narrow, self.width)


class _Radix(_Sorter):
    """Least significant digit first (Knuth, "The Art of Computer Programming", volume 3, section 5.2.5), bytes as
    digits. Records hold the key above the element's place; they go from one half of the scratch memory to the other.
    """

    def __init__(self, entry: Entry, node: Node, lines: Lines, target: Target) -> None:
        super().__init__(entry, node, lines, target)
        self.record = "i128" if self.dtype.itemsize == 8 else "i64"
        self.half = 8 if self.dtype.itemsize == 8 else 4  # bytes of the place, before those of the key
        self.room = -(-lines.length * 2 * self.half // 64) * 64
        self.scratch = 2 * self.room + DIGITS * self.dtype.itemsize * 4
        self.table = self.f.offset(entry.frame, 2 * self.room)  # how often each digit has each value

    def line(self, group: Index, column: Index) -> None:
        f, frame = self.f, self.entry.frame
        self.count(group, column)
        with f.loop(0, self.dtype.itemsize, carried=[frame, f.offset(frame, self.room)]) as digit:
            digit.next = self.distribute(digit.index, *digit.values)
        with f.loop(0, self.lines.length) as loop:
            record = f.offset(digit.results[0], loop.index, self.record)
            place = f.load(f"i{8 * self.half}", record, self.half)
            self.store(group, column, loop.index, place if self.half == 8 else f.convert("zext", place, "i64"))

    def count(self, group: Index, column: Index) -> None:
        """Make the records, and count how often each digit has each value."""
        f, size, lanes = self.f, self.dtype.itemsize, self.target.lanes
        with f.loop(0, DIGITS * size, lanes) as loop:
            f.store(constant(vector("i32", lanes), 0), f.offset(self.table, loop.index, "i32"), 4 * lanes)
        with f.loop(0, self.lines.length) as loop:
            found = key(f, self.dtype, self.element(group, column, loop.index))
            found = f.op("xor", found, constant(self.bits, -1 << (8 * size - 1)))  # digits have no sign
            wide = f.op("shl", f.convert("zext", found, self.record), constant(self.record, 8 * self.half))
            place = f.index(loop.index) if self.half == 4 else f.convert("zext", f.index(loop.index), self.record)
            f.store(f.op("or", wide, place), f.offset(self.entry.frame, loop.index, self.record), 8)
            for digit in range(size):
                byte = f.op("lshr", found, constant(self.bits, 8 * digit)) if digit else found
                byte = f.op("and", byte, constant(self.bits, DIGITS - 1)) if size > 1 else byte
                number = byte if self.bits == "i64" else f.convert("zext", byte, "i64")
                self.advance(f.offset(self.table, DIGITS * digit, "i32"), number)

    def advance(self, table: Value, number: Value) -> Value:
        """The entry of the table, which is then one more."""
        entry = self.f.offset(table, number, "i32")
        before = self.f.load("i32", entry, 4)
        self.f.store(self.f.op("add", before, constant("i32", 1)), entry, 4)
        return before

    def distribute(self, digit: Index, source: Value, to: Value) -> list[Value]:
        """Move the records to where their digit belongs, unless all have the same one; gives both halves, swapped."""
        f, length = self.f, self.lines.length
        table = f.offset(self.table, f.multiply(digit, DIGITS), "i32")
        digits = f.offset(f.offset(source, self.half), digit)
        count = f.load("i32", f.offset(table, self.digit(digits, 0), "i32"), 4)
        alike = f.compare("icmp eq", count, constant("i32", length))
        with f.loop(0, f.select(alike, f.index(0), f.index(DIGITS)), carried=[constant("i32", 0)]) as loop:
            entry = f.offset(table, loop.index, "i32")
            count = f.load("i32", entry, 4)
            f.store(loop.values[0], entry, 4)
            loop.next = [f.op("add", loop.values[0], count)]
        with f.loop(0, f.select(alike, f.index(0), f.index(length))) as loop:
            record = f.load(self.record, f.offset(source, loop.index, self.record), 8)
            place = f.convert("zext", self.advance(table, self.digit(digits, loop.index)), "i64")
            f.store(record, f.offset(to, place, self.record), 8)
        return [f.select(alike, source, to), f.select(alike, to, source)]

    def digit(self, digits: Value, number: Index) -> Value:
        byte = self.f.load("i8", self.f.offset(digits, number, self.record), 1)
        return self.f.convert("zext", byte, "i64")
